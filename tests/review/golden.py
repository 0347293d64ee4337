"""The golden files of reviews, and how they are written.

prod-change.json is a preview of a change of the prod stack, as the Pulumi engine prints it. Its inputs are those that
the program registers now: they are replaced whenever the golden files are written. Operations, reasons of replacements
and live states are those of a real engine and cluster; to record them again, for another change in change.py:

    pulumi preview --stack prod --json --show-sames | python -m tests.review.trim > tests/review/prod-change.json
"""

import json
import runpy
import string
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml

from config.render import objects
from config.settings import StackSettings
from review import messages, symptoms, twin_messages
from review.messages import Kind, Message
from review.render import markdown
from tests.mocks import Deployment, deploy
from tests.policies import golden as policies
from tests.review.change import change
from tests.review.prod import FILE, reviewed

FOLDER = Path(__file__).parent
PROJECT = FOLDER.parent.parent
PAGE = FOLDER / "prod-change.md"
MESSAGES = FOLDER / "messages.txt"

_PREFIX = "ml-platform:"
_URN = "urn:pulumi:prod::ml-platform"


def write() -> None:
    """Write the golden files of reviews and policies."""
    policies.write()
    MESSAGES.write_text(examples(), encoding="utf-8")
    preview = current(json.loads(FILE.read_text(encoding="utf-8")))
    FILE.write_text(as_text(preview), encoding="utf-8")
    PAGE.write_text(page_with_codes(preview), encoding="utf-8")


def current(preview: dict[str, Any]) -> dict[str, Any]:
    """The preview with the inputs that the program registers now, before and after the change."""
    content = yaml.safe_load((PROJECT / "Pulumi.prod.yaml").read_text(encoding="utf-8"))["config"]
    before = _registered(content)
    settings = {key.removeprefix(_PREFIX): value for key, value in content.items()}
    change(settings)
    content = {f"{_PREFIX}{key}": value for key, value in settings.items()}
    after = _registered(content)
    recorded = {step["urn"]: step for step in preview["steps"]}
    steps = [
        _step(urn, recorded.get(urn, {}), before.get(urn), after.get(urn)) for urn in dict.fromkeys([*before, *after])
    ]
    config = {key: json.dumps(value, sort_keys=True, separators=(",", ":")) for key, value in content.items()}
    return {"config": config, "steps": steps}


def as_text(preview: dict[str, Any]) -> str:
    """The preview as JSON, one line for each key of the configuration and each step."""
    config = ",\n".join(f"{json.dumps(key)}:{json.dumps(value)}" for key, value in preview["config"].items())
    steps = ",\n".join(json.dumps(step, separators=(",", ":")) for step in preview["steps"])
    return f'{{"config":{{\n{config}\n}},"steps":[\n{steps}\n]}}\n'


def _registered(config: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """URN → type, parent and inputs of each Kubernetes object that the program registers."""
    texts = {key: json.dumps(value) for key, value in config.items()}
    settings = StackSettings.parse({key.removeprefix(_PREFIX): value for key, value in config.items()})
    manifests = dict(objects(settings))
    program = str(PROJECT / "__main__.py")
    deployment: Deployment = deploy(lambda: runpy.run_path(program) and None, stack="prod", config=texts)
    order = list(manifests)  # the program registers objects concurrently
    states = {}
    for resource in sorted(deployment.resources, key=lambda r: order.index(r.name) if r.name in order else -1):
        if resource.request.custom:
            *_, parent_type, parent = resource.parent.split("::")
            parent_type = parent_type.removeprefix("pulumi:pulumi:Stack$")
            # Not resource.inputs, in which the mocks return whole numbers as floats.
            inputs = json.loads(json.dumps(manifests[resource.name], sort_keys=True))
            states[f"{_URN}::{parent_type}${resource.type}::{resource.name}"] = {
                "type": resource.type,
                "inputs": inputs,
                "parent": f"{_URN}::{parent_type}::{parent}",
            }
    return states


def _step(
    urn: str, recorded: dict[str, Any], before: dict[str, Any] | None, after: dict[str, Any] | None
) -> dict[str, Any]:
    step: dict[str, Any] = {"op": _operation(recorded.get("op"), before, after), "urn": urn}
    if "replaceReasons" in recorded:
        step["replaceReasons"] = recorded["replaceReasons"]
    if before is not None:
        outputs = (recorded.get("oldState") or {}).get("outputs")
        step["oldState"] = {**before, **({"outputs": outputs} if outputs else {})}
    if after is not None:
        step["newState"] = after
    return step


def _operation(recorded: str | None, before: dict[str, Any] | None, after: dict[str, Any] | None) -> str:
    """The operation of the engine; where it is not recorded, the one that follows from the inputs."""
    if before is None or after is None:
        return "create" if before is None else "delete"
    if before["inputs"] == after["inputs"]:
        return "same"
    return recorded if recorded in {"update", "replace"} else "update"


# A value for each name in the texts of messages.
_VALUES = {
    "address": "203.0.113.7",
    "autoscaler": "HorizontalPodAutoscaler ml-serving/bert",
    "before": "3",
    "cause": "deleting Namespace ml-serving",
    "changed": "Namespace ml-serving",
    "characters": "120 characters",
    "command": "kubectl logs -n ml-serving bert-5d-x -c server --previous",
    "container": "server",
    "disruption": "evicted",
    "duration": "2 min",
    "error": "an error",
    "exit": "exit code 2",
    "field": "env[HF_TOKEN]",
    "fields": "metadata.name",
    "finalizers": "kubernetes.io/pvc-protection",
    "findings": "2 findings",
    "fix": "a fix",
    "gpus": "3 GPUs",
    "hard": "8",
    "interruptions": "2 interruptions",
    "key": "token",
    "kind": "Secret",
    "kinds": "widgets.example.com",
    "labels": "cloud.google.com/gke-accelerator=nvidia-l4",
    "level": "advisory",
    "limit": "8Gi",
    "memory_limit": "memory limit of 8Gi",
    "name": "hub",
    "namespace": "ml-serving",
    "namespaces": "Namespace ml-serving",
    "objects": "Secret ml-serving/hub",
    "other": "HorizontalPodAutoscaler ml-serving/other",
    "phase": "Running",
    "pods": "3 pods",
    "pool": "gpu",
    "ready": "1",
    "problems": "2 problems",
    "quota": "ml-serving-quota",
    "reason": "a reason",
    "requested": "requests.nvidia.com/gpu=1",
    "resource": "memory",
    "resources": "6 resources",
    "rows": "5 more rows",
    "rule": "image-pinned",
    "rules": "image-pinned of Deployment ml-serving/bert",
    "scope": "the namespace ml-serving",
    "secrets": "Secret ml-serving/hub",
    "sections": "2 sections",
    "services": "2 Services",
    "size": "10Gi",
    "taint": "nvidia.com/gpu",
    "target": "Deployment ml-serving/bert",
    "text": "a text",
    "timeout": "10 min",
    "twin": "v1.37.2",
    "titles": "nlp / ModelService bert, nlp / TrainingJob finetune",
    "until": "2027-03-31",
    "used": "9",
    "verb": "patch",
    "version": "keda.sh/v1alpha1",
    "contents": "2 pods; PersistentVolumeClaim data with their data",
    "old": "bert-service",
    "new": "ranker-service",
    "violation": "has a violation",
    "violations": "privileged (container server)",
    "volume": "pv-1",
    "wanted": "3",
    "webhooks": "check.example.com (pods)",
    "workload": "Deployment ml-serving/bert",
    "warning": "the provider is deprecated",
    "when": "Before: ",
    "workloads": "Deployment ml-serving/bert",
}


def example(kind: Kind) -> Message:
    """A message of a kind with example values; a name without one is shown as ``<name>``."""
    names = {name for text in (kind.text, kind.fix) for _, name, _, _ in string.Formatter().parse(text) if name}
    return kind(**{name: _VALUES.get(name, f"<{name}>") for name in names})


def examples() -> str:
    """An example of every message: code, text and fix."""
    lines = []
    for kind in (*messages.KINDS, *twin_messages.KINDS, *symptoms.KINDS):
        message = example(kind)
        lines += [f"{kind.group} {kind.code}", f"  {message.text}", *([f"  fix: {message.fix}"] if message.fix else [])]
    return "\n".join(lines) + "\n"


def page_with_codes(preview: dict[str, Any]) -> str:
    """The Markdown of a review, with codes and values in place of the texts of messages: those are in messages.txt."""
    coded: dict[str, Any] = {name: _coded(kind) for name, kind in vars(messages).items() if isinstance(kind, Kind)}
    with patch.multiple(messages, **coded):
        return markdown(reviewed(preview))


def _coded(kind: Kind) -> Kind:
    names = dict.fromkeys(name for _, name, _, _ in string.Formatter().parse(kind.text) if name)
    return replace(kind, text=", ".join([kind.code, *(f"{name}: {{{name}}}" for name in names)]), fix="")
