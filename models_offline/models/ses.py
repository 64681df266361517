"""Simple exponential smoothing with its weight fitted to the series."""

from __future__ import annotations

from typing import Any

import numpy as np

from models_offline import residuals
from models_offline.models.base import Series
from models_offline.models.wrapped import Counted


class Ses(Counted):
    """One smoothed rate; hard to beat on intermittent demand when judged by squared errors."""

    name = "ses"

    def build(self) -> Any:
        from statsforecast.models import SimpleExponentialSmoothingOptimized

        return SimpleExponentialSmoothingOptimized()

    def fit_one(self, series: Series) -> Any:
        model = super().fit_one(series)
        if model is not None:
            fitted = np.asarray(model.predict_in_sample()["fitted"], dtype=float)
            self.notes[series.unique_id] = residuals.note(series.y - fitted, fitted=1)
        return model
