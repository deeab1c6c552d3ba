"""Set-up after the first start, in the order in which problems show; each step can be skipped."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import available_timezones

from appliance.api.rest.trunk_check import trunk_report
from appliance.disk_lock import owner
from appliance.language import locale_of, spoken
from appliance.language import said as _
from appliance.lines.line import LineKind
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
from webui.pages.setup_steps import LINE, RECEIVED, STATION, TEST, setup_page
from webui.visit import Page, Response, Visit

# The practice machine's number for a test fax.
TEST_NUMBER = "9990"


def show_station(visit: Visit) -> Response:
    """The step of the set-up that asks for name, number and country."""
    station = visit.box.settings.section(StationSettings)
    storage = visit.box.settings.section(StorageSettings)
    region = visit.box.settings.section(NumberSettings).region
    territories = locale_of(spoken()).territories
    countries = sorted(
        ((code, name) for code, name in territories.items() if len(code) == 2 and code.isalpha()),
        key=lambda entry: entry[1],
    )
    moment = datetime.fromtimestamp(visit.context.now(), UTC)
    return setup_page(
        visit,
        "setup_station.html",
        STATION,
        image=owner.is_image(),
        station=station,
        region=region,
        encrypt=storage.encrypt,
        key_file=storage.key_path(visit.box.data),
        practice=visit.box.settings.section(PracticeSettings).enabled,
        countries=countries,
        zones=sorted(available_timezones()),
        sample=moment.strftime("%Y-%m-%d %H:%M"),
    )


def show_line(visit: Visit) -> Response:
    """The step of the set-up that adds a line."""
    from appliance.lines.modem.find import candidates  # noqa: PLC0415 (pyserial: for this page alone)

    lines = visit.box.settings.items(LineSettings)
    return setup_page(
        visit,
        "setup_line.html",
        LINE,
        kinds=TRUNK_KINDS.values(),
        modems=candidates(),
        trunks=[line.name for line in lines.values() if isinstance(line, SipTrunk) and line.enabled],
        reports=[report for report in visit.box.lines() if report.kind is not LineKind.PRACTICE],
        has_lines=bool(lines),
    )


def show_check(visit: Visit) -> Response:
    """The check of a trunk: its call's progress, and at the end the findings."""
    job, attempts = visit.box.faxes.with_attempts(visit.number("id"), visit.who.sees)
    events = visit.box.history.of_fax(job.id)
    report = trunk_report(visit.box, job, attempts)
    return setup_page(
        visit,
        "setup_check.html",
        LINE,
        job=job,
        state=wording.of_job(visit, job),
        done=steps(visit, job, attempts, events),
        usable=report is not None and report.usable,
        findings=[_(each) for each in report.findings] if report else [],
        advice=[_(each) for each in report.advice] if report else [],
    )


def show_received(visit: Visit) -> Response:
    """The step of the set-up that says who gets received faxes."""
    users = sorted(user.name for user in visit.box.settings.items(User).values() if not user.disabled)
    return setup_page(visit, "setup_received.html", RECEIVED, users=users)


def show_test(visit: Visit) -> Response:
    """The step of the set-up that sends a test fax."""
    return setup_page(visit, "setup_test.html", TEST, number=TEST_NUMBER)


PAGES = (
    Page(STATION, show_station, scopes=("admin",)),
    Page(LINE, show_line, scopes=("admin",)),
    Page("/setup/check/<id>", show_check, scopes=("admin",)),
    Page(RECEIVED, show_received, scopes=("admin",)),
    Page(TEST, show_test, scopes=("admin",)),
)
