"""GET /sla, /sla/{contract}, /sla/{contract}/evidence.pdf and /outages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, fields, replace
from datetime import date
from typing import Annotated, Any, Literal

from flask import Response
from pydantic import AfterValidator, BeforeValidator, Field

from api.exporting import exported
from api.files import PDF, Table, file_answer
from api.parameters import (
    MAX_TEXT,
    Between,
    Month,
    Paged,
    Query,
    Text,
    Texts,
    Ufs,
    checked_text,
    clean,
    one_of,
    split,
)
from api.routing import route
from auth import trail
from auth.guards import current_viewer
from domain.access import Permission
from domain.clock import BRASILIA
from domain.records import Filters, Page
from domain.sheets import Cell
from domain.sla import (
    ContractDetail,
    ContractMonth,
    ContractScore,
    DowntimeDay,
    Outage,
    PartExposure,
    SitesMonth,
    wanted,
)
from domain.sla_sheet import sheet
from warehouse.queries import sla, status
from warehouse.queries.paging import every

States = Annotated[
    tuple[Literal["breached", "at_risk", "kept", "unknown"], ...], BeforeValidator(split)
]


class MonthQuery(Query):
    """The month, one that outages are known of: the last one unless asked otherwise."""

    month: Month | None = None


class Places(Query):
    """Regions and UFs."""

    region: Texts = ()
    uf: Ufs = ()

    def places(self) -> Filters:
        """The same as the queries' argument."""
        return Filters(region=self.region, uf=self.uf)


class PlacesQuery(MonthQuery, Places):
    """The month, and what `here` is of: sites in these regions and UFs."""


class ContractsQuery(PlacesQuery):
    """The same of some contracts: with sites there, of these codes, in these states, whose code or
    customer mentions `search`."""

    contract: Texts = ()
    state: States = ()
    search: Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(clean)] = ""


class OutageFilters(Between):
    """Outages that touch the dates, of sites in these regions and UFs; `waited`: those that waited
    for a part."""

    region: Texts = ()
    uf: Ufs = ()
    contract: Texts = ()
    waited: bool = False
    search: Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(clean)] = ""


class OutagesInOrder(OutageFilters):
    """The same, the last ones first unless asked otherwise."""

    sort: Annotated[Text, one_of(sla.OUTAGE_SORTS)] = "-started_at"


class OutagesQuery(OutagesInOrder, Paged):
    """The same by pages."""


@route("GET", "/sla", query=ContractsQuery, data=list[ContractScore])
def listed(query: ContractsQuery) -> list[ContractScore]:
    """Each contract's month: availability, penalty so far and at the month's end, exposure. `here`
    is of its sites in the regions and UFs asked for; penalties are the whole contract's."""
    found = sla.listed(scope=current_viewer().scope, month=query.month, filters=query.places())
    return wanted(found, query.contract, query.state, query.search)


@route("GET", "/sla/<path:contract>", query=PlacesQuery, data=ContractDetail)
def one(contract: str, query: PlacesQuery) -> ContractDetail:
    """One contract: its month by day, all its months, the 50 parts that put it most at risk.

    Regions and UFs narrow `here` and the parts; days and months are the whole contract's."""
    return sla.detail(
        contract=checked_text("contract", contract),
        scope=current_viewer().scope,
        month=query.month,
        filters=query.places(),
    )


@route("GET", "/outages", query=OutagesQuery, data=list[Outage], paged=True)
def outages(query: OutagesQuery) -> Page[Outage]:
    """Outages, with the part that each waited for."""
    found = sla.outages(**_asked(query), limit=query.limit, cursor=query.cursor)
    return replace(found, rows=[_with_offset(row) for row in found.rows])


def _with_offset(one: Outage) -> Outage:
    """The same with Brasília's offset to its times, which are recorded without."""
    ended_at = one.ended_at and one.ended_at.replace(tzinfo=BRASILIA)
    return replace(one, started_at=one.started_at.replace(tzinfo=BRASILIA), ended_at=ended_at)


@route(
    "GET",
    "/sla/<path:contract>/evidence.pdf",
    permission=Permission.EXPORT,
    query=MonthQuery,
    data=PDF,
)
def evidence(contract: str, query: MonthQuery) -> Response:
    """The evidence sheet of a contract's month: timeline, stock and orders at that time."""
    viewer, code = current_viewer(), checked_text("contract", contract)
    month = query.month or next(iter(sla.months()), date.min)
    found = sla.evidence(contract=code, month=month, scope=viewer.scope)
    trail.note("export", object=f"sla:{code}", after={"month": month.isoformat()})
    named = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in code)
    content = sheet(found, status.current(), viewer)
    return file_answer(content, PDF, f"sla-{named}-{month:%Y-%m}")


@exported("sla", query=ContractsQuery)
def sla_file(query: ContractsQuery) -> Table:
    """Each contract's month with all its figures."""
    found = [_flat(one) for one in listed(query)]
    return Table(_COLUMNS, [[row[name] for name in _COLUMNS] for row in found])


@exported("outages", query=OutagesInOrder, record=Outage)
def outages_file(query: OutagesInOrder) -> Iterator[Outage]:
    """Every outage that the filters let through, the last ones first unless asked otherwise."""
    return every(sla.outages, **_asked(query))


class ContractQuery(MonthQuery):
    """One contract; nothing where none is named."""

    contract: Text = ""


@exported("contract-months", query=ContractQuery, record=ContractMonth)
def months_file(query: ContractQuery) -> list[ContractMonth]:
    """One contract month by month: downtime, availability, penalty."""
    found = _detail(query)
    return found.months if found else []


@exported("contract-days", query=ContractQuery, record=DowntimeDay)
def days_file(query: ContractQuery) -> list[DowntimeDay]:
    """One contract's month day by day: hours a site without service."""
    found = _detail(query)
    return found.days if found else []


class PartsQuery(Places):
    """One contract, and depots in these regions and UFs; nothing where no contract is named."""

    contract: Text = ""


@exported("contract-parts", query=PartsQuery, record=PartExposure)
def parts_file(query: PartsQuery) -> list[PartExposure]:
    """All parts that put a contract at risk now, the highest exposure first."""
    if not query.contract:
        return []
    scope = current_viewer().scope
    return sla.parts(contract=query.contract, scope=scope, filters=query.places())


def _detail(query: ContractQuery) -> ContractDetail | None:
    if not query.contract:
        return None
    return sla.detail(contract=query.contract, scope=current_viewer().scope, month=query.month)


def _asked(query: OutagesInOrder) -> dict[str, Any]:
    return {
        "scope": current_viewer().scope,
        "filters": Filters(region=query.region, uf=query.uf, contract=query.contract),
        "since": query.from_,
        "to": query.to,
        "waited": query.waited,
        "search": query.search,
        "sort": query.sort,
    }


NESTED = ("now", "here", "bands", "next_band")
"""Fields of a score that are records themselves: the month's are columns, so are those of the sites
asked for with `here_` before them, the bands one text."""


_OWN = [one.name for one in fields(ContractScore) if one.name not in NESTED]
_HERE = [f"here_{one.name}" for one in fields(SitesMonth)]
_COLUMNS = [*_OWN, *(one.name for one in fields(ContractMonth)), *_HERE, "penalty_schedule"]


def _flat(score: ContractScore) -> dict[str, Cell]:
    values: dict[str, Any] = asdict(score)
    schedule = ";".join(f"{band.hours:g}:{band.percent:g}" for band in score.bands)
    kept = {name: value for name, value in values.items() if name not in NESTED}
    here = {f"here_{name}": value for name, value in values["here"].items()}
    return {**kept, **values["now"], **here, "penalty_schedule": schedule}
