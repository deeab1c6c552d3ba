"""E-mails to a real mail server (aiosmtpd): plain, over STARTTLS and TLS, with authentication."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.box import Box
from appliance.causes import Cause
from appliance.deliver import smtp
from appliance.deliver.causes import (
    MAIL_DEFERRED,
    MAIL_NO_TLS,
    MAIL_NOT_SERVED,
    MAIL_NOT_SET_UP,
    MAIL_RECIPIENT_REFUSED,
    MAIL_SENDER_REFUSED,
    MAIL_TIMED_OUT,
    MAIL_UNREACHABLE,
    MAIL_UNTRUSTED,
    MAIL_WRONG_PASSWORD,
)
from appliance.deliver.email_out import EmailDeliverer
from appliance.deliver.email_writing import EmailWriter, Outgoing
from appliance.deliver.folder import file_name
from appliance.deliver.service import Deliveries
from appliance.deliver.settings import DeliveryRoute, DeliverySettings, MailOutSettings, Security
from appliance.deliver.smtp import MailError
from appliance.durable import PART_SUFFIX
from appliance.language import say
from appliance.lines.causes import BUSY
from appliance.numbers import NumberSettings
from appliance.settings.accounts import User
from appliance.spool import outbox
from appliance.spool.delivery import Delivery, OutboxState
from appliance.station import StationSettings
from tests.deliver.mailing import PostOffice, post_office
from tests.deliver.making import fail, make_box, receive, submit, until
from tests.spool.samples import sample_received

BOX = "fax@office.example"


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    made = make_box(tmp_path / "data")
    yield made
    made.close()


@contextlib.contextmanager
def delivering(box: Box) -> Iterator[Deliveries]:
    deliveries = Deliveries(box)
    deliveries.start()
    try:
        yield deliveries
    finally:
        deliveries.stop()


def set_up(box: Box, office: PostOffice, **more: object) -> None:
    box.settings.change(
        MailOutSettings,
        {"server": "localhost", "port": office.port, "sender": BOX, "security": "none", **more},
    )


def trust(monkeypatch: pytest.MonkeyPatch, office: PostOffice) -> None:
    """Makes the test's certificate authority trusted."""
    real = ssl.create_default_context

    def context(*words: object, **more: object) -> ssl.SSLContext:
        made = real()
        office.authority.configure_trust(made)
        return made

    monkeypatch.setattr(smtp.ssl, "create_default_context", context)


def deliveries_of(box: Box, fax_id: int) -> list[Delivery]:
    return box.spool.read(outbox.of_fax, fax_id)


def finished(box: Box, fax_id: int) -> bool:
    return all(each.state is not OutboxState.PENDING or each.tries for each in deliveries_of(box, fax_id))


def test_a_received_fax_arrives_as_a_pdf_with_its_pages(box: Box) -> None:
    box.settings.add(User(name="ada", email="ada@office.example"))
    box.settings.add(DeliveryRoute(name="r", user="ada"))
    box.settings.change(StationSettings, {"time_zone": "Europe/Berlin"})
    with post_office() as office:
        set_up(box, office)
        with delivering(box):
            fax = receive(box, pages=2, caller="+4940777", caller_name="Grüße\r\nBcc: x@y", tsi="40 777")
            until(lambda: finished(box, fax.id))
    ((sender, to, message),) = office.taken
    assert (sender, to) == (BOX, ["ada@office.example"])
    assert message["Subject"] == "Fax from +4940777, 2 pages"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Bcc"] is None
    body = message.get_body()
    assert body is not None
    assert "Grüße Bcc: x@y" in body.get_content()
    (attachment,) = message.iter_attachments()
    assert attachment.get_content_type() == "application/pdf"
    pdf = pypdfium2.PdfDocument(attachment.get_content())
    assert len(pdf) == 2
    picture = pdf[0].render(scale=1).to_pil().convert("L")
    dark = [y for y in range(picture.height) if picture.getpixel((picture.width // 2, y)) < 128]
    assert 0.08 < dark[0] / picture.height < 0.1, "the bar that was sent begins at a eleventh"


def test_a_user_hears_of_a_failed_fax_in_the_table_s_words(box: Box) -> None:
    box.settings.add(User(name="ada", email="ada@office.example"))
    with post_office() as office:
        set_up(box, office)
        with delivering(box):
            job = submit(box)
            fail(box, job, BUSY)
            until(lambda: finished(box, job.id))
    message = office.taken[0][2]
    assert message["Subject"] == "Fax to +493012345 was not delivered"
    body = message.get_body()
    assert body is not None
    assert BUSY.sentence in body.get_content()
    assert BUSY.advice in body.get_content()


@pytest.mark.parametrize(
    ("chosen", "region", "german"),
    [("de", "", True), ("", "AT", True), ("en", "AT", False), ("", "US", False), ("", "", False)],
)
def test_an_e_mail_is_in_the_language_of_whom_it_is_for_else_of_the_country(
    box: Box, chosen: str, region: str, german: bool
) -> None:
    box.settings.add(User(name="ada", email="ada@office.example", language=chosen))
    box.settings.change(NumberSettings, {"region": region})
    with post_office() as office:
        set_up(box, office)
        with delivering(box):
            job = submit(box)
            fail(box, job, BUSY)
            until(lambda: finished(box, job.id))
    message = office.taken[0][2]
    body = message.get_body()
    assert body is not None
    assert ("ist nicht angekommen" in message["Subject"]) is german
    for sentence in (BUSY.sentence, BUSY.advice):
        assert (say(sentence, "de") if german else sentence) in body.get_content()


def test_a_user_hears_nothing_when_the_owner_said_never(box: Box) -> None:
    box.settings.add(User(name="ada", email="ada@office.example"))
    box.settings.change(MailOutSettings, {"server": "localhost", "results": "never"})
    Deliveries(box)
    job = submit(box)
    fail(box, job)
    assert deliveries_of(box, job.id) == []


def test_a_fax_that_nobody_is_named_for_goes_to_the_common_address(box: Box) -> None:
    box.settings.change(MailOutSettings, {"server": "localhost", "received_to": ["all@office.example"]})
    Deliveries(box)
    fax = receive(box)
    assert [each.target for each in deliveries_of(box, fax.id)] == ["all@office.example"]


def test_a_large_fax_is_announced_instead_of_attached(box: Box) -> None:
    with post_office() as office:
        set_up(box, office, received_to=["all@office.example"], attach_mb=0.1)
        # Rows that differ at random do not compress.
        with delivering(box):
            fax = receive(box, pages=3, noise=True)
            until(lambda: finished(box, fax.id))
    message = office.taken[0][2]
    assert list(message.iter_attachments()) == []
    body = message.get_body()
    assert body is not None
    assert "too large" in body.get_content()


@pytest.mark.parametrize("kind", [Security.STARTTLS, Security.TLS])
def test_an_e_mail_goes_over_tls_after_signing_in(
    box: Box, kind: Security, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls, starttls = kind is Security.TLS, kind is Security.STARTTLS
    with post_office(tls=tls, starttls=starttls, auth=True) as office:
        trust(monkeypatch, office)
        set_up(box, office, security=kind.value, username="box", password="pass word")
        assert EmailDeliverer(box).test("ada@office.example") == "250 taken"
    assert office.signed_in == ["box"]
    assert office.secure == [True]


@pytest.mark.parametrize("kind", [Security.STARTTLS, Security.TLS])
def test_a_server_that_nobody_vouches_for_gets_neither_password_nor_fax(box: Box, kind: Security) -> None:
    with post_office(tls=kind is Security.TLS, starttls=kind is Security.STARTTLS, auth=True) as office:
        set_up(box, office, security=kind.value, username="box", password="pass word")
        with pytest.raises(MailError) as caught:
            EmailDeliverer(box).test("ada@office.example")
        assert caught.value.cause is MAIL_UNTRUSTED
        assert office.signed_in == []
        box.settings.change(MailOutSettings, {"verify_tls": False})
        EmailDeliverer(box).test("ada@office.example")
    assert office.signed_in == ["box"]


def test_a_certificate_for_another_name_is_refused(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    with post_office(starttls=True) as office:
        trust(monkeypatch, office)
        set_up(box, office, security="starttls", server="127.0.0.1")
        with pytest.raises(MailError) as caught:
            EmailDeliverer(box).test("ada@office.example")
    assert caught.value.cause is MAIL_UNTRUSTED


def test_without_starttls_nothing_is_said_in_the_clear(box: Box) -> None:
    with post_office() as office:
        set_up(box, office, security="starttls", username="box", password="pass word")
        with pytest.raises(MailError) as caught:
            EmailDeliverer(box).test("ada@office.example")
    assert caught.value.cause is MAIL_NO_TLS
    assert office.taken == []


def test_a_wrong_password_is_named_as_such(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    with post_office(starttls=True, auth=True) as office:
        trust(monkeypatch, office)
        set_up(box, office, security="starttls", username="box", password="wrong")
        with pytest.raises(MailError) as caught:
            EmailDeliverer(box).test("ada@office.example")
    assert caught.value.cause is MAIL_WRONG_PASSWORD
    assert "wrong" not in caught.value.detail


def test_a_box_without_a_mail_server_says_so(box: Box) -> None:
    with pytest.raises(MailError) as caught:
        EmailDeliverer(box).test("ada@office.example")
    assert caught.value.cause is MAIL_NOT_SET_UP


def test_a_mail_server_that_is_not_there_is_named_as_such(box: Box) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    box.settings.change(
        MailOutSettings, {"server": "localhost", "port": port, "sender": BOX, "security": "none"}
    )
    with pytest.raises(MailError) as caught:
        EmailDeliverer(box).test("ada@office.example")
    assert caught.value.cause is MAIL_UNREACHABLE


def test_a_temporary_refusal_is_tried_again_and_a_permanent_one_is_not(box: Box) -> None:
    with post_office() as office:
        office.refused["nobody@office.example"] = "550 5.1.1 no such mailbox"
        office.answers = ["451 4.7.1 come back later"]
        set_up(box, office, received_to=["nobody@office.example"])
        with delivering(box):
            fax = receive(box)
            until(lambda: finished(box, fax.id))
            (refused,) = deliveries_of(box, fax.id)
            assert refused.state is OutboxState.FAILED
            assert MAIL_RECIPIENT_REFUSED.sentence in refused.last_error
            assert "no such mailbox" in refused.last_error
            box.settings.change(MailOutSettings, {"received_to": ["ada@office.example"]})
            later = receive(box)
            until(lambda: finished(box, later.id))
            (deferred,) = deliveries_of(box, later.id)
            assert deferred.state is OutboxState.PENDING
            assert 50 < deferred.next_try_at - box.clock() <= 60


def test_every_try_of_an_e_mail_has_the_same_message_id(box: Box) -> None:
    with post_office() as office:
        set_up(box, office, received_to=["ada@office.example"])
        Deliveries(box)
        fax = receive(box)
        (delivery,) = deliveries_of(box, fax.id)
        for _ in range(2):
            EmailDeliverer(box)(delivery)
    assert len({message["Message-ID"] for _, _, message in office.taken}) == 1


ANSWERS = {
    "a greeting that refuses": ({"": b"554 no"}, MAIL_NOT_SERVED, "554 no"),
    "a busy greeting": ({"": b"421 busy"}, MAIL_DEFERRED, "421 busy"),
    "no SMTP from the start": ({"": b"\x1b[2J\xff"}, MAIL_UNREACHABLE, "an answer that is not SMTP"),
    "no SMTP for the recipient": ({"RCPT": b"hello"}, MAIL_UNREACHABLE, "an answer that is not SMTP"),
    "no SMTP after the e-mail": ({".": b"hello"}, MAIL_UNREACHABLE, "an answer that is not SMTP"),
    "signing in later": ({"AUTH": b"454 4.7.0 wait"}, MAIL_DEFERRED, "454 4.7.0 wait"),
    "control characters": ({"MAIL": b"550 \x1b[2J\x07no"}, MAIL_SENDER_REFUSED, "550 [2J no"),
}


@contextlib.contextmanager
def mail_server(answers: dict[str, bytes], late_s: float = 0.0) -> Iterator[MailOutSettings]:
    """One conversation with a server that gives ``answers`` by command; the last is ``late_s`` late."""

    def converse() -> None:
        peer, _ = listener.accept()
        with peer, contextlib.suppress(OSError):
            peer.sendall(answers.get("", b"220 here") + b"\r\n")
            content = False
            for line in peer.makefile("rb"):
                word = line.split()[0].decode().upper() if line.split() else ""
                if content and word != ".":
                    continue
                content = word == "DATA"
                if word == ".":
                    time.sleep(late_s)
                usual = {"DATA": b"354 go on", "EHLO": b"250-here\r\n250 AUTH PLAIN"}.get(word, b"250 fine")
                peer.sendall(answers.get(word, usual) + b"\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=converse, daemon=True)
        thread.start()
        yield MailOutSettings(
            server="127.0.0.1",
            port=listener.getsockname()[1],
            sender=BOX,
            security=Security.NONE,
            username="box" if "AUTH" in answers else "",
        )
        thread.join(60)


@pytest.mark.parametrize(("answers", "cause", "detail"), ANSWERS.values(), ids=ANSWERS.keys())
def test_each_answer_of_a_mail_server_has_its_true_cause(
    answers: dict[str, bytes], cause: Cause, detail: str
) -> None:
    with mail_server(answers) as mail, pytest.raises(MailError) as caught:
        smtp.send(Outgoing(EmailMessage()), "a@b.example", mail)
    assert (caught.value.cause, caught.value.detail) == (cause, detail)


@pytest.mark.parametrize("limits", [{"reply_s": 0.5}, {"whole_s": 0.7}], ids=["an answer", "all before"])
def test_an_e_mail_that_the_server_has_is_waited_for_longer_than(limits: dict[str, float]) -> None:
    """It would be sent twice."""
    with mail_server({}, late_s=1.5) as mail:
        assert smtp.send(Outgoing(EmailMessage()), "a@b.example", mail, **limits) == "250 fine"


def test_an_e_mail_that_the_server_has_is_not_waited_for_without_end() -> None:
    with mail_server({}, late_s=1.5) as mail, pytest.raises(MailError) as caught:
        smtp.send(Outgoing(EmailMessage()), "a@b.example", mail, taken_s=0.5)
    assert caught.value.cause is MAIL_TIMED_OUT


@pytest.mark.parametrize("greeting", [b"", b"220 here\r\n"], ids=["from the start", "after its greeting"])
def test_a_mail_server_that_does_not_answer_has_taken_too_long(greeting: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        mail = MailOutSettings(
            server="127.0.0.1", port=listener.getsockname()[1], sender=BOX, security=Security.NONE
        )
        done = threading.Event()

        def stand_still() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.sendall(greeting)
                done.wait(60)

        thread = threading.Thread(target=stand_still, daemon=True)
        thread.start()
        with pytest.raises(MailError) as caught:
            smtp.send(Outgoing(EmailMessage()), "a@b.example", mail, reply_s=0.3, whole_s=60.0)
        done.set()
        thread.join(60)
    assert caught.value.cause is MAIL_TIMED_OUT


@pytest.mark.parametrize("greeting", [b"", b"220 ", b"220-x\r\n" * 3], ids=["silent", "half", "dripping"])
def test_a_mail_server_that_drips_is_ended_within_the_bound(greeting: bytes) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    done = threading.Event()

    def drip() -> None:
        peer, _ = listener.accept()
        with peer, contextlib.suppress(OSError):
            peer.sendall(greeting)
            while not done.wait(0.1):
                peer.sendall(greeting[:1] or b"")

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    mail = MailOutSettings(
        server="127.0.0.1", port=listener.getsockname()[1], sender=BOX, security=Security.NONE
    )
    began = time.monotonic()
    with listener, pytest.raises(MailError) as caught:
        smtp.send(Outgoing(EmailMessage()), "a@b.example", mail, whole_s=1.0)
    done.set()
    thread.join(60)
    assert caught.value.cause is MAIL_TIMED_OUT
    assert time.monotonic() - began < 60


def test_an_answer_of_many_lines_without_end_does_not_fill_the_memory() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    sent = 0

    def babble() -> None:
        nonlocal sent
        peer, _ = listener.accept()
        with peer, contextlib.suppress(OSError):
            lines = b"220-and another thing\r\n" * 1000
            while sent < 100 << 20:
                peer.sendall(lines)
                sent += len(lines)

    thread = threading.Thread(target=babble, daemon=True)
    thread.start()
    mail = MailOutSettings(
        server="127.0.0.1", port=listener.getsockname()[1], sender=BOX, security=Security.NONE
    )
    with listener, pytest.raises(MailError) as caught:
        smtp.send(Outgoing(EmailMessage()), "a@b.example", mail)
    thread.join(60)
    assert caught.value.cause is MAIL_UNREACHABLE
    assert sent < 50 << 20, "what the connection's own buffers hold included"


def test_a_received_fax_lands_in_the_route_s_folder_complete_and_under_one_name(
    box: Box, tmp_path: Path
) -> None:
    folder = tmp_path / "share"
    folder.mkdir()
    box.settings.add(DeliveryRoute(name="r", folder=str(folder)))
    with delivering(box) as deliveries:
        fax = receive(box, caller="+49/40 ../777")
        until(lambda: finished(box, fax.id))
        (delivery,) = deliveries_of(box, fax.id)
        assert delivery.state is OutboxState.DONE
        box.spool.do(outbox.again, delivery.id, box.clock())
        deliveries._worker.wake()
        until(lambda: deliveries_of(box, fax.id)[0].tries == 2)
    (path,) = folder.iterdir()
    assert path.name.endswith(f"_4940777_{fax.id}.pdf")
    assert len(pypdfium2.PdfDocument(path)) == 1


def test_links_that_others_laid_into_the_folder_are_not_followed(box: Box, tmp_path: Path) -> None:
    folder, victim = tmp_path / "share", tmp_path / "settings.json"
    victim.write_text("precious")
    box.settings.change(DeliverySettings, {"folder_waits": (1.0,)})
    box.settings.add(DeliveryRoute(name="r", folder=str(folder)))
    with delivering(box):
        fax = receive(box)
        until(lambda: deliveries_of(box, fax.id)[0].tries == 1)  # the folder is not there yet
        there = tmp_path / "there"
        there.mkdir()
        for name in (file_name(fax, StationSettings()), file_name(fax, StationSettings()) + PART_SUFFIX):
            (there / name).symlink_to(victim)
        there.rename(folder)
        until(lambda: deliveries_of(box, fax.id)[0].state is OutboxState.DONE)
    (path,) = folder.iterdir()
    assert not path.is_symlink()
    assert len(pypdfium2.PdfDocument(path)) == 1
    assert victim.read_text() == "precious"


def test_a_folder_without_room_is_tried_again_and_keeps_no_half_file(box: Box, tmp_path: Path) -> None:
    folder = tmp_path / "share"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a file system of its own may not be mounted here")
    try:
        box.settings.change(DeliverySettings, {"folder_waits": (1.0,)})
        box.settings.add(DeliveryRoute(name="r", folder=str(folder)))
        with delivering(box):
            fax = receive(box, noise=True)
            until(lambda: deliveries_of(box, fax.id) and deliveries_of(box, fax.id)[0].tries == 1)
            assert not list(folder.iterdir())
            subprocess.run(["mount", "-o", "remount,size=8m", str(folder)], check=True)
            until(lambda: deliveries_of(box, fax.id)[0].state is OutboxState.DONE)
        (path,) = folder.iterdir()
        assert len(pypdfium2.PdfDocument(path)) == 1
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def test_a_folder_that_is_not_mounted_is_not_made_but_waited_for(box: Box, tmp_path: Path) -> None:
    folder = tmp_path / "share"
    box.settings.add(DeliveryRoute(name="r", folder=str(folder)))
    with delivering(box):
        fax = receive(box)
        until(lambda: finished(box, fax.id))
    (delivery,) = deliveries_of(box, fax.id)
    assert delivery.state is OutboxState.PENDING
    assert "It is not there." in delivery.last_error
    assert not folder.exists()


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("<a@b.example>", "<a@b.example>"),
        (f"<{'A' * 300}@b.example>", f"<{'A' * 300}@b.example>"),
        ("<a b@c>", None),
        ("no brackets", None),
        (f"<{'A' * 950}@b>", None),
        ("<ü@b.example>", None),
        ("<a@b>\r\nBcc: eve@elsewhere.example", None),
    ],
)
def test_a_refusal_is_a_reply_whatever_the_message_id_was(asked: str, answered: str | None) -> None:
    message = EmailWriter(MailOutSettings(sender=BOX), StationSettings().writer(), 0.0).refusal(
        "eve@elsewhere.example", BUSY, "x\r\nBcc: y", "tag", ("Grüße " * 60 + "\r\nBcc: z", asked)
    )
    raw = b"".join(message.pieces())
    read = message_from_bytes(raw, policy=default)
    assert read["In-Reply-To"] == answered
    assert read["References"] == answered
    assert read["Bcc"] is None
    assert read["Message-ID"] == "<tag@office.example>"
    assert read["Subject"].startswith("Re: Grüße Grüße")
    assert max(map(len, raw.split(b"\r\n"))) <= 998, "RFC 5322 2.1.1"


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=100_000), st.text(max_size=300))
def test_an_attachment_that_is_put_in_while_sending_is_what_was_to_be_sent(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, words: str
) -> None:
    path = tmp_path_factory.mktemp("mail") / "fax.pdf"
    path.write_bytes(content)
    whom = replace(FAX, tsi=words, caller_name=f".\r\n.{words}")
    writer = EmailWriter(MailOutSettings(sender=BOX), StationSettings().writer(), 0.0)
    outgoing = writer.received("a@b.example", whom, "t", path)
    sent = b"".join(outgoing.pieces())
    assert sent.endswith(b"\r\n")
    assert b"\r\n.\r\n" not in sent
    lines = sent.split(b"\r\n")
    assert max(map(len, lines)) <= 998
    raw = b"\r\n".join(line.removeprefix(b".") for line in lines)
    (attachment,) = message_from_bytes(raw, policy=default).iter_attachments()  # type: ignore[attr-defined]
    assert attachment.get_content() == content


FAX = sample_received(caller="+49")
