"""The page of a call: its history in words, its diagram, its packets, and details."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from appliance.t30.packet_account import TOLD_EVERY_S, PacketAccount
from appliance.t30.parameters import Progress
from tests.web.browser import Web, noticed
from tests.web.furnished import picture as letter
from webui.call_picture import LEAST_SPAN_S, WIDTH, picture, span_of
from webui.ladder import Packets, ladder

LINES = [
    {"event": "call", "job": 1, "at": 1795900808.3},
    {"at": 0.0, "event": "sip_sent", "line": "INVITE sip:1@x SIP/2.0", "sdp": "v=0\nm=audio 4 RTP/AVP 8"},
    {"at": 0.4, "event": "sip_received", "line": "SIP/2.0 200 OK", "sdp": "v=0\nm=audio 6 RTP/AVP 8"},
    {"at": 1.0, "event": "media", "kind": "t38", "after_s": 0.6, "settings": "14400, redundancy"},
    {"at": 2.0, "event": "frame_received", "name": "DIS", "fif": "04ee", "meaning": "V.17"},
    {"at": 3.0, "event": "trained", "rate": 14400},
    {"at": 3.0, "event": "packets_so_far", "came": 40, "repaired": 0, "missing": 0},
    {"at": 3.5, "event": "page_sending", "page": 1, "rows": 9, "octets": 5, "coding": "MMR", "rate": 14400},
    {"at": 9.0, "event": "ppr", "page": 1, "block": 1, "frames": 7},
    {"at": 9.0, "event": "packets_so_far", "came": 70, "repaired": 6, "missing": 10},
    {"at": 11.0, "event": "page_confirmed", "page": 1},
    {"at": 12.0, "event": "page_sending", "page": 2, "rows": 9, "octets": 5, "coding": "MMR", "rate": 9600},
]


def account(folder: Path, lines: list[dict[str, object]], more: bytes = b"") -> Path:
    path = folder / "call.jsonl"
    path.write_bytes(b"".join(json.dumps(line).encode() + b"\n" for line in lines) + more)
    return path


def test_pages_have_their_rate_and_repeats_and_packets_their_time(tmp_path: Path) -> None:
    made = ladder(account(tmp_path, LINES))
    assert [(p.number, p.began, p.ended, p.rate, p.repeats) for p in made.pages] == [
        (1, 3.5, 11.0, 14400, 7),
        (2, 12.0, None, 9600, 0),
    ]
    assert made.packets == [Packets(0.0, 3.0, 40, 0, 0), Packets(3.0, 9.0, 30, 6, 10)]
    assert made.seconds == 12.0


def test_sip_messages_say_what_they_offer_and_keep_their_sdp_for_who_asks(tmp_path: Path) -> None:
    invite, answer, media = ladder(account(tmp_path, LINES)).rungs[:3]
    assert (invite.way, invite.name, invite.words) == ("out", "INVITE", "offers sound")
    assert (answer.way, answer.name, answer.words) == ("in", "200 OK", "takes sound")
    assert (invite.more_name, invite.more) == ("SDP", "v=0\nm=audio 4 RTP/AVP 8")
    assert media.words == "T.38 is agreed, 0.6 s after the answer: 14400, redundancy."


def test_a_frame_shows_its_octets_as_bits_on_demand(tmp_path: Path) -> None:
    (frame,) = [rung for rung in ladder(account(tmp_path, LINES)).rungs if rung.name == "DIS"]
    assert frame.more.splitlines() == [" 1  04  00000100", " 2  ee  11101110"]


@pytest.mark.parametrize(
    "more",
    [
        b'{"at": "soon", "event": "ppr", "frames": [1], "page": null}\n',
        b'[1, 2]\n"x"\nnull\n{"at": 1e999, "event": 5}\n',
        b'{"at": 1, "event": "frame_sent", "fif": "zz", "name": 7}\n{"at": 2, "ev',
        b'{"at": 1, "event": "fault", "what": "{0.__class__}"}\n\xff\xfe\n',
        b'{"at": -5, "event": "packets_so_far", "came": -4, "missing": true}\n',
    ],
)
def test_an_account_that_says_nonsense_is_still_a_ladder_and_a_picture(tmp_path: Path, more: bytes) -> None:
    made = ladder(account(tmp_path, LINES, more))
    assert len(made.rungs) >= 9
    drawn = picture(made, span_of(made.seconds, 2.0, 4.0))
    assert all(0 <= box.x <= WIDTH for box in (*drawn.said, *drawn.pages, *drawn.loss))


def test_the_picture_of_a_part_shows_what_is_in_it_and_stays_within_the_call(tmp_path: Path) -> None:
    made = ladder(account(tmp_path, LINES))
    part = span_of(made.seconds, 4.0, 8.0)
    drawn = picture(made, part)
    assert [box.word for box in drawn.pages] == ["1"]
    assert drawn.said == []
    kinds = {box.kind: box.height for box in drawn.loss}
    assert kinds["missing"] / kinds["repaired"] == pytest.approx(10 / 6, rel=0.05)
    for other in (part.closer(), part.wider(), part.earlier(), part.later(), part.wider().wider().later()):
        assert 0 <= other.start < other.end <= made.seconds
    assert part.wider().wider().wider().is_whole
    closest = part
    for _ in range(20):
        closest = closest.closer()
    assert closest.seconds == pytest.approx(LEAST_SPAN_S)


def test_the_account_counts_packets_now_and_then_and_not_with_each_one() -> None:
    said: list[object] = []
    counts = PacketAccount(said.append)
    for number in range(200):
        counts.come(10 + number * 0.03, number + 1, number // 10, 0)
    told = [each for each in said if isinstance(each, Progress)]
    assert [each.at - 10 for each in told] == [
        pytest.approx(TOLD_EVERY_S * number, abs=0.1) for number in (1, 2)
    ]
    assert set(dict(told[0].fields)) == {"came", "repaired", "missing"}
    assert dict(told[1].fields)["came"] > dict(told[0].fields)["came"]


def number_of(page: Page, locator: str) -> int:
    return page.locator(locator).count()


@pytest.mark.realtime
def test_a_call_over_a_bad_line_is_looked_at_closer_and_copied(box: Web) -> None:
    made = box.served.form("/faxes", [("to", "9995")], [("a.tiff", letter())])
    fax = made.json["faxes"][0]["id"]
    box.served.ended(fax)
    page = box.page()
    page.goto(f"/happened/{fax}")
    assert number_of(page, "svg.call rect.repaired") > 0, "the practice line 9995 loses packets"
    page.get_by_text("Packets from the other side, as a table").click()
    table = page.locator("table.figures tbody tr")
    assert table.count() >= 3
    repaired = sum(int(text) for text in page.locator("table.figures td:nth-child(4)").all_text_contents())
    assert repaired > 0
    steps = number_of(page, ".ladder > li")
    page.get_by_role("button", name="Copy as text").click()
    noticed(page, "Copied.")

    # By keyboard: the page of the picture is a way to its part of the call.
    page.locator("svg.call a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**from=*")
    expect(page.get_by_role("link", name="The whole call")).to_be_visible()
    assert 0 < number_of(page, ".ladder > li") < steps
    before = page.url
    page.get_by_role("link", name="Closer", exact=True).click()
    page.wait_for_url(lambda address: address != before)
    page.get_by_role("link", name="The whole call").click()
    page.wait_for_url(f"**/happened/{fax}#call-1")
    assert number_of(page, ".ladder > li") == steps


@pytest.mark.realtime
def test_an_address_that_asks_for_no_part_of_the_call_is_refused_or_shows_all(box: Web) -> None:
    made = box.served.form("/faxes", [("to", "9990")], [("a.tiff", letter())])
    fax = made.json["faxes"][0]["id"]
    box.served.ended(fax)
    page = box.page()
    for query, status in (
        ("call=1&from=x&to=3", 400),
        ("call=1&from=-1&to=3", 400),
        ("call=7&from=x", 200),
        ("call=1&from=900&to=901", 200),
        ("call=1&from=5&to=2", 200),
    ):
        answer = page.request.get(f"/happened/{fax}?{query}")
        assert answer.status == status, query
