"""What to do about the stock of a run: `domain.recommending` over its policy, with words.

A recommendation that persists keeps its status, its date and, as long as its facts are the same,
its words; what was snoozed wakes up when its time is over.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Row, text

from domain.recommendation_wording import narrative
from domain.recommending.frames import Context
from domain.recommending.queue import NEEDED, recommend
from warehouse.decided import as_decided
from warehouse.pipeline.copying import frame_of, stage
from warehouse.pipeline.derivation import Setup
from warehouse.pipeline.followed import CARRIED, by_place, followed, named_anew, rejected
from warehouse.pipeline.lead_times import MEASURED_DAYS
from warehouse.queries.daily import CANCELLED, FIRST_PROMISE


def recommendations_of(
    connection: Connection, setup: Setup, stock: pd.DataFrame, orders: pd.DataFrame
) -> list[dict[str, Any]]:
    """The run's recommendations, as nobody has decided about them, and those that stay as they were
    decided; the others do without the transfers that were rejected and count on what was followed.
    stock and orders: the frames that its alerts are made of."""
    context = Context(setup.today, setup.settings, setup.rates)
    stock = stock.drop(columns=[name for name in _PLACED if name in stock])
    stock = stock.merge(_places(connection), on=["item_id", "site_id"])
    lines, supply = _with_supplier(connection, orders), _supply(connection, setup.today)
    carried = connection.execute(text(CARRIED), {"run_id": setup.run_id}).all()
    effects = followed(connection, setup.run_id, setup.today)
    standing = set(effects["fingerprint"])
    found = recommend(
        stock[NEEDED], lines, supply, context, rejected(carried), by_place(effects)
    ).to_dict("records")
    made = [_row(setup.run_id, one) for one in found]
    kept = [_standing(setup.run_id, one) for one in carried if one.fingerprint in standing]
    return named_anew(made, carried, standing) + kept


# Reading

_PLACED = (
    "item_name unit site site_name uf latitude longitude own_supplier_id own_supplier"
).split()

_PLACES = """
SELECT series.item_id, series.site_id, item.name AS item_name, item.unit, site.site,
    site.name AS site_name, site.uf,
    coalesce(site.latitude, uf.latitude) AS latitude,
    coalesce(site.longitude, uf.longitude) AS longitude,
    item.supplier_id AS own_supplier_id, coalesce(supplier.name, supplier.supplier) AS own_supplier
FROM analytics.series_overview AS series
JOIN core.item USING (item_id)
JOIN core.site USING (site_id)
LEFT JOIN core.uf ON uf.uf = site.uf
LEFT JOIN core.supplier ON supplier.supplier_id = item.supplier_id
"""


def _places(connection: Connection) -> pd.DataFrame:
    """Names, places and suppliers of what has demand or stock; a depot without coordinates stands
    in its UF's capital."""
    frame = frame_of(connection, _PLACES, {})
    numbers = ("latitude", "longitude", "own_supplier_id")
    return frame.astype(dict.fromkeys(numbers, "float64"))


_SUPPLY = f"""
SELECT item_id, supplier_id, coalesce(supplier.name, supplier.supplier) AS supplier,
    count(*) AS lines,
    count({FIRST_PROMISE}) AS promised,
    count(*) FILTER (WHERE received_on <= {FIRST_PROMISE}
        AND coalesce(received_qty, quantity) >= quantity) AS on_time,
    avg(lead_time_days)::double precision AS lead_mean,
    coalesce(stddev_samp(lead_time_days), 0)::double precision AS lead_std,
    sum(unit_price_brl * quantity) FILTER (WHERE unit_price_brl IS NOT NULL)
        / nullif(sum(quantity) FILTER (WHERE unit_price_brl IS NOT NULL), 0) AS price_brl
FROM core.purchase_order AS line JOIN core.supplier USING (supplier_id)
WHERE supplier_id <> 0 AND lead_time_days IS NOT NULL AND received_on BETWEEN :since AND :today
    AND lower(coalesce(status, '')) <> ALL(:cancelled)
GROUP BY item_id, supplier_id, supplier.name, supplier.supplier
"""


def _supply(connection: Connection, today: date) -> pd.DataFrame:
    """What each supplier delivered of each item over MEASURED_DAYS: `on_time` (and in full) of the
    `promised` lines, lead times and prices of all `lines`."""
    since = today - timedelta(days=MEASURED_DAYS)
    params = {"since": since, "today": today, "cancelled": list(CANCELLED)}
    frame = frame_of(connection, _SUPPLY, params)
    numbers = ("lines", "promised", "on_time", "lead_mean", "lead_std", "price_brl")
    keys = dict.fromkeys(("item_id", "supplier_id"), "int64")
    return frame.astype(dict.fromkeys(numbers, "float64") | keys)


def _with_supplier(connection: Connection, orders: pd.DataFrame) -> pd.DataFrame:
    sql = "SELECT supplier, supplier_id, coalesce(name, supplier) AS named FROM core.supplier"
    known = frame_of(connection, sql, {})
    rows = orders.drop(columns="supplier_id", errors="ignore").merge(known, on="supplier")
    return rows.assign(
        supplier=rows["named"], expected_on=pd.to_datetime(rows["expected_on"])
    ).astype({"item_id": "int64", "site_id": "int64"})


# Writing


_KEPT = f"CREATE TEMPORARY TABLE kept ON COMMIT DROP AS {CARRIED}"

_OWN = "run_id fingerprint kind priority item_id site_id from_site_id supplier_id".split()
_MADE = "quantity act_by value_brl facts narrative".split()
_STAYS = "kept.status = 'done' AND advised.status = 'open'"

_ADVISE = f"""
INSERT INTO analytics.recommendation (id, {", ".join([*_OWN, *_MADE])}, narrative_source, status,
    snoozed_until, raised_at)
SELECT coalesce(kept.id, nextval(pg_get_serial_sequence('analytics.recommendation', 'id'))),
    {", ".join(f"advised.{name}" for name in _OWN)},
    {", ".join(f"CASE WHEN {_STAYS} THEN kept.{one} ELSE advised.{one} END" for one in _MADE[:-1])},
    CASE WHEN {_STAYS} OR kept.facts = advised.facts THEN kept.narrative ELSE advised.narrative END,
    CASE WHEN {_STAYS} OR kept.facts = advised.facts THEN kept.narrative_source ELSE 'template' END,
    coalesce(kept.status, 'open'), kept.snoozed_until, coalesce(kept.raised_at, now())
FROM advised LEFT JOIN kept USING (fingerprint)
"""
"""What was done while this was derived stays as it was decided, as what had been done before."""


def stage_recommendations(connection: Connection, found: list[dict[str, Any]]) -> None:
    """Puts what `recommendations_of` gives where `write_recommendations` takes it from."""
    rows = pd.DataFrame(found, columns=[*_OWN, *_MADE, "status"], dtype=object)
    stage(connection, "advised", "analytics.recommendation", rows)


def write_recommendations(connection: Connection, run_id: int) -> None:
    """Replaces the run's recommendations by those that are staged; one that was there before keeps
    its number, status and date, its words while its facts are the same, and all of it where it was
    done. From here to the commit nobody can decide about recommendations."""
    params = {"run_id": run_id}
    # see `write_alerts`
    connection.execute(text("LOCK TABLE analytics.recommendation IN EXCLUSIVE MODE"))
    connection.execute(text("DROP TABLE IF EXISTS kept"))
    connection.execute(text(_KEPT), params)
    delete = "DELETE FROM analytics.recommendation WHERE run_id = :run_id"
    connection.execute(text(delete), params)
    connection.execute(text(_ADVISE), params)


def _row(run_id: int, one: dict[Any, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {name: None if value != value else value for name, value in one.items()}
    for key in ("item_id", "site_id", "from_site_id", "supplier_id"):
        row[key] = None if row[key] is None else int(row[key])
    return row | {
        "run_id": run_id,
        "priority": int(one["priority"]),
        "facts": json.dumps(one["facts"]),
        "narrative": json.dumps(narrative(one["kind"], one["facts"])),
        "status": "open",
    }


def _standing(run_id: int, known: Row[Any]) -> dict[str, Any]:
    """What stays as it was decided, from a row of CARRIED."""
    made = as_decided(known.kind, known.facts if known.decided is None else known.decided)
    made |= {"facts": json.dumps(made["facts"]), "narrative": json.dumps(made["narrative"])}
    own = {name: getattr(known, name) for name in _OWN[1:]}
    return own | made | {"run_id": run_id, "status": known.status}
