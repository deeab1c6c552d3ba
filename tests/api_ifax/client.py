"""Helpers: requests in the iFax style, as its clients make them."""

from __future__ import annotations

import base64
import json
from typing import Any

from tests.api_ifax.running import Reply, RunningBox, small_pdf, until

PREFIX = "/v1/customer/"
PDF = base64.b64encode(small_pdf()).decode()
FILE = {"fileName": "letter.pdf", "fileData": PDF}


def ask(
    box: RunningBox,
    call: str,
    data: Any = None,
    *,
    method: str = "POST",
    key: str | None = None,
    body: bytes | None = None,
    kind: str = "application/json",
) -> Reply:
    headers = {"accessToken": box.key if key is None else key, "Content-Type": kind}
    content = json.dumps(data).encode() if body is None and data is not None else body
    return box.call(method, PREFIX + call, content, headers)


def send(box: RunningBox, **fields: Any) -> int:
    """The job id of a fax of one page to the practice number 9990, unless told otherwise."""
    reply = ask(box, "fax-send", {"faxNumber": "9990", "faxData": [FILE], **fields})
    assert reply.status == 200, reply
    found: int = reply.json["data"]["jobId"]
    return found


def status(box: RunningBox, job_id: int) -> dict[str, Any]:
    reply = ask(box, "fax-status", {"jobId": job_id})
    assert reply.status == 200, reply
    assert reply.json["status"] == 1
    found: dict[str, Any] = reply.json["data"]
    return found


def ended(box: RunningBox, job_id: int) -> dict[str, Any]:
    """The fax object once the fax has ended."""
    found: dict[str, Any] = until(lambda: (fax := status(box, job_id))["faxStatus"] != "sending" and fax)
    return found
