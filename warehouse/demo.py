"""Demo files: an invented tower-maintenance company, as ERP files for the ordinary pipeline.

Everything hangs together: weather moves demand, demand moves stock, stock moves purchase orders,
and a missing part prolongs an outage. `demand.quantity` is what was issued to jobs that day.
When the depot is short, the missing part is bought at once in the local trade (an order line of
supplier F99, received the same day, dearer), so for each item and depot

    on_hand(day) = on_hand(day before) + received_qty of that day - demand of that day

holds to the unit. A depot whose `on_hand` is 0 is out of stock. The same seed and day give the same
bytes. Quantities in M, KG and L move in halves, all others in whole units.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import holidays
import numpy as np
import pandas as pd

from warehouse.demo_catalogue import (
    CONTRACTS,
    DEPOTS,
    EMERGENCY,
    MATERIALS,
    REGION_OF,
    SUPPLIERS,
    WET_MONTHS,
    Material,
)

YEARS = 3
WARM_UP_DAYS = 240
SERIES_PER_DEPOT = 8.6
DAILY_STOCK_DAYS = 120
KPI_DAYS = 180
TOWERS = 320
EMERGENCY_PREMIUM = 1.35
HALVES = ("M", "KG", "L")
CRITICAL_FROM = 8
WEEKDAY = np.array([1.15, 1.12, 1.08, 1.05, 1.0, 0.45, 0.25])
REVIEW_WEEKDAYS = (0, 3)

Rng = np.random.Generator


@dataclass(frozen=True)
class Series:
    """One item at one depot. `life`: 'steady', 'dead' (ended long ago) or 'new' (began lately)."""

    material: Material
    uf: str
    size: float
    life: str

    @property
    def depot(self) -> str:
        return depot_code(self.uf)


@dataclass(frozen=True)
class World:
    """The days (warm-up included), the weather and the series of one demo."""

    days: pd.DatetimeIndex
    rain: dict[str, np.ndarray]
    temperature: dict[str, np.ndarray]
    rollout: dict[str, np.ndarray]
    series: list[Series]

    @property
    def first(self) -> int:
        """Index of the first day that the files show."""
        return WARM_UP_DAYS


@dataclass(frozen=True)
class Ledger:
    """What happened in stock: arrays are days x series; `orders` has one row a line."""

    on_hand: np.ndarray
    on_order: np.ndarray
    orders: pd.DataFrame


def depot_code(uf: str) -> str:
    """The site code of a federative unit's depot."""
    return f"DEP-{uf}"


def write_demo(folder: Path, *, seed: int = 2024, today: date | None = None) -> list[Path]:
    """Writes the twelve canonical files and `demo.json` into `folder` (made if missing).

    The last day of the data is the day before `today`. Returns the paths written.
    """
    today = today or date.today()
    rng = np.random.default_rng(seed)
    world = _world(rng, today)
    demand = _demand(rng, world)
    ledger = _run_stock(rng, world, demand)
    towers = _towers(rng)
    frames = {
        "suppliers": _suppliers(),
        "items": _items(),
        "contracts": _contracts(),
        "sites": _sites(towers),
        "demand": _demand_rows(world, demand),
        "stock": _stock_rows(world, ledger),
        "purchase_orders": _order_rows(world, ledger, today),
        "outages": _outages(rng, world, ledger, towers),
        "projects": _projects(rng, today),
        "equipment": _equipment(rng, world, towers),
        "tower_kpis": _tower_kpis(rng, world, towers),
        "drivers": _drivers(rng, world),
    }
    folder.mkdir(parents=True, exist_ok=True)
    paths = [_write(folder, name, frame) for name, frame in frames.items()]
    marker = folder / "demo.json"
    marker.write_text(json.dumps({"demo": True, "seed": seed, "today": today.isoformat()}) + "\n")
    return [*paths, marker]


def _write(folder: Path, name: str, frame: pd.DataFrame) -> Path:
    """Half the world's Brazilian exports use `;` and a decimal comma: two of ours do, too."""
    path = folder / f"{name}.csv"
    brazilian = name in ("items", "contracts")
    separator, decimal = (";", ",") if brazilian else (",", ".")
    frame.to_csv(
        path,
        sep=separator,
        decimal=decimal,
        index=False,
        lineterminator="\n",
        float_format="%.10g",
    )
    return path


# The world


def _world(rng: Rng, today: date) -> World:
    last = pd.Timestamp(today) - pd.Timedelta(days=1)
    first = last - pd.DateOffset(years=YEARS) + pd.Timedelta(days=1)
    days = pd.date_range(first - pd.Timedelta(days=WARM_UP_DAYS), last)
    rain = {uf: _rain(rng, days, REGION_OF[uf]) for uf in DEPOTS}
    temperature = {uf: _temperature(rng, days, DEPOTS[uf][1]) for uf in DEPOTS}
    rollout = {uf: _rollout(rng, days, size) for uf, (*_, size) in DEPOTS.items()}
    return World(days, rain, temperature, rollout, _series(rng))


def _rain(rng: Rng, days: pd.DatetimeIndex, region: str) -> np.ndarray:
    """Millimetres a day: wet spells in the region's season, a few storms."""
    wet = np.isin(days.month, WET_MONTHS[region])
    spell = _smooth(rng.normal(size=len(days)), 6)
    chance = np.clip(np.where(wet, 0.55, 0.16) + 0.22 * spell, 0.02, 0.95)
    amount = rng.gamma(0.9, np.where(wet, 15.0, 7.0))
    return np.round(np.where(rng.random(len(days)) < chance, amount, 0.0), 1)


def _temperature(rng: Rng, days: pd.DatetimeIndex, latitude: float) -> np.ndarray:
    swing = 0.8 + abs(latitude) * 0.16
    season = np.cos(2 * np.pi * (days.dayofyear.to_numpy() - 15) / 365.25)
    return np.round(28.5 - abs(latitude) * 0.2 + swing * season + rng.normal(0, 1.4, len(days)), 1)


def _rollout(rng: Rng, days: pd.DatetimeIndex, size: float) -> np.ndarray:
    """Share of the planned 5G sites that are on air: an S-curve, the big markets first."""
    middle = len(days) * (0.78 - 0.16 * min(size, 2.0) + rng.normal(0, 0.03))
    return 1 / (1 + np.exp(-(np.arange(len(days)) - middle) / 130))


def _smooth(values: np.ndarray, window: int) -> np.ndarray:
    kernel = np.ones(window) / window
    return np.convolve(values, kernel, mode="same") * np.sqrt(window)


def _series(rng: Rng) -> list[Series]:
    """Which depot stocks what: the larger the depot, the more items; every item somewhere."""
    chosen = []
    for index, (uf, (*_, size)) in enumerate(DEPOTS.items()):
        count = int(np.clip(round(SERIES_PER_DEPOT + 4.6 * size), 8, len(MATERIALS)))
        offset = index * 5
        wheel = [MATERIALS[(offset + step * 7) % len(MATERIALS)] for step in range(len(MATERIALS))]
        for material in wheel[:count]:
            life = str(rng.choice(["steady", "dead", "new"], p=[0.94, 0.03, 0.03]))
            chosen.append(Series(material, uf, size * float(rng.lognormal(0, 0.25)), life))
    return chosen


# Demand


def _demand(rng: Rng, world: World) -> np.ndarray:
    """Days x series, in units of issue."""
    holiday = {uf: _holiday_mask(world.days, uf) for uf in DEPOTS}
    columns = [_one_demand(rng, world, series, holiday[series.uf]) for series in world.series]
    return np.column_stack(columns)


def _holiday_mask(days: pd.DatetimeIndex, uf: str) -> np.ndarray:
    known = holidays.country_holidays("BR", subdiv=uf, years=range(days[0].year, days[-1].year + 1))
    return np.array([day.date() in known for day in days])


def _intensity(world: World, series: Series, holiday: np.ndarray) -> np.ndarray:
    """Expected demand relative to an ordinary day."""
    days, material = world.days, series.material
    week_of_rain = pd.Series(world.rain[series.uf]).rolling(7, min_periods=1).mean().to_numpy()
    wetness = week_of_rain / week_of_rain.mean() - 1
    level = WEEKDAY[days.dayofweek] * np.where(holiday, 0.35, 1.0)
    level = level * np.clip(1 + material.rain * wetness, 0.15, 4.0)
    level = level * (1 + material.renewal * np.isin(days.month, (1, 7)))
    growth = np.gradient(world.rollout[series.uf]) * 520
    return level * (1 + material.rollout * growth)


def _one_demand(rng: Rng, world: World, series: Series, holiday: np.ndarray) -> np.ndarray:
    level = _intensity(world, series, holiday)
    mean = series.material.rate * series.size * level
    drawn = _PATTERNS[series.material.pattern](rng, mean, level)
    alive = np.ones(len(drawn), dtype=bool)
    if series.life == "dead":
        alive[int(len(drawn) * 0.62) :] = False
    elif series.life == "new":
        alive[: int(len(drawn) * 0.86)] = False
    step = 0.5 if series.material.unit in HALVES else 1.0
    return np.where(alive, np.round(drawn / step) * step, 0.0)


def _smooth_demand(rng: Rng, mean: np.ndarray, _level: np.ndarray) -> np.ndarray:
    return rng.poisson(np.maximum(mean, 1.2) * rng.gamma(22, 1 / 22, len(mean))).astype(float)


def _erratic_demand(rng: Rng, mean: np.ndarray, _level: np.ndarray) -> np.ndarray:
    size = rng.lognormal(-0.42, 0.92, len(mean))
    return rng.poisson(np.maximum(mean, 2.4) * size).astype(float)


def _intermittent_demand(rng: Rng, mean: np.ndarray, level: np.ndarray) -> np.ndarray:
    chance = np.clip(mean * 0.55, 0, 0.5 * np.maximum(level, 0.2))
    size = 1 + rng.binomial(2, 0.22, len(mean))
    return np.where(rng.random(len(mean)) < chance, size, 0).astype(float)


def _lumpy_demand(rng: Rng, mean: np.ndarray, level: np.ndarray) -> np.ndarray:
    chance = np.clip(0.13 * level, 0, 0.6)
    size = np.maximum(1, mean / np.maximum(level, 0.1) * rng.lognormal(0.2, 0.85, len(mean)))
    return np.where(rng.random(len(mean)) < chance, size, 0.0)


_PATTERNS = {
    "smooth": _smooth_demand,
    "erratic": _erratic_demand,
    "intermittent": _intermittent_demand,
    "lumpy": _lumpy_demand,
}


# Stock and orders


def _supplier(material: Material) -> int:
    return next(i for i, supplier in enumerate(SUPPLIERS) if supplier.code == material.supplier)


def _lead_time(rng: Rng, supplier_index: int) -> tuple[int, int]:
    """(promised, actual) days: most lines come early or on time, the supplier's share late."""
    supplier = SUPPLIERS[supplier_index]
    if rng.random() < supplier.late_share:
        return supplier.contract, supplier.contract + 1 + int(rng.gamma(1.6, supplier.contract / 6))
    return supplier.contract, max(
        1, supplier.contract - int(rng.gamma(1.4, supplier.contract / 14))
    )


def _levels(rng: Rng, world: World, demand: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(reorder point, order-up-to): the planner's, some too low and some far too high."""
    daily = demand.mean(axis=0)
    spread = demand.std(axis=0)
    lead = np.array([SUPPLIERS[_supplier(s.material)].contract for s in world.series])
    skill = rng.choice([0.72, 1.0, 1.9], size=len(world.series), p=[0.10, 0.72, 0.18])
    safety = np.where(skill < 1, 0.3, 2.2) * spread * np.sqrt(lead + 4)
    point = skill * (daily * (lead + 4)) + safety
    cover = np.where(daily * 25 < 2, 2 / np.maximum(daily, 1e-3), 25)
    return point, point + daily * cover


def _run_stock(rng: Rng, world: World, demand: np.ndarray) -> Ledger:
    """Day by day: receive, issue (buying locally what is missing), review, order."""
    count, horizon = len(world.series), len(world.days)
    point, up_to = _levels(rng, world, demand)
    pack = np.array([s.material.pack for s in world.series], dtype=float)
    stock = np.ceil(up_to)
    arriving = np.zeros((horizon + 400, count))
    open_quantity = np.zeros(count)
    on_hand, on_order = np.zeros((horizon, count)), np.zeros((horizon, count))
    lines: list[tuple[int, int, str, int, int, float, float]] = []
    for day in range(horizon):
        stock += arriving[day]
        open_quantity -= arriving[day]
        short = np.maximum(demand[day] - stock, 0.0)
        for index in np.flatnonzero(short).tolist():
            lines.append((day, index, EMERGENCY, day, day, short[index], short[index]))
        stock = stock + short - demand[day]
        if world.days[day].dayofweek in REVIEW_WEEKDAYS:
            wanted = np.where(stock + open_quantity <= point, up_to - stock - open_quantity, 0.0)
            for index in np.flatnonzero(wanted > 0).tolist():
                quantity = float(np.ceil(wanted[index] / pack[index]) * pack[index])
                promised, actual = _lead_time(rng, _supplier(world.series[index].material))
                received = _received(rng, quantity, pack[index])
                arriving[day + actual, index] += received
                open_quantity[index] += received
                code = world.series[index].material.supplier
                lines.append((day, index, code, day + promised, day + actual, quantity, received))
        on_hand[day], on_order[day] = stock, open_quantity
    columns = ["day", "series", "supplier", "promised", "received", "quantity", "received_qty"]
    return Ledger(on_hand, on_order, pd.DataFrame(lines, columns=columns))


def _received(rng: Rng, quantity: float, pack: float) -> float:
    """Now and then a line comes one pack or more short, and the rest is cancelled."""
    packs = quantity / pack
    if packs >= 3 and rng.random() < 0.06:
        return float(np.ceil(packs * 0.8) * pack)
    return quantity


def _shown(world: World) -> pd.DatetimeIndex:
    return world.days[world.first :]


def _demand_rows(world: World, demand: np.ndarray) -> pd.DataFrame:
    shown = demand[world.first :]
    day, index = np.nonzero(shown)
    return pd.DataFrame(
        {
            "date": _shown(world)[day].strftime("%Y-%m-%d"),
            "sku": np.array([s.material.sku for s in world.series])[index],
            "site": np.array([s.depot for s in world.series])[index],
            "quantity": shown[day, index],
        }
    )


def _stock_rows(world: World, ledger: Ledger) -> pd.DataFrame:
    """Every day of the last months, before that the last day of each month."""
    days = _shown(world)
    recent = np.arange(len(days)) >= len(days) - DAILY_STOCK_DAYS
    kept = np.flatnonzero(recent | days.is_month_end)
    rows, count = kept.repeat(len(world.series)), len(kept)
    return pd.DataFrame(
        {
            "date": days[rows].strftime("%Y-%m-%d"),
            "sku": np.tile([s.material.sku for s in world.series], count),
            "site": np.tile([s.depot for s in world.series], count),
            "on_hand": ledger.on_hand[world.first + kept].ravel(),
            "reserved": 0,
            "in_transit": ledger.on_order[world.first + kept].ravel(),
        }
    )


def _order_rows(world: World, ledger: Ledger, today: date) -> pd.DataFrame:
    """Lines ordered or still under way in the shown days; what is to come has no receipt yet."""
    orders = ledger.orders[ledger.orders["received"] >= world.first].copy()
    begin = world.days[0]
    emergency = (orders["supplier"] == EMERGENCY).to_numpy()
    ordered = begin + pd.to_timedelta(orders["day"], unit="D")
    promised = begin + pd.to_timedelta(orders["promised"], unit="D")
    received = begin + pd.to_timedelta(orders["received"], unit="D")
    arrived = (received < pd.Timestamp(today)).to_numpy()
    short = (orders["received_qty"] < orders["quantity"]).to_numpy()
    cost = np.array([world.series[i].material.cost for i in orders["series"]])
    price = cost * _price_level(world, orders) * np.where(emergency, EMERGENCY_PREMIUM, 1.0)
    status = np.where(~arrived, "aberto", np.where(short, "recebido parcial", "recebido"))
    return pd.DataFrame(
        {
            "order": [f"PC-{number:06d}" for number in range(1, len(orders) + 1)],
            "line": 1,
            "sku": [world.series[i].material.sku for i in orders["series"]],
            "supplier": orders["supplier"].to_numpy(),
            "ordered_on": ordered.dt.strftime("%Y-%m-%d").to_numpy(),
            "quantity": orders["quantity"].to_numpy(),
            "site": [world.series[i].depot for i in orders["series"]],
            "requested_on": (ordered - pd.Timedelta(days=1))
            .where(~emergency, ordered)
            .dt.strftime("%Y-%m-%d")
            .to_numpy(),
            "promised_on": promised.dt.strftime("%Y-%m-%d").to_numpy(),
            "received_on": received.dt.strftime("%Y-%m-%d").where(arrived, None).to_numpy(),
            "received_qty": orders["received_qty"].where(arrived, np.nan).to_numpy(),
            "unit_price_brl": np.round(price, 2),
            "status": status,
        }
    )


def _price_level(world: World, orders: pd.DataFrame) -> np.ndarray:
    """Inflation of 4.5 % a year; imports follow the exchange rate as well."""
    years = orders["day"].to_numpy() / 365.25 - (YEARS + WARM_UP_DAYS / 365.25)
    imported = np.array([_is_import(code) for code in orders["supplier"]])
    rate = _exchange_rate(np.random.default_rng(0), len(world.days))
    return 1.045**years * np.where(imported, rate[orders["day"].to_numpy()] / rate[-1], 1.0)


def _is_import(code: str) -> bool:
    return any(s.code == code and s.kind == "import" for s in SUPPLIERS)


def _exchange_rate(rng: Rng, days: int) -> np.ndarray:
    """BRL per USD: a mean-reverting walk around 5.3, the same one wherever it is needed."""
    values, value = np.empty(days), 5.1
    for day, shock in enumerate(rng.normal(0, 0.035, days)):
        value += 0.01 * (5.3 - value) + shock
        values[day] = value
    return values


# Master data


def _suppliers() -> pd.DataFrame:
    return pd.DataFrame(
        [(s.code, s.name, s.kind, s.contract) for s in SUPPLIERS],
        columns=["supplier", "name", "kind", "contract_lead_time_days"],
    )


def _items() -> pd.DataFrame:
    rows = [
        {
            "sku": m.sku,
            "name": m.name,
            "family": m.family,
            "unit": m.unit,
            "unit_cost_brl": m.cost,
            "criticality": m.criticality,
            "lead_time_days": SUPPLIERS[_supplier(m)].contract,
            "min_order_qty": m.pack,
            "pack_size": m.pack,
            "supplier": m.supplier,
            "service_level": 0.98 if m.criticality >= 9 else 0.95 if m.criticality >= 6 else 0.90,
            "shelf_life_days": m.shelf_life,
            "active": "sim",
            "origem": "importado" if _is_import(m.supplier) else "nacional",
        }
        for m in MATERIALS
    ]
    return pd.DataFrame(rows).astype({"shelf_life_days": "Int64"})


def _contracts() -> pd.DataFrame:
    return pd.DataFrame(
        CONTRACTS,
        columns=[
            "contract",
            "customer",
            "availability_target_pct",
            "penalty_schedule",
            "monthly_fee_brl",
            "cap_pct",
        ],
    )


def _towers(rng: Rng) -> pd.DataFrame:
    sizes = np.array([size for *_, size in DEPOTS.values()])
    counts = np.maximum(4, np.round(TOWERS * sizes / sizes.sum())).astype(int)
    rows = []
    for (uf, (_, latitude, longitude, _)), count in zip(DEPOTS.items(), counts, strict=True):
        for number in range(1, count + 1):
            rows.append(
                {
                    "site": f"TWR-{uf}-{number:03d}",
                    "uf": uf,
                    "latitude": round(latitude + rng.normal(0, 0.55), 4),
                    "longitude": round(longitude - abs(rng.normal(0, 0.55)), 4),
                    "tier": str(rng.choice(["A", "B", "C"], p=[0.25, 0.45, 0.30])),
                    "contract": CONTRACTS[int(rng.integers(len(CONTRACTS)))][0],
                }
            )
    return pd.DataFrame(rows)


def _sites(towers: pd.DataFrame) -> pd.DataFrame:
    depots = pd.DataFrame(
        [
            {
                "site": depot_code(uf),
                "name": f"Depósito {capital}",
                "uf": uf,
                "kind": "depot",
                "latitude": latitude,
                "longitude": longitude,
            }
            for uf, (capital, latitude, longitude, _) in DEPOTS.items()
        ]
    )
    named = towers.assign(
        name="Torre " + towers["site"].str[4:],
        kind="tower",
        depot=towers["uf"].map(depot_code),
    )
    columns = ["site", "name", "uf", "kind", "depot", "latitude", "longitude", "tier", "contract"]
    return pd.concat([depots, named]).reindex(columns=columns)


# The network


def _outages(rng: Rng, world: World, ledger: Ledger, towers: pd.DataFrame) -> pd.DataFrame:
    by_uf = {str(uf): group for uf, group in towers.groupby("uf")}
    rows = [*_ordinary_outages(rng, world, towers), *_waiting_outages(rng, world, ledger, by_uf)]
    frame = pd.DataFrame(rows).sort_values(["started_at", "site"], ignore_index=True)
    frame.insert(0, "outage", [f"OC-{number:05d}" for number in range(1, len(frame) + 1)])
    return frame


def _outage(
    tower: pd.Series, start: pd.Timestamp, hours: float, cause: str, sku: str | None
) -> dict:
    return {
        "site": tower["site"],
        "started_at": start.strftime("%Y-%m-%d %H:%M"),
        "ended_at": (start + pd.Timedelta(minutes=int(hours * 60))).strftime("%Y-%m-%d %H:%M"),
        "cause": cause,
        "sku_waited_for": sku,
        "contract": tower["contract"],
    }


def _ordinary_outages(rng: Rng, world: World, towers: pd.DataFrame) -> list[dict]:
    """Short ones, more often in heavy rain; each ends before the data does."""
    causes = ("energia da concessionária", "clima", "rompimento de fibra", "falha de equipamento")
    rows, last = [], world.days[-1] - pd.Timedelta(days=3)
    for _, tower in towers.iterrows():
        risk = 0.0016 + 0.00010 * world.rain[tower["uf"]][world.first :]
        for day in np.flatnonzero(rng.random(len(risk)) < risk).tolist():
            start = _shown(world)[day] + pd.Timedelta(minutes=int(rng.integers(1440)))
            if start < last:
                hours = min(float(rng.lognormal(0.25, 0.8)), 40.0)
                rows.append(_outage(tower, start, hours, str(rng.choice(causes)), None))
    return rows


def _waiting_outages(
    rng: Rng, world: World, ledger: Ledger, towers: dict[str, pd.DataFrame]
) -> list[dict]:
    """A critical part that had to be bought in a hurry sometimes kept a tower down."""
    rows, orders = [], ledger.orders
    emergency = orders[(orders["supplier"] == EMERGENCY) & (orders["day"] >= world.first)]
    for day, index in emergency[["day", "series"]].to_numpy().tolist():
        series = world.series[index]
        late = world.days[day] > world.days[-1] - pd.Timedelta(days=4)
        if series.material.criticality < CRITICAL_FROM or late or rng.random() > 0.1:
            continue
        near = towers[series.uf]
        tower = near.iloc[int(rng.integers(len(near)))]
        start = world.days[day] + pd.Timedelta(minutes=int(rng.integers(1440)))
        hours = float(rng.uniform(5, 44))
        rows.append(_outage(tower, start, hours, "falta de material", series.material.sku))
    return rows


def _projects(rng: Rng, today: date) -> pd.DataFrame:
    kinds = (
        ("Expansão 5G", ("RF-001", "RF-002", "FO-005", "BE-002")),
        ("Troca de bancos de baterias", ("BE-001", "BE-002")),
        ("Modernização de aterramento", ("EL-005", "EL-006", "EL-003")),
    )
    rows = []
    for number, uf in enumerate(DEPOTS, 1):
        name, skus = kinds[number % len(kinds)]
        start = today - timedelta(days=int(rng.integers(60, 420)))
        length = int(rng.integers(150, 480))
        rows.append(_project(rng, number, uf, name, skus, start, length, today))
    return pd.DataFrame(rows)


def _project(
    rng: Rng,
    number: int,
    uf: str,
    name: str,
    skus: tuple[str, ...],
    start: date,
    length: int,
    today: date,
) -> dict:
    planned = min((today - start).days / length, 1.0)
    progress = min(1.0, planned * float(rng.uniform(0.7, 1.05)))
    budget = round(float(rng.uniform(0.4, 4.5)) * DEPOTS[uf][3] * 1e6, -3)
    done = progress >= 1.0
    return {
        "project": f"PRJ-{number:03d}",
        "name": f"{name} - {uf}",
        "uf": uf,
        "status": "concluído"
        if done
        else "atrasado"
        if progress < planned - 0.1
        else "em andamento",
        "planned_start": start,
        "planned_end": start + timedelta(days=length),
        "actual_end": start + timedelta(days=length - 5) if done else None,
        "budget_brl": budget,
        "spent_brl": round(budget * progress * float(rng.uniform(0.9, 1.15)), 2),
        "progress_pct": round(100 * progress, 1),
        "materials": json.dumps(_bill(rng, skus, start, length)),
    }


def _bill(rng: Rng, skus: tuple[str, ...], start: date, length: int) -> list[dict]:
    return [
        {
            "sku": sku,
            "quantity": int(rng.integers(2, 24)),
            "needed_on": (start + timedelta(days=int(length * share))).isoformat(),
        }
        for sku, share in zip(skus, np.linspace(0.3, 0.9, len(skus)), strict=True)
    ]


def _equipment(rng: Rng, world: World, towers: pd.DataFrame) -> pd.DataFrame:
    """Monthly readings of a battery bank and a rectifier a tower; wear leads to failure."""
    months = pd.date_range(_shown(world)[0], world.days[-1], freq="MS") + pd.Timedelta(hours=9)
    frames = [
        _readings(rng, str(site), kind, months)
        for site in towers["site"]
        for kind in ("banco de baterias", "retificador")
    ]
    return pd.concat(frames, ignore_index=True)


def _readings(rng: Rng, site: str, kind: str, months: pd.DatetimeIndex) -> pd.DataFrame:
    battery = kind == "banco de baterias"
    wear = np.cumsum(rng.gamma(1.2, 0.012 if battery else 0.008, len(months))) + rng.uniform(
        0, 0.35
    )
    heat = 27 + 6 * wear + rng.normal(0, 2.2, len(months))
    chance = 1 / (1 + np.exp(-(wear * 5.5 + (heat - 30) * 0.18 - 6.6)))
    failure = (rng.random(len(months)) < chance).astype(int)
    kinds = (
        ("sobreaquecimento", "perda de capacidade") if battery else ("sobretensão", "ventilação")
    )
    return pd.DataFrame(
        {
            "equipment": f"{'BAT' if battery else 'RET'}-{site[4:]}",
            "site": site,
            "kind": kind,
            "measured_at": months.strftime("%Y-%m-%d %H:%M"),
            "failure": failure,
            "failure_kind": np.where(failure == 1, rng.choice(kinds, len(months)), ""),
            "temperature_c": np.round(heat, 1),
            "voltage_v": np.round(53.8 - 2.4 * wear + rng.normal(0, 0.3, len(months)), 2),
            "internal_resistance_mohm": np.round(
                3.1 + 2.2 * wear + rng.normal(0, 0.2, len(months)), 2
            ),
            "load_pct": np.round(np.clip(rng.normal(62, 9, len(months)), 15, 99), 1),
            "age_months": np.arange(len(months)) + int(rng.integers(0, 30)),
        }
    )


def _tower_kpis(rng: Rng, world: World, towers: pd.DataFrame) -> pd.DataFrame:
    days = world.days[-KPI_DAYS:]
    quality = {"A": 1.25, "B": 1.0, "C": 0.75}
    frames = []
    for tower in towers.itertuples():
        rain = world.rain[str(tower.uf)][-KPI_DAYS:]
        busy = quality[str(tower.tier)] * float(rng.lognormal(0, 0.3))
        traffic = busy * 420 * (1 + 0.1 * np.sin(days.dayofweek)) * rng.lognormal(0, 0.08, KPI_DAYS)
        frames.append(
            pd.DataFrame(
                {
                    "site": tower.site,
                    "date": days.strftime("%Y-%m-%d"),
                    "availability_pct": np.round(100 - rng.gamma(0.4, 0.25 + rain / 60), 3).clip(
                        85
                    ),
                    "latency_ms": np.round(21 + 4 * busy + rng.gamma(1.5, 2.0 + rain / 30), 1),
                    "throughput_mbps": np.round(
                        160 / (0.6 + busy) * rng.lognormal(0, 0.1, KPI_DAYS), 1
                    ),
                    "drop_rate_pct": np.round(rng.gamma(1.3, 0.18 + rain / 150), 3),
                    "energy_kwh": np.round(70 + 45 * busy + rng.normal(0, 4, KPI_DAYS), 1),
                    "traffic_gb": np.round(traffic, 1),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def _drivers(rng: Rng, world: World) -> pd.DataFrame:
    days, text = _shown(world), _shown(world).strftime("%Y-%m-%d")
    frames = [
        pd.DataFrame(
            {"date": text, "driver": name, "value": np.round(values[uf][world.first :], 4)}
        ).assign(uf=uf)
        for name, values in (("rain_mm", world.rain), ("temperature_c", world.temperature))
        for uf in DEPOTS
    ]
    month = days.day == 1
    frames += [
        pd.DataFrame(
            {
                "date": text[month],
                "driver": "rollout_5g_share",
                "value": np.round(world.rollout[uf][world.first :][month], 4),
                "uf": uf,
            }
        )
        for uf in DEPOTS
    ]
    business = days.dayofweek < 5
    rate = _exchange_rate(np.random.default_rng(0), len(world.days))[world.first :]
    frames.append(_national(text[business], "usd_brl", np.round(rate[business], 4)))
    months = text[month]
    selic = 10.5 + 4.5 * np.linspace(0, 1, len(months)) ** 0.8
    frames.append(_national(months, "selic_pct", np.round(selic * 4) / 4))
    ipca = np.round(rng.normal(0.38, 0.18, len(months)), 2)
    frames.append(_national(months, "ipca_month_pct", ipca))
    return pd.concat(frames, ignore_index=True)[["date", "driver", "value", "uf"]]


def _national(days: pd.Index, name: str, values: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"date": days, "driver": name, "value": values, "uf": None})
