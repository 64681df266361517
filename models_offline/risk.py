"""The risk that a machine fails: trees over its readings and what pairs of readings make together.

Products, ratios and differences of measurement columns are tried without knowing what they mean
(power is torque times speed, overstrain torque times wear); those that trees split on most, on the
training rows of a fold alone, are kept. The mean of several gradient boosters and a forest is
calibrated on predictions for rows that were held out. Nothing but measurements and the kind of the
machine is ever looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.failure_risk import (
    DECILE,
    FIFTH,
    RiskQuality,
    calibration_bins,
    captured,
    expected_calibration_error,
)
from models_offline.processes import parallel

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

FOLDS, INNER_FOLDS = 5, 2
LEAST_FAILURES = 20
"""With fewer there is nothing to learn from, and no model is published: see `are_enough`."""
CROSSED = 8
"""Pairs are made of so many columns at most: those that trees split on most."""
KEPT = 8
"""So many of the pairs are kept."""
ALIKE = 0.99
"""A pair whose ranks correlate as much with what is there already says nothing new."""
BOOSTERS, ROUNDS, TREES = 2, 120, 40
SEEN = 5_000
"""A tree of the forest sees so many rows at most, as does the choice of pairs."""
SMOOTHING = 20.0
"""A kind's failure rate is drawn to the overall one as by so many more rows."""


@dataclass(frozen=True)
class Rows:
    """Readings to learn from, or to judge: rows × `columns` (NaN: not measured), the kind of each
    machine, and which `failure` it had, which several readings may share (-1: none). Rows of one
    `group` stay on one side of every split."""

    columns: tuple[str, ...]
    values: Array
    kinds: NDArray[np.object_]
    failure: NDArray[np.int64]
    groups: NDArray[np.int64]

    @property
    def failed(self) -> Flags:
        """Whether each row's machine failed."""
        return self.failure >= 0

    def take(self, rows: NDArray[np.int64]) -> Rows:
        """Some of the rows."""
        return Rows(
            self.columns,
            self.values[rows],
            self.kinds[rows],
            self.failure[rows],
            self.groups[rows],
        )


@dataclass(frozen=True)
class Pair:
    """Two columns taken together: `×`, `÷` or `−`."""

    first: int
    sign: str
    second: int

    def of(self, values: Array) -> Array:
        """The pair's value on each row; NaN where one is not known."""
        left, right = values[:, self.first], values[:, self.second]
        if self.sign == "×":
            return left * right
        if self.sign == "−":
            return left - right
        return np.divide(left, right, out=np.full(len(left), np.nan), where=right != 0)

    def name(self, columns: Sequence[str]) -> str:
        """As in `torque × speed`."""
        return f"{columns[self.first]} {self.sign} {columns[self.second]}"


class Model:
    """Fits trees on rows; `probability` is calibrated."""

    def __init__(self, seed: int = 1) -> None:
        self._seed = seed
        self.pairs: list[Pair] = []
        self._rates: dict[Any, float] = {}
        self._rate = 0.0
        self._seen: Flags | slice = slice(None)
        """Columns that were measured on one of the rows learnt from at least."""
        self._members: list[Any] = []
        self._calibrator: Any = None

    def fit(self, rows: Rows) -> Model:
        """Learns from rows; the calibration comes from inner folds over the same rows."""
        held_out = np.zeros(len(rows.failed))
        for train, test in folds(rows, INNER_FOLDS, self._seed):
            inner = Model(self._seed)._fit_trees(rows.take(train))
            held_out[test] = inner.score(rows.values[test], rows.kinds[test])
        self._calibrator = _sigmoid(held_out, rows.failed)
        return self._fit_trees(rows)

    def _fit_trees(self, rows: Rows) -> Model:
        from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

        self._rates, self._rate = _failure_rates(rows)
        self.pairs = self._chosen_pairs(rows)
        features = self._features(rows.values, rows.kinds)
        self._seen = np.array(~np.isnan(features).all(axis=0))
        features = features[:, self._seen]
        boosters = [
            HistGradientBoostingClassifier(
                max_iter=ROUNDS,
                learning_rate=0.06,
                max_leaf_nodes=15,
                min_samples_leaf=10,
                l2_regularization=1.0,
                random_state=self._seed + number,
            )
            for number in range(BOOSTERS)
        ]
        seen = min(SEEN, len(rows.failed))
        forest = RandomForestClassifier(
            TREES, max_features=0.5, max_samples=seen, random_state=self._seed
        )
        with one_thread():
            self._members = [one.fit(features, rows.failed) for one in (*boosters, forest)]
        return self

    def _chosen_pairs(self, rows: Rows) -> list[Pair]:
        rows = rows.take(_most_telling(rows.failed, self._seed))
        crossed = list(range(len(rows.columns)))
        if len(rows.columns) > CROSSED:
            crossed = sorted(self._most_used(rows.values, rows.failed)[:CROSSED])
        pairs = [
            Pair(*ends)
            for one, other in combinations(crossed, 2)
            for ends in ((one, "×", other), (one, "−", other), (one, "÷", other))
        ]
        if not pairs:
            return []
        tried = np.column_stack([pair.of(rows.values) for pair in pairs])
        every = np.hstack([rows.values, tried])
        used = self._most_used(every, rows.failed)
        alike = np.abs(_rank_correlations(every))
        known, width = list(range(len(rows.columns))), len(rows.columns)
        for place in (one for one in used if one >= width):
            if len(known) < width + KEPT and alike[place, known].max() < ALIKE:
                known.append(place)
        return [pairs[place - width] for place in known[width:]]

    def _most_used(self, features: Array, failed: Flags) -> list[int]:
        """Columns by what the splits on them bring, the most first."""
        from sklearn.ensemble import ExtraTreesClassifier

        trees = ExtraTreesClassifier(
            TREES,
            min_samples_leaf=2,
            class_weight="balanced",
            random_state=self._seed,
        )
        brought = trees.fit(features, failed).feature_importances_
        return [int(place) for place in np.argsort(-brought, kind="stable")]

    def _features(self, values: Array, kinds: NDArray[np.object_]) -> Array:
        rates = np.array([self._rates.get(kind, self._rate) for kind in kinds])
        every = np.column_stack([values, rates, *(pair.of(values) for pair in self.pairs)])
        return every[:, self._seen]

    def score(self, values: Array, kinds: NDArray[np.object_]) -> Array:
        """The mean of the members, before calibration."""
        features = self._features(values, kinds)
        with one_thread():
            scores = [one.predict_proba(features)[:, 1] for one in self._members]
        return np.mean(scores, axis=0)

    def probability(self, values: Array, kinds: NDArray[np.object_]) -> Array:
        """The chance that each row's machine fails."""
        calibrated: Array = self._calibrator(self.score(values, kinds))
        return calibrated


def are_enough(rows: Rows) -> bool:
    """Whether a risk can be learnt and judged: LEAST_FAILURES failures, however many readings came
    before each, and as many machines as folds both with such readings and with others."""
    failed = rows.failed
    machines = min(len(np.unique(rows.groups[some])) for some in (failed, ~failed))
    return machines >= FOLDS and len(np.unique(rows.failure[failed])) >= LEAST_FAILURES


def folds(
    rows: Rows, count: int, seed: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Train and test rows, the share of failures alike in all of them, no machine on both sides."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    if len(np.unique(rows.groups)) == len(rows.groups):
        once = StratifiedKFold(count, shuffle=True, random_state=seed)
        yield from once.split(rows.values, rows.failed)
    else:
        grouped = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
        yield from grouped.split(rows.values, rows.failed, rows.groups)


def cross_validated(rows: Rows, seed: int = 1, jobs: int = 1) -> Array:
    """The risk of every row from a model that saw none of its machine: pairs, trees and calibration
    included."""
    from joblib import delayed

    found = np.zeros(len(rows.failed))
    parts = list(folds(rows, FOLDS, seed))
    risks = parallel(jobs)(delayed(_risk_of)(rows, train, test, seed) for train, test in parts)
    for (_, test), probability in zip(parts, risks, strict=True):
        found[test] = probability
    return found


def _risk_of(rows: Rows, train: NDArray[np.int64], test: NDArray[np.int64], seed: int) -> Array:
    model = Model(seed).fit(rows.take(train))
    return model.probability(rows.values[test], rows.kinds[test])


@contextmanager
def one_thread() -> Iterator[None]:
    """Folds are what runs side by side: threads within them would fight for the same cores."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield


def quality(probability: Array, failed: Flags) -> RiskQuality:
    """The figures of held-out risks."""
    from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

    bins = calibration_bins(probability, failed)
    return RiskQuality(
        rows=len(failed),
        failures=int(failed.sum()),
        folds=FOLDS,
        pr_auc=float(average_precision_score(failed, probability)),
        roc_auc=float(roc_auc_score(failed, probability)),
        recall_decile=captured(probability, failed, DECILE),
        recall_fifth=captured(probability, failed, FIFTH),
        brier=float(brier_score_loss(failed, probability)),
        ece=expected_calibration_error(bins),
        bins=bins,
    )


def log_odds(probability: Array) -> Array:
    """ln(p ÷ (1 − p)), of probabilities kept off 0 and 1."""
    kept = np.clip(probability, 1e-6, 1 - 1e-6)
    return np.log(kept / (1 - kept))


def _sigmoid(score: Array, failed: Flags) -> Any:
    """Platt's scaling on the log-odds of the score (Platt 1999): monotone, so ranks stay."""
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=1e6).fit(log_odds(score)[:, None], failed)
    return lambda raw: fitted.predict_proba(log_odds(raw)[:, None])[:, 1]


def _most_telling(failed: Flags, seed: int) -> NDArray[np.int64]:
    """Rows for the choice of pairs: failures first, at most half of them, others at random."""
    order = np.random.default_rng(seed).permutation(len(failed))
    failures, others = order[failed[order]][: SEEN // 2], order[~failed[order]]
    return np.sort(np.concatenate([failures, others[: SEEN - len(failures)]]))


def _rank_correlations(features: Array) -> Array:
    """Spearman's, an unknown value standing in the middle."""
    from scipy.stats import rankdata

    ranks = rankdata(features, axis=0, nan_policy="omit")
    known = ~np.isnan(ranks)
    middles = np.where(known, ranks, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    ranks = np.where(known, ranks - middles, 0)
    lengths = np.linalg.norm(ranks, axis=0)
    scaled = np.divide(ranks, lengths, out=np.zeros_like(ranks), where=lengths > 0)
    correlations: Array = scaled.T @ scaled
    return correlations


def _failure_rates(rows: Rows) -> tuple[dict[Any, float], float]:
    overall = float(rows.failed.mean())
    rates = {}
    for kind in set(rows.kinds):
        mine = rows.failed[rows.kinds == kind]
        rates[kind] = (mine.sum() + SMOOTHING * overall) / (len(mine) + SMOOTHING)
    return rates, overall
