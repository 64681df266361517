"""Schema `staging`: what arrived, what was refused and why, and one raw table a file kind."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from domain.erp import KINDS, FileKind, Type
from warehouse.tables.base import identity, metadata, moment

load = Table(
    "load",
    metadata,
    identity(),
    Column("kind", Text, nullable=False),
    Column("file", Text, nullable=False),
    Column("part", Text, nullable=False, server_default=""),
    Column("sha256", Text, nullable=False),
    Column("mapping_sha256", Text, nullable=False, server_default=""),
    Column("mapping", JSONB),
    Column("loaded_by", Text, nullable=False),
    moment("started_at", default_now=True),
    moment("finished_at"),
    Column("state", Text, nullable=False),
    Column("message", Text),
    Column("is_demo", Boolean, nullable=False, server_default="false"),
    Column("rows_read", BigInteger, nullable=False, server_default="0"),
    Column("rows_accepted", BigInteger, nullable=False, server_default="0"),
    Column("rows_rejected", BigInteger, nullable=False, server_default="0"),
    Column("rows_filtered", BigInteger, nullable=False, server_default="0"),
    Column("rows_merged", BigInteger, nullable=False, server_default="0"),
    Column("date_from", Date),
    Column("date_to", Date),
    CheckConstraint("state IN ('loading', 'accepted', 'rejected', 'failed')", name="state"),
    Index("ix_load_sha256", "sha256", "kind"),
    schema="staging",
)

reject = Table(
    "reject",
    metadata,
    identity(big=True),
    Column("load_id", ForeignKey(load.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("file", Text, nullable=False),
    Column("line", BigInteger),
    Column("column_name", Text),
    Column("value", Text),
    Column("reason", Text, nullable=False),
    schema="staging",
)

_TYPES: dict[Type, type[TypeEngine]] = {
    Type.TEXT: Text,
    Type.NUMBER: Double,
    Type.INTEGER: Integer,
    Type.DATE: Date,
    Type.TIMESTAMP: DateTime,
    Type.BOOLEAN: Boolean,
    Type.JSON: JSONB,
}


def _raw_table(kind: FileKind) -> Table:
    columns = [Column(column.name, _TYPES[column.type]) for column in kind.columns]
    if kind.extra:
        columns.append(Column(kind.extra, JSONB))
    return Table(
        kind.name,
        metadata,
        Column("load_id", Integer, nullable=False),
        Column("file_line", BigInteger, nullable=False),
        *columns,
        schema="staging",
        prefixes=["UNLOGGED"],
    )


raw = {name: _raw_table(kind) for name, kind in KINDS.items()}
"""The raw table of each file kind: typed, checked rows on their way to `core`."""
