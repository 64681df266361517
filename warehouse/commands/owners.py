"""Whose alerts are: nobody keeps one that they may not act on any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, text

from warehouse.commands import audit
from warehouse.queries.filtering import Where, series_where
from warehouse.queries.users import UserRow

if TYPE_CHECKING:
    from warehouse.commands.users import Actor

_RELEASE = """
UPDATE analytics.alert SET owner_id = NULL FROM core.item, core.site
WHERE alert.owner_id = :owner_id AND item.item_id = alert.item_id AND site.site_id = alert.site_id
    AND ({theirs}) IS NOT TRUE
RETURNING run_id IS NOT DISTINCT FROM (SELECT run_id FROM analytics.published) AS is_shown
"""


def releasing(person: UserRow) -> tuple[str, dict[str, Any]]:
    """SQL, with its parameters, that makes nobody's what this person may not act on: all where they
    may not act at all, else what is out of their scope, in every run. Of each alert it gives
    whether it is of the published run, `is_shown`."""
    theirs = series_where(person.scope) if person.may_act else Where(["false"])
    return _RELEASE.format(theirs=theirs.sql), {**theirs.params, "owner_id": person.user_id}


def release(connection: Connection, person: UserRow) -> int:
    """Does so alone; gives how many of those that are shown it has taken."""
    sql, params = releasing(person)
    return sum(connection.execute(text(sql), params).scalars())


def note_release(connection: Connection, actor: Actor, email: str, count: int) -> None:
    """The audit row of so many alerts taken from a person."""
    audit.note(
        connection,
        actor,
        action="user.release_alerts",
        object=f"user:{email}",
        before={"alerts": count},
        after={"alerts": 0},
    )
