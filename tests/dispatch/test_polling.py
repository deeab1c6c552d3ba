"""Documents on offer: callers get the document that they name, over each kind of line."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.box import Box
from appliance.causes import DELIVERED, RECEIVED
from appliance.configuration import open_box
from appliance.dispatch.dispatcher import Dispatcher
from appliance.dispatch.polling import OfferedPages, make_offer, remove_offer
from appliance.dispatch.pool import ManagedLine
from appliance.documents.options import Straighten
from appliance.documents.render import render
from appliance.documents.rendered import RenderedDocument
from appliance.lines.line import Accept, IncomingCall
from appliance.lines.modem.fax import ModemCall, ModemFax
from appliance.lines.practice.abilities import Abilities
from appliance.spool import offers
from appliance.spool.remembered import NameTakenError, Offer
from appliance.spool.settings import SendingSettings
from appliance.t4.coding import decode
from appliance.t4.page import CodedPage, Raster
from appliance.t30 import causes
from appliance.t30.call import FaxCall
from appliance.t30.conversation import Ended
from appliance.t30.memory import MemoryPages, MemoryStore
from appliance.t30.parameters import Accepts, CallParameters, Progress, ReceivedPage, Role
from tests.daemon.keeping import keeper_of
from tests.dispatch.fake_line import FakeLine
from tests.interop.harness import Setup, run
from tests.softmodem.exchange import Exchange
from tests.softmodem.live import AnsweringDriver
from tests.softmodem.world import Cable, World
from tests.t30.linked import End, MemoryDce, Pages, Wire, faithful, link, owned

TEXTS = {"": "for everybody", "7": "the seventh\fwith a second page", "42": "the answer"}


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    box = open_box(tmp_path / "data")
    for name, text in TEXTS.items():
        offer(box, name, text)
    yield box
    box.close()


def offer(box: Box, name: str, text: str) -> Offer:
    file = box.documents.store_file(text.encode(), name=f"{name or 'open'}.txt", media_type="text/plain")
    return make_offer(box, "ada", [file], name=name)


def pages_of(box: Box, name: str) -> list[Raster]:
    document = RenderedDocument.open(box.data / box.polling.by_name()[name].rendered_path)
    return [decode(page) for page in document.coded_pages()]


def test_photographs_in_an_offered_document_are_straightened_only_where_the_settings_say_so(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def noting(*given: Any, **more: Any) -> RenderedDocument:
        seen.append(given[2].straighten)
        return render(*given, **more)

    monkeypatch.setattr("appliance.dispatch.polling.render", noting)
    offer(box, "1", "as it is set at first")
    box.settings.change(SendingSettings, {"straighten_photographs": False})
    offer(box, "2", "after that")

    assert seen == [Straighten.TAKEN, Straighten.NONE]


class Offered(OfferedPages):
    """What is on offer, for a call in memory."""

    def fetch(self, number: int, accepts: Accepts, deliver: Callable[[CodedPage | None, bool], None]) -> None:
        page, last = self.get(number, accepts)
        deliver(page if isinstance(page, CodedPage) else None, last)


def answering(box: Box, *names: str) -> tuple[CallParameters, Offered]:
    """What a call that comes in is answered with; ``names``: these only."""
    on_offer = {name: box.polling.by_name()[name] for name in names or box.polling.by_name()}
    parameters = CallParameters(Role.ANSWERS, "+49 2", offers_pages=True, on_offer=frozenset(on_offer))
    return parameters, Offered(box, on_offer)


def polling(name: str) -> CallParameters:
    return CallParameters(Role.CALLS, "+49 1", poll=True, selective_polling=name)


def rasters(received: list[ReceivedPage]) -> list[Raster]:
    return [decode(page.page) if isinstance(page.page, CodedPage) else page.page for page in received]


def same(ours: list[Raster], theirs: list[Raster]) -> bool:
    return [(page.width, page.rows, page.data) for page in ours] == [
        (page.width, page.rows, page.data) for page in theirs
    ]


def called(box: Box, name: str, *names: str) -> tuple[End, End]:
    """A call in memory by somebody who asks for ``name``."""
    parameters, pages = answering(box, *names)
    caller, answerer = End(polling(name)), End(parameters)
    answerer.pages = pages  # type: ignore[assignment]
    answerer.progress = Heard(pages)
    link(caller, answerer)
    return caller, answerer


class Heard(list[Progress]):
    """Keeps a call's progress, and passes it on."""

    def __init__(self, pages: OfferedPages) -> None:
        super().__init__()
        self._pages = pages

    def append(self, line: Progress) -> None:
        super().append(line)
        self._pages.hear(line)


@pytest.mark.parametrize("name", list(TEXTS))
def test_a_caller_gets_the_document_that_it_names(box: Box, name: str) -> None:
    caller, answerer = called(box, name)
    assert caller.call.result is not None
    assert answerer.call.result is not None
    assert (caller.call.result.cause, answerer.call.result.cause) == (RECEIVED, DELIVERED)
    assert same(rasters(caller.store.pages), pages_of(box, name))


@pytest.mark.parametrize(("name", "names"), [("8", ()), ("", ("7", "42")), ("7", ("",))])
def test_a_caller_who_names_nothing_that_is_there_gets_nothing(
    box: Box, name: str, names: tuple[str, ...]
) -> None:
    caller, answerer = called(box, name, *names)
    assert answerer.call.result is not None
    assert answerer.call.result.pages_sent == 0
    assert caller.store.pages == []


def test_a_spandsp_machine_fetches_by_name(box: Box, tmp_path: Path) -> None:
    """A foreign machine on the practice line's T.38."""
    parameters, _ = answering(box)
    setup = Setup(
        we_send=True,
        we_call=False,
        pages=pages_of(box, "42"),
        ours=parameters,
        abilities=Abilities(selective_polling="42"),
    )
    outcome = run(setup, tmp_path)
    assert outcome.machine.ok
    assert same(outcome.received, pages_of(box, "42"))
    refused = run(
        Setup(
            we_send=True,
            we_call=False,
            pages=pages_of(box, "42"),
            ours=parameters,
            abilities=Abilities(selective_polling="43"),
        ),
        tmp_path / "again",
    )
    assert refused.result.cause is causes.NOTHING_ON_OFFER


def test_a_document_on_offer_is_polled_over_modems(box: Box) -> None:
    world = World(Exchange())
    parameters, pages = answering(box)
    store = MemoryStore()
    caller = ModemFax(polling("7"), MemoryPages([]), store, ModemCall(number="2"))
    answerer = ModemFax(parameters, pages, MemoryStore(), ModemCall(), progress=pages.hear)
    world.link("1", caller, Cable(split=64, seed=3))
    world.link("2", AnsweringDriver(answerer))
    caller.start(world.now)
    world.run(lambda: caller.result is not None and answerer.result is not None, 200)
    assert same(store.rasters(), pages_of(box, "7"))


def test_the_dispatcher_answers_with_what_is_on_offer_and_counts_who_fetched_it(box: Box) -> None:
    async def scenario() -> None:
        line = FakeLine()
        managed = ManagedLine(line)
        dispatcher = Dispatcher(box, [managed])
        await dispatcher.start()
        answer = dispatcher.reception.take(managed, IncomingCall("fake", "100", "+49301"))
        assert isinstance(answer, Accept)
        store = MemoryStore()
        await _linked_live(polling("7"), store, answer)
        assert same(store.rasters(), pages_of(box, "7"))
        await asyncio.wait(dispatcher.reception.tasks)
        await dispatcher.stop()

    asyncio.run(scenario())
    counted = {each.name: each.polled for each in box.spool.read(offers.every)}
    assert counted == {"": 0, "7": 1, "42": 0}
    told = [event for event in box.history.since(0) if event.kind == "offer.polled"]
    assert [(event.data["name"], event.data["caller"]) for event in told] == [("7", "+49301")]


async def _linked_live(calling: CallParameters, store: MemoryStore, answer: Accept) -> None:
    """A call in memory whose answering end has pages that come from a loop's executor."""
    wire = Wire(faithful, 0.0)
    dces = MemoryDce(wire, "a"), MemoryDce(wire, "b")
    dces[0].peer, dces[1].peer = dces[1], dces[0]
    a = owned(calling, dces[0], Pages(), store)  # type: ignore[arg-type]
    b = FaxCall(answer.parameters, dces[1], answer.owner.say)
    answer.owner.listen(b.answer)
    a.start(0.0)
    b.start(0.0)
    now = 0.0
    while a.result is None or b.result is None:
        await asyncio.sleep(0.02)  # pages come when they come; the call's clock goes on slowly meanwhile
        known = [at for at in (wire.next(), a.next_deadline(), b.next_deadline()) if at is not None]
        now = max(wire.now, min([*known, now + 0.5]))
        wire.run_until(now)
        for call in (a, b):
            call.pump(now)
            if (call.next_deadline() or now + 1) <= now:
                call.handle_timer(now)
    answer.owner.say(Ended(b.result))


def test_a_name_is_one_documents_and_free_again_when_that_is_gone(box: Box) -> None:
    with pytest.raises(NameTakenError):
        offer(box, "7", "another")
    taken = box.polling.by_name()["7"]
    remove_offer(box, taken.id)
    assert "7" not in box.polling.by_name()
    assert not (box.data / taken.rendered_path).exists()
    assert not (box.data / taken.files[0].path).exists()
    assert offer(box, "7", "another").pages == 1


def test_offers_are_there_after_a_restart_and_nothing_sweeps_them_away(box: Box) -> None:
    keeper = keeper_of(box)
    keeper.delete_expired()
    keeper.sweep_orphans(-1.0)
    data = box.data
    box.close()
    again = open_box(data)
    try:
        assert set(again.polling.by_name()) == set(TEXTS)
        assert len(pages_of(again, "7")) == 2
    finally:
        again.close()
