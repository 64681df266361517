"""Whether the database answers, and at which revision its schema is. Never cached."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from warehouse.db import get_engine, unanswered

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations" / "versions"


def schema_revision() -> str | None:
    """Alembic's revision of the primary; None before the first migration. Raises Unavailable."""
    try:
        with get_engine().connect() as connection:
            if connection.execute(text("SELECT to_regclass('public.alembic_version')")).scalar():
                revision = connection.execute(text("SELECT version_num FROM alembic_version"))
                return str(revision.scalar_one())
            return None
    except SQLAlchemyError as error:
        raise unanswered(error) from error


@lru_cache
def newest_migration() -> str:
    """The revision of the schema that this version of the product was made for."""
    return max(path.name.partition("_")[0] for path in MIGRATIONS.glob("[0-9]*.py"))
