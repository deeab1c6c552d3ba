"""Settings of a telephone line with a class-1 modem."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from appliance.lines.modem.answering import AnswerRules
from appliance.lines.modem.dialling import DialRules
from appliance.lines.modem.overlay import SPEEDS, overlay
from appliance.lines.modem.quirks import FlowControl, Quirks
from appliance.lines.settings import LineSettings
from appliance.settings.fields import one_of, setting, variant


def _speed_problem(speed: int | None) -> str | None:
    if speed is not None and speed not in SPEEDS:
        return one_of(map(str, SPEEDS))
    return None


def _quirks_problem(words: tuple[str, ...]) -> str | None:
    try:
        overlay(words)
    except ValueError as error:
        return str(error)
    return None


@variant(LineSettings, "modem")
@dataclass(frozen=True, slots=True, kw_only=True)
class ClassOneModem(LineSettings):
    """A class-1 modem on a telephone line."""

    outside_prefix: str = setting(
        "",
        "dialled before every number; a comma is a pause, W waits for dial tone",
        pattern=r"[0-9*#,W]{0,8}",
    )
    withhold_code: str = setting(
        "",
        "dialled before the number to withhold ours; empty: the country's usual code",
        pattern=r"[0-9*#]{0,8}",
    )
    device: str = setting(
        "", "its port, such as /dev/ttyACM0; empty: any modem that is found", max_length=255
    )
    rings: int = setting(2, "answer on this ring; 2 lets the caller's number arrive", minimum=1, maximum=10)
    ring_kinds: tuple[str, ...] = setting(
        (),
        "answer only these distinctive rings, as the modem names them (A, B, …); empty: any",
        pattern=r"[A-Za-z0-9]{1,8}",
    )
    pulse: bool = setting(False, "dial by pulses")
    blind: bool = setting(False, "do not wait for a dial tone")
    modem_speed: int | None = setting(
        None,
        "bit/s between the box and the modem; none: as the table of modems says",
        minimum=SPEEDS[0],
        maximum=SPEEDS[-1],
        check=_speed_problem,
    )
    modem_flow: FlowControl = setting(
        FlowControl.AUTO, "flow control for the bytes of a page; auto: as the table of modems says"
    )
    modem_quirks: tuple[str, ...] = setting(
        (),
        "quirks that override the table of modems, such as training_ms=400 (docs/modems.md has all)",
        pattern=r"[a-z0-9_]{1,40}=[ -~]{1,100}",
        check=_quirks_problem,
    )

    @property
    def dial_rules(self) -> DialRules:
        """The rules for dialling on this line."""
        return DialRules(
            prefix=self.outside_prefix,
            country_code=self.country_code,
            international=self.international_prefix,
            trunk=self.national_prefix,
            pulse=self.pulse,
            blind=self.blind,
            withhold=self.withhold_code,
        )

    @property
    def answer_rules(self) -> AnswerRules:
        """The rules for answering on this line."""
        kinds = frozenset(kind.upper() for kind in self.ring_kinds)
        return AnswerRules(answer=self.receive, rings=self.rings, kinds=kinds)

    @property
    def adjust(self) -> Callable[[Quirks], Quirks]:
        """The function that applies the owner's quirks to the row of the table."""
        return overlay(self.modem_quirks)
