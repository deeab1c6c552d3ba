"""Both directions against efax, an independent class-1 program, each end on its own soft modem.

The calls mostly wait for each other's clocks, so they run side by side and the tests look at the outcomes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.t4.page import Raster
from appliance.t30.dce import Carrier
from tests.softmodem import efax
from tests.softmodem.fixtures import differing, sample_page, tiff_rasters
from tests.softmodem.live import LiveOutcome, receive_from, send_to

pytestmark = [
    pytest.mark.realtime,
    pytest.mark.skipif(efax.EFAX is None, reason="efax is not installed (Debian package efax)"),
]

PAGES = [sample_page(21), sample_page(22, rows=380)]
RATES = {
    "V.27ter": (1, Carrier.V27TER_4800),
    "V.29": (3, Carrier.V29_9600),
    "V.17": (5, Carrier.V17_14400),
}
# efax keeps its silences by the clock: where the machine is too busy to let it run in time, a training or a
# command is missed, and that is between efax and the machine: it even confirms pages whose training it has
# missed, and so has not seen.  Such a call is made again, so often at most.
ATTEMPTS = 3
SPEED = 10.0  # efax divides by the whole seconds that a page took: much faster, and there are none
AT_ONCE = 3


@dataclass(frozen=True)
class Call:
    directory: Path
    got: LiveOutcome

    def went_as(self, carrier: Carrier) -> bool:
        result = self.got.result
        ended = result is not None and result.cause.code in ("delivered", "received")
        pages = len(list(self.directory.glob("page.*")))
        seen = _log(self.directory).count("sent MCF - page OK") == pages
        return ended and result is not None and result.carrier is carrier and self.got.exit_code == 0 and seen


def _send(rate: int, directory: Path) -> LiveOutcome:
    log = directory / "efax.log"
    return send_to(
        lambda port: efax.start_receiving(port, directory / "page", log, rate=rate), PAGES, speed=SPEED
    )


def _receive(rate: int, directory: Path) -> LiveOutcome:
    files = efax.write_pages(directory, PAGES)
    log = directory / "efax.log"
    return receive_from(lambda port: efax.start_sending(port, "1", files, log, rate=rate), speed=SPEED)


def _best(run: Callable[[int, Path], LiveOutcome], name: str, directory: Path) -> Call:
    rate, carrier = RATES[name]
    for attempt in range(ATTEMPTS):
        place = directory / str(attempt)
        place.mkdir()
        call = Call(place, run(rate, place))
        if call.went_as(carrier):
            break
    return call


Calls = dict[tuple[str, str], "Future[Call]"]


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Calls]:
    under_way: Calls = {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for name in RATES:
            for way, run in (("send", _send), ("receive", _receive)):
                under_way[way, name] = pool.submit(_best, run, name, tmp_path_factory.mktemp("efax"))
        yield under_way


def _log(directory: Path) -> str:
    return (directory / "efax.log").read_text(errors="replace")


@pytest.mark.parametrize("name", RATES)
def test_efax_receives_what_we_send(calls: Calls, name: str) -> None:
    call = calls["send", name].result()
    directory, got = call.directory, call.got
    assert got.result is not None
    assert got.result.cause.code == "delivered", got.story() + _log(directory)
    assert (got.exit_code, got.result.carrier, got.result.ecm) == (0, RATES[name][1], False)
    arrived = [tiff_rasters(path)[0] for path in sorted(directory.glob("page.*"))]
    assert [differing(a, b) for a, b in zip(PAGES, arrived, strict=True)] == [0, 0]


@pytest.mark.parametrize("name", RATES)
def test_we_receive_what_efax_sends(calls: Calls, name: str) -> None:
    call = calls["receive", name].result()
    directory, got = call.directory, call.got
    assert got.result is not None
    assert got.result.cause.code == "received", got.story() + _log(directory)
    assert (got.exit_code, got.result.carrier, got.result.ecm) == (0, RATES[name][1], False)
    arrived = [_without_blank_rows(page) for page in got.pages]
    assert [differing(a, b) for a, b in zip(PAGES, arrived, strict=True)] == [0, 0]


def _without_blank_rows(page: Raster) -> Raster:
    blank = efax.BLANK_ROWS * page.row_octets
    assert not any(page.data[:blank])
    return Raster(page.width, page.rows - efax.BLANK_ROWS, page.data[blank:], page.resolution)
