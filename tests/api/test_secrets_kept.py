"""A unique value in every secret setting, then a search for them in everything that the box returns.

A setting that is declared a secret later is planted by itself; a new kind of list with one must be added
below, and the test says so.
"""

from __future__ import annotations

import csv
import io
import logging
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from appliance.configuration import CATALOGUE, LINE_KINDS
from appliance.deliver.settings import DeliveryRoute
from appliance.lines.sip.settings import SipTrunk
from appliance.settings.accounts import ApiKey, User
from appliance.settings.fields import describe
from appliance.settings.store import SettingsStore
from appliance.url_passwords import MASK
from tests.api.processes import arguments_of_children
from tests.api.served import Served
from tests.api.test_stream import Reader

# One entry of each list whose entries have secrets, disabled where it would be used.
ENTRIES = (
    SipTrunk(name="planted", server="127.0.0.1", enabled=False),
    User(name="planted"),
    ApiKey(name="planted", token_hash="0"),
    DeliveryRoute(name="planted", enabled=False),
)
# What the box made for itself is looked for as it is: another id of the index would shut it out of its own
# folder, another key of sessions the test out of the box.
MADE = ("secrets",)
# The stream, which has no end; findings are in the support bundle, too, and take some seconds each time.
NOT_ASKED = ("/events", "/doctor")
# The same list may come as a table.
FORMS = ("application/json", "text/csv", "text/vcard", "application/openmetrics-text")


def secret_fields(kind: type[Any]) -> list[str]:
    return [field.name for field in describe(kind) if field.secret or field.name.endswith("_url")]


def planted(name: str, word: str) -> Any:
    if name.endswith("_url"):
        return f"http://somebody:{word}@127.0.0.1:9/hook"
    return [word] if name == "recovery_codes" else word


def plant(store: SettingsStore) -> dict[str, str]:
    """Puts a unique word into every secret; returns the words by their place."""
    words: dict[str, str] = {}

    def values(kind: type[Any], where: str) -> dict[str, Any]:
        made = {}
        for name in secret_fields(kind):
            words[f"{where}.{name}"] = f"Planted-{len(words):03}-Secret"
            made[name] = planted(name, words[f"{where}.{name}"])
        return made

    for section, kind in CATALOGUE.sections.items():
        if section in MADE:
            known = store.section(kind)
            words |= {f"{section}.{name}": getattr(known, name) for name in secret_fields(kind)}
        elif secret_fields(kind):
            store.change(kind, values(kind, section))
    for entry in ENTRIES:
        store.update(type(entry), store.add(entry), values(type(entry), type(entry).__name__))
    return {where: word for where, word in words.items() if word}


def test_every_kind_of_entry_that_has_a_secret_is_planted() -> None:
    kinds = {*CATALOGUE.lists.values(), *LINE_KINDS}
    assert {kind for kind in kinds if secret_fields(kind)} == {type(entry) for entry in ENTRIES}


def answers(served: Served) -> Iterator[tuple[str, str]]:
    """The responses to all reading requests, in every format."""
    routes = served.ask("GET", "/openapi.json").json["paths"]
    ids = {
        "/line-settings/{id}": SipTrunk,
        "/users/{id}": User,
        "/keys/{id}": ApiKey,
        "/routes/{id}": DeliveryRoute,
    }
    for path, methods in routes.items():
        short = path.removeprefix("/api/v1")
        if "get" not in methods or short in NOT_ASKED:
            continue
        if short in ids:
            (short,) = (
                short.replace("{id}", str(number))
                for number, entry in served.box.settings.items(ids[short]).items()
                if entry.name == "planted"
            )
        if "{" in short:
            continue
        said = str(methods["get"]["responses"])
        for form in [form for form in FORMS if form in said] or FORMS[:1]:
            given = served.ask("GET", short, headers={"Accept": form})
            if given.content.startswith(b"PK"):
                with zipfile.ZipFile(io.BytesIO(given.content)) as found:
                    for name in found.namelist():
                        yield f"GET {short}: {name}", found.read(name).decode("latin-1")
            else:
                yield f"GET {short} as {form}", given.content.decode("latin-1")


def event_stream(served: Served) -> str:
    """All events up to the one fax's end."""
    reader = Reader(served, last="0")
    try:
        return "\n".join(map(str, reader.until("job.cancelled")))
    finally:
        reader.close()


def test_no_planted_secret_comes_out_anywhere(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    words = plant(served.box.settings)
    assert len(words) > 10
    files = [{"name": "a.txt", "content": "YQ=="}]
    fax = served.ask("POST", "/faxes", {"to": ["9990"], "files": files, "hold": True}).json["faxes"][0]["id"]
    served.ask("POST", f"/faxes/{fax}/cancel")
    told = dict(answers(served))
    told["the event stream"] = event_stream(served)
    told["the process list"] = "\n".join(arguments_of_children().values())
    told["the log"] = caplog.text
    for folder in ("traces", "packets", "previews"):
        for path in (served.box.data / folder).rglob("*"):
            told[str(path)] = path.read_bytes().decode("latin-1") if path.is_file() else ""
    assert any(name.startswith("GET /doctor/bundle: ") for name in told), "the support bundle was read"
    assert len(list(csv.reader(io.StringIO(told["GET /journal as text/csv"])))) > 1, "the table was read"
    shown = [text for text in told.values() if '"name": "planted"' in text and MASK in text]
    assert len(shown) >= len(ENTRIES), "what has the secrets is shown, with a mask in their place"
    found = [(where, what) for where, text in told.items() for what, word in words.items() if word in text]
    assert found == []
