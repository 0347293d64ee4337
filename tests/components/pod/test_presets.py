"""Node pool presets."""

import pytest

from components import NodePool
from components.pod.presets import PRESETS


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_selects_nodes_tolerates_their_taint_and_has_gpus(preset: str) -> None:
    pool = NodePool.of(PRESETS[preset])
    vendor = preset.partition("/")[2].partition("-")[0]
    assert pool.node_selector
    assert [toleration.key in {f"{vendor}.com/gpu", "sku"} for toleration in pool.tolerations] == [True]
    assert pool.gpus(1) == {f"{vendor}.com/gpu": "1"}


def test_labels_and_taints_of_each_cloud() -> None:
    selectors = {name: PRESETS[name]["nodeSelector"] for name in PRESETS}
    assert selectors["gke/nvidia-l4"] == {"cloud.google.com/gke-accelerator": "nvidia-l4"}
    assert selectors["eks-karpenter/nvidia-a10g"] == {"karpenter.k8s.aws/instance-gpu-name": "a10g"}
    assert selectors["eks-auto/nvidia-h100"] == {"eks.amazonaws.com/instance-gpu-name": "h100"}
    assert selectors["aks/nvidia"] == {"kubernetes.azure.com/accelerator": "nvidia"}
    taints = {name: PRESETS[name]["tolerations"][0]["key"] for name in PRESETS}
    assert (taints["gke/nvidia-l4"], taints["eks-auto/nvidia-h100"], taints["aks/nvidia"]) == (
        "nvidia.com/gpu",
        "nvidia.com/gpu",
        "sku",
    )
