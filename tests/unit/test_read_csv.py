"""The block-wise CSV reader gives what a plain reading of the whole file gives, lines included."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest

from domain.errors import BadFile
from warehouse.pipeline import read_csv
from warehouse.pipeline.read_csv import CsvPart

CELLS = ["a", "", "ção", '5" pipe', 'say "x"', "two\nlines", "a;b", "  ", "three\r\n\nlines", "1,5"]
WIDTH = 3


def quoted(cell: str, always: bool) -> str:
    """The cell as a careful exporter writes it; inch marks in the middle stay bare."""
    bare = not any(mark in cell for mark in ";\n\r") and not cell.startswith('"')
    return cell if bare and not always else '"' + cell.replace('"', '""') + '"'


def is_filled(row: list[str]) -> bool:
    return any(cell.strip() for cell in row)


def random_file(random_: random.Random) -> tuple[str, list[tuple[int, list[str]]]]:
    """A file's text, and its rows with the lines that they start at."""
    text, line, rows = "p;q;r\n", 2, []
    for _ in range(random_.randrange(1, 60)):
        if random_.random() < 0.1:
            text, line = text + "\n", line + 1
            continue
        calm = random_.random() < 0.7
        row = [random_.choice(CELLS[:3] if calm else CELLS) for _ in range(WIDTH)]
        written = ";".join(quoted(cell, random_.random() < 0.2) for cell in row)
        rows.append((line, row))
        text += written + "\n"
        line += written.count("\n") + 1
    return text, [(line, row) for line, row in rows if is_filled(row)]


def read(path: Path) -> list[tuple[int, list[str]]]:
    found = []
    for chunk in CsvPart(path, delimiter=";").chunks():
        assert not chunk.broken
        columns = [[cell or "" for cell in column.to_pylist()] for column in chunk.table.columns]
        rows = [list(row) for row in zip(*columns, strict=True)]
        found += list(zip(chunk.lines.tolist(), rows, strict=True))
    return found


@pytest.mark.parametrize("block", [7, 64, 1 << 20])
def test_rows_and_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int):
    monkeypatch.setattr(read_csv, "BLOCK_BYTES", block)
    path = tmp_path / "file.csv"
    for seed in range(150):
        text, expected = random_file(random.Random(seed))
        path.write_bytes(text.encode())
        assert read(path) == expected, seed
        plain = [row for row in csv.reader(text.splitlines(keepends=True), delimiter=";")]
        assert [row for row in plain[1:] if is_filled(row)] == [row for _, row in expected]


@pytest.mark.parametrize("block", [16, 1 << 20])
def test_ragged_rows_are_named_by_their_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
):
    monkeypatch.setattr(read_csv, "BLOCK_BYTES", block)
    path = tmp_path / "file.csv"
    path.write_text('p;q\n1;2\n3\n"x\ny";4\n5;6;7\n8;9')
    chunks = list(CsvPart(path).chunks())
    assert [reject.line for chunk in chunks for reject in chunk.broken] == [3, 6]
    assert [line for chunk in chunks for line in chunk.lines.tolist()] == [2, 4, 7]


@pytest.mark.parametrize("content", [b"p;q\n1;\xe7\n2;\xe3\xf5\n", b"p;\xe7\n1;2\n"])
def test_windows_1252_is_recognised(tmp_path: Path, content: bytes):
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    assert read_csv.detect_encoding(path) == "cp1252"
    part = CsvPart(path)
    cells = [chunk.table.to_pydict() for chunk in part.chunks()]
    assert "ç" in str([part.headers, cells])


@pytest.mark.parametrize("block", [16, 1 << 20])
def test_columns_without_a_name_are_left_out_where_they_are_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
):
    monkeypatch.setattr(read_csv, "BLOCK_BYTES", block)
    path = tmp_path / "file.csv"
    body = 'p;;q;\n1;;2;\n"3\n";"";4; \n'
    path.write_text(body)
    part = CsvPart(path)
    assert part.headers == ["p", "q"]
    assert read(path) == [(2, ["1", "2"]), (3, ["3\n", "4"])]
    path.write_text(f"{body}5;;6;\n7;;8;nine\n")
    with pytest.raises(BadFile, match="line 6, value 'nine': column 4 has no name in the header"):
        list(CsvPart(path).chunks())


@pytest.mark.parametrize("told", ["sep=;", '"sep=;"', "SEP=;", "\nsep=;"])
def test_the_line_that_tells_excel_the_separator_is_no_header(tmp_path: Path, told: str) -> None:
    path = tmp_path / "file.csv"
    path.write_text(f"{told}\r\np;q,r\r\n1;2,5\r\n", newline="")
    part = CsvPart(path)
    (chunk,) = part.chunks()
    assert part.headers == ["p", "q,r"]
    assert [column.to_pylist() for column in chunk.table.columns] == [["1"], ["2,5"]]
    assert chunk.lines.tolist() == [3 + told.count("\n")]
