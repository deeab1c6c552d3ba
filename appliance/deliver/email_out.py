"""Deliveries of the kind ``email``: received faxes, results, refusals; the target is an address."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from appliance import language
from appliance.box import Box
from appliance.causes import cause_of
from appliance.deliver import pdfs, smtp
from appliance.deliver.causes import MAIL_NOT_SET_UP, MAIL_RECIPIENT_REFUSED, MAIL_REFUSED
from appliance.deliver.settings import MailOutSettings
from appliance.deliver.smtp import MailError
from appliance.deliver.worker import DeliveryError
from appliance.language import marked
from appliance.numbers import NumberSettings
from appliance.settings.accounts import User
from appliance.settings.units import MB
from appliance.spool.delivery import Delivery
from appliance.station import StationSettings

# The modules that write an e-mail are loaded with the first one.
if TYPE_CHECKING:
    from appliance.deliver.email_writing import EmailWriter, Outgoing

# Values of ``why`` in a delivery's payload: what the e-mail is about.
RECEIVED, SENT, RESULT, REFUSAL = "received", "sent", "result", "refusal"
# Keys of a job's metadata, and of a refusal's payload: the e-mail that asked for the fax.
ASKED_SUBJECT, ASKED_ID = "email_subject", "email_id"
# Causes with which a further try cannot help.
_FINAL = (MAIL_RECIPIENT_REFUSED, MAIL_REFUSED)


class EmailDeliverer:
    """Sends the e-mail of a delivery, in its reader's language."""

    def __init__(self, box: Box) -> None:
        self._box = box

    def __call__(self, delivery: Delivery) -> str:
        """One try; returns what the server said.  Raises DeliveryError."""
        with language.speaking(self._language(delivery.target)):
            return self._try(delivery)

    def _language(self, address: str) -> str:
        """The language of the e-mail's reader: their own, else that of the box's country."""
        for user in self._box.settings.items(User).values():
            if user.language and user.email.lower() == address.lower():
                return user.language
        return language.of_country(self._box.settings.section(NumberSettings).region)

    def _writer(self) -> EmailWriter:
        from appliance.deliver.email_writing import EmailWriter  # noqa: PLC0415 (see above)

        store = self._box.settings
        clock = store.section(StationSettings).writer(store.section(NumberSettings).region)
        return EmailWriter(store.section(MailOutSettings), clock, self._box.clock())

    def _try(self, delivery: Delivery) -> str:
        try:
            with pdfs.still_there(), pdfs.scratch(self._box) as folder:
                message = self._message(delivery, folder / "fax.pdf")
                return smtp.send(message, delivery.target, self._box.settings.section(MailOutSettings))
        except MailError as error:
            raise DeliveryError(str(error), final=error.cause in _FINAL) from error

    def _message(self, delivery: Delivery, pdf: Path) -> Outgoing:
        """The e-mail; the fax in it is written to ``pdf``.  Raises DeliveryError, NotFoundError."""
        box, writer, to, payload = self._box, self._writer(), delivery.target, delivery.payload
        # Contains the box's own name, so that two boxes never write the same Message-ID.
        tag = f"delivery-{delivery.id}-{int(delivery.created_at * 1000):x}.faxbox"
        if payload["why"] == REFUSAL:
            asked = (str(payload[ASKED_SUBJECT]), str(payload[ASKED_ID]))
            return writer.refusal(to, cause_of(str(payload["cause"])), str(payload["detail"]), tag, asked)
        if payload["why"] == RECEIVED:
            fax = box.inbox.get(delivery.fax_id or 0)
            pdfs.write_received(box, fax, pdf)
            return writer.received(to, fax, tag, self._attached(pdf))
        job, attempts = box.faxes.with_attempts(delivery.fax_id or 0)
        there = pdfs.write_sent(box, job, pdf)
        if payload["why"] == SENT:
            if not there:
                raise DeliveryError(marked("The pages of the fax are no longer kept."), final=True)
            return writer.sent(to, job, tag, self._attached(pdf))
        asked = (str(job.metadata.get(ASKED_SUBJECT, "")), str(job.metadata.get(ASKED_ID, "")))
        attached = self._attached(pdf) if there else None
        return writer.result(to, job, attempts, tag, attached, reply=asked if asked[1] else None)

    def _attached(self, pdf: Path) -> Path | None:
        """``pdf``, None if it is larger than e-mails of this box may be."""
        limit = self._box.settings.section(MailOutSettings).attach_mb * MB
        return pdf if pdf.stat().st_size <= limit else None

    def test(self, to: str) -> str:
        """Sends a test e-mail at once; returns what the server said.  Raises MailError."""
        settings = self._box.settings.section(MailOutSettings)
        if not settings.sender:
            raise MailError(MAIL_NOT_SET_UP)
        return smtp.send(self._writer().test(to, f"test-{uuid.uuid4().hex}.faxbox"), to, settings)
