"""The buttons beside the e-mail settings: sending a test e-mail, collecting from the mailbox now."""

from __future__ import annotations

from appliance.api.problems import ProblemError
from appliance.api.rest.routes import Answer, Call, Routes
from appliance.api.rest.schemas import (
    component,
    flag,
    integer,
    nullable,
    record,
    request_object,
    text,
    timestamp,
)
from appliance.deliver.settings import ADDRESS_LIMIT, ADDRESS_PATTERN, MailInSettings, MailOutSettings
from appliance.deliver.smtp import MailError
from appliance.records import time_text
from appliance.settings.accounts import Scope

MAIL = component(
    "Mail",
    record(
        {
            "sends": flag("there is a mail server to send with"),
            "collects": flag("there is a mailbox to collect from"),
            "visited_at": nullable(timestamp("when the mailbox was last looked into")),
            "problem": text(2000, help="what was wrong then; empty: nothing"),
        }
    ),
)


routes = Routes(tag="mail", scope=Scope.ADMIN)


@routes("GET", "/mail", "readMail", "How e-mail is", answer=MAIL)
def state(call: Call) -> Answer:
    """Answers whether e-mail is set up, when the mailbox was last visited, and what was wrong there."""
    mailbox = call.context.core.deliveries.mailbox
    return Answer(
        {
            "sends": bool(call.box.settings.section(MailOutSettings).server),
            "collects": bool(call.box.settings.section(MailInSettings).imap_server),
            "visited_at": time_text(mailbox.visited_at),
            "problem": mailbox.problem,
        }
    )


@routes(
    "POST",
    "/mail/test",
    "testMail",
    "Send a test e-mail with the settings as they are",
    body=request_object({"to": text(ADDRESS_LIMIT, pattern=ADDRESS_PATTERN)}, required=("to",)),
    answer=record({"said": text(2000, help="what the mail server answered")}),
    help="Answers when the mail server has taken it; what went wrong is named.",
)
def test(call: Call) -> Answer:
    """Sends a test e-mail at once."""
    to = call.body["to"]
    call.note("mail.test", detail=to)
    try:
        return Answer({"said": call.context.core.deliveries.test_email(to)})
    except MailError as error:
        raise ProblemError(error.cause, error.detail) from None


@routes(
    "POST",
    "/mail/collect",
    "collectMail",
    "Look into the mailbox now",
    answer=record({"taken": integer(help="e-mails that were dealt with")}),
)
def collect(call: Call) -> Answer:
    """Collects from the mailbox at once."""
    call.note("mail.collect")
    try:
        return Answer({"taken": call.context.core.deliveries.mailbox.visit()})
    except MailError as error:
        raise ProblemError(error.cause, error.detail) from None
