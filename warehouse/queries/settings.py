"""Thresholds and the policy's method as they are in force. Never cached: whoever changes them looks
at them next."""

from __future__ import annotations

from sqlalchemy import text

from domain.records import CompanySettings, PolicyMethod, ThresholdValue
from domain.thresholds import (
    DEFAULTS,
    METHOD,
    METHODS,
    POLICY,
    THRESHOLDS,
    current,
    method_of,
)
from warehouse.db import primary


def in_force() -> CompanySettings:
    """Thresholds with their limits, in the order of `domain.thresholds`, and where safety stocks
    come from. Raises Unavailable."""
    sql = "SELECT key, value, changed_by, changed_at FROM support.setting WHERE key = ANY(:keys)"
    with primary() as connection:
        rows = {row.key: row for row in connection.execute(text(sql), {"keys": list(DEFAULTS)})}
    values = {key: row.value for key, row in rows.items()}
    thresholds = [
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
    chosen = METHOD in values.get(POLICY, {})
    method = PolicyMethod(
        value=method_of(values),
        default=DEFAULTS[POLICY].method,
        options=list(METHODS),
        changed_by=rows[POLICY].changed_by if chosen else None,
        changed_at=rows[POLICY].changed_at if chosen else None,
    )
    return CompanySettings(thresholds, method)
