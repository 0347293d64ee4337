"""Plays the steps of a preview against the twin, as the engine and the Kubernetes provider would."""

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from components.base.objects import Manifest, target
from review import twin_messages as messages
from review.messages import Message
from review.preview import UNKNOWN_TEXT, Preview, Step
from review.twin.awaits import is_awaited, is_done, timeout
from review.twin.client import ApiError, Client
from review.twin.inputs import Known, known
from review.twin.observe import Recorder
from review.twin.owners import Key, key
from review.twin.text import duration
from review.twin.timing import Timing

_MANAGER, _FORCE = "pulumi.com/patchFieldManager", "pulumi.com/patchForce"
_PROPAGATION = "pulumi.com/deletionPropagationPolicy"
# Real seconds for which a step waits for the steps that it depends on, and a replacement for the old object.
_SETTLE, _GONE = 20.0, 5.0
# Real seconds for which a new kind is looked up: the API server serves it shortly after its definition is created.
_KIND = 3.0
# Finalizers that controllers in the twin remove, once nothing uses the object.
_OWN_FINALIZERS = ("kubernetes.io/", "foregroundDeletion", "orphan")


# Kinds that run controllers.
_CONTROLLERS = {"Deployment", "StatefulSet", "DaemonSet"}


@dataclass(frozen=True)
class Played:
    """A step that was applied."""

    step: Step
    manifest: Manifest
    """The object as it was applied."""

    manager: str
    force: bool
    omitted: tuple[str, ...] = ()


@dataclass
class Play:
    """What happened to the steps."""

    applied: list[Played] = field(default_factory=list)
    deleted: list[Manifest] = field(default_factory=list)
    unready: dict[Key, float] = field(default_factory=dict)
    """Objects that are still not ready → the timeout in seconds after which the update fails."""

    messages: list[Message] = field(default_factory=list)

    def touched(self) -> set[Key]:
        """The objects that steps change."""
        return {key(one.manifest) for one in self.applied} | {key(one) for one in self.deleted}


class Player:
    """Plays one preview."""

    def __init__(self, client: Client, recorder: Recorder, timing: Timing) -> None:
        self._client, self._recorder, self._timing = client, recorder, timing
        self._by_urn: dict[str, Played] = {}
        classes = client.list("storage.k8s.io/v1", "StorageClass")[0]
        self._bound_later = {
            one["metadata"]["name"] for one in classes if one.get("volumeBindingMode") == "WaitForFirstConsumer"
        }
        self._default = next((one["metadata"]["name"] for one in classes if _is_default(one)), "")
        self.result = Play()

    def play(self, preview: Preview) -> Play:
        """Play all steps: the changes in the engine's order, then the deletions."""
        steps = [step for step in preview.steps if step.is_change]
        for step in steps:
            if step.op == "delete":
                continue
            self._wait_for(step)
            if step.op == "replace" and not step.created_first and step.before is not None:
                self._delete(step, step.before)
                self._wait_until_gone(step.before)
            if step.after is not None:
                self._apply(step, step.after)
        self._recorder.settle(_SETTLE, lambda: not self._unready())
        for step in steps:
            if step.before is not None and (step.op == "delete" or (step.op == "replace" and step.created_first)):
                self._delete(step, step.before)
        self._recorder.settle(_SETTLE)
        self.result.unready = {key(one.manifest): _timeout(one) for one in self._unready()}
        self.result.messages += self._stuck()
        return self.result

    def _wait_for(self, step: Step) -> None:
        """Wait until the resources that a step depends on are ready, or will not become ready."""
        needed = [self._by_urn[urn] for urn in step.dependencies if urn in self._by_urn]
        self._recorder.settle(_SETTLE, lambda: all(map(self._is_done, needed)))

    def _unready(self) -> list[Played]:
        return [one for one in self.result.applied if not self._is_done(one)]

    def _is_done(self, played: Played) -> bool:
        manifest = played.manifest
        if not is_awaited(manifest) or _is_patch(played.step):
            return True
        metadata = manifest["metadata"]
        live = self._recorder.get(key(manifest)) or self._client.get(manifest)
        if live is None:
            return True  # deleted by a later step
        samples = self._recorder.samples.get((metadata.get("namespace", "default"), metadata["name"]))
        return is_done(live, samples[-1].ready if samples else 0, self._is_bound_later(live))

    def _is_bound_later(self, claim: Manifest) -> bool:
        """Whether a claim is bound only when a pod uses it."""
        if claim["kind"] != "PersistentVolumeClaim":
            return False
        name = (claim.get("spec") or {}).get("storageClassName")
        return (self._default if name is None else name) in self._bound_later

    def _apply(self, step: Step, after: Manifest) -> None:
        name = target(after)
        try:
            objects = list(_expanded(after))
        except _NameUnknownError:
            self.result.messages.append(messages.NOT_PLAYED(target=name, reason=messages.NAME_UNKNOWN()))
            return
        for manifest in objects:
            self._apply_one(step, manifest)

    def _apply_one(self, step: Step, after: Manifest) -> None:
        found = Known(after, ())
        try:
            self._wait_for_kind(after)
            current = self._client.get(after)
            if _is_patch(step) and current is None:
                self.result.messages.append(messages.PATCH_WITHOUT_OBJECT(target=target(after)))
                return
            found = known(after, current)
            played = Played(
                step, self._timing.scaled(found.manifest), _manager(step, after), _force(after), found.omitted
            )
            self._client.apply(played.manifest, played.manager, force=played.force)
        except ApiError as error:
            fields = ", ".join(found.omitted)
            self.result.messages.append(
                messages.REJECTED_WITHOUT(target=target(after), fields=fields, error=error)
                if fields
                else messages.APPLY_REJECTED(target=target(after), error=error)
            )
            return
        if found.omitted:
            fields = ", ".join(found.omitted)
            self.result.messages.append(messages.PLAYED_WITHOUT(target=target(after), fields=fields))
        self._recorder.touch()
        self.result.applied.append(played)
        self._by_urn[step.urn] = played

    def _wait_for_kind(self, manifest: Manifest) -> None:
        """Wait until the API server serves a kind whose definition has been applied."""
        group = str(manifest["apiVersion"]).rpartition("/")[0]
        defined = any(
            one.manifest["kind"] == "CustomResourceDefinition" and one.manifest["spec"]["group"] == group
            for one in self.result.applied
        )
        end = time.monotonic() + (_KIND if defined else 0)
        while True:
            try:
                self._client.path(manifest)
            except ApiError:
                if time.monotonic() >= end:
                    raise
                time.sleep(0.1)
            else:
                return

    def _delete(self, step: Step, before: Manifest) -> None:
        if step.retained:
            return
        try:
            if _is_patch(step):  # gives up the ownership of its fields
                metadata = {
                    name: before["metadata"][name] for name in ("name", "namespace") if name in before["metadata"]
                }
                empty = {"apiVersion": before["apiVersion"], "kind": before["kind"], "metadata": metadata}
                self._client.apply(empty, _manager(step, before))
                return
            annotations = before["metadata"].get("annotations") or {}
            self._client.delete(before, str(annotations.get(_PROPAGATION) or "foreground").capitalize())
            self._recorder.touch()
            self.result.deleted.append(before)
        except ApiError as error:
            if error.status != 404:
                self.result.messages.append(messages.DELETE_REJECTED(target=target(before), error=error))
        except KeyError:
            self.result.messages.append(messages.NOT_PLAYED(target=target(before), reason=messages.NAME_UNKNOWN()))

    def _wait_until_gone(self, manifest: Manifest) -> None:
        self._recorder.wait(lambda: self._current(manifest) is None, _GONE)

    def _current(self, manifest: Manifest) -> Manifest | None:
        try:
            return self._client.get(manifest)
        except ApiError:  # its kind is gone, too
            return None

    def _stuck(self) -> Iterator[Message]:
        """The deleted objects that still exist, because of a finalizer."""
        applied = {key(one.manifest) for one in self.result.applied}
        workloads = ", ".join(target(one) for one in self.result.deleted if one["kind"] in _CONTROLLERS)
        for manifest in self.result.deleted:
            live = self._current(manifest)
            if live is None or "deletionTimestamp" not in live["metadata"]:
                continue
            finalizers = [
                *(live["metadata"].get("finalizers") or []),
                *((live.get("spec") or {}).get("finalizers") or []),
            ]
            names = ", ".join(finalizers)
            if key(manifest) in applied or any(name.startswith(_OWN_FINALIZERS) for name in finalizers):
                yield messages.DELETE_STUCK(target=target(live), finalizers=names, timeout=duration(600))
            elif workloads:
                yield messages.DELETE_WITHOUT_CONTROLLER(target=target(live), finalizers=names, workloads=workloads)
            else:
                yield messages.DELETE_NEEDS_CONTROLLER(target=target(live), finalizers=names)


def _is_default(storage_class: Manifest) -> bool:
    annotations = storage_class["metadata"].get("annotations") or {}
    return annotations.get("storageclass.kubernetes.io/is-default-class") == "true"


class _NameUnknownError(Exception):
    """The name of an object is unknown before the update."""


def _expanded(manifest: Manifest) -> Iterator[Manifest]:
    """An object, or the items of a list. Raises _NameUnknownError."""
    if manifest["kind"].endswith("List") and isinstance(manifest.get("items"), list):
        for item in manifest["items"]:
            kind = manifest["kind"].removesuffix("List")
            yield from _expanded({"apiVersion": manifest["apiVersion"], **({"kind": kind} if kind else {}), **item})
        return
    metadata = manifest.get("metadata")
    if (
        not isinstance(metadata, dict)
        or not metadata.get("name")
        or UNKNOWN_TEXT in (metadata["name"], metadata.get("namespace"))
    ):
        raise _NameUnknownError
    yield manifest


def _is_patch(step: Step) -> bool:
    """Whether a step is that of a patch resource, such as DeploymentPatch, which changes an object of another owner."""
    return step.type.rpartition(":")[2] == f"{step.manifest['kind']}Patch"


def _manager(step: Step, manifest: Manifest) -> str:
    """The field manager that the provider uses: an annotation sets it, or it was generated for the resource."""
    annotations = (manifest.get("metadata") or {}).get("annotations") or {}
    generated = hashlib.sha256(step.urn.encode()).hexdigest()[:8]
    return str(annotations.get(_MANAGER) or step.field_manager or f"pulumi-kubernetes-{generated}")


def _force(manifest: Manifest) -> bool:
    annotations = (manifest.get("metadata") or {}).get("annotations") or {}
    return str(annotations.get(_FORCE, "")).lower() == "true"


def _timeout(played: Played) -> float:
    operation = "update" if played.step.op == "update" else "create"
    return timeout(played.manifest, played.step.timeouts, operation)
