"""ModelService: its manifests, what it registers, what it refuses and what it warns of."""

from typing import Any

import pulumi
import pytest

from components import ArgumentError, ModelService, ModelServiceArgs, NodePool, TeamNamespace
from components.model_service.manifests import manifests, warnings
from tests.mocks import deploy
from tests.model_services import CANARY, CUSTOM, OPTIONS
from tests.schemas import assert_valid
from tests.workloads import GPU_POOL, named


def arguments(**given: Any) -> ModelServiceArgs:
    return ModelServiceArgs(
        **{
            key: value
            for key, value in {"namespace": "lab", "image": "server:v1", **given}.items()
            if value is not None
        }
    )


def objects(**given: Any) -> dict[str, dict[str, Any]]:
    """The objects of a ModelService called bert in the namespace lab."""
    args = arguments(**given)
    return dict(manifests("bert", args, args.tenant()))


def template(role: str = "deployment", **given: Any) -> dict[str, Any]:
    found: dict[str, Any] = objects(**given)[role]["spec"]["template"]
    return found


def container(role: str = "deployment", **given: Any) -> dict[str, Any]:
    main: dict[str, Any] = template(role, **given)["spec"]["containers"][0]
    return main


def test_every_argument_is_among_the_options() -> None:
    # Pulumi's own, and where it lives: they are in no manifest.
    assert named(OPTIONS) == set(ModelServiceArgs.model_fields) - {"team", "namespace", "timeout_seconds"}


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_is_valid_to_kubernetes(option: str) -> None:
    made = objects(**OPTIONS[option])
    assert_valid({role: manifest for role, manifest in made.items() if manifest["kind"] not in CUSTOM})


def test_the_selector_is_the_app_label_alone() -> None:
    made = objects(version="v1.2", labels={"app": "inference-server", "tier": "gold"})
    assert made["deployment"]["spec"]["selector"] == {"matchLabels": {"app": "inference-server"}}
    assert made["service"]["spec"]["selector"] == {"app": "inference-server"}
    labels = made["deployment"]["spec"]["template"]["metadata"]["labels"]
    assert labels["model-version"] == labels["app.kubernetes.io/version"] == "v1.2"
    assert labels["app.kubernetes.io/component"] == "model-server"
    assert labels["workload-type"] == "inference"
    assert labels["tier"] == "gold"


def test_annotations_are_on_all_objects_and_pods() -> None:
    service = {"type": "LoadBalancer", "annotations": {"note": "of the Service"}, "await_address": False}
    made = objects(annotations={"note": "x"}, service=service, canary=CANARY)
    assert made["service"]["metadata"]["annotations"] == {"note": "of the Service", "pulumi.com/skipAwait": "true"}
    assert all(
        manifest["metadata"]["annotations"]["note"] == "x" for role, manifest in made.items() if role != "service"
    )
    assert all(
        made[role]["spec"]["template"]["metadata"]["annotations"] == {"note": "x"} for role in ("deployment", "canary")
    )


def test_a_new_version_changes_the_deployment_alone() -> None:
    before, after = objects(version="v1"), objects(version="v2", image="server:v2")
    assert [role for role in before if before[role] != after[role]] == ["deployment"]


# -- probes and the startup budget


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
    main = container(health={"readiness": {**probe, "initial_delay_seconds": 30, "period_seconds": 5}})
    expected = {**action, "initialDelaySeconds": 30, "periodSeconds": 5, "timeoutSeconds": 1, "failureThreshold": 3}
    assert main["readinessProbe"] == expected
    # 600 seconds, of which 30 pass before it is asked for the first time; and one that may come at once.
    assert main["startupProbe"] == {**expected, "failureThreshold": 115}
    assert "livenessProbe" not in main


def test_a_startup_probe_of_its_own() -> None:
    startup = {"command": ["loaded"], "period_seconds": 30, "timeout_seconds": 5}
    main = container(health={"liveness": {"tcp": True}, "startup": startup}, startup_budget_seconds=100)
    assert main["startupProbe"] == {
        "exec": {"command": ["loaded"]},
        "periodSeconds": 30,
        "timeoutSeconds": 5,
        "failureThreshold": 5,
    }
    assert main["livenessProbe"]["tcpSocket"] == {"port": 8080}


@pytest.mark.parametrize(
    ("given", "waits"),
    [
        ({}, 120),
        ({"replicas": 3}, 3 * 120),  # one more at a time
        ({"replicas": 8}, 4 * 120),  # two more at a time
        ({"replicas": 8, "rollout": "replace"}, 8 * 120),
        ({"autoscale": {"max": 3, "cpu": 70}}, 3 * 120),
        ({"replicas": 3, "timeout_seconds": 50}, 50),
    ],
)
def test_one_startup_budget_sets_probe_deadline_and_timeout(given: dict[str, Any], waits: int) -> None:
    given = {"startup_budget_seconds": 120, **given}
    spec = objects(**given)["deployment"]["spec"]
    assert spec["progressDeadlineSeconds"] == 120
    probe = container(**given)["startupProbe"]
    assert (probe["failureThreshold"] - 1) * probe["periodSeconds"] == 120
    deployment = deploy(lambda: ModelService("bert", arguments(**given)))
    timeouts = deployment["bert-deployment"].request.customTimeouts
    assert timeouts.create == timeouts.update == f"{waits}s"


@pytest.mark.parametrize(("delay", "period"), [(0, 60), (0, 45), (30, 30), (59, 10), (0, 90)])
def test_no_failed_probe_kills_a_model_within_the_startup_budget(delay: int, period: int) -> None:
    startup = {"tcp": True, "initial_delay_seconds": delay, "period_seconds": period}
    probe = container(health={"startup": startup}, startup_budget_seconds=60)["startupProbe"]
    # At the earliest the kubelet asks as soon as the delay is over, and then once in a period.
    kills = delay + (probe["failureThreshold"] - 1) * period
    assert 60 <= kills < 60 + period


# -- rollout


SURGE = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}}
REPLACE = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}


@pytest.mark.parametrize(
    ("given", "strategy"),
    [
        ({}, SURGE),
        ({"node_pool": GPU_POOL}, SURGE),
        ({"node_pool": GPU_POOL, "gpus": 1}, REPLACE),
        ({"node_pool": GPU_POOL, "gpus": 1, "rollout": "surge"}, SURGE),
        ({"rollout": "replace"}, REPLACE),
        ({"model": {"source": {"claim": "bert"}}}, REPLACE),
        ({"volumes": {"cache": {"path": "/cache", "claim": "cache"}}}, REPLACE),
        ({"model": {"source": {"claim": "bert", "access_mode": "ReadOnlyMany"}}}, SURGE),
    ],
)
def test_the_rollout_follows_from_gpus_and_volumes_unless_it_is_chosen(given: dict[str, Any], strategy: Any) -> None:
    assert objects(**given)["deployment"]["spec"]["strategy"] == strategy


def test_a_pod_that_is_told_to_stop_serves_on_for_a_while() -> None:
    assert container()["lifecycle"] == {"preStop": {"sleep": {"seconds": 15}}}
    assert template()["spec"]["terminationGracePeriodSeconds"] == 45
    assert template(drain_seconds=60)["spec"]["terminationGracePeriodSeconds"] == 90
    assert "lifecycle" not in container(drain_seconds=0)


def test_disruptions_take_one_pod_at_a_time() -> None:
    spec = objects()["disruption-budget"]["spec"]
    assert spec["maxUnavailable"] == 1
    assert spec["selector"] == {"matchLabels": {"app": "bert"}}
    assert objects(disruption={"max_unavailable": "25%"})["disruption-budget"]["spec"]["maxUnavailable"] == "25%"


def test_pods_are_spread_over_nodes_and_zones_each_version_by_itself() -> None:
    constraints = template()["spec"]["topologySpreadConstraints"]
    assert [constraint["topologyKey"] for constraint in constraints] == [
        "kubernetes.io/hostname",
        "topology.kubernetes.io/zone",
    ]
    assert {tuple(constraint["matchLabelKeys"]) for constraint in constraints} == {("pod-template-hash",)}


# -- scaling


def test_an_autoscaler_owns_the_replicas() -> None:
    made = objects(autoscale={"min": 2, "max": 6, "cpu": 70})
    assert "replicas" not in made["deployment"]["spec"]
    spec = made["autoscaler"]["spec"]
    assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "bert"}
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 6)
    target = {"type": "Utilization", "averageUtilization": 70}
    assert spec["metrics"] == [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]


def test_scaling_by_a_metric_of_the_pods() -> None:
    (metric,) = objects(**OPTIONS["autoscale by a metric"])["autoscaler"]["spec"]["metrics"]
    target = {"type": "AverageValue", "averageValue": "500m"}
    assert metric == {"type": "Pods", "pods": {"metric": {"name": "requests_waiting"}, "target": target}}


def test_keda_scales_to_zero() -> None:
    made = objects(**OPTIONS["autoscale to zero"])
    assert "autoscaler" not in made
    assert made["scaled-object"]["spec"] == {
        "scaleTargetRef": {"name": "bert"},
        "minReplicaCount": 0,
        "maxReplicaCount": 4,
        "triggers": [
            {"type": "prometheus", "metadata": {"threshold": "5"}, "authenticationRef": {"name": "prometheus"}}
        ],
    }


def test_only_the_replicas_of_an_autoscaled_deployment_are_left_alone() -> None:
    scaled = deploy(lambda: ModelService("bert", arguments(autoscale={"max": 6, "cpu": 70})))["bert-deployment"]
    fixed = deploy(lambda: ModelService("bert", arguments(replicas=2)))["bert-deployment"]
    assert list(scaled.request.ignoreChanges) == ["spec.replicas"]
    assert list(fixed.request.ignoreChanges) == []
    # Who scaled before owns the number: it is taken from him, and only then.
    assert fixed.inputs["metadata"]["annotations"] == {"pulumi.com/patchForce": "true"}
    assert "annotations" not in scaled.inputs["metadata"]


# -- exposure


def test_the_service_leads_to_the_container() -> None:
    made = objects(port=9000, service={"name": "api", "port": 8000})
    assert made["service"]["metadata"]["name"] == "api"
    assert made["service"]["spec"]["ports"] == [{"name": "http", "port": 8000, "targetPort": 9000}]
    assert container(port=9000)["ports"] == [{"name": "http", "containerPort": 9000}]
    assert container(port=9000)["readinessProbe"]["httpGet"]["port"] == 9000


def test_service_types() -> None:
    assert objects()["service"]["spec"]["type"] == "ClusterIP"
    balanced = objects(**OPTIONS["LoadBalancer"])["service"]
    assert balanced["spec"]["type"] == "LoadBalancer"
    assert balanced["spec"]["loadBalancerSourceRanges"] == ["203.0.113.0/24", "2001:db8::/32"]
    assert balanced["metadata"]["annotations"] == {"cloud.example/internal": "true"}
    hasty = objects(**OPTIONS["LoadBalancer without waiting"])["service"]
    assert hasty["metadata"]["annotations"] == {"pulumi.com/skipAwait": "true"}
    opened = objects(**OPTIONS["NodePort with a chosen port"])["service"]
    assert opened["spec"]["ports"][0]["nodePort"] == 30080


def test_a_model_that_is_hosted_elsewhere_is_a_name_and_nothing_else() -> None:
    made = objects(**OPTIONS["ExternalName"])
    assert list(made) == ["service"]
    assert made["service"]["spec"] == {
        "type": "ExternalName",
        "externalName": "models.example.com",
        "ports": [{"name": "http", "port": 80}],
    }


def test_an_ingress_leads_to_the_service() -> None:
    made = objects(**OPTIONS["Ingress"], service={"name": "api", "port": 8000})["ingress"]
    assert made["spec"]["ingressClassName"] == "nginx"
    assert made["spec"]["tls"] == [{"hosts": ["models.example.com"], "secretName": "certificate"}]
    (rule,) = made["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    assert (rule["host"], path["path"]) == ("models.example.com", "/bert")
    assert path["backend"] == {"service": {"name": "api", "port": {"number": 8000}}}
    hasty = objects(ingress={"host": "a.example", "await_address": False})["ingress"]
    assert hasty["metadata"]["annotations"] == {"pulumi.com/skipAwait": "true"}


def test_a_route_leads_to_the_service() -> None:
    spec = objects(**OPTIONS["HTTPRoute"])["route"]["spec"]
    assert spec["parentRefs"] == [{"name": "public", "namespace": "gateways"}]
    assert spec["hostnames"] == ["models.example.com"]
    assert spec["rules"] == [
        {
            "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
            "backendRefs": [{"name": "bert", "port": 80, "weight": 100}],
        }
    ]


# -- canary


def test_without_a_route_the_service_reaches_both_versions() -> None:
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
def test_the_canarys_pods_follow_from_its_weight(replicas: int, weight: int, *, routed: bool, pods: int) -> None:
    route = {"gateway": "public"} if routed else None
    made = objects(replicas=replicas, canary={**CANARY, "weight": weight}, route=route)
    assert made["canary"]["spec"]["replicas"] == pods
    assert made["deployment"]["spec"]["replicas"] == replicas


def test_no_autoscaler_counts_the_pods_of_a_canary() -> None:
    made = objects(**OPTIONS["canary of an autoscaled service"])
    assert made["autoscaler"]["spec"]["scaleTargetRef"]["name"] == "bert"
    counted = made["deployment"]["spec"]["selector"]["matchLabels"]
    assert not made["canary"]["spec"]["template"]["metadata"]["labels"].items() >= counted.items()


def test_names_that_leave_room_for_those_of_a_canary() -> None:
    routed = {"canary": CANARY, "route": {"gateway": "public"}}
    made = objects(**routed, service={"name": "s" * 56}, labels={"app": "a" * 56})
    assert made["canary-service"]["metadata"]["name"] == "s" * 56 + "-canary"
    assert made["canary"]["spec"]["template"]["metadata"]["labels"]["app"] == "a" * 56 + "-canary"
    assert objects(canary=CANARY, service={"name": "s" * 63}, labels={"app": "a" * 63})["canary"]


def test_up_waits_for_as_many_pods_as_the_canary_has() -> None:
    # 90 % beside two pods is eighteen, of which one at a time is replaced.
    args = arguments(replicas=2, rollout="replace", startup_budget_seconds=60, canary={**CANARY, "weight": 90})
    deployment = deploy(lambda: ModelService("bert", args))
    waits = {role: deployment[f"bert-{role}"].request.customTimeouts.update for role in ("deployment", "canary")}
    assert waits == {"deployment": "120s", "canary": f"{18 * 60}s"}


def test_a_canary_leaves_the_stable_version_as_it_is() -> None:
    with_canary, without = objects(replicas=3, canary=CANARY), objects(replicas=3)
    assert {role: with_canary[role] for role in without} == without


# -- model, configuration, metrics


def test_a_model_is_downloaded_before_the_server_starts() -> None:
    spec = template(**OPTIONS["model from a download"])["spec"]
    (init,) = spec["initContainers"]
    assert (init["name"], init["image"], init["command"]) == ("model-download", "aws:v2", ["fetch"])
    assert init["resources"]["requests"] == {"cpu": "1", "memory": "1Gi"}
    assert {"name": "model", "emptyDir": {"sizeLimit": "50Gi"}} in spec["volumes"]
    for each in (init, spec["containers"][0]):
        assert {"name": "model", "mountPath": "/weights"} in each["volumeMounts"]


def test_a_variable_of_the_download_takes_the_place_of_the_workloads_own() -> None:
    download = {"command": ["fetch"], "env": {"HF_HOME": "/models"}, "size": "50Gi"}
    spec = template(env={"HF_HOME": "/cache"}, model={"source": {"download": download}})["spec"]
    assert spec["initContainers"][0]["env"] == [{"name": "HF_HOME", "value": "/models"}]
    assert spec["containers"][0]["env"] == [{"name": "HF_HOME", "value": "/cache"}]


@pytest.mark.parametrize(
    ("source", "volume"),
    [
        ({"claim": "bert", "access_mode": "ReadOnlyMany"}, {"persistentVolumeClaim": {"claimName": "bert"}}),
        ({"image": "models/bert:v1"}, {"image": {"reference": "models/bert:v1", "pullPolicy": "Always"}}),
    ],
)
def test_a_model_that_is_mounted_is_read_only(source: dict[str, Any], volume: dict[str, Any]) -> None:
    spec = template(model={"source": source})["spec"]
    assert {"name": "model", **volume} in spec["volumes"]
    assert {"name": "model", "mountPath": "/models", "readOnly": True} in spec["containers"][0]["volumeMounts"]


def _checksum(**given: Any) -> str:
    annotations: dict[str, str] = template(**given)["metadata"]["annotations"]
    return annotations["checksum/config"]


def test_what_configures_the_pods_replaces_them_when_it_changes() -> None:
    def mounting(name: str) -> dict[str, Any]:
        return {"volumes": {"settings": {"path": "/etc/bert", "config_map": name}}}

    one = _checksum(**mounting("one"))
    assert one == _checksum(**mounting("one"))
    assert len({one, _checksum(**mounting("two")), _checksum(**mounting("one"), config_version="2")}) == 3
    secret = {"volumes": {"settings": {"path": "/etc/bert", "secret": "one"}}}
    assert _checksum(**secret) != one
    assert "annotations" not in template()["metadata"]


def test_a_checksum_of_what_is_only_known_at_deployment_time() -> None:
    def checksum(content: str) -> str:
        version = pulumi.Output.from_input(content)
        spec = deploy(lambda: ModelService("bert", arguments(config_version=version)))["bert-deployment"].inputs["spec"]
        found: str = spec["template"]["metadata"]["annotations"]["checksum/config"]
        return found

    assert checksum("1") == _checksum(config_version="1")
    assert checksum("1") != checksum("2")


def test_metrics_are_scraped_from_the_container_and_not_opened_to_clients() -> None:
    made = objects(**OPTIONS["ServiceMonitor"])
    assert {"name": "metrics", "containerPort": 9090} in container(**OPTIONS["ServiceMonitor"])["ports"]
    assert [port["name"] for port in made["service"]["spec"]["ports"]] == ["http"]
    spec = made["service-monitor"]["spec"]
    assert spec["endpoints"] == [{"targetPort": "metrics", "path": "/metrics", "interval": "30s"}]
    assert made["service"]["metadata"]["labels"].items() >= spec["selector"]["matchLabels"].items()
    monitor = objects(**OPTIONS["PodMonitor"])["pod-monitor"]
    assert monitor["kind"] == "PodMonitor"
    assert monitor["spec"]["podMetricsEndpoints"] == [{"port": "http", "path": "/stats", "interval": "10s"}]


def test_a_monitor_finds_the_service_and_its_canarys_whatever_they_are_labelled() -> None:
    given = {"labels": {"app": "ranker", "app.kubernetes.io/name": "ranking"}, "canary": CANARY, "replicas": 3}
    made = objects(**given, route={"gateway": "public"}, metrics={"monitor": "service"})
    selected = made["service-monitor"]["spec"]["selector"]["matchLabels"].items()
    assert all(made[role]["metadata"]["labels"].items() >= selected for role in ("service", "canary-service"))
    pods = objects(**given, metrics={"monitor": "pod"})
    selected = pods["pod-monitor"]["spec"]["selector"]["matchLabels"].items()
    labels = [pods[role]["spec"]["template"]["metadata"]["labels"] for role in ("deployment", "canary")]
    assert all(each.items() >= selected for each in labels)


# -- refusals and warnings


ELSEWHERE = {"type": "ExternalName", "external_name": "models.example.com"}
ONE_NODE = {"source": {"claim": "bert"}}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"replicas": 0}, "replicas: must be at least 1 (got 0)"),
        ({"replicas": "3"}, "replicas: must be a whole number (got '3')"),
        ({"replicas": 2.5}, "replicas: must be a whole number (got 2.5)"),
        ({"port": 70000}, "port: must be at most 65535 (got 70000)"),
        ({"service": {"name": "1st"}}, "service.name: '1st' is refused by Kubernetes"),
        ({"service": {"node_port": 30080}}, "service.node_port: goes with the type NodePort, not ClusterIP"),
        ({"service": {"type": "NodePort", "node_port": 80}}, "service.node_port: must be at least 30000 (got 80)"),
        ({"service": {"type": "External"}}, "service.type: must be one of 'ClusterIP', 'NodePort', 'LoadBalancer' or"),
        ({"service": {"source_ranges": ["10.0.0.0/8"]}}, "service.source_ranges: goes with the type LoadBalancer"),
        ({"service": {"type": "LoadBalancer", "source_ranges": ["10.0.0.1/8"]}}, "10.0.0.1/8 is not the beginning"),
        (
            {"service": {"type": "LoadBalancer", "source_ranges": ["203.0.113.7"]}},
            "203.0.113.7 is not an address block",
        ),
        ({"service": {"await_address": False}}, "service.await_address: goes with the type LoadBalancer"),
        ({"service": {"external_name": "a.example"}}, "service.external_name: goes with the type ExternalName"),
        ({"service": {"type": "ExternalName"}}, "service.external_name: is required with the type ExternalName"),
        ({"service": ELSEWHERE}, "image: a model that is hosted elsewhere (service.type ExternalName) has no pods"),
        ({"service": ELSEWHERE, "image": None, "replicas": 2}, "replicas: a model that is hosted elsewhere"),
        ({"health": {"readiness": {}}}, "health.readiness: a probe asks in one way: it has none"),
        ({"health": {"readiness": {"path": "/", "tcp": True}}}, "it has path and tcp"),
        ({"health": {"liveness": {"tcp": True, "port": 1}}}, "health.liveness.port: no container listens on 1"),
        ({"health": {"startup": {"tcp": True, "failure_threshold": 9}}}, "failure_threshold: follows from the startup"),
        (
            {"health": {"readiness": {"tcp": True, "initial_delay_seconds": 60}}, "startup_budget_seconds": 60},
            "health.readiness.initial_delay_seconds: 60 leaves nothing of the startup budget of 60 seconds",
        ),
        ({"version": "v 1"}, "version: 'v 1' is refused by Kubernetes"),
        ({"image": "Server:v1"}, "image: 'Server:v1' is not an image reference"),
        ({"image": "https://hub/server:v1"}, "leave out the scheme"),
        ({"rollout": "recreate"}, "rollout: must be one of 'surge' or 'replace' (got 'recreate')"),
        (
            {"disruption": {"max_unavailable": 0}},
            "disruption.max_unavailable: must be a number of pods, at least 1, or",
        ),
        ({"disruption": {"max_unavailable": "101%"}}, "disruption.max_unavailable: must be a number of pods"),
        ({"disruption": {"max_unavailable": 2**31}}, "disruption.max_unavailable: must be a number of pods"),
        ({"replicas": 10**10}, "replicas: must be at most 2147483647"),
        ({"startup_budget_seconds": 10**12}, "startup_budget_seconds: must be at most 2147483647"),
        ({"autoscale": {"max": 2**31, "cpu": 70}}, "autoscale.max: must be at most 2147483647"),
        ({"autoscale": {"max": 3, "metric": {"name": "a/b", "target": 1}}}, "autoscale.metric.name: 'a/b' is refused"),
        (
            {"autoscale": {"max": 3, "metric": {"name": "a", "target": "0m"}}},
            "autoscale.metric.target: must be more than",
        ),
        ({"replicas": 2, "autoscale": {"max": 3, "cpu": 70}}, "replicas: the autoscaler decides how many pods serve"),
        ({"autoscale": {"max": 3}}, "autoscale: pods are scaled by one thing: it has none"),
        ({"autoscale": {"min": 4, "max": 3, "cpu": 70}}, "autoscale.min: 4 is above max, which is 3"),
        ({"autoscale": {"min": 0, "max": 3, "cpu": 70}}, "autoscale.min: only KEDA scales to zero"),
        (
            {"autoscale": {"max": 3, "cpu": 70}, "resources": {"requests": {"memory": "1Gi"}}},
            "autoscale.cpu: is a percentage of a request that is not given",
        ),
        ({"canary": {**CANARY, "weight": 100}}, "canary.weight: 100 takes a route"),
        (
            {"canary": CANARY, "autoscale": {"max": 3, "cpu": 70}},
            "canary: without a route, the autoscaler counts its pods as those of the stable version\n"
            "  set route, or replicas in place of autoscale",
        ),
        (
            {"canary": CANARY, "route": {"gateway": "a"}, "service": {"name": "s" * 57}},
            "service.name: 'sssssssssssssssssssssssssssssssssssssssssssssssssssssssss-canary', for the canary, is longer",
        ),
        (
            {"canary": CANARY, "route": {"gateway": "a"}, "labels": {"app": "a" * 57}},
            "labels.app: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-canary', for the canary, is longer",
        ),
        ({"canary": {**CANARY, "weight": 101}}, "canary.weight: must be at most 100 (got 101)"),
        ({"model": {"source": {}}}, "model.source: a model has one source: it has none"),
        ({"model": {"source": {"claim": "a", "image": "b:c"}}}, "it has claim and image"),
        ({"model": ONE_NODE, "replicas": 2}, "model.source.access_mode: only one node can mount it, not 2 pods"),
        ({"model": ONE_NODE, "autoscale": {"max": 2, "cpu": 70}}, "not 2 pods\n  use a volume that several"),
        ({"model": ONE_NODE, "rollout": "surge"}, "model.source.access_mode: only one node can mount it, not a surge"),
        ({"model": ONE_NODE, "canary": CANARY}, "model.source.access_mode: only one node can mount it, not a canary"),
        (
            {"volumes": {"cache": {"path": "/cache", "claim": "cache"}}, "replicas": 2},
            "volumes.cache.access_mode: only one node can mount it, not 2 pods",
        ),
        (
            {"model": ONE_NODE, "volumes": {"model": {"path": "/models", "ephemeral": "1Gi"}}},
            "volumes.model: is the name of the model's own volume",
        ),
        ({"model": {**ONE_NODE, "path": "/tmp/"}}, "model.path: /tmp/ is taken by another volume"),
        (
            {"model": {"source": {"image": "models/bert:v1", "access_mode": "ReadOnlyMany"}}},
            "model.source.access_mode: goes with a claim",
        ),
        ({"model": {"source": {"download": {"command": ["get"], "size": "50m"}}}}, "50m is a part of a byte"),
        (
            {"init_containers": [{"name": "server", "resources": {"requests": {"cpu": 1}}}]},
            "'server' is taken by the main container",
        ),
        ({"model": {**ONE_NODE, "path": "/tmp"}}, "model.path: /tmp is taken by another volume"),
        (
            {"model": ONE_NODE, "init_containers": [{"name": "model-download", "resources": {"requests": {"cpu": 1}}}]},
            "init_containers[0].name: is the name of the model's own download",
        ),
    ],
)
def test_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError) as refusal:
        arguments(**given)
    assert message in str(refusal.value)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ArgumentError) as refusal:
        arguments(replicas=2, autoscale={"max": 3, "cpu": 70}, model=ONE_NODE, canary={**CANARY, "weight": 0})
    assert len(refusal.value.problems) == 5
    with pytest.raises(ArgumentError) as refusal:
        arguments(
            image=None, replicas=2, autoscale={"max": 3, "cpu": 70}, volumes={"tmp": {"path": "/d", "claim": "c"}}
        )
    assert {problem.property_path() for problem in refusal.value.problems} >= {"image", "volumes.tmp", "replicas"}


def test_one_mistake_is_told_once() -> None:
    for given in ({"disruption": {"max_unavailable": 0}}, {"service": ELSEWHERE, "image": None, "gpus": 1}):
        with pytest.raises(ArgumentError) as refusal:
            arguments(**given)
        assert len(refusal.value.problems) == 1


def test_a_name_without_room_for_the_canarys() -> None:
    name = "b" * 60
    deploy(lambda: ModelService(name, arguments()))
    with pytest.raises(ArgumentError, match="at most 63"):
        deploy(lambda: ModelService(name, arguments(canary=CANARY)))


GPUS = {"node_pool": GPU_POOL, "gpus": 2}


@pytest.mark.parametrize(
    ("given", "quota", "expected"),
    [
        ({}, {"requests.cpu": "4"}, []),
        ({**GPUS, "replicas": 2}, {}, []),
        (GPUS, {}, ["interrupts the service until its model has loaded: the new pod waits for the GPUs"]),
        ({"model": ONE_NODE}, {}, ["waits for the volume of the only one that serves. Run two replicas on a volume"]),
        ({**GPUS, "rollout": "surge"}, {"requests.nvidia.com/gpu": "4"}, []),
        ({**GPUS, "rollout": "surge"}, {}, ["makes progress only where 2 nvidia.com/gpu are free beside what serves"]),
        ({"image": None, "service": ELSEWHERE}, {}, []),
    ],
)
def test_warnings(given: dict[str, Any], quota: dict[str, str], expected: list[str]) -> None:
    found = warnings(arguments(**given), quota)
    assert len(found) == len(expected)
    for warning, part in zip(found, expected, strict=True):
        assert part in warning


def test_a_component_warns_by_the_quota_of_its_team(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, pulumi.Resource]] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda text, resource: told.append((text, resource)))
    made: list[ModelService] = []

    def program() -> None:
        for name, quota in (("spare", {"requests.nvidia.com/gpu": 8}), ("none", {})):
            team = TeamNamespace(f"team-{name}", {"quota": quota})
            made.append(ModelService(name, {"team": team, **GPUS, "rollout": "surge"}))

    deploy(program, preview=True)
    ((text, resource),) = told
    assert "makes progress only where 2 nvidia.com/gpu are free" in text
    assert resource is made[1]


# -- registration


def test_registers_its_children_one_after_the_other() -> None:
    def program() -> None:
        team = TeamNamespace("nlp", {"serves": True})
        pool = NodePool(image="server:v1", gpu_resource="nvidia.com/gpu")
        args = {"team": team, "node_pool": pool, "gpus": 1, "replicas": 2, "service": {"type": "LoadBalancer"}}
        ModelService("bert", args)

    deployment = deploy(program)
    assert deployment.children("bert") == {
        "bert-service-account": "kubernetes:core/v1:ServiceAccount",
        "bert-deployment": "kubernetes:apps/v1:Deployment",
        "bert-service": "kubernetes:core/v1:Service",
        "bert-disruption-budget": "kubernetes:policy/v1:PodDisruptionBudget",
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
