"""Engines: the primary, and a replica for reads while one is configured and healthy."""

from __future__ import annotations

from functools import lru_cache

from sqlalchemy import Engine, create_engine

from config import get_settings

APPLICATION = "nova-corrente"
STATEMENT_TIMEOUT_MS = 30_000
LOCK_TIMEOUT_MS = 5_000


def database_url() -> str:
    """DATABASE_URL, else the embedded Postgres, started if it is not running."""
    settings = get_settings()
    if settings.database_url:
        return settings.database_url
    from warehouse.embedded import ensure_postgres

    return ensure_postgres(settings.home)


def make_engine(
    url: str,
    *,
    pool_size: int = 5,
    statement_timeout_ms: int = STATEMENT_TIMEOUT_MS,
    lock_timeout_ms: int = LOCK_TIMEOUT_MS,
) -> Engine:
    """An engine with time limits on statements and locks; times are UTC."""
    options = (
        f"-c statement_timeout={statement_timeout_ms} -c lock_timeout={lock_timeout_ms}"
        " -c timezone=UTC -c jit=off"
    )
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        pool_timeout=10,
        connect_args={
            "options": options,
            "application_name": APPLICATION,
            "connect_timeout": 5,
        },
    )


@lru_cache
def get_engine() -> Engine:
    """The process's engine on the primary, for requests: short statements only."""
    return make_engine(database_url())


@lru_cache
def get_batch_engine() -> Engine:
    """The process's engine for loading, training and publishing: no statement time limit."""
    return make_engine(database_url(), pool_size=2, statement_timeout_ms=0, lock_timeout_ms=30_000)
