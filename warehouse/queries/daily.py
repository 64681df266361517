"""The daily sums that KPIs add up: from the materialized views, or from the facts themselves when
a filter is finer than the views' grain. Both have the same columns."""

from __future__ import annotations

from dataclasses import replace

from domain.access import EVERYTHING, Scope
from domain.records import Filters
from warehouse.queries.filtering import Where, daily_where, needs_series, series_where

CANCELLED = ("cancelled", "canceled", "cancelado", "cancelada")
"""Words in a purchase order's status that mean: it will not come."""

FIRST_PROMISE = "coalesce(line.first_promised_on, line.promised_on)"
"""The first date that a line of core.purchase_order was promised for."""


def ordered_by(day: str) -> str:
    """SQL: whether `line`, a row of core.purchase_order, is taken as ordered on `day`. One without
    an order date is: its `ordered_on` is only the latest day on which it can have been."""
    return f"(line.ordered_on <= {day} OR NOT line.order_dated)"


def came(line: str = "line") -> str:
    """SQL: units that came of `line`, a row of core.purchase_order, as the newest file tells."""
    return f"""coalesce({line}.received_qty,
        CASE WHEN {line}.received_on IS NULL THEN 0 ELSE {line}.quantity END)"""


def came_first_on(line: str = "line") -> str:
    """SQL: the day on which what a file tells first of a row of core.purchase_order came: without
    its day it is as old as the order, long past where nobody knows when that was."""
    return f"""coalesce({line}.received_on,
        CASE WHEN {line}.order_dated THEN {line}.ordered_on END, '-infinity')"""


def received_by(day: str) -> str:
    """SQL: units of `line`, a row of core.purchase_order, that had come by the end of `day`."""
    return f"""CASE
        WHEN line.received_by IS NOT NULL THEN coalesce((
            SELECT max(told.value::double precision) FROM jsonb_each_text(line.received_by) AS told
            WHERE told.key::date <= {day}
        ), 0)
        WHEN {came_first_on()} <= {day} THEN {came()}
        ELSE 0 END"""


def ordered_from(day: str) -> str:
    """SQL: whether `line` can have been ordered on `day` or later."""
    return f"(line.ordered_on >= {day} OR NOT line.order_dated)"


def still_to_come(day: str) -> str:
    """SQL: units of `line`, a row of core.purchase_order, that come after `day`. What was received
    later was still to come then: no stock of that day has it."""
    return f"""CASE WHEN line.received_on IS NULL THEN line.quantity ELSE {came()} END
        - ({received_by(day)})"""


SIGMA_PER_BAND = 2.5631
"""p90 − p10 of a normal distribution, in standard deviations."""

_GRAIN = """coalesce(site.uf, '') AS uf, coalesce(site.contract_id, 0) AS contract_id,
    coalesce(item.family, '') AS family"""

_JOINS = "JOIN core.item USING (item_id) JOIN core.site USING (site_id)"

_FACTS = {
    "demand": f"""
        SELECT demand.date, {_GRAIN}, count(*) AS rows,
            sum(demand.quantity) AS quantity,
            sum(demand.quantity * item.unit_cost_brl) AS value
        FROM core.demand {_JOINS} WHERE {{where}} GROUP BY 1, 2, 3, 4
    """,
    "stock": f"""
        SELECT stock.date, {_GRAIN}, count(*) AS rows,
            count(wanted.item_id) AS positions,
            count(wanted.item_id) FILTER (WHERE stock.on_hand <= 0) AS stockouts,
            sum(stock.on_hand * item.unit_cost_brl) AS value
        FROM core.stock {_JOINS}
        LEFT JOIN (
            SELECT item_id, site_id FROM analytics.series_overview WHERE first_date IS NOT NULL
        ) AS wanted USING (item_id, site_id)
        WHERE {{where}} GROUP BY 1, 2, 3, 4
    """,
    "order": f"""
        SELECT {FIRST_PROMISE} AS date, {_GRAIN}, count(*) AS lines,
            count(*) FILTER (
                WHERE line.received_on <= {FIRST_PROMISE}
                AND coalesce(line.received_qty, line.quantity) >= line.quantity
            ) AS lines_otif
        FROM core.purchase_order AS line {_JOINS}
        WHERE {FIRST_PROMISE} IS NOT NULL
            AND lower(coalesce(line.status, '')) NOT IN {CANCELLED!r} AND {{where}}
        GROUP BY 1, 2, 3, 4
    """,
    "forecast": f"""
        SELECT forecast.run_id, forecast.date, {_GRAIN},
            sum(forecast.mean) AS quantity,
            sum(power((forecast.p90 - forecast.p10) / {SIGMA_PER_BAND}, 2)) AS variance,
            sum(forecast.mean * item.unit_cost_brl) AS value,
            sum(power((forecast.p90 - forecast.p10) / {SIGMA_PER_BAND} * item.unit_cost_brl, 2))
                AS value_variance
        FROM analytics.forecast {_JOINS}
        WHERE forecast.model = 'ensemble' AND {{where}} GROUP BY 1, 2, 3, 4, 5
    """,
}


_ORDERED_FROM = """line.supplier_id IN (
    SELECT supplier_id FROM core.supplier WHERE supplier.supplier = ANY(:item_supplier)
)"""
"""Orders are of whom they went to, whoever else supplies their item."""


def daily(name: str, filters: Filters) -> str:
    """The relation `demand`, `stock`, `order` or `forecast` by day, as SQL to select from.

    Takes the parameters of `daily_params`.
    """
    if not needs_series(filters):
        return f"analytics.{name}_by_day"
    if name == "order":
        where = series_where(EVERYTHING, replace(filters, supplier=()))
        where.any_of(filters.supplier, "item_supplier", _ORDERED_FROM)
    else:
        where = series_where(EVERYTHING, filters)
    return f"({_FACTS[name].format(where=where.sql)})"


def daily_params(filters: Filters) -> dict[str, object]:
    """The parameters of `daily`'s SQL."""
    return series_where(EVERYTHING, filters).params if needs_series(filters) else {}


def daily_filter(scope: Scope, filters: Filters) -> Where:
    """Scope and filters on the alias `daily`, with every parameter of `daily`; which depots serve a
    contract the facts know alone."""
    where = daily_where(scope, replace(filters, contract=()))
    where.params |= daily_params(filters)
    return where
