"""What a statement has read, as Postgres tells it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, text


def nodes_of(
    connection: Connection, statement: str, params: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Runs a statement; gives the nodes of its plan with what they did."""
    explain = text(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}")
    (found,) = connection.execute(explain, params).scalar_one()
    return list(_nodes(found["Plan"]))


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)
