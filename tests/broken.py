"""Stacks that are broken, each in one way: what is wrong, where it is said to be wrong, and the fix."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parent.parent
PROD = yaml.safe_load((PROJECT / "Pulumi.prod.yaml").read_text(encoding="utf-8"))


def prod() -> dict[str, Any]:
    """The settings of the prod stack, to be broken."""
    settings = {key.split(":", 1)[1]: value for key, value in PROD["config"].items()}
    return copy.deepcopy(settings)


Break = Callable[[dict[str, Any]], object]

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
    "a team that is a list": (
        _job(team=["nlp"]),
        f"{_JOB}.team: must be the name of a team",
        "team ml-training --stack",
    ),
    "no pods that may be disrupted": (
        _service(disruption={"maxUnavailable": 0}),
        f"{_SERVICE}.disruption.maxUnavailable: must be a number of pods, at least 1, or a percentage of them",
        "maxUnavailable 1 --stack prod",
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
        f"{_SERVICE}.service.type: must be one of 'ClusterIP', 'NodePort', 'LoadBalancer' or 'ExternalName' (got",
        "service.type ClusterIP --stack prod",
    ),
    "replicas and an autoscaler": (
        _service(autoscale={"min": 2, "max": 6, "cpu": 70}),
        f"{_SERVICE}.replicas: the autoscaler decides how many pods serve",
        "remove replicas: autoscale.min is the fewest pods",
    ),
    "an autoscaler of CPU down to zero": (
        _service(autoscale={"min": 0, "max": 6, "cpu": 70}),
        f"{_SERVICE}.autoscale.min: only KEDA scales to zero",
        "set it to 1, or scale by keda",
    ),
    "a model on a volume of one node for three pods": (
        _service(model={"source": {"claim": "bert"}}),
        f"{_SERVICE}.model.source.accessMode: only one node can mount it, not 3 pods",
        "use a volume that several nodes can mount and say so with accessMode, or set replicas to 1",
    ),
    "a model from two sources": (
        _service(model={"source": {"claim": "bert", "image": "models/bert:v1"}}),
        f"{_SERVICE}.model.source: a model has one source: it has claim and image",
        "give one of claim, image, download",
    ),
    "pods for a model that is hosted elsewhere": (
        _service(service={"type": "ExternalName", "externalName": "models.example.com"}),
        f"{_SERVICE}.gpus: a model that is hosted elsewhere (service.type ExternalName) has no pods",
        "remove it, or choose another type of service",
    ),
    "a model that is hosted nowhere": (
        _service(service={"type": "ExternalName"}),
        f"{_SERVICE}.service.externalName: is required with the type ExternalName",
        "service.externalName models.example.com --stack prod",
    ),
    "a canary of all requests without a route": (
        _service(canary={"image": "a:b", "weight": 100}),
        f"{_SERVICE}.canary.weight: 100 takes a route",
        "set route, or a weight from 1 to 99",
    ),
    "a canary with the name of another service": (
        lambda settings: settings["modelServices"].update(
            {
                "bert": {"team": "ml-serving", "image": "a:b", "canary": {"image": "a:c", "weight": 10}},
                "bert-canary": {"team": "ml-serving", "image": "a:b"},
            }
        ),
        "ml-platform:modelServices.bert.canary: its objects would be those of the service bert-canary",
        "rename that service",
    ),
    "a canary whose Service is that of another service": (
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
        "ml-platform:modelServices.bert.canary: its objects would be those of the service other",
        "give that Service another name",
    ),
    "a name without room for the canary's": (
        _add("modelServices", "b" * 57, team="ml-serving", image="a:b", canary={"image": "a:c", "weight": 10}),
        f"ml-platform:modelServices.{'b' * 57}: '{'b' * 57}-canary', for the canary, is longer than the 63 characters",
        "shorten it, or remove the canary",
    ),
    "a service with the name of a job's workers": (
        lambda settings: (
            settings["trainingJobs"].update(bert={"team": "ml-training", "image": "a:b", "workers": 2}),
            settings["modelServices"].update({"bert-workers": {"team": "ml-training", "image": "a:b"}}),
        ),
        "ml-platform:modelServices.bert-workers.service.name: a Service 'bert-workers' of bert is in the same namespace",
        "give each Service a name of its own",
    ),
    "two runs of one name": (
        lambda settings: settings["trainingJobs"].update(
            {
                "bert": {"team": "ml-training", "image": "a:b", "runId": "2"},
                "bert-2": {"team": "ml-training", "image": "a:b"},
            }
        ),
        "ml-platform:trainingJobs.bert-2.runId: a run 'bert-2' of bert is in the same namespace",
        "give it another runId",
    ),
    "a team's namespace by either name": (
        lambda settings: (
            settings["teams"].update(nlp={"name": "ml-nlp"}),
            settings["modelServices"].update(
                one={"team": "nlp", "image": "a:b", "labels": {"app": "api"}},
                two={"namespace": "ml-nlp", "image": "a:b", "labels": {"app": "api"}},
            ),
        ),
        "ml-platform:modelServices.two.labels.app: 'api' also selects the pods of one, in the same namespace",
        "give each workload its own app label",
    ),
    "a probe that waits for longer than the model may load": (
        _service(startupBudgetSeconds=20),
        f"{_SERVICE}.health.readiness.initialDelaySeconds: 30 leaves nothing of the startup budget of 20 seconds",
        "lower it, or raise startupBudgetSeconds",
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
    "a job and a service of one name": (
        _add("modelServices", "pytorch-training", team="ml-training", image="a:b"),
        "ml-platform:modelServices.pytorch-training: a training job of this name is in the same namespace",
        "rename it, for example to pytorch-training-service",
    ),
    "two services of one name": (
        _add("modelServices", "twin", team="ml-serving", image="a:b", service={"name": "model-api"}),
        "ml-platform:modelServices.twin.service.name: a Service 'model-api' of model-serving is in the same namespace",
        "give each Service a name of its own",
    ),
    "more GPUs than the team has": (
        _job(gpus=9),
        'ml-platform:teams.ml-training.quota["requests.nvidia.com/gpu"]: 9 of requests.nvidia.com/gpu would be in use, '
        "and the quota is 8: TrainingJob pytorch-training 9 (1 pod, 9 each)",
        "requests.nvidia.com/gpu\"]' 9 --stack prod",
    ),
    "a rollout that the team has no room for": (
        _service(replicas=8, rollout="surge"),
        'ml-platform:teams.ml-serving.quota["requests.nvidia.com/gpu"]: 10 of requests.nvidia.com/gpu would be in use, '
        "and the quota is 8: ModelService model-serving 10 (8 replicas and 2 during a rollout, 1 each)",
        "10 --stack prod",
    ),
    "a load balancer of a team that does not serve": (
        lambda settings: settings["teams"]["ml-serving"].pop("serves"),
        "ml-platform:teams.ml-serving.serves: 1 of services.loadbalancers would be in use, and the quota is 0",
        "set serves: true",
    ),
    "a priority class that the team may not use": (
        _job(priorityClass="urgent"),
        f"{_JOB}.priorityClass: the team may not use the PriorityClass urgent",
        "give the team priorityQuotas.urgent",
    ),
    "a container above the team's maximum": (
        _in("teams", "ml-training", containerLimits={"max": {"memory": "8Gi"}}),
        f"{_JOB}.resources: 16Gi of memory for container trainer is above the team's maximum of 8Gi",
        "lower it, or raise the team's containerLimits.max",
    ),
    "a priority class that Kubernetes keeps for itself": (
        lambda settings: settings.update(priorityClasses={"system-urgent": {"value": 1}}),
        "ml-platform:priorityClasses.system-urgent: 'system-urgent': Kubernetes keeps system- for itself",
        "rename it, for example to urgent",
    ),
    "an environment that is a list": (
        _job(env=["A=1"]),
        f"{_JOB}.env: must be a mapping of names to values",
        "example",
    ),
}
