"""How Alembic reaches the database: through the product's own settings, with time limits."""

from __future__ import annotations

import re

from alembic import context
from sqlalchemy import text

from warehouse.db import ROLE, database_url, let_read, make_engine
from warehouse.tables import SCHEMAS, metadata

LOCK_TIMEOUT_MS = 10_000
STATEMENT_TIMEOUT_MS = 600_000
MIGRATION_LOCK = 0x6E6F7661  # one migration at a time over all hosts
IS_SHARED = """
SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = :role)
    AND (SELECT count(*) FROM pg_namespace WHERE nspname = ANY(:schemas)) = cardinality(:schemas)
"""
PARTITION = re.compile(r"(_\d{4}(_\d{2})?|_r\d+|_default)$")


def _compared(_object, name, kind, reflected, _compare_to) -> bool:
    """Partitions come and go with the data: they are not part of the model."""
    return not (kind == "table" and reflected and name is not None and PARTITION.search(name))


def _in_our_schemas(name, kind, _parents) -> bool:
    return kind != "schema" or name in SCHEMAS


def run_migrations() -> None:
    """Runs in one transaction under an advisory lock. What an upgrade makes can be read by the
    application, whichever login makes it."""
    engine = make_engine(
        context.config.get_main_option("sqlalchemy.url") or database_url(owner=True),
        statement_timeout_ms=STATEMENT_TIMEOUT_MS,
        lock_timeout_ms=LOCK_TIMEOUT_MS,
    )
    upgrades = []
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        context.configure(
            connection=connection,
            target_metadata=metadata,
            include_schemas=True,
            include_name=_in_our_schemas,
            include_object=_compared,
            compare_type=True,
            compare_server_default=True,
            on_version_apply=lambda step, **_: upgrades.append(step) if step.is_upgrade else None,
        )
        context.run_migrations()
        shared = text(IS_SHARED), {"role": ROLE, "schemas": list(SCHEMAS)}
        if upgrades and connection.execute(*shared).scalar_one():
            let_read(connection)
    engine.dispose()


if context.is_offline_mode():
    raise SystemExit("Offline migrations are not supported: give DATABASE_URL a real database.")
run_migrations()
