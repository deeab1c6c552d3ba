"""Names that resolve to internal addresses, with a real name server (dnsmasq).

The fetching program has namespaces of its own: a loopback on which it may have port 53, and a resolv.conf.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

DNSMASQ = shutil.which("dnsmasq")
PUBLIC = "93.184.216.34"  # on the loopback of that namespace only: nothing leaves the machine
INSIDE = "127.0.0.1"
PORT = 8080

# Runs inside: mounts a resolv.conf over the system's, starts dnsmasq and the web servers, fetches.
PROGRAM = textwrap.dedent(
    '''
    import http.server, json, pathlib, socket, subprocess, sys, threading, time
    from appliance.net.http import FetchError, fetch, post

    folder, dnsmasq, public, inside, port = *sys.argv[1:5], int(sys.argv[5])
    path = pathlib.Path(folder)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["ip", "addr", "add", public + "/32", "dev", "lo"], check=True)
    (path / "resolv.conf").write_text("nameserver 127.0.0.1\\noptions timeout:5 attempts:2\\n")
    (path / "hosts").write_text("")
    (path / "nsswitch.conf").write_text("hosts: dns\\n")
    for name in ("resolv.conf", "hosts", "nsswitch.conf"):
        subprocess.run(["mount", "--bind", str(path / name), "/etc/" + name], check=True)

    reached = []

    class Inside(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            reached.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "6")
            self.end_headers()
            self.wfile.write(b"secret")
        do_POST = do_GET
        def log_message(self, *words): pass

    class Outside(Inside):
        def do_GET(self):
            if self.path.startswith("/to/"):
                self.send_response(302)
                self.send_header("Location", self.path[4:])
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif self.path == "/rebind":
                again()
                self.send_response(302)
                self.send_header("Location", f"http://rebinding.test:{port}/second")
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                self.send_response(200)
                self.send_header("Content-Length", "6")
                self.end_headers()
                self.wfile.write(b"public")
        do_POST = do_GET

    for address, handler in ((inside, Inside), (public, Outside)):
        server = http.server.ThreadingHTTPServer((address, port), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()

    running = None

    def name_server(rebinding):
        """Answers for a moment only (TTL 0), each name as said; waits until it answers."""
        global running
        if running is not None:
            running.terminate()
            running.wait()
        records = [
            f"rebinding.test,{rebinding}", f"inside.test,{inside}", f"outside.test,{public}",
            f"both.test,{public}", f"both.test,{inside}", "six.test,::1", f"mapped.test,::ffff:{inside}",
        ]
        running = subprocess.Popen([
            dnsmasq, "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=root",
            "--pid-file=", "--listen-address=127.0.0.1", "--bind-interfaces", "--local-ttl=0",
            "--cname=alias.test,inside.test", *(f"--host-record={record}" for record in records),
        ])
        while True:
            assert running.poll() is None, "dnsmasq has ended"
            try:
                if socket.gethostbyname("rebinding.test") == rebinding:
                    return
            except OSError:
                pass
            time.sleep(0.02)

    def again():
        name_server(inside)

    def tried(what, url):
        before = len(reached)
        try:
            if what == "post":
                said = str(post(url, b"{}", {}, timeout_s=60).status)
            else:
                said = fetch(url, limit_octets=1000, timeout_s=60).content.decode()
        except FetchError as error:
            said = error.cause.code
        return [said, len(reached) - before]

    name_server(public)
    found = {}
    for what in ("fetch", "post"):
        for host in ("outside", "inside", "both", "six", "mapped", "alias"):
            found[f"{what} {host}"] = tried(what, f"http://{host}.test:{port}/")
        for to in (f"http://inside.test:{port}/", f"http://{inside}:{port}/", f"http://alias.test:{port}/",
                   f"http://[::ffff:{inside}]:{port}/", f"//inside.test:{port}/", "file:///etc/passwd",
                   f"http://2130706433:{port}/", "gopher://inside.test/"):
            found[f"{what} to {to}"] = tried(what, f"http://outside.test:{port}/to/" + to)
    found["fetch rebinding"] = tried("fetch", f"http://rebinding.test:{port}/rebind")
    print(json.dumps(found))
    running.terminate()
    '''
)


def may_have_namespaces() -> bool:
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        return False
    return not subprocess.run(
        ["unshare", "--net", "--mount", "--user", "--map-root-user", "true"], check=False, capture_output=True
    ).returncode


@pytest.mark.skipif(
    DNSMASQ is None or not may_have_namespaces(),
    reason="dnsmasq (dnsmasq-base) is not installed, or a network of its own may not be had here",
)
def test_no_name_and_no_redirect_leads_inside_whatever_the_name_server_says_the_second_time(
    tmp_path: Path,
) -> None:
    assert DNSMASQ is not None
    arguments = [str(tmp_path), DNSMASQ, PUBLIC, INSIDE, str(PORT)]
    done = subprocess.run(
        [
            "unshare",
            "--net",
            "--mount",
            "--user",
            "--map-root-user",
            sys.executable,
            "-c",
            PROGRAM,
            *arguments,
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found.pop("fetch outside") == ["public", 0], "what is outside is reached"
    assert found.pop("post outside") == ["200", 0]
    redirected = {name: found.pop(name) for name in list(found) if name.startswith("post to ")}
    assert set(map(tuple, redirected.values())) == {("302", 0)}, "a webhook follows no redirect"
    assert set(map(tuple, found.values())) == {("url_not_allowed", 0)}, found
    assert len(found) == 5 * 2 + 8 + 1
