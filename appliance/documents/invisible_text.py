"""Invisible text on a page of a PDF, so that a fax can be searched and copied from.

It is drawn invisibly (ISO 32000-1 9.3.6, mode 3) in reading order and spread over the page, because the place
of each word is not known.  The font has no glyphs; its codes are UTF-16, so that any script is
possible.
"""

from __future__ import annotations

import textwrap

FONT_OBJECTS = 4
_LINE = 90  # characters
_MOST = 20_000  # characters of one page
_HIGHEST = 14.0  # most points between lines


def font_objects(first: int) -> list[bytes]:
    """The bodies of the font's objects, which are numbered from ``first`` on."""
    maps = []
    for start in range(0, 256, 64):  # at most 100 ranges in a block (Adobe's note 5014)
        ranges = "\n".join(
            f"<{high:02X}00> <{high:02X}FF> <{high:02X}00>" for high in range(start, start + 64)
        )
        maps.append(f"64 beginbfrange\n{ranges}\nendbfrange\n")
    cmap = (
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CMapType 2 def\n"
        "1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n"
        f"{''.join(maps)}endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"
    ).encode("ascii")
    return [
        b"<</Type/Font/Subtype/Type0/BaseFont/Words/Encoding/Identity-H"
        b"/DescendantFonts[%d 0 R]/ToUnicode %d 0 R>>" % (first + 1, first + 3),
        b"<</Type/Font/Subtype/CIDFontType2/BaseFont/Words/DW 500/FontDescriptor %d 0 R"
        b"/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>>>" % (first + 2),
        b"<</Type/FontDescriptor/FontName/Words/Flags 4/FontBBox[0 0 500 1000]/ItalicAngle 0/Ascent 1000"
        b"/Descent 0/CapHeight 1000/StemV 80>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(cmap), cmap),
    ]


def hidden(text: str, width: float, height: float) -> bytes:
    """Content that draws ``text`` invisibly on a page of this size in points, with the font /W."""
    lines = textwrap.wrap(text[:_MOST], _LINE)
    if not lines:
        return b""
    leading = min(_HIGHEST, height / (len(lines) + 1))
    size = min(leading * 0.8, width / _LINE * 1.8)  # a letter is half as wide as high
    shown = b"\n".join(b"<%s> Tj T*" % line.encode("utf-16-be", "replace").hex().encode() for line in lines)
    return b"\nBT 3 Tr /W %.2f Tf %.2f TL %.2f %.2f Td\n%s\nET" % (
        size,
        leading,
        width * 0.05,
        height - leading,
        shown,
    )
