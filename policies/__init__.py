"""What every object of the platform has to be: rules over manifests, and the pack that the engine runs."""

from policies.rule import RULES, Finding, Level, Rule, Verdict, judge
from policies.rules import containers, objects, pods, rbac, stacks  # noqa: F401 - each defines its rules
from policies.settings import PolicySettings, judged

__all__ = ["RULES", "Finding", "Level", "PolicySettings", "Rule", "Verdict", "judge", "judged"]
