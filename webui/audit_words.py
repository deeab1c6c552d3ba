"""The audit log in everyday words.

An entry names an action as ``thing.deed`` and its object as ``kind:id``; both stay as they are in the
interface and in exports.  What has no words here is shown unchanged.
"""

from __future__ import annotations

import re

from appliance.language import said as _
from webui.settings_words import label_of, title_of

_PAGE = re.compile("page ([0-9]+)")
_TO = re.compile("to ([^,]+)")
_AGAIN = re.compile("to ([^,]+), again as ([0-9]+)")
_FROM = re.compile("from (.+)")
_FIELDS = re.compile("[a-z0-9_]+(, [a-z0-9_]+)*")
# Names of things in entries, and of actions on them; in the catalogues.
THINGS = {
    "app": "Authenticator app",
    "backup": "Backup",
    "campaign": "Campaign",
    "certificate": "Certificate",
    "contact": "Contact",
    "contacts": "Phone book",
    "cover": "Cover page",
    "delivery": "Delivery",
    "destination": "What was learned of a number",
    "disk": "Disk",
    "doctor": "Doctor",
    "document": "Document",
    "favourite_printer": "Printer of a favourite",
    "fax": "Fax",
    "group": "Group",
    "hardware_test": "Hardware test",
    "journal": "Journal",
    "junk_rule": "Junk rule",
    "key": "API token",
    "line_setting": "Line",
    "mail": "E-mail",
    "note": "Note",
    "number": "Number",
    "offer": "Document on offer",
    "panel": "Front panel",
    "password": "Password",
    "practice": "Practice line",
    "print": "Print job",
    "printer": "Network printer",
    "received": "Received fax",
    "route": "Rule",
    "scan": "Scan",
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
    "bundle": "bundle for support made",
    "cancel": "cancelled",
    "change": "changed",
    "collect": "mailbox looked into",
    "create": "made",
    "delete": "deleted",
    "drop": "given up",
    "end": "ended",
    "erase": "erased",
    "export": "saved as a file",
    "forget": "forgotten",
    "forward": "forwarded",
    "identify": "asked to show itself",
    "import": "imported",
    "lock": "encrypted",
    "look": "looked at",
    "looked": "failed faxes marked as seen",
    "mail": "sent by e-mail",
    "make": "made",
    "number": "got a number",
    "order": "order changed",
    "print": "printed",
    "receive": "received",
    "refused": "refused",
    "release": "released",
    "remove": "taken off",
    "reschedule": "given another time",
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
# Frequent details of entries.
DETAILS = {
    "confirmation": "report",
    "document": "document",
    "it had no number": "it had no number",
    "with its user": "with its user",
    "with received faxes": "with received faxes",
    "without a number": "without a number",
}
# Actions that concern no thing.
WHOLE = {
    "sign_in": "Signed in",
    "sign_in.refused": "Sign-in refused",
    "set_up": "The box was set up",
    "recovery_code.used": "Signed in with a recovery code",
    "email.in": "An e-mail came to be faxed",
}


def what(action: str, thing: str) -> str:
    """The action in words, such as "Fax 12: looked at"; ``thing``: the entry's object."""
    if action in WHOLE:
        return _(WHOLE[action])
    noun, _dot, deed = action.partition(".")
    if noun not in THINGS or deed not in DEEDS:
        return f"{action} {thing}".strip()
    word, done = _(THINGS[noun]), _(DEEDS[deed])
    which = thing.rpartition(":")[2]
    if noun == "settings" and which:
        return f"{_(title_of(which))}: {done}"
    return f"{word} {which}: {done}" if which else f"{word}: {done}"


def who(name: str) -> str:
    """The actor in words: ``user:NAME``, ``key:NAME``, or the box's own word for the command line."""
    kind, _colon, rest = name.partition(":")
    if kind == "user" and rest:
        return rest
    if kind == "key" and rest:
        return _("{name} (API token)").format(name=rest)
    return _("at the box") if name == "local" else name


def detail(action: str, text: str) -> str:
    """The detail of an entry: changed fields as on their page, frequent ones in words, others unchanged."""
    if action.endswith(".change") and _FIELDS.fullmatch(text):
        return ", ".join(_(label_of(name)) for name in text.split(", "))
    if found := _PAGE.fullmatch(text):
        return _("Page {page}").format(page=found[1])
    if found := _TO.fullmatch(text):
        return _("to {number}").format(number=found[1])
    if found := _AGAIN.fullmatch(text):
        return _("to {number}, in place of fax {fax}").format(number=found[1], fax=found[2])
    if found := _FROM.fullmatch(text):
        return _("from {number}").format(number=found[1])
    return _(DETAILS[text]) if text in DETAILS else text
