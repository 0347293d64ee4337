"""Names, label values, image references and numbers that Kubernetes restricts."""

from typing import Annotated, Any

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from components.base.names import (
    INT32,
    MAX_INT32,
    DeferredImage,
    DnsLabel,
    EnvName,
    Image,
    LabelValue,
    MetricName,
    NamespaceName,
    ObjectName,
    Port,
    QualifiedName,
    ServiceName,
    as_text,
    dns_label,
)
from tests.values import problem, validated


@pytest.mark.parametrize("name", ["a", "a.b", "bert-v1.2", "models.example.com", "0", "a" * 253])
def test_names_of_objects(name: str) -> None:
    assert validated(ObjectName, name) == name


@pytest.mark.parametrize("name", ["", "a..b", "a.-b", "a-.b", ".a", "a.", "A", "a_b", "a" * 254, "-." * 120])
def test_invalid_names_of_objects(name: str) -> None:
    assert problem(ObjectName, name).code == "name-invalid"


@pytest.mark.parametrize("name", ["app", "nvidia.com/gpu", "app.kubernetes.io/name", "a/B_c.d", "n" * 63])
def test_keys_of_labels(name: str) -> None:
    assert validated(QualifiedName, name) == name


@pytest.mark.parametrize("name", ["", "a..b/c", "a.-b/c", "/c", "a/", "a/b/c", "n" * 64, "-c"])
def test_invalid_keys_of_labels(name: str) -> None:
    assert problem(QualifiedName, name).code == "name-invalid"


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (DnsLabel, "BERT_v1", "bert-v1"),
        (DnsLabel, "a" * 64, "a" * 63),
        (DnsLabel, "___", None),
        (ServiceName, "1-api", "svc-1-api"),
        (ServiceName, "Model API", "model-api"),
        (LabelValue, "nlp team", "nlp-team"),
        (LabelValue, "v1.2 (beta)", "v1.2-beta"),
        (MetricName, "1st", None),
        (EnvName, "1ST", None),
    ],
)
def test_invalid_names_and_the_suggested_one(kind: Any, text: str, value: str | None) -> None:
    found = problem(kind, text)
    assert (found.code, found.value) == ("name-invalid", value)
    assert value is None or validated(kind, value) == value


@given(st.text(max_size=80))
def test_the_nearest_dns_label_is_valid(text: str) -> None:
    label = dns_label(text)
    assert label == "" or validated(DnsLabel, label) == label


@pytest.mark.parametrize("name", ["kube-system", "kube-public", "default"])
def test_reserved_namespaces(name: str) -> None:
    found = problem(NamespaceName, name)
    assert (found.code, found.value) == ("reserved", f"team-{name}")


IMAGES = [
    "bert",
    "bert:v1.2",
    "myregistry/bert-serving:v1.2",
    "localhost:5000/a/b_c:V1",
    "ghcr.io/acme/bert@sha256:" + "a" * 64,
    "Registry.example.com:443/bert:v1@sha256:" + "0" * 64,
]


@pytest.mark.parametrize("image", IMAGES)
def test_image_references(image: str) -> None:
    assert validated(Image, image) == image


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("https://ghcr.io/acme/bert", "ghcr.io/acme/bert"),
        ("myregistry/Bert:V1", "myregistry/bert:V1"),
        ("localhost:5000/Bert", "localhost:5000/bert"),
        ("ghcr.io/ACME/bert@sha256:" + "a" * 64, "ghcr.io/acme/bert@sha256:" + "a" * 64),
        ("", None),
        (" bert", None),
        ("bert:", None),
        ("bert@sha256:abc", None),
        ("a//b", None),
        ("bert:v1:v2", None),
        ("Bert\n", None),
    ],
)
def test_invalid_image_references_and_the_suggested_one(text: str, value: str | None) -> None:
    found = problem(Image, text)
    assert (found.code, found.value) == ("image-invalid", value)
    assert value is None or validated(Image, value) == value


@given(st.text(alphabet="aB0:/@._-\n", max_size=30))
def test_any_text_is_an_image_reference_or_a_problem(text: str) -> None:
    try:
        assert TypeAdapter(Image).validate_python(text) == text
    except ValidationError:
        assert problem(Image, text).code == "image-invalid"


def test_an_output_is_validated_by_the_api_server_only() -> None:
    image = pulumi.Output.from_input("Not/An/Image")
    assert validated(DeferredImage, image) is image
    assert problem(DeferredImage, "Not/An/Image").code == "image-invalid"


@pytest.mark.parametrize("port", [1, 65535])
def test_ports(port: int) -> None:
    assert validated(Port, port) == port


@pytest.mark.parametrize(("port", "code"), [(0, "out-of-range"), (65536, "out-of-range"), ("80", "wrong-type")])
def test_invalid_ports(port: Any, code: str) -> None:
    assert problem(Port, port).code == code


def test_numbers_are_32_bit_integers() -> None:
    assert validated(Annotated[int, INT32], MAX_INT32) == MAX_INT32
    assert problem(Annotated[int, INT32], MAX_INT32 + 1).code == "out-of-range"


@pytest.mark.parametrize(
    ("value", "text"), [(True, "true"), (False, "false"), (3, "3"), (0.5, "0.5"), ("x", "x"), (None, None), ([1], [1])]
)
def test_numbers_and_booleans_as_text(value: Any, text: Any) -> None:
    assert as_text(value) == text
