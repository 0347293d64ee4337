"""Policies: rules over manifests, and the pack that the Pulumi engine runs."""

from policies.rule import RULES, EnforcementLevel, Evaluation, Exempted, Finding, Rule, Undetermined, evaluate
from policies.rules import containers, objects, pods, rbac, stacks  # noqa: F401 - each module registers its rules
from policies.settings import PolicySettings, PolicySettingsError

__all__ = [
    "RULES",
    "EnforcementLevel",
    "Evaluation",
    "Exempted",
    "Finding",
    "PolicySettings",
    "PolicySettingsError",
    "Rule",
    "Undetermined",
    "evaluate",
]
