"""The words of the display and of the drawn panel, in the language of the box's country.

Babel, which reads the catalogues, would stay in the panel's memory for months: a process of its own reads
them (``python -m appliance.panel.words REGION``), prints the sentences as JSON, and ends.
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

READ_S = 60.0  # for hangs; half a second on a small board

# What the display says, on lines of 21 letters.
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
# The keys of the panel that is drawn in a terminal.
KEYS = "c cancel  C cancel all  n newest fax  r retry  R seen  P shut down (held)  q quit"
SENTENCES = (*DISPLAY, KEYS, *(meaning.sentence for meaning in LANGUAGE))


@functools.lru_cache(maxsize=4)
def _table(region: str) -> Mapping[str, str]:
    """The sentences in the language of a country (two letters); none when it is English."""
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
    """Reads the words of a country before they are asked for: it takes a moment the first time."""
    _table(region)


def word(sentence: str, region: str) -> str:
    """One of ``SENTENCES`` in the language of a country."""
    return _table(region).get(sentence, sentence)


def main(region: str) -> None:
    """Prints the sentences in the language of a country."""
    language = of_country(region)
    print(json.dumps({} if language == ENGLISH else {each: say(each, language) for each in SENTENCES}))


if __name__ == "__main__":
    main(sys.argv[1])
