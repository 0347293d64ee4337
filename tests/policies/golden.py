"""The golden files of the policies."""

from pathlib import Path

from docs import write_policy_rules
from tests.policies.cases import findings

FINDINGS = Path(__file__).parent / "findings.txt"


def write() -> None:
    """Write the golden files of the policies, and the page of the rules."""
    FINDINGS.write_text(findings(), encoding="utf-8")
    write_policy_rules.write()
