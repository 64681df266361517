"""Simple exponential smoothing with its weight fitted to the series."""

from __future__ import annotations

from typing import Any

from models_offline.models.wrapped import Counted


class Ses(Counted):
    """One smoothed rate; hard to beat on intermittent demand when judged by squared errors."""

    name = "ses"

    def build(self) -> Any:
        from statsforecast.models import SimpleExponentialSmoothingOptimized

        return SimpleExponentialSmoothingOptimized()
