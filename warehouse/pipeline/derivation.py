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
from warehouse.queries.published import BUCKET, NATIVE, REACHED, last_day
from warehouse.queries.stocked import IN_TERMS, overridden


@dataclass(frozen=True)
class Setup:
    """The run being derived and the day from which the future is counted. `native`: the period that
    each row of demand stands for."""

    run_id: int
    frequency: str
    native: str
    horizon: int
    data_to: date
    known_to: date
    today: date
    settings: PolicySettings
    rates: RecommendationSettings

    @property
    def row_period(self) -> dict[str, str]:
        """What a row of demand stands for, as `bucket` and `period` of SQL."""
        bucket = BUCKET[self.native]
        return {"bucket": bucket, "period": f"1 {bucket}"}

    def stockout_on(self, days: Array) -> pd.Series:
        """The days within which stock runs out so many days from the end of today; NaT for NaN."""
        return pd.Timestamp(self.today) + pd.to_timedelta(pd.Series(np.ceil(days)), unit="D")


_MARK = f"""
SELECT md5(coalesce(string_agg(key || value, ' ' ORDER BY key), ''))
FROM support.setting WHERE {IN_TERMS}
"""


def note_settings(connection: Connection, run_id: int) -> None:
    """Before a derivation reads them: notes which settings it has seen. One that is changed
    meanwhile is seen next time."""
    sql = f"""
        UPDATE analytics.run SET metrics = metrics || jsonb_build_object('settings', ({_MARK}))
        WHERE run_id = :run_id
    """
    connection.execute(text(sql), {"run_id": run_id})


def settings_changed(connection: Connection, run_id: int) -> bool:
    """True if the settings are others than those that the run was last derived with."""
    sql = f"SELECT metrics ->> 'settings' IS DISTINCT FROM ({_MARK}) FROM analytics.run"
    return bool(
        connection.execute(text(f"{sql} WHERE run_id = :run_id"), {"run_id": run_id}).scalar_one()
    )


def setup_of(connection: Connection, run_id: int) -> Setup:
    row = connection.execute(
        text(
            f"""
            SELECT frequency, horizon, data_to,
                coalesce({NATIVE}, 'D') AS native, {REACHED} AS demand_to,
                (SELECT max(stock_date) FROM analytics.series_overview) AS stock_to,
                (SELECT value FROM support.setting WHERE key = 'policy') AS settings,
                (SELECT value FROM support.setting WHERE key = 'recommendations') AS rates
            FROM analytics.run
            CROSS JOIN (SELECT max(date) AS date FROM analytics.demand_by_day) AS last
            WHERE run_id = :run_id
            """
        ),
        {"run_id": run_id},
    ).one()
    known_to = last_day(row.data_to, row.frequency)
    today = max(day for day in (known_to, row.demand_to, row.stock_to) if day is not None)
    settings = overridden(PolicySettings(), row.settings or {})
    rates = overridden(RecommendationSettings(), row.rates or {})
    return Setup(
        run_id=run_id,
        frequency=row.frequency,
        native=row.native,
        horizon=row.horizon,
        data_to=row.data_to,
        known_to=known_to,
        today=today,
        settings=settings,
        rates=rates,
    )
