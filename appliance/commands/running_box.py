"""A client of the REST API of a box on this machine, for programs that can read its data folder."""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import shutil
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from appliance.causes import in_words
from appliance.daemon.arguments import EXIT_UNUSABLE, complain, data_folder
from appliance.net import own_address
from appliance.net.own_address import SERVER_NAME
from appliance.settings.files import SettingsDamagedError
from appliance.settings.secrets import SecretSettings
from appliance.settings.store import SettingsStore
from appliance.settings.tickets import issue_local_ticket

# Lifetime of a ticket, seconds: longer than a command of the command line takes.
TICKET_S = 3600.0
ANSWER_S = 30.0
# What reading raises when the far end is no server of HTTP, or breaks off.
_BROKEN = (OSError, http.client.HTTPException)
_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME, x509_vfy.h
SAVE_S = 3600.0  # limit for an answer that the box may need long to make


class BoxUnreachableError(Exception):
    """No box answers for this folder; the message is for the person at the keyboard."""


class BoxRefusedError(Exception):
    """The box answered with a problem; the message is its sentence and advice."""


# Exit codes of commands that talk to it: done; the box said no; no box runs.
DONE, REFUSED, NO_BOX = 0, 1, 3


class RunningBox:
    """The box that runs on folder ``data``.  Raises BoxUnreachableError when none runs.

    ``store``: its settings, if they are open already.
    """

    def __init__(self, data: Path, store: SettingsStore | None = None) -> None:
        address = own_address.read(data)
        settings = store or _settings(data)
        if address is None or not settings.section(SecretSettings).session_key:
            raise BoxUnreachableError(f"no box is running on {data}")
        self.url = address.url
        self._host, self._port = address.host, address.port
        self._tls = _only(address.certificate) if address.is_encrypted else None
        self._ticket = issue_local_ticket(settings, time.time(), TICKET_S)

    def get(self, path: str) -> Any:
        """The JSON at ``path`` below /api/v1."""
        return json.loads(self.read(path))

    def read(self, path: str) -> bytes:
        """The octets at ``path`` below /api/v1."""
        return self._exchange("GET", path, b"", {})

    def post(self, path: str, content: dict[str, Any]) -> Any:
        """Posts JSON to ``path``; returns the JSON of the answer."""
        kind = {"Content-Type": "application/json"}
        return json.loads(self._exchange("POST", path, json.dumps(content).encode(), kind))

    def delete(self, path: str) -> None:
        """Deletes what is at ``path``."""
        self._exchange("DELETE", path, b"", {})

    def save(self, path: str, content: dict[str, Any], target: BinaryIO) -> None:
        """Posts JSON to ``path`` and writes the answer to ``target``.  Raises OSError of ``target``."""
        kind = {"Content-Type": "application/json"}
        connection, answer = self._ask("POST", path, json.dumps(content).encode(), kind, SAVE_S)
        try:
            shutil.copyfileobj(answer, target)
        except http.client.HTTPException as error:
            raise self._silent(error) from error
        finally:
            connection.close()

    def events(self) -> Iterator[dict[str, Any]]:
        """The box's events from this call on, until the box stops."""
        connection, answer = self._ask("GET", "/events", b"", {}, None)
        return self._lines(connection, answer)

    def _lines(
        self, connection: http.client.HTTPConnection, answer: http.client.HTTPResponse
    ) -> Iterator[dict[str, Any]]:
        try:
            for line in answer:
                if line.startswith(b"data: "):
                    yield json.loads(line.removeprefix(b"data: "))
        except http.client.HTTPException as error:
            raise ConnectionError(str(error)) from error
        finally:
            connection.close()

    def _exchange(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> bytes:
        connection, answer = self._ask(method, path, body, headers, ANSWER_S)
        try:
            return answer.read()
        except _BROKEN as error:
            raise self._silent(error) from error
        finally:
            connection.close()

    def _ask(
        self, method: str, path: str, body: bytes, headers: dict[str, str], timeout_s: float | None
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        if self._tls is None:
            connection = http.client.HTTPConnection(self._host, self._port, timeout=timeout_s)
        else:
            connection = http.client.HTTPSConnection(
                self._host, self._port, timeout=timeout_s, context=self._tls
            )
        headers = {"Authorization": f"Bearer {self._ticket}", **headers}
        try:
            connection.request(method, f"/api/v1{path}", body or None, headers)
            answer = connection.getresponse()
            if (
                answer.getheader("Server") != SERVER_NAME
            ):  # the box died, and its port is another program's now
                raise BoxUnreachableError(f"at {self.url} answers another program, and not the box")
            if answer.status >= http.client.BAD_REQUEST:
                raise BoxRefusedError(_sentence(answer.read().decode("utf-8", "replace")))
        except _BROKEN as error:
            connection.close()
            raise self._silent(error) from error
        except (BoxUnreachableError, BoxRefusedError):
            connection.close()
            raise
        return connection, answer

    def _silent(self, error: Exception) -> BoxUnreachableError:
        return BoxUnreachableError(f"the box at {self.url} does not answer: {str(error).strip()}")


def line_of(box: RunningBox, name: str) -> dict[str, Any] | None:
    """The state of the box's line of this name; None when it does not run it."""
    return next((each for each in box.get("/lines")["lines"] if each["name"] == name), None)


def upload(name: str, content: bytes) -> dict[str, Any]:
    """A file in a request to the box."""
    return {"name": name, "content": base64.b64encode(content).decode()}


def with_box(act: Callable[[RunningBox, argparse.Namespace], None], arguments: argparse.Namespace) -> int:
    """Lets ``act`` talk to the box that runs on the command's folder; the exit code."""
    try:
        act(RunningBox(data_folder(arguments)), arguments)
    except BoxUnreachableError as error:
        return complain(f"{error}; start it with: faxbox serve", NO_BOX)
    except BoxRefusedError as error:
        return complain(str(error), REFUSED)
    except BrokenPipeError:
        raise  # nobody reads the output any more: ``cli`` knows what to do
    except (OSError, SettingsDamagedError) as error:
        return complain(str(error), EXIT_UNUSABLE)
    return DONE


def _settings(data: Path) -> SettingsStore:
    from appliance.configuration import open_settings  # noqa: PLC0415 (every package with settings)

    return open_settings(data)


def _only(certificate: str) -> ssl.SSLContext:
    """A context that trusts only this certificate, whatever its issuer, names and dates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME
    try:
        context.load_verify_locations(certificate)
    except OSError as error:
        raise BoxUnreachableError(f"the box's certificate {certificate} cannot be read: {error}") from None
    return context


def _sentence(problem: str) -> str:
    try:
        told = json.loads(problem)
        return in_words(str(told["title"]), str(told.get("detail", "")), str(told.get("advice", "")))
    except (ValueError, TypeError, AttributeError, KeyError):
        return problem
