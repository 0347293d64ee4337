"""Reviews a change of a stack, or explains why an update has failed.

python -m review --stack prod                      run pulumi preview, and review it
python -m review --stack prod --base main          list separately what the commit main would change already
python -m review --stack prod --preview FILE       review the output of pulumi preview --json --show-sames (-: stdin)
python -m review explain --stack prod              diagnose a failed update

Exit status: 0; 1 if the change would fail or is denied, or the stack has failures; 2 if that cannot be determined.
"""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from review import explain, render
from review.cluster.checks import check
from review.cluster.kubeconfig import kubeconfig
from review.cluster.kubectl import Cluster, ClusterError, UnansweredError
from review.cluster.live_state import with_live_state
from review.cluster.report import Report, not_queried
from review.preview import Preview, PreviewError
from review.review import review
from review.stack import CommandError, node_pools_of_stack, preview_of_commit, preview_of_stack, read_preview


def main() -> int:
    """Run a command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m review", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", nargs="?", choices=["page", "explain"], default="page")
    parser.add_argument("--stack", required=True, help="name of the stack")
    parser.add_argument("--preview", metavar="FILE", help="output of pulumi preview --json --show-sames; -: stdin")
    parser.add_argument("--base", metavar="REF", help="the commit that the change is based on")
    parser.add_argument("--format", choices=list(render.FORMATS), default="text")
    parser.add_argument("--offline", action="store_true", help="do not query the cluster")
    arguments = parser.parse_args()
    if arguments.command == "explain" and arguments.format not in explain.FORMATS:
        parser.error(f"argument --format: explain supports {' and '.join(explain.FORMATS)}")
    try:
        if arguments.command == "explain":
            diagnoses = explain.explain(explain.read(arguments.stack))
            sys.stdout.write(explain.FORMATS[arguments.format](arguments.stack, diagnoses))
            return 1 if diagnoses else 0
        given = arguments.preview
        preview = read_preview(given, arguments.stack) if given else preview_of_stack(arguments.stack, Path.cwd())
        base = preview_of_commit(arguments.base, arguments.stack) if arguments.base else None
        pools = node_pools_of_stack(arguments.stack)
    except ClusterError as error:
        print(error.details, file=sys.stderr)
        return 2
    except (PreviewError, CommandError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    report = None
    if not arguments.offline and not preview.errors:
        preview, report = _checked(preview)
    result = review(preview, pools, datetime.now(UTC).date(), report=report, base=base)
    sys.stdout.write(render.FORMATS[arguments.format](result))
    return 1 if result.verdict == "blocked" else 0


def _checked(preview: Preview) -> tuple[Preview, Report]:
    """The preview with live objects, and the report of the checks against the cluster; or why there is none."""
    try:
        with kubeconfig(preview.config) as file:
            cluster = Cluster(preview.config.get("kubernetes:context"), file)
            cluster.reach()
            preview = with_live_state(preview, cluster)
            return preview, check(preview, cluster)
    except UnansweredError as error:
        return preview, not_queried(str(error))


sys.exit(main())
