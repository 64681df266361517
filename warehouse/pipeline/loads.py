"""The record of loads, each visible while it runs and after it has ended; one writer at a time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text

from domain.errors import Unavailable, stopped
from warehouse.pipeline.mapping import Source
from warehouse.pipeline.report import FileReport
from warehouse.pipeline.views import WRITE_LOCK

POLL_SECONDS = 0.25
WAIT_SECONDS = 600.0

_AT_WORK = """
SELECT 'load' AS what, file AS name, loaded_by AS who, started_at FROM staging.load
WHERE state = 'loading'
UNION ALL
SELECT CASE kind WHEN 'derive' THEN 'derivation' ELSE kind END, object, actor, started_at
FROM support.job
WHERE state = 'running' AND kind IN ('publish', 'derive') AND phase IS DISTINCT FROM 'waiting'
ORDER BY started_at DESC LIMIT 1
"""

_UNCHANGED = """
SELECT seen.id FROM staging.load AS seen
WHERE seen.sha256 = :sha256 AND seen.mapping_sha256 = :mapping_sha256
  AND seen.kind = :kind AND seen.part = :part AND seen.state = 'accepted'
  AND NOT EXISTS (
    SELECT FROM staging.load AS later
    WHERE later.kind = seen.kind AND later.state = 'accepted' AND later.id > seen.id
      AND (later.file IN (seen.file, :file)
        OR (later.date_from > seen.date_to OR later.date_to < seen.date_from) IS NOT TRUE)
      AND (later.sha256, later.mapping_sha256) <> (seen.sha256, seen.mapping_sha256)
      AND later.sha256 || later.mapping_sha256 <> ALL(:to_come)
      AND (CAST(:folder AS text[]) IS NULL
        OR (later.file = seen.file OR later.file = ANY(:folder)) AND NOT EXISTS (
          SELECT FROM support.job WHERE job.kind = 'load' AND job.report @> jsonb_build_object(
            'files', jsonb_build_array(jsonb_build_object('load_id', later.id))))))
ORDER BY seen.id DESC LIMIT 1
"""

_START = """
INSERT INTO staging.load
  (kind, file, part, sha256, mapping_sha256, mapping, loaded_by, state, is_demo)
VALUES (:kind, :file, :part, :sha256, :mapping_sha256, CAST(:mapping AS jsonb), :loaded_by,
  'loading', :is_demo)
RETURNING id
"""

_UPDATE = """
UPDATE staging.load SET state = :state, message = :message, rows_read = :read,
  rows_accepted = :accepted, rows_rejected = :rejected, rows_filtered = :filtered,
  rows_merged = :merged, date_from = :date_from, date_to = :date_to,
  finished_at = CASE WHEN :state <> 'loading' THEN clock_timestamp() END
WHERE id = :load_id
"""

_COLUMNS = "state message read accepted rejected filtered merged date_from date_to load_id".split()


@contextmanager
def one_writer_at_a_time(
    engine: Engine, wait_seconds: float, check: Callable[[], None] | None = None
) -> Iterator[None]:
    """Holds the database-wide lock of those who write; raises Unavailable when another keeps it too
    long, and whatever `check` raises, which is called while it waits."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        deadline = time.monotonic() + wait_seconds
        while not connection.execute(text("SELECT pg_try_advisory_lock(:key)"), _KEY).scalar():
            if time.monotonic() >= deadline:
                raise Unavailable(_busy(connection, wait_seconds))
            if check:
                check()
            time.sleep(POLL_SECONDS)
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), _KEY)


_KEY = {"key": WRITE_LOCK}


def _busy(connection: Connection, waited: float) -> str:
    other = connection.execute(text(_AT_WORK)).first()
    what = other.what if other else "load, publish or derivation"
    name = f": {other.name}, by {other.who}" if other else ""
    return f"another {what} is running{name}; waited {waited:.0f} s, try again when it has ended"


def fail_stopped_loads(engine: Engine) -> int:
    """Marks as failed the loads whose process has died; to be called under the lock."""
    with engine.begin() as connection:
        result = connection.execute(
            text(
                "UPDATE staging.load SET state = 'failed', message = :message,"
                " finished_at = clock_timestamp() WHERE state = 'loading'"
            ),
            {"message": f"{stopped()}; nothing of it was kept"},
        )
    return result.rowcount


def already_loaded(
    engine: Engine,
    source: Source,
    report: FileReport,
    *,
    sha256: str,
    to_come: list[str],
    folder: list[str] | None,
) -> int | None:
    """The accepted load of the same bytes and mapping, unless rows of it may have been replaced
    since: by another file of the kind that reaches into its days, or has none. What comes after it
    in the same call (hashes of bytes and mapping, in one) would replace them again. Where a folder
    is loaded, of these file names, only what was loaded by such a name counts, and was not
    uploaded: what came from elsewhere are corrections of the folder, which stay."""
    params = _identity(source, report, sha256) | {"to_come": to_come, "folder": folder}
    with engine.connect() as connection:
        return connection.execute(text(_UNCHANGED), params).scalar()


def start_load(
    engine: Engine,
    source: Source,
    report: FileReport,
    *,
    sha256: str,
    loaded_by: str,
    is_demo: bool,
) -> int:
    """Makes the load's row, visible at once; returns its id."""
    values = _identity(source, report, sha256) | {
        "mapping": json.dumps(source.description),
        "loaded_by": loaded_by,
        "is_demo": is_demo,
    }
    with engine.begin() as connection:
        return connection.execute(text(_START), values).scalar_one()


def record(connection: Connection, report: FileReport) -> None:
    """Writes the report's state and counts into its load's row."""
    connection.execute(text(_UPDATE), {name: getattr(report, name) for name in _COLUMNS})


def _identity(source: Source, report: FileReport, sha256: str) -> dict[str, str]:
    return {
        "kind": source.kind,
        "file": report.file,
        "part": report.part,
        "sha256": sha256,
        "mapping_sha256": source.fingerprint,
    }
