"""The descriptions in the programming interface, in the reader's language.

Descriptions of settings are those of the settings' pages; the others are sentences of their own in the
catalogues.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from appliance.language import said as _
from appliance.settings.fields import as_sentence

# Added to a sentence where the OpenAPI document is made, and not part of it.
_KIND = re.compile(r"^(sip|modem): ")
_DEFAULT = re.compile(r" \(by default (.*)\)$", re.DOTALL)
_SCOPE = re.compile(r" ?Needs the scope `(\w+)`(?: or `(\w+)`)?\.$")
_SECTION = re.compile(r"^(The settings|Change settings of) `(\w+)`$")


def described(text: str) -> str:
    """A call's summary or help in the reader's language."""
    if section := _SECTION.match(text):
        pattern = (
            _("The settings {section}")
            if section[1] == "The settings"
            else _("Change the settings {section}")
        )
        return pattern.format(section=section[2])
    scope = _SCOPE.search(text)
    parts = [_(_SCOPE.sub("", text))]
    if scope and scope[2]:
        parts.append(_("Needs the scope {scope} or {other}.").format(scope=scope[1], other=scope[2]))
    elif scope:
        parts.append(_("Needs the scope {scope}.").format(scope=scope[1]))
    return " ".join(filter(None, parts))


def meant(name: str, help_text: str) -> str:
    """The meaning of field ``name`` in the reader's language; empty when only its name is known."""
    if help_text in ("", name):
        return ""
    kind, default = _KIND.match(help_text), _DEFAULT.search(help_text)
    sentence = _(_bare(help_text))
    if kind:
        sentence = f"{kind[1]}: {sentence}"
    if default:
        sentence += " " + _("Default: {value}.").format(value=default[1])
    return sentence


def _bare(help_text: str) -> str:
    return as_sentence(_KIND.sub("", _DEFAULT.sub("", help_text)))


def sentences(descriptions: Iterator[str], fields: Iterator[tuple[str, str]]) -> Iterator[str]:
    """The sentences for the catalogues: ``descriptions`` (summaries and helps), ``fields`` (name, help)."""
    for text in descriptions:
        if not _SECTION.match(text):
            yield _SCOPE.sub("", text)
    for name, help_text in fields:
        if help_text not in ("", name):
            yield _bare(help_text)
