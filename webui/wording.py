"""The box's states in everyday words, each with its sign and kind."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from appliance.language import said as _
from appliance.spool.model import Job, JobState, Received, ReceivedState
from appliance.t4.page import Resolution

if TYPE_CHECKING:
    from webui.visit import Visit


@dataclass(frozen=True, slots=True)
class Badge:
    """``mark``: a sign beside the word, so that nothing is told by colour alone; ``kind``: good, bad, wait,
    plain.
    """

    word: str
    mark: str
    kind: str
    more: str = ""  # a further sentence, if any


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is applied with one press."""

    path: str
    word: str
    on: bool


def joined(*parts: str) -> str:
    """The parts that there are, in one line; none turns the numbers beside it (Unicode's FSI and PDI)."""
    return " · ".join(f"\u2068{part}\u2069" if _runs_left(part) else part for part in parts if part)


def _runs_left(text: str) -> bool:
    return any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in text)


def goes_out(visit: Visit, job: Job) -> str:
    """When a fax for later is sent."""
    return _("Goes out {time}.").format(time=visit.writer().date_time(job.scheduled_at))


def of_job(visit: Visit, job: Job) -> Badge:
    """The state of a fax to send."""
    write, now = visit.writer(), visit.context.now()
    cause = job.cause
    match job.state:
        case JobState.HELD:
            return Badge(_("Held"), "‖", "wait", _(cause.sentence) if cause else "")
        case JobState.PREPARING:
            return Badge(_("Being prepared"), "…", "plain")
        case JobState.NEEDS_NUMBER:
            return Badge(_("Waiting for a number"), "…", "wait")
        case JobState.WAITING if job.tries and cause is not None:
            when = _("Next try {time}.").format(time=write.near(job.next_try_at, now))
            return Badge(_("Tries again"), "↻", "wait", f"{_(cause.sentence)} {when}")
        case JobState.WAITING if job.scheduled_at > now:
            return Badge(_("Waits for its time"), "◷", "plain", goes_out(visit, job))
        case JobState.WAITING:
            return Badge(_("Waiting for a free line"), "…", "plain")
        case JobState.SENDING:
            if job.cancel_requested:
                return Badge(_("Being cancelled"), "…", "wait")
            return Badge(_("Being sent"), "→", "plain")
        case JobState.DELIVERED:
            return Badge(_("Sent"), "✓", "good")
        case JobState.FAILED:
            return Badge(_("Failed"), "✕", "bad", _(cause.sentence) if cause else "")
        case JobState.CANCELLED:
            return Badge(_("Cancelled"), "–", "plain")
        case JobState.UNKNOWN:
            return Badge(_("Perhaps arrived"), "?", "bad", _(cause.sentence) if cause else "")


def of_received(fax: Received) -> Badge:
    """The state of a received fax."""
    match fax.state:
        case ReceivedState.RECEIVING:
            return Badge(_("Coming in"), "→", "plain")
        case ReceivedState.PARTIAL:
            return Badge(_("Broke off"), "!", "bad", _(fax.cause.sentence) if fax.cause else "")
        case ReceivedState.COMPLETE:
            return Badge(_("Whole"), "✓", "good")
    return Badge(fax.state.value, "", "plain")


@dataclass(frozen=True, slots=True)
class DisplayedPage:
    """A page as it is displayed: its size in square pixels."""

    width: int
    height: int


def origin(job: Job) -> str:
    """How a document came, in words."""
    words = {
        "print": _("printed"),
        "email": _("by e-mail"),
        "scan": _("scanned"),
        "rest": _("from a program"),
    }
    return words.get(job.origin, job.origin)


def title(job: Job) -> str:
    """What a person knows a fax by: its recipient, or the document while it has none."""
    recipient = job.name or job.company or job.given
    return recipient or str(job.metadata.get("print_title") or "") or job.tag or origin(job)


def sheet(width: int, rows: int, resolution: Resolution) -> DisplayedPage:
    """The size at which a fax page, whose pixels are not square, is displayed."""
    x_dpi, y_dpi = resolution.value
    return DisplayedPage(width, round(rows * x_dpi / y_dpi))


def pages(count: int) -> str:
    """The number of pages in words."""
    one, many = _("1 page"), _("{count} pages")
    return one if count == 1 else many.format(count=count)


def notes(count: int) -> str:
    """The number of notes in words."""
    one, many = _("1 note"), _("{count} notes")
    return one if count == 1 else many.format(count=count)


def duration(seconds: float) -> str:
    """A duration in words, in its largest units."""
    whole = round(seconds)
    if whole < 60:
        return _("{count} s").format(count=whole)
    minutes, rest = divmod(whole, 60)
    return (
        _("{minutes} min {seconds} s").format(minutes=minutes, seconds=rest)
        if rest
        else _("{minutes} min").format(minutes=minutes)
    )
