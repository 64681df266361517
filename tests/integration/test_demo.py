"""The demo files: reproducible, whole, reconciled and lifelike, judged by the files alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from holidays import country_holidays

from domain.demand import demand_class
from domain.erp import KINDS, UFS
from domain.projects import Status, slip_days
from warehouse.demo import write_demo
from warehouse.demo_catalogue import SUPPLIERS

TODAY = date(2026, 3, 10)
LAST = pd.Timestamp(2026, 3, 9)
DAYS = pd.date_range("2023-03-10", LAST)
DATES = {
    "demand": ["date"],
    "stock": ["date"],
    "purchase_orders": ["requested_on", "ordered_on", "promised_on", "received_on"],
    "outages": ["started_at", "ended_at"],
    "projects": ["planned_start", "planned_end", "actual_end"],
    "equipment": ["measured_at"],
    "tower_kpis": ["date"],
    "drivers": ["date"],
}
MEGABYTES = 40

Files = Callable[[str], pd.DataFrame]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    write_demo(folder, seed=7, today=TODAY)
    return folder


@pytest.fixture(scope="module")
def files(folder: Path) -> Files:
    """Reads a file of the demo by its kind, as its header says; each is read once."""
    read = {name: _read(folder / f"{name}.csv", DATES.get(name, [])) for name in KINDS}
    return lambda name: read[name]


def _read(path: Path, dates: list[str]) -> pd.DataFrame:
    brazilian = ";" in path.read_text(encoding="utf-8").split("\n", 1)[0]
    separator, decimal = (";", ",") if brazilian else (",", ".")
    return pd.read_csv(path, sep=separator, decimal=decimal, parse_dates=dates)


@pytest.fixture(scope="module")
def daily(files: Files) -> pd.DataFrame:
    """Demand: series x days, zeros included."""
    rows = files("demand").pivot_table(
        index=["sku", "site"], columns="date", values="quantity", aggfunc="sum", fill_value=0
    )
    return rows.reindex(columns=DAYS, fill_value=0)


def of_item(daily: pd.DataFrame, *skus: str) -> pd.Series:
    """Demand a day of some items, all depots together."""
    return daily.loc[daily.index.get_level_values("sku").isin(skus)].sum()


# What is written


def test_every_kind_of_file_is_written_with_known_columns_only(files: Files) -> None:
    for name, kind in KINDS.items():
        columns = set(files(name).columns)
        known = {column.name for column in kind.columns}
        assert len(files(name)) > 0, name
        assert {column.name for column in kind.columns if column.required} <= columns, name
        assert columns <= known or kind.extra, name


def test_keys_are_unique(files: Files) -> None:
    for name, kind in KINDS.items():
        key = [column for column in kind.key if column in files(name)]
        assert not files(name).duplicated(key).any(), name


def test_both_manners_of_csv_occur_and_the_folder_stays_small(folder: Path) -> None:
    headers = {path.read_text().split("\n", 1)[0] for path in folder.glob("*.csv")}
    assert {";" in header for header in headers} == {True, False}
    assert sum(path.stat().st_size for path in folder.iterdir()) < MEGABYTES * 2**20


def test_the_folder_is_marked_as_demo(folder: Path) -> None:
    facts = json.loads((folder / "demo.json").read_text())
    assert facts == {"demo": True, "seed": 7, "today": "2026-03-10"}


def test_same_seed_and_day_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    for path in write_demo(tmp_path, seed=7, today=TODAY):
        assert path.read_bytes() == (folder / path.name).read_bytes(), path.name


def test_another_seed_gives_other_facts(folder: Path, tmp_path: Path) -> None:
    write_demo(tmp_path, seed=8, today=TODAY)
    for name in ("demand", "stock", "purchase_orders", "outages", "equipment", "drivers"):
        path = f"{name}.csv"
        assert (tmp_path / path).read_bytes() != (folder / path).read_bytes(), name


def test_it_covers_the_country_the_catalogue_and_three_years(
    files: Files, daily: pd.DataFrame
) -> None:
    uf = files("sites").set_index("site")["uf"].to_dict()
    assert set(daily.index.get_level_values("site").map(uf)) == set(UFS)
    assert daily.index.get_level_values("sku").nunique() >= 40
    assert files("items")["family"].nunique() >= 8
    assert len(daily) >= 300
    assert (files("demand")["date"].min(), files("demand")["date"].max()) == (DAYS[0], LAST)


@pytest.mark.parametrize(
    ("name", "column", "target"),
    [
        ("demand", "sku", "items"),
        ("demand", "site", "sites"),
        ("stock", "sku", "items"),
        ("stock", "site", "sites"),
        ("items", "supplier", "suppliers"),
        ("sites", "contract", "contracts"),
        ("sites", "depot", "sites"),
        ("purchase_orders", "sku", "items"),
        ("purchase_orders", "site", "sites"),
        ("purchase_orders", "supplier", "suppliers"),
        ("outages", "site", "sites"),
        ("outages", "sku_waited_for", "items"),
        ("outages", "contract", "contracts"),
        ("equipment", "site", "sites"),
        ("tower_kpis", "site", "sites"),
    ],
)
def test_references_are_known(files: Files, name: str, column: str, target: str) -> None:
    known = set(files(target)[KINDS[target].key[0]])
    used = set(files(name)[column].dropna())
    assert used and used <= known


def test_projects_name_known_materials_some_of_them_still_to_come(files: Files) -> None:
    bills = [row for text in files("projects")["materials"] for row in json.loads(text)]
    assert {row["sku"] for row in bills} <= set(files("items")["sku"])
    assert sum(row["needed_on"] > TODAY.isoformat() for row in bills) >= 20
    assert files("projects")["status"].nunique() == 4


def test_files_of_projects_tell_a_history_of_slips(folder: Path, files: Files) -> None:
    now = files("projects").set_index("project")
    before = now
    for number in (3, 2, 1):
        earlier = _read(folder / f"projects-{number}.csv", DATES["projects"]).set_index("project")
        assert (earlier["progress_pct"] <= before["progress_pct"]).all()
        assert (earlier["as_of"] < before["as_of"]).all()
        before = earlier
    moved = before["planned_end"] != now["planned_end"]
    assert 3 <= moved.sum() <= 25 and (now["planned_end"] >= before["planned_end"]).all()
    rows = now.reset_index().to_dict("records")
    slips = [slip_days(_status(row)) for row in rows if row["status"] == "atrasado"]
    assert len(slips) >= 5 and min(slip or 0 for slip in slips) > 0


def _status(row: dict[Any, Any]) -> Status:
    return Status(
        date.fromisoformat(row["as_of"]),
        row["status"],
        row["planned_start"].date(),
        row["planned_end"].date(),
        None,
        row["progress_pct"] / 100,
    )


# Demand


def test_all_classes_of_demand_occur(daily: pd.DataFrame) -> None:
    living = [row[np.flatnonzero(row)[0] :] for row in daily.to_numpy()]
    classes = [demand_class(row, season_length=7, dead_after=180) for row in living]
    found = pd.Series(classes).value_counts()
    assert (found[["smooth", "erratic", "intermittent", "lumpy"]] >= 45).all()
    assert found["dead"] >= 3
    assert sum(len(row) < 365 for row in living) >= 3


def test_only_what_is_measured_has_decimals(files: Files) -> None:
    rows = files("demand").merge(files("items")[["sku", "unit"]])
    broken = rows["quantity"] % 1 != 0
    assert set(rows[broken]["unit"]) == {"M", "KG", "L"}


def test_weekends_and_holidays_are_quiet(daily: pd.DataFrame) -> None:
    total = daily.sum()
    holiday = np.array([day in country_holidays("BR", years=day.year) for day in DAYS.date])
    working = DAYS.dayofweek < 5
    ordinary = total[working & ~holiday].mean()
    assert total[working & holiday].mean() < 0.7 * ordinary
    assert total[DAYS.dayofweek == 6].mean() < 0.5 * ordinary


def test_contracts_renew_in_january_and_july(daily: pd.DataFrame) -> None:
    gear = of_item(daily, "EP-001", "EP-002", "EP-003")
    month = gear.groupby(gear.index.month).mean()  # type: ignore[attr-defined]
    assert set(month.nlargest(2).index) == {1, 7}
    assert month[[1, 7]].mean() > 1.3 * month.drop([1, 7]).mean()


def test_renewals_are_a_calendar_that_is_known_ahead(files: Files) -> None:
    known = files("drivers").query("driver == 'contract_renewal'").set_index("date")["value"]
    assert known.index.equals(pd.date_range(DAYS[0], LAST + pd.Timedelta(days=120), name="date"))
    assert known.eq(known.index.month.isin([1, 7])).all()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("ufs", "wet", "dry"),
    [
        ("SP RJ MG ES", (11, 12, 1, 2), (5, 6, 7, 8)),
        ("PE CE BA MA", (4, 5, 6, 7), (9, 10, 11, 12)),
        ("PR SC RS", (7, 8, 9, 10), (1, 2, 3, 4)),
    ],
)
def test_each_region_has_its_rain_season(
    files: Files, daily: pd.DataFrame, ufs: str, wet: tuple[int, ...], dry: tuple[int, ...]
) -> None:
    rain = files("drivers").query("driver == 'rain_mm' and uf in @ufs.split()")
    fallen = rain.groupby(rain["date"].dt.month)["value"].mean()
    assert fallen[list(wet)].mean() > 2 * fallen[list(dry)].mean()
    uf = files("sites").set_index("site")["uf"].to_dict()
    here = daily[daily.index.get_level_values("site").map(uf).isin(ufs.split())]
    surge = of_item(here, "EL-003", "RF-005", "RF-003")
    month = surge.groupby(surge.index.month).mean()  # type: ignore[attr-defined]
    assert month[list(wet)].mean() > 1.2 * month[list(dry)].mean()


def test_the_5g_rollout_lifts_radio_demand(files: Files, daily: pd.DataFrame) -> None:
    share = files("drivers").query("driver == 'rollout_5g_share'").groupby("date")["value"].mean()
    assert share.is_monotonic_increasing and share.iloc[-1] > 2 * share.iloc[0]
    radio = of_item(daily, "RF-001", "RF-002", "FO-005")
    pace = share.diff().reindex(DAYS).bfill().fillna(share.diff().iloc[-1])
    monthly = pd.DataFrame({"radio": radio, "pace": pace}).resample("MS").mean()
    assert monthly["radio"].corr(monthly["pace"]) > 0.4


# Stock and orders


@pytest.fixture(scope="module")
def receipts(files: Files, daily: pd.DataFrame) -> pd.DataFrame:
    """Receipts: series x days."""
    rows = files("purchase_orders").pivot_table(
        index=["sku", "site"], columns="received_on", values="received_qty", aggfunc="sum"
    )
    return rows.reindex(index=daily.index, columns=DAYS).fillna(0)


def test_stock_follows_from_receipts_and_issues(
    files: Files, daily: pd.DataFrame, receipts: pd.DataFrame
) -> None:
    moved = pd.Series((receipts - daily).cumsum(axis=1).stack(), name="moved")
    moved.index.names = ["sku", "site", "date"]
    stock = files("stock").join(moved, on=["sku", "site", "date"])
    assert stock["moved"].notna().all()
    opening = (stock["on_hand"] - stock["moved"]).groupby([stock["sku"], stock["site"]])
    assert (opening.max() - opening.min()).max() == 0
    assert opening.ngroups == len(daily) and stock["on_hand"].min() >= 0


def test_every_recent_day_and_every_month_end_is_counted(files: Files) -> None:
    counted = set(files("stock")["date"])
    assert set(DAYS[-120:]) <= counted
    assert set(DAYS[DAYS.is_month_end]) <= counted


def test_what_is_in_transit_is_what_is_ordered_and_not_received(files: Files) -> None:
    orders, stock = files("purchase_orders"), files("stock")
    for day in (LAST, LAST - pd.Timedelta(days=60), pd.Timestamp(2024, 6, 30)):
        known = orders["ordered_on"] <= day
        open_lines = orders[known & ~(orders["received_on"] <= day)]
        due = open_lines.groupby(["sku", "site"])["quantity"].sum()
        listed = stock[stock["date"] == day].set_index(["sku", "site"])["in_transit"]
        assert (listed - due.reindex(listed.index).fillna(0)).abs().max() == 0
        assert listed.sum() > 0


def test_requests_wait_only_where_stock_has_run_out(files: Files) -> None:
    stock = files("stock")
    waiting = stock[stock["reserved"] > 0]
    assert len(waiting) > 100
    assert (waiting["on_hand"] == 0).all()
    assert 0.01 < (stock["on_hand"] == 0).mean() < 0.08


def test_some_items_are_short_and_some_lie_idle(files: Files, daily: pd.DataFrame) -> None:
    recent = files("stock").query("date > '2025-03-09'")
    empty = (recent["on_hand"] == 0).groupby([recent["sku"], recent["site"]]).mean()
    last = files("stock").query("date == @LAST").set_index(["sku", "site"])["on_hand"]
    used = daily.iloc[:, -180:].sum(axis=1).reindex(last.index)
    assert (empty > 0.1).sum() >= 10
    assert ((last > 0) & (last > 2 * used)).sum() >= 10


def test_orders_go_through_their_stages(files: Files) -> None:
    orders = files("purchase_orders")
    assert (orders["requested_on"] <= orders["ordered_on"]).all()
    assert (orders["ordered_on"] < orders["promised_on"]).all()
    received = orders.dropna(subset=["received_on"])
    assert (received["received_on"] > received["ordered_on"]).all()
    assert received["received_on"].max() <= LAST
    short = received["received_qty"] < received["quantity"]
    assert 0.01 < short.mean() < 0.15
    assert (received["received_qty"] > 0).all()
    still = orders[orders["received_on"].isna()]
    assert set(still["status"]) == {"aberto"} and still["received_qty"].isna().all()
    assert (still["promised_on"] <= LAST).sum() >= 3 and len(still) > 50
    assert (orders.groupby("order")["supplier"].nunique() == 1).all()
    assert orders["line"].max() > 1


def test_suppliers_differ_in_lead_time_and_lateness(files: Files) -> None:
    received = files("purchase_orders").dropna(subset=["received_on"])
    days = (received["received_on"] - received["ordered_on"]).dt.days
    late = (received["received_on"] > received["promised_on"]).groupby(received["supplier"]).mean()
    lead = days.groupby(received["supplier"]).agg(["mean", "std"])
    imports = set(files("suppliers").query("kind == 'import'")["supplier"])
    abroad = lead.index.isin(imports)
    assert late.max() > 3 * late.min() > 0
    assert lead["mean"][abroad].min() > lead["mean"][~abroad].max()
    assert lead["std"][abroad].min() > lead["std"][~abroad].mean()


def test_import_prices_follow_the_dollar(files: Files) -> None:
    dollar = files("drivers").query("driver == 'usd_brl'").set_index("date")["value"]
    dollar = dollar.reindex(DAYS).ffill().bfill()
    orders = (
        files("purchase_orders").query("ordered_on >= @DAYS[0]").merge(files("items"), on="sku")
    )
    years = (LAST - orders["ordered_on"]).dt.days / 365.25
    raises = orders["supplier_x"].map({each.code: each.raises for each in SUPPLIERS})
    price = orders["unit_price_brl"] / orders["unit_cost_brl"] * (1 + raises) ** years
    follows = price.groupby(orders["origem"]).corr(orders["ordered_on"].map(dollar))
    assert follows["importado"] > 0.7
    assert abs(follows["nacional"]) < 0.1


# The network


def test_outages_wait_for_parts_that_were_out_of_stock(files: Files) -> None:
    outages = files("outages")
    waited = outages[outages["sku_waited_for"].notna()]
    critical = set(files("items").query("criticality >= 8")["sku"])
    assert len(waited) >= 50 and set(waited["sku_waited_for"]) <= critical
    depot = files("sites").set_index("site")["depot"]
    stock = files("stock").set_index(["sku", "site", "date"])["on_hand"]
    keys = zip(
        waited["sku_waited_for"],
        waited["site"].map(depot),
        waited["started_at"].dt.normalize(),
        strict=True,
    )
    counted = stock.reindex(list(keys)).dropna()
    assert len(counted) >= 10 and (counted == 0).all()


def test_outages_cross_midnights_and_months_and_some_go_on(files: Files) -> None:
    outages = files("outages")
    ended = outages.dropna(subset=["ended_at"])
    start, end = ended["started_at"], ended["ended_at"]
    assert (end >= start).all() and end.max() < LAST + pd.Timedelta(days=1)
    assert (end.dt.normalize() > start.dt.normalize()).sum() > 100
    assert (end.dt.month != start.dt.month).sum() > 10
    assert outages["ended_at"].isna().any()


def test_contracts_ask_for_99_percent_and_some_are_missed(files: Files) -> None:
    contracts, outages = files("contracts").set_index("contract"), files("outages")
    assert contracts["availability_target_pct"].min() >= 99
    towers = files("sites").groupby("contract").size()
    year = outages[outages["started_at"] > LAST - pd.Timedelta(days=365)]
    end = year["ended_at"].fillna(LAST + pd.Timedelta(days=1))
    hours = (end - year["started_at"]).dt.total_seconds().groupby(year["contract"]).sum() / 3600
    available = 100 * (1 - hours / (towers * 365 * 24))
    kept = available >= contracts["availability_target_pct"].reindex(available.index)
    assert kept.any() and not kept.all()


def test_a_towers_availability_is_what_its_outages_left(files: Files) -> None:
    kpis = files("tower_kpis").set_index(["site", "date"])["availability_pct"]
    outages = files("outages").dropna(subset=["ended_at"])
    day = outages["started_at"].dt.normalize()
    within = (outages["ended_at"].dt.normalize() == day) & (day > LAST - pd.Timedelta(days=180))
    rows = outages[within].assign(day=day)
    rows = rows[~rows.duplicated(["site", "day"], keep=False)]
    hours = (rows["ended_at"] - rows["started_at"]).dt.total_seconds() / 3600
    seen = kpis.reindex(pd.MultiIndex.from_arrays([rows["site"], rows["day"]])).to_numpy()
    assert len(rows) > 100
    assert (seen <= 100 * (1 - hours.to_numpy() / 24) + 1e-3).all()
    assert kpis.between(0, 100).all() and len(kpis) <= 120_000


def test_worn_equipment_fails(files: Files) -> None:
    readings = files("equipment")
    assert 0.005 < readings["failure"].mean() < 0.05
    heat = readings.groupby("failure")["temperature_c"].mean()
    health = readings.groupby("failure")["battery_health_pct"].mean()
    assert heat[1] > heat[0] + 1 and health[1] < health[0] - 5
    assert readings["failure_kind"].notna().eq(readings["failure"] == 1).all()
