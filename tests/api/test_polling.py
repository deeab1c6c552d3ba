"""Documents on offer for callers that poll, over real HTTP."""

from __future__ import annotations

import base64

import pypdfium2
import pytest

from appliance.settings.accounts import Scope
from tests.api.served import Served

LETTER = base64.b64encode(b"A price list.\n\fIts second page.\n").decode()


def new(name: str, **more: object) -> dict[str, object]:
    return {"name": name, "files": [{"name": "list.txt", "content": LETTER}], **more}


def test_a_document_is_offered_looked_at_and_taken_back(served: Served) -> None:
    made = served.ask("POST", "/polling", new("42", title="Prices"))
    assert made.status == 201, made.content
    offer = made.json
    assert made.headers["Location"] == f"/api/v1/polling/{offer['id']}"
    assert (offer["name"], offer["title"], offer["pages"], offer["polled"]) == ("42", "Prices", 2, 0)
    assert served.ask("GET", f"/polling/{offer['id']}").json == offer
    assert offer in served.ask("GET", "/polling").json["polling"]
    pdf = served.ask("GET", f"/polling/{offer['id']}/document")
    assert len(pypdfium2.PdfDocument(pdf.content)) == 2
    assert set(served.box.polling.by_name()) == {"42"}
    assert served.ask("DELETE", f"/polling/{offer['id']}").status == 204
    assert served.box.polling.by_name() == {}
    assert served.ask("GET", f"/polling/{offer['id']}").status == 404
    assert served.ask("DELETE", f"/polling/{offer['id']}").status == 404


def test_a_document_is_offered_by_a_form_with_files(served: Served) -> None:
    made = served.form("/polling", [("name", "")], [("a.txt", b"one"), ("b.txt", b"two")])
    assert (made.status, made.json["pages"], made.json["title"]) == (201, 2, "a.txt")
    served.ask("DELETE", f"/polling/{made.json['id']}")


def test_a_refused_offer_leaves_nothing_behind(served: Served) -> None:
    first = served.ask("POST", "/polling", new("7")).json
    files = sorted((served.box.data / "documents").iterdir())
    pages = sorted((served.box.data / "rendered").iterdir())
    for body, status, code in (
        (new("7"), 422, "offer_name_taken"),
        (new("letters"), 400, "request_invalid"),
        (new("1" * 21), 400, "request_invalid"),
        ({"name": "8"}, 400, "request_invalid"),
        (
            {"name": "8", "files": [{"name": "a.pdf", "content": base64.b64encode(b"%PDF-1.4 x").decode()}]},
            422,
            "document_damaged",
        ),
    ):
        refused = served.ask("POST", "/polling", body)
        assert (refused.status, refused.json["code"]) == (status, code), refused.content
    assert sorted((served.box.data / "documents").iterdir()) == files
    assert sorted((served.box.data / "rendered").iterdir()) == pages
    served.ask("DELETE", f"/polling/{first['id']}")


@pytest.mark.parametrize("scope", [Scope.SEND, Scope.RECEIVE, Scope.MONITOR])
def test_only_administrators_offer_documents_to_everybody(served: Served, scope: Scope) -> None:
    token = served.key(f"only {scope.value}", scope)
    assert served.ask("POST", "/polling", new("9"), token=token).status == 403
    assert served.ask("GET", "/polling", token=token).status == 403
