"""Clusters of machines and of sites for the scale database's bundle, and the machines' risk."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from domain.clusters import EQUIPMENT, TOWERS, Family

SEED = 20_260_106
MACHINES, KINDS = 10_000, ("rectifier", "battery", "hvac", "radio")
RISK_DAYS = 30
FEATURES: dict[Family, tuple[str, ...]] = {
    EQUIPMENT: ("temperature_c", "vibration_mm_s", "load_pct", "age_months"),
    TOWERS: ("availability_pct", "latency_ms", "throughput_mbps", "energy_kwh"),
}
"""What members are told by. Each names a cluster that lies far above the middle in it."""
USUAL, HIGH = 40.0, 60.0


def tables(sites: Sequence[str], last_day: date) -> dict[str, Iterator[pa.Table]]:
    """The bundle's files, the machines spread evenly over the sites."""
    machines = [f"EQ-{number:05d}" for number in range(MACHINES)]
    at = [sites[number % len(sites)] for number in range(MACHINES)]
    kinds = [KINDS[number % len(KINDS)] for number in range(MACHINES)]
    none = [None] * len(sites)
    return {
        "cluster.parquet": iter(
            [_clusters(EQUIPMENT, MACHINES, 0.1), _clusters(TOWERS, len(sites), None)]
        ),
        "cluster_member.parquet": iter(
            [_members(EQUIPMENT, machines, at, kinds), _members(TOWERS, sites, sites, none)]
        ),
        "failure_risk.parquet": iter([_risks(machines, at, kinds, last_day)]),
    }


def facts() -> dict[str, Any]:
    """What the manifest tells of them."""
    made: dict[str, Any] = {"reason": None, "silhouette": 0.5, "stability": 0.9, "choices": []}
    risk = {"horizon_days": RISK_DAYS, "inputs": list(FEATURES[EQUIPMENT]), "quality": None}
    return {EQUIPMENT: made | {"risk": risk}, TOWERS: made}


def _clusters(family: Family, members: int, risk: float | None) -> pa.Table:
    features = FEATURES[family]
    count = len(features)
    return pa.table(
        {
            "family": [family] * count,
            "number": range(1, count + 1),
            "name": [json.dumps({"pt_BR": f"{one} alta", "en": f"high {one}"}) for one in features],
            "size": [len(range(place, members, count)) for place in range(count)],
            "silhouette": [0.5] * count,
            "failure_rate": pa.array([risk] * count, pa.float64()),
            "mean_risk": pa.array([risk] * count, pa.float64()),
            "profile": [
                json.dumps([_value(one, one == far) for one in features]) for far in features
            ],
        }
    )


def _value(feature: str, is_far: bool) -> dict[str, Any]:
    value, spreads = (HIGH, 1.6) if is_far else (USUAL, 0.0)
    return {"feature": feature, "value": value, "overall": USUAL, "spreads": spreads}


def _members(
    family: Family, members: Sequence[str], sites: Sequence[str], kinds: Sequence[str | None]
) -> pa.Table:
    features = FEATURES[family]
    count, place = len(members), np.arange(len(members)) % len(features)
    pulls = [json.dumps([{"feature": one, "value": HIGH, "share": 0.8}]) for one in features]
    return pa.table(
        {
            "family": [family] * count,
            "member": members,
            "site": sites,
            "kind": pa.array(kinds, pa.string()),
            "number": place + 1,
            "previous_number": pa.array(
                place + 1 if family == TOWERS else [None] * count, pa.int64()
            ),
            "next_number": (place + 1) % len(features) + 1,
            "distance": np.full(count, 0.7),
            "silhouette": np.full(count, 0.5),
            "features": [json.dumps(dict.fromkeys(features, USUAL))] * count,
            "pulls": [pulls[one] for one in place],
        }
    )


def _risks(
    machines: Sequence[str], sites: Sequence[str], kinds: Sequence[str], last_day: date
) -> pa.Table:
    rng, count = np.random.default_rng(SEED), len(machines)
    reason = {"feature": "temperature_c", "value": HIGH, "typical": USUAL, "effect": 0.9}
    return pa.table(
        {
            "equipment": machines,
            "site": sites,
            "kind": kinds,
            "measured_on": pa.repeat(pa.scalar(last_day, pa.date32()), count),
            "horizon_days": [RISK_DAYS] * count,
            "probability": rng.beta(1, 12, count),
            "reasons": [json.dumps([reason])] * count,
        }
    )
