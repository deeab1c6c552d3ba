"""``Rules``: the one place where number, caller id, cover page, quota and space are checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from appliance.causes import Cause, CauseError
from appliance.documents.settings import STANDARD_COVER, CoverTemplate
from appliance.language import ngettext, one_line, said
from appliance.lines.causes import NUMBER_NOT_ALLOWED
from appliance.lines.practice.settings import PracticeSettings
from appliance.lines.settings import LineSettings
from appliance.numbering.caller_id_policy import as_station_id
from appliance.numbers import Number, NumberSettings, permitted, plan_for, read_number
from appliance.services.accounts import Accounts
from appliance.services.causes import CALLER_NOT_ALLOWED, COVER_TEMPLATE_GONE, QUOTA_SPENT
from appliance.settings.store import SettingsStore
from appliance.spool.causes import INDEX_DAMAGED
from appliance.spool.errors import NotFoundError
from appliance.spool.model import Job, Recipient
from appliance.spool.options import Cover, SendOptions
from appliance.spool.room import RoomGuard
from appliance.spool.settings import StorageSettings

Clock = Callable[[], float]  # Unix time


class RefusedError(CauseError):
    """The box refuses this:  ``cause`` is the row with the reason, ``detail`` says what it was about."""


class _Owned(Protocol):
    @property
    def id(self) -> int: ...

    @property
    def owner(self) -> str: ...


OwnedT = TypeVar("OwnedT", bound=_Owned)


def require_owned(found: OwnedT, owner: str | None, word: str) -> OwnedT:
    """``found``, which belongs to ``owner`` unless that is None.  Raises NotFoundError, whose text, with
    ``word`` for it, is the spool's for what does not exist.
    """
    if owner is not None and found.owner != owner:
        raise NotFoundError(f"no {word} {found.id}")
    return found


@dataclass(frozen=True, slots=True)
class To:
    """A recipient as somebody wrote it."""

    number: str
    name: str = ""
    company: str = ""


# The fields of a cover page that are one line.
_COVER_LINES = ("subject", "from_name", "to_name", "to_company")


@dataclass
class Rules:
    """The rules for every door.  ``practice_numbers``: the numbers of the practice line."""

    settings: SettingsStore
    accounts: Accounts
    guard: RoomGuard
    whole: Callable[[], bool]  # whether the index of the faxes is undamaged
    practice_numbers: frozenset[str] = field(default=frozenset())

    def require_room(self, octets: int = 0) -> None:
        """Checks that the box can store ``octets`` more; to be called before anything is accepted.

        Raises DiskFullError when that would use the reserve, RefusedError while the index of the faxes is
        damaged.
        """
        if not self.whole():
            raise RefusedError(INDEX_DAMAGED)
        self.guard.require(self.settings.section(StorageSettings).reserve_mb, octets)

    def require_quota(self, owner: str, key: str = "", pages: int = 1) -> None:
        """Raises RefusedError when ``pages`` more exceed the quota of the owner or the key.

        Pages of unfinished faxes count as sent.  The dispatcher checks again when the number of pages is
        known.
        """
        for quota in self.accounts.quotas(owner, key):
            month = quota.pages_a_month
            if month:
                left = max(month - self.accounts.pages_committed(quota), 0)
                if pages > left:
                    raise RefusedError(
                        QUOTA_SPENT,
                        said("({left} of {month} pages left this month)").format(left=left, month=month),
                    )
            if quota.pages_a_day and pages > quota.pages_a_day:
                raise RefusedError(
                    QUOTA_SPENT,
                    ngettext("({count} page a day)", "({count} pages a day)", quota.pages_a_day).format(
                        count=quota.pages_a_day
                    ),
                )

    def number(self, written: str, lines: Sequence[str] = ()) -> Number:
        """The meaning of a written number on the line that will carry its call: the first that may.

        ``lines`` are the names that the sender asked for.  Raises RefusedError for a number that is not
        dialled.
        """
        practice = self.practice_numbers if self.settings.section(PracticeSettings).enabled else frozenset()
        numbers = self.settings.section(NumberSettings)
        found: Number | Cause | None = None
        for entry in self._senders(lines):
            plan = plan_for(numbers, entry)
            read = read_number(written, numbers, practice, plan)
            found = found or read
            if isinstance(read, Cause) or permitted(read.dial, entry.allow, entry.deny, plan):
                found = read
                break
        if found is None:
            found = read_number(written, numbers, practice)
        if isinstance(found, Cause):
            raise RefusedError(found, f"({written[:64]})")
        return found

    def contact_number(self, written: str) -> str:
        """The normalised form of a number for the phone book, which may contain numbers that must not be
        dialled.

        Raises RefusedError for a number that cannot be read, so that the mistake shows before the next fax,
        and for an emergency number, to which nobody sends a fax.
        """
        try:
            return self.number(written).dial
        except RefusedError as error:
            if error.cause is not NUMBER_NOT_ALLOWED:
                raise
            return "".join(letter for letter in written if letter.isalnum() or letter in "+*#")

    def _senders(self, names: Sequence[str]) -> list[LineSettings]:
        """The lines that place calls, in the order in which they are tried; only those in ``names`` if
        there are any.
        """
        entries = self.settings.items(LineSettings).values()
        senders = sorted(
            (entry for entry in entries if entry.enabled and entry.send), key=lambda entry: entry.position
        )
        if not names:
            return senders
        return sorted(
            (entry for entry in senders if entry.name in names), key=lambda entry: names.index(entry.name)
        )

    def recipient(self, to: To, lines: Sequence[str] = ()) -> Recipient:
        """Where a fax goes, over one of ``lines``.  Raises RefusedError."""
        number = self.number(to.number, lines)
        return Recipient(
            number=number.dial,
            given=one_line(to.number),
            name=one_line(to.name),
            reach=number.reach,
            company=one_line(to.company),
        )

    def recipients(self, to: Sequence[To], lines: Sequence[str] = ()) -> tuple[Recipient, ...]:
        """Where a fax goes: each person at a number once, and to a number alone where no person is named.

        Two forms of a number are one number; another extension is another one.  Raises RefusedError.
        """
        named = [self.recipient(each, lines) for each in to]
        with_person = {each.number for each in named if each.name or each.company}
        found = {
            (each.number, each.name, each.company): each
            for each in named
            if each.name or each.company or each.number not in with_person
        }
        return tuple(found.values())

    def cover_template(self, name: str) -> CoverTemplate:
        """The template of this name; empty and "standard" are the box's own page.

        Raises RefusedError.
        """
        if name in ("", STANDARD_COVER):
            return CoverTemplate(name=STANDARD_COVER)
        for template in self.settings.items(CoverTemplate).values():
            if template.name == name:
                return template
        raise RefusedError(COVER_TEMPLATE_GONE, f"({name[:64]})")

    def completed(self, owner: str, options: SendOptions) -> SendOptions:
        """``options``, completed by the owner's defaults.

        Raises RefusedError for a caller id or a cover template that the owner may not use.
        """
        shown_number = self.accounts.shown_number
        user = self.accounts.user(owner)
        own = user.caller_number if user is not None else ""
        for wanted in filter(None, (options.caller_number, options.station_id)):
            if shown_number(owner, wanted) is None:
                raise RefusedError(CALLER_NOT_ALLOWED, f"({wanted[:64]})")
        options = replace(
            options,
            caller_number=shown_number(owner, options.caller_number or own) or "",
            station_id=options.station_id or as_station_id(own),
        )
        cover = self._usual_cover(owner, options)
        if cover is not None:
            self.cover_template(cover.template)
            cover = replace(cover, **{name: one_line(getattr(cover, name)) for name in _COVER_LINES})
        return replace(
            options,
            cover=cover,
            made_for=one_line(options.made_for),
            caller_name=one_line(options.caller_name),
            header=None if options.header is None else one_line(options.header),
        )

    def _usual_cover(self, owner: str, options: SendOptions) -> Cover | None:
        usual = self.accounts.usual_cover(owner)
        if options.cover is None:
            return Cover(template=usual) if usual and not options.no_cover else None
        return options.cover if options.cover.template else replace(options.cover, template=usual)

    def options_again(self, job: Job) -> SendOptions:
        """The options to resend a job: those of the job, as far as its owner may still use them."""
        options = job.options
        if self.accounts.shown_number(job.owner, options.caller_number) is None:
            options = replace(options, caller_number="")
        if self.accounts.shown_number(job.owner, options.station_id) is None:
            options = replace(options, station_id="")
        # Its pages are made again, because they show the time, and perhaps another number.
        return replace(options, no_cover=options.cover is None, made="", made_for="")
