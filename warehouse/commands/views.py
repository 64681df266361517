"""Saving a view, dropping it, beginning with it: each with its audit row."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from domain.access import Role
from domain.errors import NotFound, TooManyViews, ViewNameTaken
from domain.views import MOST_VIEWS
from warehouse.commands import audit
from warehouse.commands.users import Actor

_SAVE = """
INSERT INTO support.saved_view (user_id, page, name, state, shared_with)
VALUES (:user_id, :page, :name, CAST(:state AS jsonb), :shared_with)
ON CONFLICT (user_id, page, name) DO UPDATE
    SET state = excluded.state, shared_with = excluded.shared_with,
        is_default = saved_view.is_default
            AND saved_view.shared_with IS NOT DISTINCT FROM excluded.shared_with
RETURNING view_id
"""

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
        view_id = int(connection.execute(text(_SAVE), params).scalar_one())
        counted = "SELECT count(*) FROM support.saved_view WHERE user_id = :user_id"
        if connection.execute(text(counted), params).scalar_one() > MOST_VIEWS:
            reason = f"there are {MOST_VIEWS} already: delete one first"
            told: dict[str, Any] = {"fields": {"name": reason}, "params": {"count": MOST_VIEWS}}
            raise TooManyViews(f"views: {reason}.", **told)
        told = {"name": name, "page": page, "query": query, "shared_with": params["shared_with"]}
        audit.note_on(connection, actor, "view", view_id, "save", told)
    return view_id


def remove(engine: Engine, view_id: int, *, user_id: int, actor: Actor) -> None:
    """Drops one's own view. Raises NotFound for another's."""
    sql = "DELETE FROM support.saved_view WHERE view_id = :view_id AND user_id = :user_id"
    _change(engine, sql, view_id, user_id, actor, "delete")


def rename(engine: Engine, view_id: int, name: str, *, user_id: int, actor: Actor) -> None:
    """Raises NotFound for another's view, ViewNameTaken for a name that the page has already."""
    sql = """
        UPDATE support.saved_view SET name = :name
        WHERE view_id = :view_id AND user_id = :user_id
    """
    try:
        _change(engine, sql, view_id, user_id, actor, "rename", {"name": name})
    except IntegrityError:
        reason = "another view of this page has it"
        raise ViewNameTaken(f"name: {reason}.", fields={"name": reason}) from None


def start_with(engine: Engine, view_id: int, *, user_id: int, role: Role, actor: Actor) -> None:
    """What one begins with from now on, one's own view or one that is shared with one's role; said
    of the view that it is already, no longer. Raises NotFound for any other."""
    params = {"view_id": view_id, "user_id": user_id, "role": str(role)}
    with engine.begin() as connection:
        ended = connection.execute(text(_END_START), params)
        if not ended.rowcount and not connection.execute(text(_START), params).rowcount:
            raise NotFound(f"There is no view {view_id} of yours or of your role.")
        audit.note_on(connection, actor, "view", view_id, "start", None)


def role_starts_with(engine: Engine, view_id: int, *, user_id: int, actor: Actor) -> None:
    """What those of its role begin with who have chosen nothing themselves; said of the view that
    it is already, no longer. Raises NotFound for another's view and for one that is not shared."""
    sql = """
        UPDATE support.saved_view SET is_default = view_id = :view_id AND NOT is_default
        WHERE shared_with = (
            SELECT shared_with FROM support.saved_view
            WHERE view_id = :view_id AND user_id = :user_id
        )
    """
    _change(engine, sql, view_id, user_id, actor, "role_start")


def _change(
    engine: Engine,
    sql: str,
    view_id: int,
    user_id: int,
    actor: Actor,
    action: str,
    after: dict[str, Any] | None = None,
) -> None:
    with engine.begin() as connection:
        params = {"view_id": view_id, "user_id": user_id, **(after or {})}
        done = connection.execute(text(sql), params)
        if not done.rowcount:
            raise NotFound(f"There is no view {view_id} of yours.")
        audit.note_on(connection, actor, "view", view_id, action, after or None)
