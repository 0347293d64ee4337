"""The allowed sources of images."""

import pytest

from components import TeamNamespaceArgs
from components.team_namespace.image_registries import ImagePrefix, allowed, images
from tests.teams import objects
from tests.values import problem, validated


def test_the_policy_compares_prefixes_at_the_boundaries_of_names() -> None:
    """An end-to-end test evaluates the expression."""
    (rule,) = objects(registries=["ghcr.io/acme", "pytorch/"])["registry-policy"]["spec"]["validations"]
    assert '["ghcr.io/acme", "pytorch"].exists(prefix, image == prefix' in rule["expression"]


def test_the_policy_is_bound_to_the_namespace() -> None:
    made = objects(name="ml-nlp", registries=["ghcr.io/acme"])
    assert made["registry-policy"]["metadata"]["name"] == "ml-nlp-registries"
    assert made["registry-binding"]["spec"]["policyName"] == "ml-nlp-registries"
    selector = made["registry-binding"]["spec"]["matchResources"]["namespaceSelector"]
    assert selector == {"matchLabels": {"kubernetes.io/metadata.name": "ml-nlp"}}
    assert "registry-policy" not in objects()


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
def test_images_that_the_policy_allows(image: str, is_allowed: object) -> None:
    assert allowed(image, ["ghcr.io/acme", "quay.io/acme/server", "registry/"]) is is_allowed
    assert allowed(image, [])


@pytest.mark.parametrize(
    "prefix", ["ghcr.io", "registry:5000", "registry:5000/acme", "ghcr.io/acme/server", "pytorch/", "localhost:5000/"]
)
def test_a_prefix_is_a_registry_a_path_or_a_repository(prefix: str) -> None:
    assert TeamNamespaceArgs(registries=[prefix]).registries == [prefix]


@pytest.mark.parametrize(
    ("prefix", "value"),
    [
        ("ghcr.io/acme/server:v1", "ghcr.io/acme/server"),
        ("registry:5000/server:1", "registry:5000/server"),
        ("server:v1", "server"),
        ("server@sha256:" + "a" * 64, "server"),
        ("ghcr.io/server:v1@sha256:" + "a" * 64, "ghcr.io/server"),
        ("https://ghcr.io", None),
        ("", None),
        ("/", None),
        (" ghcr.io", None),
    ],
)
def test_invalid_prefixes_and_the_suggested_one(prefix: str, value: str | None) -> None:
    found = problem(ImagePrefix, prefix)
    assert (found.code, found.value) == ("image-prefix-invalid", value)
    assert value is None or validated(ImagePrefix, value) == value


def test_images_of_a_pod() -> None:
    pod = {
        "containers": [{"image": "a"}, {"image": object()}, {}],
        "initContainers": [{"image": "b"}],
        "volumes": [{"image": {"reference": "c"}}, {"emptyDir": {}}],
    }
    assert images(pod) == {"a", "b", "c"}
