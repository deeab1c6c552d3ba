"""An endpoint under hostile datagrams: no exception, bounded memory, calls go on or end.

FAXBOX_SWEEP=1 sends 100,000 mutated datagrams instead of a few thousand.
"""

from __future__ import annotations

import os
import random
import tracemalloc

import pytest

from appliance.causes import DELIVERED
from appliance.t30 import causes
from appliance.t30.memory import MemoryPages, MemoryStore
from appliance.t38.fax import T38Fax
from appliance.t38.settings import ErrorCorrection, T38Settings
from appliance.t38.udptl import UdptlError, build, parse

from .damage import damaged
from .network import Network
from .test_fax import ANSWERER, CALLER, chart, fax

SWEEP = 100_000 if os.environ.get("FAXBOX_SWEEP") else 4_000


def mutated(rng: random.Random, data: bytes) -> bytes:
    """A datagram damaged where it hurts: the IFP packets inside half of the time."""
    if rng.random() < 0.5:
        try:
            datagram = parse(data)
        except UdptlError:
            datagram = None
        if datagram is not None and datagram.primary:
            primary = bytearray(datagram.primary)
            for _ in range(rng.randint(1, 3)):
                primary[rng.randrange(len(primary))] = rng.randrange(256)
            return build(type(datagram)(datagram.sequence, bytes(primary), datagram.secondaries))
    return damaged(rng, data, rng.randint(1, 4), longest=30)


class Mutating(Network):
    """A network that damages a share of the datagrams."""

    share = 0.0
    count = 0

    def run(self, ends, stop, until=3600.0) -> None:
        rng = random.Random(self.seed)
        for end in ends:
            deliver = end.receive_datagram

            def receive(data, now, deliver=deliver):
                if rng.random() < self.share:
                    self.count += 1
                    data = mutated(rng, data)
                deliver(data, now)

            end.receive_datagram = receive
        super().run(ends, stop, until)


@pytest.mark.parametrize("share", [0.02, 0.2, 1.0])
def test_calls_end_honestly_whatever_the_network_makes_of_the_packets(share):
    count = seed = 0
    while count < SWEEP // 3:
        seed += 1
        network = Mutating(seed=seed)
        network.share = share
        correction = list(ErrorCorrection)[seed % 3]
        results, stores, _ = fax(
            CALLER,
            ANSWERER,
            pages=[chart(300)],
            network=network,
            settings=T38Settings(error_correction=correction, version=seed % 4),
        )
        count += network.count
        for result in results:
            assert result.cause is not causes.INTERNAL_FAULT
        if results[0].cause is DELIVERED:
            assert len(stores[1].pages) == 1


def test_a_flood_does_not_grow_the_endpoint():
    """Random, mutated and well-formed datagrams of every sequence number, many times over."""
    rng = random.Random(38)
    _, _, network = fax(CALLER, ANSWERER, pages=[chart(300)])
    corpus = [data for _, side, data in network.tap if side == 1]
    corpus += [data for _, side, data in network.tap if side == 0]
    end = T38Fax(CALLER, MemoryPages([chart(50)]), MemoryStore(), T38Settings())
    end.start(0.0)
    sizes = []
    tracemalloc.start()
    for n in range(SWEEP):
        data = rng.choice(corpus)
        if n % 3 == 0:
            data = mutated(rng, data)
        elif n % 3 == 1:
            data = rng.randbytes(2) + data[2:]
        end.receive_datagram(data, n * 0.0005)
        end.take_datagrams()
        if n % (SWEEP // 8) == SWEEP // 8 - 1:
            sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert max(sizes[4:]) < max(sizes[:4]) + 200_000
