"""Selectors that lose or gain pods."""

from components.base.objects import Manifest
from review.effects.selectors import selectors
from tests.review.effects.objects import container, deployment, made, owned, pair, policy, service


def codes(before: list[Manifest], after: list[Manifest]) -> list[str]:
    return [message.code for message in selectors(*pair(before, after))]


def budget(name: str = "b", app: str = "app") -> Manifest:
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": app}}}
    return made("PodDisruptionBudget", name, version="policy/v1", spec=spec)


RELABELLED = deployment(labels={"app": "renamed"})


def test_a_service_of_others_loses_its_pods() -> None:
    (message,) = selectors(*pair([deployment(), service()], [RELABELLED, service()]))
    assert (message.code, message.values["before"]) == ("selects-nothing", "Deployment a/app")


def test_a_changed_service_is_checked_by_a_policy_rule() -> None:
    assert codes([deployment(), service()], [deployment(), service(app="typo")]) == []


def test_a_budget_and_a_policy_lose_their_pods() -> None:
    isolated = policy("p", selector={"matchLabels": {"app": "app"}})
    assert codes([deployment(), budget(), isolated], [RELABELLED, budget(), isolated]) == ["selects-nothing"] * 2
    assert codes([deployment(), budget()], [deployment(), budget(app="typo")]) == ["selects-nothing"]


def test_what_selected_nothing_before() -> None:
    assert codes([service(), budget()], [service(), budget()]) == []
    assert codes([], [service()]) == []


def test_a_service_that_also_selects_the_pods_of_others() -> None:
    other = deployment("other", labels={"app": "app"})
    assert codes([deployment(), service()], [deployment(), other, service()]) == [
        "selects-others",
    ]
    tiers = [deployment(name, labels={"app": name, "tier": "web"}) for name in ("app", "other")]
    wide = service(selector={"tier": "web"})
    (message,) = selectors(*pair([*tiers, service()], [*tiers, wide]))
    assert (message.code, message.values["pods"]) == ("selects-others", "Deployment a/other")


def test_a_canary_of_the_same_image_belongs_to_the_service() -> None:
    canary = deployment("canary", labels={"app": "app", "track": "canary"}, containers=[container(image="app")])
    stable = deployment(labels={"app": "app", "track": "stable"})
    assert codes([stable, service()], [stable, canary, service()]) == []


def test_a_service_that_switches_over_as_a_whole() -> None:
    both = [deployment("blue"), deployment("green")]
    assert codes([*both, service(app="blue")], [*both, service(app="green")]) == []


def test_a_workload_that_adopts_pods() -> None:
    bare = made("Pod", "bare", labels={"app": "app"}, spec={"containers": []})
    (message,) = selectors(*pair([bare], [bare, deployment()]))
    assert (message.code, message.values["pods"]) == ("adopts-pods", "Pod a/bare")
    assert codes([bare, deployment()], [bare, deployment()]) == []


def test_the_own_replicas_and_pods_of_a_workload() -> None:
    replicas = owned(made("ReplicaSet", "r", version="apps/v1", spec=deployment()["spec"]), "Deployment", "app")
    pod = owned(made("Pod", "p", labels={"app": "app"}, spec={"containers": []}), "ReplicaSet", "r")
    assert codes([], [deployment(), replicas, pod]) == []


def test_budgets_that_overlap() -> None:
    assert codes([deployment(), budget()], [deployment(), budget(), budget("c")]) == ["budgets-overlap"]
    assert codes([deployment(), budget(), budget("c")], [deployment(), budget(), budget("c")]) == []


def test_policies_and_budgets_of_deleted_pods() -> None:
    everything = policy("all")
    assert codes([deployment(), budget(), everything], [budget(), everything]) == []
