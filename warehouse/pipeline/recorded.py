"""What the company's files say of the replayed months: stock, days without it, orders, lead times.

Between counts the last one holds. A row is covered where it was counted in the month before the
first one and at least three times in each month.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from io import StringIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Connection

from domain.inventory import Array
from warehouse.db import copy
from warehouse.pipeline.copying import frame_of
from warehouse.pipeline.lead_times import MEASURED_DAYS, MEASURED_LINES
from warehouse.queries.daily import CANCELLED
from warehouse.queries.requests import MOST_OUT

BEFORE_DAYS = 35
LEAST_COUNTS = 3

_STOCK = """
COPY (
    SELECT item_id, site_id, date, on_hand FROM core.stock
    WHERE date >= '{since}' AND date < '{until}' ORDER BY date
) TO STDOUT (FORMAT csv)
"""
_ORDERS = """
SELECT item_id, site_id, ordered_on, received_on, promised_on,
    coalesce(received_qty, quantity) AS quantity
FROM core.purchase_order
WHERE ordered_on < :until AND (received_on IS NULL OR received_on >= :since OR ordered_on >= :since)
    AND lower(coalesce(status, '')) <> ALL(:cancelled)
"""
_RECEIVED = """
SELECT item_id, supplier_id, received_on, lead_time_days::double precision AS days
FROM core.purchase_order
WHERE lead_time_days IS NOT NULL AND lower(coalesce(status, '')) <> ALL(:cancelled)
"""


@dataclass(frozen=True)
class Recorded:
    """covered: rows that the files know enough of. stock_days: unit-days held, days_out: share of
    days without stock, at most 0.9, orders: placed; all (rows, months). on_hand: at the beginning.
    orders_open: order lines that were open then."""

    covered: NDArray[np.bool_]
    stock_days: Array
    days_out: Array
    orders: Array
    on_hand: Array
    open_orders: pd.DataFrame


def recorded(connection: Connection, keys: pd.DataFrame, months: Sequence[date]) -> Recorded:
    """Of the rows of `keys` (item_id, site_id); `months`: first days and the day after the last."""
    since = months[0] - timedelta(days=BEFORE_DAYS)
    days = (months[-1] - since).days
    counts = _counts(connection, since, months[-1])
    row = _rows_of(counts, keys)
    column = (counts["date"] - pd.Timestamp(since)).dt.days.to_numpy(int)
    counted = np.full((len(keys), days), np.nan)
    counted[row[row >= 0], column[row >= 0]] = counts["on_hand"].to_numpy(float)[row >= 0]
    held = pd.DataFrame(counted).ffill(axis=1).to_numpy()
    edges = [(day - since).days for day in months]
    spans = list(zip(edges, edges[1:], strict=False))
    number = np.stack([(~np.isnan(counted[:, a:b])).sum(axis=1) for a, b in spans], axis=1)
    orders = frame_of(
        connection, _ORDERS, {"since": since, "until": months[-1], "cancelled": list(CANCELLED)}
    )
    orders = orders.assign(row=_rows_of(orders, keys))
    orders = orders[orders["row"] >= 0]
    start = held[:, edges[0] - 1]
    return Recorded(
        covered=~np.isnan(start) & (number >= LEAST_COUNTS).all(axis=1),
        stock_days=np.stack([np.nansum(held[:, a:b], axis=1) for a, b in spans], axis=1),
        days_out=np.stack([_share_out(held[:, a:b]) for a, b in spans], axis=1),
        orders=_orders_by_month(orders, len(keys), months),
        on_hand=np.nan_to_num(start),
        open_orders=_open_at(orders, months[0]),
    )


def _counts(connection: Connection, since: date, until: date) -> pd.DataFrame:
    buffer = StringIO()
    copy(connection, _STOCK.format(since=since, until=until), buffer)
    buffer.seek(0)
    names = ["item_id", "site_id", "date", "on_hand"]
    found = pd.read_csv(buffer, names=names)
    return found.assign(date=pd.to_datetime(found["date"]))


def _rows_of(frame: pd.DataFrame, keys: pd.DataFrame) -> NDArray[np.int64]:
    wanted = pd.MultiIndex.from_frame(keys[["item_id", "site_id"]])
    return np.asarray(
        wanted.get_indexer(pd.MultiIndex.from_frame(frame[["item_id", "site_id"]])), np.int64
    )


def _share_out(held: Array) -> Array:
    share: Array = np.minimum((held <= 0).mean(axis=1), MOST_OUT)
    return share


def _orders_by_month(orders: pd.DataFrame, rows: int, months: Sequence[date]) -> Array:
    found = np.zeros((rows, len(months) - 1))
    edges = pd.to_datetime(pd.Series(months)).to_numpy()
    month = np.searchsorted(edges, pd.to_datetime(orders["ordered_on"]).to_numpy(), "right") - 1
    known = (month >= 0) & (month < found.shape[1])
    np.add.at(found, (orders["row"].to_numpy(int)[known], month[known]), 1.0)
    return found


def _open_at(orders: pd.DataFrame, day: date) -> pd.DataFrame:
    """Lines ordered before the day and delivered from it on, with the day on which they came."""
    ordered, received = pd.to_datetime(orders["ordered_on"]), pd.to_datetime(orders["received_on"])
    still = (ordered < pd.Timestamp(day)) & (received >= pd.Timestamp(day))
    return orders[still].assign(days=(received - pd.Timestamp(day)).dt.days)


def received_lines(connection: Connection) -> pd.DataFrame:
    """Every delivered order line with its lead time in days."""
    found = frame_of(connection, _RECEIVED, {"cancelled": list(CANCELLED)})
    return found.assign(received_on=pd.to_datetime(found["received_on"]))


def lead_times_at(received: pd.DataFrame, keys: pd.DataFrame, day: date) -> tuple[Array, Array]:
    """Mean and σ of each row's lead time in days as they were known on a day: of the item's own
    lines of the two years before, else of its supplier's, else as the items or the suppliers file
    says; NaN where none does."""
    stamp = pd.Timestamp(day)
    known = received[
        (received["received_on"] < stamp)
        & (received["received_on"] >= stamp - pd.Timedelta(days=MEASURED_DAYS))
    ]
    mean = keys["file_lead_time"].to_numpy(float).copy()
    spread = np.zeros(len(keys))
    for key in ("supplier_id", "item_id"):
        measured = known.groupby(key)["days"].agg(["count", "mean", "std"])
        measured = measured[measured["count"] >= MEASURED_LINES]
        found = measured.reindex(keys[key])
        there = found["mean"].notna().to_numpy()
        mean[there] = found["mean"].to_numpy(float)[there]
        spread[there] = found["std"].fillna(0).to_numpy(float)[there]
    return mean, spread
