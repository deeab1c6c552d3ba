"""What webhooks say: one *style* for each interface, so that its clients are told in its own way.

A style is a function of the fax that ended (and the box, for settings) and the secret that signs; it
answers body and headers.  An interface registers its style under the origin that its jobs carry
(``Job.origin``); faxes of other origins, and received ones unless the account says otherwise, are told
in the style ``own``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from appliance.box import Box
from appliance.spool.model import Attempt, Job, Received, ReceivedPageFile

OWN = "own"


@dataclass(frozen=True, slots=True)
class FaxDocument:
    """The fax as a PDF file; without ``content`` when it is too large or no longer there."""

    name: str
    content: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ended:
    """A fax that ended, or of which something else is to be told.

    ``event`` is the event's kind (``job.delivered``, ``job.failed``, ``job.cancelled``, ``job.unknown``,
    ``received.complete``, ``received.partial``; in the box's own style others, too), ``at`` its moment (Unix
    time), ``delivery`` the id of this delivery: the same for every try of it.  ``attempts`` are a job's
    calls, ``pages`` those of a received fax, first to last; ``page``: so many are confirmed, of the event
    ``job.page``; ``document`` is the fax where it was asked for.
    """

    event: str
    at: float
    delivery: int
    fax: Job | Received
    attempts: tuple[Attempt, ...] = ()
    pages: tuple[ReceivedPageFile, ...] = ()
    page: int | None = None
    document: FaxDocument | None = None


@dataclass(frozen=True, slots=True)
class SignedBody:
    """The body of a webhook as it is signed and sent, and its headers, Content-Type among them."""

    body: bytes = field(repr=False)
    headers: Mapping[str, str]


# ``secret`` is the account's key (``ApiKey.webhook_secret``), or the box's for faxes without one.
Style = Callable[[Box, Ended, str], SignedBody]


class Styles:
    """The styles by name; filled by the daemon before the first delivery."""

    def __init__(self) -> None:
        self._styles: dict[str, Style] = {}

    def register(self, name: str, style: Style) -> None:
        """``name`` is an origin, such as ``ifax``.  Raises ValueError for a name that is taken."""
        if name in self._styles:
            raise ValueError(f"two webhook styles are called {name!r}")
        self._styles[name] = style

    def of(self, name: str) -> Style:
        """The style called ``name``, ``own`` for a name that nobody registered."""
        return self._styles.get(name) or self._styles[OWN]
