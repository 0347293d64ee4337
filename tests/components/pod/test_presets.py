"""Node pool presets."""

import pytest

from components import NodePool
from components.pod.presets import PRESETS


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_selects_nodes_tolerates_their_taint_and_has_gpus(preset: str) -> None:
    pool = NodePool.of(PRESETS[preset])
    assert pool.node_selector
    assert pool.tolerations
    assert pool.gpus(1) == {"nvidia.com/gpu": "1"}


def test_labels_and_taints_of_each_cloud() -> None:
    selectors = {name: PRESETS[name]["nodeSelector"] for name in PRESETS}
    assert selectors["gke/nvidia-l4"] == {"cloud.google.com/gke-accelerator": "nvidia-l4"}
    assert selectors["eks-karpenter/nvidia-a10g"] == {"karpenter.k8s.aws/instance-gpu-name": "a10g"}
    assert selectors["eks-auto/nvidia-h100"] == {"eks.amazonaws.com/instance-gpu-name": "h100"}
    assert selectors["aks/nvidia"] == {"kubernetes.azure.com/accelerator": "nvidia"}
    assert {preset["tolerations"][0]["key"] for preset in PRESETS.values()} == {"nvidia.com/gpu", "sku"}
