"""Bottom-up measured against reconciliation by MinT, on the backtest of a training run.

One tree an item: country, regions with more than one depot, depots. The upper nodes get forecasts
of their own from their summed history; MinT (Wickramasuriya, Athanasopoulos & Hyndman 2019) then
finds the depots' forecasts that fit all of them best, given the covariance of the forecasts'
errors, shrunk towards its diagonal (Schäfer & Strimmer 2005). The errors that an origin is
reconciled with are those of the other origins.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from domain.errors import InvalidInput
from domain.levels import DEPOTS
from models_offline import backtest, ensemble, fitting, hierarchy, levels
from models_offline.dataset import Dataset, profile
from models_offline.models.base import Setup
from models_offline.training import Results

Values = NDArray[np.float64]

TREE_LEVELS = ("item_country", "item_region")
UPPER_MODELS = ("theta", "ets", "ses")
CURVES = ("theta", "ets")


@dataclass(frozen=True)
class Family:
    """An item's tree: `upper` node numbers, its depots' `ids`, and which depots each node sums:
    `summing` (nodes + depots, depots) of zeros and ones."""

    upper: list[int]
    ids: NDArray[np.int_]
    summing: Values


def measure(results: Results, jobs: int) -> pd.DataFrame:
    """`scores` by level and method over all origins of a run's backtest. Raises InvalidInput where
    no item has more than one depot with a backtest."""
    tree = levels.tree(results.dataset.series)
    families = list(_families(tree))
    own = _own_forecasts(results, tree, sorted({n for one in families for n in one.upper}), jobs)
    blocks = hierarchy.blocks_of(results.points, ensemble.NAME)
    reconciled = [rows for one in families for rows in _reconciled(one, blocks, own)]
    if not reconciled:
        raise InvalidInput("no item has more than one depot with enough history to compare")
    points = pd.concat(reconciled, ignore_index=True)
    return scores(_described(points, tree, results))


def shrunk_covariance(errors: Values) -> Values:
    """Covariance (n, n) of errors (times, n) about 0, its off-diagonal shrunk towards 0 by the
    share that minimises its expected squared error (Schäfer & Strimmer 2005, target D)."""
    times = len(errors)
    scale = np.sqrt((errors**2).mean(axis=0))
    scale = np.maximum(scale, 1e-6 * max(float(scale.max()), 1e-9))
    scaled = errors / scale
    correlation = scaled.T @ scaled / times
    squares = (scaled**2).T @ scaled**2
    noise = (squares - times * correlation**2) / (times * max(times - 1, 1))
    off = ~np.eye(len(scale), dtype=bool)
    total = float((correlation[off] ** 2).sum())
    share = float(np.clip(noise[off].sum() / total, 0.0, 1.0)) if total > 0 else 1.0
    correlation[off] *= 1 - share
    np.fill_diagonal(correlation, 1.0)
    return correlation * np.outer(scale, scale)


def mint(base: Values, summing: Values, covariance: Values) -> Values:
    """Depots' forecasts (depots, steps) that make all nodes' `base` (nodes, steps) coherent with
    the least trace of the errors' covariance; never below 0."""
    weighted = np.linalg.solve(covariance, summing)
    bottom = np.linalg.solve(summing.T @ weighted, weighted.T @ base)
    return np.maximum(bottom, 0.0)


def scores(points: pd.DataFrame) -> pd.DataFrame:
    """Level and method with nodes, WAPE, bias, RMSSE (mean over nodes) and what the RMSSE is above
    bottom-up's, with its standard error over the nodes. `points`: level, node, method, mean,
    actual, mse (the node's in-sample naive error, units²)."""
    error = points["mean"] - points["actual"]
    keys = ["level", "method", "node"]
    rows = points.assign(absolute=error.abs(), error=error, squared=error**2 / points["mse"])
    groups = rows.groupby(keys)
    sums = groups[["absolute", "error", "actual"]].sum()
    rmsse = np.sqrt(groups["squared"].mean()).unstack("method").dropna()
    above = rmsse.sub(rmsse["bottom_up"], axis=0)
    total = sums.groupby(["level", "method"]).sum()
    return pd.DataFrame(
        {
            "nodes": sums.groupby(["level", "method"]).size(),
            "wape": total["absolute"] / total["actual"],
            "bias": total["error"] / total["actual"],
            "rmsse": rmsse.groupby("level").mean().stack(),
            "rmsse_above_bottom_up": above.groupby("level").mean().stack(),
            "standard_error": above.groupby("level").sem().stack(),
        }
    ).reset_index()


def _families(tree: levels.Tree) -> Iterator[Family]:
    for _, nodes in tree.nodes[tree.nodes["level"].isin(TREE_LEVELS)].groupby("sku"):
        upper = [number for number in nodes.index if len(tree.members[number]) > 1]
        whole = [number for number in upper if tree.level(number) == "item_country"]
        if not whole:
            continue
        ids = tree.members[whole[0]]
        rows = [np.isin(ids, tree.members[number]).astype(float) for number in upper]
        yield Family(upper, ids, np.vstack([*rows, np.eye(len(ids))]))


def _own_forecasts(
    results: Results, tree: levels.Tree, nodes: list[int], jobs: int
) -> dict[tuple[int, int], Values]:
    """(node, cut) → mean forecast (steps,) from the node's own summed history."""
    if not nodes:
        return {}
    history = _summed_history(results.dataset, tree, nodes)
    setup: Setup = results.setup
    cuts = sorted(results.origins)
    tasks = [task for name in UPPER_MODELS for task in fitting.plan(name, history, cuts)]
    fits = fitting.fit_all(tasks, setup, jobs, "levels")
    means = fits.rows.sort_values("ds").groupby(["unique_id", "cut", "model"])["mean"]
    found = {key: values.to_numpy() for key, values in means}
    smooth = {
        node: profile(y.to_numpy(), results.dataset.frequency)["demand_class"]
        in ("smooth", "erratic", "short")
        for node, y in history.groupby("unique_id")["y"]
    }
    chosen = {}
    for node in nodes:
        for cut in cuts:
            members = CURVES if smooth[node] else ("ses",)
            parts = [found[node, cut, name] for name in members if (node, cut, name) in found]
            if parts:
                chosen[node, cut] = np.mean(parts, axis=0)
    return chosen


def _summed_history(dataset: Dataset, tree: levels.Tree, nodes: list[int]) -> pd.DataFrame:
    by_series = dict(list(dataset.history.groupby("unique_id")))
    parts = []
    for node in nodes:
        rows = pd.concat([by_series[uid] for uid in tree.members[node]])
        parts.append(rows.groupby("ds", as_index=False)["y"].sum().assign(unique_id=node))
    return pd.concat(parts, ignore_index=True)[["unique_id", "ds", "y"]]


def _reconciled(
    family: Family, blocks: dict[int, hierarchy.Block], own: dict[tuple[int, int], Values]
) -> Iterator[pd.DataFrame]:
    """Depot and node points of every method, at each origin where all of the tree is there."""
    base, actual = {}, {}
    for cut, block in blocks.items():
        index: pd.Index = pd.Index(block.ids)
        places = index.get_indexer(pd.Index(family.ids))
        if (places < 0).any() or any((node, cut) not in own for node in family.upper):
            continue
        upper = np.vstack([own[node, cut] for node in family.upper])
        base[cut] = np.vstack([upper, block.values[places, :, 0]])
        assert block.actual is not None
        actual[cut] = family.summing @ block.actual[places]
    for cut, forecasts in base.items():
        others = [one for one in base if one != cut] or [cut]
        errors = np.hstack([actual[one] - base[one] for one in others]).T
        yield _points(family, cut, forecasts, actual[cut], errors)


def _points(family: Family, cut: int, base: Values, actual: Values, errors: Values) -> pd.DataFrame:
    depots = base[len(family.upper) :]
    covariance = shrunk_covariance(errors)
    found = {
        "bottom_up": family.summing @ depots,
        "mint_shrink": family.summing @ mint(base, family.summing, covariance),
        "wls_variance": family.summing @ mint(base, family.summing, np.diag(np.diag(covariance))),
        "own_forecast": base,
    }
    nodes = [*family.upper, *(-1 - family.ids)]
    steps = base.shape[1]
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "node": np.repeat(nodes, steps),
                    "cut": cut,
                    "method": method,
                    "mean": values.ravel(),
                    "actual": actual.ravel(),
                }
            )
            for method, values in found.items()
        ],
        ignore_index=True,
    )


def _described(points: pd.DataFrame, tree: levels.Tree, results: Results) -> pd.DataFrame:
    """The points with their level and scale; a depot's node number is -1 - its unique_id."""
    dataset = results.dataset
    horizon, cuts = results.setup.horizon, max(results.origins)
    depots = backtest.scales(dataset, horizon, cuts)["squared"]
    mse = dict(zip((-1 - depots.index).tolist(), depots.tolist(), strict=True))
    nodes = hierarchy.nodes_of(dataset, tree, horizon, cuts)
    mse |= {number: node.squared for number, node in enumerate(nodes)}
    names = {number: tree.level(number) for number in range(len(nodes))}
    return points.assign(
        level=points["node"].map(names).fillna(DEPOTS),
        mse=points["node"].map(mse).astype(float),
    )


def text(table: pd.DataFrame) -> str:
    """The table as lines to print."""
    return table.to_string(index=False, float_format="{:.4f}".format)
