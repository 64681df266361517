"""Contracts through page, API and files; the network that other tests share has no outages."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from datetime import datetime

import pytest
from openpyxl import load_workbook
from sqlalchemy import Engine, text

from domain.access import Role, Scope
from layouts.format import percent
from tests import factories
from tests.conftest import StartServer
from tests.web.conftest import ADMIN, ANALYST, PASSWORD, SCOPED, VIEWER, Site
from tests.web.test_board_pack import words_of
from tests.web.test_same_numbers import components
from warehouse.pipeline import derive
from warehouse.pipeline.publish import publish_bundle

HOSTILE = "<b>=1+1 ✓ 電 %</b>"


@pytest.fixture(scope="module")
def breached(
    module_engine: Engine,
    module_database_url: str,
    start_server: StartServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """One of C-SUL's two sites, that of São Paulo, was down for a day; the cause is as nasty as
    text can be. C-NE's cap is below its band."""
    network = factories.make_network(module_engine)
    factories.add_demand(module_engine, network)
    down = datetime(2025, 6, 3)
    factories.add_outage(module_engine, network, "DEP-SP", down, datetime(2025, 6, 4))
    with module_engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE core.contract SET monthly_fee_brl = 50000,"
                " cap_pct = CASE contract WHEN 'C-NE' THEN 3 ELSE 20 END,"
                " customer = 'Operação ' || contract,"
                " load_id = (SELECT max(id) FROM staging.load WHERE kind = 'contracts'),"
                ' penalty_schedule = \'[{"hours": 7.3, "percent": 4}]\''
            )
        )
        connection.execute(text("UPDATE core.outage SET cause = :cause"), {"cause": HOSTILE})
        connection.execute(
            text("UPDATE core.site SET contract_id = :contract WHERE site = 'DEP-RJ'"),
            {"contract": network.contracts["C-SUL"]},
        )
    derive.refresh_after_load(module_engine)
    bundle = factories.make_bundle(tmp_path_factory.mktemp("bundle"), module_engine)
    publish_bundle(bundle, engine=module_engine, published_by="tests")
    site = Site(start_server(module_database_url), module_engine)
    site.add_user(ADMIN, Role.ADMIN)
    site.add_user(VIEWER, Role.VIEWER)
    site.add_user(SCOPED, Role.ANALYST, Scope(ufs=("BA",)))
    yield site


def test_without_outages_it_says_which_file_is_missing(site: Site) -> None:
    api = site.api(VIEWER)
    assert api.get("/sla").json()["data"] == [] and api.get("/outages").json()["data"] == []
    page = site.browser(VIEWER).open_page("/sla").text
    assert "flask ingest contracts.csv" in page and "kpi-value" not in page
    assert site.api(ANALYST).get("/exports/sla.csv").status_code == 200
    assert site.api(ANALYST).get("/sla/C-SUL/evidence.pdf").status_code == 404


def test_page_api_and_file_say_the_same(breached: Site) -> None:
    api = breached.api(ADMIN)
    rows = {row["contract"]: row for row in api.get("/sla").json()["data"]}
    south = rows["C-SUL"]
    assert (south["state"], south["now"]["penalty_brl"]) == ("breached", 2000.0)
    assert south["now"]["availability"] == pytest.approx(1 - 24 / (2 * 29 * 24))
    detail = api.get("/sla/C-SUL", params={"month": "2025-06"}).json()["data"]
    assert detail["score"] == south and len(detail["days"]) == 29
    assert detail["months"][0] == south["now"]
    (outage,) = api.get("/outages", params={"contract": "C-SUL"}).json()["data"]
    assert outage["started_at"].endswith("-03:00")
    assert (outage["hours"], outage["cause"]) == (24.0, HOSTILE)
    assert "2000" in api.get("/exports/sla.csv").text
    shown = breached.browser(ADMIN).open_page("/sla/C-SUL", "?sort=-hours").json()
    page = json.dumps(shown, ensure_ascii=False)
    assert re.search(r"/exports/outages\.csv\?[^\"]*sort=-hours", page)
    assert "R$ 2.000" in page.replace("\\u00a0", " ").replace("\xa0", " ")
    assert "/sla/C-SUL/evidence.pdf?month=2025-06" in page
    assert "junho de 2025" in page and "junho 2025" not in page


def test_no_penalty_above_the_cap_is_announced(breached: Site) -> None:
    score = breached.api(ADMIN).get("/sla/C-NE").json()["data"]["score"]
    assert score["next_band"] == {"hours": 7.3, "percent": 3.0}
    page = json.dumps(breached.browser(ADMIN).open_page("/sla/C-NE").json(), ensure_ascii=False)
    assert "7,3 h até a próxima faixa, 3,0% da mensalidade, o teto" in page
    assert "7,3 h: 3,0% da mensalidade, o teto" in page and "4,0%" not in page


@pytest.mark.parametrize("month", ["2020-01", "2025-05", "2025-07", "9998-12"])
def test_a_month_without_data_is_refused_and_not_made_up(breached: Site, month: str) -> None:
    """The one outage is of June 2025, which is the last month of the data, too."""
    api, known = breached.api(ADMIN), "outages are known from 2025-06 to 2025-06"
    for path in (
        f"/sla?month={month}",
        f"/sla?month={month}&uf=SP",
        f"/sla/C-SUL?month={month}",
        f"/exports/sla.csv?month={month}",
        f"/exports/sla.xlsx?month={month}",
        f"/exports/contract-days.csv?contract=C-SUL&month={month}",
        f"/exports/contract-months.csv?contract=C-SUL&month={month}",
    ):
        answer = api.get(path)
        assert answer.status_code == 422, path
        assert answer.json()["error"]["fields"] == {"month": known}, path
    unknown = api.get(f"/exports/contract-parts.csv?contract=C-SUL&month={month}")
    assert unknown.status_code == 422 and "month" in unknown.json()["error"]["fields"]
    assert api.get(f"/sla/C-SUL/evidence.pdf?month={month}").status_code == 404
    assert api.get(f"/sla/C-NOT?month={month}").status_code == 404
    page = breached.browser(ADMIN).open_page("/sla", f"?month={month}").text
    assert f"month={month}" in page and "state-failed" not in page


def test_a_customer_is_found_however_the_name_is_typed(breached: Site) -> None:
    page = breached.browser(ADMIN).open_page("/sla", "?search=OPERACAO%20c-sul").text
    assert "/sla/C-SUL" in page


def test_page_file_and_api_narrow_contracts_alike_and_so_does_the_pack(breached: Site) -> None:
    api, browser = breached.api(ADMIN), breached.browser(ADMIN)
    cases = {"contract=C-SUL": "C-SUL", "state=breached": "C-SUL", "search=operacao%20c-ne": "C-NE"}
    cases |= {"uf=BA": "C-NE", "region=SE": "C-SUL", "uf=RJ&state=breached": "C-SUL"}
    for query, found in cases.items():
        page = browser.open_page("/sla", f"?{query}&v=1")
        (link,) = set(re.findall(r'"href":"(/api/v1/exports/sla\.csv\?[^"]*)"', page.text))
        (line,) = browser.get(link).text.splitlines()[1:]
        assert line.startswith(f"{found};"), query
        assert [one["contract"] for one in api.get(f"/sla?{query}").json()["data"]] == [found]
    assert api.get("/sla?state=moon").status_code == 422
    every, one = (
        words_of(api.get(f"/exports/board.pdf{query}").content)
        for query in ("?uf=SP", "?contract=C-NE&uf=SP")
    )
    assert "C-SUL" in every and "as multas são do contrato todo" in every
    assert "C-SUL" not in one.partition("Contratos")[2] and "C-NE" in one


def test_places_narrow_availability_and_leave_penalties_whole(breached: Site) -> None:
    """São Paulo's site was down for 24 of 696 hours, Rio's never; the penalty is the contract's."""
    api, browser = breached.api(ADMIN), breached.browser(ADMIN)
    for query, here in (("uf=SP", 1 - 24 / 696), ("uf=RJ", 1.0), ("region=SE", 1 - 24 / 1392)):
        (row,) = api.get(f"/sla?{query}").json()["data"]
        assert row["here"]["availability"] == pytest.approx(here)
        assert row["now"]["availability"] == pytest.approx(1 - 24 / 1392)
        assert row["now"]["penalty_brl"] == 2000.0
        file = api.get(f"/exports/sla.xlsx?{query}").content
        header, values = load_workbook(io.BytesIO(file)).worksheets[0].values
        filed = dict(zip(header, values, strict=True))
        assert filed["here_availability"] == pytest.approx(here) and filed["penalty_brl"] == 2000
        page = browser.open_page("/sla", f"?{query}&v=1").json()
        (grid,) = [one for one in components(page) if one["props"].get("id") == "sla-contracts"]
        (told,) = grid["props"]["rowData"]
        assert (told["availability"], told["sites"]) == (
            row["here"]["availability"],
            filed["here_sites"],
        )
        assert (told["penalty"], told["exposure"]) == (2000.0, row["here"]["exposure_brl"])
        said = json.dumps(page, ensure_ascii=False).replace("\xa0", " ")
        assert percent(here, "pt_BR", 3) in said and "Não se aplica a esta página" not in said
        assert "multas são do contrato todo" in said
        one = api.get(f"/sla/C-SUL?{query}").json()["data"]
        assert one["score"] == row
        page = browser.open_page("/sla/C-SUL", f"?{query}&v=1").json()
        said = json.dumps(page, ensure_ascii=False)
        assert percent(here, "pt_BR", 3) in said and "as multas, os dias" in said
        listed = [one["site"] for one in api.get(f"/outages?{query}").json()["data"]]
        assert listed == ([] if "RJ" in query else ["DEP-SP"])
        (told,) = [
            one["props"]["rowData"]
            for one in components(page)
            if one["type"] == "AgGrid" and "contract-outages" in str(one["props"]["id"])
        ]
        assert [one["site"] for one in told] == listed
        pack = words_of(api.get(f"/exports/board.pdf?{query}").content)
        assert percent(here, "pt_BR", 3) in pack.partition("Contratos")[2]


def test_the_evidence_is_a_pdf_for_those_who_may_export_and_leaves_its_row(breached: Site) -> None:
    path = "/sla/C-SUL/evidence.pdf?month=2025-06"
    answer = breached.api(ADMIN).get(path)
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-") and len(answer.content) > 2_000
    told = words_of(answer.content)
    assert "98,276% = 1 - 24 h ÷ 1.392 h" in told and "4,00% × R$" in told and "20,00%" in told
    assert "junho de 2025" in told
    assert "nova-sla-C-SUL-2025-06" in answer.headers["Content-Disposition"]
    row = breached.audit("export")[-1]
    assert (row.object, row.after["month"]) == ("sla:C-SUL", "2025-06-01")
    assert breached.api(VIEWER).get(path).status_code == 403
    assert breached.api(SCOPED).get(path).status_code == 404
    for month, status in (("2024-01", 404), ("June", 422), ("2025-13", 422)):
        answer = breached.api(ADMIN).get(f"/sla/C-SUL/evidence.pdf?month={month}")
        assert answer.status_code == status


def test_a_scoped_reader_finds_the_own_contracts_alone(breached: Site) -> None:
    browser = breached.browser()
    assert browser.sign_in(SCOPED, PASSWORD).status_code == 303
    assert "C-SUL" not in browser.open_page("/sla").text
    assert [row["contract"] for row in breached.api(SCOPED).get("/sla").json()["data"]] == ["C-NE"]
    hidden, nobody = (browser.open_page(f"/sla/{code}").text for code in ("C-SUL", "C-NOT"))
    assert hidden.replace("C-SUL", "C-NOT") == nobody


def test_a_reader_of_rio_is_told_the_contracts_state_and_no_money(breached: Site) -> None:
    """Rio's site was never down, São Paulo's was: the contract of both is in breach."""
    rio = "rio@nova.test"
    breached.add_user(rio, Role.ANALYST, Scope(ufs=("RJ",)))
    api, browser = breached.api(rio), breached.browser(rio)
    (row,) = api.get("/sla").json()["data"]
    assert (row["state"], row["here"]["availability"], row["fee_brl"]) == ("breached", 1.0, None)
    page = browser.open_page("/sla").json()
    (grid,) = [one for one in components(page) if one["props"].get("id") == "sla-contracts"]
    (told,) = grid["props"]["rowData"]
    assert (told["state_kind"], told["hours"], told["percent"]) == ("critical", 12.0, 0.04)
    assert (told["availability"], told["sites"], told["penalty"]) == (1.0, 1, None)
    assert "o resto é do contrato todo" in json.dumps(page, ensure_ascii=False)
    one = json.dumps(browser.open_page("/sla/C-SUL").json(), ensure_ascii=False)
    assert "Descumprido" in one and "os dias e os meses são do contrato todo" in one
    assert "DEP-SP" not in one and "2.000" not in one
    sheet = words_of(api.get("/sla/C-SUL/evidence.pdf").content)
    assert "98,276%" in sheet and "números do contrato todo" in sheet and "DEP-SP" not in sheet
    assert "só em parte" in words_of(api.get("/exports/board.pdf").content)
