"""Mutations that know how a file is built: what is packed, coded or in a container is changed within.

Octets flipped anywhere mostly spoil a checksum or a length, and only the reader of the container is tried.
"""

from __future__ import annotations

import base64
import io
import random
import re
import zipfile
import zlib
from collections.abc import Callable

import olefile

Mutate = Callable[[bytes, random.Random], bytes]

_TOKEN = re.compile(rb"[A-Za-z_][\w-]*|\d+(?:\.\d+)?|\s+|.", re.DOTALL)
_NUMBERS = [b"0", b"1", b"-1", b"255", b"256", b"65535", b"65536", b"2147483647", b"-2147483648"]
_NUMBERS += [b"4294967296", b"99999999999999999999", b"1e308", b"0.0000001", b"NaN", b"1" * 400]
_MOST_COPIES = 300
_STREAM = re.compile(rb"/Length (\d+)([^>]{0,200}>>\s*stream\r?\n)(.*?)(\r?\nendstream)", re.DOTALL)
_IN_BASE64 = re.compile(rb"(?<=\n)(?:[A-Za-z0-9+/]{40,}={0,2}\r?\n)*[A-Za-z0-9+/]{4,}={0,2}(?=\r?\n)")


def mutate(content: bytes, rng: random.Random) -> bytes:
    """A few random mutations: flipped octets, replaced numbers, pieces cut, doubled or moved."""
    data = bytearray(content)
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(data))
        length = rng.choice([1, 2, 4, 16, 200])
        match rng.randrange(6):
            case 0:
                data[at] ^= 1 << rng.randrange(8)
            case 1:
                data[at : at + length] = rng.randbytes(length)
            case 2:
                data[at : at + 4] = rng.choice([b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff", b"9999"])
            case 3 if len(data) > length + 16:
                del data[at : at + length]
            case 4:
                data[at:at] = data[at : at + length]
            case _:
                to = rng.randrange(len(data))
                data[to : to + length] = data[at : at + length]
    return bytes(data)


def mutate_words(content: bytes, rng: random.Random) -> bytes:
    """A few mutations of a language of words: numbers replaced, words moved, cut, doubled many times."""
    tokens = _TOKEN.findall(content)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(tokens))
        run = slice(at, at + rng.choice([1, 2, 5, 20]))
        match rng.randrange(7):
            case 0 | 1:
                numbers = [n for n, token in enumerate(tokens) if token[:1].isdigit()] or [at]
                tokens[rng.choice(numbers)] = rng.choice(_NUMBERS)
            case 2 if len(tokens) > 60:
                del tokens[run]
            case 3:
                tokens[at:at] = tokens[run] * rng.choice([1, 3, _MOST_COPIES])
            case 4:
                words = [n for n, token in enumerate(tokens) if token[:1].isalpha()] or [at]
                tokens[rng.choice(words)] = tokens[rng.choice(words)]
            case 5:
                to = rng.randrange(len(tokens))
                tokens[to:to] = tokens[run]
            case _:
                tokens[at] = rng.choice(
                    [b"<", b">", b'"', b"{", b"}", b"(", b")", b"&", b"\\", b"/", b"\0", b"\xc3"]
                )
    return b"".join(tokens)


def either(*ways: Mutate) -> Mutate:
    return lambda content, rng: rng.choice(ways)(content, rng)


def within_zip(change: Mutate) -> Mutate:
    """One part of a ZIP file, with every checksum right, so that the part is read."""

    def mutate_part(content: bytes, rng: random.Random) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(out, "w") as after:
            hurt = rng.choice(before.namelist())
            for name in before.namelist():
                part = before.read(name)
                after.writestr(name, change(part, rng) if name == hurt and part else part)
        return out.getvalue()

    return mutate_part


def within_compound(change: Mutate) -> Mutate:
    """One stream of a compound file, which keeps its length."""

    def mutate_stream(content: bytes, rng: random.Random) -> bytes:
        file = io.BytesIO(content)
        with olefile.OleFileIO(file, write_mode=True) as ole:
            path = rng.choice(ole.listdir())
            stream = ole.openstream(path).read()
            if stream:
                ole.write_stream(path, change(stream, rng)[: len(stream)].ljust(len(stream), b"\0"))
        return file.getvalue()

    return mutate_stream


def within_streams(change: Mutate) -> Mutate:
    """One stream of a PDF, packed again if it was, with the length that it then has."""

    def mutate_stream(content: bytes, rng: random.Random) -> bytes:
        found = rng.choice(list(_STREAM.finditer(content)))
        packed = found[3][: int(found[1])]
        try:
            hurt = zlib.compress(change(zlib.decompress(packed), rng))
        except zlib.error:
            hurt = change(packed, rng)
        made = b"/Length %d" % len(hurt) + found[2] + hurt + found[4]
        return content[: found.start()] + made + content[found.end() :]

    return mutate_stream


def within_base64(change: Mutate) -> Mutate:
    """One file that an e-mail brings in base64."""

    def mutate_file(content: bytes, rng: random.Random) -> bytes:
        found = rng.choice(list(_IN_BASE64.finditer(content)))
        hurt = base64.encodebytes(change(base64.b64decode(found[0] + b"==="), rng)).strip()
        return content[: found.start()] + hurt + content[found.end() :]

    return mutate_file
