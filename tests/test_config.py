"""The loader: what a stack may say, and what it is told where it says something else."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pulumi
import pytest
import yaml

from config import StackError, load, load_file, schema
from config.presets import PRESETS
from tests.mocks import deploy

PROJECT = Path(__file__).resolve().parent.parent
PROD = yaml.safe_load((PROJECT / "Pulumi.prod.yaml").read_text(encoding="utf-8"))


def prod() -> dict[str, Any]:
    """The settings of the prod stack, to be broken."""
    settings = {key.split(":", 1)[1]: value for key, value in PROD["config"].items()}
    return copy.deepcopy(settings)


def through_the_engine(settings: dict[str, Any]) -> None:
    """Load settings as the engine hands them to the program."""
    config = {f"ml-platform:{key}": json.dumps(value) for key, value in settings.items()}
    deploy(load, stack="prod", config=config)


def through_the_file(settings: dict[str, Any], folder: Path) -> None:
    """Load settings from a stack's file."""
    content = {"config": {f"ml-platform:{key}": value for key, value in settings.items()}}
    (folder / "Pulumi.prod.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    load_file("prod", folder)


Break = Callable[[dict[str, Any]], None]

_JOB = "ml-platform:trainingJobs.pytorch-training"
_SERVICE = "ml-platform:modelServices.model-serving"


def _in(section: str, entry: str, **changes: Any) -> Break:
    return lambda settings: settings[section][entry].update(changes)


def _job(**changes: Any) -> Break:
    return _in("trainingJobs", "pytorch-training", **changes)


def _service(**changes: Any) -> Break:
    return _in("modelServices", "model-serving", **changes)


def _add(section: str, name: str, **arguments: Any) -> Break:
    return lambda settings: settings[section].update({name: arguments})


def _quota(**changes: Any) -> Break:
    return lambda settings: settings["teams"]["ml-training"]["quota"].update(changes)


# What is wrong, where it is said to be wrong, and a part of the mend.
BROKEN: dict[str, tuple[Break, str, str]] = {
    "no replicas": (_service(replicas=0), f"{_SERVICE}.replicas: must be at least 1 (got 0)", "3 --stack prod"),
    "replicas as text": (_service(replicas="three"), f"{_SERVICE}.replicas: must be a whole number", "3 --stack prod"),
    "replicas as a list": (_service(replicas=[3]), f"{_SERVICE}.replicas: must be a whole number (got a list)", "3"),
    "a misspelled argument": (
        _service(replica=3),
        f"{_SERVICE}.replica: is not a known key (did you mean",
        "config rm",
    ),
    "an argument in Python's spelling": (_job(node_pool="gpu"), f"{_JOB}.node_pool: is not a known key", "'nodePool'"),
    "a misspelled section": (
        lambda settings: settings.update(modelService={}),
        "ml-platform:modelService: is not a known key (did you mean 'modelServices'?)",
        "pulumi config rm",
    ),
    "a section that is a list": (
        lambda settings: settings.update(teams=["nlp"]),
        "ml-platform:teams: must be a mapping of names to values (got a list)",
        "for example",
    ),
    "an unknown team": (
        _job(team="ml-trainin"),
        f"{_JOB}.team: there is no team 'ml-trainin'",
        "team ml-training --stack",
    ),
    "an unknown node pool": (_job(nodePool="gpus"), f"{_JOB}.nodePool: there is no node pool 'gpus'", "nodePool gpu "),
    "an unknown preset": (
        _in("nodePools", "gpu", preset="gke/nvidia-l5"),
        "ml-platform:nodePools.gpu.preset: there is no preset 'gke/nvidia-l5'",
        "preset gke/nvidia-l4 --stack prod",
    ),
    "neither team nor namespace": (_job(team=None), f"{_JOB}.team: a workload has a team or a namespace", "give team"),
    "both team and namespace": (_job(namespace="lab"), f"{_JOB}.team: a workload has a team or a", "keep team"),
    "a request above its limit": (
        _job(resources={"requests": {"cpu": "16"}, "limits": {"cpu": "8"}}),
        f"{_JOB}.resources.requests.cpu: 16 is above the limit of 8",
        "raise the limit or lower the request",
    ),
    "a memory size that is none": (
        _job(resources={"limits": {"memory": "16GB"}}),
        f"{_JOB}.resources.limits.memory: '16GB' is not a Kubernetes quantity",
        "memory 16G --stack prod",
    ),
    "shared memory above the memory limit": (
        _job(sharedMemory="20Gi"),
        f"{_JOB}.sharedMemory: 20Gi is above the memory limit of 16Gi",
        "sharedMemory 16Gi --stack prod",
    ),
    "a GPU limit in a quota": (
        _quota(**{"limits.nvidia.com/gpu": "8"}),
        'ml-platform:teams.ml-training.quota["limits.nvidia.com/gpu"]: a quota counts nvidia.com/gpu by its requests',
        "write requests.nvidia.com/gpu instead",
    ),
    "a quota on nothing that is counted": (
        _quota(gpu="8"),
        "ml-platform:teams.ml-training.quota.gpu: is not a resource that a quota counts",
        "requests.nvidia.com/gpu",
    ),
    "GPUs on a pool that has none": (_job(nodePool="cpu"), f"{_JOB}.gpus: the node pool has no GPUs", "gpus 0 --stack"),
    "GPUs among the resources": (
        _job(resources={"limits": {"nvidia.com/gpu": "1"}}),
        f'{_JOB}.resources.limits["nvidia.com/gpu"]: GPUs are counted by the workload\'s gpus',
        "set gpus",
    ),
    "a negative number of GPUs": (_job(gpus=-1), f"{_JOB}.gpus: must be at least 0 (got -1)", "gpus 0 --stack prod"),
    "a namespace of Kubernetes' own": (
        _in("teams", "ml-training", name="kube-system"),
        "ml-platform:teams.ml-training.name: 'kube-system' belongs to Kubernetes itself",
        "name team-kube-system --stack prod",
    ),
    "a team named as a namespace of Kubernetes' own": (
        _add("teams", "kube-public"),
        "ml-platform:teams.kube-public: 'kube-public' belongs to Kubernetes itself",
        "rename it, for example to team-kube-public",
    ),
    "two teams with one namespace": (
        _in("teams", "ml-serving", name="ml-training"),
        "ml-platform:teams.ml-serving.name: namespace ml-training already belongs to team ml-training",
        "give each team a namespace of its own",
    ),
    "a job name that Kubernetes refuses": (
        _add("trainingJobs", "BERT_Large", team="ml-training", image="a:b"),
        "ml-platform:trainingJobs.BERT_Large: 'BERT_Large' is refused by Kubernetes",
        "rename it, for example to bert-large",
    ),
    "a service name that Kubernetes refuses": (
        _service(service={"name": "1-api"}),
        f"{_SERVICE}.service.name: '1-api' is refused by Kubernetes",
        "service.name svc-1-api --stack prod",
    ),
    "a label value that Kubernetes refuses": (
        _service(version="v1.2 (beta)"),
        f"{_SERVICE}.version: 'v1.2 (beta)' is refused by Kubernetes",
        "version v1.2-beta --stack prod",
    ),
    "a port out of range": (_service(port=80800), f"{_SERVICE}.port: must be at most 65535", "port 8080 --stack prod"),
    "a node port out of range": (
        _service(service={"type": "NodePort", "nodePort": 8080}),
        f"{_SERVICE}.service.nodePort: must be at least 30000 (got 8080)",
        "nodePort 30000 --stack prod",
    ),
    "a node port of a load balancer": (
        _service(service={"type": "LoadBalancer", "nodePort": 30080}),
        f"{_SERVICE}.service.nodePort: goes with the type NodePort, not LoadBalancer",
        "set type: NodePort or remove nodePort",
    ),
    "an unknown type of service": (
        _service(service={"type": "Loadbalancer"}),
        f"{_SERVICE}.service.type: must be one of 'ClusterIP', 'NodePort', 'LoadBalancer' or 'ExternalName' (got 'Loadbalancer')",
        "service.type ClusterIP --stack prod",
    ),
    "an image reference that cannot be": (
        _service(image="myregistry/Bert:v1"),
        f"{_SERVICE}.image: 'myregistry/Bert:v1' is not an image reference",
        "myregistry/bert-serving:v1.2 --stack prod",
    ),
    "no image at all": (
        lambda settings: settings["nodePools"]["gpu"].pop("image"),
        f"{_JOB}.image: no image: neither the workload nor its node pool names one",
        "set image, or a nodePool that has one",
    ),
    "a probe on a port that nobody opens": (
        _service(health={"readiness": {"path": "/health", "port": 9090}}),
        f"{_SERVICE}.health.readiness.port: no container listens on 9090",
        "remove it",
    ),
    "two workloads that select each other's pods": (
        _add("modelServices", "twin", team="ml-serving", image="a:b", labels={"app": "inference-server"}),
        "ml-platform:modelServices.twin.labels.app: 'inference-server' also selects the pods of model-serving",
        "give each workload its own app label",
    ),
    "two services of one name": (
        _add("modelServices", "twin", team="ml-serving", image="a:b", service={"name": "model-api"}),
        "ml-platform:modelServices.twin.service.name: a Service 'model-api' of model-serving is in the same namespace",
        "give each Service a name of its own",
    ),
    "an environment that is a list": (
        _job(env=["A=1"]),
        f"{_JOB}.env: must be a mapping of names to values",
        "example",
    ),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_stack_is_told_where_what_and_how_to_mend_it(broken: str, tmp_path: Path) -> None:
    damage, where_and_what, mend = BROKEN[broken]
    settings = prod()
    damage(settings)
    with pytest.raises(StackError) as from_file:
        through_the_file(settings, tmp_path)
    with pytest.raises(StackError) as from_engine:
        through_the_engine(settings)
    assert f"Pulumi.prod.yaml: {where_and_what}" in str(from_file.value)
    assert mend in str(from_file.value)
    assert str(from_engine.value) == str(from_file.value)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    settings = prod()
    for name in (
        "no replicas",
        "an unknown team",
        "a GPU limit in a quota",
        "a misspelled section",
        "an unknown preset",
    ):
        BROKEN[name][0](settings)
    with pytest.raises(StackError) as error:
        through_the_file(settings, tmp_path)
    assert str(error.value).startswith("5 problems in the configuration of stack prod\n")
    assert len(error.value.problems) == 5


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_committed_stacks_load_alike_from_file_and_engine(stack: str) -> None:
    content = yaml.safe_load((PROJECT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))["config"]
    found: list[Any] = []
    config = {key: json.dumps(value) for key, value in content.items()}
    deploy(lambda: found.append(load()), stack=stack, config=config)
    assert found == [load_file(stack, PROJECT)]


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_schema_accepts_the_committed_stacks(stack: str) -> None:
    content = yaml.safe_load((PROJECT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))
    jsonschema.validate({"config": content["config"]}, schema.stack_file_schema())


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_both_stack_files_point_editors_to_the_schema(stack: str) -> None:
    first = (PROJECT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=./Pulumi.schema.json"


def test_the_schema_file_is_fresh() -> None:
    assert schema.FILE.read_text(encoding="utf-8") == schema.render(), "run: python -m config schema"


def test_the_schema_explains_every_argument_and_refuses_unknown_ones() -> None:
    root = schema.stack_file_schema()
    for name, definition in root["$defs"].items():
        assert definition["additionalProperties"] is False, name
        for key, argument in definition["properties"].items():
            assert argument.get("description"), f"{name}.{key} has no description"
    broken = {"config": {"ml-platform:modelServices": {"x": {"replica": 1}}}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, root)


def test_a_secret_is_refused_and_never_shown(tmp_path: Path) -> None:
    settings = prod()
    settings["trainingJobs"]["pytorch-training"]["env"] = {"TOKEN": {"secure": "v1:abc:def"}}
    with pytest.raises(StackError) as from_file:
        through_the_file(settings, tmp_path)
    assert "ml-platform:trainingJobs: holds a secret" in str(from_file.value)
    assert "secretEnv" in str(from_file.value)

    settings["trainingJobs"]["pytorch-training"]["env"] = {"TOKEN": "hunter2"}
    settings["trainingJobs"]["pytorch-training"]["gpus"] = "hunter2"
    config = {f"ml-platform:{key}": json.dumps(value) for key, value in settings.items()}

    def program() -> None:
        pulumi.runtime.set_all_config(config, ["ml-platform:trainingJobs"])
        load()

    with pytest.raises(StackError) as from_engine:
        deploy(program, stack="prod")
    assert "holds a secret" in str(from_engine.value)
    assert "hunter2" not in str(from_engine.value)


@pytest.mark.parametrize("key", ["env", "annotations", "secretEnv", "args"])
def test_values_that_may_be_secrets_are_not_echoed(key: str, tmp_path: Path) -> None:
    settings = prod()
    settings["trainingJobs"]["pytorch-training"][key] = "hunter2"
    with pytest.raises(StackError) as error:
        through_the_file(settings, tmp_path)
    assert f"pytorch-training.{key}: must be" in str(error.value)
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("config: [", "Pulumi.prod.yaml: is not YAML at line 1"),
        ("a\tb: {", "Pulumi.prod.yaml: is not YAML"),
        ("config:\n  ml-platform:teams: 7\n", "ml-platform:teams: must be a mapping of names to values (got 7)"),
    ],
)
def test_a_file_that_is_no_stack(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.prod.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(StackError) as error:
        load_file("prod", tmp_path)
    assert message in str(error.value)


def test_a_stack_without_a_file_names_those_that_have_one() -> None:
    with pytest.raises(StackError, match=r"there is no such file\n  the project has the stacks: dev, prod"):
        load_file("staging", PROJECT)


def test_an_empty_stack_is_a_stack(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.prod.yaml").write_text("", encoding="utf-8")
    assert load_file("prod", tmp_path).teams == {}


def test_the_users_own_words_win_over_a_preset(tmp_path: Path) -> None:
    settings = prod()
    settings["nodePools"]["gpu"].update(nodeSelector={"zone": "a"}, gpuResource="nvidia.com/mig-1g.10gb")
    content = {"config": {f"ml-platform:{key}": value for key, value in settings.items()}}
    (tmp_path / "Pulumi.prod.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    pool = load_file("prod", tmp_path).node_pools["gpu"]
    assert pool.node_selector == {"cloud.google.com/gke-accelerator": "nvidia-l4", "zone": "a"}
    assert pool.gpu_resource == "nvidia.com/mig-1g.10gb"
    assert pool.tolerations[0].key == "nvidia.com/gpu"


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_are_valid_node_pools(preset: str, tmp_path: Path) -> None:
    content = {"config": {"ml-platform:nodePools": {"gpu": {"preset": preset}}}}
    (tmp_path / "Pulumi.x.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    pool = load_file("x", tmp_path).node_pools["gpu"]
    assert pool.gpus(2) == {"nvidia.com/gpu": "2"}
    assert pool.node_selector
