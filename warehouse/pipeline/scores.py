"""The run's own figures: set-based statements."""

from __future__ import annotations

import json
from collections.abc import Iterable

import numpy as np
from sqlalchemy import Connection, text

from warehouse.pipeline.copying import frame_of
from warehouse.pipeline.derivation import Setup
from warehouse.queries.daily import SIGMA_PER_BAND

BAND_LEVEL = 0.8


def write_accuracy(connection: Connection, setup: Setup) -> None:
    """Fills accuracy_by_step of a run, once."""
    connection.execute(text(_ACCURACY_BY_STEP), {"run_id": setup.run_id})


_ACCURACY_BY_STEP = """
INSERT INTO analytics.accuracy_by_step
SELECT run_id, site_id, demand_class, model,
    CASE run.frequency WHEN 'D' THEN date - origin WHEN 'W' THEN (date - origin) / 7
        ELSE (extract(year FROM age(date, origin)) * 12 + extract(month FROM age(date, origin)))
    END AS step,
    count(*), sum(abs(backtest.mean - actual)), sum(backtest.mean - actual), sum(actual),
    count(*) FILTER (WHERE actual < p10), count(*) FILTER (WHERE actual < p50),
    count(*) FILTER (WHERE actual < p90), count(*) FILTER (WHERE actual <= p10),
    count(*) FILTER (WHERE actual <= p50), count(*) FILTER (WHERE actual <= p90)
FROM analytics.backtest
JOIN analytics.run USING (run_id)
JOIN analytics.series_profile USING (run_id, item_id, site_id)
WHERE run_id = :run_id
    AND NOT EXISTS (SELECT FROM analytics.accuracy_by_step AS known WHERE known.run_id = :run_id)
GROUP BY 1, 2, 3, 4, 5
"""


_BACKTEST_TOTALS = f"""
SELECT sum(actual) AS actual, sum(mean) AS mean,
    sum(power((p90 - p10) / {SIGMA_PER_BAND}, 2)) AS variance,
    sum(actual * unit_cost_brl) AS actual_brl, sum(mean * unit_cost_brl) AS mean_brl,
    sum(power((p90 - p10) / {SIGMA_PER_BAND} * unit_cost_brl, 2)) AS variance_brl
FROM analytics.backtest JOIN core.item USING (item_id)
WHERE run_id = :run_id AND model = 'ensemble' GROUP BY origin, date
"""

_METRICS = """
UPDATE analytics.run SET metrics = metrics || jsonb_build_object(
    'total_band', CAST(:band AS jsonb),
    'wape', (
        SELECT sum(abs_error_sum) / nullif(sum(actual_sum), 0) FROM analytics.forecast_accuracy
        WHERE run_id = :run_id AND model = 'ensemble'
    )
) WHERE run_id = :run_id
"""


def write_metrics(connection: Connection, setup: Setup) -> None:
    totals = frame_of(connection, _BACKTEST_TOTALS, {"run_id": setup.run_id}).astype("float64")
    band = {
        measure: total_band(totals[f"actual{end}"], totals[f"mean{end}"], totals[f"variance{end}"])
        for measure, end in (("units", ""), ("brl", "_brl"))
    }
    connection.execute(text(_METRICS), {"run_id": setup.run_id, "band": json.dumps(band)})


def total_band(
    actual: Iterable[float], mean: Iterable[float], variance: Iterable[float]
) -> dict[str, float | int | None]:
    """The z for which 80 % of backtest totals lie within mean ± z·√Σσ², and the number n of totals
    it was calibrated on: the ⌈0.8·(n + 1)⌉-th smallest |error| ÷ √Σσ² (split conformal,
    Vovk et al. 2005). z is None with fewer than 10 totals.
    """
    error = np.abs(np.asarray(actual, float) - np.asarray(mean, float))
    sigma = np.sqrt(np.asarray(variance, float))
    scores = np.sort(error[sigma > 0] / sigma[sigma > 0])
    n = len(scores)
    if n < 10:
        return {"z": None, "n": n}
    rank = min(n, int(np.ceil(BAND_LEVEL * (n + 1))))
    return {"z": float(scores[rank - 1]), "n": n}
