"""Policy per item and depot: lead time, safety stock, reorder point, order-up-to, stockout."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pandas as pd
from sqlalchemy import Connection, text

from domain import inventory
from domain.inventory import Array
from domain.lead_time_demand import DRAWS, LEAD_TIMES, Calendar, draws, over_lead_time, paths
from domain.policy_settings import TEXTBOOK
from domain.recommending.frames import Context, shortage_brl
from domain.recommending.purchases import packs as whole_packs
from warehouse.pipeline.copying import copy_frame, frame_of
from warehouse.pipeline.demand_ahead import MAX_PROJECTED_DAYS, DemandAhead, demand_ahead
from warehouse.pipeline.derivation import Setup
from warehouse.pipeline.lead_times import MEASURED_LINES
from warehouse.pipeline.project_needs import dated, effects
from warehouse.queries.daily import CANCELLED, ordered_by, received_by
from warehouse.queries.published import period_end
from warehouse.queries.requests import request_days
from warehouse.queries.training import BY_PARTITION

CHUNK = 1_000
REQUEST_DAYS = 365
PROJECTED_DAYS = 90
DAYS_A_YEAR = 365.25
MEASURED = {"orders of the item": "item_days", "orders of the supplier": "supplier_days"}
"""Where lead times come from, and the column of their quantiles."""
PATHS = (0.5, 0.9)
"""Shares of the draws that ask for no more: of the likely path and of the cautious one."""

# an item's own orders know its lead time better than all that its supplier delivers
_SERIES = f"""
SELECT profile.item_id, profile.site_id, item.sku, item.unit_cost_brl, item.min_order_qty,
    item.pack_size, item.service_level, item.active, profile.abc, profile.std AS period_std,
    overview.on_hand, overview.reserved, overview.stock_date,
    of_item.mean AS item_mean, of_item.std AS item_std, of_item.days AS item_days,
    of_supplier.mean AS supplier_mean, of_supplier.std AS supplier_std,
    of_supplier.days AS supplier_days, item.lead_time_days AS file_lead_time,
    item.criticality, profile.demand_class, profile.periods,
    asked.last_demand_on, asked.request_size
FROM analytics.series_profile AS profile
JOIN core.item USING (item_id)
LEFT JOIN analytics.series_overview AS overview USING (item_id, site_id)
LEFT JOIN (
    SELECT item_id, site_id, {period_end("max(date)")} AS last_demand_on,
        avg(quantity) FILTER (WHERE date > :since) AS request_size
    FROM ({request_days("date <= :today")}) AS day GROUP BY item_id, site_id
) AS asked USING (item_id, site_id)
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
    " item_std supplier_mean supplier_std file_lead_time criticality request_size"
).split()


def _series(connection: Connection, setup: Setup) -> pd.DataFrame:
    since = setup.today - timedelta(days=REQUEST_DAYS)
    params = {"run_id": setup.run_id, "lines": MEASURED_LINES, "since": since, "today": setup.today}
    params |= setup.row_period
    connection.execute(text(BY_PARTITION))
    frame = frame_of(connection, _SERIES, params)
    frame = frame.astype(dict.fromkeys(_NUMBERS, "float64") | {"active": bool})
    known = [frame["item_mean"].notna(), frame["supplier_mean"].notna()]
    frame["lead_time_days"] = np.select(
        known, [frame["item_mean"], frame["supplier_mean"]], frame["file_lead_time"]
    )
    frame["lead_time_std"] = np.select(known, [frame["item_std"], frame["supplier_std"]], 0.0)
    frame["lead_time_source"] = np.select(
        [*known, frame["file_lead_time"].notna()],
        [*MEASURED, "items file"],
        "",
    )
    default = frame["abc"].map(setup.settings.service_levels)
    default = default.astype("float64").fillna(setup.settings.default_service_level)
    risk = setup.settings.criticality_risk
    frame["service_level"] = inventory.service_level(
        default, frame["criticality"], risk, frame["service_level"]
    )
    return frame


def _lead_times(series: pd.DataFrame) -> Array:
    """Equally likely lead times of each series, (series, LEAD_TIMES): those measured, about their
    mean; the file's where too few were."""
    mean = series["lead_time_days"].to_numpy(float)
    found = np.repeat(mean[:, None], LEAD_TIMES, axis=1)
    for source, days in (
        ("orders of the item", "item_days"),
        ("orders of the supplier", "supplier_days"),
    ):
        here = (series["lead_time_source"] == source).to_numpy()
        if here.any():
            measured = np.array(series.loc[here, days].tolist(), float)
            about = measured + (mean[here] - measured.mean(axis=1))[:, None]
            found[here] = np.maximum(about, 0.0)
    return found


def policy_of(
    connection: Connection,
    setup: Setup,
    orders: pd.DataFrame,
    sent: pd.DataFrame,
    needs: pd.DataFrame,
    penalties: dict[int, float],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every series of the run with its stock, lead-time demand, safety stock, reorder point and
    stockout. And the needs of these series with the stock that they find, see `effects`.

    orders: the lines of `open_orders`; sent: those of `in_transit`; needs: those of
    `project_needs`; penalties: BRL of a request that finds no stock, by the depot's key, where one
    is known.
    """
    series = _series(connection, setup)
    if series.empty:
        return series.assign(**{name: [] for name in _DERIVED}), needs.iloc[:0]
    series = brought_to_today(connection, setup, series, sent)
    series = _priced(setup, series, penalties)
    ahead = demand_ahead(connection, setup, series)
    index = pd.MultiIndex.from_frame(series[["item_id", "site_id"]])
    arriving = ["item_id", "site_id", "quantity", "expected_on"]
    counted = orders.loc[orders["counted"].astype(bool), arriving]
    on_the_way = sent.loc[sent["expected_on"] > pd.Timestamp(setup.today), arriving]
    coming = [part for part in (counted, on_the_way) if len(part)]
    series = series.merge(
        on_the_way.assign(
            in_transit=on_the_way["quantity"],
            in_transit_days=(on_the_way["expected_on"] - pd.Timestamp(setup.today)).dt.days,
        )[["item_id", "site_id", "in_transit", "in_transit_days"]],
        on=["item_id", "site_id"],
        how="left",
    )
    lines = _placed(pd.concat(coming) if coming else counted, index)
    needed = _placed(needs, index)
    parts, met = [], []
    for start in range(0, len(series), CHUNK):
        rows = slice(start, min(start + CHUNK, len(series)))
        some = series.iloc[rows].reset_index(drop=True)
        here = (_of_rows(lines, rows), _of_rows(needed, rows))
        part, stock_met = _of_chunk(setup, some, ahead, rows, *here)
        parts.append(part)
        met.append(stock_met)
    return pd.concat(parts, ignore_index=True), pd.concat(met)


def _placed(rows: pd.DataFrame, index: pd.MultiIndex) -> pd.DataFrame:
    """Rows of an item and site with their place in `index`; those that are not in it are left
    out."""
    keys = pd.MultiIndex.from_frame(rows[["item_id", "site_id"]])
    placed = rows.assign(row=index.get_indexer(keys))
    return placed[placed["row"] >= 0]


def _of_rows(placed: pd.DataFrame, rows: slice) -> pd.DataFrame:
    here = placed[placed["row"].between(rows.start, rows.stop - 1)]
    return here.assign(row=here["row"] - rows.start)


_DERIVED = (
    "counted_quantity used_since received_since received_of_ordered arrived_since in_transit"
    " in_transit_days"
    " daily_demand demand_std lead_time_demand lead_time_demand_std demand_at_service_level"
    " textbook_lead_time_demand_std safety_stock reorder_point"
    " textbook_safety_stock textbook_reorder_point order_up_to order_quantity annual_quantity"
    " order_cost_brl annual_holding_brl least_order pack method available on_order project_demand"
    " project_ahead position arriving worst_demand worst_demand_std worst_supply"
    " stockout_probability days_to_stockout stockout_on stockout_p50_on stockout_p90_on"
    " risk_quantity risk_brl shared_error penalty_brl shortage_brl likely cautious"
).split()


def brought_to_today(
    connection: Connection, setup: Setup, series: pd.DataFrame, sent: pd.DataFrame
) -> pd.DataFrame:
    """On hand as of today where the last count is older: minus what was consumed since (less what
    came back), plus what was received and what was in transit then (`sent`, see `in_transit`) and
    is there by now, never below 0. With `counted_quantity`, `used_since`, `received_since`, of
    which `received_of_ordered` is of orders that were open at the count, and `arrived_since`; all
    are NaN where the count is of today. Demand of the week or month of the count is spread evenly
    over its days."""
    sql = f"""
        SELECT item_id, site_id,
            (SELECT coalesce(sum(quantity * least(
                1, (last - overview.stock_date)::double precision / (last - first + 1)
             )), 0)
             FROM core.demand CROSS JOIN LATERAL (
                SELECT date_trunc(:bucket, demand.date::timestamp)::date AS first,
                    {period_end("demand.date")} AS last
             ) AS period
             WHERE demand.item_id = overview.item_id AND demand.site_id = overview.site_id
                AND demand.date >= date_trunc(:bucket, overview.stock_date + interval '1 day')
                AND demand.date <= :today
            ) AS used_since,
            received_since, received_of_ordered
        FROM analytics.series_overview AS overview
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(units), 0) AS received_since,
                coalesce(sum(units) FILTER (WHERE ordered), 0) AS received_of_ordered
            FROM (
                SELECT ({received_by(":today")}) - ({received_by("overview.stock_date")}) AS units,
                    {ordered_by("overview.stock_date")} AS ordered
                FROM core.purchase_order AS line
                WHERE line.item_id = overview.item_id AND line.site_id = overview.site_id
                    AND (line.received_on IS NULL OR line.received_on > overview.stock_date)
                    AND lower(coalesce(line.status, '')) <> ALL(:cancelled)
            ) AS receipt
        ) AS received
        WHERE overview.stock_date < :today
    """
    params = {"today": setup.today, "cancelled": list(CANCELLED)} | setup.row_period
    since = frame_of(connection, sql, params)
    series = series.merge(since, on=["item_id", "site_id"], how="left")
    numbers = ("used_since", "received_since", "received_of_ordered")
    series = series.astype(dict.fromkeys(numbers, "float64"))
    there = sent[sent["expected_on"] <= pd.Timestamp(setup.today)]
    arrived = there.set_index(["item_id", "site_id"])["quantity"]
    arrived = arrived.reindex(pd.MultiIndex.from_frame(series[["item_id", "site_id"]])).fillna(0)
    moved = series["received_since"] - series["used_since"] + arrived.to_numpy()
    return series.assign(
        arrived_since=arrived.where(moved.notna().to_numpy()).to_numpy(),
        counted_quantity=series["on_hand"].where(moved.notna()),
        on_hand=(series["on_hand"] + moved.fillna(0)).clip(lower=0),
    )


def _priced(setup: Setup, series: pd.DataFrame, penalties: dict[int, float]) -> pd.DataFrame:
    """With the contract penalty of a request that finds no stock, where one is known, and with what
    a missing unit costs, both BRL."""
    series = series.assign(penalty_brl=series["site_id"].map(penalties).astype("float64"))
    context = Context(setup.today, setup.settings, setup.rates)
    return series.assign(shortage_brl=shortage_brl(series, context))


def _of_chunk(
    setup: Setup,
    series: pd.DataFrame,
    ahead: DemandAhead,
    rows: slice,
    lines: pd.DataFrame,
    needs: pd.DataFrame,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    rates = ahead.rates(rows)
    receipts = _receipts(setup, lines, rates.shape)
    projects = dated(needs["row"], needs["day"], needs["quantity"], rates.shape)
    lead = series["lead_time_days"].to_numpy(float)
    lead_demand = inventory.cumulative(rates, lead)
    daily = np.where(lead > 0, lead_demand / np.where(lead > 0, lead, 1), rates.mean(axis=1))
    sigma = series["period_std"].to_numpy(float) / np.sqrt(_period_days(setup))
    textbook = inventory.safety_stock(
        series["service_level"], sigma, lead, daily, series["lead_time_std"]
    )
    demand, cautious = _simulated(ahead, rows, _lead_times(series))
    available = (series["on_hand"] - series["reserved"].fillna(0)).to_numpy(float)
    days_of_lead = np.minimum(np.ceil(lead), MAX_PROJECTED_DAYS)
    arriving = inventory.cumulative(receipts, days_of_lead)
    committed = np.nan_to_num(inventory.cumulative(projects, days_of_lead))
    share, came = _moments(rates, lead_demand, receipts, projects, days_of_lead)
    supply = available[:, None] + came
    lost = inventory.lost_demand(demand, share, supply)
    shortage = lost.mean(axis=1)
    worst = np.arange(len(series)), np.argmax(share * lead_demand[:, None] - supply, axis=1)
    at_level = _at_level(demand, series["service_level"].to_numpy(float))
    at_level = inventory.in_pieces(at_level, ahead.pieces[rows])
    if setup.settings.method == TEXTBOOK:
        safety, at_level = textbook, np.full(len(series), np.nan)
    else:
        safety = np.maximum(at_level - lead_demand, 0.0)
    reorder = inventory.reorder_point(daily, lead, safety)
    days = _projected_days(available, rates + projects, receipts)
    cautious = tuple(path + projects for path in cautious)
    likely, late = (_projected_days(available, path, receipts) for path in cautious)
    ahead_of = slice(0, PROJECTED_DAYS)
    projected = [
        inventory.projected_stock(available, path[:, ahead_of], receipts[:, ahead_of])
        for path in cautious
    ]
    on_order = receipts.sum(axis=1)
    ordered = _order_quantity(setup, series, rates)
    levels = series.assign(
        daily_demand=daily,
        demand_std=sigma,
        lead_time_demand=lead_demand,
        lead_time_demand_std=demand.std(axis=1),
        demand_at_service_level=at_level,
        textbook_lead_time_demand_std=inventory.lead_time_demand_std(
            sigma, lead, daily, series["lead_time_std"]
        ),
        safety_stock=safety,
        reorder_point=reorder,
        textbook_safety_stock=textbook,
        textbook_reorder_point=inventory.reorder_point(daily, lead, textbook),
        order_up_to=reorder + ordered["order_quantity"],
        **ordered,
        method=setup.settings.method,
        available=available,
        on_order=on_order,
        project_demand=committed,
        project_ahead=projects.sum(axis=1),
        position=available + on_order - committed,
        arriving=arriving,
        worst_demand=share[worst] * lead_demand,
        worst_demand_std=share[worst] * demand.std(axis=1),
        worst_supply=supply[worst],
        stockout_probability=np.where(
            np.isnan(shortage),
            np.nan,
            np.where(days == 0, 1.0, (lost > 0).mean(axis=1)),
        ),
        days_to_stockout=days,
        stockout_on=setup.stockout_on(days),
        stockout_p50_on=setup.stockout_on(likely),
        stockout_p90_on=setup.stockout_on(late),
        risk_quantity=shortage,
        risk_brl=shortage * series["shortage_brl"].to_numpy(float),
        shared_error=ahead.shared[rows],
        likely=packed_rows(projected[0]),
        cautious=packed_rows(projected[1]),
    )
    return levels, effects(setup, needs, levels, rates, receipts)


def _moments(
    rates: Array, lead_demand: Array, receipts: Array, projects: Array, days: Array
) -> tuple[Array, Array]:
    """The end of the lead time, `days` whole days, and each morning within it on which something
    arrives: which share of its demand is asked for until then, and what came before, less what
    projects took; both (series, moments), see `inventory.lost_demand`."""
    row, day = np.nonzero(receipts)
    row, day = row[day < days[row]], day[day < days[row]]
    moment = np.arange(len(row)) - np.searchsorted(row, row) + 1
    share = np.zeros((len(rates), moment.max(initial=0) + 1))
    came = np.full(share.shape, np.inf)
    asked, total = inventory.cumulative(rates[row], day), lead_demand[row]
    share[:, 0] = 1.0
    share[row, moment] = np.divide(asked, total, out=np.zeros(len(row)), where=total > 0)
    net = receipts - projects
    came[:, 0] = inventory.cumulative(net, days)
    came[row, moment] = inventory.cumulative(net[row], day)
    return share, came


def _simulated(
    ahead: DemandAhead, rows: slice, lead_times: Array
) -> tuple[Array, tuple[Array, ...]]:
    """Draws of the demand over the lead time (series, DRAWS), and the demand of each day from
    tomorrow on that PATHS of the draws do not exceed until then, each (series, days)."""
    cells, shared = ahead.cells(rows), ahead.shared[rows]
    demand = np.empty((len(cells), DRAWS))
    found = np.empty((len(PATHS), len(cells), len(ahead.calendar.starts)))
    for level in np.unique(shared):
        here, drawn = shared == level, draws(len(ahead.calendar.starts), float(level))
        demand[here] = over_lead_time(cells[here], ahead.calendar, lead_times[here], drawn)
        for number, path in enumerate(paths(cells[here], ahead.calendar, PATHS, drawn)):
            found[number, here] = path
    return demand, tuple(_by_day(path, ahead.calendar) for path in found)


def _by_day(path: Array, calendar: Calendar) -> Array:
    """Demand up to the end of each period as demand of each day."""
    days = np.arange(MAX_PROJECTED_DAYS + 1.0)
    ends = np.concatenate([[0.0], calendar.ends])
    known = np.concatenate([np.zeros((len(path), 1)), path], axis=1)
    upto = np.stack([np.interp(days, ends, row) for row in known])
    return np.diff(upto, axis=1)


def _at_level(demand: Array, level: Array) -> Array:
    """The demand that the share `level` of each series' draws does not exceed."""
    place = np.ceil(level * DRAWS - 1e-9).astype(int).clip(1, DRAWS) - 1
    return demand[np.arange(len(demand)), place]


def _period_days(setup: Setup) -> float:
    return {"D": 1.0, "W": 7.0, "M": 365.25 / 12}[setup.frequency]


def _receipts(setup: Setup, lines: pd.DataFrame, shape: tuple[int, ...]) -> Array:
    column = (lines["expected_on"] - pd.Timestamp(setup.today)).dt.days.to_numpy(int) - 1
    return dated(lines["row"], column, lines["quantity"], shape)


def _projected_days(available: Array, rates: Array, receipts: Array) -> Array:
    known = ~np.isnan(available)
    days = np.full(len(available), np.nan)
    if known.any():
        days[known] = inventory.days_to_stockout(available[known], rates[known], receipts[known])
    return days


def _order_quantity(setup: Setup, series: pd.DataFrame, rates: Array) -> dict[str, Array]:
    """EOQ where a cost is known, else the demand of 30 days; in packs (units where none are given),
    not under the minimum. With what it is made of, by the names of facts."""
    annual = rates.mean(axis=1) * DAYS_A_YEAR
    holding = series["unit_cost_brl"].to_numpy(float) * setup.settings.holding_rate
    minimum, pack = (
        series["min_order_qty"].fillna(0).to_numpy(float),
        whole_packs(series).to_numpy(),
    )
    economic = inventory.economic_lot(annual, setup.settings.order_cost_brl, holding, minimum, pack)
    month = inventory.lot(annual / DAYS_A_YEAR * 30, minimum, pack)
    return {
        "order_quantity": np.where(np.isnan(economic), month, economic),
        "annual_quantity": annual,
        "order_cost_brl": np.full(len(series), setup.settings.order_cost_brl),
        "annual_holding_brl": holding,
        "least_order": minimum,
        "pack": pack,
    }


_POLICY_COLUMNS = (
    "run_id item_id site_id on_hand on_order reserved stock_date lead_time_days lead_time_source"
    " service_level daily_demand lead_time_demand safety_stock reorder_point textbook_safety_stock"
    " textbook_reorder_point order_up_to stockout_probability stockout_on stockout_p50_on"
    " stockout_p90_on days_to_stockout facts"
).split()


def write_policy(connection: Connection, setup: Setup, policy: pd.DataFrame) -> None:
    connection.execute(
        text("DELETE FROM analytics.policy WHERE run_id = :run_id"), {"run_id": setup.run_id}
    )
    facts = (
        *("lead_time_std", "demand_std", "lead_time_demand_std", "shared_error"),
        *("risk_quantity", "risk_brl", "project_demand", "project_ahead"),
        *("received_of_ordered", "arrived_since"),
        *("method", "demand_at_service_level", "order_quantity", "annual_quantity"),
        *("order_cost_brl", "annual_holding_brl", "least_order", "pack"),
    )
    rows = policy.assign(run_id=setup.run_id, facts=_json_rows(policy, facts))
    copy_frame(connection, "analytics.policy", rows[_POLICY_COLUMNS])


def write_projection(connection: Connection, setup: Setup, policy: pd.DataFrame) -> None:
    """The projected stock of each series whose stock is known, day by day from tomorrow on."""
    connection.execute(
        text("DELETE FROM analytics.projection WHERE run_id = :run_id"), {"run_id": setup.run_id}
    )
    known = policy[policy["available"].notna()]
    rows = known.assign(run_id=setup.run_id, first_on=setup.today + timedelta(days=1))
    columns = "run_id item_id site_id first_on likely cautious".split()
    copy_frame(connection, "analytics.projection", rows[columns])


def packed_rows(days: Array) -> list[str]:
    """Rows of stock by day as COPY takes bytes: little-endian 4-byte floats in hexadecimal."""
    return ["\\x" + row.astype("<f4").tobytes().hex() for row in days]


def _json_rows(frame: pd.DataFrame, names: Sequence[str]) -> list[str]:
    columns = [frame[name].tolist() for name in names]
    return [
        json.dumps({k: (None if v != v else v) for k, v in zip(names, row, strict=True)})
        for row in zip(*columns, strict=True)
    ]
