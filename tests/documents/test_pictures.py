"""Pictures of machines and cameras: complete, upright, in their size, or refused with the format's name."""

from __future__ import annotations

import io
import struct
import zlib

import pillow_heif
import pytest
from PIL import Image, ImageDraw, ImageStat, TiffImagePlugin

from appliance.documents.causes import DOCUMENT_DAMAGED, DOCUMENT_UNSUPPORTED
from appliance.documents.errors import DocumentError
from appliance.documents.typeface import MONOSPACED, font
from appliance.remarks import MOVEMENT_LEFT_OUT, PAGE_WHITE, SUBFILE_SKIPPED
from appliance.t4.bits import reverse_bits
from appliance.t4.page import CodedPage
from tests.documents.conftest import Rendered
from tests.documents.making import ink, likeness, photograph, picture, save

PHOTOMETRIC, SUBFILE, ORIENTATION, STRIP_OCTETS, UNIT, BITS, SUB_IFDS = 262, 254, 274, 279, 296, 258, 330
FILL_ORDER, SAMPLE_FORMAT = 266, 339
FINE_A4 = (1728, 2200)


def _fax(size: tuple[int, int] = FINE_A4) -> Image.Image:
    page = Image.new("1", size, 1)
    draw = ImageDraw.Draw(page)
    for y in range(60, size[1] - 60, 50):
        draw.text((100, y), f"row {y}: the quick brown fox jumps over the lazy dog", 0, font(MONOSPACED, 30))
    return page


def _tiff(page: Image.Image, compression: str | None = "group4", **more: object) -> bytes:
    info = TiffImagePlugin.ImageFileDirectory_v2()
    extra = more.pop("tags", {})
    assert isinstance(extra, dict)
    for tag, value in extra.items():
        info[tag] = value
    return save(page, "TIFF", compression=compression, tiffinfo=info, strip_size=1 << 30, **more)


def _patched(content: bytes, tag: int, value: int) -> bytes:
    """The little-endian TIFF with the value (or the offset) of ``tag`` in its first directory changed."""
    patched = bytearray(content)
    (directory,) = struct.unpack_from("<I", patched, 4)
    (count,) = struct.unpack_from("<H", patched, directory)
    for entry in range(directory + 2, directory + 2 + 12 * count, 12):
        if struct.unpack_from("<H", patched, entry)[0] == tag:
            kind = struct.unpack_from("<H", patched, entry + 2)[0]
            struct.pack_into("<H" if kind == 3 else "<I", patched, entry + 8, value)
            return bytes(patched)
    raise AssertionError(f"no tag {tag}")


def _same(page: CodedPage, expected: Image.Image) -> bool:
    return picture(page).convert("1").tobytes() == expected.tobytes()


# -- fax pages in TIFF -----------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("compression", ["group4", None])
def test_a_tiff_of_any_orientation_is_upright_and_not_squeezed(
    rendered: Rendered, orientation: int, compression: str | None
) -> None:
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    label = Image.new("1", (800, 300), 1)
    ImageDraw.Draw(label).rectangle((4, 4, 795, 295), outline=0, width=6)
    label.paste(0, (20, 20, 200, 120))
    stored = label.transpose(undo[orientation]) if orientation in undo else label
    content = _tiff(stored, compression, tags={ORIENTATION: orientation}, dpi=(200, 200))
    page = picture(rendered(content).coded_page(0))
    left, top, right, bottom = ink(page)
    assert (right - left) / (1728 / 215) == pytest.approx(792 / 200 * 25.4, rel=0.02)
    assert (bottom - top) / 7.7 == pytest.approx(292 / 200 * 25.4, rel=0.02)
    seen = page.crop((left, top, right, bottom)).resize((792, 292))
    assert likeness(seen, label.crop((4, 4, 796, 296)).convert("L")) > 0.95


@pytest.mark.parametrize("compression", ["group3", "group4"])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_fax_page_whose_data_end_early_is_damaged_not_filled_with_black(
    rendered: Rendered, compression: str, share: float
) -> None:
    content = _tiff(_fax(), compression, dpi=(204, 196))
    with Image.open(io.BytesIO(content)) as image:
        (octets,) = image.tag_v2[STRIP_OCTETS]  # type: ignore[attr-defined]
    cut = _patched(content, STRIP_OCTETS, int(octets * share))
    with pytest.raises(DocumentError) as refusal:
        rendered(cut)
    assert refusal.value.cause is DOCUMENT_DAMAGED
    assert "rows" in refusal.value.detail


def test_a_fax_page_that_claims_more_rows_than_it_has_is_damaged(rendered: Rendered) -> None:
    content = _tiff(_fax((1728, 2200)), dpi=(204, 196))
    more = _patched(_patched(content, 257, 2400), 278, 2400)
    with pytest.raises(DocumentError) as refusal:
        rendered(more)
    assert refusal.value.cause is DOCUMENT_DAMAGED


def test_a_damaged_row_in_a_fax_page_does_not_cost_the_page(rendered: Rendered) -> None:
    content = bytearray(_tiff(_fax(), "group3", dpi=(204, 196)))
    middle = len(content) // 2
    content[middle : middle + 2] = b"\xff\x0f"
    page = picture(rendered(bytes(content)).coded_page(0))
    assert likeness(page, _fax().convert("L")) > 0.95


def test_previews_between_the_pages_are_left_out_and_that_is_said(rendered: Rendered) -> None:
    info = [TiffImagePlugin.ImageFileDirectory_v2() for _ in range(4)]
    for number, directory in enumerate(info):
        directory[SUBFILE] = number % 2  # bit 0: a reduced picture of another page
    pages = [_fax(), _fax((216, 275)), _fax((1728, 2000)), _fax((216, 250))]
    out = io.BytesIO()
    with TiffImagePlugin.AppendingTiffWriter(out) as writer:
        for page, directory in zip(pages, info, strict=True):
            page.save(writer, "TIFF", compression="group4", tiffinfo=directory, dpi=(204, 196))
            writer.newFrame()
    document = rendered(out.getvalue())
    assert [page.rows for page in document.pages] == [2200, 2000]
    assert [(remark.kind, remark.detail) for remark in document.remarks] == [(SUBFILE_SKIPPED, "2 of 4")]


@pytest.mark.parametrize("dpi", [None, (72, 72), (96, 96), (1, 1)])
@pytest.mark.parametrize("width", [1728, 2048, 2432])
def test_a_page_of_fax_lines_without_a_resolution_goes_on_unscaled(
    rendered: Rendered, width: int, dpi: tuple[int, int] | None
) -> None:
    page = _fax((width, width * 1273 // 1000))
    assert _same(rendered(_tiff(page, **({"dpi": dpi} if dpi else {}))).coded_page(0), page)


def test_half_as_many_rows_without_a_resolution_are_a_standard_page_and_upright(rendered: Rendered) -> None:
    coded = rendered(_tiff(_fax((1728, 1100)))).coded_page(0)
    assert (coded.width, coded.rows) == (1728, 2200)


def test_a_fax_tiff_without_a_valid_resolution_is_sent_on_unchanged(rendered: Rendered) -> None:
    page = _fax()
    content = _tiff(page, dpi=(204, 196), tags={UNIT: 1})
    assert _same(rendered(_patched(content, UNIT, 1)).coded_page(0), page)
    with Image.open(io.BytesIO(content)) as image:
        at = content.find(struct.pack("<II", int(image.tag_v2[282]), 1))  # type: ignore[attr-defined]
    zero = content[:at] + struct.pack("<II", 0, 0) + content[at + 8 :]
    assert _same(rendered(zero).coded_page(0), page)


def test_a_big_tiff_is_a_tiff(rendered: Rendered) -> None:
    page = _fax()
    content = save(page, "TIFF", dpi=(204, 196), big_tiff=True)
    assert content.startswith(b"II+\0")
    assert _same(rendered(content).coded_page(0), page)


def test_a_bilevel_tiff_that_does_not_say_which_bit_is_black_is_mostly_paper(rendered: Rendered) -> None:
    page = _fax()
    content = bytearray(_tiff(page, None, dpi=(204, 196)))
    (directory,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, directory)
    for entry in range(directory + 2, directory + 2 + 12 * count, 12):
        if struct.unpack_from("<H", content, entry)[0] == PHOTOMETRIC:
            struct.pack_into("<H", content, entry, 261)  # no tag that anybody knows
    assert _same(rendered(bytes(content)).coded_page(0), page)


# -- wide and odd pictures ------------------------------------------------------------------------


@pytest.mark.parametrize("top", [1023, 4095, 16383, 65535])
@pytest.mark.parametrize("kind", ["TIFF", "PNG"])
def test_grey_of_ten_to_sixteen_bits_is_legible(rendered: Rendered, kind: str, top: int) -> None:
    page = Image.new("L", (800, 300), 255)
    ImageDraw.Draw(page).text((40, 100), "twelve in sixteen", 0, font(MONOSPACED, 60))
    wide = page.convert("I").point(lambda value: value * (top / 255.0) + 0).convert("I;16")
    seen = picture(rendered(save(wide, kind, dpi=(200, 200))).coded_page(0))
    share = 1 - ImageStat.Stat(seen).mean[0] / 255
    assert 0.005 < share < 0.1


def test_grey_of_32_bits_without_a_sign_is_legible(rendered: Rendered) -> None:
    page = Image.new("L", (800, 300), 255)
    ImageDraw.Draw(page).text((40, 100), "thirty-two bits", 0, font(MONOSPACED, 60))
    wide = Image.new("I", page.size)
    wide.putdata([level * 0x01010101 - (level >> 7 << 32) for level in page.tobytes()])
    signed = save(wide, "TIFF", dpi=(200, 200))
    seen = picture(rendered(_patched(signed, SAMPLE_FORMAT, 1)).coded_page(0))
    assert 0.005 < 1 - ImageStat.Stat(seen).mean[0] / 255 < 0.1


def test_lab_is_shown_by_its_lightness(rendered: Rendered) -> None:
    grey = photograph(600, 400)
    lab = Image.merge("LAB", (grey, Image.new("L", grey.size, 128), Image.new("L", grey.size, 128)))
    page = picture(rendered(save(lab, "TIFF", dpi=(100, 100))).coded_page(0))
    box = (page.width - 1219, 0, page.width, 783)
    assert 0.1 < 1 - ImageStat.Stat(page.crop(box)).mean[0] / 255 < 0.9


def test_a_jpeg_without_its_last_marker_is_whole_and_a_cut_one_is_damaged(rendered: Rendered) -> None:
    for options in ({}, {"progressive": True}, {"quality": 30}):
        whole = save(photograph(900, 700).convert("RGB"), "JPEG", dpi=(150, 150), **options)
        assert whole.endswith(b"\xff\xd9")
        expected = rendered(whole).coded_page(0).data
        assert rendered(whole[:-2]).coded_page(0).data == expected
        for cut in (0.9, 0.6):
            with pytest.raises(DocumentError) as refusal:
                rendered(whole[: int(len(whole) * cut)])
            assert refusal.value.cause is DOCUMENT_DAMAGED


@pytest.mark.parametrize("kind", ["WEBP", "HEIF", "AVIF", "GIF", "BMP"])
def test_photographs_of_all_kinds_are_faxed(rendered: Rendered, kind: str) -> None:
    import pillow_heif

    pillow_heif.register_heif_opener()
    photo = photograph(800, 600).convert("RGB")
    page = picture(rendered(save(photo, kind)).coded_page(0))
    png = picture(rendered(save(photo, "PNG")).coded_page(0))
    assert page.size == png.size
    assert likeness(page, png) > 0.9


@pytest.mark.parametrize("kind", ["WEBP", "HEIF", "AVIF", "GIF", "BMP"])
def test_a_cut_photograph_is_damaged(rendered: Rendered, kind: str) -> None:
    import pillow_heif

    pillow_heif.register_heif_opener()
    content = save(photograph(800, 600).convert("RGB"), kind)
    with pytest.raises(DocumentError) as refusal:
        rendered(content[: len(content) // 2])
    assert refusal.value.cause is DOCUMENT_DAMAGED


@pytest.mark.parametrize("at", ["before", "behind", "nowhere"])
def test_a_png_with_damaged_pixels_is_damaged_wherever_its_exif_data_stand(
    rendered: Rendered, at: str
) -> None:
    photo = save(photograph(300, 200), "PNG")
    begin = photo.index(b"IDAT") - 4
    length = int.from_bytes(photo[begin : begin + 4], "big")
    pixels = bytearray(photo[begin + 8 : begin + 8 + length])
    pixels[length // 2 : length // 2 + 30] = bytes(30)
    camera = Image.Exif()
    camera[0x0112] = 6
    exif = _chunk(b"eXIf", camera.tobytes()[6:])
    data = _chunk(b"IDAT", bytes(pixels))
    parts = {"before": exif + data, "behind": data + exif, "nowhere": data}
    made = photo[:begin] + parts[at] + photo[-12:]
    with pytest.raises(DocumentError) as refusal:
        rendered(made)
    assert refusal.value.cause is DOCUMENT_DAMAGED


def _chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


def test_a_drawing_of_few_colours_on_nothing_is_on_white(rendered: Rendered) -> None:
    drawn = Image.new("P", (300, 200), 1)
    drawn.putpalette([0, 0, 0, 0, 0, 0])
    drawn.paste(0, (0, 0, 30, 200))
    page = picture(rendered(save(drawn, "GIF", transparency=1)).coded_page(0))
    left, _, right, _ = ink(page)
    assert right - left < page.width / 5


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_every_depth_of_a_bmp_is_faxed(rendered: Rendered, mode: str) -> None:
    drawn = Image.new("L", (300, 200), 255)
    drawn.paste(0, (0, 0, 100, 60))
    page = picture(rendered(save(drawn.convert(mode), "BMP")).coded_page(0))
    _, _, right, below = ink(page)
    assert right < page.width / 2
    assert below < page.height / 2


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("kind", ["WEBP", "PNG", "JPEG", "AVIF"])
def test_a_picture_is_turned_upright_by_its_exif_orientation(
    rendered: Rendered, kind: str, orientation: int
) -> None:
    upright = Image.new("RGB", (300, 400), "white")
    upright.paste("black", (0, 0, 100, 60))
    undo = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    stored = upright.transpose(undo[orientation]) if orientation in undo else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    page = picture(rendered(save(stored, kind, exif=exif)).coded_page(0))
    left, top, right, bottom = ink(page)
    assert right < page.width / 2
    assert bottom < page.height / 2
    assert (right - left) / (1728 / 215) > (bottom - top) / 7.7


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF", "GIF"])
def test_of_a_picture_that_moves_it_is_said_that_it_does(rendered: Rendered, kind: str) -> None:
    frames = [Image.new("L", (300, 200), grey) for grey in (0, 255)]
    document = rendered(save(frames[0], kind, save_all=True, append_images=frames[1:]))
    assert document.total == 1
    assert [(remark.kind, remark.page) for remark in document.remarks] == [(MOVEMENT_LEFT_OUT, 1)]
    assert rendered(save(frames[0], kind)).remarks == ()


def test_every_photograph_of_a_series_in_one_file_is_a_page(rendered: Rendered) -> None:
    pillow_heif.register_heif_opener()
    frames = [Image.new("RGB", (300, 200), colour) for colour in ("white", "black", "white")]
    document = rendered(save(frames[0], "HEIF", save_all=True, append_images=frames[1:]))
    assert document.total == 3
    black = [sum(picture(document.coded_page(page)).histogram()[:128]) > 1000 for page in range(3)]
    assert black == [False, True, False]


def _page(number: int) -> Image.Image:
    page = Image.new("L", (600, 400), 255)
    page.paste(0, (10, 10, 40 * number, 200))
    return page


@pytest.mark.parametrize("coding", ["tiff_lzw", "tiff_adobe_deflate", "packbits", "group4"])
def test_a_tiff_whose_second_page_is_damaged_is_refused(rendered: Rendered, coding: str) -> None:
    mode = "1" if coding == "group4" else "L"
    pages = [_page(number).convert(mode) for number in (1, 2, 3)]
    whole = save(pages[0], "TIFF", compression=coding, save_all=True, append_images=pages[1:], dpi=(200, 200))
    assert len(rendered(whole).pages) == 3
    with Image.open(io.BytesIO(whole)) as opened:
        opened.seek(1)
        start, octets = opened.tag_v2[273][0], opened.tag_v2[279][0]  # type: ignore[attr-defined]
    half = octets // 2
    damaged = whole[: start + half] + b"\xff" * (octets - half) + whole[start + octets :]
    with pytest.raises(DocumentError) as refused:
        rendered(damaged)
    assert refused.value.cause is DOCUMENT_DAMAGED


def test_deflate_in_the_other_order_of_bits_is_not_called_damaged(rendered: Rendered) -> None:
    whole = _tiff(_fax((600, 400)), "tiff_adobe_deflate", tags={FILL_ORDER: 1}, dpi=(200, 200))
    with Image.open(io.BytesIO(whole)) as opened:
        start, octets = opened.tag_v2[273][0], opened.tag_v2[279][0]  # type: ignore[attr-defined]
    turned = whole[:start] + reverse_bits(whole[start : start + octets]) + whole[start + octets :]
    expected = rendered(whole).coded_page(0).data
    assert rendered(_patched(turned, FILL_ORDER, 2)).coded_page(0).data == expected


def test_a_png_of_which_an_octet_changed_is_damaged(rendered: Rendered) -> None:
    whole = save(_page(3), "PNG")
    assert rendered(whole + b"what a camera adds").remarks == ()
    middle = whole.index(b"IDAT") + 20
    with pytest.raises(DocumentError) as refused:
        rendered(whole[:middle] + bytes([whole[middle] ^ 0xFF]) + whole[middle + 1 :])
    assert refused.value.cause is DOCUMENT_DAMAGED


@pytest.mark.parametrize(("ink", "white"), [(255, True), (0, False)])
def test_white_that_lies_on_nothing_is_no_white_page_in_silence(
    rendered: Rendered, ink: int, white: bool
) -> None:
    layered = Image.new("RGBA", (600, 400), (ink, ink, ink, 0))
    layered.paste((ink, ink, ink, 255), (50, 50, 200, 200))
    document = rendered(save(layered, "PNG"))
    assert [(remark.kind, remark.page) for remark in document.remarks] == [(PAGE_WHITE, 1)] * white


def test_a_picture_of_which_all_is_transparent_is_no_white_page_in_silence(rendered: Rendered) -> None:
    page = _page(3).convert("RGB")
    for under, said in ((page, [(PAGE_WHITE, 1)]), (Image.new("RGB", page.size, "white"), [])):
        under.putalpha(0)
        document = rendered(save(under, "PNG"))
        assert [(remark.kind, remark.page) for remark in document.remarks] == said


def test_a_photograph_with_others_behind_it_is_upright_and_they_are_remarked(rendered: Rendered) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = photograph(600, 300).convert("RGB")
    behind = save(photo, "MPO", save_all=True, append_images=[photo], exif=exif)
    document = rendered(behind)
    size = document.pages[0].size
    assert size.height > size.width * 1.5
    assert document.remarks == ()  # of the same
    second = behind.index(b"MPF\0") + 4 + 50 + 16  # the second entry of the list, as Pillow writes it
    panorama = behind[:second] + b"\x01\x00\x02\x00" + behind[second + 4 :]
    assert [remark.kind for remark in rendered(panorama).remarks] == [SUBFILE_SKIPPED]


@pytest.mark.parametrize(("bits", "samples"), [(14, "samples of 14 bits"), (64, "samples of 64 bits")])
def test_a_tiff_whose_samples_are_of_another_size_is_not_called_damaged(
    rendered: Rendered, bits: int, samples: str
) -> None:
    wide = _patched(_tiff(photograph(400, 600), None), BITS, bits)
    with pytest.raises(DocumentError) as refused:
        rendered(wide, name="x-ray.tif")
    assert refused.value.cause is DOCUMENT_UNSUPPORTED
    assert samples in refused.value.detail


def test_a_gif_that_ends_within_its_second_picture_is_its_first(rendered: Rendered) -> None:
    first, second = (Image.new("L", (60, 40), shade) for shade in (0, 90))
    whole = save(first, "GIF", save_all=True, append_images=[second], duration=100)
    cut = whole[: whole.rindex(b",") + 10]  # within the head of the second picture
    assert [remark.kind for remark in rendered(cut).remarks] == [MOVEMENT_LEFT_OUT]


def test_a_bmp_of_a_kind_that_nothing_here_reads_is_not_called_damaged(rendered: Rendered) -> None:
    whole = save(Image.new("RGBA", (20, 20)), "BMP")
    masks = struct.pack("<4I", 0x3FF00000, 0x000FFC00, 0x000003FF, 0)
    kind = struct.pack("<HHI", 1, 32, 3)  # one plane, bits of a pixel, colours by masks
    head = whole[:10] + struct.pack("<II", 14 + 56, 56) + whole[18:26]
    odd = head + kind + whole[34:54] + masks + bytes(1600)
    with pytest.raises(DocumentError) as refused:
        rendered(odd)
    assert refused.value.cause is DOCUMENT_UNSUPPORTED
    assert "BMP bitfields" in refused.value.detail


def test_a_tiff_with_several_small_samples_is_not_called_damaged(rendered: Rendered) -> None:
    layered = save(Image.new("LA", (40, 40)), "TIFF")
    small = layered.replace(struct.pack("<HHIHH", 258, 3, 2, 8, 8), struct.pack("<HHIHH", 258, 3, 2, 4, 4))
    assert small != layered
    with pytest.raises(DocumentError) as refused:
        rendered(small)
    assert refused.value.cause is DOCUMENT_UNSUPPORTED
    assert "samples of 4 bits, 2 a pixel" in refused.value.detail


@pytest.mark.parametrize("bits", [0, 37, 255])
def test_a_tiff_with_samples_of_no_size_is_damaged(rendered: Rendered, bits: int) -> None:
    with pytest.raises(DocumentError) as refused:
        rendered(_patched(_tiff(photograph(400, 600), None), BITS, bits))
    assert refused.value.cause is DOCUMENT_DAMAGED


def test_a_raw_picture_is_no_preview_of_itself(rendered: Rendered) -> None:
    preview = _tiff(photograph(160, 120), None, tags={SUBFILE: 1, SUB_IFDS: 8})
    with pytest.raises(DocumentError) as refused:
        rendered(preview, name="DSC_0001.dng")
    assert refused.value.cause is DOCUMENT_UNSUPPORTED
    assert "raw" in refused.value.detail
    assert rendered(_tiff(photograph(160, 120), None, tags={SUB_IFDS: 8})).remarks == ()  # a pyramid's base


@pytest.mark.parametrize(
    ("mode", "transparent", "words", "white"),
    [("P", 0, 1, True), ("L", 0, 255, True), ("RGB", (0, 0, 0), (255, 255, 255), True), ("L", 255, 0, False)],
)
def test_white_words_on_a_transparent_colour_are_remarked(
    rendered: Rendered, mode: str, transparent: object, words: object, white: bool
) -> None:
    page = Image.new(mode, (600, 400), transparent)
    if mode == "P":
        page.putpalette([0, 0, 0, 255, 255, 255])
    draw = ImageDraw.Draw(page)
    draw.fontmode = "1"
    draw.text((30, 30), "white words", words, font(MONOSPACED, 40))
    found = rendered(save(page, "PNG", transparency=transparent)).remarks
    assert [remark.kind for remark in found] == [PAGE_WHITE] * white


@pytest.mark.parametrize(("number", "name"), [(9, "JBIG (T.85)"), (34712, "JPEG 2000")])
def test_a_tiff_in_a_coding_that_nobody_here_knows_is_called_by_it(
    rendered: Rendered, number: int, name: str
) -> None:
    content = save(Image.new("L", (100, 100)), "TIFF", compression="raw")
    at = content.index(struct.pack("<HHI", 259, 3, 1)) + 8
    with pytest.raises(DocumentError) as refused:
        rendered(content[:at] + struct.pack("<H", number) + content[at + 2 :])
    assert refused.value.cause is DOCUMENT_UNSUPPORTED
    assert name in refused.value.detail


def test_a_jpeg_with_more_than_eight_bits_is_called_so_and_not_damaged(rendered: Rendered) -> None:
    whole = save(_page(3), "JPEG")
    frame = whole.index(b"\xff\xc0") + 4
    with pytest.raises(DocumentError) as refused:
        rendered(whole[:frame] + b"\x0c" + whole[frame + 1 :])
    assert refused.value.cause is DOCUMENT_UNSUPPORTED
    assert "12 bits" in refused.value.detail
    with pytest.raises(DocumentError) as refused:
        rendered(whole[:3] + b"rubbish")
    assert refused.value.cause is DOCUMENT_DAMAGED
