"""The fixed order in which a transmitter steps down when training or a page fails."""

from __future__ import annotations

from collections.abc import Set

from appliance.t30.dce import Carrier

# Fastest first.  T.30 leaves the order to the maker; this is the usual one (TSB-85 expects it): V.17
# gives way to V.29 at 9600 before it goes to 7200, for lines that only V.17's trellis coding upsets.
LADDER: tuple[Carrier, ...] = (
    Carrier.V17_14400,
    Carrier.V17_12000,
    Carrier.V17_9600,
    Carrier.V29_9600,
    Carrier.V17_7200,
    Carrier.V29_7200,
    Carrier.V27TER_4800,
    Carrier.V27TER_2400,
)


def rungs(common: Set[Carrier], first: Carrier | None = None) -> tuple[Carrier, ...]:
    """The ladder that both ends can climb, from ``first`` (or the best) down.

    When nothing at or below ``first`` is common the whole common ladder serves.
    """
    shared = tuple(c for c in LADDER if c in common)
    if first is None:
        return shared
    return tuple(c for c in shared if LADDER.index(c) >= LADDER.index(first)) or shared


def below(carrier: Carrier, ladder: tuple[Carrier, ...]) -> Carrier | None:
    """The next rung, None at the bottom."""
    at = LADDER.index(carrier)
    return next((c for c in ladder if LADDER.index(c) > at), None)
