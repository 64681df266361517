"""Who waits in the database."""

from __future__ import annotations

from sqlalchemy import Connection, text

_WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND query LIKE :query AND datname = current_database()
"""


def waiting(connection: Connection, query: str = "%") -> int:
    """How many connections of this database wait for a lock with a statement like this one.
    `connection` sees what is new if it commits by itself."""
    return int(connection.execute(text(_WAITING), {"query": query}).scalar_one())
