"""The words of the display and of the drawn panel, in the language of the box's country.

Babel, which reads the catalogues, would stay in the panel's memory for months.  So a process of its own
(``python -m appliance.panel.words REGION``) reads them, prints the sentences as JSON, and ends.
"""

from __future__ import annotations

import functools
import json
import logging
import subprocess
import sys
from collections.abc import Mapping

from appliance.language import ENGLISH, of_country, say
from appliance.panel.lamps import LANGUAGE

_log = logging.getLogger(__name__)

READ_S = 60.0  # limit for a hang; half a second is usual on a small board

# The sentences of the display, whose lines have 21 letters.
STARTS = "faxbox starts"
STOPS = "faxbox stops"
WAIT = "please wait"
NO_ANSWER = "does not answer"
TO_BE_SET_UP = "Ready to be set up"
READY = "Ready"
READY_BUT = "Ready, see web page"
CANNOT_SEND = "Cannot send"
SENDING = "{number} out"
RECEIVING = "{number} in"
UNREAD = "{number} unread"
FAILED = "{number} failed"
CODE = "Code {code}"
DISPLAY = (
    STARTS,
    STOPS,
    WAIT,
    NO_ANSWER,
    TO_BE_SET_UP,
    READY,
    READY_BUT,
    CANNOT_SEND,
    SENDING,
    RECEIVING,
    UNREAD,
    FAILED,
    CODE,
)
# The keys of the panel in a terminal.
KEYS = "c cancel  C cancel all  n newest fax  r retry  R seen  P shut down (held)  q quit"
SENTENCES = (*DISPLAY, KEYS, *(meaning.sentence for meaning in LANGUAGE))


@functools.lru_cache(maxsize=4)
def _table(region: str) -> Mapping[str, str]:
    """English sentence to the language of a country (two letters); empty when that is English."""
    if not region:
        return {}
    command = [sys.executable, "-m", __name__, region]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, timeout=READ_S, check=True)
        found: dict[str, str] = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        _log.warning("the words of the panel stay English: %s", error)
        return {}
    return found


def load(region: str) -> None:
    """Loads the sentences of a country ahead of use: the first time takes a moment."""
    _table(region)


def word(sentence: str, region: str) -> str:
    """One of ``SENTENCES`` in the language of a country."""
    return _table(region).get(sentence, sentence)


def main(region: str) -> None:
    """Prints the sentences in the language of a country as JSON."""
    language = of_country(region)
    print(json.dumps({} if language == ENGLISH else {each: say(each, language) for each in SENTENCES}))


if __name__ == "__main__":
    main(sys.argv[1])
