"""``faxbox line``: makes a SIP trunk or a modem a line, by questions or options, checks it and tries it.

If a box runs on the folder, it makes the line and reports its state; otherwise the line is written to the
settings and is used from the next start on.
"""

from __future__ import annotations

import argparse
import getpass
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.causes import DELIVERED
from appliance.commands import check as trunk_check
from appliance.commands.running_box import BoxRefusedError, BoxUnreachableError, RunningBox, line_of
from appliance.commands.through_box import running_on, send_through
from appliance.configuration import open_settings
from appliance.daemon.arguments import (
    EXIT_UNUSABLE,
    EXIT_USAGE,
    add_data_argument,
    complain,
    data_folder,
    first_line,
    print_json,
    print_lines,
    settles,
)
from appliance.exchange.making import check_line
from appliance.language import said
from appliance.lines.modem import check as modem_check
from appliance.lines.modem.find import candidates
from appliance.lines.modem.settings import ClassOneModem
from appliance.lines.settings import LineSettings
from appliance.lines.sip.settings import SipSettings, SipTrunk
from appliance.lines.sip.trunk_kinds import TRUNK_KINDS
from appliance.settings.fields import TYPE_KEY, SettingError, describe, from_document, from_text
from appliance.settings.files import SettingsDamagedError
from appliance.settings.store import SettingsStore

# Exit codes: the line works, or will be used when the box starts; the line was made but does not work.
GOOD, TROUBLE = 0, 1
# Time for a new line to become usable, and the interval of asking, seconds: a registration with its retries.
UP_S, LOOK_S = 35.0, 0.2
_PAGE = b"faxbox line add: this page only shows that faxes get through.\n"


@dataclass(frozen=True, slots=True)
class Question:
    """One field of a line: its option, and what is asked where that was not given."""

    field: str
    option: str
    words: str
    usual: str = ""
    secret: bool = False
    unsaid: str = ""  # the effect of leaving it out


NAME, SERVER = (
    Question("name", "name", "Name of the line"),
    Question("server", "--server", "Server of the provider, host or host:port"),
)
USERNAME = Question(
    "username",
    "--username",
    "User name of the account",
    unsaid="the box does not sign in: only calls from the server itself come in",
)
PASSWORD = Question("password", "--password-file", "Password of the account", secret=True)
PEERS = Question("peers", "--peers", "Addresses or networks that calls come from, with commas")
DEVICE = Question("device", "--device", "Port of the modem (empty: any that is found)")
OUTSIDE = Question("outside_prefix", "--outside-prefix", "Dialled before every number (empty: nothing)")
COUNTRY = Question(
    "country_code",
    "--country-code",
    "Country code, digits only, such as 49",
    unsaid="numbers are dialled as they are written, and only a + tells a country",
)
AREA = Question("area_code", "--area-code", "Area code without its 0, such as 30 (empty: none)")
CALLER = Question("caller_number", "--caller-number", "Your fax number, as others see it (empty: not shown)")
_KINDS: Mapping[str, tuple[type[LineSettings], tuple[Question, ...]]] = {
    "sip": (SipTrunk, (SERVER, USERNAME, PASSWORD, PEERS, COUNTRY, AREA, CALLER)),
    "modem": (ClassOneModem, (DEVICE, COUNTRY, AREA, OUTSIDE)),
}
_EXAMPLE = (
    "faxbox line add sip provider --server sip.provider.example --username acct4711"
    " --password-file FILE --country-code 49"
)
_USUAL_NAMES = {"sip": "trunk", "modem": "telephone"}


def register(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds ``line`` to the command's words."""
    line = words.add_parser("line", help="add a SIP trunk or a modem, check it; list the lines")
    actions = line.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = actions.add_parser("add", help="add a line; asks for what no option says")
    kinds = add.add_subparsers(dest="kind", required=True, metavar="KIND")
    for kind, (_, questions) in _KINDS.items():
        one = kinds.add_parser(kind, help={"sip": "a SIP trunk", "modem": "a modem"}[kind])
        one.add_argument("name", nargs="?", help="name of the line")
        if kind == "sip":
            told = " ".join(f"{kind.name}: {kind.title}. {kind.help}" for kind in TRUNK_KINDS.values())
            one.add_argument("--template", choices=list(TRUNK_KINDS), default=None, help=told)
        for question in questions:
            metavar = "FILE" if question.secret else "VALUE"
            more = " is in this file; - for the first line of the input" if question.secret else ""
            one.add_argument(
                question.option, dest=question.field, metavar=metavar, help=question.words + more
            )
        one.add_argument(
            "--set", action="append", default=[], metavar="FIELD=VALUE", help="any other setting of the line"
        )
        one.add_argument("--to", metavar="NUMBER", help="send a test page to this fax machine")
        asking = one.add_mutually_exclusive_group()
        asking.add_argument("--ask", action="store_true", help="ask, also where no terminal is")
        asking.add_argument("--no-questions", action="store_true", help="ask nothing: for scripts")
        add_data_argument(one)
        one.set_defaults(run=add_command)
    listed = actions.add_parser("list", help="the lines, in the order they are tried")
    listed.add_argument("--json", action="store_true", help="as JSON, for programs")
    add_data_argument(listed)
    listed.set_defaults(run=settles(list_command))


# -- add -----------------------------------------------------------------------------------------


def add_command(arguments: argparse.Namespace) -> int:
    """Asks for settings, makes the line, checks and tries it; the exit code.

    A line that does not work yet is kept, and what is wrong is printed.
    """
    data = data_folder(arguments)
    ask = arguments.ask or (sys.stdin.isatty() and not arguments.no_questions)
    try:
        values = _values(arguments, ask=ask)
        number = arguments.to
        if number is None:
            number = _asked("A fax machine whose owner expects a test page (empty: none)") if ask else ""
        beside = running_on(data)
        if beside is None:
            _store(open_settings(data), values)
        else:
            beside.post("/line-settings", values)
    except EOFError:
        return complain("the answers ended before the questions", EXIT_USAGE)
    except (SettingError, ValueError, BoxRefusedError, BoxUnreachableError) as error:
        return complain(str(error), EXIT_USAGE)
    except (OSError, SettingsDamagedError) as error:
        return complain(str(error), EXIT_UNUSABLE)
    print(f"The line {values['name']} is in the settings.")
    try:
        return _try(arguments, beside, data, values, number)
    except (BoxRefusedError, BoxUnreachableError) as error:
        return complain(str(error), TROUBLE)


def _values(arguments: argparse.Namespace, *, ask: bool) -> dict[str, Any]:
    """The line's settings as a document.  Raises SettingError, OSError, EOFError."""
    kind: str = arguments.kind
    shape, questions = _KINDS[kind]
    values: dict[str, Any] = {TYPE_KEY: kind}
    if kind == "sip":
        trunk = TRUNK_KINDS[arguments.template or (_template() if ask else "account")]
        values |= trunk.settings
        left_out = (PEERS,) if trunk.has_account else (USERNAME, PASSWORD)
        questions = tuple(question for question in questions if question not in left_out)
        # Fields that are not asked for may be given as options.
        for question in left_out:
            _take(values, shape, question, _given(arguments, question))
    elif ask and arguments.device is None:
        for found in candidates():
            print(f"  {found.path}: {found.what}" + ("" if found.fit else " (cannot fax under Linux)"))
    usual = Question(NAME.field, NAME.option, NAME.words, _USUAL_NAMES[kind])
    for question in (usual, *questions):
        given = _given(arguments, question)
        if given is None and ask:
            _ask_for(values, shape, question)
        elif given is not None or question is usual:
            _take(values, shape, question, given if given is not None else question.usual)
    for assignment in arguments.set:
        field, _, text = assignment.partition("=")
        if any(known.secret for known in describe(shape) if known.name == field):
            raise SettingError(
                field,
                said(
                    "every user of this machine can read what stands on a command line: {option} takes a file"
                ).format(option=PASSWORD.option),
            )
        values[field] = from_text(shape, field, text, "line")
    if kind == "sip" and not values.get("server"):
        raise SettingError(
            SERVER.option,
            said("the server is needed")
            if ask
            else said(
                "the server is needed, and nobody is asked without a terminal: give the answers as options,"
                " as in {example} (--help lists all), or --ask to read them from the input"
            ).format(example=_EXAMPLE),
        )
    if not ask:
        _say_what_is_open(values, questions)
    return values


def _say_what_is_open(values: Mapping[str, Any], questions: Sequence[Question]) -> None:
    """Prints the fields that were neither asked for nor given, with the effect of that."""
    for question in questions:
        if question.unsaid and not values.get(question.field):
            print(f"Without {question.option} {question.unsaid}.")


def _given(arguments: argparse.Namespace, question: Question) -> str | None:
    given: str | None = getattr(arguments, question.field)
    if given is None or not question.secret:
        return given
    return first_line(None if given == "-" else Path(given))


def _take(values: dict[str, Any], shape: type[LineSettings], question: Question, text: str | None) -> None:
    """Sets a field from the given text.  Raises SettingError."""
    if text is not None:
        values[question.field] = from_text(shape, question.field, text, "line")


def _template() -> str:
    names = list(TRUNK_KINDS)
    for place, kind in enumerate(TRUNK_KINDS.values(), 1):
        print(f"  {place}  {kind.title}: {kind.help}")
    while True:
        answer = _asked("Which of these is it", "1")
        if answer in names:
            return answer
        if answer.isdecimal() and 1 <= int(answer) <= len(names):
            return names[int(answer) - 1]
        print(f"A number from 1 to {len(names)} is needed.")


def _ask_for(values: dict[str, Any], shape: type[LineSettings], question: Question) -> None:
    """Asks until the answer is valid."""
    usual = str(values.get(question.field, question.usual))
    while True:
        try:
            _take(values, shape, question, _asked(question.words, usual, secret=question.secret))
            if values[question.field] or question not in (SERVER, NAME):
                return
            print("It is needed.")
        except SettingError as error:
            print(f"{error.problem}.")


def _asked(words: str, usual: str = "", *, secret: bool = False) -> str:
    """The answer to a question; ``usual`` when it is empty.  Raises EOFError."""
    prompt = f"{words} [{usual}]: " if usual else f"{words}: "
    read: Callable[[str], str] = getpass.getpass if secret and sys.stdin.isatty() else input
    return read(prompt).strip() or usual


def _store(store: SettingsStore, values: Mapping[str, Any]) -> None:
    """Adds the line to the settings of a box that does not run.  Raises SettingError, ValueError."""
    line = from_document(LineSettings, values, "line")
    if any(known.name == line.name for known in store.items(LineSettings).values()):
        raise SettingError("name", said("there is a line of this name"))
    check_line(line, store.section(SipSettings))
    store.add(line)


# -- checking and trying ---------------------------------------------------------------------------


def _try(
    arguments: argparse.Namespace,
    beside: RunningBox | None,
    data: Path,
    values: Mapping[str, Any],
    number: str,
) -> int:
    """Prints the line's state, and sends the test page if there is a number; the exit code.

    Raises BoxRefusedError, BoxUnreachableError.
    """
    name = values["name"]
    if beside is not None:
        state = _up(beside, name)
        print(state["sentence"])
        if not state["usable"]:
            print(f"It is not ready. Look again with: faxbox line list --data {data}")
            return TROUBLE
    if arguments.kind == "sip" and number:
        return trunk_check.check(argparse.Namespace(name=name, to=number, data=data))
    if beside is None and arguments.kind == "modem":
        asked = [values.get("device", ""), "--call", number, "--prefix", values.get("outside_prefix", "")]
        return modem_check.run(asked)
    if beside is None:
        print("No box runs on this folder: the line comes into use with it.")
        print(f"A test page before that: faxbox check trunk {name} --to NUMBER --data {data}")
        return GOOD
    return _send_page(beside, name, number) if number else GOOD


def _up(box: RunningBox, name: str) -> dict[str, Any]:
    """The line's state once it is usable, or at the end of ``UP_S``."""
    deadline = time.monotonic() + UP_S
    while True:
        state = line_of(box, name) or {"usable": False, "sentence": "The box does not run it yet."}
        if state["usable"] or time.monotonic() > deadline:
            return state
        time.sleep(LOOK_S)


def _send_page(box: RunningBox, name: str, number: str) -> int:
    request = trunk_check.page_request(name, number, "line.txt", _PAGE)
    result = send_through(box, request, print).result
    print(result.cause.sentence)
    return GOOD if result.cause is DELIVERED else TROUBLE


# -- list ----------------------------------------------------------------------------------------


def list_command(arguments: argparse.Namespace) -> int:
    """Prints the state of each line of the running box, else the lines in the settings; the exit code."""
    data = data_folder(arguments)
    beside = running_on(data)
    if beside is not None:
        lines = beside.get("/lines")["lines"]
    else:
        entries = sorted(open_settings(data).items(LineSettings).items(), key=lambda e: e[1].position)
        lines = [
            {"id": line_id, "name": line.name, "usable": False, "sentence": "No box runs on this folder."}
            for line_id, line in entries
        ]
    if arguments.json:
        print_json(lines)
        return GOOD
    said = [f"{line['name']}: {line['sentence']}" for line in lines]
    print_lines(said, "There is no line yet: faxbox line add sip, or faxbox line add modem.")
    return GOOD
