"""Resource requests and limits."""

from typing import Any

import pytest

from components import Resources
from components.pod.resources import GpuCount, is_gpu
from tests.problems import problems
from tests.values import problem, validated


def test_the_manifest_has_only_the_sections_that_are_set() -> None:
    assert Resources().manifest() == {}
    assert Resources.of({"limits": {"cpu": 2}}).manifest() == {"limits": {"cpu": "2"}}


def test_gpus_are_added_to_requests_and_limits() -> None:
    resources = Resources(requests={"cpu": "1"}).manifest({"nvidia.com/gpu": "2"})
    assert resources == {"requests": {"cpu": "1", "nvidia.com/gpu": "2"}, "limits": {"nvidia.com/gpu": "2"}}


@pytest.mark.parametrize(
    "resources",
    [
        {"requests": {"cpu": "500m", "memory": "1Gi", "ephemeral-storage": "1Gi"}},
        {"requests": {"cpu": "1000m"}, "limits": {"cpu": "1"}},
        {"requests": {"rdma/hca": "2000m", "memory": 0}, "limits": {"rdma/hca": "2", "memory": "1.5Gi"}},
        {"limits": {"hugepages-2Mi": "1Gi"}},
        {"requests": {"hugepages-2Mi": "1Gi"}, "limits": {"hugepages-2Mi": "1024Mi"}},
    ],
)
def test_valid_resources(resources: dict[str, Any]) -> None:
    assert problems(lambda: Resources(**resources)) == []


@pytest.mark.parametrize(
    ("resources", "code", "path", "value"),
    [
        ({"limits": {"nvidia.com/gpu": "1"}}, "derived", 'limits["nvidia.com/gpu"]', None),
        ({"requests": {"amd.com/gpu": "1"}}, "derived", 'requests["amd.com/gpu"]', None),
        ({"limits": {"gpu": "1"}}, "resource-unknown", "limits.gpu", None),
        ({"limits": {"storage": "1"}}, "resource-unknown", "limits.storage", None),
        ({"limits": {"memory": "512m"}}, "quantity-fraction", "limits.memory", "512M"),
        ({"requests": {"memory": "0.5"}}, "quantity-fraction", "requests.memory", None),
        ({"limits": {"rdma/hca": "1.5"}}, "quantity-fraction", "limits.rdma/hca", "2"),
        ({"requests": {"rdma/hca": "1"}}, "request-not-limit", "requests.rdma/hca", None),
        (
            {"requests": {"hugepages-2Mi": "1Gi"}, "limits": {"hugepages-2Mi": "2Gi"}},
            "request-not-limit",
            "requests.hugepages-2Mi",
            "2Gi",
        ),
        ({"requests": {"cpu": "16"}, "limits": {"cpu": "8"}}, "exceeds", "requests.cpu", "8"),
        ({"requests": {"memory": "16GB"}}, "quantity-invalid", "requests.memory", "16G"),
    ],
)
def test_invalid_resources(resources: dict[str, Any], code: str, path: str, value: str | None) -> None:
    (found,) = problems(lambda: Resources(**resources))
    assert (found.code, found.property_path(), found.value) == (code, path, value)


def test_all_problems_are_reported_together() -> None:
    found = problems(lambda: Resources(requests={"cpu": "2", "gpu": "1"}, limits={"cpu": "1", "storage": "1"}))
    assert [problem.property_path() for problem in found] == ["requests.cpu", "requests.gpu", "limits.storage"]


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ("nvidia.com/gpu", True),
        ("nvidia.com/gpu.shared", True),
        ("nvidia.com/mig-1g.10gb", True),
        ("rdma/hca", False),
        ("cpu", False),
    ],
)
def test_gpu_resources(resource: str, expected: object) -> None:
    assert is_gpu(resource) is expected


def test_the_number_of_gpus() -> None:
    assert validated(GpuCount, 64) == 64
    assert problem(GpuCount, 65).code == "out-of-range"
