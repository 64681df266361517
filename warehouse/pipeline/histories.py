"""Recorded demand as one matrix: a row an item-depot, a column a period."""

from __future__ import annotations

from datetime import date
from io import StringIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Connection

from domain.inventory import Array
from warehouse.db import copy
from warehouse.queries.published import BUCKET, last_day, next_period

_DEMAND = """
COPY (
    SELECT item_id, site_id, date_trunc('{bucket}', date::timestamp)::date AS period,
        greatest(0, sum(quantity)) AS quantity
    FROM core.demand WHERE date >= '{since}' AND date <= '{until}' GROUP BY 1, 2, 3
) TO STDOUT (FORMAT csv)
"""


def demand_matrix(
    connection: Connection, keys: pd.DataFrame, frequency: str, data_to: date, periods: int
) -> Array:
    """Demand of each (item_id, site_id) of `keys` in the `periods` up to the one that begins on
    `data_to`, (rows, periods), the oldest first; 0 in one in which more came back than was asked
    for."""
    since = next_period(data_to, frequency, 1 - periods)
    buffer = StringIO()
    statement = _DEMAND.format(
        bucket=BUCKET[frequency], since=since, until=last_day(data_to, frequency)
    )
    copy(connection, statement, buffer)
    buffer.seek(0)
    names = ["item_id", "site_id", "period", "quantity"]
    rows = pd.read_csv(buffer, names=names)
    rows["period"] = pd.to_datetime(rows["period"])
    found = np.zeros((len(keys), periods))
    wanted = pd.MultiIndex.from_frame(keys[["item_id", "site_id"]])
    row = wanted.get_indexer(pd.MultiIndex.from_frame(rows[["item_id", "site_id"]]))
    column = _column(rows["period"], since, frequency)
    known = (row >= 0) & (column >= 0) & (column < periods)
    found[row[known], column[known]] = rows["quantity"].to_numpy(float)[known]
    return found


def daily_matrix(
    connection: Connection, keys: pd.DataFrame, native: str, known_to: date, days: int
) -> Array:
    """The same of each of so many days, up to the last one of the period that `known_to` is in:
    what is recorded by the week or the month, as `native` says, lies evenly on its days."""
    until = pd.Timestamp(known_to).to_period(native).end_time.date()
    found = demand_matrix(connection, keys, "D", until, days)
    if native == "D":
        return found
    period = pd.date_range(end=until, periods=days).to_period(native)
    firsts = np.flatnonzero(~period.duplicated())
    lengths = np.diff([*firsts, days])
    return np.repeat(np.add.reduceat(found, firsts, axis=1) / lengths, lengths, axis=1)


def _column(starts: pd.Series, since: date, frequency: str) -> NDArray[np.int64]:
    if frequency == "M":
        months = (starts.dt.year - since.year) * 12 + starts.dt.month - since.month
        return np.asarray(months, np.int64)
    days = (starts - pd.Timestamp(since)).dt.days // (7 if frequency == "W" else 1)
    return np.asarray(days, np.int64)
