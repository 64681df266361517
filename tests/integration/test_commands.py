"""The `flask` commands as a person types them: answers, exit codes, one line for each mistake."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import Engine, text

from auth.passwords import digest, matches
from dashboard.cli import app
from domain.erp import KINDS
from tests import factories
from tests.services import ROOT, forget_settings
from warehouse import caching
from warehouse.queries.users import everyone

Flask = Callable[..., Result]
DEMAND = "date;sku;site;quantity\n2025-01-01;CABO;DEP;5\n2025-01-02;CABO;DEP;7\n"


@pytest.fixture
def flask(nova: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """`flask(*arguments, **settings)` runs a command in this process on the test's database."""

    def run(*arguments: str, **settings: str) -> Result:
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        if settings:
            forget_settings()
        return app.test_cli_runner().invoke(args=arguments)

    yield run
    caching.use(None)


def refused(done: Result, words: str) -> None:
    """One clear line, exit code 1, no trace."""
    assert done.exit_code == 1, done.output
    assert isinstance(done.exception, SystemExit)
    assert done.stderr.count("\n") == 1 and words in done.stderr


def test_the_first_administrator_is_made_once(flask: Flask, engine: Engine) -> None:
    email, _, password = flask("users", "ensure-admin").stdout.strip().partition("\t")
    with engine.connect() as connection:
        (admin,) = everyone(connection)
    assert (admin.email, admin.role) == (email, "ADMIN") == ("admin@localhost", "ADMIN")
    assert matches(password, admin.password_hash)
    assert not admin.must_change_password, "the printed password opens the forecasts at once"
    again = flask("users", "ensure-admin")
    assert (again.exit_code, again.stdout) == (0, "")


def test_a_password_from_the_settings_is_not_printed(flask: Flask, engine: Engine) -> None:
    chosen = {"NOVA_ADMIN_EMAIL": "boss@nova.test", "NOVA_ADMIN_PASSWORD": "a-good-long-one"}
    assert flask("users", "ensure-admin", **chosen).stdout == "boss@nova.test\n"
    with engine.connect() as connection:
        (admin,) = everyone(connection)
    assert matches("a-good-long-one", admin.password_hash)


def test_a_weak_password_in_the_settings_is_named(flask: Flask) -> None:
    refused(flask("users", "ensure-admin", NOVA_ADMIN_PASSWORD="password"), "NOVA_ADMIN_PASSWORD: ")


def test_accounts_are_managed_and_every_change_is_on_record(flask: Flask, engine: Engine) -> None:
    flask("users", "ensure-admin")
    made = flask("users", "create", "ana@nova.test", "--role", "ANALYST", "--uf", "BA")
    assert made.exit_code == 0 and made.stdout.startswith("ana@nova.test\t")
    refused(flask("users", "create", "ANA@nova.test"), "already taken")
    refused(flask("users", "create", "no-address"), "must look like")
    refused(flask("users", "set-password", "ana@nova.test", "--password", "short"), "at least 8")
    refused(flask("users", "disable", "admin@localhost"), "last active administrator")
    refused(flask("users", "set-role", "nobody@nova.test", "VIEWER"), "No user has the address")
    assert flask("users", "set-role", "ana@nova.test", "VIEWER").exit_code == 0
    assert flask("users", "disable", "ana@nova.test").exit_code == 0
    assert "ana@nova.test\tVIEWER\tdisabled" in flask("users", "list").stdout
    assert flask("users", "enable", "ana@nova.test").exit_code == 0
    assert "disabled" not in flask("users", "list").stdout
    with engine.connect() as connection:
        ana = next(row for row in everyone(connection) if row.email == "ana@nova.test")
        sql = "SELECT action, before, after::text FROM support.audit_log ORDER BY audit_id"
        rows = connection.execute(text(sql)).all()
    assert ana.scope.ufs == ("BA",) and ana.token_version == 3
    assert [row.action for row in rows] == [
        "user.create",
        "user.create",
        "user.set_role",
        "user.disable",
        "user.enable",
    ]
    assert rows[2].before == {"role": "ANALYST"}
    assert not [row for row in rows if "$2b$" in (row[2] or "")]


HELD = """
INSERT INTO analytics.run (bundle, manifest, manifest_sha256, frequency, horizon, data_from,
    data_to, state)
VALUES ('b', '{}', 'b', 'W', 8, '2025-01-01', '2025-06-30', 'ready');
INSERT INTO analytics.published (run_id, published_by) SELECT run_id, 'tests' FROM analytics.run;
INSERT INTO analytics.alert (run_id, fingerprint, kind, level, item_id, site_id)
SELECT run_id, site, 'excess', 'info', item_id, site_id
FROM analytics.run, core.item, core.site WHERE sku = 'CABO-01' AND kind = 'depot'
"""
GIVEN = """
UPDATE analytics.alert SET owner_id = user_id FROM support.user WHERE email = 'ana@nova.test'
"""
OWNED = "SELECT fingerprint FROM analytics.alert WHERE owner_id IS NOT NULL ORDER BY 1"


@pytest.mark.parametrize(
    ("change", "left"),
    [
        (("set-scope", "ana@nova.test", "--uf", "BA", "--uf", "SP"), ["DEP-BA", "DEP-SP"]),
        (("set-role", "ana@nova.test", "VIEWER"), []),
        (("disable", "ana@nova.test"), []),
        (("anonymise", "ana@nova.test", "--yes"), []),
        (("set-role", "ana@nova.test", "ADMIN"), ["DEP-BA", "DEP-RJ", "DEP-SP"]),
    ],
)
def test_alerts_that_somebody_may_no_longer_act_on_are_nobodys(
    flask: Flask, engine: Engine, change: tuple[str, ...], left: list[str]
) -> None:
    factories.make_network(engine)
    flask("users", "ensure-admin")
    flask("users", "create", "ana@nova.test", "--role", "ANALYST")
    with engine.begin() as connection:
        connection.execute(text(HELD))
        connection.execute(text(GIVEN))
        before = caching.data_version(connection)
    assert flask("users", *change).exit_code == 0
    with engine.connect() as connection:
        assert list(connection.execute(text(OWNED)).scalars()) == left
        told = "SELECT before FROM support.audit_log WHERE action = 'user.release_alerts'"
        released = [{"alerts": 3 - len(left)}] if len(left) < 3 else []
        assert list(connection.execute(text(told)).scalars()) == released
        assert (caching.data_version(connection) != before) == bool(released)


def test_scopes_names_links_and_sessions_from_the_command_line(
    flask: Flask, engine: Engine
) -> None:
    factories.make_network(engine)
    flask("users", "create", "ana@nova.test", "--name", "Ana", "--contract", "C-SUL")
    refused(flask("users", "set-scope", "ana@nova.test", "--uf", "XX"), "does not know XX")
    refused(flask("users", "set-scope", "ana@nova.test", "--contract", "C-X"), "does not know C-X")
    assert flask("users", "set-scope", "ana@nova.test", "--uf", "BA", "--uf", "SP").exit_code == 0
    assert flask("users", "rename", "ana@nova.test", "Ana Maria").exit_code == 0
    assert flask("users", "end-sessions", "ana@nova.test").exit_code == 0
    link = flask("users", "reset", "ana@nova.test").stdout.strip()
    refused(flask("users", "reset", "nobody@nova.test"), "No user has the address")
    weak = ("users", "set-password", "ana@nova.test", "--password", "password123")
    refused(flask(*weak), "most common")
    with engine.connect() as connection:
        (ana,) = everyone(connection)
        sql = (
            "SELECT link_hash, expires_at - now() > interval '23 hours' FROM support.password_reset"
        )
        ((kept, lasts),) = connection.execute(text(sql)).all()
    assert (ana.scope.ufs, ana.scope.contracts, ana.name) == (("BA", "SP"), (), "Ana Maria")
    assert link.startswith("/reset/") and kept == digest(link.removeprefix("/reset/")) and lasts


def test_demo_files_of_every_kind_are_written(flask: Flask, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    assert flask("demo-data", str(folder)).stdout == f"demo files are in {folder}\n"
    assert {f"{kind}.csv" for kind in KINDS} <= {path.name for path in folder.iterdir()}


def test_an_address_is_corrected_and_an_account_unlinked(flask: Flask, engine: Engine) -> None:
    flask("users", "create", "ana@nova.test")
    flask("users", "create", "bia@nova.test")
    refused(flask("users", "set-email", "ana@nova.test", "BIA@nova.test"), "already taken")
    for no_address in ("ana", "ana\u200b@nova.test"):
        refused(flask("users", "set-email", "ana@nova.test", no_address), "must look like")
    refused(flask("users", "set-email", "eva@nova.test", "eva@b.test"), "No user has the address")
    refused(flask("users", "unlink", "ana@nova.test"), "Nobody at the sign-in service")
    assert flask("users", "set-email", "Ana@nova.test", "ana.lima@nova.test").exit_code == 0
    with engine.begin() as connection:
        ana = next(row for row in everyone(connection) if row.email == "ana.lima@nova.test")
        given = "INSERT INTO support.subject (issuer, subject, user_id) VALUES ('i', 's', :id)"
        connection.execute(text(given), {"id": ana.user_id})
    assert flask("users", "unlink", "ana.lima@nova.test").exit_code == 0
    with engine.connect() as connection:
        versions = {row.email: row.token_version for row in everyone(connection)}
        sql = "SELECT object, before, after FROM support.audit_log ORDER BY audit_id DESC LIMIT 2"
        unlinked, corrected = connection.execute(text(sql)).all()
    assert versions == {"ana.lima@nova.test": 2, "bia@nova.test": 0}
    number = {"user_id": ana.user_id}
    assert tuple(unlinked) == (
        "user:ana.lima@nova.test",
        number | {"issuer": "i", "subject": "s"},
        None,
    )
    assert tuple(corrected) == (
        "user:ana@nova.test",
        number | {"email": "ana@nova.test"},
        {"email": "ana.lima@nova.test"},
    )


def test_a_file_is_loaded_and_a_bad_one_refused(
    flask: Flask, engine: Engine, tmp_path: Path
) -> None:
    good = tmp_path / "demand.csv"
    good.write_text(DEMAND)
    assert flask("ingest", str(good), "--dry-run").exit_code == 0
    loaded = flask("ingest", str(good))
    assert loaded.exit_code == 0 and "accepted" in loaded.stdout
    assert "unchanged" in flask("ingest", str(good)).stdout
    bad = tmp_path / "bad" / "demand.csv"
    bad.parent.mkdir()
    bad.write_text(DEMAND.replace("2025-01-02", "31/02/2025"))
    failed = flask("ingest", str(bad))
    assert failed.exit_code == 1 and "31/02/2025" in failed.stdout
    empty = tmp_path / "empty"
    empty.mkdir()
    refused(flask("ingest", str(empty)), "no ERP file")
    with engine.connect() as connection:
        assert connection.execute(text("SELECT sum(quantity) FROM core.demand")).scalar() == 12
        sql = "SELECT action FROM support.audit_log ORDER BY audit_id"
        recorded = list(connection.execute(text(sql)).scalars())
    assert recorded == ["load.dry_run", "load", "load", "load", "load.refused"]


def test_a_run_is_published_shown_and_published_again(
    flask: Flask, engine: Engine, tmp_path: Path
) -> None:
    network = factories.make_network(engine)
    factories.add_demand(engine, network)
    needed = flask("runs", "needed")
    assert (needed.exit_code, needed.stdout) == (0, "yes\n")
    for number, scale in enumerate((1.0, 1.1), start=1):
        name = f"20250630T06000{number}Z-00000000"
        bundle = factories.make_bundle(tmp_path, engine, name=name, scale=scale)
        published = flask("publish", str(bundle))
        assert published.stdout.endswith(f"published run {number}\n"), published.stderr
    listed = flask("runs", "list").stdout.splitlines()
    assert listed[0].startswith("*    2") and listed[1].startswith("     1")
    assert flask("runs", "publish", "1").exit_code == 0
    assert flask("runs", "list").stdout.splitlines()[1].startswith("*    1")
    assert "data_to         2025-06-29" in flask("runs", "show", "2").stdout
    refused(flask("runs", "publish", "77"), "no such run")
    refused(flask("publish", str(tmp_path)), "manifest.json")
    (bundle / "forecast.parquet").write_bytes(b"damaged")
    refused(flask("publish", str(bundle)), "forecast.parquet")


def test_a_database_that_is_not_there_is_one_line(flask: Flask) -> None:
    gone = "postgresql://nova:none@127.0.0.1:1/nova"
    refused(flask("users", "list", DATABASE_URL=gone), "The database says")
    refused(flask("users", "list", NOVA_ENV="production"), "NOVA_ENV=production needs")


def test_flask_finds_its_commands_and_builds_no_pages(nova: str) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "flask", "users", "list"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert (done.returncode, done.stdout) == (0, "")
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "dashboard.cli" in imported and not imported & {"dash", "pandas"}
