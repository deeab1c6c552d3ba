"""Durations of signals on a telephone line: training, flags, HDLC frames with stuffed bits.

A gateway at the far end may play what we send on a telephone line, so over T.38 each signal takes as long as
there (T.38 clause 8, T.30 5.3, and the V-series for the training).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from appliance.t4.bits import reverse_bits
from appliance.t30.dce import Carrier
from appliance.t30.fcs import with_fcs
from appliance.t30.pace import NOMINAL
from appliance.t38.ifp import DataType, Indicator

# CNG: 0.5 s on, 3 s off (T.30 4.1), seconds.  The indicator stands for tones and pauses together and lasts
# until the next one.  A gateway that is sent one for each tone (spandsp's, thus Asterisk's) takes 3.5 s for
# each of them before it plays what follows, too late for T4 of the machine there.
CNG_ON_S, CNG_PERIOD_S = 0.5, 3.5
# That gateway also plays the next tone to its end when CNG ends during one, so ours ends at least this far
# from a tone, seconds.
CNG_GUARD_S = 0.15
# A session often begins because the gateway detected CED or flags.  Our answer to the DIS that follows must
# not wait for a CNG, so CNG begins this much later, and not while CED (at most 4 s) and first flags may last.
# Seconds.
CNG_DELAY_S = 1.5
CNG_AFTER_CED_S = 7.0
# Line time in one data packet, seconds.  Gateways send and expect 30 ms.
CHUNK_S = 0.030
# V.21 octets in one packet: at 300 bit/s 30 ms are 1.1 octets; two halve the number of packets.
V21_CHUNK_OCTETS = 2
_FLAG_BITS = 8
_FIVE_ONES = "11111"


@dataclass(frozen=True, slots=True)
class CarrierNumbers:
    """The data type and indicators of a carrier, and the duration of its training, seconds."""

    data_type: DataType
    long_indicator: Indicator
    long_training_s: float
    short_indicator: Indicator
    short_training_s: float


def _numbers(data_type: DataType, indicator: Indicator, seconds: float) -> CarrierNumbers:
    return CarrierNumbers(data_type, indicator, seconds, indicator, seconds)


# V.27ter table 4: segments 3 to 5, 50 + 1074 + 8 symbols at 1200 or 1600 baud.
_V27_2400_S = 1132 / 1200
_V27_4800_S = 1132 / 1600
# V.29 clause 8: 48 (silence) + 128 + 384 + 48 symbols at 2400 baud.
_V29_S = 608 / 2400
# V.17 table 3: 256 + 2976 + 64 + 48 symbols, after a resync 256 + 38 + 48, at 2400 baud.
_V17_LONG_S = 3344 / 2400
_V17_SHORT_S = 342 / 2400

CARRIERS: dict[Carrier, CarrierNumbers] = {
    Carrier.V21: _numbers(DataType.V21, Indicator.V21_PREAMBLE, NOMINAL.preamble_s),
    Carrier.V27TER_2400: _numbers(DataType.V27_2400, Indicator.V27_2400_TRAINING, _V27_2400_S),
    Carrier.V27TER_4800: _numbers(DataType.V27_4800, Indicator.V27_4800_TRAINING, _V27_4800_S),
    Carrier.V29_7200: _numbers(DataType.V29_7200, Indicator.V29_7200_TRAINING, _V29_S),
    Carrier.V29_9600: _numbers(DataType.V29_9600, Indicator.V29_9600_TRAINING, _V29_S),
    **{
        carrier: CarrierNumbers(
            DataType[f"V17_{carrier.bit_rate}"],
            Indicator[f"V17_{carrier.bit_rate}_LONG_TRAINING"],
            _V17_LONG_S,
            Indicator[f"V17_{carrier.bit_rate}_SHORT_TRAINING"],
            _V17_SHORT_S,
        )
        for carrier in (Carrier.V17_7200, Carrier.V17_9600, Carrier.V17_12000, Carrier.V17_14400)
    },
}

CARRIER_OF_DATA = {numbers.data_type: carrier for carrier, numbers in CARRIERS.items()}
CARRIER_OF_INDICATOR = {
    indicator: carrier
    for carrier, numbers in CARRIERS.items()
    for indicator in (numbers.long_indicator, numbers.short_indicator)
}


@dataclass(frozen=True, slots=True)
class CutFrame:
    """An HDLC frame in T.38 bit order, in pieces.

    Each piece has the position of its first bit on a line, counted from the first bit of the frame.
    ``line_bits`` is the length of the whole frame there, with stuffed bits, FCS and closing flag.
    """

    pieces: tuple[tuple[int, bytes], ...] = field(repr=False)
    line_bits: int


def cut_frame(frame: bytes, piece_octets: int) -> CutFrame:
    """Cuts ``frame`` (T.31 bit order, without FCS) into pieces of at most ``piece_octets`` octets.

    A zero is stuffed after five ones in succession (T.30 5.3.3, ISO 13239), that is after each match that
    ``str.count`` finds from the left without overlap.
    """
    line, whole = reverse_bits(frame), reverse_bits(with_fcs(frame))
    bits = f"{int.from_bytes(whole, 'big'):0{len(whole) * 8}b}"
    pieces = tuple(
        (start * 8 + bits.count(_FIVE_ONES, 0, start * 8), line[start : start + piece_octets])
        for start in range(0, len(line), piece_octets)
    )
    return CutFrame(pieces, len(bits) + bits.count(_FIVE_ONES) + _FLAG_BITS)
