"""Finds a line's modem, identifies it and opens its port."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from appliance.language import filled, marked
from appliance.lines.modem.answering import AnswerRules
from appliance.lines.modem.dialling import DialRules
from appliance.lines.modem.find import candidates
from appliance.lines.modem.identify import Interrogation, Modem
from appliance.lines.modem.quirks import FlowControl, Quirks
from appliance.lines.modem.serial_link import PortError, PortOfAnotherLineError, SerialLink, ask

# Interval of looking for a new device, seconds; one system call each.
LOOK_EVERY_S = 1.0
FIND_IN = "/dev/faxmodem"
# A modem that does not answer may still be booting, seconds.
IDENTIFY_LIMIT_S = 60.0
_NO_OTHER_MODEM = marked("No fax modem is plugged in that no other line uses.")
# Every USB modem takes this; an older one on a real serial port is set by the owner.
FIRST_SPEED = 115200


@dataclass(frozen=True, slots=True)
class ModemSettings:
    """The owner's settings of one telephone line."""

    port: str = ""  # path of the port; empty: find a modem by itself
    rules: DialRules = field(default_factory=DialRules)
    answer: AnswerRules = field(default_factory=AnswerRules)
    speed: int | None = None  # bit/s to the modem; None: as the table of quirks says
    flow: FlowControl | None = None
    adjust: Callable[[Quirks], Quirks] | None = None  # laid over the table's row
    speaker: bool = False


@dataclass(frozen=True, slots=True)
class OpenModem:
    """A modem, and the open port to it."""

    modem: Modem
    link: SerialLink

    def ready(self, since: str = "") -> str:
        """The sentence that it is ready.  ``since``: the time of day."""
        modem, path = self.modem.identity or filled("A modem"), self.link.path
        if since:
            return filled("{modem} on {path}, ready since {time}.", modem=modem, path=path, time=since)
        return filled("{modem} on {path}, ready.", modem=modem, path=path)


async def open_modem(
    settings: ModemSettings, *, lost: Callable[[str], None], after: Callable[[], None]
) -> OpenModem:
    """Opens the first port with a modem of class 1; ``lost`` and ``after`` are those of ``SerialLink``.

    Raises PortError when there is none, with the trouble of the first port tried that no other line uses.
    """
    trouble, others = "", ""
    for candidate in candidates(settings.port):
        if candidate.fit:
            try:
                return await _identify(candidate.path, settings, lost, after)
            except PortOfAnotherLineError as error:
                others = error.sentence if settings.port else _NO_OTHER_MODEM
            except PortError as error:
                trouble = trouble or error.sentence
    raise PortError(trouble or others or marked("No fax modem is plugged in."))


async def _identify(
    path: str, settings: ModemSettings, lost: Callable[[str], None], after: Callable[[], None]
) -> OpenModem:
    interrogation = Interrogation(adjust=settings.adjust or (lambda q: q))
    flow = settings.flow or FlowControl.RTS_CTS
    await ask(path, settings.speed or FIRST_SPEED, flow, interrogation, IDENTIFY_LIMIT_S)
    if interrogation.result is None:
        raise PortError(filled("{path}: {problem}.", path=path, problem=filled(interrogation.failed)))
    modem = interrogation.result
    if not modem.class_1:
        raise PortError(filled("{path}: {problem}.", path=path, problem=modem.in_words()))
    speed, flow = settings.speed or modem.quirks.speed, settings.flow or modem.quirks.flow
    return OpenModem(modem, SerialLink(path, speed, flow, lost=lost, after=after))


async def wait_for_device(port: str, seconds: float) -> None:
    """Waits ``seconds``, or until a device appeared or disappeared, when udev changes the directory of
    ``port``.
    """
    directory = Path(port or FIND_IN).parent
    until = asyncio.get_running_loop().time() + seconds
    before = _changed(directory)
    while (left := until - asyncio.get_running_loop().time()) > 0:
        await asyncio.sleep(min(left, LOOK_EVERY_S))
        if _changed(directory) != before:
            await asyncio.sleep(min(left, LOOK_EVERY_S))  # udev is about to set its names and modes
            return


def _changed(directory: Path) -> int:
    """The time of the last change of a name in the directory; 0 when it is missing."""
    try:
        return directory.stat().st_mtime_ns
    except OSError:
        return 0
