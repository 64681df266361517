"""The old policy and ours on the demand that then happened, month by month: a step of derive.

Where stock was counted, the old side is what the company recorded; where not, its textbook,
replayed. Ours begins with the same stock and the same open orders. Days without stock hide demand:
both sides face the recorded demand of a month ÷ the share of its days with stock. Days are played
where demand is recorded by the day, whatever the run's period; else the run's periods.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from domain import inventory, savings_levels, scenarios, simulation
from domain.costs import Costs, Prices, costs, priced
from domain.demand import abc
from domain.inventory import Array
from domain.policy_settings import PolicySettings
from domain.years import PERIOD_DAYS, SEED, Terms
from warehouse.clock import IN_BRASILIA
from warehouse.pipeline.copying import frame_of, stage
from warehouse.pipeline.histories import demand_matrix
from warehouse.pipeline.recorded import Recorded, lead_times_at, received_lines, recorded
from warehouse.queries.published import NATIVE, last_day, next_period
from warehouse.queries.recommendations import accepted
from warehouse.queries.stocked import overridden, terms
from warehouse.tables.analytics import savings

WINDOW, WARM_UP = 12, 6
"""Months that are counted at most, and replayed before them where there is no recorded stock."""
MOST_PERIODS = {"D": 1_100, "W": 160, "M": 60}
BASELINE = "savings_baseline"
"""The setting that keeps the old policy's settings, written once."""

_KEYS = f"""
SELECT policy.item_id, policy.site_id, item.unit_cost_brl, item.min_order_qty, item.pack_size,
    item.service_level, item.criticality, item.supplier_id, policy.lead_time_days,
    (policy.facts ->> 'lead_time_std')::double precision AS lead_time_std,
    coalesce(item.lead_time_days, supplier.contract_lead_time_days) AS file_lead_time,
    input.penalty_brl, (accepted.since {IN_BRASILIA})::date AS accepted_on
FROM analytics.policy AS policy
JOIN core.item USING (item_id)
LEFT JOIN core.supplier ON supplier.supplier_id = item.supplier_id
LEFT JOIN analytics.replay_input AS input USING (run_id, item_id, site_id)
LEFT JOIN ({accepted()}) AS accepted USING (item_id, site_id)
WHERE policy.run_id = :run_id AND item.unit_cost_brl IS NOT NULL
    AND policy.lead_time_days IS NOT NULL
ORDER BY policy.item_id, policy.site_id
"""
_NUMBERS = (
    "unit_cost_brl min_order_qty pack_size service_level lead_time_days lead_time_std"
    " file_lead_time penalty_brl criticality"
).split()


@dataclass(frozen=True)
class Span:
    """The replayed months: `months` their first days and the day after the last; the first
    `warm_up` are not counted. `edges`: the period with which each begins, and the one after."""

    months: list[date]
    edges: list[int]
    warm_up: int

    @property
    def days(self) -> Array:
        """Days of each month."""
        return np.array([(two - one).days for one, two in pairwise(self.months)], float)

    def counted(self) -> Span:
        """Without those that warm up."""
        return Span(self.months[self.warm_up :], self.edges[self.warm_up :], 0)

    def month_of(self) -> NDArray[np.int64]:
        """The month's number of each period."""
        lengths = np.diff(self.edges)
        return np.repeat(np.arange(len(lengths)), lengths)


_RUN = f"""
SELECT frequency, data_from, data_to, coalesce({NATIVE}, 'D') AS native
FROM analytics.run WHERE run_id = :run_id
"""


_REPLAYED = [column.name for column in savings.columns if column.name not in ("run_id", "accepted")]
_THESE = ", ".join(_REPLAYED)

_SAVE = f"""
INSERT INTO analytics.savings ({_THESE}, run_id, accepted)
SELECT {_THESE}, :run_id, accepted.since IS NOT NULL
FROM replayed LEFT JOIN ({accepted()}) AS accepted USING (item_id, site_id)
"""


def stage_savings(connection: Connection, found: pd.DataFrame | None) -> None:
    """Puts what `savings_of` gives where `write_savings` takes it from."""
    rows = pd.DataFrame(columns=_REPLAYED) if found is None else found
    stage(connection, "replayed", "analytics.savings", rows)


def write_savings(connection: Connection, run_id: int) -> None:
    """Replaces a run's savings by those that are staged. What is accepted counts as by now; from
    here to the commit it cannot be changed."""
    params = {"run_id": run_id}
    connection.execute(text("DELETE FROM analytics.savings WHERE run_id = :run_id"), params)
    connection.execute(text(_SAVE), params)


def savings_of(connection: Connection, run_id: int) -> pd.DataFrame | None:
    """Both sides of a run's item-depots, month by month; None where the history is too short, or no
    item has a unit cost and a lead time."""
    run = connection.execute(text(_RUN), {"run_id": run_id}).one()
    frequency, data_to = run.frequency, run.data_to
    if run.native == "D":
        frequency, data_to = "D", last_day(data_to, frequency)
    valued = terms(connection, frequency)
    old = _baseline(connection, valued.policy)
    keys = frame_of(connection, _KEYS, {"run_id": run_id})
    keys = keys.astype(dict.fromkeys(_NUMBERS, "float64"))
    periods = min(MOST_PERIODS[frequency], _periods(frequency, run.data_from, data_to))
    span = span_of(frequency, data_to, periods, valued)
    if keys.empty or span is None:
        return None
    demand = demand_matrix(connection, keys, frequency, data_to, periods)
    known = recorded(connection, keys, span.counted().months)
    levels = _levels(connection, keys, demand, span, valued, old)
    return _Replay(keys, demand, span, valued, levels, known).rows()


def _baseline(connection: Connection, now: PolicySettings) -> PolicySettings:
    """The settings of the old policy: those in force when this was first asked."""
    connection.execute(
        text(
            "INSERT INTO support.setting (key, value, changed_by)"
            " VALUES (:key, CAST(:value AS jsonb), 'publish') ON CONFLICT (key) DO NOTHING"
        ),
        {"key": BASELINE, "value": json.dumps(asdict(now))},
    )
    sql = text("SELECT value FROM support.setting WHERE key = :key")
    kept: dict[str, Any] = connection.execute(sql, {"key": BASELINE}).scalar_one()
    return overridden(PolicySettings(), kept)


def _periods(frequency: str, data_from: date, data_to: date) -> int:
    if frequency == "M":
        return (data_to.year - data_from.year) * 12 + data_to.month - data_from.month + 1
    return (data_to - data_from).days // (7 if frequency == "W" else 1) + 1


def span_of(frequency: str, data_to: date, periods: int, valued: Terms) -> Span | None:
    """The whole months that can be replayed of as many periods; None where they are too few. A
    week belongs to the month in which it begins."""
    starts = [next_period(data_to, frequency, back - periods) for back in range(1, periods + 1)]
    firsts = [
        index
        for index, (one, two) in enumerate(pairwise([starts[0], *starts]))
        if index == 0 or one.month != two.month
    ]
    after = last_day(data_to, frequency) + timedelta(days=1)
    edges = firsts + ([periods] if after.month != starts[-1].month else [])
    if starts[0].day > (7 if frequency == "W" else 1):
        edges = edges[1:]
    whole, settings = len(edges) - 1, valued.savings
    usable = whole - settings.known_months
    if usable < settings.least_months:
        return None
    counted = min(WINDOW, usable)
    warm_up = min(WARM_UP, usable - counted)
    edges = edges[whole - counted - warm_up :]
    months = [day.replace(day=1) for day in [*starts, after]]
    return Span([months[index] for index in edges], edges, warm_up)


@dataclass(frozen=True)
class _Levels:
    """Rules of each replayed month, the old policy's and ours, and which rows have a lead time."""

    old: list[simulation.Rules]
    new: list[simulation.Rules]
    usable: NDArray[np.bool_]


def _levels(
    connection: Connection,
    keys: pd.DataFrame,
    demand: Array,
    span: Span,
    valued: Terms,
    old: PolicySettings,
) -> _Levels:
    days, received = PERIOD_DAYS[valued.frequency], received_lines(connection)
    first = _classes(keys, demand, span.edges[0], days)
    made = _Levels([], [], np.ones(len(keys), bool))
    for day, edge in zip(span.months[:-1], span.edges, strict=False):
        mean, spread = lead_times_at(received, keys, day)
        made.usable[np.isnan(mean)] = False
        known = savings_levels.Known(
            history=demand[:, :edge],
            days=days,
            lead_mean=np.nan_to_num(mean) / days,
            lead_std=spread / days,
            service_level=_service(keys, first, old),
            unit_cost=keys["unit_cost_brl"].to_numpy(float),
            minimum=keys["min_order_qty"].to_numpy(float),
            pack=keys["pack_size"].to_numpy(float),
        )
        made.old.append(savings_levels.textbook(known, old))
        level = _service(keys, _classes(keys, demand, edge, days), valued.policy)
        made.new.append(savings_levels.ours(replace(known, service_level=level), valued.policy))
    return made


def _classes(keys: pd.DataFrame, demand: Array, edge: int, days: float) -> list[str]:
    """ABC by the value of the year before a period."""
    year = demand[:, max(0, edge - round(savings_levels.YEAR_DAYS / days)) : edge].sum(axis=1)
    return abc(year * keys["unit_cost_brl"].to_numpy(float))


def _service(keys: pd.DataFrame, letters: Sequence[str], settings: PolicySettings) -> Array:
    """The item's own service level, else that of its class and criticality."""
    usual = [settings.service_levels.get(one, settings.default_service_level) for one in letters]
    own, critical = keys["service_level"].to_numpy(float), keys["criticality"].to_numpy(float)
    return inventory.service_level(np.array(usual), critical, settings.criticality_risk, own)


class _Replay:
    """Both sides of every row, and what they cost."""

    def __init__(
        self,
        keys: pd.DataFrame,
        demand: Array,
        span: Span,
        valued: Terms,
        levels: _Levels,
        known: Recorded,
    ) -> None:
        self.keys, self.demand, self.span = keys, demand, span
        self.valued, self.levels, self.known = valued, levels, known
        self.days = PERIOD_DAYS[valued.frequency]
        self.months = span.counted()

    def rows(self) -> pd.DataFrame:
        """The table's rows, without run and whether they are accepted."""
        covered = self.known.covered & self.levels.usable
        rest = ~self.known.covered & self.levels.usable
        parts = [
            self._counted_rows(np.flatnonzero(covered)),
            self._uncounted_rows(np.flatnonzero(rest)),
        ]
        return pd.concat(parts, ignore_index=True)

    def _prices(self, rows: NDArray[np.int64]) -> Prices:
        policy, rates = self.valued.policy, self.valued.rates
        return Prices(
            unit_cost=self.keys["unit_cost_brl"].to_numpy(float)[rows],
            holding_rate=policy.holding_rate,
            order_cost=policy.order_cost_brl,
            penalty_brl=self.keys["penalty_brl"].to_numpy(float)[rows],
            emergency_premium=rates.emergency_premium,
            expedite_cost_brl=rates.expedite_cost_brl,
        )

    def _costs(self, outcome: simulation.Outcome, prices: Prices) -> Costs:
        """Of a month's periods, be they four weeks or five, over its days: those that the recorded
        stock is held for."""
        return costs(outcome, prices, self.months.days / outcome.periods)

    def _lead(self, rows: NDArray[np.int64], periods: int) -> NDArray[np.int64]:
        mean, spread = (
            np.nan_to_num(self.keys[name].to_numpy(float)[rows]) / self.days
            for name in ("lead_time_days", "lead_time_std")
        )
        found: NDArray[np.int64] = scenarios.lead_times(mean, spread, 1, periods, SEED)[:, 0]
        return found

    def _uncounted_rows(self, rows: NDArray[np.int64]) -> pd.DataFrame:
        """Without counts of stock: the textbook against ours, both from the textbook's stock."""
        span = self.span
        asked = self.demand[rows][:, span.edges[0] : span.edges[-1]]
        month = span.month_of()
        start = simulation.Start(_of(self.levels.old[0], rows).order_up_to)
        both = [
            simulation.replay(
                asked,
                [_of(one, rows) for one in rules],
                self._lead(rows, asked.shape[1]),
                start,
                rule_of=month,
                bucket_of=np.where(month < span.warm_up, -1, month - span.warm_up),
            )
            for rules in (self.levels.old, self.levels.new)
        ]
        prices = self._prices(rows)
        sides = [self._costs(one, prices) for one in both]
        stock = [one.mean_stock for one in both]
        missed = [one.expedites for one in both]
        return self._frame(rows, "textbook", sides, stock, missed)

    def _counted_rows(self, rows: NDArray[np.int64]) -> pd.DataFrame:
        """With counts: what was recorded against ours; after a recommendation was accepted, the
        textbook against ours, and against what was recorded since."""
        known, span = self.known, self.months
        month, out = span.month_of(), known.days_out[rows]
        issued = self.demand[rows][:, span.edges[0] : span.edges[-1]]
        factor = 1 / (1 - out[:, month])
        lines = (issued > 0) * factor
        start = simulation.Start(known.on_hand[rows], self._arriving(rows, issued.shape[1]))
        both = [
            simulation.replay(
                issued * factor,
                [_of(one, rows) for one in rules[self.span.warm_up :]],
                self._lead(rows, issued.shape[1]),
                start,
                rule_of=month,
                bucket_of=month,
                weights=lines,
            )
            for rules in (self.levels.old, self.levels.new)
        ]
        prices = self._prices(rows)
        replayed = [self._costs(one, prices) for one in both]
        missed = both[0].lines * out
        as_was = priced(
            stock_days=known.stock_days[rows],
            missed_units=both[0].asked * out,
            missed_lines=missed,
            orders=known.orders[rows],
            prices=prices,
        )
        after = self._after_acceptance(rows)
        old = _chosen(after, replayed[0], as_was)
        frame = self._frame(
            rows,
            np.where(after, "textbook", "recorded"),
            [old, replayed[1]],
            [
                np.where(after, both[0].mean_stock, known.stock_days[rows] / span.days),
                both[1].mean_stock,
            ],
            [np.where(after, both[0].expedites, missed), both[1].expedites],
        )
        realised = np.where(after, replayed[0].total - as_was.total, np.nan)
        return frame.assign(realised_brl=realised.ravel())

    def _arriving(self, rows: NDArray[np.int64], periods: int) -> Array:
        """Orders that were open in the beginning, when they came, (rows, periods)."""
        place = pd.Series(np.arange(len(rows)), index=rows)
        lines = self.known.open_orders
        lines = lines[lines["row"].isin(rows)]
        found = np.zeros((len(rows), periods))
        column = (lines["days"] // self.days).to_numpy(int)
        within = column < periods
        row = place.reindex(lines["row"]).to_numpy(int)
        np.add.at(found, (row[within], column[within]), lines["quantity"].to_numpy(float)[within])
        return found

    def _after_acceptance(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        accepted = pd.to_datetime(self.keys["accepted_on"]).to_numpy()[rows]
        firsts = pd.to_datetime(pd.Series(self.months.months[:-1])).to_numpy()
        return np.asarray(firsts[None, :] > accepted[:, None])

    def _frame(
        self,
        rows: NDArray[np.int64],
        basis: str | NDArray[np.str_],
        sides: Sequence[Costs],
        stock: Sequence[Array],
        missed: Sequence[Array],
    ) -> pd.DataFrame:
        """One line a row and month; arrays are (rows, months)."""
        firsts = self.months.months[:-1]
        shape = (len(rows), len(firsts))
        columns: dict[str, Any] = {
            "month": np.tile(np.array(firsts, dtype=object), len(rows)),
            "item_id": np.repeat(self.keys["item_id"].to_numpy()[rows], len(firsts)),
            "site_id": np.repeat(self.keys["site_id"].to_numpy()[rows], len(firsts)),
            "basis": np.broadcast_to(basis, shape).ravel(),
            "realised_brl": np.nan,
        }
        for name, side, held, short in zip(("old", "new"), sides, stock, missed, strict=True):
            for part in ("holding", "stockout", "expediting", "ordering"):
                columns[f"{name}_{part}"] = getattr(side, part).ravel()
            columns[f"{name}_stock"] = held.ravel()
            columns[f"{name}_missed"] = short.ravel()
        return pd.DataFrame(columns)


def _of(rules: simulation.Rules, rows: NDArray[np.int64]) -> simulation.Rules:
    point, up_to, minimum, pack = (
        np.asarray(values, float)[rows]
        for values in (rules.reorder_point, rules.order_up_to, rules.minimum, rules.pack)
    )
    return simulation.Rules(point, up_to, minimum, pack)


def _chosen(first: NDArray[np.bool_], one: Costs, other: Costs) -> Costs:
    """Of the one where `first` holds, else of the other."""
    return Costs(
        **{
            name: np.where(first, getattr(one, name), getattr(other, name))
            for name in ("holding", "stockout", "expediting", "ordering")
        }
    )
