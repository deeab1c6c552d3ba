"""spandsp's T.38 core, independent code, reads the IFP packets that we write and writes some that we read.

FAXBOX_SWEEP=1 sends 20,000 random packets instead of 1,000.
"""

from __future__ import annotations

import os
import random

import pytest

from appliance.spandsp import SpandspMissingError, open_spandsp
from appliance.t38.ifp import (
    DataField,
    DataPacket,
    DataType,
    FieldType,
    Indicator,
    IndicatorPacket,
    decode,
    encode,
)

COUNT = 20_000 if os.environ.get("FAXBOX_SWEEP") else 1_000

DECLARATIONS = """
typedef struct t38_core_state_s t38_core_state_t;
typedef struct { int field_type; const uint8_t *field; int field_len; } t38_data_field_t;
typedef int t38_tx_packet_handler_t(t38_core_state_t *, void *, const uint8_t *, int, int);
typedef int t38_rx_indicator_handler_t(t38_core_state_t *, void *, int);
typedef int t38_rx_data_handler_t(t38_core_state_t *, void *, int, int, const uint8_t *, int);
typedef int t38_rx_missing_handler_t(t38_core_state_t *, void *, int, int);
t38_core_state_t *t38_core_init(t38_core_state_t *, t38_rx_indicator_handler_t *, t38_rx_data_handler_t *,
                                t38_rx_missing_handler_t *, void *, t38_tx_packet_handler_t *, void *);
int t38_core_free(t38_core_state_t *);
void t38_set_t38_version(t38_core_state_t *, int);
int t38_core_rx_ifp_stream(t38_core_state_t *, const uint8_t *, int, uint16_t);
int t38_core_send_indicator(t38_core_state_t *, int);
int t38_core_send_data_multi_field(t38_core_state_t *, int, const t38_data_field_t *, int, int);
"""


class Core:
    """A spandsp core; what it reads and what it writes, as our packets and octets."""

    def __init__(self, version: int) -> None:
        try:
            self.ffi, self.library = open_spandsp(DECLARATIONS)
        except SpandspMissingError as error:
            pytest.skip(str(error))
        self.heard: list[tuple[int, ...] | tuple[int, int, bytes]] = []
        self.written: list[bytes] = []
        ffi = self.ffi

        @ffi.callback("t38_rx_indicator_handler_t")
        def indicator(core, data, value):
            self.heard.append((value,))
            return 0

        @ffi.callback("t38_rx_data_handler_t")
        def data(core, user, data_type, field_type, octets, length):  # noqa: PLR0917
            self.heard.append((data_type, field_type, bytes(ffi.buffer(octets, length)) if length else b""))
            return 0

        @ffi.callback("t38_rx_missing_handler_t")
        def missing(core, data, first, last):
            return 0

        @ffi.callback("t38_tx_packet_handler_t")
        def written(core, data, octets, length, count):
            self.written.append(bytes(ffi.buffer(octets, length)))
            return 0

        self._keep = indicator, data, missing, written
        null = ffi.NULL
        self.core = ffi.gc(
            self.library.t38_core_init(null, indicator, data, missing, null, written, null),
            self.library.t38_core_free,
        )
        self.library.t38_set_t38_version(self.core, version)

    def read(self, octets: bytes) -> int:
        self.heard.clear()
        return self.library.t38_core_rx_ifp_stream(self.core, octets, len(octets), 0)

    def write(self, packet: IndicatorPacket | DataPacket) -> bytes | None:
        """None for an indicator that stands already, which spandsp does not repeat."""
        self.written.clear()
        if isinstance(packet, IndicatorPacket):
            self.library.t38_core_send_indicator(self.core, packet.indicator)
        else:
            keep = [self.ffi.new("uint8_t[]", item.octets) for item in packet.fields]
            fields = self.ffi.new("t38_data_field_t[]", len(keep))
            for field, item, octets in zip(fields, packet.fields, keep, strict=True):
                field.field_type, field.field, field.field_len = item.kind, octets, len(item.octets)
            self.library.t38_core_send_data_multi_field(self.core, packet.data_type, fields, len(keep), 3)
        return self.written[0] if self.written else None


def random_packet(rng: random.Random, version: int) -> IndicatorPacket | DataPacket:
    """Packets of the kinds that are sent: what spandsp aligns to octets against PER is left out."""
    if rng.random() < 0.2:
        return IndicatorPacket(rng.choice([i for i in Indicator if version or i < 16]))
    full = [FieldType.HDLC_DATA, FieldType.T4_NON_ECM_DATA, FieldType.T4_NON_ECM_SIG_END]
    items = [DataField(rng.choice(full), rng.randbytes(rng.randint(1, 300))) for _ in range(rng.randrange(4))]
    if not items or rng.random() < 0.5:
        items.append(DataField(FieldType(rng.randint(1, 5))))
    return DataPacket(rng.choice([d for d in DataType if version or d < 9]), tuple(items))


@pytest.mark.parametrize("version", [0, 2, 3])
def test_spandsp_reads_what_we_write(version):
    rng = random.Random(version)
    core = Core(version)
    for _ in range(COUNT):
        packet = random_packet(rng, version)
        octets = encode(packet, version)
        assert core.read(octets) == len(octets)
        if isinstance(packet, IndicatorPacket):
            assert core.heard == [(packet.indicator,)]
        else:
            assert core.heard == [(packet.data_type, item.kind, item.octets) for item in packet.fields]


@pytest.mark.parametrize("version", [0, 2, 3])
def test_we_read_what_spandsp_writes(version):
    rng = random.Random(version)
    core = Core(version)
    for _ in range(COUNT):
        packet = random_packet(rng, version)
        octets = core.write(packet)
        assert octets is not None or isinstance(packet, IndicatorPacket)
        assert octets is None or decode(octets, version) == packet
