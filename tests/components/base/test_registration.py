"""Manifests as child resources: type tokens, options, annotations."""

from typing import Any

import pulumi
import pytest

from components.base.registration import annotated, register_all, type_token
from tests.mocks import Deployment, deploy


@pytest.mark.parametrize(
    ("version", "kind", "token"),
    [
        ("v1", "Service", "kubernetes:core/v1:Service"),
        ("apps/v1", "Deployment", "kubernetes:apps/v1:Deployment"),
        ("jobset.x-k8s.io/v1alpha2", "JobSet", "kubernetes:jobset.x-k8s.io/v1alpha2:JobSet"),
    ],
)
def test_type_tokens_are_those_of_the_provider(version: str, kind: str, token: str) -> None:
    assert type_token({"apiVersion": version, "kind": kind}) == token


def test_further_annotations_override_those_of_the_metadata() -> None:
    metadata = {"name": "x", "annotations": {"a": "1", "b": "1"}}
    assert annotated(metadata, {"b": "2"})["annotations"] == {"a": "1", "b": "2"}
    assert annotated({"name": "x"}, {}) == {"name": "x"}


class _Component(pulumi.ComponentResource):
    def __init__(self, **options: Any) -> None:
        super().__init__("ml-platform:index:Test", "test")
        config = {"apiVersion": "v1", "kind": "ConfigMap"}
        objects = {role: {**config, "metadata": {"name": role}} for role in ("a", "b")}
        self.children = register_all(self, "test", objects, **options)


def _registered(**options: Any) -> Deployment:
    return deploy(lambda: _Component(**options))


def test_each_child_is_registered_after_the_one_before_it() -> None:
    deployment = _registered()
    kind = "kubernetes:core/v1:ConfigMap"
    assert deployment.children("test") == {"test-a": kind, "test-b": kind}
    assert list(deployment["test-a"].request.dependencies) == []
    assert [urn.split("::")[-1] for urn in deployment["test-b"].request.dependencies] == ["test-a"]


def test_options_apply_to_their_role_and_the_timeout_to_all() -> None:
    deployment = _registered(timeout=60, options={"a": pulumi.ResourceOptions(protect=True)}, patches={"b"})
    assert [deployment[name].request.protect for name in ("test-a", "test-b")] == [True, False]
    assert {deployment[name].request.customTimeouts.create for name in ("test-a", "test-b")} == {"60s"}
    assert deployment["test-b"].type == "kubernetes:core/v1:ConfigMapPatch"
