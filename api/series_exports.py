"""GET /exports/series, level-series, series-backtest, series-residuals and series-parts: what the
charts of a forecast are drawn from, as .csv and .xlsx."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import Field

from api.exporting import exported
from api.forecasts import Area, LevelName
from api.models import SeriesQuery
from api.parameters import Day, ModelNames, Query, Text
from auth.guards import current_viewer
from domain.errors import NotFound
from domain.records import BacktestPoint, ForecastPoint, SeriesDiagnostics
from warehouse.queries import forecasts, levels, series


class LinesQuery(SeriesQuery):
    """One series: its history from a day on, and forecasts of all models unless some are named;
    `ahead`: whether there are forecasts in it at all."""

    model: ModelNames = ()
    from_: Day | None = Field(None, alias="from")
    ahead: bool = True


@dataclass(frozen=True)
class SeriesLine:
    """A period of one series: what was demanded, or what a model says of it."""

    sku: str
    site: str
    unit: str | None
    date: date
    actual: float | None
    model: str | None = None
    mean: float | None = None
    p10: float | None = None
    p50: float | None = None
    p90: float | None = None
    override_id: int | None = None
    override_mean: float | None = None
    override_p10: float | None = None
    override_p50: float | None = None
    override_p90: float | None = None


@exported("series", query=LinesQuery, record=SeriesLine)
def series_file(query: LinesQuery) -> list[SeriesLine]:
    """One series: what was demanded in each period, then what each model says of those to come."""
    if not (query.sku and query.site):
        return []
    one = _one(query)
    unit = series.one(**one).unit
    past = forecasts.history(**one, since=query.from_)
    ahead = _ahead(one, query.model) if query.ahead else []
    return [
        *(SeriesLine(query.sku, query.site, unit, each.date, each.quantity) for each in past),
        *(SeriesLine(unit=unit, **vars(each)) for each in ahead),
    ]


def _ahead(one: dict[str, Any], models: tuple[str, ...]) -> list[ForecastPoint]:
    try:
        return forecasts.series(**one, models=models or None)
    except NotFound:  # a depot with stock alone has history without a forecast
        return []


class SumQuery(Query):
    """One sum over depots: of an item, or of a family in one unit; its history from a day on."""

    level: LevelName = "item_country"
    sku: Text = ""
    family: Text = ""
    unit: Text = ""
    area: Area = "BR"
    from_: Day | None = Field(None, alias="from")


@dataclass(frozen=True)
class SumLine:
    """A period of one sum: what was demanded, or what is forecast."""

    level: str
    sku: str | None
    family: str | None
    unit: str | None
    area: str
    date: date
    actual: float | None = None
    mean: float | None = None
    p025: float | None = None
    p10: float | None = None
    p50: float | None = None
    p90: float | None = None
    p975: float | None = None


@exported("level-series", query=SumQuery, record=SumLine)
def level_file(query: SumQuery) -> list[SumLine]:
    """One sum: what was demanded in each period, then the ensemble's forecast."""
    asked = query.model_dump(exclude={"from_"}) | {"scope": current_viewer().scope}
    ahead = levels.series(**asked)
    if not ahead:
        return []
    first = ahead[0]
    of = {name: getattr(first, name) for name in ("level", "sku", "family", "unit", "area")}
    past = levels.history(**asked, since=query.from_)
    return [
        *(SumLine(**of, date=each.date, actual=each.quantity) for each in past),
        *(SumLine(**vars(each)) for each in ahead),
    ]


class BacktestQuery(SeriesQuery):
    """One series, of all models unless some are named."""

    model: ModelNames = ()


@exported("series-backtest", query=BacktestQuery, record=BacktestPoint)
def backtest_file(query: BacktestQuery) -> list[BacktestPoint]:
    """What each model said of one series at its origins, and what was then demanded."""
    if not (query.sku and query.site):
        return []
    found = forecasts.backtest(**_one(query))
    return [each for each in found if not query.model or each.model in query.model]


@dataclass(frozen=True)
class ResidualLine:
    """Autocorrelation of a model's errors so many periods apart; within ± `bound` it is noise."""

    model: str
    lag: int
    correlation: float
    bound: float


@exported("series-residuals", query=SeriesQuery, record=ResidualLine)
def residuals_file(query: SeriesQuery) -> list[ResidualLine]:
    """What the errors of one series' model still hold."""
    found = _diagnostics(query)
    if found is None or found.residuals is None:
        return []
    left = found.residuals
    return [
        ResidualLine(left.model, lag, value, left.bound) for lag, value in enumerate(left.acf, 1)
    ]


@dataclass(frozen=True)
class PartLine:
    """A period's demand as trend, season and what is left."""

    date: date
    actual: float
    trend: float
    season: float
    rest: float


@exported("series-parts", query=SeriesQuery, record=PartLine)
def parts_file(query: SeriesQuery) -> list[PartLine]:
    """The demand of one series taken apart by STL."""
    found = _diagnostics(query)
    if found is None or found.decomposition is None:
        return []
    parts = found.decomposition
    columns = (parts.dates, parts.actual, parts.trend, parts.season, parts.rest)
    return [PartLine(*each) for each in zip(*columns, strict=True)]


def _diagnostics(query: SeriesQuery) -> SeriesDiagnostics | None:
    return forecasts.diagnostics(**_one(query)) if query.sku and query.site else None


def _one(query: SeriesQuery) -> dict[str, Any]:
    return {"sku": query.sku, "site": query.site, "scope": current_viewer().scope}
