"""A request as the operations see it: message, client, printer, document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from appliance.api.ipp.printers import FaxPrinter
from appliance.documents.options import clean_line
from appliance.ipp.model import Attributes, GroupTag, Message, Value


@dataclass(frozen=True, slots=True)
class Client:
    """The client.  ``owner`` returns the account that owns its faxes; called when they are made.

    ``require_still`` raises RefusedError when a sign-in may do less than when the request began.
    ``base``, ``web``: addresses of the door and of the box's pages.  ``security``: how users authenticate,
    and the connection's encryption, in IPP's words.
    """

    person: str
    computer: str
    owner: Callable[[], str]
    require_still: Callable[[], None]
    proved: bool  # whether a password was given
    base: str
    web: str
    security: tuple[str, str]


@dataclass(frozen=True, slots=True)
class PrinterRequest:
    """One request; ``job_id`` when the address names a job."""

    message: Message
    printer: FaxPrinter
    client: Client
    document: Iterator[bytes]
    job_id: int | None = None

    @property
    def operation(self) -> Attributes:
        """The operation attributes."""
        return self.message.group(GroupTag.OPERATION)

    def value(self, name: str) -> Value | None:
        """The first value of an operation attribute, None without."""
        values = self.operation.get(name)
        return values[0] if values else None

    def text(self, name: str) -> str:
        """The first value of an operation attribute as one line of text, empty without."""
        value = self.value(name)
        return clean_line(value.text) if value is not None else ""

    def wanted(self, default: frozenset[str]) -> frozenset[str]:
        """The names in ``requested-attributes``, else ``default``."""
        values = self.operation.get("requested-attributes", ())
        return frozenset(each.text for each in values) or default
