"""DIS, DTC and DCS: bits of table 2, round trips, fields of unusual machines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.t4.page import Coding, PaperLength, PaperWidth, Resolution
from appliance.t30.dce import Carrier
from appliance.t30.field_bits import BIT_NAMES, Bit, bits_of, is_extend, octets_of
from appliance.t30.field_codes import ScanTimes, rate_field
from appliance.t30.fields import Facilities, FieldError, Settings, other_bits

V27 = frozenset({Carrier.V27TER_2400, Carrier.V27TER_4800})
V29 = frozenset({Carrier.V29_7200, Carrier.V29_9600})
V17 = frozenset({Carrier.V17_7200, Carrier.V17_9600, Carrier.V17_12000, Carrier.V17_14400})

scans = st.builds(ScanTimes, st.sampled_from([10, 20, 40]), st.booleans(), st.booleans()) | st.builds(
    ScanTimes, st.sampled_from([0, 5]), st.just(False), st.booleans()
)
others = st.frozensets(st.sampled_from(sorted(other_bits(BIT_NAMES))), max_size=6)
dcs_others = st.frozensets(st.sampled_from(sorted(other_bits(BIT_NAMES, dcs=True))), max_size=6)


@st.composite
def facilities(draw: st.DrawFn) -> Facilities:
    ecm = draw(st.booleans())
    codings = {Coding.MH} | draw(st.sets(st.sampled_from([Coding.MR, Coding.MMR] if ecm else [Coding.MR])))
    return Facilities(
        carriers=draw(
            st.sampled_from([V27, V29, V27 | V29, V27 | V29 | V17, frozenset({Carrier.V27TER_2400})])
        ),
        codings=frozenset(codings),
        resolutions=draw(st.frozensets(st.sampled_from(Resolution))) | {Resolution.STANDARD},
        width=draw(st.sampled_from(PaperWidth)),
        length=draw(st.sampled_from(PaperLength)),
        scan=draw(scans),
        receives=draw(st.booleans()),
        transmits=draw(st.booleans()),
        ecm=ecm,
        prefers_64=draw(st.booleans()),
        sep=draw(st.booleans()),
        sub=draw(st.booleans()),
        pwd=draw(st.booleans()),
        psa=draw(st.booleans()),
        other=draw(others),
    )


@st.composite
def settings(draw: st.DrawFn) -> Settings:
    ecm = draw(st.booleans())
    return Settings(
        carrier=draw(st.sampled_from([c for c in Carrier if c is not Carrier.V21])),
        coding=draw(st.sampled_from(Coding if ecm else [Coding.MH, Coding.MR])),
        resolution=draw(st.sampled_from(Resolution)),
        width=draw(st.sampled_from(PaperWidth)),
        length=draw(st.sampled_from(PaperLength)),
        scan_ms=draw(st.sampled_from([0, 5, 10, 20, 40])),
        ecm=ecm,
        frame_octets=draw(st.sampled_from([64, 256])) if ecm else 256,
        sub=draw(st.booleans()),
        sid=draw(st.booleans()),
        other=draw(dcs_others),
    )


@given(facilities())
def test_facilities_are_decoded_as_they_were_encoded(theirs: Facilities) -> None:
    assert Facilities.decode(theirs.encode()) == theirs


@given(settings())
def test_settings_are_decoded_as_they_were_encoded(chosen: Settings) -> None:
    assert Settings.decode(chosen.encode()) == chosen


@given(st.binary(max_size=100))
def test_any_dis_is_read_and_means_the_same_when_sent_on(fif: bytes) -> None:
    theirs = Facilities.decode(fif)
    assert theirs.describe()
    assert Facilities.decode(theirs.encode()) == theirs


@given(st.binary(max_size=100))
def test_any_dcs_is_read_or_refused(fif: bytes) -> None:
    try:
        chosen = Settings.decode(fif)
    except FieldError:
        return
    assert chosen.describe()
    assert Settings.decode(chosen.encode()) == chosen


@given(st.sets(st.integers(1, 127)))
def test_bits_come_back_and_extend_bits_fit_the_length(bits: set[int]) -> None:
    plain = {b for b in bits if not is_extend(b)}
    fif = octets_of(bits)
    assert bits_of(fif) == plain
    assert len(fif) >= 3
    assert all(octet & 0x80 for octet in fif[2:-1])
    assert not fif[-1] & 0x80


def test_octets_behind_a_missing_extend_bit_do_not_count() -> None:
    assert Bit.ECM in bits_of(bytes.fromhex("00008004"))
    assert Bit.ECM not in bits_of(bytes.fromhex("00000004"))


def test_every_bit_of_table_2_has_a_name() -> None:
    assert set(BIT_NAMES) == set(range(1, 129))
    assert {b for b, name in BIT_NAMES.items() if name == "extend"} == set(range(24, 129, 8))


@pytest.mark.parametrize(
    ("fif", "carriers"),
    [
        ("000200", {Carrier.V27TER_2400}),
        ("000a00", V27),
        ("000600", V29),
        ("000e00", V27 | V29),
        ("002e00", V27 | V29 | V17),
        ("001e00", V27 | V29),  # bit 13: V.33 in older editions
        ("003e00", V27 | V29 | V17),
        ("002200", {Carrier.V27TER_2400}),  # reserved code
    ],
)
def test_the_carriers_of_a_dis_are_read_from_its_rate_bits(fif: str, carriers: set[Carrier]) -> None:
    assert Facilities.decode(bytes.fromhex(fif)).carriers == carriers


@pytest.mark.parametrize(
    ("carrier", "code"),
    [
        (Carrier.V27TER_2400, "0000"),
        (Carrier.V27TER_4800, "0100"),
        (Carrier.V29_9600, "1000"),
        (Carrier.V29_7200, "1100"),
        (Carrier.V17_14400, "0001"),
        (Carrier.V17_12000, "0101"),
        (Carrier.V17_9600, "1001"),
        (Carrier.V17_7200, "1101"),
    ],
)
def test_the_rate_bits_of_a_dcs_are_those_of_its_carrier(carrier: Carrier, code: str) -> None:
    bits = bits_of(Settings(carrier).encode())
    assert "".join("01"[b in bits] for b in Bit.RATE) == code
    assert bits_of(rate_field(carrier)) == bits & set(Bit.RATE)


@pytest.mark.parametrize("code", ["0010", "0110", "1010", "1110", "0011", "0111", "1011", "1111"])
def test_a_dcs_with_a_rate_of_no_modem_here_is_refused(code: str) -> None:
    with pytest.raises(FieldError):
        Settings.decode(octets_of({b for b, c in zip(Bit.RATE, code, strict=True) if c == "1"}))


@pytest.mark.parametrize("fif", ["", "00"])
def test_a_dcs_that_is_too_short_is_refused(fif: str) -> None:
    with pytest.raises(FieldError):
        Settings.decode(bytes.fromhex(fif))


def test_empty_dis_is_the_least_machine() -> None:
    theirs = Facilities.decode(b"")
    assert not theirs.receives
    assert theirs.carriers == {Carrier.V27TER_2400}
    assert theirs.scan.at(Resolution.STANDARD) == 20


@pytest.mark.parametrize(
    ("bits", "times"),
    [
        ({21, 22, 23}, (0, 0, 0)),
        (set(), (20, 20, 20)),
        ({23}, (40, 40, 40)),
        ({21}, (5, 5, 5)),
        ({22}, (10, 10, 10)),
        ({22, 23}, (10, 5, 5)),
        ({21, 22}, (20, 10, 10)),
        ({21, 23}, (40, 20, 20)),
        ({21, 23, 46}, (40, 20, 10)),
        ({22, 46}, (10, 10, 5)),
        ({21, 46}, (5, 5, 5)),  # 2.5 ms is more than a DCS can say
    ],
)
def test_the_scan_time_bits_of_a_dis_give_the_time_at_each_resolution(
    bits: set[int], times: tuple[int, int, int]
) -> None:
    scan = Facilities.decode(octets_of(bits)).scan
    fine = (Resolution.STANDARD, Resolution.FINE, Resolution.SUPERFINE)
    assert tuple(scan.at(r) for r in fine) == times


@pytest.mark.parametrize(
    ("bits", "high"),
    [
        ({43}, {Resolution.R400, Resolution.R16_15}),
        ({43, 44}, {Resolution.R400}),
        ({43, 45}, {Resolution.R16_15}),
        ({43, 44, 45}, {Resolution.R400, Resolution.R16_15}),
        ({44, 45}, set()),
    ],
)
def test_the_inch_and_metric_bits_of_a_dis_give_its_resolutions(
    bits: set[int], high: set[Resolution]
) -> None:
    assert Facilities.decode(octets_of(bits)).resolutions == {Resolution.STANDARD} | high


def test_mmr_needs_ecm() -> None:
    assert Coding.MMR not in Facilities.decode(octets_of({31})).codings
    assert Coding.MMR in Facilities.decode(octets_of({31, 27})).codings
    assert Settings.decode(octets_of({31})).coding is Coding.MH


def test_invalid_width_and_length_are_the_widest_and_longest() -> None:
    theirs = Facilities.decode(octets_of({17, 18, 19, 20}))
    assert (theirs.width, theirs.length) == (PaperWidth.A3, PaperLength.UNLIMITED)


def test_dcs_with_several_resolutions_means_the_finest() -> None:
    assert Settings.decode(octets_of({15, 41})).resolution is Resolution.SUPERFINE
