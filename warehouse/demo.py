"""Demo files: an invented tower-maintenance company, as ERP files for the ordinary pipeline.

Everything hangs together: weather, holidays, renewals and roll-out move demand, demand moves
stock, stock moves purchase orders, a missing part prolongs an outage, and outages show in the
towers' availability. `demand.quantity` is what was issued that day, a request that had to wait
included (`stock.reserved` is what waits), so that for each item and depot

    on_hand(day) = on_hand(day before) + received_qty of that day - demand of that day

holds to the unit, and `in_transit` is what is ordered and not received at the end of that day.
Quantities in M, KG and L move in halves, all others in whole units. The same seed and day give
the same bytes.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from domain import clock
from warehouse.demo_catalogue import (
    CONTRACTS,
    DEPOTS,
    EQUIPMENT_PARTS,
    MATERIALS,
    SUPPLIERS,
    Material,
)
from warehouse.demo_network import (
    equipment_rows,
    make_towers,
    outage_rows,
    site_rows,
    tower_kpi_rows,
)
from warehouse.demo_projects import project_files
from warehouse.demo_stock import BY_CODE, demand_rows, order_rows, run_stock, stock_rows
from warehouse.demo_world import (
    WARM_UP_DAYS,
    Array,
    Rng,
    World,
    make_world,
    renewals,
    wanted_quantities,
)

MARKER = "demo.json"
CALENDAR_DAYS = 120
"""So far ahead renewals of contracts are known."""
BRAZILIAN = ("items", "contracts")
"""Written with `;` and a decimal comma, as many Brazilian exports are."""


def write_demo(folder: Path, *, seed: int = 2024, today: date | None = None) -> list[Path]:
    """Writes the twelve canonical files, three earlier ones of projects and `demo.json` into
    `folder` (made if missing).

    Three years of days up to the one before `today` (the wall clock's unless given). Returns the
    paths written.
    """
    today = today or clock.today()
    frames = _frames(seed, today)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [_write(folder, name, frame) for name, frame in frames.items()]
    marker = folder / MARKER
    facts = {"demo": True, "seed": seed, "today": today.isoformat()}
    marker.write_text(json.dumps(facts) + "\n", encoding="utf-8")
    return [*paths, marker]


def _frames(seed: int, today: date) -> dict[str, pd.DataFrame]:
    """Every part draws from a stream of its own, so that one can change without the others."""
    streams = [np.random.default_rng(each) for each in np.random.SeedSequence(seed).spawn(10)]
    world = make_world(streams[0], pd.Timestamp(today) - pd.Timedelta(days=1))
    wanted = wanted_quantities(streams[1], world)
    ledger = run_stock(streams[2], world, wanted)
    towers = make_towers(streams[3])
    outages = outage_rows(streams[4], world, ledger, wanted, towers)
    return {
        "suppliers": _suppliers(),
        "items": _items(),
        "contracts": _contracts(),
        "sites": site_rows(towers),
        "demand": demand_rows(world, ledger),
        "stock": stock_rows(world, ledger),
        "purchase_orders": order_rows(streams[5], world, ledger),
        "outages": outages,
        **project_files(streams[6], world, wanted),
        "equipment": equipment_rows(streams[7], world, towers),
        "tower_kpis": tower_kpi_rows(streams[8], world, towers, outages),
        "drivers": _drivers(streams[9], world),
    }


def _write(folder: Path, name: str, frame: pd.DataFrame) -> Path:
    path = folder / f"{name}.csv"
    separator, decimal = (";", ",") if name in BRAZILIAN else (",", ".")
    frame.to_csv(
        path,
        sep=separator,
        decimal=decimal,
        index=False,
        encoding="utf-8",
        lineterminator="\n",
        float_format="%.10g",
        date_format="%Y-%m-%d %H:%M",
    )
    return path


# Master data


def _suppliers() -> pd.DataFrame:
    return pd.DataFrame(
        [(each.code, each.name, each.kind, each.contract) for each in SUPPLIERS],
        columns=["supplier", "name", "kind", "contract_lead_time_days"],
    )


def _items() -> pd.DataFrame:
    rows = pd.DataFrame([_item(material) for material in MATERIALS])
    return rows.astype({"shelf_life_days": "Int64", "units_per_failure": "Int64"})


def _item(material: Material) -> dict[str, object]:
    supplier = BY_CODE[material.supplier]
    return {
        "sku": material.sku,
        "name": material.name,
        "family": material.family,
        "unit": material.unit,
        "unit_cost_brl": material.cost,
        "criticality": material.criticality,
        "lead_time_days": supplier.contract,
        "min_order_qty": material.pack,
        "pack_size": material.pack,
        "supplier": material.supplier,
        "service_level": _service_level(material.criticality),
        "shelf_life_days": material.shelf_life,
        "active": "sim",
        "equipment_kind": EQUIPMENT_PARTS.get(material.sku, ("", None))[0],
        "units_per_failure": EQUIPMENT_PARTS.get(material.sku, ("", None))[1],
        "origem": "importado" if supplier.kind == "import" else "nacional",
    }


def _service_level(criticality: int) -> float:
    return 0.98 if criticality >= 9 else 0.95 if criticality >= 6 else 0.90


def _contracts() -> pd.DataFrame:
    columns = {
        "code": "contract",
        "customer": "customer",
        "target": "availability_target_pct",
        "schedule": "penalty_schedule",
        "fee": "monthly_fee_brl",
        "cap": "cap_pct",
    }
    return pd.DataFrame(CONTRACTS)[list(columns)].rename(columns=columns)


# Drivers


def _drivers(rng: Rng, world: World) -> pd.DataFrame:
    """Rain (mm) and temperature (°C) a day and UF, the dollar (BRL) on working days; monthly the
    5G roll-out (share of sites on air) by UF, Selic (% a year) and IPCA (% in the month); the
    calendar of contract renewals, known ahead."""
    days = world.shown
    ahead = pd.date_range(days[0], days[-1] + pd.Timedelta(days=CALENDAR_DAYS))
    daily, working, monthly = np.full(len(days), True), days.dayofweek < 5, days.day == 1
    months = int(monthly.sum())
    selic = 10.5 + 4.5 * np.linspace(0, 1, months) ** 0.8
    by_uf = (
        ("rain_mm", world.rain, daily),
        ("temperature_c", world.temperature, daily),
        ("rollout_5g_share", world.rollout, monthly),
    )
    parts = [
        _driver(days[kept], name, values[uf][WARM_UP_DAYS:][kept], uf)
        for name, values, kept in by_uf
        for uf in DEPOTS
    ]
    parts += [
        _driver(days[working], "usd_brl", world.usd_brl[WARM_UP_DAYS:][working], None),
        _driver(days[monthly], "selic_pct", np.round(selic * 4) / 4, None),
        _driver(days[monthly], "ipca_month_pct", rng.normal(0.38, 0.18, months).round(2), None),
        _driver(ahead, "contract_renewal", renewals(ahead), None),
    ]
    return pd.concat(parts, ignore_index=True)


def _driver(days: pd.DatetimeIndex, name: str, values: Array, uf: str | None) -> pd.DataFrame:
    text = days.strftime("%Y-%m-%d")
    return pd.DataFrame({"date": text, "driver": name, "value": values.round(4), "uf": uf})
