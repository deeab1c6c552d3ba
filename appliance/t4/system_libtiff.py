"""Debian's libtiff (package libtiff6) called directly, with files in memory.

Pillow has its own libtiff, but makes two passes over an octet for each pixel, which take two to four times as
long as the coding.  It gives the same bits, and is used where this library is not installed.

Callers have to limit the size of the page.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from functools import lru_cache

LIBRARY = "libtiff.so.6"  # the ABI that the declarations below were written for
_HEADER_OCTETS = 8  # of a TIFF file; the first strip written follows it


class SystemLibtiffError(ValueError):
    """The library reported a failure."""


@lru_cache(maxsize=1)
def system_libtiff() -> ctypes.CDLL | None:
    """The library, None where it is not installed."""
    try:
        library = ctypes.CDLL(LIBRARY)
    except OSError:
        return None
    library.TIFFFdOpen.restype = ctypes.c_void_p
    library.TIFFFdOpen.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p]
    library.TIFFSetField.argtypes = [ctypes.c_void_p, ctypes.c_uint32]  # the value is variadic
    write = library.TIFFWriteEncodedStrip
    write.restype = ctypes.c_ssize_t
    write.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_ssize_t]
    library.TIFFClose.restype = None
    library.TIFFClose.argtypes = [ctypes.c_void_p]
    for setter in (library.TIFFSetErrorHandler, library.TIFFSetWarningHandler):
        setter.restype, setter.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
        setter(None)  # no messages on standard error: return values report failures
    return library


def compress_strip(library: ctypes.CDLL, fields: Iterable[tuple[int, int]], pixels: bytes) -> bytes:
    """The coded data of ``pixels``, as the only strip of a TIFF file with these ``fields`` (tag, value).

    Raises SystemLibtiffError, and OSError when there is no memory for the file.
    """
    descriptor = os.memfd_create("page", os.MFD_CLOEXEC)
    file = library.TIFFFdOpen(descriptor, b"page", b"wl")
    if not file:
        os.close(descriptor)
        raise SystemLibtiffError("the file in memory cannot be opened")
    try:
        for tag, value in fields:
            library.TIFFSetField(file, tag, ctypes.c_int(value))
        written = library.TIFFWriteEncodedStrip(file, 0, pixels, len(pixels))
        # The file has only the strip so far: the directory is written when it is closed.
        size = os.fstat(descriptor).st_size - _HEADER_OCTETS
        data = os.pread(descriptor, max(0, size), _HEADER_OCTETS)
    finally:
        library.TIFFClose(file)  # closes the descriptor too
    if written != len(pixels) or not data or len(data) != size:
        raise SystemLibtiffError(f"{written} of {len(pixels)} octets coded")
    return data
