"""The audit log in the words of an office.

An entry names what was done as ``thing.deed`` and to what as ``kind:id``; both stay as they are in the
interface and in exports.  What has no words here is shown as it stands.
"""

from __future__ import annotations

import re

from appliance.language import said as _

_PAGE = re.compile("page ([0-9]+)")
_TO = re.compile("to ([^,]+)")
# What entries name, and what was done to it; in the catalogues.
THINGS = {
    "app": "Authenticator app",
    "backup": "Backup",
    "certificate": "Certificate",
    "contact": "Contact",
    "contacts": "Phone book",
    "cover": "Cover page",
    "delivery": "Delivery",
    "destination": "What was learned of a number",
    "disk": "Disk",
    "doctor": "Doctor",
    "fax": "Fax",
    "group": "Group",
    "hardware_test": "Hardware test",
    "junk_rule": "Junk rule",
    "key": "API token",
    "line": "Line",
    "mail": "E-mail",
    "note": "Note",
    "number": "Number",
    "panel": "Front panel",
    "password": "Password",
    "practice": "Practice line",
    "received": "Received fax",
    "route": "Rule",
    "sessions": "Sessions",
    "settings": "Settings",
    "update": "Update",
    "user": "User",
    "webhook": "Webhook",
}
DEEDS = {
    "add": "added",
    "again": "tried again",
    "assign": "given to somebody",
    "cancel": "cancelled",
    "change": "changed",
    "create": "made",
    "delete": "deleted",
    "drop": "given up",
    "end": "ended",
    "erase": "erased",
    "export": "saved as a file",
    "forget": "forgotten",
    "forward": "forwarded",
    "import": "imported",
    "lock": "encrypted",
    "look": "looked at",
    "mail": "sent by e-mail",
    "make": "made",
    "number": "got a number",
    "order": "order changed",
    "print": "printed",
    "receive": "received",
    "refused": "refused",
    "release": "released",
    "remove": "taken off",
    "resend": "sent again",
    "restore": "restored",
    "retry": "tried again",
    "settle": "settled",
    "start": "started",
    "stop": "stopped",
    "take": "taken in",
    "test": "tested",
    "unlock": "decrypted",
    "use": "taken into use",
}
# Those that are no deed to a thing.
WHOLE = {
    "sign_in": "Signed in",
    "sign_in.refused": "Sign-in refused",
    "set_up": "The box was set up",
    "recovery_code.used": "Signed in with a recovery code",
    "email.in": "An e-mail came to be faxed",
}


def what(action: str, thing: str) -> str:
    """What was done to what, such as "Fax 12: looked at"; ``thing``: an entry's object."""
    if action in WHOLE:
        return _(WHOLE[action])
    noun, _dot, deed = action.partition(".")
    if noun not in THINGS or deed not in DEEDS:
        return f"{action} {thing}".strip()
    word, done = _(THINGS[noun]), _(DEEDS[deed])
    which = thing.rpartition(":")[2]
    return f"{word} {which}: {done}" if which else f"{word}: {done}"


def who(name: str) -> str:
    """Who did it: ``user:NAME``, ``key:NAME``, or the box's own word for somebody at the machine."""
    kind, _colon, rest = name.partition(":")
    if kind == "user" and rest:
        return rest
    if kind == "key" and rest:
        return _("{name} (API token)").format(name=rest)
    return _("at the box") if name == "local" else name


def detail(text: str) -> str:
    """What more there is to say: those that come all day in words, the others as they stand."""
    if found := _PAGE.fullmatch(text):
        return _("Page {page}").format(page=found[1])
    if found := _TO.fullmatch(text):
        return _("to {number}").format(number=found[1])
    return text
