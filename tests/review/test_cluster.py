"""What is made of a cluster's answers, with one that answers from a table; the real one is asked in tests/e2e."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from review.cluster import Checks, Cluster, ForbiddenError, check
from review.preview import Preview, parse
from tests.review.proposals import Manifests

GIVEN = (Path(__file__).parent / "prod-change.json").read_text(encoding="utf-8")
NODE = {
    "metadata": {"labels": {"cloud.google.com/gke-accelerator": "nvidia-l4"}},
    "spec": {"taints": [{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}]},
}


class Table(Cluster):
    """A cluster that has the namespaces, nodes and kinds of the stack, and what a test adds."""

    def __init__(
        self, there: Manifests | None = None, *, pods: Sequence[Any] = (), refuses: str | None = None, denies: int = 0
    ) -> None:
        super().__init__()
        self.there = there or {}
        self.pods = list(pods)
        self.refuses = refuses
        self.denies = denies
        self.tried: list[Mapping[str, Any]] = []
        self.nodes = [NODE, {"metadata": {"labels": {"cloud.google.com/gke-nodepool": "cpu"}}, "spec": {}}]

    def kinds(self, version: str) -> dict[str, tuple[str, bool]] | None:
        known = ["Deployment", "Job", "Service", "ResourceQuota", "ServiceAccount"]
        return {kind: (f"{kind.lower()}s", True) for kind in known} if version != "keda.sh/v1" else None

    def get(self, kind: str, name: str = "", place: str = "") -> Any:
        if kind == "Secret":
            raise ForbiddenError("secrets")
        if kind == "nodes":
            return {"items": self.nodes}
        if kind == "pods":
            return {"items": [pod for pod in self.pods if pod["metadata"]["namespace"] == place]}
        return {"kind": kind} if kind == "namespace" and name.startswith("ml-") else self.there.get(name)

    def dry_run(self, manifest: Mapping[str, Any]) -> str | None:
        self.tried.append(manifest)
        return self.refuses

    def denied(self, asked: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
        return list(asked[: self.denies])


def preview(**spec: Any) -> Preview:
    """A change of the prod stack, with changes of the served pods' spec."""
    content = json.loads(GIVEN)
    for step in content["steps"]:
        if step["urn"].endswith("::model-serving-deployment"):
            step["newState"]["inputs"]["spec"]["template"]["spec"].update(spec)
    return parse(json.dumps(content), "prod")


def test_a_change_that_the_cluster_takes() -> None:
    cluster = Table()
    checks = check(preview(), cluster)
    assert checks == Checks()
    assert len(cluster.tried) == 3  # a pod of the Deployment and of each Job
    assert all("serviceAccountName" not in pod["spec"] for pod in cluster.tried)  # the stack makes them
    assert {pod["metadata"]["generateName"] for pod in cluster.tried} == {"review-"}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            'Error from server (Forbidden): pods "review-x" is forbidden: no PriorityClass with name gold was found',
            "PriorityClass gold",
        ),
        (
            'violates PodSecurity "restricted:latest": privileged (container "server")',
            "Pod Security restricted refuses",
        ),
        ("something new", "something new"),
    ],
)
def test_what_the_api_server_refuses(said: str, told: str) -> None:
    problems = check(preview(), Table(refuses=said)).problems
    assert len(problems) == 3
    assert all("its pods would be refused: " in problem and told in problem for problem in problems)


def test_a_full_quota_is_not_taken_from_the_dry_run() -> None:
    """The pods that a rollout replaces count there: the sums are the review's own."""
    said = "exceeded quota: q, requested: pods=1, used: pods=3, limited: pods=3"
    assert check(preview(), Table(refuses=said)).problems == []


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        (
            {"volumes": [{"name": "m", "persistentVolumeClaim": {"claimName": "models"}}]},
            "PersistentVolumeClaim models",
        ),
        ({"volumes": [{"name": "m", "configMap": {"name": "settings"}}]}, "ConfigMap settings"),
        (
            {"volumes": [{"name": "m", "ephemeral": {"volumeClaimTemplate": {"spec": {"storageClassName": "fast"}}}}]},
            "StorageClass fast",
        ),
    ],
)
def test_what_a_pod_refers_to(spec: dict[str, Any], told: str) -> None:
    (problem,) = check(preview(**spec), Table()).problems
    assert told in problem
    assert "which does not exist: its pods would wait for it" in problem
    assert check(preview(**spec), Table({told.split()[1]: {}})).problems == []


def test_what_may_not_be_read_is_said() -> None:
    checks = check(preview(imagePullSecrets=[{"name": "registry"}]), Table())
    assert checks.problems == []
    assert (
        "whether Secret registry of Deployment ml-serving/model-serving exists: this user may not read it"
        in checks.notes
    )


def test_nodes() -> None:
    cluster = Table()
    cluster.nodes = []
    warnings = check(preview(), cluster).warnings
    assert any(
        "no node has cloud.google.com/gke-accelerator=nvidia-l4: fine where the pool scales" in w for w in warnings
    )
    other = {"key": "nvidia.com/gpu", "operator": "Equal", "value": "absent"}
    (warning,) = [w for w in check(preview(tolerations=[other]), Table()).warnings if "Deployment" in w]
    assert "have a taint that it does not tolerate" in warning


def test_rights() -> None:
    (problem,) = check(preview(), Table(denies=1)).problems
    assert problem.startswith("whoever runs this may not ")
    checks = check(preview(), Table(denies=1000))  # a previewer who may only read
    assert checks.problems == []
    assert checks.notes == ["the rights of whoever deploys: this user may change nothing of this, and so is another"]


def test_pods_of_others_use_the_quota_too() -> None:
    other: dict[str, Any] = {"metadata": {"name": "debug", "namespace": "ml-serving"}, "status": {"phase": "Running"}}
    ended = {**other, "status": {"phase": "Succeeded"}}
    own = {**other, "metadata": {"namespace": "ml-serving", "labels": {"app.kubernetes.io/managed-by": "pulumi"}}}
    assert {id(pod) for pod in check(preview(), Table(pods=[other, ended, own])).others} == {id(other)}
