"""``faxbox hardware-test``: tests the box part by part, and writes a signed report."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from appliance.commands.running_box import BoxUnreachableError, RunningBox
from appliance.configuration import open_settings
from appliance.daemon.arguments import (
    EXIT_UNUSABLE,
    EXIT_USAGE,
    add_data_argument,
    bounded,
    complain,
    data_folder,
)
from appliance.doctor.versions import build
from appliance.hardware import folder, report, runs, signing, suite
from appliance.hardware.rig import AtTerminal, Rig
from appliance.hardware.words import spoken
from appliance.language import of_machine, speak
from appliance.settings.files import SettingsDamagedError
from appliance.station import StationSettings

REPORTS_FOLDER = "hardware-tests"  # in the data folder
_MARKS = {suite.SuiteOutcome.PASSED: "ok", suite.SuiteOutcome.FAILED: "X", suite.SuiteOutcome.SKIPPED: "-"}
_MINUTE_S = 60.0


def register(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds ``hardware-test`` to the command's words."""
    parser = words.add_parser("hardware-test", help="try the whole box, and write a signed report")
    parser.add_argument(
        "--part", action="append", default=[], help="only this part; may be given several times"
    )
    parser.add_argument("--list", action="store_true", help="name the parts")
    parser.add_argument("--person", action="store_true", help="you are here to look and to press")
    parser.add_argument(
        "--jig", default="", metavar="PIN:SPARE,…", help="pins of the panel that wires join to spare pins"
    )
    parser.add_argument(
        "--number", action="append", default=[], metavar="LINE=NUMBER", help="under which a line is called"
    )
    parser.add_argument(
        "--to", default="", metavar="NUMBER", help="a fax machine whose owner expects a page over each trunk"
    )
    parser.add_argument(
        "--load-to", default="9990", metavar="NUMBER", help="where the load goes (default 9990)"
    )
    parser.add_argument(
        "--minutes", type=bounded(float, 0.0), default=60.0, help="how long the load lasts (default 60)"
    )
    parser.add_argument(
        "--heat-minutes",
        type=bounded(float, 0.0),
        default=5.0,
        metavar="MINUTES",
        help="of all cores at work (default 5)",
    )
    parser.add_argument("--printer", action="append", default=[], metavar="QUEUE", help="print a page there")
    parser.add_argument("--power-cut", action="store_true", help="you are going to pull the plug")
    parser.add_argument("--watchdog", action="store_true", help="stop the box dead, to see it come again")
    parser.add_argument("--language", default="", metavar="CODE", help="such as de; else the machine's own")
    parser.add_argument("--out", type=Path, metavar="DIR", help="for the report (default: in --data)")
    parser.add_argument(
        "--json", action="store_true", help="tell everything as lines of JSON; end with the standard input"
    )
    parser.add_argument("--verify", type=Path, metavar="REPORT", help="whether a report.json is unchanged")
    parser.add_argument("--key", default="", help="with --verify: the key that it must be signed with")
    add_data_argument(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """``faxbox hardware-test`` with its parsed arguments: 0 for green, 1 for red."""
    speak(of_machine(arguments.language))
    if arguments.verify is not None:
        return _verify(arguments.verify, arguments.key)
    try:
        known = folder.parts()
    except folder.SuiteMissingError as error:
        return complain(str(error), EXIT_UNUSABLE)
    if arguments.list:
        print("\n".join(known))
        return 0
    unknown = sorted(set(arguments.part) - set(known))
    if unknown:
        return complain(f"there is no part {unknown[0]}; there are {', '.join(known)}", EXIT_USAGE)
    data = data_folder(arguments)
    try:
        rig = rig_of(arguments, data)
        key = signing.box_key(data)
    except ValueError as error:
        return complain(str(error), EXIT_USAGE)
    except (SettingsDamagedError, signing.KeyDamagedError, OSError) as error:
        return complain(str(error), EXIT_UNUSABLE)
    began = time.time()
    results = suite.run(rig, arguments.part, _tell_json if arguments.json else _tell)
    made = report.document(
        results,
        key,
        station=rig.store.section(StationSettings).name,
        build=build(),
        began=began,
        ended=time.time(),
    )
    where = arguments.out or data / REPORTS_FOLDER / time.strftime("%Y%m%d-%H%M%S", time.gmtime(began))
    report.write(where, made, key)
    if arguments.json:
        runs.tell({"verdict": made["verdict"], "folder": str(where)})
        return int(made["verdict"] != folder.GREEN)
    print(f"{made['verdict'].upper()}  {where / folder.JSON_FILE}, {where / folder.PDF_FILE}")
    return int(made["verdict"] != folder.GREEN)


def rig_of(arguments: argparse.Namespace, data: Path) -> Rig:
    """The rig as the arguments describe it.  Raises ValueError for an option that is not a pair."""
    try:
        box = RunningBox(data)
        box.get("/causes")
    except (BoxUnreachableError, OSError):
        box = None
    # Over a pipe the run can also be stopped without a person at the rig.
    person = runs.AtPipe() if arguments.json else AtTerminal()
    return Rig(
        data=data,
        store=open_settings(data),
        box=box,
        person=person if arguments.person else None,
        jig={int(pin): int(spare) for pin, spare in _pairs(arguments.jig.split(","), ":")},
        numbers=dict(_pairs(arguments.number, "=")),
        fax_to=arguments.to,
        load_to=arguments.load_to,
        load_s=arguments.minutes * _MINUTE_S,
        heat_s=arguments.heat_minutes * _MINUTE_S,
        printers=tuple(arguments.printer),
        power_cut=arguments.power_cut,
        watchdog=arguments.watchdog,
    )


def _pairs(texts: list[str], mark: str) -> list[tuple[str, str]]:
    pairs = [text.partition(mark) for text in texts if text.strip()]
    if any(not (first and last) for first, _, last in pairs):
        raise ValueError(f"write each as A{mark}B")
    return [(first.strip(), last.strip()) for first, _, last in pairs]


def _tell(result: suite.SuiteResult) -> None:
    more = f" ({result.measured})" if result.measured else ""
    print(f"{_MARKS[result.outcome]:>2}  {result.part:<12} {result.test}{more}", flush=True)
    for text in (spoken(result.reason), spoken(result.advice)):
        if text:
            print(f"{'':18}→ {text}", flush=True)


def _tell_json(result: suite.SuiteResult) -> None:
    runs.tell({"result": result.view()})


def _verify(path: Path, key: str) -> int:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        good = signing.is_signed(found, key)
    except (OSError, ValueError, AttributeError) as error:
        return complain(f"{path} is no report: {error}", EXIT_USAGE)
    if good:
        print(f"{path} is as it was signed by {found['key']}")
    else:
        print(f"{path} was changed since it was signed, or signed by another box")
    return int(not good)
