"""The audit log: who did what, when, from where, and what changed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from psycopg2.extras import Json
from sqlalchemy import Connection, Engine, insert

from warehouse import unawaited
from warehouse.db import get_engine, primary
from warehouse.partitions import ensure_audit_months
from warehouse.tables.support import audit_log

SYSTEM = "system"
if TYPE_CHECKING:
    from warehouse.commands.users import Actor

COLUMNS = (
    *("actor", "role", "address", "request_id", "action", "object"),
    *("before", "after", "status"),
)
_ALONE = (
    f"INSERT INTO support.audit_log ({', '.join(COLUMNS)})"
    f" VALUES ({', '.join(f'%({name})s' for name in COLUMNS)})"
)


def tell(beside: str = "", **instead: str) -> str:
    """SQL that adds the rows of `told`, its parameter `audit`: within the statement that does what
    they tell. `instead`: of a column, where SQL alone can say it, of the tables `beside` them."""
    columns = ", ".join(instead.get(name, f"told.{name}") for name in COLUMNS)
    return f"""
        INSERT INTO support.audit_log ({", ".join(COLUMNS)})
        SELECT {columns} FROM jsonb_to_recordset(CAST(:audit AS jsonb)) AS told (
            actor text, role text, address text, request_id text, action text, object text,
            before jsonb, after jsonb, status smallint
        ) {beside}
    """


_ready: dict[Engine, date] = {}


def record(
    connection: Connection,
    *,
    actor: str,
    action: str,
    role: str | None = None,
    address: str | None = None,
    request_id: str | None = None,
    object: str | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    status: int | None = None,
) -> None:
    """Adds one row in the caller's transaction, so that what it tells of and the row are one.

    `before` and `after` are plain JSON values; passwords and tokens never belong in them.
    """
    _make_room(connection)
    connection.execute(
        insert(audit_log).values(
            actor=actor,
            role=role,
            address=address,
            request_id=request_id,
            action=action,
            object=object,
            before=before,
            after=after,
            status=status,
        )
    )


def note(connection: Connection, actor: Actor, **row: Any) -> None:
    """`record` of what a person did."""
    record(connection, **who(actor), **row)


def who(actor: Actor) -> dict[str, Any]:
    """The columns that name a person."""
    return {
        "actor": actor.name,
        "role": actor.role,
        "address": actor.address,
        "request_id": actor.request_id,
    }


def told(connection: Connection, actor: Actor, rows: Sequence[Mapping[str, Any]]) -> str:
    """What `tell` is to add of what a person did: `action`, `object`, `before` and `after`."""
    _make_room(connection)
    return json.dumps([{**who(actor), **row} for row in rows])


def note_on(
    connection: Connection,
    actor: Actor,
    kind: str,
    number: int,
    action: str,
    **row: Any,
) -> None:
    """`note` of what a person did to one thing of a kind: `save` makes `view.save` of `view:7`."""
    note(connection, actor, action=f"{kind}.{action}", object=f"{kind}:{number}", **row)


def record_alone(*, awaited: bool = True, **row: Any) -> None:
    """Adds one row in a transaction of its own. What is not `awaited` ends behind the answer: for
    reads. Raises Unavailable."""
    if _ready.get(get_engine()) != _this_month():
        with primary() as connection, connection.begin():
            _make_room(connection)
    values = {name: _plain(row.get(name)) for name in COLUMNS}
    unawaited.send(_ALONE, values, awaited=awaited)


def _plain(value: Any) -> Any:
    return Json(value) if isinstance(value, Mapping) else value


def _make_room(connection: Connection) -> None:
    """The month's partition, asked for once a month and process: on a connection of its own, for
    what the caller does may be undone."""
    month = _this_month()
    if _ready.get(connection.engine) != month:
        with connection.engine.begin() as own:
            ensure_audit_months(own, month)
        _ready[connection.engine] = month


def _this_month() -> date:
    return datetime.now(UTC).date().replace(day=1)
