"""Parquet as chunks of text columns; its lines are row numbers, from 1.

A text that many rows repeat is held once, so a small file may hold far more than memory does: one
that unpacks to too much is refused, and rows are unpacked by stretches.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from domain.errors import BadFile
from warehouse.pipeline.chunks import Chunk, check_headers, check_unpacked, chunk_of

CHUNK_ROWS = 100_000
CHUNK_BYTES = 16 << 20
"""What is unpacked at a time, and at least a row."""


class ParquetPart:
    """One Parquet file; `decimal` is the mark of numbers in columns of texts."""

    name = ""

    def __init__(self, path: Path, *, decimal: str | None = None) -> None:
        self.file, self._path, self._packed = path.name, path, path.stat().st_size
        self.decimal = decimal
        opened = self._opened()
        schema, metadata = opened.schema_arrow, opened.metadata
        self.headers = [name.strip() for name in schema.names]
        check_headers(self.file, 1, self.headers)
        nested = [field.name for field in schema if pa.types.is_nested(field.type)]
        if nested:
            raise BadFile("holds nested values", file=self.file, column=nested[0])
        self._columns = schema.names
        self._row_bytes = sum(_least_bytes(kind) for kind in schema.types)
        groups = map(metadata.row_group, range(metadata.num_row_groups))
        encoded = sum(group.total_byte_size for group in groups)
        check_unpacked(self.file, max(encoded, metadata.num_rows * self._row_bytes), self._packed)

    def chunks(self) -> Iterator[Chunk]:
        """The rows; raises BadFile when the file is damaged or unpacks to too much."""
        line = 1
        try:
            for batch in self._batches():
                lines = np.arange(line, line + batch.num_rows, dtype=np.int64)
                columns = [_texts(column) for column in batch.columns]
                typed = {
                    header: np.ones(batch.num_rows, dtype=bool)
                    for header, column in zip(self.headers, batch.columns, strict=True)
                    if pa.types.is_floating(column.type) or pa.types.is_decimal(column.type)
                }
                yield chunk_of(columns, self.headers, lines, [], typed)
                line += batch.num_rows
        except (pa.ArrowInvalid, OSError) as error:
            raise BadFile(f"is damaged ({error})", file=self.file, line=line) from error

    def _batches(self) -> Iterator[pa.RecordBatch]:
        """Rows whose texts are not repeated yet, and are not too much when they are."""
        rows = min(CHUNK_ROWS, CHUNK_BYTES // self._row_bytes)
        unpacked = 0
        for batch in self._opened(self._columns).iter_batches(batch_size=max(rows, 1)):
            sizes = _text_bytes(batch)
            unpacked += int(sizes.sum())
            check_unpacked(self.file, unpacked, self._packed)
            ends = np.flatnonzero(np.diff(np.cumsum(sizes) // CHUNK_BYTES)) + 1
            for start, end in pairwise([0, *ends.tolist(), batch.num_rows]):
                yield batch.slice(start, end - start)

    def _opened(self, read_dictionary: list[str] | None = None) -> pq.ParquetFile:
        try:
            return pq.ParquetFile(self._path, read_dictionary=read_dictionary)
        except (pa.ArrowInvalid, OSError) as error:
            raise BadFile(f"is not a Parquet file ({error})", file=self.file) from error


def _least_bytes(kind: pa.DataType) -> int:
    return kind.byte_width if pa.types.is_fixed_size_binary(kind) else 1


def _text_bytes(batch: pa.RecordBatch) -> np.ndarray:
    """Bytes of each row's texts when they are repeated."""
    total = np.zeros(batch.num_rows, dtype=np.int64)
    for column in batch.columns:
        if pa.types.is_dictionary(column.type):
            sizes = pc.take(pc.binary_length(column.dictionary), column.indices)
            total += sizes.fill_null(0).to_numpy(zero_copy_only=False)
    return total


def _texts(column: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    texts = pc.cast(column, pa.string())
    return pc.if_else(pc.equal(texts, ""), None, texts)
