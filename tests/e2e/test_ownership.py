"""Objects have one owner: other stacks, renamed entries, adoption, and updates that were interrupted."""

import contextlib
import json
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from tests.e2e.project import SOURCE, Project, changes

QUOTA = {"requests.cpu": "64", "requests.memory": "256Gi", "pods": "60"}
SMALL = {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"cpu": "1", "memory": "1Gi"}}
Settings = dict[str, dict[str, Any]]

_KINDS = "namespaces,deployments,services,jobs,serviceaccounts,poddisruptionbudgets,resourcequotas,networkpolicies"


def stack(team: str, **sections: Any) -> Settings:
    return {"teams": {team: {"quota": QUOTA}}, **sections}


def service(team: str, **arguments: Any) -> dict[str, Any]:
    return {"team": team, "image": "registry/bert:v1", "resources": SMALL, **arguments}


def job(team: str, **arguments: Any) -> dict[str, Any]:
    return {"team": team, "image": "registry/trainer:v1", "command": ["train"], "resources": SMALL, **arguments}


def run(project: Project, command: str, name: str, *flags: str) -> tuple[int, str]:
    """Run a command of Pulumi. Returns its status and output."""
    done = project.run("pulumi", command, "--stack", name, "--non-interactive", *flags, timeout=300)
    output = done.stdout + done.stderr
    assert "Traceback" not in output, output
    return done.returncode, output


def up(project: Project, name: str, settings: Settings, *flags: str) -> tuple[int, str]:
    project.configure(name, **settings)
    project.stack(name)
    return run(project, "up", name, "--yes", "--skip-preview", *flags)


def deployed(project: Project, name: str, settings: Settings) -> None:
    status, output = up(project, name, settings)
    assert status == 0, output


def preview(project: Project, name: str, settings: Settings) -> tuple[int, str]:
    project.configure(name, **settings)
    project.stack(name)
    return run(project, "preview", name)


def destroy(project: Project, *names: str) -> None:
    for name in names:
        status, output = run(project, "destroy", name, "--yes", "--skip-preview")
        assert status == 0, output


def identities(project: Project, *namespaces: str) -> dict[str, tuple[str, int | None]]:
    """The UID and generation of every object in namespaces, and of the namespaces."""
    found = {}
    for item in project.get(_KINDS)["items"]:
        metadata = item["metadata"]
        if metadata.get("namespace", metadata["name"]) in namespaces:
            name = f"{item['kind']} {metadata.get('namespace', '')}/{metadata['name']}"
            found[name] = (metadata["uid"], metadata.get("generation"))
    assert found
    return found


@pytest.mark.parametrize("name", ["dev", "prod"])  # prod last: the other tests run on its nodes
def test_a_copy_of_a_stack_is_rejected_and_its_destruction_loses_nothing(project: Project, name: str) -> None:
    project.restore(name)
    project.up(name)  # with the nodes of the stack
    namespaces = ("ml-training", "ml-serving", "ml-experiments", "data-pipeline")
    before = identities(project, *namespaces)
    copy = yaml.safe_load((SOURCE / f"Pulumi.{name}.yaml").read_text(encoding="utf-8"))["config"]
    settings = {key.split(":", 1)[1]: value for key, value in copy.items()}
    status, output = preview(project, "copy", settings)
    assert status != 0
    assert "[owned-by-stack]" in output
    assert f"ml-platform/{name}" in output
    status, output = up(project, "copy", settings)
    assert status != 0
    assert f"ml-platform/{name}/" in output  # the field manager that the API server reports
    assert identities(project, *namespaces) == before
    destroy(project, "copy")
    assert identities(project, *namespaces) == before
    status, output = run(project, "preview", name, "--expect-no-changes")
    assert status == 0, output
    destroy(project, name)


PROGRAM = """
from components import ModelService, TeamNamespace

team = TeamNamespace("shared", {"quota": {"requests.cpu": "64", "requests.memory": "256Gi", "pods": "60"}})
ModelService("bert", {"team": team, "image": "registry/bert:v1"})
"""


def _program(project: Project, name: str, text: str) -> Path:
    """A Pulumi project with one Python program."""
    folder = project.folder / name
    folder.mkdir()
    runtime = {"name": "python", "options": {"toolchain": "pip", "virtualenv": "../.venv"}}
    content = {"name": name, "runtime": runtime}
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    (folder / "__main__.py").write_text(f"import sys\n\nsys.path.insert(0, {str(project.folder)!r})\n{text}")
    return folder


def _in(project: Project, folder: Path, *arguments: str) -> tuple[int, str]:
    done = project.run("pulumi", "--cwd", str(folder), "--non-interactive", *arguments, timeout=200)
    return done.returncode, done.stdout + done.stderr


def test_two_programs_do_not_share_an_object(project: Project) -> None:
    one, two = _program(project, "one", PROGRAM), _program(project, "two", PROGRAM)
    for folder in (one, two):
        assert _in(project, folder, "stack", "init", "main")[0] == 0
    status, output = _in(project, one, "up", "--yes", "--skip-preview")
    assert status == 0, output
    before = identities(project, "shared")
    status, output = _in(project, two, "preview")
    assert status != 0
    assert "[owned-by-stack]" in output
    assert "one/main" in output
    assert _in(project, two, "up", "--yes", "--skip-preview")[0] != 0
    assert _in(project, two, "destroy", "--yes", "--skip-preview")[0] == 0
    assert identities(project, "shared") == before
    text = (one / "__main__.py").read_text(encoding="utf-8")
    duplicate = 'ModelService("ranker", {"name": "bert", "team": team, "image": "registry/bert:v1"})'
    (one / "__main__.py").write_text(f"{text}{duplicate}\n", encoding="utf-8")
    status, output = _in(project, one, "preview")
    assert status != 0
    assert "[owned-by-component]" in output
    # An alias moves a component and its objects.
    alias = 'pulumi.ResourceOptions(aliases=[pulumi.Alias(name="bert")])'
    aliased = text.replace('ModelService("bert", {', 'ModelService("ranker", {"name": "bert", ')
    aliased = aliased.replace('"registry/bert:v1"})', f'"registry/bert:v1"}}, {alias})')
    (one / "__main__.py").write_text(f"import pulumi\n{aliased}", encoding="utf-8")
    status, output = _in(project, one, "up", "--yes")
    assert status == 0, output
    assert identities(project, "shared") == before
    assert _in(project, one, "destroy", "--yes", "--skip-preview")[0] == 0


NAMED = """
import pulumi
from components import ModelService, TeamNamespace, TrainingJob


class Platform(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("app:index:Platform", name)


{parent}
team = TeamNamespace("{team}", {{"quota": {{"requests.cpu": "64", "requests.memory": "256Gi", "pods": "60"}}}}{options})
ModelService("{service}", {{"team": team, "image": "registry/bert:v1"}}{options})
TrainingJob("{job}", {{"team": team, "image": "registry/fit:v1", "command": ["train"]}}{options})
"""


def _named(project: Project, names: Mapping[str, str], parent: str = "", options: str = "") -> None:
    text = NAMED.format(**names, parent=parent, options=options)
    (project.folder / "named" / "__main__.py").write_text(
        f"import sys\n\nsys.path.insert(0, {str(project.folder)!r})\n{text}", encoding="utf-8"
    )


def test_renamed_and_moved_components_of_a_program_are_rejected(project: Project) -> None:
    names = {"team": "lab", "service": "bert", "job": "fit"}
    folder = _program(project, "named", "")
    _named(project, names)
    assert _in(project, folder, "stack", "init", "main")[0] == 0
    status, output = _in(project, folder, "up", "--yes", "--skip-preview")
    assert status == 0, output
    before = identities(project, "lab")
    parent = {"parent": 'platform = Platform("platform")', "options": ", pulumi.ResourceOptions(parent=platform)"}
    for name in names:
        _named(project, {**names, name: "other"})
        for command in (("preview",), ("up", "--yes", "--skip-preview")):
            status, output = _in(project, folder, *command)
            assert status != 0, output
            assert "[component-renamed]" in output
            assert f'pulumi.Alias(name="{names[name]}")' in output
            assert "Traceback" not in output
    _named(project, names, **parent)
    for command in (("preview",), ("up", "--yes", "--skip-preview")):
        status, output = _in(project, folder, *command)
        assert status != 0, output
        assert output.count("[component-moved]") >= len(names)
    assert identities(project, "lab") == before
    alias = ", pulumi.ResourceOptions(parent=platform, aliases=[pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE)])"
    _named(project, names, parent=parent["parent"], options=alias)
    status, output = _in(project, folder, "up", "--yes")
    assert status == 0, output
    assert identities(project, "lab") == before
    assert _in(project, folder, "destroy", "--yes", "--skip-preview")[0] == 0


BEFORE: Settings = {
    "teams": {"old": {"quota": QUOTA}},
    "priorityClasses": {"batch": {"value": 5}},
    "modelServices": {
        "bert": service("old"),
        "api": service("old", labels={"app": "api"}, service={"name": "public"}),
    },
    "trainingJobs": {"fit": job("old"), "pod": job("old", controller="pod"), "pair": job("old", workers=2)},
}
RENAMED = {"old": "new", "bert": "ranker", "api": "gateway", "fit": "train", "pod": "single", "pair": "couple"}


def renamed(*, formerly: bool, name: bool) -> Settings:
    """Every entry of BEFORE under another key."""
    found: Settings = {"priorityClasses": BEFORE["priorityClasses"]}
    for section in ("teams", "modelServices", "trainingJobs"):
        found[section] = {}
        for key, entry in BEFORE[section].items():
            team = {"team": "new"} if "team" in entry else {}
            own = {**({"formerly": key} if formerly else {}), **({"name": key} if name else {})}
            found[section][RENAMED[key]] = {**entry, **team, **own}
    return found


def test_entries_are_renamed_with_formerly_and_nothing_is_touched(project: Project) -> None:
    deployed(project, "renaming", BEFORE)
    before = identities(project, "old")
    for name in (False, True):
        settings = renamed(formerly=False, name=name)
        status, output = preview(project, "renaming", settings)
        assert status != 0
        for key in RENAMED:
            assert f"formerly: {key} and name: {key}" in output
        assert up(project, "renaming", settings)[0] != 0
        assert identities(project, "old") == before
    for settings in (
        renamed(formerly=True, name=False),
        renamed(formerly=True, name=True),
        renamed(formerly=False, name=True),
    ):
        status, output = preview(project, "renaming", settings)
        assert status == 0, output
        assert " to create" not in output
        assert " to delete" not in output
        status, output = up(project, "renaming", settings)
        assert status == 0, output
        assert changes(output) in ({}, {"updated": 1})  # the inventory
        assert identities(project, "old") == before
    status, output = preview(project, "renaming", renamed(formerly=False, name=False))
    assert status != 0
    assert "[entry-name-immutable]" in output
    destroy(project, "renaming")


def test_a_renamed_entry_may_change_on_the_way(project: Project) -> None:
    deployed(project, "changing", stack("shop", modelServices={"bert": service("shop")}))
    before = identities(project, "shop")["Deployment shop/bert"]
    moved = service("shop", formerly="bert", name="bert", image="registry/bert:v2", replicas=2)
    deployed(project, "changing", stack("shop", modelServices={"ranker": moved}))
    deployment = project.get("deployment", "bert", "shop")
    assert deployment["metadata"]["uid"] == before[0]
    assert deployment["spec"]["replicas"] == 2
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == "registry/bert:v2"
    destroy(project, "changing")


def test_swapped_keys_are_rejected(project: Project) -> None:
    def swap(first: str, second: str) -> Settings:
        entries = {
            "a": service("swap", image="registry/a:v1", service={"name": f"{first}-api"}),
            "b": service("swap", image="registry/b:v1", service={"name": f"{second}-api"}),
        }
        return stack("swap", modelServices=entries)

    deployed(project, "swap", swap("a", "b"))
    before = identities(project, "swap")
    status, output = preview(project, "swap", swap("b", "a"))
    assert status != 0
    assert "[entry-object-moved]" in output
    assert up(project, "swap", swap("b", "a"))[0] != 0
    assert identities(project, "swap") == before
    project.configure("swap", **swap("a", "b"))
    destroy(project, "swap")


CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "queues.example.com"},
    "spec": {
        "group": "example.com",
        "names": {"kind": "Queue", "plural": "queues", "singular": "queue"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": version,
                "served": True,
                "storage": version == "v1beta1",
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
            for version in ("v1beta1", "v1beta2")
        ],
    },
}
VERSIONED = """
import os

import pulumi
from components.base.registration import register_all

queue = {"apiVersion": f"example.com/{os.environ['VERSION']}", "kind": "Queue"}
queue["metadata"] = {"name": "gpu", "namespace": "default"}
register_all(pulumi.ComponentResource("ml-platform:index:TeamNamespace", "nlp"), "nlp", {"queue": queue})
"""


def test_another_version_of_an_operators_api_updates_the_object_in_place(project: Project) -> None:
    assert project.apply(CRD).returncode == 0
    waited = project.run("kubectl", "wait", "--for", "condition=Established", "crd/queues.example.com", "--timeout=30s")
    assert waited.returncode == 0, waited.stderr
    folder = _program(project, "versions", VERSIONED)
    assert _in(project, folder, "stack", "init", "main")[0] == 0
    uids = []
    for version in ("v1beta1", "v1beta2", "v1beta1"):
        done = project.run(
            "env", f"VERSION={version}", "pulumi", "--cwd", str(folder), "up", "--yes", "--skip-preview",
            "--non-interactive",
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        uids.append(project.get("queues.example.com", "gpu", "default")["metadata"]["uid"])
    assert len(set(uids)) == 1


def test_an_interrupted_creation_goes_on(project: Project) -> None:
    settings = stack("cut", modelServices={"slow": service("cut", replicas=3)})
    project.configure("cut", **settings)
    project.stack("cut")
    command = ["pulumi", "up", "--stack", "cut", "--yes", "--skip-preview", "--non-interactive"]
    with subprocess.Popen(command, cwd=project.folder, env=project.environment(), stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while "slow" not in project.names("deployments", "cut"):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        descendants = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGKILL)
        process.wait()
    for descendant in descendants:  # the language host outlives the engine
        with contextlib.suppress(psutil.NoSuchProcess):
            descendant.kill()
    before = identities(project, "cut")
    assert run(project, "cancel", "cut", "--yes")[0] == 0
    assert run(project, "refresh", "cut", "--yes", "--skip-preview", "--clear-pending-creates")[0] == 0
    status, output = run(project, "up", "cut", "--yes")
    assert status == 0, output
    assert before.items() <= identities(project, "cut").items()
    destroy(project, "cut")


def test_a_retained_team_and_a_restored_state_come_back(project: Project) -> None:
    settings = stack("kept", modelServices={"bert": service("kept")})
    settings["teams"]["kept"]["onDelete"] = "retain"
    deployed(project, "kept", stack("kept"))
    state = project.run("pulumi", "stack", "export", "--stack", "kept").stdout
    deployed(project, "kept", settings)
    before = identities(project, "kept")
    # The state of before: the service exists, and the state does not list it.
    restored = project.folder / "state.json"
    restored.write_text(state, encoding="utf-8")
    assert project.run("pulumi", "stack", "import", "--stack", "kept", "--file", str(restored)).returncode == 0
    status, output = run(project, "up", "kept", "--yes")
    assert status == 0, output
    assert identities(project, "kept") == before
    project.configure("kept", **{**settings, "modelServices": {}})
    destroy(project, "kept")
    deployed(project, "kept", settings)
    assert identities(project, "kept")["Namespace /kept"] == before["Namespace /kept"]


def existing(
    container: str = "main", *, labels: Mapping[str, str] | None = None, **spec: Any
) -> Iterable[dict[str, Any]]:
    """A Deployment and its Service, as another tool creates them."""
    security = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    pod = {
        "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [
            {
                "name": container,
                "image": "registry/rank:v0",
                "ports": [{"containerPort": 8080}],
                "resources": SMALL,
                "securityContext": security,
            }
        ],
    }
    metadata = {"name": "rank", "namespace": "legacy", "labels": {"app": "rank", **(labels or {})}}
    template = {"metadata": {"labels": {"app": "rank"}}, "spec": pod}
    yield {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "rank"}}, "template": template, **spec},
    }
    ports = [{"port": 80, "targetPort": 8080}]
    yield {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"selector": {"app": "rank"}, "ports": ports},
    }


def test_an_object_without_an_owner_is_rejected_by_the_api_server(project: Project) -> None:
    assert project.run("kubectl", "create", "namespace", "found").returncode == 0
    settings = stack("found", modelServices={"bert": service("found")})
    before = identities(project, "found")
    status, output = up(project, "finding", settings)
    assert status != 0
    assert "[owned-by-no-component]" in output
    destroy(project, "finding")
    assert identities(project, "found") == before
    # An account without fields has no field manager either.
    settings["teams"]["found"]["adopt"] = True
    assert project.run("kubectl", "create", "serviceaccount", "bert", "-n", "found").returncode == 0
    before = identities(project, "found")
    for command in (preview, up):
        status, output = command(project, "finding", settings)
        assert status != 0
        assert "[owned-by-no-component]" in output
    destroy(project, "finding")
    assert before.items() <= identities(project, "found").items()


def _adopting(**arguments: Any) -> Settings:
    rank = service("legacy", image="registry/rank:v1", replicas=2, adopt=True, containerName="main")
    return stack("legacy", modelServices={"rank": {**rank, **arguments}})


HELM = {"app.kubernetes.io/managed-by": "Helm", "helm.sh/chart": "rank-1.0"}
PLAIN = """
import json

import pulumi
import pulumi_kubernetes as k8s

for number, manifest in enumerate(json.loads(MANIFESTS)):
    kind = {"Deployment": k8s.apps.v1.Deployment, "Service": k8s.core.v1.Service}[manifest["kind"]]
    kind(f"rank-{number}", metadata=manifest["metadata"], spec=manifest["spec"])
"""


@pytest.mark.parametrize("maker", ["kubectl", "helm", "pulumi"])
def test_a_running_service_is_adopted_without_an_interruption(project: Project, maker: str) -> None:
    deployed(project, "adopting", stack("legacy"))
    objects = list(existing(labels=HELM if maker == "helm" else None))
    if maker == "pulumi":
        folder = _program(project, "plain", f"MANIFESTS = {json.dumps(json.dumps(objects))}\n{PLAIN}")
        assert _in(project, folder, "stack", "init", "main")[0] == 0
        status, output = _in(project, folder, "up", "--yes", "--skip-preview")
        assert status == 0, output
    else:
        for manifest in objects:
            applied = project.apply(manifest, f"--field-manager={maker}")
            assert applied.returncode == 0, applied.stderr
    waited = project.run("kubectl", "rollout", "status", "deployment/rank", "-n", "legacy", "--timeout=60s")
    assert waited.returncode == 0, waited.stderr
    before = identities(project, "legacy")
    status, output = preview(project, "adopting", _adopting(adopt=False))
    assert status != 0
    assert "[owned-by-no-component]" in output
    status, output = preview(project, "adopting", _adopting())
    assert status == 0, output
    assert "Deployment legacy/rank exists, and is adopted" in output
    fewest = _available_during(project, "adopting", _adopting())
    assert fewest >= 2
    after = identities(project, "legacy")
    for name in ("Deployment legacy/rank", "Service legacy/rank"):
        assert after[name][0] == before[name][0]
    spec = project.get("deployment", "rank", "legacy")["spec"]["template"]["spec"]
    assert [(c["name"], c["image"]) for c in spec["containers"]] == [("main", "registry/rank:v1")]
    # Adopted objects outlive the stack.
    project.configure("adopting", **stack("legacy"))
    assert run(project, "up", "adopting", "--yes", "--skip-preview")[0] == 0
    assert identities(project, "legacy")["Deployment legacy/rank"][0] == before["Deployment legacy/rank"][0]
    destroy(project, "adopting")


def _available_during(project: Project, name: str, settings: Settings) -> int:
    """The fewest available pods of the Deployment while a stack is updated."""
    project.configure(name, **settings)
    command = ["pulumi", "up", "--stack", name, "--yes", "--skip-preview", "--non-interactive"]
    fewest = 99
    with subprocess.Popen(command, cwd=project.folder, env=project.environment(), stdout=subprocess.PIPE) as process:
        while process.poll() is None:
            status = project.get("deployment", "rank", "legacy").get("status", {})
            fewest = min(fewest, status.get("availableReplicas", 0))
        assert process.stdout is not None
        assert process.returncode == 0, process.stdout.read()
    return fewest


@pytest.fixture(scope="module")
def legacy(project: Project) -> None:
    """A team with a Deployment and a Service that kubectl created."""
    deployed(project, "rejecting", stack("legacy"))
    for manifest in existing():
        assert project.apply(manifest).returncode == 0


@pytest.mark.usefixtures("legacy")
@pytest.mark.parametrize(
    ("arguments", "reported"),
    [
        ({"containerName": None}, "[adopted-containers]"),
        ({"labels": {"app": "other"}}, "[immutable-object]"),
        ({"name": "other", "service": {"name": "rank", "port": 8000}}, "spec.ports"),
        ({"adopt": False}, "[owned-by-no-component]"),
    ],
    ids=["containers", "selector", "Service port", "not adopted"],
)
def test_an_adoption_that_cannot_work_is_rejected_by_the_preview(
    project: Project, arguments: dict[str, Any], reported: str
) -> None:
    before = identities(project, "legacy")
    status, output = preview(project, "rejecting", _adopting(**arguments))
    assert status != 0, output
    assert reported in output
    assert identities(project, "legacy") == before


@pytest.mark.usefixtures("legacy")
def test_a_job_is_adopted_only_if_its_run_is_identical(project: Project) -> None:
    (deployment, _) = existing("trainer")
    pod = {**deployment["spec"]["template"]["spec"], "restartPolicy": "Never"}
    manifest = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "fit", "namespace": "legacy"},
        "spec": {"template": {"spec": pod}},
    }
    assert project.apply(manifest).returncode == 0
    before = project.get("job", "fit", "legacy")["metadata"]["uid"]
    status, output = preview(project, "rejecting", stack("legacy", trainingJobs={"fit": job("legacy", adopt=True)}))
    assert status != 0, output
    assert "[immutable-object]" in output
    assert project.get("job", "fit", "legacy")["metadata"]["uid"] == before
