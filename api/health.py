"""GET /health (live, from memory) and GET /api/v1/health (ready)."""

from __future__ import annotations

import subprocess
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response
from pydantic import BaseModel

from api.answers import enveloped, meta_of, respond
from api.routing import route
from auth.guards import PUBLIC, public
from config import get_settings
from domain.errors import Unavailable
from domain.records import DataStatus
from warehouse import caching
from warehouse.queries import health, status

ROOT = Path(__file__).resolve().parent.parent
CACHE_WORDS = {None: "none", True: "up", False: "down"}


class Ready(BaseModel):
    """What is running and whether its parts answer; `data_as_of` is the last day of
    the published run, `data_age_days` is counted from `demand_to`, the last day of demand, to
    today."""

    status: str
    commit: str | None
    schema_revision: str | None
    database: str
    cache: str
    run_id: int | None
    published_at: datetime | None
    data_as_of: date | None
    demand_to: date | None
    data_age_days: int | None


def init_app(server: Flask) -> None:
    """Binds /health and reads the commit once."""
    commit()
    server.add_url_rule("/health", "health", live)


@public
def live() -> Response:
    """The process answers; nothing else is asked."""
    return respond(enveloped(b'{"status":"live"}', meta_of(DataStatus())))


@route("GET", "/health", permission=PUBLIC, data=Ready)
def ready() -> Ready:
    """Commit, schema, database, cache, run and age of the data; 503 without the database, and
    until the schema has all migrations of this version (a newer schema will do)."""
    try:
        revision = health.schema_revision()
        known = status.current()
    except Unavailable as error:
        fields = {"database": "down", "cache": _cache()}
        raise Unavailable(str(error), fields=fields) from None
    wanted = health.newest_migration()
    if revision is None or revision < wanted:
        fields = {"database": "up", "schema_revision": revision or "none"}
        raise Unavailable(f"The schema waits for the migration {wanted}.", fields=fields)
    return Ready(
        status="ready",
        commit=commit(),
        schema_revision=revision,
        database="up",
        cache=_cache(),
        run_id=known.run_id,
        published_at=known.published_at,
        data_as_of=known.data_to,
        demand_to=known.demand_to,
        data_age_days=known.demand_age_days,
    )


@lru_cache
def commit() -> str | None:
    """The commit that this process was started from; None where nobody says."""
    told = get_settings().commit
    if told:
        return told
    try:
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _cache() -> str:
    return CACHE_WORDS[caching.in_order()]
