"""GET /drivers, /drivers/{driver}, /driver-contributions; /exports/drivers and driver-periods."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from api.exporting import exported
from api.parameters import SpannedSeries, checked_text
from api.routing import route
from auth.guards import current_viewer
from domain.drivers import DriverContribution, DriverDetail, DriverScore, Measure
from warehouse.queries import drivers


class DriversQuery(SpannedSeries):
    """What narrows the demand; the UFs narrow the drivers too. `measure`: BRL or units of issue."""

    measure: Measure = "brl"


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


@exported("driver-periods", query=DriversQuery, record=PeriodRow)
def periods_file(query: DriversQuery) -> list[PeriodRow]:
    """Every driver's periods beside the demand in them."""
    details = (_detail(one.driver, query) for one in listed(query))
    return [
        PeriodRow(one.score.driver, one.score.period, period.start, period.value, period.demand)
        for one in details
        for period in one.history
    ]


@exported("driver-contributions", record=DriverContribution)
def contributions_file() -> list[DriverContribution]:
    """What each driver brings to the forecasts of each demand class."""
    return drivers.contributions()


def _detail(driver: str, query: DriversQuery) -> DriverDetail:
    return drivers.detail(
        driver=driver,
        scope=current_viewer().scope,
        filters=query.filters(),
        measure=query.measure,
    )
