"""The formats of a review."""

import copy
import json
import re
from typing import Any

import pytest

from review import messages
from review.layout import LIMIT
from review.preview import UNKNOWN_TEXT
from review.render import as_json, markdown, marker, text
from tests.review.golden import PAGE, page_with_codes
from tests.review.prod import given, inputs, reviewed, step


def test_the_page_of_a_change_of_prod_is_recorded() -> None:
    """If this fails because of a new layout: make golden."""
    assert page_with_codes(given()) == PAGE.read_text(encoding="utf-8")


def test_the_first_line_identifies_the_comment_and_the_second_is_the_headline() -> None:
    made = reviewed(given())
    headline = messages.ATTENTION_INTERRUPTIONS(interruptions="2 interruptions")
    first, second, *_ = markdown(made).splitlines()
    assert (first, second) == (marker("prod"), f"## prod: ⚠️ {headline}")
    assert text(made).startswith(f"prod: ⚠️ {headline}\n")


def test_an_entry_of_several_lines_is_a_code_block() -> None:
    preview = given()
    preview["diagnostics"] = [{"severity": "error", "message": "error: Pulumi.prod.yaml: invalid\n  fix it"}]
    page = markdown(reviewed(preview))
    assert "```\n  Pulumi.prod.yaml: invalid\n    fix it\n  ```" in page
    assert "model-serving" not in page


def test_unknown_values_are_not_shown_as_markers() -> None:
    preview = given()
    inputs(preview, "model-serving-deployment")["spec"]["replicas"] = UNKNOWN_TEXT
    made = reviewed(preview)
    for formatted in (markdown(made), text(made), as_json(made)):
        assert UNKNOWN_TEXT not in formatted


HOSTILE = "x` | [a](http://evil) @everyone <img src=x> **b**\n# title"


def test_nothing_in_a_stack_is_interpreted_as_markdown() -> None:
    preview = given()
    deployment = inputs(preview, "model-serving-deployment")
    deployment["metadata"]["annotations"] = {HOSTILE: HOSTILE}
    deployment["spec"]["template"]["spec"]["containers"][0]["image"] = HOSTILE
    page = markdown(reviewed(preview))
    outside_code = re.sub(r"(```+)\n.*?\n *\1", "", page, flags=re.DOTALL)
    outside_code = re.sub(r"(`+)(?:(?!\1).)+?\1", "", outside_code)
    for trick in ("](http", "@everyone", "<img", "**b**"):
        assert trick not in outside_code
    rows = [line for line in page.splitlines() if line.startswith("| ") and "annotations" in line]
    assert rows
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 5 for row in rows)
    assert "\n# title" not in page


def large(objects: int) -> dict[str, Any]:
    """A change of many services."""
    preview = given()
    template = step(preview, "model-serving-deployment")
    for index in range(objects):
        changed = copy.deepcopy(template)
        changed["urn"] += f"-{index}"
        for side in ("oldState", "newState"):
            changed[side]["parent"] = f"urn:pulumi:prod::ml-platform::ml-platform:index:ModelService::service-{index}"
            changed[side]["inputs"]["metadata"]["name"] = f"service-{index}"
        changed["newState"]["inputs"]["spec"]["template"]["spec"]["containers"][0]["env"] = [
            {"name": f"V{number}", "value": "x" * 200} for number in range(5)
        ]
        preview["steps"].append(changed)
    return preview


@pytest.mark.parametrize("objects", [20, 150, 600])
def test_a_large_change_fits_into_a_comment(objects: int) -> None:
    made = reviewed(large(objects))
    page = markdown(made)
    assert len(page) <= LIMIT
    assert page.splitlines()[1].startswith("## prod: ❌")
    assert made.problems
    assert made.problems[0].text in page
    assert "### GPUs and their cost" in page
    assert ("### Omitted" in page) == (objects > 20)


def failing(*errors: str) -> str:
    """The page of a preview that fails with errors."""
    preview = given()
    preview["diagnostics"] = [{"severity": "error", "message": error} for error in errors]
    page = markdown(reviewed(preview))
    assert len(page) <= LIMIT
    return page


@pytest.mark.parametrize("separator", ["", "\n"], ids=["one line", "several lines"])
def test_an_entry_that_is_longer_than_a_comment_is_cut(separator: str) -> None:
    page = failing("the long one: " + separator + "y" * 2 * LIMIT, "the short one: fix it")
    omitted = 2 * LIMIT + len("the long one: " + separator) - 1000
    assert f"y… {messages.CHARACTERS_OMITTED(characters=f'{omitted} characters')}" in page
    assert "the short one: fix it" in page


def test_many_long_problems_are_all_listed() -> None:
    page = failing(*(f"problem {index}: " + "y" * 3_000 for index in range(30)))
    assert [f"problem {index}: " in page for index in range(30)] == [True] * 30


def test_problems_that_do_not_fit_are_counted() -> None:
    page = failing(*(f"problem {index}: " + "`" * 3_000 for index in range(30)))  # each is escaped as five characters
    listed = sum(f"problem {index}: " in page for index in range(30))
    assert listed >= 10
    assert f"*{messages.ENTRIES_OMITTED(rows=f'{30 - listed} more rows')}*" in page


def test_json_has_codes_and_values() -> None:
    preview = given()
    inputs(preview, "finetune-job")["spec"]["template"]["spec"]["serviceAccountName"] = "default"
    made = json.loads(as_json(reviewed(preview)))
    (found,) = [found for found in made["findings"] if found["new"]]
    assert (found["finding"]["rule"]["id"], found["level"]) == ("own-service-account", "advisory")
    assert set(found["finding"]["rule"]) == {"id", "reason", "fix", "level"}
    assert made["verdict"] == "attention"
    assert made["counts"] == {"create": 2, "replace": 1, "update": 4}
    assert {use["key"] for use in made["quotas"]} >= {"requests.nvidia.com/gpu", "pods"}
    assert made["gpus_after"]["serving"] == 5
    assert made["gpus_after"]["serving_cost"] == 3.55
    (note,) = made["notes"]
    assert (note["code"], note["values"]["reason"]["code"]) == ("cluster-not-checked", "not-queried")
    assert {one["effect"]["code"] for one in made["interruptions"]} >= {"address-released", "rolling-update"}


def test_an_empty_value_is_visible() -> None:
    preview = given()
    inputs(preview, "model-serving-deployment")["metadata"]["labels"]["team"] = ""
    assert "| `nlp` | (empty) |" in markdown(reviewed(preview))


def test_the_date_of_an_exception_in_json() -> None:
    preview = given()
    inputs(preview, "finetune-job")["spec"]["template"]["spec"]["serviceAccountName"] = "default"
    exception = {
        "rule": "own-service-account",
        "object": "Job *",
        "reason": "until the next run",
        "until": "2026-06-30",
    }
    preview["config"]["policies:exceptions"] = json.dumps([exception])
    (exempted,) = json.loads(as_json(reviewed(preview)))["exempted"]
    assert (exempted["reason"], exempted["until"]) == ("until the next run", "2026-06-30")
