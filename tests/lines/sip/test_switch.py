"""The media switch alone: SDP text and time in, SDP text and orders out."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.lines.sip import causes
from appliance.lines.sip.media_orders import (
    GiveUp,
    LocalMedia,
    MediaRules,
    Reinvite,
    StayOnAudio,
    SwitchOrder,
    UseAudio,
    UseT38,
)
from appliance.lines.sip.retries import GLARE_OTHER_S, GLARE_OWNER_S, MAX_GLARE
from appliance.lines.sip.session import audio_of, audio_offer
from appliance.lines.sip.switch import MediaSwitch, SwitchError
from appliance.lines.sip.switch_media import ASKING_LIMIT_S, SwitchMedia
from appliance.lines.sip.switch_states import SwitchEvent, SwitchState
from appliance.lines.sip.switch_table import TABLE, Handling, SwitchInput
from appliance.t38.sdp import Description, Origin, T38Media, build_offer, image_of, parse_sdp
from appliance.t38.settings import ErrorCorrection, T38Settings

OURS = LocalMedia("192.0.2.1", 4600, 4100, T38Settings(max_datagram=400))
THEIRS = T38Settings(version=2, error_correction=ErrorCorrection.FEC, max_datagram=200)


def make(*, caller: bool = True, **rules: object) -> MediaSwitch:
    return MediaSwitch(
        MediaRules(**rules),
        OURS,
        caller=caller,
        pick=random.Random(1).uniform,  # type: ignore[arg-type]
    )


def audio(port: int = 7000, payloads: tuple[int, ...] = (0, 8)) -> Description:
    return parse_sdp(audio_offer("192.0.2.9", port, payloads, Origin("-", "9", 1, "192.0.2.9")))


def image(port: int = 7100, settings: T38Settings = THEIRS, *, audio_first: bool = False) -> Description:
    media = T38Media("192.0.2.9", port, settings)
    return parse_sdp(build_offer(media, Origin("-", "9", 2, "192.0.2.9"), audio_first=audio_first))


def on_audio(switch: MediaSwitch, now: float = 0.0) -> list[SwitchOrder]:
    """A call of ours up to the confirmed audio."""
    switch.offer()
    switch.answered(audio(), now)
    switch.connected(now)
    return switch.take_orders()


def test_call_starts_with_g711_alone_and_uses_what_the_peer_prefers() -> None:
    switch = make()
    offered = audio_of(parse_sdp(switch.offer()))
    assert offered is not None
    assert offered.payloads == (8, 0)
    switch.answered(audio(payloads=(0,)), 0.0)
    assert switch.take_orders() == []  # not before the call is confirmed
    switch.connected(1.0)
    assert switch.take_orders() == [UseAudio(("192.0.2.9", 7000), 0)]


def test_peer_asks_for_t38_and_gets_it() -> None:
    switch = make()
    on_audio(switch)
    answer = switch.answer(image(), 2.0)
    assert answer is not None
    media = image_of(parse_sdp(answer))
    assert media is not None
    assert (media.address, media.port) == ("192.0.2.1", 4100)
    assert media.settings.error_correction is ErrorCorrection.FEC  # the offerer's
    [order] = switch.take_orders()
    assert isinstance(order, UseT38)
    assert order.remote == ("192.0.2.9", 7100)
    assert order.settings.max_datagram == 200  # the peer's limit binds what we send


def test_audio_with_port_zero_beside_the_image_is_refused_and_the_image_taken() -> None:
    switch = make()
    on_audio(switch)
    answer = parse_sdp(switch.answer(image(audio_first=True), 2.0) or "")
    assert [(m.kind, m.port) for m in answer.media] == [("audio", 0), ("image", 4100)]


def test_first_offer_with_image_alone_is_t38_at_once() -> None:
    switch = make(caller=False)
    assert switch.answer(image(), 0.0) is not None
    switch.connected(0.1)
    [order] = switch.take_orders()
    assert isinstance(order, UseT38)


def test_first_offer_without_anything_we_know_is_refused() -> None:
    switch = make(caller=False)
    assert switch.answer(parse_sdp("v=0\r\nm=video 5 RTP/AVP 31\r\n"), 0.0) is None
    assert switch.state is SwitchState.NEW


def test_we_ask_after_the_owners_time() -> None:
    switch = make(ask_after_s=4.0)
    on_audio(switch)
    switch.handle_timer(3.9)
    assert switch.take_orders() == []
    assert switch.next_deadline() == 4.0
    switch.handle_timer(4.0)
    assert switch.take_orders() == [Reinvite()]
    offer = parse_sdp(switch.offer())
    assert [m.kind for m in offer.media] == ["image"]
    switch.answered(image(), 4.2)
    assert isinstance(switch.take_orders()[0], UseT38)
    assert switch.state is SwitchState.T38


def test_we_ask_at_once_when_a_fax_is_heard_and_never_when_told_not_to() -> None:
    switch = make(ask_after_s=60.0)
    on_audio(switch)
    switch.ask_now(1.0)
    assert switch.take_orders() == [Reinvite()]
    silent = make(ask_after_s=None, wait_for_peer_s=9.0)
    on_audio(silent)
    silent.ask_now(1.0)
    silent.handle_timer(9.0)
    assert silent.take_orders() == [StayOnAudio(0)]


def test_offer_may_keep_the_audio_line() -> None:
    switch = make(ask_after_s=0.0, keep_audio_line=True)
    on_audio(switch)
    switch.handle_timer(0.0)
    assert [(m.kind, m.port != 0) for m in parse_sdp(switch.offer()).media] == [
        ("audio", False),
        ("image", True),
    ]


@pytest.mark.parametrize("code", [403, 405, 406, 415, 420, 488, 500, 501, 503, 606])
def test_refusal_leaves_the_call_on_audio(code: int) -> None:
    switch = make(ask_after_s=0.0)
    on_audio(switch)
    switch.handle_timer(0.0)
    switch.refused(code, None, 1.0)
    assert switch.take_orders() == [Reinvite(), StayOnAudio(code)]
    switch.ask_now(2.0)  # once is enough
    assert switch.take_orders() == []
    assert switch.answer(image(), 3.0) is not None  # but the peer may still change its mind


def test_refusal_ends_the_call_where_audio_may_not_be_used() -> None:
    switch = make(ask_after_s=0.0, g711=False)
    on_audio(switch)
    switch.handle_timer(0.0)
    switch.refused(488, None, 1.0)
    assert switch.take_orders()[-1] == GiveUp(causes.SIP_T38_REFUSED)


@pytest.mark.parametrize(("caller", "bounds"), [(True, GLARE_OWNER_S), (False, GLARE_OTHER_S)])
def test_glare_waits_as_rfc_3261_says_and_asks_again(caller: bool, bounds: tuple[float, float]) -> None:
    seen = []
    for seed in range(30):
        switch = MediaSwitch(
            MediaRules(ask_after_s=0.0), OURS, caller=caller, pick=random.Random(seed).uniform
        )
        if caller:
            on_audio(switch)
        else:
            switch.answer(audio(), 0.0)
            switch.connected(0.0)
            switch.take_orders()
        switch.handle_timer(0.0)
        switch.refused(491, None, 10.0)
        assert switch.take_orders() == [Reinvite()]
        deadline = switch.next_deadline()
        assert deadline is not None
        wait = deadline - 10.0
        assert bounds[0] - 1e-6 <= wait <= bounds[1] + 1e-6
        assert abs(wait * 100 - round(wait * 100)) < 1e-6  # units of 10 ms
        seen.append(wait)
        switch.handle_timer(deadline)
        assert switch.take_orders() == [Reinvite()]
    assert len(set(seen)) > 10


def test_glare_without_end_is_left_to_the_peer() -> None:
    switch = make(ask_after_s=0.0)
    on_audio(switch)
    now = 0.0
    for _ in range(MAX_GLARE + 1):
        switch.handle_timer(now)
        switch.refused(491, None, now)
        now = switch.next_deadline() or now
    assert switch.take_orders()[-1] == StayOnAudio(491)


def test_peer_wins_the_glare() -> None:
    switch = make(ask_after_s=0.0)
    on_audio(switch)
    switch.handle_timer(0.0)
    switch.refused(491, None, 0.0)
    switch.take_orders()
    assert switch.answer(image(), 0.5) is not None
    assert switch.next_deadline() is None
    assert isinstance(switch.take_orders()[0], UseT38)


def test_500_with_retry_after_is_tried_again() -> None:
    switch = make(ask_after_s=0.0)
    on_audio(switch)
    switch.handle_timer(0.0)
    switch.refused(500, 3.0, 1.0)
    assert switch.next_deadline() == 4.0


def test_reinvite_without_any_answer_is_given_up() -> None:
    switch = make(ask_after_s=0.0)
    on_audio(switch)
    switch.handle_timer(0.0)
    switch.handle_timer(ASKING_LIMIT_S)
    assert switch.take_orders()[-1] == StayOnAudio(408)


def test_answer_that_switches_the_image_off_is_a_refusal() -> None:
    switch = make(ask_after_s=0.0)
    on_audio(switch)
    switch.handle_timer(0.0)
    switch.offer()
    switch.answered(parse_sdp("v=0\r\nc=IN IP4 192.0.2.9\r\nm=image 0 udptl t38\r\n"), 1.0)
    assert switch.take_orders()[-1] == StayOnAudio(488)


def test_refresh_in_t38_gets_the_identical_sdp_both_ways() -> None:
    switch = make()
    on_audio(switch)
    first = switch.answer(image(), 2.0)
    switch.take_orders()
    assert switch.answer(image(), 45.0) == first
    assert switch.offer() == first  # a refresh of ours
    assert switch.take_orders() == []  # media go on untouched


def test_our_own_t38_offer_is_what_our_refresh_repeats() -> None:
    switch = make(ask_after_s=0.0)
    on_audio(switch)
    switch.handle_timer(0.0)
    offered = switch.offer()
    switch.answered(image(), 1.0)
    assert switch.offer() == offered


def test_changed_address_in_a_refresh_is_followed() -> None:
    switch = make()
    on_audio(switch)
    switch.answer(image(7100), 2.0)
    switch.take_orders()
    switch.answer(image(7200), 45.0)
    [order] = switch.take_orders()
    assert isinstance(order, UseT38)
    assert order.remote == ("192.0.2.9", 7200)


def test_page_under_way_in_audio_refuses_a_switch_but_not_a_refresh() -> None:
    switch = make()
    on_audio(switch)
    switch.page_in_audio()
    assert switch.answer(image(), 20.0) is None
    assert switch.answer(audio(), 21.0) is not None
    assert switch.next_deadline() is None


def test_g711_only_takes_no_t38() -> None:
    switch = make(t38=False)
    assert on_audio(switch)[-1] == StayOnAudio(0)
    assert switch.answer(image(), 2.0) is None


def test_version_counts_up_only_when_something_changed() -> None:
    switch = make(caller=False)
    versions = []
    for offer in (audio(), audio(), image(), image(), audio()):
        text = switch.answer(offer, 0.0)
        assert text is not None
        origin = parse_sdp(text).origin
        assert origin is not None
        versions.append(origin.version)
        switch.connected(0.0)
    assert versions == [1, 1, 2, 2, 3]


def test_event_that_cannot_happen_is_our_bug_and_changes_nothing() -> None:
    switch = make()
    with pytest.raises(SwitchError, match="answer in state new"):
        switch.answered(audio(), 0.0)
    assert switch.state is SwitchState.NEW


def test_an_event_after_the_end_is_no_bug() -> None:
    assert all((SwitchState.OVER, event) in TABLE for event in SwitchEvent)


@pytest.fixture(autouse=True, scope="module")
def _every_handler_leads_where_the_table_says() -> Iterator[None]:
    """All tests of this file run with handlers that look where they have led."""

    def watched(handling: Handling) -> Handling:
        def act(media: SwitchMedia, data: SwitchInput) -> None:
            before = media.state
            handling.act(media, data)
            assert media.state in {before, *handling.to}

        return Handling(act, handling.to)

    with pytest.MonkeyPatch.context() as patch:
        for row, handling in TABLE.items():
            patch.setitem(TABLE, row, watched(handling))
        yield


def test_rules_need_one_kind_of_media() -> None:
    with pytest.raises(ValueError, match=r"T\.38 or G\.711"):
        MediaRules(t38=False, g711=False)


@pytest.mark.parametrize("t38", [True, False])
def test_while_digits_are_dialled_there_is_no_fax(t38: bool) -> None:
    switch = make(dials_on=True, ask_after_s=4.0, t38=t38)
    assert on_audio(switch) == [UseAudio(("192.0.2.9", 7000), 0)]
    switch.ask_now(1.0)
    assert switch.has_to_wait(image()) is t38
    assert switch.answer(image(), 2.0) is None
    assert switch.next_deadline() is None
    assert switch.take_orders() == []
    switch.dialled_on(60.0)
    assert switch.take_orders() == ([] if t38 else [StayOnAudio(0)])
    assert switch.next_deadline() == (64.0 if t38 else None)
    assert not switch.has_to_wait(image())
    assert (switch.answer(image(), 61.0) is not None) is t38


LINES = st.sampled_from(
    [
        "m=audio 7000 RTP/AVP 8 0",
        "m=audio 0 RTP/AVP 0",
        "m=image 7100 udptl t38",
        "m=image 0 udptl t38",
        "m=image 7100 UDPTL T38",
        "m=image 99999 udptl t38",
        "m=video 7300 RTP/AVP 96",
        "m=text 7400 RTP/AVP 98",
        "c=IN IP4 192.0.2.9",
        "c=IN IP4 0.0.0.0",
        "c=IN IP6 2001:db8::1",
        "a=T38FaxUdpEC:t38UDPFEC",
        "a=T38FaxMaxDatagram:-1",
        "a=T38FaxVersion:" + "9" * 40,
        "a=sendonly",
        "a=" + "x" * 300,
    ]
)


@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(
                ["offer", "answer", "answered", "refused", "ask", "timer", "connected", "dialled"]
            ),
            st.lists(LINES, max_size=5),
            st.floats(0.0, 40.0),
        ),
        max_size=12,
    ),
    caller=st.booleans(),
    g711=st.booleans(),
    dials_on=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_no_sequence_of_peers_breaks_the_switch(
    steps: list[tuple[str, list[str], float]], caller: bool, g711: bool, dials_on: bool
) -> None:
    """Whatever a peer offers and answers, in whatever order: SDP with the offer's lines, or nothing."""
    switch = make(caller=caller, g711=g711, dials_on=dials_on)
    now = 0.0
    for step, lines, later in steps:
        now += later
        try:
            heard = parse_sdp("v=0\r\nc=IN IP4 192.0.2.8\r\n" + "".join(f"{line}\r\n" for line in lines))
        except ValueError:
            heard = Description(None, ())
        try:
            match step:
                case "offer":
                    assert parse_sdp(switch.offer()).media
                case "answer":
                    text = switch.answer(heard, now)
                    if text is not None:
                        answered = parse_sdp(text)
                        assert [m.kind for m in answered.media] == [m.kind for m in heard.media]
                        assert sum(m.port != 0 for m in answered.media) == 1
                case "answered":
                    switch.answered(heard, now)
                case "refused":
                    switch.refused(491, None, now)
                case "ask":
                    switch.ask_now(now)
                case "timer":
                    switch.handle_timer(now)
                case "dialled":
                    switch.dialled_on(now)
                case "connected":
                    switch.connected(now)
        except SwitchError:
            continue  # an order of events that SIP does not have
        for order in switch.take_orders():
            assert isinstance(order, Reinvite | UseAudio | UseT38 | StayOnAudio | GiveUp)
