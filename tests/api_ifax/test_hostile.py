"""The iFax style with hostile and with wrong requests: clear errors, nothing else affected.

A larger number of random requests is tried with FAXBOX_SWEEP=1.
"""

from __future__ import annotations

import json
import os
import socket
import threading
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.configuration import open_settings
from appliance.net.settings import ApiSettings
from appliance.settings import secrets
from tests.api_ifax.client import FILE, PREFIX, ask, ended, send
from tests.api_ifax.running import Reply, RunningBox, until

EXAMPLES = 2000 if os.environ.get("FAXBOX_SWEEP") else 120
CALLS = (
    "fax-send",
    "fax-cancel",
    "fax-resend",
    "fax-status",
    "inbound/fax-list",
    "inbound/fax-download",
    "inbound/number-list",
    "nothing",
)
_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=40)
    | st.sampled_from(["9990", "2030-01-01T00:00:00Z", "HD", "GET", "1-2", "AAAA"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["fileName", "fileUrl", "fileData", "pages"]), inner, max_size=3)
    ),
    max_leaves=6,
)
_fields = st.dictionaries(
    st.sampled_from(
        [
            "faxNumber",
            "faxData",
            "jobId",
            "send_at",
            "faxQuality",
            "templateId",
            "smartDocumentId",
            "subject",
            "message",
            "callerId",
            "lastFaxId",
            "startDate",
            "_method",
        ]
    ),
    _values,
    max_size=6,
)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(call=st.sampled_from(CALLS), fields=_fields | _values)
def test_random_requests_are_answered_in_the_words_of_the_style(
    box: RunningBox, call: str, fields: Any
) -> None:
    reply = ask(box, call, fields)
    assert reply.status < 500
    answer = reply.json
    assert (answer["status"] == 1) == (reply.status == 200)
    assert answer["message"]


@settings(
    max_examples=EXAMPLES // 2,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    body=st.binary(max_size=300),
    kind=st.sampled_from(
        [
            "application/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "multipart/form-data",
            "text/plain",
            "",
            "application/json; charset=\xff",
            "x" * 200,
        ]
    ),
)
def test_random_octets_are_refused(box: RunningBox, body: bytes, kind: str) -> None:
    reply = ask(box, "fax-send", body=body, kind=kind)
    assert 400 <= reply.status < 500
    assert reply.json["status"] < 0


def test_a_form_of_a_thousand_fields_is_refused(box: RunningBox) -> None:
    body = "&".join(f"faxData[{index}][fileUrl]=x" for index in range(1000)).encode()
    assert ask(box, "fax-send", body=body, kind="application/x-www-form-urlencoded").status == 400


def test_deep_json_is_refused(box: RunningBox) -> None:
    assert ask(box, "fax-send", body=b"[" * 100_000 + b"]" * 100_000).status == 400


def _raw(box: RunningBox, octets: bytes) -> bytes:
    parts = urlsplit(box.url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=120) as sock:
        sock.sendall(octets)
        sock.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := sock.recv(65536):
            answer += piece
        return answer


def test_a_request_that_breaks_off_is_refused_and_leaves_nothing(box: RunningBox) -> None:
    before = sorted(path.name for path in (box.data / "documents").iterdir())
    head = (
        f"POST {PREFIX}fax-send HTTP/1.1\r\nHost: x\r\naccessToken: {box.key}\r\n"
        "Content-Type: {}\r\nContent-Length: 100000\r\n\r\n"
    )
    json_part = b'{"faxNumber": "9990", "faxData": [{"fileData": "AAAA'
    form_part = (
        b'--x\r\nContent-Disposition: form-data; name="faxData[0][fileUrl]"; filename="a.pdf"\r\n\r\n%PDF-1.4'
    )
    for kind, part in (("application/json", json_part), ("multipart/form-data; boundary=x", form_part)):
        answer = _raw(box, head.replace("{}", kind).encode() + part)
        assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 408")), answer
    assert sorted(path.name for path in (box.data / "documents").iterdir()) == before


def test_a_key_in_the_wrong_header_does_not_help(box: RunningBox) -> None:
    reply = box.call("POST", f"{PREFIX}fax-status", b"{}", {"Authorization": f"Bearer {box.key}"})
    assert reply.status == 401


@pytest.mark.parametrize(
    ("limit", "value"), [("requests_at_once", 1), ("burst", 3)], ids=["at once", "in a burst"]
)
def test_too_many_at_once_are_told_so(box: RunningBox, limit: str, value: int) -> None:
    store = open_settings(box.data)
    _, crowd = secrets.add_key(store, f"crowd {limit}")
    before = getattr(store.section(ApiSettings), limit)
    store.change(ApiSettings, {limit: value})
    replies: list[Reply] = []

    def one() -> None:
        fields = {"faxNumber": "x", "faxData": [FILE] * 20}
        replies.extend(ask(box, "fax-send", fields, key=crowd) for _ in range(4))

    def rushed() -> bool:
        """Whether some of many clients were refused, which depends on the machine's scheduling."""
        threads = [threading.Thread(target=one) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return len({reply.status for reply in replies}) > 1

    try:
        until(rushed)
    finally:
        store.change(ApiSettings, {limit: before})
    assert {reply.status for reply in replies} == {400, 429}
    refused = [reply for reply in replies if reply.status == 429]
    assert {reply.json["code"] for reply in refused} == {-3010}
    assert all(int(reply.headers["retry-after"]) >= 1 for reply in refused)


def test_the_box_still_sends_after_all_this(box: RunningBox) -> None:
    assert ended(box, send(box, faxQuality="Low"))["faxStatus"] == "delivered"
    assert json.dumps(box.said).count("Traceback") == 0
