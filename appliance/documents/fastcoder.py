"""MMR for the worker: the same libtiff coder that `appliance.t4` borrows, without a file around it.

Going through Pillow costs two passes over an octet for each pixel, more than the coding itself, and
rendering is judged by pages a second.  Debian's libtiff6 is called directly where it is installed;
otherwise `appliance.t4` does it, bit for bit the same.
"""

from __future__ import annotations

import ctypes
import os
from functools import lru_cache

from appliance.t4.coding import encode
from appliance.t4.page import CodedPage, Coding, Raster

_LIBRARY = "libtiff.so.6"
_HEADER_OCTETS = 8  # of a TIFF file; the first strip written follows it
_FIELDS_OF_A_PAGE = (
    (258, 1),  # BitsPerSample
    (277, 1),  # SamplesPerPixel
    (259, 4),  # Compression: T.6
    (262, 0),  # PhotometricInterpretation: WhiteIsZero
)
_WIDTH, _LENGTH, _ROWS_PER_STRIP = 256, 257, 278


def encode_mmr(raster: Raster) -> CodedPage:
    """``raster`` in MMR, as ``appliance.t4.coding.encode`` gives it.  Raises what that does."""
    library = _library()
    data = _compress(library, raster) if library is not None and raster.rows else None
    if data is None:
        return encode(raster, Coding.MMR)
    return CodedPage(Coding.MMR, raster.resolution, raster.width, raster.rows, data)


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(_LIBRARY)
    except OSError:
        return None
    library.TIFFFdOpen.restype = ctypes.c_void_p
    library.TIFFFdOpen.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p]
    library.TIFFSetField.argtypes = [ctypes.c_void_p, ctypes.c_uint32]  # the value is variadic
    library.TIFFWriteEncodedStrip.restype = ctypes.c_ssize_t
    library.TIFFWriteEncodedStrip.argtypes = [
        ctypes.c_void_p, ctypes.c_uint32, ctypes.c_char_p, ctypes.c_ssize_t,
    ]  # fmt: skip
    library.TIFFClose.restype = None
    library.TIFFClose.argtypes = [ctypes.c_void_p]
    return library


def _compress(library: ctypes.CDLL, raster: Raster) -> bytes | None:
    """The strip that libtiff writes into a file in memory; None when it will not."""
    descriptor = os.memfd_create("strip", os.MFD_CLOEXEC)
    file = library.TIFFFdOpen(descriptor, b"strip", b"wl")
    if not file:
        os.close(descriptor)
        return None
    try:
        extent = ((_WIDTH, raster.width), (_LENGTH, raster.rows), (_ROWS_PER_STRIP, raster.rows))
        for tag, value in (*extent, *_FIELDS_OF_A_PAGE):
            library.TIFFSetField(file, tag, ctypes.c_int(value))
        written = library.TIFFWriteEncodedStrip(file, 0, raster.data, len(raster.data))
        size = os.fstat(descriptor).st_size - _HEADER_OCTETS
        if written != len(raster.data) or size <= 0:
            return None
        return os.pread(descriptor, size, _HEADER_OCTETS)
    finally:
        library.TIFFClose(file)  # closes the descriptor
