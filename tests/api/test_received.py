"""Received faxes over HTTP; each is really received from the practice machine."""

from __future__ import annotations

import io
import time
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image

from appliance.settings import secrets
from appliance.settings.accounts import Scope
from appliance.spool import received as spool_received
from appliance.t4.tiff import FaxTiff
from appliance.t30.causes import NO_PAGES_CAME
from tests.api.served import Served
from tests.deliver import making
from tests.ports import free_port

PRACTICE_FAX = {"to": ["9990"], "hold": True, "files": [{"content": "QQ=="}]}


def receive(served: Served, **body: object) -> int:
    """Makes the practice machine call; returns the id of the received fax."""
    known = {fax["id"] for fax in served.ask("GET", "/received").json["received"]}
    assert served.ask("POST", "/practice/receive", body).status == 202

    def new() -> list[int]:
        faxes = served.ask("GET", "/received").json["received"]
        return [fax["id"] for fax in faxes if fax["id"] not in known and fax["ended_at"]]

    served.wait(lambda: bool(new()))
    return new()[0]


def test_a_received_fax_is_read_as_png_pdf_and_tiff(served: Served, tmp_path: Path) -> None:
    content = "UGFnZSBvbmUMUGFnZSB0d28="  # two pages of text
    fax_id = receive(served, files=[{"name": "a.txt", "content": content}], caller="5551234", dialled="30")
    fax = served.ask("GET", f"/received/{fax_id}").json
    assert (fax["state"], fax["pages"], fax["caller"], fax["dialled"]) == ("complete", 2, "5551234", "30")
    assert [page["number"] for page in fax["page_list"]] == [1, 2]
    assert fax["result"]["code"] == "received"
    image = Image.open(io.BytesIO(served.ask("GET", f"/received/{fax_id}/pages/2").content))
    assert image.size == (fax["page_list"][1]["width"], fax["page_list"][1]["rows"])
    pdf = served.ask("GET", f"/received/{fax_id}/pdf")
    assert len(pypdfium2.PdfDocument(pdf.content)) == 2
    file = tmp_path / "fax.tiff"
    file.write_bytes(served.ask("GET", f"/received/{fax_id}/tiff").content)
    with FaxTiff(file) as tiff:
        assert len(tiff) == 2
        assert tiff.raster(1).rows == fax["page_list"][1]["rows"]
    assert served.ask("GET", f"/received/{fax_id}/pages/3").status == 404
    assert served.ask("GET", f"/received/{fax_id}/trace").status == 200
    kinds = [event["kind"] for event in served.ask("GET", f"/received/{fax_id}/events").json["events"]]
    assert "received.complete" in kinds
    assert served.ask("GET", f"/received/{fax_id}/pages/1?size=small").status == 200
    assert served.ask("HEAD", f"/received/{fax_id}/pdf").status == 200
    looked = [entry["action"] for entry in served.ask("GET", "/audit").json["audit"]]
    assert looked.count("received.look") == 3, "a small picture in a list is no look, and HEAD shows nothing"


@pytest.mark.parametrize("word", ["pdf", "zip"])
def test_of_several_faxes_the_one_that_cannot_be_read_is_named(served: Served, word: str) -> None:
    whole, gone = (making.receive(served.box) for _ in range(2))
    _, (page,) = served.box.inbox.with_pages(gone.id)
    (served.box.data / page.path).unlink()
    path = f"/received-bundle?ids={whole.id},{gone.id}&format={word}"
    reply = served.ask("GET", path, headers={"Accept-Language": "de"})
    assert reply.json["errors"] == [{"path": "ids", "problem": f"Fax {gone.id}"}]
    assert (reply.status, reply.json["detail"]) == (410, f"fax {gone.id}: page 1 cannot be read")
    assert served.ask("DELETE", f"/received/{gone.id}").status == 204
    reply = served.ask("GET", path)
    assert (reply.status, reply.json["errors"]) == (404, [{"path": "ids", "problem": f"Fax {gone.id}"}])


def test_calls_that_brought_no_page_are_left_out_unless_they_are_asked_for_and_the_description_says_so(
    served: Served,
) -> None:
    call = served.box.spool.do(spool_received.begin, "a-call-without-a-page", "trunk", "t38", time.time())
    served.box.spool.do(spool_received.finish, call.id, NO_PAGES_CAME, complete=False, now=time.time())

    def listed(query: str) -> list[int]:
        return [fax["id"] for fax in served.ask("GET", f"/received{query}").json["received"]]

    assert call.id not in listed("")
    assert call.id in listed("?empty=true")
    described = served.ask("GET", "/openapi.json").json["paths"]["/received"]["get"]
    assert "no page are not among them" in described["summary"]
    assert "empty" in [each["name"] for each in described["parameters"]]


def test_a_received_fax_is_marked_read_assigned_to_a_user_and_deleted(served: Served) -> None:
    fax_id = receive(served)
    secrets.add_user(served.box.settings, "ada", "a long password")
    unread = served.ask("GET", "/received?read=false").json["received"]
    assert fax_id in [fax["id"] for fax in unread]
    assert served.ask("PATCH", f"/received/{fax_id}", {"read": True}).json["read"] is True
    assert fax_id not in [fax["id"] for fax in served.ask("GET", "/received?read=false").json["received"]]
    everyones = served.key("everyones", Scope.RECEIVE)
    assert served.ask("GET", f"/received/{fax_id}", token=everyones).status == 200
    assert fax_id in [fax["id"] for fax in served.ask("GET", "/received", token=everyones).json["received"]]
    refused = served.ask("PATCH", f"/received/{fax_id}", {"owner": "everyones"}, token=everyones)
    assert refused.json["code"] == "not_permitted"
    assert served.ask("PATCH", f"/received/{fax_id}", {"owner": "nobody"}).status == 400
    assert served.ask("PATCH", f"/received/{fax_id}", {"owner": "ada"}).json["owner"] == "ada"
    for path in ("", "/pdf", "/tiff", "/pages/1", "/events", "/trace", "/deliveries"):
        assert served.ask("GET", f"/received/{fax_id}{path}", token=everyones).status == 404, path
    hers = served.key("hers", Scope.RECEIVE, owner="ada")
    assert served.ask("GET", f"/received/{fax_id}", token=hers).status == 200
    gone = served.ask("DELETE", f"/received/{fax_id}", token=hers)
    assert (gone.status, gone.content) == (204, b"")
    assert served.ask("GET", f"/received/{fax_id}").status == 404


def test_a_received_fax_is_forwarded_as_a_fax_once_for_one_idempotency_key(served: Served) -> None:
    fax_id = receive(served)
    headers = {"Idempotency-Key": "forward"}
    first = served.ask("POST", f"/received/{fax_id}/forward", {"to": ["9990"]}, headers=headers)
    again = served.ask("POST", f"/received/{fax_id}/forward", {"to": ["9990"]}, headers=headers)
    assert (first.status, again.json["repeated"]) == (201, True)
    sent = served.ended(first.json["faxes"][0]["id"])
    assert (sent["state"], sent["pages_confirmed"]) == ("delivered", 1)
    only_receive = served.key("reader", Scope.RECEIVE)
    refused = served.ask("POST", f"/received/{fax_id}/forward", {"to": ["9990"]}, token=only_receive)
    assert refused.status == 403


def test_a_practice_call_that_cannot_be_made_is_refused(served: Served) -> None:
    wrong = served.ask("POST", "/practice/receive", {"files": [{"content": "AAEC"}]})
    assert wrong.json["code"] == "document_unsupported"
    served.ask("PATCH", "/settings/practice", {"enabled": False})
    try:
        off = served.ask("POST", "/practice/receive", {})
        assert (off.status, off.json["code"]) == (409, "practice_refused")
    finally:
        served.ask("PATCH", "/settings/practice", {"enabled": True})
        # The line comes up again after the answer.
        served.wait(lambda: served.ask("POST", "/faxes", PRACTICE_FAX).status == 201)


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_a_fax_to_send_is_not_found_among_the_received(served: Served, method: str) -> None:
    made = served.form("/faxes", [("to", "9990"), ("hold", "true")], [("a.txt", b"one")])
    fax_id = made.json["faxes"][0]["id"]
    body = {"read": True} if method == "PATCH" else None
    assert served.ask(method, f"/received/{fax_id}", body).status == 404


def test_printing_a_received_fax_adds_a_delivery_to_the_printer(served: Served) -> None:
    fax_id = receive(served)
    assert served.ask("POST", f"/received/{fax_id}/print", {"printer": "Nowhere"}).status == 202
    (made,) = served.ask("GET", f"/received/{fax_id}/deliveries").json["deliveries"]
    assert (made["kind"], made["target"]) == ("printer", "Nowhere")


def test_selected_pages_of_a_received_fax_are_forwarded(served: Served) -> None:
    fax_id = receive(served, files=[{"name": "a.txt", "content": "UGFnZSBvbmUMUGFnZSB0d28="}])
    wanted = {"to": ["9990"], "pages": ["2"]}
    made = served.ask("POST", f"/received/{fax_id}/forward", wanted)
    assert made.status == 201, made.content
    assert served.ended(made.json["faxes"][0]["id"])["pages"] == 1
    refused = served.ask("POST", f"/received/{fax_id}/forward", {"to": ["9990"], "pages": ["x"]})
    assert refused.status == 400


def test_mailing_a_received_fax_adds_a_delivery_to_the_address(served: Served) -> None:
    fax_id = receive(served)
    to = {"to": "ada@office.example"}
    assert served.ask("POST", f"/received/{fax_id}/mail", to).json["code"] == "mail_not_set_up"
    # Nobody answers there: the delivery stays.
    mail = {"server": "localhost", "port": free_port(), "sender": "box@office.example", "security": "none"}
    served.ask("PATCH", "/settings/mail_out", mail)
    assert served.ask("POST", f"/received/{fax_id}/mail", {"to": "nobody"}).status == 400
    assert served.ask("POST", f"/received/{fax_id}/mail", to).status == 202
    (delivery,) = served.ask("GET", f"/received/{fax_id}/deliveries").json["deliveries"]
    assert (delivery["kind"], delivery["target"]) == ("email", "ada@office.example")
    served.ask("PATCH", "/settings/mail_out", {"server": ""})
