"""Webhooks: a signed POST that tells a program how a fax ended, and the box's own style of it."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from appliance.box import Box
from appliance.causes import URL_NOT_ALLOWED, Cause
from appliance.deliver.styles import OWN, Ended, SignedBody, Styles
from appliance.deliver.worker import DeliveryError
from appliance.net.addresses import Resolver, resolve
from appliance.net.http import FetchError, post
from appliance.settings.delivery import DeliverySettings
from appliance.settings.items import ApiKey
from appliance.settings.sections import ApiSettings, SecretSettings
from appliance.spool.model import Delivery, Job, NotFoundError, Received

SIGNATURE_HEADER = "X-Faxbox-Signature"
# A receiver that answers so says that the address is gone for good: RFC 9110 15.5.11.
_GONE = 410
# Of what a receiver answered so much is kept with the try, characters.
_ANSWER_KEPT = 200
_EVENTS = {
    "job.delivered": "fax.delivered",
    "job.failed": "fax.failed",
    "job.cancelled": "fax.cancelled",
    "job.unknown": "fax.unknown",
    "received.complete": "fax.received",
    "received.partial": "fax.received",
}


class WebhookDeliverer:
    """Makes deliveries of the kind ``webhook``: the target is the URL."""

    def __init__(self, box: Box, styles: Styles, resolver: Resolver = resolve) -> None:
        self._box = box
        self._styles = styles
        self._resolver = resolver

    def __call__(self, delivery: Delivery) -> str:
        """One try.  Raises DeliveryError."""
        said = self._styles.of(str(delivery.payload["style"]))(
            self._box, self._ended(delivery), self._secret(str(delivery.payload["key"]))
        )
        try:
            answer = post(
                delivery.target,
                said.body,
                said.headers,
                timeout_s=self._box.settings.section(DeliverySettings).webhook_s,
                allow_private=self._box.settings.section(ApiSettings).private_urls,
                resolver=self._resolver,
            )
        except FetchError as error:
            # An address that is not allowed now may be after the owner changed the setting or the name
            # server its mind: the timetable goes on, nothing was sent.
            words = f"{error.cause.sentence} {error.detail}"
            if error.cause is URL_NOT_ALLOWED:
                words = f"Nothing was sent. {words}"
            raise DeliveryError(words) from error
        words = f"{answer.status} {' '.join(answer.answer.split())[:_ANSWER_KEPT]}".strip()
        if not answer.accepted:
            raise DeliveryError(f"The receiver answered {words}", final=answer.status == _GONE)
        return words

    def _ended(self, delivery: Delivery) -> Ended:
        kind = str(delivery.payload["event"])
        try:
            fax, attempts = self._fax(kind, delivery.fax_id or 0)
        except NotFoundError:
            raise DeliveryError("The fax is no longer in the box.", final=True) from None
        return Ended(kind, float(delivery.payload["at"]), delivery.id, fax, attempts)

    def _fax(self, kind: str, fax_id: int) -> tuple[Job | Received, tuple[Any, ...]]:
        if kind.startswith("job."):
            job, attempts = self._box.faxes.with_attempts(fax_id)
            return job, tuple(attempts)
        return self._box.inbox.get(fax_id, deleted=True), ()

    def _secret(self, key_name: str) -> str:
        """The account's own key, or the box's."""
        keys = self._box.settings.items(ApiKey).values()
        own = next((key.webhook_secret for key in keys if key_name and key.name == key_name), "")
        return own or self._box.settings.section(SecretSettings).webhook_key


def own_style(box: Box, ended: Ended, secret: str) -> SignedBody:
    """The box's own webhook; docs/deliveries.md describes it.  A ``Style``."""
    fax = ended.fax
    event = _EVENTS[ended.event]
    content = {
        "event": event,
        "delivery": ended.delivery,
        "at": _moment(ended.at),
        "fax": _job(ended, fax) if isinstance(fax, Job) else _received(fax),
    }
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    stamp = int(box.clock())
    return SignedBody(
        body,
        {
            "Content-Type": "application/json",
            "X-Faxbox-Event": event,
            "X-Faxbox-Delivery": str(ended.delivery),
            SIGNATURE_HEADER: f"t={stamp},v1={signature(secret, stamp, body)}",
        },
    )


def signature(secret: str, stamp: int, body: bytes) -> str:
    """HMAC-SHA256 in hexadecimal over the moment, a dot and the body as sent."""
    return hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()


def make_styles() -> Styles:
    """A registry with the box's own style in it."""
    styles = Styles()
    styles.register(OWN, own_style)
    return styles


def _job(ended: Ended, job: Job) -> Mapping[str, Any]:
    return {
        "id": job.id,
        "uuid": job.uuid,
        "direction": "sent",
        "state": ended.event.removeprefix("job."),
        "to": job.number,
        "to_name": job.name,
        "pages": job.pages,
        "pages_confirmed": job.pages_confirmed,
        "tries": job.tries,
        "line": job.line,
        "remote_id": job.remote_id,
        "created_at": _moment(job.created_at),
        "ended_at": None if job.ended_at is None else _moment(job.ended_at),
        "seconds_on_line": round(job.seconds_on_line, 1),
        "problem": _problem(job.cause) if ended.event != "job.delivered" else None,
        "tag": job.tag,
        "metadata": dict(job.metadata),
        "resent_from": job.resent_from,
        "attempts": [
            {
                "number": attempt.number,
                "line": attempt.line,
                "started_at": _moment(attempt.started_at),
                "seconds": round(attempt.seconds, 1),
                "first_page": attempt.first_page + 1,
                "pages_confirmed": attempt.pages_confirmed,
                "code": attempt.cause_code,
            }
            for attempt in ended.attempts
        ],
    }


def _received(fax: Received) -> Mapping[str, Any]:
    return {
        "id": fax.id,
        "uuid": fax.uuid,
        "direction": "received",
        "state": fax.state.value,
        "from": fax.caller,
        "from_name": fax.caller_name,
        "to": fax.dialled,
        "remote_id": fax.tsi,
        "sub_address": fax.sub_address,
        "line": fax.line,
        "user": fax.owner,
        "pages": fax.pages,
        "bad_rows": fax.bad_rows,
        "started_at": _moment(fax.started_at),
        "ended_at": None if fax.ended_at is None else _moment(fax.ended_at),
        "problem": _problem(fax.cause) if fax.state.value != "complete" else None,
    }


def _problem(cause: Cause | None) -> Mapping[str, str] | None:
    if cause is None:
        return None
    return {
        "code": cause.code,
        "side": cause.side.value,
        "sentence": cause.sentence,
        "advice": cause.advice,
    }


def _moment(at: float) -> str:
    """RFC 3339, in UTC, to the millisecond."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
