"""Parquet as chunks of text columns; its lines are row numbers, from 1."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from domain.errors import BadFile
from warehouse.pipeline.chunks import Chunk, check_headers, chunk_of

CHUNK_ROWS = 100_000


class ParquetPart:
    """One Parquet file; its numbers are typed, so their decimal mark is known."""

    name = ""
    decimal = "."

    def __init__(self, path: Path) -> None:
        self.file, self._path = path.name, path
        schema = self._opened().schema_arrow
        self.headers = [name.strip() for name in schema.names]
        check_headers(self.file, 1, self.headers)
        nested = [field.name for field in schema if pa.types.is_nested(field.type)]
        if nested:
            raise BadFile("holds nested values", file=self.file, column=nested[0])

    def chunks(self) -> Iterator[Chunk]:
        """The rows; raises BadFile when the file is damaged."""
        line = 1
        try:
            for batch in self._opened().iter_batches(batch_size=CHUNK_ROWS):
                lines = np.arange(line, line + batch.num_rows, dtype=np.int64)
                columns = [_texts(column) for column in batch.columns]
                yield chunk_of(columns, self.headers, lines, [])
                line += batch.num_rows
        except (pa.ArrowInvalid, OSError) as error:
            raise BadFile(f"is damaged ({error})", file=self.file, line=line) from error

    def _opened(self) -> pq.ParquetFile:
        try:
            return pq.ParquetFile(self._path)
        except (pa.ArrowInvalid, OSError) as error:
            raise BadFile(f"is not a Parquet file ({error})", file=self.file) from error


def _texts(column: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    texts = pc.cast(column, pa.string())
    return pc.if_else(pc.equal(texts, ""), None, texts)
