"""Modems' answers to queries, from public transcripts and invented, and the conclusions from them."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from appliance.language import say
from appliance.lines.modem.identify import Interrogation, Modem
from appliance.t30.dce import Carrier

V17 = {Carrier.V17_7200, Carrier.V17_9600, Carrier.V17_12000, Carrier.V17_14400}
SLOW = {Carrier.V27TER_2400, Carrier.V27TER_4800, Carrier.V29_7200, Carrier.V29_9600}


@dataclass
class Said:
    """A modem's answers by command; what is not there is ERROR, or silence with ``silent``."""

    answers: dict[str, str]
    silent: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def ask(self) -> Interrogation:
        talk = Interrogation()
        now = 0.0
        talk.start(now)
        for _ in range(200):
            if talk.done:
                return talk
            command = talk.take_bytes()
            text = command.decode("latin-1").strip()
            if text.startswith("AT"):
                self.asked.append(text[2:])
            if text.startswith("AT") and text[2:] not in self.silent:
                answer = self.answers.get(text[2:])
                lines = "" if not answer else "".join(f"\r\n{line}" for line in answer.split("|")) + "\r\n"
                word = "ERROR" if answer is None else "OK"
                talk.receive_bytes(f"{lines}\r\n{word}\r\n".encode("latin-1"), now)
            elif (due := talk.next_deadline()) is not None:
                now = due
                talk.handle_timer(now)
        raise AssertionError("it never ends")

    def found(self) -> Modem:
        talk = self.ask()
        assert talk.result is not None, talk.failed
        return talk.result


BASE = {"E0V1Q0": "", "+FCLASS=1": "", "+FCLASS=0": ""}
CONEXANT = Said(
    BASE
    | {
        "I0": "56000",
        "I3": "CX93001-EIS_V0.2013-V92",
        "+GMI": "+GMI: CONEXANT",
        "+FMM": "",
        "+FCLASS=?": "0,1,1.0,2,8",
        "+FTM=?": "24,48,72,73,74,96,97,98,121,122,145,146",
        "+FRM=?": "24,48,72,73,74,96,97,98,121,122,145,146",
        "+FTH=?": "3",
        "+FRH=?": "3",
        "+FAR=?": "(0,1)",
        "+VCID=?": "(0-2)",
        "+VDR=?": "(0-1),(0-255)",
    }
)
OLD = Said(
    BASE
    | {
        "I0": "2400",
        "+FCLASS=?": "(0, 1)",
        "+FTM=?": "(3,24,48)",
        "+FRM=?": "(3,24,48,72,96)",
        "+FTH=?": "(3)",
    }
)


def test_a_modem_that_answers_every_query_is_fully_described() -> None:
    modem = CONEXANT.found()
    assert modem.class_1
    assert modem.row == "Conexant and Rockwell"
    assert modem.quirks.adaptive_reception
    assert (set(modem.send), set(modem.receive)) == (V17 | SLOW, V17 | SLOW)
    assert modem.caller_id
    assert modem.distinctive_ring
    assert "V.17 up to 14400 bit/s" in modem.in_words()
    assert CONEXANT.asked[-1] == "+FCLASS=0"  # left as a telephone line's modem should be


def test_carriers_for_sending_and_receiving_may_differ() -> None:
    modem = OLD.found()
    assert set(modem.send) == {Carrier.V27TER_2400, Carrier.V27TER_4800}
    assert set(modem.receive) == {
        Carrier.V27TER_2400,
        Carrier.V27TER_4800,
        Carrier.V29_7200,
        Carrier.V29_9600,
    }
    assert not modem.caller_id


def test_adaptive_reception_needs_both_the_row_and_the_modems_word() -> None:
    without = Said({k: v for k, v in CONEXANT.answers.items() if k != "+FAR=?"})
    assert not without.found().quirks.adaptive_reception


def test_a_modem_that_lies_about_v17_is_not_believed() -> None:
    liar = Said(CONEXANT.answers | {"I0": "SmartLink 56K", "I3": "", "+GMI": ""})
    assert not V17 & liar.found().send


def test_a_modem_without_lists_has_the_carriers_that_all_have() -> None:
    bare = Said(BASE | {"I0": "X", "+FCLASS=?": "0,1"})
    modem = bare.found()
    assert set(modem.send) == SLOW
    assert modem.class_1


@pytest.mark.parametrize("classes", ["0", "0,2,2.0", "0,8"])
def test_a_modem_without_class_1_is_told_apart(classes: str) -> None:
    modem = Said(BASE | {"I0": "Data only", "+FCLASS=?": classes}).found()
    assert not modem.class_1
    assert "no class-1 fax modem" in modem.in_words()
    assert "ist kein Faxmodem der Klasse 1" in say(modem.in_words(), "de")


def test_a_device_without_fax_commands_is_no_class_1_modem() -> None:
    assert not Said({"E0V1Q0": "", "I0": "LTE dongle"}).found().class_1


def test_queries_that_are_not_answered_are_skipped() -> None:
    slow = Said(CONEXANT.answers, silent={"+FMI?", "+VDR=?"})
    modem = slow.found()
    assert modem.class_1
    assert not modem.distinctive_ring


def test_a_port_without_a_modem_is_named_as_that() -> None:
    talk = Said({}, silent={"E0V1Q0"}).ask()
    assert talk.failed == "Nothing on this port answers to AT."


def test_an_identity_is_bounded_and_does_not_repeat_itself() -> None:
    modem = Said(CONEXANT.answers | {"I0": "A" * 900, "I3": "A" * 900}).found()
    assert len(modem.identity) <= 400
    assert modem.identity.count("/") <= 1
