"""What the sender's roles share, and how the call passes from one to the next."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol

from appliance.causes import Cause
from appliance.t30 import causes
from appliance.t30.asking import Answers
from appliance.t30.fields import Facilities
from appliance.t30.link import Ground, Link
from appliance.t30.pages import PageDesk
from appliance.t30.parameters import Phase
from appliance.t30.roles import EventData
from appliance.t30.station import Station


class SenderPhaseB(Protocol):
    """How a later role goes back to phase B, which is the active role from then on."""

    def trained(self) -> None:
        """To be called upon CFR."""

    def retrain(self, ground: Ground) -> None:
        """Sends DCS again for the current page, at the carrier of ``ground``."""

    def await_dis(self, ground: Ground) -> None:
        """Waits for DIS: after EOM both ends are back in phase B, and the receiver transmits first."""

    def dis_in_place_of_answer(self, ground: Ground, fact: EventData) -> None:
        """Handles a DIS that came instead of a response: the receiver is in phase B again."""


class SenderBase(ABC):
    """What the roles share.

    ``polls`` is called with the content of the far end's DIS when nothing is left to send and the call is to
    poll; it hands the call to the receiver.
    """

    identification: SenderPhaseB

    def __init__(self, station: Station, polls: Callable[[Facilities], None]) -> None:
        self.station = station
        self.desk = PageDesk(station)
        self.answers = Answers()
        self.poll_wanted = station.parameters.poll
        self._polls = polls

    @abstractmethod
    def send(self, link: Link) -> None:
        """Sends the current page over this link."""

    def poll(self, theirs: Facilities) -> None:
        """Hands the call to the receiver, when nothing is left to send."""
        self.poll_wanted = False
        self._polls(theirs)

    def below(self, ground: Ground) -> Ground | None:
        """Falls back to the next lower carrier; None at the lowest.  Counts and notes it."""
        self.station.record.retrainings += 1
        lower = ground.below()
        if lower is not None:
            self.station.note(
                "step_down", rate=lower.carrier.bit_rate, modulation=lower.carrier.modulation.value
            )
        return lower

    def cause_in_phase_b(self) -> Cause:
        """The cause when the far end disconnects before a page, or before its repetition."""
        station = self.station
        if station.phase is Phase.B and station.record.pages_sent == 0 and self.desk.times_sent == 0:
            return causes.HUNG_UP_BEFORE_PAGES
        return causes.HUNG_UP_AFTER_PAGE
