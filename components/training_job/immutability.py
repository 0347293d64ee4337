"""A run: what a TrainingJob starts once, and what does not change while it exists.

A change of the pods of a Job can only be made by deleting it, with the days of training that are
in it. It is refused here, by a preview already; a new name makes a new run.
"""

from collections.abc import Iterator
from typing import Any

import pulumi
from pulumi.output import Unknown
from pulumi.runtime.settings import get_monitor

from ..base.diff import differences
from ..base.registration import Manifest

# Fields of a Job that the API server lets change while its pods run.
_CHANGES_IN_PLACE = {"Job": {"backoffLimit", "activeDeadlineSeconds", "maxFailedIndexes"}}

_POD_DEADLINE = "spec.activeDeadlineSeconds"


def run_name(name: str, run_id: str | None) -> str:
    """The name of the object that is the run of a component."""
    return name if run_id is None else f"{name}-{run_id}"


def run_of(manifest: Manifest) -> Manifest:
    """The part of a manifest that cannot change while the run exists."""
    kept = _CHANGES_IN_PLACE.get(manifest["kind"], set())
    return {
        "kind": manifest["kind"],
        "metadata": {key: manifest["metadata"][key] for key in ("name", "namespace")},
        "spec": {field: value for field, value in manifest["spec"].items() if field not in kept},
    }


def owned(manifest: Manifest, owner: pulumi.Output[Any]) -> Manifest:
    """The manifest of a run that lives until the ConfigMap with the metadata ``owner`` is deleted."""
    reference = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "name": owner["name"],
        "uid": owner.apply(lambda metadata: metadata.get("uid")),
        "blockOwnerDeletion": True,
    }
    return {**manifest, "metadata": {**manifest["metadata"], "ownerReferences": [reference]}}


def guarded(name: str, opts: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions:
    """A component's options with a hook that refuses to change a run that exists.

    The component's own inputs are its run: the engine compares them with those of the last
    deployment, and calls the hook before anything is changed, in a preview and without one. It is
    bound to the component, for which nothing is ever replaced or deleted: a hook on the deletion of
    the Job would be asked for by ``pulumi destroy`` as well, which then needs the program.
    """
    own = opts or pulumi.ResourceOptions()
    if not hasattr(get_monitor(), "RegisterResourceHook"):  # Pulumi's mocks know no hooks
        return own
    # The engine wants a name for each; components of one name have different parents.
    parent = getattr(own.parent, "pulumi_resource_name", "")
    hook = pulumi.ResourceHook(
        f"ml-platform:run:{parent}:{name}", _refuse_change, pulumi.ResourceHookOptions(on_dry_run=True)
    )
    hooks = pulumi.ResourceHookBinding(before_update=[hook])
    return pulumi.ResourceOptions.merge(own, pulumi.ResourceOptions(hooks=hooks))


async def _refuse_change(args: pulumi.ResourceHookArgs) -> None:
    old, new = await _plain(args.old_inputs), await _plain(args.new_inputs)
    refuse_change(args.name, old or {}, new or {})


def refuse_change(name: str, old: Manifest, new: Manifest) -> None:
    """Raise ValueError where the inputs of a component change the run that exists."""
    was, now = old.get("run"), new.get("run")
    if was is None or now is None:
        return
    if was["metadata"]["name"] != now["metadata"]["name"]:
        if new["previousRuns"] == "keep" and old["previousRuns"] != "keep":
            raise ValueError(
                f"TrainingJob {name}: run {was['metadata']['name']} would be deleted, since it was deployed without "
                "previousRuns: keep. Deploy that first, then the new runId."
            )
        return
    fields = [path for path in changed_fields(was, now) if not (path == _POD_DEADLINE and _comes_sooner(was, now))]
    if fields:
        raise ValueError(
            f"TrainingJob {name}: run {was['metadata']['name']} exists, and a run is not changed under its feet: "
            f"{', '.join(fields)} would change. A new runId (run_id in Python) starts a new run after this "
            "one, or beside it with previousRuns: keep. Or take the change back."
        )


def _comes_sooner(was: Manifest, now: Manifest) -> bool:
    """Whether a Pod's deadline is set or lowered, which the API server lets it be; it cannot be raised or removed."""
    old, new = (run["spec"].get("activeDeadlineSeconds") for run in (was, now))
    return new is not None and (old is None or new < old)


def changed_fields(old: Manifest, new: Manifest) -> Iterator[str]:
    """The paths of the fields that differ; a value that is unknown before deployment counts as unchanged."""
    for difference in differences(old, new, by_index=True, ignore=lambda value: isinstance(value, Unknown)):
        yield difference.path


async def _plain(value: Any) -> Any:
    """Inputs as the hook gets them, without the Outputs that secrets are wrapped in."""
    if isinstance(value, pulumi.Output):
        return await _plain(await value.future(with_unknowns=True))
    if isinstance(value, dict):
        return {key: await _plain(item) for key, item in value.items()}
    return [await _plain(item) for item in value] if isinstance(value, list) else value
