"""GET /kpis and /kpis/rows, and their files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from api.exporting import exported
from api.parameters import Paged, SpannedSeries, Text, one_of
from api.routing import route
from auth.guards import current_viewer
from domain.records import DemandShare, Kpi, KpiRow, Page, TotalPoint
from domain.viewer import Viewer
from warehouse.queries import kpi_rows, kpis
from warehouse.queries.paging import every


@route("GET", "/kpis", query=SpannedSeries, data=list[Kpi])
def listed(query: SpannedSeries) -> list[Kpi]:
    """The headline numbers, each with its receipt. Savings count the months that lie whole within
    `from` and `to`."""
    return kpis.headline(scope=current_viewer().scope, filters=query.filters())


@dataclass(frozen=True)
class KpiLine(Kpi):
    """A headline number with its receipt in columns, in the reader's words."""

    formula: str = ""
    inputs: str = ""
    parts: str = ""
    source: str = ""
    filter: str = ""
    left_out: str = ""


@exported("kpis", query=SpannedSeries, record=KpiLine, leave=("receipt",))
def kpis_file(query: SpannedSeries) -> list[KpiLine]:
    """The headline numbers, each with its receipt."""
    viewer = current_viewer()
    return [_line(kpi, viewer) for kpi in listed(query)]


def _line(kpi: Kpi, viewer: Viewer) -> KpiLine:
    made, t = kpi.receipt, viewer.t
    inputs = [(t(one.name), one.value) for one in made.inputs if one.value is not None]
    parts = [(one.name or t("%(count)s others", count=one.count), one.value) for one in made.parts]
    return KpiLine(
        **vars(kpi),
        formula=made.formula,
        inputs=_told(inputs),
        parts=_told(parts),
        source=t(made.source),
        filter=made.filter,
        left_out="; ".join(made.left_out),
    )


def _told(numbers: list[tuple[str, float]]) -> str:
    return "; ".join(f"{name}={value:.12g}" for name, value in numbers)


class DemandQuery(SpannedSeries):
    """What narrows demand, in BRL or in units of issue."""

    measure: Literal["brl", "units"] = "brl"


class SharesQuery(DemandQuery):
    """The same by family, by UF or by both."""

    kind: Literal["family", "uf", ""] = ""


@exported("demand-totals", query=DemandQuery, record=TotalPoint)
def totals_file(query: DemandQuery) -> list[TotalPoint]:
    """What was demanded in each period, then the forecast, summed over the series in view."""
    scope = current_viewer().scope
    return kpis.demand_and_forecast(scope=scope, filters=query.filters(), measure=query.measure)


@exported("demand-shares", query=SharesQuery, record=DemandShare)
def shares_file(query: SharesQuery) -> list[DemandShare]:
    """Demand by family and by UF, the most first."""
    scope = current_viewer().scope
    found = kpis.demand_shares(scope=scope, filters=query.filters(), measure=query.measure)
    return [one for one in found if query.kind in ("", one.kind)]


class RowsFilters(SpannedSeries):
    """Which sum, and what narrows it."""

    kpi: Literal["inventory_value", "demand_value", "forecast_value"] = "inventory_value"


class RowsInOrder(RowsFilters):
    """The same, the largest first unless asked otherwise."""

    sort: Annotated[Text, one_of(kpi_rows.SORTS)] = "-value_brl"


class RowsQuery(RowsInOrder, Paged):
    """The same by pages."""


@route("GET", "/kpis/rows", query=RowsQuery, data=list[KpiRow], paged=True)
def rows(query: RowsQuery) -> Page[KpiRow]:
    """What a headline sum is made of, item-depot by item-depot; the values add up to it."""
    return kpi_rows.page(
        kpi=query.kpi,
        scope=current_viewer().scope,
        filters=query.filters(),
        limit=query.limit,
        cursor=query.cursor,
        sort=query.sort,
    )


@exported("kpi-rows", query=RowsInOrder, record=KpiRow)
def rows_file(query: RowsInOrder) -> Iterator[KpiRow]:
    """What a headline sum is made of, every item-depot of it."""
    asked = {"kpi": query.kpi, "filters": query.filters(), "sort": query.sort}
    return every(kpi_rows.page, scope=current_viewer().scope, **asked)
