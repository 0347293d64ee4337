"""The admission policy for owners, which is written by hand. tests/e2e/test_ownership.py has its effect."""

from pathlib import Path

import yaml

from components.base.error_table import TABLE
from components.base.ownership import ADOPT, OWNER

_FILE = Path(__file__).resolve().parent.parent.parent / "config" / "ownership-policy.yaml"


def test_it_reads_the_annotations_that_the_components_write() -> None:
    policy, binding = yaml.safe_load_all(_FILE.read_text(encoding="utf-8"))
    text = str(policy["spec"])
    assert OWNER in text
    (adopt,) = ADOPT
    assert adopt in text
    assert binding["spec"]["policyName"] == policy["metadata"]["name"]


def test_its_messages_have_the_codes_of_the_errors() -> None:
    text = _FILE.read_text(encoding="utf-8")
    codes = {part.split("]")[0] for part in text.split("[")[1:]} & TABLE.keys()
    assert codes == {"owned-by-no-component", "owned-by-stack"}
