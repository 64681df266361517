"""From a results bundle to what everybody sees.

A run is loaded under a new id into tables that nobody reads, attached, derived, and shown by one
transaction that moves the pointer. Killed anywhere before that, the run before stays; the next
publish clears what was left. One publish at a time, by an advisory lock.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pyarrow as pa
from sqlalchemy import Connection, Engine, Row, delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError

from domain.errors import BadBundle, NotFound, Unavailable
from warehouse.caching import forget_version
from warehouse.db import copy
from warehouse.pipeline import derive
from warehouse.pipeline.bundles import FILES, Bundle, Codes, check_rows, codes_of, open_bundle
from warehouse.pipeline.coherence import check_sums
from warehouse.pipeline.loads import WAIT_SECONDS, one_writer_at_a_time
from warehouse.pipeline.stage import as_csv
from warehouse.pipeline.views import note_refreshed, refresh_views
from warehouse.queries.runs import runs
from warehouse.tables.analytics import PER_RUN, published, run

KEPT_RUNS = 5
DERIVED_TABLES = (
    *("policy", "alert", "recommendation", "lead_time_cost", "sla_exposure"),
    *("accuracy_by_step", "replay_input", "service_curve", "override_in_force", "savings"),
    "project_need",
)

_KEYS = {"sku": "item_id", "site": "site_id"}

Progress = Callable[[str], None]

log = logging.getLogger(__name__)


def publish_bundle(
    path: Path | str,
    *,
    engine: Engine,
    published_by: str,
    on_progress: Progress | None = None,
) -> int:
    """Loads a bundle and shows it to everybody; gives the run's id.

    A bundle that is loaded already is only pointed at. Raises BadBundle, with nothing changed, for
    one that is damaged or of other data, and Unavailable when another writer keeps running.
    """
    say = on_progress or log.info
    say(f"checking {path}")
    bundle = open_bundle(Path(path))
    with one_writer_at_a_time(engine, WAIT_SECONDS):
        clear_debris(engine)
        known = _run_of(engine, bundle.sha256)
        if known is not None and known.state == "loading":
            raise Unavailable(
                f"Run {known.run_id} is still being read and cannot be removed yet; try again when"
                " the backup, or what else reads it, has ended."
            )
        if known is not None and known.state == "ready":
            say(f"already loaded as run {known.run_id}")
            _show(engine, known.run_id, published_by, say)
            return known.run_id
        items, sites = _codes(engine)
        check_rows(bundle, items, sites)
        run_id = _begin(engine, bundle, None if known is None else known.run_id)
        try:
            _load(engine, bundle, run_id, items, sites, say)
        except BadBundle:
            clear_debris(engine)
            raise
        _show(engine, run_id, published_by, say)
        _drop_old_runs(engine)
    return run_id


def point_at(
    run_id: int,
    *,
    engine: Engine,
    published_by: str,
    on_progress: Progress | None = None,
    on_step: derive.OnStep = derive.quietly,
) -> None:
    """Shows a run that is still loaded, an older one for instance. Raises NotFound, Unavailable
    when another writer keeps running, and what `on_step` raises, with nothing changed."""
    with one_writer_at_a_time(engine, WAIT_SECONDS, partial(on_step, derive.WAITING)):
        found = next((one for one in runs(engine) if one.run_id == run_id), None)
        if found is None or found.state != "ready":
            state = "there is no such run" if found is None else f"it is {found.state}"
            raise NotFound(f"Run {run_id} cannot be published: {state}.")
        _show(engine, run_id, published_by, on_progress or log.info, on_step)


# Loading


def _run_of(engine: Engine, sha256: str) -> Row[int, str] | None:
    with engine.connect() as connection:
        return connection.execute(
            select(run.c.run_id, run.c.state).where(run.c.manifest_sha256 == sha256)
        ).one_or_none()


def _codes(engine: Engine) -> tuple[Codes, Codes]:
    with engine.connect() as connection:
        items = connection.execute(text("SELECT sku, item_id FROM core.item"))
        sites = connection.execute(text("SELECT site, site_id FROM core.site"))
        return Codes.of({sku: key for sku, key in items}), Codes.of(
            {site: key for site, key in sites}
        )


def _begin(engine: Engine, bundle: Bundle, dropped_run_id: int | None) -> int:
    """The run's row, in state loading; a run whose data was dropped comes back under its id."""
    manifest = bundle.manifest
    values = {
        "bundle": bundle.path.name,
        "manifest_sha256": bundle.sha256,
        "manifest": bundle.raw,
        "state": "loading",
        "frequency": manifest.frequency,
        "horizon": manifest.horizon,
        "data_from": manifest.dataset.first,
        "data_to": manifest.dataset.last,
        "computed_at": manifest.created_at,
    }
    with engine.begin() as connection:
        if dropped_run_id is not None:
            connection.execute(update(run).where(run.c.run_id == dropped_run_id).values(values))
            return dropped_run_id
        return connection.execute(insert(run).values(values).returning(run.c.run_id)).scalar_one()


def _load(
    engine: Engine, bundle: Bundle, run_id: int, items: Codes, sites: Codes, say: Progress
) -> None:
    for file in bundle.files:
        spec = FILES[file]
        say(f"loading {file}, {bundle.manifest.files[file].rows} rows")
        with engine.begin() as connection:
            partition = _make_partition(connection, spec.table, run_id)
            _copy(connection, partition, bundle, file, run_id, items, sites)
            connection.execute(text(f"ANALYZE {partition}"))
            _attach(connection, spec.table, partition, run_id, file)
    with engine.begin() as connection:
        connection.execute(text(_LAST_PERIOD), {"run_id": run_id})
        if "hierarchy.parquet" in bundle.files:
            check_sums(connection, run_id)


# the dataset's last date may lie inside a period: the run's last known one is before its forecast
_LAST_PERIOD = """
UPDATE analytics.run SET data_to = (
    SELECT (min(date) - CASE run.frequency
        WHEN 'D' THEN interval '1 day' WHEN 'W' THEN interval '7 days' ELSE interval '1 month'
    END)::date
    FROM analytics.forecast WHERE forecast.run_id = :run_id AND model = 'ensemble'
) WHERE run_id = :run_id
"""


def _make_partition(connection: Connection, table: str, run_id: int) -> str:
    """An empty table like its parent that only takes this run's rows, so ATTACH need not look."""
    partition = f"analytics.{table}_r{run_id}"
    connection.execute(
        text(
            f"CREATE TABLE {partition} (LIKE analytics.{table} INCLUDING DEFAULTS,"
            f" CONSTRAINT only_run CHECK (run_id = {run_id}))"
        )
    )
    return partition


def _copy(
    connection: Connection,
    partition: str,
    bundle: Bundle,
    file: str,
    run_id: int,
    items: Codes,
    sites: Codes,
) -> None:
    codes = codes_of(FILES[file], items, sites)
    others = [name for name in FILES[file].columns if name not in codes]
    names = ["run_id", *(_KEYS[name] for name in codes), *others]
    statement = f"COPY {partition} ({', '.join(names)}) FROM STDIN (FORMAT csv)"
    for batch in bundle.batches(file):
        columns = [
            pa.repeat(pa.scalar(run_id, pa.int32()), batch.num_rows),
            *(known.keys_of(batch.column(name)) for name, known in codes.items()),
            *(batch.column(name) for name in others),
        ]
        copy(connection, statement, as_csv(pa.table(columns, names=names)))


def _attach(connection: Connection, table: str, partition: str, run_id: int, file: str) -> None:
    """Attaching builds the parent's indexes, and with them finds a key that comes twice."""
    try:
        connection.execute(
            text(
                f"ALTER TABLE analytics.{table} ATTACH PARTITION {partition}"
                f" FOR VALUES IN ({run_id})"
            )
        )
    except IntegrityError as error:
        found = re.search(r"Key \((.*)\)=\((.*)\) is duplicated", str(error.orig))
        key = f" ({found[1]}) = ({found[2]})" if found else ""
        raise BadBundle(f"{file}: a key comes twice:{key}.") from None
    connection.execute(text(f"ALTER TABLE {partition} DROP CONSTRAINT only_run"))


# Showing


def _show(
    engine: Engine,
    run_id: int,
    published_by: str,
    say: Progress,
    on_step: derive.OnStep = derive.quietly,
) -> None:
    """Views, derived tables, state and pointer change in one transaction."""
    say(f"deriving run {run_id}")
    with engine.begin() as connection:
        load_id = refresh_views(connection)
        derive.derive_run(connection, run_id, on_step)
        on_step(derive.SHOWING)
        connection.execute(update(run).where(run.c.run_id == run_id).values(state="ready"))
        connection.execute(text(_POINT), {"run_id": run_id, "by": published_by})
        note_refreshed(connection, load_id)
    forget_version()
    say(f"run {run_id} is published")


_POINT = f"""
INSERT INTO {published.fullname} AS now (run_id, published_by) VALUES (:run_id, :by)
ON CONFLICT (singleton) DO UPDATE SET
    previous_run_id = CASE WHEN now.run_id = excluded.run_id
        THEN now.previous_run_id ELSE now.run_id END,
    run_id = excluded.run_id, published_by = excluded.published_by, published_at = now()
"""


# Clearing


def clear_debris(engine: Engine) -> None:
    """Removes what a killed or refused publish left: runs in state loading, their partitions. What
    is still being read stays until the next time."""
    with engine.connect() as connection:
        found = connection.execute(select(run.c.run_id).where(run.c.state == "loading")).scalars()
        unfinished = found.all()
    for run_id in unfinished:
        log.warning("run %s is not complete: its rows are removed", run_id)
        _forget_if_unread(engine, run_id)


def _drop_old_runs(engine: Engine) -> None:
    sql = """
        SELECT run_id FROM analytics.run
        WHERE state = 'ready' AND run_id NOT IN (SELECT run_id FROM analytics.published)
        ORDER BY run_id DESC OFFSET :kept
    """
    with engine.connect() as connection:
        old = connection.execute(text(sql), {"kept": KEPT_RUNS - 1}).scalars().all()
    for run_id in old:
        _forget_if_unread(engine, run_id)


def _forget_if_unread(engine: Engine, run_id: int) -> None:
    try:
        _forget(engine, run_id)
    except OperationalError as error:
        log.warning("run %s is still being read, it is removed next time: %s", run_id, error)


def _forget(engine: Engine, run_id: int) -> None:
    """Drops a run's data. Its row stays, in state dropped, as history; a run that was never shown
    leaves none. Killed midway, the run is in state loading and the next publish goes on."""
    with engine.begin() as connection:
        connection.execute(update(run).where(run.c.run_id == run_id).values(state="loading"))
    _drop_partitions(engine, run_id)
    with engine.begin() as connection:
        for table in DERIVED_TABLES:
            connection.execute(
                text(f"DELETE FROM analytics.{table} WHERE run_id = :run_id"), {"run_id": run_id}
            )
        never_shown = (run.c.run_id == run_id) & (run.c.metrics == {})
        connection.execute(delete(run).where(never_shown))
        connection.execute(update(run).where(run.c.run_id == run_id).values(state="dropped"))


def _drop_partitions(engine: Engine, run_id: int) -> None:
    # detaching concurrently: dropping an attached partition would make every reader wait
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in (one.name for one in PER_RUN):
            partition = f"analytics.{table}_r{run_id}"
            pending = connection.execute(text(_PENDING), {"partition": partition}).scalar()
            if pending is not None:
                how = "FINALIZE" if pending else "CONCURRENTLY"
                connection.execute(
                    text(f"ALTER TABLE analytics.{table} DETACH PARTITION {partition} {how}")
                )
            connection.execute(text(f"DROP TABLE IF EXISTS {partition}"))


_PENDING = "SELECT inhdetachpending FROM pg_inherits WHERE inhrelid = to_regclass(:partition)"
