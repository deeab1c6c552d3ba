"""Searches find German names however their letters are written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.spool import jobs
from appliance.spool.filters import JobFilter
from appliance.spool.store import Spool
from appliance.spool.transaction import Tx
from tests.spool.test_search_work import filled

NAMES = {
    2: "Jürgen Müller",
    4: "Mueller GmbH",
    6: "Groß & Söhne",
    8: "Gross",
    10: "Änne Aslan",
    12: "Öl-Meier",
}


def rename(tx: Tx) -> None:
    tx.db.execute("UPDATE job SET name = ''")
    for job_id, name in NAMES.items():
        tx.db.execute("UPDATE job SET name = ? WHERE id = ?", (name, job_id))


@pytest.fixture(scope="module")
def spool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spool]:
    folder: Path = tmp_path_factory.mktemp("spelled")
    with filled(folder, 9) as made:
        made.do(rename)
        yield made


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("müller", [4, 2]),
        ("MÜLLER", [4, 2]),
        ("muller", [2]),
        ("Mueller", [4, 2]),
        ("jurgen mueller", [2]),
        ("gross", [8, 6]),
        ("GROẞ soehne", [6]),
        ("anne", [10]),
        ("Aenne", [10]),
        ("oel", [12]),
        ("ss", [8]),
        ("ol", [12]),
        ("a" * 200, []),
        ("möller", []),
    ],
)
def test_a_name_is_found_as_it_is_written_and_as_others_write_it(
    spool: Spool, text: str, ids: list[int]
) -> None:
    assert [each.id for each in spool.read(jobs.search, JobFilter(text=text))] == ids


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("+494315551234", [2]),
        ("0431 5551234", [2]),
        ("0431/555-12 34", [2]),
        ("(0431) 5551234", [2]),
        ("00494315551234", [2]),
        ("+49 (0)431 555 1234", [2]),
        ("+49 431", [2]),
        ("0431", [2]),
        ("0431 555", [2]),
        ("5551234", [2]),
        ("555 1234", [2]),
        ("0431 5551235", []),
        ("0815 4711", [4]),  # words of a name
    ],
)
def test_a_number_is_found_as_people_write_it(tmp_path: Path, text: str, ids: list[int]) -> None:
    def numbered(tx: Tx) -> None:
        tx.db.execute("UPDATE job SET name = '', number = '1', given = '1'")
        tx.db.execute("UPDATE job SET number = '+494315551234', given = '+494315551234' WHERE id = 2")
        tx.db.execute("UPDATE job SET name = 'File 4711 of 0815' WHERE id = 4")

    with filled(tmp_path, 4) as made:
        made.do(numbered)
        found = made.read(jobs.search, JobFilter(text=text))
    assert [job.id for job in found] == ids
