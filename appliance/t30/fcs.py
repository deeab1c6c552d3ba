"""The frame check sequence of HDLC frames (ITU-T X.25 2.2.7), in the bit order of ``appliance.t30.dce``."""

from __future__ import annotations

from binascii import crc_hqx

from appliance.t4.bits import reverse_bits

OCTETS = 2
_ONES = 0xFFFF
# The remainder over a frame with its FCS.
_GOOD = 0x1D0F


def with_fcs(frame: bytes) -> bytes:
    """The frame and its two octets of FCS."""
    check = crc_hqx(reverse_bits(frame), _ONES) ^ 0xFFFF
    return frame + reverse_bits(check.to_bytes(OCTETS, "big"))


def fcs_is_right(frame_with_fcs: bytes) -> bool:
    """Whether the last two octets are the FCS of those before."""
    return len(frame_with_fcs) > OCTETS and crc_hqx(reverse_bits(frame_with_fcs), _ONES) == _GOOD
