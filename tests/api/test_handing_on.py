"""Sent faxes are forwarded like received ones: as a fax, by e-mail."""

from __future__ import annotations

import io

import pypdfium2
import pytest

from appliance.api import page_export
from appliance.settings.accounts import Scope
from appliance.spool.delivery import OutboxState
from appliance.t4.coding import decode
from tests.api.served import Served
from tests.deliver.mailing import post_office

pytestmark = pytest.mark.realtime
TWO_PAGES = b"Page one\fPage two"


def sent(served: Served) -> int:
    """A fax of two pages that was delivered."""
    made = served.form("/faxes", [("to", "9990"), ("header", "")], [("a.txt", TWO_PAGES)])
    fax_id = int(made.json["faxes"][0]["id"])
    assert served.ended(fax_id)["state"] == "delivered"
    return fax_id


def test_pages_of_a_sent_fax_go_to_somebody_else_as_they_went_over_the_line(served: Served) -> None:
    fax_id = sent(served)
    wanted = {"to": ["9990"], "pages": ["2"], "header": ""}
    made = served.ask("POST", f"/faxes/{fax_id}/forward", wanted)
    assert made.status == 201, made.content
    again = served.ended(made.json["faxes"][0]["id"])
    assert (again["state"], again["pages"]) == ("delivered", 1)
    first = page_export.rendered(served.box, served.box.faxes.get(fax_id))
    then = page_export.rendered(served.box, served.box.faxes.get(again["id"]))
    assert decode(then.coded_page(0)).data == decode(first.coded_page(1)).data
    refusals: tuple[dict[str, list[str]], ...] = (
        {"to": ["9990"], "pages": ["x"]},
        {"to": ["112"]},
        {"to": []},
    )
    for refused in refusals:
        assert served.ask("POST", f"/faxes/{fax_id}/forward", refused).status in (400, 422), refused


def test_a_sent_fax_goes_by_e_mail_with_its_pages(served: Served) -> None:
    fax_id = sent(served)
    to = {"to": "ada@office.example"}
    assert served.ask("POST", f"/faxes/{fax_id}/mail", to).json["code"] == "mail_not_set_up"
    with post_office() as office:
        mail = {
            "server": "localhost",
            "port": office.port,
            "sender": "box@office.example",
            "security": "none",
        }
        served.ask("PATCH", "/settings/mail_out", mail)
        try:
            assert served.ask("POST", f"/faxes/{fax_id}/mail", {"to": "nobody"}).status == 400
            assert served.ask("POST", f"/faxes/{fax_id}/mail", to).status == 202
            served.wait(lambda: bool(office.taken))
        finally:
            served.ask("PATCH", "/settings/mail_out", {"server": ""})
    ((_, whom, message),) = office.taken
    assert whom == ["ada@office.example"]
    assert message["Subject"] == "Practice: Fax to 9990"
    (attachment,) = message.iter_attachments()
    assert len(pypdfium2.PdfDocument(io.BytesIO(attachment.get_content()))) == 2
    ((delivery, _),) = served.box.outbox.of_fax(fax_id)
    served.wait(lambda: served.box.outbox.of_fax(fax_id)[0][0].state is OutboxState.DONE)
    assert delivery.target == "ada@office.example"


def test_a_fax_of_somebody_else_is_not_handed_on(served: Served) -> None:
    fax_id = sent(served)
    other = served.key("somebody else", Scope.SEND)
    to = {"to": ["9990"]}
    assert served.ask("POST", f"/faxes/{fax_id}/forward", to, token=other).status == 404
    assert served.ask("POST", f"/faxes/{fax_id}/mail", {"to": "a@b.example"}, token=other).status == 404
