"""``faxbox completion bash``: the shell's completion script, made from the parsers of the command line."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator

from appliance.configuration import CATALOGUE
from appliance.settings.fields import describe

_NAME = "faxbox"
# The words so far lead to a place in the tree of parsers; a table has the words that may follow there, and
# under "PLACE OPTION" those that may follow an option.  Without an entry, the shell completes file names.
_SCRIPT = """# Completion of faxbox in bash.  Made by: faxbox completion bash
declare -gA _faxbox_next=(
{table}
)
_faxbox() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} place={name} word
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        [[ -z $word || -z ${{_faxbox_next[$place $word]+there}} || $word == -* ]] || place+=" $word"
    done
    COMPREPLY=()
    if [[ $before == -* && -n ${{_faxbox_next[$place $before]+there}} ]]; then
        mapfile -t COMPREPLY < <(compgen -W "${{_faxbox_next[$place $before]}}" -- "$current")
    elif [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "${{_faxbox_next[$place -]}}" -- "$current")
    else
        mapfile -t COMPREPLY < <(compgen -W "${{_faxbox_next[$place]}}" -- "$current")
    fi
}}
complete -o default -F _faxbox {name}
"""


def register(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds ``completion``, which knows every word that is registered when it runs."""
    parser = words.add_parser("completion", help="print what lets the shell complete this command")
    parser.add_argument("shell", choices=["bash"])

    def run(_: argparse.Namespace) -> int:
        print(bash(words), end="")
        return 0

    parser.set_defaults(run=run)


def bash(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> str:
    """A script for bash that completes ``words``, their actions, options and values."""
    table = {
        _NAME: " ".join(words.choices),
        f"{_NAME} -": "--help --version",
    }
    for word, parser in words.choices.items():
        table |= _places(f"{_NAME} {word}", parser)
    sections = " ".join(CATALOGUE.sections)
    fields = " ".join(
        f"{name}.{field.name}" for name, kind in CATALOGUE.sections.items() for field in describe(kind)
    )
    table |= {f"{_NAME} config get": f"{sections} {fields}", f"{_NAME} config set": fields}
    lines = "\n".join(f"    [{shlex.quote(place)}]={shlex.quote(known)}" for place, known in table.items())
    return _SCRIPT.format(table=lines, name=_NAME)


def _places(place: str, parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    """Each place from this parser down, and each option with a choice of values, with what may follow."""
    options: list[str] = []
    following: list[str] = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            following += action.choices
            for word, below in action.choices.items():
                yield from _places(f"{place} {word}", below)
            continue
        values = [str(value) for value in action.choices or ()]
        options += [option for option in action.option_strings if option.startswith("--")]
        if not action.option_strings:
            following += values
        elif action.nargs != 0:
            yield from ((f"{place} {option}", " ".join(values)) for option in action.option_strings)
    yield place, " ".join(following)
    yield f"{place} -", " ".join(options)
