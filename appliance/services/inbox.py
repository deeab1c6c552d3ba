"""``Inbox``: received faxes, as their owners see them (``Accounts.sight``)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import BinaryIO

from appliance.services.accounts import Accounts
from appliance.services.rules import Clock
from appliance.spool import page_facts, received
from appliance.spool.errors import NotFoundError
from appliance.spool.filters import ReceivedFilter
from appliance.spool.model import Received, ReceivedPageFile
from appliance.spool.store import Spool


@dataclass(frozen=True, slots=True)
class Inbox:
    """Finds received faxes, marks them read, assigns and deletes them.

    With an ``owner`` a method finds only faxes that this owner may see, with None all.
    """

    spool: Spool
    accounts: Accounts
    clock: Clock

    def get(self, received_id: int, owner: str | None = None, *, deleted: bool = False) -> Received:
        """Raises NotFoundError; a deleted one is only found with ``deleted``."""
        fax = self.spool.read(received.get, received_id, deleted=deleted)
        self._require_seen(fax, owner)
        return fax

    def with_pages(
        self, received_id: int, owner: str | None = None, *, deleted: bool = False
    ) -> tuple[Received, list[ReceivedPageFile]]:
        """A received fax and its pages, in one consistent read.

        ``path`` of a page is relative to the data folder.  Raises NotFoundError; a deleted one is only found
        with ``deleted``.
        """
        fax, pages = self.spool.read(received.with_pages, received_id, deleted=deleted)
        self._require_seen(fax, owner)
        return fax, pages

    def search(self, wanted: ReceivedFilter) -> list[Received]:
        """The received faxes that match, newest first; page on with ``before_id``."""
        if wanted.owner is not None:
            wanted = replace(wanted, owner=None, sight=self.accounts.sight(wanted.owner))
        return self.spool.read(received.search, wanted)

    def pages(self, received_id: int, owner: str | None = None) -> list[ReceivedPageFile]:
        """The pages of a received fax; ``path`` is relative to the data folder.  Raises NotFoundError."""
        return self.with_pages(received_id, owner)[1]

    def open_page(self, page: ReceivedPageFile) -> BinaryIO:
        """Opens the TIFF file of a page.  Raises OSError when it is missing or another page's, TiffError."""
        return page_facts.open_page(self.spool.data, page)

    def page_texts(self, received_id: int) -> list[str]:
        """The recognised text of each page; empty without recognition."""
        return self.spool.read(received.page_texts, received_id)

    def mark_read(self, received_id: int, read: bool = True, owner: str | None = None) -> Received:
        """Marks a received fax as read or unread.  Raises NotFoundError, also for one of another owner."""
        self.get(received_id, owner)
        return self.spool.do(received.mark_read, received_id, read, self.clock())

    def delete(self, received_id: int, owner: str | None = None) -> None:
        """Removes a received fax from all lists.  Raises NotFoundError, IllegalTransitionError."""
        self.get(received_id, owner)
        self.spool.do(received.delete, received_id, self.clock())

    def assign(self, received_id: int, to: str) -> Received:
        """Assigns a received fax to a user."""
        return self.spool.do(received.assign, received_id, to, self.clock())

    def _require_seen(self, fax: Received, owner: str | None) -> None:
        if owner is not None and not self.accounts.sight(owner).covers(fax):
            raise NotFoundError(f"no received fax {fax.id}")
