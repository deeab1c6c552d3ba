"""G.711 in SDP: with static and with dynamic payload types."""

from __future__ import annotations

import pytest

from appliance.lines.sip.session import audio_answer, audio_of
from appliance.t38.sdp import parse_sdp


@pytest.mark.parametrize(
    ("line", "payloads", "laws"),
    [
        ("97\r\na=rtpmap:97 PCMA/8000", (97,), (8,)),
        ("8 96\r\na=rtpmap:96 pcmu/8000/1", (8, 96), (8, 0)),
        ("110 101\r\na=rtpmap:110 PCMU/8000\r\na=rtpmap:101 telephone-event/8000", (110,), (0,)),
        ("0 8\r\na=rtpmap:0 PCMU/8000", (0, 8), (0, 8)),
        ("98\r\na=rtpmap:98 PCMA/16000", None, ()),
        ("8\r\na=rtpmap:8 L16/8000", None, ()),
        ("18 96\r\na=rtpmap:96 opus/48000/2", None, ()),
    ],
)
def test_g711_is_found_by_its_name_and_by_its_number(
    line: str, payloads: tuple[int, ...] | None, laws: tuple[int, ...]
) -> None:
    head = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    text = f"{head}m=audio 5000 RTP/AVP {line}\r\n"
    offer = parse_sdp(text)
    audio = audio_of(offer)
    if payloads is None:
        assert audio is None
        return
    assert audio is not None
    assert audio.payloads == payloads
    assert tuple(audio.law(each) for each in payloads) == laws
    answer = audio_answer(offer, audio, "192.0.2.2", 6000, payloads[0], offer.origin)
    name = {0: "PCMU", 8: "PCMA"}[laws[0]]
    assert f"m=audio 6000 RTP/AVP {payloads[0]}\r\na=rtpmap:{payloads[0]} {name}/8000\r\n" in answer
