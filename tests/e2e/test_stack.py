"""The life cycle of a stack on the real engine, provider and API server."""

from typing import Any

import pytest

from tests.e2e.project import Project, Stack, changes, reports
from tests.lesson import LABELS, MANIFESTS, NAMESPACES, missing

# Words of warnings that the user could not act on. While the provider waits for an object, it reports the object's
# conditions on lines of their own.
_NOISE = ("warning:", "deprecat", "$path", "traceback")

_NAMESPACE_OF = {
    "Pod": "ml-training",
    "Deployment": "ml-serving",
    "Service": "ml-serving",
    "ResourceQuota": "ml-training",
}


def quiet(output: str) -> None:
    """Check that the output of an update has no warnings."""
    for line in output.splitlines():
        if "creating (" not in line and "updating (" not in line:
            assert not any(word in line.lower() for word in _NOISE), line


@pytest.fixture(scope="module")
def prod(project: Project) -> Stack:
    """The prod stack, deployed."""
    stack = project.stack("prod")
    quiet(stack.up())
    return stack


def test_the_live_objects_have_every_field_of_the_lesson(project: Project, prod: Stack) -> None:
    for manifest in MANIFESTS:
        kind = manifest["kind"]
        live = project.get(kind, manifest["metadata"]["name"], _NAMESPACE_OF[kind])
        assert missing(manifest, live) == [], kind


def test_the_lessons_labels_are_on_the_pods(project: Project, prod: Stack) -> None:
    pods = project.get("pods")["items"]
    assert {label for pod in pods for label in pod["metadata"]["labels"]} >= LABELS


def test_the_namespaces_enforce_restricted_pod_security(project: Project, prod: Stack) -> None:
    for name in NAMESPACES:
        labels = project.get("namespace", name)["metadata"]["labels"]
        assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    intruder = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "intruder", "namespace": "data-pipeline"},
        "spec": {"containers": [{"name": "c", "image": "a:b"}]},
    }
    denied = project.apply(intruder, "--dry-run=server")
    assert denied.returncode != 0
    assert 'violates PodSecurity "restricted' in denied.stderr


def test_the_pods_run_on_the_nodes_of_their_pool(project: Project, prod: Stack) -> None:
    pods = [pod for pod in project.get("pods")["items"] if pod["metadata"]["namespace"] != "ml-experiments"]
    assert len(pods) == 4
    assert {pod["spec"]["nodeName"].rsplit("-", 1)[0] for pod in pods} == {"gpu"}
    assert {pod["status"]["phase"] for pod in pods} == {"Running"}


def test_outputs(project: Project, prod: Stack) -> None:
    balancer = project.get("service", "model-api", "ml-serving")["status"]["loadBalancer"]["ingress"][0]["ip"]
    assert prod.outputs() == {
        "namespaces": {name: name for name in NAMESPACES},
        "jobs": {"pytorch-training": "pytorch-training", "image-classifier": "image-classifier"},
        "services": {
            "model-serving": {"url": "http://model-api.ml-serving.svc.cluster.local", "externalAddress": balancer}
        },
        "nodeImages": {"gpu": "COS_CONTAINERD", "cpu": "COS_CONTAINERD"},
    }


def test_a_second_up_a_refresh_and_a_preview_change_nothing(project: Project, prod: Stack) -> None:
    for command in (prod.up, prod.refresh, prod.preview):
        output = command("--expect-no-changes")
        assert changes(output) == {}
        quiet(output)


def test_replicas_image_and_service_type_change_in_place(project: Project, prod: Stack) -> None:
    before = {name: project.get(kind, name, "ml-serving")["metadata"]["uid"] for kind, name in _SERVING}

    def change(settings: dict[str, Any]) -> None:
        service = settings["modelServices"]["model-serving"]
        service.update(replicas=5, image="myregistry/bert-serving:v1.3", version="v1.3")
        service["service"]["type"] = "NodePort"

    project.edit("prod", change)
    try:
        assert changes(prod.up()) == {"updated": 3}  # and the inventory
        deployment = project.get("deployment", "model-serving", "ml-serving")
        assert deployment["status"]["readyReplicas"] == 5
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        assert container["image"] == "myregistry/bert-serving:v1.3"
        service = project.get("service", "model-api", "ml-serving")
        assert service["spec"]["ports"][0]["nodePort"] >= 30000
        assert {name: project.get(kind, name, "ml-serving")["metadata"]["uid"] for kind, name in _SERVING} == before
    finally:
        project.restore("prod")
    assert changes(prod.up()) == {"updated": 3}  # and the inventory


_SERVING = [("deployment", "model-serving"), ("service", "model-api")]


def test_an_invalid_stack_is_rejected_before_any_resource_is_registered(project: Project, prod: Stack) -> None:
    project.edit("prod", lambda settings: settings["modelServices"]["model-serving"].update(replicas=0, port="http"))
    try:
        rejected = project.run("pulumi", "preview", "--stack", "prod", "--color", "never")
    finally:
        project.restore("prod")
    output = rejected.stdout + rejected.stderr
    assert rejected.returncode != 0
    assert reports(output, "modelServices.model-serving.replicas", "out-of-range")
    assert reports(output, "modelServices.model-serving.port", "wrong-type")
    assert "pulumi config set --path ml-platform:modelServices.model-serving.port 8080 --stack prod" in output
    assert "Traceback" not in output
    assert "kubernetes:" not in output


def test_the_suggested_fix_fixes_the_error(project: Project, prod: Stack) -> None:
    project.edit("prod", lambda settings: settings["modelServices"]["model-serving"].update(replicas=0))
    try:
        fix = ("config", "set", "--path", "ml-platform:modelServices.model-serving.replicas", "3", "--stack", "prod")
        assert project.run("pulumi", *fix).returncode == 0
        preview = project.run("pulumi", "preview", "--stack", "prod", "--expect-no-changes")
        assert preview.returncode == 0, preview.stdout + preview.stderr
    finally:
        project.restore("prod")


def test_destroy_leaves_nothing(project: Project, prod: Stack) -> None:
    quiet(prod.destroy())
    left = {item["metadata"]["name"] for item in project.get("namespaces")["items"]}
    assert not left.intersection(NAMESPACES)
    assert [pod["metadata"]["name"] for pod in project.get("pods")["items"]] == []
