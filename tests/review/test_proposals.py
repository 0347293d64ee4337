"""The proposals, as far as the review sees them without a cluster; tests/e2e/test_changes.py has one."""

import pytest

from review.review import Review, review
from tests.edits import Edit
from tests.review.prod import POOLS, TODAY, given, parsed
from tests.review.proposals import HARMFUL, HARMLESS, base


def proposed(edit: Edit) -> Review:
    """The review of a proposal. Its operations are those that follow from the manifests alone."""
    preview, after = given(), base(edit)
    steps = []
    for step in preview["steps"]:
        name = step["urn"].rpartition("::")[2]
        if "oldState" not in step:
            continue
        before, new = step["oldState"], after.pop(name, None)
        if new is None:
            steps.append({**step, "op": "delete", "newState": None})
        else:
            op = "same" if new == before["inputs"] else "update"
            steps.append({"op": op, "urn": step["urn"], "oldState": before, "newState": {**before, "inputs": new}})
    for name, manifest in after.items():
        state = {"type": f"kubernetes:x:{manifest['kind']}", "inputs": manifest}
        steps.append({"op": "create", "urn": f"urn:pulumi:prod::ml-platform::x::{name}", "newState": state})
    preview["steps"] = steps
    return review(parsed(preview), POOLS, TODAY)


# Only the cluster knows these.
NEEDS_A_CLUSTER = {
    "another selector of a Deployment", "another image of a Job", "another command of a running pod",
    "another name of a load balancer", "a claim that does not exist", "a Secret that does not exist",
    "a ConfigMap that does not exist", "a PriorityClass that does not exist", "a ServiceAccount that does not exist",
    "a RuntimeClass that does not exist", "a StorageClass that does not exist", "a node pool that does not exist",
    "a namespace that does not exist", "a kind that the cluster does not serve",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(HARMFUL.keys() - NEEDS_A_CLUSTER))
def test_a_harmful_change_is_noticed(name: str) -> None:
    assert proposed(HARMFUL[name]).verdict in {"blocked", "attention"}


@pytest.mark.parametrize("name", HARMLESS)
def test_a_harmless_change_is_not_reported(name: str) -> None:
    assert proposed(HARMLESS[name]).verdict in {"clear", "unchanged"}


def test_there_are_forty_of_each() -> None:
    assert (len(HARMFUL), len(HARMLESS)) == (40, 40)
    assert HARMFUL.keys() >= NEEDS_A_CLUSTER
