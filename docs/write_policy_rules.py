"""Writes the page of the policy rules from the rules themselves: ``python -m docs.write_policy_rules``."""

import textwrap
from pathlib import Path

from pydantic.fields import FieldInfo

from policies import RULES, Rule
from policies.settings import NAMESPACE, PolicyException, PolicySettings

FILE = Path(__file__).resolve().parent / "reference" / "policy-rules.md"

_INTRODUCTION = f"""\
# Policy rules

The policy pack in `policies/` and the [review of a change](../how-to/review-a-change.md) check the objects of a
stack against these rules. The Pulumi engine runs the pack:

```sh
pulumi preview --stack prod --policy-pack policies
```

A finding of a **mandatory** rule fails the preview or the update; a finding of an **advisory** rule is only
reported. A rule that depends on a value that is unknown in a preview is checked in the update, before the object
is created.

## Severities and exceptions

A stack sets both in its file, under the namespace `{NAMESPACE}`.

```yaml
config:
  policies:severity:
    read-only-root: mandatory
    liveness-waits: disabled
  policies:exceptions:
    - rule: read-only-root
      object: Deployment ml-serving/legacy
      reason: the image writes next to its own program until v2
      until: 2027-03-31
```
"""


def page() -> str:
    """The content of the page."""
    parts = [_INTRODUCTION]
    for name, field in PolicySettings.model_fields.items():
        parts.append(textwrap.fill(f"`{NAMESPACE}:{name}`: {_description(field)}", 115) + "\n")
    parts.append("| key of an exception | meaning | example |\n| --- | --- | --- |")
    parts += [
        f"| `{name}` | {_description(field)} | `{field.examples[0] if field.examples else ''}` |"
        for name, field in PolicyException.model_fields.items()
    ]
    parts.append("\n## Rules\n\nWritten by `.venv/bin/python -m docs.write_policy_rules`.\n")
    parts += [_rule(rule) for rule in RULES.values()]
    return "\n".join(parts)


def _rule(rule: Rule) -> str:
    others = ", in view of the other objects of the stack" if rule.whole_stack else ""
    return f"""\
### `{rule.id}`

{rule.level.capitalize()}; checks {", ".join(rule.subjects)}{others}.

{_sentence(rule.reason)}

Fix: {rule.fix}.
"""


def _sentence(clause: str) -> str:
    return f"{clause[:1].upper()}{clause[1:]}."


def _description(field: FieldInfo) -> str:
    return " ".join(str(field.description).replace("``", "`").split())


def write() -> None:
    """Write the page."""
    FILE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    write()
