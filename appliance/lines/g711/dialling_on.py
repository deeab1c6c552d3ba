"""Digits that are dialled after the answer: as telephone-events (RFC 4733) or as DTMF tones (ITU-T Q.23).

``DialsOn`` comes before ``AudioWait``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from appliance.lines.g711.before_fax import AudioBeforeFax
from appliance.lines.g711.rtp import PACKET_S, PACKET_SAMPLES, SAMPLE_RATE, RtpSession
from appliance.numbering.dial_on import DialOn
from appliance.spandsp import open_spandsp

_DECLARATIONS = """
void *dtmf_tx_init(void *s, void *callback, void *user);
void dtmf_tx_set_timing(void *s, int on_ms, int off_ms);
int dtmf_tx_put(void *s, const char *digits, int count);
int dtmf_tx(void *s, int16_t *samples, int most);
int dtmf_tx_free(void *s);
"""
# ITU-T Q.24: tones of 40 ms and pauses of 40 ms must be accepted; menus and exchanges are safer with more.
DIGIT_S, GAP_S = 0.1, 0.1
# RFC 4733 3.2: the events of the keypad, in order.
_KEYS = "0123456789*#"
# RFC 4733 2.5.1.4: the last packet of an event is sent three times.
_LAST_COPIES = 3
_VOLUME_DBM0 = 10  # -10 dBm0: what telephones send
_SILENCE = bytes(2 * PACKET_SAMPLES)
_DIGIT_PACKETS, _GAP_PACKETS = round(DIGIT_S / PACKET_S), round(GAP_S / PACKET_S)


@functools.cache
def _spandsp() -> tuple[Any, Any]:
    return open_spandsp(_DECLARATIONS)


def dtmf(digits: str) -> bytes:
    """The 16-bit samples at 8 kHz of these keys, each followed by a gap."""
    ffi, library = _spandsp()
    state = ffi.gc(library.dtmf_tx_init(ffi.NULL, ffi.NULL, ffi.NULL), library.dtmf_tx_free)
    library.dtmf_tx_set_timing(state, round(DIGIT_S * 1000), round(GAP_S * 1000))
    made = bytearray()
    for digit in digits:
        library.dtmf_tx_put(state, digit.encode("ascii"), 1)
        most = round((DIGIT_S + GAP_S) * SAMPLE_RATE)
        samples = ffi.new("int16_t[]", most)
        count = library.dtmf_tx(state, samples, most)
        made += bytes(ffi.buffer(samples))[: 2 * count] + bytes(2 * (most - count))
    return bytes(made)


class DialsOn(AudioBeforeFax):
    """Sends the steps, then calls ``done``, once.  ``events`` is the payload type of telephone-event that
    the far end takes, None where it takes none."""

    def __init__(
        self, rtp: RtpSession, steps: Sequence[DialOn], events: int | None, done: Callable[[], None]
    ) -> None:
        super().__init__(rtp)
        self._done: Callable[[], None] | None = done
        self._packets = self._events(steps, events) if events is not None else self._tones(steps)

    def receive_datagram(self, data: bytes, now: float) -> None:
        """Ignores the far end's audio meanwhile: an announcement, a menu."""
        self._rtp.receiver.receive(data, now)

    def handle_timer(self, now: float) -> None:
        """Sends the packets that are due: digits, then silence."""
        self._rtp.receiver.handle_timer(now)
        for _ in range(self._pace.count(now)):
            datagrams = next(self._packets, None)
            if datagrams is None:
                datagrams = [self._rtp.send(_SILENCE)]
                if self._done is not None:
                    done, self._done = self._done, None
                    done()
            self._datagrams += datagrams

    def _silence(self, seconds: float) -> Iterator[list[bytes]]:
        for _ in range(round(seconds / PACKET_S)):
            yield [self._rtp.send(_SILENCE)]

    def _tones(self, steps: Sequence[DialOn]) -> Iterator[list[bytes]]:
        for step in steps:
            yield from self._silence(step.pause_s)
            samples = dtmf(step.digits)
            for at in range(0, len(samples), 2 * PACKET_SAMPLES):
                yield [self._rtp.send(samples[at : at + 2 * PACKET_SAMPLES])]

    def _events(self, steps: Sequence[DialOn], payload: int) -> Iterator[list[bytes]]:
        for step in steps:
            yield from self._silence(step.pause_s)
            for digit in step.digits:
                yield from self._event(_KEYS.index(digit), payload)

    def _event(self, event: int, payload: int) -> Iterator[list[bytes]]:
        for packet in range(1, _DIGIT_PACKETS + 1):
            samples = packet * PACKET_SAMPLES
            last = packet == _DIGIT_PACKETS
            body = bytes((event, 0x80 * last | _VOLUME_DBM0)) + samples.to_bytes(2, "big")
            copies = _LAST_COPIES if last else 1
            yield [self._rtp.event(payload, body, first=packet == 1) for _ in range(copies)]
        self._rtp.event_over(_DIGIT_PACKETS * PACKET_SAMPLES)
        yield from self._silence(_GAP_PACKETS * PACKET_S)
