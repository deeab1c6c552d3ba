"""Submitting and handling faxes, over real HTTP and the practice line."""

from __future__ import annotations

import base64
import io
import json
import threading
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from PIL import Image

from appliance.documents.rendered import MANIFEST
from appliance.lines import causes
from appliance.net.settings import ApiSettings
from appliance.services.faxes import Request
from appliance.services.rules import To
from appliance.settings import secrets
from appliance.settings.accounts import ApiKey, Scope
from appliance.spool import attempts
from appliance.spool.model import JobState
from appliance.spool.options import SendOptions
from appliance.station import StationSettings
from tests.api.served import Served, serving
from tests.documents.test_photographs import ASKEW, laid, sheet, table, taken

TEXT = base64.b64encode(b"A letter.\n" * 20).decode()


def new(*to: object, **more: object) -> dict[str, object]:
    return {"to": list(to), "files": [{"name": "letter.txt", "content": TEXT}], **more}


def not_made_yet(served: Served, **options: Any) -> int:
    """A submitted fax that is not prepared before it is released (ICTFax)."""
    file = served.box.documents.store_file(b"A letter.", name="letter.txt", media_type="text/plain")
    request = Request("admin", (To("9990"),), (file,), options=SendOptions(**options), held=True)
    return served.box.faxes.submit(request).jobs[0].id


def test_a_fax_handed_in_as_json_is_delivered_and_can_be_looked_at(served: Served) -> None:
    made = served.ask("POST", "/faxes", new("9990", tag="invoices", metadata={"order": 7}))
    assert made.status == 201
    fax = served.ended(made.json["faxes"][0]["id"])
    assert made.headers["Location"] == f"/api/v1/faxes/{fax['id']}"
    assert (fax["state"], fax["pages_confirmed"], fax["metadata"]) == ("delivered", 1, {"order": 7})
    assert fax["attempts"][0]["result"]["code"] == "delivered"
    page = served.ask("GET", f"/faxes/{fax['id']}/pages/1")
    image = Image.open(io.BytesIO(page.content))
    assert (image.mode, image.width) == ("1", 1728)
    white = sum(image.convert("L").histogram()[128:])
    assert white > image.width * image.height * 0.9, "ink is black on white, not the other way round"
    small = Image.open(io.BytesIO(served.ask("GET", f"/faxes/{fax['id']}/pages/1?size=small").content))
    assert max(small.size) <= 320
    for part in ("document", "confirmation"):
        pdf = served.ask("GET", f"/faxes/{fax['id']}/{part}")
        assert pdf.headers["Content-Type"] == "application/pdf"
        assert len(pypdfium2.PdfDocument(pdf.content)) == 1
    trace = served.ask("GET", f"/faxes/{fax['id']}/attempts/1/trace").content.splitlines()
    assert json.loads(trace[0])["event"] == "call"
    kinds = [event["kind"] for event in served.ask("GET", f"/faxes/{fax['id']}/events").json["events"]]
    assert kinds[0] == "job.accepted"
    assert kinds[-1] == "job.delivered"
    assert served.ask("GET", f"/faxes/{fax['id']}/pages/2").status == 404


def test_words_that_lists_show_are_one_line_that_changes_no_direction(served: Served) -> None:
    odd, plain = "invoice\r\n\u202efdp.exe", "invoice fdp.exe"
    to = {"number": "9990", "name": odd, "company": odd}
    body = new(to, tag=odd, cover={"subject": odd, "message": "one\ntwo"}, hold=True)
    body["files"] = [{"name": odd, "content": TEXT}]
    fax_id = served.ask("POST", "/faxes", body).json["faxes"][0]["id"]
    job = served.box.faxes.get(fax_id)
    assert (job.name, job.company, job.tag) == (plain, plain, plain)
    assert job.options.cover is not None
    assert (job.options.cover.subject, job.options.cover.message) == (plain, "one\ntwo")
    (file,) = served.box.documents.get(served.box.faxes.submission(job).document_id).files
    assert file.name == "invoicefdp.exe"


def _listed(served: Served, metadata: str) -> list[int]:
    answer = served.ask("GET", "/faxes?" + urllib.parse.urlencode({"metadata": metadata}))
    assert answer.status == 200, answer.json
    return [fax["id"] for fax in answer.json["faxes"]]


def test_faxes_are_found_by_what_a_client_keeps_with_them(served: Served) -> None:
    def handed_in(**metadata: object) -> int:
        made = served.ask("POST", "/faxes", new("9990", hold=True, metadata=metadata))
        found: int = made.json["faxes"][0]["id"]
        return found

    first = handed_in(order="A, 4711:x", shop=7, express=True)
    second = handed_in(order="other", shop=7, express=False, rows=[1], long="x" * 500)
    assert _listed(served, "order:A, 4711:x") == [first]
    assert _listed(served, "shop:7") == [second, first]
    assert _listed(served, '{"shop": 7, "express": true}') == [first]
    assert _listed(served, '{"shop": "7", "order": "other"}') == [second]
    assert _listed(served, "shop:8") == []
    page = served.ask("GET", f"/faxes?metadata=shop:7&before={second}&limit=1").json
    assert [fax["id"] for fax in page["faxes"]] == [first]
    for wrong in ("order", ":x", "{", '{"a": [1]}', "{}", '{"a": "\\ud800"}'):
        answer = served.ask("GET", "/faxes?" + urllib.parse.urlencode({"metadata": wrong}))
        assert (answer.status, answer.json["errors"][0]["path"]) == (400, "metadata"), wrong


def test_a_recipient_named_twice_gets_one_fax(served: Served) -> None:
    """A contact beside the group that it is in, and a number in another form."""

    def contact(number: str, name: str) -> int:
        made: int = served.ask("POST", "/contacts", {"number": number, "first_name": name}).json["id"]
        return made

    ann, ben = contact("+49 30 1234567", "Ann"), contact("+49 30 7654321", "Ben")
    group = served.ask("POST", "/groups", {"name": "named twice", "contact_ids": [ann, ben]}).json["id"]
    to = ({"contact": ben}, {"group": group}, "+49-30-1234567", "+49301234567 ext. 12", "+49301234567,,12")
    made = served.ask("POST", "/faxes", new(*to, hold=True)).json["faxes"]
    told = [(fax["to"]["number"], fax["to"]["name"]) for fax in made]
    assert told == [("+49307654321", "Ben"), ("+49301234567", "Ann"), (told[2][0], "")]
    assert told[2][0].startswith("+49301234567,"), "the extension is another machine"

    waiting = served.ask("POST", "/needs-number", {"files": new()["files"]}).json["faxes"][0]["id"]
    given = served.ask(
        "POST", f"/faxes/{waiting}/numbers", {"to": ["9990", {"number": "99 90", "name": "P"}]}
    )
    assert [fax["id"] for fax in given.json["faxes"]] == [waiting]


def test_a_held_fax_has_its_pages_and_goes_as_they_are_when_released(served: Served) -> None:
    fax_id = served.ask("POST", "/faxes", new("9990", hold=True)).json["faxes"][0]["id"]
    served.wait(lambda: served.ask("GET", f"/faxes/{fax_id}").json["state"] == "held")
    held = served.ask("GET", f"/faxes/{fax_id}").json
    assert (held["pages"], held["tries"], held["result"]) == (1, 0, None)
    seen = served.ask("GET", f"/faxes/{fax_id}/pages/1").content
    assert served.ask("POST", f"/faxes/{fax_id}/release").json["state"] == "waiting"
    assert served.ended(fax_id)["state"] == "delivered"
    assert served.ask("GET", f"/faxes/{fax_id}/pages/1").content == seen
    again = served.ask("POST", f"/faxes/{fax_id}/resend").json["id"]
    assert served.ended(again)["state"] == "delivered", "a repeat is not held"


def test_a_fax_released_again_and_again_has_one_call(served: Served) -> None:
    """A second release, as of a double click, put a fax in its call back to wait: it was sent twice."""
    fax_id = served.ask("POST", "/faxes", new("9990", hold=True)).json["faxes"][0]["id"]
    served.wait(lambda: served.ask("GET", f"/faxes/{fax_id}").json["state"] == "held")
    answers = []
    while served.ask("GET", f"/faxes/{fax_id}").json["ended_at"] is None:
        answers.append(served.ask("POST", f"/faxes/{fax_id}/release").status)
    assert answers[0] == 200
    assert set(answers[1:]) <= {409}
    assert len(served.ended(fax_id)["attempts"]) == 1


def test_a_fax_released_before_its_pages_are_made_is_sent(served: Served) -> None:
    fax_id = served.ask("POST", "/faxes", new("9990", hold=True)).json["faxes"][0]["id"]
    assert served.ask("POST", f"/faxes/{fax_id}/release").status == 200
    assert served.ended(fax_id)["state"] == "delivered"


def test_a_fax_is_tried_again_by_the_timetable_that_came_with_it(served: Served) -> None:
    once = served.ask("POST", "/faxes", new("9991", retry_waits=[])).json["faxes"][0]["id"]
    twice = served.ask("POST", "/faxes", new("9991", retry_waits=[0.1])).json["faxes"][0]["id"]
    assert (served.ended(once)["tries"], served.ended(twice)["tries"]) == (1, 2)
    refused = served.ask("POST", "/faxes", new("9991", retry_waits=[-1]))
    assert (refused.status, refused.json["errors"][0]["path"]) == (400, "retry_waits[0]")


def test_nothing_stays_of_a_pdf_that_was_made_to_be_sent_once(served: Served) -> None:
    fax = served.ended(served.ask("POST", "/faxes", new("9990")).json["faxes"][0]["id"])
    assert served.ask("GET", f"/faxes/{fax['id']}/document").status == 200
    served.wait(lambda: not list((served.box.data / "views").iterdir()))


def test_what_a_crash_left_of_such_pdfs_is_swept_away_at_the_next_start(tmp_path: Path) -> None:
    rest = tmp_path / "views" / "left.pdf"
    rest.parent.mkdir()
    rest.write_bytes(b"%PDF")
    with serving(tmp_path):
        assert not rest.exists()


def test_a_form_with_files_makes_one_fax_of_them_for_each_recipient(served: Served) -> None:
    made = served.form(
        "/faxes",
        [("to", "9990"), ("to", "9991"), ("cover.subject", "Häuser, with commas"), ("max_tries", "1")],
        [("a.txt", b"one"), ("b.txt", b"two")],
    )
    assert made.status == 201, made.content
    first, second = made.json["faxes"]
    assert served.ended(first["id"])["pages_confirmed"] == 3
    assert served.ended(second["id"])["result"]["code"] == "busy"
    listed = served.ask("GET", f"/faxes?submission={made.json['submission_id']}").json["faxes"]
    assert [fax["id"] for fax in listed] == [second["id"], first["id"]]


def test_recipients_in_one_field_are_separated_by_commas(served: Served) -> None:
    made = served.form("/faxes", [("to", "9990, 9991"), ("hold", "true")], [("a.txt", b"one")])
    assert [fax["to"]["number"] for fax in made.json["faxes"]] == ["9990", "9991"]


@pytest.mark.parametrize(
    ("written", "dialled"),
    [
        ("5551234,,,42", "5551234,,,42"),
        ("5551234 ext. 42", "5551234,,42"),
        ("tel:5551234;ext=42", "5551234,,42"),
    ],
)
def test_digits_to_be_dialled_on_after_the_answer_stay_with_their_number(
    served: Served, written: str, dialled: str
) -> None:
    body = new(written, hold=True)
    form = [("to", f"{written}, 9990"), ("hold", "true")]
    as_json = served.ask("POST", "/faxes", body).json["faxes"]
    as_form = served.form("/faxes", form, [("a.txt", b"one")]).json["faxes"]
    assert [fax["to"]["number"] for fax in as_json] == [dialled]
    assert [fax["to"]["number"] for fax in as_form] == [dialled, "9990"]


def test_the_same_idempotency_key_makes_one_fax(served: Served) -> None:
    headers = {"Idempotency-Key": "order-1"}
    files = [("a.txt", b"one")]
    first = served.form("/faxes", [("to", "9990")], files, headers=headers)
    again = served.form("/faxes", [("to", "9990")], files, headers=headers)
    assert (again.status, again.json["repeated"]) == (201, True)
    assert [fax["id"] for fax in again.json["faxes"]] == [fax["id"] for fax in first.json["faxes"]]
    other = served.form("/faxes", [("to", "9991")], files, headers=headers)
    assert (other.status, other.json["code"]) == (422, "idempotency_key_reused")
    another_file = served.form("/faxes", [("to", "9990")], [("a.txt", b"two")], headers=headers)
    assert another_file.json["code"] == "idempotency_key_reused"
    # A client whose key is empty by mistake would have no protection.
    for wrong in ("", "x" * 256, "a\tb"):
        refused = served.form("/faxes", [("to", "9990")], files, headers={"Idempotency-Key": wrong})
        assert (refused.status, refused.json["errors"][0]["path"]) == (400, "Idempotency-Key")


@pytest.mark.parametrize(("how", "body"), [("resend", {}), ("forward", {"to": ["9990"]})])
def test_a_repeated_request_gets_the_same_fax_when_it_used_up_the_quota(
    served: Served, how: str, body: dict[str, Any]
) -> None:
    token = served.key(f"one {how}", Scope.SEND, quota=2)
    fax_id = served.ask("POST", "/faxes", new("9990"), token=token).json["faxes"][0]["id"]
    served.ended(fax_id)
    headers = {"Idempotency-Key": "once"}
    first, again = (
        served.ask("POST", f"/faxes/{fax_id}/{how}", body, token=token, headers=headers) for _ in range(2)
    )
    assert (first.status, again.status) == (201, 201), again.json
    made = {str(answer.json.get("faxes", [answer.json])[0]["id"]) for answer in (first, again)}
    assert len(made) == 1


def test_two_users_may_use_the_same_idempotency_key(served: Served) -> None:
    headers = {"Idempotency-Key": "shared"}
    made = [
        served.ask("POST", "/faxes", new("9990", hold=True), token=token, headers=headers).json
        for token in (served.key("ida", Scope.SEND), served.key("ivo", Scope.SEND))
    ]
    assert [each["repeated"] for each in made] == [False, False]


def test_files_of_a_refused_request_do_not_stay(served: Served) -> None:
    before = sorted(path.name for path in (served.box.data / "documents").iterdir())
    refused = [
        served.form("/faxes", [("to", "112")], [("a.txt", b"one")]),
        served.form("/faxes", [("to", "9990")], [("a.txt", b"one"), ("b.exe", b"\0\1\2MZ")]),
        served.form("/faxes", [("to", "9990"), ("colour", "red")], [("a.txt", b"one")]),
        served.ask("POST", "/faxes", {"to": ["9990"], "files": [{"content": TEXT}, {"content": "AAEC"}]}),
    ]
    assert [reply.status for reply in refused] == [422, 415, 400, 415]
    assert sorted(path.name for path in (served.box.data / "documents").iterdir()) == before


@pytest.mark.parametrize(
    ("body", "status", "code", "path"),
    [
        (new("112"), 422, "number_emergency", "to[0]"),
        (new("9990", "nobody"), 422, "number_invalid", "to[1]"),
        (new(), 400, "request_invalid", "to"),
        (new({"number": "9990", "nmae": "x"}), 400, "request_invalid", "to[0]"),
        (new({"contact": 4711}), 400, "request_invalid", "to[0]"),
        (new("9990", quality="best"), 400, "request_invalid", "quality"),
        (new("9990", send_at="tomorrow"), 400, "request_invalid", "send_at"),
        (new("9990", send_at="2030-01-01T00:00:00"), 400, "request_invalid", "send_at"),
        (new("9990", max_tries=1.0), 400, "request_invalid", "max_tries"),
        (new("9990", callback_url="ftp://example.com/"), 422, "url_not_allowed", "callback_url"),
        (new("9990", files=[{"content": "!!"}]), 400, "request_invalid", None),
        (
            new("9990", files=[{"content": TEXT, "url": "https://example.com/a"}]),
            400,
            "request_invalid",
            "files[0]",
        ),
        (new("9990", files=[{"url": "http://127.0.0.1/a.pdf"}]), 422, "url_not_allowed", "files[0]"),
        (new("9990", files=[{"content": ""}]), 422, "document_empty", "files[0]"),
        (new("9990", files=[]), 400, "request_invalid", "files"),
        (new("9990", document_id=1), 400, "request_invalid", "document_id"),
        ({"to": ["9990"], "document_id": 4711}, 404, "not_found", None),
        (new("9990", cover={"template": "gone"}), 422, "cover_template_gone", "cover.template"),
        (new("9990", metadata={"a": "b" * 9000}), 400, "request_invalid", "metadata"),
        (new(*(f"+4930555{end}" for end in range(100, 116))), 422, "too_many_recipients", "to"),
        (new("9990", files=[{"content": TEXT}] * 21), 422, "too_many_files", "files"),
        ([1, 2], 400, "request_invalid", ""),
    ],
)
def test_a_wrong_request_is_told_what_is_wrong_and_where(
    served: Served, body: object, status: int, code: str, path: str | None
) -> None:
    reply = served.ask("POST", "/faxes", body)
    assert (reply.status, reply.json["code"]) == (status, code), reply.content
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert served.ask("GET", reply.json["type"], prefix="", token="").json["code"] == code
    if path is not None:
        assert [flaw["path"] for flaw in reply.json["errors"]] == [path]


def test_a_fax_is_held_released_cancelled_and_sent_again(served: Served) -> None:
    fax_id = served.ask("POST", "/faxes", new("9990", hold=True)).json["faxes"][0]["id"]
    served.wait(lambda: served.ask("GET", f"/faxes/{fax_id}").json["state"] == "held")
    assert served.ask("POST", f"/faxes/{fax_id}/release").status == 200
    assert served.ended(fax_id)["state"] == "delivered"
    for late in ("cancel", "retry", "release"):
        refused = served.ask("POST", f"/faxes/{fax_id}/{late}")
        assert (refused.status, refused.json["code"]) == (409, "state_forbids"), late
    with served.no_second_try():
        again = served.ask("POST", f"/faxes/{fax_id}/resend", {"number": "9991"})
        assert again.status == 201
        assert (again.json["resent_from"], again.json["to"]["number"]) == (fax_id, "9991")
        cancelled = served.ask("POST", f"/faxes/{again.json['id']}/cancel")
        assert cancelled.status == 200
        assert served.ended(again.json["id"])["state"] == "cancelled"
    wrong = served.ask("POST", f"/faxes/{fax_id}/resend", {"number": "112"})
    assert (wrong.json["code"], wrong.json["errors"][0]["path"]) == ("number_emergency", "number")


def test_a_scheduled_fax_waits_and_can_be_sent_at_once(served: Served) -> None:
    made = served.ask("POST", "/faxes", new("9990", send_at="2099-01-01T00:00:00+01:00"))
    fax_id = made.json["faxes"][0]["id"]
    served.wait(lambda: served.ask("GET", f"/faxes/{fax_id}").json["state"] == "waiting")
    waiting = served.ask("GET", f"/faxes/{fax_id}").json
    assert waiting["next_try_at"] == "2098-12-31T23:00:00.000Z"
    assert served.ask("POST", f"/faxes/{fax_id}/retry").status == 200
    assert served.ended(fax_id)["state"] == "delivered"


def test_a_fax_and_its_tries_are_shown_as_they_were_at_one_moment(served: Served) -> None:
    made = served.ask("POST", "/faxes", new("9990", send_at="2099-01-01T00:00:00Z"))
    fax_id = made.json["faxes"][0]["id"]
    served.wait(lambda: served.ask("GET", f"/faxes/{fax_id}").json["state"] == "waiting")
    spool, much_later = served.box.spool, served.box.clock() + 1e9
    enough = threading.Event()

    def try_again_and_again() -> None:
        while not enough.is_set():
            attempt = spool.do(
                attempts.begin, fax_id, served.box.clock(), line="p", line_kind="practice", first_page=0
            )
            again = attempts.Outcome(causes.BUSY, JobState.WAITING, next_try_at=much_later)
            spool.do(attempts.end, attempt.id, again, served.box.clock())

    caller = threading.Thread(target=try_again_and_again)
    caller.start()
    try:
        seen = [served.ask("GET", f"/faxes/{fax_id}").json for _ in range(100)]
    finally:
        enough.set()
        caller.join()
    assert [fax["tries"] for fax in seen] == [len(fax["attempts"]) for fax in seen]
    served.ask("POST", f"/faxes/{fax_id}/cancel")


def test_pages_not_made_yet_are_a_conflict_and_deleted_ones_are_gone(served: Served) -> None:
    held = not_made_yet(served)
    early = served.ask("GET", f"/faxes/{held}/pages/1")
    assert (early.status, early.json["code"]) == (409, "state_forbids")
    served.ask("POST", f"/faxes/{held}/cancel")
    gone = served.ask("GET", f"/faxes/{held}/document")
    assert (gone.status, gone.json["code"]) == (410, "document_gone")
    assert served.ask("GET", f"/faxes/{held}/confirmation").status == 200


@pytest.mark.parametrize("what", ["document", "tiff", "bundle", "bundle as zip"])
def test_a_page_that_is_deleted_while_a_fax_is_read_is_told_as_such(served: Served, what: str) -> None:
    fax_id = served.ask("POST", "/faxes", new("9990", hold=True)).json["faxes"][0]["id"]
    served.wait(lambda: served.box.faxes.get(fax_id).state is JobState.HELD)
    for file in (served.box.data / served.box.faxes.get(fax_id).rendered_path).iterdir():
        if file.name != MANIFEST:
            file.unlink()
    path = f"/faxes/{fax_id}/{what}"
    if what.startswith("bundle"):
        path = f"/faxes-bundle?ids={fax_id}&format={what.rsplit(maxsplit=1)[-1].replace('bundle', 'pdf')}"
    reply = served.ask("GET", path)
    assert (reply.status, reply.json["code"]) == (410, "document_gone")
    assert (f"fax {fax_id}: " in reply.json["detail"]) == what.startswith("bundle")


def test_lists_are_filtered_and_paged(served: Served) -> None:
    token = served.key("lister", Scope.SEND)
    ids = []
    for n in range(5):
        made = served.ask("POST", "/faxes", new("9990", hold=True, tag=f"t{n % 2}"), token=token)
        ids.append(made.json["faxes"][0]["id"])
        time.sleep(0.005)  # times are told to the millisecond
    first = served.ask("GET", "/faxes?limit=2", token=token).json
    assert [fax["id"] for fax in first["faxes"]] == [ids[4], ids[3]]
    second = served.ask("GET", f"/faxes?limit=2&before={first['next']}", token=token).json
    assert [fax["id"] for fax in second["faxes"]] == [ids[2], ids[1]]
    last = served.ask("GET", f"/faxes?limit=2&before={second['next']}", token=token).json
    assert ([fax["id"] for fax in last["faxes"]], last["next"]) == ([ids[0]], None)
    tagged = served.ask("GET", "/faxes?tag=t1&state=preparing,held", token=token).json["faxes"]
    assert [fax["id"] for fax in tagged] == [ids[3], ids[1]]
    at = served.ask("GET", f"/faxes/{ids[2]}", token=token).json["created_at"]
    younger = served.ask("GET", f"/faxes?since={at}", token=token).json["faxes"]
    assert ids[1] not in [fax["id"] for fax in younger]
    assert ids[3] in [fax["id"] for fax in younger]
    here = at.replace("Z", "+00:00")  # curl sends the plus sign as it is, which stands for a blank
    assert served.ask("GET", f"/faxes?since={here}", token=token).json["faxes"] == younger
    for query in ("limit=0", "limit=x", "state=lost", "since=now", "colour=red", "limit=1&limit=2"):
        reply = served.ask("GET", f"/faxes?{query}", token=token)
        assert (reply.status, reply.json["code"]) == (400, "request_invalid"), query


def test_each_sees_their_own_faxes_and_administrators_all(served: Served) -> None:
    mine = served.key("mine", Scope.SEND)
    theirs = served.key("theirs", Scope.SEND)
    fax_id = served.ask("POST", "/faxes", new("9990", hold=True), token=mine).json["faxes"][0]["id"]
    for method, path in (
        ("GET", ""),
        ("GET", "/pages/1"),
        ("GET", "/document"),
        ("GET", "/confirmation"),
        ("GET", "/events"),
        ("GET", "/deliveries"),
        ("GET", "/attempts/1/trace"),
        ("POST", "/cancel"),
        ("POST", "/retry"),
        ("POST", "/release"),
        ("POST", "/resend"),
    ):
        reply = served.ask(method, f"/faxes/{fax_id}{path}", token=theirs)
        assert (reply.status, reply.json["code"]) == (404, "not_found"), path
    assert served.ask("GET", "/faxes?owner=mine", token=theirs).json["faxes"] == []
    assert [fax["id"] for fax in served.ask("GET", "/faxes?owner=mine").json["faxes"]] == [fax_id]
    assert served.ask("GET", f"/faxes/{fax_id}").status == 200


def test_the_scope_of_a_key_bounds_what_it_may_do(served: Served) -> None:
    only_send = served.key("sender", Scope.SEND)
    only_receive = served.key("receiver", Scope.RECEIVE)
    monitor = served.key("monitor", Scope.MONITOR)
    for token, path, status in (
        (only_send, "/received", 403),
        (only_receive, "/received", 200),
        (only_receive, "/faxes", 403),
        (only_send, "/settings", 403),
        (only_send, "/users", 403),
        (only_send, "/audit", 403),
        (only_send, "/metrics", 403),
        (monitor, "/metrics", 200),
        (monitor, "/faxes", 403),
        (only_send, "/status", 200),
        ("fxb_wrong", "/faxes", 401),
        ("", "/faxes", 401),
    ):
        reply = served.ask("GET", path, token=token)
        assert reply.status == status, path
    assert "Bearer" in served.ask("GET", "/faxes", token="").headers["WWW-Authenticate"]


def test_a_disabled_or_deleted_key_is_refused_at_once(served: Served) -> None:
    key_id, token = secrets.add_key(served.box.settings, "passing", scopes=(Scope.SEND,))
    assert served.ask("GET", "/me", token=token).json["who"] == "key:passing"
    served.box.settings.update(ApiKey, key_id, {"disabled": True})
    assert served.ask("GET", "/me", token=token).status == 401


def test_a_spent_quota_is_refused_before_anything_is_stored(served: Served) -> None:
    token = served.key("small", Scope.SEND, quota=1)
    fax_id = served.ask("POST", "/faxes", new("9990"), token=token).json["faxes"][0]["id"]
    served.ended(fax_id)
    refused = served.ask("POST", "/faxes", new("9990"), token=token)
    assert (refused.status, refused.json["code"]) == (402, "quota_spent")
    german = served.ask("POST", "/faxes", new("9990"), token=token, headers={"Accept-Language": "de"})
    assert german.json["detail"] == "(0 von 1 Seiten in diesem Monat übrig)"


def test_files_added_to_a_preview_at_once_are_all_in_it(served: Served) -> None:
    first = served.ask("POST", "/previews", {"files": [{"name": "0.txt", "content": TEXT}]}).json
    names = [f"{number}.txt" for number in range(1, 5)]

    def add(name: str) -> int:
        more = {"files": [{"name": name, "content": TEXT}]}
        return served.ask("POST", f"/previews/{first['id']}/files", more).status

    with ThreadPoolExecutor(len(names)) as threads:
        assert list(threads.map(add, names)) == [200] * len(names)
    made = served.ask("GET", f"/previews/{first['id']}").json
    assert sorted(file["name"] for file in made["files"]) == ["0.txt", *names]
    assert len(made["pages"]) == len(made["files"])


def test_the_limit_of_recipients_counts_those_that_remain_once_repeated_ones_are_merged(
    served: Served,
) -> None:
    reply = served.ask("POST", "/faxes", new(*["9990", "99 90"] * 8))
    assert (reply.status, len(reply.json["faxes"])) == (201, 1), reply.content


def test_a_document_of_too_many_pages_is_refused_with_its_reason(served: Served) -> None:
    served.box.settings.change(ApiSettings, {"pages_per_fax": 2})
    try:
        many = served.form("/faxes", [("to", "9990")], [("a.txt", b"page\f" * 5)])
        assert served.ended(many.json["faxes"][0]["id"])["result"]["code"] == "document_too_many_pages"
    finally:
        served.box.settings.change(ApiSettings, {"pages_per_fax": 200})


def test_a_caller_number_that_the_owner_may_not_show_is_refused(served: Served) -> None:
    served.box.settings.change(StationSettings, {"caller_number": "+49305550100"})
    try:
        own = served.ask("POST", "/faxes", new("9990", caller_number="+49305550100", hold=True))
        assert own.status == 201
        other = served.ask("POST", "/faxes", new("9990", caller_number="+49110", hold=True))
        assert (other.status, other.json["errors"][0]["path"]) == (422, "caller_number")
    finally:
        served.box.settings.change(StationSettings, {"caller_number": ""})


def test_a_stored_document_is_sent_twice(served: Served) -> None:
    made = served.form("/documents", [("name", "price list")], [("a.txt", b"one")])
    assert made.status == 201
    document_id = made.json["id"]
    for _ in range(2):
        fax = served.ask("POST", "/faxes", {"to": ["9990"], "document_id": document_id})
        assert served.ended(fax.json["faxes"][0]["id"])["state"] == "delivered"
    other = served.key("stranger", Scope.SEND)
    stolen = served.ask("POST", "/faxes", {"to": ["9990"], "document_id": document_id}, token=other)
    assert stolen.status == 404


def test_a_group_of_contacts_is_written_to_at_once(served: Served) -> None:
    ids = [
        served.ask("POST", "/contacts", {"number": number, "first_name": name}).json["id"]
        for number, name in (("9990", "Ada"), ("9991", "Bob"))
    ]
    group = served.ask("POST", "/groups", {"name": "all", "contact_ids": ids})
    assert group.status == 201
    made = served.ask("POST", "/faxes", new({"group": group.json["id"]}, hold=True)).json["faxes"]
    assert [(fax["to"]["number"], fax["to"]["name"]) for fax in made] == [("9990", "Ada"), ("9991", "Bob")]


def test_who_sent_and_looked_at_what_is_in_the_audit_log(served: Served) -> None:
    token = served.key("watched", Scope.SEND)
    fax_id = served.ask("POST", "/faxes", new("9990"), token=token).json["faxes"][0]["id"]
    served.ended(fax_id)
    served.ask("GET", f"/faxes/{fax_id}/document", token=token)
    noted = served.ask("GET", "/audit?who=key:watched").json["audit"]
    assert [(entry["action"], entry["object"]) for entry in noted] == [
        ("fax.look", f"fax:{fax_id}"),
        ("fax.create", f"fax:{fax_id}"),
    ]
    assert noted[0]["address"] == "127.0.0.1"


def test_nothing_is_left_in_the_folder_for_uploads(served: Served) -> None:
    parts = list(Path(served.box.data).rglob("*.part"))
    assert parts == []


def test_a_photograph_is_straightened_unless_the_fax_or_the_owner_says_no(served: Served) -> None:
    photo = taken(laid(sheet(), ASKEW, table(60)))

    def remarks(*more: tuple[str, str]) -> list[str]:
        made = served.form("/faxes", [("to", "9990"), ("hold", "true"), *more], [("photo.jpg", photo)])
        assert made.status == 201, made.content
        path = f"/faxes/{made.json['faxes'][0]['id']}"
        served.wait(lambda: served.ask("GET", path).json["state"] == "held")
        return [remark["code"] for remark in served.ask("GET", path).json["remarks"]]

    assert remarks() == ["photograph_straightened"]
    assert remarks(("straighten", "false")) == []
    served.ask("PATCH", "/settings/sending", {"straighten_photographs": False})
    try:
        assert remarks() == []
        assert remarks(("straighten", "true")) == ["photograph_straightened"]
    finally:
        served.ask("PATCH", "/settings/sending", {"straighten_photographs": True})


def part(head: str, content: bytes) -> bytes:
    """A form with a fax to 9990 and one more part, whose head is ``head``."""
    return (
        b'--b\r\nContent-Disposition: form-data; name="to"\r\n\r\n9990\r\n--b\r\n'
        + head.encode()
        + b"\r\n\r\n"
        + content
        + b"\r\n--b--\r\n"
    )


def posted(served: Served, body: bytes) -> Any:
    return served.ask("POST", "/faxes", body, headers={"Content-Type": "multipart/form-data; boundary=b"})


@pytest.mark.parametrize("also", ["", 'filename="x.txt"; '])
def test_a_file_name_in_the_form_of_rfc_5987_is_a_files(served: Served, also: str) -> None:
    named = f"Content-Disposition: form-data; name=\"file\"; {also}filename*=UTF-8''%C3%9Cber%20%E2%82%AC.txt"
    made = posted(served, part(named, b"A letter."))
    assert made.status == 201, made.json
    job = served.box.faxes.get(made.json["faxes"][0]["id"])
    (file,) = served.box.documents.get(served.box.faxes.submission(job).document_id).files
    assert file.name == "Über €.txt"


def test_the_charset_of_a_text_in_a_form_is_kept(served: Served) -> None:
    head = 'Content-Disposition: form-data; name="file"; filename="a.txt"\r\n'
    made = posted(served, part(head + "Content-Type: text/plain; charset=KOI8-R", "Счёт".encode("koi8-r")))
    job = served.box.faxes.get(made.json["faxes"][0]["id"])
    (file,) = served.box.documents.get(served.box.faxes.submission(job).document_id).files
    assert file.media_type == "text/plain; charset=koi8-r"


def test_a_field_for_a_file_that_nobody_chose_is_left_out(served: Served) -> None:
    made = served.form("/faxes", [("to", "9990")], [("a.txt", b"A letter."), ("", b"")])
    assert made.status == 201, made.json
    none = served.form("/faxes", [("to", "9990")], [("", b"")])
    assert none.status in (400, 422)


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable", "X-other"])
def test_a_part_in_an_encoding_of_e_mail_is_refused_and_not_faxed_as_it_stands(
    served: Served, encoding: str
) -> None:
    head = 'Content-Disposition: form-data; name="file"; filename="a.txt"\r\nContent-Transfer-Encoding: '
    head += encoding
    refused = posted(served, part(head, b"QSBsZXR0ZXIu"))
    assert (refused.status, refused.json["code"]) == (400, "request_invalid")
    assert encoding.lower() in refused.json["detail"]
    plain = posted(served, part(head.replace(encoding, "Binary"), b"A letter."))
    assert plain.status == 201


def test_what_a_client_keeps_with_a_fax_comes_in_a_form_too(served: Served) -> None:
    files = [("a.txt", b"A letter.")]
    made = served.form("/faxes", [("to", "9990"), ("metadata", '{"order": 4712}')], files)
    assert (made.status, made.json["faxes"][0]["metadata"]) == (201, {"order": 4712})
    for wrong in ("4712", "{", '["a"]', '{"a": NaN}'):
        refused = served.form("/faxes", [("to", "9990"), ("metadata", wrong)], files)
        assert refused.status == 400, wrong


@pytest.mark.parametrize("text", ["nan", "NaN", "inf", "-inf", "1e999"])
@pytest.mark.parametrize("field", ["lifetime_hours", "retry_waits"])
def test_what_is_no_number_is_refused_in_a_form(served: Served, field: str, text: str) -> None:
    refused = served.form("/faxes", [("to", "9990"), (field, text)], [("a.txt", b"A letter.")])
    assert (refused.status, refused.json["code"]) == (400, "request_invalid")


@pytest.mark.parametrize("call", ["/faxes", "retry", "release", "numbers", "/previews"])
def test_a_time_that_no_clock_shows_is_refused_wherever_it_is_given(served: Served, call: str) -> None:
    never = "9999-12-31T23:59:59-12:00"
    if call == "/faxes":
        answer = served.ask("POST", call, new("9990", send_at=never))
    elif call == "/previews":
        answer = served.ask("POST", call, {"files": new()["files"], "send_at": never})
    elif call == "numbers":
        made = served.ask("POST", "/needs-number", {"files": new()["files"]}).json["faxes"][0]["id"]
        answer = served.ask("POST", f"/faxes/{made}/numbers", {"to": ["9990"], "send_at": never})
    else:
        made = served.ask("POST", "/faxes", new("9990", hold=True)).json["faxes"][0]["id"]
        answer = served.ask("POST", f"/faxes/{made}/{call}", {"at": never})
    assert (answer.status, answer.json["code"]) == (400, "request_invalid")


@pytest.mark.parametrize("number", ["%2B4315551234", "+4315551234"])
def test_a_number_in_an_address_is_found_with_its_plus_sign_encoded_or_not(
    served: Served, number: str
) -> None:
    made = served.ask("POST", "/faxes", new("+4315551234", hold=True)).json["faxes"][0]["id"]
    found = served.ask("GET", f"/faxes?number={number}").json["faxes"]
    assert made in [each["id"] for each in found]
    assert served.ask("GET", f"/numbers/check?number={number}").json["dial"] == "+4315551234"
