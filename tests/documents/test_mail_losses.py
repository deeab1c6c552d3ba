"""E-mails of which a part could go missing unseen: every text is on a page, what is not is remarked."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.documents.causes import DOCUMENT_EMPTY, DOCUMENT_ENCRYPTED
from appliance.documents.errors import DocumentError
from appliance.remarks import COMPANION_LEFT_OUT, FILE_LEFT_OUT
from tests.documents.compound import message_file
from tests.documents.opened import opened

HEADING = b"From: a@office.example\nMessage-ID: <1@x>\nMIME-Version: 1.0\nSubject: s\n"
PLAIN = b"Content-Type: text/plain\n\nwritten plainly\n"
PAGE = b"Content-Type: text/html\n\n<p>designed\n"
BLANK_PAGE = b"Content-Type: text/html\n\n<html><body><br></body></html>\n"
INVITATION = b"Content-Type: text/calendar\n\nBEGIN:VCALENDAR\nEND:VCALENDAR\n"
CARD = b"Content-Type: text/vcard; name=ada.vcf\n\nBEGIN:VCARD\nEND:VCARD\n"
LOCKED = b"-----BEGIN PGP MESSAGE-----\n\nhQEMA0000abcdefghijklmnopqrstuvwxyz\n-----END PGP MESSAGE-----\n"


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
        (FILE_LEFT_OUT, "contract.pdf", DOCUMENT_EMPTY.sentence)
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
