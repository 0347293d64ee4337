"""The page of the policy rules."""

import json
import re
from datetime import date

import yaml

from docs.write_policy_rules import FILE, page
from policies import RULES, PolicySettings


def test_the_page_is_current() -> None:
    """If this fails: make golden."""
    assert FILE.read_text(encoding="utf-8") == page()


def test_every_rule_has_a_section() -> None:
    assert re.findall(r"^### `(.+)`$", page(), re.MULTILINE) == list(RULES)
    for rule in RULES.values():
        _, section = page().split(f"### `{rule.id}`\n")
        assert section.lstrip().lower().startswith(rule.level)
        assert rule.reason[1:] in section.split("###")[0]
        assert rule.fix in section.split("###")[0]


def test_the_example_of_the_settings_is_valid() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", page(), re.DOTALL)
    config = yaml.safe_load(block)["config"]
    settings = PolicySettings.parse({key: json.dumps(value, default=str) for key, value in config.items()})
    assert settings.severity == {"read-only-root": "mandatory", "liveness-waits": "disabled"}
    (exception,) = settings.exceptions
    assert exception.until == date(2027, 3, 31)
