"""``Deliveries``: everything in this package that the daemon runs."""

from __future__ import annotations

import shutil

from appliance import at_rest
from appliance.box import Box
from appliance.causes import Cause
from appliance.deliver import planner, routing
from appliance.deliver.email_out import EmailDeliverer
from appliance.deliver.folder import FolderDeliverer
from appliance.deliver.listener import SmtpListener
from appliance.deliver.mail_to_fax import Gateway
from appliance.deliver.mailbox import Mailbox
from appliance.deliver.pdfs import FOLDER
from appliance.deliver.planner import Planner
from appliance.deliver.printer import PrinterDeliverer
from appliance.deliver.settings import JunkRule
from appliance.deliver.webhook import WebhookDeliverer, make_styles
from appliance.deliver.worker import Deliverer, OutboxWorker
from appliance.documents.options import clean_line
from appliance.lines.line import IncomingCall

_KEPT = 64  # characters of a number in the audit log


class Deliveries:
    """A service of the daemon; must be made before anything emits events.

    ``styles``: interfaces register the bodies of their webhooks there, before ``start``.
    """

    def __init__(self, box: Box) -> None:
        self._box = box
        self.styles = make_styles()
        self.email = EmailDeliverer(box)
        self.webhook = WebhookDeliverer(box, self.styles)
        deliverers: dict[str, Deliverer] = {
            planner.WEBHOOK: self.webhook,
            planner.EMAIL: self.email,
            planner.FOLDER: FolderDeliverer(box),
            planner.PRINTER: PrinterDeliverer(box),
        }
        self._worker = OutboxWorker(box, deliverers)
        gateway = Gateway(box)
        self.listener = SmtpListener(box, gateway)
        self.mailbox = Mailbox(box, gateway)
        box.outbox.follow(Planner(box))

    def screen(self, call: IncomingCall) -> Cause | None:
        """The dispatcher's ``Screen``: the cause to refuse a junk call with, which is noted; else None."""
        refused = routing.junk(call, self._box.settings.items(JunkRule))
        if refused is not None:
            self._note(call, refused)
        return refused

    def _note(self, call: IncomingCall, refused: Cause) -> None:
        """Only queued: this runs in the loop that carries the calls."""
        caller = clean_line(call.caller)[:_KEPT]
        self._box.history.audit_soon(
            "junk rules",
            "call.refused",
            object=refused.code,
            address=caller,
            detail=f"line {call.line}, dialled {clean_line(call.dialled)[:_KEPT]}",
        )

    def start(self) -> None:
        """Starts deliveries and both ways in for e-mail."""
        # Temporary files that a crash left.
        shutil.rmtree(at_rest.temporary_root(self._box.data) / FOLDER, ignore_errors=True)
        for service in (self._worker, self.listener, self.mailbox):
            service.start()

    def stop(self) -> None:
        """Ends what ``start`` began."""
        for service in (self.listener, self.mailbox, self._worker):
            service.stop()
