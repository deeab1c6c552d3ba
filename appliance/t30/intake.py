"""A page as it comes in: with ECM frame by frame, without it octet by octet."""

from __future__ import annotations

from typing import Protocol

from appliance.t4.bits import reverse_bits
from appliance.t4.page import CodedPage
from appliance.t4.tolerant import ReceivedRows, TolerantDecoder
from appliance.t30.ecm import LONGEST_FRAME_OCTETS, EcmBlock
from appliance.t30.fields import Settings
from appliance.t30.frames import ADDRESS, Fcf
from appliance.t30.parameters import ReceivedPage
from appliance.t30.timers import IMAGE_LIMIT_OCTETS, LINE_LIMIT_S

_FCD_HEAD = 4  # address, control, FCF, frame number


class PageTooLargeError(ValueError):
    """The far end sends more than any page has."""


class LineTooLongError(ValueError):
    """The far end takes too long over one scan line."""


class Intake(Protocol):
    """Takes what an image carrier brings."""

    def octets(self, data: bytes) -> None:
        """Image octets in line order.  Raises PageTooLargeError and LineTooLongError."""

    def lost(self, octets: int) -> None:
        """About so many image octets are missing here.  Raises PageTooLargeError."""

    def frame(self, octets: bytes) -> None:
        """A frame with a right FCS.  Raises PageTooLargeError."""


class PlainIntake:
    """A page without ECM, decoded and repaired as it comes."""

    def __init__(self, settings: Settings, width: int) -> None:
        self._decoder = TolerantDecoder(settings.coding, width, settings.resolution)
        self._octets = 0
        self._fill = 0  # octets of zeros at the end of what came
        self._fill_limit = int(settings.carrier.bit_rate * LINE_LIMIT_S / 8)
        self._carriers = 0  # that ended
        self._whole = True

    @property
    def complete(self) -> bool:
        """Every octet that was sent has come, in one carrier."""
        return self._whole and self._carriers == 1

    def carrier_gone(self, *, complete: bool) -> None:
        """The carrier has gone; ``complete`` as the DCE saw it."""
        self._carriers += 1
        self._whole = self._whole and complete

    def _count(self, octets: int) -> None:
        self._octets += octets
        if self._octets > IMAGE_LIMIT_OCTETS:
            raise PageTooLargeError(f"more than {IMAGE_LIMIT_OCTETS} octets")

    def lost(self, octets: int) -> None:
        self._count(octets)
        self._whole = False
        self._fill = 0
        self._decoder.gap(octets)

    def octets(self, data: bytes) -> None:
        self._count(len(data))
        self._decoder.feed(reverse_bits(data))
        self._measure_fill(data)

    def _measure_fill(self, data: bytes) -> None:
        """Only fill can make a line last so long: no row of pixels has so many bits."""
        before = len(data) - len(data.lstrip(b"\0"))
        longest = self._fill + before
        if before < len(data):
            self._fill = len(data) - len(data.rstrip(b"\0"))
            if len(data) > self._fill_limit and bytes(self._fill_limit + 1) in data:
                longest = self._fill_limit + 1
        else:
            self._fill = longest
        if max(longest, self._fill) > self._fill_limit and not self._decoder.ended:
            raise LineTooLongError(f"more than {LINE_LIMIT_S} s of fill")

    def frame(self, octets: bytes) -> None:
        """No frames are due here."""

    def finish(self) -> ReceivedRows:
        """The page, once its carrier has gone and a command said that it is over."""
        return self._decoder.finish()

    @staticmethod
    def page(rows: ReceivedRows) -> ReceivedPage:
        """What the store gets: the repaired raster and how bad it was."""
        return ReceivedPage(rows.raster, rows.bad_rows, rows.longest_bad_run)


class EcmIntake:
    """A page with ECM: blocks of frames, put together once whole.

    Rows are counted as the frames come, so that the end of a long page costs no more than its middle.
    """

    def __init__(self, settings: Settings, width: int) -> None:
        self._settings = settings
        self._width = width
        self._decoder = self._new_decoder()
        self._data = bytearray()
        self._read = 0  # frames of this block that the decoder has
        self.block = EcmBlock()
        self.blocks = 0  # whole ones
        self.broken = False  # the sender gave a block up (EOR)

    def _new_decoder(self) -> TolerantDecoder:
        return TolerantDecoder(self._settings.coding, self._width, self._settings.resolution)

    def octets(self, data: bytes) -> None:
        """No bare octets are due here."""

    def lost(self, octets: int) -> None:
        """What is missing of a frame shows in its FCS."""

    def frame(self, octets: bytes) -> None:
        if len(octets) <= _FCD_HEAD or octets[0] != ADDRESS or octets[2] != Fcf.FCD.value:
            return  # RCP, or nothing of ours
        if not self.block.add(octets[3], octets[_FCD_HEAD:]):
            return
        if len(self._data) + len(self.block.frames) * LONGEST_FRAME_OCTETS > IMAGE_LIMIT_OCTETS:
            raise PageTooLargeError(f"more than {IMAGE_LIMIT_OCTETS} octets")
        self._read_ahead()

    def _read_ahead(self) -> None:
        frames = self.block.frames
        while self._read in frames:
            self._decoder.feed(reverse_bits(frames[self._read]))
            self._read += 1

    def close_block(self) -> None:
        """The block is whole: the next one begins."""
        self._data += self.block.data()
        self.block = EcmBlock()
        self.blocks += 1
        self._read = 0

    def forget_block(self) -> None:
        """The block is one that has come before: the next one begins, and this one never was."""
        self.block = EcmBlock()
        self._read = 0
        self._decoder = self._new_decoder()
        self._decoder.feed(reverse_bits(bytes(self._data)))

    def give_up_block(self) -> None:
        """EOR: what is missing will never come."""
        self.broken = True
        self.block = EcmBlock()
        self._read = 0

    def finish(self) -> ReceivedPage:
        """The page, when all its blocks are whole.  Raises PageTooLargeError.

        Coded data that do not decode (the far end's coder is at fault, the frames were right) come
        out as the repaired raster, so that whoever reads the store finds a page there.
        """
        rows = self._decoder.finish()
        if rows.too_long:
            raise PageTooLargeError(f"more than {rows.rows} rows")
        if rows.bad_rows or not rows.rows:
            return ReceivedPage(rows.raster, rows.bad_rows, rows.longest_bad_run)
        settings = self._settings
        data = reverse_bits(bytes(self._data).rstrip(b"\0"))  # what fills the last frame is no data
        return ReceivedPage(CodedPage(settings.coding, settings.resolution, self._width, rows.rows, data))
