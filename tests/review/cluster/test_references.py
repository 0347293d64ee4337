"""References of changed objects against the cluster."""

from typing import Any

from review import messages
from review.cluster.kubectl import UnansweredError
from review.cluster.references import check_references, namespace_exists
from review.effects.world import World
from tests.review.cluster.table import Table
from tests.review.prod import codes

CLAIM = {"volumeClaimTemplate": {"spec": {"storageClassName": "fast"}}}
NONE = World([])


def workload(spec: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "Pod", "metadata": {"name": "p", "namespace": "ml-serving"}, "spec": spec}


MOUNTS = workload({"volumes": [{"name": "m", "persistentVolumeClaim": {"claimName": "models"}}]})
BALANCED = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "h", "namespace": "ml-serving"},
    "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "bert"}},
}


def test_a_reference_to_an_object_that_does_not_exist() -> None:
    assert list(check_references(MOUNTS, NONE, Table())) == [
        messages.REFERENCE_NOT_FOUND(
            target="Pod ml-serving/p",
            field="volumes[m].persistentVolumeClaim",
            kind="PersistentVolumeClaim",
            name="models",
        )
    ]


def test_a_reference_to_an_object_of_the_cluster_or_of_the_stack() -> None:
    assert list(check_references(MOUNTS, NONE, Table({"models": {"kind": "PersistentVolumeClaim"}}))) == []
    own = {"kind": "PersistentVolumeClaim", "metadata": {"name": "models", "namespace": "ml-serving"}}
    assert list(check_references(MOUNTS, World([own]), Table())) == []
    elsewhere = {**own, "metadata": {"name": "models", "namespace": "ml-training"}}
    assert codes(check_references(MOUNTS, World([elsewhere]), Table())) == ["reference-not-found"]


def test_a_key_that_does_not_exist() -> None:
    source = {"configMapKeyRef": {"name": "settings", "key": "level"}}
    reads = workload({"containers": [{"name": "c", "env": [{"name": "L", "valueFrom": source}]}]})
    existing = {"settings": {"kind": "ConfigMap", "data": {"mode": "fast"}}}
    (problem,) = check_references(reads, NONE, Table(existing))
    assert (problem.code, problem.values["part"]) == ("referenced-part-not-found-by-pods", "level")


def test_a_storage_class_has_no_namespace() -> None:
    cluster = Table()
    found = check_references(workload({"volumes": [{"name": "m", "ephemeral": CLAIM}]}), NONE, cluster)
    assert codes(found) == ["reference-not-found"]
    assert cluster.queries == [("StorageClass", "fast", "")]


def test_admission_checks_the_service_account_and_classes_of_pods() -> None:
    spec = {"serviceAccountName": "robot", "priorityClassName": "gold", "runtimeClassName": "nvidia"}
    cluster = Table()
    assert list(check_references(workload(spec), NONE, cluster)) == []
    assert cluster.queries == []


def test_an_object_that_may_not_be_read_is_a_note() -> None:
    pulls = workload({"imagePullSecrets": [{"name": "registry"}]})
    assert list(check_references(pulls, NONE, Table())) == [
        messages.REFERENCE_NOT_CHECKED(
            target="Pod ml-serving/p", kind="Secret", name="registry", reason=messages.FORBIDDEN()
        )
    ]


def test_without_an_answer_there_is_a_note_about_pods_only() -> None:
    errors = {kind: UnansweredError("timeout") for kind in ("PersistentVolumeClaim", "Deployment")}
    assert codes(check_references(MOUNTS, NONE, Table(errors=errors))) == ["reference-not-checked"]
    assert list(check_references(BALANCED, NONE, Table(errors=errors))) == []


def test_a_reference_of_another_object_is_a_warning() -> None:
    (warning,) = check_references(BALANCED, NONE, Table())
    assert (warning.code, warning.values["name"]) == ("reference-dangling", "bert")


def test_a_secret_that_a_custom_object_may_create() -> None:
    pulls = workload({"imagePullSecrets": [{"name": "registry"}]})
    assert list(
        check_references(pulls, NONE, Table(errors={"Secret": UnansweredError("x")}), {("ml-serving", "registry")})
    )
    found = check_references(MOUNTS, NONE, Table(), {("ml-serving", "models")})
    assert list(found) == []


def test_the_namespace() -> None:
    assert namespace_exists(MOUNTS, Table())
    assert not namespace_exists({"kind": "Pod", "metadata": {"name": "p", "namespace": "lost"}}, Table())
