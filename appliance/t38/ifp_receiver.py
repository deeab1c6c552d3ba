"""Converts IFP packets to line events, as a modem would report the far end's signal.

Accepts what is seen on real networks: frames whole or in single octets, several fields in one packet, data
without its indicator, signals without an end, lost packets.  Memory is bounded by one frame.
"""

from __future__ import annotations

from appliance.t4.bits import reverse_bits
from appliance.t30 import dce
from appliance.t38.ifp import DataField, DataPacket, FieldType, IfpPacket, Indicator
from appliance.t38.timing import CARRIER_OF_DATA, CARRIER_OF_INDICATOR, CHUNK_S

# Largest gap in the sequence numbers that counts missing packets (as in ``udptl_receiver``).  Beyond it the
# peer may have restarted its numbers, and the missing part of the image is estimated from the time.
NUMBERS_TRUSTED = 64
# A carrier without packets for this long has ended, and its end was lost.  Our own value: longer than any
# training (1.4 s) and any run of flags between frames; by T4 and T2 of T.30 the far end repeats.
CARRIER_SILENCE_S = 4.0

_TONES = {
    Indicator.CNG: dce.Tone.CNG,
    Indicator.CED: dce.Tone.CED,
    Indicator.V8_ANSAM: dce.Tone.CED,  # a modulated CED (V.8), the same to a fax machine without V.34
}
# Modulations that are not supported.
_FOREIGN = frozenset((Indicator.V33_12000_TRAINING, Indicator.V33_14400_TRAINING))

_GOOD_ENDS = frozenset((FieldType.HDLC_FCS_OK, FieldType.HDLC_FCS_OK_SIG_END))
_FRAME_ENDS = _GOOD_ENDS | {FieldType.HDLC_FCS_BAD, FieldType.HDLC_FCS_BAD_SIG_END}
_SIGNAL_ENDS = frozenset(
    (
        FieldType.HDLC_SIG_END,
        FieldType.HDLC_FCS_OK_SIG_END,
        FieldType.HDLC_FCS_BAD_SIG_END,
        FieldType.T4_NON_ECM_SIG_END,
    )
)
_NON_ECM = frozenset((FieldType.T4_NON_ECM_DATA, FieldType.T4_NON_ECM_SIG_END))

# The begin of a frame in T.38 bit order: address ff, control c0 or c8 (T.30 5.3.4, 5.3.5); on a fast carrier
# followed by FCD or RCP (T.4 Annex A.3.6), FCD with 64 or 256 octets after the frame number.
_HEADS = (b"\xff\xc0", b"\xff\xc8")
_FCD, _RCP = 0x60, 0x61
_ECM_LENGTHS = (4 + 64, 4 + 256)


class IfpReceiver:
    """Follows the far end's signal; ``events`` collects the line events until the caller takes them."""

    def __init__(self) -> None:
        self.events: list[dce.LineEvent] = []
        self.carrier: dce.Carrier | None = None
        self.silent_since = float("-inf")  # when the last carrier ended
        # Frames with and without an FCS field.  If there are none with one, the peer uses the other notation
        # of IFP (see ``T38Dce``).
        self.fcs_marks = 0
        self.frames_without_fcs = 0
        self._heard_at = 0.0
        self._has_data = False  # data came since the carrier came on
        self._labelled: dce.Carrier | None = (
            None  # the wrong label of the data of this carrier, if there is one
        )
        self._frame = bytearray()
        self._frame_damaged = False
        self._start_unsure = False  # packets were lost where a frame may have begun
        self._lost = 0  # packets lost since the last image octets
        self._image_at = 0.0  # when the last image octets arrived
        self._image_octets = 0  # number of image octets in the last packet of this carrier that had any
        self._image_whole = False  # no part of this carrier's image is missing so far

    def next_deadline(self) -> float | None:
        """When a carrier without packets counts as ended, None without a carrier."""
        return self._heard_at + CARRIER_SILENCE_S if self.carrier else None

    def handle_timer(self, now: float) -> None:
        """Ends a carrier without packets.  To be called at ``next_deadline``; harmless earlier."""
        if self.carrier and now >= self._heard_at + CARRIER_SILENCE_S:
            self._carrier_off(now)

    def packets_lost(self, count: int) -> None:
        """To be called when ``count`` packets are missing before the next one."""
        self._lost += count
        self._image_whole = False
        if self._frame:
            self._frame_damaged = True
        else:
            self._start_unsure = True

    def packet(self, packet: IfpPacket, now: float) -> None:
        """Takes the next packet."""
        self._heard_at = now
        if isinstance(packet, DataPacket):
            carrier = CARRIER_OF_DATA.get(packet.data_type)
            if carrier is not None:
                for item in packet.fields:
                    self._field(carrier, item, now)
            return
        indicator = packet.indicator
        carrier = CARRIER_OF_INDICATOR.get(indicator)
        if carrier is None:
            self._carrier_off(now)
            self._start_unsure = False
            if indicator in _TONES:
                self.events.append(dce.ToneHeard(_TONES[indicator]))
            elif indicator in _FOREIGN:
                self.events.append(dce.CarrierMissed())
        elif carrier is not self.carrier or self._has_data:
            self._carrier_off(now)
            self._carrier_on(carrier)
            self._start_unsure = False
            self._lost = 0  # those packets belonged to another signal
            self._image_whole = True

    def _field(self, carrier: dce.Carrier, item: DataField, now: float) -> None:
        kind = item.kind
        carrier = self._meant(carrier)
        if item.octets and kind <= FieldType.T4_NON_ECM_SIG_END:
            if carrier is not self.carrier:  # data without, or before, its indicator
                self._carrier_off(now)
                self._carrier_on(carrier)
            self._has_data = True
            if kind not in _NON_ECM:  # some gateways put a frame's last octets into the field that ends it
                room = dce.MAX_FRAME_OCTETS + 1 - len(self._frame)
                if room > 0:
                    self._frame += item.octets[:room]
            elif kind in _NON_ECM and carrier is not dce.Carrier.V21:
                self._image(carrier, item.octets, now)
        if self.carrier is not carrier:
            return  # the end of a signal, repeated
        if kind in _FRAME_ENDS:
            self._has_data = True
            self.fcs_marks += 1
            self._end_frame(kind in _GOOD_ENDS)
        elif kind is FieldType.HDLC_SIG_END and self._frame:
            self.frames_without_fcs += 1
        if kind in _SIGNAL_ENDS:
            whole = self._image_whole and self._image_octets > 0
            self._carrier_off(now, complete=whole and kind is FieldType.T4_NON_ECM_SIG_END)

    def _meant(self, carrier: dce.Carrier) -> dce.Carrier:
        """The carrier of data with the label ``carrier``.

        Some gateways label the data of a fast carrier as another one's.  If the first data after an indicator
        does not match it, the indicator decides: it is what the far end's modem trained for.
        """
        up = self.carrier
        if up is None or up is carrier or dce.Carrier.V21 in (up, carrier):
            return carrier
        if not self._has_data:
            self._labelled = carrier
        return up if carrier is self._labelled else carrier

    def _image(self, carrier: dce.Carrier, octets: bytes, now: float) -> None:
        if self._lost and any(octets):  # not before fill, which belongs to the row that was lost
            self.events.append(dce.DataLost(self._octets_lost(carrier, now)))
            self._lost = 0
        self._image_at = now
        self._image_octets = len(octets)
        self.events.append(dce.Data(reverse_bits(octets)))

    def _octets_lost(self, carrier: dce.Carrier, now: float) -> int:
        """An estimate of the image octets in the missing packets."""
        usual = self._image_octets or int(carrier.bit_rate * CHUNK_S / 8)
        octets = self._lost * usual
        if self._lost > NUMBERS_TRUSTED:
            octets = min(octets, int((now - self._image_at) * carrier.bit_rate / 8))
        return max(1, octets)

    def _carrier_on(self, carrier: dce.Carrier) -> None:
        self.carrier = carrier
        self._has_data = False
        self._labelled = None
        self._image_octets = 0
        self._image_whole = False
        self.events.append(dce.CarrierOn(carrier))

    def _carrier_off(self, now: float, *, complete: bool = False) -> None:
        self._end_frame(False)  # an unfinished frame has no FCS
        if self.carrier is not None:
            self.carrier = None
            self.silent_since = now
            self.events.append(dce.CarrierOff(complete))

    def _end_frame(self, ok: bool) -> None:
        if not self._frame:
            return
        line = bytes(self._frame)
        self._frame.clear()
        if self._frame_damaged or len(line) > dce.MAX_FRAME_OCTETS:
            ok = False
        if self._start_unsure and not self._begins_like_a_frame(line):
            ok = False
        self._frame_damaged = self._start_unsure = False
        self.events.append(dce.Frame(reverse_bits(line[: dce.MAX_FRAME_OCTETS]), ok))

    def _begins_like_a_frame(self, line: bytes) -> bool:
        """Whether a frame after a loss is complete at its beginning."""
        if not line.startswith(_HEADS):
            return False
        if self.carrier is dce.Carrier.V21:
            return True
        if len(line) < 3 or line[2] == _RCP:
            return len(line) == 3
        return line[2] == _FCD and len(line) in _ECM_LENGTHS
