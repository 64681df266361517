"""The CSV files that `benchmark` measures on, as text, so that what is refused is told as it is
written.

A table's index is the line of each row in its file, which begins with line 1, the names.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from domain.errors import InvalidInput

DAY = r"^\s*([0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8})(?:[T ][0-9:.,Z+ -]*)?$"
LARGEST = 1e15


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Raises InvalidInput where a file is missing, damaged or no CSV."""
    try:
        yield
    except pd.errors.ParserError as error:
        raise InvalidInput(
            f"{path}: {str(error).strip()}; each line needs as many values as the first, separated"
            " by commas"
        ) from error
    except (OSError, ValueError, EOFError, zlib.error) as error:
        raise InvalidInput(f"{path}: cannot be read ({error})") from error


def read(path: Path, needed: Sequence[str] = ()) -> pd.DataFrame:
    """Every cell as it is written, without empty lines. Raises InvalidInput for what is no CSV, and
    where a column that is needed is missing or one is there twice."""
    with reading(path):
        cells = pd.read_csv(
            path, header=None, dtype=str, keep_default_na=False, skip_blank_lines=False
        )
    names = cells.iloc[0]
    for name in needed:
        if name not in set(names):
            separated = "; values are separated by commas, not by ';'" if ";" in names[0] else ""
            raise InvalidInput(f"{path}, line 1: column {name!r} is missing{separated}")
    if names.duplicated().any():
        twice = names[names.duplicated()].iloc[0]
        raise InvalidInput(f"{path}, line 1: column {twice!r} is there twice; rename one")
    table = cells.set_axis(names.to_list(), axis=1).set_axis(cells.index + 1).iloc[1:]
    return table[(table != "").any(axis=1)]


def numbers(path: Path, table: pd.DataFrame, *, gaps: bool = False) -> pd.DataFrame:
    """The table as numbers; with `gaps` an empty cell is NaN. Raises InvalidInput for a cell that
    is no number, or one whose square is too large to be summed."""
    found = table.apply(pd.to_numeric, errors="coerce").astype(float)
    wrong = ~(found.abs() <= LARGEST) & ~((table == "") & gaps)
    refuse(path, table, wrong, f"is no number up to {LARGEST:g}; write it like 1234.5")
    return found


def days(path: Path, table: pd.DataFrame, column: str) -> pd.Series:
    """The days of a column as they are written, whatever time or zone follows. Raises InvalidInput
    for a cell that begins with neither 2024-01-31 nor 20240131."""
    written = table[column].str.extract(DAY)[0].str.replace("-", "")
    found = pd.to_datetime(written, format="%Y%m%d", errors="coerce")
    refuse(path, table[[column]], found.isna(), "is no day; write it like 2024-01-31")
    return found.rename(column)


def refuse(path: Path, table: pd.DataFrame, wrong: ArrayLike, reason: str) -> None:
    """Raises InvalidInput for the first cell of a table that is `wrong` (a mask of its cells),
    naming its line, column and value."""
    for row, column in np.argwhere(np.reshape(wrong, table.shape))[:1]:
        line, name, value = table.index[row], table.columns[column], table.iloc[row, column]
        raise InvalidInput(f"{path}, line {line}, column {name!r}, value {value!r}: {reason}")
