"""Received faxes are found by the words on their pages, where the owner wants it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFont

from appliance.box import Box
from appliance.causes import RECEIVED
from appliance.deliver.pdfs import write_received
from appliance.dispatch.text_reading import TextReader
from appliance.documents.settings import ReadingSettings
from appliance.spool import erasure, received
from appliance.spool.filters import ReceivedFilter
from appliance.spool.model import Received, ReceivedPageFile
from appliance.t4.page import Raster, Resolution
from appliance.t4.tiff import write_tiff
from tests.deliver.making import make_box, until
from tests.documents.making import need, run


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    need("tesseract")
    made = make_box(tmp_path / "data")
    yield made
    made.close()


def receive(box: Box, uuid: str, words: str) -> Received:
    fax = box.spool.do(received.begin, uuid, "trunk", "t38", box.clock())
    sheet = Image.new("L", (1728, 1100), 255)
    face = ImageFont.truetype("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", 48)
    ImageDraw.Draw(sheet).text((200, 300), words, fill=0, font=face)
    dots = ImageChops.invert(sheet.convert("1", dither=Image.Dither.NONE)).tobytes()
    path = f"received/{uuid}.tiff"
    write_tiff(box.data / path, [Raster(1728, 1100, dots, Resolution.FINE)])
    page = ReceivedPageFile(0, path, 1728, 1100, "FINE", 0, 0, box.clock())
    box.spool.do(received.add_page, fax.id, page)
    return box.spool.do(received.finish, fax.id, RECEIVED, complete=True, now=box.clock())


def found(box: Box, text: str) -> list[int]:
    return [fax.id for fax in box.spool.read(received.search, ReceivedFilter(text=text))]


def test_a_fax_is_found_by_its_words_once_the_owner_wants_that(box: Box) -> None:
    before = receive(box, "a", "Invoice 4711 of City Hospital")
    reader = TextReader(box)
    reader.start()
    try:
        assert not found(box, "Hospital")
        box.settings.change(ReadingSettings, {"enabled": True})
        after = receive(box, "b", "Purchase order")  # wakes the reader
        assert box.inbox.page_texts(before.id) == []
        until(lambda: found(box, "Purchase") == [after.id] and found(box, "hospital 4711") == [before.id])
    finally:
        reader.stop()
    [text] = box.inbox.page_texts(before.id)
    assert "4711" in text
    write_received(box, before, box.data / "fax.pdf")
    assert "Invoice 4711 of City Hospital" in run("pdftotext", box.data / "fax.pdf", "-").decode()
    assert not reader.read_next()


def test_a_page_that_is_gone_or_damaged_has_no_words_and_holds_nobody_up(box: Box) -> None:
    box.settings.change(ReadingSettings, {"enabled": True})
    gone, damaged, sound = (receive(box, name, "Readable words") for name in ("gone", "damaged", "sound"))
    (box.data / "received/gone.tiff").unlink()
    (box.data / "received/damaged.tiff").write_bytes(b"II*\0rubbish")
    reader = TextReader(box)
    assert [reader.read_next() for _ in range(4)] == [True, True, True, False]
    assert found(box, "Readable") == [sound.id]
    assert gone.id != damaged.id


def test_without_the_program_nothing_happens(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    box.settings.change(ReadingSettings, {"enabled": True})
    receive(box, "a", "words")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert not TextReader(box).read_next()


def test_the_words_of_an_erased_fax_are_gone(box: Box) -> None:
    box.settings.change(ReadingSettings, {"enabled": True})
    fax = receive(box, "a", "Secret words")
    reader = TextReader(box)
    assert reader.read_next()
    assert found(box, "Secret") == [fax.id]
    box.spool.do(erasure.erase_received, fax.id, box.clock())
    assert found(box, "Secret") == []
    assert box.spool.read(lambda db: db.execute("SELECT COUNT(*) FROM received_text").fetchone()[0]) == 0
    assert not reader.read_next()
