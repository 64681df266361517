"""A small network in `core` and a results bundle for it: what publish and the queries stand on.

Everything is drawn from a seed: the same call makes the same rows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Connection, Engine, insert, select, text

from domain.levels import COUNTRY, DEPOTS, LEVELS
from warehouse.partitions import ensure_years, month_table, months
from warehouse.queries.published import next_period
from warehouse.queries.training import TrainingSet, load_training_set
from warehouse.tables import core, staging

LAST_DAY = date(2025, 6, 29)
DAYS = 200
MODELS = ("naive", "seasonal_naive", "ensemble")
GRID = {"D": "D", "W": "7D", "M": "MS"}
"""What pandas calls the run's periods."""
DATES = ("date", "origin", "first_date", "last_date", "measured_on", "changed_on")

SUPPLIERS = {"ALFA": "Alfa Energia", "BETA": "Beta Cabos"}
ITEMS = (
    ("CABO-01", "Cabo de fibra óptica 12FO", "fibra", "m", 12.5, 14.0, "ALFA"),
    ("BAT-02", "Bateria estacionária 48V", "energia", "un", 2400.0, 30.0, "BETA"),
    ("PAR-03", "Parafuso galvanizado", "estrutura", "un", 0.8, None, "ALFA"),
    ("EPI-04", "Luva isolante", "epi", "par", None, 7.0, None),
)
SITES = (
    ("DEP-SP", "Depósito São Paulo", "SP", "C-SUL"),
    ("DEP-RJ", "Depósito Rio", "RJ", None),
    ("DEP-BA", "Depósito Salvador", "BA", "C-NE"),
)
RATES = {"CABO-01": 30.0, "BAT-02": 1.2, "PAR-03": 60.0, "EPI-04": 0.3}


@dataclass
class Network:
    """The keys of what was made."""

    items: dict[str, int] = field(default_factory=dict)
    sites: dict[str, int] = field(default_factory=dict)
    suppliers: dict[str, int] = field(default_factory=dict)
    contracts: dict[str, int] = field(default_factory=dict)


@cache
def hash_of(password: str) -> str:
    """A bcrypt hash at the least cost there is: nobody who signs in waits a quarter of a second."""
    import bcrypt

    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()


def add_load(connection: Connection, kind: str, *, is_demo: bool = False) -> int:
    """An accepted load of a file of this kind; gives its id."""
    row = {
        "kind": kind,
        "file": f"{kind}.csv",
        "sha256": hashlib.sha256(f"{kind}{is_demo}".encode()).hexdigest(),
        "loaded_by": "tests",
        "state": "accepted",
        "is_demo": is_demo,
        "finished_at": datetime(2025, 7, 1, 6),
    }
    return connection.execute(insert(staging.load).returning(staging.load.c.id), row).scalar_one()


def make_network(engine: Engine, *, with_site: bool = True) -> Network:
    """Suppliers, items and sites; without sites, all demand stands under the code `-`."""
    network = Network()
    with engine.begin() as connection:
        load = add_load(connection, "items")
        for code, name in SUPPLIERS.items():
            network.suppliers[code] = _insert(
                connection, core.supplier, "supplier_id", supplier=code, name=name, load_id=load
            )
        for sku, name, family, unit, cost, lead, supplier in ITEMS:
            network.items[sku] = _insert(
                connection,
                core.item,
                "item_id",
                sku=sku,
                name=name,
                family=family,
                unit=unit,
                unit_cost_brl=cost,
                lead_time_days=lead,
                supplier_id=network.suppliers.get(supplier or ""),
                load_id=load,
            )
        if with_site:
            _add_sites(connection, network)
        else:
            network.sites["-"] = 0
    return network


def _add_sites(connection: Connection, network: Network) -> None:
    load = add_load(connection, "sites")
    add_load(connection, "contracts")
    for site, name, uf, contract in SITES:
        if contract:
            network.contracts[contract] = _insert(
                connection,
                core.contract,
                "contract_id",
                contract=contract,
                customer="Operadora",
                availability_target_pct=99.0,
                load_id=load,
            )
        network.sites[site] = _insert(
            connection,
            core.site,
            "site_id",
            site=site,
            name=name,
            uf=uf,
            kind="depot",
            contract_id=network.contracts.get(contract or ""),
            load_id=load,
        )


def _insert(connection: Connection, table: Any, key: str, **values: Any) -> int:
    return connection.execute(insert(table).values(values).returning(table.c[key])).scalar_one()


def ensure_months(connection: Connection, table: str, first: date, last: date) -> None:
    """Partitions of `table`, which is schema-qualified, for these months, as loads make them."""
    for start, end in months(first, last):
        part = month_table(table, start)
        there = connection.execute(text("SELECT to_regclass(:part)"), {"part": part}).scalar()
        if there is None:
            connection.execute(
                text(f"CREATE TABLE {part} (LIKE {table} INCLUDING ALL EXCLUDING IDENTITY)")
            )
            span = f"FROM ('{start}') TO ('{end}')"
            connection.execute(
                text(f"ALTER TABLE {table} ATTACH PARTITION {part} FOR VALUES {span}")
            )


def add_demand(
    engine: Engine,
    network: Network,
    *,
    days: int = DAYS,
    last_day: date = LAST_DAY,
    step: int = 1,
    seed: int = 7,
) -> int:
    """Poisson demand for every item at every site, one value each `step` days; the load's id."""
    rng = np.random.default_rng(seed)
    first = last_day - timedelta(days=(days - 1) * step)
    rows = []
    for sku, item_id in network.items.items():
        for site_id in network.sites.values():
            for index, quantity in enumerate(rng.poisson(RATES[sku] * step, days)):
                if quantity or index in (0, days - 1):
                    day = first + timedelta(days=index * step)
                    rows.append((day, item_id, site_id, float(quantity)))
    with engine.begin() as connection:
        load = add_load(connection, "demand")
        ensure_months(connection, "core.demand", first, last_day)
        connection.execute(
            insert(core.demand),
            [
                dict(zip(("date", "item_id", "site_id", "quantity"), row, strict=True))
                | {"load_id": load}
                for row in rows
            ],
        )
    return load


def add_stock(
    engine: Engine,
    network: Network,
    levels: dict[tuple[str, str], float],
    *,
    days: int = 70,
    empty_days: dict[tuple[str, str], int] | None = None,
    last_day: date = LAST_DAY,
) -> int:
    """Daily stock at a constant level for each (sku, site); `empty_days` of the last ones at 0,
    the last day itself excepted."""
    rows = []
    for (sku, site), on_hand in levels.items():
        empty = (empty_days or {}).get((sku, site), 0)
        for back in range(days):
            rows.append(
                {
                    "date": last_day - timedelta(days=back),
                    "item_id": network.items[sku],
                    "site_id": network.sites[site],
                    "on_hand": 0.0 if 0 < back <= empty else on_hand,
                }
            )
    with engine.begin() as connection:
        load = add_load(connection, "stock")
        ensure_months(connection, "core.stock", last_day - timedelta(days=days), last_day)
        connection.execute(insert(core.stock), [row | {"load_id": load} for row in rows])
    return load


def add_order(
    engine: Engine,
    network: Network,
    *,
    order: str,
    sku: str,
    site: str,
    quantity: float,
    ordered_on: date,
    promised_on: date | None,
    supplier: str = "ALFA",
    received_on: date | None = None,
    received_qty: float | None = None,
    status: str | None = None,
    unit_price_brl: float | None = 10.0,
    order_dated: bool = True,
) -> None:
    """One purchase-order line."""
    with engine.begin() as connection:
        load = add_load(connection, "purchase_orders")
        ensure_years(connection, "core.purchase_order", ordered_on, ordered_on)
        connection.execute(
            insert(core.purchase_order),
            {
                "order_no": order,
                "line": "1",
                "item_id": network.items[sku],
                "site_id": network.sites[site],
                "supplier_id": network.suppliers[supplier],
                "quantity": quantity,
                "ordered_on": ordered_on,
                "promised_on": promised_on,
                "received_on": received_on,
                "received_qty": received_qty,
                "status": status,
                "unit_price_brl": unit_price_brl,
                "order_dated": order_dated,
                "load_id": load,
            },
        )


def add_lead_times(
    engine: Engine, network: Network, *, sku: str, site: str, days: Sequence[int]
) -> None:
    """Lines of ALFA that were received so many days after their order, promised for 20."""
    for number, took in enumerate(days):
        ordered = date(2025, 3, 1) + timedelta(days=number)
        add_order(
            engine,
            network,
            order=f"R{number}",
            sku=sku,
            site=site,
            quantity=10,
            ordered_on=ordered,
            promised_on=ordered + timedelta(days=20),
            received_on=ordered + timedelta(days=took),
        )


def add_outage(
    engine: Engine, network: Network, site: str, started_at: datetime, ended_at: datetime | None
) -> None:
    """One outage of a site."""
    with engine.begin() as connection:
        load = add_load(connection, "outages")
        count = connection.execute(select(core.outage.c.outage_id)).all()
        connection.execute(
            insert(core.outage),
            {
                "outage": f"O-{len(count) + 1}",
                "site_id": network.sites[site],
                "started_at": started_at,
                "ended_at": ended_at,
                "load_id": load,
            },
        )


def add_project(
    engine: Engine,
    project: str,
    uf: str,
    materials: dict[str, float],
    *,
    progress_pct: float = 30.0,
    as_of: date = LAST_DAY,
) -> None:
    """A project halfway through its plan of 100 days, its materials (quantities by sku) needed ten
    days from now; one more status if it is there."""
    said = {
        "status": "em andamento",
        "planned_start": LAST_DAY - timedelta(days=50),
        "planned_end": LAST_DAY + timedelta(days=50),
        "budget_brl": 200_000.0,
        "spent_brl": 2_000.0 * progress_pct,
        "progress_pct": progress_pct,
    }
    with engine.begin() as connection:
        said["load_id"] = add_load(connection, "projects")
        key = core.project.c.project_id
        known = connection.execute(select(key).where(core.project.c.project == project)).scalar()
        if known is None:
            row = {**said, "project": project, "name": f"Rede {uf}", "uf": uf}
            known = connection.execute(insert(core.project).values(row).returning(key)).scalar()
            items = dict(connection.execute(select(core.item.c.sku, core.item.c.item_id)).all())
            for sku, quantity in materials.items():
                line = {"project_id": known, "item_id": items[sku], "quantity": quantity}
                line["needed_on"] = LAST_DAY + timedelta(days=10)
                connection.execute(insert(core.project_material), line)
        connection.execute(
            insert(core.project_status), {**said, "project_id": known, "as_of": as_of}
        )


# The bundle


def make_bundle(
    folder: Path,
    engine: Engine,
    *,
    name: str = "20250630T060000Z-00000000",
    horizon: int = 30,
    frequency: str = "D",
    scale: float = 1.0,
    older: bool = False,
) -> Path:
    """A complete, valid bundle for what is in `core`: every series forecast at `scale` × its mean.

    A different `scale` makes a different run; an `older` trainer's has fewer files. Demand of weeks
    or months is taken for whole ones, whichever day of them it is dated.
    """
    training = load_training_set(engine)
    bundle = folder / name
    bundle.mkdir(parents=True)
    frames = _frames(training, horizon, frequency, scale)
    frames |= _network(training)
    if older:
        del frames["series_diagnostics.parquet"]
    else:
        frames |= _levels(training, frames)
    for file, frame in frames.items():
        _write(bundle / file, frame)
    manifest = _manifest(training, frames, horizon, frequency)
    write_manifest(bundle, manifest | {"network": _network_facts(training)})
    return bundle


def write_manifest(bundle: Path, manifest: dict[str, Any]) -> None:
    """The manifest, with counts and checksums of the files as they are now."""
    manifest["files"] = {
        path.name: {
            "rows": pq.read_metadata(path).num_rows,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in sorted(bundle.glob("*.parquet"))
    }
    (bundle / "manifest.json").write_text(json.dumps(manifest))


def rewrite(bundle: Path, file: str, change: Any) -> None:
    """Changes one file's frame by `change(frame)` and makes the checksums right again."""
    frame = change(pq.read_table(bundle / file).to_pandas(date_as_object=True))
    _write(bundle / file, frame)
    write_manifest(bundle, json.loads((bundle / "manifest.json").read_text()))


def _write(path: Path, frame: pd.DataFrame) -> None:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    fields = []
    for column in table.schema:
        if column.name in DATES:
            fields.append(pa.field(column.name, pa.date32()))
        elif pa.types.is_null(column.type) or pa.types.is_large_string(column.type):
            fields.append(pa.field(column.name, pa.string()))
        else:
            fields.append(column)
    pq.write_table(table.cast(pa.schema(fields)), path)


def _frames(
    training: TrainingSet, horizon: int, frequency: str, scale: float
) -> dict[str, pd.DataFrame]:
    starts = training.demand["date"].dt.to_period(frequency).dt.start_time
    last = starts.max().date()
    forecast: list[dict[str, Any]] = []
    backtest: list[dict[str, Any]] = []
    profile: list[dict[str, Any]] = []
    diagnostics: list[dict[str, Any]] = []
    for (sku, site), rows in training.demand.groupby(["sku", "site"], observed=True):
        grid = pd.date_range(starts[rows.index].min(), last, freq=GRID[frequency])
        demand = rows.groupby(starts)["quantity"].sum().reindex(grid, fill_value=0.0)
        level = {"mean": float(demand.mean()) * scale, "std": float(demand.std())}
        key = {"sku": sku, "site": site}
        for model in MODELS:
            for ahead in range(1, horizon + 1):
                day = next_period(last, frequency, ahead)
                forecast.append(key | {"date": day, "model": model} | _quantiles(**level))
            for back in range(horizon, 0, -1):
                backtest.append(
                    key
                    | {
                        "origin": next_period(last, frequency, -horizon),
                        "date": next_period(last, frequency, 1 - back),
                        "model": model,
                        "actual": float(demand.iloc[-back]),
                    }
                    | _quantiles(**level)
                )
        profile.append(key | _profile(demand, level["std"]))
        diagnostics.append(key | _diagnostics(demand))
    tested = pd.DataFrame(backtest)
    return {
        "forecast.parquet": pd.DataFrame(forecast),
        "backtest.parquet": tested,
        "forecast_accuracy.parquet": _accuracy(tested),
        "series_profile.parquet": pd.DataFrame(profile),
        "series_diagnostics.parquet": pd.DataFrame(diagnostics),
    }


def _levels(training: TrainingSet, frames: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The sums of the ensemble over depots, with quantiles summed too; accuracy of both models."""
    sums = ["mean", "p10", "p50", "p90"]
    ahead = _placed(frames["forecast.parquet"].query("model == 'ensemble'"), training)
    tested = _placed(frames["backtest.parquet"].query("model != 'naive'"), training)
    forecasts: list[pd.DataFrame] = []
    accuracy: list[pd.DataFrame] = []
    for name, level in LEVELS.items():
        keys = {"item": ["sku"], "family": ["family"], "all": []}[level.what]
        if level.what == "all":
            continue
        by = [*keys, "unit", level.area]
        for frame, last, found in ((ahead, ["date"], forecasts), (tested, [], accuracy)):
            columns = sums if frame is ahead else [*sums, "actual"]
            rows = frame.groupby([*by, *(last or ["model", "date"])], as_index=False)[columns].sum()
            found.append(rows.rename(columns={level.area: "area"}).assign(level=name))
    tested = tested.assign(level=DEPOTS, area=tested["site"]).drop(columns="family")
    return {
        "hierarchy.parquet": _level_keys(pd.concat(forecasts)).assign(
            p025=lambda rows: rows["p10"] * 0.5, p975=lambda rows: rows["p90"] * 1.5
        ),
        "hierarchy_accuracy.parquet": _level_accuracy(_level_keys(pd.concat([*accuracy, tested]))),
    }


def _placed(rows: pd.DataFrame, training: TrainingSet) -> pd.DataFrame:
    places = training.sites[["site", "uf", "region"]]
    frame = rows.merge(training.items[["sku", "family", "unit"]], on="sku").merge(places, on="site")
    return frame.assign(country=COUNTRY)


def _level_keys(rows: pd.DataFrame) -> pd.DataFrame:
    kept = [name for name in rows if name not in ("site", "uf", "region", "country", "origin")]
    return rows[kept].fillna({"sku": "", "family": ""})


def _level_accuracy(rows: pd.DataFrame) -> pd.DataFrame:
    error, actual = rows["mean"] - rows["actual"], rows["actual"]
    rows = rows.assign(
        points=1,
        covered80_points=actual.between(rows["p10"], rows["p90"]).astype(int),
        covered95_points=actual.between(rows["p10"] * 0.5, rows["p90"] * 1.5).astype(int),
        abs_error_sum=error.abs(),
        error_sum=error,
        actual_sum=actual,
    )
    columns = ["points", "covered80_points", "covered95_points"]
    columns += ["abs_error_sum", "error_sum", "actual_sum"]
    keys = ["level", "sku", "family", "unit", "area", "model"]
    return rows.groupby(keys, as_index=False)[columns].sum().assign(mase=0.8, rmsse=0.9)


def _quantiles(mean: float, std: float) -> dict[str, float]:
    low = max(0.0, mean - 1.2816 * std)
    return {"mean": mean, "p10": low, "p50": max(low, mean), "p90": mean + 1.2816 * std}


def _profile(demand: pd.Series, std: float) -> dict[str, Any]:
    return {
        "demand_class": "smooth",
        "adi": 1.0,
        "cv2": 0.1,
        "abc": "A",
        "xyz": "X",
        "first_date": demand.index[0].date(),
        "last_date": demand.index[-1].date(),
        "periods": len(demand),
        "nonzero": int((demand > 0).sum()),
        "mean": float(demand.mean()),
        "std": std,
        "season_length": 7,
        "champion": "ensemble",
        "weights": json.dumps({"naive": 0.5, "seasonal_naive": 0.5}),
        "fallback_reason": None,
    }


def _diagnostics(demand: pd.Series) -> dict[str, str | None]:
    """A flat model's errors; a week's moving average as trend, no season. None of what does not
    vary."""
    acf = [float(demand.autocorr(lag)) for lag in range(1, min(15, len(demand) - 2))]
    if not acf or not np.isfinite(acf).all():
        return {"residuals": None, "decomposition": None}
    trend = demand.rolling(7, min_periods=1).mean()
    residuals = {
        "model": "arima",
        "count": len(demand),
        "acf": acf,
        "bound": 1.96 / len(demand) ** 0.5,
        "lags": 10,
        "fitted": 3,
        "ljung_box": 4.2,
        "p": 0.94,
    }
    parts = {
        "frequency": "D",
        "season_length": 7,
        "first_date": str(demand.index[0].date()),
        "actual": demand.tolist(),
        "trend": trend.tolist(),
        "season": [0.0] * len(demand),
        "rest": (demand - trend).tolist(),
        "outliers": [len(demand) - 2],
        "trend_strength": 0.7,
        "season_strength": 0.0,
    }
    return {"residuals": json.dumps(residuals), "decomposition": json.dumps(parts)}


def _accuracy(backtest: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for (sku, site, model), points in backtest.groupby(["sku", "site", "model"]):
        error = points["mean"] - points["actual"]
        demanded = points["actual"] > 0
        inside = points["actual"].between(points["p10"], points["p90"])
        percent = float((error.abs()[demanded] / points["actual"][demanded]).sum())
        total = float(points["actual"].sum())
        rows.append(
            {
                "sku": sku,
                "site": site,
                "model": model,
                "demand_class": "smooth",
                "points": len(points),
                "wape": float(error.abs().sum()) / total if total else None,
                "mase": 0.8,
                "rmsse": 0.9,
                "bias": float(error.sum()) / total if total else None,
                "mape": percent / int(demanded.sum()) if demanded.any() else None,
                "mape_coverage": float(demanded.mean()),
                "coverage80": float(inside.mean()),
                "abs_error_sum": float(error.abs().sum()),
                "error_sum": float(error.sum()),
                "actual_sum": total,
                "pct_error_sum": percent,
                "pct_points": int(demanded.sum()),
                "covered80_points": int(inside.sum()),
            }
        )
    return pd.DataFrame(rows)


def add_machines(engine: Engine, network: Network, *, months: int = 6) -> None:
    """Two batteries at each site, one of them hot, read every month; towers' figures for 60 days.
    A battery's failure takes four of BAT-02."""
    moments = [LAST_DAY - timedelta(days=30 * back) for back in range(months)]
    readings = [
        {
            "equipment": f"BAT-{site}-{number}",
            "measured_at": datetime.combine(moment, datetime.min.time()),
            "site_id": site_id,
            "kind": "bateria",
            "readings": {"temperature_c": 25.0 + 15 * number + place, "age_months": 9.0 - place},
            "failure": int(number == 1 and place == 2),
        }
        for site, site_id in network.sites.items()
        for number in (0, 1)
        for place, moment in enumerate(moments)
    ]
    figures = [
        {
            "date": LAST_DAY - timedelta(days=back),
            "site_id": site_id,
            "availability_pct": 99.9,
            "latency_ms": 20.0 + 10 * place + (30 if back < 20 else 0),
            "traffic_gb": 400.0,
        }
        for place, site_id in enumerate(network.sites.values())
        for back in range(60)
    ]
    with engine.begin() as connection:
        for kind, table, rows in (
            ("equipment", core.equipment_reading, readings),
            ("tower_kpis", core.tower_kpi, figures),
        ):
            load = add_load(connection, kind)
            ensure_months(connection, table.fullname, moments[-1], LAST_DAY)
            connection.execute(insert(table), [row | {"load_id": load} for row in rows])
        connection.execute(
            text(
                "UPDATE core.item SET equipment_kind = 'bateria', units_per_failure = 4"
                " WHERE sku = 'BAT-02'"
            )
        )


RISK_DAYS = 30


def _network(training: TrainingSet) -> dict[str, pd.DataFrame]:
    """Machines and towers in two clusters by what was measured first, a risk and its parts."""
    frames: dict[str, pd.DataFrame] = {}
    clusters: list[pd.DataFrame] = []
    members: list[pd.DataFrame] = []
    if len(training.equipment):
        last = training.equipment.sort_values("measured_at").groupby("equipment").tail(1)
        column = last.columns[-1]
        rows = last.rename(columns={"equipment": "member"})
        _add_clusters("equipment-failure", rows, column, clusters, members)
        risks = last.assign(
            probability=(last[column].rank(method="first") / (2 * len(last))).to_numpy(),
            horizon_days=RISK_DAYS,
            measured_on=last["measured_at"].dt.date,
            reasons=[
                json.dumps([{"feature": column, "value": value, "typical": 30.0, "effect": 1.5}])
                for value in last[column]
            ],
        )
        names = ["equipment", "site", "kind", "measured_on", "probability", "horizon_days"]
        frames["failure_risk.parquet"] = risks[[*names, "reasons"]]
        frames["parts_demand.parquet"] = _parts(risks, training)
    if len(training.tower_kpis):
        rows = training.tower_kpis.groupby("site", as_index=False)[["latency_ms"]].mean()
        rows = rows.assign(member=rows["site"], kind=None)
        _add_clusters("tower-performance", rows, "latency_ms", clusters, members)
        trends = rows[["site"]].merge(
            pd.DataFrame({"metric": ["latency_ms", "traffic_gb"]}), "cross"
        )
        broke, day = trends["metric"] == "latency_ms", training.tower_kpis["date"].max().date()
        frames["tower_trend.parquet"] = trends.assign(
            per_month=1.5,
            changed_on=pd.Series(
                [day - timedelta(days=20) if one else None for one in broke], dtype=object
            ),
            before=np.where(broke, 20.0, np.nan),
            after=np.where(broke, 50.0, np.nan),
            p=np.where(broke, 1e-9, np.nan),
        )
    if clusters:
        frames["cluster.parquet"] = pd.concat(clusters)
        frames["cluster_member.parquet"] = pd.concat(members)
    return frames


def _add_clusters(
    family: str,
    rows: pd.DataFrame,
    column: str,
    clusters: list[pd.DataFrame],
    members: list[pd.DataFrame],
) -> None:
    """Cluster 2 is what lies above the median; the first member was elsewhere before."""
    overall = float(rows[column].median())
    number = (rows[column] > overall).astype(int).to_numpy() + 1
    counts = [(one, int((number == one).sum())) for one in (1, 2)]
    made = [
        {
            "family": family,
            "number": one,
            "name": json.dumps({"pt_BR": f"Grupo {one}", "en": f"Group {one}"}),
            "size": count,
            "silhouette": 0.5,
            "failure_rate": 0.1 * one if family == "equipment-failure" else None,
            "mean_risk": 0.2 * one if family == "equipment-failure" else None,
            "profile": json.dumps(
                [
                    {
                        "feature": column,
                        "value": overall + one,
                        "overall": overall,
                        "spreads": one - 1.5,
                    }
                ]
            ),
        }
        for one, count in counts
        if count
    ]
    clusters.append(pd.DataFrame(made).astype({"failure_rate": float, "mean_risk": float}))
    before = number.copy()
    before[0] = 3 - before[0]
    members.append(
        pd.DataFrame(
            {
                "family": family,
                "member": rows["member"].to_numpy(),
                "site": rows["site"].to_numpy(),
                "kind": rows["kind"].to_numpy(),
                "number": number,
                "previous_number": before if family == "tower-performance" else None,
                "next_number": 3 - number,
                "distance": 0.4,
                "silhouette": 0.5,
                "features": [json.dumps({column: float(one)}) for one in rows[column]],
                "pulls": [
                    json.dumps([{"feature": column, "value": float(one), "share": 1.0}])
                    for one in rows[column]
                ],
            }
        )
    )


def _parts(risks: pd.DataFrame, training: TrainingSet) -> pd.DataFrame:
    merged = risks.merge(training.parts, on="kind", how="inner")
    merged = merged.assign(mean=merged["units"] * merged["probability"], machines=1)
    keys = ["sku", "site", "kind"]
    found = merged.groupby(keys, as_index=False)[["mean", "machines"]].sum()
    found = found.rename(columns={"kind": "equipment_kind"})
    return found.assign(p10=0.0, p50=found["mean"], p90=2 * found["mean"])


def _network_facts(training: TrainingSet) -> dict[str, Any]:
    made = {
        "reason": None,
        "silhouette": 0.5,
        "stability": 0.9,
        "choices": [
            {"clusters": 2, "silhouette": 0.5, "stability": 0.9},
            {"clusters": 3, "silhouette": 0.4, "stability": 0.6},
        ],
    }
    risk = {
        "horizon_days": RISK_DAYS,
        "inputs": ["temperature_c", "age_months"],
        "derived": ["temperature_c × age_months"],
        "reason": None,
        "quality": {
            "rows": 100,
            "failures": 10,
            "folds": 5,
            "pr_auc": 0.7,
            "roc_auc": 0.9,
            "recall_decile": 0.6,
            "recall_fifth": 0.9,
            "brier": 0.02,
            "ece": 0.01,
            "bins": [
                {"count": 90, "predicted": 0.04, "observed": 0.05},
                {"count": 10, "predicted": 0.5, "observed": 0.55},
            ],
        },
    }
    absent = {"reason": "not_loaded"}
    window = {"window_days": 28, "window_end": str(LAST_DAY), "moved": 1}
    return {
        "equipment-failure": made | {"risk": risk} if len(training.equipment) else absent,
        "tower-performance": made | window if len(training.tower_kpis) else absent,
    }


def _manifest(
    training: TrainingSet, frames: dict[str, pd.DataFrame], horizon: int, frequency: str
) -> dict[str, Any]:
    demand = training.demand
    series = len(frames["series_profile.parquet"])
    return {
        "format": "nova-corrente-results",
        "schema_version": 1,
        "created_at": "2025-06-30T06:00:00+00:00",
        "trainer": {"version": "0", "python": "3.11", "seed": 1, "jobs": 1, "limit": None},
        "dataset": {
            "fingerprint": hashlib.sha256(demand.to_csv().encode()).hexdigest(),
            "rows": len(demand),
            "series": series,
            "skus": int(demand["sku"].nunique()),
            "sites": int(demand["site"].nunique()),
            "from": str(demand["date"].min().date()),
            "to": str(demand["date"].max().date()),
            "data_version": training.data_version,
            "demand_total": float(demand["quantity"].sum()),
            "inferred_frequency": frequency,
            "negative_periods": int((demand["quantity"] < 0).sum()),
            "empty_periods": 0,
            "last_empty_periods": [],
        },
        "frequency": frequency,
        "horizon": horizon,
        "origins": 1,
        "season_length": 7,
        "models": [{"name": name, "parameters": _chosen(name)} for name in MODELS],
        "counts": {"series_total": series, "series_trained": series, "series_fallback": 0},
        "fallbacks": [],
    }


def _chosen(model: str) -> dict[str, Any]:
    """What a trainer says of the model's part in the class of all series."""
    errors = {"naive": 0.9, "seasonal_naive": 1.2, "ensemble": 0.8}
    return {
        "class_error": {"smooth": errors[model]},
        "class_weight": {"smooth": 1.0 if model == "naive" else 0.0},
        "candidate_for": ["smooth"] if model != "ensemble" else [],
        "drop_above": 1.15,
        "published_as_seasonal_naive": [],
    }


def refresh_views(engine: Engine) -> None:
    """The views of the facts, as after a load."""
    with engine.begin() as connection:
        for name in ("demand", "stock", "order", "downtime"):
            connection.execute(text(f"REFRESH MATERIALIZED VIEW analytics.{name}_by_day"))
        connection.execute(text("REFRESH MATERIALIZED VIEW analytics.series_overview"))
