"""The components installed from a wheel, in another team's repository and virtual environment."""

import os
import re
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from components import VERSION
from sandbox.layout import PROVIDER_VERSION
from tests.docs.test_readme import block
from tests.e2e.project import SOURCE, Project
from tests.e2e.test_stack import quiet

# The program of the README, which imports the installed package.
PROGRAM = block("python").replace("from components import", "from ml_platform import")

# A test of it, with Pulumi's mocks.
TEST = """
import runpy

from pulumi.runtime import mocks

made = {}


class Cluster(mocks.Mocks):
    def new_resource(self, args):
        made[args.name] = args.typ
        return f"{args.name}-id", {**args.inputs, "status": {}}

    def call(self, args):
        return {}


mocks.set_mocks(Cluster(), preview=False)
mocks.test(lambda: runpy.run_path("__main__.py") and None)()
for name, kind in sorted(made.items()):
    print(name, kind)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    _run(SOURCE, sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), ".")
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """The other repository: its program, and a virtual environment with the wheel and its dependencies."""
    folder = tmp_path_factory.mktemp("repository")
    (folder / "__main__.py").write_text(PROGRAM, encoding="utf-8")
    (folder / "test.py").write_text(TEST, encoding="utf-8")
    project = "name: another-team\nruntime: {name: python, options: {toolchain: pip, virtualenv: .venv}}\n"
    (folder / "Pulumi.yaml").write_text(project, encoding="utf-8")
    venv.create(folder / ".venv", with_pip=True)
    # The SDK of the provider in the sandbox. Elsewhere, Pulumi downloads the provider that matches the SDK.
    pinned = f"pulumi-kubernetes=={PROVIDER_VERSION}"
    install = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel), pinned)
    _run(folder, str(folder / ".venv/bin/python"), *install)
    return folder


def _run(folder: Path, *command: str) -> str:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_contains_only_the_components(wheel: Path) -> None:
    assert wheel.name == f"ml_platform_components-{VERSION}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        files = archive.namelist()
    listing = _run(SOURCE, "git", "ls-files", "--cached", "--others", "--exclude-standard", "components")
    committed = {f"ml_platform/{file.removeprefix('components/')}" for file in listing.splitlines()}
    assert {file for file in files if not file.startswith("ml_platform_components-")} == committed
    assert "ml_platform/py.typed" in files


def test_pip_builds_the_same_wheel_from_a_git_url(wheel: Path, tmp_path: Path) -> None:
    """As for the requirement "ml-platform-components @ git+https://...": pip builds what is committed."""
    url = f"git+file://{SOURCE}"
    _run(SOURCE, sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), url)
    (built,) = tmp_path.iterdir()
    assert built.name == wheel.name
    with zipfile.ZipFile(built) as archive:
        assert {"ml_platform/__init__.py", "ml_platform/py.typed"} <= set(archive.namelist())


def test_no_other_package_is_installed(repository: Path) -> None:
    for package in ("components", "config", "sandbox"):
        code = f"import importlib.util as u; assert u.find_spec({package!r}) is None"
        _run(repository, ".venv/bin/python", "-c", code)
    version = _run(repository, ".venv/bin/python", "-c", "import ml_platform; print(ml_platform.VERSION)")
    assert version.strip() == VERSION


def test_the_program_runs_under_mocks(repository: Path) -> None:
    made = dict(line.split() for line in _run(repository, ".venv/bin/python", "-W", "error", "test.py").splitlines())
    assert made["nlp"] == "ml-platform:index:TeamNamespace"
    assert made["finetune-job"] == "kubernetes:batch/v1:Job"
    assert made["bert-deployment"] == "kubernetes:apps/v1:Deployment"


def test_the_package_is_typed(repository: Path) -> None:
    """Without a plugin for mypy: correct use passes, and a wrong argument is an error."""
    reveal = "\nreveal_type(team.namespace)\nTeamNamespace(1, {})\n"
    (repository / "typed.py").write_text(PROGRAM + reveal, encoding="utf-8")
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--python-executable", ".venv/bin/python", "typed.py"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )
    assert re.search(r'Revealed type is "pulumi.output.Output\[.*str\]"', checked.stdout), checked.stdout
    errors = [line.split(": error: ")[1] for line in checked.stdout.splitlines() if ": error: " in line]
    assert len(errors) == 1, errors
    assert 'Argument 1 to "TeamNamespace" has incompatible type "int"' in errors[0]


def test_the_program_is_deployed(project: Project, repository: Path) -> None:
    def pulumi(*arguments: str) -> str:
        done = project.run("pulumi", "--cwd", str(repository), "--non-interactive", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    pulumi("stack", "init", "test")
    output = pulumi("up", "--yes", "--skip-preview")
    quiet(output)
    assert project.get("deployment", "bert", "nlp")["status"]["readyReplicas"] == 3
    assert project.get("job", "finetune", "nlp")["status"]["startTime"]
    pulumi("preview", "--expect-no-changes")
    pulumi("destroy", "--yes", "--skip-preview")
    assert "nlp" not in [item["metadata"]["name"] for item in project.get("namespaces")["items"]]
