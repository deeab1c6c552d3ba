"""Which answer belongs to which command: a command said n times owes n answers.

T.30 numbers nothing.  A far end whose answers come later than T4 hears a command twice and answers it twice;
the second answer then arrives behind the next command and would be taken for its own.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import ClassVar

from appliance.causes import Cause
from appliance.t30 import timers as limits
from appliance.t30.frames import RESPONSES, Fcf, HdlcFrame
from appliance.t30.roles import NO_DATA, EventData, LineStimulus, StationRole, Stimulus, Timer
from appliance.t30.states import SenderState
from appliance.t30.station import Station


class Kind(Enum):
    """Commands of different kinds have different answers, which nobody mistakes."""

    TRAINING = "training"  # DCS: CFR, FTT
    RATE = "rate"  # CTC: CTR
    MESSAGE = "message"  # MPS, EOM, EOP, PPS, RR, EOR: MCF, PPR, RNR, RTN ...


# Which kind of command a response answers.  CRP answers any.
_KIND_OF: dict[Stimulus, Kind] = {
    Fcf.CFR: Kind.TRAINING,
    Fcf.FTT: Kind.TRAINING,
    Fcf.CTR: Kind.RATE,
    **dict.fromkeys((Fcf.MCF, Fcf.PPR, Fcf.RNR, Fcf.RTN, Fcf.RTP, Fcf.PIP, Fcf.PIN, Fcf.ERR), Kind.MESSAGE),
}


class Answers:
    """Counts what was asked and what was answered."""

    def __init__(self) -> None:
        self.are_late = False  # one began later than T4 after the command that it answers
        self._kind: Kind | None = None
        self._others_until = 0.0  # answers to commands of another kind may come until then
        self._owed_before = 0  # answers to earlier commands that may still come
        self._sent_at: list[float] = []  # when this one left the line: its answers have not come
        self._late_until = 0.0  # what is owed to earlier commands has come by then, if it comes

    def new_command(self, kind: Kind) -> None:
        """Another command follows."""
        if kind is self._kind:
            self._owed_before += len(self._sent_at)
        else:
            if self._sent_at:
                self._others_until = self._sent_at[-1] + self._latest()
            if self._owed_before:
                self._others_until = max(self._others_until, self._late_until)
            self._owed_before = 0
        self._kind = kind
        self._sent_at = []

    def _latest(self) -> float:
        """How long after its command an answer may begin, seconds."""
        message = self._kind is Kind.MESSAGE
        return limits.CONFIRMATION_LATENESS_S if message else limits.TRAINING_LATENESS_S

    def sent(self, now: float) -> None:
        """The command has left the line, for the first time or again."""
        self._sent_at.append(now)

    def concerns(self, response: Stimulus, began: float) -> bool:
        """Whether this, its carrier up since ``began``, answers a command of the kind that was given last.

        What did not survive may have been an answer to one of another kind, while such may still come.
        """
        kind = _KIND_OF.get(response)
        return kind is self._kind if kind is not None else began > self._others_until

    def heard(self, began: float) -> bool:
        """An answer came, its carrier up since ``began``.  False when it may be an earlier command's."""
        if self._owed_before and began <= self._late_until:
            self._owed_before -= 1
            return False
        self._owed_before = 0
        if self._sent_at:
            # What was said longer ago than any answer is late was not heard.  If this was the answer to the
            # first of the others, that to the last one is as late.
            possible = [at for at in self._sent_at if began - at <= self._latest()] or self._sent_at[-1:]
            lateness = began - possible[0]
            self.are_late |= began - possible[-1] > limits.T4_S
            self._late_until = possible[-1] + lateness + limits.LATE_ANSWER_MARGIN_S
            self._sent_at = possible[1:]
        return True


class AskingRole(StationRole):
    """A role that gives commands and waits for their answers.  ``answers`` is one for the whole call."""

    # States in which a command waits for its answer, and what counts as one.
    _ASKING: ClassVar[frozenset[Enum]] = frozenset(
        {
            SenderState.CFR,
            SenderState.POST,
            SenderState.PPS,
            SenderState.RR,
            SenderState.CTR,
            SenderState.ERR,
        }
    )
    _ANSWERS: ClassVar[frozenset[Stimulus]] = RESPONSES | {Fcf.CRP, LineStimulus.GARBLED}

    def __init__(self, station: Station, state: Enum, answers: Answers) -> None:
        super().__init__(station, state)
        self._answers = answers
        self._again: Callable[[], None] = self._nothing_to_repeat
        self._tries = 0
        self._said_at = 0.0  # when the command has last left the line

    def _cause_of_silence(self) -> Cause:
        """How the call has ended when a command was given three times for nothing."""
        raise NotImplementedError

    def take(self, stimulus: Stimulus, fact: EventData = NO_DATA) -> None:
        """An answer that may be an earlier command's does not count: this command is said again."""
        if self.state in self._ASKING and stimulus in self._ANSWERS:
            known, began = stimulus in self.TABLE[self.state], fact.burst.began
            owed = self._answers.concerns(stimulus, began) and not self._answers.heard(began)
            if self._tries > 1:
                self.station.keep_quiet_until(self._said_at + limits.ANSWERING_S)
            if owed and known and stimulus is not LineStimulus.GARBLED:
                self.station.note("answer_owed", name=stimulus.name)
                self.station.clear(Timer.T4)
                self._again()
                return
        super().take(stimulus, fact)

    def _try(self, command: Callable[[], None], kind: Kind) -> None:
        """Gives a command for the first time."""
        self._again, self._tries = command, 1
        self._answers.new_command(kind)
        command()

    def _repeat(self, _: EventData) -> None:
        """No valid response: the same again, three times in all (T.30 5.4.3)."""
        if self._tries >= limits.TRIES:
            self.station.finish(self._cause_of_silence())
            return
        self._tries += 1
        self.station.clear(Timer.T4)
        self.station.slow_down()
        self._again()

    def _await(self, state: SenderState) -> None:
        self.state = state
        self._said_at = self.station.now
        self._answers.sent(self._said_at)
        late = self._answers.are_late or self._tries > 1
        self.station.set(Timer.T4, limits.LATE_T4_S if late else limits.T4_S)
        self.station.listen()

    def _command(self, frame: HdlcFrame, state: SenderState) -> None:
        kind = Kind.RATE if state is SenderState.CTR else Kind.MESSAGE
        self._try(lambda: self.station.say((frame,), lambda: self._await(state)), kind)

    def _nothing_to_repeat(self) -> None:
        """Before the first command."""
