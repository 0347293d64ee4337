"""What becomes of a team's namespace on the real API server: protected, retained, adopted, given back."""

import time
from typing import Any

from tests.e2e.api import Api, deployment, pod
from tests.e2e.project import Project


def up(project: Project, stack: str, teams: dict[str, Any]) -> str:
    """Bring a stack up; returns what was said, whether it worked or not."""
    project.configure(stack, teams=teams)
    project.stack(stack)
    done = project.run("pulumi", "up", "--stack", stack, "--yes", "--skip-preview")
    return done.stdout + done.stderr + f"\nexit {done.returncode}"


def destroy(project: Project, stack: str) -> str:
    done = project.run("pulumi", "destroy", "--stack", stack, "--yes", "--skip-preview")
    return done.stdout + done.stderr + f"\nexit {done.returncode}"


def inside(api: Api, namespace: str) -> set[tuple[str, str, str]]:
    """All that a namespace holds of what rules it, and the user's own: kind, name and identity."""
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


def test_a_protected_team_survives_destroy_rename_and_replacement(project: Project, api: Api) -> None:
    kept = {**FULL, "onDelete": "protect"}
    assert up(project, "protected", {"vault": kept}).endswith("exit 0")
    api.create("/api/v1/namespaces/vault/configmaps", {"metadata": {"name": "data"}})
    before = inside(api, "vault")
    assert {kind for kind, _, _ in before} >= {"resourcequotas", "limitranges", "networkpolicies", "roles"}
    attempts = {
        "destroyed": destroy(project, "protected"),
        "removed": up(project, "protected", {}),
        "renamed": up(project, "protected", {"treasury": {**kept, "name": "vault-2"}}),
        "moved to another namespace": up(project, "protected", {"vault": {**kept, "name": "vault-3"}}),
    }
    for how, output in attempts.items():
        assert "exit 0" not in output, how
        assert "protect" in output, how
        assert inside(api, "vault") == before, how
    # What the arguments may take away is not in the way of daily work.
    new = {"treasury": {"name": "vault-2"}}  # made by the attempt to rename, before it was refused
    less = {"quota": {"pods": "6"}}
    assert up(project, "protected", {**new, "vault": {**less, "onDelete": "protect"}}).endswith("exit 0")
    assert {name for kind, name, _ in inside(api, "vault") if kind == "roles"} == set()
    # Whoever means it says so first.
    assert up(project, "protected", {**new, "vault": less}).endswith("exit 0")
    assert destroy(project, "protected").endswith("exit 0")
    assert api.request("GET", "/api/v1/namespaces/vault")[0] == 404


def test_a_retained_team_stays_with_all_that_rules_it(project: Project, api: Api) -> None:
    assert up(project, "retained", {"archive": {**FULL, "onDelete": "retain"}}).endswith("exit 0")
    api.create("/api/v1/namespaces/archive/configmaps", {"metadata": {"name": "data"}})
    before = inside(api, "archive")
    assert destroy(project, "retained").endswith("exit 0")
    assert inside(api, "archive") == before
    assert api.get("/api/v1/namespaces/archive")["status"]["phase"] == "Active"
    # It can come back, and nothing is lost on the way.
    assert up(project, "retained", {"archive": FULL}).endswith("exit 0")
    assert inside(api, "archive") == before
    assert destroy(project, "retained").endswith("exit 0")
    assert api.request("GET", "/api/v1/namespaces/archive")[0] == 404


def test_an_adopted_namespace_loses_nothing_neither_then_nor_later(project: Project, api: Api) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "baseline", "team": "somebody", "own": "label"}
    api.create("/api/v1/namespaces", {"metadata": {"name": "legacy", "labels": labels}})
    api.create("/api/v1/namespaces/legacy/configmaps", {"metadata": {"name": "data"}})
    api.create("/apis/apps/v1/namespaces/legacy/deployments", deployment("web"))
    api.create("/api/v1/namespaces/legacy/pods", pod("running"))
    identity = api.get("/api/v1/namespaces/legacy")["metadata"]["uid"]
    before = inside(api, "legacy")
    time.sleep(3)  # older than a new one could be

    # Not unasked: the preview refuses, and nothing is changed.
    project.configure("adopting", teams={"legacy": FULL})
    project.stack("adopting")
    refused = project.run("pulumi", "preview", "--stack", "adopting")
    assert refused.returncode != 0
    assert "namespace legacy exists already" in refused.stdout + refused.stderr
    assert "Traceback" not in refused.stdout + refused.stderr
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

    # To and fro: a namespace that changes hands is the same one.
    assert up(project, "adopting", {"legacy": {**FULL, "adopt": False}}).endswith("exit 0")
    assert up(project, "adopting", {"legacy": {**FULL, "adopt": True}}).endswith("exit 0")
    assert before < inside(api, "legacy")
    assert destroy(project, "adopting").endswith("exit 0")
    assert inside(api, "legacy") == before
    assert api.get("/api/v1/namespaces/legacy")["metadata"]["uid"] == identity


def test_a_namespace_taken_without_a_preview_can_be_given_back(project: Project, api: Api) -> None:
    api.create("/api/v1/namespaces", {"metadata": {"name": "plain"}})
    api.create("/api/v1/namespaces/plain/configmaps", {"metadata": {"name": "data"}})
    identity, before = api.get("/api/v1/namespaces/plain")["metadata"]["uid"], inside(api, "plain")
    time.sleep(3)  # older than a new one could be
    taken = up(project, "taking", {"plain": {}})
    assert "namespace plain exists already" in taken
    assert "Traceback" not in taken
    assert not taken.endswith("exit 0")
    assert up(project, "taking", {"plain": {"adopt": True}}).endswith("exit 0")
    assert destroy(project, "taking").endswith("exit 0")
    assert api.get("/api/v1/namespaces/plain")["metadata"]["uid"] == identity
    assert inside(api, "plain") == before


def test_a_protected_team_does_not_keep_the_sandbox_up(project: Project) -> None:
    assert up(project, "kept", {"vault": {**FULL, "onDelete": "protect"}}).endswith("exit 0")
    down = project.operations("down")
    assert down.returncode == 0, down.stdout + down.stderr
    assert not project.layout.cluster.exists()
