"""The life cycle of a team's namespace on the real API server: protected, retained, adopted, released."""

from collections.abc import Callable
from typing import Any

from tests.e2e.api import Api, deployment, pod
from tests.e2e.project import Project


def up(project: Project, stack: str, teams: dict[str, Any]) -> str:
    """Deploy a stack. Returns the output, which ends with the exit status."""
    project.configure(stack, teams=teams)
    project.stack(stack)
    done = project.run("pulumi", "up", "--stack", stack, "--yes", "--skip-preview")
    return done.stdout + done.stderr + f"\nexit {done.returncode}"


def destroy(project: Project, stack: str) -> str:
    done = project.run("pulumi", "destroy", "--stack", stack, "--yes", "--skip-preview")
    return done.stdout + done.stderr + f"\nexit {done.returncode}"


def inside(api: Api, namespace: str) -> set[tuple[str, str, str]]:
    """The objects in a namespace, those of the component and others: kind, name and UID."""
    found = set()
    for path in (
        f"/api/v1/namespaces/{namespace}/resourcequotas",
        f"/api/v1/namespaces/{namespace}/limitranges",
        f"/api/v1/namespaces/{namespace}/configmaps",
        f"/api/v1/namespaces/{namespace}/pods",
        f"/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies",
        f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles",
        f"/apis/apps/v1/namespaces/{namespace}/deployments",
    ):
        for item in api.get(path)["items"]:
            found.add((path.rsplit("/", 1)[1], item["metadata"]["name"], item["metadata"]["uid"]))
    return found


FULL = {"quota": {"pods": "5"}, "access": {"viewers": ["v"]}, "network": {"allowTo": {"cidrs": ["10.0.0.0/8"]}}}


def test_a_protected_team_cannot_be_destroyed_removed_renamed_or_replaced(project: Project, api: Api) -> None:
    kept = {**FULL, "onDelete": "protect"}
    assert up(project, "protected", {"vault": kept}).endswith("exit 0")
    api.create("/api/v1/namespaces/vault/configmaps", {"metadata": {"name": "data"}})
    before = inside(api, "vault")
    assert {kind for kind, _, _ in before} >= {"resourcequotas", "limitranges", "networkpolicies", "roles"}
    new = {"treasury": {"name": "vault-2"}}
    # An attempt that fails later than the comparison of the entries changes the inventory: these are last.
    attempts: dict[str, tuple[Callable[[], str], str]] = {
        "renamed": (lambda: up(project, "protected", {"treasury": {**kept, "name": "vault-2"}}), "[entry-renamed]"),
        "moved": (lambda: up(project, "protected", {"vault": {**kept, "name": "vault-3"}}), "[entry-name-immutable]"),
        "removed": (lambda: up(project, "protected", {}), "protect"),
        "replaced by another team": (lambda: up(project, "protected", new), "protect"),
        "destroyed": (lambda: destroy(project, "protected"), "protect"),
    }
    for attempt, (run, error) in attempts.items():
        output = run()
        assert "exit 0" not in output, attempt
        assert error in output, attempt
        assert inside(api, "vault") == before, attempt
    # Objects of a protected team that its arguments no longer need can still be deleted.
    less = {"quota": {"pods": "6"}}
    assert up(project, "protected", {**new, "vault": {**less, "onDelete": "protect"}}).endswith("exit 0")
    assert {name for kind, name, _ in inside(api, "vault") if kind == "roles"} == set()
    # The protection is removed first, then the team.
    assert up(project, "protected", {**new, "vault": less}).endswith("exit 0")
    assert destroy(project, "protected").endswith("exit 0")
    assert api.request("GET", "/api/v1/namespaces/vault")[0] == 404


def test_the_objects_of_a_retained_team_stay(project: Project, api: Api) -> None:
    assert up(project, "retained", {"archive": {**FULL, "onDelete": "retain"}}).endswith("exit 0")
    api.create("/api/v1/namespaces/archive/configmaps", {"metadata": {"name": "data"}})
    before = inside(api, "archive")
    assert destroy(project, "retained").endswith("exit 0")
    assert inside(api, "archive") == before
    assert api.get("/api/v1/namespaces/archive")["status"]["phase"] == "Active"
    # The team can be declared again, and owns the same objects.
    assert up(project, "retained", {"archive": FULL}).endswith("exit 0")
    assert inside(api, "archive") == before
    assert destroy(project, "retained").endswith("exit 0")
    assert api.request("GET", "/api/v1/namespaces/archive")[0] == 404


def test_an_adopted_namespace_keeps_its_objects(project: Project, api: Api) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "baseline", "team": "another", "own": "label"}
    api.create("/api/v1/namespaces", {"metadata": {"name": "legacy", "labels": labels}})
    api.create("/api/v1/namespaces/legacy/configmaps", {"metadata": {"name": "data"}})
    api.create("/apis/apps/v1/namespaces/legacy/deployments", deployment("web"))
    api.create("/api/v1/namespaces/legacy/pods", pod("running"))
    identity = api.get("/api/v1/namespaces/legacy")["metadata"]["uid"]
    before = inside(api, "legacy")

    # Not without adopt: the preview is rejected, and nothing is changed.
    project.configure("adopting", teams={"legacy": FULL})
    project.stack("adopting")
    rejected = project.run("pulumi", "preview", "--stack", "adopting")
    assert rejected.returncode != 0
    assert "[owned-by-no-component]" in rejected.stdout + rejected.stderr
    assert "Traceback" not in rejected.stdout + rejected.stderr
    assert inside(api, "legacy") == before
    assert not up(project, "adopting", {"legacy": FULL}).endswith("exit 0")
    assert inside(api, "legacy") == before

    assert up(project, "adopting", {"legacy": {**FULL, "adopt": True}}).endswith("exit 0")
    namespace = api.get("/api/v1/namespaces/legacy")["metadata"]
    assert namespace["uid"] == identity
    assert {**namespace["labels"], **labels, "team": "legacy"}.items() >= namespace["labels"].items() - {
        ("pod-security.kubernetes.io/enforce", "restricted")
    }
    assert namespace["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert (namespace["labels"]["team"], namespace["labels"]["own"]) == ("legacy", "label")
    assert before < inside(api, "legacy")

    # adopt can be removed and set again: the namespace stays the same.
    assert up(project, "adopting", {"legacy": {**FULL, "adopt": False}}).endswith("exit 0")
    assert up(project, "adopting", {"legacy": {**FULL, "adopt": True}}).endswith("exit 0")
    assert before < inside(api, "legacy")
    assert destroy(project, "adopting").endswith("exit 0")
    assert inside(api, "legacy") == before
    assert api.get("/api/v1/namespaces/legacy")["metadata"]["uid"] == identity


def test_a_namespace_applied_without_a_preview_can_be_adopted_and_released(project: Project, api: Api) -> None:
    api.create("/api/v1/namespaces", {"metadata": {"name": "plain"}})
    api.create("/api/v1/namespaces/plain/configmaps", {"metadata": {"name": "data"}})
    identity, before = api.get("/api/v1/namespaces/plain")["metadata"]["uid"], inside(api, "plain")
    failed = up(project, "taking", {"plain": {}})
    assert "[owned-by-no-component]" in failed
    assert "Traceback" not in failed
    assert not failed.endswith("exit 0")
    assert up(project, "taking", {"plain": {"adopt": True}}).endswith("exit 0")
    assert destroy(project, "taking").endswith("exit 0")
    assert api.get("/api/v1/namespaces/plain")["metadata"]["uid"] == identity
    assert inside(api, "plain") == before


def test_down_stops_a_sandbox_with_a_protected_team(project: Project) -> None:
    assert up(project, "kept", {"vault": {**FULL, "onDelete": "protect"}}).endswith("exit 0")
    down = project.operations("down")
    assert down.returncode == 0, down.stdout + down.stderr
    assert not project.layout.cluster.exists()
