"""The tables, one file per Postgres schema. Alembic compares `metadata` with the database."""

from warehouse.tables import analytics, core, staging, support
from warehouse.tables.base import SCHEMAS, metadata

__all__ = ["SCHEMAS", "analytics", "core", "metadata", "staging", "support"]
