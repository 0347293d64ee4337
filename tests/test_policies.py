"""The rules: each on objects that pass, that fail, and on a value that is not known yet."""

import copy
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.protobuf import json_format, struct_pb2
from pulumi.runtime import rpc
from pulumi.runtime.proto import analyzer_pb2 as proto

from components.base.objects import UNKNOWN, Manifest
from policies import RULES, PolicySettings, judge, judged
from policies.pack import Pack, plain
from policies.settings import PolicySettingsError
from tests.program import run

GOOD: dict[str, dict[str, Any]] = {
    manifest["kind"]: manifest
    for manifest in yaml.safe_load_all((Path(__file__).parent / "policies.yaml").read_text(encoding="utf-8"))
}
"""Objects that pass every rule, one of each kind that a rule looks at."""

Edit = Callable[[dict[str, dict[str, Any]]], None]


def steps(path: str) -> list[Any]:
    return [int(part) if part.isdigit() else part.replace("~", "/") for part in path.split("/")]


def put(path: str, value: Any) -> Edit:
    """Set a value: ``Deployment/spec/template/spec/containers/0/image``."""
    *parents, last = steps(path)

    def edit(objects: dict[str, dict[str, Any]]) -> None:
        where: Any = objects
        for part in parents:
            where = where.setdefault(part, {}) if isinstance(where, dict) else where[part]
        where[last] = value

    return edit


def drop(path: str) -> Edit:
    *parents, last = steps(path)

    def edit(objects: dict[str, dict[str, Any]]) -> None:
        where: Any = objects
        for part in parents:
            where = where[part]
        del where[last]

    return edit


def both(*edits: Edit) -> Edit:
    def edit(objects: dict[str, dict[str, Any]]) -> None:
        for one in edits:
            one(objects)

    return edit


_POD = "Deployment/spec/template/spec"
_MAIN = f"{_POD}/containers/0"
_SECURITY = f"{_MAIN}/securityContext"
_LIMITS = f"{_MAIN}/resources/limits"

FAILING: list[tuple[str, Edit, str]] = [
    ("image-pinned", put(f"{_MAIN}/image", "registry:5000/bert"), "names no tag"),
    ("image-pinned", put(f"{_MAIN}/image", "bert:latest"), "container server has the image bert:latest"),
    ("image-pinned", put(f"{_POD}/initContainers/0/image", "busybox"), "container stage has the image busybox"),
    ("image-reference", put(f"{_MAIN}/image", "myregistry/Bert:v1"), "no image reference"),
    ("image-reference", put(f"{_MAIN}/image", "myregistry/bert:v1,2"), "no image reference"),
    ("image-reference", put(f"{_MAIN}/image", " myregistry/bert:v1"), "no image reference"),
    ("requests-set", put(f"{_MAIN}/resources", {}), "asks for no cpu and no memory"),
    ("requests-set", drop(f"{_MAIN}/resources"), "asks for no cpu and no memory"),
    ("memory-limited", drop(f"{_LIMITS}/memory"), "has no memory limit"),
    ("requests-within-limits", put(f"{_MAIN}/resources/requests/cpu", "5"), "asks for 5 of cpu, above its limit of 4"),
    ("gpu-whole", put(f"{_LIMITS}/nvidia.com~gpu", "0.5"), "asks for 0.5 of nvidia.com/gpu"),
    ("gpu-whole", put(f"{_LIMITS}/nvidia.com~gpu", "2"), "requests 1 of nvidia.com/gpu with a limit of 2"),
    ("gpu-whole", drop(f"{_LIMITS}/nvidia.com~gpu"), "requests nvidia.com/gpu without a limit"),
    ("not-privileged", put(f"{_SECURITY}/privileged", True), "is privileged"),
    ("no-privilege-escalation", drop(f"{_SECURITY}/allowPrivilegeEscalation"), "may gain more privileges"),
    ("capabilities-dropped", put(f"{_SECURITY}/capabilities/drop", ["NET_RAW"]), "keeps the capabilities"),
    ("capabilities-dropped", put(f"{_SECURITY}/capabilities/add", ["SYS_ADMIN"]), "adds the capabilities SYS_ADMIN"),
    ("not-root", put(f"{_SECURITY}/runAsUser", 0), "runs as user 0"),
    ("not-root", drop(f"{_POD}/securityContext/runAsNonRoot"), "may run as root"),
    ("seccomp-profile", put(f"{_POD}/securityContext/seccompProfile/type", "Unconfined"), "no seccomp profile"),
    ("read-only-root", put(f"{_SECURITY}/readOnlyRootFilesystem", False), "can write to its root"),
    ("no-host-port", put(f"{_MAIN}/ports/0/hostPort", 8080), "takes port 8080 of its node"),
    ("no-secret-in-env", put(f"{_MAIN}/env/0/name", "HF_TOKEN"), "has a plain value for HF_TOKEN"),
    (
        "no-secret-in-env",
        put(f"{_MAIN}/env/0/name", "aws_secret_access_key"),
        "a plain value for aws_secret_access_key",
    ),
    ("no-secret-in-env", put(f"{_MAIN}/env/0/name", "PGPASSWORD"), "a plain value for PGPASSWORD"),
    ("no-secret-in-env", put(f"{_MAIN}/env/0/name", "MYSQL_PWD"), "a plain value for MYSQL_PWD"),
    ("no-secret-in-env", put(f"{_MAIN}/env/0/name", "db.password"), "a plain value for db.password"),
    (
        "probe-port",
        put(f"{_MAIN}/readinessProbe/httpGet/port", 9090),
        "readinessProbe on port 9090, and opens 8080, http",
    ),
    ("probe-port", put(f"{_MAIN}/livenessProbe", {"tcpSocket": {"port": "grpc"}}), "livenessProbe on port grpc"),
    (
        "liveness-waits",
        both(drop(f"{_MAIN}/startupProbe"), put(f"{_MAIN}/livenessProbe/periodSeconds", 5)),
        "when it does not live 15 s",
    ),
    ("gpu-placed", drop(f"{_POD}/nodeSelector"), "asks for nvidia.com/gpu without selecting nodes"),
    ("gpu-placed", put(f"{_POD}/tolerations", []), "without tolerating the taint"),
    (
        "gpu-used",
        both(drop(f"{_LIMITS}/nvidia.com~gpu"), drop(f"{_MAIN}/resources/requests/nvidia.com~gpu")),
        "tolerates the taint nvidia.com/gpu and asks for no GPU",
    ),
    ("no-host-namespaces", put(f"{_POD}/hostNetwork", True), "sets hostNetwork"),
    ("no-host-namespaces", put("Job/spec/template/spec/hostPID", True), "sets hostPID"),
    ("no-host-path", put(f"{_POD}/volumes/0", {"name": "data", "hostPath": {"path": "/"}}), "the hostPath volume data"),
    ("no-api-token", drop(f"{_POD}/automountServiceAccountToken"), "mounts a token"),
    ("own-service-account", drop(f"{_POD}/serviceAccountName"), "under the account default"),
    ("grace-covers-drain", put(f"{_POD}/terminationGracePeriodSeconds", 10), "waits 10 s before it stops"),
    ("no-cluster-admin", put("RoleBinding/roleRef/name", "cluster-admin"), "binds cluster-admin"),
    ("no-binding-to-everyone", put("RoleBinding/subjects/0/name", "system:authenticated"), "to system:authenticated"),
    ("no-wildcard-rights", put("Role/rules/0/verbs", ["*"]), "gives rights to all verbs"),
    ("no-wildcard-rights", put("Role/rules/0/resources", ["pods", "*"]), "gives rights to all resources"),
    ("no-rights-to-more-rights", put("Role/rules/0/verbs", ["get", "bind"]), "gives the right to bind"),
    ("owner-label", drop("Deployment/metadata/labels/team"), "has no label team"),
    ("owner-label", drop("Namespace/metadata/labels"), "has no label team"),
    ("workload-labels", drop("Job/spec/template/metadata/labels/app"), "without the label app"),
    ("pod-security", put("Namespace/metadata/labels/pod-security.kubernetes.io~enforce", "privileged"), "privileged"),
    ("pod-security", drop("Namespace/metadata/labels/pod-security.kubernetes.io~enforce"), "enforces no Pod Security"),
    ("not-in-default", drop("Deployment/metadata/namespace"), "lives in the namespace default"),
    ("not-in-default", put("Job/metadata/namespace", "kube-system"), "lives in the namespace kube-system"),
    ("no-external-ips", put("Service/spec/externalIPs", ["203.0.113.7"]), "claims external IP addresses"),
    ("readiness-probe", drop(f"{_MAIN}/readinessProbe"), "has no container with a readiness probe"),
    ("selector-matches-template", put("Deployment/spec/selector/matchLabels/app", "other"), "selects other labels"),
    ("deadline-covers-startup", put("Deployment/spec/progressDeadlineSeconds", 300), "after 300 s, and its pods may"),
    ("deadline-covers-startup", put(f"{_MAIN}/startupProbe/failureThreshold", 120), "may take 1190 s to start"),
    ("job-bounded", put("Job/spec/backoffLimit", 1000), "is tried 1001 times"),
    ("no-secret-data", put("Secret/stringData", {"token": "t"}), "brings its values with it"),
    ("no-surge-on-gpus", drop("Deployment/spec/strategy"), "(maxSurge 25%)"),
    ("namespace-quota", drop("ResourceQuota/spec/hard/limits.memory"), "has no quota of memory"),
    ("namespace-quota", put("ResourceQuota/metadata/namespace", "elsewhere"), "has no quota of cpu and memory"),
    ("load-balancer-allowed", put("ResourceQuota/spec/hard/services.loadbalancers", "0"), "allows none"),
    (
        "service-selects",
        put("Service/spec/selector/app", "infrence-server"),
        "selects app=infrence-server, which no pod",
    ),
    ("service-selects", put("Service/metadata/namespace", "elsewhere"), "which no pod"),
    ("service-port", put("Service/spec/ports/0/targetPort", 8000), "sends to port 8000, and bert opens 8080, http"),
    ("disruption-allowed", put("PodDisruptionBudget/spec/minAvailable", 3), "allows none of the 3 pods of bert"),
    ("disruption-allowed", put("PodDisruptionBudget/spec/minAvailable", "80%"), "allows none of the 3 pods of bert"),
    ("disruption-allowed", put("PodDisruptionBudget/spec", {"selector": {}, "maxUnavailable": 0}), "allows none"),
    (
        "autoscaler-owns-replicas",
        put("HorizontalPodAutoscaler/spec/scaleTargetRef", {"name": "bert"}),
        "which index scales",
    ),
    ("claim-not-shared", put("PersistentVolumeClaim/spec/accessModes", ["ReadWriteOnce"]), "shares the claim models"),
]

UNKNOWNS: dict[str, str] = {
    "image-pinned": f"{_MAIN}/image",
    "image-reference": f"{_MAIN}/image",
    "requests-set": f"{_MAIN}/resources/requests",
    "memory-limited": _LIMITS,
    "requests-within-limits": f"{_MAIN}/resources/requests/cpu",
    "gpu-whole": f"{_LIMITS}/nvidia.com~gpu",
    "not-privileged": f"{_SECURITY}/privileged",
    "no-privilege-escalation": f"{_SECURITY}/allowPrivilegeEscalation",
    "capabilities-dropped": f"{_SECURITY}/capabilities",
    "not-root": f"{_SECURITY}/runAsUser",
    "seccomp-profile": f"{_POD}/securityContext/seccompProfile/type",
    "read-only-root": f"{_SECURITY}/readOnlyRootFilesystem",
    "no-host-port": f"{_MAIN}/ports/0/hostPort",
    "no-secret-in-env": f"{_MAIN}/env/0/name",
    "probe-port": f"{_MAIN}/readinessProbe/httpGet/port",
    "liveness-waits": f"{_MAIN}/startupProbe",
    "gpu-placed": f"{_POD}/nodeSelector",
    "gpu-used": f"{_MAIN}/resources",
    "no-host-namespaces": f"{_POD}/hostNetwork",
    "no-host-path": f"{_POD}/volumes",
    "no-api-token": f"{_POD}/automountServiceAccountToken",
    "own-service-account": f"{_POD}/serviceAccountName",
    "grace-covers-drain": f"{_POD}/terminationGracePeriodSeconds",
    "no-cluster-admin": "RoleBinding/roleRef/name",
    "no-binding-to-everyone": "RoleBinding/subjects/0/name",
    "no-wildcard-rights": "Role/rules/0/verbs",
    "no-rights-to-more-rights": "Role/rules/0/verbs",
    "owner-label": "Deployment/metadata/labels/team",
    "workload-labels": "Job/spec/template/metadata/labels/app",
    "pod-security": "Namespace/metadata/labels/pod-security.kubernetes.io~enforce",
    "not-in-default": "Deployment/metadata/namespace",
    "no-external-ips": "Service/spec/externalIPs",
    "readiness-probe": f"{_MAIN}/readinessProbe",
    "selector-matches-template": "Deployment/spec/selector/matchLabels/app",
    "deadline-covers-startup": "Deployment/spec/progressDeadlineSeconds",
    "job-bounded": "Job/spec/backoffLimit",
    "no-secret-data": "Secret/data",
    "no-surge-on-gpus": "Deployment/spec/strategy/rollingUpdate/maxSurge",
    "namespace-quota": "ResourceQuota/spec/hard",
    "load-balancer-allowed": "Service/spec/type",
    "service-selects": "Service/spec/selector/app",
    "service-port": "Service/spec/ports/0/targetPort",
    "disruption-allowed": "PodDisruptionBudget/spec/minAvailable",
    "autoscaler-owns-replicas": "HorizontalPodAutoscaler/spec/scaleTargetRef",
    "claim-not-shared": "PersistentVolumeClaim/spec/accessModes",
}


def objects(edit: Edit | None = None) -> list[Manifest]:
    made = copy.deepcopy(GOOD)
    if edit is not None:
        edit(made)
    return list(made.values())


def autoscaled(kind: str, **spec: int) -> Edit:
    """The service of the budget scaled by an autoscaler."""

    def edit(made: dict[str, dict[str, Any]]) -> None:
        del made["Deployment"]["spec"]["replicas"]
        metadata = {"name": "bert", "namespace": "ml-serving"}
        made["scaler"] = {"kind": kind, "metadata": metadata, "spec": {"scaleTargetRef": {"name": "bert"}, **spec}}

    return edit


def beside(replicas: int) -> Edit:
    """A second Deployment whose pods the same budget selects."""

    def edit(made: dict[str, dict[str, Any]]) -> None:
        other = copy.deepcopy(made["Deployment"])
        other["metadata"]["name"] = "bert-canary"
        other["spec"]["replicas"] = replicas
        made["canary"] = other

    return edit


_LEAST = "PodDisruptionBudget/spec/minAvailable"

BUDGETS: dict[str, tuple[Edit, str | None]] = {
    "KEDA's minimum is enough": (both(autoscaled("ScaledObject", minReplicaCount=3), put(_LEAST, 1)), None),
    "KEDA's minimum is not": (both(autoscaled("ScaledObject", minReplicaCount=2), put(_LEAST, 2)), "the 2 pods of bert"),
    "KEDA scales to zero": (both(autoscaled("ScaledObject"), put(_LEAST, 1)), "the 1 pods of bert to"),
    "an autoscaler's minimum is enough": (autoscaled("HorizontalPodAutoscaler", minReplicas=3), None),
    "an autoscaler's minimum is not": (autoscaled("HorizontalPodAutoscaler", minReplicas=2), "the 2 pods of bert"),
    "an autoscaler of another kind of that name": (
        put("HorizontalPodAutoscaler/spec/scaleTargetRef", {"kind": "StatefulSet", "name": "bert"}), None,
    ),
    "two Deployments together": (both(beside(1), put(_LEAST, 3)), None),
    "two Deployments together have none to spare": (both(beside(1), put(_LEAST, 4)), "the 4 pods of bert and bert-canary"),
    "one of them is at zero": (both(beside(0), put(_LEAST, 3)), "the 3 pods of bert to"),
    "all are at zero": (put("Deployment/spec/replicas", 0), None),
}  # fmt: skip


@pytest.mark.parametrize("case", BUDGETS)
def test_a_budget_is_held_against_all_pods_that_it_counts(case: str) -> None:
    edit, what = BUDGETS[case]
    made = objects(edit)
    found = [f.what for f in judge(made, made, [RULES["disruption-allowed"]]).findings]
    assert [what is not None and what in one for one in found] == ([] if what is None else [True])


def test_there_is_a_failing_and_an_unknown_case_for_every_rule() -> None:
    assert {rule for rule, _, _ in FAILING} == set(UNKNOWNS) == set(RULES)
    assert len(RULES) >= 20


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_passing(rule: Any) -> None:
    verdict = judge(objects(), objects(), [rule])
    assert verdict.findings == []
    assert verdict.unclear == []


@pytest.mark.parametrize(("rule", "edit", "what"), FAILING, ids=[f"{rule}: {what}" for rule, _, what in FAILING])
def test_failing(rule: str, edit: Edit, what: str) -> None:
    made = objects(edit)
    verdict = judge(made, made, [RULES[rule]])
    assert any(what in finding.what for finding in verdict.findings), verdict.findings


@pytest.mark.parametrize("rule", UNKNOWNS)
def test_unknown(rule: str) -> None:
    """A value that is not known yet is neither right nor wrong."""
    made = objects(put(UNKNOWNS[rule], UNKNOWN))
    verdict = judge(made, made, [RULES[rule]])
    assert verdict.findings == []
    assert {unclear.id for unclear, _ in verdict.unclear} == {rule}


def test_an_unknown_value_hides_nothing_of_other_objects() -> None:
    made = objects(both(put(f"{_MAIN}/image", UNKNOWN), put("Job/spec/template/spec/containers/0/image", "a:latest")))
    verdict = judge(made, made, [RULES["image-pinned"]])
    assert [finding.target for finding in verdict.findings] == ["Job ml-serving/train"]
    assert [target for _, target in verdict.unclear] == ["Deployment ml-serving/bert"]


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_committed_stacks_break_no_mandatory_rule(stack: str) -> None:
    made = [resource.inputs for resource in run(stack).resources if resource.request.custom]
    found = judge(made, made).findings
    assert [finding for finding in found if finding.rule.level == "mandatory"] == []


TODAY = date(2026, 6, 1)
SURGES = put("Deployment/spec/strategy", {})


def excepted(**changes: str) -> PolicySettings:
    exception = {
        "rule": "no-surge-on-gpus",
        "object": "Deployment ml-serving/bert",
        "reason": "there are spare GPUs until the move",
        "until": "2026-06-01",
        **changes,
    }
    return PolicySettings.parse({"policies:exceptions": json.dumps([exception])})


def test_an_exception_excuses_until_its_last_day() -> None:
    made = objects(SURGES)
    verdict, excused = judged(made, made, excepted(), TODAY)
    assert verdict.findings == []
    assert [(finding.rule.id, exception.reason) for finding, exception in excused] == [
        ("no-surge-on-gpus", "there are spare GPUs until the move")
    ]
    verdict, excused = judged(made, made, excepted(), date(2026, 6, 2))
    assert "its exception ended on 2026-06-01" in verdict.findings[0].what
    assert excused == []


@pytest.mark.parametrize(
    "changes", [{"object": "Deployment ml-training/*"}, {"object": "Job ml-serving/bert"}, {"rule": "read-only-root"}]
)
def test_an_exception_excuses_nothing_else(changes: dict[str, str]) -> None:
    made = objects(SURGES)
    verdict, _ = judged(made, made, excepted(**changes), TODAY)
    assert [finding.rule.id for finding in verdict.findings] == ["no-surge-on-gpus"]


def test_severity_is_the_stacks_own() -> None:
    settings = PolicySettings.parse(
        {"policies:severity": '{"no-surge-on-gpus": "disabled", "read-only-root": "mandatory"}'}
    )
    assert settings.level(RULES["read-only-root"]) == "mandatory"
    assert RULES["no-surge-on-gpus"] not in settings.rules()
    made = objects(SURGES)
    assert judged(made, made, settings, TODAY)[0].findings == []


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("severity", '{"no-surge": "advisory"}', "severity.no-surge: there is no rule 'no-surge'\n  rename it to 'no-surge-on-gpus'"),
        ("severity", '{"not-root": "error"}', "severity.not-root: must be one of 'mandatory', 'advisory' or 'disabled'"),
        ("severty", "{}", "policies:severty: is not a known key"),
        ("exceptions", '[{"rule": "not-root", "object": "Job a/b", "until": "2026-06-01"}]', "exceptions[0].reason: is required"),
        (
            "exceptions",
            '[{"rule": "not-root", "object": "Job a/b", "reason": "it must be so", "until": "never"}]',
            "exceptions[0].until: ",
        ),
        (
            "exceptions",
            '[{"rule": "not-root", "object": "Job a/b", "reason": "todo", "until": "2026-06-01"}]',
            "exceptions[0].reason: must state a reason",
        ),
    ],
)  # fmt: skip
def test_wrong_settings_are_said(key: str, value: str, said: str) -> None:
    with pytest.raises(PolicySettingsError) as error:
        PolicySettings.parse({f"policies:{key}": value, "other:key": "{"})
    assert said in str(error.value)


def test_a_date_may_stand_without_quotes() -> None:
    in_file = PolicySettings.of_file(
        "config: {policies:exceptions: [{rule: not-root, object: Job a/b, reason: the image is old, until: 2026-06-01}]}"
    )
    from_engine = excepted(until="2026-06-01 00:00:00 +0000 UTC")  # what the engine makes of it
    assert in_file.exceptions[0].until == from_engine.exceptions[0].until == date(2026, 6, 1)


def struct(value: Any) -> struct_pb2.Struct:
    return json_format.ParseDict(value, struct_pb2.Struct())


SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": "hunter2/bert"}


def test_the_pack_reads_numbers_unknowns_and_secrets() -> None:
    manifest, secrets = plain(struct({"replicas": 3, "half": 0.5, "image": rpc.UNKNOWN, "list": [SECRET]}))
    assert (manifest["replicas"], manifest["half"], manifest["list"]) == (3, 0.5, ["hunter2/bert"])
    assert isinstance(manifest["replicas"], int)
    assert manifest["image"] is UNKNOWN
    assert secrets == {"hunter2/bert"}


def analyzed(pack: Pack, manifest: Manifest) -> Any:
    urn = f"urn::{manifest['kind']}"
    return pack.Analyze(
        proto.AnalyzeRequest(type=f"kubernetes:v1:{manifest['kind']}", urn=urn, properties=struct(manifest)), None
    ).diagnostics


def test_the_pack_never_says_a_secret() -> None:
    made = copy.deepcopy(GOOD["Deployment"])
    made["spec"]["template"]["spec"]["containers"][0]["image"] = SECRET
    (diagnostic,) = analyzed(Pack(TODAY), made)
    assert diagnostic.policyName == "image-pinned"
    assert "has the image [secret], which names no tag" in diagnostic.message
    assert "hunter2" not in str(diagnostic)


def test_the_pack_judges_inputs_not_the_providers_answer() -> None:
    pack, answered = Pack(TODAY), copy.deepcopy(GOOD["StatefulSet"])
    for manifest in GOOD.values():
        assert list(analyzed(pack, manifest)) == []
    answered["spec"]["replicas"] = 1  # a default of the API server's, which an autoscaler may change
    request = proto.AnalyzeStackRequest(
        resources=[proto.AnalyzerResource(urn="urn::StatefulSet", properties=struct(answered))]
    )
    assert list(pack.AnalyzeStack(request, None).diagnostics) == []


def test_the_pack_tells_wrong_settings_and_goes_on() -> None:
    pack = Pack(TODAY)
    pack.ConfigureStack(proto.AnalyzerStackConfigureRequest(config={"policies:severity": '{"no": "advisory"}'}), None)
    (diagnostic,) = pack.AnalyzeStack(proto.AnalyzeStackRequest(), None).diagnostics
    assert diagnostic.enforcementLevel == proto.MANDATORY
    assert "policies:severity.no: there is no rule 'no'" in diagnostic.message
