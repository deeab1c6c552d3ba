"""The schemas of a request for a fax."""

from __future__ import annotations

from collections.abc import Mapping

from appliance.api.rest.schemas import (
    Json,
    array,
    binary,
    choice,
    component,
    flag,
    integer,
    nullable,
    number,
    request_object,
    text,
    timestamp,
)
from appliance.api.rest.views import ASKED, asked_schema, values
from appliance.documents.options import MOST_DARKNESS, Treatment
from appliance.remarks import Rule
from appliance.settings.accounts import WebhookEvent
from appliance.spool.model import DAY_S
from appliance.spool.options import Quality, Resume, UnknownRule
from appliance.station import STATION_ID_PATTERN

NUMBER_LIMIT = 64
_IDS_LIMIT = 1000
# The most calls for one fax.
TRIES_LIMIT = 50
CALLBACK_EVENTS = tuple(event.value for event in WebhookEvent if event is not WebhookEvent.RECEIVED)
_DIALLED = "[0-9+*#]"

RECIPIENT: Json = {
    "anyOf": [
        text(NUMBER_LIMIT, least=1, help="a fax number"),
        request_object(
            {
                "number": text(NUMBER_LIMIT, least=1),
                "name": text(200, help="for the cover page and reports"),
                "company": text(200, help="for the cover page"),
            },
            required=("number",),
        ),
        request_object({"contact": integer(1, help="id in the phone book")}, required=("contact",)),
        request_object({"group": integer(1, help="id of a group of contacts")}, required=("group",)),
    ]
}
PAGES = array(
    text(200, pattern="[0-9 ,;-]+", help="such as 1-5"),
    50,
    help="these pages, in this order; all when empty",
)
FILE = component(
    "NewFile",
    request_object(
        {
            "name": text(255),
            "media_type": text(150, help="only noted: the content decides"),
            "content": {"type": "string", "contentEncoding": "base64", "description": "the file"},
            "url": text(2000, help="http or https; fetched within limits, never from the local network"),
            "pages": PAGES,
        },
        help="A PDF, Office file, picture, e-mail or text: either `content` or `url`.",
    ),
)
_COVER = {
    "template": text(
        64,
        help="name of one of the box's templates, or standard, the box's own page;"
        " left out: the one that your faxes usually have",
    ),
    "subject": text(200),
    "from_name": text(200),
    "to_name": text(200),
    "to_company": text(200),
    "message": text(20_000),
}
COVER = component("Cover", request_object(_COVER))
COVER_FIELDS = tuple(_COVER)
STRAIGHTEN = (
    "whether pictures on which a page is seen are cropped to it and straightened; left out: those that a"
    " camera made are, unless the box's settings say no"
)
# The options of a fax; the same when it is handed in and when a received one is forwarded.
OPTIONS: dict[str, Json] = {
    "to": array(RECIPIENT, _IDS_LIMIT, least=1, help="each gets a fax of its own"),
    "cover": {**nullable(COVER), "description": "left out: your usual one; null: none"},
    "quality": choice(*values(Quality)),
    "header": text(60, help="text of the header line; empty: none; left out: the box's own"),
    "station_id": text(20, pattern=STATION_ID_PATTERN, help="the number sent as TSI"),
    "caller_number": text(32, pattern=_DIALLED + "*", help="caller id to show, where the line allows it"),
    "caller_name": text(60),
    "withhold_number": flag("show no number of ours, neither as caller id nor as TSI"),
    "sub_address": text(20, pattern=_DIALLED + "*", help="SUB, for the far machine's own routing"),
    "password": text(20, pattern=_DIALLED + "*", help="PWD, where the far machine wants one"),
    "ecm": flag("error correction mode"),
    "max_bit_rate": integer(2400, 14400, help="bits a second"),
    "lines": array(text(64, least=1), 20, help="only these lines, in this order"),
    "max_tries": integer(1, TRIES_LIMIT),
    "retry_waits": array(
        number(0, 30 * DAY_S),
        TRIES_LIMIT - 1,
        help="seconds to wait after each failed call, in place of the box's timetables; empty: one call only",
    ),
    "resume": choice(*values(Resume), help="after a break: the rest, or all pages again"),
    "unknown_rule": choice(*values(UnknownRule), help="when cut off before the last confirmation"),
    "treatment": choice(*values(Treatment), help="how grey becomes black and white"),
    "straighten": flag(STRAIGHTEN),
    "darkness": integer(-MOST_DARKNESS, MOST_DARKNESS, help="lighter below 0, darker above"),
    "when_lost": choice(*values(Rule), help="when the pages do not show all of the document"),
    "send_at": timestamp("not before this time"),
    "lifetime_hours": number(0.1, 720, help="how long it may be tried, from that time"),
    **{name: asked_schema(fact) for name, fact in ASKED.items()},
    "callback_events": array(
        choice(*CALLBACK_EVENTS), help="what the callback URL is told of; left out: how the fax ended"
    ),
    "callback_pdf": flag("what the callback URL is told of the end has the fax as PDF in it"),
    "hold": flag("only make its pages; they wait until it is released"),
}
_DOCUMENT = {
    "files": array(FILE, 200, help="sent one after the other as one fax"),
    "document_id": integer(1, help="a document that was stored before, instead of files"),
}
_EITHER = "Either `files` or `document_id`."
_PREVIEW = {
    "preview_id": text(32, help="pages that were made and seen before, instead of files"),
    "preview_version": integer(1, help="of the pages that were seen: later ones are refused"),
}
NEW_FAX = component(
    "NewFax",
    request_object(
        {**OPTIONS, **_DOCUMENT, **_PREVIEW},
        required=("to",),
        help="Either `files`, `document_id` or `preview_id`.",
    ),
)
_WITHOUT = {name: schema for name, schema in OPTIONS.items() if name not in ("to", "hold", "send_at")}
NEW_WITHOUT_NUMBER = component("NewFaxWithoutNumber", request_object({**_WITHOUT, **_DOCUMENT}, help=_EITHER))
NUMBERS = component(
    "NewNumbers",
    request_object(
        {"to": OPTIONS["to"], "send_at": OPTIONS["send_at"]},
        required=("to",),
        help="Where a document goes that came without a number.",
    ),
)


def upload_form(fields: Mapping[str, Json], *, required: tuple[str, ...] = ()) -> Json:
    """The form for a JSON request with ``fields``: files are parts called "file", the cover's are flat."""
    properties = {"file": array(binary(), 200)}
    for name, schema in fields.items():
        if name == "cover":
            properties |= {f"cover.{each}": text(20_000) for each in COVER_FIELDS}
        else:
            properties[name] = schema
    form: Json = {"type": "object", "properties": properties}
    return {**form, "required": list(required)} if required else form


_TO_FIELD = array(text(NUMBER_LIMIT, least=1), _IDS_LIMIT, least=1)
NEW_FAX_FORM = component("NewFaxForm", upload_form({**OPTIONS, "to": _TO_FIELD}, required=("to",)))
NEW_WITHOUT_NUMBER_FORM = component("NewFaxWithoutNumberForm", upload_form(_WITHOUT))
