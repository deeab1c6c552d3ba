"""spandsp's test procedures, where ``FAXBOX_TSB85`` names ``tsb85.xml`` of its Debian source package."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.t30.tsb85 import Procedure, procedures, set_up

FILE = os.environ.get("FAXBOX_TSB85", "")
# What is done otherwise on purpose (docs/t30.md, "Choices").
OTHERWISE = {
    "MRGX01": "DIS is repeated until T1, not three times",
    "MTGN26": "a page refused after EOM goes again",
    "OTEN04": "one frame that never gets through makes the first CTC go lower",
    "OTEN05": "one frame that never gets through makes the first CTC go lower",
}
PROCEDURES = [
    pytest.param(each, id=each.name, marks=pytest.mark.xfail(reason=OTHERWISE[each.name], strict=True))
    if each.name in OTHERWISE
    else pytest.param(each, id=each.name)
    for each in (procedures(Path(FILE)) if FILE else [])
]


@pytest.mark.full
@pytest.mark.skipif(not FILE, reason="FAXBOX_TSB85 names no file")
@pytest.mark.parametrize("procedure", PROCEDURES)
def test_the_engine_follows_each_procedure_of_tsb_85(procedure: Procedure) -> None:
    set_up(procedure).play(procedure)
