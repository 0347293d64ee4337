"""Every object has one owner: the component of one stack of one project.

The owner is written on the object, and is the field manager of its server-side apply. An object that
another owner has made therefore conflicts at the API server, which then changes nothing; a retry of the
same owner, after an interrupted update for instance, goes on. A preview does not see such a conflict, since
the provider forces its dry runs. It sees the field managers that the object would have, which name the
other owner: a hook compares them, and the preview fails.
"""

import hashlib
import uuid
import weakref
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.runtime.settings import get_monitor

from . import hooks
from .error_table import ADOPTED_CONTAINERS, IMMUTABLE_OBJECT, OWNED_BY_COMPONENT, OWNED_BY_NO_COMPONENT, OWNED_BY_STACK
from .errors import ErrorKind
from .objects import Manifest, containers, pod_templates, target

OWNER = "ml-platform/owner"
"""The annotation with the owner: ``<project>/<stack>/<component type>/<component name>/<role>``."""

FIELD_MANAGER = "pulumi.com/patchFieldManager"
"""The annotation from which the provider takes the name of its field manager."""

ADOPT = {"ml-platform/adopt": "true"}
"""The annotation of an object that may have existed before, and that is not deleted with its stack."""

# An object keeps the owner that made it: a component that is renamed by an alias, or moved to another stack,
# does not touch its objects.
IGNORED_CHANGES = [f'metadata.annotations["{key}"]' for key in (OWNER, FIELD_MANAGER)]

# Kubernetes' own limit for the name of a field manager.
_LONGEST_MANAGER = 128
_PREFIX = "ml-platform:"


@dataclass(frozen=True)
class Owner:
    """A component of a stack, and which of its objects."""

    project: str
    stack: str
    kind: str
    """The component's type: ``ModelService``."""

    name: str
    role: str
    """The role of the object in the component: ``service``."""

    def __str__(self) -> str:
        return f"{self.project}/{self.stack}/{self.kind}/{self.name}/{self.role}"

    @property
    def manager(self) -> str:
        """The field manager of the owner's objects."""
        name = f"{_PREFIX}{self}"
        if len(name) <= _LONGEST_MANAGER:
            return name
        return f"{name[: _LONGEST_MANAGER - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"

    def of(self, manifest: Manifest) -> dict[str, Any]:
        """The manifest with its owner."""
        metadata = manifest["metadata"]
        annotations = {**metadata.get("annotations", {}), OWNER: str(self), FIELD_MANAGER: self.manager}
        return {**manifest, "metadata": {**metadata, "annotations": annotations}}


def owner_of(component: pulumi.ComponentResource, role: str) -> Owner:
    """The owner of a component's object."""
    kind = component.pulumi_resource_type.rpartition(":")[2]
    return Owner(pulumi.get_project(), pulumi.get_stack(), kind, component.pulumi_resource_name, role)


@dataclass(frozen=True)
class Conflict:
    """An object that a component must not create: it is there already, and belongs to another owner."""

    target: str
    """The object: ``Deployment ml-serving/bert``."""

    kind: ErrorKind
    context: Mapping[str, str]
    """Fills the message and the fix of the kind."""


def conflict(inputs: Manifest, live: Manifest) -> Conflict | None:
    """Why a component must not create an object; None where it may.

    ``live`` is what the API server answered to the creation, or to its dry run. An object that is new, or
    that an interrupted update of the same owner has left, belongs to nobody else.
    """
    metadata, name = live.get("metadata") or {}, target(inputs)
    if "creationTimestamp" not in metadata:
        return None  # the dry run was not possible
    if metadata.get("name") != inputs["metadata"]["name"]:  # the provider tries it under another name then
        return Conflict(name, IMMUTABLE_OBJECT, {})
    others = _others(inputs, live)
    for entry in others:
        if entry["manager"].startswith(_PREFIX):
            return _of_component(name, entry["manager"].removeprefix(_PREFIX), _manager(inputs).removeprefix(_PREFIX))
    if adopts(inputs):
        return _of_containers(name, inputs, live)
    fields = metadata.get("managedFields") or []
    applied = next((entry.get("time", "") for entry in fields if entry["manager"] == _manager(inputs)), "")
    # Timestamps are in UTC and of one format. What others did after this owner are edits of its own object.
    if all(applied <= entry.get("time", "") for entry in others):
        return None
    return Conflict(name, OWNED_BY_NO_COMPONENT, {"manager": others[0]["manager"]})


def adopts(inputs: Manifest) -> bool:
    """Whether an object is adopted if it exists."""
    return bool(ADOPT.items() <= inputs["metadata"]["annotations"].items())


def _manager(inputs: Manifest) -> str:
    name: str = inputs["metadata"]["annotations"][FIELD_MANAGER]
    return name


def _others(inputs: Manifest, live: Manifest) -> list[Mapping[str, str]]:
    """The entries of other field managers, without Kubernetes itself and without status and scale."""
    return [
        entry
        for entry in (live.get("metadata") or {}).get("managedFields") or []
        if entry["manager"] != _manager(inputs)
        and not entry.get("subresource")
        and not _is_controller(entry["manager"])
    ]


def _of_component(name: str, other: str, own: str) -> Conflict:
    *stack, kind, component, _ = other.split("/")
    if stack == own.split("/")[:-3]:
        return Conflict(name, OWNED_BY_COMPONENT, {"owner": f"{kind} {component}", "name": component})
    return Conflict(name, OWNED_BY_STACK, {"owner": f"{kind} {component}", "stack": "/".join(stack)})


def _of_containers(name: str, inputs: Manifest, live: Manifest) -> Conflict | None:
    """Containers of an adopted object that would run beside those of the manifest: lists are merged by name."""
    for wanted, merged in zip(pod_templates(inputs), pod_templates(live), strict=True):
        names = [container["name"] for container in containers(wanted["spec"])]
        others = [container["name"] for container in containers(merged["spec"]) if container["name"] not in names]
        if others:
            return Conflict(name, ADOPTED_CONTAINERS, {"names": " and ".join(names), "other": others[0]})
    return None


def _is_controller(manager: str) -> bool:
    """Whether a field manager is a part of Kubernetes, which completes the objects of others."""
    return manager.startswith("kube-") or manager == "kubelet"


class _Program:
    """The objects of the program that runs, and the conflicts that the hook finds among them."""

    def __init__(self) -> None:
        self._urns: list[pulumi.Output[list[str]]] = []
        self.reports: list[pulumi.Output[None]] = []
        self._components: dict[str, str] = {}
        self._conflicts: dict[str, Conflict] = {}
        self._is_failing = False
        # Names of hooks are unique in an update. It may have several programs: each component of a plugin is one.
        name = f"ml-platform:ownership:{uuid.uuid4().hex}"
        self.hook = hooks.hook(name, self._compare)

    async def _compare(self, args: pulumi.ResourceHookArgs) -> None:
        # The error of a hook that runs after an operation is only a warning: the program raises it.
        inputs, live = dict(args.new_inputs or {}), dict(args.new_outputs or {})
        found = conflict(inputs, live)
        if found is not None:
            self._conflicts[args.urn] = found
        elif adopts(inputs) and _others(inputs, live):
            pulumi.log.info(f"{target(inputs)} exists, and is adopted: python -m review lists the fields that change")

    def watch(self, component: str, objects: Sequence[pulumi.Resource]) -> None:
        """Fail the update where one of a component's objects belongs to another owner."""
        urns = pulumi.Output.all(*(resource.urn for resource in objects))
        self._urns.append(urns)
        self.reports.append(urns.apply(lambda urns: self._report(component, urns)))

    def _report(self, component: str, urns: Sequence[str]) -> pulumi.Output[None] | None:
        self._components |= dict.fromkeys(urns, component)
        if self._is_failing or not self._conflicts.keys() & set(urns):
            return None
        self._is_failing = True
        if not pulumi.runtime.is_dry_run():
            self._fail()
        # A preview ends with its first error: that of the whole program, when everything has been compared.
        return pulumi.Output.all(*self._urns).apply(lambda _: self._fail())

    def _fail(self) -> None:
        raise pulumi.RunError(
            message((self._components[urn], found) for urn, found in self._conflicts.items() if urn in self._components)
        )


_PROGRAMS: "weakref.WeakKeyDictionary[Any, _Program]" = weakref.WeakKeyDictionary()


def _program() -> _Program | None:
    """The program that runs; None under Pulumi's mocks, which know no hooks."""
    if not hooks.supported():
        return None
    monitor = get_monitor()
    if monitor not in _PROGRAMS:
        _PROGRAMS[monitor] = _Program()
    return _PROGRAMS[monitor]


def options() -> pulumi.ResourceOptions:
    """The options of every object: its owner does not change, and its creation is compared with what is there."""
    program = _program()
    binding = pulumi.ResourceHookBinding(after_create=[program.hook]) if program else None
    return pulumi.ResourceOptions(ignore_changes=list(IGNORED_CHANGES), hooks=binding)


def check(component: str, objects: Sequence[pulumi.Resource]) -> None:
    """Fail the update where an object of a component belongs to another owner, with all such objects."""
    program = _program()
    if program is not None:
        program.watch(component, objects)


def checked(value: pulumi.Output[Any]) -> pulumi.Output[Any]:
    """A value that is available once all checks of the program have passed.

    Pulumi's runtime awaits the checks of a program, but not those of a component in a plugin.
    """
    program = _program()
    if program is None:
        return value
    return pulumi.Output.all(value, *program.reports).apply(lambda values: values[0])


# How many objects an error names; the others are counted.
_NAMED = 3


def message(conflicts: Iterable[tuple[str, Conflict]]) -> str:
    """The error of a program: for each component and owner its objects, and the fix."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for component, found in conflicts:
        problem = found.kind.problem((), objects="{objects}", **found.context)
        groups.setdefault((component, f"{problem.message} [{problem.code}]", problem.fix or ""), []).append(
            found.target
        )
    lines = []
    for (component, text, fix), targets in groups.items():
        more = f" and {len(targets) - _NAMED} more" if len(targets) > _NAMED else ""
        lines += [f"{component}: {text.format(objects=', '.join(targets[:_NAMED]) + more)}", f"  {fix}"]
    return "\n".join(lines)
