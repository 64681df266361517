"""A new item has the season of its family, and no other family's."""

from __future__ import annotations

import numpy as np
import pandas as pd

from models_offline.dataset import build
from models_offline.frequency import FREQUENCIES
from models_offline.histories import Histories
from models_offline.models import create
from models_offline.models.base import Setup
from models_offline.models.family import FamilySeason
from tests.offline.conftest import training_set

MONTHLY = Setup(FREQUENCIES["M"], 12, seed=1)
SUMMER = 1 + 0.5 * np.sin(np.arange(12) * np.pi / 6)
FLAT = np.ones(12)


def history(rows: dict[int, tuple[str | None, np.ndarray]], named: bool = True) -> pd.DataFrame:
    """Series of months up to December 2023, by id."""
    frames = []
    for uid, (family, y) in rows.items():
        ds = pd.date_range(end="2023-12-01", periods=len(y), freq="MS")
        frames.append(pd.DataFrame({"unique_id": uid, "ds": ds, "y": y, "family": family}))
    frame = pd.concat(frames, ignore_index=True)
    return frame if named else frame.drop(columns="family")


def noisy(y: np.ndarray, seed: int) -> np.ndarray:
    return y * np.random.default_rng(seed).lognormal(0, 0.03, len(y))


ROWS = {
    0: ("cooling", noisy(np.tile(SUMMER, 5) * 100, 1)),
    1: ("cooling", noisy(np.tile(SUMMER, 4) * 7, 2)),
    2: ("power", noisy(np.tile(FLAT, 5) * 30, 3)),
    3: ("cooling", 20 * SUMMER[-6:]),
    4: ("power", 20 * FLAT[-6:]),
    5: (None, 20 * FLAT[-6:]),
}


def means(rows: pd.DataFrame, uid: int) -> np.ndarray:
    return rows.loc[rows["unique_id"] == uid, "mean"].to_numpy()


def test_only_short_series_of_a_known_family_get_its_season() -> None:
    rows = create("family", MONTHLY).fit(history(ROWS)).predict(12)
    assert set(rows["unique_id"]) == {3, 4}
    assert np.abs(means(rows, 3) / (20 * SUMMER) - 1).max() < 0.15
    assert np.ptp(means(rows, 4)) / 20 < 0.1
    assert (rows["p10"] <= rows["p50"]).all() and (rows["p90"] > rows["p50"]).all()


def test_without_names_all_are_one_family() -> None:
    rows = create("family", MONTHLY).fit(history(ROWS, named=False)).predict(12)
    assert set(rows["unique_id"]) == {3, 4, 5}


def test_a_later_history_is_forecast_with_the_season_learnt_before() -> None:
    model = FamilySeason(MONTHLY).fit(history(ROWS))
    older = {uid: (family, y[:-3]) for uid, (family, y) in ROWS.items() if uid != 4}
    rows = model.look_at(history(older)).predict(12)
    assert set(rows["unique_id"]) == {3}


def test_a_series_that_changes_family_is_fitted_again() -> None:
    known = {family: Histories(history({0: (family, ROWS[0][1])})) for family in ("a", "b")}
    assert known["a"].digest(0, 0) != known["b"].digest(0, 0)
    assert known["a"].digest(0, 0) == Histories(history({9: ("a", ROWS[0][1])})).digest(9, 0)


def test_the_training_set_names_families() -> None:
    training = training_set({("A", "S"): np.ones(30), ("B", "S"): np.ones(30)})
    items = training.items.assign(family=pd.Series(["power", None], dtype=object))
    found = build(training.__class__(**{**vars(training), "items": items})).history
    families = found.groupby("unique_id")["family"].first()
    assert families[0] == "power" and pd.isna(families[1])
