"""Text that Kubernetes restricts: names, label values, image references, ports.

Each is a type that an argument model uses; a value that the API server would refuse is refused
here, with the rule and a spelling that would do.
"""

import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StrictInt

from .arguments import Deferred
from .errors import refuse

_LABEL_RULE = "lower-case letters, digits and '-', beginning and ending with a letter or digit, at most 63"


def _text(pattern: str, rule: str, longest: int, suggest: Callable[[str], str] | None = None) -> Callable[[str], str]:
    """A validator: the whole text matches the pattern and is not too long."""
    compiled = re.compile(pattern)

    def validate(text: str) -> str:
        if len(text) > longest or compiled.fullmatch(text) is None:
            value = suggest(text) if suggest else None
            raise refuse(f"{text[:80]!r} is refused by Kubernetes: use {rule}", value=value or None)
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
        raise refuse(f"{text[:80]!r} is not an image reference: it is empty or has space around it")
    if text.startswith(("http://", "https://")):
        raise refuse(f"{text[:80]!r} is not an image reference: leave out the scheme", value=text.split("://", 1)[1])
    if IMAGE_REFERENCE.fullmatch(text) is None:
        rule = "[registry[:port]/]path[:tag][@sha256:digest], the path in lower case"
        raise refuse(f"{text[:80]!r} is not an image reference: {rule}")
    return text


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
        raise refuse(f"{text!r} belongs to Kubernetes itself: a team gets a namespace of its own", value=f"team-{text}")
    return text


_is_label = _text(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", _LABEL_RULE, 63, dns_label)

DnsLabel = Annotated[str, AfterValidator(_is_label)]
"""The name of an object whose name becomes part of a DNS name (RFC 1123 label)."""

ServiceName = Annotated[
    str,
    AfterValidator(_text(r"[a-z]([-a-z0-9]*[a-z0-9])?", f"{_LABEL_RULE}, beginning with a letter", 63, _service_label)),
]
"""The name of a Service (RFC 1035 label)."""

NamespaceName = Annotated[str, AfterValidator(_is_label), AfterValidator(_namespace)]
"""The name of a namespace that does not belong to Kubernetes itself."""

DeferredNamespace = Deferred[NamespaceName]

_SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"

ObjectName = Annotated[
    str,
    AfterValidator(
        _text(
            _SUBDOMAIN,
            "lower-case letters, digits and '-', in parts between '.' that begin and end with a letter or digit, "
            "at most 253",
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
            "letters, digits, '-', '_' and '.', beginning and ending with a letter or digit, at most 63",
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
            "[domain/]name, the name of at most 63 letters, digits, '-', '_' and '.'",
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
    str, AfterValidator(_text(r"[A-Za-z_][A-Za-z0-9_]*", "letters, digits and '_', not beginning with a digit", 253))
]

Image = Annotated[str, AfterValidator(_image)]
"""A container image: ``[registry[:port]/]path[:tag][@sha256:digest]``."""

DeferredImage = Deferred[Image]

Port = Annotated[StrictInt, Field(ge=1, le=65535)]

MAX_INT32 = 2**31 - 1


def _int32(number: int) -> int:
    if number > MAX_INT32:
        raise refuse(f"must be at most {MAX_INT32}, the most that Kubernetes takes (got {number})")
    return number


INT32 = AfterValidator(_int32)
"""For a number of pods or seconds, which is one of 32 bits to Kubernetes."""

Labels = dict[QualifiedName, LabelValue]
Annotations = dict[QualifiedName, Deferred[str]]


def as_text(value: Any) -> Any:
    """Take a number or a boolean of YAML for the text that it was written as."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value
