"""Scope and filters as SQL predicates: the one place where a row is hidden from somebody.

Predicates speak of the aliases `item` and `site` (series level) or of one alias with the columns
`uf`, `contract_id` and `family` (daily views). A row without a UF is hidden from a scoped viewer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from domain.access import Scope
from domain.levels import DEPOTS, visible_levels
from domain.projects import CANCELLED, DONE, ProjectFilters
from domain.records import NO_FILTERS, Filters
from warehouse.clock import IN_BRASILIA

_ACCENTED, _PLAIN = "áàâãäéêëíïóôõöúüç", "aaaaaeeeiioooouuc"

_PROFILE = """EXISTS (
    SELECT FROM analytics.series_profile AS class
    WHERE class.run_id = (SELECT run_id FROM analytics.published)
        AND class.item_id = item.item_id AND class.site_id = site.site_id AND class.{} = ANY(:{})
)"""

_SUPPLIER = """item.supplier_id IN (
    SELECT supplier_id FROM core.supplier WHERE supplier.supplier = ANY(:item_supplier)
)"""

_UNDER_CONTRACT = """{}.contract_id IN (
    SELECT contract_id FROM core.contract WHERE contract.contract = ANY(:contract)
)"""

_PROJECT_START = "coalesce(project.planned_start, '-infinity')"
_PROJECT_END = """coalesce(project.actual_end, CASE
    WHEN project.planned_end > (SELECT max(as_of) FROM core.project_status)
        OR lower(trim(project.status)) = ANY(:over) OR project.progress_pct >= 100
    THEN project.planned_end
END, 'infinity')"""
"""When a project ended or is to end; never, while it is late and goes on."""

_SERVES_CONTRACT = f"""({_UNDER_CONTRACT.format("site")} OR site.site_id IN (
    SELECT tower.depot_id FROM core.site AS tower WHERE {_UNDER_CONTRACT.format("tower")}
))"""


@dataclass
class Where:
    """Predicates joined by AND, with their parameters."""

    predicates: list[str] = field(default_factory=list)
    params: dict[str, Any] = field(default_factory=dict)

    def add(self, predicate: str, **params: Any) -> None:
        """One more condition."""
        self.predicates.append(predicate)
        self.params |= params

    def any_of(self, values: tuple[str, ...], name: str, predicate: str) -> None:
        """A condition that holds only where values are wanted."""
        if values:
            self.add(predicate, **{name: list(values)})

    @property
    def sql(self) -> str:
        """The predicates for after WHERE or AND; `true` when there is none."""
        return " AND ".join(self.predicates) or "true"

    def sql_of(self, alias: str) -> str:
        """The same of another site than `site`."""
        return self.sql.replace("site.", f"{alias}.")


def series_where(scope: Scope, filters: Filters = NO_FILTERS) -> Where:
    """What of item-site level rows may be seen and is wanted (aliases `item`, `site`). A contract
    wants what its sites hold and what the depots hold that serve them."""
    where = Where()
    _scope(where, scope, uf="site.uf", contract="site.contract_id")
    _item(where, filters)
    where.any_of(filters.site, "site", "site.site = ANY(:site)")
    where.any_of(filters.uf, "uf", "site.uf = ANY(:uf)")
    where.any_of(filters.region, "region", _region("site.uf"))
    where.any_of(filters.contract, "contract", _SERVES_CONTRACT)
    where.any_of(filters.abc, "abc", _PROFILE.format("abc", "abc"))
    where.any_of(filters.xyz, "xyz", _PROFILE.format("xyz", "xyz"))
    where.any_of(filters.demand_class, "class", _PROFILE.format("demand_class", "class"))
    return where


def item_where(scope: Scope, filters: Filters) -> Where:
    """What of the catalogue may be seen and is wanted (alias `item`): a scoped viewer sees the
    materials of the sites in view."""
    where = Where()
    _item(where, filters)
    narrowed = series_where(scope, filters)
    if not scope.everything or _is_narrowed(filters):
        where.add(
            "EXISTS (SELECT FROM analytics.series_overview AS series"
            " JOIN core.site USING (site_id)"
            f" WHERE series.item_id = item.item_id AND {narrowed.sql})",
            **narrowed.params,
        )
    return where


def daily_where(scope: Scope, filters: Filters, alias: str = "daily") -> Where:
    """What of a daily view may be seen and is wanted."""
    where = Where()
    _scope(where, scope, uf=f"{alias}.uf", contract=f"{alias}.contract_id")
    where.any_of(filters.uf, "uf", f"{alias}.uf = ANY(:uf)")
    where.any_of(filters.region, "region", _region(f"{alias}.uf"))
    where.any_of(filters.contract, "contract", _UNDER_CONTRACT.format(alias))
    where.any_of(filters.family, "family", f"{alias}.family = ANY(:family)")
    return where


def raised_within(where: Where, filters: Filters, alias: str) -> None:
    """Narrows rows to those first raised on the dates of the filters, as days are counted in
    Brasília."""
    day = f"CAST(:{{}} AS timestamp) {IN_BRASILIA}"
    if filters.date_from:
        where.add(f"{alias}.raised_at >= {day.format('date_from')}", date_from=filters.date_from)
    if filters.date_to:
        where.add(
            f"{alias}.raised_at < {day.format('date_to')} + interval '1 day'",
            date_to=filters.date_to,
        )


def is_open(alias: str) -> str:
    """Whether an alert or recommendation is open: one that was snoozed is when its time is over."""
    return f"({alias}.status = 'open' OR {_woken(alias)})"


def status_now(alias: str) -> str:
    """The status of an alert or recommendation as it counts at this moment."""
    return f"CASE WHEN {_woken(alias)} THEN 'open' ELSE {alias}.status END"


def of_status(where: Where, filters: Filters, alias: str) -> None:
    """Narrows alerts or recommendations to those that have one of the filters' statuses now."""
    where.any_of(
        filters.status,
        "status",
        f"({alias}.status = ANY(:status) AND {_woken(alias)} IS NOT TRUE"
        f" OR 'open' = ANY(:status) AND {_woken(alias)})",
    )


def _woken(alias: str) -> str:
    return f"({alias}.status = 'snoozed' AND {alias}.snoozed_until <= now())"


def between(since: date | None, to: date | None) -> dict[str, date | None]:
    """Both ends as parameters: `since` is None only where neither is named, for the usual span."""
    return {"since": since or (date.min if to else None), "to": to or date.max}


def of_places(filters: Filters) -> Filters:
    """What of the filters says where and when: all that rows without a material can be narrowed
    to."""
    return Filters(
        uf=filters.uf,
        region=filters.region,
        contract=filters.contract,
        date_from=filters.date_from,
        date_to=filters.date_to,
    )


def level_where(scope: Scope, alias: str) -> Where:
    """What of the rows of levels (columns `level`, `area`) may be seen. Depots are seen as
    elsewhere; of sums, a viewer of some UFs sees theirs alone."""
    where = Where()
    if scope.everything:
        return where
    depots = Where()
    _scope(depots, scope, uf="site.uf", contract="site.contract_id")
    where.add(
        f"({alias}.level = ANY(:visible) AND {alias}.area = ANY(:visible_areas)"
        f" OR {alias}.level = :depots AND {alias}.area IN"
        f" (SELECT site FROM core.site WHERE {depots.sql}))",
        visible=list(visible_levels(scope)),
        visible_areas=list(scope.ufs),
        depots=DEPOTS,
        **depots.params,
    )
    return where


def project_where(scope: Scope, filters: ProjectFilters) -> Where:
    """What of the projects (alias `project`) may be seen and is wanted. A project belongs to a UF
    and to no contract: who sees some contracts sees those of UFs whose depots are under them."""
    where = Where()
    where.any_of(scope.ufs, "scope_ufs", "project.uf = ANY(:scope_ufs)")
    where.any_of(
        scope.contracts,
        "scope_contracts",
        "EXISTS (SELECT FROM core.site AS depot JOIN core.contract USING (contract_id)"
        " WHERE depot.kind = 'depot' AND depot.uf = project.uf"
        " AND contract.contract = ANY(:scope_contracts))",
    )
    where.any_of(filters.project, "projects", "project.project = ANY(:projects)")
    where.any_of(filters.uf, "uf", "project.uf = ANY(:uf)")
    where.any_of(filters.region, "region", _region("project.uf"))
    if filters.date_from:
        over = sorted(DONE | CANCELLED)
        where.add(f"{_PROJECT_END} >= :date_from", date_from=filters.date_from, over=over)
    if filters.date_to:
        where.add(f"{_PROJECT_START} <= :date_to", date_to=filters.date_to)
    if filters.search.strip():
        names = ("project.project", "project.name")
        found = " OR ".join(f"{unaccented(name)} LIKE :search" for name in names)
        where.add(f"({found})", search=pattern(filters.search))
    return where


def driver_where(scope: Scope, filters: Filters) -> Where:
    """Which rows of core.driver (alias `driver`) may be seen and are wanted: those of the country,
    and those of the UFs in view."""
    areas = Where()
    areas.any_of(scope.ufs, "scope_ufs", "driver.uf = ANY(:scope_ufs)")
    areas.any_of(
        scope.contracts,
        "scope_contracts",
        "driver.uf IN (SELECT site.uf FROM core.site JOIN core.contract USING (contract_id)"
        " WHERE contract.contract = ANY(:scope_contracts))",
    )
    areas.any_of(filters.uf, "uf", "driver.uf = ANY(:uf)")
    areas.any_of(filters.region, "region", _region("driver.uf"))
    return Where([f"(driver.uf = '' OR {areas.sql})"], areas.params)


def needs_series(filters: Filters) -> bool:
    """True if the filter is finer than the daily views' grain."""
    finer = (filters.sku, filters.site, filters.abc, filters.xyz, filters.supplier)
    return any((*finer, filters.contract, filters.demand_class, filters.search))


def described(scope: Scope, filters: Filters) -> str:
    """The filter in words for a receipt: `uf=SP,RJ; family=fibre`; empty when nothing is hidden."""
    seen = {"scope.uf": scope.ufs, "scope.contract": scope.contracts}
    named = {name: values for name, values in seen.items() if values} | set_in(filters)
    return "; ".join(f"{name}={','.join(values)}" for name, values in named.items())


def set_in(filters: Filters) -> dict[str, tuple[str, ...]]:
    """What of the filters is set, by the names of the address."""
    named: Mapping[str, tuple[str, ...]] = {
        "uf": filters.uf,
        "region": filters.region,
        "family": filters.family,
        "abc": filters.abc,
        "xyz": filters.xyz,
        "supplier": filters.supplier,
        "contract": filters.contract,
        "class": filters.demand_class,
        "sku": filters.sku,
        "site": filters.site,
        "search": (filters.search,) if filters.search else (),
        "from": (filters.date_from.isoformat(),) if filters.date_from else (),
        "to": (filters.date_to.isoformat(),) if filters.date_to else (),
    }
    return {name: values for name, values in named.items() if values}


def unaccented(expression: str) -> str:
    """SQL for a text in lower case without accents."""
    return f"translate(lower({expression}), '{_ACCENTED}', '{_PLAIN}')"


def pattern(search: str) -> str:
    """A LIKE pattern that finds `search` anywhere, its own wildcards taken literally."""
    plain = search.strip().lower().translate(str.maketrans(_ACCENTED, _PLAIN))
    for wildcard in ("\\", "%", "_"):
        plain = plain.replace(wildcard, f"\\{wildcard}")
    return f"%{plain}%"


def _is_narrowed(filters: Filters) -> bool:
    places = (filters.site, filters.uf, filters.region, filters.contract)
    return any((*places, filters.abc, filters.xyz, filters.demand_class))


def _scope(where: Where, scope: Scope, *, uf: str, contract: str) -> None:
    where.any_of(scope.ufs, "scope_ufs", f"{uf} = ANY(:scope_ufs)")
    where.any_of(
        scope.contracts,
        "scope_contracts",
        f"{contract} IN"
        " (SELECT contract_id FROM core.contract WHERE contract = ANY(:scope_contracts))",
    )


def _item(where: Where, filters: Filters) -> None:
    where.any_of(filters.sku, "sku", "item.sku = ANY(:sku)")
    where.any_of(filters.family, "family", "item.family = ANY(:family)")
    where.any_of(filters.supplier, "item_supplier", _SUPPLIER)
    if filters.search.strip():
        where.add(
            f"({unaccented('item.sku')} LIKE :search OR {unaccented('item.name')} LIKE :search)",
            search=pattern(filters.search),
        )


def _region(uf: str) -> str:
    return f"{uf} IN (SELECT uf FROM core.uf WHERE region = ANY(:region))"
