"""Effective permissions, against a calculation of every single request."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.base.objects import Manifest
from review.effects.rights import Right, Rights, Subject, groups, rights, summaries
from review.effects.world import World
from tests.review.effects.objects import binding, pair, role, rule

ROBOT = Subject("ServiceAccount", "a:robot")
READER = role("reader", rule("get list", "pods"))


def of(*objects: Manifest, subject: Subject = ROBOT) -> set[Right]:
    return Rights(World(objects)).of(subject)


def test_a_role_binding_grants_in_its_namespace() -> None:
    assert of(READER, binding(READER, ("ServiceAccount", "robot"))) == {
        Right("a", "", "pods", "get"),
        Right("a", "", "pods", "list"),
    }


def test_a_cluster_role_in_a_namespace_and_in_the_cluster() -> None:
    reader = role("reader", {**rule("get", "pods"), "nonResourceURLs": ["/metrics"]}, namespace=None)
    assert of(reader, binding(reader, ("ServiceAccount", "robot"))) == {Right("a", "", "pods", "get")}
    assert of(reader, binding(reader, ("ServiceAccount", "robot"), namespace=None)) == {
        Right("*", "", "pods", "get"),
        Right("*", "url", "/metrics", "get"),
    }


def test_an_aggregated_role_has_the_rules_of_others() -> None:
    selectors = [{"matchLabels": {"to": "view"}}]
    view = role("view", namespace=None, aggregationRule={"clusterRoleSelectors": selectors})
    part = role("part", rule("get", "jobs", "batch"), namespace=None, labels={"to": "view"})
    assert of(view, part, binding(view, ("ServiceAccount", "robot"))) == {Right("a", "batch", "jobs", "get")}
    nested = role("nested", namespace=None, labels={"to": "view"}, aggregationRule={"clusterRoleSelectors": selectors})
    assert len(of(view, part, nested, binding(view, ("ServiceAccount", "robot")))) == 1


def test_a_role_that_does_not_exist_grants_nothing() -> None:
    assert of(binding(READER, ("ServiceAccount", "robot"))) == set()


@pytest.mark.parametrize("group", ["system:serviceaccounts", "system:serviceaccounts:a", "system:authenticated"])
def test_a_service_account_has_the_permissions_of_its_groups(group: str) -> None:
    assert of(READER, binding(READER, ("Group", group)))
    assert not of(READER, binding(READER, ("Group", "system:serviceaccounts:b")))


def test_the_groups_of_others() -> None:
    assert groups(Subject("User", "system:anonymous")) == [Subject("Group", "system:unauthenticated")]
    assert groups(Subject("User", "ann")) == [Subject("Group", "system:authenticated")]
    assert groups(Subject("Group", "system:authenticated")) == []
    assert Subject("Group", "system:serviceaccounts") in groups(Subject("Group", "system:serviceaccounts:a"))


def test_a_service_account_as_a_user() -> None:
    assert of(READER, binding(READER, ("User", "system:serviceaccount:a:robot")))


@pytest.mark.parametrize(
    ("one", "other", "covers"),
    [
        (Right("*", "", "pods", "get"), Right("a", "", "pods", "get"), True),
        (Right("a", "", "pods", "get"), Right("*", "", "pods", "get"), False),
        (Right("a", "", "*", "*"), Right("a", "", "pods/exec", "create"), True),
        (Right("a", "*", "pods", "get"), Right("a", "batch", "pods", "get"), True),
        (Right("a", "", "pods", "get"), Right("a", "", "pods/log", "get"), False),
        (Right("a", "", "*/scale", "get"), Right("a", "", "deployments/scale", "get"), True),
        (Right("a", "", "*/scale", "get"), Right("a", "", "deployments", "get"), False),
        (Right("a", "", "pods", "get"), Right("a", "", "pods", "get", "x"), True),
        (Right("a", "", "pods", "get", "x"), Right("a", "", "pods", "get"), False),
        (Right("*", "url", "/healthz*", "get"), Right("*", "url", "/healthz/etcd", "get"), True),
        (Right("*", "url", "/healthz", "get"), Right("*", "url", "/metrics", "get"), False),
        (Right("*", "url", "*", "get"), Right("*", "url", "/metrics", "get"), True),
        (Right("*", "*", "*", "*"), Right("*", "url", "/metrics", "get"), False),
    ],
)
def test_permissions_that_include_others(one: Right, other: Right, covers: bool) -> None:
    assert one.covers(other) == covers


def test_another_notation_is_no_change() -> None:
    before = [role("reader", rule("get list", "pods secrets")), binding(READER, ("ServiceAccount", "robot"))]
    split = role("reader", rule("list", "secrets"), rule("get", "pods secrets"), rule("list get", "pods"))
    renamed = role("other", rule("get list", "secrets pods"))
    assert rights(*pair(before, [split, before[1]])) == []
    assert rights(*pair(before, [renamed, binding(renamed, ("ServiceAccount", "robot"), name="c")])) == []


def test_what_a_subject_gains_and_loses() -> None:
    bound = binding(READER, ("ServiceAccount", "robot"))
    (change,) = rights(*pair([READER, bound], [role("reader", rule("get watch", "pods")), bound]))
    assert (change.subject, change.gained, change.lost) == (
        ROBOT,
        (Right("a", "", "pods", "watch"),),
        (Right("a", "", "pods", "list"),),
    )
    assert [message.text for message in change.messages()] == [
        "ServiceAccount a/robot may now watch pods in a",
        "ServiceAccount a/robot may no longer list pods in a",
    ]


def test_permissions_as_text() -> None:
    found = [
        Right("a", "", "pods", "get"),
        Right("a", "", "pods", "list"),
        Right("a", "batch", "jobs", "get"),
        Right("a", "batch", "jobs", "list"),
        Right("*", "*", "*", "*"),
        Right("a", "", "secrets", "get", "hub"),
    ]
    assert summaries(found) == [
        "get and list pods, jobs.batch in a",
        "do everything with all resources in the whole cluster",
        "get secrets hub in a",
    ]


NAMESPACES, GROUPS, VERBS, NAMES = ("a", "b"), ("", "batch"), ("get", "list"), ("", "x")
RESOURCES = ("pods", "pods/log", "jobs")
ACCOUNTS = (Subject("ServiceAccount", "a:one"), Subject("ServiceAccount", "b:two"), Subject("User", "ann"))
RULES = st.fixed_dictionaries(
    {
        "apiGroups": st.lists(st.sampled_from([*GROUPS, "*"]), min_size=1, max_size=2),
        "resources": st.lists(st.sampled_from([*RESOURCES, "*", "*/log"]), min_size=1, max_size=2),
        "verbs": st.lists(st.sampled_from([*VERBS, "*"]), min_size=1, max_size=2),
    },
    optional={"resourceNames": st.just(["x"])},
)
ROLES = st.lists(st.lists(RULES, max_size=2), min_size=3, max_size=3)
SUBJECTS = st.sampled_from(
    [
        {"kind": "ServiceAccount", "namespace": "a", "name": "one"},
        {"kind": "ServiceAccount", "namespace": "b", "name": "two"},
        {"kind": "User", "name": "ann"},
        {"kind": "Group", "name": "system:authenticated"},
        {"kind": "Group", "name": "system:serviceaccounts:b"},
    ]
)
BINDINGS = st.lists(
    st.tuples(st.sampled_from(["", "a", "b"]), st.integers(0, 2), st.lists(SUBJECTS, max_size=2)), max_size=3
)
CLUSTERS = st.tuples(ROLES, BINDINGS)
Cluster = tuple[list[list[Manifest]], list[tuple[str, int, list[Manifest]]]]


def objects(cluster: Cluster) -> list[Manifest]:
    roles = [role(str(index), *rules, namespace=None) for index, rules in enumerate(cluster[0])]
    made = []
    for index, (namespace, number, subjects) in enumerate(cluster[1]):
        bound = binding(roles[number], namespace=namespace or None, name=str(index))
        made.append({**bound, "subjects": subjects})
    return [*roles, *made]


def may(cluster: Cluster, who: Subject, namespace: str, group: str, resource: str, verb: str, name: str) -> bool:
    """Whether RBAC allows one request, as its documentation describes it."""
    names = {one.name for one in groups(who)}
    for scope, number, subjects in cluster[1]:
        if scope not in ("", namespace):
            continue
        if not any(
            one["name"] in names
            if one["kind"] == "Group"
            else (one["kind"], f"{one.get('namespace', '')}:{one['name']}".lstrip(":")) == (who.kind, who.name)
            for one in subjects
        ):
            continue
        for one in cluster[0][number]:
            if (
                {verb, "*"} & set(one["verbs"])
                and {group, "*"} & set(one["apiGroups"])
                and {resource, "*", f"*/{resource.partition('/')[2]}"} & set(one["resources"])
                and ("resourceNames" not in one or name in one["resourceNames"])
            ):
                return True
    return False


# A value that no rule names stands for all others.
QUESTIONS = list(product(["a", "b", "?"], [*GROUPS, "?"], [*RESOURCES, "?", "?/log"], [*VERBS, "?"], ["x", "?"]))


@settings(max_examples=150, deadline=None)
@given(CLUSTERS, CLUSTERS)
def test_changes_are_those_of_all_single_requests(before: Cluster, after: Cluster) -> None:
    found = {change.subject: change for change in rights(*pair(objects(before), objects(after)))}
    for who in ACCOUNTS:
        own = any(
            (one["kind"], one["name"]) == (who.kind, who.name.rpartition(":")[2])
            for cluster in (before, after)
            for _, _, subjects in cluster[1]
            for one in subjects
        )
        gained = any(may(after, who, *one) and not may(before, who, *one) for one in QUESTIONS)
        lost = any(may(before, who, *one) and not may(after, who, *one) for one in QUESTIONS)
        if own:  # others change with their groups, which are listed
            change = found.get(who)
            assert (bool(change and change.gained), bool(change and change.lost)) == (gained, lost)
