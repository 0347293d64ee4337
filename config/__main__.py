"""Validates and renders a stack's file without an engine, and writes the schema that editors use.

python -m config check STACK   validate Pulumi.STACK.yaml; print all problems, or else its node pools as JSON
python -m config render STACK  print the manifests of the objects that `up` creates, as YAML
python -m config schema        write Pulumi.schema.json
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

from config import StackError, StackSettings, load_file, schema
from config.render import render


def main(arguments: list[str]) -> int:
    """Run one of the commands. Returns the exit status."""
    match arguments:
        case ["check", stack]:
            return _load(stack, _node_pools)
        case ["render", stack]:
            return _load(stack, render)
        case ["schema"]:
            schema.FILE.write_text(schema.render(), encoding="utf-8")
            return 0
        case _:
            print(__doc__.strip(), file=sys.stderr)
            return 2


def _load(stack: str, output: Callable[[StackSettings], str]) -> int:
    """Print an output of a stack, or all its problems. Returns the exit status."""
    try:
        settings = load_file(stack, Path.cwd())
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    print(output(settings).rstrip("\n"))
    return 0


def _node_pools(settings: StackSettings) -> str:
    return json.dumps({name: pool.model_dump(by_alias=True, mode="json") for name, pool in settings.node_pools.items()})


sys.exit(main(sys.argv[1:]))
