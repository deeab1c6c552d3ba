"""The lists that the owner keeps: phone book, cover templates, lines, rules; all work the same way.

Users and keys, which have secrets of their own, are in ``users`` and ``keys``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from appliance.api.auth import Caller
from appliance.api.causes import NOT_FOUND, SETTING_INVALID
from appliance.api.problems import Flaw, ProblemError
from appliance.api.rest.checking import flaw, require_url, still_needed
from appliance.api.rest.routes import Answer, Call, Route, Routes, created
from appliance.api.rest.schemas import Json, answer_schema, array, component, integer, record, settings_schema
from appliance.deliver.settings import DeliveryRoute, JunkRule
from appliance.documents.causes import COVER_TEMPLATE_WRONG
from appliance.documents.settings import STANDARD_COVER, CoverTemplate
from appliance.exchange.making import check_line
from appliance.language import said
from appliance.lines.practice.settings import PRACTICE_NAME
from appliance.lines.settings import LineSettings
from appliance.lines.sip.settings import SipSettings
from appliance.phonebook import Contact, ContactGroup
from appliance.printing.settings import FavouritePrinter
from appliance.services.causes import NOT_PERMITTED
from appliance.services.rules import RefusedError
from appliance.settings.accounts import ApiKey, Scope, User
from appliance.settings.fields import TYPE_KEY, describe, from_document, one_of, to_document, variants
from appliance.settings.store import SettingsStore

# The styles of webhooks.
STYLES = ("own", "ifax", "ictfax")


@dataclass(frozen=True, slots=True)
class Resource:
    """A list as a resource.  ``owned``: entries belong to a user, or without an owner are shared."""

    kind: type[Any]
    path: str  # and the name of the list in answers
    one: str  # the name of its schema
    title: str
    reads: Scope = Scope.ADMIN
    writes: Scope = Scope.ADMIN
    owned: bool = False
    # Raises ProblemError for values that contradict other settings; the id is None for a new entry.
    check: Callable[[Call, Mapping[str, Any], int | None], None] = lambda *_: None
    # Raises ProblemError when other settings refer to the entry.
    free: Callable[[SettingsStore, Any], None] = lambda store, item: None


def _contact_has_a_number(call: Call, values: Mapping[str, Any], item_id: int | None) -> None:
    if "number" not in values:
        return
    try:
        call.box.rules.contact_number(values["number"])
    except RefusedError as error:
        raise flaw("number", said(error.cause.sentence)) from None


def _contacts_exist(call: Call, values: Mapping[str, Any], item_id: int | None) -> None:
    contacts = call.box.settings.items(Contact)
    for position, contact_id in enumerate(values.get("contact_ids", ())):
        # Another user's private contact is treated as missing, so that ids cannot be discovered.
        if contact_id not in contacts or not call.caller.may_use(contacts[contact_id].owner):
            raise flaw(f"contact_ids[{position}]", said("there is no contact {id}").format(id=contact_id))


def _favourite_exists(call: Call, values: Mapping[str, Any], item_id: int | None) -> None:
    known = {} if item_id is None else to_document(call.box.settings.item(FavouritePrinter, item_id))
    contact, group = (values.get(name, known.get(name)) for name in ("contact_id", "group_id"))
    if (contact is None) == (group is None):
        raise flaw("contact_id", said("either a contact or a group is needed"))
    if contact is not None and contact not in call.box.settings.items(Contact):
        raise flaw("contact_id", said("there is no contact {id}").format(id=contact))
    if group is not None and group not in call.box.settings.items(ContactGroup):
        raise flaw("group_id", said("there is no group {id}").format(id=group))


def _cover_is_sound(call: Call, values: Mapping[str, Any], item_id: int | None) -> None:
    from appliance.documents.typeset.markup import TemplateError, check_template  # noqa: PLC0415 (HTML, for this alone)

    try:
        check_template(values.get("html", ""))
    except TemplateError as error:
        raise ProblemError(COVER_TEMPLATE_WRONG, str(error), (Flaw("html", str(error)),)) from None
    if "name" not in values:
        return
    name, store = values["name"], call.box.settings
    others = {known.name for known_id, known in store.items(CoverTemplate).items() if known_id != item_id}
    if name == STANDARD_COVER or name in others:
        raise flaw("name", said("there is a template of this name"))
    if item_id is not None and store.item(CoverTemplate, item_id).name != name:
        _cover_is_free(store, store.item(CoverTemplate, item_id))


def _cover_is_free(store: SettingsStore, item: CoverTemplate) -> None:
    """Raises ProblemError while the template is somebody's default cover."""
    holders: list[User | ApiKey] = [*store.items(User).values(), *store.items(ApiKey).values()]
    for holder in holders:
        if holder.cover == item.name:
            raise still_needed(said("It is the usual cover of {name}.").format(name=holder.name))


def _line_is_sound(call: Call, values: Mapping[str, Any], item_id: int | None) -> None:
    """Raises ProblemError for a line that could not be opened."""
    store = call.box.settings
    if item_id is None:
        entry = from_document(LineSettings, values, "line")
    else:
        known = store.item(LineSettings, item_id)
        entry = from_document(type(known), {**to_document(known), **values}, "line")
    others = {other.name for other_id, other in store.items(LineSettings).items() if other_id != item_id}
    if entry.name in {*others, PRACTICE_NAME}:
        raise flaw("name", said("there is a line of this name"))
    try:
        check_line(entry, store.section(SipSettings))
    except ValueError as error:
        raise ProblemError(SETTING_INVALID, str(error), (Flaw("", str(error)),)) from None


def _route_is_sound(call: Call, values: Mapping[str, Any], item_id: int | None) -> None:
    """Raises ProblemError for a route without a destination."""
    user, url = values.get("user", ""), values.get("webhook_url", "")
    if user and call.box.accounts.user(user) is None:
        raise flaw("user", said("there is no such user"))
    require_url(url, "webhook_url")
    if values.get("webhook_style", STYLES[0]) not in STYLES:
        raise flaw("webhook_style", one_of(STYLES))


_OWN: dict[str, Any] = {"reads": Scope.SEND, "writes": Scope.SEND, "owned": True}
RESOURCES = (
    Resource(Contact, "contacts", "Contact", "contact", check=_contact_has_a_number, **_OWN),
    Resource(ContactGroup, "groups", "Group", "group of contacts", check=_contacts_exist, **_OWN),
    Resource(
        CoverTemplate,
        "covers",
        "CoverTemplate",
        "cover template",
        reads=Scope.SEND,
        check=_cover_is_sound,
        free=_cover_is_free,
    ),
    Resource(LineSettings, "line-settings", "LineSettings", "line's settings", check=_line_is_sound),
    Resource(DeliveryRoute, "routes", "Route", "rule for received faxes", check=_route_is_sound),
    Resource(
        FavouritePrinter,
        "favourite-printers",
        "FavouritePrinter",
        "printer of a favourite",
        check=_favourite_exists,
    ),
    Resource(JunkRule, "junk-rules", "JunkRule", "rule against junk calls"),
)


class _Handlers:
    """The five handlers of one resource."""

    def __init__(self, resource: Resource) -> None:
        self._resource = resource
        self._word = resource.path.removesuffix("s").replace("-", "_")

    def index(self, call: Call) -> Answer:
        shown = [
            self._view(item_id, item)
            for item_id, item in call.box.settings.items(self._resource.kind).items()
            if self._visible(item, call.caller)
        ]
        return Answer({self._resource.path.replace("-", "_"): shown})

    def read(self, call: Call) -> Answer:
        item_id, item = self._find(call)
        return Answer(self._view(item_id, item))

    def create(self, call: Call) -> Answer:
        store, resource = call.box.settings, self._resource
        values = dict(call.body)
        if (
            resource.owned
            and call.caller.sees is not None
            and values.setdefault("owner", call.caller.owner) != call.caller.owner
        ):
            raise ProblemError(NOT_PERMITTED, "an entry of your own has yourself as owner")
        resource.check(call, values, None)
        item = from_document(resource.kind, values, self._word)
        item_id = store.add(item, check=lambda: resource.check(call, values, None))
        call.note(f"{self._word}.create", object=f"{self._word}:{item_id}")
        return created(self._view(item_id, store.item(resource.kind, item_id)), f"/{resource.path}/{item_id}")

    def change(self, call: Call) -> Answer:
        store, resource = call.box.settings, self._resource
        item_id, item = self._find(call)
        self._require_own(item, call.caller)
        owner = call.body.get("owner", call.caller.owner)
        if resource.owned and call.caller.sees is not None and owner != call.caller.owner:
            raise ProblemError(NOT_PERMITTED, "only administrators change an owner")
        resource.check(call, call.body, item_id)
        item = store.update(
            resource.kind, item_id, call.body, check=lambda: resource.check(call, call.body, item_id)
        )
        call.note(f"{self._word}.change", object=f"{self._word}:{item_id}", detail=", ".join(call.body))
        return Answer(self._view(item_id, item))

    def delete(self, call: Call) -> Answer:
        item_id, item = self._find(call)
        self._require_own(item, call.caller)
        store, resource = call.box.settings, self._resource
        store.remove(resource.kind, item_id, check=lambda: resource.free(store, item))
        call.note(f"{self._word}.delete", object=f"{self._word}:{item_id}")
        return Answer()

    def _find(self, call: Call) -> tuple[int, Any]:
        item_id = call.arguments["id"]
        item = call.box.settings.items(self._resource.kind).get(item_id)
        if item is None or not self._visible(item, call.caller):
            raise ProblemError(NOT_FOUND, f"there is no {self._resource.title} {item_id}")
        return item_id, item

    def _visible(self, item: Any, caller: Caller) -> bool:
        return not self._resource.owned or caller.may_use(item.owner)

    def _require_own(self, item: Any, caller: Caller) -> None:
        if self._resource.owned and caller.sees is not None and item.owner != caller.owner:
            raise ProblemError(NOT_PERMITTED, "it is everyone's; administrators change it")

    @staticmethod
    def _view(item_id: int, item: Any) -> Json:
        return {"id": item_id, **to_document(item, mask=True)}


routes = Routes("")


def _add_routes(resource: Resource) -> None:
    handlers = _Handlers(resource)
    one, path, item = resource.one, f"/{resource.path}", f"/{resource.path}/{{id}}"
    shown = component(one, answer_schema(resource.kind, {"id": integer(1)}))
    required = tuple(f.name for f in describe(resource.kind) if f.required)
    if variants(resource.kind):
        required = (TYPE_KEY, *required)
    new = component(f"New{one}", settings_schema(resource.kind, required=required))
    changed = component(f"{one}Change", settings_schema(resource.kind))
    listed = record({resource.path.replace("-", "_"): array(shown, 1_000_000)})
    title = resource.title
    reads = functools.partial(Route, tag=resource.path, scope=resource.reads)
    writes = functools.partial(Route, tag=resource.path, scope=resource.writes)
    lists, create, change = f"list{one.removesuffix('s')}s", f"create{one}", f"change{one}"
    routes.extend(
        (
            reads("GET", path, lists, f"List every {title}", handlers.index, answer=listed),
            writes(
                "POST", path, create, f"Add a {title}", handlers.create, body=new, answer=shown, status=201
            ),
            reads("GET", item, f"read{one}", f"Read a {title}", handlers.read, answer=shown),
            writes("PATCH", item, change, f"Change a {title}", handlers.change, body=changed, answer=shown),
            writes("DELETE", item, f"delete{one}", f"Delete a {title}", handlers.delete, status=204),
        )
    )


for _resource in RESOURCES:
    _add_routes(_resource)
