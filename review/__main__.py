"""Makes the page that a reviewer reads, and says what went wrong after an ``up``.

python -m review --stack prod                      run pulumi preview, and write the page
python -m review --stack prod --preview FILE       take the output of pulumi preview --json --show-sames (-: stdin)
python -m review explain --stack prod              after a failed up: what is wrong, and the mend

Exit status: 0; 1 where the change would fail or is forbidden, or something is wrong; 2 where that cannot be told.
"""

import argparse
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from review.cluster import Cluster, check, seen
from review.explain import ClusterError, explain, read, told
from review.formats import FORMATS
from review.model import review
from review.preview import Preview, PreviewError, parse


def main() -> int:
    """Run one of the commands; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m review", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", nargs="?", choices=["page", "explain"], default="page")
    parser.add_argument("--stack", required=True, help="the stack's name")
    parser.add_argument("--preview", metavar="FILE", help="output of pulumi preview --json --show-sames; -: stdin")
    parser.add_argument("--format", choices=list(FORMATS), default="text")
    parser.add_argument("--offline", action="store_true", help="do not ask the cluster, even where it can be reached")
    arguments = parser.parse_args()
    try:
        if arguments.command == "explain":
            diagnoses = explain(read(arguments.stack))
            sys.stdout.write(told(arguments.stack, diagnoses))
            return 1 if diagnoses else 0
        preview = _preview(arguments.stack, arguments.preview)
    except (PreviewError, ClusterError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    cluster = Cluster(preview.config.get("kubernetes:context"))
    checks = None
    if not arguments.offline and not preview.errors and cluster.reachable():
        preview = seen(preview, cluster)
        checks = check(preview, cluster)
    made = review(preview, _pools(arguments.stack), datetime.now(UTC).date(), checks=checks)
    sys.stdout.write(FORMATS[arguments.format](made))
    return 1 if made.level == "stop" else 0


def _preview(stack: str, file: str | None) -> Preview:
    if file == "-":
        return parse(sys.stdin.read(), stack)
    if file is not None:
        return parse(Path(file).read_text(encoding="utf-8"), stack)
    command = ["pulumi", "preview", "--stack", stack, "--json", "--show-sames", "--non-interactive"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return parse(done.stdout, stack)
    except PreviewError:
        raise PreviewError(f"pulumi preview of stack {stack} failed:\n{(done.stderr or done.stdout).strip()}") from None


def _pools(stack: str) -> dict[str, dict[str, Any]]:
    """The stack's node pools with their prices; none where its file is refused, which the preview tells."""
    command = [sys.executable, "-m", "config", "check", stack]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    pools: dict[str, dict[str, Any]] = json.loads(done.stdout) if done.returncode == 0 else {}
    return pools


sys.exit(main())
