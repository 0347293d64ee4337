"""The quota check, compared with the API server's admission and with the rollouts of the real controllers."""

import copy
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from components import ModelServiceArgs, NodePool, TeamNamespaceArgs, TrainingJobArgs, model_service, training_job
from components.base.quantities import format_quantity
from components.team_namespace.footprint import Footprint, footprint
from components.team_namespace.limit_range import ContainerLimits
from components.team_namespace.manifests import manifests
from components.team_namespace.quota_check import NamespaceConstraints, quota_problems
from tests.e2e.api import Api, Object
from tests.e2e.peak import at_peak
from tests.e2e.project import Project

POOL = NodePool(image="server:v1", gpu_resource="nvidia.com/gpu")
MIXES = 240
_CONNECTIONS = 4


@dataclass(frozen=True)
class Mix:
    """A team with workloads that may exceed its quota."""

    namespace: str
    team: TeamNamespaceArgs
    workloads: dict[str, list[Object]]

    def expected_to_fit(self) -> bool:
        """Whether the quota check reports no problem."""
        footprints = {name: footprint(objects, self.team.limits()) for name, objects in self.workloads.items()}
        return not list(
            quota_problems(
                NamespaceConstraints(self.team.resource_quotas(self.namespace), self.team.limits()), footprints
            )
        )


def mixes(seed: int) -> Iterator[Mix]:
    """Teams whose quotas are close to what their workloads need, and often exactly that."""
    dice = random.Random(seed)  # noqa: S311
    for index in range(MIXES):
        namespace = f"mix-{index}"
        owner = TeamNamespaceArgs().tenant(namespace)
        limits = ContainerLimits.of(_limits(dice))
        workloads = {}
        for number in range(dice.randint(1, 3)):
            name = f"w{number}"
            common = _workload(dice, namespace)
            if dice.random() < 0.5:
                job = TrainingJobArgs(**common, **dice.choice(_JOBS))
                workloads[name] = list(training_job.manifests(name, job, owner).values())
            else:
                service = ModelServiceArgs(**common, **dice.choice(_SERVICES))
                workloads[name] = list(model_service.manifests(name, service, owner).values())
        footprints = [footprint(objects, limits) for objects in workloads.values()]
        quota = _quota(dice, _total(footprints))
        high = sum(pods.count for one in footprints for pods in one.pods if pods.priority_class == "training")
        pods = str(max(0, high + dice.choice([0, 0, 1, 5, -1])))
        priorities: Any = {"training": {"pods": pods}} if dice.random() < 0.9 else {}
        try:
            team = TeamNamespaceArgs(container_limits=limits, quota=quota, priority_quotas=priorities)
        except ValueError:  # limits that the quota never admits are invalid
            team = TeamNamespaceArgs(quota=quota, priority_quotas=priorities)
        yield Mix(namespace, team, workloads)


_JOBS: list[dict[str, Any]] = [
    {},
    {"controller": "pod"},
    {"workers": 3},
    {"workers": 4, "distributed": "torchrun"},
    {"workers": 2, "distributed": "torchrun", "restart": "group"},
]
_SERVICES: list[dict[str, Any]] = [
    {},
    {"replicas": 3, "rollout": "surge"},
    {"replicas": 5, "rollout": "surge"},
    {"replicas": 4, "rollout": "replace"},
    {"autoscale": {"max": 5, "metric": {"name": "waiting", "target": "5"}}},
    {"replicas": 2, "canary": {"image": "server:v2", "weight": 30}},
]


def _limits(dice: random.Random) -> dict[str, Any]:
    choices: list[dict[str, Any]] = [
        {},
        {"default": {"cpu": "500m", "memory": "512Mi"}},
        {"default_request": {"cpu": "250m", "memory": "128Mi"}, "default": {"cpu": "2", "memory": "3Gi"}},
        {"max": {"cpu": "4", "memory": "6Gi"}},
        {"default": {"memory": "1Gi"}, "max": {"cpu": "3"}},
    ]
    return dice.choice(choices)


def _workload(dice: random.Random, namespace: str) -> dict[str, Any]:
    def resources() -> dict[str, Any]:
        cpu, memory = dice.choice(["250m", "1", "1.5", "3"]), dice.choice(["256Mi", "1Gi", "2.5Gi", "4G"])
        full, small = {"cpu": cpu, "memory": memory}, {"cpu": "100m", "memory": "100M"}
        choices: list[dict[str, Any]] = [
            {"limits": full},
            {"limits": full, "requests": small},
            {"requests": full},
            {"limits": {"memory": memory}, "requests": {"cpu": cpu}},
        ]
        # The default limit is often too low for a container without a limit, which is not what is tested here.
        return dice.choices(choices, weights=[5, 5, 1, 1])[0]

    init = [{"name": f"i{index}", "resources": resources()} for index in range(dice.choice([0, 0, 1, 2]))]
    return {
        "namespace": namespace,
        "node_pool": POOL,
        "resources": resources(),
        "gpus": dice.choice([0, 0, 1, 4]),
        "init_containers": init,
        "priority_class": dice.choices([None, "training", "urgent"], weights=[30, 8, 1])[0],
    }


def _total(footprints: list[Footprint]) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for one in footprints:
        for pods in one.pods:
            for key, value in pods.each.items():
                total[key] = total.get(key, Decimal(0)) + value * pods.count
    return total


def _quota(dice: random.Random, total: dict[str, Decimal]) -> dict[str, str]:
    """Some keys, each equal to the total, slightly below it, or above it."""
    counted = ["pods", "cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"]
    keys = dice.sample(counted, dice.randint(1, 4))
    if dice.random() < 0.5:
        keys.append("requests.nvidia.com/gpu")
    quota = {}
    for key in keys:
        value = total.get(key, Decimal(0))
        step = Decimal(1) if key in {"pods", "requests.nvidia.com/gpu"} else Decimal("0.001")
        value += step * dice.choice([0, 0, 0, 0, 0, 0, 1, 10, -1]) if value else 0
        quota[key] = format_quantity(value, "")
    return quota


def prepare(api: Api, mix: Mix) -> None:
    """Create the namespace of a mix, with the quotas and limits of the component."""
    api.create("/api/v1/namespaces", {"metadata": {"name": mix.namespace}})
    path = f"/api/v1/namespaces/{mix.namespace}"
    account = {"metadata": {"name": "default"}}
    assert api.request("POST", f"{path}/serviceaccounts", account)[0] in {201, 409}
    for manifest in manifests(mix.namespace, mix.team).values():
        if manifest["kind"] in {"ResourceQuota", "LimitRange"}:
            plural = manifest["kind"].lower() + "s"
            api.create(f"{path}/{plural}", manifest)


def fits(api: Api, mix: Mix) -> bool:
    """Whether the API server admits every pod of a mix at its peak."""
    path = f"/api/v1/namespaces/{mix.namespace}"
    end = time.monotonic() + 60
    while any("hard" not in quota.get("status", {}) for quota in api.get(f"{path}/resourcequotas")["items"]):
        assert time.monotonic() < end, "the quota controller did not count the quotas in time"
        time.sleep(0.1)
    for manifest in (manifest for objects in mix.workloads.values() for manifest in at_peak(objects)):
        status, response = api.request("POST", f"{path}/pods", manifest)
        if status != 201:
            assert status in {403, 422}, response
            return False
    return True


def test_the_quota_check_agrees_with_the_api_server(project: Project, api: Api) -> None:
    for name, value in (("training", 1000), ("urgent", 10000)):
        api.create("/apis/scheduling.k8s.io/v1/priorityclasses", {"metadata": {"name": name}, "value": value})
    all_mixes = list(mixes(seed=20))
    for mix in all_mixes:
        prepare(api, mix)

    def compare(part: list[Mix]) -> list[tuple[Mix, bool]]:
        with closing(Api(project.layout)) as own:
            return [(mix, fits(own, mix)) for mix in part]

    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        parts = pool.map(compare, [all_mixes[index::_CONNECTIONS] for index in range(_CONNECTIONS)])
        compared = [pair for part in parts for pair in part]
    false_alarms = [mix.namespace for mix, admitted in compared if admitted and not mix.expected_to_fit()]
    misses = [mix.namespace for mix, admitted in compared if not admitted and mix.expected_to_fit()]
    assert (false_alarms, misses) == ([], [])
    admitted = sum(admitted for _, admitted in compared)
    assert len(compared) == MIXES
    assert MIXES / 4 < admitted < MIXES * 3 / 4, "nearly all mixes fit, or nearly none"


@pytest.mark.parametrize("replicas", [1, 4, 5])
def test_a_rollout_has_as_many_pods_as_the_footprint(api: Api, replicas: int) -> None:
    """With the real controllers: a rollout whose new pods never become ready stays at its peak."""
    name = f"rolling-{replicas}"
    service = ModelServiceArgs(namespace=name, image="server:v1", replicas=replicas, rollout="surge")
    objects = model_service.manifests(name, service, service.tenant())
    manifest = copy.deepcopy(objects["deployment"])
    manifest["spec"]["template"]["spec"].pop("serviceAccountName")
    (counted,) = footprint(objects.values(), TeamNamespaceArgs().limits()).pods
    path = f"/apis/apps/v1/namespaces/{name}/deployments"
    api.create("/api/v1/namespaces", {"metadata": {"name": name}})
    api.create(path, manifest)

    def pods() -> int:
        items = api.get(f"/api/v1/namespaces/{name}/pods?labelSelector=app%3D{name}")["items"]
        return sum("deletionTimestamp" not in item["metadata"] for item in items)

    def ready() -> int:
        number: int = api.get(f"{path}/{name}").get("status", {}).get("readyReplicas", 0)
        return number

    wait(lambda: ready() == replicas)
    change = {"spec": {"template": {"spec": {"schedulerName": "none"}}}}
    assert api.request("PATCH", f"{path}/{name}", change)[0] == 200
    wait(lambda: pods() == counted.count)
    time.sleep(1)
    assert pods() == counted.count


def wait(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "the condition did not become true in time"
        time.sleep(0.2)
