"""The sandbox's commands; ``make`` dispatches to them.

python -m sandbox up [--stack dev]        bring the stack up on a cluster in .sandbox/
python -m sandbox preview [--stack dev]   show what up would change
python -m sandbox start [--stack dev]     only the cluster, with the stack's nodes
python -m sandbox rollback --service S [--to VERSION] [--stack dev]
                                          put the version that ran before into the stack, and bring it up
python -m sandbox down                    destroy the stack, stop the cluster, free its ports
"""

import argparse
import errno
import shutil
import sys
import time
from pathlib import Path

from operations.rollback import rollback
from sandbox import nodes, servers, store, toolchain
from sandbox.cluster import Cluster
from sandbox.layout import Layout, SandboxError
from sandbox.progress import say, step
from sandbox.stacks import Stacks, check


def main() -> int:
    """Run one of the commands; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["up", "preview", "start", "rollback", "down"])
    parser.add_argument("--stack", default="dev", help="the stack: dev (default) or prod")
    parser.add_argument("--service", help="the model service to roll back")
    parser.add_argument("--to", help="the version to go back to; default: the one that ran before")
    arguments = parser.parse_args()
    if arguments.command == "rollback" and not arguments.service:
        parser.error("rollback needs --service (make rollback SERVICE=...)")
    started = time.monotonic()
    layout = Layout(Path.cwd())
    try:
        with store.locked(layout.root / "lock", "another make is at work in this checkout"):
            if arguments.command == "down":
                down(layout)
            elif arguments.command == "rollback":
                roll_back(layout, arguments.stack, arguments.service, arguments.to or None)
            else:
                run(layout, arguments.command, arguments.stack)
    except SandboxError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        print(f"the disk is full: {error.filename2 or error.filename or layout.root}", file=sys.stderr)
        print("Free some space, then run the same command again.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted: run the same command again to go on", file=sys.stderr)
        return 130
    say(f"{arguments.command}: {time.monotonic() - started:.1f} s in all")
    return 0


def run(layout: Layout, command: str, stack: str) -> None:
    """Start what is missing, then run the command on the stack."""
    pools = check(layout, stack)
    cluster = Cluster(layout, toolchain.install(layout))
    cluster.start()
    stacks = Stacks(layout, cluster.fallen)
    if command == "up":
        stacks.clear_for(stack)
    nodes.sync(layout, pools)
    if command == "up":
        stacks.up(stack)
    elif command == "preview":
        stacks.preview(stack)


def roll_back(layout: Layout, stack: str, service: str, to: str | None) -> None:
    """Roll a service back, in the sandbox where there is one, else where the environment's Pulumi leads."""
    pools = check(layout, stack)
    if not layout.cluster.exists():
        if shutil.which("pulumi") is None:
            raise SandboxError("nothing is up here: make up first")
        say("no sandbox is up: using the Pulumi backend and the cluster of the environment")
        rollback(layout, Stacks(layout, list, elsewhere=True), stack, service, to)
        return
    cluster = Cluster(layout, toolchain.install(layout))
    cluster.start()
    nodes.sync(layout, pools)
    rollback(layout, Stacks(layout, cluster.fallen), stack, service, to)


def down(layout: Layout) -> None:
    """Destroy the stacks and stop all that was started; nothing to do is fine."""
    cluster = Cluster(layout, layout.cluster / "none.yaml")
    if not layout.cluster.exists() and not servers.running(layout.root):
        say("there is nothing to take down")
        return
    stacks = Stacks(layout, cluster.fallen)
    if cluster.running():
        for stack in stacks.deployed():
            stacks.destroy(stack)
    elif stacks.deployed():
        say("the cluster is not running: the stack's objects are deleted with its data")
    with step("cluster: stop and delete"):
        cluster.remove()


if __name__ == "__main__":
    sys.exit(main())
