"""Twins of a cluster with workloads of several stacks: what they copy, what they leave behind, what they never do."""

import base64
import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from components.base.objects import Manifest, target
from review.cluster.kubectl import Cluster
from review.twin import snapshot as snapshots
from review.twin.client import Client
from review.twin.cluster import Twin, twin
from review.twin.snapshot import Snapshot, take
from sandbox import servers
from sandbox.servers import Server
from tests.e2e.api import Api
from tests.e2e.lab import wait_until
from tests.e2e.project import Project
from tests.review.twin.world import gpu_deployment, manifest, namespace, template, widget, world

SECRETS = ("swordfish-literal", "swordfish-applied", "swordfish-token")
CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}


def definition() -> Manifest:
    return world()["definition"]


def webhook() -> Manifest:
    """A webhook that nobody serves, for objects that the tests do not create."""
    rule = {"apiGroups": ["example.com"], "apiVersions": ["*"], "operations": ["DELETE"], "resources": ["widgets"]}
    hook = {
        "name": "guard.example.com",
        "rules": [rule],
        "clientConfig": {"service": {"name": "guard", "namespace": "other"}},
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    version = "admissionregistration.k8s.io/v1"
    return manifest(version, "ValidatingWebhookConfiguration", "", "guard", webhooks=[hook])


def claim(name: str, storage_class: str) -> Manifest:
    spec = {**CLAIM, "storageClassName": storage_class}
    return manifest("v1", "PersistentVolumeClaim", "other", name, spec=spec)


def volume() -> Manifest:
    spec = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "static",
        "hostPath": {"path": "/data"},
    }
    return manifest("v1", "PersistentVolume", "", "data", spec=spec)


def storage_class(name: str, provisioner: str, mode: str) -> Manifest:
    fields = {"provisioner": provisioner, "volumeBindingMode": mode}
    return manifest("storage.k8s.io/v1", "StorageClass", "", name, **fields)


def world_of_others() -> list[Manifest]:
    """What is in the cluster besides the prod stack, which uses 4 of the 16 GPUs."""
    held = manifest("v1", "Pod", "other", "held", spec=template("held")["spec"])
    held["spec"]["containers"][0]["image"] = "main:missing"
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "literal", "namespace": "other"}}
    mine = widget()
    mine["metadata"]["finalizers"] = ["example.com/cleanup"]
    return [
        namespace("other"),
        gpu_deployment("llm", "other", 13, "1"),
        held,
        {**secret, "stringData": {"password": SECRETS[0], "token": SECRETS[2]}},
        storage_class("static", "kubernetes.io/no-provisioner", "Immediate"),
        storage_class("disks", "disk.csi.example.com", "WaitForFirstConsumer"),
        volume(),
        claim("data", "static"),
        claim("unused", "disks"),
        manifest("v1", "ServiceAccount", "other", "operator"),
        definition(),
        webhook(),
        mine,
    ]


@pytest.fixture(scope="module")
def live(project: Project) -> Client:
    """The cluster: the prod stack, a full GPU pool with a pod that waits, an operator, a webhook, claims, Secrets."""
    project.stack("prod").up()
    client = Client(project.layout.kubeconfig)
    for one in world_of_others():
        wait_until(
            lambda one=one: one["kind"] != "Widget" or ("example.com/v1", "Widget") in client.resources(refresh=True)
        )
        client.create(one)
    applied = project.folder / "secret.yaml"
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "applied", "namespace": "other"}}
    applied.write_text(json.dumps({**secret, "stringData": {"password": SECRETS[1]}}), encoding="utf-8")
    assert project.run("kubectl", "apply", "-f", str(applied)).returncode == 0
    applied.unlink()

    def is_as_expected() -> bool:
        found = client.list("v1", "Pod", "other")[0]
        states = [state for one in found for state in waiting(one)]
        ready = sum(is_ready(one) for one in found)
        claims = {one["metadata"]["name"]: one["status"].get("phase") for one in client.list(*CLAIMS, "other")[0]}
        return ready == 12 and "ImagePullBackOff" in states and claims == {"data": "Bound", "unused": "Pending"}

    wait_until(is_as_expected, 60)
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "cpu-1"}}
    client.patch(node, {"spec": {"unschedulable": True}})
    return client


CLAIMS = ("v1", "PersistentVolumeClaim")


def waiting(pod: Manifest) -> list[str]:
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    return [one["state"]["waiting"]["reason"] for one in statuses if "waiting" in one["state"]]


def is_ready(pod: Manifest) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any((one["type"], one["status"]) == ("Ready", "True") for one in conditions)


@pytest.fixture(scope="module")
def snapshot(project: Project, live: Client) -> Snapshot:
    return take(Cluster(kubeconfig=project.layout.kubeconfig))


POOLS: dict[str, dict[str, Any]] = {
    "gpu": {
        "nodeSelector": {"cloud.google.com/gke-accelerator": "nvidia-l4"},
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "value": None, "effect": "NoSchedule"}],
        "gpuResource": "nvidia.com/gpu",
        "autoscaling": {"max": 3, "allocatable": {}},
    },
    "zero": {
        "nodeSelector": {"pool": "zero"},
        "tolerations": [],
        "gpuResource": None,
        "autoscaling": {"max": 1, "allocatable": {"cpu": "4", "memory": "16Gi"}},
    },
}


@pytest.fixture(scope="module")
def running(project: Project, snapshot: Snapshot) -> Iterator[Twin]:
    with twin(snapshot, project.layout, pools=POOLS) as made:
        yield made


def by_target(found: Snapshot) -> dict[str, Manifest]:
    return {target(one): one for one in found.objects if one["kind"] not in {"APIService", "ClusterTrustBundle"}}


def differences(path: str, first: Any, second: Any) -> Iterator[str]:
    """The paths of values that differ."""
    if isinstance(first, dict) and isinstance(second, dict):
        for key in {**first, **second}:
            if key != "resourceVersion":
                yield from differences(f"{path}.{key}", first.get(key), second.get(key))
    elif first != second:
        yield path


def kubeconfig_of(running: Twin, project: Project) -> Path:
    (folder,) = project.layout.home.glob("twin-*")
    return folder / "kubeconfig"


def test_all_objects_are_what_they_are_in_the_cluster(project: Project, snapshot: Snapshot, running: Twin) -> None:
    """UIDs, owners, managed fields and statuses included."""
    copied = take(Cluster(kubeconfig=kubeconfig_of(running, project)))
    before, after = by_target(snapshot), by_target(copied)
    assert before.keys() - after.keys() == {"ValidatingWebhookConfiguration guard"}
    assert after.keys() - before.keys() == set()
    different = {name: found for name, one in after.items() if (found := list(differences("", before[name], one)))}
    own_certificates = {
        name for name in different if name.endswith(("/kube-root-ca.crt", "/extension-apiserver-authentication"))
    }
    assert {name: found for name, found in different.items() if name not in own_certificates} == {
        "Pod other/held": [".metadata.annotations.twin.ml-platform/held"],
        "Widget other/mine": [".metadata.finalizers"],
    }


def test_what_was_broken_before_is_the_baseline(running: Twin) -> None:
    broken = {f"{kind} {name}": reason for (_, kind, _, name), reason in running.baseline.broken.items()}
    (waiting_pod,) = [name for name in broken if name.startswith("Pod llm-")]
    assert broken.keys() == {waiting_pod, "Deployment llm", "Pod held", "PersistentVolumeClaim unused"}
    assert "Insufficient nvidia.com/gpu" in broken[waiting_pod]
    assert broken["Pod held"].startswith("ImagePullBackOff")
    assert running.baseline.settled


def test_notes_name_what_the_twin_does_not_do(running: Twin) -> None:
    notes = {note.code: note.text for note in running.notes}
    assert notes.keys() == {"webhooks-not-called", "finalizers-not-copied"}
    assert "guard.example.com (widgets)" in notes["webhooks-not-called"]
    assert "example.com/cleanup" in notes["finalizers-not-copied"]


def test_pods_become_ready_and_end_after_the_durations_in_their_annotations(running: Twin) -> None:
    pod = manifest("v1", "Pod", "other", "timed", spec=template("timed")["spec"])
    pod["metadata"]["annotations"] = {"twin.ml-platform/ready-after": "1500ms", "twin.ml-platform/gone-after": "1s"}
    created = time.monotonic()
    running.client.create(pod)
    wait_until(lambda: is_ready(running.client.get(pod) or {}))
    assert 1.4 < time.monotonic() - created < 6
    deleted = time.monotonic()
    running.client.delete(pod)
    wait_until(lambda: running.client.get(pod) is None)
    assert 0.9 < time.monotonic() - deleted < 6


def test_a_claim_is_bound_when_a_pod_uses_it(running: Twin) -> None:
    pod = manifest("v1", "Pod", "other", "user", spec=template("user")["spec"])
    pod["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": "unused"}}]
    running.client.create(pod)
    wait_until(lambda: is_ready(running.client.get(pod) or {}))
    bound = running.client.get(claim("unused", "disks"))
    assert bound is not None
    assert bound["status"]["phase"] == "Bound"
    running.client.delete(pod)
    running.client.delete(bound)
    name = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": bound["spec"]["volumeName"]}}
    wait_until(lambda: running.client.get(name) is None)


def test_pools_grow_for_pods_that_fit_on_no_node(running: Twin) -> None:
    """Last: the pod of another stack that waits is scheduled as well."""
    pod = manifest("v1", "Pod", "other", "zero", spec={**template("zero")["spec"], "nodeSelector": {"pool": "zero"}})
    large = manifest(
        "v1", "Pod", "other", "large", spec={**pod["spec"], "containers": template("large")["spec"]["containers"]}
    )
    large["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "5"}}
    for one in (pod, large):
        running.client.create(one)
    assert running.settle()
    assert running.add_nodes() == 2
    assert running.settle()
    assert running.add_nodes() == 0
    names = {one["metadata"]["name"] for one in running.client.list("v1", "Node")[0]}
    assert {"gpu-twin-1", "zero-twin-1"} <= names
    pods = {one["metadata"]["name"]: one for one in running.client.list("v1", "Pod", "other")[0]}
    assert is_ready(pods["zero"])
    assert not is_ready(pods["large"])
    assert all(is_ready(one) for name, one in pods.items() if name.startswith("llm-"))


def test_values_of_secrets_are_neither_in_the_snapshot_nor_in_the_twin(
    project: Project, snapshot: Snapshot, running: Twin
) -> None:
    secrets = {one["metadata"]["name"]: one for one in snapshot.of_kind("Secret")}
    assert set(secrets["literal"]["data"]) == {"password", "token"}
    assert set(secrets["applied"]["data"]) == {"password"}
    file = project.folder / "cluster.snapshot"
    snapshots.write(snapshot, file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert snapshots.read(file) == snapshot
    database = b"".join(
        path.read_bytes() for path in kubeconfig_of(running, project).parent.rglob("*") if path.is_file()
    )
    for content in (gzip.decompress(file.read_bytes()), database):
        assert b"image-classifier" in content
        for value in SECRETS:
            assert value.encode() not in content
            assert base64.b64encode(value.encode()).rstrip(b"=") not in content


def test_the_role_for_previews_suffices(project: Project, snapshot: Snapshot) -> None:
    _, kubeconfig = project.reviewer()[1].split("=")
    found = take(Cluster(kubeconfig=Path(kubeconfig)))
    assert found.unread == {"secrets": "", "widgets.example.com": ""}
    assert not found.secret_keys_known
    assert {note.code for note in found.notes} == {"secrets-not-copied", "kinds-not-copied"}
    readable = {name for name in by_target(snapshot) if not name.startswith(("Secret ", "Widget "))}
    assert readable <= by_target(found).keys()


SCRIPT = """
import os, sys, time
from pathlib import Path
from review.cluster.kubectl import Cluster
from review.twin.cluster import twin
from review.twin.reader import reader
from review.twin.snapshot import take
from sandbox.layout import Layout
cluster = Cluster()
with twin(take(cluster), Layout(Path.cwd())), reader(cluster):
    print("running", flush=True)
    time.sleep(60)
"""


def test_a_killed_twin_leaves_no_process_behind_and_the_next_one_removes_its_files(
    project: Project, live: Client
) -> None:
    environment = {**project.environment(), "PYTHONPATH": str(project.folder)}
    command = [sys.executable, "-c", SCRIPT]
    script = subprocess.Popen(command, cwd=project.folder, env=environment, stdout=subprocess.PIPE, text=True)
    assert script.stdout is not None
    assert "running\n" in script.stdout
    family = psutil.Process(script.pid).children(recursive=True)
    assert {one.name() for one in family} >= {"etcd", "kube-apiserver", "kubectl", "kwok"}
    folders = {one for one in project.layout.home.glob("twin-*") if {*servers.running(one)}}
    os.kill(script.pid, signal.SIGKILL)
    script.wait()
    script.stdout.close()
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not alive
    left = [one for one in folders if not servers.running(one)]
    assert len(left) == 1
    with twin(take(Cluster(kubeconfig=project.layout.kubeconfig)), project.layout):
        assert not left[0].exists()


def test_the_cluster_is_only_read(project: Project, audit_log: Path) -> None:
    """Only reads, dry runs, and questions about permissions."""
    versions = resource_versions(take(Cluster(kubeconfig=project.layout.kubeconfig)))
    project.edit("prod", lambda settings: settings["modelServices"]["model-serving"].update(replicas=2))
    try:
        done = project.run(sys.executable, "-m", "review", "--stack", "prod", "--twin", "--format", "json")
    finally:
        project.restore("prod")
    made = json.loads(done.stdout)
    assert "twin-not-started" not in done.stdout, done.stdout
    assert [one["target"] for one in made["twin"]["rollouts"]] == ["Service ml-serving/model-api"]
    assert [one for one in project.layout.home.glob("twin-*") if not servers.running(one)] == []
    assert resource_versions(take(Cluster(kubeconfig=project.layout.kubeconfig))) == versions
    requests = [json.loads(line) for line in audit_log.read_text(encoding="utf-8").splitlines()]
    own = [one for one in requests if one["user"]["username"] == "sandbox-admin"]
    assert any("dryRun=All" in one["requestURI"] for one in own)
    assert any(one["verb"] == "list" and one["requestURI"].startswith("/api/v1/secrets") for one in own)
    others = {(one["verb"], one["requestURI"]) for one in own if one["verb"] not in {"get", "list", "watch"}}
    reviews = {"/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"}
    assert {uri for _, uri in others if "dryRun=All" not in uri and uri.partition("?")[0] not in reviews} == set()


def resource_versions(found: Snapshot) -> dict[str, str]:
    """Every write of an object changes it."""
    return {name: one["metadata"]["resourceVersion"] for name, one in by_target(found).items()}


@pytest.fixture
def audit_log(project: Project, live: Client) -> Iterator[Path]:
    """Restart the API server of the cluster with an audit log."""
    log, policy = project.folder / "audit.log", project.folder / "audit.yaml"
    content = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [{"level": "Metadata"}]}
    policy.write_text(json.dumps(content), encoding="utf-8")
    running = project.processes()["kube-apiserver"]
    command = (*running.cmdline(), f"--audit-log-path={log}", f"--audit-policy-file={policy}")
    servers.kill([running])
    root, logs = project.layout.root, project.layout.cluster / "logs"
    server = Server("kube-apiserver", command, root, logs)

    def is_ready() -> bool:
        with closing(Api(project.layout)) as api:
            try:
                return api.request("GET", "/readyz")[0] == 200
            except OSError:
                return False

    process = server.start(project.layout.environment())
    server.wait(process, is_ready, 60)
    yield log
    process.kill()
    process.wait()
