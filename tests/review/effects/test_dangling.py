"""References that a change introduces or breaks."""

import pytest

from components.base.objects import Manifest
from review.effects.dangling import dangling
from tests.review.effects.objects import container, deployment, found, made, owned, pair

SETTINGS = made("ConfigMap", "settings", data={"level": "info"})


def reading(key: str = "level", name: str = "app", image: str = "c") -> Manifest:
    source = {"configMapKeyRef": {"name": "settings", "key": key}}
    return deployment(name, containers=[container(env=[{"name": "L", "valueFrom": source}], image=image)])


def codes(before: list[Manifest], after: list[Manifest], *, complete: bool = True) -> list[str]:
    return [message.code for message in dangling(*pair(before, after), complete=complete)]


def test_an_object_that_others_use_is_deleted() -> None:
    (message,) = dangling(*pair([SETTINGS, reading()], [reading()]), complete=False)
    assert message.code == "reference-lost-by-pods"
    assert message.values == {"what": "ConfigMap a/settings", "users": "Deployment a/app"}


def test_a_key_that_others_use_is_removed() -> None:
    renamed = made("ConfigMap", "settings", data={"log-level": "info"})
    (message,) = dangling(*pair([SETTINGS, reading()], [renamed, reading()]), complete=False)
    assert message.values["what"] == "the key level of ConfigMap a/settings"


def test_an_object_that_nobody_uses_is_deleted() -> None:
    assert codes([SETTINGS], []) == []
    assert codes([SETTINGS, reading()], []) == []


def test_users_are_named_by_their_workload() -> None:
    replicas = owned(made("ReplicaSet", "app-1", version="apps/v1", spec=reading()["spec"]), "Deployment", "app")
    pods = [
        owned(made("Pod", f"app-1-{number}", spec=reading()["spec"]["template"]["spec"]), "ReplicaSet", "app-1")
        for number in range(3)
    ]
    users = [reading(), replicas, *pods]
    (message,) = dangling(*pair([SETTINGS, *users], users), complete=False)
    assert message.values["users"] == "Deployment a/app"


def test_many_users_are_shortened() -> None:
    users = [reading(name=f"app-{number}") for number in range(5)]
    (message,) = dangling(*pair([SETTINGS, *users], users), complete=False)
    assert str(message.values["users"]).endswith("and 2 more")


def test_a_finished_job_uses_nothing() -> None:
    job = made("Job", "j", version="batch/v1", spec={"template": reading()["spec"]["template"]})
    assert codes([SETTINGS, job], [job]) == ["reference-lost-by-pods"]
    finished = {**job, "status": {"conditions": [{"type": "Complete", "status": "True"}]}}
    assert codes([SETTINGS, finished], [finished]) == []


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ([reading()], ["reference-not-found"]),
        ([reading(), SETTINGS], []),
        ([reading("mode"), SETTINGS], ["referenced-part-not-found-by-pods"]),
    ],
    ids=["no object", "an object of the same change", "another key"],
)
def test_a_new_reference(after: list[Manifest], expected: list[str]) -> None:
    assert codes([], after) == expected


def test_without_the_whole_cluster_nothing_is_missing() -> None:
    assert codes([], [reading()], complete=False) == []


def test_kinds_that_could_not_be_read() -> None:
    assert list(dangling(*pair([], [reading()]), complete=True, unreadable={"ConfigMap"})) == []


def test_what_was_missing_before_counts_only_if_new_pods_need_it() -> None:
    assert codes([reading()], [reading()]) == []
    assert codes([reading()], [reading(image="next")]) == ["reference-not-found"]
    labelled = reading()
    labelled["metadata"]["labels"] = {"team": "nlp"}
    assert codes([reading()], [labelled]) == []


def test_references_of_other_objects_are_warnings() -> None:
    scaled = made(
        "HorizontalPodAutoscaler",
        "h",
        version="autoscaling/v2",
        spec={"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "app"}, "maxReplicas": 3},
    )
    assert codes([], [scaled]) == ["reference-dangling"]
    assert codes([reading(), scaled, SETTINGS], [scaled, SETTINGS]) == ["reference-lost"]
    more = {**scaled, "spec": {**scaled["spec"], "maxReplicas": 5}}
    assert codes([scaled], [more]) == []


def test_custom_objects_count_only_if_they_lose_an_object() -> None:
    monitor = made("Backup", "b", version="example.com/v1", spec={"configMapRef": {"name": "settings"}})
    assert codes([], [monitor]) == []
    assert found(dangling(*pair([SETTINGS, monitor], [monitor]), complete=False)) == [
        ("reference-lost", "ConfigMap a/settings")
    ]


def test_what_a_controller_may_create_is_not_missing() -> None:
    pods = deployment(imagePullSecrets=[{"name": "registry"}])
    external = made("ExternalSecret", "e", version="external-secrets.io/v1", spec={"target": {"name": "registry"}})
    assert codes([], [pods]) == ["reference-not-found"]
    assert codes([], [pods, external]) == []
    spec = {"tls": [{"secretName": "t"}]}
    ingress = made("Ingress", "i", version="networking.k8s.io/v1", spec=spec)
    assert codes([], [ingress]) == ["reference-dangling"]
    issued = made(
        "Ingress", "i", version="networking.k8s.io/v1", spec=spec, annotations={"cert-manager.io/cluster-issuer": "x"}
    )
    assert codes([], [issued]) == []


@pytest.mark.parametrize(("selector", "expected"), [({}, ["reference-dangling"]), ({"matchLabels": {"gpu": "on"}}, [])])
def test_a_webhook_that_is_called_for_no_namespace(selector: Manifest, expected: list[str]) -> None:
    service = {"service": {"name": "injector", "namespace": "a"}}
    webhook = {"name": "inject.example.com", "clientConfig": service, "namespaceSelector": selector}
    version = "admissionregistration.k8s.io/v1"
    configuration = made("MutatingWebhookConfiguration", "inject", None, version, webhooks=[webhook])
    namespace = made("Namespace", "a", None)
    assert codes([namespace], [namespace, configuration]) == expected
