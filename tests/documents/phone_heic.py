"""HEIC photographs as phones make them: a grid of tiles, each coded by itself (ISO/IEC 23008-12, 6.6.2.3)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pillow_heif
from PIL import Image

from tests.documents.making import save

TILE = 512  # pixels a side


def tiled(width: int, rows: int) -> bytes:
    """A photograph of this size, grey with noise, whose tiles are all the same coded one."""
    pillow_heif.register_heif_opener()
    one = save(Image.effect_noise((TILE, TILE), 8).convert("RGB"), "HEIF", quality=60)
    across, down = -(-width // TILE), -(-rows // TILE)
    tiles = range(2, 2 + across * down)  # ids of the items; the grid is item 1
    parts = _box(
        b"ipco",
        _box(b"hvcC", _content(one, b"meta", b"iprp", b"ipco", b"hvcC")),
        _size(TILE, TILE),
        _size(width, rows),
    )
    uses = struct.pack(">IHBB", len(tiles) + 1, 1, 1, 0x83)
    uses += b"".join(struct.pack(">HBBB", tile, 2, 0x81, 0x82) for tile in tiles)
    grid = struct.pack(">BBBBHH", 0, 0, down - 1, across - 1, width, rows)
    kinds = [_full(b"infe", 2, 0, struct.pack(">HH", 1, 0), b"grid\0")]
    kinds += [_full(b"infe", 2, 1, struct.pack(">HH", tile, 0), b"hvc1\0") for tile in tiles]
    of_grid = struct.pack(f">HH{len(tiles)}H", 1, len(tiles), *tiles)
    head = _box(b"ftyp", b"heic", bytes(4), b"mif1heic")
    coded = _content(one, b"mdat")

    def meta(place: int) -> bytes:
        places = struct.pack(">BBHHHHHII", 0x44, 0, len(tiles) + 1, 1, 1, 0, 1, 0, len(grid))
        places += b"".join(struct.pack(">HHHHII", tile, 0, 0, 1, place, len(coded)) for tile in tiles)
        return _full(
            b"meta",
            0,
            0,
            _full(b"hdlr", 0, 0, bytes(4), b"pict", bytes(13)),
            _full(b"pitm", 0, 0, struct.pack(">H", 1)),
            _full(b"iloc", 1, 0, places),
            _full(b"iinf", 0, 0, struct.pack(">H", len(kinds)), *kinds),
            _full(b"iref", 0, 0, _box(b"dimg", of_grid)),
            _box(b"iprp", parts, _full(b"ipma", 0, 0, uses)),
            _box(b"idat", grid),
        )

    return head + meta(len(head) + len(meta(0)) + 8) + _box(b"mdat", coded)


def _box(name: bytes, *content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + sum(map(len, content)), name) + b"".join(content)


def _full(name: bytes, version: int, flags: int, *content: bytes) -> bytes:
    return _box(name, struct.pack(">I", version << 24 | flags), *content)


def _size(width: int, rows: int) -> bytes:
    return _full(b"ispe", 0, 0, struct.pack(">II", width, rows))


def _content(octets: bytes, *path: bytes) -> bytes:
    for name in path:
        octets = next(content for found, content in _boxes(octets) if found == name)
        octets = octets[4:] if name == b"meta" else octets
    return octets


def _boxes(octets: bytes) -> Iterator[tuple[bytes, bytes]]:
    while octets:
        size, name = struct.unpack(">I4s", octets[:8])
        yield name, octets[8:size]
        octets = octets[size:]
