"""The audit log in the words of an office.

An entry names what was done as ``thing.deed`` and to what as ``kind:id``; both stay as they are in the
interface and in exports.  What has no words here is shown as it stands.
"""

from __future__ import annotations

import re

from appliance.language import said as _

_PAGE = re.compile("page ([0-9]+)")
_TO = re.compile("to ([^,]+)")


def _things() -> dict[str, str]:
    return {
        "app": _("Authenticator app"),
        "backup": _("Backup"),
        "certificate": _("Certificate"),
        "contact": _("Contact"),
        "contacts": _("Phone book"),
        "cover": _("Cover page"),
        "delivery": _("Delivery"),
        "destination": _("What was learned of a number"),
        "disk": _("Disk"),
        "doctor": _("Doctor"),
        "fax": _("Fax"),
        "group": _("Group"),
        "hardware_test": _("Hardware test"),
        "junk_rule": _("Junk rule"),
        "key": _("API token"),
        "line": _("Line"),
        "mail": _("E-mail"),
        "note": _("Note"),
        "number": _("Number"),
        "panel": _("Front panel"),
        "password": _("Password"),
        "practice": _("Practice line"),
        "received": _("Received fax"),
        "route": _("Rule"),
        "sessions": _("Sessions"),
        "settings": _("Settings"),
        "update": _("Update"),
        "user": _("User"),
        "webhook": _("Webhook"),
    }


def _deeds() -> dict[str, str]:
    return {
        "add": _("added"),
        "again": _("tried again"),
        "assign": _("given to somebody"),
        "cancel": _("cancelled"),
        "change": _("changed"),
        "create": _("made"),
        "delete": _("deleted"),
        "drop": _("given up"),
        "end": _("ended"),
        "erase": _("erased"),
        "export": _("saved as a file"),
        "forget": _("forgotten"),
        "forward": _("forwarded"),
        "import": _("imported"),
        "lock": _("encrypted"),
        "look": _("looked at"),
        "mail": _("sent by e-mail"),
        "make": _("made"),
        "number": _("got a number"),
        "order": _("order changed"),
        "print": _("printed"),
        "receive": _("received"),
        "refused": _("refused"),
        "release": _("released"),
        "remove": _("taken off"),
        "resend": _("sent again"),
        "restore": _("restored"),
        "retry": _("tried again"),
        "settle": _("settled"),
        "start": _("started"),
        "stop": _("stopped"),
        "take": _("taken in"),
        "test": _("tested"),
        "unlock": _("decrypted"),
        "use": _("taken into use"),
    }


def _whole() -> dict[str, str]:
    """Those that are no deed to a thing."""
    return {
        "sign_in": _("Signed in"),
        "sign_in.refused": _("Sign-in refused"),
        "set_up": _("The box was set up"),
        "recovery_code.used": _("Signed in with a recovery code"),
        "email.in": _("An e-mail came to be faxed"),
    }


def what(action: str, thing: str) -> str:
    """What was done to what, such as "Fax 12: looked at"; ``thing``: an entry's object."""
    if action in (whole := _whole()):
        return whole[action]
    noun, _dot, deed = action.partition(".")
    word, done = _things().get(noun), _deeds().get(deed)
    if word is None or done is None:
        return f"{action} {thing}".strip()
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
