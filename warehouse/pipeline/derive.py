"""What follows from the facts and a run's forecasts: policy, alerts, daily KPIs, scores.

Textbook formulas of `domain.inventory` over all series at once; every statement is set-based.
`today` is the last day that the facts speak of, not the wall clock: old data derives the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from io import StringIO
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine, text

from domain import inventory
from domain.inventory import PolicySettings
from warehouse.caching import forget_version
from warehouse.pipeline.alerting import alerts_of
from warehouse.pipeline.simulate import write_simulation
from warehouse.pipeline.views import PUBLISH_LOCK, note_refreshed, refresh_views
from warehouse.queries.daily import CANCELLED
from warehouse.queries.published import last_day, next_period

Array = NDArray[np.float64]

MEASURED_LINES = 5
MEASURED_DAYS = 730
SCORED_DAYS = 365
MAX_PROJECTED_DAYS = 366
BAND_LEVEL = 0.8
CHUNK = 5_000


@dataclass(frozen=True)
class Setup:
    """The run being derived and the day from which the future is counted."""

    run_id: int
    frequency: str
    horizon: int
    data_to: date
    known_to: date
    today: date
    settings: PolicySettings


def refresh_after_load(engine: Engine) -> None:
    """After a load: views and the published run's derived tables, shown together. Does without a
    published run. Waits for a publish that is at work."""
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": PUBLISH_LOCK})
        load_id = refresh_views(connection)
        run_id = connection.execute(text("SELECT run_id FROM analytics.published")).scalar()
        if run_id is not None:
            derive_run(connection, run_id)
        note_refreshed(connection, load_id)
    forget_version()


def derive_run(connection: Connection, run_id: int) -> None:
    """Fills policy, alert, kpi_daily, supplier_score and sla_exposure of a run, replacing what
    was there, and accuracy_by_step, once; the views must be up to date. Statuses of alerts that
    persist are kept."""
    setup = _setup(connection, run_id)
    _derive_lead_times(connection, setup)
    series = _series(connection, setup)
    orders = _open_orders(connection, setup)
    policy = _policy(connection, setup, series, orders)
    _write_policy(connection, setup, policy)
    _write_alerts(connection, setup, alerts_of(policy, orders, setup.settings, setup.today))
    for statement in (_KPI_DAILY, _SUPPLIER_SCORE, _SLA_EXPOSURE):
        _replace(connection, setup, statement)
    connection.execute(text(_ACCURACY_BY_STEP), {"run_id": run_id})
    write_simulation(connection, run_id, setup.frequency, setup.data_to, setup.today)
    _write_metrics(connection, setup)


# Setting up


def _setup(connection: Connection, run_id: int) -> Setup:
    row = connection.execute(
        text(
            """
            SELECT frequency, horizon, data_to,
                (SELECT max(date) FROM analytics.demand_by_day) AS demand_to,
                (SELECT max(stock_date) FROM analytics.series_overview) AS stock_to,
                (SELECT value FROM support.setting WHERE key = 'policy') AS settings
            FROM analytics.run WHERE run_id = :run_id
            """
        ),
        {"run_id": run_id},
    ).one()
    known_to = last_day(row.data_to, row.frequency)
    today = max(day for day in (known_to, row.demand_to, row.stock_to) if day is not None)
    settings = policy_settings(row.settings or {})
    return Setup(run_id, row.frequency, row.horizon, row.data_to, known_to, today, settings)


def policy_settings(changed: Mapping[str, Any]) -> PolicySettings:
    """The defaults with what the company set; names that are not settings are left out."""
    names = {one.name for one in fields(PolicySettings)}
    return replace(PolicySettings(), **{k: v for k, v in changed.items() if k in names})


def _derive_lead_times(connection: Connection, setup: Setup) -> None:
    connection.execute(text("DROP TABLE IF EXISTS measured_lead_time"))
    connection.execute(
        text(
            """
            CREATE TEMPORARY TABLE measured_lead_time ON COMMIT DROP AS
            SELECT supplier_id, item_id, count(*) AS lines,
                avg(received_on - ordered_on)::double precision AS mean,
                coalesce(stddev_samp(received_on - ordered_on), 0)::double precision AS std,
                avg(received_on - promised_on)::double precision AS delay
            FROM core.purchase_order
            WHERE received_on IS NOT NULL AND received_on >= ordered_on
                AND received_on BETWEEN :since AND :today
            GROUP BY GROUPING SETS ((supplier_id), (item_id), ())
            """
        ),
        {"since": setup.today - timedelta(days=MEASURED_DAYS), "today": setup.today},
    )


# an item's own orders know its lead time better than all that its supplier delivers
_SERIES = """
SELECT profile.item_id, profile.site_id, item.sku, item.unit_cost_brl, item.min_order_qty,
    item.pack_size, item.service_level, profile.abc, profile.std AS period_std,
    overview.on_hand, overview.reserved, overview.stock_date,
    of_item.mean AS item_mean, of_item.std AS item_std,
    of_supplier.mean AS supplier_mean, of_supplier.std AS supplier_std,
    item.lead_time_days AS file_lead_time
FROM analytics.series_profile AS profile
JOIN core.item USING (item_id)
LEFT JOIN analytics.series_overview AS overview USING (item_id, site_id)
LEFT JOIN measured_lead_time AS of_item
    ON of_item.item_id = profile.item_id AND of_item.lines >= :lines
LEFT JOIN measured_lead_time AS of_supplier
    ON of_supplier.supplier_id = item.supplier_id AND of_supplier.lines >= :lines
WHERE profile.run_id = :run_id AND EXISTS (
    SELECT FROM analytics.forecast
    WHERE forecast.run_id = :run_id AND forecast.item_id = profile.item_id
        AND forecast.site_id = profile.site_id AND forecast.model = 'ensemble'
)
ORDER BY profile.item_id, profile.site_id
"""

_NUMBERS = (
    "unit_cost_brl min_order_qty pack_size service_level period_std on_hand reserved item_mean"
    " item_std supplier_mean supplier_std file_lead_time"
).split()


def _series(connection: Connection, setup: Setup) -> pd.DataFrame:
    frame = _frame(connection, _SERIES, {"run_id": setup.run_id, "lines": MEASURED_LINES})
    frame = frame.astype(dict.fromkeys(_NUMBERS, "float64"))
    known = [frame["item_mean"].notna(), frame["supplier_mean"].notna()]
    frame["lead_time_days"] = np.select(
        known, [frame["item_mean"], frame["supplier_mean"]], frame["file_lead_time"]
    )
    frame["lead_time_std"] = np.select(known, [frame["item_std"], frame["supplier_std"]], 0.0)
    frame["lead_time_source"] = np.select(
        [*known, frame["file_lead_time"].notna()],
        ["orders of the item", "orders of the supplier", "items file"],
        "",
    )
    default = frame["abc"].map(setup.settings.service_levels)
    default = default.astype("float64").fillna(setup.settings.default_service_level)
    frame["service_level"] = frame["service_level"].fillna(default)
    return frame


_OPEN_ORDERS = """
SELECT line.order_no, line.line, line.item_id, line.site_id, supplier.supplier,
    line.ordered_on, line.promised_on,
    line.quantity - coalesce(line.received_qty, 0) AS quantity,
    coalesce(line.unit_price_brl, item.unit_cost_brl) AS unit_price_brl,
    item.lead_time_days, of_supplier.mean AS supplier_mean,
    greatest(0, coalesce(of_supplier.delay, everywhere.delay, 0)) AS delay
FROM core.purchase_order AS line
JOIN core.item USING (item_id)
JOIN core.supplier ON supplier.supplier_id = line.supplier_id
LEFT JOIN measured_lead_time AS of_supplier
    ON of_supplier.supplier_id = line.supplier_id AND of_supplier.lines >= :lines
LEFT JOIN measured_lead_time AS everywhere
    ON everywhere.supplier_id IS NULL AND everywhere.item_id IS NULL
WHERE line.received_on IS NULL AND line.quantity > coalesce(line.received_qty, 0)
    AND lower(coalesce(line.status, '')) <> ALL(:cancelled)
    AND line.ordered_on <= :today
ORDER BY line.item_id, line.site_id, line.promised_on, line.order_no, line.line
"""


def _open_orders(connection: Connection, setup: Setup) -> pd.DataFrame:
    """Open order lines with the day on which each is expected: as promised; past due, today plus
    the supplier's mean delay; promised nowhere, ordered plus the usual lead time. `counted` is
    false for a line that is so overdue that nobody should count on it."""
    params = {"lines": MEASURED_LINES, "cancelled": list(CANCELLED), "today": setup.today}
    orders = _frame(connection, _OPEN_ORDERS, params)
    numbers = ("quantity", "unit_price_brl", "lead_time_days", "supplier_mean", "delay")
    orders = orders.astype(dict.fromkeys(numbers, "float64"))
    today = pd.Timestamp(setup.today)
    promised, ordered = pd.to_datetime(orders["promised_on"]), pd.to_datetime(orders["ordered_on"])
    usual = orders["supplier_mean"].fillna(orders["lead_time_days"]).fillna(0).round()
    due = promised.fillna(ordered + pd.to_timedelta(usual, unit="D"))
    soonest = today + pd.to_timedelta(orders["delay"].round().clip(lower=1), unit="D")
    orders["expected_on"] = np.where(due > today, due, soonest)
    orders["days_late"] = (today - promised).dt.days.astype("float64")
    orders["counted"] = (today - due).dt.days <= setup.settings.forgotten_days
    return orders


# Policy


def _policy(
    connection: Connection, setup: Setup, series: pd.DataFrame, orders: pd.DataFrame
) -> pd.DataFrame:
    """`series` with stock, lead-time demand, safety stock, reorder point and stockout."""
    if series.empty:
        return series.assign(**{name: [] for name in _DERIVED})
    series = _brought_to_today(connection, setup, series)
    period_means = _ensemble_means(connection, setup, len(series))
    index = pd.MultiIndex.from_frame(series[["item_id", "site_id"]])
    lines = orders.assign(
        row=index.get_indexer(pd.MultiIndex.from_frame(orders[["item_id", "site_id"]]))
    )
    lines = lines[(lines["row"] >= 0) & lines["counted"]]
    parts = []
    for start in range(0, len(series), CHUNK):
        stop = start + CHUNK
        here = lines[lines["row"].between(start, stop - 1)]
        parts.append(
            _policy_of(
                setup,
                series.iloc[start:stop].reset_index(drop=True),
                period_means[start:stop],
                here.assign(row=here["row"] - start),
            )
        )
    return pd.concat(parts, ignore_index=True)


_DERIVED = (
    "daily_demand demand_std lead_time_demand lead_time_demand_std safety_stock reorder_point"
    " order_up_to available on_order arriving days_to_stockout stockout_on risk_quantity"
    " risk_brl horizon_demand"
).split()


def _brought_to_today(connection: Connection, setup: Setup, series: pd.DataFrame) -> pd.DataFrame:
    """On hand as of today where the last count is older: minus what was consumed since, plus
    what was received, never below 0."""
    sql = """
        SELECT item_id, site_id,
            (SELECT coalesce(sum(quantity), 0) FROM core.demand
             WHERE demand.item_id = overview.item_id AND demand.site_id = overview.site_id
                AND demand.date > overview.stock_date) AS consumed,
            (SELECT coalesce(sum(coalesce(received_qty, quantity)), 0) FROM core.purchase_order
             WHERE purchase_order.item_id = overview.item_id
                AND purchase_order.site_id = overview.site_id
                AND received_on > overview.stock_date AND received_on <= :today) AS received
        FROM analytics.series_overview AS overview
        WHERE overview.stock_date < :today
    """
    since = _frame(connection, sql, {"today": setup.today})
    series = series.merge(since, on=["item_id", "site_id"], how="left")
    moved = (series["received"].astype("float64") - series["consumed"].astype("float64")).fillna(0)
    on_hand = (series["on_hand"] + moved).clip(lower=0)
    return series.drop(columns=["received", "consumed"]).assign(on_hand=on_hand)


def _ensemble_means(connection: Connection, setup: Setup, count: int) -> Array:
    """Mean demand of each series and period of the horizon, series as in `_series`."""
    sql = """
        SELECT forecast.mean FROM analytics.forecast
        JOIN analytics.series_profile USING (run_id, item_id, site_id)
        WHERE run_id = :run_id AND model = 'ensemble' ORDER BY item_id, site_id, date
    """
    result = connection.execute(text(sql), {"run_id": setup.run_id}).scalars()
    return np.fromiter(result, float).reshape(count, setup.horizon)


def _daily_rates(setup: Setup, period_means: Array) -> Array:
    """Demand of each day from tomorrow on (series × days), periods spread evenly; after the
    horizon each series goes on at its mean."""
    starts = [
        next_period(setup.data_to, setup.frequency, ahead) for ahead in range(1, setup.horizon + 1)
    ]
    lengths = [(last_day(start, setup.frequency) - start).days + 1 for start in starts]
    daily = np.repeat(period_means / np.array(lengths), lengths, axis=1)
    mean = daily.mean(axis=1, keepdims=True)
    ahead = daily[:, (setup.today - setup.known_to).days :]
    missing = MAX_PROJECTED_DAYS - ahead.shape[1]
    if missing <= 0:
        return ahead[:, :MAX_PROJECTED_DAYS]
    return np.concatenate([ahead, np.repeat(mean, missing, axis=1)], axis=1)


def _policy_of(
    setup: Setup, series: pd.DataFrame, period_means: Array, lines: pd.DataFrame
) -> pd.DataFrame:
    rates = _daily_rates(setup, period_means)
    receipts = _receipts(setup, lines, rates.shape)
    lead = series["lead_time_days"].to_numpy(float)
    lead_demand = inventory.cumulative(rates, lead)
    daily = np.where(lead > 0, lead_demand / np.where(lead > 0, lead, 1), rates.mean(axis=1))
    sigma = series["period_std"].to_numpy(float) / np.sqrt(_period_days(setup))
    spread = inventory.lead_time_demand_std(sigma, lead, daily, series["lead_time_std"])
    safety = inventory.safety_stock(
        series["service_level"], sigma, lead, daily, series["lead_time_std"]
    )
    reorder = inventory.reorder_point(daily, lead, safety)
    available = (series["on_hand"] - series["reserved"].fillna(0)).to_numpy(float)
    arriving = np.where(np.isnan(lead), np.nan, inventory.cumulative(receipts, lead))
    days = _projected_days(available, rates, receipts)
    shortage = inventory.expected_shortage(lead_demand, spread, available + arriving)
    horizon_days = int(min(setup.horizon * _period_days(setup), rates.shape[1]))
    return series.assign(
        daily_demand=daily,
        demand_std=sigma,
        lead_time_demand=lead_demand,
        lead_time_demand_std=spread,
        safety_stock=safety,
        reorder_point=reorder,
        order_up_to=reorder + _order_quantity(setup, series, rates),
        available=available,
        on_order=receipts.sum(axis=1),
        arriving=arriving,
        days_to_stockout=days,
        stockout_on=_day_after(setup.today, days),
        risk_quantity=shortage,
        risk_brl=shortage * series["unit_cost_brl"].to_numpy(float),
        horizon_demand=rates[:, :horizon_days].sum(axis=1),
    )


def _period_days(setup: Setup) -> float:
    return {"D": 1.0, "W": 7.0, "M": 365.25 / 12}[setup.frequency]


def _receipts(setup: Setup, lines: pd.DataFrame, shape: tuple[int, ...]) -> Array:
    receipts = np.zeros(shape)
    column = (lines["expected_on"] - pd.Timestamp(setup.today)).dt.days.to_numpy(int) - 1
    within = (column >= 0) & (column < shape[1])
    rows = lines["row"].to_numpy(int)[within]
    np.add.at(receipts, (rows, column[within]), lines["quantity"].to_numpy(float)[within])
    return receipts


def _projected_days(available: Array, rates: Array, receipts: Array) -> Array:
    known = ~np.isnan(available)
    days = np.full(len(available), np.nan)
    if known.any():
        days[known] = inventory.days_to_stockout(available[known], rates[known], receipts[known])
    return days


def _order_quantity(setup: Setup, series: pd.DataFrame, rates: Array) -> Array:
    """EOQ where a cost is known, else the demand of 30 days; in packs, not under the minimum."""
    annual = rates.mean(axis=1) * 365.25
    holding = series["unit_cost_brl"].to_numpy(float) * setup.settings.holding_rate
    economic = inventory.eoq(annual, setup.settings.order_cost_brl, holding)
    wanted = np.where(np.isnan(economic), annual / 365.25 * 30, economic)
    return inventory.lot(wanted, series["min_order_qty"], series["pack_size"])


def _day_after(today: date, days: Array) -> pd.Series:
    ahead = pd.to_timedelta(pd.Series(np.floor(days)), unit="D")
    return pd.Timestamp(today) + ahead


# Writing


_POLICY_COLUMNS = (
    "run_id item_id site_id on_hand on_order reserved stock_date lead_time_days lead_time_source"
    " service_level daily_demand lead_time_demand safety_stock reorder_point order_up_to"
    " stockout_on days_to_stockout facts"
).split()


def _write_policy(connection: Connection, setup: Setup, policy: pd.DataFrame) -> None:
    connection.execute(
        text("DELETE FROM analytics.policy WHERE run_id = :run_id"), {"run_id": setup.run_id}
    )
    facts = ("lead_time_std", "demand_std", "lead_time_demand_std", "risk_quantity", "risk_brl")
    rows = policy.assign(run_id=setup.run_id, facts=_json_rows(policy, facts))
    _copy(connection, "analytics.policy", rows[_POLICY_COLUMNS])


def _json_rows(frame: pd.DataFrame, names: Sequence[str]) -> list[str]:
    columns = [frame[name].tolist() for name in names]
    return [
        json.dumps({k: (None if v != v else v) for k, v in zip(names, row, strict=True)})
        for row in zip(*columns, strict=True)
    ]


def _write_alerts(connection: Connection, setup: Setup, alerts: pd.DataFrame) -> None:
    """Replaces the run's alerts; one that was there before keeps its status and its date. What was
    snoozed wakes up when its time is over."""
    params = {"run_id": setup.run_id}
    # a status that is being changed now must be among those that are kept
    connection.execute(text("LOCK TABLE analytics.alert IN SHARE ROW EXCLUSIVE MODE"))
    connection.execute(text("DROP TABLE IF EXISTS carried, raised"))
    connection.execute(text(_CARRIED), params)
    connection.execute(text("DELETE FROM analytics.alert WHERE run_id = :run_id"), params)
    connection.execute(text("CREATE TEMPORARY TABLE raised (LIKE analytics.alert) ON COMMIT DROP"))
    connection.execute(
        text("ALTER TABLE raised DROP id, DROP status, DROP raised_at, ALTER run_id DROP NOT NULL")
    )
    _copy(connection, "raised", alerts)
    connection.execute(text(_RAISE), params)


_CARRIED = """
CREATE TEMPORARY TABLE carried ON COMMIT DROP AS
SELECT DISTINCT ON (alert.fingerprint) alert.fingerprint, alert.raised_at,
    CASE WHEN alert.status = 'snoozed' AND latest.until <= now() THEN 'open' ELSE alert.status
    END AS status
FROM analytics.alert
LEFT JOIN LATERAL (
    SELECT until FROM support.decision
    WHERE decision.kind = 'alert' AND decision.fingerprint = alert.fingerprint
    ORDER BY decision_id DESC LIMIT 1
) AS latest ON true
WHERE alert.run_id = :run_id OR alert.run_id = (SELECT run_id FROM analytics.published)
ORDER BY alert.fingerprint, alert.run_id = :run_id
"""

_RAISE = """
INSERT INTO analytics.alert (run_id, fingerprint, kind, level, item_id, site_id, stockout_on,
    days_to_stockout, risk_brl, facts, status, raised_at)
SELECT :run_id, fingerprint, kind, level, item_id, site_id, stockout_on, days_to_stockout,
    risk_brl, facts, coalesce(carried.status, 'open'), coalesce(carried.raised_at, now())
FROM raised LEFT JOIN carried USING (fingerprint)
"""

_KPI_DAILY = """
INSERT INTO analytics.kpi_daily (run_id, key, uf, date, numerator, denominator)
SELECT :run_id, key, uf, date, sum(numerator), sum(denominator) FROM (
    SELECT 'demand_units' AS key, uf, date, quantity AS numerator,
        NULL::double precision AS denominator FROM analytics.demand_by_day
    UNION ALL SELECT 'demand_value', uf, date, value, NULL FROM analytics.demand_by_day
    UNION ALL SELECT 'stockout_rate', uf, date, stockouts, positions FROM analytics.stock_by_day
    UNION ALL SELECT 'inventory_value', uf, date, value, NULL FROM analytics.stock_by_day
    UNION ALL SELECT 'otif', uf, date, lines_otif, lines FROM analytics.order_by_day
        WHERE date <= :today
    UNION ALL SELECT 'downtime_hours', uf, date, hours, NULL FROM analytics.downtime_by_day
) AS daily
WHERE date > :today - 731 AND numerator IS NOT NULL
GROUP BY key, uf, date
"""

_SUPPLIER_SCORE = """
INSERT INTO analytics.supplier_score (run_id, supplier_id, lines, lines_received,
    lines_on_time_in_full, lead_time_mean, lead_time_std, lead_time_p90, contract_lead_time_days,
    fill_rate, spend_brl)
SELECT :run_id, supplier_id, count(*), count(received_on),
    count(*) FILTER (WHERE received_on <= promised_on
        AND coalesce(received_qty, quantity) >= quantity),
    avg(received_on - ordered_on), stddev_samp(received_on - ordered_on),
    percentile_cont(0.9) WITHIN GROUP (ORDER BY received_on - ordered_on),
    supplier.contract_lead_time_days,
    sum(coalesce(received_qty, quantity)) FILTER (WHERE received_on IS NOT NULL)
        / nullif(sum(quantity) FILTER (WHERE received_on IS NOT NULL), 0),
    sum(quantity * unit_price_brl)
FROM core.purchase_order JOIN core.supplier USING (supplier_id)
WHERE ordered_on > :today - :days AND ordered_on <= :today
    AND lower(coalesce(status, '')) <> ALL(:cancelled)
GROUP BY supplier_id, supplier.contract_lead_time_days
"""

_SLA_EXPOSURE = """
INSERT INTO analytics.sla_exposure (run_id, contract_id, month, downtime_hours, site_hours,
    availability)
SELECT :run_id, contract_id, month, downtime, hours * sites,
    greatest(0, 1 - downtime / (hours * sites))
FROM (
    SELECT contract_id, date_trunc('month', date::timestamp)::date AS month, sum(hours) AS downtime,
        extract(epoch FROM
            least(date_trunc('month', date::timestamp) + interval '1 month',
                  CAST(:today AS timestamp) + interval '1 day')
            - date_trunc('month', date::timestamp)
        ) / 3600 AS hours
    FROM analytics.downtime_by_day WHERE date <= :today GROUP BY 1, 2, 4
) AS down
JOIN (
    SELECT contract_id, count(*) AS sites FROM core.site
    WHERE contract_id IS NOT NULL GROUP BY contract_id
) AS covered USING (contract_id)
"""


_ACCURACY_BY_STEP = """
INSERT INTO analytics.accuracy_by_step
SELECT run_id, site_id, demand_class, model,
    CASE run.frequency WHEN 'D' THEN date - origin WHEN 'W' THEN (date - origin) / 7
        ELSE (extract(year FROM age(date, origin)) * 12 + extract(month FROM age(date, origin)))
    END AS step,
    count(*), sum(abs(backtest.mean - actual)), sum(backtest.mean - actual), sum(actual),
    count(*) FILTER (WHERE actual < p10), count(*) FILTER (WHERE actual < p50),
    count(*) FILTER (WHERE actual < p90), count(*) FILTER (WHERE actual <= p10),
    count(*) FILTER (WHERE actual <= p50), count(*) FILTER (WHERE actual <= p90)
FROM analytics.backtest
JOIN analytics.run USING (run_id)
JOIN analytics.series_profile USING (run_id, item_id, site_id)
WHERE run_id = :run_id
    AND NOT EXISTS (SELECT FROM analytics.accuracy_by_step AS known WHERE known.run_id = :run_id)
GROUP BY 1, 2, 3, 4, 5
"""


def _replace(connection: Connection, setup: Setup, statement: str) -> None:
    table = statement.split()[2]
    params = {
        "run_id": setup.run_id,
        "today": setup.today,
        "days": SCORED_DAYS,
        "cancelled": list(CANCELLED),
    }
    connection.execute(text(f"DELETE FROM {table} WHERE run_id = :run_id"), params)
    connection.execute(text(statement), params)


_BACKTEST_TOTALS = """
SELECT sum(actual) AS actual, sum(mean) AS mean, sum(power((p90 - p10) / 2.5631, 2)) AS variance,
    sum(actual * unit_cost_brl) AS actual_brl, sum(mean * unit_cost_brl) AS mean_brl,
    sum(power((p90 - p10) / 2.5631 * unit_cost_brl, 2)) AS variance_brl
FROM analytics.backtest JOIN core.item USING (item_id)
WHERE run_id = :run_id AND model = 'ensemble' GROUP BY origin, date
"""

_METRICS = """
UPDATE analytics.run SET metrics = metrics || jsonb_build_object(
    'total_band', CAST(:band AS jsonb),
    'wape', (
        SELECT sum(abs_error_sum) / nullif(sum(actual_sum), 0) FROM analytics.forecast_accuracy
        WHERE run_id = :run_id AND model = 'ensemble'
    )
) WHERE run_id = :run_id
"""


def _write_metrics(connection: Connection, setup: Setup) -> None:
    totals = _frame(connection, _BACKTEST_TOTALS, {"run_id": setup.run_id}).astype("float64")
    band = {
        measure: total_band(totals[f"actual{end}"], totals[f"mean{end}"], totals[f"variance{end}"])
        for measure, end in (("units", ""), ("brl", "_brl"))
    }
    connection.execute(text(_METRICS), {"run_id": setup.run_id, "band": json.dumps(band)})


def total_band(
    actual: Iterable[float], mean: Iterable[float], variance: Iterable[float]
) -> dict[str, float | int | None]:
    """The z for which 80 % of backtest totals lie within mean ± z·√Σσ², and the number n of totals
    it was calibrated on: the ⌈0.8·(n + 1)⌉-th smallest |error| ÷ √Σσ² (split conformal,
    Vovk et al. 2005). z is None with fewer than 10 totals.
    """
    error = np.abs(np.asarray(actual, float) - np.asarray(mean, float))
    sigma = np.sqrt(np.asarray(variance, float))
    scores = np.sort(error[sigma > 0] / sigma[sigma > 0])
    n = len(scores)
    if n < 10:
        return {"z": None, "n": n}
    rank = min(n, int(np.ceil(BAND_LEVEL * (n + 1))))
    return {"z": float(scores[rank - 1]), "n": n}


def _frame(connection: Connection, sql: str, params: Mapping[str, Any]) -> pd.DataFrame:
    result = connection.execute(text(sql), dict(params))
    return pd.DataFrame.from_records(result.all(), columns=list(result.keys()))


def _copy(connection: Connection, table: str, frame: pd.DataFrame) -> None:
    buffer = StringIO(frame.to_csv(index=False, header=False, date_format="%Y-%m-%d"))
    statement = f"COPY {table} ({', '.join(frame.columns)}) FROM STDIN (FORMAT csv)"
    with connection.connection.driver_connection.cursor() as cursor:  # type: ignore[union-attr]
        cursor.copy_expert(statement, buffer)
