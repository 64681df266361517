"""The `flask` commands: thin doors to loading, publishing and accounts.

They stand on a bare Flask app: no pages are built for a command. What the caller can
mend is one line on stderr and exit code 1.
"""

from __future__ import annotations

import getpass
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click
from flask import Flask
from flask.cli import AppGroup
from sqlalchemy.exc import DBAPIError

from config import SettingsError, get_settings
from domain import clock
from domain.access import Role, Scope
from domain.erp import UFS as EVERY_UF
from domain.errors import InvalidInput, NovaError, Unavailable, WeakPassword
from warehouse.connectors.rows import SOURCES

R = TypeVar("R")

log = logging.getLogger(__name__)

app = Flask("nova-corrente", static_folder=None)
runs = AppGroup("runs", help="Published runs: list, show, publish an older one.")
jobs = AppGroup("jobs", help="Work asked for on the pages; the server starts it.")
drivers = AppGroup("drivers", help="Outside drivers: fetch.")
recommendations = AppGroup("recommendations", help="Recommendations: narrate.")
audit_log = AppGroup("audit", help="The audit log: verify, retain.")
staging = AppGroup("staging", help="What was refused of loaded files: retain.")
users = AppGroup("users", help="Accounts: create, list, roles, scopes, passwords, sessions.")

NARRATED = 100
"""Recommendations that a publish lets the model word, if there is one."""

MONTH = click.DateTime(formats=["%Y-%m"])

ROLE = click.Choice([str(role) for role in Role])
PASSWORD = click.option(
    "--password", envvar="NOVA_USER_PASSWORD", help="Asked for, or made and printed, if not given."
)


UFS = click.option("--uf", "ufs", multiple=True, help="Only this UF; may be repeated.")
DAY = click.DateTime(["%Y-%m-%d"])
CONTRACTS = click.option(
    "--contract", "contracts", multiple=True, help="Only this contract; may be repeated."
)


def command(group: Any, name: str) -> Callable[[Callable[..., R]], Any]:
    """A command of `group` whose known failures are one line and exit code 1."""

    def decorate(function: Callable[..., R]) -> Any:
        @wraps(function)
        def guarded(*args: Any, **kwargs: Any) -> R:
            try:
                return function(*args, **kwargs)
            except (NovaError, SettingsError, OSError) as error:
                raise click.ClickException(" ".join(str(error).split())) from None
            except DBAPIError as error:
                raise click.ClickException(_database_line(error)) from None

        return group.command(name, with_appcontext=False)(guarded)

    return decorate


# Loading


@command(app.cli, "ingest")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--mapping", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--kind", help="What an oddly named file is, `demand` for instance.")
@click.option("--dry-run", is_flag=True, help="Check everything, write nothing.")
@click.option("--force", is_flag=True, help="Load files that have been loaded before.")
@click.option("--max-rejects", type=float, help="Share of bad rows to tolerate, 0 to 1.")
def ingest(path: Path, dry_run: bool, **options: Any) -> None:
    """Load an ERP file, or every ERP file of a folder."""
    from warehouse.db import get_batch_engine
    from warehouse.pipeline.ingest import ingest as load
    from warehouse.pipeline.report import render_report
    from warehouse.pipeline.views import refresh_needed

    engine = get_batch_engine()
    with _recorded(engine, "load.dry_run" if dry_run else "load", str(path)) as outcome:
        report = load(path, engine=engine, loaded_by=_actor(), dry_run=dry_run, **options)
        outcome["files"] = {file.source: file.state for file in report.files}
    click.echo(render_report(report))
    if report.changed or (not dry_run and refresh_needed(engine)):
        from warehouse.pipeline.derive import refresh_after_load

        refresh_after_load(engine)
    if not report.ok:
        raise click.exceptions.Exit(1)


@command(app.cli, "demo-data")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def demo_data(folder: Path) -> None:
    """Write realistic ERP files of a company that does not exist."""
    from warehouse import demo

    demo.write_demo(folder)
    click.echo(f"demo files are in {folder}")


@command(drivers, "fetch")
@click.argument("folder", required=False, type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--source", "sources", type=click.Choice(SOURCES), multiple=True, help="Only this one."
)
@click.option("--uf", "ufs", type=click.Choice(EVERY_UF), multiple=True, help="Only this UF.")
@click.option("--from", "first", type=DAY, help="First day; else that of the demand.")
@click.option("--to", "last", type=DAY, help="Last day; else today, of holidays next year's end.")
@click.option("--fresh", is_flag=True, help="Ask again, whatever answers are kept.")
def fetch_drivers(
    folder: Path | None,
    sources: tuple[str, ...],
    ufs: tuple[str, ...],
    first: datetime | None,
    last: datetime | None,
    fresh: bool,
) -> None:
    """Fetch interest, inflation, the dollar, unemployment, weather and holidays from the public
    APIs into files that `flask ingest` loads; FOLDER is NOVA_HOME/drivers, if not given."""
    from warehouse.connectors.fetch import fetch
    from warehouse.db import get_batch_engine
    from warehouse.queries import driver_places

    settings = get_settings()
    place = folder or settings.home / "drivers"
    with get_batch_engine().connect() as connection:
        asked = driver_places.asked(
            connection,
            today=clock.today(),
            first=first.date() if first else None,
            last=last.date() if last else None,
            ufs=ufs,
        )
    found = fetch(place, asked, settings, sources=sources or SOURCES, is_fresh=fresh)
    failed = [one for one in found if not _said(one)]
    click.echo(f"to load them: flask ingest {place}")
    if failed:
        raise click.exceptions.Exit(1)


# Publishing


@command(app.cli, "publish")
@click.argument("bundle", type=click.Path(exists=True, file_okay=False, path_type=Path))
def publish(bundle: Path) -> None:
    """Check a results bundle, load it and show it to everybody."""
    from warehouse.db import get_batch_engine
    from warehouse.pipeline.publish import publish_bundle

    engine = get_batch_engine()
    _bind_cache()
    with _recorded(engine, "publish", f"bundle:{bundle.name}") as outcome:
        run_id = publish_bundle(
            bundle, engine=engine, published_by=_actor(), on_progress=click.echo
        )
        outcome["run_id"] = run_id
    click.echo(f"published run {run_id}")
    _warm_up()
    if get_settings().llm_base_url:
        click.echo(_narrated(NARRATED))


@command(recommendations, "narrate")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
def narrate_recommendations(limit: int) -> None:
    """Let the model at LLM_BASE_URL word the most valuable ones; every number is checked."""
    if not get_settings().llm_base_url:
        raise InvalidInput("LLM_BASE_URL is not set: recommendations keep the template's words.")
    click.echo(_narrated(limit))


@command(app.cli, "send-reports")
def send_reports() -> None:
    """Send the board packs that are due by e-mail, once each; exit 1 if one was not taken."""
    from dashboard.sending import send_due
    from warehouse.db import get_engine

    states = []
    for taken, outcome in send_due(get_engine(), get_settings()):
        states.append(outcome.state)
        said = f": {outcome.message}" if outcome.message else ""
        click.echo(f"delivery {taken.delivery_id}: {outcome.state}{said}")
    click.echo(f"{states.count('sent')} of {len(states)} sent")
    if any(state in ("queued", "failed", "refused") for state in states):
        raise click.exceptions.Exit(1)


@command(runs, "list")
def list_runs() -> None:
    """All runs, newest first; the published one has a star."""
    from warehouse.db import get_batch_engine
    from warehouse.queries.runs import runs as loaded_runs

    for run in loaded_runs(get_batch_engine()):
        click.echo(_run_line(run))


@command(runs, "show")
@click.argument("run_id", type=int)
def show_run(run_id: int) -> None:
    """Everything about one run."""
    from warehouse.db import get_batch_engine
    from warehouse.queries.runs import runs as loaded_runs

    found = next((r for r in loaded_runs(get_batch_engine()) if r.run_id == run_id), None)
    if found is None:
        raise click.ClickException(f"There is no run {run_id}.")
    for name, value in vars(found).items():
        click.echo(f"{name:<16}{'—' if value is None else value}")


@command(runs, "publish")
@click.argument("run_id", type=int)
def publish_run(run_id: int) -> None:
    """Show a run that is still loaded, an older one for instance."""
    from warehouse.db import get_batch_engine
    from warehouse.pipeline.publish import point_at

    engine = get_batch_engine()
    _bind_cache()
    with _recorded(engine, "publish", f"run:{run_id}"):
        point_at(run_id, engine=engine, published_by=_actor(), on_progress=click.echo)
    click.echo(f"published run {run_id}")
    _warm_up()


def _bind_cache() -> None:
    """This process writes for those that share the cache, and tells them so."""
    from dashboard import extensions

    extensions.bind_cache(app, get_settings())


def _warm_up() -> None:
    """What fails here is no failure of what was done: the first readers wait then."""
    from dashboard.warming import warm_up

    try:
        warm_up()
    except Unavailable as error:
        log.warning("the cache is not warm: %s", error)


@command(runs, "needed")
def training_is_needed() -> None:
    """Say whether the data is newer than the published run: yes (exit 0) or no (exit 1)."""
    from warehouse.db import get_batch_engine
    from warehouse.queries.runs import training_needed

    needed = training_needed(get_batch_engine())
    click.echo("yes" if needed else "no")
    if not needed:
        raise click.exceptions.Exit(1)


# Backups


@command(app.cli, "backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup_database(file: Path) -> None:
    """Write the whole database to FILE."""
    from warehouse.backup import backup
    from warehouse.db import database_url, get_batch_engine

    with _recorded(get_batch_engine(), "backup", file.name) as outcome:
        backup(database_url(owner=True), file)
        outcome["bytes"] = file.stat().st_size
    click.echo(f"{file}: {outcome['bytes']} bytes")


@command(app.cli, "restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore_database(file: Path) -> None:
    """Fill an empty database from a backup."""
    from warehouse.backup import restore
    from warehouse.db import get_batch_engine

    engine = get_batch_engine()
    revision = restore(engine, file)
    _audit(engine, "restore", file.name, {"schema_revision": revision})
    click.echo(f"restored {file} at schema revision {revision}; next: alembic upgrade head")


# The archive


@command(app.cli, "archive")
@click.argument("months", nargs=-1, type=MONTH)
@click.option("--before", type=MONTH, help="Every month before this one.")
@click.option("--unneeded", is_flag=True, help="Every month before the last NOVA_HISTORY_MONTHS.")
def archive_months(months: tuple[datetime, ...], before: datetime | None, unneeded: bool) -> None:
    """Move whole MONTHS (2023-01) of demand, stock, readings and tower figures into files; without
    any, list what is archived."""
    from warehouse.archive import archive, away
    from warehouse.db import get_batch_engine

    engine, settings = get_batch_engine(), get_settings()
    if not (months or before or unneeded):
        with engine.connect() as connection:
            for table, month in away(connection):
                click.echo(f"{month:%Y-%m} {table}")
        return
    asked = [f"{one:%Y-%m}" for one in months] + ([f"before {before:%Y-%m}"] if before else [])
    asked += ["unneeded"] if unneeded else []
    with _recorded(engine, "archive", ", ".join(asked)) as outcome:
        done = archive(
            engine,
            archive_folder(),
            months=[month.date() for month in months],
            before=before.date() if before else None,
            unneeded=unneeded,
            history_months=settings.history_months,
        )
        outcome["rows"] = {f"{one.month} {one.table}": one.rows for one in done}
    _tell_moved("archived", done)


@command(app.cli, "restore-archive")
@click.argument("months", nargs=-1, type=MONTH)
def restore_months(months: tuple[datetime, ...]) -> None:
    """Bring archived MONTHS (2023-01) back, all of them by default."""
    from warehouse.archive import restore
    from warehouse.db import get_batch_engine

    engine = get_batch_engine()
    asked = ", ".join(f"{one:%Y-%m}" for one in months) or "all"
    with _recorded(engine, "archive.restore", asked) as outcome:
        done = restore(engine, archive_folder(), months=[month.date() for month in months])
        outcome["rows"] = {f"{one.month} {one.table}": one.rows for one in done}
    _tell_moved("restored", done)


def archive_folder() -> Path:
    """Where archived months lie."""
    settings = get_settings()
    return settings.archive_dir or settings.home / "archive"


def _tell_moved(word: str, done: list[Any]) -> None:
    """One line a month and table; pages are brought up to date where they are not, as after a
    killed call."""
    from warehouse.db import get_batch_engine
    from warehouse.pipeline.derive import derive_load

    for one in done:
        click.echo(f"{word} {one.month} {one.table}: {one.rows} rows")
    derive_load(get_batch_engine())
    if not done:
        click.echo(f"nothing to be {word}")


# Jobs


@command(jobs, "run")
@click.argument("job_id", type=int)
def run_one_job(job_id: int) -> None:
    """Do a job that is queued; how it ends stands in its row."""
    from dashboard.observability import log_as_json
    from warehouse.db import get_batch_engine
    from warehouse.pipeline.jobs import run_job
    from warehouse.queries import jobs as asked

    log_as_json(logging.WARNING, request_id=asked.asked_by(job_id))
    _bind_cache()
    done = run_job(job_id, engine=get_batch_engine())
    click.echo(f"job {job_id}: {'done' if done else 'not done'}")
    if done and asked.one(job_id).kind == "publish":
        _warm_up()


# Accounts


@command(users, "list")
def list_users() -> None:
    """All accounts."""
    from warehouse.db import get_engine
    from warehouse.queries.users import everyone

    with get_engine().connect() as connection:
        for row in everyone(connection):
            state = "active" if row.active else "disabled"
            click.echo(f"{row.email}\t{row.role}\t{state}\t{row.name}")


@command(users, "create")
@click.argument("email")
@click.option("--role", type=ROLE, default=str(Role.VIEWER), show_default=True)
@click.option("--name", default="")
@UFS
@CONTRACTS
@PASSWORD
def create_user(
    email: str,
    role: str,
    name: str,
    ufs: tuple[str, ...],
    contracts: tuple[str, ...],
    password: str | None,
) -> None:
    """Make an account; a password that is made here is printed once and must be changed."""
    from auth import passwords
    from warehouse.commands import users as commands
    from warehouse.db import get_engine

    chosen = password or passwords.generated()
    commands.create(
        get_engine(),
        email=email,
        name=name,
        role=Role(role),
        password_hash=passwords.hash_password(chosen, (name, email)),
        actor=_as_actor(),
        scope=Scope(ufs=ufs, contracts=contracts),
        must_change_password=password is None,
    )
    click.echo(email if password else f"{email}\t{chosen}")


@command(users, "ensure-admin")
def ensure_admin() -> None:
    """Make the first administrator if there is no account: e-mail, tab, password."""
    from auth import passwords
    from warehouse.commands import users as commands
    from warehouse.db import get_engine
    from warehouse.queries.users import exist

    settings, engine = get_settings(), get_engine()
    if exist(engine):
        return
    chosen = settings.admin_password or passwords.generated()
    try:
        password_hash = passwords.hash_password(chosen, (settings.admin_email,))
    except WeakPassword as weak:
        raise InvalidInput(f"NOVA_ADMIN_PASSWORD: {weak}") from None
    made = commands.create_first(engine, email=settings.admin_email, password_hash=password_hash)
    if made:
        known = settings.admin_password is not None
        click.echo(settings.admin_email if known else f"{settings.admin_email}\t{chosen}")


@command(users, "set-role")
@click.argument("email")
@click.argument("role", type=ROLE)
def set_role(email: str, role: str) -> None:
    """Give an account another role; its sessions end."""
    from warehouse.commands import users as commands
    from warehouse.db import get_engine

    commands.set_role(get_engine(), email=email, role=Role(role), actor=_as_actor())


@command(users, "set-scope")
@click.argument("email")
@UFS
@CONTRACTS
def set_scope(email: str, ufs: tuple[str, ...], contracts: tuple[str, ...]) -> None:
    """Let an account see these UFs and contracts only, or everything; its sessions end."""
    from warehouse.commands import users as commands
    from warehouse.db import get_engine

    changes = commands.Changes(ufs=ufs, contracts=contracts)
    commands.change(get_engine(), email, changes, actor=_as_actor())


@command(users, "rename")
@click.argument("email")
@click.argument("name")
def rename(email: str, name: str) -> None:
    """Give an account another name."""
    from warehouse.commands import users as commands
    from warehouse.db import get_engine

    commands.change(get_engine(), email, commands.Changes(name=name), actor=_as_actor())


@command(users, "set-email")
@click.argument("email")
@click.argument("new")
def set_email(email: str, new: str) -> None:
    """Give an account the address NEW; its sessions end."""
    from warehouse.commands import privacy
    from warehouse.db import get_batch_engine

    privacy.set_email(get_batch_engine(), email, new, actor=_as_actor())


@command(users, "unlink")
@click.argument("email")
def unlink(email: str) -> None:
    """Let somebody else at the sign-in service have an account by its address; sessions end."""
    from warehouse.commands import subjects
    from warehouse.db import get_batch_engine

    subjects.unlink(get_batch_engine(), email, actor=_as_actor())


@command(users, "reset")
@click.argument("email")
def reset(email: str) -> None:
    """Print a link (its path) with which the owner sets a new password once, within 24 hours."""
    from auth import resets
    from warehouse.db import get_engine

    click.echo(resets.make(get_engine(), email, actor=_as_actor()).path)


@command(users, "end-sessions")
@click.argument("email")
def end_sessions(email: str) -> None:
    """Sign an account out of every browser and program."""
    from warehouse.commands import users as commands
    from warehouse.db import get_engine

    commands.end_sessions(get_engine(), email, actor=_as_actor())


@command(users, "disable")
@click.argument("email")
def disable(email: str) -> None:
    """Shut an account out at once."""
    from warehouse.commands import users as commands
    from warehouse.db import get_engine

    commands.set_active(get_engine(), email=email, active=False, actor=_as_actor())


@command(users, "enable")
@click.argument("email")
def enable(email: str) -> None:
    """Let a disabled account in again."""
    from warehouse.commands import users as commands
    from warehouse.db import get_engine

    commands.set_active(get_engine(), email=email, active=True, actor=_as_actor())


@command(users, "set-password")
@click.argument("email")
@PASSWORD
def set_password(email: str, password: str | None) -> None:
    """Give an account another password; its sessions end."""
    from auth import passwords
    from warehouse.commands import users as commands
    from warehouse.db import get_engine

    chosen = password or passwords.generated()
    commands.set_password(
        get_engine(),
        email=email,
        password_hash=passwords.hash_password(chosen, (email,)),
        actor=_as_actor(),
        must_change=password is None,
    )
    if password is None:
        click.echo(f"{email}\t{chosen}")


@command(users, "export")
@click.argument("email")
def export_user(email: str) -> None:
    """Print everything that is held about a person, as JSON; leaves its audit row."""
    import json

    from warehouse.db import get_batch_engine
    from warehouse.queries.privacy import held

    engine = get_batch_engine()
    with engine.connect() as connection:
        found = held(connection, email)
    whose = found["account"][0]["email"]
    _audit(
        engine, "user.export", f"user:{whose}", {kind: len(rows) for kind, rows in found.items()}
    )
    click.echo(json.dumps(found, ensure_ascii=False, indent=2))


@command(users, "anonymise")
@click.argument("email")
@click.confirmation_option(prompt="The account and every trace of its name will be erased. Go on?")
def anonymise_user(email: str) -> None:
    """Erase a person; what they did stays, under another name."""
    from auth import passwords
    from warehouse.commands.privacy import anonymise
    from warehouse.db import get_batch_engine

    nobodys = passwords.hash_password(passwords.generated())
    click.echo(anonymise(get_batch_engine(), email, unusable_hash=nobodys, actor=_as_actor()))


# The audit log


@command(audit_log, "verify")
def verify_audit_log() -> None:
    """Say whether the audit log is whole; exit 1 and the first row that is not."""
    from warehouse.db import get_batch_engine
    from warehouse.queries.chain import verify

    with get_batch_engine().connect() as connection:
        chain = verify(connection)
    extent = f"{chain.rows} rows, {chain.first_at} to {chain.last_at}, {chain.erased} erased"
    click.echo(f"{extent}\nseal {chain.last_id}:{chain.seal}")
    if not chain.is_whole:
        raise click.ClickException(f"row {chain.at_id} is not whole: {chain.problem}")


@command(audit_log, "retain")
def retain_audit_log() -> None:
    """Drop the months of the audit log that are past NOVA_AUDIT_MONTHS."""
    from warehouse.commands.retention import drop_old_months
    from warehouse.db import get_batch_engine

    dropped = drop_old_months(
        get_batch_engine(),
        kept=get_settings().audit_months,
        today=datetime.now(UTC).date(),
        actor=_as_actor(),
    )
    for month in dropped:
        click.echo(f"dropped {month:%Y-%m}")


# Staging


@command(staging, "retain")
def retain_staging() -> None:
    """Delete the refused rows of loads that are past NOVA_STAGING_MONTHS."""
    from warehouse.commands.retention import drop_old_rejects
    from warehouse.db import get_batch_engine

    gone = drop_old_rejects(
        get_batch_engine(),
        kept=get_settings().staging_months,
        today=datetime.now(UTC).date(),
        actor=_as_actor(),
    )
    click.echo(f"deleted {gone} refused rows")


app.cli.add_command(runs)
app.cli.add_command(staging)
app.cli.add_command(drivers)
app.cli.add_command(recommendations)
app.cli.add_command(jobs)
app.cli.add_command(users)
app.cli.add_command(audit_log)


def _said(outcome: Any) -> bool:
    """One line on a source of drivers; whether it gave something."""
    if outcome.failure is None:
        days = f"{outcome.first} to {outcome.last}"
        names = ", ".join(outcome.drivers)
        click.echo(f"{outcome.source}: {outcome.rows} rows ({names}), {days}, in {outcome.file}")
        return True
    stays = f" {outcome.file} of {outcome.earlier} stays." if outcome.earlier else ""
    click.echo(f"{outcome.source}: {outcome.failure}{stays}", err=True)
    return False


def _narrated(limit: int) -> str:
    """Words the recommendations of the published run; gives a line on what came of it."""
    from warehouse.db import get_batch_engine
    from warehouse.llm import ChatModel
    from warehouse.pipeline.narrating import narrate

    settings = get_settings()
    model = ChatModel(
        settings.llm_base_url or "",
        settings.llm_model or "",
        settings.llm_api_key,
        timeout=settings.llm_timeout,
    )
    engine = get_batch_engine()
    with _recorded(engine, "recommendation.narrate", f"model:{model.model}") as outcome:
        done = narrate(engine, model, limit=limit)
        outcome.update(vars(done))
    parts = [f"narratives: {done.published} by the model", _counted("refused", done.refused)]
    parts.append(_counted("no answer", done.unanswered) + (", given up" if done.gave_up else ""))
    kept = "; the others keep the template's words" if done.refused or done.unanswered else ""
    return ", ".join(parts) + kept


def _counted(what: str, reasons: dict[str, int]) -> str:
    told = ", ".join(f"{why}: {count}" for why, count in sorted(reasons.items()))
    return f"{what} {sum(reasons.values())}" + (f" ({told})" if told else "")


def _actor() -> str:
    """Who types the command, in the logs' words."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return f"cli:{os.getuid()}"


def _as_actor() -> Any:
    from warehouse.commands.users import Actor

    return Actor(name=_actor())


@contextmanager
def _recorded(engine: Any, action: str, what: str) -> Iterator[dict[str, Any]]:
    """One audit row for what is tried here, refused or done; the body fills in what came of it."""
    outcome: dict[str, Any] = {}
    try:
        yield outcome
    except NovaError as error:
        _audit(engine, f"{action}.refused", what, {"reason": str(error)})
        raise
    _audit(engine, action, what, outcome)


def _audit(engine: Any, action: str, what: str, after: dict[str, Any]) -> None:
    from warehouse.commands import audit

    with engine.begin() as connection:
        audit.record(connection, actor=_actor(), action=action, object=what, after=after)


def _run_line(run: Any) -> str:
    star = "*" if run.is_published else " "
    wape = "—" if run.wape is None else f"{run.wape:.3f}"
    trained = f"{run.series_trained}/{run.series_total}"
    return (
        f"{star} {run.run_id:>4}  {run.state:<8} {run.frequency} {run.data_from}…{run.data_to}"
        f"  series {trained}  WAPE {wape}  {run.bundle}"
    )


def _database_line(error: DBAPIError) -> str:
    """The database's own first line; a missing table means a missing migration."""
    text = str(error.orig).strip().partition("\n")[0]
    if "does not exist" in text:
        return f"{text}: is the schema up to date? (alembic upgrade head)"
    return f"The database says: {text}"
