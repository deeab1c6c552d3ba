"""``PortDriver``: base of the drivers of an idle modem, which send one command after the other.  No I/O."""

from __future__ import annotations

from appliance.lines.modem.port import CommandPort


class PortDriver:
    """Has a port of its own: bytes and the time in, bytes and the next deadline out."""

    def __init__(self) -> None:
        self._port = CommandPort()

    @property
    def done(self) -> bool:
        """Nothing more is said or waited for."""
        return False

    def handle_port(self, now: float) -> None:
        """Takes what the port has read."""
        raise NotImplementedError

    def receive_bytes(self, data: bytes, now: float) -> None:
        self._port.receive(data, now)
        self.handle_port(now)

    def take_bytes(self, limit: int = 1 << 30) -> bytes:
        return self._port.take_output(limit)

    def next_deadline(self) -> float | None:
        return None if self.done else self._port.next_deadline()

    def handle_timer(self, now: float) -> None:
        self._port.handle_timer(now)
        self.handle_port(now)
