"""Offers of odd machines, sent octet by octet from a socket: what is accepted works.

The library in the box reads each offer, too, and takes some that our own reading would not: then it would
answer by itself, with a port that nobody serves.
"""

from __future__ import annotations

import asyncio
import re
import socket

import pytest

from tests.lines.sip.rig import Box

ORIGIN = "o=- 1 1 IN IP4 127.0.0.1\r\n"
REST = "s=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
HEAD = "v=0\r\n" + ORIGIN + REST
AUDIO = "m=audio 5000 RTP/AVP 8\r\n"
IMAGE = "m=image 5002 udptl t38\r\n"
ODD = {
    "no_version": ORIGIN + REST + IMAGE,
    "video_without_formats": HEAD + AUDIO + "m=video 0 RTP/AVP\r\n",
    "name_with_underscore": HEAD.replace("c=IN IP4 127.0.0.1", "c=IN IP4 fax_gw.example") + IMAGE,
    "image_before_audio": HEAD + IMAGE + AUDIO,
    "refused_image_before_a_live_one": HEAD + IMAGE.replace("5002", "0") + IMAGE,
    "bare_line_feeds": (HEAD + IMAGE).replace("\r\n", "\n"),
}
PATIENCE_S = 30.0


class Caller:
    """One that places a call, takes the answer and hangs up."""

    def __init__(self, box: int, number: int) -> None:
        self._box = ("127.0.0.1", box)
        self._number = number
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(PATIENCE_S)

    def answer_to(self, offer: str) -> str:
        """The final response to an INVITE with this body."""
        self._say("INVITE", 1, "", offer)
        while True:
            response = self._socket.recv(65535).decode()
            if not response.startswith("SIP/2.0 1"):
                break
        tag = re.search(r"\nTo:[^\r]*(;tag=[^\r;]*)", response)
        assert tag
        self._say("ACK", 1, tag[1])
        if response.startswith("SIP/2.0 200"):
            self._say("BYE", 2, tag[1])
        self._socket.close()
        return response

    def _say(self, method: str, sequence: int, tag: str, body: str = "") -> None:
        us = f"127.0.0.1:{self._socket.getsockname()[1]}"
        lines = [
            f"{method} sip:30@127.0.0.1 SIP/2.0",
            f"Via: SIP/2.0/UDP {us};branch=z9hG4bK{method}{self._number}",
            f"From: <sip:123@127.0.0.1>;tag=f{self._number}",
            f"To: <sip:30@127.0.0.1>{tag}",
            f"Call-ID: odd{self._number}@127.0.0.1",
            f"CSeq: {sequence} {method}",
            f"Contact: <sip:123@{us}>",
            "Max-Forwards: 70",
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        self._socket.sendto(("\r\n".join(lines) + "\r\n\r\n" + body).encode(), self._box)


@pytest.fixture(scope="module")
def answers() -> dict[str, str]:
    """What the box says to each."""

    async def call() -> dict[str, str]:
        async with Box() as box:
            await box.line("odd", "127.0.0.1:9", peers=("127.0.0.1",), register=False)
            return {
                name: await asyncio.to_thread(Caller(box.port, number).answer_to, offer)
                for number, (name, offer) in enumerate(ODD.items())
            }

    return asyncio.run(call())


@pytest.mark.realtime
@pytest.mark.parametrize("name", ODD)
def test_an_odd_offer_is_answered_with_media_that_the_box_serves(answers: dict[str, str], name: str) -> None:
    response = answers[name]
    assert response.startswith("SIP/2.0 200"), response
    offered = re.findall(r"^m=(\w+) ", ODD[name], re.MULTILINE)
    lines = re.findall(r"^m=(\w+) (\d+) ", response, re.MULTILINE)
    assert [kind for kind, _ in lines] == offered
    live = [int(port) for _, port in lines if port != "0"]
    assert len(live) == 1
    assert live[0] >= 4000, "of the box's media ports"
