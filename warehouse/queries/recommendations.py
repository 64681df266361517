"""What to do about the stock, ranked by the money that it is worth."""

from __future__ import annotations

from typing import Any, get_args

from sqlalchemy import Connection, Row, text

from domain.access import EVERYTHING, Scope
from domain.errors import NotFound
from domain.records import (
    NO_FILTERS,
    AdviceKind,
    AdviceStatus,
    AdviceTotal,
    Filters,
    Page,
    PurchaseRequest,
    Recommendation,
    RecommendationTotal,
)
from domain.wording import UNKNOWN
from warehouse import ages
from warehouse.caching import read_model
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
    "value_brl": "double precision",
    "priority": "bigint",
    "act_by": "date",
    "quantity": "double precision",
    "sku": "text",
    "site": "text",
}
STATUSES: tuple[str, ...] = get_args(AdviceStatus)

LAST_DECISION = """(
    SELECT decision_id, actor, at, reason, facts FROM support.decision
    WHERE decision.kind = 'recommendation'
        AND decision.fingerprint = recommendation.fingerprint
    ORDER BY decision_id DESC LIMIT 1
) AS latest"""
"""SQL: what was decided last about a row of analytics.recommendation, to be joined laterally."""
DECIDED = "latest.facts - 'supplier_code'"
"""SQL: the facts of the recommendation as they were then."""

_FROM = f"""
FROM analytics.recommendation
JOIN core.item USING (item_id)
JOIN core.site ON site.site_id = recommendation.site_id
LEFT JOIN core.site AS giver ON giver.site_id = recommendation.from_site_id
LEFT JOIN core.supplier ON supplier.supplier_id = recommendation.supplier_id
LEFT JOIN LATERAL {LAST_DECISION} ON NOT {is_open("recommendation")}
"""
_SELECT = f"""
SELECT recommendation.id, recommendation.kind, recommendation.priority, item.sku,
    item.name AS item_name, item.unit, site.site, site.name AS site_name, site.uf,
    giver.site AS from_site, giver.name AS from_site_name, giver.uf AS from_uf,
    supplier.supplier, supplier.name AS supplier_name, recommendation.quantity,
    recommendation.act_by, recommendation.value_brl, recommendation.facts,
    recommendation.narrative, recommendation.narrative_source,
    {status_now("recommendation")} AS status, recommendation.raised_at,
    latest.actor AS decided_by, latest.at AS decided_at, latest.reason AS decision_reason,
    latest.decision_id,
    CASE WHEN NOT {is_open("recommendation")} THEN recommendation.snoozed_until
        END AS snoozed_until,
    CASE WHEN recommendation.status = 'accepted'
        THEN (latest.facts ->> 'quantity')::double precision END AS accepted_quantity,
    coalesce(recommendation.act_by, DATE '9999-12-31') AS due
{_FROM}
"""
_TIE = {"priority": "bigint", "due": "date", "id": "bigint"}
"""Those alike in what they are sorted by: the highest priority first, then what is due first."""

_TO_BUY = f"""
SELECT latest.decision_id AS request, seller.supplier, seller.name AS supplier_name, item.sku,
    item.name AS item_name, site.site AS depot, site.uf,
    (latest.facts ->> 'quantity')::double precision AS quantity, item.unit,
    (latest.facts ->> 'price_brl')::double precision AS unit_price_brl,
    (latest.facts ->> 'order_value_brl')::double precision AS order_value_brl,
    (latest.facts ->> 'act_by')::date AS order_by, latest.actor AS decided_by,
    latest.at AS decided_at, latest.reason AS note
{_FROM}
LEFT JOIN core.supplier AS seller
    ON seller.supplier = coalesce(latest.facts ->> 'supplier_code', supplier.supplier)
WHERE recommendation.status = 'accepted' AND {{where}}
ORDER BY seller.supplier NULLS LAST, order_by NULLS LAST, item.sku, site.site, request
"""
"""Decisions of before they named the supplier's code are taken to be of the present one."""

KINDS: tuple[str, ...] = get_args(AdviceKind)
_NO_ADVICE = (0, 0, 0.0, 0, 0, 0, 0, 0, 0.0)

_WORTH = """
CASE WHEN count(*) FILTER (WHERE status = ANY({statuses})) = 0 THEN 0
    ELSE sum(value_brl) FILTER (WHERE status = ANY({statuses})) END
"""
"""The value of advice of some statuses: null where there is some and none has a value."""

_BY_KIND = """
WITH told AS (
    SELECT recommendation.kind, fingerprint, value_brl, recommendation.raised_at,
        recommendation.raised_at AS since,
        CASE WHEN run_id <> :run_id AND {open} THEN 'gone' ELSE {status} END AS status,
        CASE WHEN run_id = :run_id THEN 1 ELSE 3 END AS place, run_id AS number
    FROM analytics.recommendation
    JOIN core.item USING (item_id)
    JOIN core.site ON site.site_id = recommendation.site_id
    LEFT JOIN core.site AS giver ON giver.site_id = recommendation.from_site_id
    WHERE {where}
    UNION ALL
    SELECT split_part(fingerprint, '|', 1), fingerprint,
        (facts ->> 'value_brl')::double precision, decided.raised_at,
        coalesce(decided.raised_at, at),
        CASE WHEN status IN ('open', 'snoozed') THEN 'gone' ELSE status END, 2, decision_id
    FROM support.decision AS decided
    JOIN core.item ON item.sku = facts ->> 'sku'
    JOIN core.site ON site.site = coalesce(facts ->> 'site', :nowhere)
    LEFT JOIN core.site AS giver ON giver.site = facts ->> 'from_site'
    WHERE decided.kind = 'recommendation' AND {where}
), known AS (
    SELECT DISTINCT ON (fingerprint, told.raised_at) kind, value_brl, status, since AS raised_at
    FROM told ORDER BY fingerprint, told.raised_at, place, number DESC
)
SELECT kind, count(*), count(*) FILTER (WHERE status = 'open') AS open,
    {open_brl} AS open_brl,
    count(*) FILTER (WHERE status = 'snoozed') AS snoozed,
    count(*) FILTER (WHERE status = 'accepted') AS accepted,
    count(*) FILTER (WHERE status = 'done') AS done,
    count(*) FILTER (WHERE status = 'rejected') AS rejected,
    count(*) FILTER (WHERE status = 'gone') AS gone,
    {carried_out_brl} AS carried_out_brl
FROM known WHERE {raised} GROUP BY kind
"""
"""Advice counts as it stands in the published run; once it is not there any more, as it was last
decided, else as it stood in an earlier run."""


def accepted(where: str = "true") -> str:
    """SQL: item-depots of which advice was accepted and that was not taken back, and since when.
    By the decisions alone: advice goes away once it was followed. `where` narrows them."""
    return f"""
        SELECT item_id, site_id, min(decided.at) AS since
        FROM (
            SELECT facts ->> 'sku' AS sku, facts ->> 'site' AS site, status, at, decision_id,
                max(decision_id) FILTER (WHERE status NOT IN ('accepted', 'done'))
                    OVER (PARTITION BY fingerprint, raised_at) AS taken_back_by
            FROM support.decision WHERE kind = 'recommendation' AND {where}
        ) AS decided
        JOIN core.item USING (sku) JOIN core.site USING (site)
        WHERE decided.status IN ('accepted', 'done')
            AND decided.decision_id > coalesce(decided.taken_back_by, 0)
        GROUP BY item_id, site_id
        """


@read_model(at_most=ages.WORK)
def page(
    connection: Connection,
    *,
    scope: Scope = EVERYTHING,
    filters: Filters = NO_FILTERS,
    kinds: tuple[str, ...] = (),
    limit: int = 50,
    cursor: str | None = None,
    sort: str = "-value_brl",
) -> Page[Recommendation]:
    """Recommendations of the published run, the most valuable first; three statements. Raises
    NothingPublished."""
    where = _where(published_run(connection).run_id, scope, filters, kinds)
    return fetch_page(
        connection,
        f"{_SELECT} WHERE {where.sql}",
        where.params,
        to_recommendation,
        sort=sort,
        sorts=SORTS,
        tie=_TIE,
        limit=limit,
        cursor=cursor,
    )


@read_model(at_most=ages.WORK)
def one(
    connection: Connection, *, recommendation_id: int, scope: Scope = EVERYTHING
) -> Recommendation:
    """Raises NotFound for one that is not in the published run or not in the scope."""
    where = _where(published_run(connection).run_id, scope, NO_FILTERS, ())
    where.add("recommendation.id = :id", id=recommendation_id)
    row = connection.execute(text(f"{_SELECT} WHERE {where.sql}"), where.params).one_or_none()
    if row is None:
        raise NotFound(f"There is no recommendation {recommendation_id}.")
    return to_recommendation(row)


@read_model(at_most=ages.WORK)
def totals(
    connection: Connection,
    *,
    scope: Scope = EVERYTHING,
    filters: Filters = NO_FILTERS,
    kinds: tuple[str, ...] = (),
) -> list[RecommendationTotal]:
    """Number and value of what each status holds, in the order of STATUSES; `unvalued` ones count
    in the number alone, and where all are the value is None."""
    where = _where(published_run(connection).run_id, scope, filters, kinds)
    sql = f"""
        SELECT {status_now("recommendation")}, count(*), sum(recommendation.value_brl),
            count(*) FILTER (WHERE recommendation.value_brl IS NULL)
        {_FROM} WHERE {where.sql} GROUP BY 1
    """
    found = {
        row[0]: RecommendationTotal(*row) for row in connection.execute(text(sql), where.params)
    }
    return [found.get(status, RecommendationTotal(status, 0, 0.0, 0)) for status in STATUSES]


@read_model(at_most=ages.WORK)
def by_kind(
    connection: Connection, *, scope: Scope = EVERYTHING, filters: Filters = NO_FILTERS
) -> list[AdviceTotal]:
    """What became of the recommendations of each kind, of this run and of those before it, first
    raised on the dates of the filters; in the order of KINDS. Raises NothingPublished."""
    where = series_where(scope, filters)
    both_ends(where, scope)
    raised = Where()
    raised_within(raised, filters, "known")
    run = published_run(connection)
    params = {**where.params, **raised.params, "run_id": run.run_id, "nowhere": UNKNOWN}
    advice = "recommendation"
    sql = _BY_KIND.format(
        where=where.sql,
        raised=raised.sql,
        open=is_open(advice),
        status=status_now(advice),
        open_brl=_WORTH.format(statuses="ARRAY['open']"),
        carried_out_brl=_WORTH.format(statuses="ARRAY['accepted', 'done']"),
    )
    rows = connection.execute(text(sql), params)
    found = {row.kind: AdviceTotal(**row._mapping) for row in rows}
    return [found.get(kind, AdviceTotal(kind, *_NO_ADVICE)) for kind in KINDS]


@read_model(at_most=ages.WORK)
def to_buy(
    connection: Connection, *, scope: Scope = EVERYTHING, filters: Filters = NO_FILTERS
) -> list[PurchaseRequest]:
    """Every accepted purchase in view, by supplier, then by day, material and depot. Raises
    NothingPublished."""
    where = _where(published_run(connection).run_id, scope, filters, ("REORDER",))
    rows = connection.execute(text(_TO_BUY.format(where=where.sql)), where.params)
    return [PurchaseRequest(**row._mapping) for row in rows]


def to_recommendation(row: Row[Any]) -> Recommendation:
    """The typed row of one line of the select above."""
    return record_of(Recommendation, row)


def _where(run_id: int, scope: Scope, filters: Filters, kinds: tuple[str, ...]) -> Where:
    where = series_where(scope, filters)
    both_ends(where, scope)
    where.add("recommendation.run_id = :run_id", run_id=run_id)
    where.any_of(kinds, "kinds", "recommendation.kind = ANY(:kinds)")
    of_status(where, filters, "recommendation")
    raised_within(where, filters, "recommendation")
    if filters.act_from:
        where.add("recommendation.act_by >= :act_from", act_from=filters.act_from)
    if filters.act_to:
        where.add("recommendation.act_by <= :act_to", act_to=filters.act_to)
    return where


def both_ends(where: Where, scope: Scope) -> None:
    """A move is seen by who sees where it comes from, too."""
    if scope.everything:
        return
    giver = series_where(scope)
    predicate = giver.sql_of("giver")
    where.add(f"(giver.site_id IS NULL OR {predicate})")
