"""Bytes of a modem to tokens, however they are split."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.lines.modem.lexer import (
    MAX_LINE_OCTETS,
    DataKind,
    EndOfData,
    Lexer,
    Octets,
    TextLine,
    Token,
    stuff,
)


def read(data: bytes, kind: DataKind = DataKind.NONE, cuts: list[int] | None = None) -> list[Token]:
    """Tokens of a lexer fed in pieces, adjacent octets joined."""
    lexer = Lexer()
    lexer.expect(kind)
    tokens: list[Token] = []
    edges = sorted({0, len(data), *(c % (len(data) + 1) for c in cuts or [])})
    for start, end in itertools.pairwise(edges):
        for token in lexer.feed(data[start:end]):
            if isinstance(token, Octets) and tokens and isinstance(tokens[-1], Octets):
                tokens[-1] = Octets(tokens[-1].data + token.data)
            else:
                tokens.append(token)
    return tokens


def test_a_frame_between_connect_and_ok_is_unstuffed() -> None:
    got = read(b"\r\nCONNECT\r\n\xff\x13\x84\x10\x10\xab\x10\x03\r\nOK\r\n", DataKind.FRAME)
    assert got == [TextLine("CONNECT"), Octets(b"\xff\x13\x84\x10\xab"), EndOfData(), TextLine("OK")]


def test_connect_of_a_sending_command_opens_nothing() -> None:
    assert read(b"\r\nCONNECT\r\n\r\nOK\r\n") == [TextLine("CONNECT"), TextLine("OK")]


def test_a_doubled_connect_before_a_frame_is_not_taken_for_the_frame() -> None:
    got = read(b"\r\nCONNECT\r\n\r\nCONNECT\r\n\xff\x03\x20\x10\x03\r\nOK\r\n", DataKind.FRAME)
    assert got == [
        TextLine("CONNECT"),
        TextLine("CONNECT"),
        Octets(b"\xff\x03\x20"),
        EndOfData(),
        TextLine("OK"),
    ]


def test_hanging_up_between_connect_and_the_frame_is_a_result() -> None:
    assert read(b"\r\nCONNECT\r\n\r\nNO CARRIER\r\n", DataKind.FRAME) == [
        TextLine("CONNECT"),
        TextLine("NO CARRIER"),
    ]


def test_picture_octets_that_look_like_a_result_stay_picture() -> None:
    picture = b"\r\nCONNECT\r\n\r\nNO CARRIER\r\n"
    got = read(b"\r\nCONNECT\r\n" + picture + b"\x10\x03\r\nNO CARRIER\r\n", DataKind.STREAM)
    assert got == [TextLine("CONNECT"), Octets(picture), EndOfData(), TextLine("NO CARRIER")]


def test_the_end_that_was_lost_is_found_when_asked_for() -> None:
    lexer = Lexer()
    lexer.expect(DataKind.STREAM)
    lexer.feed(b"CONNECT\r\n\x00\x01\x02\r\nNO CARRIER\r\n")
    assert lexer.lost_end() == "NO CARRIER"
    lexer.feed(b"\x00")
    assert lexer.lost_end() == ""


def test_escapes_of_sub_and_flow_control_octets() -> None:
    got = read(b"CONNECT\r\n\x10\x1a\x10\x51\x10\x53\x10\x77\x10\x03", DataKind.STREAM)
    assert got == [TextLine("CONNECT"), Octets(b"\x10\x10\x11\x13"), EndOfData()]


def test_a_single_dle_is_kept_of_a_modem_that_does_not_double() -> None:
    lexer = Lexer(bare_dle=True)
    lexer.expect(DataKind.FRAME)
    octets = [t for t in lexer.feed(b"CONNECT\r\n\xff\x03\x10\x80\x10\x03") if isinstance(t, Octets)]
    assert b"".join(t.data for t in octets) == b"\xff\x03\x10\x80"


def test_control_octets_around_a_result_are_noise() -> None:
    assert read(b"\x11\x10\x03\r\n\x13OK\x00\r\n") == [TextLine("OK")]


def test_a_line_without_end_does_not_fill_the_memory() -> None:
    got = read(b"x" * 100_000 + b"\r")
    assert got == [TextLine("x" * MAX_LINE_OCTETS)]


@given(data=st.binary(max_size=200), cuts=st.lists(st.integers(0, 1000), max_size=8))
@settings(max_examples=150, deadline=None)
def test_stuffed_octets_come_back_in_any_split(data: bytes, cuts: list[int]) -> None:
    wire = b"\r\nCONNECT\r\n" + stuff(data) + b"\x10\x03\r\nNO CARRIER\r\n"
    got = read(wire, DataKind.STREAM, cuts)
    octets = b"".join(t.data for t in got if isinstance(t, Octets))
    assert octets == data
    assert [t for t in got if not isinstance(t, Octets)] == [
        TextLine("CONNECT"),
        EndOfData(),
        TextLine("NO CARRIER"),
    ]


@given(
    data=st.lists(
        st.sampled_from([b"\r\n", b"CONNECT", b"OK", b"\x10", b"\x03", b"\xff", b"NO CARRIER", b"x"]),
        max_size=20,
    ).map(b"".join),
    kind=st.sampled_from(list(DataKind)),
    cuts=st.lists(st.integers(0, 1000), max_size=8),
)
@settings(max_examples=200, deadline=None)
def test_the_tokens_do_not_depend_on_the_split(data: bytes, kind: DataKind, cuts: list[int]) -> None:
    assert read(data, kind, cuts) == read(data, kind)
