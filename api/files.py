"""Answers that are files: their types, their names, and records as rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from typing import Any

from flask import Response, stream_with_context

from api.routing import File
from domain.sheets import Cell, csv_lines, xlsx_bytes
from domain.viewer import Viewer
from warehouse.queries import status

CSV = File("text/csv")
XLSX = File("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
PDF = File("application/pdf")


def file_answer(content: str | bytes | Iterator[str], kind: File, stem: str) -> Response:
    """The file under a name that says what it is of and whether the data are made up."""
    known = status.current()
    run = f"-run{known.run_id}" if known.run_id is not None else ""
    label = "_demo" if known.is_demo else ""
    charset = "; charset=utf-8" if kind is CSV else ""
    response = Response(content, content_type=f"{kind.media}{charset}")
    name = f"nova-{stem}{run}{label}.{_ENDINGS[kind]}"
    response.headers["Content-Disposition"] = f"attachment; filename={name}"
    response.headers["Cache-Control"] = "no-store"
    return response


_ENDINGS = {CSV: "csv", XLSX: "xlsx", PDF: "pdf"}


def table_csv(
    header: Sequence[str], rows: Iterable[Sequence[Cell]], stem: str, viewer: Viewer
) -> Response:
    """Rows under a header, written as they are read."""
    return file_answer(stream_with_context(csv_lines(header, rows, viewer.locale)), CSV, stem)


def table_xlsx(header: Sequence[str], rows: Iterable[Sequence[Cell]], stem: str) -> Response:
    """The same as a workbook with one sheet."""
    return file_answer(xlsx_bytes(header, {stem: rows}), XLSX, stem)


def records_csv(record: type[Any], rows: Iterable[Any], stem: str, viewer: Viewer) -> Response:
    """Records of one type, a line each, under their fields' names."""
    return table_csv(_names(record), (_cells(row) for row in rows), stem, viewer)


def records_xlsx(record: type[Any], rows: Iterable[Any], stem: str) -> Response:
    """The same as a workbook with one sheet."""
    return table_xlsx(_names(record), [_cells(row) for row in rows], stem)


def _names(record: type[Any]) -> list[str]:
    return [field.name for field in fields(record)]


def _cells(row: Any) -> list[Cell]:
    return [getattr(row, name) for name in _names(type(row))]
