"""Hardware tests from the web pages: starting, following, answering, stopping, and the signed report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from appliance.api.problems import ProblemError
from appliance.api.rest.checking import flaw
from appliance.api.rest.content import saved_as
from appliance.api.rest.routes import Answer, Call, Parameter, Routes
from appliance.api.rest.schemas import (
    array,
    choice,
    component,
    flag,
    nullable,
    number,
    record,
    request_object,
    text,
    timestamp,
)
from appliance.hardware import words
from appliance.hardware.causes import NO_HARDWARE_REPORT
from appliance.hardware.folder import GREEN, JSON_FILE, PDF_FILE, RED, SuiteMissingError, parts
from appliance.language import said, spoken
from appliance.records import time_text
from appliance.settings.accounts import Scope

_PDF, _JSON = "application/pdf", "application/json"
_MINUTES_MOST = 24 * 60
_RESULT = component(
    "HardwareTestResult",
    record(
        {
            "part": text(40, help="of the box, such as storage"),
            "test": text(100),
            "sentence": text(500, help="what must hold"),
            "outcome": choice("passed", "failed", "skipped"),
            "reason": text(2000, help="why it does not hold, or why it was skipped"),
            "advice": text(500, help="what to do; empty: nothing"),
            "measured": text(500),
            "seconds": number(),
        }
    ),
)
_QUESTION = component(
    "HardwareTestQuestion",
    record(
        {
            "kind": choice(
                "sees",
                "does",
                "reads",
                help="sees: answer yes or no; reads: answer what is read; does: a request without an answer",
            ),
            "words": text(500),
            "thing": text(100, help="the lamp, button or part that it is about"),
        }
    ),
)
_PROGRESS = component(
    "HardwareTest",
    record(
        {
            "parts": array(text(40), help="that can be tried"),
            "running": flag(),
            "began_at": nullable(timestamp()),
            "results": array(_RESULT, help="so far, in the order of the tests"),
            "question": nullable(_QUESTION),
            "verdict": nullable(choice(GREEN, RED, help="once the run has ended")),
            "trouble": text(2000, help="why the run did not come to its end; empty: it did"),
        }
    ),
)
_START = request_object(
    {
        "parts": array(text(40), help="only these; all when left out"),
        "person": flag(help="somebody stands before the box and answers"),
        "minutes": number(0, _MINUTES_MOST, help="of load; 60 when left out"),
        "heat_minutes": number(0, _MINUTES_MOST, help="of all cores at work; 5 when left out"),
        "to": text(64, help="a fax machine whose owner expects a page over each trunk"),
        "load_to": text(64, help="where the load goes; 9990 when left out"),
        "numbers": array(text(200), help="LINE=NUMBER: under which a line of the box is called"),
        "printers": array(text(127), help="queues on which a page is printed"),
        "jig": text(200, help="PIN:SPARE,…: pins of the panel that wires join to spare ones"),
    }
)
# The members of a result and of a question that are sentences.
_SPOKEN_OF_RESULT = ("sentence", "reason", "advice")
_SPOKEN_OF_QUESTION = ("words",)
# Fields of a start, and their options of ``faxbox hardware-test``.
_OPTIONS = {
    "minutes": "--minutes",
    "heat_minutes": "--heat-minutes",
    "to": "--to",
    "load_to": "--load-to",
    "jig": "--jig",
    "parts": "--part",
    "numbers": "--number",
    "printers": "--printer",
}


routes = Routes("system", Scope.ADMIN)


@routes("GET", "/hardware-test", answer=_PROGRESS)
def show_hardware_test(call: Call) -> Answer:
    """Read the progress of the hardware test."""
    found = call.context.hardware_tests.progress()
    return Answer(
        {
            "parts": _parts(),
            "running": found.running,
            "began_at": time_text(found.began_at) if found.began_at else None,
            "results": [_spoken(each, _SPOKEN_OF_RESULT) for each in found.results],
            "question": _spoken(found.question, _SPOKEN_OF_QUESTION) if found.question else None,
            "verdict": found.verdict or None,
            "trouble": found.trouble,
        }
    )


@routes("POST", "/hardware-test", answer=_PROGRESS, body=_START, body_required=False)
def start_hardware_test(call: Call) -> Answer:
    """Start the hardware test, part by part.

    One at a time. Without `person`, parts that somebody must look at are skipped.
    """
    given: dict[str, Any] = call.body or {}
    unknown = sorted(set(given.get("parts", ())) - set(_parts()))
    if unknown:
        sentence = said("there is no {name}; there are {names}")
        raise flaw("parts", sentence.format(name=unknown[0], names=", ".join(_parts())))
    call.context.hardware_tests.start([f"--language={spoken()}", *_options(given)], call.box.clock())
    call.note("hardware_test.start", detail=" ".join(given.get("parts", ())))
    return show_hardware_test(call)


@routes(
    "POST",
    "/hardware-test/answer",
    answer=_PROGRESS,
    body=request_object({"answer": text(200, help="yes, no, or what was read")}, required=("answer",)),
)
def answer_hardware_test(call: Call) -> Answer:
    """Answer the question of the running test."""
    call.context.hardware_tests.answer(call.body["answer"])
    return show_hardware_test(call)


@routes("POST", "/hardware-test/stop", answer=_PROGRESS)
def stop_hardware_test(call: Call) -> Answer:
    """Stop the running test."""
    call.context.hardware_tests.stop()
    call.note("hardware_test.stop")
    return show_hardware_test(call)


@routes(
    "GET",
    "/hardware-test/report",
    query=(Parameter("format", choice("pdf", "json"), "pdf when left out"),),
    media=(_PDF, _JSON),
)
def read_hardware_report(call: Call) -> Answer:
    """Read the signed report of the last test."""
    folder = call.context.hardware_tests.progress().report
    wanted = call.query.get("format", "pdf")
    name, kind = (PDF_FILE, _PDF) if wanted == "pdf" else (JSON_FILE, _JSON)
    try:
        content = (folder / name).read_bytes() if folder is not None else None
    except FileNotFoundError:
        content = None
    if content is None:
        raise ProblemError(NO_HARDWARE_REPORT)
    return Answer(content=content, headers=saved_as(name), media_type=kind)


def _spoken(told: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """What the suite reported, with its sentences in the reader's language."""
    return {**told, **{name: words.spoken(str(told[name])) for name in names}}


def _parts() -> list[str]:
    try:
        return parts()
    except SuiteMissingError:
        return []


def _options(given: dict[str, Any]) -> list[str]:
    """The given fields as options, each one argument: a value with a dash is not taken for an option."""
    options = ["--person"] if given.get("person") else []
    for name, option in _OPTIONS.items():
        value = given.get(name, [])
        options += [f"{option}={each}" for each in (value if isinstance(value, list) else [value])]
    return options
