"""A namespace that somebody else has made is not taken over unasked.

Providers before 4.29 create with server-side apply, which changes an object that exists already as
readily as it makes a new one; the namespace would be the stack's from then on, and be deleted with it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pulumi
from pulumi.runtime.settings import get_monitor

# Times of the API server are in whole seconds.
_AT_ONCE = timedelta(seconds=2)


def existed(metadata: Mapping[str, Any]) -> bool:
    """Whether an object that was just created had been there before, made by other means than Pulumi's.

    An object that Pulumi made has fields from it that are as old as itself. One that an interrupted
    run left, or that was retained, is Pulumi's own and may come back.
    """
    managers = metadata.get("managedFields")
    if not managers or "creationTimestamp" not in metadata:
        return False  # a provider that does not tell
    made = datetime.fromisoformat(metadata["creationTimestamp"])
    return not any(
        entry["manager"].startswith("pulumi-kubernetes")
        and "time" in entry  # a manager that changed nothing has none
        and abs(datetime.fromisoformat(entry["time"]) - made) <= _AT_ONCE
        for entry in managers
    )


class Guard:
    """Refuses, in a preview already, to take for a new namespace one that exists."""

    def __init__(self, component: str, namespace: str) -> None:
        self._component, self._namespace = component, namespace
        self._found = False

    def options(self, of_component: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions:
        """The options of the namespace: a hook that looks at what was created."""
        if not hasattr(get_monitor(), "RegisterResourceHook"):  # Pulumi's mocks know no hooks
            return pulumi.ResourceOptions()
        # The engine wants a name for each; components of one name have different parents.
        above = getattr(of_component and of_component.parent, "pulumi_resource_name", "")
        name = f"ml-platform:adoption:{above}:{self._component}"
        hook = pulumi.ResourceHook(name, self._look, pulumi.ResourceHookOptions(on_dry_run=True))
        return pulumi.ResourceOptions(hooks=pulumi.ResourceHookBinding(after_create=[hook]))

    async def _look(self, args: pulumi.ResourceHookArgs) -> None:
        # An error of a hook that comes after is a warning only: the refusal is check()'s.
        self._found = existed((args.new_outputs or {}).get("metadata") or {})

    def check(self, metadata: dict[str, Any]) -> dict[str, Any]:
        """The namespace's metadata; raises RunError where it is somebody else's."""
        if self._found:
            raise pulumi.RunError(
                f"TeamNamespace {self._component}: namespace {self._namespace} exists already, and whoever made it may "
                "count on it: as a part of the stack it would be deleted with the stack.\n"
                "  Set adopt: true to take it over and keep it, or choose another name. If pulumi up has run without "
                "a preview, it is a part of the stack already: set adopt: true before anything else."
            )
        return metadata
