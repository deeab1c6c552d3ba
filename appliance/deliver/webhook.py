"""Webhooks: a signed POST that tells a program about a fax, and the box's own style of it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from appliance.box import Box
from appliance.causes import in_words
from appliance.deliver import pdfs
from appliance.deliver.settings import DeliverySettings
from appliance.deliver.styles import OWN, FaxDocument, FaxEvent, SignedBody, Styles
from appliance.deliver.worker import DeliveryError
from appliance.language import marked
from appliance.net.addresses import Resolver, resolve
from appliance.net.causes import URL_NOT_ALLOWED
from appliance.net.http import FetchError, PostAnswer, post
from appliance.net.settings import ApiSettings
from appliance.records import time_text
from appliance.services.views import fax_in_full, received_in_full
from appliance.settings.accounts import ApiKey
from appliance.settings.secrets import SecretSettings
from appliance.settings.units import MB
from appliance.spool.delivery import Delivery
from appliance.spool.model import Job, Received

SIGNATURE_HEADER = "X-Faxbox-Signature"
# The receiver's status for an address that no longer exists: 410 (RFC 9110 15.5.11).
_GONE = 410
# Characters of the receiver's answer that are kept with the try.
_ANSWER_KEPT = 200
TEST = "test"
# Events of the spool that are told, and their names in the own style.
EVENTS = {
    "job.accepted": "fax.queued",
    "job.held": "fax.held",
    "job.waiting": "fax.waiting",
    "job.sending": "fax.started",
    "job.page": "fax.page",
    "job.delivered": "fax.delivered",
    "job.failed": "fax.failed",
    "job.cancelled": "fax.cancelled",
    "job.unknown": "fax.unknown",
    "received.complete": "fax.received",
    "received.partial": "fax.received",
}
# Those that every style has: the end of a fax, or its arrival.
ENDS = frozenset(
    {
        "job.delivered",
        "job.failed",
        "job.cancelled",
        "job.unknown",
        "received.complete",
        "received.partial",
    }
)
PDF_TYPE = "application/pdf"

_NOTHING_SENT = marked("Nothing was sent.")
_NOT_TAKEN = marked("The receiver did not take it.")


class WebhookDeliverer:
    """Makes deliveries of the kind ``webhook``; the target is the URL."""

    def __init__(self, box: Box, styles: Styles, resolver: Resolver = resolve) -> None:
        self._box = box
        self._styles = styles
        self._resolver = resolver

    def __call__(self, delivery: Delivery) -> str:
        """One try; returns what the receiver answered.  Raises DeliveryError."""
        style = str(delivery.payload["style"]) if delivery.payload["event"] in ENDS else OWN
        said = self._styles.of(style)(
            self._box, self._ended(delivery), self._secret(str(delivery.payload["key"]))
        )
        try:
            answer = self._post(delivery.target, said)
        except FetchError as error:
            # An address that is not allowed may become allowed by a change of the settings or of the name
            # server: not final, nothing was sent.
            words = in_words(error.cause.sentence, error.detail)
            if error.cause is URL_NOT_ALLOWED:
                words = f"{_NOTHING_SENT} {words}"
            raise DeliveryError(words) from error
        words = f"{answer.status} {' '.join(answer.answer.split())[:_ANSWER_KEPT]}".strip()
        if not answer.accepted:
            raise DeliveryError(f"{_NOT_TAKEN} {words}", final=answer.status == _GONE)
        return words

    def test(self, url: str, key_name: str) -> PostAnswer:
        """Sends a test at once, signed like the webhooks of the faxes of this key.  Raises FetchError."""
        content = {"event": TEST, "delivery": 0, "at": time_text(self._box.clock()), "fax": None}
        return self._post(url, _signed(self._box, content, self._secret(key_name)))

    def _post(self, url: str, said: SignedBody) -> PostAnswer:
        return post(
            url,
            said.body,
            said.headers,
            timeout_s=self._box.settings.section(DeliverySettings).webhook_s,
            allow_private=self._box.settings.section(ApiSettings).private_urls,
            resolver=self._resolver,
        )

    def _ended(self, delivery: Delivery) -> FaxEvent:
        kind = str(delivery.payload["event"])
        at, fax_id = float(delivery.payload["at"]), delivery.fax_id or 0
        with_pdf = bool(delivery.payload.get("pdf")) and kind in ENDS
        with pdfs.still_there():
            if kind.startswith("job."):
                job, attempts = self._box.faxes.with_attempts(fax_id)
                return FaxEvent(
                    kind,
                    at,
                    delivery.id,
                    job,
                    attempts=tuple(attempts),
                    page=delivery.payload.get("page"),
                    document=self._document(job) if with_pdf else None,
                )
            fax, pages = self._box.inbox.with_pages(fax_id, deleted=True)
            document = self._document(fax) if with_pdf else None
            return FaxEvent(kind, at, delivery.id, fax, pages=tuple(pages), document=document)

    def _document(self, fax: Job | Received) -> FaxDocument:
        """The fax as a PDF; without content where it is gone or larger than the owner allows."""
        limit = self._box.settings.section(DeliverySettings).webhook_pdf_mb * MB
        with pdfs.scratch(self._box) as folder:
            path = folder / "fax.pdf"
            try:
                if isinstance(fax, Job):
                    there = pdfs.write_sent(self._box, fax, path)
                else:
                    pdfs.write_received(self._box, fax, path)
                    there = True
            except DeliveryError:  # the event is sent all the same
                there = False
            fits = there and path.stat().st_size <= limit
            return FaxDocument(f"fax-{fax.id}.pdf", path.read_bytes() if fits else None)

    def _secret(self, key_name: str) -> str:
        """The secret of this key's account, or the box's."""
        keys = self._box.settings.items(ApiKey).values()
        own = next((key.webhook_secret for key in keys if key_name and key.name == key_name), "")
        return own or self._box.settings.section(SecretSettings).webhook_key


def own_style(box: Box, ended: FaxEvent, secret: str) -> SignedBody:
    """The box's own webhook; docs/deliveries.md describes it.  A ``Style``."""
    fax = ended.fax
    event = EVENTS[ended.event]
    shown = fax_in_full(fax, ended.attempts) if isinstance(fax, Job) else received_in_full(fax, ended.pages)
    content = {"event": event, "delivery": ended.delivery, "at": time_text(ended.at), "fax": shown}
    if ended.page is not None:
        content["page"] = ended.page
    if ended.document is not None:
        octets = ended.document.content
        content["document"] = {
            "name": ended.document.name,
            "media_type": PDF_TYPE,
            "content": None if octets is None else base64.b64encode(octets).decode(),
        }
    return _signed(box, content, secret)


def _signed(box: Box, content: Mapping[str, Any], secret: str) -> SignedBody:
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    stamp = int(box.clock())
    return SignedBody(
        body,
        {
            "Content-Type": "application/json",
            "X-Faxbox-Event": str(content["event"]),
            "X-Faxbox-Delivery": str(content["delivery"]),
            SIGNATURE_HEADER: f"t={stamp},v1={signature(secret, stamp, body)}",
        },
    )


def signature(secret: str, stamp: int, body: bytes) -> str:
    """HMAC-SHA256 in hexadecimal over the Unix time, a dot and the body as sent."""
    return hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()


def make_styles() -> Styles:
    """A new registry that contains the box's own style."""
    styles = Styles()
    styles.register(OWN, own_style)
    return styles
