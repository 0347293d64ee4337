"""Node pool presets: the labels and taints that each cloud sets on its GPU nodes.

A preset is named ``<cloud>/<gpu>``. Source: the clouds' documentation of accelerator labels. If a cloud sets no taint
(EKS), the preset uses the customary one; if its label names the vendor only (AKS), add the instance type to
``nodeSelector``.
"""

from typing import Any

# Cloud → the label of the GPU model, the taint of GPU nodes, and the value of the label for each GPU. A GPU is named
# ``<vendor>-<model>``: its resource is ``<vendor>.com/gpu``, which is also the key of the taint if none is given.
_CLOUDS: dict[str, tuple[str, dict[str, str] | None, dict[str, str]]] = {
    "gke": (
        "cloud.google.com/gke-accelerator",
        None,
        {
            "nvidia-t4": "nvidia-tesla-t4",
            "nvidia-l4": "nvidia-l4",
            "nvidia-a100": "nvidia-tesla-a100",
            "nvidia-a100-80gb": "nvidia-a100-80gb",
            "nvidia-h100-80gb": "nvidia-h100-80gb",
        },
    ),
    "eks-karpenter": (
        "karpenter.k8s.aws/instance-gpu-name",
        None,
        {f"nvidia-{gpu}": gpu for gpu in ("t4", "a10g", "l4", "a100", "h100")},
    ),
    "eks-auto": (
        "eks.amazonaws.com/instance-gpu-name",
        None,
        {f"nvidia-{gpu}": gpu for gpu in ("t4", "a10g", "l4", "a100", "h100")},
    ),
    "aks": (
        "kubernetes.azure.com/accelerator",
        {"key": "sku", "operator": "Equal", "value": "gpu", "effect": "NoSchedule"},
        {"nvidia": "nvidia"},
    ),
}


def _preset(gpu: str, selector: dict[str, str], taint: dict[str, str] | None) -> dict[str, Any]:
    resource = f"{gpu.partition('-')[0]}.com/gpu"
    toleration = taint or {"key": resource, "operator": "Exists", "effect": "NoSchedule"}
    return {"nodeSelector": selector, "tolerations": [toleration], "gpuResource": resource}


PRESETS: dict[str, dict[str, Any]] = {
    f"{cloud}/{gpu}": _preset(gpu, {label: value}, taint)
    for cloud, (label, taint, gpus) in _CLOUDS.items()
    for gpu, value in gpus.items()
}
"""Preset → the arguments of a node pool that it sets."""
