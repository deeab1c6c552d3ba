"""Our pages against ghostscript's and poppler's of the same file; our PDFs read by others."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from appliance.documents.options import PageFormat, RenderOptions
from appliance.documents.pages_pdf import write_pdf
from appliance.documents.thumbnail import thumbnail
from appliance.t4.coding import PageError, encode
from appliance.t4.page import CodedPage, Coding, Raster, Resolution
from tests.documents.conftest import Rendered
from tests.documents.making import (
    A4,
    LETTER,
    edge_marks,
    ink,
    likeness,
    need,
    pdf,
    photograph,
    picture,
    run,
    words,
)


def _raster(width: int, rows: int, resolution: Resolution, seed: int = 1) -> Raster:
    image = photograph(width, rows, seed).point([255 if v < 128 else 0 for v in range(256)], "1")
    return Raster(width, rows, image.tobytes(), resolution)


@pytest.mark.parametrize("tool", ["gs", "pdftoppm"])
@pytest.mark.parametrize("resolution", [Resolution.STANDARD, Resolution.FINE, Resolution.R300])
@pytest.mark.parametrize("size", [A4, LETTER], ids=["A4", "Letter"])
def test_pages_look_like_those_of_an_independent_renderer(
    rendered: Rendered, tmp_path: Path, tool: str, resolution: Resolution, size: tuple[float, float]
) -> None:
    path = need(tool)
    content = pdf([(*size, words(*size, 10) + "\n" + edge_marks(*size))])
    source = tmp_path / "x.pdf"
    source.write_bytes(content)
    x, y = resolution.x_dpi, resolution.y_dpi
    if tool == "gs":
        run(
            path,
            "-q",
            "-dNOPAUSE",
            "-dBATCH",
            "-sDEVICE=pnggray",
            "-dTextAlphaBits=4",
            f"-r{x}x{y}",
            "-o",
            tmp_path / "o.png",
            source,
        )
    else:
        run(path, "-gray", "-png", "-singlefile", "-rx", x, "-ry", y, source, tmp_path / "o")
    theirs = Image.open(tmp_path / "o.png").convert("L").point([0 if v < 176 else 255 for v in range(256)])
    ours = picture(rendered(content, options=RenderOptions(PageFormat(resolution))).coded_page(0))
    theirs, ours = theirs.crop(ink(theirs)), ours.crop(ink(ours))
    assert ours.width == pytest.approx(theirs.width, rel=0.008)
    assert ours.height == pytest.approx(theirs.height, rel=0.008)
    # blocks smaller than a word: the words themselves must be alike and in place
    least = 0.9 if resolution is Resolution.STANDARD else 0.93
    assert likeness(ours, theirs.resize(ours.size), block=12) > least


def test_pages_of_type_are_coded_no_larger_than_ghostscripts(rendered: Rendered, tmp_path: Path) -> None:
    gs = need("gs")
    content = pdf([(*A4, words(*A4, size)) for size in (8, 10, 12, 16)])
    (tmp_path / "x.pdf").write_bytes(content)
    run(
        gs,
        "-q",
        "-dNOPAUSE",
        "-dBATCH",
        "-sDEVICE=tiffg4",
        "-r204x196",
        "-o",
        tmp_path / "x.tif",
        tmp_path / "x.pdf",
    )
    assert sum(p.octets for p in rendered(content).pages) < (tmp_path / "x.tif").stat().st_size * 1.03


@pytest.mark.parametrize("resolution", list(Resolution))
def test_received_pages_are_in_the_pdf_pixel_for_pixel(tmp_path: Path, resolution: Resolution) -> None:
    need("pdfimages")
    width = {204: 1728, 300: 2592, 400: 3456, 408: 3456}[resolution.x_dpi]
    rasters = [_raster(width, resolution.y_dpi * n, resolution, n) for n in (2, 1)]
    pages: list[CodedPage | Raster] = [
        encode(rasters[0], Coding.MH),
        rasters[1],
        encode(rasters[0], Coding.MMR),
    ]
    path = tmp_path / "fax.pdf"
    assert write_pdf(path, iter(pages), title="Fax von Zoë", created=datetime(2026, 3, 1, tzinfo=UTC)) == 3
    run("pdfimages", "-png", path, tmp_path / "i")
    found = sorted(tmp_path.glob("i-*.png"))
    for image, raster in zip(found, [*rasters, rasters[0]], strict=True):
        assert Image.open(image).convert("1").tobytes() == bytes(255 - octet for octet in raster.data)
    facts = run("pdfinfo", path).decode()
    assert "Fax von Zoë" in facts
    size = next(line for line in facts.splitlines() if line.startswith("Page size")).split()
    line_mm = {204: 215, 408: 215, 300: 219.456, 400: 219.456}[resolution.x_dpi]
    assert float(size[2]) == pytest.approx(line_mm / 25.4 * 72, abs=0.1)
    assert float(size[4]) == pytest.approx(2 * 72, rel=0.005)


def test_the_words_of_a_page_are_found_in_the_pdf_and_not_seen(tmp_path: Path) -> None:
    need("qpdf")
    page = _raster(1728, 2200, Resolution.FINE)
    texts = ["Rechnung 4711 für Zoë", "請求書 Номер (полиса) \\ \U0001f600 " + "word " * 3000, ""]
    plain, searchable = tmp_path / "plain.pdf", tmp_path / "words.pdf"
    write_pdf(plain, [page] * 3)
    write_pdf(searchable, [page] * 3, texts=texts)
    assert b"No syntax or stream encoding errors" in run("qpdf", "--check", searchable)
    found = run("pdftotext", "-enc", "UTF-8", searchable, "-").decode().split("\f")
    assert "Rechnung 4711 für Zoë" in found[0]
    assert "請求書" in found[1]
    assert "Номер (полиса)" in found[1]
    assert found[1].count("word") == 3000
    for tool in (
        ["pdftoppm", "-gray", "-r", "50"],
        ["gs", "-q", "-dBATCH", "-dNOPAUSE", "-sDEVICE=pgmraw", "-r50"],
    ):
        seen = []
        for path in (plain, searchable):
            out = f"-sOutputFile={path}-%d.pgm" if tool[0] == "gs" else f"{path}-"
            run(*tool, *([out, path] if tool[0] == "gs" else [path, out]))
            seen.append([each.read_bytes() for each in sorted(tmp_path.glob(f"{path.name}-*.pgm"))])
            for each in tmp_path.glob("*.pgm"):
                each.unlink()
        assert seen[0] == seen[1]
        assert len(seen[0]) == 3


def test_the_pdf_is_sound_and_as_small_as_its_pages(tmp_path: Path) -> None:
    need("qpdf")
    page = encode(_raster(1728, 2200, Resolution.FINE), Coding.MMR)
    path = tmp_path / "fax.pdf"
    write_pdf(path, (page for _ in range(40)))
    assert b"No syntax or stream encoding errors" in run("qpdf", "--check", path)
    assert path.stat().st_size < 40 * (len(page.data) + 700) + 1000
    assert sorted(p.name for p in tmp_path.iterdir()) == ["fax.pdf"]


def test_a_pdf_goes_out_again_as_it_came(rendered: Rendered, tmp_path: Path) -> None:
    raster = _raster(1728, 2200, Resolution.FINE)
    write_pdf(tmp_path / "fax.pdf", [raster])
    again = picture(rendered((tmp_path / "fax.pdf").read_bytes()).coded_page(0))
    assert again.width == 1728
    assert again.height == pytest.approx(2200, abs=1)
    assert likeness(again.resize((1728, 2200)), picture(raster), block=8) > 0.99


def test_a_pdf_of_nothing_or_of_damage_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="without pages"):
        write_pdf(tmp_path / "fax.pdf", [])
    with pytest.raises(PageError):
        write_pdf(tmp_path / "fax.pdf", [CodedPage(Coding.MH, Resolution.FINE, 1728, 9, b"\x55" * 99)])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("resolution", [Resolution.STANDARD, Resolution.FINE, Resolution.SUPERFINE])
def test_a_thumbnail_has_the_pages_true_proportions(resolution: Resolution) -> None:
    raster = _raster(1728, round(297 * resolution.y_dpi / 25.4), resolution)
    image = Image.open(io.BytesIO(thumbnail(raster)))
    assert image.format == "PNG"
    assert max(image.size) == 320
    assert image.width / image.height == pytest.approx(215 / 297, rel=0.01)
    assert likeness(image, picture(raster).resize(image.size, Image.Resampling.BOX), block=8) > 0.98
