"""The canary of a ModelService."""

from typing import Any

import pytest

from tests.model_services import CANARY, OPTIONS, arguments, objects, template
from tests.problems import errors, problems

ROUTE = {"gateway": "public"}


def test_without_a_route_the_service_selects_the_pods_of_both_versions() -> None:
    made = objects(replicas=3, version="v1", canary=CANARY)
    canary = made["canary"]
    assert canary["metadata"]["name"] == "bert-canary"
    assert canary["spec"]["replicas"] == 1
    labels = canary["spec"]["template"]["metadata"]["labels"]
    assert labels["model-version"] == "v2"
    assert labels.items() >= made["service"]["spec"]["selector"].items()
    assert labels.items() >= canary["spec"]["selector"]["matchLabels"].items()
    assert canary["spec"]["template"]["spec"]["containers"][0]["image"] == "server:v2"
    assert not template(replicas=3, canary=CANARY)["metadata"]["labels"].items() >= labels.items()
    assert "canary-service" not in made


def test_with_a_route_each_version_has_a_service_and_a_weight() -> None:
    made = objects(**OPTIONS["canary by requests"], service={"name": "api", "type": "LoadBalancer", "port": 8000})
    labels = made["canary"]["spec"]["template"]["metadata"]["labels"]
    assert not labels.items() >= made["service"]["spec"]["selector"].items()
    assert labels.items() >= made["canary-service"]["spec"]["selector"].items()
    assert made["canary-service"]["metadata"]["name"] == "api-canary"
    assert made["canary-service"]["spec"]["type"] == "ClusterIP"
    (rule,) = made["route"]["spec"]["rules"]
    assert rule["backendRefs"] == [
        {"name": "api", "port": 8000, "weight": 75},
        {"name": "api-canary", "port": 8000, "weight": 25},
    ]


@pytest.mark.parametrize(
    ("replicas", "weight", "routed", "pods"),
    [(3, 25, False, 1), (9, 10, False, 1), (8, 20, False, 2), (2, 50, False, 2), (1, 1, False, 1), (8, 25, True, 2)],
)
def test_the_number_of_pods_follows_from_the_weight(replicas: int, weight: int, *, routed: bool, pods: int) -> None:
    route = ROUTE if routed else None
    made = objects(replicas=replicas, canary={**CANARY, "weight": weight}, route=route)
    assert made["canary"]["spec"]["replicas"] == pods
    assert made["deployment"]["spec"]["replicas"] == replicas


def test_an_autoscaler_does_not_count_the_pods_of_a_canary() -> None:
    made = objects(**OPTIONS["canary of an autoscaled service"])
    assert made["autoscaler"]["spec"]["scaleTargetRef"]["name"] == "bert"
    counted = made["deployment"]["spec"]["selector"]["matchLabels"]
    assert not made["canary"]["spec"]["template"]["metadata"]["labels"].items() >= counted.items()


def test_the_stable_version_is_the_same_with_a_canary_and_without() -> None:
    with_canary, without = objects(replicas=3, canary=CANARY), objects(replicas=3)
    assert {role: with_canary[role] for role in without} == without


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        ({"canary": {**CANARY, "weight": 100}}, "out-of-range", "canary.weight"),
        ({"canary": {**CANARY, "weight": 0}}, "out-of-range", "canary.weight"),
        ({"canary": {**CANARY, "weight": 101}}, "out-of-range", "canary.weight"),
        ({"canary": CANARY, "autoscale": {"max": 3, "cpu": 70}}, "mutually-exclusive", "canary"),
        ({"canary": CANARY, "route": ROUTE, "service": {"name": "s" * 57}}, "canary-name-too-long", "service.name"),
        ({"canary": CANARY, "route": ROUTE, "labels": {"app": "a" * 57}}, "canary-name-too-long", "labels.app"),
    ],
)
def test_invalid_canaries(given: dict[str, Any], code: str, path: str) -> None:
    assert errors(lambda: arguments(**given)) == [(code, path)]


def test_a_route_is_the_fix_for_a_canary_beside_an_autoscaler() -> None:
    (problem,) = problems(lambda: arguments(canary=CANARY, autoscale={"max": 3, "cpu": 70}))
    assert problem.fix
    assert "route" in problem.fix


def test_the_longest_names_that_leave_room_for_those_of_the_canary() -> None:
    routed = {"canary": CANARY, "route": ROUTE}
    made = objects(**routed, service={"name": "s" * 56}, labels={"app": "a" * 56})
    assert made["canary-service"]["metadata"]["name"] == "s" * 56 + "-canary"
    assert made["canary"]["spec"]["template"]["metadata"]["labels"]["app"] == "a" * 56 + "-canary"
    assert objects(canary=CANARY, service={"name": "s" * 63}, labels={"app": "a" * 63})["canary"]
