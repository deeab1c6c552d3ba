"""A real cupsd prints to a running box: each job is one fax, or waits for a number, exactly once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from PIL import Image, ImageOps
from weasyprint import HTML

from appliance.deliver.settings import MailOutSettings
from appliance.printing.cups_backend import ENTRY_SUFFIX, PART_SUFFIX
from appliance.printing.folder import NOT_CONVERTED, PrintFolder
from appliance.printing.ppd import ppd
from appliance.printing.queues import make_folder
from appliance.printing.settings import PrintingSettings, PrintUser
from appliance.settings.accounts import User, UserRole
from appliance.spool.filters import JobFilter
from appliance.spool.options import Quality
from tests.api.served import Served, serving
from tests.deliver.mailing import post_office
from tests.deliver.making import make_box
from tests.printing.cupsd import Cups, dies_of_blanks, running_cupsd
from tests.printing.killing import printed as on_disk

pytestmark = [pytest.mark.realtime, pytest.mark.xdist_group("cups")]
FAXBOX = [sys.executable, "-m", "appliance.cli"]
LIMIT_S = 120.0  # only for hangs
ME = os.environ.get("LOGNAME") or "root"


@pytest.fixture(scope="module")
def cups() -> Iterator[Cups]:
    with running_cupsd() as running:
        yield running


@pytest.fixture(scope="module")
def printed(cups: Cups, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A box that takes what this cupsd prints."""
    with serving(tmp_path_factory.mktemp("box")) as served:
        served.box.settings.change(PrintingSettings, {"folder": str(cups.root / "print")})
        assert printing(cups, served.box.data, "install").returncode == 0
        yield served


def printing(cups: Cups, data: Path, word: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*FAXBOX, "printing", word, "--data", str(data), "--backends", str(cups.backends)],
        env={**os.environ, "CUPS_SERVER": cups.server},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def until(found: Callable[[], Any], what: str = "it never happened") -> Any:
    end = time.monotonic() + LIMIT_S
    while not (value := found()):
        assert time.monotonic() < end, what
        time.sleep(0.05)
    return value


def faxes(served: Served, title: str) -> list[dict[str, Any]]:
    """The faxes of a print job."""
    listed = served.ask("GET", "/faxes?limit=200").json["faxes"]
    return [fax for fax in listed if fax["metadata"].get("print_title") == title]


def ready(served: Served, title: str) -> list[dict[str, Any]]:
    """The faxes of a print job that have left preparing."""
    return [fax for fax in faxes(served, title) if fax["state"] != "preparing"]


def fax_of(cups: Cups, served: Served, title: str) -> dict[str, Any]:
    """The one fax of a print job, once it has left preparing."""
    (fax,) = cups.until(lambda: ready(served, title), title)
    return fax


def pdf(path: Path, pages: int, size: tuple[float, float] = (595, 842)) -> Path:
    document = pypdfium2.PdfDocument.new()
    for _ in range(pages):
        document.new_page(*size)
    document.save(path)
    return path


def skip_if_blanks_crash_cupsd() -> None:
    if dies_of_blanks():
        pytest.skip("this cupsd crashes at an option with a blank")


def test_set_up_twice_is_set_up_once(cups: Cups, printed: Served) -> None:
    before = cups.run("lpstat", "-v")
    assert printing(cups, printed.box.data, "install").returncode == 0
    assert cups.run("lpstat", "-v") == before
    status = printing(cups, printed.box.data, "status")
    assert (status.returncode, "missing" in status.stdout) == (0, False)
    assert "a document without a number waits on the box's pages" in cups.run("lpstat", "-l", "-p", "Fax")


def test_what_was_set_up_is_taken_away_and_what_waits_stays(cups: Cups, printed: Served) -> None:
    waiting = cups.root / "print" / f"kept{PART_SUFFIX}"
    waiting.touch()
    try:
        assert printing(cups, printed.box.data, "remove").returncode == 0
        assert printing(cups, printed.box.data, "remove").returncode == 0
        assert "faxbox:" not in cups.run("lpstat", "-v", check=False)
        assert printing(cups, printed.box.data, "status").returncode == 1
        assert waiting.exists()
    finally:
        assert printing(cups, printed.box.data, "install").returncode == 0


def test_a_pdf_printed_with_a_number_is_delivered_and_names_person_and_computer(
    cups: Cups, printed: Served, tmp_path: Path
) -> None:
    printed.box.settings.add(User(name="ada", role=UserRole.USER))
    number = printed.box.settings.add(PrintUser(from_user=ME, from_computer="localhost", user="ada"))
    job = cups.lp("-d", "Fax", "-o", "phone=9990", "-t", "three pages", str(pdf(tmp_path / "a.pdf", 3)))
    cups.ended(job)
    fax = printed.ended(fax_of(cups, printed, "three pages")["id"])
    printed.box.settings.remove(PrintUser, number)
    assert (fax["state"], fax["pages"], fax["to"]["number"]) == ("delivered", 3, "9990")
    assert (fax["from_user"], fax["from_computer"], fax["owner"]) == (ME, "localhost", "ada")


@pytest.mark.parametrize(
    ("name", "options", "numbers"),
    [
        ("fax 9990 letter", [], ["9990"]),
        ("custom", ["-o", "FaxNumber=Custom.9990"], ["9990"]),
        ("quoted", ["-o", "phone='99 90'"], ["9990"]),
        ("umlaut ä ß", ["-o", "phone=9990"], ["9990"]),
        ("several", ["-o", "phone=9990;9991"], ["9990", "9991"]),
        ("prefix", ["-o", "phone=990 faxPrefix=9"], ["9990"]),
        ("none", [], [""]),
        ("hostile", ["-o", "phone='9990$(reboot)'"], [""]),
        ("cut at a blank", ["-o", "phone=99 90"], [""]),
        ("not dialled", ["-o", "phone=112"], [""]),
    ],
)
def test_the_number_is_read_or_the_document_waits(
    cups: Cups, printed: Served, tmp_path: Path, *, name: str, options: list[str], numbers: list[str]
) -> None:
    if any("'" in each and " " in each for each in options):
        skip_if_blanks_crash_cupsd()
    cups.lp("-d", "Fax", *options, "-t", name, str(pdf(tmp_path / "a.pdf", 1)))
    cups.until(lambda: len(faxes(printed, name)) == len(numbers), name)
    assert sorted(fax["to"]["number"] for fax in faxes(printed, name)) == numbers


@pytest.mark.parametrize(
    ("name", "collections", "numbers"),
    [
        ("one uri", ['destination-uri "tel:9990"'], ["9990"]),
        ("two uris", ['destination-uri "tel:9990"', 'destination-uri "fax:9991"'], ["9990", "9991"]),
        ("hostile uri", ['destination-uri "tel:+1555 evil=1 raw"'], [""]),
        ("options in an uri", ['destination-uri "tel:9990 FaxTime=23:59 raw"'], [""]),
        ("digits before", ['destination-uri "tel:9990" MEMBER text pre-dial-string "0"'], [""]),
    ],
)
def test_the_number_is_read_from_destination_uris(
    cups: Cups, printed: Served, tmp_path: Path, *, name: str, collections: list[str], numbers: list[str]
) -> None:
    request = tmp_path / "job.test"
    request.write_text(
        "{ OPERATION Print-Job GROUP operation-attributes-tag ATTR charset attributes-charset utf-8 "
        "ATTR language attributes-natural-language en ATTR uri printer-uri $uri "
        f'ATTR name requesting-user-name {ME} ATTR name job-name "{name}" GROUP job-attributes-tag '
        f"ATTR collection destination-uris {','.join(f'{{ MEMBER uri {each} }}' for each in collections)} "
        f"FILE {pdf(tmp_path / 'a.pdf', 1)} STATUS successful-ok }}"
    )
    cups.run("ipptool", "-t", f"ipp://{cups.server}/printers/FaxOut", str(request))
    cups.until(lambda: len(faxes(printed, name)) == len(numbers), name)
    assert sorted(fax["to"]["number"] for fax in faxes(printed, name)) == numbers


def test_what_names_a_number_that_is_not_dialled_says_why_it_waits(
    cups: Cups, printed: Served, tmp_path: Path
) -> None:
    cups.lp("-d", "Fax", "-o", "phone=112", "-t", "an emergency", str(pdf(tmp_path / "a.pdf", 1)))
    assert "112" in fax_of(cups, printed, "an emergency")["metadata"]["print_problem"]


def test_a_number_in_a_printed_document_is_used_when_the_job_names_none(
    cups: Cups, printed: Served, tmp_path: Path
) -> None:
    printed.box.settings.change(PrintingSettings, {"number_in_document": "tag"})
    try:
        letter = tmp_path / "tag.pdf"
        letter.write_bytes(HTML(string="<p>@@FAX: 9990@@").write_pdf())
        for name, options in (("by its tag", []), ("by option", ["-o", "phone=9991"])):
            cups.lp("-d", "Fax", *options, "-t", name, str(letter))
            fax_of(cups, printed, name)
        cups.lp("-d", "Fax", "-o", "phone=99 90", "-t", "not even then", str(letter))
        assert fax_of(cups, printed, "not even then")["state"] == "needs_number"
    finally:
        printed.box.settings.change(PrintingSettings, {"number_in_document": "off"})
    assert fax_of(cups, printed, "by its tag")["to"]["number"] == "9990"
    assert fax_of(cups, printed, "by option")["to"]["number"] == "9991"


def test_cover_page_quality_and_time_are_options(cups: Cups, printed: Served, tmp_path: Path) -> None:
    at = (datetime.now() + timedelta(days=1)).replace(hour=22, minute=30, second=0, microsecond=0)
    options = ["-o", "phone=9990", "-o", "FaxCover=standard", "-o", "FaxQuality=superfine"]
    options += ["-o", f"FaxTime={at:%Y-%m-%dT%H:%M}"]
    cups.lp("-d", "Fax", *options, "-t", "with options", str(pdf(tmp_path / "a.pdf", 1)))
    fax = fax_of(cups, printed, "with options")
    assert fax["pages"] == 2, "the cover page is one of them"
    assert datetime.fromisoformat(fax["scheduled_at"]).astimezone().replace(tzinfo=None) == at
    assert printed.box.faxes.get(fax["id"]).options.quality is Quality.SUPERFINE
    printed.box.faxes.cancel(fax["id"])


def test_who_printed_without_a_number_is_told_by_email_where_it_waits_and_why(
    cups: Cups, printed: Served, tmp_path: Path
) -> None:
    settings = printed.box.settings
    settings.add(User(name="eve", role=UserRole.USER, email="eve@office.example"))
    person = settings.add(PrintUser(from_user=ME, user="eve"))
    with post_office() as office:
        mail = {"server": "127.0.0.1", "port": office.port, "security": "none", "results": "failed"}
        settings.change(MailOutSettings, {**mail, "sender": "fax@office.example"})
        try:
            cups.lp("-d", "Fax", "-o", "phone=112", "-t", "for eve", str(pdf(tmp_path / "a.pdf", 1)))
            cups.until(lambda: office.taken, "for eve")
        finally:
            settings.change(MailOutSettings, {"server": ""})
            settings.remove(PrintUser, person)
    ((_, recipients, message),) = office.taken
    assert recipients == ["eve@office.example"]
    body = message.get_body(("plain",))
    assert body is not None
    text = " ".join(body.get_content().split())
    assert "It waits on the box's page for documents without a number." in text
    assert fax_of(cups, printed, "for eve")["metadata"]["print_problem"] in text


def test_kinds_of_files_become_the_right_number_of_pages(cups: Cups, printed: Served, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("line\n" * 100)
    Image.new("L", (400, 300), 90).save(tmp_path / "a.png")
    Image.new("L", (400, 300), 90).save(tmp_path / "a.jpg")
    (tmp_path / "a.ps").write_text("%!PS-Adobe-3.0\n" + "100 100 50 50 rectfill showpage\n" * 2)
    raster = ["gs", "-q", "-sDEVICE=pwgraster", "-r100", "-sPAPERSIZE=a4", "-o", str(tmp_path / "a.pwg")]
    subprocess.run([*raster, str(tmp_path / "a.ps")], check=True, capture_output=True, timeout=LIMIT_S)
    for kind, pages in (("txt", 2), ("png", 1), ("jpg", 1), ("ps", 2), ("pwg", 2)):
        cups.lp("-d", "Fax", "-t", f"kind {kind}", str(tmp_path / f"a.{kind}"))
        assert fax_of(cups, printed, f"kind {kind}")["pages"] == pages, kind


def test_two_files_are_one_fax_copies_are_ignored_and_banners_dropped(
    cups: Cups, printed: Served, tmp_path: Path
) -> None:
    two, one = pdf(tmp_path / "two.pdf", 2), pdf(tmp_path / "one.pdf", 1)
    cups.lp(
        "-d", "Fax", "-n", "3", "-o", "job-sheets=standard,classified", "-t", "merged", str(two), str(one)
    )
    assert fax_of(cups, printed, "merged")["pages"] == 3


def test_letter_on_a4_is_shrunk_and_not_cropped(cups: Cups, printed: Served, tmp_path: Path) -> None:
    letter = tmp_path / "l.pdf"
    frame = "@page { size: Letter; margin: 0 } div { position: absolute; inset: 0; border: 30pt solid black }"
    letter.write_bytes(HTML(string=f"<style>{frame}</style><div></div>").write_pdf())
    cups.lp("-d", "Fax", "-t", "letter", str(letter))
    fax = fax_of(cups, printed, "letter")
    assert fax["pages"] == 1
    page = printed.ask("GET", f"/faxes/{fax['id']}/document").content
    image = pypdfium2.PdfDocument(page)[0].render(scale=1).to_pil().convert("L")
    inside = image.crop((0, image.height // 20, image.width, image.height))  # below the header line
    left, _, right, bottom = ImageOps.invert(inside).point(lambda grey: 255 * (grey > 128)).getbbox()
    across = [inside.getpixel((x, inside.height // 2)) < 128 for x in range(inside.width)]
    assert 0 <= left < right <= inside.width
    for edge in (across[left : left + 15], across[right - 15 : right]):
        assert sum(edge) >= 12  # both sides of the frame are there in their full strength
    assert bottom < inside.height  # the sheet is longer than the letter


def test_what_cannot_be_converted_ends_with_a_reason_and_the_next_one_runs(
    cups: Cups, printed: Served, tmp_path: Path
) -> None:
    damaged, noise, locked = (tmp_path / name for name in ("damaged.pdf", "noise", "locked.pdf"))
    damaged.write_bytes(b"%PDF-1.4\n" + os.urandom(3000))
    noise.write_bytes(bytes(range(256)) * 20)
    lock = ["gs", "-q", "-sDEVICE=pdfwrite", "-sOwnerPassword=a", "-sUserPassword=b", "-dEncryptionR=3"]
    whole = str(pdf(tmp_path / "whole.pdf", 1))
    command = [*lock, "-dKeyLength=128", "-o", str(locked), whole]
    subprocess.run(command, check=True, capture_output=True, timeout=LIMIT_S)
    forbidden = tmp_path / "forbidden.pdf"
    forbid = ["qpdf", "--encrypt", "", "owner", "256", "--print=none", "--", whole, str(forbidden)]
    subprocess.run(forbid, check=True, capture_output=True, timeout=LIMIT_S)
    bad = {
        "damaged": ["-o", "phone=9990", str(damaged)],
        "locked": ["-o", "phone=9990", str(locked)],
        "forbidden": ["-o", "phone=9990", str(forbidden)],
        "raw": ["-o", "raw", str(noise)],
    }
    for name, words in bad.items():
        cups.ended(cups.lp("-d", "Fax", "-t", name, *words))
    cups.lp("-d", "Fax", "-t", "the next", str(pdf(tmp_path / "a.pdf", 1)))
    assert fax_of(cups, printed, "the next")["state"] == "needs_number"
    refused = printed.box.history.audit_log(who=f"print:{ME}", before_id=None, limit=50)
    told = {each.object: each.detail for each in refused if each.action == "print.refused"}
    assert {told[name] for name in ("damaged", "locked", "forbidden")} == {NOT_CONVERTED}
    assert (
        fax_of(cups, printed, "raw")["state"] == "failed"
    )  # what is no PDF is told from one when its pages are made


def test_a_document_whose_end_is_missing_is_not_faxed(tmp_path: Path) -> None:
    folder = tmp_path / "print"
    make_folder(folder)
    whole = pdf(tmp_path / "a.pdf", 2).read_bytes()
    for number, content in enumerate((whole, whole[:-200])):
        head = json.dumps({"cups": {"job-uuid": [f"job {number}"]}, "title": f"file {number}"})
        (folder / f"{number}{ENTRY_SUFFIX}").write_bytes(head.encode() + b"\n" + content)
    box = make_box(tmp_path / "box")
    assert PrintFolder(box).take(folder)  # one is left: CUPS may print it again
    assert [job.metadata["print_title"] for job in box.faxes.search(JobFilter())] == ["file 0"]
    box.close()


def test_a_job_that_is_cancelled_while_cups_holds_it_is_no_fax_and_a_later_cancel_changes_nothing(
    cups: Cups, printed: Served, tmp_path: Path
) -> None:
    one = str(pdf(tmp_path / "a.pdf", 1))
    cups.run("cancel", cups.lp("-d", "Fax", "-H", "hold", "-t", "held and cancelled", one))
    job = cups.lp("-d", "Fax", "-t", "handed over", one)
    cups.ended(job)
    fax = fax_of(cups, printed, "handed over")
    cups.run("cancel", job, check=False)  # CUPS says that it is completed
    assert fax_of(cups, printed, "handed over") == fax
    assert faxes(printed, "held and cancelled") == []


def state(cups: Cups, job: str) -> str:
    """What CUPS says of a job, in the words of RFC 8011."""
    asked = cups.run(
        "ipptool", "-tv", f"ipp://{cups.server}/jobs/{job.rpartition('-')[2]}", "get-job-attributes.test"
    )
    return asked.partition("job-state (enum) = ")[2].partition("\n")[0]


def test_what_cups_says_of_a_job_is_what_became_of_it_on_the_box(
    cups: Cups, printed: Served, tmp_path: Path
) -> None:
    one = str(pdf(tmp_path / "a.pdf", 1))
    # Not handed over: no fax, whatever keeps it or ends it.
    held = cups.lp("-d", "Fax", "-H", "hold", "-t", "agree held", one)
    assert (state(cups, held), faxes(printed, "agree held")) == ("pending-held", [])
    dropped = cups.lp("-d", "Fax", "-H", "hold", "-t", "agree dropped", one)
    cups.run("cancel", dropped)
    assert (state(cups, dropped), faxes(printed, "agree dropped")) == ("canceled", [])
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.4\n" + bytes(3000))
    unreadable = cups.lp("-d", "Fax", "-t", "agree unreadable", str(broken))
    cups.ended(unreadable)
    assert state(cups, unreadable) in ("canceled", "aborted")

    # The folder cannot be written: CUPS keeps the job, and begins again.
    folder = cups.root / "print"
    mode = folder.stat().st_mode
    folder.chmod(0o500)
    shut = cups.lp("-d", "Fax", "-t", "agree shut", one)
    cups.until(lambda: "cannot be written" in cups.log(), "agree shut")
    assert state(cups, shut) not in ("completed", "canceled", "aborted")
    assert faxes(printed, "agree shut") == []
    folder.chmod(mode)

    # Handed over: completed, and one fax.
    cups.run("lp", "-i", held, "-H", "resume")
    for job, title in ((held, "agree held"), (shut, "agree shut")):
        cups.ended(job)
        assert state(cups, job) == "completed"
        assert fax_of(cups, printed, title)["state"] == "needs_number"
    assert faxes(printed, "agree unreadable") == []


def test_what_is_printed_while_the_box_is_down_is_one_fax_each_when_it_is_back(
    cups: Cups, printed: Served, tmp_path: Path
) -> None:
    folder = cups.root / "down"
    make_folder(folder)
    description = tmp_path / "down.ppd"
    description.write_bytes(ppd("down", fax=False))
    cups.run("lpadmin", "-p", "Down", "-E", "-v", f"faxbox:{folder}", "-P", str(description))
    one = str(pdf(tmp_path / "a.pdf", 1))
    for number in range(3):
        cups.ended(cups.lp("-d", "Down", "-t", f"down {number}", one))
    box = make_box(tmp_path / "box")
    waiting = PrintFolder(box)
    until(lambda: not waiting.take(folder))
    assert not waiting.take(folder)
    titles = sorted(str(job.metadata["print_title"]) for job in box.faxes.search(JobFilter()))
    box.close()
    assert titles == ["down 0", "down 1", "down 2"]


def test_ten_at_once_are_ten_faxes(cups: Cups, printed: Served, tmp_path: Path) -> None:
    one = pdf(tmp_path / "a.pdf", 1)
    with ThreadPoolExecutor(10) as computers:
        for _ in range(10):
            computers.submit(cups.lp, "-d", "Fax", "-t", "ten", str(one))
    cups.until(lambda: len(faxes(printed, "ten")) == 10, "ten")
    cups.until(lambda: not list((cups.root / "print").glob(f"*{ENTRY_SUFFIX}")), "ten")
    assert len(faxes(printed, "ten")) == 10


def test_a_quota_binds_what_its_user_prints(cups: Cups, printed: Served, tmp_path: Path) -> None:
    printed.box.settings.add(User(name="quentin", role=UserRole.USER, pages_per_day=1))
    person = printed.box.settings.add(PrintUser(from_user=ME, user="quentin"))
    one = str(pdf(tmp_path / "a.pdf", 1))
    cups.lp("-d", "Fax", "-o", "phone=9990;9991", "-t", "beyond the quota", one)

    def told() -> list[str]:
        log = printed.box.history.audit_log(who=f"print:{ME}", before_id=None, limit=50)
        return [each.detail for each in log if each.object == "beyond the quota"]

    cups.until(told, "beyond the quota")
    cups.lp("-d", "Fax", "-o", "phone=9990", "-t", "within the quota", one)
    fax = fax_of(cups, printed, "within the quota")
    printed.box.settings.remove(PrintUser, person)
    assert "1 page a day" in told()[0]
    assert faxes(printed, "beyond the quota") == []
    assert fax["owner"] == "quentin"


def test_a_reader_may_not_print_to_fax(cups: Cups, printed: Served, tmp_path: Path) -> None:
    printed.box.settings.add(User(name="rita", role=UserRole.READER))
    number = printed.box.settings.add(PrintUser(from_user=ME, user="rita"))
    cups.lp("-d", "Fax", "-o", "phone=9990", "-t", "by a reader", str(pdf(tmp_path / "a.pdf", 1)))

    def noted() -> bool:
        log = printed.box.history.audit_log(who=f"print:{ME}", before_id=None, limit=50)
        return any(each.object == "by a reader" for each in log)

    cups.until(noted, "by a reader")
    printed.box.settings.remove(PrintUser, number)
    assert faxes(printed, "by a reader") == []


def test_cupsd_killed_while_printing_prints_again_and_the_box_takes_it_once(
    cups: Cups, printed: Served, tmp_path: Path
) -> None:
    one = pdf(tmp_path / "a.pdf", 1)
    jobs = [on_disk(cups, "killed", one) for _ in range(6)]
    cups.kill()
    cups.start()
    for job in jobs:
        cups.ended(job)
    cups.until(lambda: len(faxes(printed, "killed")) == 6, "killed")
    cups.until(lambda: not list((cups.root / "print").glob(f"*{ENTRY_SUFFIX}")), "killed")
    assert len(faxes(printed, "killed")) == 6
