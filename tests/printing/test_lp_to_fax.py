"""From ``lp`` to the far end: it receives the printed page, and the fax names the user.

Ghostscript draws the printed pages once more; spandsp's machine has received what they are compared with.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageSequence, ImageStat
from weasyprint import HTML

from appliance.phonebook import Contact
from appliance.printing.settings import FavouritePrinter, IppAccess, IppSettings, PrintingSettings
from tests.api.served import Served, serving
from tests.printing.cupsd import CUPS, Cups, running_cupsd
from tests.printing.test_cups import LIMIT_S, fax_of, printing

pytestmark = [pytest.mark.realtime, pytest.mark.xdist_group("cups")]
ME = os.environ.get("LOGNAME") or "root"
FRUIT = ("Apples", "Cherries")
# A page is compared as so many fields across and down: CUPS may shrink it to what a printer can print on.
FIELDS = (24, 34)
# The box writes a line above each page: this part of its height is not compared.
HEADER = 0.04
# Of the full black of a field: two drawings of one page (0.003), and any two of these pages (0.13).
ALIKE, OTHER = 0.01, 0.1


@dataclass(frozen=True)
class Office:
    cups: Cups
    served: Served


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A box with the queues of CUPS and a favourite's printer, which is a driverless queue of CUPS, too."""
    with running_cupsd() as cups, serving(tmp_path_factory.mktemp("box")) as served:
        (cups.backends / "ipp").symlink_to(CUPS / "backend" / "ipp")
        settings = served.box.settings
        settings.change(PrintingSettings, {"folder": str(cups.root / "print")})
        settings.change(IppSettings, {"access": IppAccess.NETWORK.value})
        contact = settings.add(Contact(number="9990", last_name="Weiss"))
        favourite = settings.add(FavouritePrinter(contact_id=contact))
        assert printing(cups, served.box.data, "install").returncode == 0
        cups.add_driverless("Weiss", f"ipp://127.0.0.1:{served.port}/ipp/to/{favourite}")
        # What cups-filters makes of the box's fax: a queue with a number field.
        fax = f"ipp://127.0.0.1:{served.port}/ipp/faxout"
        description = cups.root / "driverless-fax.ppd"
        description.write_text(cups.run("driverless-fax", fax))
        cups.run("lpadmin", "-p", "DriverlessFax", "-E", "-v", fax, "-P", str(description))
        yield Office(cups, served)


@pytest.fixture(scope="module")
def letter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pages of A4, each with a word and a block of its own."""
    style = "@page { size: A4; margin: 2cm } body { margin: 0; font: 40pt serif }"
    style += "div { width: 8cm; height: 5cm; background: black } section { break-after: page }"
    pages = "".join(
        f"<section>{fruit}<div style='margin: {2 + 9 * place}cm 0 0 {6 * place}cm'></div></section>"
        for place, fruit in enumerate(FRUIT)
    )
    path = tmp_path_factory.mktemp("letter") / "letter.pdf"
    HTML(string=f"<style>{style}</style>{pages}").write_pdf(path)
    return path


def drawn(pdf: Path, folder: Path) -> list[Image.Image]:
    """The pages as Ghostscript draws them."""
    words = ["gs", "-q", "-sDEVICE=pnggray", "-r100", "-o", str(folder / "drawn-%d.png"), str(pdf)]
    subprocess.run(words, check=True, capture_output=True, timeout=LIMIT_S)
    return [Image.open(path).convert("L") for path in sorted(folder.glob("drawn-*.png"))]


def received(served: Served) -> list[Image.Image]:
    """The pages that the practice machine got in its last call."""
    tiff = max((served.box.data / "practice").glob("9990-*.tif"), key=lambda path: path.name)
    with Image.open(tiff) as pages:
        return [page.convert("L") for page in ImageSequence.Iterator(pages)]


def difference(one: Image.Image, other: Image.Image) -> float:
    """How much darkness the fields of two pages differ by, 0 to 1; A4, whatever rows a page has."""
    fields = [
        page.crop((0, round(page.height * HEADER), page.width, page.height)).resize(
            FIELDS, Image.Resampling.BOX
        )
        for page in (one, other)
    ]
    return float(ImageStat.Stat(ImageChops.difference(*fields)).mean[0]) / 255


@pytest.mark.parametrize(
    ("words", "title", "computer"),
    [
        pytest.param(["-d", "Fax", "-o", "phone=9990"], "two fruits", "localhost", id="option"),
        pytest.param(["-d", "Fax"], "fax 9990 two fruits", "localhost", id="title"),
        pytest.param(
            ["-d", "DriverlessFax", "-o", "phone=9990"], "driverless fruits", "127.0.0.1", id="driverless-fax"
        ),
        pytest.param(["-d", "Weiss"], "fruits for Weiss", "127.0.0.1", id="favourite's printer"),
    ],
)
def test_what_is_printed_is_received_page_by_page_and_says_who_printed_it_where(
    office: Office, letter: Path, tmp_path: Path, *, words: list[str], title: str, computer: str
) -> None:
    job = office.cups.lp(*words, "-t", title, str(letter))
    fax = office.served.ended(fax_of(office.cups, office.served, title)["id"])
    office.cups.ended(job)
    assert (fax["state"], fax["to"]["number"], fax["pages"]) == ("delivered", "9990", 2)
    assert (fax["from_user"], fax["from_computer"]) == (ME, computer)

    got, wanted = received(office.served), drawn(letter, tmp_path)
    assert len(got) == 2
    for place, page in enumerate(got):
        differs = [difference(page, each) for each in wanted]
        assert differs[place] < ALIKE, differs
        assert all(each > OTHER for other, each in enumerate(differs) if other != place), differs
