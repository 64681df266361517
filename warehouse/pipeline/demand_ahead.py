"""Demand to come as distributions: of each series and period from today on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from domain.classes import INTERMITTENT_CLASSES
from domain.inventory import Array, comes_in_pieces
from domain.lead_time_demand import Calendar, cells_of_history, cells_of_quantiles
from warehouse.pipeline.derivation import Setup
from warehouse.pipeline.histories import demand_matrix
from warehouse.queries.published import last_day, next_period

MAX_PROJECTED_DAYS = 366
RECENT = {"D": 364, "W": 104, "M": 36}
"""Recorded periods that say how much is asked for at a time where demand pauses."""
MOST_SHARED = 0.9

_QUANTILES = """
SELECT forecast.mean, forecast.p10, forecast.p50, forecast.p90
FROM analytics.effective_forecast AS forecast
JOIN analytics.series_profile USING (run_id, item_id, site_id)
WHERE run_id = :run_id ORDER BY item_id, site_id, date
"""
"""The ensemble's, with overrides in their place."""

_WITHOUT = """
SELECT item_id, site_id, forecast.mean, forecast.p10, forecast.p50, forecast.p90
FROM analytics.forecast JOIN analytics.series_profile USING (run_id, item_id, site_id)
WHERE run_id = :run_id AND model = 'ensemble' AND (item_id, site_id) IN (
    SELECT item_id, site_id FROM analytics.override_in_force WHERE run_id = :run_id
)
ORDER BY item_id, site_id, date
"""
"""The ensemble's own, of series that have overrides."""

# the intraclass correlation: mean product of two errors of one forecast over their mean square
_SHARED = """
SELECT demand_class, sum(total * total - squares) / nullif(sum((points - 1) * squares), 0) AS shared
FROM (
    SELECT demand_class, count(*) AS points, sum(error) AS total, sum(error * error) AS squares
    FROM (
        SELECT item_id, site_id, origin, demand_class,
            (backtest.actual - backtest.mean) / profile.std AS error
        FROM analytics.backtest
        JOIN analytics.series_profile AS profile USING (run_id, item_id, site_id)
        WHERE run_id = :run_id AND model = 'ensemble' AND profile.std > 0
    ) AS errors GROUP BY item_id, site_id, origin, demand_class
) AS forecasts GROUP BY demand_class
"""


@dataclass(frozen=True)
class DemandAhead:
    """quantiles: mean, p10, p50, p90 of each series and period of the horizon, (series, horizon,
    4); models_own: the same without overrides. histories: recorded demand of the series where it
    pauses, (series, periods), NaN before it began and elsewhere. pieces: whether it pauses and came
    in whole units alone, (series,). shared: what the errors of a forecast have in common,
    (series,)."""

    setup: Setup
    calendar: Calendar
    first: int
    quantiles: Array
    models_own: Array
    pauses: NDArray[np.bool_]
    histories: Array
    pieces: NDArray[np.bool_]
    shared: Array

    def rates(self, rows: slice) -> Array:
        """Mean demand of each day from tomorrow on (series × days), periods spread evenly; after
        the horizon each series goes on at the model's mean: an override counts for its periods."""
        means = self.quantiles[rows, :, 0]
        starts = _starts(self.setup)
        lengths = [(last_day(start, self.setup.frequency) - start).days + 1 for start in starts]
        daily = np.repeat(means / np.array(lengths), lengths, axis=1)
        mean = self.models_own[rows, :, 0].sum(axis=1, keepdims=True) / sum(lengths)
        ahead = daily[:, (self.setup.today - self.setup.known_to).days :][:, :MAX_PROJECTED_DAYS]
        missing = MAX_PROJECTED_DAYS - ahead.shape[1]
        return np.concatenate([ahead, np.repeat(mean, missing, axis=1)], axis=1)

    def cells(self, rows: slice) -> Array:
        """The distributions of the calendar's periods: (series, periods, CELLS)."""
        places = np.arange(len(self.quantiles))[rows]
        found = self._cells(self.quantiles, places)
        usual = found.mean(axis=1, keepdims=True)
        differs = (self.quantiles[rows] != self.models_own[rows]).any(axis=(1, 2))
        usual[differs] = self._cells(self.models_own, places[differs]).mean(axis=1, keepdims=True)
        ahead = found[:, self.first :][:, : len(self.calendar.starts)]
        missing = len(self.calendar.starts) - ahead.shape[1]
        return np.concatenate([ahead, np.repeat(usual, missing, axis=1)], axis=1)

    def _cells(self, quantiles: Array, places: NDArray[np.int64]) -> Array:
        """The distributions of the horizon's periods: (places, horizon, CELLS)."""
        mean, p10, p50, p90 = np.moveaxis(quantiles[places], 2, 0)
        found = cells_of_quantiles(mean, p10, p50, p90)
        pauses = self.pauses[places]
        found[pauses] = cells_of_history(self.histories[places][pauses], mean[pauses])
        return found


def demand_ahead(connection: Connection, setup: Setup, series: pd.DataFrame) -> DemandAhead:
    """What is to come for the series (item_id, site_id, demand_class, periods), in their order."""
    result = connection.execute(text(_QUANTILES), {"run_id": setup.run_id})
    quantiles = np.array(result.all(), float).reshape(len(series), setup.horizon, 4)
    models_own = _models_own(connection, setup, series, quantiles)
    pauses = series["demand_class"].isin(INTERMITTENT_CLASSES).to_numpy()
    recent = RECENT[setup.frequency]
    histories = np.full((len(series), recent), np.nan)
    histories[pauses] = demand_matrix(
        connection, series[pauses], setup.frequency, setup.data_to, recent
    )
    before = recent - series["periods"].to_numpy()
    histories[np.arange(recent) < before[:, None]] = np.nan
    rows = connection.execute(text(_SHARED), {"run_id": setup.run_id}).all()
    shared = {row.demand_class: row.shared for row in rows}
    known = series["demand_class"].map(shared).astype("float64").fillna(0.0).clip(0.0, MOST_SHARED)
    calendar, first = _calendar(setup)
    return DemandAhead(
        setup,
        calendar,
        first,
        quantiles,
        models_own,
        pauses,
        histories,
        pauses & comes_in_pieces(np.nan_to_num(histories)),
        np.asarray(known.round(3), np.float64),
    )


def _models_own(
    connection: Connection, setup: Setup, series: pd.DataFrame, quantiles: Array
) -> Array:
    """`quantiles` with the model's in the place of overrides; the same array where there are
    none."""
    rows = connection.execute(text(_WITHOUT), {"run_id": setup.run_id}).all()
    if not rows:
        return quantiles
    keys = [(row.item_id, row.site_id) for row in rows[:: setup.horizon]]
    index = pd.MultiIndex.from_frame(series[["item_id", "site_id"]])
    places = index.get_indexer(pd.MultiIndex.from_tuples(keys))
    found = quantiles.copy()
    found[places] = np.array([row[2:] for row in rows], float).reshape(-1, setup.horizon, 4)
    return found


def _starts(setup: Setup) -> list[date]:
    return [
        next_period(setup.data_to, setup.frequency, ahead) for ahead in range(1, setup.horizon + 1)
    ]


def _calendar(setup: Setup) -> tuple[Calendar, int]:
    """The coming periods as days from today, and the number of the first in the horizon."""
    past = (setup.today - setup.known_to).days
    starts: list[date] = []
    ahead = 1
    while not starts or (starts[-1] - setup.today).days <= MAX_PROJECTED_DAYS:
        starts.append(next_period(setup.data_to, setup.frequency, ahead))
        ahead += 1
    edges = np.array([(start - setup.known_to).days - 1 for start in starts], float) - past
    lengths, ends = np.diff(edges), edges[1:]
    coming = ends > 0
    begins = np.maximum(edges[:-1], 0.0)[coming]
    calendar = Calendar(begins, ends[coming] - begins, lengths[coming])
    return calendar, int(np.argmax(coming))
