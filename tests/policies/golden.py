"""The golden files of the policies."""

from pathlib import Path

from tests.policies.cases import findings

FINDINGS = Path(__file__).parent / "findings.txt"


def write() -> None:
    """Write the golden files of the policies."""
    FINDINGS.write_text(findings(), encoding="utf-8")
