"""A box under mixed load in a process of its own, which test_kill kills.

It is a fork_server: for each line on standard input, a data folder and a seed, it forks a child that runs
the load until somebody kills it.  The children tell what they know on standard output, one line each,
written with one system call, so that a line is there or not:

``child PID``              a child was made
``sound``                  the child found the database sound
``accepted JOB NUMBER``    a fax was accepted
``mcf NUMBER PAGE LAST``   the far end confirmed a page
``got CALLER PAGE``        we confirmed a received page, of PAGES
``gone``                   the child is dead
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from pathlib import Path

from appliance.box import Box
from appliance.daemon.main import recover
from appliance.dispatch.dispatcher import Dispatcher
from appliance.dispatch.pool import ManagedLine
from appliance.lines.line import OutgoingCall
from appliance.spool.retention import sweep_parts
from tests.dispatch.fake_line import End, FakeLine
from tests.dispatch.making import make_box, submit

CALLS_AT_ONCE = 6
PAGES = 3  # of each received fax


def tell(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def confirmed(call: OutgoingCall, page: int, last: bool) -> None:
    tell(f"mcf {call.number} {page} {int(last)}")


async def load(box: Box, seed: int) -> None:
    """Sends and receives without end."""
    chance = random.Random(seed)
    line = FakeLine(capacity=CALLS_AT_ONCE, confirmed=confirmed)
    line.default = lambda: End(page_s=chance.uniform(0.0, 0.01), mcf_s=chance.uniform(0.0, 0.01))
    dispatcher = Dispatcher(box, [ManagedLine(line)])
    await dispatcher.start()

    def send() -> None:
        for count in range(10_000):
            (job,) = submit(box, f"+4930{seed:04}{count:03}")
            tell(f"accepted {job.id} {job.number}")

    async def receive(caller: int) -> None:
        for count in range(10_000):
            name = f"R{seed}-{caller}-{count}"
            await line.ring(name, PAGES, confirmed=lambda page, name=name: tell(f"got {name} {page}"))

    await asyncio.gather(asyncio.to_thread(send), receive(1), receive(2))


def child(data: Path, rendered: Path, seed: int) -> None:
    box = make_box(data, rendered)
    sweep_parts(data)
    state = box.spool.read(lambda db: db.execute("PRAGMA integrity_check").fetchone()[0])
    tell("sound" if state == "ok" else f"damaged {state}")
    recover(box)
    asyncio.run(load(box, seed))


def main() -> None:
    data, rendered = Path(sys.argv[1]), Path(sys.argv[2])
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            try:
                child(data, rendered, int(line))
            except BaseException as error:
                tell(f"failed {error!r}")
                raise
            finally:
                os._exit(1)
        tell(f"child {pid}")
        os.waitpid(pid, 0)
        tell("gone")


if __name__ == "__main__":
    main()
