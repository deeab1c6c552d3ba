"""A stop of the box while requests are being handled."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from pathlib import Path

from appliance.net.settings import ApiSettings
from tests.api.served import serving


def test_a_stop_does_not_wait_for_a_document_that_is_being_fetched(tmp_path: Path) -> None:
    """The document's server accepts the connection and never responds; the box would wait for minutes."""
    statuses: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/letter.pdf"
        with serving(tmp_path) as served:
            served.box.settings.change(ApiSettings, {"private_urls": True, "fetch_s": 300.0})

            def hand_in() -> None:
                with_url = {"to": ["9990"], "files": [{"url": url}]}
                try:
                    statuses.append(served.ask("POST", "/faxes", with_url).status)
                except (OSError, http.client.HTTPException):
                    statuses.append(0)

            client = threading.Thread(target=hand_in)
            client.start()
            peer, _ = listener.accept()
            with peer:
                peer.recv(65536)
                begun = time.monotonic()
                served.server.stop()
                took = time.monotonic() - begun
            client.join(30)
    assert statuses == [http.client.SERVICE_UNAVAILABLE]
    assert took < 60
