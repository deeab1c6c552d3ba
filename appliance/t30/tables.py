"""The state tables of sender and receiver as a page of documentation: ``python -m appliance.t30.tables``."""

from __future__ import annotations

import inspect
import sys
from enum import Enum

from appliance.t30.frames import Fcf
from appliance.t30.receiver import Receiver
from appliance.t30.roles import Reaction, Stimulus, Timer
from appliance.t30.sender import Sender
from appliance.t30.states import ReceiverState
from appliance.t30.trace import EVENTS

_HEAD = """# What the T.30 engine does, state by state

Made from the tables in `appliance/t30` by `python -m appliance.t30.tables`; do not edit.

While a signal of ours is on the line nothing is heard. What a state does not list changes nothing and is
noted as `ignored`. DCN, a lost line and the owner's cancel end the call in every state. A state may always
stay what it is; the diagrams and the last column name the others that it may lead to. The receiver handles
PRI-MPS, PRI-EOM and PRI-EOP as the commands without PRI, and EOS as EOM.
"""


def as_markdown() -> str:
    """The page in Markdown."""
    lines = [_HEAD]
    for title, role in (("Sender", Sender), ("Receiver", Receiver)):
        lines += [f"## {title}\n", *_diagram(role), ""]
        for state, row in role.TABLE.items():
            lines += [f"### {_title(state)}\n", "| on | does | then |", "|---|---|---|"]
            lines += [
                f"| {_stimulus(s)} | {_purpose(step)} | {_then(step, state)} |" for s, step in row.items()
            ]
            lines.append("")
    lines += ["## Progress events\n", "| word | says |", "|---|---|"]
    lines += [f"| `{word}` | {says} |" for word, says in EVENTS.items()]
    lines.append("")
    return "\n".join(lines)


def _diagram(role: type[Sender | Receiver]) -> list[str]:
    """The states and their transitions as lines of a Mermaid diagram."""
    own = list(role.TABLE)
    others = [to for row in role.TABLE.values() for step in row.values() for to in step.to if to not in own]
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f"    {_node(state)} : {_of_role(state, own)}" for state in dict.fromkeys([*own, *others])]
    lines.append(f"    [*] --> {_node(own[0])}")
    for state, row in role.TABLE.items():
        by_target: dict[Enum, list[str]] = {}
        for stimulus, step in row.items():
            for to in step.to:
                if to is not state:
                    by_target.setdefault(to, []).append(_stimulus(stimulus))
        lines += [f"    {_node(state)} --> {_node(to)} : {', '.join(on)}" for to, on in by_target.items()]
    return [*lines, "```"]


def _node(state: Enum) -> str:
    return f"{'r' if isinstance(state, ReceiverState) else 's'}_{state.name}"


def _of_role(state: Enum, own: list[Enum]) -> str:
    if state in own:
        return str(state.value)
    return f"{'receiver' if isinstance(state, ReceiverState) else 'sender'} {state.value}"


def _title(state: Enum) -> str:
    text = str(state.value)
    return f"{text[0].upper()}{text[1:]}"


def _stimulus(stimulus: Stimulus) -> str:
    if isinstance(stimulus, Fcf):
        return stimulus.name.replace("_", "-")
    return f"{stimulus.value} elapsed" if isinstance(stimulus, Timer) else stimulus.value


def _purpose(step: Reaction) -> str:
    """First sentence of the method's docstring, or its name in words."""
    text = inspect.getdoc(step.act)
    return text.splitlines()[0] if text else step.act.__name__.strip("_").replace("_", " ")


def _then(step: Reaction, state: Enum) -> str:
    return "; ".join(str(to.value) for to in step.to if to is not state)


if __name__ == "__main__":
    sys.stdout.write(as_markdown())
