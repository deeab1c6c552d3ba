"""At every door a file name or type that contradicts the content is an error."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.documents.causes import DOCUMENT_MISLABELLED
from tests.api_ictfax.client import Client, sign_in
from tests.api_ifax.client import ask
from tests.api_ifax.running import Reply, RunningBox

ERROR_PAGE = b"<!DOCTYPE html><html><head><title>404</title></head><body>Not found</body></html>"
Door = Callable[[RunningBox, bytes, str], Reply]


def rest(box: RunningBox, content: bytes, name: str) -> Reply:
    file = {"name": name, "content": base64.b64encode(content).decode()}
    body = json.dumps({"to": ["9990"], "files": [file], "hold": True}).encode()
    headers = {"Authorization": f"Bearer {box.key}", "Content-Type": "application/json"}
    return box.call("POST", "/api/v1/faxes", body, headers)


def ifax(box: RunningBox, content: bytes, name: str) -> Reply:
    file = {"fileName": name, "fileData": base64.b64encode(content).decode()}
    return ask(box, "fax-send", {"faxNumber": "9990", "faxData": [file]})


def ictfax(box: RunningBox, content: bytes, name: str) -> Reply:
    client = Client(box, sign_in(box))
    document = client.document(empty=True)
    kind = "application/pdf" if name.endswith(".pdf") else "text/plain"
    return client.ask("POST", f"/documents/{document}/media", body=content, kind=kind)


@pytest.mark.parametrize("door", [rest, ifax, ictfax])
@pytest.mark.parametrize("content", [b"just text", ERROR_PAGE, b"{\\rtf1 hello}", b"%!PS\nshowpage\n"])
def test_text_or_a_server_s_error_page_called_pdf_is_refused(
    box: RunningBox, door: Door, content: bytes
) -> None:
    refused = door(box, content, "bill.pdf")
    assert refused.status in (400, 415), refused
    words = refused.body.decode()
    assert DOCUMENT_MISLABELLED.sentence in words or "promises pdf" in words or "is said" in words, words


@pytest.mark.parametrize("door", [rest, ifax, ictfax])
def test_text_called_txt_is_accepted_at_every_door(box: RunningBox, door: Door) -> None:
    assert door(box, b"just text", "bill.txt").status in (200, 201, 202)


@pytest.mark.parametrize("content", [b"just text", ERROR_PAGE])
def test_faxbox_send_refuses_text_called_pdf_with_the_same_sentence(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "bill.pdf"
    file.write_bytes(content)
    command = [sys.executable, "-m", "appliance.cli", "send", str(file), "--to", "9990"]
    done = subprocess.run(command, capture_output=True, timeout=120, check=False)
    assert done.returncode == 2
    assert DOCUMENT_MISLABELLED.sentence in done.stderr.decode()
    assert "bill.pdf" in done.stderr.decode()
