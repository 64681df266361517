"""The levels of a loaded run add up: each one's forecast is the sum of its depots' in `core`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from domain.errors import BadBundle
from domain.levels import COUNTRY, LEVELS, Level

TOLERANCE = 1e-6
"""Relative; the sums are of doubles, in no fixed order."""

_WHAT = {
    "item": ("depot.item_id", "''", "coalesce(depot.unit, '')"),
    "family": ("0", "depot.family", "depot.unit"),
    "all": ("0", "''", "depot.unit"),
}
_NEEDED = {"item": "true", "family": "depot.family <> '' AND depot.unit <> ''", "all": "true"}
_AREA = {"uf": "depot.uf", "region": "depot.region", "country": f"'{COUNTRY}'"}

_DEPOTS = """
CREATE TEMPORARY TABLE depot ON COMMIT DROP AS
SELECT item_id, item.sku, item.family, item.unit, site.uf, uf.region, forecast.date, forecast.mean
FROM analytics.forecast
JOIN core.item USING (item_id) JOIN core.site USING (site_id) LEFT JOIN core.uf USING (uf)
WHERE run_id = :run_id AND model = 'ensemble'
"""

_WRONG = """
SELECT coalesce(item.sku, keys.family || ' (' || keys.unit || ')') AS what, keys.area, keys.date,
    summed.mean AS depots, stated.mean AS stated
FROM (
    SELECT {item} AS item_id, {family} AS family, {unit} AS unit, {area} AS area, date,
        sum(mean) AS mean
    FROM depot WHERE {area} IS NOT NULL AND {needed} GROUP BY 1, 2, 3, 4, 5
) AS summed
FULL JOIN (
    SELECT item_id, family, unit, area, date, mean FROM analytics.level_forecast
    WHERE run_id = :run_id AND level = :level
) AS stated USING (item_id, family, unit, area, date)
CROSS JOIN LATERAL (SELECT item_id, family, unit, area, date) AS keys
LEFT JOIN core.item ON item.item_id = keys.item_id
WHERE (abs(summed.mean - stated.mean) <= :tolerance * greatest(1, abs(summed.mean))) IS NOT TRUE
ORDER BY keys.date, 1, keys.area LIMIT 1
"""


def check_sums(connection: Connection, run_id: int) -> None:
    """Raises BadBundle that names the first forecast which is not the sum of its depots'."""
    connection.execute(text(_DEPOTS), {"run_id": run_id})
    connection.execute(text("ANALYZE depot"))
    for name in _levels(connection, run_id):
        sql = text(_wrong(LEVELS[name]))
        params = {"run_id": run_id, "level": name, "tolerance": TOLERANCE}
        found = connection.execute(sql, params).one_or_none()
        if found is not None:
            raise BadBundle(_reason(name, found))


def _levels(connection: Connection, run_id: int) -> Sequence[str]:
    """Every level; "all" only where the run has it: it is of one unit alone."""
    sql = text("SELECT DISTINCT level FROM analytics.level_forecast WHERE run_id = :run_id")
    present = set(connection.execute(sql, {"run_id": run_id}).scalars())
    return [name for name, level in LEVELS.items() if name in present or level.what != "all"]


def _wrong(level: Level) -> str:
    item, family, unit = _WHAT[level.what]
    return _WRONG.format(
        item=item, family=family, unit=unit, area=_AREA[level.area], needed=_NEEDED[level.what]
    )


def _reason(level: str, row: Row[Any]) -> str:
    where = f"hierarchy.parquet: level {level}, {row.what!r} in {row.area} on {row.date}"
    if row.stated is None:
        return f"{where}: is missing."
    if row.depots is None:
        return f"{where}: no depot forecast belongs to it; train again if items or sites changed."
    return (
        f"{where}: is {row.stated:.6g}, but its depots sum to {row.depots:.6g};"
        " train again if items or sites changed."
    )
