"""The buttons beside the e-mail settings, against a real SMTP and a real IMAP server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.deliver.settings import MailInSettings, MailOutSettings
from appliance.settings.accounts import Scope
from tests.api.served import Served
from tests.deliver.dovecot import BINARY, PASSWORD, USER, letter_box
from tests.deliver.mailing import post_office

needs_dovecot = pytest.mark.skipif(not Path(BINARY).exists(), reason="dovecot-imapd is not installed")


@pytest.fixture(autouse=True)
def _as_it_was(served: Served) -> Iterator[None]:
    yield
    served.box.settings.change(MailOutSettings, {"server": "", "sender": ""})
    served.box.settings.change(MailInSettings, {"imap_server": ""})


def sends_by(served: Served, port: int, **more: Any) -> None:
    served.box.settings.change(
        MailOutSettings,
        {"server": "localhost", "port": port, "security": "none", "sender": "box@office.example", **more},
    )


def test_a_test_e_mail_is_sent_at_once_and_the_servers_words_are_shown(served: Served) -> None:
    with post_office() as office:
        sends_by(served, office.port)
        answer = served.ask("POST", "/mail/test", {"to": "ada@example.com"})
        assert (answer.status, answer.json["said"]) == (200, "250 taken")
        (sender, to, message), *others = office.taken
        assert (sender, to, others) == ("box@office.example", ["ada@example.com"], [])
        assert "test" in str(message["Subject"]).lower()
        assert served.ask("GET", "/mail").json["sends"] is True
    noted = served.ask("GET", "/audit?limit=1").json["audit"][0]
    assert (noted["action"], noted["detail"]) == ("mail.test", "ada@example.com")


def test_what_keeps_the_test_e_mail_from_going_is_named(served: Served) -> None:
    with post_office() as office:
        sends_by(served, office.port)
        office.refused["nobody@example.com"] = "550 no such mailbox"
        refused = served.ask("POST", "/mail/test", {"to": "nobody@example.com"})
        assert (refused.status, refused.json["code"]) == (422, "mail_recipient_refused")
        assert "no such mailbox" in refused.json["detail"]
        sends_by(served, office.port, security="starttls")
        assert served.ask("POST", "/mail/test", {"to": "a@example.com"}).json["code"] == "mail_no_tls"
    sends_by(served, office.port)
    gone = served.ask("POST", "/mail/test", {"to": "a@example.com"}).json
    assert (gone["code"], "port" in gone["advice"]) == ("mail_unreachable", True)


@pytest.mark.parametrize("address", ["", "ada", "a@b@c", "a b@c.example", "a@b.example\r\nBcc: c@d.it", 7])
def test_what_is_no_address_gets_no_test_e_mail(served: Served, address: object) -> None:
    assert served.ask("POST", "/mail/test", {"to": address}).status == 400


def test_only_administrators_press_these_buttons(served: Served) -> None:
    token = served.key("no administrator", Scope.SEND, Scope.RECEIVE, Scope.MONITOR)
    asked = [
        served.ask("GET", "/mail", token=token),
        served.ask("POST", "/mail/test", {"to": "a@b.example"}, token=token),
        served.ask("POST", "/mail/collect", token=token),
    ]
    assert [answer.status for answer in asked] == [403, 403, 403]


@needs_dovecot
def test_the_mailbox_is_looked_into_at_once(served: Served) -> None:
    with letter_box() as letters:
        # So that nothing but the button looks.
        far = {"imap_poll_s": 86_400.0, "senders": ["ada@example.com"]}
        served.box.settings.change(
            MailInSettings,
            {
                "imap_server": "localhost",
                "imap_port": letters.port,
                "imap_security": "none",
                "imap_username": USER,
                "imap_password": PASSWORD,
                **far,
            },
        )
        served.wait(lambda: served.ask("GET", "/mail").json["visited_at"] is not None)
        letters.put(b"From: ada@example.com\r\nTo: 9990@fax.box\r\nSubject: Hello\r\n\r\nA letter.\r\n")
        answer = served.ask("POST", "/mail/collect")
        assert (answer.status, answer.json) == (200, {"taken": 1})
        assert served.ask("GET", "/faxes?origin=email").json["faxes"][0]["to"]["number"] == "9990"
        assert served.ask("POST", "/mail/collect").json == {"taken": 0}
        served.box.settings.change(MailInSettings, {"imap_password": "wrong"})
        refused = served.ask("POST", "/mail/collect")
        assert (refused.status, refused.json["code"]) == (422, "mail_wrong_password")
        assert served.ask("GET", "/mail").json["problem"] != ""
