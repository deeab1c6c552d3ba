"""Records the end of a call in one transaction: attempt, next state of the job, learned profile."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from appliance.causes import DELIVERED, Retry
from appliance.dispatch import rules
from appliance.dispatch.profile import Profile, learn
from appliance.lines.causes import LINE_FULL
from appliance.lines.practice.settings import PracticeSettings
from appliance.spool import attempts, jobs, ledger
from appliance.spool.causes import UNKNOWN_DELIVERY
from appliance.spool.model import Job, JobState, Reach
from appliance.spool.remembered import Destination
from appliance.spool.settings import SendingSettings
from appliance.spool.transaction import Tx
from appliance.t30.parameters import CallResult


@dataclass(frozen=True, slots=True)
class CallEnd:
    """What is known at the end of a call."""

    result: CallResult
    step: int  # index in profile.STEPS
    line: str
    medium: str  # over a SIP trunk: t38 or g711; empty for other lines
    seconds: float  # duration of the call, dialling included
    candidates: int  # usable lines that may carry the job
    sending: SendingSettings
    practice: PracticeSettings


def settle(tx: Tx, attempt_id: int, end: CallEnd, now: float) -> Job:
    """Ends the attempt and sets the next state of its job, at Unix time ``now``.

    Raises IllegalTransitionError when the attempt has been ended meanwhile.
    """
    attempt = jobs.get_attempt(tx.db, attempt_id)
    job = jobs.get(tx.db, attempt.job_id)
    before = [other for other in jobs.attempts(tx.db, job.id) if other.id != attempt_id]
    result = end.result
    confirmed = attempt.first_page + max(attempt.pages_confirmed, result.pages_sent)
    doubtful = result.cause.retry is Retry.ASK and result.cause is not UNKNOWN_DELIVERY
    if job.pages and confirmed >= job.pages and not doubtful:
        # The far end has confirmed every page, whatever happened to the call afterwards.
        result = replace(result, cause=DELIVERED)
        end = replace(end, result=result)
    decided = rules.verdict(
        job,
        result.cause,
        before,
        end.sending,
        now,
        practice=end.practice,
        candidates=end.candidates,
        medium=end.medium,
    )
    if result.cause is LINE_FULL and decided.state is JobState.WAITING:
        return attempts.unplaced(tx, attempt_id, LINE_FULL, now)
    outcome = attempts.Outcome(
        cause=result.cause,
        state=decided.state,
        next_try_at=decided.next_try_at,
        pages_confirmed=result.pages_sent,
        seconds=end.seconds,
        remote_id=result.remote_id,
        facts=facts_of(result, end.step, end.medium),
    )
    if job.reach is not Reach.PRACTICE:
        _remember(tx, job.number, end, now)
    return attempts.end(tx, attempt_id, outcome, now)


def _remember(tx: Tx, number: str, end: CallEnd, now: float) -> None:
    known = ledger.destination(tx.db, number)
    failures, until = rules.quarantine(known, end.result.cause, end.sending, now, end.medium)
    profile = Profile.load(known.profile if known is not None else {})
    if end.sending.learn:
        profile = learn(
            profile,
            end.result,
            step=end.step,
            line=end.line,
            medium=end.medium,
            seconds=end.seconds,
            now=now,
        )
    ledger.save_destination(tx, Destination(number, failures, until, profile.dump(), now))


def facts_of(result: CallResult, step: int, medium: str) -> dict[str, Any]:
    """The facts of a call that are stored with its attempt."""
    return {
        **result.facts,
        "remote_id": result.remote_id,
        "phase": result.phase.value,
        "step": step,
        "medium": medium,
    }
