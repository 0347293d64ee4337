"""Resource hooks: callbacks of the program that the engine calls around its operations.

All hooks of this project reject changes, so they are called in previews, too.
"""

import signal
import threading
from collections.abc import Callable
from typing import Any

import pulumi
from pulumi.runtime.settings import get_monitor

Callback = Callable[[pulumi.ResourceHookArgs], Any]


def supported() -> bool:
    """Whether the engine knows hooks. Pulumi's mocks do not."""
    return hasattr(get_monitor(), "RegisterResourceHook")


def hook(name: str, callback: Callback) -> pulumi.ResourceHook:
    """A hook. Its name is unique in an update."""
    _exit_on_interrupt()
    return pulumi.ResourceHook(name, callback, pulumi.ResourceHookOptions(on_dry_run=True))


def before_update(name: str, callback: Callback, opts: pulumi.ResourceOptions | None = None) -> pulumi.ResourceOptions:
    """A resource's options with a hook that is called before its update, if its inputs have changed."""
    if not supported():
        return opts or pulumi.ResourceOptions()
    binding = pulumi.ResourceHookBinding(before_update=[hook(name, callback)])
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(hooks=binding))


def _exit_on_interrupt() -> None:
    """Let the program end without a traceback when the engine interrupts it, which it does after a hook's error.

    Pulumi's runtime does not handle the interrupt. A program that has a handler of its own keeps it.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
