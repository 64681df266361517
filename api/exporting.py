"""The files of tables: each opens twice, as CSV and as a workbook, over the same rows.

The workbook's last sheet says what it is of: filters, how old the data are, who asked, and what
each column means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import chain
from typing import Any

from flask import Response
from pydantic import BaseModel

from api.files import CSV, XLSX, Table, begun, file_name, table_csv, workbook
from api.parameters import Query
from api.routing import File, route
from auth import trail
from auth.guards import check, current_viewer
from domain.access import Permission, Scope
from domain.columns import definition
from domain.sheets import Cell, Row, Sheet
from domain.viewer import Viewer
from warehouse.queries import status

Rows = Callable[..., Any]


@dataclass(frozen=True)
class Export:
    """A table that is given as files: its name in the address, and what narrows it."""

    name: str
    query: type[BaseModel]


EXPORTS: list[Export] = []


def exported(
    name: str,
    *,
    query: type[BaseModel] = Query,
    record: type[Any] | None = None,
    leave: Sequence[str] = (),
    permission: Permission = Permission.EXPORT,
) -> Callable[[Rows], Rows]:
    """Opens /exports/<name>.csv and .xlsx over what the function gives for a query: records of one
    type, a column each of their fields but for `leave`, or a Table. Its docstring is the summary.

    With a `permission` of its own the reader needs that and the one to export.
    """

    def decorate(made: Rows) -> Rows:
        def opened(kind: File) -> Callable[..., Response]:
            def handler(**asked: Any) -> Response:
                check(Permission.EXPORT)
                given = made(**asked)
                table = given if isinstance(given, Table) else records(record, given, leave)
                return file_of(name, table, kind, _said(asked.get("query")), current_viewer())

            handler.__module__, handler.__name__ = made.__module__, f"{made.__name__}_{kind.ending}"
            handler.__doc__ = made.__doc__ if kind is CSV else f"The same as a workbook: {name}."
            return handler

        EXPORTS.append(Export(name, query))
        for kind in (CSV, XLSX):
            path = f"/exports/{name}.{kind.ending}"
            route("GET", path, permission=permission, query=query, data=kind)(opened(kind))
        return made

    return decorate


def file_of(
    name: str,
    table: Table,
    kind: File,
    said: Mapping[str, str],
    viewer: Viewer,
    *,
    one: str = "",
) -> Response:
    """A table as a file; `said` is what narrowed it, and stands in the audit log with it. `one`:
    which of several the file is of, as its name tells."""
    what = f"{one}:{name}" if one else name.replace("-", "_")
    trail.note("export", object=what, after={**said, "file": kind.ending})
    stem = f"{one}-{name}".replace(":", "-").lstrip("-")
    if kind is CSV:
        return table_csv(table, stem, viewer)
    sheets = table.sheets or [Sheet(name, table.header, begun(table.rows))]
    return workbook(chain(sheets, [_about(name, table, said, viewer)]), stem)


def records(record: type[Any] | None, rows: Iterable[Any], leave: Sequence[str] = ()) -> Table:
    """Records of one type, a line each, under their fields' names."""
    assert record is not None, "rows that are no Table need the type of their records"
    names = [one.name for one in fields(record) if one.name not in leave]
    return Table(names, ([plain(getattr(row, name)) for name in names] for row in rows))


def plain(value: Any) -> Cell:
    """A field's value as one cell."""
    if isinstance(value, Mapping):
        return "; ".join(f"{name}={plain(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(str(plain(one)) for one in value)
    if isinstance(value, Decimal):
        return float(value)
    known = value is None or isinstance(value, str | int | float | date)
    return value if known else str(value)


def _said(query: BaseModel | None) -> dict[str, str]:
    """The parameters that were given, as the address says them, but for the order."""
    if query is None:
        return {}
    names = {key: field.alias or key for key, field in type(query).model_fields.items()}
    return {
        names[key]: ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
        for key, value in query
        if key != "sort" and value not in ((), "", None, False)
    }


def _about(name: str, table: Table, said: Mapping[str, str], viewer: Viewer) -> Sheet:
    t = viewer.t
    names = table.names or table.header
    rows: Iterator[Row] = chain(
        _facts(name, said, viewer),
        [(), (t("Column"), t("What it is"))],
        (
            (word, definition(column, name, t, viewer.locale))
            for word, column in zip(table.header, names, strict=True)
        ),
    )
    return Sheet(t("About this file"), [t("About this file"), ""], rows)


def _facts(name: str, said: Mapping[str, str], viewer: Viewer) -> list[Row]:
    t, known = viewer.t, status.current()
    narrowed = "; ".join(f"{key}={value}" for key, value in said.items())
    return [
        (t("File"), file_name(name, XLSX)),
        (t("Rows"), t("all that the filters let through, of what the reader may see")),
        (t("Filters"), narrowed or t("none")),
        (t("What the reader may see"), _seen(viewer.scope, viewer)),
        (t("Data until"), known.as_of),
        *([(t("Forecasts with data until"), known.trained_to)] if known.trained_to else []),
        (t("Computed at"), known.computed_at),
        (t("Run"), known.run_id),
        (t("Data"), t("demonstration data") if known.is_demo else t("the company's own")),
        (t("Made for"), viewer.email),
        (t("Made at"), datetime.now(UTC)),
        (t("Clock"), t("Brasília; dates are year-month-day, rates are fractions of 1")),
    ]


def _seen(scope: Scope, viewer: Viewer) -> str:
    return ", ".join((*scope.ufs, *scope.contracts)) or viewer.t("the whole company")
