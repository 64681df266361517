"""K-means clusters of robustly scaled features: how many by silhouette among the stable choices.

Stability is the mean adjusted Rand index between the clusters and those of bootstrap samples
(Hubert & Arabie 1985; Hennig 2007, "Cluster-wise assessment of cluster stability"). A feature is
scaled by its median and quartiles within the kind of the member, so that a battery is compared with
batteries.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models_offline.risk import Array

MOST, LEAST_MEMBERS = 7, 30
"""So many clusters at most, and so many members at least."""
STABLE = 0.8
"""Adjusted Rand index from which on a choice counts as stable."""
BOOTSTRAPS, SAMPLE = 6, 3_000
NORMAL_IQR = 1.349
"""Interquartile range of a standard normal variable."""


@dataclass(frozen=True)
class Scaling:
    """Median and spread of each feature by kind."""

    by_kind: dict[object, tuple[Array, Array]]

    def of(self, values: Array, kinds: NDArray[np.object_]) -> Array:
        """Values in spreads from the median of their kind, far ones drawn in (arsinh) so that a
        freak reading makes no cluster of its own; an unknown one stands in the middle."""
        scaled = np.zeros_like(values)
        for kind, (middle, spread) in self.by_kind.items():
            mine = kinds == kind
            scaled[mine] = (values[mine] - middle) / spread
        kept: Array = np.arcsinh(np.nan_to_num(scaled, posinf=0, neginf=0))
        return kept


@dataclass(frozen=True)
class Choice:
    """What speaks for a number of clusters: both measures are at most 1, higher is better."""

    clusters: int
    silhouette: float
    stability: float


@dataclass(frozen=True)
class Clustering:
    """Members × features in `scaled`; clusters numbered from 0, the largest first."""

    scaled: Array
    labels: NDArray[np.int64]
    centres: Array
    silhouettes: Array
    choices: list[Choice]

    @property
    def chosen(self) -> Choice:
        """The choice that was made."""
        return next(one for one in self.choices if one.clusters == len(self.centres))

    def nearest(self, scaled: Array) -> NDArray[np.int64]:
        """The cluster of other rows of the same scale."""
        return distances(scaled, self.centres).argmin(axis=1)

    def runner_up(self) -> NDArray[np.int64]:
        """The second nearest cluster of each member."""
        return np.argsort(distances(self.scaled, self.centres), axis=1, kind="stable")[:, 1]

    def pulls(self) -> Array:
        """What each feature adds to a member's being nearer to its own centre than to the runner-up
        (members × features): they sum to the difference of the squared distances."""
        own, other = self.centres[self.labels], self.centres[self.runner_up()]
        pulls: Array = (self.scaled - other) ** 2 - (self.scaled - own) ** 2
        return pulls


def scaling(values: Array, kinds: NDArray[np.object_]) -> Scaling:
    """Medians and spreads of the rows by kind; what does not vary within its quartiles is measured
    in standard deviations, and what does not vary at all is left in the middle."""
    return Scaling({kind: _middle_and_spread(values[kinds == kind]) for kind in set(kinds)})


def _middle_and_spread(values: Array) -> tuple[Array, Array]:
    known = ~np.isnan(values).all(axis=0)
    middle, spread = np.zeros(values.shape[1]), np.full(values.shape[1], np.inf)
    if known.any():
        low, middle[known], high = np.nanpercentile(values[:, known], (25, 50, 75), axis=0)
        iqr = (high - low) / NORMAL_IQR
        spread[known] = np.where(iqr > 0, iqr, np.nanstd(values[:, known], axis=0))
    return middle, np.where(spread > 0, spread, np.inf)


def cluster(scaled: Array, seed: int = 1) -> Clustering | None:
    """The clusters of the rows; None of too few rows, or where all are alike."""
    most = min(MOST, len(np.unique(scaled, axis=0)) - 1)
    if len(scaled) < LEAST_MEMBERS or most < 2:
        return None
    rng = np.random.default_rng(seed)
    sample = np.arange(len(scaled))
    if len(scaled) > SAMPLE:
        sample = np.sort(rng.choice(sample, SAMPLE, replace=False))
    choices = [_judged(scaled[sample], count, seed) for count in range(2, most + 1)]
    stable = [one for one in choices if one.stability >= STABLE]
    best = max(stable or choices, key=lambda one: one.silhouette if stable else one.stability)
    return _numbered(scaled, best.clusters, choices, seed)


def _judged(rows: Array, count: int, seed: int) -> Choice:
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_rand_score, silhouette_score

    labels = KMeans(count, n_init=4, random_state=seed).fit_predict(rows)
    rng, agreed = np.random.default_rng(seed), []
    for number in range(BOOTSTRAPS):
        drawn = rng.integers(0, len(rows), len(rows))
        again = KMeans(count, n_init=1, random_state=seed + number).fit(rows[drawn])
        agreed.append(adjusted_rand_score(labels, again.predict(rows)))
    return Choice(count, float(silhouette_score(rows, labels)), float(np.mean(agreed)))


def _numbered(scaled: Array, count: int, choices: list[Choice], seed: int) -> Clustering:
    from sklearn.cluster import KMeans

    fitted = KMeans(count, n_init=10, random_state=seed).fit(scaled)
    order = np.argsort(-np.bincount(fitted.labels_, minlength=count), kind="stable")
    place = np.empty(count, dtype=np.int64)
    place[order] = np.arange(count)
    centres = fitted.cluster_centers_[order]
    labels = place[fitted.labels_]
    return Clustering(scaled, labels, centres, _simplified(scaled, centres, labels), choices)


def _simplified(scaled: Array, centres: Array, labels: NDArray[np.int64]) -> Array:
    """Each member's silhouette by its distances to the centres (Hruschka, Campello & de Castro
    2006): as telling, and linear in the number of members."""
    far = distances(scaled, centres)
    rows = np.arange(len(scaled))
    own = far[rows, labels]
    far[rows, labels] = np.inf
    other = far.min(axis=1)
    silhouettes: Array = (other - own) / np.maximum(np.maximum(own, other), 1e-12)
    return silhouettes


def distances(scaled: Array, centres: Array) -> Array:
    """Euclidean distances, rows × centres."""
    found: Array = np.linalg.norm(scaled[:, None, :] - centres[None, :, :], axis=2)
    return found
