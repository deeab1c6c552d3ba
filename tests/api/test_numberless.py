"""Documents without a number wait for one, visible only to their owner."""

from __future__ import annotations

from typing import Any

from appliance.settings.accounts import Scope
from tests.api.served import Served

FILES = [{"name": "scan.txt", "content": "aGVsbG8="}]


def hand_in(served: Served, token: str, **more: Any) -> dict[str, Any]:
    made = served.ask("POST", "/needs-number", {"files": FILES, **more}, token=token)
    assert made.status == 201, made.content
    fax: dict[str, Any] = made.json["faxes"][0]
    return fax


def waits(served: Served, fax_id: int) -> None:
    served.wait(lambda: served.ask("GET", f"/faxes/{fax_id}").json["state"] == "needs_number")


def listed(served: Served, token: str) -> list[int]:
    return [fax["id"] for fax in served.ask("GET", "/needs-number", token=token).json["faxes"]]


def test_a_document_waits_for_its_number_and_is_then_sent(served: Served) -> None:
    token = served.key("una", Scope.SEND)
    fax = hand_in(served, token, from_user="una", from_computer="front-desk")
    assert (fax["to"]["number"], fax["from_user"], fax["from_computer"]) == ("", "una", "front-desk")
    waits(served, fax["id"])
    page = served.ask("GET", f"/faxes/{fax['id']}/pages/1", token=token)
    assert page.content.startswith(b"\x89PNG")
    assert listed(served, token) == [fax["id"]]
    given = served.ask("POST", f"/faxes/{fax['id']}/numbers", {"to": ["9990", "9991"]}, token=token)
    assert [each["to"]["number"] for each in given.json["faxes"]] == ["9990", "9991"]
    assert given.json["faxes"][0]["id"] == fax["id"]
    assert listed(served, token) == []
    assert served.ended(fax["id"])["state"] == "delivered"
    other = served.ended(given.json["faxes"][1]["id"])
    assert (other["from_user"], other["submission_id"]) == ("una", fax["submission_id"])
    kinds = [each["kind"] for each in served.ask("GET", f"/faxes/{fax['id']}/events").json["events"]]
    assert kinds.index("job.needs_number") < kinds.index("job.waiting")


def test_the_newest_is_first_and_others_documents_are_not_there(served: Served) -> None:
    mine, theirs = served.key("vera", Scope.SEND), served.key("vito", Scope.SEND)
    first, second = hand_in(served, mine)["id"], hand_in(served, mine)["id"]
    foreign = hand_in(served, theirs)["id"]
    assert listed(served, mine) == [second, first]
    assert served.ask("POST", f"/faxes/{foreign}/numbers", {"to": ["9990"]}, token=mine).status == 404
    assert served.ask("DELETE", f"/needs-number/{foreign}", token=mine).status == 404
    assert served.ask("DELETE", f"/needs-number/{first}", token=mine).status == 204
    assert listed(served, mine) == [second]
    assert foreign in listed(served, served.admin)


def test_a_number_that_is_not_dialled_changes_nothing(served: Served) -> None:
    token = served.key("wim", Scope.SEND)
    fax_id = hand_in(served, token)["id"]
    waits(served, fax_id)
    refused = served.ask("POST", f"/faxes/{fax_id}/numbers", {"to": ["9990", "112"]}, token=token)
    assert (refused.status, refused.json["errors"][0]["path"]) == (422, "to[1]")
    assert served.ask("GET", f"/faxes/{fax_id}").json["state"] == "needs_number"


def test_a_fax_with_a_number_takes_no_other(served: Served) -> None:
    token = served.key("xena", Scope.SEND)
    made = served.ask("POST", "/faxes", {"to": ["9990"], "files": FILES}, token=token).json["faxes"][0]
    given = served.ask("POST", f"/faxes/{made['id']}/numbers", {"to": ["9991"]}, token=token)
    assert (given.status, given.json["code"]) == (409, "state_forbids")
    assert served.ask("DELETE", f"/needs-number/{made['id']}", token=token).status == 409


def test_a_fax_without_a_number_is_only_taken_on_purpose(served: Served) -> None:
    refused = served.ask("POST", "/faxes", {"files": FILES})
    assert (refused.status, refused.json["code"]) == (400, "request_invalid")


def test_the_cover_page_names_whom_it_was_given(served: Served) -> None:
    token = served.key("yara", Scope.SEND)
    fax_id = hand_in(served, token, cover={"subject": "Late"})["id"]
    waits(served, fax_id)
    before = served.ask("GET", f"/faxes/{fax_id}/pages/1", token=token).content
    served.ask("POST", f"/faxes/{fax_id}/numbers", {"to": [{"number": "9990", "name": "Zoe"}]}, token=token)
    served.ended(fax_id)
    assert served.ask("GET", f"/faxes/{fax_id}/pages/1", token=token).content != before
