"""Routes by the first page: barcodes of independent encoders, words read by tesseract."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFont

from appliance.box import Box
from appliance.causes import RECEIVED
from appliance.deliver.planner import Planner
from appliance.deliver.settings import DeliveryRoute
from appliance.dispatch.code_reading import codes_on
from appliance.dispatch.route_reading import RouteReader
from appliance.spool import erasure, outbox, received
from appliance.spool.model import Received, ReceivedPageFile
from appliance.t4.page import Raster, Resolution
from appliance.t4.tiff import write_tiff
from tests.deliver.making import make_box, until
from tests.documents.making import need, run


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    made = make_box(tmp_path / "data")
    made.outbox.follow(Planner(made))
    yield made
    made.close()


def code(folder: Path, maker: str, text: str) -> Image.Image:
    need(maker)
    file = folder / f"{maker}.png"
    options = {
        "qrencode": ("-s", "6", "-o", str(file), text),
        "zint": ("--barcode=20", f"--output={file}", "--scale=2", f"--data={text}"),  # Code 128
    }[maker]
    run(maker, *options)
    with Image.open(file) as image:
        return image.convert("RGBA").convert("L")


def sheet(*, picture: Image.Image | None = None, words: str = "") -> Image.Image:
    made = Image.new("L", (1728, 2200), 255)
    if picture is not None:
        made.paste(picture, (300, 500))
    face = ImageFont.truetype("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", 48)
    ImageDraw.Draw(made).text((200, 200), words, fill=0, font=face)
    return made


def receive(box: Box, page: Image.Image, resolution: Resolution = Resolution.FINE) -> Received:
    fax = box.spool.do(received.begin, f"fax-{box.clock()}", "trunk", "t38", box.clock())
    if resolution is Resolution.STANDARD:
        page = page.resize((page.width, page.height // 2))
    dots = ImageChops.invert(page.point(lambda value: 255 * (value >= 128)).convert("1")).tobytes()
    path = f"received/{fax.uuid}.tiff"
    write_tiff(box.data / path, [Raster(page.width, page.height, dots, resolution)])
    kept = ReceivedPageFile(0, path, page.width, page.height, resolution.name, 0, 0, box.clock())
    box.spool.do(received.add_page, fax.id, kept)
    return box.spool.do(received.finish, fax.id, RECEIVED, complete=True, now=box.clock())


def folders(box: Box, fax: Received) -> list[str]:
    return [each.target for each in box.spool.read(outbox.of_fax, fax.id)]


@pytest.mark.parametrize("maker", ["qrencode", "zint"])
@pytest.mark.parametrize("resolution", [Resolution.FINE, Resolution.STANDARD])
def test_a_code_on_the_first_page_decides_whose_fax_it_is(
    box: Box, tmp_path: Path, maker: str, resolution: Resolution
) -> None:
    box.settings.add(
        DeliveryRoute(name="invoices", position=1, barcode=("inv-",), user="ada", folder="/invoices")
    )
    box.settings.add(DeliveryRoute(name="rest", position=2, folder="/rest"))
    fax = receive(box, sheet(picture=code(tmp_path, maker, "INV-4711")), resolution)
    assert folders(box, fax) == []  # it waits
    RouteReader(box).look_into()
    assert folders(box, fax) == ["/invoices"]
    assert box.inbox.get(fax.id).owner == "ada"
    RouteReader(box).look_into()
    assert folders(box, fax) == ["/invoices"]  # nothing goes out twice


def test_words_on_the_first_page_decide_in_whatever_capitals(box: Box) -> None:
    need("tesseract")
    box.settings.add(DeliveryRoute(name="orders", position=1, words=("purchase  order",), folder="/orders"))
    box.settings.add(DeliveryRoute(name="rest", position=2, folder="/rest"))
    reader = RouteReader(box)
    reader.start()
    try:
        ordered = receive(box, sheet(words="Purchase Order 4711"))
        other = receive(box, sheet(words="Kind regards"))
        until(lambda: folders(box, ordered) and folders(box, other))
    finally:
        reader.stop()
    assert (folders(box, ordered), folders(box, other)) == (["/orders"], ["/rest"])


def test_a_fax_waits_only_where_a_route_with_such_a_condition_is_reached(box: Box) -> None:
    box.settings.add(DeliveryRoute(name="all", position=1, folder="/all"))
    box.settings.add(DeliveryRoute(name="never", position=2, barcode=("1",), folder="/never"))
    assert folders(box, receive(box, sheet())) == ["/all"]


def test_a_fax_that_waited_when_the_box_was_stopped_goes_on_afterwards(tmp_path: Path) -> None:
    before = make_box(tmp_path / "data")
    before.outbox.follow(Planner(before))
    before.settings.add(DeliveryRoute(name="coded", position=1, barcode=("1",), folder="/coded"))
    before.settings.add(DeliveryRoute(name="rest", position=2, folder="/rest"))
    fax = receive(before, sheet())
    before.close()
    after = make_box(tmp_path / "data")
    after.outbox.follow(Planner(after))
    RouteReader(after).look_into()
    assert folders(after, fax) == ["/rest"]
    after.close()


@pytest.mark.parametrize("harm", ["gone", "rubbish", "without the library"])
def test_a_page_that_cannot_be_read_has_no_codes_and_its_fax_goes_on(
    box: Box, harm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.settings.add(DeliveryRoute(name="coded", position=1, barcode=("1",), words=("a",), folder="/coded"))
    box.settings.add(DeliveryRoute(name="rest", position=2, folder="/rest"))
    fax = receive(box, sheet())
    [page] = box.spool.read(received.pages, fax.id)
    if harm == "gone":
        (box.data / page.path).unlink()
    elif harm == "rubbish":
        (box.data / page.path).write_bytes(b"II*\0rubbish")
    else:
        monkeypatch.setattr("appliance.dispatch.code_reading.is_there", lambda: False)
        monkeypatch.setenv("PATH", "/nowhere")
    RouteReader(box).look_into()
    assert folders(box, fax) == ["/rest"]


def test_an_erased_fax_is_delivered_by_no_route(box: Box) -> None:
    box.settings.add(DeliveryRoute(name="coded", position=1, barcode=("1",), last=False))
    box.settings.add(DeliveryRoute(name="rest", position=2, folder="/rest"))
    fax = receive(box, sheet())
    box.spool.do(erasure.erase_received, fax.id, box.clock())
    RouteReader(box).look_into()
    assert folders(box, fax) == []


def test_what_codes_say_is_bounded_in_number_and_length(tmp_path: Path) -> None:
    need("qrencode")
    page = Image.new("L", (1728, 4000), 255)
    for number in range(40):
        run("qrencode", "-s", "5", "-o", str(tmp_path / "one.png"), f"code {number}")
        with Image.open(tmp_path / "one.png") as small:
            page.paste(small.convert("RGBA").convert("L"), (20 + number % 8 * 200, 20 + number // 8 * 200))
    dots = ImageChops.invert(page.convert("1")).tobytes()
    write_tiff(tmp_path / "page.tiff", [Raster(page.width, page.height, dots, Resolution.FINE)])
    found = codes_on(tmp_path / "page.tiff")
    assert 10 <= len(found) <= 20
    assert all(each.startswith("code ") for each in found)
