"""The data of a page as it is received: frames with ECM, octets without."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from appliance.t4.bits import reverse_bits
from appliance.t4.page import CodedPage, Raster
from appliance.t4.tolerant import MAX_PAGE_PIXELS, ReceivedRows, TolerantDecoder
from appliance.t30.ecm import LONGEST_FRAME_OCTETS, EcmBlock
from appliance.t30.fields import Settings
from appliance.t30.frames import ADDRESS, Fcf
from appliance.t30.parameters import ReceivedPage
from appliance.t30.quality import unreadable
from appliance.t30.timers import IMAGE_LIMIT_OCTETS, LINE_LIMIT_S

_FCD_HEAD = 4  # address, control, FCF, frame number

# A page without rows has no more data than this besides fill: EOFB, or RTC with its tag bits, which are six
# times 13 bits (T.4 4.1.4 and 4.2.2).
EMPTY_PAGE_OCTETS = 10


class PageTooLargeError(ValueError):
    """The far end sends more data or rows than a page may have."""


class UnreadablePageError(ValueError):
    """Most of a page does not decode, although all of its data arrived."""

    def __init__(self, rows: ReceivedRows) -> None:
        super().__init__(f"{rows.bad_rows} of {rows.rows} rows do not decode")
        self.rows = rows


class LineTooLongError(ValueError):
    """One scan line takes longer than T.4 clause 3 allows (``LINE_LIMIT_S``)."""


class Intake(Protocol):
    """Takes what an image carrier brings.  Octets are in line order, as in ``appliance.t30.dce``."""

    @property
    def begun(self) -> bool:
        """Whether any of the page has arrived."""

    def octets(self, data: bytes) -> None:
        """Image octets in line order.  Raises PageTooLargeError and LineTooLongError."""

    def lost(self, octets: int) -> None:
        """About ``octets`` image octets are missing at this place.  Raises PageTooLargeError."""

    def frame(self, octets: bytes) -> None:
        """A frame with a correct FCS.  Raises PageTooLargeError."""


class PlainIntake:
    """A page without ECM, decoded and repaired while it is received.  ``width`` is in pixels."""

    def __init__(self, settings: Settings, width: int) -> None:
        self._decoder = TolerantDecoder(settings.coding, width, settings.resolution)
        self._octets = 0
        self._fill = 0  # octets of zeros at the end of the data so far
        self._fill_limit = int(settings.carrier.bit_rate * LINE_LIMIT_S / 8)
        self._carriers = 0  # image carriers that have ended
        self._whole = True

    @property
    def complete(self) -> bool:
        """Whether every octet that was sent has arrived, in one carrier."""
        return self._whole and self._carriers == 1

    @property
    def begun(self) -> bool:
        """Whether any of the page has arrived."""
        return self._octets > 0

    def carrier_gone(self, *, complete: bool) -> None:
        """To be called when an image carrier ends; ``complete`` as in ``CarrierOff``."""
        self._carriers += 1
        self._whole = self._whole and complete

    def _count(self, octets: int) -> None:
        self._octets += octets
        if self._octets > IMAGE_LIMIT_OCTETS:
            raise PageTooLargeError(f"more than {IMAGE_LIMIT_OCTETS} octets")

    def lost(self, octets: int) -> None:
        """That many octets of the page are missing here."""
        self._count(octets)
        self._whole = False
        self._fill = 0
        self._decoder.gap(octets)

    def octets(self, data: bytes) -> None:
        """Takes octets of the page, first bit in the least significant bit (as modems give them)."""
        self._count(len(data))
        self._decoder.feed(reverse_bits(data))
        self._measure_fill(data)

    def _measure_fill(self, data: bytes) -> None:
        """Raises LineTooLongError for too much fill, the only thing that makes a line last so long."""
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
        """Ignored: there are no frames without ECM."""

    def finish(self) -> ReceivedRows:
        """The rows of the page.  To be called once, at the post-message command."""
        return self._decoder.finish()

    @staticmethod
    def page(rows: ReceivedRows) -> ReceivedPage:
        """The page to store: the repaired raster and its damage."""
        return ReceivedPage(rows.raster, rows.bad_rows, rows.longest_bad_run)


class EcmIntake:
    """A page with ECM: blocks of frames, joined when complete.  ``width`` is in pixels.

    Rows are decoded and counted while frames arrive, so that the end of a long page takes no extra time.
    """

    def __init__(self, settings: Settings, width: int) -> None:
        self._settings = settings
        self._width = width
        self._decoder = self._new_decoder()
        self._data = bytearray()
        self._read = 0  # frames of this block that were fed to the decoder
        self.block = EcmBlock()
        self.blocks = 0  # complete ones
        self.broken = False  # the sender gave a block up (EOR)

    def _new_decoder(self) -> TolerantDecoder:
        return TolerantDecoder(self._settings.coding, self._width, self._settings.resolution)

    @property
    def begun(self) -> bool:
        """Whether any of the page has arrived."""
        return self.blocks > 0 or bool(self.block.frames)

    def octets(self, data: bytes) -> None:
        """Ignored: with ECM data arrive in frames."""

    def lost(self, octets: int) -> None:
        """Ignored: a frame with missing octets has a wrong FCS."""

    def frame(self, octets: bytes) -> None:
        """Takes an HDLC frame of the page.  Raises PageTooLargeError."""
        if len(octets) <= _FCD_HEAD or octets[0] != ADDRESS or octets[2] != Fcf.FCD.value:
            return  # RCP, or not a frame of a page
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
        """Appends the block, which is complete, to the page and begins the next one."""
        self._data += self.block.data()
        self.block = EcmBlock()
        self.blocks += 1
        self._read = 0

    def forget_block(self) -> None:
        """Discards the block, a repetition of the one before, and begins the next one."""
        self.block = EcmBlock()
        self._read = 0
        self._decoder = self._new_decoder()
        self._decoder.feed(reverse_bits(bytes(self._data)))

    def give_up_block(self) -> None:
        """Discards the block upon EOR: its missing frames will not be sent."""
        self.broken = True
        self.block = EcmBlock()
        self._read = 0

    def finish(self) -> ReceivedPage:
        """The page, when all its blocks are complete.  Raises PageTooLargeError, UnreadablePageError.

        Coded data that do not decode, although all frames were right, are the fault of the far end's coder;
        the page is then the repaired raster, so that the store only holds pages that can be decoded.
        """
        rows = self._decoder.finish()
        if rows.too_long:
            raise PageTooLargeError(f"more than {rows.rows} rows")
        settings = self._settings
        data = reverse_bits(bytes(self._data).rstrip(b"\0"))  # without the padding of the last frame
        if rows.undecoded:
            rows = _with_lost_rows(rows, len(data), len(self._data) - len(data))
        if len(data.strip(b"\0")) > EMPTY_PAGE_OCTETS and unreadable(rows):
            raise UnreadablePageError(rows)
        if rows.bad_rows or not rows.rows:
            return ReceivedPage(rows.raster, rows.bad_rows, rows.longest_bad_run)
        return ReceivedPage(CodedPage(settings.coding, settings.resolution, self._width, rows.rows, data))


def _with_lost_rows(rows: ReceivedRows, octets: int, padding: int) -> ReceivedRows:
    """The rows of a page of MMR with the bad ones behind its first fault, white.

    As many as the ``octets`` of the page that were not decoded make at the average length of its good rows.
    """
    lost, good = max(0, rows.undecoded - padding), rows.rows - rows.bad_rows
    raster, room = rows.raster, MAX_PAGE_PIXELS // rows.raster.width - rows.rows
    count = min(room, round(lost * good / max(1, octets - lost)))
    white = bytes(count * raster.row_octets)
    return replace(
        rows,
        raster=Raster(raster.width, rows.rows + count, raster.data + white, raster.resolution),
        rows=rows.rows + count,
        bad_rows=rows.bad_rows + count,
        longest_bad_run=rows.longest_bad_run + count,
    )
