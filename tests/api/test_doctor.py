"""The doctor over the REST interface: for administrators, in the asker's language, and its bundle."""

from __future__ import annotations

import io
import zipfile

from appliance.language import catalogue
from appliance.lines.modem.settings import ClassOneModem
from appliance.lines.settings import LineSettings
from appliance.settings.accounts import Scope
from tests.api.served import Served


def test_a_modem_that_is_not_there_is_named_in_the_askers_language(served: Served) -> None:
    sentence = "The modem is not plugged in, or has another name."
    line_id = served.box.settings.add(ClassOneModem(name="desk", device="/dev/ttyACM99"))
    try:
        for code in ("en", "de"):
            answer = served.ask("GET", "/doctor", headers={"Accept-Language": code})
            found = {each["part"]: each for each in answer.json["findings"] if each["state"] == "broken"}
            assert found["modem"]["sentence"] == catalogue(code).gettext(sentence)
            assert found["modem"]["advice"]
    finally:
        served.box.settings.remove(LineSettings, line_id)


def test_the_bundle_is_a_zip_without_secrets(served: Served) -> None:
    answer = served.ask("GET", "/doctor/bundle")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as bundle:
        assert set(bundle.namelist()) == {"findings.json", "versions.json", "settings.json", "log.txt"}
        text = "".join(bundle.read(name).decode() for name in bundle.namelist())
    assert served.admin not in text


def test_only_an_administrator_may_run_the_doctor(served: Served) -> None:
    key = served.key("sender only", Scope.SEND)
    for path in ("/doctor", "/doctor/bundle"):
        assert served.ask("GET", path, token=key).status == 403
