"""A served product with a published run, readers who sign in, and a browser that is watched."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from operator import not_
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, Response, expect
from sqlalchemy import Engine, text

from domain.access import Role
from tests import factories, services
from tests.web.conftest import CSRF
from warehouse import embedded
from warehouse.commands import users
from warehouse.db import make_engine
from warehouse.pipeline import publish

ALL_DRAWN = """
    [[".chart", ".main-svg"], [".table-grid", ".ag-header-cell"]].every(([holder, drawn]) =>
        [...document.querySelectorAll(holder)].every(one => one.querySelector(drawn)))
"""
ALL_FIT = """
    [...document.querySelectorAll(".chart .js-plotly-plot")].every(one =>
        Math.abs(one.querySelector(".main-svg").clientWidth - one.clientWidth) <= 1)
"""
LEFT_BEHIND = "net::ERR_ABORTED"
"""How a request fails that a page started and its reader did not wait for."""
POLLS, POLL_MS = 200, 50
QUIET_POLLS = 10
"""After this many times in which nothing is asked for, a page that is there has all it needs."""
PATIENT_MS = 20_000
PASSWORD = "uma-senha-longa"
EMAILS = {role: f"{role.lower()}@nova.example" for role in Role}
LEVELS = {
    ("CABO-01", "DEP-SP"): 90.0,
    ("CABO-01", "DEP-RJ"): 4000.0,
    ("BAT-02", "DEP-SP"): 3.0,
    ("PAR-03", "DEP-BA"): 20.0,
    ("EPI-04", "DEP-RJ"): 12.0,
}


TERMS = text("""
    UPDATE core.contract SET monthly_fee_brl = 50000, cap_pct = 20,
        load_id = (SELECT max(id) FROM staging.load WHERE kind = 'contracts'),
        penalty_schedule = '[{"hours": 7.3, "percent": 4}, {"hours": 14.6, "percent": 10}]'
""")
RAIN = text("""
    INSERT INTO core.driver (driver, uf, date, value, load_id)
    SELECT 'rain_mm', 'SP', day::date, extract(day FROM day) + extract(week FROM day), :load
    FROM generate_series(CAST(:last AS date) - 1094, CAST(:last AS date), interval '1 day') AS day
""")


def fill(engine: Engine) -> None:
    """Demand, stock, a late order, a day without service under a schedule, and rain."""
    network = factories.make_network(engine)
    factories.add_demand(engine, network)
    factories.add_stock(engine, network, LEVELS)
    factories.add_machines(engine, network)
    before = factories.LAST_DAY - timedelta(days=20)
    for day, done in ((factories.LAST_DAY, 30.0), (before, 20.0)):
        bill = {"BAT-02": 6.0, "CABO-01": 900.0}
        factories.add_project(engine, "PRJ-1", "SP", bill, progress_pct=done, as_of=day)
    factories.add_order(
        engine,
        network,
        order="PC-1001",
        sku="CABO-01",
        site="DEP-SP",
        quantity=500.0,
        ordered_on=date(2025, 5, 20),
        promised_on=date(2025, 6, 10),
    )
    down, up = datetime(2025, 5, 31, 12), datetime(2025, 6, 1, 12)
    factories.add_outage(engine, network, "DEP-SP", down, up)
    with engine.begin() as connection:
        connection.execute(TERMS)
        load = factories.add_load(connection, "drivers", is_demo=True)
        connection.execute(RAIN, {"load": load, "last": factories.LAST_DAY})
    factories.refresh_views(engine)


def add_accounts(engine: Engine) -> None:
    """One account of each role."""
    for role, email in EMAILS.items():
        users.create(
            engine,
            email=email,
            name=f"Ana {role.title()}",
            role=role,
            password_hash=factories.hash_of(PASSWORD),
            actor=users.Actor(),
        )


@pytest.fixture(scope="session")
def filled(
    server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The name of a database with a published run and accounts, which modules' are copied from."""
    with services.fresh_database(server_url, template) as url:
        engine = make_engine(url)
        fill(engine)
        add_accounts(engine)
        bundle = factories.make_bundle(tmp_path_factory.mktemp("bundles"), engine)
        publish.publish_bundle(bundle, engine=engine, published_by="tests")
        engine.dispose()
        yield url.rpartition("/")[2]


READERS = frozenset(
    f"test_{name}"
    for name in (
        *("addresses", "admin_audit", "features", "forecasts", "inventory", "login"),
        *("contrast", "fields", "palette", "weight"),
    )
)
"""Modules whose tests change nothing that the others read: they share a served product."""


@pytest.fixture(scope="session")
def site_of_readers(home: Path, server_url: str, filled: str) -> Iterator[str]:
    """Where the product is served to all modules of READERS."""
    with services.fresh_database(server_url, filled) as url:
        with services.served(home, url, embedded.ensure_valkey(home)) as address:
            yield address


@pytest.fixture(scope="module")
def published(server_url: str, filled: str) -> Iterator[Engine]:
    """The module's database with a published run."""
    with services.fresh_database(server_url, filled) as url:
        engine = make_engine(url)
        yield engine
        engine.dispose()


@pytest.fixture(scope="module")
def site(request: pytest.FixtureRequest, start_server: Callable[..., str]) -> str:
    """Where the product is served, by two workers: to this module alone, unless it is a reader."""
    if request.path.stem in READERS:
        return str(request.getfixturevalue("site_of_readers"))
    published: Engine = request.getfixturevalue("published")
    return start_server(published.url.render_as_string(hide_password=False))


class Watched:
    """A browser page that remembers everything that went wrong in it."""

    def __init__(self, page: Page, site: str) -> None:
        self.page, self.site = page, site
        self.complaints: list[str] = []
        self._asked: set[Request] = set()
        page.on("request", lambda request: self._asked.add(request))
        page.on("requestfinished", lambda request: self._asked.discard(request))
        page.on("console", lambda message: self._note(f"console: {message.text}"))
        page.on("pageerror", lambda error: self._note(f"error: {error}"))
        page.on("requestfailed", self._note_failure)
        page.on("response", self._note_status)

    def _note(self, text: str) -> None:
        self.complaints.append(text)

    def _note_failure(self, request: Request) -> None:
        self._asked.discard(request)
        if request.failure != LEFT_BEHIND:
            self._note(f"failed ({request.failure}): {request.url}")

    def _note_status(self, response: object) -> None:
        if response.status >= 400:  # type: ignore[attr-defined]
            self._note(f"{response.status}: {response.url}")  # type: ignore[attr-defined]

    def sign_in(self, role: Role = Role.ANALYST) -> None:
        self.page.goto(f"{self.site}/login")
        self.page.fill("#email", EMAILS[role])
        self.page.fill("#password", PASSWORD)
        self.page.click("#sign-in")
        self.page.wait_for_url("**/main")
        self.settle()

    def open(self, path: str) -> Page:
        """Opens a page and waits until what it shows is drawn."""
        self.page.goto(f"{self.site}{path}")
        self.settle()
        return self.page

    def go(self, path: str) -> Page:
        """Goes to a page within this one, as links do, and waits as `open` does. The first page,
        and what is shown already, is read from its address."""
        if self.page.url in ("about:blank", f"{self.site}{path}"):
            return self.open(path)
        with self.page.expect_response(_is_of_router):
            self.page.evaluate(f"window.nova.go({json.dumps(path)})")
        self.settle()
        return self.page

    def settle(self) -> None:
        """Waits until the page is there, nothing is under way, and charts and tables are drawn."""
        self.page.wait_for_selector("#_pages_content h1, #_pages_content .state")
        self._be_quiet()
        expect(self.page.locator("[data-dash-is-loading=true]")).to_have_count(
            0, timeout=PATIENT_MS
        )
        self.until(ALL_DRAWN)

    def _be_quiet(self) -> None:
        """A page answers between two of its tasks only: not while it draws what it was sent."""
        quiet = 0
        for _ in range(POLLS):
            self.page.evaluate("1")
            quiet = 0 if self._asked else quiet + 1
            if quiet == QUIET_POLLS:
                return
            self.page.wait_for_timeout(POLL_MS)
        raise AssertionError(f"never answered: {[one.url for one in self._asked]}")

    def until(self, expression: str) -> None:
        """Waits until a JavaScript expression holds; evaluated from outside of the page's CSP."""
        assert self._once(expression, bool), f"never became true: {expression}"

    def until_nothing(self, expression: str) -> None:
        """Waits until a JavaScript expression finds nothing; fails with what it finds."""
        found = self._once(expression, not_)
        assert not found, f"{self.page.url}: {found}"

    def _once(self, expression: str, is_so: Callable[[object], bool]) -> object:
        """What a JavaScript expression finds once it is so, or at the end of our patience."""
        found = self.page.evaluate(expression)
        for _ in range(POLLS):
            if is_so(found):
                break
            self.page.wait_for_timeout(POLL_MS)
            found = self.page.evaluate(expression)
        return found


def _is_of_router(response: Response) -> bool:
    return "_pages_content" in (response.request.post_data or "")


def let_in(context: BrowserContext, site: str, role: Role) -> None:
    """Signs in as the login form does, without drawing it and the page behind it."""
    token = CSRF.search(context.request.get(f"{site}/login").text())
    assert token, "the form has no CSRF token"
    form = {"email": EMAILS[role], "password": PASSWORD, "csrf_token": token.group(1)}
    answer = context.request.post(f"{site}/login", form=form, max_redirects=0)
    assert answer.status == 303, answer.text()


@pytest.fixture
def watch(browser: Browser, site: str) -> Iterator[Callable[..., Watched]]:
    """`watch(role=…, width=…, locale=…, scheme=…)` gives a watched page of somebody who is signed
    in, and asks for no motion; it is blank until the test opens one."""
    contexts = []

    def start(
        role: Role = Role.ANALYST,
        width: int = 1440,
        locale: str = "pt-BR",
        scheme: str = "light",
    ) -> Watched:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            locale=locale,
            color_scheme=scheme,  # type: ignore[arg-type]
            accept_downloads=True,
            reduced_motion="reduce",
        )
        contexts.append(context)
        let_in(context, site, role)
        return Watched(context.new_page(), site)

    yield start
    for context in contexts:
        context.close()
