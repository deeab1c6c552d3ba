"""The box's SMTP listener, with smtplib and with misbehaving sockets."""

from __future__ import annotations

import contextlib
import smtplib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.box import Box
from appliance.deliver import causes, smtp_conversation
from appliance.deliver.listener import CONNECTIONS, SmtpListener, allowed
from appliance.deliver.mail_to_fax import Gateway
from appliance.deliver.settings import MailInSettings, MailOutSettings
from appliance.durable import DiskFullError
from appliance.settings.accounts import User
from appliance.spool import ledger, outbox
from appliance.spool.filters import JobFilter
from tests.deliver.making import fail, make_box, until
from tests.deliver.test_email_in import letter


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    made = make_box(tmp_path / "data")
    made.settings.add(User(name="ada", email="ada@office.example"))
    made.settings.change(
        MailInSettings,
        {"listen": True, "listen_bind": "127.0.0.1", "listen_port": 0, "networks": ["127.0.0.0/8"]},
    )
    yield made
    made.close()


@contextlib.contextmanager
def listening(box: Box) -> Iterator[SmtpListener]:
    listener = SmtpListener(box, Gateway(box))
    listener.start()
    try:
        until(lambda: listener.address)
        yield listener
    finally:
        listener.stop()


@contextlib.contextmanager
def client(listener: SmtpListener) -> Iterator[smtplib.SMTP]:
    assert listener.address is not None
    with smtplib.SMTP(*listener.address, timeout=120) as made:
        yield made


def test_250_is_answered_once_the_fax_is_on_disk(box: Box) -> None:
    with listening(box) as listener, client(listener) as smtp:
        smtp.ehlo()
        smtp.mail("ada@office.example")
        smtp.rcpt("+493012345@fax.box")
        code, words = smtp.data(letter().as_bytes())
        assert code == 250
        (job,) = box.faxes.search(JobFilter())
        assert words.decode().endswith(f"Accepted as fax {job.id}")
    assert (job.number, job.owner) == ("+493012345", "ada")


def test_who_faxed_by_e_mail_is_told_the_end_in_a_reply(box: Box) -> None:
    from appliance.deliver.planner import Planner

    box.settings.change(MailOutSettings, {"server": "localhost", "sender": "fax@office.example"})
    box.outbox.follow(Planner(box))
    with listening(box) as listener, client(listener) as smtp:
        smtp.send_message(letter())
    (job,) = box.faxes.search(JobFilter())
    fail(box, job)
    (delivery,) = box.spool.read(outbox.of_fax, job.id)
    assert (delivery.kind, delivery.target) == ("email", "ada@office.example")


def test_a_refusal_says_why_in_the_answer(box: Box) -> None:
    with listening(box) as listener, client(listener) as smtp, pytest.raises(smtplib.SMTPDataError) as caught:
        smtp.send_message(letter(sender="eve@elsewhere.example"))
    assert caught.value.smtp_code == 550
    said = caught.value.smtp_error
    assert causes.EMAIL_SENDER_UNKNOWN.sentence.encode() in (said if isinstance(said, bytes) else b"")
    assert box.faxes.search(JobFilter()) == []


def test_mail_for_another_domain_is_refused_and_not_relayed(box: Box) -> None:
    refusal = pytest.raises(smtplib.SMTPRecipientsRefused)
    with listening(box) as listener, client(listener) as smtp, refusal as caught:
        smtp.sendmail("ada@office.example", ["victim@elsewhere.example"], letter().as_bytes())
    assert caught.value.recipients["victim@elsewhere.example"][0] == 550


def test_notices_without_a_sender_are_not_faxed(box: Box) -> None:
    with listening(box) as listener, client(listener) as smtp, pytest.raises(smtplib.SMTPDataError):
        smtp.sendmail("", ["+493012345@fax.box"], letter().as_bytes())
    assert box.faxes.search(JobFilter()) == []


@pytest.mark.parametrize("networks", [[], ["192.0.2.0/24"], ["::1"]])
def test_whoever_is_not_on_the_list_is_turned_away_before_a_word(box: Box, networks: list[str]) -> None:
    box.settings.change(MailInSettings, {"networks": networks})
    with listening(box) as listener, pytest.raises(smtplib.SMTPConnectError) as caught, client(listener):
        pass
    assert caught.value.smtp_code == 554
    assert listener.connections == 0


TOO_LARGE = (
    "5.3.4 The e-mail is larger than this box accepts. (at most 1 MB) Send fewer or smaller files at a time."
)


def test_an_e_mail_beyond_the_limit_is_refused_while_it_comes(box: Box) -> None:
    box.settings.change(MailInSettings, {"message_mb": 1})
    with listening(box) as listener, client(listener) as smtp:
        smtp.ehlo()
        smtp.mail("ada@office.example")
        smtp.rcpt("+493012345@fax.box")
        code, sentence = smtp.data(b"From: ada@office.example\r\n\r\n" + (b"y" * 70 + b"\r\n") * 20_000)
        assert (code, sentence.decode()) == (552, TOO_LARGE)
        smtp.rset()
        code, sentence = smtp.mail("ada@office.example", ["SIZE=1000001"])  # its size told beforehand
        assert (code, sentence.decode()) == (552, TOO_LARGE)
        assert smtp.noop()[0] == 250
    assert box.faxes.search(JobFilter()) == []


def test_a_line_longer_than_smtp_allows_is_refused_in_words(box: Box) -> None:
    with listening(box) as listener, client(listener) as smtp:
        smtp.ehlo()
        smtp.mail("ada@office.example")
        smtp.rcpt("+493012345@fax.box")
        code, sentence = smtp.data(b"From: ada@office.example\r\n\r\n" + b"y" * 2_000 + b"\r\n")
    assert (code, sentence.decode()) == (
        552,
        "5.3.4 The e-mail cannot be read: its parts do not fit together. (a line of more than 998 characters)"
        " Send it again from another program, with the document as a PDF.",
    )
    assert [entry.detail for entry in box.spool.read(ledger.audit_log) if entry.action == "email.in"] == [
        "refused: email_damaged a line of more than 998 characters"
    ]


def test_a_full_disk_is_answered_by_a_temporary_refusal(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise DiskFullError("no room")

    monkeypatch.setattr(box.rules, "require_room", full)
    with listening(box) as listener, client(listener) as smtp, pytest.raises(smtplib.SMTPDataError) as caught:
        smtp.send_message(letter())
    assert caught.value.smtp_code == 452


def test_connections_are_bounded_and_idle_ones_do_not_stop_others_for_ever(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening(box) as listener:
        assert listener.address is not None
        held = [socket.create_connection(listener.address, 60) for _ in range(CONNECTIONS)]
        for each in held:
            assert each.recv(100).startswith(b"220")
        with pytest.raises(smtplib.SMTPConnectError) as caught, client(listener):
            pass
        assert caught.value.smtp_code == 421
        for each in held:
            each.close()
        until(lambda: listener.connections == 0)
        with monkeypatch.context() as hurried:
            hurried.setattr(smtp_conversation, "WHOLE_S", 0.3)
            with socket.create_connection(listener.address, 60) as idle, contextlib.suppress(OSError):
                while idle.recv(100):  # until the box ends it
                    pass
        until(lambda: listener.connections == 0)
        with client(listener) as smtp:
            smtp.send_message(letter())
    assert len(box.faxes.search(JobFilter())) == 1


HOSTILE = [
    b"\0" * 5000,
    b"\xff" * 200_000,
    b"DATA\r\n.\r\n",
    b"MAIL FROM:<" + b"a" * 5000 + b">\r\n",
    b"EHLO x\r\nAUTH PLAIN AAAA\r\nSTARTTLS\r\n",
    b"RCPT TO:<a@fax.box>\r\n" * 100,
]


def test_hostile_octets_end_a_connection_at_most(box: Box) -> None:
    with listening(box) as listener:
        assert listener.address is not None
        for octets in HOSTILE:
            with socket.create_connection(listener.address, 60) as peer, contextlib.suppress(OSError):
                peer.sendall(octets)
                peer.shutdown(socket.SHUT_WR)
                peer.settimeout(1)
                while peer.recv(65536):
                    pass
        with client(listener) as smtp:
            smtp.send_message(letter())
    assert len(box.faxes.search(JobFilter())) == 1


@pytest.mark.parametrize(
    "piece",
    [b"x" * 65536, b"\r\n" * 32768, b"x\n" * 32768, b"x\r" * 32768],
    ids=["no line's end", "empty lines", "lines of another system", "half a line's end"],
)
def test_lines_that_would_fill_the_memory_end_the_connection(box: Box, piece: bytes) -> None:
    sent = 0
    with listening(box) as listener:
        with client(listener) as smtp, contextlib.suppress(smtplib.SMTPServerDisconnected):
            smtp.ehlo()
            smtp.mail("ada@office.example")
            smtp.rcpt("+493012345@fax.box")
            assert smtp.docmd("DATA")[0] == 354
            assert smtp.sock is not None
            with contextlib.suppress(OSError):
                while sent < 50 << 20:
                    smtp.sock.sendall(piece)
                    sent += len(piece)
        assert sent < 20 << 20, "what the connection's own buffers hold included"
        until(lambda: listener.connections == 0)
        with client(listener) as smtp:
            smtp.send_message(letter())
    assert len(box.faxes.search(JobFilter())) == 1


def test_line_ends_are_found_wherever_the_octets_are_parted(box: Box) -> None:
    raw = letter(text="a line\r\n" * 40_000).as_bytes()
    with listening(box) as listener, client(listener) as smtp:
        smtp.ehlo()
        smtp.mail("ada@office.example")
        smtp.rcpt("+493012345@fax.box")
        smtp.docmd("DATA")
        assert smtp.sock is not None
        octets = b"\r\n".join(raw.splitlines()) + b"\r\n.\r\n"
        for at in range(0, len(octets), 977):
            smtp.sock.sendall(octets[at : at + 977])
        assert smtp.getreply()[0] == 250


def test_the_listener_follows_its_setting_and_stops_quickly(box: Box) -> None:
    box.settings.change(MailInSettings, {"listen": False})
    listener = SmtpListener(box, Gateway(box))
    listener.start()
    time.sleep(0.2)
    assert listener.address is None
    box.settings.change(MailInSettings, {"listen": True})
    until(lambda: listener.address)
    address = listener.address
    assert address is not None
    with socket.create_connection(address, 5):
        box.settings.change(MailInSettings, {"listen": False})
        until(lambda: listener.address is None)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, 1).close()
    began = time.monotonic()
    listener.stop()
    assert time.monotonic() - began < 60


def test_a_port_that_is_taken_is_tried_again(box: Box) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        box.settings.change(MailInSettings, {"listen_port": taken.getsockname()[1]})
        listener = SmtpListener(box, Gateway(box))
        listener.start()
        time.sleep(0.3)
        assert listener.address is None
    until(lambda: listener.address)
    listener.stop()


def test_two_e_mails_at_once_are_two_faxes(box: Box) -> None:
    problems: list[Exception] = []

    def send(number: int) -> None:
        try:
            with client(listener) as smtp:
                smtp.send_message(letter(to=f"+4930123{number}@fax.box"))
        except Exception as error:
            problems.append(error)

    with listening(box) as listener:
        threads = [threading.Thread(target=send, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert problems == []
    assert len(box.faxes.search(JobFilter())) == 4


def test_an_address_in_either_spelling_is_in_its_network() -> None:
    assert allowed("::ffff:192.168.1.7", ("192.168.1.0/24",))
    assert allowed("fe80::1%eth0", ("fe80::/10",))
    assert not allowed("192.168.2.7", ("192.168.1.0/24",))
    assert not allowed("", ("0.0.0.0/0",))
