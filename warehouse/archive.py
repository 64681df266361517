"""Whole months of facts out of the database into Parquet files, and back.

A month leaves in steps, each of which may be the last before a crash: its rows are written to a
file, the file is loaded into a scratch table and compared with them row by row, the manifest beside
it and `core.archived_month` say so, and only then is the partition detached, without making readers
wait, and dropped. What a crash leaves is finished by the next call. No load is at work meanwhile,
and none may bring rows of a month that is away.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, text

from domain import clock
from domain.errors import InvalidInput
from warehouse.db import copy
from warehouse.hashing import sha256_of
from warehouse.partitions import next_month, remove
from warehouse.pipeline.loads import one_writer_at_a_time
from warehouse.pipeline.views import note_outdated
from warehouse.tables.core import MONTHLY

if TYPE_CHECKING:
    import pyarrow as pa

WAIT_SECONDS = 60.0
BATCH_ROWS = 50_000

_PARTS = text(
    """
    SELECT to_date(right(child.relname, 7), 'YYYY_MM') FROM pg_inherits
    JOIN pg_class AS child ON child.oid = inhrelid
    WHERE inhparent = CAST(:parent AS regclass) ORDER BY 1
    """
)
_COLUMNS = text(
    """
    SELECT column_name, data_type FROM information_schema.columns
    WHERE table_schema = 'core' AND table_name = :table AND is_generated = 'NEVER'
    ORDER BY ordinal_position
    """
)
_NOTE = text(
    """
    INSERT INTO core.archived_month (table_name, month, rows, sha256, archived_at)
    VALUES (:table, :month, :rows, :sha256, :archived_at)
    ON CONFLICT (table_name, month) DO UPDATE SET rows = excluded.rows,
        sha256 = excluded.sha256, archived_at = excluded.archived_at
    """
)
_AWAY = text("SELECT table_name, month FROM core.archived_month ORDER BY month, table_name")
_NOTED = text("SELECT sha256 FROM core.archived_month WHERE table_name = :table AND month = :month")


@dataclass(frozen=True)
class Manifest:
    """What the file of one month of one table holds: `columns` name → type of Postgres, `sums`
    exact, of every measured column."""

    table: str
    month: str
    rows: int
    sums: dict[str, str]
    columns: dict[str, str]
    sha256: str
    archived_at: str

    @property
    def first(self) -> date:
        return date.fromisoformat(f"{self.month}-01")


def archive(
    engine: Engine,
    folder: Path,
    *,
    months: Sequence[date] = (),
    before: date | None = None,
    unneeded: bool = False,
    history_months: int,
) -> list[Manifest]:
    """Moves months, given by their first days, all `before` one, and all `unneeded` ones, into
    `folder`; gives what went now. Raises InvalidInput for a month that is needed, or is not there.
    """
    with one_writer_at_a_time(engine, WAIT_SECONDS):
        _finish(engine, folder)
        with engine.connect() as connection:
            if unneeded:
                first = _first_needed(connection, history_months)
                before = max(filter(None, (before, first)), default=None)
            chosen = _chosen(connection, months, before)
            _refuse_needed(connection, [month for _, month in chosen], history_months)
        done = []
        for table, month in chosen:
            manifest = _write(engine, folder, table, month)
            with engine.begin() as connection:
                noted = {"table": table, "month": month, "rows": manifest.rows}
                noted |= {"sha256": manifest.sha256, "archived_at": manifest.archived_at}
                connection.execute(_NOTE, noted)
                note_outdated(connection)
            remove(engine, f"core.{table}", _part(table, month))
            done.append(manifest)
        return done


def restore(engine: Engine, folder: Path, *, months: Sequence[date] = ()) -> list[Manifest]:
    """Brings months back, all that are away where none is given. Raises InvalidInput, and changes
    nothing, for a file that is not what was written, or a month that is not away."""
    with one_writer_at_a_time(engine, WAIT_SECONDS):
        _finish(engine, folder)
        with engine.connect() as connection:
            known = away(connection)
        missing = sorted(set(months) - {month for _, month in known})
        if missing:
            raise InvalidInput(f"{missing[0]:%Y-%m} is not archived. Archived: {_said(known)}.")
        done = []
        for table, month in known:
            if not months or month in months:
                done.append(_bring_back(engine, folder, table, month))
        return done


def away(connection: Connection) -> list[tuple[str, date]]:
    """Table and month of all that is archived, oldest first."""
    return [(row.table_name, row.month) for row in connection.execute(_AWAY)]


def _said(known: Sequence[tuple[str, date]]) -> str:
    months = sorted({f"{month:%Y-%m}" for _, month in known})
    return ", ".join(months) or "nothing"


def _chosen(
    connection: Connection, months: Sequence[date], before: date | None
) -> list[tuple[str, date]]:
    there = [
        (table, month)
        for table in MONTHLY
        for month in connection.execute(_PARTS, {"parent": f"core.{table}"}).scalars()
    ]
    gone = {month for _, month in away(connection)}
    for month in months:
        if month not in gone and month not in {one for _, one in there}:
            raise InvalidInput(f"No rows of {month:%Y-%m} are loaded.")
    wanted = set(months)
    return [
        (table, month)
        for table, month in there
        if month in wanted or (before is not None and month < before)
    ]


def _first_needed(connection: Connection, kept: int) -> date | None:
    """First day of the last `kept` months before the end of the demand, or before today where that
    lies ahead; they stay."""
    last = connection.execute(text("SELECT max(date) FROM core.demand")).scalar()
    if last is None:
        return None
    last = min(last, clock.today())
    place = last.year * 12 + last.month - kept
    return date(place // 12, place % 12 + 1, 1)


def _refuse_needed(connection: Connection, months: Sequence[date], kept: int) -> None:
    """The history rule."""
    first_needed = _first_needed(connection, kept)
    if first_needed is None or not months:
        return
    needed = sorted(month for month in months if month >= first_needed)
    if needed:
        raise InvalidInput(
            f"{needed[0]:%Y-%m} is needed: training, stock levels and savings look at the last"
            f" {kept} months, from {first_needed:%Y-%m} on (NOVA_HISTORY_MONTHS)."
        )


# Out


def _write(engine: Engine, folder: Path, table: str, month: date) -> Manifest:
    """The month's file and its manifest, compared with the partition row by row."""
    part = _part(table, month)
    file, manifest_file = _files(folder, table, month)
    file.parent.mkdir(parents=True, exist_ok=True)
    with engine.begin() as connection:
        columns = _columns(connection, table)
        fresh = file.with_name(f"{file.name}.part")
        with _as_csv(connection, part, columns, file.parent) as csv:
            _to_parquet(csv, fresh, columns)
        _settle(fresh, file)
        rows = _compare(connection, file, part, columns)
        measured = [name for name, kind in columns.items() if kind == "double precision"]
        sums = _sums(connection, part, measured)
    manifest = Manifest(
        table=table,
        month=f"{month:%Y-%m}",
        rows=rows,
        sums=sums,
        columns=columns,
        sha256=sha256_of(file),
        archived_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    fresh = manifest_file.with_name(f"{manifest_file.name}.part")
    fresh.write_text(json.dumps(asdict(manifest), indent=1) + "\n")
    _settle(fresh, manifest_file)
    return manifest


def _compare(connection: Connection, file: Path, part: str, columns: dict[str, str]) -> int:
    """Rows of the file, which must be exactly those of the partition. Raises InvalidInput."""
    connection.execute(text(f"CREATE TEMP TABLE archived (LIKE {part}) ON COMMIT DROP"))
    _fill(connection, "archived", file, columns)
    names = ", ".join(columns)
    differing = connection.execute(
        text(
            "SELECT count(*) FROM ("
            f"(SELECT {names} FROM archived EXCEPT ALL SELECT {names} FROM {part}) UNION ALL "
            f"(SELECT {names} FROM {part} EXCEPT ALL SELECT {names} FROM archived)) AS differing"
        )
    ).scalar_one()
    if differing:
        raise InvalidInput(
            f"{file} does not hold what {part} holds ({differing} rows differ): nothing is removed."
        )
    return connection.execute(text("SELECT count(*) FROM archived")).scalar_one()


def _finish(engine: Engine, folder: Path) -> None:
    """Removes what a killed call had archived and not yet removed."""
    with engine.connect() as connection:
        left = [
            (table, month)
            for table, month in away(connection)
            if connection.execute(
                text("SELECT to_regclass(:part)"), {"part": _part(table, month)}
            ).scalar()
        ]
    for table, month in left:
        with engine.begin() as connection:
            file, manifest = _checked(connection, folder, table, month)
            _compare(connection, file, _part(table, month), manifest.columns)
            note_outdated(connection)
        remove(engine, f"core.{table}", _part(table, month))


# Back


def _bring_back(engine: Engine, folder: Path, table: str, month: date) -> Manifest:
    """One transaction: the month is there whole, or away as before."""
    parent, part = f"core.{table}", _part(table, month)
    with engine.begin() as connection:
        file, manifest = _checked(connection, folder, table, month)
        lost = sorted(manifest.columns.keys() - _columns(connection, table).keys())
        if lost:
            raise InvalidInput(f"{file} has a column that {parent} no longer has: {lost[0]}.")
        connection.execute(
            text(f"CREATE TABLE {part} (LIKE {parent} INCLUDING ALL EXCLUDING IDENTITY)")
        )
        _fill(connection, part, file, manifest.columns)
        rows = connection.execute(text(f"SELECT count(*) FROM {part}")).scalar_one()
        if (rows, _sums(connection, part, list(manifest.sums))) != (manifest.rows, manifest.sums):
            raise InvalidInput(f"{file} does not add up to what its manifest says.")
        connection.execute(
            text(
                f"ALTER TABLE {parent} ATTACH PARTITION {part}"
                f" FOR VALUES FROM ('{month}') TO ('{next_month(month)}')"
            )
        )
        connection.execute(text(f"ANALYZE {part}"))
        connection.execute(
            text("DELETE FROM core.archived_month WHERE table_name = :table AND month = :month"),
            {"table": table, "month": month},
        )
        note_outdated(connection)
    return manifest


def _checked(
    connection: Connection, folder: Path, table: str, month: date
) -> tuple[Path, Manifest]:
    """File and manifest of an archived month. Raises InvalidInput where one is missing or damaged,
    or another than was noted."""
    file, manifest_file = _files(folder, table, month)
    for path in (file, manifest_file):
        if not path.exists():
            raise InvalidInput(f"{path} is missing: set ARCHIVE_DIR to where it was moved.")
    try:
        manifest = Manifest(**json.loads(manifest_file.read_text()))
    except (ValueError, TypeError):
        raise InvalidInput(f"{manifest_file} is damaged.") from None
    if sha256_of(file) != manifest.sha256:
        raise InvalidInput(f"{file} is damaged: it is not what its manifest was written for.")
    noted = connection.execute(_NOTED, {"table": table, "month": month}).scalar_one()
    held = (manifest.table, manifest.month, manifest.sha256)
    if held != (table, f"{month:%Y-%m}", noted):
        raise InvalidInput(f"{file} is another than was archived: its SHA-256 was {noted}.")
    return file, manifest


# Files


def _part(table: str, month: date) -> str:
    return f"core.{table}_{month:%Y_%m}"


def _files(folder: Path, table: str, month: date) -> tuple[Path, Path]:
    file = folder / table / f"{month:%Y-%m}.parquet"
    return file, file.with_suffix(".json")


def _settle(fresh: Path, file: Path) -> None:
    """The written file under its name, on the disk itself."""
    with fresh.open("rb") as handle:
        os.fsync(handle.fileno())
    fresh.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _columns(connection: Connection, table: str) -> dict[str, str]:
    return {row[0]: row[1] for row in connection.execute(_COLUMNS, {"table": table})}


def _sums(connection: Connection, part: str, names: Sequence[str]) -> dict[str, str]:
    """Exact, whatever the order of rows."""
    if not names:
        return {}
    wanted = ", ".join(f"coalesce(sum({name}::numeric), 0)::text AS {name}" for name in names)
    return dict(connection.execute(text(f"SELECT {wanted} FROM {part}")).mappings().one())


@contextmanager
def _as_csv(
    connection: Connection, part: str, columns: dict[str, str], beside: Path
) -> Iterator[Path]:
    """The rows of a partition in a file that is gone afterwards."""
    with TemporaryDirectory(dir=beside, prefix=".csv-") as folder:
        csv = Path(folder) / "rows.csv"
        names = ", ".join(columns)
        with csv.open("wb") as out:
            copy(
                connection,
                f"COPY (SELECT {names} FROM {part}) TO STDOUT (FORMAT csv, HEADER)",
                out,
            )
        yield csv


def _schema(columns: dict[str, str]) -> pa.Schema:
    import pyarrow as pa

    kinds: dict[str, Any] = {
        "date": pa.date32(),
        "smallint": pa.int16(),
        "integer": pa.int32(),
        "bigint": pa.int64(),
        "double precision": pa.float64(),
        "timestamp without time zone": pa.timestamp("us"),
    }
    return pa.schema([(name, kinds.get(kind, pa.string())) for name, kind in columns.items()])


def _to_parquet(csv: Path, file: Path, columns: dict[str, str]) -> None:
    """A stretch at a time: memory does not grow with the rows."""
    import pyarrow.csv as reading
    import pyarrow.parquet as parquet

    schema = _schema(columns)
    options = reading.ConvertOptions(
        column_types=schema,
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    parsed = reading.ParseOptions(newlines_in_values=True)
    with (
        reading.open_csv(csv, parse_options=parsed, convert_options=options) as batches,
        parquet.ParquetWriter(file, schema, compression="zstd") as writer,
    ):
        for batch in batches:
            writer.write_batch(batch)


def _fill(connection: Connection, table: str, file: Path, columns: dict[str, str]) -> None:
    """COPY of a Parquet file into a table."""
    import pyarrow.csv as writing
    import pyarrow.parquet as parquet

    schema = _schema(columns)
    with TemporaryDirectory(dir=file.parent, prefix=".csv-") as folder:
        csv = Path(folder) / "rows.csv"
        with parquet.ParquetFile(file) as source, writing.CSVWriter(csv, schema) as writer:
            for batch in source.iter_batches(batch_size=BATCH_ROWS, columns=list(columns)):
                writer.write_batch(batch)
        with csv.open("rb") as rows:
            copy(
                connection,
                f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT csv, HEADER)",
                rows,
            )
