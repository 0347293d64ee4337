"""References of objects, read from the names of their fields."""

from typing import Any

import pytest

from components.base.objects import Manifest
from review.effects.references import Reference, references, unresolved
from review.effects.world import Key
from tests.review.effects.objects import container, deployment, made, service


def of_pods(**spec: Any) -> list[tuple[str, str, tuple[str, ...], bool]]:
    """Kind, name, parts and optionality of the references of a Deployment's pods."""
    found = references(deployment(**spec))
    assert all(one.of_pod for one in found)
    return [(one.key.kind, one.key.name, one.parts, one.optional) for one in found]


def env(**source: Any) -> list[Manifest]:
    return [container(env=[{"name": "X", "valueFrom": source}])]


PODS: list[tuple[dict[str, Any], tuple[str, str, tuple[str, ...], bool]]] = [
    ({"imagePullSecrets": [{"name": "r"}]}, ("Secret", "r", (), False)),
    ({"serviceAccountName": "s"}, ("ServiceAccount", "s", (), False)),
    ({"priorityClassName": "gold"}, ("PriorityClass", "gold", (), False)),
    ({"runtimeClassName": "nvidia"}, ("RuntimeClass", "nvidia", (), False)),
    ({"resourceClaims": [{"name": "gpu", "resourceClaimName": "c"}]}, ("ResourceClaim", "c", (), False)),
    (
        {"resourceClaims": [{"name": "gpu", "resourceClaimTemplateName": "t"}]},
        ("ResourceClaimTemplate", "t", (), False),
    ),
    (
        {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "m"}}]},
        ("PersistentVolumeClaim", "m", (), False),
    ),
    ({"volumes": [{"name": "v", "configMap": {"name": "c"}}]}, ("ConfigMap", "c", (), False)),
    (
        {"volumes": [{"name": "v", "configMap": {"name": "c", "items": [{"key": "k", "path": "p"}]}}]},
        ("ConfigMap", "c", ("k",), False),
    ),
    ({"volumes": [{"name": "v", "secret": {"secretName": "s", "optional": True}}]}, ("Secret", "s", (), True)),
    (
        {"volumes": [{"name": "v", "projected": {"sources": [{"secret": {"name": "s", "items": [{"key": "k"}]}}]}}]},
        ("Secret", "s", ("k",), False),
    ),
    (
        {"volumes": [{"name": "v", "csi": {"driver": "d", "nodePublishSecretRef": {"name": "s"}}}]},
        ("Secret", "s", (), False),
    ),
    (
        {"volumes": [{"name": "v", "azureFile": {"secretName": "s", "shareName": "x"}}]},
        ("Secret", "s", (), False),
    ),
    (
        {"volumes": [{"name": "v", "ephemeral": {"volumeClaimTemplate": {"spec": {"storageClassName": "fast"}}}}]},
        ("StorageClass", "fast", (), False),
    ),
    ({"containers": env(secretKeyRef={"name": "s", "key": "k"})}, ("Secret", "s", ("k",), False)),
    (
        {"containers": env(configMapKeyRef={"name": "c", "key": "k", "optional": True})},
        ("ConfigMap", "c", ("k",), True),
    ),
    ({"initContainers": [container(envFrom=[{"configMapRef": {"name": "c"}}])]}, ("ConfigMap", "c", (), False)),
    ({"containers": [container(envFrom=[{"secretRef": {"name": "s"}}])]}, ("Secret", "s", (), False)),
]


@pytest.mark.parametrize(("spec", "expected"), PODS, ids=[f"{one[0]} {next(iter(spec))}" for spec, one in PODS])
def test_the_references_of_a_pod(spec: dict[str, Any], expected: object) -> None:
    assert expected in of_pods(**spec)
    assert len(of_pods(**spec)) == 1


def test_what_a_pod_defines_itself_is_no_reference() -> None:
    assert (
        of_pods(
            containers=[
                container(
                    env=[{"name": "N", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
                    resources={"claims": [{"name": "gpu"}]},
                    volumeMounts=[{"name": "v", "mountPath": "/v"}],
                    readinessProbe={"grpc": {"port": 1, "service": "x"}},
                )
            ],
            volumes=[
                {"name": "v", "emptyDir": {}},
                {"name": "t", "projected": {"sources": [{"serviceAccountToken": {}}]}},
            ],
        )
        == []
    )


def test_a_file_of_a_volume_needs_its_key() -> None:
    mount = {"name": "v", "mountPath": "/etc/app.ini", "subPath": "app.ini"}
    volume = {"name": "v", "configMap": {"name": "c"}}
    found = of_pods(containers=[container(volumeMounts=[mount])], volumes=[volume])
    assert ("ConfigMap", "c", ("app.ini",), False) in found


INGRESS = made(
    "Ingress",
    "i",
    version="networking.k8s.io/v1",
    spec={
        "ingressClassName": "nginx",
        "tls": [{"hosts": ["h"], "secretName": "t"}],
        "rules": [
            {"http": {"paths": [{"path": "/", "backend": {"service": {"name": "s", "port": {"number": 80}}}}]}},
        ],
    },
)
ROUTE = made(
    "HTTPRoute",
    "r",
    version="gateway.networking.k8s.io/v1",
    spec={
        "parentRefs": [{"name": "g", "namespace": "infra", "sectionName": "https"}],
        "rules": [{"backendRefs": [{"name": "s", "port": 80}]}],
    },
)
OBJECTS: list[tuple[Manifest, set[tuple[Key, tuple[str, ...]]]]] = [
    (
        INGRESS,
        {
            (Key("IngressClass", "", "nginx"), ()),
            (Key("Secret", "a", "t"), ()),
            (Key("Service", "a", "s"), ("80",)),
        },
    ),
    (ROUTE, {(Key("Gateway", "infra", "g"), ("https",)), (Key("Service", "a", "s"), ("80",))}),
    (
        made(
            "HorizontalPodAutoscaler",
            "h",
            version="autoscaling/v2",
            spec={"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}},
        ),
        {(Key("Deployment", "a", "d"), ())},
    ),
    (
        made(
            "RoleBinding",
            "b",
            version="rbac.authorization.k8s.io/v1",
            roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
            subjects=[{"kind": "ServiceAccount", "name": "s", "namespace": "other"}],
        ),
        {(Key("ClusterRole", "", "view"), ()), (Key("ServiceAccount", "other", "s"), ())},
    ),
    (
        made(
            "ValidatingAdmissionPolicyBinding",
            "b",
            None,
            "admissionregistration.k8s.io/v1",
            spec={"policyName": "p", "validationActions": ["Deny"]},
        ),
        {(Key("ValidatingAdmissionPolicy", "", "p"), ())},
    ),
    (
        made(
            "ValidatingWebhookConfiguration",
            "w",
            None,
            "admissionregistration.k8s.io/v1",
            webhooks=[{"name": "x", "clientConfig": {"service": {"name": "s", "namespace": "n", "port": 443}}}],
        ),
        {(Key("Service", "n", "s"), ("443",))},
    ),
    (
        made("PersistentVolumeClaim", "c", spec={"storageClassName": "fast", "volumeName": "pv"}),
        {(Key("StorageClass", "", "fast"), ()), (Key("PersistentVolume", "", "pv"), ())},
    ),
    (
        made("ServiceAccount", "s", secrets=[{"name": "t"}], imagePullSecrets=[{"name": "r"}]),
        {(Key("Secret", "a", "t"), ()), (Key("Secret", "a", "r"), ())},
    ),
]


@pytest.mark.parametrize(("manifest", "expected"), OBJECTS, ids=[one["kind"] for one, _ in OBJECTS])
def test_the_references_of_other_objects(manifest: Manifest, expected: set[tuple[Key, tuple[str, ...]]]) -> None:
    found = references(manifest)
    assert {(one.key, one.parts) for one in found if one.key.kind not in {"Group", "User"}} == expected
    assert not any(one.of_pod for one in found)


def test_a_field_of_a_custom_object_may_name_what_its_controller_creates() -> None:
    certificate = made("Certificate", "c", version="cert-manager.io/v1", spec={"secretName": "tls"})
    assert references(certificate) == [Reference(Key("Secret", "a", "tls"), "spec.secretName", certain=False)]


def test_records_of_the_cluster_have_no_references() -> None:
    volume = made("PersistentVolume", "p", None, spec={"claimRef": {"kind": "PersistentVolumeClaim", "name": "c"}})
    assert references(volume) == []


@pytest.mark.parametrize(
    ("manifest", "part", "expected"),
    [
        (None, "k", ""),
        (made("ConfigMap", "c", data={"k": "v"}), "k", None),
        (made("ConfigMap", "c", binaryData={"k": "v"}), "k", None),
        (made("ConfigMap", "c", data={"k": "v"}), "other", "other"),
        (made("ConfigMap", "c"), "k", None),
    ],
    ids=["no object", "a key", "a binary key", "another key", "unknown keys"],
)
def test_what_a_reference_lacks(manifest: Manifest | None, part: str, expected: str | None) -> None:
    reference = Reference(Key("ConfigMap", "a", "c"), "f", parts=(part,))
    assert unresolved(reference, lambda _: manifest) == expected
    optional = Reference(Key("ConfigMap", "a", "c"), "f", parts=(part,), optional=True)
    assert unresolved(optional, lambda _: manifest) is None


@pytest.mark.parametrize(("part", "expected"), [("80", None), ("http", None), ("81", "81")])
def test_a_port_of_a_service(part: str, expected: str | None) -> None:
    reference = Reference(Key("Service", "a", "app"), "f", parts=(part,))
    assert unresolved(reference, lambda _: service()) == expected
    assert unresolved(reference, lambda _: service(type="ExternalName")) is None


def test_a_listener_of_a_gateway() -> None:
    gateway = made("Gateway", "g", spec={"listeners": [{"name": "https", "port": 443}]})
    for part, expected in (("https", None), ("http", "http")):
        assert unresolved(Reference(Key("Gateway", "a", "g"), "f", parts=(part,)), lambda _: gateway) == expected


def test_every_namespace_has_a_default_account() -> None:
    assert unresolved(Reference(Key("ServiceAccount", "a", "default"), "f"), lambda _: None) is None
