"""Levels above item × depot: they add up, their quantiles are quantiles, units are never mixed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from domain.accuracy import naive_scales
from domain.levels import DEPOTS, LEVELS
from models_offline import hierarchy, levels, sums
from models_offline.dataset import Dataset, build
from models_offline.quantiles import LEVELS as SHARES
from models_offline.quantiles import QUANTILE_COLUMNS
from models_offline.training import Options, Results, run
from tests.offline.conftest import training_set
from warehouse.queries.training import TrainingSet

HORIZON = 14
DAYS = 150
SITES = {
    "DEP-SP1": ("SP", "SE"),
    "DEP-SP2": ("SP", "SE"),
    "DEP-RJ": ("RJ", "SE"),
    "DEP-BA": ("BA", "NE"),
    "-": (None, None),
}
ITEMS = {
    "CABO": ("fibra", "M"),
    "CORDAO": ("fibra", "UN"),
    "CONECTOR": ("fibra", "UN"),
    "BATERIA": ("energia", "UN"),
    "SOLTO": (None, "UN"),
    "SEM-UN": ("energia", None),
}


def network(seed: int = 5) -> TrainingSet:
    """Every item at every site; what all sites have in common moves them together."""
    random = np.random.default_rng(seed)
    mood = random.gamma(20, 1 / 20, DAYS)
    week = np.where(np.arange(DAYS) % 7 < 5, 1.2, 0.5)
    quantities = {
        (sku, site): random.poisson((4 + 3 * number) * week * mood)
        for number, sku in enumerate(ITEMS)
        for site in SITES
    }
    training = training_set(quantities)
    items = pd.DataFrame(
        [(sku, family, unit, 1.0) for sku, (family, unit) in ITEMS.items()],
        columns=["sku", "family", "unit", "unit_cost_brl"],
    )
    sites = pd.DataFrame(
        [(site, uf, region) for site, (uf, region) in SITES.items()],
        columns=["site", "uf", "region"],
    )
    return replace(training, items=items, sites=sites)


@pytest.fixture(scope="module")
def results() -> Results:
    options = Options(
        horizon=HORIZON, origins=3, models=("naive", "seasonal_naive", "moving_average", "ses")
    )
    return run(network(), options)


@pytest.fixture(scope="module")
def found(results: Results) -> hierarchy.Hierarchy:
    assert results.levels is not None
    return results.levels


@pytest.fixture(scope="module")
def depots(results: Results) -> pd.DataFrame:
    rows = results.forecast[results.forecast["model"] == "ensemble"]
    return rows.join(results.dataset.series.drop(columns="mean"), on="unique_id")


def node(found: hierarchy.Hierarchy, **keys: str) -> pd.DataFrame:
    rows = found.forecast
    for name, value in keys.items():
        rows = rows[rows[name] == value]
    return rows.set_index("ds")


def test_every_level_is_the_sum_of_its_depots(
    found: hierarchy.Hierarchy, depots: pd.DataFrame
) -> None:
    for sku in ITEMS:
        mine = depots[depots["sku"] == sku]
        for level, column in (("item_uf", "uf"), ("item_region", "region")):
            for area, rows in mine.groupby(column):
                stated = node(found, level=level, sku=sku, area=str(area))["mean"]
                assert np.allclose(stated, rows.groupby("ds")["mean"].sum(), rtol=1e-12)
        country = node(found, level="item_country", sku=sku)["mean"]
        assert np.allclose(country, mine.groupby("ds")["mean"].sum(), rtol=1e-12)


def test_a_depot_without_a_uf_counts_in_the_country_alone(found: hierarchy.Hierarchy) -> None:
    ufs = node(found, level="item_uf", sku="CABO").groupby("ds")["mean"].sum()
    regions = node(found, level="item_region", sku="CABO").groupby("ds")["mean"].sum()
    country = node(found, level="item_country", sku="CABO")["mean"]
    assert np.allclose(ufs, regions) and (country > ufs).all()
    assert found.facts["series_without_uf"] == len(ITEMS)


def test_units_are_never_mixed(found: hierarchy.Hierarchy, depots: pd.DataFrame) -> None:
    families = node(found, level="family_country")
    pairs = set(zip(families["family"], families["unit"], strict=True))
    assert pairs == {("fibra", "M"), ("fibra", "UN"), ("energia", "UN")}
    fibre = depots[(depots["family"] == "fibra") & (depots["unit"] == "UN")]
    stated = node(found, level="family_country", family="fibra", unit="UN")["mean"]
    assert np.allclose(stated, fibre.groupby("ds")["mean"].sum())
    assert "all_country" not in set(found.forecast["level"])


def test_all_is_a_level_only_where_there_is_one_unit() -> None:
    training = network()
    known = replace(training, items=training.items.assign(unit="UN"))
    assert "all_country" in set(levels.tree(build(known).series).nodes["level"])
    unknown = replace(training, items=training.items.assign(unit=None))
    present = set(levels.tree(build(unknown).series).nodes["level"])
    assert present == {name for name, level in LEVELS.items() if level.what == "item"}


def test_quantiles_are_in_order_and_hold_the_mean(found: hierarchy.Hierarchy) -> None:
    quantiles = found.forecast[QUANTILE_COLUMNS].to_numpy()
    assert np.isfinite(quantiles).all() and (quantiles >= 0).all()
    assert (np.diff(quantiles, axis=1) >= 0).all()
    inside = found.forecast["mean"].between(found.forecast["p2.5"], found.forecast["p97.5"])
    assert inside.all()


def test_a_node_of_one_depot_has_its_quantiles(
    found: hierarchy.Hierarchy, depots: pd.DataFrame
) -> None:
    stated = node(found, level="item_uf", sku="CABO", area="BA")[QUANTILE_COLUMNS]
    own = depots[(depots["sku"] == "CABO") & (depots["site"] == "DEP-BA")]
    assert np.allclose(stated, own.set_index("ds")[QUANTILE_COLUMNS])


def test_summed_intervals_hold_where_depots_move_together(found: hierarchy.Hierarchy) -> None:
    table = hierarchy.table(found.accuracy).query("model == 'ensemble'").set_index("level")
    assert set(table.index) == {*LEVELS, DEPOTS} - {"all_country"}
    for level in ("item_country", "family_country"):
        assert abs(table["coverage80"][level] - 0.8) < 0.08, level
        assert table["coverage95"][level] > 0.88, level
    assert found.facts["error_correlation"]["item_country"] > 0.1


def test_a_level_is_forecast_better_than_its_depots(found: hierarchy.Hierarchy) -> None:
    wape = hierarchy.table(found.accuracy).set_index(["level", "model"])["wape"].unstack(0)
    row = wape.loc["ensemble"]
    assert row["item_country"] < row["item_region"] < row[DEPOTS]


def test_the_correlation_of_the_parts_is_found_again() -> None:
    random = np.random.default_rng(3)
    parts, days, rho = 12, 4000, 0.3
    own, common = random.normal(size=(parts, days)), random.normal(size=days)
    error = (np.sqrt(rho) * common + np.sqrt(1 - rho) * own).sum(axis=0)
    one = np.ones(days)
    estimate = sums.correlation(error, np.sqrt(parts) * one, parts * one)
    assert estimate == pytest.approx(rho, abs=0.03)


def test_quantiles_of_a_sum_lie_between_independence_and_adding_them_up() -> None:
    from scipy import stats

    part = stats.norm.ppf(SHARES, 50, 5)[None, :]
    parts, means = np.repeat(part[None], 9, axis=0), np.full((9, 1), 50.0)
    top = SHARES.index(0.9)
    for rho, wanted in ((0.0, 15.0), (0.5, np.sqrt(9 * 25 + 0.5 * 72 * 25))):
        found = sums.quantiles_of_sum(parts, means, rho, seed=1)[0, top] - 450
        assert found == pytest.approx(1.2816 * wanted, rel=0.1)
    assert sums.spread(part)[0] == pytest.approx(5, rel=0.05)


@pytest.mark.parametrize(
    "rates", [np.full(27, 0.008), np.geomspace(0.001, 0.03, 27)], ids=["alike", "unlike"]
)
def test_what_is_beyond_the_last_quantile_of_rare_demand_counts_in_sums(rates: np.ndarray) -> None:
    from scipy import stats

    parts = stats.poisson.ppf(SHARES, rates[:, None])[:, None, :]
    assert (parts[0] == 0).all()
    found = sums.quantiles_of_sum(parts, rates[:, None], 0.0, seed=1)[0]
    true = stats.poisson.ppf(SHARES, rates.sum())
    assert (found[: SHARES.index(0.7)] == 0).all()
    assert true[SHARES.index(0.9) :].tolist() == [1, 1, 1, 2]
    assert np.abs(found - true).max() < 0.6


def test_a_sum_is_scaled_by_what_it_was_before_its_own_first_origin() -> None:
    training = network()
    demand = training.demand
    new = demand["sku"].eq("CABO") & (demand["date"] < demand["date"].max() - pd.Timedelta("39D"))
    dataset = build(replace(training, demand=demand[~new]))
    tree = levels.tree(dataset.series)
    nodes = hierarchy.nodes_of(dataset, tree, HORIZON, 3)
    chosen = (tree.nodes["level"] == "item_country") & tree.nodes["sku"].isin(["CABO", "CORDAO"])
    for number, known in zip(tree.nodes.index[chosen], (40 - 28, DAYS - 42), strict=True):
        mine = dataset.history[dataset.history["unique_id"].isin(tree.members[number])]
        total = mine.groupby("ds")["y"].sum().to_numpy()
        assert nodes[number].squared == naive_scales(total[:known], 7).squared


def test_without_a_backtest_there_are_forecasts_and_no_accuracy() -> None:
    short = replace(network(), demand=network().demand.query("date >= '2024-05-20'"))
    found = run(short, Options(horizon=HORIZON, models=("naive", "seasonal_naive"))).levels
    assert found is not None and found.accuracy.empty and len(found.forecast)


def test_what_names_no_places_has_no_levels(results: Results) -> None:
    bare = results.dataset.series.drop(columns=list(levels.PLACES))
    dataset: Dataset = replace(results.dataset, series=bare)
    from models_offline.training import train

    assert train(dataset, Options(horizon=HORIZON, models=("naive",))).levels is None
