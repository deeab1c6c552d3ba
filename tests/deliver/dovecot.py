"""A real IMAP server (Debian's dovecot-imapd) in a folder of its own, on free ports of loopback."""

from __future__ import annotations

import contextlib
import getpass
import imaplib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import trustme

from tests.ports import free_port

BINARY = shutil.which("dovecot") or "/usr/sbin/dovecot"
PASSWORD = "letter-box"
USER = "fax"

# Of all versions.
_CONFIG = """
protocols = imap
listen = 127.0.0.1
base_dir = {base}/run
state_dir = {base}/state
log_path = {base}/log
default_internal_user = {internal}
default_internal_group = {internal_group}
default_login_user = {login}
first_valid_uid = 1
ssl = yes
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""
# Of Dovecot 2.3 (Debian 12).
_CONFIG_2_3 = """
ssl_cert = <{base}/cert.pem
ssl_key = <{base}/key.pem
disable_plaintext_auth = no
mail_location = maildir:{base}/mail
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={base}/home
}}
"""
# Of Dovecot 2.4 (Debian 13): its first two lines have to be the first.
_CONFIG_2_4 = """dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
ssl_server_cert_file = {base}/cert.pem
ssl_server_key_file = {base}/key.pem
auth_allow_cleartext = yes
mail_driver = maildir
mail_path = {base}/mail
passdb static {{
  password = {password}
}}
userdb static {{
  fields {{
    uid = {uid}
    gid = {gid}
    home = {base}/home
  }}
}}
"""


@dataclass
class LetterBox:
    port: int
    tls_port: int
    base: Path
    authority: trustme.CA = field(default_factory=trustme.CA)

    def put(self, letter: bytes, folder: str = "INBOX") -> None:
        with self._signed_in() as client:
            kind, said = client.append(folder, "", imaplib.Time2Internaldate(time.time()), letter)
            assert kind == "OK", said

    def count(self, folder: str = "INBOX") -> int:
        with self._signed_in() as client:
            kind, data = client.select(folder, readonly=True)
            return int(data[0] or b"0") if kind == "OK" else 0

    def empty(self, folder: str) -> None:
        with self._signed_in() as client:
            kind, data = client.select(folder)
            if kind == "OK" and data[0] != b"0":
                client.store("1:*", "+FLAGS", r"(\Deleted)")
                client.expunge()

    @contextlib.contextmanager
    def _signed_in(self) -> Iterator[imaplib.IMAP4]:
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=60) as client:
            client.login(USER, PASSWORD)
            yield client


@contextlib.contextmanager
def letter_box() -> Iterator[LetterBox]:
    # Not in pytest's folder: sockets have short names.
    base = Path(tempfile.mkdtemp(prefix="dovecot-"))
    process: subprocess.Popen[bytes] | None = None
    try:
        box = LetterBox(free_port(), free_port(), base)
        _configure(box)
        process = subprocess.Popen([BINARY, "-F", "-c", str(base / "dovecot.conf")])
        _wait(box, process)
        yield box
    finally:
        if process is not None:
            process.terminate()
            process.wait(60)
        shutil.rmtree(base, ignore_errors=True)


def _configure(box: LetterBox) -> None:
    root = os.geteuid() == 0
    me = getpass.getuser()
    mail = pwd.getpwnam("nobody") if root else pwd.getpwuid(os.getuid())
    base = box.base
    base.chmod(0o755)
    for name in ("mail", "home", "run", "state"):
        (base / name).mkdir()
        if root and name in ("mail", "home"):
            os.chown(base / name, mail.pw_uid, mail.pw_gid)
    certificate = box.authority.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(base / "key.pem")
    for blob in certificate.cert_chain_pems:
        blob.write_to_path(base / "cert.pem", append=True)
    version = subprocess.run([BINARY, "--version"], capture_output=True, text=True, check=True).stdout
    of_version = _CONFIG_2_3 if version.startswith("2.3.") else _CONFIG_2_4
    (base / "dovecot.conf").write_text(
        (of_version + _CONFIG).format(
            base=base,
            port=box.port,
            tls_port=box.tls_port,
            password=PASSWORD,
            uid=mail.pw_uid,
            gid=mail.pw_gid,
            internal="dovecot" if root else me,
            login="dovenull" if root else me,
            internal_group="dovecot" if root else me,
        )
    )


def _wait(box: LetterBox, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", box.port), 1):
            return
        time.sleep(0.05)
    log = box.base / "log"
    raise AssertionError(f"dovecot did not start: {log.read_text() if log.exists() else process.poll()}")
