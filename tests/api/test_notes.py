"""Notes on faxes: author and time, visible with the fax, found by search, deleted with it."""

from __future__ import annotations

import dataclasses

import pytest

from appliance import at_rest
from appliance.settings.accounts import Scope
from appliance.spool import erasure, vault
from appliance.spool.notes import MOST_NOTES
from tests.api.served import Served
from tests.api.test_received import receive

pytestmark = pytest.mark.realtime


def held(served: Served, token: str | None = None) -> int:
    fields = [("to", "9990"), ("hold", "true"), ("tag", "sales")]
    made = served.form("/faxes", fields, [("a.txt", b"one")], token=token)
    return int(made.json["faxes"][0]["id"])


def found(served: Served, kind: str, words: str) -> list[int]:
    return [each["id"] for each in served.ask("GET", f"/{kind}?q={words}").json[kind]]


@pytest.fixture(params=["faxes", "received"])
def fax(request: pytest.FixtureRequest, served: Served) -> tuple[str, int]:
    return request.param, held(served) if request.param == "faxes" else receive(served)


def test_a_note_says_who_and_when_finds_its_fax_and_is_taken_off(
    served: Served, fax: tuple[str, int]
) -> None:
    kind, fax_id = fax
    path = f"/{kind}/{fax_id}/notes"
    key = served.key("desk", Scope.ADMIN)
    made = served.ask("POST", path, {"text": "  Zimmermann ruft\nam Freitag zurück "}, token=key)
    assert made.status == 201, made.content
    note = made.json
    assert (note["who"], note["text"]) == ("key:desk", "Zimmermann ruft\nam Freitag zurück")
    second = served.ask("POST", path, {"text": "Zimmermann was here"}, token=key).json
    assert served.ask("GET", path).json["notes"] == [note, second]
    assert found(served, kind, "Freitag") == [fax_id]
    # What was found before is found still, after a change of the fax itself, too.
    if kind == "faxes":
        served.ask("POST", f"/faxes/{fax_id}/release")
        served.ended(fax_id)
        assert fax_id in found(served, kind, "sales")
        assert fax_id in found(served, kind, "Freitag")
    assert served.ask("DELETE", f"{path}/{note['id']}").status == 204
    assert served.ask("DELETE", f"{path}/{note['id']}").status == 404
    assert fax_id not in found(served, kind, "Freitag")
    assert fax_id in found(served, kind, "Zimmermann")
    events = served.ask("GET", f"/{kind}/{fax_id}/events").json["events"]
    assert [each["data"].get("notes") for each in events if each["kind"].endswith("changed")][-1] == 1


def test_a_note_is_not_for_whoever_does_not_see_the_fax_and_its_writer_s_alone_to_take_off(
    served: Served,
) -> None:
    writer, other = served.key("writer", Scope.SEND), served.key("stranger", Scope.SEND)
    fax_id = held(served, writer)
    path = f"/faxes/{fax_id}/notes"
    boss = served.ask("POST", path, {"text": "from the administrator"}).json["id"]
    mine = served.ask("POST", path, {"text": "mine"}, token=writer).json["id"]
    for method, where, body in (
        ("GET", path, None),
        ("POST", path, {"text": "x"}),
        ("DELETE", f"{path}/{mine}", None),
    ):
        assert served.ask(method, where, body, token=other).status == 404
    assert len(served.ask("GET", path, token=writer).json["notes"]) == 2
    assert served.ask("DELETE", f"{path}/{boss}", token=writer).json["code"] == "not_permitted"
    assert served.ask("DELETE", f"{path}/{mine}", token=writer).status == 204
    # A note is found under its own fax alone, and a fax to send not among the received.
    assert served.ask("DELETE", f"/faxes/{held(served)}/notes/{boss}").status == 404
    assert served.ask("GET", f"/received/{fax_id}/notes").status == 404


@pytest.mark.parametrize("text", ["", "   \n ", "x" * 2001, 7, None])
def test_an_empty_or_too_long_note_is_refused(served: Served, text: object) -> None:
    assert served.ask("POST", f"/faxes/{held(served)}/notes", {"text": text}).status == 400


def test_a_fax_has_a_limited_number_of_notes(served: Served) -> None:
    fax_id = held(served)
    job = served.box.faxes.get(fax_id)
    for number in range(MOST_NOTES):
        served.box.notes.add(job, "user:ada", f"note {number}")
    refused = served.ask("POST", f"/faxes/{fax_id}/notes", {"text": "one more"})
    assert (refused.status, refused.json["code"]) == (409, "too_many_notes")


def test_notes_go_with_their_fax_and_none_is_written_on_what_was_erased(served: Served) -> None:
    fax_id = receive(served)
    spool = served.box.spool
    served.ask("POST", f"/received/{fax_id}/notes", {"text": "confidential matter"})
    spool.do(erasure.erase_received, fax_id, served.box.clock())

    def left(db: object) -> tuple[int, int]:
        run = db.execute  # type: ignore[attr-defined]
        words = "SELECT COUNT(*) FROM received_words WHERE words LIKE '%confidential%'"
        notes = "SELECT COUNT(*) FROM note WHERE fax_id = ?"
        return run(notes, (fax_id,)).fetchone()[0], run(words).fetchone()[0]

    assert spool.read(left) == (0, 0)
    assert served.ask("POST", f"/received/{fax_id}/notes", {"text": "late"}).status == 404


def test_notes_are_encrypted_where_documents_are_and_their_words_leave_the_index(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    fax_id, box = held(served), served.box
    before = box.notes.add(box.faxes.get(fax_id), "user:ada", "secret before")
    key = bytes(at_rest.KEY_OCTETS)
    at_rest.lock_folder(box.data, key)
    try:
        after = box.notes.add(box.faxes.get(fax_id), "user:ada", "secret after")
        box.spool.do(vault.seal_texts, box.data)
        rows = box.spool.read(lambda db: [row[0] for row in db.execute("SELECT text FROM note")])
        assert not [row for row in rows if "secret" in row and not row.startswith("sealed:")]
        assert [note.text for note in box.notes.of(box.faxes.get(fax_id))] == [
            "secret before",
            "secret after",
        ]
        assert dataclasses.replace(before, text="") == dataclasses.replace(
            box.notes.get(box.faxes.get(fax_id), before.id), text=""
        )
        assert after.text == "secret after"
        assert found(served, "faxes", "secret") == []
        assert fax_id in found(served, "faxes", "sales")
    finally:
        at_rest.unlock_folder(box.data)
