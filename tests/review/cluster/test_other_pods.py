"""Pods that do not belong to the stack."""

from collections.abc import Sequence
from typing import Any

import pytest

from components.base.objects import UNKNOWN, Manifest
from review import messages
from review.cluster.kubectl import ForbiddenError
from review.cluster.other_pods import is_owned, other_pods
from review.messages import Message
from review.preview import Preview, with_unknown
from tests.review.cluster.table import Table, pod, preview
from tests.review.prod import given, parsed

OF_REPLICA_SET = {"pod-template-hash": "5d8f"}
OWN = pod("model-serving-5d8f-x", ("ReplicaSet", "model-serving-5d8f"), **OF_REPLICA_SET)


def others(cluster: Table, change: Preview | None = None) -> tuple[Sequence[Manifest], Sequence[Message]]:
    change = change or preview()
    changed = [with_unknown(step.after) for step in change.steps if step.is_change and step.after is not None]
    return other_pods(changed, change, cluster)


@pytest.mark.parametrize(
    "other",
    [
        pod("debug"),
        pod("model-serving"),  # its name is that of the Deployment, which does not own it
        pod("bert-5d8f-x", ("ReplicaSet", "bert-5d8f"), **OF_REPLICA_SET),
        pod("nightly-29000000-x", ("Job", "nightly-29000000")),
        pod("ml-x", ("Notebook", "model-serving")),
    ],
    ids=lambda pod: pod["metadata"]["name"],
)
def test_pods_of_others_even_of_other_stacks(other: dict[str, Any]) -> None:
    assert others(Table(pods=[other])) == ([other], [])


def test_own_and_finished_pods_do_not_count() -> None:
    assert others(Table(pods=[pod("debug", phase="Succeeded"), OWN])) == ([], [])


def test_pods_of_an_object_that_is_deleted_do_not_count() -> None:
    content = given()
    for step in content["steps"]:
        if step["urn"].endswith("::model-serving-deployment"):
            step.update(op="delete", newState=None)
    assert others(Table(pods=[OWN]), parsed(content)) == ([], [])


def test_pods_that_may_not_be_listed_are_a_note() -> None:
    pods, notes = others(Table(errors={"pods": ForbiddenError("no")}))
    assert pods == []
    assert messages.OTHER_PODS_NOT_CHECKED(namespace="ml-serving", reason=messages.FORBIDDEN()) in notes


@pytest.mark.parametrize(
    ("kind", "one"),
    [
        ("Pod", pod("p")),
        ("Job", pod("p-0", ("Job", "p"))),
        ("CronJob", pod("p-29000000-x", ("Job", "p-29000000"))),
        ("JobSet", pod("p-w-0-0-x", ("Job", "p-w-0"), **{"jobset.sigs.k8s.io/jobset-name": "p"})),
        ("StatefulSet", pod("p-0", ("StatefulSet", "p"))),
        ("Deployment", pod("p-5d8f-x", ("ReplicaSet", "p-5d8f"), **OF_REPLICA_SET)),
    ],
)
def test_the_owner_of_a_pod(kind: str, one: dict[str, Any]) -> None:
    unknown = {"kind": kind, "metadata": {"name": UNKNOWN}}
    assert is_owned(one, [unknown, {"kind": kind, "metadata": {"name": "p"}}])
    assert not is_owned(one, [unknown, {"kind": kind, "metadata": {"name": "q"}}])
