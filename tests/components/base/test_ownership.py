"""Objects that existed before they were created."""

import pytest

from components.base.ownership import existed

CREATED = "2026-11-24T07:00:00Z"


@pytest.mark.parametrize(
    ("managers", "expected"),
    [
        ([("pulumi-kubernetes-12ab", CREATED)], False),
        # A controller that labels each new namespace.
        ([("pulumi-kubernetes-12ab", CREATED), ("controller", "2026-11-24T07:00:01Z")], False),
        # Created by Pulumi in an interrupted run, or retained.
        ([("pulumi-kubernetes-12ab", CREATED), ("pulumi-kubernetes-34cd", "2026-11-24T09:00:00Z")], False),
        ([("pulumi-kubernetes-12ab", CREATED), ("pulumi-kubernetes-34cd", None)], False),
        ([("kubectl-create", CREATED), ("pulumi-kubernetes-12ab", "2026-11-24T07:00:05Z")], True),
        ([("kubectl-create", CREATED)], True),
        ([], False),
    ],
)
def test_an_object_that_pulumi_did_not_create(managers: list[tuple[str, str | None]], expected: object) -> None:
    fields = [{"manager": manager, **({"time": time} if time else {})} for manager, time in managers]
    assert existed({"creationTimestamp": CREATED, "managedFields": fields}) is expected
