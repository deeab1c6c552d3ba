"""IPP encoding: what clients write is read correctly, and random octets are an error."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from appliance.ipp import codec
from appliance.ipp.codec import Decoder, MessageError, encode
from appliance.ipp.model import DotsPerInch, Group, GroupTag, Message, Range, Spoken, Tag, Value

# RFC 8010 appendix A.1: a Print-Job request, octet for octet as far as its attributes go.
PRINT_JOB = (
    b"\x01\x01\x00\x02\x00\x00\x00\x01\x01"
    b"\x47\x00\x12attributes-charset\x00\x05utf-8"
    b"\x48\x00\x1battributes-natural-language\x00\x05en-us"
    b"\x45\x00\x0bprinter-uri\x00\x2cipp://printer.example.com/ipp/print/pinetree"
    b"\x42\x00\x08job-name\x00\x06foobar"
    b"\x22\x00\x16ipp-attribute-fidelity\x00\x01\x01"
    b"\x02"
    b"\x21\x00\x06copies\x00\x04\x00\x00\x00\x14"
    b"\x44\x00\x05sides\x00\x13two-sided-long-edge"
    b"\x03%!PDF..."
)
EVERYTHING = Message(
    (2, 0),
    0x000B,
    7,
    (
        Group(
            GroupTag.OPERATION,
            {
                "a": (Value(Tag.INTEGER, -5), Value(Tag.INTEGER, 6)),
                "b": (Value(Tag.BOOLEAN, True),),
                "c": (Value(Tag.RANGE, Range(1, 9)),),
                "d": (Value(Tag.RESOLUTION, DotsPerInch(600, 300)),),
                "e": (Value(Tag.TEXT_WITH_LANGUAGE, Spoken("de", "Grüße")),),
                "f": (Value(Tag.DATE_TIME, datetime(2026, 11, 28, 9, 0, 0, 100_000, UTC)),),
                "g": (Value(Tag.NO_VALUE, None),),
                "h": (Value(Tag.OCTETS, b"\0\xff"),),
            },
        ),
        Group(
            GroupTag.JOB,
            {
                "destination-uris": (
                    Value(Tag.COLLECTION, {"destination-uri": (Value(Tag.URI, "tel:123"),)}),
                    Value(
                        Tag.COLLECTION,
                        {"inner": (Value(Tag.COLLECTION, {"x": (Value(Tag.ENUM, 3), Value(Tag.ENUM, 4))}),)},
                    ),
                )
            },
        ),
    ),
)


def read(octets: bytes, piece: int) -> tuple[Message, bytes]:
    decoder = Decoder()
    for place in range(0, len(octets), piece):
        decoder.feed(octets[place : place + piece])
    return decoder.end(), decoder.rest


@pytest.mark.parametrize("piece", [1, 7, 10_000])
def test_the_example_of_the_rfc_is_read_in_pieces_of_any_size_and_the_document_is_left(piece: int) -> None:
    message, rest = read(PRINT_JOB, piece)
    assert (message.version, message.code, message.request_id) == ((1, 1), 2, 1)
    assert message.group(GroupTag.OPERATION)["job-name"][0].text == "foobar"
    assert message.group(GroupTag.JOB)["copies"] == (Value(Tag.INTEGER, 20),)
    assert rest == b"%!PDF..."


def test_every_kind_of_value_is_the_same_after_writing_and_reading() -> None:
    assert read(encode(EVERYTHING), 10_000) == (EVERYTHING, b"")


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (PRINT_JOB[:40], "broke off"),
        (b"", "broke off"),
        (b"\x01\x01\x00\x02\x00\x00\x00\x01\x21\x00\x01a\x00\x04\x00\x00\x00\x01\x03", "before the first"),
        (b"\x01\x01\x00\x02\x00\x00\x00\x01\x01\x21\x00\x01a\x00\x01\x00\x03", "cannot be read"),
        (b"\x01\x01\x00\x02\x00\x00\x00\x01\x01\x21\x00\x00\x00\x04\0\0\0\1\x03", "no name"),
        (b"\x01\x01\x00\x02\x00\x00\x00\x01\x01\x41\x00\x01a\xff\xff", "negative"),
        (b"\x01\x01\x00\x02\x00\x00\x00\x01\x01\x34\x00\x01a\x00\x00\x03", "no end"),
        (b"\x01\x01\x00\x02\x00\x00\x00\x01\x01" + b"\x44\x00\x01a\x00\x01b" * 2 + b"\x03", "twice"),
        (
            b"\x01\x01\x00\x02\x00\x00\x00\x01\x01\x34\x00\x01a\x00\x00" + b"\x4a\0\0\0\1b\x34\0\0\0\0" * 9,
            "too deeply",
        ),
        (
            b"\x01\x01\x00\x02\x00\x00\x00\x01\x01\x21\0\1a\0\4\0\0\0\1" + b"\x21\0\0\0\4\0\0\0\1" * 5000,
            "many",
        ),
        (
            PRINT_JOB[:9] + b"\x30\0\1a\0\0" + (b"\x30\0\0\x7f\xff" + b"x" * 0x7FFF) * 9,
            "too long",
        ),
    ],
)
def test_what_is_no_message_is_an_error_that_says_why(octets: bytes, why: str) -> None:
    with pytest.raises(MessageError, match=why):
        read(octets, 1000)


def fuzz(rounds: int) -> None:
    chance = random.Random(8010)
    seeds = [PRINT_JOB, encode(EVERYTHING)]
    for _ in range(rounds):
        octets = bytearray(chance.choice(seeds))
        for _ in range(chance.randrange(1, 6)):
            place = chance.randrange(len(octets))
            match chance.randrange(4):
                case 0:
                    octets[place] = chance.randrange(256)
                case 1:
                    del octets[place : place + chance.randrange(1, 20)]
                case 2:
                    octets[place:place] = chance.randbytes(chance.randrange(1, 20))
                case _:
                    octets[place:place] = octets[place : place + chance.randrange(1, 60)]
            if not octets:
                break
        try:
            message, _ = read(bytes(octets), 200)
        except MessageError:
            continue
        # Whatever was read can be said again, and means the same.
        assert read(encode(message), 10_000)[0] == message


def test_mutated_messages_are_read_or_refused_and_nothing_else_happens() -> None:
    fuzz(3_000)


@pytest.mark.full
def test_a_hundred_thousand_mutated_messages_are_read_or_refused() -> None:
    fuzz(100_000)


def test_texts_are_cut_at_whole_letters() -> None:
    assert codec.text("ä" * 1000)[0].text == "ä" * 511
