"""The phone book as a file: export as vCards or CSV, import with a preview of the changes."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import asdict
from itertools import islice
from typing import Any

from appliance.api.auth import Caller
from appliance.api.problems import ProblemError
from appliance.api.rest.checking import Checker, from_fields, require
from appliance.api.rest.content import saved_as
from appliance.api.rest.request_files import form_with_one_file
from appliance.api.rest.routes import Answer, Call, Parameter, Routes
from appliance.api.rest.schemas import (
    Json,
    array,
    binary,
    choice,
    component,
    flag,
    integer,
    nullable,
    record,
    request_object,
    text,
)
from appliance.language import said
from appliance.phonebook import Contact, ContactGroup, merging, table, vcard
from appliance.phonebook.cards import CARDS_LIMIT, FILE_LIMIT, BookError, Card, decoded
from appliance.phonebook.causes import CONTACTS_CHANGED, CONTACTS_TOO_MANY
from appliance.phonebook.merging import Book, Fate, ImportPlan, ImportStep, Reading
from appliance.services.rules import RefusedError
from appliance.settings.accounts import Scope
from appliance.settings.store import Items

_VERSIONS = {f"vcard-{version.value}": version for version in vcard.Version}
CSV = "csv"
_CSV_TYPE, _VCARD_TYPE = "text/csv; charset=utf-8", "text/vcard; charset=utf-8"
# Octets of a form besides the file.
_FORM_OCTETS = 64 * 1024

_OTHER = record(
    {
        "alike": choice("number", "name", help="what both have in common"),
        "name": text(),
        "number": text(),
        "contact": nullable(integer(help="who it is in the phone book")),
        "line": nullable(integer(help="where it stands in the file")),
    }
)
_STEP = component(
    "ImportStep",
    record(
        {
            "line": integer(help="where it stands in the file"),
            "fate": choice(*(fate.value for fate in Fate)),
            "contact": nullable(integer(help="who is in the phone book already")),
            "name": text(),
            "company": text(),
            "number": text(),
            "groups": array(text(), help="groups that it joins"),
            "changes": array(record({"field": text(), "before": text(2000), "after": text(2000)})),
            "others": array(_OTHER, help="who is alike"),
            "reason": text(400, help="why it is refused"),
        }
    ),
)
_PLAN = record(
    {
        "plan": text(64, help="names what is shown; given back, exactly this is imported"),
        "imported": flag("it was done"),
        "counts": record({fate.value: integer() for fate in Fate}),
        "steps": array(_STEP, CARDS_LIMIT),
    }
)
_FIELDS = request_object(
    {
        "plan": text(64, help="import what was shown under this name; without it nothing is changed"),
        "lines": array(integer(1), CARDS_LIMIT, help="only these lines; without it all but duplicates"),
        "owner": text(64, help="whose the new contacts are; empty: everyone's"),
    }
)
_FIELDS_CHECKER = Checker(_FIELDS)


routes = Routes(tag="contacts", scope=Scope.SEND)


@routes(
    "GET",
    "/contacts/export",
    query=(Parameter("format", choice(CSV, *_VERSIONS), "CSV when it is left out"),),
    media=("text/csv", "text/vcard"),
)
def export_contacts(call: Call) -> Answer:
    """Export the phone book as one file."""
    wanted = call.query.get("format", CSV)
    contacts, groups = _seen(call)
    cards = merging.cards_of(contacts, groups)
    content = table.write(cards) if wanted == CSV else vcard.write(cards, _VERSIONS[wanted])
    name = "faxbox-contacts." + ("csv" if wanted == CSV else "vcf")
    call.note("contacts.export", detail=f"{len(cards)} as {wanted}")
    return Answer(
        content=content,
        media_type=_CSV_TYPE if wanted == CSV else _VCARD_TYPE,
        headers=saved_as(name),
    )


def _seen(call: Call) -> tuple[dict[int, Contact], dict[int, ContactGroup]]:
    store = call.box.settings
    return (
        {key: each for key, each in store.items(Contact).items() if call.caller.may_use(each.owner)},
        {key: each for key, each in store.items(ContactGroup).items() if call.caller.may_use(each.owner)},
    )


@routes(
    "POST",
    "/contacts/import",
    form=request_object({"file": binary(), **_FIELDS["properties"]}, required=("file",)),
    answer=_PLAN,
)
def import_contacts(call: Call) -> Answer:
    """Import contacts from a file.

    A form with a file of vCards (2.1, 3.0, 4.0) or CSV. Without `plan` nothing is changed: the answer says
    what would be, and names it `plan`. The same file with that name is imported as it was shown; when the
    phone book has changed meanwhile, it is refused. Fields that the file leaves empty stay as they are.
    Whoever has the number (in any spelling) or the name of somebody else is a duplicate, only taken when
    `lines` names them.
    """
    with form_with_one_file(call, "file", FILE_LIMIT + _FORM_OCTETS) as (form, file):
        fields = from_fields(_FIELDS, form.fields)
        require(_FIELDS_CHECKER, fields)
        content = file.read()
    cards = read_cards(content)
    owner = fields.get("owner", "") if call.caller.sees is None else call.caller.owner
    may_write = functools.partial(_may_write, call.caller)
    reading = functools.cache(lambda written: _reading(call, written))

    def planned(contacts: Mapping[int, Contact], groups: Mapping[int, ContactGroup]) -> ImportPlan:
        return Book(contacts, groups, owner=owner, may_write=may_write, read=reading).plan(cards)

    store = call.box.settings
    if "plan" not in fields:
        plan = planned(store.items(Contact), store.items(ContactGroup))
        return Answer(_view(plan, plan.steps, imported=False))
    done: list[ImportStep] = []

    def revision(lists: Mapping[type[Any], Items]) -> None:
        contacts, groups = lists[Contact], lists[ContactGroup]
        plan = planned(contacts.items, groups.items)
        if plan.digest() != fields["plan"]:
            raise ProblemError(CONTACTS_CHANGED)
        done.extend(plan.chosen(frozenset(fields["lines"]) if "lines" in fields else None))
        merging.apply(done, contacts, groups, owner=owner)

    store.revise((Contact, ContactGroup), revision)
    call.note("contacts.import", detail=f"{len(done)} of {len(cards)}")
    return Answer(_view(ImportPlan(tuple(done)), done, imported=True))


def read_cards(content: bytes) -> list[Card]:
    """The people in a file.  Raises BookError."""
    written = decoded(content)
    found = vcard.read(written) if vcard.looks_so(written) else table.read(written)
    cards = list(islice(found, CARDS_LIMIT + 1))
    if len(cards) > CARDS_LIMIT:
        raise BookError(f"at most {CARDS_LIMIT}", CONTACTS_TOO_MANY)
    if not cards:
        raise BookError("it is empty")
    return cards


def _may_write(caller: Caller, owner: str) -> bool:
    return caller.sees is None or owner == caller.owner


def _reading(call: Call, written: str) -> Reading:
    try:
        return call.box.rules.contact_number(written), ""
    except RefusedError as error:
        return "", error.cause.sentence


def _view(plan: ImportPlan, steps: Any, *, imported: bool) -> Json:
    fates = [step.fate for step in steps]
    return {
        "plan": plan.digest(),
        "imported": imported,
        "counts": {fate.value: fates.count(fate) for fate in Fate},
        "steps": [_step_view(step) for step in steps],
    }


def _step_view(step: ImportStep) -> Json:
    return {
        "line": step.line,
        "fate": step.fate.value,
        "contact": step.contact_id,
        "name": step.contact.name,
        "company": step.contact.company,
        "number": step.contact.number,
        "groups": list(step.groups),
        "changes": [asdict(each) for each in step.changes],
        "others": [
            {
                "alike": each.alike.value,
                "name": each.name,
                "number": each.number,
                "contact": each.contact_id,
                "line": each.line,
            }
            for each in step.others
        ],
        "reason": said(step.reason),
    }
