"""The buttons beside the e-mail settings: sending a test e-mail, collecting from the mailbox now."""

from __future__ import annotations

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


@routes("GET", "/mail", answer=MAIL)
def read_mail(call: Call) -> Answer:
    """Read the state of e-mail."""
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
    body=request_object({"to": text(ADDRESS_LIMIT, pattern=ADDRESS_PATTERN)}, required=("to",)),
    answer=record({"said": text(2000, help="what the mail server answered")}),
)
def test_mail(call: Call) -> Answer:
    """Send a test e-mail with the present settings.

    Answers when the mail server has accepted it, or with what went wrong.
    """
    to = call.body["to"]
    call.note("mail.test", detail=to)
    return Answer({"said": call.context.core.deliveries.email.test(to)})


@routes("POST", "/mail/collect", answer=record({"taken": integer(help="e-mails that were dealt with")}))
def collect_mail(call: Call) -> Answer:
    """Collect e-mail from the mailbox now."""
    call.note("mail.collect")
    return Answer({"taken": call.context.core.deliveries.mailbox.visit()})
