"""TeamNamespace: its manifests, what it registers and what it refuses."""

from typing import Any

import pytest

from components import ArgumentError, PriorityClasses, PriorityClassesArgs, TeamNamespace, TeamNamespaceArgs
from components import priority_classes as priorities
from components.base.ownership import existed
from components.team_namespace.args import POD_SECURITY_VERSION
from components.team_namespace.image_registries import allowed
from components.team_namespace.manifests import manifests
from tests.mocks import Deployment, deploy
from tests.schemas import assert_valid

Objects = dict[str, dict[str, Any]]

EVERYTHING: dict[str, Any] = {
    "owner": "dana",
    "cost_center": "cc-7",
    "quota": {"requests.cpu": "32", "limits.memory": "64Gi", "requests.nvidia.com/gpu": 8},
    "priority_quotas": {"training": {"requests.nvidia.com/gpu": "4"}, "batch": {"pods": "10"}},
    "container_limits": {
        "default": {"cpu": "1", "memory": "1Gi"},
        "max": {"memory": "32Gi", "ephemeral-storage": "1Ti"},
    },
    "network": {
        "allow_from": {"namespaces": ["monitoring"]},
        "allow_to": {"cidrs": ["0.0.0.0/0"], "namespaces": ["data-pipeline"]},
        "serving": {"ports": [8080], "namespaces": ["web"]},
    },
    "access": {"viewers": ["v"], "developers": ["d"], "admins": ["a"], "secrets": ["registry"]},
    "registries": ["ghcr.io/acme"],
    "on_delete": "protect",
}


def objects(component: str = "nlp", **arguments: Any) -> Objects:
    return manifests(component, TeamNamespaceArgs(**arguments))


def refused(**arguments: Any) -> str:
    with pytest.raises(ArgumentError) as refusal:
        TeamNamespaceArgs(**arguments)
    return str(refusal.value)


def test_every_object_is_valid_to_kubernetes() -> None:
    assert_valid(objects())
    assert_valid(objects(**EVERYTHING))
    classes = PriorityClassesArgs.of(
        {"classes": {"training": {"value": 1000}, "batch": {"value": -5, "preemption": "Never"}}}
    )
    assert_valid(priorities.manifests(classes))


def test_the_namespace_says_whose_it_is_and_what_its_pods_may() -> None:
    args = TeamNamespaceArgs(team="nlp", owner="dana", cost_center="cc-7", labels={"env": "prod"})
    namespace = manifests("ml-training", args)["namespace"]
    assert namespace["metadata"]["name"] == "ml-training"
    assert namespace["metadata"]["labels"] == {
        "app.kubernetes.io/managed-by": "pulumi",
        "team": "nlp",
        "owner": "dana",
        "cost-center": "cc-7",
        "env": "prod",
        **{
            f"pod-security.kubernetes.io/{mode}{suffix}": value
            for mode in ("enforce", "audit", "warn")
            for suffix, value in (("", "restricted"), ("-version", POD_SECURITY_VERSION))
        },
    }


def test_the_labels_of_the_team_are_on_everything_in_it() -> None:
    for role, manifest in objects(**EVERYTHING).items():
        assert manifest["metadata"]["labels"]["team"] == "nlp", role
        assert manifest["metadata"]["labels"]["cost-center"] == "cc-7", role


def test_annotations_are_on_everything_in_it() -> None:
    for role, manifest in objects(**EVERYTHING, adopt=True, annotations={"note": "x"}).items():
        own = {"pulumi.com/patchForce": "true"} if role == "namespace" else {}
        assert manifest["metadata"]["annotations"] == {"note": "x", **own}, role


def test_the_team_is_the_component_by_default() -> None:
    assert objects("nlp")["namespace"]["metadata"]["labels"]["team"] == "nlp"


def test_the_quota_is_named_after_the_namespace() -> None:
    quota = objects("training", name="ml-training", quota={"requests.cpu": "32", "pods": "20"}, serves=True)["quota"]
    assert quota["metadata"]["name"] == "ml-training-quota"
    assert quota["metadata"]["namespace"] == "ml-training"
    assert quota["spec"] == {"hard": {"requests.cpu": "32", "pods": "20"}}


@pytest.mark.parametrize(
    ("arguments", "hard"),
    [
        ({}, {"services.nodeports": "0", "services.loadbalancers": "0"}),
        ({"quota": {"services.nodeports": 2}}, {"services.nodeports": "2", "services.loadbalancers": "0"}),
        ({"quota": {"pods": 2}, "serves": True}, {"pods": "2"}),
    ],
)
def test_a_team_that_does_not_serve_has_no_way_in_from_outside(arguments: dict[str, Any], hard: dict[str, str]) -> None:
    assert objects(**arguments)["quota"]["spec"]["hard"] == hard


def test_a_team_without_any_limit_has_no_empty_quota() -> None:
    assert "quota" not in objects(serves=True)


def test_a_priority_class_has_a_quota_of_its_own_and_the_others_none() -> None:
    made = objects(priority_quotas={"training": {"requests.nvidia.com/gpu": "4"}})
    assert made["priority-quota-training"]["spec"] == {
        "hard": {"requests.nvidia.com/gpu": "4"},
        "scopeSelector": {
            "matchExpressions": [{"scopeName": "PriorityClass", "operator": "In", "values": ["training"]}]
        },
    }
    assert made["other-priorities"]["spec"] == {
        "hard": {"pods": "0"},
        "scopeSelector": {
            "matchExpressions": [
                {"scopeName": "PriorityClass", "operator": "Exists"},
                {"scopeName": "PriorityClass", "operator": "NotIn", "values": ["training"]},
            ]
        },
    }


def test_the_limits_of_containers_are_those_that_kubernetes_would_fill_in() -> None:
    made = objects(container_limits={"default": {"cpu": "1"}, "max": {"cpu": "4", "memory": "8Gi"}})
    (limit,) = made["container-limits"]["spec"]["limits"]
    assert limit == {
        "type": "Container",
        "max": {"cpu": "4", "memory": "8Gi"},
        "default": {"cpu": "1", "memory": "8Gi"},
        "defaultRequest": {"cpu": "1", "memory": "8Gi"},
    }


@pytest.mark.parametrize(
    ("quota", "requested", "default"),
    [
        ({}, {"cpu": "100m", "memory": "256Mi"}, {"memory": "1Gi"}),
        ({"limits.cpu": "8"}, {"cpu": "100m", "memory": "256Mi"}, {"cpu": "1", "memory": "1Gi"}),
        ({"memory": "100Mi"}, {"cpu": "100m", "memory": "100Mi"}, {"memory": "1Gi"}),
        ({"requests.cpu": "50m", "limits.memory": "128Mi"}, {"cpu": "50m", "memory": "128Mi"}, {"memory": "128Mi"}),
    ],
)
def test_the_default_limits_suit_the_quota(
    quota: dict[str, str], requested: dict[str, str], default: dict[str, str]
) -> None:
    (limit,) = objects(quota=quota)["container-limits"]["spec"]["limits"]
    assert {name: limit["defaultRequest"][name] for name in requested} == requested
    assert limit["default"] == default


def test_nothing_is_allowed_but_dns_and_the_namespace_itself() -> None:
    made = {role: manifest["spec"] for role, manifest in objects().items() if manifest["kind"] == "NetworkPolicy"}
    assert list(made) == ["allow-dns", "allow-same-namespace", "default-deny"]
    assert made["default-deny"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    (dns,) = made["allow-dns"]["egress"]
    assert dns["ports"] == [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]
    assert made["allow-same-namespace"]["ingress"] == [{"from": [{"podSelector": {}}]}]
    assert made["allow-same-namespace"]["egress"] == [{"to": [{"podSelector": {}}]}]


def test_named_peers_are_allowed_and_the_metadata_server_is_not() -> None:
    made = objects(**EVERYTHING)
    monitoring, pipeline, web = (
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}
        for name in ("monitoring", "data-pipeline", "web")
    )
    assert made["allow-from"]["spec"]["ingress"] == [{"from": [monitoring]}]
    internet = {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.169.254/32"]}}
    assert made["allow-to"]["spec"]["egress"] == [{"to": [pipeline, internet]}]
    serving = made["allow-serving"]["spec"]
    assert serving["podSelector"] == {"matchLabels": {"workload-type": "inference"}}
    assert serving["ingress"] == [{"from": [web], "ports": [{"protocol": "TCP", "port": 8080}]}]

    open_to = {"allow_to": {"cidrs": ["0.0.0.0/0", "10.0.0.0/8"]}, "cloud_metadata": True}
    (rule,) = objects(network=open_to)["allow-to"]["spec"]["egress"]
    assert rule["to"] == [{"ipBlock": {"cidr": "0.0.0.0/0"}}, {"ipBlock": {"cidr": "10.0.0.0/8"}}]
    anywhere = objects(network={"serving": {"ports": [8080], "anywhere": True}})["allow-serving"]
    assert anywhere["spec"]["ingress"] == [{"ports": [{"protocol": "TCP", "port": 8080}]}]


def test_a_team_that_serves_is_reached_from_anywhere_unless_it_says_from_where() -> None:
    assert "allow-serving" not in objects()
    assert objects(serves=True)["allow-serving"]["spec"]["ingress"] == [{}]
    (rule,) = objects(serves=True, network={"serving": {"namespaces": ["ingress"]}})["allow-serving"]["spec"]["ingress"]
    assert list(rule) == ["from"]


def test_roles_exist_for_those_that_somebody_is() -> None:
    made = objects(access={"viewers": ["ml-viewers", "auditors"]})
    assert [role for role in made if role.endswith(("-role", "-binding"))] == ["viewer-role", "viewer-binding"]
    binding = made["viewer-binding"]
    assert [subject["name"] for subject in binding["subjects"]] == ["ml-viewers", "auditors"]
    assert binding["roleRef"]["name"] == made["viewer-role"]["metadata"]["name"]


@pytest.mark.parametrize("role", ["viewer", "developer", "admin"])
def test_no_role_writes_what_rules_the_namespace_or_has_wildcards(role: str) -> None:
    rules = objects(**EVERYTHING)[f"{role}-role"]["rules"]
    for rule in rules:
        assert not {"*", "escalate", "bind", "impersonate"} & {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}
        if not {"create", "update", "patch", "delete"} & set(rule["verbs"]):
            continue
        ruling = {"networkpolicies", "resourcequotas", "limitranges", "namespaces", "serviceaccounts/token"}
        assert not ruling & set(rule["resources"])


def test_places_of_images_end_where_a_name_does() -> None:
    (rule,) = objects(registries=["ghcr.io/acme", "pytorch/"])["registry-policy"]["spec"]["validations"]
    assert '["ghcr.io/acme", "pytorch"].exists(place, image == place' in rule["expression"]


@pytest.mark.parametrize(
    ("image", "is_allowed"),
    [
        ("ghcr.io/acme/server:v1", True),
        ("ghcr.io/acme-evil/server:v1", False),
        ("quay.io/acme/server", True),
        ("quay.io/acme/server:v1", True),
        ("quay.io/acme/server@sha256:0", True),
        ("quay.io/acme/server2:v1", False),
        ("registry:5000/a", False),
        ("registry/a", True),
    ],
)
def test_images_of_other_places_are_known_beforehand(image: str, is_allowed: bool) -> None:
    """The real-server test has the policy say the same."""
    assert allowed(image, ["ghcr.io/acme", "quay.io/acme/server", "registry/"]) == is_allowed
    assert allowed(image, [])


@pytest.mark.parametrize(
    "place", ["ghcr.io", "registry:5000", "registry:5000/acme", "ghcr.io/acme/server", "pytorch/", "localhost:5000/"]
)
def test_images_may_come_from_a_registry_a_path_or_a_repository(place: str) -> None:
    assert TeamNamespaceArgs(registries=[place]).registries == [place]


@pytest.mark.parametrize(
    ("place", "meant"),
    [
        ("ghcr.io/acme/server:v1", "ghcr.io/acme/server"),
        ("registry:5000/server:1", "registry:5000/server"),
        ("server:v1", "server"),
        ("server@sha256:" + "a" * 64, "server"),
        ("ghcr.io/server:v1@sha256:" + "a" * 64, "ghcr.io/server"),
    ],
)
def test_images_do_not_come_from_a_tag_or_a_digest(place: str, meant: str) -> None:
    with pytest.raises(ArgumentError, match="names a tag or a digest") as refusal:
        TeamNamespaceArgs(registries=[place])
    assert refusal.value.problems[0].value == meant


def test_a_block_that_is_the_metadata_server_itself_is_allowed_by_its_own_argument_only() -> None:
    itself = {"allow_to": {"cidrs": ["10.0.0.0/8", "169.254.169.254/32", "fd00:ec2::254/128"]}}
    message = refused(network=itself)
    assert "network.allow_to.cidrs[1]: 169.254.169.254/32 is the cloud's metadata server itself" in message
    assert "network.allow_to.cidrs[2]: fd00:ec2::254/128 is the cloud's metadata server itself" in message
    assert "set cloudMetadata: true" in message
    (rule,) = objects(network={**itself, "cloud_metadata": True})["allow-to"]["spec"]["egress"]
    assert {"ipBlock": {"cidr": "169.254.169.254/32"}} in rule["to"]
    assert_valid(objects(network={"allow_from": itself["allow_to"]}))


def test_a_local_queue_of_kueue() -> None:
    queue = objects(queues={"training": "gpu-queue"})["queue-training"]
    assert (queue["kind"], queue["metadata"]["name"], queue["metadata"]["namespace"]) == (
        "LocalQueue",
        "training",
        "nlp",
    )
    assert queue["spec"] == {"clusterQueue": "gpu-queue"}


@pytest.mark.parametrize(
    "key",
    [
        "cpu",
        "pods",
        "limits.memory",
        "requests.storage",
        "requests.nvidia.com/gpu",
        "requests.nvidia.com/mig-1g.10gb",
        "count/jobs.batch",
        "services.loadbalancers",
        "fast.storageclass.storage.k8s.io/requests.storage",
        "gpu.example.com.deviceclass.resource.k8s.io/devices",
    ],
)
def test_native_quota_keys(key: str) -> None:
    assert TeamNamespaceArgs(quota={key: "1"}).quota == {key: "1"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"quota": {"limits.nvidia.com/gpu": 8}}, "write requests.nvidia.com/gpu instead of limits.nvidia.com/gpu"),
        (
            {"quota": {"nvidia.com/mig-1g.10gb": 8}},
            "write requests.nvidia.com/mig-1g.10gb instead of nvidia.com/mig-1g",
        ),
        ({"quota": {"nvidia.com/gpu": 8}}, "write requests.nvidia.com/gpu instead of nvidia.com/gpu"),
        ({"quota": {"gpus": 8}}, "is not a resource that a quota counts"),
        ({"quota": {"count/jobs": 8}}, "write count/jobs.batch instead of count/jobs"),
        ({"quota": {"pods": "many"}}, "'many' is not a Kubernetes quantity"),
        ({"quota": {"pods": True}}, "must be a quantity"),
        ({"quota": {"pods": "2.5"}}, "quota.pods: counts pieces: 2.5 is not a whole number"),
        ({"quota": {"pods": "1e40", "services": "1e-9"}}, "quota.services: counts pieces: 1e-9 is not a whole number"),
        ({"quota": {"limits.memory": "512m"}}, 'quota["limits.memory"]: 512m is a part of a byte'),
        ({"quota": {"requests.storage": "500m"}}, 'quota["requests.storage"]: 500m is a part of a byte'),
        ({"container_limits": {"max": {"memory": "512m"}}}, "container_limits.max.memory: 512m is a part of a byte"),
        ({"quota": {"requests.nvidia.com/gpu": "500m"}}, "counts pieces: 500m is not a whole number"),
        ({"priority_quotas": {"a": {"services": 1}}}, "a quota of a PriorityClass counts pods and what they ask for"),
        (
            {"priority_quotas": {"a": {"requests.storage": 1}}},
            "a quota of a PriorityClass counts pods and what they ask",
        ),
        ({"priority_quotas": {"a": {"pods": "1.5"}}}, "priority_quotas.a.pods: counts pieces"),
        ({"container_limits": {"default": {"nvidia.com/gpu": 1}}}, "GPUs are never given by default"),
        ({"container_limits": {"max": {"storage": 1}}}, "is not a resource that containers are limited in"),
        (
            {"container_limits": {"default": {"cpu": 2}, "max": {"cpu": 1}}},
            "container_limits.default.cpu: 2 is above the max of 1",
        ),
        (
            {"container_limits": {"default_request": {"cpu": 2}, "default": {"cpu": 1}}},
            "container_limits.default_request.cpu: 2 is above the default of 1",
        ),
        (
            {"container_limits": {"max": {"memory": "64Gi"}}, "quota": {"limits.memory": "32Gi"}},
            "container_limits.max.memory: 64Gi is above the quota's limits.memory of 32Gi",
        ),
        ({"name": "kube-system"}, "name: 'kube-system' belongs to Kubernetes itself"),
        ({"name": "default"}, "name: 'default' belongs to Kubernetes itself"),
        ({"name": "ML_Training"}, "name: 'ML_Training' is refused by Kubernetes"),
        ({"name": "a" * 64}, "is refused by Kubernetes"),
        ({"labels": {"team": "x"}}, "labels.team: is set from an argument of its own"),
        ({"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}, "set podSecurity instead"),
        ({"pod_security": "strict"}, "pod_security: must be one of 'privileged', 'baseline' or 'restricted'"),
        ({"pod_security_version": "1.37"}, "pod_security_version: "),
        ({"network": {"allow_to": {"cidrs": ["10.0.0.1/8"]}}}, "10.0.0.1/8 is not the beginning of its block"),
        ({"network": {"allow_to": {"cidrs": ["10.0.0.1"]}}}, "10.0.0.1 is not an address block"),
        ({"network": {"allow_to": {"cidrs": ["internet"]}}}, "'internet' is not an address block such as 10.0.0.0/8"),
        ({"network": {"serving": {"ports": [80]}}}, "models are served to namespaces or to anywhere: neither is given"),
        ({"network": {"serving": {"ports": [0], "anywhere": True}}}, "network.serving.ports[0]: must be at least 1"),
        ({"access": {"viewers": ["system:authenticated"]}}, "'system:authenticated' is a group of Kubernetes' own"),
        ({"access": {"admins": [" "]}}, "is empty: name a group of your identity provider"),
        ({"registries": ["https://ghcr.io"]}, "is not the beginning of an image reference"),
        ({"on_delete": "keep"}, "on_delete: must be one of 'delete', 'retain' or 'protect'"),
    ],
)
def test_refused(arguments: dict[str, Any], message: str) -> None:
    assert message in refused(**arguments)


def test_all_problems_are_told_at_once() -> None:
    message = refused(quota={"pods": "2.5"}, labels={"owner": "x"}, container_limits={"max": {"cpu": 1}}, team="")
    assert message.count("\n") >= 2
    assert "quota.pods" in message
    assert "labels.owner" in message


@pytest.mark.parametrize("name", ["system-critical", "Training"])
def test_a_priority_class_that_kubernetes_would_refuse(name: str) -> None:
    with pytest.raises(ArgumentError):
        PriorityClassesArgs.of({"classes": {name: {"value": 1}}})


def registered(**arguments: Any) -> Deployment:
    return deploy(lambda: TeamNamespace("nlp", arguments))


def test_registers_everything_after_the_namespace() -> None:
    deployment = registered(quota={"pods": 5})
    assert deployment.children("nlp") == {
        "nlp-namespace": "kubernetes:core/v1:Namespace",
        "nlp-quota": "kubernetes:core/v1:ResourceQuota",
        "nlp-other-priorities": "kubernetes:core/v1:ResourceQuota",
        "nlp-container-limits": "kubernetes:core/v1:LimitRange",
        "nlp-default-account": "kubernetes:core/v1:ServiceAccountPatch",
        "nlp-default-deny": "kubernetes:networking.k8s.io/v1:NetworkPolicy",
        "nlp-allow-dns": "kubernetes:networking.k8s.io/v1:NetworkPolicy",
        "nlp-allow-same-namespace": "kubernetes:networking.k8s.io/v1:NetworkPolicy",
    }
    before = {urn.split("::")[-1] for urn in deployment["nlp-quota"].request.dependencies}
    assert before == {"nlp-namespace"}
    assert deployment.outputs["nlp"] == {"namespace": "nlp"}


@pytest.mark.parametrize("on_delete", ["delete", "retain", "protect"])
def test_what_becomes_of_it_when_it_leaves_the_stack(on_delete: str) -> None:
    deployment = registered(**{**EVERYTHING, "on_delete": on_delete})
    children = deployment.children("nlp")
    protected = {name for name in children if deployment[name].request.protect}
    retained = {name for name in children if deployment[name].request.retainOnDelete}
    assert retained == (set(children) if on_delete == "retain" else {"nlp-default-account"})
    if on_delete == "protect":
        # What goes first is what was made last: where it stays, all does.
        assert {"nlp-namespace", "nlp-quota", list(children)[-1]} <= protected
        # What a change of the arguments may take away is not.
        assert not {"nlp-allow-to", "nlp-viewer-binding", "nlp-priority-quota-training"} & protected
    else:
        assert protected == set()


def test_an_adopted_namespace_is_only_patched_and_outlives_the_stack() -> None:
    deployment = registered(adopt=True)
    namespace = deployment["nlp-namespace"]
    assert namespace.type == "kubernetes:core/v1:NamespacePatch"
    assert namespace.request.retainOnDelete
    (alias,) = namespace.request.aliases
    assert alias.spec.type == "kubernetes:core/v1:Namespace"
    assert not deployment["nlp-default-deny"].request.retainOnDelete


CREATED = "2026-11-24T07:00:00Z"


@pytest.mark.parametrize(
    ("managers", "expected"),
    [
        ([("pulumi-kubernetes-12ab", CREATED)], False),
        # A controller that puts its own label on each new namespace.
        ([("pulumi-kubernetes-12ab", CREATED), ("controller", "2026-11-24T07:00:01Z")], False),
        # Left by a run that was interrupted, or retained: Pulumi made it.
        ([("pulumi-kubernetes-12ab", CREATED), ("pulumi-kubernetes-34cd", "2026-11-24T09:00:00Z")], False),
        ([("pulumi-kubernetes-12ab", CREATED), ("pulumi-kubernetes-34cd", None)], False),
        ([("kubectl-create", CREATED), ("pulumi-kubernetes-12ab", "2026-11-24T07:00:05Z")], True),
        ([("kubectl-create", CREATED)], True),
        ([], False),
    ],
)
def test_a_namespace_that_was_there_before_is_told_from_a_new_one(
    managers: list[tuple[str, str | None]], expected: bool
) -> None:
    fields = [{"manager": manager, **({"time": time} if time else {})} for manager, time in managers]
    assert existed({"creationTimestamp": CREATED, "managedFields": fields}) is expected


def test_priority_classes_are_made_once_and_before_the_teams() -> None:
    deployment = deploy(lambda: PriorityClasses("priority", {"classes": {"training": {"value": 1000}}}))
    assert deployment.children("priority") == {"priority-training": "kubernetes:scheduling.k8s.io/v1:PriorityClass"}
    assert deployment.outputs["priority"] == {"names": ["training"]}


def test_a_name_that_only_the_component_bears_is_checked_too() -> None:
    with pytest.raises(ArgumentError, match="belongs to Kubernetes itself"):
        deploy(lambda: TeamNamespace("kube-system", {}))
