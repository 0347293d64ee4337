"""Owners of objects, and objects that belong to another owner."""

from typing import Any

import pytest

from components.base.error_table import OWNED_BY_STACK
from components.base.ownership import ADOPT, FIELD_MANAGER, OWNER, Conflict, Owner, conflict, message

MINE = Owner("ml-platform", "prod", "ModelService", "bert", "deployment")
CREATED = "2026-11-24T07:00:00Z"
LATER = "2026-11-24T07:30:00Z"


def deployment(name: str = "bert", *containers: str) -> dict[str, Any]:
    template = {"spec": {"containers": [{"name": container} for container in containers or ("server",)]}}
    metadata = {"name": name, "namespace": "ml-serving"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"template": template}}


def live(*managers: tuple[str, str], name: str = "bert", containers: tuple[str, ...] = ("server",)) -> dict[str, Any]:
    """What the API server answers to the application of the Deployment at LATER."""
    answer = deployment(name, *containers)
    fields = [{"manager": manager, "time": time} for manager, time in managers]
    answer["metadata"] |= {"creationTimestamp": CREATED, "managedFields": fields}
    return answer


def found(answer: dict[str, Any], *, adopt: bool = False) -> Conflict | None:
    manifest = MINE.of(deployment())
    if adopt:
        manifest["metadata"]["annotations"] |= ADOPT
    return conflict(manifest, answer)


def test_an_object_names_its_owner_and_its_field_manager() -> None:
    manifest = deployment()
    manifest["metadata"]["annotations"] = {"note": "x"}
    assert MINE.of(manifest)["metadata"]["annotations"] == {
        "note": "x",
        OWNER: "ml-platform/prod/ModelService/bert/deployment",
        FIELD_MANAGER: "ml-platform:ml-platform/prod/ModelService/bert/deployment",
    }


def test_a_field_manager_fits_into_the_limit_of_kubernetes_and_stays_unique() -> None:
    managers = {Owner("p" * 90, "s" * 60, "ModelService", name, "service").manager for name in ("a", "b")}
    assert len(managers) == 2
    assert all(len(manager) == 128 for manager in managers)


@pytest.mark.parametrize(
    "answer",
    [
        live((MINE.manager, CREATED)),
        live((MINE.manager, CREATED), ("kube-controller-manager", LATER)),
        # Left by an interrupted update, with other values now.
        live((MINE.manager, LATER)),
        # Edited by another user.
        live((MINE.manager, CREATED), ("kubectl-edit", LATER)),
        # The dry run was not possible: the inputs come back.
        MINE.of(deployment()),
        {},
    ],
)
def test_a_new_object_and_one_of_the_same_owner_may_be_created(answer: dict[str, Any]) -> None:
    assert found(answer) is None


@pytest.mark.parametrize("adopt", [False, True])
@pytest.mark.parametrize(
    ("other", "code", "owner"),
    [
        (Owner("ml-platform", "dev", "ModelService", "bert", "deployment"), "owned-by-stack", "ModelService bert"),
        (Owner("other", "prod", "ModelService", "bert", "deployment"), "owned-by-stack", "ModelService bert"),
        (Owner("ml-platform", "prod", "ModelService", "old", "deployment"), "owned-by-component", "ModelService old"),
        (Owner("ml-platform", "prod", "ModelService", "bert", "canary"), "owned-by-component", "ModelService bert"),
    ],
)
def test_an_object_of_another_owner_is_rejected_even_for_adoption(
    other: Owner, code: str, owner: str, adopt: bool
) -> None:
    rejected = found(live((other.manager, CREATED), (MINE.manager, LATER)), adopt=adopt)
    assert rejected is not None
    assert (rejected.kind.code, rejected.context["owner"]) == (code, owner)


def test_an_object_that_no_component_owns_is_rejected_unless_it_is_adopted() -> None:
    answer = live(("kubectl-create", CREATED), (MINE.manager, LATER))
    rejected = found(answer)
    assert rejected is not None
    assert (rejected.kind.code, rejected.context["manager"]) == ("owned-by-no-component", "kubectl-create")
    assert found(answer, adopt=True) is None


def test_an_object_with_other_immutable_fields_is_rejected() -> None:
    rejected = found(live((MINE.manager, LATER), name="bert-7x2lq"), adopt=True)
    assert rejected is not None
    assert rejected.kind.code == "immutable-object"


def test_an_adopted_workload_keeps_no_other_containers() -> None:
    managers = (("kubectl-create", CREATED), (MINE.manager, LATER))
    rejected = found(live(*managers, containers=("main", "server")), adopt=True)
    assert rejected is not None
    assert (rejected.kind.code, rejected.context["other"]) == ("adopted-containers", "main")


def test_a_message_groups_objects_by_owner_and_counts_the_rest() -> None:
    context = {"owner": "TeamNamespace nlp", "stack": "ml-platform/prod"}
    conflicts = [("TeamNamespace nlp", Conflict(f"NetworkPolicy nlp/{n}", OWNED_BY_STACK, context)) for n in "abcde"]
    lines = message([*conflicts, ("ModelService bert", conflicts[0][1])]).splitlines()
    assert [line.split(":")[0] for line in lines[::2]] == ["TeamNamespace nlp", "ModelService bert"]
    assert "NetworkPolicy nlp/a, NetworkPolicy nlp/b, NetworkPolicy nlp/c and 2 more" in lines[0]
    assert "ml-platform/prod" in lines[0]
    assert lines[0].endswith("[owned-by-stack]")
