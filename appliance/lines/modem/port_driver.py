"""``PortDriver``: base of the drivers of an idle modem, which send one command after the other.  No I/O."""

from __future__ import annotations

from appliance.lines.modem.port import CommandPort


class PortDriver:
    """Has a ``CommandPort``; takes bytes and the time, gives bytes and the next deadline."""

    def __init__(self) -> None:
        self._port = CommandPort()

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return False

    def handle_port(self, now: float) -> None:
        """Takes what the port has read."""
        raise NotImplementedError

    def receive_bytes(self, data: bytes, now: float) -> None:
        """Takes bytes from the modem."""
        self._port.receive(data, now)
        self.handle_port(now)

    def take_bytes(self, limit: int = 1 << 30) -> bytes:
        """The next bytes for the modem, at most ``limit``."""
        return self._port.take_output(limit)

    def next_deadline(self) -> float | None:
        """When ``handle_timer`` is due, seconds; None when it is done or has no limit."""
        return None if self.done else self._port.next_deadline()

    def handle_timer(self, now: float) -> None:
        """Does what is due at ``now``, seconds."""
        self._port.handle_timer(now)
        self.handle_port(now)
