"""An administrator resets a forgotten password."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from appliance.configuration import open_settings
from appliance.settings import secrets
from appliance.settings.accounts import User


def test_a_new_password_given_at_the_box_opens_the_account_without_the_app(tmp_path: Path) -> None:
    store = open_settings(tmp_path)
    user_id = secrets.add_user(store, "ada", "the old password")
    store.update(User, user_id, {"totp_secret": "A" * 32, "recovery_codes": ["x"]})
    command = [sys.executable, "-m", "appliance.cli", "user", "password", "ada", "--no-app", "--data"]
    done = subprocess.run(
        [*command, str(tmp_path)], input="a better one\n", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    again = open_settings(tmp_path)
    found = secrets.find_user(again, "ada", "a better one")
    assert found is not None
    assert (found[1].totp_secret, found[1].recovery_codes) == ("", ())
    assert secrets.find_user(again, "ada", "the old password") is None


def test_a_name_that_is_nobodys_and_a_weak_password_are_refused(tmp_path: Path) -> None:
    secrets.add_user(open_settings(tmp_path), "ada", "the old password")
    for name, password in (("bob", "a good password"), ("ada", "short")):
        done = subprocess.run(
            [sys.executable, "-m", "appliance.cli", "user", "password", name, "--data", str(tmp_path)],
            input=password + "\n",
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 64
        assert done.stderr.startswith("faxbox: ")
