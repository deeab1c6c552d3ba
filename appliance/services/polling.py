"""``Polling``: documents on offer for callers that poll."""

from __future__ import annotations

from collections.abc import Mapping

from appliance.spool import offers
from appliance.spool.remembered import Offer
from appliance.spool.store import Spool


class Polling:
    """Keeps the offers in memory, too: each call that comes in is told of them."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._offers: Mapping[str, Offer] = {}
        self.reload()

    def by_name(self) -> Mapping[str, Offer]:
        """What callers may fetch, by name.  From memory: the loop may ask."""
        return self._offers

    def reload(self) -> None:
        """After a change of them."""
        self._offers = {offer.name: offer for offer in self.every()}

    def every(self) -> list[Offer]:
        """All offers, oldest first."""
        return self._spool.read(offers.every)

    def get(self, offer_id: int) -> Offer:
        """Raises NotFoundError."""
        return self._spool.read(offers.get, offer_id)
