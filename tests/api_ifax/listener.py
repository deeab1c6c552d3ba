"""An HTTP server that records what is posted to it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from tests.api_ifax.running import until


@dataclass(frozen=True)
class Posted:
    path: str
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    at: float  # monotonic, when it came

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Listener:
    """Responds with each of ``statuses`` in turn, then always with the last."""

    def __init__(self, *statuses: int) -> None:
        self.posted: list[Posted] = []
        answers = list(statuses or (200,))

        class Handler(BaseHTTPRequestHandler):
            def do_POST(handler) -> None:  # noqa: N805 (the outer one is ``self``)
                body = handler.rfile.read(int(handler.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in handler.headers.items()}
                self.posted.append(Posted(handler.path, headers, body, time.monotonic()))
                handler.send_response(answers.pop(0) if len(answers) > 1 else answers[0])
                handler.send_header("Content-Length", "0")
                handler.end_headers()

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def wait(self, count: int = 1) -> list[Posted]:
        """The posts, once there are ``count``."""
        until(lambda: len(self.posted) >= count)
        return list(self.posted)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
