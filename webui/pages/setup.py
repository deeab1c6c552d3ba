"""The first start after the owner's account, in the order in which things fail; each step can be left out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import available_timezones

from appliance.api.rest.trunk_check import trunk_report
from appliance.language import locale_of, spoken
from appliance.language import said as _
from appliance.lines.modem.find import candidates
from appliance.lines.practice.settings import PracticeSettings
from appliance.lines.settings import LineSettings
from appliance.lines.sip.settings import SipTrunk
from appliance.lines.sip.trunk_kinds import TRUNK_KINDS
from appliance.numbers import NumberSettings
from appliance.settings.accounts import User
from appliance.spool.settings import StorageSettings
from appliance.station import StationSettings
from webui import wording
from webui.pages.fax import steps
from webui.visit import Answer, Page, Visit

# The practice machine that takes a test fax and answers like any other.
TEST_NUMBER = "9990"


@dataclass(frozen=True, slots=True)
class SetupStep:
    path: str
    word: str


def setup_steps() -> list[SetupStep]:
    return [
        SetupStep("/setup", _("Who you are")),
        SetupStep("/setup/line", _("The line")),
        SetupStep("/setup/received", _("Received faxes")),
        SetupStep("/setup/test", _("A test fax")),
    ]


def show_station(visit: Visit) -> Answer:
    station = visit.box.settings.section(StationSettings)
    storage = visit.box.settings.section(StorageSettings)
    region = visit.box.settings.section(NumberSettings).region
    territories = locale_of(spoken()).territories
    countries = sorted(
        ((code, name) for code, name in territories.items() if len(code) == 2 and code.isalpha()),
        key=lambda entry: entry[1],
    )
    moment = datetime.fromtimestamp(visit.context.now(), UTC)
    return visit.page(
        "setup_station.html",
        steps=setup_steps(),
        station=station,
        region=region,
        encrypt=storage.encrypt,
        key_file=storage.key_path(visit.box.data),
        practice=visit.box.settings.section(PracticeSettings).enabled,
        countries=countries,
        zones=sorted(available_timezones()),
        sample=moment.strftime("%Y-%m-%d %H:%M"),
    )


def show_line(visit: Visit) -> Answer:
    lines = visit.box.settings.items(LineSettings)
    return visit.page(
        "setup_line.html",
        steps=setup_steps(),
        kinds=TRUNK_KINDS.values(),
        modems=candidates(),
        trunks=[line.name for line in lines.values() if isinstance(line, SipTrunk) and line.enabled],
        reports=[report for report in visit.box.lines() if report.kind.value != "practice"],
        has_lines=bool(lines),
    )


def show_check(visit: Visit) -> Answer:
    """A check of a trunk: how its call goes, and at its end what it showed."""
    job, attempts = visit.box.faxes.with_attempts(visit.number("id"), visit.who.sees)
    events = visit.box.history.of_fax(job.id)
    report = trunk_report(visit.box, job, attempts)
    return visit.page(
        "setup_check.html",
        steps=setup_steps(),
        job=job,
        state=wording.of_job(visit, job),
        done=steps(visit, job, attempts, events),
        usable=report is not None and report.usable,
        findings=[each.text(_(each.sentence)) for each in report.findings] if report else [],
        advice=[each.text(_(each.sentence)) for each in report.advice] if report else [],
    )


def show_received(visit: Visit) -> Answer:
    users = sorted(user.name for user in visit.box.settings.items(User).values() if not user.disabled)
    return visit.page("setup_received.html", steps=setup_steps(), users=users)


def show_test(visit: Visit) -> Answer:
    return visit.page("setup_test.html", steps=setup_steps(), number=TEST_NUMBER)


PAGES = (
    Page("/setup", show_station, scopes=("admin",)),
    Page("/setup/line", show_line, scopes=("admin",)),
    Page("/setup/check/<id>", show_check, scopes=("admin",)),
    Page("/setup/received", show_received, scopes=("admin",)),
    Page("/setup/test", show_test, scopes=("admin",)),
)
