"""The objects of a ModelService."""

from typing import Any

import pytest

from components.model_service.manifests import warnings
from tests.model_services import CANARY, CUSTOM, OPTIONS, arguments, objects
from tests.problems import found
from tests.schemas import assert_valid
from tests.workloads import GPU_POOL


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_is_valid_to_kubernetes(option: str) -> None:
    made = objects(**OPTIONS[option])
    assert_valid({role: manifest for role, manifest in made.items() if manifest["kind"] not in CUSTOM})


def test_the_selector_is_the_app_label_alone() -> None:
    made = objects(version="v1.2", labels={"app": "inference-server", "tier": "gold"})
    assert made["deployment"]["spec"]["selector"] == {"matchLabels": {"app": "inference-server"}}
    assert made["service"]["spec"]["selector"] == {"app": "inference-server"}
    assert made["disruption-budget"]["spec"]["selector"] == {"matchLabels": {"app": "inference-server"}}
    labels = made["deployment"]["spec"]["template"]["metadata"]["labels"]
    assert labels["model-version"] == labels["app.kubernetes.io/version"] == "v1.2"
    assert labels["app.kubernetes.io/component"] == "model-server"
    assert labels["workload-type"] == "inference"
    assert labels["tier"] == "gold"


def test_annotations_are_on_all_objects_and_pods() -> None:
    service = {"type": "LoadBalancer", "annotations": {"note": "of the Service"}, "await_address": False}
    made = objects(annotations={"note": "x"}, service=service, canary=CANARY)
    assert made["service"]["metadata"]["annotations"] == {"note": "of the Service", "pulumi.com/skipAwait": "true"}
    assert all(
        manifest["metadata"]["annotations"]["note"] == "x" for role, manifest in made.items() if role != "service"
    )
    assert all(
        made[role]["spec"]["template"]["metadata"]["annotations"] == {"note": "x"} for role in ("deployment", "canary")
    )


def test_a_new_version_changes_the_deployment_only() -> None:
    before, after = objects(version="v1"), objects(version="v2", image="server:v2")
    assert [role for role in before if before[role] != after[role]] == ["deployment"]


def test_the_startup_budget_is_the_progress_deadline() -> None:
    assert objects(startup_budget_seconds=120)["deployment"]["spec"]["progressDeadlineSeconds"] == 120


def test_old_replica_sets_are_kept_only_on_request() -> None:
    assert objects()["deployment"]["spec"]["revisionHistoryLimit"] == 0
    assert objects(revision_history=3)["deployment"]["spec"]["revisionHistoryLimit"] == 3


def test_a_model_that_is_hosted_elsewhere_has_a_service_only() -> None:
    assert list(objects(**OPTIONS["ExternalName"])) == ["service"]


GPUS = {"node_pool": GPU_POOL, "gpus": 2}
ELSEWHERE = {"type": "ExternalName", "external_name": "models.example.com"}


@pytest.mark.parametrize(
    ("given", "quota", "codes"),
    [
        ({}, {"requests.cpu": "4"}, []),
        ({**GPUS, "replicas": 2}, {}, []),
        (GPUS, {}, ["rollout-interrupts"]),
        ({**GPUS, "rollout": "surge"}, {"requests.nvidia.com/gpu": "4"}, []),
        ({**GPUS, "rollout": "surge"}, {}, ["surge-unreserved"]),
        ({"image": None, "service": ELSEWHERE}, {}, []),
    ],
)
def test_warnings(given: dict[str, Any], quota: dict[str, str], codes: list[str]) -> None:
    assert found(warnings(arguments(**given), quota)) == [(code, "rollout") for code in codes]
