"""Two hosts behind a load balancer: other folders and ports, the same Postgres, Valkey and key."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from itertools import cycle
from pathlib import Path
from threading import Lock
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskCliRunner

from dashboard import cli
from domain.access import Role
from tests import factories, services
from tests.local_http import Handler, Server, answering
from tests.web.conftest import PASSWORD, SCRAPER, Site, publish_small_network
from warehouse import caching, embedded
from warehouse.db import make_engine

READER, CLERK, GUESSED = "reader@nova.test", "clerk@nova.test", "guessed@nova.test"
ATTEMPTS = 10
"""Wrong passwords of one account in five minutes."""
MISSED = re.compile(r'nova_cache_reads_total\{result="miss"\} (\S+)')
NOT_HANDED_ON = frozenset({"connection", "transfer-encoding"})


@dataclass(frozen=True)
class Hosts:
    """The balancer, whose requests go to the hosts in turns, and each host by itself."""

    balancer: Site
    each: tuple[Site, Site]
    secret: str


@pytest.fixture(scope="module")
def hosts(
    server_url: str, template: str, home: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Hosts]:
    with ExitStack() as stack:
        url = stack.enter_context(services.fresh_database(server_url, template))
        engine = make_engine(url)
        stack.callback(engine.dispose)
        publish_small_network(engine, tmp_path_factory.mktemp("bundle"))
        valkey = embedded.ensure_valkey(home)
        shared = {
            "SECRET_KEY": secrets.token_hex(32),
            "NOVA_PROXY_HOPS": "1",
            "NOVA_METRICS_TOKEN": SCRAPER,
        }
        urls = [
            stack.enter_context(
                services.served(tmp_path_factory.mktemp(name), url, valkey, **shared)
            )
            for name in ("first", "second")
        ]
        balancer = stack.enter_context(balanced(urls))
        sites = [Site(one, engine) for one in (balancer, *urls)]
        for email, role in ((READER, Role.VIEWER), (CLERK, Role.ANALYST), (GUESSED, Role.VIEWER)):
            sites[0].add_user(email, role)
        yield Hosts(sites[0], (sites[1], sites[2]), shared["SECRET_KEY"])


@contextmanager
def balanced(urls: list[str]) -> Iterator[str]:
    """The URL of a server that hands each request to the next of `urls`."""
    turns, lock = cycle(urls), Lock()

    class HandOn(Handler):
        def do_GET(self) -> None:
            with lock:
                chosen = urlsplit(next(turns))
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            told = dict(self.headers) | {"X-Forwarded-For": self.client_address[0]}
            connection = HTTPConnection(chosen.hostname or "", chosen.port, timeout=30)
            connection.request(self.command, self.path, body, told)
            answer = connection.getresponse()
            content = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in NOT_HANDED_ON:
                    self.send_header(name, value)
            self.send_header("X-Host", chosen.netloc)
            self.end_headers()
            self.wfile.write(content)
            connection.close()

        do_POST = do_PATCH = do_GET

    with answering(Server(HandOn)) as server:
        yield server.url


def test_a_session_begun_on_one_host_is_one_on_the_other_and_ends_on_both(hosts: Hosts) -> None:
    browser = hosts.balancer.browser(READER)
    answers = [browser.get("/_dash-layout") for _ in range(4)]
    assert {one.status_code for one in answers} == {200}
    assert len({one.headers["X-Host"] for one in answers}) == 2
    assert browser.submit("/account", "/logout").status_code == 303
    assert {browser.get("/_dash-layout").status_code for _ in range(2)} == {401}


def test_wrong_passwords_are_counted_together(hosts: Hosts) -> None:
    def attempt(site: Site, password: str) -> int:
        body = {"email": GUESSED, "password": password}
        return site.call("POST", "/api/v1/auth/login", json=body).status_code

    found = [attempt(hosts.balancer, f"wrong-{number}") for number in range(ATTEMPTS)]
    assert set(found) == {401}
    assert [attempt(one, PASSWORD) for one in hosts.each] == [429, 429]


def test_what_is_written_by_one_is_shown_by_both_at_once(hosts: Hosts) -> None:
    clerks = [site.api(CLERK) for site in hosts.each]
    path = "/alerts?status=open"

    def shown() -> list[list[int]]:
        return [[one["id"] for one in api.get(path).json()["data"]] for api in clerks]

    first, second = shown()
    assert first == second == shown()[0]
    for writer, status, is_open in ((0, "acknowledged", False), (1, "open", True)):
        body = {"status": status}
        answer = clerks[writer].call("PATCH", f"/alerts/{first[0]}", json=body)
        assert answer.status_code == 200, answer.text
        assert [first[0] in ids for ids in shown()] == [is_open, is_open]


@pytest.fixture
def flask(hosts: Hosts, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FlaskCliRunner]:
    """The commands, on the hosts' database and cache, whose seals are made of their secret."""
    address = hosts.balancer.engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("DATABASE_URL", address)
    monkeypatch.setenv("SECRET_KEY", hosts.secret)
    monkeypatch.setenv("REDIS_URL", embedded.ensure_valkey(home) or "")
    services.forget_settings()
    yield cli.app.test_cli_runner()
    caching.use(None)
    monkeypatch.undo()
    services.forget_settings()


def test_a_run_that_a_command_publishes_is_shown_by_both_and_has_been_read_before(
    hosts: Hosts, flask: FlaskCliRunner, tmp_path: Path
) -> None:
    clerks = [site.api(CLERK) for site in hosts.each]
    browser = hosts.each[0].browser(READER)
    bundle = factories.make_bundle(tmp_path, hosts.balancer.engine, scale=2.0)
    done = flask.invoke(args=["publish", str(bundle)])
    assert done.exit_code == 0, done.output
    missed = misses(hosts.each[0])
    assert browser.open_page("/main").status_code == 200
    assert misses(hosts.each[0]) - missed == 1, "the page itself, made of what is kept"
    shown = [api.get("/kpis").json()["meta"]["run_id"] for api in clerks]
    assert shown == [2, 2]


def misses(site: Site) -> int:
    """How often anything was not in the cache of this host's workers."""
    answer = site.get("/metrics", headers={"Authorization": f"Bearer {SCRAPER}"})
    return sum(int(float(number)) for number in MISSED.findall(answer.text))


def test_a_revoked_token_is_refused_by_both(hosts: Hosts) -> None:
    pair = hosts.balancer.tokens(READER)
    own = {"Authorization": f"Bearer {pair['access_token']}"}

    def found() -> list[int]:
        return [site.get("/api/v1/kpis", headers=own).status_code for site in hosts.each]

    assert found() == found() == [200, 200]
    body = {"refresh_token": pair["refresh_token"]}
    ended = hosts.each[0].call("POST", "/api/v1/auth/logout", json=body, headers=own)
    assert ended.status_code == 200
    assert found() == [401, 401]
