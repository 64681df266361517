"""What-ifs that are played while somebody waits: so many rows and years that it takes no longer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from domain import years
from domain.what_if import Change, Comparison, CurvePoint
from warehouse.queries.published import PublishedRun
from warehouse.queries.stocked import rows, stocked, terms

MOST_PLAYED = 1_000
"""Item-depots of one answer, at most."""
YEARS_PLAYED = 4_000
"""Item-depots × years of one answer, at most."""
MOST_YEARS = 64


def compare(
    connection: Connection,
    run: PublishedRun,
    where: str,
    params: Mapping[str, Any],
    change: Change,
    *,
    few: bool,
) -> Comparison:
    """Both sides of a change over the item-depots that `where` lets through; `few`: those of one
    item or depot."""
    in_view = rows(connection, run.run_id, where, params, histories=few)
    found = in_view.with_levels
    chosen, weight = years.sample(found.value, MOST_PLAYED)
    here = stocked(connection, run.run_id, found.at(chosen), weight)
    valued = _terms(connection, run, len(here))
    return years.compare(here, change, valued, items=len(found), items_in_view=len(in_view))


def curve(
    connection: Connection, run: PublishedRun, where: str, params: Mapping[str, Any]
) -> list[CurvePoint]:
    """The curve of stock value against service of one item or depot; empty without any."""
    found = rows(connection, run.run_id, where, params, histories=True).with_levels
    if not len(found):
        return []
    chosen, weight = years.sample(found.value, MOST_PLAYED)
    here = stocked(connection, run.run_id, found.at(chosen), weight)
    return years.curve_of(here, _terms(connection, run, len(here)))


def _terms(connection: Connection, run: PublishedRun, count: int) -> years.Terms:
    drawn = max(2, min(MOST_YEARS, YEARS_PLAYED // max(count, 1)))
    return replace(terms(connection, run.native), scenarios=drawn)
