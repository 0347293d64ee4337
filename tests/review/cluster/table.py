"""A cluster that answers from a table; tests/e2e queries a real one."""

from collections.abc import Mapping, Sequence
from typing import Any

from components.base.objects import Manifest
from review.cluster.kubectl import Cluster, ForbiddenError
from review.preview import Preview
from tests.edits import Objects
from tests.review.prod import given, inputs, parsed

SERVING = "Deployment ml-serving/model-serving"

L4 = {
    "metadata": {"labels": {"cloud.google.com/gke-accelerator": "nvidia-l4"}},
    "spec": {"taints": [{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}]},
}
CPU: dict[str, Any] = {"metadata": {"labels": {"cloud.google.com/gke-nodepool": "cpu"}}, "spec": {}}


class Table(Cluster):
    """It has the namespaces, nodes and kinds of the prod stack, and what a test adds."""

    def __init__(
        self,
        existing: Objects | None = None,
        *,
        pods: Sequence[Any] = (),
        denial: str | None = None,
        denied: int = 0,
        errors: Mapping[str, Exception] | None = None,
    ) -> None:
        super().__init__()
        self.existing = existing or {}
        self.pods = list(pods)
        self.denial = denial
        self.number_denied = denied
        self.errors = {"Secret": ForbiddenError("secrets is forbidden"), **(errors or {})}
        self.queries: list[tuple[str, str, str]] = []
        self.dry_runs: list[Mapping[str, Any]] = []
        self.nodes = [L4, CPU]

    def _raise(self, key: str) -> None:
        if key in self.errors:
            raise self.errors[key]

    def kinds(self, version: str) -> dict[str, tuple[str, bool]] | None:
        self._raise("kinds")
        known = ["Deployment", "Job", "Service", "ResourceQuota", "ServiceAccount"]
        return {kind: (f"{kind.lower()}s", True) for kind in known} if version != "keda.sh/v1" else None

    def get(self, kind: str, name: str = "", namespace: str = "") -> Any:
        self.queries.append((kind, name, namespace))
        self._raise(kind)
        if kind == "nodes":
            return {"items": self.nodes}
        if kind == "pods":
            return {"items": [pod for pod in self.pods if pod["metadata"]["namespace"] == namespace]}
        return {"kind": kind} if kind == "namespace" and name.startswith("ml-") else self.existing.get(name)

    def dry_run(self, manifest: Manifest) -> str | None:
        self._raise("dry_run")
        self.dry_runs.append(manifest)
        return self.denial

    def denied(self, permissions: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
        self._raise("denied")
        return list(permissions[: self.number_denied])


def preview(**spec: Any) -> Preview:
    """The change of the prod stack, with changes of the spec of the served pods."""
    content = given()
    inputs(content, "model-serving-deployment")["spec"]["template"]["spec"].update(spec)
    return parsed(content)


def updating(name: str, **changed: dict[str, Any]) -> Preview:
    """The change of the prod stack, with an update of another object of it."""
    content = given()
    for step in content["steps"]:
        if step["urn"].endswith(f"::{name}"):
            step["op"] = "update"
    for key, value in changed.items():
        inputs(content, name)[key].update(value)
    return parsed(content)


def pod(name: str, owner: tuple[str, str] | None = None, phase: str = "Running", **labels: str) -> dict[str, Any]:
    """A pod of a stack of Pulumi, in ml-serving."""
    owners = [{"controller": True, "kind": owner[0], "name": owner[1]}] if owner else []
    labels = {"app.kubernetes.io/managed-by": "pulumi", **labels}
    metadata = {"name": name, "namespace": "ml-serving", "labels": labels, "ownerReferences": owners}
    return {"metadata": metadata, "status": {"phase": phase}}
