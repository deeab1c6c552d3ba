"""Import of the phone book over the interface: a preview, then the import of exactly what it showed."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.lines.causes import NUMBER_INVALID
from appliance.phonebook.cards import CARDS_LIMIT
from appliance.settings.accounts import Scope
from tests.api.served import Reply, Served, serving

pytestmark = pytest.mark.realtime

CSV = """number,first_name,last_name,groups
+49 30 111,Ada,Lovelace,Doctors
+49 30 222,Bob,Babbage,
nobody,Eve,,
"""


def _import(served: Served, content: str, *fields: tuple[str, str], token: str | None = None) -> Reply:
    return served.form("/contacts/import", list(fields), [("book.csv", content.encode())], token=token)


def _numbers(served: Served) -> set[str]:
    return {each["number"] for each in served.ask("GET", "/contacts").json["contacts"]}


def test_nothing_is_changed_before_the_plan_is_given_back_and_then_exactly_it(served: Served) -> None:
    before = _numbers(served)
    shown = _import(served, CSV)
    assert shown.status == 200, shown.content
    plan = shown.json
    assert (plan["counts"]["new"], plan["counts"]["refused"], plan["imported"]) == (2, 1, False)
    refused = next(step for step in plan["steps"] if step["fate"] == "refused")
    assert (refused["line"], refused["reason"]) == (4, NUMBER_INVALID.sentence)
    assert _numbers(served) == before
    done = _import(served, CSV, ("plan", plan["plan"]))
    assert (done.json["imported"], done.json["counts"]["new"]) == (True, 2)
    assert _numbers(served) - before == {"+49 30 111", "+49 30 222"}
    (group,) = (g for g in served.ask("GET", "/groups").json["groups"] if g["name"] == "Doctors")
    ada = next(c for c in served.ask("GET", "/contacts").json["contacts"] if c["number"] == "+49 30 111")
    assert group["contact_ids"] == [ada["id"]]
    again = _import(served, CSV).json
    assert again["counts"] == {"new": 0, "changed": 0, "same": 2, "duplicate": 0, "refused": 1}


def test_a_phone_book_that_changed_meanwhile_is_not_touched(served: Served) -> None:
    content = "number,name\n+49 30 333,Carol\n"
    plan = _import(served, content).json["plan"]
    served.ask("POST", "/contacts", {"number": "+49 30 333", "last_name": "Caroline"})
    before = served.ask("GET", "/contacts").json
    reply = _import(served, content, ("plan", plan))
    assert (reply.status, reply.json["code"]) == (409, "contacts_changed")
    assert served.ask("GET", "/contacts").json == before


def test_a_duplicate_is_only_taken_when_its_line_is_named(served: Served) -> None:
    served.ask("POST", "/contacts", {"number": "+49 30 444", "last_name": "Dora"})
    content = "number,name\n+49 (30) 444,Somebody else\n+49 30 445,Emil\n"
    plan = _import(served, content).json
    assert [step["fate"] for step in plan["steps"]] == ["duplicate", "new"]
    done = _import(served, content, ("plan", plan["plan"]), ("lines", "2")).json
    assert [step["number"] for step in done["steps"]] == ["+49 (30) 444"]
    assert "+49 30 445" not in _numbers(served)


def test_an_exported_phone_book_is_imported_without_a_change(served: Served) -> None:
    served.ask(
        "POST", "/contacts", {"number": "+49 30 555", "last_name": 'Größe; \\ , "=1"', "notes": "a\nb"}
    )
    count = len(_numbers(served))
    for format in ("csv", "vcard-2.1", "vcard-3.0", "vcard-4.0"):
        file = served.ask("GET", f"/contacts/export?format={format}")
        assert "attachment" in file.headers["Content-Disposition"]
        counts = _import(served, file.content.decode()).json["counts"]
        assert (counts["new"], counts["changed"]) == (0, 0), format
        assert counts["same"] + counts["refused"] + counts["duplicate"] >= count


def test_contacts_that_a_user_imports_are_that_users_own(served: Served) -> None:
    token = served.key("clerk", Scope.SEND, owner="")
    content = "number,name\n+49 30 666,Fritz\n"
    plan = _import(served, content, token=token).json["plan"]
    assert _import(served, content, ("plan", plan), ("owner", "somebody"), token=token).status == 200
    fritz = next(c for c in served.ask("GET", "/contacts").json["contacts"] if c["number"] == "+49 30 666")
    assert fritz["owner"] not in ("", "somebody")
    assert _import(served, content, token=served.key("reader", Scope.RECEIVE)).status == 403


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        ("", 0, ""),
        ("what is this?", 422, "contacts_unreadable"),
        ("%PDF-1.7", 422, "contacts_unreadable"),
        ("BEGIN:VCARD\nFN:x\n", 422, "contacts_unreadable"),
        ("number\n" + "1\n" * (CARDS_LIMIT + 1), 413, "contacts_too_many"),
        ("number\n" + "x" * 9_000_000, 413, "request_too_large"),
    ],
    ids=["empty", "words", "pdf", "cut-off", "too-many", "too-large"],
)
def test_hostile_files_are_refused_in_words(served: Served, content: str, status: int, code: str) -> None:
    reply = _import(served, content)
    if status:
        assert (reply.status, reply.json["code"]) == (status, code)
    else:
        assert reply.status in (400, 422)


@pytest.mark.full
def test_an_import_of_the_largest_size_is_planned_and_done(tmp_path: Path) -> None:
    content = "number,name\n" + "".join(f"+49 40 {each:06},Person {each}\n" for each in range(CARDS_LIMIT))
    with serving(tmp_path) as served:
        plan = _import(served, content).json
        assert plan["counts"]["new"] == CARDS_LIMIT
        assert _import(served, content, ("plan", plan["plan"])).json["counts"]["new"] == CARDS_LIMIT


@pytest.mark.parametrize("number", ["Mrs Grey", "", "12 or so", "+", "@home", "112"])
def test_a_contact_whose_number_nobody_can_dial_is_refused_at_its_field(served: Served, number: str) -> None:
    refused = served.ask("POST", "/contacts", {"number": number, "last_name": "Grey"})
    assert (refused.status, [each["path"] for each in refused.json["errors"]]) == (400, ["number"])
    made = served.ask("POST", "/contacts", {"number": "+49 30 777", "last_name": "Grey"}).json["id"]
    changed = served.ask("PATCH", f"/contacts/{made}", {"number": number})
    assert (changed.status, [each["path"] for each in changed.json["errors"]]) == (400, ["number"])
    assert served.ask("PATCH", f"/contacts/{made}", {"last_name": "Gray"}).status == 200
    assert served.ask("DELETE", f"/contacts/{made}").status == 204
