"""Saving a view, dropping it, beginning with it: each with its audit row."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, Engine, Row, text
from sqlalchemy.exc import IntegrityError

from domain.access import Role
from domain.errors import NotFound, TooManyViews, ViewNameTaken
from domain.views import MOST_VIEWS
from warehouse.commands import audit
from warehouse.commands.users import Actor

_TOLD = "view_id, name, page, state ->> 'query' AS query, shared_with, is_default"
_SAVE = f"""
INSERT INTO support.saved_view (user_id, page, name, state, shared_with)
VALUES (:user_id, :page, :name, CAST(:state AS jsonb), :shared_with)
ON CONFLICT (user_id, page, name) DO UPDATE
    SET state = excluded.state, shared_with = excluded.shared_with,
        is_default = saved_view.is_default
            AND saved_view.shared_with IS NOT DISTINCT FROM excluded.shared_with
RETURNING {_TOLD}
"""
_HELD = f"SELECT {_TOLD} FROM support.saved_view WHERE user_id = :user_id AND {{}} FOR UPDATE"
_ALSO_FOR_ITS_ROLE = """
SELECT view_id, is_default FROM support.saved_view
WHERE shared_with = (
    SELECT shared_with FROM support.saved_view WHERE view_id = :view_id AND user_id = :user_id
)
ORDER BY view_id FOR UPDATE
"""

_STARTS_WITH = "SELECT view_id FROM support.start_view WHERE user_id = :user_id FOR UPDATE"
_END_START = "DELETE FROM support.start_view WHERE user_id = :user_id AND view_id = :view_id"
_START = """
INSERT INTO support.start_view (user_id, view_id)
SELECT :user_id, view_id FROM support.saved_view
WHERE view_id = :view_id AND (user_id = :user_id OR shared_with = :role)
ON CONFLICT (user_id) DO UPDATE SET view_id = excluded.view_id
"""


def save(
    engine: Engine,
    *,
    user_id: int,
    name: str,
    page: str,
    query: str,
    shared_with: Role | None,
    actor: Actor,
) -> int:
    """Keeps the address; one of the same name on the same page is replaced. Gives its number.
    Raises TooManyViews."""
    params = {
        "user_id": user_id,
        "page": page,
        "name": name,
        "state": json.dumps({"query": query}),
        "shared_with": None if shared_with is None else str(shared_with),
    }
    with engine.begin() as connection:
        same = text(_HELD.format("page = :page AND name = :name"))
        before = connection.execute(same, params).one_or_none()
        after = connection.execute(text(_SAVE), params).one()
        counted = "SELECT count(*) FROM support.saved_view WHERE user_id = :user_id"
        if connection.execute(text(counted), params).scalar_one() > MOST_VIEWS:
            reason = f"there are {MOST_VIEWS} already: delete one first"
            more: dict[str, Any] = {"fields": {"name": reason}, "params": {"count": MOST_VIEWS}}
            raise TooManyViews(f"views: {reason}.", **more)
        told = {"before": before and _told(before), "after": _told(after)}
        audit.note_on(connection, actor, "view", after.view_id, "save", **told)
    return int(after.view_id)


def remove(engine: Engine, view_id: int, *, user_id: int, actor: Actor) -> None:
    """Drops one's own view. Raises NotFound for another's."""
    with engine.begin() as connection:
        before = _told(_held(connection, view_id, user_id))
        dropped = text("DELETE FROM support.saved_view WHERE view_id = :view_id")
        connection.execute(dropped, {"view_id": view_id})
        audit.note_on(connection, actor, "view", view_id, "delete", before=before)


def rename(engine: Engine, view_id: int, name: str, *, user_id: int, actor: Actor) -> None:
    """Raises NotFound for another's view, ViewNameTaken for a name that the page has already."""
    sql = text("UPDATE support.saved_view SET name = :name WHERE view_id = :view_id")
    try:
        with engine.begin() as connection:
            before = {"name": _held(connection, view_id, user_id).name}
            connection.execute(sql, {"view_id": view_id, "name": name})
            told = {"before": before, "after": {"name": name}}
            audit.note_on(connection, actor, "view", view_id, "rename", **told)
    except IntegrityError:
        reason = "another view of this page has it"
        raise ViewNameTaken(f"name: {reason}.", fields={"name": reason}) from None


def start_with(engine: Engine, view_id: int, *, user_id: int, role: Role, actor: Actor) -> None:
    """What one begins with from now on, one's own view or one that is shared with one's role; said
    of the view that it is already, no longer. Raises NotFound for any other."""
    params = {"view_id": view_id, "user_id": user_id, "role": str(role)}
    with engine.begin() as connection:
        before = connection.execute(text(_STARTS_WITH), params).scalar()
        ends = before == view_id
        if not connection.execute(text(_END_START if ends else _START), params).rowcount:
            raise NotFound(f"There is no view {view_id} of yours or of your role.")
        changed = {} if before is None else {before: False}
        _note_each(connection, actor, "start", "is_start", changed | {view_id: not ends})


def role_starts_with(engine: Engine, view_id: int, *, user_id: int, actor: Actor) -> None:
    """What those of its role begin with who have chosen nothing themselves; said of the view that
    it is already, no longer. Raises NotFound for another's view and for one that is not shared."""
    params = {"view_id": view_id, "user_id": user_id}
    sql = text("UPDATE support.saved_view SET is_default = :is_default WHERE view_id = :view_id")
    with engine.begin() as connection:
        held = connection.execute(text(_ALSO_FOR_ITS_ROLE), params).all()
        if not held:
            raise NotFound(f"There is no view {view_id} of yours that is shared.")
        changed = {one.view_id: False for one in held if one.is_default}
        changed[view_id] = view_id not in changed
        for number, is_default in changed.items():
            connection.execute(sql, {"view_id": number, "is_default": is_default})
        _note_each(connection, actor, "role_start", "is_role_start", changed)


def _held(connection: Connection, view_id: int, user_id: int) -> Row[Any]:
    """One's own view, held until the transaction ends. Raises NotFound for another's."""
    sql = text(_HELD.format("view_id = :view_id"))
    row = connection.execute(sql, {"view_id": view_id, "user_id": user_id}).one_or_none()
    if row is None:
        raise NotFound(f"There is no view {view_id} of yours.")
    return row


def _told(row: Row[Any]) -> dict[str, Any]:
    """What it is, as the audit log says it."""
    named = {name: row._mapping[name] for name in ("name", "page", "query", "shared_with")}
    return named | {"is_role_start": row.is_default}


def _note_each(
    connection: Connection, actor: Actor, action: str, what: str, changed: dict[int, bool]
) -> None:
    """A row for each view of which `what` is so now, or no longer."""
    for view_id, is_so in changed.items():
        told = {"before": {what: not is_so}, "after": {what: is_so}}
        audit.note_on(connection, actor, "view", view_id, action, **told)
