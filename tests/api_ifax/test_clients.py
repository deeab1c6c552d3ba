"""Requests of published programs for that service, and the parts of responses that they read.

The requests are those of client programs in several languages; only base URL and key are the box's.
"""

from __future__ import annotations

import base64
import json
import time
import urllib.error
import urllib.request
from typing import Any

import pytest

from tests.api_ifax.running import RunningBox, form, small_pdf, until

PDF = base64.b64encode(small_pdf()).decode()
JSON = "application/json"


def post(
    box: RunningBox, path: str, body: bytes, *, accept: str = JSON, kind: str = JSON
) -> tuple[int, dict[str, Any]]:
    """Posts like an HTTP library that raises for an error status."""
    request = urllib.request.Request(
        f"{box.url}/v1/customer/{path}",
        body,
        {"accessToken": box.key, "Content-Type": kind, "Accept": accept},
        method="POST",
    )
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_the_ruby_wrapper_sends_resends_and_reads_with_json_bodies(box: RunningBox) -> None:
    params = {"faxNumber": "9990", "faxData": [{"fileName": "abc.pdf", "fileData": PDF}]}
    _, sent = post(box, "fax-send", json.dumps(params).encode())
    job_id = sent["data"]["jobId"]
    _, resent = post(box, "fax-resend", json.dumps({"jobId": job_id}).encode())
    assert resent["data"]["originalJobId"] == job_id
    _, status = post(box, "fax-status", json.dumps({"jobId": job_id}).encode())
    assert status["data"]["jobId"] == job_id


def test_the_laravel_driver_tests_its_connection_and_sends_filtered_fields(box: RunningBox) -> None:
    # An empty PHP array is written as a JSON list.
    code, numbers = post(box, "inbound/number-list", b"[]")
    assert (code, numbers["status"]) == (200, 1)
    assert isinstance(numbers["data"], list)
    payload = {
        "faxNumber": "9990",
        "callerId": "+12065550100",
        "subject": "Refill",
        "faxQuality": "Standard",
        "faxData": [{"fileName": "test.pdf", "fileData": PDF}],
    }
    code, body = post(box, "fax-send", json.dumps(payload).encode())
    assert (code, int(body["status"])) == (200, 1)
    assert str(body["data"]["jobId"]).isdecimal()


def test_the_python_service_sends_nulls_and_polls_until_it_is_no_longer_sending(box: RunningBox) -> None:
    request = {
        "callerId": "+12065550100",
        "from_name": "Clinic",
        "faxNumber": "9990",
        "to_name": None,
        "message": None,
        "subject": None,
        "send_at": None,
        "faxQuality": None,
        "faxData": [{"fileName": "document_1.pdf", "fileData": PDF}],
    }
    _, answer = post(box, "fax-send", json.dumps(request).encode(), accept="*/*")
    assert answer["status"] != 0  # this client takes 0 for an error
    job_id = answer["data"]["jobId"]
    fax: dict[str, Any] = {"faxStatus": "sending"}
    end = time.monotonic() + 120
    while fax["faxStatus"] == "sending" and time.monotonic() < end:
        time.sleep(0.2)
        fax = post(box, "fax-status", json.dumps({"jobId": job_id}).encode())[1]["data"]
    assert (fax["faxStatus"], fax["message"]) == ("delivered", "NORMAL_CLEARING")


def test_the_typescript_clients_read_the_message_of_a_refusal(box: RunningBox) -> None:
    body = {"faxNumber": "nobody", "faxQuality": "HD", "faxData": [{"fileName": "a.pdf", "fileData": PDF}]}
    code, answer = post(box, "fax-send", json.dumps(body).encode())
    assert code == 400
    assert answer["message"] == "Invalid fax number"
    assert isinstance(answer["status"], int)


def test_a_client_that_adds_a_file_type_and_html_is_understood(box: RunningBox) -> None:
    page = base64.b64encode(b"<html><body><h1>Gist</h1></body></html>").decode()
    item = {"fileName": "gist.html", "fileType": "text/html", "fileData": page}
    body = {"faxNumber": "9990", "faxData": [item]}
    code, answer = post(box, "fax-send", json.dumps(body).encode())
    assert (code, answer["status"]) == (200, 1)


def test_the_next_js_route_posts_a_form_with_the_file_as_its_url_field(box: RunningBox) -> None:
    body, kind = form(
        {
            "faxNumber": "9990",
            "callerId": "+12065550100",
            "subject": "Hello",
            "from_name": "Ada",
            "to_name": "Bob",
            "message": "See the next page.",
            "faxData[0][fileName]": "scan.pdf",
        },
        {"faxData[0][fileUrl]": ("scan.pdf", "application/pdf", small_pdf())},
    )
    code, answer = post(box, "fax-send", body, kind=kind)
    assert code == 200, answer
    job_id = answer["data"]["jobId"]

    def ended() -> Any:
        fax = post(box, "fax-status", json.dumps({"jobId": job_id}).encode())[1]["data"]
        return fax["faxStatus"] != "sending" and fax

    assert until(ended)["faxTotalPages"] == 2


@pytest.mark.parametrize("as_text", [True, False])
def test_the_inbound_clients_find_a_fax_by_listing_and_download_it_by_both_ids(
    box: RunningBox, as_text: bool
) -> None:
    box.receive_practice_fax()

    def listed() -> Any:
        body = {"startDate": "01/01/2020", "endDate": "12/31/2099", "sortBy": "newest"}
        faxes = post(box, "inbound/fax-list-all", json.dumps(body).encode())[1]["data"]
        return [fax for fax in faxes if fax["faxStatus"] == "delivered"]

    fax = until(listed)[0]
    ids = {"jobId": fax["jobId"], "transactionId": fax["transactionId"]}
    if as_text:
        ids = {name: str(value) for name, value in ids.items()}
    code, answer = post(box, "inbound/fax-download", json.dumps(ids).encode())
    assert (code, answer["status"]) == (200, 1)
    assert base64.b64decode(answer["data"])[:4] == b"%PDF"


def test_php_programs_post_what_http_build_query_makes(box: RunningBox) -> None:
    from urllib.parse import urlencode

    fields = {
        "faxNumber": "9990",
        "templateId": "0000",
        "smartDocumentId": "0000",
        "faxQuality": "Standard",
        "faxData[0][fileName]": "letter.pdf",
        "faxData[0][fileData]": base64.b64encode(small_pdf()).decode(),
        "faxData[0][pages][0]": "1",
    }
    kind = "application/x-www-form-urlencoded"
    code, answer = post(box, "fax-send", urlencode(fields).encode(), kind=kind)
    assert (code, answer["status"]) == (200, 1), answer
    code, answer = post(box, "fax-status", urlencode({"jobId": answer["data"]["jobId"]}).encode(), kind=kind)
    assert (code, answer["data"]["toNumber"]) == (200, "9990")


def test_a_program_that_writes_the_number_without_quotes_and_asks_by_get_is_understood(
    box: RunningBox,
) -> None:
    item = {"fileName": "letter.pdf", "fileData": base64.b64encode(small_pdf()).decode()}
    body = {"faxNumber": "9990", "faxData": item, "faxQuality": "standard", "callerId": 4930123}
    code, answer = post(box, "fax-send/", json.dumps(body).encode())
    assert code == 200, answer
    headers = {"accessToken": box.key}
    reply = box.call("GET", f"/v1/customer/fax-status?jobId={answer['data']['jobId']}", None, headers)
    assert reply.json["data"]["toNumber"] == "9990"
