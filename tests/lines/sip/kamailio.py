"""A real registrar and proxy on loopback: kamailio with digest authentication, UDP, TCP and TLS."""

from __future__ import annotations

import asyncio
import glob
import shutil
import subprocess
from pathlib import Path

from tests.ports import free_port

KAMAILIO = shutil.which("kamailio")
_MODULES = glob.glob("/usr/lib/*/kamailio/modules/")
HAS_TLS = any(Path(folder, "tls.so").exists() for folder in _MODULES)

USER, PASSWORD = "box", "secret"

_CONFIG = """
debug=2
log_stderror=yes
fork=yes
children=1
tcp_children=2
auto_aliases=no
disable_tcp=no
{tls}
listen=udp:127.0.0.1:{udp}
listen=tcp:127.0.0.1:{udp}
mpath="{modules}"
loadmodule "pv.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "maxfwd.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "auth.so"
loadmodule "stun.so"
{tls_module}
modparam("usrloc", "db_mode", 0)
modparam("rr", "enable_full_lr", 1)

request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (has_totag()) {{
        if (loose_route()) {{ t_relay(); exit; }}
        if (is_method("ACK")) {{ if (t_check_trans()) t_relay(); exit; }}
        sl_send_reply("404", "Not here");
        exit;
    }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) t_relay(); exit; }}
    t_check_trans();
    if (is_method("REGISTER")) {{
        if (!pv_www_authenticate("127.0.0.1", "{password}", "0")) {{
            www_challenge("127.0.0.1", "1");
            exit;
        }}
        save("location");
        exit;
    }}
    record_route();
    # The outside world calls in.
    if ($sp == {calling}) {{
        if (!lookup("location")) {{ sl_send_reply("404", "Not Found"); exit; }}
        t_relay();
        exit;
    }}
    if (!pv_proxy_authenticate("127.0.0.1", "{password}", "0")) {{
        proxy_challenge("127.0.0.1", "1");
        exit;
    }}
    consume_credentials();
    $du = "sip:127.0.0.1:{outside}";
    t_relay();
}}
"""


def make_certificate(certificate: Path, key: Path) -> None:
    """Makes files with a certificate for 127.0.0.1 that nobody else vouches for, and its key."""
    words = (
        "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    )
    command = ["openssl", *words.split(), "-keyout", key, "-out", certificate]
    subprocess.run(command, check=True, capture_output=True)


class Kamailio:
    """One kamailio in a folder of its own; the far end is called at ``outside``, calls from ``calling``."""

    def __init__(self, folder: Path, *, tls: bool = False) -> None:
        self.port, self.tls_port, self.outside, self.calling = (free_port() for _ in range(4))
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self.certificate = folder / "proxy.pem"
        if tls:
            make_certificate(self.certificate, folder / "proxy.key")
        listen = f"enable_tls=yes\nlisten=tls:127.0.0.1:{self.tls_port}" if tls else ""
        module = (
            f'loadmodule "tls.so"\nmodparam("tls", "certificate", "{self.certificate}")\n'
            f'modparam("tls", "private_key", "{folder}/proxy.key")\nmodparam("tls", "tls_method", "TLSv1.2+")'
        )
        config = _CONFIG.format(
            udp=self.port,
            outside=self.outside,
            calling=self.calling,
            password=PASSWORD,
            modules=_MODULES[0],
            tls=listen,
            tls_module=module if tls else "",
        )
        (folder / "kamailio.cfg").write_text(config)

    async def start(self) -> None:
        assert KAMAILIO is not None
        log = (self._folder / "kamailio.log").open("wb")
        self._process = await asyncio.create_subprocess_exec(
            KAMAILIO,
            "-DD",
            "-E",
            "-m",
            "32",
            "-M",
            "8",
            "-f",
            str(self._folder / "kamailio.cfg"),
            "-P",
            str(self._folder / "kamailio.pid"),
            "-Y",
            str(self._folder),
            stdout=log,
            stderr=log,
        )
        log.close()
        for _ in range(600):
            await asyncio.sleep(0.1)
            assert self._process.returncode is None, self.log()
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                continue
            writer.close()
            await writer.wait_closed()
            return
        raise AssertionError(f"kamailio does not listen: {self.log()}")

    async def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), 60)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()

    def log(self) -> str:
        return (self._folder / "kamailio.log").read_text(errors="replace")[-3000:]
