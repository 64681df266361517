"""Which files a folder holds, of which kind they are, and how they are opened."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

from domain.erp import KINDS, SUFFIXES
from domain.errors import BadFile
from warehouse.pipeline.chunks import Part
from warehouse.pipeline.mapping import Source
from warehouse.pipeline.names import normalised
from warehouse.pipeline.read_csv import CsvPart
from warehouse.pipeline.read_parquet import ParquetPart
from warehouse.pipeline.read_xlsx import XlsxPart, sheets_of


def data_files(path: Path) -> list[Path]:
    """The files to look at: `path` itself, or a folder's files that can be ERP files."""
    if path.is_file():
        if not _readable(path):
            raise BadFile(f"is none of {', '.join(SUFFIXES)}", file=path.name)
        return [path]
    if not path.is_dir():
        raise BadFile("does not exist", file=str(path))
    return sorted(file for file in path.iterdir() if file.is_file() and _readable(file))


def _readable(path: Path) -> bool:
    return path.name.lower().endswith(SUFFIXES) and not path.name.startswith((".", "~$"))


def kind_of(name: str) -> str | None:
    """The kind that a file's or sheet's name tells: `demand.csv`, `stock-2024.xlsx`."""
    stem = normalised(name).split(".")[0].replace(" ", "_").replace("-", "_")
    kinds = (kind for kind in KINDS if re.fullmatch(rf"{kind}(_.*|\d*)", stem))
    return next(kinds, None)


def kinds_in(path: Path) -> list[str]:
    """The kinds that the file's name tells, or else the names of a workbook's sheets."""
    kind = kind_of(path.name)
    if kind or not path.name.lower().endswith(".xlsx"):
        return [kind] if kind else []
    named = (kind_of(sheet) for sheet in sheets_of(path))
    return list(dict.fromkeys(kind for kind in named if kind))


def part_names(path: Path, source: Source) -> list[str]:
    """The sheets of a workbook that the source reads, or "" for a file that is one table."""
    return _sheets(path, source) if path.name.lower().endswith(".xlsx") else [""]


def open_part(path: Path, source: Source, name: str) -> Part:
    """One table of the file; raises BadFile when it cannot be read."""
    if path.name.lower().endswith(".parquet"):
        return ParquetPart(path, decimal=source.decimal)
    if path.name.lower().endswith(".xlsx"):
        return XlsxPart(path, name, header_row=source.header_row, decimal=source.decimal)
    return CsvPart(
        path,
        encoding=source.encoding,
        delimiter=source.delimiter,
        header_row=source.header_row,
        decimal=source.decimal,
    )


def _sheets(path: Path, source: Source) -> list[str]:
    present = sheets_of(path)
    if not present:
        raise BadFile("is empty", file=path.name)
    if source.sheets:
        return _wanted_sheets(path, present, source.sheets)
    named = [sheet for sheet in present if kind_of(sheet) == source.kind]
    if len(present) > 1 and not named and not source.mapped:
        raise BadFile(
            f"has several sheets ({', '.join(present)}): name one {source.kind!r},"
            " or say in mapping.toml which to read",
            file=path.name,
        )
    return present if source.mapped else named or present


def _wanted_sheets(path: Path, present: list[str], wanted: tuple[str, ...]) -> list[str]:
    for pattern in wanted:
        if not any(fnmatch(sheet, pattern) for sheet in present):
            reason = f"has no sheet {pattern!r} (it has: {', '.join(present)})"
            raise BadFile(reason, file=path.name)
    return [sheet for sheet in present if any(fnmatch(sheet, pattern) for pattern in wanted)]
