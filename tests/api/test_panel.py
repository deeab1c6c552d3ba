"""The front panel over the interface: its lamps, and the acknowledgement of failures."""

from __future__ import annotations

from typing import Any

from appliance.panel import lamps
from appliance.panel.settings import PanelSettings
from tests.api.served import Served


def lamp(served: Served, name: str) -> dict[str, Any]:
    (found,) = [each for each in served.ask("GET", "/panel").json["lamps"] if each["lamp"] == name]
    return dict(found)


def test_the_lamps_are_told_as_the_panel_lights_them(served: Served) -> None:
    found = served.ask("GET", "/panel").json
    assert [each["line"] for each in found["lamps"] if each["lamp"] == "line"] == [
        number for number, _ in enumerate(PanelSettings().line_leds, 1)
    ]
    said = {(each["lamp"], each["sentence"]): each for each in found["lamps"]}
    for (name, sentence), each in said.items():
        (meant,) = [row for row in lamps.LANGUAGE if (row.lamp, row.sentence) == (name, sentence)]
        told = (each["pattern"], each["lit"], tuple(each["seconds"]))
        assert told == (meant.pattern.name, meant.pattern.lit, meant.pattern.seconds)


def test_a_failed_fax_lights_the_fault_lamp_until_somebody_has_looked(served: Served) -> None:
    form = [("to", "9991"), ("max_tries", "1")]
    fax = served.form("/faxes", form, [("a.txt", b"busy")]).json["faxes"][0]["id"]
    assert served.ended(fax)["state"] == "failed"
    assert lamp(served, "fault")["sentence"] == lamps.FAULT_FAX.sentence
    answer = served.ask("POST", "/panel/looked")
    assert (answer.status, answer.json["wants_person"]) == (200, 0)
    assert lamp(served, "fault")["sentence"] == lamps.FAULT_NONE.sentence
