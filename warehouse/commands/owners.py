"""Whose alerts are: nobody keeps one that they may not act on any more."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

from warehouse.queries.filtering import Where, series_where
from warehouse.queries.users import UserRow

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


def release(connection: Connection, person: UserRow) -> bool:
    """Does so alone; True if something that is shown has changed."""
    sql, params = releasing(person)
    return any(connection.execute(text(sql), params).scalars())
