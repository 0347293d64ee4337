"""The loader: what a stack may say, and what it is told where it says something else."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pulumi
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from components.base.errors import Problem
from components.base.validation import problems_of
from components.pod.presets import PRESETS
from config import StackError, StackSettings, load, load_file, schema
from tests.broken import BROKEN, prod
from tests.mocks import deploy

PROJECT = Path(__file__).resolve().parent.parent


def through_the_engine(settings: dict[str, Any]) -> None:
    """Load settings as the engine hands them to the program."""
    config = {f"ml-platform:{key}": json.dumps(value) for key, value in settings.items()}
    deploy(load, stack="prod", config=config)


def through_the_file(settings: dict[str, Any], folder: Path) -> None:
    """Load settings from a stack's file."""
    content = {"config": {f"ml-platform:{key}": value for key, value in settings.items()}}
    (folder / "Pulumi.prod.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    load_file("prod", folder)


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_stack_is_told_where_what_and_how_to_mend_it(broken: str, tmp_path: Path) -> None:
    damage, where_and_what, fix = BROKEN[broken]
    settings = prod()
    damage(settings)
    with pytest.raises(StackError) as from_file:
        through_the_file(settings, tmp_path)
    with pytest.raises(StackError) as from_engine:
        through_the_engine(settings)
    assert f"Pulumi.prod.yaml: {where_and_what}" in str(from_file.value)
    assert fix in str(from_file.value)
    assert str(from_engine.value) == str(from_file.value)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    settings = prod()
    for name in (
        "no replicas",
        "an unknown team",
        "a GPU limit in a quota",
        "a misspelled section",
        "an unknown preset",
    ):
        BROKEN[name][0](settings)
    with pytest.raises(StackError) as error:
        through_the_file(settings, tmp_path)
    assert str(error.value).startswith("5 problems in the configuration of stack prod\n")
    assert len(error.value.problems) == 5


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_committed_stacks_load_alike_from_file_and_engine(stack: str) -> None:
    content = yaml.safe_load((PROJECT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))["config"]
    found: list[Any] = []
    config = {key: json.dumps(value) for key, value in content.items()}
    deploy(lambda: found.append(load()), stack=stack, config=config)
    assert found == [load_file(stack, PROJECT)]


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_schema_accepts_the_committed_stacks(stack: str) -> None:
    content = yaml.safe_load((PROJECT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))
    jsonschema.validate({"config": content["config"]}, schema.stack_file_schema())


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_both_stack_files_point_editors_to_the_schema(stack: str) -> None:
    first = (PROJECT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=./Pulumi.schema.json"


def test_the_schema_file_is_fresh() -> None:
    assert schema.FILE.read_text(encoding="utf-8") == schema.render(), "run: python -m config schema"


def test_the_schema_explains_every_argument_and_refuses_unknown_ones() -> None:
    root = schema.stack_file_schema()
    for name, definition in root["$defs"].items():
        assert definition["additionalProperties"] is False, name
        for key, argument in definition["properties"].items():
            assert argument.get("description"), f"{name}.{key} has no description"
    broken = {"config": {"ml-platform:modelServices": {"x": {"replica": 1}}}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, root)


def test_a_secret_is_refused_and_never_shown(tmp_path: Path) -> None:
    settings = prod()
    settings["trainingJobs"]["pytorch-training"]["env"] = {"TOKEN": {"secure": "v1:abc:def"}}
    with pytest.raises(StackError) as from_file:
        through_the_file(settings, tmp_path)
    assert "ml-platform:trainingJobs: holds a secret" in str(from_file.value)
    assert "secretEnv" in str(from_file.value)

    settings["trainingJobs"]["pytorch-training"]["env"] = {"TOKEN": "hunter2"}
    settings["trainingJobs"]["pytorch-training"]["gpus"] = "hunter2"
    config = {f"ml-platform:{key}": json.dumps(value) for key, value in settings.items()}

    def program() -> None:
        pulumi.runtime.set_all_config(config, ["ml-platform:trainingJobs"])
        load()

    with pytest.raises(StackError) as from_engine:
        deploy(program, stack="prod")
    assert "holds a secret" in str(from_engine.value)
    assert "hunter2" not in str(from_engine.value)


@pytest.mark.parametrize("key", ["env", "annotations", "secretEnv", "args"])
def test_values_that_may_be_secrets_are_not_echoed(key: str, tmp_path: Path) -> None:
    settings = prod()
    settings["trainingJobs"]["pytorch-training"][key] = "hunter2"
    with pytest.raises(StackError) as error:
        through_the_file(settings, tmp_path)
    assert f"pytorch-training.{key}: must be" in str(error.value)
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("config: [", "Pulumi.prod.yaml: is not YAML at line 1"),
        ("a\tb: {", "Pulumi.prod.yaml: is not YAML"),
        ("config:\n  ml-platform:teams: 7\n", "ml-platform:teams: must be a mapping of names to values (got 7)"),
        # Loaded as empty, these would have a tool that prunes delete all that the stack has.
        ("config: [a]", "Pulumi.prod.yaml: config: must be a mapping of keys to values\n  write each setting"),
        ("config: false", "Pulumi.prod.yaml: config: must be a mapping"),
        ("- ml-platform:teams", "Pulumi.prod.yaml: must be a mapping of keys to values\n  write each setting"),
        ("[]", "Pulumi.prod.yaml: must be a mapping"),
        ("confg: {}\nencryptionsalt: v1", "Pulumi.prod.yaml: confg is no key of a stack's file\n"),
    ],
)
def test_a_file_that_is_no_stack(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.prod.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(StackError) as error:
        load_file("prod", tmp_path)
    assert message in str(error.value)


def test_a_file_in_another_encoding_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.prod.yaml").write_bytes("config: {} # für".encode("latin-1"))
    with pytest.raises(StackError, match=r"Pulumi\.prod\.yaml: is not UTF-8 at byte 15\n  save it as UTF-8"):
        load_file("prod", tmp_path)


@pytest.mark.parametrize("route", [None, {"gateway": "public"}])
def test_one_mistake_of_a_canary_is_told_once(route: Any) -> None:
    stack = prod()
    stack["modelServices"] = _canary_and("ml-serving", route)
    (problem,) = _problems(stack)
    assert problem.property_path() == "modelServices.a.canary"


def test_what_is_in_different_namespaces_is_not_in_each_others_way() -> None:
    stack = prod()
    stack["modelServices"] = _canary_and("ml-experiments", {"gateway": "public"})
    stack["trainingJobs"] = {"a": {"team": "ml-training", "image": "a:b"}}
    assert _problems(stack) == []


def _canary_and(team: str, route: Any) -> dict[str, Any]:
    """A service with a canary, and one in a team that has the canary's name."""
    canary = {"image": "a:c", "weight": 10}
    return {
        "a": {"team": "ml-serving", "image": "a:b", "canary": canary, "route": route},
        "a-canary": {"team": team, "image": "a:b"},
    }


def test_a_stack_without_a_file_names_those_that_have_one() -> None:
    with pytest.raises(StackError, match=r"there is no such file\n  the project has the stacks: dev, prod"):
        load_file("staging", PROJECT)


def test_a_stack_may_have_a_dot_in_its_name(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.eu.prod.yaml").write_text("config: {}", encoding="utf-8")
    assert load_file("eu.prod", tmp_path).teams == {}
    with pytest.raises(StackError, match=r"the project has the stacks: eu\.prod"):
        load_file("eu", tmp_path)


@pytest.mark.parametrize("content", ["", "config:\n"])
def test_an_empty_stack_is_a_stack(content: str, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.prod.yaml").write_text(content, encoding="utf-8")
    assert load_file("prod", tmp_path).teams == {}


@pytest.mark.parametrize("broken", ["a team that is a list", "no pods that may be disrupted"])
def test_what_may_be_of_two_types_is_told_once(broken: str, tmp_path: Path) -> None:
    settings = prod()
    BROKEN[broken][0](settings)
    with pytest.raises(StackError) as error:
        through_the_file(settings, tmp_path)
    assert len(error.value.problems) == 1


def test_the_users_own_words_win_over_a_preset(tmp_path: Path) -> None:
    settings = prod()
    settings["nodePools"]["gpu"].update(nodeSelector={"zone": "a"}, gpuResource="nvidia.com/mig-1g.10gb")
    content = {"config": {f"ml-platform:{key}": value for key, value in settings.items()}}
    (tmp_path / "Pulumi.prod.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    pool = load_file("prod", tmp_path).node_pools["gpu"]
    assert pool.node_selector == {"cloud.google.com/gke-accelerator": "nvidia-l4", "zone": "a"}
    assert pool.gpu_resource == "nvidia.com/mig-1g.10gb"
    assert pool.tolerations[0].key == "nvidia.com/gpu"


def test_tolerations_are_added_to_those_of_a_preset() -> None:
    def pool(preset: str, *tolerations: Mapping[str, str]) -> list[str]:
        settings = StackSettings.parse({"nodePools": {"gpu": {"preset": preset, "tolerations": list(tolerations)}}})
        return [toleration.key for toleration in settings.node_pools["gpu"].tolerations]

    assert pool("gke/nvidia-l4", {"key": "spot"}) == ["spot", "nvidia.com/gpu"]
    assert pool("aks/nvidia", {"key": "spot"}) == ["spot", "sku"]
    assert pool("gke/nvidia-l4", *PRESETS["gke/nvidia-l4"]["tolerations"]) == ["nvidia.com/gpu"]


def test_a_toleration_beside_a_preset_is_refused_in_its_own_place() -> None:
    stack = {"nodePools": {"gpu": {"preset": "gke/nvidia-l4", "tolerations": [{"key": "spot", "operator": "Exist"}]}}}
    (problem,) = _problems(stack)
    assert problem.property_path() == "nodePools.gpu.tolerations[0].operator"


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_are_valid_node_pools(preset: str, tmp_path: Path) -> None:
    content = {"config": {"ml-platform:nodePools": {"gpu": {"preset": preset}}}}
    (tmp_path / "Pulumi.x.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    pool = load_file("x", tmp_path).node_pools["gpu"]
    assert pool.gpus(2) == {"nvidia.com/gpu": "2"}
    assert pool.node_selector


NONSENSE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("gpu"),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=8), values, max_size=3),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_nonsense_anywhere_in_a_stack_is_refused_in_words(data: st.DataObject) -> None:
    stack = prod()
    place: Any = stack
    while True:
        key = data.draw(st.sampled_from(sorted(place)))
        if not isinstance(place[key], dict) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = data.draw(NONSENSE)
    problems = _problems(stack)
    assert all(problem.message for problem in problems)
    assert not problems or str(StackError("prod", problems))


def _problems(stack: dict[str, Any]) -> list[Problem]:
    try:
        StackSettings.parse(stack)
    except ValidationError as error:
        return problems_of(error)
    return []
