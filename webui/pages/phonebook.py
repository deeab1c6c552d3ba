"""Importing the phone book from a file, with a preview of the changes."""

from __future__ import annotations

from appliance.language import said as _
from appliance.phonebook import Contact
from appliance.phonebook.cards import CARDS_LIMIT, FILE_LIMIT
from appliance.settings.accounts import User
from appliance.settings.fields import describe
from appliance.settings.units import MB
from webui.settings_words import label_of
from webui.visit import Page, Response, Visit


def show_import(visit: Visit) -> Response:
    """The page that imports contacts from a file."""
    owners = sorted(user.name for user in visit.box.settings.items(User).values())
    return visit.page(
        "import.html",
        import_words=_words(),
        people=CARDS_LIMIT,
        megabytes=FILE_LIMIT // MB,
        owners=owners if visit.may("admin") else [],
    )


def _words() -> dict[str, str]:
    """The sentences of the page's script."""
    fields = {f"field_{each.name}": _(label_of(each.name)) for each in describe(Contact)}
    return fields | {
        "new": _("New"),
        "changed": _("Changed"),
        "same": _("As it is"),
        "duplicate": _("Perhaps there already"),
        "refused": _("Not taken"),
        "count_new": _("{count} new"),
        "count_changed": _("{count} changed"),
        "count_same": _("{count} as they are"),
        "count_duplicate": _("{count} perhaps there already"),
        "count_refused": _("{count} not taken"),
        "number_of": _("{name} has this number: {number}"),
        "number_in_line": _("The same number as line {line}: {name}"),
        "name_of": _("{name} has another number: {number}"),
        "name_in_line": _("The same name as line {line}, with another number"),
        "joins": _("Group: {names}"),
        "take": _("Take line {line}"),
        "import_one": _("Import 1 person"),
        "import_many": _("Import {count} people"),
        "import_none": _("Nothing to import"),
    }


PAGES = (Page("/settings/contacts/import", show_import, scopes=("send",)),)
