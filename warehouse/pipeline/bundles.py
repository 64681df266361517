"""A results bundle as publish sees it: Parquet files and a manifest, trusted in nothing.

Everything is checked before a single row is written; each refusal is a BadBundle that says which
file and why. Files are read in batches: memory does not grow with their size.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from domain.classes import DEMAND_CLASSES
from domain.clusters import FAMILIES, ProfileValue, Pull
from domain.errors import BadBundle
from domain.failure_risk import Reason
from domain.levels import DEPOTS, LEVELS
from warehouse.hashing import sha256_of

MANIFEST = "manifest.json"
FORMAT = "nova-corrente-results"
SCHEMA_VERSION = 1
BATCH_ROWS = 65_536
TOLERANCE = 1e-9

_TESTS: dict[str, Callable[[pa.DataType], bool]] = {
    "text": lambda kind: pa.types.is_string(kind) or pa.types.is_large_string(kind),
    "date": pa.types.is_date32,
    "integer": pa.types.is_integer,
    "number": pa.types.is_floating,
}


@dataclass(frozen=True)
class FileSpec:
    """One file: its columns with their kind, and those that may be null. Bundles of older trainers
    lack what is `optional`."""

    table: str
    columns: Mapping[str, str]
    nullable: frozenset[str] = frozenset()
    optional: bool = False

    @property
    def codes(self) -> list[str]:
        """The columns that hold codes of `core`."""
        return [name for name in ("sku", "site") if name in self.columns]


def _spec(
    table: str,
    *,
    text: str,
    date: str = "",
    integer: str = "",
    number: str = "",
    nullable: str = "",
    optional: bool = False,
) -> FileSpec:
    kinds = {"text": text, "date": date, "integer": integer, "number": number}
    columns = {name: kind for kind, names in kinds.items() for name in names.split()}
    return FileSpec(table, columns, frozenset(nullable.split()), optional)


_QUANTILES = "mean p10 p50 p90"
_RATES = "wape mase rmsse bias mape mape_coverage coverage80"
_SUMS = "abs_error_sum error_sum actual_sum pct_error_sum"

FILES: dict[str, FileSpec] = {
    "forecast.parquet": _spec("forecast", text="sku site model", date="date", number=_QUANTILES),
    "backtest.parquet": _spec(
        "backtest", text="sku site model", date="origin date", number=f"actual {_QUANTILES}"
    ),
    "forecast_accuracy.parquet": _spec(
        "forecast_accuracy",
        text="sku site model demand_class",
        integer="points pct_points covered80_points",
        number=f"{_RATES} {_SUMS}",
        nullable=f"{_RATES} {_SUMS} pct_points covered80_points",
    ),
    "series_profile.parquet": _spec(
        "series_profile",
        text="sku site demand_class abc xyz champion weights fallback_reason",
        date="first_date last_date",
        integer="periods nonzero season_length",
        number="adi cv2 mean std",
        nullable="abc xyz champion fallback_reason first_date last_date season_length"
        " adi cv2 mean std",
    ),
    "hierarchy.parquet": _spec(
        "level_forecast",
        text="level sku family unit area",
        date="date",
        number="mean p025 p10 p50 p90 p975",
        optional=True,
    ),
    "hierarchy_accuracy.parquet": _spec(
        "level_accuracy",
        text="level sku family unit area model",
        integer="points covered80_points covered95_points",
        number="mase rmsse abs_error_sum error_sum actual_sum",
        nullable="mase rmsse",
        optional=True,
    ),
    "series_diagnostics.parquet": _spec(
        "series_diagnostics",
        text="sku site residuals decomposition",
        nullable="residuals decomposition",
        optional=True,
    ),
    "cluster.parquet": _spec(
        "cluster",
        text="family name profile",
        integer="number size",
        number="silhouette failure_rate mean_risk",
        nullable="silhouette failure_rate mean_risk",
        optional=True,
    ),
    "cluster_member.parquet": _spec(
        "cluster_member",
        text="family member site kind features pulls",
        integer="number previous_number next_number",
        number="distance silhouette",
        nullable="kind previous_number next_number distance silhouette",
        optional=True,
    ),
    "failure_risk.parquet": _spec(
        "failure_risk",
        text="equipment site kind reasons",
        date="measured_on",
        integer="horizon_days",
        number="probability",
        nullable="kind measured_on",
        optional=True,
    ),
    "parts_demand.parquet": _spec(
        "parts_demand",
        text="sku site equipment_kind",
        integer="machines",
        number=_QUANTILES,
        optional=True,
    ),
    "tower_trend.parquet": _spec(
        "tower_trend",
        text="site metric",
        date="changed_on",
        number="per_month before after p",
        nullable="per_month changed_on before after p",
        optional=True,
    ),
}
NAMING = (
    *("level", "sku", "family", "unit", "site", "area", "model", "date"),
    *("member", "number", "equipment", "metric"),
)
QUANTILES = ("p025", "p10", "p50", "p90", "p975")


class _Dataset(BaseModel):
    fingerprint: str = Field(pattern=r"^[0-9a-f]{64}$")
    data_version: str = Field(pattern=r"^\d+$")
    first: date = Field(alias="from")
    last: date = Field(alias="to")


class _Counts(BaseModel):
    series_total: int = Field(ge=1)
    series_trained: int = Field(ge=1)
    series_fallback: int = Field(ge=0)


class _File(BaseModel):
    rows: int = Field(ge=0)
    sha256: str


class _Residuals(BaseModel, extra="forbid", allow_inf_nan=False):
    model: str
    count: int = Field(ge=1)
    acf: list[float]
    bound: float
    lags: int
    ljung_box: float
    p: float = Field(ge=0, le=1)
    fitted: int = Field(default=0, ge=0)


class _Decomposition(BaseModel, extra="forbid", allow_inf_nan=False):
    frequency: Literal["D", "W", "M"]
    season_length: int
    first_date: date
    actual: list[float]
    trend: list[float]
    season: list[float]
    rest: list[float]
    outliers: list[int]
    trend_strength: float
    season_strength: float

    @model_validator(mode="after")
    def _parts_match(self) -> Self:
        if len({len(part) for part in (self.actual, self.trend, self.season, self.rest)}) > 1:
            raise ValueError("its parts are not equally long")
        if any(not 0 <= place < len(self.actual) for place in self.outliers):
            raise ValueError("an outlier lies outside of it")
        return self


class Manifest(BaseModel):
    """What publish relies on of `manifest.json`; the rest is kept as it is."""

    format: Literal["nova-corrente-results"]
    schema_version: Literal[1]
    created_at: datetime
    dataset: _Dataset
    frequency: Literal["D", "W", "M"]
    horizon: int = Field(ge=1, le=10_000)
    counts: _Counts
    files: dict[str, _File]


@dataclass(frozen=True)
class Codes:
    """What the database knows: the key of each code, ready for joins in Arrow."""

    codes: pa.Array
    keys: pa.Array

    @classmethod
    def of(cls, known: Mapping[str, int]) -> Codes:
        """Codes from a mapping of code to key."""
        return cls(pa.array(list(known), pa.string()), pa.array(list(known.values()), pa.int32()))

    def or_none(self) -> Codes:
        """The same, and key 0 for the empty code: no item."""
        return Codes(
            pa.concat_arrays([self.codes, pa.array([""], pa.string())]),
            pa.concat_arrays([self.keys, pa.array([0], pa.int32())]),
        )

    def keys_of(self, column: pa.Array) -> pa.Array:
        """The key of each code; null where it is not known."""
        return pc.take(self.keys, pc.index_in(column.cast(pa.string()), value_set=self.codes))


@dataclass(frozen=True)
class Bundle:
    """A bundle whose manifest, files, checksums and columns are right; rows: see `check_rows`."""

    path: Path
    manifest: Manifest
    raw: dict[str, Any]
    sha256: str

    @property
    def files(self) -> list[str]:
        """The files it has to have, and those it does have of the optional ones."""
        listed = self.manifest.files
        return [file for file, spec in FILES.items() if file in listed or not spec.optional]

    def batches(self, file: str) -> Iterator[pa.RecordBatch]:
        """The rows of one file, columns in the order of its spec."""
        with pq.ParquetFile(self.path / file) as parquet:
            yield from parquet.iter_batches(BATCH_ROWS, columns=list(FILES[file].columns))


def open_bundle(path: Path) -> Bundle:
    """Checks manifest, files, checksums, row counts and columns. Raises BadBundle."""
    if not path.is_dir():
        raise BadBundle(f"{path}: there is no such folder.")
    content = _content(path / MANIFEST)
    raw = _json(content)
    _refuse_foreign(raw)
    try:
        manifest = Manifest.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BadBundle(f"{MANIFEST}: {place}: {first['msg']}.") from None
    bundle = Bundle(path, manifest, raw, hashlib.sha256(content).hexdigest())
    for file in bundle.files:
        _check_file(bundle, file)
    return bundle


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadBundle(f"{path.name}: cannot be read ({error.strerror}).") from error


def _json(content: bytes) -> dict[str, Any]:
    try:
        raw = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BadBundle(f"{MANIFEST}: is not JSON ({error}).") from None
    if not isinstance(raw, dict):
        raise BadBundle(f"{MANIFEST}: is not an object.")
    return raw


def _refuse_foreign(raw: dict[str, Any]) -> None:
    if raw.get("format") != FORMAT:
        raise BadBundle(f"{MANIFEST}: format is {raw.get('format')!r}, not {FORMAT!r}.")
    if raw.get("schema_version") != SCHEMA_VERSION:
        raise BadBundle(
            f"{MANIFEST}: schema_version is {raw.get('schema_version')!r},"
            f" this program reads {SCHEMA_VERSION}."
        )


def _check_file(bundle: Bundle, file: str) -> None:
    path, stated = bundle.path / file, bundle.manifest.files.get(file)
    if stated is None:
        raise BadBundle(f"{MANIFEST}: does not list {file}.")
    if not path.is_file():
        raise BadBundle(f"{file}: is missing.")
    if sha256_of(path) != stated.sha256:
        raise BadBundle(f"{file}: is damaged: its SHA-256 is not the one in the manifest.")
    try:
        parquet = pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise BadBundle(f"{file}: is not a Parquet file ({error}).") from None
    with parquet:
        rows, schema = parquet.metadata.num_rows, parquet.schema_arrow
    if rows != stated.rows:
        raise BadBundle(f"{file}: has {rows} rows, the manifest says {stated.rows}.")
    _check_columns(file, schema)


def _check_columns(file: str, schema: pa.Schema) -> None:
    wanted = FILES[file].columns
    missing = [name for name in wanted if name not in schema.names]
    if missing:
        raise BadBundle(f"{file}: column {missing[0]!r} is missing.")
    unknown = [name for name in schema.names if name not in wanted]
    if unknown:
        raise BadBundle(f"{file}: column {unknown[0]!r} is not known.")
    for name, kind in wanted.items():
        found = schema.field(name).type
        if not _TESTS[kind](found):
            raise BadBundle(f"{file}: column {name!r} is {found}, not {kind}.")


def check_rows(bundle: Bundle, items: Codes, sites: Codes) -> None:
    """Reads every row: codes known, nothing null or infinite that may not be, quantiles in order,
    the ensemble complete. Raises BadBundle at the first wrong one."""
    for file in bundle.files:
        known = codes_of(FILES[file], items, sites)
        for batch in bundle.batches(file):
            _check_batch(file, batch, known)
    _check_horizon(bundle)


def codes_of(spec: FileSpec, items: Codes, sites: Codes) -> dict[str, Codes]:
    """What each column of codes may hold; only a level may be of no item."""
    known = {"sku": items.or_none() if "level" in spec.columns else items, "site": sites}
    return {name: known[name] for name in spec.codes}


def _check_batch(file: str, batch: pa.RecordBatch, known: Mapping[str, Codes]) -> None:
    spec = FILES[file]
    for name, kind in spec.columns.items():
        column = batch.column(name)
        if name not in spec.nullable and column.null_count:
            raise BadBundle(f"{file}: column {name!r} has an empty value.")
        if kind == "number":
            _refuse(file, batch, pc.invert(pc.is_finite(column)), f"{name} is not finite")
    for name, codes in known.items():
        unknown = pc.is_null(codes.keys_of(batch.column(name)))
        _refuse(file, batch, unknown, f"this {name} is not known here: the data is another")
    if "p50" in spec.columns:
        _check_quantiles(file, batch)
    if "level" in spec.columns:
        _check_level(file, batch)
    if file in JSON_COLUMNS:
        _check_network(file, batch)
    if file == "series_profile.parquet":
        _check_profile(file, batch)
    if file == "series_diagnostics.parquet":
        _check_diagnostics(file, batch)


def _check_quantiles(file: str, batch: pa.RecordBatch) -> None:
    names = [name for name in QUANTILES if name in batch.schema.names]
    for name in (names[0], "mean"):
        _refuse(file, batch, pc.less(batch.column(name), 0.0), f"{name} is below 0")
    for low, high in pairwise(names):
        crossed = pc.greater(batch.column(low), pc.add(batch.column(high), TOLERANCE))
        _refuse(file, batch, crossed, f"{low} is above {high}")


def _check_level(file: str, batch: pa.RecordBatch) -> None:
    known = pa.array([*LEVELS, *([DEPOTS] if "model" in batch.schema.names else [])])
    unknown = pc.invert(pc.is_in(batch.column("level").cast(pa.string()), known))
    _refuse(file, batch, unknown, "level is not a known one")


def _check_profile(file: str, batch: pa.RecordBatch) -> None:
    classes = pa.array(DEMAND_CLASSES)
    unknown = pc.invert(pc.is_in(batch.column("demand_class").cast(pa.string()), classes))
    _refuse(file, batch, unknown, "demand_class is not a known one")
    for row, weights in enumerate(batch.column("weights").to_pylist()):
        if not _are_weights(weights):
            raise BadBundle(f"{file}: {_where(batch, row)}: weights {weights!r} do not sum to 1.")


def _check_diagnostics(file: str, batch: pa.RecordBatch) -> None:
    for name, kind in (("residuals", _Residuals), ("decomposition", _Decomposition)):
        for row, content in enumerate(batch.column(name).to_pylist()):
            if content is None:
                continue
            try:
                kind.model_validate_json(content)
            except ValidationError as error:
                first = error.errors()[0]
                place = ".".join(str(part) for part in (name, *first["loc"]))
                raise BadBundle(f"{file}: {_where(batch, row)}: {place}: {first['msg']}.") from None


_FINITE = ConfigDict(allow_inf_nan=False)
JSON_COLUMNS: Mapping[str, Mapping[str, TypeAdapter[Any]]] = {
    "cluster.parquet": {
        "name": TypeAdapter(dict[Literal["pt_BR", "en"], str]),
        "profile": TypeAdapter(list[ProfileValue], config=_FINITE),
    },
    "cluster_member.parquet": {
        "features": TypeAdapter(dict[str, float | None], config=_FINITE),
        "pulls": TypeAdapter(list[Pull], config=_FINITE),
    },
    "failure_risk.parquet": {"reasons": TypeAdapter(list[Reason], config=_FINITE)},
}
"""What the texts of JSON have to hold."""


def _check_network(file: str, batch: pa.RecordBatch) -> None:
    for name, kind in JSON_COLUMNS[file].items():
        for row, content in enumerate(batch.column(name).to_pylist()):
            try:
                kind.validate_json(content)
            except ValidationError as error:
                first = error.errors()[0]
                place = ".".join(str(part) for part in (name, *first["loc"]))
                raise BadBundle(f"{file}: {_where(batch, row)}: {place}: {first['msg']}.") from None
    if "family" in batch.schema.names:
        unknown = pc.invert(pc.is_in(batch.column("family").cast(pa.string()), pa.array(FAMILIES)))
        _refuse(file, batch, unknown, "family is not a known one")
    if "probability" in batch.schema.names:
        chance = batch.column("probability")
        outside = pc.or_(pc.less(chance, 0.0), pc.greater(chance, 1.0))
        _refuse(file, batch, outside, "probability is not from 0 to 1")


def _are_weights(value: str) -> bool:
    try:
        weights = json.loads(value)
        return not weights or abs(sum(weights.values()) - 1) < 1e-3
    except (ValueError, TypeError, AttributeError, RecursionError):
        return False


def _refuse(file: str, batch: pa.RecordBatch, wrong: pa.Array, reason: str) -> None:
    at = pc.index(wrong, True).as_py()
    if at >= 0:
        raise BadBundle(f"{file}: {_where(batch, at)}: {reason}.")


def _where(batch: pa.RecordBatch, row: int) -> str:
    names = [name for name in NAMING if name in batch.schema.names]
    return ", ".join(f"{name} {str(batch.column(name)[row].as_py())!r}" for name in names)


def _check_horizon(bundle: Bundle) -> None:
    """Every trained series has an ensemble forecast for each of the horizon's dates."""
    rows = 0
    dates: set[date] = set()
    trained: set[tuple[str, str]] = set()
    for batch in bundle.batches("forecast.parquet"):
        ensemble = batch.filter(pc.equal(batch.column("model"), "ensemble"))
        rows += ensemble.num_rows
        dates.update(pc.unique(ensemble.column("date")).to_pylist())
        pairs = pa.table(ensemble.select(["sku", "site"])).group_by(["sku", "site"]).aggregate([])
        trained.update(zip(*(column.to_pylist() for column in pairs.columns), strict=True))
    horizon, series = bundle.manifest.horizon, bundle.manifest.counts.series_trained
    if (len(dates), len(trained), rows) != (horizon, series, horizon * series):
        raise BadBundle(
            f"forecast.parquet: the ensemble has {rows} rows for {len(trained)} series on"
            f" {len(dates)} dates, not {horizon} for each of {series} series."
        )
