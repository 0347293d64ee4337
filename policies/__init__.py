"""What every object of the platform has to be: rules over manifests, and the pack that the engine runs."""

from policies import access, containers, objects, pods, stacks  # noqa: F401 - each defines its rules
from policies.rule import RULES, UNKNOWN, Finding, Level, Rule, Verdict, judge
from policies.settings import PolicySettings, judged

__all__ = ["RULES", "UNKNOWN", "Finding", "Level", "PolicySettings", "Rule", "Verdict", "judge", "judged"]
