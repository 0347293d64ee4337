"""What the provider waits for."""

from typing import Any

import pytest

from components.base.objects import Manifest
from review.twin.awaits import is_awaited, is_done, timeout


def one(kind: str, spec: Manifest | None = None, status: Manifest | None = None, **annotations: str) -> Manifest:
    names = {f"pulumi.com/{name}": value for name, value in annotations.items()}
    metadata = {"name": "a", "generation": 2, "annotations": names}
    return {
        "kind": kind,
        "metadata": metadata,
        "spec": spec or {},
        "status": {"observedGeneration": 2, **(status or {})},
    }


ROLLED_OUT = {"updatedReplicas": 2, "availableReplicas": 2, "replicas": 2}
REVISION = {"currentRevision": "b", "updateRevision": "b", "readyReplicas": 2}


@pytest.mark.parametrize(
    ("manifest", "done"),
    [
        (one("Deployment", {"replicas": 2}, ROLLED_OUT), True),
        (one("Deployment", {"replicas": 2}, {**ROLLED_OUT, "replicas": 3}), False),
        (one("Deployment", {"replicas": 2}, {**ROLLED_OUT, "observedGeneration": 1}), False),
        (one("Deployment", {"replicas": 2, "paused": True}, {}), True),
        (one("StatefulSet", {"replicas": 2}, REVISION), True),
        (one("StatefulSet", {"replicas": 2}, {**REVISION, "readyReplicas": 1}), False),
        (one("StatefulSet", {"replicas": 2}, {**REVISION, "updateRevision": "c"}), False),
        (
            one(
                "StatefulSet",
                {"replicas": 2, "updateStrategy": {"type": "OnDelete"}},
                {**REVISION, "updateRevision": "c"},
            ),
            True,
        ),
        (one("DaemonSet", {}, {"desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberReady": 2}), True),
        (one("DaemonSet", {}, {"desiredNumberScheduled": 2, "updatedNumberScheduled": 1, "numberReady": 2}), False),
        (one("Job", {}, {"conditions": [{"type": "Complete", "status": "True"}]}), True),
        (one("Job", {"parallelism": 2}, {"ready": 2}), True),
        (one("Job", {"parallelism": 2}, {"ready": 1}), False),
        (one("Job", {}, {"startTime": "now"}, waitFor="jsonpath={.status.startTime}"), True),
        (one("Pod", {}, {"phase": "Succeeded"}), True),
        (one("Pod", {}, {"phase": "Pending"}), False),
        (one("PersistentVolumeClaim", {}, {"phase": "Bound"}), True),
        (one("PersistentVolumeClaim", {}, {"phase": "Pending"}), False),
        (one("Ingress", {}, {"loadBalancer": {"ingress": [{"ip": "a"}]}}), True),
        (one("Ingress"), False),
        (one("ConfigMap"), True),
    ],
)
def test_is_done(manifest: Manifest, done: bool) -> None:
    assert is_done(manifest, 0) is done


@pytest.mark.parametrize(
    ("spec", "endpoints", "done"),
    [
        ({"selector": {"a": "b"}}, 1, True),
        ({"selector": {"a": "b"}}, 0, False),
        ({"selector": {"a": "b"}, "clusterIP": "None"}, 0, True),
        ({"type": "ExternalName", "selector": {"a": "b"}}, 0, True),
        ({}, 0, True),
        ({"type": "LoadBalancer", "selector": {"a": "b"}}, 1, False),
    ],
)
def test_a_service_waits_for_endpoints(spec: dict[str, Any], endpoints: int, done: bool) -> None:
    assert is_done(one("Service", spec), endpoints) is done


def test_a_claim_that_is_bound_when_a_pod_uses_it() -> None:
    assert is_done(one("PersistentVolumeClaim", {}, {"phase": "Pending"}), 0, is_bound_later=True)


def test_is_awaited() -> None:
    assert is_awaited(one("Deployment"))
    assert not is_awaited(one("Deployment", skipAwait="true"))
    assert not is_awaited(one("ConfigMap"))


def test_timeout() -> None:
    assert timeout(one("Deployment"), {}, "create") == 600
    assert timeout(one("Deployment"), {"create": 60}, "create") == 60
    assert timeout(one("Deployment", timeoutSeconds="90"), {}, "update") == 90
    assert timeout(one("Deployment", timeoutSeconds="soon"), {}, "update") == 600
