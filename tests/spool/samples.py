"""A fax to send and a received one as the spool has them, for tests of what is told and decided of them."""

from __future__ import annotations

from typing import Any

from appliance.spool.model import Job, JobState, Priority, Reach, Received, ReceivedState
from appliance.spool.options import SendOptions

_JOB: dict[str, Any] = {
    "id": 7,
    "uuid": "u",
    "submission_id": 1,
    "owner": "ada",
    "key": "",
    "origin": "rest",
    "number": "+49301234567",
    "given": "",
    "name": "",
    "reach": Reach.DOMESTIC,
    "state": JobState.SENDING,
    "priority": Priority.NORMAL,
    "tag": "",
    "created_at": 0.0,
    "scheduled_at": 0.0,
    "next_try_at": 0.0,
    "expires_at": 0.0,
    "deadline": 0.0,
    "ended_at": None,
    "tries": 1,
    "rendered_path": "",
    "pages": 1,
    "pages_confirmed": 0,
    "line": "",
    "remote_id": "",
    "seconds_on_line": 0.0,
    "cause_code": "",
    "cancel_requested": False,
    "resent_from": None,
    "options": SendOptions(),
    "metadata": {},
    "callback_url": "",
}
_RECEIVED: dict[str, Any] = {
    "id": 1,
    "uuid": "u",
    "owner": "",
    "line": "trunk",
    "line_kind": "t38",
    "caller": "",
    "caller_name": "",
    "dialled": "",
    "tsi": "",
    "sub_address": "",
    "state": ReceivedState.COMPLETE,
    "started_at": 0.0,
    "ended_at": 1.0,
    "pages": 1,
    "bad_rows": 0,
    "cause_code": "received",
    "read": False,
    "deleted_at": None,
    "trace_path": "",
    "facts": {},
}


def sample_job(**more: Any) -> Job:
    """A fax that is being sent for the first time; ``more`` is what matters to the test."""
    return Job(**{**_JOB, **more})


def sample_received(**more: Any) -> Received:
    """A fax of one page that was received whole; ``more`` is what matters to the test."""
    return Received(**{**_RECEIVED, **more})
