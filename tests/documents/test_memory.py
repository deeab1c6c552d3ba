"""Two workers stay within a small machine's memory; too little memory is reported."""

from __future__ import annotations

import base64
import logging
import threading
import zlib
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import pillow_heif
import pytest
from PIL import Image

from appliance.causes import Cause
from appliance.documents.causes import DOCUMENT_MEMORY, DOCUMENT_TOO_LARGE
from appliance.documents.errors import DocumentError
from appliance.documents.options import Limits, Source
from appliance.documents.render import render
from tests.documents.conftest import Rendered
from tests.documents.making import A4, need, pdf, photograph, save, words
from tests.documents.phone_heic import tiled

MOST_KB = 400 << 10
SOURCES = 12  # so many that there are two workers, and that what each source keeps adds up
SAMPLE_SECONDS = 0.03


def _coloured() -> bytes:
    return pdf([(*A4, "0.3 0.5 0.8 rg 50 50 400 700 re f 1 g BT /F 12 Tf 60 710 Td (white on blue) Tj ET")])


def _wide_grey(width: int = 5000, rows: int = 6000) -> bytes:
    return save(Image.new("I;16", (width, rows), 3000), "TIFF", compression="tiff_deflate")


def _in_one_strip(width: int, rows: int) -> bytes:
    picture = Image.new("I;16", (width, rows), 3000)
    return save(picture, "TIFF", compression="tiff_deflate", strip_size=2 * width * rows)


def _png(mode: str, side: int) -> bytes:
    return save(Image.new(mode, (side, side), 1), "PNG")


def _phone_heic() -> bytes:
    pillow_heif.register_heif_opener()
    return save(Image.new("RGB", (8064, 6048), "grey"), "HEIF", quality=30)  # 48 megapixels


def _huge_heic() -> bytes:
    pillow_heif.register_heif_opener()
    return save(Image.new("RGB", (12_000, 9_000), "grey"), "HEIF", quality=30)


def _noise(width: int, rows: int) -> Image.Image:
    piece, picture = Image.effect_noise((512, 512), 60), Image.new("RGB", (width, rows))
    for place in range((width // 512 + 1) * (rows // 512 + 1)):
        picture.paste(piece, (place % (width // 512 + 1) * 512, place // (width // 512 + 1) * 512))
    return picture


def _phone_jpeg() -> bytes:
    return save(_noise(16_320, 12_240), "JPEG")  # 200 megapixels, 100 MB


def _progressive() -> bytes:
    return save(_noise(12_000, 9_000), "JPEG", progressive=True, subsampling=0)


def _webp() -> bytes:
    return save(Image.new("RGB", (16_383, 7_300), "grey"), "WEBP", method=0)


def _zeros(octets: int) -> bytes:
    packer, piece = zlib.compressobj(1), bytes(1 << 20)
    return b"".join([packer.compress(piece) for _ in range(octets >> 20)]) + packer.flush()


def _picture_pdf(about: str, data: bytes, further: bytes = b"") -> bytes:
    head = f"10 0 obj\n<</Type/XObject/Subtype/Image{about}/Length {len(data)}>>stream\n".encode()
    content = pdf(
        [(*A4, "q 500 0 0 500 20 20 cm /X Do Q")], extra=head + data + b"\nendstream\nendobj\n" + further
    )
    return content.replace(b"/Resources<<", b"/Resources<</XObject<</X 10 0 R>>", 1)


def _masked_picture() -> bytes:
    side = "/Width 9000/Height 9000/BitsPerComponent 8/Filter/FlateDecode"
    mask = _zeros(9000 * 9000)
    further = (
        f"11 0 obj\n<</Type/XObject/Subtype/Image{side}/ColorSpace/DeviceGray/Length {len(mask)}>>stream\n"
    ).encode()
    further += mask + b"\nendstream\nendobj\n"
    return _picture_pdf(f"{side}/ColorSpace/DeviceRGB/SMask 11 0 R", _zeros(3 * 9000 * 9000), further)


def _jpeg_2000(side: int = 8000) -> bytes:
    data = save(Image.new("RGB", (side, side), "grey"), "JPEG2000")
    about = f"/Width {side}/Height {side}/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter/JPXDecode"
    return _picture_pdf(about, data)


def _nested_groups(groups: int = 30) -> bytes:
    """Transparent groups within each other, each over the whole page."""
    objects = b""
    state = "/ExtGState<</E<</ca 0.5/BM/Multiply>>>>"
    for number in range(groups):
        inner = f"/E gs /G{number + 1} Do" if number < groups - 1 else "/E gs 0.5 g 0 0 600 800 re f"
        head = (
            f"{20 + number} 0 obj\n<</Type/XObject/Subtype/Form/BBox[0 0 600 850]"
            f"/Group<</S/Transparency/I true/K true>>"
            f"/Resources<</XObject<</G{number + 1} {21 + number} 0 R>>{state}>>/Length {len(inner)}>>stream\n"
        )
        objects += f"{head}{inner}\nendstream\nendobj\n".encode()
    content = pdf([(*A4, "/E gs 0.3 0.5 0.7 rg 0 0 600 800 re f /G0 Do")], extra=objects)
    return content.replace(b"/Resources<<", f"/Resources<<{state}/XObject<</G0 20 0 R>>".encode(), 1)


def _many_objects() -> bytes:
    return pdf([(*A4, "0.5 g " + "1 1 9 9 re f " * 1_500_000)])


def _arrays(count: int = 60) -> bytes:
    need("gs")
    return b"%%!PS\n/a %d array def 0 1 %d { a exch 500000 array put } for showpage\n" % (count, count - 1)


def _pictures_in_html() -> bytes:
    tags = (
        f'<img src="data:image/png;base64,{base64.b64encode(_png(mode, 6000)).decode()}">'
        for mode in ("RGB", "RGBA", "P", "L")
    )
    return f"<html><body>{''.join(tags)}<p>text".encode()


MADE: Cause | None = None

# What each comes to: pages (None), or the cause that is told.
HOSTILE: dict[str, tuple[Callable[[], bytes], Cause | None]] = {
    "pages with colours": (_coloured, MADE),
    "wide grey of 30 megapixels": (_wide_grey, MADE),
    "wide grey of 119 megapixels": (lambda: _wide_grey(12_000, 9_900), MADE),
    "wide grey in one strip": (lambda: _in_one_strip(12_000, 9_900), DOCUMENT_MEMORY),
    "numbers with a point": (
        lambda: save(Image.new("F", (10_900, 10_900), 0.5), "TIFF", compression="tiff_deflate"),
        MADE,
    ),
    "black and white of 119 megapixels": (lambda: _png("1", 10_900), MADE),
    "palette of 119 megapixels": (lambda: _png("P", 10_900), MADE),
    "transparent of 119 megapixels": (lambda: _png("RGBA", 10_900), MADE),
    "photograph of 48 megapixels, HEIC": (_phone_heic, MADE),
    "photograph of 108 megapixels, HEIC": (_huge_heic, DOCUMENT_MEMORY),
    "photograph of 200 megapixels, JPEG": (_phone_jpeg, MADE),
    "progressive JPEG of 108 megapixels": (_progressive, DOCUMENT_MEMORY),
    "JPEG of 400 megapixels": (
        lambda: save(Image.new("CMYK", (20_000, 20_000)), "JPEG"),
        DOCUMENT_TOO_LARGE,
    ),
    "WebP of 120 megapixels": (_webp, DOCUMENT_MEMORY),
    "picture with a soft mask": (_masked_picture, MADE),
    "JPEG 2000": (_jpeg_2000, DOCUMENT_MEMORY),
    "groups within groups": (_nested_groups, DOCUMENT_MEMORY),
    "a million and a half objects": (_many_objects, DOCUMENT_MEMORY),
    "arrays of PostScript": (_arrays, DOCUMENT_MEMORY),
    "pictures in HTML": (_pictures_in_html, MADE),
}


@pytest.mark.full
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", HOSTILE)
def test_two_workers_stay_under_400_mb_together(name: str, tmp_path: Path) -> None:
    make, cause = HOSTILE[name]
    path = tmp_path / "source"
    path.write_bytes(make())
    most, ended = [0], threading.Event()

    def watch() -> None:
        while True:
            most[0] = max(most[0], sum(map(_pss_kb, _workers())))
            if ended.wait(SAMPLE_SECONDS):
                return

    watcher = threading.Thread(target=watch)
    watcher.start()
    told = None
    try:
        assert render([Source(path)] * SOURCES, tmp_path / "fax", workers=2).total == SOURCES
    except DocumentError as error:
        told = error.cause
    finally:
        ended.set()
        watcher.join()
    print(f"{name}: {most[0] >> 10} MB")
    assert told is cause
    assert 0 < most[0] < MOST_KB


def _workers() -> Iterator[int]:
    """This process's fork server and all that it and they have started."""
    for child in _children("self"):
        if b"appliance.documents.workers.fork_server" in _octets(f"/proc/{child}/cmdline"):
            yield from _with_children(child)


def _with_children(process: int) -> Iterator[int]:
    yield process
    for child in _children(str(process)):
        yield from _with_children(child)


def _children(process: str) -> list[int]:
    found: list[int] = []
    try:
        for task in Path(f"/proc/{process}/task").iterdir():
            found += map(int, _octets(str(task / "children")).split())
    except OSError:  # the process is gone
        return []
    return found


def _pss_kb(process: int) -> int:
    for line in _octets(f"/proc/{process}/smaps_rollup").splitlines():
        if line.startswith(b"Pss:"):
            return int(line.split()[1])
    return 0


def _octets(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:  # the process is gone
        return b""


# -- the words, with less memory, so that it takes less time ----------------------------------------

LITTLE = Limits(memory_octets=48 << 20)
NEEDY: dict[str, Callable[[], bytes]] = {
    "a picture that is decoded as a whole": lambda: _png("RGB", 4000),
    "a strip that is": lambda: _in_one_strip(4000, 4000),
    "a decoder that aborts the process": lambda: _jpeg_2000(3000),
    "groups that a library leaves out without a word": lambda: _nested_groups(12),
    "arrays of PostScript": lambda: _arrays(20),
    "a WebP that is opened with its canvas": lambda: save(
        Image.new("RGB", (6000, 6000), "grey"), "WEBP", method=0
    ),
}


@pytest.mark.parametrize("name", NEEDY)
def test_what_needs_more_memory_than_there_is_is_told_so(name: str, rendered: Rendered) -> None:
    with pytest.raises(DocumentError) as refusal:
        rendered(NEEDY[name](), limits=LITTLE)
    assert refusal.value.cause is DOCUMENT_MEMORY


def test_a_document_that_needs_more_than_its_share_is_made_alone(
    rendered: Rendered, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    large = photograph(500, 500).convert("RGB").resize((5000, 5000))
    made = rendered(save(large, "PNG"), limits=Limits(share_octets=32 << 20))
    assert made.total == 1
    assert "tried again, alone" in caplog.text


def test_a_page_that_is_laid_out_beyond_the_share_is_laid_out_alone_and_not_simplified(
    rendered: Rendered,
) -> None:
    page = "<table>" + "<tr><td>one<td>two<td>three" * 250
    made = rendered(page.encode(), name="x.html", limits=Limits(share_octets=24 << 20))
    assert not made.remarks


def test_pictures_of_one_fax_are_not_kept_in_memory(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(save(_noise(2000, 2000), "JPEG", quality=98) + bytes(12 << 20))
    limits = Limits(memory_octets=64 << 20)
    assert render([Source(tmp_path / "source")] * 8, tmp_path / "fax", limits=limits).total == 8
    (tmp_path / "long").write_bytes(pdf([(*A4, words(*A4))], extra=b"%" * (12 << 20)))
    assert render([Source(tmp_path / "long")] * 8, tmp_path / "second", limits=limits).total == 8


def test_an_e_mail_needs_less_than_four_times_its_octets(tmp_path: Path) -> None:
    message = EmailMessage()
    message.set_content("Three photographs.")
    for number in range(3):
        photo = save(_noise(1000, 1000), "JPEG") + bytes(6 << 20)
        message.add_attachment(photo, "image", "jpeg", filename=f"{number}.jpg")
    (tmp_path / "letter.eml").write_bytes(message.as_bytes())  # 24 MB
    limits = Limits(memory_octets=96 << 20)
    assert render([Source(tmp_path / "letter.eml")], tmp_path / "fax", limits=limits).total == 4


def _scan() -> Image.Image:
    return photograph(1654, 2339).convert("RGB")


def _scanned_pdf() -> bytes:
    return save(_scan(), "PDF", resolution=200)


def _heic() -> bytes:
    pillow_heif.register_heif_opener()
    return save(_scan(), "HEIF", quality=30)


MANY = {
    "scanned.pdf": _scanned_pdf,
    "scan.jpg": lambda: save(_scan(), "JPEG"),
    "scan.png": lambda: save(_scan(), "PNG", compress_level=1),
    "scan.tif": lambda: save(_scan(), "TIFF", compression="tiff_lzw"),
    "scan.gif": lambda: save(_scan(), "GIF"),
    "scan.bmp": lambda: save(_scan(), "BMP"),
    "scan.avif": lambda: save(_scan(), "AVIF", speed=10),
    "scan.webp": lambda: save(_scan(), "WEBP", method=0),
    "scan.heic": _heic,
}


@pytest.mark.parametrize("name", MANY)
def test_a_fax_of_many_files_needs_no_more_memory_than_its_largest_page(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    (tmp_path / name).write_bytes(MANY[name]())
    made = render([Source(tmp_path / name)] * 20, tmp_path / "fax", workers=1)
    assert made.total == 20
    assert "tried again" not in caplog.text


def test_a_phone_s_photograph_that_one_of_two_workers_cannot_hold_is_made_and_not_called_damaged(
    tmp_path: Path,
) -> None:
    path = tmp_path / "photo.heic"
    path.write_bytes(tiled(5712, 4284))
    assert render([Source(path)] * 2, tmp_path / "fax", workers=2).total == 2
