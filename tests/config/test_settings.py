"""The settings of a stack: presets, references and quotas."""

from collections.abc import Mapping
from typing import Any

import pytest

from components.pod.presets import PRESETS
from config import StackSettings
from tests.broken import BROKEN, prod
from tests.stacks import problems


def test_labels_and_the_gpu_resource_of_the_user_override_those_of_a_preset() -> None:
    settings = prod()
    settings["nodePools"]["gpu"].update(nodeSelector={"zone": "a"}, gpuResource="nvidia.com/mig-1g.10gb")
    pool = StackSettings.parse(settings).node_pools["gpu"]
    assert pool.node_selector == {"cloud.google.com/gke-accelerator": "nvidia-l4", "zone": "a"}
    assert pool.gpu_resource == "nvidia.com/mig-1g.10gb"
    assert pool.tolerations[0].key == "nvidia.com/gpu"


def test_tolerations_of_the_user_precede_those_of_a_preset() -> None:
    def pool(preset: str, *tolerations: Mapping[str, str]) -> list[str]:
        settings = StackSettings.parse({"nodePools": {"gpu": {"preset": preset, "tolerations": list(tolerations)}}})
        return [toleration.key for toleration in settings.node_pools["gpu"].tolerations]

    assert pool("gke/nvidia-l4", {"key": "spot"}) == ["spot", "nvidia.com/gpu"]
    assert pool("aks/nvidia", {"key": "spot"}) == ["spot", "sku"]
    assert pool("gke/nvidia-l4", *PRESETS["gke/nvidia-l4"]["tolerations"]) == ["nvidia.com/gpu"]


def test_an_invalid_toleration_beside_a_preset_is_reported_at_its_own_index() -> None:
    stack = {"nodePools": {"gpu": {"preset": "gke/nvidia-l4", "tolerations": [{"key": "spot", "operator": "Exist"}]}}}
    (problem,) = problems(stack)
    assert problem.property_path() == "nodePools.gpu.tolerations[0].operator"


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_are_valid_node_pools(preset: str) -> None:
    pool = StackSettings.parse({"nodePools": {"gpu": {"preset": preset}}}).node_pools["gpu"]
    assert pool.gpus(2) == {PRESETS[preset]["gpuResource"]: "2"}
    assert pool.node_selector


@pytest.mark.parametrize("broken", ["a team that is a list", "no pods that may be disrupted"])
def test_an_error_of_a_value_with_several_types_is_reported_once(broken: str) -> None:
    assert len(problems(BROKEN[broken].settings())) == 1


def test_workloads_on_an_invalid_node_pool_or_team_are_not_reported_as_well() -> None:
    settings = prod()
    settings["nodePools"]["gpu"]["hourlyCost"] = -1
    settings["teams"]["ml-training"]["team"] = "nlp team"
    paths = {problem.property_path() for problem in problems(settings)}
    assert paths == {"nodePools.gpu.hourlyCost", "teams.ml-training.team"}


def test_a_team_named_by_its_key_keeps_its_namespace() -> None:
    """The conflict is reported at the team that sets its name, whichever comes first."""
    teams: dict[str, Any] = {"first": {"name": "shared"}, "shared": {}}
    assert [(p.code, p.property_path()) for p in problems({"teams": teams})] == [("name-taken", "teams.first.name")]


def test_the_workloads_of_a_namespace_count_towards_its_quota_by_either_reference() -> None:
    job = {"image": "a:b", "resources": {"requests": {"cpu": "3"}, "limits": {"cpu": "3"}}}
    stack = {
        "teams": {"nlp": {"name": "ml-nlp", "quota": {"requests.cpu": "5"}}},
        "trainingJobs": {"a": {"team": "nlp", **job}, "b": {"namespace": "ml-nlp", **job}},
    }
    (problem,) = problems(stack)
    assert (problem.code, problem.property_path()) == ("quota-exceeded", 'teams.nlp.quota["requests.cpu"]')
    assert problem.value == "6"


def test_the_tenant_of_a_workload() -> None:
    stack = StackSettings.parse(
        {
            "teams": {"nlp": {"name": "ml-nlp"}},
            "trainingJobs": {"a": {"team": "nlp", "image": "a:b"}, "b": {"namespace": "lab", "image": "a:b"}},
        }
    )
    tenants = [stack.tenant_of(job) for job in stack.training_jobs.values()]
    assert [(tenant.namespace, tenant.team) for tenant in tenants] == [("ml-nlp", "ml-nlp"), ("lab", None)]
