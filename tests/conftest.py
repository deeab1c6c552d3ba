"""What holds for all tests."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# The same examples everywhere, whatever the machine has to do besides: no example has a time limit, and a
# run can fail only for what it tests.  FAXBOX_SWEEP=1 looks for other examples each time.
settings.register_profile(
    "faxbox",
    deadline=None,
    derandomize=os.environ.get("FAXBOX_SWEEP") != "1",
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("faxbox")
