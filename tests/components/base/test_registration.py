"""How manifests become resources of a component."""

from typing import Any

import pulumi
import pytest

from components.base.ownership import ADOPT, FIELD_MANAGER, IGNORED_CHANGES, OWNER
from components.base.registration import FORCE, Manifests, register_all, type_token
from tests.mocks import Deployment, deploy

CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "lab"}}
QUEUE = {"apiVersion": "kueue.x-k8s.io/v1beta1", "kind": "LocalQueue", "metadata": {"name": "q", "namespace": "lab"}}
TYPE = "ml-platform:index:TrainingJob"


def registered(manifests: Manifests, **arguments: Any) -> Deployment:
    def program() -> None:
        register_all(pulumi.ComponentResource(TYPE, "bert"), "bert", manifests, **arguments)

    return deploy(program, stack="prod")


@pytest.mark.parametrize(
    ("manifest", "token"),
    [(CONFIG_MAP, "kubernetes:core/v1:ConfigMap"), (QUEUE, "kubernetes:kueue.x-k8s.io/v1beta1:LocalQueue")],
)
def test_the_type_is_that_of_the_typed_sdk(manifest: dict[str, Any], token: str) -> None:
    assert type_token(manifest) == token


def test_every_object_has_its_owner_which_never_changes() -> None:
    child = registered({"settings": CONFIG_MAP})["bert-settings"]
    owner = "ml-platform/prod/TrainingJob/bert/settings"
    annotations = child.request.object["metadata"]["annotations"]
    assert dict(annotations.items()) == {OWNER: owner, FIELD_MANAGER: f"ml-platform:{owner}"}
    assert list(child.request.ignoreChanges) == IGNORED_CHANGES


def test_children_are_created_one_after_the_other() -> None:
    made = registered({"one": CONFIG_MAP, "two": {**CONFIG_MAP, "metadata": {"name": "b", "namespace": "lab"}}})
    assert any(urn.endswith("::bert-one") for urn in made["bert-two"].request.dependencies)
    assert not made["bert-one"].request.dependencies


def test_an_operators_object_is_the_same_one_in_every_version_of_its_api() -> None:
    def types(role: str, manifest: dict[str, Any]) -> set[str]:
        return {alias.spec.type for alias in registered({role: manifest})[f"bert-{role}"].request.aliases}

    assert "kubernetes:kueue.x-k8s.io/v1beta2:LocalQueue" in types("queue", QUEUE)
    assert types("settings", CONFIG_MAP) == set()


def test_an_adopted_object_is_forced_marked_and_retained() -> None:
    adopted = registered({"settings": CONFIG_MAP}, adopted={"settings"})["bert-settings"]
    assert adopted.inputs["metadata"]["annotations"] == {**FORCE, **ADOPT}
    assert adopted.request.retainOnDelete
    assert not registered({"settings": CONFIG_MAP})["bert-settings"].request.retainOnDelete


def test_only_objects_of_kubernetes_are_patched() -> None:
    assert registered({"a": CONFIG_MAP}, patches={"a"})["bert-a"].type == "kubernetes:core/v1:ConfigMapPatch"


def test_every_child_waits_as_long_as_given() -> None:
    timeouts = registered({"a": CONFIG_MAP}, timeout=20)["bert-a"].request.customTimeouts
    assert (timeouts.create, timeouts.update) == ("20s", "20s")
