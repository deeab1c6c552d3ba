"""The words that the box itself writes on pages beside those of a document, in the language of its country.

Who sends a rendering to its workers looks them up: the workers do without the catalogue, which takes a second
to read.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from appliance.language import ENGLISH, marked, of_country, say

# What an invitation's method asks for (RFC 5546 1.4), where it is more than the event itself.
METHODS = {
    "CANCEL": marked("Called off"),
    "REPLY": marked("Reply"),
    "COUNTER": marked("Counter-proposal"),
    "REFRESH": marked("Question"),
}
# The properties of an event and of a card that are shown, in this order.
EVENT = {
    "DTSTART": marked("When"),
    "DTEND": marked("Until"),
    "DUE": marked("Due"),
    "DURATION": marked("Lasts"),
    "RRULE": marked("Repeated"),
    "LOCATION": marked("Where"),
    "ORGANIZER": marked("From"),
    "ATTENDEE": marked("With"),
    "EXDATE": marked("Except"),
    "RDATE": marked("Also on"),
    "CONTACT": marked("Contact"),
    "RESOURCES": marked("Resources"),
    "COMMENT": marked("Note"),
    "STATUS": marked("Status"),
    "URL": marked("Address"),
}
CARD = {
    "ORG": marked("Company"),
    "TITLE": marked("Title"),
    "ROLE": marked("Role"),
    "TEL": marked("Telephone"),
    "EMAIL": marked("E-mail"),
    "ADR": marked("Address"),
    "URL": marked("Web"),
    "IMPP": marked("Messenger"),
    "NICKNAME": marked("Nickname"),
    "BDAY": marked("Birthday"),
    "ANNIVERSARY": marked("Anniversary"),
    "NOTE": marked("Note"),
}
WITH_PICTURE = marked("(with a picture, which is not shown)")
# The fields above an e-mail, and those of the built-in cover page with its title.
HEADING = {
    "From": marked("From"),
    "To": marked("To"),
    "Cc": marked("Cc"),
    "Date": marked("Date"),
    "Subject": marked("Subject"),
}
PAGES, FAX = marked("Pages"), marked("Fax")

Labels = Mapping[str, str]  # translations by the English words; English for what is missing
IN_ENGLISH: Labels = MappingProxyType({})


def put(word: str, labels: Labels) -> str:
    """An English word in the language of ``labels``."""
    return labels.get(word, word)


def labels_of(region: str) -> Labels:
    """The words in the language of a country (two capital letters)."""
    language = of_country(region)
    if language == ENGLISH:
        return IN_ENGLISH
    groups = (METHODS, EVENT, CARD, HEADING)
    words = {WITH_PICTURE, PAGES, FAX, *(word for group in groups for word in group.values())}
    return {word: say(word, language) for word in sorted(words)}
