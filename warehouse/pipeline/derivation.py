"""What a run is derived for: its calendar, the day that counts as today, the company's settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from sqlalchemy import Connection, text

from domain.inventory import Array
from domain.policy_settings import PolicySettings
from domain.recommending.settings import RecommendationSettings
from warehouse.queries.published import last_day
from warehouse.queries.stocked import overridden


@dataclass(frozen=True)
class Setup:
    """The run being derived and the day from which the future is counted."""

    run_id: int
    frequency: str
    horizon: int
    data_to: date
    known_to: date
    today: date
    settings: PolicySettings
    rates: RecommendationSettings

    def stockout_on(self, days: Array) -> pd.Series:
        """The days within which stock runs out so many days from the end of today; NaT for NaN."""
        return pd.Timestamp(self.today) + pd.to_timedelta(pd.Series(np.ceil(days)), unit="D")


def setup_of(connection: Connection, run_id: int) -> Setup:
    row = connection.execute(
        text(
            """
            SELECT frequency, horizon, data_to,
                (SELECT max(date) FROM analytics.demand_by_day) AS demand_to,
                (SELECT max(stock_date) FROM analytics.series_overview) AS stock_to,
                (SELECT value FROM support.setting WHERE key = 'policy') AS settings,
                (SELECT value FROM support.setting WHERE key = 'recommendations') AS rates
            FROM analytics.run WHERE run_id = :run_id
            """
        ),
        {"run_id": run_id},
    ).one()
    known_to = last_day(row.data_to, row.frequency)
    today = max(day for day in (known_to, row.demand_to, row.stock_to) if day is not None)
    settings = overridden(PolicySettings(), row.settings or {})
    rates = overridden(RecommendationSettings(), row.rates or {})
    return Setup(run_id, row.frequency, row.horizon, row.data_to, known_to, today, settings, rates)
