"""Settings: everything that can be set, generated from the settings' declarations."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.api.causes import NOT_FOUND
from appliance.api.problems import ProblemError
from appliance.configuration import CATALOGUE
from appliance.language import said as _
from appliance.settings.fields import as_sentence, describe, to_document
from webui.fields import form_fields
from webui.settings_words import NOT_FOR_PEOPLE, label_of, title_of
from webui.visit import Page, Response, Visit


@dataclass(frozen=True, slots=True)
class Topic:
    """A page of the settings, with the words by which the search finds it."""

    path: str
    word: str
    more: str
    words: str = ""


def show(visit: Visit) -> Response:
    """Links to all pages of the settings, and a search over them."""
    people = [
        Topic("/settings/users", _("Users"), _("who may sign in, and what they may do")),
        Topic("/settings/keys", _("API tokens"), _("programs that send and receive")),
        Topic("/settings/contacts", _("Phone book"), _("whom you fax")),
        Topic("/settings/groups", _("Groups"), _("contacts that are written to together")),
        Topic("/settings/covers", _("Cover pages"), _("what goes before a fax")),
    ]
    ways = [
        Topic("/lines", _("Lines"), _("trunks and modems, and how they are")),
        Topic("/charts", _("Charts"), _("how much was faxed, and how much arrived")),
        Topic("/settings/routes", _("Routing"), _("who gets received faxes")),
        Topic("/settings/junk", _("Junk rules"), _("who is not let in")),
        Topic("/deliveries", _("Webhooks and other deliveries"), _("who was told of what, and a test")),
    ]
    box = [
        Topic("/doctor", _("Doctor"), _("whether everything is in order, and what to do")),
        Topic("/panel", _("Front panel"), _("what its lamps say, and its buttons")),
        Topic("/hardware-test", _("Hardware test"), _("every part of the box, tried in turn")),
        Topic(
            "/network", _("Network and certificate"), _("how the box is reached, and how browsers know it")
        ),
        Topic("/backup", _("Backup and restore"), _("the box in one encrypted file")),
        Topic("/disk-lock", _("Encryption of the disk"), _("a passphrase or a USB stick opens it")),
        Topic("/update", _("Update"), _("a new version of the image")),
        Topic("/audit", _("Audit log"), _("who did what")),
        Topic("/about", _("About this box"), _("version, health, licences")),
    ]
    sections = [
        Topic(f"/settings/{name}", _(title_of(name)), "", _found_by(name))
        for name in CATALOGUE.sections
        if name != NOT_FOR_PEOPLE
    ]
    groups = [(_("People"), people), (_("Ways"), ways), (_("The box"), box), (_("All settings"), sections)]
    return visit.page("settings.html", groups=groups)


def _found_by(name: str) -> str:
    described = describe(CATALOGUE.sections[name])
    return " ".join(f"{_(label_of(field.name))} {_(as_sentence(field.help))}" for field in described)


def show_section(visit: Visit) -> Response:
    """The page of a section of the settings.  Raises ProblemError for an unknown one."""
    name = visit.arguments["section"]
    kind = CATALOGUE.sections.get(name)
    if kind is None or name == NOT_FOR_PEOPLE:
        raise ProblemError(NOT_FOUND)
    values = to_document(visit.box.settings.section(kind), mask=True)
    return visit.page(
        "section.html",
        name=name,
        title=_(title_of(name)),
        fields=form_fields(describe(kind), values),
        mail_test=name == "mail_out",
        collect=name == "mail_in",
    )


_SECTIONS = "|".join(name for name in CATALOGUE.sections if name != NOT_FOR_PEOPLE)
PAGES = (
    Page("/settings", show, scopes=("admin",)),
    Page(f"/settings/<section:re:{_SECTIONS}>", show_section, scopes=("admin",)),
)
