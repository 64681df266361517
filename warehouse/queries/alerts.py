"""What will hurt unless somebody acts, ranked by the money at risk."""

from __future__ import annotations

from typing import Any, get_args

from sqlalchemy import Connection, Row, text

from domain.access import EVERYTHING, Scope
from domain.errors import NotFound
from domain.records import NO_FILTERS, Alert, AlertStatus, AlertTotal, Filters, Page
from warehouse import ages
from warehouse.caching import read_model
from warehouse.planned import planned_once
from warehouse.queries.filtering import (
    Where,
    is_open,
    of_status,
    raised_within,
    series_where,
    status_now,
)
from warehouse.queries.paging import fetch_page, record_of
from warehouse.queries.published import published_run

SORTS = {
    "net_brl": "double precision",
    "risk_brl": "double precision",
    "days_to_stockout": "double precision",
    "stockout_on": "date",
    "severity": "bigint",
    "sku": "text",
    "site": "text",
}

STATUSES: tuple[str, ...] = get_args(AlertStatus)

SHORTAGE = "alert.kind IN ('stockout_imminent', 'below_reorder_point', 'late_order')"
"""Kinds that carry one and the same risk of their item-depot: units that may be missing over the
lead time."""

ADDED_NET = f"""
CASE WHEN NOT {SHORTAGE} OR row_number() OVER (
    PARTITION BY {status_now("alert")}, alert.item_id, alert.site_id, {SHORTAGE}
    ORDER BY alert.kind = 'late_order', alert.net_brl DESC NULLS LAST, alert.id
) = 1 THEN alert.net_brl END AS added_net
"""
"""What an alert adds to a sum, as a column beside those of its list: the risk of a shortage counts
once for an item-depot. The alert of its stock carries it; without one, the late order whose net
risk is the highest."""

_FROM = """
FROM analytics.alert
JOIN core.item USING (item_id)
JOIN core.site USING (site_id)
LEFT JOIN support.user AS holder ON holder.user_id = alert.owner_id
"""
_SEVERITY = "CASE alert.level WHEN 'critical' THEN 3 WHEN 'warning' THEN 2 ELSE 1 END"
_SELECT = f"""
SELECT alert.id, alert.level, alert.kind, item.sku, item.name AS item_name, item.unit, site.site,
    site.name AS site_name, site.uf, alert.stockout_on, alert.days_to_stockout, alert.risk_brl,
    alert.acting_brl, alert.net_brl, {status_now("alert")} AS status, holder.email AS owner,
    CASE WHEN NOT {is_open("alert")} THEN alert.snoozed_until END AS snoozed_until,
    alert.raised_at, alert.facts,
    {_SEVERITY} AS severity, 4 - {_SEVERITY} AS level_place,
    coalesce(alert.days_to_stockout, 'infinity') AS days_left
{_FROM}
"""
_TIE = {"level_place": "bigint", "days_left": "double precision", "id": "bigint"}
"""Alerts alike in what they are sorted by: the worst level first, then what runs out first."""


@read_model(at_most=ages.WORK)
def page(
    connection: Connection,
    *,
    scope: Scope = EVERYTHING,
    filters: Filters = NO_FILTERS,
    kinds: tuple[str, ...] = (),
    owner: str = "",
    limit: int = 50,
    cursor: str | None = None,
    sort: str = "-net_brl",
) -> Page[Alert]:
    """Alerts of the published run, the most at risk first; `owner` is an e-mail. Three statements.
    Raises NothingPublished."""
    run = published_run(connection)
    where = _where(run.run_id, scope, filters, kinds, owner)
    return fetch_page(
        connection,
        f"{_SELECT} WHERE {where.sql}",
        where.params,
        to_alert,
        sort=sort,
        sorts=SORTS,
        tie=_TIE,
        limit=limit,
        cursor=cursor,
    )


@read_model(at_most=ages.WORK)
def totals(
    connection: Connection,
    *,
    scope: Scope = EVERYTHING,
    filters: Filters = NO_FILTERS,
    kinds: tuple[str, ...] = (),
    owner: str = "",
) -> list[AlertTotal]:
    """Number and net risk of what each status holds, in the order of STATUSES; a shortage counts
    once, see ADDED_NET. The risk is None where there are alerts of which none has one."""
    where = _where(published_run(connection).run_id, scope, filters, kinds, owner)
    sql = f"""
        SELECT status, count(*), sum(added_net)
        FROM (
            SELECT {status_now("alert")} AS status, {ADDED_NET} {_FROM} WHERE {where.sql}
        ) AS told
        GROUP BY status
    """
    found = {row[0]: AlertTotal(*row) for row in connection.execute(text(sql), where.params)}
    return [found.get(status, AlertTotal(status, 0, 0.0)) for status in STATUSES]


@read_model(at_most=ages.WORK)
def one(connection: Connection, *, alert_id: int, scope: Scope = EVERYTHING) -> Alert:
    """Raises NotFound for an alert that is not in the published run or not in the scope."""
    run = published_run(connection)
    where = _where(run.run_id, scope, NO_FILTERS)
    where.add("alert.id = :alert_id", alert_id=alert_id)
    row = connection.execute(text(f"{_SELECT} WHERE {where.sql}"), where.params).one_or_none()
    if row is None:
        raise NotFound(f"There is no alert {alert_id}.")
    return to_alert(row)


def alerts_of_item(connection: Connection, run_id: int, item_id: int, scope: Scope) -> list[Alert]:
    """Every alert of one item at the sites in view, worst first."""
    where = _where(run_id, scope, NO_FILTERS)
    where.add("alert.item_id = :item_id", item_id=item_id)
    sql = f"{_SELECT} WHERE {where.sql} ORDER BY severity DESC, net_brl DESC NULLS LAST, id"
    rows = connection.execute(planned_once(sql), where.params)
    return [to_alert(row) for row in rows]


def to_alert(row: Row[Any]) -> Alert:
    """The typed row of one line of the select above."""
    return record_of(Alert, row)


def _where(
    run_id: int, scope: Scope, filters: Filters, kinds: tuple[str, ...] = (), owner: str = ""
) -> Where:
    where = series_where(scope, filters)
    where.any_of(kinds, "kinds", "alert.kind = ANY(:kinds)")
    if owner:
        where.add("lower(holder.email) = lower(:owner)", owner=owner)
    where.add("alert.run_id = :run_id", run_id=run_id)
    where.any_of(filters.level, "level", "alert.level = ANY(:level)")
    of_status(where, filters, "alert")
    raised_within(where, filters, "alert")
    return where
