"""The fax object: a job or a received fax as JSON of this style.  Pure."""

from __future__ import annotations

from typing import Any

from appliance.api.ifax.codes import CANCELLED, DELIVERED, UNDER_WAY, EndCode, end_of
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


def sent_fax(job: Job, own_number: str) -> dict[str, Any]:
    """The fax object of a job; ``own_number`` is shown unless the job has a number of its own.

    The call's length is counted from the API call to the end, like start and end; 0 before the end.
    """
    return {
        "jobId": job.id,
        "fromNumber": job.options.caller_number or own_number,
        "toNumber": job.number,
        **_times(job.created_at, job.ended_at),
        "faxTotalPages": job.pages or 0,
        "faxTransferredPages": job.pages_confirmed,
        "faxStatus": status_word(job.state),
        **_result(_end_of_job(job)),
        "direction": "sent",
    }


def received_fax(fax: Received, own_number: str) -> dict[str, Any]:
    """The fax object of a received fax; ``own_number`` is used when the line does not tell the number."""
    match fax.state:
        case ReceivedState.RECEIVING:
            status, end = "sending", UNDER_WAY
        case ReceivedState.COMPLETE:
            status, end = "delivered", DELIVERED
        case _:
            status, end = "failed", end_of(fax.cause)
    return {
        "jobId": fax.id,
        # Clients of this style ask for a received file by both numbers.
        "transactionId": fax.id,
        "fromNumber": fax.caller or fax.tsi,
        "toNumber": fax.dialled or own_number,
        **_times(fax.started_at, fax.ended_at),
        "faxTotalPages": fax.pages,
        "faxTransferredPages": fax.pages,
        "faxStatus": status,
        **_result(end),
        "direction": "received",
    }


def _times(began: float, ended: float | None) -> dict[str, int]:
    start, end = int(began), int(ended or 0)
    return {
        "faxCallLength": max(0, end - start) if end else 0,
        "faxCallStart": start,
        "faxCallEnd": end,
    }


def _result(end: EndCode) -> dict[str, Any]:
    return {"message": end.name, "code": end.number}


def _end_of_job(job: Job) -> EndCode:
    if not job.state.ended:
        return UNDER_WAY
    return CANCELLED if job.state is JobState.CANCELLED else end_of(job.cause)
