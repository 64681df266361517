"""What all tables share: the metadata with its naming rule, and short column makers."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Double, Identity, Integer, MetaData, func

SCHEMAS = ("staging", "core", "analytics", "support")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def identity(name: str = "id", *, big: bool = False) -> Column:
    """A surrogate key that the database counts up."""
    kind = BigInteger if big else Integer
    return Column(name, kind, Identity(always=False), primary_key=True)


def double(name: str, *, nullable: bool = True) -> Column:
    """A double precision column."""
    return Column(name, Double, nullable=nullable)


def moment(name: str, *, default_now: bool = False) -> Column:
    """A UTC timestamp; with `default_now` it is filled by the database and never null."""
    if default_now:
        return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())
    return Column(name, DateTime(timezone=True))
