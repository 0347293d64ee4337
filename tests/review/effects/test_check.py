"""All checks of a change."""

from review.effects import Effects, check
from review.effects.world import Key
from tests.review.effects.objects import binding, container, deployment, made, pair, policy, role, rule, service
from tests.review.prod import codes
from tests.review.proposals import HARMFUL, HARMLESS, base

APP = deployment(imagePullSecrets=[{"name": "registry"}])


def test_no_change_has_no_effects() -> None:
    stack = list(base().values())
    assert check(stack, stack) == check(stack, stack, stack) == Effects()


def test_all_kinds_of_effects() -> None:
    settings = made("ConfigMap", "c", data={})
    before = [settings, deployment(volumes=[{"name": "v", "configMap": {"name": "c"}}]), service(), policy("p")]
    reader = role("r", rule("get", "secrets"))
    after = [before[1], service(type="LoadBalancer"), reader, binding(reader, ("Group", "g"))]
    found = check(before, after)
    assert set(codes(found.warnings)) >= {"reference-lost-by-pods", "exposed", "rights-gained", "connections-opened"}
    assert [change.what for change in found.surface] == ["type"]
    assert [change.gained for change in found.reachability] == [True]
    assert [str(change.subject) for change in found.rights] == ["Group g"]


def test_what_is_missing_is_reported_with_the_whole_cluster_only() -> None:
    assert check([], [APP]).problems == ()
    found = check([], [APP], [service()])
    assert codes(found.problems) == ["reference-not-found"]
    assert found.warnings == found.notes == ()
    assert check([], [APP], [service()], unreadable={"Secret"}).problems == ()


def test_an_invalid_object_is_a_note() -> None:
    invalid = made("RoleBinding", "b", version="rbac.authorization.k8s.io/v1")
    found = check([], [invalid, service()])
    assert codes(found.notes) == ["invalid-object"]
    assert found.surface
    assert found.warnings == found.problems == ()


def test_harmless_changes_have_no_warnings() -> None:
    stack = list(base().values())
    found = {name: check(stack, list(base(edit).values())) for name, edit in HARMLESS.items()}
    assert {name: codes(one.warnings) for name, one in found.items() if one.warnings or one.problems} == {}


def test_a_selector_that_matches_nothing_leaves_a_budget_alone() -> None:
    stack = list(base().values())
    assert codes(check(stack, list(base(HARMFUL["another selector of a Deployment"]).values())).warnings) == []


def test_keys_are_names_of_objects() -> None:
    _, new = pair([], [deployment(containers=[container()])])
    assert Key("Deployment", "a", "app") in new.objects
