"""TeamNamespace: the resources that it registers, and their options."""

from typing import Any

import pytest

from components import TeamNamespace
from components.base.errors import Problem
from components.base.ownership import ADOPT
from tests.mocks import Deployment, deploy
from tests.problems import errors, problems
from tests.teams import EVERYTHING


def registered(**arguments: Any) -> Deployment:
    return deploy(lambda: TeamNamespace("nlp", arguments))


def test_all_objects_are_registered_after_the_namespace() -> None:
    deployment = registered(quota={"pods": 5})
    assert deployment.children("nlp") == {
        "nlp-namespace": "kubernetes:core/v1:Namespace",
        "nlp-quota": "kubernetes:core/v1:ResourceQuota",
        "nlp-other-priorities": "kubernetes:core/v1:ResourceQuota",
        "nlp-container-limits": "kubernetes:core/v1:LimitRange",
        "nlp-default-account": "kubernetes:core/v1:ServiceAccountPatch",
        "nlp-default-deny": "kubernetes:networking.k8s.io/v1:NetworkPolicy",
        "nlp-allow-dns": "kubernetes:networking.k8s.io/v1:NetworkPolicy",
        "nlp-allow-same-namespace": "kubernetes:networking.k8s.io/v1:NetworkPolicy",
    }
    before = {urn.split("::")[-1] for urn in deployment["nlp-quota"].request.dependencies}
    assert before == {"nlp-namespace"}
    assert deployment.outputs["nlp"] == {"namespace": "nlp"}


@pytest.mark.parametrize("on_delete", ["delete", "retain", "protect"])
def test_on_delete(on_delete: str) -> None:
    deployment = registered(**{**EVERYTHING, "on_delete": on_delete})
    children = deployment.children("nlp")
    protected = {name for name in children if deployment[name].request.protect}
    retained = {name for name in children if deployment[name].request.retainOnDelete}
    assert retained == (set(children) if on_delete == "retain" else {"nlp-default-account"})
    if on_delete == "protect":
        # Children are deleted in reverse order: if the last one is protected, none is deleted.
        assert {"nlp-namespace", "nlp-quota", list(children)[-1]} <= protected
        # What a change of the arguments can remove is not protected.
        assert not {"nlp-allow-to", "nlp-viewer-binding", "nlp-priority-quota-training"} & protected
    else:
        assert protected == set()


def test_only_the_namespace_is_adopted_and_retained() -> None:
    deployment = registered(adopt=True)
    namespace = deployment["nlp-namespace"]
    assert namespace.request.retainOnDelete
    assert ADOPT.items() <= namespace.inputs["metadata"]["annotations"].items()
    (alias,) = namespace.request.aliases
    assert alias.spec.type == "kubernetes:core/v1:NamespacePatch"
    assert not deployment["nlp-default-deny"].request.retainOnDelete


def test_another_cluster_queue_replaces_the_local_queue() -> None:
    """The field is immutable, which the provider does not know."""
    request = registered(queues={"training": "gpus"})["nlp-queue-training"].request
    assert list(request.replaceOnChanges) == ["spec.clusterQueue"]
    assert request.deleteBeforeReplace


def test_the_name_of_the_component_is_validated_as_that_of_the_namespace() -> None:
    assert errors(lambda: deploy(lambda: TeamNamespace("kube-system", {}))) == [("reserved", "name")]
    assert errors(lambda: deploy(lambda: TeamNamespace("kube-system", {"name": "ml"}))) == []


def test_the_quota_must_hold_the_objects_of_the_namespace() -> None:
    (problem,) = problems(lambda: registered(quota={"configmaps": 0}))
    assert isinstance(problem, Problem)
    assert (problem.code, problem.path) == ("quota-exceeded", ("TeamNamespace nlp", "quota", "configmaps"))
