"""The API through HTTP: one shape, exact parameters, pages, ETags, languages, decisions."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import requests
from pydantic import BaseModel

from api import openapi
from api.errors import STATUSES
from api.exporting import EXPORTS
from api.routing import ROUTES
from tests import factories
from tests.web.conftest import ADMIN, ANALYST, SCOPED, VIEWER, Api, Site

META = {"run_id", "data_as_of", "as_of", "computed_at", "count", "next", "is_demo"}
LISTS = {
    "/kpis": 10,
    "/alerts": None,
    "/forecasts": 4 * 3 * 30,
    "/forecasts/levels": 4 * 3 * 30,
    "/items": 4,
    "/materials": 4,
}
WITHOUT_ROWS = ("/outages", "/savings/items", "/savings/rows")
"""Lists that nothing is in, of the data of `site`."""
SEVERITIES = {"info": 0, "warning": 1, "critical": 2}
SPANNED = (
    "/alerts",
    "/drivers",
    "/forecasts",
    "/forecasts/levels",
    "/kpis",
    "/order-lines",
    "/outages",
    "/projects",
    "/recommendations",
    "/savings",
)
BAD_PARAMETERS = [
    ("/kpis?colour=red", "colour"),
    ("/kpis?uf=sp", "uf"),
    ("/kpis?limit=5", "limit"),
    ("/items?limit=0", "limit"),
    ("/items?limit=501", "limit"),
    ("/items?limit=ten", "limit"),
    ("/items?limit=1&limit=2", "limit"),
    ("/items?sort=colour", "sort"),
    ("/items?cursor=nonsense", "cursor"),
    ("/items?abc=D", "abc"),
    ("/items?sku=a%00b", "sku"),
    ("/alerts?level=urgent", "level"),
    ("/alerts?status=done", "status"),
    ("/forecasts?model=oracle", "model"),
    ("/forecasts?from=31/12/2025", "from"),
    *((f"/kpis?from={day}", "from") for day in ("0", "20251231", "2025-12-31T00:00:00")),
    ("/recommendations?act_to=1767225600", "act_to"),
    ("/forecasts?class=odd", "class"),
    *((f"{path}?from=2025-02-01&to=2025-01-31", "to") for path in SPANNED),
    ("/forecasts/levels?level=item_depot", "level"),
    ("/forecasts/levels?area=sp", "area"),
    ("/materials/CABO-01?uf=SP", "uf"),
    ("/auth/me?verbose=1", "verbose"),
    ("/inventory/policy?sku=CABO-01", "site"),
    ("/inventory/policy?site=DEP-SP", "sku"),
    ("/projections?sku=CABO-01", "site"),
]


@pytest.fixture(scope="module")
def api(site: Site) -> Api:
    return site.api(VIEWER)


@pytest.fixture(scope="module")
def analyst(site: Site) -> Api:
    return site.api(ANALYST)


@pytest.mark.parametrize("path", LISTS)
def test_a_list_has_its_shape(api: Api, path: str) -> None:
    answer = api.get(path, params={} if path == "/kpis" else {"limit": 500})
    body = answer.json()
    assert set(body) == {"data", "meta"} and set(body["meta"]) == META
    assert body["meta"]["run_id"] == 1 and body["meta"]["data_as_of"] == "2025-06-29"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert body["meta"]["count"] == len(body["data"]) > 0
    assert LISTS[path] in (None, len(body["data"]))


def test_quantiles_are_in_order_for_every_date_of_the_horizon(api: Api) -> None:
    asked = {"sku": "BAT-02", "site": "DEP-SP", "limit": 500}
    rows = api.get("/forecasts", params=asked).json()["data"]
    assert len({row["date"] for row in rows}) == len(rows) == 30
    for row in rows:
        assert 0 <= row["p10"] <= row["p50"] <= row["p90"]
        assert row["model"] == "ensemble"
    other = api.get("/forecasts", params=asked | {"model": "naive"}).json()["data"]
    assert {row["model"] for row in other} == {"naive"}
    later = api.get("/forecasts", params=asked | {"from": rows[10]["date"]}).json()["data"]
    assert later == rows[10:]


def test_a_material_has_everything(api: Api) -> None:
    data = api.get("/materials/BAT-02").json()["data"]
    assert data["item"]["name"] == "Bateria estacionária 48V"
    assert {row["site"] for row in data["positions"]} == {"DEP-SP", "DEP-RJ", "DEP-BA"}
    assert data["open_orders"][0]["order"] == "PO-1"
    listed = api.get("/alerts", params={"sku": "BAT-02", "limit": 500}).json()["data"]
    assert {alert["id"] for alert in data["alerts"]} == {alert["id"] for alert in listed} != set()
    assert all(alert["message"] for alert in data["alerts"])
    missing = api.get("/materials/NO/SUCH")
    assert missing.status_code == 404
    assert missing.json()["error"]["code"] == "unknown_material"


@pytest.mark.parametrize(("path", "name"), BAD_PARAMETERS)
def test_a_bad_parameter_is_named(api: Api, path: str, name: str) -> None:
    answer = api.get(path)
    assert answer.status_code == 422, answer.text
    assert list(_error(answer)["fields"]) == [name]


@pytest.mark.parametrize("path", ["/items", "/materials", "/alerts", "/forecasts"])
def test_pages_put_together_are_the_whole_list(api: Api, path: str) -> None:
    whole = api.get(path, params={"limit": 500}).json()["data"]
    size = max(1, len(whole) // 3)
    rows: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        body = api.get(path, params={"limit": size} | cursor).json()
        rows += body["data"]
        assert body["meta"]["count"] == len(whole)
        if body["meta"]["next"] is None:
            break
        cursor = {"cursor": body["meta"]["next"]}
    assert rows == whole and len(whole) > size


def test_a_sort_is_followed_both_ways(api: Api) -> None:
    up = [row["sku"] for row in api.get("/items?sort=sku").json()["data"]]
    down = [row["sku"] for row in api.get("/items?sort=-sku").json()["data"]]
    assert up == sorted(up) == down[::-1]


def test_the_document_lists_what_lists_may_be_sorted_by(site: Site) -> None:
    admin = site.on_one_connection().api(ADMIN)
    paths = site.get("/api/v1/openapi.json").json()["paths"]
    listed = {
        path: [one for one in told["get"]["parameters"] if one["name"] == "sort"]
        for path, told in paths.items()
        if "get" in told
    }
    lists = {path: found[0]["schema"] for path, found in listed.items() if found}
    assert {"/items", "/materials", "/savings/rows", "/users"} <= set(lists)
    assert {"/exports/items.csv", "/exports/items.xlsx", "/exports/savings.csv"} <= set(lists)
    for path, schema in lists.items():
        assert schema["default"] in schema["enum"], path
        columns = [one for one in schema["enum"] if not one.startswith("-")]
        if path.startswith("/exports/"):
            assert admin.get(path, params={"sort": columns[0]}).status_code == 200, path
        else:
            tried = {f"-{columns[0]}", *(("", "-")[n % 2] + one for n, one in enumerate(columns))}
            assert tried <= set(schema["enum"]), path
            for one in tried:
                assert_in_order(admin, path, one)
        refused = admin.get(path, params={"sort": "moon"})
        assert refused.json()["error"]["fields"]["sort"].startswith(
            f"must be one of {', '.join(columns)}, with"
        ), path


def assert_in_order(api: Api, path: str, sort: str) -> None:
    """What is not known comes last, whichever way the rest goes."""
    answer = api.get(path, params={"sort": sort, "limit": 500})
    assert answer.status_code == 200, (path, sort)
    rows, column = answer.json()["data"], sort.removeprefix("-")
    assert rows or path in WITHOUT_ROWS, path
    values = [SEVERITIES[row["level"]] if column == "severity" else row[column] for row in rows]
    known = sorted((one for one in values if one is not None), reverse=sort.startswith("-"))
    assert values == known + [None] * (len(values) - len(known)), (path, sort)


def test_an_unchanged_answer_is_not_sent_again(api: Api) -> None:
    first = api.get("/items")
    again = api.get("/items", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "Content-Security-Policy" in again.headers
    other = api.get("/items?limit=1", headers={"If-None-Match": first.headers["ETag"]})
    assert other.status_code == 200


def test_a_scope_hides_the_rest(site: Site) -> None:
    api = site.api(SCOPED)
    rows = api.get("/forecasts?limit=500").json()["data"]
    assert {row["site"] for row in rows} == {"DEP-BA"}
    assert api.get("/forecasts?site=DEP-SP").json()["data"] == []
    everybodys = site.api(VIEWER).get("/alerts?limit=500").json()["data"]
    hidden = next(row for row in everybodys if row["uf"] == "SP")
    assert {row["uf"] for row in api.get("/alerts?limit=500").json()["data"]} == {"BA"}
    denied = api.call("PATCH", f"/alerts/{hidden['id']}", json={"status": "acknowledged"})
    assert denied.status_code == 404


def test_models_are_judged_on_what_the_reader_may_see(site: Site) -> None:
    every = site.api(VIEWER).get("/models/performance").json()["data"]
    assert {row["model"] for row in every} == set(factories.MODELS)
    whole = next(r for r in every if r["model"] == "ensemble" and r["demand_class"] is None)
    kpis = site.api(VIEWER).get("/kpis").json()["data"]
    assert whole["wape"] == pytest.approx(next(k["value"] for k in kpis if k["key"] == "wape"))
    api = site.api(SCOPED)
    mine = api.get("/models/performance").json()["data"]
    seen = next(r for r in mine if r["model"] == "ensemble" and r["demand_class"] is None)
    assert 0 < seen["points"] < whole["points"] and seen["wape"] != whole["wape"]
    steps = api.get("/models/steps?class=smooth").json()["data"]
    assert [row["points"] for row in steps if row["model"] == "ensemble"][0] == seen["points"]
    assert api.get("/models/steps?class=lumpy").json()["data"] == []


def test_one_series_is_explained_to_whoever_may_see_it(site: Site, api: Api) -> None:
    (most,) = api.get("/models/diagnostics").json()["data"]
    named = {name: most["profile"][name] for name in ("sku", "site")}
    (found,) = api.get("/models/diagnostics", params=named).json()["data"]
    assert found == most
    assert found["profile"]["champion"] in {row["model"] for row in found["accuracy"]}
    assert found["diagnostics"]["residuals"]["p"] is not None
    assert set(factories.MODELS) == {row["model"] for row in found["forecast"]}
    shown = api.get("/forecasts", params=named | {"limit": 500}).json()["data"]
    assert [row for row in found["forecast"] if row["model"] == "ensemble"] == shown
    assert {row["model"] for row in found["backtest"]} <= set(factories.MODELS)
    (there,) = api.get("/models/diagnostics?site=DEP-SP").json()["data"]
    assert there["profile"]["site"] == "DEP-SP"
    assert api.get("/models/diagnostics?sku=NOPE&site=DEP-SP").json()["data"] == []
    scoped = site.api(SCOPED)
    assert scoped.get("/models/diagnostics?sku=CABO-01&site=DEP-SP").json()["data"] == []
    (mine,) = scoped.get("/models/diagnostics").json()["data"]
    assert mine["profile"]["site"] == "DEP-BA"


def test_messages_speak_the_readers_language(api: Api) -> None:
    portuguese = api.get("/alerts").json()["data"][0]
    english = api.get("/alerts", headers={"Accept-Language": "en"}).json()["data"][0]
    assert portuguese["id"] == english["id"]
    assert portuguese["message"] != english["message"]
    assert portuguese["item_name"] in english["message"]


def test_an_analyst_acknowledges_and_it_is_on_record(site: Site, analyst: Api) -> None:
    alert = analyst.get("/alerts?status=open&level=info,warning,critical").json()["data"][-1]
    change = {"status": "acknowledged", "reason": "ordered by phone"}
    answer = analyst.call("PATCH", f"/alerts/{alert['id']}", json=change)
    assert answer.status_code == 200 and answer.json()["data"]["status"] == "acknowledged"
    for _ in range(8):  # both workers
        shown = analyst.get("/alerts?status=acknowledged").json()["data"]
        assert [row["id"] for row in shown] == [alert["id"]]
    row = site.audit("alert.status")[-1]
    assert (row.actor, row.role, row.before["status"]) == (ANALYST, "ANALYST", "open")
    assert row.request_id == answer.headers["X-Request-ID"]


def test_a_cookie_alone_changes_nothing(site: Site) -> None:
    browser = site.browser(ANALYST)
    assert browser.get("/api/v1/alerts").status_code == 200
    change = {"status": "acknowledged"}
    refused = browser.call("PATCH", "/api/v1/alerts/1", json=change)
    assert refused.status_code == 400 and "CSRF" in _error(refused)["message"]


BODIES: list[tuple[str, bytes, str | None, int]] = [
    ("doubled key", b'{"status": "open", "status": "open"}', "application/json", 400),
    ("no JSON", b"{", "application/json", 400),
    ("bad UTF-8", b'{"status": "\xff"}', "application/json", 400),
    ("NaN", b'{"status": NaN}', "application/json", 400),
    ("deep", b"[" * 100_000, "application/json", 400),
    ("unknown field", b'{"status": "open", "risk_brl": 0}', "application/json", 422),
    ("wrong value", b'{"status": "gone"}', "application/json", 422),
    ("nothing", b"{}", "application/json", 422),
    ("a list", b"[]", "application/json", 422),
    ("a form", b"status=open", "application/x-www-form-urlencoded", 415),
    ("no type", b"{}", None, 415),
    ("too large", b" " * 3_000_000, "application/json", 413),
]


@pytest.mark.parametrize(
    ("body", "kind", "status"), [case[1:] for case in BODIES], ids=[case[0] for case in BODIES]
)
def test_a_bad_body_is_refused(analyst: Api, body: bytes, kind: str | None, status: int) -> None:
    headers = {"Content-Type": kind} if kind else {}
    answer = analyst.call("PATCH", "/alerts/1", data=body, headers=headers)
    assert answer.status_code == status, answer.text
    _error(answer)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nothing", 404),
        ("POST", "/api/v1/nothing", 404),
        ("GET", "/api/nothing", 404),
        ("GET", "/api/v1/alerts/99999999999999999999", 404),
        ("DELETE", "/api/v1/kpis", 405),
        ("POST", "/api/v1/alerts", 405),
        ("GET", "/api/v1/auth/login", 405),
        ("POST", "/health", 405),
        ("GET", "/api/v1/kpis", 401),
        ("POST", "/api/v1/auth/login", 415),
    ],
)
def test_a_failure_has_one_shape(site: Site, method: str, path: str, status: int) -> None:
    answer = site.call(method, path)
    assert answer.status_code == status
    _error(answer)
    assert ("Allow" in answer.headers) == (status == 405)


def test_addresses_may_be_as_long_as_the_document_says(site: Site, api: Api) -> None:
    told = site.get("/api/v1/openapi.json").json()["info"]["description"]
    assert told in site.get("/api/v1/docs").text
    (said,) = re.findall(r"([\d,]+) bytes", told)
    at_most = int(said.replace(",", ""))
    skus = [f"sku=UNKNOWN-{number:09}" for number in range(200)]
    found = api.get(f"/materials?{'&'.join(skus)}")
    assert found.status_code == 200 and found.json()["data"] == []
    line = "GET /api/v1/kpis?colour= HTTP/1.1"
    longest = api.get(f"/kpis?colour={'x' * (at_most - len(line))}")
    assert longest.status_code == 422 and list(_error(longest)["fields"]) == ["colour"]
    assert api.get(f"/kpis?colour={'x' * (at_most - len(line) + 1)}").status_code == 414


def test_forged_cursors_are_refused(api: Api) -> None:
    import base64

    for values in (["sku", "a\0", "a"], ["sku", None], ["-sku", "a", "a"], {"a": 1}, 7):
        cursor = base64.urlsafe_b64encode(json.dumps(values).encode()).decode()
        answer = api.get("/items", params={"cursor": cursor})
        assert answer.status_code == 422, (values, answer.text)
    huge = base64.urlsafe_b64encode(json.dumps(["-risk_brl", 1.0, 2**70]).encode()).decode()
    assert api.get("/alerts", params={"cursor": huge}).status_code == 422


def test_every_call_leaves_its_audit_row(site: Site, api: Api) -> None:
    answer = api.get("/items?limit=2")
    site.get("/api/v1/kpis")
    call = site.audit("api.items_listed")[-1]
    assert (call.actor, call.object, call.status) == (VIEWER, "GET /api/v1/items", 200)
    assert call.request_id == answer.headers["X-Request-ID"]
    denied = site.audit("api.kpis_listed")[-1]
    assert (denied.actor, denied.status) == ("anonymous", 401)


def test_a_level_is_the_sum_of_its_depots(api: Api) -> None:
    depots = api.get("/forecasts?sku=CABO-01&limit=500").json()["data"]
    asked = {"sku": "CABO-01", "limit": 500}
    for level, areas in {
        "item_uf": {"SP": ["DEP-SP"], "RJ": ["DEP-RJ"], "BA": ["DEP-BA"]},
        "item_region": {"SE": ["DEP-SP", "DEP-RJ"], "NE": ["DEP-BA"]},
        "item_country": {"BR": ["DEP-SP", "DEP-RJ", "DEP-BA"]},
    }.items():
        rows = api.get("/forecasts/levels", params=asked | {"level": level}).json()["data"]
        assert {row["area"] for row in rows} == set(areas)
        for row in rows:
            parts = [
                one["mean"]
                for one in depots
                if one["date"] == row["date"] and one["site"] in areas[row["area"]]
            ]
            assert row["mean"] == pytest.approx(sum(parts))
            assert (row["sku"], row["unit"]) == ("CABO-01", "m")
            assert row["p025"] <= row["p10"] <= row["p50"] <= row["p90"] <= row["p975"]


def test_a_family_is_told_by_unit_and_a_level_narrowed(api: Api) -> None:
    asked = {"level": "family_region", "area": "SE,NE", "limit": 1}
    families = api.get("/forecasts/levels", params=asked | {"limit": 500}).json()["data"]
    assert {(row["family"], row["unit"], row["sku"]) for row in families} == {
        ("fibra", "m", None),
        ("energia", "un", None),
        ("estrutura", "un", None),
        ("epi", "par", None),
    }
    seen, cursor = [], None
    while True:
        page = api.get("/forecasts/levels", params=asked | {"limit": 100, "cursor": cursor}).json()
        seen += page["data"]
        cursor = page["meta"]["next"]
        if cursor is None:
            break
    assert seen == families
    one = asked | {"family": "epi", "from": "2025-07-02", "to": "2025-07-03", "limit": 500}
    assert len(api.get("/forecasts/levels", params=one).json()["data"]) == 2 * 2


def test_every_level_says_how_good_it_was(api: Api) -> None:
    answer = api.get("/forecasts/levels/accuracy")
    assert answer.status_code == 200, answer.text
    rows = answer.json()["data"]
    assert [row["level"] for row in rows] == [
        "item_depot",
        "item_uf",
        "item_region",
        "item_country",
        "family_uf",
        "family_region",
        "family_country",
    ]
    by_level = {row["level"]: row for row in rows}
    assert (by_level["item_depot"]["nodes"], by_level["item_country"]["nodes"]) == (12, 4)
    assert by_level["item_depot"]["points"] == 12 * 30
    assert by_level["item_country"]["wape"] < by_level["item_depot"]["wape"]
    assert all(0 < row["coverage80"] <= row["coverage95"] <= 1 for row in rows)


def test_who_sees_one_uf_sees_the_sums_over_it_alone(site: Site) -> None:
    scoped = site.api(SCOPED)
    for level in ("item_uf", "family_uf"):
        rows = scoped.get("/forecasts/levels", params={"level": level, "limit": 500}).json()["data"]
        assert {row["area"] for row in rows} == {"BA"}
    for level in ("item_region", "item_country", "family_region", "family_country", "all_country"):
        assert scoped.get("/forecasts/levels", params={"level": level}).json()["data"] == []
    rows = scoped.get("/forecasts/levels/accuracy").json()["data"]
    found = {row["level"]: row["nodes"] for row in rows}
    assert found == {"item_depot": 4, "item_uf": 4, "family_uf": 4}


def test_the_document_names_the_codes_of_a_failure(site: Site, api: Api) -> None:
    admin = site.api(ADMIN)
    calls = {
        ("post", "/users"): admin.call("POST", "/users", json={"email": ADMIN}),
        ("post", "/views"): api.call("POST", "/views", json={"name": " ", "address": "/main"}),
        ("get", "/materials/{sku}"): api.get("/materials/NONE"),
        ("get", "/users"): api.get("/users"),
    }
    paths = site.get("/api/v1/openapi.json").json()["paths"]
    for (method, path), answer in calls.items():
        described = paths[path][method]["responses"][str(answer.status_code)]["description"]
        assert _error(answer)["code"] in described.split(", "), (path, described)
    described = paths["/alerts/{alert_id}"]["patch"]["responses"]["422"]["description"]
    known = {"invalid_input", "step_not_allowed", "owner_cannot_see", "last_administrator"}
    assert known <= set(described.split(", ")) and "bad_report" not in described


def test_the_document_lists_every_route_and_its_parameters(site: Site) -> None:
    document = site.get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    alerts = document["paths"]["/alerts"]["get"]
    names = {parameter["name"] for parameter in alerts["parameters"]}
    assert {"sku", "uf", "class", "level", "status", "limit", "cursor", "sort"} <= names
    expected = {"/health", "/kpis", "/alerts", "/alerts/{alert_id}", "/forecasts", "/items"}
    expected |= {"/materials", "/materials/{sku}", "/auth/login", "/auth/refresh"}
    expected |= {
        "/users",
        "/users/{user_id}",
        "/users/{user_id}/reset",
        "/users/{user_id}/sessions",
    }
    expected |= {"/loads", "/loads/{load_id}/rejects", "/jobs/{job_id}", "/jobs/{job_id}/load"}
    expected |= {"/jobs/{job_id}/cancel"}
    expected |= {f"/savings{part}" for part in ("", "/items", "/months", "/rows")}
    expected |= {"/geographic/data", "/inventory/regions", "/projections"}
    expected |= {"/alerts/totals", "/settings/thresholds", "/settings/method", "/kpis/rows"}
    expected |= {"/what-if", "/what-if/curve"}
    expected |= {"/audit", "/runs", "/runs/{run_id}/publish"}
    expected |= {"/models/performance", "/models/steps", "/models/diagnostics"}
    expected |= {"/forecasts/levels", "/forecasts/levels/accuracy"}
    expected |= {"/overrides", "/overrides/preview", "/overrides/{override_id}"}
    expected |= {"/forecasts/value-added"}
    expected |= {"/recommendations", "/recommendations/totals", "/recommendations/kinds"}
    expected |= {"/recommendations/{recommendation_id}"}
    expected |= {"/what-if", "/what-if/curve"}
    expected |= {"/savings", "/savings/months", "/savings/rows", "/savings/items"}
    expected |= {"/exports/board.pdf"}
    expected |= {f"/exports/{one.name}.{end}" for one in EXPORTS for end in ("csv", "xlsx")}
    expected |= {"/suppliers", "/suppliers/{supplier}", "/supplier-totals", "/order-lines"}
    expected |= {"/sla", "/sla/{contract}", "/sla/{contract}/evidence.pdf", "/outages"}
    expected |= {"/projects", "/projects/{project}"}
    expected |= {"/drivers", "/drivers/{driver}", "/driver-contributions"}
    expected |= {"/failure-risk", "/failure-risk/summary", "/failure-risk/parts"}
    families = ("/clustering/equipment-failure", "/clustering/tower-performance")
    expected |= {f"{one}{end}" for one in families for end in ("", "/summary", "/members")}
    expected |= {"/clustering/tower-performance/trends"}
    expected |= {"/status", "/views", "/views/{view_id}"}
    expected |= {"/inventory", "/inventory/totals", "/inventory/policy"}
    assert expected | {"/auth/logout", "/auth/me"} == set(document["paths"])
    told = {status: one["description"] for status, one in alerts["responses"].items()}
    for kind, status in STATUSES:
        assert kind.code in told[str(status)].split(", ")
    for name in set(re.findall(r"#/components/schemas/(\w+)", json.dumps(document))):
        assert name in document["components"]["schemas"], name
    docs = site.get("/api/v1/docs").text
    assert "GET /materials/{sku}" in docs and "http://" not in docs


def test_the_document_keeps_to_its_own_words(site: Site) -> None:
    """Summaries are whole sentences, lists are bounded by their items, and what a parameter is
    where it is left out is something that it may be."""
    document = site.get("/api/v1/openapi.json").json()
    operations = [one for path in document["paths"].values() for one in path.values()]
    assert [one["summary"] for one in operations if not one["summary"].endswith(".")] == []
    asked = {json.dumps(one["schema"]) for each in operations for one in each["parameters"]}
    schemas = [json.loads(one) for one in asked]
    arrays = [one for one in schemas if one.get("type") == "array"]
    assert [one for one in arrays if "maxLength" in one] == []
    assert {one.get("maxItems") for one in arrays} >= {27, 40, 200}
    assert [one for one in schemas if one.get("default") == ""] == []


def test_answers_have_the_fields_of_the_document(site: Site, api: Api) -> None:
    document = site.get("/api/v1/openapi.json").json()
    schemas = document["components"]["schemas"]
    for path in LISTS:
        answer = document["paths"][path]["get"]["responses"]["200"]
        kind = answer["content"]["application/json"]["schema"]["properties"]["data"]["items"]
        described = schemas[kind["$ref"].rpartition("/")[2]]["properties"]
        assert set(api.get(path).json()["data"][0]) == set(described), path
    answer = document["paths"]["/projects/{project}"]["get"]["responses"]["200"]
    kind = answer["content"]["application/json"]["schema"]["properties"]["data"]
    described = schemas[kind["properties"]["curve"]["items"]["$ref"].rpartition("/")[2]]
    (day, *_) = api.get("/projects/PRJ-1").json()["data"]["curve"]
    assert set(day) == set(described["properties"])


def test_the_document_refuses_two_types_of_one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    class Item(BaseModel):
        colour: str

    namesake = replace(ROUTES[0], path="/namesake", data=list[Item])
    monkeypatch.setattr(openapi, "ROUTES", [*ROUTES, namesake])
    with pytest.raises(ValueError, match="Two types of the API are called Item"):
        openapi.document.__wrapped__("nova")


def test_the_document_says_what_a_session_needs(site: Site) -> None:
    document = site.get("/api/v1/openapi.json").json()
    browser = site.browser(ANALYST)
    token = browser.csrf_token("/account")
    cookie = document["components"]["securitySchemes"]["session"]["name"]
    assert cookie in browser.jar.cookies
    change = document["paths"]["/views"]["post"]
    (header,) = [one for one in change["parameters"] if one["in"] == "header"]
    asked = {"json": {}, "cookies": {cookie: browser.jar.cookies[cookie]}}
    assert site.call("POST", "/api/v1/views", **asked).status_code == 400
    told = {header["name"]: token}
    assert site.call("POST", "/api/v1/views", headers=told, **asked).status_code == 422
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            takes = header in operation["parameters"]
            assert takes == (method != "get" and bool(operation["security"])), (method, path)
    assert not header["required"] and header["description"] in site.get("/api/v1/docs").text


def test_the_data_of_the_factories_is_what_is_served(api: Api) -> None:
    names = {row["sku"]: row["name"] for row in api.get("/items").json()["data"]}
    assert names == {item[0]: item[1] for item in factories.ITEMS}


def _error(answer: requests.Response) -> dict[str, Any]:
    assert answer.headers["Content-Type"] == "application/json"
    body = answer.json()
    assert set(body) == {"error"} and set(body["error"]) == {"code", "message", "fields"}
    assert body["error"]["code"] and body["error"]["message"]
    assert "Traceback" not in answer.text
    return body["error"]


def test_stock_is_projected_day_by_day(site: Site, api: Api) -> None:
    detail = api.get("/materials/CABO-01").json()["data"]
    here = next(one for one in detail["positions"] if one["site"] == "DEP-SP")
    days = api.get("/projections", params={"sku": "CABO-01", "site": "DEP-SP"}).json()["data"]
    assert len(days) == 90
    assert days[0]["date"] == str(factories.LAST_DAY + timedelta(days=1))
    assert all(0 <= day["cautious"] <= day["likely"] + 1e-3 for day in days)
    empty = next(day["date"] for day in days if day["likely"] == 0)
    assert abs((date.fromisoformat(empty) - date.fromisoformat(here["stockout_p50_on"])).days) <= 1


@pytest.mark.parametrize("path", ["/projections", "/inventory/policy"])
def test_an_item_depot_that_is_not_known_or_out_of_view_is_not_found(
    site: Site, api: Api, path: str
) -> None:
    here = {"sku": "CABO-01", "site": "DEP-SP"}
    for reader, asked, code in (
        (api, here | {"sku": "nope"}, "unknown_material"),
        (api, here | {"site": "nope"}, "not_found"),
        (site.api(SCOPED), here, "not_found"),
    ):
        answer = reader.get(path, params=asked)
        assert (answer.status_code, _error(answer)["code"]) == (404, code), asked
