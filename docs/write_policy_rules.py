"""Writes the list of all policy rules, and how a stack configures them.

python -m docs.write_policy_rules   write docs/reference/policy-rules.md
"""

from pathlib import Path

from components.base.docstrings import markdown
from policies import RULES
from policies.settings import PolicyException

FILE = Path(__file__).resolve().parent / "reference" / "policy-rules.md"

_INTRODUCTION = """\
# Policy rules

The policy pack evaluates these rules for every object of a stack, whether a component of this project created it or
not. The review of a change evaluates them, too.

```sh
pulumi preview --stack prod --policy-pack policies
```

A violation of a *mandatory* rule fails the preview or the update. A violation of an *advisory* rule is reported. A rule
that depends on a value that is unknown before deployment is skipped; the review lists it.

"""

_SETTINGS = """\
## Severities and exceptions

A stack can change the level of a rule, and exempt objects from it:

```yaml
config:
  policies:severity: {read-only-root: mandatory, liveness-waits: disabled}
  policies:exceptions:
    - rule: read-only-root
      object: Deployment ml-serving/legacy
      reason: the image writes next to its own program until v2
      until: 2027-03-31
```

`disabled` turns a rule off. The review of a change shows the exceptions that apply, with their reasons. All keys of an
exception are required:

"""


def render() -> str:
    """The content of the page."""
    rules = [f"| `{rule.id}` | {rule.level} | {rule.reason} | {rule.fix} |" for rule in RULES.values()]
    keys = [
        f"- `{name}`: {' '.join(markdown(field.description).split())}"
        for name, field in PolicyException.model_fields.items()
    ]
    table = ["## Rules\n", "| rule | level | reason | fix |", "| --- | --- | --- | --- |", *rules]
    return _INTRODUCTION + "\n".join([*table, "", _SETTINGS.rstrip(), "", *keys]) + "\n"


def main() -> None:
    """Write the page."""
    FILE.write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
