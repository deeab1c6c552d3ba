"""Every text of an e-mail is on a page; parts that are not are remarked."""

from __future__ import annotations

import base64
import datetime
import struct
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from appliance.documents.causes import (
    DOCUMENT_DAMAGED,
    DOCUMENT_EMPTY,
    DOCUMENT_ENCRYPTED,
    DOCUMENT_UNSUPPORTED,
)
from appliance.documents.errors import DocumentError
from appliance.documents.labels import labels_of
from appliance.documents.mail.headers import decoded
from appliance.documents.mail.rtf_compression import decompressed
from appliance.documents.mail.signed import signed_content
from appliance.documents.text.cards import in_words
from appliance.documents.text.plain import decode, guess_remarks
from appliance.remarks import (
    CHARSET_GUESSED,
    CHARSET_UNKNOWN,
    COMPANION_LEFT_OUT,
    CONTENT_DAMAGED,
    FILE_LEFT_OUT,
    MOVEMENT_LEFT_OUT,
    PART_LEFT_OUT,
    PICTURE_LOST,
    RemarkKind,
)
from tests.documents.compound import Storage, compound, message_file, winmail
from tests.documents.making import A4, need, pdf, photograph, save
from tests.documents.opened import opened

HEADING = b"From: a@office.example\nMessage-ID: <1@x>\nMIME-Version: 1.0\nSubject: s\n"
PLAIN = b"Content-Type: text/plain\n\nwritten plainly\n"
PAGE = b"Content-Type: text/html\n\n<p>designed\n"
BLANK_PAGE = b"Content-Type: text/html\n\n<html><body><br></body></html>\n"
INVITATION = b"Content-Type: text/calendar\n\nBEGIN:VCALENDAR\nEND:VCALENDAR\n"
CARD = b"Content-Type: text/vcard; name=ada.vcf\n\nBEGIN:VCARD\nEND:VCARD\n"
LOCKED = b"-----BEGIN PGP MESSAGE-----\n\nhQEMA0000abcdefghijklmnopqrstuvwxyz\n-----END PGP MESSAGE-----\n"


WORDS = b"please pay by Friday: account and amount stand in the letter of last week, which came by fax"
LONG = b"Content-Type: text/plain\n\n%s, at the latest\n" % WORDS
MEETING = (
    b"Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VTIMEZONE\n"
    b"DTSTART:16010101T000000\nEND:VTIMEZONE\nBEGIN:VEVENT\nSUMMARY:Yearly\n  check\n"
    b"DTSTART;TZID=Berlin:20240402T140000\nLOCATION:Room 4\\, left\n"
    b'ORGANIZER;CN="Ada":mailto:a@office.example\nBEGIN:VALARM\nDESCRIPTION:Reminder\nEND:VALARM\n'
    b"END:VEVENT\nEND:VCALENDAR\n"
)
ADA = (
    b"Content-Type: text/vcard; name=ada.vcf\n\nBEGIN:VCARD\nVERSION:3.0\nFN:Ada Lovelace\n"
    b"TEL;TYPE=WORK,FAX:+44 20\nPHOTO;ENCODING=b:/9j/4AAQ\nEND:VCARD\n"
)


def multipart(kind: str, *parts: bytes) -> bytes:
    boundary = kind.encode()
    return b"Content-Type: multipart/%s; boundary=%s\n\n%s--%s--\n" % (
        boundary,
        boundary,
        b"".join(b"--%s\n%s" % (boundary, part) for part in parts),
        boundary,
    )


@pytest.mark.parametrize(
    ("parts", "there", "missing"),
    [
        (multipart("mixed", PLAIN, PAGE), ["written plainly", "designed"], ""),
        (multipart("mixed", PAGE, PLAIN), ["designed", "written plainly"], ""),
        (multipart("mixed", multipart("alternative", PLAIN, PAGE), PLAIN), ["designed", "plainly"], ""),
        (multipart("alternative", PLAIN, PAGE), ["designed"], "written plainly"),
        (multipart("alternative", PLAIN, BLANK_PAGE), ["written plainly"], "designed"),
        (multipart("alternative", PLAIN, multipart("mixed", PAGE, PAGE)), ["designed designed"], "plainly"),
        (multipart("alternative", LONG, PAGE), ["designed", "please pay by Friday"], ""),
        (
            multipart("alternative", LONG, b"Content-Type: text/html\n\n<p><b>please</b> %s\n" % WORDS),
            [],
            "Friday, at",
        ),
        (multipart("mixed", PLAIN, MEETING), ["plainly Yearly check When: 2024-04-02 14:00 (Berlin)"], ""),
        (multipart("alternative", PLAIN, PAGE, MEETING), ["designed Yearly check", "Room 4, left"], ""),
        (multipart("alternative", b"Content-Type: text/plain\n\n\n", MEETING), ["Yearly check"], ""),
        (MEETING, ["Yearly check", "Ada <a@office.example>"], ""),
        (multipart("mixed", PLAIN, ADA), ["plainly Ada Lovelace", "+44 20 (work, fax)", "picture"], "/9j/"),
    ],
)
def test_every_text_that_is_no_other_way_to_say_the_same_is_on_the_page(
    tmp_path: Path, parts: bytes, there: list[str], missing: str
) -> None:
    made = opened(tmp_path, HEADING + parts, "a.eml")
    assert [words in made.words for words in there] == [True] * len(there)
    assert not missing or missing not in made.words
    assert made.remarks == ()


@pytest.mark.parametrize(
    ("parts", "kind", "file"),
    [
        (multipart("mixed", PLAIN, CARD), COMPANION_LEFT_OUT, "ada.vcf"),
        (multipart("mixed", PLAIN, INVITATION), COMPANION_LEFT_OUT, "text/calendar"),
        (INVITATION, FILE_LEFT_OUT, "text/calendar"),
    ],
)
def test_an_invitation_and_a_visiting_card_are_remarked(
    tmp_path: Path, parts: bytes, kind: object, file: str
) -> None:
    made = opened(tmp_path, HEADING + parts, "a.eml")
    assert [(remark.kind, remark.file) for remark in made.remarks] == [(kind, file)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            "BEGIN:VCALENDAR\nMETHOD:CANCEL\nBEGIN:VEVENT\nSUMMARY:Check\nDTSTART;VALUE=DATE:20240402\n"
            "RRULE:FREQ=WEEKLY\nEND:VEVENT\nEND:VCALENDAR",
            "Called off: Check When: 2024-04-02 Repeated: every week",
        ),
        (
            "BEGIN:VCARD\nVERSION:2.1\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=\n=B6rg\n"
            "item1.TEL;WORK;FAX:tel:123\nEND:VCARD\n",
            "Müller, Jörg Telephone: 123 (work, fax)",
        ),
        (
            "BEGIN:VCARD\nVERSION:3.0\nFN;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:J=F6rg\n"
            "TEL;TYPE=work;TYPE=fax:123\nEND:VCARD\n",
            "Jörg Telephone: 123 (work, fax)",
        ),
        (
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Check\nDTSTART:20240101T100000Z\nRRULE:FREQ=WEEKLY\n"
            "EXDATE:20240108T100000Z\nCONTACT:Ada\\, 123\nRESOURCES:BEAMER\nCOMMENT:bring it\nEND:VEVENT\n"
            "END:VCALENDAR",
            "Check When: 2024-01-01 10:00 (UTC) Repeated: every week Except: 2024-01-08 10:00 (UTC) "
            "Contact: Ada, 123 Resources: BEAMER Note: bring it",
        ),
        (
            "BEGIN:VCARD\nFN:Ada\nNICKNAME:Countess\nIMPP:xmpp:ada@x.example\nANNIVERSARY:20200101\nEND:VCARD\n",
            "Ada Messenger: xmpp:ada@x.example Nickname: Countess Anniversary: 2020-01-01",
        ),
        ("BEGIN:VCARD\nEND:VCARD\n", ""),
        ("Dear BEGIN:VCARD\nFN:x\nEND:VCARD\n", ""),
    ],
)
def test_an_invitation_and_a_card_are_told_in_words(content: str, said: str) -> None:
    assert " ".join(in_words(content).split()) == said


EVERY_TIME = "BEGIN:VCALENDAR\n%sBEGIN:VEVENT\nSUMMARY:Check\n%s\nEND:VEVENT\nEND:VCALENDAR"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("RRULE:FREQ=DAILY;INTERVAL=2;COUNT=10", "Repeated: every 2 days, 10 times"),
        (
            "RRULE:FREQ=WEEKLY;UNTIL=20240630T215959Z;INTERVAL=1;BYDAY=MO,WE;WKST=SU",
            "Repeated: every week, on Monday, Wednesday, until 2024-06-30 21:59 (UTC)",
        ),
        ("RRULE:FREQ=MONTHLY;BYDAY=-1FR", "Repeated: every month, on the last Friday"),
        (
            "RRULE:FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1",
            "Repeated: every month, on Monday, Tuesday, of these the last",
        ),
        ("RRULE:FREQ=MONTHLY;BYMONTHDAY=1,15", "Repeated: every month, on day 1, 15 of the month"),
        ("RRULE:FREQ=MONTHLY;BYMONTHDAY=-1", "Repeated: every month, on the last day of the month"),
        ("RRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=5", "Repeated: every year, on the second Sunday, in May"),
        # what these words do not have stays whole
        ("RRULE:FREQ=WEEKLY;BYHOUR=9,17", "Repeated: FREQ=WEEKLY;BYHOUR=9,17"),
        ("RRULE:FREQ=YEARLY;BYDAY=20MO", "Repeated: FREQ=YEARLY;BYDAY=20MO"),
        ("RRULE:FREQ=DAILY;INTERVAL=0", "Repeated: FREQ=DAILY;INTERVAL=0"),
        ("RRULE:FREQ=DAILY;COUNT=2;COUNT=3", "Repeated: FREQ=DAILY;COUNT=2;COUNT=3"),
        ("DURATION:P2D", "Lasts: 2 days"),
        ("DURATION:PT1H30M", "Lasts: 1 hour 30 minutes"),
        ("DURATION:P1W", "Lasts: 1 week"),
        ("DURATION:P1DT0H0M0S", "Lasts: 1 day"),
        ("DURATION:PT", "Lasts: PT"),
        ("STATUS:TENTATIVE", "Status: not certain"),
        # each value of a list
        (
            "EXDATE:20240108T100000Z,20240115T100000Z",
            "Except: 2024-01-08 10:00 (UTC), 2024-01-15 10:00 (UTC)",
        ),
        ("RDATE;VALUE=PERIOD:20240108T100000Z/PT2H", "Also on: 2024-01-08 10:00 (UTC) – 2 hours"),
        # the end of whole days is the day after them (RFC 5545 3.6.1)
        (
            "DTSTART;VALUE=DATE:20240330\nDTEND;VALUE=DATE:20240402",
            "When: 2024-03-30 Until: 2024-04-01",
        ),
        (
            "DTSTART;VALUE=DATE:20240330\nDTEND;VALUE=DATE:20240330",
            "When: 2024-03-30 Until: 2024-03-30",
        ),
        ("DTEND;VALUE=DATE:20249999", "Until: 2024-99-99"),
    ],
)
def test_the_times_of_an_invitation_are_told_in_words(line: str, said: str) -> None:
    assert " ".join(in_words(EVERY_TIME % ("", line)).split()) == f"Check {said}"


@pytest.mark.parametrize(
    ("answer", "said"),
    [("ACCEPTED", "accepts"), ("declined", "declines"), ("TENTATIVE", "accepts with reservations")],
)
def test_an_answer_to_an_invitation_says_what_was_answered(answer: str, said: str) -> None:
    reply = EVERY_TIME % ("METHOD:REPLY\n", f"ATTENDEE;CN=Ada;PARTSTAT={answer}:mailto:a@x.example")
    assert " ".join(in_words(reply).split()) == f"Reply: Check With: Ada <a@x.example> ({said})"


def test_the_times_of_an_invitation_are_in_the_language_of_the_country() -> None:
    rule = "RRULE:FREQ=MONTHLY;INTERVAL=3;BYDAY=1MO,-1FR;BYMONTH=3;COUNT=4\nDURATION:P1DT2H"
    words_ = " ".join(in_words(EVERY_TIME % ("", rule), labels_of("DE")).split())
    assert "Dauer: 1 Tag 2 Stunden" in words_
    assert "alle 3 Monate, am ersten Montag, letzten Freitag, im März, 4-mal" in words_


@pytest.mark.parametrize(
    "piece", ["BEGIN:VCARD\n", "QUOTED-PRINTABLE", "TEL;a=", 'TEL;a="', "N;QUOTED-PRINTABLE:a=\n", "X:\n "]
)
def test_cards_without_an_end_to_anything_are_read_to_their_end(piece: str) -> None:
    began = time.process_time()
    in_words("BEGIN:VCARD\n" + piece * 40_000)
    assert time.process_time() - began < 5.0


def test_what_the_box_writes_beside_an_e_mail_is_in_the_language_of_its_country(tmp_path: Path) -> None:
    mail = HEADING + multipart("mixed", PLAIN, MEETING, ADA)
    german = opened(tmp_path, mail, "a.eml", labels=labels_of("DE")).words
    for words in (
        "Von a@office.example",
        "Betreff s",
        "Wann: 2024-04-02 14:00",
        "Wo: Room 4, left",
        "Telefon: +44",
    ):
        assert words in german
    assert "(mit einem Bild, das nicht gezeigt wird)" in german
    assert (
        opened(tmp_path, mail, "a.eml", labels=labels_of("GB")).words == opened(tmp_path, mail, "a.eml").words
    )


def test_an_invitation_that_is_a_file_is_told_in_words(tmp_path: Path) -> None:
    made = opened(tmp_path, MEETING.partition(b"\n\n")[2], "a.ics")
    assert made.words.startswith("Yearly check When: 2024-04-02 14:00 (Berlin)")


def test_a_piece_of_an_e_mail_is_not_faxed_as_if_it_were_all(tmp_path: Path) -> None:
    piece = b"Content-Type: message/partial; number=1; total=2; id=x\n\nFrom: a@b\n\nthe first half\n"
    with pytest.raises(DocumentError) as refused:
        opened(tmp_path, HEADING + piece, "a.eml")
    assert refused.value.cause is DOCUMENT_UNSUPPORTED


def test_an_invitation_that_the_text_says_too_is_no_loss(tmp_path: Path) -> None:
    assert (
        opened(tmp_path, HEADING + multipart("alternative", PLAIN, PAGE, INVITATION), "a.eml").remarks == ()
    )


def test_a_message_within_an_outlook_message_has_pages_of_its_own(tmp_path: Path) -> None:
    content = message_file("the cover", "s", ("letter.txt", b"attached words"), forwarded="the forwarded one")
    made = opened(tmp_path, content, "a.msg")
    assert made.drawer.count == 3
    assert "the forwarded one" in made.words
    assert made.remarks == ()


@pytest.mark.parametrize(
    "part",
    [
        b"Content-Type: application/pdf; name=contract.pdf\n\n",
        b"Content-Type: message/external-body; access-type=URL; name=contract.pdf\n\n"
        b"Content-Type: application/pdf\n\n",
    ],
    ids=["empty", "somewhere else"],
)
def test_a_file_of_which_only_the_name_came_is_remarked(tmp_path: Path, part: bytes) -> None:
    made = opened(tmp_path, HEADING + multipart("mixed", PLAIN, part), "a.eml")
    assert [(remark.kind, remark.file, remark.detail) for remark in made.remarks] == [
        (FILE_LEFT_OUT, "contract.pdf", "it came without content that can be read")
    ]


@pytest.mark.parametrize(
    "parts",
    [
        b"Content-Type: text/plain\n\n" + LOCKED,
        multipart(
            "encrypted",
            b"Content-Type: application/pgp-encrypted\n\nVersion: 1\n",
            b"Content-Type: application/octet-stream; name=encrypted.asc\n\n" + LOCKED,
        ),
    ],
    ids=["in the text", "by PGP/MIME"],
)
def test_an_e_mail_that_nobody_can_read_without_a_key_is_no_pages_of_code(
    tmp_path: Path, parts: bytes
) -> None:
    made = opened(tmp_path, HEADING + parts, "a.eml")
    assert made.drawer.count == 1
    assert "BEGIN PGP" not in made.words
    assert [(remark.kind, remark.detail) for remark in made.remarks] == [
        (FILE_LEFT_OUT, DOCUMENT_ENCRYPTED.sentence)
    ]
    with pytest.raises(DocumentError) as refused:
        opened(tmp_path, LOCKED, "letter.asc")
    assert refused.value.cause is DOCUMENT_ENCRYPTED


@pytest.mark.parametrize(
    ("head", "body", "name", "kind"),
    [
        (
            HEADING + b"Content-Type: text/plain\n\n",
            b"Dear Bob,\n\n%s\nYours\n" % LOCKED,
            "a.eml",
            FILE_LEFT_OUT,
        ),
        (
            HEADING + b"Content-Type: text/html\n\n",
            b"<p>Dear Bob,<br>%s<p>Yours" % LOCKED.replace(b"\n", b"<br>\n"),
            "a.eml",
            FILE_LEFT_OUT,
        ),
        (b"", b"Dear Bob,\n\n%s\nYours\n" % LOCKED, "letter.txt", PART_LEFT_OUT),
    ],
    ids=["in a text", "in a page", "in a file"],
)
def test_an_encrypted_passage_is_left_out_and_remarked(
    tmp_path: Path, head: bytes, body: bytes, name: str, kind: object
) -> None:
    made = opened(tmp_path, head + body, name)
    assert made.words.endswith("Dear Bob, Yours")
    assert [remark.kind for remark in made.remarks] == [kind]
    quoted = b"You asked about the line -----BEGIN PGP MESSAGE----- in it\n"
    assert "in it" in opened(tmp_path, head + quoted, name).words


SAID = b"Content-Type: text/plain\r\n\r\nthe signed words\r\n"


@pytest.fixture(scope="module")
def ada() -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Ada")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(datetime.datetime(2020, 1, 1))
        .not_valid_after(datetime.datetime(2040, 1, 1))
    )
    return key, made.sign(key, hashes.SHA256())


def coded(kind: bytes, content: bytes) -> bytes:
    head = b"Content-Type: %s\nContent-Transfer-Encoding: base64\n\n" % kind
    return head + base64.encodebytes(content) + b"\n"


@pytest.mark.parametrize(
    "kind", [b"application/pkcs7-mime; smime-type=signed-data", b"application/x-pkcs7-mime"]
)
def test_a_message_that_lies_within_its_signature_is_read(
    tmp_path: Path, ada: tuple[rsa.RSAPrivateKey, x509.Certificate], kind: bytes
) -> None:
    builder = pkcs7.PKCS7SignatureBuilder().set_data(SAID).add_signer(ada[1], ada[0], hashes.SHA256())
    signed = builder.sign(Encoding.DER, [pkcs7.PKCS7Options.Binary])
    made = opened(tmp_path, HEADING + coded(kind + b"; name=smime.p7m", signed), "a.eml")
    assert "the signed words" in made.words
    assert made.remarks == ()
    for end in range(0, len(signed), 40):
        assert signed_content(signed[:end]) is None


def test_a_signed_message_whose_length_is_not_told_is_read() -> None:
    """BER as mail programs stream it: indefinite lengths, the content in pieces (X.690 8.1.3.6, 8.7.3)."""
    pieces = b"\x24\x80\x04\x04the \x04\x06signed\0\0"
    content = b"\x30\x80\x06\x09" + bytes.fromhex("2a864886f70d010701") + b"\xa0\x80" + pieces + b"\0\0\0\0"
    signed = b"\x30\x80\x02\x01\x01\x31\0" + content + b"\x31\0\0\0"
    whole = b"\x30\x80\x06\x09" + bytes.fromhex("2a864886f70d010702") + b"\xa0\x80" + signed + b"\0\0\0\0"
    assert signed_content(whole) == b"the signed"
    for without in (b"\x30\0" + b"\0" * (len(content) - 2), content[:13] + bytes(len(content) - 13)):
        assert signed_content(whole.replace(content, without)) is None
    assert signed_content(b"\x30\x80" * 5000) is None


def test_a_message_for_somebody_elses_key_says_so(
    tmp_path: Path, ada: tuple[rsa.RSAPrivateKey, x509.Certificate]
) -> None:
    builder = pkcs7.PKCS7EnvelopeBuilder().set_data(SAID).add_recipient(ada[1])
    encrypted = builder.encrypt(Encoding.DER, [pkcs7.PKCS7Options.Binary])
    made = opened(tmp_path, HEADING + coded(b"application/pkcs7-mime; name=smime.p7m", encrypted), "a.eml")
    assert [(remark.kind, remark.detail) for remark in made.remarks] == [
        (FILE_LEFT_OUT, DOCUMENT_ENCRYPTED.sentence)
    ]


def test_an_attached_message_that_was_coded_is_read_and_no_page_of_code(tmp_path: Path) -> None:
    inner = coded(b"message/rfc822", HEADING + b"\nthe inner words\n")
    made = opened(tmp_path, HEADING + multipart("mixed", PLAIN, inner), "a.eml")
    assert made.drawer.count == 2
    assert "the inner words" in made.words


def test_a_report_to_programs_alone_is_remarked(tmp_path: Path) -> None:
    report = b"Content-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\nAction: failed\n"
    made = opened(tmp_path, HEADING + multipart("report", report), "a.eml")
    assert [(remark.kind, remark.file) for remark in made.remarks] == [
        (FILE_LEFT_OUT, "message/delivery-status")
    ]
    assert opened(tmp_path, HEADING + multipart("report", PLAIN, report), "a.eml").remarks == ()


def test_what_macos_sends_beside_an_attached_file_is_not_said_to_be_lost(tmp_path: Path) -> None:
    beside = coded(b"application/applefile; name=letter.pdf", b"\0\5\x16\7\0\2\0\0" + bytes(60))
    file = coded(b"application/pdf; name=letter.pdf", pdf([(*A4, "")]))
    pair = multipart("appledouble", beside, file)
    made = opened(tmp_path, HEADING + multipart("mixed", PLAIN, pair), "a.eml")
    assert made.drawer.count == 2
    assert made.remarks == ()


def test_other_forms_of_the_same_text_get_no_pages(tmp_path: Path) -> None:
    small = b"Content-Type: text/x-amp-html\n\n<html amp4email><body>again</body></html>\n"
    made = opened(tmp_path, HEADING + multipart("alternative", PLAIN, small, PAGE), "a.eml")
    assert made.drawer.count == 1
    assert made.remarks == ()


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("=?iso-8859-1?Q?12_=80_=96_alles?=", "12 € – alles"),
        (f"=?x-sjis?B?{base64.b64encode('日本語'.encode('cp932')).decode()}?=", "日本語"),
        (f"=?gb2312?B?{base64.b64encode('镕'.encode('gbk')).decode()}?= =?utf-8?Q?w=C3=A4?=", "镕wä"),
        ("Re: =?utf-8?Q?=C3=A4=C3?= =?utf-8?Q?=B6?= end", "Re: äö end"),
        ("=?nonsense?Q?words?=", "words"),
        ("=?utf-8?B?R3LDvMOfZSBhdXMgQ?=", "Grüße aus "),
        ("=?utf-8?B?Q=?= and words", " and words"),
    ],
)
def test_a_subject_is_read_in_its_charset(subject: str, words: str) -> None:
    assert decoded(subject) == words


def test_a_name_that_is_given_whole_and_in_pieces_does_not_spoil_the_e_mail(tmp_path: Path) -> None:
    file = b"Content-Type: text/plain; name=z.txt\nContent-Disposition: attachment; filename*0*=utf-8''a;"
    made = opened(
        tmp_path, HEADING + multipart("mixed", PLAIN, file + b" filename*=utf-8''b\n\nin it\n"), "a.eml"
    )
    assert "in it" in made.words


def test_a_forwarded_message_without_its_boundary_does_not_spoil_the_e_mail(tmp_path: Path) -> None:
    inner = HEADING + b"Content-Type: multipart/mixed; boundary=b\n\nGr\xfc\xdfe within\n"
    forwarded = b"Content-Type: message/rfc822\n\n" + inner
    made = opened(tmp_path, HEADING + multipart("mixed", PLAIN, forwarded), "a.eml")
    assert "written plainly" in made.words
    assert "within" in made.words


@pytest.mark.parametrize(
    ("words", "encoding", "kind"),
    [
        ("Уважаемые господа, счёт № 4711 оплачен", "cp1251", CHARSET_UNKNOWN),
        ("Счёт", "cp1251", CHARSET_UNKNOWN),
        ("Уважаемые господа, счёт 4711 оплачен", "koi8-r", CHARSET_UNKNOWN),
        ("Уважаемые господа, счёт 4711 оплачен", "cp866", CHARSET_UNKNOWN),
        ("Αγαπητοί κύριοι, παραγγελία 4711", "cp1253", CHARSET_UNKNOWN),
        ("שלום רב, אנא אשרו 4711", "cp1255", CHARSET_UNKNOWN),
        ("السادة المحترمون، رقم 4711", "cp1256", CHARSET_UNKNOWN),
        ("お世話になっております。注文番号4711の受領をご確認ください。", "cp932", CHARSET_UNKNOWN),
        ("尊敬的先生们，请确认收到订单号4711。", "gb18030", CHARSET_UNKNOWN),
        ("敬啟者，請確認收到訂單編號4711。", "big5", CHARSET_UNKNOWN),
        ("안녕하십니까. 주문번호 4711의 접수를", "euc_kr", CHARSET_UNKNOWN),
        ("Szanowni Państwo, prosimy o łączną źródła. Łączę wyrazy, żółć, pięć", "cp1250", CHARSET_UNKNOWN),
        ("Sehr geehrte Frau Müller, für die Bestellung schönen Dank", "cp850", CHARSET_GUESSED),
        ("Grüße aus Köln: ÄÖÜ und äöüß – „12 €“, 5 m²", "cp1252", CHARSET_GUESSED),
        ("La société « Étoile » a été créée à l’été… 5 m² n°3", "cp1252", CHARSET_GUESSED),
        ("¿Dónde está el año? ¡Aquí! Señor Núñez, 1.ª", "cp1252", CHARSET_GUESSED),
        ("Não há ações, coração à disposição • Råkør på ærø", "cp1252", CHARSET_GUESSED),
        ("\xa0\xa0\xa0\xa0Peter´s Büro ———— 4711", "cp1252", CHARSET_GUESSED),
    ],
)
def test_letters_that_make_no_words_in_the_guessed_encoding_are_a_loss(
    words: str, encoding: str, kind: RemarkKind
) -> None:
    text, guessed = decode(words.encode(encoding))
    assert [remark.kind for remark in guess_remarks(guessed)] == [kind]
    assert kind is CHARSET_UNKNOWN or text == words


def test_a_text_in_an_unknown_encoding_is_held(tmp_path: Path) -> None:
    text = "Уважаемые господа, счёт № 4711 оплачен. Yours".encode("cp1251")
    mail = HEADING + b"Content-Type: text/plain\nContent-Transfer-Encoding: 8bit\n\n" + text
    for content, name in ((text, "a.txt"), (mail, "a.eml"), (b"<html><p>" + text, "a.html")):
        assert [remark.kind for remark in opened(tmp_path, content, name).remarks] == [CHARSET_UNKNOWN]


def test_parts_are_told_apart_by_the_lines_between_them(tmp_path: Path) -> None:
    parts = b"--other\n" + PLAIN + b"--other\nContent-Type: text/plain; name=a.txt\n\nattached\n--other--\n"
    for head in (b'boundary="none"', b'\nboundary="other"', b"x=y"):
        content = HEADING + b"Content-Type: multipart/mixed; " + head + b"\n\n" + parts
        made = opened(tmp_path, content, "a.eml")
        assert "written plainly" in made.words
        assert "attached" in made.words
        assert "--other" not in made.words
        assert made.remarks == ()


def test_an_email_that_was_cut_off_is_a_loss(tmp_path: Path) -> None:
    whole = HEADING + multipart("mixed", PLAIN, PLAIN)
    assert opened(tmp_path, whole, "a.eml").remarks == ()
    assert opened(tmp_path, whole[: whole.rindex(b"--mixed--")], "a.eml").remarks == ()
    for length in (len(whole) - 4, whole.rindex(PLAIN), whole.rindex(PLAIN) + 9, whole.index(b"plainly")):
        made = opened(tmp_path, whole[:length], "a.eml")
        assert [remark.kind for remark in made.remarks] == [CONTENT_DAMAGED]
        assert "written" in made.words


@pytest.mark.parametrize("text", [b"all in one text\n", b"before\n--------\n\nall in one text\n"])
def test_an_email_in_parts_without_a_line_between_them_is_one_text(tmp_path: Path, text: bytes) -> None:
    made = opened(
        tmp_path, HEADING + b"Content-Type: multipart/alternative; boundary=none\n\n" + text, "a.eml"
    )
    assert " ".join(text.decode().split()) in made.words
    assert [remark.kind for remark in made.remarks] == [CONTENT_DAMAGED]


@pytest.mark.parametrize("kind", [b"text/plain; charset=x-unknown", b"text/html; charset=utf-8"])
def test_an_encoding_that_was_guessed_is_remarked(tmp_path: Path, kind: bytes) -> None:
    head = b"Content-Type: %s\nContent-Transfer-Encoding: 8bit\n\n" % kind
    made = opened(tmp_path, HEADING + head + "Grüße".encode("cp1252"), "a.eml")
    assert "Grüße" in made.words
    assert [remark.kind for remark in made.remarks] == [CHARSET_GUESSED]
    assert opened(tmp_path, HEADING + head + b"ASCII", "a.eml").remarks == ()


@pytest.mark.parametrize("address", ["logo.png", "http://office.example/logo.png"])
def test_a_picture_that_a_page_names_by_its_address_stands_in_it(tmp_path: Path, address: str) -> None:
    page = b"Content-Type: text/html\n\n<p>logo <img src='%s'>\n" % address.encode()
    kind = b"image/png\nContent-Location: " + address.encode()
    logo = coded(kind, save(photograph(80, 80), "PNG"))
    made = opened(tmp_path, HEADING + multipart("related", page, logo), "a.eml")
    assert made.drawer.count == 1
    assert made.remarks == ()


def test_a_long_list_of_readers_is_there_or_seen_to_be_cut(tmp_path: Path) -> None:
    for count, seen in ((80, "person79@office.example"), (400, "…")):
        people = ",\n ".join(f"person{number}@office.example" for number in range(count))
        made = opened(tmp_path, b"Cc: " + people.encode() + b"\n" + HEADING + b"\nwords\n", "a.eml")
        assert seen in made.words


RTF = rb"{\rtf1\ansi\deff0 {\fonttbl{\f0 Arial;}} the words in RTF alone\par}"


def compressed(rtf: bytes) -> bytes:
    """``rtf`` as [MS-OXRTFCP] has it, letter by letter behind a reference to the window's beginning."""
    assert rtf.startswith(rb"{\rtf1\ansi")
    tokens: list[bytes] = [b"\0\x09"]  # the first eleven octets of the window
    tokens += [rtf[place : place + 1] for place in range(11, len(rtf))]
    end = (207 + len(rtf)) % 4096
    tokens.append((end << 4).to_bytes(2, "big"))
    out = b""
    for start in range(0, len(tokens), 8):
        run = tokens[start : start + 8]
        out += bytes([sum((len(token) == 2) << bit for bit, token in enumerate(run))]) + b"".join(run)
    return struct.pack("<III", len(out) + 12, len(rtf), 0x75465A4C) + bytes(4) + out


def test_a_text_that_outlook_kept_in_compressed_rtf_alone_is_read(tmp_path: Path) -> None:
    need("soffice")
    assert decompressed(compressed(RTF)) == RTF
    for end in range(0, len(compressed(RTF)), 7):
        assert decompressed(compressed(RTF)[:end]) in {None, b""}
    made = opened(tmp_path, message_file("", "s", ("letter.txt", b"attached"), rtf=compressed(RTF)), "a.msg")
    assert "the words in RTF alone" in made.words
    assert "attached" in made.words
    assert made.remarks == ()


def test_a_text_in_a_winmail_alone_is_read_and_one_that_the_e_mail_says_is_not_repeated(
    tmp_path: Path,
) -> None:
    need("soffice")
    packed = coded(
        b"application/ms-tnef; name=winmail.dat", winmail(("a.txt", b"attached"), rtf=compressed(RTF))
    )
    made = opened(tmp_path, HEADING + multipart("mixed", b"Content-Type: text/plain\n\n\n", packed), "a.eml")
    assert "the words in RTF alone" in made.words
    assert "attached" in made.words
    assert made.remarks == ()
    made = opened(tmp_path, HEADING + multipart("mixed", PLAIN, packed), "a.eml")
    assert "RTF" not in made.words
    assert "attached" in made.words


def test_a_message_that_a_winmail_encloses_has_pages_of_its_own(tmp_path: Path) -> None:
    within = winmail(("deep.txt", b"the inner words"))
    made = opened(tmp_path, winmail(("a.txt", b"attached"), enclosed=within), "winmail.dat")
    assert made.drawer.count == 2
    assert "the inner words" in made.words
    assert made.remarks == ()


@pytest.mark.parametrize(
    "place", [b"\x01\0\0\0\x02\x01\x09\x10", b"\x01\0\0\0" + struct.pack("<I", len(compressed(RTF)))]
)
def test_a_winmail_that_claims_four_thousand_million_properties_is_read_at_once(
    tmp_path: Path, place: bytes
) -> None:
    content = winmail(("a.txt", b"attached"), rtf=compressed(RTF))
    assert content.count(place) == 1
    made = opened(tmp_path, content.replace(place, b"\xff" * 4 + place[4:]), "winmail.dat")
    assert "attached" in made.words


def test_a_winmail_that_was_cut_off_is_damaged_not_empty(tmp_path: Path) -> None:
    whole = winmail(("a.txt", b"attached"), ("b.txt", b"attached as well"))
    with pytest.raises(DocumentError) as refused:
        opened(tmp_path, whole[:-15], "winmail.dat")
    assert refused.value.cause is DOCUMENT_DAMAGED
    assert opened(tmp_path, whole + bytes(40), "winmail.dat").drawer.count == 2


PICTURE = save(photograph(80, 80), "PNG")


def numbered(number: bytes, content: bytes = PICTURE, kind: bytes = b"image/png") -> bytes:
    return coded(kind + b"\nContent-ID: <" + number + b">", content)


def with_page(page: bytes, *parts: bytes) -> bytes:
    return HEADING + multipart("related", b"Content-Type: text/html\n\n" + page + b"\n", *parts)


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (b"logo@x", b"<img src='CID:Logo@X'>"),
        (b"logo@x", b"<img src=cid:logo%40x>"),
        (b"a&b@x", b"<img src='cid:a&amp;b@x'>"),
        (b"logo@x", b"<div style=\"background: url('cid:logo@x')\">with ground</div>"),
    ],
    ids=["other case", "coded", "letter's name", "style"],
)
def test_a_picture_that_the_page_names_in_other_letters_stands_in_it(
    tmp_path: Path, number: bytes, written: bytes
) -> None:
    made = opened(tmp_path, with_page(written, numbered(number)), "a.eml")
    assert made.drawer.count == 1
    assert made.remarks == ()


@pytest.mark.parametrize(
    "written", [b"<a href='cid:logo@x'>the plan</a>", b"words<!-- <img src='cid:logo@x'> -->"]
)
def test_a_picture_that_the_page_only_leads_to_has_a_page_of_its_own(tmp_path: Path, written: bytes) -> None:
    assert opened(tmp_path, with_page(written, numbered(b"logo@x")), "a.eml").drawer.count == 2


def test_of_two_pictures_with_one_number_the_second_has_a_page_unless_it_is_the_same(tmp_path: Path) -> None:
    page, first = b"<img src='cid:logo@x'>", numbered(b"logo@x")
    assert opened(tmp_path, with_page(page, first, first), "a.eml").drawer.count == 1
    other = numbered(b"logo@x", save(photograph(90, 90), "PNG"))
    assert opened(tmp_path, with_page(page, first, other), "a.eml").drawer.count == 2


def test_a_picture_of_the_page_that_did_not_come_is_remarked(tmp_path: Path) -> None:
    related = multipart("related", b"Content-Type: text/html\n\n<p>x <img src='cid:gone@x'>\n")
    made = opened(tmp_path, HEADING + multipart("alternative", PLAIN, related), "a.eml")
    assert [remark.kind for remark in made.remarks] == [PICTURE_LOST]


def test_a_picture_of_the_page_that_moves_is_remarked(tmp_path: Path) -> None:
    frames = [photograph(20, 20, seed) for seed in (1, 2)]
    moving = save(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=100)
    for page in (
        b"<img src='cid:logo@x'>",
        b"<img src='data:image/gif;base64," + base64.b64encode(moving) + b"'>",
    ):
        made = opened(tmp_path, with_page(page, numbered(b"logo@x", moving, b"image/gif")), "a.eml")
        assert MOVEMENT_LEFT_OUT in {remark.kind for remark in made.remarks}
    still = save(frames[0], "GIF", duration=100)
    made = opened(
        tmp_path, with_page(b"<img src='cid:logo@x'>", numbered(b"logo@x", still, b"image/gif")), "a.eml"
    )
    assert made.remarks == ()


def test_a_stored_web_page_has_its_styles_and_pictures_and_no_pages_of_code(tmp_path: Path) -> None:
    def at(address: bytes, content: bytes, kind: bytes) -> bytes:
        return coded(kind + b"\nContent-Location: " + address, content)

    made = opened(
        tmp_path,
        with_page(
            b"<link rel=stylesheet href='cid:css-1@mhtml.blink'><p class=h>not printed</p><p>printed"
            b"<p style='background:url(http://a.example/l.png?a=1&amp;b=2)'>ground<img src=http://a.example/i.png>",
            at(
                b"cid:css-1@mhtml.blink",
                b".h { display: none } .i { opacity: 0; animation: in 1s }",
                b"text/css",
            ),
            at(b"http://a.example/l.png?a=1&b=2", PICTURE, b"image/png"),
            at(b"http://a.example/i.png", PICTURE, b"image/png"),
            at(b"http://a.example/s.js", b"alert(1)", b"text/javascript"),
        ),
        "a.mhtml",
    )
    assert made.drawer.count == 1
    assert "printed ground" in made.words
    assert "not printed" not in made.words
    assert made.remarks == ()


def test_letters_beyond_ascii_that_an_e_mail_does_not_code_are_read(tmp_path: Path) -> None:
    head = "From: Jürgen <a@office.example>\nMessage-ID: <1@x>\nSubject: Grüße\nMIME-Version: 1.0\n"
    broken = 'Content-Type: application/pdf; name="Übersicht.pdf"\n\nno PDF\n'
    for charset in ("utf-8", "cp1252"):
        content = head.encode(charset) + multipart("mixed", PLAIN, broken.encode(charset))
        made = opened(tmp_path, content, "a.eml")
        assert "Jürgen" in made.words
        assert "Grüße" in made.words
        assert [remark.file for remark in made.remarks] == ["Übersicht.pdf"]


def test_a_mailbox_of_several_e_mails_has_pages_for_each(tmp_path: Path) -> None:
    one = b"From a@office.example Mon Jan  1 10:00:00 2024\n" + HEADING
    made = opened(tmp_path, one + b"\nthe first\n\nFrom here on\n\n" + one + b"\nthe second\n", "a.mbox")
    assert made.drawer.count == 2
    assert "From here on" in made.words
    assert "the second" in made.words


def test_a_mailbox_is_not_split_within_a_patch_that_an_e_mail_quotes(tmp_path: Path) -> None:
    patch = b"From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\nFrom: Ada <a@b>\n"
    sent = b"From a@office.example Mon Jan  1 10:00:00 2024\n" + HEADING
    made = opened(tmp_path, sent + b"\nthe patch:\n\n" + patch + b"Subject: x\n\nof it\n", "a.mbox")
    assert made.drawer.count == 1
    assert "From 0123456789" in made.words
    two = b"\n\n".join((patch + HEADING + b"\nthe first", patch + HEADING + b"\nthe second\n"))
    assert opened(tmp_path, two, "a.mbox").drawer.count == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"enriched\n\n<bold>a << b</bold> & c, x<<y>", "a < b & c, x<y>"),
        (b"enriched\n\n<color><param>red</param>paid</color>", "paid"),
        (b"richtext\n\n<bold>a <lt> b</bold>, <comment>unseen</comment>seen<nl>below", "a < b, seen below"),
    ],
)
def test_signs_of_older_marks_of_text_are_what_they_stand_for(
    tmp_path: Path, content: bytes, words: str
) -> None:
    made = opened(tmp_path, HEADING + b"Content-Type: text/" + content + b"\n", "a.eml")
    assert made.words.endswith(f" {words}")


def test_lines_of_enriched_text_are_kept_apart(tmp_path: Path) -> None:
    content = b"Content-Type: text/enriched\n\none line\nof two\n\nanother\n\n\nthe last\n"
    made = opened(tmp_path, HEADING + content, "a.eml")
    assert [line.strip() for line in made.texts[0].splitlines() if line.strip()][-3:] == [
        "one line of two",
        "another",
        "the last",
    ]


def test_a_file_of_a_known_kind_that_cannot_be_faxed_is_called_by_its_name(tmp_path: Path) -> None:
    archive = coded(b"application/zip; name=files.zip", b"PK\3\4" + bytes(40))
    made = opened(tmp_path, HEADING + multipart("mixed", PLAIN, archive), "a.eml")
    assert [remark.kind for remark in made.remarks] == [FILE_LEFT_OUT]
    assert "a ZIP archive: unpack it" in made.remarks[0].detail


def test_a_table_that_outlook_calls_a_workbook_is_read(tmp_path: Path) -> None:
    table = coded(b"application/vnd.ms-excel; name=list.csv", b"a;b\n1;2\n")
    made = opened(tmp_path, HEADING + multipart("mixed", PLAIN, table), "a.eml")
    assert "a b ──── 1 2" in made.words
    assert made.remarks == ()


def test_an_e_mail_that_tells_of_pdfs_is_no_pdf(tmp_path: Path) -> None:
    made = opened(tmp_path, HEADING + b"\n%PDF-1.4 comes before 1 0 obj\n", "a.eml")
    assert "comes before" in made.words


def test_a_file_within_its_signature_is_that_file(
    tmp_path: Path, ada: tuple[rsa.RSAPrivateKey, x509.Certificate]
) -> None:
    def signed(content: bytes) -> bytes:
        builder = pkcs7.PKCS7SignatureBuilder().set_data(content).add_signer(ada[1], ada[0], hashes.SHA256())
        return builder.sign(Encoding.DER, [pkcs7.PKCS7Options.Binary])

    assert "plain words" in opened(tmp_path, signed(b"plain words\n"), "letter.txt.p7m").words
    assert "the signed words" in opened(tmp_path, signed(SAID), "smime.p7m").words
    in_base64 = base64.encodebytes(signed(SAID))
    armoured = b"-----BEGIN PKCS7-----\n" + in_base64 + b"-----END PKCS7-----\n"
    for content in (in_base64, in_base64.replace(b"\n", b"\r\n"), armoured):
        made = opened(tmp_path, content, "smime.p7m")
        assert "the signed words" in made.words
        assert "MII" not in made.words
    with pytest.raises(DocumentError):
        opened(tmp_path, signed(signed(b"words")), "letter.p7m")


def test_older_marks_of_text_and_the_order_of_a_picture_message_get_no_pages_of_code(tmp_path: Path) -> None:
    marked = b"Content-Type: text/enriched\n\n<bold>marked</bold> words\n"
    made = opened(tmp_path, HEADING + multipart("alternative", PLAIN, marked), "a.eml")
    assert made.drawer.count == 1
    assert "marked" not in made.words
    assert "s marked words" in opened(tmp_path, HEADING + marked, "a.eml").words
    order = b"Content-Type: application/smil; name=a.smil\n\n<smil/>\n"
    made = opened(tmp_path, HEADING + multipart("related", order, PLAIN), "a.eml")
    assert (made.drawer.count, made.remarks) == (1, ())


def outlook(
    streams: dict[str, bytes], numbers: dict[int, int], *files: dict[str, bytes], within: bytes = b""
) -> bytes:
    """An Outlook message of ``streams``, by the ends of their names, and of properties that are numbers."""
    entries = (struct.pack("<HHIQ", 3, name, 6, value) for name, value in numbers.items())
    table = {"__properties_version1.0": bytes(32) + b"".join(entries)}
    folders = {
        f"__attach_version1.0_#{number:08}": Storage(
            {f"__substg1.0_{name}": value for name, value in file.items()},
            {"__substg1.0_3701000D": Storage({"CONTENTS": within})} if within else {},
        )
        for number, file in enumerate(files)
    }
    return compound(
        Storage(table | {f"__substg1.0_{name}": value for name, value in streams.items()}, folders)
    )


STRINGS, PAGES, SENT = 0x3FFD, 0x3FDE, 0x0039


@pytest.mark.parametrize(
    ("words", "encoding", "numbers", "remarked"),
    [
        ("Встреча в пятницу", "cp1251", {STRINGS: 1251, PAGES: 20127}, []),
        ("中文測試", "big5", {PAGES: 950}, []),
        ("表示テスト", "iso2022_jp", {STRINGS: 50221}, []),
        ("Grüße", "cp1252", {PAGES: 20127}, [CHARSET_GUESSED]),
    ],
    ids=["its code page", "that of its page", "of e-mails", "none"],
)
def test_the_strings_of_an_outlook_message_are_in_its_code_page(
    tmp_path: Path, words: str, encoding: str, numbers: dict[int, int], remarked: list[object]
) -> None:
    content = outlook({"0037001E": words.encode(encoding), "1000001E": b"the text"}, numbers)
    made = opened(tmp_path, content, "a.msg")
    assert f"Subject {words}" in made.words
    assert [remark.kind for remark in made.remarks] == remarked


@pytest.mark.parametrize(
    ("kind", "numbers", "meta"),
    [
        ("10130102", {PAGES: 1251}, ""),
        ("1013001E", {PAGES: 1251}, ""),
        ("10130102", {PAGES: 20127}, "<meta charset=windows-1251>"),
        ("10130102", {}, "<meta charset=windows-1251>"),
    ],
)
def test_the_page_of_an_outlook_message_is_in_the_encoding_that_it_declares(
    tmp_path: Path, kind: str, numbers: dict[int, int], meta: str
) -> None:
    page = f"<html>{meta}<p>Встреча в пятницу".encode("cp1251")
    made = opened(tmp_path, outlook({kind: page}, numbers), "a.msg")
    assert "Встреча в пятницу" in made.words
    assert made.remarks == ()


def test_the_heading_of_an_outlook_message_says_when_it_was_sent_and_by_whom(tmp_path: Path) -> None:
    sent = 133_596_864_000_000_000  # in 100 ns since 1601
    names = {"0C1A001F": "Ada", "0C1F001F": "/O=OFFICE/CN=ADA", "5D01001F": "ada@office.example"}
    streams = {name: value.encode("utf-16-le") for name, value in names.items()}
    streams["0E04001F"] = "; ".join(f"Receiver {number}" for number in range(9000)).encode("utf-16-le")
    made = opened(tmp_path, outlook(streams | {"1000001E": b"the text"}, {SENT: sent}), "a.msg")
    assert "From Ada ada@office.example To" in made.words
    assert "Date Thu, 09 May 2024 00:00:00 +0000" in made.words
    assert "Receiver 100;" in made.words
    assert made.drawer.count == 1, "the heading has pages of names"


def test_an_e_mail_of_outlook_begins_on_the_page_of_its_heading(tmp_path: Path) -> None:
    page = (
        b"Content-Type: text/html\n\n<html><head><style><!-- @page WordSection1 {size:612.0pt 792.0pt;}\n"
        b"div.WordSection1 {page:WordSection1;} --></style></head><body><div class=WordSection1>words</div>"
        b"</body></html>\n"
    )
    made = opened(tmp_path, HEADING + page, "a.eml")
    assert made.drawer.count == 1
    assert made.words.endswith("words")


def test_files_of_an_outlook_message_that_did_not_come_along_are_remarked(tmp_path: Path) -> None:
    link = {"3707001F": "contract.pdf".encode("utf-16-le")}
    made = opened(tmp_path, outlook({"1000001E": b"the text"}, {}, link), "a.msg")
    assert [(remark.kind, remark.file) for remark in made.remarks] == [(FILE_LEFT_OUT, "contract.pdf")]
    made = opened(tmp_path, outlook({"1000001E": b"t"}, {}, link, within=save(photograph(400, 300), "PNG")))
    assert made.remarks == ()
    assert made.drawer.count == 2


def test_a_page_in_an_e_mail_may_declare_its_encoding_itself(tmp_path: Path) -> None:
    page = "<html><meta charset=windows-1251><p>Встреча в пятницу".encode("cp1251")
    raw = HEADING + b"Content-Type: text/html\nContent-Transfer-Encoding: 8bit\n\n" + page
    made = opened(tmp_path, raw, "a.eml")
    assert "Встреча в пятницу" in made.words
    assert made.remarks == ()


@pytest.mark.parametrize(
    ("kind", "content", "words", "remarked"),
    [
        (
            b"text/html; name=a.html",
            "<html><meta charset=windows-1251><p>Встреча".encode("cp1251"),
            "Встреча",
            [],
        ),
        (b"text/plain; name=a.txt", "Grüße".encode("cp1252"), "Grüße", [CHARSET_GUESSED]),
        (b"text/plain; charset=us-ascii; name=a.txt", "Grüße".encode("cp1252"), "Grüße", [CHARSET_GUESSED]),
        (b"text/plain; charset=koi8-r; name=a.txt", "Встреча".encode("koi8-r"), "Встреча", []),
    ],
    ids=["declared by itself", "not declared", "declared wrongly", "declared"],
)
def test_texts_attached_to_an_e_mail_keep_their_encoding(
    tmp_path: Path, kind: bytes, content: bytes, words: str, remarked: list[object]
) -> None:
    made = opened(tmp_path, HEADING + multipart("mixed", PLAIN, coded(kind, content)), "a.eml")
    assert words in made.words
    assert [remark.kind for remark in made.remarks] == remarked


def test_a_file_that_is_no_text_is_not_recoded_however_it_is_declared(tmp_path: Path) -> None:
    picture = save(photograph(300, 200), "BMP")
    packed = coded(b"text/plain; charset=iso-8859-15; name=a.bmp", picture)
    made = opened(tmp_path, HEADING + multipart("mixed", PLAIN, packed), "a.eml")
    assert made.remarks == ()
    assert made.drawer.count == 2


def test_an_e_mail_with_nothing_but_a_file_is_refused_for_the_reason_of_that_file(tmp_path: Path) -> None:
    raw = b"MIME-Version: 1.0\nMessage-ID: <1@x>\nContent-Type: text/plain\n\n" + LOCKED
    with pytest.raises(DocumentError) as refused:
        opened(tmp_path, raw, "a.eml")
    assert refused.value.cause is DOCUMENT_ENCRYPTED
    with pytest.raises(DocumentError) as refused:
        opened(tmp_path, outlook({}, {}), "a.msg")
    assert refused.value.cause is DOCUMENT_EMPTY


def test_a_winmail_has_the_pictures_of_its_page_in_their_place(tmp_path: Path) -> None:
    page = b"<html><p>above<img src='cid:logo@x'><p>below"
    packed = winmail(
        ("logo.png", save(photograph(300, 200), "PNG")), said={0x1013: page}, content_id="logo@x"
    )
    made = opened(tmp_path, packed[:-1], "winmail.dat")
    assert made.drawer.count == 1
    assert made.remarks == ()
    assert "above below" in made.words


def test_a_message_in_a_winmail_keeps_its_heading_and_that_around_is_not_repeated(
    tmp_path: Path,
) -> None:
    wide = {0x0037: "the order", 0x0C1A: "Grace", 0x0E04: "Ada", 0x1000: "as agreed"}
    said = {name: value.encode("utf-16-le") for name, value in wide.items()}
    inner = winmail(said=said | {SENT: struct.pack("<Q", 133_596_864_000_000_000)})
    outer = winmail(enclosed=inner, said={0x0037: "s".encode("utf-16-le"), 0x1000: b"s\0e\0e\0"})
    packed = coded(b"application/ms-tnef; name=winmail.dat", outer)
    made = opened(tmp_path, HEADING + multipart("mixed", packed), "a.eml")
    assert "From Grace To Ada Date Thu, 09 May 2024 00:00:00 +0000 Subject the order as agreed" in made.words
    assert made.words.count("Subject s") == 1
    made = opened(tmp_path, outer, "winmail.dat")
    assert made.words.count("Subject s") == 1


def test_an_invitation_in_a_winmail_dat_says_when_and_where(tmp_path: Path) -> None:
    words = {0x001A: "IPM.Appointment", 0x0037: "Hearing", 0x8208: "room 4"}
    said = {number: value.encode("utf-16-le") for number, value in words.items()}
    packed = winmail(said=said | {0x820D: struct.pack("<Q", 133_596_864_000_000_000)})
    made = opened(tmp_path, packed, "winmail.dat")
    assert made.words == "Subject Hearing When 2024-05-09 00:00 (UTC) Where room 4"
    assert made.remarks == ()


@pytest.mark.parametrize(
    ("kind", "numbers", "said", "words"),
    [
        (
            "IPM.Appointment",
            ("02", [0x820D, 0x8208]),
            {},
            "When 2024-05-09 00:00 (UTC) Where room 4",
        ),
        ("IPM.Schedule.Meeting.Request", ("02", [0x820D]), {}, "When 2024-05-09 00:00 (UTC)"),
        ("IPM.Task", ("03", [0x8105]), {}, "Due 2024-05-09"),
        ("IPM.Contact", ("04", [0x8083]), {"3A08001F": "02 03", "3A1C001F": "04"}, "Telephone 02 03, 04"),
        ("IPM.Note", ("02", [0x820D, 0x8208]), {"3A08001F": "02 03"}, "Subject s the text"),
    ],
)
def test_an_item_of_outlooks_says_more_than_its_text(
    tmp_path: Path, kind: str, numbers: tuple[str, list[int]], said: dict[str, str], words: str
) -> None:
    which, names = numbers
    sets = bytes.fromhex(f"{which}20060000000000c000000000000046")
    entries = b"".join(struct.pack("<IHH", name, 3 << 1, index) for index, name in enumerate(names))
    strings = {"001A001F": kind, "0037001F": "s", "1000001F": "the text", "8001001F": "room 4", **said}
    streams = {f"__substg1.0_{name}": value.encode("utf-16-le") for name, value in strings.items()}
    moment = struct.pack("<HHIQ", 0x0040, 0x8000, 6, 133_596_864_000_000_000)
    streams["__properties_version1.0"] = bytes(32) + moment + struct.pack("<HHIQ", 0x001F, 0x8001, 6, 12)
    named = Storage({"__substg1.0_00020102": sets, "__substg1.0_00030102": entries})
    made = opened(tmp_path, compound(Storage(streams, {"__nameid_version1.0": named})), "a.msg")
    assert words in made.words
    assert made.remarks == ()
