"""Reading e-mails and decisions about them: valid, odd and hostile ones."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.box import Box
from appliance.causes import Cause
from appliance.deliver import causes, email_worker
from appliance.deliver.email_reading import Attachment, Dial, numbers_of, read_email
from appliance.deliver.mail_to_fax import AcceptedEmail, Gateway, Ignored, Refused
from appliance.deliver.settings import MailInSettings, MailOutSettings
from appliance.documents.causes import DOCUMENT_MISLABELLED, DOCUMENT_WORKER_KILLED, EMAIL_DAMAGED
from appliance.documents.errors import DocumentError
from appliance.documents.text.hypertext import HTML_LIMIT, html_text
from appliance.lines.causes import NUMBER_EMERGENCY
from appliance.numbers import NumberSettings
from appliance.remarks import Rule
from appliance.services.causes import TOO_MANY_RECIPIENTS
from appliance.settings.accounts import User
from appliance.spool import jobs, ledger
from appliance.spool.filters import JobFilter
from appliance.spool.model import Job, SourceFile
from tests.deliver.making import make_box

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


def letter(
    *,
    to: str = "+493012345@fax.box",
    sender: str = "Ada <ada@office.example>",
    subject: str = "Offer",
    text: str = "Dear all,\nplease see the file.",
    pdf: bytes | None = PDF,
    **headers: str,
) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Message-ID"] = "<1@office.example>"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    if pdf is not None:
        message.add_attachment(pdf, maintype="application", subtype="pdf", filename="offer.pdf")
    return message


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    made = make_box(tmp_path / "data")
    made.settings.add(User(name="ada", email="Ada@Office.example", full_name="Ada L."))
    made.settings.change(NumberSettings, {"region": "DE", "area_code": "30"})
    yield made
    made.close()


def accepted(box: Box, message: EmailMessage | bytes, **more: object) -> tuple[Job, ...]:
    raw = message if isinstance(message, bytes) else message.as_bytes()
    outcome = Gateway(box).take(raw, source="test", **more)  # type: ignore[arg-type]
    assert isinstance(outcome, AcceptedEmail), outcome
    return outcome.jobs


def files_of(box: Box, job: Job) -> tuple[SourceFile, ...]:
    submission = box.spool.read(jobs.get_submission, job.submission_id)
    return box.documents.get(submission.document_id).files


def refused(box: Box, message: EmailMessage | bytes, **more: object) -> Refused:
    raw = message if isinstance(message, bytes) else message.as_bytes()
    outcome = Gateway(box).take(raw, source="test", **more)  # type: ignore[arg-type]
    assert isinstance(outcome, Refused), outcome
    assert box.faxes.search(JobFilter()) == []
    assert not any((box.data / "documents").iterdir()), "a refused e-mail leaves no file behind"
    return outcome


def test_an_e_mail_becomes_a_fax_with_the_text_on_the_cover_and_the_file_behind_it(box: Box) -> None:
    (job,) = accepted(box, letter())
    assert (job.number, job.owner, job.origin) == ("+493012345", "ada", "email")
    assert job.options.cover is not None
    assert job.options.cover.subject == "Offer"
    assert job.options.cover.from_name == "Ada L."
    assert job.options.cover.message == "Dear all,\nplease see the file."
    submission = box.spool.read(jobs.get_submission, job.submission_id)
    (file,) = box.documents.get(submission.document_id).files
    assert (file.name, file.media_type) == ("offer.pdf", "application/pdf")
    assert (box.data / file.path).read_bytes() == PDF


def test_an_e_mail_without_a_file_is_faxed_as_its_text(box: Box) -> None:
    (job,) = accepted(box, letter(pdf=None))
    assert job.options.cover is None
    submission = box.spool.read(jobs.get_submission, job.submission_id)
    (file,) = box.documents.get(submission.document_id).files
    assert (box.data / file.path).read_bytes() == b"Dear all,\nplease see the file."


def test_several_numbers_make_one_broadcast(box: Box) -> None:
    made = accepted(box, letter(to="+493011@fax.box, 030 22 <03022@FAX.BOX>, x@office.example"))
    assert [job.number for job in made] == ["+493011", "+493022"]
    assert len({job.submission_id for job in made}) == 1


def test_the_envelopes_recipient_takes_precedence_over_the_header(box: Box) -> None:
    (job,) = accepted(box, letter(to="+4930999@fax.box"), to=["+4930111@fax.box"])
    assert job.number == "+4930111"


def test_a_sub_address_goes_along_as_rfc_3192_writes_it(box: Box) -> None:
    (job,) = accepted(box, letter(to="FAX=+493012345/T33S=17@fax.box"))
    assert (job.number, job.options.sub_address) == ("+493012345", "17")


def test_the_same_message_handed_in_twice_is_one_fax(box: Box) -> None:
    message = letter()
    assert accepted(box, message)[0].id == accepted(box, message)[0].id


def test_a_scanner_without_message_ids_may_send_the_same_page_twice(box: Box) -> None:
    message = letter()
    del message["Message-ID"]
    assert accepted(box, message)[0].id != accepted(box, message)[0].id


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        (letter(sender="eve@elsewhere.example"), causes.EMAIL_SENDER_UNKNOWN),
        (letter(to="info@fax.box"), causes.EMAIL_NO_NUMBER),
        (letter(to="+493012345@fax.box.evil.example"), causes.EMAIL_NO_NUMBER),
        (letter(to="110@fax.box"), NUMBER_EMERGENCY),
        (letter(pdf=b"\x7fELF\0\0 not a document" * 20), DOCUMENT_MISLABELLED),
        (letter(pdf=None, text=" \n"), causes.EMAIL_EMPTY),
        (letter(to=", ".join(f"+49301234{n:02}@fax.box" for n in range(16))), TOO_MANY_RECIPIENTS),
        (letter(to="+4930111/T33S=1@fax.box, +4930222@fax.box"), causes.EMAIL_NO_NUMBER),
    ],
    ids=lambda value: value.code if isinstance(value, Cause) else "",
)
def test_what_cannot_be_faxed_is_refused_in_the_table_s_words_and_answered(
    box: Box, message: EmailMessage, cause: Cause
) -> None:
    outcome = refused(box, message)
    assert outcome.cause is cause
    assert cause.sentence in outcome.words
    assert outcome.answer_to == message["From"].addresses[0].addr_spec
    assert box.spool.read(ledger.audit_log)[0].action == "email.in"


def test_a_disabled_user_may_not_fax_even_if_their_domain_may(box: Box) -> None:
    box.settings.add(User(name="bob", email="bob@office.example", disabled=True))
    box.settings.change(MailInSettings, {"senders": ["@office.example"]})
    assert refused(box, letter(sender="bob@office.example")).cause is causes.EMAIL_SENDER_UNKNOWN


def test_a_listed_domain_faxes_under_the_common_owner(box: Box) -> None:
    box.settings.change(MailInSettings, {"senders": ["@Scanner.example"], "owner": "office"})
    (job,) = accepted(box, letter(sender="mfp@scanner.example"))
    assert job.owner == "office"
    assert refused_other(box)


def refused_other(box: Box) -> bool:
    outcome = Gateway(box).take(letter(sender="mfp@notscanner.example").as_bytes(), source="test")
    return isinstance(outcome, Refused) and outcome.cause is causes.EMAIL_SENDER_UNKNOWN


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated; x=1"},
        {"Precedence": "bulk"},
        {"X_Autoreply": "yes"},
        {"List_Id": "<all.office.example>"},
        {"Return_Path": "<>"},
    ],
)
def test_e_mails_that_programs_wrote_are_neither_faxed_nor_answered(
    box: Box, headers: dict[str, str]
) -> None:
    assert isinstance(Gateway(box).take(letter(**headers).as_bytes(), source="test"), Ignored)


def test_the_box_does_not_fax_what_it_wrote_itself(box: Box) -> None:
    box.settings.change(MailOutSettings, {"sender": "ada@office.example"})
    assert isinstance(Gateway(box).take(letter().as_bytes(), source="test"), Ignored)


@pytest.mark.parametrize(
    ("verdicts", "taken"),
    [
        (["mx.office.example; spf=pass; dkim=pass; dmarc=pass header.from=office.example"], True),
        (["mx.office.example 1; dmarc=pass"], True),
        (["mx.office.example; spf=pass; dmarc=fail"], False),
        (["mx.office.example; dmarc=fail", "mx.office.example; dmarc=pass"], False),
        (["mx.evil.example; dmarc=pass"], False),
        (['mx.office.example; x="; dmarc=passed"'], False),
        ([], False),
    ],
)
def test_only_what_the_mailbox_s_own_server_vouches_for_is_taken_when_the_owner_asks_for_it(
    box: Box, verdicts: list[str], taken: bool
) -> None:
    raw = "".join(f"Authentication-Results: {verdict}\r\n" for verdict in verdicts).encode()
    raw += letter().as_bytes()
    outcome = Gateway(box).take(raw, source="test", verified_by="mx.office.example")
    assert isinstance(outcome, AcceptedEmail) is taken
    if isinstance(outcome, Refused):
        assert outcome.cause is causes.EMAIL_UNVERIFIED
        assert outcome.answer_to == "", "whose address it is did not write it"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0" * 1000,
        b"From: a@b.example, c@d.example\r\n\r\nx",
        b"From: a@b.example\r\nFrom: c@d.example\r\n\r\nx",
        b"To: x@y.example\r\n\r\nno sender",
        b"From: " + b"a" * 100_000 + b"@b.example\r\n\r\nx",
        b"From: <a@b.example\r\nContent-Type: " + b";" * 100_000 + b"\r\n\r\nx",
    ],
    ids=["empty", "zeros", "two senders", "two headers", "none", "long header", "semicolons"],
)
def test_what_is_no_e_mail_is_refused_and_answered_to_nobody(box: Box, raw: bytes) -> None:
    outcome = refused(box, raw)
    assert outcome.cause is EMAIL_DAMAGED
    assert outcome.answer_to == ""


def nested(depth: int) -> bytes:
    head = b"From: ada@office.example\r\nTo: 1@fax.box\r\n"
    for level in range(depth):
        head += b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level)
    return head + b"\r\n" + b"x\r\n" * 100_000


@pytest.mark.parametrize(
    "raw",
    [
        nested(500),
        b"From: a@b.example\r\n" + b"X: y\r\n" * 900_000,
        b"\r\n" * 2_000_000,
        b"From: a@b.example\r\nSubject: " + b"=?utf-8?q?=41?= " * 2000 + b"\r\n\r\nx",
        b"From: " + b"(" * 30_000 + b"a@b.example\r\n\r\nx",
    ],
    ids=["deep", "many headers", "many lines", "coded words", "comments"],
)
def test_an_e_mail_made_to_cost_time_is_dealt_with_in_seconds(box: Box, raw: bytes) -> None:
    began = time.process_time()
    outcome = Gateway(box).take(raw, source="test")
    assert isinstance(outcome, Refused)
    assert time.process_time() - began < 100


def test_pictures_within_the_text_are_not_faxed_and_attached_ones_are() -> None:
    message = letter(pdf=None)
    message.clear_content()
    message.set_content("plain is empty? no")
    message.add_alternative("<p>Hello<br>there</p><img src='cid:logo@x'>", subtype="html")
    html = message.get_payload()[1]  # type: ignore[index]
    html.add_related(b"\x89PNG\r\n\x1a\nlogo", "image", "png", cid="<logo@x>", filename="logo.png")
    message.add_attachment(b"\x89PNG\r\n\x1a\nscan", maintype="image", subtype="png", filename="scan.png")
    assert [each.name for each in read_email(message.as_bytes()).attachments] == ["scan.png"]


def test_an_html_letter_is_read_as_a_person_would() -> None:
    page = "<html><head><title>T</title><style>x{}</style></head><p>A &amp; B</p><div>C<br>D</div>"
    assert html_text(page) == "A & B\n\nC\nD"


def test_an_html_letter_of_a_word_processor_is_read_without_its_conditions() -> None:
    page = "<!--[if mso]><xml>x</xml><![endif]--><p>a<![if !mso]>b<![endif]></p><![ oops]><o:p>c < d</o:p>"
    assert html_text(page) == "ab\nc < d"


def test_an_html_letter_of_tags_that_never_end_keeps_nobody_waiting() -> None:
    assert html_text("<a " * (HTML_LIMIT // 3)).startswith("<a <a <a")  # Python's parser: five minutes


def test_a_signature_and_its_block_are_left_out() -> None:
    message = letter(text="Please call.\n\n-- \nAda Lovelace\nEngines Ltd.")
    message.add_attachment(b"sig", maintype="application", subtype="pkcs7-signature", filename="smime.p7s")
    read = read_email(message.as_bytes())
    assert read.text == "Please call."
    assert [each.name for each in read.attachments] == ["offer.pdf"]


@pytest.mark.parametrize(
    ("subject", "number", "rest"),
    [
        ("+49 30 12345", "+49 30 12345", ""),
        ("Fax: +49 (30) 123-45: Offer 7", "+49 (30) 123-45", "Offer 7"),
        ("fax to 03012345 - Offer", "03012345", "Offer"),
        ("Fax: 5551234,,,42: Offer", "5551234,,,42", "Offer"),
        ("+49 30 12345 ext. 42 - Offer", "+49 30 12345 ext. 42", "Offer"),
        ("03012345p42", "03012345p42", ""),
        ("Offer 12345", None, "Offer 12345"),
        ("Re: +49 30 12345", None, "Re: +49 30 12345"),
        ("", None, ""),
    ],
)
def test_the_subject_names_the_number_only_at_its_beginning(
    subject: str, number: str | None, rest: str
) -> None:
    dials, left = numbers_of(["fax@office.example"], subject, "fax.box")
    assert dials == ([Dial(number)] if number else [])
    assert left == rest


@pytest.mark.parametrize("local", ["5551234pp42", "5551234ext42", "fax=5551234x42"])
def test_digits_to_be_dialled_on_stand_behind_the_number_before_the_at(box: Box, local: str) -> None:
    (job,) = accepted(box, letter(to=f"{local}@fax.box").as_bytes())
    assert job.number == ("+49305551234,,42")


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=400),
    st.sampled_from(["", "multipart/mixed; boundary=a", "text/html", "message/rfc822"]),
)
def test_whatever_octets_come_they_are_read_or_refused(octets: bytes, kind: str) -> None:
    raw = b"From: a@b.example\r\nContent-Type: " + kind.encode() + b"\r\n\r\n--a\r\n" + octets
    for each in (raw, octets):
        with contextlib.suppress(DocumentError):
            read = read_email(each)
            read.text.encode()
            read.subject.encode()


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60), st.lists(st.text(max_size=20), max_size=3))
def test_numbers_have_only_the_letters_of_numbers(subject: str, to: list[str]) -> None:
    dials, _ = numbers_of([f"{each}@fax.box" for each in to], subject, "fax.box")
    for dial in dials:
        assert dial.number.strip()
        assert set(dial.number.lower()) <= set("+0123456789 ()./-*#,;:=pwxextnsio")


def test_a_large_e_mail_is_read_in_a_process_of_its_own_with_the_same_result(box: Box) -> None:
    large = PDF + bytes(range(256)) * 4000
    message = letter(pdf=large, text="Grüße", subject="Größe")
    assert len(message.as_bytes()) > email_worker.IN_PLACE_OCTETS
    (job,) = accepted(box, message)
    assert job.options.cover is not None
    assert (job.options.cover.subject, job.options.cover.message) == ("Größe", "Grüße")
    submission = box.spool.read(jobs.get_submission, job.submission_id)
    (file,) = box.documents.get(submission.document_id).files
    assert (box.data / file.path).read_bytes() == large
    assert list((box.data / "deliveries").iterdir()) == [], "no passing file is left"


@pytest.mark.parametrize("size", [100, 300_000], ids=["in place", "in a process"])
def test_both_ways_of_reading_agree(tmp_path: Path, size: int) -> None:
    message = letter(text="x" * size + " ü", to="1@a.example, 2@b.example")
    message.add_attachment(b"GIF89a", maintype="image", subtype="gif", filename="ü.gif")
    raw = b"Authentication-Results: mx; dmarc=pass\r\n" + message.as_bytes()
    there, here = email_worker.read_within(raw, tmp_path), read_email(raw)
    assert replace(there, attachments=()) == replace(here, attachments=())
    assert [(a.name, a.media_type, b"".join(a.pieces())) for a in there.attachments] == [
        (a.name, a.media_type, a.content) for a in here.attachments
    ]


def test_a_large_e_mail_that_takes_too_long_ends_its_process_only(
    box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = tmp_path / "slow"
    slow.write_text("#!/bin/sh\nexec sleep 600\n")
    slow.chmod(0o755)
    monkeypatch.setattr(email_worker.sys, "executable", str(slow))
    monkeypatch.setattr(email_worker, "CLOCK_S", 0.05)
    assert refused(box, letter(pdf=bytes(400_000))).cause is EMAIL_DAMAGED


def test_a_large_e_mail_that_takes_too_much_processor_time_is_refused_for_it_at_once(
    box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = tmp_path / "reader"
    reader.write_text(
        f"#!/bin/sh\nexec {sys.executable} -c 'from appliance.deliver import email_worker as worker\n"
        "import itertools, pathlib, sys\n"
        "worker.CPU_S, worker.read_email = 1, lambda raw: max(itertools.count())\n"
        'worker.main(pathlib.Path(sys.argv[-1]))\' "$@"\n'
    )
    reader.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(reader))
    assert refused(box, letter(pdf=bytes(400_000))).cause is EMAIL_DAMAGED


def _killed_readers(stop: threading.Event, most: int) -> None:
    """Ends processes of this one that read an e-mail, as the kernel does when memory runs out."""
    seen: set[int] = set()
    while not stop.is_set() and len(seen) < most:
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                parent = int((path.parent / "stat").read_text().rpartition(")")[2].split()[1])
                number = int(path.parent.name)
                if parent == os.getpid() and b"email_worker" in path.read_bytes() and number not in seen:
                    os.kill(number, signal.SIGKILL)
                    seen.add(number)
        time.sleep(0.01)


@pytest.mark.parametrize("kills", [1, 1000], ids=["once", "each time"])
def test_a_large_e_mail_whose_reader_is_ended_from_outside_is_not_refused_for_it(
    box: Box, kills: int
) -> None:
    stop = threading.Event()
    killer = threading.Thread(target=_killed_readers, args=(stop, kills))
    killer.start()
    gateway, raw = Gateway(box), letter(pdf=PDF + bytes(range(256)) * 4000).as_bytes()
    try:
        if kills == 1:
            assert isinstance(gateway.take(raw, source="test"), AcceptedEmail)
            return
        for _ in range(4):
            with pytest.raises(email_worker.ReaderKilledError):  # "try again later", says SMTP then
                gateway.take(raw, source="test")
        outcome = gateway.take(raw, source="test")
        assert isinstance(outcome, Refused)
        assert outcome.cause is DOCUMENT_WORKER_KILLED  # for ever would be too long
    finally:
        stop.set()
        killer.join()


@pytest.mark.skipif(os.environ.get("FAXBOX_SWEEP") != "1", reason="some hundreds of MB: FAXBOX_SWEEP=1")
def test_a_large_e_mail_that_takes_too_much_memory_ends_its_process_only(box: Box) -> None:
    raw = b"From: ada@office.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
    assert refused(box, raw + b"A" * 250_000_000).cause is EMAIL_DAMAGED


def test_a_long_text_that_is_cut_within_a_character_is_still_text() -> None:
    for shift in range(3):
        content = b"x" * shift + "€".encode() * 50_000
        part = Attachment("a.txt", "text/plain", content)
        assert len(part.head()) < len(content)
        part.head().decode()


def test_a_text_in_a_coding_of_python_s_own_is_still_text(box: Box) -> None:
    for charset in ("unicode_escape", "raw_unicode_escape", "rot13", "idna", "no-such", "utf-7"):
        raw = (
            f"From: ada@office.example\r\nTo: +4930{len(charset)}@fax.box\r\n"
            f"Content-Type: text/plain; charset={charset}\r\n\r\n\\ud800 text\r\n"
        ).encode()
        assert accepted(box, raw)


def test_an_attachment_that_cannot_be_faxed_is_named_and_by_the_owner_s_rule_the_rest_goes(box: Box) -> None:
    message = letter()
    message.add_attachment(b"<html>404", maintype="application", subtype="pdf", filename="bill.pdf")
    refusal = refused(box, message)
    assert refusal.cause is DOCUMENT_MISLABELLED
    assert refusal.detail.startswith("bill.pdf: ")
    for rule in (Rule.HOLD, Rule.SEND):
        box.settings.change(MailInSettings, {"bad_attachments": rule.value})
        message.replace_header("Message-ID", f"<{rule.value}@office.example>")
        (job,) = accepted(box, message)
        assert job.options.bad_files is rule
        assert [file.name for file in files_of(box, job)] == ["offer.pdf", "bill.pdf"]


def test_an_e_mail_without_a_file_is_faxed_as_it_was_designed_with_its_pictures(box: Box) -> None:
    message = letter(text="plain", pdf=None)
    message.add_alternative("<p>Hello</p><img src='cid:photo'>", subtype="html")
    page = message.get_payload()[1]  # type: ignore[index]
    picture = b"\xff\xd8\xff" + b"x" * 30_000
    page.add_related(picture, "image", "jpeg", cid="<photo>", filename="photo.jpg")
    (job,) = accepted(box, message)
    (file,) = files_of(box, job)
    content = (box.data / file.path).read_bytes()
    assert (file.name, file.media_type) == ("message.html", "text/html")
    assert b"data:image/jpeg;base64,/9j/" in content
    assert b"cid:" not in content
    # With a file, the text goes on the cover page, and the photograph becomes a page of its own.
    message = letter()
    body = message.get_payload()[0]  # type: ignore[index]
    body.add_alternative("<p>Hello</p><img src='cid:photo'>", subtype="html")
    body.get_payload()[1].add_related(picture, "image", "jpeg", cid="<photo>", filename="photo.jpg")
    (job,) = accepted(box, message)
    assert [file.name for file in files_of(box, job)] == ["photo.jpg", "offer.pdf"]
