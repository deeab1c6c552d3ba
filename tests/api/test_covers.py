"""Cover templates over real HTTP, and the cover page that the far end receives."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from PIL import Image, ImageChops

from appliance.numbers import NumberSettings
from appliance.phonebook import Contact
from appliance.settings.accounts import Scope, User
from appliance.spool.options import Cover
from appliance.station import StationSettings
from appliance.t4.tiff import FaxTiff
from tests.api.served import Served
from tests.api.test_faxes import new, not_made_yet
from tests.documents.reading import says

HTML = (
    "<h1>City Hospital</h1><table><tr><th>To</th><td>{{to_name}}</td></tr>"
    "<tr><th>Company</th><td>{{to_company}}</td></tr><tr><th>Number</th><td>{{to_number}}</td></tr>"
    "<tr><th>From</th><td>{{from_name}} {{from_number}}</td></tr>"
    "<tr><th>Date</th><td>{{date}}</td></tr></table>"
    "<p>{{subject}}</p><p>{{message}}</p><p>{{pages}} pages in all</p>"
)


@contextmanager
def template(served: Served, name: str, html: str = HTML) -> Iterator[int]:
    made = served.ask("POST", "/covers", {"name": name, "html": html})
    assert made.status == 201, made.content
    yield made.json["id"]
    assert served.ask("DELETE", f"/covers/{made.json['id']}").status == 204


def at_far_end(served: Served) -> set[Path]:
    """What the practice machine has received."""
    return set((served.box.data / "practice").glob("9990-*.tif"))


def arrived(served: Served, path: str, body: Any = None, **more: Any) -> list[Image.Image]:
    """The pages that the practice machine got when this request, which makes one fax, was done."""
    before = at_far_end(served)
    made = served.ask("POST", path, body, **more)
    assert made.status == 201, made.content
    fax = made.json["faxes"][0] if "faxes" in made.json else made.json
    done = served.ended(fax["id"])
    assert done["state"] == "delivered", done["result"]
    served.wait(lambda: at_far_end(served) > before)
    (new_one,) = at_far_end(served) - before
    with FaxTiff(new_one) as tiff:
        rasters = [tiff.raster(number) for number in range(len(tiff))]
    return [ImageChops.invert(Image.frombytes("1", (r.width, r.rows), r.data)) for r in rasters]


def picture(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def test_the_far_end_gets_the_template_filled_in_as_page_one(served: Served) -> None:
    with template(served, "ward 3"):
        message = "Dear Ada,\nsee below."
        cover = {"template": "ward 3", "subject": "Results", "message": message, "from_name": "Bob"}
        to = {"number": "9990", "name": "Ada Lovelace", "company": "Engines & Co"}
        pages = arrived(served, "/faxes", new(to, cover=cover, quality="300"))
    assert len(pages) == 2
    assert says(pages[0], "City Hospital")
    for words in ("Ada Lovelace", "Engines & Co", "9990", "Bob", "Results", "see below.", "2 pages in all"):
        assert says(pages[0], words), words
    assert not says(pages[1], "Results")


def test_each_recipient_of_a_group_gets_a_cover_of_their_own(served: Served) -> None:
    store = served.box.settings
    ids = [
        store.add(Contact(number="9990", first_name=name, company=f"{name} Ltd")) for name in ("Ada", "Ben")
    ]
    group = served.ask("POST", "/groups", {"name": "both", "contact_ids": ids}).json["id"]
    with template(served, "each"):
        cover, before = {"template": "each"}, at_far_end(served)
        made = served.ask("POST", "/faxes", new({"group": group}, cover=cover, quality="300")).json["faxes"]
        shown = []
        for fax in made:
            assert served.ended(fax["id"])["state"] == "delivered"
            shown.append(picture(served.ask("GET", f"/faxes/{fax['id']}/pages/1").content))
        served.wait(lambda: len(at_far_end(served) - before) == len(made))
    assert [says(page, "Ada Ltd") for page in shown] == [True, False]
    assert [says(page, "Ben Ltd") for page in shown] == [False, True]


def test_a_user_whose_faxes_have_a_usual_cover_needs_not_name_it(served: Served) -> None:
    box = served.box
    with template(served, "usual") as template_id:
        user_id = box.settings.add(User(name="cora", full_name="Cora Writer", cover="usual"))
        token = served.key("cora-key", Scope.SEND, owner="cora")

        def send(**more: object) -> list[Image.Image]:
            return arrived(served, "/faxes", new("9990", quality="300", **more), token=token)

        first = send()[0]
        assert says(first, "City Hospital")
        assert says(first, "Cora Writer")
        assert says(send(cover={"subject": "About it"})[0], "About it")
        assert len(send(cover=None)) == 1
        last = served.ask("GET", "/faxes?limit=1", token=token).json["faxes"][0]
        again = arrived(served, f"/faxes/{last['id']}/resend", token=token)
        assert len(again) == 1, "what went without a cover goes without it again"
        # A cover that is somebody's usual one stays, under its name.
        for refused in (
            served.ask("DELETE", f"/covers/{template_id}"),
            served.ask("PATCH", f"/covers/{template_id}", {"name": "other"}),
        ):
            assert (refused.status, refused.json["code"]) == (409, "still_needed")
        box.settings.update(User, user_id, {"cover": "standard"})
        own = send()
        assert says(own[0], "Fax")
        assert len(own) == 2
    nobody = served.ask("PATCH", f"/users/{user_id}", {"cover": "usual"})
    assert (nobody.status, nobody.json["code"]) == (422, "cover_template_gone")


def test_ifax_clients_choose_the_template_by_its_id(served: Served) -> None:
    html = "<h1>City Hospital</h1><p>{{subject}} for {{to_name}}</p>"
    with template(served, "by id", html) as template_id:
        fields = {
            "faxNumber": "9990",
            "templateId": template_id,
            "subject": "From there",
            "to_name": "Ada L.",
            "faxData": [{"fileName": "a.txt", "fileData": base64.b64encode(b"A letter").decode()}],
        }
        headers = {"accessToken": served.key("there", Scope.SEND)}
        sent = served.ask("POST", "/customer/fax-send", fields, headers=headers, prefix="/v1")
        assert sent.status == 200, sent.content
        fax_id = sent.json["data"]["jobId"]
        assert served.ended(fax_id)["pages"] == 2
        shown = picture(served.ask("GET", f"/faxes/{fax_id}/pages/1").content)
        preview = served.ask(
            "POST", "/covers/preview", {"template": "by id", "subject": "From there", "to_name": "Ada L."}
        )
    below_header = (0, 80, 1728, 2000)
    assert shown.crop(below_header).tobytes() == picture(preview.content).crop(below_header).tobytes()


def test_a_fax_whose_template_was_deleted_before_its_pages_were_made_fails_with_that_cause(
    served: Served,
) -> None:
    with template(served, "passing"):
        fax_id = not_made_yet(served, cover=Cover(template="passing"))
    served.ask("POST", f"/faxes/{fax_id}/release")
    assert served.ended(fax_id)["result"]["code"] == "cover_template_gone"


def test_the_date_is_that_of_the_senders_time_zone(served: Served) -> None:
    dates = []
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):  # 25 hours apart: never the same day
        served.box.settings.change(StationSettings, {"time_zone": zone})
        dates.append(served.ask("POST", "/covers/preview", {"html": "<p>{{date}}</p>"}).content)
    served.box.settings.change(StationSettings, {"time_zone": ""})
    assert dates[0] != dates[1]


def test_a_preview_is_a_picture_or_a_pdf_of_a_stored_template_or_of_a_draft(served: Served) -> None:
    with template(served, "seen") as template_id:
        stored = served.ask("GET", f"/covers/{template_id}/preview")
        small = served.ask("GET", f"/covers/{template_id}/preview?size=small")
        pdf = served.ask("GET", f"/covers/{template_id}/preview?format=pdf")
        assert (stored.status, stored.headers["Content-Type"]) == (200, "image/png")
        assert picture(stored.content).size[0] == 1728
        assert max(picture(small.content).size) <= 320
        assert pdf.headers["Content-Type"] == "application/pdf"
        assert len(pypdfium2.PdfDocument(pdf.content)) == 1
    draft = {"html": "<p>{{message}}</p>", "message": "a line\n" * 100}
    assert len(pypdfium2.PdfDocument(served.ask("POST", "/covers/preview?format=pdf", draft).content)) == 3
    assert served.ask("POST", "/covers/preview?page=3", draft).status == 200
    assert served.ask("POST", "/covers/preview?page=4", draft).status == 404
    own = served.ask("POST", "/covers/preview", {"template": "standard", "subject": "S"})
    assert own.status == 200
    assert own.content != served.ask("POST", "/covers/preview", {"template": "standard"}).content
    assert served.ask("GET", "/covers/4711/preview").status == 404
    gone = served.ask("POST", "/covers/preview", {"template": "nowhere"})
    assert (gone.json["code"], gone.json["errors"][0]["path"]) == ("cover_template_gone", "template")


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"html": "{{nobody}}"}, "html"),
        ({"html": '<img src="http://169.254.169.254/latest">'}, "html"),
        ({"name": "standard"}, "name"),
        ({"name": "taken"}, "name"),
    ],
)
def test_a_template_that_cannot_be_used_is_not_stored(
    served: Served, change: dict[str, str], path: str
) -> None:
    with template(served, "taken"), template(served, "mine") as template_id:
        for refused in (
            served.ask("POST", "/covers", {"name": "another", **change}),
            served.ask("PATCH", f"/covers/{template_id}", change),
        ):
            assert refused.status in (400, 422)
            assert refused.json["errors"][0]["path"] == path


def test_a_preview_of_an_invalid_template_is_refused_with_the_reason(served: Served) -> None:
    refused = served.ask("POST", "/covers/preview", {"html": "<p>{{nobody}}</p>"})
    assert (refused.status, refused.json["code"]) == (422, "cover_template_wrong")
    assert "nobody" in refused.json["detail"]
    assert served.ask("POST", "/covers/preview", {"html": "<p>fine</p>"}).status == 200


def test_an_unknown_template_is_refused_when_the_fax_is_handed_in(served: Served) -> None:
    refused = served.ask("POST", "/faxes", new("9990", cover={"template": "nowhere"}))
    assert (refused.status, refused.json["code"]) == (422, "cover_template_gone")
    assert refused.json["errors"][0]["path"] == "cover.template"


@pytest.mark.parametrize(("region", "words"), [("AT", "Betreff"), ("GB", "Subject"), ("", "Subject")])
def test_the_box_s_own_cover_is_in_the_language_of_its_country(
    served: Served, region: str, words: str
) -> None:
    before = served.box.settings.section(NumberSettings).region
    served.box.settings.change(NumberSettings, {"region": region})
    try:
        body = new("9990", quality="300", cover={"subject": "Order", "message": "please"})
        pages = arrived(served, "/faxes", body)
    finally:
        served.box.settings.change(NumberSettings, {"region": before})
    assert says(pages[0], words)


@pytest.mark.parametrize(("region", "height_mm"), [("DE", 297.0), ("US", 279.4), ("", 297.0)])
def test_a_cover_page_is_of_the_countrys_paper(served: Served, region: str, height_mm: float) -> None:
    served.box.settings.change(NumberSettings, {"region": region})
    try:
        reply = served.ask("POST", "/covers/preview", {"template": "standard", "subject": "Paper"})
    finally:
        served.box.settings.change(NumberSettings, {"region": ""})
    assert reply.status == 200, reply.content
    rows = Image.open(io.BytesIO(reply.content)).height
    assert abs(rows / 7.7 - height_mm) < 2
