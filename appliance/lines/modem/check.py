"""``faxbox check modem [PORT]``: finds the modem, its capabilities and the dial tone, and gives advice."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable, Sequence

from appliance.causes import DELIVERED
from appliance.lines.line import OutgoingCall, Refuse
from appliance.lines.modem import causes
from appliance.lines.modem.conversation import Conversation
from appliance.lines.modem.dialling import DialRules
from appliance.lines.modem.find import Candidate, candidates
from appliance.lines.modem.identify import Interrogation, Modem, number_list
from appliance.lines.modem.line import ModemLine
from appliance.lines.modem.opening import FIRST_SPEED, IDENTIFY_LIMIT_S, ModemSettings
from appliance.lines.modem.quirks import TABLE, FlowControl
from appliance.lines.modem.results import Result
from appliance.lines.modem.serial_link import PortError, ask
from appliance.t4.page import Raster, Resolution
from appliance.t30.memory import MemoryOwner
from appliance.t30.parameters import CallParameters, Progress, Role

Say = Callable[[str], None]

EXIT_GOOD, EXIT_TROUBLE, EXIT_USAGE = 0, 1, 2
# The modem's own limit of waiting for dial tone is a few seconds (S6).
DIAL_TONE_S = 15.0
READY_S = 30.0
# The page of the self-test: some 30 KiB in any coding, a quarter of a minute at 14400 bit/s.
TEST_ROWS = 1100
_BAND_ROWS = 110


def register(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds ``modem`` to the words of ``faxbox check``."""
    parser = words.add_parser("modem", help="what modem there is, what it can do, whether the line is alive")
    add_arguments(parser)
    parser.set_defaults(run=check)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the modem check, which ``check`` reads."""
    parser.add_argument("port", nargs="?", default="", metavar="PORT", help="found by itself if not named")
    parser.add_argument("--no-line", action="store_true", help="do not listen for dial tone")
    parser.add_argument("--call", default="", metavar="NUMBER", help="send a test page to this fax machine")
    parser.add_argument("--prefix", default="", help="dialled before the number: 0, or 9W")
    parser.add_argument("--blind", action="store_true", help="do not wait for dial tone")
    parser.add_argument("--pulse", action="store_true", help="dial by pulses")


def run(arguments: Sequence[str], say: Say = print) -> int:
    """The command with its own arguments: 0 when a modem can fax, 1 when not, 2 for wrong arguments."""
    parser = argparse.ArgumentParser(prog="faxbox check modem", description=__doc__)
    add_arguments(parser)
    try:
        parsed = parser.parse_args(list(arguments))
    except SystemExit as error:
        return EXIT_GOOD if error.code in (0, None) else EXIT_USAGE
    return check(parsed, say)


def check(arguments: argparse.Namespace, say: Say = print) -> int:
    """The command with parsed arguments; the exit code."""
    try:
        rules = DialRules(prefix=arguments.prefix, blind=arguments.blind, pulse=arguments.pulse)
    except ValueError as error:
        say(str(error))
        return EXIT_USAGE
    return asyncio.run(_check(arguments, rules, say))


async def _check(arguments: argparse.Namespace, rules: DialRules, say: Say) -> int:
    found = candidates(arguments.port)
    if not found:
        say("No fax modem is plugged in.")
        say("Advice: plug in a USB fax modem of class 1; name its port if it is not found by itself.")
        return EXIT_TROUBLE
    for candidate in found:
        if not candidate.fit:
            say(f"{candidate.path}: {candidate.what}. It cannot fax under Linux: get another modem.")
            continue
        modem = await _identify(candidate, say)
        if modem is None:
            continue
        if not modem.class_1:
            say("Advice: this device has no class-1 fax; get a modem that has.")
            continue
        good = True
        if not arguments.no_line:
            good = await _dial_tone(candidate.path, modem, rules, say)
        if arguments.call and good:
            good = await _self_test(candidate.path, arguments.call, rules, say)
        say("The modem can be used." if good else "The modem answers, but a fax would not go out.")
        return EXIT_GOOD if good else EXIT_TROUBLE
    return EXIT_TROUBLE


async def _identify(candidate: Candidate, say: Say) -> Modem | None:
    say(f"{candidate.path}: {candidate.what}.")
    interrogation = Interrogation()
    try:
        await ask(candidate.path, FIRST_SPEED, FlowControl.RTS_CTS, interrogation, IDENTIFY_LIMIT_S)
    except PortError as error:
        say(str(error))
        if "dialout" in str(error):
            say("Advice: add the user to the group: adduser USER dialout; log in again.")
        elif "another program" in str(error):
            say("Advice: the fax service itself may hold it, or ModemManager; stop it for the check.")
        return None
    if interrogation.result is None:
        say(interrogation.failed)
        say("Advice: unplug the modem for ten seconds; if it stays silent, this port is no modem.")
        return None
    modem = interrogation.result
    say(modem.in_words())
    for row in TABLE:
        if row.name == modem.row:
            say(f"Peculiarity: {row.reason}")
    answers = dict(modem.answers)
    for query in ("+FCLASS=?", "+FTM=?", "+FRM=?", "+FTH=?", "+FRH=?"):
        say(f"  {query:<10} {answers.get(query) or 'no answer'}")
    if not answers.get("+FTM=?"):
        say("  The lists are missing: V.27ter and V.29 are taken for granted, V.17 is not used.")
    say(f"  Distinctive rings are {'told' if modem.distinctive_ring else 'not told'} apart.")
    return modem


async def _dial_tone(path: str, modem: Modem, rules: DialRules, say: Say) -> bool:
    """Whether there is dial tone: the modem goes off hook, listens shortly, and goes on hook."""
    asked = Conversation(["E0V1Q0", "-STE=?"])
    reports_in_use = False
    try:
        await ask(path, modem.quirks.speed, modem.quirks.flow, asked, DIAL_TONE_S)
        reports_in_use = any(
            1 in number_list(" ".join(e.lines)) for e in asked.exchanges if e.command == "-STE=?"
        )
        commands = ["+FCLASS=1", *(["-STE=1"] if reports_in_use else []), "X4", "DT;", "H0", "+FCLASS=0"]
        heard = Conversation(commands, within=DIAL_TONE_S)
        await ask(path, modem.quirks.speed, modem.quirks.flow, heard, DIAL_TONE_S * 3)
    except PortError as error:
        say(str(error))
        return False
    tone = next((e for e in heard.exchanges if e.command == "DT;"), None)
    if not reports_in_use:
        say("Whether current flows in the line, or another telephone is off hook, this modem does not tell.")
    if tone is not None and tone.result is Result.OK:
        say("Dial tone: heard.")
        return True
    if tone is not None and tone.word.upper() == "LINE IN USE":
        say("Another telephone on this line is off the hook.")
        return False
    if tone is not None and tone.result is Result.NO_DIALTONE:
        say("Dial tone: none.")
        if rules.blind:
            say("Blind dialling is asked for, so calls are placed all the same.")
            return True
        say("Advice: check the cable to the socket; behind a telephone system try --blind or a --prefix.")
        return False
    word = tone.word if tone is not None and tone.word else "nothing"
    say(f"Dial tone: the modem said {word}; it may not be able to tell.")
    return True


async def _self_test(path: str, number: str, rules: DialRules, say: Say) -> bool:
    """Sends a page to a fax machine that the owner names; whether it arrived."""
    line = ModemLine("check", ModemSettings(port=path, rules=rules))
    await line.start(lambda _: Refuse(causes.SHARED_LINE))
    try:
        if not await line.wait_usable(READY_S):
            say(line.state().sentence)
            return False
        say(f"Sending a test page to {number}.")

        def watch(progress: Progress) -> None:
            if progress.event not in ("modem", "frame_sent", "frame_received"):
                facts = " ".join(f"{name}={value}" for name, value in progress.fields)
                say(f"  {progress.event} {facts}".rstrip())

        page = Raster(1728, TEST_ROWS, _stripes(TEST_ROWS), Resolution.STANDARD)
        call = OutgoingCall(number, CallParameters(Role.CALLS))
        result = await line.place(call, MemoryOwner([page], progress=watch))
    finally:
        await line.stop()
    say(result.cause.sentence)
    if result.cause is not DELIVERED:
        say(f"Advice: {result.cause.advice}")
        return False
    rate = result.bit_rate
    say(f"At {rate} bit/s, {'with' if result.ecm else 'without'} error correction.")
    return True


def _stripes(rows: int) -> bytes:
    left, right = b"\xff\x00" * 108, b"\x00\xff" * 108
    return b"".join(left if row // _BAND_ROWS % 2 else right for row in range(rows))
