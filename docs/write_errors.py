"""Writes the list of all errors from the table that defines them.

python -m docs.write_errors   write docs/reference/errors.md
"""

from pathlib import Path

from components.base.error_table import TABLE

FILE = Path(__file__).resolve().parent / "reference" / "errors.md"

_INTRODUCTION = """\
# Errors

An error is reported as its path, what is wrong there, and its code in brackets. The next line, if any, says how to
fix it: in words, as a valid value, or as the `pulumi config set` command that sets one.

    <file or component>: <path>: <message> [<code>]
      <fix>

All errors of a stack, or of one component, are reported together, before anything is deployed. Codes are stable;
messages may be improved in any release. In Python, `ArgumentError.problems` has the code, path, message and fix of
each error.

Each message below is an example.

"""


def render() -> str:
    """The content of the page."""
    return _INTRODUCTION + "\n".join(section for code in sorted(TABLE) for section in _section(code))


def _section(code: str) -> list[str]:
    message, fix = TABLE[code].example()
    lines = [f"    {line}" for line in (f"{message} [{code}]", f"  {fix}" if fix else "") if line]
    return [f"## {code}\n", *lines, ""]


def main() -> None:
    """Write the page."""
    FILE.write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
