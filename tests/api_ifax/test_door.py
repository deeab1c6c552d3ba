"""The iFax style against a running box, fax calls on the practice line included."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlencode

import pytest

from appliance.configuration import open_settings
from appliance.documents.settings import CoverTemplate
from appliance.net.settings import ApiSettings
from appliance.settings import secrets
from appliance.settings.accounts import Scope
from tests.api_ifax.client import FILE, PDF, ask, ended, send, status
from tests.api_ifax.running import OWN_NUMBER, RunningBox, form, small_pdf, until

LATER = (datetime.now(UTC) + timedelta(hours=5)).strftime("%Y-%m-%dT%H:%M:%SZ")


def error(box: RunningBox, call: str, data: Any, http: int, code: int | None = None, **more: Any) -> Any:
    reply = ask(box, call, data, **more)
    found = reply.json
    assert (reply.status, found.get("code")) == (http, code), reply
    assert found["status"] < 0
    assert found["message"]
    return found


# -- sending and its end ---------------------------------------------------------------------------


def test_a_fax_is_answered_sent_and_confirmed(box: RunningBox) -> None:
    before = int(time.time())
    reply = ask(box, "fax-send", {"faxNumber": "9990", "faxData": [FILE], "faxQuality": "Low"})
    job_id = reply.json["data"]["jobId"]
    assert reply.json == {"status": 1, "message": "Fax processed for sending", "data": {"jobId": job_id}}
    assert isinstance(job_id, int)
    fax = ended(box, job_id)
    assert {name: fax[name] for name in ("jobId", "toNumber", "fromNumber", "faxTotalPages")} == {
        "jobId": job_id,
        "toNumber": "9990",
        "fromNumber": OWN_NUMBER,
        "faxTotalPages": 1,
    }
    assert (fax["faxStatus"], fax["code"], fax["message"]) == ("delivered", 0, "NORMAL_CLEARING")
    assert (fax["faxTransferredPages"], fax["direction"]) == (1, "sent")
    assert before <= fax["faxCallStart"] <= fax["faxCallEnd"] <= time.time() + 1
    assert fax["faxCallLength"] == fax["faxCallEnd"] - fax["faxCallStart"]


def test_a_busy_number_fails_with_the_reason_of_the_line(box: RunningBox) -> None:
    fax = ended(box, send(box, faxNumber="9991"))
    assert (fax["faxStatus"], fax["message"], fax["code"]) == ("failed", "USER_BUSY", 17)


def test_page_selections_choose_and_repeat_pages(box: RunningBox) -> None:
    five = base64.b64encode(small_pdf(5)).decode()
    file = {"fileName": "five.pdf", "fileData": five, "pages": ["2-3", "5", "1-2"]}
    assert ended(box, send(box, faxData=[file, FILE], faxQuality="Low"))["faxTotalPages"] == 6


def test_a_page_that_is_not_there_fails_the_fax_with_its_code(box: RunningBox) -> None:
    fax = ended(box, send(box, faxData=[{**FILE, "pages": ["7"]}]))
    assert (fax["faxStatus"], fax["code"], fax["message"]) == ("failed", -3003, "Image does not exist")


def test_any_cover_field_adds_a_cover_page(box: RunningBox) -> None:
    with_cover = send(
        box, subject="Offer", from_name="Ada", to_name="Bob", message="As we said.", faxQuality="Low"
    )
    assert ended(box, with_cover)["faxTotalPages"] == 2


def test_a_template_is_named_by_its_id(box: RunningBox) -> None:
    template = open_settings(box.data).add(CoverTemplate(name="plain"))
    assert ended(box, send(box, templateId=template, faxQuality="Low"))["faxTotalPages"] == 2
    error(box, "fax-send", {"faxNumber": "9990", "faxData": [FILE], "templateId": 999}, 404)


def test_a_fill_in_document_is_filled_in_with_the_requests_fields(box: RunningBox) -> None:
    headers = {"Authorization": f"Bearer {box.key}", "Content-Type": "application/json"}
    stored = box.call("POST", "/ictfax/api/documents", b'{"name": "form"}', headers).json
    headers["Content-Type"] = "text/plain"
    letter = b"Dear {{ to_name }},\n\nabout {{subject}}: {{message}}\n\n{{from_name}} {{nobody}}\n"
    assert box.call("POST", f"/ictfax/api/documents/{stored}/media", letter, headers).status == 200
    fields = {"to_name": "Ada {{subject}}", "subject": "an offer", "message": "come", "from_name": "Bob"}
    job = send(box, smartDocumentId=stored, faxData=None, faxQuality="Low", **fields)
    done = ended(box, job)
    assert (done["faxStatus"], done["faxTotalPages"]) == ("delivered", 2)  # the fields make a cover, too
    texts = [path.read_bytes() for path in (box.data / "documents").iterdir()]
    assert b"Dear Ada {{subject}},\n\nabout an offer: come\n\nBob {{nobody}}\n" in texts
    assert letter in texts, "the stored document stays as it was"


def test_a_stored_document_goes_before_the_files_or_alone(box: RunningBox) -> None:
    headers = {"Authorization": f"Bearer {box.key}", "Content-Type": "application/json"}
    stored = box.call("POST", "/ictfax/api/documents", b'{"name": "form"}', headers).json
    error(box, "fax-send", {"faxNumber": "9990", "smartDocumentId": stored}, 400, -3003)
    headers["Content-Type"] = "application/pdf"
    assert box.call("POST", f"/ictfax/api/documents/{stored}/media", small_pdf(2), headers).status == 200
    alone = send(box, smartDocumentId=stored, faxData=None, faxQuality="Low")
    assert ended(box, alone)["faxTotalPages"] == 2
    assert ended(box, send(box, smartDocumentId=stored, faxQuality="Low"))["faxTotalPages"] == 3
    error(box, "fax-send", {"faxNumber": "9990", "smartDocumentId": 999}, 404)


def test_a_caller_id_that_is_not_the_boxes_own_is_not_shown(box: RunningBox) -> None:
    assert status(box, send(box, callerId="+1 555 0100"))["fromNumber"] == OWN_NUMBER
    assert status(box, send(box, callerId="+4930-12345"))["fromNumber"].replace(" ", "") == OWN_NUMBER


# -- documents by URL ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def website() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == "/letter.pdf"
            content = small_pdf(2) if found else b"<html>no</html>"
            self.send_response(200 if found else 404)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_file_given_by_url_is_fetched_and_faxed(box: RunningBox, website: str) -> None:
    job_id = send(box, faxData=[{"fileName": "x.pdf", "fileUrl": f"{website}/letter.pdf"}], faxQuality="Low")
    assert ended(box, job_id)["faxTotalPages"] == 2


@pytest.mark.parametrize(
    "url", ["/missing.pdf", "ftp://example.com/a.pdf", "http://127.0.0.1:1/a.pdf", "file:///etc/passwd", "x"]
)
def test_a_file_that_cannot_be_fetched_does_not_exist(box: RunningBox, website: str, url: str) -> None:
    given = website + url if url.startswith("/") else url
    error(box, "fax-send", {"faxNumber": "9990", "faxData": [{"fileUrl": given}]}, 400, -3003)


def test_addresses_of_the_local_network_are_not_fetched_unless_allowed(box: RunningBox, website: str) -> None:
    settings = open_settings(box.data)
    settings.change(ApiSettings, {"private_urls": False})
    try:
        file = {"fileUrl": f"{website}/letter.pdf"}
        error(box, "fax-send", {"faxNumber": "9990", "faxData": [file]}, 400, -3003)
    finally:
        settings.change(ApiSettings, {"private_urls": True})


# -- several recipients ----------------------------------------------------------------------------


def test_a_broadcast_is_one_job_id_that_stands_for_all(box: RunningBox) -> None:
    data = {"faxNumber": "9990, 9991", "faxData": [FILE], "faxQuality": "Low"}
    answer = ask(box, "fax-send", data).json["data"]
    first, second = answer["jobIds"]
    assert answer["jobId"] == first
    assert ended(box, second)["message"] == "USER_BUSY"
    assert "recipients" not in status(box, second)
    fax = ended(box, first)
    assert fax["faxStatus"] == "delivered"
    assert [(each["jobId"], each["faxStatus"]) for each in fax["recipients"]] == [
        (first, "delivered"),
        (second, "failed"),
    ]


def test_cancelling_a_broadcast_cancels_all_and_one_of_it_only_itself(box: RunningBox) -> None:
    data = {"faxNumber": ["9990", "9991", "9995"], "faxData": [FILE], "send_at": LATER}
    first, second, third = ask(box, "fax-send", data).json["data"]["jobIds"]
    assert ask(box, "fax-cancel", {"jobId": second}).status == 200
    assert [status(box, job)["faxStatus"] for job in (first, second, third)] == [
        "sending",
        "canceled",
        "sending",
    ]
    assert ask(box, "fax-cancel", {"jobId": first}).status == 200
    assert {status(box, job)["faxStatus"] for job in (first, second, third)} == {"canceled"}


def test_sixteen_recipients_are_too_many(box: RunningBox) -> None:
    numbers = [f"+49301{index:04}" for index in range(16)]
    error(box, "fax-send", {"faxNumber": numbers, "faxData": [FILE]}, 400, -3008)


# -- cancel, resend, status ------------------------------------------------------------------------


def test_a_scheduled_fax_waits_and_can_be_cancelled(box: RunningBox) -> None:
    job_id = send(box, send_at=LATER)
    time.sleep(0.5)
    assert status(box, job_id)["faxStatus"] == "sending"
    reply = ask(box, "fax-cancel", {"jobId": job_id})
    assert reply.json == {
        "status": 1,
        "message": f"Fax job {job_id} has been cancelled",
        "data": {"jobId": job_id, "faxStatus": "canceled"},
    }
    fax = status(box, job_id)
    assert (fax["faxStatus"], fax["message"]) == ("canceled", "ORIGINATOR_CANCEL")


def test_a_scheduled_fax_goes_out_at_its_time(box: RunningBox) -> None:
    at = datetime.now(UTC) + timedelta(seconds=2)
    fax = ended(box, send(box, send_at=at.isoformat(), faxQuality="Low"))
    assert fax["faxStatus"] == "delivered"
    assert fax["faxCallEnd"] >= int(at.timestamp())


def test_a_fax_in_progress_can_be_cancelled(box: RunningBox) -> None:
    many = base64.b64encode(small_pdf(30)).decode()
    # At the speed of a real call, so that thirty pages are never through before it is cancelled.
    with box.practice(speed=1.0):
        job_id = send(box, faxData=[{"fileName": "long.pdf", "fileData": many}], faxQuality="HD")
        until(lambda: status(box, job_id)["faxTransferredPages"] >= 1)
        assert ask(box, "fax-cancel", {"jobId": job_id}).status == 200
        fax = ended(box, job_id)
    assert fax["faxStatus"] == "canceled"
    assert fax["faxTransferredPages"] < 30


def test_a_fax_that_ended_cannot_be_cancelled(box: RunningBox) -> None:
    job_id = send(box, faxQuality="Low")
    ended(box, job_id)
    error(box, "fax-cancel", {"jobId": job_id}, 400)


def test_a_fax_is_sent_again_to_the_same_number_or_another(box: RunningBox) -> None:
    old = send(box, faxNumber="9991", faxQuality="Low")
    ended(box, old)
    again = ask(box, "fax-resend", {"jobId": old}).json
    new = again["data"]["jobId"]
    assert again == {
        "status": 1,
        "message": "Fax resent successfully",
        "data": {"jobId": new, "originalJobId": old},
    }
    assert ended(box, new)["toNumber"] == "9991"
    other = ask(box, "fax-resend", {"jobId": str(old), "faxNumber": "9990"}).json["data"]["jobId"]
    assert ended(box, other)["faxStatus"] == "delivered"
    error(box, "fax-resend", {"jobId": old, "faxNumber": "112"}, 400, -3007)


@pytest.mark.parametrize("call", ["fax-status", "fax-cancel", "fax-resend"])
def test_a_job_that_is_not_there_is_not_found(box: RunningBox, call: str) -> None:
    assert error(box, call, {"jobId": 999_999}, 404)["status"] == -5
    assert error(box, call, {"jobId": "none"}, 400)["status"] == -2
    assert error(box, call, {}, 400)["status"] == -2


def test_the_faxes_of_others_are_not_found(box: RunningBox) -> None:
    _, other = secrets.add_key(open_settings(box.data), "other")
    job_id = send(box, send_at=LATER)
    for call in ("fax-status", "fax-cancel", "fax-resend"):
        error(box, call, {"jobId": job_id}, 404, key=other)
    assert ask(box, "fax-status", {"jobId": job_id}, key=box.admin_key).status == 200
    ask(box, "fax-cancel", {"jobId": job_id})


# -- who may, and how much -------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["", "wrong", "fxb_" + "a" * 43, "ä"])
def test_a_wrong_key_is_refused_before_anything_is_read(box: RunningBox, key: str) -> None:
    found = error(box, "fax-send", None, 401, -3009, key=key.encode().decode("latin-1"), body=b"{")
    assert (found["status"], found["message"]) == (-3, "Invalid API key")


def test_a_key_that_may_not_send_has_no_permission(box: RunningBox) -> None:
    _, reader = secrets.add_key(open_settings(box.data), "reader", scopes=(Scope.RECEIVE,))
    error(box, "fax-send", {"faxNumber": "9990", "faxData": [FILE]}, 400, -3007, key=reader)


def test_a_spent_quota_is_insufficient_balance(box: RunningBox) -> None:
    _, small = secrets.add_key(open_settings(box.data), "small", quota=1)
    first = ask(box, "fax-send", {"faxNumber": "9990", "faxData": [FILE]}, key=small).json["data"]["jobId"]
    wanted = {"jobId": first}
    until(lambda: ask(box, "fax-status", wanted, key=small).json["data"]["faxStatus"] == "delivered")
    found = error(box, "fax-send", {"faxNumber": "9990", "faxData": [FILE]}, 402, -3002, key=small)
    assert found["status"] == -4


def test_more_requests_than_allowed_are_told_to_wait(box: RunningBox) -> None:
    settings = open_settings(box.data)
    _, eager = secrets.add_key(settings, "eager")
    settings.change(ApiSettings, {"requests_per_hour": 3})
    try:
        replies = [ask(box, "fax-status", {"jobId": 999_999}, key=eager) for _ in range(4)]
    finally:
        settings.change(ApiSettings, {"requests_per_hour": 0})
    assert [reply.status for reply in replies] == [404, 404, 404, 429]
    assert replies[-1].json["code"] == -3010
    assert replies[-1].json["message"] == "Rate limit exceeded"
    assert int(replies[-1].headers["retry-after"]) > 0


# -- numbers and documents that are wrong ----------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "code"), [("abc", -3001), ("1", -3001), ("", -3001), ("911", -3007), ("+49 112", -3007)]
)
def test_a_number_that_is_not_dialled_is_refused_with_its_code(
    box: RunningBox, number: str, code: int
) -> None:
    error(box, "fax-send", {"faxNumber": number, "faxData": [FILE]}, 400, code)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b" \n", -3004),
        (b"PK\x03\x04" + bytes(range(256)), -3006),
        (b"\xff\xfe" * 50, -3006),
    ],
)
def test_a_document_that_cannot_be_faxed_is_refused_with_its_code(
    box: RunningBox, content: bytes, code: int
) -> None:
    file = {"fileName": "a.pdf", "fileData": base64.b64encode(content).decode()}
    error(box, "fax-send", {"faxNumber": "9990", "faxData": [file]}, 400, code)


@pytest.mark.parametrize(
    "empty",
    [
        b"II*\0\0\0\0\0",  # no directory
        b"MM\0*\0\0\0\x08\0\0\0\0\0\0",  # a directory without an entry
        b"II+\0\x08\0\0\0" + bytes(8),  # the same of BigTIFF
        b"II*\0",
    ],
)
def test_a_tiff_without_pages_is_an_empty_file(box: RunningBox, empty: bytes) -> None:
    file = {"fileName": "a.tif", "fileData": base64.b64encode(empty).decode()}
    found = error(box, "fax-send", {"faxNumber": "9990", "faxData": [file]}, 400, -3004)
    assert found["message"] == "TIFF file is empty"


def test_a_tiff_whose_empty_directory_stands_at_its_end_fails_with_the_same_code(box: RunningBox) -> None:
    end = 200_000
    late = b"II*\0" + end.to_bytes(4, "little") + b"\x55" * (end - 8) + bytes(6)
    file = {"fileName": "a.tif", "fileData": base64.b64encode(late).decode()}
    assert ended(box, send(box, faxData=[file]))["code"] == -3004


def test_a_spent_quota_stops_a_fax_that_is_sent_again(box: RunningBox) -> None:
    settings = open_settings(box.data)
    _, spent = secrets.add_key(settings, "spent", quota=1)
    first = ask(box, "fax-send", {"faxNumber": "9990", "faxData": [FILE]}, key=spent).json["data"]["jobId"]
    error(box, "fax-resend", {"jobId": first}, 402, -3002, key=spent)


def test_invalid_base64_is_refused(box: RunningBox) -> None:
    error(box, "fax-send", {"faxNumber": "9990", "faxData": [{"fileData": "%%%"}]}, 400)


def test_a_damaged_pdf_fails_the_fax_with_its_code(box: RunningBox) -> None:
    file = {"fileName": "a.pdf", "fileData": base64.b64encode(b"%PDF-1.4\n" + b"junk " * 40).decode()}
    fax = ended(box, send(box, faxData=[file]))
    assert (fax["faxStatus"], fax["code"]) == ("failed", -3006)


def test_a_request_past_the_limit_is_too_large(box: RunningBox) -> None:
    settings = open_settings(box.data)
    settings.change(ApiSettings, {"request_mb": 1})
    try:
        big = {"fileName": "a.txt", "fileData": "QUFB" * 300_000}
        error(box, "fax-send", {"faxNumber": "9990", "faxData": [big]}, 400, -3005)
    finally:
        settings.change(ApiSettings, {"request_mb": 20})


def test_the_limits_are_those_of_the_style_unless_the_owner_says_otherwise() -> None:
    limits = ApiSettings()
    assert (limits.request_mb, limits.pages_per_fax, limits.files_per_fax) == (20, 200, 20)
    assert (limits.recipients_per_fax, limits.requests_per_hour) == (15, 1000)
    assert (limits.requests_at_once, limits.burst) == (20, 50)


def test_a_fax_of_more_pages_than_allowed_fails_with_the_code_for_it(box: RunningBox) -> None:
    settings = open_settings(box.data)
    settings.change(ApiSettings, {"pages_per_fax": 2})
    try:
        job = send(box, faxData=[{"fileName": "a.pdf", "fileData": PDF, "pages": ["1", "1", "1"]}])
        failed = ended(box, job)
    finally:
        settings.change(ApiSettings, {"pages_per_fax": 200})
    assert (failed["faxStatus"], failed["code"]) == ("failed", -3005)


def test_nothing_is_kept_of_a_refused_fax(box: RunningBox) -> None:
    before = sorted(path.name for path in (box.data / "documents").iterdir())
    bad = {"fileName": "b.pdf", "fileData": base64.b64encode(b"\0\1\2" * 99).decode()}
    error(box, "fax-send", {"faxNumber": "9990", "faxData": [FILE, bad]}, 400, -3006)
    assert sorted(path.name for path in (box.data / "documents").iterdir()) == before


# -- the shapes of requests ------------------------------------------------------------------------


def test_a_post_may_stand_in_for_another_method(box: RunningBox) -> None:
    job_id = send(box, send_at=LATER)
    assert ask(box, "fax-status", {"jobId": job_id, "_method": "GET"}).json["data"]["jobId"] == job_id
    assert ask(box, f"fax-status?jobId={job_id}", method="GET").json["data"]["jobId"] == job_id
    body = urlencode({"jobId": job_id, "_method": "delete"}).encode()
    cancelled = ask(box, "fax-cancel", body=body, kind="application/x-www-form-urlencoded")
    assert cancelled.json["data"] == {"jobId": job_id, "faxStatus": "canceled"}
    refused = ask(box, "fax-send", {"faxNumber": "9990", "faxData": [FILE], "_method": "PATCH"})
    assert (refused.status, refused.json["status"]) == (405, -1)


def test_a_form_is_read_like_json(box: RunningBox) -> None:
    body = urlencode(
        {
            "faxNumber": "9990",
            "faxQuality": "Low",
            "faxData[0][fileName]": "a.pdf",
            "faxData[0][fileData]": PDF,
            "faxData[0][pages][]": "1",
        }
    ).encode()
    reply = ask(box, "fax-send", body=body, kind="application/x-www-form-urlencoded")
    assert ended(box, reply.json["data"]["jobId"])["faxStatus"] == "delivered"


def test_a_form_may_carry_the_file_itself(box: RunningBox) -> None:
    body, kind = form(
        {"faxNumber": "9990", "subject": "Hello", "faxData[0][fileName]": "letter.pdf"},
        {"faxData[0][fileUrl]": ("blob", "application/pdf", small_pdf(2))},
    )
    reply = ask(box, "fax-send", body=body, kind=kind)
    assert ended(box, reply.json["data"]["jobId"])["faxTotalPages"] == 3


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"[1]",
        b'"x"',
        b"null",
        b"\xff\xfe",
        b'{"faxNumber": NaN}',
        b'{"faxNumber": "\\ud800"}',
    ],
)
def test_content_that_is_no_request_is_refused(box: RunningBox, body: bytes) -> None:
    assert ask(box, "fax-send", body=body).status == 400


def test_an_unknown_call_is_not_found(box: RunningBox) -> None:
    assert error(box, "fax-teleport", {}, 404)["status"] == -5
    reply = box.call("GET", "/v1", None, {"accessToken": box.key})
    assert (reply.status, reply.json["status"]) == (404, -5)


# -- received faxes --------------------------------------------------------------------------------


def test_a_received_fax_is_listed_read_and_downloaded(box: RunningBox) -> None:
    box.receive_practice_fax()

    def arrived() -> Any:
        faxes = ask(box, "inbound/fax-list", {}).json["data"]
        return next((fax for fax in faxes if fax["faxStatus"] == "delivered"), None)

    fax = until(arrived)
    assert (fax["direction"], fax["faxTotalPages"], fax["fromNumber"]) == ("received", 1, "9990")
    assert status(box, fax["jobId"])["direction"] == "received"
    today = datetime.now(UTC)
    days = {
        "startDate": (today - timedelta(days=1)).strftime("%m/%d/%Y"),
        "endDate": (today + timedelta(days=1)).strftime("%m/%d/%Y"),
        "sortBy": "newest",
    }
    assert [each["jobId"] for each in ask(box, "inbound/fax-list-all", days).json["data"]].count(
        fax["jobId"]
    ) == 1
    assert ask(box, "inbound/fax-list-all", {**days, "lastFaxId": fax["jobId"]}).json["data"] == []
    wanted = {"jobId": str(fax["jobId"]), "transactionId": str(fax["transactionId"])}
    answer = ask(box, "inbound/fax-download", wanted).json
    assert answer["status"] == 1
    assert base64.b64decode(answer["data"]).startswith(b"%PDF-")
    error(box, "fax-cancel", {"jobId": fax["jobId"]}, 404)
    error(box, "inbound/fax-download", {"jobId": 999_999}, 404)


def test_the_list_of_numbers_is_the_boxes_own(box: RunningBox) -> None:
    assert ask(box, "inbound/number-list", {}).json["data"][0]["faxNumber"] == OWN_NUMBER


def test_accepted_faxes_survive_a_kill(tmp_path: Any) -> None:
    box = RunningBox(tmp_path)
    box.prepare()
    box.start()
    try:
        jobs = [send(box, faxQuality="Low") for _ in range(5)]
        box.kill()
        box.start()
        assert {ended(box, job)["faxStatus"] for job in jobs} <= {"delivered", "failed"}
        assert json.dumps([status(box, job)["jobId"] for job in jobs]) == json.dumps(jobs)
    finally:
        box.kill()


KIND_OF_FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    "number",
    [
        "+4315551234",
        "+43 1 5551234",
        "+4315551234,+4315551235",
        "%2B4315551234,+4315551235",
        "%2B4315551234%2C+4315551235",
        "0301234567,+4315551235",  # the first number never had one
        "2125551234;+4315551235",
        "%2B4315551234%0A+4315551235",
        "%2B4315551234x42,+4315551235",
    ],
)
def test_a_number_that_lost_its_plus_sign_in_a_form_is_not_taken_for_one_of_this_country(
    box: RunningBox, number: str
) -> None:
    body = f"faxNumber={number}&faxData[0][fileData]=SGVsbG8=&send_at={LATER}".encode()
    reply = ask(box, "fax-send", body=body, kind=KIND_OF_FORM)
    assert (reply.status, reply.json["code"]) == (400, -3001)
    assert "%2B" in reply.json["detail"]
    encoded = ask(box, "fax-send", body=body.replace(b"+", b"%2B"), kind=KIND_OF_FORM)
    assert encoded.status == 200, encoded


@pytest.mark.parametrize(
    "number", ["+9990", "9990", "2125551234%2C+2125551235", "2125551234, 2125551235", "%2B4315551234x42"]
)
def test_a_number_that_never_had_a_plus_sign_is_taken_from_a_form(box: RunningBox, number: str) -> None:
    body = f"faxNumber={number}&faxData[0][fileData]=SGVsbG8=&send_at={LATER}".encode()
    assert ask(box, "fax-send", body=body, kind=KIND_OF_FORM).status == 200
