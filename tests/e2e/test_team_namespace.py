"""A team's namespace on the real API server: access, admission, and the objects that are left after destroy."""

import copy
import time
from collections.abc import Callable
from typing import Any

import pytest

from components import ModelServiceArgs, NodePool, TrainingJobArgs, model_service, training_job
from tests.e2e.api import TEMPLATE, Api, Object, deployment, pod
from tests.e2e.peak import at_peak
from tests.e2e.project import Project

TEAMS: dict[str, Any] = {
    "alpha": {
        "access": {
            "viewers": ["alpha-viewers"],
            "developers": ["alpha-developers"],
            "admins": ["alpha-admins"],
            "secrets": ["registry"],
        },
    },
    "beta": {"access": {"viewers": ["beta-viewers"], "developers": ["beta-developers"], "admins": ["beta-admins"]}},
    "small": {
        "quota": {
            "requests.cpu": "1",
            "limits.memory": "4Gi",
            "requests.nvidia.com/gpu": "1",
            "configmaps": "3",
            "count/jobs.batch": "1",
            "pods": "4",
        },
        "priorityQuotas": {"training": {"pods": "1"}},
        "containerLimits": {"default": {"cpu": "200m", "memory": "64Mi"}, "max": {"memory": "4Gi"}},
    },
    "listed": {
        "registries": ["ghcr.io/acme", "ghcr.io/shared/server"],
        "queues": {"training": "gpu-queue"},
        "containerLimits": {
            "defaultRequest": {"cpu": "50m"},
            "default": {"cpu": "200m", "ephemeral-storage": "1Gi"},
            "max": {"memory": "64Mi"},
        },
    },
}
CLASSES = {"training": {"value": 1000}, "urgent": {"value": 10000}}


@pytest.fixture(scope="module")
def teams(project: Project, api: Api) -> None:
    """The teams, deployed. The kind LocalQueue is installed, without Kueue."""
    api.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", LOCAL_QUEUE)
    project.configure("teams", teams=TEAMS, priorityClasses=CLASSES)
    stack = project.stack("teams")
    stack.up()
    stack.preview("--expect-no-changes")


LOCAL_QUEUE: Object = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {
        "name": "localqueues.kueue.x-k8s.io",
        "annotations": {"api-approved.kubernetes.io": "unapproved, for tests"},
    },
    "spec": {
        "group": "kueue.x-k8s.io",
        "scope": "Namespaced",
        "names": {"plural": "localqueues", "singular": "localqueue", "kind": "LocalQueue"},
        "versions": [
            {
                "name": "v1beta1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {"type": "object", "properties": {"clusterQueue": {"type": "string"}}},
                        },
                    }
                },
            }
        ],
    },
}


# --- access ---------------------------------------------------------------------------------------

CORE, RBAC = "/api/v1/namespaces/alpha", "/apis/rbac.authorization.k8s.io/v1/namespaces/alpha"
APPS, BATCH = "/apis/apps/v1/namespaces/alpha", "/apis/batch/v1/namespaces/alpha"
POLICIES = "/apis/networking.k8s.io/v1/namespaces/alpha/networkpolicies"

Request = tuple[str, str, Object | None]

LABELS = {"metadata": {"labels": {"touched": "yes"}}}


def named(**more: Any) -> Object:
    """An object whose name the API server generates."""
    return {"metadata": {"generateName": "made-"}, **more}


def binding(kind: str, name: str) -> Object:
    group = "rbac.authorization.k8s.io"
    return named(
        roleRef={"apiGroup": group, "kind": kind, "name": name},
        subjects=[{"apiGroup": group, "kind": "Group", "name": "any"}],
    )


def role(group: str, resource: str) -> Object:
    return named(rules=[{"apiGroups": [group], "resources": [resource], "verbs": ["delete"]}])


# Requests, and who is authorized among the (v)iewers, (d)evelopers and (a)dmins of the team. `{me}` is
# an object that each of them has.
REQUESTS: dict[str, tuple[str, Request]] = {
    "list pods": ("vda", ("GET", f"{CORE}/pods", None)),
    "list services": ("vda", ("GET", f"{CORE}/services", None)),
    "list config maps": ("vda", ("GET", f"{CORE}/configmaps", None)),
    "list claims": ("vda", ("GET", f"{CORE}/persistentvolumeclaims", None)),
    "list events": ("vda", ("GET", f"{CORE}/events", None)),
    "list deployments": ("vda", ("GET", f"{APPS}/deployments", None)),
    "list jobs": ("vda", ("GET", f"{BATCH}/jobs", None)),
    "see the quotas": ("vda", ("GET", f"{CORE}/resourcequotas", None)),
    "see the limits": ("vda", ("GET", f"{CORE}/limitranges", None)),
    "see the network policies": ("vda", ("GET", POLICIES, None)),
    "see the namespace": ("vda", ("GET", CORE, None)),
    "see roles": ("a", ("GET", f"{RBAC}/roles", None)),
    "create a pod": ("da", ("POST", f"{CORE}/pods", {**pod("x"), "metadata": {"generateName": "made-"}})),
    "create a job": ("da", ("POST", f"{BATCH}/jobs", named(spec={"suspend": True, "template": {"spec": {**TEMPLATE["spec"], "restartPolicy": "Never"}}}))),
    "create a deployment": ("da", ("POST", f"{APPS}/deployments", named(spec=deployment("new")["spec"]))),
    "create a service": ("da", ("POST", f"{CORE}/services", named(spec={"ports": [{"port": 80}]}))),
    "create a config map": ("da", ("POST", f"{CORE}/configmaps", named())),
    "create an account": ("da", ("POST", f"{CORE}/serviceaccounts", named())),
    "create a claim": (
        "da",
        ("POST", f"{CORE}/persistentvolumeclaims", named(spec={"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}})),
    ),
    "label a pod": ("da", ("PATCH", f"{CORE}/pods/{{me}}", LABELS)),
    "evict a pod": ("da", ("POST", f"{CORE}/pods/{{me}}-evicted/eviction", {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "{me}-evicted"}})),
    "scale a deployment": ("da", ("PATCH", f"{APPS}/deployments/{{me}}/scale", {"spec": {"replicas": 0}})),
    "delete a config map": ("da", ("DELETE", f"{CORE}/configmaps/{{me}}", None)),
    "delete all jobs": ("da", ("DELETE", f"{BATCH}/jobs", None)),
    "create a secret": ("da", ("POST", f"{CORE}/secrets", named())),
    "read the named secret": ("da", ("GET", f"{CORE}/secrets/registry", None)),
    "change the named secret": ("da", ("PATCH", f"{CORE}/secrets/registry", LABELS)),
    "read another secret": ("a", ("GET", f"{CORE}/secrets/{{me}}", None)),
    "list secrets": ("a", ("GET", f"{CORE}/secrets", None)),
    "delete another secret": ("a", ("DELETE", f"{CORE}/secrets/{{me}}", None)),
    "bind a role that they have": ("a", ("POST", f"{RBAC}/rolebindings", binding("Role", "team-developer"))),
    "create a role with permissions that they have": ("a", ("POST", f"{RBAC}/roles", role("", "pods"))),
    "create a role that deletes network policies": ("", ("POST", f"{RBAC}/roles", role("networking.k8s.io", "networkpolicies"))),
    "bind the role edit": ("", ("POST", f"{RBAC}/rolebindings", binding("ClusterRole", "edit"))),
    "bind the role cluster-admin": ("", ("POST", f"{RBAC}/rolebindings", binding("ClusterRole", "cluster-admin"))),
    "create a network policy": ("", ("POST", POLICIES, named(spec={"podSelector": {}}))),
    "change a network policy": ("", ("PATCH", f"{POLICIES}/allow-dns", LABELS)),
    "delete the default deny": ("", ("DELETE", f"{POLICIES}/default-deny", None)),
    "delete all network policies": ("", ("DELETE", POLICIES, None)),
    "create a quota": ("", ("POST", f"{CORE}/resourcequotas", named(spec={"hard": {"pods": "1k"}}))),
    "change the quota": ("", ("PATCH", f"{CORE}/resourcequotas/alpha-quota", {"spec": {"hard": {"services.nodeports": "9"}}})),
    "delete the quota": ("", ("DELETE", f"{CORE}/resourcequotas/alpha-quota", None)),
    "change the limits": ("", ("PATCH", f"{CORE}/limitranges/alpha-limits", LABELS)),
    "label the namespace": ("", ("PATCH", CORE, {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}})),
    "delete the namespace": ("", ("DELETE", CORE, None)),
    "get the token of an account": ("", ("POST", f"{CORE}/serviceaccounts/default/token", {"spec": {}})),
    "create a namespace": ("", ("POST", "/api/v1/namespaces", named())),
    "list nodes": ("", ("GET", "/api/v1/nodes", None)),
    "list pods of all namespaces": ("", ("GET", "/api/v1/pods", None)),
    "list secrets of all namespaces": ("", ("GET", "/api/v1/secrets", None)),
    "become cluster administrator": ("", ("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", binding("ClusterRole", "cluster-admin"))),
}  # fmt: skip

PEOPLE = {
    f"{team}-{kind[:-1]}": (f"{team}-{kind}", kind[0] if team == "alpha" else "-")
    for team in ("alpha", "beta")
    for kind in ("viewers", "developers", "admins")
} | {"stranger": ("strangers", "-")}


@pytest.fixture(scope="module")
def objects(api: Api, teams: None) -> None:
    """The objects to which the requests refer."""
    api.create(f"{CORE}/secrets", {"metadata": {"name": "registry"}})
    for person in PEOPLE:
        for kind in ("configmaps", "secrets"):
            api.create(f"{CORE}/{kind}", {"metadata": {"name": person}})
        api.create(f"{APPS}/deployments", deployment(person))
        for name in (person, f"{person}-evicted"):
            api.create(f"{CORE}/pods", pod(name))


@pytest.mark.parametrize("request_name", REQUESTS)
def test_each_group_has_exactly_its_permissions(api: Api, objects: None, request_name: str) -> None:
    allowed, (method, path, body) = REQUESTS[request_name]
    for person, (group, kind) in PEOPLE.items():
        own_body = {**body, "metadata": {"name": f"{person}-evicted"}} if "evict" in path and body else body
        status, answer = api.request(method, path.format(me=person), own_body, user=person, groups=[group])
        if kind in allowed:
            assert 200 <= status < 300, f"{person}: {status} {answer.get('message')}"
        else:
            assert status == 403, f"{person}: {status} {answer.get('message')}"


@pytest.mark.parametrize("subresource", ["log", "exec?command=sh", "portforward"])
def test_viewers_read_logs_and_developers_open_shells(api: Api, objects: None, subresource: str) -> None:
    for person, (group, kind) in PEOPLE.items():
        path = f"{CORE}/pods/{person}/{subresource}"
        status, answer = api.request("GET" if subresource == "log" else "POST", path, user=person, groups=[group])
        # The pod has no node: an authorized request fails, too, but with another error.
        forbidden = status == 403 and "cannot" in answer["message"]
        assert forbidden == (kind not in ("vda" if subresource == "log" else "da")), f"{person}: {status} {answer}"


# --- quotas, limits, Pod Security -----------------------------------------------------------------


def created(
    api: Api, namespace: str, manifest: Object, kind: str = "pods", api_path: str = "/api/v1"
) -> tuple[int, str]:
    """The response to the creation of an object, as a dry run: nothing is stored, nothing counts towards a quota."""
    status, answer = api.request("POST", f"{api_path}/namespaces/{namespace}/{kind}?dryRun=All", manifest)
    return status, answer.get("message", "")


def requesting(name: str = "p", **resources: Any) -> Object:
    made = pod(name)
    made["spec"]["containers"][0]["resources"] = resources
    return made


GPUS = {"nvidia.com/gpu": "1"}


def test_a_pod_within_the_quota_is_admitted(api: Api, teams: None) -> None:
    for manifest in (requesting(limits={"cpu": "1"}), requesting(limits=GPUS), pod("p", priorityClassName="training")):
        assert created(api, "small", manifest)[0] == 201


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        (requesting(limits={"cpu": "1001m"}), "exceeded quota: small-quota, requested: requests.cpu=1001m"),
        (
            requesting(limits={"nvidia.com/gpu": "2"}),
            "exceeded quota: small-quota, requested: requests.nvidia.com/gpu=2",
        ),
        (requesting(limits={"memory": "5Gi"}), "maximum memory usage per Container is 4Gi, but limit is 5Gi"),
        (pod("p", priorityClassName="urgent"), "exceeded quota: small-other-priorities, requested: pods=1"),
        (pod("p", priorityClassName="system-cluster-critical"), "exceeded quota: small-other-priorities"),
    ],
)
def test_a_pod_above_a_quota_is_denied(api: Api, teams: None, manifest: Object, message: str) -> None:
    status, answer = created(api, "small", manifest)
    assert status == 403
    assert message in answer


def test_pods_and_objects_are_counted(api: Api, teams: None) -> None:
    path = "/api/v1/namespaces/small"
    api.create(f"{path}/pods", pod("high", priorityClassName="training"))
    again = created(api, "small", pod("higher", priorityClassName="training"))
    assert again[0] == 403
    assert "exceeded quota: small-priority-training, requested: pods=1, used: pods=1, limited: pods=1" in again[1]
    for index in range(3):
        api.create(f"{path}/pods", pod(f"p{index}"))
    assert "requested: pods=1, used: pods=4, limited: pods=4" in created(api, "small", pod("p5"))[1]
    for index in range(2):  # in addition to kube-root-ca.crt, which Kubernetes creates in each namespace
        api.create(f"{path}/configmaps", {"metadata": {"name": f"c{index}"}})
    assert "limited: configmaps=3" in created(api, "small", named(), "configmaps")[1]
    job = {"metadata": {"name": "j"}, "spec": {"suspend": True, "template": {"spec": {**TEMPLATE["spec"], "restartPolicy": "Never"}}}}  # fmt: skip
    api.create("/apis/batch/v1/namespaces/small/jobs", job)
    second = created(api, "small", {**job, "metadata": {"name": "k"}}, "jobs", "/apis/batch/v1")
    assert "limited: count/jobs.batch=1" in second[1]


@pytest.mark.parametrize("kind", ["NodePort", "LoadBalancer"])
def test_a_team_that_does_not_serve_cannot_be_reached_from_outside(api: Api, teams: None, kind: str) -> None:
    status, answer = created(api, "small", named(spec={"type": kind, "ports": [{"port": 80}]}), "services")
    assert status == 403
    assert "limited: services." in answer
    assert created(api, "small", named(spec={"ports": [{"port": 80}]}), "services")[0] == 201


@pytest.mark.parametrize(
    ("namespace", "requests", "limits"),
    [
        ("beta", {"cpu": "100m", "memory": "256Mi"}, {"memory": "1Gi"}),
        (
            "listed",
            {"cpu": "50m", "memory": "64Mi", "ephemeral-storage": "1Gi"},
            {"cpu": "200m", "memory": "64Mi", "ephemeral-storage": "1Gi"},
        ),
    ],
)
def test_a_container_without_resources_gets_the_defaults(
    api: Api, teams: None, namespace: str, requests: dict[str, str], limits: dict[str, str]
) -> None:
    _, answer = api.request("POST", f"/api/v1/namespaces/{namespace}/pods?dryRun=All", requesting())
    assert answer["spec"]["containers"][0]["resources"] == {"requests": requests, "limits": limits}


def test_pods_have_no_token_by_default(api: Api, teams: None) -> None:
    _, answer = api.request("POST", "/api/v1/namespaces/beta/pods?dryRun=All", pod("p"))
    assert answer["spec"].get("volumes", []) == []
    assert api.get("/api/v1/namespaces/beta/serviceaccounts/default")["automountServiceAccountToken"] is False


Violation = Callable[[Object, Object], Any]

# Violations of restricted, each an edit of the spec of a pod and of its container.
VIOLATIONS: dict[str, Violation] = {
    "host network": lambda spec, _: spec.update(hostNetwork=True),
    "host processes": lambda spec, _: spec.update(hostPID=True),
    "host IPC": lambda spec, _: spec.update(hostIPC=True),
    "host path": lambda spec, _: spec.update(volumes=[{"name": "v", "hostPath": {"path": "/"}}]),
    "NFS volume": lambda spec, _: spec.update(volumes=[{"name": "v", "nfs": {"server": "s", "path": "/"}}]),
    "host port": lambda _, c: c.update(ports=[{"containerPort": 80, "hostPort": 80}]),
    "privileged": lambda _, c: c["securityContext"].update(privileged=True, allowPrivilegeEscalation=True),
    "privilege escalation": lambda _, c: c["securityContext"].update(allowPrivilegeEscalation=True),
    "privilege escalation unset": lambda _, c: c["securityContext"].pop("allowPrivilegeEscalation"),
    "capabilities kept": lambda _, c: c["securityContext"].pop("capabilities"),
    "capability added": lambda _, c: c["securityContext"]["capabilities"].update(add=["IPC_LOCK"]),
    "root allowed": lambda spec, _: spec["securityContext"].update(runAsNonRoot=False),
    "root unset": lambda spec, _: spec["securityContext"].pop("runAsNonRoot"),
    "root by number": lambda spec, _: spec["securityContext"].update(runAsUser=0),
    "no seccomp": lambda spec, _: spec["securityContext"].update(seccompProfile={"type": "Unconfined"}),
    "seccomp unset": lambda spec, _: spec["securityContext"].pop("seccompProfile"),
    "no AppArmor": lambda spec, _: spec["securityContext"].update(appArmorProfile={"type": "Unconfined"}),
    "SELinux type": lambda spec, _: spec["securityContext"].update(seLinuxOptions={"type": "spc_t"}),
    "SELinux user": lambda spec, _: spec["securityContext"].update(seLinuxOptions={"user": "system_u"}),
    "unsafe sysctl": lambda spec, _: spec["securityContext"].update(sysctls=[{"name": "kernel.msgmax", "value": "1"}]),
    "proc unmasked": lambda spec, c: (spec.update(hostUsers=False), c["securityContext"].update(procMount="Unmasked")),
    "Windows host process": lambda spec, _: (spec.update(hostNetwork=True), spec["securityContext"].update(windowsOptions={"hostProcess": True})),
    "probe of another host": lambda _, c: c.update(livenessProbe={"httpGet": {"port": 80, "host": "10.0.0.1"}}),
    "hook to another host": lambda _, c: c.update(lifecycle={"preStop": {"httpGet": {"port": 80, "host": "10.0.0.1"}}}),
    "root in an init container": lambda spec, c: spec.update(initContainers=[{**c, "name": "i", "securityContext": {**c["securityContext"], "runAsUser": 0}}]),
}  # fmt: skip


@pytest.mark.parametrize("violation", VIOLATIONS)
def test_a_pod_that_violates_restricted_is_denied(api: Api, teams: None, violation: str) -> None:
    assert created(api, "beta", pod("p"))[0] == 201
    manifest = copy.deepcopy(pod("p"))
    VIOLATIONS[violation](manifest["spec"], manifest["spec"]["containers"][0])
    status, answer = created(api, "beta", manifest)
    assert status in {403, 422}, answer
    assert 'violates PodSecurity "restricted:v1.37"' in answer


POOL = NodePool(image="server:v1", gpu_resource="nvidia.com/gpu")


def test_the_pods_of_the_components_are_admitted(api: Api, teams: None) -> None:
    common: dict[str, Any] = {"namespace": "beta", "node_pool": POOL, "gpus": 1}
    job = TrainingJobArgs(**common)
    init: Any = [{"name": "stage", "resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "1"}}}]
    service = ModelServiceArgs(**common, init_containers=init)
    for objects in (
        training_job.manifests("bert", job, job.tenant()),
        training_job.manifests("bert", TrainingJobArgs(**common, controller="pod"), job.tenant()),
        training_job.manifests("bert", TrainingJobArgs(**common, workers=2, distributed="torchrun"), job.tenant()),
        model_service.manifests("bert", service, service.tenant()),
    ):
        pods = at_peak(objects.values())
        assert pods
        for manifest in pods:
            assert created(api, "beta", manifest)[0] == 201


# --- opt-ins --------------------------------------------------------------------------------------


def test_images_must_be_from_the_listed_registries(api: Api, teams: None) -> None:
    def from_elsewhere(kind: str) -> Object:
        """A pod with an image of another registry."""
        made = pod("p")
        image = {"image": "ghcr.io/acme-evil/a:v1"}
        if kind == "volumes":
            made["spec"]["volumes"] = [{"name": "v", "image": {"reference": image["image"]}}]
        elif kind == "containers":
            made["spec"]["containers"][0].update(image)
        else:
            made["spec"][kind] = [{**made["spec"]["containers"][0], "name": "other", **image}]
        return made

    def with_image(reference: str) -> Object:
        made = pod("p")
        made["spec"]["containers"][0]["image"] = reference
        return made

    end = time.monotonic() + 30  # the API server polls for policies
    while created(api, "listed", from_elsewhere("containers"))[0] == 201 and time.monotonic() < end:
        time.sleep(0.2)
    for kind in ("containers", "initContainers", "volumes"):
        status, answer = created(api, "listed", from_elsewhere(kind))
        assert status == 422, kind
        assert "images in this namespace must be from ghcr.io/acme" in answer
    assert created(api, "listed", pod("p"))[0] == 201
    assert created(api, "beta", from_elsewhere("containers"))[0] == 201
    path = "/api/v1/namespaces/listed/pods"
    for reference in (
        "server",
        "server:v1",
        f"server@sha256:{'a' * 64}",
        f"server:v1@sha256:{'a' * 64}",
        "server/a:v1",
    ):
        assert created(api, "listed", with_image(f"ghcr.io/shared/{reference}"))[0] == 201, reference
    for reference in ("server-evil:v1", "server:5000/evil:v1", "serve:v1"):
        assert created(api, "listed", with_image(f"ghcr.io/shared/{reference}"))[0] == 422, reference
    api.create(path, pod("changing"))
    change = {"spec": {"containers": [{**pod("p")["spec"]["containers"][0], "image": "evil:v1"}]}}
    assert api.request("PATCH", f"{path}/changing", change)[0] == 422
    debug = {"spec": {"ephemeralContainers": [{"name": "d", "image": "evil:v1"}]}}
    assert api.request("PATCH", f"{path}/changing/ephemeralcontainers", debug)[0] in {403, 422}
    assert api.request("PATCH", f"{path}/changing", LABELS)[0] == 200


def test_a_local_queue_is_created(api: Api, teams: None) -> None:
    queue = api.get("/apis/kueue.x-k8s.io/v1beta1/namespaces/listed/localqueues/training")
    assert queue["spec"]["clusterQueue"] == "gpu-queue"


def test_destroy_leaves_nothing(project: Project, api: Api, teams: None) -> None:
    project.stack("teams").destroy()
    left = {item["metadata"]["name"] for item in api.get("/api/v1/namespaces")["items"]}
    assert not left & set(TEAMS)
    for kind in ("validatingadmissionpolicies", "validatingadmissionpolicybindings"):
        found = api.get(f"/apis/admissionregistration.k8s.io/v1/{kind}")["items"]
        assert [item["metadata"]["name"] for item in found] == ["ml-platform-ownership"]  # of the cluster
    classes = api.get("/apis/scheduling.k8s.io/v1/priorityclasses")["items"]
    assert not {item["metadata"]["name"] for item in classes} & set(CLASSES)
