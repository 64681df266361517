"""What the one-step errors of a fitted model still hold: autocorrelation and the Ljung–Box test.

Ljung & Box 1978, "On a measure of lack of fit in time series models"; both by statsmodels. Errors
of a model that was fitted to them look more like noise than noise does: the test has a degree of
freedom less for each autoregressive and moving-average parameter.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

TESTED_LAGS = 10
SHOWN_LAGS = 20
Z_95 = 1.96


def note(residuals: NDArray[np.float64], fitted: int) -> dict[str, float]:
    """Plain numbers about residuals (units of issue) of a model with so many `fitted` parameters;
    without variation, or with too few of them to test, nothing is left, p is 1.

    `ljung_box_p` above 0.05: no structure is left. `acf_1` to `acf_20`: autocorrelations.
    """
    from statsmodels.stats.diagnostic import acorr_ljungbox
    from statsmodels.tsa.stattools import acf

    finite = np.asarray(residuals, dtype=float)
    finite = finite[np.isfinite(finite)]
    lags = min(TESTED_LAGS, len(finite) // 2 - 1)
    if lags <= fitted or not np.any(finite - finite.mean()):
        return {"ljung_box_p": 1.0, "residuals": float(len(finite))}
    test = acorr_ljungbox(finite, lags=[lags], model_df=fitted)
    shown = acf(finite, nlags=min(SHOWN_LAGS, len(finite) // 2 - 1), fft=True)[1:]
    return {
        "ljung_box_p": float(test["lb_pvalue"].iloc[0]),
        "ljung_box": float(test["lb_stat"].iloc[0]),
        "lags": float(lags),
        "fitted": float(fitted),
        "residuals": float(len(finite)),
        **{f"acf_{lag}": float(value) for lag, value in enumerate(shown, 1)},
    }


def described(model: str, noted: dict[str, float]) -> dict[str, Any] | None:
    """A note as the bundle has it; `bound`: an autocorrelation within ± it is noise (95 %). None
    where the residuals do not vary or are too few."""
    if "lags" not in noted:
        return None
    shown = [noted[f"acf_{lag}"] for lag in range(1, SHOWN_LAGS + 1) if f"acf_{lag}" in noted]
    return {
        "model": model,
        "count": int(noted["residuals"]),
        "acf": [round(value, 4) for value in shown],
        "bound": round(Z_95 / np.sqrt(noted["residuals"]), 4),
        "lags": int(noted["lags"]),
        "fitted": int(noted["fitted"]),
        "ljung_box": round(noted["ljung_box"], 3),
        "p": round(noted["ljung_box_p"], 5),
    }
