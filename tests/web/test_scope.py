"""Who is scoped sees their part alone: every list, page, choice, total, file and id, also right
after an administrator has filled the caches with everything.

Whatever lies outside carries a word of its own in every code and name, so that one leak anywhere in
an answer is found.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from flask import Flask
from sqlalchemy import Engine, text

from api.routing import ROUTES, Route
from dashboard.pages import PAGES
from domain.access import EVERYTHING, Role, Scope
from domain.errors import NotFound
from domain.levels import LEVELS
from domain.overrides import Adjustment, Why
from tests.conftest import StartServer
from tests.hostile_names import write
from tests.ingesting import load_and_publish
from tests.web.conftest import ADMIN, Api, Browser, Site, nothing_fails
from tests.web.test_hostile import callback_body, parameters
from tests.web.test_overrides import TICK, pressed
from tests.web.test_same_numbers import components
from warehouse.commands import jobs, overrides
from warehouse.commands.users import Actor
from warehouse.pipeline import derive

OUTSIDE, INSIDE = "FORA", "DENTRO"
LAST_DAY, DAYS = date(2025, 6, 29), 330
PLACES = {OUTSIDE: ("SP", 900), INSIDE: ("BA", 3)}
SCOPES = {
    "uf@nova.test": Scope(ufs=("BA",)),
    "contract@nova.test": Scope(contracts=(f"CON-{INSIDE}",)),
}
GUESSES = {"sku": f"SKU-{OUTSIDE}", "site": f"DEP-{OUTSIDE}", "uf": "SP", "region": "Sudeste"}
GUESSES |= {"area": "SP", "family": f"FAM-{OUTSIDE} (un)"}
ONE_WORKER = {"GUNICORN_CMD_ARGS": "--workers=1"}
"""Whatever an administrator has put into a cache of a process, the next one to ask finds."""
FILLED = 2
"""A page with parts is made in parts first; what the second time makes of it whole is kept."""
FOREIGN_UF = re.compile(r'"(uf|value|label)":"SP["– ]')
GETS = [
    one
    for one in ROUTES
    if one.method == "GET" and "<" not in one.path and one.media in (None, "text/csv")
]
"""All lists; a workbook holds the rows of the CSV file beside it (`test_exports`), and the board
pack is read in `test_board_pack`."""


@pytest.fixture(scope="module")
def split(
    module_engine: Engine,
    module_database_url: str,
    start_server: StartServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """Two halves of a network, one inside the scopes and one outside, and one item in both."""
    folder = tmp_path_factory.mktemp("erp")
    write_halves(folder)
    load_and_publish(folder, module_engine)
    adjust_both(module_engine)
    site = Site(start_server(module_database_url, **ONE_WORKER), module_engine)
    site.add_user(ADMIN, Role.ADMIN)
    for email, scope in SCOPES.items():
        site.add_user(email, Role.ANALYST, scope)
    yield site


def adjust_both(engine: Engine) -> None:
    """A lift in force in each half."""
    admin = overrides.Person(Actor(ADMIN), None, EVERYTHING)
    why = Why("project", datetime.now(UTC).date() + timedelta(days=30))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "spawn", lambda *_: None)
        for uf, _ in PLACES.values():
            overrides.save(engine, Adjustment(uf=uf, change=0.1), why, who=admin)
    with engine.begin() as connection:
        connection.execute(text("UPDATE support.job SET state = 'done', finished_at = now()"))
    assert derive.derive_overrides(engine)


def write_halves(folder: Path) -> None:
    days = [LAST_DAY - timedelta(days=back) for back in range(DAYS)]
    halves = list(PLACES)
    owned = [(f"SKU-{half}", half) for half in halves] + [("SKU-BOTH", half) for half in halves]
    write(
        folder,
        "items",
        "sku name family unit unit_cost_brl lead_time_days supplier equipment_kind",
        [
            (
                *(f"SKU-{half}", f"Item {half}", f"FAM-{half}", "un", 10, 14, f"SUP-{half}"),
                f"kind {half}",
            )
            for half in (*halves, "BOTH")
        ],
    )
    write(
        folder,
        "sites",
        "site name uf kind contract",
        [(f"DEP-{h}", f"Dep {h}", PLACES[h][0], "depot", f"CON-{h}") for h in halves],
    )
    write(
        folder,
        "suppliers",
        "supplier name kind",
        [(f"SUP-{half}", f"Fornecedor {half}", "domestic") for half in (*halves, "BOTH")],
    )
    write(
        folder,
        "contracts",
        "contract customer availability_target_pct",
        [(f"CON-{half}", f"Cliente {half}", 99) for half in halves],
    )
    write(
        folder,
        "demand",
        "date sku quantity site",
        [
            (day, sku, PLACES[half][1] + (sku != "SKU-BOTH") + day.toordinal() % 5, f"DEP-{half}")
            for day in days
            for sku, half in owned
        ],
    )
    write(
        folder,
        "drivers",
        "date driver uf value",
        [
            (day, f"driver {half}", PLACES[half][0], day.toordinal() % 7)
            for day in days[:60]
            for half in halves
        ],
    )
    write(
        folder,
        "stock",
        "date sku site on_hand",
        [(day, sku, f"DEP-{half}", 2) for day in days[:30] for sku, half in owned],
    )
    write(
        folder,
        "purchase_orders",
        "order line sku supplier ordered_on quantity site promised_on",
        [
            (f"PO-{half}", 1, sku, f"SUP-{sku[4:]}", days[60], 9, f"DEP-{half}", days[20])
            for sku, half in owned[:2]
        ],
    )
    write(
        folder,
        "outages",
        "outage site started_at ended_at cause",
        [
            (f"OUT-{half}", f"DEP-{half}", f"{days[9]} 10:00", f"{days[9]} 12:00", f"Causa {half}")
            for half in halves
        ],
    )

    write(
        folder,
        "projects",
        "project name uf status planned_start planned_end progress_pct materials as_of",
        [
            (
                *(f"PRJ-{half}", f"Projeto {half}", PLACES[half][0], f"Status {half}", days[60]),
                *(LAST_DAY + timedelta(days=60), 30, bill(half), LAST_DAY),
            )
            for half in halves
        ],
    )

    days = [LAST_DAY - timedelta(days=back) for back in range(40)]
    write(
        folder,
        "equipment",
        "equipment site kind measured_at failure temp_c",
        [
            (f"EQ-{half}-{number}", f"DEP-{half}", f"kind {half}", f"{day} 08:00", 0, 30 + number)
            for half in halves
            for number in (1, 2)
            for day in days[:2]
        ],
    )
    write(
        folder,
        "tower_kpis",
        "site date availability_pct latency_ms",
        [(f"DEP-{half}", day, 99, PLACES[half][1]) for half in halves for day in days],
    )


def bill(half: str) -> str:
    """Materials of a project: its half's own, and the one of both."""
    needed = str(LAST_DAY + timedelta(days=20))
    skus = (f"SKU-{half}", "SKU-BOTH")
    return json.dumps([{"sku": sku, "quantity": 5, "needed_on": needed} for sku in skus])


@pytest.fixture(scope="module")
def admin(split: Site) -> Api:
    return split.api(ADMIN)


@pytest.fixture(scope="module")
def scoped(split: Site) -> list[Api]:
    """The API as each of SCOPES."""
    return [split.api(email) for email in SCOPES]


@pytest.fixture(scope="module")
def browsers(split: Site) -> list[Browser]:
    """One of each of SCOPES."""
    return [split.browser(email) for email in SCOPES]


@pytest.fixture(scope="module")
def everything(split: Site) -> Browser:
    return split.browser(ADMIN)


def assert_inside(words: str, where: object) -> None:
    """No word from outside, but for what the asker's own address said."""
    for name, value in GUESSES.items():
        words = words.replace(f"{name}={value}", "")
    found = words.find(OUTSIDE)
    assert found < 0, (where, words[max(0, found - 200) : found + 50])
    leak = FOREIGN_UF.search(words)
    assert leak is None, (where, words[max(0, leak.start() - 200) : leak.end()])


REFUSED = ("/what-if", "/exports/what-if.csv")
"""Routes that refuse a change of a family that is not in view."""


@pytest.mark.parametrize("route", GETS, ids=lambda route: route.path)
def test_no_answer_holds_a_row_from_outside(admin: Api, scoped: list[Api], route: Route) -> None:
    asked: dict[str, Any] = {"limit": 500} if "limit" in parameters(route.query) else {}
    guesses = {name: GUESSES[name] for name in GUESSES if name in parameters(route.query)}
    if route.path in REFUSED:
        guesses["family"] = f"FAM-{OUTSIDE}"
    is_of_one = bool(route.query.model_json_schema().get("required"))
    if is_of_one:
        asked, guesses = guesses, {}
    times = 1 if route.media else FILLED  # files are made anew each time
    readers = list(scoped)
    for params in (asked, *({name: value} | asked for name, value in guesses.items())):
        whole = [admin.get(route.path, params=params) for _ in range(times)]
        assert {answer.status_code for answer in whole} == {200}
        known = {"If-None-Match": whole[0].headers.get("ETag", "")}
        for reader, headers in product(tuple(readers), ({},) if route.media else ({}, known)):
            answer = reader.get(route.path, params=params, headers=headers)
            if answer.status_code == 403:
                readers = [one for one in readers if one is not reader]
                continue
            if answer.status_code == 404 and (is_of_one or (route.media and params != asked)):
                continue  # one thing, which does not exist for this reader
            if answer.status_code == 422 and route.path in REFUSED and params != asked:
                continue  # nor does what is to change
            assert answer.status_code in (200, 304), answer.text
            assert (
                answer.status_code == 200
                or route.path in ("/health",)
                or (OUTSIDE not in whole[0].text)
            ), "another reader's answer was confirmed"
            assert_inside(answer.text, (route.path, params))
        if not readers:
            return


OF_A_CHANGE = ("/what-if",)
"""Routes whose `uf` says where a change happens, and narrows nothing."""
NARROWED = [
    one
    for one in GETS
    if "uf" in parameters(one.query) and not one.media and one.path not in OF_A_CHANGE
]


@pytest.mark.parametrize("route", NARROWED, ids=lambda route: route.path)
def test_counts_and_totals_are_those_of_the_part(
    admin: Api, scoped: list[Api], route: Route
) -> None:
    """The scoped reader's answer is what an administrator gets who narrows to the same part."""
    asked = {"limit": 500} if "limit" in parameters(route.query) else {}
    part = admin.get(route.path, params=asked | {"uf": "BA"}).json()
    whole = admin.get(route.path, params=asked).json()
    counted = part["meta"]["count"]
    for reader in scoped:
        mine = reader.get(route.path, params=asked).json()
        assert rounded(mine["data"]) == rounded(part["data"]) != rounded(whole["data"])
        assert mine["meta"]["count"] == counted and counted != 0


def rounded(value: Any) -> Any:
    """The same with what a receipt says of its filter left out, and sums rounded."""
    if isinstance(value, dict):
        return {name: rounded(one) for name, one in value.items() if name != "receipt"}
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return round(value, 6) if isinstance(value, float) else value


def test_what_lies_outside_does_not_exist(split: Site, admin: Api, scoped: list[Api]) -> None:
    assert admin.get(f"/materials/SKU-{OUTSIDE}").status_code == 200
    for reader in scoped:
        missing = reader.get(f"/materials/SKU-{OUTSIDE}")
        assert missing.status_code == 404
        nowhere = reader.get("/materials/NO").json()["error"]["code"]
        assert missing.json()["error"]["code"] == nowhere
        assert_inside(reader.get("/materials/SKU-BOTH").text, "a material of both")
        for alert, change in product(foreign_alerts(split), ("acknowledged", "open")):
            answer = reader.call("PATCH", f"/alerts/{alert}", json={"status": change})
            assert answer.status_code == 404, answer.text
            nobodys = reader.call("PATCH", "/alerts/987654321", json={"status": change})
            assert answer.json()["error"]["code"] == nobodys.json()["error"]["code"]
    with split.engine.connect() as connection:
        sql = "SELECT count(*) FROM support.decision WHERE kind = 'alert'"
        assert connection.execute(text(sql)).scalar() == 0


def foreign_alerts(split: Site) -> list[int]:
    sql = "SELECT id FROM analytics.alert JOIN core.site USING (site_id) WHERE uf = 'SP'"
    with split.engine.connect() as connection:
        found = list(connection.execute(text(sql)).scalars())
    assert found, "there must be alerts to hide"
    return found


def addresses(path: str) -> Iterator[tuple[str, str]]:
    """The page as it opens, and with guesses at what lies outside."""
    for sku in ("SKU-BOTH", f"SKU-{INSIDE}"):
        place = re.sub("<[^>]+>", quote(sku), path)
        yield place, ""
        yield place, f"?{urlencode(GUESSES)}"
        for name, value in GUESSES.items():
            yield place, f"?{urlencode({name: value})}"
        if place == path:
            return


@pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.path)
def test_no_page_shows_anything_from_outside(
    everything: Browser, browsers: list[Browser], entry: Any
) -> None:
    readers = list(browsers)
    for path, search in addresses(entry.path):
        for _ in range(FILLED):
            assert everything.open_page(path, search).status_code == 200
        for browser in tuple(readers):
            answer = browser.open_page(path, search)
            if answer.status_code == 403:
                readers.remove(browser)
                continue
            assert answer.status_code == 200 and "state-failed" not in answer.text
            assert_inside(answer.text, (path, search))
        if not readers:
            return


def test_materials_to_start_from_are_those_most_demanded_in_view(
    everything: Browser, browsers: list[Browser]
) -> None:
    def offered(browser: Browser) -> list[str]:
        page = browser.open_page("/main").text
        return re.findall(r'"value":"(SKU-\w+)"', page)

    assert offered(everything) == ["SKU-BOTH", f"SKU-{OUTSIDE}", f"SKU-{INSIDE}"]
    for browser in browsers:
        assert offered(browser) == [f"SKU-{INSIDE}", "SKU-BOTH"]


def test_files_are_told_without_the_sums_of_the_whole_company(
    everything: Browser, browsers: list[Browser]
) -> None:
    def lines(browser: Browser) -> str:
        page = components(browser.open_page("/main").json())
        (told,) = [one for one in page if one["props"].get("className") == "file-list"]
        return json.dumps(told, ensure_ascii=False)

    assert re.search(r'"[\d.]+ linhas', lines(everything)) and "quantidade" in lines(everything)
    for browser in browsers:
        assert "até 29/06/2025" in lines(browser)
        assert "linha" not in lines(browser) and "quantidade" not in lines(browser)


@pytest.mark.parametrize("of", ["equipment", "towers"])
def test_no_cluster_shows_anything_from_outside(
    everything: Browser, browsers: list[Browser], of: str
) -> None:
    for search in ({}, {"uf": "SP"}, {"search": OUTSIDE}):
        asked = f"?{urlencode({'tab': 'clusters', 'of': of} | search)}"
        whole = everything.open_page("/features", asked)
        assert whole.status_code == 200 and (search or OUTSIDE in whole.text)
        for browser in browsers:
            answer = browser.open_page("/features", asked)
            assert answer.status_code == 200 and "state-failed" not in answer.text
            words = answer.text
            for echo in (f'"value":"{OUTSIDE}"', f'"search":"{OUTSIDE}"', f"search={OUTSIDE}"):
                words = words.replace(echo, "")
            assert_inside(words, (of, search))


@pytest.mark.parametrize("level", LEVELS)
def test_no_level_shows_anything_from_outside(
    everything: Browser, browsers: list[Browser], level: str
) -> None:
    for search in ({}, {"sku": "SKU-BOTH"}, {"sku": "SKU-BOTH", "area": "SP"}, GUESSES):
        asked = f"?{urlencode({'level': level} | search)}"
        for _ in range(FILLED):
            assert everything.open_page("/forecasts", asked).status_code == 200
        for browser in browsers:
            answer = browser.open_page("/forecasts", asked)
            assert answer.status_code == 200 and "state-failed" not in answer.text
            assert_inside(answer.text.replace(f"level={level}", ""), (level, search))
            for name in ("item_region", "item_country", "family_country"):
                assert f'"value":"{name}"' not in answer.text


def test_the_administrator_does_see_what_is_hidden(everything: Browser) -> None:
    shown = [everything.open_page(path).text for path in ("/main", "/materials", "/forecasts")]
    assert all(OUTSIDE in one for one in shown)


def test_a_page_of_something_outside_is_not_found(browsers: list[Browser]) -> None:
    for browser in browsers:
        known = browser.open_page("/materials/NO-SUCH").text
        hidden = browser.open_page(f"/materials/SKU-{OUTSIDE}").text
        assert hidden.replace(f"SKU-{OUTSIDE}", "NO-SUCH") == known


def test_callbacks_find_nothing_outside(
    app: Flask, split: Site, home: Path, browsers: list[Browser]
) -> None:
    """Searches, choices and downloads, whatever the browser says about where it is."""
    callbacks = app.extensions["nova-dash"].callback_map
    search = f"?{urlencode(GUESSES)}"
    guarded = {
        output: callback
        for output, callback in callbacks.items()
        if hasattr(callback.get("callback"), "permission")
    }
    tried = product(guarded.items(), (OUTSIDE, "SKU", "Item", 1, search), browsers)
    with nothing_fails(split, home):
        for (output, callback), value, browser in tried:
            body = callback_body(output, callback, value)
            for one in body["state"]:
                if isinstance(one, dict):
                    one["value"] = search if one["property"] == "search" else []
            answer = browser.callback(body)
            assert answer.status_code in (200, 204, 403), answer.text
            assert_inside(answer.text, (output, value))


def a_job(site: Site, state: str, actor: str) -> int:
    """A derivation of this person's that waits (queued), or ended without (failed)."""
    sql = text("""
        INSERT INTO support.job (kind, state, object, actor, message, finished_at)
        VALUES ('derive', CAST(:state AS text), 'override:1', :actor, 'the disk is full',
            CASE WHEN :state = 'failed' THEN now() END)
        RETURNING job_id
    """)
    with site.engine.begin() as connection:
        return int(connection.execute(sql, {"state": state, "actor": actor}).scalar_one())


@pytest.mark.parametrize("role", [Role.ADMIN, Role.ANALYST])
def test_jobs_of_others_are_neither_read_nor_steered_nor_begun_anew(
    split: Site, role: Role
) -> None:
    email, scope = f"{role.lower()}@bahia.test", SCOPES["uf@nova.test"]
    split.add_user(email, role, scope)
    browser = split.browser(email)
    failed, waiting, own_failed, own_waiting = (
        a_job(split, state, actor) for actor in (ADMIN, email) for state in ("failed", "queued")
    )
    tick, cancel = partial(pressed, browser, *TICK), ["override-cancelling.children"]
    assert "the disk is full" in tick(own_failed, "n_intervals")
    told = tick(failed, "n_intervals")
    assert "the disk is full" not in told and "override-derive" not in told
    pressed(browser, cancel, "override-cancel", own_waiting)
    pressed(browser, cancel, "override-cancel", waiting)
    pressed(browser, ["override-again.search"], "override-derive", failed)
    who: dict[str, Any] = {"actor": Actor(email, role), "scope": scope}
    for steer, job_id in ((jobs.cancel, waiting), (jobs.derive_again, failed)):
        with pytest.raises(NotFound):
            steer(split.engine, job_id=job_id, **who)
    asked = text("SELECT job_id FROM support.job WHERE cancelled_at IS NOT NULL OR job_id > :last")
    with split.engine.begin() as connection:
        assert list(connection.scalars(asked, {"last": own_waiting})) == [own_waiting]
        connection.execute(
            text("DELETE FROM support.job WHERE job_id >= :first"), {"first": failed}
        )
