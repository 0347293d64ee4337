"""A client of the API server, through kubectl: server-side dry runs and reads only."""

import json
import re
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from components.base.objects import Manifest

# Seconds for one call of kubectl.
_TIMEOUT = 60
# Errors of the API server about an object that it rejects, itself or through an admission webhook.
_DENIED = re.compile(r"\((Forbidden|Invalid|BadRequest|NotFound)\)| is invalid: |denied the request")
# Errors about an object, an API version or a kind that does not exist; the second one is kubectl's own.
_NOT_FOUND = re.compile(r"\(NotFound\)|the server doesn't have a resource type")


class ClusterError(Exception):
    """A query of the cluster failed. The message is one line; ``details`` has the command and all of its output."""

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details or message


class ForbiddenError(ClusterError):
    """The user has no permission to read this."""


class UnansweredError(ClusterError):
    """The cluster cannot be queried, or its answer is neither yes nor no."""


class Cluster:
    """The cluster of a stack's provider."""

    def __init__(self, context: str | None = None, kubeconfig: Path | None = None) -> None:
        self._flags = ["--context", context] if context else []
        self._flags += ["--kubeconfig", str(kubeconfig)] if kubeconfig else []
        self._answers: dict[tuple[str, ...], Any] = {}

    def reach(self) -> None:
        """Raise UnansweredError if the API server does not respond."""
        done = self._run("get", "--raw", "/readyz", "--request-timeout=5s")
        if done.returncode != 0:
            raise _error(UnansweredError, done)

    def kinds(self, version: str) -> dict[str, tuple[str, bool]] | None:
        """The kinds of an API version: kind → resource name, and whether it is namespaced; None if not served.

        Raises UnansweredError.
        """
        found: dict[str, tuple[str, bool]] | None = self._once((version,), lambda: self._discover(version))
        return found

    def _discover(self, version: str) -> dict[str, tuple[str, bool]] | None:
        done = self._run("get", "--raw", f"/apis/{version}" if "/" in version else f"/api/{version}")
        if done.returncode == 0:
            resources = [one for one in json.loads(done.stdout)["resources"] if "/" not in one["name"]]
            return {resource["kind"]: (resource["name"], resource["namespaced"]) for resource in resources}
        if _NOT_FOUND.search(done.stderr):
            return None
        raise _error(UnansweredError, done)

    def get(self, kind: str, name: str = "", namespace: str = "") -> Any:
        """An object, or the list of all objects of a kind; None if it does not exist.

        Raises ForbiddenError or UnansweredError.
        """
        return self._once((kind, name, namespace), lambda: self._get(kind, name, namespace))

    def _get(self, kind: str, name: str, namespace: str) -> Any:
        scope = ["--namespace", namespace] if namespace else []
        done = self._run("get", kind, *([name] if name else []), *scope, "--output", "json")
        if done.returncode == 0:
            return json.loads(done.stdout)
        if "(Forbidden)" in done.stderr:
            raise _error(ForbiddenError, done)
        if _NOT_FOUND.search(done.stderr):
            return None
        raise _error(UnansweredError, done)

    def list_all(self, kinds: str, namespace: str) -> list[Any]:
        """All objects of several kinds in a namespace. Raises ClusterError if any kind cannot be read."""
        done = self._run("get", kinds, "--namespace", namespace, "--output", "json")
        if done.returncode != 0:
            raise _error(ForbiddenError if "(Forbidden)" in done.stderr else UnansweredError, done)
        found: list[Any] = json.loads(done.stdout)["items"]
        return found

    def _once(self, key: tuple[str, ...], query: Callable[[], Any]) -> Any:
        """The result of a query, or its error. Each query runs only once."""
        if key not in self._answers:
            try:
                self._answers[key] = query()
            except ClusterError as error:
                self._answers[key] = error
        if isinstance(self._answers[key], ClusterError):
            raise self._answers[key]
        return self._answers[key]

    def dry_run(self, manifest: Manifest) -> str | None:
        """Create an object in a server-side dry run: the error if it is rejected, else None. Raises UnansweredError."""
        done = self._run("create", "--dry-run=server", "--output", "name", "-f", "-", stdin=json.dumps(manifest))
        if done.returncode != 0 and not _DENIED.search(done.stderr):
            raise _error(UnansweredError, done)
        return None if done.returncode == 0 else done.stderr.strip()

    def denied(self, permissions: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
        """The permissions (verb, group, resource, namespace) that this user does not have. Raises UnansweredError."""
        if not permissions:
            return []
        reviews = [
            {
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": attributes},
            }
            for attributes in permissions
        ]
        all_reviews = {"apiVersion": "v1", "kind": "List", "items": reviews}
        done = self._run("create", "--output", "json", "-f", "-", stdin=json.dumps(all_reviews))
        if done.returncode != 0:
            raise _error(UnansweredError, done)
        return [
            one["spec"]["resourceAttributes"] for one in _documents(done.stdout) if not one["status"].get("allowed")
        ]

    def command(self, *arguments: str) -> list[str]:
        """A command of kubectl for this cluster."""
        return ["kubectl", *self._flags, *arguments]

    def _run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        command = self.command(*arguments)
        try:
            return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=_TIMEOUT)
        except (OSError, subprocess.TimeoutExpired) as error:
            return subprocess.CompletedProcess(command, 1, "", str(error))


def _documents(text: str) -> Iterable[Any]:
    """The JSON documents in the output of ``kubectl create``, which prints one after the other."""
    decoder, start = json.JSONDecoder(), 0
    while start < len(text.rstrip()):
        document, start = decoder.raw_decode(text, start)
        yield document
        start += len(text[start:]) - len(text[start:].lstrip())


def _error(kind: type[ClusterError], done: subprocess.CompletedProcess[str]) -> ClusterError:
    """The error of a failed call. Its message is the last line: kubectl prints retries before it."""
    lines = done.stderr.strip().splitlines() or [f"kubectl exited with status {done.returncode}"]
    return kind(lines[-1].removeprefix("error: "), f"{' '.join(done.args)}: {done.stderr.strip() or lines[-1]}")
