"""Debian's libspandsp2 through cffi in ABI mode: no compiler, each user declares what it calls."""

from __future__ import annotations

from typing import Any

import cffi

# Debian's and Ubuntu's package name and the ABI that every declaration here was written for.
LIBRARY = "libspandsp.so.2"
DEBIAN_PACKAGE = "libspandsp2"


class SpandspMissingError(RuntimeError):
    """The library is not installed; the message names the package."""


def open_spandsp(declarations: str) -> tuple[cffi.FFI, Any]:
    """Loads spandsp with these C declarations: the FFI to make objects with, and the library.

    Raises SpandspMissingError where the library is not installed.
    """
    ffi = cffi.FFI()
    ffi.cdef(declarations)
    try:
        return ffi, ffi.dlopen(LIBRARY)
    except OSError as error:
        raise SpandspMissingError(
            f"{LIBRARY} is not installed (Debian package {DEBIAN_PACKAGE}): {error}"
        ) from error
