"""The hardware tests over the REST interface: started, followed, answered, stopped, reported."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import Any

import pytest

from appliance.hardware import signing
from appliance.settings.accounts import Scope
from tests.api.served import Served

HANG_S = 60.0


def ended(served: Served) -> dict[str, Any]:
    served.wait(lambda: not served.ask("GET", "/hardware-test").json["running"])
    found: dict[str, Any] = served.ask("GET", "/hardware-test").json
    return found


def test_a_part_is_tested_and_its_signed_report_can_be_read(served: Served) -> None:
    begun = served.ask("POST", "/hardware-test", {"parts": ["storage", "printer"]})
    assert begun.status == 200
    assert begun.json["running"]
    again = served.ask("POST", "/hardware-test", {"parts": ["box"]})
    assert (again.status, again.json["code"]) == (409, "hardware_test_under_way")
    found = ended(served)
    assert {each["part"] for each in found["results"]} == {"storage", "printer"}
    assert found["verdict"] in ("green", "red"), found  # a slow disk is for others to judge
    report = served.ask("GET", "/hardware-test/report?format=json").json
    assert signing.is_signed(report, report["key"])
    assert report["results"] == found["results"]
    assert served.ask("GET", "/hardware-test/report").content.startswith(b"%PDF")


# A test that needs somebody, at the other end of its standard input and output.
_ASKS = """
from appliance.hardware.runs import AtPipe, tell
person = AtPipe()
person.does("Press it.", "cancel")
tell({"result": [person.sees("Is it lit?", "fault"), person.reads("What does it say?", "display")]})
person.sees("And now?", "fault")
"""


@pytest.mark.parametrize("ignored", [False, True], ids=["usual", "SIGINT ignored"])
def test_somebody_who_looks_is_asked_over_the_pipe_and_can_leave(ignored: bool) -> None:
    program = [sys.executable, "-c", _ASKS]
    if ignored:  # as a shell starts what runs in the background
        program = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", *program]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        told = (json.loads(line) for line in process.stdout)
        assert next(told)["question"]["kind"] == "does"
        assert next(told)["question"] == {"kind": "sees", "words": "Is it lit?", "thing": "fault"}
        print(json.dumps({"answer": "yes"}), file=process.stdin, flush=True)
        assert next(told)["question"]["kind"] == "reads"
        print(json.dumps({"answer": "fine"}), file=process.stdin, flush=True)
        assert next(told)["result"] == [True, "fine"]
        assert next(told)["question"]["words"] == "And now?"
        process.stdin.close()
        assert process.wait(HANG_S) == -signal.SIGINT


def test_an_answer_that_nobody_waits_for_is_refused(served: Served) -> None:
    answer = served.ask("POST", "/hardware-test/answer", {"answer": "yes"})
    assert (answer.status, answer.json["code"]) == (409, "hardware_test_asks_nothing")


def test_a_run_that_is_stopped_ends_and_says_so(served: Served) -> None:
    served.ask("POST", "/hardware-test", {"parts": ["load"], "minutes": 60})
    served.wait(lambda: bool(served.ask("GET", "/faxes?state=sending").json["faxes"]))  # the load is on
    assert served.ask("POST", "/hardware-test/stop").status == 200
    found = ended(served)
    assert found["verdict"] == "red"
    assert [each["reason"] for each in found["results"] if each["part"] == "suite"] == ["the run was stopped"]


def test_an_unknown_part_is_refused_and_a_number_cannot_be_an_option(served: Served) -> None:
    assert served.ask("POST", "/hardware-test", {"parts": ["kitchen"]}).status == 400
    served.ask("POST", "/hardware-test", {"parts": ["box"], "to": "--watchdog"})
    assert ended(served)["verdict"]  # it was the number of a fax machine, and no option


def test_only_an_administrator_may_run_the_hardware_test(served: Served) -> None:
    key = served.key("tester", Scope.SEND)
    for method, path in (("GET", ""), ("POST", ""), ("POST", "/stop"), ("GET", "/report")):
        assert served.ask(method, f"/hardware-test{path}", token=key).status == 403
