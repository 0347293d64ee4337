"""Values that are secrets by their format, under any name: those that detect-secrets knows, and a few more."""

import re
from collections.abc import Collection
from functools import cache

from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.filters import heuristic
from detect_secrets.plugins.base import BasePlugin, RegexBasedDetector
from detect_secrets.plugins.high_entropy_strings import Base64HighEntropyString
from detect_secrets.plugins.ip_public import IPPublicDetector

# Formats that detect-secrets 1.5 does not know: tokens of model hubs and providers, passwords of URLs without a user.
_MORE = re.compile(
    r"\b(hf_|gh[opsur]_|github_pat_|glpat-|pul-)[A-Za-z0-9_-]{8,}"
    r"|\bsk-(?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{16,}"
    r"|://[^/\s:@]*:[^/\s@]+@"
)
# A value without words: uppercase and lowercase letters and digits, not separated.
_MIXED = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])[A-Za-z0-9+/=_-]{20,128}")
_RUN = re.compile(r"[A-Za-z0-9+]{16,}")
_RANDOM = Base64HighEntropyString()


@cache
def _detectors() -> tuple[BasePlugin, ...]:
    plugins: Collection[type[BasePlugin]] = get_mapping_from_secret_type_to_class().values()
    return tuple(
        plugin() for plugin in plugins if issubclass(plugin, RegexBasedDetector) and plugin is not IPPublicDetector
    )


@cache
def has_secret_format(text: str) -> bool:
    """Whether a text contains a value that is a secret by its format, such as a token of a provider."""
    return _MORE.search(text) is not None or any(
        secret for detector in _detectors() for secret in detector.analyze_string(text)
    )


def is_random(text: str) -> bool:
    """Whether a text as a whole looks like generated: a key, but no digest, identifier or name."""
    return (
        _MIXED.fullmatch(text) is not None
        and _RUN.search(text) is not None
        and not heuristic.is_potential_uuid(text)
        and not heuristic.is_sequential_string(text)
        and _RANDOM.calculate_shannon_entropy(text) > _RANDOM.entropy_limit
    )


def is_placeholder(text: str) -> bool:
    """Whether a value only stands for a secret: a variable, a path of a file, a switch."""
    value = text.strip().strip("\"'")
    return (
        not value
        or (heuristic.is_templated_secret(value) and '"' not in value)
        or heuristic.is_prefixed_with_dollar_sign(value)
        or _NO_SECRET.fullmatch(value) is not None
    )


_NO_SECRET = re.compile(
    r"\.{0,2}/.*|file:.*|[0-9]{1,3}|true|false|yes|no|none|null|\*+|\[secret\]|\$\(.*\)|.*\{\{.*\}\}.*",
    re.IGNORECASE | re.DOTALL,
)
