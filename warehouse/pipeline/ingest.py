"""The front door of data: a folder of ERP files, or one file, into `core`."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from domain.erp import KINDS
from domain.errors import BadFile, InvalidInput, NovaError
from warehouse.hashing import sha256_of
from warehouse.partitions import month_table, months
from warehouse.pipeline import loads, stage
from warehouse.pipeline.calendar import filled_calendar
from warehouse.pipeline.checks import Checked, Checker
from warehouse.pipeline.chunks import Part
from warehouse.pipeline.demo_rows import (
    NOT_MIXED,
    demo_data_loaded,
    real_data_loaded,
    remove_demo_rows,
)
from warehouse.pipeline.mapping import Source, read_mapping
from warehouse.pipeline.promote import PROMOTIONS, promote, what_is_there
from warehouse.pipeline.report import FileReport, IngestReport, Reject
from warehouse.pipeline.reshape import Reshaper, Shaped
from warehouse.pipeline.sources import (
    data_files,
    kinds_in,
    open_part,
    part_names,
)
from warehouse.pipeline.straight import Straight, can_go_straight

MAPPING = "mapping.toml"
DEMO = "demo.json"
MAX_REJECTS = 0.01
MOST_KEPT = 1_000_000
"""Of what is wrong with the rows of one file or sheet: so much is kept, the rest is counted."""
STATUS_SECONDS = 2.0
ANALYZED_AT_ONCE = 2
ONLY_SINCE = (18,)
"""The first Postgres that knows ANALYZE ONLY."""
DRY_LOAD = 0
NONE_LEFT = "every row is left out by mapping.toml: there is nothing to load"
REPEATED_KEY = "23505"  # SQLSTATE of a unique violation

log = logging.getLogger(__name__)

Progress = Callable[[FileReport], None]
OnRejects = Callable[[str, list[Reject]], None]
OnFile = Callable[[IngestReport], None]


@dataclass(frozen=True)
class _Job:
    """One file to be read as one kind."""

    path: Path
    source: Source

    @cached_property
    def sha256(self) -> str:
        """The hash of the file's bytes."""
        return sha256_of(self.path)


@dataclass(frozen=True)
class _Options:
    """What was asked for. `folder`: the names of the files, if a folder is loaded."""

    engine: Engine
    loaded_by: str
    dry_run: bool
    max_rejects: float
    force: bool
    is_demo: bool
    folder: list[str] | None
    on_progress: Progress | None
    check: Callable[[], None] | None
    on_rejects: OnRejects | None


def ingest(
    path: Path,
    *,
    engine: Engine,
    loaded_by: str,
    mapping: Path | None = None,
    kind: str | None = None,
    dry_run: bool = False,
    max_rejects: float | None = None,
    force: bool = False,
    wait_seconds: float = loads.WAIT_SECONDS,
    on_progress: Progress | None = None,
    check: Callable[[], None] | None = None,
    on_rejects: OnRejects | None = None,
    on_file: OnFile | None = None,
) -> IngestReport:
    """Loads a file, or every ERP file of a folder, all or nothing per file.

    `mapping` is a mapping.toml (default: the one beside the files, if any); `kind` says what an
    oddly named file is. `max_rejects` is the share of bad rows (0–1, default 0.01) up to which a
    file is loaded without them. `force` loads files that have been loaded before. With `dry_run`
    everything is checked and nothing is written. `on_progress` is called with the current file's
    report as its counts grow; `check`, which raises to leave off, while another writer is at work,
    between stretches of a file and before its rows are promoted. `on_rejects` is given what a dry
    run refuses, with the file (and sheet) that it is of; a load keeps that in `staging.reject`.
    `on_file` is given the report as it stands after each file (or sheet).

    A file that cannot be loaded is in the report, with why; the others are loaded. Raises BadFile
    when there is nothing to load, BadMapping, InvalidInput, and Unavailable when another writer
    keeps running for `wait_seconds`. Demo files (a folder with demo.json) are skipped once real
    data is loaded; the first real file removes demo rows.
    """
    started = time.monotonic()
    share = MAX_REJECTS if max_rejects is None else max_rejects
    if not 0 <= share <= 1:
        raise InvalidInput("max_rejects must lie between 0 and 1", fields={"max_rejects": "0–1"})
    report = IngestReport(str(path), dry_run=dry_run)
    jobs = _jobs(path, mapping, kind, report)
    is_demo = _is_demo(path)
    options = _Options(
        engine,
        loaded_by,
        dry_run,
        share,
        force,
        is_demo,
        folder=[job.path.name for job in jobs] if path.is_dir() else None,
        on_progress=on_progress,
        check=check,
        on_rejects=on_rejects,
    )
    with loads.one_writer_at_a_time(engine, wait_seconds, check):
        if not dry_run:
            loads.fail_stopped_loads(engine)
        if is_demo and _has_real_data(engine):
            report.files += [_skipped(job) for job in jobs]
            jobs = []
        for place, job in enumerate(jobs, 1):
            for one in _load_file(job, jobs[place:], options):
                report.files.append(one)
                if on_file:
                    on_file(report)
        _analyze(engine, report)
    report.seconds = time.monotonic() - started
    return report


def _jobs(path: Path, mapping: Path | None, kind: str | None, report: IngestReport) -> list[_Job]:
    """What to load, in the order of the kinds: what is referred to comes first."""
    if kind is not None and kind not in KINDS:
        raise InvalidInput(f"unknown kind {kind!r}: one of {', '.join(KINDS)}")
    files = data_files(path)
    folder = path if path.is_dir() else path.parent
    beside = folder / MAPPING
    mapping = mapping or (beside if beside.is_file() else None)
    sources = read_mapping(mapping) if mapping else []
    jobs = []
    for file in files:
        try:
            found = _sources_of(file, sources, kind)
        except BadFile as error:
            report.files.append(FileReport(file.name, "", state="failed", message=str(error)))
            continue
        jobs += [_Job(file, source) for source in found]
        if not found:
            report.ignored.append(file.name)
    if path.is_dir():
        names = [file.name for file in files]
        unused = (each for each in sources if not any(map(each.matches, names)))
        report.unmatched = [f"{each.file} ({each.kind})" for each in unused]
    if not jobs and not report.files:
        raise BadFile(_nothing(report.ignored), file=path.name or str(path))
    order = list(KINDS)
    return sorted(jobs, key=lambda job: order.index(job.source.kind))


def _sources_of(file: Path, sources: list[Source], kind: str | None) -> list[Source]:
    mapped = [source for source in sources if source.matches(file.name)]
    if kind is not None:
        return [each for each in mapped if each.kind == kind] or [Source(kind)]
    if mapped:
        return mapped
    return [Source(each) for each in kinds_in(file)]


def _nothing(ignored: list[str]) -> str:
    names = f" ({', '.join(ignored[:10])})" if ignored else ""
    return (
        f"holds no ERP file{names}: name files by their kind ({', '.join(KINDS)}),"
        f" as demand.csv, or describe them in {MAPPING}"
    )


def _is_demo(path: Path) -> bool:
    marker = (path if path.is_dir() else path.parent) / DEMO
    return marker.is_file() and json.loads(marker.read_text(encoding="utf-8")).get("demo") is True


def _has_real_data(engine: Engine) -> bool:
    with engine.connect() as connection:
        return real_data_loaded(connection)


def _skipped(job: _Job) -> FileReport:
    return FileReport(job.path.name, job.source.kind, state="skipped", message=NOT_MIXED)


def _load_file(job: _Job, after: list[_Job], options: _Options) -> Iterator[FileReport]:
    """A report for each table of the file; `after` come other files."""
    to_come = [
        f"{one.sha256}{one.source.fingerprint}"
        for one in after
        if one.source.kind == job.source.kind
    ]
    try:
        names = part_names(job.path, job.source)
    except NovaError as error:
        report = FileReport(job.path.name, job.source.kind)
        _guarded(report, job, options, _refused(error))
        yield report
        return
    for name in names:
        report = FileReport(job.path.name, job.source.kind, name)
        before = None
        if not options.force:
            before = loads.already_loaded(
                options.engine,
                job.source,
                report,
                sha256=job.sha256,
                to_come=to_come,
                folder=options.folder,
            )
        if before is not None:
            report.state, report.load_id = "unchanged", before
        else:
            _guarded(report, job, options, _load_part)
        yield report


Work = Callable[[FileReport, _Job, _Options], None]


def _refused(error: NovaError) -> Work:
    def refuse(_report: FileReport, _job: _Job, _options: _Options) -> None:
        raise error

    return refuse


def _guarded(report: FileReport, job: _Job, options: _Options, work: Work) -> None:
    """Does the work between the load's first and last appearance in `staging.load`."""
    started = time.monotonic()
    if not options.dry_run:
        report.load_id = loads.start_load(
            options.engine,
            job.source,
            report,
            sha256=job.sha256,
            loaded_by=options.loaded_by,
            is_demo=options.is_demo,
        )
    try:
        work(report, job, options)
    except (NovaError, DBAPIError) as error:
        report.state, report.message = "failed", _message(error)
        log.warning("load of %s failed: %s", report.source, report.message)
        _show_status(report, options)
    except BaseException as error:
        report.state, report.message = "failed", f"stopped by {type(error).__name__}"
        _show_status(report, options)
        raise
    finally:
        report.seconds = time.monotonic() - started
    _tell(report, options)


def _message(error: Exception) -> str:
    return f"the database refused: {error.orig}" if isinstance(error, DBAPIError) else str(error)


def _check(options: _Options) -> None:
    if options.check:
        options.check()


def _tell(report: FileReport, options: _Options) -> None:
    if options.on_progress:
        options.on_progress(report)


def _show_status(report: FileReport, options: _Options) -> None:
    if report.load_id is not None:
        with options.engine.begin() as connection:
            loads.record(connection, report)


def _load_part(report: FileReport, job: _Job, options: _Options) -> None:
    """By the short way; by way of staging, which can tell lines of the same key, where that way is
    barred or has met such."""
    if _may_go_straight(job, options):
        try:
            _load_rows(report, job, options, straight=True)
        except DBAPIError as error:
            if getattr(error.orig, "pgcode", None) != REPEATED_KEY:
                raise
            report.begin_again()
        else:
            return
    _load_rows(report, job, options, straight=False)


def _may_go_straight(job: _Job, options: _Options) -> bool:
    source = job.source
    if options.dry_run or source.on_duplicate != "reject" or not can_go_straight(source.kind):
        return False
    with options.engine.connect() as connection:
        return options.is_demo or not demo_data_loaded(connection)


def _load_rows(report: FileReport, job: _Job, options: _Options, *, straight: bool) -> None:
    part = open_part(job.path, job.source, report.part)
    reshaper = Reshaper(job.source, part)
    checker = Checker(job.source, reshaper, file=part.file, decimal=part.decimal)
    with options.engine.connect() as connection:
        transaction = connection.begin()
        _prepare(connection)
        stage.empty_stage(connection, job.source.kind)
        ahead = None
        if straight and report.load_id is not None:
            ahead = Straight(connection, report.kind, report.load_id)
        load = _Load(connection, report, job.source, reshaper, checker, options, ahead)
        _stage_rows(load, part)
        load.staged_span = stage.staged_dates(connection, report.kind)
        report.date_from, report.date_to = _whole_span(load)
        _settle_duplicates(load)
        _store_rest(load)
        _check(options)
        _decide(load)
        if options.dry_run:
            transaction.rollback()
        else:
            stage.empty_stage(connection, report.kind)
            loads.record(connection, report)
            transaction.commit()


@dataclass
class _Load:
    """One part on its way. `ahead` takes the rows that need no staging, if any may;
    `staged_span` holds the first and last day of the others; `told` counts what was found wrong."""

    connection: Connection
    report: FileReport
    source: Source
    reshaper: Reshaper
    checker: Checker
    options: _Options
    ahead: Straight | None
    staged_span: tuple[date | None, date | None] = (None, None)
    told: int = 0


def _whole_span(load: _Load) -> tuple[date | None, date | None]:
    ends = [load.staged_span]
    if load.ahead is not None:
        ends.append((load.ahead.first, load.ahead.last))
    firsts = [first for first, _ in ends if first is not None]
    lasts = [last for _, last in ends if last is not None]
    return min(firsts, default=None), max(lasts, default=None)


def _prepare(connection: Connection) -> None:
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    # a backup reads the raw tables to its end, and is waited for
    connection.execute(text("SET LOCAL lock_timeout = 0"))
    connection.execute(text("SET LOCAL work_mem = '128MB'"))
    # a killed loader's statement must not go on behind the back of the next load
    connection.execute(text("SET LOCAL client_connection_check_interval = '1s'"))


def _stage_rows(load: _Load, part: Part) -> None:
    shown, report = time.monotonic(), load.report
    with _Writer() as writer:
        for chunk in part.chunks():
            for shaped in load.reshaper.shape(chunk):
                checked = load.checker.check(shaped)
                _count(report, shaped, checked)
                writer.write(_store, load, checked)
            _tell(report, load.options)
            _check(load.options)
            if time.monotonic() - shown > STATUS_SECONDS:
                _show_status(report, load.options)
                shown = time.monotonic()
    if not report.read:
        raise BadFile("has a header and no rows", file=report.source)


class _Writer:
    """Lets Postgres take in one stretch of rows while the next is read and checked."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._last: Future[None] | None = None

    def __enter__(self) -> _Writer:
        return self

    def write(self, work: Callable[..., None], *values: object) -> None:
        """Waits for the stretch before, then starts; raises what that one raised."""
        self._settle()
        self._last = self._thread.submit(work, *values)

    def __exit__(self, kind: type[BaseException] | None, *_details: object) -> None:
        try:
            if kind is None:
                self._settle()
        finally:
            self._thread.shutdown()

    def _settle(self) -> None:
        if self._last is not None:
            self._last.result()


def _count(report: FileReport, shaped: Shaped, checked: Checked) -> None:
    report.read += shaped.read + len(shaped.broken)
    report.accepted += checked.table.num_rows
    report.filtered += sum(shaped.dropped.values())
    report.dropped.update(shaped.dropped)
    report.notes.update(checked.notes)
    report.rejected += checked.rejected
    report.keep_first(checked.rejects)


def _store(load: _Load, checked: Checked) -> None:
    rows = checked.table
    if load.ahead is not None and rows.num_rows:
        rows = load.ahead.take(rows)
    load.checker.gather_codes(rows)
    stage.copy_rows(load.connection, load.report.kind, load.report.load_id or DRY_LOAD, rows)
    _store_rejects(load, checked.rejects)


def _store_rejects(load: _Load, rejects: list[Reject]) -> None:
    room = max(MOST_KEPT - load.told, 0)
    load.told += len(rejects)
    _keep(load, rejects[:room])


def _store_rest(load: _Load) -> None:
    """Says how much more was found wrong than is kept."""
    if load.told > MOST_KEPT:
        _keep(load, [Reject(None, None, None, f"and {load.told - MOST_KEPT:,} more")])


def _keep(load: _Load, rejects: list[Reject]) -> None:
    report, tell = load.report, load.options.on_rejects
    if report.load_id is not None:
        stage.copy_rejects(load.connection, report.load_id, report.source, rejects)
    elif tell and rejects:
        tell(report.source, rejects)


def _settle_duplicates(load: _Load) -> None:
    kind, connection, checker = KINDS[load.source.kind], load.connection, load.checker
    report = load.report
    if not stage.has_duplicates(connection, kind, checker.staged):
        return
    if load.source.on_duplicate == "reject":
        again = stage.refuse_duplicates(connection, kind, checker.staged, load.reshaper.origin)
        checker.forget_codes()
        report.accepted -= len(again)
        report.rejected += len(again)
        report.keep_first(again)
        _store_rejects(load, again)
        return
    merged = stage.merge_duplicates(connection, kind, checker.staged, load.source.on_duplicate)
    checker.forget_codes()
    report.accepted -= merged
    report.merged += merged


def _decide(load: _Load) -> None:
    report, options, ahead = load.report, load.options, load.ahead
    report.quantity = stage.staged_quantity(load.connection, report.kind)
    if ahead is not None and ahead.rows and report.kind == "demand":
        report.quantity = (report.quantity or 0.0) + ahead.quantity
    if _too_many_rejects(report, options):
        if ahead is not None:
            ahead.undo()
        return
    counts = what_is_there(load.connection, report.kind, load.checker.staged)
    report.superseded, report.repeated = counts
    if report.filtered == report.read:
        report.message = NONE_LEFT
    if options.dry_run:
        report.state = "dry-run"
    else:
        _promote(load)
        report.state = "accepted"


def _too_many_rejects(report: FileReport, options: _Options) -> bool:
    if report.rejected <= options.max_rejects * report.read:
        return False
    share = report.rejected / report.read
    report.state = "rejected"
    report.message = (
        f"{report.rejected:,} of {report.read:,} rows are bad ({share:.1%}), more than"
        f" {options.max_rejects:.1%}: nothing was loaded"
    )
    return True


def _promote(load: _Load) -> None:
    report, connection = load.report, load.connection
    assert report.load_id is not None
    if not load.options.is_demo:
        remove_demo_rows(connection)
    first, last = report.date_from, report.date_to
    with filled_calendar(connection, first, last) if first and last else nullcontext():
        if load.ahead is not None:
            load.ahead.attach()
        promote(
            connection,
            report.kind,
            report.load_id,
            staged=load.checker.staged,
            first=load.staged_span[0],
            last=load.staged_span[1],
            codes=load.checker.codes,
        )


def _analyze(engine: Engine, report: IngestReport) -> None:
    """Fresh statistics for what was loaded: nothing else gathers those of partitioned tables."""

    def gather(what: str) -> None:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"ANALYZE {what}"))

    with engine.connect() as connection:
        loaded = (file for file in report.files if file.state == "accepted")
        wanted = {what for file in loaded for what in _to_analyze(connection, file)}
    with ThreadPoolExecutor(ANALYZED_AT_ONCE) as threads:
        list(threads.map(gather, sorted(wanted)))


def _to_analyze(connection: Connection, file: FileReport) -> list[str]:
    """The table that the file was loaded into; of one by months the file's months, where Postgres
    can gather the statistics of the whole without those of every part."""
    plan = PROMOTIONS[file.kind]
    table = f"core.{plan.target}"
    knows_only = (connection.dialect.server_version_info or (0,)) >= ONLY_SINCE
    if not (plan.month_column and file.date_from and file.date_to and knows_only):
        return [table]
    named = [month_table(table, start) for start, _ in months(file.date_from, file.date_to)]
    there = "SELECT name FROM unnest(CAST(:names AS text[])) AS name WHERE to_regclass(name) > 0"
    return [f"ONLY {table}", *connection.execute(text(there), {"names": named}).scalars()]
