"""Checks whether parts of a PDF page can be drawn: fonts, shadings, inline pictures."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any

from appliance.documents.pdf.streams import plain

if TYPE_CHECKING:
    import pikepdf

# Where an inline picture begins (ISO 32000-1 8.9.7), and how many of one stream are examined.
INLINE = re.compile(rb"(?<!\S)BI\s[^\0]{0,2000}?\sID\s")
_MOST_INLINE, _LONGEST_INLINE = 1_000, 8 << 20
_LARGEST_FONT = 16 << 20  # octets
# Octets of instructions in which each letter is looked up, and names of letters that show nothing.
_MOST_LOOKED_UP = 1 << 19
_BLANKS = frozenset({"/space", "/.notdef", "/nbspace", "/uni00A0"})

# How font files begin: TrueType and OpenType (ISO/IEC 14496-22 4.3), Type 1 as text and in pieces, CFF.
_SFNT = (b"\0\1\0\0", b"true", b"OTTO", b"ttcf")
_TYPE_1 = (b"%!", b"\x80\x01")
_CFF = b"\x01"
_TABLES_AT, _ENTRY_OCTETS = 12, 16
_LETTERS = frozenset({b"glyf", b"CFF "})  # the tables with the outlines
_CARELESS = 1024  # by which some writers get the length of a table wrong, octets

# Kinds of shadings (8.7.4.5): those by a function, and the coordinates and colours of the smallest mesh.
_BY_FUNCTION = frozenset({1, 2, 3})
_MESHES = {4: (3, 3), 5: (4, 4), 6: (12, 4), 7: (16, 4)}
_FUNCTIONS = frozenset({0, 2, 3, 4})
_DEEPEST = 4


def lacks_drawings(document: pikepdf.Pdf, content: bytes, fonts: Mapping[str, Any]) -> bool:
    """Whether ``content`` shows letters for which their font has no drawing; ``fonts``: those of Type 3
    (9.6.5) by their names there.
    """
    if not fonts or len(content) > _MOST_LOOKED_UP:
        return False
    missing = {name: _without_drawing(font) for name, font in fonts.items()}
    return any(
        missing.get(name, frozenset()).intersection(codes) for name, codes in _shown(document, content)
    )


def _without_drawing(font: Any) -> frozenset[int]:
    """The codes of a font of Type 3 that name a letter it has no drawing of."""
    code, codes = 0, set()
    encoding = font.get("/Encoding")
    if encoding is None or encoding._type_name != "dictionary":
        return frozenset()
    for each in encoding.get("/Differences") or ():
        if not isinstance(each, (int, Decimal)):
            name = str(each)
            if name not in _BLANKS and font.CharProcs.get(name) is None:
                codes.add(code)
            code += 1
        else:
            code = int(each)
    return frozenset(codes)


def _shown(document: pikepdf.Pdf, content: bytes) -> Iterator[tuple[str, bytes]]:
    """The names of fonts, and the codes of letters that are shown in them."""
    import pikepdf  # noqa: PLC0415 (slow)

    font, outer = "", []
    operators = "q Q Tf Tj TJ ' \""
    for instruction in pikepdf.parse_content_stream(document.make_stream(content), operators):
        match str(instruction.operator):
            case "q":
                outer.append(font)
            case "Q" if outer:
                font = outer.pop()
            case "Tf":
                font = str(instruction.operands[0])
            case "TJ":
                yield from ((font, bytes(each)) for each in instruction.operands[0] if _is_text(each))
            case "Tj" | "'" | '"':
                yield font, bytes(instruction.operands[-1])


def _is_text(operand: Any) -> bool:
    return getattr(operand, "_type_name", "") == "string"


def is_font_whole(font: Any) -> bool:
    """Whether the file of an embedded font looks like a font; True for a font without a file."""
    described = font
    if (within := font.get("/DescendantFonts")) is not None and len(within):
        described = within[0]
    about = described.get("/FontDescriptor")
    if about is None:
        return True
    for key in ("/FontFile", "/FontFile2", "/FontFile3"):
        file = about.get(key)
        if file is not None:
            return file._type_name == "stream" and _is_font(file)
    return True


def _is_font(file: Any) -> bool:
    found = plain(file, _LARGEST_FONT)
    content = found.plain.lstrip(b"\r\n ")
    if found.damaged:
        # Some writers leave out the end of the coding, after the last octet of the font.
        return content.startswith(_SFNT[:3]) and _has_its_tables(content)
    if len(content) >= _LARGEST_FONT:
        return True
    if content.startswith(_SFNT):
        return content.startswith(b"ttcf") or _has_its_tables(content, _LETTERS, _CARELESS)
    return content.startswith((*_TYPE_1, _CFF))


def _has_its_tables(content: bytes, names: Container[bytes] | None = None, beyond: int = 0) -> bool:
    """Whether the tables of these names (None: all) end at most ``beyond`` octets after ``content``."""
    count = int.from_bytes(content[4:6], "big")
    if not 0 < count <= (len(content) - _TABLES_AT) // _ENTRY_OCTETS:
        return False
    for number in range(count):
        at = _TABLES_AT + number * _ENTRY_OCTETS
        entry = content[at : at + _ENTRY_OCTETS]
        if names is None or entry[:4] in names:
            end = int.from_bytes(entry[8:12], "big") + int.from_bytes(entry[12:16], "big")
            if end > len(content) + beyond:
                return False
    return True


def is_drawable(shading: Any) -> bool:
    """Whether a shading is of a known kind, and has the functions or the points that it needs."""
    kind = int(shading.get("/ShadingType", 0))
    if kind in _BY_FUNCTION:
        return _is_function(shading.get("/Function"), 0)
    if kind not in _MESHES or shading._type_name != "stream":
        return False
    points, colours = _MESHES[kind]
    bits = points * 2 * int(shading.get("/BitsPerCoordinate", 0))
    bits += colours * int(shading.get("/BitsPerComponent", 0))
    found = plain(shading, _LONGEST_INLINE)
    return not found.damaged and len(found.plain) * 8 >= bits > 0


def _is_function(function: Any, depth: int) -> bool:
    if function is None or depth > _DEEPEST:
        return False
    if function._type_name == "array":
        return len(function) > 0 and all(_is_function(each, depth + 1) for each in function)
    return int(function.get("/FunctionType", -1)) in _FUNCTIONS


def inline_pictures(document: pikepdf.Pdf, content: bytes) -> Iterator[Any]:
    """The pictures within instructions, as streams of their own."""
    import pikepdf  # noqa: PLC0415 (slow)

    if len(content) > _LONGEST_INLINE or not INLINE.search(content):
        return
    found = pikepdf.parse_content_stream(document.make_stream(content), "BI ID EI")
    for instruction in islice(found, _MOST_INLINE):
        picture: Any = getattr(instruction, "iimage", None)
        if picture is None:
            continue
        made = document.make_stream(b"", Width=picture.width, Height=picture.height)
        made.BitsPerComponent, made.ImageMask = picture.bits_per_component, bool(picture.image_mask)
        try:
            space = "/Indexed" if picture.indexed else str(picture.colorspace or "")
        except NotImplementedError:
            space = "/Named"  # among the resources
        if space.startswith("/"):
            made.ColorSpace = pikepdf.Name(space)
        codings = [pikepdf.Name(each) for each, _ in picture.filter_decodeparms]
        parameters = [pikepdf.Dictionary(given) if given else None for _, given in picture.filter_decodeparms]
        octets = picture.read_raw_bytes()
        if len(codings) == 1:
            made.write(octets, filter=codings[0], decode_parms=parameters[0])
        else:
            made.write(octets, filter=pikepdf.Array(codings) if codings else None)
        yield made
