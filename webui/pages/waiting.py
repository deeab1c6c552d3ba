"""Documents that came by print, scan or e-mail without a number, and wait for one."""

from __future__ import annotations

from appliance.spool.filters import JobFilter
from appliance.spool.model import Job, JobState
from webui import wording
from webui.visit import Page, Response, Visit

SHOWN = 50


def waiting(visit: Visit) -> list[Job]:
    """The waiting documents of this reader, newest first."""
    wanted = JobFilter(owner=visit.who.sees or "", without_number=True, limit=SHOWN)
    return visit.box.faxes.search(wanted)


def show(visit: Visit) -> Response:
    """The page of documents that wait for a number or a decision."""
    now = visit.context.now()
    entries = [
        (
            job,
            wording.title(job),
            wording.origin(job),
            wording.pages(job.pages) if job.pages is not None else "",
            job.state is JobState.NEEDS_NUMBER,
            f"/api/v1/faxes/{job.id}/pages/1?size=small" if job.rendered_path else "",
            str(job.metadata.get("print_problem") or ""),
            wording.goes_out(visit, job) if job.scheduled_at > now else "",
        )
        for job in waiting(visit)
    ]
    return visit.page("waiting.html", entries=entries)


PAGES = (Page("/waiting", show, scopes=("send",)),)
