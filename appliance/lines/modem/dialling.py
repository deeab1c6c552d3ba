"""The dial command for a number, by the rules of this telephone line."""

from __future__ import annotations

import re
from dataclasses import dataclass

from appliance.numbering.emergency import may_reach, region_of

# V.250 6.3.1: digits, tone letters, pause, wait for dial tone, hook flash, quiet answer.
_PREFIX = re.compile(r"[0-9*#ABCD,W!]*", re.IGNORECASE)
_NUMBER = re.compile(r"\+?[0-9*#]+(?:,+[0-9*#]+)*")
_DECORATION = str.maketrans("", "", " -./()\u00a0\u2009\u2011")
# E.164 has at most 15 digits; an extension behind pauses and exchange codes may follow.
MAX_NUMBER_CHARACTERS = 60
MAX_PREFIX_CHARACTERS = 20
# Codes that withhold our number for one call: that of ETSI ETS 300 648 in most of Europe, and those of other
# countries by country code.
WITHHOLD_CODE = "*31#"
WITHHOLD_CODES = {
    "1": "*67",
    "44": "141",
    "353": "141",
    "33": "3651",
    "61": "1831",
    "64": "0197",
    "81": "184",
}


class UndialableError(ValueError):
    """The number cannot be dialled; the message says why."""


@dataclass(frozen=True, slots=True)
class DialRules:
    """The rules of a telephone line.  Raises ValueError for a prefix that a modem cannot dial."""

    prefix: str = ""  # before every number, pauses (,) and waits (W) included: "0," or "9W"
    country_code: str = ""  # of this line, digits only: "49"
    international: str = "00"  # stands for the + of another country
    trunk: str = "0"  # stands for + and the own country code
    pulse: bool = False  # pulse dialling: exchanges without tone dialling
    blind: bool = False  # do not wait for dial tone: exchanges whose tone the modem does not know
    withhold: str = ""  # prefix that withholds our number; empty: the usual one of the country

    def __post_init__(self) -> None:
        if len(self.prefix) > MAX_PREFIX_CHARACTERS or not _PREFIX.fullmatch(self.prefix):
            raise ValueError(f"not a dialling prefix: {self.prefix!r} (digits, *, #, comma for a pause, W)")
        for digits in (self.country_code, self.international, self.trunk):
            if digits and not (digits.isascii() and digits.isdigit() and len(digits) <= 8):
                raise ValueError(f"not a dialling code: {digits!r}")
        if not re.fullmatch(r"[0-9*#]{0,8}", self.withhold):
            raise ValueError(f"not a code that withholds a number: {self.withhold!r}")


def dial_command(number: str, rules: DialRules, *, withhold: bool = False) -> str:
    """The D command (without AT) that dials this number; ``withhold``: without showing ours.

    Raises UndialableError for other characters than digits, *, #, pauses, a leading + and usual separators,
    and for emergency numbers.
    """
    bare = number.translate(_DECORATION)
    if len(bare) > MAX_NUMBER_CHARACTERS or not _NUMBER.fullmatch(bare):
        raise UndialableError(f"{number[:MAX_NUMBER_CHARACTERS]!r} is not a number a telephone line can dial")
    dialled = bare
    if bare.startswith("+"):
        digits = bare[1:]
        if rules.country_code and digits.startswith(rules.country_code):
            bare = rules.trunk + digits[len(rules.country_code) :]
        else:
            bare = rules.international + digits
    code = (rules.withhold or WITHHOLD_CODES.get(rules.country_code, WITHHOLD_CODE)) if withhold else ""
    # The last check: prefixes that are added or removed here can make an emergency number of another.
    ways = (dialled, bare, rules.prefix + bare, rules.prefix + code + bare)
    if any(may_reach(each, region_of(rules.country_code)) for each in ways):
        raise UndialableError("emergency numbers are never dialled")
    if rules.pulse and not set(rules.prefix + code + bare) <= set("0123456789,Ww"):
        raise UndialableError(f"{number!r} needs tone dialling, and this line dials by pulses")
    return ("DP" if rules.pulse else "DT") + rules.prefix.upper() + code + bare


# Durations, seconds: a tone of 95 ms and a pause as long (S11), a digit in pulses at ten a second, waiting
# for a second dial tone, a comma (S8), a hook flash.
_TONE_S, _PULSES_S, _DIAL_TONE_S, _COMMA_S, _FLASH_S = 0.19, 1.5, 2.0, 2.0, 0.7


def dialling_s(command: str) -> float:
    """About how long a modem is busy dialling with this D command, seconds."""
    digit_s = _PULSES_S if command.startswith("DP") else _TONE_S
    times = {",": _COMMA_S, "W": _DIAL_TONE_S, "!": _FLASH_S}
    return sum(times.get(character, digit_s) for character in command[2:])


def call_progress_command(rules: DialRules) -> str:
    """X4 waits for dial tone and detects busy; X3 detects busy only (V.250 6.3.7)."""
    return "X3" if rules.blind else "X4"
