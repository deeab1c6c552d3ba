"""A box with typical content: faxes both ways, people, a phone book, one document without a number."""

from __future__ import annotations

import base64
import contextlib
import io
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from PIL import Image, ImageDraw

from appliance.disk_lock import owner
from appliance.spool.delivery import NewDelivery
from tests.web.browser import Web

# What a stranger writes who wishes the reader ill.
EVIL = '<img src=x onerror="window.bad=1"><script>window.bad=1</script>'


_COVER = "<h1>City Hospital</h1><p>{{message}}</p>"
_EVIL_COVER = "</textarea><script>window.bad=1</script>"


@dataclass(frozen=True, slots=True)
class Furnished:
    fax: int
    received: int

    def path(self, path: str) -> str:
        return path.format(fax=self.fax, received=self.received)


def picture() -> bytes:
    """A page of a letter, as TIFF."""
    sheet = Image.new("L", (860, 1216), 255)
    draw = ImageDraw.Draw(sheet)
    draw.text((90, 120), "Practice Dr. Lovelace", fill=0, font_size=34)
    draw.line((90, 180, 770, 180), fill=0, width=3)
    for row in range(14):
        draw.text(
            (90, 260 + 48 * row), "Dear colleague, please find enclosed the findings …", fill=0, font_size=22
        )
    out = io.BytesIO()
    sheet.save(out, "TIFF", dpi=(100, 100))
    return out.getvalue()


@contextlib.contextmanager
def made_from_the_image() -> Iterator[None]:
    """Meanwhile this machine's disk can be encrypted, as the image's: its pages show what they have."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, "is_image", lambda: True)
        yield


def furnish(box: Web, *, evil: bool = False) -> Furnished:
    """Fills the box, once.  ``evil``: every name that somebody may choose would be a script if it could."""
    served = box.served
    box.add_user("bob", full_name="Bob Babbage")
    bad = EVIL if evil else ""
    _lists(box, bad)
    ask = served.ask
    fields = [
        ("to", "9990"),
        ("tag", f"lab{bad}"[:100]),
        ("cover.subject", f"Findings{bad}"),
        ("cover.to_name", f"Dr. Byron{bad}"),
    ]
    name = f"findings{bad}.tiff".replace("/", "_")
    made = served.form("/faxes", fields, [(name, picture())])
    assert made.status == 201, made.content
    fax = made.json["faxes"][0]["id"]
    served.form("/needs-number", [("tag", f"scan{bad}"[:100])], [("scan.tiff", picture())])
    content = base64.b64encode(picture()).decode()
    call = {"caller": "+49301234", "files": [{"name": "in.tiff", "content": content}]}
    started = ask("POST", "/practice/receive", call)
    assert started.status == 202, started.content
    served.wait(lambda: bool(ask("GET", "/received").json["received"]))
    received = ask("GET", "/received").json["received"][0]["id"]
    served.wait(lambda: ask("GET", f"/received/{received}").json["state"] == "complete")
    served.ended(fax)
    if evil:
        _write_evil(box, fax, received)
    return Furnished(fax, received)


def _lists(box: Web, bad: str) -> None:
    """A phone book and rules; ``bad`` stands in every name that takes it."""
    ask = box.served.ask
    ask("PATCH", "/settings/station", {"name": f"Dr. Lovelace{bad}"[:60], "station_id": "+49 30 1234567"})
    contact = {
        "number": "9991",
        "first_name": "Charles",
        "last_name": f"Babbage{bad}"[:100],
        "company": f"Engines{bad}"[:100],
    }
    for path, entry in (
        ("/contacts", contact),
        ("/groups", {"name": f"Colleagues{bad}"[:100], "contact_ids": [1]}),
        ("/covers", {"name": "ward", "html": _COVER + (_EVIL_COVER if bad else "")}),
        ("/junk-rules", {"name": f"withheld{bad}"[:100], "caller": ["+4999"]}),
        (
            "/routes",
            {"name": f"front desk{bad}"[:100], "dialled": ["+4930"], "last": False, "folder": "/tmp"},
        ),
        ("/keys", {"name": "shop"}),
    ):
        reply = ask("POST", path, entry)
        assert reply.status == 201, reply.content


def _write_evil(box: Web, fax: int, received: int) -> None:
    """What a far machine or a caller may say, and the practice machine does not."""
    spool = box.served.box.spool

    def write(tx: object) -> None:
        db = tx.db  # type: ignore[attr-defined]
        db.execute(
            "UPDATE job SET remote_id = ?, name = ?, company = ? WHERE id = ?", (EVIL, EVIL, EVIL, fax)
        )
        db.execute(
            "UPDATE received SET tsi = ?, caller_name = ?, caller = ?, dialled = ? WHERE id = ?",
            (EVIL, EVIL, EVIL, EVIL, received),
        )

    spool.do(write)
    for kind, what, fax_id in (("received", "rang", received), ("faxes", "sent twice", fax)):
        reply = box.served.ask("POST", f"/{kind}/{fax_id}/notes", {"text": f"{what}{EVIL}"})
        assert reply.status == 201, reply.content
    box.add_user("grace", full_name=f"Grace{EVIL}"[:100])
    box.served.box.outbox.put(
        NewDelivery("email", f"{EVIL}@x.example", {"why": "result"}, (1e6,), not_before=1e12)
    )
    box.served.box.history.audit(EVIL, EVIL, object=EVIL, address=EVIL, detail=EVIL)
