"""Putting one's own word in the forecast's place, and taking it back.

The override, its periods with the model's forecast as it was, the decision, the audit row and the
job that derives the published run again are one transaction. Nothing is changed afterwards but an
override's end: by a person, or by a newer one that takes its last period ahead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, insert, text

from domain.access import Scope
from domain.clock import today
from domain.errors import InvalidInput, NotAllowed
from domain.overrides import Adjustment, Why, check_why
from warehouse.caching import count_revision, forget_version
from warehouse.commands import audit, jobs
from warehouse.commands.users import Actor
from warehouse.queries.filtering import series_where
from warehouse.queries.override_targets import Target, ahead, as_of_day, target_of
from warehouse.queries.overrides import read
from warehouse.queries.published import published_run
from warehouse.tables.support import decision, override

LOCK = 0x6F766572

_POINTS = """
INSERT INTO support.override_point (override_id, item_id, site_id, date, mean, model_mean,
    model_p10, model_p50, model_p90, naive_mean)
SELECT :override_id, item_id, site_id, date, mean, model_mean, model_p10, model_p50, model_p90,
    naive_mean
FROM ({points}) AS point
"""

_TAKE = """
UPDATE support.override_point AS old SET superseded_by = :override_id
FROM support.override_point AS new, support.override
WHERE new.override_id = :override_id AND old.item_id = new.item_id
    AND old.site_id = new.site_id AND old.date = new.date AND old.override_id <> :override_id
    AND old.superseded_by IS NULL AND override.override_id = old.override_id
    AND override.ended_at IS NULL
RETURNING old.override_id
"""

_SUPERSEDE = """
UPDATE support.override SET ended_at = now(), ended_by = :actor, ended_as_of = :as_of,
    superseded_by = :override_id
WHERE override_id = ANY(:touched) AND ended_at IS NULL AND NOT EXISTS (
    SELECT FROM support.override_point AS left_over
    WHERE left_over.override_id = override.override_id AND left_over.superseded_by IS NULL
        AND left_over.date >= :first
)
RETURNING override_id
"""


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
        override_id = _insert(connection, asked, why, target, who)
        connection.execute(
            text(_POINTS.format(points=target.sql)), {**target.params, "override_id": override_id}
        )
        replaced = _take_over(connection, override_id, target, who)
        facts = _facts(connection, override_id, asked) | {"replaced": replaced}
        _record(connection, "save", override_id, who, reason=why.reason, facts=facts)
        job_id = _derive(connection, override_id, who)
    jobs.spawn(engine, job_id)
    forget_version()
    return Done(override_id, job_id)


def end(engine: Engine, override_id: int, *, who: Person, reason: str | None = None) -> Done:
    """Takes an override back: the model's forecast counts again. Raises NotFound for one out of
    view, NotAllowed for one that reaches further, InvalidInput for one that has ended."""
    with engine.begin() as connection:
        _one_at_a_time(connection)
        found = read(connection, override_id, who.scope)
        if _reaches_beyond(connection, override_id, who.scope):
            raise NotAllowed(
                "This override reaches beyond what you may see: ask whoever made it, or an"
                " administrator, to end it."
            )
        if found.ended_at is not None:
            raise InvalidInput(
                f"Override {override_id} has ended already.", fields={"override": "has ended"}
            )
        as_of = as_of_day(connection, published_run(connection))
        connection.execute(
            text(
                "UPDATE support.override SET ended_at = now(), ended_by = :actor,"
                " ended_as_of = :as_of WHERE override_id = :id"
            ),
            {"actor": who.actor.name, "as_of": as_of, "id": override_id},
        )
        _record(connection, "end", override_id, who, reason=reason, facts={})
        job_id = _derive(connection, override_id, who)
    jobs.spawn(engine, job_id)
    forget_version()
    return Done(override_id, job_id)


def _one_at_a_time(connection: Connection) -> None:
    """Two people never take the same periods at once."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})


def _insert(
    connection: Connection, asked: Adjustment, why: Why, target: Target, who: Person
) -> int:
    values = {
        "user_id": who.user_id,
        "actor": who.actor.name,
        "run_id": target.run.run_id,
        "as_of": target.as_of,
        "frequency": target.run.frequency,
        **{name: getattr(asked, name) or None for name in ("sku", "site", "family", "uf")},
        "change": asked.change,
        "reason": why.reason,
        "note": why.note.strip(),
        "expires_on": why.expires_on,
    }
    made = insert(override).values(values).returning(override.c.override_id)
    return int(connection.execute(made).scalar_one())


def _take_over(connection: Connection, override_id: int, target: Target, who: Person) -> list[int]:
    """Periods of older ones become this one's; those that have none ahead any more end. Gives the
    older ones' numbers."""
    taken = connection.execute(text(_TAKE), {"override_id": override_id}).scalars()
    touched = sorted(set(taken))
    params = {"override_id": override_id, "touched": touched, "as_of": target.as_of}
    params |= {"actor": who.actor.name, "first": ahead(target.run, target.as_of)[0]}
    for number in connection.execute(text(_SUPERSEDE), params).scalars().all():
        facts = {"superseded_by": override_id}
        _record(connection, "supersede", number, who, reason=None, facts=facts)
    return touched


def _reaches_beyond(connection: Connection, override_id: int, scope: Scope) -> bool:
    where = series_where(scope)
    sql = f"""
        SELECT EXISTS (
            SELECT FROM support.override_point
            JOIN core.item USING (item_id) JOIN core.site USING (site_id)
            WHERE override_id = :id AND NOT coalesce(({where.sql}), false)
        )
    """
    params = {**where.params, "id": override_id}
    return bool(connection.execute(text(sql), params).scalar_one())


def _facts(connection: Connection, override_id: int, asked: Adjustment) -> dict[str, Any]:
    sql = """
        SELECT count(DISTINCT (item_id, site_id)) AS series, count(*) AS points,
            min(date)::text AS "from", max(date)::text AS "to",
            sum(model_mean) AS before, sum(mean) AS after
        FROM support.override_point WHERE override_id = :id
    """
    row = connection.execute(text(sql), {"id": override_id}).one()
    named = {name: getattr(asked, name) for name in ("sku", "site", "family", "uf", "change")}
    return {**{name: value for name, value in named.items() if value}, **row._mapping}


_WORDS = {"save": "in_force", "end": "ended", "supersede": "superseded"}


def _record(
    connection: Connection,
    action: str,
    override_id: int,
    who: Person,
    *,
    reason: str | None,
    facts: dict[str, Any],
) -> None:
    actor, fingerprint = who.actor, f"override|{override_id}"
    row = {
        "user_id": who.user_id,
        "actor": actor.name,
        "kind": "override",
        "fingerprint": fingerprint,
        "status": _WORDS[action],
        "reason": reason,
        "facts": facts,
    }
    connection.execute(insert(decision), row)
    audit.note(
        connection,
        actor,
        action=f"override.{action}",
        object=fingerprint,
        after={"reason": reason, **facts},
    )


def _derive(connection: Connection, override_id: int, who: Person) -> int:
    count_revision(connection)
    return jobs.queue_derive(connection, object=f"override:{override_id}", actor=who.actor)
