"""Start and stop the disposable cluster of this checkout, in .sandbox/.

python -m sandbox start [--node-pools FILE]   install the toolchain, start the cluster, create its nodes
python -m sandbox stop                        stop the cluster, and delete it with the state of its stacks

The node pools are JSON, as `python -m config check STACK` prints them:

python -m config check dev | python -m sandbox start --node-pools -
"""

import argparse
import json
import sys
from pathlib import Path

from sandbox import command, nodes, toolchain
from sandbox.cluster import Cluster
from sandbox.layout import Layout, SandboxError
from sandbox.nodes import NodePools
from sandbox.progress import log, step


def main() -> int:
    """Run a command, and return its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["start", "stop"])
    parser.add_argument(
        "--node-pools", metavar="FILE", help="node pools to create nodes for, - for standard input; default: no nodes"
    )
    arguments = parser.parse_args()
    layout = Layout(Path.cwd())
    if arguments.command == "stop":
        return command.run("stop", layout, lambda: stop(layout))
    return command.run("start", layout, lambda: start(layout, arguments.node_pools))


def start(layout: Layout, pools_file: str | None) -> None:
    """Start the cluster if it is not running, with the nodes of the node pools in a file."""
    pools = _read(pools_file) if pools_file is not None else {}
    Cluster(layout, toolchain.install(layout)).start()
    nodes.sync(layout, pools)


def stop(layout: Layout) -> None:
    """Stop the cluster and delete it. Does nothing if there is none."""
    cluster = Cluster(layout)
    if not cluster.exists():
        log("cluster: not running")
        return
    with step("cluster: stop and delete"):
        cluster.remove()


def _read(pools_file: str) -> NodePools:
    try:
        text = sys.stdin.read() if pools_file == "-" else Path(pools_file).read_text(encoding="utf-8")
        pools: NodePools = json.loads(text)
    except (OSError, ValueError) as error:
        raise SandboxError(f"--node-pools: {error}\n  write them with: python -m config check STACK") from None
    return pools


if __name__ == "__main__":
    sys.exit(main())
