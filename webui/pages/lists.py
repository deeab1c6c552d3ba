"""Received and sent faxes: the list on the left, the pages on the right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from appliance.api.causes import NOT_FOUND
from appliance.api.problems import ProblemError
from appliance.api.rest.checking import flaw
from appliance.language import said as _
from appliance.settings.accounts import User
from appliance.spool.filters import JobFilter, ReceivedFilter
from appliance.spool.model import Job, JobState, Received
from appliance.spool.settings import StorageSettings
from appliance.t4.page import Resolution
from webui import wording
from webui.notes import notes
from webui.visit import Page, Response, Visit, with_query
from webui.wording import Badge, Chip

SHOWN = 50
SEARCH_LIMIT = 100  # characters


@dataclass(frozen=True, slots=True)
class Row:
    """A fax in the list."""

    id: int
    path: str
    title: str
    more: str
    state: Badge
    at: float
    pages: str
    unread: bool
    picture: str
    practice: bool  # it stayed within the box
    notes: str = ""  # their number in words


@dataclass(frozen=True, slots=True)
class ListFilter:
    """The filter in the address of a list."""

    show: str = ""
    search: str = ""
    before: int | None = None
    submission: int | None = None

    def path(self, base: str) -> str:
        """The address of the list with this filter, under ``base``."""
        asked = {"show": self.show, "q": self.search, "before": self.before, "submission": self.submission}
        return with_query(base, asked)


def filter_of(visit: Visit) -> ListFilter:
    """The filter in the visit's address.  Raises ProblemError."""
    query = visit.query

    def number(name: str) -> int | None:
        text = query.get(name, "")
        if not text:
            return None
        if not (text.isascii() and text.isdecimal()) or len(text) > 15:
            raise flaw(name, _("a whole number is needed"))
        return int(text)

    return ListFilter(
        query.get("show", ""), query.get("q", "")[:SEARCH_LIMIT], number("before"), number("submission")
    )


# -- received --------------------------------------------------------------------------------------

RECEIVED_FILTERS: dict[str, bool | None] = {"": None, "unread": False, "read": True}


def received_rows(visit: Visit, filters: ListFilter) -> list[Row]:
    """The rows of the list of received faxes.  Raises ProblemError for an unknown filter."""
    if filters.show not in RECEIVED_FILTERS:
        raise ProblemError(NOT_FOUND)
    wanted = ReceivedFilter(
        owner=visit.who.sees,
        read=RECEIVED_FILTERS[filters.show],
        before_id=filters.before,
        limit=SHOWN,
        text=filters.search,
    )
    return _with_notes(visit, [_received_row(fax) for fax in visit.box.inbox.search(wanted)])


def _with_notes(visit: Visit, rows: list[Row]) -> list[Row]:
    """The rows, with the number of notes where there are any."""
    counts = visit.box.notes.counts([row.id for row in rows])
    return [replace(row, notes=wording.notes(counts[row.id])) if row.id in counts else row for row in rows]


def _received_row(fax: Received) -> Row:
    title = fax.caller_name or fax.caller or fax.tsi.strip() or _("Number withheld")
    details = (fax.caller if fax.caller_name else "", fax.tsi.strip() if fax.caller else "")
    more = wording.joined(*dict.fromkeys(part for part in details if part != title))
    return Row(
        fax.id,
        f"/received/{fax.id}",
        title,
        more,
        wording.of_received(fax),
        fax.started_at,
        wording.pages(fax.pages),
        not fax.read,
        f"/api/v1/received/{fax.id}/pages/1?size=small" if fax.pages else "",
        fax.practice,
    )


def received(visit: Visit) -> Response:
    """The page of received faxes."""
    return _received_list(visit, None)


def received_one(visit: Visit) -> Response:
    """The page of a received fax, beside its list; the fax counts as read from now on."""
    fax, pages = visit.box.inbox.with_pages(visit.number("id"), visit.who.sees)
    if not fax.read and fax.state.value != "receiving":
        fax = visit.box.inbox.mark_read(fax.id)
        visit.box.history.audit(visit.who.who, "received.look", object=f"fax:{fax.id}", address=visit.address)
    users = sorted(user.name for user in visit.box.settings.items(User).values() if not user.disabled)
    return _received_list(
        visit,
        fax,
        fax=fax,
        pages=[wording.sheet(page.width, page.rows, Resolution[page.resolution]) for page in pages],
        row=_received_row(fax),
        facts=_received_facts(visit, fax),
        advice=_(fax.cause.advice) if fax.cause is not None and fax.state.value == "partial" else "",
        users=users if visit.may("admin") else [],
        notes=notes(visit, fax),
        kept_days=visit.box.settings.section(StorageSettings).received_days,
    )


def _received_list(visit: Visit, chosen: Received | None, **more: Any) -> Response:
    words = {"": _("All"), "unread": _("Unread"), "read": _("Read")}
    empty = _("Nothing here yet. Faxes to your number appear here by themselves.")
    shown = _list(
        visit,
        "received",
        _("Received"),
        words=words,
        rows_of=received_rows,
        empty=empty,
        chosen=chosen.id if chosen is not None else 0,
    )
    return visit.page("received.html", **shown, **more)


def _received_facts(visit: Visit, fax: Received) -> list[tuple[str, str]]:
    write = visit.writer()
    rows = [
        (_("From"), fax.caller or _("Number withheld")),
        (_("Name"), fax.caller_name),
        (_("Calls itself"), fax.tsi.strip()),
        (_("Number called"), fax.dialled),
        (_("Line"), fax.line),
        (_("Came"), write.date_time(fax.started_at)),
        (_("Pages"), str(fax.pages)),
        (_("Damaged rows"), str(fax.bad_rows) if fax.bad_rows else ""),
        (_("For"), fax.owner or _("everyone")),
        (_("Fax"), str(fax.id)),
    ]
    return [row for row in rows if row[1]]


# -- sent ------------------------------------------------------------------------------------------

SENT_FILTERS: dict[str, frozenset[JobState]] = {
    "": frozenset(),
    "open": frozenset({JobState.PREPARING, JobState.WAITING, JobState.SENDING}),
    "held": frozenset({JobState.HELD}),
    "sent": frozenset({JobState.DELIVERED}),
    "failed": frozenset({JobState.FAILED}),
    "unknown": frozenset({JobState.UNKNOWN}),
}


def sent_rows(visit: Visit, filters: ListFilter) -> list[Row]:
    """The rows of the list of faxes to send.  Raises ProblemError for an unknown filter."""
    if filters.show not in SENT_FILTERS:
        raise ProblemError(NOT_FOUND)
    wanted = JobFilter(
        owner=visit.who.sees or "",
        states=SENT_FILTERS[filters.show],
        before_id=filters.before,
        submission_id=filters.submission,
        limit=SHOWN,
        text=filters.search,
        erased=False,
    )
    return _with_notes(visit, [_sent_row(visit, job) for job in visit.box.faxes.search(wanted)])


def _sent_row(visit: Visit, job: Job) -> Row:
    title = wording.title(job)
    subject = job.options.cover.subject if job.options.cover is not None else ""
    more = wording.joined(*(part for part in (job.given, subject, job.tag) if part != title))
    picture = f"/api/v1/faxes/{job.id}/pages/1?size=small" if job.rendered_path else ""
    count = wording.pages(job.pages) if job.pages is not None else ""
    return Row(
        job.id,
        f"/faxes/{job.id}",
        title,
        more,
        wording.of_job(visit, job),
        job.created_at,
        count,
        False,
        picture,
        job.practice,
    )


def sent(visit: Visit) -> Response:
    """The page of faxes to send."""
    return visit.page("sent.html", **sent_list(visit))


def sent_list(visit: Visit, chosen: int = 0) -> dict[str, Any]:
    """The values of the list of sent faxes; ``chosen``: the id of the one that is open beside it."""
    words = {
        "": _("All"),
        "open": _("On the way"),
        "held": _("Held"),
        "sent": _("Sent"),
        "failed": _("Failed"),
        "unknown": _("Perhaps arrived"),
    }
    empty = _("Nothing here yet. What you send appears here with how it went.")
    return _list(visit, "sent", _("Sent"), words=words, rows_of=sent_rows, empty=empty, chosen=chosen)


# -- both ------------------------------------------------------------------------------------------


def _list(
    visit: Visit,
    kind: str,
    title: str,
    *,
    words: dict[str, str],
    rows_of: Callable[[Visit, ListFilter], list[Row]],
    empty: str,
    chosen: int,
) -> dict[str, Any]:
    filters = filter_of(visit)
    base = f"/{kind}"
    rows = rows_of(visit, filters)
    rest = replace(filters, before=rows[-1].id) if len(rows) == SHOWN else None
    chips = [
        Chip(replace(filters, show=show, before=None).path(base), word, show == filters.show)
        for show, word in words.items()
    ]
    return {
        "kind": kind,
        "title": title,
        "rows": rows,
        "chips": chips,
        "filters": filters,
        "next_path": rest.path(base) if rest is not None else "",
        "empty": _("Nothing fits.") if filters.search or filters.show else empty,
        "chosen": chosen,
        "query": filters.path("").removeprefix("?"),
    }


PAGES = (
    Page("/received", received, scopes=("receive",)),
    Page("/received/<id>", received_one, scopes=("receive",)),
    Page("/sent", sent, scopes=("send",)),
)
