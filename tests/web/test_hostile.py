"""What an attacker sends, through HTTP: 4xx in the one shape, never 5xx, and on record.

The attacks are made from the tables of routes, pages and callbacks, so that a new door is attacked
as soon as it is there.
"""

from __future__ import annotations

import csv
import http.client
import io
import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest
import requests
from flask import Flask
from pydantic import BaseModel
from sqlalchemy import text

from api.openapi import CONVERTER
from api.parameters import Query
from api.routing import ROUTES, Route
from auth.guards import PUBLIC
from benchmarks.pages import opening
from dashboard.callback_body import TEXTS
from dashboard.pages import PAGES
from tests.web.conftest import ADMIN, ANALYST, PASSWORD, VIEWER, Browser, Site, nothing_fails

API = "/api/v1"
SHORT = {"error"}
INJECTIONS = [
    "'",
    "' OR '1'='1",
    "' OR 1=1 --",
    "'; DROP TABLE core.item CASCADE; --",
    "') UNION SELECT email, password_hash FROM support.user --",
    "1; SELECT pg_sleep(9)",
    "\\'; --",
    "%' OR '%'='",
    "$$;SELECT 1;$$",
    "a\x00b",
    "%%s %(x)s {0}",
    "\u202e\ufeff",
    "9" * 60,
    "-1",
    "NaN",
    "1e400",
]
TELLING = ("' OR '1'='1", "a\x00b")
"""Those of them that are tried on parameters that another route has, too."""
PAGE_PARAMETERS = (
    *("sku", "site", "uf", "region", "family", "abc", "class", "level", "status", "search", "sort"),
    *("from", "to", "since", "until", "cursor", "start", "window", "models", "measure", "model"),
    *("actor", "action", "object", "user", "role", "load", "run", "page", "limit", "q", "kind"),
    *("adjust", "job", "alert"),
)
DAMAGED: list[tuple[str, bytes, str]] = [
    ("no JSON", b"{", "application/json"),
    ("nothing", b"", "application/json"),
    ("a doubled key", b'{"a": 1, "a": 2}', "application/json"),
    ("a doubled key inside", b'{"a": {"b": 1, "b": 2}}', "application/json"),
    ("bad UTF-8", b'{"a": "\xff\xfe"}', "application/json"),
    ("UTF-16", '{"a": 1}'.encode("utf-16"), "application/json"),
    ("NaN", b'{"a": NaN}', "application/json"),
    ("Infinity", b'{"a": -Infinity}', "application/json"),
    ("a huge number", b'{"a": ' + b"9" * 6000 + b"}", "application/json"),
    ("a huge exponent", b'{"a": 1e999999}', "application/json"),
    ("depth", b"[" * 100_000 + b"]" * 100_000, "application/json"),
    ("deep objects", b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "application/json"),
    ("NUL", b'{"a": "\\u0000"}', "application/json"),
    ("half a character", b'{"a": "\\ud800"}', "application/json"),
    ("a list", b"[]", "application/json"),
    ("null", b"null", "application/json"),
    ("too much", b'{"a": "' + b"x" * 3_000_000 + b'"}', "application/json"),
    ("a form", b"email=a&password=b", "application/x-www-form-urlencoded"),
    ("plain text", b'{"a": 1}', "text/plain"),
    ("XML", b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><x>&e;</x>", "text/xml"),
]
TRAVERSALS = [
    "/assets/../config.py",
    "/assets/..%2fconfig.py",
    "/assets/%2e%2e/config.py",
    "/assets/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "/assets/..%5cconfig.py",
    "/assets/....//config.py",
    "/assets//etc/passwd",
    "/assets/%00config.py",
    "/assets/nova.css%00.js",
    "/login-assets/../session.py",
    "/login-assets/..%2fsession.py",
    "/api/v1/static/..%2f..%2fconfig.py",
    "/api/v1/static/%2e%2e/%2e%2e/config.py",
    "/_dash-component-suites/dash/../../../../../../etc/passwd",
    "/_dash-component-suites/dash/..%2f..%2f..%2fetc%2fpasswd",
    "/_dash-component-suites/os/__init__.py",
    "/_dash-component-suites/dash/dash.py",
    "/_dash-component-suites/..%2fconfig/x.js",
    "/_dash-component-suites/dash_ag_grid/../../config.py",
]


def in_shape(answer: requests.Response) -> None:
    """A refusal for programs has the one shape."""
    assert answer.headers["Content-Type"] == "application/json", answer.text[:200]
    body = answer.json()
    assert set(body) == SHORT and set(body["error"]) == {"code", "message", "fields"}


def refused(site: Site, answer: requests.Response, *statuses: int) -> None:
    """4xx in the one shape, and on record."""
    is_refusal(answer, *statuses)
    on_record(site, answer)


def is_refusal(answer: requests.Response, *statuses: int) -> None:
    """4xx in the one shape."""
    asked = f"{answer.request.method} {answer.url}"[:200]
    assert 400 <= answer.status_code < 500, (asked, answer.status_code, answer.text[:300])
    assert not statuses or answer.status_code in statuses, (asked, answer.status_code, answer.text)
    in_shape(answer)


def on_record(site: Site, *answers: requests.Response) -> None:
    """The requests' own numbers stand in the audit log, with what came of them."""
    told = {
        (answer.headers["X-Request-ID"], answer.status_code): answer.url[:200]
        for answer in answers
        if urlsplit(answer.url).path != f"{API}/health"
    }
    sql = text("SELECT request_id, status FROM support.audit_log WHERE request_id = ANY(:ids)")
    with site.engine.connect() as connection:
        found = set(map(tuple, connection.execute(sql, {"ids": [one for one, _ in told]})))
    missing = {one: url for one, url in told.items() if one not in found}
    assert not missing, (missing, found)


@pytest.fixture(scope="module", autouse=True)
def driver(site: Site) -> Iterator[None]:
    """One outside driver, for the routes of drivers."""
    sql = (
        "INSERT INTO core.driver (driver, uf, date, value, load_id)"
        " VALUES ('selic_pct', '', '2025-06-01', 10.5, 1)"
    )
    with site.engine.begin() as connection:
        connection.execute(text(sql))
    yield
    with site.changing() as connection:
        connection.execute(text("DELETE FROM core.driver"))


def examples(route: Route, value: str | None = None) -> str:
    """The route's path with everything that varies filled in."""
    return CONVERTER.sub(lambda found: _example(found["name"], found["kind"], value), route.path)


KNOWN = {"supplier": "ALFA", "contract": "C-SUL", "driver": "selic_pct"}


def _example(name: str, kind: str | None, value: str | None) -> str:
    if value is not None:
        return quote(value, safe="")
    return "1" if kind == "int" else KNOWN.get(name, "CABO-01")


def parameters(model: type[BaseModel]) -> list[str]:
    return list(model.model_json_schema()["properties"]) if model is not Query else []


def called(route: Route) -> str:
    return f"{route.method} {route.path}"


def first_of_their_kind() -> set[tuple[str, str]]:
    """Routes and parameters, one of each name and schema, of lists rather than of files."""
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for route in sorted(ROUTES, key=lambda route: route.media is not None):
        for name, schema in route.query.model_json_schema()["properties"].items():
            found.setdefault((name, json.dumps(schema)), (called(route), name))
    return set(found.values())


FIRST_OF_THEIR_KIND = first_of_their_kind()
ALL = pytest.mark.parametrize("route", ROUTES, ids=called)
WITH_BODY = pytest.mark.parametrize("route", [one for one in ROUTES if one.body], ids=called)
WITH_PATH = pytest.mark.parametrize("route", [one for one in ROUTES if "<" in one.path], ids=called)


@pytest.fixture(scope="module")
def admin(site: Site) -> str:
    return site.tokens(ADMIN)["access_token"]


def send(site: Site, token: str, route: Route, path: str, **options: Any) -> requests.Response:
    """As an administrator; doors that are open to all are called as nobody."""
    headers = {} if route.permission == PUBLIC else {"Authorization": f"Bearer {token}"}
    headers |= options.pop("headers", {})
    return site.call(route.method, API + path, headers=headers, **options)


# SQL


@pytest.fixture
def intact(site: Site, home: Path) -> Iterator[None]:
    """No table of facts or people loses or gains a row, and nothing fails."""
    before = counted(site)
    with nothing_fails(site, home):
        yield
    assert counted(site) == before


def counted(site: Site) -> dict[str, int]:
    names = ("core.item", "core.site", "core.demand", "analytics.run", "support.user")
    with site.engine.connect() as connection:
        return {
            name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()
            for name in names
        }


@pytest.mark.usefixtures("intact")
@pytest.mark.parametrize("route", [one for one in ROUTES if one.query is not Query], ids=called)
def test_sql_in_a_parameter_is_only_a_value(site: Site, admin: str, route: Route) -> None:
    steady, answers = site.on_one_connection(), []
    for name in parameters(route.query):
        for value in INJECTIONS if (called(route), name) in FIRST_OF_THEIR_KIND else TELLING:
            answer = send(steady, admin, route, examples(route), params={name: value})
            if answer.status_code != 200:
                is_refusal(answer, 422, 404)
                answers.append(answer)
            elif not route.media:
                assert_harmless(name, value, answer.json()["data"])
            elif route.media == "text/csv":
                assert_harmless(name, value, rows_of(answer.content.decode("utf-8-sig")))
    on_record(site, *answers)


def rows_of(words: str) -> list[dict[str, Any]]:
    """A Portuguese CSV file's rows; a number that is 0 is None."""
    found = csv.DictReader(io.StringIO(words), delimiter=";")
    return [
        {name: value not in ("0", "") and value for name, value in row.items()} for row in found
    ]


def assert_harmless(name: str, value: str, data: Any) -> None:
    """A filter that matches nothing gives nothing: the condition was not widened."""
    words = json.dumps(data)
    assert "$2b$" not in words
    if name in ("sku", "site", "family", "region", "uf", "search") and isinstance(data, list):
        assert all(isinstance(row, dict) for row in data)
        found = [
            row for row in data if {"key", "figure"}.isdisjoint(row) and not counts_nothing(row)
        ]
        assert not found or name == "search", (name, value, found[:1])


def counts_nothing(row: dict[str, Any]) -> bool:
    """A row that adds up, of nothing."""
    names = ("count", "series", "points", "size", "alerts", "actual", "mean")
    counts = [row[name] for name in names if name in row]
    return bool(counts) and not any(counts)


@pytest.mark.usefixtures("intact")
@WITH_PATH
def test_sql_in_a_path_is_only_a_value(site: Site, admin: str, route: Route) -> None:
    steady = site.on_one_connection()
    answers = [send(steady, admin, route, examples(route, value)) for value in INJECTIONS]
    for answer in answers:
        is_refusal(answer)
    on_record(site, *answers)


@pytest.mark.usefixtures("intact")
@WITH_BODY
def test_sql_in_a_body_is_only_a_value(site: Site, admin: str, route: Route) -> None:
    assert route.body is not None
    names = list(route.body.model_json_schema()["properties"])
    for value in INJECTIONS[:8]:
        body = dict.fromkeys(names, value)
        if "email" in body:
            body["email"] = f"{len(value)}{value}"
        refused(site, send(site, admin, route, examples(route), json=body))


@pytest.mark.usefixtures("intact")
@pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.path)
def test_a_page_survives_any_address(site: Site, entry: Any) -> None:
    browser = site.browser(ADMIN)
    addresses = {
        (quote(value, safe="").join(re.split("<[^>]+>", entry.path)), search)
        for value in INJECTIONS
        for search in (urlencode(dict.fromkeys(PAGE_PARAMETERS, value)), "")
    }
    for path, search in addresses:
        answer = browser.open_page(path, f"?{search}")
        if quote("\x00") in path and answer.status_code == 400:
            continue
        assert answer.status_code == 200, (path, search, answer.text[:300])
        assert "state-failed" not in answer.text, (path, search)


FIRST_DAYS, LAST_DAYS = ("0001-01-01", "0001-12-31"), ("9999-01-01", "9999-12-31")
BEYOND = {"from": LAST_DAYS, "act_from": LAST_DAYS, "to": FIRST_DAYS, "act_to": FIRST_DAYS}
"""Days that leave nothing over; so does each of these months."""
ROW_FOR_EACH = {
    **dict.fromkeys(("/alerts/totals", "/recommendations/totals"), "count"),
    **dict.fromkeys(("/recommendations/kinds",), "count"),
    **dict.fromkeys(("/suppliers", "/supplier-totals"), "lines"),
    **dict.fromkeys(("/geographic/data", "/inventory/regions"), "demand_brl"),
}
"""Lists with a row for each of something, and what is 0 or unknown in a row of nothing."""
OF_TODAY = ("/kpis", "/kpis/rows")
"""Lists with figures that no days narrow."""


def test_there_is_nothing_before_the_first_day_and_after_the_last(site: Site, admin: str) -> None:
    steady = site.on_one_connection()
    for route in ROUTES:
        for name in ("from", "to", "act_from", "act_to", "month"):
            if name not in parameters(route.query):
                continue
            for day in (*FIRST_DAYS, *LAST_DAYS):
                told = day[:7] if name == "month" else day
                answer = send(steady, admin, route, examples(route), params={name: told})
                assert answer.status_code < 500, (route.path, name, day)
                if answer.status_code == 200 and day in BEYOND.get(name, (day,)):
                    assert_nothing(route, answer)
    for search in ("to=0001-01-20", "to=9999-12-31", "from=9999-12-31"):
        shown = site.browser(ADMIN).open_page("/admin/audit", f"?{search}")
        assert "state-failed" not in shown.text


def assert_nothing(route: Route, answer: requests.Response) -> None:
    """A list that is narrowed to no day is empty, or counts nothing."""
    if route.media or route.path in OF_TODAY or not isinstance(answer.json()["data"], list):
        return
    body = answer.json()
    if route.path in ROW_FOR_EACH:
        assert not any(row[ROW_FOR_EACH[route.path]] for row in body["data"]), answer.url
    else:
        assert body["data"] == [] and body["meta"]["count"] == 0, answer.url


# Bodies


@WITH_BODY
def test_a_damaged_body_is_refused(site: Site, admin: str, route: Route) -> None:
    for name, body, kind in DAMAGED:
        answer = send(
            site, admin, route, examples(route), data=body, headers={"Content-Type": kind}
        )
        assert answer.status_code in (400, 413, 415, 422), (name, answer.status_code)
        refused(site, answer)


@WITH_BODY
def test_a_field_that_is_not_offered_is_refused(site: Site, admin: str, route: Route) -> None:
    assert route.body is not None
    smuggled = {"is_admin": True, "permissions": ["manage_users"], "token_version": 0, "id": 1}
    known = route.body.model_json_schema()["properties"]
    for name, value in smuggled.items():
        if name in known:
            continue
        answer = send(site, admin, route, examples(route), json={name: value})
        refused(site, answer, 422)
        assert answer.json()["error"]["fields"][name] == "is not known here"


@ALL
def test_a_parameter_that_is_not_offered_is_refused(site: Site, admin: str, route: Route) -> None:
    names = {"scope", "ufs", "role", "user_id", "_method", "__proto__", "sku[]"}
    steady, answers = site.on_one_connection(), []
    for name in names - {*parameters(route.query)}:
        answer = send(steady, admin, route, examples(route), params={name: "ADMIN"})
        is_refusal(answer, 422)
        answers.append(answer)
    on_record(site, *answers)


def test_damaged_bodies_of_callbacks_are_bad_requests(site: Site) -> None:
    browser = site.browser(VIEWER)
    for _, body, kind in DAMAGED:
        answer = browser.call(
            "POST",
            "/_dash-update-component",
            data=body,
            headers={"Content-Type": kind, "Connection": "close"},
        )
        refused(site, answer, 400, 413, 415)
    untypable = [opening("/materials", one) for one in ("a\x00b", "\ud800", "/materials/\ud800")]
    untold = [opening(one) for one in (None, "", "main", *ODD_KINDS)]
    unsearched = [opening("/main", one) for one in ODD_KINDS]
    for call in (*untypable, *untold, *unsearched):
        refused(site, browser.callback(call), 400)


ODD_KINDS: list[Any] = [
    *(True, -1, 1e308, 10**30, [], {}, [[[]]], {"a": {"b": [1]}}, [None], ["a", 1, {}]),
    {"props": {"children": 1}},
]
ODD_VALUES = [None, "", "'; --", "x" * 5000, "<script>alert(1)</script>", *ODD_KINDS]


@pytest.mark.usefixtures("intact")
def test_callbacks_survive_values_of_any_kind(app: Flask, site: Site) -> None:
    browser = site.browser(ADMIN)
    callbacks = app.extensions["nova-dash"].callback_map
    for output, callback in callbacks.items():
        if "callback" not in callback:
            continue
        for value in ODD_VALUES:
            answer = browser.callback(callback_body(output, callback, value))
            assert answer.status_code < 500, (output, value, answer.text[:300])


def callback_body(output: str, callback: dict[str, Any], value: Any) -> dict[str, Any]:
    """A call of this callback with `value` for everything that the browser would send; an address
    and a search are texts."""
    inputs = [_property(one, value) for one in callback["inputs"]]
    return {
        "output": output,
        "outputs": _outputs(output),
        "inputs": inputs,
        "state": [_property(one, value) for one in callback["state"]],
        "changedPropIds": [_name(one) for one in callback["inputs"][:1]],
    }


def _property(declared: dict[str, Any], value: Any) -> Any:
    identity, name = _identity(declared["id"]), declared["property"]
    told = value if isinstance(value, str) or name not in TEXTS else "1"
    entry = {"id": identity, "property": name, "value": f"/{told}" if name == "pathname" else told}
    wild = isinstance(identity, dict) and '["ALL"]' in declared["id"]
    return [entry] if wild else entry


def _identity(written: str) -> Any:
    if not written.startswith("{"):
        return written
    wild = {"ALL", "MATCH", "ALLSMALLER"}
    read = json.loads(written)
    return {key: "x" if isinstance(v, list) and set(v) <= wild else v for key, v in read.items()}


def _outputs(output: str) -> Any:
    if output.startswith(".."):
        return [_output(one) for one in output[2:-2].split("...")]
    return _output(output)


def _output(written: str) -> dict[str, Any]:
    identity, _, name = written.partition("@")[0].rpartition(".")
    return {"id": _identity(identity), "property": name}


def _name(declared: dict[str, Any]) -> str:
    identity = _identity(declared["id"])
    shown = json.dumps(identity) if isinstance(identity, dict) else identity
    return f"{shown}.{declared['property']}"


# Addresses, headers, methods


def raw(site: Site, path: str, method: str = "GET", **headers: str) -> tuple[int, bytes]:
    """The address exactly as written: no client tidies it up."""
    place = urlsplit(site.url)
    connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=30)
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("path", TRAVERSALS)
def test_no_path_leads_out_of_its_folder(site: Site, path: str) -> None:
    before = len(site.audit("refused"))
    status, body = raw(site, path)
    assert status in (302, 400, 404), (status, body[:200])
    is_call = path.startswith(API)
    assert status == 302 or is_call or len(site.audit("refused")) == before + 1
    for secret in (b"SettingsError", b"root:", b"import ", b"login_manager"):
        assert secret not in body


@ALL
def test_a_method_cannot_be_overridden(site: Site, admin: str, route: Route) -> None:
    """GET stays GET whatever the headers say: nothing is changed, nothing is 5xx."""
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        bearer = {"Authorization": f"Bearer {admin}", name: route.method}
        answer = site.get(API + examples(route), headers=bearer, json={})
        assert answer.status_code == (200 if route.method == "GET" else 405) or (
            answer.status_code in (200, 404, 422) and _is_read(route.path)
        ), (answer.status_code, answer.text[:200])


def _is_read(path: str) -> bool:
    return any(one.method == "GET" and one.path == path for one in ROUTES)


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "FOO", "get"])
def test_odd_methods_are_refused(site: Site, method: str) -> None:
    for path in ("/main", f"{API}/kpis", "/login", "/health"):
        assert 400 <= raw(site, path, method)[0] < 500


def test_oversized_lines_and_headers_are_refused(site: Site) -> None:
    bearer = {"Authorization": "Bearer " + "x" * 20_000}
    assert 400 <= site.get(f"{API}/kpis", headers=bearer).status_code < 500
    assert 400 <= site.get(f"{API}/kpis?search=" + "x" * 20_000).status_code < 500
    many = {f"X-Header-{number}": "1" for number in range(300)}
    assert 400 <= site.get(f"{API}/kpis", headers=many).status_code < 500
    cookie = {"Cookie": "nova=" + "x" * 4000}
    assert site.get("/main", headers=cookie).status_code == 302


@pytest.mark.parametrize(
    "request_text",
    [
        "GET /main HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        "POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: abc\r\n\r\n",
        "GET /main HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET http://evil.example/main HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET //evil.example/main HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /ma\x01in HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /%ff%fe HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /main HTTP/9.9\r\nHost: a\r\n\r\n",
    ],
)
def test_malformed_requests_are_never_our_failure(site: Site, request_text: str) -> None:
    place = urlsplit(site.url)
    with socket.create_connection((place.hostname, place.port), timeout=10) as connection:
        connection.sendall(request_text.encode("latin-1"))
        status = int(connection.recv(200).split()[1])
    assert status < 500 or status == 505


FORGED = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://["},
    {"Origin": "file://"},
    {"Origin": "http://127.0.0.1.evil.example"},
    {"Origin": "http://127.0.0.1@evil.example"},
    {"Referer": "https://evil.example/127.0.0.1"},
    {"Referer": "http://["},
]


@pytest.mark.parametrize("forged", FORGED, ids=str)
def test_another_sites_request_changes_nothing(site: Site, forged: dict[str, str]) -> None:
    browser = site.browser(ANALYST)
    token = browser.csrf_token_of_page()
    change = {"status": "acknowledged"}
    attempts = [
        browser.call("POST", "/_dash-update-component", json=opening("/main"), headers=forged),
        browser.call("POST", "/logout", data={"csrf_token": token}, headers=forged),
        browser.call("PATCH", f"{API}/alerts/1", json=change, headers=forged),
        site.call(
            "POST",
            f"{API}/auth/login",
            json={"email": VIEWER, "password": PASSWORD},
            headers=forged,
        ),
    ]
    assert [answer.status_code for answer in attempts] == [400] * 4
    for answer in attempts:
        on_record(site, answer)
    assert browser.get("/main").status_code == 200
    language = browser.call(
        "POST", "/language/pt_BR", data={"csrf_token": token}, headers=forged | {"Origin": site.url}
    )
    assert language.headers["Location"] == "/"


@pytest.mark.parametrize("host", ["evil.example", "a@b", "a b", "[::1", "x" * 300])
def test_a_forged_host_is_not_echoed(site: Site, host: str) -> None:
    answer = site.get("/main", headers={"Host": host})
    assert answer.status_code in (302, 400)
    assert answer.headers.get("Location", "/login").startswith("/login")
    page = site.get("/login", headers={"Host": host, "X-Forwarded-Host": host})
    assert page.status_code in (200, 400) and host not in page.text


# Sessions


def test_a_planted_session_is_not_the_one_that_is_signed_in(site: Site) -> None:
    attacker, victim = site.browser(), site.browser()
    attacker.get("/login")
    planted = dict(attacker.jar.cookies)
    victim.jar.cookies.update(attacker.jar.cookies)
    token = victim.csrf_token()
    assert victim.sign_in(VIEWER, PASSWORD, csrf_token=token).status_code == 303
    assert victim.get("/main").status_code == 200
    assert dict(victim.jar.cookies) != planted
    assert attacker.get("/main").status_code == 302
    for name, value in planted.items():
        again = site.get("/main", headers={"Cookie": f"{name}={value}"})
        assert again.status_code == 302


def test_a_cookie_that_was_signed_out_is_worthless(site: Site) -> None:
    browser = site.browser(VIEWER)
    kept = "; ".join(f"{name}={value}" for name, value in browser.jar.cookies.items())
    token = browser.csrf_token_of_page()
    assert site.get("/main", headers={"Cookie": kept}).status_code == 200
    assert browser.call("POST", "/logout", data={"csrf_token": token}).status_code == 303
    answers = [site.get("/main", headers={"Cookie": kept}).status_code for _ in range(8)]
    assert answers == [302] * 8


@pytest.mark.parametrize("cookie", ["x", "eyJ.a.b", "a" * 64, "1.0", "../../x", '"', "%00"])
def test_a_made_up_cookie_is_nobody(site: Site, cookie: str) -> None:
    names = set(site.browser(VIEWER).jar.cookies.keys())
    header = "; ".join(f"{name}={cookie}" for name in names)
    assert site.get("/main", headers={"Cookie": header}).status_code == 302
    assert site.get(f"{API}/kpis", headers={"Cookie": header}).status_code == 401


# Ways out


REDIRECTS = [
    "https://evil.example",
    "http:evil.example",
    "http:/evil.example",
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/ /evil.example",
    "/%09/evil.example",
    "/%2f/evil.example",
    "/%5cevil.example",
    "//evil.example/%2f..",
    "/.//evil.example",
    "/..//evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "//evil%E3%80%82example",
    "https:evil.example",
    "@evil.example",
    "/ok\r\nSet-Cookie: a=b",
    "/ok\x00",
    "//127.0.0.1@evil.example",
    "http://127.0.0.1.evil.example",
]


@pytest.mark.parametrize("wanted", REDIRECTS)
def test_no_redirect_leaves_this_site(site: Site, wanted: str) -> None:
    browser = site.browser()
    answers = [browser.sign_in(VIEWER, PASSWORD, next=wanted)]
    answers.append(browser.get("/login", params={"next": wanted}))
    referrer = wanted.encode("ascii", "ignore").decode().strip()
    if referrer.isprintable():
        headers = {"Referer": site.url + referrer, "Origin": site.url}
        form = {"csrf_token": browser.csrf_token_of_page()}
        answers.append(browser.call("POST", "/language/pt_BR", data=form, headers=headers))
    for answer in answers:
        assert answer.status_code == 303, answer.text[:200]
        assert_stays(answer.headers["Location"])
        assert "a" not in answer.cookies


def assert_stays(location: str) -> None:
    """A browser reads backslashes as slashes, leaves out tabs, and resolves dots."""
    seen = re.sub(r"[\t\r\n]", "", location).replace("\\", "/").strip()
    assert seen.startswith("/") and not seen.startswith("//"), location
    resolved = requests.compat.urljoin("http://site.test/login", seen)  # type: ignore[attr-defined]
    assert urlsplit(resolved).netloc == "site.test", location


def test_another_users_things_are_not_there(site: Site, admin: str) -> None:
    """Every route with an id answers 404 to ids that are nobody's."""
    for route in ROUTES:
        if "<" not in route.path:
            continue
        for value in ("0", "987654321", "9223372036854775807", "9223372036854775808", "-1"):
            answer = send(site, admin, route, examples(route, value), json=a_body(route))
            refused(site, answer, 404, 405, 422)


def a_body(route: Route) -> dict[str, Any] | None:
    return {"status": "acknowledged"} if route.body is not None else None


def test_browser_is_a_browser(site: Site) -> None:
    """The helper's own way in works, so that the refusals above mean something."""
    browser = Browser(site)
    assert browser.sign_in(ANALYST, PASSWORD).status_code == 303
    assert browser.open_page("/main").status_code == 200
