"""Writes all generated files again, after a change to what they are generated from.

make golden

A test fails if one of them is out of date. Add the function that writes a new one to WRITERS.
"""

from collections.abc import Callable

from config import schema
from docs import write_errors, write_policy_rules, write_reference
from tests.docs import outputs
from tests.review import golden as review


def write_schema() -> None:
    """Write the schema of the stacks' files, which editors use."""
    schema.FILE.write_text(schema.render(), encoding="utf-8")


WRITERS: tuple[Callable[[], None], ...] = (
    write_schema,  # Pulumi.schema.json
    write_reference.main,  # docs/reference/*.md, except errors.md and policy-rules.md
    write_errors.main,  # docs/reference/errors.md
    write_policy_rules.write,  # docs/reference/policy-rules.md
    outputs.write,  # the outputs that other pages show
    review.write,  # tests/review/messages.txt and prod-change.*, tests/policies/findings.txt
)


if __name__ == "__main__":
    for write in WRITERS:
        write()
