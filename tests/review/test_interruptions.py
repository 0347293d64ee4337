"""The interruptions of a change."""

import copy
from typing import Any

import pytest

from review.interruptions import interruptions
from review.preview import UNKNOWN_TEXT
from review.review import Review
from tests.review.prod import given, parsed, reviewed, step

DELETIONS = [
    ("model-serving-service", "delete", "address-released", {}),
    ("ml-training-namespace", "delete", "namespace-contents-deleted", {}),
    ("ml-training-namespace", "replace", "namespace-contents-deleted", {}),
    ("model-serving-deployment", "delete", "outage", {"pods": "3 pods"}),
    ("pytorch-training-pod", "replace", "running-pod-terminated", {"phase": "Running"}),
    ("image-classifier-job", "delete", "running-job-terminated", {"pods": "1 pod"}),
    ("ml-training-quota", "delete", None, {}),
]


@pytest.mark.parametrize(("name", "op", "effect", "values"), DELETIONS)
def test_a_deletion_or_replacement(name: str, op: str, effect: str | None, values: dict[str, str]) -> None:
    preview = given()
    for changed in preview["steps"]:
        changed["op"] = op if changed["urn"].endswith(f"::{name}") else "same"
    found = reviewed(preview).interruptions
    assert [one.effect.code for one in found] == ([effect] if effect else [])
    for one in found:
        assert one.disruptive
        assert values.items() <= one.effect.values.items()
        assert one.change.code == ("deleted" if op == "delete" else "replaced")


def deleted(op: str, kind: str, status: dict[str, Any]) -> list[str]:
    """The effects of an operation on an object with a status."""
    preview = given()
    manifest = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "x", "namespace": "ml-serving"}, "spec": {}}
    state = {"type": f"kubernetes:core/v1:{kind}", "inputs": manifest, "outputs": {"status": status}}
    preview["steps"] = [{"op": op, "urn": "urn:x", "oldState": state, "newState": state}]
    return [one.effect.code for one in interruptions(parsed(preview).steps)]


@pytest.mark.parametrize(
    ("op", "kind", "status", "effect"),
    [
        ("delete", "PersistentVolumeClaim", {}, "data-deleted"),
        ("delete", "Service", {}, "cluster-ip-released"),
        ("replace", "Service", {"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]}}, "address-released"),
        ("delete", "Pod", {"phase": "Pending"}, "running-pod-terminated"),
        ("replace", "Pod", {"phase": "Succeeded"}, "finished-run-repeated"),
    ],
)
def test_the_effect_depends_on_kind_and_status(op: str, kind: str, status: dict[str, Any], effect: str) -> None:
    assert deleted(op, kind, status) == [effect]


def test_the_deletion_of_a_finished_run_interrupts_nothing() -> None:
    assert deleted("delete", "Pod", {"phase": "Failed"}) == []


def test_a_service_that_is_no_longer_a_load_balancer() -> None:
    found = {one.target: one for one in reviewed(given()).interruptions}
    interruption = found["Service ml-serving/model-api"]
    assert (interruption.change.code, interruption.effect.code) == ("load-balancer-removed", "address-released")
    assert interruption.effect.values == {"address": "10.96.71.252"}
    assert interruption.disruptive


def test_disruptive_interruptions_come_first() -> None:
    assert [one.disruptive for one in reviewed(given()).interruptions] == [True, True, False]


def rolling(surge: int | str, unavailable: int | str) -> dict[str, Any]:
    return {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}}


OUTAGES: dict[str, tuple[dict[str, Any], int, str, str]] = {
    "Recreate": ({"replicas": 3, "strategy": {"type": "Recreate"}}, 3, "outage", "3 pods"),
    "scaled to zero": ({"replicas": 0}, 3, "serving-stopped", "3 pods"),
    "all unavailable": ({"replicas": 3, **rolling(0, 3)}, 3, "outage", "3 pods"),
    "all unavailable, in percent": ({"replicas": 3, **rolling("25%", "100%")}, 3, "outage", "3 pods"),
    "the only pod": ({"replicas": 1, **rolling(0, 1)}, 1, "outage", "1 pod"),
    "the only pod of an autoscaled workload": ({"replicas": None, **rolling(0, 1)}, 1, "outage", "1 pod"),
    "neither surge nor unavailable": ({"replicas": 1, **rolling(0, 0)}, 1, "outage", "1 pod"),
    "the only pod of a StatefulSet": ({"kind": "StatefulSet", "replicas": 1}, 1, "outage", "1 pod"),
}
ROLLING: dict[str, tuple[dict[str, Any], int]] = {
    "a StatefulSet with OnDelete": (
        {"kind": "StatefulSet", "replicas": 1, "updateStrategy": {"type": "OnDelete"}}, 1,
    ),
    "a surge": ({"replicas": 1, **rolling(1, 0)}, 1),
    "the defaults of Kubernetes": ({"replicas": 1, "strategy": None}, 1),
    "one of two": ({"replicas": 2, **rolling(0, 1)}, 2),
    "a percentage, rounded down": ({"replicas": 3, **rolling(0, "99%")}, 3),
    "unknown values": ({"replicas": 1, **rolling(UNKNOWN_TEXT, UNKNOWN_TEXT)}, 1),
    "an unknown strategy": ({"replicas": 1, "strategy": UNKNOWN_TEXT}, 1),
    "a DaemonSet": ({"kind": "DaemonSet"}, 2),
}  # fmt: skip


def rollout(fields: dict[str, Any], running: int) -> Review:
    """A new image for the service of prod, with other fields of its spec; None removes a field."""
    preview = given()
    changed = step(preview, "model-serving-deployment")
    preview["steps"] = [changed]
    spec = changed["newState"]["inputs"]["spec"]
    merged = {**spec, **fields, "kind": None}
    spec.clear()
    spec.update({key: value for key, value in merged.items() if value is not None})
    spec["template"]["spec"]["containers"][0]["image"] = "myregistry/bert-serving:v2"
    changed["oldState"]["outputs"]["status"]["replicas"] = running
    for side in ("oldState", "newState"):
        changed[side]["inputs"]["kind"] = fields.get("kind", "Deployment")
    return reviewed(preview)


@pytest.mark.parametrize("case", OUTAGES)
def test_a_rollout_with_an_outage_is_disruptive(case: str) -> None:
    fields, running, effect, pods = OUTAGES[case]
    made = rollout(fields, running)
    (interruption,) = made.interruptions
    assert interruption.disruptive
    assert (interruption.effect.code, interruption.effect.values["pods"]) == (effect, pods)
    assert made.verdict == "attention"


@pytest.mark.parametrize("case", ROLLING)
def test_a_rolling_update_is_not_disruptive(case: str) -> None:
    fields, running = ROLLING[case]
    (interruption,) = rollout(fields, running).interruptions
    assert not interruption.disruptive
    assert interruption.effect.code == "rolling-update"


def test_a_rollout_without_running_pods_interrupts_nothing() -> None:
    assert rollout({"replicas": 0}, 0).interruptions == ()


@pytest.mark.parametrize(("op", "effects"), [("replace", ["finished-run-repeated"]), ("delete", [])])
def test_a_finished_job(op: str, effects: list[str]) -> None:
    preview = given()
    job = step(preview, "image-classifier-job")
    job["op"] = op
    job["oldState"]["outputs"]["status"] = {"succeeded": 1}
    preview["steps"] = [job]
    assert [one.effect.code for one in interruptions(parsed(preview).steps)] == effects


@pytest.mark.parametrize(
    ("fields", "status", "change"),
    [
        ({"suspend": True}, {"active": 1}, "suspended"),
        ({"suspend": True}, {"succeeded": 1}, None),
        ({"activeDeadlineSeconds": 90}, {"active": 1}, "deadline-lowered"),
        ({"activeDeadlineSeconds": 90}, {}, None),
    ],
)
def test_a_run_that_is_stopped(fields: dict[str, Any], status: dict[str, Any], change: str | None) -> None:
    preview = given()
    job = copy.deepcopy(step(preview, "image-classifier-job"))
    job["op"], job["oldState"]["outputs"] = "update", {"status": status}
    job["newState"]["inputs"] = copy.deepcopy(job["oldState"]["inputs"])
    job["newState"]["inputs"]["spec"].update(fields)
    preview["steps"] = [job]
    found = [(one.change.code, one.disruptive) for one in reviewed(preview).interruptions]
    assert found == ([(change, True)] if change else [])
