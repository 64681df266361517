"""Putting one's own word in the forecast's place, and taking it back.

The override, its periods with the model's forecast as it was, the decision, the audit row and the
job that derives the published run again are one transaction. Nothing is changed afterwards but an
override's end: by a person, or by a newer one that takes its last period ahead.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, text

from domain.access import Scope
from domain.clock import today
from domain.errors import NotAllowed, NotFound, OverrideEnded
from domain.overrides import MAX_POINTS, Adjustment, Why, check_why
from warehouse.caching import COUNT_REVISION, KNOWN, forget_version
from warehouse.commands import audit, jobs
from warehouse.commands.users import Actor
from warehouse.queries.filtering import series_where
from warehouse.queries.override_targets import (
    COUNTS,
    Target,
    ahead,
    check_reach,
    last_known_day,
    target_of,
)
from warehouse.queries.published import RUN, run_of

LOCK = 0x6F766572

_SAVE = f"""
WITH made AS (
    INSERT INTO support.override (user_id, actor, run_id, as_of, frequency, sku, site, family, uf,
        change, reason, note, expires_on)
    SELECT :user_id, :actor, :run_id, :as_of, :frequency, named ->> 'sku', named ->> 'site',
        named ->> 'family', named ->> 'uf', :change, :reason, :note, :expires_on
    FROM CAST(:named AS jsonb) AS named
    RETURNING override_id
), point AS (
    INSERT INTO support.override_point (override_id, item_id, site_id, date, mean, model_mean,
        model_p10, model_p50, model_p90, naive_mean)
    SELECT override_id, item_id, site_id, date, mean, model_mean, model_p10, model_p50, model_p90,
        naive_mean
    FROM ({{points}} LIMIT {MAX_POINTS + 1}) AS wanted CROSS JOIN made
    RETURNING item_id, site_id, date, mean, model_mean
), taken AS (
    UPDATE support.override_point AS old SET superseded_by = made.override_id
    FROM point AS new, made, support.override
    WHERE old.item_id = new.item_id AND old.site_id = new.site_id AND old.date = new.date
        AND old.superseded_by IS NULL AND override.override_id = old.override_id AND {COUNTS}
    RETURNING old.override_id, old.item_id, old.site_id, old.date
), replaced AS (
    UPDATE support.override SET ended_at = now(), ended_by = :actor, ended_as_of = :as_of,
        superseded_by = made.override_id
    FROM made
    WHERE override.override_id IN (SELECT override_id FROM taken) AND ended_at IS NULL
        AND NOT EXISTS (
            SELECT FROM support.override_point AS left_over
            LEFT JOIN taken USING (override_id, item_id, site_id, date)
            WHERE left_over.override_id = override.override_id
                AND left_over.superseded_by IS NULL AND left_over.date >= :first
                AND taken.override_id IS NULL
        )
    RETURNING override.override_id, made.override_id AS by_id
), reached AS (
    SELECT count(DISTINCT (item_id, site_id)) AS series, count(*) AS points,
        min(date)::text AS "from", max(date)::text AS "to",
        sum(model_mean) AS before, sum(mean) AS after
    FROM point
), done AS (
    SELECT override_id, 'supersede' AS action, 'superseded' AS status, NULL AS reason,
        jsonb_build_object('superseded_by', by_id) AS facts
    FROM replaced
    UNION ALL
    SELECT override_id, 'save', 'in_force', :reason,
        CAST(:named AS jsonb) || to_jsonb(reached) || jsonb_build_object('replaced', (
            SELECT coalesce(jsonb_agg(DISTINCT taken.override_id), '[]') FROM taken
        ))
    FROM made CROSS JOIN reached
), {{noted}}
SELECT override_id, points FROM made CROSS JOIN reached
"""
"""An override takes its periods from older ones; those that have none ahead any more end."""

_END = """
WITH done AS (
    UPDATE support.override SET ended_at = now(), ended_by = :actor, ended_as_of = :as_of
    WHERE override_id = :override_id
    RETURNING override_id, 'end' AS action, 'ended' AS status, CAST(:reason AS text) AS reason,
        CAST('{{}}' AS jsonb) AS facts
), {noted}
SELECT override_id FROM done
"""

_NOTED = f"""
counted AS ({COUNT_REVISION}), decided AS (
    INSERT INTO support.decision (user_id, actor, kind, fingerprint, status, reason, facts)
    SELECT :user_id, :actor, 'override', 'override|' || override_id, status, reason, facts
    FROM done ORDER BY override_id
), noted AS (
    {
    audit.tell(
        "CROSS JOIN done ORDER BY override_id",
        action="'override.' || done.action",
        object="'override|' || override_id",
        after="jsonb_build_object('reason', done.reason) || done.facts",
    )
}
)
"""
"""A decision and an audit row of each override in `done`, the newest last."""


@dataclass(frozen=True)
class Person:
    """Who does it and what they may see."""

    actor: Actor
    user_id: int | None
    scope: Scope


@dataclass(frozen=True)
class Done:
    """The override, and the job that makes policy and alerts follow."""

    override_id: int
    job_id: int


def save(engine: Engine, asked: Adjustment, why: Why, *, who: Person) -> Done:
    """Puts an adjustment in force. Raises InvalidInput that names each field, NotFound for what is
    not there or out of scope, NothingPublished."""
    check_why(why, today())
    with engine.begin() as connection:
        _one_at_a_time(connection)
        target = target_of(connection, asked, who.scope)
        sql = text(_SAVE.format(points=target.sql, noted=_NOTED))
        made = connection.execute(sql, _values(connection, asked, why, target, who)).one()
        check_reach(asked, made.points)
        job_id = _derive(connection, made.override_id, who)
    jobs.spawn(engine, job_id)
    forget_version()
    return Done(made.override_id, job_id)


def end(engine: Engine, override_id: int, *, who: Person, reason: str | None = None) -> Done:
    """Takes an override back: the model's forecast counts again. Raises NotFound for one out of
    view, NotAllowed for one that reaches further, OverrideEnded for one that has ended."""
    where = series_where(who.scope)
    with engine.begin() as connection:
        _one_at_a_time(connection)
        sql = text(_ending(where.sql))
        found = connection.execute(sql, {**where.params, "override_id": override_id}).one()
        run = run_of(found)
        if not found.seen:
            raise NotFound(f"There is no override {override_id}.")
        if found.beyond:
            raise NotAllowed(
                "This override reaches beyond what you may see: ask whoever made it, or an"
                " administrator, to end it."
            )
        if found.ended_at is not None:
            raise OverrideEnded(
                f"Override {override_id} has ended already.", fields={"override": "has ended"}
            )
        params = {
            "override_id": override_id,
            "as_of": last_known_day(run, found.stock),
            "reason": reason,
            **_who(connection, who),
        }
        connection.execute(text(_END.format(noted=_NOTED)), params)
        job_id = _derive(connection, override_id, who)
    jobs.spawn(engine, job_id)
    forget_version()
    return Done(override_id, job_id)


def _one_at_a_time(connection: Connection) -> None:
    """Two people never take the same periods at once; what is known of the run is asked once."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
    connection.execution_options(**{KNOWN: {}})


def _ending(where: str) -> str:
    """The published run, an override's end, and whether it reaches something of what may be seen
    and something beyond it."""
    return f"""
        SELECT now.*, override.ended_at, points.seen, points.beyond
        FROM ({RUN}) AS now
        LEFT JOIN support.override ON override_id = :override_id
        LEFT JOIN LATERAL (
            SELECT bool_or(coalesce(({where}), false)) AS seen,
                NOT bool_and(coalesce(({where}), false)) AS beyond
            FROM support.override_point AS point
            JOIN core.item USING (item_id) JOIN core.site USING (site_id)
            WHERE point.override_id = override.override_id
        ) AS points ON true
    """


def _values(
    connection: Connection, asked: Adjustment, why: Why, target: Target, who: Person
) -> dict[str, Any]:
    """The parameters of _SAVE."""
    told = {name: getattr(asked, name) for name in ("sku", "site", "family", "uf", "change")}
    return {
        **target.params,
        "as_of": target.as_of,
        "first": ahead(target.run, target.as_of)[0],
        "reason": why.reason,
        "note": why.note.strip(),
        "expires_on": why.expires_on,
        "named": json.dumps({name: value for name, value in told.items() if value}),
        **_who(connection, who),
    }


def _who(connection: Connection, who: Person) -> dict[str, Any]:
    audited = audit.told(connection, who.actor, [{}])
    return {"user_id": who.user_id, "actor": who.actor.name, "audit": audited}


def _derive(connection: Connection, override_id: int, who: Person) -> int:
    return jobs.queue_derive(connection, object=f"override:{override_id}", actor=who.actor)
