"""A table of kinds of far ends: the result of a fax to each, its duration in seconds, and the next step.

The cells come from the set-ups of the tests (sipp signals, spandsp is the fax machine, kamailio is between
for some), in real time.
``python -m bench.far_ends`` writes the table of docs/far-ends.md to standard output.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

from appliance import causes
from appliance.dispatch.profile import Profile, learn
from appliance.dispatch.rules import silent_t38, wants_audio
from appliance.lines.sip.call_media import MediaFacts
from tests.lines.sip import test_blame, test_far_ends, test_through_proxy
from tests.lines.sip.rig import Box, Outcome

_MEDIA = {"t38": "T.38", "g711": "tones", "audio": "", "": ""}
_WHEN = {
    "no": "none: it ended",
    "soon": "again soon",
    "later": "again later",
    "other_line": "over another line, else later",
    "step_down": "more cautious",
    "ask": "when somebody says so",
}


def main() -> None:
    """Prints the table."""
    print("| far end | end | carried by | seconds | tones after the answer, s | the next call |")
    print("|---|---|---|---|---|---|")
    for row in _rows():
        print(f"| {' | '.join(row)} |")


def _rows() -> Iterator[tuple[str, ...]]:
    with tempfile.TemporaryDirectory(prefix="faxbox-far-ends-") as scratch:
        folder = Path(scratch)
        cells = asyncio.run(_cells(folder))
        for name in sorted(cells):
            yield _row(test_far_ends.words_of(name), cells[name].outcome, cells[name].facts)
        for name, outcome in asyncio.run(_behind_proxies(folder)).items():
            yield _row(f"behind kamailio: {name.replace('_', ' ')}", outcome, MediaFacts())


async def _cells(folder: Path) -> dict[str, test_far_ends.Ran]:
    alone = (test_far_ends.odd_port_is_spoken_to_at_once_in_the_next_call,)
    together = await test_far_ends.run_cells(folder, test_far_ends.CELLS.values())
    return together | await test_far_ends.run_cells(folder, alone)


async def _behind_proxies(folder: Path) -> dict[str, Outcome]:
    async with Box() as box:
        t38 = {f"offer of T.38: {name}": name for name in test_through_proxy.WAYS}
        calls = [test_through_proxy.behind_proxy(folder / f"t38-{way}", way, box) for way in t38.values()]
        refused = (*test_blame.REFUSED, test_blame.TRYING)
        calls += [test_blame.call(folder / f"refused-{way}", box, way) for way in refused]
        return dict(zip((*t38, *refused), await asyncio.gather(*calls), strict=True))


def _row(words: str, outcome: Outcome, facts: MediaFacts) -> tuple[str, ...]:
    medium = (outcome.media() or [""])[-1]
    tones = medium == "g711" and any(each.event == "connected" for each in outcome.progress)
    return (
        words,
        outcome.result.cause.code,
        _MEDIA[medium],
        f"{outcome.seconds:.1f}" if outcome.seconds else "",
        f"{test_far_ends.first_tones_s(outcome):.1f}" if tones else "",
        _next_call(outcome, facts, medium),
    )


def _next_call(outcome: Outcome, facts: MediaFacts, medium: str) -> str:
    cause = outcome.result.cause
    if cause is causes.RECEIVED:
        return ""
    if cause is not causes.DELIVERED:
        return "at once, in tones" if silent_t38(cause, medium) else _WHEN[cause.retry.value]
    found = []
    if facts.offer_failed:
        found.append("no offer of T.38 for an hour")
    if facts.udptl is not None and facts.udptl[1].odd:
        found.append("speaks to the odd port from the start")
    profile = learn(Profile(), outcome.result, step=0, line="", medium=medium, seconds=0.0, now=0.0)
    if wants_audio((), profile):
        found.append("begins in tones")
    return ", ".join(found) or "the same"


if __name__ == "__main__":
    main()
