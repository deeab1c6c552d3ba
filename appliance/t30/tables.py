"""The state tables of sender and receiver as a page of documentation: ``python -m appliance.t30.tables``."""

from __future__ import annotations

import inspect
import sys

from appliance.t30.frames import Fcf
from appliance.t30.receiver import Receiver
from appliance.t30.sender import Sender
from appliance.t30.station import StationRole, Stimulus, Timer
from appliance.t30.trace import EVENTS

_HEAD = """# What the T.30 engine does, state by state

Made from the tables in `appliance/t30` by `python -m appliance.t30.tables`; do not edit.

While a signal of ours is on the line nothing is heard. What a state does not list changes nothing and is
noted as `ignored`. DCN, a lost line and the owner's cancel end the call in every state.
"""


def as_markdown() -> str:
    """The whole page."""
    lines = [_HEAD]
    for title, part in (("Sender", Sender), ("Receiver", Receiver)):
        lines.append(f"## {title}\n")
        for state, row in part.TABLE.items():
            lines += [f"### {state.value[0].upper()}{state.value[1:]}\n", "| on | does |", "|---|---|"]
            lines += [f"| {_stimulus(s)} | {_purpose(part, method)} |" for s, method in row.items()]
            lines.append("")
    lines += ["## Progress events\n", "| word | says |", "|---|---|"]
    lines += [f"| `{word}` | {says} |" for word, says in EVENTS.items()]
    lines.append("")
    return "\n".join(lines)


def _stimulus(stimulus: Stimulus) -> str:
    if isinstance(stimulus, Fcf):
        return stimulus.name.replace("_", "-")
    return f"{stimulus.value} elapsed" if isinstance(stimulus, Timer) else stimulus.value


def _purpose(part: type[StationRole], method: str) -> str:
    """First sentence of the method's docstring, or its name in words."""
    text = inspect.getdoc(getattr(part, method))
    return text.splitlines()[0] if text else method.strip("_").replace("_", " ")


if __name__ == "__main__":
    sys.stdout.write(as_markdown())
