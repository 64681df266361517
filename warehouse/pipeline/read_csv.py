"""CSV as chunks: any of `;` `,` and tab, UTF-8 or Windows-1252, plain or gzip.

Blocks in which every line is a row go through Arrow's parser. A block with anything else (a line
break inside quotes, a row of another width) is read by the csv module, which knows its lines.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import os
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from domain.errors import BadFile
from warehouse.pipeline.chunks import Chunk, check_unpacked, chunk_of, texts_of
from warehouse.pipeline.report import Reject

BLOCK_BYTES = 4 << 20
LINE_BYTES = 4 << 20
SHOWN_CHARACTERS = 80
DELIMITERS = (";", ",", "\t")
SEPARATOR = re.compile(r'"?sep=(.)"?[\r\n]*', re.IGNORECASE)
"""What Excel writes, and heeds, before the header."""
GZIP_MAGIC = b"\x1f\x8b"
BOMS = {codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}


class CsvPart:
    """One CSV file. `header_row` is the header's line, else the first that is not blank and no
    `sep=;` of Excel's. Columns without a name, as a separator at the end of each line makes one,
    must be empty."""

    name = ""

    def __init__(
        self,
        path: Path,
        *,
        encoding: str | None = None,
        delimiter: str | None = None,
        header_row: int | None = None,
        decimal: str | None = None,
    ) -> None:
        self.file, self.decimal = path.name, decimal
        self._path = path
        self._encoding = encoding or detect_encoding(path)
        self._header_row = header_row
        with _opened(path) as stream:
            feed = self._feed(stream)
            first = self._header_text(feed)
            if told := SEPARATOR.fullmatch(first):
                self._header_row, delimiter = header_row or feed.line, delimiter or told[1]
            self._delimiter = delimiter or _delimiter(first)
        with _opened(path) as stream:
            header = self._header(self._feed(stream))
        self._width = len(header)
        self._places = [place for place, name in enumerate(header) if name]
        self._nameless = [place for place, name in enumerate(header) if not name]
        self.headers = [header[place] for place in self._places]

    def chunks(self) -> Iterator[Chunk]:
        """The rows below the header; raises BadFile naming the line."""
        with _opened(self._path) as stream:
            feed = self._feed(stream)
            self._header(feed)
            while block := feed.block():
                yield self._fast(block, feed.line) or self._slow(feed)
                feed.drop_block()

    def _feed(self, stream: IO[bytes]) -> _Feed:
        return _Feed(stream, self._encoding, self.file)

    def _header_text(self, feed: _Feed) -> str:
        for text in feed:
            number = feed.line - 1
            if number == self._header_row or (self._header_row is None and text.strip()):
                return text
        raise BadFile("is empty", file=self.file)

    def _header(self, feed: _Feed) -> list[str]:
        if self._header_row is not None:
            while feed.line < self._header_row:
                next(feed)
        for row in csv.reader(feed, delimiter=self._delimiter):
            if any(cell.strip() for cell in row):
                return [cell.strip() for cell in row]
        raise BadFile("is empty", file=self.file)

    def _fast(self, block: bytes, line: int) -> Chunk | None:
        """The block by Arrow, or None unless every line of it is a row."""
        names = [str(place) for place in range(self._width)]
        try:
            table = pyarrow.csv.read_csv(
                pa.BufferReader(block),
                read_options=pyarrow.csv.ReadOptions(
                    column_names=names, use_threads=False, block_size=len(block) + 1
                ),
                parse_options=pyarrow.csv.ParseOptions(
                    delimiter=self._delimiter, ignore_empty_lines=False, newlines_in_values=True
                ),
                convert_options=pyarrow.csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()),
                    strings_can_be_null=True,
                    null_values=[""],
                ),
            )
        except pa.ArrowInvalid:
            return None
        if table.num_rows != block.count(b"\n") + (not block.endswith(b"\n")):
            return None
        if _ends_inside_quotes(table):
            return None
        lines = np.arange(line, line + table.num_rows, dtype=np.int64)
        return self._chunk(table.columns, lines, [])

    def _slow(self, feed: _Feed) -> Chunk:
        """The block by the csv module, with the end of its last row from the next one."""
        width = self._width
        rows: list[list[str]] = []
        lines: list[int] = []
        broken: list[Reject] = []
        for line, row in self._records(feed):
            if len(row) == width:
                rows.append(row)
                lines.append(line)
            elif any(cell.strip() for cell in row):
                broken.append(_ragged(line, row, width, self._delimiter))
        numbers = np.array(lines, dtype=np.int64)
        return self._chunk(texts_of(rows, width), numbers, broken)

    def _chunk(
        self,
        columns: Sequence[pa.Array | pa.ChunkedArray],
        lines: np.ndarray,
        broken: list[Reject],
    ) -> Chunk:
        for place in self._nameless:
            self._check_empty(place, columns[place], lines)
        named = [columns[place] for place in self._places]
        return chunk_of(named, self.headers, lines, broken)

    def _check_empty(
        self, place: int, cells: pa.Array | pa.ChunkedArray, lines: np.ndarray
    ) -> None:
        filled = pc.not_equal(pc.utf8_trim_whitespace(cells), "")
        row = pc.index(filled, True).as_py()
        if row >= 0:
            raise BadFile(
                f"column {place + 1} has no name in the header",
                file=self.file,
                line=int(lines[row]),
                value=cells[row].as_py()[:SHOWN_CHARACTERS],
            )

    def _records(self, feed: _Feed) -> Iterator[tuple[int, list[str]]]:
        reader = csv.reader(feed, delimiter=self._delimiter)
        while not feed.exhausted:
            line = feed.line
            row = self._record(reader, line)
            if row is None:
                return
            if feed.ended:  # the parser wanted more of this row
                raise BadFile("a quote is opened and never closed", file=self.file, line=line)
            yield line, row

    def _record(self, reader: Iterator[list[str]], line: int) -> list[str] | None:
        try:
            return next(reader, None)
        except csv.Error as error:
            reason = f"a quote is opened and not closed, or a cell is too long ({error})"
            raise BadFile(reason, file=self.file, line=line) from error


class _Feed:
    """The file's whole lines: by the block as UTF-8 bytes, or one by one as text.

    `line` is the number of the next line. Iterating goes on into the next block.
    """

    def __init__(self, stream: IO[bytes], encoding: str, file: str) -> None:
        self._blocks = _blocks(stream, file)
        self._encoding, self._file = encoding, file
        self._block = b""
        self._lines = io.StringIO()
        self._started = False
        self._left = 0
        self.ended = False
        self.line = 1

    @property
    def exhausted(self) -> bool:
        """Whether the current block has been read to its end, line by line."""
        return self._started and not self._left

    def block(self) -> bytes:
        """The rest of the current block, or the next one; b"" at the end of the file."""
        if self._started and self._left:
            self._block, self._started = self._lines.read().encode(), False
        elif self._started or not self._block:
            self._advance()
        return self._block

    def drop_block(self) -> None:
        """The block was read whole: the next one follows."""
        if not self._started:
            self.line += self._block.count(b"\n")
            self._block = b""

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        if self.exhausted or not (self._started or self._block):
            self._advance()
        if not self._started:
            self._start()
        text = self._lines.readline()
        if not text:
            self.ended = True
            raise StopIteration
        self._left -= len(text)
        self.line += 1
        return text

    def _start(self) -> None:
        text = self._block.decode()
        self._lines, self._left, self._started = io.StringIO(text, newline=""), len(text), True

    def _advance(self) -> None:
        self._block, self._started = self._decoded(next(self._blocks, b"")), False

    def _decoded(self, raw: bytes) -> bytes:
        if b"\0" in raw:
            line = self.line + raw.count(b"\n", 0, raw.index(b"\0"))
            raise BadFile("has a NUL byte: it is not a text file", file=self._file, line=line)
        if raw.isascii():
            return raw
        try:
            return raw.decode(self._encoding).encode()
        except UnicodeDecodeError as error:
            line = self.line + raw.count(b"\n", 0, error.start)
            reason = f"byte 0x{raw[error.start]:02x} is not {self._encoding}: broken encoding"
            raise BadFile(reason, file=self._file, line=line) from error


def _blocks(stream: IO[bytes], file: str) -> Iterator[bytes]:
    """Stretches of whole lines, without the byte order mark."""
    rest = b""
    first = True
    while block := _read(stream, file):
        if first:
            block, first = block.removeprefix(codecs.BOM_UTF8), False
        block = rest + block
        cut = block.rfind(b"\n") + 1
        if len(block) - cut > LINE_BYTES:
            raise BadFile(f"has a line longer than {LINE_BYTES:,} bytes", file=file)
        if cut:
            yield block[:cut]
        rest = block[cut:]
    if rest:
        yield rest


def _read(stream: IO[bytes], file: str) -> bytes:
    try:
        block = stream.read(BLOCK_BYTES)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise BadFile(f"is a damaged gzip file: {error}", file=file) from error
    if isinstance(stream, gzip.GzipFile):
        check_unpacked(file, stream.tell(), os.fstat(stream.fileno()).st_size)
    return block


def _opened(path: Path) -> IO[bytes]:
    stream = path.open("rb")
    magic = stream.read(len(GZIP_MAGIC))
    stream.seek(0)
    if magic == GZIP_MAGIC:
        return gzip.GzipFile(fileobj=stream)  # type: ignore[return-value]
    return stream


def _delimiter(header: str) -> str:
    counts = {mark: len(next(csv.reader([header], delimiter=mark))) for mark in DELIMITERS}
    return max(counts, key=lambda mark: counts[mark])


def _ends_inside_quotes(table: pa.Table) -> bool:
    """Whether the last cell goes on in the next block: it has then swallowed its line's end."""
    last = table.column(table.num_columns - 1)[-1].as_py() if table.num_rows else None
    return last is not None and last.endswith("\n")


def _ragged(line: int, row: list[str], width: int, delimiter: str) -> Reject:
    text = delimiter.join(row)[:SHOWN_CHARACTERS]
    return Reject(line, None, text, f"has {len(row)} cells where the header has {width}")


def detect_encoding(path: Path) -> str:
    """`utf-8`, or `cp1252` when the bytes can be nothing else of the two.

    A file that has valid UTF-8 letters before an invalid byte is broken UTF-8, not Windows-1252.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    line, letters = 1, False
    with _opened(path) as stream:
        while block := _read(stream, path.name):
            if line == 1 and block[:2] in BOMS:
                reason = f"is {BOMS[block[:2]]}: save it as UTF-8"
                raise BadFile(reason, file=path.name)
            try:
                letters |= not decoder.decode(block).isascii()
            except UnicodeDecodeError as error:
                before = error.object[: error.start].decode("utf-8", errors="replace")
                if not letters and before.isascii():
                    return "cp1252"
                line += before.count("\n")
                reason = f"byte 0x{error.object[error.start]:02x} is not UTF-8: broken encoding"
                raise BadFile(reason, file=path.name, line=line) from error
            line += block.count(b"\n")
    return "utf-8"
