"""sipp scenarios from short lists of steps, and running them (Debian package sip-tester).

sipp does the signalling of the far end, independent of the stack under test; the media run beside it.
"""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from tests.ports import free_ports, is_bound

SIPP = shutil.which("sipp")
needs_sipp = pytest.mark.skipif(SIPP is None, reason="sipp is not installed (sip-tester)")
# sipp binds ports for media, used or not; those of its own choice are anybody's.
MEDIA_PORTS = 4
# A scenario that hangs is ended by sipp itself.
LIMIT_S = 150

_HEAD = "v=0\r\no=peer 53655765 {version} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
_T38 = (
    "a=T38FaxVersion:0\r\na=T38MaxBitRate:14400\r\na=T38FaxRateManagement:transferredTCF\r\n"
    "a=T38FaxMaxBuffer:1000\r\na=T38FaxMaxDatagram:400\r\na=T38FaxUdpEC:t38UDPRedundancy\r\n"
)


def audio(port: int | str = 6000, payloads: str = "8 0") -> str:
    return f"m=audio {port} RTP/AVP {payloads}\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"


def image(port: int) -> str:
    return f"m=image {port} udptl t38\r\n{_T38}"


def sdp(*media: str, version: int = 1) -> str:
    return _HEAD.format(version=version) + "".join(media)


@dataclass(frozen=True, slots=True)
class Step:
    """One element of a sipp scenario."""

    xml: str


def _message(text: str) -> str:
    """sipp wants plain newlines and no leading blanks in its CDATA."""
    return text.replace("\r\n", "\n")


def _body(body: str) -> str:
    if not body:
        return "Content-Length: 0\n\n"
    return f"Content-Type: application/sdp\nContent-Length: [len]\n\n{_message(body)}"


def _send(text: str, attributes: str = "") -> Step:
    return Step(f"<send {attributes}><![CDATA[\n{text}\n]]></send>")


def expect(method: str, *, optional: bool = False, save: bool = False) -> Step:
    """A request.  ``save`` keeps who we are for requests of our own later (an INVITE's first step)."""
    actions = ""
    if save:
        actions = (
            "<action>"
            '<ereg regexp=".*" search_in="hdr" header="From:" assign_to="them"/>'
            '<ereg regexp=".*" search_in="hdr" header="To:" assign_to="us"/>'
            "</action>"
        )
    rrs = ' rrs="true"' if save else ""
    may = ' optional="true"' if optional else ""
    return Step(f'<recv request="{method}"{rrs}{may}>{actions}</recv>')


def expect_status(code: int, *, optional: bool = False, save: bool = False) -> Step:
    rrs = ' rrs="true"' if save else ""
    may = ' optional="true"' if optional else ""
    return Step(f'<recv response="{code}"{rrs}{may}></recv>')


def pause(ms: int) -> Step:
    return Step(f'<pause milliseconds="{ms}"/>')


def respond(code: int, reason: str = "X", body: str = "", *, extra: str = "", tag: bool = True) -> Step:
    """A response to the last request.  ``tag`` for the dialog's first request, whose To has none yet."""
    to = "[last_To:];tag=sipp[call_number]" if tag else "[last_To:]"
    return _send(
        f"SIP/2.0 {code} {reason}\n[last_Via:]\n[last_From:]\n{to}\n[last_Call-ID:]\n[last_CSeq:]\n"
        f"[last_Record-Route:]\nContact: <sip:peer@[local_ip]:[local_port]>\n{extra}{_body(body)}"
    )


def request(
    method: str, cseq: int, body: str = "", *, extra: str = "", retransmit: bool = True, steps_back: int = 0
) -> Step:
    """A request of the called sipp inside the dialog (needs ``expect("INVITE", save=True)`` before).

    ``steps_back``: where its INVITE is, for the ACK of a refusal, which belongs to the same transaction.
    """
    branch = f"[branch-{steps_back}]" if steps_back else "[branch]"
    text = (
        f"{method} [next_url] SIP/2.0\nVia: SIP/2.0/UDP [local_ip]:[local_port];branch={branch}\n"
        "Max-Forwards: 70\nFrom:[$us];tag=sipp[call_number]\nTo:[$them]\n[routes]\n"
        f"Call-ID: [call_id]\nCSeq: {cseq} {method}\n"
        f"Contact: <sip:peer@[local_ip]:[local_port]>\n{extra}{_body(body)}"
    )
    return _send(text, 'retrans="500"' if retransmit and method != "ACK" else "")


def called(*steps: Step) -> str:
    return _scenario(steps)


def caller_request(
    method: str, cseq: int, body: str = "", *, first: bool = False, extra: str = "", user: str = "5550100"
) -> Step:
    """A request of the calling sipp; ``first`` is the INVITE that opens the dialog."""
    to = (
        f"<sip:{user}@[remote_ip]:[remote_port]>"
        if first
        else f"<sip:{user}@[remote_ip]:[remote_port]>[peer_tag_param]"
    )
    uri = f"sip:{user}@[remote_ip]:[remote_port]" if first else "[next_url]"
    routes = "" if first else "[routes]\n"
    text = (
        f"{method} {uri} SIP/2.0\nVia: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]\n"
        'Max-Forwards: 70\nFrom: "Peer" <sip:49301112@[local_ip]:[local_port]>;tag=call[call_number]\n'
        f"To: {to}\n{routes}Call-ID: [call_id]\nCSeq: {cseq} {method}\n"
        f"Contact: <sip:peer@[local_ip]:[local_port]>\n{extra}{_body(body)}"
    )
    return _send(text, 'retrans="500"' if method != "ACK" else "")


def calling(*steps: Step) -> str:
    return _scenario(steps)


def _scenario(steps: tuple[Step, ...]) -> str:
    body = "\n".join(step.xml for step in steps)
    # Variables that are only written to would be an error to sipp.
    reference = '<Reference variables="us,them"/>' if 'assign_to="us"' in body else ""
    return (
        '<?xml version="1.0" encoding="ISO-8859-1" ?>\n<!DOCTYPE scenario SYSTEM "sipp.dtd">\n'
        f'<scenario name="{escape("faxbox")}">\n{body}\n{reference}\n</scenario>\n'
    )


class Sipp:
    """One sipp process playing one scenario once."""

    def __init__(self, folder: Path, name: str, scenario: str, port: int, target: str = "") -> None:
        self.port = port
        self._folder = folder
        self._name = name
        self._target = target
        self._file = folder / f"{name}.xml"
        self._file.write_text(scenario, encoding="latin-1", newline="\n")
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        assert SIPP is not None
        errors = self._folder / f"{self._name}.err"
        arguments = [
            SIPP,
            *([self._target] if self._target else []),
            "-sf",
            str(self._file),
            "-i",
            "127.0.0.1",
            "-p",
            str(self.port),
            "-mp",
            str(free_ports(MEDIA_PORTS)),
            "-m",
            "1",
            "-nostdin",
            "-timeout",
            f"{LIMIT_S}s",
            "-timeout_error",
            "-trace_err",
            "-error_file",
            str(errors),
            "-trace_msg",
            "-message_file",
            str(self._folder / f"{self._name}.msg"),
        ]
        self._process = await asyncio.create_subprocess_exec(
            *arguments,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            cwd=self._folder,
        )
        async with asyncio.timeout(LIMIT_S):
            while self._process.returncode is None and not is_bound(self.port):
                await asyncio.sleep(0.02)

    async def finish(self) -> str:
        """Waits for the scenario's end; empty when every step went as written, else sipp's words."""
        assert self._process is not None
        try:
            async with asyncio.timeout(LIMIT_S + 10):
                code = await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
            return "sipp did not end"
        if code == 0:
            return ""
        errors = self._folder / f"{self._name}.err"
        words = errors.read_text(errors="replace")[-1500:] if errors.exists() else ""
        return f"sipp ended with {code}: {words}"

    def messages(self) -> str:
        path = self._folder / f"{self._name}.msg"
        return path.read_text(errors="replace") if path.exists() else ""
