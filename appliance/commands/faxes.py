"""Commands for the faxes of a running box: list, show, inbox, cancel, resend, tail.

Each asks the box that runs on the folder over its REST API and shows the records of the answer;
``--json`` prints them unchanged.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from appliance.commands.running_box import DONE, RunningBox, with_box
from appliance.daemon.arguments import add_data_argument, bounded, print_json
from appliance.spool.model import JobState

LIST_DEFAULT, LIST_MOST = 20, 200  # the API's own bound
EMPTY = "–"

Record = dict[str, Any]


def register(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the six subcommands."""
    each = words.add_parser("list", help="the faxes that were handed in, the newest first")
    states = ", ".join(state.value for state in JobState)
    each.add_argument(
        "--state",
        action="append",
        default=[],
        metavar="STATE",
        help=f"only these ({states}); may be repeated",
    )
    _bounds(each)
    _word(each, _list)
    show = words.add_parser("show", help="one fax with its tries, in words")
    show.add_argument("id", type=bounded(int, 1), metavar="ID")
    show.add_argument("--received", action="store_true", help="ID is a received one")
    _word(show, _show)
    inbox = words.add_parser("inbox", help="the faxes that came in, the newest first")
    inbox.add_argument("--unread", action="store_true", help="only those that nobody has read")
    _bounds(inbox)
    _word(inbox, _inbox)
    cancel = words.add_parser("cancel", help="stop faxes that are not out yet")
    cancel.add_argument("ids", type=bounded(int, 1), nargs="+", metavar="ID")
    _word(cancel, _cancel)
    resend = words.add_parser("resend", help="send a fax again, to the same number or another")
    resend.add_argument("id", type=bounded(int, 1), metavar="ID")
    resend.add_argument("--to", default="", metavar="NUMBER", help="another number")
    _word(resend, _resend)
    tail = words.add_parser("tail", help="what happens in the box, as it happens, until Ctrl-C")
    tail.add_argument("--fax", type=bounded(int, 1), metavar="ID", help="only what happens to this fax")
    _word(tail, _tail)


def _bounds(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--search", default="", metavar="WORDS", help="words in number, name or subject")
    parser.add_argument(
        "--limit",
        type=bounded(int, 1, LIST_MOST),
        default=LIST_DEFAULT,
        metavar="N",
        help=f"so many (default {LIST_DEFAULT})",
    )


def _word(parser: argparse.ArgumentParser, act: Callable[[RunningBox, argparse.Namespace], None]) -> None:
    parser.add_argument("--json", action="store_true", help="as JSON, for programs")
    add_data_argument(parser)
    parser.set_defaults(run=lambda arguments: _run(act, arguments))


def _run(act: Callable[[RunningBox, argparse.Namespace], None], arguments: argparse.Namespace) -> int:
    try:
        return with_box(act, arguments)
    except (KeyboardInterrupt, BrokenPipeError):
        return DONE


# -- the words -----------------------------------------------------------------------------------


def _list(box: RunningBox, arguments: argparse.Namespace) -> None:
    query = [("limit", str(arguments.limit)), *(("state", state) for state in arguments.state)]
    if arguments.search:
        query.append(("q", arguments.search))
    faxes = box.get(f"/faxes?{urlencode(query)}")["faxes"]
    _print(
        faxes,
        arguments,
        ("ID", "HANDED IN", "TO", "PAGES", "STATE", "WHAT HAPPENED"),
        lambda fax: (
            str(fax["id"]),
            _time(fax["created_at"]),
            _recipient(fax),
            _pages(fax),
            _word_of(fax["state"]),
            _sentence(fax),
        ),
    )


def _inbox(box: RunningBox, arguments: argparse.Namespace) -> None:
    query = {"limit": str(arguments.limit)}
    if arguments.unread:
        query["read"] = "false"
    if arguments.search:
        query["q"] = arguments.search
    received = box.get(f"/received?{urlencode(query)}")["received"]
    _print(
        received,
        arguments,
        ("ID", "CAME", "FROM", "FOR", "PAGES", "", "WHAT HAPPENED"),
        lambda fax: (
            str(fax["id"]),
            _time(fax["started_at"]),
            fax["caller_name"] or fax["caller"] or fax["tsi"] or EMPTY,
            fax["dialled"] or EMPTY,
            str(fax["pages"]),
            " ".join(
                word for word, is_so in (("new", not fax["read"]), ("practice", fax["practice"])) if is_so
            ),
            _sentence(fax),
        ),
    )


def _show(box: RunningBox, arguments: argparse.Namespace) -> None:
    fax = box.get(f"/{'received' if arguments.received else 'faxes'}/{arguments.id}")
    if arguments.json:
        print_json(fax)
        return
    if arguments.received:
        _print_facts(
            {
                "Received fax": str(fax["id"]),
                "From": " ".join(text for text in (fax["caller_name"], fax["caller"], fax["tsi"]) if text),
                "For": fax["dialled"],
                "Came": _time(fax["started_at"]),
                "Pages": str(fax["pages"]),
                "Result": _sentence(fax),
                "Advice": (fax["result"] or {}).get("advice", ""),
            }
        )
        return
    _print_facts(
        {
            "Fax": str(fax["id"]),
            "To": _recipient(fax),
            "Handed in": _time(fax["created_at"]),
            "State": _word_of(fax["state"]),
            "Pages": _pages(fax),
            "Next try": _time(fax.get("next_try_at")),
            "Result": _sentence(fax),
            "Advice": (fax["result"] or {}).get("advice", ""),
        }
    )
    for remark in fax["remarks"]:
        print(f"Remark: {remark['sentence']}")
    for each in fax["attempts"]:
        ending = each["result"]["sentence"] if each["result"] else "It is going on."
        print(f"Try {each['number']}: {_time(each['started_at'])} over {each['line']}. {ending}")


def _cancel(box: RunningBox, arguments: argparse.Namespace) -> None:
    done = [box.post(f"/faxes/{fax_id}/cancel", {}) for fax_id in arguments.ids]
    _say_of(done, arguments, lambda fax: f"Fax {fax['id']} to {_recipient(fax)}: {_word_of(fax['state'])}.")


def _resend(box: RunningBox, arguments: argparse.Namespace) -> None:
    fax = box.post(f"/faxes/{arguments.id}/resend", {"number": arguments.to} if arguments.to else {})
    _say_of([fax], arguments, lambda fax: f"Fax {fax['id']} to {_recipient(fax)} is on its way.")


def _tail(box: RunningBox, arguments: argparse.Namespace) -> None:
    for event in box.events():
        if arguments.fax is not None and event["fax_id"] != arguments.fax:
            continue
        if arguments.json:
            print(json.dumps(event, ensure_ascii=False))
            continue
        about = f"fax {event['fax_id']} " if event["fax_id"] else ""
        facts = " ".join(f"{name}={value}" for name, value in dict(event["data"]).items())
        print(f"{_time(event['at'], '%H:%M:%S')} {about}{event['kind']} {facts}".rstrip())


# -- how it is shown -----------------------------------------------------------------------------


def _print(
    records: Sequence[Record],
    arguments: argparse.Namespace,
    head: Sequence[str],
    row: Callable[[Record], Sequence[str]],
) -> None:
    """Prints a table with columns as wide as their content; the last one has no limit."""
    if arguments.json:
        print_json(records)
        return
    if not records:
        print("There is no such fax.", file=sys.stderr)
        return
    table = [head, *(row(record) for record in records)]
    widths = [max(len(line[column]) for line in table) for column in range(len(head))]
    for line in table:
        cells = (text.ljust(width) for text, width in zip(line, widths, strict=True))
        print("  ".join(cells).rstrip())


def _print_facts(facts: dict[str, str]) -> None:
    shown = {name: value for name, value in facts.items() if value and value != EMPTY}
    width = max(len(name) for name in shown) + 2
    for name, value in shown.items():
        print(f"{name + ':':{width}}{value}")


def _say_of(records: Sequence[Record], arguments: argparse.Namespace, say: Callable[[Record], str]) -> None:
    if arguments.json:
        print_json(records)
        return
    for record in records:
        print(say(record))


def _recipient(fax: Record) -> str:
    to = fax["to"]
    name = " ".join(text for text in (to["name"], to["company"]) if text)
    number = to["number"] or "no number yet"
    return f"{name}, {number}" if name else str(number)


def _pages(fax: Record) -> str:
    return EMPTY if fax["pages"] is None else f"{fax['pages_confirmed']} of {fax['pages']}"


def _sentence(fax: Record) -> str:
    return str(fax["result"]["sentence"]) if fax["result"] else EMPTY


def _word_of(state: str) -> str:
    return state.replace("_", " ")


def _time(text: str | None, form: str = "%Y-%m-%d %H:%M") -> str:
    """A time in RFC 3339 as local time."""
    return EMPTY if text is None else datetime.fromisoformat(text).astimezone().strftime(form)
