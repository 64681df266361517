"""`flask archive` and `flask restore-archive`: what goes away comes back as it was, whatever kills
it in between; readers never wait, and nothing that is needed goes."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from sqlalchemy import Engine, text

from dashboard.cli import app
from domain import clock
from tests import factories, services
from tests.ingesting import rows, write
from warehouse import archive
from warehouse.pipeline import derive
from warehouse.queries import status

ODD = [("", 0.1 + 0.2), ('a "b", c\nd', 1e-300), (",", 12345678.9), ('""', 3.0)]
BEFORE = "2021-09"
DIGEST = "SELECT md5(string_agg(md5(t::text), '' ORDER BY t::text)) FROM {} AS t"
REVISION = "SELECT * FROM analytics.revision"
TABLES = ("core.demand", "core.equipment_reading", "core.tower_kpi")


@pytest.fixture
def folder(nova: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ARCHIVE_DIR", str(tmp_path / "archive"))
    services.forget_settings()
    return tmp_path / "archive"


@pytest.fixture
def filled(engine: Engine, folder: Path) -> Iterator[Engine]:
    """Four years of demand, odd rows among the oldest, and machines that are read every month."""
    network = factories.make_network(engine)
    factories.add_demand(engine, network, days=99, step=15)
    factories.add_machines(engine, network, months=50)
    insert = text(
        "INSERT INTO core.demand (date, item_id, site_id, order_ref, quantity, load_id)"
        " VALUES ('2021-07-31', :item, :site, :ref, :quantity, 1)"
    )
    with engine.begin() as connection:
        for ref, quantity in ODD:
            odd = {"item": network.items["EPI-04"], "site": network.sites["DEP-SP"]}
            connection.execute(insert, odd | {"ref": ref, "quantity": quantity})
        connection.execute(
            text(
                "UPDATE core.equipment_reading SET kind = NULL, failure = NULL,"
                " measured_at = measured_at + interval '1234567 microseconds'"
                " WHERE site_id = :site AND measured_at < '2021-09-01'"
            ),
            {"site": network.sites["DEP-RJ"]},
        )
    derive.refresh_after_load(engine)
    yield engine
    services.forget_settings()


def flask(*arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=arguments)


def digests(engine: Engine) -> list[Any]:
    return [rows(engine, DIGEST.format(table))[0][0] for table in TABLES]


def shown(engine: Engine) -> tuple[Any, ...]:
    """First day and sum of the demand that pages add up."""
    return rows(engine, "SELECT min(date), sum(quantity) FROM analytics.demand_by_day")[0]


def partitions(engine: Engine) -> set[str]:
    found = "SELECT inhrelid::regclass::text FROM pg_inherits JOIN pg_class ON oid = inhparent"
    return {row[0] for row in rows(engine, f"{found} WHERE relname = 'demand'")}


def test_what_went_away_comes_back_as_it_was(filled: Engine, folder: Path) -> None:
    before, shown_before = digests(filled), shown(filled)
    said = flask("archive", "--before", BEFORE)
    assert said.exit_code == 0, said.output
    manifests = [json.loads(path.read_text()) for path in sorted(folder.rglob("*.json"))]
    assert {(one["table"], one["month"]) for one in manifests} >= {("demand", "2021-07")}
    (july,) = [one for one in manifests if (one["table"], one["month"]) == ("demand", "2021-07")]
    assert f"archived 2021-07 demand: {july['rows']} rows" in said.output
    assert shown(filled)[0] >= date(2021, 9, 1)
    gone = sum(float(one["sums"].get("quantity", 0)) for one in manifests)
    assert shown(filled)[1] + gone == pytest.approx(shown_before[1])
    assert not {name for name in partitions(filled) if name <= "core.demand_2021_08"}
    assert status.current().archived_to == date(2021, 8, 31)
    revision = rows(filled, REVISION)
    again = flask("archive", "--before", BEFORE)
    assert (again.exit_code, again.output) == (0, "nothing to be archived\n")
    assert rows(filled, REVISION) == revision, "nothing is derived"
    listed = flask("archive")
    assert "2021-07 demand" in listed.output and "2021-07 equipment_reading" in listed.output
    back = flask("restore-archive", "2021-07")
    assert f"restored 2021-07 demand: {july['rows']} rows" in back.output
    assert flask("restore-archive").exit_code == 0
    assert (digests(filled), shown(filled)) == (before, shown_before)
    assert status.current().archived_to is None
    audited = rows(filled, "SELECT action, object FROM support.audit_log ORDER BY audit_id")
    assert ("archive", f"before {BEFORE}") in audited and ("archive.restore", "all") in audited


def test_what_training_does_not_need_can_go_by_itself(filled: Engine, folder: Path) -> None:
    last = rows(filled, "SELECT max(date) FROM core.demand")[0][0]
    first_needed = f"{last.year - 3}_{last.month:02}"
    kept = {name for name in partitions(filled) if name[-7:] > first_needed}
    assert flask("archive", "--unneeded").exit_code == 0
    assert partitions(filled) == kept and "core.demand_2021_07" not in kept
    assert flask("archive", "--unneeded").output == "nothing to be archived\n"


def test_a_day_in_the_future_makes_no_month_unneeded(
    filled: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "today", lambda: date(2025, 7, 1))
    typo = date(2062, 11, 1)
    with filled.begin() as connection:
        factories.ensure_months(connection, "core.demand", typo, typo)
        copied = "SELECT :typo, item_id, site_id, 1, 1 FROM core.demand LIMIT 1"
        columns = "(date, item_id, site_id, quantity, load_id)"
        connection.execute(text(f"INSERT INTO core.demand {columns} {copied}"), {"typo": typo})
    kept = {name for name in partitions(filled) if name[-7:] > "2022_07"}
    assert flask("archive", "--unneeded").exit_code == 0
    assert partitions(filled) == kept


def test_what_is_needed_or_unknown_stays(filled: Engine, folder: Path) -> None:
    before = digests(filled)
    for asked, reason in (
        (("archive", "2024-01"), "2024-01 is needed: training, stock levels and savings look at"),
        (("archive", "--before", "2022-08"), "NOVA_HISTORY_MONTHS"),
        (("archive", "2011-01"), "No rows of 2011-01 are loaded."),
        (("archive", "January"), "'January' does not match the format '%Y-%m'"),
        (("restore-archive", "2021-07"), "2021-07 is not archived. Archived: nothing."),
    ):
        said = flask(*asked)
        assert said.exit_code != 0 and reason in said.output, said.output
    assert digests(filled) == before and not list(folder.rglob("*.parquet"))


def test_a_killed_archive_loses_nothing_and_readers_do_not_wait(
    filled: Engine, folder: Path
) -> None:
    """Killed while a reader that began before keeps the detached partition in sight."""
    before = digests(filled)
    seen = text("SELECT count(*) FROM core.demand WHERE date < '2021-08-01'")
    snapshot = {"isolation_level": "REPEATABLE READ"}
    with filled.connect().execution_options(**snapshot) as early:
        known = early.execute(seen).scalar_one()
        caller = threading.Thread(target=lambda: flask("archive", "2021-07"))
        caller.start()
        pid = _detaching(filled)
        assert early.execute(seen).scalar_one() == known
        with filled.connect() as late:
            late.execute(text("SET lock_timeout = '2s'"))
            late.execute(seen)
        rows(filled, "SELECT pg_terminate_backend(:pid)", pid=pid)
        caller.join(timeout=60)
        assert not caller.is_alive()
    again = flask("archive", "2021-07")
    assert again.exit_code == 0, again.output
    assert "core.demand_2021_07" not in partitions(filled)
    assert flask("restore-archive").exit_code == 0
    assert digests(filled) == before


def _detaching(engine: Engine) -> int:
    """The process that waits to detach a partition."""
    asked = (
        "SELECT pid FROM pg_stat_activity WHERE query LIKE 'ALTER TABLE%CONCURRENTLY'"
        " AND wait_event_type = 'Lock' AND datname = current_database()"
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if found := rows(engine, asked):
            return found[0][0]
        time.sleep(0.05)
    raise AssertionError("nothing is being detached")


def test_whatever_step_is_the_last_the_next_call_finishes(
    filled: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = digests(filled)

    def killed(*_args: object, **_kwargs: object) -> None:
        raise OSError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(derive, "refresh_after_load", killed)
        assert flask("archive", "2021-06").exit_code == 1
    assert shown(filled)[0] < date(2021, 7, 1)
    assert flask("archive", "2021-06").output == "nothing to be archived\n"
    assert shown(filled)[0] >= date(2021, 7, 1), "as the killed call would have derived"
    assert flask("restore-archive").exit_code == 0
    for step in ("_to_parquet", "_settle", "_sums", "sha256_of", "remove"):
        with monkeypatch.context() as patch:
            patch.setattr(archive, step, killed)
            assert flask("archive", "2021-07").exit_code == 1
        assert digests(filled) == before
    assert flask("archive", "2021-07").exit_code == 0
    assert "core.demand_2021_07" not in partitions(filled)
    assert flask("restore-archive", "2021-07").exit_code == 0
    assert digests(filled) == before


def test_a_damaged_file_or_one_that_differs_changes_nothing(
    filled: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = digests(filled)
    with monkeypatch.context() as patch:
        real = archive._to_parquet

        def less(csv: Path, file: Path, columns: dict[str, str]) -> None:
            kept = csv.read_text().splitlines(keepends=True)
            csv.write_text("".join(kept[:-1]))
            real(csv, file, columns)

        patch.setattr(archive, "_to_parquet", less)
        said = flask("archive", "2021-06")
    assert said.exit_code == 1 and "nothing is removed" in said.output
    assert digests(filled) == before
    assert flask("archive", "2021-06").exit_code == 0
    gone = digests(filled)
    file = folder / "demand" / "2021-06.parquet"
    whole = file.read_bytes()
    file.write_bytes(whole[:100] + b"?" + whole[101:])
    said = flask("restore-archive")
    assert said.exit_code == 1 and f"{file} is damaged" in said.output
    file.unlink()
    assert "is missing: set ARCHIVE_DIR" in flask("restore-archive").output
    file.write_bytes(whole)
    assert flask("restore-archive").exit_code == 0
    assert gone != digests(filled) == before


def test_a_file_of_other_rows_is_not_restored_though_it_goes_with_its_manifest(
    filled: Engine, folder: Path
) -> None:
    """July's as it was archived before a correction, in the place of what was archived after it."""
    month = folder / "demand"
    assert flask("archive", "2021-07").exit_code == 0
    shutil.copytree(month, folder / "before")
    assert flask("restore-archive").exit_code == 0
    with filled.begin() as connection:
        connection.execute(
            text("UPDATE core.demand SET quantity = quantity + 1 WHERE date < '2021-08-01'")
        )
    assert flask("archive", "2021-07").exit_code == 0
    gone = digests(filled)
    shutil.copytree(month, folder / "after")
    shutil.copytree(folder / "before", month, dirs_exist_ok=True)
    said = flask("restore-archive")
    assert said.exit_code == 1 and "2021-07.parquet is another than was archived" in said.output
    shutil.copytree(folder / "after", month, dirs_exist_ok=True)
    manifest = month / "2021-07.json"
    manifest.write_text(manifest.read_text().replace('"demand"', '"stock"'))
    assert "is another than was archived" in flask("restore-archive", "2021-07").output
    assert digests(filled) == gone


def test_no_load_brings_rows_of_a_month_that_is_away(filled: Engine, tmp_path: Path) -> None:
    assert flask("archive", "2021-07").exit_code == 0
    demand = "date;sku;quantity;site\n{};CABO-01;5;DEP-SP\n"
    files = write(tmp_path / "erp", demand=demand.format("2021-07-10"))
    said = flask("ingest", str(files))
    assert said.exit_code == 1 and "flask restore-archive 2021-07" in said.output, said.output
    files = write(tmp_path / "erp", demand=demand.format("2021-08-10"))
    assert flask("ingest", str(files)).exit_code == 0
