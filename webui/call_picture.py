"""The picture of a call: signals of both sides, pages, lost packets, along the time.

Lengths are in the picture's own units.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from webui.ladder import Ladder, Packets, PageOnLine, Rung

WIDTH = 640
LEFT = 8
# Lanes, from the top, each from … to: signals of this box, pages, signals of the other machine, packets.
OURS, PAGES, THEIRS, LOSS = (20, 36), (40, 64), (68, 84), (104, 152)
HEIGHT = 180
_MARK = 3.0  # width of a signal
_TICKS = 8  # at most
# The shortest span that shows anything, seconds.
LEAST_SPAN_S = 0.5
_STEPS = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Span:
    """The visible part of a call, seconds from its start; ``whole`` is the call's length."""

    start: float
    end: float
    whole: float

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end - self.start

    def covers(self, start: float, end: float) -> bool:
        """Whether any of that time is visible."""
        return end >= self.start and start <= self.end

    def to(self, start: float, end: float) -> Span:
        """Another span of the same call, moved to lie within it and at least LEAST_SPAN_S long."""
        length = min(self.whole, max(LEAST_SPAN_S, end - start))
        first = max(0.0, min(start, self.whole - length))
        return Span(first, first + length, self.whole)

    def closer(self) -> Span:
        """The middle half of it."""
        return self.to(self.start + self.seconds / 4, self.end - self.seconds / 4)

    def wider(self) -> Span:
        """Twice as much, about the same middle."""
        return self.to(self.start - self.seconds / 2, self.end + self.seconds / 2)

    def earlier(self) -> Span:
        """The same length, half of it earlier."""
        return self.to(self.start - self.seconds / 2, self.end - self.seconds / 2)

    def later(self) -> Span:
        """The same length, half of it later."""
        return self.to(self.start + self.seconds / 2, self.end + self.seconds / 2)

    @property
    def is_whole(self) -> bool:
        """Whether it shows all of the call."""
        return self.start <= 0.0 and self.end >= self.whole


def span_of(whole: float, start: float | None, end: float | None) -> Span:
    """The span from ``start`` to ``end``, limited to the call; the whole call when neither is given."""
    all_of_it = Span(0.0, max(whole, LEAST_SPAN_S), max(whole, LEAST_SPAN_S))
    if start is None or end is None or end <= start:
        return all_of_it
    return all_of_it.to(start, end)


@dataclass(frozen=True, slots=True)
class Block:
    """A rectangle; ``kind`` is its CSS class, ``title`` its text, ``start`` and ``end`` its time."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    title: str
    start: float
    end: float
    word: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on the time axis at ``x``."""

    x: float
    word: str


@dataclass(frozen=True, slots=True)
class CallPicture:
    """The shapes of a picture.

    ``has_loss``: whether packets were counted; ``worst``: the share of loss at the full height of a column.
    """

    said: list[Block]
    pages: list[Block]
    loss: list[Block]
    ticks: list[Tick]
    worst: float
    has_loss: bool
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True, slots=True)
class _Scale:
    span: Span

    def x(self, at: float) -> float:
        room = WIDTH - 2 * LEFT
        inside = min(self.span.end, max(self.span.start, at))
        return round(LEFT + room * (inside - self.span.start) / self.span.seconds, 1)


def picture(ladder: Ladder, span: Span) -> CallPicture:
    """The picture of the part ``span`` of a call."""
    scale = _Scale(span)
    counted = [each for each in ladder.packets if span.covers(each.began, each.ended)]
    worst = max((lost_share(each) for each in ladder.packets), default=0.0)
    return CallPicture(
        [_said(scale, each) for each in ladder.rungs if each.way and span.covers(each.at, each.at)],
        [_page(scale, each) for each in ladder.pages if span.covers(each.began, _end(each, span))],
        [box for each in counted for box in _loss(scale, each, worst)],
        _ticks(scale, span),
        worst,
        bool(ladder.packets),
    )


def lost_share(packets: Packets) -> float:
    """The share of the packets sent to us that did not arrive by themselves."""
    sent = packets.came + packets.missing
    return (packets.repaired + packets.missing) / sent if sent else 0.0


def _said(scale: _Scale, rung: Rung) -> Block:
    top, foot = OURS if rung.way == "out" else THEIRS
    title = f"{rung.at:.2f} s {rung.name} {rung.words}".strip()
    kind = f"{rung.way} {rung.kind}".strip()
    return Block(scale.x(rung.at), top, _MARK, foot - top, kind, title, rung.at, rung.at)


def _end(page: PageOnLine, span: Span) -> float:
    return span.whole if page.ended is None else page.ended


def _page(scale: _Scale, page: PageOnLine) -> Block:
    end = _end(page, scale.span)
    x = scale.x(page.began)
    top, foot = PAGES
    width = max(_MARK, scale.x(end) - x)
    title = f"{page.number}: {page.rate} bit/s"
    return Block(x, top, width, foot - top, "page", title, page.began, end, str(page.number))


def _loss(scale: _Scale, packets: Packets, worst: float) -> Sequence[Block]:
    """A column for each interval: missing packets at the bottom, repaired ones above."""
    sent = packets.came + packets.missing
    if not sent or not worst:
        return []
    top, foot = LOSS
    x = scale.x(packets.began)
    width = max(1.0, scale.x(packets.ended) - x - 1)
    title = f"{packets.began:.1f}–{packets.ended:.1f} s"
    made: list[Block] = []
    y = float(foot)
    for count, kind in ((packets.missing, "missing"), (packets.repaired, "repaired")):
        tall = (foot - top) * count / sent / worst
        y -= tall
        if count:
            made.append(
                Block(x, round(y, 1), width, round(tall, 1), kind, title, packets.began, packets.ended)
            )
    return made


def _ticks(scale: _Scale, span: Span) -> list[Tick]:
    """Round times, no more than their labels have room for."""
    step, power = 0.1, 0.1
    while span.seconds / step > _TICKS:
        for factor in _STEPS:
            step = factor * power
            if span.seconds / step <= _TICKS:
                break
        power *= 10
    first = -(-span.start // step)
    count = int((span.end - first * step) // step) + 1
    places = [(first + number) * step for number in range(max(0, count))]
    return [Tick(scale.x(at), f"{at:g}" if step >= 1 else f"{at:.1f}") for at in places]
