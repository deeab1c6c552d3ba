"""Knowledge about a trunk survives a restart."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.lines.sip.trunk_memory import MAX_UDPTL_WAYS, NO_OFFERS_S, TrunkMemory, UdptlWay

SERVER = "sip.example.net"
ODD = UdptlWay(-3, beside_audio=True)


class Clock:
    now = 1e9

    def __call__(self) -> float:
        return self.now


def learned(file: Path, *lessons: Callable[[TrunkMemory], None], clock: Clock | None = None) -> TrunkMemory:
    """A memory that has had these lessons, and has ended with its process."""

    async def run() -> TrunkMemory:
        memory = TrunkMemory(SERVER, file, clock or Clock())
        for lesson in lessons:
            lesson(memory)
        await asyncio.get_running_loop().shutdown_default_executor()
        return memory

    return asyncio.run(run())


def test_what_was_learned_is_known_after_a_restart_for_as_long_as_it_holds(tmp_path: Path) -> None:
    file, clock = tmp_path / "learned" / "trunk", Clock()
    learned(file, lambda m: m.offer_failed(), lambda m: m.learn_udptl("192.0.2.1", ODD), clock=clock)
    again = TrunkMemory(SERVER, file, clock)
    assert again.offers_rest
    assert again.udptl_ways == {"192.0.2.1": ODD}
    clock.now += NO_OFFERS_S - 1
    assert TrunkMemory(SERVER, file, clock).offers_rest
    clock.now += 2
    assert not TrunkMemory(SERVER, file, clock).offers_rest


def test_a_clock_that_was_set_back_does_not_prolong_it(tmp_path: Path) -> None:
    clock = Clock()
    learned(tmp_path / "trunk", lambda m: m.offer_failed(), clock=clock)
    clock.now -= 86400
    assert not TrunkMemory(SERVER, tmp_path / "trunk", clock).offers_rest


def test_a_host_that_has_become_usual_is_forgotten_and_the_newest_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "trunk"
    hosts = [f"192.0.2.{number}" for number in range(MAX_UDPTL_WAYS + 1)]
    lessons = [lambda m, host=host: m.learn_udptl(host, ODD) for host in hosts]
    learned(file, *lessons, lambda m: m.learn_udptl(hosts[5], UdptlWay()))
    assert list(TrunkMemory(SERVER, file).udptl_ways) == [*hosts[1:5], *hosts[6:]]


def test_another_server_begins_with_nothing(tmp_path: Path) -> None:
    learned(tmp_path / "trunk", lambda m: m.offer_failed())
    assert not TrunkMemory("sip.example.org", tmp_path / "trunk", Clock()).offers_rest


GOOD = {
    "server": SERVER,
    "no_offers_until": 1e9 + 60,
    "udptl_ways": {"192.0.2.1": {"offset": 1, "beside_audio": True}},
}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "null",
        json.dumps(GOOD)[:-9],
        json.dumps({**GOOD, "no_offers_until": "soon"}),
        json.dumps({**GOOD, "udptl_ways": [1]}),
        json.dumps({**GOOD, "udptl_ways": {"192.0.2.1": {"offset": 1e9, "beside_audio": True}}}),
        json.dumps({**GOOD, "udptl_ways": {"192.0.2.1": {"offset": 70000, "beside_audio": True}}}),
        json.dumps({**GOOD, "udptl_ways": {"192.0.2.1": {"offset": True, "beside_audio": 1}}}),
        "\x00" * 100_000,
    ],
)
def test_a_damaged_file_means_that_nothing_is_known(tmp_path: Path, content: str) -> None:
    (tmp_path / "trunk").write_text(content)
    memory = TrunkMemory(SERVER, tmp_path / "trunk", Clock())
    assert (memory.offers_rest, memory.udptl_ways) == (False, {})


def test_a_folder_that_cannot_be_written_disturbs_no_call(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "learned").write_text("a file where the folder should be")
    memory = learned(tmp_path / "learned" / "trunk", lambda m: m.offer_failed())
    assert memory.offers_rest
    assert "could not be kept" in caplog.text
