"""Makes the lines that the settings name, in the owner's order, the practice line last."""

from __future__ import annotations

import asyncio
import logging

from appliance.box import Box
from appliance.dispatch.runner import Dispatcher, ManagedLine
from appliance.lines.line import Line
from appliance.lines.modem.dialling import DialRules
from appliance.lines.modem.doorbell import AnswerRules
from appliance.lines.modem.line import ModemLine, ModemSettings
from appliance.lines.practice.line import PracticeLine
from appliance.lines.practice.numbers import PRACTICE_NUMBERS
from appliance.lines.sip import settings as sip
from appliance.lines.sip.line import SipLine
from appliance.lines.sip.numbers import DialFormat, DiallingRules
from appliance.lines.sip.stack import SipStack
from appliance.settings.items import Correction, DialForm, Identity, LineEntry, LineType, Media
from appliance.settings.sections import PracticeSettings, SipSettings
from appliance.t38.settings import ErrorCorrection

_log = logging.getLogger(__name__)

PRACTICE_NAME = "practice"
PRACTICE_FOLDER = "practice"
# How often the settings are compared with the lines, seconds.
FOLLOW_S = 2.0
_FORMS = {
    DialForm.E164_PLUS: DialFormat.E164_PLUS,
    DialForm.E164: DialFormat.E164,
    DialForm.INTERNATIONAL: DialFormat.INTERNATIONAL,
    DialForm.NATIONAL: DialFormat.NATIONAL,
}
_IDENTITIES = {
    Identity.NONE: sip.Identity.NONE,
    Identity.ASSERTED: sip.Identity.ASSERTED,
    Identity.PREFERRED: sip.Identity.PREFERRED,
}
_CORRECTIONS = {
    Correction.REDUNDANCY: ErrorCorrection.REDUNDANCY,
    Correction.FEC: ErrorCorrection.FEC,
    Correction.NONE: ErrorCorrection.NONE,
}
_MEDIA = {
    Media.BOTH: sip.MediaChoice.BOTH,
    Media.T38: sip.MediaChoice.T38_ONLY,
    Media.G711: sip.MediaChoice.G711_ONLY,
}


class Lines:
    """The lines that the settings name; ``follow`` keeps to them while the box runs.

    A wrong setting leaves its line out, with an error in the log.
    """

    def __init__(self, box: Box) -> None:
        self._box = box
        self._stack: SipStack | None = None
        # By name: the settings that a line was made from, and the line (None where they are wrong).
        self._made: dict[str, tuple[LineEntry | PracticeSettings, ManagedLine | None]] = {}
        self._changes: dict[str, asyncio.Task[None]] = {}

    def build(self) -> list[ManagedLine]:
        """All lines, in the owner's order, the practice line last."""
        for name, settings in self._wanted().items():
            self._made[name] = (settings, self._make(settings))
        return [managed for _, managed in self._made.values() if managed is not None]

    async def follow(self, dispatcher: Dispatcher) -> None:
        """Changes the dispatcher's lines as the settings change, until cancelled."""
        try:
            while True:
                await asyncio.sleep(FOLLOW_S)
                self._compare(dispatcher)
        finally:
            for task in self._changes.values():
                task.cancel()

    def _compare(self, dispatcher: Dispatcher) -> None:
        wanted = self._wanted()
        self._changes = {name: task for name, task in self._changes.items() if not task.done()}
        for name in [*wanted, *self._made]:
            settings = wanted.get(name)
            if name in self._changes or settings == self._made.get(name, (None,))[0]:
                continue
            self._changes[name] = asyncio.create_task(self._change(dispatcher, name, settings))

    async def _change(
        self, dispatcher: Dispatcher, name: str, settings: LineEntry | PracticeSettings | None
    ) -> None:
        _, old = self._made.get(name, (None, None))
        if old is not None:
            await dispatcher.retire(old)
        self._made.pop(name, None)
        if settings is not None:
            new = self._make(settings)
            self._made[name] = (settings, new)
            if new is not None:
                await dispatcher.adopt(new)
        order = [self._made[each][1] for each in self._wanted() if each in self._made]
        dispatcher.arrange([managed.line for managed in order if managed is not None])
        _log.info("the line %s follows its new settings", name)

    def _wanted(self) -> dict[str, LineEntry | PracticeSettings]:
        """What each line is to be made from, by name, in order."""
        settings = self._box.settings
        entries = sorted(settings.items(LineEntry).items(), key=lambda item: (item[1].position, item[0]))
        wanted: dict[str, LineEntry | PracticeSettings] = {}
        for _, entry in entries:
            if entry.enabled and entry.name not in wanted and entry.name != PRACTICE_NAME:
                wanted[entry.name] = entry
        practice = settings.section(PracticeSettings)
        if practice.enabled:
            wanted[PRACTICE_NAME] = practice
        self._box.set_practice_numbers(PRACTICE_NUMBERS if practice.enabled else ())
        return wanted

    def _make(self, settings: LineEntry | PracticeSettings) -> ManagedLine | None:
        if isinstance(settings, PracticeSettings):
            return ManagedLine(
                PracticeLine(
                    PRACTICE_NAME, speed=settings.speed, capacity=settings.calls_at_once,
                    arrivals=self._box.data / PRACTICE_FOLDER,
                )
            )
        entry = settings
        in_audio: dict[str, bool] = {}  # by number; there is one call at a time for each
        try:
            if entry.type is LineType.SIP and self._stack is None:
                self._stack = SipStack(sip_settings(self._box.settings.section(SipSettings)))
            line = make_line(entry, self._stack, in_audio)
        except ValueError as error:
            _log.error("the line %s cannot be used: %s", entry.name, error)
            return None
        return ManagedLine(
            line, send=entry.send, receive=entry.receive, allow=entry.allow, deny=entry.deny,
            caller_number=entry.caller_number,
            audio=in_audio.__setitem__ if entry.type is LineType.SIP else None,
        )


def make_line(entry: LineEntry, stack: SipStack | None, in_audio: dict[str, bool] | None = None) -> Line:
    """The line of one entry; a SIP trunk stands on ``stack``.

    ``in_audio``: numbers whose next call does without T.38, on a trunk that has both.

    Raises ValueError for settings that do not go together.
    """
    if entry.type is LineType.MODEM:
        return ModemLine(entry.name, modem_settings(entry))
    assert stack is not None
    wanted = in_audio if in_audio is not None and entry.media is Media.BOTH else {}

    def media(number: str) -> sip.MediaChoice | None:
        return sip.MediaChoice.G711_ONLY if wanted.pop(number, False) else None

    return SipLine(trunk_settings(entry), stack, media=media)


def modem_settings(entry: LineEntry) -> ModemSettings:
    """Raises ValueError for settings that do not go together."""
    rules = DialRules(
        prefix=entry.outside_prefix, country_code=entry.country_code,
        international=entry.international_prefix, trunk=entry.national_prefix,
        pulse=entry.pulse, blind=entry.blind,
    )
    answer = AnswerRules(
        answer=entry.receive, rings=entry.rings, kinds=frozenset(kind.upper() for kind in entry.ring_kinds)
    )
    return ModemSettings(port=entry.device, rules=rules, answer=answer)


def sip_settings(section: SipSettings, *, any_port: bool = False) -> sip.SipSettings:
    """With ``any_port`` SIP takes free ports, for a call beside a running box.

    Raises ValueError for settings that do not go together.
    """
    # Each UDPTL call takes one port, each audio call two: the lower half for T.38.
    middle = (section.media_first + section.media_last) // 2
    return sip.SipSettings(
        bind=section.bind,
        udp_port=_port(section.udp_port, any_port),
        tcp_port=_port(section.tcp_port, any_port),
        tls_port=_port(section.tls_port, any_port),
        udptl_ports=sip.PortRange(section.media_first, middle),
        rtp_ports=sip.PortRange(middle + 1, section.media_last), stun_servers=section.stun_servers,
    )


def _port(port: int | None, any_port: bool) -> int | None:
    """0, any free one, in place of a port that is on."""
    return 0 if any_port and port is not None else port


def trunk_settings(entry: LineEntry) -> sip.TrunkSettings:
    """Raises ValueError for settings that do not go together."""
    dialling = DiallingRules(
        country_code=entry.country_code, national_prefix=entry.national_prefix,
        international_prefix=entry.international_prefix, area_code=entry.area_code,
        format=_FORMS[entry.form], outside_prefix=entry.outside_prefix,
    )
    return sip.TrunkSettings(
        name=entry.name, server=entry.server, transport=sip.Transport(entry.transport),
        username=entry.username, auth_username=entry.auth_username, password=entry.password,
        register=entry.register and bool(entry.username), outbound_proxy=entry.outbound_proxy,
        verify_tls=entry.verify_tls,
        from_number=entry.caller_number, from_name=entry.caller_name, dialling=dialling, peers=entry.peers,
        public_address=entry.public_address, channels=entry.calls_at_once, media=_MEDIA[entry.media],
        use_stun=entry.use_stun, from_domain=entry.from_domain,
        from_user_is_account=entry.from_user_is_account, identity=_IDENTITIES[entry.identity],
        session_expires_s=entry.session_s, ask_t38_calling_s=entry.t38_calling_s or None,
        ask_t38_answering_s=entry.t38_answering_s or None,
        error_correction=_CORRECTIONS[entry.error_correction], redundancy=entry.redundancy,
    )
