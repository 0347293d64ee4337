"""The page of a review."""

from decimal import Decimal

import pytest

from review import messages, twin_messages
from review.gpus import Gpus
from review.layout import Section, code
from review.page import MARKS, bar, page
from review.preview import UNKNOWN_TEXT
from review.review import ComponentChange, ObjectChange, Review, ReviewedFinding, review
from review.twin.observe import Sample
from review.twin.report import TwinReport
from review.twin.rollouts import Rollout
from tests.edits import drop
from tests.policies.cases import SECURITY, evaluated
from tests.review.prod import POOLS, TODAY, given, inputs, parsed, reviewed


def sections(made: Review) -> dict[str, Section]:
    return {section.title: section for section in page(made).sections}


@pytest.mark.parametrize(
    ("made", "headline"),
    [
        (Review("dev", problems=(messages.PREVIEW_FAILED(error="e"),)), messages.BLOCKED(problems="1 problem")),
        (Review("dev", warnings=(messages.PREVIEW_WARNING(warning="w"),), counts={"create": 1}), messages.ATTENTION()),
        (Review("dev", counts={"create": 1}), messages.CLEAR()),
        (Review("dev"), messages.UNCHANGED()),
    ],
    ids=lambda value: value.verdict if isinstance(value, Review) else "",
)
def test_the_headline_is_the_verdict(made: Review, headline: messages.Message) -> None:
    assert page(made).headline == f"{MARKS[made.verdict]} {headline}"


def test_the_headline_counts_disruptive_interruptions() -> None:
    expected = messages.ATTENTION_INTERRUPTIONS(interruptions="2 interruptions")
    assert page(reviewed(given())).headline == f"{MARKS['attention']} {expected}"


def test_a_page_without_changes_has_no_sections() -> None:
    content = page(Review("dev"))
    assert (content.sections, content.summary) == ((), str(messages.STACK_UP_TO_DATE()))


def test_the_summary_separates_continuous_cost_from_that_of_jobs() -> None:
    _, continuously, while_jobs_run = page(reviewed(given())).summary.split(" · ")
    assert continuously.endswith(": +2 GPUs, +1.42 USD per hour, +1,037 per month")
    assert while_jobs_run.endswith(": +2 GPUs, +1.42 USD per hour")


def test_without_a_price_the_summary_has_no_cost() -> None:
    made = Review(
        "dev", counts={"update": 1}, gpus_before=Gpus(serving=Decimal(1)), gpus_after=Gpus(serving=Decimal(2))
    )
    assert page(made).summary.endswith(": +1 GPU")


def test_problems_warnings_and_notes_are_listed() -> None:
    problem = messages.NAMESPACE_NOT_FOUND(target="Job a/b", namespace="a")
    made = Review("dev", (problem,), warnings=(messages.PREVIEW_WARNING(warning="w"),), notes=(messages.NOT_QUERIED(),))
    assert [section.lines for section in page(made).sections] == [
        (str(problem),),
        ("w",),
        (str(messages.NOT_QUERIED()),),
    ]


def test_pending_objects_are_listed() -> None:
    made = review(parsed(given()), POOLS, TODAY, base=parsed(given()))
    (section,) = [one for one in page(made).sections if "Pending" in one.title]
    assert code("Service ml-serving/model-api") in section.lines


def test_new_components_come_last() -> None:
    components = [
        ComponentChange(team, "TrainingJob x", (ObjectChange(op, "Job a/x", ()),))
        for team, op in (("a", "create"), ("c", "replace"), ("b", "delete"))
    ]
    content = page(Review("dev", components=tuple(components), counts={"create": 1}))
    assert [section.title[0] for section in content.sections] == ["b", "c", "a"]


def test_a_field_of_several_objects_is_one_row() -> None:
    rows = sections(reviewed(given()))["nlp / ModelService model-serving"].rows
    (row,) = [row for row in rows if row[0] == code("metadata.labels.model-version")]
    assert row[1:] == (code("v1.2"), code("v1.3"), "Deployment, pods of Deployment")


def quotas(made: Review) -> Section:
    return next(section for section in page(made).sections if section.title.startswith("Quotas"))


def test_the_most_used_resources_of_a_quota_are_shown() -> None:
    section = quotas(reviewed(given()))
    assert [row[1] for row in section.rows if row[0] == code("ml-serving")] == [
        code("requests.nvidia.com/gpu"),
        code("limits.cpu"),
        code("limits.memory"),
    ]
    assert section.after == (str(messages.RESOURCES_OMITTED(resources="6 resources")),)


def test_a_quota_that_is_exceeded_is_marked() -> None:
    preview = given()
    inputs(preview, "model-serving-deployment")["spec"]["replicas"] = 9
    row, *_ = quotas(reviewed(preview)).rows
    assert row[2:] == ("3", "9", "8", "██████████ 112 % ✗")


@pytest.mark.parametrize(
    ("share", "drawn"),
    [("0", "░░░░░░░░░░ 0 %"), ("0.5", "█████░░░░░ 50 %"), ("1", "██████████ 100 %"), ("1.5", "██████████ 150 % ✗")],
)
def test_bar(share: str, drawn: str) -> None:
    assert bar(Decimal(share)) == drawn


def gpus(before: Gpus, after: Gpus) -> Section:
    (section,) = page(Review("dev", gpus_before=before, gpus_after=after)).sections
    return section


def test_gpus_and_their_cost() -> None:
    before = Gpus(serving=Decimal(1), serving_cost=Decimal("0.71"), training=Decimal(2))
    after = Gpus(serving=Decimal(3), serving_cost=Decimal("2.13"), training=Decimal(1))
    assert [row[1:] for row in gpus(before, after).rows] == [
        ("1", "3", "+1.42", "+1,037"),
        ("2", "1", "+0.00", ""),
    ]


@pytest.mark.parametrize(
    ("before", "after", "notes"),
    [
        (
            Gpus(unpriced={"Job a/b": Decimal(3)}),
            Gpus(),
            [messages.GPUS_WITHOUT_PRICE(when="Before: ", gpus="3 GPUs", workloads=code("Job a/b"))],
        ),
        (
            Gpus(serving=Decimal(1), unpriced={"Job a/b": Decimal(1)}),
            Gpus(unpriced={"Job a/b": Decimal(1)}),
            [messages.GPUS_WITHOUT_PRICE(when="", gpus="1 GPU", workloads=code("Job a/b"))],
        ),
        (
            Gpus(unknown=tuple("abcdefg")),
            Gpus(unknown=tuple("abcdefg")),
            [messages.GPUS_UNKNOWN(workloads=", ".join(map(code, "abcde")) + " and 2 more")],
        ),
    ],
)
def test_gpus_without_a_price_or_an_unknown_number(before: Gpus, after: Gpus, notes: list[messages.Message]) -> None:
    assert gpus(before, after).after == tuple(map(str, notes))


def test_policy_rules() -> None:
    preview = given()
    spec = inputs(preview, "model-serving-deployment")["spec"]["template"]["spec"]
    spec["serviceAccountName"] = "default"
    spec["containers"][0]["image"] = UNKNOWN_TEXT
    preview["config"]["policies:exceptions"] = (
        '[{"rule": "own-service-account", "object": "Job *", "reason": "until the next run", "until": "2026-06-30"}]'
    )
    inputs(preview, "finetune-job")["spec"]["template"]["spec"]["serviceAccountName"] = "default"
    made = reviewed(preview)
    lines = sections(made)["Policy rules"].lines
    starts = {line.split(" is exempt ")[0].split(" uses ")[0] for line in lines[:2]}
    assert starts == {code("Deployment ml-serving/model-serving"), code("Job ml-training/finetune")}
    undetermined = messages.UNDETERMINED(
        rules=", ".join(sorted(f"{u.rule.id} of {u.target}" for u in made.undetermined))
    )
    assert lines[2:] == (str(undetermined),)


def test_findings_that_the_change_does_not_introduce_are_counted() -> None:
    earlier = ReviewedFinding(evaluated("read-only-root", drop(SECURITY)).findings[0], "advisory", new=False)
    (section,) = page(Review("dev", findings=(earlier,))).sections
    assert section.lines == (str(messages.EARLIER_FINDINGS(findings="1 finding")),)


def test_what_was_tried_on_a_twin_comes_first() -> None:
    warning = twin_messages.SERVICE_AT_ZERO(target="Service ml-serving/model-api", duration="2 min")
    rollout = Rollout(
        "Service ml-serving/model-api", 3, 3, 0, 120, 120, 300, (Sample(0, 3), Sample(10, 0), Sample(130, 3))
    )
    tried = TwinReport(warnings=(warning,), rollouts=(rollout,))
    made = review(parsed(given()), POOLS, TODAY, twin=tried)
    titles = list(sections(made))
    assert titles[:2] == ["Rollout, as tried on a twin", "Found on the twin"]
    assert made.verdict == "attention"
    assert sections(made)["Found on the twin"].lines == (str(warning),)
    assert str(warning) not in sections(made).get("Warnings", Section("")).lines
