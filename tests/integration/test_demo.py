"""The demo files: reproducible, whole, and reconciled from the files alone."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from domain.erp import KINDS, UFS
from warehouse.demo import write_demo
from warehouse.demo_catalogue import REGION_OF, WET_MONTHS

TODAY = date(2026, 3, 10)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    write_demo(folder, seed=7, today=TODAY)
    return folder


def _read(folder: Path, name: str) -> pd.DataFrame:
    style = {"sep": ";", "decimal": ","} if name in ("items", "contracts") else {}
    return pd.read_csv(folder / f"{name}.csv", **style)


@pytest.fixture(scope="module")
def demand(folder: Path) -> pd.DataFrame:
    return _read(folder, "demand").assign(date=lambda rows: pd.to_datetime(rows["date"]))


def test_every_kind_of_file_is_written_with_known_columns_only(folder: Path) -> None:
    for name, kind in KINDS.items():
        columns = set(_read(folder, name).columns)
        known = {column.name for column in kind.columns}
        assert {column.name for column in kind.columns if column.required} <= columns, name
        assert columns <= known or kind.extra, name


def test_the_folder_is_marked_as_demo(folder: Path) -> None:
    assert json.loads((folder / "demo.json").read_text())["demo"] is True


def test_same_seed_and_day_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    for path in write_demo(tmp_path, seed=7, today=TODAY):
        assert path.read_bytes() == (folder / path.name).read_bytes(), path.name


def test_another_seed_gives_other_demand(folder: Path, tmp_path: Path) -> None:
    write_demo(tmp_path, seed=8, today=TODAY)
    assert (tmp_path / "demand.csv").read_bytes() != (folder / "demand.csv").read_bytes()


def test_it_covers_the_country_and_the_catalogue(folder: Path, demand: pd.DataFrame) -> None:
    sites = _read(folder, "sites").set_index("site")
    assert set(demand["site"].map(sites["uf"])) == set(UFS)
    assert demand["sku"].nunique() >= 40
    assert demand.groupby(["sku", "site"]).ngroups >= 300
    assert demand["date"].max() == pd.Timestamp(TODAY) - pd.Timedelta(days=1)
    assert (demand["date"].max() - demand["date"].min()).days >= 3 * 365 - 7


def test_references_are_known(folder: Path, demand: pd.DataFrame) -> None:
    items, sites = set(_read(folder, "items")["sku"]), set(_read(folder, "sites")["site"])
    suppliers = set(_read(folder, "suppliers")["supplier"])
    orders = _read(folder, "purchase_orders")
    assert set(demand["sku"]) <= items and set(demand["site"]) <= sites
    assert set(orders["sku"]) <= items and set(orders["supplier"]) <= suppliers
    assert set(_read(folder, "outages")["site"]) <= sites


def test_demand_shows_all_four_classes(demand: pd.DataFrame) -> None:
    series = demand.groupby(["sku", "site"])["quantity"]
    interval = 1095 / series.count()
    variation = (series.std() / series.mean()) ** 2
    often, even = interval < 1.32, variation < 0.49
    for chosen in (often & even, often & ~even, ~often & even, ~often & ~even):
        assert chosen.sum() >= 20


def test_stock_follows_from_receipts_and_issues(folder: Path, demand: pd.DataFrame) -> None:
    orders = _read(folder, "purchase_orders").dropna(subset=["received_on"])
    receipts = orders.rename(columns={"received_on": "date", "received_qty": "change"})
    issues = demand.assign(change=-demand["quantity"])
    columns = ["date", "sku", "site", "change"]
    moves = pd.concat([receipts[columns], issues[columns]]).assign(
        date=lambda rows: pd.to_datetime(rows["date"])
    )
    daily = moves.pivot_table(index="date", columns=["sku", "site"], values="change", aggfunc="sum")
    stock = _read(folder, "stock").assign(date=lambda rows: pd.to_datetime(rows["date"]))
    counted = stock.pivot_table(index="date", columns=["sku", "site"], values="on_hand")
    running = daily.reindex(columns=counted.columns).fillna(0).cumsum()
    running = running.reindex(counted.index, method="ffill")
    difference = (counted - counted.iloc[0]) - (running - running.iloc[0])
    assert difference.abs().to_numpy().max() == pytest.approx(0, abs=1e-6)


def test_rain_and_renewals_move_demand(folder: Path, demand: pd.DataFrame) -> None:
    surge = demand[demand["sku"] == "EL-003"].assign(
        region=lambda rows: rows["site"].str[4:].map(REGION_OF),
        month=lambda rows: rows["date"].dt.month,
    )
    wet = [
        month in WET_MONTHS[region]
        for region, month in zip(surge["region"], surge["month"], strict=True)
    ]
    assert surge[wet]["quantity"].mean() > 1.1 * surge[[not w for w in wet]]["quantity"].mean()
    renewed = demand[demand["sku"] == "EP-002"].groupby(demand["date"].dt.month)["quantity"].sum()
    assert renewed[[1, 7]].mean() > 1.3 * renewed.drop([1, 7]).mean()


def test_suppliers_are_late_to_different_degrees(folder: Path) -> None:
    orders = _read(folder, "purchase_orders").dropna(subset=["received_on"])
    late = (orders["received_on"] > orders["promised_on"]).groupby(orders["supplier"]).mean()
    assert late["F08"] > 2 * late["F05"] > 0
