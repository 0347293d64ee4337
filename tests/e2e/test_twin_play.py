"""Changes that are tried on a twin of a real cluster: each mechanism by which a change goes wrong."""

import time
from collections.abc import Callable

import pytest

from components.base.objects import Manifest
from review.cluster.kubectl import Cluster
from review.preview import Preview
from review.twin.client import ApiError, Client
from review.twin.cluster import twin
from review.twin.report import TwinReport
from review.twin.snapshot import Snapshot, take
from review.twin.timing import timing
from review.twin.trial import try_change
from tests.e2e.project import Project
from tests.edits import Edit, append, drop, edited, put
from tests.review.twin.previews import preview_of
from tests.review.twin.world import deployment, gpu_deployment, manifest, service, widget, world

WORLD = world()


@pytest.fixture(scope="module")
def snapshot(project: Project) -> Snapshot:
    """The cluster before any change."""
    client = Client(project.layout.kubeconfig)
    for one in (*WORLD.values(), widget()):
        apply(client, one)
    wait_until_ready(client, {"web": 3, "gpu": 2, "db": 1, "other": 1})
    return take(Cluster(kubeconfig=project.layout.kubeconfig))


def apply(client: Client, one: Manifest) -> None:
    """Apply an object; a new kind is served after a moment."""
    for attempt in range(50):
        try:
            client.apply(one, "twin-test")
        except ApiError:
            if attempt == 49:
                raise
            time.sleep(0.1)
        else:
            return


def wait_until_ready(client: Client, pods: dict[str, int]) -> None:
    end = time.monotonic() + 60
    while any(ready(client, namespace) < count for namespace, count in pods.items()):
        assert time.monotonic() < end, {namespace: ready(client, namespace) for namespace in pods}
        time.sleep(0.2)


def ready(client: Client, namespace: str) -> int:
    pods = client.list("v1", "Pod", namespace)[0]
    conditions = [one for pod in pods for one in (pod.get("status") or {}).get("conditions") or []]
    return sum(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


Trial = Callable[[Preview], TwinReport]


@pytest.fixture
def trial(project: Project, snapshot: Snapshot) -> Trial:
    """Try a change on a twin of its own."""

    def tried(preview: Preview) -> TwinReport:
        changed = [step.after for step in preview.steps if step.is_change and step.after is not None]
        time_of = timing(snapshot.objects, changed)
        with twin(snapshot, project.layout, objects=time_of.objects(), prepare=time_of.scaled) as running:
            return try_change(running.client, preview, time_of)

    return tried


def found(report: TwinReport) -> set[tuple[str, str]]:
    """Code and target of all messages but notes."""
    return {(one.code, str(one.values.get("target"))) for one in (*report.problems, *report.warnings)}


def change(*edits: Edit, added: dict[str, Manifest] | None = None, replaced: frozenset[str] = frozenset()) -> Preview:
    return preview_of(WORLD, {**edited(WORLD, *edits), **(added or {})}, replaced=replaced)


def test_a_rolling_update_without_faults(trial: Trial) -> None:
    report = trial(change(put("web/spec/template/spec/containers/0/image", "main:2")))
    assert (found(report), report.notes) == (set(), ())
    (web,) = (one for one in report.rollouts if one.target == "Service web/web")
    assert (web.minimum, web.ready_after, web.zero_seconds) == (3, 3, 0)
    assert len(web.samples) > 1
    assert sum(report.durations.values()) < 10


def test_no_change(trial: Trial) -> None:
    report = trial(change())
    assert (found(report), report.notes) == (set(), ())


def test_pods_above_the_quota(trial: Trial) -> None:
    report = trial(change(put("web/spec/replicas", 20)))
    assert found(report) == {("update-stuck", "Deployment web/web")}
    (problem,) = report.problems
    assert (problem.values["ready"], problem.values["wanted"]) == (10, 20)
    assert problem.values["reason"].code == "quota-used-up"  # type: ignore[attr-defined]


def test_a_quota_below_the_use_prevents_the_next_restart(trial: Trial) -> None:
    report = trial(change(put("quota/spec/hard/pods", "2")))
    assert found(report) == {("restart-fails", "Deployment web/web")}


def test_pods_that_fit_on_no_node(trial: Trial) -> None:
    report = trial(change(put("web/spec/template/spec/nodeSelector", {"pool": "none"})))
    assert found(report) == {("update-stuck", "Deployment web/web")}
    assert report.problems[0].values["reason"].code == "node-labels-and-taints"  # type: ignore[attr-defined]


def test_a_service_that_selects_no_pod(trial: Trial) -> None:
    report = trial(change(put("web-service/spec/selector/app", "none")))
    assert found(report) == {("service-stuck", "Service web/web")}


def test_pods_that_a_service_no_longer_selects(trial: Trial) -> None:
    """The Service is not changed, so the engine does not wait for it."""
    labels = {"app": "web", "version": "2"}
    edits = (
        put("web/spec/selector/matchLabels", labels),
        put("web/spec/template/metadata/labels", {**labels, "app": "site"}),
        put("web/spec/selector/matchLabels/app", "site"),
    )
    report = trial(change(*edits, replaced=frozenset({"web"})))
    assert ("service-lost-endpoints", "Service web/web") in found(report)


def test_a_surge_on_a_full_gpu_pool(trial: Trial) -> None:
    surge = put("llm/spec/strategy/rollingUpdate", {"maxSurge": 1, "maxUnavailable": 0})
    report = trial(change(surge, put("llm/spec/template/spec/containers/0/image", "main:2")))
    assert found(report) == {("update-stuck", "Deployment gpu/llm")}
    assert report.problems[0].values["reason"].code == "gpus-insufficient"  # type: ignore[attr-defined]


def test_a_strategy_with_which_the_next_version_cannot_roll_out(trial: Trial) -> None:
    report = trial(change(put("llm/spec/strategy/rollingUpdate", {"maxSurge": 1, "maxUnavailable": 0})))
    assert found(report) == {("next-version-stuck", "Deployment gpu/llm")}


def test_a_budget_that_blocks_a_drain(trial: Trial) -> None:
    report = trial(change(put("web-budget/spec/maxUnavailable", 0)))
    assert found(report) == {("drain-blocked", "Deployment web/web")}


def test_a_workload_that_preempts_pods_of_others(trial: Trial) -> None:
    urgent = gpu_deployment("urgent", "other", 1, "8", priorityClassName="high")
    report = trial(change(added={"urgent": urgent}))
    assert ("pod-disrupted", "Deployment gpu/llm") in found(report)
    assert ("pods-missing", "Deployment gpu/llm") in found(report)


def test_a_limit_range_that_breaks_the_next_restart(trial: Trial) -> None:
    limits = manifest(
        "v1", "LimitRange", "web", "limits", spec={"limits": [{"type": "Container", "max": {"memory": "1Gi"}}]}
    )
    report = trial(change(added={"limits": limits}))
    assert found(report) == {("restart-fails", "Deployment web/web")}


def test_a_namespace_whose_label_breaks_the_restart_of_others(trial: Trial) -> None:
    enforce = {"pod-security.kubernetes.io/enforce": "restricted"}
    report = trial(change(put("ns-other/metadata/labels", enforce)))
    assert found(report) == {("restart-fails", "Deployment other/root")}


def test_a_claim_of_a_storage_class_that_does_not_exist(trial: Trial) -> None:
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "none",
        "resources": {"requests": {"storage": "1Gi"}},
    }
    claim = manifest("v1", "PersistentVolumeClaim", "web", "data", spec=spec)
    report = trial(change(added={"claim": claim}))
    assert found(report) == {("claim-unbound-in-twin", "PersistentVolumeClaim web/data")}


def test_an_autoscaler_of_a_workload_that_sets_replicas(trial: Trial) -> None:
    metric = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
    }
    spec = {
        "minReplicas": 3,
        "maxReplicas": 5,
        "metrics": [metric],
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
    }
    autoscaler = manifest("autoscaling/v2", "HorizontalPodAutoscaler", "web", "web", spec=spec)
    report = trial(change(added={"autoscaler": autoscaler}))
    assert found(report) == {("replicas-and-autoscaler", "Deployment web/web")}


def test_a_stateful_set_that_is_replaced(trial: Trial) -> None:
    report = trial(change(put("db/spec/serviceName", "other"), replaced=frozenset({"db"})))
    assert found(report) == {("service-at-zero", "Service db/db")}


def test_a_service_that_is_deleted_while_it_is_in_use(trial: Trial) -> None:
    report = trial(change(drop("web-service")))
    assert found(report) == set()  # reported as an interruption
    (web,) = (one for one in report.rollouts if one.target == "Service web/web")
    assert (web.ready_before, web.ready_after) == (3, 0)


def test_a_definition_whose_objects_are_lost(trial: Trial) -> None:
    report = trial(change(drop("definition")))
    (problem,) = report.problems
    assert problem.code == "objects-lost"
    assert problem.values["objects"] == "Widget other/mine"


def test_an_object_that_the_api_server_rejects(trial: Trial) -> None:
    report = trial(change(append("web/spec/template/spec/containers", {"name": "Main", "image": "main:1"})))
    assert found(report) == {("apply-rejected", "Deployment web/web")}


def test_a_new_service(trial: Trial) -> None:
    """Its Deployment is created after the Service, as the engine may do."""
    report = trial(change(added={"api-service": service("api", "web"), "api": deployment("api", "web", 2)}))
    assert found(report) == set()
