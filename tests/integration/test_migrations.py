"""Migrations go up, down and up again, and say the same as the tables' description."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from tests import factories, services
from warehouse.db import make_engine

OURS = """
SELECT nspname || '.' || relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
WHERE nspname IN ('staging', 'core', 'analytics', 'support') AND relkind IN ('r', 'p', 'm', 'v')
ORDER BY 1
"""


@pytest.fixture
def empty_url(server_url: str) -> Iterator[str]:
    """A database that nothing has been done to."""
    with services.fresh_database(server_url, "template1") as url:
        yield url


def alembic(url: str) -> Config:
    config = Config(str(services.ROOT / "alembic.ini"))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def relations(url: str) -> list[str]:
    engine = make_engine(url)
    with engine.connect() as connection:
        found = list(connection.execute(text(OURS)).scalars())
    engine.dispose()
    return found


def test_each_step_down_can_be_gone_up_again_and_all_leave_no_trace(empty_url: str):
    config = alembic(empty_url)
    command.upgrade(config, "head")
    whole = relations(empty_url)
    assert "core.demand" in whole and "analytics.forecast_by_day" in whole
    for _ in ScriptDirectory.from_config(config).walk_revisions():
        command.downgrade(config, "-1")
        command.upgrade(config, "+1")
        command.downgrade(config, "-1")
    assert relations(empty_url) == []
    command.upgrade(config, "head")
    assert relations(empty_url) == whole


RETURNED = """
WITH item AS (INSERT INTO core.item (sku) VALUES ('A' || random()) RETURNING item_id)
INSERT INTO core.demand (date, item_id, site_id, quantity, load_id)
SELECT :day, item_id, 0, -1, 0 FROM item
"""
DECIDED = """
INSERT INTO analytics.run (bundle, manifest, manifest_sha256, frequency, horizon, data_from,
    data_to, state)
VALUES ('b', '{}', 'b', 'W', 8, '2025-01-01', '2025-06-30', 'ready');
INSERT INTO analytics.alert (run_id, fingerprint, kind, level, item_id, site_id, status, raised_at)
SELECT run_id, 'a', 'excess', 'info', 1, 1, 'snoozed', '2025-06-01 12:00Z' FROM analytics.run;
INSERT INTO analytics.recommendation (run_id, fingerprint, kind, priority, item_id, site_id, status,
    raised_at)
SELECT run_id, 'r', 'REDUCE', 3, 1, 1, 'snoozed', '2025-06-01 12:00Z' FROM analytics.run;
INSERT INTO support.decision (at, actor, kind, fingerprint, status, until) VALUES
    ('2025-01-02 12:00Z', 'ana', 'recommendation', 'r', 'accepted', NULL),
    ('2025-06-02 12:00Z', 'ana', 'alert', 'a', 'snoozed', '2025-06-09 12:00Z'),
    ('2025-06-02 12:00Z', 'ana', 'recommendation', 'r', 'snoozed', '2025-06-09 12:00Z')
"""


def test_what_was_decided_before_is_known_of_its_alert_or_recommendation(empty_url: str):
    """The decision of January is of advice that had gone before it came up again in June."""
    config = alembic(empty_url)
    command.upgrade(config, "0032")
    engine = make_engine(empty_url)
    with engine.begin() as connection:
        connection.execute(text(DECIDED))
    command.upgrade(config, "head")
    with engine.connect() as connection:
        told = "SELECT (raised_at AT TIME ZONE 'UTC')::date::text FROM support.decision ORDER BY at"
        assert list(connection.execute(text(told)).scalars()) == [None, "2025-06-01", "2025-06-01"]
        for table in ("alert", "recommendation"):
            until = f"SELECT snoozed_until = '2025-06-09 12:00Z' FROM analytics.{table}"
            assert connection.execute(text(until)).scalar_one()
    engine.dispose()


def test_downtime_of_outages_that_go_on_is_made_anew(database_url: str, engine: Engine):
    """From 18:00 on, the last that is known being another outage's end at 20:00."""
    network, hours = factories.make_network(engine), {}
    factories.add_outage(engine, network, "DEP-SP", datetime(2025, 7, 3, 18), None)
    factories.add_outage(
        engine, network, "DEP-RJ", datetime(2025, 7, 3, 19), datetime(2025, 7, 3, 20)
    )
    for step, revision in ((command.downgrade, "0036"), (command.upgrade, "0037")):
        step(alembic(database_url), revision)
        with engine.connect() as connection:
            told = "SELECT hours FROM analytics.downtime_by_day WHERE uf = 'SP'"
            hours[revision] = connection.execute(text(told)).scalar_one()
    assert hours == {"0036": 2.0, "0037": 6.0}


def test_returns_find_room_and_are_not_left_to_a_version_that_knows_none(
    database_url: str, engine: Engine
):
    config = alembic(database_url)
    command.downgrade(config, "0034")
    day = date(2025, 6, 1)
    with engine.begin() as connection:
        factories.ensure_months(connection, "core.demand", day, day)
    command.upgrade(config, "head")
    with engine.begin() as connection:
        connection.execute(text(RETURNED), {"day": day})
    with pytest.raises(IntegrityError, match="ck_demand_quantity"):
        command.downgrade(config, "0034")
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM core.demand"))
    command.downgrade(config, "0034")
    with pytest.raises(IntegrityError, match="ck_demand_quantity"), engine.begin() as connection:
        connection.execute(text(RETURNED), {"day": day})


def test_models_and_schema_do_not_drift(database_url: str):
    command.check(alembic(database_url))


def test_every_view_can_be_refreshed_beside_its_readers(engine: Engine):
    with engine.begin() as connection:
        views = connection.execute(
            text("SELECT matviewname FROM pg_matviews WHERE schemaname = 'analytics'")
        ).scalars()
        names = views.all()
        assert len(names) == 7
        for name in names:
            connection.execute(text(f"REFRESH MATERIALIZED VIEW CONCURRENTLY analytics.{name}"))


def test_no_connection_waits_without_end(engine: Engine):
    with engine.connect() as connection:
        limits = [
            connection.execute(text(f"SHOW {name}")).scalar_one()
            for name in ("statement_timeout", "lock_timeout")
        ]
    assert limits == ["30s", "5s"]
