"""Settings of deliveries: webhooks, e-mail both ways, routes of received faxes, junk rules."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from appliance.language import said
from appliance.remarks import Rule
from appliance.settings.fields import ONE_LINE_PATTERN, setting

# RFC 5321 4.5.3.1 leaves 254 characters for an address; owners write no quoted ones.
ADDRESS_LIMIT = 254
ADDRESS_PATTERN = r"[^\s@<>\",;:]{1,64}@[^\s@<>\",;:]{1,189}"
# An address, or "@domain" for all addresses of a domain.
SENDER_PATTERN = r"[^\s@<>\",;:]{0,64}@[^\s@<>\",;:]{1,189}"
FOLDER_PATTERN = r"[ !#-\[\]-~]{0,200}"  # printable ASCII without quotation marks and backslashes
HOST_PATTERN = r"[A-Za-z0-9._:-]{0,255}"
# The beginning of a number; "*" stands for a caller who withholds it.
PREFIX_PATTERN = r"[+0-9*#]{1,20}"
DAY_S = 86_400


def network_problem(text: str) -> str | None:
    """What is wrong with an address or network such as 192.168.1.0/24; None when nothing is."""
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        sentence = said("{text} is neither an address nor a network such as 192.168.1.0/24")
        return sentence.format(text=repr(text))
    return None


def _each(check: Callable[[str], str | None]) -> Callable[[tuple[str, ...]], str | None]:
    return lambda entries: next((problem for entry in entries if (problem := check(entry))), None)


class Security(Enum):
    """How a connection to a mail server is encrypted."""

    STARTTLS = "starttls"  # begins unencrypted, must change to TLS before anything else is said
    TLS = "tls"
    NONE = "none"  # unencrypted: only within one's own network


class Results(Enum):
    """When a person is told how their fax ended."""

    NEVER = "never"
    FAILED = "failed"  # also when it is unknown whether the fax arrived
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class DeliverySettings:
    """When deliveries are tried again.  A timetable's entries are waits in seconds after a failed try."""

    webhook_waits: tuple[float, ...] = setting(
        (300.0, 600.0, 1200.0, 1800.0, 3600.0),
        "waits after a webhook's failed tries, s",
        minimum=1,
        maximum=7 * DAY_S,
    )
    email_waits: tuple[float, ...] = setting(
        (60.0, 300.0, 900.0, 3600.0, 14400.0, 43200.0),
        "waits after an e-mail's failed tries, s",
        minimum=1,
        maximum=7 * DAY_S,
    )
    folder_waits: tuple[float, ...] = setting(
        (60.0, 300.0, 900.0, 3600.0, 14400.0, 43200.0),
        "waits when a folder could not be written, s",
        minimum=1,
        maximum=7 * DAY_S,
    )
    printer_waits: tuple[float, ...] = setting(
        (60.0, 60.0, 300.0, 900.0, 3600.0, 14400.0, 43200.0),
        "waits when a fax could not be printed, s",
        minimum=1,
        maximum=7 * DAY_S,
    )
    webhook_s: float = setting(20.0, "longest that one try of a webhook may take, s", minimum=1, maximum=60)
    webhook_pdf_mb: float = setting(
        10.0, "larger PDFs are left out of webhooks that include the fax, MB", minimum=0.1, maximum=50
    )
    at_once: int = setting(4, "deliveries under way at once", minimum=1, maximum=16)

    def waits(self, kind: str) -> tuple[float, ...]:
        """The waits between the tries of a delivery of this kind (``webhook``, ``email`` …), s."""
        waits: tuple[float, ...] = getattr(self, f"{kind}_waits")
        return waits


class Sides(Enum):
    """One-sided or two-sided printing, in IPP's words (RFC 8011 5.2.8)."""

    ONE = "one-sided"
    LONG_EDGE = "two-sided-long-edge"
    SHORT_EDGE = "two-sided-short-edge"


@dataclass(frozen=True, slots=True)
class PaperSettings:
    """What the box prints on its own printers."""

    sides: Sides = setting(Sides.ONE, "received faxes on one side of the paper or on both")
    note: bool = setting(False, "above each page of a received fax a line says from whom and when it came")
    reports: Results = setting(Results.NEVER, "print a report when a fax that was sent has ended")
    reports_printer: str = setting(
        "", "CUPS printer for reports; empty: CUPS' default printer", pattern=r"[!-~]{0,127}"
    )
    language: str = setting(
        "", "language of what is printed, such as de; empty: the owner's", pattern="([a-z]{2,3})?"
    )


@dataclass(frozen=True, slots=True)
class MailOutSettings:
    """The mail server that takes what the box sends."""

    server: str = setting("", "host of the mail server; empty: the box sends no e-mail", pattern=HOST_PATTERN)
    port: int = setting(587, "its port: 587 with starttls, 465 with tls", minimum=1, maximum=65535)
    security: Security = setting(Security.STARTTLS, "encryption of the connection")
    verify_tls: bool = setting(True, "check the server's certificate")
    username: str = setting("", "user name to sign in with; empty: does not sign in", max_length=254)
    password: str = setting("", "password to sign in with", secret=True, max_length=254)
    sender: str = setting("", "address that the box's e-mails come from", pattern=f"({ADDRESS_PATTERN})?")
    sender_name: str = setting("faxbox", "name beside that address", max_length=60)
    results: Results = setting(
        Results.FAILED, "tell users by e-mail how their faxes ended; who faxed by e-mail is always told"
    )
    received_to: tuple[str, ...] = setting(
        (),
        "addresses for received faxes that no route and no user's address covers",
        pattern=ADDRESS_PATTERN,
    )
    attach_mb: float = setting(
        15.0, "larger PDFs are not attached, the e-mail says where they are, MB", minimum=0.1, maximum=100
    )


@dataclass(frozen=True, slots=True)
class MailInSettings:
    """E-mail to fax: who may send, and how an e-mail names the number."""

    domain: str = setting("fax.box", "an e-mail to NUMBER@domain is faxed to NUMBER", pattern=HOST_PATTERN)
    senders: tuple[str, ...] = setting(
        (), "addresses, or @domain, that may send besides the users' own addresses", pattern=SENDER_PATTERN
    )
    owner: str = setting("email", "user who owns the faxes of these senders", max_length=64)
    cover: bool = setting(True, "the e-mail's text becomes a cover page; no: it becomes pages of its own")
    bad_attachments: Rule = setting(
        Rule.REFUSE,
        "an attachment cannot be faxed: refuse the e-mail, or send or hold the rest; its name is reported",
    )
    message_mb: int = setting(30, "largest e-mail, MB", minimum=1, maximum=100)
    recipients: int = setting(15, "fax numbers in one e-mail", minimum=1, maximum=100)
    listen: bool = setting(False, "take e-mail by SMTP from devices and programs on the local network")
    listen_bind: str = setting("0.0.0.0", "address of the interface to listen on", max_length=45)
    listen_port: int = setting(2525, "port to listen on", minimum=0, maximum=65535)
    networks: tuple[str, ...] = setting(
        (),
        "addresses or networks that may connect, such as 192.168.1.0/24; empty: nobody",
        max_length=49,
        check=_each(network_problem),
    )
    imap_server: str = setting("", "host of a mailbox to collect from; empty: none", pattern=HOST_PATTERN)
    imap_port: int = setting(993, "its port: 993 with tls, 143 with starttls", minimum=1, maximum=65535)
    imap_security: Security = setting(Security.TLS, "encryption of the connection")
    imap_verify_tls: bool = setting(True, "check the server's certificate")
    imap_username: str = setting("", "user name of the mailbox", max_length=254, pattern=ONE_LINE_PATTERN)
    imap_password: str = setting("", "password of the mailbox", secret=True, max_length=254)
    imap_folder: str = setting("INBOX", "folder with the e-mails to fax", pattern=FOLDER_PATTERN)
    imap_done: str = setting(
        "Faxed", "folder that e-mails are moved to afterwards; empty: deleted", pattern=FOLDER_PATTERN
    )
    imap_poll_s: float = setting(60.0, "how often to look, s", minimum=5, maximum=DAY_S)
    imap_verified_by: str = setting(
        "",
        "name that the mailbox's server gives itself in Authentication-Results; when set, only e-mail "
        "that passed DMARC, as it says, is taken, since senders are easily forged",
        pattern=HOST_PATTERN,
    )


@dataclass(frozen=True, slots=True)
class DeliveryRoute:
    """What happens to received faxes that match.  All conditions must match; empty ones match every fax."""

    name: str = setting(help="what the rule is for", max_length=100)
    enabled: bool = setting(True, "in use")
    position: int = setting(100, "routes are tried in this order, smaller first", minimum=0, maximum=10000)
    dialled: tuple[str, ...] = setting(
        (), "the number dialled begins with one of these", pattern=PREFIX_PATTERN
    )
    caller: tuple[str, ...] = setting(
        (), "the caller's number begins with one of these; * for callers without one", pattern=PREFIX_PATTERN
    )
    tsi: tuple[str, ...] = setting(
        (),
        "the station id that the sender gave (TSI) begins with one of these; blanks are ignored",
        pattern=PREFIX_PATTERN,
    )
    sub_address: tuple[str, ...] = setting(
        (), "the sub-address (SUB) is one of these", pattern=r"[0-9*# ]{1,20}"
    )
    line: tuple[str, ...] = setting((), "it came in on one of these lines", max_length=40)
    barcode: tuple[str, ...] = setting(
        (),
        "a barcode or QR code on the first page begins with one of these (needs zxing-cpp)",
        max_length=100,
    )
    words: tuple[str, ...] = setting(
        (), "one of these is on the first page (needs Debian's tesseract-ocr)", max_length=100
    )
    user: str = setting("", "gives the fax to this user", max_length=64)
    emails: tuple[str, ...] = setting((), "sends it to these addresses as PDF", pattern=ADDRESS_PATTERN)
    webhook_url: str = setting("", "sends a webhook to this address", url=True, max_length=2000)
    webhook_style: str = setting("own", "the webhook's style: own, ifax, ictfax", pattern=r"[a-z]{1,20}")
    webhook_pdf: bool = setting(False, "webhooks in the box's own style include the fax as PDF")
    folder: str = setting("", "puts it in this folder, which must exist, as PDF", pattern=r"(/.{0,499})?")
    keep_days: float = setting(
        0.0, "days after which the fax is erased for good; 0: as the box's settings say", minimum=0
    )
    printer: str = setting("", "prints it on this CUPS printer", pattern=r"[!-~]{0,127}")
    last: bool = setting(True, "no further route is tried")


@dataclass(frozen=True, slots=True)
class JunkRule:
    """Calls that are refused before they are answered.  A condition is needed; empty ones match all."""

    name: str = setting(help="what the rule is for", max_length=100)
    enabled: bool = setting(True, "in use")
    caller: tuple[str, ...] = setting(
        (), "the caller's number begins with one of these; * for callers without one", pattern=PREFIX_PATTERN
    )
    caller_name: str = setting("", "the caller's name contains one of these", max_length=60)
    dialled: tuple[str, ...] = setting(
        (), "the number dialled begins with one of these", pattern=PREFIX_PATTERN
    )
    line: tuple[str, ...] = setting((), "it comes in on one of these lines", max_length=40)
    allow: bool = setting(False, "matching calls are taken whatever other rules say")
