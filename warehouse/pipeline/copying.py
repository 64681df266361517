"""Frames out of Postgres and into it."""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO
from typing import Any

import pandas as pd
from sqlalchemy import Connection, text

from warehouse.db import copy


def frame_of(connection: Connection, sql: str, params: Mapping[str, Any]) -> pd.DataFrame:
    """The rows of a select, columns named as there."""
    result = connection.execute(text(sql), dict(params))
    return pd.DataFrame.from_records(result.all(), columns=list(result.keys()))


def stage(connection: Connection, name: str, table: str, frame: pd.DataFrame) -> None:
    """Puts the frame's rows into a temporary table of this name, gone with the commit; its columns
    are the frame's, of the types that they have in `table`."""
    connection.execute(text(f"DROP TABLE IF EXISTS {name}"))
    columns = f"SELECT {', '.join(frame.columns)} FROM {table} WITH NO DATA"
    connection.execute(text(f"CREATE TEMPORARY TABLE {name} ON COMMIT DROP AS {columns}"))
    copy_frame(connection, name, frame)


def copy_frame(connection: Connection, table: str, frame: pd.DataFrame) -> None:
    """Adds the frame's rows to a table by COPY; an empty cell is NULL."""
    buffer = StringIO(frame.to_csv(index=False, header=False, date_format="%Y-%m-%d"))
    statement = f"COPY {table} ({', '.join(frame.columns)}) FROM STDIN (FORMAT csv)"
    copy(connection, statement, buffer)
