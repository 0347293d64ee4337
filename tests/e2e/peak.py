"""The most pods that a workload has at the same time, by Kubernetes' documented rules."""

import copy
import math
from collections.abc import Iterable

from tests.e2e.api import Object


def at_peak(objects: Iterable[Object]) -> list[Object]:
    """The pods of these objects at their peak, as manifests of pods."""
    everything = list(objects)
    (most,) = [o["spec"]["maxReplicas"] for o in everything if o["kind"] == "HorizontalPodAutoscaler"] or [None]
    pods = []
    for manifest in everything:
        kind, spec = manifest["kind"], manifest.get("spec", {})
        count = 0
        if kind == "JobSet":
            kind, spec = "Job", spec["replicatedJobs"][0]["template"]["spec"]
        if kind == "Deployment":
            replicas, surge = spec.get("replicas", most), spec["strategy"]["rollingUpdate"]["maxSurge"]
            count = replicas + (math.ceil(replicas * int(surge[:-1]) / 100) if isinstance(surge, str) else surge)
        elif kind == "Job":
            count = min(spec.get("parallelism", 1), spec.get("completions", spec.get("parallelism", 1)))
        elif kind == "Pod":
            count = 1
        template = manifest if kind == "Pod" else spec.get("template", {})
        pods += [single(f"{manifest['metadata']['name']}-{index}", template) for index in range(count)]
    return pods


def single(name: str, template: Object) -> Object:
    """A pod from a template, which is never scheduled."""
    spec = {**copy.deepcopy(template["spec"]), "schedulerName": "none"}
    del spec["serviceAccountName"]  # the component creates it before the pods
    metadata = {"name": name, "labels": template["metadata"]["labels"]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
