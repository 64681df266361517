"""GET /drivers, /drivers/{driver}, /driver-contributions, and their files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from api.exporting import exported
from api.parameters import SpannedSeries, Text, checked_text
from api.routing import route
from auth.guards import current_viewer
from domain.drivers import DriverContribution, DriverDetail, DriverScore, Measure
from warehouse.queries import drivers


class DriversQuery(SpannedSeries):
    """What narrows the demand; the UFs narrow the drivers too. `measure`: BRL or units of issue."""

    measure: Measure = "brl"


class CloserQuery(DriversQuery):
    """The same of one driver, or of all."""

    driver: Text | None = None


@dataclass(frozen=True)
class LagRow:
    """A driver so many periods earlier against the demand."""

    driver: str
    period: str
    lag: int
    correlation: float
    limit: float
    pairs: int
    effective: float
    p_value: float


@dataclass(frozen=True)
class PeriodRow:
    """A driver's mean in one period beside the demand."""

    driver: str
    period: str
    start: date
    value: float | None
    demand: float


@route("GET", "/drivers", query=DriversQuery, data=list[DriverScore])
def listed(query: DriversQuery) -> list[DriverScore]:
    """Each driver against the demand in view: the lag at which both move together, and how surely;
    those first that chance explains least."""
    return drivers.every(
        scope=current_viewer().scope, filters=query.filters(), measure=query.measure
    )


@route("GET", "/drivers/<path:driver>", query=DriversQuery, data=DriverDetail)
def one(driver: str, query: DriversQuery) -> DriverDetail:
    """One driver: its periods beside the demand, every lag, and what it brings to the forecasts."""
    return _detail(checked_text("driver", driver), query)


@route("GET", "/driver-contributions", data=list[DriverContribution])
def contributions() -> list[DriverContribution]:
    """What the published run's backtest says that each driver brings to each demand class."""
    return drivers.contributions()


@exported("drivers", query=DriversQuery, record=DriverScore)
def drivers_file(query: DriversQuery) -> list[DriverScore]:
    """Every driver against the demand in view."""
    return listed(query)


@exported("driver-periods", query=CloserQuery, record=PeriodRow)
def periods_file(query: CloserQuery) -> list[PeriodRow]:
    """Every driver's periods beside the demand in them."""
    return [
        PeriodRow(one.score.driver, one.score.period, period.start, period.value, period.demand)
        for one in _details(query)
        for period in one.history
    ]


@exported("driver-lags", query=CloserQuery, record=LagRow)
def lags_file(query: CloserQuery) -> list[LagRow]:
    """How every driver moves with the demand so many periods later."""
    return [
        LagRow(driver=one.score.driver, period=one.score.period, **vars(lag))
        for one in _details(query)
        for lag in one.lags
    ]


@exported("driver-contributions", record=DriverContribution)
def contributions_file() -> list[DriverContribution]:
    """What each driver brings to the forecasts of each demand class."""
    return drivers.contributions()


def _details(query: CloserQuery) -> Iterator[DriverDetail]:
    names = [query.driver] if query.driver else [one.driver for one in listed(query)]
    return (_detail(name, query) for name in names)


def _detail(driver: str, query: DriversQuery) -> DriverDetail:
    return drivers.detail(
        driver=driver,
        scope=current_viewer().scope,
        filters=query.filters(),
        measure=query.measure,
    )
