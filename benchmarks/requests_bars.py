"""Requests: cached, uncached, in a crowd, and a page through Dash."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

import psycopg2
from sqlalchemy import Engine, event

from benchmarks.bar import Bar, ms
from benchmarks.client import Call, Caller, crowd, quantile, side_by_side
from benchmarks.pages import open_whole, opening
from benchmarks.served import Floor, Person

ROUNDS, WARM = 200, 20
TURNS = 40
ROW_SECONDS = 2e-6
STATEMENTS = 12
CROWD_RATE, CROWD_SECONDS, CROWD_TURNS = 40.0, 6.0, 5
ROUTES = {
    "KPIs": "/kpis",
    "alerts": "/alerts?limit=50",
    "forecasts": "/forecasts?sku=ITEM-00005&limit=90",
    "clusters": "/clustering/equipment-failure",
    "recommendations": "/recommendations?limit=50",
    "a material": "/materials/ITEM-00005",
    "regions": "/geographic/data",
    "models": "/models/performance",
}
WHAT_IF = "/what-if?sku=ITEM-00005"


@dataclass(frozen=True)
class Stage:
    """What is served: the product with its cache, the product without one, the product without
    revocation and audit, and the floor."""

    product: str
    uncached: str
    unguarded: str
    floor: str
    secret: str
    database: str
    who: tuple[str, str]

    def person(self, url: str) -> Person:
        """The administrator there."""
        return Person(url, *self.who)


def must_have_rows(caller: Caller, call: Call) -> None:
    """Raises RuntimeError where a route has nothing to answer: its time would tell nothing."""
    if not json.loads(caller.body(call))["data"]:
        raise RuntimeError(f"{call.path} answers no rows")


def cached(stage: Stage) -> list[Bar]:
    """A KPI request that finds its answer in the cache, against bare Flask with a JWT; with
    revocation and audit, as the product is, and without."""
    floor, person = Floor(stage.secret), stage.person(stage.product)
    must_have_rows(Caller(stage.product), person.get("/kpis"))
    calls: list[tuple[Caller, Callable[[], Call]]] = [
        (Caller(stage.floor), lambda: floor.bare),
        (Caller(stage.product), lambda: person.get("/kpis")),
        (Caller(stage.unguarded), lambda: person.get("/kpis")),
    ]
    side_by_side(calls, WARM)
    bare, kpis, unguarded = side_by_side(calls, ROUNDS)
    return [
        Bar("cached KPIs, revocation and audit included", kpis / bare, 1.8, seen=ms(kpis, bare)),
        Bar(
            "cached KPIs without revocation and audit",
            unguarded / bare,
            1.6,
            seen=ms(unguarded, bare),
        ),
    ]


def uncached(stage: Stage, engine: Engine) -> list[Bar]:
    """Each route without a cache, against the same statements sent by psycopg2; and how many of
    them there are, since one a row would count on both sides."""
    floor, person = Floor(stage.secret), stage.person(stage.uncached)
    bars, asked = [], {}
    for name, path in ROUTES.items():
        statements = statements_of(path, stage, engine)
        asked[name] = len(statements)
        raw = Raw(stage.database, statements)
        caller, bare = Caller(stage.uncached), Caller(stage.floor)
        must_have_rows(caller, person.get(path))
        taken: list[tuple[float, float, float]] = []
        for _ in range(TURNS):
            taken.append((bare.time(floor.bare), raw.time(), caller.time(person.get(path))))
        jwt, sql, ours = (quantile([one[place] for one in taken], 0.5) for place in range(3))
        allowed = 1.5 * sql + 2.5 * jwt + ROW_SECONDS * raw.rows
        bars.append(Bar(f"uncached {name}", ours / allowed, 1.0, seen=ms(ours, allowed)))
    most = max(asked, key=asked.__getitem__)
    share, seen = asked[most] / STATEMENTS, f"{most}: {asked[most]}"
    return [*bars, Bar("statements of the route that asks most", share, 1.0, seen=seen)]


class Raw:
    """The statements of a request on a bare connection."""

    def __init__(self, url: str, statements: list[tuple[str, Any]]) -> None:
        self._connection = psycopg2.connect(url.replace("+psycopg2", ""))
        self._connection.autocommit = True
        self._statements, self.rows = statements, 0

    def time(self) -> float:
        """Seconds for all of them, rows fetched."""
        began, self.rows = time.perf_counter(), 0
        with self._connection.cursor() as cursor:
            for statement, params in self._statements:
                cursor.execute(statement, params)
                self.rows += len(cursor.fetchall()) if cursor.description else 0
        return time.perf_counter() - began


def statements_of(path: str, stage: Stage, engine: Engine) -> list[tuple[str, Any]]:
    """What the request asks of the database. Who asks, and that it is noted, goes by another engine
    (`warehouse.db.quick`) and is left out."""
    from dashboard.app import create_app
    from warehouse import caching

    app = create_app()
    caching.use(None)
    client = app.test_client()
    headers = stage.person(stage.product).get(path).headers
    found: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, sql: str, params: Any, *_: Any) -> None:
        found.append((sql, params))

    event.listen(engine, "before_cursor_execute", note)
    try:
        answer = client.get(f"/api/v1{path}", headers=headers)
        assert answer.status_code == 200, (path, answer.status_code)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return found


def promised(stage: Stage) -> dict[str, dict[str, float]]:
    """The milliseconds of what is promised, by one connection and by twenty that together ask at a
    steady rate (each what-if is a new one)."""
    person = stage.person(stage.product)
    caller = Caller(stage.product)
    found: dict[str, dict[str, float]] = {}
    paths = {"health": "/health"} | ROUTES
    calls = {name: partial(person.get, path) for name, path in paths.items()}
    step = count(1)

    def what_if() -> Call:
        return person.get(f"{WHAT_IF}&demand_change={next(step) / 10_000}")

    for name, make in (calls | {"what-if": what_if}).items():
        if name == "health":
            caller.time(make())
        else:
            must_have_rows(caller, make())
        alone = [caller.time(make()) for _ in range(ROUNDS)]
        twenty = crowd(stage.product, make, people=20, pause=20 / CROWD_RATE, seconds=3)
        found[name] = {
            "one": quantile(alone, 0.5) * 1000,
            "twenty": quantile(twenty, 0.5) * 1000,
        }
    return found


def tails(stage: Stage) -> list[Bar]:
    """The tail of many connections that together ask at a steady rate against the middle of one;
    what it is for bare Flask is told beside it."""
    floor, person = Floor(stage.secret), stage.person(stage.product)
    bare, ours = [], []
    for _ in range(CROWD_TURNS):
        bare.append(_tail(stage.floor, lambda: floor.bare))
        ours.append(_tail(stage.product, lambda: person.get("/kpis")))
    ratio, seen = _middle(ours)
    name = f"p99 at 50 connections ({CROWD_RATE:.0f} requests a second) against p50 at one"
    told = "{}; bare Flask {:.1f}: {}".format(seen, *_middle(bare))
    return [Bar(name, ratio, 10.0, seen=told)]


def _tail(url: str, make: Callable[[], Call]) -> tuple[float, float]:
    """The median seconds of one connection, and the 99th percentile of fifty."""
    caller = Caller(url)
    alone = [caller.time(make()) for _ in range(ROUNDS)]
    fifty = crowd(url, make, people=50, pause=50 / CROWD_RATE, seconds=CROWD_SECONDS)
    return quantile(alone, 0.5), quantile(fifty, 0.99)


def _middle(turns: list[tuple[float, float]]) -> tuple[float, str]:
    """Of several turns of `_tail` the middle one: its ratio, and its milliseconds in words."""
    one, tail = sorted(turns, key=lambda turn: turn[1] / turn[0])[len(turns) // 2]
    return tail / one, ms(tail, one)


def pages(stage: Stage) -> list[Bar]:
    """Opening /main through Dash, against a callback that does nothing."""
    floor, person = Floor(stage.secret), stage.person(stage.product)
    main = person.callback(opening("/main"))
    open_whole(Caller(stage.product), main)
    pair: list[tuple[Caller, Callable[[], Call]]] = [
        (Caller(stage.floor), lambda: floor.empty),
        (Caller(stage.product), lambda: main),
    ]
    side_by_side(pair, WARM)
    empty, ours = side_by_side(pair, ROUNDS // 2)
    return [
        Bar("the page /main against an empty callback", ours / empty, 3.0, seen=ms(ours, empty))
    ]
