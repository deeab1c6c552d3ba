"""Complete files of a scan folder become faxes exactly once; others are moved aside with a reason."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from weasyprint import HTML

from appliance.box import Box
from appliance.documents.causes import DOCUMENT_DAMAGED
from appliance.printing.options import numbers_of_file_name
from appliance.printing.scans import CUT_OFF_WAIT_S, LARGEST, Scans
from appliance.printing.settings import PrintingSettings, ScanSettings
from appliance.settings.accounts import User, UserRole
from appliance.spool import decisions
from appliance.spool.filters import JobFilter
from appliance.spool.model import JobState
from tests.deliver.making import make_box

PDF = b"%PDF-1.4\nnot much of one\n%%EOF\n"


class Folder:
    """A scan folder and its box; time goes by when it is told to."""

    def __init__(self, box: Box, path: Path) -> None:
        self.box, self.path, self.scans, self.now = box, path, Scans(box), 0.0

    def put(self, name: str, content: bytes = PDF) -> Path:
        path = self.path / name
        path.write_bytes(content)
        return path

    def look(self, after_s: float = 100.0) -> None:
        self.scans.look(self.path, self.now)
        self.now += after_s
        self.scans.look(self.path, self.now)

    def faxes(self) -> list[tuple[str, str]]:
        """The file's name and the number of each fax, the oldest first."""
        found = self.box.faxes.search(JobFilter())
        return [(str(job.metadata["print_title"]), job.given) for job in reversed(found)]

    def refused(self) -> dict[str, str]:
        """Each file that was set aside, with its reason."""
        found = {}
        for own in (self.path / "refused").iterdir():
            reason = own / ("_reason.txt" if (own / "_reason.txt").exists() else "reason.txt")
            (name,) = (each for each in os.listdir(own) if each != reason.name)
            found[name] = reason.read_text().splitlines()[1]
        return found


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    box = make_box(tmp_path / "box")
    scans = tmp_path / "scans"
    scans.mkdir()
    box.settings.change(ScanSettings, {"folder": str(scans)})
    yield Folder(box, scans)
    box.close()


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("+4930123456_letter.pdf", ("+4930123456",)),
        ("fax030123456_x.pdf", ("030123456",)),
        ("Fax 030123456_x.pdf", ("030123456",)),
        ("+4930123;+4940123_x.pdf", ("+4930123", "+4940123")),
        # What devices and computers write by themselves, or what is not plain.
        ("20261128_110922.pdf", ()),
        ("0001_scan.pdf", ()),
        ("+4930123456 (2)_x.pdf", ()),
        ("+4930123456-1_x.pdf", ()),
        ("+4930123456.pdf", ()),
        ("+4930123456001.pdf", ()),
        ("+49$(reboot)_x.pdf", ()),
        ("letter +4930123456_x.pdf", ()),
        ("+٤٩٣٠١٢٣_x.pdf", ()),
        ("+" + "4" * 200 + "_x.pdf", ()),
    ],
)
def test_a_file_name_names_a_number_only_where_nothing_else_can_be_meant(
    name: str, numbers: tuple[str, ...]
) -> None:
    assert numbers_of_file_name(name) == numbers


def test_files_become_faxes_by_name_or_wait_for_a_number_and_are_kept_where_they_went(folder: Folder) -> None:
    folder.put("+4930123456_letter.pdf")
    folder.put("scan0001.pdf")
    folder.put("+49112_emergency.pdf")
    folder.look()
    assert folder.faxes() == [
        ("+49112_emergency.pdf", ""),
        ("+4930123456_letter.pdf", "+4930123456"),
        ("scan0001.pdf", ""),
    ]
    for job in folder.box.faxes.search(JobFilter()):
        assert (job.state, job.origin, job.owner) == (JobState.PREPARING, "scan", "scan")
        folder.box.faxes.cancel(job.id)
    folder.look()
    assert [path.name for path in sorted(folder.path.glob("faxed/*/*"))] == [
        "+49112_emergency.pdf",
        "+4930123456_letter.pdf",
        "scan0001.pdf",
    ]
    assert os.listdir(folder.path / "taken") == []


def test_a_file_that_changes_or_is_still_being_written_is_left_alone(folder: Folder) -> None:
    path = folder.put("growing.pdf")
    folder.scans.look(folder.path, 0.0)
    path.write_bytes(PDF * 2)
    folder.scans.look(folder.path, 100.0)
    assert folder.faxes() == []
    with path.open("ab") as writer:
        writer.write(b"")
        folder.scans.look(folder.path, 200.0)
        assert folder.faxes() == []
    folder.scans.look(folder.path, 300.0)
    assert folder.faxes() == [("growing.pdf", "")]


def test_a_pdf_without_its_end_is_waited_for_and_then_told_from_a_whole_one(folder: Folder) -> None:
    folder.put("half.pdf", PDF[:-8])
    folder.look()
    assert folder.faxes() == []
    folder.look(CUT_OFF_WAIT_S)
    assert folder.faxes() == [("half.pdf", "")]  # whether it can be read after all, its pages tell


def test_names_of_files_under_way_are_passed_over_and_folders_not_entered(folder: Folder) -> None:
    for name in (".hidden.pdf", "~$letter.docx", "x.pdf.part", "x.tmp", "Thumbs.db"):
        folder.put(name)
    (folder.path / "sub").mkdir()
    folder.put("sub/inside.pdf")
    folder.put("empty.pdf", b"")
    folder.look()
    assert folder.faxes() == []


def test_links_devices_and_what_is_too_large_are_set_aside_with_the_reason(
    folder: Folder, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.pdf"
    secret.write_bytes(PDF)
    (folder.path / "link.pdf").symlink_to(secret)
    (folder.path / "loop.pdf").symlink_to("loop.pdf")
    os.link(secret, folder.path / "hard.pdf")
    os.mkfifo(folder.path / "fifo.pdf")
    with (folder.path / "huge.pdf").open("wb") as file:
        file.truncate(LARGEST + 1)
    folder.put("fine.pdf")
    folder.look()
    assert folder.faxes() == [("fine.pdf", "")]
    assert folder.refused() == {
        "link.pdf": "It is no plain file.",
        "loop.pdf": "It is no plain file.",
        "fifo.pdf": "It is no plain file.",
        "hard.pdf": "It is a link to another file.",
        "huge.pdf": "It is too large for a fax.",
    }
    assert secret.read_bytes() == PDF


@pytest.mark.parametrize(
    "name",
    [b"\xff\xfe.pdf", b"a\nb\x1b[2J.pdf", b"x" * 255, b"reason.txt", b"-rf.pdf", b"..pdf x", b"%s{}.pdf"],
)
def test_a_file_whose_name_is_not_utf_8_is_faxed_or_set_aside_like_others(
    folder: Folder, name: bytes
) -> None:
    os.rename(folder.put("plain"), os.path.join(os.fsencode(folder.path), name))
    folder.look()
    if name.startswith(b"."):
        assert folder.faxes() == []
        return
    ((title, _),) = folder.faxes()
    assert title.isprintable()
    (job,) = folder.box.faxes.search(JobFilter())
    folder.box.spool.do(decisions.fail, job.id, DOCUMENT_DAMAGED, folder.box.clock())
    folder.look()
    ((_, why),) = folder.refused().items()
    assert why.startswith(DOCUMENT_DAMAGED.sentence)


def test_a_number_in_the_document_is_used_where_the_owner_wants_that_and_the_name_says_none(
    folder: Folder,
) -> None:
    tag = bytes(HTML(string="<p>@@FAX: +49 30 123456@@").write_pdf())
    folder.put("scan1.pdf", tag)
    folder.look()
    folder.box.settings.change(PrintingSettings, {"number_in_document": "tag"})
    folder.put("scan2.pdf", tag)
    folder.put("+4940123456_scan3.pdf", tag)
    folder.look()
    assert sorted(folder.faxes()) == [
        ("+4940123456_scan3.pdf", "+4940123456"),
        ("scan1.pdf", ""),
        ("scan2.pdf", "+49 30 123456"),
    ]


def test_a_file_that_turns_out_to_be_unreadable_is_set_aside_in_its_owners_language(folder: Folder) -> None:
    folder.box.settings.add(User(name="scan", role=UserRole.USER, language="de"))
    folder.put("damaged.pdf")
    folder.look()
    (job,) = folder.box.faxes.search(JobFilter())
    folder.box.spool.do(decisions.fail, job.id, DOCUMENT_DAMAGED, folder.box.clock())
    folder.look()
    assert folder.refused()["damaged.pdf"].startswith("Das Dokument ist beschädigt")


def test_a_scan_whose_owner_may_not_send_is_set_aside(folder: Folder) -> None:
    folder.box.settings.add(User(name="rita", role=UserRole.READER))
    folder.box.settings.change(ScanSettings, {"owner": "rita"})
    folder.put("+4930123456_letter.pdf")
    folder.look()
    assert folder.faxes() == []
    assert list(folder.refused()) == ["+4930123456_letter.pdf"]


def test_a_folder_of_ours_that_is_a_link_is_not_followed(folder: Folder, tmp_path: Path) -> None:
    (folder.path / "taken").symlink_to(tmp_path)
    with pytest.raises(NotADirectoryError):
        folder.look()


def test_killed_at_every_step_each_file_is_one_fax(tmp_path: Path) -> None:
    template = tmp_path / "template"
    make_box(template / "box").close()
    (template / "scans").mkdir()
    (template / "scans" / "+4930123456_letter.pdf").write_bytes(PDF)
    os.mkfifo(template / "scans" / "refused.pdf")
    done = subprocess.run(
        [sys.executable, "-m", "tests.printing.scan_crash", str(template), str(tmp_path / "tried")],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ends = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(ends) >= 20, ends
    for end in ends:
        assert end == {"faxes": ["+4930123456"], "faxed": 1, "refused": 1, "left": 0}, ends.index(end)
