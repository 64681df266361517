"""A served product with a published run and one user of each kind, for all tests of this folder."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask
from sqlalchemy import Connection, Engine, text

from benchmarks.pages import making, opening
from dashboard.app import create_app
from domain.access import EVERYTHING, Role, Scope
from layouts.components.receipt import fold_id, receipt_id
from tests import factories, services
from tests.conftest import StartServer
from tests.ingesting import load_and_publish
from warehouse import caching, embedded
from warehouse.commands import users
from warehouse.db import make_engine
from warehouse.pipeline import derive
from warehouse.pipeline.publish import publish_bundle

PASSWORD = "correct-horse-9"
ADMIN, ANALYST, VIEWER = "admin@nova.test", "analyst@nova.test", "viewer@nova.test"
SCOPED = "bahia@nova.test"
SCRAPER = "scraper-0123456789-abcdefghijklmnop"
PEOPLE: dict[str, tuple[Role, Scope]] = {
    ADMIN: (Role.ADMIN, EVERYTHING),
    ANALYST: (Role.ANALYST, EVERYTHING),
    VIEWER: (Role.VIEWER, EVERYTHING),
    SCOPED: (Role.ANALYST, Scope(ufs=("BA",))),
}
ON_ITS_WAY_SECONDS = 0.05
BEING_NOTED = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND state = 'active' AND query LIKE 'INSERT INTO support.audit_log%'"
)
FAILURES = ("a page could not be made", "a callback failed")
CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')
SHELL_CSRF = re.compile(r'"name":"csrf_token","type":"submit","value":"([^"]+)"')


@dataclass(frozen=True)
class Site:
    """The served product: where it is, and its database. Each call has a connection of its own, so
    that either worker may answer, unless a `client` keeps one."""

    url: str
    engine: Engine
    client: requests.Session | None = None

    def get(self, path: str, **options: Any) -> requests.Response:
        """As nobody, without following redirects."""
        return self.call("GET", path, **options)

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """As nobody, without following redirects."""
        options = {"allow_redirects": False, "timeout": 30} | options
        ask = requests.request if self.client is None else self.client.request
        return ask(method, self.url + path, **options)

    def on_one_connection(self) -> Site:
        """The same, for many calls that may all be answered by one worker; it takes no cookies."""
        client = requests.Session()
        client.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        return replace(self, client=client)

    def add_user(
        self,
        email: str,
        role: Role = Role.VIEWER,
        scope: Scope = EVERYTHING,
        must_change_password: bool = False,
    ) -> int:
        """One more account, with PASSWORD; gives its number."""
        return users.create(
            self.engine,
            email=email,
            name=email.partition("@")[0].title(),
            role=role,
            password_hash=factories.hash_of(PASSWORD),
            actor=users.Actor(),
            scope=scope,
            must_change_password=must_change_password,
        )

    @contextmanager
    def changing(self) -> Iterator[Connection]:
        """A transaction that writes what pages show; every worker tells it once this is left."""
        with self.engine.begin() as connection:
            yield connection
            caching.count_revision(connection)
        time.sleep(caching.VERSION_MEMO_SECONDS)

    def tokens(self, email: str) -> dict[str, Any]:
        """What POST /auth/login hands out."""
        body = {"email": email, "password": PASSWORD}
        response = self.call("POST", "/api/v1/auth/login", json=body)
        assert response.status_code == 200, response.text
        return response.json()["data"]

    def api(self, email: str) -> Api:
        """The API as this user."""
        return Api(self, self.tokens(email)["access_token"])

    def browser(self, email: str | None = None) -> Browser:
        """A cookie jar, signed in if a user is named."""
        browser = Browser(self)
        if email is not None:
            response = browser.sign_in(email, PASSWORD)
            assert response.status_code == 303, response.text
        return browser

    def audit(self, action: str) -> list[Any]:
        """Audit rows of this action, oldest first. Those of reads may still be on their way."""
        time.sleep(ON_ITS_WAY_SECONDS)
        sql = text("SELECT * FROM support.audit_log WHERE action = :action ORDER BY audit_id")
        with self.engine.connect() as connection:
            while connection.execute(BEING_NOTED).scalar():
                connection.rollback()
            return list(connection.execute(sql, {"action": action}))


@dataclass(frozen=True)
class Api:
    """Calls with a bearer token."""

    site: Site
    token: str

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}"} | options.pop("headers", {})
        return self.site.call(method, f"/api/v1{path}", headers=headers, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.call("GET", path, **options)


class Browser:
    """A cookie jar that knows how to fill in the login form."""

    def __init__(self, site: Site) -> None:
        self.site, self.jar = site, requests.Session()

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        options.setdefault("allow_redirects", False)
        return self.jar.request(method, self.site.url + path, timeout=30, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.call("GET", path, **options)

    def csrf_token(self, page: str = "/login") -> str:
        found = CSRF.search(self.get(page).text)
        assert found, "the form has no CSRF token"
        return found.group(1)

    def csrf_token_of_page(self) -> str:
        """The token of the signed-in shell, for the forms in it."""
        found = SHELL_CSRF.search(self.get("/_dash-layout").text)
        assert found, "the shell has no CSRF token"
        return found.group(1)

    def sign_in(self, email: str, password: str, **more: str) -> requests.Response:
        form = {"email": email, "password": password, "csrf_token": self.csrf_token()}
        return self.call("POST", "/login", data=form | more)

    def submit(self, page: str, action: str, **fields: str) -> requests.Response:
        """Fills in and sends a form of a page."""
        return self.call("POST", action, data=fields | {"csrf_token": self.csrf_token(page)})

    def callback(self, body: Any) -> requests.Response:
        headers = {"Content-Type": "application/json"}
        data = json.dumps(body)
        return self.call("POST", "/_dash-update-component", data=data, headers=headers)

    def open_page(self, path: str, search: str = "") -> requests.Response:
        """The page that Dash's router is asked for, with the parts that it leaves for later."""
        answer = self.callback(opening(path, search))
        if answer.status_code == 200:
            page = with_parts(answer.json(), self._part)
            told = json.dumps(page, ensure_ascii=False, separators=(",", ":"))
            answer._content = told.encode()
        return answer

    def _part(self, identity: dict[str, Any]) -> Any:
        shown = self.callback(part_call(identity))
        assert shown.status_code == 200, shown.text
        [properties] = shown.json()["response"].values()
        return properties["children"]


def with_parts(page: Any, ask: Callable[[dict[str, Any]], Any]) -> Any:
    """A page's answer with its parts, which `ask` gives, in the places that are kept for them."""
    if isinstance(page, dict):
        return {name: with_parts(value, ask) for name, value in page.items()}
    if not isinstance(page, list):
        return page
    filled: list[Any] = []
    for one in page:
        identity = one["props"].get("id") if isinstance(one, dict) and "props" in one else None
        if isinstance(identity, dict) and identity.get("type") in ("part", "inner-part"):
            part = with_parts(ask(identity), ask)
            filled += part if isinstance(part, list) else [part]
        else:
            filled.append(with_parts(one, ask))
    return filled


def part_call(identity: dict[str, Any]) -> dict[str, Any]:
    """The body of the callback that makes one of them."""
    kind = identity.get("type", "part") if isinstance(identity, dict) else "part"
    return making(identity, kind)


def unfolding(of: str, **key: Any) -> dict[str, Any]:
    """The body of the callback that a folded receipt of the kind `of` asks for."""
    receipt, fold = receipt_id(of, **key), fold_id(of, **key)
    every = dict.fromkeys(key, ["MATCH"])
    shown = [(receipt, receipt_id(of, **every), "children")]
    shown += [(fold, fold_id(of, **every), "disable_n_clicks")]
    names = [f"{written(pattern)}.{name}" for _, pattern, name in shown]
    return {
        "output": f"..{'...'.join(names)}..",
        "outputs": [{"id": one, "property": name} for one, _, name in shown],
        "inputs": [{"id": fold, "property": "n_clicks", "value": 1}],
        "state": [{"id": receipt, "property": "id", "value": receipt}],
        "changedPropIds": [f"{written(fold)}.n_clicks"],
    }


def written(identity: dict[str, Any]) -> str:
    """A pattern's id as Dash writes it."""
    return json.dumps(identity, sort_keys=True, separators=(",", ":"))


def log_of(site: Site, home: Path) -> Path:
    """The file that this server logs to."""
    return home / f"server-{site.url.rpartition(':')[2]}.log"


@contextmanager
def nothing_fails(site: Site, home: Path) -> Iterator[None]:
    """No page and no callback that is asked for meanwhile meets an error: both answer 200 then."""
    log = log_of(site, home)
    before = log.stat().st_size
    yield
    with log.open("rb") as lines:
        lines.seek(before)
        told = lines.read().decode().splitlines()
    failed = [line for line in told if any(words in line for words in FAILURES)]
    assert not failed, failed


@pytest.fixture(scope="module")
def app(home: object) -> Iterator[Flask]:
    """The app in this process, for its registries; afterwards the process caches nothing."""
    yield create_app()
    caching.use(None)


@pytest.fixture(scope="session")
def site(
    server_url: str, template: str, home: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """Two gunicorn workers on a database with four items at three sites, stock and a run."""
    with services.fresh_database(server_url, template) as url:
        engine = make_engine(url)
        publish_small_network(engine, tmp_path_factory.mktemp("bundle"))
        valkey = embedded.ensure_valkey(home)
        with services.served(home, url, valkey, NOVA_METRICS_TOKEN=SCRAPER) as address:
            site = Site(address, engine)
            for email, (role, scope) in PEOPLE.items():
                site.add_user(email, role, scope)
            yield site
        engine.dispose()


@contextmanager
def run_of_data_to(site: Site, day: date, frequency: str = "D") -> Iterator[None]:
    """The site's run, told as one of which the last period of data began on `day`."""
    change = text("UPDATE analytics.run SET frequency = :frequency, data_to = :day")
    with site.changing() as connection:
        connection.execute(change, {"frequency": frequency, "day": day})
    try:
        yield
    finally:
        with site.changing() as connection:
            connection.execute(change, {"frequency": "D", "day": factories.LAST_DAY})


@pytest.fixture(scope="module")
def loaded(
    request: pytest.FixtureRequest,
    module_engine: Engine,
    module_database_url: str,
    start_server: StartServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Site:
    """The product on the files that the module's `write_files(folder)` writes, and an analyst."""
    folder = tmp_path_factory.mktemp("erp")
    request.module.write_files(folder)
    load_and_publish(folder, module_engine)
    site = Site(start_server(module_database_url), module_engine)
    site.add_user(ANALYST, Role.ANALYST)
    return site


def publish_small_network(engine: Engine, folder: Path) -> None:
    """Demand, low stock (hence alerts), a late order, and a published run."""
    network = factories.make_network(engine)
    factories.add_demand(engine, network)
    levels = {(sku, place): 5.0 for sku in network.items for place in network.sites}
    factories.add_stock(engine, network, levels)
    factories.add_order(
        engine,
        network,
        order="PO-1",
        sku="BAT-02",
        site="DEP-BA",
        quantity=20,
        ordered_on=factories.LAST_DAY - timedelta(days=60),
        promised_on=factories.LAST_DAY - timedelta(days=20),
    )
    factories.add_machines(engine, network)
    factories.add_project(engine, "PRJ-1", "BA", {"BAT-02": 6, "CABO-01": 2})
    factories.add_project(engine, "PRJ-2", "SP", {"BAT-02": 3}, progress_pct=49.0)
    derive.refresh_after_load(engine)
    publish_bundle(factories.make_bundle(folder, engine), engine=engine, published_by="tests")
