"""Overrides put in the place of a run's ensemble: the first step of derive.

One that is in force (not ended, not expired today, of the run's frequency) counts for those of its
periods that the run forecasts and that nothing newer has taken from it. Quantities stand as they
were given; a lift is applied to this run's forecast. Quantiles are scaled with the mean, so that
the spread keeps its proportion. Those of quantities are moved by the difference instead, not below
0, where the model's p90 is under its mean, as with rare demand, or its mean is 0: either way
p10 ≤ p50 ≤ p90 stays true.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from warehouse.clock import TODAY

_APPLY = f"""
INSERT INTO analytics.override_in_force
    (run_id, item_id, site_id, date, override_id, mean, p10, p50, p90)
SELECT model.run_id, item_id, site_id, date, override_id, said.mean,
    CASE WHEN scaled THEN model.p10 * ratio ELSE greatest(0, model.p10 + moved) END,
    CASE WHEN scaled THEN model.p50 * ratio ELSE greatest(0, model.p50 + moved) END,
    CASE WHEN scaled THEN model.p90 * ratio ELSE greatest(0, model.p90 + moved) END
FROM support.override
JOIN support.override_point AS point USING (override_id)
JOIN analytics.forecast AS model USING (item_id, site_id, date)
JOIN analytics.run ON run.run_id = model.run_id AND run.frequency = override.frequency
CROSS JOIN LATERAL (
    SELECT coalesce(model.mean * (1 + override.change), point.mean) AS mean
) AS said
CROSS JOIN LATERAL (
    SELECT said.mean - model.mean AS moved, said.mean / nullif(model.mean, 0) AS ratio,
        model.mean > 0 AND (override.change IS NOT NULL OR model.p90 >= model.mean) AS scaled
) AS how
WHERE model.run_id = :run_id AND model.model = 'ensemble' AND override.ended_at IS NULL
    AND point.superseded_by IS NULL AND override.expires_on >= {TODAY}
"""

_MARK = f"""
SELECT concat_ws('.', max(override_id), count(ended_at),
    count(*) FILTER (WHERE ended_at IS NULL AND expires_on < {TODAY}))
FROM support.override
"""


def apply_overrides(connection: Connection, run_id: int) -> None:
    """Fills override_in_force of a run, replacing what was there, and notes which overrides it
    has seen: one that is saved meanwhile is seen next time."""
    mark = connection.execute(text(_MARK)).scalar()
    params = {"run_id": run_id}
    connection.execute(
        text("DELETE FROM analytics.override_in_force WHERE run_id = :run_id"), params
    )
    connection.execute(text(_APPLY), params)
    connection.execute(
        text(
            "UPDATE analytics.run SET metrics = metrics"
            " || jsonb_build_object('overrides', CAST(:mark AS text)) WHERE run_id = :run_id"
        ),
        {**params, "mark": mark},
    )


def overrides_changed(connection: Connection, run_id: int) -> bool:
    """True if an override was saved or ended, or has expired, since the run was last derived."""
    sql = f"SELECT metrics ->> 'overrides' IS DISTINCT FROM ({_MARK}) FROM analytics.run"
    return bool(
        connection.execute(text(f"{sql} WHERE run_id = :run_id"), {"run_id": run_id}).scalar_one()
    )
