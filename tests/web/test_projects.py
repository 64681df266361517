"""Projects through page, API and files."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

from sqlalchemy import text

from tests.factories import LAST_DAY
from tests.web.conftest import ANALYST, SCOPED, VIEWER, Site


def test_page_api_and_file_say_the_same(site: Site) -> None:
    api = site.api(ANALYST)
    rows = {row["project"]: row for row in api.get("/projects").json()["data"]}
    assert {name: row["state"] for name, row in rows.items()} == {
        "PRJ-1": "behind",
        "PRJ-2": "on_plan",
    }
    late = rows["PRJ-1"]
    assert (late["progress"], late["planned_progress"], late["materials"]) == (0.3, 0.5, 2)
    assert late["spent_share"] == 0.3 and late["as_of"] == str(LAST_DAY)
    detail = api.get("/projects/PRJ-1").json()["data"]
    assert detail["score"] == late and len(detail["history"]) == 1
    assert detail["curve"][0]["planned"] == 0 and detail["curve"][-1]["planned"] == 1
    batteries = next(one for one in detail["materials"] if one["sku"] == "BAT-02")
    needed = LAST_DAY + timedelta(days=10 + late["slip_days"])
    assert (batteries["depot"], batteries["expected_on"]) == ("DEP-BA", str(needed))
    assert batteries["on_hand"] == 5 and batteries["shortage"] == 6
    assert late["at_risk"] == sum(1 for one in detail["materials"] if one["shortage"])
    assert read(api.get("/exports/projects.csv"), "state") == [
        ("PRJ-1", "behind"),
        ("PRJ-2", "on_plan"),
    ]
    lines = read(api.get("/exports/project-materials.csv", params={"uf": "BA"}), "sku")
    assert lines == [("PRJ-1", "BAT-02"), ("PRJ-1", "CABO-01")]
    told = api.get("/exports/project-statuses.csv", params={"project": "PRJ-1"}).text
    assert len(told.splitlines()) == 2 and str(LAST_DAY) in told
    assert read(api.get("/exports/project-materials.csv", params={"project": "PRJ"}), "sku") == []
    browser = site.browser(VIEWER)
    assert '"/projects/PRJ-1"' in json.dumps(browser.open_page("/projects").json())
    page = json.dumps(browser.open_page("/projects/PRJ-1").json(), ensure_ascii=False)
    assert "BAT-02" in page and "tarde para um pedido" in page and "O histórico começa" in page
    assert "feito (%)" in page and "como se espera (%)" in page


def read(answer: object, column: str) -> list[tuple[str, str]]:
    """A column of a file beside the project."""
    answer.encoding = "utf-8-sig"  # type: ignore[attr-defined]
    text: str = answer.text  # type: ignore[attr-defined]
    delimiter = ";" if ";" in text.splitlines()[0] else ","
    rows = csv.DictReader(io.StringIO(text), delimiter=delimiter)
    return [(row["project"], row[column]) for row in rows]


def test_pages_follow_each_other_in_every_order(site: Site) -> None:
    api = site.api(VIEWER)
    for sort in ("project", "-slip_days", "planned_end", "-shortage_brl"):
        whole = api.get("/projects", params={"sort": sort}).json()["data"]
        first = api.get("/projects", params={"sort": sort, "limit": 1}).json()
        asked = {"sort": sort, "limit": 1, "cursor": first["meta"]["next"]}
        second = api.get("/projects", params=asked).json()
        assert [*first["data"], *second["data"]] == whole and first["meta"]["count"] == 2
        assert second["meta"]["next"] is None
    slips = [row["slip_days"] for row in api.get("/projects?sort=-slip_days").json()["data"]]
    assert slips == sorted(slips, reverse=True)


def test_filters_and_scope_narrow(site: Site) -> None:
    api, browser = site.api(VIEWER), site.browser(VIEWER)
    for query, found in (
        ("state=behind", ["PRJ-1"]),
        ("uf=SP", ["PRJ-2"]),
        ("region=NE", ["PRJ-1"]),
        ("search=rede%20sp", ["PRJ-2"]),
        ("state=done", []),
    ):
        answer = api.get(f"/projects?{query}").json()
        assert [row["project"] for row in answer["data"]] == found, query
        page = json.dumps(browser.open_page("/projects", f"?{query}").json())
        shown = [one for one in ("PRJ-1", "PRJ-2") if f"/projects/{one}" in page]
        assert shown == found, query
    for query, count in (
        ("from=2025-08-18", 2),
        ("from=2025-08-19", 0),
        ("to=2025-05-10", 2),
        ("to=2025-05-09", 0),
    ):
        assert api.get(f"/projects?{query}").json()["meta"]["count"] == count, query
    assert (
        "from=2025-04-01" in site.browser(ANALYST).open_page("/projects", "?period=90&uf=SP").text
    )
    mine = site.api(SCOPED)
    assert [row["project"] for row in mine.get("/projects").json()["data"]] == ["PRJ-1"]
    assert mine.get("/projects/PRJ-2").status_code == 404


def test_what_cannot_be_asked_is_refused(site: Site) -> None:
    api = site.api(VIEWER)
    for query in ("state=moon", "sort=moon", "cursor=moon", "limit=0", "uf=XXX", "moon=1"):
        assert api.get(f"/projects?{query}").status_code == 422, query
    assert api.get("/projects/NO-SUCH").status_code == 404
    assert api.get("/exports/projects.csv").status_code == 403
    assert "state=moon" in site.browser(VIEWER).open_page("/projects", "?state=moon").text


def test_what_is_over_leaves_the_days_after_its_planned_end(site: Site) -> None:
    """Without an actual end; what goes on after its planned end stays."""
    api, ended, later = site.api(VIEWER), LAST_DAY - timedelta(days=10), timedelta(days=60)
    change = text(
        "UPDATE core.project SET planned_end = planned_end + CAST(:by AS int), status = :status,"
        " progress_pct = :done WHERE project = :project"
    )
    goes_on = "em andamento"
    for by, (first, second), found in (
        (-later.days, ((goes_on, 30), (goes_on, 100)), ["PRJ-1"]),
        (0, (("Cancelado", 30), ("CONCLUÍDO", None)), []),
        (later.days, ((goes_on, 30), (goes_on, 49)), ["PRJ-1", "PRJ-2"]),
    ):
        with site.changing() as connection:
            for project, (status, done) in {"PRJ-1": first, "PRJ-2": second}.items():
                said = {"by": by, "status": status, "done": done, "project": project}
                connection.execute(change, said)
        for day, wanted in ((ended, ["PRJ-1", "PRJ-2"]), (ended + timedelta(days=1), found)):
            rows = api.get(f"/projects?sort=project&from={day}").json()["data"]
            assert [row["project"] for row in rows] == wanted
