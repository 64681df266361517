"""Whether the database answers, and at which revision its schema is. Never cached."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from warehouse.db import get_engine, unanswered


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
