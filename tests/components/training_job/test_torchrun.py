"""torchrun's environment, and the network of the workers."""

from typing import Any

from components import NodePool
from components.team_namespace.network_policies import Network, dns
from components.team_namespace.network_policies import policies as team_policies
from tests.trainings import container, env, objects

TORCHRUN: dict[str, Any] = {"workers": 8, "distributed": "torchrun"}


def test_the_options_of_torchrun_are_in_the_environment() -> None:
    variables = env(**TORCHRUN, node_pool=NodePool(gpu_resource="nvidia.com/gpu"), gpus=4, retries=3, run_id="2")
    assert variables == {
        "PET_NNODES": "8",
        "PET_NPROC_PER_NODE": "4",
        "PET_MAX_RESTARTS": "3",
        "PET_RDZV_BACKEND": "c10d",
        "PET_RDZV_ENDPOINT": "bert-2-0.bert-workers:29500",
        "PET_RDZV_ID": "bert-2",
        "PET_MASTER_ADDR": "bert-2-0.bert-workers",
        "PET_MASTER_PORT": "29500",
        "PET_NODE_RANK": None,
    }
    (rank,) = [variable for variable in container(**TORCHRUN)["env"] if variable["name"] == "PET_NODE_RANK"]
    path = "metadata.annotations['batch.kubernetes.io/job-completion-index']"
    assert rank["valueFrom"] == {"fieldRef": {"fieldPath": path}}


def test_torchrun_starts_one_process_in_a_worker_without_gpus() -> None:
    assert env(**TORCHRUN)["PET_NPROC_PER_NODE"] == "1"


def test_workers_without_torchrun_have_none_of_its_options() -> None:
    assert env(workers=8) == {}


def test_an_elastic_training_continues_with_fewer_workers() -> None:
    assert env(**TORCHRUN, min_workers=6)["PET_NNODES"] == "6:8"


def test_the_service_resolves_workers_that_are_not_ready() -> None:
    service = objects(**TORCHRUN)["service"]["spec"]
    assert (service["clusterIP"], service["publishNotReadyAddresses"]) == ("None", True)


def test_workers_can_connect_to_each_other_and_to_dns_only() -> None:
    spec = objects(**TORCHRUN, labels={"app": "ml"})["network-policy"]["spec"]
    peers = [{"podSelector": {"matchLabels": {"app": "ml"}}}]
    assert spec == {
        "podSelector": {"matchLabels": {"app": "ml"}},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": peers}],
        "egress": [{"to": peers}, dns("kube-system")],
    }


def test_open_egress_allows_any_address_except_the_clouds_metadata_server() -> None:
    spec = objects(**TORCHRUN, security={"open_egress": True})["network-policy"]["spec"]
    peers = {"podSelector": {"matchLabels": {"app": "bert"}}}
    blocks = [
        {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.169.254/32"]}},
        {"ipBlock": {"cidr": "::/0", "except": ["fd00:ec2::254/128"]}},
    ]
    assert spec["egress"] == [{"to": [peers]}, {"to": [{"namespaceSelector": {}}, *blocks]}]
    assert spec["ingress"] == [{"from": [peers]}]


def test_workers_and_the_teams_other_pods_cannot_connect_to_each_other() -> None:
    """NetworkPolicies are additive: what counts is what the team's and the run's allow together."""
    run = objects(**TORCHRUN)
    policies = [*team_policies({"namespace": "lab"}, Network(), serves=False).values(), run["network-policy"]]
    worker = run["job"]["spec"]["template"]["metadata"]["labels"]
    notebook = {"app": "notebook"}
    assert _connected(policies, worker, worker)
    assert _connected(policies, notebook, notebook)
    assert not _connected(policies, notebook, worker)
    assert not _connected(policies, worker, notebook)


def _connected(policies: list[dict[str, Any]], source: dict[str, str], target: dict[str, str]) -> bool:
    """Whether the policies of a namespace allow a connection between two of its pods, given by their labels."""

    def selected(labels: dict[str, str], selector: dict[str, Any]) -> bool:
        excluded = selector.get("matchExpressions", [])
        assert all(expression["operator"] == "NotIn" for expression in excluded)
        return selector.get("matchLabels", {}).items() <= labels.items() and not any(
            labels.get(expression["key"]) in expression["values"] for expression in excluded
        )

    def allowed(direction: str, peers: str, pod: dict[str, str], other: dict[str, str]) -> bool:
        return any(
            "podSelector" in peer and selected(other, peer["podSelector"])
            for policy in policies
            if selected(pod, policy["spec"]["podSelector"])
            for rule in policy["spec"].get(direction, [])
            for peer in rule.get(peers, [])
        )

    return allowed("egress", "to", source, target) and allowed("ingress", "from", target, source)
