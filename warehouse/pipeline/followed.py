"""What was decided about recommendations before, and what of it the data do not show yet.

A purchase that was done is on order, and a transfer or reduction that was accepted or done counts
as if it had happened, until the data of a later day than the decision's can tell: order lines of
that item and depot, of the same quantity together, or the end of the lead time; a count of the
depot. Until then they stay as they were decided; what is advised besides is advice of its own.
Order lines that were loaded before the decision were known to it and tell nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Row

from domain.recommending.frames import REDUCE, REORDER, TRANSFER
from domain.recommending.queue import FOLLOWED
from warehouse.pipeline.copying import frame_of
from warehouse.queries.daily import CANCELLED, ordered_from
from warehouse.queries.filtering import is_open, status_now
from warehouse.queries.recommendations import DECIDED, LAST_DECISION

NTH = "#"
"""Before the number of advice that came up beside decided advice with the same fingerprint."""
REPEATED = (REORDER, TRANSFER, REDUCE)
"""Kinds with a quantity, of which more may be needed than was decided. Their fingerprints are made
of numbers."""

CARRIED = f"""
SELECT DISTINCT ON (fingerprint) fingerprint, kind, priority, item_id, site_id, from_site_id,
    supplier_id, quantity, act_by, value_brl, raised_at, recommendation.facts, narrative,
    narrative_source, {DECIDED} AS decided,
    latest.at AS decided_at,
    CASE WHEN run_id = :run_id THEN id END AS id, {status_now("recommendation")} AS status,
    CASE WHEN NOT {is_open("recommendation")} THEN snoozed_until END AS snoozed_until
FROM analytics.recommendation
LEFT JOIN LATERAL {LAST_DECISION} ON recommendation.status IN ('accepted', 'done')
WHERE run_id = :run_id OR run_id = (SELECT run_id FROM analytics.published)
ORDER BY fingerprint, run_id = :run_id
"""
"""Of both runs the published one's: that is where people decided. The number stays where the same
run is derived again: it stands on somebody's screen. `decided`: the facts of what was accepted or
done."""

_FOLLOWED = f"""
WITH decided AS (
    SELECT fingerprint, kind, item_id, site_id, from_site_id, status,
        (decided ->> 'quantity')::double precision AS quantity,
        (decided ->> 'today')::date AS decided_on, decided_at,
        coalesce((decided ->> 'lead_time_days')::double precision, 0) AS lead_time_days
    FROM ({CARRIED}) AS carried WHERE decided IS NOT NULL
), done AS (
    SELECT *, sum(quantity) OVER place AS of_all, min(decided_on) OVER place AS since,
        min(decided_at) OVER place AS first_decided_at
    FROM decided
    WHERE kind = '{REORDER}' AND status = 'done'
        AND decided_on + ceil(lead_time_days)::int >= :today
    WINDOW place AS (PARTITION BY item_id, site_id)
), bought AS (
    SELECT fingerprint, item_id, site_id, quantity, of_all, of_all - coalesce((
        SELECT sum(line.quantity) FROM core.purchase_order AS line
        WHERE line.item_id = done.item_id AND line.site_id = done.site_id
            AND CASE WHEN line.first_loaded_at IS NULL THEN line.ordered_on > done.since
                ELSE line.first_loaded_at > done.first_decided_at
                    AND {ordered_from("done.since")} END
            AND lower(coalesce(line.status, '')) <> ALL(:cancelled)
    ), 0) AS still
    FROM done
)
SELECT fingerprint, item_id, site_id, 'bought' AS how, quantity * still / of_all AS quantity
FROM bought WHERE still > 0
UNION ALL
SELECT fingerprint, item_id, site_id, how, quantity
FROM (
    SELECT fingerprint, item_id, site_id, 'reduced' AS how, quantity, decided_on
    FROM decided WHERE kind = '{REDUCE}'
    UNION ALL
    SELECT fingerprint, item_id, from_site_id, 'gave', quantity, decided_on
    FROM decided WHERE kind = '{TRANSFER}'
    UNION ALL
    SELECT fingerprint, item_id, site_id, 'took', quantity, decided_on
    FROM decided WHERE kind = '{TRANSFER}'
) AS moved
JOIN analytics.series_overview AS overview USING (item_id, site_id)
WHERE overview.stock_date <= decided_on
"""


def followed(connection: Connection, run_id: int, today: date) -> pd.DataFrame:
    """What the data do not show yet, one row each with its `fingerprint`, item_id, site_id, `how`
    (one of FOLLOWED) and quantity."""
    params = {"run_id": run_id, "today": today, "cancelled": list(CANCELLED)}
    frame = frame_of(connection, _FOLLOWED, params)
    return frame.astype({"item_id": "int64", "site_id": "int64", "quantity": "float64"})


def rejected(carried: Sequence[Row[Any]]) -> set[str]:
    """The fingerprints of moves that were rejected."""
    found = (one for one in carried if one.kind == TRANSFER and one.status == "rejected")
    return {one.fingerprint.split(NTH)[0] for one in found}


def by_place(effects: pd.DataFrame) -> pd.DataFrame:
    """Their sums as `recommend` takes them: item_id, site_id and FOLLOWED."""
    sums = effects.pivot_table(
        index=["item_id", "site_id"], columns="how", values="quantity", aggfunc="sum"
    )
    return sums.reindex(columns=list(FOLLOWED)).fillna(0.0).reset_index()


def named_anew(
    rows: Sequence[dict[str, Any]], carried: Sequence[Row[Any]], standing: set[str]
) -> list[dict[str, Any]]:
    """The rows, each with the fingerprint of the advice that it is: of that which is known and
    neither `standing` nor done; where all that is known is, of new advice with a number."""
    known: dict[str, list[Row[Any]]] = {}
    for one in carried:
        if one.kind in REPEATED:
            known.setdefault(one.fingerprint.split(NTH)[0], []).append(one)
    families = [(row, known.get(row["fingerprint"], [])) for row in rows]
    return [
        row | {"fingerprint": _named(row["fingerprint"], family, standing)}
        for row, family in families
    ]


def _named(fingerprint: str, known: Sequence[Row[Any]], standing: set[str]) -> str:
    same = [one for one in known if one.status != "done" and one.fingerprint not in standing]
    if same:
        return str(min(same, key=lambda one: (one.status == "open", one.fingerprint)).fingerprint)
    numbers = [int(one.fingerprint.partition(NTH)[2] or 1) for one in known]
    return f"{fingerprint}{NTH}{max(numbers) + 1}" if known else fingerprint
