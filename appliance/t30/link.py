"""What training yields and page transfer takes: the common ground, the rung of the ladder, the DCS."""

from __future__ import annotations

from dataclasses import dataclass, replace

from appliance.t4.page import CodedPage
from appliance.t30.dce import Carrier
from appliance.t30.fields import Settings
from appliance.t30.ladder import below
from appliance.t30.negotiation import Common, FormatError, same_format, settings_for


@dataclass(frozen=True, slots=True)
class Ground:
    """What may be used with this receiver, and the carrier that is the turn of."""

    common: Common
    carrier: Carrier
    takes_sub: bool
    takes_password: bool

    def below(self) -> Ground | None:
        """The same one rung down, None at the bottom."""
        lower = below(self.carrier, self.common.carriers)
        return None if lower is None else replace(self, carrier=lower)

    def link(self, page: CodedPage) -> Link:
        """What this page is to be trained for.  Raises FormatError where the receiver cannot take it."""
        return Link(self, settings_for(page, self.common, self.carrier))

    def fits(self, page: CodedPage) -> bool:
        """Whether the receiver takes a page as it is."""
        try:
            self.link(page)
        except FormatError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Link:
    """A transmitter's end of the link: what the DCS says, and what it was chosen from."""

    ground: Ground
    settings: Settings

    def on(self, ground: Ground) -> Link:
        """The same on another rung, as a CTC leaves it."""
        return Link(ground, replace(self.settings, carrier=ground.carrier))

    def serves(self, page: CodedPage) -> bool:
        """Whether this page may follow without a new DCS.  Raises FormatError as ``Ground.link`` does."""
        return same_format(self.settings, self.ground.link(page).settings)
