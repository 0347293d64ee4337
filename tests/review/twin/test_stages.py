"""The stages of kwok on a twin."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from review.twin.restore import HELD
from review.twin.stages import write_stages
from review.twin.timing import GONE_AFTER, READY_AFTER


def stage(name: str, kind: str) -> dict[str, Any]:
    spec = {"resourceRef": {"kind": kind}, "selector": {"matchExpressions": [{"key": "a"}]}, "next": {"b": "c"}}
    return {"kind": "Stage", "metadata": {"name": name}, "spec": spec}


@pytest.fixture
def stages(tmp_path: Path) -> dict[str, Any]:
    kinds = {"node-initialize": "Node", "load-balancer": "Service"}
    kinds |= dict.fromkeys(["pod-ready", "pod-delete", "job-pod-succeeds"], "Pod")
    (tmp_path / "all").write_text(
        yaml.safe_dump_all([stage(*one) for one in kinds.items()]) + "---\n", encoding="utf-8"
    )
    write_stages(tmp_path / "all", tmp_path / "twin")
    return {one["metadata"]["name"]: one for one in yaml.safe_load_all((tmp_path / "twin").read_text(encoding="utf-8"))}


def test_nodes_and_load_balancers_are_those_of_the_sandbox(stages: dict[str, Any]) -> None:
    assert stages["node-initialize"] == stage("node-initialize", "Node")
    assert stages["load-balancer"] == stage("load-balancer", "Service")


def test_the_pods_of_jobs_run_on(stages: dict[str, Any]) -> None:
    assert set(stages) == {"node-initialize", "load-balancer", "pod-ready", "pod-delete"}


def test_pods_take_the_time_in_their_annotations(stages: dict[str, Any]) -> None:
    delays = {name: stages[name]["spec"]["delay"] for name in ("pod-ready", "pod-delete")}
    expressions = {name: delay["durationFrom"]["expressionFrom"] for name, delay in delays.items()}
    assert expressions == {
        "pod-ready": f'.metadata.annotations["{READY_AFTER}"]',
        "pod-delete": f'.metadata.annotations["{GONE_AFTER}"]',
    }
    assert all(delay["durationMilliseconds"] > 0 for delay in delays.values())


def test_pods_that_were_not_ready_stay_so(stages: dict[str, Any]) -> None:
    held = {"key": f'.metadata.annotations["{HELD}"]', "operator": "DoesNotExist"}
    assert stages["pod-ready"]["spec"]["selector"]["matchExpressions"] == [{"key": "a"}, held]
    assert stages["pod-delete"]["spec"]["selector"]["matchExpressions"] == [{"key": "a"}]
