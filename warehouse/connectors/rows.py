"""What a source is asked for and what it gives."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, NamedTuple

SOURCES = ("sgs", "ptax", "sidra", "open_meteo", "holidays")
"""What files of drivers can be made of; holidays are computed."""

SETTLED_DAYS = 120
"""Days after which a source is not expected to revise its figures."""


class Row(NamedTuple):
    """One line of a file of drivers; `uf` is empty for the whole country."""

    date: date
    driver: str
    value: float
    uf: str = ""


@dataclass(frozen=True)
class Point:
    """Where a UF's weather is taken."""

    uf: str
    latitude: float
    longitude: float
    timezone: str


@dataclass(frozen=True)
class Asked:
    """Days from `first` to `last`, both included, as of `today`; UFs by their points. `ahead`: the
    last day of what is known ahead, as holidays are."""

    first: date
    last: date
    today: date
    ahead: date
    points: Sequence[Point] = ()

    @property
    def is_settled(self) -> bool:
        """Whether the figures of these days are not expected to change any more."""
        return self.last < self.today - timedelta(days=SETTLED_DAYS)

    def windows(self, years: int) -> Iterator[Asked]:
        """These days in blocks of so many calendar years, the same ones whenever asked."""
        start = self.first
        while start <= self.last:
            end = date(start.year - start.year % years + years - 1, 12, 31)
            yield replace(self, first=start, last=min(end, self.last))
            start = end + timedelta(days=1)


def number(value: Any) -> float | None:
    """A finite number; None of what a source writes where it has none."""
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) else None
