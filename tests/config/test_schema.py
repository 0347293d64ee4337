"""The JSON Schema of a stack's file."""

import jsonschema
import pytest
import yaml

from config import schema
from tests.broken import PROJECT


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_schema_accepts_the_committed_stacks(stack: str) -> None:
    content = yaml.safe_load((PROJECT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))
    jsonschema.validate({"config": content["config"]}, schema.stack_file_schema())


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_both_stack_files_refer_to_the_schema(stack: str) -> None:
    first = (PROJECT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=./Pulumi.schema.json"


def test_the_schema_file_is_fresh() -> None:
    assert schema.FILE.read_text(encoding="utf-8") == schema.render(), "run: python -m config schema"


def test_the_schema_describes_every_argument_and_rejects_unknown_ones() -> None:
    root = schema.stack_file_schema()
    for name, definition in root["$defs"].items():
        assert definition["additionalProperties"] is False, name
        for key, argument in definition["properties"].items():
            assert argument.get("description"), f"{name}.{key} has no description"
    broken = {"config": {"ml-platform:modelServices": {"x": {"replica": 1}}}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, root)


def test_known_keys() -> None:
    known = schema.Schema()
    assert known.keys([]) == {"nodePools", "teams", "priorityClasses", "trainingJobs", "modelServices"}
    assert "period_seconds" not in known.keys(["modelServices", "bert", "health", "readiness"])
    assert "periodSeconds" in known.keys(["modelServices", "bert", "health", "readiness"])
    assert "effect" in known.keys(["nodePools", "gpu", "tolerations", 0])
    assert known.keys(["teams", "nlp", "quota"]) == set()


@pytest.mark.parametrize(
    ("path", "example"),
    [
        (["modelServices", "bert", "replicas"], 3),
        (["modelServices", "bert", "service", "type"], "ClusterIP"),
        (["modelServices", "bert", "service", "nodePort"], 30000),
        (["trainingJobs", "bert", "team"], "ml-training"),
        (["teams", "nlp", "quota"], {"requests.cpu": "32", "pods": "20"}),
        (["teams", "nlp", "owner"], None),
    ],
)
def test_examples(path: list[str], example: object) -> None:
    assert schema.Schema().example(path) == example
