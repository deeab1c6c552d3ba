"""``faxbox doctor``: checks everything that a box needs, and prints findings and advice."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from appliance.commands.running_box import BoxRefusedError, BoxUnreachableError, RunningBox
from appliance.configuration import open_settings
from appliance.daemon.arguments import (
    add_data_argument,
    data_folder,
    print_json,
    settles,
)
from appliance.doctor import bundle
from appliance.doctor.findings import Finding, Severity, examine
from appliance.doctor.looks import looks
from appliance.doctor.versions import versions
from appliance.language import of_machine, speak

_MARKS = {Severity.FINE: "ok", Severity.WARNING: "!", Severity.BROKEN: "X", Severity.SKIPPED: "-"}


def register(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds ``doctor`` to the command's words."""
    parser = words.add_parser("doctor", help="look at everything that the box needs, and say what to do")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.add_argument("--language", default="", metavar="CODE", help="such as de; else the machine's own")
    parser.add_argument(
        "--bundle",
        type=Path,
        metavar="FILE",
        help="also write a ZIP file for somebody who helps: no secrets, numbers masked, no faxes",
    )
    add_data_argument(parser)
    parser.set_defaults(run=settles(run))


def run(arguments: argparse.Namespace) -> int:
    """``faxbox doctor`` with its parsed arguments: 0 when nothing is broken, 1 when something is."""
    folder = data_folder(arguments)
    store = open_settings(folder, mend=True)
    speak(of_machine(arguments.language))
    found = list(examine(looks(folder, store, _running(folder))))
    if arguments.json:
        print_json([finding.view() for finding in found])
    else:
        print("\n".join(_lines(found)))
    if arguments.bundle is not None:
        views = [finding.view() for finding in found]
        arguments.bundle.write_bytes(bundle.zipped(views, versions(), store.export()))
    return int(any(finding.state is Severity.BROKEN for finding in found))


def _running(folder: Path) -> RunningBox | str:
    """The box that runs on the folder; else why there is none."""
    try:
        box = RunningBox(folder)
        box.get("/health")
    except (BoxUnreachableError, OSError) as error:
        return str(error)
    except BoxRefusedError:
        pass  # it answers that it is not well
    return box


def _lines(found: list[Finding]) -> Iterator[str]:
    for finding in found:
        detail = f" ({finding.detail})" if finding.detail else ""
        yield f"{_MARKS[finding.state]:>2}  {finding.part:<12} {finding.sentence}{detail}"
        if finding.advice:
            yield f"{'':18}→ {finding.advice}"
