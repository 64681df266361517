"""Overrides through both doors: by token and by the browser's session."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

import pytest
import requests
from plotly.utils import PlotlyJSONEncoder
from sqlalchemy import text

from dashboard.i18n import translator
from domain.access import Role
from domain.overrides import Preview
from domain.viewer import Viewer
from layouts import overrides as layout
from tests.factories import LAST_DAY
from tests.web.conftest import ANALYST, SCOPED, VIEWER, Api, Browser, Site

T = TypeVar("T")

FIRST = LAST_DAY + timedelta(days=1)
UNTIL = str(datetime.now(UTC).date() + timedelta(days=60))
WAIT_SECONDS = 90
LIFT: dict[str, Any] = {"sku": "CABO-01", "change": 0.25, "reason": "project", "expires_on": UNTIL}
QUANTITIES: dict[str, Any] = {
    "sku": "EPI-04",
    "site": "DEP-SP",
    "periods": [{"date": str(FIRST), "quantity": 40}],
    "reason": "other",
    "note": "brigada nova",
    "expires_on": UNTIL,
}


@pytest.fixture(scope="module")
def analyst(site: Site) -> Api:
    return site.api(ANALYST)


def post(api: Api, body: dict[str, Any], path: str = "") -> requests.Response:
    return api.call("POST", f"/overrides{path}", json=body)


def followed(api: Api, number: int) -> dict[str, Any]:
    """The override when policy and alerts follow it."""
    return until(
        lambda: dict(api.get(f"/overrides/{number}").json()["data"]),
        lambda found: found["applied"] == (found["state"] == "in_force"),
    )


def until(look: Callable[[], T], is_so: Callable[[T], bool]) -> T:
    """What `look` sees once it is so."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not is_so(seen := look()):
        assert time.monotonic() < deadline, seen
        time.sleep(0.1)
    return seen


def done(api: Api, job_id: int) -> bool:
    """Whether what was asked for is done, once it is: what others read of the site rests again."""
    until(lambda: api.get(f"/jobs/{job_id}").json()["data"], lambda job: job["state"] == "done")
    return True


def series(api: Api, sku: str, place: str) -> list[dict[str, Any]]:
    params = {"sku": sku, "site": place, "limit": 500}
    return list(api.get("/forecasts", params=params).json()["data"])


def test_by_token_it_is_previewed_saved_followed_and_ended(site: Site, analyst: Api) -> None:
    asked = {name: LIFT[name] for name in ("sku", "change")}
    told = post(analyst, asked, "/preview").json()["data"]
    assert (told["series"], told["periods"], told["passed"]) == (3, 30, 30)
    assert told["after"] == pytest.approx(1.25 * told["before"])
    version = analyst.get("/forecasts").headers["ETag"]
    made = post(analyst, LIFT)
    assert made.status_code == 200, made.text
    number = made.json()["data"]["override"]["id"]
    found = followed(analyst, number)
    assert (found["created_by"], found["reason"]) == (ANALYST, "project")
    assert analyst.get("/forecasts").headers["ETag"] != version
    for point in series(analyst, "CABO-01", "DEP-SP"):
        assert point["override_mean"] == pytest.approx(1.25 * point["mean"])
        assert point["override_p10"] <= point["override_p50"] <= point["override_p90"]
    page = site.browser(ANALYST).open_page("/materials/CABO-01", "?tab=forecast&site=DEP-SP")
    assert "Ajustado à mão" in page.text and "Ensemble mean" in page.text
    assert analyst.call("DELETE", f"/overrides/{number}").status_code == 200
    assert followed(analyst, number)["state"] == "ended"
    again = analyst.call("DELETE", f"/overrides/{number}")
    assert again.status_code == 422 and again.json()["error"]["code"] == "override_ended"
    assert series(analyst, "CABO-01", "DEP-SP")[0]["override_mean"] is None


def test_the_row_of_a_depot_tells_the_forecast_with_it(analyst: Api) -> None:
    def row() -> dict[str, Any]:
        (found,) = analyst.get("/inventory", params={"sku": "CABO-01", "site": "DEP-SP"}).json()[
            "data"
        ]
        return dict(found)

    before = row()
    number = post(analyst, LIFT).json()["data"]["override"]["id"]
    followed(analyst, number)
    after = row()
    assert after["forecast_horizon"] == pytest.approx(1.25 * before["forecast_horizon"])
    assert after["days_of_supply"] == pytest.approx(before["days_of_supply"] / 1.25)
    analyst.call("DELETE", f"/overrides/{number}")
    followed(analyst, number)
    assert row()["forecast_horizon"] == pytest.approx(before["forecast_horizon"])


def test_receipts_name_the_override_behind_their_numbers(analyst: Api) -> None:
    place = {"sku": "CABO-01", "site": "DEP-SP"}

    def named() -> list[list[tuple[int, str]]]:
        """The overrides among the sources: of an alert, a purchase, the levels, and elsewhere."""
        asked = (
            ("/alerts", place),
            ("/recommendations", place | {"kind": "REORDER"}),
            ("/alerts", place | {"sku": "BAT-02"}),
        )
        found = [(path, first(path, **params)["id"]) for path, params in asked]
        rows = [analyst.get(f"{path}/{number}").json()["data"] for path, number in found]
        rows.insert(2, first("/inventory/policy", **place))
        return [
            [
                (one["number"], one["name"])
                for one in row["receipt"]["sources"]
                if one["kind"] == "override"
            ]
            for row in rows
        ]

    def first(path: str, **params: str) -> dict[str, Any]:
        return dict(analyst.get(path, params=params).json()["data"][0])

    assert named() == [[], [], [], []]
    number = post(analyst, LIFT | {"change": 3}).json()["data"]["override"]["id"]
    followed(analyst, number)
    assert named() == [[(number, ANALYST)]] * 3 + [[]]
    analyst.call("DELETE", f"/overrides/{number}")
    followed(analyst, number)
    assert named() == [[], [], [], []]


def test_one_in_force_is_shown_and_endable_however_many_came_after_it(
    site: Site, analyst: Api
) -> None:
    place = {"sku": "BAT-02", "site": "DEP-SP"}
    made = post(analyst, LIFT | place).json()["data"]
    number = made["override"]["id"]
    assert done(analyst, made["job_id"])
    later = """
        WITH made AS (
            INSERT INTO support.override (actor, run_id, as_of, frequency, sku, site, change,
                reason, expires_on, ended_at, ended_by)
            SELECT actor, run_id, as_of, frequency, sku, site, change, reason, expires_on, now(),
                actor
            FROM support.override, generate_series(1, 21) WHERE override_id = :number
            RETURNING override_id
        )
        INSERT INTO support.override_point (override_id, item_id, site_id, date, mean, model_mean,
            model_p10, model_p50, model_p90)
        SELECT made.override_id, item_id, site_id, date, mean, model_mean, model_p10, model_p50,
            model_p90
        FROM support.override_point AS point, made WHERE point.override_id = :number
    """
    with site.changing() as connection:
        connection.execute(text(later), {"number": number})
    page = site.browser(ANALYST).open_page("/forecasts", "?sku=BAT-02&site=DEP-SP").text
    assert "Nenhum ajuste deste material está em vigor" not in page
    assert f"Encerrar o número {number}" in page
    assert "Histórico (21)" in page and "Os 20 mais novos de 21." in page
    ended = analyst.call("DELETE", f"/overrides/{number}").json()["data"]
    told = ending(site.browser(ANALYST), number)["sideUpdate"]
    assert told["toasts"]["children"]["props"]["children"] == "Este ajuste já foi encerrado."
    assert told["_pages_location"]["search"] == "?sku=BAT-02&site=DEP-SP"
    assert done(analyst, ended["job_id"])


def test_by_session_it_needs_the_forms_token(site: Site) -> None:
    browser = site.browser(ANALYST)
    assert browser.call("POST", "/api/v1/overrides", json=QUANTITIES).status_code == 400
    token = {"X-CSRFToken": browser.csrf_token("/account")}
    made = browser.call("POST", "/api/v1/overrides", json=QUANTITIES, headers=token)
    assert made.status_code == 200, made.text
    number = made.json()["data"]["override"]["id"]
    followed(site.api(ANALYST), number)
    (row,) = [one for one in site.audit("override.save") if one.object == f"override|{number}"]
    assert row.actor == ANALYST and row.after["after"] == 40
    ended = browser.call("DELETE", f"/api/v1/overrides/{number}", headers=token)
    assert ended.status_code == 200, ended.text


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"change": 9}, "change"),
        ({"change": "0.1"}, "change"),
        ({"reason": "mood"}, "reason"),
        ({"reason": "other"}, "note"),
        ({"expires_on": "2020-01-01"}, "expires_on"),
        ({"expires_on": "soon"}, "expires_on"),
        ({"expires_on": 5}, "expires_on"),
        ({"from": str(date(2031, 1, 1))}, "from"),
        ({"periods": QUANTITIES["periods"]}, "site"),
        ({"periods": QUANTITIES["periods"] * 2, "change": None, "site": "DEP-SP"}, "periods"),
        ({"scope": "SP"}, "scope"),
    ],
)
def test_a_mistake_is_named(analyst: Api, change: dict[str, Any], field: str) -> None:
    answer = post(analyst, LIFT | change)
    assert answer.status_code == 422, answer.text
    assert field in answer.json()["error"]["fields"], answer.text


def test_scope_and_role_decide_who_may(site: Site, analyst: Api) -> None:
    assert post(site.api(VIEWER), LIFT).status_code == 403
    bahia = site.api(SCOPED)
    for body in (LIFT | {"uf": "SP"}, QUANTITIES):
        assert post(bahia, body).status_code == 404
    made = post(analyst, LIFT).json()["data"]["override"]
    number, seen = made["id"], bahia.get(f"/overrides/{made['id']}").json()["data"]
    assert (seen["series"], seen["beyond"], made["beyond"]) == (1, True, False)
    page = site.browser(SCOPED).open_page("/forecasts", "?sku=CABO-01&site=DEP-BA").text
    assert "Vai além do que você pode ver" in page and f"Encerrar o número {number}" not in page
    refused = bahia.call("DELETE", f"/overrides/{number}")
    assert refused.status_code == 403 and "beyond" in refused.json()["error"]["message"]
    ended = analyst.call("DELETE", f"/overrides/{number}").json()["data"]
    followed(analyst, number)
    assert bahia.get(f"/jobs/{ended['job_id']}").status_code == 404
    mine = post(bahia, LIFT | {"uf": "BA"}).json()["data"]
    assert mine["override"]["beyond"] is False
    assert bahia.get(f"/jobs/{mine['job_id']}").json()["data"]["actor"] == SCOPED
    number = mine["override"]["id"]
    assert bahia.call("DELETE", f"/overrides/{number}").status_code == 200
    followed(analyst, number)


def test_the_value_of_each_step_is_told(analyst: Api) -> None:
    steps = analyst.get("/forecasts/value-added", params={"uf": "SP"}).json()["data"]
    assert [(one["over"], one["step"]) for one in steps] == [
        ("backtest", "naive"),
        ("backtest", "model"),
        ("overridden", "naive"),
        ("overridden", "model"),
        ("overridden", "override"),
    ]
    assert steps[1]["points"] == 120 and steps[4]["points"] == 0


def pressed(
    browser: Browser, outputs: list[str], button: str, job_id: int, what: str = "n_clicks"
) -> str:
    """The answer to a button of the card, while its address names the job."""
    told = [dict(zip(("id", "property"), one.split("."), strict=True)) for one in outputs]
    body = {
        "output": f"..{'...'.join(outputs)}.." if len(told) > 1 else outputs[0],
        "outputs": told if len(told) > 1 else told[0],
        "inputs": [{"id": button, "property": what, "value": 1}],
        "state": [
            {
                "id": "_pages_location",
                "property": "search",
                "value": f"?sku=CABO-01&site=DEP-SP&job={job_id}",
            }
        ],
        "changedPropIds": [f"{button}.{what}"],
    }
    answer = browser.callback(body)
    assert answer.status_code == 200
    return answer.text


def saving(browser: Browser, entered: Any = 20, **asked: Any) -> str:
    """The answer to the card's button that saves what was previewed: `asked`; the field of the
    amount holds what is `entered`."""
    values = {
        "_pages_location.search": "?sku=CABO-01&site=DEP-SP",
        "override-asked.data": {"from": None, "to": None, "periods": [], **asked},
        "override-amount.value": entered,
        "override-reason.value": "project",
        "override-note.value": "",
        "override-expires.value": UNTIL,
    }
    outputs = ["override-address.search", "override-refused.children"]
    told = [
        dict(zip(("id", "property"), one.split("."), strict=True)) for one in outputs + [*values]
    ]
    state = [{**one, "value": value} for one, value in zip(told[2:], values.values(), strict=True)]
    body = {
        "output": f"..{'...'.join(outputs)}..",
        "outputs": told[:2],
        "inputs": [{"id": "override-save", "property": "n_clicks", "value": 1}],
        "state": state,
        "changedPropIds": ["override-save.n_clicks"],
    }
    answer = browser.callback(body)
    assert answer.status_code == 200
    return answer.text


def ending(browser: Browser, number: int) -> dict[str, Any]:
    """The answer to the button that ends it."""
    button = layout.end_id(number)
    known = json.dumps(button, sort_keys=True, separators=(",", ":"))
    search = {"id": "_pages_location", "property": "search", "value": "?sku=BAT-02&site=DEP-SP"}
    body = {
        "output": "override-ended.search",
        "outputs": {"id": "override-ended", "property": "search"},
        "inputs": [[{"id": button, "property": "n_clicks", "value": 1}]],
        "state": [search],
        "changedPropIds": [f"{known}.n_clicks"],
    }
    return dict(browser.callback(body).json())


@pytest.mark.parametrize(("before", "after"), [(0.0, 480.0), (480.0, 0.0)])
def test_a_preview_tells_totals_at_cost_where_one_side_is_nothing(
    before: float, after: float
) -> None:
    told = Preview(1, 1, 1, FIRST, FIRST, "un", before / 12, after / 12, before, after, 0, [])
    reader = Viewer("Ana", ANALYST, Role.ANALYST, locale="pt_BR", t=translator("pt_BR"))
    said = json.dumps(layout.preview(told, {}, reader), cls=PlotlyJSONEncoder, ensure_ascii=False)
    assert "Modelo, a custo" in said and "Ajustado, a custo" in said
    assert "R$ 480" in said and "R$ 0" in said


@pytest.mark.parametrize(
    "asked",
    [
        {"what": "depot", "sku": "CABO-01", "site": ""},
        {"what": "depot", "sku": "CABO-01"},
        {"what": "depot", "sku": "", "site": "DEP-SP"},
        {"what": "item", "sku": ["CABO-01"]},
        {"what": "everything", "sku": "CABO-01"},
    ],
)
def test_what_names_no_target_is_not_saved(site: Site, asked: dict[str, Any]) -> None:
    before = len(site.audit("override.save"))
    told = saving(site.browser(ANALYST), amount=20, **asked)
    assert "faça a prévia de novo" in told and "job=" not in told
    assert len(site.audit("override.save")) == before


@pytest.mark.parametrize("entered", [30, None, "20"])
def test_another_amount_than_was_previewed_is_not_saved(site: Site, entered: Any) -> None:
    before = len(site.audit("override.save"))
    told = saving(site.browser(ANALYST), entered, what="item", sku="CABO-01", amount=20)
    assert "mudou depois da prévia" in told and "job=" not in told
    assert len(site.audit("override.save")) == before


def ended_job(site: Site, state: str, message: str | None = None) -> int:
    """The number of a derivation that has ended so."""
    sql = text(
        "INSERT INTO support.job (kind, state, object, actor, message, finished_at) VALUES"
        " ('derive', :state, 'override:1', :actor, :message, now()) RETURNING job_id"
    )
    with site.engine.begin() as connection:
        told = {"state": state, "actor": ANALYST, "message": message}
        return int(connection.execute(sql, told).scalar_one())


def test_an_address_says_of_a_derivation_only_what_is_so(site: Site) -> None:
    def page(job_id: int) -> str:
        search = f"?sku=CABO-01&site=DEP-SP&job={job_id}"
        return site.browser(ANALYST).open_page("/forecasts", search).text

    for number in (10**8, ended_job(site, "done")):
        assert "override-address" in page(number) and "override-work" not in page(number)
    failed = page(ended_job(site, "failed"))
    assert "override-tick" in failed and "estão sendo recalculados" not in failed


TICK = ["override-followed.search", "override-work.children"], "override-tick"


def test_a_derivation_is_cancelled_and_done_later(site: Site, analyst: Api) -> None:
    browser = site.browser(ANALYST)
    wait_until_nobody_derives(site)
    with site.engine.connect() as other:
        other.execute(text("LOCK TABLE analytics.policy IN SHARE MODE"))
        done = post(analyst, LIFT).json()["data"]
        number, job_id = done["override"]["id"], done["job_id"]
        wait_for_job(analyst, job_id, "deriving 2/6")
        assert "Cancelando" in pressed(
            browser, ["override-cancelling.children"], "override-cancel", job_id
        )
        other.rollback()
    wait_for_job(analyst, job_id, "deriving 3/6", "cancelled")
    found = analyst.get(f"/overrides/{number}").json()["data"]
    assert (found["state"], found["applied"]) == ("in_force", False)
    told = pressed(browser, *TICK, job_id, "n_intervals")
    assert "o recálculo foi cancelado" in told and "override-derive" in told
    again = pressed(browser, ["override-again.search"], "override-derive", job_id)
    assert f"job={job_id + 1}" in again
    assert followed(analyst, number)["applied"]
    assert analyst.call("DELETE", f"/overrides/{number}").status_code == 200
    followed(analyst, number)


def wait_until_nobody_derives(site: Site) -> None:
    """The jobs of the tests before have ended: the next one waits for none of them."""
    sql = text("SELECT job_id FROM support.job WHERE finished_at IS NULL")

    def at_work() -> list[int]:
        with site.engine.connect() as connection:
            return list(connection.scalars(sql))

    until(at_work, lambda jobs: not jobs)


def wait_for_job(api: Api, job_id: int, phase: str, state: str = "running") -> None:
    until(
        lambda: api.get(f"/jobs/{job_id}").json()["data"],
        lambda job: (job["phase"], job["state"]) == (phase, state),
    )


def test_a_derivation_that_failed_is_told(site: Site) -> None:
    number = ended_job(site, "failed", "the disk is full")
    told = pressed(site.browser(ANALYST), *TICK, number, "n_intervals")
    assert list(json.loads(told)["response"]) == ["override-work"]
    assert "não puderam ser recalculados" in told and "the disk is full" in told
    assert "override-derive" in told
