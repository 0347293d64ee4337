import re

from docs import write_policy_rules
from policies import RULES
from policies.settings import PolicyException, PolicySettings


def test_the_page_is_up_to_date() -> None:
    """If this fails: ``make golden``."""
    assert write_policy_rules.FILE.read_text(encoding="utf-8") == write_policy_rules.render()


def test_every_rule_is_listed_with_its_level() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \| (\w+) \|", write_policy_rules.render(), re.MULTILINE)
    assert rows == [(rule.id, rule.level) for rule in RULES.values()]


def test_the_example_is_valid_and_every_key_of_an_exception_is_described() -> None:
    page = write_policy_rules.render()
    (example,) = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    settings = PolicySettings.of_file(example)
    assert settings.severity == {"read-only-root": "mandatory", "liveness-waits": "disabled"}
    assert len(settings.exceptions) == 1
    for name in PolicyException.model_fields:
        assert f"\n- `{name}`: " in page
