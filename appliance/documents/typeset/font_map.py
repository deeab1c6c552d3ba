"""The machine's fonts for WeasyPrint, looked up once in the fork server.

A page's own fonts are added in the child that typesets it, and end with it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from weasyprint.text.ffi import ffi, gobject, pangoft2
from weasyprint.text.fonts import FontConfiguration


@dataclass(slots=True)
class _MapThread:
    """Newer Pango (1.56 of Debian 13) looks fonts up in a thread of the map: a forked process lacks it."""

    exists: bool
    process: int
    inherited: Any = None  # the map of the process before: its end would be told to the thread


def _threads() -> int:
    return len(os.listdir("/proc/self/task"))


_threads_before = _threads()
_FONTS = FontConfiguration()
_MAP_THREAD = _MapThread(_threads() > _threads_before, os.getpid())


def fonts() -> FontConfiguration:
    """The fonts, with a font map that this process can look fonts up in."""
    if _MAP_THREAD.exists and _MAP_THREAD.process != os.getpid():
        made = ffi.gc(pangoft2.pango_ft2_font_map_new(), gobject.g_object_unref)
        pangoft2.pango_fc_font_map_set_config(ffi.cast("PangoFcFontMap *", made), _FONTS._config)
        _MAP_THREAD.inherited, _FONTS.font_map = _FONTS.font_map, made
        _MAP_THREAD.process = os.getpid()
    return _FONTS
