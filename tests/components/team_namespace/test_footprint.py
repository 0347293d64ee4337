"""Footprints: the peak of each kind of object, by quota key."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest

from components.base.quantities import parse_quantity
from components.team_namespace.footprint import Footprint, Usage, footprint
from components.team_namespace.limit_range import ContainerLimits

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
    """The usage of one key."""
    found: Footprint = footprint(objects, limits)
    of_pods: Usage = {key: sum((pods.count * pods.each.get(key, Decimal(0)) for pods in found.pods), Decimal(0))}
    return of_pods[key] + found.objects.get(key, 0)


@pytest.mark.parametrize(
    ("strategy", "replicas", "pods"),
    [
        ({}, 1, 2),  # the default of 25 %, rounded up
        ({}, 4, 5),
        ({}, 5, 7),
        ({"rollingUpdate": {"maxSurge": "100%"}}, 3, 6),
        ({"rollingUpdate": {"maxSurge": 0}}, 3, 3),
        ({"rollingUpdate": {"maxSurge": 2}}, 3, 5),
        ({"type": "Recreate"}, 3, 3),
    ],
)
def test_a_rollout_adds_its_surge(strategy: dict[str, Any], replicas: int, pods: int) -> None:
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
def test_running_pods_of_a_job(job: dict[str, Any], pods: int) -> None:
    assert peak([made("Job", "batch/v1", template=spec(), **job)], "pods") == pods


def test_completed_pods_count_as_objects() -> None:
    job = made("Job", "batch/v1", template=spec(), parallelism=2, completions=8)
    assert peak([job], "count/pods") == 8
    assert peak([job], "count/jobs.batch") == 1


@pytest.mark.parametrize(
    ("job", "pods"),
    [({}, 1 + 6), ({"backoffLimit": 2}, 1 + 2), ({"completions": 4, "backoffLimitPerIndex": 2}, 4 + 4 * 2)],
)
def test_failed_pods_count_as_objects(job: dict[str, Any], pods: int) -> None:
    never = spec(restartPolicy="Never")
    assert peak([made("Job", "batch/v1", template=never, **job)], "count/pods") == pods
    assert peak([made("Job", "batch/v1", template=never, **job)], "pods") == 1


def test_a_jobset_is_the_sum_of_its_jobs() -> None:
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
def test_an_autoscaled_workload_counts_its_maximum(scaler: dict[str, Any]) -> None:
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


def test_a_sidecar_is_added_to_the_containers_that_start_after_it() -> None:
    sidecar = container("2", restartPolicy="Always")
    assert peak([pod(container("1"), initContainers=[sidecar])], "requests.cpu") == 3
    assert peak([pod(container("1"), initContainers=[sidecar, container("5")])], "requests.cpu") == 7
    assert peak([pod(container("1"), initContainers=[container("5"), sidecar])], "requests.cpu") == 5


def test_a_missing_request_is_the_limit_or_the_default() -> None:
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
def test_node_ports_and_load_balancers_of_a_service(service: dict[str, Any], ports: int, balancers: int) -> None:
    objects = [made("Service", "v1", ports=[{"port": 80}, {"port": 81}], **service)]
    assert peak(objects, "services.nodeports") == ports
    assert peak(objects, "services.loadbalancers") == balancers
    assert peak(objects, "services") == peak(objects, "count/services") == 1


def test_storage_counts_by_class_and_an_ephemeral_volume_once_per_pod() -> None:
    claim: dict[str, Any] = {"storageClassName": "fast", "resources": {"requests": {"storage": "10Gi"}}}
    template = spec(volumes=[{"name": "v", "ephemeral": {"volumeClaimTemplate": {"spec": claim}}}])
    objects = [
        made("PersistentVolumeClaim", "v1", **claim),
        made("Deployment", replicas=2, strategy={"type": "Recreate"}, template=template),
    ]
    by_class = "fast.storageclass.storage.k8s.io"
    assert peak(objects, "requests.storage") == peak(objects, f"{by_class}/requests.storage") == parse_quantity("30Gi")
    assert peak(objects, "persistentvolumeclaims") == peak(objects, f"{by_class}/persistentvolumeclaims") == 3


@pytest.mark.parametrize(
    ("manifest", "description"),
    [
        (pod(), "1 pod"),
        (made("Deployment", replicas=1, strategy={"type": "Recreate"}, template=spec()), "1 replica"),
        (made("Deployment", replicas=3, template=spec()), "3 replicas and 1 during a rollout"),
        (made("StatefulSet", replicas=2, template=spec()), "2 replicas"),
        (made("Job", "batch/v1", template=spec()), "1 pod"),
        (made("Job", "batch/v1", parallelism=4, template=spec()), "4 pods"),
        (made("CronJob", "batch/v1", jobTemplate={"spec": {"template": spec()}}), "1 pod"),
    ],
)
def test_the_count_of_pods_in_words(manifest: dict[str, Any], description: str) -> None:
    (pods,) = footprint([manifest], NONE).pods
    assert pods.description == description


def test_what_the_constraints_of_a_namespace_are_checked_with() -> None:
    memory = {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "2Gi"}}
    disk = {"name": "tmp", "emptyDir": {"sizeLimit": "9Gi"}}
    manifest = pod(
        container(image="a:b", securityContext={"capabilities": {"add": ["CHOWN"]}}),
        initContainers=[container(image="c:d")],
        volumes=[memory, disk, {"name": "weights", "image": {"reference": "e:f"}}],
        priorityClassName="high",
    )
    (pods,) = footprint([manifest], NONE).pods
    assert pods.priority_class == "high"
    assert pods.images == {"a:b", "c:d", "e:f"}
    assert pods.memory_volume == parse_quantity("2Gi")
    assert list(pods.restricted_violations.values()) == ["baseline"]


def test_the_quota_keys_that_a_container_sets() -> None:
    limits = ContainerLimits(default_request={"cpu": "1"})
    (found,) = footprint([pod({"name": "c", "resources": {"limits": {"memory": "1Gi"}}})], limits).pods[0].containers
    assert found.quota_keys() == {"cpu", "memory", "requests.cpu", "requests.memory", "limits.memory"}


def test_a_deployment_keeps_replica_sets_of_its_history() -> None:
    history = made("Deployment", replicas=1, revisionHistoryLimit=3, template=spec())
    assert peak([history], "count/replicasets.apps") == 5


@pytest.mark.parametrize(
    ("kind", "api", "key"),
    [
        ("NetworkPolicy", "networking.k8s.io/v1", "count/networkpolicies.networking.k8s.io"),
        ("Ingress", "networking.k8s.io/v1", "count/ingresses.networking.k8s.io"),
        ("ConfigMap", "v1", "configmaps"),
        ("ConfigMap", "v1", "count/configmaps"),
        ("ServiceAccount", "v1", "count/serviceaccounts"),
    ],
)
def test_objects_count_by_their_plural(kind: str, api: str, key: str) -> None:
    assert peak([made(kind, api)], key) == 1
