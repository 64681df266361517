"""Small training sets with known shapes, for the trainer's environment."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from models_offline.threads import limit_threads
from warehouse.queries.training import TrainingSet

limit_threads()

MakeTraining = Callable[..., TrainingSet]


@pytest.fixture(scope="session")
def make_training() -> MakeTraining:
    """Builds a training set from {(sku, site): quantities} on consecutive dates."""
    return training_set


def training_set(
    quantities: dict[tuple[str, str], np.ndarray],
    start: str = "2024-01-01",
    freq: str = "D",
    costs: dict[str, float] | None = None,
) -> TrainingSet:
    frames = [
        pd.DataFrame(
            {
                "sku": sku,
                "site": site,
                "date": pd.date_range(start, periods=len(values), freq=freq),
                "quantity": np.asarray(values, dtype=float),
            }
        )
        for (sku, site), values in quantities.items()
    ]
    demand = pd.concat(frames).query("quantity != 0")
    skus = sorted({sku for sku, _ in quantities})
    items = pd.DataFrame({"sku": skus, "unit_cost_brl": [(costs or {}).get(s) for s in skus]})
    return TrainingSet(
        demand=demand.sort_values(["sku", "site", "date"], ignore_index=True),
        items=items,
        sites=pd.DataFrame({"site": sorted({site for _, site in quantities})}),
        drivers=pd.DataFrame(columns=["date", "driver", "value", "uf"]),
        data_version="7",
    )


def shapes(days: int = 150, seed: int = 3) -> dict[tuple[str, str], np.ndarray]:
    """Two smooth series with a week, one erratic, two intermittent, one lumpy, one dead, one
    short: all that the trainer must cope with."""
    random = np.random.default_rng(seed)
    week = np.where(np.arange(days) % 7 < 5, 1.3, 0.4)
    rare = random.random(days) < 0.2
    sizes = np.round(random.lognormal(1, 1.3, days)) + 1
    dead = random.poisson(4, days) * (np.arange(days) < 20)
    return {
        ("CABO", "DEP-BA"): random.poisson(40 * week),
        ("CABO", "DEP-SP"): random.poisson(90 * week),
        ("CONECTOR", "DEP-SP"): np.round(random.lognormal(2, 1, days)) + 1,
        ("BATERIA", "DEP-BA"): rare * 1,
        ("BATERIA", "DEP-SP"): (random.random(days) < 0.3) * 2,
        ("FUSIVEL", "DEP-SP"): (random.random(days) < 0.2) * sizes,
        ("MORTO", "DEP-SP"): dead,
        ("NOVO", "DEP-SP"): np.r_[np.zeros(days - 9), random.poisson(8, 9) + 1],
    }


@pytest.fixture(scope="session")
def small() -> TrainingSet:
    """The daily training set of all shapes."""
    return training_set(shapes(), costs={"CABO": 10.0, "BATERIA": 900.0})
