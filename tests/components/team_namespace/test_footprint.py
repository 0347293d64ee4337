"""Footprints, and whether a team's quota holds them."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components import ArgumentError, ModelService, NodePool, TeamNamespace, TrainingJob
from components.base.quantities import format_quantity, parse_quantity
from components.team_namespace.footprint import Footprint, Usage, footprint
from components.team_namespace.limit_range import ContainerLimits
from tests.mocks import deploy

Resources = dict[str, dict[str, str]]

NONE = ContainerLimits()


def container(cpu: str = "1", **more: Any) -> dict[str, Any]:
    return {"name": "c", "resources": {"requests": {"cpu": cpu}, "limits": {"cpu": cpu}}, **more}


def spec(*containers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"spec": {"containers": containers or [container()], **more}}


def made(kind: str, api: str = "apps/v1", name: str = "x", **spec: Any) -> dict[str, Any]:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name}, "spec": spec}


def pod(*containers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, **spec(*containers, **more)}


def peak(objects: Iterable[dict[str, Any]], key: str, limits: ContainerLimits = NONE) -> Decimal:
    """The sum of one key."""
    found: Footprint = footprint(objects, limits)
    of_pods: Usage = {key: sum((pods.count * pods.each.get(key, Decimal(0)) for pods in found.pods), Decimal(0))}
    return of_pods[key] + found.objects.get(key, 0)


@pytest.mark.parametrize(
    ("strategy", "replicas", "pods"),
    [
        ({}, 1, 2),  # Kubernetes' own default of 25 %, rounded up
        ({}, 4, 5),
        ({}, 5, 7),
        ({"rollingUpdate": {"maxSurge": "100%"}}, 3, 6),
        ({"rollingUpdate": {"maxSurge": 0}}, 3, 3),
        ({"rollingUpdate": {"maxSurge": 2}}, 3, 5),
        ({"type": "Recreate"}, 3, 3),
    ],
)
def test_a_rollout_counts(strategy: dict[str, Any], replicas: int, pods: int) -> None:
    assert peak([made("Deployment", replicas=replicas, strategy=strategy, template=spec())], "pods") == pods


@pytest.mark.parametrize(
    ("job", "pods"),
    [
        ({}, 1),
        ({"parallelism": 4}, 4),
        ({"parallelism": 4, "completions": 2}, 2),
        ({"parallelism": 2, "completions": 8}, 2),
    ],
)
def test_pods_of_a_job_at_once(job: dict[str, Any], pods: int) -> None:
    assert peak([made("Job", "batch/v1", template=spec(), **job)], "pods") == pods


def test_pods_that_have_ended_count_as_objects() -> None:
    job = made("Job", "batch/v1", template=spec(), parallelism=2, completions=8)
    assert peak([job], "count/pods") == 8
    assert peak([job], "count/jobs.batch") == 1


@pytest.mark.parametrize(
    ("job", "pods"),
    [({}, 1 + 6), ({"backoffLimit": 2}, 1 + 2), ({"completions": 4, "backoffLimitPerIndex": 2}, 4 + 4 * 2)],
)
def test_pods_that_have_failed_count_as_objects(job: dict[str, Any], pods: int) -> None:
    never = spec(restartPolicy="Never")
    assert peak([made("Job", "batch/v1", template=never, **job)], "count/pods") == pods
    assert peak([made("Job", "batch/v1", template=never, **job)], "pods") == 1


def test_a_job_set_counts_all_its_jobs() -> None:
    leader = {"replicas": 1, "template": {"spec": {"template": spec()}}}
    workers = {"replicas": 3, "template": {"spec": {"parallelism": 2, "completions": 2, "template": spec()}}}
    job_set = made("JobSet", "jobset.x-k8s.io/v1alpha2", replicatedJobs=[leader, workers])
    assert peak([job_set], "pods") == 7
    assert peak([job_set], "count/jobs.batch") == 4
    assert peak([job_set], "count/jobsets.jobset.x-k8s.io") == 1


@pytest.mark.parametrize(
    "scaler",
    [
        made(
            "HorizontalPodAutoscaler",
            "autoscaling/v2",
            scaleTargetRef={"kind": "Deployment", "name": "x"},
            maxReplicas=8,
        ),
        made("ScaledObject", "keda.sh/v1alpha1", scaleTargetRef={"name": "x"}, maxReplicaCount=8),
    ],
)
def test_an_autoscaler_counts_up_to_its_maximum(scaler: dict[str, Any]) -> None:
    deployment = made("Deployment", template=spec(), strategy={"rollingUpdate": {"maxSurge": "25%"}})
    assert peak([scaler, deployment], "pods") == 10
    other = made("Deployment", name="other", replicas=1, template=spec(), strategy={"type": "Recreate"})
    assert peak([scaler, deployment, other], "pods") == 11


def test_the_larger_of_init_and_main_containers_counts() -> None:
    assert (
        peak([pod(container("1"), container("2"), initContainers=[container("5"), container("4")])], "requests.cpu")
        == 5
    )
    assert peak([pod(container("4"), container("2"), initContainers=[container("5")])], "requests.cpu") == 6


def test_a_sidecar_runs_beside_the_others_that_come_after_it() -> None:
    sidecar = container("2", restartPolicy="Always")
    assert peak([pod(container("1"), initContainers=[sidecar])], "requests.cpu") == 3
    assert peak([pod(container("1"), initContainers=[sidecar, container("5")])], "requests.cpu") == 7
    assert peak([pod(container("1"), initContainers=[container("5"), sidecar])], "requests.cpu") == 5


def test_a_request_that_is_not_named_is_the_limit_or_the_default() -> None:
    limits = ContainerLimits(default_request={"memory": "1Gi"}, default={"cpu": "2", "memory": "2Gi"})
    bare = pod({"name": "c"})
    assert peak([bare], "requests.memory", limits) == parse_quantity("1Gi")
    assert peak([bare], "limits.memory", limits) == parse_quantity("2Gi")
    assert peak([bare], "requests.cpu", limits) == 2
    limited = pod({"name": "c", "resources": {"limits": {"memory": "4Gi", "nvidia.com/gpu": "2"}}})
    assert peak([limited], "requests.memory", limits) == parse_quantity("4Gi")
    assert peak([limited], "requests.nvidia.com/gpu", limits) == 2
    assert peak([limited], "nvidia.com/gpu") == 0


@pytest.mark.parametrize(
    ("service", "ports", "balancers"),
    [
        ({}, 0, 0),
        ({"type": "NodePort"}, 2, 0),
        ({"type": "LoadBalancer"}, 2, 1),
        ({"type": "LoadBalancer", "allocateLoadBalancerNodePorts": False}, 0, 1),
    ],
)
def test_the_ports_of_a_service(service: dict[str, Any], ports: int, balancers: int) -> None:
    objects = [made("Service", "v1", ports=[{"port": 80}, {"port": 81}], **service)]
    assert peak(objects, "services.nodeports") == ports
    assert peak(objects, "services.loadbalancers") == balancers
    assert peak(objects, "services") == peak(objects, "count/services") == 1


def test_storage_counts_by_class_and_for_each_pod_that_has_a_volume_of_its_own() -> None:
    claim: dict[str, Any] = {"storageClassName": "fast", "resources": {"requests": {"storage": "10Gi"}}}
    template = spec(volumes=[{"name": "v", "ephemeral": {"volumeClaimTemplate": {"spec": claim}}}])
    objects = [
        made("PersistentVolumeClaim", "v1", **claim),
        made("Deployment", replicas=2, strategy={"type": "Recreate"}, template=template),
    ]
    by_class = "fast.storageclass.storage.k8s.io"
    assert peak(objects, "requests.storage") == peak(objects, f"{by_class}/requests.storage") == parse_quantity("30Gi")
    assert peak(objects, "persistentvolumeclaims") == peak(objects, f"{by_class}/persistentvolumeclaims") == 3


@given(st.decimals(min_value=0, max_value=10**15, places=3), st.sampled_from(["cpu", "requests.memory", "pods"]))
def test_a_spelled_quantity_is_enough(value: Decimal, resource: str) -> None:
    again = parse_quantity(format_quantity(value, resource))
    assert value <= again
    assert again - value <= value / 500 + Decimal("0.001")


@pytest.mark.parametrize(
    ("value", "resource", "text"),
    [("40", "requests.cpu", "40"), ("72.5Gi", "limits.memory", "72.5Gi"), ("1500m", "cpu", "1.5"), ("0", "pods", "0")],
)
def test_quantities_are_spelled_as_people_do(value: str, resource: str, text: str) -> None:
    assert format_quantity(parse_quantity(value), resource) == text


POOL = NodePool(image="server:v1", gpu_resource="nvidia.com/gpu")
SMALL = {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1Gi"}}


def refused(team: dict[str, Any], *workloads: tuple[type, str, dict[str, Any]]) -> str:
    """What a team says to workloads that it cannot hold; nothing of the one refused is registered."""
    registered: list[str] = []

    def program() -> None:
        namespace = TeamNamespace("nlp", team)
        for kind, name, arguments in workloads:
            kind(name, {"team": namespace, "node_pool": POOL, "resources": SMALL, **arguments})
            registered.append(name)

    with pytest.raises(ArgumentError) as refusal:
        deploy(program)
    assert registered == [name for _, name, _ in workloads][:-1]
    return str(refusal.value)


def test_a_sum_above_the_quota_is_refused_with_every_share() -> None:
    message = refused(
        {"quota": {"requests.nvidia.com/gpu": 8}},
        (TrainingJob, "pretrain", {"gpus": 4}),
        (ModelService, "bert", {"gpus": 2, "replicas": 2, "rollout": "surge"}),
    )
    assert message.startswith('TeamNamespace nlp.quota["requests.nvidia.com/gpu"]: ')
    assert "10 of requests.nvidia.com/gpu would be in use, and the quota is 8: " in message
    assert "ModelService bert 6 (2 replicas and 1 during a rollout, 2 each)" in message
    assert "TrainingJob pretrain 4 (1 at once, 4 each)" in message


def test_what_fits_to_the_last_is_accepted() -> None:
    def program() -> None:
        team = TeamNamespace("nlp", {"quota": {"pods": 5, "requests.nvidia.com/gpu": 10, "requests.cpu": "5"}})
        common = {"team": team, "node_pool": POOL, "resources": SMALL}
        TrainingJob("pretrain", {**common, "gpus": 4})
        ModelService("bert", {**common, "gpus": 2, "replicas": 2, "rollout": "surge"})
        TrainingJob("tune", {**common})

    assert "tune-job" in deploy(program).names()


def test_the_namespaces_own_objects_count() -> None:
    message = refused({"quota": {"configmaps": 0}})
    assert "TeamNamespace nlp 1" in message
    assert "count/networkpolicies.networking.k8s.io" in refused(
        {"quota": {"count/networkpolicies.networking.k8s.io": 2}}
    )


def test_only_a_class_with_a_quota_may_be_used_and_only_up_to_it() -> None:
    team = {"priority_quotas": {"training": {"pods": 1}}, "quota": {"pods": 10}}
    job = {"priority_class": "training"}
    message = refused(team, (TrainingJob, "a", job), (TrainingJob, "b", {}), (TrainingJob, "c", job))
    assert "2 of pods would be in use, and the quota is 1: TrainingJob a 1" in message
    assert message.startswith("TeamNamespace nlp.priority_quotas.training.pods: ")
    assert "TrainingJob b" not in message
    message = refused(team, (TrainingJob, "a", {"priority_class": "urgent"}))
    assert message.startswith("TrainingJob a.priority_class: the team may not use the PriorityClass urgent")
    assert "would be in use" not in message


@pytest.mark.parametrize(
    ("limits", "resources", "message"),
    [
        ({}, {"requests": {"cpu": "1"}}, "container trainer names no limits.cpu, and the team's quota counts it"),
        (
            {"max": {"cpu": "2"}},
            {"limits": {"cpu": "3"}},
            "3 of cpu for container trainer is above the team's maximum of 2",
        ),
        (
            {"default": {"cpu": "2"}},
            {"requests": {"cpu": "3"}},
            "container trainer asks for 3 of cpu without a limit, and gets one of 2",
        ),
    ],
)
def test_a_container_that_would_never_be_admitted_is_refused(
    limits: dict[str, Any], resources: Resources, message: str
) -> None:
    team = {"container_limits": limits, "quota": {"limits.cpu": "100"}}
    assert f"TrainingJob a.resources: {message}" in refused(team, (TrainingJob, "a", {"resources": resources}))


@pytest.mark.parametrize(
    ("given", "team", "message"),
    [
        (
            {"security": {"run_as_root": True}},
            {},
            "security: its containers run as root, which Pod Security restricted refuses\n"
            "  remove it, or set the team's podSecurity to baseline",
        ),
        ({"security": {"run_as_root": True}}, {"pod_security": "baseline"}, None),
        (
            {"security": {"capabilities": ["IPC_LOCK"]}},
            {"pod_security": "baseline"},
            "security: its containers have the capability IPC_LOCK, which Pod Security baseline refuses\n"
            "  remove it, or set the team's podSecurity to privileged",
        ),
        ({"security": {"capabilities": ["NET_BIND_SERVICE"]}}, {}, None),
        (
            {"resources": {"requests": {"cpu": "1"}}, "shared_memory": "8Gi"},
            {},
            "resources: 8Gi of memory used as a disk counts as a container's own, and a container that names no limit "
            "gets 1Gi by the team's containerLimits\n  set resources.limits.memory",
        ),
        ({"resources": {"requests": {"cpu": "1"}}, "shared_memory": "1Gi"}, {}, None),
        (
            {},
            {"registries": ["ghcr.io/acme", "quay.io/acme/b"]},
            "image: a:v1 comes from none of the team's registries: ghcr.io/acme, quay.io/acme/b\n"
            "  take it from there, or add its place to the team's registries",
        ),
        ({}, {"registries": ["a"]}, None),
        ({"image": pulumi.Output.from_input("b:v1")}, {"registries": ["a"]}, None),
    ],
)
def test_pods_that_the_team_would_refuse_or_kill_are_refused(
    given: dict[str, Any], team: dict[str, Any], message: str | None
) -> None:
    def program() -> None:
        TrainingJob("a", {"image": "a:v1", **given, "team": TeamNamespace("nlp", team)})

    if message is None:
        deploy(program)
        return
    with pytest.raises(ArgumentError) as refusal:
        deploy(program)
    assert str(refusal.value) == f"TrainingJob a.{message}"


def test_a_team_that_does_not_serve_has_no_load_balancer() -> None:
    message = refused({}, (ModelService, "bert", {"service": {"type": "LoadBalancer"}}))
    assert "1 of services.loadbalancers would be in use, and the quota is 0: ModelService bert 1" in message
    assert "set serves: true" in message
    assert "nodeports" not in message


@pytest.mark.parametrize("serves", [True, False])
def test_a_team_that_has_forbidden_itself_load_balancers_is_told_of_its_quota(*, serves: bool) -> None:
    team = {"serves": serves, "quota": {"services.loadbalancers": "0", "services.nodeports": "9"}}
    message = refused(team, (ModelService, "bert", {"service": {"type": "LoadBalancer"}}))
    assert '.quota["services.loadbalancers"]: 1 of services.loadbalancers would be in use' in message
    assert "set serves" not in message
