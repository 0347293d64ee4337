"""How a job of a pipeline comes by its credentials: with stand-ins for what it calls, and no network."""

import base64
import json
import os
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).resolve().parent.parent.parent
EXPIRES = 1_800_000_000  # 2027-01-15T08:00:00Z


def jwt(audience: str) -> str:
    """A token as GitHub signs them: only its claims are read here."""
    claims = json.dumps({"aud": audience, "exp": EXPIRES}).encode()
    return f"head.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.signature"


class Job:
    """A job of a pipeline, in a folder where it may write."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "bin").mkdir()
        answers = {name: json.dumps({"value": jwt(name)}) for name in ("kubernetes", "urn:pulumi:org:acme")}
        cases = "\n".join(f"  *audience={name}) echo {shlex.quote(answer)} ;;" for name, answer in answers.items())
        self.stand_in("curl", f'case "$*" in\n{cases}\n  *) exit 22 ;;\nesac')
        self.stand_in("pulumi", "echo pulumi >>calls")
        self.stand_in("kubectl", 'printf "%s " kubectl "$@" >>calls; echo >>calls')
        self.environment = {
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
            "ACTIONS_ID_TOKEN_REQUEST_URL": "https://example.com/token?api-version=2",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "hunter2",
            "RUNNER_TEMP": str(folder),
            "GITHUB_ENV": str(folder / "env"),
            "PULUMI_ORG": "acme",
            "CLUSTER_SERVER": "https://cluster.example.com",
            "CLUSTER_CA": base64.b64encode(b"PEM").decode(),
        }

    def stand_in(self, program: str, script: str) -> None:
        path = self.folder / "bin" / program
        path.write_text(f"#!/usr/bin/env bash\n{script}\n", encoding="utf-8")
        path.chmod(0o755)

    def run(self, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(PROJECT / ".ci" / script)],
            cwd=self.folder,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def calls(self) -> list[str]:
        """What was called so far, other than curl."""
        path = self.folder / "calls"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


def test_the_kubeconfig_holds_no_token_but_the_way_to_a_fresh_one(job: Job) -> None:
    done = job.run("credentials")
    assert done.returncode == 0, done.stderr
    pulumi, cluster, user, *_ = job.calls()
    assert pulumi == "pulumi"
    assert f"--exec-command {PROJECT}/.ci/cluster-token" in user
    assert "--exec-interactive-mode Never" in user
    assert "--exec-api-version client.authentication.k8s.io/v1 " in user
    assert "--server https://cluster.example.com" in cluster
    assert "signature" not in " ".join(job.calls()) + done.stdout + done.stderr
    assert (job.folder / "env").read_text(encoding="utf-8") == f"KUBECONFIG={job.folder}/kubeconfig\n"


def test_the_plugin_tells_a_token_that_is_replaced_before_it_runs_out(job: Job) -> None:
    done = job.run("cluster-token")
    assert json.loads(done.stdout) == {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": jwt("kubernetes"), "expirationTimestamp": "2027-01-15T07:59:00Z"},
    }


@pytest.mark.parametrize(("name", "context"), [("", "cluster"), ("my-cluster", "my-cluster")])
def test_the_context_is_called_as_the_stack_calls_it(name: str, context: str, job: Job) -> None:
    assert job.run("credentials", CLUSTER_CONTEXT=name).returncode == 0
    *_, made, used = job.calls()
    assert made == f"kubectl config set-context {context} --cluster {context} --user job "
    assert used == f"kubectl config use-context {context} "


@pytest.mark.parametrize("script", ["credentials", "cluster-token"])
def test_without_an_identity_nothing_goes_on(script: str, job: Job) -> None:
    job.stand_in("curl", "echo 'curl: (22) The requested URL returned error: 403' >&2; exit 22")
    done = job.run(script)
    assert done.returncode != 0
    assert (done.stdout, done.stderr) == ("", "curl: (22) The requested URL returned error: 403\n")
    assert job.calls() == []


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("CLUSTER_SERVER", "make CLUSTER_SERVER a variable of the environment"),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", "give the job the permission id-token: write"),
    ],
)
def test_what_is_missing_is_named(missing: str, said: str, job: Job) -> None:
    done = job.run("credentials", **{missing: ""})
    assert done.returncode != 0
    assert said in done.stderr
    assert job.calls() == []


@pytest.mark.parametrize("workflow", ["drift", "preview", "up"])
def test_every_workflow_hands_over_what_is_needed(workflow: str) -> None:
    content = yaml.safe_load((PROJECT / ".github" / "workflows" / f"{workflow}.yml").read_text(encoding="utf-8"))
    (step,) = [s for job in content["jobs"].values() for s in job.get("steps", []) if s.get("run") == ".ci/credentials"]
    needed = ("PULUMI_ORG", "CLUSTER_SERVER", "CLUSTER_CA", "CLUSTER_CONTEXT")
    assert step["env"] == {name: f"${{{{ vars.{name} }}}}" for name in needed}
