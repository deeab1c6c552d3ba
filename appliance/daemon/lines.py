"""Makes the lines that the settings name, in the owner's order, the practice line last."""

from __future__ import annotations

import logging

from appliance.box import Box
from appliance.dispatch.runner import ManagedLine
from appliance.lines.line import Line
from appliance.lines.modem.dialling import DialRules
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

PRACTICE_FOLDER = "practice"
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


def build_lines(box: Box) -> list[ManagedLine]:
    """Every line that is enabled.  A wrong setting leaves its line out, with an error in the log."""
    entries = sorted(box.settings.items(LineEntry).items(), key=lambda item: (item[1].position, item[0]))
    stack: SipStack | None = None
    lines = []
    for _, entry in entries:
        if not entry.enabled:
            continue
        try:
            if entry.type is LineType.SIP and stack is None:
                stack = SipStack(sip_settings(box.settings.section(SipSettings)))
            in_audio: dict[str, bool] = {}  # by number; there is one call at a time for each
            line = make_line(entry, stack, in_audio)
        except ValueError as error:
            _log.error("the line %s cannot be used: %s", entry.name, error)
            continue
        lines.append(
            ManagedLine(
                line, send=entry.send, receive=entry.receive, allow=entry.allow, deny=entry.deny,
                caller_number=entry.caller_number,
                audio=in_audio.__setitem__ if entry.type is LineType.SIP else None,
            )
        )
    practice = box.settings.section(PracticeSettings)
    if practice.enabled:
        box.set_practice_numbers(PRACTICE_NUMBERS)
        practice_line = PracticeLine(
            speed=practice.speed, capacity=practice.calls_at_once, arrivals=box.data / PRACTICE_FOLDER
        )
        lines.append(ManagedLine(practice_line))
    return lines


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
    return ModemSettings(port=entry.device, rules=rules)


def sip_settings(section: SipSettings, *, any_port: bool = False) -> sip.SipSettings:
    """With ``any_port`` SIP takes free ports, for a call beside a running box.

    Raises ValueError for settings that do not go together.
    """
    # Each UDPTL call takes one port, each audio call two: the lower half for T.38.
    middle = (section.media_first + section.media_last) // 2
    return sip.SipSettings(
        bind=section.bind,
        udp_port=0 if any_port else section.udp_port,
        tcp_port=0 if any_port else section.tcp_port,
        tls_port=0 if any_port else section.tls_port,
        udptl_ports=sip.PortRange(section.media_first, middle),
        rtp_ports=sip.PortRange(middle + 1, section.media_last), stun_servers=section.stun_servers,
    )


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
