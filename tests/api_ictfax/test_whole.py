"""Further calls of that system's clients: changes, clones, statistics, accounts, one-step faxes in JSON."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlsplit

import pytest

from appliance.api.foreign import ForeignDoor
from appliance.api.ictfax.objects import ROUTE_PROGRAMS
from appliance.api.ictfax.owned import OwnedList
from appliance.api.ictfax.people import PeopleCalls
from appliance.configuration import open_settings
from appliance.phonebook import Contact
from appliance.settings import secrets
from tests.api_ictfax.client import JSON, Client, sign_in
from tests.api_ifax.running import OWN_NUMBER, PATIENCE_S, USER, RunningBox, small_pdf, until

PDF = base64.b64encode(small_pdf()).decode()


@pytest.fixture(scope="module")
def client(box: RunningBox) -> Client:
    return Client(box, sign_in(box))


@pytest.fixture(scope="module")
def boss(box: RunningBox) -> Client:
    return Client(box, box.admin_key)


# -- changes ---------------------------------------------------------------------------------------


def test_a_programs_name_and_document_are_changed(client: Client) -> None:
    first, second = client.document(), client.document(2)
    program = client.made("/programs/sendfax", {"name": "offer", "document_id": first})
    changed = client.ask("PUT", f"/programs/{program}", {"name": "better", "document_id": second})
    assert (changed.json["name"], changed.json["document_id"]) == ("better", second)
    assert client.get(f"/programs/{program}") == changed.json
    client.error("PUT", f"/programs/{program}", 404, {"document_id": 424242})
    assert client.get(f"/programs/{program}")["document_id"] == second


def test_a_transmission_is_changed_before_it_is_sent_and_goes_where_it_was_changed_to(
    client: Client,
) -> None:
    fax = client.transmission("9991", title="First words", try_allowed=1)
    two_pages = client.made("/programs/sendfax", {"name": "two", "document_id": client.document(2)})
    change = {"title": "Changed words", "phone": "9990", "program_id": two_pages, "try_allowed": 3}
    assert client.ask("PUT", f"/transmissions/{fax}", change).json == fax
    shown = client.get(f"/transmissions/{fax}")
    assert (shown["title"], shown["program_id"], shown["try_allowed"]) == ("Changed words", two_pages, 3)
    for word in ("Changed", "First"):
        found = [each["transmission_id"] for each in client.get(f"/transmissions?title={word}")]
        assert (fax in found) is (word == "Changed")
    client.send(fax)
    assert client.ended(fax) == "completed"
    assert client.get(f"/fax/{fax}")["to"] == "9990"
    assert client.get(f"/fax/{fax}")["pages"] == 2
    assert client.error("PUT", f"/transmissions/{fax}", 423, {"title": "too late"})


def test_a_transmission_taken_back_from_its_schedule_is_changed_too(client: Client) -> None:
    fax = client.transmission("9991")
    assert client.ask("PUT", f"/transmissions/{fax}/schedule", {"delay": 5000}).status == 200
    client.error("PUT", f"/transmissions/{fax}", 423, {"phone": "9990"})
    assert client.ask("DELETE", f"/transmissions/{fax}/schedule").json is True
    assert client.ask("PUT", f"/transmissions/{fax}", {"phone": "9990", "title": "Again"}).json == fax
    assert client.get(f"/transmissions/{fax}")["title"] == "Again"
    client.send(fax)
    assert client.ended(fax) == "completed"


def test_a_clone_waits_for_send_and_leaves_the_first_as_it_is(client: Client) -> None:
    fax = client.transmission()
    client.send(fax)
    assert client.ended(fax) == "completed"
    clone = client.get(f"/transmissions/{fax}/clone")
    assert isinstance(clone, int)
    assert clone != fax
    assert client.status(clone) == "pending"
    client.send(clone)
    assert client.ended(clone) == "completed"
    assert client.status(fax) == "completed"


def test_a_program_names_its_transmissions_in_the_address(client: Client) -> None:
    program = client.made("/programs/sendfax", {"name": "letter", "document_id": client.document()})
    made = client.ask("PUT", f"/programs/{program}/transmissions", {"title": "x", "phone": "9990"})
    assert client.get(f"/transmissions/{made.json}")["program_id"] == program


# -- the installation ------------------------------------------------------------------------------


def test_statistics_count_what_there_is(client: Client, boss: Client) -> None:
    fax = client.transmission()
    before = client.get("/statistics")
    client.send(fax)
    client.ended(fax)
    after = client.get("/statistics")
    assert after["spool_success"] == before["spool_success"] + 1
    assert after["transmission_total"] == before["transmission_total"]
    assert set(after) == {
        *(f"campaign_{word}" for word in ("total", "active")),
        *(f"transmission_{word}" for word in ("total", "active")),
        *(f"spool_{word}" for word in ("total", "success", "failed")),
        "group_total",
        "contact_total",
    }
    assert boss.get("/statistics")["transmission_total"] >= after["transmission_total"]


def test_numbers_providers_and_extensions_are_listed(client: Client) -> None:
    assert OWN_NUMBER in [each["phone"] for each in client.get("/dids")]
    assert client.get("/providers") == []
    assert client.get("/extensions") == []
    client.error("GET", "/providers/1", 404)


def test_an_administrator_makes_accounts(box: RunningBox, client: Client, boss: Client) -> None:
    new = {"username": "grace", "passwd": "a long password of hers", "first_name": "Grace", "phone": "+49301"}
    client.error("POST", "/accounts", 403, new)
    account = boss.made("/accounts", {**new, "last_name": "Hopper", "email": "grace@example.com"})
    shown = boss.get(f"/accounts/{account}")
    assert (shown["first_name"], shown["last_name"], shown["phone"]) == ("Grace", "Hopper", "+49301")
    grace = Client(box, sign_in(box, "grace", "a long password of hers"))
    assert [each["user_id"] for each in grace.get("/users")] == [account]
    assert account in [each["account_id"] for each in boss.get("/accounts")]
    grace.error("GET", f"/users/{client.get('/users')[0]['user_id']}", 404)
    grace.error("PUT", f"/users/{account}", 403, {"phone": "+4930999"})
    changed = boss.ask("PUT", f"/accounts/{account}", {"email": "hopper@example.com"}).json
    assert (changed["email"], changed["first_name"]) == ("hopper@example.com", "Grace")
    assert boss.ask("PUT", f"/users/{account}", {"active": 0}).json["active"] == 0
    grace.error("GET", "/accounts", 401)
    boss.error("POST", "/users", 412, {"first_name": "nameless"})
    boss.error("POST", "/users", 417, {"username": "grace"})
    # Rules of every interface: these would see another's faxes.
    boss.error("POST", "/users", 417, {"username": "Grace"})
    secrets.add_key(open_settings(box.data), "copier")
    boss.error("POST", "/users", 417, {"username": "copier"})


def test_fax_to_email_is_a_route_that_only_an_administrator_makes(client: Client, boss: Client) -> None:
    own = client.get("/users")[0]["user_id"]
    new = {"name": "to ada", "account_id": own, "phone": "+49 30 777", "email": "ada@example.com"}
    client.error("POST", "/programs/faxtoemail", 403, new)
    program = boss.made("/programs/faxtoemail", new)
    assert program > ROUTE_PROGRAMS
    shown = boss.get(f"/programs/{program}")
    assert (shown["type"], shown["phone"], shown["account_id"]) == ("faxtoemail", "+4930777", own)
    assert program in [each["program_id"] for each in boss.get("/programs")]
    assert program not in [each["program_id"] for each in client.get("/programs")]
    client.error("GET", f"/programs/{program}", 404)
    client.error("DELETE", f"/programs/{program}", 404)
    assert boss.ask("DELETE", f"/programs/{program}").json is True
    boss.error("POST", "/programs/faxtoemail", 412, {"account_id": own})


# -- one step --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "file",
    [
        {"file": PDF, "file_name": "letter.pdf"},
        {"file": f"data:application/pdf;base64,{PDF}"},
        {"file": {"name": "letter.pdf", "content": PDF, "type": "application/pdf"}},
        {"files": [{"filename": "letter.pdf", "data": PDF}]},
    ],
)
def test_one_step_takes_json_with_the_file_in_base64(client: Client, file: dict[str, Any]) -> None:
    reply = client.ask("POST", "/fax/send", {"to": "9990", "from": OWN_NUMBER, **file})
    assert reply.status == 200, reply
    fax = reply.json["job_id"]
    until(lambda: client.get(f"/fax/{fax}")["status"] == "sent")


def test_json_without_a_length_is_taken_in_chunks(box: RunningBox, client: Client) -> None:
    parts = urlsplit(box.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE_S)

    def pieces() -> Iterator[bytes]:
        whole = json.dumps({"to": "9990", "file": PDF}).encode()
        for start in range(0, len(whole), 100):
            yield whole[start : start + 100]

    headers = {"Authorization": f"Bearer {client.token}", "Content-Type": JSON}
    connection.request("POST", "/ictfax/api/fax/send", pieces(), headers, encode_chunked=True)
    answer = connection.getresponse()
    assert answer.status == 200
    assert json.loads(answer.read())["status"] == "queued"
    connection.close()


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"to": "9990"}, 411),
        ({"file": PDF}, 412),
        ({"to": "9990", "file": "no base64 !"}, 400),
        ({"to": "9990", "file": 7}, 400),
        ({"to": "9990", "file": {"name": "letter.pdf"}}, 400),
        ({"to": "9990", "files": [PDF] * 21}, 417),
        ({"to": "9990", "file": base64.b64encode(b"Hello").decode(), "file_name": "letter.pdf"}, 415),
    ],
)
def test_one_step_json_that_cannot_be_sent_leaves_nothing(
    box: RunningBox, client: Client, fields: dict[str, Any], status: int
) -> None:
    before = sorted((box.data / "documents").rglob("*"))
    client.error("POST", "/fax/send", status, fields)
    assert sorted((box.data / "documents").rglob("*")) == before


# -- broadcasts ------------------------------------------------------------------------------------


def _group(client: Client, *numbers: str) -> int:
    group = client.made("/groups", {"name": "customers", "description": "of the spring"})
    for number in numbers:
        contact = client.made("/contacts", {"first_name": f"Customer {number}", "phone": number})
        assert client.ask("PUT", f"/contacts/{contact}/link/{group}").status == 200
    return group


def test_contacts_added_to_a_group_at_once_are_all_in_it(client: Client) -> None:
    group = client.made("/groups", {"name": "all at once"})
    contacts = [client.made("/contacts", {"phone": "9990", "first_name": f"at once {n}"}) for n in range(12)]
    with ThreadPoolExecutor(12) as threads:
        list(threads.map(lambda contact: client.ask("PUT", f"/contacts/{contact}/link/{group}"), contacts))
    assert {each["contact_id"] for each in client.get(f"/groups/{group}/contacts")} == set(contacts)


def test_equal_contacts_made_at_once_are_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both = threading.Barrier(2)

    def meet(*_: object) -> None:
        """Lets both requests come this far before one goes on, unless only one may."""
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(1)

    monkeypatch.setattr(OwnedList, "require_fewer", meet)
    settings = open_settings(tmp_path)
    people = PeopleCalls(cast(ForeignDoor, SimpleNamespace(box=SimpleNamespace(settings=settings))))
    contact = Contact(number="9990", first_name="Equal")
    with ThreadPoolExecutor(2) as threads:
        made = set(threads.map(lambda _: people.keep(contact), range(2)))
    assert set(settings.items(Contact)) == made
    assert len(made) == 1


def test_contacts_are_added_to_and_taken_out_of_a_group(client: Client) -> None:
    group = _group(client, "9990", "9995")
    members = client.get(f"/groups/{group}/contacts")
    assert [each["phone"] for each in members] == ["9990", "9995"]
    assert client.ask("PUT", f"/groups/{group}", {"name": "friends"}).json["name"] == "friends"
    assert client.ask("DELETE", f"/contacts/{members[0]['contact_id']}/link/{group}").status == 200
    assert client.get(f"/groups/{group}")["contact_total"] == 1
    assert group in [each["group_id"] for each in client.get("/groups")]
    assert client.ask("DELETE", f"/groups/{group}").json is True
    client.error("GET", f"/groups/{group}", 404)
    assert client.get(f"/contacts/{members[0]['contact_id']}")["phone"] == "9990"


CSV = "text/csv"


def test_a_group_comes_from_a_csv_file_in_one_step_and_goes_into_one(client: Client) -> None:
    group = _group(client)
    rows = '"+4930123456","Ada","Byron","ada@example.com","1 Road","","","","of the spring"\n"9995","Bob"\n\n'
    taken = client.ask("POST", f"/groups/{group}/csv", body=rows.encode(), kind=CSV)
    assert (taken.status, taken.json) == (200, 2)
    first, second = client.get(f"/groups/{group}/contacts")
    assert (first["phone"], first["first_name"], first["last_name"]) == ("+4930123456", "Ada", "Byron")
    assert (first["email"], first["description"]) == ("ada@example.com", "of the spring")
    assert (second["phone"], second["first_name"]) == ("9995", "Bob")
    file = client.ask("GET", f"/groups/{group}/csv").body
    assert file.splitlines()[1] == b"9995,Bob,,,,,,,"
    # What was given out is taken back, and nobody is there twice.
    assert client.ask("PUT", f"/groups/{group}/csv", body=file, kind=CSV).json == 2
    assert client.get(f"/groups/{group}")["contact_total"] == 2
    sample = client.ask("GET", "/groups/sample/csv").body
    assert client.ask("POST", f"/groups/{group}/csv", body=sample, kind=CSV).json == 1


def test_a_csv_file_may_name_its_columns_in_an_order_of_its_own(client: Client) -> None:
    group = _group(client)
    rows = b"First_Name,Phone\nAda,9990\n"
    assert client.ask("POST", f"/groups/{group}/csv", body=rows, kind="text/plain").json == 1
    (member,) = client.get(f"/groups/{group}/contacts")
    assert (member["phone"], member["first_name"]) == ("9990", "Ada")


@pytest.mark.parametrize(
    ("content", "kind", "status", "words"),
    [
        (b"", CSV, 411, "no contact"),
        (b"9990\n", "application/pdf", 415, "text/csv"),
        (b"9990,Ada\n,Bob\n", CSV, 417, "line 2"),
        (b"9990," + b"x" * 101, CSV, 417, "line 1"),
        (b"9990," + b"x" * 200_000, CSV, 417, "line 1"),
        (b"9990,\x00\n", CSV, 417, "line 1"),
    ],
    ids=["empty", "no table", "no number", "too long", "far too long", "nothing that can be shown"],
)
def test_a_csv_file_that_is_wrong_is_refused_as_a_whole(
    client: Client, content: bytes, kind: str, status: int, words: str
) -> None:
    group = _group(client)
    error = client.error("POST", f"/groups/{group}/csv", status, body=content, kind=kind)
    assert words in error["message"]
    assert client.get(f"/groups/{group}/contacts") == []


def test_a_cell_that_a_spreadsheet_would_run_comes_back_as_it_was(client: Client) -> None:
    group = _group(client)
    given = "9990,=1+1\n9991,＝1+1\n".encode()
    assert client.ask("POST", f"/groups/{group}/csv", body=given, kind=CSV).json == 2
    file = client.ask("GET", f"/groups/{group}/csv").body
    assert [line.split(",")[:2] for line in file.decode().split()] == [
        ["9990", "'=1+1"],
        ["9991", "'＝1+1"],
    ]
    assert client.ask("POST", f"/groups/{group}/csv", body=file, kind=CSV).json == 2
    assert [each["first_name"] for each in client.get(f"/groups/{group}/contacts")] == ["=1+1", "＝1+1"]


def test_a_campaign_sends_to_each_of_the_group_once_however_often_it_is_started(client: Client) -> None:
    group = _group(client, "9990", "9995", "9991", "99 90")  # the last is the first in another form
    program = client.made("/programs/sendfax", {"name": "news", "document_id": client.document()})
    new = {"program_id": str(program), "group_id": str(group), "cpm": 10, "try_allowed": 1}
    campaign = client.made("/campaigns", new)
    assert client.get(f"/campaigns/{campaign}")["status"] == "active"
    for _ in range(2):
        assert client.ask("PUT", f"/campaigns/{campaign}/start").json is True

    def ended() -> Any:
        shown = client.get(f"/campaigns/{campaign}")
        return shown["status"] == "completed" and shown

    shown = until(ended)
    # 9991 is busy; whoever got it does not get it again.
    assert (shown["contact_total"], shown["contact_sent"]) == (3, 2)
    assert client.ask("PUT", f"/campaigns/{campaign}/start").json is True
    shown = until(ended)
    assert (shown["contact_total"], shown["contact_sent"]) == (4, 2)
    titles = client.get("/transmissions?title=news+to+customers")
    assert sorted(each["contact"]["phone"] for each in titles) == ["9990", "9991", "9991", "9995"]


def test_a_campaign_started_by_many_at_once_is_sent_once(client: Client) -> None:
    from concurrent.futures import ThreadPoolExecutor

    group = _group(client, "9990", "9995")
    program = client.made("/programs/sendfax", {"name": "many", "document_id": client.document()})
    campaign = client.made("/campaigns", {"program_id": program, "group_id": group})
    with ThreadPoolExecutor(6) as starters:
        replies = starters.map(lambda _: client.ask("PUT", f"/campaigns/{campaign}/start"), range(6))
    assert [reply.status for reply in replies] == [200] * 6
    assert client.get(f"/campaigns/{campaign}")["contact_total"] == 2
    assert len(client.get("/transmissions?title=many+to+customers")) == 2


def test_a_campaign_scheduled_for_later_is_stopped_and_deleted(client: Client) -> None:
    group = _group(client, "9990")
    program = client.made("/programs/sendfax", {"name": "later", "document_id": client.document()})
    campaign = client.made("/campaigns", {"program_id": program, "group_id": group})
    assert client.ask("POST", f"/campaigns/{campaign}/start/schedule", {"delay": 5000}).json == campaign
    assert client.get(f"/campaigns/{campaign}/status") == "running"
    assert client.ask("PUT", f"/campaigns/{campaign}/stop").json is True
    assert client.get(f"/campaigns/{campaign}")["status"] == "stopped"
    assert client.ask("DELETE", f"/campaigns/{campaign}").json is True
    client.error("GET", f"/campaigns/{campaign}", 404)


def test_a_campaign_without_a_group_or_with_an_empty_one_is_refused(client: Client) -> None:
    program = client.made("/programs/sendfax", {"name": "x", "document_id": client.document()})
    client.error("POST", "/campaigns", 412, {"program_id": program})
    client.error("POST", "/campaigns", 404, {"program_id": program, "group_id": 424242})
    empty = client.made("/campaigns", {"program_id": program, "group_id": _group(client)})
    client.error("PUT", f"/campaigns/{empty}/start", 417)


def test_groups_and_campaigns_of_others_are_not_there(client: Client, box: RunningBox) -> None:
    group = _group(client, "9990")
    program = client.made("/programs/sendfax", {"name": "x", "document_id": client.document()})
    campaign = client.made("/campaigns", {"program_id": program, "group_id": group})
    other = Client(box, box.key)
    for method, path in (
        ("GET", f"/groups/{group}"),
        ("PUT", f"/groups/{group}"),
        ("DELETE", f"/groups/{group}"),
        ("GET", f"/groups/{group}/contacts"),
        ("GET", f"/campaigns/{campaign}"),
        ("PUT", f"/campaigns/{campaign}"),
        ("PUT", f"/campaigns/{campaign}/start"),
        ("PUT", f"/campaigns/{campaign}/stop"),
        ("DELETE", f"/campaigns/{campaign}"),
    ):
        other.error(method, path, 404, {"name": "mine now"} if method == "PUT" else None)
    assert client.get(f"/campaigns/{campaign}")["status"] == "active"
    assert USER in [each["username"] for each in client.get("/users")]


@pytest.mark.parametrize("phone", ["12 or so", "112", "+"])
def test_a_contact_is_refused_by_the_same_rule_as_at_every_door(client: Client, phone: str) -> None:
    made = client.ask("POST", "/contacts", {"phone": phone})
    assert (made.status, "phone" in made.body.decode()) == (417, True)
    contact = client.ask("POST", "/contacts", {"phone": "9990"}).json
    assert client.ask("PUT", f"/contacts/{contact}", {"phone": phone}).status == 417
    assert client.ask("PUT", f"/contacts/{contact}", {"first_name": "Ann"}).status == 200
    group = client.ask("POST", "/groups", {"name": "those who cannot be dialled"}).json
    refused = client.ask("POST", f"/groups/{group}/csv", body=f"9990\n{phone}\n".encode(), kind=CSV)
    assert refused.status == 417
    assert client.ask("GET", f"/groups/{group}/contacts").json == []
