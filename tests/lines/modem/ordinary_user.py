"""Sends a page over the modem at PORT to NUMBER as nobody in group dialout; prints how the call ended.

Begun by root, who may read the interpreter and the project wherever they lie, and steps down by itself.
"""

from __future__ import annotations

import asyncio
import grp
import os
import pwd
import sys

from appliance.lines import causes
from appliance.lines.line import OutgoingCall, Refuse
from appliance.lines.modem.line import ModemLine
from appliance.lines.modem.opening import ModemSettings
from appliance.numbering import emergency
from appliance.t30.memory import MemoryOwner
from appliance.t30.parameters import CallParameters, Role
from tests.softmodem.fixtures import sample_page


async def main(port: str, number: str) -> None:
    line = ModemLine("telephone", ModemSettings(port=port))
    await line.start(lambda _: Refuse(causes.LINE_STOPPED))
    if not await line.wait_usable(30):
        print(line.state().sentence)
        return
    owner = MemoryOwner([sample_page(41)])
    result = await line.place(OutgoingCall(number, CallParameters(Role.CALLS)), owner)
    await line.stop()
    print(result.cause.code)


def step_down() -> None:
    nobody = pwd.getpwnam("nobody")
    os.setgroups([grp.getgrnam("dialout").gr_gid])
    os.setgid(nobody.pw_gid)
    os.setuid(nobody.pw_uid)
    if os.access("/etc/shadow", os.R_OK):
        raise RuntimeError("still somebody")


emergency.may_reach("2")  # its library reads a file for each country when first asked
step_down()
asyncio.run(main(*sys.argv[1:3]))
