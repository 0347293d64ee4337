"""Who may connect to whom, against a calculation for single connections."""

from ipaddress import ip_address, ip_network
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from components.base.objects import Manifest, selects
from review.effects.reachability import DNS, OTHERS, Comparison, Group, reachability
from review.effects.world import Key, Pods, World
from tests.review.effects.objects import container, deployment, made, pair, policy

WEB = deployment("web", containers=[container(ports=[{"containerPort": 8080, "name": "http"}])])
JOB = deployment("job")
OTHER = deployment("web", "b")
PODS = [WEB, JOB, OTHER]
SAME = policy("same", ingress=[{"from": [{"podSelector": {}}]}])


def texts(before: list[Manifest], after: list[Manifest]) -> list[str]:
    (compared,) = reachability(*pair([*PODS, *before], [*PODS, *after]))
    return [change.message().text for change in compared.changes()]


def test_without_policies_there_is_nothing_to_compare() -> None:
    assert reachability(*pair(PODS, [WEB])) == []


def test_a_policy_that_changes_nothing() -> None:
    assert texts([SAME], [SAME]) == []
    assert texts([SAME], [SAME, policy("deny")]) == []
    split = [
        policy("one", ingress=[{"from": [{"podSelector": {"matchLabels": {"app": name}}}]}]) for name in ("web", "job")
    ]
    assert (
        texts(
            [SAME], [{**one, "metadata": {**one["metadata"], "name": str(number)}} for number, one in enumerate(split)]
        )
        == []
    )


def test_a_namespace_is_isolated() -> None:
    assert texts([], [SAME]) == [
        "addresses outside of the cluster, other namespaces, Deployment b/web can no longer connect to "
        "all pods of a on all ports"
    ]


def test_a_namespace_is_opened() -> None:
    (text,) = texts([SAME], [SAME, policy("open", ingress=[{"ports": [{"port": 8080}]}])])
    assert text.endswith("can now connect to all pods of a on 8080")


def test_a_single_workload() -> None:
    only_job = policy(
        "p",
        selector={"matchLabels": {"app": "web"}},
        ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "job"}}}]}],
    )
    found = texts([only_job], [policy("p", selector={"matchLabels": {"app": "web"}})])
    assert found == ["Deployment a/job can no longer connect to Deployment a/web on all ports"]


def test_labels_of_pods_and_namespaces_matter_too() -> None:
    by_label = policy("p", ingress=[{"from": [{"namespaceSelector": {"matchLabels": {"team": "x"}}}]}])
    namespace = made("Namespace", "b", None, labels={"team": "x"})
    (text,) = texts([namespace, by_label], [made("Namespace", "b", None), by_label])
    assert text.startswith("Deployment b/web can no longer connect to all pods of a")


def test_blocks_of_addresses_have_their_names() -> None:
    block = {"ipBlock": {"cidr": "10.0.0.0/8"}}
    (text,) = texts([policy("p", ingress=[{"from": [block]}])], [policy("p")])
    assert text == "10.0.0.0/8 can no longer connect to all pods of a on all ports"


def test_a_block_of_all_addresses_is_the_outside() -> None:
    everywhere = policy("p", policyTypes=["Egress"], egress=[{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}])
    (text,) = texts([everywhere], [policy("p", policyTypes=["Egress"])])
    assert text == (
        "all pods of a can no longer connect to addresses outside of the cluster, all namespaces, "
        "the metadata server on all ports"
    )


def test_intervals_of_ports_are_joined() -> None:
    some = policy("p", ingress=[{"ports": [{"port": 8000, "endPort": 9000}, {"protocol": "UDP"}]}])
    (text,) = texts([some], [policy("p")])
    assert text.endswith("on all ports of UDP, 8000-9000")


def test_new_and_deleted_pods_are_not_compared() -> None:
    old, new = pair([WEB, SAME], [JOB, SAME])
    (compared,) = reachability(old, new)
    assert compared.changes() == []
    assert all(not group.workloads for group in compared.groups)


def test_pods_with_the_same_treatment_are_one_group() -> None:
    twins = [deployment(f"twin-{number}", labels={"app": "twin", "number": str(number)}) for number in range(50)]
    compared = Comparison(*pair([*twins, SAME], [*twins, SAME]))
    (group,) = [one for one in compared.groups if one.workloads]
    assert len(group.workloads) == 50


def test_dns_and_unknown_namespaces_are_groups() -> None:
    compared = Comparison(*pair([SAME], [SAME]))
    assert {DNS, OTHERS, "pods of a"} <= {group.name for group in compared.groups}
    assert compared.dns().name == DNS


LABELS = st.sampled_from([{"app": "web"}, {"app": "job"}, {}])
EXPRESSIONS = st.sampled_from(
    [
        [{"key": "app", "operator": "In", "values": ["web"]}],
        [{"key": "app", "operator": "DoesNotExist"}],
        [{"key": "app", "operator": "NotIn", "values": ["web", "x"]}],
    ]
)
SELECTORS: st.SearchStrategy[Manifest] = st.one_of(
    st.just({}),
    LABELS.map(lambda labels: {"matchLabels": labels}),
    EXPRESSIONS.map(lambda one: {"matchExpressions": one}),
)
NAMESPACES = st.sampled_from(
    [{}, {"matchLabels": {"team": "x"}}, {"matchLabels": {"kubernetes.io/metadata.name": "b"}}]
)
BLOCKS = st.sampled_from(
    [
        {"cidr": "10.0.0.0/8"},
        {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]},
        {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]},
        {"cidr": "0.0.0.0/0", "except": ["169.254.169.254/32"]},
        {"cidr": "192.0.2.1/32"},
    ]
)
ENDS = st.one_of(
    SELECTORS.map(lambda one: {"podSelector": one}),
    NAMESPACES.map(lambda one: {"namespaceSelector": one}),
    st.tuples(NAMESPACES, SELECTORS).map(lambda one: {"namespaceSelector": one[0], "podSelector": one[1]}),
    BLOCKS.map(lambda one: {"ipBlock": one}),
)
PORTS = st.sampled_from(
    [{"port": 80}, {"port": 80, "endPort": 90}, {"port": "http"}, {"protocol": "UDP"}, {"port": 53, "protocol": "UDP"}]
)


def _rules(end: str) -> st.SearchStrategy[list[Manifest]]:
    rule = st.fixed_dictionaries({}, optional={end: st.lists(ENDS, max_size=2), "ports": st.lists(PORTS, max_size=2)})
    return st.lists(rule, max_size=2)


SPECS = st.fixed_dictionaries(
    {"podSelector": SELECTORS},
    optional={
        "policyTypes": st.sampled_from([["Ingress"], ["Egress"], ["Ingress", "Egress"]]),
        "ingress": _rules("from"),
        "egress": _rules("to"),
    },
)
CLUSTERS = st.tuples(
    st.lists(st.tuples(st.sampled_from(["a", "b"]), SPECS), max_size=3),
    st.lists(LABELS, min_size=3, max_size=3),
    st.sampled_from([{}, {"team": "x"}]),
)
ADDRESSES = ("10.0.0.1", "10.1.2.3", "192.0.2.1", "198.51.100.9")
PLACES = (("a", "one"), ("a", "two"), ("b", "three"))
CONNECTIONS = [("TCP", 79), ("TCP", 80), ("TCP", 85), ("TCP", 8080), ("UDP", 53), ("UDP", 54), ("SCTP", 1)]
Cluster = tuple[list[tuple[str, Manifest]], list[dict[str, str]], dict[str, str]]


def objects(cluster: Cluster) -> list[Manifest]:
    policies, labels, of_namespace = cluster
    http = [container(ports=[{"containerPort": 8080, "name": "http"}])]
    return [
        made("Namespace", "a", None),
        made("Namespace", "b", None, labels=of_namespace),
        *(deployment(name, namespace, one, http) for (namespace, name), one in zip(PLACES, labels, strict=True)),
        *({**policy(str(number), namespace), "spec": spec} for number, (namespace, spec) in enumerate(policies)),
    ]


def permits(
    rule: Manifest, direction: str, own: str, other: Pods | str, world: World, port: tuple[str, int], named: bool
) -> bool:
    """Whether a rule allows a connection on a port; ``named``: whether the destination is a pod, which names ports."""
    ends = rule.get("from" if direction == "ingress" else "to")
    if ends and not any(_is_end(end, own, other, world) for end in ends):
        return False
    listed = rule.get("ports")
    if not listed:
        return True
    for one in listed:
        if one.get("protocol", "TCP") != port[0]:
            continue
        wanted = one.get("port")
        if wanted is None or (isinstance(wanted, int) and wanted <= port[1] <= one.get("endPort", wanted)):
            return True
        if wanted == "http" and named and port == ("TCP", 8080):
            return True
    return False


def _is_end(end: Manifest, own: str, other: Pods | str, world: World) -> bool:
    if "ipBlock" in end:
        if isinstance(other, Pods):
            block = end["ipBlock"]
            return bool(block["cidr"] == "0.0.0.0/0" and block["except"] == ["169.254.169.254/32"])
        excluded = [ip_network(one) for one in end["ipBlock"].get("except", [])]
        address = ip_address(other)
        return address in ip_network(end["ipBlock"]["cidr"]) and not any(address in one for one in excluded)
    if isinstance(other, str):
        return False
    if "namespaceSelector" in end:
        if not selects(end["namespaceSelector"], dict(world.namespaces[other.namespace])):
            return False
    elif other.namespace != own:
        return False
    return "podSelector" not in end or selects(end["podSelector"], dict(other.labels))


def connects(world: World, source: Pods | str, destination: Pods | str, port: tuple[str, int]) -> bool:
    """Whether one connection is allowed."""
    for direction, pods, other in (("egress", source, destination), ("ingress", destination, source)):
        if isinstance(pods, str):
            continue
        applying = []
        for one in world.of_kind("NetworkPolicy"):
            spec = one["spec"]
            types = [kind.lower() for kind in spec.get("policyTypes", [])] or [
                "ingress",
                *(["egress"] if spec.get("egress") else []),
            ]
            if (
                one["metadata"]["namespace"] == pods.namespace
                and direction in types
                and selects(spec["podSelector"], dict(pods.labels))
            ):
                applying.append(spec)
        named = isinstance(destination, Pods)
        if applying and not any(
            permits(rule, direction, pods.namespace, other, world, port, named)
            for spec in applying
            for rule in spec.get(direction, [])
        ):
            return False
    return True


def _end(world: World, place: tuple[str, str] | str) -> Pods | str:
    if isinstance(place, str):
        return place
    return next(pods for pods in world.pods if pods.key == Key("Deployment", *place))


def _group(compared: Comparison, place: tuple[str, str] | str) -> Group:
    if isinstance(place, tuple):
        return next(group for group in compared.groups if Key("Deployment", *place) in group.workloads)
    regions = [group for group in compared.groups if group.after.ip is not None and group.after.ip.version == 4]
    return max(
        (group for group in regions if int(group.after.ip or 0) <= int(ip_address(place))),
        key=lambda group: int(group.after.ip or 0),
    )


@settings(max_examples=120, deadline=None)
@given(CLUSTERS, CLUSTERS)
def test_changes_are_those_of_all_single_connections(before: Cluster, after: Cluster) -> None:
    old, new = pair(objects(before), objects(after))
    compared = Comparison(old, new)
    ends: list[Any] = [*PLACES, *ADDRESSES]
    for source in ends:
        for destination in ends:
            if isinstance(source, str) and isinstance(destination, str):
                continue
            lost, gained = compared.pairs.get((_group(compared, source), _group(compared, destination)), (0, 0))
            for port in CONNECTIONS:
                bit = compared.bits([port])
                was = connects(old, _end(old, source), _end(old, destination), port)
                can = connects(new, _end(new, source), _end(new, destination), port)
                assert (bool(lost & bit), bool(gained & bit)) == (was and not can, can and not was)
