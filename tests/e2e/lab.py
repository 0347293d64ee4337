"""A stack with one team, for tests of training jobs."""

import json
import time
from subprocess import CompletedProcess
from typing import Any

from tests.e2e.project import Project

TEAM = "lab"
RUN_FOR = "sandbox.ml-platform/run-for"
EXIT_CODE = "sandbox.ml-platform/exit-code"

LONG: dict[str, Any] = {"team": TEAM, "nodePool": "cpu", "command": ["train"], "annotations": {RUN_FOR: "600s"}}
SHORT: dict[str, Any] = {
    "team": TEAM,
    "nodePool": "cpu",
    "command": ["train"],
    "waitFor": "completion",
    "timeoutSeconds": 90,
}
TORCHRUN: dict[str, Any] = {**LONG, "workers": 8, "distributed": "torchrun"}


class Lab:
    """A stack with one team and the training jobs that a test declares."""

    def __init__(self, project: Project) -> None:
        self.project = project

    def declare(self, **jobs: dict[str, Any]) -> None:
        # A copy: YAML would write an alias where two jobs share a value.
        plain = json.loads(json.dumps(jobs))
        teams = {TEAM: {"priorityQuotas": {"high": {"pods": "10"}}}}
        self.project.edit("prod", lambda settings: settings.update(teams=teams, modelServices={}, trainingJobs=plain))

    def pulumi(self, command: str, *flags: str) -> CompletedProcess[str]:
        return self.project.run("pulumi", *command.split(), "--stack", "prod", "--non-interactive", *flags)

    def up(self, **jobs: dict[str, Any]) -> str:
        """Deploy these jobs, which must succeed. Returns the output."""
        self.declare(**jobs)
        done = self.pulumi("up", "--yes", "--skip-preview")
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def clear(self) -> None:
        """Remove all jobs. In the same update, a new job that is like a removed one would count as renamed."""
        self.up()

    def rejected(self, command: str, *flags: str) -> str:
        """The output of a command that must fail, without a traceback."""
        done = self.pulumi(command, *flags)
        assert done.returncode != 0, done.stdout
        assert "Traceback" not in done.stdout + done.stderr
        return done.stdout + done.stderr

    def unchanged(self) -> None:
        preview = self.pulumi("preview", "--expect-no-changes")
        assert preview.returncode == 0, preview.stdout + preview.stderr

    def logs(self, job: str) -> str:
        """The output ``logs`` of a component: the command that follows the logs of the job."""
        exported = self.pulumi("stack export")
        resources = json.loads(exported.stdout)["deployment"]["resources"]
        (outputs,) = [r["outputs"] for r in resources if r["urn"].endswith(f":TrainingJob::{job}")]
        command: str = outputs["logs"]
        return command

    def uid(self, kind: str, name: str) -> str:
        uid: str = self.project.get(kind, name, TEAM)["metadata"]["uid"]
        return uid

    def pods(self, job: str) -> list[dict[str, Any]]:
        items = self.project.get("pods", namespace=TEAM)["items"]
        return [pod for pod in items if pod["metadata"]["labels"].get("batch.kubernetes.io/job-name") == job]

    def pod_uids(self, job: str) -> list[str]:
        return sorted(pod["metadata"]["uid"] for pod in self.pods(job))


def wait_until(condition: Any, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition did not become true in time"
        time.sleep(0.2)
