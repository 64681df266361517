"""GET /models/performance, /models/steps and /models/diagnostics."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import Field

from api.exporting import exported
from api.parameters import (
    DemandClass,
    ModelNames,
    Query,
    SeriesFilters,
    Text,
    Texts,
    Ufs,
    told,
)
from api.routing import route
from auth.guards import current_viewer
from domain.records import (
    Accuracy,
    BacktestPoint,
    ClassChoice,
    Filters,
    ForecastPoint,
    ModelPerformance,
    ModelStep,
    SeriesDiagnostics,
    SeriesProfile,
)
from warehouse.queries import forecasts, models


class StepsQuery(Query):
    """The demand classes to look at; all of them unless named."""

    class_: DemandClass = Field((), alias="class")


class PlacesQuery(StepsQuery):
    """The same within some places."""

    uf: Ufs = ()
    region: Texts = ()
    contract: Texts = ()


@route("GET", "/models/performance", query=SeriesFilters, data=list[ModelPerformance])
def performance(query: SeriesFilters) -> list[ModelPerformance]:
    """Each model's backtest over everything in view (class null) and by demand class."""
    return models.performance(scope=current_viewer().scope, filters=query.filters())


@route("GET", "/models/steps", query=PlacesQuery, data=list[ModelStep])
def steps(query: PlacesQuery) -> list[ModelStep]:
    """Each model's accuracy and calibration over the horizon (step 0) and by periods ahead."""
    return models.steps(scope=current_viewer().scope, filters=told(query, Filters))


class SeriesQuery(Query):
    """One item-site series; of those that are left open the one with the most demand in view."""

    sku: Text = ""
    site: Text = ""


@dataclass(frozen=True)
class SeriesAnswer:
    """What the published run knows of one series: its kind and champion, how the members of its
    class were chosen, what is left in the residuals and how demand comes apart (null for a run that
    did not look), each model's accuracy, forecast and backtest."""

    profile: SeriesProfile
    choice: ClassChoice | None
    diagnostics: SeriesDiagnostics | None
    accuracy: list[Accuracy]
    forecast: list[ForecastPoint]
    backtest: list[BacktestPoint]


@route("GET", "/models/diagnostics", query=SeriesQuery, data=list[SeriesAnswer])
def diagnostics(query: SeriesQuery) -> list[SeriesAnswer]:
    """Residuals, decomposition, members' forecasts, backtest and the champion of one series; empty
    where no such series is in view."""
    scope = current_viewer().scope
    series = forecasts.most_demanded(sku=query.sku or None, site=query.site or None, scope=scope)
    if not series:
        return []
    sku, site = series
    profile = forecasts.profile(sku=sku, site=site, scope=scope)
    choices = {one.demand_class: one for one in models.choices()}
    return [
        SeriesAnswer(
            profile=profile,
            choice=choices.get(profile.demand_class),
            diagnostics=forecasts.diagnostics(sku=sku, site=site, scope=scope),
            accuracy=forecasts.accuracy(sku=sku, site=site, scope=scope),
            forecast=forecasts.series(sku=sku, site=site, scope=scope),
            backtest=forecasts.backtest(sku=sku, site=site, scope=scope),
        )
    ]


@exported("model-performance", query=SeriesFilters, record=ModelPerformance)
def performance_file(query: SeriesFilters) -> list[ModelPerformance]:
    """Each model's backtest over everything in view and by demand class; of classes that are named
    by class alone."""
    return [one for one in performance(query) if one.demand_class or not query.class_]


class StepLinesQuery(PlacesQuery):
    """The same of all models unless some are named."""

    model: ModelNames = ()


@exported("model-steps", query=StepLinesQuery, record=ModelStep)
def steps_file(query: StepLinesQuery) -> list[ModelStep]:
    """Each model's accuracy and calibration by periods ahead."""
    shown = query.model
    return [one for one in steps(query) if one.step and (not shown or one.model in shown)]


@dataclass(frozen=True)
class QuantileLine:
    """Of one quantile of the ensemble: the share of actuals that should lie below it, and those
    that lay below and not above."""

    quantile: str
    level: float
    below: float
    at_most: float


@exported("model-calibration", query=PlacesQuery, record=QuantileLine)
def calibration_file(query: PlacesQuery) -> list[QuantileLine]:
    """How often actuals lay below each quantile of the ensemble, over the whole horizon."""
    names, levels = ("p10", "p50", "p90"), (0.1, 0.5, 0.9)
    return [
        QuantileLine(*line)
        for one in steps(query)
        if one.model == models.ENSEMBLE and not one.step
        for line in zip(names, levels, one.below, one.at_most, strict=True)
    ]


@dataclass(frozen=True)
class ChoiceLine:
    """A candidate of a demand class."""

    demand_class: str
    model: str
    weight: float
    class_error: float | None
    judged_on: int | None
    drop_above: float | None
    quantile_weight: float
    quantile_error: float | None
    drop_quantiles_above: float | None
    published_as_naive: bool


@exported("model-choices", query=StepsQuery, record=ChoiceLine)
def choices_file(query: StepsQuery) -> list[ChoiceLine]:
    """How the members of the ensemble were chosen for each demand class, a line a candidate."""
    return [
        line
        for chosen in models.choices()
        if not query.class_ or chosen.demand_class in query.class_
        for line in _choice_lines(chosen)
    ]


def _choice_lines(chosen: ClassChoice) -> list[ChoiceLine]:
    return [
        ChoiceLine(
            demand_class=chosen.demand_class,
            model=model,
            weight=weight,
            class_error=chosen.errors.get(model),
            judged_on=chosen.judged_on.get(model),
            drop_above=chosen.drop_above,
            quantile_weight=chosen.quantile_weight(model),
            quantile_error=chosen.quantile_errors.get(model),
            drop_quantiles_above=chosen.drop_quantiles_above,
            published_as_naive=chosen.published_as_naive,
        )
        for model, weight in chosen.weights.items()
    ]


@exported("series-accuracy", query=SeriesQuery, record=Accuracy)
def accuracy_file(query: SeriesQuery) -> list[Accuracy]:
    """Each model's backtest accuracy over one series."""
    if not (query.sku and query.site):
        return []
    return forecasts.accuracy(sku=query.sku, site=query.site, scope=current_viewer().scope)
