"""The words that the box itself writes on pages beside those of a document, in the language of its country.

Who sends a rendering to its workers looks them up: the workers do without the catalogue, which takes a second
to read.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from appliance.language import ENGLISH, marked, notation_of, of_country, say

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
# What becomes of an event or task (RFC 5545 3.8.1.11), and who answers what (3.2.12).
STATES = {
    "TENTATIVE": marked("not certain"),
    "CONFIRMED": marked("certain"),
    "CANCELLED": marked("called off"),
    "NEEDS-ACTION": marked("to be done"),
    "IN-PROCESS": marked("begun"),
    "COMPLETED": marked("done"),
    "DRAFT": marked("draft"),
    "FINAL": marked("final"),
}
ANSWERS = {
    "ACCEPTED": marked("accepts"),
    "DECLINED": marked("declines"),
    "TENTATIVE": marked("accepts with reservations"),
    "DELEGATED": marked("sends somebody else"),
    "COMPLETED": marked("done"),
    "IN-PROCESS": marked("begun"),
}
# Recurrences and durations (RFC 5545 3.3.10, 3.3.6).
EACH = {
    "SECONDLY": marked("every second"),
    "MINUTELY": marked("every minute"),
    "HOURLY": marked("every hour"),
    "DAILY": marked("every day"),
    "WEEKLY": marked("every week"),
    "MONTHLY": marked("every month"),
    "YEARLY": marked("every year"),
}
SPANS = {
    "SECONDLY": (marked("{number} second"), marked("{number} seconds")),
    "MINUTELY": (marked("{number} minute"), marked("{number} minutes")),
    "HOURLY": (marked("{number} hour"), marked("{number} hours")),
    "DAILY": (marked("{number} day"), marked("{number} days")),
    "WEEKLY": (marked("{number} week"), marked("{number} weeks")),
    "MONTHLY": (marked("{number} month"), marked("{number} months")),
    "YEARLY": (marked("{number} year"), marked("{number} years")),
}
EVERY = marked("every {span}")
WEEKDAYS = {
    "MO": marked("Monday"),
    "TU": marked("Tuesday"),
    "WE": marked("Wednesday"),
    "TH": marked("Thursday"),
    "FR": marked("Friday"),
    "SA": marked("Saturday"),
    "SU": marked("Sunday"),
}
PLACES = {
    "1": marked("first"),
    "2": marked("second"),
    "3": marked("third"),
    "4": marked("fourth"),
    "5": marked("fifth"),
    "-1": marked("last"),
    "-2": marked("last but one"),
}
MONTHS = {
    "1": marked("January"),
    "2": marked("February"),
    "3": marked("March"),
    "4": marked("April"),
    "5": marked("May"),
    "6": marked("June"),
    "7": marked("July"),
    "8": marked("August"),
    "9": marked("September"),
    "10": marked("October"),
    "11": marked("November"),
    "12": marked("December"),
}
PLACED_DAY, ON_DAYS = marked("the {place} {day}"), marked("on {days}")
ON_DAYS_OF_MONTH, ON_LAST_DAY = marked("on day {days} of the month"), marked("on the last day of the month")
IN_MONTHS, OF_THESE = marked("in {months}"), marked("of these the {places}")
TIMES, UNTIL = marked("{number} times"), marked("until {moment}")
_OF_RULES = (EVERY, PLACED_DAY, ON_DAYS, ON_DAYS_OF_MONTH, ON_LAST_DAY, IN_MONTHS, OF_THESE, TIMES, UNTIL)
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
# No word, but how the country writes dates and numbers: for documents that leave it to the machine.
NOTATION = "notation"

Labels = Mapping[str, str]  # translations by the English words; English for what is missing
IN_ENGLISH: Labels = MappingProxyType({})


def put(word: str, labels: Labels) -> str:
    """An English word in the language of ``labels``."""
    return labels.get(word, word)


def labels_of(region: str) -> Labels:
    """The words in the language of a country (two capital letters)."""
    language, notation = of_country(region), {NOTATION: notation_of(region)}
    if language == ENGLISH:
        return notation
    groups = (METHODS, EVENT, CARD, HEADING, STATES, ANSWERS, EACH, WEEKDAYS, PLACES, MONTHS)
    words = {WITH_PICTURE, PAGES, FAX, *_OF_RULES, *(word for group in groups for word in group.values())}
    words |= {word for pair in SPANS.values() for word in pair}
    return {word: say(word, language) for word in sorted(words)} | notation
