"""Text that Kubernetes restricts: names, label values, image references, ports.

Each is a type for argument models. It rejects what the API server would reject, with the rule and, where one is
known, a valid value.
"""

import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StrictInt

from .arguments import Deferred
from .error_table import IMAGE_INVALID, NAME_INVALID, OUT_OF_RANGE, RESERVED

_LABEL_RULE = "at most 63 lower-case letters, digits and '-', and start and end with a letter or digit"


def _text(pattern: str, rule: str, longest: int, suggest: Callable[[str], str] | None = None) -> Callable[[str], str]:
    """A validator: the whole text matches the pattern and is not too long."""
    compiled = re.compile(pattern)

    def validate(text: str) -> str:
        if len(text) > longest or compiled.fullmatch(text) is None:
            value = suggest(text) if suggest else None
            raise NAME_INVALID(name=text[:80], rule=rule, value=value or None)
        return text

    return validate


def dns_label(text: str) -> str:
    """The DNS label nearest to a text: ``BERT_v1`` → ``bert-v1``."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:63].strip("-")


def _service_label(text: str) -> str:
    label = dns_label(text)
    return label if label[:1].isalpha() else f"svc-{label}"[:63].strip("-")


def label_value(text: str) -> str:
    """The label value nearest to a text: ``nlp team`` → ``nlp-team``."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text)[:63].strip("-_.")


def _image(text: str) -> str:
    if text != text.strip() or not text:
        raise IMAGE_INVALID(image=text[:80], reason="it is empty, or starts or ends with a space")
    if text.startswith(("http://", "https://")):
        raise IMAGE_INVALID(image=text[:80], reason="it must not have a scheme", value=text.split("://", 1)[1])
    if IMAGE_REFERENCE.fullmatch(text) is None:
        reason = "it must be [registry[:port]/]path[:tag][@sha256:digest], with the path in lower case"
        raise IMAGE_INVALID(image=text[:80], reason=reason, value=_lower_case_path(text))
    return text


def _lower_case_path(image: str) -> str | None:
    """The image reference with its path in lower case; None if it is still invalid."""
    path, tag = _PATH_AND_TAG.fullmatch(image).groups()  # type: ignore[union-attr]
    reference = path.lower() + tag
    return reference if IMAGE_REFERENCE.fullmatch(reference) else None


_PATH_AND_TAG = re.compile(r"(.*?)((?::[^:/@]*)?(?:@.*)?)", re.DOTALL)


# The grammar of the distribution specification: an optional host, a lower-case path, a tag, a digest.
IMAGE_REFERENCE = re.compile(
    r"(?:(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::[0-9]{1,5})?)/)?"
    r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*"
    r"(?::[\w][\w.-]{0,127})?"
    r"(?:@sha256:[0-9a-f]{64})?",
    re.ASCII,
)


def _namespace(text: str) -> str:
    if text == "default" or text.startswith("kube-"):
        raise RESERVED(name=text, owner="Kubernetes", value=f"team-{text}")
    return text


_is_label = _text(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", _LABEL_RULE, 63, dns_label)

DnsLabel = Annotated[str, AfterValidator(_is_label)]
"""The name of an object whose name becomes part of a DNS name (RFC 1123 label)."""

ServiceName = Annotated[
    str,
    AfterValidator(
        _text(
            r"[a-z]([-a-z0-9]*[a-z0-9])?",
            "at most 63 lower-case letters, digits and '-', start with a letter, and end with a letter or digit",
            63,
            _service_label,
        )
    ),
]
"""The name of a Service (RFC 1035 label)."""

NamespaceName = Annotated[str, AfterValidator(_is_label), AfterValidator(_namespace)]
"""The name of a namespace; those that Kubernetes reserves are invalid."""

DeferredNamespace = Deferred[NamespaceName]

_SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"

ObjectName = Annotated[
    str,
    AfterValidator(
        _text(
            _SUBDOMAIN,
            "at most 253 lower-case letters, digits, '-' and '.', and each part between dots must start and end with a "
            "letter or digit",
            253,
            dns_label,
        )
    ),
]
"""The name of any other object (RFC 1123 subdomain)."""

DeferredName = Deferred[ObjectName]

LabelValue = Annotated[
    str,
    AfterValidator(
        _text(
            r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?",
            "at most 63 letters, digits, '-', '_' and '.', and start and end with a letter or digit",
            63,
            label_value,
        )
    ),
]

QualifiedName = Annotated[
    str,
    AfterValidator(
        _text(
            rf"({_SUBDOMAIN}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{{0,61}}[A-Za-z0-9])?",
            "[domain/]name, with a name of at most 63 letters, digits, '-', '_' and '.'",
            317,
        )
    ),
]
"""The key of a label or annotation, or the name of a resource: ``[domain/]name``."""

MetricName = Annotated[
    str, AfterValidator(_text(r"[A-Za-z_:][A-Za-z0-9_:.-]*", "letters, digits, '_', ':', '.' and '-'", 253))
]
"""The name of a metric, which becomes part of a path of the metrics API."""

EnvName = Annotated[
    str,
    AfterValidator(_text(r"[A-Za-z_][A-Za-z0-9_]*", "letters, digits and '_', and must not start with a digit", 253)),
]

Image = Annotated[str, AfterValidator(_image)]
"""A container image: ``[registry[:port]/]path[:tag][@sha256:digest]``."""

DeferredImage = Deferred[Image]

Port = Annotated[StrictInt, Field(ge=1, le=65535)]

MAX_INT32 = 2**31 - 1


def _int32(number: int) -> int:
    if number > MAX_INT32:
        raise OUT_OF_RANGE(bound=f"at most {MAX_INT32}", got=f" (got {number})")
    return number


INT32 = AfterValidator(_int32)
"""For numbers of pods and seconds: 32-bit integers in the Kubernetes API."""

LabelArguments = dict[QualifiedName, LabelValue]
"""Labels as an argument. ``labels.Labels`` are those of an object."""


def _annotation(name: str) -> str:
    if name.startswith("ml-platform/") or name in {"pulumi.com/patchFieldManager", "pulumi.com/patchForce"}:
        raise RESERVED(name=name, owner="the ownership of objects")
    return name


AnnotationArguments = dict[Annotated[QualifiedName, AfterValidator(_annotation)], Deferred[str]]
"""Annotations as an argument."""


def as_text(value: Any) -> Any:
    """A number or boolean of YAML as the text that it was written as; any other value unchanged."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value
