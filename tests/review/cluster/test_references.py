"""References of pods."""

from typing import Any

import pytest

from review import messages
from review.cluster.kubectl import UnansweredError
from review.cluster.references import Reference, check_references, namespace_exists, references
from tests.review.cluster.table import Table
from tests.review.prod import codes

CLAIM = {"volumeClaimTemplate": {"spec": {"storageClassName": "fast"}}}
SPECS: list[tuple[dict[str, Any], Reference]] = [
    ({"imagePullSecrets": [{"name": "registry"}]}, Reference("Secret", "registry", "imagePullSecrets")),
    (
        {"volumes": [{"name": "m", "persistentVolumeClaim": {"claimName": "models"}}]},
        Reference("PersistentVolumeClaim", "models", "volumes[m]"),
    ),
    ({"volumes": [{"name": "m", "configMap": {"name": "c"}}]}, Reference("ConfigMap", "c", "volumes[m]")),
    ({"volumes": [{"name": "m", "secret": {"secretName": "s"}}]}, Reference("Secret", "s", "volumes[m]")),
    ({"volumes": [{"name": "m", "ephemeral": CLAIM}]}, Reference("StorageClass", "fast", "volumes[m]")),
    (
        {"containers": [{"env": [{"name": "T", "valueFrom": {"configMapKeyRef": {"name": "c"}}}]}]},
        Reference("ConfigMap", "c", "env[T]"),
    ),
    (
        {"initContainers": [{"env": [{"name": "T", "valueFrom": {"secretKeyRef": {"name": "s"}}}]}]},
        Reference("Secret", "s", "env[T]"),
    ),
]


@pytest.mark.parametrize(("spec", "reference"), SPECS, ids=[f"{one.kind} {one.field}" for _, one in SPECS])
def test_the_references_of_a_pod(spec: dict[str, Any], reference: Reference) -> None:
    assert references(spec) == [reference]


@pytest.mark.parametrize(
    "spec",
    [
        {"volumes": [{"name": "m", "configMap": {"name": "c", "optional": True}}]},
        {"volumes": [{"name": "m", "emptyDir": {}}]},
        {"containers": [{"env": [{"name": "T", "valueFrom": {"secretKeyRef": {"name": "s", "optional": True}}}]}]},
        {"containers": [{"env": [{"name": "T", "value": "t"}]}]},
    ],
)
def test_optional_references_do_not_count(spec: dict[str, Any]) -> None:
    assert references(spec) == []


def workload(spec: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "Pod", "metadata": {"name": "p", "namespace": "ml-serving"}, "spec": spec}


MOUNTS = workload({"volumes": [{"name": "m", "persistentVolumeClaim": {"claimName": "models"}}]})


def test_a_reference_to_an_object_that_does_not_exist() -> None:
    assert list(check_references(MOUNTS, set(), Table())) == [
        messages.REFERENCE_NOT_FOUND(
            target="Pod ml-serving/p", field="volumes[m]", kind="PersistentVolumeClaim", name="models"
        )
    ]


def test_a_reference_to_an_object_of_the_cluster_or_of_the_stack() -> None:
    assert list(check_references(MOUNTS, set(), Table({"models": {}}))) == []
    assert list(check_references(MOUNTS, {("PersistentVolumeClaim", "models")}, Table())) == []


def test_a_storage_class_has_no_namespace() -> None:
    cluster = Table()
    found = check_references(workload({"volumes": [{"name": "m", "ephemeral": CLAIM}]}), set(), cluster)
    assert codes(found) == ["reference-not-found"]
    assert cluster.queries == [("StorageClass", "fast", "")]


def test_an_object_that_may_not_be_read_is_a_note() -> None:
    pulls = workload({"imagePullSecrets": [{"name": "registry"}]})
    assert list(check_references(pulls, set(), Table())) == [
        messages.REFERENCE_NOT_CHECKED(
            target="Pod ml-serving/p", kind="Secret", name="registry", reason=messages.FORBIDDEN()
        )
    ]


def test_without_an_answer_there_is_a_note() -> None:
    cluster = Table(errors={"PersistentVolumeClaim": UnansweredError("timeout")})
    assert codes(check_references(MOUNTS, set(), cluster)) == ["reference-not-checked"]


def test_the_namespace() -> None:
    assert namespace_exists(MOUNTS, Table())
    assert not namespace_exists({"kind": "Pod", "metadata": {"name": "p", "namespace": "lost"}}, Table())
