"""Layouts as functions of data: numbers as the reader writes them, states, charts, catalogues."""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from dash import dcc, html
from dash.development.base_component import Component
from plotly import graph_objects as go
from plotly.utils import PlotlyJSONEncoder

from callbacks.address import Address
from dashboard.i18n import FOLDER, translator
from domain import clock, sheets
from domain.access import Role
from domain.erp import KINDS
from domain.kpis import COSTS, KPIS, WHOLE_MONTHS
from domain.policy_receipts import POLICY_RULES
from domain.projects import ProjectFilters, ProjectScore
from domain.receipts import ALERT_RULES
from domain.recommendation_receipts import RULES_OF_KIND
from domain.records import (
    NO_FILTERS,
    Alert,
    BacktestPoint,
    ClassChoice,
    DataStatus,
    DemandPoint,
    FileOutcome,
    Filters,
    ForecastPoint,
    Job,
    Kpi,
    ModelStep,
    Option,
    Receipt,
    ReceiptInput,
    Recommendation,
    RejectShown,
    TotalPoint,
)
from domain.regions import Move, Place
from domain.viewer import LOCALES, Viewer
from domain.wording import price
from layouts import (
    charts,
    clusters,
    item_depot,
    levels,
    projects,
    regions,
    series_models,
    shell,
    suppliers,
    text,
)
from layouts import format as fmt
from layouts.components import states
from layouts.components.cards import kpi_card
from layouts.components.filters import Bar, filter_bar
from layouts.components.receipt import inputs_table
from layouts.components.table import Cell, twin
from layouts.features import choices_card, naive_notice, reason_of
from layouts.inbox import alert_card
from layouts.jobs import job_card, outcome
from layouts.project import slip_words
from layouts.projects import ProjectsData
from layouts.reasons import reason_in
from layouts.recommendation_card import recommendation_card
from layouts.recommendations import PAGE_ROWS
from layouts.units import BRL, Unit, with_unit
from tests.services import ROOT
from warehouse.pipeline import cells, checks, loads, publish
from warehouse.queries import kpis
from warehouse.queries.published import PublishedRun, fresh_until

TODAY = date(2025, 6, 29)


UNIT = Unit("un")
NO_PROJECTS = ProjectsData(
    scores=[],
    count=0,
    start=0,
    bar=Bar({}, NO_FILTERS),
    filters=ProjectFilters(),
    is_loaded=False,
    run_id=None,
    query={},
    notices=[],
)


def reader(locale: str = "pt_BR", **more: Any) -> Viewer:
    role = Role.ANALYST
    return Viewer("Ana", "ana@nova.example", role, locale=locale, t=translator(locale), **more)


def words(component: Any) -> str:
    """Everything that a component says, in order."""
    return " ".join(_words(component))


def _words(component: Any) -> Iterator[str]:
    if isinstance(component, (list, tuple)):
        for part in component:
            yield from _words(part)
    elif isinstance(component, Component):
        yield from _words(getattr(component, "children", None))
    elif component is not None:
        yield str(component)


@pytest.mark.parametrize(
    ("written", "portuguese", "english"),
    [
        (lambda locale: fmt.number(1234.5, locale, 1), "1.234,5", "1,234.5"),
        (lambda locale: fmt.number(-0.2, locale), "0", "0"),
        (lambda locale: fmt.number(82.5, locale), "83", "83"),
        (lambda locale: fmt.number(-2.25, locale, 1), "-2,3", "-2.3"),
        (lambda locale: fmt.number(1e7, locale, 2), "10.000.000", "10,000,000"),
        (lambda locale: fmt.number(float("inf"), locale), "∞", "∞"),
        (lambda locale: fmt.fixed(85096.49999999999, locale, 0), "85.097", "85,097"),
        (lambda locale: fmt.fixed(-0.04, locale, 1), "0,0", "0.0"),
        (lambda locale: fmt.compact(12_250, locale), "12,3\xa0mil", "12.3K"),
        (lambda locale: fmt.brl(724542.5, locale), "R$\xa0724.543", "R$\xa0724,543"),
        (lambda locale: fmt.brl(-0.3, locale), "R$\xa00", "R$\xa00"),
        (lambda locale: fmt.brl_compact(-12_250, locale), "-R$\xa012,3\xa0mil", "-R$\xa012.3K"),
        (lambda locale: fmt.percent(0.825, locale, 0), "83%", "83%"),
        (lambda locale: fmt.percent(-0.0001, locale), "0,0%", "0.0%"),
        (lambda locale: fmt.signed_percent(0.0004, locale), "0,0%", "0.0%"),
        (lambda locale: fmt.points(0.00004, locale, 2), "0,00\xa0p.p.", "0.00\xa0p.p."),
        (lambda locale: fmt.points(0.00005, locale, 2), "+0,01\xa0p.p.", "+0.01\xa0p.p."),
        (lambda locale: fmt.number(None, locale), "—", "—"),
        (lambda locale: fmt.supply(None, locale), "—", "—"),
        (lambda locale: fmt.supply(3650.4, locale), "3.650", "3,650"),
        (lambda locale: fmt.supply(3650.5, locale), "> 3.650", "> 3,650"),
        (lambda locale: fmt.supply(10_109_277_125.0, locale), "> 3.650", "> 3,650"),
        (lambda locale: fmt.quantity(0.256, locale), "0,26", "0.26"),
        (lambda locale: fmt.brl(1234.5, locale, 2), "R$\xa01.234,50", "R$\xa01,234.50"),
        (lambda locale: fmt.price(0.0042, locale), "R$\xa00,0042", "R$\xa00.0042"),
        (lambda locale: fmt.price(0.5, locale), "R$\xa00,50", "R$\xa00.50"),
        (lambda locale: fmt.price(12.3456, locale), "R$\xa012,35", "R$\xa012.35"),
        (lambda locale: fmt.price(None, locale), "—", "—"),
        (lambda locale: fmt.by_unit(0.00126, "BRL", locale), "R$\xa00,0013", "R$\xa00.0013"),
        (lambda locale: price(0.0042, locale), "R$\xa00,0042", "R$\xa00.0042"),
        (lambda locale: price(0.5, locale), "R$\xa00,50", "R$\xa00.50"),
        (lambda locale: price(96, locale), "R$\xa096", "R$\xa096"),
        (lambda locale: fmt.percent(0.1234, locale), "12,3%", "12.3%"),
        (lambda locale: fmt.signed_percent(0.031, locale), "+3,1%", "+3.1%"),
        (lambda locale: fmt.day(date(2026, 1, 31), locale), "31/01/2026", "Jan 31, 2026"),
        (
            lambda locale: fmt.moment(datetime(2026, 1, 31, 3, tzinfo=UTC), locale),
            "31/01/2026 00:00",
            "Jan 31, 2026 00:00",
        ),
        (
            lambda locale: fmt.moment(datetime(2026, 1, 31, 3), locale),
            "31/01/2026 03:00",
            "Jan 31, 2026 03:00",
        ),
        (fmt.separators, ",.", ".,"),
    ],
)
def test_values_are_written_as_the_reader_writes_them(
    written: Any, portuguese: str, english: str
) -> None:
    normal = [written(locale).replace(" ", "\xa0") for locale in LOCALES]
    assert normal == [portuguese.replace(" ", "\xa0"), english.replace(" ", "\xa0")]


def kpi(**more: Any) -> Kpi:
    receipt = Receipt("x", [ReceiptInput("E", "sum of absolute errors", 2.0, "units")], "", 3)
    known = {"key": "wape", "value": 0.25, "unit": "fraction", "previous": 0.2, "change": 0.25}
    rest = {"target": None, "as_of": TODAY, "better": "down", "receipt": receipt}
    return Kpi(**{**known, **rest, **more})


def test_one_day_is_no_days():
    viewer = reader()
    assert [with_unit(days, "days", "pt_BR", viewer.t) for days in (1, 1.5, 30)] == [
        "1 dia",
        "1,5 dias",
        "30 dias",
    ]
    assert suppliers.in_days(1.04, viewer) == "1 dia"
    told = [slip_words(days, viewer) for days in (-2, -1, 1, 2)]
    assert told == ["2 dias de avanço", "1 dia de avanço", "1 dia de atraso", "2 dias de atraso"]


def test_kpi_card_judges_the_change_and_shows_the_receipt() -> None:
    card = kpi_card(kpi(), reader())
    said = words(card)
    assert "25,0%" in said and "+5,0\u00a0p.p." in said and "de 20,0%" in said
    assert "soma dos erros absolutos" in said and "rodada 3" in said
    assert "change-bad" in str(card) and "change-good" not in str(card)


def test_a_receipt_says_what_its_days_and_hours_are() -> None:
    inputs = [
        ReceiptInput("H", "downtime", 669.15, "hours"),
        ReceiptInput("h", "horizon", 30.0, "days"),
        ReceiptInput("N", "sites", 3.0, "count"),
        ReceiptInput("L", "lead time", None, "days"),
    ]
    for locale, told in (("pt_BR", "669,15 h|30 dias|3|—"), ("en", "669.15 h|30 days|3|—")):
        rows = [words(row) for row in inputs_table(inputs, reader(locale)).children.children]
        assert all(map(str.endswith, rows, told.split("|"))), rows


def test_receipts_of_stock_speak_of_items_and_depots() -> None:
    t = translator("pt_BR")
    told = [t(name) for name, _ in KPIS["stockout_rate"].inputs.values()]
    assert told == [
        "dias de pares item–depósito sem estoque",
        "dias de pares item–depósito com demanda possível",
    ]
    source = t(KPIS["inventory_value"].source)
    assert source == "último estoque de cada item e depósito, a custo unitário"


def test_a_change_that_reads_as_nothing_is_not_judged() -> None:
    for same in (kpi(value=0.1999), kpi(unit="BRL", change=-0.0002)):
        card = kpi_card(same, reader())
        assert "change-neutral" in str(card) and "-0,0" not in words(card)


def test_what_is_no_share_changes_by_per_cent_and_nearly_all_by_two_decimals() -> None:
    said = words(kpi_card(kpi(unit="BRL", value=250.0, previous=200.0), reader()))
    assert "+25,0%" in said and "p.p." not in said
    up = words(kpi_card(kpi(key="sla_availability", value=0.9996, previous=0.9992), reader("en")))
    assert "99.96%" in up and "+0.04\u00a0p.p." in up
    assert "p.p." not in words(kpi_card(kpi(previous=None, change=None), reader()))


@pytest.mark.parametrize(
    ("period", "of_period", "name", "link"),
    [
        ("", False, "OTIF, 90 dias", "/suppliers?uf=SP&period=90"),
        ("180", True, "OTIF", "/suppliers?uf=SP&period=180"),
    ],
)
def test_a_card_says_its_own_days_and_its_rows_are_of_them(
    period: str, of_period: bool, name: str, link: str
) -> None:
    bar = Bar({"uf": []}, Filters(uf=("SP",)), period)
    card = kpi_card(kpi(key="otif", of_period=of_period), reader(), bar)
    assert words(card).startswith(f"{name} ") and f"href='{link}'" in str(card)


def test_kpi_without_its_file_says_which_one() -> None:
    said = words(kpi_card(kpi(value=None, change=None, missing="stock"), reader()))
    assert "estoque" in said and "flask ingest stock.csv" in said
    said = words(kpi_card(kpi(value=None, change=None, missing=COSTS), reader()))
    assert "Nenhum item tem custo unitário; preencha unit_cost_brl" in said


def test_states_say_what_to_do() -> None:
    viewer = reader()
    assert "flask ingest" in words(states.nothing_published(viewer))
    assert "flask ingest projects.csv" in words(projects.layout(NO_PROJECTS, viewer))
    said = words(states.missing_file("purchase_orders", "", viewer.t))
    assert "pedidos de compra" in said and "flask ingest purchase_orders.csv" in said


def test_shortages_without_a_price_are_not_worth_nothing() -> None:
    unknown: dict[str, Any] = dict.fromkeys(field.name for field in fields(ProjectScore))
    covered = ProjectScore(
        **unknown
        | {"project": "P-1", "state": "on_plan", "as_of": TODAY, "materials": 1, "at_risk": 0}
        | {"shortage_brl": 0.0}
    )
    short = replace(covered, project="P-2", at_risk=1, shortage_brl=None)
    priced = replace(short, project="P-3", shortage_brl=7.0)
    for scores, worth in (
        ([covered], "R$ 0"),
        ([covered, short], "—"),
        ([covered, short, priced], "R$ 7"),
    ):
        data = replace(NO_PROJECTS, scores=scores, count=len(scores), is_loaded=True, run_id=3)
        said = words(projects.layout(data, reader())).replace("\xa0", " ")
        assert f"linhas por vir; faltam {worth} " in said


def status(**more: Any) -> DataStatus:
    return replace(
        DataStatus(run_id=3, data_to=TODAY, frequency="D", series_total=9, series_trained=9), **more
    )


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, ""),
        ({"is_demo": True}, "Demonstration data"),
        ({"series_trained": 4}, "4 of 9 series"),
        ({"training_needed": True}, "Train and publish again"),
        ({"archived_to": date(2021, 8, 31)}, "Months until Aug 31, 2021 are archived"),
    ],
)
def test_banners_warn_only_where_there_is_reason(more: dict[str, Any], said: str) -> None:
    lines = words(shell.banners(reader("en"), status(**more)))
    assert said in lines and bool(lines) == bool(said)


@pytest.mark.parametrize(
    ("native", "until"),
    [("D", date(2025, 7, 3)), ("W", date(2025, 7, 10)), ("M", date(2025, 8, 3))],
)
def test_demand_is_old_three_days_after_it_should_be_there(
    native: str, until: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Newer demand by day comes day by day, by week and month once the next one has ended."""
    june = date(2025, 6, 30)
    assert fresh_until(june, native) == until
    known = status(as_of=june, demand_to=june, fresh_until=until)
    for day, is_old in ((until, False), (until + timedelta(days=1), True)):
        monkeypatch.setattr(clock, "today", lambda day=day: day)
        said = words(shell.banners(reader("en"), known))
        assert ("Demand ends on Jun 30, 2025" in said) == is_old == bool(said)


def test_what_was_expected_by_now_is_said_to_be_late() -> None:
    for back, said in (
        (0, "próxima carga por volta de {day}"),
        (1, "próxima carga: esperada em {day}, há 1 dia"),
        (30, "próxima carga: esperada em {day}, há 30 dias"),
    ):
        day = clock.today() - timedelta(days=back)
        told = words(shell.freshness(reader(), status(next_load_on=day)))
        assert told.endswith(said.format(day=f"{day:%d/%m/%Y}"))


def test_freshness_without_a_run() -> None:
    assert "No forecasts published" in words(shell.freshness(reader("en"), DataStatus()))


@pytest.mark.parametrize(
    ("locale", "frequency", "last", "said"),
    [
        ("pt_BR", "D", date(2025, 7, 9), "previsão de 10 dias: 30/06/2025 – 09/07/2025"),
        ("en", "W", date(2025, 9, 7), "forecast of 10 weeks: Jun 30, 2025 – Sep 7, 2025"),
    ],
)
def test_a_forecast_says_of_which_days_it_is(
    locale: str, frequency: str, last: date, said: str
) -> None:
    known = status(horizon=10, frequency=frequency, forecast_to=last, as_of=last)
    assert levels.horizon_words(known, reader(locale)) == said


def test_totals_keep_actual_and_forecast_apart() -> None:
    points = [
        TotalPoint(TODAY, 5.0, None, None, None),
        TotalPoint(date(2025, 6, 30), None, 6.0, 4.0, 9.0),
    ]
    chart = charts.totals_chart(points, reader(), BRL)
    lines = {trace.name: list(trace.y) for trace in chart.data}
    assert lines == {"Realizado": [5.0], "p10": [4.0], "p10–p90": [9.0], "Previsão": [6.0]}
    assert chart.layout.separators == ",."


def test_band_goes_with_the_ensemble_alone() -> None:
    history = [DemandPoint(TODAY, 5.0)]
    points = [
        ForecastPoint("A", "-", date(2025, 6, 30), model, 6.0, 4.0, 6.0, 9.0)
        for model in ("ensemble", "naive")
    ]
    both = charts.series_chart(history, points, ["ensemble", "naive"], reader("en"), UNIT)
    assert [trace.name for trace in both.data] == ["Actual", "p10", "p10–p90", "Ensemble", "Naive"]
    naive = charts.series_chart(history, points, ["naive"], reader("en"), UNIT)
    assert [trace.name for trace in naive.data] == ["Actual", "Naive"]
    assert charts.series_chart([], [], [], reader(), UNIT).data == ()


def test_tooltips_tell_small_quantities() -> None:
    """With two decimals at most, as the table below a chart."""
    history = [DemandPoint(TODAY, 0.04)]
    ahead = [ForecastPoint("A", "-", date(2025, 6, 30), "ensemble", 0.04, 0.0, 0.03, 0.09)]
    chart = charts.series_chart(history, ahead, ["ensemble"], reader(), UNIT)
    assert len(chart.data) == 4
    assert all("%{y:,.2~f}" in trace.hovertemplate for trace in chart.data)


def test_where_no_model_is_shown_there_is_no_band_and_no_file() -> None:
    points = [
        BacktestPoint("ensemble", TODAY, TODAY + timedelta(days=1), 5.0, 4.0, 3.0, 6.0),
        BacktestPoint("naive", TODAY, TODAY + timedelta(days=1), 5.0, 4.0, 3.0, 6.0),
    ]
    place: Any = {"sku": "A", "site": "-", "unit": "un"}

    def shown(*models: str) -> tuple[list[str], int]:
        series = SimpleNamespace(**place, shown=models)
        data: Any = SimpleNamespace(backtest=points, series=series, frequency="D")
        card = series_models._backtest(data, reader())
        [chart] = [vars(one)["figure"] for one in card._traverse() if isinstance(one, dcc.Graph)]
        files = [one for one in card._traverse() if isinstance(one, html.A)]
        return [trace.name for trace in chart.data], len(files)

    assert shown("ensemble") == (["Realizado", "p10", "p10–p90", "Ensemble"], 2)
    assert shown("naive") == (["Realizado", "Ingênuo"], 2)
    assert shown() == (["Realizado"], 0)


def test_a_change_of_per_cents_is_in_points_and_nothing_has_no_unit() -> None:
    told = [
        clusters.measured(feature, value, reader())
        for feature, value in (
            ("availability_pct", 99.12),
            ("Δ availability_pct", 0.12),
            ("Δ latency_ms", -3.0),
            ("latency_ms", None),
        )
    ]
    assert told == ["99,12 %", "+0,12 p.p.", "-3 ms", "—"]


def test_the_table_below_a_forecast_says_what_the_chart_draws() -> None:
    history = [DemandPoint(TODAY, 5.0)]
    plain = ForecastPoint("A", "-", date(2025, 6, 30), "ensemble", 6.0, 4.0, 6.0, 9.0)
    by_hand: dict[str, Any] = {"override_mean": 12.0, "override_p10": 8.0, "override_p90": 18.0}
    adjusted = replace(plain, date=date(2025, 7, 1), override_id=1, **by_hand)
    points = [plain, adjusted]
    header, rows = item_depot.forecast_table(history, points, reader("en"))
    drawn = charts.series_chart(history, points, ["ensemble"], reader("en"), UNIT).data
    columns = dict(zip(header, zip(*rows, strict=True), strict=True))
    names = {
        "Adjusted by hand": "Forecast",
        "p10": "p10",
        "p10–p90": "p90",
        "Ensemble": "Ensemble mean",
    }
    for trace in drawn:
        if trace.name in names:
            assert columns[names[trace.name]] == (None, *trace.y)
    assert columns["Forecast"] == (None, 6.0, 12.0)
    assert columns["Ensemble mean"] == (None, 6.0, 6.0)
    header, rows = item_depot.forecast_table(history, [plain], reader("en"))
    assert len(header) == len(rows[0]) == len(rows[1]) == 5


@pytest.mark.parametrize(
    ("horizon", "ticks"),
    [
        (1, {"dtick": 1, "range": (0.5, 1.5)}),
        (8, {"dtick": 1, "range": (0.5, 8)}),
        (30, {"nticks": 8, "range": (0.5, 30)}),
    ],
)
def test_an_axis_of_periods_has_no_half_ones_and_no_period_0(
    horizon: int, ticks: dict[str, object]
) -> None:
    steps = [
        ModelStep("ensemble", step, 9, 0.4, 0.0, (0.1, 0.5, 0.9), (0.1, 0.5, 0.9))
        for step in range(horizon + 1)
    ]
    axis = charts.steps_chart(steps, ["ensemble"], reader(), UNIT).layout.xaxis
    assert {name: axis[name] for name in ("dtick", "nticks", "range") if axis[name]} == ticks


def test_a_name_stands_at_the_last_value_that_its_line_has() -> None:
    chart = go.Figure()
    charts.add_line(chart, [1, 2, 3], [4.0, 6.0, None], "short")
    charts.add_line(chart, [1, 2, 3], [40.0, 50.0, 60.0], "whole")
    charts.add_line(chart, [1, 2, 3], [None, None, None], "empty")
    charts.label_ends(chart)
    heights = {one.text: one.y for one in chart.layout.annotations}
    assert heights == {"short": 6.0, "whole": 60.0}


def test_line_names_do_not_cover_each_other() -> None:
    assert charts.spread([10.0, 10.1, 3.0], 1.0) == [10.0, 11.0, 3.0]


def test_long_names_beside_a_chart_break_between_words_alone() -> None:
    chart = go.Figure()
    for place, name in enumerate(("Identificado", "como se espera", "p90")):
        charts.label_beside(chart, place, name, "red")
    shown = [one.text for one in chart.layout.annotations]
    assert shown == ["Identificado", "como se<br>espera", "p90"]


def test_a_twin_tells_its_whole_table_in_one_component() -> None:
    rows: list[list[Cell]] = [[date(2025, 6, 1), 1234.5], ["<b>Sul</b>", None]]
    made = twin(["Dia", "p10"], rows, reader(), narrows=("uf", [None, "RS"]))
    [_summary, holder] = made.children
    assert json.loads(holder.to_plotly_json()["props"]["data-table"]) == {
        "header": ["Dia", "p10"],
        "rows": [["01/06/2025", "1.234,5"], ["<b>Sul</b>", "—"]],
        "words": [0],
        "narrows": "uf",
        "values": [None, "RS"],
    }
    with pytest.raises(ValueError, match="1 values of uf for 2 rows"):
        twin(["Dia", "p10"], rows, reader(), narrows=("uf", ["RS"]))


def test_numbers_of_a_column_have_the_same_decimals() -> None:
    rows: list[list[Cell]] = [["a", 2.0, 1.25, 7.0], ["b", 1234.5, 3.0, None], ["c", None, 2, 8]]
    told = json.loads(
        twin(list("nxyz"), rows, reader()).children[1].to_plotly_json()["props"]["data-table"]
    )
    assert told["rows"] == [
        ["a", "2,0", "1,25", "7"],
        ["b", "1.234,5", "3,00", "—"],
        ["c", "—", "2,00", "8"],
    ]
    assert told["words"] == [0]


def test_csv_is_safe_and_local() -> None:
    rows: list[list[sheets.Cell]] = [["=1+1", 1.5, None, TODAY], ["a;b", 2.0, -3.25, TODAY]]
    assert "".join(sheets.csv_lines(["x"], rows, "pt_BR")) == (
        '\ufeffx\r\n\'=1+1;1,5;;2025-06-29\r\n"a;b";2;-3,25;2025-06-29\r\n'
    )
    assert "'=1+1,1.5,,2025-06-29" in "".join(sheets.csv_lines(["x"], rows, "en"))


def test_address_takes_what_it_knows_and_says_what_it_left_out() -> None:
    address = Address.parse("?uf=SP&uf=ZZ&uf=BA&start=x&sort=up", translator("en"))
    filters = address.filters({"uf": [Option("BA", ""), Option("SP", "")]})
    assert filters.uf == ("SP", "BA")
    assert address.count("start") == 0
    assert address.one("sort", ("sku", "-sku"), "sku") == "sku"
    assert [line.split("”")[0] for line in address.notices] == ["“uf=ZZ", "“start=x", "“sort=up"]


def test_filter_bar_remembers_what_the_page_was_made_from() -> None:
    bar = filter_bar(initial={"sku": "A"}, resets={"sku": ["site"]}, empty={"models": "none"})
    assert bar.children[-1].data == {
        "initial": {"sku": "A"},
        "resets": {"sku": ["site"]},
        "empty": {"models": "none"},
    }


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("is empty", "está vazio"),
        ("is more than 10", "é mais que 10"),
        ("is more than 0.5 once scaled", "é mais que 0,5 depois de convertido"),
        (
            "is not a date (expected yyyy-mm-dd or dd/mm/yyyy)",
            "não é uma data (esperado: aaaa-mm-dd ou dd/mm/aaaa)",
        ),
        (
            "is not a date (expected %d-%b-%y, %d.%m.%Y or yyyy-mm-dd)",
            "não é uma data (esperado: %d-%b-%y, %d.%m.%Y ou aaaa-mm-dd)",
        ),
        (
            "17 of 2,300 rows are bad (73.9%), more than 1.0%: nothing was loaded",
            "17 de 2.300 linhas são ruins (73,9%), mais que 1,0%: nada foi carregado",
        ),
        ("demand.csv: has a header and no rows", "demand.csv: tem cabeçalho e nenhuma linha"),
        (
            "demand.csv, column 'qty': is not a column of demand; the closest is 'quantity'"
            " (columns: date, sku)",
            "demand.csv, coluna 'qty': não é uma coluna de demand; a mais próxima é 'quantity'"
            " (colunas: date, sku)",
        ),
        (
            "a.xlsx, column 'qty': the column is missing in sheet 'S' (columns: date, sku)",
            "a.xlsx, coluna 'qty': a coluna falta na planilha 'S' (colunas: date, sku)",
        ),
        (
            "a.csv, line 2, column 'a: b', value '1.234': can be read with a decimal mark or a"
            ' thousands mark: say decimal = "," or decimal = "." in mapping.toml',
            "a.csv, linha 2, coluna 'a: b', valor '1.234': pode ser lido com separador decimal ou"
            ' de milhar: escreva decimal = "," ou decimal = "." em mapping.toml',
        ),
        (
            "a.csv, line 9: byte 0xc9 is not UTF-8: broken encoding",
            "a.csv, linha 9: o byte 0xc9 não é UTF-8: codificação corrompida",
        ),
        (
            "x.csv: holds no ERP file (x.csv): name files by their kind (demand, stock), as"
            " demand.csv, or describe them in mapping.toml",
            "x.csv: não contém arquivo de ERP (x.csv): dê aos arquivos o nome do seu tipo (demand,"
            " stock), como demand.csv, ou descreva-os em mapping.toml",
        ),
        (
            "a.xlsx: has several sheets (P, Q): name one 'demand', or say in mapping.toml which to"
            " read",
            "a.xlsx: tem várias planilhas (P, Q): dê a uma o nome 'demand', ou diga em mapping.toml"
            " qual deve ser lida",
        ),
        ("stopped by Cancelled", "interrompido por Cancelled"),
        ("the database refused: disk full", "o banco de dados recusou: disk full"),
        (
            "its process could not be started: Cannot allocate memory",
            "o processo dele não pôde ser iniciado: Cannot allocate memory",
        ),
        (
            "The file is no longer kept; send it again.",
            "O arquivo não está mais guardado; envie-o de novo.",
        ),
        ("no value in the period", "sem valor no período"),
        (
            "another publish is running: run:3, by ana@nova.test; waited 600 s, try again when it"
            " has ended",
            "outra publicação está em andamento: run:3, por ana@nova.test; após 600 s de espera,"
            " tente de novo quando ela terminar",
        ),
        (
            "another load, publish or derivation is running; waited 60 s, try again when it has"
            " ended",
            "há outra carga, outra publicação ou outro recálculo em andamento; após 60 s de espera,"
            " tente de novo mais tarde",
        ),
        (
            "Run 3 cannot be published: it is dropped.",
            "A rodada 3 não pode ser publicada: os dados dela foram removidos.",
        ),
        ("something new", "something new"),
        ("100% of 1: %(x)s", "100% of 1: %(x)s"),
    ],
)
def test_the_pipeline_s_reasons_are_told_in_the_reader_s_language(said: str, shown: str) -> None:
    assert reason_in(said, translator("pt_BR"), "pt_BR") == shown
    assert reason_in(said, translator("en"), "en") == said


NO_REASONS = set("text say warning info compile search BadBundle".split())
"""Calls whose texts are for the database, a log, the terminal or a parser."""
FILLED = {
    "stopped()": "stopped before its end",
    "others": "a and b",
    "what": "load",
    "name": ": a, by b",
    "state": "it is dropped",
    "found.state": "loading",
    "column.help": "downtime hours:percent of the fee, as 7:7",
    "error": "(7)",
}
"""What stands in a reason by the expression that fills it in; 7 for others."""
FRAGMENTS = {"load, publish or derivation", " and "}


def filled(part: ast.AST) -> str:
    """A part of an f-string."""
    if not isinstance(part, ast.FormattedValue):
        return str(ast.literal_eval(part))
    value = FILLED.get(ast.unparse(part.value), "7")
    return repr(value) if part.conversion == ord("r") else value


def reasons_of(node: ast.AST, *, is_inside: bool = False) -> Iterator[str]:
    """Texts of more than one word that functions make, filled in."""
    called = node.func if isinstance(node, ast.Call) else None
    if getattr(called, "id", getattr(called, "attr", None)) in NO_REASONS:
        return
    if isinstance(node, ast.JoinedStr):
        yield "".join(map(filled, node.values))
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and is_inside:
        yield node.value
    elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
        is_inside = is_inside or isinstance(node, ast.FunctionDef)
        for child in ast.iter_child_nodes(node):
            yield from reasons_of(child, is_inside=is_inside)


@pytest.mark.parametrize("module", [cells, checks, loads, publish])
def test_every_reason_of_the_pipeline_has_its_portuguese(module: ModuleType) -> None:
    texts = reasons_of(ast.parse(inspect.getsource(module)))
    words = {one for one in texts if re.search("[a-z] ", one)} - FRAGMENTS
    said = {one for one in words if not re.match(r"\s*[A-Z]{2}", one)}
    assert said
    untold = [one for one in said if reason_in(one, translator("pt_BR"), "pt_BR") == one]
    assert not untold


def test_what_was_changed_in_a_file_is_told_in_the_reader_s_language() -> None:
    notes = {"promised_on lies after received_on: promised_on was cleared": 1200}
    told: dict[str, Any] = dict.fromkeys(field.name for field in fields(FileOutcome))
    told |= {"file": "po.csv", "part": "", "kind": "purchase_orders", "state": "accepted"}
    told |= {"read": 1201, "accepted": 1201, "rejected": 0, "filtered": 0, "merged": 0}
    told |= {"rejects": [], "dropped": {"cancelada": 1}, "notes": notes}
    shown = words(outcome(FileOutcome(**told), reader()))
    assert "1 linha: cancelada" in shown
    assert "1.200 linhas: promised_on vem depois de received_on: promised_on foi apagado" in shown


def test_refused_cells_are_not_told_as_rows() -> None:
    told: dict[str, Any] = dict.fromkeys(field.name for field in fields(FileOutcome))
    told |= {"file": "d.csv", "part": "", "kind": "demand", "state": "rejected", "rejected": 17}
    told |= {"read": 23, "accepted": 6, "filtered": 0, "merged": 0, "dropped": {}, "notes": {}}
    told["rejects"] = [RejectShown(2, name, "x", "is empty") for name in "abcdefghijklmnopqrst"]
    shown = words(outcome(FileOutcome(**told), reader()))
    assert "Linhas rejeitadas: 17. Primeiros problemas mostrados: 20." in shown


@pytest.mark.parametrize(
    ("thing", "state", "title", "said"),
    [
        (
            "setting:policy,recommendations",
            "failed",
            "Mudança das configurações: alertas e política de estoque, valor em jogo",
            "Não deu certo. O que foi salvo permanece",
        ),
        ("setting:policy", "done", "Mudança das configurações", "seguem as configurações"),
        ("override:12", "failed", "Ajuste da previsão: 12", "O que foi salvo permanece"),
        ("override:12", "cancelled", "Ajuste da previsão", "Cancelado. O que foi salvo permanece"),
        ("load:demand.csv", "failed", "demand.csv", "O que foi carregado permanece"),
    ],
)
def test_a_derivation_says_what_it_follows_and_what_stays(
    thing: str, state: str, title: str, said: str
) -> None:
    none: dict[str, Any] = dict.fromkeys(field.name for field in fields(Job))
    none |= {"kind": "derive", "object": thing, "state": state, "files": [], "message": "x"}
    told = words(job_card(Job(**none), [], reader()))
    assert title in told and said in told and "Nada foi alterado" not in told


# Languages


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("pt_BR", "nos 64 dias depois de 29/11/2026, faltam 0,37 un, R$ 2.237 em risco; o estoque"),
        ("en", "in the 64 days after Nov 29, 2026 0.37 un missing, R$ 2,237 at risk; stock runs"),
    ],
)
def test_a_recommendation_names_the_days_of_what_is_missing(locale: str, said: str) -> None:
    nothing = {"stockout_on": "2027-04-22", "unmet_quantity": 0.371, "risk_brl": 2236.6}
    facts = {"today": "2026-11-29", "if_nothing": nothing | {"window_days": 64.1436}}
    asked: dict[str, Any] = dict.fromkeys(field.name for field in fields(Recommendation))
    asked |= {"id": 1, "kind": "TRANSFER", "sku": "BAT", "unit": "un", "status": "open"}
    asked |= {"facts": facts, "narrative": {}, "narrative_source": "template"}
    row = Recommendation(**asked)
    card = words(recommendation_card(row, reader(locale))).replace("\xa0", " ")
    assert said in card
    without = replace(row, facts={"if_nothing": nothing})
    assert "64" not in words(recommendation_card(without, reader(locale)))


def test_an_accepted_recommendation_says_what_is_needed_now_where_it_is_another_quantity() -> None:
    asked: dict[str, Any] = dict.fromkeys(field.name for field in fields(Recommendation))
    asked |= {"id": 1, "kind": "REORDER", "sku": "BAT", "unit": "un", "status": "accepted"}
    asked |= {"facts": {}, "narrative": {}, "narrative_source": "template", "quantity": 60}
    asked |= {"decided_by": "ana@nova.example", "decided_at": datetime(2025, 7, 1, 12, tzinfo=UTC)}
    row = Recommendation(**asked | {"accepted_quantity": 10.0})
    assert "10 un accepted, 60 un needed now" in words(recommendation_card(row, reader("en")))
    same = replace(row, quantity=10)
    assert "needed now" not in words(recommendation_card(same, reader("en")))


@pytest.mark.parametrize(
    ("status", "portuguese", "english"),
    [
        ("accepted", "Aceita · ana", "Accepted · ana"),
        ("snoozed", "Adiada · ana", "Snoozed · ana"),
        ("done", "Feita · ana", "Done · ana"),
        ("rejected", "Rejeitada · ana", "Rejected · ana"),
    ],
)
def test_a_recommendation_is_one(status: str, portuguese: str, english: str) -> None:
    asked: dict[str, Any] = dict.fromkeys(field.name for field in fields(Recommendation))
    asked |= {"id": 1, "kind": "REORDER", "sku": "BAT", "unit": "un", "status": status}
    asked |= {"facts": {}, "narrative": {}, "narrative_source": "template", "decided_by": "ana"}
    row = Recommendation(**asked | {"decided_at": datetime(2025, 7, 1, 12, tzinfo=UTC)})
    assert portuguese in words(recommendation_card(row, reader()))
    assert english in words(recommendation_card(row, reader("en")))


@pytest.mark.parametrize(
    ("status", "portuguese", "english"),
    [
        ("acknowledged", " · reconhecido · ", " · acknowledged · "),
        ("snoozed", " · adiado · ", " · snoozed · "),
        ("resolved", " · resolvido · ", " · resolved · "),
    ],
)
def test_an_alert_is_one(status: str, portuguese: str, english: str) -> None:
    asked: dict[str, Any] = dict.fromkeys(field.name for field in fields(Alert))
    asked |= {"id": 1, "kind": "dead_stock", "level": "info", "sku": "BAT", "site": "DEP-SP"}
    asked |= {
        "status": status,
        "facts": {"days": 90},
        "raised_at": datetime(2025, 7, 1, tzinfo=UTC),
    }
    row = Alert(**asked)
    assert portuguese in words(alert_card(row, reader()))
    assert english in words(alert_card(row, reader("en")))


def test_a_full_queue_has_few_components() -> None:
    """Dash visits each of them whenever another comes: with the receipts of its cards the page held
    2,800, and the browser was busy with it for half a minute."""
    rules = RULES_OF_KIND["REORDER"]
    put_in = [one for rule in rules for one in rule.inputs.values()]
    facts: dict[str, Any] = dict.fromkeys((rule.result for rule in rules), 1.0)
    facts |= {name: "2025-06-30" if unit == "date" else 1.0 for name, _, unit in put_in}
    asked: dict[str, Any] = dict.fromkeys(field.name for field in fields(Recommendation))
    asked |= {"kind": "REORDER", "sku": "BAT", "unit": "un", "status": "open", "facts": facts}
    asked |= {"narrative": {}, "narrative_source": "template"}
    queue = [Recommendation(**asked | {"id": number}) for number in range(1, PAGE_ROWS + 1)]
    cards = [recommendation_card(row, reader()) for row in queue]
    held = [one for card in cards for one in card._traverse() if isinstance(one, Component)]
    assert len(held) < 800


def catalogue(locale: str) -> Any:
    with (FOLDER / locale / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=locale)


def messages_in_the_source() -> set[str]:
    with (FOLDER / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    found = extract_from_dir(ROOT, methods, options, keywords={"t": None, "N_": None, "_": None})
    return {message[2] for message in found if isinstance(message[2], str)}


@pytest.mark.parametrize("locale", LOCALES)
def test_every_message_is_in_the_catalogue(locale: str) -> None:
    known = {message.id for message in catalogue(locale) if message.id and message.string}
    assert messages_in_the_source() - known == set()
    assert known - messages_in_the_source() == set(), "messages that nothing says any more"


@pytest.mark.parametrize("locale", LOCALES)
def test_translations_keep_their_values(locale: str) -> None:
    wrong = [(message.id, list(message.check())) for message in catalogue(locale) if message.id]
    assert [line for line in wrong if line[1]] == []


@pytest.mark.parametrize(
    ("notion", "word"),
    [
        (r"\bslip\b", "atraso"),
        (r"\bsites?\b", "site"),
        (r"\bholding\b", "posse"),
        (r"\brows? (was )?re(ject|fus)ed|\brejected rows?", "rejeitad"),
        (r"\bjob\b", "tarefa"),
        (r"\border[ -]up[ -]to\b", "máximo"),
        (r"^order by$", "pedir até"),
    ],
)
def test_a_notion_has_one_word_in_portuguese(notion: str, word: str) -> None:
    said = {m.id: m.string for m in catalogue("pt_BR") if re.search(notion, m.id, re.IGNORECASE)}
    assert said and {key: words for key, words in said.items() if word not in words.lower()} == {}


@pytest.mark.parametrize("locale", LOCALES)
def test_compiled_catalogue_is_that_of_the_source(locale: str) -> None:
    with (Path(FOLDER) / locale / "LC_MESSAGES" / "messages.mo").open("rb") as file:
        compiled = {message.id: message.string for message in read_mo(file) if message.id}
    assert compiled == {m.id: m.string for m in catalogue(locale) if m.id}


def test_a_period_without_a_whole_month_is_not_a_missing_file() -> None:
    for locale, said in (("en", "No whole month"), ("pt_BR", "Nenhum mês inteiro")):
        line = str(states.missing_line(WHOLE_MONTHS, translator(locale)))
        assert said in line and "flask" not in line


def test_without_a_uf_the_map_says_which_column_is_empty() -> None:
    bar = Bar({}, NO_FILTERS)
    data = regions.RegionsData(
        [], [], [], [], "depots", (), NO_FILTERS, bar, False, None, "D", notices=["x"]
    )
    said = words(regions.content(data, reader()))
    assert "Nenhum site tem UF Preencha uf em sites.csv." in said
    assert "flask ingest sites.csv" in said and "x" in said


def test_coded_values_have_names() -> None:
    known = messages_in_the_source()
    for definition in KPIS.values():
        assert definition.key in text.KPI_NAMES and definition.key in text.KPI_HELP
        assert {definition.source, *(name for name, _ in definition.inputs.values())} <= known
    assert set(text.FILE_KINDS) == set(KINDS)
    for rule in (*ALERT_RULES, *POLICY_RULES, *chain.from_iterable(RULES_OF_KIND.values())):
        assert {rule.name, *(words for _, words, _ in rule.inputs.values())} <= known


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("pooled", "No ensemble."),
        ("ses", "Só nos quantis: seu erro é 1,020 vezes o do melhor; o limite da média é 1,01."),
        ("tsb", "Fora: seu erro é 1,20 vezes o do melhor; o limite é 1,01."),
        (
            "imapa",
            "Só na média: a perda pinball de seus quantis é 0,250, a do melhor 0,200;"
            " o limite é 1,10 vezes isso.",
        ),
    ],
)
def test_a_member_left_out_of_the_mean_may_still_count_for_the_quantiles(
    model: str, said: str
) -> None:
    errors = {"pooled": 0.5, "ses": 0.51, "tsb": 0.6, "imapa": 0.5}
    weights = {"pooled": 0.5, "ses": 0.0, "tsb": 0.0, "imapa": 0.5}
    losses = {"pooled": 0.21, "ses": 0.2, "tsb": 0.4, "imapa": 0.25}
    spread = {"pooled": 0.5, "ses": 0.5, "tsb": 0.0, "imapa": 0.0}
    chosen = ClassChoice("lumpy", errors, weights, {}, 1.01, False, 1.1, losses, spread)
    assert reason_of(chosen, model, reader()) == said


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        (
            {"ensemble": 0.9, "seasonal_naive": 0.8},
            "Irregular: o ensemble perdeu para o ingênuo sazonal no backtest (0,900 contra 0,800)",
        ),
        ({}, "Irregular: poucas séries para ser avaliada sozinha. No conjunto de todas"),
    ],
)
def test_the_publishing_guard_is_told_with_the_errors_that_there_are(
    errors: dict[str, float], said: str
) -> None:
    chosen = ClassChoice("lumpy", errors, {"seasonal_naive": 1.0}, {}, 1.01, True)
    assert said in str(naive_notice(chosen, reader()))
    assert choices_card([chosen], reader())


def test_a_line_of_too_many_points_keeps_its_peaks() -> None:
    chart = go.Figure()
    heights = [float(place % 7) for place in range(20_001)]
    heights[1234], heights[15_000] = 99.0, -99.0
    chart.add_scatter(x=list(range(20_001)), y=heights)
    chart.add_scatter(x=[1, 2], y=[3.0, None])
    charts.graph("one", chart, reader())
    long, short = chart.data
    assert 2_000 < len(long.x) == len(long.y) <= charts.POINTS_AT_MOST
    assert {99.0, -99.0} <= set(long.y)
    assert all(heights[x] == y for x, y in zip(long.x, long.y, strict=True))
    assert list(long.x) == sorted(long.x)
    assert list(short.y) == [3.0, None]


def test_a_history_of_too_many_bars_is_added_up_by_month() -> None:
    days = [TODAY + timedelta(days=place) for place in range(charts.POINTS_AT_MOST + 1)]
    history = [DemandPoint(day, 2.0) for day in days]
    daily = replace(status(), frequency="D")
    for told, unit in ((history, "m por mês"), (history[1:], "m por dia")):
        made = item_depot.history_card("Cabo", told, "m", daily, reader(), files={})
        [chart] = [vars(one)["figure"] for one in made._traverse() if isinstance(one, dcc.Graph)]
        [bars] = chart.data
        assert (len(bars.x) == len(told)) == (told != history)
        assert sum(bars.y) == 2.0 * len(told) and chart.layout.yaxis.title.text == unit


def test_ticks_are_written_as_cards_write_numbers() -> None:
    made = charts.short_ticks([None, 1_900_000.0], reader(), from_zero=True)
    assert made["tickvals"] == [0, 500_000, 1_000_000, 1_500_000]
    assert made["ticktext"] == ["0", "500\xa0mil", "1\xa0mi", "1,5\xa0mi"]
    narrow = charts.short_ticks([1_010_000.0, 1_100_000.0], reader())
    assert narrow["ticktext"][:3] == ["1\xa0mi", "1,02\xa0mi", "1,04\xa0mi"]
    assert charts.short_ticks([-3.0, 4.0], reader())["tickvals"] == [-4, -2, 0, 2, 4]
    assert charts.short_ticks([], reader()) == {}


@pytest.mark.parametrize("locale", LOCALES)
def test_every_amount_is_written_alike(locale: str) -> None:
    for value in (0, 7, -42.5, 9_999, 249_900, -249_900, 3_200_000_000):
        for told in (
            fmt.brl(value, locale),
            fmt.brl(value, locale, 2),
            fmt.brl_compact(value, locale),
        ):
            assert re.fullmatch(r"-?R\$\u00a0[\d.,]+(\u00a0?\w+)?", told), told
            assert told.startswith("-") == (value < 0)


@pytest.mark.parametrize(
    ("frequency", "told"), [("D", "30 dias"), ("W", "28 dias"), ("M", "1 mês")]
)
def test_the_maps_labels_say_the_days_that_its_numbers_are_of(frequency: str, told: str) -> None:
    known: dict[str, Any] = {"demand": date(2025, 6, 1), "first_demand": date(2025, 1, 1)}
    known |= {"stock": TODAY, "stock_before": None, "stock_before_that": None}
    last = SimpleNamespace(**known, as_of=TODAY, outages_from=date(2025, 1, 1), outages_to=TODAY)
    run = PublishedRun(1, None, frequency, 30, TODAY, TODAY, {}, None, TODAY)
    windows = kpis._windows(run, last, NO_FILTERS)
    spans = {"demand_brl": "demand", "stockout_rate": "stock", "availability": "sla"}
    for measure, name in spans.items():
        days = (windows[f"{name}_to"] - windows[f"{name}_after"]).days
        said = text.measure_name(measure, translator("pt_BR"), of_period=False, frequency=frequency)
        assert text.usual_days(measure, frequency) in (days, None)
        assert said.endswith(told if measure == "demand_brl" else f"{days} dias"), said


def test_the_map_tells_its_places_and_transfers_as_tables_too() -> None:
    at = (-23.5, -46.6)
    places = [Place("DEP-SP", "Sul", "SP", "depot", None, *at)]
    towers = [f"TWR-{one}" for one in range(regions.LISTED + 1)]
    places += [Place(code, None, "SP", "tower", "DEP-SP", *at) for code in towers]
    moves = [Move(1, "C-1", None, "m", 5.0, 9.5, "DEP-RJ", "RJ", -22.9, -43.2, "DEP-SP", "SP", *at)]
    bar, layers = Bar({}, NO_FILTERS), regions.LAYERS
    data = regions.RegionsData(
        [], [], places, moves, "depots", layers, NO_FILTERS, bar, True, None, "D", notices=[]
    )
    page = regions.content(data, reader("en"))
    said = words(page)
    assert "Depots: 1" in said and "Towers: 301" in said and "Transfers: 1" in said
    told = json.dumps(page, cls=PlotlyJSONEncoder)
    assert "C-1: 5 m, DEP-RJ \\u2192 DEP-SP (R$\\u00a010)" in told
    row = ["C-1", "", "5", "m", "DEP-RJ", "DEP-SP", "9.5"]
    assert json.dumps(json.dumps(row, separators=(",", ":")))[1:-1] in told
    assert told.count("data-table") == 2
    assert '"label": "TWR-7, of DEP-SP", "depot": "DEP-SP", "chosen": false' in told
    assert '"href": "/recommendations?kind=TRANSFER&sku=C-1&site=DEP-SP"' in told
