"""The things the owner keeps lists of: users, keys, lines, contacts, cover templates.

One kind is one frozen dataclass; ``COLLECTIONS`` at the end names them all.  Each item has an id
that is never used again after it was removed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from appliance.settings.delivery import JunkRule, Route
from appliance.settings.fields import setting

# A name that stands in paths, scopes and reports.
NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._@ -]{0,63}"


# The box's own cover page, as a template's name.
STANDARD_COVER = "standard"


class Role(Enum):
    ADMIN = "admin"  # may do everything
    USER = "user"  # a member: sends, and sees their own faxes and those given to them
    READER = "reader"  # reads received faxes, and sends none
    SENDER = "sender"  # sends, and reads no received ones


@dataclass(frozen=True, slots=True)
class User:
    """Someone who may sign in."""

    name: str = setting(help="name to sign in with", pattern=NAME_PATTERN)
    password_hash: str = setting("", "scrypt hash; empty: cannot sign in", secret=True)
    role: Role = setting(Role.USER, "what they may do")
    email: str = setting("", "where results and received faxes can be sent", max_length=254)
    full_name: str = setting("", "for cover pages", max_length=100)
    tag: str = setting("", "department: the tag of their faxes that have no other", max_length=60)
    caller_number: str = setting(
        "", "caller id and station id of their faxes, if the box's lines allow it", max_length=32
    )
    cover: str = setting(
        "",
        "cover template before each of their faxes that names none; standard: the box's "
        "own page; empty: no cover page",
        max_length=64,
    )
    pages_per_month: int = setting(0, "pages they may send a month; 0: no limit", minimum=0)
    disabled: bool = setting(False, "may not sign in nor send")
    language: str = setting(
        "", "language of their pages and e-mails, such as de; empty: the browser's", pattern="([a-z]{2,3})?"
    )
    totp_secret: str = setting(
        "", "of their authenticator app; empty: they sign in with the password alone", secret=True
    )
    recovery_codes: tuple[str, ...] = setting((), "hashes of codes for a lost telephone", secret=True)


class Scope(Enum):
    """What an API key is good for."""

    SEND = "send"  # send faxes, see and cancel its own
    RECEIVE = "receive"  # list and read received faxes
    MONITOR = "monitor"  # read the figures for monitoring
    ADMIN = "admin"  # everything, settings included


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of the programming interfaces; the token itself is shown once and never stored."""

    name: str = setting(help="what the key is for", pattern=NAME_PATTERN)
    token_hash: str = setting(help="SHA-256 of the token", secret=True)
    owner: str = setting("", "user whose faxes it handles; empty: its own name", max_length=64)
    scopes: tuple[Scope, ...] = setting((Scope.SEND, Scope.RECEIVE), "what it may do")
    cover: str = setting("", "for a key of no user: as a user's", max_length=64)
    pages_per_month: int = setting(0, "pages it may send a month; 0: no limit", minimum=0)
    webhook_secret: str = setting("", "signs the webhooks of its faxes; empty: the box's", secret=True)
    webhook_url: str = setting("", "told of every fax of this key that ends", max_length=2000)
    webhook_style: str = setting(
        "",
        "in the way of which interface: own, ifax, ictfax; empty: the one that the fax came by",
        pattern=r"[a-z]{0,20}",
    )
    created_at: float = setting(0.0, "Unix time")
    disabled: bool = setting(False, "refused")

    @property
    def account(self) -> str:
        """The owner name its faxes run under."""
        return self.owner or self.name


class LineType(Enum):
    SIP = "sip"  # a trunk, with T.38, fax tones in audio, or both
    MODEM = "modem"  # class 1, on a telephone line


class Media(Enum):
    """How faxes travel over a SIP trunk."""

    BOTH = "both"  # T.38, and audio where the other side does not take it
    T38 = "t38"
    G711 = "g711"


class DialForm(Enum):
    """How a line wants numbers that are known in full."""

    E164_PLUS = "e164_plus"  # +4930123
    E164 = "e164"  # 4930123
    INTERNATIONAL = "international"  # 004930123
    NATIONAL = "national"  # 030123, abroad with the international prefix


class Identity(Enum):
    """How a trunk is told who calls (RFC 3325)."""

    NONE = "none"
    ASSERTED = "asserted"
    PREFERRED = "preferred"


class ModemFlow(Enum):
    """How a modem holds back the bytes of a page."""

    AUTO = "auto"  # as is known of the modem
    RTS_CTS = "rts/cts"
    NONE = "none"  # modems on USB that do it themselves


class Correction(Enum):
    """T.38's error correction as we offer it."""

    REDUNDANCY = "redundancy"
    FEC = "fec"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class LineEntry:
    """A line.  ``position`` orders the lines: smaller ones are tried first."""

    name: str = setting(help="name of the line", pattern=r"[A-Za-z0-9][A-Za-z0-9._ -]{0,39}")
    type: LineType = setting(help="a SIP trunk or a modem")
    enabled: bool = setting(True, "in use")
    position: int = setting(100, "lines are tried in this order, smaller first", minimum=0, maximum=10000)
    send: bool = setting(True, "place calls on this line")
    receive: bool = setting(True, "answer calls on this line")
    calls_at_once: int = setting(2, "SIP: calls at once", minimum=1, maximum=120)
    allow: tuple[str, ...] = setting(
        (), "only numbers that begin so go over this line; empty: all", pattern=r"[+0-9*#]{1,20}"
    )
    deny: tuple[str, ...] = setting(
        (), "numbers that begin so never go over this line", pattern=r"[+0-9*#]{1,20}"
    )
    caller_number: str = setting("", "caller id on this line", pattern=r"\+?[0-9*#]{0,20}")
    caller_name: str = setting("", "SIP: caller name on this line", max_length=60)
    country_code: str = setting("", "country the line is in, digits only, such as 49", pattern=r"[0-9]{0,4}")
    area_code: str = setting("", "SIP: area code without its 0, for local numbers", pattern=r"[0-9]{0,8}")
    form: DialForm = setting(DialForm.E164_PLUS, "SIP: the form in which the trunk wants numbers")
    international_prefix: str = setting("00", "dialled for the + of other countries", pattern=r"[0-9]{0,6}")
    national_prefix: str = setting("0", "dialled before area codes", pattern=r"[0-9]{0,4}")
    outside_prefix: str = setting(
        "",
        "dialled before every number; on a modem a comma is a pause, W waits for dial tone",
        pattern=r"[0-9*#,W]{0,8}",
    )
    server: str = setting("", "SIP: the trunk's host, or host:port", max_length=255)
    transport: str = setting("udp", "SIP: udp, tcp or tls", pattern="udp|tcp|tls")
    register: bool = setting(True, "SIP: sign in at the trunk when there is a user name")
    username: str = setting("", "SIP: user name of the account", max_length=120)
    auth_username: str = setting("", "SIP: user name for signing in, when it is another", max_length=120)
    password: str = setting("", "SIP: password of the account", secret=True, max_length=120)
    outbound_proxy: str = setting("", "SIP: host or host:port that everything goes through", max_length=255)
    peers: tuple[str, ...] = setting(
        (), "SIP: addresses, networks or names that may call, besides the server", max_length=255
    )
    public_address: str = setting("", "SIP: our address as the trunk sees it; empty: our own", max_length=45)
    verify_tls: bool = setting(True, "SIP: check the trunk's certificate")
    use_stun: bool = setting(False, "SIP: ask a STUN server for our address")
    from_domain: str = setting("", "SIP: domain of our own address, if not the server's", max_length=255)
    from_user_is_account: bool = setting(False, "SIP: the trunk wants the user name in From")
    identity: Identity = setting(Identity.NONE, "SIP: the header that says who calls, beside From")
    session_s: int = setting(
        1800, "SIP: a session is refreshed within so many seconds", minimum=90, maximum=7200
    )
    t38_calling_s: float = setting(
        6.0,
        "SIP: ask for T.38 so long after the answer to our call, s; 0: leave it to the other side",
        minimum=0,
        maximum=30,
    )
    t38_answering_s: float = setting(2.0, "SIP: the same for calls that come in, s", minimum=0, maximum=30)
    error_correction: Correction = setting(Correction.REDUNDANCY, "T.38: how packets are protected")
    redundancy: int = setting(3, "T.38: earlier packets repeated in each", minimum=0, maximum=8)
    media: Media = setting(Media.BOTH, "SIP: T.38, audio (G.711), or T.38 with audio to fall back on")
    device: str = setting(
        "", "modem: its port, such as /dev/ttyACM0; empty: any that is found", max_length=255
    )
    rings: int = setting(
        2, "modem: answer on this ring; 2 lets the caller's number arrive", minimum=1, maximum=10
    )
    ring_kinds: tuple[str, ...] = setting(
        (),
        "modem: answer only these distinctive rings, as the modem names them (A, B, …); empty: any",
        pattern=r"[A-Za-z0-9]{1,8}",
    )
    pulse: bool = setting(False, "modem: dial by pulses")
    blind: bool = setting(False, "modem: do not wait for a dial tone")
    modem_speed: int | None = setting(
        None,
        "modem: bit/s between the box and the modem; none: as is known of the modem",
        minimum=9600,
        maximum=921_600,
    )
    modem_flow: ModemFlow = setting(ModemFlow.AUTO, "modem: how it holds back the bytes of a page")
    modem_quirks: tuple[str, ...] = setting(
        (),
        "modem: what it does differently, laid over what is known of it, such as training_ms=400 "
        "(docs/modems.md has all)",
        pattern=r"[a-z0-9_]{1,40}=[ -~]{1,100}",
    )


@dataclass(frozen=True, slots=True)
class Contact:
    """Someone in the phone book."""

    number: str = setting(help="fax number", max_length=64)
    first_name: str = setting("", "given name", max_length=100)
    last_name: str = setting("", "family name", max_length=100)
    company: str = setting("", "company or department", max_length=100)
    email: str = setting("", "e-mail address", max_length=254)
    notes: str = setting("", "for people only", max_length=2000)
    owner: str = setting("", "user it belongs to; empty: everyone", max_length=64)

    @property
    def name(self) -> str:
        return " ".join(part for part in (self.first_name, self.last_name) if part) or self.company


@dataclass(frozen=True, slots=True)
class ContactGroup:
    """Contacts that are written to together."""

    name: str = setting(help="name of the group", max_length=100)
    contact_ids: tuple[int, ...] = setting((), "ids of contacts")
    owner: str = setting("", "user it belongs to; empty: everyone", max_length=64)


@dataclass(frozen=True, slots=True)
class CoverTemplate:
    """A cover page."""

    name: str = setting(
        help="name of the template; not standard, which is the box's own page", pattern=NAME_PATTERN
    )
    html: str = setting(
        "",
        "the page: simple HTML with fields such as {{subject}}; empty: the box's own page",
        max_length=200_000,
    )


COLLECTIONS: dict[str, type] = {
    "users": User,
    "keys": ApiKey,
    "lines": LineEntry,
    "contacts": Contact,
    "groups": ContactGroup,
    "covers": CoverTemplate,
    "routes": Route,
    "junk": JunkRule,
}
# Kept in a file of their own, so that a change of the settings does not rewrite a long phone book.
PHONEBOOK = frozenset({"contacts", "groups"})
