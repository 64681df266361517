"""How good a forecast was.

Arguments are sequences of the same length: `actual` and `forecast` in units of issue, one per
point. A measure that is undefined for its points is None, never NaN or infinite. An error is
forecast − actual, so a positive bias is over-forecasting. Sources: Hyndman & Koehler (2006),
"Another look at measures of forecast accuracy", IJF 22 (MASE); Makridakis, Spiliotis &
Assimakopoulos (2022), "The M5 competition", IJF 38 (RMSSE, pinball); Kolassa & Schütz (2007),
"Advantages of the MAD/mean ratio over the MAPE", Foresight 6 (WAPE).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Mape(NamedTuple):
    """MAPE as a fraction, and the share of points (0–1) that it speaks for."""

    value: float | None
    coverage: float | None


class Scales(NamedTuple):
    """In-sample error of the seasonal naive forecast: MAE (units) and MSE (units²)."""

    absolute: float | None
    squared: float | None


@dataclass(frozen=True)
class ErrorSums:
    """Sufficient statistics of a set of points: they add up over series, models and dates."""

    points: int = 0
    abs_error_sum: float = 0.0
    error_sum: float = 0.0
    actual_sum: float = 0.0
    pct_error_sum: float = 0.0
    pct_points: int = 0
    covered80_points: int = 0

    def __add__(self, other: ErrorSums) -> ErrorSums:
        names = self.__dataclass_fields__
        return ErrorSums(**{name: getattr(self, name) + getattr(other, name) for name in names})

    @property
    def wape(self) -> float | None:
        """Σ|e| ÷ Σa; None when nothing was demanded."""
        return _ratio(self.abs_error_sum, self.actual_sum)

    @property
    def bias(self) -> float | None:
        """Σ(f − a) ÷ Σa; None when nothing was demanded."""
        return _ratio(self.error_sum, self.actual_sum)

    @property
    def mape(self) -> Mape:
        """Mean |e| ÷ a over the points with demand, with their share."""
        return Mape(
            _ratio(self.pct_error_sum, self.pct_points), _ratio(self.pct_points, self.points)
        )

    @property
    def coverage80(self) -> float | None:
        """Share of actuals inside p10–p90."""
        return _ratio(self.covered80_points, self.points)


def mae(actual: ArrayLike, forecast: ArrayLike) -> float | None:
    """mean|f − a|; None without points."""
    a, f = _pair(actual, forecast)
    return float(np.abs(f - a).mean()) if len(a) else None


def rmse(actual: ArrayLike, forecast: ArrayLike) -> float | None:
    """√mean((f − a)²); None without points."""
    a, f = _pair(actual, forecast)
    return float(np.sqrt(((f - a) ** 2).mean())) if len(a) else None


def wape(actual: ArrayLike, forecast: ArrayLike) -> float | None:
    """Weighted absolute percentage error, Σ|f − a| ÷ Σ|a|; None when all actuals are 0."""
    a, f = _pair(actual, forecast)
    return _ratio(np.abs(f - a).sum(), np.abs(a).sum())


def bias(actual: ArrayLike, forecast: ArrayLike) -> float | None:
    """Σ(f − a) ÷ Σa, positive when forecasting too much; None when the actuals sum to 0."""
    a, f = _pair(actual, forecast)
    return _ratio((f - a).sum(), a.sum())


def mape(actual: ArrayLike, forecast: ArrayLike) -> Mape:
    """Mean of |f − a| ÷ a over the points with a > 0, and the share of such points.

    Points without demand are left out, hence the coverage: without it a MAPE of intermittent
    demand says nothing. Both are None without points; the value is None when no actual is > 0.
    """
    a, f = _pair(actual, forecast)
    has = a > 0
    return Mape(_ratio((np.abs(f - a)[has] / a[has]).sum(), has.sum()), _ratio(has.sum(), len(a)))


def naive_scales(history: ArrayLike, season_length: int = 1) -> Scales:
    """Errors of the forecast y[t − m] inside `history`: what MASE and RMSSE divide by.

    All of the history counts, zeros before the first demand included; the M5 competition leaves
    these out. A history of at most one season is scaled by lag 1. None where it is too short (one
    point) or where the naive forecast makes no error (a constant series): the measure is then
    undefined.
    """
    values = np.asarray(history, dtype=float).ravel()
    lag = season_length if len(values) > season_length else 1
    errors = values[lag:] - values[:-lag]
    if len(errors) == 0 or not np.any(errors):
        return Scales(None, None)
    return Scales(float(np.abs(errors).mean()), float((errors**2).mean()))


def mase(
    actual: ArrayLike, forecast: ArrayLike, history: ArrayLike, season_length: int = 1
) -> float | None:
    """Mean absolute scaled error: mean|e| ÷ MAE of the in-sample seasonal naive forecast."""
    a, f = _pair(actual, forecast)
    scale = naive_scales(history, season_length).absolute
    return None if scale is None or len(a) == 0 else float(np.abs(f - a).mean() / scale)


def rmsse(
    actual: ArrayLike, forecast: ArrayLike, history: ArrayLike, season_length: int = 1
) -> float | None:
    """Root mean squared scaled error: √(mean e² ÷ MSE of the in-sample seasonal naive)."""
    a, f = _pair(actual, forecast)
    scale = naive_scales(history, season_length).squared
    return None if scale is None or len(a) == 0 else float(np.sqrt(((f - a) ** 2).mean() / scale))


def pinball(actual: ArrayLike, quantile_forecast: ArrayLike, level: float) -> float | None:
    """Mean pinball loss (units) of a forecast of the `level` quantile, 0 < level < 1.

    Raises ValueError for another level; None without points.
    """
    if not 0 < level < 1:
        raise ValueError(f"a quantile level lies between 0 and 1, not {level}")
    a, q = _pair(actual, quantile_forecast)
    return float(np.maximum(level * (a - q), (level - 1) * (a - q)).mean()) if len(a) else None


def coverage(actual: ArrayLike, low: ArrayLike, high: ArrayLike) -> float | None:
    """Share of actuals with low ≤ a ≤ high, limits included; None without points."""
    a, below = _pair(actual, low)
    _, above = _pair(actual, high)
    return float(((below <= a) & (a <= above)).mean()) if len(a) else None


def error_sums(
    actual: ArrayLike, forecast: ArrayLike, low: ArrayLike, high: ArrayLike
) -> ErrorSums:
    """The sufficient statistics of some points; `low` and `high` are p10 and p90."""
    a, f = _pair(actual, forecast)
    has = a > 0
    inside = coverage(a, low, high) or 0.0
    return ErrorSums(
        points=len(a),
        abs_error_sum=float(np.abs(f - a).sum()),
        error_sum=float((f - a).sum()),
        actual_sum=float(a.sum()),
        pct_error_sum=float((np.abs(f - a)[has] / a[has]).sum()),
        pct_points=int(has.sum()),
        covered80_points=round(inside * len(a)),
    )


def _pair(first: ArrayLike, second: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    a, b = np.asarray(first, dtype=float).ravel(), np.asarray(second, dtype=float).ravel()
    if a.shape != b.shape:
        raise ValueError(f"{len(a)} actual values but {len(b)} forecast values")
    return a, b


def _ratio(top: float, bottom: float) -> float | None:
    return float(top / bottom) if bottom else None
