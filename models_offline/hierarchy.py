"""Forecasts of the levels above item × depot, and how good they were on the backtest.

The point forecast of a node is the sum of its depots' (bottom-up), exactly. Its quantiles come from
the depots' (`sums.py`) and are then calibrated like theirs, with one correction a level and kind of
demand; a node of a single depot has this depot's. What an origin is judged with comes from the
other origins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from domain.accuracy import naive_scales
from domain.classes import INTERMITTENT_CLASSES
from domain.levels import DEPOTS
from models_offline import calibrate, levels, sums
from models_offline.dataset import Dataset, profile
from models_offline.ensemble import NAME as ENSEMBLE
from models_offline.fitting import FINAL, before_backtest
from models_offline.models import FALLBACK
from models_offline.models.naive2 import competition_season
from models_offline.quantiles import LEVELS, VALUE_COLUMNS

METHOD = "bottom_up"
JUDGED = (ENSEMBLE, FALLBACK)
SUMS = (
    *("points", "abs_error_sum", "error_sum", "actual_sum"),
    *("covered80_points", "covered95_points"),
)
NO_CALIBRATION = np.eye(len(LEVELS))


@dataclass
class Hierarchy:
    """`forecast`: KEYS, ds, mean and quantiles. `accuracy`: KEYS, model and its measures on the
    backtest, of the levels and of the depots (site code as area). `facts` are for the manifest."""

    forecast: pd.DataFrame
    accuracy: pd.DataFrame
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Block:
    """Forecasts of one model from one origin: ids (series,), ds (steps,), values (series, steps,
    1 + levels) and what was then demanded, actual (series, steps)."""

    ids: NDArray[np.int_]
    ds: NDArray[np.datetime64]
    values: NDArray[np.float64]
    actual: NDArray[np.float64] | None


@dataclass(frozen=True)
class Node:
    """What calibration and scaling need of a node: kind of demand, in-sample naive errors."""

    kind: str
    absolute: float
    squared: float


Correlations = dict[str, float]
Corrections = dict[str, calibrate.Correction]


def build(
    dataset: Dataset, forecast: pd.DataFrame, points: pd.DataFrame, horizon: int, seed: int
) -> Hierarchy:
    """All levels of a run: `forecast` and `points` are its rows of all models."""
    tree = levels.tree(dataset.series)
    earliest = int(points["cut"].max()) if len(points) else 0
    nodes = nodes_of(dataset, tree, horizon, earliest)
    blocks = {model: blocks_of(points, model) for model in JUDGED}
    judged = Judge(tree, nodes, seed)
    cuts = sorted(blocks[ENSEMBLE])
    tested = [judged.origin(blocks[ENSEMBLE], cut) for cut in cuts]
    naive = [judged.points_of(blocks[FALLBACK][cut], 0.0) for cut in sorted(blocks[FALLBACK])]
    ahead = forecast[forecast["model"] == ENSEMBLE] if len(forecast) else forecast
    final = blocks_of(ahead.assign(cut=FINAL), ENSEMBLE)
    rho, found = judged.learn(blocks[ENSEMBLE], cuts)
    rows = judged.rows(final[FINAL], rho, found) if final else pd.DataFrame()
    accuracy = _together(
        [
            _accuracy(_together(tested), ENSEMBLE, tree, nodes),
            _accuracy(_together(naive), FALLBACK, tree, nodes),
            _of_depots(points, dataset.series),
        ]
    ).reindex(columns=[*levels.KEYS, "model", *SUMS, "mase", "rmsse"])
    facts = {
        "method": METHOD,
        "nodes": {str(k): int(v) for k, v in tree.nodes["level"].value_counts(sort=False).items()},
        "error_correlation": {name: round(value, 4) for name, value in rho.items()},
        "series_without_uf": int(dataset.series["uf"].isna().sum()),
        "series_without_family_or_unit": int(
            dataset.series[["family", "unit"]].isna().any(axis=1).sum()
        ),
    }
    return Hierarchy(_named(rows, tree), accuracy, facts)


def blocks_of(rows: pd.DataFrame, model: str) -> dict[int, Block]:
    """The blocks of one model by cut; every series of a cut has the same dates."""
    mine = rows[rows["model"] == model] if len(rows) else rows
    cuts = mine["cut"].unique().tolist() if len(mine) else []
    return {cut: _block(mine[mine["cut"] == cut]) for cut in sorted(cuts)}


def _block(rows: pd.DataFrame) -> Block:
    ordered = rows.sort_values(["unique_id", "ds"], kind="stable")
    ids = ordered["unique_id"].unique()
    steps = len(ordered) // len(ids)
    shape = (len(ids), steps, len(VALUE_COLUMNS))
    values = ordered[VALUE_COLUMNS].to_numpy(dtype=float).reshape(shape)
    known = "actual" in ordered
    actual = ordered["actual"].to_numpy(dtype=float).reshape(shape[:2]) if known else None
    return Block(ids, ordered["ds"].to_numpy()[:steps], values, actual)


def nodes_of(dataset: Dataset, tree: levels.Tree, horizon: int, cuts: int) -> list[Node]:
    """Kind and scales of each node, before the earliest of the cuts 1 to `cuts` that it reaches."""
    history = dataset.history
    ids, starts = np.unique(history["unique_id"].to_numpy(), return_index=True)
    parts = dict(zip(ids, np.split(history["y"].to_numpy(), starts[1:]), strict=True))
    season = competition_season(dataset.frequency)
    nodes = []
    for members in tree.members:
        total = _total([parts[uid] for uid in members])
        scales = naive_scales(before_backtest(total, horizon, cuts), season)
        kind = profile(total, dataset.frequency)["demand_class"]
        rough = "rough" if kind in INTERMITTENT_CLASSES else "regular"
        nodes.append(Node(rough, scales.absolute or np.nan, scales.squared or np.nan))
    return nodes


def _total(parts: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """The sum of histories that end together."""
    total = np.zeros(max(len(part) for part in parts))
    for part in parts:
        total[len(total) - len(part) :] += part
    return total


@dataclass(frozen=True)
class Judge:
    """Sums blocks up the tree."""

    tree: levels.Tree
    nodes: list[Node]
    seed: int

    def origin(self, blocks: Mapping[int, Block], cut: int) -> pd.DataFrame:
        """The calibrated points of an origin, by what the other origins tell."""
        others = [one for one in blocks if one != cut] or [cut]
        rho, found = self.learn(blocks, others)
        return self.rows(blocks[cut], rho, found)

    def learn(
        self, blocks: Mapping[int, Block], cuts: list[int]
    ) -> tuple[Correlations, Corrections]:
        """Correlation of the depots' errors by level, corrections by level and kind."""
        rho = self._correlations([blocks[cut] for cut in cuts])
        several = [self.rows(blocks[cut], rho, {}, at_least=2) for cut in cuts]
        points = _together(several)
        if points.empty:
            return rho, {}
        found = {
            str(group): calibrate.correction(_class_of(str(group)), rows)
            for group, rows in points.groupby("group", sort=True)
        }
        return rho, found

    def rows(
        self, block: Block, rho: Correlations, found: Corrections, at_least: int = 1
    ) -> pd.DataFrame:
        """Points of a block: node, group, ds, mean, quantiles and actual if known; of the nodes
        with `at_least` so many series."""
        present, steps = self._present(block, at_least), len(block.ds)
        if not present:
            return pd.DataFrame()
        numbers = [number for number, _ in present]
        groups = [self._group(number) for number in numbers]
        values = np.concatenate(
            [self._summed(number, block, chosen, rho, found) for number, chosen in present]
        )
        frame = pd.DataFrame(values, columns=VALUE_COLUMNS)
        frame["node"] = np.repeat(numbers, steps)
        frame["group"] = np.repeat(np.array(groups, dtype=object), steps)
        frame["ds"] = np.tile(block.ds, len(present))
        if block.actual is not None:
            actual = block.actual
            frame["actual"] = np.concatenate([actual[chosen].sum(axis=0) for _, chosen in present])
        return frame

    def points_of(self, block: Block, rho: float) -> pd.DataFrame:
        """Points without calibration, with the same correlation at every level."""
        return self.rows(block, dict.fromkeys(self.tree.nodes["level"].unique(), rho), {})

    def _present(self, block: Block, at_least: int = 1) -> list[tuple[int, NDArray[np.int_]]]:
        """Nodes with the places in the block of those of their series that are there."""
        index: pd.Index[Any] = pd.Index(block.ids)
        found = []
        for number, members in enumerate(self.tree.members):
            places = index.get_indexer(pd.Index(members))
            places = places[places >= 0]
            if len(places) >= at_least:
                found.append((number, places))
        return found

    def _summed(
        self,
        number: int,
        block: Block,
        chosen: NDArray[np.int_],
        rho: Correlations,
        found: Corrections,
    ) -> NDArray[np.float64]:
        """Mean and quantiles (steps, 1 + levels) of the sum of the chosen series."""
        level, group = self.tree.level(number), self._group(number)
        values = block.values[chosen]
        means = values[..., 0]
        quantiles = sums.quantiles_of_sum(
            values[..., 1:], means, rho.get(level, 0.0), self.seed + number
        )
        if len(chosen) > 1:
            quantiles = quantiles @ found.get(group, NO_CALIBRATION)
            quantiles = np.sort(np.maximum(quantiles, 0.0), axis=1)
        return np.column_stack([means.sum(axis=0), quantiles])

    def _group(self, number: int) -> str:
        return f"{self.tree.level(number)} {self.nodes[number].kind}"

    def _correlations(self, blocks: list[Block]) -> Correlations:
        parts = _together([self._deviations(block) for block in blocks])
        if parts.empty:
            return {}
        return {
            str(level): sums.correlation(
                rows["error"].to_numpy(),
                np.sqrt(rows["variance"].to_numpy()),
                rows["together"].to_numpy(),
            )
            for level, rows in parts.groupby("level", sort=True)
        }

    def _deviations(self, block: Block) -> pd.DataFrame:
        assert block.actual is not None
        deviation = sums.spread(block.values[..., 1:])
        error = block.actual - block.values[..., 0]
        several = self._present(block, at_least=2)
        if not several:
            return pd.DataFrame()
        wanted = (error, deviation**2, deviation)
        sums_of = [
            np.concatenate([one[chosen].sum(axis=0) for _, chosen in several]) for one in wanted
        ]
        names = self.tree.nodes["level"].to_numpy()[[number for number, _ in several]]
        frame = pd.DataFrame(dict(zip(("error", "variance", "together"), sums_of, strict=True)))
        return frame.assign(level=np.repeat(names, len(block.ds)))


def _class_of(group: str) -> str:
    return "intermittent" if group.endswith("rough") else "smooth"


def _together(frames: list[pd.DataFrame]) -> pd.DataFrame:
    some = [frame for frame in frames if len(frame)]
    return pd.concat(some, ignore_index=True) if some else pd.DataFrame()


def _named(rows: pd.DataFrame, tree: levels.Tree) -> pd.DataFrame:
    columns = [*levels.KEYS, "ds", *VALUE_COLUMNS]
    if rows.empty:
        return pd.DataFrame(columns=columns)
    return rows.join(tree.nodes, on="node")[columns]


def _accuracy(
    points: pd.DataFrame, model: str, tree: levels.Tree, nodes: list[Node]
) -> pd.DataFrame:
    """Measures of one model at each node."""
    if points.empty:
        return points
    scale = pd.DataFrame([(one.absolute, one.squared) for one in nodes], columns=["mae", "mse"])
    rows = points.join(scale, on="node")
    error = rows["mean"] - rows["actual"]
    rows = rows.assign(absolute=error.abs() / rows["mae"], squared=error**2 / rows["mse"])
    return _measures(rows, "node", model).join(tree.nodes, on="node")


def _of_depots(points: pd.DataFrame, series: pd.DataFrame) -> pd.DataFrame:
    """The same measures of the depots themselves."""
    mine = points[points["model"].isin(JUDGED)] if len(points) else points
    if mine.empty:
        return mine
    keys = series.assign(level=DEPOTS, area=series["site"])[list(levels.KEYS)].fillna("")
    return _together(
        [
            _measures(group, "unique_id", str(model)).join(keys, on="unique_id")
            for model, group in mine.groupby("model", sort=True)
        ]
    )


def _measures(points: pd.DataFrame, by: str, model: str) -> pd.DataFrame:
    """Sums and rates by `by`, of points as the backtest has them."""
    error, actual = points["mean"] - points["actual"], points["actual"]
    parts = pd.DataFrame(
        {
            by: points[by],
            "points": 1,
            "abs_error_sum": error.abs(),
            "error_sum": error,
            "actual_sum": actual,
            "covered80_points": actual.between(points["p10"], points["p90"]).astype(int),
            "covered95_points": actual.between(points["p2.5"], points["p97.5"]).astype(int),
            "mase": points["absolute"],
            "rmsse": points["squared"],
        }
    )
    recipe = dict.fromkeys(SUMS, "sum") | {"mase": "mean", "rmsse": "mean"}
    rows = parts.groupby(by, as_index=False, sort=True).agg(recipe)
    return rows.assign(model=model, rmsse=rows["rmsse"] ** 0.5)


def table(accuracy: pd.DataFrame) -> pd.DataFrame:
    """Level and model with nodes, WAPE, MASE, RMSSE (means over nodes), bias and coverage."""
    groups = accuracy.groupby(["level", "model"], sort=True)
    total = groups[list(SUMS)].sum()
    actual = total["actual_sum"].where(total["actual_sum"] > 0)
    return pd.DataFrame(
        {
            "nodes": groups.size(),
            "wape": total["abs_error_sum"] / actual,
            "mase": groups["mase"].mean(),
            "rmsse": groups["rmsse"].mean(),
            "bias": total["error_sum"] / actual,
            "coverage80": total["covered80_points"] / total["points"],
            "coverage95": total["covered95_points"] / total["points"],
        }
    ).reset_index()
