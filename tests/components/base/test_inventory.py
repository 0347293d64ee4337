"""Entries of a stack from one update to the next."""

from typing import Any

import pulumi
import pytest

from components.base.inventory import PYTHON, Entries, Entry, problems, read, recorded

BERT = {"team": "nlp", "image": "registry/bert:v1", "replicas": 2}


def services(**entries: dict[str, Any]) -> Entries:
    return {
        "modelServices": {
            key: Entry.of(
                args.get("name") or args.get("formerly") or key,
                args,
                formerly=(args["formerly"],) if "formerly" in args else (),
            )
            for key, args in entries.items()
        }
    }


def found(old: Entries, new: Entries) -> dict[str, str]:
    return {problem.property_path(): problem.code for problem in problems(old, new)}


OLD = services(bert=BERT)


@pytest.mark.parametrize(
    "entry",
    [
        BERT,
        {**BERT, "name": "bert"},
        # The name is kept, whatever else changes.
        {"name": "bert", "team": "vision", "image": "registry/other:v9"},
        # Changed on the way.
        {**BERT, "image": "registry/bert:v2", "replicas": 3},
    ],
)
def test_a_renamed_entry_is_rejected(entry: dict[str, Any]) -> None:
    assert found(OLD, services(ranker=entry)) == {"modelServices.ranker": "entry-renamed"}


@pytest.mark.parametrize(
    "new",
    [
        services(ranker={**BERT, "formerly": "bert"}),
        services(ranker={**BERT, "formerly": "bert", "name": "bert", "image": "registry/bert:v2"}),
        services(bert=BERT, ranker=BERT),
        services(bert={**BERT, "formerly": "older", "name": "bert"}),
        services(),
        services(gpt={"team": "vision", "image": "registry/gpt:v1", "gpus": 1}),
    ],
)
def test_a_move_an_addition_and_a_removal_are_not(new: Entries) -> None:
    assert found(OLD, new) == {}


def test_the_fix_names_the_key_and_the_name_to_keep() -> None:
    (problem,) = problems(services(ranker={**BERT, "name": "bert"}), services(scorer=BERT))
    assert problem.fix is not None
    assert "formerly: ranker" in problem.fix
    assert "name: bert" in problem.fix


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (OLD, services(bert={**BERT, "name": "ranker"})),
        (OLD, services(ranker={**BERT, "formerly": "bert", "name": "ranker"})),
        # `formerly` is removed, and `name` was never set.
        (services(ranker={**BERT, "formerly": "bert"}), services(ranker=BERT)),
        # The key before the last one named the objects.
        (services(ranker={**BERT, "name": "bert"}), services(scorer={**BERT, "formerly": "ranker"})),
    ],
)
def test_the_name_of_the_objects_is_immutable(old: Entries, new: Entries) -> None:
    assert list(found(old, new).values()) == ["entry-name-immutable"]


def test_the_first_update_of_a_stack_is_compared_with_nothing() -> None:
    assert found({}, services(bert=BERT)) == {}


def test_one_removed_entry_explains_one_new_entry() -> None:
    assert list(found(OLD, services(a=BERT, b=BERT)).values()) == ["entry-renamed"]


def test_of_several_renamed_entries_each_is_the_most_similar_one() -> None:
    pod = {**BERT, "controller": "pod"}
    (first, second) = problems(services(fit=BERT, **{"fit-pod": pod}), services(**{"train-pod": pod, "train": BERT}))
    assert first.fix is not None
    assert second.fix is not None
    assert (first.path[1], "formerly: fit-pod " in first.fix) == ("train-pod", True)
    assert (second.path[1], "formerly: fit " in second.fix) == ("train", True)
    # Equal entries: by their keys.
    (first, second) = problems(services(a1=BERT, b1=BERT), services(b2=BERT, a2=BERT))
    assert "formerly: b1 " in str(first.fix)
    assert "formerly: a1 " in str(second.fix)


def test_an_object_does_not_move_to_another_entry() -> None:
    def entries(**services: str) -> Entries:
        return {
            "modelServices": {
                key: Entry.of(key, {"image": key}, [f"Service lab/{api}"]) for key, api in services.items()
            }
        }

    swapped = found(entries(a="one", b="two"), entries(a="two", b="one"))
    assert swapped == {"modelServices.a": "entry-object-moved", "modelServices.b": "entry-object-moved"}
    assert found(entries(a="one"), entries(a="three", c="two")) == {}


def test_a_component_does_not_move_to_another_parent() -> None:
    def program(parent: str, *, has_moved: bool = False) -> Entries:
        return {"ModelService": {"bert": Entry.of("bert", BERT, parent=parent, has_moved=has_moved)}}

    assert [problem.code for problem in problems(program(""), program("app:Platform"), PYTHON)] == ["component-moved"]
    assert [problem.code for problem in problems(program("app:Platform"), program(""), PYTHON)] == ["component-moved"]
    assert problems(program(""), program("app:Platform", has_moved=True), PYTHON) == []
    assert problems(program("app:Platform"), program("app:Platform"), PYTHON) == []


def test_components_of_a_program_have_errors_of_their_own() -> None:
    (problem,) = problems(OLD, services(ranker=BERT), PYTHON)
    assert problem.code == "component-renamed"
    (problem,) = problems(OLD, services(bert={**BERT, "name": "ranker"}), PYTHON)
    assert problem.code == "component-name-immutable"


def test_a_record_is_read_as_it_was_written() -> None:
    entries = {"ModelService": {"bert": Entry.of("bert", BERT, ["Service lab/bert"], parent="app:Platform")}}
    assert read({"ModelService": recorded(entries["ModelService"])}) == entries


def test_values_that_are_not_known_yet_do_not_differ() -> None:
    first, second = (Entry.of("bert", {"namespace": pulumi.Output.from_input("lab")}) for _ in range(2))
    assert first == second
