"""The doctor: the state of everything the box needs, in the reader's language, and the support bundle."""

from __future__ import annotations

from typing import Any

from appliance.api.rest import mail, system
from appliance.api.rest.content import saved_as
from appliance.api.rest.routes import Answer, Call, Routes
from appliance.api.rest.schemas import array, choice, component, record, text
from appliance.api.rest.views import values
from appliance.doctor import bundle
from appliance.doctor.findings import Finding, Severity, examine
from appliance.doctor.looks import looks
from appliance.doctor.versions import versions
from appliance.settings.accounts import Scope

_ZIP = "application/zip"
FINDING = component(
    "Finding",
    record(
        {
            "part": text(40, help="what was looked at, such as disk"),
            "state": choice(
                *values(Severity), help="warning: works, and not for long; skipped: could not be looked at"
            ),
            "sentence": text(500, help="in the language of Accept-Language, as far as the box speaks it"),
            "advice": text(500, help="what to do; empty: nothing"),
            "detail": text(2000, help="what was measured; empty: nothing"),
        }
    ),
)


class _ThisBox:
    """The box itself, in the form in which the doctor asks a box."""

    def __init__(self, call: Call) -> None:
        self._answers = {"/status": system.read_status, "/lines": system.list_lines, "/mail": mail.read_mail}
        self._call = call

    def get(self, path: str) -> Any:
        return self._answers[path](self._call).body


def _found(call: Call) -> list[Finding]:
    return list(examine(looks(call.box.data, call.box.settings, _ThisBox(call))))


routes = Routes(tag="system", scope=Scope.ADMIN)


@routes("GET", "/doctor", answer=record({"findings": array(FINDING)}))
def examine_box(call: Call) -> Answer:
    """Check everything that the box needs, with advice.

    Takes some seconds: names are resolved, the package manager is asked.
    """
    return Answer({"findings": [finding.view() for finding in _found(call)]})


@routes("GET", "/doctor/bundle", media=(_ZIP,))
def get_support_bundle(call: Call) -> Answer:
    """Read a support bundle as a ZIP file.

    Findings, versions, settings and the log, without secrets and faxes, and with only the last two digits of
    numbers.
    """
    views = [finding.view() for finding in _found(call)]
    call.note("doctor.bundle")
    return Answer(
        content=bundle.zipped(views, versions(), call.box.settings.export()),
        headers=saved_as("faxbox-support.zip"),
    )
