"""Bar charts as SVG shapes for templates to draw.  Lengths are in the picture's own units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 640, 160
_FOOT = 20  # room for the labels below the bars
_TOP = 16  # room for the highest mark
_GAP = 0.25  # share of a bar's room
# The most labels that fit below the bars.
_WORDS = 8


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a column: ``series`` counts from 0, the lowest."""

    x: float
    y: float
    width: float
    height: float
    series: int
    title: str


@dataclass(frozen=True, slots=True)
class Word:
    """A label below a column, centred at ``x``."""

    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Columns:
    """A chart of stacked columns.  ``highest`` is the value of the line at the top."""

    bars: list[Bar]
    words: list[Word]
    highest: float
    width: int = WIDTH
    height: int = HEIGHT
    top: int = _TOP
    foot: int = HEIGHT - _FOOT


def columns(names: Sequence[str], values: Sequence[Sequence[float]], titles: Sequence[str]) -> Columns:
    """A column for each name; ``values`` of each from the lowest part up; ``titles`` are their texts."""
    highest = round_up(max((sum(parts) for parts in values), default=0))
    room = WIDTH / max(1, len(names))
    scale = (HEIGHT - _FOOT - _TOP) / highest
    bars: list[Bar] = []
    for place, parts in enumerate(values):
        y = float(HEIGHT - _FOOT)
        for series, value in enumerate(parts):
            tall = value * scale
            y -= tall
            if value:
                bars.append(
                    Bar(
                        round(room * (place + _GAP / 2), 1),
                        round(y, 1),
                        round(room * (1 - _GAP), 1),
                        round(tall, 1),
                        series,
                        titles[place],
                    )
                )
    every = max(1, -(-len(names) // _WORDS))
    words = [Word(round(room * (at + 0.5), 1), names[at]) for at in range(0, len(names), every)]
    return Columns(bars, words, highest)


def round_up(value: float) -> float:
    """The least of 1, 2, 5, 10, 20, 50 … that is not below ``value``; 1 for 0."""
    step = 1.0
    while True:
        for factor in (1, 2, 5):
            if step * factor >= value:
                return step * factor
        step *= 10
