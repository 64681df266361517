"""How suppliers deliver: every figure over the order lines that the reader may see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, text

from domain import suppliers as formulas
from domain.access import EVERYTHING, Scope
from domain.errors import NotFound
from domain.records import NO_FILTERS, Filters, Page
from domain.spelling import mentions
from domain.suppliers import (
    LATER_DAYS,
    MIN_LINES,
    LaterDelivery,
    LeadTimeCount,
    OrderLine,
    StockForLateness,
    SupplierDetail,
    SupplierMonth,
    SupplierScore,
    SupplierTotals,
)
from warehouse import ages
from warehouse.caching import once, read_model
from warehouse.queries.daily import CANCELLED, FIRST_PROMISE, ordered_by, still_to_come
from warehouse.queries.filtering import Where, series_where
from warehouse.queries.paging import fetch_page
from warehouse.queries.published import AS_OF

LINE_SORTS = {
    "ordered_on": "date",
    "first_promised_on": "date",
    "received_on": "date",
    "days_late": "bigint",
    "lead_time_days": "bigint",
    "supplier": "text",
    "sku": "text",
}
LARGEST = 3

_IN_VIEW = f"""
    FROM core.purchase_order AS line
    JOIN core.supplier USING (supplier_id)
    JOIN core.item USING (item_id)
    JOIN core.site USING (site_id)
    WHERE lower(coalesce(line.status, '')) <> ALL(:cancelled) AND {ordered_by(":as_of")}
        AND (supplier.supplier = ANY(:ordered_from) OR :from_anybody) AND {{where}}
"""

_IS_OPEN = f"{still_to_come(':as_of')} > 0"

_SEEN = f"""
SELECT judged.*,
    promise BETWEEN :first AND least(CAST(:last AS date), CAST(:as_of AS date)) AS due,
    received_on BETWEEN :first AND :last AND lead IS NOT NULL AS measured,
    ordered_on BETWEEN :first AND :last AS bought,
    received_on <= promise AND is_full AS on_time,
    received_on IS NULL OR received_on > promise AS is_late
FROM (
    SELECT line.*, coalesce(supplier.kind, '') AS kind, {FIRST_PROMISE} AS promise,
        line.lead_time_days AS lead,
        received_on IS NOT NULL AND coalesce(received_qty, quantity) >= quantity AS is_full,
        least(quantity, coalesce(received_qty,
            CASE WHEN received_on IS NOT NULL THEN quantity ELSE 0 END)) AS came,
        {_IS_OPEN} AS is_open
    {_IN_VIEW}
        AND ({FIRST_PROMISE} BETWEEN :first AND :last OR received_on BETWEEN :first AND :last
            OR line.ordered_on BETWEEN :first AND :last OR {_IS_OPEN})
) AS judged
"""
"""Lines that were promised, received or ordered within the dates, and open ones of any date: others
count in no figure."""


_AGGREGATES = """
    count(*) FILTER (WHERE due) AS lines,
    count(*) FILTER (WHERE due AND on_time) AS on_time_in_full,
    count(*) FILTER (WHERE due AND is_late) AS late,
    count(*) FILTER (WHERE due AND is_full) AS in_full,
    sum(came) FILTER (WHERE due) / nullif(sum(quantity) FILTER (WHERE due), 0) AS fill_rate,
    count(*) FILTER (WHERE measured) AS lines_received,
    (avg(lead) FILTER (WHERE measured))::double precision AS lead_mean,
    (stddev_samp(lead) FILTER (WHERE measured))::double precision AS lead_std,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY lead) FILTER (WHERE measured) AS lead_p50,
    percentile_cont(0.9) WITHIN GROUP (ORDER BY lead) FILTER (WHERE measured) AS lead_p90,
    regr_sxx(lead, received_on - DATE '2000-01-01') FILTER (WHERE measured) AS lead_xx,
    regr_sxy(lead, received_on - DATE '2000-01-01') FILTER (WHERE measured) AS lead_xy,
    regr_syy(lead, received_on - DATE '2000-01-01') FILTER (WHERE measured) AS lead_yy,
    sum(quantity * unit_price_brl) FILTER (WHERE bought) AS spend_brl,
    count(DISTINCT item_id) FILTER (WHERE bought) AS items,
    count(*) FILTER (WHERE is_open) AS open_lines,
    count(*) FILTER (WHERE is_open AND received_on IS NULL AND promise < :as_of) AS overdue_lines
"""

_SCORES = f"""
WITH seen AS MATERIALIZED ({_SEEN}),
scored AS (SELECT supplier_id, {_AGGREGATES} FROM seen GROUP BY supplier_id),
priced AS (
    SELECT supplier_id, sum(count)::bigint AS price_lines, count(*) AS price_items,
        sum(xx) AS price_xx, sum(xy) AS price_xy, sum(yy) AS price_yy
    FROM (
        SELECT supplier_id, item_id, count(*) AS count,
            regr_sxx(ln(unit_price_brl), ordered_on - DATE '2000-01-01') AS xx,
            regr_sxy(ln(unit_price_brl), ordered_on - DATE '2000-01-01') AS xy,
            regr_syy(ln(unit_price_brl), ordered_on - DATE '2000-01-01') AS yy
        FROM seen WHERE bought AND order_dated AND unit_price_brl > 0
        GROUP BY supplier_id, item_id
    ) AS item GROUP BY supplier_id
),
sole AS (
    SELECT supplier_id, count(*) AS sole_items FROM (
        SELECT item_id, min(supplier_id) AS supplier_id FROM seen WHERE bought
        GROUP BY item_id HAVING count(DISTINCT supplier_id) = 1
    ) AS alone GROUP BY supplier_id
),
cost AS (
    SELECT cost.supplier_id, sum(lateness_brl) AS lateness_brl, sum(later_7_brl) AS later_week_brl
    FROM analytics.lead_time_cost AS cost
    JOIN core.item USING (item_id) JOIN core.site USING (site_id)
    WHERE run_id = (SELECT run_id FROM analytics.published) AND {{where}}
    GROUP BY cost.supplier_id
)
SELECT known.supplier, known.name, known.kind, known.contract_lead_time_days,
    scored.*, priced.*, sole.sole_items, cost.lateness_brl, cost.later_week_brl
FROM core.supplier AS known
LEFT JOIN scored USING (supplier_id)
LEFT JOIN priced USING (supplier_id)
LEFT JOIN sole USING (supplier_id)
LEFT JOIN cost USING (supplier_id)
WHERE (scored.supplier_id IS NOT NULL OR :idle AND known.supplier_id <> 0
        OR known.supplier = :asked
        OR known.supplier_id IN (SELECT line.supplier_id {_IN_VIEW}))
    AND (known.kind = ANY(:kinds) OR :any_kind)
ORDER BY known.supplier
"""

_VISIBLE = f"""
SELECT {AS_OF} AS as_of, (
    SELECT supplier_id FROM core.supplier
    WHERE supplier.supplier = :supplier AND (:everything OR EXISTS (
        SELECT FROM core.purchase_order AS line
        JOIN core.item USING (item_id) JOIN core.site USING (site_id)
        WHERE line.supplier_id = supplier.supplier_id AND {{where}}
    ))
) AS supplier_id
"""

_TOTALS = f"""
WITH seen AS MATERIALIZED ({_SEEN})
SELECT CASE WHEN grouping(kind) = 1 THEN 'all' ELSE kind END AS kind, {_AGGREGATES}
FROM (SELECT DISTINCT coalesce(kind, '') AS kind FROM core.supplier) AS known
LEFT JOIN seen USING (kind)
WHERE (kind = ANY(:kinds) OR :any_kind) AND (seen.supplier_id IS NOT NULL
    OR known.kind IN (SELECT coalesce(supplier.kind, '') {_IN_VIEW}))
GROUP BY GROUPING SETS ((), (kind)) HAVING count(*) > 0 ORDER BY grouping(kind) DESC, 1
"""

_MONTHS = f"""
WITH seen AS MATERIALIZED (SELECT * FROM ({_SEEN}) AS seen WHERE supplier_id = :supplier_id),
kept AS (
    SELECT date_trunc('month', promise::timestamp)::date AS month, count(*) AS lines,
        count(*) FILTER (WHERE on_time) AS on_time_in_full
    FROM seen WHERE due GROUP BY 1
),
took AS (
    SELECT date_trunc('month', received_on::timestamp)::date AS month, count(*) AS lines_received,
        avg(lead)::double precision AS lead_time_mean,
        percentile_cont(0.9) WITHIN GROUP (ORDER BY lead) AS lead_time_p90
    FROM seen WHERE measured GROUP BY 1
),
paid AS (
    SELECT date_trunc('month', ordered_on::timestamp)::date AS month, count(*) AS price_lines,
        exp(avg(own)) AS price_index
    FROM (
        SELECT ordered_on, ln(unit_price_brl) - avg(ln(unit_price_brl)) OVER (PARTITION BY item_id)
            AS own
        FROM seen WHERE bought AND order_dated AND unit_price_brl > 0
    ) AS price GROUP BY 1
)
SELECT * FROM kept FULL JOIN took USING (month) FULL JOIN paid USING (month) ORDER BY month
"""

_LEAD_TIMES = f"""
SELECT lead AS days, count(*) AS lines FROM ({_SEEN}) AS seen
WHERE supplier_id = :supplier_id AND measured GROUP BY lead ORDER BY lead
"""

_LATER_SUMS = ", ".join(f"sum(later_{days}_brl) AS d{days}" for days in LATER_DAYS)

_LATER = f"""
SELECT count(*) AS series, sum(safety_stock_brl) AS safety_stock_brl,
    max(holding_rate) AS holding_rate, {_LATER_SUMS}
FROM analytics.lead_time_cost AS cost
JOIN core.item USING (item_id) JOIN core.site USING (site_id)
WHERE run_id = (SELECT run_id FROM analytics.published) AND cost.supplier_id = :supplier_id
    AND {{where}}
"""

_LINES = f"""
SELECT seen.order_no, seen.line, supplier.supplier, supplier.name AS supplier_name, item.sku,
    item.name AS item_name, site.site, site.uf,
    CASE WHEN seen.order_dated THEN seen.ordered_on END AS ordered_on,
    seen.promise AS first_promised_on, seen.promised_on,
    seen.received_on, seen.quantity, seen.received_qty, seen.unit_price_brl, seen.status,
    seen.lead::bigint AS lead_time_days,
    (CASE WHEN seen.due THEN coalesce(seen.received_on, :as_of) - seen.promise END)::bigint
        AS days_late,
    CASE WHEN seen.due THEN seen.is_full END AS in_full,
    CASE WHEN seen.due THEN coalesce(seen.on_time, false) END AS on_time_in_full
FROM ({_SEEN}) AS seen
JOIN core.supplier USING (supplier_id) JOIN core.item USING (item_id) JOIN core.site USING (site_id)
WHERE (due OR measured OR bought) AND (supplier.supplier = ANY(:codes) OR :any_supplier)
"""


@read_model(at_most=ages.FACTS)
def listed(
    connection: Connection,
    *,
    scope: Scope = EVERYTHING,
    filters: Filters = NO_FILTERS,
    kinds: tuple[str, ...] = (),
) -> list[SupplierScore]:
    """Every supplier with a line in view, ranked ones first, then by lines; nobody's lines (code
    `-`) too, without a rank. Where nothing is narrowed, those without a line are there as well.

    `filters.date_from` and `date_to` bound the lines. `supplier` and `search`, which looks into
    codes and names, choose of them all: their places, shares and sole items stay as they are.
    """
    found = _of(filters, _scores(connection, scope, replace(filters, search=""), kinds))
    return [score for score in found if mentions(filters.search, (score.supplier, score.name))]


def _of(filters: Filters, scores: list[SupplierScore]) -> list[SupplierScore]:
    """Those of the suppliers asked for; all without any."""
    return [one for one in scores if not filters.supplier or one.supplier in filters.supplier]


@read_model(at_most=ages.FACTS)
def totals(
    connection: Connection,
    *,
    scope: Scope = EVERYTHING,
    filters: Filters = NO_FILTERS,
    kinds: tuple[str, ...] = (),
) -> list[SupplierTotals]:
    """All suppliers in view over their lines together (`kind` all), and those of each kind; empty
    without a line."""
    filters = replace(filters, search="")
    scores = _of(filters, _scores(connection, scope, filters, kinds))
    where, params = _view(connection, scope, filters, kinds)
    rows = connection.execute(text(_TOTALS.format(where=where.sql)), params)
    return [_total(row, scores, params["as_of"], filters) for row in rows]


@read_model(at_most=ages.FACTS)
def detail(
    connection: Connection,
    *,
    supplier: str,
    scope: Scope = EVERYTHING,
    filters: Filters = NO_FILTERS,
) -> SupplierDetail:
    """One supplier with everything; `filters.search` looks into the items. Raises NotFound for one
    without a line within the scope; to whoever sees everything, each known one is there."""
    of_one: dict[str, Any] = {"supplier": supplier, "scope": scope, "filters": filters}
    _, params = _view_of(connection, supplier, scope, filters)
    return SupplierDetail(
        score=_score_of(connection, **of_one),
        first=filters.date_from,
        last=filters.date_to,
        as_of=params["as_of"],
        months=_months_of(connection, **of_one),
        lead_times=_lead_times_of(connection, **of_one),
        **vars(_stock_of(connection, **of_one)),
    )


def _view_of(
    connection: Connection, supplier: str, scope: Scope, filters: Filters
) -> tuple[Where, dict[str, Any]]:
    """The lines of one supplier in view. Raises NotFound."""
    seen = series_where(scope)
    sql = text(_VISIBLE.format(where=seen.sql))
    asked = {**seen.params, "supplier": supplier, "everything": scope.everything}
    row: Any = once(
        connection, ("supplier", supplier, scope), lambda: connection.execute(sql, asked).one()
    )
    once(connection, AS_OF, lambda: row.as_of)
    if row.supplier_id is None:
        raise NotFound("No supplier has this code.")
    where, params = _view(connection, scope, filters, ())
    return where, params | {"supplier_id": row.supplier_id}


def _score_of(
    connection: Connection, *, supplier: str, scope: Scope, filters: Filters
) -> SupplierScore:
    """One supplier's place among all. Raises NotFound."""
    _view_of(connection, supplier, scope, filters)
    scores = _scores(connection, scope, filters, (), asked=supplier)
    return next(one for one in scores if one.supplier == supplier)


def _months_of(
    connection: Connection, *, supplier: str, scope: Scope, filters: Filters
) -> list[SupplierMonth]:
    """Its months within the dates. Raises NotFound."""
    where, params = _view_of(connection, supplier, scope, filters)
    rows = connection.execute(text(_MONTHS.format(where=where.sql)), params)
    return [_month(row) for row in rows]


def _lead_times_of(
    connection: Connection, *, supplier: str, scope: Scope, filters: Filters
) -> list[LeadTimeCount]:
    """How long its lines took. Raises NotFound."""
    where, params = _view_of(connection, supplier, scope, filters)
    rows = connection.execute(text(_LEAD_TIMES.format(where=where.sql)), params)
    return [LeadTimeCount(**row._mapping) for row in rows]


def _stock_of(
    connection: Connection, *, supplier: str, scope: Scope, filters: Filters
) -> StockForLateness:
    """What its lead times cost in stock. Raises NotFound."""
    where, params = _view_of(connection, supplier, scope, filters)
    row = connection.execute(text(_LATER.format(where=where.sql)), params).one()
    return StockForLateness(row.series, row.safety_stock_brl, _later(row))


score_of = read_model(at_most=ages.FACTS)(_score_of)
months_of = read_model(at_most=ages.FACTS)(_months_of)
lead_times_of = read_model(at_most=ages.FACTS)(_lead_times_of)
stock_of = read_model(at_most=ages.FACTS)(_stock_of)
"""`detail` in pieces, each for itself."""


@read_model(at_most=ages.FACTS)
def lines(
    connection: Connection,
    *,
    suppliers: tuple[str, ...] = (),
    scope: Scope = EVERYTHING,
    filters: Filters = NO_FILTERS,
    limit: int = 50,
    cursor: str | None = None,
    sort: str = "-first_promised_on",
) -> Page[OrderLine]:
    """Order lines that were promised, received or ordered within the dates, as they are judged."""
    sql, params = _lines(connection, suppliers, scope, filters)
    return fetch_page(
        connection,
        sql,
        params,
        lambda row: OrderLine(**row._mapping),
        sort=sort,
        sorts=LINE_SORTS,
        tie={"order_no": "text", "line": "text"},
        limit=limit,
        cursor=cursor,
    )


def _today(connection: Connection) -> date | None:
    return once(connection, AS_OF, lambda: connection.execute(text(f"SELECT {AS_OF}")).scalar())


def _view(
    connection: Connection, scope: Scope, filters: Filters, kinds: tuple[str, ...]
) -> tuple[Where, dict[str, Any]]:
    where = series_where(scope, replace(filters, supplier=()))
    return where, {
        **where.params,
        "first": filters.date_from or date.min,
        "last": filters.date_to or date.max,
        "as_of": _today(connection),
        "cancelled": list(CANCELLED),
        "kinds": list(kinds),
        "any_kind": not kinds,
        "ordered_from": list(filters.supplier),
        "from_anybody": not filters.supplier,
    }


def _lines(
    connection: Connection, suppliers: tuple[str, ...], scope: Scope, filters: Filters
) -> tuple[str, dict[str, Any]]:
    where, params = _view(connection, scope, filters, ())
    params |= {"codes": list(suppliers), "any_supplier": not suppliers}
    return _LINES.format(where=where.sql), params


def _scores(
    connection: Connection,
    scope: Scope,
    filters: Filters,
    kinds: tuple[str, ...],
    asked: str | None = None,
) -> list[SupplierScore]:
    """How all suppliers compare, whichever are asked for."""
    where, params = _view(connection, scope, replace(filters, supplier=()), kinds)
    params |= {"idle": not where.predicates and not filters.supplier, "asked": asked}
    sql = text(_SCORES.format(where=where.sql))
    key = ("scores", scope, filters, kinds, asked)
    rows = once(connection, key, lambda: connection.execute(sql, params).all())
    spend = sum(row.spend_brl or 0.0 for row in rows)
    scores = [_score(row, spend) for row in rows]
    places = formulas.ranked(
        [
            (one.otif, one.otif_low, one.otif_high) if _has_enough(one) else (None, None, None)
            for one in scores
        ]
    )
    placed = [
        one
        if place is None
        else replace(one, rank=place.place, rank_best=place.best, rank_worst=place.worst)
        for one, place in zip(scores, places, strict=True)
    ]
    return sorted(placed, key=lambda one: (one.rank or len(placed) + 1, -one.lines, one.supplier))


def _has_enough(score: SupplierScore) -> bool:
    return score.lines >= MIN_LINES and score.supplier != "-"


def _score(row: Row[Any], spend: float) -> SupplierScore:
    lines, received = row.lines or 0, row.lines_received or 0
    otif, late = (formulas.wilson(count or 0, lines) for count in (row.on_time_in_full, row.late))
    trend, trend_span = formulas.yearly_trend(
        formulas.Sums(received, 1, row.lead_xx, row.lead_xy, row.lead_yy)
    )
    price, price_span = formulas.yearly_growth(
        formulas.Sums(
            row.price_lines or 0, row.price_items or 0, row.price_xx, row.price_xy, row.price_yy
        )
    )
    low, high = formulas.mean_span(row.lead_mean, row.lead_std, received)
    contract = row.contract_lead_time_days
    return SupplierScore(
        supplier=row.supplier,
        name=row.name,
        kind=row.kind,
        lines=lines,
        on_time_in_full=row.on_time_in_full or 0,
        otif=_share(row.on_time_in_full, lines),
        otif_low=otif[0],
        otif_high=otif[1],
        late=row.late or 0,
        late_rate=_share(row.late, lines),
        late_low=late[0],
        late_high=late[1],
        in_full=row.in_full or 0,
        fill_rate=row.fill_rate,
        lines_received=received,
        lead_time_mean=row.lead_mean,
        lead_time_low=low,
        lead_time_high=high,
        lead_time_std=row.lead_std,
        lead_time_p50=row.lead_p50,
        lead_time_p90=row.lead_p90,
        lead_time_trend=trend,
        lead_time_trend_low=trend_span[0],
        lead_time_trend_high=trend_span[1],
        contract_lead_time_days=contract,
        drift_days=None if row.lead_mean is None or contract is None else row.lead_mean - contract,
        price_lines=row.price_lines or 0,
        price_drift=price,
        price_drift_low=price_span[0],
        price_drift_high=price_span[1],
        spend_brl=row.spend_brl,
        spend_share=row.spend_brl / spend if row.spend_brl and spend else None,
        items=row.items or 0,
        sole_items=row.sole_items or 0,
        open_lines=row.open_lines or 0,
        overdue_lines=row.overdue_lines or 0,
        rank=None,
        rank_best=None,
        rank_worst=None,
        lateness_brl=row.lateness_brl,
        later_week_brl=row.later_week_brl,
    )


def _share(part: int | None, whole: int) -> float | None:
    return (part or 0) / whole if whole else None


def _total(
    row: Row[Any], scores: Sequence[SupplierScore], day: date | None, filters: Filters
) -> SupplierTotals:
    mine = [one for one in scores if row.kind in ("all", one.kind or "")]
    spends = sorted((one.spend_brl or 0.0 for one in mine), reverse=True)
    low, high = formulas.wilson(row.on_time_in_full, row.lines)
    return SupplierTotals(
        kind=row.kind,
        first=filters.date_from,
        last=filters.date_to,
        as_of=day,
        suppliers=sum(1 for one in mine if one.lines or one.lines_received or one.items),
        ranked=sum(one.rank is not None for one in mine),
        lines=row.lines,
        on_time_in_full=row.on_time_in_full,
        otif=_share(row.on_time_in_full, row.lines),
        otif_low=low,
        otif_high=high,
        late_rate=_share(row.late, row.lines),
        lines_received=row.lines_received,
        lead_time_mean=row.lead_mean,
        lead_time_p90=row.lead_p90,
        spend_brl=row.spend_brl,
        hhi=formulas.concentration(spends),
        top_share=sum(spends[:LARGEST]) / sum(spends) if sum(spends) else None,
        overdue_lines=row.overdue_lines,
        lateness_brl=_sum(one.lateness_brl for one in mine),
        later_week_brl=_sum(one.later_week_brl for one in mine),
    )


def _sum(values: Iterator[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _month(row: Row[Any]) -> SupplierMonth:
    counts: Mapping[str, int] = {
        name: getattr(row, name) or 0
        for name in ("lines", "on_time_in_full", "lines_received", "price_lines")
    }
    low, high = formulas.wilson(counts["on_time_in_full"], counts["lines"])
    return SupplierMonth(
        month=row.month,
        otif=_share(counts["on_time_in_full"], counts["lines"]),
        otif_low=low,
        otif_high=high,
        lead_time_mean=row.lead_time_mean,
        lead_time_p90=row.lead_time_p90,
        price_index=row.price_index,
        **counts,
    )


def _later(row: Row[Any]) -> list[LaterDelivery]:
    if not row.series:
        return []
    values = [(days, getattr(row, f"d{days}")) for days in LATER_DAYS]
    return [LaterDelivery(days, value, value * row.holding_rate) for days, value in values]
