"""Collecting from a real IMAP server (dovecot), and from lying servers."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from appliance.box import Box
from appliance.deliver import causes
from appliance.deliver import smtp as smtp_module
from appliance.deliver.mail_to_fax import Gateway
from appliance.deliver.mailbox import ANSWERS_EACH, OVERHEAD_OCTETS, Mailbox
from appliance.deliver.service import Deliveries
from appliance.deliver.settings import MailInSettings, MailOutSettings
from appliance.deliver.smtp import MailError
from appliance.durable import DiskFullError
from appliance.settings.accounts import User
from appliance.spool import outbox
from appliance.spool.filters import JobFilter
from tests.deliver.dovecot import BINARY, PASSWORD, USER, LetterBox, letter_box
from tests.deliver.mailing import post_office
from tests.deliver.making import make_box, until
from tests.deliver.test_email_in import letter

needs_dovecot = pytest.mark.skipif(shutil.which(BINARY) is None, reason="dovecot-imapd is not installed")


@pytest.fixture(scope="module")
def server() -> Iterator[LetterBox]:
    with letter_box() as made:
        yield made


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    made = make_box(tmp_path / "data")
    made.settings.add(User(name="ada", email="ada@office.example"))
    yield made
    made.close()


@pytest.fixture
def letters(server: LetterBox) -> LetterBox:
    for folder in ("INBOX", "Faxed"):
        server.empty(folder)
    return server


def set_up(box: Box, letters: LetterBox, **more: object) -> Mailbox:
    box.settings.change(
        MailInSettings,
        {
            "imap_server": "localhost",
            "imap_port": letters.port,
            "imap_security": "none",
            "imap_username": USER,
            "imap_password": PASSWORD,
            **more,
        },
    )
    return Mailbox(box, Gateway(box))


@needs_dovecot
def test_e_mails_in_the_mailbox_are_faxed_once_and_moved_away(box: Box, letters: LetterBox) -> None:
    mailbox = set_up(box, letters)
    letters.put(letter().as_bytes())
    letters.put(letter(to="fax@office.example", subject="+49 30 777: Offer").as_bytes())
    assert mailbox.visit() == 2
    assert {job.number for job in box.faxes.search(JobFilter())} == {"+493012345", "+4930777"}
    assert (letters.count(), letters.count("Faxed")) == (0, 2)
    assert mailbox.visit() == 0


@needs_dovecot
def test_e_mails_are_deleted_when_the_owner_keeps_none(box: Box, letters: LetterBox) -> None:
    mailbox = set_up(box, letters, imap_done="")
    letters.put(letter().as_bytes())
    assert mailbox.visit() == 1
    assert (letters.count(), letters.count("Faxed")) == (0, 0)


@contextlib.contextmanager
def nothing_is_moved(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def dies(*_: object) -> None:
        raise MailError(causes.MAIL_UNREACHABLE, "the cable was pulled")

    with monkeypatch.context() as patched:
        patched.setattr("appliance.deliver.mailbox.Mailbox._move_away", dies)
        yield


@needs_dovecot
@pytest.mark.parametrize("named", [True, False], ids=["with a Message-ID", "without one"])
def test_an_e_mail_handed_in_before_a_crash_is_not_faxed_twice(
    box: Box, letters: LetterBox, monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    mailbox = set_up(box, letters)
    written = letter()
    if not named:
        del written["Message-ID"]
    letters.put(written.as_bytes())
    with nothing_is_moved(monkeypatch), pytest.raises(MailError):
        mailbox.visit()
    assert letters.count() == 1
    assert mailbox.visit() == 1
    assert len(box.faxes.search(JobFilter())) == 1
    letters.put(written.as_bytes())
    mailbox.visit()
    # The same octets once more: a program without Message-IDs means it.
    assert len(box.faxes.search(JobFilter())) == (1 if named else 2)


@needs_dovecot
def test_the_copies_that_a_mailbox_for_all_numbers_gets_of_one_e_mail_are_one_broadcast(
    box: Box, letters: LetterBox
) -> None:
    mailbox = set_up(box, letters)
    written = letter(to="+493012345@fax.box, +4930777@fax.box").as_bytes()
    for number in ("+493012345", "+4930777"):
        trace = f"Delivered-To: {number}@fax.box\r\nReceived: from a by b for <{number}@fax.box>; now\r\n"
        letters.put(trace.encode() + written)
    assert mailbox.visit() == 2
    assert sorted(job.number for job in box.faxes.search(JobFilter())) == ["+493012345", "+4930777"]
    # Another text under the same Message-ID is another e-mail.
    letters.put(letter(text="Sorry, this is the right one.").as_bytes())
    mailbox.visit()
    assert len(box.faxes.search(JobFilter())) == 3


@needs_dovecot
@pytest.mark.parametrize("folder", ["Faxed", ""])
def test_an_e_mail_that_somebody_else_marked_as_deleted_is_left_to_them(
    box: Box, letters: LetterBox, folder: str
) -> None:
    letters.put(letter(subject="theirs").as_bytes())
    with letters._signed_in() as client:
        client.select("INBOX")
        client.store("1", "+FLAGS", r"(\Deleted)")
    letters.put(letter().as_bytes())
    assert set_up(box, letters, imap_done=folder).visit() == 1
    assert letters.count() == 1


@needs_dovecot
def test_a_refusal_is_answered_once_however_often_its_e_mail_cannot_be_moved(
    box: Box, letters: LetterBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.settings.change(MailOutSettings, {"server": "localhost", "sender": "fax@office.example"})
    mailbox = set_up(box, letters)
    letters.put(letter(to="fax@office.example", subject="no number").as_bytes())
    with nothing_is_moved(monkeypatch):
        for _ in range(2):
            with pytest.raises(MailError):
                mailbox.visit()
    assert mailbox.visit() == 1
    assert len(box.spool.read(outbox.due, box.clock() + 1)) == 1


@needs_dovecot
def test_a_full_disk_leaves_the_e_mail_where_it_is(
    box: Box, letters: LetterBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox = set_up(box, letters)
    letters.put(letter().as_bytes())
    with monkeypatch.context() as patched:

        def full(*_: object, **__: object) -> None:
            raise DiskFullError("no room")

        patched.setattr(box.rules, "require_room", full)
        assert mailbox.visit() == 0
    assert letters.count() == 1
    assert mailbox.visit() == 1


@needs_dovecot
def test_a_refusal_is_answered_by_e_mail_in_words_and_as_a_reply(box: Box, letters: LetterBox) -> None:
    with post_office() as office:
        box.settings.change(
            MailOutSettings,
            {"server": "localhost", "port": office.port, "sender": "fax@office.example", "security": "none"},
        )
        mailbox = set_up(box, letters)
        letters.put(letter(to="info@office.example", subject="No number here").as_bytes())
        assert mailbox.visit() == 1
        deliveries = Deliveries(box)
        deliveries._worker.start()
        until(lambda: office.taken)
        deliveries._worker.stop()
    ((_, to, message),) = office.taken
    assert to == ["ada@office.example"]
    assert message["Subject"] == "Re: No number here"
    assert message["In-Reply-To"] == "<1@office.example>"
    assert message["Auto-Submitted"] == "auto-replied"
    body = message.get_body()
    assert body is not None
    assert causes.EMAIL_NO_NUMBER.sentence in body.get_content()
    assert causes.EMAIL_NO_NUMBER.advice in body.get_content()
    assert letters.count("Faxed") == 1


@needs_dovecot
def test_answers_to_one_address_are_few_and_programs_get_none(box: Box, letters: LetterBox) -> None:
    box.settings.change(MailOutSettings, {"server": "localhost", "sender": "fax@office.example"})
    mailbox = set_up(box, letters)
    for _ in range(ANSWERS_EACH + 2):
        letters.put(letter(sender="eve@elsewhere.example").as_bytes())
    letters.put(letter(sender="mailer-daemon@elsewhere.example", Auto_Submitted="auto-replied").as_bytes())
    assert mailbox.visit() == ANSWERS_EACH + 3
    answers = box.spool.read(outbox.due, box.clock() + 1)
    assert [each.target for each in answers] == ["eve@elsewhere.example"] * ANSWERS_EACH
    assert letters.count() == 0


@needs_dovecot
def test_an_e_mail_that_is_too_large_is_refused_by_its_head_alone(box: Box, letters: LetterBox) -> None:
    box.settings.change(MailOutSettings, {"server": "localhost", "sender": "fax@office.example"})
    mailbox = set_up(box, letters, message_mb=1)
    letters.put(letter(pdf=b"%PDF" + bytes(2 << 20)).as_bytes())
    assert mailbox.visit() == 1
    (answer,) = box.spool.read(outbox.due, box.clock() + 1)
    assert answer.payload["cause"] == "email_too_large"
    assert box.faxes.search(JobFilter()) == []
    assert letters.count() == 0


@needs_dovecot
@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_the_mailbox_is_opened_over_tls_and_only_when_somebody_vouches_for_it(
    box: Box, letters: LetterBox, security: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = letters.tls_port if security == "tls" else letters.port
    mailbox = set_up(box, letters, imap_security=security, imap_port=port)
    letters.put(letter().as_bytes())
    with pytest.raises(MailError) as caught:
        mailbox.visit()
    assert caught.value.cause is causes.MAIL_UNTRUSTED
    real = ssl.create_default_context

    def trusting() -> ssl.SSLContext:
        made = real()
        letters.authority.configure_trust(made)
        return made

    monkeypatch.setattr(smtp_module.ssl, "create_default_context", trusting)
    assert mailbox.visit() == 1


@needs_dovecot
def test_a_wrong_password_is_named_as_such(box: Box, letters: LetterBox) -> None:
    mailbox = set_up(box, letters, imap_password="wrong ü \r\n")
    with pytest.raises(MailError) as caught:
        mailbox.visit()
    assert caught.value.cause is causes.MAIL_WRONG_PASSWORD


@needs_dovecot
def test_a_folder_that_is_not_there_is_named_as_such(box: Box, letters: LetterBox) -> None:
    mailbox = set_up(box, letters, imap_folder="No such (folder)")
    with pytest.raises(MailError) as caught:
        mailbox.visit()
    assert caught.value.cause is causes.MAILBOX_UNUSABLE


@needs_dovecot
def test_the_service_follows_the_settings_and_says_what_is_wrong(box: Box, letters: LetterBox) -> None:
    mailbox = set_up(box, letters, imap_poll_s=5, imap_password="wrong")
    letters.put(letter().as_bytes())
    mailbox.start()
    try:
        until(lambda: "password" in mailbox.problem)
        box.settings.change(MailInSettings, {"imap_password": PASSWORD})
        until(lambda: box.faxes.search(JobFilter()))
        until(lambda: mailbox.problem == "")
    finally:
        mailbox.stop()


LIES = {
    "nothing": b"",
    "not imap": b"220 smtp here\r\n",
    "huge literal": b"* OK hello\r\n* CAPABILITY {99999999999}\r\n",
    "endless line": b"* OK " + b"x" * 3_000_000,
    "bye": b"* BYE not today\r\n",
}


@contextlib.contextmanager
def liar(box: Box, converse: Callable[[socket.socket], None], visits: int = 1) -> Iterator[Mailbox]:
    """A mailbox at a server that says what ``converse`` does to the first ``visits`` that come."""
    listener = socket.create_server(("127.0.0.1", 0))

    def lie() -> None:
        for _ in range(visits):
            peer, _ = listener.accept()
            with peer, contextlib.suppress(OSError):
                converse(peer)

    thread = threading.Thread(target=lie, daemon=True)
    thread.start()
    box.settings.change(
        MailInSettings,
        {"imap_server": "127.0.0.1", "imap_port": listener.getsockname()[1], "imap_security": "none"},
    )
    with listener:
        yield Mailbox(box, Gateway(box))
    thread.join(60)


@pytest.mark.parametrize("said", LIES.values(), ids=LIES.keys())
def test_a_visit_to_a_server_that_does_not_speak_imap_fails_in_time(
    box: Box, said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.deliver.mailbox.REPLY_S", 1.0)

    def lie(peer: socket.socket) -> None:
        peer.sendall(said)
        while peer.recv(65536):
            pass

    began = time.monotonic()
    with liar(box, lie) as mailbox, pytest.raises(MailError) as caught:
        mailbox.visit()
    assert caught.value.cause in (causes.MAIL_UNREACHABLE, causes.MAIL_TIMED_OUT)
    assert time.monotonic() - began < 60


def test_an_answer_of_many_lines_without_end_does_not_fill_the_memory(box: Box) -> None:
    sent = 0

    def babble(peer: socket.socket) -> None:
        nonlocal sent
        peer.sendall(b"* OK hello\r\n")
        lines = b"* OK and another thing\r\n" * 1000
        while sent < 100 * OVERHEAD_OCTETS:
            peer.sendall(lines)
            sent += len(lines)

    box.settings.change(MailInSettings, {"message_mb": 1})
    with liar(box, babble) as mailbox, pytest.raises(MailError) as caught:
        mailbox.visit()
    assert caught.value.cause is causes.MAIL_UNREACHABLE
    assert sent < 10 * OVERHEAD_OCTETS, "what the connection's own buffers hold included"


def test_a_visit_to_a_server_that_sends_single_octets_is_given_up(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.deliver.mailbox.VISIT_S", 1.0)

    def drip(peer: socket.socket) -> None:
        while True:  # until the visitor has left
            peer.sendall(b"*")
            time.sleep(0.05)

    began = time.monotonic()
    with liar(box, drip) as mailbox, pytest.raises(MailError) as caught:
        mailbox.visit()
    assert caught.value.cause is causes.MAIL_TIMED_OUT
    assert time.monotonic() - began < 60


@dataclass
class ScriptedServer:
    """An IMAP server with the e-mails ``there`` by UID; None: it breaks off at that one.

    ``refuses``: words within a command that it answers with NO.
    """

    there: dict[bytes, bytes | None]
    refuses: tuple[bytes, ...] = ()
    moves: bool = True
    copied: list[bytes] = field(default_factory=list)

    def serve(self, peer: socket.socket) -> None:
        peer.sendall(b"* OK hello\r\n")
        for line in peer.makefile("rb"):
            tag = line.split()[0]
            if any(word in line for word in self.refuses):
                peer.sendall(tag + b" NO not that\r\n")
                continue
            answer = self._answer(line)
            if answer is None:
                peer.shutdown(socket.SHUT_RDWR)
                return
            peer.sendall(answer + tag + b" OK done\r\n")

    def _answer(self, line: bytes) -> bytes | None:
        _, command, *words = line.split()
        match [command.upper(), *(word.upper() for word in words[:1])]:
            case [b"CAPABILITY"]:
                return b"* CAPABILITY IMAP4rev1%s\r\n" % (b" MOVE" if self.moves else b"")
            case [b"UID", b"SEARCH"]:
                return b"* SEARCH " + b" ".join(sorted(self.there)) + b"\r\n"
            case [b"UID", b"FETCH"] if b"SIZE" in line:
                return b"* 1 FETCH (UID %s RFC822.SIZE 999)\r\n" % words[1]
            case [b"UID", b"FETCH"]:
                content = self.there[words[1]]
                if content is None:
                    return None
                return b"* 1 FETCH (UID %s BODY[] {%d}\r\n%s)\r\n" % (words[1], len(content), content)
            case [b"UID", b"COPY"]:
                self.copied.append(words[1])
            case [b"UID", b"MOVE"] | [b"UID", b"STORE"] if b"Seen" not in line:
                del self.there[words[1]]
        return b""


def test_an_e_mail_at_which_the_server_breaks_off_does_not_keep_the_others_waiting(box: Box) -> None:
    """As servers do at one whose file or index is damaged."""
    server = ScriptedServer(
        {b"7": None, b"8": letter().as_bytes(), b"9": letter(to="+4930777@fax.box").as_bytes()}
    )
    with liar(box, server.serve, visits=2) as mailbox:
        for _ in range(2):
            with pytest.raises(MailError):
                mailbox.visit()
    assert len(box.faxes.search(JobFilter())) == 2
    assert list(server.there) == [b"7"]


@pytest.mark.parametrize("how", ["refused", "empty"])
def test_an_e_mail_that_the_server_does_not_hand_over_stays_is_told_and_keeps_no_others_waiting(
    box: Box, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr("appliance.deliver.mailbox.VISIT_LIMIT", 1)
    server = ScriptedServer(
        {b"7": b"", b"8": letter().as_bytes()}, (b"FETCH 7 (BODY",) if how == "refused" else ()
    )
    with liar(box, server.serve, visits=2) as mailbox:
        with pytest.raises(MailError) as caught:
            mailbox.visit()
        assert caught.value.cause is causes.MAILBOX_UNREADABLE
        assert mailbox.visit() == 1
    assert list(server.there) == [b"7"]
    assert len(box.faxes.search(JobFilter())) == 1


def test_an_e_mail_that_may_not_be_deleted_is_told_and_copied_once_and_keeps_no_others_waiting(
    box: Box,
) -> None:
    second = letter(to="+4930777@fax.box").as_bytes()
    server = ScriptedServer({b"7": letter().as_bytes(), b"8": second}, (b"STORE 7",), moves=False)
    with liar(box, server.serve, visits=3) as mailbox:
        for _ in range(3):
            with pytest.raises(MailError) as caught:
                mailbox.visit()
            assert caught.value.cause is causes.MAILBOX_NOT_EMPTIED
    assert server.copied.count(b"7") == 1
    assert list(server.there) == [b"7"]
    assert len(box.faxes.search(JobFilter())) == 2


def test_where_nothing_may_be_marked_as_read_e_mails_are_deleted_all_the_same(box: Box) -> None:
    """RFC 4314 has a right for each of the two."""
    server = ScriptedServer({b"7": letter().as_bytes()}, (b"Seen",), moves=False)
    with liar(box, server.serve) as mailbox:
        assert mailbox.visit() == 1
    assert server.there == {}


def test_who_asks_for_a_visit_while_one_is_under_way_is_told_so(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.deliver.mailbox.TURN_S", 0.05)
    met, leave = threading.Event(), threading.Event()

    def hold(peer: socket.socket) -> None:
        met.set()
        leave.wait(60)

    failures: list[MailError] = []

    def visit(mailbox: Mailbox) -> None:
        try:
            mailbox.visit()
        except MailError as error:
            failures.append(error)

    with liar(box, hold) as mailbox:
        first = threading.Thread(target=visit, args=(mailbox,))
        first.start()
        assert met.wait(60)
        visit(mailbox)
        assert "under way" in str(failures[0])
        leave.set()
        first.join(60)
    assert [failure.cause for failure in failures] == [causes.MAIL_TIMED_OUT, causes.MAIL_UNREACHABLE]
