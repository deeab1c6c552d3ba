"""The ICTFax style against a running box, fax calls on the practice line included."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest

from appliance.configuration import open_settings
from appliance.net.settings import ApiSettings
from appliance.settings import secrets
from appliance.settings.accounts import Scope, User
from appliance.spool.settings import SendingSettings
from tests.api_ictfax.client import JSON, PREFIX, Client, sign_in
from tests.api_ifax.running import OWN_NUMBER, PASSWORD, USER, RunningBox, form, small_pdf, until


@pytest.fixture(scope="module")
def client(box: RunningBox) -> Client:
    return Client(box, sign_in(box))


# -- signing in ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("field", "name"), [("username", USER), ("email", "ada@example.com")])
def test_name_or_email_and_password_give_a_token(box: RunningBox, field: str, name: str) -> None:
    body = json.dumps({field: name, "password": PASSWORD}).encode()
    found = box.call("POST", f"{PREFIX}/authenticate", body, {"Content-Type": JSON}).json
    assert found["token"] == found["access_token"]
    assert found["token_type"] == "Bearer"
    assert found["expires_in"] > 0
    assert isinstance(found["user_id"], int)
    assert Client(box, found["token"]).get("/accounts")[0]["account_id"] == found["user_id"]


@pytest.mark.parametrize(
    "body",
    [
        {"username": USER, "password": "wrong"},
        {"username": "nobody", "password": PASSWORD},
        {"username": USER},
        {"password": PASSWORD},
        {},
        {"username": USER, "password": 7},
    ],
)
def test_a_wrong_password_is_401(box: RunningBox, body: dict[str, Any]) -> None:
    reply = box.call("POST", f"{PREFIX}/authenticate", json.dumps(body).encode(), {"Content-Type": JSON})
    assert (reply.status, reply.json["error"]["code"]) == (401, 401)


@pytest.mark.parametrize("token", ["", "wrong", "fxt_1.9999999999.AAAA"])
def test_without_a_token_every_call_is_401(box: RunningBox, token: str) -> None:
    stranger = Client(box, token)
    for method, path in (("GET", "/transmissions"), ("POST", "/documents"), ("GET", "/fax/1")):
        stranger.error(method, path, 401)


def test_an_api_key_is_a_token_too(box: RunningBox) -> None:
    assert isinstance(Client(box, box.key).get("/transmissions"), list)


def test_whoever_guesses_passwords_is_slowed_down(tmp_path: Any) -> None:
    box = RunningBox(tmp_path)
    box.prepare()
    box.start()
    try:
        body = json.dumps({"username": USER, "password": "wrong"}).encode()
        replies = [
            box.call("POST", f"{PREFIX}/authenticate", body, {"Content-Type": JSON}) for _ in range(11)
        ]
        assert [reply.status for reply in replies] == [401] * 10 + [429]
        assert int(replies[-1].headers["retry-after"]) > 0
    finally:
        box.kill()


def test_the_other_base_path_is_the_same_and_does_not_hide_the_own_interface(
    box: RunningBox, client: Client
) -> None:
    other = Client(box, client.token, "/api")
    made = other.made("/documents", {"name": "there"})
    assert client.get(f"/documents/{made}")["name"] == "there"
    own = box.call("GET", "/api/v1/health", None, {})
    assert own.status == 200
    assert own.json["status"] == "ok"
    assert "title" in box.call("GET", "/api/v1/nothing", None, {}).json


# -- documents -------------------------------------------------------------------------------------


def test_a_document_is_made_filled_read_and_deleted(client: Client) -> None:
    made = client.made("/messages/documents", {"name": "offer", "description": "of May"})
    assert client.get(f"/documents/{made}")["file_name"] is None
    client.error("GET", f"/documents/{made}/media", 404)
    pdf = small_pdf(2)
    reply = client.ask("POST", f"/documents/{made}/media", body=pdf, kind="application/pdf")
    assert reply.json == made
    found = client.get(f"/messages/documents/{made}")
    assert (found["document_id"], found["name"], found["description"]) == (made, "offer", "of May")
    assert (found["type"], found["size"], found["files"]) == ("application/pdf", len(pdf), 1)
    media = client.ask("GET", f"/documents/{made}/media")
    assert (media.headers["content-type"], media.body) == ("application/pdf", pdf)
    assert made in [each["document_id"] for each in client.get("/documents")]
    assert client.ask("PUT", f"/documents/{made}", {"name": "bid"}).json["name"] == "bid"
    assert client.ask("DELETE", f"/documents/{made}").json is True
    client.error("GET", f"/documents/{made}", 404)


def test_post_appends_a_file_and_put_replaces_all(client: Client) -> None:
    made = client.document(1)
    client.ask("POST", f"/documents/{made}/media", body=b"Some text.\n", kind="text/plain")
    assert client.get(f"/documents/{made}")["files"] == 2
    both = client.ask("GET", f"/documents/{made}/media")
    assert both.body.startswith(b"%PDF-")
    assert both.body.count(b"/Type/Page/") == 2
    png = (
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0:~\x9bU\0\0\0\nIDATx\x9cc`\0\0\0\x02\0\x01"
        b"H\xaf\xa4q\0\0\0\0IEND\xaeB`\x82"
    )
    client.ask("PUT", f"/documents/{made}/media", body=png, kind="image/png")
    found = client.get(f"/documents/{made}")
    assert (found["files"], found["type"]) == (1, "image/png")


def test_a_form_with_a_file_is_taken_as_the_file(client: Client) -> None:
    made = client.document(empty=True)
    body, kind = form({}, {"file": ("a.pdf", "application/pdf", small_pdf())})
    assert client.ask("POST", f"/documents/{made}/media", body=body, kind=kind).json == made
    assert client.get(f"/documents/{made}")["file_name"] == "a.pdf"


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"", "application/pdf", 411),
        (b"  \n", "application/pdf", 411),
        (b"PK\x03\x04" + bytes(range(256)), "application/pdf", 415),
        (b"plain text", "application/pdf", 415),
        (b"%PDF-1.4", "image/png", 415),
        (b"anything", "application/msword", 415),
        (b"{}", "application/json", 415),
        (b"\x89PNG\r\n\x1a\n", "text/html", 415),
    ],
)
def test_an_upload_that_is_empty_or_of_a_wrong_type_is_refused(
    client: Client, content: bytes, kind: str, status: int
) -> None:
    made = client.document(empty=True)
    client.error("POST", f"/documents/{made}/media", status, body=content, kind=kind)
    client.error("PUT", f"/documents/{made}/media", status, body=content, kind=kind)
    assert client.get(f"/documents/{made}")["files"] == 0


def test_what_curl_calls_any_file_is_taken_by_its_content(client: Client) -> None:
    made = client.document(empty=True)
    kind = "application/x-www-form-urlencoded"
    assert client.ask("POST", f"/documents/{made}/media", body=small_pdf(), kind=kind).status == 200


def test_a_document_has_at_most_twenty_files(box: RunningBox, client: Client) -> None:
    open_settings(box.data).change(ApiSettings, {"files_per_fax": 2})
    try:
        made = client.document()
        client.ask("POST", f"/documents/{made}/media", body=small_pdf(), kind="application/pdf")
        client.error("POST", f"/documents/{made}/media", 417, body=small_pdf(), kind="application/pdf")
        assert client.get(f"/documents/{made}")["files"] == 2
    finally:
        open_settings(box.data).change(ApiSettings, {"files_per_fax": 20})


# -- contacts and programs -------------------------------------------------------------------------


def test_contacts_are_made_changed_found_and_deleted(client: Client) -> None:
    given = {"first_name": "Bob", "last_name": "Builder", "phone": "+493099", "email": "bob@example.com"}
    made = client.made("/contacts", given)
    assert client.made("/contacts", given) == made  # programs make the same contact for every fax
    found = client.get(f"/contacts/{made}")
    assert {name: found[name] for name in given} == given
    assert found["contact_id"] == made
    changed = client.ask("PUT", f"/contacts/{made}", {"last_name": "Baumeister"}).json
    assert changed["last_name"] == "Baumeister"
    assert [each["contact_id"] for each in client.get("/contacts?last_name=baum")] == [made]
    assert client.get("/contacts?last_name=nobody") == []
    assert client.ask("DELETE", f"/contacts/{made}").json is True
    client.error("GET", f"/contacts/{made}", 404)


@pytest.mark.parametrize("wrong", [{}, {"first_name": "Bob"}, {"phone": ""}])
def test_a_contact_without_a_number_cannot_be_made(client: Client, wrong: dict[str, str]) -> None:
    client.error("POST", "/contacts", 417, wrong)


def test_programs_need_a_document_that_exists(client: Client) -> None:
    client.error("POST", "/programs/sendfax", 412, {"name": "x"})
    client.error("POST", "/programs/sendfax", 412, {"name": "x", "document_id": 0})
    client.error("POST", "/programs/sendfax", 404, {"name": "x", "document_id": 99999})
    document = client.document()
    made = client.made("/programs/sendfax", {"name": "x", "document_id": str(document)})
    assert client.get(f"/programs/{made}")["document_id"] == document
    assert made in [each["program_id"] for each in client.get("/programs")]
    assert client.ask("DELETE", f"/programs/{made}").json is True
    client.error("GET", f"/programs/{made}", 404)


# -- transmissions ---------------------------------------------------------------------------------


def test_the_whole_chain_of_calls_delivers_a_fax(client: Client) -> None:
    document = client.document(2)
    contact = client.made("/contacts", {"first_name": "Practice", "phone": "9990"})
    program = client.made("/programs/sendfax", {"name": "letter", "document_id": document})
    made = client.made(
        "/transmissions",
        {
            "title": "Letter",
            "contact_id": contact,
            "program_id": program,
            "account_id": 1,
            "direction": "outbound",
            "try_allowed": 3,
        },
    )
    fresh = client.get(f"/transmissions/{made}")
    assert (fresh["status"], fresh["try_done"], fresh["last_run"]) == ("pending", 0, None)
    before = int(time.time())
    client.send(made)
    assert client.ended(made) == "completed"
    found = client.get(f"/transmissions/{made}")
    assert before <= found.pop("last_run") <= time.time()
    assert found.pop("response")
    account = found.pop("account_id")
    assert found == {
        "transmission_id": made,
        "title": "Letter",
        "service_flag": 2,
        "contact_id": contact,
        "program_id": program,
        "origin": "ictfax",
        "direction": "outbound",
        "status": "completed",
        "try_allowed": 3,
        "try_done": 1,
    }
    row = next(each for each in client.get("/transmissions") if each["transmission_id"] == made)
    assert (row["contact"]["first_name"], row["contact"]["phone"]) == ("Practice", "9990")
    assert row["account"]["account_id"] == account
    results = {each["name"]: each["data"] for each in client.get(f"/transmissions/{made}/results")}
    assert (results["pages"], results["document"]) == (2, document)
    assert "error" not in results
    only = client.get(f"/transmissions/{made}/result?name=document")
    assert [(each["name"], each["data"]) for each in only] == [("document", document)]
    assert len(client.get(f"/transmissions/{made}/logs")) == 1


def test_a_contact_is_found_by_its_number_with_its_plus_sign_encoded_or_not(client: Client) -> None:
    made = client.made("/contacts", {"phone": "+4315551239"})
    for written in ("%2B4315551239", "+4315551239"):
        assert [each["contact_id"] for each in client.get(f"/contacts?phone={written}")] == [made]
    refused = client.ask("POST", "/contacts", {"phone": "abc"}).json["error"]["message"]
    assert refused == "This is not a telephone number that can be dialled. (phone: 'abc')"


def test_a_bare_phone_becomes_a_contact(client: Client) -> None:
    made = client.transmission("9990")
    contact = client.get(f"/transmissions/{made}")["contact_id"]
    assert client.get(f"/contacts/{contact}")["phone"] == "9990"


def test_digits_to_be_dialled_on_stay_with_their_number(client: Client) -> None:
    for written in ("5551234,,,42", "5551234 x42"):
        contact = client.get(f"/transmissions/{client.transmission(written)}")["contact_id"]
        assert client.get(f"/contacts/{contact}")["phone"] == written


def test_a_transmission_without_program_or_recipient_is_refused(client: Client) -> None:
    program = client.made("/programs/sendfax", {"name": "x", "document_id": client.document()})
    assert "program_id" in client.error("POST", "/transmissions", 412, {"phone": "9990"})["message"]
    assert "contact" in client.error("POST", "/transmissions", 412, {"program_id": program})["message"]
    client.error("POST", "/transmissions", 404, {"phone": "9990", "program_id": 99999})
    client.error("POST", "/transmissions", 404, {"contact_id": 99999, "program_id": program})
    for number in ("abc", "911"):
        client.error("POST", "/transmissions", 417, {"phone": number, "program_id": program})
    client.error(
        "POST", "/transmissions", 423, {"phone": "9990", "program_id": program, "direction": "inbound"}
    )


def test_a_transmission_whose_document_has_no_file_is_not_sent(client: Client) -> None:
    document = client.document(empty=True)
    program = client.made("/programs/sendfax", {"name": "x", "document_id": document})
    made = client.made("/transmissions", {"phone": "9990", "program_id": program})
    client.error("POST", f"/transmissions/{made}/send", 411)
    client.ask("POST", f"/documents/{document}/media", body=small_pdf(), kind="application/pdf")
    client.send(made)
    assert client.ended(made) == "completed"


def test_a_failed_transmission_says_why_and_is_retried_under_its_number(client: Client) -> None:
    made = client.transmission("9991", try_allowed=1)
    client.send(made)
    assert client.ended(made) == "failed"
    first = client.get(f"/transmissions/{made}")
    assert (first["try_allowed"], first["try_done"]) == (1, 1)
    assert "busy" in first["response"]
    results = {each["name"]: each["data"] for each in client.get(f"/transmissions/{made}/results")}
    assert results["error"] == first["response"]
    assert results["error_code"] == "busy"
    assert client.ask("POST", f"/transmissions/{made}/retry").json
    until(lambda: client.get(f"/transmissions/{made}")["try_done"] == 2)
    assert client.ended(made) == "failed"
    listed = [each["transmission_id"] for each in client.get("/transmissions")]
    assert listed.count(made) == 1
    assert [fax["id"] for fax in client.get("/fax")].count(made) == 1
    assert len(client.get(f"/transmissions/{made}/logs")) == 2


def test_a_document_mended_after_a_failure_goes_out_on_retry(client: Client) -> None:
    document = client.document(empty=True)
    broken = b"%PDF-1.4\n" + b"junk " * 40
    client.ask("POST", f"/documents/{document}/media", body=broken, kind="application/pdf")
    program = client.made("/programs/sendfax", {"name": "x", "document_id": document})
    made = client.made("/transmissions", {"phone": "9990", "program_id": program})
    client.send(made)
    assert client.ended(made) == "invalid"
    client.ask("PUT", f"/documents/{document}/media", body=small_pdf(), kind="application/pdf")
    client.send(made)
    assert client.ended(made) == "completed"
    assert client.get("/transmissions?status=completed")[0]["transmission_id"] == made


def test_between_tries_a_transmission_is_pending_retry_and_retry_does_not_wait(
    box: RunningBox, client: Client
) -> None:
    open_settings(box.data).change(SendingSettings, {"max_tries": 3})
    try:
        with box.practice(wait_s=86400.0):  # only ``retry`` ends the wait
            made = client.transmission("9991", try_allowed=3)
            client.send(made)
            for tries in (1, 2):
                until(lambda tries=tries: client.get(f"/transmissions/{made}")["try_done"] == tries)
                until(lambda: client.status(made) == "pending_retry")
                assert client.ask("POST", f"/transmissions/{made}/retry").json
            assert client.ended(made) == "failed"
        assert client.get(f"/transmissions/{made}")["try_done"] == 3
    finally:
        open_settings(box.data).change(SendingSettings, {"max_tries": 2})


def test_sending_twice_sends_once_and_what_was_delivered_stays_so(client: Client) -> None:
    made = client.transmission()
    client.send(made)
    client.send(made)
    assert client.ended(made) == "completed"
    client.error("POST", f"/transmissions/{made}/send", 423)
    client.error("PUT", f"/transmissions/{made}/schedule", 423, {"delay": 1})
    assert client.get(f"/transmissions/{made}")["try_done"] == 1


def test_a_failed_transmission_retried_by_many_at_once_is_sent_once_more(
    box: RunningBox, client: Client
) -> None:
    made = client.transmission("9991", try_allowed=1)
    client.send(made)
    client.ended(made)
    replies: list[int] = []
    threads = [
        threading.Thread(
            target=lambda: replies.append(client.ask("POST", f"/transmissions/{made}/retry").status)
        )
        for _ in range(6)
    ]
    # The only place of the line is taken, by a call that rings for a minute: no retry is through before
    # the last one was asked for.
    with box.practice(calls_at_once=1, speed=1.0):
        ringing = client.transmission("9992", try_allowed=1)
        client.send(ringing)
        until(lambda: box.boss("GET", f"/faxes/{ringing}").json["state"] == "sending")
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(replies) == {200}
        box.boss("POST", f"/faxes/{ringing}/cancel")
    client.ended(made)
    time.sleep(0.5)
    assert client.get(f"/transmissions/{made}")["try_done"] == 2


def test_a_schedule_is_made_moved_and_taken_back(client: Client) -> None:
    made = client.transmission()
    task = client.ask("PUT", f"/transmissions/{made}/schedule", {"timestamp": int(time.time()) + 3600})
    assert isinstance(task.json, int)
    time.sleep(0.5)
    assert client.status(made) == "pending"
    assert client.ask("DELETE", f"/transmissions/{made}/schedule").json is True
    client.error("DELETE", f"/transmissions/{made}/schedule", 404)
    assert client.status(made) == "pending"
    assert client.get(f"/transmissions/{made}")["try_done"] == 0
    assert client.ask("PUT", f"/transmissions/{made}/schedule", {"delay": 3600}).status == 200
    assert client.ask("PUT", f"/transmissions/{made}/schedule", {"delay": 1}).status == 200
    assert client.ended(made) == "completed"


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 412), ({"delay": "soon"}, 400), ({"delay": -1}, 400), ({"timestamp": 1e300}, 400)],
)
def test_a_schedule_needs_a_time(client: Client, body: dict[str, Any], status: int) -> None:
    made = client.transmission()
    client.error("PUT", f"/transmissions/{made}/schedule", status, body)


def test_a_transmission_under_way_is_ended_by_deleting_it(client: Client) -> None:
    made = client.transmission()
    client.ask("PUT", f"/transmissions/{made}/schedule", {"delay": 3600})
    assert client.ask("DELETE", f"/transmissions/{made}").json is True
    assert client.ended(made) == "failed"
    client.error("DELETE", f"/transmissions/{made}", 423)


def test_transmissions_are_filtered_as_that_system_does(client: Client) -> None:
    made = client.transmission(title="Rechnung Müller")
    program = client.get(f"/transmissions/{made}")["program_id"]

    def found(query: str) -> list[int]:
        return [each["transmission_id"] for each in client.get(f"/transmissions?{query}")]

    assert found("title=rechnung") == [made]
    assert found(f"program_id={program}") == [made]
    assert made in found("service_flag=2&direction=outbound&status=pending")
    assert made not in found("status=completed")
    assert made not in found("direction=inbound")
    assert found("service_flag=1") == []
    assert found("status=teleported") == []
    assert found("direction=outbound&limit=1") == [made]
    assert made not in found(f"before_id={made}")
    assert [each["transmission_id"] for each in client.get("/faxes?title=rechnung")] == [made]
    client.error("GET", "/transmissions?limit=many", 400)


# -- the one-step fax ------------------------------------------------------------------------------


def test_one_request_sends_a_fax(client: Client) -> None:
    body, kind = form(
        {"to": "9990", "from": "+49 30 12345"}, {"file": ("a.pdf", "application/pdf", small_pdf(2))}
    )
    reply = client.ask("POST", "/fax/send", body=body, kind=kind)
    made = reply.json["job_id"]
    assert (reply.status, reply.json["id"]) == (200, made)
    fax = until(lambda: (found := client.get(f"/fax/{made}"))["status"] == "sent" and found)
    assert (fax["pages"], fax["to"], fax["direction"]) == (2, "9990", "outbound")
    assert fax["from"].replace(" ", "") == OWN_NUMBER
    newer = client.transmission()
    assert client.get("/fax?limit=1")[0]["id"] == newer
    assert client.get("/fax?direction=outbound&status=sent&limit=1")[0]["id"] == made
    assert client.status(made) == "completed"
    assert client.ask("GET", f"/fax/{made}/media").body == small_pdf(2)


def test_a_busy_number_ends_as_busy(client: Client) -> None:
    body, kind = form({"to": "9991"}, {"file": ("a.pdf", "application/pdf", small_pdf())})
    made = client.ask("POST", "/fax/send", body=body, kind=kind).json["job_id"]
    word = until(lambda: (word := client.get(f"/fax/{made}")["status"]) in ("busy", "sent") and word)
    assert word == "busy"


@pytest.mark.parametrize(
    ("fields", "files", "status"),
    [
        ({"to": "9990"}, {}, 411),
        ({}, {"file": ("a.pdf", "application/pdf", small_pdf())}, 412),
        ({"to": "911"}, {"file": ("a.pdf", "application/pdf", small_pdf())}, 417),
        ({"to": "9990"}, {"file": ("a.pdf", "application/pdf", b"")}, 411),
        ({"to": "9990"}, {"file": ("a.zip", "application/zip", b"PK\x03\x04\0\0")}, 415),
        ({"to": "9990", "callback_url": "ftp://x/"}, {"file": ("a.pdf", "a/b", small_pdf())}, 417),
    ],
)
def test_a_one_step_fax_that_cannot_be_sent_leaves_nothing(
    box: RunningBox, client: Client, fields: dict[str, str], files: Any, status: int
) -> None:
    before = sorted(path.name for path in (box.data / "documents").iterdir())
    body, kind = form(fields, files)
    client.error("POST", "/fax/send", status, body=body, kind=kind)
    assert sorted(path.name for path in (box.data / "documents").iterdir()) == before


def test_a_one_step_fax_must_be_a_form(client: Client) -> None:
    client.error("POST", "/fax/send", 411, {"to": "9990"})
    client.error("POST", "/fax/send", 400, body=b"--x", kind="multipart/form-data; boundary=")


# -- received faxes --------------------------------------------------------------------------------


def test_a_received_fax_is_listed_read_fetched_and_deleted(box: RunningBox, client: Client) -> None:
    box.receive_practice_fax()
    fax = until(
        lambda: next((each for each in client.get("/fax/received") if each["status"] == "received"), None)
    )
    made = fax["id"]
    assert (fax["direction"], fax["pages"], fax["from"], fax["to"]) == ("inbound", 1, "9990", OWN_NUMBER)
    assert client.get(f"/fax/{made}") == fax
    assert client.ask("GET", f"/fax/{made}/media").body.startswith(b"%PDF-")
    row = next(each for each in client.get("/transmissions?direction=inbound"))
    assert (row["transmission_id"], row["status"], row["direction"]) == (made, "completed", "inbound")
    assert row["contact"]["phone"] == "9990"
    document = client.get(f"/transmissions/{made}/results?name=document")[0]["data"]
    assert client.get(f"/documents/{document}")["pages"] == 1
    media = client.ask("GET", f"/documents/{document}/media")
    assert media.headers["content-type"] == "application/pdf"
    assert media.body.startswith(b"%PDF-")
    assert client.status(made) == "completed"
    client.error("POST", f"/transmissions/{made}/send", 404)
    assert client.ask("DELETE", f"/transmissions/{made}").json is True
    client.error("GET", f"/transmissions/{made}", 404)


# -- who may ---------------------------------------------------------------------------------------


def test_another_user_finds_no_document_contact_or_transmission(box: RunningBox, client: Client) -> None:
    secrets.add_user(open_settings(box.data), "eve", "another long password")
    eve = Client(box, sign_in(box, "eve", "another long password"))
    document = client.document()
    contact = client.made("/contacts", {"phone": "9990", "first_name": "Mine"})
    program = client.made("/programs/sendfax", {"name": "x", "document_id": document})
    made = client.made("/transmissions", {"contact_id": contact, "program_id": program})
    for path in (
        f"/documents/{document}",
        f"/documents/{document}/media",
        f"/contacts/{contact}",
        f"/programs/{program}",
        f"/transmissions/{made}",
        f"/transmissions/{made}/status",
        f"/transmissions/{made}/results",
        f"/transmissions/{made}/logs",
        f"/fax/{made}",
        f"/fax/{made}/media",
    ):
        eve.error("GET", path, 404)
    for method, path in (
        ("POST", f"/transmissions/{made}/send"),
        ("DELETE", f"/transmissions/{made}"),
        ("DELETE", f"/documents/{document}"),
        ("DELETE", f"/contacts/{contact}"),
        ("DELETE", f"/programs/{program}"),
        ("DELETE", f"/transmissions/{made}/schedule"),
    ):
        eve.error(method, path, 404)
    eve.error("POST", "/programs/sendfax", 404, {"name": "x", "document_id": document})
    eve.error("POST", "/transmissions", 404, {"contact_id": contact, "program_id": program})
    eve.error("POST", f"/documents/{document}/media", 404, body=small_pdf(), kind="application/pdf")
    assert eve.get("/transmissions?direction=outbound") == []
    assert eve.get("/contacts") == []
    assert eve.get("/documents") == []
    boss = Client(box, box.admin_key)
    assert boss.get(f"/transmissions/{made}")["transmission_id"] == made


def test_a_key_does_only_what_its_scope_allows(box: RunningBox) -> None:
    settings = open_settings(box.data)
    _, sender = secrets.add_key(settings, "sends", scopes=(Scope.SEND,))
    _, reader = secrets.add_key(settings, "reads", scopes=(Scope.RECEIVE,))
    assert Client(box, reader).get("/fax/received") is not None
    Client(box, sender).error("GET", "/fax/received", 403)
    Client(box, reader).error("POST", "/documents", 403, {"name": "x"})
    Client(box, reader).error("GET", "/contacts", 403)
    assert Client(box, sender).get("/transmissions?direction=inbound") == []


def test_a_user_who_was_disabled_is_out_at_once(box: RunningBox) -> None:
    settings = open_settings(box.data)
    user = secrets.add_user(settings, "gone", "another long password")
    gone = Client(box, sign_in(box, "gone", "another long password"))
    assert gone.get("/accounts")
    settings.update(User, user, {"disabled": True})
    gone.error("GET", "/accounts", 401)


def test_accounts_are_the_callers_own(client: Client) -> None:
    account = client.get("/accounts")[0]
    assert client.get(f"/accounts/{account['account_id']}") == account
    assert account["phone"].replace(" ", "") == OWN_NUMBER
    client.error("GET", "/accounts/4711", 404)


# -- what is no request ----------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"{", b"[1]", b'"x"', b"\xff", b'{"name": NaN}'])
def test_content_that_is_no_request_is_refused(client: Client, body: bytes) -> None:
    assert client.ask("POST", "/documents", body=body).status in (400, 417)


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/transmissions/x", "/transmissions/" + "9" * 40, "/fax/1/2/3", "/documents/-1"]
)
def test_an_address_that_is_not_there_is_404(client: Client, path: str) -> None:
    assert client.error("GET", path, 404)


def test_a_method_that_is_not_there_is_405(client: Client) -> None:
    client.error("PATCH", "/documents", 405, {})


def test_transmissions_survive_a_kill(tmp_path: Any) -> None:
    box = RunningBox(tmp_path)
    box.prepare()
    box.start()
    try:
        client = Client(box, sign_in(box))
        held, sent, later = (client.transmission() for _ in range(3))
        client.send(sent)
        client.ask("PUT", f"/transmissions/{later}/schedule", {"delay": 3600})
        box.kill()
        box.start()
        # Killed in its last page, nobody knows whether it arrived: that is no success in this style.
        assert client.ended(sent) in ("completed", "failed")
        assert [client.status(each) for each in (held, later)] == ["pending", "pending"]
        client.send(held)
        assert client.ended(held) == "completed"
    finally:
        box.kill()


def test_the_audit_log_says_who_sent_looked_and_deleted(box: RunningBox, client: Client) -> None:
    document = client.document()
    contact = client.made("/contacts", {"phone": "9995", "first_name": "Audited"})
    client.ask("GET", f"/documents/{document}/media")
    client.ask("DELETE", f"/contacts/{contact}")
    made = client.transmission()
    client.send(made)
    log = box.call("GET", "/api/v1/audit?limit=100", None, {"Authorization": f"Bearer {box.admin_key}"}).json
    seen = {(entry["who"], entry["action"], entry["object"]) for entry in log["audit"]}
    assert {
        (f"user:{USER}", "document.look", f"document:{document}"),
        (f"user:{USER}", "contact.delete", f"contact:{contact}"),
        (f"user:{USER}", "fax.create", f"fax:{made}"),
        (f"user:{USER}", "fax.release", f"fax:{made}"),
    } <= seen
