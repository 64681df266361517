"""What is known of machines and towers: clusters, failure risk, expected parts, trends.

Every part does without the others' files; `facts` says for each what it was made from or why it is
not there.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from domain.clusters import EQUIPMENT, TOWER_METRICS, TOWERS, names_of
from models_offline import parts, readings, risk, towers
from models_offline.clusters import Clustering, Scaling, cluster, distances, scaling
from models_offline.readings import Readings
from models_offline.risk import Array, Flags, Model

if TYPE_CHECKING:
    from warehouse.queries.training import TrainingSet

PERIOD_DAYS = {"D": 1, "W": 7, "M": 30}
NOT_LOADED, TOO_FEW = "not_loaded", "too_few"
NO_FAILURES, FEW_FAILURES = "no_failures", "few_failures"
MOST_REASONS, LEAST_EFFECT = 3, 0.05
SHOWN_PULLS = 3
DIGITS = 6


@dataclass
class Network:
    """The bundle's files, an absent one where its data are not loaded, and the manifest's facts."""

    frames: dict[str, pd.DataFrame] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


def analyse(training: TrainingSet, horizon_days: int, seed: int = 1, jobs: int = 1) -> Network:
    """Everything that the loaded files allow."""
    started = time.monotonic()
    clusters: list[pd.DataFrame] = []
    members: list[pd.DataFrame] = []
    network = Network()
    equipment: dict[str, Any] = {"reason": NOT_LOADED}
    if len(training.equipment):
        found = readings.prepare(training.equipment, horizon_days, seed)
        risks, equipment["risk"] = _risks(found, seed, jobs)
        equipment |= {"reason": None, "left_out": list(found.left_out)}
        made = _equipment_clusters(found, risks, seed)
        equipment |= _of_clusters(made, clusters, members)
        if len(risks):
            network.frames["failure_risk.parquet"] = risks
            if found.horizon_days:
                needed = parts.expected(risks, training.parts, training.sites)
                network.frames["parts_demand.parquet"] = needed
    performance: dict[str, Any] = {"reason": NOT_LOADED}
    if len(training.tower_kpis):
        performance = {"reason": None, "window_days": towers.WINDOW_DAYS}
        window = towers.windows(training.tower_kpis)
        performance["window_end"] = str(window.last_day.date())
        made = _tower_clusters(window, seed)
        performance |= _of_clusters(made, clusters, members)
        network.frames["tower_trend.parquet"] = towers.trends(training.tower_kpis)
    if clusters:
        network.frames["cluster.parquet"] = pd.concat(clusters, ignore_index=True)
        network.frames["cluster_member.parquet"] = pd.concat(members, ignore_index=True)
    seconds = round(time.monotonic() - started, 1)
    network.facts = {"seconds": seconds, EQUIPMENT: equipment, TOWERS: performance}
    return network


@dataclass(frozen=True)
class _Made:
    clustering: Clustering
    clusters: pd.DataFrame
    members: pd.DataFrame
    moved: int | None = None


def _of_clusters(
    made: _Made | None, clusters: list[pd.DataFrame], members: list[pd.DataFrame]
) -> dict[str, Any]:
    if made is None:
        return {"reason": TOO_FEW}
    clusters.append(made.clusters)
    members.append(made.members)
    chosen = made.clustering.chosen
    return {
        "silhouette": round(chosen.silhouette, DIGITS),
        "stability": round(chosen.stability, DIGITS),
        "choices": [asdict(one) for one in made.clustering.choices],
        "moved": made.moved,
    }


# Risk


def _risks(found: Readings, seed: int, jobs: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The risk of every machine that is running, and the model's facts."""
    rows = found.rows
    facts: dict[str, Any] = {"horizon_days": found.horizon_days, "inputs": list(rows.columns)}
    if not risk.are_enough(rows):
        return pd.DataFrame(), facts | {
            "reason": FEW_FAILURES if rows.failed.any() else NO_FAILURES
        }
    held_out = risk.cross_validated(rows, seed, jobs)
    model = Model(seed).fit(rows)
    running = np.flatnonzero(~found.down)
    latest, values = found.latest.iloc[running], found.values[running]
    kinds = latest["kind"].fillna("").to_numpy(object)
    # a machine that is read once was learnt from: its risk is the one of the fold without it
    probability = model.probability(values, kinds) if found.horizon_days else held_out
    order = np.argsort(-probability, kind="stable")
    frame = latest.assign(
        probability=probability,
        horizon_days=found.horizon_days,
        measured_on=latest["measured_at"].dt.date,
        reasons=_reasons(model, rows, values, kinds),
    )
    facts |= {
        "reason": None,
        "derived": [pair.name(rows.columns) for pair in model.pairs],
        "quality": asdict(risk.quality(held_out, rows.failed)),
        "down": int(found.down.sum()),
    }
    return frame.iloc[order].reset_index(drop=True), facts


def _reasons(model: Model, rows: risk.Rows, values: Array, kinds: NDArray[np.object_]) -> list[str]:
    """Of each machine the readings that raise its risk the most, as JSON: what its log-odds lose
    with one of them put to the middle of its kind, or of all machines where its kind has none."""
    middles = {kind: _middle(rows.values[rows.kinds == kind]) for kind in set(rows.kinds)}
    whole = _middle(rows.values)
    typical = np.array([middles.get(kind, whole) for kind in kinds])
    typical = np.where(np.isnan(typical), whole, typical)
    known = np.isfinite(values) & np.isfinite(typical)
    odds = risk.log_odds(model.probability(values, kinds))
    effects = np.zeros_like(values)
    for place in range(values.shape[1]):
        usual = values.copy()
        usual[known[:, place], place] = typical[known[:, place], place]
        effects[:, place] = odds - risk.log_odds(model.probability(usual, kinds))
    best = np.argsort(-effects, axis=1, kind="stable")[:, :MOST_REASONS]
    return [
        json.dumps(
            [
                {
                    "feature": rows.columns[place],
                    "value": round(float(values[row, place]), DIGITS),
                    "typical": round(float(typical[row, place]), DIGITS),
                    "effect": round(float(effects[row, place]), DIGITS),
                }
                for place in best[row]
                if effects[row, place] >= LEAST_EFFECT
            ],
            allow_nan=False,
        )
        for row in range(len(values))
    ]


def _middle(values: Array) -> Array:
    known = ~np.isnan(values).all(axis=0)
    middle = np.full(values.shape[1], np.nan)
    middle[known] = np.nanmedian(values[:, known], axis=0)
    return middle


# Clusters


def _equipment_clusters(found: Readings, risks: pd.DataFrame, seed: int) -> _Made | None:
    count = len(found.measured)
    values, latest = found.values[:, :count], found.latest
    kinds = latest["kind"].fillna("").to_numpy(object)
    chance = np.full(len(latest), np.nan)
    if len(risks):
        chance = latest["equipment"].map(risks.set_index("equipment")["probability"]).to_numpy()
    scale = scaling(values, kinds)
    clustering = cluster(scale.of(values, kinds), seed) if count else None
    if clustering is None:
        return None
    members = latest.rename(columns={"equipment": "member"})[["member", "site", "kind"]]
    made = _made(EQUIPMENT, found.measured, values, clustering, members, chance=chance)
    rows = found.rows
    alike = clustering.nearest(scale.of(rows.values[:, :count], rows.kinds))
    counts = np.bincount(alike, minlength=len(made.clusters))
    failures = np.bincount(alike[rows.failed], minlength=len(made.clusters))
    rates = pd.Series(failures / np.where(counts > 0, counts, np.nan))
    return replace(made, clusters=made.clusters.assign(failure_rate=rates))


def _tower_clusters(window: towers.Windows, seed: int) -> _Made | None:
    kinds = np.zeros(len(window.sites), dtype=object)
    scale: Scaling = scaling(window.now, kinds)
    clustering = cluster(scale.of(window.now, kinds), seed)
    if clustering is None:
        return None
    known: Flags = np.array(~np.isnan(window.before).all(axis=1))
    earlier = clustering.nearest(scale.of(window.before, kinds))
    members = pd.DataFrame({"member": window.sites, "site": window.sites, "kind": None})
    previous = pd.Series(earlier + 1).where(known).astype("Int32")
    made = _made(TOWERS, TOWER_METRICS, window.now, clustering, members, previous)
    moved = towers.moved(clustering.labels, earlier, known)
    return _Made(made.clustering, made.clusters, made.members, moved)


def _made(
    family: str,
    columns: tuple[str, ...],
    values: Array,
    clustering: Clustering,
    members: pd.DataFrame,
    previous: pd.Series | None = None,
    chance: Array | None = None,
) -> _Made:
    labels, centres = clustering.labels, clustering.centres
    names = names_of([dict(zip(columns, centre.tolist(), strict=True)) for centre in centres])
    overall = _middle(values)
    rows = []
    for number, centre in enumerate(centres):
        mine = labels == number
        middle = _middle(values[mine])
        profile = [
            {
                "feature": column,
                "value": _number(middle[place]),
                "overall": _number(overall[place]),
                "spreads": _number(centre[place]),
            }
            for place, column in enumerate(columns)
        ]
        rows.append(
            {
                "family": family,
                "number": number + 1,
                "name": json.dumps(names[number], ensure_ascii=False),
                "size": int(mine.sum()),
                "silhouette": float(clustering.silhouettes[mine].mean()),
                "failure_rate": np.nan,
                "mean_risk": np.nan if chance is None else _mean(chance[mine]),
                "profile": json.dumps(profile, allow_nan=False),
            }
        )
    own = distances(clustering.scaled, centres)[np.arange(len(labels)), labels]
    detailed = members.assign(
        family=family,
        number=labels + 1,
        previous_number=pd.Series(pd.NA, range(len(labels)), "Int32")
        if previous is None
        else previous,
        next_number=clustering.runner_up() + 1,
        distance=own,
        silhouette=clustering.silhouettes,
        features=_features(columns, values),
        pulls=_pulls(columns, values, clustering.pulls()),
    )
    return _Made(clustering, pd.DataFrame(rows), detailed)


def _features(columns: tuple[str, ...], values: Array) -> list[str]:
    return [
        json.dumps(
            {name: _number(one) for name, one in zip(columns, row, strict=True)}, allow_nan=False
        )
        for row in values
    ]


def _pulls(columns: tuple[str, ...], values: Array, pulls: Array) -> list[str]:
    """Of each member the features that say the most about where it is, as JSON."""
    whole = np.maximum(np.where(pulls > 0, pulls, 0).sum(axis=1, keepdims=True), 1e-12)
    shares = pulls / whole
    best = np.argsort(-np.abs(shares), axis=1, kind="stable")[:, :SHOWN_PULLS]
    return [
        json.dumps(
            [
                {
                    "feature": columns[place],
                    "value": _number(values[row, place]),
                    "share": round(float(shares[row, place]), DIGITS),
                }
                for place in best[row]
            ],
            allow_nan=False,
        )
        for row in range(len(values))
    ]


def _mean(values: Array) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else np.nan


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), DIGITS)
