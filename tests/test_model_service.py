"""ModelService: its manifests, what it registers and what it refuses."""

from typing import Any

import pytest

from components import ArgumentError, ModelService, ModelServiceArgs, NodePool, TeamNamespace
from components.model_service import manifests
from tests.mocks import deploy


def objects(**arguments: Any) -> dict[str, dict[str, Any]]:
    """The objects of a ModelService called bert in the namespace lab."""
    args = ModelServiceArgs(**{"namespace": "lab", "image": "server:v1", **arguments})
    return dict(manifests("bert", args, args.tenant()))


def container(**arguments: Any) -> dict[str, Any]:
    main: dict[str, Any] = objects(**arguments)["deployment"]["spec"]["template"]["spec"]["containers"][0]
    return main


def test_the_selector_is_the_app_label_alone() -> None:
    made = objects(version="v1.2", labels={"app": "inference-server", "tier": "gold"})
    assert made["deployment"]["spec"]["selector"] == {"matchLabels": {"app": "inference-server"}}
    assert made["service"]["spec"]["selector"] == {"app": "inference-server"}
    labels = made["deployment"]["spec"]["template"]["metadata"]["labels"]
    assert labels["model-version"] == "v1.2"
    assert labels["workload-type"] == "inference"
    assert labels["tier"] == "gold"


def test_the_service_leads_to_the_container() -> None:
    made = objects(port=9000, service={"name": "api", "port": 8000})
    assert made["service"]["metadata"]["name"] == "api"
    assert made["service"]["spec"]["ports"] == [{"name": "http", "port": 8000, "targetPort": 9000}]
    assert container(port=9000)["ports"] == [{"name": "http", "containerPort": 9000}]
    assert container(port=9000)["readinessProbe"]["httpGet"]["port"] == 9000


def test_service_types() -> None:
    assert objects()["service"]["spec"]["type"] == "ClusterIP"
    balanced = objects(service={"type": "LoadBalancer", "annotations": {"cloud.example/internal": "true"}})
    assert balanced["service"]["spec"]["type"] == "LoadBalancer"
    assert balanced["service"]["metadata"]["annotations"] == {"cloud.example/internal": "true"}
    opened = objects(service={"type": "NodePort", "node_port": 30080})
    assert opened["service"]["spec"]["ports"][0]["nodePort"] == 30080


@pytest.mark.parametrize(
    ("probe", "action"),
    [
        ({"path": "/ok"}, {"httpGet": {"path": "/ok", "port": 8080}}),
        ({"tcp": True}, {"tcpSocket": {"port": 8080}}),
        ({"grpc": True}, {"grpc": {"port": 8080}}),
        ({"command": ["ready"]}, {"exec": {"command": ["ready"]}}),
    ],
)
def test_probes(probe: dict[str, Any], action: dict[str, Any]) -> None:
    health = {"readiness": {**probe, "initial_delay_seconds": 30, "period_seconds": 5}, "startup": probe}
    main = container(health=health)
    assert main["readinessProbe"] == {
        **action,
        "initialDelaySeconds": 30,
        "periodSeconds": 5,
        "timeoutSeconds": 1,
        "failureThreshold": 3,
    }
    assert "startupProbe" in main
    assert "livenessProbe" not in main


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"replicas": 0}, "replicas: must be at least 1 (got 0)"),
        ({"replicas": "3"}, "replicas: must be a whole number (got '3')"),
        ({"replicas": 2.5}, "replicas: must be a whole number (got 2.5)"),
        ({"port": 70000}, "port: must be at most 65535 (got 70000)"),
        ({"service": {"name": "1st"}}, "service.name: '1st' is refused by Kubernetes"),
        ({"service": {"node_port": 30080}}, "service.node_port: goes with the type NodePort, not ClusterIP"),
        ({"service": {"type": "NodePort", "node_port": 80}}, "service.node_port: must be at least 30000 (got 80)"),
        ({"service": {"type": "External"}}, "service.type: must be one of 'ClusterIP', 'NodePort' or 'LoadBalancer'"),
        ({"health": {"readiness": {}}}, "health.readiness: a probe asks in one way: it has none"),
        ({"health": {"readiness": {"path": "/", "tcp": True}}}, "it has path and tcp"),
        ({"health": {"liveness": {"tcp": True, "port": 1}}}, "health.liveness.port: no container listens on 1"),
        ({"version": "v 1"}, "version: 'v 1' is refused by Kubernetes"),
        ({"image": "Server:v1"}, "image: 'Server:v1' is not an image reference"),
        ({"image": "https://hub/server:v1"}, "leave out the scheme"),
    ],
)
def test_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError) as refusal:
        ModelServiceArgs(**{"namespace": "lab", "image": "server:v1", **arguments})
    assert message in str(refusal.value)


def test_registers_its_children_one_after_the_other() -> None:
    def program() -> None:
        team = TeamNamespace("nlp", {"serves": True})
        pool = NodePool(image="server:v1", gpu_resource="nvidia.com/gpu")
        ModelService("bert", {"team": team, "node_pool": pool, "gpus": 1, "service": {"type": "LoadBalancer"}})

    deployment = deploy(program)
    assert deployment.children("bert") == {
        "bert-service-account": "kubernetes:core/v1:ServiceAccount",
        "bert-deployment": "kubernetes:apps/v1:Deployment",
        "bert-service": "kubernetes:core/v1:Service",
    }
    before = {urn.split("::")[-1] for urn in deployment["bert-service"].request.dependencies}
    assert {"nlp-namespace", "bert-deployment"} <= before
    assert deployment.outputs["bert"] == {
        "url": "http://bert.nlp.svc.cluster.local",
        "externalAddress": "203.0.113.7",
    }


def test_the_url_names_a_port_that_is_not_the_default_of_http() -> None:
    def program() -> None:
        ModelService("bert", {"namespace": "lab", "image": "server:v1", "service": {"name": "api", "port": 8080}})

    assert deploy(program).outputs["bert"] == {"url": "http://api.lab.svc.cluster.local:8080"}


def test_a_preview_in_which_no_address_is_known_yet() -> None:
    def program() -> None:
        ModelService("bert", {"namespace": "lab", "image": "server:v1"})

    deployment = deploy(program, preview=True)
    assert "bert-service" in deployment.names()
    assert not isinstance(deployment.outputs["bert"]["externalAddress"], str)
