"""TeamNamespace: its manifests, what it registers and what it refuses."""

from typing import Any

import pytest

from components import ArgumentError, TeamNamespace, TeamNamespaceArgs
from components.team_namespace import manifests
from tests.mocks import deploy


def test_the_namespace_says_whose_it_is_and_what_its_pods_may() -> None:
    args = TeamNamespaceArgs(team="nlp", owner="dana", cost_center="cc-7", labels={"env": "prod"})
    (namespace,) = manifests("ml-training", args).values()
    assert namespace["metadata"]["name"] == "ml-training"
    assert namespace["metadata"]["labels"] == {
        "app.kubernetes.io/managed-by": "pulumi",
        "team": "nlp",
        "owner": "dana",
        "cost-center": "cc-7",
        "env": "prod",
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/audit": "restricted",
        "pod-security.kubernetes.io/warn": "restricted",
    }


def test_the_quota_is_named_after_the_namespace() -> None:
    args = TeamNamespaceArgs(name="ml-training", quota={"requests.cpu": "32", "pods": "20"})
    quota = manifests("training", args)["quota"]
    assert quota["metadata"]["name"] == "ml-training-quota"
    assert quota["metadata"]["namespace"] == "ml-training"
    assert quota["spec"] == {"hard": {"requests.cpu": "32", "pods": "20"}}


def test_the_team_is_the_component_by_default() -> None:
    assert manifests("nlp", TeamNamespaceArgs())["namespace"]["metadata"]["labels"]["team"] == "nlp"


@pytest.mark.parametrize(
    "key",
    [
        "cpu",
        "pods",
        "limits.memory",
        "requests.storage",
        "requests.nvidia.com/gpu",
        "requests.nvidia.com/mig-1g.10gb",
        "count/jobs.batch",
        "services.loadbalancers",
        "fast.storageclass.storage.k8s.io/requests.storage",
    ],
)
def test_native_quota_keys(key: str) -> None:
    assert TeamNamespaceArgs(quota={key: "1"}).quota == {key: "1"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"quota": {"limits.nvidia.com/gpu": 8}}, "write requests.nvidia.com/gpu instead of limits.nvidia.com/gpu"),
        ({"quota": {"nvidia.com/gpu": 8}}, "write requests.nvidia.com/gpu instead of nvidia.com/gpu"),
        ({"quota": {"gpus": 8}}, "is not a resource that a quota counts"),
        ({"quota": {"pods": "many"}}, "'many' is not a Kubernetes quantity"),
        ({"quota": {"pods": True}}, "must be a quantity"),
        ({"name": "kube-system"}, "name: 'kube-system' belongs to Kubernetes itself"),
        ({"name": "default"}, "name: 'default' belongs to Kubernetes itself"),
        ({"name": "ML_Training"}, "name: 'ML_Training' is refused by Kubernetes"),
        ({"name": "a" * 64}, "is refused by Kubernetes"),
        ({"pod_security": "strict"}, "pod_security: must be one of 'privileged', 'baseline' or 'restricted'"),
    ],
)
def test_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError) as refusal:
        TeamNamespaceArgs(**arguments)
    assert message in str(refusal.value)


def test_registers_the_quota_after_the_namespace() -> None:
    deployment = deploy(lambda: TeamNamespace("nlp", {"quota": {"pods": 5}}))
    assert deployment.children("nlp") == {
        "nlp-namespace": "kubernetes:core/v1:Namespace",
        "nlp-quota": "kubernetes:core/v1:ResourceQuota",
    }
    before = {urn.split("::")[-1] for urn in deployment["nlp-quota"].request.dependencies}
    assert before == {"nlp-namespace"}
    assert deployment.outputs["nlp"] == {"namespace": "nlp"}


def test_a_name_that_only_the_component_bears_is_checked_too() -> None:
    with pytest.raises(ArgumentError, match="belongs to Kubernetes itself"):
        deploy(lambda: TeamNamespace("kube-system", {}))
