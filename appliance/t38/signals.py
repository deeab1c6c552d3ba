"""The IFP packets of our signals: for each order of the engine its packets and their times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from appliance.t4.bits import reverse_bits
from appliance.t30 import dce
from appliance.t30.pace import NOMINAL
from appliance.t38.ifp import DataField, DataPacket, FieldType, Indicator, IndicatorPacket, encode
from appliance.t38.settings import RateManagement, T38Settings
from appliance.t38.timing import CARRIERS, CHUNK_S, CNG_DELAY_S, CNG_PERIOD_S, V21_CHUNK_OCTETS, cut_frame

# Octets of a datagram besides the field's data: sequence 2, length 2, type 1, count 1, field header and
# length 3, a second field 1, error recovery 2.
_OVERHEAD_OCTETS = 12
# Zeros (fill, T.4 4.1.3) after a page without ECM, seconds: some gateways and terminals lose the last octets
# before the end of the signal, and the RTC with them.
PAGE_TRAILER_S = 0.06

_FRAME_END = DataField(FieldType.HDLC_FCS_OK)
_LAST_FRAME_END = DataField(FieldType.HDLC_FCS_OK_SIG_END)
_NON_ECM_END = DataField(FieldType.T4_NON_ECM_SIG_END)


@dataclass(frozen=True, slots=True)
class SignalStep:
    """One step of a signal: ``ifp`` is to be sent at ``at``; None is the end of the signal in line time."""

    at: float  # seconds
    ifp: bytes | None
    repeats: bool = False  # an indicator, to be sent more than once
    answerable: bool = False  # the far end may answer from here on
    tone: bool = False  # CNG


class Signals:
    """The signals of one session, with the times of ``pace``.

    ``far_end_is_terminal``: the far end is no gateway, and has no modem that needs the data in time.
    """

    def __init__(self, settings: T38Settings) -> None:
        self._settings = settings
        self.pace = NOMINAL
        self.far_end_is_terminal = False

    def of(self, order: dce.LineOrder, begin: float) -> Iterator[SignalStep]:
        """The steps of the signal that ``order`` asks for, from the time ``begin``.

        Endless for CNG.  Raises TypeError for an order that sends nothing.
        """
        match order:
            case dce.SendCng():
                return self._cng(begin + CNG_DELAY_S)
            case dce.SendCed():
                return self._ced(begin)
            case dce.SendFrames(frames):
                return self._hdlc(begin, dce.Carrier.V21, False, 0.0, frames)
            case dce.SendEcm(carrier, short_train, frames):
                return self._hdlc(begin, carrier, short_train, self.pace.ecm_flags_s, frames)
            case dce.SendImage(carrier, short_train, data):
                trailer = bytes(int(carrier.bit_rate * PAGE_TRAILER_S / 8))
                return self._non_ecm(begin, carrier, short_train, data + trailer)
            case dce.SendTcf(carrier, octets):
                if self._settings.rate_management is RateManagement.LOCAL_TCF:
                    seconds = CARRIERS[carrier].long_training_s + octets * 8 / carrier.bit_rate
                    return iter((SignalStep(begin + seconds, None),))
                return self._non_ecm(begin, carrier, False, bytes(octets))
        raise TypeError(f"not an order for a line: {order!r}")

    def indicator(self, at: float, indicator: Indicator) -> SignalStep:
        """The step that sends an indicator."""
        ifp = encode(IndicatorPacket(indicator), self._settings.version)
        return SignalStep(at, ifp, repeats=True, answerable=indicator is Indicator.CED)

    def _cng(self, at: float) -> Iterator[SignalStep]:
        while True:
            yield replace(self.indicator(at, Indicator.CNG), tone=True)
            at += CNG_PERIOD_S

    def _ced(self, at: float) -> Iterator[SignalStep]:
        yield self.indicator(at, Indicator.CED)
        yield SignalStep(at + self.pace.ced_s, None)

    def _training(self, at: float, carrier: dce.Carrier, short: bool) -> tuple[SignalStep, float]:
        """The indicator, and the time of the first bit after the training."""
        numbers = CARRIERS[carrier]
        if carrier is dce.Carrier.V21:
            return self.indicator(at, numbers.long_indicator), at + self.pace.preamble_s
        if short:
            return self.indicator(at, numbers.short_indicator), at + numbers.short_training_s
        return self.indicator(at, numbers.long_indicator), at + numbers.long_training_s

    def _piece_octets(self, carrier: dce.Carrier) -> int:
        """Octets in one data packet: ``CHUNK_S`` of line time, or less by the far end's limit."""
        octets = V21_CHUNK_OCTETS if carrier is dce.Carrier.V21 else int(carrier.bit_rate * CHUNK_S / 8)
        return max(1, min(octets, self._settings.max_datagram - _OVERHEAD_OCTETS))

    def _lead(self, carrier: dce.Carrier) -> float:
        buffer_s = self._settings.max_buffer * 8 / carrier.bit_rate
        if self.far_end_is_terminal:
            return min(self.pace.lead_to_terminal_s, buffer_s)
        return min(self.pace.lead_s, buffer_s / 2)

    def _hdlc(
        self, at: float, carrier: dce.Carrier, short: bool, flags_s: float, frames: tuple[bytes, ...]
    ) -> Iterator[SignalStep]:
        indicator, line = self._training(at, carrier, short)
        yield indicator
        line += flags_s
        lead, rate = self._lead(carrier), carrier.bit_rate
        data_type, version = CARRIERS[carrier].data_type, self._settings.version
        octets = self._piece_octets(carrier)
        last_frame = len(frames) - 1
        for number, frame in enumerate(frames):
            cut = cut_frame(frame, octets)
            last_piece = len(cut.pieces) - 1
            for index, (bit, piece) in enumerate(cut.pieces):
                fields: tuple[DataField, ...] = (DataField(FieldType.HDLC_DATA, piece),)
                ends_signal = False
                if index == last_piece:
                    ends_signal = number == last_frame
                    fields += (_LAST_FRAME_END if ends_signal else _FRAME_END,)
                ifp = encode(DataPacket(data_type, fields), version)
                yield SignalStep(line + bit / rate - lead, ifp, answerable=ends_signal)
            line += cut.line_bits / rate
        yield SignalStep(line, None)

    def _non_ecm(self, at: float, carrier: dce.Carrier, short: bool, data: bytes) -> Iterator[SignalStep]:
        indicator, line = self._training(at, carrier, short)
        yield indicator
        lead, rate = self._lead(carrier), carrier.bit_rate
        data_type, version = CARRIERS[carrier].data_type, self._settings.version
        octets = self._piece_octets(carrier)
        for start in range(0, max(1, len(data)), octets):
            fields: tuple[DataField, ...] = ()
            if data:
                fields += (DataField(FieldType.T4_NON_ECM_DATA, reverse_bits(data[start : start + octets])),)
            ends_signal = start + octets >= len(data)
            if ends_signal:
                fields += (_NON_ECM_END,)
            ifp = encode(DataPacket(data_type, fields), version)
            yield SignalStep(line + start * 8 / rate - lead, ifp, answerable=ends_signal)
        yield SignalStep(line + len(data) * 8 / rate, None)
