"""IFP packets of T.38 (Annex A) in aligned PER (X.691): indicators and data, versions 0 to 3.

The ASN.1 of 1998 (version 0) left the extension marker out of ``field-type``; the corrected one of 2002
has it.  So a field without data takes four bits in version 0 and five from version 1 on, and two such
fields may share an octet.  ``encode`` writes the notation of the version; ``decode`` also reads what common
implementations send: fields that each start on an octet, and the notation other than the negotiated one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum


class IfpError(ValueError):
    """Octets that are not an IFP packet (the peer's fault), or a packet its version cannot express."""


class Indicator(IntEnum):
    """``t30-indicator`` (T.38 7.3.1).  The value is the index in the enumeration; extensions from 16 on."""

    NO_SIGNAL = 0
    CNG = 1
    CED = 2
    V21_PREAMBLE = 3
    V27_2400_TRAINING = 4
    V27_4800_TRAINING = 5
    V29_7200_TRAINING = 6
    V29_9600_TRAINING = 7
    V17_7200_SHORT_TRAINING = 8
    V17_7200_LONG_TRAINING = 9
    V17_9600_SHORT_TRAINING = 10
    V17_9600_LONG_TRAINING = 11
    V17_12000_SHORT_TRAINING = 12
    V17_12000_LONG_TRAINING = 13
    V17_14400_SHORT_TRAINING = 14
    V17_14400_LONG_TRAINING = 15
    V8_ANSAM = 16
    V8_SIGNAL = 17
    V34_CNTL_CHANNEL_1200 = 18
    V34_PRI_CHANNEL = 19
    V34_CC_RETRAIN = 20
    V33_12000_TRAINING = 21
    V33_14400_TRAINING = 22


class DataType(IntEnum):
    """``t30-data`` (T.38 7.3.2); extensions from 9 on."""

    V21 = 0
    V27_2400 = 1
    V27_4800 = 2
    V29_7200 = 3
    V29_9600 = 4
    V17_7200 = 5
    V17_9600 = 6
    V17_12000 = 7
    V17_14400 = 8
    V8 = 9
    V34_PRI_RATE = 10
    V34_CC_1200 = 11
    V34_PRI_CH = 12
    V33_12000 = 13
    V33_14400 = 14


class FieldType(IntEnum):
    """``field-type`` (T.38 7.4); extensions from 8 on."""

    HDLC_DATA = 0
    HDLC_SIG_END = 1
    HDLC_FCS_OK = 2
    HDLC_FCS_BAD = 3
    HDLC_FCS_OK_SIG_END = 4
    HDLC_FCS_BAD_SIG_END = 5
    T4_NON_ECM_DATA = 6
    T4_NON_ECM_SIG_END = 7
    CM_MESSAGE = 8
    JM_MESSAGE = 9
    CI_MESSAGE = 10
    V34_RATE = 11


_FIRST_EXTENSION = {Indicator: 16, DataType: 9, FieldType: 8}
MAX_VERSION = 3
MAX_FIELD_OCTETS = 65535  # Annex A: OCTET STRING (SIZE (1..65535))
# Data types that may have the field types of V.8 and V.34.
_MODERN = frozenset((DataType.V8, DataType.V34_PRI_RATE, DataType.V34_CC_1200, DataType.V34_PRI_CH))
# Our own bound on the work that one hostile datagram can cause; no sender puts more fields into a packet.
MAX_FIELDS = 256
# Field types that have no data.  Data in one of them most likely means the wrong notation, though some
# gateways put a frame's last octets there.
_BARE = frozenset(
    (
        FieldType.HDLC_SIG_END,
        FieldType.HDLC_FCS_OK,
        FieldType.HDLC_FCS_BAD,
        FieldType.HDLC_FCS_OK_SIG_END,
        FieldType.HDLC_FCS_BAD_SIG_END,
    )
)


@dataclass(frozen=True, slots=True)
class IndicatorPacket:
    """A T30_INDICATOR."""

    indicator: Indicator


@dataclass(frozen=True, slots=True)
class DataField:
    """One element of the data field.  ``octets`` is empty where the optional field-data is absent."""

    kind: FieldType
    octets: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class DataPacket:
    """A T30_DATA.  ``fields`` is empty where the optional data-field is absent."""

    data_type: DataType
    fields: tuple[DataField, ...]


IfpPacket = IndicatorPacket | DataPacket

_INDICATORS = {bytes((i << 1,)): IndicatorPacket(i) for i in Indicator if i < 16}
_DATA_TYPES = tuple(DataType)
_FIELD_TYPES = tuple(FieldType)


# -- encoding ------------------------------------------------------------------------------------


def _type_octets(flags: int, value: IntEnum) -> bytes:
    """Type-of-msg after the two bits of ``flags``: the index in four bits, or an extension's in six."""
    first = _FIRST_EXTENSION[type(value)]
    if value < first:
        return bytes((flags | value << 1,))
    return ((flags | 0x20) << 8 | (value - first) << 6).to_bytes(2, "big")


def length_octets(length: int) -> bytes:
    """A PER length determinant (X.691 10.9).  Raises IfpError from 16384 on, where it needs fragments."""
    if length < 0x80:
        return bytes((length,))
    if length < 0x4000:
        return (0x8000 | length).to_bytes(2, "big")
    raise IfpError(f"length {length} would need fragments, which nobody sends in T.38")


def encode(packet: IfpPacket, version: int) -> bytes:
    """The octets of a packet in the notation of ``version`` (0 to 3).

    Raises IfpError for what that version cannot express, and beyond ``MAX_FIELDS`` and ``MAX_FIELD_OCTETS``.
    """
    if isinstance(packet, IndicatorPacket):
        if packet.indicator >= 16 and version == 0:
            raise IfpError(f"{packet.indicator.name} needs the notation of 2002")
        return _type_octets(0x00, packet.indicator)
    if packet.data_type >= 9 and version == 0:
        raise IfpError(f"{packet.data_type.name} needs the notation of 2002")
    if not packet.fields:
        return _type_octets(0x40, packet.data_type)
    if len(packet.fields) > MAX_FIELDS:
        raise IfpError(f"{len(packet.fields)} fields in one packet")
    out = bytearray(_type_octets(0xC0, packet.data_type))
    out += length_octets(len(packet.fields))
    pending, bits = 0, 0  # bits of an incomplete octet, and their number
    for item in packet.fields:
        header, width = _field_header(item, version)
        pending, bits = pending << width | header, bits + width
        while bits >= 8:
            bits -= 8
            out.append(pending >> bits & 0xFF)
            pending &= (1 << bits) - 1
        if item.octets:
            if len(item.octets) > MAX_FIELD_OCTETS:
                raise IfpError(f"{len(item.octets)} octets in one field")
            if bits:
                out.append(pending << 8 - bits & 0xFF)
                pending = bits = 0
            out += (len(item.octets) - 1).to_bytes(2, "big")
            out += item.octets
    if bits:
        out.append(pending << 8 - bits & 0xFF)
    return bytes(out)


def _field_header(item: DataField, version: int) -> tuple[int, int]:
    """The bits that precede the field-data, and their number."""
    present = 1 if item.octets else 0
    if version == 0:
        if item.kind >= 8:
            raise IfpError(f"{item.kind.name} needs the notation of 2002")
        return present << 3 | item.kind, 4
    if item.kind < 8:
        return present << 4 | item.kind, 5  # extension bit 0, then the index
    return present << 8 | 1 << 7 | item.kind - 8, 9  # extension bit 1, bit 0, six bits of index


# -- decoding ------------------------------------------------------------------------------------


def decode(data: bytes, version: int, *, padded: bool = False) -> IfpPacket:
    """The packet in ``data``.

    ``padded`` allows zero octets after the packet, which FEC leaves on recovered packets (Annex C).
    Raises IfpError for octets that are not a packet in either notation.
    """
    return decode_noting_version(data, version, padded=padded)[0]


def decode_noting_version(data: bytes, version: int, *, padded: bool = False) -> tuple[IfpPacket, int]:
    """Like ``decode``; also returns the version whose notation the packet has.

    That is ``version``, unless the octets are a packet in the other notation only: then 0 or 2.
    """
    known = _INDICATORS.get(data)
    if known is not None:
        return known, version
    if not data:
        raise IfpError("empty packet")
    first = data[0]
    if not first & 0x40:
        return _decode_indicator(data, padded), version
    data_type, at = _decode_data_type(data)
    if not first & 0x80:
        _check_end(data, at, padded)
        return DataPacket(data_type, ()), version
    count, at = read_length(data, at)
    if count > MAX_FIELDS:
        raise IfpError(f"{count} fields in one packet")
    if count == 1:  # a fast path for by far the most frequent packets
        quick = _decode_single(data, at, version)
        if quick is not None:
            return DataPacket(data_type, (quick,)), version
    other = 2 if version == 0 else 0
    failure: IfpError | None = None
    for reading in (
        _Reading(version),
        _Reading(version, on_octets=True),
        _Reading(other, plausible=True),
        _Reading(other, on_octets=True, plausible=True),
        _Reading(version, ends_with_data=True),
        _Reading(version, on_octets=True, ends_with_data=True),
        _Reading(other, ends_with_data=True, plausible=True),
    ):
        try:
            fields = _decode_fields(data, at, count, reading, padded=padded)
        except IfpError as error:
            failure = failure or error
            continue
        if reading.plausible and not _plausible(data_type, fields):
            continue
        return DataPacket(data_type, fields), reading.version
    assert failure is not None
    raise failure


@dataclass(frozen=True, slots=True)
class _Reading:
    """One interpretation of the fields of a packet."""

    version: int
    on_octets: bool = False  # each field begins on an octet
    ends_with_data: bool = False  # the end of a frame may contain the frame's last octets
    plausible: bool = False  # only fields that suit the data type


def _plausible(data_type: DataType, fields: tuple[DataField, ...]) -> bool:
    """Whether the fields suit the data type; misread ones seldom do."""
    if data_type in _MODERN:
        return True
    most = FieldType.HDLC_FCS_BAD_SIG_END if data_type is DataType.V21 else FieldType.T4_NON_ECM_SIG_END
    return all(item.kind <= most for item in fields)


def _decode_single(data: bytes, at: int, version: int) -> DataField | None:
    """The only field of a packet, when it has data and fills the packet in the expected notation, or None."""
    if len(data) < at + 4 or not data[at] & 0x80:
        return None
    header = data[at]
    kind = (header >> 4 & 7) if version == 0 else (header >> 3 & 7)
    if header != (0x80 | kind << 4 if version == 0 else 0x80 | kind << 3):
        return None
    field_type = _FIELD_TYPES[kind]
    if field_type in _BARE or len(data) != at + 4 + (data[at + 1] << 8 | data[at + 2]):
        return None
    return DataField(field_type, data[at + 3 :])


def _decode_indicator(data: bytes, padded: bool) -> IndicatorPacket:
    first = data[0]
    if first & 0x80:
        raise IfpError("indicator with a data field")
    if not first & 0x20:
        _check_end(data, 1, padded)
        return IndicatorPacket(Indicator(first >> 1 & 0x0F))
    if len(data) < 2:
        raise IfpError("indicator cut short")
    index = 16 + ((first << 8 | data[1]) >> 6 & 0x3F)
    if first & 0x10 or index > max(Indicator):
        raise IfpError("unknown indicator")
    _check_end(data, 2, padded)
    return IndicatorPacket(Indicator(index))


def _decode_data_type(data: bytes) -> tuple[DataType, int]:
    first = data[0]
    if not first & 0x20:
        index, at = first >> 1 & 0x0F, 1
        if index >= 9:
            raise IfpError(f"unknown data type {index}")
    else:
        if len(data) < 2:
            raise IfpError("data type cut short")
        index, at = 9 + ((first << 8 | data[1]) >> 6 & 0x3F), 2
        if first & 0x10 or index > max(DataType):
            raise IfpError("unknown data type")
    return _DATA_TYPES[index], at


def read_length(data: bytes, at: int) -> tuple[int, int]:
    """Reads the PER length determinant at offset ``at``: the length, and the offset of the content.

    Raises IfpError when it is cut short, and for lengths of 16384 and more, which are sent in fragments
    (X.691 10.9.3.8): no valid packet in a datagram has them.
    """
    if at >= len(data):
        raise IfpError("length cut short")
    first = data[at]
    if first < 0x80:
        return first, at + 1
    if first & 0x40:
        raise IfpError("fragmented length")
    if at + 1 >= len(data):
        raise IfpError("length cut short")
    return (first & 0x3F) << 8 | data[at + 1], at + 2


def _decode_fields(
    data: bytes, at: int, count: int, reading: _Reading, *, padded: bool
) -> tuple[DataField, ...]:
    version, on_octets = reading.version, reading.on_octets
    end = len(data) * 8
    position = at * 8  # in bits
    fields: list[DataField] = []
    for _ in range(count):
        width = 4 if version == 0 else 5
        header = _bits(data, position, width, end)
        present = header >> width - 1
        index = header & 7
        if version != 0 and header & 8:  # extension: a bit 0 and six bits of index
            width = 9
            index = 8 + (_bits(data, position, width, end) & 0x7F)
            if index > max(FieldType):
                raise IfpError(f"unknown field type {index}")
        position += width
        kind = _FIELD_TYPES[index]
        octets = b""
        if present:
            if kind in _BARE and not reading.ends_with_data:
                raise IfpError(f"{kind.name} with data")
            start = (position + 7) // 8
            if start + 2 > len(data):
                raise IfpError("field length cut short")
            stop = start + 3 + (data[start] << 8 | data[start + 1])
            if stop > len(data):
                raise IfpError("field data cut short")
            octets = data[start + 2 : stop]
            position = stop * 8
        elif kind in (FieldType.HDLC_DATA, FieldType.T4_NON_ECM_DATA) and count > 1 and on_octets:
            raise IfpError(f"{kind.name} without data")  # padding bits read as a field
        fields.append(DataField(kind, octets))
        if on_octets:
            position = (position + 7) // 8 * 8
    if position % 8 and data[position // 8] & (0xFF >> position % 8):
        raise IfpError("padding bits are not zero")
    _check_end(data, (position + 7) // 8, padded)
    return tuple(fields)


def _bits(data: bytes, position: int, width: int, end: int) -> int:
    """``width`` (at most 9) bits from bit ``position`` on."""
    if position + width > end:
        raise IfpError("field cut short")
    at = position // 8
    window = int.from_bytes(data[at : at + 2].ljust(2, b"\0"), "big")
    return window >> 16 - position % 8 - width & (1 << width) - 1


def _check_end(data: bytes, at: int, padded: bool) -> None:
    if at != len(data) and not (padded and not any(data[at:])):
        raise IfpError(f"{len(data) - at} octets behind the packet")
