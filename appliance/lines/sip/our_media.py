"""Media of a trunk's calls before negotiation: sockets, our addresses in the SDP, and the media allowed."""

from __future__ import annotations

import asyncio
import ipaddress
import random
from collections.abc import Callable
from dataclasses import replace

from appliance.language import marked
from appliance.lines.sip import messages, stun
from appliance.lines.sip.media_orders import LocalMedia, MediaRules
from appliance.lines.sip.ports import MediaPorts, open_media_socket, own_address
from appliance.lines.sip.settings import MediaChoice, SipSettings, SipTrunk
from appliance.t38.settings import T38Settings

# If we do not offer T.38, the other side may do so for this long before the tones begin, seconds.
PEER_OFFERS_WITHIN_S = 3.0
# The size of datagrams and of the buffer that we announce, octets: larger than any peer needs.
OUR_MAX_DATAGRAM = 400
OUR_MAX_BUFFER = 2000


def media_rules(
    trunk: SipTrunk,
    ask_after_s: float | None,
    *,
    audio: bool = False,
    offers_rest: bool,
    dials_on: bool = False,
) -> MediaRules:
    """The media rules for one call of the trunk.

    ``audio``: without T.38 where the trunk has both.  ``offers_rest``: our offers of T.38 came to nothing
    lately, so that none is made.  ``dials_on``: digits follow the answer.
    """
    media = trunk.media
    if audio and media is MediaChoice.BOTH:
        media = MediaChoice.G711_ONLY
    rules = MediaRules(
        t38=media is not MediaChoice.G711_ONLY,
        g711=media is not MediaChoice.T38_ONLY,
        ask_after_s=ask_after_s,
        dials_on=dials_on,
        keep_audio_line=trunk.keep_audio_line,
    )
    if rules.g711 and offers_rest:
        return replace(rules, ask_after_s=None, wait_for_peer_s=PEER_OFFERS_WITHIN_S)
    return rules


class OurMedia:
    """Sockets and our side of the SDP for a trunk's calls.

    ``some_address`` gives an address of the trunk's of IPv6 (True) or IPv4, empty when none is known;
    ``complain`` takes a sentence for the trunk's state.
    """

    def __init__(
        self,
        trunk: SipTrunk,
        settings: SipSettings,
        some_address: Callable[[bool], str],
        complain: Callable[[str], None],
    ) -> None:
        self._trunk = trunk
        self._settings = settings
        self._some_address = some_address
        self._complain = complain

    def open_ports(self) -> MediaPorts:
        """Raises NoPortError when a range is used up, and OSError when the system gives no socket."""
        settings = self._settings
        udptl = open_media_socket(settings.bind, settings.udptl_ports)
        try:
            return MediaPorts(udptl, open_media_socket(settings.bind, settings.rtp_ports))
        except BaseException:
            udptl.close()
            raise

    async def local(self, ports: MediaPorts, towards: str) -> LocalMedia:
        """``towards`` is the peer's address, or the SIP address that is called."""
        trunk = self._trunk
        address = trunk.public_address or self.own_address(towards)
        rtp_port, udptl_port = ports.rtp.getsockname()[1], ports.udptl.getsockname()[1]
        if trunk.use_stun and not trunk.public_address:
            servers = self._settings.stun_servers
            udptl_seen, rtp_seen = await asyncio.gather(
                stun.ask(ports.udptl, servers), stun.ask(ports.rtp, servers)
            )
            if udptl_seen is not None and rtp_seen is not None:
                address, udptl_port = udptl_seen
                rtp_port = rtp_seen[1]
            else:
                self._complain(marked("No STUN server answered; the box's own address was given instead."))
        ours = T38Settings(
            version=trunk.t38_version,
            error_correction=trunk.error_correction,
            redundancy=trunk.redundancy,
            max_datagram=OUR_MAX_DATAGRAM,
            max_buffer=OUR_MAX_BUFFER,
            max_bit_rate=trunk.max_bit_rate,
        )
        return LocalMedia(address, rtp_port, udptl_port, ours, session=str(random.getrandbits(31) + 1))

    def own_address(self, towards: str) -> str:
        """This machine's address for ``towards``, a host or SIP address; the loopback's without a network."""
        bind = self._settings.bind
        if bind not in ("0.0.0.0", "::"):
            return bind
        host = messages.uri_host(towards) or towards
        try:
            ipaddress.ip_address(host)
        except ValueError:
            ipv6 = self._settings.ipv6
            host = self._some_address(ipv6) or ("2001:db8::1" if ipv6 else "192.0.2.1")
        return own_address(host)
