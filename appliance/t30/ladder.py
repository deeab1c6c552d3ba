"""The order in which a transmitter falls back to lower rates when training or a page fails."""

from __future__ import annotations

from collections.abc import Set

from appliance.t30.dce import Carrier

# Best first.  T.30 leaves the order to the manufacturer; this is the usual one (TSB-85 expects it): V.29 at
# 9600 comes before V.17 at 7200, for lines on which V.17 fails and V.29 does not.
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


def rungs(common: Set[Carrier], first: Carrier | None) -> tuple[Carrier, ...]:
    """The carriers in ``common``, best first, from ``first`` (None: from the best) downwards.

    When ``common`` has none at or below ``first``, all of them.
    """
    shared = tuple(c for c in LADDER if c in common)
    if first is None:
        return shared
    return tuple(c for c in shared if LADDER.index(c) >= LADDER.index(first)) or shared


def below(carrier: Carrier, ladder: tuple[Carrier, ...]) -> Carrier | None:
    """The next carrier of ``ladder`` below ``carrier``, None at the bottom."""
    at = LADDER.index(carrier)
    return next((c for c in ladder if LADDER.index(c) > at), None)
