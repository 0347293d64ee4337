"""Deploy, preview, roll back and destroy stacks. `make` dispatches to these commands.

python -m operations up [--stack dev]        deploy the stack to the cluster in .sandbox/
python -m operations preview [--stack dev]   show what up would change
python -m operations rollback --service NAME [--to VERSION] [--stack dev]
                                             restore an earlier version of a model service, and deploy the stack
python -m operations down                    destroy the stacks, and stop and delete the cluster
"""

import argparse
import shutil
import sys
from pathlib import Path
from typing import Any

from config import StackError, load_file
from operations.file_backend import FileBackend
from operations.pulumi_cli import OperationError, PulumiCli
from operations.rollback import rollback
from sandbox import command, nodes, toolchain
from sandbox.cluster import Cluster
from sandbox.layout import Layout
from sandbox.progress import log, step

OWNERSHIP_POLICY = Path("config/ownership-policy.yaml")
"""The admission policy that the administrator of a cluster installs."""


def main() -> int:
    """Run a command, and return its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m operations", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["up", "preview", "rollback", "down"])
    parser.add_argument("--stack", default="dev", help="the stack: dev (default) or prod")
    parser.add_argument("--service", help="the model service to roll back")
    parser.add_argument(
        "--to",
        help="the version to roll back to: a model version, an image, an image tag or the number of an update; "
        "default: the last one deployed before the current version",
    )
    arguments = parser.parse_args()
    if arguments.command == "rollback" and not arguments.service:
        parser.error("rollback requires --service (make rollback SERVICE=...)")
    layout, stack = Layout(Path.cwd()), arguments.stack
    actions = {
        "up": lambda: up(layout, stack),
        "preview": lambda: preview(layout, stack),
        "rollback": lambda: roll_back(layout, stack, arguments.service, arguments.to or None),
        "down": lambda: down(layout),
    }
    return command.run(arguments.command, layout, actions[arguments.command], OperationError, StackError)


def up(layout: Layout, stack: str) -> None:
    """Deploy a stack to the sandbox, which it starts first. Another stack in the sandbox is destroyed."""
    pools = _node_pools(layout, stack)
    cluster = _started(layout)
    pulumi = _pulumi(layout, cluster)
    for other in FileBackend(layout.state).deployed():
        if other != stack:
            log(f"stack {other}: destroying it: the cluster's nodes are those of one stack at a time")
            pulumi.destroy(other)
    nodes.sync(layout, pools)
    pulumi.up(stack)


def preview(layout: Layout, stack: str) -> None:
    """Show what ``up`` would change in the sandbox, which it starts first."""
    pools = _node_pools(layout, stack)
    cluster = _started(layout)
    nodes.sync(layout, pools)
    _pulumi(layout, cluster).preview(stack)


def roll_back(layout: Layout, stack: str, service: str, to: str | None) -> None:
    """Roll a model service back, in the sandbox if there is one, otherwise with the environment's settings."""
    pools = _node_pools(layout, stack)
    if layout.cluster.exists():
        cluster = _started(layout)
        nodes.sync(layout, pools)
        pulumi = _pulumi(layout, cluster)
    elif shutil.which("pulumi") is not None:
        log("no sandbox is running: using the Pulumi backend and the cluster of the environment")
        pulumi = PulumiCli(layout.project)
    else:
        raise OperationError("no sandbox is running, and pulumi is not on PATH: run make up first")
    rollback(layout.project, pulumi, stack, service, to)


def down(layout: Layout) -> None:
    """Destroy all stacks in the sandbox, and stop and delete the cluster. Does nothing if there is none."""
    cluster = Cluster(layout)
    if not cluster.exists():
        log("cluster: not running")
        return
    pulumi = _pulumi(layout, cluster)
    stacks = FileBackend(layout.state).deployed()
    if cluster.running():
        for stack in stacks:
            pulumi.destroy(stack)
    elif stacks:
        log(f"cluster: not running: deleting it with the objects of {', '.join(stacks)}")
    with step("cluster: stop and delete"):
        cluster.remove()


def _node_pools(layout: Layout, stack: str) -> dict[str, dict[str, Any]]:
    """The node pools of a stack. Raises StackError for an invalid stack, before anything is built or started."""
    settings = load_file(stack, layout.project)
    return {name: pool.model_dump(by_alias=True, mode="json") for name, pool in settings.node_pools.items()}


def _started(layout: Layout) -> Cluster:
    cluster = Cluster(layout, toolchain.install(layout))
    cluster.start()
    nodes.kubectl(layout, "apply", "-f", str(layout.project / OWNERSHIP_POLICY))
    return cluster


def _pulumi(layout: Layout, cluster: Cluster) -> PulumiCli:
    return PulumiCli(
        layout.project,
        layout.environment(),
        backend=FileBackend(layout.state),
        stopped_servers=cluster.stopped,
    )


if __name__ == "__main__":
    sys.exit(main())
