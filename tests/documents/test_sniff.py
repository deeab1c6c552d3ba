"""File types by content; a contradicting name or type is an error."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from appliance.causes import Cause
from appliance.documents.causes import DOCUMENT_EMPTY, DOCUMENT_MISLABELLED, DOCUMENT_UNSUPPORTED
from appliance.documents.errors import DocumentError
from appliance.documents.kinds import Kind
from appliance.documents.sniff import sniff
from tests.documents.compound import Storage, compound
from tests.documents.making import A4, pdf, save

ERROR_PAGE = b"<!DOCTYPE html>\n<html><head><title>404</title></head><body>Not found</body></html>"
POSTSCRIPT = b"%!PS-Adobe-3.0\n/Helvetica findfont 20 scalefont setfont 100 100 moveto (A) show showpage\n"
EMAIL = b"Received: from a by b\r\nFrom: a@b.example\r\nTo: c@d.example\r\nSubject: x\r\n\r\nbody\r\n"


def office(entry: str = "word/document.xml") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(entry, "<xml/>")
    return out.getvalue()


@pytest.mark.parametrize("name", ["", "letter.pdf", "letter.jpg", "letter.exe", "letter.docx"])
def test_content_that_shows_what_it_is_decides_whatever_the_name_says(name: str) -> None:
    picture = Image.new("L", (8, 8))
    assert sniff(pdf([(*A4, "")]), name) is Kind.PDF
    assert sniff(b"junk before\n" + pdf([(*A4, "")]), name) is Kind.PDF
    assert sniff(save(picture, "PNG"), name) is Kind.PNG
    assert sniff(save(picture, "JPEG"), name) is Kind.JPEG
    assert sniff(save(picture, "TIFF"), name) is Kind.TIFF
    assert sniff(office(), name) is Kind.OFFICE


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("Grüße\n".encode(), Kind.TEXT),
        ("\ufeffmark".encode(), Kind.TEXT),
        ("Grüße, 12 €".encode("cp1252"), Kind.TEXT),
        ("Grüße".encode("utf-16"), Kind.TEXT),
        ("Grüße\nund mehr".encode("utf-16-be"), Kind.TEXT),
        (b"if (a < b) { <b>c</b> }", Kind.TEXT),
        (b"From: me\nTo: you\nSubject: lunch\n\nA memo, no e-mail.", Kind.TEXT),
        (b'<?xml version="1.0"?>\n<order/>', Kind.TEXT),
        (ERROR_PAGE, Kind.HTML),
        (b"\xef\xbb\xbf<!-- saved --><HTML>x", Kind.HTML),
        (b'<?xml version="1.0"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0"><html/>', Kind.HTML),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', Kind.SVG),
        (b'<?xml version="1.0"?>\n<s:svg xmlns:s="http://www.w3.org/2000/svg"/>', Kind.SVG),
        (b'<!DOCTYPE svg:svg><svg:svg xmlns:svg="http://www.w3.org/2000/svg"/>', Kind.SVG),
        (rb"{\rtf1\ansi hello}", Kind.RTF),
        (POSTSCRIPT, Kind.POSTSCRIPT),
        (b"\x04" + POSTSCRIPT, Kind.POSTSCRIPT),
        (b"\x1b%-12345X@PJL JOB\n@PJL ENTER LANGUAGE=POSTSCRIPT\n" + POSTSCRIPT, Kind.POSTSCRIPT),
        (EMAIL, Kind.EMAIL),
        (office("xl/workbook.xml"), Kind.OFFICE),
        (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600), Kind.OFFICE),
        (
            bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600) + "__properties_version1.0".encode("utf-16-le"),
            Kind.MSG,
        ),
        (bytes.fromhex("789f3e22") + b"\1\0", Kind.TNEF),
    ],
)
def test_every_kind_is_told_by_its_content_alone(content: bytes, kind: Kind) -> None:
    assert sniff(content) is kind
    assert sniff(content, "letter.txt") is kind


def test_a_page_without_its_frame_is_one_where_the_name_or_type_says_so() -> None:
    part = b"<p>Dear all,<br>see below.</p>"
    assert sniff(part) is Kind.TEXT
    assert sniff(part, "page.html") is Kind.HTML
    assert sniff(part, "", "text/html; charset=utf-8") is Kind.HTML


@pytest.mark.parametrize("content", [b"hello", ERROR_PAGE, EMAIL, POSTSCRIPT, rb"{\rtf1 x}", b"<svg/>"])
@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.pdf", ""),
        ("A.TIFF", ""),
        ("a.docx", ""),
        ("", "application/pdf"),
        ("download", "image/png"),
        ("a.xlsx", "text/plain"),
        ("", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ],
)
def test_text_where_something_else_is_promised_is_an_error_and_names_the_file(
    content: bytes, name: str, media_type: str
) -> None:
    with pytest.raises(DocumentError) as refusal:
        sniff(content, name, media_type)
    assert refusal.value.cause is DOCUMENT_MISLABELLED
    assert refusal.value.detail.startswith(name or "the type")


@pytest.mark.parametrize(
    ("content", "name", "cause"),
    [
        (b"", "a.pdf", DOCUMENT_EMPTY),
        (b" \r\n\t\f", "a.txt", DOCUMENT_EMPTY),
        (b"\0" * 5000, "a.tif", DOCUMENT_EMPTY),
        (office("holiday.jpg"), "a.zip", DOCUMENT_UNSUPPORTED),
        (office("holiday.jpg"), "a.pdf", DOCUMENT_MISLABELLED),
        (b"\x7fELF\x02\x01\x01" + bytes(50), "a.bin", DOCUMENT_UNSUPPORTED),
        (b"\x7fELF\x02\x01\x01" + bytes(50), "A.JPEG", DOCUMENT_MISLABELLED),
    ],
)
def test_content_that_cannot_be_faxed_is_refused_with_its_cause(
    content: bytes, name: str, cause: Cause
) -> None:
    with pytest.raises(DocumentError) as refusal:
        sniff(content, name)
    assert refusal.value.cause is cause


def zipped(*entries: str, stored: bytes = b"<xml/>") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for entry in entries:
            archive.writestr(entry, stored)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (save(Image.new("L", (8, 8)), "ICO"), "", "an icon: save it as PNG"),
        (b"\xff\x0a\xfa\x1f", "a.jxl", "a JPEG XL picture"),
        (gzip.compress(b"words", mtime=0), "a.pdf.gz", "a gzip archive: unpack it"),
        (zipped("a.docx", stored=office()), "", "a ZIP archive: unpack it"),
        (zipped("a.pdf", stored=pdf([(*A4, "")])), "", "a ZIP archive: unpack it"),
        (zipped("word/my letter.txt", stored=b"xl/ ppt/"), "", "a ZIP archive"),
        (bytes(128) + b"DICM\2\0", "a.dcm", "pictures of a medical device (DICOM)"),
        (
            b"%FDF-1.2\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<</FDF<<>>>>endobj",
            "a.fdf",
            "the entries of a PDF form (FDF)",
        ),
        (
            b'<?xml version="1.0"?>\n<xfdf xmlns="http://ns.adobe.com/xfdf/"><fields/></xfdf>',
            "a.xfdf",
            "the entries of a PDF form (XFDF), not the form: open it with its form",
        ),
        (
            b'<?xml version="1.0"?>\n<!DOCTYPE plist PUBLIC "x" "y">\n<plist version="1.0">\n<dict>\n'
            b"\t<key>URL</key>\n\t<string>https://a.example/</string>\n</dict></plist>",
            "a.webloc",
            "a shortcut to a web page, not the page",
        ),
        (b"\x1b@\x1bEsum\x1bF\r\n", "a.prn", "printer data (ESC/P)"),
        (b"\x1bE\x1b&l0O", "a.prn", "printer data (PCL)"),
        (b"\x1b&l1o0E", "", "printer data (PCL)"),
        (b"^XA^FO50,50^FDLabel^FS^XZ", "", "data of a label printer (ZPL)"),
        (b"IN;SP1;PA0,0;PD100,100;", "plan.plt", "data of a plotter (HP-GL)"),
        (b"#define a_width 8\n#define a_height 8\n", "", "a picture (XBM)"),
        (b'/* XPM */\nstatic char *a[] = {\n"8 8 2 1 ",\n', "", "a picture (XPM)"),
        (b"P7\nWIDTH 8\nHEIGHT 8\nDEPTH 1\n", "a.pam", "a picture (PAM)"),
        (b"DDS \x7c\0\0\0", "a.dds", "a picture (DDS)"),
        (b"\x8bJNG\r\n\x1a\n", "a.jng", "a picture (JNG)"),
        (b"\x8aMNG\r\n\x1a\n", "a.mng", "a film (MNG)"),
        (b"SDPX\0\0\x20\0V2.0", "a.dpx", "a picture of a film (DPX)"),
        (b"SIMPLE  =                    T", "a.fits", "measurements (FITS)"),
        (b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 8 +X 8\n", "a.hdr", "a picture (Radiance)"),
        (b"\x01\xda\x01\x01\0\3", "a.sgi", "a picture (SGI)"),
        (b"\x59\xa6\x6a\x95", "a.ras", "a picture (Sun raster)"),
        (b"v/1\1\2\0\0\0", "a.exr", "a picture (OpenEXR)"),
        (b"\x80\x2a\x5f\xd7\0\0\x08\0", "a.cin", "a picture of a film (Cineon)"),
        (b"\xd7\x5f\x2a\x80\0\x08\0\0", "a.cin", "a picture of a film (Cineon)"),
        (b"id=ImageMagick  version=1.0\nclass=DirectClass\n", "a.miff", "a picture (MIFF)"),
        (b"\xab\1\1\3\2\0\0\0", "a.viff", "a picture (VIFF)"),
        (b"PF\n70 46\n-1.0\n\0\0\x80\x3f", "a.pfm", "a picture (PFM)"),
        (bytes(522) + b"\0\x11\2\xff\x0c\0\xff\xfe", "a.pict", "a picture of a Macintosh (PICT)"),
        (struct.pack(">8I", 104, 7, 2, 24, 70, 46, 0, 0), "a.xwd", "a picture of a screen (XWD)"),
        (struct.pack("<BBBHHBHHHHBB", 0, 0, 2, 0, 0, 0, 0, 0, 70, 46, 24, 0x20), "a.tga", "a picture (TGA)"),
        (b"\0\0\x81\x02\x02" + bytes(34), "a.wbmp", "a picture (WBMP)"),
        (struct.pack("<BBBHHBHHHHBB", 3, 1, 9, 0, 256, 24, 0, 0, 70, 46, 8, 0), "a", "a picture (TGA)"),
        (bytes.fromhex("4c0000000114020000000000c000000000000046"), "letter", "a shortcut of Windows"),
        (b"\0\5\x16\7\0\2\0\0Mac OS X", "", "what macOS keeps beside a file"),
        (b"\0\0\0\x18ftypmp42", "a.mp4", "a film"),
        (b"\xff\xf3\x28\xc0\0\0\xaf\6", "voice.mp3", "a sound (MP3)"),
        (b"[InternetShortcut]\r\nURL=https://a.example/\r\n", "a.url", "a shortcut to a web page"),
        (
            b'{"url": "https://docs.google.com/x", "doc_id": "x"}',
            "a.gdoc",
            "a link to a document of Google's",
        ),
    ],
)
def test_what_we_know_and_cannot_fax_is_called_by_its_name_with_what_to_do(
    content: bytes, name: str, words: str
) -> None:
    with pytest.raises(DocumentError) as refusal:
        sniff(content, name)
    assert refusal.value.cause is DOCUMENT_UNSUPPORTED
    assert refusal.value.detail.startswith(words)
    with pytest.raises(DocumentError) as refusal:
        sniff(content, "letter.pdf")
    assert refusal.value.cause is DOCUMENT_MISLABELLED
    assert words in refusal.value.detail


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (EMAIL + b"%PDF-1.4 stands before 1 0 obj", "a.eml", Kind.EMAIL),
        (EMAIL + b"%PDF-1.4 stands before 1 0 obj", "", Kind.EMAIL),
        (EMAIL + bytes(2000), "", Kind.EMAIL),
        (b"\r\n" + EMAIL, "", Kind.EMAIL),
        (b"\xef\xbb\xbf" + EMAIL, "", Kind.EMAIL),
        (b"From: warehouse\nReceived: 12 boxes\n\nThanks", "", Kind.TEXT),
        (b"A file begins %PDF-1.4, then 1 0 obj", "", Kind.TEXT),
        (b"<html>%PDF-1.4 1 0 obj</html>", "", Kind.HTML),
        (b"Lines of a scanner ____" + pdf([(*A4, "")]), "a.pdf", Kind.PDF),
        (b"\r\n\0\xef" + pdf([(*A4, "")]), "", Kind.PDF),
        (b"HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\n\r\n" + pdf([(*A4, "")]), "", Kind.PDF),
        (b"\x1b%-12345X@PJL ENTER LANGUAGE=PDF\r\n" + pdf([(*A4, "")]), "", Kind.PDF),
        (b"\xef\xbb\xbf{\\rtf1 x}", "", Kind.RTF),
        (b"{\\rtf is how it begins", "", Kind.TEXT),
        (b"\xef\xbb\xbf\n" + POSTSCRIPT, "", Kind.POSTSCRIPT),
        (b"BMW invoice", "", Kind.TEXT),
        (zipped("[Content_Types].xml", "visio/document.xml"), "a.vsdx", Kind.OFFICE),
        (zipped("Index/Document.iwa", "preview.jpg"), "a.pages", Kind.IWORK),
        (zipped("Index/Document.iwa", "preview.jpg"), "", Kind.IWORK),
        (zipped("[Content_Types].xml", "FixedDocSeq.fdseq"), "a.zip", Kind.XPS),
        (zipped("FixedDocSeq.fdseq/[0].piece"), "", Kind.XPS),
        (zipped("content.xml", "styles.xml", "META-INF/manifest.xml"), "letter.sxw", Kind.OFFICE),
        (zipped("Pictures/a.png", "META-INF/manifest.xml", "content.xml", "mimetype"), "", Kind.OFFICE),
        (zipped("META-INF/container.xml", "OEBPS/a.opf"), "", Kind.EPUB),
        (b"AT&TFORM\0\0\1\0DJVUINFO", "a.doc", Kind.DJVU),
        (b"AT&TFORM\0\0\1\0DJVMDIRM", "", Kind.DJVU),
        (b"FORM 12 DJVU of the letter", "", Kind.TEXT),
        (b"999\nmade by hand\n  0\nSECTION\n  2\nENTITIES\n", "a.dxf", Kind.OFFICE),
        (b"0\nSECTION\nof the law", "", Kind.TEXT),
        (b"<?xml version='1.0'?>\n<xfdfs/>", "", Kind.TEXT),
        (b"P4 210 297 is paper", "", Kind.TEXT),
        (b"{\\rtf1 x}", "a.doc", Kind.RTF),
        (b"<table><tr><td>1</td></tr><tr><td>2</td></tr></table>", "a.xls", Kind.HTML),
        (b"<html xmlns:x='urn:schemas-microsoft-com:office:excel'><p>1", "a.xls", Kind.HTML),
        (b"Date: x\nMIME-Version: 1.0\nContent-Type: multipart/related; boundary=x\n\n", "a.doc", Kind.EMAIL),
        (b"<table><tr><td>1</td></tr></table>", "", Kind.HTML),
        (b"<table><tr><td>1</td></tr></table>", "a.txt", Kind.TEXT),
        (b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook/>', "a.xml", Kind.OFFICE),
        (b"ID;PWXL;N;E\r\nP;PGeneral\r\nC;Y1;X1;K1\r\nE\r\n", "a.slk", Kind.OFFICE),
        (b"ID;PWXL;N;E\nC;Y1;X1;K1\nE\n", "a.xls", Kind.OFFICE),
        (b"ID;PWXL;N;E\nC;Y1;X1;K1\nE\n", "a.txt", Kind.TEXT),
        (b"ID;Patient;Amount\n4711;Meyer;12\n", "a.csv", Kind.TEXT),
        (b"ID;Patient;Amount\n4711;Meyer;12\n", "", Kind.TEXT),
        (b'TABLE\r\n0,1\r\n"EXCEL"\r\nVECTORS\r\n', "a.dif", Kind.OFFICE),
        (gzip.compress(b"<svg/>", mtime=0), "a.svgz", Kind.SVG),
        (b"From: a@b.example\nMessage-ID: <1@x>\nSubject: s\n\ntext\n", "a.msg", Kind.EMAIL),
    ],
)  # fmt: skip
def test_content_that_begins_like_another_kind_is_recognised(content: bytes, name: str, kind: Kind) -> None:
    assert sniff(content, name) is kind


def test_a_document_with_a_message_of_outlooks_in_it_is_no_message() -> None:
    message = compound(Storage({"__properties_version1.0": bytes(40)}))
    assert sniff(message) is Kind.MSG
    assert sniff(compound(Storage({"WordDocument": b"", "Package": message}))) is Kind.OFFICE


@given(st.binary(max_size=200), st.sampled_from(["", "x.pdf", "x.bin"]))
def test_any_octets_have_a_kind_or_a_named_error(content: bytes, name: str) -> None:
    try:
        assert sniff(content, name) in Kind
        return
    except DocumentError as error:
        cause = error.cause
    assert cause in {DOCUMENT_EMPTY, DOCUMENT_MISLABELLED, DOCUMENT_UNSUPPORTED}


@pytest.mark.parametrize(
    "piece",
    ["a:", "A: b\n ", "A: b\n", "<!--", "<?xml ", " ", "a: \n \n \n", "<!doctype svg", "@PJL\n", "<p"],
)
def test_beginnings_without_an_end_keep_nobody_waiting(piece: str) -> None:
    assert sniff(("x" + piece * 100_000).encode(), "page.html") in Kind
    assert sniff((piece * 100_000 + "x").encode(), "page.html") in Kind
