"""A line from the settings that name it.

The modules of the lines themselves are only loaded where one is made: the box's own process, which just
looks at the settings, does without them.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, MutableMapping
from typing import TYPE_CHECKING

from appliance.lines.line import Line
from appliance.lines.modem.dialling import DialRules
from appliance.lines.modem.overlay import SPEEDS, overlay
from appliance.lines.modem.quirks import FlowControl, Quirks
from appliance.lines.modem.ring_monitor import AnswerRules
from appliance.lines.sip import settings as sip
from appliance.lines.sip.numbers import DialFormat, DiallingRules
from appliance.settings.items import (
    Correction,
    DialForm,
    Identity,
    LineEntry,
    LineType,
    Media,
    ModemFlow,
)
from appliance.settings.sections import SipSettings
from appliance.t38.settings import ErrorCorrection

if TYPE_CHECKING:
    from appliance.lines.sip.stack import SipStack

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
_FLOWS = {
    ModemFlow.AUTO: None,
    ModemFlow.RTS_CTS: FlowControl.RTS_CTS,
    ModemFlow.NONE: FlowControl.NONE,
}
_MEDIA = {
    Media.BOTH: sip.MediaChoice.BOTH,
    Media.T38: sip.MediaChoice.T38_ONLY,
    Media.G711: sip.MediaChoice.G711_ONLY,
}


def check_entry(entry: LineEntry, section: SipSettings) -> None:
    """Raises ValueError for settings that no line can be made from."""
    if entry.type is LineType.MODEM:
        _dial_rules(entry)
        _answer_rules(entry)
        _modem_overlay(entry)
        return
    sip_settings(section)
    for peer in trunk_settings(entry).peers:
        if "/" in peer:
            ipaddress.ip_network(peer, strict=False)


def make_line(
    entry: LineEntry, stack: SipStack | None, in_audio: MutableMapping[str, bool] | None = None
) -> Line:
    """The line of one entry; a SIP trunk stands on ``stack``.

    ``in_audio``: numbers whose next call does without T.38, on a trunk that has both.

    Raises ValueError for settings that do not go together.
    """
    if entry.type is LineType.MODEM:
        from appliance.lines.modem.line import ModemLine, ModemSettings  # noqa: PLC0415

        return ModemLine(
            entry.name,
            ModemSettings(
                port=entry.device,
                rules=_dial_rules(entry),
                answer=_answer_rules(entry),
                speed=entry.modem_speed,
                flow=_FLOWS[entry.modem_flow],
                adjust=_modem_overlay(entry),
            ),
        )
    from appliance.lines.sip.line import SipLine  # noqa: PLC0415

    assert stack is not None
    wanted = in_audio if in_audio is not None and entry.media is Media.BOTH else {}

    def media(number: str) -> sip.MediaChoice | None:
        return sip.MediaChoice.G711_ONLY if wanted.pop(number, False) else None

    return SipLine(trunk_settings(entry), stack, media=media)


def _dial_rules(entry: LineEntry) -> DialRules:
    return DialRules(
        prefix=entry.outside_prefix,
        country_code=entry.country_code,
        international=entry.international_prefix,
        trunk=entry.national_prefix,
        pulse=entry.pulse,
        blind=entry.blind,
    )


def _modem_overlay(entry: LineEntry) -> Callable[[Quirks], Quirks]:
    if entry.modem_speed is not None and entry.modem_speed not in SPEEDS:
        raise ValueError(f"modem_speed: one of {', '.join(map(str, SPEEDS))} is needed")
    return overlay(entry.modem_quirks)


def _answer_rules(entry: LineEntry) -> AnswerRules:
    return AnswerRules(
        answer=entry.receive, rings=entry.rings, kinds=frozenset(kind.upper() for kind in entry.ring_kinds)
    )


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
        rtp_ports=sip.PortRange(middle + 1, section.media_last),
        stun_servers=section.stun_servers,
    )


def _port(port: int | None, any_port: bool) -> int | None:
    """0, any free one, in place of a port that is on."""
    return 0 if any_port and port is not None else port


def trunk_settings(entry: LineEntry) -> sip.TrunkSettings:
    """Raises ValueError for settings that do not go together."""
    dialling = DiallingRules(
        country_code=entry.country_code,
        national_prefix=entry.national_prefix,
        international_prefix=entry.international_prefix,
        area_code=entry.area_code,
        format=_FORMS[entry.form],
        outside_prefix=entry.outside_prefix,
    )
    return sip.TrunkSettings(
        name=entry.name,
        server=entry.server,
        transport=sip.Transport(entry.transport),
        username=entry.username,
        auth_username=entry.auth_username,
        password=entry.password,
        register=entry.register and bool(entry.username),
        outbound_proxy=entry.outbound_proxy,
        verify_tls=entry.verify_tls,
        from_number=entry.caller_number,
        from_name=entry.caller_name,
        dialling=dialling,
        peers=entry.peers,
        public_address=entry.public_address,
        channels=entry.calls_at_once,
        media=_MEDIA[entry.media],
        use_stun=entry.use_stun,
        from_domain=entry.from_domain,
        from_user_is_account=entry.from_user_is_account,
        identity=_IDENTITIES[entry.identity],
        session_expires_s=entry.session_s,
        ask_t38_calling_s=entry.t38_calling_s or None,
        ask_t38_answering_s=entry.t38_answering_s or None,
        error_correction=_CORRECTIONS[entry.error_correction],
        redundancy=entry.redundancy,
    )
