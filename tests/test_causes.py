"""The table of causes: complete sentences, documentation that is up to date."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from appliance.api import problems
from appliance.api.ifax import codes
from appliance.causes import PACKAGES, Cause, all_causes, as_markdown, cause_of, in_words
from appliance.documents.errors import fault_of

PROJECT = Path(__file__).parent.parent
DOCUMENT = PROJECT / "docs" / "causes.md"


@pytest.mark.parametrize("cause", all_causes(), ids=lambda cause: cause.code)
def test_each_row_speaks_in_whole_sentences(cause: Cause) -> None:
    for words in (cause.sentence, cause.advice):
        assert words[0].isupper()
        assert words.endswith(".")
        assert "  " not in words


@pytest.mark.parametrize("cause", all_causes(), ids=lambda cause: cause.code)
def test_no_advice_says_that_a_further_try_follows(cause: Cause) -> None:
    """It stands beside the end of the last try, too; that another one follows is the fax's state."""
    assert "tried again" not in cause.advice


def test_a_code_leads_to_its_row() -> None:
    assert all(cause_of(cause.code) is cause for cause in all_causes())


@pytest.mark.parametrize(
    "table", [problems._STATUS, codes._FAX_CODES, codes._STATUSES, codes._CALL_ENDS], ids=["http", *"123"]
)
def test_tables_of_codes_name_only_rows_that_there_are(table: Mapping[str, object]) -> None:
    assert set(table) <= {cause.code for cause in all_causes()}


def test_every_package_that_has_causes_is_in_the_table() -> None:
    found = {file.parent for file in (PROJECT / "appliance").rglob("causes.py")}
    assert {PROJECT / package.replace(".", "/") for package in PACKAGES} == found


def test_a_code_is_known_in_a_process_that_has_not_imported_its_package() -> None:
    look = "from appliance.causes import cause_of; print(cause_of('sip_no_media').side.value)"
    said = subprocess.run(
        [sys.executable, "-c", look], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert said.stdout == "line\n"


def test_the_documentation_shows_the_table_as_it_is() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == as_markdown(), (
        "run: python -m appliance.causes > docs/causes.md"
    )


def test_a_sentence_its_detail_and_its_advice_read_as_one_line() -> None:
    assert (
        in_words("It is locked.", "a.p7m: by S/MIME", "Unlock it.")
        == "It is locked. (a.p7m: by S/MIME) Unlock it."
    )
    assert in_words("It is not dialled.", "(112)") == "It is not dialled. (112)"
    assert in_words("It is white.", "", "Look at it.") == "It is white. Look at it."


def test_what_a_library_says_of_a_document_names_no_object_of_python() -> None:
    said = "cannot identify image file <_io.BufferedReader name='/proc/self/fd/9'>"
    assert fault_of(OSError(said)) == "cannot identify image file"
    assert fault_of(ValueError()) == "ValueError"
