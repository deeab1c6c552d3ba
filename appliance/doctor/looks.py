"""All checks: of the data folder, the machine, and the running box."""

from __future__ import annotations

import time
from pathlib import Path

from appliance.doctor import data, machine, running
from appliance.doctor.findings import Look
from appliance.net.settings import HttpSettings
from appliance.panel.settings import PanelSettings
from appliance.settings.secrets import SecretSettings
from appliance.settings.store import SettingsStore
from appliance.spool.settings import StorageSettings


def looks(folder: Path, store: SettingsStore, box: running.Running | str) -> list[tuple[str, Look]]:
    """All checks, each with its part.  ``box``: the running box, or a sentence when none runs."""
    return [
        ("clock", lambda: machine.clock(folder, time.time())),
        ("disk", lambda: machine.disk(folder, store.section(StorageSettings))),
        ("card", machine.wear),
        ("memory", machine.memory),
        ("temperature", machine.temperature),
        ("power", machine.power),
        ("data", lambda: data.permissions(folder)),
        ("index", lambda: data.index(folder, store.section(SecretSettings).spool_id)),
        ("files", lambda: data.files(folder)),
        ("settings", lambda: data.settings(store)),
        ("certificate", lambda: data.certificate(store.section(HttpSettings))),
        ("modem", lambda: data.ports(store)),
        ("names", lambda: data.names(store)),
        ("nat", lambda: data.nat(store)),
        *_looks_at_running(box),
        ("panel", lambda: machine.gpio(store.section(PanelSettings))),
        ("panel", lambda: machine.display(store.section(PanelSettings))),
        ("printing", machine.printing),
        ("documents", machine.helpers),
        ("barcodes", machine.codes),
        ("updates", machine.updates),
    ]


def _looks_at_running(box: running.Running | str) -> list[tuple[str, Look]]:
    if isinstance(box, str):
        return [("box", lambda: running.missing(box))]
    return [
        ("box", lambda: running.health(box)),
        ("clock", lambda: running.clock(box)),
        ("line", lambda: running.lines(box)),
        ("mail", lambda: running.mail(box)),
        ("mail", lambda: running.outgoing_mail(box)),
    ]
