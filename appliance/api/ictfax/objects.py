"""Documents, contacts, programs, transmissions and faxes as JSON objects of this style.  Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from appliance.causes import Side
from appliance.deliver.settings import DeliveryRoute
from appliance.phonebook import Contact
from appliance.settings.accounts import User
from appliance.spool.model import Attempt, Document, Job, JobState, Received, ReceivedState
from appliance.spool.remembered import Program

# The origin of jobs from this door.
ORIGIN = "ictfax"
# Key in the metadata of a job that sends a transmission again: the transmission's id.
MARK = "transmission_id"
# That system's service flag for fax.
SERVICE_FLAG = 2
OUTBOUND, INBOUND = "outbound", "inbound"
# Added to a received fax's id to form the id of its document: ids of stored documents stay far below.
RECEIVED_DOCUMENTS = 1_000_000_000
# Added to the id of a key without a user to form the id of its account: users' ids stay far below.
KEY_ACCOUNTS = 1_000_000
PROGRAM_TYPE, ROUTE_TYPE = "sendfax", "faxtoemail"
# Added to the id of a route of received faxes to form the id of its program.
ROUTE_PROGRAMS = 1_000_000_000

PENDING, RETRY, PROCESSING = "pending", "pending_retry", "processing"
COMPLETED, FAILED, INVALID = "completed", "failed", "invalid"
# The states of jobs that may show as each status.
STATES: dict[str, frozenset[JobState]] = {
    PENDING: frozenset({JobState.HELD, JobState.NEEDS_NUMBER, JobState.WAITING, JobState.PREPARING}),
    RETRY: frozenset({JobState.WAITING, JobState.PREPARING}),
    "initializing": frozenset(),
    PROCESSING: frozenset({JobState.PREPARING, JobState.SENDING}),
    COMPLETED: frozenset({JobState.DELIVERED}),
    FAILED: frozenset({JobState.FAILED, JobState.CANCELLED, JobState.UNKNOWN}),
    INVALID: frozenset({JobState.FAILED}),
}


def job_status(job: Job, now: float, tries: int | None = None) -> str:
    """A job's status; ``tries`` also counts earlier sendings of the same transmission."""
    tried = bool(job.tries if tries is None else tries)
    match job.state:
        case JobState.DELIVERED:
            return COMPLETED
        case JobState.FAILED:
            document_at_fault = job.tries == 0 and job.cause is not None and job.cause.side is Side.USER
            return INVALID if document_at_fault else FAILED
        case JobState.CANCELLED | JobState.UNKNOWN:
            # Unknown: without confirmation it must not be taken for delivered.
            return FAILED
        case JobState.SENDING:
            return PROCESSING
        case JobState.PREPARING if job.scheduled_at <= now:
            return PROCESSING
        case JobState.HELD | JobState.NEEDS_NUMBER:
            return PENDING
    return RETRY if tried else PENDING


def received_status(fax: Received) -> str:
    """The interface's word for a received fax's state."""
    match fax.state:
        case ReceivedState.RECEIVING:
            return PROCESSING
        case ReceivedState.COMPLETE:
            return COMPLETED
    return FAILED


def document_object(document: Document) -> dict[str, Any]:
    """A stored document; ``pages`` is null because only rendering tells it, ``files`` counts its files."""
    first = document.files[0] if document.files else None
    return {
        "document_id": document.id,
        "name": document.name,
        "file_name": first.name if first else None,
        "type": first.media_type if first else None,
        "description": document.description,
        "pages": None,
        "files": len(document.files),
        "size": sum(file.octets for file in document.files),
        "date_created": int(document.created_at),
    }


def _title_of_received(fax: Received) -> str:
    return f"Fax from {fax.caller or fax.tsi or 'unknown'}"


def received_document(fax: Received) -> dict[str, Any]:
    """A received fax as the document that the interface shows for it."""
    return {
        "document_id": fax.id + RECEIVED_DOCUMENTS,
        "name": _title_of_received(fax),
        "file_name": f"fax-{fax.id}.pdf",
        "type": "application/pdf",
        "description": "",
        "pages": fax.pages,
        "files": 1 if fax.pages else 0,
        "size": None,
        "date_created": int(fax.started_at),
    }


def contact_object(contact_id: int | None, contact: Contact) -> dict[str, Any]:
    """A contact as the interface shows it."""
    return {
        "contact_id": contact_id,
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "phone": contact.number,
        "email": contact.email,
        "company": contact.company,
        "description": contact.notes,
    }


def program_object(program: Program) -> dict[str, Any]:
    """A program that sends a document, as the interface shows it."""
    return {
        "program_id": program.id,
        "name": program.name,
        "type": PROGRAM_TYPE,
        "document_id": program.document_id,
        "date_created": int(program.created_at),
    }


def route_program(route_id: int, route: DeliveryRoute, account_id: int | None) -> dict[str, Any]:
    """A route to e-mail as the program that the interface shows for it."""
    return {
        "program_id": route_id + ROUTE_PROGRAMS,
        "name": route.name,
        "type": ROUTE_TYPE,
        "account_id": account_id,
        "phone": ", ".join(route.dialled),
        "email": ", ".join(route.emails),
    }


def user_object(user_id: int, user: User) -> dict[str, Any]:
    """A user as the interface shows it."""
    first, _, last = user.full_name.partition(" ")
    return {
        "user_id": user_id,
        "username": user.name,
        "first_name": first,
        "last_name": last,
        "phone": user.caller_number,
        "email": user.email,
        "role": user.role.value,
        "active": int(not user.disabled),
    }


def account_object(account_id: int, name: str, phone: str, user: User | None) -> dict[str, Any]:
    """A user or a plain account as the interface shows it."""
    first, _, last = (user.full_name if user else name).partition(" ")
    return {
        "account_id": account_id,
        "type": "account",
        "username": name,
        "first_name": first,
        "last_name": last,
        "phone": (user.caller_number if user else "") or phone,
        "email": user.email if user else "",
        "active": int(user is None or not user.disabled),
    }


def own_metadata(job: Job) -> Mapping[str, Any]:
    """The metadata that this door keeps with a job; that of other doors' jobs belongs to their clients."""
    return job.metadata if job.origin == ORIGIN else {}


# The title of a fax without one: this and its number.
UNTITLED = "Fax to "


def title_of(job: Job) -> str:
    """A job's title, else its tag, else one made of its number."""
    return str(own_metadata(job).get("title", "")) or job.tag or f"{UNTITLED}{job.given}"


def sent_transmission(
    root: Job,
    job: Job,
    *,
    tries: int,
    tries_allowed: int,
    last_run: float | None,
    account_id: int,
    now: float,
) -> dict[str, Any]:
    """A transmission: ``root`` is the job that gave it its id, ``job`` its latest sending."""
    metadata = own_metadata(job)
    return {
        "transmission_id": root.id,
        "title": title_of(job),
        "service_flag": SERVICE_FLAG,
        "account_id": account_id,
        "contact_id": metadata.get("contact_id"),
        "program_id": metadata.get("program_id"),
        "origin": root.origin,
        "direction": OUTBOUND,
        "status": job_status(job, now, tries),
        "response": job.cause.sentence if job.cause is not None else "",
        "try_allowed": tries_allowed,
        "try_done": tries,
        "last_run": int(last_run) if last_run is not None else None,
    }


def received_transmission(fax: Received, account_id: int | None) -> dict[str, Any]:
    """A received fax as a transmission."""
    return {
        "transmission_id": fax.id,
        "title": _title_of_received(fax),
        "service_flag": SERVICE_FLAG,
        "account_id": account_id,
        "contact_id": None,
        "program_id": None,
        "origin": fax.line,
        "direction": INBOUND,
        "status": received_status(fax),
        "response": fax.cause.sentence if fax.cause is not None else "",
        "try_allowed": 1,
        "try_done": 1,
        "last_run": int(fax.started_at),
    }


def job_results(job: Job, document_id: int) -> list[dict[str, Any]]:
    """The results of a sending: its document, its pages, and its error if there was one."""
    rows = [_row("document", "message", document_id), _row("pages", "info", job.pages_confirmed)]
    if job.pages is not None:
        rows.append(_row("pages_total", "info", job.pages))
    if job.remote_id:
        rows.append(_row("remote_id", "info", job.remote_id))
    if job.cause is not None and job.state is not JobState.DELIVERED:
        rows += [
            _row("error", "error", job.cause.sentence),
            _row("error_code", "error", job.cause.code),
            _row("advice", "info", job.cause.advice),
        ]
    return rows


def received_results(fax: Received) -> list[dict[str, Any]]:
    """The results of a received fax: document, pages, station, fault."""
    rows = [
        _row("document", "message", fax.id + RECEIVED_DOCUMENTS),
        _row("pages", "info", fax.pages),
    ]
    if fax.tsi:
        rows.append(_row("remote_id", "info", fax.tsi))
    if fax.state is ReceivedState.PARTIAL and fax.cause is not None:
        rows += [_row("error", "error", fax.cause.sentence), _row("error_code", "error", fax.cause.code)]
    return rows


def _row(name: str, kind: str, data: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "data": data}


def attempt_rows(transmission_id: int, attempts: Sequence[Attempt]) -> list[dict[str, Any]]:
    """The calls of a transmission as that system's log rows."""
    return [
        {
            "spool_id": attempt.id,
            "transmission_id": transmission_id,
            "time_start": int(attempt.started_at),
            "time_end": int(attempt.ended_at) if attempt.ended_at is not None else None,
            "amount": int(attempt.seconds),
            "service_flag": SERVICE_FLAG,
            "status": _attempt_status(attempt),
            "response": attempt.cause.sentence if attempt.cause is not None else "",
            "pages": attempt.pages_confirmed,
        }
        for attempt in attempts
    ]


def _attempt_status(attempt: Attempt) -> str:
    if attempt.ended_at is None:
        return PROCESSING
    return COMPLETED if attempt.cause_code == "delivered" else FAILED


# -- the one-step faxes ----------------------------------------------------------------------------

SENT, BUSY, QUEUED, SENDING = "sent", "busy", "queued", "sending"


def fax_status(job: Job) -> str:
    """``queued``, ``sending``, and at the end ``sent``, ``busy`` or ``failed``."""
    match job.state:
        case JobState.DELIVERED:
            return SENT
        case JobState.SENDING:
            return SENDING
        case JobState.FAILED | JobState.CANCELLED | JobState.UNKNOWN:
            return BUSY if job.cause_code == "busy" else FAILED
    return QUEUED


def fax_id(job: Job) -> int:
    """The id by which clients know the fax that ``job`` sends."""
    marked = job.metadata.get(MARK) if job.origin == ORIGIN else None
    return marked if isinstance(marked, int) else job.id


def sent_fax(job: Job, own_number: str) -> dict[str, Any]:
    """A job as the interface's fax."""
    return {
        "id": fax_id(job),
        "job_id": fax_id(job),
        "direction": OUTBOUND,
        "from": job.options.caller_number or own_number,
        "to": job.number,
        "status": fax_status(job),
        "pages": job.pages_confirmed,
        "pages_total": job.pages,
        "message": job.cause.sentence if job.cause is not None else "",
        "tries": job.tries,
        "created_at": int(job.created_at),
        "ended_at": int(job.ended_at) if job.ended_at is not None else None,
    }


def received_fax(fax: Received, own_number: str) -> dict[str, Any]:
    """A received fax as the interface's fax."""
    status = {ReceivedState.RECEIVING: "receiving", ReceivedState.COMPLETE: "received"}
    return {
        "id": fax.id,
        "job_id": fax.id,
        "direction": INBOUND,
        "from": fax.caller or fax.tsi,
        "to": fax.dialled or own_number,
        "status": status.get(fax.state, FAILED),
        "pages": fax.pages,
        "pages_total": fax.pages,
        "message": fax.cause.sentence if fax.cause is not None else "",
        "tries": 1,
        "created_at": int(fax.started_at),
        "ended_at": int(fax.ended_at) if fax.ended_at is not None else None,
        "document_id": fax.id + RECEIVED_DOCUMENTS,
    }
