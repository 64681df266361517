"""The scale database: ERP files of a large network, written once, loaded and published by the
product's own commands.

20,000 items in 500 depots, 22,500 item-depots with 240 days of demand each over 36 months (5.4
million rows), their stock, orders, two of them each long past their promise, a 90-day forecast by
two models (4 million rows), and clusters of 10,000 machines and of the sites.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from sqlalchemy import Engine, text

from benchmarks import network
from domain.demand import classify

SEED = 20_260_101
LAST_DAY = date(2025, 12, 31)
FIRST_DAY = date(2023, 1, 1)
HORIZON = 90
TESTED_DAYS = 28
FAMILIES = (
    "fibra",
    "energia",
    "estrutura",
    "rádio",
    "climatização",
    "epi",
    "ferramenta",
    "aterramento",
)
UFS = (
    *("AC", "AL", "AM", "AP", "BA", "CE", "DF", "ES", "GO", "MA", "MG", "MS", "MT", "PA"),
    *("PB", "PE", "PI", "PR", "RJ", "RN", "RO", "RR", "RS", "SC", "SE", "SP", "TO"),
)
MODELS = ("ensemble", "seasonal_naive")
LARGE_ENOUGH = {
    "demand": (5_000_000, "SELECT count(*) FROM core.demand"),
    "months of demand": (36, "SELECT count(DISTINCT tableoid) FROM core.demand"),
    "items": (20_000, "SELECT count(*) FROM core.item"),
    "sites": (500, "SELECT count(*) FROM core.site WHERE site_id <> 0"),
    "forecast": (
        2_000_000,
        "SELECT count(*) FROM analytics.forecast JOIN analytics.published USING (run_id)",
    ),
    "alerts": (
        50_000,
        "SELECT count(*) FROM analytics.alert JOIN analytics.published USING (run_id)",
    ),
}
"""What is measured is at least so large: rows, and the statement that counts them."""


@dataclass(frozen=True)
class Size:
    """How large it is: numbers of items, depots, item-depots, and days of demand of each."""

    items: int = 20_000
    depots: int = 500
    series: int = 22_500
    days: int = 240

    @property
    def demand_rows(self) -> int:
        """Lines of demand."""
        return self.series * self.days


def recipe() -> str:
    """Another one for each state of the files that write the data."""
    files = (Path(__file__), Path(network.__file__))
    return hashlib.sha256(b"".join(one.read_bytes() for one in files)).hexdigest()


def counted(engine: Engine) -> dict[str, int]:
    """How much there is of what LARGE_ENOUGH names. Raises RuntimeError where it is too little."""
    with engine.connect() as connection:
        found = {
            name: int(connection.execute(text(statement)).scalar_one())
            for name, (_, statement) in LARGE_ENOUGH.items()
        }
    if small := {name: count for name, count in found.items() if count < LARGE_ENOUGH[name][0]}:
        told = ", ".join(f"{name} {count:,}" for name, count in small.items())
        raise RuntimeError(f"the scale database is too small: {told}")
    return found


def skus(numbers: np.ndarray[Any, Any]) -> list[str]:
    """Codes of items."""
    return [f"ITEM-{number:05d}" for number in numbers]


def depots(numbers: np.ndarray[Any, Any]) -> list[str]:
    """Codes of depots."""
    return [f"DEP-{number:03d}" for number in numbers]


@dataclass(frozen=True)
class Series:
    """The item-depots: numbers of item and depot, and mean demand on a day that has any."""

    item: np.ndarray[Any, Any]
    depot: np.ndarray[Any, Any]
    rate: np.ndarray[Any, Any]


def make_series(size: Size) -> Series:
    """Every item in one depot, the first ones in a second."""
    rng = np.random.default_rng(SEED)
    number = np.arange(size.series)
    item = number % size.items
    depot = (item * 7 + 13 * (number // size.items)) % size.depots
    return Series(item, depot, rng.lognormal(0.7, 1.0, size.series) + 1)


def write_files(folder: Path, size: Size) -> None:
    """The ERP files, in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    series, rng = make_series(size), np.random.default_rng(SEED + 1)
    number = np.arange(size.items)
    _csv(
        folder / "suppliers.csv",
        {
            "supplier": [f"FORN-{one:02d}" for one in range(40)],
            "name": [f"Fornecedor {one:02d}" for one in range(40)],
            "contract_lead_time_days": [7 + one % 30 for one in range(40)],
        },
    )
    _csv(
        folder / "items.csv",
        {
            "sku": skus(number),
            "name": [f"Material {one:05d}" for one in number],
            "family": [FAMILIES[one % len(FAMILIES)] for one in number],
            "unit": ["un"] * size.items,
            "unit_cost_brl": np.round(rng.lognormal(3.5, 1.2, size.items), 2),
            "criticality": number % 11,
            "lead_time_days": 7 + number % 30,
            "supplier": [f"FORN-{one % 40:02d}" for one in number],
        },
    )
    _csv(
        folder / "contracts.csv",
        {
            "contract": [f"CT-{one}" for one in range(8)],
            "customer": [f"Operadora {one}" for one in range(8)],
            "availability_target_pct": [99.0] * 8,
            "monthly_fee_brl": [1_000_000.0] * 8,
            "penalty_schedule": ["7.3:2;14.6:5"] * 8,
            "cap_pct": [10.0] * 8,
        },
    )
    depot = np.arange(size.depots)
    _csv(
        folder / "sites.csv",
        {
            "site": depots(depot),
            "name": [f"Depósito {one:03d}" for one in depot],
            "uf": [UFS[one % len(UFS)] for one in depot],
            "kind": ["depot"] * size.depots,
            "contract": [f"CT-{one % 8}" for one in depot],
        },
    )
    write_demand(folder / "demand.csv", size)
    _stock(folder / "stock.csv", series)
    _orders(folder / "purchase_orders.csv", series)


def write_demand(path: Path, size: Size, seed: int = SEED + 2) -> None:
    """The lines of demand, by day, so that months follow each other as in an export; other
    quantities of the same lines with another seed."""
    series = make_series(size)
    sku, site = pa.array(skus(series.item)), pa.array(depots(series.depot))
    kinds = [pa.date32(), pa.string(), pa.string(), pa.float64()]
    schema = pa.schema(list(zip(("date", "sku", "site", "quantity"), kinds, strict=True)))
    with pyarrow.csv.CSVWriter(path, schema) as writer:
        for days, quantity in _demand(series, size, seed):
            writer.write_table(pa.table([days, sku, site, quantity], schema=schema))


def write_keys(file: IO[bytes], size: Size) -> None:
    """The same lines with numbers for item, depot and load: what the fastest COPY takes."""
    series = make_series(size)
    item, depot = pa.array(series.item), pa.array(series.depot)
    load = pa.repeat(pa.scalar(1), size.series)
    plain = pyarrow.csv.WriteOptions(include_header=False)
    for days, quantity in _demand(series, size):
        rows = pa.table([days, item, depot, quantity, load], names=list("abcde"))
        pyarrow.csv.write_csv(rows, file, plain)


def months() -> list[date]:
    """First days of the months of demand, and of the one after."""
    first, last = FIRST_DAY.year * 12, LAST_DAY.year * 12 + 12
    return [date(number // 12, number % 12 + 1, 1) for number in range(first, last + 1)]


def _demand(
    series: Series, size: Size, seed: int = SEED + 2
) -> Iterator[tuple[pa.Array, pa.Array]]:
    """Dates and quantities of all item-depots, a day at a time."""
    span, rng = (LAST_DAY - FIRST_DAY).days + 1, np.random.default_rng(seed)
    for turn in range(size.days):
        day = LAST_DAY - timedelta(days=(size.days - 1 - turn) * span // size.days)
        quantity = pa.array(1.0 + rng.poisson(series.rate))
        yield pa.repeat(pa.scalar(day, pa.date32()), size.series), quantity


def _stock(path: Path, series: Series) -> None:
    rng = np.random.default_rng(SEED + 3)
    days = np.repeat([LAST_DAY - timedelta(days=back) for back in (60, 30, 0)], len(series.item))
    on_hand = np.round(series.rate * rng.uniform(0, 12, (3, len(series.item)))).ravel()
    _csv(
        path,
        {
            "date": days,
            "sku": skus(series.item) * 3,
            "site": depots(series.depot) * 3,
            "on_hand": on_hand,
        },
    )


def _orders(path: Path, series: Series) -> None:
    """Three lines an item-depot, most of them received, and two that nobody has closed: more than
    the 180 days past their promise after which nobody counts on them."""
    rng, usual = np.random.default_rng(SEED + 4), 3 * len(series.item)
    count = usual + 2 * len(series.item)
    ordered = np.concatenate([rng.integers(20, 700, usual), rng.integers(220, 700, count - usual)])
    lead = np.concatenate([rng.integers(5, 45, usual), np.full(count - usual, 1_000)])
    received = [
        LAST_DAY - timedelta(days=int(back - days)) if back > days else None
        for back, days in zip(ordered, lead, strict=True)
    ]
    quantity = np.round(np.tile(series.rate, 5) * 10) + 1
    _csv(
        path,
        {
            "order": [f"PO-{one:06d}" for one in range(count)],
            "line": ["1"] * count,
            "sku": skus(series.item) * 5,
            "supplier": [f"FORN-{one % 40:02d}" for one in np.tile(series.item, 5)],
            "site": depots(series.depot) * 5,
            "ordered_on": [LAST_DAY - timedelta(days=int(back)) for back in ordered],
            "promised_on": [LAST_DAY - timedelta(days=int(back) - 20) for back in ordered],
            "received_on": received,
            "quantity": quantity,
            "received_qty": [
                float(one) if day else None for one, day in zip(quantity, received, strict=True)
            ],
            "unit_price_brl": np.round(rng.lognormal(3.5, 0.3, count), 2),
        },
    )


def _csv(path: Path, columns: dict[str, Any]) -> None:
    pyarrow.csv.write_csv(pa.table(columns), path)


def write_bundle(folder: Path, engine: Engine, size: Size, scale: float = 1.0) -> Path:
    """A results bundle of the whole network: each item-depot's mean, times `scale`, for 90 days."""
    bundle = folder / f"20260101T060000Z-{int(scale * 100):08d}"
    bundle.mkdir(parents=True, exist_ok=True)
    series = make_series(size)
    for name, tables in _tables(series, size, scale).items():
        writer = None
        for table in tables:
            writer = writer or pq.ParquetWriter(bundle / name, table.schema)
            writer.write_table(table)
        assert writer is not None
        writer.close()
    with engine.connect() as connection:
        version = connection.execute(
            text("SELECT max(id) FROM staging.load WHERE state = 'accepted'")
        ).scalar_one()
    (bundle / "manifest.json").write_text(json.dumps(_manifest(bundle, size, scale, version)))
    return bundle


def _tables(series: Series, size: Size, scale: float) -> dict[str, Iterator[pa.Table]]:
    span = (LAST_DAY - FIRST_DAY).days + 1
    mean = (series.rate + 1) * size.days / span * scale
    spread = np.sqrt(mean) + 0.1
    return {
        "forecast.parquet": _points(series, mean, spread, tested=False),
        "backtest.parquet": _points(series, mean, spread, tested=True),
        "forecast_accuracy.parquet": _accuracy(series, mean),
        "series_profile.parquet": _profiles(series, size, mean, spread),
        **network.tables(depots(np.arange(size.depots)), LAST_DAY),
    }


def _points(series: Series, mean: Any, spread: Any, *, tested: bool) -> Iterator[pa.Table]:
    """One table a day and model."""
    sku, site = skus(series.item), depots(series.depot)
    offsets = range(1 - TESTED_DAYS, 1) if tested else range(1, HORIZON + 1)
    origin = LAST_DAY - timedelta(days=TESTED_DAYS)
    for model in MODELS:
        for offset in offsets:
            day = LAST_DAY + timedelta(days=offset)
            columns: dict[str, Any] = {"sku": sku, "site": site}
            if tested:
                columns["origin"] = _repeated(origin, len(sku))
            columns |= {"date": _repeated(day, len(sku)), "model": [model] * len(sku)}
            if tested:
                columns["actual"] = np.round(mean * (1 + 0.3 * (offset % 3 - 1)), 3)
            columns |= {
                "mean": mean,
                "p10": np.maximum(mean - 1.28 * spread, 0),
                "p50": mean,
                "p90": mean + 1.28 * spread,
            }
            yield pa.table(columns)


def _repeated(day: date, count: int) -> pa.Array:
    return pa.repeat(pa.scalar(day, pa.date32()), count)


def _accuracy(series: Series, mean: Any) -> Iterator[pa.Table]:
    sku, site, count = skus(series.item), depots(series.depot), len(series.item)
    for model, error in zip(MODELS, (0.2, 0.3), strict=True):
        total = mean * TESTED_DAYS
        yield pa.table(
            {
                "sku": sku,
                "site": site,
                "model": [model] * count,
                "demand_class": ["smooth"] * count,
                "points": [TESTED_DAYS] * count,
                "wape": np.full(count, error),
                "mase": np.full(count, 0.8),
                "rmsse": np.full(count, 0.9),
                "bias": np.zeros(count),
                "mape": np.full(count, error),
                "mape_coverage": np.ones(count),
                "coverage80": np.full(count, 0.8),
                "abs_error_sum": error * total,
                "error_sum": np.zeros(count),
                "actual_sum": total,
                "pct_error_sum": np.full(count, error * TESTED_DAYS),
                "pct_points": [TESTED_DAYS] * count,
                "covered80_points": [int(0.8 * TESTED_DAYS)] * count,
            }
        )


def _profiles(series: Series, size: Size, mean: Any, spread: Any) -> Iterator[pa.Table]:
    count = len(series.item)
    span = (LAST_DAY - FIRST_DAY).days + 1
    adi = span / size.days
    kind = str(classify(adi, 0.2))
    yield pa.table(
        {
            "sku": skus(series.item),
            "site": depots(series.depot),
            "demand_class": [kind] * count,
            "abc": [("A", "B", "C")[one % 3] for one in range(count)],
            "xyz": [("X", "Y", "Z")[one % 3] for one in range(count)],
            "champion": ["ensemble"] * count,
            "weights": [json.dumps({"seasonal_naive": 1.0})] * count,
            "fallback_reason": pa.nulls(count, pa.string()),
            "first_date": _repeated(FIRST_DAY, count),
            "last_date": _repeated(LAST_DAY, count),
            "periods": [span] * count,
            "nonzero": [size.days] * count,
            "season_length": [7] * count,
            "adi": np.full(count, adi),
            "cv2": np.full(count, 0.2),
            "mean": mean,
            "std": spread,
        }
    )


def _manifest(bundle: Path, size: Size, scale: float, version: int) -> dict[str, Any]:
    return {
        "format": "nova-corrente-results",
        "schema_version": 1,
        "created_at": "2026-01-01T06:00:00+00:00",
        "trainer": {"version": "0", "python": "3.11", "seed": 1, "jobs": 1, "limit": None},
        "dataset": {
            "fingerprint": hashlib.sha256(f"{size}{scale}".encode()).hexdigest(),
            "rows": size.demand_rows,
            "series": size.series,
            "from": str(FIRST_DAY),
            "to": str(LAST_DAY),
            "data_version": str(version),
        },
        "frequency": "D",
        "horizon": HORIZON,
        "origins": 1,
        "season_length": 7,
        "models": [{"name": name, "parameters": {}} for name in MODELS],
        "counts": {
            "series_total": size.series,
            "series_trained": size.series,
            "series_fallback": 0,
        },
        "fallbacks": [],
        "network": network.facts(),
        "files": {
            path.name: {
                "rows": pq.read_metadata(path).num_rows,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            }
            for path in sorted(bundle.glob("*.parquet"))
        },
    }
