"""Every page.  A page is a small module here and a template of the same name; ``ALL`` names them."""

from __future__ import annotations

from webui.pages import (
    account,
    backup,
    box,
    charts,
    collections,
    deliveries,
    disk_lock,
    doctor,
    entrance,
    fax,
    happened,
    hardware_test,
    lists,
    network,
    panel,
    phonebook,
    send,
    settings,
    setup,
    try_call,
    update,
    waiting,
)
from webui.visit import Page

ALL: tuple[Page, ...] = (
    *entrance.PAGES,
    *send.PAGES,
    *fax.PAGES,
    *lists.PAGES,
    *happened.PAGES,
    *waiting.PAGES,
    *settings.PAGES,
    *phonebook.PAGES,
    *try_call.PAGES,
    *collections.PAGES,
    *box.PAGES,
    *backup.PAGES,
    *charts.PAGES,
    *deliveries.PAGES,
    *disk_lock.PAGES,
    *doctor.PAGES,
    *hardware_test.PAGES,
    *network.PAGES,
    *panel.PAGES,
    *setup.PAGES,
    *update.PAGES,
    *account.PAGES,
)
