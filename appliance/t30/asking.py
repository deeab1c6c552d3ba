"""Matching responses to commands: a command sent n times may be answered n times.

T.30 does not number its messages.  A far end that answers later than T4 receives the command twice and
answers it twice; the second answer arrives after the next command and would be mistaken for its answer.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import ClassVar

from appliance.causes import Cause
from appliance.t30 import causes
from appliance.t30 import timers as limits
from appliance.t30.frames import RESPONSES, Fcf, HdlcFrame
from appliance.t30.roles import NO_DATA, EventData, LineStimulus, StationRole, Stimulus, Timer
from appliance.t30.states import SenderState
from appliance.t30.station import Station


class CommandKind(Enum):
    """Kinds of commands.  No response answers commands of two kinds, CRP excepted."""

    TRAINING = "training"  # DCS: CFR, FTT
    RATE = "rate"  # CTC: CTR
    MESSAGE = "message"  # MPS, EOM, EOP, PPS, RR, EOR: MCF, PPR, RNR, RTN ...


# Which kind of command a response answers.  CRP answers any.
_KIND_OF: dict[Stimulus, CommandKind] = {
    Fcf.CFR: CommandKind.TRAINING,
    Fcf.FTT: CommandKind.TRAINING,
    Fcf.CTR: CommandKind.RATE,
    **dict.fromkeys(
        (Fcf.MCF, Fcf.PPR, Fcf.RNR, Fcf.RTN, Fcf.RTP, Fcf.PIP, Fcf.PIN, Fcf.ERR), CommandKind.MESSAGE
    ),
}


class Answers:
    """Counts the responses that are still due, so that a late one is not taken for the latest command's.

    All times are seconds on the call's clock.
    """

    def __init__(self) -> None:
        self.are_late = False  # a response began later than T4 after its command
        self._kind: CommandKind | None = None  # of the latest command
        self.others_until = 0.0  # until then responses to commands of another kind may arrive
        self._owed_before = 0  # responses to earlier commands of this kind that may still arrive
        self._sent_at: list[float] = []  # when the latest command left the line, once for each open response
        self._late_until = 0.0  # until then responses to earlier commands may arrive

    def new_command(self, kind: CommandKind) -> None:
        """To be called before a new command of this kind is sent for the first time."""
        if kind is self._kind:
            self._owed_before += len(self._sent_at)
        else:
            if self._sent_at:
                self.others_until = self._sent_at[-1] + self._latest()
            if self._owed_before:
                self.others_until = max(self.others_until, self._late_until)
            self._owed_before = 0
        self._kind = kind
        self._sent_at = []

    def _latest(self) -> float:
        """Longest time from a command of the current kind to the begin of its response, seconds."""
        message = self._kind is CommandKind.MESSAGE
        return limits.CONFIRMATION_LATENESS_S if message else limits.TRAINING_LATENESS_S

    def sent(self, now: float) -> None:
        """To be called each time the command has left the line, repetitions included."""
        self._sent_at.append(now)

    def concerns(self, response: Stimulus, began: float) -> bool:
        """Whether a response, its carrier up since ``began``, answers a command of the latest kind.

        A garbled burst or CRP does not show its kind: it counts as soon as responses to commands of
        another kind can no longer arrive.
        """
        kind = _KIND_OF.get(response)
        return kind is self._kind if kind is not None else began > self.others_until

    def heard(self, began: float) -> bool:
        """Counts a response, its carrier up since ``began``.  False when it may answer an earlier command."""
        if self._owed_before and began <= self._late_until:
            self._owed_before -= 1
            return False
        self._owed_before = 0
        if self._sent_at:
            # A command sent longer ago than the latest possible response was not received.  If this is the
            # response to the first of the remaining ones, the response to the last one will be as late.
            possible = [at for at in self._sent_at if began - at <= self._latest()] or self._sent_at[-1:]
            lateness = began - possible[0]
            self.are_late |= began - possible[-1] > limits.T4_S
            self._late_until = possible[-1] + lateness + limits.LATE_ANSWER_MARGIN_S
            self._sent_at = possible[1:]
        return True


class AskingRole(StationRole):
    """Base of the roles that send commands, repeat them (T.30 5.4.3) and wait for responses.

    ``answers`` is shared by all roles of a call.
    """

    # States in which a command waits for its response, and the stimuli that count as a response.
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
    # What else tells that the far end is there; its other commands may be an echo of ours.
    _SIGNS: ClassVar[frozenset[Stimulus]] = _ANSWERS | {Fcf.DIS, Fcf.DTC, LineStimulus.UNKNOWN}

    def __init__(self, station: Station, state: Enum, answers: Answers) -> None:
        super().__init__(state, station.note)
        self.station = station
        self._answers = answers
        self._again: Callable[[], None] = self._nothing_to_repeat
        self._tries = 0
        self._said_at = 0.0  # when the command last left the line, seconds
        self._heard: Stimulus | None = None  # the latest sign of the far end since the command's first time

    def _cause_unanswered(self) -> Cause:
        """The cause of the call's end when a command was sent ``TRIES`` times without a valid response."""
        raise NotImplementedError

    def _by_what_was_heard(self, silence: Cause) -> Cause:
        """The cause of an end without a valid response; ``silence`` when nothing at all was heard."""
        match self._heard:
            case None:
                return silence
            case LineStimulus.GARBLED:
                return causes.ANSWER_NOT_UNDERSTOOD
            case Fcf.CRP | Fcf.DIS | Fcf.DTC:
                return causes.COMMAND_NOT_UNDERSTOOD
            case _:
                return causes.PROTOCOL_GARBAGE

    def take(self, stimulus: Stimulus, fact: EventData = NO_DATA) -> None:
        """Handles a stimulus.  A response that may answer an earlier command has this command sent again."""
        asking, began = self.state in self._ASKING, fact.burst.began
        concerns = self._answers.concerns(stimulus, began)
        if asking and stimulus in self._SIGNS and (concerns or began > self._answers.others_until):
            self._heard = stimulus
        if asking and stimulus in self._ANSWERS:
            known = stimulus in self.TABLE[self.state]
            owed = concerns and not self._answers.heard(began)
            if self._tries > 1:
                self.station.keep_quiet_until(self._said_at + limits.ANSWERING_S)
            if owed and known and stimulus is not LineStimulus.GARBLED:
                self.station.note("answer_owed", name=stimulus.name)
                self.station.timers.stop(Timer.T4)
                self._again()
                return
        super().take(stimulus, fact)

    def _try(self, command: Callable[[], None], kind: CommandKind) -> None:
        """Sends a command for the first time."""
        self._again, self._tries, self._heard = command, 1, None
        self._answers.new_command(kind)
        command()

    def _repeat(self, _: EventData) -> None:
        """No valid response: repeats the command, three times in all (T.30 5.4.3)."""
        if self._tries >= limits.TRIES:
            self.station.finish(self._cause_unanswered())
            return
        self._tries += 1
        self.station.timers.stop(Timer.T4)
        self.station.slow_down()
        self._again()

    def _await(self, state: SenderState) -> None:
        """The command has left the line: starts T4 and listens."""
        self.state = state
        self._said_at = self.station.now
        self._answers.sent(self._said_at)
        late = self._answers.are_late or self._tries > 1
        self.station.timers.start(Timer.T4, limits.LATE_T4_S if late else limits.T4_S)
        self.station.listen()

    def _command(self, frame: HdlcFrame, state: SenderState) -> None:
        kind = CommandKind.RATE if state is SenderState.CTR else CommandKind.MESSAGE
        self._try(lambda: self.station.say((frame,), lambda: self._await(state)), kind)

    def _nothing_to_repeat(self) -> None:
        """What ``_again`` is before the first command."""
