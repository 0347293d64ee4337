"""The credentials of a job, with stand-ins for the programs that it calls."""

import base64
import json
import os
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.ci.repository import PROJECT
from tests.review.programs import stand_in

EXPIRES = 1_800_000_000  # 2027-01-15T08:00:00Z


def jwt(audience: str) -> str:
    """A token of GitHub's OIDC issuer. Only its claims are read."""
    claims = json.dumps({"aud": audience, "exp": EXPIRES}).encode()
    return f"head.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.signature"


class Job:
    """A job of a pipeline, in a temporary folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "bin").mkdir()
        answers = {name: json.dumps({"value": jwt(name)}) for name in ("kubernetes", "urn:pulumi:org:acme")}
        cases = "\n".join(f"  *audience={name}) echo {shlex.quote(answer)} ;;" for name, answer in answers.items())
        stand_in(folder / "bin", "curl", f'case "$*" in\n{cases}\n  *) exit 22 ;;\nesac')
        stand_in(folder / "bin", "pulumi", "echo pulumi >>calls")
        stand_in(folder / "bin", "kubectl", 'printf "%s " kubectl "$@" >>calls; echo >>calls')
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
        """The calls of programs other than curl."""
        path = self.folder / "calls"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


def test_the_kubeconfig_has_a_credential_plugin_instead_of_a_token(job: Job) -> None:
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


def test_the_plugin_prints_a_token_that_is_replaced_before_it_expires(job: Job) -> None:
    done = job.run("cluster-token")
    assert json.loads(done.stdout) == {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": jwt("kubernetes"), "expirationTimestamp": "2027-01-15T07:59:00Z"},
    }


@pytest.mark.parametrize(("name", "context"), [("", "cluster"), ("my-cluster", "my-cluster")])
def test_the_context_has_the_name_that_the_stack_uses(name: str, context: str, job: Job) -> None:
    assert job.run("credentials", CLUSTER_CONTEXT=name).returncode == 0
    *_, made, used = job.calls()
    assert made == f"kubectl config set-context {context} --cluster {context} --user job "
    assert used == f"kubectl config use-context {context} "


@pytest.mark.parametrize("script", ["credentials", "cluster-token"])
def test_without_an_identity_token_the_script_ends(script: str, job: Job) -> None:
    stand_in(job.folder / "bin", "curl", "echo 'curl: (22) The requested URL returned error: 403' >&2; exit 22")
    done = job.run(script)
    assert done.returncode != 0
    assert (done.stdout, done.stderr) == ("", "curl: (22) The requested URL returned error: 403\n")
    assert job.calls() == []


@pytest.mark.parametrize(
    "missing",
    [
        "CLUSTER_SERVER",
        "ACTIONS_ID_TOKEN_REQUEST_URL",
    ],
)
def test_a_missing_variable_is_named(missing: str, job: Job) -> None:
    done = job.run("credentials", **{missing: ""})
    assert done.returncode != 0
    assert missing in done.stderr
    assert job.calls() == []
