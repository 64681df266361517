"""`core.calendar`: the days that the facts cover and two years more, with Brazil's holidays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, timedelta
from functools import cache

from sqlalchemy import Connection, insert, text

from domain.erp import UFS
from warehouse.tables.core import calendar

YEARS_AHEAD = 2
LAST_YEAR = 2100


@contextmanager
def filled_calendar(connection: Connection, first: date, last: date) -> Iterator[None]:
    """Adds the years from `first`'s to two after `last`'s that the calendar lacks; their holidays
    are worked out while the statements of the body run."""
    known = set(connection.execute(text("SELECT DISTINCT year FROM core.calendar")).scalars())
    wanted = range(first.year, min(last.year + YEARS_AHEAD, LAST_YEAR) + 1)
    with ThreadPoolExecutor(1) as aside:
        found = [aside.submit(_days, year) for year in sorted(set(wanted) - known)]
        yield
        for days in found:
            connection.execute(insert(calendar), days.result())


def _days(year: int) -> list[dict[str, object]]:
    national, by_uf = _holidays(year)
    days = ((date(year, 1, 1) + timedelta(days=n)) for n in range(366))
    return [_day(day, national, by_uf) for day in days if day.year == year]


def _day(
    day: date, national: dict[date, str], by_uf: dict[date, dict[str, str]]
) -> dict[str, object]:
    iso_year, iso_week, weekday = day.isocalendar()
    return {
        "date": day,
        "year": day.year,
        "month": day.month,
        "iso_year": iso_year,
        "iso_week": iso_week,
        "weekday": weekday,
        "holiday": national.get(day),
        "uf_holidays": by_uf.get(day, {}),
    }


@cache
def _holidays(year: int) -> tuple[dict[date, str], dict[date, dict[str, str]]]:
    """National holidays, and those of one UF alone, by day: names in Portuguese."""
    from holidays import country_holidays

    national = dict(country_holidays("BR", years=year, language="pt_BR"))
    by_uf: dict[date, dict[str, str]] = defaultdict(dict)
    for uf in UFS:
        local = country_holidays("BR", subdiv=uf, years=year, language="pt_BR")
        for day, name in local.items():
            if day not in national:
                by_uf[day][uf] = name
    return national, dict(by_uf)
