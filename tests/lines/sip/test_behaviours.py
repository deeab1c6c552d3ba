"""Each way a SIP far end may behave, played by sipp against the real stack, all calls at the same time.

Every scenario must end in the right cause with sipp content (it checks each message that we send), and
when all are over no call, port, thread or file may be left.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from appliance import causes
from appliance.lines.causes import BUSY, LINE_STOPPED, NO_ANSWER, NUMBER_NOT_IN_SERVICE
from appliance.lines.line import LineState, Refuse
from appliance.lines.sip.call_media import MediaFacts
from appliance.lines.sip.causes import (
    SIP_ANONYMOUS_REFUSED,
    SIP_DECLINED,
    SIP_FAILED,
    SIP_FORBIDDEN,
    SIP_HUNG_UP_EARLY,
    SIP_MEDIA_REFUSED,
    SIP_NO_PROGRESS,
    SIP_NO_REPLY,
    SIP_OVERLOADED,
    SIP_REDIRECTED,
    SIP_T38_REFUSED,
    SIP_UNAVAILABLE,
    SIP_UNREACHABLE,
    SIP_WRONG_PASSWORD,
)
from appliance.lines.sip.settings import MediaChoice
from appliance.t30.parameters import CallResult, Progress
from tests.lines.g711.far_end import page, tiff_of
from tests.lines.sip.media import AudioFar, T38Far
from tests.lines.sip.rig import Box, Footprint, Outcome, Switch, WatchedLine, send
from tests.lines.sip.sipp import (
    Sipp,
    Step,
    audio,
    called,
    caller_request,
    calling,
    expect,
    expect_status,
    image,
    needs_sipp,
    pause,
    request,
    respond,
    sdp,
)
from tests.ports import free_port
from tests.softmodem.stations import FaxMachine

SWEEP = os.environ.get("FAXBOX_SWEEP") == "1"

pytestmark = [
    pytest.mark.realtime,
    needs_sipp,
]


@dataclass
class Ran:
    """What a scenario left to look at."""

    outcome: Outcome
    sipp: str = ""  # empty when every step went as written
    far: object = None
    messages: str = ""
    facts: MediaFacts = field(default_factory=MediaFacts)  # of a call of ours


@dataclass
class Stage:
    """The common ground of all scenarios."""

    folder: Path
    box: Box
    ran: dict[str, Ran] = field(default_factory=dict)

    async def called(self, name: str, *steps: Step, **settings: object) -> tuple[Sipp, WatchedLine]:
        """A sipp that we call, and the line to it."""
        sipp = Sipp(self.folder, name, called(*steps), free_port())
        await sipp.start()
        line = await self.box.line(name, f"127.0.0.1:{sipp.port}", **settings)
        return sipp, line

    async def we_call(
        self,
        name: str,
        *steps: Step,
        far: T38Far | AudioFar | None = None,
        call: dict | None = None,
        **settings: object,
    ) -> None:
        if far is not None:
            far.start()
        sipp, line = await self.called(name, *steps, **settings)
        outcome = await send(line, **(call or {}))  # type: ignore[arg-type]
        words, facts = await sipp.finish(), line.last_facts
        await line.stop()
        self.ran[name] = Ran(outcome, words, await far.finish() if far else None, sipp.messages(), facts)

    async def they_call(
        self, name: str, user: str, *steps: Step, far: T38Far | AudioFar | None = None, answered: bool = True
    ) -> None:
        """A sipp that calls us; ``answered`` waits for the end of the fax."""
        if far is not None:
            far.start()
        sipp = Sipp(self.folder, name, calling(*steps), free_port(), f"127.0.0.1:{self.box.port}")
        await sipp.start()
        words = await sipp.finish()
        outcome = NEVER
        with contextlib.suppress(TimeoutError):  # what sipp says tells why
            if answered:
                outcome = await asyncio.wait_for(self.box.expected(user), 60)
        self.ran[name] = Ran(outcome, words, await far.finish() if far else None, sipp.messages())


NEVER = Outcome(CallResult(LINE_STOPPED), [], 0.0)

Scenario = Callable[[Stage], Awaitable[None]]
_SCENARIOS: dict[str, Scenario] = {}


def scenario(function: Scenario) -> Scenario:
    _SCENARIOS[function.__name__] = function
    return function


def scenario_of_sweep(function: Scenario) -> Scenario:
    """One that takes more than a minute: only with FAXBOX_SWEEP=1."""
    return scenario(function) if SWEEP else function


# The usual beginning and end of a call that sipp answers.
def answer(port: int = 6000) -> list[Step]:
    return [
        expect("INVITE", save=True),
        respond(180),
        respond(200, "OK", sdp(audio(port))),
        expect("ACK"),
    ]


def switch(body: str, cseq: int = 101) -> list[Step]:
    return [
        request("INVITE", cseq, body),
        expect_status(100, optional=True),
        expect_status(200),
        request("ACK", cseq),
    ]


# INVITEs that pjproject sends before it believes a proxy: one without credentials and
# PJSIP_MAX_STALE_COUNT with.
WRONG_PASSWORD_ROUNDS = 4
BYE = [expect("BYE"), respond(200, "OK", tag=False)]


# -- the media switch ----------------------------------------------------------------------------


@scenario
async def image_only_reinvite(stage: Stage) -> None:
    far = T38Far(receive=stage.folder / "image_only.tif")
    await stage.we_call(
        "image_only_reinvite", *answer(), pause(300), *switch(sdp(image(far.port), version=2)), *BYE, far=far
    )


@scenario
async def audio_zero_and_image(stage: Stage) -> None:
    far = T38Far(receive=stage.folder / "audio_zero.tif")
    body = sdp(audio(0), image(far.port), version=2)
    await stage.we_call("audio_zero_and_image", *answer(), pause(300), *switch(body), *BYE, far=far)


@scenario
async def reinvite_twice(stage: Stage) -> None:
    far = T38Far(receive=stage.folder / "twice.tif")
    body = sdp(image(far.port), version=2)
    await stage.we_call(
        "reinvite_twice",
        *answer(),
        pause(300),
        *switch(body, 101),
        pause(2000),
        *switch(body, 102),
        *BYE,
        far=far,
    )


@scenario
async def early_media(stage: Stage) -> None:
    far = T38Far(receive=stage.folder / "early.tif")
    await stage.we_call(
        "early_media",
        expect("INVITE", save=True),
        respond(183, "Session Progress", sdp(audio())),
        pause(500),
        respond(200, "OK", sdp(audio())),
        expect("ACK"),
        pause(300),
        *switch(sdp(image(far.port), version=2)),
        *BYE,
        far=far,
    )


def early_media_of_no_use(name: str, body: str) -> Scenario:
    async def run(stage: Stage) -> None:
        far = T38Far(receive=stage.folder / f"{name}.tif")
        await stage.we_call(
            name,
            expect("INVITE", save=True),
            respond(183, "Session Progress", body),
            pause(500),
            *answer()[2:],
            pause(300),
            *switch(sdp(image(far.port), version=2)),
            *BYE,
            far=far,
        )

    run.__name__ = name
    return run


for _name, _body in (
    ("early_media_as_t38", sdp(image(6004))),
    ("early_media_in_g729", sdp("m=audio 6000 RTP/AVP 18\r\na=rtpmap:18 G729/8000\r\n")),
    ("early_rubbish", "v=0\r\nrubbish\r\n"),
):
    scenario(early_media_of_no_use(_name, _body))


@scenario
async def we_ask_for_t38(stage: Stage) -> None:
    far = T38Far(receive=stage.folder / "we_ask.tif")
    await stage.we_call(
        "we_ask_for_t38",
        *answer(),
        expect("INVITE"),
        respond(200, "OK", sdp(image(far.port)), tag=False),
        expect("ACK"),
        *BYE,
        far=far,
        t38_calling_s=0.5,
    )


@scenario
async def glare(stage: Stage) -> None:
    """Both ask at once: both get 491; we wait and ask again."""
    far = T38Far(receive=stage.folder / "glare.tif")
    await stage.we_call(
        "glare",
        *answer(),
        expect("INVITE"),
        respond(491, "Request Pending", tag=False),
        expect("ACK"),
        expect("INVITE"),
        respond(200, "OK", sdp(image(far.port)), tag=False),
        expect("ACK"),
        *BYE,
        far=far,
        t38_calling_s=0.5,
    )


@scenario
async def glare_and_peer_asks(stage: Stage) -> None:
    """After 491 the peer asks first, while we still wait."""
    far = T38Far(receive=stage.folder / "glare2.tif")
    await stage.we_call(
        "glare_and_peer_asks",
        *answer(),
        expect("INVITE"),
        respond(491, "Request Pending", tag=False),
        expect("ACK"),
        pause(200),
        *switch(sdp(image(far.port), version=2)),
        *BYE,
        far=far,
        t38_calling_s=0.5,
    )


@scenario
async def refused_488(stage: Stage) -> None:
    """T.38 is refused: the fax goes on as tones in the audio of the same call."""
    machine = FaxMachine(receive=stage.folder / "tones.tif")
    far = AudioFar(machine, 8)
    await stage.we_call(
        "refused_488",
        *answer(far.port),
        expect("INVITE"),
        respond(488, "Not Acceptable Here", tag=False),
        expect("ACK"),
        *BYE,
        far=far,
        t38_calling_s=0.5,
    )


def refused_with(code: int) -> Scenario:
    async def run(stage: Stage) -> None:
        await stage.we_call(
            f"refused_{code}",
            *answer(),
            expect("INVITE"),
            respond(code, tag=False),
            expect("ACK"),
            *BYE,
            t38_calling_s=0.3,
            media=MediaChoice.T38_ONLY,
        )

    run.__name__ = f"refused_{code}"
    return run


for _code in (415, 606):
    scenario(refused_with(_code))


@scenario
async def refresh_by_reinvite(stage: Stage) -> None:
    far = T38Far(receive=stage.folder / "refresh.tif")
    body = sdp(image(far.port), version=2)
    await stage.we_call(
        "refresh_by_reinvite",
        *answer(),
        pause(300),
        *switch(body, 101),
        pause(13000),
        *switch(body, 102),
        *BYE,
        far=far,
        call={"pages": [page(200)]},
    )


@scenario
async def refresh_by_update(stage: Stage) -> None:
    far = T38Far(receive=stage.folder / "update.tif")
    body = sdp(image(far.port), version=2)
    await stage.we_call(
        "refresh_by_update",
        *answer(),
        pause(300),
        *switch(body, 101),
        pause(13000),
        request("UPDATE", 102, body),
        expect_status(200),
        *BYE,
        far=far,
        call={"pages": [page(200)]},
    )


TIMER = "Session-Expires: 90;refresher=uac\nRequire: timer\nSupported: timer\n"


async def _our_timer(stage: Stage, name: str, allow: str, *refresh: Step, far: T38Far) -> None:
    await stage.we_call(
        name,
        expect("INVITE", save=True),
        respond(200, "OK", sdp(audio()), extra=TIMER + allow),
        expect("ACK"),
        expect("INVITE"),
        respond(200, "OK", sdp(image(far.port), version=2), tag=False, extra=TIMER + allow),
        expect("ACK"),
        *refresh,
        *BYE,
        far=far,
        call={"pages": [page(700)]},
        session_s=90,
        t38_calling_s=0.5,
    )


@scenario
async def our_timer_refreshes_by_update(stage: Stage) -> None:
    """A session timer of 90 s in a fax of more than 45: we refresh with UPDATE, as the peer takes it."""
    far = T38Far(receive=stage.folder / "timer_update.tif")
    refresh = [expect("UPDATE"), respond(200, "OK", tag=False, extra=TIMER)]
    name = "our_timer_refreshes_by_update"
    await _our_timer(stage, name, "Allow: INVITE, ACK, BYE, CANCEL, UPDATE\n", *refresh, far=far)


@scenario
async def our_timer_refreshes_by_reinvite(stage: Stage) -> None:
    """The same with a peer that knows no UPDATE: a re-INVITE with the identical image SDP."""
    far = T38Far(receive=stage.folder / "timer_reinvite.tif")
    body = sdp(image(far.port), version=2)
    refresh = [expect("INVITE"), respond(200, "OK", body, tag=False, extra=TIMER), expect("ACK")]
    name = "our_timer_refreshes_by_reinvite"
    await _our_timer(stage, name, "Allow: INVITE, ACK, BYE, CANCEL\n", *refresh, far=far)


@scenario_of_sweep
async def their_timer_fails(stage: Stage) -> None:
    """The peer is to refresh and does not, or its refresh is lost: we do, or the stack would end the fax."""
    far = T38Far(receive=stage.folder / "timer_fails.tif")
    body, theirs = sdp(image(far.port), version=2), TIMER.replace("uac", "uas")
    await stage.we_call(
        "their_timer_fails",
        expect("INVITE", save=True),
        respond(200, "OK", sdp(audio()), extra=theirs),
        expect("ACK"),
        expect("INVITE"),
        respond(200, "OK", body, tag=False, extra=theirs),
        expect("ACK"),
        expect("INVITE"),
        respond(200, "OK", body, tag=False, extra=theirs),
        expect("ACK"),
        *BYE,
        far=far,
        call={"pages": [page(1200)]},
        session_s=90,
        t38_calling_s=0.5,
    )


@scenario_of_sweep
async def their_timer_refreshes(stage: Stage) -> None:
    """The peer refreshes every 20 s of a long fax, by re-INVITE and by UPDATE."""
    far = T38Far(receive=stage.folder / "their_timer.tif")
    body = sdp(image(far.port), version=2)
    await stage.we_call(
        "their_timer_refreshes",
        expect("INVITE", save=True),
        respond(200, "OK", sdp(audio()), extra=TIMER.replace("uac", "uas")),
        expect("ACK"),
        pause(300),
        *switch(body),
        pause(18000),
        *switch(body, 102),
        pause(18000),
        request("UPDATE", 103, body, extra=TIMER.replace("uac", "uas")),
        expect_status(200),
        *BYE,
        far=far,
        call={"pages": [page(700)]},
        session_s=90,
    )


@scenario
async def garbage_in_reinvite(stage: Stage) -> None:
    """Rubbish instead of an offer is refused, and the call goes on."""
    far = T38Far(receive=stage.folder / "garbage.tif")
    await stage.we_call(
        "garbage_in_reinvite",
        *answer(),
        pause(200),
        request("INVITE", 101, "v=0\r\nm=nothing at all\r\nc=\r\n"),
        expect_status(100, optional=True),
        expect_status(415),
        request("ACK", 101),
        pause(200),
        *switch(sdp(image(far.port), version=2), 102),
        *BYE,
        far=far,
    )


# -- calls that do not come about ----------------------------------------------------------------


def refusal(name: str, code: int, extra: str = "") -> None:
    async def run(stage: Stage) -> None:
        await stage.we_call(
            name, expect("INVITE", save=True), respond(code, "No", extra=extra), expect("ACK")
        )

    _SCENARIOS[name] = run


refusal("busy", 486)
refusal("busy_everywhere", 600)
refusal("forbidden", 403)
refusal("not_found", 404)
refusal("unavailable", 480)
refusal("overloaded", 503)
refusal("moved", 301, "Contact: <sip:elsewhere@127.0.0.1:9>\n")
refusal("declined", 603)
refusal("media_refused", 488)
refusal("server_fault", 500)


@scenario
async def overloaded_and_rests(stage: Stage) -> None:
    sipp, line = await stage.called(
        "overloaded_and_rests",
        expect("INVITE", save=True),
        respond(503, "Service Unavailable", extra="Retry-After: 30\n"),
        expect("ACK"),
    )
    outcome = await send(line)
    stage.ran["overloaded_and_rests"] = Ran(outcome, await sipp.finish(), line.state())
    await line.stop()


@scenario
async def no_answer(stage: Stage) -> None:
    await stage.we_call(
        "no_answer",
        expect("INVITE", save=True),
        respond(180),
        expect("CANCEL"),
        respond(200, "OK", tag=False),
        pause(50),
        call={"ring_s": 2.0},
    )


@scenario
async def trying_and_nothing(stage: Stage) -> None:
    """It takes the call over and never says more: not the whole time that a number may ring is lost."""
    await stage.we_call(
        "trying_and_nothing",
        expect("INVITE", save=True),
        respond(100, tag=False),
        expect("CANCEL"),
        respond(200, "OK", tag=False),
        pause(50),
        call={"ring_s": 180.0},
    )


@scenario
async def rings_and_times_out(stage: Stage) -> None:
    await stage.we_call(
        "rings_and_times_out", expect("INVITE", save=True), respond(180), respond(408), expect("ACK")
    )


@scenario
async def wrong_password(stage: Stage) -> None:
    """The proxy never takes the password; the stack gives up after a few new nonces."""
    rounds: list[Step] = []
    for number in range(WRONG_PASSWORD_ROUNDS):
        challenge = f'Proxy-Authenticate: Digest realm="sipp", nonce="nonce{number}", algorithm=MD5\n'
        rounds += [expect("INVITE"), respond(407, extra=challenge), expect("ACK")]
    await stage.we_call("wrong_password", *rounds, username="box", password="wrong", register=False)


@scenario
async def garbage_in_answer(stage: Stage) -> None:
    await stage.we_call(
        "garbage_in_answer",
        expect("INVITE", save=True),
        respond(200, "OK", "v=0\r\nrubbish\r\n"),
        expect("ACK"),
        *BYE,
    )


@scenario
async def nobody_there(stage: Stage) -> None:
    line = await stage.box.line("nobody_there", f"127.0.0.1:{free_port()}")
    stage.ran["nobody_there"] = Ran(await send(line, ring_s=4.0))


# -- ends in the middle --------------------------------------------------------------------------


@scenario
async def bye_in_mid_page(stage: Stage) -> None:
    far = T38Far(receive=stage.folder / "bye.tif")
    await stage.we_call(
        "bye_in_mid_page",
        *answer(),
        pause(300),
        *switch(sdp(image(far.port), version=2)),
        pause(11000),
        request("BYE", 102),
        expect_status(200),
        far=far,
        call={"pages": [page(2000)]},
    )


@scenario
async def bye_at_once(stage: Stage) -> None:
    await stage.we_call("bye_at_once", *answer(), request("BYE", 101), expect_status(200))


def bye_with(name: str, q850: int) -> Scenario:
    """The network answers, and says in its BYE what became of the call (RFC 3326)."""
    reason = f"Reason: Q.850;cause={q850}\n"

    async def run(stage: Stage) -> None:
        await stage.we_call(name, *answer(), request("BYE", 101, extra=reason), expect_status(200))

    return run


for _name, _q850 in (
    ("bye_of_an_unallocated_number", 1),
    ("bye_of_a_busy_number", 17),
    ("bye_of_a_full_network", 34),
):
    _SCENARIOS[_name] = bye_with(_name, _q850)


@scenario
async def anonymous_calls_are_refused(stage: Stage) -> None:
    steps = [expect("INVITE", save=True), respond(433, "Anonymity Disallowed"), expect("ACK")]
    await stage.we_call("anonymous_calls_are_refused", *steps)


@scenario
async def bye_while_we_ask(stage: Stage) -> None:
    await stage.we_call(
        "bye_while_we_ask",
        *answer(),
        expect("INVITE"),
        request("BYE", 101),
        expect_status(200),
        t38_calling_s=0.3,
    )


def cancelling(event: str, after_s: float, **fields: object) -> dict[str, object]:
    """A call that its owner cancels some time after ``event`` (with these fields)."""
    cancel, loop = Switch(), asyncio.get_running_loop()

    def watch(progress: Progress) -> None:
        if progress.event == event and fields.items() <= dict(progress.fields).items():
            loop.call_soon_threadsafe(loop.call_later, after_s, cancel.pull)

    return {"cancel": cancel, "watch": watch}


@scenario
async def cancelled_by_owner(stage: Stage) -> None:
    far = T38Far(receive=stage.folder / "cancel.tif")
    await stage.we_call(
        "cancelled_by_owner",
        *answer(),
        pause(300),
        *switch(sdp(image(far.port), version=2)),
        *BYE,
        far=far,
        call={"pages": [page(2000)], **cancelling("media", 8.0, kind="t38")},
    )


@scenario
async def cancelled_while_ringing(stage: Stage) -> None:
    await stage.we_call(
        "cancelled_while_ringing",
        expect("INVITE", save=True),
        respond(180),
        expect("CANCEL"),
        respond(200, "OK", tag=False),
        pause(50),
        call=cancelling("ringing", 1.0),
    )


# -- calls to us -----------------------------------------------------------------------------------

ANSWERED = [expect_status(100, optional=True), expect_status(200, save=True)]


def invite(body: str, user: str, *, extra: str = "") -> Step:
    return caller_request("INVITE", 1, body, first=True, user=user, extra=extra)


@scenario
async def image_only_first_invite(stage: Stage) -> None:
    user = "5550101"
    far = T38Far(calls=True, send=tiff_of(stage.folder, [page(60)], "image_first"))
    await stage.they_call(
        "image_only_first_invite",
        user,
        invite(sdp(image(far.port)), user),
        *ANSWERED,
        caller_request("ACK", 1, user=user),
        *BYE,
        far=far,
    )


@scenario
async def image_first_audio_second(stage: Stage) -> None:
    user = "5550102"
    far = T38Far(calls=True, send=tiff_of(stage.folder, [page(60)], "image_audio"))
    await stage.they_call(
        "image_first_audio_second",
        user,
        invite(sdp(image(far.port), audio()), user),
        *ANSWERED,
        caller_request("ACK", 1, user=user),
        *BYE,
        far=far,
    )


@scenario
async def caller_asks_for_t38(stage: Stage) -> None:
    user = "5550103"
    far = T38Far(calls=True, send=tiff_of(stage.folder, [page(60)], "caller_asks"))
    await stage.they_call(
        "caller_asks_for_t38",
        user,
        invite(sdp(audio()), user),
        *ANSWERED,
        caller_request("ACK", 1, user=user),
        pause(300),
        caller_request("INVITE", 2, sdp(image(far.port), version=2), user=user),
        *ANSWERED,
        caller_request("ACK", 2, user=user),
        *BYE,
        far=far,
    )


@scenario
async def we_ask_the_caller(stage: Stage) -> None:
    user = "5550104"
    far = T38Far(calls=True, send=tiff_of(stage.folder, [page(60)], "we_ask_caller"))
    await stage.they_call(
        "we_ask_the_caller",
        user,
        invite(sdp(audio()), user),
        *ANSWERED,
        caller_request("ACK", 1, user=user),
        expect("INVITE"),
        respond(200, "OK", sdp(image(far.port)), tag=False),
        expect("ACK"),
        *BYE,
        far=far,
    )


@scenario
async def delayed_offer(stage: Stage) -> None:
    """An INVITE without SDP: our 200 makes the offer, the ACK answers it."""
    user = "5550105"
    far = T38Far(calls=True, send=tiff_of(stage.folder, [page(60)], "delayed"))
    await stage.they_call(
        "delayed_offer",
        user,
        invite("", user),
        *ANSWERED,
        caller_request("ACK", 1, sdp(audio()), user=user),
        expect("INVITE"),
        respond(200, "OK", sdp(image(far.port)), tag=False),
        expect("ACK"),
        *BYE,
        far=far,
    )


@scenario
async def caller_stays_on_audio(stage: Stage) -> None:
    user = "5550106"
    machine = FaxMachine(calls="1", send=tiff_of(stage.folder, [page(60)], "caller_audio"))
    far = AudioFar(machine, 0)
    await stage.they_call(
        "caller_stays_on_audio",
        user,
        invite(sdp(audio(far.port, "0")), user),
        *ANSWERED,
        caller_request("ACK", 1, user=user),
        expect("INVITE"),
        respond(488, "Not Acceptable", tag=False),
        expect("ACK"),
        *BYE,
        far=far,
    )


@scenario
async def video_only_is_refused(stage: Stage) -> None:
    await stage.they_call(
        "video_only_is_refused",
        "5550107",
        invite(sdp("m=video 7000 RTP/AVP 31\r\n"), "5550107"),
        expect_status(100, optional=True),
        expect_status(488),
        caller_request("ACK", 1, user="5550107"),
    )


@scenario
async def refused_by_the_owner(stage: Stage) -> None:
    await stage.they_call(
        "refused_by_the_owner",
        "404404",
        invite(sdp(audio()), "404404"),
        expect_status(100, optional=True),
        expect_status(404),
        caller_request("ACK", 1, user="404404"),
        answered=False,
    )


@scenario
async def broken_invite_sdp(stage: Stage) -> None:
    await stage.they_call(
        "broken_invite_sdp",
        "5550108",
        invite("v=0\r\nthis is not SDP\r\n", "5550108"),
        expect_status(400),
        caller_request("ACK", 1, user="5550108"),
        answered=False,
    )


@scenario
async def port_zero_without_address(stage: Stage) -> None:
    """An offer whose lines are all off and have no address: stock pjproject reads through a null pointer."""
    user = "5550109"
    off = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 0 RTP/AVP 0\r\n"
    await stage.they_call(
        "port_zero_without_address",
        user,
        invite(sdp(audio()), user),
        *ANSWERED,
        caller_request("ACK", 1, user=user),
        caller_request("UPDATE", 2, off, user=user),
        expect_status(488),
        caller_request("BYE", 3, user=user),
        expect_status(200),
    )


@scenario
async def transfer_is_declined(stage: Stage) -> None:
    """REFER would have us call elsewhere, at the owner's expense."""
    user = "5550110"
    await stage.they_call(
        "transfer_is_declined",
        user,
        invite(sdp(audio()), user),
        *ANSWERED,
        caller_request("ACK", 1, user=user),
        caller_request("REFER", 2, user=user, extra="Refer-To: <sip:0900@127.0.0.1:9>\n"),
        expect_status(603),
        caller_request("BYE", 3, user=user),
        expect_status(200),
    )


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    """Runs every scenario, once, all at the same time."""

    async def run() -> dict[str, Ran]:
        folder = tmp_path_factory.mktemp("sipp")
        box = Box()
        stage = Stage(folder, box)
        await box.start()
        box.decide = lambda call: Refuse(NUMBER_NOT_IN_SERVICE) if call.dialled == "404404" else None
        await box.line("inbound", "127.0.0.1:9")
        try:
            async with asyncio.TaskGroup() as group:
                for one in _SCENARIOS.values():
                    group.create_task(one(stage))
        finally:
            await box.stop()
        return stage.ran

    before = Footprint.now()
    result = asyncio.run(run())
    result["left"] = before.left()  # type: ignore[assignment]
    return result


DELIVERED = [
    "image_only_reinvite",
    "audio_zero_and_image",
    "reinvite_twice",
    "early_media",
    "early_media_as_t38",
    "early_media_in_g729",
    "early_rubbish",
    "we_ask_for_t38",
    "glare",
    "glare_and_peer_asks",
    "refresh_by_reinvite",
    "refresh_by_update",
    "garbage_in_reinvite",
    "our_timer_refreshes_by_update",
    "our_timer_refreshes_by_reinvite",
]
if SWEEP:
    DELIVERED += ["their_timer_refreshes", "their_timer_fails"]


@pytest.mark.parametrize("name", DELIVERED)
def test_t38_fax_is_delivered(ran: dict[str, Ran], name: str) -> None:
    one = ran[name]
    assert one.outcome.result.cause is causes.DELIVERED, one.outcome.words()
    assert one.sipp == ""
    assert one.outcome.media() == ["audio", "t38"]
    assert one.far is not None
    assert one.far.ok  # type: ignore[attr-defined]
    assert one.far.statistics.pages_received == 1  # type: ignore[attr-defined]


RECEIVED = [
    "image_only_first_invite",
    "image_first_audio_second",
    "caller_asks_for_t38",
    "we_ask_the_caller",
    "delayed_offer",
]


@pytest.mark.parametrize("name", RECEIVED)
def test_t38_fax_is_received(ran: dict[str, Ran], name: str) -> None:
    one = ran[name]
    assert one.outcome.result.cause is causes.RECEIVED, one.outcome.words()
    assert one.sipp == ""
    assert one.outcome.media()[-1] == "t38"
    assert one.far is not None
    assert one.far.ok  # type: ignore[attr-defined]
    assert [raster.data for raster in one.outcome.store.rasters()] == [page(60).data]


def test_fax_in_audio_is_received(ran: dict[str, Ran]) -> None:
    one = ran["caller_stays_on_audio"]
    assert one.outcome.result.cause is causes.RECEIVED, one.outcome.words()
    assert one.sipp == ""
    assert one.outcome.media() == ["audio", "g711"]
    assert [raster.data for raster in one.outcome.store.rasters()] == [page(60).data]


def test_image_first_leaves_the_audio_line_off(ran: dict[str, Ran]) -> None:
    assert "m=audio 0 RTP/AVP" in ran["image_first_audio_second"].messages


@pytest.mark.parametrize(
    "name",
    [
        "video_only_is_refused",
        "refused_by_the_owner",
        "broken_invite_sdp",
        "port_zero_without_address",
        "transfer_is_declined",
    ],
)
def test_an_unusual_call_gets_the_status_of_its_scenario(ran: dict[str, Ran], name: str) -> None:
    assert ran[name].sipp == ""


def test_our_refresh_repeats_the_identical_image_line(ran: dict[str, Ran]) -> None:
    outcome = ran["our_timer_refreshes_by_reinvite"].outcome
    offers = [
        str(dict(each.fields)["sdp"]).partition("m=image")[2]
        for each in outcome.progress
        if each.event == "sip_sent" and "m=image" in str(dict(each.fields)["sdp"])
    ]
    assert len(offers) == 2
    assert offers[0] == offers[1]


def test_refused_t38_goes_on_as_tones_in_the_same_call(ran: dict[str, Ran]) -> None:
    one = ran["refused_488"]
    assert one.outcome.result.cause is causes.DELIVERED, one.outcome.words()
    assert one.outcome.media() == ["audio", "g711"]
    assert one.sipp == ""
    assert one.far == "OK"


ENDS = {
    "busy": BUSY,
    "busy_everywhere": BUSY,
    "forbidden": SIP_FORBIDDEN,
    "not_found": NUMBER_NOT_IN_SERVICE,
    "unavailable": SIP_UNAVAILABLE,
    "overloaded": SIP_OVERLOADED,
    "overloaded_and_rests": SIP_OVERLOADED,
    "moved": SIP_REDIRECTED,
    "declined": SIP_DECLINED,
    "media_refused": SIP_MEDIA_REFUSED,
    "server_fault": SIP_FAILED,
    "no_answer": NO_ANSWER,
    "rings_and_times_out": NO_ANSWER,
    "trying_and_nothing": SIP_NO_PROGRESS,
    "wrong_password": SIP_WRONG_PASSWORD,
    "garbage_in_answer": SIP_MEDIA_REFUSED,
    "refused_415": SIP_T38_REFUSED,
    "refused_606": SIP_T38_REFUSED,
    "bye_at_once": SIP_HUNG_UP_EARLY,
    "bye_of_an_unallocated_number": NUMBER_NOT_IN_SERVICE,
    "bye_of_a_busy_number": BUSY,
    "bye_of_a_full_network": SIP_OVERLOADED,
    "anonymous_calls_are_refused": SIP_ANONYMOUS_REFUSED,
    "bye_while_we_ask": SIP_HUNG_UP_EARLY,
    "cancelled_by_owner": causes.CANCELLED,
    "cancelled_while_ringing": causes.CANCELLED,
}


@pytest.mark.parametrize("name", ENDS)
def test_a_call_ends_with_the_cause_of_its_scenario(ran: dict[str, Ran], name: str) -> None:
    one = ran[name]
    assert one.outcome.result.cause is ENDS[name], (one.outcome.words(), one.outcome.result)
    assert one.sipp == ""


def test_redirection_is_told_in_the_words_of_the_trunk(ran: dict[str, Ran]) -> None:
    outcome = ran["moved"].outcome
    assert "SIP/2.0 301 No" in outcome.received()
    assert outcome.last_error.endswith("(301 No).")


def test_trunk_that_asks_for_a_rest_gets_it(ran: dict[str, Ran]) -> None:
    state = ran["overloaded_and_rests"].far
    assert isinstance(state, LineState)
    assert not state.usable
    assert "asked for no calls for another" in state.sentence
    assert "503" in state.last_error


def test_dead_server_is_said_to_be_unreachable_or_silent(ran: dict[str, Ran]) -> None:
    assert ran["nobody_there"].outcome.result.cause in (
        SIP_UNREACHABLE,
        SIP_NO_REPLY,
        NO_ANSWER,
    )


def test_bye_in_mid_page_is_a_lost_line(ran: dict[str, Ran]) -> None:
    one = ran["bye_in_mid_page"]
    assert one.outcome.result.cause.side in (causes.Side.LINE, causes.Side.THEIRS), one.outcome.result
    assert one.outcome.result.pages_sent == 0
    assert one.sipp == ""


def test_nothing_of_the_calls_is_left_when_all_have_ended(ran: dict[str, Ran]) -> None:
    left = ran["left"]
    assert isinstance(left, Footprint)
    assert left.clean, left
