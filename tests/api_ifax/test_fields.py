"""Reading the fields of iFax style requests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.api.ifax import fields
from appliance.api.ifax.codes import FaxCode, refusal_of
from appliance.api.intake import StoredUpload
from appliance.api.problems import ProblemError
from appliance.net.settings import ApiSettings
from appliance.services.causes import TOO_MANY_FILES, TOO_MANY_RECIPIENTS
from appliance.spool.model import SourceFile
from appliance.spool.options import Quality

NOW = datetime(2030, 1, 1, tzinfo=UTC).timestamp()
FILE = {"fileName": "a.pdf", "fileUrl": "https://example.com/a.pdf"}
LIMITS = ApiSettings()


def read(**given: Any) -> fields.SendFields:
    return fields.read_send({"faxNumber": "+4930123", "faxData": [FILE], **given}, LIMITS, NOW)


def refused(**given: Any) -> ProblemError:
    with pytest.raises(ProblemError) as caught:
        read(**given)
    return caught.value


def test_the_least_request_is_standard_quality_without_a_cover() -> None:
    found = read()
    assert found.numbers == ("+4930123",)
    assert found.quality is Quality.FINE
    assert found.send_at is None
    assert not found.wants_cover


def test_null_and_empty_fields_are_not_given() -> None:
    found = read(callerId=None, subject="", send_at=None, templateId="", faxQuality=None, message=None)
    assert not found.wants_cover
    assert found.caller_id == ""


@pytest.mark.parametrize("none", ["0000", "0", " 000 ", 0])
def test_an_id_of_zeros_means_none_as_in_the_documented_sample(none: Any) -> None:
    found = read(templateId=none, smartDocumentId=none)
    assert (found.template_id, found.smart_document_id) == (None, None)


@pytest.mark.parametrize(
    ("word", "quality"),
    [
        ("Low", Quality.STANDARD),
        ("Standard", Quality.FINE),
        ("HD", Quality.SUPERFINE),
        ("hd", Quality.SUPERFINE),
    ],
)
def test_each_quality_is_a_resolution(word: str, quality: Quality) -> None:
    assert read(faxQuality=word).quality is quality


@pytest.mark.parametrize("word", ["Ultra", 3, ["HD"], True])
def test_an_unknown_quality_is_refused(word: Any) -> None:
    assert "faxQuality" in refused(faxQuality=word).detail


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2030-01-02T00:00:00Z", 86400),
        ("2030-01-01T01:00:00", 3600),
        ("2030-01-01 01:00:00", 3600),
        ("2030-01-01T02:00:00+01:00", 3600),
        ("2030-01-01T00:00:01.500Z", 1.5),
    ],
)
def test_send_at_is_utc_unless_it_names_a_zone(text: str, moment: float) -> None:
    assert read(send_at=text).send_at == pytest.approx(NOW + moment)


def test_a_time_that_has_passed_means_now() -> None:
    assert read(send_at="2029-12-31T23:59:59Z").send_at is None


@pytest.mark.parametrize(
    "wrong", ["tomorrow", "2131-01-01T00:00:00Z", 1893456000, "9999-12-31T23:59:59Z", {}]
)
def test_a_time_that_cannot_be_meant_is_refused(wrong: Any) -> None:
    assert "send_at" in refused(send_at=wrong).detail


@pytest.mark.parametrize(
    "written",
    ["+4930123,+4930124", ["+4930123", "+4930124"], "+4930123; +4930124", ["+4930123,+4930124", "+4930123"]],
)
def test_several_numbers_may_be_a_list_or_stand_in_one_text(written: Any) -> None:
    assert read(faxNumber=written).numbers == ("+4930123", "+4930124")


@pytest.mark.parametrize(
    ("written", "numbers"),
    [
        ("+4930123,,,42", ("+4930123,,,42",)),
        ("+4930123,,,42,+4930124;ext=7", ("+4930123,,,42", "+4930124;ext=7")),
        (["+4930123 p42", "+4930124 ext. 7"], ("+4930123 p42", "+4930124 ext. 7")),
    ],
)
def test_digits_to_be_dialled_on_stay_with_their_number(written: Any, numbers: tuple[str, ...]) -> None:
    assert read(faxNumber=written).numbers == numbers


def test_a_number_without_quotes_gets_its_plus_back() -> None:
    assert read(faxNumber=12125551234).numbers == ("+12125551234",)


def test_fifteen_recipients_are_taken_and_sixteen_are_not() -> None:
    numbers = [f"+49301{index:03}" for index in range(16)]
    assert len(read(faxNumber=numbers[:15]).numbers) == 15
    problem = refused(faxNumber=numbers)
    assert problem.cause is TOO_MANY_RECIPIENTS
    assert refusal_of(problem).code is FaxCode.TOO_MANY_RECIPIENTS


@pytest.mark.parametrize("missing", [None, "", [], [None, " "]])
def test_a_missing_number_is_an_invalid_number(missing: Any) -> None:
    assert refusal_of(refused(faxNumber=missing)).code is FaxCode.INVALID_NUMBER


def test_twenty_files_are_taken_and_twenty_one_are_not() -> None:
    assert len(read(faxData=[FILE] * 20).files) == 20
    assert refused(faxData=[FILE] * 21).cause is TOO_MANY_FILES


@pytest.mark.parametrize(
    "wrong",
    [None, [], [{}], ["a.pdf"], [{"fileName": "a.pdf"}], [{"fileData": 7}], [{"fileUrl": []}], 7],
)
def test_files_that_are_not_there_are_refused(wrong: Any) -> None:
    problem = refused(faxData=wrong)
    assert refusal_of(problem).http == 400


def test_a_stored_document_needs_no_files_beside_it() -> None:
    found = read(smartDocumentId="7", faxData=None)
    assert (found.smart_document_id, found.files) == (7, ())


def test_a_url_goes_before_content_as_that_style_prefers() -> None:
    file = read(faxData=[{**FILE, "fileData": "AAAA"}]).files[0]
    assert (file.url, file.base64) == (FILE["fileUrl"], "")


def test_the_head_of_a_data_url_is_taken_off() -> None:
    assert read(faxData=[{"fileData": "data:application/pdf;base64,AAAA"}]).files[0].base64 == "AAAA"


@pytest.mark.parametrize(
    ("pages", "found"),
    [
        (["1-5", "2", "1-10"], ("1-5", "2", "1-10")),
        ("1-3,7", ("1-3", "7")),
        ([2, "4-"], ("2", "4-")),
        (None, ()),
        ([], ()),
        (["-3"], ("-3",)),
    ],
)
def test_page_selections_keep_their_order(pages: Any, found: tuple[str, ...]) -> None:
    assert read(faxData=[{**FILE, "pages": pages}]).files[0].pages == found


@pytest.mark.parametrize(
    "wrong", [["one"], ["1..3"], [True], {"1": 2}, ["1-" * 1500], ["1"] * 1500, ["", "", "x"]]
)
def test_a_selection_that_cannot_be_read_is_refused(wrong: Any) -> None:
    assert "pages" in refused(faxData=[{**FILE, "pages": wrong}]).detail


@pytest.mark.parametrize("given", [12345, "12345", " 12345 ", 12345.0])
def test_a_job_id_may_be_a_text(given: Any) -> None:
    assert fields.job_id({"jobId": given}) == 12345


@pytest.mark.parametrize("wrong", [None, "", 0, -1, 1.5, True, "12a", "١٢", 1 << 60, "9" * 40, [1], {}])
def test_what_is_no_id_is_refused(wrong: Any) -> None:
    with pytest.raises(ProblemError):
        fields.job_id({"jobId": wrong})


def test_forms_are_shaped_like_the_json_they_stand_for() -> None:
    taken = StoredUpload(SourceFile("b.pdf", "application/pdf", "documents/x", 3), "")
    shaped = fields.nested(
        {
            "faxNumber[]": ["+4930123", "+4930124"],
            "subject": ["Hello"],
            "faxData[0][fileName]": ["a.pdf"],
            "faxData[0][fileUrl]": ["https://example.com/a"],
            "faxData[0][pages][]": ["1", "3"],
            "faxData[1][fileName]": ["b.pdf"],
        },
        [("faxData[1][fileUrl]", taken), ("file", taken)],
    )
    found = fields.read_send(shaped, LIMITS, NOW)
    assert found.numbers == ("+4930123", "+4930124")
    assert found.subject == "Hello"
    assert [file.name for file in found.files] == ["a.pdf", "b.pdf", ""]
    assert found.files[0].pages == ("1", "3")
    assert found.files[1].upload is taken
    assert found.files[2].upload is taken


_anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)
_names = st.sampled_from(
    [
        "faxNumber",
        "callerId",
        "templateId",
        "smartDocumentId",
        "subject",
        "from_name",
        "to_name",
        "message",
        "send_at",
        "faxQuality",
        "faxData",
        "jobId",
        "_method",
    ]
)
_file = st.dictionaries(st.sampled_from(["fileName", "fileUrl", "fileData", "pages"]), _anything, max_size=4)


@settings(max_examples=200)
@given(st.dictionaries(_names, _anything | st.lists(_file, max_size=3), max_size=8))
def test_whatever_is_sent_is_read_or_refused_in_words(given: dict[str, Any]) -> None:
    refusals = []
    for reader in (lambda: fields.read_send(given, LIMITS, NOW), lambda: fields.job_id(given)):
        try:
            reader()
        except ProblemError as problem:
            refusals.append(refusal_of(problem).http)
    assert all(400 <= http < 500 for http in refusals)
