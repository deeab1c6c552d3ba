"""Practice calls on request, where the machine has no thread for one."""

from __future__ import annotations

import threading

import pytest

from appliance.api.causes import PRACTICE_REFUSED
from tests.api.served import Served


def test_where_no_thread_can_be_started_a_practice_call_is_refused_and_the_next_is_made(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        if thread.name == "practice":
            raise RuntimeError("can't start new thread")
        real(thread)

    with monkeypatch.context() as here:
        here.setattr(threading.Thread, "start", start)
        for _ in range(5):  # more than there may be calls at once
            reply = served.ask("POST", "/practice/receive", {})
            assert reply.json["code"] == PRACTICE_REFUSED.code
    assert served.ask("POST", "/practice/receive", {}).status == 202
