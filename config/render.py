"""Renders the manifests of a stack without an engine or a cluster, for GitOps, ``kubectl diff`` and scanners.

They equal the objects that ``up`` creates, in the same order, since the same functions build both. Only the owner
references of runs that are kept are missing: the UID of the owner is unknown before deployment.
"""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from components import model_service, team_namespace, training_job
from components import priority_classes as priority
from components.base.objects import Manifest
from components.base.registration import Manifests
from components.priority_classes import PriorityClassesArgs
from config.settings import StackSettings


def objects(stack: StackSettings) -> Iterator[tuple[str, Manifest]]:
    """The name and the manifest of every child resource."""
    if stack.priority_classes:
        yield from _named("priority", priority.manifests(PriorityClassesArgs(classes=stack.priority_classes)))
    for name, team in stack.teams.items():
        yield from _named(name, team_namespace.manifests(name, team))
    for name, job in stack.training_jobs.items():
        yield from _named(name, training_job.manifests(name, job, stack.tenant_of(job)))
    for name, service in stack.model_services.items():
        yield from _named(name, model_service.manifests(name, service, stack.tenant_of(service)))


def _named(component: str, manifests: Manifests) -> Iterator[tuple[str, Manifest]]:
    for role, manifest in manifests.items():
        yield f"{component}-{role}", manifest


def render(stack: StackSettings) -> str:
    """All manifests as one YAML text, each after a comment with the name of its Pulumi resource."""
    return "".join(f"---\n# {name}\n{_yaml(manifest)}" for name, manifest in objects(stack))


def _yaml(manifest: Manifest) -> str:
    return yaml.dump(manifest, Dumper=_Dumper, sort_keys=False, width=120)


class _Dumper(yaml.SafeDumper):
    """Writes YAML that YAML 1.1 and 1.2 parsers read alike."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        """Write shared objects in full rather than as anchors and aliases."""
        return True


# 1e3 and 0o17 are strings in YAML 1.1, which the dumper writes, and numbers in YAML 1.2, which Kubernetes reads.
_LIKE_A_NUMBER = re.compile(r"[-+.]?[0-9]")


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = '"' if _LIKE_A_NUMBER.match(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
