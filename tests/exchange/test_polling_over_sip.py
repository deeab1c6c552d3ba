"""A document on offer, fetched by name over a real SIP trunk whose calls are carried in the exchange."""

from __future__ import annotations

import asyncio
from pathlib import Path

from appliance.box import Box
from appliance.causes import DELIVERED, RECEIVED
from appliance.configuration import open_box
from appliance.dispatch.desk import CallDesk
from appliance.dispatch.polling import OfferedPages, make_offer
from appliance.documents.rendered import RenderedDocument
from appliance.exchange.messages import LineSpec
from appliance.exchange.remote import Exchange, RemoteLine
from appliance.lines.line import Accept, IncomingCall, KeepPackets, OutgoingCall
from appliance.lines.sip.settings import MediaChoice, SipSettings, SipTrunk
from appliance.spool.options import Quality
from appliance.t4.coding import decode
from appliance.t30.conversation import PageDelivered
from appliance.t30.memory import MemoryOwner, MemoryStore
from appliance.t30.parameters import Accepts, CallParameters, CallResult, Progress, Role
from tests.interop.harness import same_pages
from tests.ports import free_port, free_ports

LIMIT_S = 240.0  # only against hanging
MEDIA = 40


class Offering(CallDesk):
    def __init__(self, box: Box, ended: list[CallResult]) -> None:
        super().__init__()
        self._offered = OfferedPages(box, box.polling.by_name())
        self._ended = ended

    def progress(self, line: Progress) -> None:
        self._offered.hear(line)

    def ended(self, result: CallResult) -> None:
        self._ended.append(result)

    async def page(self, ticket: int, number: int, accepts: Accepts) -> PageDelivered:
        return PageDelivered(ticket, *await asyncio.to_thread(self._offered.get, number, accepts))


def test_a_caller_fetches_what_it_names_over_a_trunk(tmp_path: Path) -> None:
    box = open_box(tmp_path / "data")
    for name, text in (("7", "the seventh"), ("42", "the answer")):
        file = box.documents.store_file(text.encode(), name="a.txt", media_type="text/plain")
        make_offer(box, "ada", [file], name=name, quality=Quality.STANDARD)
    port, media = free_port(), free_ports(MEDIA)
    entry = SipTrunk(
        name="loop",
        server=f"127.0.0.1:{port}",
        register=False,
        calls_at_once=4,
        media=MediaChoice.T38_ONLY,
        t38_calling_s=0.5,
        t38_answering_s=0.5,
    )
    sip = SipSettings(bind="127.0.0.1", udp_port=port, media_first=media, media_last=media + MEDIA - 1)
    kept = tmp_path / "packets" / "call.pcap"
    store, ended = MemoryStore(), list[CallResult]()

    async def fetch() -> CallResult:
        def answer(call: IncomingCall) -> Accept:
            parameters = CallParameters(
                Role.ANSWERS, "+49 30 2", offers_pages=True, on_offer=frozenset(box.polling.by_name())
            )
            return Accept(parameters, Offering(box, ended), packets=KeepPackets(kept, always=True))

        exchange = Exchange()
        line = RemoteLine(exchange, LineSpec("loop", entry, sip, tmp_path))
        exchange.start()
        try:
            await line.start(answer)
            while not line.state().usable:
                await asyncio.sleep(0.05)
            wanted = CallParameters(Role.CALLS, "+49 30 1", poll=True, selective_polling="42")
            result = await line.place(OutgoingCall("+49305550100", wanted), MemoryOwner([], store))
            while not ended or not kept.exists():
                await asyncio.sleep(0.05)
            await line.stop()
        finally:
            await exchange.stop()
        return result

    async def within() -> CallResult:
        async with asyncio.timeout(LIMIT_S):
            return await fetch()

    result = asyncio.run(within())
    offer = box.polling.by_name()["42"]
    document = RenderedDocument.open(box.data / offer.rendered_path)
    box.close()
    assert (result.cause, ended[0].cause) == (RECEIVED, DELIVERED)
    assert same_pages([decode(page) for page in document.coded_pages()], store.rasters())
    assert kept.stat().st_size > 1000
