"""The lists that an owner keeps: users, tokens, phone book, cover pages, routes, junk rules, lines.

Each list is a row of ``LISTS``: a table of its entries, and a form for one, generated from the settings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from appliance.api.causes import NOT_FOUND
from appliance.api.problems import ProblemError
from appliance.configuration import CATALOGUE
from appliance.documents.settings import CoverTemplate
from appliance.language import languages
from appliance.language import said as _
from appliance.phonebook import Contact
from appliance.settings.accounts import User
from appliance.settings.fields import FieldDescription, describe, to_document, variants
from appliance.settings.secrets import PASSWORD_MAX, PASSWORD_MIN
from appliance.spelling import finder, plain
from webui import favourite_printers
from webui.choice_words import choice_word
from webui.fields import Options, form_fields
from webui.pages.lists import SEARCH_LIMIT
from webui.settings_words import label_of, title_of
from webui.visit import Page, Response, Visit


@dataclass(frozen=True, slots=True)
class Listed:
    """A list.

    ``api`` is its path in the interface, ``columns`` the columns of the table, ``basic`` the fields that are
    always visible; ``hidden`` ones are never shown.
    """

    name: str
    api: str
    columns: tuple[str, ...]
    basic: tuple[str, ...]
    hidden: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ("admin",)
    fixed: tuple[str, ...] = ()  # cannot be changed later
    ordered: bool = False  # the order of the entries matters


LEFT_TO_RIGHT = "\u200e"  # a mark that is not seen (Unicode, annex 9)

LISTS = (
    Listed(
        "users",
        "users",
        ("name", "full_name", "role", "email"),
        ("name", "full_name", "email", "role", "reads_numbers", "reads_of", "language"),
        hidden=("password_hash", "totp_secret", "app_step", "recovery_codes"),
        fixed=("name",),
    ),
    Listed(
        "keys",
        "keys",
        ("name", "owner", "scopes"),
        ("name", "scopes", "owner"),
        hidden=("token_hash", "webhook_secret", "created_at"),
        fixed=("name",),
    ),
    Listed(
        "contacts",
        "contacts",
        ("last_name", "first_name", "company", "number"),
        ("number", "first_name", "last_name", "company"),
        scopes=("send",),
    ),
    Listed("groups", "groups", ("name",), ("name", "contact_ids"), scopes=("send",)),
    Listed("covers", "covers", ("name",), ("name", "html")),
    Listed(
        "routes",
        "routes",
        ("name", "dialled", "caller", "user", "emails"),
        ("name", "dialled", "caller", "user", "emails"),
        hidden=("position",),
        ordered=True,
    ),
    Listed(
        "junk", "junk-rules", ("name", "caller", "caller_name"), ("name", "caller", "caller_name", "allow")
    ),
    Listed(
        "lines",
        "line-settings",
        ("name", "server", "device"),
        ("name", "server", "username", "password", "device", "caller_number"),
        hidden=("position",),
        ordered=True,
    ),
)
_BY_NAME = {each.name: each for each in LISTS}


def _listed(visit: Visit) -> Listed:
    found = _BY_NAME.get(visit.arguments["list"])
    if found is None:
        raise ProblemError(NOT_FOUND)
    if not visit.may(*found.scopes):
        raise ProblemError(NOT_FOUND)
    return found


def _visible(visit: Visit, item: Any) -> bool:
    """Whether the reader may see an entry: their own, and shared ones."""
    return visit.who.may_use(getattr(item, "owner", ""))


def _options(visit: Visit, listed: Listed) -> Options:
    """The values of fields that are chosen from other lists."""

    def users() -> list[tuple[str, str]]:
        names = sorted(user.name for user in visit.box.settings.items(User).values())
        return [
            ("", _("everyone") if listed.name in ("contacts", "groups") else "–"),
            *((n, n) for n in names),
        ]

    def covers() -> list[tuple[str, str]]:
        names = sorted(cover.name for cover in visit.box.settings.items(CoverTemplate).values())
        return [("", "–"), ("standard", _("The box's own")), *((name, name) for name in names)]

    def codes() -> list[tuple[str, str]]:
        return [("", _("The browser's")), *languages().items()]

    def contacts() -> list[tuple[str, str]]:
        book = visit.box.settings.items(Contact).items()
        seen = [(key, contact) for key, contact in book if _visible(visit, contact)]
        seen.sort(key=lambda entry: plain(entry[1].name))
        # Beside a name that is written from right to left, the number's + would stand at its end.
        return [(str(key), f"{contact.name} {LEFT_TO_RIGHT}{contact.number}") for key, contact in seen]

    found: dict[str, Callable[[], list[tuple[str, str]]]] = {"cover": covers}
    if listed.name == "users":
        found["language"] = codes
    if listed.name == "keys":
        found["owner"] = users
    if listed.name in ("contacts", "groups") and visit.may("admin"):
        found["owner"] = users
    if listed.name == "groups":
        found["contact_ids"] = contacts
    if listed.name == "routes":
        found["user"] = users
    return found


def _cell(column: str, value: Any) -> str:
    """A value in a table, in words where it is chosen from some, without the explanation after a colon."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(_cell(column, entry) for entry in value)
    text = "" if value is None else str(value)
    word = choice_word(column, text)
    return text if word == text else word.partition(":")[0]


def show(visit: Visit) -> Response:
    """The table of a list."""
    listed = _listed(visit)
    items_by_id = visit.box.settings.items(CATALOGUE.lists[listed.name])
    wanted = visit.query.get("q", "")[:SEARCH_LIMIT] if listed.name == "contacts" else ""
    fits = finder(wanted.split())
    rows = []
    for item_id, item in items_by_id.items():
        if not _visible(visit, item):
            continue
        document = to_document(item, mask=True)
        cells = [_cell(column, document.get(column)) for column in listed.columns]
        if not fits(" ".join(cells)):
            continue
        off = document.get("disabled") is True or document.get("enabled") is False
        rows.append((item_id, cells, off))
    if listed.ordered:
        rows.sort(key=lambda row: (items_by_id[row[0]].position, row[0]))
    else:
        rows.sort(key=lambda row: [plain(cell) for cell in row[1]])
    return visit.page(
        "collection.html",
        listed=listed,
        title=_(title_of(listed.name)),
        columns=[_(label_of(column)) for column in listed.columns],
        rows=rows,
        kinds=[(word, _kind_word(word)) for word in variants(CATALOGUE.lists[listed.name])],
        wanted=wanted,
        empty=_("Nothing fits.") if wanted else _empty(listed.name),
    )


def _kind_word(word: str) -> str:
    return {"sip": _("SIP trunk"), "modem": _("Modem")}.get(word, word)


def _empty(name: str) -> str:
    return {
        "contacts": _("Nobody yet. Add whom you fax often; their names then complete the number."),
        "groups": _("No group yet. A group is written to together."),
        "keys": _("No token yet. A program needs one to send and receive."),
        "covers": _("No template yet. Faxes have the box's own cover page."),
        "routes": _("No rule yet. Received faxes are everyone's."),
        "junk": _("No rule yet. Every caller is let in."),
        "lines": _("No line yet. Add a SIP trunk or a modem; until then only the practice line works."),
    }.get(name, "")


def _new_words(name: str, word: str) -> str:
    """The title of the form for a new entry; ``word``: its kind, where there are several."""
    return {
        "contacts": _("A new contact"),
        "groups": _("A new group"),
        "users": _("A new user"),
        "keys": _("A new API token"),
        "covers": _("A new cover page"),
        "routes": _("A new rule for received faxes"),
        "junk": _("A new junk rule"),
        "lines": _("A new modem") if word == "modem" else _("A new SIP trunk"),
    }[name]


def show_one(visit: Visit) -> Response:
    """The form of a new entry (``new``, with ?type= where there are several kinds) or an existing one."""
    listed = _listed(visit)
    kind = CATALOGUE.lists[listed.name]
    key = visit.arguments["id"]
    word = ""
    if key == "new":
        values: dict[str, Any] = {}
        heading = ""
        kinds = variants(kind)
        if kinds:
            word = visit.query.get("type", next(iter(kinds)))
            if word not in kinds:
                raise ProblemError(NOT_FOUND)
            kind = kinds[word]
    else:
        item = visit.box.settings.items(kind).get(visit.number("id"))
        if item is None or not _visible(visit, item):
            raise ProblemError(NOT_FOUND)
        kind = type(item)
        values = to_document(item, mask=True)
        heading = getattr(item, "name", "") or values.get("number") or ""
        if listed.name == "groups":
            values["contact_ids"] = [str(each) for each in values["contact_ids"]]
    heading = heading or _new_words(listed.name, word)
    return _form(visit, listed, kind=kind, values=values, word=word, key=key, heading=heading)


def _form(
    visit: Visit,
    listed: Listed,
    *,
    kind: type[Any],
    values: dict[str, Any],
    word: str,
    key: str,
    heading: str,
) -> Response:
    described: list[FieldDescription] = [each for each in describe(kind) if each.name != "type"]
    new = key == "new"
    hidden = (*listed.hidden, *(() if new else listed.fixed))
    if not visit.may("admin"):
        hidden = (*hidden, "owner")
    fields = form_fields(described, values, without=hidden, options=_options(visit, listed))
    # Only users who may set the box up can make printers of it.
    printer_field = "" if new or not visit.may("admin") else favourite_printers.FIELDS.get(listed.name, "")
    return visit.page(
        "entry.html",
        listed=listed,
        title=_(title_of(listed.name)),
        heading=heading,
        key=key,
        new=new,
        word=word,
        own=visit.who.owner if not visit.may("admin") and listed.name in ("contacts", "groups") else "",
        basic=[each for name in listed.basic for each in fields if each.name == name],
        more=[each for each in fields if each.name not in listed.basic],
        least=PASSWORD_MIN,
        most=PASSWORD_MAX,
        has_app=listed.name == "users" and bool(values.get("totp_secret")),
        printer_field=printer_field,
        printers=favourite_printers.printers_of(visit, listed.name, int(key)) if printer_field else [],
        printers_on=favourite_printers.are_on(visit),
    )


_NAMES = "|".join(each.name for each in LISTS)
PAGES = (
    Page(f"/settings/<list:re:{_NAMES}>", show),
    Page(f"/settings/<list:re:{_NAMES}>/<id>", show_one),
)
