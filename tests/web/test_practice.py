"""Faxes to and from the practice machine are marked wherever they are shown."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.api import page_export
from appliance.deliver import paper, pdfs
from appliance.deliver.email_writing import EmailWriter
from appliance.deliver.settings import MailOutSettings
from appliance.language import speak
from appliance.settings import secrets
from appliance.settings.accounts import UserRole
from appliance.station import StationSettings
from tests.api.served import Served, serving
from tests.web.browser import OWNER, PASSWORD
from tests.web.furnished import picture
from webui.door import make_webui

pytestmark = pytest.mark.realtime

MARK = '<span class="practice">Practice</span>'
SENTENCE = "It goes to the practice machine inside the box; nobody outside gets it."


@pytest.fixture(scope="module")
def practised(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, int, int]]:
    """A box, a fax that went to the practice machine, and one that came from it."""
    with serving(tmp_path_factory.mktemp("box"), doors={"": make_webui}) as served:
        secrets.add_user(served.box.settings, OWNER, PASSWORD, role=UserRole.ADMIN)
        made = served.form("/faxes", [("to", "9990")], [("letter.tiff", picture())])
        sent = made.json["faxes"][0]["id"]
        served.ended(sent)
        assert served.ask("POST", "/practice/receive", {}).status == 202

        def come() -> list[int]:
            found = served.ask("GET", "/received").json["received"]
            return [each["id"] for each in found if each["state"] == "complete"]

        served.wait(lambda: bool(come()))
        yield served, sent, come()[0]


@pytest.mark.parametrize(
    "path",
    [
        "/sent",
        "/received",
        "/faxes/{sent}",
        "/received/{received}",
        "/happened/{sent}",
        "/happened/{received}",
        "/charts",
        "/lines",
    ],
)
def test_each_page_marks_practice_faxes(practised: tuple[Served, int, int], path: str) -> None:
    served, sent, received = practised
    token = served.server.context.sessions.begin(1, served.box.clock(), 600)
    where = path.format(sent=sent, received=received)
    reply = served.ask("GET", where, token="", prefix="", headers={"Cookie": f"faxbox={token}"})
    assert reply.status == 200
    assert MARK in reply.content.decode()


def test_the_interface_marks_a_received_practice_fax(practised: tuple[Served, int, int]) -> None:
    served, _, received = practised
    assert served.ask("GET", f"/received/{received}").json["practice"] is True


def titled(pdf: Path) -> str:
    """What poppler says of it."""
    return subprocess.run(["pdfinfo", str(pdf)], capture_output=True, text=True, check=True).stdout


def test_pdfs_of_practice_faxes_say_so_in_their_title(
    practised: tuple[Served, int, int], tmp_path: Path
) -> None:
    served, sent, received = practised
    box, job = served.box, served.box.faxes.get(sent)
    fax, pages = box.inbox.with_pages(received)
    made: list[Callable[[], Path]] = [
        lambda: page_export.sent_pdf(box, job),
        lambda: page_export.received_pdf(box, fax, pages),
    ]
    for make in made:
        path = make()
        assert "Practice fax" in titled(path)
        path.unlink()
    copy = tmp_path / "copy.pdf"
    assert pdfs.write_sent(box, job, copy)
    assert "Practice fax" in titled(copy)


def read(pdf: Path) -> str:
    """What tesseract reads on the first page."""
    command = ["pdftoppm", "-r", "150", "-gray", "-png", "-singlefile", str(pdf), str(pdf.with_suffix(""))]
    subprocess.run(command, check=True)
    seen = subprocess.run(
        ["tesseract", str(pdf.with_suffix(".png")), "-", "--psm", "6"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "OMP_THREAD_LIMIT": "1"},
    )
    return " ".join(seen.stdout.split())


def test_a_report_of_a_practice_fax_says_so(practised: tuple[Served, int, int], tmp_path: Path) -> None:
    served, sent, _ = practised
    job, attempts = served.box.faxes.with_attempts(sent)
    confirmation = page_export.confirmation_pdf(served.box, job, attempts).rename(
        tmp_path / "confirmation.pdf"
    )
    report = tmp_path / "report.pdf"
    paper.write_report(report, job, None, paper.write_for(served.box.settings, OWNER))
    for made in (confirmation, report):
        assert "It goes to the practice machine inside the box" in read(made), made.name


@pytest.mark.parametrize(
    ("language", "subject", "sentence"),
    [
        ("en", "Practice: ", SENTENCE),
        ("de", "Übung: ", "Es geht an das Übungsgerät in der Box; niemand draußen bekommt es."),
    ],
    ids=["en", "de"],
)
def test_an_email_about_a_practice_fax_says_so_in_subject_and_first_line(
    practised: tuple[Served, int, int], language: str, subject: str, sentence: str
) -> None:
    served, sent, _ = practised
    job, attempts = served.box.faxes.with_attempts(sent)
    speak(language)
    writer = EmailWriter(MailOutSettings(sender="box@example.com"), StationSettings().writer(), 0.0)
    for mail in (
        writer.sent("ada@example.com", job, "tag", None),
        writer.result("ada@example.com", job, attempts, "tag", None),
    ):
        assert mail.message["Subject"].startswith(subject)
        assert sentence in " ".join(mail.message.get_content().split())
