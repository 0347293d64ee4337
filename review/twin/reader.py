"""Reads the live cluster through ``kubectl proxy``, which rejects every request that is not a read.

The proxy authenticates as kubectl does, keeps its connections open, and passes on the ``Accept`` header, with which the
API server returns Secrets without their values.
"""

import gzip
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from socket import AF_UNIX, socket
from threading import local
from typing import Any
from urllib.parse import urlencode

from components.base.objects import Manifest
from review.cluster.kubectl import Cluster, ForbiddenError, UnansweredError
from sandbox.parent import die_with_parent

# Seconds.
_START_TIMEOUT = 10.0
_TIMEOUT = 60.0
_POLL_INTERVAL = 0.02
_PAGE = 500
_PREFIX, _SOCKET = "ml-platform-proxy-", "socket"
_JSON = "application/json"


class NotServedError(UnansweredError):
    """The API server does not serve this path."""


class Reader:
    """Reads from the API server. Threads may share it: each has a connection of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = local()
        self._connections: list[HTTPConnection] = []

    def close(self) -> None:
        """Close all connections."""
        for connection in self._connections:
            connection.close()

    def get(self, path: str, accept: str = _JSON) -> Any:
        """The JSON document at a path. Raises ForbiddenError, NotServedError or UnansweredError."""
        try:
            status, content = self._request(path, accept)
        except (OSError, HTTPException) as error:
            raise UnansweredError(f"{path}: {error}") from error
        if status == 200:
            return json.loads(content)
        message = _message(content) or f"status {status}"
        if status == 403:
            raise ForbiddenError(message)
        raise (NotServedError if status in {404, 405, 406} else UnansweredError)(f"{path}: {message}")

    def pages(self, path: str, accept: str = _JSON) -> Iterator[Manifest]:
        """The pages of a list. Raises ForbiddenError, NotServedError or UnansweredError."""
        query = {"limit": str(_PAGE)}
        while True:
            page: Manifest = self.get(f"{path}?{urlencode(query)}", accept)
            yield page
            query["continue"] = page["metadata"].get("continue") or ""
            if not query["continue"]:
                return

    def _request(self, path: str, accept: str) -> tuple[int, bytes]:
        connection: HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = _UnixConnection(self._path)
            self._connections.append(connection)
        try:
            connection.request("GET", path, headers={"Accept": accept, "Accept-Encoding": "gzip"})
            response = connection.getresponse()
            content = response.read()
        except (OSError, HTTPException):
            connection.close()  # the next request opens it again
            raise
        return response.status, gzip.decompress(content) if response.getheader(
            "Content-Encoding"
        ) == "gzip" else content


class _UnixConnection(HTTPConnection):
    """A connection to a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_TIMEOUT)
        self._path = path

    def connect(self) -> None:
        self.sock = socket(AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def _message(content: bytes) -> str:
    try:
        return str(json.loads(content)["message"])
    except (ValueError, KeyError, TypeError):
        return content.decode("utf-8", "replace").strip()[:200]


@contextmanager
def reader(cluster: Cluster) -> Iterator[Reader]:
    """A reader of the cluster of a stack. Raises UnansweredError if kubectl cannot start."""
    _remove_left_behind()
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as folder:  # only accessible to its owner
        path = Path(folder) / _SOCKET
        command = cluster.command(
            "proxy", f"--unix-socket={path}", "--reject-methods=^(POST|PUT|PATCH|DELETE)$", "--keepalive=30s"
        )
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                preexec_fn=die_with_parent,
            )
        except OSError as error:
            raise UnansweredError(str(error)) from error
        try:
            _wait(process, path)
            with closing(Reader(path)) as source:
                yield source
        finally:
            process.kill()
            process.communicate()


def _remove_left_behind() -> None:
    """Remove the sockets of this user's killed processes, to which nobody listens."""
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/{_SOCKET}"):
        with suppress(PermissionError, FileNotFoundError), socket(AF_UNIX) as probe:
            try:
                probe.connect(str(path))
            except ConnectionRefusedError:
                shutil.rmtree(path.parent, ignore_errors=True)


def _wait(process: "subprocess.Popen[str]", path: Path) -> None:
    end = time.monotonic() + _START_TIMEOUT
    while not path.exists():
        if process.poll() is not None:
            error = process.stderr.read().strip() if process.stderr else ""
            raise UnansweredError(error or "kubectl proxy exited")
        if time.monotonic() > end:
            raise UnansweredError(f"kubectl proxy did not start within {_START_TIMEOUT:.0f} s")
        time.sleep(_POLL_INTERVAL)
