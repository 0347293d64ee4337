"""What ``pulumi preview --json`` says, as far as a reviewer cares."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pulumi.runtime import rpc
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from components.base.objects import UNKNOWN, Manifest

UNKNOWN_TEXT = rpc.UNKNOWN
SECRET = "[secret]"  # noqa: S105 - how the engine writes one
REPLACEMENTS = ("replace", "create-replacement", "delete-replaced")


class PreviewError(Exception):
    """What was given is no preview."""


@dataclass(frozen=True)
class Step:
    """What would be done with one Kubernetes object."""

    op: str
    """Pulumi's word: same, create, update, replace, delete."""

    urn: str
    component: str
    """The component that the object belongs to: ``ModelService model-serving``; empty where there is none."""

    before: Manifest | None
    """The object's inputs as they were deployed last."""

    after: Manifest | None
    """The object's inputs as they would be."""

    live: Manifest
    """The object with its status, as it was seen last."""

    reasons: tuple[str, ...] = ()
    """The fields that make it a replacement."""

    @property
    def manifest(self) -> Manifest:
        """The object as it would be, or as it was where it is deleted."""
        return self.after or self.before or {}

    @property
    def changes(self) -> bool:
        """Whether anything is done."""
        return self.op not in {"same", "read", "refresh"}


@dataclass(frozen=True)
class Preview:
    """All that would be done."""

    stack: str
    steps: tuple[Step, ...]
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    config: Mapping[str, str]
    """The stack's configuration: full keys, values as JSON text."""

    def manifests(self, *, after: bool) -> list[Manifest]:
        """All objects of the stack, before or after the change, what is not known yet as UNKNOWN."""
        found = [step.after if after else step.before for step in self.steps]
        return [known(manifest) for manifest in found if manifest is not None]


class _State(BaseModel):
    """A resource as the engine writes it, as far as it is read here."""

    type: str = ""
    parent: str = ""
    inputs: dict[str, Any] | None = None
    outputs: dict[str, Any] | None = None


class _RawStep(BaseModel):
    """What the engine would do with a resource, as it writes it."""

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
    """Read the output of ``pulumi preview --json --show-sames``.

    Raises PreviewError for text that is none.
    """
    try:
        # Lines before the digest are warnings of plugins and the like.
        digest = _Digest.model_validate(json.loads(text[text.index("{") :]))
    except ValidationError as error:
        wrong = ".".join(map(str, error.errors()[0]["loc"]))
        raise PreviewError(f"this is not the output of pulumi preview --json: {wrong} is not as it writes it") from None
    except ValueError:
        raise PreviewError("this is not the output of pulumi preview --json") from None
    given = digest.steps or []
    steps: dict[str, Step] = {}
    for raw in given:
        step = _step(raw)
        if step is not None and (step.urn not in steps or step.op == "replace"):
            steps[step.urn] = step
    diagnostics = digest.diagnostics or []
    return Preview(
        stack or _stack(given),
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
    )


def _stack(steps: list[_RawStep]) -> str:
    """The stack's name, as a URN has it: ``urn:pulumi:prod::…``."""
    return f"{steps[0].urn}::".split(":")[2] if steps else ""


# What follows from an error of the program, and says nothing.
_ECHOES = ("an unhandled error occurred", "preview failed", "update failed")


def _messages(diagnostics: list[_Diagnostic], severity: str) -> list[str]:
    found: dict[str, None] = {}
    for diagnostic in diagnostics:
        text = diagnostic.message.strip().removeprefix(f"{severity}: ")
        if diagnostic.severity == severity and text and not text.startswith(_ECHOES):
            found[text] = None
    return list(found)


def known(value: Any) -> Any:
    """A value with UNKNOWN in place of what a preview does not know, or does not show."""
    if isinstance(value, Mapping):
        return {key: known(item) for key, item in value.items()}
    if isinstance(value, list):
        return [known(item) for item in value]
    return UNKNOWN if value in (UNKNOWN_TEXT, SECRET) else value
