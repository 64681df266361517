"""What-ifs on the published run, and the curve of stock value against service."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

from domain.access import EVERYTHING, Scope
from domain.records import Filters, Option
from domain.what_if import NOTHING, Change, Comparison, CurvePoint, Recorded
from warehouse import ages
from warehouse.caching import read_model
from warehouse.queries.filtering import series_where
from warehouse.queries.published import published_run
from warehouse.queries.requests import with_hidden

RECORDED_DAYS = 365

_JOINS = "JOIN core.item USING (item_id) JOIN core.site USING (site_id)"

_CURVE = """
SELECT service_level, sum(stock_value) AS stock_value,
    sum(full_lines) / nullif(sum(lines), 0) AS fill_lines,
    sum(served) / nullif(sum(asked), 0) AS fill_units,
    sum(orders) AS orders, sum(penalty_brl) AS penalty_brl, sum(annual_cost_brl) AS cost
FROM analytics.service_curve AS curve JOIN core.site USING (site_id)
WHERE run_id = :run_id AND {where} AND (:abc = '' OR abc = :abc)
GROUP BY service_level ORDER BY service_level
"""

_RECORDED = f"""
WITH wanted AS (
    SELECT input.item_id, input.site_id, item.unit_cost_brl, series.on_hand, series.stock_date
    FROM analytics.replay_input AS input {_JOINS}
    JOIN analytics.series_overview AS series USING (item_id, site_id)
    WHERE input.run_id = :run_id AND {{where}}
), until AS (SELECT max(stock_date) AS day FROM wanted),
asked AS ({
    with_hidden(
        f"date > (SELECT day FROM until) - {RECORDED_DAYS} AND date <= (SELECT day FROM until)",
        "JOIN wanted USING (item_id, site_id)",
    )
})
SELECT (SELECT sum(on_hand * unit_cost_brl) FROM wanted) AS value,
    (SELECT sum(requests) / nullif(sum(requests + hidden), 0) FROM asked) AS fill
"""

_CHOICES = f"""
SELECT DISTINCT coalesce(supplier.supplier, '') AS supplier, coalesce(supplier.name, '') AS name,
    coalesce(item.family, '') AS family, coalesce(site.uf, '') AS uf
FROM analytics.policy {_JOINS}
LEFT JOIN core.supplier ON supplier.supplier_id = item.supplier_id
WHERE run_id = (SELECT run_id FROM analytics.published) AND {{where}}
"""


@read_model(at_most=ages.FACTS)
def compare(
    connection: Connection,
    *,
    scope: Scope = EVERYTHING,
    change: Change = NOTHING,
    sku: str = "",
    site: str = "",
) -> Comparison:
    """Today and the changed world side by side, over what is in view: all of it, an item's depots,
    or one item-depot; `items` is 0 where none of it has a policy. Raises NothingPublished."""
    from warehouse.queries import playing  # NumPy: a process that is never asked does without

    run = published_run(connection)
    few = bool(sku or site)
    return playing.compare(connection, run, *_where(scope, sku, site), change, few=few)


@read_model(at_most=ages.FACTS)
def curve(
    connection: Connection,
    *,
    scope: Scope = EVERYTHING,
    abc: str = "",
    sku: str = "",
    site: str = "",
) -> list[CurvePoint]:
    """Stock value against service over what is in view: first the point of today's policy, then by
    service level. As publish stored it, of one ABC class or all; of an item it is played now.
    Empty where there is none. Raises NothingPublished."""
    from warehouse.queries import playing

    run = published_run(connection)
    if sku or site:
        return playing.curve(connection, run, *_where(scope, sku, site))
    where = series_where(scope)
    params = {**where.params, "run_id": run.run_id, "abc": abc}
    points = connection.execute(text(_CURVE.format(where=where.sql)), params)
    return [
        CurvePoint(
            point.service_level or None,
            point.stock_value,
            point.fill_lines,
            point.fill_units,
            point.orders,
            point.penalty_brl,
            point.cost,
        )
        for point in points
    ]


def _where(scope: Scope, sku: str, site: str) -> tuple[str, dict[str, Any]]:
    asked = Filters(sku=(sku,) if sku else (), site=(site,) if site else ())
    where = series_where(scope, asked)
    return where.sql, where.params


@read_model(at_most=ages.FACTS)
def recorded(
    connection: Connection, *, scope: Scope = EVERYTHING, sku: str = "", site: str = ""
) -> Recorded:
    """Where the same item-depots stand by the files; None where no stock is loaded."""
    run = published_run(connection)
    where, params = _where(scope, sku, site)
    asked = {**params, "run_id": run.run_id}
    row = connection.execute(text(_RECORDED.format(where=where)), asked).one()
    return Recorded(row.value, None if row.fill is None else float(row.fill))


@read_model(at_most=ages.FACTS)
def choices(connection: Connection, *, scope: Scope = EVERYTHING) -> dict[str, list[Option]]:
    """The suppliers, families and UFs of the policies in view."""
    where = series_where(scope)
    found = connection.execute(text(_CHOICES.format(where=where.sql)), where.params).all()
    suppliers = sorted({(row.supplier, row.name) for row in found if row.supplier})
    return {
        "supplier": [
            Option(code, f"{code} – {name}" if name else code) for code, name in suppliers
        ],
        **{
            name: [Option(one, one) for one in sorted({getattr(row, name) for row in found} - {""})]
            for name in ("family", "uf")
        },
    }
