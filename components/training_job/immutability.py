"""The immutability of a run: an existing run's pod template can only change with the run's name.

A change of a Job's pod template would delete the Job, with the days of training that are in it. It is
rejected instead, in a preview already; a new name makes a new run.
"""

from collections.abc import Iterator
from typing import Any

import pulumi
from pulumi.output import Unknown

from ..base import hooks
from ..base.diff import differences
from ..base.error_table import RUN_IMMUTABLE, RUN_NOT_KEPT
from ..base.errors import ArgumentError
from ..base.objects import Manifest

# Fields of a Job's spec that the API server updates while its pods run.
_MUTABLE_FIELDS = {"Job": {"backoffLimit", "activeDeadlineSeconds", "maxFailedIndexes"}}

_POD_DEADLINE = "spec.activeDeadlineSeconds"


def run_name(name: str, run_id: str | None) -> str:
    """The name of the object that is the run of a TrainingJob."""
    return name if run_id is None else f"{name}-{run_id}"


def immutable_part(manifest: Manifest) -> Manifest:
    """The part of a run's manifest that is immutable while the run exists."""
    mutable = _MUTABLE_FIELDS.get(manifest["kind"], set())
    return {
        "kind": manifest["kind"],
        "metadata": {key: manifest["metadata"][key] for key in ("name", "namespace")},
        "spec": {field: value for field, value in manifest["spec"].items() if field not in mutable},
    }


def with_owner(manifest: Manifest, owner: pulumi.Output[Any]) -> Manifest:
    """The manifest of a run that is deleted with the ConfigMap whose metadata is ``owner``."""
    reference = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "name": owner["name"],
        "uid": owner.apply(lambda metadata: metadata.get("uid")),
        "blockOwnerDeletion": True,
    }
    return {**manifest, "metadata": {**manifest["metadata"], "ownerReferences": [reference]}}


def with_immutability_hook(name: str, opts: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions:
    """A component's options with a hook that rejects changes of an existing run.

    The component's inputs are its run: the engine compares them with those of the last deployment, and
    calls the hook before anything changes, in a preview and without one. The hook is bound to the
    component, which is never replaced or deleted by a change: ``pulumi destroy`` would also run a hook
    on the deletion of the Job, and would then require the program.
    """
    # Hooks have unique names; components of one name have different parents.
    parent = getattr(opts and opts.parent, "pulumi_resource_name", "")
    return hooks.before_update(f"ml-platform:run:{parent}:{name}", _before_update, opts)


async def _before_update(args: pulumi.ResourceHookArgs) -> None:
    old, new = await _without_outputs(args.old_inputs), await _without_outputs(args.new_inputs)
    check_immutable(args.name, old or {}, new or {})


def check_immutable(name: str, old: Manifest, new: Manifest) -> None:
    """Raise ArgumentError if a TrainingJob's new inputs change the existing run, or delete one that is to be kept."""
    old_run, new_run = old.get("run"), new.get("run")
    if old_run is None or new_run is None:
        return
    run = old_run["metadata"]["name"]
    if run != new_run["metadata"]["name"]:
        if new["previousRuns"] == "keep" and old["previousRuns"] != "keep":
            raise ArgumentError(f"TrainingJob {name}", [RUN_NOT_KEPT.problem((), run=run)])
        return
    fields = changed_fields(old_run, new_run)
    rejected = [path for path in fields if not (path == _POD_DEADLINE and _is_lowered(old_run, new_run))]
    if rejected:
        raise ArgumentError(f"TrainingJob {name}", [RUN_IMMUTABLE.problem((), run=run, fields=rejected)])


def _is_lowered(old_run: Manifest, new_run: Manifest) -> bool:
    """Whether a Pod's deadline is set or lowered, which the API server accepts; it rejects a later one, or none."""
    old, new = (run["spec"].get("activeDeadlineSeconds") for run in (old_run, new_run))
    return new is not None and (old is None or new < old)


def changed_fields(old: Manifest, new: Manifest) -> Iterator[str]:
    """The paths of the fields that differ. Values that are unknown before the deployment do not count as different."""
    for difference in differences(old, new, by_index=True, ignore=lambda value: isinstance(value, Unknown)):
        yield difference.path


async def _without_outputs(value: Any) -> Any:
    """A hook's inputs with the values of the Outputs that wrap secrets."""
    if isinstance(value, pulumi.Output):
        return await _without_outputs(await value.future(with_unknowns=True))
    if isinstance(value, dict):
        return {key: await _without_outputs(item) for key, item in value.items()}
    return [await _without_outputs(item) for item in value] if isinstance(value, list) else value
