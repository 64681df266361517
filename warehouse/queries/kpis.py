"""Headline KPIs with their receipts, and the totals of the first screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from math import sqrt
from typing import Any, Literal

from sqlalchemy import Connection, text

from domain.access import EVERYTHING, Scope
from domain.clock import days_before
from domain.kpis import (
    COSTS,
    HISTORY,
    KPIS,
    OTIF_DAYS,
    PERIODS_OF_MONTH,
    SLA_DAYS,
    STOCK_DAYS,
    WHOLE_MONTHS,
    availability,
    change,
    days_of_supply,
    parts_of,
    ratio,
)
from domain.records import (
    NO_FILTERS,
    DemandShare,
    Filters,
    Kpi,
    Option,
    Receipt,
    ReceiptInput,
    TotalPoint,
)
from domain.savings import annual
from warehouse import ages
from warehouse.caching import read_model
from warehouse.queries.daily import daily, daily_filter
from warehouse.queries.filtering import (
    daily_where,
    described,
    is_open,
    of_places,
    series_where,
    set_in,
)
from warehouse.queries.materials import item_option, options_of
from warehouse.queries.published import (
    LAST_WHOLE,
    PublishedRun,
    calendar,
    first_day,
    last_day,
    next_period,
    published_run_or_none,
    run_and_days,
)
from warehouse.queries.savings import ENDS, NEW, OLD, STARTS

NORMAL_Z80 = 1.2816
CHOSEN = ("uf", "region", "family", "abc", "supplier", "site", "contract", "sku")
HELD = """sum(overview.on_hand * item.unit_cost_brl) AS value,
    sum(overview.on_hand * item.unit_cost_brl)
        FILTER (WHERE material.forecast_horizon IS NOT NULL) AS covered,
    sum(material.forecast_horizon * item.unit_cost_brl)
        FILTER (WHERE overview.on_hand IS NOT NULL) AS forecast,
    count(item.unit_cost_brl) AS priced"""
HELD_FROM = """FROM analytics.series_overview AS overview
JOIN core.item USING (item_id) JOIN core.site USING (site_id)
LEFT JOIN analytics.material_overview AS material ON material.run_id = :run_id
    AND material.item_id = overview.item_id AND material.site_id = overview.site_id"""
"""The stock in BRL; of what the run forecasts its stock and its forecast: days of supply; and how
many series have a unit cost."""
HISTORY_FACTOR = {"D": 1, "W": 4, "M": 12}


@read_model(at_most=ages.KPIS)
def headline(
    connection: Connection, *, scope: Scope = EVERYTHING, filters: Filters = NO_FILTERS
) -> list[Kpi]:
    """Every KPI of `domain.kpis.KPIS`, in its order; two statements. Dates in the filters stand
    in the place of the spans that demand, stockouts, OTIF, availability and savings have by
    themselves; the others know no time.

    A KPI whose file is not loaded has value None and says in `missing` which one it needs.
    `previous` is the same number one period earlier (of dates asked for as many days, of whole
    months of demand that is recorded by the month as many months; for the forecast: the demand of
    as many periods before it, unless the run leaves series out; for WAPE: the run published
    before). Of demand there is none where the earlier period begins before the first that is known.
    """
    run, last, windows = windows_now(connection, filters)
    sums = _sums(connection, scope, filters, windows)
    return _Headline(run, last, windows, sums, scope, filters).kpis()


def windows_now(
    connection: Connection, filters: Filters = NO_FILTERS
) -> tuple[PublishedRun | None, Any, dict[str, Any]]:
    """The published run, the last day of each file, and the spans that the KPIs are of."""
    run, last = published_run_or_none(connection), run_and_days(connection)
    return run, last, _windows(run, last, filters)


def _windows(run: PublishedRun | None, last: Any, filters: Filters) -> dict[str, Any]:
    frequency, native = (run.frequency, run.native) if run else ("D", "D")
    demand_to = last.demand or date.min
    stock_to = last.stock or date.min
    otif_to, sla_to = last.as_of or date.min, last.outages_to or date.min
    trained_to = last_day(run.data_to, frequency) if run else demand_to
    periods = PERIODS_OF_MONTH[frequency]
    windows: dict[str, Any] = {
        "demand_from": first_day(last.first_demand or date.max, native),
        "run_id": run.run_id if run else None,
        "previous_run_id": run.previous_run_id if run else None,
        "demand_to": demand_to,
        "demand_after": _back(demand_to, frequency, periods),
        "demand_before": _back(demand_to, frequency, 2 * periods),
        "trained_to": trained_to,
        "horizon_after": _back(trained_to, frequency, run.horizon if run else 0),
        "stock_to": stock_to,
        "stock_after": last.stock_before or days_before(stock_to, STOCK_DAYS),
        "stock_before": last.stock_before_that or days_before(stock_to, 2 * STOCK_DAYS),
        "otif_to": otif_to,
        "otif_after": days_before(otif_to, OTIF_DAYS),
        "otif_before": days_before(otif_to, 2 * OTIF_DAYS),
        "sla_to": sla_to,
        "sla_after": days_before(sla_to, SLA_DAYS),
        "sla_before": days_before(sla_to, 2 * SLA_DAYS),
        "savings_from": filters.date_from or date.min,
        "savings_to": filters.date_to or date.max,
    }
    if filters.has_dates:
        for name in ("demand", "stock", "otif", "sla"):
            windows |= _asked_window(name, windows[f"{name}_to"], filters)
        months = _whole_months(windows["demand_after"], windows["demand_to"])
        if native == "M" and months:
            windows["demand_before"] = _back(windows["demand_after"], native, months)
    return windows | _hours(windows, days_before(last.outages_from or date.max, 1))


def _asked_window(name: str, known_to: date, filters: Filters) -> dict[str, date]:
    """The dates asked for, as far as anything is known, and as many days before them."""
    to = min(known_to, filters.date_to or date.max)
    after = days_before(filters.date_from or date.min, 1)
    before = date.min if after == date.min else days_before(after, max(0, (to - after).days))
    return {f"{name}_to": to, f"{name}_after": after, f"{name}_before": before}


def _whole_months(after: date, to: date) -> int:
    """How many months the days after `after` up to `to` are; 0 where they are not whole ones."""
    start, end = after + timedelta(days=1), to + timedelta(days=1)
    if start.day > 1 or end.day > 1:
        return 0
    return max(0, (end.year - start.year) * 12 + end.month - start.month)


def _hours(windows: Mapping[str, Any], unknown_to: date) -> dict[str, int]:
    """Hours a site is observed in both windows: not those of days of which no outage is known."""
    ends = [max(windows[f"sla_{end}"], unknown_to) for end in ("before", "after")]
    before, now = (ends[1] - ends[0]).days, (windows["sla_to"] - ends[1]).days
    return {"sla_hours": 24 * max(now, 0), "sla_hours_before": 24 * max(before, 0)}


def _back(day: date, frequency: str, periods: int) -> date:
    """The day before the last so many periods up to the end of `day`."""
    if day == date.min:
        return day
    return days_before(next_period(day + timedelta(days=1), frequency, -periods), 1)


def known_demand(
    value: float | None, priced: int | None, windows: Mapping[str, Any], after: str, to: str
) -> float | None:
    """The demand in BRL between two of the windows' days: 0 without rows where series in view have
    a unit cost and the files reach into the span."""
    if value is not None or not priced:
        return value
    reached = windows["demand_from"] <= windows[to] and windows[after] < windows[to]
    return 0.0 if reached else None


def _sums(
    connection: Connection, scope: Scope, filters: Filters, windows: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    by_day = daily_filter(scope, filters)
    no_family = daily_where(scope, of_places(filters))
    series = series_where(scope, filters)
    parts = _sum_parts(filters, by_day.sql, no_family.sql, series.sql)
    columns = ", ".join(
        f"(SELECT to_jsonb(part) FROM ({sql}) AS part) AS {name}" for name, sql in parts.items()
    )
    params = {**by_day.params, **no_family.params, **series.params, **windows}
    return dict(connection.execute(text(f"SELECT {columns}"), params).one()._mapping)


def _sum_parts(filters: Filters, by_day: str, no_family: str, series: str) -> dict[str, str]:
    savings = """
        FROM analytics.savings JOIN core.item USING (item_id) JOIN core.site USING (site_id)
        WHERE run_id = :run_id
    """
    within = f"{STARTS.format('savings_from')} AND {ENDS.format('savings_to')}"
    return {
        "accuracy": f"""
            SELECT sum(abs_error_sum) FILTER (WHERE run_id = :run_id) AS error,
                sum(actual_sum) FILTER (WHERE run_id = :run_id) AS actual,
                sum(abs_error_sum) FILTER (WHERE run_id = :previous_run_id) AS error_before,
                sum(actual_sum) FILTER (WHERE run_id = :previous_run_id) AS actual_before
            FROM analytics.material_overview
            JOIN core.item USING (item_id) JOIN core.site USING (site_id)
            WHERE run_id IN (:run_id, :previous_run_id) AND {series}
        """,
        "stock": f"""
            SELECT sum(positions) FILTER (WHERE date > :stock_after) AS positions,
                sum(stockouts) FILTER (WHERE date > :stock_after) AS stockouts,
                sum(positions) FILTER (WHERE date <= :stock_after) AS positions_before,
                sum(stockouts) FILTER (WHERE date <= :stock_after) AS stockouts_before
            FROM {daily("stock", filters)} AS daily
            WHERE date > :stock_before AND date <= :stock_to AND {by_day}
        """,
        "inventory": _parted(
            f"""
            SELECT coalesce(site.uf, '') AS uf, coalesce(item.family, '') AS family,
                sum(overview.on_hand_before * item.unit_cost_brl) AS value_before, {HELD}
            {HELD_FROM} WHERE {series} GROUP BY 1, 2
            """,
            ("value", "value_before", "covered", "forecast", "priced"),
        ),
        "alerts": f"""
            SELECT count(*) AS open FROM analytics.alert
            JOIN core.item USING (item_id) JOIN core.site USING (site_id)
            WHERE run_id = :run_id AND level = 'critical' AND {is_open("alert")}
                AND {series}
        """,
        "demand": _parted(
            f"""
            SELECT uf, family,
                sum(value) FILTER (WHERE date > :demand_after AND date <= :demand_to) AS value,
                sum(value) FILTER (WHERE date > :demand_before AND date <= :demand_after)
                    AS value_before,
                sum(value) FILTER (WHERE date > :horizon_after AND date <= :trained_to)
                    AS value_horizon
            FROM {daily("demand", filters)} AS daily
            WHERE date > least(:demand_before, :horizon_after) AND {by_day} GROUP BY uf, family
            """,
            ("value", "value_before", "value_horizon"),
        ),
        "forecast": _parted(
            f"""
            SELECT uf, family, sum(value) AS value FROM {daily("forecast", filters)} AS daily
            WHERE run_id = :run_id AND {by_day} GROUP BY uf, family
            """,
            ("value",),
        ),
        "orders": f"""
            SELECT sum(lines) FILTER (WHERE date > :otif_after) AS lines,
                sum(lines_otif) FILTER (WHERE date > :otif_after) AS otif,
                sum(lines) FILTER (WHERE date <= :otif_after) AS lines_before,
                sum(lines_otif) FILTER (WHERE date <= :otif_after) AS otif_before
            FROM {daily("order", filters)} AS daily
            WHERE date > :otif_before AND date <= :otif_to AND {by_day}
        """,
        "outages": f"""
            SELECT sum(hours) FILTER (WHERE date > :sla_after) AS hours,
                sum(hours) FILTER (WHERE date <= :sla_after) AS hours_before
            FROM (SELECT *, '' AS family FROM analytics.downtime_by_day) AS daily
            WHERE date > :sla_before AND date <= :sla_to AND contract_id <> 0 AND {no_family}
        """,
        "savings": f"""
            SELECT count(DISTINCT month) AS months, sum({OLD}) AS old, sum({NEW}) AS new,
                coalesce(sum({OLD} - ({NEW})) FILTER (WHERE accepted), 0) AS accepted,
                sum(realised_brl) AS realised, max(month) AS month, EXISTS (
                    SELECT {savings} AND {series}
                ) AS at_any_time
            {savings} AND {within} AND {series}
        """,
        "sites": f"""
            SELECT count(*) AS number FROM (
                SELECT coalesce(uf, '') AS uf, contract_id, '' AS family FROM core.site
                WHERE contract_id IS NOT NULL
            ) AS daily WHERE {no_family}
        """,
    }


PARTS = ("uf", "family")


def _parted(grouped: str, names: tuple[str, ...]) -> str:
    """The sums of `grouped`, which is by PARTS, and those of `value` by each of PARTS."""
    sums = ", ".join(f"sum({name}) AS {name}" for name in names)
    maps = ", ".join(
        f"(SELECT coalesce(jsonb_object_agg({part}, value), '{{}}') FROM ("
        f"SELECT {part}, sum(value) AS value FROM found WHERE value <> 0 GROUP BY {part}"
        f") AS of_{part}) AS by_{part}"
        for part in PARTS
    )
    return f"WITH found AS ({grouped}) SELECT {sums}, {maps} FROM found"


def _month_end(month: str | None) -> date | None:
    return None if month is None else last_day(date.fromisoformat(month), "M")


class _Headline:
    """The KPIs from their sums: arithmetic only."""

    def __init__(
        self,
        run: PublishedRun | None,
        last: Any,
        windows: Mapping[str, Any],
        sums: dict[str, dict[str, Any]],
        scope: Scope,
        filters: Filters,
    ) -> None:
        self.run, self.last, self.windows, self.sums = run, last, windows, sums
        self.scope, self.filters = scope, filters

    def kpis(self) -> list[Kpi]:
        return [getattr(self, key)() for key in KPIS]

    def annual_savings(self) -> Kpi:
        sums = self.sums["savings"]
        months = sums["months"] or None
        saved = None if months is None else sums["old"] - sums["new"]
        inputs = {
            "C_0": sums["old"],
            "C_1": sums["new"],
            "m": months,
            "A": sums["accepted"] if months else None,
            "R": sums["realised"],
        }
        value = annual(saved, months or 0)
        last = _month_end(sums["month"])
        kpi = self._kpi("annual_savings", value, None, last, inputs)
        if value is not None or kpi.missing:
            return kpi
        return replace(kpi, missing=WHOLE_MONTHS if sums["at_any_time"] else HISTORY)

    def wape(self) -> Kpi:
        sums = self.sums["accuracy"]
        value, previous = (
            ratio(sums["error"], sums["actual"]),
            ratio(sums["error_before"], sums["actual_before"]),
        )
        inputs = {"E": sums["error"], "A": sums["actual"]}
        as_of = self.windows["trained_to"] if self.run else None
        return self._kpi("wape", value, previous, as_of, inputs)

    def stockout_rate(self) -> Kpi:
        sums = self.sums["stock"]
        value = ratio(sums["stockouts"], sums["positions"])
        previous = ratio(sums["stockouts_before"], sums["positions_before"])
        inputs = {"N_0": sums["stockouts"], "N": sums["positions"]}
        as_of = self.last.stock and self.windows["stock_to"]
        return self._kpi("stockout_rate", value, previous, as_of, inputs)

    def inventory_value(self) -> Kpi:
        sums = self.sums["inventory"]
        value, previous = sums["value"], sums["value_before"]
        inputs = {"V": value}
        return self._kpi("inventory_value", value, previous, self.last.stock, inputs, sums)

    def days_of_supply(self) -> Kpi:
        sums = self.sums["inventory"]
        days = self.run.horizon_days if self.run else 0
        value = days_of_supply(sums["covered"], sums["forecast"], days) if days else None
        inputs = {"V": sums["covered"], "F": sums["forecast"], "h": days or None}
        return self._kpi("days_of_supply", value, None, self.last.stock, inputs)

    def open_critical_alerts(self) -> Kpi:
        value = self.sums["alerts"]["open"] if self.run and self.last.stock else None
        as_of = self.last.as_of if self.run else None
        return self._kpi("open_critical_alerts", value, None, as_of, {"n": value})

    def demand_value(self) -> Kpi:
        sums = self.sums["demand"]
        value = self._demand(sums["value"], "demand_after", "demand_to")
        previous = self._demand_before(sums["value_before"], "demand_before", "demand_after")
        inputs, as_of = {"D": value}, self.last.demand and self.windows["demand_to"]
        return self._kpi("demand_value", value, previous, as_of, inputs, sums)

    def _demand(self, value: float | None, after: str, to: str) -> float | None:
        return known_demand(value, self.sums["inventory"]["priced"], self.windows, after, to)

    def _demand_before(self, value: float | None, after: str, to: str) -> float | None:
        """The same of a span to compare with: None where it is not known from its first day on."""
        begins = self.windows[after] + timedelta(days=1)
        return None if begins < self.windows["demand_from"] else self._demand(value, after, to)

    def forecast_value(self) -> Kpi:
        value = self.sums["forecast"]["value"]
        covers_all = self.run is not None and not self.run.limited
        asked = self.sums["demand"]["value_horizon"]
        before = self._demand_before(asked, "horizon_after", "trained_to")
        previous = before if covers_all else None
        as_of = (
            last_day(
                next_period(self.run.data_to, self.run.frequency, self.run.horizon),
                self.run.frequency,
            )
            if self.run
            else None
        )
        inputs, sums = {"F": value}, self.sums["forecast"]
        return self._kpi("forecast_value", value, previous, as_of, inputs, sums)

    def otif(self) -> Kpi:
        sums = self.sums["orders"]
        value = ratio(sums["otif"], sums["lines"])
        previous = ratio(sums["otif_before"], sums["lines_before"])
        as_of = self.windows["otif_to"] if self.last.has_orders else None
        inputs = {"L_{ok}": sums["otif"], "L": sums["lines"]}
        return self._kpi("otif", value, previous, as_of, inputs)

    def sla_availability(self) -> Kpi:
        down, sites = self.sums["outages"], self.sums["sites"]["number"]
        hours, hours_before = self.windows["sla_hours"], self.windows["sla_hours_before"]
        known = self.last.outage is not None and sites > 0
        value = availability(down["hours"] or 0.0, sites, hours) if known else None
        previous = availability(down["hours_before"] or 0.0, sites, hours_before) if known else None
        inputs = {
            "H_d": (down["hours"] or 0.0) if known else None,
            "S": sites if known else None,
            "T": hours if known else None,
        }
        as_of = self.windows["sla_to"] if known else None
        return self._kpi("sla_availability", value, previous, as_of, inputs)

    def _kpi(
        self,
        key: str,
        value: float | None,
        previous: float | None,
        as_of: date | None,
        inputs: Mapping[str, float | None],
        sums: Mapping[str, Any] | None = None,
    ) -> Kpi:
        definition = KPIS[key]
        of_period = self.filters.has_dates and bool(definition.of_period)
        asked = self.filters if of_period else self.filters.at_any_time()
        applied = of_places(asked) if definition.of_places else asked
        by = {part: (sums or {}).get(f"by_{part}") or {} for part in PARTS}
        parts_by, parts = parts_of(value, by)
        receipt = Receipt(
            formula=definition.formula,
            inputs=[
                ReceiptInput(symbol, *definition.inputs[symbol][:1], amount, unit)
                for symbol, amount in inputs.items()
                for unit in definition.inputs[symbol][1:]
            ],
            source=definition.of_period if of_period else definition.source,
            run_id=self.run.run_id if self.run else None,
            filter=described(self.scope, applied),
            left_out=[name for name in set_in(asked) if name not in set_in(applied)],
            parts_by=parts_by,
            parts=parts,
        )
        return Kpi(
            key=key,
            value=value,
            unit=definition.unit,
            previous=previous,
            change=change(value, previous),
            target=definition.target,
            as_of=as_of,
            better=definition.better,
            receipt=receipt,
            missing=None if value is not None else self._missing(definition.needs),
            of_period=of_period,
        )

    def _missing(self, needs: tuple[str, ...]) -> str | None:
        """The first file needed that is not there."""
        loaded = {
            "demand": self.last.demand is not None,
            "stock": self.last.stock is not None,
            "purchase_orders": self.last.has_orders,
            "outages": self.last.outage is not None,
            "contracts": self.last.has_contracts,
            COSTS: self.last.has_costs,
        }
        return next((kind for kind in needs if not loaded[kind]), None)


@read_model(at_most=ages.KPIS)
def demand_and_forecast(
    connection: Connection,
    *,
    scope: Scope = EVERYTHING,
    filters: Filters = NO_FILTERS,
    days: int = 90,
    measure: Literal["brl", "units"] = "brl",
) -> list[TotalPoint]:
    """Total demand of the dates in the filters, else of the last `days` (4 and 12 times as many
    where periods are weeks and months), then the ensemble's mean with its 80 % band, in the run's
    periods, of those begun in the dates all that are known whole; two statements.

    Quantiles do not add up, so the band of a total is mean ± z·√Σσ², σ from each series' p10-p90,
    with z calibrated by publish on the totals of the run's own backtest. A date without demand
    inside the span is 0, also where nothing of what has a forecast was demanded in all of it; an
    item without unit cost counts nothing in BRL.
    """
    run = published_run_or_none(connection)
    known_to = run_and_days(connection).known_to
    where = daily_filter(scope, filters)
    value, variance = ("value", "value_variance") if measure == "brl" else ("quantity", "variance")
    frequency = run.frequency if run else "D"
    params = {
        **where.params,
        "run_id": run.run_id if run else None,
        **calendar(run, known_to),
        "days": days * HISTORY_FACTOR[frequency],
        "first": filters.date_from or (date.min if filters.has_dates else None),
        "last": filters.date_to,
    }
    sql = f"""
        WITH span AS (
            SELECT greatest(
                    min(date),
                    date_trunc(:bucket, coalesce(
                        CAST(:first AS date), max(date) - CAST(:days AS integer) + 1
                    )::timestamp)::date
                ) AS first,
                least(
                    {LAST_WHOLE}, date_trunc(:bucket, CAST(:last AS timestamp))
                )::date AS last
            FROM analytics.demand_by_day
        ),
        grid AS (
            SELECT day::date AS date FROM span, generate_series(
                date_trunc(:bucket, span.first::timestamp), span.last::timestamp,
                CAST(:period AS interval)
            ) AS day
        ),
        known AS (
            SELECT date_trunc(:bucket, date::timestamp)::date AS date, sum({value}) AS actual
            FROM {daily("demand", filters)} AS daily
            WHERE date >= (SELECT first FROM span)
                AND date < (SELECT last + CAST(:period AS interval) FROM span) AND {where.sql}
            GROUP BY 1
        ),
        ahead AS (
            SELECT date, sum({value}) AS mean, sum({variance}) AS variance
            FROM {daily("forecast", filters)} AS daily
            WHERE run_id = :run_id AND {where.sql} GROUP BY date
        ),
        past AS (
            SELECT date, coalesce(actual, CASE
                WHEN (SELECT count(actual) FROM known) > 0 THEN 0
                WHEN NOT EXISTS (SELECT FROM known) AND EXISTS (SELECT FROM ahead) THEN 0
            END) AS actual
            FROM grid LEFT JOIN known USING (date)
        )
        SELECT date, past.actual, ahead.mean, ahead.variance
        FROM past FULL JOIN ahead USING (date)
        ORDER BY date
    """
    rows = connection.execute(text(sql), params).all()
    z = band_factor(run, measure)
    return [_total_point(row.date, row.actual, row.mean, row.variance, z) for row in rows]


@read_model(at_most=ages.KPIS)
def demand_shares(
    connection: Connection,
    *,
    scope: Scope = EVERYTHING,
    filters: Filters = NO_FILTERS,
    measure: Literal["brl", "units"] = "brl",
) -> list[DemandShare]:
    """Demand by family and by UF over the span of the KPI `demand_value`, most first; two
    statements. What has no family or UF is left out."""
    _, _, windows = windows_now(connection, filters)
    where = daily_filter(scope, filters)
    sql = f"""
        SELECT CASE WHEN grouping(family) = 0 THEN 'family' ELSE 'uf' END AS kind,
            coalesce(family, uf) AS value, sum({"value" if measure == "brl" else "quantity"}) AS sum
        FROM {daily("demand", filters)} AS daily
        WHERE date > :demand_after AND date <= :demand_to AND {where.sql}
        GROUP BY GROUPING SETS ((family), (uf)) ORDER BY 3 DESC NULLS LAST, 2
    """
    rows = connection.execute(text(sql), {**where.params, **windows}).all()
    return [DemandShare(*row) for row in rows if row.value and row.sum]


def band_factor(run: PublishedRun | None, measure: str) -> float:
    """Standard deviations on each side of a total's 80 % band; a normal one's where the run's
    backtest was too short to calibrate it."""
    band = (run.metrics if run else {}).get("total_band", {}).get(measure) or {}
    return float(band.get("z") or NORMAL_Z80)


def _total_point(
    day: date, actual: float | None, mean: float | None, variance: float | None, z: float
) -> TotalPoint:
    if mean is None:
        return TotalPoint(date=day, actual=actual, mean=None, p10=None, p90=None)
    spread = z * sqrt(variance or 0.0)
    return TotalPoint(
        date=day, actual=actual, mean=mean, p10=max(0.0, mean - spread), p90=mean + spread
    )


@read_model(at_most=ages.FACTS)
def filter_choices(connection: Connection, *, scope: Scope = EVERYTHING) -> dict[str, list[Option]]:
    """What the filters can be set to within the scope; of materials those to start from."""
    where = series_where(scope)
    materials, named = options_of(scope)
    sql = f"""
        WITH seen AS MATERIALIZED (
            SELECT DISTINCT site.uf, site.site_id, item.family, item.supplier_id, material.abc
            FROM analytics.series_overview AS series
            JOIN core.item USING (item_id) JOIN core.site USING (site_id)
            LEFT JOIN analytics.material_overview AS material
                ON material.run_id = (SELECT run_id FROM analytics.published)
                AND material.item_id = series.item_id AND material.site_id = series.site_id
            WHERE {where.sql}
        )
        SELECT DISTINCT 'uf' AS kind, uf.uf AS value, uf.uf || ' – ' || uf.name AS label, 0 AS place
        FROM seen JOIN core.uf USING (uf)
        UNION SELECT 'region', region.region, region.name, 0
        FROM seen JOIN core.uf USING (uf) JOIN core.region USING (region)
        UNION SELECT 'family', family, family, 0 FROM seen WHERE family IS NOT NULL
        UNION SELECT 'abc', abc, abc, 0 FROM seen WHERE abc IS NOT NULL
        UNION SELECT 'supplier', supplier.supplier,
            concat_ws(' – ', supplier.supplier, nullif(supplier.name, supplier.supplier)), 0
        FROM seen JOIN core.supplier USING (supplier_id) WHERE supplier_id <> 0
        UNION SELECT 'site', place.site, concat_ws(' – ', place.site, place.name), 0
        FROM seen JOIN core.site AS place USING (site_id) WHERE site_id <> 0
        UNION SELECT 'contract', contract.contract,
            concat_ws(' – ', contract.contract, contract.customer), 0
        FROM core.site JOIN core.contract USING (contract_id) WHERE {where.sql}
        UNION SELECT 'sku', sku, name, row_number() OVER () FROM ({materials}) AS material
        ORDER BY kind, place, label
    """
    choices: dict[str, list[Option]] = {name: [] for name in CHOSEN}
    choices["xyz"] = [Option(one, one) for one in "XYZ"]
    for kind, value, label, _ in connection.execute(text(sql), where.params | named):
        shown = item_option(value, label) if kind == "sku" else Option(value, label)
        choices[kind].append(shown)
    return choices
