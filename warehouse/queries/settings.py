"""Thresholds as they are in force. Never cached: whoever changes them looks at them next."""

from __future__ import annotations

from sqlalchemy import text

from domain.records import ThresholdValue
from domain.thresholds import DEFAULTS, THRESHOLDS, current
from warehouse.db import primary


def thresholds() -> list[ThresholdValue]:
    """Each with its limits, in the order of `domain.thresholds`. Raises Unavailable."""
    sql = "SELECT key, value, changed_by, changed_at FROM support.setting WHERE key = ANY(:keys)"
    with primary() as connection:
        rows = {row.key: row for row in connection.execute(text(sql), {"keys": list(DEFAULTS)})}
    values = {key: row.value for key, row in rows.items()}
    return [
        ThresholdValue(
            name=one.name,
            value=current(values, one.name),
            default=one.default,
            unit=one.unit,
            low=one.low,
            high=one.high,
            changed_by=rows[one.row].changed_by if one.of(values) is not None else None,
            changed_at=rows[one.row].changed_at if one.of(values) is not None else None,
        )
        for one in THRESHOLDS
    ]
