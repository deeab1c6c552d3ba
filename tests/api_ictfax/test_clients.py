"""Requests of published programs for that system, and the parts of responses that they read.

The requests are those of client programs in several languages; only base URL and credentials are the
box's.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from typing import Any

import pytest

from tests.api_ictfax.client import Client, sign_in
from tests.api_ifax.running import PASSWORD, USER, RunningBox, small_pdf, until

JSON = "application/json"


class HttpError(Exception):
    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"{status}: {body!r}")
        self.status, self.body = status, body


def fetch(
    url: str, method: str, headers: dict[str, str], body: bytes | None = None
) -> tuple[dict[str, str], bytes]:
    request = urllib.request.Request(url, body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        raise HttpError(error.code, error.read()) from None


class ToolServerClient:
    """The requests of the published tool server: ``/api`` base, sign-in first, ids as numbers."""

    def __init__(self, base: str) -> None:
        self.base, self.token = base, ""

    def authenticate(self) -> None:
        body = json.dumps({"username": USER, "password": PASSWORD}).encode()
        headers = {"Content-Type": JSON, "Accept": JSON}
        _, answer = fetch(f"{self.base}/authenticate", "POST", headers, body)
        self.token = json.loads(answer)["token"]

    def raw(self, method: str, path: str, *, data: Any = None, octets: bytes | None = None) -> Any:
        if not self.token:
            self.authenticate()
        headers = {"Authorization": f"Bearer {self.token}", "Accept": JSON}
        body = octets
        if octets is not None:
            headers["Content-Type"] = "application/pdf"
        elif data is not None:
            headers["Content-Type"], body = JSON, json.dumps(data).encode()
        elif method == "POST":
            body = b""
        try:
            _, answer = fetch(f"{self.base}/{path}", method, headers, body)
        except HttpError as error:
            if error.status != 401:
                raise
            self.authenticate()
            headers["Authorization"] = f"Bearer {self.token}"
            _, answer = fetch(f"{self.base}/{path}", method, headers, body)
        return json.loads(answer) if answer else None


@pytest.mark.parametrize("prefix", ["/api", "/ictfax/api"])
def test_the_tool_server_sends_a_fax_in_six_calls_and_polls_it(box: RunningBox, prefix: str) -> None:
    client = ToolServerClient(box.url + prefix)
    document = client.raw("POST", "documents", data={"name": "Fax"})
    assert type(document) is int
    client.raw("POST", f"documents/{document}/media", octets=small_pdf())
    contact = client.raw("POST", "contacts", data={"first_name": "Fax recipient", "phone": "9990"})
    program = client.raw("POST", "programs/sendfax", data={"name": "Fax", "document_id": document})
    # Its account is 1 unless it is told otherwise, whatever the account's number is here.
    transmission = client.raw(
        "POST",
        "transmissions",
        data={
            "title": "Fax",
            "contact_id": contact,
            "program_id": program,
            "account_id": 1,
            "direction": "outbound",
        },
    )
    assert {type(each) for each in (contact, program, transmission)} == {int}
    assert client.raw("POST", f"transmissions/{transmission}/send")
    until(lambda: client.raw("GET", f"transmissions/{transmission}")["status"] == "completed")
    assert transmission in [each["transmission_id"] for each in client.raw("GET", "transmissions")]


def test_the_tool_server_signs_in_again_when_its_token_has_expired(box: RunningBox) -> None:
    client = ToolServerClient(box.url + "/api")
    client.token = "expired"
    assert isinstance(client.raw("GET", "transmissions"), list)


def test_the_workflow_nodes_send_wait_and_download(box: RunningBox) -> None:
    client = Client(box, sign_in(box, field="email", name="ada@example.com"), "/api")
    contact = client.ask("POST", "/contacts", {"phone": "9990", "first_name": "9990"}).json
    document = client.ask("POST", "/messages/documents", {"name": "fax-1"}).json
    put = client.ask("PUT", f"/messages/documents/{document}/media", body=small_pdf(), kind="application/pdf")
    assert put.status == 200
    program = client.ask("POST", "/programs/sendfax", {"name": "fax-1", "document_id": document}).json
    transmission = client.ask("POST", "/transmissions", {"contact_id": contact, "program_id": program}).json
    assert client.ask("POST", f"/transmissions/{transmission}/send").status == 200
    end = time.monotonic() + 120
    status = "pending"
    # It goes on polling while it reads one of these; anything else is the end for it.
    while status in ("pending", "processing", "scheduled", "ready") and time.monotonic() < end:
        time.sleep(0.1)
        answer = client.ask("GET", f"/transmissions/{transmission}/status").json
        status = (answer["status"] if isinstance(answer, dict) else str(answer)).lower()
    assert status == "completed"
    assert client.ask("GET", f"/transmissions/{transmission}/result").status == 200
    assert [each["transmission_id"] for each in client.ask("GET", "/faxes").json].count(transmission) == 1
    assert client.ask("GET", f"/documents/{document}/media").body.startswith(b"%PDF")


def test_the_typescript_library_keeps_documents(box: RunningBox) -> None:
    login = {"username": USER, "password": PASSWORD}
    body = json.dumps(login).encode()
    _, answer = fetch(f"{box.url}/api/authenticate", "POST", {"Content-Type": JSON}, body)
    headers = {"Content-Type": JSON, "Authorization": "Bearer " + json.loads(answer)["access_token"]}
    base = f"{box.url}/api/messages/documents"
    new = {"name": "contract", "description": "signed", "quality": "fine"}
    document = json.loads(fetch(base, "POST", headers, json.dumps(new).encode())[1])
    fetch(
        f"{base}/{document}/media",
        "PUT",
        {
            **headers,
            "Content-Type": "application/pdf",
            "cache-control": "no-cache",
            "content-disposition": "attachment; filename=ev.pdf",
        },
        small_pdf(),
    )
    found = json.loads(fetch(f"{base}/{document}", "GET", headers)[1])
    assert (found["name"], found["type"]) == ("contract", "application/pdf")
    changed = {**found, "description": "filed"}
    answer = fetch(f"{base}/{document}", "PUT", headers, json.dumps(changed).encode())[1]
    assert json.loads(answer)["description"] == "filed"
    assert document in [each["document_id"] for each in json.loads(fetch(base, "GET", headers)[1])]
    assert json.loads(fetch(f"{base}/{document}", "DELETE", headers)[1])


def test_the_web_client_sends_and_looks_through_both_boxes(box: RunningBox) -> None:
    # Its Authorization header begins with a space, and a send has an empty text for content.
    token = sign_in(box)
    headers = {"Authorization": f" Bearer {token}", "Content-Type": JSON, "Accept": JSON}

    def ask(method: str, path: str, body: bytes | None = None, **more: str) -> Any:
        return json.loads(fetch(box.url + "/api" + path, method, {**headers, **more}, body)[1])

    document = ask("POST", "/documents", b'{"name":"from the web"}')
    ask("POST", f"/documents/{document}/media", small_pdf(), **{"Content-Type": "application/pdf"})
    program = ask("POST", "/programs/sendfax", json.dumps({"document_id": document}).encode())
    accounts = ask("GET", "/accounts")
    form = {"title": "web", "phone": "9990", "program_id": program, "account_id": accounts[0]["account_id"]}
    transmission = ask("POST", "/transmissions", json.dumps(form).encode())
    ask("POST", f"/transmissions/{transmission}/send", b"")
    box.receive_practice_fax()

    def both() -> Any:
        sent = ask("GET", "/transmissions?service_flag=2&direction=outbound")
        received = ask("GET", "/transmissions?service_flag=2&direction=inbound&status=completed")
        done = [each for each in sent if each["status"] == "completed"]
        own = transmission in [each["transmission_id"] for each in done]
        return own and received and (done, received)

    sent, received = until(both)
    assert transmission in [each["transmission_id"] for each in sent]
    result = ask("GET", f"/transmissions/{received[0]['transmission_id']}/results?name=document")
    media = fetch(f"{box.url}/api/documents/{result[0]['data']}/media", "GET", headers)
    assert media[1].startswith(b"%PDF-")
    with pytest.raises(HttpError) as missing:
        ask("GET", "/documents/424242")
    error = json.loads(missing.value.body)["error"]
    assert (missing.value.status, error["code"]) == (404, 404)
    assert error["message"]


def test_curl_sends_in_one_step_with_a_form(box: RunningBox, tmp_path: Any) -> None:
    import subprocess

    file = tmp_path / "letter.pdf"
    file.write_bytes(small_pdf())
    done = subprocess.run(
        [
            "curl",
            "-sS",
            "-H",
            f"Authorization: Bearer {box.key}",
            "-F",
            "to=9990",
            "-F",
            "from=+493012345",
            "-F",
            f"file=@{file}",
            f"{box.url}/ictfax/api/fax/send",
        ],
        capture_output=True,
        check=True,
        timeout=120,
    )
    made = json.loads(done.stdout)["job_id"]
    client = Client(box, box.key)
    until(lambda: client.get(f"/fax/{made}")["status"] == "sent")


def test_the_workflow_node_does_its_day_with_basic_credentials(box: RunningBox) -> None:
    import base64

    coded = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    headers = {"Authorization": f"Basic {coded}", "Accept": JSON, "Content-Type": JSON}

    def ask(method: str, path: str, data: Any = None, octets: bytes | None = None, **more: str) -> Any:
        body = octets if data is None else json.dumps(data).encode()
        answer = fetch(box.url + "/api" + path, method, {**headers, **more}, body)[1]
        return json.loads(answer) if not answer.startswith(b"%PDF") else answer

    contact = ask("POST", "/contacts", {"phone": "9990", "first_name": "Ann", "custom1": "x", "address": "y"})
    document = ask("POST", "/messages/documents", {"name": "n8n"})
    ask(
        "PUT",
        f"/messages/documents/{document}/media",
        octets=small_pdf(),
        **{"Content-Type": "application/pdf"},
    )
    program = ask(
        "POST", "/programs/sendfax", {"name": "n8n fax", "document_id": document, "account_id": "1"}
    )
    fax = ask("POST", "/transmissions", {"contact_id": contact, "program_id": program, "account_id": "1"})
    # The node sends an empty object where it has nothing to say.
    assert ask("POST", f"/transmissions/{fax}/send", {})
    until(lambda: ask("GET", f"/transmissions/{fax}/status") == "completed")
    assert isinstance(ask("GET", f"/transmissions/{fax}/result"), list)
    assert ask("GET", f"/documents/{document}/media").startswith(b"%PDF")
    # Ids come as texts from its fields.
    assert ask("PUT", f"/contacts/{contact}", {"email": "ann@example.com"})["email"] == "ann@example.com"
    group = ask("POST", "/groups", {"name": "n8n group"})
    assert ask("PUT", f"/contacts/{contact}/link/{group}", {})
    assert [each["phone"] for each in ask("GET", f"/groups/{group}/contacts")] == ["9990"]
    campaign = ask("POST", "/campaigns", {"program_id": str(program), "group_id": str(group), "cpm": 10})
    assert ask("PUT", f"/campaigns/{campaign}/start", {}) is True
    until(lambda: ask("GET", f"/campaigns/{campaign}")["status"] == "completed")
    assert ask("PUT", f"/campaigns/{campaign}/stop", {}) is True
    assert ask("DELETE", f"/campaigns/{campaign}", {}) is True
    assert ask("DELETE", f"/groups/{group}", {}) is True
    assert ask("GET", "/statistics", {})["transmission_total"] >= 2
    assert fax in [each["transmission_id"] for each in ask("GET", "/transmissions?direction=outbound")]
    with pytest.raises(HttpError) as telephony:
        ask("POST", "/call/originate", {"from": "1001", "to": "1002"})
    assert telephony.value.status == 404
