"""When the next packets of audio are due."""

from __future__ import annotations

from appliance.lines.g711.rtp import PACKET_S

# The most packets sent at once after a delay of the process; beyond that our audio is late instead: a
# play-out buffer at the far end holds about this much.
MAX_CATCH_UP_PACKETS = 5


class PacketPace:
    """Computes when packets are due: one every 20 ms, however late the driver is."""

    def __init__(self) -> None:
        self.due: float | None = None

    def start(self, now: float) -> None:
        """The first packet is due at ``now``, seconds."""
        self.due = now

    def count(self, now: float) -> int:
        """How many packets are due, and counts them as sent."""
        if self.due is None or now < self.due:
            return 0
        count = int((now - self.due) / PACKET_S) + 1
        self.due += count * PACKET_S
        return min(count, MAX_CATCH_UP_PACKETS)
