"""Kinds that the cluster serves."""

from typing import Any

from review.cluster.kinds import check_kinds
from review.cluster.kubectl import UnansweredError
from review.messages import KIND_NOT_SERVED
from tests.review.cluster.table import Table
from tests.review.prod import codes

SCALER: dict[str, Any] = {"apiVersion": "keda.sh/v1", "kind": "ScaledObject"}
DEPLOYMENT: dict[str, Any] = {"apiVersion": "apps/v1", "kind": "Deployment"}
DEFINITION: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "spec": {"group": "keda.sh", "names": {"kind": "ScaledObject"}, "versions": [{"name": "v1"}]},
}


def test_a_kind_that_is_not_served() -> None:
    found = list(check_kinds([DEPLOYMENT, SCALER, SCALER], [DEPLOYMENT, SCALER], Table()))
    assert found == [KIND_NOT_SERVED(kind="ScaledObject", version="keda.sh/v1")]


def test_a_kind_that_the_stack_defines() -> None:
    assert list(check_kinds([SCALER], [SCALER, DEFINITION], Table())) == []


def test_without_an_answer_there_is_a_note() -> None:
    cluster = Table(errors={"kinds": UnansweredError("timeout")})
    assert codes(check_kinds([SCALER], [], cluster)) == ["kind-not-checked"]
