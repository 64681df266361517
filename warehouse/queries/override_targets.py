"""What an adjustment would touch: the one select that previews and saves share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from domain.access import Scope
from domain.errors import InvalidInput, NotFound
from domain.overrides import MAX_POINTS, Adjustment, check, periods_of
from domain.records import Filters
from warehouse.clock import TODAY
from warehouse.queries.filtering import series_where
from warehouse.queries.published import (
    PublishedRun,
    last_day,
    next_period,
    published_run,
    run_and_days,
)

POINTS = """
SELECT model.item_id, model.site_id, model.date,
    coalesce(given.quantity, model.mean * (1 + CAST(:change AS double precision))) AS mean,
    model.mean AS model_mean, model.p10 AS model_p10, model.p50 AS model_p50,
    model.p90 AS model_p90, naive.mean AS naive_mean
FROM analytics.forecast AS model
JOIN unnest(CAST(:dates AS date[]), CAST(:quantities AS double precision[]))
    AS given (date, quantity) USING (date)
JOIN core.item USING (item_id)
JOIN core.site USING (site_id)
LEFT JOIN analytics.forecast AS naive ON naive.run_id = model.run_id
    AND naive.item_id = model.item_id AND naive.site_id = model.site_id
    AND naive.date = model.date AND naive.model = 'seasonal_naive'
WHERE model.run_id = :run_id AND model.model = 'ensemble' AND {where}
"""
"""One row a series and period: the keys, what would be said, and what the models say."""

COUNTS = f"""override.ended_at IS NULL AND override.expires_on >= {TODAY}
    AND override.frequency = :frequency"""
"""Which overrides a newer one takes periods from."""


@dataclass(frozen=True)
class Target:
    """A checked adjustment: `POINTS` with its parameters, and the run that it is of. `as_of` is the
    last day that the data speak of."""

    run: PublishedRun
    as_of: date
    dates: list[date]
    sql: str
    params: dict[str, Any]


def target_of(connection: Connection, asked: Adjustment, scope: Scope) -> Target:
    """Raises InvalidInput, NotFound for a UF that is out of scope, NothingPublished; what it
    reaches is for `check_reach`."""
    run = published_run(connection)
    as_of = as_of_day(connection, run)
    check(asked, ahead(run, as_of))
    if asked.uf and scope.ufs and asked.uf not in scope.ufs:
        raise NotFound(f"There is no UF {asked.uf!r} in view.", fields={"uf": "unknown"})
    dates = periods_of(asked, ahead(run, as_of))
    where = series_where(scope, _filters(asked))
    params: dict[str, Any] = {
        **where.params,
        "run_id": run.run_id,
        "frequency": run.frequency,
        "change": asked.change,
        "dates": dates,
        "quantities": [(asked.quantities or {}).get(day) for day in dates],
    }
    return Target(run, as_of, dates, POINTS.format(where=where.sql), params)


def check_reach(asked: Adjustment, points: int) -> None:
    """Raises NotFound for an adjustment that reaches no point, InvalidInput for one that reaches
    too many."""
    if not points:
        named = {name: value for name, value in vars(_filters(asked)).items() if value}
        fields = {name: "has no forecast in view" for name in named}
        raise NotFound("No published forecast that you may see matches this.", fields=fields)
    if points > MAX_POINTS:
        reason = f"reaches {points} periods of series; at most {MAX_POINTS}: narrow it"
        raise InvalidInput(f"The adjustment {reason}.", fields={"sku": reason})


def ahead(run: PublishedRun, as_of: date) -> list[date]:
    """First days of the run's periods that have not ended on the last day of the data."""
    starts = [next_period(run.data_to, run.frequency, step + 1) for step in range(run.horizon)]
    return [day for day in starts if last_day(day, run.frequency) > as_of]


def as_of_day(connection: Connection, run: PublishedRun) -> date:
    """The last day that demand, stock or the run speak of: what counts as today for periods."""
    return last_known_day(run, run_and_days(connection).stock)


def last_known_day(run: PublishedRun, stocked: date | None) -> date:
    """The same, where stock is known until `stocked`."""
    known = [last_day(run.data_to, run.frequency), run.known_to, stocked]
    return max(day for day in known if day is not None)


def _filters(asked: Adjustment) -> Filters:
    return Filters(
        sku=(asked.sku,) if asked.sku else (),
        site=(asked.site,) if asked.site else (),
        family=(asked.family,) if asked.family else (),
        uf=(asked.uf,) if asked.uf else (),
    )
