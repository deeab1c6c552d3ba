"""XPS and DjVu become pages by programs of Debian's; without them the refusal says which is missing."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from PIL import Image

from appliance.causes import Cause
from appliance.documents.causes import (
    DJVU_NOT_INSTALLED,
    DOCUMENT_DAMAGED,
    DOCUMENT_MEMORY,
    DOCUMENT_TIMED_OUT,
    XPS_NOT_INSTALLED,
)
from appliance.documents.errors import DocumentError
from appliance.documents.office import converted
from appliance.remarks import CONTENT_DAMAGED, PAGES_MISSING, PICTURE_LOST
from tests.documents.making import need, save, write
from tests.documents.opened import opened

_NAMESPACE = "http://schemas.microsoft.com/xps/2005/06"
_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="fdseq" ContentType="application/vnd.ms-package.xps-fixeddocumentsequence+xml"/>'
    '<Default Extension="fdoc" ContentType="application/vnd.ms-package.xps-fixeddocument+xml"/>'
    '<Default Extension="fpage" ContentType="application/vnd.ms-package.xps-fixedpage+xml"/>'
    '<Default Extension="png" ContentType="image/png"/>'
    '<Default Extension="wdp" ContentType="image/vnd.ms-photo"/>'
    "</Types>"
)

_SHOWN = (
    '<Path Data="M 0,0 L 96,0 96,96 0,96 Z"><Path.Fill><ImageBrush ImageSource="/{}" Viewbox="0,0,96,96"'
    ' Viewport="0,0,96,96" ViewboxUnits="Absolute" ViewportUnits="Absolute"/></Path.Fill></Path>'
)


def xps(
    *documents: int,
    more: Mapping[str, bytes] = {},
    kind: str = _NAMESPACE,
    picture: str = "",
    absent: int = 0,
) -> bytes:
    """An XPS file with ``documents`` of so many pages, each with a square; ``absent`` more are listed."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
        archive.writestr(
            "_rels/.rels",
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            f'<Relationship Id="R" Type="{kind}/fixedrepresentation" Target="/a.fdseq"/></Relationships>',
        )
        listed = "".join(
            f'<DocumentReference Source="/{number}/a.fdoc"/>' for number in range(len(documents))
        )
        archive.writestr("a.fdseq", f'<FixedDocumentSequence xmlns="{kind}">{listed}</FixedDocumentSequence>')
        for number, pages in enumerate(documents):
            listed = "".join(f'<PageContent Source="{page}.fpage"/>' for page in range(pages + absent))
            archive.writestr(f"{number}/a.fdoc", f'<FixedDocument xmlns="{kind}">{listed}</FixedDocument>')
            for page in range(pages):
                shown = _SHOWN.format(picture) if picture else ""
                archive.writestr(
                    f"{number}/{page}.fpage",
                    f'<FixedPage xmlns="{kind}" xml:lang="en" Width="816" Height="{1056 + number}">'
                    f'<Path Fill="#ff000000" Data="M 96,96 L 192,96 192,192 96,192 Z"/>{shown}</FixedPage>',
                )
        for name, content in more.items():
            archive.writestr(name, content)
    return out.getvalue()


# A DjVu of two pages, one in black and white, one in colour (of DjVuLibre's cjb2, c44 and djvm).
DJVU = base64.b64decode(
    "QVQmVEZPUk0AAADLREpWTURJUk0AAAAjgQACAAAAPAAAAG7//+a/ih/p2vN2w8Gar/3Pw1p5gBZQhycARk9STQAAAC"
    "pESlZVSU5GTwAAAAoAPAAeGABkABYBU2piegAAAAyCKUZ8cYdOfT83fn9GT1JNAAAAYURKVlVJTkZPAAAACgAgABAY"
    "AGQAFgFCRzQ0AAAAGQBKAQIAIAAQiuWB+Zdu7/JqH58k/m8SNH8AQkc0NAAAABMBD3qw52zYRnWYbCtzXNb5ZiMyAE"
    "JHNDQAAAAFAgqldPk="
)


@pytest.mark.parametrize("kind", [_NAMESPACE, "http://schemas.openxps.org/oxps/v1.0"])
def test_all_documents_of_an_xps_file_become_pages(tmp_path: Path, kind: str) -> None:
    need("xpstopdf")
    made = opened(tmp_path, xps(2, 1, kind=kind), "letter.xps")
    assert made.drawer.count == 3
    assert [round(made.drawer.size(page).height, 1) for page in range(3)] == [279.4, 279.4, 279.7]
    assert made.remarks == ()


def test_what_an_xps_file_lacks_is_remarked(tmp_path: Path) -> None:
    need("xpstopdf")
    told = opened(tmp_path, xps(2, absent=1), "letter.xps").remarks
    assert [(each.kind, each.detail) for each in told] == [
        (PAGES_MISSING, "2 of 3 pages"),
        (CONTENT_DAMAGED, "page 3 of the file"),
    ]
    square = save(Image.new("RGB", (96, 96)), "PNG")
    assert opened(tmp_path, xps(1, more={"a.png": square}, picture="a.png"), "letter.xps").remarks == ()
    for name, content in (("a.png", square[:60]), ("a.wdp", b"II\xbc\x01" + bytes(60))):
        told = opened(tmp_path, xps(1, more={name: content}, picture=name), "letter.xps").remarks
        assert PICTURE_LOST in [each.kind for each in told]


def test_a_djvu_file_becomes_pages(tmp_path: Path) -> None:
    need("ddjvu")
    made = opened(tmp_path, DJVU, "scan.djvu")
    assert made.drawer.count == 2
    assert made.drawer.size(0).width == pytest.approx(15.24, abs=0.3)
    assert made.remarks == ()


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    need("xpstopdf")
    need("ddjvu")
    with pytest.raises(DocumentError) as refused:
        opened(tmp_path, DJVU[: len(DJVU) // 2], "scan.djvu")
    assert refused.value.cause is DOCUMENT_DAMAGED
    for content, cause in (
        (xps(1)[:-60], DOCUMENT_DAMAGED),
        (xps(), DOCUMENT_DAMAGED),
        (xps(1, more={"0/x.fpage": bytes(200 << 20)}), DOCUMENT_MEMORY),
    ):
        with pytest.raises(DocumentError) as refused:
            opened(tmp_path, content, "letter.xps")
        assert refused.value.cause is cause


@pytest.mark.parametrize(
    ("content", "name", "cause"),
    [(xps(1), "a.xps", XPS_NOT_INSTALLED), (b"AT&TFORM\0\0\0\x40DJVUINFO", "a.djvu", DJVU_NOT_INSTALLED)],
)
def test_without_its_program_the_refusal_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, name: str, cause: Cause
) -> None:
    monkeypatch.setattr(converted, "find_program", lambda _: None)
    with pytest.raises(DocumentError) as refused:
        opened(tmp_path, content, name)
    assert refused.value.cause is cause
    assert "apt install" in cause.advice


@pytest.mark.parametrize(
    ("does", "cause"),
    [
        ("exec sleep 60", DOCUMENT_TIMED_OUT),
        ("echo 'GLib-ERROR: failed to allocate 8 bytes' >&2; exit 133", DOCUMENT_MEMORY),
        ("echo 'no PDF' >$4", DOCUMENT_DAMAGED),
    ],
)
def test_how_the_program_fails_decides_the_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: str, cause: Cause
) -> None:
    program = write(tmp_path, "program", f"#!/bin/sh\n{does}\n".encode())
    program.chmod(0o755)
    monkeypatch.setattr(converted, "find_program", lambda _: str(program))
    monkeypatch.setattr(converted, "_RUN_SECONDS", 0.5)
    with pytest.raises(DocumentError) as refused:
        opened(tmp_path, xps(1), "a.xps")
    assert refused.value.cause is cause
