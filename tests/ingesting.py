"""What the loader's tests share: files written in a line, loads, and counts of every table."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from tests import factories
from warehouse.pipeline import derive, publish
from warehouse.pipeline.ingest import ingest
from warehouse.pipeline.report import FileReport, IngestReport
from warehouse.tables import metadata

EXAMPLES = Path(__file__).parents[1] / "examples"


def write(folder: Path, **files: str) -> Path:
    """Writes `demand="date;sku…"` as demand.csv, and so on; returns the folder."""
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / f"{name}.csv").write_text(textwrap.dedent(content).lstrip(), encoding="utf-8")
    return folder


def load(path: Path, engine: Engine, **options: Any) -> IngestReport:
    """The report of a load by "tester"."""
    return ingest(path, engine=engine, loaded_by="tester", **options)


def load_and_publish(folder: Path, engine: Engine, **options: Any) -> None:
    """The folder's files, every one taken, and a run of them as `make_bundle` makes it."""
    assert load(folder, engine).ok
    derive.refresh_after_load(engine)
    bundle = factories.make_bundle(folder / "bundles", engine, **options)
    publish.publish_bundle(bundle, engine=engine, published_by="tests")


def load_one(path: Path, engine: Engine, **options: Any) -> FileReport:
    """The report of the one file that is loaded."""
    (report,) = load(path, engine, **options).files
    return report


def rows(engine: Engine, query: str, **values: Any) -> list[tuple]:
    """The rows of a query as tuples."""
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query), values)]


def counts(engine: Engine, schema: str = "core") -> dict[str, int]:
    """Rows of each table of the schema."""
    tables = [table.fullname for table in metadata.sorted_tables if table.schema == schema]
    return {name: rows(engine, f"SELECT count(*) FROM {name}")[0][0] for name in tables}


def adds_up(report: FileReport) -> bool:
    """Whether every row that was read is accounted for."""
    parts = (report.accepted, report.rejected, report.filtered, report.merged)
    return report.read == sum(parts)
