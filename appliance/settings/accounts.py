"""Users and API keys.  Each has an id that is not used again after its removal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from appliance.settings.fields import NAME_PATTERN, ONE_LINE_PATTERN, setting


class UserRole(Enum):
    """What a user may do."""

    USER = "user"  # a member: sends, and sees their own faxes and those given to them
    READER = "reader"  # reads received faxes, and sends none
    SENDER = "sender"  # sends, and reads no received ones
    ADMIN = "admin"  # may do everything


@dataclass(frozen=True, slots=True)
class User:
    """A person who may sign in."""

    name: str = setting(help="name to sign in with", pattern=NAME_PATTERN)
    password_hash: str = setting("", "scrypt hash; empty: cannot sign in", secret=True)
    role: UserRole = setting(UserRole.USER, "what they may do")
    email: str = setting(
        "", "where results and received faxes can be sent", max_length=254, pattern=ONE_LINE_PATTERN
    )
    full_name: str = setting("", "for cover pages", max_length=100)
    tag: str = setting("", "department: the tag of their faxes that have no other", max_length=60)
    caller_number: str = setting(
        "", "caller id and station id of their faxes, if the box's lines allow it", max_length=32
    )
    cover: str = setting(
        "",
        "cover template of their faxes that name none; standard: the box's own page; empty: no cover page",
        max_length=64,
    )
    pages_per_month: int = setting(0, "pages they may send a month; 0: no limit", minimum=0)
    pages_per_day: int = setting(0, "pages they may send outside a day; 0: no limit", minimum=0)
    minutes_per_day: int = setting(0, "minutes of calls outside they may use a day; 0: no limit", minimum=0)
    keep_days: float = setting(
        0.0,
        "days after which their sent and received faxes are erased for good; 0: as the box's settings say",
        minimum=0,
    )
    reads_numbers: tuple[str, ...] = setting(
        (),
        "for a reader: received faxes to numbers with these beginnings, such as +49301234",
        pattern=r"[+0-9*#]{1,20}",
    )
    reads_of: tuple[str, ...] = setting(
        (), "for a reader: received faxes that were given to these users", pattern=NAME_PATTERN
    )
    disabled: bool = setting(False, "may neither sign in nor send")
    language: str = setting(
        "", "language of their pages and e-mails, such as de; empty: the browser's", pattern="([a-z]{2,3})?"
    )
    totp_secret: str = setting(
        "", "of their authenticator app; empty: they sign in with the password alone", secret=True
    )
    app_step: int = setting(
        0, "the last 30 s since 1970 whose code of the app was used: each is good once", minimum=0
    )
    recovery_codes: tuple[str, ...] = setting((), "hashes of codes for a lost telephone", secret=True)


def language_for(users: Iterable[User], name: str) -> str:
    """The language of the user ``name``, else of the first administrator who chose one; empty without."""
    every = list(users)
    readers = [user for user in every if user.name == name]
    readers += [user for user in every if user.role is UserRole.ADMIN]
    return next((user.language for user in readers if user.language), "")


class Scope(Enum):
    """What an API key permits."""

    SEND = "send"  # send faxes, see and cancel its own
    RECEIVE = "receive"  # list and read received faxes
    MONITOR = "monitor"  # read the figures for monitoring
    ADMIN = "admin"  # everything, settings included


ROLE_SCOPES: dict[UserRole, frozenset[Scope]] = {
    UserRole.ADMIN: frozenset({Scope.ADMIN}),
    UserRole.USER: frozenset({Scope.SEND, Scope.RECEIVE}),
    UserRole.READER: frozenset({Scope.RECEIVE}),
    UserRole.SENDER: frozenset({Scope.SEND}),
}


class WebhookEvent(Enum):
    """Events that webhooks of the box's own style can get."""

    QUEUED = "queued"  # handed in
    HELD = "held"  # waits for a person
    WAITING = "waiting"  # for its first call, or for the next
    STARTED = "started"  # a call begins
    PAGE = "page"  # the far machine has confirmed one
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    RECEIVED = "received"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of the programming interfaces; the token itself is shown once and never stored."""

    name: str = setting(help="what the key is for", pattern=NAME_PATTERN)
    token_hash: str = setting(help="SHA-256 of the token", secret=True)
    owner: str = setting("", "user whose faxes it handles; empty: its own name", max_length=64)
    scopes: tuple[Scope, ...] = setting((Scope.SEND, Scope.RECEIVE), "what it may do")
    cover: str = setting("", "for a key without a user: as a user's", max_length=64)
    pages_per_month: int = setting(0, "pages it may send a month; 0: no limit", minimum=0)
    pages_per_day: int = setting(0, "pages it may send outside a day; 0: no limit", minimum=0)
    minutes_per_day: int = setting(0, "minutes of calls outside it may use a day; 0: no limit", minimum=0)
    webhook_secret: str = setting("", "signs the webhooks of its faxes; empty: the box's", secret=True)
    webhook_url: str = setting(
        "", "gets a webhook for every fax of this key that ends", url=True, max_length=2000
    )
    webhook_style: str = setting(
        "",
        "the webhook's style: own, ifax, ictfax; empty: that of the interface that the fax came by",
        pattern=r"[a-z]{0,20}",
    )
    webhook_events: tuple[WebhookEvent, ...] = setting(
        (), "the events to report; empty: faxes that ended and received ones"
    )
    webhook_pdf: bool = setting(False, "webhooks in the box's own style include the fax as PDF")
    created_at: float = setting(0.0, "Unix time")
    disabled: bool = setting(False, "refused")

    @property
    def account(self) -> str:
        """The name of the owner of its faxes."""
        return self.owner or self.name


def scopes_of_key(key: ApiKey, user: User | None) -> frozenset[Scope]:
    """What a key may do: no more than the ``user`` whose faxes it handles, if that is a user.

    A key that was made for an administrator may have any scope.  A disabled key, and a disabled user's,
    has none.
    """
    if key.disabled or (user is not None and user.disabled):
        return frozenset()
    allowed = ROLE_SCOPES[user.role] if user is not None else frozenset({Scope.ADMIN})
    if Scope.ADMIN in allowed or Scope.ADMIN in key.scopes:
        return frozenset(key.scopes)
    return frozenset(key.scopes) & (allowed | {Scope.MONITOR})
