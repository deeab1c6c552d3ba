"""The fax object: a job or a received fax as JSON of this style.  Pure."""

from __future__ import annotations

from typing import Any

from appliance.api.ifax.codes import CANCELLED, UNDER_WAY, EndCode, end_of
from appliance.spool.model import Job, JobState, Received, ReceivedState

_STATUS: dict[JobState, str] = {
    JobState.DELIVERED: "delivered",
    JobState.CANCELLED: "canceled",
    JobState.FAILED: "failed",
    # Without confirmation it must not be taken for delivered.
    JobState.UNKNOWN: "failed",
}


def status_word(state: JobState) -> str:
    """``sending``, ``delivered``, ``canceled`` or ``failed``."""
    return _STATUS.get(state, "sending")


def sent_fax(job: Job, from_number: str) -> dict[str, Any]:
    """The fax object of a job; ``from_number`` is the station's own unless the job has its own.

    The call's length is counted from the API call to the end, like start and end; 0 before the end.
    """
    start, end = int(job.created_at), int(job.ended_at or 0)
    result = _end_of_job(job)
    return {
        "jobId": job.id,
        "fromNumber": job.options.caller_number or from_number,
        "toNumber": job.number,
        "faxCallLength": max(0, end - start) if end else 0,
        "faxCallStart": start,
        "faxCallEnd": end,
        "faxTotalPages": job.pages or 0,
        "faxTransferredPages": job.pages_confirmed,
        "faxStatus": status_word(job.state),
        "message": result.name,
        "code": result.number,
        "direction": "sent",
    }


def received_fax(fax: Received, own_number: str) -> dict[str, Any]:
    """The fax object of a received fax; ``own_number`` is used when the line does not tell the number."""
    start, end = int(fax.started_at), int(fax.ended_at or 0)
    if fax.state is ReceivedState.RECEIVING:
        status, result = "sending", UNDER_WAY
    elif fax.state is ReceivedState.COMPLETE:
        status, result = "delivered", EndCode("NORMAL_CLEARING", 0)
    else:
        status, result = "failed", end_of(fax.cause) if fax.cause else EndCode("NORMAL_UNSPECIFIED", 31)
    return {
        "jobId": fax.id,
        # Clients of this style ask for a received file by both numbers.
        "transactionId": fax.id,
        "fromNumber": fax.caller or fax.tsi,
        "toNumber": fax.dialled or own_number,
        "faxCallLength": max(0, end - start) if end else 0,
        "faxCallStart": start,
        "faxCallEnd": end,
        "faxTotalPages": fax.pages,
        "faxTransferredPages": fax.pages,
        "faxStatus": status,
        "message": result.name,
        "code": result.number,
        "direction": "received",
    }


def _end_of_job(job: Job) -> EndCode:
    if not job.state.ended:
        return UNDER_WAY
    if job.state is JobState.CANCELLED:
        return CANCELLED
    if job.cause is None:
        return EndCode("NORMAL_UNSPECIFIED", 31)
    return end_of(job.cause)
