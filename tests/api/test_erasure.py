"""Erased data is gone from rows, events, files, the index's free pages and its copies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from appliance.causes import RECEIVED
from appliance.commands import erase
from appliance.deliver.settings import DeliveryRoute
from appliance.services.faxes import Request
from appliance.services.rules import To
from appliance.settings.accounts import Scope, User
from appliance.spool import received as received_rows
from appliance.spool.filters import JobFilter
from appliance.spool.model import DAY_S
from appliance.spool.transaction import Tx
from tests.api.served import Served, serving
from tests.daemon.keeping import keeper_of

SECRET = "Xylophonquartett"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("erased")) as box:
        yield box


def holding(data: Path, *words: bytes) -> set[str]:
    """Files of the data folder that hold one of these octets anywhere."""
    return {
        str(path.relative_to(data))
        for path in data.rglob("*")
        if path.is_file() and any(word in path.read_bytes() for word in words)
    }


def sent(served: Served, token: str | None = None, **more: Any) -> int:
    files = [{"name": f"{SECRET}.txt", "content": "WHlsb3Bob25xdWFydGV0dA=="}]  # the secret word
    said = {"to": [{"number": "9990", "name": SECRET}], "files": files, "tag": SECRET, **more}
    made = served.ask("POST", "/faxes", said, token=token)
    assert made.status == 201, made.content
    fax_id: int = made.json["faxes"][0]["id"]
    served.ended(fax_id)
    return fax_id


def test_an_erased_fax_leaves_nothing_of_what_it_was(served: Served) -> None:
    fax_id = sent(served, metadata={"patient": SECRET}, cover={"subject": SECRET, "message": SECRET})
    data = served.box.data
    keeper_of(served.box).keep_copy()
    assert any(name.startswith("copies/") for name in holding(data, SECRET.encode()))
    rendered = served.box.faxes.get(fax_id).rendered_path
    assert served.ask("POST", f"/faxes/{fax_id}/erase", {}).status == 200
    assert holding(data, SECRET.encode()) == set()
    assert not (data / rendered).exists()
    kept = served.ask("GET", f"/faxes/{fax_id}").json
    assert (kept["state"], kept["to"]["number"], kept["attempts"], kept["metadata"]) == (
        "delivered",
        "",
        [],
        {},
    )
    assert kept["erased_at"] is not None
    assert served.ask("GET", f"/faxes/{fax_id}/document").status == 410
    assert served.box.faxes.search(JobFilter(text=SECRET)) == []


def test_only_the_owner_erases_a_fax_and_only_once_it_has_ended(served: Served) -> None:
    mine, theirs = served.key("erin", Scope.SEND), served.key("evan", Scope.SEND)
    fax_id = sent(served, mine)
    assert served.ask("POST", f"/faxes/{fax_id}/erase", {}, token=theirs).status == 404
    assert served.ask("POST", "/erasures", {"number": "9990"}, token=mine).status == 403
    files = [{"content": "YQ=="}]
    held = served.ask("POST", "/faxes", {"to": ["9990"], "files": files, "hold": True}, token=mine).json
    waiting = held["faxes"][0]["id"]
    assert served.ask("POST", f"/faxes/{waiting}/erase", {}, token=mine).status == 409
    assert served.ask("POST", f"/faxes/{fax_id}/erase", {}, token=mine).status == 200


def test_a_document_that_another_fax_still_sends_stays(served: Served) -> None:
    first = sent(served)
    again = served.ask("POST", f"/faxes/{first}/resend", {"number": "9991"}).json["id"]
    served.ask("POST", f"/faxes/{first}/erase", {})
    job = served.box.faxes.get(again)
    assert served.box.documents.get(served.box.faxes.submission(job).document_id).files


def received(served: Served, caller: str) -> int:
    served.ask("POST", "/practice/receive", {"files": [{"content": "WQ=="}], "caller": caller})

    def came() -> list[dict[str, Any]]:
        listed = served.ask("GET", f"/received?caller={caller.replace('+', '%2B')}").json["received"]
        return [fax for fax in listed if fax["state"] == "complete"]

    served.wait(lambda: bool(came()))
    fax_id: int = came()[0]["id"]
    return fax_id


def test_everything_about_a_number_is_erased_by_the_command(served: Served) -> None:
    caller = "+4955512345678"
    fax_id = received(served, caller)
    pages = [served.box.data / page.path for page in served.box.inbox.pages(fax_id)]
    parsed = _arguments("number", caller, served.box.data)
    assert erase.run(parsed) == 0
    assert not any(path.exists() for path in pages)
    assert served.ask("GET", f"/received/{fax_id}").status == 404
    assert holding(served.box.data, caller.encode()) == set()


@pytest.mark.parametrize("said", ["+4955577001", "+49 555 77001", "tel:+49-555-77001", "0049 (555) 77001"])
def test_a_number_is_erased_in_every_spelling_and_with_digits_behind_it(served: Served, said: str) -> None:
    box, number, now = served.box, "+4955577001", served.box.clock()
    file = box.documents.store_file(b"x", name="x.txt", media_type="text/plain")
    to = (To(number), To(f"{number},,42"), To("+49555770012"))
    jobs = box.faxes.submit(Request("ada", to, (file,), hold=True)).jobs
    for job in jobs:
        box.faxes.cancel(job.id)
    came = [
        box.spool.do(incoming_from, caller, tsi, now)
        for caller, tsi in ((number, ""), ("", "+49 555 77001"), ("", "49555 77001"), ("+49555770012", ""))
    ]
    done = served.ask("POST", "/erasures", {"number": said}).json
    assert (done["faxes"], done["received"]) == (2, 3)
    assert [box.faxes.get(job.id).erased_at is not None for job in jobs] == [True, True, False]
    assert [box.inbox.get(fax, deleted=True).erased_at is not None for fax in came] == [
        True,
        True,
        True,
        False,
    ]
    served.ask("POST", "/erasures", {"number": "+49555770012"})


def incoming_from(tx: Tx, caller: str, tsi: str, now: float) -> int:
    """A received fax without pages."""
    fax = received_rows.begin(tx, uuid4().hex, "trunk", "t38", now, caller=caller)
    received_rows.finish(tx, fax.id, RECEIVED, complete=True, now=now, tsi=tsi)
    return fax.id


def _arguments(what: str, which: str, data: Path) -> Any:
    import argparse

    parser = argparse.ArgumentParser()
    erase.register(parser.add_subparsers())
    return parser.parse_args(["erase", what, which, "--data", str(data)])


def test_a_rule_and_a_user_say_how_long_faxes_are_kept(served: Served) -> None:
    box = served.box
    box.settings.add(User(name="kate", keep_days=2.0))
    box.settings.add(DeliveryRoute(name="short", caller=("+4977",), user="kate", keep_days=1.0, last=True))
    fax_id = received(served, "+49771")
    job_id = sent(served, served.key("kate-key", Scope.SEND, owner="kate"))
    for days, gone in ((0.5, set()), (1.5, {fax_id}), (2.5, {fax_id, job_id})):
        now = box.clock() + days * DAY_S
        late = keeper_of(box, lambda now=now: now, _at(box, now))
        late.delete_expired()
        erased = {row[0] for row in box.spool.read(_erased) if row[0] in (fax_id, job_id)}
        assert erased == gone


def _at(box: Any, now: float) -> Any:
    from dataclasses import replace

    return replace(box.erasure, clock=lambda: now)


def _erased(db: Any) -> list[Any]:
    return [
        *db.execute("SELECT id FROM job WHERE erased_at IS NOT NULL").fetchall(),
        *db.execute("SELECT id FROM received WHERE erased_at IS NOT NULL").fetchall(),
    ]


def test_what_a_crash_left_of_an_erasure_is_destroyed_later(served: Served) -> None:
    from appliance.spool import erasure

    box = served.box
    fax_id = received(served, "+49888")
    (page,) = [box.data / page.path for page in box.inbox.pages(fax_id)]
    box.spool.do(erasure.erase_received, fax_id, box.clock())  # and here the power goes
    assert page.exists()
    box.erasure.due({}, box.clock())
    assert not page.exists()
    assert box.spool.read(erasure.to_shred) == []


def test_counts_kept_by_the_database_are_those_of_its_rows(served: Served) -> None:
    def counted(db: Any) -> tuple[Any, Any]:
        # Sums for the metrics only grow: they are of faxes that may be gone.
        kept = db.execute(
            "SELECT what, state, kind, count FROM tally WHERE count > 0 AND what NOT LIKE 'sum.%'"
        ).fetchall()
        rows = [
            *db.execute(
                "SELECT 'job', state, cause, COUNT(*) FROM job WHERE ended_at IS NOT NULL GROUP BY 2, 3"
            ),
            *db.execute(
                "SELECT 'received', state, '', COUNT(*) FROM received WHERE deleted_at IS NULL GROUP BY 2"
            ),
            *db.execute("SELECT 'outbox', state, kind, COUNT(*) FROM outbox GROUP BY 2, 3"),
        ]
        return {tuple(row) for row in kept}, {tuple(row) for row in rows}

    kept, rows = served.box.spool.read(counted)
    assert kept == rows
