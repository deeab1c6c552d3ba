"""What the hardware tests say, so that it can be said in other languages.

The suite runs in a process of its own and tells plain sentences.  Whoever shows them finds here which
sentence of the table one is, and what stands at its places.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from appliance.language import said

# What each part of the suite is called; what is not here is called as its file.
PARTS = {
    "box": "The box",
    "lines": "Lines",
    "modem": "Modems",
    "panel": "Front panel",
    "printer": "Printers",
    "storage": "Disk",
    "temperature": "Temperature",
    "load": "Load",
    "watchdog": "Watchdog",
    "power_cut": "Power cut",
}
# Sentences of ``hardware-tests/``, the names of values in braces.
SENTENCES = (
    # What must hold.
    "The box runs and takes faxes.",
    "The line is ready: a trunk has signed in, a modem answers.",
    "A page from one line of the box comes in on the other, whole.",
    "A page goes over the trunk to a fax machine (--to).",
    "Under load every fax is delivered.",
    "The modem says what it is, can fax, and hears a dial tone.",
    "The lamp is lit when it is switched on, and dark when it is switched off.",
    "A press of the button is felt, and no other button with it.",
    "After a power cut everything that was confirmed is there and whole: one run before it, one after.",
    "A page goes through the queue, and CUPS says that it is printed.",
    "What is confirmed is on the disk fast enough for calls.",
    "Pages are written fast enough, and read back as they were written.",
    "With all cores at work the board is neither too hot nor short of voltage.",
    "systemd waits for signs of life of the box, and starts it again without them.",
    "A box that is stopped dead is started again.",
    # Why something was left out.
    "no box is running on this folder",
    "nobody is here to help (--person)",
    "no fax machine is named that expects a page (--to)",
    "no time was given for it (--minutes)",
    "the line had a call all the time",
    "this machine has no pins for a front panel",
    "nobody is here to look (--person), and no wire joins it to a spare pin (--jig)",
    "nobody is here to press (--person), and no wire joins it to a spare pin (--jig)",
    "a power cut waits to be checked: run again with --person",
    "nobody is here to pull the plug (--power-cut --person)",
    "the plug was not pulled within five minutes",
    "this machine does not tell its temperature",
    "systemd does not run this machine",
    "the box is not installed as a service",
    "the box may not be stopped dead (--watchdog)",
    "the box is not running",
    "this user may not stop the box: run this part as root",
    "the box has no printing (pycups is not installed)",
    "no modem is set up",
    "no printer is named (--printer)",
    "no line is set up",
    "no SIP trunk is set up",
    "no two lines' numbers are told (--number)",
    "no lamp is wired",
    "no button is wired",
    # Questions and requests.
    "Is the lamp “{lamp}” lit now?",
    "Is the lamp “{lamp}” dark now?",
    "Press the button “{button}” once.",
    "Which number did the screen show last before the power cut?",
    "Remember the numbers that are shown, and pull the plug.  Then start again.",
    # What is broken.
    "No box is running on this folder.",
    "The box takes no faxes.",
    "The page that {caller} sent did not come in on {called}.",
    "{count} faxes have not ended.",
    "The panel's pins cannot be used: {error}.",
    "The lamp “{lamp}” is not lit when it must be.",
    "The lamp “{lamp}” is not dark when it must be.",
    "The button “{button}” is down though nobody presses it.",
    "A press of the button “{button}” is not felt.",
    "“{other}” was felt instead of “{button}”: pins are mixed up.",
    "CUPS does not answer: {error}",
    "CUPS has no printer {queue}.",
    "The page did not come out: {error}.",
    "CUPS takes no page for the printer: {error}.",
    "The box's folder cannot be written to: {error}.",
    "The disk is too slow: a durable write takes {ms} ms.",
    "The disk is too slow: {speed} MB/s.",
    "The disk gives back something else than was written.",
    "After the power cut {there} records are there, {confirmed} were confirmed.",
    "Record {number} is damaged after the power cut.",
    "{text} is no number.",
    "The box is not watched.",
    "The service is not running.",
    "The box was stopped dead and stayed so.",
    # What to do.
    "systemctl status faxbox says why.",
    "faxbox doctor says why; often the disk is full.",
    "faxbox check trunk, or check modem, looks at it step by step.",
    "Look at the number of that line.",
    "Look at its wires, its resistor and its pin (faxbox panel --wiring).",
    "faxbox doctor looks at the box.",
    "Stop the panel for the test (systemctl stop faxbox-panel), and run this as the user faxbox.",
    "cupsaccept lets it take them again.",
    "systemctl status cups says why.",
    "lpstat -e names those that there are.",
    "Look at the printer; cupsenable lets it go on.",
    "Use a faster card (class A1 or A2) or an SSD; a card that has become slow is about to fail.",
    "The disk loses what it has confirmed: use another card or SSD, and a better power supply.",
    "Run the part again and type the number.",
    "Look at drop-ins: systemctl cat faxbox.service.",
    "Look at the journal of faxbox.",
)


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Of each sentence with places what fits it."""
    found = []
    for sentence in SENTENCES:
        if "{" in sentence:
            pieces = re.split(r"\{(\w+)\}", sentence)
            fits = "".join(
                f"(?P<{piece}>.+)" if number % 2 else re.escape(piece) for number, piece in enumerate(pieces)
            )
            found.append((sentence, re.compile(fits, re.DOTALL)))
    return tuple(found)


def name_of(part: str) -> str:
    """What a part of the suite is called, in the present reader's language."""
    return said(PARTS.get(part, part))


def parted(told: str) -> tuple[str, Mapping[str, str]]:
    """The sentence of the table that ``told`` is, and what stands at its places.

    What the table does not have comes back as it is, without places.
    """
    if told not in SENTENCES:
        for sentence, fits in _patterns():
            match = fits.fullmatch(told)
            if match is not None:
                return sentence, match.groupdict()
    return told, {}


def spoken(told: str) -> str:
    """What the suite told, in the present reader's language."""
    sentence, values = parted(told)
    return said(sentence).format(**values) if values else said(sentence)
