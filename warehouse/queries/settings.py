"""Thresholds as they are in force. Never cached: whoever changes them looks at them next."""

from __future__ import annotations

from sqlalchemy import text

from domain.records import ThresholdValue
from domain.thresholds import KEY, THRESHOLDS, current
from warehouse.db import primary


def thresholds() -> list[ThresholdValue]:
    """Each with its limits, in the order of `domain.thresholds`. Raises Unavailable."""
    sql = "SELECT value, changed_by, changed_at FROM support.setting WHERE key = :key"
    with primary() as connection:
        row = connection.execute(text(sql), {"key": KEY}).one_or_none()
    values = row.value if row else {}
    by, at = (row.changed_by, row.changed_at) if row else (None, None)
    return [
        ThresholdValue(
            name=one.name,
            value=current(values, one.name),
            default=one.default,
            unit=one.unit,
            low=one.low,
            high=one.high,
            changed_by=by if one.of(values) is not None else None,
            changed_at=at if one.of(values) is not None else None,
        )
        for one in THRESHOLDS
    ]
