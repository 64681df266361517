"""The three calendars that are trained on, and how to tell which one the data follow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Frequency:
    """A regular calendar. Lengths are in periods."""

    code: str
    season_length: int
    horizon: int
    dead_after: int
    """Without demand for so long, a series may be dead."""
    moving_average: int
    """Window of the moving-average baseline."""
    month: int
    """Periods in about a month: the bucket for XYZ."""

    def floor(self, dates: pd.Series) -> pd.Series:
        """The first day of each date's period: the day, the ISO week's Monday, the month's 1st."""
        days = dates.dt.normalize()
        if self.code == "W":
            return days - pd.to_timedelta(days.dt.weekday, unit="D")
        return days.dt.to_period("M").dt.to_timestamp() if self.code == "M" else days

    def following(self, starts: pd.Series) -> pd.Series:
        """The first day of the period after each, themselves period starts (NaT stays)."""
        return self.floor(starts + pd.Timedelta(days={"D": 1, "W": 7, "M": 31}[self.code]))

    def range(self, start: pd.Timestamp, periods: int) -> pd.DatetimeIndex:
        """`periods` consecutive period starts from `start`, itself a period start."""
        return pd.date_range(start, periods=periods, freq=self._alias)

    def count(self, start: pd.Timestamp, end: pd.Timestamp) -> int:
        """Periods from `start` to `end`, both period starts, both included."""
        if self.code == "M":
            return (end.year - start.year) * 12 + end.month - start.month + 1
        return (end - start).days // (7 if self.code == "W" else 1) + 1

    def after(self, last: pd.Timestamp, periods: int) -> pd.DatetimeIndex:
        """The `periods` period starts that follow `last`."""
        return self.range(last, periods + 1)[1:]

    def before(self, last: pd.Timestamp, periods: int) -> pd.Timestamp:
        """The period start `periods` before `last`."""
        return pd.date_range(end=last, periods=periods + 1, freq=self._alias)[0]

    @property
    def _alias(self) -> str:
        return {"D": "D", "W": "W-MON", "M": "MS"}[self.code]


FREQUENCIES = {
    "D": Frequency("D", 7, 30, dead_after=180, moving_average=28, month=30),
    "W": Frequency("W", 52, 13, dead_after=52, moving_average=13, month=4),
    "M": Frequency("M", 12, 12, dead_after=12, moving_average=6, month=1),
}

DAYS_UP_TO = (("D", 3.5), ("W", 18.0), ("M", np.inf))
"""Largest median gap, in days, between the distinct dates of each frequency."""


def infer_frequency(dates: pd.Series) -> Frequency:
    """The frequency whose spacing the distinct dates of the whole data set show.

    The median gap decides, so that a stray date or a missing month changes nothing. A single
    date is daily.
    """
    distinct = np.sort(dates.dt.normalize().unique())
    gaps = np.diff(distinct) / np.timedelta64(1, "D")
    gap = float(np.median(gaps)) if len(gaps) else 1.0
    return FREQUENCIES[next(code for code, limit in DAYS_UP_TO if gap <= limit)]
