"""Alerts about what has changed since it was last looked at: drifts and gaps.

- lead_time_drift: an item's last orders took longer than those before (or, with too few of these,
  than the files say): by the settings' drift_days and drift_share, and by more than chance (Welch's
  z ≥ 2). Warning; of the whole network. Not of items that are out of use.
- forecast_drift: what was demanded since the run's forecast, up to the end of its horizon, lies
  drift_z standard deviations off its sum; the periods' errors go together as they did in the
  backtest, and requests that come at random are never more certain than a (compound) Poisson.
  Warning where more was asked for than forecast, else info.
- data_gap: a depot without stock counts, or without demand, for longer than gap_days and than five
  times its usual interval, that of the year before it fell silent. As long as it is silent, but a
  year of a tower, which may be gone. Warning; it stands with the depot's dearest item.

risk_brl is the demand that is not provided for (of the longer days, of a lead time at the new pace,
of the days that nobody saw) × what a missing unit costs. Looking into it costs nothing.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from domain.classes import INTERMITTENT_CLASSES
from warehouse.pipeline.alerting import to_json, together
from warehouse.pipeline.copying import frame_of
from warehouse.pipeline.derivation import Setup
from warehouse.pipeline.lead_times import MEASURED_DAYS, MEASURED_LINES
from warehouse.queries.daily import CANCELLED, SIGMA_PER_BAND
from warehouse.queries.published import BUCKET, last_day, next_period, period_end

RECENT_DAYS = 180
SIGNIFICANT = 2.0
USUAL_INTERVALS = 5
USUAL_DAYS = 365
"""Up to its last day, of which a depot's data has its usual interval."""
LEAST_PERIODS = {"D": 7, "W": 2, "M": 1}
"""Periods since the forecast below which it is too early to judge."""


def drifts_of(connection: Connection, setup: Setup, policy: pd.DataFrame) -> pd.DataFrame:
    """One row each with the columns of `alerting.COLUMNS`; needs the policy of the run."""
    if policy.empty:
        return together([])
    return together(
        [
            _lead_times(connection, setup, policy),
            _forecasts(connection, setup, policy),
            *(_gaps(connection, setup, policy, file) for file in _DAYS),
        ]
    )


# Lead times

_LEAD_TIMES = """
SELECT item_id, item.lead_time_days AS file_days,
    count(*) FILTER (WHERE recent) AS recent_lines,
    avg(days) FILTER (WHERE recent) AS recent_days,
    coalesce(var_samp(days) FILTER (WHERE recent), 0) AS recent_var,
    count(*) FILTER (WHERE NOT recent) AS usual_lines,
    avg(days) FILTER (WHERE NOT recent) AS usual_mean,
    coalesce(var_samp(days) FILTER (WHERE NOT recent), 0) AS usual_var
FROM (
    SELECT item_id, lead_time_days::double precision AS days,
        received_on > :recent AS recent
    FROM core.purchase_order
    WHERE received_on BETWEEN :since AND :today AND lead_time_days IS NOT NULL
        AND lower(coalesce(status, '')) <> ALL(:cancelled)
) AS line
JOIN core.item USING (item_id)
GROUP BY item_id, item.lead_time_days
"""


def _lead_times(connection: Connection, setup: Setup, policy: pd.DataFrame) -> pd.DataFrame:
    params = {
        "today": setup.today,
        "recent": setup.today - timedelta(days=RECENT_DAYS),
        "since": setup.today - timedelta(days=MEASURED_DAYS),
        "cancelled": list(CANCELLED),
    }
    found = frame_of(connection, _LEAD_TIMES, params).astype("float64")
    enough = found["usual_lines"] >= MEASURED_LINES
    found["usual_days"] = found["usual_mean"].where(enough, found["file_days"])
    spread = found["recent_var"] / found["recent_lines"]
    spread += (found["usual_var"] / found["usual_lines"]).where(enough, 0.0)
    found["extra_days"] = found["recent_days"] - found["usual_days"]
    limit = np.maximum(setup.settings.drift_days, setup.settings.drift_share * found["usual_days"])
    drifted = (found["recent_lines"] >= MEASURED_LINES) & (found["extra_days"] >= limit)
    drifted &= found["extra_days"] >= SIGNIFICANT * np.sqrt(spread)
    rows = found[drifted].merge(_by_key(policy[policy["active"]], "item_id"), on="item_id")
    risk = rows["daily_demand"] * rows["extra_days"] * rows["shortage_brl"]
    return _alerts(
        "lead_time_drift",
        rows.assign(site_id=0, level="warning", risk_brl=risk),
        "recent_days recent_lines usual_days usual_lines extra_days daily_demand shortage_brl",
    )


def _by_key(policy: pd.DataFrame, key: str) -> pd.DataFrame:
    """Demand of a day, and what a missing unit costs in the mean over that demand."""
    valued = policy.assign(missing_brl=policy["daily_demand"] * policy["shortage_brl"])
    sums = valued.groupby(key, as_index=False)[["daily_demand", "missing_brl"]].sum(min_count=1)
    cost = sums["missing_brl"] / sums["daily_demand"].where(sums["daily_demand"] > 0)
    return sums.assign(shortage_brl=cost)[[key, "daily_demand", "shortage_brl"]]


# Forecasts

_ELAPSED = """
SELECT forecast.item_id, forecast.site_id, count(*) AS periods, sum(forecast.mean) AS expected,
    sum((p90 - p10) / :width) AS sigma, sum(power((p90 - p10) / :width, 2)) AS variance,
    coalesce(sum(asked.quantity), 0) AS actual
FROM analytics.forecast
LEFT JOIN (
    SELECT item_id, site_id, date_trunc(:bucket, date::timestamp)::date AS date,
        greatest(0, sum(quantity)) AS quantity
    FROM core.demand WHERE date BETWEEN :first AND :until GROUP BY 1, 2, 3
) AS asked USING (item_id, site_id, date)
WHERE run_id = :run_id AND model = 'ensemble' AND date BETWEEN :first AND :last
GROUP BY forecast.item_id, forecast.site_id
"""


def _forecasts(connection: Connection, setup: Setup, policy: pd.DataFrame) -> pd.DataFrame:
    first, last = next_period(setup.data_to, setup.frequency), _last_whole_period(setup)
    if last is None:
        return together([])
    until = last_day(last, setup.frequency)
    params = {
        "run_id": setup.run_id,
        "bucket": BUCKET[setup.frequency],
        "width": SIGMA_PER_BAND,
        "first": first,
        "last": last,
        "until": until,
    }
    found = frame_of(connection, _ELAPSED, params).astype(
        dict.fromkeys(("periods", "expected", "sigma", "variance", "actual"), "float64")
    )
    known = (
        "item_id site_id shared_error lead_time_days shortage_brl demand_class request_size".split()
    )
    rows = found.merge(policy[known], on=["item_id", "site_id"])
    rows = rows[rows["periods"] >= LEAST_PERIODS[setup.frequency]]
    shared = rows["shared_error"].fillna(0.0)
    variance = (1 - shared) * rows["variance"] + shared * rows["sigma"] ** 2
    lots = rows["request_size"].where(rows["demand_class"].isin(INTERMITTENT_CLASSES))
    random = rows["expected"] * lots.fillna(1.0).clip(lower=1.0)
    spread = np.sqrt(np.maximum(np.maximum(variance, random), 1.0))
    rows = rows.assign(
        actual_quantity=rows["actual"],
        expected_quantity=rows["expected"],
        expected_std=spread,
        deviation=(rows["actual"] - rows["expected"]) / spread,
        elapsed_days=float((until - setup.known_to).days),
        since=first,
        until=until if until < setup.today else None,
    )
    rows = rows[rows["deviation"].abs() >= setup.settings.drift_z]
    more = (rows["actual"] - rows["expected"]).clip(lower=0.0) / rows["elapsed_days"]
    return _alerts(
        "forecast_drift",
        rows.assign(
            level=np.where(rows["deviation"] > 0, "warning", "info"),
            risk_brl=more * rows["lead_time_days"] * rows["shortage_brl"],
        ),
        "actual_quantity expected_quantity expected_std deviation elapsed_days since until"
        " lead_time_days shortage_brl",
    )


def _last_whole_period(setup: Setup) -> date | None:
    """Start of the last period of the horizon that is over by today; None without any."""
    ahead = range(1, setup.horizon + 1)
    starts = [next_period(setup.data_to, setup.frequency, count) for count in ahead]
    over = [start for start in starts if last_day(start, setup.frequency) <= setup.today]
    return max(over, default=None)


# Gaps

_SILENT = """
SELECT place.site_id, place.last_on, count(DISTINCT said.date) AS days,
    max(said.date) - min(said.date) AS span
FROM (
    SELECT site_id, max({day}) AS last_on
    FROM analytics.series_overview JOIN core.site USING (site_id)
    WHERE site.kind IS DISTINCT FROM 'tower' OR {day} > :year_ago GROUP BY site_id
    HAVING max({day}) < :since
) AS place
LEFT JOIN core.{file} AS said ON said.site_id = place.site_id
    AND said.date > place.last_on - {USUAL_DAYS} AND said.date <= :today
GROUP BY place.site_id, place.last_on
"""
_DAYS = {"stock": "stock_date", "demand": period_end("last_date")}
"""Of each file the day that a series' last row reaches to."""

_HELD = """
SELECT item_id, site_id, coalesce(on_hand * unit_cost_brl, 0)::double precision AS held_brl
FROM analytics.series_overview JOIN core.item USING (item_id)
WHERE site_id = ANY(:sites)
"""


def _gaps(connection: Connection, setup: Setup, policy: pd.DataFrame, file: str) -> pd.DataFrame:
    sql = _SILENT.format(day=_DAYS[file], file=file, USUAL_DAYS=USUAL_DAYS)
    since = setup.today - timedelta(days=setup.settings.gap_days)
    year_ago = setup.today - timedelta(days=USUAL_DAYS)
    params = {"since": since, "year_ago": year_ago, "today": setup.today} | setup.row_period
    found = frame_of(connection, sql, params)
    heard = pd.to_datetime(found["last_on"])
    silent = (pd.Timestamp(setup.today) - heard).dt.days.astype("float64")
    usual = found["span"].astype("float64") / (found["days"].astype("float64") - 1).clip(lower=1)
    rows = found.assign(silent_days=silent)[silent > USUAL_INTERVALS * usual.fillna(0.0)]
    if rows.empty:
        return together([])
    rows = rows.merge(_by_key(policy, "site_id"), on="site_id", how="left")
    rows = rows.merge(_dearest(connection, policy, rows["site_id"].tolist()), on="site_id")
    risk = rows["daily_demand"] * rows["silent_days"] * rows["shortage_brl"]
    return _alerts(
        "data_gap",
        rows.assign(level="warning", risk_brl=risk, file=file),
        "file last_on silent_days items daily_demand shortage_brl",
        more=file,
    )


def _dearest(connection: Connection, policy: pd.DataFrame, sites: list[int]) -> pd.DataFrame:
    """Of each site the item whose demand is worth most, else the one whose stock is; and the number
    of its items."""
    held = frame_of(connection, _HELD, {"sites": sites})
    worth = policy["daily_demand"] * policy["unit_cost_brl"]
    asked = policy[["item_id", "site_id"]].assign(worth=worth)
    ordered = held.merge(asked, on=["item_id", "site_id"], how="left").fillna({"worth": 0.0})
    ordered = ordered.sort_values(["worth", "held_brl", "item_id"], ascending=[False, False, True])
    first = ordered.drop_duplicates("site_id")[["site_id", "item_id"]]
    counted = held.groupby("site_id").size().rename("items").astype("float64").reset_index()
    return first.merge(counted, on="site_id")


def _alerts(kind: str, rows: pd.DataFrame, names: str, more: str = "") -> pd.DataFrame:
    keys = ("item_id", "site_id") if kind != "data_gap" else ("site_id",)
    rows = rows.assign(acting_brl=0.0, net_brl=rows["risk_brl"])
    wanted = [*names.split(), "risk_brl", "acting_brl", "net_brl"]
    facts = [to_json({name: row[name] for name in wanted}) for row in rows.to_dict("records")]
    fingerprints = [
        "|".join([kind, *([more] if more else []), *(str(int(row[key])) for key in keys)])
        for row in rows.to_dict("records")
    ]
    return rows.assign(
        kind=kind,
        fingerprint=fingerprints,
        facts=facts,
        item_id=rows["item_id"].astype("int64"),
        site_id=rows["site_id"].astype("int64"),
        stockout_on=None,
        days_to_stockout=None,
    )
