"""The real parts that tests stand on: a home of their own, databases, the served product."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import psycopg2

from config import Settings, get_settings
from scripts.processes import wait_until_served
from warehouse import embedded

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "nova-run-"
TEMPLATE = "nova_template"


def make_home() -> Path:
    """A NOVA_HOME on a short path that the unprivileged account can reach."""
    home = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir="/tmp"))
    home.chmod(0o711)
    return home


def remove_home(home: Path) -> None:
    """Stops the home's services and removes everything that it kept."""
    place = embedded.place(home) or home
    embedded.stop(home)
    for folder in (place, home):
        shutil.rmtree(folder, ignore_errors=True)


def remove_abandoned_homes() -> None:
    """Homes of test runs that were killed before they could clean up.

    Others may be removing them, or their own, at the same time.
    """
    for home in Path("/tmp").glob(f"{PREFIX}*"):
        with suppress(FileNotFoundError):
            if home.stat().st_uid == os.geteuid() and not _owner_lives(home):
                remove_home(home)


def _owner_lives(home: Path) -> bool:
    try:
        os.kill(int(home.name.removeprefix(PREFIX).partition("-")[0]), 0)
    except (OSError, ValueError):
        return False
    return True


def use_environment(**values: str) -> None:
    """Only `values` decide: every other setting is at its default, whatever `.env` says."""
    for field in Settings.model_fields.values():
        default = "" if field.default is None else str(field.default)
        os.environ[str(field.validation_alias)] = default
    os.environ.update(values)
    forget_settings()


def forget_settings() -> None:
    """The next call of get_settings() and get_engine() reads the environment again."""
    from warehouse import db

    get_settings.cache_clear()
    for engine in (db.get_engine, db.get_batch_engine, db._quick_engine):
        engine.cache_clear()


def on_database(url: str, name: str) -> str:
    """The same server's URL with another database."""
    return f"{url.rpartition('/')[0]}/{name}"


def execute(url: str, statement: str) -> None:
    """Runs one statement outside of a transaction."""
    connection = psycopg2.connect(url.replace("+psycopg2", ""))
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connection.close()


def keep_plans(server_url: str) -> None:
    """No plan changes between two queries of a test behind its back: floats add up in one order."""
    execute(server_url, "ALTER SYSTEM SET autovacuum = off")
    execute(server_url, "SELECT pg_reload_conf()")


def spare_the_disk(server_url: str) -> None:
    """Databases are made and dropped by the hundred: none has to outlive this machine."""
    execute(server_url, "ALTER SYSTEM SET fsync = off")
    execute(server_url, "SELECT pg_reload_conf()")


def make_template(server_url: str) -> None:
    """The database that Alembic builds once and every test's database is copied from."""
    from alembic import command
    from alembic.config import Config

    execute(server_url, f"CREATE DATABASE {TEMPLATE}")
    alembic = Config(str(ROOT / "alembic.ini"))
    alembic.set_main_option("sqlalchemy.url", on_database(server_url, TEMPLATE).replace("%", "%%"))
    command.upgrade(alembic, "head")


@contextmanager
def fresh_database(server_url: str, template: str = TEMPLATE) -> Iterator[str]:
    """The URL of a new copy of `template`, dropped at the end."""
    name = f"test_{secrets.token_hex(6)}"
    execute(server_url, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    try:
        yield on_database(server_url, name)
    finally:
        execute(server_url, f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def served(home: Path, database_url: str, redis_url: str | None, **more: str) -> Iterator[str]:
    """The base URL of the product, served by gunicorn with two workers on a free port."""
    with server(home, database_url, redis_url, **more) as (url, _master):
        yield url


class Forked:
    """A process that the fork server made: it has no parent that waits for it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def poll(self) -> int | None:
        """None while it lives; how it ended is not known."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return 0
        return None

    def wait(self, timeout: float) -> int:
        """Returns when it has ended. Raises subprocess.TimeoutExpired."""
        deadline = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("gunicorn", timeout)
            time.sleep(0.02)
        return 0


@contextmanager
def server(
    home: Path, database_url: str, redis_url: str | None, **more: str
) -> Iterator[tuple[str, Forked]]:
    """The same with gunicorn's own process."""
    port = embedded.free_port()
    log = home / f"server-{port}.log"
    environment = os.environ | {
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "NOVA_HOME": str(home),
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url or "",
        **more,
    }
    master = _fork(environment=environment, folder=str(ROOT), log=str(log))
    try:
        wait_until_served(f"http://127.0.0.1:{port}/health", master, log)
        yield f"http://127.0.0.1:{port}", master
    finally:
        end_group(master)


def _fork(**order: object) -> Forked:
    server = _forkserver()
    assert server.stdin is not None and server.stdout is not None
    server.stdin.write(json.dumps(order) + "\n")
    server.stdin.flush()
    return Forked(int(server.stdout.readline()))


@cache
def _forkserver() -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.forkserver"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen(command, cwd=ROOT, text=True, **pipes)  # type: ignore[call-overload]


def close_forkserver() -> None:
    """Ends the fork server, if there is one."""
    if _forkserver.cache_info().currsize:
        with _forkserver():
            _forkserver.cache_clear()


def end_group(process: Forked | subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(timeout=20)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
