"""Sentences about a printer that does not print, shown in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable

from appliance.language import marked

# RFC 8011 5.3.7: states of a job, the last three final.
HELD, CANCELED, ABORTED, COMPLETED = 4, 7, 8, 9
# What pycups tells when the connection broke off (no status; successful-ok), or where cupsd is just starting
# (service-unavailable, RFC 8011 B.1.5.3); and libcups' message when it gave up waiting.
NOT_THERE = frozenset({None, 0x0000, 0x0502})
GAVE_UP = "Success"

NO_PYCUPS = marked("This box cannot print: pycups is not installed.")
NO_CUPS = marked("CUPS does not answer: it is not running, is just starting, or hangs.")
REFUSED = marked("CUPS refused the fax.")
FORGOTTEN = marked("CUPS forgot the print job, as when it is killed. It is printed again.")
NO_DEFAULT = marked("CUPS has no default printer: name one.")
NO_SUCH_PRINTER = marked("CUPS has no printer of this name: lpstat -e lists those that there are.")
NOT_FINISHED = marked("The printer has not finished yet.")
NOT_PRINTED = {
    CANCELED: marked("Somebody cancelled it at the printer."),
    ABORTED: marked("CUPS tried several times to print it and gave up."),
}
_NO_PAPER = marked("The printer has no paper. When there is some, it prints what waits.")
_OPEN = marked("A door or cover of the printer is open.")
# RFC 8011 5.4.12: reasons that a person can remedy; the suffix -report, -warning or -error may follow.
_REASONS = {
    "media-empty": _NO_PAPER,
    "media-needed": _NO_PAPER,
    "media-jam": marked("Paper is jammed in the printer."),
    "door-open": _OPEN,
    "cover-open": _OPEN,
    "interlock-open": _OPEN,
    "toner-empty": marked("The printer has no toner."),
    "marker-supply-empty": marked("The printer has no ink or toner."),
    "offline": marked("The printer is switched off or not connected."),
    "connecting-to-device": marked("The printer does not answer."),
    "paused": marked("The printer is stopped in CUPS: cupsenable starts it again."),
}


def lacks(reasons: Iterable[str], message: str) -> str:
    """What keeps a printer from printing, by its ``printer-state-reasons``, else by its message."""
    given = list(reasons)
    known = [words for reason, words in _REASONS.items() if any(each.startswith(reason) for each in given)]
    return known[0] if known else message or NOT_FINISHED
