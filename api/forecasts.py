"""GET /forecasts."""

from __future__ import annotations

from api.parameters import Between, ModelName, Paged, SeriesFilters
from api.routing import route
from auth.guards import current_viewer
from domain.records import ForecastPoint, Page
from warehouse.queries import forecasts


class ForecastsQuery(SeriesFilters, Between, Paged):
    """Filters of the list; the ensemble unless another model is asked for."""

    model: ModelName = "ensemble"


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
