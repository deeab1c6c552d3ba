"""A decoded picture on white paper: upright, in grey or colour, scaled down if requested.

It is processed in strips, so that memory never holds a second picture of its full size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PIL import Image

from appliance.documents.pictures.modes import STRIP_PIXELS, Decoded, paper_of
from appliance.documents.pictures.stripwise import Stripwise
from appliance.documents.placing import REDUCING_GAP

Size = tuple[int, int]
Corners = tuple[int, int, int, int]  # left, upper, and the first ones outside

_T = Image.Transpose
_SWAPPING = {_T.ROTATE_90, _T.ROTATE_270, _T.TRANSPOSE, _T.TRANSVERSE}


class OnPaper:
    """``decoded`` with ``turns``, one after the other."""

    def __init__(self, decoded: Decoded, turns: Sequence[Image.Transpose]) -> None:
        self._decoded = decoded
        self._turns = tuple(turns)
        self._as_shown = paper_of(decoded)
        self._sizes = [decoded.size]  # before each turn, and at last
        for turn in self._turns:
            width, height = self._sizes[-1]
            self._sizes.append((height, width) if turn in _SWAPPING else (width, height))

    @property
    def size(self) -> Size:
        return self._sizes[-1]

    def whole(self, mode: str | None = None) -> Image.Image:
        """The whole picture, in ``mode`` or in its own: 1, L or RGB."""
        return self._made((1, 1), mode)

    def reduced(self, wanted: Size) -> tuple[Image.Image, tuple[float, float]]:
        """The picture scaled down by whole factors, and its size in the new pixels.

        It stays at least twice ``wanted`` in each direction.  The last column and row may stand for fewer
        pixels than the others, so the size may be fractional.  Mode L or RGB.
        """
        factor = tuple(
            int(have / want / REDUCING_GAP) or 1 for have, want in zip(self.size, wanted, strict=True)
        )
        across, down = factor
        made = self._made((across, down), "L" if self._decoded.mode == "1" else None)
        return made, (self.size[0] / across, self.size[1] / down)

    def _made(self, factor: Size, mode: str | None) -> Image.Image:
        if (
            isinstance(self._decoded, Image.Image)
            and not self._turns
            and mode in {None, self._decoded.mode}
            and self._as_shown is None
        ):
            return self._decoded.reduce(factor) if factor != (1, 1) else self._decoded
        if isinstance(self._decoded, Stripwise) and self._turns:
            return self._made_and_turned(factor, mode)
        made = None
        for upper, strip in self._strips(factor[1]):
            shown = strip.convert(mode) if mode is not None and strip.mode != mode else strip
            if factor != (1, 1):
                shown = shown.reduce(factor)
            if made is None:
                made = Image.new(shown.mode, _reduced_size(self.size, factor))
            made.paste(shown, (0, upper // factor[1]))
        assert made is not None
        return made

    def _made_and_turned(self, factor: Size, mode: str | None) -> Image.Image:
        """Scales the picture down before turning it, because it can only be read from top to bottom."""
        for turn in self._turns:
            factor = (factor[1], factor[0]) if turn in _SWAPPING else factor
        made = OnPaper(self._decoded, ())._made(factor, mode)
        for turn in self._turns:
            made = made.transpose(turn)
        return made

    def _strips(self, step: int) -> Iterator[tuple[int, Image.Image]]:
        """Strips of the picture, each with its first row, a multiple of ``step``."""
        width, height = self.size
        rows = max(1, STRIP_PIXELS // width // step) * step
        for upper in range(0, height, rows):
            part = (0, upper, width, min(upper + rows, height))
            for turn, size in zip(reversed(self._turns), reversed(self._sizes[:-1]), strict=True):
                part = _before(turn, size, part)
            strip = self._decoded.crop(part)
            if self._as_shown is not None:
                strip = self._as_shown(strip)
            for turn in self._turns:
                strip = strip.transpose(turn)
            yield upper, strip


def _reduced_size(size: Size, factor: Size) -> Size:
    return -(-size[0] // factor[0]), -(-size[1] // factor[1])


def _before(turn: Image.Transpose, size: Size, part: Corners) -> Corners:
    """Where ``part`` of a picture was before ``turn``, when the picture's size was ``size``."""
    width, height = size
    left, upper, right, below = part
    match turn:
        case _T.FLIP_LEFT_RIGHT:
            return width - right, upper, width - left, below
        case _T.FLIP_TOP_BOTTOM:
            return left, height - below, right, height - upper
        case _T.ROTATE_180:
            return width - right, height - below, width - left, height - upper
        case _T.ROTATE_90:
            return width - below, left, width - upper, right
        case _T.ROTATE_270:
            return upper, height - right, below, height - left
        case _T.TRANSPOSE:
            return upper, left, below, right
        case _T.TRANSVERSE:
            return width - below, height - right, width - upper, height - left
    raise AssertionError(turn)
