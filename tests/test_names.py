"""Names: those that Kubernetes takes, and the rule for those that it refuses."""

import pytest
from pydantic import TypeAdapter, ValidationError

from components.base.names import ObjectName, QualifiedName


@pytest.mark.parametrize("name", ["a", "a.b", "bert-v1.2", "models.example.com", "0", "a" * 253])
def test_names_of_objects(name: str) -> None:
    assert TypeAdapter(ObjectName).validate_python(name) == name


@pytest.mark.parametrize("name", ["", "a..b", "a.-b", "a-.b", ".a", "a.", "A", "a_b", "a" * 254, "-." * 120])
def test_names_of_objects_that_kubernetes_refuses(name: str) -> None:
    with pytest.raises(ValidationError, match="is refused by Kubernetes: use lower-case letters"):
        TypeAdapter(ObjectName).validate_python(name)


@pytest.mark.parametrize("name", ["app", "nvidia.com/gpu", "app.kubernetes.io/name", "a/B_c.d", "n" * 63])
def test_keys_of_labels(name: str) -> None:
    assert TypeAdapter(QualifiedName).validate_python(name) == name


@pytest.mark.parametrize("name", ["", "a..b/c", "a.-b/c", "/c", "a/", "a/b/c", "n" * 64, "-c"])
def test_keys_of_labels_that_kubernetes_refuses(name: str) -> None:
    with pytest.raises(ValidationError, match="is refused by Kubernetes"):
        TypeAdapter(QualifiedName).validate_python(name)
