"""Checks a stack's file without an engine, and keeps the schema that editors use.

python -m config check STACK   say all that is wrong with Pulumi.STACK.yaml; print its node pools as JSON
python -m config schema        write Pulumi.schema.json
"""

import json
import sys
from pathlib import Path

from config import StackError, load_file, schema


def main(arguments: list[str]) -> int:
    """Run one of the commands; returns the exit status."""
    match arguments:
        case ["check", stack]:
            return _check(stack)
        case ["schema"]:
            schema.FILE.write_text(schema.render(), encoding="utf-8")
            return 0
        case _:
            print(__doc__.strip(), file=sys.stderr)
            return 2


def _check(stack: str) -> int:
    try:
        settings = load_file(stack, Path.cwd())
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    pools = {name: pool.model_dump(by_alias=True, mode="json") for name, pool in settings.node_pools.items()}
    print(json.dumps(pools))
    return 0


sys.exit(main(sys.argv[1:]))
