"""Makes the page that a reviewer reads, and says what went wrong after an ``up``.

python -m review --stack prod                      run pulumi preview, and write the page
python -m review --stack prod --base main          tell apart what the commit main would change already
python -m review --stack prod --preview FILE       take the output of pulumi preview --json --show-sames (-: stdin)
python -m review explain --stack prod              after a failed up: what is wrong, and the fix

Exit status: 0; 1 where the change would fail or is forbidden, or something is wrong; 2 where that cannot be told.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from review.cluster.checks import Checks, check, not_asked, seen
from review.cluster.kubeconfig import kubeconfig
from review.cluster.kubectl import Cluster, UnansweredError
from review.explain import ClusterError, explain, read, told
from review.preview import Preview, PreviewError, parse
from review.render import FORMATS
from review.review import review


def main() -> int:
    """Run one of the commands; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m review", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", nargs="?", choices=["page", "explain"], default="page")
    parser.add_argument("--stack", required=True, help="the stack's name")
    parser.add_argument("--preview", metavar="FILE", help="output of pulumi preview --json --show-sames; -: stdin")
    parser.add_argument("--base", metavar="REF", help="the commit that the change is made to")
    parser.add_argument("--format", choices=list(FORMATS), default="text")
    parser.add_argument("--offline", action="store_true", help="do not ask the cluster, even where it can be reached")
    arguments = parser.parse_args()
    try:
        if arguments.command == "explain":
            diagnoses = explain(read(arguments.stack))
            sys.stdout.write(told(arguments.stack, diagnoses))
            return 1 if diagnoses else 0
        preview = _preview(arguments.stack, arguments.preview)
        base = _base(arguments.base, arguments.stack) if arguments.base else None
    except (PreviewError, ClusterError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    checks = None
    if not arguments.offline and not preview.errors:
        preview, checks = _asked(preview)
    made = review(preview, _pools(arguments.stack), datetime.now(UTC).date(), checks=checks, base=base)
    sys.stdout.write(FORMATS[arguments.format](made))
    return 1 if made.level == "stop" else 0


def _asked(preview: Preview) -> tuple[Preview, Checks]:
    """The preview as the cluster sees it, and what the cluster adds; where it cannot be asked, why."""
    try:
        with kubeconfig(preview.config) as file:
            cluster = Cluster(preview.config.get("kubernetes:context"), file)
            cluster.reach()
            preview = seen(preview, cluster)
            return preview, check(preview, cluster)
    except UnansweredError as error:
        return preview, not_asked(str(error))


def _preview(stack: str, file: str | None) -> Preview:
    if file is None:
        return _run_preview(stack, Path.cwd())
    content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    try:
        return parse(content.decode("utf-8"), stack)
    except UnicodeDecodeError:
        wrong = "it is not UTF-8 (some shells write > as UTF-16); without --preview, the review runs the preview itself"
    except PreviewError as error:
        wrong = str(error)
    raise PreviewError(f"{'stdin' if file == '-' else file}: {wrong}")


def _base(ref: str, stack: str) -> Preview:
    """The preview of another commit, in a checkout of its own that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        checkout = Path(folder) / "base"
        added = _git("worktree", "add", "--detach", str(checkout), ref)
        if added.returncode != 0:
            raise PreviewError(f"there is no checkout of {ref}: {added.stderr.strip()}")
        try:
            (checkout / ".venv").symlink_to(Path(sys.prefix))
            return _run_preview(stack, checkout)
        finally:
            _git("worktree", "remove", "--force", str(checkout))


def _git(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)


def _run_preview(stack: str, folder: Path) -> Preview:
    command = ["pulumi", "preview", "--stack", stack, "--json", "--show-sames", "--non-interactive"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
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
