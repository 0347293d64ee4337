"""What is made of a cluster's answers, with one that answers from a table; the real one is asked in tests/e2e."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from components.base.objects import UNKNOWN
from review.cluster.checks import Checks, check
from review.cluster.kubectl import Cluster, ForbiddenError
from review.pods import made_by
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


def pod(name: str, owner: tuple[str, str] | None = None, phase: str = "Running", **labels: str) -> dict[str, Any]:
    """A pod as some stack of Pulumi makes it."""
    owners = [{"controller": True, "kind": owner[0], "name": owner[1]}] if owner else []
    labels = {"app.kubernetes.io/managed-by": "pulumi", **labels}
    metadata = {"name": name, "namespace": "ml-serving", "labels": labels, "ownerReferences": owners}
    return {"metadata": metadata, "status": {"phase": phase}}


OF_REPLICA_SET = {"pod-template-hash": "5d8f"}


@pytest.mark.parametrize(
    "other",
    [
        pod("debug"),
        pod("model-serving"),  # its name is that of the Deployment, which it does not belong to
        pod("bert-5d8f-x", ("ReplicaSet", "bert-5d8f"), **OF_REPLICA_SET),
        pod("nightly-29000000-x", ("Job", "nightly-29000000")),
        pod("ml-x", ("Notebook", "model-serving")),
    ],
    ids=lambda pod: pod["metadata"]["name"],
)
def test_pods_of_others_use_the_quota_too(other: dict[str, Any]) -> None:
    """Those of another stack of Pulumi as well."""
    assert check(preview(), Table(pods=[other])).others == [other]


def test_pods_of_the_stack_and_those_that_ended_are_not_counted_again() -> None:
    ended = pod("debug", phase="Succeeded")
    own = pod("model-serving-5d8f-x", ("ReplicaSet", "model-serving-5d8f"), **OF_REPLICA_SET)
    assert check(preview(), Table(pods=[ended, own])).others == []


@pytest.mark.parametrize(
    ("kind", "one"),
    [
        ("Pod", pod("p")),
        ("Job", pod("p-0", ("Job", "p"))),
        ("CronJob", pod("p-29000000-x", ("Job", "p-29000000"))),
        ("JobSet", pod("p-w-0-0-x", ("Job", "p-w-0"), **{"jobset.sigs.k8s.io/jobset-name": "p"})),
        ("StatefulSet", pod("p-0", ("StatefulSet", "p"))),
        ("Deployment", pod("p-5d8f-x", ("ReplicaSet", "p-5d8f"), **OF_REPLICA_SET)),
    ],
)
def test_whose_a_pod_is(kind: str, one: dict[str, Any]) -> None:
    unknown = {"kind": kind, "metadata": {"name": UNKNOWN}}
    assert made_by(one, [unknown, {"kind": kind, "metadata": {"name": "p"}}])
    assert not made_by(one, [unknown, {"kind": kind, "metadata": {"name": "q"}}])


def test_what_the_stack_had_before_the_change_is_not_counted_again() -> None:
    content = json.loads(GIVEN)
    for step in content["steps"]:
        if step["urn"].endswith("::model-serving-deployment"):
            step.update(op="delete", newState=None)
    own = pod("model-serving-5d8f-x", ("ReplicaSet", "model-serving-5d8f"), **OF_REPLICA_SET)
    assert check(parse(json.dumps(content), "prod"), Table(pods=[own])).others == []


def altering(name: str, **inputs: Any) -> Preview:
    """The change of the prod stack, with an update of another object of it."""
    content = json.loads(GIVEN)
    for step in content["steps"]:
        if step["urn"].endswith(f"::{name}"):
            step["op"] = "update"
            for key, value in inputs.items():
                step["newState"]["inputs"][key].update(value)
    return parse(json.dumps(content), "prod")


ENFORCE = "pod-security.kubernetes.io/enforce"
PRIVILEGED = 'violates PodSecurity "restricted:latest": hostNetwork'
BASELINE = {"labels": {ENFORCE: "baseline"}}


@pytest.mark.parametrize(
    ("said", "name", "inputs", "deciding"),
    [
        (PRIVILEGED, "ml-serving-namespace", {"metadata": BASELINE}, "Namespace ml-serving"),
        (
            "maximum cpu usage per Container is 2, but limit is 4",
            "ml-serving-container-limits",
            {},
            "LimitRange ml-serving/ml-serving-limits",
        ),
        (
            "failed quota: q: must specify limits.cpu for: server",
            "ml-serving-quota",
            {},
            "ResourceQuota ml-serving/ml-serving-quota",
        ),
    ],
)
def test_a_refusal_by_what_the_change_itself_alters_is_a_note(
    said: str, name: str, inputs: dict[str, Any], deciding: str
) -> None:
    checks = check(altering(name, **inputs), Table(refuses=said))
    of_serving = "Deployment ml-serving/model-serving"
    assert not any(of_serving in problem for problem in checks.problems)
    (note,) = [note for note in checks.notes if of_serving in note]
    start = f"whether pods of {of_serving} would be admitted: they are not as long as {deciding} is as it is"
    assert note.startswith(start)
    # What it alters elsewhere changes nothing there.
    assert any("Job ml-training/finetune: its pods would be refused" in problem for problem in checks.problems)


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("ml-serving-namespace", {"metadata": {"annotations": {"a": "b"}}}),
        ("ml-serving-container-limits", {}),
        ("ml-training-namespace", {"metadata": BASELINE}),
    ],
    ids=["a namespace of the same level", "limits", "another namespace"],
)
def test_a_refusal_by_what_stays_is_a_problem(name: str, inputs: dict[str, Any]) -> None:
    problems = check(altering(name, **inputs), Table(refuses=PRIVILEGED)).problems
    assert any("Deployment ml-serving/model-serving: its pods would be refused" in problem for problem in problems)
