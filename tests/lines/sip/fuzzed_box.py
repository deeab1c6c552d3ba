"""A box in a process of its own for peers that misbehave: answers every call from loopback until stdin ends.

Prints its SIP ports (UDP, TCP, TLS), and at the end one line about what is left: calls, threads.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

from appliance.lines.sip.settings import Transport
from tests.lines.sip.rig import Box, Footprint, certificate

# A call whose peer fell silent goes through every timer: ACK that never comes (34 s), BYE that nobody
# answers (32 s), and a look-up of a name that a fuzzed Contact made up.  A connection that the
# other end has just closed is open here until the stack has read so.
LIMIT_S = 120.0


async def main(folder: Path) -> None:
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(message)s")
    box = Box(tcp_port=0, tls_port=0, **certificate(folder))
    await box.start()
    await box.line("fuzzed", f"127.0.0.1:{box.port}", peers=("127.0.0.1",), calls_at_once=60)
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, lambda: None)  # the thread that waits for stdin is not a leak
    footprint = Footprint.now()
    print(*(box.stack.ports[each] for each in Transport), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    for line in box.lines:
        for owner in tuple(line._calls.values()):
            owner.cancel()
    for _ in range(int(LIMIT_S / 0.05)):
        left = Footprint.now()
        over = not box.stack.calls and not any(line.state().calls for line in box.lines)
        if over and left.descriptors <= footprint.descriptors:
            break
        await asyncio.sleep(0.05)
    calls = len(box.stack.calls)
    sockets = left.descriptors - footprint.descriptors
    await box.stop()
    print(f"calls={calls} descriptors={sockets} threads={left.threads - footprint.threads}", flush=True)


asyncio.run(main(Path(sys.argv[1])))
