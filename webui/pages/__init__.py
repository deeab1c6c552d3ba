"""Every page.  A page is a small module here and a template of the same name; ``ALL`` names them."""

from __future__ import annotations

from webui.pages import account, entrance, fax, happened, lists, send
from webui.visit import Page

ALL: tuple[Page, ...] = (
    *entrance.PAGES,
    *send.PAGES,
    *fax.PAGES,
    *lists.PAGES,
    *happened.PAGES,
    *account.PAGES,
)
