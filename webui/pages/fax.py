"""A fax to send or sent: its progress, its pages, and the actions on it."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.api import page_export
from appliance.api.problems import ProblemError
from appliance.language import said as _
from appliance.spool.model import Attempt, Event, Job, JobState
from appliance.spool.settings import StorageSettings
from webui import wording
from webui.notes import notes
from webui.pages.lists import sent_list
from webui.visit import Page, Response, Visit

MOST_PAGES = 200  # shown one below the other; the rest is in the PDF


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """A row of the timeline."""

    at: float
    sentence: str
    kind: str = "plain"


def steps(visit: Visit, job: Job, attempts: list[Attempt], events: list[Event]) -> list[TimelineRow]:
    """The history of a fax in everyday words."""
    write = visit.writer()
    found: list[TimelineRow] = []
    for event in events:
        match event.kind:
            case "job.accepted" | "job.held":
                found.append(TimelineRow(event.at, _("Handed in.")))
            case "job.sending":
                line = str(event.data.get("line", ""))
                found.append(TimelineRow(event.at, _("Dialling over the line {line}.").format(line=line)))
            case "job.page":
                number = int(event.data.get("confirmed", 0))
                text = _("Page {page} of {pages} confirmed.").format(page=number, pages=job.pages or "?")
                found.append(TimelineRow(event.at, text, "good"))
            case "job.waiting" if job.tries:
                cause = next((each.cause for each in attempts if each.ended_at == event.at), None)
                sentence = _(cause.sentence) if cause is not None else ""
                at = event.data.get("next_try_at")
                if sentence and at:
                    when = write.near(float(at), visit.context.now())
                    sentence += " " + _("Next try {time}.").format(time=when)
                if sentence:
                    found.append(TimelineRow(event.at, sentence, "wait"))
            case "job.delivered":
                found.append(
                    TimelineRow(event.at, _("Sent: the other machine confirmed every page."), "good")
                )
            case "job.failed" | "job.cancelled" | "job.unknown":
                kind = "plain" if event.kind == "job.cancelled" else "bad"
                sentence = _(job.cause.sentence) if job.cause is not None else ""
                found.append(TimelineRow(event.at, sentence, kind))
    return found


def show(visit: Visit) -> Response:
    """The page of a fax to send, beside its list."""
    job, attempts = visit.box.faxes.with_attempts(visit.number("id"), visit.who.sees)
    events = visit.box.history.of_fax(job.id)
    try:
        made = page_export.rendered(visit.box, job)
        pages = [wording.sheet(page.width, page.rows, made.resolution) for page in made.pages]
    except ProblemError:
        pages = []
    storage = visit.box.settings.section(StorageSettings)
    return visit.page(
        "fax.html",
        **sent_list(visit, job.id),
        job=job,
        heading=wording.title(job),
        state=wording.of_job(visit, job),
        practice=job.practice,
        steps=steps(visit, job, attempts, events),
        attempts=attempts,
        pages=pages[:MOST_PAGES],
        facts=facts(visit, job),
        can_cancel=not job.state.ended and not job.cancel_requested,
        arrived=_arrived(visit, job),
        is_held=job.state is JobState.HELD,
        is_waiting=job.state is JobState.WAITING,
        is_unknown=job.state is JobState.UNKNOWN,
        advice=_(job.cause.advice) if job.cause is not None and job.state is not JobState.DELIVERED else "",
        resends=visit.box.faxes.resends(job.id),
        notes=notes(visit, job),
        rest=_rest(job),
        documents_days=storage.documents_days,
        journal_days=storage.journal_days,
    )


def _arrived(visit: Visit, job: Job) -> str:
    """What answers "did it arrive?" of a fax that did; empty for others."""
    # One that a person took as delivered was not confirmed whole.
    if job.state is not JobState.DELIVERED or job.ended_at is None or job.pages_confirmed != job.pages:
        return ""
    when = visit.writer().date_time(job.ended_at)
    return _("The other machine confirmed every page: {time}.").format(time=when)


def _rest(job: Job) -> str:
    """The unconfirmed pages of a fax that arrived in part, as a page selection."""
    if not job.state.ended or job.state is JobState.DELIVERED or not job.pages or not job.pages_confirmed:
        return ""
    first = job.pages_confirmed + 1
    return "" if first > job.pages else str(first) if first == job.pages else f"{first}-{job.pages}"


def facts(visit: Visit, job: Job) -> list[tuple[str, str]]:
    """Facts about a fax besides its state: (label, value)."""
    write = visit.writer()
    rows = [
        (_("To"), job.given),
        (_("Name"), wording.joined(job.name, job.company)),
        (_("The other machine"), job.remote_id.strip()),
        (_("Pages"), f"{job.pages_confirmed} / {job.pages}" if job.pages is not None else ""),
        (_("Handed in"), write.date_time(job.created_at)),
        (_("Ended"), write.date_time(job.ended_at)),
        (_("Calls"), str(job.tries) if job.tries else ""),
        (_("Time on the line"), wording.duration(job.seconds_on_line) if job.seconds_on_line else ""),
        (_("By"), job.owner),
        (_("Tag"), job.tag),
        (_("Subject"), job.options.cover.subject if job.options.cover is not None else ""),
        (_("Fax"), str(job.id)),
    ]
    return [row for row in rows if row[1]]


PAGES = (Page("/faxes/<id>", show, scopes=("send",)),)
