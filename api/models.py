"""GET /models/performance and /models/steps."""

from __future__ import annotations

from pydantic import Field

from api.parameters import DemandClass, Query, SeriesFilters
from api.routing import route
from auth.guards import current_viewer
from domain.records import ModelPerformance, ModelStep
from warehouse.queries import models


class StepsQuery(Query):
    """The demand classes to look at; all of them unless named."""

    class_: DemandClass = Field((), alias="class")


@route("GET", "/models/performance", query=SeriesFilters, data=list[ModelPerformance])
def performance(query: SeriesFilters) -> list[ModelPerformance]:
    """Each model's backtest over everything in view (class null) and by demand class."""
    return models.performance(scope=current_viewer().scope, filters=query.filters())


@route("GET", "/models/steps", query=StepsQuery, data=list[ModelStep])
def steps(query: StepsQuery) -> list[ModelStep]:
    """Each model's accuracy and calibration over the horizon (step 0) and by periods ahead."""
    return models.steps(scope=current_viewer().scope, demand_class=query.class_)
