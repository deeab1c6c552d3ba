"""CUPS' ipptool, with the files that come with it, finds an IPP printer; docs/printing.md lists what not."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from tests.api_ipp.conftest import Printing

pytestmark = [pytest.mark.realtime, pytest.mark.xdist_group("ipp")]


CUPS_FILES = Path("/usr/share/cups/ipptool")
# How Ghostscript makes the samples (PWG's own archive is not Debian's): colour space, bits.
RASTERS = {"black-1": (3, 1), "sgray-8": (18, 8), "srgb-8": (19, 8), "cmyk-8": (6, 8)}
PRINTS = "# Test printing all sample documents"


@pytest.fixture(scope="module")
def suites(tmp_path_factory: pytest.TempPathFactory, letter: Path) -> Path:
    """The files of ipptool, with the samples beside them that they name."""
    folder = tmp_path_factory.mktemp("ipptool")
    for test in CUPS_FILES.glob("*.test"):
        shutil.copy(test, folder)
    everywhere = folder / "ipp-everywhere.test"
    (folder / "everywhere-attributes.test").write_text(everywhere.read_text().partition(PRINTS)[0])
    for name in ("document-a4.pdf", "document-letter.pdf", "document-a4.ps", "document-letter.ps"):
        shutil.copy(letter, folder / name)  # no PostScript printer: those are skipped
    Image.new("L", (600, 400), 120).save(folder / "gray.jpg")
    Image.new("RGB", (600, 400), (200, 40, 90)).save(folder / "color.jpg")
    return folder


def raster(folder: Path, letter: Path, kind: str, dpi: str) -> Path:
    target = folder / f"{kind}-{dpi}.pwg"
    if not target.exists():
        space, bits = RASTERS[kind]
        words = ["gs", "-q", "-sDEVICE=pwgraster", "-dcupsColorOrder=0", "-sPAPERSIZE=a4", f"-r{dpi}"]
        words += [f"-dcupsColorSpace={space}", f"-dcupsBitsPerColor={bits}", "-o", str(target), str(letter)]
        subprocess.run(words, check=True, capture_output=True, timeout=120)
    return target


@pytest.mark.parametrize("suite", ["ipp-1.1", "ipp-2.0", "everywhere-attributes"])
def test_every_test_of_the_suite_passes(printing: Printing, letter: Path, suites: Path, suite: str) -> None:
    tried = printing.ipptool(f"/to/{printing.favourite}", str(suites / f"{suite}.test"), letter)
    assert tried.failed == (), tried.said[-5000:]
    assert tried.passed >= 20
    assert "cannot be read" not in tried.said


@pytest.mark.full  # some hundred faxes
@pytest.mark.timeout(1800)
def test_everything_that_an_ipp_everywhere_printer_must_print_is_printed(
    printing: Printing, letter: Path, suites: Path
) -> None:
    suite = suites / "ipp-everywhere.test"
    for name in set(re.findall(r"FILE (pwg-raster-samples\S+)", suite.read_text())):
        kind, dpi = Path(name).parent.name, re.search(r"-([0-9]+)dpi", name)
        assert dpi is not None
        target = suites / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(raster(suites, letter, kind if kind in RASTERS else "srgb-8", dpi[1]))
    tried = printing.ipptool(f"/to/{printing.favourite}", str(suite), letter, limit_s=1700)
    assert tried.failed == (), tried.said[-5000:]
    assert tried.passed > 100


def test_a_fax_job_with_a_destination_that_is_no_telephone_waits_for_a_person(
    printing: Printing, letter: Path
) -> None:
    tried = printing.ipptool("/faxout", "fax-job.test", letter)
    assert (tried.passed, tried.failed) == (2, ()), tried.said
    waiting = "/faxes?state=needs_number"
    printing.served.wait(lambda: bool(printing.served.ask("GET", waiting).json["faxes"]))
