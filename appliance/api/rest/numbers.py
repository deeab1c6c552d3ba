"""Numbers while they are typed: checked, and completed from the phone book and earlier faxes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from appliance.api.request import with_plus
from appliance.api.rest import newfax_schemas
from appliance.api.rest.routes import Answer, Call, Parameter, Routes
from appliance.api.rest.schemas import (
    Json,
    array,
    choice,
    component,
    flag,
    integer,
    nullable,
    record,
    text,
    timestamp,
)
from appliance.api.rest.views import CAUSE, values
from appliance.dispatch.profile import Profile
from appliance.phonebook import Contact, ContactGroup
from appliance.records import cause_view, time_text
from appliance.services.contacts import contact_with
from appliance.services.rules import RefusedError
from appliance.settings.accounts import Scope
from appliance.spelling import finder
from appliance.spool.filters import JobFilter
from appliance.spool.model import Reach

if TYPE_CHECKING:
    import phonenumbers
else:
    from appliance.numbering import library as phonenumbers

# Earlier faxes that are searched for numbers, and the most suggestions.
RECENT_FAXES, OFFERED = 200, 8

CHECKED = component(
    "CheckedNumber",
    record(
        {
            "ok": flag("faxes may go there"),
            "dial": text(64, help="what will be dialled"),
            "reach": nullable(choice(*values(Reach))),
            "country": text(2, help="two letters, where the number says it"),
            "pretty": text(64, help="as the country writes it"),
            "result": nullable(CAUSE),
            "name": text(200, help="of the contact in the phone book"),
            "delivered": integer(help="faxes delivered there so far"),
            "failed": integer(help="calls that failed"),
            "seconds_a_page": integer(help="of the last delivery; 0: unknown"),
            "quarantined_until": nullable(timestamp()),
        }
    ),
)
OFFER = component(
    "Recipient",
    record(
        {
            "number": text(64),
            "name": text(200),
            "company": text(200),
            "contact": nullable(integer()),
            "group": nullable(integer()),
            "members": integer(help="of a group"),
            "source": choice("contact", "group", "recent"),
        }
    ),
)


routes = Routes(tag="numbers", scope=Scope.SEND)


@routes(
    "GET",
    "/numbers/check",
    query=(Parameter("number", text(newfax_schemas.NUMBER_LIMIT, least=1), "as somebody wrote it"),),
    answer=CHECKED,
)
def check_number(call: Call) -> Answer:
    """Check a number: what is dialled, whether it may be, what is known of it."""
    written = with_plus(call.query.get("number", ""))
    try:
        number = call.box.rules.number(written)
    except RefusedError as error:
        return Answer(_checked(call, written, cause=cause_view(error.cause)))
    return Answer(_checked(call, written, dial=number.dial, reach=number.reach.value))


def _checked(
    call: Call, written: str, *, dial: str = "", reach: str | None = None, cause: Json | None = None
) -> Json:
    country, pretty = _country(dial)
    learned = call.box.history.destination(dial) if dial else None
    profile = Profile.load(learned.profile) if learned is not None else Profile()
    contact = contact_with(written, dial, call.box.rules, call.caller.may_use) if dial else None
    return {
        "ok": cause is None,
        "dial": dial,
        "reach": reach,
        "country": country,
        "pretty": pretty or dial,
        "result": cause,
        "name": contact.name if contact is not None else "",
        "delivered": profile.delivered,
        "failed": profile.failed,
        "seconds_a_page": round(profile.seconds_a_page),
        "quarantined_until": time_text(learned.quarantined_until) if learned is not None else None,
    }


def _country(dial: str) -> tuple[str, str]:
    if not dial.startswith("+"):
        return "", ""
    try:
        number = phonenumbers.parse(dial)
    except phonenumbers.NumberParseException:
        return "", ""
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    return phonenumbers.region_code_for_number(number) or "", written


@routes(
    "GET",
    "/recipients",
    query=(Parameter("q", text(100), "words that are in the name, company or number"),),
    answer=record({"recipients": array(OFFER)}),
)
def list_recipients(call: Call) -> Answer:
    """Suggest recipients: contacts, groups and recent numbers."""
    asked = finder(call.query.get("q", "").split())
    found = [*_contacts(call), *_groups(call), *_recent(call)]
    seen: set[tuple[str, int | None]] = set()
    fitting: list[Json] = []
    for each in found:
        key = ("".join(each["number"].split()), each["group"])
        haystack = f"{each['name']} {each['company']} {each['number']} {key[0]}"
        if key not in seen and asked(haystack):
            seen.add(key)
            fitting.append(each)
    return Answer({"recipients": fitting[:OFFERED]})


def _offer(source: str, number: str, name: str, company: str = "", **more: Any) -> Json:
    return {
        "number": number,
        "name": name,
        "company": company,
        "contact": None,
        "group": None,
        "members": 0,
        "source": source,
        **more,
    }


def _contacts(call: Call) -> list[Json]:
    return [
        _offer("contact", contact.number, contact.name, contact.company, contact=contact_id)
        for contact_id, contact in call.box.settings.items(Contact).items()
        if call.caller.may_use(contact.owner)
    ]


def _groups(call: Call) -> list[Json]:
    return [
        _offer("group", "", group.name, group=group_id, members=len(group.contact_ids))
        for group_id, group in call.box.settings.items(ContactGroup).items()
        if call.caller.may_use(group.owner)
    ]


def _recent(call: Call) -> list[Json]:
    wanted = JobFilter(owner=call.caller.owner, limit=RECENT_FAXES)
    return [_offer("recent", job.given, job.name, job.company) for job in call.box.faxes.search(wanted)]
