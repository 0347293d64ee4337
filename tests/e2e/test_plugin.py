"""The components in other languages: the real CLI, a generated SDK, and a YAML program."""

import json
import re
import venv
from pathlib import Path
from typing import Any

import pytest

from components import VERSION
from plugin.provider import COMPONENTS
from plugin.schema import schema
from sandbox import toolchain
from tests.e2e.project import Project

_YAML = toolchain.Program(
    "pulumi-language-yaml", {"pulumi-language-yaml": "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml"}
)

PYTHON = """
import pulumi
import pulumi_ml_platform as ml

team = ml.TeamNamespace("nlp", quota={"requests.cpu": "32", "pods": "20"}, serves=True)
l4 = ml.NodePoolArgs(
    node_selector={"cloud.google.com/gke-accelerator": "nvidia-l4"},
    tolerations=[ml.TolerationArgs(key="nvidia.com/gpu")],
    gpu_resource="nvidia.com/gpu",
)
job = ml.TrainingJob(
    "finetune",
    team=team,
    image="trainer:v3",
    command=["python", "train.py"],
    node_pool=l4,
    gpus=1,
    wait_for=ml.TrainingJobWaitFor.COMPLETION,
    timeout_seconds=120,
    env={"OWNER": team.namespace},
)
service = ml.ModelService(
    "bert",
    namespace=team.namespace,
    image=pulumi.Output.from_input("bert-serving:v1.2"),
    replicas=2,
    service=ml.ServiceArgs(type=ml.ServiceType.LOAD_BALANCER),
    volumes={"config": ml.VolumeArgs(path="/etc/bert", config_map=team.namespace)},
)
pulumi.export("job", job.job_name)
pulumi.export("url", service.url)
pulumi.export("address", service.external_address)
"""


class Program:
    """A program of another team, which refers to the package by its path."""

    def __init__(self, project: Project, folder: Path) -> None:
        self._project, self.folder = project, folder

    def pulumi(self, *arguments: str, fails: bool = False) -> str:
        done = self._project.run("pulumi", "--cwd", str(self.folder), "--non-interactive", *arguments, timeout=150)
        output = done.stdout + done.stderr
        assert (done.returncode != 0) == fails, output
        return output

    def outputs(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.pulumi("stack", "output", "--json"))
        return found

    def parents(self) -> dict[str, str]:
        """The name of every Kubernetes object, and of the component that is its parent."""
        stack = self.pulumi("stack", "export")
        return {
            resource["urn"].split("::")[-1]: resource["parent"].split("::")[-1]
            for resource in json.loads(stack)["deployment"]["resources"]
            if resource["type"].startswith("kubernetes:")
        }


@pytest.fixture(scope="module")
def in_python(project: Project) -> Program:
    folder = project.folder / "another-team"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text(
        "name: in-python\nruntime: {name: python, options: {toolchain: pip, virtualenv: .venv}}\n"
        "packages: {ml-platform: ../plugin}\n",
        encoding="utf-8",
    )
    (folder / "requirements.txt").write_text(f"pulumi>=3.200,<4\n{folder}/sdk/python\n", encoding="utf-8")
    (folder / "__main__.py").write_text(PYTHON, encoding="utf-8")
    program = Program(project, folder)
    program.pulumi("package", "gen-sdk", "../plugin", "--language", "python", "--local", "--out", "sdk")
    # `pulumi package add` does both. The language host that is built from source does not support it.
    venv.create(folder / ".venv", with_pip=True)
    installed = project.run(str(folder / ".venv/bin/pip"), "install", "--quiet", "-r", f"{folder}/requirements.txt")
    assert installed.returncode == 0, installed.stderr
    program.pulumi("stack", "init", "test")
    program.pulumi("up", "--yes", "--skip-preview")
    return program


@pytest.fixture(scope="module")
def in_yaml(project: Project) -> Program:
    (project.layout.bin / "pulumi-language-yaml").symlink_to(toolchain.build(_YAML) / "pulumi-language-yaml")
    folder = project.folder / "examples" / "in-yaml"
    program = Program(project, folder)
    program.pulumi("stack", "init", "test")
    program.pulumi("up", "--yes", "--skip-preview")
    return program


def test_the_cli_reads_the_schema(project: Project) -> None:
    printed = project.run("pulumi", "package", "get-schema", "./plugin", timeout=400)
    assert printed.returncode == 0, printed.stderr
    found = json.loads(printed.stdout)
    assert found["version"] == VERSION
    assert found["resources"].keys() == schema(COMPONENTS)["resources"].keys()
    job = found["resources"]["ml-platform:index:TrainingJob"]
    assert job["isComponent"]
    assert job["inputProperties"]["waitFor"]["description"].startswith("What `pulumi up` waits for.")


def test_a_python_program_deploys_all_components(project: Project, in_python: Program) -> None:
    assert project.get("deployment", "bert", "nlp")["status"]["readyReplicas"] == 2
    assert project.get("job", "finetune", "nlp")["status"]["succeeded"] == 1
    assert project.get("resourcequota", "nlp-quota", "nlp")["spec"]["hard"]["pods"] == "20"
    outputs = in_python.outputs()
    assert outputs["job"] == "finetune"
    assert outputs["url"] == "http://bert.nlp.svc.cluster.local"
    assert re.fullmatch(r"[0-9.]+", outputs["address"])


def test_outputs_of_other_resources_are_inputs_of_the_objects(project: Project, in_python: Program) -> None:
    (trainer,) = project.get("job", "finetune", "nlp")["spec"]["template"]["spec"]["containers"]
    assert {"name": "OWNER", "value": "nlp"} in trainer["env"]
    volumes = project.get("deployment", "bert", "nlp")["spec"]["template"]["spec"]["volumes"]
    assert {"name": "config", "configMap": {"name": "nlp", "defaultMode": 420}} in volumes


def test_workloads_have_the_label_of_their_team(project: Project, in_python: Program, in_yaml: Program) -> None:
    assert project.get("job", "finetune", "nlp")["metadata"]["labels"]["team"] == "nlp"
    assert project.get("deployment", "resnet", "vision")["metadata"]["labels"]["team"] == "vision"


def test_objects_are_children_of_their_components(in_python: Program, in_yaml: Program) -> None:
    for program, names in ((in_python, ("nlp", "finetune", "bert")), (in_yaml, ("vision", "classify", "resnet"))):
        parents = program.parents()
        assert set(parents.values()) == set(names)
        assert all(child.startswith(f"{parent}-") for child, parent in parents.items())


def test_a_second_up_changes_nothing(in_python: Program, in_yaml: Program) -> None:
    for program in (in_python, in_yaml):
        program.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")


def test_a_yaml_program_deploys_all_components(project: Project, in_yaml: Program) -> None:
    assert project.get("deployment", "resnet", "vision")["status"]["readyReplicas"] == 2
    assert project.get("job", "classify", "vision")["spec"]["completions"] == 2
    assert in_yaml.outputs() == {"job": "classify", "url": "http://resnet.vision.svc.cluster.local"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("replicas: 0", ["replicas", "[out-of-range]"]),
        ("resources: {requests: {cpu: 2 cores}}", ["resources.requests.cpu", "[quantity-invalid]"]),
        ("replicas: 40", ["pods", "40", "20", "[quota-exceeded]"]),
    ],
)
def test_invalid_arguments_are_reported_as_in_python(in_yaml: Program, given: str, expected: list[str]) -> None:
    file = in_yaml.folder / "Pulumi.yaml"
    content = file.read_text(encoding="utf-8")
    file.write_text(content.replace("replicas: 2", given), encoding="utf-8")
    try:
        output = in_yaml.pulumi("preview", fails=True)
    finally:
        file.write_text(content, encoding="utf-8")
    for words in expected:
        assert words in output
    assert "Traceback" not in output
    assert 'File "' not in output


def test_a_change_of_an_existing_run_is_rejected(in_yaml: Program) -> None:
    file = in_yaml.folder / "Pulumi.yaml"
    content = file.read_text(encoding="utf-8")
    file.write_text(content.replace("trainer:v3", "trainer:v4"), encoding="utf-8")
    try:
        assert "[run-immutable]" in in_yaml.pulumi("preview", fails=True)
    finally:
        file.write_text(content, encoding="utf-8")


def test_another_stack_of_the_same_program_is_rejected(project: Project, in_yaml: Program) -> None:
    def uids() -> dict[str, str]:
        kinds = "namespaces,deployments,services,jobs,serviceaccounts,poddisruptionbudgets,resourcequotas"
        return {
            f"{item['kind']} {item['metadata']['name']}": item["metadata"]["uid"]
            for item in project.get(kinds)["items"]
        }

    before = uids()
    in_yaml.pulumi("stack", "init", "copy")
    output = in_yaml.pulumi("preview", fails=True)
    assert "[owned-by-stack]" in output
    assert "in-yaml/test" in output
    in_yaml.pulumi("up", "--yes", "--skip-preview", fails=True)
    in_yaml.pulumi("destroy", "--yes", "--skip-preview")
    assert uids() == before
    in_yaml.pulumi("stack", "select", "test")


def test_destroy_leaves_nothing(project: Project, in_python: Program, in_yaml: Program) -> None:
    for program in (in_python, in_yaml):
        program.pulumi("destroy", "--yes", "--skip-preview")
    left = {item["metadata"]["name"] for item in project.get("namespaces")["items"]}
    assert not left & {"nlp", "vision"}
