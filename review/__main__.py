"""Reviews a change of a stack, or explains why an update has failed.

python -m review --stack prod                      run pulumi preview, and review it
python -m review --stack prod --base main          list separately what the commit main would change already
python -m review --stack prod --preview FILE       review the output of pulumi preview --json --show-sames (-: stdin)
python -m review --stack prod --twin               try it on a twin, a disposable copy of the cluster, as well
python -m review snapshot --stack prod --snapshot FILE            write a snapshot of the cluster to a file
python -m review --stack prod --offline --twin --snapshot FILE    use it for the twin, without access to the cluster
python -m review explain --stack prod              diagnose a failed update

Exit status: 0; 1 if the change would fail or is denied, or the stack has failures; 2 if that cannot be determined.
"""

import argparse
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from review import explain, messages, render, twin_messages
from review.cluster.checks import check
from review.cluster.kubeconfig import kubeconfig
from review.cluster.kubectl import Cluster, ClusterError, UnansweredError
from review.cluster.live_state import with_live_state
from review.cluster.report import Report, not_queried
from review.gpus import NodePools
from review.messages import counted
from review.preview import Preview, PreviewError
from review.review import Review, review
from review.stack import (
    CommandError,
    cluster_config,
    node_pools_of_stack,
    preview_of_commit,
    preview_of_stack,
    read_preview,
)
from review.twin import snapshot
from review.twin.report import TwinReport
from review.twin.snapshot import Snapshot, SnapshotError


def main() -> int:
    """Run a command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m review", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", nargs="?", choices=["page", "explain", "snapshot"], default="page")
    parser.add_argument("--stack", required=True, help="name of the stack")
    parser.add_argument("--preview", metavar="FILE", help="output of pulumi preview --json --show-sames; -: stdin")
    parser.add_argument("--base", metavar="REF", help="the commit that the change is based on")
    parser.add_argument("--format", choices=list(render.FORMATS), default="text")
    parser.add_argument("--offline", action="store_true", help="do not query the cluster")
    parser.add_argument("--twin", action="store_true", help="try the change on a disposable copy of the cluster")
    parser.add_argument("--snapshot", metavar="FILE", type=Path, help="a snapshot of the cluster for the twin")
    arguments = parser.parse_args()
    _check(parser, arguments)
    try:
        if arguments.command == "snapshot":
            _write_snapshot(arguments.stack, arguments.snapshot)
            return 0
        if arguments.command == "explain":
            diagnoses = explain.explain(explain.read(arguments.stack))
            sys.stdout.write(explain.FORMATS[arguments.format](arguments.stack, diagnoses))
            return 1 if diagnoses else 0
        given = arguments.preview
        preview = read_preview(given, arguments.stack) if given else preview_of_stack(arguments.stack, Path.cwd())
        base = preview_of_commit(arguments.base, arguments.stack) if arguments.base else None
        pools = node_pools_of_stack(arguments.stack)
        copied = snapshot.read(arguments.snapshot) if arguments.snapshot else None
    except ClusterError as error:
        print(error.details, file=sys.stderr)
        return 2
    except (PreviewError, CommandError, SnapshotError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    report = None
    if not arguments.offline and not preview.errors:
        preview, report = _checked(preview)
    result = _reviewed(preview, pools, report, base, twin=arguments.twin, copied=copied)
    sys.stdout.write(render.FORMATS[arguments.format](result))
    return 1 if result.verdict == "blocked" else 0


def _check(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    """Exit with an error if arguments do not go together."""
    if arguments.command == "explain" and arguments.format not in explain.FORMATS:
        parser.error(f"argument --format: explain supports {' and '.join(explain.FORMATS)}")
    if arguments.command == "snapshot" and not arguments.snapshot:
        parser.error("the command snapshot requires --snapshot FILE, the file to write")
    if arguments.command == "page" and arguments.snapshot and not arguments.twin:
        parser.error("argument --snapshot: requires --twin")
    if arguments.twin and arguments.offline and not arguments.snapshot:
        parser.error("argument --twin: requires --snapshot FILE with --offline")


def _write_snapshot(stack: str, file: Path) -> None:
    found = _snapshot(cluster_config(stack))
    snapshot.write(found, file)
    print(f"{file}: {counted(len(found.objects), 'object')} of Kubernetes {found.version}")
    for note in found.notes:
        print(f"Not included: {note}")


def _reviewed(
    preview: Preview,
    pools: NodePools,
    report: Report | None,
    base: Preview | None,
    *,
    twin: bool,
    copied: Snapshot | None,
) -> Review:
    """The review of a preview, with ``twin`` of a trial of the change and of its effects on the whole cluster, too.

    ``copied`` is a snapshot that was written earlier.
    """
    today = datetime.now(UTC).date()
    if not twin or preview.errors:
        return review(preview, pools, today, report=report, base=base)
    # Imported here: it needs packages that only the sandbox uses.
    from review.twin.run import run

    try:
        read = copied or _snapshot(preview.config)
    except ClusterError as error:
        notes = (twin_messages.TWIN_NOT_STARTED(reason=messages.UNREACHABLE(error=error)),)
        return review(preview, pools, today, report=report, base=base, twin=TwinReport(notes=notes))
    tried = run(preview, read, pools, Path.cwd())
    return review(
        preview, pools, today, report=report, base=base, twin=tried, live=read.objects, unreadable=read.unread_kinds
    )


def _snapshot(config: Mapping[str, str]) -> Snapshot:
    """A snapshot of the cluster that a stack's configuration names."""
    with kubeconfig(config) as file:
        return snapshot.take(Cluster(config.get("kubernetes:context"), file))


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
