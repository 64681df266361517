"""Temporal aggregation: the same history as means of several periods, forecast beside the fine one.

Means of two to six months hold less noise and show slow movements better; half of a forecast comes
from them (Kourentzes, Petropoulos & Trapero 2014, "Improving forecasting by estimating time series
structural components across multiple frequencies"). Months alone: of weekly demand, which is
closer to a random walk, the newest week says more than means do.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LEVELS: dict[str, tuple[int, ...]] = {"M": (2, 3, 4, 6)}
"""Periods in a block, by frequency: what a season can be divided by."""
LEAST_BLOCKS = 12
"""Fewer tell nothing about a trend, and are too few for some models."""
SHARE = 0.5
"""What the blocks' forecasts count of the whole."""


def levels(frequency: str, periods: int) -> list[int]:
    """The lengths of blocks that a history of so many periods is long enough for."""
    return [size for size in LEVELS.get(frequency, ()) if periods // size >= LEAST_BLOCKS]


def blocks(y: Array, size: int) -> Array:
    """Means of consecutive `size` periods, the last block ending with the history."""
    return y[len(y) % size :].reshape(-1, size).mean(axis=1)


def blended(fine: Array, coarse: Sequence[tuple[int, Array]]) -> Array:
    """A forecast by period with those of its blocks (block length, forecast by block); as it was
    without any."""
    if not coarse:
        return fine
    spread = [np.repeat(values, size)[: len(fine)] for size, values in coarse]
    return (1 - SHARE) * fine + SHARE * np.mean(spread, axis=0)
