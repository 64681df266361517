"""What the parts that machines are expected to take bring to the forecast, on composed networks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from domain.drivers import EXPECTED_PARTS
from models_offline import backtest, expected_parts
from models_offline.dataset import Dataset, build
from models_offline.drivers import Found
from models_offline.expected_parts import Machines
from tests.offline.conftest import MakeTraining
from warehouse.queries.training import TrainingSet

HORIZON, MONTHS, DEPOTS, EACH = 30, 30, 10, 40
FIRST = pd.Timestamp("2023-01-01")
KIND, UNITS = "pump", 15.0
FOLLOWS, OWN_WAVES = "SEAL", "RING"
PARTS = pd.DataFrame({"kind": KIND, "sku": [FOLLOWS, OWN_WAVES], "units": UNITS})


def worn() -> pd.DataFrame:
    """Pumps read every 30 days; the hotter ones fail at the next reading. Those of a depot were
    bought together, so their failures come in waves."""
    random = np.random.default_rng(5)
    rows = []
    for number in range(DEPOTS * EACH):
        depot = number // EACH
        wear = 0.12 * (depot % 7) + random.uniform(0, 0.25)
        for month in range(MONTHS + 1):
            fails = wear > 1.0
            moment = FIRST + pd.Timedelta(days=30 * month, hours=9)
            heat = 30 + 20 * wear + random.normal(0, 0.5)
            rows.append((f"P{number:03}", f"D{depot}", KIND, moment, float(fails), heat))
            wear = 0.0 if fails else wear + random.uniform(0.1, 0.2)
    names = ["equipment", "site", "kind", "measured_at", "failure", "temperature_c"]
    return pd.DataFrame(rows, columns=names)


READINGS = worn()
OF_FOUR = READINGS.assign(failure=0.0)
"""Failures of the first four pumps alone."""
OF_FOUR.loc[OF_FOUR.index[: 4 * (MONTHS + 1)][2::3], "failure"] = 1.0


def network(make: MakeTraining) -> TrainingSet:
    """Seals go where pumps fail; as many rings do, in months of their own."""
    random = np.random.default_rng(9)
    month = ((READINGS["measured_at"] - FIRST).dt.days // HORIZON).rename("month")
    failures = READINGS.groupby(["site", month])["failure"].sum().unstack()
    needed = {}
    for site, counts in failures.iterrows():
        coming = counts.to_numpy()[1:]
        for sku, months in ((FOLLOWS, coming), (OWN_WAVES, random.permutation(coming))):
            daily = np.repeat(1.0 + UNITS * months / HORIZON, HORIZON)
            needed[sku, str(site)] = np.r_[1, random.poisson(daily)]
    return replace(
        make(needed, start=str(FIRST.date())),
        equipment=READINGS,
        parts=PARTS,
        sites=pd.DataFrame({"site": [f"D{one}" for one in range(DEPOTS)], "depot": None}),
    )


def tried(training: TrainingSet) -> tuple[Dataset, Found]:
    """Each part as a demand class of its own."""
    dataset = build(training, "D")
    classes = dataset.series["sku"].map({FOLLOWS: "erratic", OWN_WAVES: "lumpy"})
    dataset = replace(dataset, series=dataset.series.assign(demand_class=classes))
    ends = backtest.origins(dataset, HORIZON, 2)
    return dataset, expected_parts.screen(dataset, ends, HORIZON, Found())


def test_it_is_on_where_demand_follows_the_risk_and_off_where_not(
    make_training: MakeTraining,
) -> None:
    dataset, found = tried(network(make_training))
    rows = {row["demand_class"]: row for row in found.rows}
    assert {row["driver"] for row in found.rows} == {EXPECTED_PARTS}
    assert {row["series"] for row in found.rows} == {DEPOTS}
    assert rows["erratic"]["used"] and not rows["lumpy"]["used"]
    assert rows["erratic"]["error_with"] < 0.8 * rows["erratic"]["error_without"]
    assert found.factors is not None
    assert set(found.factors.index.unique("cut")) == {0, 1, 2}
    moved = dataset.series.index[dataset.series["sku"] == FOLLOWS]
    assert set(found.factors.index.unique("unique_id")) == set(moved)
    history = dataset.history[dataset.history["unique_id"].isin(moved)]
    table = history.pivot(index="ds", columns="unique_id", values="y")
    known, held_out = table.iloc[:-HORIZON], table.iloc[-HORIZON:].mean()
    usual = known.iloc[-56:].mean()
    factor = found.factors.xs(1, level="cut").groupby("unique_id")["all"].first()
    assert (usual * factor - held_out).abs().mean() < 0.8 * (usual - held_out).abs().mean()


def test_what_is_read_later_changes_nothing_before() -> None:
    sites = pd.DataFrame({"site": ["D0"], "depot": [None]})
    moments = {cut: FIRST + pd.Timedelta(days=30 * (20 - 4 * cut)) for cut in range(3)}
    plain = expected_parts.history(Machines(READINGS, PARTS, sites), moments, HORIZON, 1)
    later = READINGS["measured_at"] >= moments[1] + pd.Timedelta(days=1)
    changed = READINGS.assign(
        failure=READINGS["failure"].where(~later, 1 - READINGS["failure"]),
        temperature_c=READINGS["temperature_c"].where(~later, 500.0),
    )
    other = expected_parts.history(Machines(changed, PARTS, sites), moments, HORIZON, 1)
    assert plain[[1, 2]].equals(other[[1, 2]])
    assert not plain[0].equals(other[0])


def test_a_date_before_which_few_machines_failed_is_left_out() -> None:
    sites = pd.DataFrame({"site": ["D0"], "depot": [None]})
    moments = {0: FIRST + pd.Timedelta(days=900)}
    assert expected_parts.history(Machines(OF_FOUR, PARTS, sites), moments, HORIZON, 1).empty


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"equipment": pd.DataFrame()}, "not_loaded"),
        ({"parts": pd.DataFrame()}, "no_parts"),
        ({"equipment": READINGS.groupby("equipment").tail(1)}, "read_once"),
        ({"equipment": READINGS.assign(failure=0.0)}, "few_failures"),
        ({"equipment": OF_FOUR}, "few_failures"),
        ({"equipment": READINGS[READINGS["measured_at"] > "2025-01-01"]}, "short_history"),
    ],
)
def test_why_it_is_not_tried_is_told(
    make_training: MakeTraining, change: dict[str, Any], reason: str
) -> None:
    training = replace(network(make_training), **change)
    assert tried(training)[1] == Found(
        [{"driver": EXPECTED_PARTS, "used": False, "reason": reason}]
    )


def test_other_factors_are_multiplied_and_sums_of_weeks_are_not_tried(
    make_training: MakeTraining,
) -> None:
    keys = pd.MultiIndex.from_tuples([(0, 0, FIRST)], names=["unique_id", "cut", "ds"])
    one = pd.DataFrame({"all": [0.5], "named": [0.8]}, keys)
    both = expected_parts._together(one, [one])
    assert both is not None and both.iloc[0].tolist() == [0.25, pytest.approx(0.64)]
    weekly = build(network(make_training), "W")
    found = expected_parts.screen(weekly, {}, 4, Found())
    assert found.rows == [{"driver": EXPECTED_PARTS, "used": False, "reason": "not_daily"}]
