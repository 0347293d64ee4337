"""Stacks that are invalid, each in one way, with the error that must be reported."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parent.parent
PROD = yaml.safe_load((PROJECT / "Pulumi.prod.yaml").read_text(encoding="utf-8"))

Settings = dict[str, Any]
Edit = Callable[[Settings], object]


def prod() -> Settings:
    """The settings of the prod stack, to be edited."""
    settings = {key.split(":", 1)[1]: value for key, value in PROD["config"].items()}
    return copy.deepcopy(settings)


@dataclass(frozen=True)
class Broken:
    """An edit of the prod stack that makes it invalid, and its error."""

    edit: Edit
    code: str
    path: str
    value: Any = None
    """The valid value that is suggested."""

    key: str | None = None
    """The key that is suggested in place of the last one of the path."""

    problems: int = 1
    """How many problems the stack has."""

    def settings(self) -> Settings:
        """The invalid stack."""
        settings = prod()
        self.edit(settings)
        return settings


_JOB = "trainingJobs.pytorch-training"
_SERVICE = "modelServices.model-serving"


def _in(section: str, entry: str, **changes: Any) -> Edit:
    return lambda settings: settings[section][entry].update(changes)


def _job(**changes: Any) -> Edit:
    return _in("trainingJobs", "pytorch-training", **changes)


def _service(**changes: Any) -> Edit:
    return _in("modelServices", "model-serving", **changes)


def _team(**changes: Any) -> Edit:
    return _in("teams", "ml-training", **changes)


def _add(section: str, name: str, **arguments: Any) -> Edit:
    return lambda settings: settings.setdefault(section, {}).update({name: arguments})


def _quota(**changes: Any) -> Edit:
    return lambda settings: settings["teams"]["ml-training"]["quota"].update(changes)


def _rename(*path: str, to: str) -> Edit:
    """Rename a key and keep its value."""

    def edit(settings: Settings) -> None:
        *parents, key = path
        for parent in parents:
            settings = settings[parent]
        settings[to] = settings.pop(key)

    return edit


BROKEN: dict[str, Broken] = {
    # Values
    "no replicas": Broken(_service(replicas=0), "out-of-range", f"{_SERVICE}.replicas", value=3),
    "replicas as text": Broken(_service(replicas="three"), "wrong-type", f"{_SERVICE}.replicas", value=3),
    "replicas as a list": Broken(_service(replicas=[3]), "wrong-type", f"{_SERVICE}.replicas", value=3),
    "a section that is a list": Broken(lambda settings: settings.update(teams=["nlp"]), "wrong-type", "teams"),
    "a section that is text": Broken(lambda settings: settings.update(teams="nlp"), "wrong-type", "teams"),
    "an environment that is a list": Broken(_job(env=["A=1"]), "wrong-type", f"{_JOB}.env"),
    "a negative number of GPUs": Broken(_job(gpus=-1), "out-of-range", f"{_JOB}.gpus", value=0),
    "a port out of range": Broken(_service(port=80800), "out-of-range", f"{_SERVICE}.port", value=8080),
    "a node port out of range": Broken(
        _service(service={"type": "NodePort", "nodePort": 8080}),
        "out-of-range",
        f"{_SERVICE}.service.nodePort",
        value=30000,
    ),
    "an unknown type of service": Broken(
        _service(service={"type": "Loadbalancer"}), "not-one-of", f"{_SERVICE}.service.type", value="ClusterIP"
    ),
    "no pods that may be disrupted": Broken(
        _service(disruption={"maxUnavailable": 0}),
        "count-or-percentage",
        f"{_SERVICE}.disruption.maxUnavailable",
        value=1,
    ),
    # Keys
    "a misspelled argument": Broken(
        _rename("modelServices", "model-serving", "replicas", to="replica"),
        "unknown-key",
        f"{_SERVICE}.replica",
        key="replicas",
    ),
    "a misspelled argument beside the right one": Broken(_service(replica=3), "unknown-key", f"{_SERVICE}.replica"),
    "a misspelled argument that holds a mapping": Broken(
        _rename("modelServices", "model-serving", "resources", to="resorces"),
        "unknown-key",
        f"{_SERVICE}.resorces",
        key="resources",
    ),
    "a misspelled key of a nested argument": Broken(
        _rename("modelServices", "model-serving", "health", "readiness", to="readyness"),
        "unknown-key",
        f"{_SERVICE}.health.readyness",
        key="readiness",
    ),
    "a misspelled key four levels deep": Broken(
        _rename("modelServices", "model-serving", "health", "readiness", "periodSeconds", to="periodSecond"),
        "unknown-key",
        f"{_SERVICE}.health.readiness.periodSecond",
        key="periodSeconds",
    ),
    "a misspelled key of a team that holds a mapping": Broken(
        _rename("teams", "ml-training", "network", to="netwrok"),
        "unknown-key",
        "teams.ml-training.netwrok",
        key="network",
    ),
    "a misspelled key in a list": Broken(
        _add("nodePools", "spot", tolerations=[{"key": "spot", "efect": "NoSchedule"}]),
        "unknown-key",
        "nodePools.spot.tolerations[0].efect",
        key="effect",
    ),
    "a snake_case argument": Broken(
        _rename("trainingJobs", "pytorch-training", "nodePool", to="node_pool"),
        "unknown-key",
        f"{_JOB}.node_pool",
        key="nodePool",
    ),
    "a snake_case argument beside the right one": Broken(_job(node_pool="gpu"), "unknown-key", f"{_JOB}.node_pool"),
    "a snake_case argument that holds a mapping": Broken(
        _job(secret_env={"TOKEN": {"secret": "hub", "key": "token"}}),
        "unknown-key",
        f"{_JOB}.secret_env",
        key="secretEnv",
    ),
    "a snake_case key of a nested argument": Broken(
        _rename(
            "modelServices", "model-serving", "health", "readiness", "initialDelaySeconds", to="initial_delay_seconds"
        ),
        "unknown-key",
        f"{_SERVICE}.health.readiness.initial_delay_seconds",
        key="initialDelaySeconds",
    ),
    "a snake_case section": Broken(
        _rename("modelServices", to="model_services"), "unknown-key", "model_services", key="modelServices"
    ),
    "a misspelled section with many entries": Broken(
        _rename("modelServices", to="modelService"), "unknown-key", "modelService", key="modelServices"
    ),
    "a misspelled section beside the right one": Broken(
        lambda settings: settings.update(modelService={}), "unknown-key", "modelService"
    ),
    "a key that resembles no other": Broken(_service(xyz=1), "unknown-key", f"{_SERVICE}.xyz"),
    # References
    "an unknown team": Broken(_job(team="ml-trainin"), "not-found", f"{_JOB}.team", value="ml-training"),
    "a team that is a list": Broken(_job(team=["nlp"]), "wrong-type", f"{_JOB}.team", value="ml-training"),
    "an unknown node pool": Broken(_job(nodePool="gpus"), "not-found", f"{_JOB}.nodePool", value="gpu"),
    "an unknown preset": Broken(
        _in("nodePools", "gpu", preset="gke/nvidia-l5"), "no-such-choice", "nodePools.gpu.preset", value="gke/nvidia-l4"
    ),
    # Combinations
    "neither team nor namespace": Broken(_job(team=None), "exactly-one-of", f"{_JOB}.team"),
    "both team and namespace": Broken(_job(namespace="lab"), "exactly-one-of", f"{_JOB}.team"),
    "a node port of a load balancer": Broken(
        _service(service={"type": "LoadBalancer", "nodePort": 30080}), "requires", f"{_SERVICE}.service.nodePort"
    ),
    "replicas and an autoscaler": Broken(
        _service(autoscale={"min": 2, "max": 6, "cpu": 70}), "mutually-exclusive", f"{_SERVICE}.replicas"
    ),
    "an autoscaler of CPU down to zero": Broken(
        lambda settings: (
            settings["modelServices"]["model-serving"].pop("replicas"),
            _service(autoscale={"min": 0, "max": 6, "cpu": 70})(settings),
        ),
        "requires",
        f"{_SERVICE}.autoscale.min",
        value=1,
    ),
    "a model on a volume of one node for three pods": Broken(
        _service(model={"source": {"claim": "bert"}}), "single-node-volume", f"{_SERVICE}.model.source.accessMode"
    ),
    "a model from two sources": Broken(
        _service(model={"source": {"claim": "bert", "image": "models/bert:v1"}}),
        "exactly-one-of",
        f"{_SERVICE}.model.source",
    ),
    "pods for a model that is hosted elsewhere": Broken(
        _service(service={"type": "ExternalName", "externalName": "models.example.com"}),
        "mutually-exclusive",
        f"{_SERVICE}.gpus",
        problems=8,
    ),
    "a model that is hosted nowhere": Broken(
        _service(service={"type": "ExternalName"}),
        "requires",
        f"{_SERVICE}.service.type",
    ),
    "a canary of all requests without a route": Broken(
        _service(canary={"image": "a:b", "weight": 100}), "out-of-range", f"{_SERVICE}.canary.weight", value=10
    ),
    "a probe that waits for longer than the model may load": Broken(
        _service(startupBudgetSeconds=20),
        "budget-exhausted",
        f"{_SERVICE}.health.readiness.initialDelaySeconds",
        value=10,
    ),
    "a probe on a port that no container opens": Broken(
        _service(health={"readiness": {"path": "/health", "port": 9090}}),
        "port-not-open",
        f"{_SERVICE}.health.readiness.port",
        value=8080,
    ),
    # Resources
    "a request above its limit": Broken(
        _job(resources={"requests": {"cpu": "16"}, "limits": {"cpu": "8"}}),
        "exceeds",
        f"{_JOB}.resources.requests.cpu",
        value="8",
    ),
    "a memory size that is not a quantity": Broken(
        _job(resources={"limits": {"memory": "16GB"}}),
        "quantity-invalid",
        f"{_JOB}.resources.limits.memory",
        value="16G",
    ),
    "shared memory above the memory limit": Broken(
        _job(sharedMemory="20Gi"), "exceeds", f"{_JOB}.sharedMemory", value="16Gi"
    ),
    "GPUs on a pool without any": Broken(_job(nodePool="cpu"), "requires", f"{_JOB}.gpus", value=0),
    "GPUs among the resources": Broken(
        _job(resources={"limits": {"nvidia.com/gpu": "1"}}), "derived", f'{_JOB}.resources.limits["nvidia.com/gpu"]'
    ),
    # Names
    "a reserved namespace": Broken(
        _team(name="kube-system"), "reserved", "teams.ml-training.name", value="team-kube-system"
    ),
    "a team with a reserved name": Broken(
        _add("teams", "kube-public", team="nlp"), "reserved", "teams.kube-public", key="team-kube-public"
    ),
    "a reserved priority class": Broken(
        _add("priorityClasses", "system-urgent", value=1), "reserved", "priorityClasses.system-urgent", key="urgent"
    ),
    "two teams with one namespace": Broken(
        _in("teams", "ml-serving", name="ml-training"), "name-taken", "teams.ml-serving.name"
    ),
    "an invalid name of a job": Broken(
        _add("trainingJobs", "BERT_Large", team="ml-training", image="a:b"),
        "name-invalid",
        "trainingJobs.BERT_Large",
        key="bert-large",
    ),
    "an invalid name of a job beside the valid one": Broken(
        lambda settings: settings["trainingJobs"].update(
            {name: {"team": "ml-training", "image": "a:b"} for name in ("BERT", "bert")}
        ),
        "name-invalid",
        "trainingJobs.BERT",
    ),
    "an invalid name of a Service": Broken(
        _service(service={"name": "1-api"}), "name-invalid", f"{_SERVICE}.service.name", value="svc-1-api"
    ),
    "an invalid label value": Broken(
        _service(version="v1.2 (beta)"), "name-invalid", f"{_SERVICE}.version", value="v1.2-beta"
    ),
    "an image reference in upper case": Broken(
        _service(image="myregistry/Bert:V1"), "image-invalid", f"{_SERVICE}.image", value="myregistry/bert:V1"
    ),
    "no image at all": Broken(
        lambda settings: settings["nodePools"]["gpu"].pop("image"), "image-missing", f"{_JOB}.image"
    ),
    "a name without room for the canary's": Broken(
        _add("modelServices", "b" * 57, team="ml-serving", image="a:b", canary={"image": "a:c", "weight": 10}),
        "canary-name-too-long",
        f"modelServices.{'b' * 57}",
    ),
    # Conflicts
    "a canary with the name of another service": Broken(
        lambda settings: settings["modelServices"].update(
            {
                "bert": {"team": "ml-serving", "image": "a:b", "canary": {"image": "a:c", "weight": 10}},
                "bert-canary": {"team": "ml-serving", "image": "a:b"},
            }
        ),
        "object-conflict",
        "modelServices.bert.canary",
    ),
    "a canary whose Service is that of another service": Broken(
        lambda settings: settings["modelServices"].update(
            {
                "bert": {
                    "team": "ml-serving",
                    "image": "a:b",
                    "service": {"name": "api"},
                    "canary": {"image": "a:c", "weight": 10},
                    "route": {"gateway": "public"},
                },
                "other": {"team": "ml-serving", "image": "a:b", "service": {"name": "api-canary"}},
            }
        ),
        "object-conflict",
        "modelServices.bert.canary",
    ),
    "a service with the name of a job's workers": Broken(
        lambda settings: (
            settings["trainingJobs"].update(bert={"team": "ml-training", "image": "a:b", "workers": 2}),
            settings["modelServices"].update({"bert-workers": {"team": "ml-training", "image": "a:b"}}),
        ),
        "object-conflict",
        "modelServices.bert-workers.service.name",
    ),
    "two runs of one name": Broken(
        lambda settings: settings["trainingJobs"].update(
            {
                "bert": {"team": "ml-training", "image": "a:b", "runId": "2"},
                "bert-2": {"team": "ml-training", "image": "a:b"},
            }
        ),
        "object-conflict",
        "trainingJobs.bert-2.runId",
    ),
    "two services of one name": Broken(
        _add("modelServices", "twin", team="ml-serving", image="a:b", service={"name": "model-api"}),
        "object-conflict",
        "modelServices.twin.service.name",
    ),
    "a job and a service of one name": Broken(
        _add("modelServices", "pytorch-training", team="ml-training", image="a:b"),
        "name-taken",
        "modelServices.pytorch-training",
        key="pytorch-training-service",
    ),
    "two workloads that select each other's pods": Broken(
        _add("modelServices", "twin", team="ml-serving", image="a:b", labels={"app": "inference-server"}),
        "selector-conflict",
        "modelServices.twin.labels.app",
    ),
    "one selector in a team's namespace and in the namespace by its name": Broken(
        lambda settings: (
            settings["teams"].update(nlp={"name": "ml-nlp"}),
            settings["modelServices"].update(
                one={"team": "nlp", "image": "a:b", "labels": {"app": "api"}},
                two={"namespace": "ml-nlp", "image": "a:b", "labels": {"app": "api"}},
            ),
        ),
        "selector-conflict",
        "modelServices.two.labels.app",
    ),
    # Quotas
    "a GPU limit in a quota": Broken(
        lambda settings: (
            settings["teams"]["ml-training"]["quota"].pop("requests.nvidia.com/gpu"),
            settings["teams"]["ml-training"]["quota"].update({"limits.nvidia.com/gpu": "8"}),
        ),
        "quota-counts-requests",
        'teams.ml-training.quota["limits.nvidia.com/gpu"]',
        key="requests.nvidia.com/gpu",
    ),
    "a GPU limit in a quota beside the request": Broken(
        _quota(**{"limits.nvidia.com/gpu": "8"}),
        "quota-counts-requests",
        'teams.ml-training.quota["limits.nvidia.com/gpu"]',
    ),
    "a quota on jobs without their API group": Broken(
        _quota(**{"count/jobs": "8"}),
        "quota-key-without-group",
        "teams.ml-training.quota.count/jobs",
        key="count/jobs.batch",
    ),
    "a quota on an unknown resource": Broken(_quota(gpu="8"), "resource-unknown", "teams.ml-training.quota.gpu"),
    "a quota on half a pod": Broken(
        _quota(pods="20.5"), "quantity-fraction", "teams.ml-training.quota.pods", value="21"
    ),
    "more GPUs than the team has": Broken(
        _job(gpus=9), "quota-exceeded", 'teams.ml-training.quota["requests.nvidia.com/gpu"]', value="9"
    ),
    "a rollout that exceeds the quota": Broken(
        _service(replicas=8, rollout="surge"),
        "quota-exceeded",
        'teams.ml-serving.quota["requests.nvidia.com/gpu"]',
        value="10",
    ),
    "a load balancer of a team that does not serve": Broken(
        lambda settings: settings["teams"]["ml-serving"].pop("serves"),
        "serving-not-allowed",
        "teams.ml-serving.serves",
        value=True,
    ),
    "a priority class that the team may not use": Broken(
        _job(priorityClass="urgent"), "priority-class-not-allowed", f"{_JOB}.priorityClass"
    ),
    "a container above the team's maximum": Broken(
        _team(containerLimits={"max": {"memory": "8Gi"}}), "container-limit-exceeded", f"{_JOB}.resources"
    ),
    "root in a restricted namespace": Broken(
        _job(security={"runAsRoot": True}), "pod-security-violated", f"{_JOB}.security"
    ),
    "an image from another registry": Broken(
        _team(registries=["ghcr.io/acme"]), "registry-not-allowed", f"{_JOB}.image"
    ),
}
