"""Statements that a connection plans once: the same answers, and nothing outdated."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, event, text

from domain.errors import Unavailable
from warehouse.db import unavailable_when_down
from warehouse.planned import KEPT_AT_MOST, planned_once

PLANS = text("SELECT generic_plans, custom_plans FROM pg_prepared_statements")
SKUS = planned_once("SELECT sku FROM core.item WHERE sku = :code OR name LIKE :code || '%'")
TIMES = 8


@pytest.fixture
def items(engine: Engine) -> Iterator[Connection]:
    """A connection to a database with three items."""
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO core.item (sku, name) VALUES ('A', NULL), ('B', 'A and more'),"
                " ('C', '100%')"
            )
        )
    with engine.connect() as connection:
        yield connection


def test_it_is_planned_once_and_answers_each_value(items: Connection) -> None:
    for _ in range(TIMES):
        assert set(items.execute(SKUS, {"code": "A"}).scalars()) == {"A", "B"}
        assert items.execute(SKUS, {"code": "100%"}).scalars().all() == ["C"]
        assert items.execute(SKUS, {"code": None}).scalars().all() == []
    (plans,) = items.execute(PLANS)
    assert plans.generic_plans > plans.custom_plans


def test_it_outlives_a_transaction_that_failed(items: Connection) -> None:
    items.execute(SKUS, {"code": "A"})
    with pytest.raises(Exception, match="division by zero"):
        items.execute(text("SELECT 1 / 0"))
    items.rollback()
    assert set(items.execute(SKUS, {"code": "A"}).scalars()) == {"A", "B"}
    assert len(items.execute(PLANS).all()) == 1


def test_who_listens_sees_what_was_written(engine: Engine, items: Connection) -> None:
    seen: list[tuple[str, object]] = []
    event.listen(
        engine, "before_cursor_execute", lambda _c, _u, sql, params, *_: seen.append((sql, params))
    )
    items.execute(SKUS, {"code": "A"})
    ((sql, params),) = seen
    assert sql.startswith("SELECT sku FROM core.item") and params == {"code": "A"}


def test_a_connection_keeps_no_more_than_it_may(items: Connection) -> None:
    for number in range(KEPT_AT_MOST + 3):
        asked = planned_once(f"SELECT count(*) + {number} FROM core.item")
        assert items.execute(asked).scalar_one() == number + 3
    assert len(items.execute(PLANS).all()) == 3


def test_after_a_migration_of_its_columns_the_next_one_asks_anew(
    engine: Engine, items: Connection
) -> None:
    asked = planned_once("SELECT note FROM public.notes")
    with engine.begin() as owner:
        owner.execute(text("CREATE TABLE public.notes AS SELECT 7 AS note"))
    assert items.execute(asked).scalar_one() == 7
    items.commit()
    with engine.begin() as owner:
        owner.execute(text("ALTER TABLE public.notes ALTER note TYPE text"))
    with pytest.raises(Unavailable), unavailable_when_down():
        items.execute(asked)
    with engine.connect() as other:
        assert other.execute(asked).scalar_one() == "7"


def test_a_cursor_of_the_server_reads_it_too(items: Connection) -> None:
    streamed = items.execution_options(stream_results=True)
    assert set(streamed.execute(SKUS, {"code": "A"}).scalars()) == {"A", "B"}
