"""The output of ``pulumi preview --json``."""

import json

import pytest

from components.base.objects import UNKNOWN
from review.preview import SECRET, UNKNOWN_TEXT, PreviewError, parse, with_unknown
from tests.review.prod import GIVEN, given, parsed, step


def test_steps_of_kubernetes_objects() -> None:
    preview = parsed(given())
    assert len(preview.steps) == sum("kubernetes:" in one["urn"] for one in GIVEN["steps"])
    (deployment,) = [one for one in preview.steps if one.urn.endswith("::model-serving-deployment")]
    assert (deployment.op, deployment.component) == ("update", "ModelService model-serving")
    assert deployment.is_change
    assert deployment.live["status"]["replicas"] == 3


def test_one_step_for_the_parts_of_a_replacement() -> None:
    preview = given()
    replace = step(preview, "image-classifier-job")
    parts = [{**replace, "op": op} for op in ("create-replacement", "replace", "delete-replaced")]
    preview["steps"] = parts
    preview["steps"].append({**replace, "op": "same"})
    (only,) = parsed(preview).steps
    assert only.op == "replace"
    assert "metadata.name" in only.reasons


def test_a_deleted_object_is_only_in_the_stack_before() -> None:
    preview = given()
    deleted = step(preview, "model-serving-deployment")
    preview["steps"] = [{**deleted, "op": "delete"}]
    found = parsed(preview)
    assert len(found.manifests(after=False)) == 1
    assert found.manifests(after=True) == []
    assert found.steps[0].manifest["kind"] == "Deployment"


def test_unknown_and_secret_values_are_unknown() -> None:
    value = with_unknown({"a": UNKNOWN_TEXT, "b": [SECRET, "c"]})
    assert value["a"] is UNKNOWN
    assert value["b"][0] is UNKNOWN
    assert value["b"][1] == "c"


def test_the_name_of_the_stack_is_that_of_the_urns() -> None:
    assert parse(json.dumps(GIVEN)).stack == "prod"


def test_output_of_a_plugin_before_the_document_is_ignored() -> None:
    assert parse("warning: from a plugin\n" + json.dumps(GIVEN)) == parse(json.dumps(GIVEN))


def test_diagnostics_by_severity_without_repetitions() -> None:
    preview = given()
    preview["diagnostics"] = [
        {"severity": "error", "message": "error: it is invalid\n  fix it"},
        {"severity": "error", "message": "error: it is invalid\n  fix it"},
        {"severity": "error", "message": "error: an unhandled error occurred: program exited with 1"},
        {"severity": "warning", "message": "warning: deprecated"},
        {"severity": "info", "message": "creating"},
    ]
    found = parsed(preview)
    assert (found.errors, found.warnings) == (("it is invalid\n  fix it",), ("deprecated",))


@pytest.mark.parametrize(
    "text",
    [
        *("", "{}", "[]", "error: no stack", '{"steps": 3', '{"steps": 5}', '{"steps": [5]}', '{"steps": [{"op": 1}]}'),
        '{"steps": [{"op": "create", "urn": "u", "newState": 5}]}',
        '{"steps": [{"op": "create", "urn": "u", "newState": {"type": "kubernetes:x", "inputs": "kind"}}]}',
        '{"steps": [], "diagnostics": 5}',
        '{"steps": [], "config": 5}',
    ],
)
def test_other_text_is_rejected(text: str) -> None:
    with pytest.raises(PreviewError):
        parse(text)


def test_the_error_names_the_invalid_field() -> None:
    with pytest.raises(PreviewError, match=r"steps\.0\.newState"):
        parse('{"steps": [{"op": "create", "urn": "u", "newState": 5}]}')


def test_resources_without_a_kind_are_no_objects() -> None:
    preview = given()
    provider = {"type": "kubernetes:x", "inputs": {}}
    component = {"type": "ml-platform:index:TrainingJob", "inputs": {"kind": "a"}}
    preview["steps"] = [{"op": "same", "urn": "u", "newState": state} for state in (provider, component)]
    assert parsed(preview).steps == ()


def test_what_the_engine_does_with_a_step() -> None:
    preview = given()
    replaced = step(preview, "image-classifier-job")
    replaced["oldState"] |= {"delete": True, "retainOnDelete": True}
    replaced["newState"] |= {"dependencies": ["urn:a"], "customTimeouts": {"create": 60}}
    preview["steps"] = [replaced]
    (found,) = parsed(preview).steps
    assert (found.created_first, found.retained) == (True, True)
    assert (found.dependencies, found.timeouts) == (("urn:a",), {"create": 60.0})
    assert found.type == "kubernetes:batch/v1:Job"
