"""Backup into one encrypted file, and restoring from one."""

from __future__ import annotations

from appliance.passphrases import PASSPHRASE_MAX, PASSPHRASE_MIN
from webui.visit import Page, Response, Visit


def show(visit: Visit) -> Response:
    """The page that makes and restores backups."""
    return visit.page("backup.html", least=PASSPHRASE_MIN, most=PASSPHRASE_MAX)


PAGES = (Page("/backup", show, scopes=("admin",)),)
