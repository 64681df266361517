"""What was loaded and which runs there are, through HTTP: lists, rejects, who may see them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest

from tests.ingesting import load_one
from tests.web.conftest import ADMIN, ANALYST, SCOPED, VIEWER, Api, Site

BAD_ROWS = 120
PATHS = ("/loads", "/loads/1/rejects", "/runs")
PAGE = "/admin/data"


@pytest.fixture(scope="module")
def refused(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A load that was refused, each of its rows with a formula for a quantity."""
    path = tmp_path_factory.mktemp("wrong") / "demand.csv"
    lines = [f"2024-01-{day % 28 + 1:02};<b>A{day}</b>;=1+{day}" for day in range(BAD_ROWS)]
    path.write_text("\n".join(["date;sku;quantity", *lines]))
    report = load_one(path, site.engine)
    assert report.state == "rejected" and report.load_id
    yield report.load_id


@pytest.fixture(scope="module")
def api(site: Site) -> Api:
    return site.api(ANALYST)


def test_loads_are_listed_newest_first(api: Api, refused: int) -> None:
    body = api.get("/loads", params={"limit": 2}).json()
    assert [row["load_id"] for row in body["data"]] == [refused, refused - 1]
    newest = body["data"][0]
    assert (newest["state"], newest["rows_read"], newest["rows_rejected"]) == (
        "rejected",
        BAD_ROWS,
        BAD_ROWS,
    )
    assert newest["loaded_by"] == "tester" and newest["seconds"] >= 0
    assert "nothing was loaded" in newest["message"]
    cursor = body["meta"]["next"]
    following = api.get("/loads", params={"limit": 2, "cursor": cursor}).json()["data"]
    assert following[0]["load_id"] == refused - 2


def test_a_load_whose_process_died_is_not_loading_for_ever(
    site: Site, api: Api, refused: int
) -> None:
    with site.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO staging.load (kind, file, sha256, loaded_by, state)"
            " VALUES ('demand', 'demand.csv', 'x', 'tester', 'loading')"
        )
    newest = api.get("/loads", params={"limit": 1}).json()["data"][0]
    assert newest["state"] == "stopped" and newest["finished_at"] is None
    with site.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM staging.load WHERE state = 'loading'")


def test_rejects_are_paged_in_the_order_of_the_file(api: Api, refused: int) -> None:
    path = f"/loads/{refused}/rejects"
    first = api.get(path, params={"limit": 100}).json()
    assert first["meta"]["count"] == BAD_ROWS
    assert first["data"][0] | {"reject_id": 0} == {
        "reject_id": 0,
        "file": "demand.csv",
        "line": 2,
        "column": "quantity",
        "value": "=1+0",
        "reason": first["data"][0]["reason"],
    }
    rest = api.get(path, params={"limit": 100, "cursor": first["meta"]["next"]}).json()
    lines = [row["line"] for row in first["data"] + rest["data"]]
    assert lines == list(range(2, BAD_ROWS + 2)) and rest["meta"]["next"] is None
    assert api.get("/loads/99999999/rejects").status_code == 404
    assert api.get("/loads", params={"sort": "file"}).status_code == 422


def test_all_rejects_come_as_a_file_that_runs_no_formula(site: Site, refused: int) -> None:
    answer = site.browser(ANALYST).get(f"{PAGE}/loads/{refused}/rejects.csv")
    assert answer.status_code == 200 and "attachment" in answer.headers["Content-Disposition"]
    text = answer.content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text), delimiter=";"))
    assert rows[0] == ["file", "line", "column", "value", "reason"]
    assert len(rows) == BAD_ROWS + 1
    assert rows[1][:4] == ["demand.csv", "2", "quantity", "'=1+0"]
    exports = site.audit("export")
    assert exports[-1].actor == ANALYST and exports[-1].object == f"load:{refused}:rejects"


def test_runs_are_listed_with_the_published_one(api: Api) -> None:
    (run,) = api.get("/runs").json()["data"]
    assert run["is_published"] and run["state"] == "ready"
    assert run["series_trained"] == run["series_total"] == 12
    assert 0 < run["wape"] < 1 and run["published_by"] == "tests"


def test_the_page_shows_loads_and_runs(site: Site, refused: int) -> None:
    browser = site.browser(ANALYST)
    shown = browser.open_page(PAGE).text
    assert "demand.csv" in shown and "Cargas" in shown and "Rodadas" in shown
    detail = str(browser.open_page(PAGE, f"?load={refused}").json())
    assert "=1+0" in detail and f"/admin/data/loads/{refused}/rejects.csv" in detail
    assert "state-failed" not in shown + detail
    assert "state" in browser.open_page(PAGE, "?load=99999999").text


@pytest.mark.parametrize(("email", "status"), [(VIEWER, 403), (SCOPED, 403), (ANALYST, 200)])
def test_who_may_see_it(site: Site, refused: int, email: str, status: int) -> None:
    api, browser = site.api(email), site.browser(email)
    for path in PATHS:
        assert api.get(path).status_code == status, path
    assert browser.open_page(PAGE).status_code == status
    page = browser.get(PAGE)
    assert page.status_code == status
    assert ("não permite" in page.text) == (status == 403)
    export = browser.get(f"{PAGE}/loads/{refused}/rejects.csv")
    assert export.status_code == status


@pytest.mark.parametrize(("email", "shown"), [(VIEWER, False), (SCOPED, False), (ADMIN, True)])
def test_the_navigation_offers_what_may_be_opened(site: Site, email: str, shown: bool) -> None:
    frame = site.browser(email).get("/_dash-layout").text
    assert "Materiais" in frame and ("Dados e rodadas" in frame) == shown
