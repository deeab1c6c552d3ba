"""Twenty API clients while thirty faxes run, in real time: no request fails, every fax arrives.

With FAXBOX_SWEEP=1, on a machine that does nothing else, also that no packet is late.
"""

from __future__ import annotations

import os
from pathlib import Path

from bench import api_load, charts, marked

SWEEP = bool(os.environ.get("FAXBOX_SWEEP"))
SECONDS = 30.0 if SWEEP else 5.0


def test_clients_from_all_sides_break_no_fax_and_get_their_answers(tmp_path: Path) -> None:
    document = tmp_path / charts.FILE_NAME
    if SWEEP:
        charts.coded(charts.charts(None)[3:5], tmp_path)
    else:
        document.write_bytes(marked.document(1))
    load = api_load.measure(tmp_path, document, seconds=SECONDS)
    print(load)
    assert load.errors == 0
    assert load.delivered == api_load.CALLS
    assert load.requests_per_s > 0
    assert load.steps > 0, "packets were counted"
    if SWEEP:
        assert load.late == 0
