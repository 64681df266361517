"""Holidays of each UF, national and of the state, computed: 1 on the day, 0 on others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import holidays

from warehouse.connectors.rows import Asked, Row


def rows(asked: Asked) -> Iterator[Row]:
    """`holiday` of every day of every UF, up to the last day that is known ahead."""
    days = [
        asked.first + timedelta(days=each) for each in range((asked.ahead - asked.first).days + 1)
    ]
    years = range(asked.first.year, asked.ahead.year + 1)
    for point in asked.points:
        known = holidays.country_holidays("BR", subdiv=point.uf, years=years)
        yield from (Row(day, "holiday", float(day in known), point.uf) for day in days)
