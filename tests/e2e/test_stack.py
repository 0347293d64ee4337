"""The life of a stack on the real engine, provider and API server."""

from typing import Any

import pytest

from tests.e2e.project import Project, Stack, changes
from tests.lesson import LABELS, MANIFESTS, NAMESPACES, missing

# Words of a warning that a user would have to explain away. What the provider says of an object
# while it waits for it is on lines of the object's own.
_NOISE = ("warning:", "deprecat", "$path", "traceback")

_PLACES = {"Pod": "ml-training", "Deployment": "ml-serving", "Service": "ml-serving", "ResourceQuota": "ml-training"}


def quiet(output: str) -> None:
    for line in output.splitlines():
        if "creating (" not in line and "updating (" not in line:
            assert not any(word in line.lower() for word in _NOISE), line


@pytest.fixture(scope="module")
def prod(project: Project) -> Stack:
    """The prod stack, up."""
    stack = project.stack("prod")
    quiet(stack.up())
    return stack


def test_the_live_objects_have_every_field_of_the_lesson(project: Project, prod: Stack) -> None:
    for manifest in MANIFESTS:
        kind = manifest["kind"]
        live = project.get(kind, manifest["metadata"]["name"], _PLACES[kind])
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
    refused = project.apply(intruder, "--dry-run=server")
    assert refused.returncode != 0
    assert 'violates PodSecurity "restricted' in refused.stderr


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
        assert changes(prod.up()) == {"updated": 2}
        deployment = project.get("deployment", "model-serving", "ml-serving")
        assert deployment["status"]["readyReplicas"] == 5
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        assert container["image"] == "myregistry/bert-serving:v1.3"
        service = project.get("service", "model-api", "ml-serving")
        assert service["spec"]["ports"][0]["nodePort"] >= 30000
        assert {name: project.get(kind, name, "ml-serving")["metadata"]["uid"] for kind, name in _SERVING} == before
    finally:
        project.restore("prod")
    assert changes(prod.up()) == {"updated": 2}


_SERVING = [("deployment", "model-serving"), ("service", "model-api")]


def test_a_broken_stack_is_refused_before_anything_is_registered(project: Project, prod: Stack) -> None:
    project.edit("prod", lambda settings: settings["modelServices"]["model-serving"].update(replicas=0, port="http"))
    try:
        refused = project.run("pulumi", "preview", "--stack", "prod")
    finally:
        project.restore("prod")
    output = refused.stdout + refused.stderr
    assert refused.returncode != 0
    assert "Pulumi.prod.yaml: ml-platform:modelServices.model-serving.replicas: must be at least 1 (got 0)" in output
    assert "pulumi config set --path ml-platform:modelServices.model-serving.port 8080 --stack prod" in output
    assert "Traceback" not in output
    assert "kubernetes:" not in output


def test_the_mend_that_an_error_names_mends(project: Project, prod: Stack) -> None:
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
