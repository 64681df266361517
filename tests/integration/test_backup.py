"""`flask backup` and `flask restore`: an empty server holds the same afterwards, row by row."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, text

from domain.access import Scope
from tests import factories, services
from warehouse import caching, embedded
from warehouse.commands import alerts as commands
from warehouse.commands.users import Actor
from warehouse.db import make_engine
from warehouse.pipeline import derive
from warehouse.pipeline.publish import publish_bundle
from warehouse.queries import alerts
from warehouse.queries.chain import verify

TABLES = """
SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
WHERE schemaname IN ('staging', 'core', 'analytics', 'support') ORDER BY 1
"""


@pytest.fixture
def filled(engine: Engine, tmp_path: Path) -> Engine:
    """A published run, people and a few audit rows."""
    network = factories.make_network(engine)
    factories.add_demand(engine, network)
    factories.add_stock(engine, network, {("CABO-01", "DEP-SP"): 200.0})
    derive.refresh_after_load(engine)
    bundle = factories.make_bundle(tmp_path / "bundles", engine)
    publish_bundle(bundle, engine=engine, published_by="tests")
    return engine


COMMAND = (sys.executable, "-m", "flask", "--app", "dashboard.cli")


def flask(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=services.ROOT,
        env=os.environ | {"DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def contents(url: str) -> dict[str, str]:
    """A digest of each table's rows."""
    engine = make_engine(url)
    with engine.connect() as connection:
        names = connection.execute(text(TABLES)).scalars().all()
        digest = "SELECT md5(coalesce(string_agg(md5(t::text), '' ORDER BY t::text), '')) FROM {} t"
        found = {name: connection.execute(text(digest.format(name))).scalar_one() for name in names}
    engine.dispose()
    return found


@pytest.fixture
def new_server() -> Iterator[str]:
    """The URL of the empty database of a server that has never heard of us."""
    home = services.make_home()
    url = embedded.ensure_postgres(home)
    services.spare_the_disk(url)
    yield url
    services.remove_home(home)


def test_what_was_backed_up_comes_back(
    filled: Engine, database_url: str, new_server: str, tmp_path: Path
) -> None:
    assert not flask(database_url, "users", "create", "ana@nova.test", "--name", "Ana").returncode
    file = tmp_path / "nova.dump"
    made = flask(database_url, "backup", str(file))
    assert made.returncode == 0, made.stderr
    assert flask(database_url, "backup", str(file)).returncode == 1, "a backup is never overwritten"
    before = contents(database_url)
    done = flask(new_server, "restore", str(file))
    assert done.returncode == 0, done.stderr
    after = contents(new_server)
    changed = {name for name in before if before[name] != after.get(name)}
    assert {one for one in changed if "audit" not in one} == set()
    assert set(after) == set(before)
    restored = make_engine(new_server)
    with restored.connect() as connection:
        assert verify(connection).is_whole
        connection.execute(text("SET ROLE nova_app"))
        told = connection.execute(text("SELECT email, name FROM support.user")).all()
        assert [tuple(row) for row in told] == [("ana@nova.test", "Ana")]
    restored.dispose()


STRANGERS = (
    "CREATE ROLE nova_app NOLOGIN",
    "CREATE ROLE dono LOGIN CREATEROLE PASSWORD 'a'",
    "GRANT nova_app TO dono WITH ADMIN OPTION",
    "CREATE ROLE leitor LOGIN PASSWORD 'a' IN ROLE nova_app",
    "CREATE DATABASE theirs OWNER dono",
)
DOWNTIME = "SELECT count(*) FROM analytics.downtime_by_day"


def migrate(url: str, revision: str) -> None:
    config = Config(str(services.ROOT / "alembic.ini"))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    command.upgrade(config, revision)


def test_another_owner_restores_and_upgrades_what_the_application_goes_on_reading(
    server_url: str, new_server: str, tmp_path: Path
) -> None:
    """An owner of another name, who is no superuser: as managed servers have it. 0037 makes the
    view of downtime anew."""
    file = tmp_path / "nova.dump"
    with services.fresh_database(server_url, "template1") as old:
        migrate(old, "0036")
        made = flask(old, "backup", str(file))
        assert made.returncode == 0, made.stderr
    server = make_engine(new_server)
    with server.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in STRANGERS:
            connection.execute(text(statement))
    theirs = server.url.set(username="dono", password="a", database="theirs")
    server.dispose()
    owner = theirs.render_as_string(hide_password=False)
    done = flask(owner, "restore", str(file))
    assert done.returncode == 0, done.stderr
    migrate(owner, "head")
    reader = make_engine(theirs.set(username="leitor").render_as_string(hide_password=False))
    with reader.connect() as connection:
        assert connection.execute(text(DOWNTIME)).scalar_one() == 0
    reader.dispose()


def test_a_restored_database_does_not_show_what_the_one_before_it_has_cached(
    filled: Engine, nova: str, server_url: str, valkey_url: str, tmp_path: Path
) -> None:
    def decide(status: str) -> None:
        """About the only alert."""
        (one,) = alerts.page().rows
        commands.set_status(
            filled,
            alert_ids=[one.id],
            status=status,
            actor=Actor("ana"),
            user_id=None,
            scope=Scope(),
        )

    def shown() -> list[str]:
        return [row.status for row in alerts.page().rows]

    file, name = tmp_path / "nova.dump", filled.url.database
    caching.use(redis.Redis.from_url(valkey_url))  # type: ignore[arg-type]
    try:
        assert flask(nova, "backup", str(file)).returncode == 0
        decide("acknowledged")
        assert shown() == ["acknowledged"]
        services.execute(server_url, f"DROP DATABASE {name} WITH (FORCE)")
        services.execute(server_url, f"CREATE DATABASE {name} TEMPLATE template0")
        done = flask(nova, "restore", str(file))
        assert done.returncode == 0, done.stderr
        caching.forget_version()
        assert shown() == ["open"]
        decide("resolved")
        assert shown() == ["resolved"]
    finally:
        caching.use(None)


def test_a_database_in_use_is_not_restored_into(
    filled: Engine, database_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "nova.dump"
    assert flask(database_url, "backup", str(file)).returncode == 0
    before = contents(database_url)
    refused = flask(database_url, "restore", str(file))
    assert refused.returncode == 1 and "empty one" in refused.stderr
    assert contents(database_url) == before


def test_a_file_that_is_no_backup_is_refused(server_url: str, tmp_path: Path) -> None:
    file = tmp_path / "nova.dump"
    file.write_text("nothing of ours")
    with services.fresh_database(server_url, "template0") as empty:
        refused = flask(empty, "restore", str(file))
        assert refused.returncode == 1 and "pg_restore says" in refused.stderr


RESTORING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'pg_restore'
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere pg_restore outlives who started it")
def test_a_restore_that_is_killed_leaves_nothing_at_work_and_two_are_not_at_it_together(
    server_url: str, database_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "nova.dump"
    assert flask(database_url, "backup", str(file)).returncode == 0
    with services.fresh_database(server_url, "template0") as empty:
        engine = make_engine(empty)
        at_once = engine.connect().execution_options(isolation_level="AUTOCOMMIT")

        def wait_for(number: int) -> None:
            deadline = time.monotonic() + 60
            while at_once.execute(text(RESTORING)).scalar_one() != number:
                assert time.monotonic() < deadline
                time.sleep(0.05)

        with at_once, engine.connect() as obstacle:
            obstacle.execute(text("CREATE SCHEMA analytics"))
            command = [*COMMAND, "restore", str(file)]
            environment = os.environ | {"DATABASE_URL": empty}
            killed = subprocess.Popen(command, cwd=services.ROOT, env=environment)
            wait_for(1)
            second = flask(empty, "restore", str(file))
            assert second.returncode == 1 and "Another restore is at work" in second.stderr
            killed.kill()
            killed.wait()
            obstacle.rollback()
            wait_for(0)
            tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'support'"
            assert at_once.execute(text(tables)).scalar_one() == 0
        engine.dispose()
        done = flask(empty, "restore", str(file))
        assert done.returncode == 0, done.stderr
