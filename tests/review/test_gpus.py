"""The GPUs of a stack, and their cost."""

import json
from decimal import Decimal
from typing import Any

import pytest

from components.base.objects import UNKNOWN
from review.gpus import Gpus, gpus, node_pools
from review.preview import UNKNOWN_TEXT
from review.review import review
from tests.review.prod import POOLS, TODAY, given, inputs, parsed, reviewed, step
from tests.review.workloads import deployment


def counted(*manifests: dict[str, Any], pools: dict[str, dict[str, Any]] = POOLS) -> Gpus:
    return gpus([], manifests, pools, pools)[1]


@pytest.mark.parametrize(
    ("kind", "spec"),
    [("HorizontalPodAutoscaler", {"maxReplicas": 4}), ("ScaledObject", {"maxReplicaCount": 4})],
)
def test_an_autoscaled_service_counts_with_its_maximum(kind: str, spec: dict[str, int]) -> None:
    autoscaler = {
        "apiVersion": "x/v1",
        "kind": kind,
        "metadata": {"name": "m", "namespace": "a"},
        "spec": {**spec, "scaleTargetRef": {"kind": "Deployment", "name": "m"}},
    }
    assert counted(deployment()) == Gpus(serving=Decimal(2), serving_cost=Decimal("1.42"))
    assert counted(deployment(), autoscaler) == Gpus(serving=Decimal(8), serving_cost=Decimal("5.68"))
    elsewhere = {**autoscaler, "metadata": {"name": "m", "namespace": "b"}}
    assert counted(deployment(), elsewhere) == counted(deployment())


def test_gpus_without_a_price() -> None:
    assert counted(deployment(), pools={}) == Gpus(serving=Decimal(2), unpriced={"Deployment a/m": Decimal(2)})


def test_the_price_is_that_of_the_most_specific_node_pool_with_the_same_gpus() -> None:
    labels = {"cloud.google.com/gke-accelerator": "nvidia-l4"}
    spot = {**labels, "cloud.google.com/gke-spot": "true"}
    pools = {
        "any": {"gpuResource": "nvidia.com/gpu", "nodeSelector": labels, "hourlyCost": "0.71"},
        "spot": {"gpuResource": "nvidia.com/gpu", "nodeSelector": spot, "hourlyCost": "0.25"},
        "slices": {
            "gpuResource": "nvidia.com/mig-1g.10gb", "nodeSelector": {**spot, "zone": "a"}, "hourlyCost": "0.1",
        },
    }  # fmt: skip
    assert counted(deployment(), pools=pools).serving_cost == Decimal("1.42")
    assert counted(deployment(**spot, zone="a"), pools=pools).serving_cost == Decimal("0.50")


def test_an_unknown_namespace_does_not_matter() -> None:
    elsewhere = deployment()
    elsewhere["metadata"]["namespace"] = UNKNOWN
    assert counted(elsewhere).serving == 2


A100 = {"cloud.google.com/gke-accelerator": "nvidia-tesla-a100"}


def onto_a100() -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """A change of prod that only moves the service to another type of GPU, and the node pools after it."""
    preview = given()
    preview["steps"] = [step(preview, "model-serving-deployment")]
    spec = inputs(preview, "model-serving-deployment")["spec"]
    spec["template"]["spec"]["nodeSelector"] = A100
    spec["replicas"] = 3
    return preview, {"gpu": {"gpuResource": "nvidia.com/gpu", "nodeSelector": A100, "hourlyCost": "3.00"}}


def test_the_price_before_is_that_of_the_node_pools_of_the_base() -> None:
    preview, pools = onto_a100()
    base = parsed(given())  # its configuration has the node pool with the preset gke/nvidia-l4
    made = review(parsed(preview), pools, TODAY, base=base)
    assert made.gpus_before == Gpus(serving=Decimal(3), serving_cost=Decimal("2.13"))
    assert made.gpus_after == Gpus(serving=Decimal(3), serving_cost=Decimal("9.00"))


def test_without_a_price_before_there_is_no_difference_in_cost() -> None:
    preview, pools = onto_a100()
    made = review(parsed(preview), pools, TODAY)
    assert made.gpus_before == Gpus(serving=Decimal(3), unpriced={"Deployment ml-serving/model-serving": Decimal(3)})
    assert made.gpus_after == Gpus(serving=Decimal(3))


def test_an_unknown_number_of_gpus_is_excluded_on_both_sides() -> None:
    preview = given()
    spec = inputs(preview, "model-serving-deployment")["spec"]
    spec["replicas"] = UNKNOWN_TEXT
    made = reviewed(preview)
    assert made.gpus_after.unknown == ("Deployment ml-serving/model-serving",)
    assert made.gpus_before.serving == made.gpus_after.serving == 0
    resources = spec["template"]["spec"]["containers"][0]["resources"]
    del resources["limits"]["nvidia.com/gpu"], resources["requests"]["nvidia.com/gpu"]
    assert reviewed(preview).gpus_after.unknown == ()


def test_node_pools_of_a_configuration() -> None:
    (pool,) = node_pools({"ml-platform:nodePools": json.dumps({"gpu": {"preset": "gke/nvidia-l4"}})}).values()
    assert (pool["gpuResource"], pool["hourlyCost"]) == ("nvidia.com/gpu", None)


@pytest.mark.parametrize(
    "config", [{}, {"ml-platform:nodePools": '{"gpu": {"preset": "gke/none"}}'}, {"ml-platform:nodePools": "{"}]
)
def test_a_configuration_without_valid_node_pools(config: dict[str, str]) -> None:
    assert node_pools(config) == {}


def test_a_workload_may_have_gpus_if_its_containers_are_unknown() -> None:
    unknown = deployment()
    unknown["spec"]["template"]["spec"]["containers"] = UNKNOWN
    assert counted(unknown).unknown == ("Deployment a/m",)
