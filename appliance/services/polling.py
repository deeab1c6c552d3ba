"""``Polling``: documents on offer for callers that poll."""

from __future__ import annotations

from collections.abc import Mapping

from appliance.spool import offers
from appliance.spool.remembered import Offer
from appliance.spool.store import Spool


class Polling:
    """The offers, also in memory, because each incoming call needs them."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._offers: Mapping[str, Offer] = {}
        self.reload()

    def by_name(self) -> Mapping[str, Offer]:
        """The offers by name, from memory, so it may be called on the event loop."""
        return self._offers

    def reload(self) -> None:
        """Reads the offers again after a change."""
        self._offers = {offer.name: offer for offer in self.every()}

    def every(self) -> list[Offer]:
        """All offers, oldest first."""
        return self._spool.read(offers.every)

    def get(self, offer_id: int) -> Offer:
        """Raises NotFoundError."""
        return self._spool.read(offers.get, offer_id)
