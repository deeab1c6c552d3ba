"""Both directions against efax, an independent class-1 program, each end on its own soft modem."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.t4.page import Raster
from appliance.t30.dce import Carrier
from tests.softmodem import efax
from tests.softmodem.fixtures import differing, test_page, tiff_rasters
from tests.softmodem.live import receive_from, send_to

pytestmark = pytest.mark.skipif(efax.EFAX is None, reason="efax is not installed (Debian package efax)")

PAGES = [test_page(21), test_page(22, rows=380)]
RATES = [(1, Carrier.V27TER_4800), (3, Carrier.V29_9600), (5, Carrier.V17_14400)]
RATE_NAMES = ["V.27ter", "V.29", "V.17"]


@pytest.mark.parametrize(("rate", "carrier"), RATES, ids=RATE_NAMES)
def test_efax_receives_what_we_send(tmp_path: Path, rate: int, carrier: Carrier) -> None:
    log = tmp_path / "efax.log"
    got = send_to(
        lambda port: efax.start_receiving(port, tmp_path / "page", log, rate=rate), PAGES
    )
    assert got.result is not None
    assert got.result.cause.code == "delivered", got.story() + log.read_text(errors="replace")
    assert (got.exit_code, got.result.carrier, got.result.ecm) == (0, carrier, False)
    arrived = [tiff_rasters(path)[0] for path in sorted(tmp_path.glob("page.*"))]
    assert [differing(a, b) for a, b in zip(PAGES, arrived, strict=True)] == [0, 0]


@pytest.mark.parametrize(("rate", "carrier"), RATES, ids=RATE_NAMES)
def test_we_receive_what_efax_sends(tmp_path: Path, rate: int, carrier: Carrier) -> None:
    log = tmp_path / "efax.log"
    files = efax.write_pages(tmp_path, PAGES)
    got = receive_from(lambda port: efax.start_sending(port, "1", files, log, rate=rate))
    assert got.result is not None
    assert got.result.cause.code == "received", got.story() + log.read_text(errors="replace")
    assert (got.exit_code, got.result.carrier, got.result.ecm) == (0, carrier, False)
    arrived = [_without_blank_rows(page) for page in got.pages]
    assert [differing(a, b) for a, b in zip(PAGES, arrived, strict=True)] == [0, 0]


def _without_blank_rows(page: Raster) -> Raster:
    blank = efax.BLANK_ROWS * page.row_octets
    assert not any(page.data[:blank])
    return Raster(page.width, page.rows - efax.BLANK_ROWS, page.data[blank:], page.resolution)
