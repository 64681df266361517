"""What readers give: a stretch of a file as columns of text, each row with its line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from domain.errors import BadFile
from warehouse.pipeline.report import Reject

RATIO = 200
RATIO_FROM_BYTES = 64 << 20


def most_unpacked(packed: int) -> int:
    """Bytes that a packed file of this size may unpack to: RATIO times as many, and
    RATIO_FROM_BYTES in any case."""
    return max(RATIO * packed, RATIO_FROM_BYTES)


def check_unpacked(file: str, unpacked: int, packed: int) -> None:
    """Raises BadFile where so many bytes are more than a packed file may unpack to."""
    if unpacked > most_unpacked(packed):
        reason = f"unpacks to more than {RATIO} times its size: load it unpacked, as .csv"
        raise BadFile(reason, file=file)


@dataclass(frozen=True)
class Chunk:
    """Rows as text columns named by the file's headers; an empty cell is null.

    `lines` (int64, one a row) are physical lines or rows of the file. `broken` are the lines that
    could not be read as a row; they are not in the table. `typed` tells by header which cells (one
    a row) are numbers by their type: those have a decimal point, whatever the file's mark is.
    `void` are cells of the table that hold no value, with why: who uses one refuses its row.
    """

    table: pa.Table
    lines: np.ndarray
    broken: list[Reject] = field(default_factory=list)
    typed: dict[str, np.ndarray] = field(default_factory=dict)
    void: list[Reject] = field(default_factory=list)

    def filter(self, kept: np.ndarray) -> Chunk:
        """The chunk with the rows of the mask alone."""
        typed = {header: cells[kept] for header, cells in self.typed.items()}
        table, lines = self.table.filter(pa.array(kept)), self.lines[kept]
        return replace(self, table=table, lines=lines, typed=typed)


class Part(Protocol):
    """One table of a file: a CSV or Parquet file, or one sheet. `decimal` is known or None."""

    file: str
    name: str
    headers: list[str]

    @property
    def decimal(self) -> str | None:
        """The decimal mark of the numbers, if it is known."""

    def chunks(self) -> Iterator[Chunk]:
        """The rows, a bounded number at a time; raises BadFile."""


def chunk_of(
    columns: Sequence[pa.Array | pa.ChunkedArray],
    headers: list[str],
    lines: np.ndarray,
    broken: list[Reject],
    typed: dict[str, np.ndarray] | None = None,
    void: list[Reject] | None = None,
) -> Chunk:
    """The chunk without its blank rows: they are not data and are counted nowhere."""
    table = pa.Table.from_arrays(list(columns), names=[str(n) for n in range(len(headers))])
    chunk = Chunk(table.rename_columns(headers), lines, broken, typed or {}, void or [])
    blank = _blank(table)
    return chunk.filter(~blank) if blank.any() else chunk


def _blank(table: pa.Table) -> np.ndarray:
    blank = np.ones(table.num_rows, dtype=bool)
    for column in table.columns:
        if not blank.any():
            break
        blank &= pc.fill_null(pc.utf8_is_space(column), True).to_numpy()
    return blank


def texts_of(rows: list[list[str]], width: int) -> list[pa.Array]:
    """Columns of rows of cells; an empty cell becomes null."""
    if not rows:
        return [pa.array([], pa.string()) for _ in range(width)]
    columns = (pa.array(column, pa.string()) for column in zip(*rows, strict=True))
    return [pc.if_else(pc.equal(column, ""), None, column) for column in columns]


def check_headers(file: str, line: int, headers: list[str]) -> None:
    """Raises BadFile unless every column has a name of its own."""
    if not any(headers):
        raise BadFile("has no header", file=file, line=line)
    for place, header in enumerate(headers, 1):
        if not header.strip():
            raise BadFile(f"column {place} has no name in the header", file=file, line=line)
