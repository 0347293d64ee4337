"""A stand-in for kubectl proxy and the API server behind it, on a Unix socket.

``python -m tests.review.twin.api_server proxy --unix-socket=PATH`` answers with the documents in the file $ANSWERS, by
path and query; an answer may be a status and a document. It appends each request to the file $REQUESTS.
"""

import gzip
import json
import os
import sys
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from typing import Any

import pytest

from tests.review.programs import first_on_path, stand_in


class _Server(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        with open(os.environ["REQUESTS"], "a", encoding="utf-8") as log:
            log.write(f"{self.path} {self.headers['Accept']}\n")
        answers = json.loads(Path(os.environ["ANSWERS"]).read_text(encoding="utf-8"))
        answer = answers.get(self.path, [404, {"message": "the server could not find the requested resource"}])
        status, document = answer if isinstance(answer, list) else (200, answer)
        body = document.encode() if isinstance(document, str) else gzip.compress(json.dumps(document).encode())
        self.send_response(status)
        if not isinstance(document, str):
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "client"

    def log_message(self, *_: Any) -> None:
        pass


class ApiServer:
    """The answers, and the requests so far."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._answers, self._requests = folder / "answers.json", folder / "requests"
        self._requests.touch()
        monkeypatch.setenv("ANSWERS", str(self._answers))
        monkeypatch.setenv("REQUESTS", str(self._requests))
        first_on_path(folder, monkeypatch)
        arguments = f'echo "$*" >{folder}/arguments'
        stand_in(folder, "kubectl", f'{arguments}\nexec {sys.executable} -m tests.review.twin.api_server "$@"')
        self.arguments = folder / "arguments"

    def answer(self, answers: dict[str, Any]) -> None:
        self._answers.write_text(json.dumps(answers), encoding="utf-8")

    def requests(self) -> list[tuple[str, str]]:
        """Path and accepted type of each request."""
        lines = self._requests.read_text(encoding="utf-8").splitlines()
        return [(path, accept) for path, _, accept in (line.partition(" ") for line in lines)]


if __name__ == "__main__":
    (socket,) = [argument.partition("=")[2] for argument in sys.argv if argument.startswith("--unix-socket=")]
    with _Server(socket, _Handler) as server:
        server.serve_forever()
