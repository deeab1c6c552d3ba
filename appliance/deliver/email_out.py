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
from appliance.numbers import NumberSettings
from appliance.settings.accounts import User
from appliance.settings.units import MB
from appliance.spool.delivery import Delivery
from appliance.station import StationSettings

# The modules that write an e-mail are loaded with the first one.
if TYPE_CHECKING:
    from appliance.deliver.email_writing import Outgoing, Writer

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

    def _writer(self) -> Writer:
        from appliance.deliver.email_writing import Writer  # noqa: PLC0415 (see above)

        store = self._box.settings
        region = store.section(NumberSettings).region
        mail, station = store.section(MailOutSettings), store.section(StationSettings)
        return Writer(mail, station, self._box.clock(), region=region)

    def _try(self, delivery: Delivery) -> str:
        settings = self._box.settings.section(MailOutSettings)
        writer = self._writer()
        # Contains the box's own name, so that two boxes never write the same Message-ID.
        tag = f"delivery-{delivery.id}-{int(delivery.created_at * 1000):x}.faxbox"
        try:
            with pdfs.still_there(), pdfs.scratch(self._box) as folder:
                match delivery.payload["why"]:
                    case "received":
                        message = self._received(writer, delivery, tag, folder, settings)
                    case "sent":
                        message = self._sent(writer, delivery, tag, folder, settings)
                    case "result":
                        message = self._result(writer, delivery, tag, folder, settings)
                    case _:
                        payload = delivery.payload
                        message = writer.refusal(
                            delivery.target,
                            cause_of(str(payload["cause"])),
                            str(payload["detail"]),
                            tag,
                            (str(payload[ASKED_SUBJECT]), str(payload[ASKED_ID])),
                        )
                return smtp.send(message, delivery.target, settings)
        except MailError as error:
            raise DeliveryError(str(error), final=error.cause in _FINAL) from error

    def test(self, to: str) -> str:
        """Sends a test e-mail at once; returns what the server said.  Raises MailError."""
        settings = self._box.settings.section(MailOutSettings)
        writer = self._writer()
        if not settings.sender:
            raise MailError(MAIL_NOT_SET_UP)
        return smtp.send(writer.test(to, f"test-{uuid.uuid4().hex}.faxbox"), to, settings)

    def _received(
        self, writer: Writer, delivery: Delivery, tag: str, folder: Path, settings: MailOutSettings
    ) -> Outgoing:
        fax = self._box.inbox.get(delivery.fax_id or 0)
        pdf = folder / "fax.pdf"
        pdfs.write_received(self._box, fax, pdf)
        fits = pdf.stat().st_size <= settings.attach_mb * MB
        return writer.received(delivery.target, fax, tag, pdf if fits else None, not fits)

    def _sent(
        self, writer: Writer, delivery: Delivery, tag: str, folder: Path, settings: MailOutSettings
    ) -> Outgoing:
        job = self._box.faxes.get(delivery.fax_id or 0)
        pdf = folder / "fax.pdf"
        if not pdfs.write_sent(self._box, job, pdf):
            raise DeliveryError("The pages of the fax are no longer kept.", final=True)
        fits = pdf.stat().st_size <= settings.attach_mb * MB
        return writer.sent(delivery.target, job, tag, pdf if fits else None)

    def _result(
        self, writer: Writer, delivery: Delivery, tag: str, folder: Path, settings: MailOutSettings
    ) -> Outgoing:
        job, attempts = self._box.faxes.with_attempts(delivery.fax_id or 0)
        pdf = folder / "fax.pdf"
        there = pdfs.write_sent(self._box, job, pdf) and pdf.stat().st_size <= settings.attach_mb * MB
        asked = (str(job.metadata.get(ASKED_SUBJECT, "")), str(job.metadata.get(ASKED_ID, "")))
        return writer.result(
            delivery.target, job, attempts, tag, pdf if there else None, reply=asked if asked[1] else None
        )
