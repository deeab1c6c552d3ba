"""A print job becomes exactly one fax and follows it to its end; hostile requests change nothing."""

from __future__ import annotations

import gzip
import os
import random
import re
import struct
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from weasyprint import HTML

from appliance.api.ipp.asked import read_asked
from appliance.api.ipp.book import JobBook
from appliance.api.ipp.compression import unpacked
from appliance.api.ipp.operations import PrintService
from appliance.api.ipp.words import IppError, Operation, PrintJobState, Status
from appliance.box import LineReport
from appliance.causes import DELIVERED
from appliance.ipp import codec
from appliance.ipp.codec import Decoder
from appliance.ipp.model import GroupTag, Message, Range, Tag, Value
from appliance.lines.line import LineKind, LineState
from appliance.lines.practice.settings import PracticeSettings
from appliance.net.settings import ApiSettings
from appliance.printing.settings import IppAccess, IppSettings, PrintingSettings
from appliance.services.rules import To
from appliance.settings import secrets
from appliance.settings.accounts import UserRole
from appliance.spool import job_states
from appliance.spool.filters import JobFilter
from appliance.spool.model import JobState
from appliance.spool.options import Cover, Quality
from tests.api_ipp import ipp_crash
from tests.api_ipp.conftest import Printing
from tests.api_ipp.requests import Attributes, request, to
from tests.deliver.making import NUMBER, Clock, make_box
from tests.documents.test_raster import PWG_SIZE, raster

# Where an Apple raster's first page says how many pixels it has across and down.
URF_SIZE = 12 + 12
pytestmark = [pytest.mark.realtime, pytest.mark.xdist_group("ipp")]


def ask(printing: Printing, octets: bytes, path: str = "/faxout", **headers: str) -> Message:
    reply = printing.served.ask(
        "POST", path, octets, token="", prefix="/ipp", headers={"Content-Type": "application/ipp", **headers}
    )
    assert reply.status == 200, reply
    decoder = Decoder()
    decoder.feed(reply.content)
    return decoder.end()


def job_id(answer: Message) -> int:
    found = answer.group(GroupTag.JOB)["job-id"][0].content
    assert isinstance(found, int)
    return found


def job(printing: Printing, number: int, language: str = "en") -> dict[str, Any]:
    answer = ask(
        printing, request(Operation.GET_JOB_ATTRIBUTES, job_id=codec.integers(number), language=language)
    )
    return {name: values[0].content for name, values in answer.group(GroupTag.JOB).items()}


def ended(printing: Printing, number: int) -> dict[str, Any]:
    printing.served.wait(lambda: job(printing, number)["job-state"] >= PrintJobState.CANCELED)
    return job(printing, number)


def faxes(printing: Printing, title: str) -> list[dict[str, Any]]:
    listed = printing.served.ask("GET", "/faxes?limit=200").json["faxes"]
    return [fax for fax in listed if fax["metadata"].get("print_title") == title]


def test_a_fax_job_with_two_numbers_is_two_faxes_that_name_person_and_computer(
    printing: Printing, letter: Path
) -> None:
    sent = request(Operation.PRINT_JOB, to("tel:9990", "tel:9991"), job_name=codec.name("two numbers"))
    answer = ask(printing, sent + letter.read_bytes())
    assert answer.code == Status.OK
    found = faxes(printing, "two numbers")
    assert {fax["from_user"] for fax in found} == {"ada"}
    assert {fax["from_computer"] for fax in found} == {"127.0.0.1"}
    assert {fax["to"]["number"] for fax in found} == {"9990", "9991"}
    assert ask(printing, request(Operation.CANCEL_JOB, job_id=codec.integers(job_id(answer)))).code in (
        Status.OK,
        Status.NOT_POSSIBLE,  # both have ended
    )


def test_each_value_that_a_printer_names_can_be_asked_for_by_who_insists_on_it(printing: Printing) -> None:
    answer = ask(printing, request(Operation.GET_PRINTER_ATTRIBUTES))
    printer = answer.group(GroupTag.PRINTER)
    template = [
        name.removesuffix("-default")
        for name, values in printer.items()
        if name.endswith("-default") and values[0].tag in (Tag.KEYWORD, Tag.ENUM, Tag.INTEGER)
        # of IPP itself, and of the operations
        if name not in ("identify-actions-default", "number-of-retries-default", "retry-interval-default")
        if name != "retry-time-out-default"
    ]
    assert {"finishings", "number-up", "output-bin", "print-quality", "sides"} <= set(template)
    refused = []
    for name in template:
        for value in (*printer[f"{name}-default"], *printer[f"{name}-supported"]):
            if isinstance(value.content, Range):
                continue
            insisting = request(
                Operation.VALIDATE_JOB, {name: (value,)}, ipp_attribute_fidelity=codec.boolean(True)
            )
            if ask(printing, insisting).code != Status.OK:
                refused.append((name, value.content))
    assert refused == []
    created = {value.content for value in printer["job-creation-attributes-supported"]}
    assert [name for name in template if name not in created] == []


def test_the_groups_of_attributes_that_a_client_asks_for_are_apart(printing: Printing, letter: Path) -> None:
    def printer(*groups: str) -> set[str]:
        wanted = codec.keywords(*groups)
        answer = ask(printing, request(Operation.GET_PRINTER_ATTRIBUTES, requested_attributes=wanted))
        return set(answer.group(GroupTag.PRINTER))

    template, description, every = printer("job-template"), printer("printer-description"), printer("all")
    assert {
        "sides-supported",
        "media-ready",
        "number-of-retries-default",
        "print-quality-default",
    } <= template
    assert {"printer-state", "document-format-supported", "color-supported"} <= description
    assert not template & description
    assert template | description == every
    assert printer("job-template", "printer-name") == template | {"printer-name"}
    assert "media-col-database" not in every
    assert printer("media-col-database") == {"media-col-database"}

    number = job_id(ask(printing, request(Operation.PRINT_JOB, to("tel:9990")) + letter.read_bytes()))

    def of_job(group: str) -> set[str]:
        wanted = codec.keywords(group)
        asked = request(
            Operation.GET_JOB_ATTRIBUTES, job_id=codec.integers(number), requested_attributes=wanted
        )
        return set(ask(printing, asked).group(GroupTag.JOB))

    assert of_job("job-template") == {"job-hold-until"}
    assert {"job-id", "job-name", "job-state"} <= of_job("job-description")
    assert of_job("job-template") | of_job("job-description") == of_job("all")


def test_documents_that_come_one_by_one_and_packed_are_one_fax(printing: Printing, letter: Path) -> None:
    content = letter.read_bytes()
    made = ask(printing, request(Operation.CREATE_JOB, to("tel:9990"), job_name=codec.name("one by one")))
    number = job_id(made)
    assert job(printing, number)["job-state-reasons"] == "job-incoming"
    first = request(
        Operation.SEND_DOCUMENT,
        job_id=codec.integers(number),
        last_document=codec.boolean(False),
        compression=codec.keywords("gzip"),
    )
    assert ask(printing, first + gzip.compress(content)).code == Status.OK
    second = request(
        Operation.SEND_DOCUMENT, job_id=codec.integers(number), last_document=codec.boolean(True)
    )
    assert ask(printing, second + content).code == Status.OK
    done = ended(printing, number)
    assert (done["job-state"], done["job-impressions"]) == (PrintJobState.COMPLETED, 4)
    assert done["job-state-message"].startswith("The fax was delivered")
    assert "ist angekommen" in job(printing, number, "de")["job-state-message"]
    assert len(faxes(printing, "one by one")) == 1
    assert ask(printing, second + content).code == Status.NOT_POSSIBLE


def test_a_printer_without_a_number_field_lets_the_document_wait_and_the_job_can_be_cancelled(
    printing: Printing, letter: Path
) -> None:
    sent = request(Operation.PRINT_JOB, job_name=codec.name("no number"))
    number = job_id(ask(printing, sent + letter.read_bytes(), "/print"))
    printing.served.wait(lambda: job(printing, number)["job-state"] == PrintJobState.HELD)
    assert "waits on the box's page" in job(printing, number)["job-state-message"]
    cancel = request(Operation.CANCEL_JOB, job_id=codec.integers(number))
    assert ask(printing, cancel).code == Status.OK
    assert job(printing, number)["job-state"] == PrintJobState.CANCELED
    assert ask(printing, cancel).code == Status.NOT_POSSIBLE


def test_a_list_of_jobs_begins_where_it_is_asked_to_and_names_those_asked_for(
    printing: Printing, letter: Path
) -> None:
    sent = request(Operation.PRINT_JOB, job_name=codec.name("listed"), user="lister") + letter.read_bytes()
    made = [job_id(ask(printing, sent, "/print")) for _ in range(3)]

    def listed(status: Status = Status.OK, **given: Sequence[Value]) -> list[Any]:
        answer = ask(printing, request(Operation.GET_JOBS, user="lister", **given), "/print")
        assert answer.code == status
        return [group.attributes["job-id"][0].content for group in answer.groups if group.tag == GroupTag.JOB]

    mine = {"my_jobs": codec.boolean(True), "which_jobs": codec.keywords("all")}
    assert listed(**mine) == made[::-1]
    assert listed(first_index=codec.integers(2), **mine) == [made[1], made[0]]
    assert listed(first_index=codec.integers(2), limit=codec.integers(1), **mine) == [made[1]]
    assert listed(first_index=codec.integers(4), **mine) == []
    assert listed(job_ids=codec.integers(made[0], made[2])) == [made[2], made[0]]
    assert listed(Status.NOT_FOUND, job_ids=codec.integers(made[0], 4_000_000)) == []
    assert listed(Status.CONFLICT, job_ids=codec.integers(made[0]), **mine) == []
    for wrong in ("limit", "first_index"):
        assert listed(Status.ATTRIBUTES, **{wrong: codec.integers(0)}) == []


def test_a_tag_in_the_document_names_the_number_where_the_owner_wants_that(printing: Printing) -> None:
    settings = printing.served.box.settings
    settings.change(PrintingSettings, {"number_in_document": "tag"})
    try:
        letter = bytes(HTML(string="<p>@@FAX: 9990@@").write_pdf())
        for name, path, more in (
            ("by tag", "/print", None),
            ("by destination", "/faxout", to("tel:9991")),
            ("by a favourite", f"/to/{printing.favourite}", None),
        ):
            ask(printing, request(Operation.PRINT_JOB, more, job_name=codec.name(name)) + letter, path)
    finally:
        settings.change(PrintingSettings, {"number_in_document": "off"})
    for name, number in (("by tag", "9990"), ("by destination", "9991"), ("by a favourite", "9990")):
        assert [fax["to"]["number"] for fax in faxes(printing, name)] == [number]


def test_digits_behind_a_number_are_dialled_on_after_the_answer(printing: Printing, letter: Path) -> None:
    number = job_id(
        ask(
            printing,
            request(Operation.PRINT_JOB, to("tel:5551234;ext=42"), job_name=codec.name("behind"))
            + letter.read_bytes(),
            "/faxout",
        )
    )
    printing.served.wait(lambda: bool(faxes(printing, "behind")))
    assert [fax["to"]["number"] for fax in faxes(printing, "behind")] == ["5551234,,42"]
    ask(printing, request(Operation.CANCEL_JOB, job_id=codec.integers(number)))


def test_what_is_printed_on_a_favourites_printer_goes_to_the_favourite(
    printing: Printing, letter: Path
) -> None:
    sent = request(Operation.PRINT_JOB, job_name=codec.name("fax 112 is no number here"))
    ended(printing, job_id(ask(printing, sent + letter.read_bytes(), f"/to/{printing.favourite}")))
    (fax,) = faxes(printing, "fax 112 is no number here")
    assert (fax["to"]["number"], fax["to"]["name"], fax["state"]) == ("9990", "Weiss", "delivered")


def test_an_entry_of_the_phone_book_becomes_a_printer_in_one_call(printing: Printing) -> None:
    (contact,) = printing.served.ask("GET", "/contacts").json["contacts"]
    made = printing.served.ask(
        "POST", "/favourite-printers", {"contact_id": contact["id"], "name": "Dr. Weiss"}
    )
    assert made.status == 201
    path = f"/to/{made.json['id']}"
    answer = ask(printing, request(Operation.GET_PRINTER_ATTRIBUTES), path)
    assert answer.group(GroupTag.PRINTER)["printer-name"][0].text == "Dr. Weiss"
    for wrong in ({}, {"contact_id": 999}, {"contact_id": contact["id"], "group_id": 1}):
        assert printing.served.ask("POST", "/favourite-printers", wrong).status == 400


@pytest.mark.parametrize(
    "destinations",
    [
        to("tel:112"),
        to("tel:9990", "ipp://elsewhere/ipp/print"),
        to("tel:9990$(reboot)"),
        to("tel:9990", post_dial_string="evil=1 raw"),
        {"destination-uris": (Value(Tag.INTEGER, 9990),)},
        {"destination-uris": (*to("tel:9990")["destination-uris"],) * 5000},
    ],
)
def test_a_destination_that_is_no_number_or_not_dialled_never_goes_out(
    printing: Printing, letter: Path, destinations: Attributes
) -> None:
    sent = request(Operation.PRINT_JOB, destinations, job_name=codec.name("hostile"))
    answer = ask(printing, sent + letter.read_bytes())
    if answer.code == Status.BAD_REQUEST:
        return
    printing.served.wait(lambda: job(printing, job_id(answer))["job-state"] == PrintJobState.HELD)


def test_digits_before_and_after_the_number_are_dialled() -> None:
    where = to("tel:+49-30-1234;ext=5", pre_dial_string="9,", post_dial_string="42")
    assert read_asked(where, "").numbers == ("9+49-30-1234,42",)


def test_cover_retries_quality_and_pages_are_read() -> None:
    info: Attributes = {
        **to("tel:9990"),
        "cover-sheet-info": (
            Value(
                Tag.COLLECTION, {"subject": (Value(Tag.TEXT, "Offer"),), "to-name": (Value(Tag.TEXT, "Eve"),)}
            ),
        ),
        "retry-info": (
            Value(
                Tag.COLLECTION,
                {"number-of-retries": (Value(Tag.INTEGER, 2),), "retry-interval": (Value(Tag.INTEGER, 90),)},
            ),
        ),
        "print-quality": codec.enums(5),
        "page-ranges": (Value(Tag.RANGE, Range(2, 3)),),
        "sides": codec.keywords("two-sided-long-edge"),
    }
    asked = read_asked(info, "")
    assert asked.cover == Cover(subject="Offer", to_name="Eve")
    assert asked.retry_waits == (90.0, 90.0)
    assert (asked.max_tries, asked.quality, asked.pages) == (3, Quality.SUPERFINE, ("2-3",))
    assert list(asked.unsupported) == ["sides"]


def test_pages_up_to_the_last_are_asked_for_with_the_largest_number() -> None:
    """So CUPS writes ``-o page-ranges=2-``."""
    ranges = (Value(Tag.RANGE, Range(2, (1 << 31) - 1)),)
    assert read_asked({"page-ranges": ranges}, "").pages == ("2-",)


@pytest.mark.parametrize(
    "ranges",
    [(Range(3, 2),), (Range(0, 1),), (Range(1, 2), Range(-1, 4)), (7,), (Range(1, 1),) * 101],
    ids=["backwards", "nothing", "below", "a number", "many"],
)
def test_page_ranges_that_are_none_are_refused_instead_of_all_pages_sent(ranges: tuple[Any, ...]) -> None:
    with pytest.raises(IppError) as refused:
        read_asked({"page-ranges": tuple(Value(Tag.RANGE, each) for each in ranges)}, "")
    assert refused.value.status == Status.BAD_REQUEST


@pytest.mark.parametrize("cut", [1, 7, 30, 1000])
def test_a_gzip_file_of_several_members_is_unpacked_whole(cut: int) -> None:
    packed = gzip.compress(b"one " * 9) + gzip.compress(b"two") + bytes(12)
    pieces = [packed[place : place + cut] for place in range(0, len(packed), cut)]
    assert b"".join(unpacked(pieces, "gzip", 1000)) == b"one " * 9 + b"two"
    with pytest.raises(IppError):
        list(unpacked([gzip.compress(b"one"), b"and more"], "gzip", 1000))


def test_what_a_job_asks_for_has_the_same_octets_in_every_version() -> None:
    """By them a job is recognised whose client got no answer before an update: no name of ours is in them."""
    asked = read_asked({**to("tel:9990"), "print-quality": (Value(Tag.ENUM, 5),)}, "")
    assert asked.as_octets() == (
        b'{"cover": null, "max_tries": null, "numbers": ["9990"], "pages": [], "problem": "",'
        b' "quality": "superfine", "retry_waits": null, "silent": false, "unsupported": {}}'
    )


def test_what_its_client_holds_waits_until_it_is_released(printing: Printing, letter: Path) -> None:
    held = {**to("tel:9990"), "job-hold-until": codec.keywords("indefinite")}
    answer = ask(
        printing, request(Operation.PRINT_JOB, held, job_name=codec.name("held")) + letter.read_bytes()
    )
    assert answer.code == Status.OK
    number = job_id(answer)
    printing.served.wait(lambda: job(printing, number)["job-state"] == PrintJobState.HELD)
    assert job(printing, number)["job-state-reasons"] == "job-hold-until-specified"
    assert job(printing, number)["job-hold-until"] == "indefinite"
    release = request(Operation.RELEASE_JOB, job_id=codec.integers(number))
    assert ask(printing, release).code == Status.OK
    assert ended(printing, number)["job-state"] == PrintJobState.COMPLETED
    assert ask(printing, release).code == Status.NOT_POSSIBLE
    never = {**to("tel:9990"), "job-hold-until": codec.keywords("weekend")}
    assert ask(printing, request(Operation.VALIDATE_JOB, never)).code == Status.OK_IGNORED


def test_what_its_client_wants_sent_later_waits_for_that_time(printing: Printing, letter: Path) -> None:
    at = datetime(2099, 1, 31, 8, tzinfo=timezone(timedelta(hours=1)))
    later = {**to("tel:9990"), "job-hold-until-time": (Value(Tag.DATE_TIME, at),)}
    answer = ask(
        printing, request(Operation.PRINT_JOB, later, job_name=codec.name("later")) + letter.read_bytes()
    )
    assert answer.code == Status.OK
    number = job_id(answer)
    printing.served.wait(lambda: job(printing, number)["job-state"] == PrintJobState.HELD)
    assert job(printing, number)["job-state-message"].startswith("The fax waits for the time")
    (fax,) = faxes(printing, "later")
    assert fax["scheduled_at"] == "2099-01-31T07:00:00.000Z"
    assert ask(printing, request(Operation.CANCEL_JOB, job_id=codec.integers(number))).code == Status.OK
    far = {**to("tel:9990"), "job-hold-until-time": (Value(Tag.DATE_TIME, at.replace(year=9999)),)}
    assert ask(printing, request(Operation.VALIDATE_JOB, far)).code == Status.BAD_REQUEST


def test_how_often_and_when_a_fax_is_tried_again_is_the_clients_to_say(
    printing: Printing, letter: Path
) -> None:
    retry: Attributes = {
        "retry-info": (
            Value(
                Tag.COLLECTION,
                {
                    "number-of-retries": (Value(Tag.INTEGER, 4),),
                    "retry-interval": (Value(Tag.INTEGER, 1234),),
                },
            ),
        )
    }
    sent = request(Operation.PRINT_JOB, {**to("tel:9991"), **retry}, job_name=codec.name("interval"))
    number = job_id(ask(printing, sent + letter.read_bytes()))

    (fax,) = faxes(printing, "interval")
    options = printing.served.box.faxes.get(
        fax["id"]
    ).options  # the dispatcher's tests say what becomes of them
    assert (options.max_tries, options.retry_waits) == (5, (1234.0,) * 4)
    ask(printing, request(Operation.CANCEL_JOB, job_id=codec.integers(number)))


def test_a_document_is_bounded_as_every_request_is(printing: Printing) -> None:
    settings = printing.served.box.settings
    sent = request(Operation.PRINT_JOB, to("tel:9990"), job_name=codec.name("large"))
    settings.change(ApiSettings, {"request_mb": 1})
    try:
        assert ask(printing, sent + b"%PDF-1.4" + bytes(1_500_000)).code == Status.TOO_LARGE
    finally:
        settings.change(ApiSettings, {"request_mb": 20})
    assert faxes(printing, "large") == []


@pytest.mark.parametrize(
    ("language", "words"), [("en", "The number is busy"), ("de", "Die Nummer ist besetzt"), ("fr", "is busy")]
)
def test_the_printers_own_words_are_there_in_the_clients_language(
    printing: Printing, language: str, words: str
) -> None:
    asked = request(Operation.GET_PRINTER_ATTRIBUTES, language=language)
    found = ask(printing, asked, "/print").group(GroupTag.PRINTER)
    assert {each.text for each in found["printer-strings-languages-supported"]} == {"en", "de"}
    path = found["printer-strings-uri"][0].text.partition("/ipp")[2]
    reply = printing.served.ask("GET", path, token="", prefix="/ipp")
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/strings")
    lines = reply.content.decode().splitlines()
    assert all(re.fullmatch(r'"[a-z0-9.-]+" = "[^"]+";', line) for line in lines)
    assert any("fax-modem-line-busy" in line and words in line for line in lines)
    assert printing.served.ask("GET", "/xx.strings", token="", prefix="/ipp").status == 405


def test_a_computer_that_looks_for_the_printer_makes_its_panel_blink(printing: Printing) -> None:
    with printing.served.box.history.listen() as news:
        assert ask(printing, request(Operation.IDENTIFY_PRINTER)).code == Status.OK
        kinds = set()
        while "box.identify" not in kinds:
            item = news.get(60.0)
            assert item is not None
            kinds.add(item.kind)


def test_a_computer_cannot_write_another_name_into_the_audit_log(printing: Printing) -> None:
    for name in ("user:admin", "local", "key:shop"):
        assert ask(printing, request(Operation.IDENTIFY_PRINTER, user=name)).code == Status.OK
        noted = printing.served.box.history.audit_log(who="", before_id=None, limit=1)[0]
        assert (noted.action, noted.who) == ("printer.identify", f"print:{name}")


def _cut_off() -> bytes:
    return gzip.compress(b"x" * 99)[:-9]


def _bomb() -> bytes:
    return gzip.compress(bytes(200 << 20))


_GZIP = {"compression": codec.keywords("gzip")}


@pytest.mark.parametrize(
    ("more", "make", "status"),
    [
        pytest.param({}, bytes, Status.BAD_REQUEST, id="nothing"),
        pytest.param(
            {"document_format": (Value(Tag.MIME_TYPE, "text/plain"),)},
            lambda: b"text",
            Status.FORMAT_NOT_SUPPORTED,
            id="a format of no printer",
        ),
        pytest.param(_GZIP, lambda: b"no gzip", Status.COMPRESSION_ERROR, id="no gzip"),
        pytest.param(_GZIP, _cut_off, Status.COMPRESSION_ERROR, id="gzip cut off"),
        pytest.param(_GZIP, _bomb, Status.TOO_LARGE, id="gzip bomb"),
        pytest.param({"compression": codec.keywords("lzw")}, lambda: b"?", Status.COMPRESSION, id="lzw"),
    ],
)
def test_what_cannot_be_a_document_is_refused_and_leaves_no_fax(
    printing: Printing, more: Mapping[str, Sequence[Value]], make: Callable[[], bytes], status: Status
) -> None:
    content = make()
    sent = request(Operation.PRINT_JOB, to("tel:9990"), job_name=codec.name("refused"), more=more)
    answer = ask(printing, sent + content)
    assert answer.code == status
    assert answer.group(GroupTag.OPERATION)["status-message"][0].text
    assert faxes(printing, "refused") == []


@pytest.mark.parametrize(
    "content", [b"%PDF-1.4 broken", b"RaS2" + bytes(3000), b"UNIRAST\0\0\0\0\1" + bytes(50)]
)
def test_a_damaged_document_ends_its_job_with_a_sentence(printing: Printing, content: bytes) -> None:
    sent = request(Operation.PRINT_JOB, to("tel:9990"), job_name=codec.name("damaged"))
    done = ended(printing, job_id(ask(printing, sent + content)))
    assert done["job-state"] == PrintJobState.ABORTED
    assert len(done["job-state-message"]) > 20


def test_ten_computers_that_print_at_once_make_ten_faxes(printing: Printing, letter: Path) -> None:
    def send(computer: int) -> int:
        sent = request(Operation.PRINT_JOB, job_name=codec.name(f"ten {computer}"), user=f"user{computer}")
        return ask(printing, sent + letter.read_bytes(), "/print").code

    with ThreadPoolExecutor(10) as computers:
        assert list(computers.map(send, range(10))) == [Status.OK] * 10
    for computer in range(10):
        (fax,) = faxes(printing, f"ten {computer}")
        assert fax["from_user"] == f"user{computer}"


@pytest.mark.parametrize("device", ["pwgraster", "appleraster"])
def test_printers_rasters_are_faxed_and_what_is_wrong_with_one_is_said(
    printing: Printing, device: str
) -> None:
    whole = raster(device, 19, 8, 600)
    huge = bytearray(whole)
    struct.pack_into(">II", huge, PWG_SIZE if device == "pwgraster" else URF_SIZE, 60_000, 60_000)
    sent = request(Operation.PRINT_JOB, to("tel:9990"), job_name=codec.name(f"a {device}"))
    good = job_id(ask(printing, sent + whole))
    for content in (whole[: len(whole) // 2], bytes(huge)):
        done = ended(printing, job_id(ask(printing, sent + content)))
        assert done["job-state"] == PrintJobState.ABORTED
        assert re.match(r"[A-Z].+\.", done["job-state-message"])
    done = ended(printing, good)
    assert (done["job-state"], done["job-impressions"]) == (PrintJobState.COMPLETED, 2)


def test_a_printer_says_when_no_line_works_and_goes_on_taking_faxes(printing: Printing, letter: Path) -> None:
    def says(language: str = "en") -> tuple[str, str]:
        asked = request(Operation.GET_PRINTER_ATTRIBUTES, language=language)
        found = ask(printing, asked).group(GroupTag.PRINTER)
        return found["printer-state-reasons"][0].text, found["printer-state-message"][0].text

    settings = printing.served.box.settings
    settings.change(PracticeSettings, {"enabled": False})
    try:
        printing.served.wait(lambda: says()[0] == "connecting-to-device-warning")
        assert says()[1].startswith("No telephone line works: what is printed waits until one does.")
        stopped = LineState(False, 0, 1, "The practice line is stopped.")
        printing.served.box.show_lines((LineReport("practice", LineKind.PRACTICE, stopped),))
        assert says()[1].endswith("practice: The practice line is stopped.")
        assert says("de")[1].endswith("practice: Die Übungsleitung ist angehalten.")
        sent = request(Operation.PRINT_JOB, to("tel:030123456"), job_name=codec.name("without a line"))
        answer = ask(printing, sent + letter.read_bytes())
        assert answer.code == Status.OK
        ask(printing, request(Operation.CANCEL_JOB, job_id=codec.integers(job_id(answer))))
    finally:
        settings.change(PracticeSettings, {"enabled": True})
        printing.served.wait(lambda: says()[0] == "none")


def test_documents_are_not_fetched_from_elsewhere(printing: Printing) -> None:
    for operation in (Operation.PRINT_URI, Operation.SEND_URI):
        assert ask(printing, request(operation)).code == Status.OPERATION_NOT_SUPPORTED


def test_with_passwords_a_print_needs_one_and_the_fax_is_the_users(printing: Printing, letter: Path) -> None:
    settings = printing.served.box.settings
    secrets.add_user(settings, "berta", "a long password", role=UserRole.USER)
    settings.change(IppSettings, {"access": IppAccess.USERS.value})
    try:
        sent = request(Operation.PRINT_JOB, to("tel:9990"), job_name=codec.name("by berta"))
        refused = printing.served.ask(
            "POST", "/faxout", sent, token="", prefix="/ipp", headers={"Content-Type": "application/ipp"}
        )
        assert (refused.status, refused.headers["WWW-Authenticate"][:5]) == (401, "Basic")
        basic = "Basic YmVydGE6YSBsb25nIHBhc3N3b3Jk"
        answer = ask(printing, sent + letter.read_bytes(), Authorization=basic)
        assert answer.code == Status.OK
    finally:
        settings.change(IppSettings, {"access": IppAccess.NETWORK.value})
    (fax,) = faxes(printing, "by berta")
    assert (fax["owner"], fax["from_user"]) == ("berta", "berta")


def test_where_the_owner_has_not_switched_it_on_there_is_no_printer(printing: Printing) -> None:
    settings = printing.served.box.settings
    settings.change(IppSettings, {"access": IppAccess.OFF.value})
    try:
        reply = printing.served.ask(
            "POST", "/print", request(Operation.GET_PRINTER_ATTRIBUTES), token="", prefix="/ipp"
        )
        assert reply.status == 404
    finally:
        settings.change(IppSettings, {"access": IppAccess.NETWORK.value})


def test_killed_at_every_step_a_job_that_its_client_prints_again_is_one_fax(tmp_path: Path) -> None:
    make_box(tmp_path / "template").close()
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.api_ipp.ipp_crash",
            str(tmp_path / "template"),
            str(tmp_path / "tried"),
        ],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    faxes = done.stdout.split()
    assert len(faxes) > 15
    assert set(faxes) == {"1"}, faxes


def test_the_same_print_again_is_a_fax_of_its_own_when_the_first_was_answered(tmp_path: Path) -> None:
    for _ in range(2):  # each time the box is started anew
        box = make_box(tmp_path / "box")
        service = PrintService(box, JobBook(box))
        sent = request(Operation.PRINT_JOB, to("tel:9990"), job_name=codec.name("letter"))
        for _ in range(2):
            service.answered(ipp_crash.ask(service, box, sent, b"%PDF-1.4 a letter"))
        box.close()
    box = make_box(tmp_path / "box")
    assert len(box.faxes.search(JobFilter())) == 4
    box.close()


def a_letter(identifier: str, text: str = "a letter") -> bytes:
    """A PDF with an identifier that CUPS writes anew each time; it is longer than what is read at once."""
    body = text.encode() + b" " * 70_000
    return b"%PDF-1.4 " + body + f"trailer << /ID [<{identifier * 32}><{identifier * 32}>] >>".encode()


@pytest.mark.parametrize(
    ("told", "again", "count"),
    [
        ("followed", a_letter("b"), 1),
        ("followed by a box started anew", a_letter("b"), 1),
        ("delivered meanwhile", a_letter("b"), 1),
        ("delivered long ago", a_letter("b"), 2),
        ("never followed", a_letter("b"), 2),
        ("end told", a_letter("b"), 2),
        ("cancelled", a_letter("b"), 2),
        ("followed", a_letter("b", "another letter"), 2),
    ],
)
def test_what_a_client_prints_again_that_died_while_it_followed_the_fax_is_that_fax(
    tmp_path: Path, told: str, again: bytes, count: int
) -> None:
    clock = Clock()
    box = make_box(tmp_path / "box", clock)
    service = PrintService(box, JobBook(box))
    sent = request(Operation.PRINT_JOB, to(f"tel:{NUMBER}"), job_name=codec.name("letter"))

    def ask(octets: bytes, document: bytes = b"") -> Message:
        answer = ipp_crash.ask(service, box, octets, document)
        service.answered(answer)
        return answer

    first = job_id(ask(sent, a_letter("a")))
    (fax,) = box.faxes.search(JobFilter())
    follow = request(Operation.GET_JOB_ATTRIBUTES, job_id=codec.integers(first))
    if told != "never followed":
        ask(follow)
    if told.startswith("delivered") or told == "end told":
        for state in (JobState.WAITING, JobState.SENDING):
            box.spool.do(job_states.move, box.faxes.get(fax.id), state, clock(), deadline=None)
        box.spool.do(job_states.end, box.faxes.get(fax.id), JobState.DELIVERED, DELIVERED, clock())
    if told == "end told":
        ask(follow)
    if told == "cancelled":
        box.faxes.cancel(fax.id)
    clock.now += 3600 if told == "delivered long ago" else 60
    if told.endswith("anew"):
        service = PrintService(box, JobBook(box))
    assert job_id(ask(sent, again)) != first
    assert len(box.faxes.search(JobFilter())) == count
    box.close()


def test_a_document_without_a_number_printed_twice_can_go_to_two_numbers(tmp_path: Path) -> None:
    box = make_box(tmp_path / "box")
    service = PrintService(box, JobBook(box))

    def ask(octets: bytes, document: bytes = b"") -> Message:
        answer = ipp_crash.ask(service, box, octets, document)
        service.answered(answer)
        return answer

    sent = request(Operation.PRINT_JOB, job_name=codec.name("letter"))
    first = job_id(ask(sent, a_letter("a")))
    ask(request(Operation.GET_JOB_ATTRIBUTES, job_id=codec.integers(first)))
    (waiting,) = box.faxes.search(JobFilter())
    box.faxes.give_numbers(waiting.id, (To(NUMBER),))
    ask(sent, a_letter("b"))
    assert [each.given for each in box.faxes.search(JobFilter())] == ["", NUMBER]
    box.close()


# The box and its client together, MB: 300 octets that stay of each request would be as much.
MOST_GROWTH_MB = 30.0


def mutate(printing: Printing, rounds: int) -> None:
    chance = random.Random(8011)
    seeds = [
        request(operation, to("tel:9990"), job_id=codec.integers(1), last_document=codec.boolean(True))
        for operation in Operation
    ]
    for _ in range(rounds):
        octets = bytearray(chance.choice(seeds))
        for _ in range(chance.randrange(1, 5)):
            octets[chance.randrange(len(octets))] = chance.randrange(256)
        answer = ask(printing, bytes(octets))
        assert answer.code != Status.INTERNAL, bytes(octets)


def test_mutated_requests_are_answered_and_the_box_goes_on(printing: Printing) -> None:
    mutate(printing, 300)


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_a_hundred_thousand_mutated_requests_are_answered_and_the_box_does_not_grow(
    printing: Printing,
) -> None:
    mutate(printing, 5_000)  # what is made once is made
    before_mb = resident_mb()
    mutate(printing, 100_000)
    grown_mb = resident_mb() - before_mb
    print(f"{grown_mb:.1f} MB more than before")
    assert grown_mb < MOST_GROWTH_MB


def resident_mb() -> float:
    """What this process, the box in it, holds in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


A_LATER_TIME = datetime(2099, 1, 31, 8, tzinfo=timezone(timedelta(hours=1)))


def test_a_job_is_held_while_it_waits_and_goes_on_when_it_is_released(
    printing: Printing, letter: Path
) -> None:
    later = {**to("tel:9990"), "job-hold-until-time": (Value(Tag.DATE_TIME, A_LATER_TIME),)}
    number = job_id(ask(printing, request(Operation.PRINT_JOB, later) + letter.read_bytes()))
    hold = request(Operation.HOLD_JOB, job_id=codec.integers(number))
    assert ask(printing, hold).code == Status.OK
    printing.served.wait(lambda: job(printing, number)["job-state"] == PrintJobState.HELD)
    assert job(printing, number)["job-hold-until"] == "indefinite"
    assert ask(printing, request(Operation.RELEASE_JOB, job_id=codec.integers(number))).code == Status.OK
    assert ended(printing, number)["job-state"] == PrintJobState.COMPLETED
    assert ask(printing, hold).code == Status.NOT_POSSIBLE


def test_a_job_that_waits_for_its_time_is_sent_at_once_when_it_is_released(
    printing: Printing, letter: Path
) -> None:
    later = {**to("tel:9990"), "job-hold-until-time": (Value(Tag.DATE_TIME, A_LATER_TIME),)}
    number = job_id(ask(printing, request(Operation.PRINT_JOB, later) + letter.read_bytes()))
    printing.served.wait(lambda: job(printing, number)["job-state"] == PrintJobState.HELD)
    assert ask(printing, request(Operation.RELEASE_JOB, job_id=codec.integers(number))).code == Status.OK
    assert ended(printing, number)["job-state"] == PrintJobState.COMPLETED
