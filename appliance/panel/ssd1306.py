"""The SSD1306, a display of 128 × 64 pixels on the I²C bus (Solomon Systech, SSD1306 rev. 1.1)."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

from appliance.panel.settings import I2C_BUS

if TYPE_CHECKING:
    from PIL.Image import Image

WIDTH, HEIGHT = 128, 64
# linux/i2c-dev.h: the address of all that is read and written from here on.
_I2C_SLAVE = 0x0703
# 8.1.5.2: the first octet of a message says what the others are.
_COMMANDS, _PIXELS = 0x00, 0x40
_OFF, _ON = 0xAE, 0xAF
# Section 9, table 9-1; panels with 64 rows (10.1.12 to 10.1.18).
_START = bytes(
    (
        _OFF,
        *(0xD5, 0x80),  # clock, as after a reset
        *(0xA8, HEIGHT - 1),  # rows
        *(0xD3, 0x00, 0x40),  # the picture begins in the first row
        *(0x8D, 0x14),  # charge pump: the panel needs more than the 3.3 V of the bus
        *(0x20, 0x01),  # pixels come column by column
        *(0xA1, 0xC8),  # turned so that the row of pins is at the top
        *(0xDA, 0x12),  # wiring of the rows
        *(0x81, 0x7F),  # contrast, as after a reset: half, which lets the panel age slowly
        *(0xD9, 0xF1, 0xDB, 0x40),  # with the charge pump
        *(0xA4, 0xA6),  # pixels from the memory, 1 is light
    )
)
# The whole memory, from its first octet.
_WHOLE = bytes((0x21, 0, WIDTH - 1, 0x22, 0, HEIGHT // 8 - 1))


class Ssd1306:
    """One display.  Every method raises OSError when it does not answer."""

    def __init__(self, address: int) -> None:
        self._bus = os.open(f"/dev/i2c-{I2C_BUS}", os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.ioctl(self._bus, _I2C_SLAVE, address)
            self._write(_COMMANDS, _START)
        except OSError:
            os.close(self._bus)
            raise

    def show(self, picture: Image) -> None:
        """Shows ``picture``: WIDTH × HEIGHT pixels of one bit."""
        from PIL.Image import Transpose  # noqa: PLC0415 (only where a display is)

        # An octet is eight pixels of a column, the uppermost its lowest bit (8.7).
        columns = picture.transpose(Transpose.TRANSPOSE).tobytes("raw", "1;R")
        self._write(_COMMANDS, _WHOLE)
        self._write(_PIXELS, columns)
        self._write(_COMMANDS, bytes((_ON,)))

    def close(self) -> None:
        """Switches it off."""
        try:
            self._write(_COMMANDS, bytes((_OFF,)))
        finally:
            os.close(self._bus)

    def _write(self, kind: int, octets: bytes) -> None:
        os.write(self._bus, bytes((kind,)) + octets)
