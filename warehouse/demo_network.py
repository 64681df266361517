"""Towers, what goes wrong on them, and what is measured there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from warehouse.demo_catalogue import CONTRACTS, DEPOTS, REGION_OF
from warehouse.demo_stock import Ledger
from warehouse.demo_world import WARM_UP_DAYS, Array, Rng, World, depot_code

TOWERS = 320
FEWEST_TOWERS = 4
KPI_DAYS = 180
CRITICAL_FROM = 8
WAITING_SHARE = 0.12
"""How often a critical part that is not there keeps a tower down."""
CAUSES = ("energia da concessionária", "clima", "rompimento de fibra", "falha de equipamento")
MISSING_PART = "falta de material"
QUALITY = {"A": 1.25, "B": 1.0, "C": 0.75}
"""Traffic by tier, and the inverse of how often service is lost."""
FAILURES = {
    "banco de baterias": ("BAT", 1.0, 0.013, ("perda de capacidade", "sobreaquecimento")),
    "retificador": ("RET", 1.0, 0.008, ("sobretensão", "ventilação")),
    "grupo gerador": ("GMG", 0.4, 0.011, ("mancal", "falha de partida")),
    "ar-condicionado": ("CLI", 0.6, 0.012, ("compressor", "vazamento de fluido")),
}
"""Kind of equipment: prefix, share of the towers that have it, wear a month, how it fails."""
BEHAVIOURS = {
    "steady": (0.48, {}),
    "congested": (0.18, {"traffic": 1.7, "latency": 1.6, "throughput": 0.55, "drops": 1.8}),
    "long backhaul": (0.14, {"latency": 2.4, "throughput": 0.7}),
    "weak grid": (0.12, {"energy": 1.5, "micro": 9.0, "drops": 2.2}),
    "rural": (0.08, {"traffic": 0.3, "energy": 0.62, "throughput": 1.25}),
}
"""How a tower behaves: share of the towers, and by how much its figures are other than usual."""
CHANGING = 0.12
"""Share of the towers that change their behaviour within the days shown."""


def make_towers(rng: Rng) -> pd.DataFrame:
    """One row a tower: site, uf, latitude, longitude, tier, contract."""
    sizes = np.array([size for *_, size in DEPOTS.values()])
    counts = np.maximum(FEWEST_TOWERS, np.round(TOWERS * sizes / sizes.sum())).astype(int)
    parts = [_towers_of(rng, uf, int(count)) for uf, count in zip(DEPOTS, counts, strict=True)]
    return pd.concat(parts, ignore_index=True)


def _towers_of(rng: Rng, uf: str, count: int) -> pd.DataFrame:
    """Around the capital, inland rather than in the sea."""
    _, latitude, longitude, _ = DEPOTS[uf]
    serving = [each.code for each in CONTRACTS if REGION_OF[uf] in each.regions.split()]
    return pd.DataFrame(
        {
            "site": [f"TWR-{uf}-{number:03d}" for number in range(1, count + 1)],
            "uf": uf,
            "latitude": np.round(latitude + rng.normal(0, 0.55, count), 4),
            "longitude": np.round(longitude - np.abs(rng.normal(0, 0.55, count)), 4),
            "tier": rng.choice(list(QUALITY), size=count, p=[0.25, 0.45, 0.30]),
            "contract": rng.choice(serving, size=count),
        }
    )


def site_rows(towers: pd.DataFrame) -> pd.DataFrame:
    """The depots, then the towers."""
    depots = [
        (depot_code(uf), f"Depósito {capital}", uf, "depot", latitude, longitude)
        for uf, (capital, latitude, longitude, _) in DEPOTS.items()
    ]
    known = ["site", "name", "uf", "kind", "latitude", "longitude"]
    named = towers.assign(
        name="Torre " + towers["site"].str[4:], kind="tower", depot=towers["uf"].map(depot_code)
    )
    columns = ["site", "name", "uf", "kind", "depot", "latitude", "longitude", "tier", "contract"]
    return pd.concat([pd.DataFrame(depots, columns=known), named]).reindex(columns=columns)


# Outages


def outage_rows(
    rng: Rng, world: World, ledger: Ledger, wanted: Array, towers: pd.DataFrame
) -> pd.DataFrame:
    """Ordinary ones and those that wait for a part; what has not ended has no `ended_at`."""
    ordinary = _ordinary_outages(rng, world, towers)
    rows = pd.concat([ordinary, _waiting_outages(rng, world, ledger, wanted, towers)])
    rows = rows.sort_values(["started_at", "site"], ignore_index=True)
    rows["ended_at"] = rows["ended_at"].where(rows["ended_at"] < world.end)
    rows.insert(0, "outage", [f"OC-{number:05d}" for number in range(1, len(rows) + 1)])
    return rows


def _outages(towers: pd.DataFrame, **columns: Any) -> pd.DataFrame:
    frame = pd.DataFrame({"site": towers["site"].to_numpy()} | columns)
    frame["started_at"] = frame["started_at"].dt.floor("min")
    frame["ended_at"] = frame["ended_at"].dt.floor("min")
    return frame.assign(contract=towers["contract"].to_numpy())


def _ordinary_outages(rng: Rng, world: World, towers: pd.DataFrame) -> pd.DataFrame:
    """Rain brings more of them; they last hours, a few of them days."""
    rain = np.column_stack([world.rain[uf][WARM_UP_DAYS:] for uf in towers["uf"]])
    risk = (0.008 + 0.0008 * rain) / towers["tier"].map(QUALITY).to_numpy() ** 2
    day, tower = np.nonzero(rng.random(rain.shape) < risk)
    count = len(day)
    stormy = rain[day, tower] > 25
    cause = np.where(stormy & (rng.random(count) < 0.6), "clima", rng.choice(CAUSES, size=count))
    start = world.shown[day] + pd.to_timedelta(rng.integers(0, 1440, count), unit="min")
    hours = np.minimum(rng.lognormal(1.0, 1.0, count), 60.0)
    end = start + pd.to_timedelta(hours, unit="h")
    at = towers.iloc[tower]
    return _outages(at, started_at=start, ended_at=end, cause=cause, sku_waited_for=None)


def _waiting_outages(
    rng: Rng, world: World, ledger: Ledger, wanted: Array, towers: pd.DataFrame
) -> pd.DataFrame:
    """A critical part is asked for and not there: a tower near by stays down until it comes, or
    until a crew makes do, within two days."""
    critical = np.array([s.material.criticality >= CRITICAL_FROM for s in world.series])
    missing = (wanted > 0) & (ledger.waiting > 0) & critical
    missing[:WARM_UP_DAYS] = False
    kept = missing & (rng.random(missing.shape) < WAITING_SHARE)
    day, index = np.nonzero(kept)
    count = len(day)
    start = world.days[day] + pd.to_timedelta(rng.integers(0, 1440, count), unit="min")
    make_do = start + pd.to_timedelta(rng.uniform(5, 46, count), unit="h")
    comes = np.array([_next_issue(ledger, *each) for each in np.argwhere(kept).tolist()])
    delivery = world.days[0] + pd.to_timedelta(comes * 24 + 14, unit="h")
    at = towers.iloc[[_tower_near(rng, towers, world.series[n].uf) for n in index]]
    return _outages(
        at,
        started_at=start,
        ended_at=make_do.where(make_do < delivery, delivery),
        cause=MISSING_PART,
        sku_waited_for=[world.series[n].material.sku for n in index],
    )


def _next_issue(ledger: Ledger, day: int, index: int) -> int:
    """The place of the next day on which the item is issued; far away when there is none."""
    later = ledger.issued[day + 1 :, index] > 0
    return day + 1 + int(later.argmax()) if later.any() else len(ledger.issued) + 30


def _tower_near(rng: Rng, towers: pd.DataFrame, uf: str) -> int:
    return int(rng.choice(np.flatnonzero(towers["uf"] == uf)))


# Measurements


def tower_kpi_rows(
    rng: Rng, world: World, towers: pd.DataFrame, outages: pd.DataFrame
) -> pd.DataFrame:
    """A row a tower and day; availability and traffic are what the outages left of them."""
    days, shape = world.days[-KPI_DAYS:], (len(towers), KPI_DAYS)
    rain = np.vstack([world.rain[uf][-KPI_DAYS:] for uf in towers["uf"]])
    up = 1 - _down_hours(outages, towers, days, world.end) / 24
    busy = towers["tier"].map(QUALITY).to_numpy()[:, None] * rng.lognormal(0, 0.15, (shape[0], 1))
    weekend = np.where(days.dayofweek >= 5, 0.88, 1.0)
    usual = _behaviour(rng, shape)
    micro = usual["micro"] * rng.gamma(0.3, 0.03 + rain / 600)
    measured = {
        "availability_pct": np.clip(100 * up - micro, 0, 100).round(3),
        "latency_ms": (usual["latency"] * (21 + 4 * busy) + rng.gamma(1.5, 2.0 + rain / 30)).round(
            1
        ),
        "throughput_mbps": (
            usual["throughput"] * 160 / (0.6 + busy) * rng.lognormal(0, 0.1, shape)
        ).round(1),
        "drop_rate_pct": np.minimum(usual["drops"] * rng.gamma(1.3, 0.18 + rain / 150), 100).round(
            3
        ),
        "energy_kwh": (usual["energy"] * (70 + 45 * busy) + rng.normal(0, 4, shape)).round(1),
        "traffic_gb": (
            usual["traffic"] * 420 * busy * weekend * up * rng.lognormal(0, 0.08, shape)
        ).round(1),
    }
    keys = {
        "site": np.repeat(towers["site"].to_numpy(), KPI_DAYS),
        "date": np.tile(days.strftime("%Y-%m-%d"), shape[0]),
    }
    return pd.DataFrame(keys | {name: values.ravel() for name, values in measured.items()})


def _behaviour(rng: Rng, shape: tuple[int, int]) -> dict[str, Array]:
    """By how much each figure is other than usual, towers x days; some towers change midway."""
    names, shares = list(BEHAVIOURS), [share for share, _ in BEHAVIOURS.values()]
    first, then = (rng.choice(len(names), shape[0], p=shares) for _ in range(2))
    changes = np.where(
        rng.random(shape[0]) < CHANGING,
        rng.integers(shape[1] // 3, shape[1] - 8, shape[0]),
        shape[1],
    )
    now = np.where(np.arange(shape[1]) < changes[:, None], first[:, None], then[:, None])
    factors = ("traffic", "latency", "throughput", "drops", "energy", "micro")
    return {
        factor: np.array([BEHAVIOURS[name][1].get(factor, 1.0) for name in names])[now]
        for factor in factors
    }


def _down_hours(
    outages: pd.DataFrame, towers: pd.DataFrame, days: pd.DatetimeIndex, end: pd.Timestamp
) -> Array:
    """Hours without service, towers x days; overlapping outages count once a day at most 24 h."""
    hours = np.zeros((len(towers), len(days)))
    place = pd.Index(towers["site"]).get_indexer(outages["site"])
    for tower, begins, ends in zip(
        place.tolist(),
        _hours_since(days[0], outages["started_at"]),
        _hours_since(days[0], outages["ended_at"].fillna(end)),
        strict=True,
    ):
        for day in range(max(0, int(begins // 24)), min(len(days), int(ends // 24) + 1)):
            hours[tower, day] += max(0.0, min(ends, 24 * day + 24) - max(begins, 24 * day))
    return np.minimum(hours, 24.0)


def _hours_since(origin: pd.Timestamp, moments: pd.Series) -> list[float]:
    return ((moments - origin) / pd.Timedelta(hours=1)).tolist()


def equipment_rows(rng: Rng, world: World, towers: pd.DataFrame) -> pd.DataFrame:
    """Monthly readings; wear heats, shakes and weakens a unit until it fails and is replaced."""
    months = pd.date_range(world.shown[0], world.days[-1], freq="MS")
    parts = [_readings(rng, towers, kind, months) for kind in FAILURES]
    rows = pd.concat(parts, ignore_index=True)
    rows = rows[rows["measured_at"] < world.end].sort_values(["equipment", "measured_at"])
    return rows.assign(measured_at=rows["measured_at"].dt.strftime("%Y-%m-%d %H:%M"))


def _readings(rng: Rng, towers: pd.DataFrame, kind: str, months: pd.DatetimeIndex) -> pd.DataFrame:
    prefix, share, wear_rate, modes = FAILURES[kind]
    at = towers[rng.random(len(towers)) < share]
    units, count = len(at), len(months)
    wear, age, heat, failed = _worn(rng, units, count, wear_rate)
    visit = rng.integers(0, 26, units) * 24 + 9
    spinning, battery = kind != "banco de baterias", kind == "banco de baterias"
    vibration = 1.1 + 3.2 * wear + rng.gamma(2, 0.2, wear.shape)
    health = np.clip(100 - 60 * wear + rng.normal(0, 2, wear.shape), 0, 100)
    values = {
        "failure": failed.astype(int),
        "failure_kind": np.where(failed, rng.choice(modes, size=wear.shape), ""),
        "temperature_c": heat.round(1),
        "vibration_mm_s": vibration.round(2) if spinning else np.full(wear.shape, np.nan),
        "voltage_v": (53.8 - 2.4 * wear + rng.normal(0, 0.3, wear.shape)).round(2),
        "battery_health_pct": health.round(1) if battery else np.full(wear.shape, np.nan),
        "load_pct": np.clip(rng.normal(62, 9, wear.shape), 15, 99).round(1),
        "age_months": age,
    }
    keys = {
        "equipment": np.repeat((prefix + "-" + at["site"].str[4:]).to_numpy(), count),
        "site": np.repeat(at["site"].to_numpy(), count),
        "kind": kind,
        "measured_at": np.tile(months, units) + pd.to_timedelta(np.repeat(visit, count), unit="h"),
    }
    return pd.DataFrame(keys | {name: value.ravel() for name, value in values.items()})


def _worn(rng: Rng, units: int, months: int, rate: float) -> tuple[Array, Array, Array, Array]:
    """(wear 0–1 and beyond, age in months, °C, failed), units x months."""
    wear, age, heat = (np.zeros((units, months)) for _ in range(3))
    failed = np.zeros((units, months), dtype=bool)
    now = rng.uniform(0, 0.85, units)
    old = (now / (1.2 * rate) * rng.uniform(0.7, 1.2, units)).astype(int)
    for month in range(months):
        now, old = now + rng.gamma(1.2, rate, units), old + 1
        wear[:, month], age[:, month] = now, old
        heat[:, month] = 27 + 6 * now + rng.normal(0, 2.2, units)
        risk = 1 / (1 + np.exp(-(now * 16.0 + (heat[:, month] - 31) * 0.25 - 15.5)))
        failed[:, month] = rng.random(units) < risk
        now, old = (np.where(failed[:, month], 0, each) for each in (now, old))
    return wear, age, heat, failed
