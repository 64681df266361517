"""Availability contracts: their months, what they cost so far, what is to come, what proves it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, Row, text

from domain import sla as formulas
from domain.access import EVERYTHING, Scope
from domain.errors import InvalidInput, NotFound
from domain.records import NO_FILTERS, Filters, Page
from domain.sla import (
    HISTORY_DAYS,
    Band,
    ContractDetail,
    ContractMonth,
    ContractScore,
    DowntimeDay,
    Evidence,
    EvidenceSource,
    Incident,
    OrderThen,
    Outage,
    PartExposure,
    SiteDowntime,
    StockThen,
    Terms,
    month_after,
    month_start,
)
from warehouse import ages
from warehouse.caching import once, read_model
from warehouse.queries.daily import CANCELLED, FIRST_PROMISE
from warehouse.queries.filtering import (
    daily_where,
    of_places,
    pattern,
    series_where,
    unaccented,
)
from warehouse.queries.paging import fetch_page
from warehouse.queries.published import OUTAGES_FROM, OUTAGES_TO

OUTAGE_SORTS = {
    "started_at": "timestamp",
    "hours": "double precision",
    "site": "text",
    "contract": "text",
    "sku": "text",
}
SHEET_INCIDENTS, PARTS_SHOWN = 200, 50
EVIDENCE_KINDS = ("contracts", "sites", "outages", "stock", "purchase_orders")

_KNOWN = f"""
SELECT CASE WHEN first IS NOT NULL THEN {OUTAGES_FROM} END AS first, {OUTAGES_TO} AS last
FROM (SELECT min(started_at) AS first FROM core.outage) AS outage
"""

_CONTRACTS = """
WITH found AS (
    SELECT contract.*, count(site.site_id) AS sites,
        count(site.site_id) FILTER (WHERE {seen}) AS sites_seen,
        count(site.site_id) FILTER (WHERE {here}) AS sites_here,
        (SELECT sum(exposure_brl) FROM analytics.sla_exposure AS exposure
            WHERE run_id = (SELECT run_id FROM analytics.published)
                AND exposure.contract_id = contract.contract_id) AS exposure_brl,
        (SELECT sum(exposure_brl) FROM analytics.sla_exposure AS exposure
            JOIN core.site USING (site_id)
            WHERE run_id = (SELECT run_id FROM analytics.published)
                AND exposure.contract_id = contract.contract_id AND {there}) AS exposure_here
    FROM core.contract LEFT JOIN core.site ON site.contract_id = contract.contract_id
    GROUP BY contract.contract_id
    HAVING count(site.site_id) FILTER (WHERE {seen}) > 0 OR :everything
), down AS (
    SELECT contract_id, array_agg(date) AS dates, array_agg(hours) AS hours,
        array_agg(hours_here) AS hours_here
    FROM (
        SELECT contract_id, date, sum(hours)::double precision AS hours,
            coalesce(sum(hours) FILTER (WHERE {here_by_day}), 0)::double precision AS hours_here
        FROM analytics.downtime_by_day AS daily
        WHERE contract_id <> 0 AND date <= :last GROUP BY contract_id, date
    ) AS by_day GROUP BY contract_id
)
SELECT found.*, coalesce(dates, ARRAY[]::date[]) AS dates,
    coalesce(hours, ARRAY[]::double precision[]) AS hours,
    coalesce(hours_here, ARRAY[]::double precision[]) AS hours_here
FROM found LEFT JOIN down USING (contract_id) ORDER BY contract
"""

_PARTS = """
SELECT item.sku, item.name AS item_name, site.site, stockout_probability, penalty_brl, exposure_brl
FROM analytics.sla_exposure AS exposure
JOIN core.item USING (item_id) JOIN core.site USING (site_id)
WHERE run_id = (SELECT run_id FROM analytics.published) AND exposure.contract_id = :contract_id
    AND {where}
ORDER BY exposure_brl DESC, sku, site LIMIT :limit
"""

_OUTAGES = """
SELECT outage.outage, site.site, site.uf, contract.contract, outage.started_at, outage.ended_at,
    (extract(epoch FROM greatest(outage.started_at, coalesce(outage.ended_at, :until))
        - outage.started_at) / 3600)::double precision AS hours,
    outage.cause, item.sku, item.name AS item_name
FROM core.outage AS outage
JOIN core.site AS site USING (site_id)
CROSS JOIN LATERAL (
    SELECT site.uf, coalesce(outage.contract_id, site.contract_id) AS contract_id
) AS claim
LEFT JOIN core.contract AS contract ON contract.contract_id = claim.contract_id
LEFT JOIN core.item AS item ON item.item_id = outage.item_waited_for_id
WHERE {where} AND ({search})
    AND (NOT :waited OR outage.item_waited_for_id IS NOT NULL)
    AND outage.started_at <= :before
    AND (outage.started_at >= :since OR coalesce(outage.ended_at, :until) > :since)
"""
_SEARCH = " OR ".join(
    f"{unaccented(name)} LIKE :search" for name in ("site.site", "outage.cause", "item.sku")
)

_STOCK_THEN = """
SELECT asked.outage, depot.site AS depot, stock.date AS counted_on, stock.on_hand, stock.reserved,
    stock.in_transit
FROM (
    SELECT outage.outage, outage.item_waited_for_id AS item_id, outage.started_at,
        coalesce(site.depot_id, site.site_id) AS depot_id
    FROM core.outage AS outage JOIN core.site AS site USING (site_id)
    WHERE outage.outage = ANY(:outages) AND outage.item_waited_for_id IS NOT NULL
) AS asked
JOIN core.site AS depot ON depot.site_id = asked.depot_id AND (depot.uf = ANY(:ufs) OR :any_uf)
LEFT JOIN LATERAL (
    SELECT date, on_hand, reserved, in_transit FROM core.stock
    WHERE stock.item_id = asked.item_id AND stock.site_id = asked.depot_id
        AND stock.date <= asked.started_at::date
    ORDER BY stock.date DESC LIMIT 1
) AS stock ON true
"""

_ORDERS_THEN = f"""
SELECT outage.outage, line.order_no, line.line, supplier.supplier, line.quantity,
    CASE WHEN line.order_dated THEN line.ordered_on END AS ordered_on,
    {FIRST_PROMISE} AS first_promised_on, line.received_on
FROM core.outage AS outage
JOIN core.site AS site USING (site_id)
JOIN core.purchase_order AS line ON line.item_id = outage.item_waited_for_id
    AND line.site_id = coalesce(site.depot_id, site.site_id)
    AND line.ordered_on <= outage.started_at::date
    AND (line.received_on IS NULL OR line.received_on >= outage.started_at::date)
JOIN core.site AS depot ON depot.site_id = line.site_id AND (depot.uf = ANY(:ufs) OR :any_uf)
JOIN core.supplier AS supplier ON supplier.supplier_id = line.supplier_id
WHERE outage.outage = ANY(:outages) AND lower(coalesce(line.status, '')) <> ALL(:cancelled)
ORDER BY line.ordered_on, line.order_no, line.line
"""

_SOURCES = """
SELECT DISTINCT ON (kind) kind, id AS load_id, file, finished_at AS loaded_at
FROM staging.load WHERE state = 'accepted' AND kind = ANY(:kinds) ORDER BY kind, id DESC
"""


@dataclass(frozen=True)
class _Known:
    """The span of days that outages are known for, and each contract in view with its downtime by
    day, and with that of its sites in view in the regions and UFs asked for.

    The first day is that of OUTAGES_FROM.
    """

    first: date
    last: date
    contracts: list[Row[Any]]
    days: Mapping[int, Mapping[date, float]]
    days_here: Mapping[int, Mapping[date, float]]

    @property
    def until(self) -> datetime:
        """The first moment that nothing is known of."""
        return datetime.combine(self.last + timedelta(days=1), time.min)

    def has(self, month: date) -> bool:
        """True if anything is known of the month, by its first day."""
        return month_start(self.first) <= month <= self.last

    def asked(self, day: date | None) -> date:
        """The month of a day, the last one without any. Raises InvalidInput for one that nothing
        is known of."""
        month = month_start(day or self.last)
        if not self.has(month):
            reason = f"outages are known from {self.first:%Y-%m} to {self.last:%Y-%m}"
            raise InvalidInput(f"month: {reason}.", fields={"month": reason})
        return month


@read_model(at_most=ages.FACTS)
def months(connection: Connection) -> list[date]:
    """First days of the months that outages are known for, the newest first; none without any."""
    known = _known_span(connection)
    return [] if known.first is None else _starts(known.first, known.last)


def _starts(first: date, last: date) -> list[date]:
    """First days of the months from one day to another, the newest first."""
    found, month = [], month_start(last)
    while month >= month_start(first):
        found.append(month)
        month = month_start(month - timedelta(days=1))
    return found


@read_model(at_most=ages.FACTS)
def listed(
    connection: Connection,
    *,
    scope: Scope = EVERYTHING,
    month: date | None = None,
    filters: Filters = NO_FILTERS,
) -> list[ContractScore]:
    """Every contract in view in a month, the last one unless asked otherwise; of the filters region
    and UF leave those that have sites there. Empty where no outage was ever loaded, since 100 %
    would be made up. Raises InvalidInput for a month that no outage is known of."""
    known = _known(connection, scope, filters)
    if known is None:
        return []
    asked = known.asked(month)
    narrowed = bool(filters.region or filters.uf)
    return [_score(row, known, asked) for row in known.contracts if row.sites_here or not narrowed]


@read_model(at_most=ages.FACTS)
def detail(
    connection: Connection,
    *,
    contract: str,
    scope: Scope = EVERYTHING,
    month: date | None = None,
    filters: Filters = NO_FILTERS,
) -> ContractDetail:
    """One contract with everything; region and UF of the filters narrow its `here` and its parts.
    Raises NotFound for one that is not in view, InvalidInput for a month that no outage is known
    of."""
    known, row = _one(connection, contract, scope, filters)
    score = _score(row, known, known.asked(month))
    return ContractDetail(
        score=score,
        months=[_month(row, known, start) for start in _starts(known.first, known.last)],
        days=_days(known.days.get(row.contract_id, {}), score),
        parts=_exposed(connection, row, scope, filters, PARTS_SHOWN),
    )


@read_model(at_most=ages.FACTS)
def parts(
    connection: Connection,
    *,
    contract: str,
    scope: Scope = EVERYTHING,
    filters: Filters = NO_FILTERS,
) -> list[PartExposure]:
    """All parts that put a contract at risk, the highest exposure first; of the filters region and
    UF say of which depots. None to a reader who sees a part of its sites. Raises NotFound for one
    that is not in view."""
    _, row = _one(connection, contract, scope)
    return _exposed(connection, row, scope, filters, None)


def _exposed(
    connection: Connection, row: Row[Any], scope: Scope, filters: Filters, limit: int | None
) -> list[PartExposure]:
    if _is_partial(row):
        return []
    where = series_where(scope, filters.at_places())
    params = {**where.params, "contract_id": row.contract_id, "limit": limit}
    found = connection.execute(text(_PARTS.format(where=where.sql)), params)
    return [PartExposure(**part._mapping) for part in found]


@read_model(at_most=ages.FACTS)
def outages(
    connection: Connection,
    *,
    scope: Scope = EVERYTHING,
    filters: Filters = NO_FILTERS,
    since: date | None = None,
    to: date | None = None,
    waited: bool = False,
    search: str = "",
    limit: int = 50,
    cursor: str | None = None,
    sort: str = "-started_at",
) -> Page[Outage]:
    """Outages that touch the days from `since` to `to`, of the filters' contracts, at sites of
    their regions and UFs; with `waited` those that waited for a part. `search` looks into sites,
    causes and part codes."""
    sql, params = _outages(connection, scope, filters, since, to, waited, search)
    return fetch_page(
        connection,
        sql,
        params,
        lambda row: Outage(**row._mapping),
        sort=sort,
        sorts=OUTAGE_SORTS,
        tie={"outage": "text"},
        limit=limit,
        cursor=cursor,
    )


@read_model(at_most=ages.FACTS)
def evidence(
    connection: Connection, *, contract: str, month: date, scope: Scope = EVERYTHING
) -> Evidence:
    """What a month of a contract is proved with. Raises NotFound for a contract that is not in
    view, and for a month that no outage is known of."""
    known, row = _one(connection, contract, scope)
    month = month_start(month)
    if not known.has(month):
        raise NotFound("No outages are known for this month.")
    sql, params = _outages(
        connection,
        scope,
        Filters(contract=(contract,)),
        month,
        month_after(month) - timedelta(days=1),
        False,
        "",
    )
    found = [
        Outage(**one._mapping)
        for one in connection.execute(text(f"{sql} ORDER BY started_at, outage"), params)
    ]
    start = datetime.combine(month, time.min)
    end = min(datetime.combine(month_after(month), time.min), known.until)
    within = {one.outage: formulas.downtime([_span(one, end)], start, end) for one in found}
    longest = sorted(found, key=lambda one: -within[one.outage])[:SHEET_INCIDENTS]
    shown = sorted(longest, key=lambda one: (one.started_at, one.outage))
    incidents = [Incident(one, within[one.outage]) for one in shown]
    return Evidence(
        score=_score(row, known, month),
        sites=_sites(found, start, end),
        incidents=_with_parts(connection, incidents, scope),
        left_out=len(found) - len(shown),
        sources=[
            EvidenceSource(**one._mapping)
            for one in connection.execute(text(_SOURCES), {"kinds": list(EVIDENCE_KINDS)})
        ],
    )


def _span(outage: Outage, until: datetime) -> tuple[datetime, datetime]:
    return outage.started_at, outage.ended_at or max(until, outage.started_at)


def _sites(found: list[Outage], start: datetime, end: datetime) -> list[SiteDowntime]:
    by_site: dict[str, list[Outage]] = {}
    for one in found:
        by_site.setdefault(one.site, []).append(one)
    sites = [
        SiteDowntime(
            site,
            mine[0].uf,
            len(mine),
            formulas.downtime([_span(one, end) for one in mine], start, end),
        )
        for site, mine in by_site.items()
    ]
    return sorted(sites, key=lambda one: (-one.hours, one.site))


def _with_parts(connection: Connection, incidents: list[Incident], scope: Scope) -> list[Incident]:
    params = {
        "outages": [one.outage.outage for one in incidents if one.outage.sku is not None],
        "cancelled": list(CANCELLED),
        "ufs": list(scope.ufs),
        "any_uf": not scope.ufs,
    }
    stocks = {row.outage: row for row in connection.execute(text(_STOCK_THEN), params)}
    orders: dict[str, list[OrderThen]] = {}
    for row in connection.execute(text(_ORDERS_THEN), params):
        values = {name: value for name, value in row._mapping.items() if name != "outage"}
        orders.setdefault(row.outage, []).append(OrderThen(**values))
    return [
        _with_part(one, stocks[one.outage.outage], orders.get(one.outage.outage, []))
        if one.outage.outage in stocks
        else one
        for one in incidents
    ]


def _with_part(one: Incident, row: Row[Any], orders: list[OrderThen]) -> Incident:
    then = (
        None
        if row.counted_on is None
        else StockThen(row.counted_on, row.on_hand, row.reserved, row.in_transit)
    )
    return replace(one, depot=row.depot, stock=then, orders=orders)


def _known_span(connection: Connection) -> Any:
    return once(connection, _KNOWN, lambda: connection.execute(text(_KNOWN)).one())


def _known(connection: Connection, scope: Scope, filters: Filters = NO_FILTERS) -> _Known | None:
    span = _known_span(connection)
    if span.first is None:
        return None
    places = filters.at_places()
    conditions = {
        "seen": series_where(scope),
        "here": series_where(scope, places),
        "there": series_where(EVERYTHING, places),
        "here_by_day": daily_where(scope, places),
    }
    params: dict[str, Any] = {"everything": scope.everything, "last": span.last}
    for condition in conditions.values():
        params |= condition.params
    sql = _CONTRACTS.format(**{name: condition.sql for name, condition in conditions.items()})
    contracts = list(connection.execute(text(sql), params))
    return _Known(
        first=span.first,
        last=span.last,
        contracts=contracts,
        days={row.contract_id: dict(zip(row.dates, row.hours, strict=True)) for row in contracts},
        days_here={
            row.contract_id: dict(zip(row.dates, row.hours_here, strict=True)) for row in contracts
        },
    )


def _one(
    connection: Connection, contract: str, scope: Scope, filters: Filters = NO_FILTERS
) -> tuple[_Known, Row[Any]]:
    known = _known(connection, scope, filters)
    rows = known.contracts if known else []
    row = next((one for one in rows if one.contract == contract), None)
    if known is None or row is None:
        raise NotFound("No contract has this code.")
    return known, row


def _outages(
    connection: Connection,
    scope: Scope,
    filters: Filters,
    since: date | None,
    to: date | None,
    waited: bool,
    search: str,
) -> tuple[str, dict[str, Any]]:
    last = _known_span(connection).last
    until = None if last is None else last + timedelta(days=1)
    where = daily_where(scope, of_places(filters), "claim")
    searched = search.strip()
    params = {
        **where.params,
        "until": None if until is None else datetime.combine(until, time.min),
        "waited": waited,
        "since": datetime.combine(since or date.min, time.min),
        "before": datetime.combine(to or date.max, time.max),
        **({"search": pattern(searched)} if searched else {}),
    }
    return _OUTAGES.format(where=where.sql, search=_SEARCH if searched else "true"), params


def _terms(row: Row[Any]) -> Terms:
    target = row.availability_target_pct
    return Terms(
        target=None if target is None else target / 100,
        bands=tuple(
            Band(float(one["hours"]), float(one["percent"])) for one in row.penalty_schedule
        ),
        fee_brl=row.monthly_fee_brl,
        cap_pct=row.cap_pct,
    )


def _within(month: date, hours: Mapping[date, float]) -> float:
    end = month_after(month)
    return sum(value for day, value in hours.items() if month <= day < end)


def _month(row: Row[Any], known: _Known, month: date) -> ContractMonth:
    down = _within(month, known.days.get(row.contract_id, {}))
    found = formulas.contract_month(month, known.first, known.last, down, row.sites, _terms(row))
    return replace(found, penalty_brl=None) if _is_partial(row) else found


def _is_partial(row: Row[Any]) -> bool:
    """True if the reader sees some of the contract's sites only."""
    return row.sites_seen < row.sites


def _score(row: Row[Any], known: _Known, month: date) -> ContractScore:
    terms, now = _terms(row), _month(row, known, month)
    so_far = now.hours_per_site
    ahead = (
        None
        if so_far is None
        else formulas.outlook(so_far, _history(row, known), max(0, now.days_left), terms)
    )
    partial = _is_partial(row)
    length = (month_after(month) - month).days
    is_current = month == month_start(known.last)
    exposed = is_current and not partial
    down_here = _within(month, known.days_here.get(row.contract_id, {}))
    return ContractScore(
        contract=row.contract,
        customer=row.customer,
        sites=row.sites,
        partial=partial,
        target=terms.target,
        fee_brl=None if partial else terms.fee_brl,
        cap_pct=terms.cap_pct,
        bands=sorted(terms.bands, key=lambda band: band.hours),
        as_of=min(known.last, month_after(month) - timedelta(days=1)),
        now=now,
        here=formulas.sites_month(
            now.days, down_here, row.sites_here, row.exposure_here if exposed else None
        ),
        next_band=None if so_far is None else formulas.next_band(so_far, terms),
        hours_projected=ahead.hours if ahead else None,
        hours_p10=ahead.hours_p10 if ahead else None,
        hours_p90=ahead.hours_p90 if ahead else None,
        availability_projected=(
            formulas.availability(ahead.hours, 24.0 * length) if ahead else None
        ),
        penalty_projected_brl=ahead.penalty_brl if ahead and not partial else None,
        chance_of_more=ahead.chance_of_more if ahead else None,
        exposure_brl=row.exposure_brl if exposed else None,
        state=formulas.state(now, ahead.chance_of_more if ahead else None),
    )


def _history(row: Row[Any], known: _Known) -> list[float]:
    """Hours a site of each of the last HISTORY_DAYS days that are known."""
    hours = known.days.get(row.contract_id, {})
    first = max(known.first, known.last - timedelta(days=HISTORY_DAYS - 1))
    count = (known.last - first).days + 1
    return [hours.get(first + timedelta(days=n), 0.0) / row.sites for n in range(count)]


def _days(hours: Mapping[date, float], score: ContractScore) -> list[DowntimeDay]:
    """Each day of the month up to the last one known."""
    found, total = [], 0.0
    first = score.as_of - timedelta(days=score.now.days - 1)
    for number in range(score.now.days if score.sites else 0):
        day = first + timedelta(days=number)
        mean = hours.get(day, 0.0) / score.sites
        total += mean
        found.append(DowntimeDay(day, mean, total))
    return found
