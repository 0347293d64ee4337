"""The objects of a TeamNamespace."""

from typing import Any

from components import TeamNamespaceArgs
from components.team_namespace.args import POD_SECURITY_VERSION
from components.team_namespace.manifests import manifests
from tests.schemas import assert_valid
from tests.teams import EVERYTHING, objects


def test_every_object_is_valid() -> None:
    assert_valid(objects())
    assert_valid(objects(**EVERYTHING))


def test_the_labels_of_the_namespace_name_its_owner_and_the_pod_security_level() -> None:
    args = TeamNamespaceArgs(team="nlp", owner="dana", cost_center="cc-7", labels={"env": "prod"})
    namespace = manifests("ml-training", args)["namespace"]
    assert namespace["metadata"]["name"] == "ml-training"
    assert namespace["metadata"]["labels"] == {
        "app.kubernetes.io/managed-by": "pulumi",
        "team": "nlp",
        "owner": "dana",
        "cost-center": "cc-7",
        "env": "prod",
        **{
            f"pod-security.kubernetes.io/{mode}{suffix}": value
            for mode in ("enforce", "audit", "warn")
            for suffix, value in (("", "restricted"), ("-version", POD_SECURITY_VERSION))
        },
    }


def test_the_labels_of_the_team_are_on_every_object() -> None:
    for role, manifest in objects(**EVERYTHING).items():
        assert manifest["metadata"]["labels"]["team"] == "nlp", role
        assert manifest["metadata"]["labels"]["cost-center"] == "cc-7", role


def test_annotations_are_on_every_object() -> None:
    for role, manifest in objects(**EVERYTHING, adopt=True, annotations={"note": "x"}).items():
        assert manifest["metadata"]["annotations"] == {"note": "x"}, role


def test_the_team_defaults_to_the_name_of_the_namespace() -> None:
    assert objects("nlp")["namespace"]["metadata"]["labels"]["team"] == "nlp"
    assert objects("nlp", name="ml-nlp")["namespace"]["metadata"]["labels"]["team"] == "ml-nlp"


def test_pods_without_a_service_account_get_no_token() -> None:
    account = objects()["default-account"]
    assert account["metadata"]["name"] == "default"
    assert account["automountServiceAccountToken"] is False


def test_a_local_queue_of_kueue() -> None:
    queue = objects(queues={"training": "gpu-queue"})["queue-training"]
    metadata: dict[str, Any] = queue["metadata"]
    assert (queue["kind"], metadata["name"], metadata["namespace"]) == ("LocalQueue", "training", "nlp")
    assert queue["spec"] == {"clusterQueue": "gpu-queue"}
