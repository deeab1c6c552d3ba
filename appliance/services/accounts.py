"""``Accounts``: users and keys as owners of faxes: their defaults, their quotas and their use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from appliance.lines.settings import LineSettings
from appliance.numbering.caller_id_policy import may_show
from appliance.settings.accounts import ApiKey, User, UserRole
from appliance.settings.secrets import user_named
from appliance.settings.store import SettingsStore
from appliance.spool import jobs, ledger
from appliance.spool.filters import Sight
from appliance.spool.remembered import Usage
from appliance.spool.store import Spool
from appliance.station import StationSettings


@dataclass(frozen=True, slots=True)
class Quota:
    """What a user, or a key, may use; 0: no limit.  ``key``: empty for a user."""

    owner: str
    key: str
    pages_a_month: int
    pages_a_day: int
    seconds_a_day: float

    @property
    def scope(self) -> str:
        """The scope under which use is counted (``appliance.spool.ledger.scopes``)."""
        return f"key:{self.key}" if self.key else f"owner:{self.owner}"

    @property
    def outside(self) -> str:
        """The scope of calls that leave the box."""
        return f"outside:key:{self.key}" if self.key else f"outside:{self.owner}"


def quota_of(owner: str, key: str, entry: User | ApiKey) -> Quota:
    """What ``owner``, or their ``key``, may use by its ``entry`` in the settings."""
    return Quota(owner, key, entry.pages_per_month, entry.pages_per_day, 60.0 * entry.minutes_per_day)


@dataclass(frozen=True, slots=True)
class Accounts:
    """The users and keys of the box.  ``counted`` gives the Unix time on whose day use is counted."""

    settings: SettingsStore
    spool: Spool
    counted: Callable[[], float]

    def user(self, name: str) -> User | None:
        """The user of this name; None when there is none."""
        return user_named(self.settings, name)

    def sight(self, owner: str) -> Sight:
        """The received faxes that ``owner`` may see: a reader's are configured; others see their own and
        unassigned ones.
        """
        user = self.user(owner)
        if user is None or user.role is not UserRole.READER:
            return Sight((owner,), unassigned=True)
        return Sight((owner, *user.reads_of), user.reads_numbers)

    def may_send(self, owner: str) -> bool:
        """Whether the role of ``owner`` allows sending, through any door."""
        user = self.user(owner)
        return user is None or user.role is not UserRole.READER

    def is_disabled(self, owner: str, key: str) -> bool:
        """Whether the user, or the key by which something was handed in, is disabled."""
        user = self.user(owner)
        keys = self.settings.items(ApiKey).values()
        return (user is not None and user.disabled) or any(
            entry.disabled for entry in keys if key and entry.name == key
        )

    def usual_tag(self, owner: str) -> str:
        """The default tag of this owner's faxes."""
        user = self.user(owner)
        return user.tag if user is not None else ""

    def usual_cover(self, owner: str) -> str:
        """The default cover template of this owner's faxes; empty for no cover page."""
        user = self.user(owner)
        if user is not None:
            return user.cover
        keys = self.settings.items(ApiKey).values()
        return next((key.cover for key in keys if key.account == owner and key.cover), "")

    def shown_number(self, owner: str, wanted: str) -> str | None:
        """``wanted`` as it is shown to others, None when it is no number of the box or of ``owner``."""
        station = self.settings.section(StationSettings)
        known = [station.caller_number, station.station_id, *station.further_numbers]
        known += [line.caller_number for line in self.settings.items(LineSettings).values()]
        user = self.user(owner)
        return may_show(wanted, [*known, user.caller_number] if user is not None else known)

    def quotas(self, owner: str, key: str) -> list[Quota]:
        """What the owner and the key may use."""
        users = self.settings.items(User).values()
        keys = self.settings.items(ApiKey).values()
        return [
            *(quota_of(owner, "", user) for user in users if user.name == owner),
            *(quota_of(entry.account, key, entry) for entry in keys if key and entry.name == key),
        ]

    def pages_committed(self, quota: Quota) -> int:
        """Pages sent this month, and those of unfinished faxes."""
        return self.pages_this_month(quota.scope) + self.spool.read(
            jobs.pages_in_hand, quota.owner, quota.key
        )

    def pages_this_month(self, scope: str) -> int:
        """Pages sent this month by ``owner:NAME``, ``key:NAME`` or ``box``."""
        day = ledger.day_of(self.counted())
        return self.spool.read(ledger.usage, scope, f"{day[:7]}-01", day).pages

    def used_today(self, scope: str) -> Usage:
        """Calls, pages and seconds of today."""
        return self.spool.read(ledger.usage, scope, ledger.day_of(self.counted()))
