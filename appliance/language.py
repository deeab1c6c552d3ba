"""Translation of sentences, dates and numbers in the notation of a country, and texts of one line.

A language is one gettext catalogue, ``appliance/locale/CODE/LC_MESSAGES/faxbox.po`` (docs/web.md says how to
add one); the code has the English sentences.  A leaf module, used by every door.

Babel is imported where it is used: the processes of calls and of the front panel do not need its 40 modules.
"""

from __future__ import annotations

import contextlib
import functools
import gettext
import io
import os
import re
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from babel import Locale

FOLDER = Path(__file__).parent / "locale"
DOMAIN = "faxbox"
ENGLISH = "en"
# What begins another line, or changes the direction of what follows it, such as the name of a file that then
# seems to end in "pdf".  The marks of an Arabic or Hebrew word itself stay.
_LINE_ENDS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_TURNS = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
# Longest Accept-Language header that is read, characters.
_HEADER_LIMIT = 300


@functools.cache
def languages() -> Mapping[str, str]:
    """Names of the available languages in themselves, by code."""
    from babel import Locale  # noqa: PLC0415

    return {code: str(Locale.parse(code).get_language_name(code)).capitalize() for code in codes()}


@functools.cache
def codes() -> tuple[str, ...]:
    """The codes of the available languages, English first."""
    found = sorted(FOLDER.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))
    return (ENGLISH, *(path.parents[1].name for path in found))


@functools.cache
def catalogue(language: str) -> gettext.NullTranslations:
    """The catalogue of a language; English for an unknown one."""
    if language == ENGLISH or language not in codes():
        return gettext.NullTranslations()
    from babel.messages.mofile import write_mo  # noqa: PLC0415
    from babel.messages.pofile import read_po  # noqa: PLC0415

    with (FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as file:
        messages = read_po(file, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


class Filled(str):
    """An English sentence with its placeholders filled in, which `say` also fills in other languages.

    It may be a value of another one, in which it has no full stop.
    """

    __slots__ = ("template", "values")
    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, values: Mapping[str, object]) -> Self:
        """The sentence ``template`` with ``values`` in place of its placeholders."""
        made = super().__new__(cls, template.format(**{name: _within(each) for name, each in values.items()}))
        made.template, made.values = template, values
        return made

    def __getnewargs__(self) -> tuple[str, Mapping[str, object]]:  # type: ignore[override]
        """What it is made of, for pickle."""
        return self.template, self.values


def _within(value: object, language: str = ENGLISH) -> object:
    return say(value, language).removesuffix(".") if isinstance(value, Filled) else value


def filled(template: str, **values: object) -> Filled:
    """The sentence with its placeholders filled in; also marks it for the catalogue."""
    return Filled(template, values)


def say(sentence: str, language: str) -> str:
    """The sentence in that language; English without a translation."""
    if isinstance(sentence, Filled):
        values = {name: _within(each, language) for name, each in sentence.values.items()}
        return say(sentence.template, language).format(**values)
    return catalogue(language).gettext(sentence) if sentence else ""


def choose(accepted: str, chosen: str = "") -> str:
    """The language of an answer: ``chosen``, else the best available one of an Accept-Language header
    (RFC 9110 12.5.4), else English.
    """
    if chosen in codes():
        return chosen
    wanted: list[tuple[float, int, str]] = []
    for place, entry in enumerate(accepted[:_HEADER_LIMIT].split(",")):
        tag, _, parameter = entry.strip().partition(";")
        try:
            weight = float(parameter.strip().removeprefix("q=")) if parameter else 1.0
        except ValueError:
            continue
        code = tag.strip().lower().partition("-")[0]
        if weight > 0 and code in codes():
            wanted.append((-weight, place, code))
    return min(wanted)[2] if wanted else ENGLISH


def of_machine(chosen: str = "") -> str:
    """The language of a command's output: ``chosen``, else that of the environment (LANG)."""
    return choose(chosen or os.environ.get("LANG", "").partition(".")[0].replace("_", "-"))


def of_country(region: str) -> str:
    """The first available official language of a country (two letters), else English."""
    from babel.languages import get_official_languages  # noqa: PLC0415

    return next((code for code in get_official_languages(region) if code in codes()), ENGLISH)


def notation_of(region: str) -> str:
    """The locale of a country (two letters), such as de-AT; empty for none."""
    from babel.languages import get_official_languages  # noqa: PLC0415

    spoken = next(iter(get_official_languages(region, de_facto=True)), "")
    return f"{spoken.partition('_')[0]}-{region}" if spoken else ""


@functools.cache
def locale_of(language: str, region: str = "") -> Locale:
    """The locale of ``language`` in country ``region`` (two letters)."""
    from babel import Locale, UnknownLocaleError  # noqa: PLC0415

    for name in (f"{language}_{region}", f"{language}_GB" if language == ENGLISH else language):
        try:
            return Locale.parse(name)
        except (UnknownLocaleError, ValueError):
            continue
    return Locale.parse(ENGLISH)


class Formatter:
    """Formats times and numbers for one reader.  ``zone`` None: the system's."""

    def __init__(self, locale: Locale, zone: tzinfo | None) -> None:
        from babel import dates, localtime, numbers  # noqa: PLC0415

        self._locale = locale
        self._zone = zone
        self._dates, self._numbers, self._localtime = dates, numbers, localtime

    @property
    def tag(self) -> str:
        """The locale as browsers name it, such as en-GB."""
        return str(self._locale).replace("_", "-")

    @property
    def zone_name(self) -> str:
        """The time zone as browsers name it, such as Europe/Berlin.

        Empty, or one that they do not know, if the system's has no name.
        """
        try:
            return str(self._zone or self._localtime.get_localzone())
        except LookupError:
            return ""

    def _moment(self, at: float) -> datetime:
        return datetime.fromtimestamp(at).astimezone(self._zone)

    def date(self, at: float) -> str:
        """The day of a Unix time, such as 28 Nov 2026."""
        return self._dates.format_date(self._moment(at), "medium", locale=self._locale)

    def day(self, at: float) -> str:
        """The day without its year, such as 28 Nov."""
        return self._dates.format_skeleton("MMMd", self._moment(at), locale=self._locale)

    def time(self, at: float) -> str:
        """The time of day, such as 14:35."""
        return self._dates.format_time(self._moment(at), "short", locale=self._locale)

    def date_time(self, at: float | None) -> str:
        """Date and time of a Unix time; empty for None."""
        if at is None:
            return ""
        return self._dates.format_datetime(self._moment(at), "medium", locale=self._locale)

    def near(self, at: float, now: float) -> str:
        """A Unix time in short: the time of day if it is on the day of ``now``, else the day."""
        moment, present = self._moment(at), self._moment(now)
        if moment.date() == present.date():
            return self.time(at)
        if moment.year == present.year:
            return self._dates.format_skeleton("MMMd", moment, locale=self._locale)
        return self._dates.format_date(moment, "short", locale=self._locale)

    def number(self, value: float) -> str:
        """A number with the country's separators of thousands and decimals."""
        return self._numbers.format_decimal(value, locale=self._locale)

    def fixed(self, value: float) -> str:
        """The same with two decimals, whatever they are: for columns of numbers."""
        return self._numbers.format_decimal(value, format="#,##0.00", locale=self._locale)


# -- the reader of what is being answered ----------------------------------------------------------

_reader: ContextVar[str] = ContextVar("reader", default=ENGLISH)


def speak(language: str) -> None:
    """Sets the language of this thread; the doors call it for each request."""
    _reader.set(language)


def spoken() -> str:
    """The language of this thread."""
    return _reader.get()


@contextlib.contextmanager
def speaking(language: str) -> Iterator[None]:
    """A context in which ``language`` is that of this thread."""
    before = _reader.set(language)
    try:
        yield
    finally:
        _reader.reset(before)


def said(sentence: str) -> str:
    """The sentence in the language of this thread; also marks it for the catalogue."""
    return say(sentence, spoken())


def ngettext(one: str, many: str, count: int) -> str:
    """The sentence for ``count``, singular or plural, in the language of this thread; marks both for the
    catalogue.
    """
    return catalogue(spoken()).ngettext(one, many, count)


def one_line(text: str) -> str:
    """What a person or a machine wrote, as one line without control characters and changes of direction."""
    return " ".join(_TURNS.sub("", _LINE_ENDS.sub(" ", text)).split())


def marked(sentence: str) -> str:
    """The sentence as it is: marks for the catalogue what is put into words later, where it is shown."""
    return sentence
