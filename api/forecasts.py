"""GET /forecasts, /forecasts/levels and /forecasts/levels/accuracy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from api.exporting import exported
from api.parameters import Between, ModelName, Paged, SeriesFilters, Texts, split
from api.routing import route
from auth.guards import current_viewer
from domain.records import ForecastPoint, LevelAccuracy, LevelPoint, Page
from warehouse.queries import forecasts, levels
from warehouse.queries.paging import every


class ForecastsFilters(SeriesFilters, Between):
    """What narrows forecasts; the ensemble's unless another model is asked for."""

    model: ModelName = "ensemble"


class ForecastsQuery(ForecastsFilters, Paged):
    """The same by pages."""


@route("GET", "/forecasts", query=ForecastsQuery, data=list[ForecastPoint], paged=True)
def listed(query: ForecastsQuery) -> Page[ForecastPoint]:
    """Mean and quantiles for every date of the horizon, with the actual where it is known."""
    return forecasts.page(
        scope=current_viewer().scope,
        filters=query.filters(),
        model=query.model,
        limit=query.limit,
        cursor=query.cursor,
    )


LevelName = Literal[
    "item_uf",
    "item_region",
    "item_country",
    "family_uf",
    "family_region",
    "family_country",
    "all_country",
]
Area = Annotated[str, Field(pattern=r"^[A-Z]{1,2}$")]
Areas = Annotated[tuple[Area, ...], Field(max_length=40), BeforeValidator(split)]


class LevelsFilters(Between):
    """One level; all of its sums unless some are named."""

    level: LevelName = "item_uf"
    sku: Texts = ()
    family: Texts = ()
    area: Areas = ()


class LevelsQuery(LevelsFilters, Paged):
    """The same by pages."""


@route("GET", "/forecasts/levels", query=LevelsQuery, data=list[LevelPoint], paged=True)
def summed(query: LevelsQuery) -> Page[LevelPoint]:
    """Forecasts of items or families (by unit) in UFs, regions (N, NE, CO, SE, S) or Brazil (BR):
    the sums of their depots'. A reader with a scope sees the sums over their UFs."""
    return levels.page(
        scope=current_viewer().scope,
        level=query.level,
        sku=query.sku,
        family=query.family,
        area=query.area,
        date_from=query.from_,
        date_to=query.to,
        limit=query.limit,
        cursor=query.cursor,
    )


@route("GET", "/forecasts/levels/accuracy", data=list[LevelAccuracy])
def accuracy() -> list[LevelAccuracy]:
    """The ensemble's backtest at each level in view, from depots (item_depot) to the country."""
    return levels.accuracy(scope=current_viewer().scope)


@exported("forecasts", query=ForecastsFilters, record=ForecastPoint)
def forecasts_file(query: ForecastsFilters) -> Iterator[ForecastPoint]:
    """Mean and quantiles for every series in view and every date of the horizon."""
    scope = current_viewer().scope
    return every(forecasts.page, scope=scope, filters=query.filters(), model=query.model)


@exported("forecast-levels", query=LevelsFilters, record=LevelPoint)
def levels_file(query: LevelsFilters) -> Iterator[LevelPoint]:
    """Forecasts of one level: the sums of their depots'."""
    return every(
        levels.page,
        scope=current_viewer().scope,
        level=query.level,
        sku=query.sku,
        family=query.family,
        area=query.area,
        date_from=query.from_,
        date_to=query.to,
    )


@exported("level-accuracy", record=LevelAccuracy)
def accuracy_file() -> list[LevelAccuracy]:
    """The ensemble's backtest at each level in view."""
    return accuracy()
