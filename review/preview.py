"""The output of ``pulumi preview --json``, as far as a review reads it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pulumi.runtime import rpc
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from components.base.objects import UNKNOWN, Manifest

UNKNOWN_TEXT = rpc.UNKNOWN
SECRET = "[secret]"  # noqa: S105 - the engine's marker of a secret
REPLACEMENTS = ("replace", "create-replacement", "delete-replaced")


class PreviewError(Exception):
    """The preview failed, or its output is invalid."""


@dataclass(frozen=True)
class Step:
    """What an update would do with one Kubernetes object."""

    op: str
    """Pulumi's operation: same, create, update, replace, delete."""

    urn: str
    component: str
    """The component that owns the object: ``ModelService model-serving``; empty if there is none."""

    before: Manifest | None
    """The inputs of the object in the last deployment."""

    after: Manifest | None
    """The inputs of the object after the change."""

    live: Manifest
    """The last known outputs of the object, including its status."""

    reasons: tuple[str, ...] = ()
    """The fields that require its replacement."""

    type: str = ""
    """Its type token: ``kubernetes:apps/v1:Deployment``."""

    dependencies: tuple[str, ...] = ()
    """The URNs of the resources that must be ready before it."""

    created_first: bool = False
    """Whether a replacement is created before the old object is deleted, which then has another name."""

    retained: bool = False
    """Whether the object is kept when it is deleted from the stack (``retainOnDelete``)."""

    timeouts: Mapping[str, float] = field(default_factory=dict)
    """The custom timeouts in seconds: create, update, delete."""

    field_manager: str = ""
    """The field manager with which the provider applied the object; empty if it was not deployed."""

    @property
    def manifest(self) -> Manifest:
        """The object after the change, or before it if it is deleted."""
        return self.after or self.before or {}

    @property
    def is_change(self) -> bool:
        """Whether the object is changed."""
        return self.op not in {"same", "read", "refresh"}


@dataclass(frozen=True)
class Preview:
    """A preview of an update."""

    stack: str
    steps: tuple[Step, ...]
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    config: Mapping[str, str]
    """The configuration of the stack: full keys, values as JSON text."""

    def manifests(self, *, after: bool) -> list[Manifest]:
        """All objects of the stack before or after the change, with UNKNOWN for values that are not known yet."""
        found = [step.after if after else step.before for step in self.steps]
        return [with_unknown(manifest) for manifest in found if manifest is not None]


class _State(BaseModel):
    """The fields of a resource in the engine's output that are read here."""

    model_config = ConfigDict(alias_generator=to_camel)

    type: str = ""
    parent: str = ""
    inputs: dict[str, Any] | None = None
    outputs: dict[str, Any] | None = None
    dependencies: list[str] | None = None
    delete: bool = False
    """Whether it is pending deletion: a replacement was created before it is deleted."""

    retain_on_delete: bool = False
    custom_timeouts: dict[str, float] | None = None


class _RawStep(BaseModel):
    """A step in the engine's output."""

    model_config = ConfigDict(alias_generator=to_camel)

    op: str
    urn: str
    old_state: _State | None = None
    new_state: _State | None = None
    replace_reasons: list[str] | None = None


class _Diagnostic(BaseModel):
    message: str = ""
    severity: str = ""


class _Digest(BaseModel):
    """The output of ``pulumi preview --json``."""

    steps: list[_RawStep] | None
    diagnostics: list[_Diagnostic] | None = None
    config: dict[str, str] | None = None


def parse(text: str, stack: str = "") -> Preview:
    """Parse the output of ``pulumi preview --json --show-sames``.

    ``stack`` defaults to the name in the URNs. Raises PreviewError if the text is something else.
    """
    try:
        # Plugins may print warnings before the JSON document.
        digest = _Digest.model_validate(json.loads(text[text.index("{") :]))
    except ValidationError as error:
        field = ".".join(map(str, error.errors()[0]["loc"]))
        raise PreviewError(f"must be the output of pulumi preview --json: {field} is invalid") from None
    except ValueError:
        raise PreviewError("must be the output of pulumi preview --json") from None
    raw_steps = digest.steps or []
    steps: dict[str, Step] = {}
    for raw in raw_steps:
        step = _step(raw)
        if step is not None and (step.urn not in steps or step.op == "replace"):
            steps[step.urn] = step
    diagnostics = digest.diagnostics or []
    return Preview(
        stack or _stack(raw_steps),
        tuple(steps.values()),
        tuple(_messages(diagnostics, "error")),
        tuple(_messages(diagnostics, "warning")),
        digest.config or {},
    )


def _step(raw: _RawStep) -> Step | None:
    old, new = raw.old_state or _State(), raw.new_state or _State()
    state = new if raw.new_state else old
    if not state.type.startswith("kubernetes:") or "kind" not in (state.inputs or {}):
        return None
    op = "replace" if raw.op in REPLACEMENTS else raw.op
    parent = state.parent.split("::")
    component = f"{parent[-2].rpartition(':')[2]} {parent[-1]}" if len(parent) == 4 else ""
    return Step(
        op,
        raw.urn,
        "" if component.startswith("Stack ") else component,
        old.inputs if op != "create" else None,
        new.inputs if op != "delete" else None,
        old.outputs or {},
        tuple(sorted(raw.replace_reasons or ())),
        state.type,
        tuple(state.dependencies or ()),
        old.delete,
        old.retain_on_delete,
        state.custom_timeouts or {},
        str((old.outputs or {}).get(_FIELD_MANAGER) or ""),
    )


# The output in which the provider stores it.
_FIELD_MANAGER = "__fieldManager"


def _stack(steps: list[_RawStep]) -> str:
    """The name of the stack in a URN: ``urn:pulumi:prod::…``."""
    return f"{steps[0].urn}::".split(":")[2] if steps else ""


# Errors that only repeat that another one has occurred.
_REPETITIONS = ("an unhandled error occurred", "preview failed", "update failed")


def _messages(diagnostics: list[_Diagnostic], severity: str) -> list[str]:
    found: dict[str, None] = {}
    for diagnostic in diagnostics:
        text = diagnostic.message.strip().removeprefix(f"{severity}: ")
        if diagnostic.severity == severity and text and not text.startswith(_REPETITIONS):
            found[text] = None
    return list(found)


def with_unknown(value: Any) -> Any:
    """A value with UNKNOWN in place of values that the engine marks as unknown or secret."""
    if isinstance(value, Mapping):
        return {key: with_unknown(item) for key, item in value.items()}
    if isinstance(value, list):
        return [with_unknown(item) for item in value]
    return UNKNOWN if value in (UNKNOWN_TEXT, SECRET) else value
