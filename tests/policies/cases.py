"""Objects that violate each rule, and objects on which a rule cannot be determined."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from components.base.objects import UNKNOWN, Manifest
from policies import RULES, Evaluation, evaluate
from tests.edits import Edit, Objects, drop, edited, every, put

VALID: Objects = {
    manifest["kind"]: manifest
    for manifest in yaml.safe_load_all((Path(__file__).parent / "objects.yaml").read_text(encoding="utf-8"))
}
"""Objects that violate no rule, one of each kind that a rule checks."""

POD = "Deployment/spec/template/spec"
MAIN = f"{POD}/containers/0"
SECURITY = f"{MAIN}/securityContext"
LIMITS = f"{MAIN}/resources/limits"
REQUESTS = f"{MAIN}/resources/requests"
_ENFORCE = "Namespace/metadata/labels/pod-security.kubernetes.io~1enforce"
_SERVER = {"container": "server"}
_GPU = "nvidia.com/gpu"


@dataclass(frozen=True)
class Cases:
    """The cases of one module of rules."""

    violations: list[tuple[str, Edit, dict[str, Any]]]
    """Rule, an edit of the valid objects that violates it, and values of the violation."""

    undetermined: dict[str, str]
    """Rule → a field on which it depends."""

    def ids(self) -> list[str]:
        return [f"{rule} {sorted(values.items())}" for rule, _, values in self.violations]


CONTAINERS = Cases(
    violations=[
        ("image-pinned", put(f"{MAIN}/image", "registry:5000/bert"), {**_SERVER, "image": "registry:5000/bert"}),
        ("image-pinned", put(f"{MAIN}/image", "bert:latest"), {**_SERVER, "image": "bert:latest"}),
        ("image-pinned", put(f"{POD}/initContainers/0/image", "busybox"), {"container": "stage", "image": "busybox"}),
        ("image-reference", put(f"{MAIN}/image", "myregistry/Bert:v1"), {"image": "myregistry/Bert:v1"}),
        ("image-reference", put(f"{MAIN}/image", "myregistry/bert:v1,2"), {"image": "myregistry/bert:v1,2"}),
        ("image-reference", put(f"{MAIN}/image", " myregistry/bert:v1"), {"image": " myregistry/bert:v1"}),
        ("requests-set", put(f"{MAIN}/resources", {}), {"resources": "cpu and memory"}),
        ("requests-set", drop(f"{MAIN}/resources"), {"resources": "cpu and memory"}),
        ("memory-limited", drop(f"{LIMITS}/memory"), _SERVER),
        ("requests-within-limits", put(f"{REQUESTS}/cpu", "5"), {"request": "5", "resource": "cpu", "limit": "4"}),
        ("gpu-whole", put(f"{LIMITS}/nvidia.com~1gpu", "0.5"), {"limit": "0.5", "resource": _GPU, **_SERVER}),
        ("gpu-whole", put(f"{LIMITS}/nvidia.com~1gpu", "2"), {"request": "1", "resource": _GPU, "limit": "2"}),
        ("gpu-whole", drop(f"{LIMITS}/nvidia.com~1gpu"), {"resource": _GPU}),
        ("not-privileged", put(f"{SECURITY}/privileged", True), _SERVER),
        ("no-privilege-escalation", drop(f"{SECURITY}/allowPrivilegeEscalation"), _SERVER),
        ("capabilities-dropped", put(f"{SECURITY}/capabilities/drop", ["NET_RAW"]), _SERVER),
        ("capabilities-dropped", put(f"{SECURITY}/capabilities/add", ["SYS_ADMIN"]), {"capabilities": "SYS_ADMIN"}),
        ("not-root", put(f"{SECURITY}/runAsUser", 0), _SERVER),
        ("not-root", drop(f"{POD}/securityContext/runAsNonRoot"), _SERVER),
        ("seccomp-profile", put(f"{POD}/securityContext/seccompProfile/type", "Unconfined"), _SERVER),
        ("read-only-root", put(f"{SECURITY}/readOnlyRootFilesystem", False), _SERVER),
        ("no-host-port", put(f"{MAIN}/ports/0/hostPort", 8080), {"port": 8080}),
        ("no-secret-in-env", put(f"{MAIN}/env/0/name", "HF_TOKEN"), {"variable": "HF_TOKEN"}),
        ("no-secret-in-env", put(f"{MAIN}/env/0/name", "aws_secret_access_key"), {"variable": "aws_secret_access_key"}),
        ("no-secret-in-env", put(f"{MAIN}/env/0/name", "PGPASSWORD"), {"variable": "PGPASSWORD"}),
        ("no-secret-in-env", put(f"{MAIN}/env/0/name", "MYSQL_PWD"), {"variable": "MYSQL_PWD"}),
        ("no-secret-in-env", put(f"{MAIN}/env/0/name", "db.password"), {"variable": "db.password"}),
        (
            "probe-port",
            put(f"{MAIN}/readinessProbe/httpGet/port", 9090),
            {"probe": "readinessProbe", "port": 9090, "ports": "8080, http"},
        ),
        (
            "probe-port",
            put(f"{MAIN}/livenessProbe", {"tcpSocket": {"port": "grpc"}}),
            {"probe": "livenessProbe", "port": "grpc"},
        ),
        (
            "liveness-waits",
            every(drop(f"{MAIN}/startupProbe"), put(f"{MAIN}/livenessProbe/periodSeconds", 5)),
            {"seconds": 15},
        ),
    ],
    undetermined={
        "image-pinned": f"{MAIN}/image",
        "image-reference": f"{MAIN}/image",
        "requests-set": REQUESTS,
        "memory-limited": LIMITS,
        "requests-within-limits": f"{REQUESTS}/cpu",
        "gpu-whole": f"{LIMITS}/nvidia.com~1gpu",
        "not-privileged": f"{SECURITY}/privileged",
        "no-privilege-escalation": f"{SECURITY}/allowPrivilegeEscalation",
        "capabilities-dropped": f"{SECURITY}/capabilities",
        "not-root": f"{SECURITY}/runAsUser",
        "seccomp-profile": f"{POD}/securityContext/seccompProfile/type",
        "read-only-root": f"{SECURITY}/readOnlyRootFilesystem",
        "no-host-port": f"{MAIN}/ports/0/hostPort",
        "no-secret-in-env": f"{MAIN}/env/0/name",
        "probe-port": f"{MAIN}/readinessProbe/httpGet/port",
        "liveness-waits": f"{MAIN}/startupProbe",
    },
)

PODS = Cases(
    violations=[
        ("gpu-placed", drop(f"{POD}/nodeSelector"), {"resources": _GPU}),
        ("gpu-placed", put(f"{POD}/tolerations", []), {"resources": _GPU}),
        ("gpu-used", every(drop(f"{LIMITS}/nvidia.com~1gpu"), drop(f"{REQUESTS}/nvidia.com~1gpu")), {"taint": _GPU}),
        ("no-host-namespaces", put(f"{POD}/hostNetwork", True), {"field": "hostNetwork"}),
        ("no-host-namespaces", put("Job/spec/template/spec/hostPID", True), {"field": "hostPID"}),
        (
            "no-host-path",
            put(f"{POD}/volumes/0", {"name": "data", "hostPath": {"path": "/"}}),
            {"source": "hostPath", "volume": "data"},
        ),
        ("no-api-token", drop(f"{POD}/automountServiceAccountToken"), {}),
        ("own-service-account", drop(f"{POD}/serviceAccountName"), {}),
        (
            "grace-covers-drain",
            put(f"{POD}/terminationGracePeriodSeconds", 10),
            {"grace": 10, "container": "server", "seconds": 10},
        ),
    ],
    undetermined={
        "gpu-placed": f"{POD}/nodeSelector",
        "gpu-used": f"{MAIN}/resources",
        "no-host-namespaces": f"{POD}/hostNetwork",
        "no-host-path": f"{POD}/volumes",
        "no-api-token": f"{POD}/automountServiceAccountToken",
        "own-service-account": f"{POD}/serviceAccountName",
        "grace-covers-drain": f"{POD}/terminationGracePeriodSeconds",
    },
)

RBAC = Cases(
    violations=[
        ("no-cluster-admin", put("RoleBinding/roleRef/name", "cluster-admin"), {}),
        (
            "no-binding-to-everyone",
            put("RoleBinding/subjects/0/name", "system:authenticated"),
            {"subject": "system:authenticated"},
        ),
        ("no-wildcard-rights", put("Role/rules/0/verbs", ["*"]), {"part": "verbs"}),
        ("no-wildcard-rights", put("Role/rules/0/resources", ["pods", "*"]), {"part": "resources"}),
        ("no-rights-to-more-rights", put("Role/rules/0/verbs", ["get", "bind"]), {"verbs": "bind"}),
    ],
    undetermined={
        "no-cluster-admin": "RoleBinding/roleRef/name",
        "no-binding-to-everyone": "RoleBinding/subjects/0/name",
        "no-wildcard-rights": "Role/rules/0/verbs",
        "no-rights-to-more-rights": "Role/rules/0/verbs",
    },
)

OBJECTS = Cases(
    violations=[
        ("owner-label", drop("Deployment/metadata/labels/team"), {}),
        ("owner-label", drop("Namespace/metadata/labels"), {}),
        ("workload-labels", drop("Job/spec/template/metadata/labels/app"), {"labels": "app"}),
        ("pod-security", put(_ENFORCE, "privileged"), {"level": "privileged"}),
        ("pod-security", drop(_ENFORCE), {}),
        ("not-in-default", drop("Deployment/metadata/namespace"), {"namespace": "default"}),
        ("not-in-default", put("Job/metadata/namespace", "kube-system"), {"namespace": "kube-system"}),
        ("no-external-ips", put("Service/spec/externalIPs", ["203.0.113.7"]), {}),
        ("readiness-probe", drop(f"{MAIN}/readinessProbe"), {}),
        ("selector-matches-template", put("Deployment/spec/selector/matchLabels/app", "other"), {}),
        (
            "deadline-covers-startup",
            put("Deployment/spec/progressDeadlineSeconds", 300),
            {"deadline": 300, "startup": 590},
        ),
        (
            "deadline-covers-startup",
            put(f"{MAIN}/startupProbe/failureThreshold", 120),
            {"deadline": 900, "startup": 1190},
        ),
        ("job-bounded", put("Job/spec/backoffLimit", 1000), {"retries": 1000}),
        ("no-secret-data", put("Secret/stringData", {"token": "t"}), {}),
        ("no-surge-on-gpus", drop("Deployment/spec/strategy"), {"surge": "25%"}),
    ],
    undetermined={
        "owner-label": "Deployment/metadata/labels/team",
        "workload-labels": "Job/spec/template/metadata/labels/app",
        "pod-security": _ENFORCE,
        "not-in-default": "Deployment/metadata/namespace",
        "no-external-ips": "Service/spec/externalIPs",
        "readiness-probe": f"{MAIN}/readinessProbe",
        "selector-matches-template": "Deployment/spec/selector/matchLabels/app",
        "deadline-covers-startup": "Deployment/spec/progressDeadlineSeconds",
        "job-bounded": "Job/spec/backoffLimit",
        "no-secret-data": "Secret/data",
        "no-surge-on-gpus": "Deployment/spec/strategy/rollingUpdate/maxSurge",
    },
)

STACKS = Cases(
    violations=[
        ("namespace-quota", drop("ResourceQuota/spec/hard/limits.memory"), {"resources": "memory"}),
        ("namespace-quota", put("ResourceQuota/metadata/namespace", "elsewhere"), {"resources": "cpu and memory"}),
        (
            "load-balancer-allowed",
            put("ResourceQuota/spec/hard/services.loadbalancers", "0"),
            {"namespace": "ml-serving"},
        ),
        ("service-selects", put("Service/spec/selector/app", "infrence-server"), {"selector": "app=infrence-server"}),
        ("service-selects", put("Service/metadata/namespace", "elsewhere"), {"selector": "app=bert"}),
        (
            "service-port",
            put("Service/spec/ports/0/targetPort", 8000),
            {"port": 8000, "workload": "bert", "ports": "8080, http"},
        ),
        (
            "disruption-allowed",
            put("PodDisruptionBudget/spec/minAvailable", 3),
            {"pods": "3 pods", "workloads": "bert"},
        ),
        (
            "disruption-allowed",
            put("PodDisruptionBudget/spec/minAvailable", "80%"),
            {"pods": "3 pods", "workloads": "bert"},
        ),
        (
            "disruption-allowed",
            put("PodDisruptionBudget/spec", {"selector": {}, "maxUnavailable": 0}),
            {"workloads": "bert and index and train"},
        ),
        (
            "autoscaler-owns-replicas",
            put("HorizontalPodAutoscaler/spec/scaleTargetRef", {"name": "bert"}),
            {"autoscaler": "index"},
        ),
        (
            "claim-not-shared",
            put("PersistentVolumeClaim/spec/accessModes", ["ReadWriteOnce"]),
            {"claim": "models", "modes": "ReadWriteOnce"},
        ),
    ],
    undetermined={
        "namespace-quota": "ResourceQuota/spec/hard",
        "load-balancer-allowed": "Service/spec/type",
        "service-selects": "Service/spec/selector/app",
        "service-port": "Service/spec/ports/0/targetPort",
        "disruption-allowed": "PodDisruptionBudget/spec/minAvailable",
        "autoscaler-owns-replicas": "HorizontalPodAutoscaler/spec/scaleTargetRef",
        "claim-not-shared": "PersistentVolumeClaim/spec/accessModes",
    },
)

ALL = (CONTAINERS, PODS, OBJECTS, RBAC, STACKS)


def objects(*edits: Edit) -> list[Manifest]:
    """The valid objects with edits."""
    return list(edited(VALID, *edits).values())


def evaluated(rule: str, *edits: Edit) -> Evaluation:
    """The evaluation of one rule against the valid objects with edits."""
    made = objects(*edits)
    return evaluate(made, made, [RULES[rule]])


def values(rule: str, *edits: Edit) -> list[dict[str, Any]]:
    """The values of each violation of a rule by the valid objects with edits."""
    return [dict(finding.violation.values) for finding in evaluated(rule, *edits).findings]


def assert_violated(rule: str, edit: Edit, expected: dict[str, Any]) -> None:
    found = values(rule, edit)
    assert any(expected.items() <= one.items() for one in found), found


def assert_respected(rule: str) -> None:
    assert evaluated(rule) == Evaluation()


def assert_undetermined(rule: str, path: str) -> None:
    """An unknown value neither violates a rule nor respects it."""
    evaluation = evaluated(rule, put(path, UNKNOWN))
    assert evaluation.findings == ()
    assert {undetermined.rule.id for undetermined in evaluation.undetermined} == {rule}


def findings() -> str:
    """An example of every finding, as text: the golden file findings.txt."""
    lines: dict[str, str] = {}
    for cases in ALL:
        for rule, edit, _ in cases.violations:
            for finding in evaluated(rule, edit).findings:
                text = f"{rule}: {finding.target} {finding.message}\n"
                lines.setdefault(f"{rule} {finding.violation.template}", text)
    return "".join(lines.values())
