"""The results bundle: Parquet files and a manifest in a folder that appears all at once."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from itertools import chain, count
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from domain.combination import MEDIAN_SHARE, TOLERANCE
from models_offline import __version__, keys
from models_offline.backtest import JUDGED_ON_SAMPLE, POOLED, classes_of, wanted
from models_offline.dataset import LIMIT_RULE
from models_offline.decomposition import decompositions
from models_offline.ensemble import (
    NAME,
    POWER_OF_COUNTS,
    TOLERANCE_OF_COUNTS,
    TOLERANCE_OF_QUANTILES,
    Weights,
)
from models_offline.fitting import FINAL, Failure
from models_offline.hierarchy import Hierarchy
from models_offline.levels import KEYS
from models_offline.models import FALLBACK, MODELS
from models_offline.network import Network
from models_offline.residuals import described
from models_offline.training import Results

FORMAT = "nova-corrente-results"
SCHEMA_VERSION = 1
MOST_NAMED = 200
LJUNG_BOX_LEVEL = 0.05
LEVEL_COLUMNS = {"ds": "date", "p2.5": "p025", "p97.5": "p975"}
WITH_RESIDUALS = ("ses", "arima")
"""Models whose one-step errors are looked at; where a class has both, the last one counts."""


def _schema(text: str, dates: str, integers: str, numbers: str) -> dict[str, pa.DataType]:
    kinds = ((text, pa.string()), (dates, pa.date32()), (integers, pa.int32()))
    named = {name: kind for names, kind in kinds for name in names.split()}
    return named | dict.fromkeys(numbers.split(), pa.float64())


SCHEMAS = {
    "forecast.parquet": _schema("sku site model", "date", "", "mean p10 p50 p90"),
    "backtest.parquet": _schema("sku site model", "origin date", "", "actual mean p10 p50 p90"),
    "forecast_accuracy.parquet": _schema(
        "sku site model demand_class",
        "",
        "points pct_points covered80_points",
        "wape mase rmsse bias mape mape_coverage coverage80"
        " abs_error_sum error_sum actual_sum pct_error_sum",
    ),
    "hierarchy.parquet": _schema(
        "level sku family unit area", "date", "", "mean p025 p10 p50 p90 p975"
    ),
    "hierarchy_accuracy.parquet": _schema(
        "level sku family unit area model",
        "",
        "points covered80_points covered95_points",
        "mase rmsse abs_error_sum error_sum actual_sum",
    ),
    "series_profile.parquet": _schema(
        "sku site demand_class abc xyz champion weights fallback_reason",
        "first_date last_date",
        "periods nonzero season_length",
        "adi cv2 mean std",
    ),
    "series_diagnostics.parquet": _schema("sku site residuals decomposition", "", "", ""),
    "cluster.parquet": _schema(
        "family name profile", "", "number size", "silhouette failure_rate mean_risk"
    ),
    "cluster_member.parquet": _schema(
        "family member site kind features pulls",
        "",
        "number previous_number next_number",
        "distance silhouette",
    ),
    "failure_risk.parquet": _schema(
        "equipment site kind reasons", "measured_on", "horizon_days", "probability"
    ),
    "parts_demand.parquet": _schema("sku site equipment_kind", "", "machines", "mean p10 p50 p90"),
    "tower_trend.parquet": _schema("site metric", "changed_on", "", "per_month before after p"),
}


def write(results: Results, folder: Path, network: Network | None = None) -> Path:
    """Writes the bundle into `folder` and returns its path; nothing half-written is ever seen."""
    network = network or Network()
    created = datetime.now(UTC)
    fingerprint = str(results.dataset.source["fingerprint"])
    _sweep(folder)
    final = _unused(folder, f"{created:%Y%m%dT%H%M%SZ}-{fingerprint[:8]}")
    partial = final.with_name(f".{final.name}.{os.getpid()}.partial")
    partial.mkdir(parents=True)
    try:
        tables = chain(_tables(results), network.frames.items())
        files = {name: _write_table(partial / name, rows) for name, rows in tables}
        manifest = make_manifest(results, created, files) | {"network": network.facts}
        (partial / "manifest.json").write_text(json.dumps(manifest, indent=1, allow_nan=False))
        partial.rename(final)
    except BaseException:
        shutil.rmtree(partial)
        raise
    return final


def _unused(folder: Path, name: str) -> Path:
    """A folder of this name, numbered if another run of the same second has it."""
    names = chain([name], (f"{name}-{number}" for number in count(2)))
    return next(folder / one for one in names if not (folder / one).exists())


def _tables(results: Results) -> Iterator[tuple[str, pd.DataFrame]]:
    for name, make in TABLES.items():
        yield name, make(results)
    if results.levels is not None:
        yield "hierarchy.parquet", _levels(results.levels)
        yield "hierarchy_accuracy.parquet", _sorted(results.levels.accuracy, "model")


def _levels(found: Hierarchy) -> pd.DataFrame:
    return _sorted(found.forecast.rename(columns=LEVEL_COLUMNS), "date")


def _sorted(rows: pd.DataFrame, last: str) -> pd.DataFrame:
    return rows.sort_values([*KEYS, last], kind="stable")


def _sweep(folder: Path) -> None:
    """Removes what runs that were killed while they wrote have left."""
    for left in folder.glob(".*.partial"):
        try:
            os.kill(int(left.suffixes[-2].lstrip(".")), 0)
        except ProcessLookupError:
            shutil.rmtree(left)
        except (PermissionError, ValueError, IndexError):
            pass  # another user's, or no folder of ours


def _write_table(path: Path, frame: pd.DataFrame) -> dict[str, Any]:
    schema = pa.schema(SCHEMAS[path.name])
    table = pa.Table.from_pandas(frame[schema.names], schema=schema, preserve_index=False)
    pq.write_table(table, path, compression="zstd")
    with path.open("rb") as written:
        digest = hashlib.file_digest(written, "sha256")
    return {"rows": table.num_rows, "sha256": digest.hexdigest()}


def _named(frame: pd.DataFrame, results: Results) -> pd.DataFrame:
    names = results.dataset.series[["sku", "site"]]
    return frame.join(names, on="unique_id").rename(columns={"ds": "date"})


def _forecast(results: Results) -> pd.DataFrame:
    rows = _named(results.forecast, results)
    return rows.sort_values(["sku", "site", "model", "date"], kind="stable")


def _backtest(results: Results) -> pd.DataFrame:
    rows = _named(results.points, results)
    rows = rows.assign(origin=pd.to_datetime(rows["cut"].map(results.origins)))
    return rows.sort_values(["sku", "site", "model", "origin", "date"], kind="stable")


def _accuracy(results: Results) -> pd.DataFrame:
    return _named(results.accuracy, results).sort_values(["sku", "site", "model"], kind="stable")


def _profile(results: Results) -> pd.DataFrame:
    series, classes = results.dataset.series, results.classes
    reasons = _fallback_reasons(results)
    return series.assign(
        season_length=results.dataset.frequency.season_length,
        champion=classes.map({name: champion(results, name) for name in classes.unique()}),
        weights=classes.map({name: _shares(results, name) for name in classes.unique()}),
        fallback_reason=series.index.to_series().map(reasons).astype(object),
    ).sort_values(["sku", "site"], kind="stable")


def _diagnostics(results: Results) -> pd.DataFrame:
    dataset, series = results.dataset, results.dataset.series
    parts = decompositions(
        dataset.history, results.classes, dataset.frequency, results.options.jobs
    )
    left = _residuals(results.fits.notes)
    ids = series.index.to_series()
    rows = series.assign(
        residuals=ids.map({uid: json.dumps(one, allow_nan=False) for uid, one in left.items()}),
        decomposition=ids.map({uid: json.dumps(one) for uid, one in parts.items()}),
    ).astype({"residuals": object, "decomposition": object})
    return rows.sort_values(["sku", "site"], kind="stable")


def _residuals(notes: dict[str, dict[Any, dict[str, float]]]) -> dict[Any, dict[str, Any]]:
    """Of each series, those of the single model that its class has."""
    found = {
        uid: described(model, noted)
        for model in WITH_RESIDUALS
        for uid, noted in notes.get(model, {}).items()
    }
    return {uid: one for uid, one in found.items() if one is not None}


TABLES: dict[str, Callable[[Results], pd.DataFrame]] = {
    "forecast.parquet": _forecast,
    "backtest.parquet": _backtest,
    "forecast_accuracy.parquet": _accuracy,
    "series_profile.parquet": _profile,
    "series_diagnostics.parquet": _diagnostics,
}


def champion(results: Results, demand_class: str) -> str:
    """The model, ensemble included, with the lowest backtest error of the class, or of all series
    among its candidates where the class is too small; one that was judged on a sample of its series
    may owe that to luck, and is passed over."""
    errors = results.errors.get(demand_class)
    if errors is None:
        errors = {
            model: error
            for model, error in results.errors.get(POOLED, {}).items()
            if model == NAME or wanted(model, demand_class)
        }
    whole = {model: error for model, error in errors.items() if model not in JUDGED_ON_SAMPLE}
    return min(whole, key=lambda model: whole[model], default=NAME)


def _shares(results: Results, demand_class: str) -> str:
    shares = results.weights[demand_class]
    return json.dumps({model: share for model, share in shares.items() if share > 0})


def final_failures(results: Results) -> list[Failure]:
    """The forecasts that candidates of a series' class could not make; those of a model that is
    none are missed by nobody."""
    return [
        failure
        for failure in results.fits.failures
        if failure.cut == FINAL and wanted(failure.model, results.classes[failure.unique_id])
    ]


def _fallback_reasons(results: Results) -> dict[Any, str]:
    reasons: dict[Any, list[str]] = {}
    for failure in final_failures(results):
        reasons.setdefault(failure.unique_id, []).append(f"{failure.model}: {failure.reason}")
    return {uid: "; ".join(lines) for uid, lines in reasons.items()}


def make_manifest(results: Results, created: datetime, files: dict[str, Any]) -> dict[str, Any]:
    """Everything that says where the numbers come from."""
    dataset, options = results.dataset, results.options
    reasons = _fallback_reasons(results)
    trained = len(dataset.series)
    return {
        "format": FORMAT,
        "schema_version": SCHEMA_VERSION,
        "created_at": created.isoformat(timespec="seconds"),
        "trainer": {
            "version": __version__,
            "python": platform.python_version(),
            "seed": options.seed,
            "jobs": options.jobs,
            "limit": options.limit,
            "limit_rule": LIMIT_RULE if trained < dataset.series_total else None,
            "seconds": round(results.seconds, 1),
            "code": keys.code(),
            "libraries": keys.libraries(),
        },
        "checkpoints": results.tally.facts(),
        "dataset": dataset.source,
        "frequency": dataset.frequency.code,
        "horizon": results.setup.horizon,
        "origins": len(results.origins),
        "season_length": dataset.frequency.season_length,
        "models": [_model(results, name) for name in _trained_models(results)],
        "counts": {
            "series_total": dataset.series_total,
            "series_trained": trained,
            "series_left_out": len(dataset.left_out),
            "series_fallback": len(reasons),
        },
        "left_out": dataset.left_out[:MOST_NAMED].to_dict("records"),
        "fallbacks": _fallbacks(results),
        "failure_reasons": failure_reasons(results),
        "drivers": results.drivers,
        "levels": None if results.levels is None else results.levels.facts,
        "files": files,
    }


def _trained_models(results: Results) -> list[str]:
    return [*(name for name in MODELS if name in results.fits.seconds), NAME]


def _model(results: Results, name: str) -> dict[str, Any]:
    if name == NAME:
        library, parameters = "numpy", _ensemble(results)
    else:
        library, parameters = MODELS[name].library, _parameters(results, name)
    return {
        "name": name,
        "library": library,
        "version": _version(library),
        "parameters": parameters | {"class_error": _by_class(results.errors, name)},
        "seconds": round(results.fits.seconds.get(name, 0.0), 2),
        "failures": sum(failure.model == name for failure in results.fits.failures),
    }


def _ensemble(results: Results) -> dict[str, Any]:
    return {
        "drop_above": TOLERANCE,
        "drop_above_of_counts": TOLERANCE_OF_COUNTS,
        "drop_quantiles_above": TOLERANCE_OF_QUANTILES,
        "median_share": MEDIAN_SHARE,
        "power_of_counts": POWER_OF_COUNTS,
        "damping": results.damping,
        "published_as_seasonal_naive": results.published_as_naive,
        "value_added": value_added(results),
    }


def value_added(results: Results) -> dict[str, float]:
    """Forecast value added by class: the share of seasonal naive's backtest error that what is
    published takes away: the ensemble (negative where it adds some), or none."""
    return {
        name: 0.0
        if name in results.published_as_naive
        else round(1 - errors[NAME] / errors[FALLBACK], 4)
        for name, errors in results.errors.items()
        if name != POOLED and errors.get(FALLBACK, 0.0) > 0 and NAME in errors
    }


def _parameters(results: Results, name: str) -> dict[str, Any]:
    parameters = MODELS[name].parameters(results.setup) | {"candidate_for": classes_of(name)}
    parameters["class_weight"] = _weights(results.weights, name)
    parameters["class_quantile_weight"] = _weights(results.quantile_weights, name)
    parameters["class_quantile_error"] = _by_class(results.quantile_errors, name)
    if name in JUDGED_ON_SAMPLE:
        parameters["judged_on_sample"] = results.judged.get(name, {})
    tests = [note["ljung_box_p"] for note in results.fits.notes.get(name, {}).values()]
    if tests:
        passed = sum(p >= LJUNG_BOX_LEVEL for p in tests) / len(tests)
        parameters["residuals_pass_ljung_box"] = round(passed, 4)
    return parameters


def _weights(weights: Weights, name: str) -> dict[str, float]:
    return {
        demand_class: round(shares.get(name, 0.0), 4) for demand_class, shares in weights.items()
    }


def _by_class(by_class: dict[str, dict[str, float]], name: str) -> dict[str, float]:
    return {
        demand_class: round(errors[name], 4)
        for demand_class, errors in by_class.items()
        if name in errors and demand_class != POOLED
    }


def _version(library: str) -> str | None:
    names = (library, "tensorflow-cpu") if library == "tensorflow" else (library,)
    for name in names:
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return None


def failure_reasons(results: Results) -> list[dict[str, Any]]:
    """How many series have no forecast of their own from a model and why, the most first."""
    found = Counter((failure.model, failure.reason) for failure in final_failures(results))
    return [
        {"model": model, "reason": why, "series": count}
        for (model, why), count in sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
    ]


def _fallbacks(results: Results) -> list[dict[str, str]]:
    series = results.dataset.series
    return [
        {
            "sku": str(series.at[failure.unique_id, "sku"]),
            "site": str(series.at[failure.unique_id, "site"]),
            "model": failure.model,
            "reason": failure.reason,
        }
        for failure in final_failures(results)[:MOST_NAMED]
    ]
