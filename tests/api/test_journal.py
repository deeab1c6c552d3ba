"""The journal as CSV: complete, restricted to the user's own faxes, without active formulas."""

from __future__ import annotations

import csv
import io

import pytest

from appliance.api.rest.journal import BATCH, COLUMNS, _cell
from appliance.services.faxes import Request
from appliance.services.rules import To
from appliance.settings.accounts import Scope, User
from appliance.spool.filters import ReceivedFilter
from tests.api.served import Reply, Served
from tests.api.test_faxes import new


def rows(answer: Reply) -> list[dict[str, str]]:
    assert answer.status == 200, answer.content
    assert answer.headers["Content-Type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_every_fax_both_ways_is_a_row_newest_first(served: Served) -> None:
    served.box.settings.add(User(name="dora", tag="ward 3"))
    token = served.key("dora-key", Scope.SEND, owner="dora")
    name = '"Ada", =SUM(A1)'
    sent = served.ask("POST", "/faxes", new({"number": "9990", "name": name}), token=token).json["faxes"][0]
    busy = served.ask("POST", "/faxes", new("9991", max_tries=1, tag="own"), token=token).json["faxes"][0]
    for fax in (sent, busy):
        served.ended(fax["id"])
    assert served.ask("POST", "/practice/receive", {"caller": "5551234"}).status == 202
    served.wait(lambda: bool(served.box.inbox.search(ReceivedFilter(caller="5551234"))))
    served.wait(lambda: served.box.inbox.search(ReceivedFilter())[0].ended_at is not None)
    found = rows(served.ask("GET", "/journal"))
    assert [int(row["id"]) for row in found] == sorted((int(row["id"]) for row in found), reverse=True)
    by_id = {int(row["id"]): row for row in found}
    ours = by_id[sent["id"]]
    assert tuple(ours) == COLUMNS
    assert (ours["direction"], ours["state"], ours["pages_confirmed"]) == ("sent", "delivered", "1")
    assert (ours["owner"], ours["tag"], ours["name"]) == ("dora", "ward 3", name)
    assert (by_id[busy["id"]]["code"], by_id[busy["id"]]["tag"]) == ("busy", "own")
    came = next(row for row in found if row["direction"] == "received")
    assert (came["number"], came["pages"], came["state"]) == ("5551234", "1", "complete")
    whole = served.ask("GET", "/journal?format=json")
    assert whole.headers["Content-Type"].startswith("application/json")
    assert [(each["id"], each["direction"]) for each in whole.json] == [
        (int(row["id"]), row["direction"]) for row in found
    ]
    told = next(each for each in whole.json if each["id"] == sent["id"])
    assert (told["to"]["name"], told["metadata"], told["result"]["code"]) == (name, {}, "delivered")
    assert served.ask("GET", "/journal?format=json&since=2099-01-01T00:00:00Z").json == []
    # What it can be narrowed to, and by whom.
    assert {row["tag"] for row in rows(served.ask("GET", "/journal?tag=ward%203"))} == {"ward 3"}
    inbound = rows(served.ask("GET", "/journal?direction=received"))
    assert {row["direction"] for row in inbound} == {"received"}
    assert {row["owner"] for row in rows(served.ask("GET", "/journal?owner=dora&direction=sent"))} == {"dora"}
    assert rows(served.ask("GET", "/journal?since=2099-01-01T00:00:00Z")) == []
    mine = rows(served.ask("GET", "/journal?owner=office", token=token))
    assert {(row["owner"], row["direction"]) for row in mine} == {("dora", "sent")}
    served.tokens.pop("nobody", None)
    assert served.ask("GET", "/journal", token=served.key("nobody", Scope.MONITOR)).status == 403


def test_a_long_journal_comes_whole(served: Served) -> None:
    made = 2 * BATCH + 203
    box = served.box
    file = box.documents.store_file(b"A letter", name="a.txt", media_type="text/plain")
    to = tuple(To("9990", f"number {number}") for number in range(made))
    box.faxes.submit(Request("long", to, (file,), tag="long", held=True))
    found = rows(served.ask("GET", "/journal?tag=long"))
    assert [row["name"] for row in found] == [f"number {number}" for number in reversed(range(made))]


def test_no_cell_is_a_formula() -> None:
    for words in ("=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3", "\t=1", "\r=1"):
        assert _cell(words).startswith("'")
    for words in ("+49 30 123", "-5", "plain", "", "9990"):
        assert _cell(words) == words


def test_a_resend_asked_twice_with_one_key_is_one(served: Served) -> None:
    fax = served.ask("POST", "/faxes", new("9990")).json["faxes"][0]
    headers = {"Idempotency-Key": "again-1"}
    first = served.ask("POST", f"/faxes/{fax['id']}/resend", headers=headers)
    second = served.ask("POST", f"/faxes/{fax['id']}/resend", headers=headers)
    assert (first.status, first.json["id"]) == (201, second.json["id"])
    other = served.ask("POST", f"/faxes/{fax['id']}/resend", {"number": "9991"}, headers=headers)
    assert (other.status, other.json["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize(
    "written", [" =1+1", "\u00a0=1+1", "\t=1+1", "\ufeff@SUM(A1)", "＝1+1", "  -1+1", "\u200b+cmd", "\n=1"]
)
def test_no_cell_is_a_formula_whatever_stands_before_it(written: str) -> None:
    assert _cell(written).startswith("'")


def test_numbers_are_left_as_they_are() -> None:
    assert [_cell(each) for each in ("+49 30 12345", "12", "a = b")] == [
        "+49 30 12345",
        "12",
        "a = b",
    ]
