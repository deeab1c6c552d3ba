"""All pages.  A page is a small module here and a template of the same name; ``ALL`` lists them."""

from __future__ import annotations

from importlib import import_module

from webui.visit import Page

_MODULES = (
    "entrance",
    "send",
    "fax",
    "lists",
    "happened",
    "waiting",
    "settings",
    "phonebook",
    "try_call",
    "collections",
    "box",
    "backup",
    "charts",
    "deliveries",
    "disk_lock",
    "doctor",
    "hardware_test",
    "interface",
    "network",
    "panel",
    "setup",
    "update",
    "account",
)
ALL: tuple[Page, ...] = tuple(
    page for name in _MODULES for page in import_module(f"webui.pages.{name}").PAGES
)
