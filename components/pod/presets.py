"""Node pool presets: how each cloud labels and taints its GPU nodes.

A preset is ``<cloud>/<gpu>``. Sources: the clouds' own documentation of accelerator labels. Where
a cloud leaves the taint to the user (EKS), the customary one is used; where it labels the vendor
only (AKS), name the pool's own instance type in ``nodeSelector``.
"""

from typing import Any

_NVIDIA_TAINT = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}

# Cloud → the label that names the GPU, the taint of GPU nodes, and its GPUs: ours → the label's value.
_CLOUDS: dict[str, tuple[str, dict[str, str], dict[str, str]]] = {
    "gke": (
        "cloud.google.com/gke-accelerator",
        _NVIDIA_TAINT,
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
        _NVIDIA_TAINT,
        {f"nvidia-{gpu}": gpu for gpu in ("t4", "a10g", "l4", "a100", "h100")},
    ),
    "eks-auto": (
        "eks.amazonaws.com/instance-gpu-name",
        _NVIDIA_TAINT,
        {f"nvidia-{gpu}": gpu for gpu in ("t4", "a10g", "l4", "a100", "h100")},
    ),
    "aks": (
        "kubernetes.azure.com/accelerator",
        {"key": "sku", "operator": "Equal", "value": "gpu", "effect": "NoSchedule"},
        {"nvidia": "nvidia"},
    ),
}

PRESETS: dict[str, dict[str, Any]] = {
    f"{cloud}/{gpu}": {
        "nodeSelector": {label: value},
        "tolerations": [taint],
        "gpuResource": "nvidia.com/gpu",
    }
    for cloud, (label, taint, gpus) in _CLOUDS.items()
    for gpu, value in gpus.items()
}
"""Preset → the node pool's arguments that it stands for."""
