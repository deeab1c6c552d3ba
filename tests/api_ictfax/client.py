"""Helpers: requests in the ICTFax style, as its clients make them."""

from __future__ import annotations

import json
from typing import Any

from tests.api_ifax.running import PASSWORD, USER, Reply, RunningBox, small_pdf, until

PREFIX = "/ictfax/api"
JSON = "application/json"


def sign_in(box: RunningBox, name: str = USER, password: str = PASSWORD, field: str = "username") -> str:
    body = json.dumps({field: name, "password": password}).encode()
    reply = box.call("POST", f"{PREFIX}/authenticate", body, {"Content-Type": JSON, "Accept": JSON})
    assert reply.status == 200, reply
    token: str = reply.json["token"]
    return token


class Client:
    """A signed-in client.  ``prefix`` is its base path."""

    def __init__(self, box: RunningBox, token: str, prefix: str = PREFIX) -> None:
        self.box, self.token, self.prefix = box, token, prefix

    def ask(
        self, method: str, path: str, data: Any = None, *, body: bytes | None = None, kind: str = JSON
    ) -> Reply:
        headers = {"Accept": JSON}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        content = json.dumps(data).encode() if body is None and data is not None else body
        if content is not None:
            headers["Content-Type"] = kind
        return self.box.call(method, self.prefix + path, content, headers)

    def made(self, path: str, data: Any) -> int:
        """The id of something created: a bare number."""
        reply = self.ask("POST", path, data)
        assert reply.status == 200, reply
        assert reply.body.isdigit(), reply
        found: int = reply.json
        return found

    def get(self, path: str) -> Any:
        reply = self.ask("GET", path)
        assert reply.status == 200, reply
        return reply.json

    def document(self, pages: int = 1, *, empty: bool = False) -> int:
        document_id = self.made("/documents", {"name": "letter", "description": "a letter"})
        if not empty:
            reply = self.ask(
                "POST", f"/documents/{document_id}/media", body=small_pdf(pages), kind="application/pdf"
            )
            assert reply.json == document_id
        return document_id

    def transmission(self, number: str = "9990", **fields: Any) -> int:
        """A transmission that waits for ``send``."""
        program = self.made("/programs/sendfax", {"name": "letter", "document_id": self.document()})
        return self.made(
            "/transmissions",
            {"title": "Hello", "phone": number, "program_id": program, "direction": "outbound", **fields},
        )

    def send(self, transmission_id: int) -> None:
        assert self.ask("POST", f"/transmissions/{transmission_id}/send").json

    def status(self, transmission_id: int) -> str:
        found: str = self.get(f"/transmissions/{transmission_id}/status")
        return found

    def ended(self, transmission_id: int) -> str:
        """The status once it is a last one."""
        found: str = until(
            lambda: (word := self.status(transmission_id)) in ("completed", "failed", "invalid") and word
        )
        return found

    def error(self, method: str, path: str, status: int, data: Any = None, **more: Any) -> dict[str, Any]:
        """The error object of a refused call."""
        reply = self.ask(method, path, data, **more)
        assert reply.status == status, reply
        found: dict[str, Any] = reply.json["error"]
        assert found["code"] == status
        assert found["message"]
        return found
