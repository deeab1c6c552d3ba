"""SDP of fax calls: of peers, ours, and invalid ones."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.t38.sdp import (
    MAX_SDP_CHARACTERS,
    Origin,
    SdpError,
    T38Media,
    agree,
    build_answer,
    build_offer,
    image_of,
    parse_sdp,
)
from appliance.t38.settings import ErrorCorrection, RateManagement, T38Settings

ORIGIN = Origin("-", "77", 3, "192.0.2.1")
LOCAL = T38Media("192.0.2.1", 4000, T38Settings(max_datagram=1400, max_buffer=1800))

HEAD = "v=0\r\no=peer 1 2 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n"
IMAGE = (
    "m=image 5004 udptl t38\r\n"
    "a=t38faxversion:0\r\na=T38MAXBITRATE:9600\r\na=T38FaxRateManagement:transferredTCF\r\n"
    "a=T38FaxMaxBuffer:200\r\na=T38MaxDatagram:72\r\na=T38FaxUdpEC:t38UDPRedundancy\r\n"
)
AUDIO = "m=audio 6000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=fmtp:101 0-15\r\n"


def image_lines(text: str) -> list[str]:
    lines = text.split("\r\n")
    (start,) = (n for n, line in enumerate(lines) if line.startswith("m=image"))
    stop = next((n for n in range(start + 1, len(lines)) if lines[n].startswith("m=")), len(lines))
    return lines[start:stop]


def test_names_are_read_in_any_case_and_both_names_of_the_datagram_limit():
    image = image_of(parse_sdp(HEAD + IMAGE))
    assert image == T38Media(
        "198.51.100.7", 5004, T38Settings(max_bit_rate=9600, max_buffer=200, max_datagram=72)
    )
    other = IMAGE.replace("T38MaxDatagram", "T38FaxMaxDatagram").replace("\r\n", "\n")
    assert image_of(parse_sdp(HEAD.replace("\r\n", "\n") + other)) == image


def test_no_error_correction_line_means_none():
    text = HEAD + IMAGE.replace("a=T38FaxUdpEC:t38UDPRedundancy\r\n", "")
    image = image_of(parse_sdp(text))
    assert image
    assert image.settings.error_correction is ErrorCorrection.NONE
    answer, agreed = build_answer(parse_sdp(text), LOCAL, ORIGIN)
    assert "UdpEC" not in answer
    assert agreed.error_correction is ErrorCorrection.NONE


@pytest.mark.parametrize("correction", list(ErrorCorrection))
def test_the_answerer_adopts_the_offerers_error_correction_and_states_its_own_limits(correction):
    offer = build_offer(
        T38Media("198.51.100.7", 5004, T38Settings(version=3, error_correction=correction, max_datagram=200)),
        ORIGIN,
    )
    answer, agreed = build_answer(parse_sdp(offer), LOCAL, ORIGIN)
    stated = image_of(parse_sdp(answer))
    assert stated
    assert stated.settings.error_correction is agreed.error_correction is correction
    assert stated.settings.version == agreed.version == 0
    assert (stated.settings.max_datagram, stated.settings.max_buffer) == (1400, 1800)
    assert (agreed.max_datagram, agreed.redundancy) == (200, 3)


def test_the_lower_version_and_bit_rate_are_agreed():
    ours = T38Settings(version=3, max_bit_rate=14400)
    theirs = T38Settings(version=2, max_bit_rate=9600, rate_management=RateManagement.LOCAL_TCF)
    for agreed in (agree(ours, theirs), agree(theirs, ours)):
        assert (agreed.version, agreed.max_bit_rate) == (2, 9600)
    assert agree(ours, theirs).rate_management is RateManagement.LOCAL_TCF


@pytest.mark.parametrize(
    ("media", "kinds"),
    [
        (IMAGE, ["image"]),
        (AUDIO.replace("6000", "0") + IMAGE, ["audio", "image"]),
        (AUDIO + IMAGE, ["audio", "image"]),
        (IMAGE + AUDIO, ["image", "audio"]),
        ("m=image 5002 tcp t38\r\n" + IMAGE + "m=text 8000 RTP/AVP 98\r\n", ["image", "image", "text"]),
    ],
    ids=["image alone", "audio off and image", "audio and image", "image and audio", "tcp, udptl, text"],
)
def test_an_answer_has_a_line_for_each_line_and_takes_only_the_fax(media, kinds):
    answer, _ = build_answer(parse_sdp(HEAD + media), LOCAL, ORIGIN)
    parsed = parse_sdp(answer)
    assert [m.kind for m in parsed.media] == kinds
    live = [m for m in parsed.media if m.port]
    assert len(live) == 1
    assert live[0].is_t38
    assert live[0].port == 4000
    after_each = [
        after
        for line, after in zip(answer.split("\r\n"), answer.split("\r\n")[1:], strict=False)
        if line.startswith("m=")
    ]
    assert all(line == "c=IN IP4 192.0.2.1" for line in after_each)
    assert len(after_each) == len(kinds)


@pytest.mark.parametrize("media", [AUDIO, IMAGE.replace("5004", "0"), IMAGE.replace("udptl", "tcp"), ""])
def test_an_offer_without_a_live_image_line_is_no_fax(media):
    offer = parse_sdp(HEAD + media)
    assert image_of(offer) is None
    with pytest.raises(SdpError, match="no live image"):
        build_answer(offer, LOCAL, ORIGIN)


def test_flags_stand_only_when_on():
    lines = image_lines(build_offer(LOCAL, ORIGIN))
    assert not any("Fill" in line or "Transcoding" in line for line in lines)
    on = replace(LOCAL, settings=replace(LOCAL.settings, fill_bit_removal=True))
    assert "a=T38FaxFillBitRemoval" in image_lines(build_offer(on, ORIGIN))
    for value, expected in (("", True), (":1", True), (":0", False)):
        image = image_of(parse_sdp(HEAD + IMAGE + f"a=T38FaxTranscodingMMR{value}\r\n"))
        assert image
        assert image.settings.transcoding_mmr is expected


def test_the_image_line_has_an_address_of_its_own():
    image = image_of(parse_sdp(HEAD + IMAGE.replace("t38\r\n", "t38\r\nc=IN IP4 203.0.113.9/127\r\n", 1)))
    assert image
    assert image.address == "203.0.113.9"
    no_address = HEAD.replace("c=IN IP4 198.51.100.7\r\n", "") + IMAGE
    with pytest.raises(SdpError, match="address"):
        image_of(parse_sdp(no_address))


def test_ipv6_is_written_as_such():
    local = T38Media("2001:db8::1", 4000, T38Settings())
    offer = build_offer(local, replace(ORIGIN, address="2001:db8::1"))
    assert offer.count("IN IP6 2001:db8::1") == 3
    assert image_of(parse_sdp(offer)) == local


SETTINGS = st.builds(
    T38Settings,
    version=st.integers(0, 3),
    error_correction=st.sampled_from(list(ErrorCorrection)),
    max_datagram=st.integers(32, 65535),
    max_buffer=st.integers(0, 65535),
    max_bit_rate=st.sampled_from([2400, 4800, 7200, 9600, 12000, 14400]),
    rate_management=st.sampled_from(list(RateManagement)),
    fill_bit_removal=st.booleans(),
    transcoding_mmr=st.booleans(),
    transcoding_jbig=st.booleans(),
)


@given(SETTINGS, st.integers(1, 65535), st.booleans())
def test_what_is_offered_is_read_back(settings, port, audio_first):
    local = T38Media("192.0.2.1", port, settings)
    parsed = parse_sdp(build_offer(local, ORIGIN, audio_first=audio_first))
    assert image_of(parsed) == local
    assert parsed.origin == ORIGIN
    assert [m.kind for m in parsed.media] == ["audio"] * audio_first + ["image"]


@pytest.mark.parametrize(
    "text",
    [
        "x" * (MAX_SDP_CHARACTERS + 1),
        "\n" * 500,
        HEAD + "m=image 99999 udptl t38\r\n",
        HEAD + "m=image -1 udptl t38\r\n",
        HEAD + "m=image ٣ udptl t38\r\n",
        HEAD + "m=image\r\n",
        HEAD + 'm=image 5 udptl "t38"\r\n',
        HEAD + AUDIO * 17,
        HEAD + "nonsense\r\n",
        "v=1\r\n",
        "o=- 1 IN IP4 x\r\n",
        "c=IN IP4 ../etc/passwd\r\n",
        "c=ATM NSAP 47\r\n",
    ],
)
def test_nonsense_is_refused_with_a_short_sentence(text):
    with pytest.raises(SdpError) as caught:
        parse_sdp(text)
    assert len(str(caught.value)) < 160


def test_values_that_cannot_be_read_count_as_absent():
    bad = "".join(
        f"a={name}:{value}\r\n"
        for name in ("T38FaxVersion", "T38MaxBitRate", "T38FaxMaxDatagram", "T38FaxMaxBuffer")
        for value in ("²", "-5", "0x10", "", "9" * 1000)[:4]
    )
    image = image_of(parse_sdp(HEAD + "m=image 5004 udptl t38\r\n" + bad))
    assert image
    assert image.settings == T38Settings(error_correction=ErrorCorrection.NONE, max_buffer=200)
    huge = image_of(parse_sdp(HEAD + "m=image 5004 udptl t38\r\na=T38FaxVersion:" + "9" * 1000 + "\r\n"))
    assert huge
    assert huge.settings.version == 3


def test_mutated_descriptions_raise_nothing_but_sdp_error():
    rng = random.Random(3264)
    text = HEAD + AUDIO + IMAGE
    for _ in range(3000):
        characters = list(text)
        for _ in range(rng.randint(1, 8)):
            at = rng.randrange(len(characters))
            characters[at : at + rng.randrange(3)] = rng.choices("=:/ \r\nmca0129é\0", k=rng.randrange(4))
        try:
            offer = parse_sdp("".join(characters))
            answer, _ = build_answer(offer, LOCAL, ORIGIN)
        except SdpError:
            continue
        assert len(parse_sdp(answer).media) == len(offer.media)
