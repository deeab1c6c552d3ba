"""The source of pages is asked for permission before the end of the last page is signalled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from appliance.causes import Cause
from appliance.t4.page import Coding
from appliance.t30 import causes
from appliance.t30.frames import Fcf
from appliance.t30.parameters import Capabilities
from tests.t30.linked import End, Pages, link
from tests.t30.test_linked import assert_arrived, document, pair, spoil_nth


@dataclass
class AskedPages(Pages):
    """Gives leave after ``after`` seconds; None never answers."""

    answer: bool = True
    after: float | None = 0.0
    frames_at_leave: list[str] = field(default_factory=list)
    pages_at_leave: int = 0
    times: int = 0
    due: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    clock: Callable[[], float] = lambda: 0.0
    caller: End | None = None

    def ask_to_end_last_page(self, given: Callable[[bool], None]) -> None:
        assert self.caller is not None
        self.times += 1
        self.frames_at_leave = list(self.caller.frames())
        self.pages_at_leave = self.caller.words().count("page_sending")
        if self.after is not None:
            self.due.append((self.clock() + self.after, lambda: given(self.answer)))


def asked_pair(pages: int, ecm: bool, **more: object) -> tuple[End, End, AskedPages]:
    a, b = pair(document(pages, Coding.MMR if ecm else Coding.MH), Capabilities(ecm=ecm))
    source = AskedPages(pages=a.pages.pages, caller=a, **more)  # type: ignore[arg-type]
    a.pages = source
    a.parameters = replace(a.parameters, asks_to_end_last_page=True)
    return a, b, source


def commands(frames: list[str]) -> list[str]:
    return [name for name in frames if name in ("PPS", "MPS", "EOP", "EOM")]


@pytest.mark.parametrize("ecm", [True, False])
@pytest.mark.parametrize("pages", [1, 3])
def test_permission_to_end_is_asked_once_before_the_last_page_begins(pages: int, ecm: bool) -> None:
    """Where the far end can be kept waiting: before DCS, or before the page before is ended."""
    a, b, source = asked_pair(pages, ecm)
    link(a, b, slow=source)
    assert_arrived(a, b)
    assert source.times == 1
    assert len(commands(source.frames_at_leave)) == max(pages - 2, 0)
    assert source.pages_at_leave == pages - 1


@pytest.mark.parametrize("ecm", [True, False])
@pytest.mark.parametrize("pages", [1, 2])
@pytest.mark.parametrize("after", [2.0, 5.0, 10.0, 20.0])
def test_a_late_permission_to_end_is_waited_for(ecm: bool, pages: int, after: float) -> None:
    a, b, source = asked_pair(pages, ecm, after=after)
    link(a, b, slow=source)
    assert_arrived(a, b)
    assert source.times == 1


@pytest.mark.parametrize("ecm", [True, False])
@pytest.mark.parametrize(
    ("more", "cause"), [({"answer": False}, causes.RECORD_FAILED), ({"after": None}, causes.BOX_STALLED)]
)
def test_without_permission_the_last_page_is_not_ended_and_cannot_be_confirmed(
    ecm: bool, more: dict[str, object], cause: Cause
) -> None:
    a, b, source = asked_pair(2, ecm, **more)
    link(a, b, slow=source)
    assert a.call.result is not None
    assert a.call.result.cause is cause
    assert not a.call.result.last_page_out
    assert a.call.result.pages_sent == 1
    assert len(b.store.pages) == 1
    assert len(commands(a.frames())) == 1


@pytest.mark.parametrize("ecm", [True, False])
def test_a_last_page_that_is_repeated_needs_no_second_permission(ecm: bool) -> None:
    a, b, source = asked_pair(1, ecm)
    link(a, b, spoil_nth("a", Fcf.PPS if ecm else Fcf.EOP), slow=source)
    assert_arrived(a, b)
    assert source.times == 1


def test_pages_arrive_where_the_owner_permits_the_end_at_once() -> None:
    a, b = pair(document(1, Coding.MMR))
    a.parameters = replace(a.parameters, asks_to_end_last_page=True)
    link(a, b)
    assert_arrived(a, b)
