"""The API server, asked by kubectl: with dry runs and reads only."""

import json
import re
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from components.base.objects import Manifest

_TIMEOUT = 60
# What the API server says of an object that it does not take, of its own or for an admission webhook.
_REFUSED = re.compile(r"\((Forbidden|Invalid|BadRequest|NotFound)\)| is invalid: |denied the request")
# What it says where something is not there; the second is kubectl's own, of a kind.
_ABSENT = re.compile(r"\(NotFound\)|the server doesn't have a resource type")


class ForbiddenError(Exception):
    """This user may not read that."""


class UnansweredError(Exception):
    """The cluster could not be asked, or its answer is neither yes nor no. The text says why."""


class Cluster:
    """The cluster that the stack's provider would talk to."""

    def __init__(self, context: str | None = None, kubeconfig: Path | None = None) -> None:
        self._flags = ["--context", context] if context else []
        self._flags += ["--kubeconfig", str(kubeconfig)] if kubeconfig else []
        self._answers: dict[tuple[str, ...], Any] = {}

    def reach(self) -> None:
        """Raises UnansweredError where its API server does not answer."""
        done = self._run("get", "--raw", "/readyz", "--request-timeout=5s")
        if done.returncode != 0:
            raise _unanswered(done)

    def kinds(self, version: str) -> dict[str, tuple[str, bool]] | None:
        """The kinds of an API version: kind → name of the resource, whether it lives in a namespace; None: no such.

        Raises UnansweredError where that cannot be told.
        """
        found: dict[str, tuple[str, bool]] | None = self._once((version,), lambda: self._discover(version))
        return found

    def _discover(self, version: str) -> dict[str, tuple[str, bool]] | None:
        done = self._run("get", "--raw", f"/apis/{version}" if "/" in version else f"/api/{version}")
        if done.returncode == 0:
            resources = [one for one in json.loads(done.stdout)["resources"] if "/" not in one["name"]]
            return {resource["kind"]: (resource["name"], resource["namespaced"]) for resource in resources}
        if _ABSENT.search(done.stderr):
            return None
        raise _unanswered(done)

    def get(self, kind: str, name: str = "", place: str = "") -> Any:
        """An object, or all of a kind; None where there is none.

        Raises ForbiddenError where that may not be known, UnansweredError where it cannot be told.
        """
        return self._once((kind, name, place), lambda: self._read(kind, name, place))

    def _read(self, kind: str, name: str, place: str) -> Any:
        where = ["--namespace", place] if place else []
        done = self._run("get", kind, *([name] if name else []), *where, "--output", "json")
        if done.returncode == 0:
            return json.loads(done.stdout)
        if "(Forbidden)" in done.stderr:
            raise ForbiddenError(done.stderr.strip())
        if _ABSENT.search(done.stderr):
            return None
        raise _unanswered(done)

    def _once(self, key: tuple[str, ...], ask: Callable[[], Any]) -> Any:
        """The answer to a question, which is asked once, even where there is none."""
        if key not in self._answers:
            try:
                self._answers[key] = ask()
            except (ForbiddenError, UnansweredError) as error:
                self._answers[key] = error
        if isinstance(self._answers[key], Exception):
            raise self._answers[key]
        return self._answers[key]

    def dry_run(self, manifest: Manifest) -> str | None:
        """Why the API server would not take an object; None where it would. Raises UnansweredError."""
        done = self._run("create", "--dry-run=server", "--output", "name", "-f", "-", stdin=json.dumps(manifest))
        if done.returncode != 0 and not _REFUSED.search(done.stderr):
            raise _unanswered(done)
        return None if done.returncode == 0 else done.stderr.strip()

    def denied(self, asked: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
        """Those of some rights (verb, group, resource, namespace) that this user lacks. Raises UnansweredError."""
        if not asked:
            return []
        reviews = [
            {
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": attributes},
            }
            for attributes in asked
        ]
        many = {"apiVersion": "v1", "kind": "List", "items": reviews}
        done = self._run("create", "--output", "json", "-f", "-", stdin=json.dumps(many))
        if done.returncode != 0:
            raise _unanswered(done)
        return [
            one["spec"]["resourceAttributes"] for one in _documents(done.stdout) if not one["status"].get("allowed")
        ]

    def _run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        command = ["kubectl", *self._flags, *arguments]
        try:
            return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=_TIMEOUT)
        except (OSError, subprocess.TimeoutExpired) as error:
            return subprocess.CompletedProcess(command, 1, "", str(error))


def _documents(text: str) -> Iterable[Any]:
    """JSON documents one after the other, as kubectl prints what it creates."""
    decoder, start = json.JSONDecoder(), 0
    while start < len(text.rstrip()):
        document, start = decoder.raw_decode(text, start)
        yield document
        start += len(text[start:]) - len(text[start:].lstrip())


def _unanswered(done: subprocess.CompletedProcess[str]) -> UnansweredError:
    """The last line that kubectl said: those before are of its attempts."""
    lines = done.stderr.strip().splitlines() or [f"kubectl ended with status {done.returncode}"]
    return UnansweredError(lines[-1].removeprefix("error: "))
