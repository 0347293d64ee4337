"""The README shows what the project does."""

import re
from pathlib import Path

import pytest
import yaml

from config import StackError, load_file
from tests.docs.pages import PROJECT
from tests.mocks import deploy

README = (PROJECT / "README.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    return str(found)


def test_the_stack_loads(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.readme.yaml").write_text(block("yaml"), encoding="utf-8")
    stack = load_file("readme", tmp_path)
    assert stack.training_jobs["pytorch-training"].gpus == 1
    assert stack.model_services["model-serving"].replicas == 3


def test_the_program_runs() -> None:
    deployment = deploy(lambda: exec(block("python"), {}))  # noqa: S102
    assert {"nlp-quota", "finetune-job", "bert-deployment"} <= set(deployment.names())


def test_the_error_is_reported_as_shown(tmp_path: Path) -> None:
    content = yaml.safe_load((PROJECT / "Pulumi.prod.yaml").read_text(encoding="utf-8"))
    content["config"]["ml-platform:modelServices"]["model-serving"]["replicas"] = 0
    (tmp_path / "Pulumi.prod.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(StackError) as error:
        load_file("prod", tmp_path)
    _, *lines = str(error.value).splitlines()
    assert lines
    for line in lines:
        assert f"    {line}\n" in README


def test_the_commands_exist() -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z0-9-]+):.*## ", makefile, re.MULTILINE))
    shown = set(re.findall(r"^    make ([a-z0-9-]+)", README, re.MULTILINE))
    assert {"up", "test"} <= shown <= targets


def test_the_folders_exist() -> None:
    for folder in re.findall(r"^\| `([^`]+)` \|", README, re.MULTILINE):
        assert (PROJECT / folder).exists(), folder
