"""How good each model is: by demand class and by step of the horizon, and why it has its weight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, text

from domain.access import EVERYTHING, Scope
from domain.classes import DEMAND_CLASSES, INTERMITTENT_CLASSES
from domain.records import NO_FILTERS, ClassChoice, Filters, ModelPerformance, ModelStep
from warehouse import ages
from warehouse.caching import once, read_model
from warehouse.queries.filtering import of_places, series_where
from warehouse.queries.published import published_run

ENSEMBLE, NAIVE = "ensemble", "seasonal_naive"
EVERY_CLASS = "*"

_PERFORMANCE = """
WITH seen AS (
    SELECT accuracy.*,
        CASE WHEN demand_class = ANY(:rough) THEN rmsse ELSE mase END AS error
    FROM analytics.forecast_accuracy AS accuracy
    JOIN core.item USING (item_id) JOIN core.site USING (site_id)
    WHERE run_id = :run_id AND {where}
), best AS (
    SELECT DISTINCT ON (item_id, site_id) item_id, site_id, model FROM seen
    WHERE error IS NOT NULL ORDER BY item_id, site_id, error, model
)
SELECT seen.model, seen.demand_class, count(*) AS series, sum(seen.points) AS points,
    sum(seen.abs_error_sum) / nullif(sum(seen.actual_sum), 0) AS wape,
    avg(seen.mase) AS mase, avg(seen.rmsse) AS rmsse,
    sum(seen.error_sum) / nullif(sum(seen.actual_sum), 0) AS bias,
    sum(seen.pct_error_sum) / nullif(sum(seen.pct_points), 0) AS mape,
    sum(seen.pct_points)::double precision / nullif(sum(seen.points), 0) AS mape_coverage,
    sum(seen.covered80_points)::double precision / nullif(sum(seen.points), 0) AS coverage80,
    sum(naive.abs_error_sum - seen.abs_error_sum) FILTER (WHERE naive.points = seen.points)
        / nullif(sum(seen.actual_sum) FILTER (WHERE naive.points = seen.points), 0) AS fva,
    count(best.model) AS wins
FROM seen
LEFT JOIN best USING (item_id, site_id, model)
LEFT JOIN seen AS naive ON naive.item_id = seen.item_id AND naive.site_id = seen.site_id
    AND naive.model = :naive
GROUP BY GROUPING SETS ((seen.model, seen.demand_class), (seen.model))
ORDER BY seen.demand_class NULLS FIRST, mase NULLS LAST, seen.model
"""

_STEPS = """
SELECT model, step, sum(points), sum(abs_error_sum) / nullif(sum(actual_sum), 0),
    sum(error_sum) / nullif(sum(actual_sum), 0),
    sum(below10)::float8 / sum(points), sum(below50)::float8 / sum(points),
    sum(below90)::float8 / sum(points), sum(at_most10)::float8 / sum(points),
    sum(at_most50)::float8 / sum(points), sum(at_most90)::float8 / sum(points)
FROM analytics.accuracy_by_step AS steps JOIN core.site USING (site_id)
WHERE run_id = :run_id AND {where}
GROUP BY GROUPING SETS ((model, step), (model))
ORDER BY model, step NULLS FIRST
"""


@read_model(at_most=ages.FORECASTS)
def performance(
    connection: Connection, *, scope: Scope = EVERYTHING, filters: Filters = NO_FILTERS
) -> list[ModelPerformance]:
    """Each model over everything in view (class None, first) and over each demand class, the best
    MASE first. Raises NothingPublished."""
    run = published_run(connection)
    where = series_where(scope, filters)
    params = {**where.params, "rough": list(INTERMITTENT_CLASSES), "naive": NAIVE}
    sql = text(_PERFORMANCE.format(where=where.sql))
    rows = connection.execute(sql, {**params, "run_id": run.run_id}).all()
    trained = _trained(connection, run.run_id)
    return [_performance(row, trained.get(row.model, {})) for row in rows]


def _performance(row: Row[Any], trained: Mapping[str, Any]) -> ModelPerformance:
    parameters, name = trained.get("parameters", {}), row.demand_class or EVERY_CLASS
    return ModelPerformance(
        **row._mapping,
        weight=parameters.get("class_weight", {}).get(name),
        class_error=parameters.get("class_error", {}).get(name),
        judged_on=parameters.get("judged_on_sample", {}).get(name),
        seconds=trained.get("seconds"),
    )


@read_model(at_most=ages.FORECASTS)
def steps(
    connection: Connection, *, scope: Scope = EVERYTHING, filters: Filters = NO_FILTERS
) -> list[ModelStep]:
    """Each model over the whole horizon (step 0), then by periods ahead; empty for a run from
    before these were kept. They are kept by place and demand class: of the filters nothing else
    narrows them. Raises NothingPublished."""
    run = published_run(connection)
    where = series_where(scope, of_places(filters))
    where.any_of(filters.demand_class, "class", "steps.demand_class = ANY(:class)")
    sql = text(_STEPS.format(where=where.sql))
    rows = connection.execute(sql, {**where.params, "run_id": run.run_id})
    return [_step(*row) for row in rows]


def _step(
    model: str,
    step: int | None,
    points: int,
    wape: float | None,
    bias: float | None,
    *shares: float,
) -> ModelStep:
    below, at_most = shares[:3], shares[3:]
    return ModelStep(model, step or 0, points, wape, bias, below, at_most)  # type: ignore[arg-type]


@read_model(at_most=ages.FORECASTS)
def choices(connection: Connection) -> list[ClassChoice]:
    """How the members of each demand class of the published run were chosen; empty for a run that
    does not say. Raises NothingPublished."""
    trained = _trained(connection, published_run(connection).run_id)
    found = [_choice(name, trained) for name in DEMAND_CLASSES]
    return [choice for choice in found if choice.weights]


def _choice(demand_class: str, trained: Mapping[str, Mapping[str, Any]]) -> ClassChoice:
    said = {name: model.get("parameters", {}) for name, model in trained.items()}
    errors = _of_class(said, "class_error", demand_class)
    weights = {
        name: weight
        for name, weight in _of_class(said, "class_weight", demand_class).items()
        if weight > 0 or demand_class in said[name].get("candidate_for", ())
    }
    rules = said.get(ENSEMBLE, {})
    limit = "drop_above_of_counts" if demand_class in INTERMITTENT_CLASSES else "drop_above"
    return ClassChoice(
        demand_class=demand_class,
        errors=errors,
        weights=weights,
        judged_on=_of_class(said, "judged_on_sample", demand_class),
        drop_above=rules.get(limit),
        published_as_naive=demand_class in rules.get("published_as_seasonal_naive", ()),
        drop_quantiles_above=rules.get("drop_quantiles_above"),
        quantile_errors={
            name: loss
            for name, loss in _of_class(said, "class_quantile_error", demand_class).items()
            if name in weights
        },
        quantile_weights=_of_class(said, "class_quantile_weight", demand_class),
    )


def _of_class(
    said: Mapping[str, Mapping[str, Any]], name: str, demand_class: str
) -> dict[str, Any]:
    return {
        model: parameters[name][demand_class]
        for model, parameters in said.items()
        if demand_class in parameters.get(name, {})
    }


def _trained(connection: Connection, run_id: int) -> dict[str, dict[str, Any]]:
    """What the run's manifest says of each model."""
    sql = text("SELECT manifest -> 'models' FROM analytics.run WHERE run_id = :run_id")
    listed = once(
        connection,
        ("models", run_id),
        lambda: connection.execute(sql, {"run_id": run_id}).scalar_one(),
    )
    return {model["name"]: model for model in listed or []}
