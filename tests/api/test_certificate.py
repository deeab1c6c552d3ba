"""The certificate over the API: made by the box or uploaded; an unusable one changes nothing."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.api import certificate
from appliance.api.certificate import PairError
from appliance.api.tls import make_certificate
from appliance.configuration import open_settings
from appliance.net.settings import HttpSettings
from appliance.settings.store import SettingsStore


@pytest.fixture
def store(tmp_path: Path) -> SettingsStore:
    return open_settings(tmp_path)


def locked(key: str) -> str:
    """The key, behind a password."""
    command = ["openssl", "pkey", "-aes256", "-passout", "pass:secret"]
    return subprocess.run(command, input=key, capture_output=True, text=True, check=True).stdout


def test_a_certificate_that_the_box_makes_has_the_given_names_and_is_self_signed(
    store: SettingsStore, tmp_path: Path
) -> None:
    assert certificate.present(store.section(HttpSettings)) is None
    certificate.make(store, tmp_path, ["fax.example.org", "192.0.2.7"])
    found = certificate.present(store.section(HttpSettings))
    assert found is not None
    assert (found.names, found.own) == (("fax.example.org", "192.0.2.7"), True)
    assert len(found.fingerprint) == 32 * 3 - 1


def test_an_installed_certificate_is_used_and_one_without_its_own_key_changes_nothing(
    store: SettingsStore, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    one = [path.read_text() for path in make_certificate(tmp_path / "elsewhere", ["one.example"])]
    (tmp_path / "other").mkdir()
    other = [path.read_text() for path in make_certificate(tmp_path / "other", ["other.example"])]
    certificate.take(store, tmp_path, *one)
    before = certificate.present(store.section(HttpSettings))
    assert before is not None
    assert before.names == ("one.example",)
    for pair, part in (
        ((one[0], other[1]), "key"),
        (("nonsense", one[1]), "certificate"),
        ((one[1], one[1]), "certificate"),
        ((one[0], ""), "key"),
        ((one[0], locked(one[1])), "key"),
    ):
        with pytest.raises(PairError) as refused:
            certificate.take(store, tmp_path, *pair)
        assert refused.value.part == part
    assert certificate.present(store.section(HttpSettings)) == before
    key = Path(store.section(HttpSettings).tls_key)
    assert key.stat().st_mode & 0o077 == 0, "nobody else reads the key"
    assert sorted(each.name for each in key.parent.iterdir()) == ["given-certificate.pem", "given-key.pem"]
    assert ssl.PEM_cert_to_DER_cert(one[0]) == ssl.PEM_cert_to_DER_cert(
        Path(store.section(HttpSettings).tls_certificate).read_text()
    )


def test_a_certificate_covers_its_names_and_those_that_its_wildcard_matches(
    store: SettingsStore, tmp_path: Path
) -> None:
    certificate.make(store, tmp_path, ["fax.example.org", "192.0.2.7", "2001:db8::7"])
    found = certificate.present(store.section(HttpSettings))
    assert found is not None
    found = replace(found, names=(*found.names, "*.practice.example"))
    for host in ("FAX.example.org", "192.0.2.7", "2001:db8::7", "box.practice.example"):
        assert found.covers(host), host
    for host in ("example.org", "practice.example", "a.box.practice.example", "192.0.2.8", ""):
        assert not found.covers(host), host
