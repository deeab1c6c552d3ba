"""No spelling of a forbidden number passes any door of a real box."""

from __future__ import annotations

import base64
import contextlib
import json
import smtplib
import subprocess
import sys
import time
from email.message import EmailMessage
from http.client import HTTPConnection
from pathlib import Path

import pytest

from appliance.configuration import open_settings
from appliance.ipp import codec
from appliance.settings import secrets
from appliance.settings.accounts import User, UserRole
from bench.running import Client, running
from tests.api_ipp.requests import request, to
from tests.ports import free_port

PASSWORD = "correct horse battery"
TEXT = base64.b64encode(b"hello").decode()
# Premium, once premium, enquiries, emergency; as people and programs write them.
SPELLINGS = (
    "0900 1234567",
    "0 0900 1234567",
    "+49 (0) 900 1234567",
    "0049-900-1234567",
    "09001234567,,1",
    "\uff10\uff19\uff10\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17",
    "tel:+49-900-1234567",
    "0900/1234567;ext=5",
    "*31#09001234567",
    "0190123456",
    "11833",
    "112",
    "+49112",
    "0900FAXSPAM",
    "\u0660\u0669\u0660\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667",
)
NEVER = {"number_not_allowed", "number_invalid", "number_emergency"}
HANGS_S = 120.0


class Doors:
    """Hands a fax in at each door; True where the door said that it took one."""

    def __init__(self, data: Path, port: int, token: str, mail_port: int) -> None:
        self._data, self._port, self._token, self._mail_port = data, port, token, mail_port
        self._client = Client(port, token)

    def rest(self, number: str) -> bool:
        body = {"to": [number], "files": [{"name": "a.txt", "content": TEXT}]}
        reply = self._client.ask("POST", "/faxes", body)
        assert reply.status in (201, 422), reply
        assert reply.status == 201 or reply.json["code"] in NEVER
        return reply.status == 201

    def form(self, number: str) -> bool:
        return self._client.send(number, "a.txt", b"hello").status == 201

    def ifax(self, number: str) -> bool:
        body = {"faxNumber": number, "faxData": [{"fileName": "a.txt", "fileData": TEXT}]}
        headers = {"Content-Type": "application/json", "accessToken": self._token}
        return self._post("/v1/customer/fax-send", json.dumps(body).encode(), headers)[0] == 200

    def contact(self, number: str) -> bool:
        """A contact may have any number; a fax to it may not."""
        made = self._client.ask("POST", "/contacts", {"number": number, "first_name": "x"})
        if made.status != 201:
            return False
        body = {"to": [{"contact": made.json["id"]}], "files": [{"name": "a.txt", "content": TEXT}]}
        return self._client.ask("POST", "/faxes", body).status == 201

    def resend(self, number: str) -> bool:
        """A fax that there is, to another number."""
        first = self._client.ask("GET", "/faxes?limit=1").json["faxes"][0]["id"]
        return self._client.ask("POST", f"/faxes/{first}/resend", {"number": number}).status == 201

    def group(self, number: str) -> bool:
        """By way of a group; its contact may have any number."""
        contact = self._client.ask("POST", "/contacts", {"number": number, "first_name": "x"})
        if contact.status != 201:
            return False
        name = f"group {contact.json['id']}"
        ids = {"name": name, "contact_ids": [contact.json["id"]]}
        group = self._client.ask("POST", "/groups", ids).json["id"]
        body = {"to": [{"group": group}], "files": [{"name": "a.txt", "content": TEXT}]}
        return self._client.ask("POST", "/faxes", body).status == 201

    def ictfax(self, number: str) -> bool:
        body = {"to": number, "file_name": "a.txt", "file": TEXT}
        return self._post("/ictfax/api/fax/send", json.dumps(body).encode(), self._as_ada())[0] == 200

    def ictfax_steps(self, number: str) -> bool:
        """The calls of that style one after the other; each may refuse."""
        as_ada = self._as_ada()
        document = self._post("/ictfax/api/documents", b'{"name": "x"}', as_ada)[1].decode()
        media = as_ada | {"Content-Type": "text/plain"}
        self._post(f"/ictfax/api/documents/{document}/media", b"hello", media)
        given = json.dumps({"name": "x", "document_id": int(document)}).encode()
        program = int(self._post("/ictfax/api/programs/sendfax", given, as_ada)[1])
        order = json.dumps({"program_id": program, "phone": number}).encode()
        status, said = self._post("/ictfax/api/transmissions", order, as_ada)
        if status != 200:
            return False
        return self._post(f"/ictfax/api/transmissions/{said.decode()}/send", b"", as_ada)[0] == 200

    def _as_ada(self) -> dict[str, str]:
        given = json.dumps({"username": "ada", "password": PASSWORD}).encode()
        kind = {"Content-Type": "application/json"}
        token = json.loads(self._post("/ictfax/api/authenticate", given, kind)[1])["token"]
        return kind | {"Authorization": f"Bearer {token}"}

    def e_mail(self, number: str) -> bool:
        message = EmailMessage()
        message["From"], message["Subject"] = "ada@office.example", number.encode("ascii", "replace").decode()
        message.set_content("hello")
        try:
            with smtplib.SMTP("127.0.0.1", self._mail_port, timeout=HANGS_S) as smtp:
                address = f'"{number.replace(" ", "")}"@fax.box'
                smtp.sendmail("ada@office.example", [address], message.as_bytes())
        except (smtplib.SMTPException, UnicodeEncodeError):
            return False
        return True

    def ipp(self, number: str) -> None:
        """Says yes to each print, which then waits for a person or fails."""
        asked = request(0x0002, to(f"tel:{number}"), job_name=codec.name("x"))  # Print-Job
        basic = base64.b64encode(f"ada:{PASSWORD}".encode()).decode()
        headers = {"Content-Type": "application/ipp", "Authorization": f"Basic {basic}"}
        assert self._post("/ipp/faxout", asked + b"hello", headers)[0] == 200

    def command(self, number: str) -> bool:
        words = ["send", "--data", str(self._data), "--no-wait", "--to", number, "/etc/hostname"]
        ran = subprocess.run(
            [sys.executable, "-m", "appliance.cli", *words], capture_output=True, timeout=HANGS_S, check=False
        )
        return ran.returncode == 0

    def _post(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        with contextlib.closing(HTTPConnection("127.0.0.1", self._port, timeout=HANGS_S)) as connection:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()


@pytest.mark.timeout(600)
def test_no_spelling_of_what_is_not_dialled_gets_past_any_door(tmp_path: Path) -> None:
    data, mail_port = tmp_path / "box", free_port()
    data.mkdir()
    store = open_settings(data)
    secrets.add_user(store, "ada", PASSWORD, role=UserRole.ADMIN)
    (ada,) = store.items(User)
    store.update(User, ada, {"email": "ada@office.example"})
    settings = {
        "numbers.region": "DE",
        "ipp.access": "users",
        "mail_in.listen": "true",
        "mail_in.listen_bind": "127.0.0.1",
        "mail_in.listen_port": str(mail_port),
        "mail_in.networks": "127.0.0.0/8",
    }
    with running(data, settings) as box:
        doors = Doors(data, box.port, box.token, mail_port)
        foreign = (doors.ifax, doors.ictfax, doors.ictfax_steps)
        each = (doors.rest, doors.form, doors.contact, doors.group, doors.resend, *foreign, doors.e_mail)
        for door in (*each, doors.command):
            assert door("030 1234567"), f"{door.__name__} takes what may be dialled"
        client = box.client()
        taken = max(fax["id"] for fax in client.ask("GET", "/faxes?limit=100").json["faxes"])
        for number in SPELLINGS:
            assert [door.__name__ for door in each if door(number)] == [], number
            doors.ipp(number)
        assert not doors.command(SPELLINGS[1])
        end = time.monotonic() + HANGS_S
        while client.metric("faxbox_jobs", state="preparing"):
            assert time.monotonic() < end
            time.sleep(0.2)
        printed = [fax for fax in client.ask("GET", "/faxes?limit=100").json["faxes"] if fax["id"] > taken]
        assert len(printed) >= len(SPELLINGS) - 1
        for fax in printed:
            code = fax["result"]["code"] if fax["result"] else ""
            assert fax["state"] == "needs_number" or code in NEVER, fax
        client.close()
