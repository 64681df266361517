"""Pages of computed rows: cursors lead to every row once, in order, unknown values last."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from domain.errors import InvalidInput
from domain.records import Page
from warehouse.queries.paging import page_of

SORTS = {"code": "text", "size": "double precision"}


@dataclass(frozen=True)
class Row:
    code: str
    size: float | None


ROWS = [
    Row(f"R{n:02d}", None if n % 5 == 0 else float(n % 3)) for n in (7, 3, 0, 5, 9, 1, 4, 10, 2)
]


@pytest.mark.parametrize("sort", ["code", "-code", "size", "-size"])
@pytest.mark.parametrize("limit", [1, 2, 4, 50])
def test_pages_give_every_row_once_in_order(sort: str, limit: int) -> None:
    found: list[Row] = []
    cursor: str | None = None
    while True:
        page = page_of(ROWS, sort=sort, sorts=SORTS, tie="code", limit=limit, cursor=cursor)
        found, cursor = found + page.rows, page.next
        assert page.count == len(ROWS) and len(page.rows) <= limit
        if cursor is None:
            break
    assert sorted(found, key=lambda row: row.code) == sorted(ROWS, key=lambda row: row.code)
    values = [row.size if sort.endswith("size") else row.code for row in found]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=sort.startswith("-"))  # type: ignore[type-var]
    assert values[len(known) :] == [None] * (len(values) - len(known))
    for one, other in zip(found, found[1:], strict=False):
        assert one.size != other.size or one.code < other.code or "code" in sort


def test_a_cursor_of_another_order_is_refused() -> None:
    def page(sort: str, cursor: str | None) -> Page[Row]:
        return page_of(ROWS, sort=sort, sorts=SORTS, tie="code", limit=1, cursor=cursor)

    made = page("code", None).next
    for sort, cursor in (("size", made), ("code", "x"), ("moon", None)):
        with pytest.raises(InvalidInput):
            page(sort, cursor)
