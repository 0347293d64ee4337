"""Every option of a model service on the real API server: types of Services, canaries, warnings."""

from typing import Any

import pytest

from components import ModelServiceArgs
from components.model_service.manifests import manifests
from tests.e2e.api import Api
from tests.e2e.project import Project, Stack
from tests.e2e.watch import watching
from tests.lesson import missing
from tests.model_services import OPTIONS

_NAMESPACE = "ml-serving"

# Group, version, kind and plural: all that the API server needs to store them.
_CUSTOM = [
    ("gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes"),
    ("keda.sh", "v1alpha1", "ScaledObject", "scaledobjects"),
    ("monitoring.coreos.com", "v1", "ServiceMonitor", "servicemonitors"),
    ("monitoring.coreos.com", "v1", "PodMonitor", "podmonitors"),
]


def _definition(group: str, version: str, kind: str, plural: str) -> dict[str, Any]:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{group}",
            # Required for a group below k8s.io, which is reserved.
            "annotations": {"api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/gateway-api/pull/891"},
        },
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
            "versions": [{"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }


@pytest.fixture(scope="module")
def cluster(project: Project) -> Project:
    """A cluster with kinds of the Gateway API, KEDA and the Prometheus operator."""
    for custom in _CUSTOM:
        made = project.apply(_definition(*custom))
        assert made.returncode == 0, made.stderr
    waited = project.run("kubectl", "wait", "--for", "condition=Established", "crd", "--all", "--timeout=30s")
    assert waited.returncode == 0, waited.stderr
    assert project.run("kubectl", "create", "namespace", "lab").returncode == 0
    return project


@pytest.mark.parametrize("option", OPTIONS)
def test_the_api_server_keeps_every_field_of_every_option(option: str, api: Api, cluster: Project) -> None:
    given = {"namespace": "lab", "image": "server:v1", **OPTIONS[option]}
    args = ModelServiceArgs(**{key: value for key, value in given.items() if value is not None})
    for manifest in manifests("bert", args, args.tenant()).values():
        assert missing(manifest, api.dry_run(manifest)) == [], manifest["kind"]


_SMALL = {
    "team": "ml-serving",
    "nodePool": "cpu",
    "image": "myregistry/bert-serving:v1",
    "version": "v1",
    "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"cpu": "200m", "memory": "128Mi"}},
}
_CANARY = {"image": "myregistry/bert-serving:v2", "version": "v2", "weight": 25}
_SERVICES: dict[str, dict[str, Any]] = {
    "node": {**_SMALL, "service": {"type": "NodePort", "nodePort": 30080}},
    "balanced": {**_SMALL, "service": {"type": "LoadBalancer", "sourceRanges": ["203.0.113.0/24"]}},
    "hasty": {**_SMALL, "service": {"type": "LoadBalancer", "awaitAddress": False}},
    "elsewhere": {"team": "ml-serving", "service": {"type": "ExternalName", "externalName": "models.example.com"}},
    "ingressed": {**_SMALL, "ingress": {"host": "models.example.com"}},
    "beside": {**_SMALL, "replicas": 3, "canary": _CANARY},
    "routed": {**_SMALL, "replicas": 3, "canary": _CANARY, "route": {"gateway": "public"}},
    "sleepy": {**_SMALL, "autoscale": {"min": 0, "max": 2, "keda": {"type": "cron", "metadata": {"timezone": "UTC"}}}},
    "watched": {**_SMALL, "metrics": {"port": 9090, "monitor": "service"}},
    "seen": {**_SMALL, "metrics": {"monitor": "pod"}},
    "fetched": {
        **_SMALL,
        "model": {"source": {"download": {"image": "aws:v2", "command": ["fetch"], "size": "1Gi"}}},
        "volumes": {"settings": {"path": "/etc/bert", "ephemeral": "1Mi"}},
    },
    "mounted": {**_SMALL, "model": {"source": {"image": "models/bert:v1"}}, "configVersion": "1"},
}


@pytest.fixture(scope="module")
def prod(cluster: Project) -> Stack:
    """The prod stack, with a service for each way in which clients reach one."""

    def add(settings: dict[str, Any]) -> None:
        settings["modelServices"].update(_SERVICES)
        settings["teams"]["ml-serving"]["quota"]["pods"] = "50"

    cluster.edit("prod", add)
    stack = cluster.stack("prod")
    stack.up()
    return stack


def service(project: Project, name: str) -> Any:
    return project.get("service", name, _NAMESPACE)


def endpoints(project: Project, name: str) -> list[Any]:
    """The endpoints of a Service that are ready."""
    slices = [
        item
        for item in project.get("endpointslices", namespace=_NAMESPACE)["items"]
        if item["metadata"]["labels"]["kubernetes.io/service-name"] == name
    ]
    return [endpoint for item in slices for endpoint in item["endpoints"] if endpoint["conditions"]["ready"]]


def versions(project: Project, app: str) -> list[str]:
    """The model versions of the pods with an app label."""
    pods = [p["metadata"]["labels"] for p in project.get("pods", namespace=_NAMESPACE)["items"]]
    return sorted(labels["model-version"] for labels in pods if labels["app"] == app)


def test_a_service_has_the_node_port_that_is_set(cluster: Project, prod: Stack) -> None:
    live = service(cluster, "node")
    assert live["spec"]["ports"] == [
        {"name": "http", "port": 80, "targetPort": 8080, "nodePort": 30080, "protocol": "TCP"}
    ]
    (endpoint,) = endpoints(cluster, "node")
    assert endpoint["targetRef"]["name"].startswith("node-")


def test_a_load_balancer_has_an_address_and_source_ranges(cluster: Project, prod: Stack) -> None:
    live = service(cluster, "balanced")
    assert live["spec"]["loadBalancerSourceRanges"] == ["203.0.113.0/24"]
    (ingress,) = live["status"]["loadBalancer"]["ingress"]
    outputs = prod.outputs()["services"]
    assert outputs["balanced"] == {
        "url": "http://balanced.ml-serving.svc.cluster.local",
        "externalAddress": ingress["ip"],
    }
    assert len(endpoints(cluster, "balanced")) == 1


def test_a_model_hosted_elsewhere_has_no_pods(cluster: Project, prod: Stack) -> None:
    assert service(cluster, "elsewhere")["spec"]["externalName"] == "models.example.com"
    assert versions(cluster, "elsewhere") == []
    assert "elsewhere" not in cluster.names("deployments", _NAMESPACE)
    assert prod.outputs()["services"]["elsewhere"] == {
        "url": "http://elsewhere.ml-serving.svc.cluster.local",
        "externalAddress": None,
    }


def test_a_hosted_model_moves_into_the_cluster_under_the_same_name(cluster: Project, prod: Stack) -> None:
    before = service(cluster, "elsewhere")["metadata"]["uid"]
    cluster.edit("prod", lambda settings: settings["modelServices"].update(elsewhere=_SMALL))
    prod.up()
    assert service(cluster, "elsewhere")["metadata"]["uid"] == before
    assert len(endpoints(cluster, "elsewhere")) == 1
    cluster.edit("prod", lambda settings: settings["modelServices"].update(elsewhere=_SERVICES["elsewhere"]))
    prod.up()
    live = service(cluster, "elsewhere")
    assert live["metadata"]["uid"] == before
    assert "selector" not in live["spec"]
    assert versions(cluster, "elsewhere") == []


def test_a_canary_by_pods_shares_the_service(cluster: Project, prod: Stack) -> None:
    assert versions(cluster, "beside") == ["v1", "v1", "v1", "v2"]
    assert len(endpoints(cluster, "beside")) == 4
    # The selector of the stable Deployment matches the pods of the canary, too, but their own Deployment owns them.
    for name, pods in (("beside", 3), ("beside-canary", 1)):
        status = cluster.get("deployment", name, _NAMESPACE)["status"]
        assert (status["replicas"], status["readyReplicas"]) == (pods, pods)


def test_a_canary_by_requests_has_a_separate_service(cluster: Project, prod: Stack) -> None:
    assert versions(cluster, "routed") == ["v1", "v1", "v1"]
    assert (len(endpoints(cluster, "routed")), len(endpoints(cluster, "routed-canary"))) == (3, 1)
    (rule,) = cluster.get("httproute", "routed", _NAMESPACE)["spec"]["rules"]
    assert [(ref["name"], ref["weight"]) for ref in rule["backendRefs"]] == [("routed", 75), ("routed-canary", 25)]


def test_a_second_up_changes_nothing(prod: Stack) -> None:
    prod.up("--expect-no-changes")
    prod.refresh("--expect-no-changes")


def test_a_service_that_is_scaled_to_zero_is_changed_without_scaling_it_up(cluster: Project, prod: Stack) -> None:
    asleep = cluster.run("kubectl", "-n", _NAMESPACE, "scale", "deployment/sleepy", "--replicas=0")
    assert asleep.returncode == 0, asleep.stderr

    def change(settings: dict[str, Any]) -> None:
        settings["modelServices"]["sleepy"].update(image="myregistry/bert-serving:v2", service={"port": 81})

    cluster.edit("prod", change)
    prod.up()
    live = cluster.get("deployment", "sleepy", _NAMESPACE)["spec"]
    assert live["replicas"] == 0
    assert live["template"]["spec"]["containers"][0]["image"] == "myregistry/bert-serving:v2"
    assert service(cluster, "sleepy")["spec"]["ports"][0]["port"] == 81


@pytest.mark.parametrize("name", ["beside", "routed"])
def test_a_canary_is_promoted_by_configuration(name: str, cluster: Project, prod: Stack) -> None:
    def promote(settings: dict[str, Any]) -> None:
        args = settings["modelServices"][name]
        canary = args.pop("canary")
        args.update(image=canary["image"], version=canary["version"])

    cluster.edit("prod", promote)
    with watching(cluster, name, name, _NAMESPACE) as observed:
        prod.up()
    assert observed.min_ready >= 3
    assert versions(cluster, name) == ["v2", "v2", "v2"]
    assert f"{name}-canary" not in cluster.names("deployments", _NAMESPACE)


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        ({"replicas": 1}, "[rollout-interrupts]"),
        ({"rollout": "surge"}, "[surge-unreserved]"),
    ],
)
def test_preview_warns_of_a_rollout(changes: dict[str, Any], warning: str, cluster: Project, prod: Stack) -> None:
    def change(settings: dict[str, Any]) -> None:
        settings["teams"]["ml-serving"]["quota"].pop("requests.nvidia.com/gpu")
        settings["modelServices"]["model-serving"].update(changes)

    before = (cluster.folder / "Pulumi.prod.yaml").read_text(encoding="utf-8")
    cluster.edit("prod", change)
    try:
        preview = cluster.run("pulumi", "preview", "--stack", "prod", "--color", "never")
    finally:
        (cluster.folder / "Pulumi.prod.yaml").write_text(before, encoding="utf-8")
    assert preview.returncode == 0, preview.stdout + preview.stderr
    output = " ".join((preview.stdout + preview.stderr).split())
    assert "ml-platform:index:ModelService (model-serving): warning: " in output
    assert warning in output
