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
from sandbox.layout import Layout
from sandbox.nodes import NodePools
from sandbox.progress import log, step


def main() -> int:
    """Run a command, and return its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["start", "stop"])
    parser.add_argument(
        "--node-pools",
        type=argparse.FileType(encoding="utf-8"),
        metavar="FILE",
        help="node pools to create nodes for, - for standard input; default: no nodes",
    )
    arguments = parser.parse_args()
    layout = Layout(Path.cwd())
    if arguments.command == "stop":
        return command.run("stop", layout, lambda: stop(layout))
    pools = json.load(arguments.node_pools) if arguments.node_pools else {}
    return command.run("start", layout, lambda: start(layout, pools))


def start(layout: Layout, pools: NodePools) -> None:
    """Start the cluster if it is not running, with the nodes of the node pools."""
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


if __name__ == "__main__":
    sys.exit(main())
