"""A print job's attributes: the state of its faxes, in IPP's words and in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from appliance.api.ipp.answers import limited
from appliance.api.ipp.asked import INDEFINITE, NO_HOLD
from appliance.api.ipp.book import JobBook, NoFaxReason, PrintJob
from appliance.api.ipp.description import ANY_FORMAT
from appliance.api.ipp.words import PrintJobState
from appliance.box import Box
from appliance.dispatch.causes import NO_LINE
from appliance.ipp import codec
from appliance.ipp.model import Tag, Value
from appliance.language import said
from appliance.lines.causes import BUSY, LINE_STOPPED, NO_ANSWER
from appliance.lines.modem.causes import NO_DIAL_TONE, VOICE_ANSWERED
from appliance.spool.model import Job, JobState
from appliance.t30.causes import TRAINING_FAILED

# PWG 5100.15 7.4: reasons for what the telephone network answered.
_FAX_REASONS = {
    BUSY.code: "fax-modem-line-busy",
    NO_ANSWER.code: "fax-modem-no-answer",
    NO_DIAL_TONE.code: "fax-modem-no-dial-tone",
    TRAINING_FAILED.code: "fax-modem-training-failure",
    VOICE_ANSWERED.code: "fax-modem-voice-detected",
    NO_LINE.code: "fax-modem-equipment-failure",
    LINE_STOPPED.code: "fax-modem-equipment-failure",
}
# State of one of its faxes → state of the job; the first match counts.
_STATES = (
    ({JobState.SENDING, JobState.PREPARING}, PrintJobState.PROCESSING),
    ({JobState.WAITING}, PrintJobState.PENDING),
    ({JobState.NEEDS_NUMBER, JobState.HELD}, PrintJobState.HELD),
)
# Attributes that Get-Jobs returns by default: RFC 8011 4.2.6.1.
SHORT = frozenset({"job-id", "job-uri"})


def state_of(book: JobBook, job: PrintJob, now: float) -> tuple[PrintJobState, str, str, Sequence[Job]]:
    """State, reason and sentence of a job at ``now`` (Unix time), and its faxes."""
    if job.ended:
        return _ended(NoFaxReason(job.ended))
    if book.open_job(job.id) is not None:
        return PrintJobState.PENDING, "job-incoming", said("The document is coming in."), ()
    handed = book.handed_in(job)
    if handed is None:
        sentence = said(
            "The box was started anew before the whole document was there: please print it again."
        )
        return PrintJobState.ABORTED, "aborted-by-system", sentence, ()
    faxes = handed.jobs
    states = {fax.state for fax in faxes}
    if all(_is_scheduled(fax, now) for fax in faxes):
        return PrintJobState.HELD, "job-hold-until-specified", _sentence(faxes, now), faxes
    for some, state in _STATES:
        if states & some:
            return state, _reason(state, faxes), _sentence(faxes, now), faxes
    if states == {JobState.DELIVERED}:
        return PrintJobState.COMPLETED, "job-completed-successfully", _sentence(faxes, now), faxes
    if JobState.DELIVERED in states:
        return PrintJobState.COMPLETED, "job-completed-with-errors", _sentence(faxes, now), faxes
    if states == {JobState.CANCELLED}:
        return PrintJobState.CANCELED, "job-canceled-by-user", _sentence(faxes, now), faxes
    return PrintJobState.ABORTED, _fax_reason(faxes) or "aborted-by-system", _sentence(faxes, now), faxes


def _ended(ended: NoFaxReason) -> tuple[PrintJobState, str, str, Sequence[Job]]:
    match ended:
        case NoFaxReason.CANCELED:
            return PrintJobState.CANCELED, "job-canceled-by-user", said("The job was cancelled."), ()
        case NoFaxReason.LATE:
            sentence = said("The computer did not send the rest of the document.")
        case NoFaxReason.REFUSED:
            sentence = said("The document was not taken.")
    return PrintJobState.ABORTED, "aborted-by-system", sentence, ()


def _reason(state: PrintJobState, faxes: Sequence[Job]) -> str:
    if state is PrintJobState.HELD:
        return "job-hold-until-specified"
    if any(fax.state is JobState.SENDING for fax in faxes):
        return "job-printing"
    if any(fax.state is JobState.PREPARING for fax in faxes):
        return "job-transforming"
    return _fax_reason(faxes) or "none"


def _fax_reason(faxes: Sequence[Job]) -> str:
    return next((_FAX_REASONS[fax.cause_code] for fax in faxes if fax.cause_code in _FAX_REASONS), "")


def _is_scheduled(fax: Job, now: float) -> bool:
    """Whether it waits for the time at which its sender wants it sent."""
    return fax.state is JobState.WAITING and not fax.tries and fax.scheduled_at > now


def _sentence(faxes: Sequence[Job], now: float) -> str:
    """The state in words; one sentence for each recipient."""
    if len(faxes) == 1:
        return _sentence_of(faxes[0], now)
    return "  ".join(f"{fax.given}: {_sentence_of(fax, now)}" for fax in faxes)


def _sentence_of(fax: Job, now: float) -> str:
    if _is_scheduled(fax, now):
        return said("The fax waits for the time at which it is to be sent.")
    match fax.state:
        case JobState.NEEDS_NUMBER:
            return said("The document waits on the box's page for a number.")
        case JobState.PREPARING:
            return said("The pages are being made.")
        case JobState.SENDING:
            return said("The fax is being sent.")
        case JobState.HELD:
            return said("The fax waits on the box's page for somebody's word.")
    if fax.cause is not None:
        return said(fax.cause.sentence)
    return said("The fax waits for a line.")


def job_attributes(
    box: Box, book: JobBook, job: PrintJob, base: str, wanted: frozenset[str]
) -> dict[str, Sequence[Value]]:
    """A job's attributes, limited to ``wanted`` (names and groups).  ``base``: URI of the door."""
    state, reason, sentence, faxes = state_of(book, job, box.clock())
    pages = sum(fax.pages or 0 for fax in faxes)
    confirmed = sum(fax.pages_confirmed for fax in faxes)
    started = [fax for fax in faxes if fax.tries]
    ended_at = max((fax.ended_at or 0.0 for fax in faxes), default=job.created_at)
    up = _up(box, box.clock())
    every: dict[str, Sequence[Value]] = {
        "job-id": codec.integers(job.id),
        "job-uri": codec.uris(f"{base}{job.printer}/{job.id}"),
        "job-printer-uri": codec.uris(base + job.printer),
        "job-uuid": codec.uris(f"urn:uuid:{job.uuid}"),
        "job-name": codec.name(job.name),
        "job-originating-user-name": codec.name(job.person),
        "job-state": codec.enums(state),
        "job-state-reasons": codec.keywords(reason),
        "job-state-message": codec.text(sentence),
        "job-hold-until": codec.keywords(INDEFINITE if any(fax.hold for fax in faxes) else NO_HOLD),
        "job-printer-up-time": codec.integers(up),
        "job-impressions": codec.integers(pages) if pages else codec.NO_VALUE,
        "job-impressions-completed": codec.integers(confirmed),
        "job-media-sheets-completed": codec.integers(0),
        "number-of-documents": codec.integers(1),
        "time-at-creation": codec.integers(_up(box, job.created_at)),
        "time-at-processing": codec.integers(_up(box, job.created_at)) if started else codec.NO_VALUE,
        "time-at-completed": codec.integers(_up(box, ended_at)) if state.ended else codec.NO_VALUE,
        "date-time-at-creation": codec.moment(job.created_at),
        "date-time-at-processing": codec.moment(job.created_at) if started else codec.NO_VALUE,
        "date-time-at-completed": codec.moment(ended_at) if state.ended else codec.NO_VALUE,
        "compression-supplied": codec.keywords("none"),
        "document-format-supplied": (Value(Tag.MIME_TYPE, ANY_FORMAT),),
        "document-name-supplied": codec.name(job.name),
    }
    return limited(every, wanted)


def _up(box: Box, at: float) -> int:
    """Unix time as seconds since the box was started, at least 1 (RFC 8011 5.4.29)."""
    return max(int(at - box.started_at), 0) + 1
