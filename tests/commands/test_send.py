"""``faxbox send`` and ``faxbox demo`` as a person runs them: output, files, exit code."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image

from appliance.commands.account import Account
from appliance.commands.demo_document import PAGES, write_demo_pdf
from appliance.t30.parameters import Progress

TSHARK = shutil.which("tshark")


def faxbox(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "appliance.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.fixture(scope="module")
def letter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("letter") / "letter.txt"
    path.write_text("Dear reader,\n\nthis is a fax.\n", encoding="utf-8")
    return path


def test_faxbox_demo_sends_and_receives_over_the_practice_line(tmp_path: Path) -> None:
    """A whole box: out to the practice machine and in from it."""
    done = faxbox("demo", "--speed", "10", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    for words in ("page 1 of 4 confirmed", "4 of 4 pages", "the practice machine calls", "has stopped"):
        assert words in done.stdout
    assert done.stdout.count("pixels as sent") == PAGES
    with Image.open(tmp_path / "arrived-there.tif") as tiff:
        assert tiff.n_frames == PAGES
    assert len(pypdfium2.PdfDocument(tmp_path / "arrived-there.pdf")) == PAGES
    assert len(pypdfium2.PdfDocument(tmp_path / "received.pdf")) == 1


def test_faxbox_send_sends_a_document_without_a_running_box(tmp_path: Path) -> None:
    write_demo_pdf(tmp_path / "demo.pdf")
    done = faxbox("send", tmp_path / "demo.pdf", "--to", "9990", "--speed", "10", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    for words in ("dialled 9990", "DIS from +49 30 9990", "page 1 of 4 confirmed", "4 of 4 pages confirmed"):
        assert words in done.stdout
    assert done.stdout.count("pixels as sent") == PAGES
    with Image.open(tmp_path / "received.tif") as tiff:
        assert tiff.n_frames == PAGES
    assert len(pypdfium2.PdfDocument(tmp_path / "received.pdf")) == PAGES


@pytest.mark.skipif(TSHARK is None, reason="tshark is not installed")
def test_every_packet_of_a_trace_dissects(tmp_path: Path, letter: Path) -> None:
    trace = tmp_path / "call.pcap"
    assert faxbox("send", letter, "--to", "9990", "--speed", "10", "--trace", trace).returncode == 0
    assert TSHARK is not None
    fields = [
        TSHARK,
        "-r",
        str(trace),
        "-d",
        "udp.port==6004,t38",
        "-T",
        "fields",
        "-e",
        "_ws.col.Protocol",
        "-e",
        "_ws.malformed",
        "-e",
        "ip.checksum.status",
        "-o",
        "ip.check_checksum:TRUE",
    ]
    lines = subprocess.run(fields, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(lines) > 100
    assert {tuple(line.split("\t")) for line in lines} == {("T.38", "", "1")}


def test_a_trace_is_written_as_lines_of_json(tmp_path: Path, letter: Path) -> None:
    trace = tmp_path / "call.jsonl"
    assert faxbox("send", letter, "--to", "9990", "--speed", "10", "--trace", trace).returncode == 0
    lines = [json.loads(line) for line in trace.read_text(encoding="utf-8").splitlines()]
    events = [line["event"] for line in lines]
    for event in ("dialled", "answered", "datagram_sent", "datagram_received", "page_confirmed", "ended"):
        assert event in events
    assert bytes.fromhex(next(line for line in lines if line["event"] == "datagram_sent")["octets"])


def test_faxbox_send_ends_with_1_and_says_so_when_the_number_is_busy(letter: Path) -> None:
    done = faxbox("send", letter, "--to", "9991", "--speed", "10")
    assert done.returncode == 1
    assert "busy" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_call_that_drops_says_how_far_it_came(tmp_path: Path) -> None:
    write_demo_pdf(tmp_path / "demo.pdf")
    done = faxbox("send", tmp_path / "demo.pdf", "--to", "9993", "--speed", "4", "--out", tmp_path)
    assert done.returncode == 1
    assert "1 of 4 pages were confirmed" in done.stderr
    assert "page 1 arrived: all" in done.stdout


def test_faxbox_send_ends_with_2_for_mistakes_in_its_arguments(tmp_path: Path, letter: Path) -> None:
    empty = tmp_path / "empty.pdf"
    empty.write_bytes(b"")
    for arguments in (
        ("send", letter, "--to", "9990", "--from", "not a number"),
        ("send", empty, "--to", "9990"),
        ("send", tmp_path / "nothing.pdf", "--to", "9990"),
        ("send", tmp_path, "--to", "9990"),
        ("send", letter, "--to", "9990", "--speed", "0"),
        ("send", letter, "--to", "9990", "--trace", tmp_path / "no" / "such" / "folder"),
        ("send", letter),
        (),
    ):
        done = faxbox(*arguments)
        assert done.returncode == 2, arguments
        assert "Traceback" not in done.stderr
    assert "on the box" not in faxbox("send", tmp_path / "nothing.pdf", "--to", "9990").stderr


def test_faxbox_send_ends_with_3_when_no_line_may_carry_the_number(letter: Path, tmp_path: Path) -> None:
    done = faxbox("send", letter, "--to", "+49 30 901820", "--data", tmp_path)
    assert done.returncode == 3
    assert "[no_line]" in done.stderr


@pytest.mark.parametrize("number", ["+49 30 901820", "112", "abc"])
def test_faxbox_send_says_at_once_that_a_number_needs_a_box(letter: Path, number: str) -> None:
    done = faxbox("send", letter, "--to", number, "--direct")
    assert done.returncode == 2
    assert "name its folder with --data" in done.stderr
    assert "made in" not in done.stdout  # no page was made for nothing


def test_the_demonstration_s_document_is_a_pdf(tmp_path: Path) -> None:
    write_demo_pdf(tmp_path / "demo.pdf")
    document = pypdfium2.PdfDocument(tmp_path / "demo.pdf")
    assert "Dear reader" in document[0].get_textpage().get_text_range()
    grey = document[1].render(scale=0.5, grayscale=True).to_pil().getcolors()
    assert len(grey) > 50  # a photograph, not a drawing


def test_progress_of_errors_on_the_line_is_worded_and_unknown_events_are_left_out() -> None:
    lines: list[str] = []
    account = Account(2, lines.append)
    for event, fields in (
        ("step_down", {"rate": 9600, "modulation": "V.29"}),
        ("ppr", {"page": 1, "frames": 3}),
        ("rtn", {"page": 1}),
        ("receiver_not_ready", {}),
        ("something_new", {}),
    ):
        account.hear(Progress(1.0, event, tuple(fields.items())))
    assert len(lines) == 4
    assert "9600" in lines[0]
    assert "3 damaged frames" in lines[1]
