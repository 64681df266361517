"""Answers that are files: their types, their names, and tables as CSV and as workbooks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from tempfile import TemporaryFile
from typing import IO

from flask import Response, stream_with_context
from werkzeug.wsgi import FileWrapper

from api.routing import File
from domain.sheets import Cell, Sheet, csv_lines, write_xlsx
from domain.viewer import Viewer
from warehouse import scratch
from warehouse.queries import status

CSV = File("text/csv", "csv")
XLSX = File("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx")
PDF = File("application/pdf", "pdf")
PIECE_BYTES = 64 * 1024


@dataclass(frozen=True)
class Table:
    """Rows under a header. `names`: the columns' names in `domain.columns`, where the header is in
    the reader's words. `sheets`: those of the workbook, where it has one for each of something."""

    header: Sequence[str]
    rows: Iterable[Sequence[Cell]]
    names: Sequence[str] = ()
    sheets: Sequence[Sheet] = ()


def file_name(stem: str, kind: File) -> str:
    """A name that says what the file is of, which run made it, and whether the data are made up."""
    known = status.current()
    run = f"-run{known.run_id}" if known.run_id is not None else ""
    label = "_demo" if known.is_demo else ""
    return f"nova-{stem}{run}{label}.{kind.ending}"


def file_answer(
    content: bytes | Iterable[str] | Iterable[bytes], kind: File, stem: str
) -> Response:
    """The file under its name."""
    charset = "; charset=utf-8" if kind is CSV else ""
    response = Response(content, content_type=f"{kind.media}{charset}")
    response.headers["Content-Disposition"] = f"attachment; filename={file_name(stem, kind)}"
    response.headers["Cache-Control"] = "no-store"
    return response


def table_csv(table: Table, stem: str, viewer: Viewer) -> Response:
    """Rows under a header, written as they are read. What is wrong with the first row is said
    before anything is sent."""
    lines = csv_lines(table.header, begun(table.rows), viewer.locale)
    return file_answer(stream_with_context(lines), CSV, stem)


def workbook(sheets: Iterable[Sheet], stem: str) -> Response:
    """The sheets as a workbook, by way of the disk."""
    with scratch.folder() as folder:
        file = TemporaryFile(dir=folder)
        try:
            write_xlsx(file, sheets, folder)
        except BaseException:
            file.close()
            raise
    return _sent(file, stem)


def begun(rows: Iterable[Sequence[Cell]]) -> Iterator[Sequence[Cell]]:
    """The rows, the first of them read already."""
    waiting = iter(rows)
    return chain(list(islice(waiting, 1)), waiting)


def _sent(file: IO[bytes], stem: str) -> Response:
    size = file.tell()
    file.seek(0)
    response = file_answer(FileWrapper(file, PIECE_BYTES), XLSX, stem)
    response.content_length = size
    return response
