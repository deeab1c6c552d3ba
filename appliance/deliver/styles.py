"""The bodies of webhooks: one *style* for each interface, so that its clients get the format they expect.

A style is a function of the box, the event of a fax, and the secret that signs; it returns body and headers.
An interface registers its style under the origin that its jobs carry (``Job.origin``); faxes of other
origins, and received ones unless the account says otherwise, are told in the style ``own``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from appliance.box import Box
from appliance.spool.model import Attempt, Job, Received, ReceivedPageFile

OWN = "own"


@dataclass(frozen=True, slots=True)
class FaxDocument:
    """The fax as a PDF; ``content`` is None when it is too large or no longer exists."""

    name: str
    content: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class FaxEvent:
    """An event of a fax that is to be told, usually its end.

    ``event`` is its kind (``job.delivered``, ``job.failed``, ``job.cancelled``, ``job.unknown``,
    ``received.complete``, ``received.partial``; in the box's own style also others), ``at`` its Unix time,
    ``delivery`` the id of this delivery, the same for every try.  ``attempts`` are a job's calls, ``pages``
    those of a received fax, in order; ``page``: of the event ``job.page``, how many pages are confirmed;
    ``document`` is the fax, where it was asked for.
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
    """The body of a webhook exactly as it was signed, and its headers, Content-Type included."""

    body: bytes = field(repr=False)
    headers: Mapping[str, str]


# The secret is the account's (``ApiKey.webhook_secret``), or the box's for faxes without an account.
Style = Callable[[Box, FaxEvent, str], SignedBody]


class Styles:
    """The styles by name; filled by the daemon before the first delivery."""

    def __init__(self) -> None:
        self._styles: dict[str, Style] = {}

    def register(self, name: str, style: Style) -> None:
        """Adds a style under an origin such as ``ifax``.  Raises ValueError for a name in use."""
        if name in self._styles:
            raise ValueError(f"two webhook styles are called {name!r}")
        self._styles[name] = style

    def of(self, name: str) -> Style:
        """The style ``name``, the style ``own`` for a name that is not registered."""
        return self._styles.get(name) or self._styles[OWN]
