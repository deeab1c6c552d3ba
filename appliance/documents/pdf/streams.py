"""Reads streams of a PDF by qpdf, and checks whether they are complete (ISO 32000-1 7.4).

The drawing libraries tolerate damaged streams; here damage is only detected.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from appliance.documents.pictures import jpeg
from appliance.t4.coding import MAX_PIXELS, PageError, decode_rows
from appliance.t4.page import Coding, Raster

# Octets of the largest coded stream that is examined, and that it may unpack to.
_MOST_CODED, _MOST_PLAIN = 32 << 20, 256 << 20
_PIECE = 1 << 20
_FLATE = frozenset({"/FlateDecode", "/Fl"})
# Codings of any data (table 6), with their accepted abbreviations.
_GENERAL = _FLATE | {
    *("/ASCIIHexDecode", "/AHx", "/ASCII85Decode", "/A85", "/LZWDecode", "/LZW"),
    *("/RunLengthDecode", "/RL", "/Crypt"),
}
_JPEG, _JPEG2000 = frozenset({"/DCTDecode", "/DCT"}), frozenset({"/JPXDecode"})
_FAX = frozenset({"/CCITTFaxDecode", "/CCF"})
_PICTURES = _JPEG | _JPEG2000 | _FAX | {"/JBIG2Decode"}

# A checksum, if there is one, is within this many octets at the end of a stream.
_CHECKSUM_WITHIN = 8
_OPERATORS = frozenset(
    b"b B b* B* BDC BI BMC BT BX c cm CS cs d d0 d1 Do DP EI EMC ET EX f F f* G g gs h i ID j J K k l m M MP"
    b" n q Q re RG rg ri s S SC sc SCN scn sh T* Tc Td TD Tf Tj TJ TL Tm Tr Ts Tw Tz v w W W* y ' \""
    b" true false null".split()
)
_STRING = re.compile(
    rb"\((?:[^()\\]|\\.|\([^()]{0,200}\)){0,20000}\)|<[^<>]{0,20000}>|%[^\r\n]{0,200}", re.DOTALL
)
_WORD = re.compile(rb"(?<![\w/#.+*-])[A-Za-z'\"][^\s()<>\[\]{}/%]*")
_OPERAND_LAST = re.compile(rb"(?:[\s\]>)][-+]?[\d.]+|/[^\s()<>\[\]{}/%]+|[)>\]])$")
_LAST_OCTETS = 100
_END_OF_PICTURE = b"EI"  # within the instructions (8.9.7)

# The end of data that a writer flushed and never finished (RFC 1951, an empty stored block).
_FLUSHED = b"\x00\x00\xff\xff"
_END_OF_CODESTREAM = b"\xff\xd9"  # of JPEG 2000 (ISO/IEC 15444-1 A.4.4); boxes may follow
_TRAILER = 64 << 10
# How its codestream, a part of a picture in it, and that part's data begin (A.4.1 to A.4.3); what no data
# have (B.10.1, D.4.1: after an octet of ones the next is stuffed).
_CODESTREAM, _PART, _PART_DATA = b"\xff\x4f\xff\x51", b"\xff\x90", b"\xff\x93"
_NO_DATA = re.compile(rb"\xff[\x90\x93-\xff]")
# Where lengths stand in a part's header, and the picture's sides in the codestream's (A.5.1).
_LENGTH_AT, _SIZES_AT = 6, 8
# Components of the colour spaces that are given by name.
_COMPONENTS = {
    **dict.fromkeys(("/DeviceGray", "/CalGray", "/G", "/Indexed", "/I", "/Separation"), 1),
    **dict.fromkeys(("/DeviceRGB", "/CalRGB", "/Lab", "/RGB"), 3),
    **dict.fromkeys(("/DeviceCMYK", "/CMYK"), 4),
}
# Pixels of a row in a fax coding: by default (table 11), and at most.
_COLUMNS, _WIDEST = 1728, 1 << 16
# The end of a line in T.4 (4.1.2), with fill, at the beginning of a picture.
_END_OF_LINE = re.compile(rb"\0{1,8}[\x01-\x1f]")
_PNG_PREDICTOR = 10  # from this value on each row begins with one more octet (7.4.4.4)

# What qpdf raises for documents that break the standard.
IRREGULAR = (
    ValueError,
    RuntimeError,
    TypeError,
    AttributeError,
    KeyError,
    IndexError,
    RecursionError,
)


@dataclass(frozen=True, slots=True)
class Damage:
    """The readable octets of a stream, and whether something is missing."""

    plain: bytes
    damaged: bool


def streams_of(contents: Any) -> list[Any]:
    """The streams of a page's content (ISO 32000-1 7.7.3.3): one, several, or none."""
    if contents is None:
        return []
    return list(contents) if contents._type_name == "array" else [contents]


def filters_of(stream: Any) -> list[str]:
    """The names of a stream's codings, outermost first."""
    said = stream.get("/Filter")
    if said is None:
        return []
    return [str(each) for each in said] if said._type_name == "array" else [str(said)]


def plain(stream: Any, most: int) -> Damage:
    """At most ``most`` octets of a stream of instructions.  One that is too large is not examined."""
    filters = filters_of(stream)
    if not _GENERAL.issuperset(filters):
        return Damage(b"", damaged=True)
    coded = stream.read_raw_bytes()
    if len(coded) > _MOST_CODED:
        return Damage(b"", damaged=False)
    if not filters:
        return Damage(coded[:most], damaged=False)
    if len(filters) == 1 and filters[0] in _FLATE:
        return _inflated(coded, most)
    return _by_qpdf(stream, most)


def _by_qpdf(stream: Any, most: int) -> Damage:
    import pikepdf  # noqa: PLC0415 (slow)

    level = pikepdf.StreamDecodeLevel.specialized  # RunLengthDecode, too
    try:
        return Damage(stream.read_bytes(level)[:most], damaged=False)
    except (pikepdf.PdfError, RuntimeError, ValueError):
        return Damage(b"", damaged=True)


def _inflated(coded: bytes, most: int) -> Damage:
    """Unpacks Flate data.  A wrong checksum alone is not damage: some writers get it wrong or omit it."""
    pieces: list[bytes] = []
    kept = 0
    for piece in _pieces(coded.lstrip(b"\r\n")):
        if piece is None:
            return Damage(b"".join(pieces), damaged=True)
        if kept + len(piece) > most:
            return Damage(b"".join([*pieces, piece[: most - kept]]), damaged=False)
        pieces.append(piece)
        kept += len(piece)
    whole = b"".join(pieces)
    proven = zlib.adler32(whole).to_bytes(4, "big") in coded[-_CHECKSUM_WITHIN:]
    return Damage(whole, damaged=not proven and not _is_all_operators(whole))


def _is_all_operators(content: bytes) -> bool:
    """Whether all words in ``content`` are operands or operators (annex A)."""
    return all(word in _OPERATORS for word in _WORD.findall(_STRING.sub(b" ", content)))


def ends_in_mid_word(content: bytes) -> bool:
    """Whether a page's content ends with an operand without its operator or in a string: it was truncated."""
    behind_pictures = content.rpartition(_END_OF_PICTURE)[2]
    if behind_pictures.rfind(b"(") > behind_pictures.rfind(b")"):
        return True
    return _OPERAND_LAST.search(content.rstrip(b"\0\t\r\n\f ")[-_LAST_OCTETS:]) is not None


def _pieces(coded: bytes) -> Iterator[bytes | None]:
    """What ``coded`` (RFC 1950) unpacks to, piece by piece; None where it becomes unreadable."""
    if not coded:
        return
    reader = zlib.decompressobj(-zlib.MAX_WBITS)
    rest = coded[2:]
    while not reader.eof:
        try:
            piece = reader.decompress(rest, _PIECE)
        except zlib.error:
            yield None
            return
        if not piece and not reader.unconsumed_tail:
            if not reader.eof and not coded.rstrip(b"\r\n").endswith(_FLUSHED):
                yield None
            return
        yield piece
        rest = reader.unconsumed_tail


def is_whole_picture(stream: Any) -> bool:
    """Whether a picture is complete, as far as that can be told without drawing it."""
    filters = filters_of(stream)
    if not (_GENERAL | _PICTURES).issuperset(filters):
        return False
    mask = stream.get("/SMask") or stream.get("/Mask")
    if mask is not None and mask._type_name == "stream" and not _is_whole(mask, filters_of(mask)):
        return False
    return _is_whole(stream, filters)


def _is_whole(stream: Any, filters: Sequence[str]) -> bool:
    coded = stream.read_raw_bytes()
    if len(coded) > _MOST_CODED:
        return True
    match filters:
        case [one, *within] if one in _FLATE and len(within) == 1 and _PICTURES.issuperset(within):
            return _is_packed_whole(stream, within[0], coded)
        case [one] if one in _PICTURES:
            return _is_coded_whole(stream, one, coded)
        case _ if _is_without_colours(stream):
            return False
        case [one] if one in _FLATE:
            return _has_its_rows(stream, coded)
        case []:
            needed = _octets_needed(stream)
            return len(coded) >= needed
        case _ if _GENERAL.issuperset(filters):
            found = _by_qpdf(stream, _MOST_PLAIN)
            return not found.damaged and len(found.plain) >= _octets_needed(stream)
    return True


def _is_packed_whole(stream: Any, coding: str, packed: bytes) -> bool:
    """Whether a picture in a coding of its own that was packed once more is complete."""
    coded = bytearray()
    for piece in _pieces(packed.lstrip(b"\r\n")):
        if piece is None:
            return False
        coded += piece
        if len(coded) > _MOST_CODED:
            return True
    return _is_coded_whole(stream, coding, bytes(coded))


def _is_coded_whole(stream: Any, coding: str, coded: bytes) -> bool:
    """Whether ``coded``, a picture in a coding of its own, is complete."""
    if coding in _JPEG:
        return _has_its_colours(stream, coded) and jpeg.is_whole(coded)
    if coding in _JPEG2000:
        return is_codestream_whole(coded) and _has_its_size(stream, coded)
    return coding not in _FAX or _has_its_fax_rows(stream, coded)


def _has_its_colours(stream: Any, coded: bytes) -> bool:
    """Whether a JPEG has as many colours as the picture says; pdfium draws rubbish if not."""
    needed = 0 if stream.get("/ImageMask") else _components(stream.get("/ColorSpace"))
    has = jpeg.frame(coded)[1]
    return not stream.get("/ImageMask") and not (has and needed and has != needed)


def _has_its_size(stream: Any, coded: bytes) -> bool:
    """Whether pdfium draws all of a JPEG 2000; it cuts off what is beyond the picture's declared size, and
    does not support palettes.
    """
    space = stream.get("/ColorSpace")
    if space is not None and space._type_name == "array" and len(space) and str(space[0]) == "/Indexed":
        return False
    at = coded.find(_CODESTREAM) + _SIZES_AT
    right, below, left, top = (int.from_bytes(coded[at + 4 * n : at + 4 * n + 4], "big") for n in range(4))
    return right - left <= int(stream.get("/Width", 0)) and below - top <= int(stream.get("/Height", 0))


def _is_without_colours(stream: Any) -> bool:
    """Whether a picture lacks its colour space (table 89); pdfium takes it for black and white."""
    masks = stream.get("/ImageMask") or int(stream.get("/BitsPerComponent", 1)) == 1
    return not masks and stream.get("/ColorSpace") is None


def is_codestream_whole(coded: bytes) -> bool:
    """Whether a JPEG 2000 has its end, parts of the declared lengths, and only data that coders write.

    This finds half of all overwritten sectors, but none filled with zeros.
    """
    if _END_OF_CODESTREAM not in coded[-_TRAILER:]:
        return False
    at = coded.find(_PART, coded.find(_CODESTREAM))
    while at >= 0 and coded.startswith(_PART, at):
        length = int.from_bytes(coded[at + _LENGTH_AT : at + _LENGTH_AT + 4], "big")
        end = at + length if length else coded.rfind(_END_OF_CODESTREAM)
        begin = coded.find(_PART_DATA, at, end)
        if begin < 0 or _NO_DATA.search(coded, begin + len(_PART_DATA), end):
            return False
        at = end
    return at < 0 or coded.startswith(_END_OF_CODESTREAM, at)


def _has_its_rows(stream: Any, coded: bytes) -> bool:
    needed = _octets_needed(stream)
    found = 0
    for piece in _pieces(coded.lstrip(b"\r\n")):
        if piece is None:
            return found >= needed > 0
        found += len(piece)
        if found >= needed > 0 or found > _MOST_PLAIN:
            return True
    return found >= needed


def _has_its_fax_rows(stream: Any, coded: bytes) -> bool:
    """Whether a picture in a fax coding (table 11) has its rows, and all of them can be decoded.

    Unknown, and taken for whole, where rows begin with a whole octet, or in T.4 without end-of-line codes.
    """
    try:
        found = _fax_rows(stream, coded)
    except PageError:
        return False
    return found is None or found.rows >= int(stream.get("/Height", 0)) - 1


def _fax_rows(stream: Any, coded: bytes) -> Raster | None:
    """The rows of a picture in a fax coding; None in those where damage cannot be told.  Raises PageError."""
    parameters = _parameters(stream)
    said = {} if parameters is None else parameters
    k, rows, width = (
        int(said.get("/K", 0)),
        int(stream.get("/Height", 0)),
        int(said.get("/Columns", _COLUMNS)),
    )
    if said.get("/EncodedByteAlign") or not 0 < width < _WIDEST or rows * width > MAX_PIXELS:
        return None
    if k >= 0 and not _END_OF_LINE.match(coded):
        return None
    return decode_rows(Coding.MMR if k < 0 else Coding.MR if k else Coding.MH, width, coded)


@dataclass(frozen=True, slots=True)
class Bits:
    """A picture in black and white: packed rows; a set bit is white when it ``is_paper``.  A mask lets the
    colour around it through where it is white.
    """

    width: int
    rows: int
    octets: bytes
    is_paper: bool
    is_mask: bool


def bits_of(stream: Any) -> Bits | None:
    """A picture of one bit a pixel, in levels of grey or as a mask, in its own rows; None for one that is
    damaged, has a mask of its own, or a coding that is not read here.
    """
    if stream.get("/SMask") is not None or stream.get("/Mask") is not None:
        return None
    is_mask = bool(stream.get("/ImageMask"))
    decode = [int(level) for level in stream.get("/Decode") or (0, 1)]
    if decode not in ([0, 1], [1, 0]) or (not is_mask and int(stream.get("/BitsPerComponent", 0)) != 1):
        return None
    width, rows = int(stream.get("/Width", 0)), int(stream.get("/Height", 0))
    if not (0 < width < _WIDEST and 0 < rows * width <= MAX_PIXELS):
        return None
    coded, filters, parameters = stream.read_raw_bytes(), filters_of(stream), _parameters(stream)
    if len(coded) > _MOST_CODED:
        return None
    is_one = True  # whether a set bit is a one, which is white (8.9.5.2, 8.9.6.2)
    if len(filters) == 1 and filters[0] in _FAX:
        try:
            found = _fax_rows(stream, coded)
        except PageError:
            return None
        if found is None or (found.width, found.rows) != (width, rows):
            return None
        octets, is_one = found.data, bool(parameters is not None and parameters.get("/BlackIs1"))
    elif len(filters) == 1 and filters[0] in _FLATE and parameters is None:
        unpacked = _inflated(coded, -(-width // 8) * rows)
        octets = unpacked.plain
        if unpacked.damaged or len(octets) != -(-width // 8) * rows:
            return None
    else:
        return None
    return Bits(width, rows, octets, is_one is (decode == [0, 1]), is_mask)


def _octets_needed(stream: Any) -> int:
    """Octets of all rows but the last, whose end writers often omit; 0 when unknown."""
    width, height = int(stream.get("/Width", 0)), int(stream.get("/Height", 0))
    if stream.get("/ImageMask"):
        bits = components = 1
    else:
        bits, components = int(stream.get("/BitsPerComponent", 0)), _components(stream.get("/ColorSpace"))
    row = (width * bits * components + 7) // 8
    parameters = _parameters(stream)
    if parameters is not None and int(parameters.get("/Predictor", 1)) >= _PNG_PREDICTOR:
        row += 1
    return row * max(0, height - 1) if row > 1 else 0


def _parameters(stream: Any) -> Any:
    """The parameters of a stream's only coding, or of that of its picture, the last one; None without."""
    said = stream.get("/DecodeParms")
    if said is None or said._type_name != "array":
        return said
    coding = filters_of(stream)[-1:]
    if not len(said) or (len(said) > 1 and not _PICTURES.issuperset(coding)):
        return None
    last = said[len(said) - 1]
    return last if last is not None and last._type_name == "dictionary" else None


def _components(space: Any) -> int:
    """The number of components of a colour of ``space`` (8.6); 0 when unknown."""
    if space is None:
        return 0
    if space._type_name == "name":
        return _COMPONENTS.get(str(space), 0)
    if space._type_name != "array" or not len(space):
        return 0
    kind = str(space[0])
    if kind == "/ICCBased":
        return int(space[1].get("/N", 0))
    if kind == "/DeviceN":
        return len(space[1])
    return _COMPONENTS.get(kind, 0)
