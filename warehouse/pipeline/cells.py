"""Cells of text read as numbers, dates and the like; what cannot be read is named with why.

Each reader gives the typed column (null where empty or unreadable), a mask of the unreadable
cells, and the function that says why one is.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from domain.clock import BRASILIA
from domain.erp import Column
from domain.errors import BadFile
from warehouse.pipeline.months import english_months
from warehouse.pipeline.reshape import by_value

KEY_CHARACTERS = 200
TEXT_CHARACTERS = 2_000
JSON_CHARACTERS = 1_000_000
LARGEST = 1e15
YEARS = (1970, 2100)
REMEMBERED_DATES = 100_000

DOT = r"^[+-]?(\d+|\d{1,3}(,\d{3})+)?(\.\d+)?([eE][+-]?\d{1,3})?$"
COMMA = r"^[+-]?(\d+|\d{1,3}(\.\d{3})+)?(,\d+)?([eE][+-]?\d{1,3})?$"
SURE_DOT = (
    r"^[+-]?(\d*\.(\d{1,2}|\d{4,})|0?\.\d+|\d{4,}\.\d+|\d{1,3}(,\d{3})+\.\d+|\d+(,\d{3}){2,})$"
)
SURE_COMMA = (
    r"^[+-]?(\d*,(\d{1,2}|\d{4,})|0?,\d+|\d{4,},\d+|\d{1,3}(\.\d{3})+,\d+|\d+(\.\d{3}){2,})$"
)
EITHER = r"^[+-]?[1-9]\d{0,2}[.,]\d{3}$"

TRUE = {"true", "t", "1", "yes", "y", "sim", "s", "verdadeiro", "ativo"}
FALSE = {"false", "f", "0", "no", "n", "nao", "não", "falso", "inativo"}

_BRAZILIAN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?:[ T](\d{1,2}:\d{2}(?::\d{2})?))?")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([ T].+)?")
_PENALTY = re.compile(r"\d+(\.\d+)?:\d+(\.\d+)?(;\d+(\.\d+)?:\d+(\.\d+)?)*")


Why = Callable[[str], str]
"""Says why the text in a bad cell is refused."""


class Read(NamedTuple):
    """A typed column, the cells that could not be read, and why a cell could not."""

    values: pa.Array
    bad: np.ndarray
    why: Why


class Decimal:
    """The decimal mark of a file: given, or learnt from the first number that tells."""

    def __init__(self, mark: str | None, *, file: str) -> None:
        self.mark, self._file = mark, file

    def learn(self, columns: dict[str, pa.Array], lines: np.ndarray) -> None:
        """Settles the mark, or raises BadFile at a number that could mean two things."""
        if self.mark is not None:
            return
        for column in columns.values():
            for mark, pattern in ((".", SURE_DOT), (",", SURE_COMMA)):
                if pc.any(pc.match_substring_regex(column, pattern)).as_py():
                    self.mark = mark
                    return
        for name, column in columns.items():
            unsure = pc.fill_null(pc.match_substring_regex(column, EITHER), False)
            if pc.any(unsure).as_py():
                place = pc.index(unsure, True).as_py()
                value = column[place].as_py()
                raise BadFile(
                    "can be read with a decimal mark or a thousands mark:"
                    ' say decimal = "," or decimal = "." in mapping.toml',
                    file=self._file,
                    line=int(lines[place]),
                    column=name,
                    value=value,
                )


def read_numbers(texts: pa.Array, column: Column, mark: str, scale: float) -> Read:
    """Finite numbers within the column's limits, times `scale`."""
    values, unread = _floats(texts, mark)
    plain = values.to_numpy(zero_copy_only=False)
    low, high = column.minimum, column.maximum
    with np.errstate(invalid="ignore"):
        bad = unread | (np.abs(plain) > LARGEST)
        if low is not None:
            bad |= plain < low
        scaled = plain * scale
        if high is not None:
            bad |= scaled > high
    result = pa.array(scaled, mask=bad | np.isnan(plain))
    return Read(result, bad, lambda value: _why_not_number(value, column, mark))


def _floats(texts: pa.Array, mark: str) -> tuple[pa.Array, np.ndarray]:
    """The numbers, and which cells are none; NaN and infinity are none."""
    if mark == ".":
        try:
            values = pc.cast(texts, pa.float64())
        except pa.ArrowInvalid:
            values = None
        if values is not None:
            finite = pc.fill_null(pc.is_finite(values), True)
            return values, ~finite.to_numpy(zero_copy_only=False)
    written = pc.match_substring_regex(texts, COMMA if mark == "," else DOT)
    written = pc.and_(written, pc.match_substring_regex(texts, r"\d"))
    plain = pc.if_else(written, texts, None)
    plain = pc.replace_substring(plain, "." if mark == "," else ",", "")
    plain = pc.replace_substring(plain, ",", ".")
    values = pc.cast(pc.utf8_ltrim(plain, "+"), pa.float64())
    finite = pc.and_(pc.fill_null(written, True), pc.fill_null(pc.is_finite(values), True))
    return values, ~finite.to_numpy(zero_copy_only=False)


def _why_not_number(value: str, column: Column, mark: str) -> str:
    if not re.match(COMMA if mark == "," else DOT, value) or not re.search(r"\d", value):
        if re.match(DOT if mark == "," else COMMA, value) and re.search(r"\d", value):
            return f"is not a number (the decimal mark of this file is {mark!r})"
        return "is not a number"
    thousands, plain = ("." if mark == "," else ","), value
    number = float(plain.replace(thousands, "").replace(mark, "."))
    if column.minimum == 0 and number < 0:
        return "is negative"
    if column.maximum is not None and abs(number) <= LARGEST and number > column.maximum:
        return f"is more than {column.maximum:g}"
    if column.minimum is not None and number < column.minimum:
        return f"is less than {column.minimum:g}"
    if column.maximum is not None and abs(number) <= LARGEST:
        return f"is more than {column.maximum:g} once scaled"
    return "is too large"


class Dates:
    """Reads dates and times by the formats of a source; each different text is read once."""

    def __init__(self, formats: tuple[str, ...]) -> None:
        self._formats = formats
        self._known: dict[str, datetime | str] = {}

    def read_dates(self, texts: pa.Array, _column: Column) -> Read:
        """Days as they are written; a time of day is dropped, with its offset."""
        return self._read(texts, pa.date32(), datetime.date)

    def read_times(self, texts: pa.Array, _column: Column) -> Read:
        """Moments without a zone; one with an offset is turned into Brasília's, which the
        others are taken to be in."""
        return self._read(texts, pa.timestamp("us"), _without_zone)

    def _read(self, texts: pa.Array, kind: pa.DataType, of: Callable[[datetime], Any]) -> Read:
        coded = texts.dictionary_encode()
        found = [self._parsed(text) for text in coded.dictionary.to_pylist()]
        values = [None if isinstance(each, str) else of(each) for each in found]
        wrong = np.array([isinstance(each, str) for each in found] + [False])
        places = pc.fill_null(coded.indices, len(found)).to_numpy(zero_copy_only=False)
        return Read(pa.array(values, kind).take(coded.indices), wrong[places], self._why)

    def _why(self, text: str) -> str:
        found = self._parsed(text)
        return found if isinstance(found, str) else ""

    def _parsed(self, text: str) -> datetime | str:
        if text not in self._known:
            if len(self._known) >= REMEMBERED_DATES:
                self._known.clear()
            self._known[text] = self._parse(text)
        return self._known[text]

    def _parse(self, text: str) -> datetime | str:
        found = self._by_format(text)
        if isinstance(found, datetime) and not YEARS[0] <= found.year <= YEARS[1]:
            return f"is out of range: years {YEARS[0]} to {YEARS[1]} are accepted"
        return found

    def _by_format(self, text: str) -> datetime | str:
        if _ISO.fullmatch(text):
            return _moment(lambda: datetime.fromisoformat(text))
        for form in self._formats:
            try:
                return datetime.strptime(english_months(text), form)
            except ValueError:
                continue
        if self._formats:
            return f"is not a date (expected {', '.join(self._formats)} or yyyy-mm-dd)"
        written = _BRAZILIAN.fullmatch(text)
        if written is None:
            return "is not a date (expected yyyy-mm-dd or dd/mm/yyyy)"
        day, month, year = (int(part) for part in written.group(1, 2, 3))
        clock = written[4] or "00:00"
        return _moment(
            lambda: datetime.combine(date(year, month, day), time.fromisoformat(clock.zfill(5)))
        )


def _moment(made: Callable[[], datetime]) -> datetime | str:
    try:
        return made()
    except ValueError:
        return "is a date that does not exist"


def _without_zone(moment: datetime) -> datetime:
    return moment.astimezone(BRASILIA).replace(tzinfo=None) if moment.tzinfo else moment


def read_texts(texts: pa.Array, column: Column, *, key: bool) -> Read:
    """Texts of a bounded length without control characters, one of the choices if there are, none
    that is taken."""
    limit = KEY_CHARACTERS if key else TEXT_CHARACTERS
    if column.choices:
        return _read_choices(texts, column)
    control = r"[\x00-\x1f\x7f]" if key else r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
    bad = _any(pc.greater(pc.utf8_length(texts), limit), pc.match_substring_regex(texts, control))
    if column.name == "penalty_schedule":
        bad |= _any(pc.invert(pc.match_substring_regex(texts, f"^{_PENALTY.pattern}$")))

    if column.taken:
        bad |= _any(pc.is_in(texts, pa.array(column.taken)))

    def why(value: str) -> str:
        if value in column.taken:
            return "is a name that the training gives itself: rename it"
        if len(value) > limit:
            return f"is longer than {limit:,} characters"
        if column.name == "penalty_schedule" and not _PENALTY.fullmatch(value):
            return f"is not a penalty schedule ({column.help})"
        return "has a control character"

    return Read(texts, bad, why)


def _read_choices(texts: pa.Array, column: Column) -> Read:
    known = {choice.casefold(): choice for choice in column.choices}
    values = by_value(texts, lambda value: known.get(value.casefold(), ""))
    bad = _any(pc.equal(values, ""))
    expected = f"is none of {', '.join(column.choices)}"
    return Read(pc.if_else(pc.equal(values, ""), None, values), bad, lambda _value: expected)


def read_booleans(texts: pa.Array, _column: Column) -> Read:
    """true/false, yes/no, sim/não, 1/0."""
    lower = pc.utf8_lower(texts)
    yes = pc.is_in(lower, pa.array(sorted(TRUE)))
    known = pc.or_(yes, pc.is_in(lower, pa.array(sorted(FALSE))))
    values = pc.if_else(pc.and_(known, texts.is_valid()), yes, None)
    bad = _any(pc.and_(texts.is_valid(), pc.invert(known)))
    return Read(values, bad, lambda _value: "is neither true nor false (sim/não, 1/0)")


def read_integers(texts: pa.Array, column: Column, mark: str) -> Read:
    """Whole numbers within the column's limits."""
    numbers = read_numbers(texts, column, mark, 1)
    plain = numbers.values.to_numpy(zero_copy_only=False)
    with np.errstate(invalid="ignore"):
        broken = np.isfinite(plain) & ((plain != np.floor(plain)) | (np.abs(plain) > 2**31 - 1))
    bad = numbers.bad | broken
    values = pa.array(np.where(np.isfinite(plain) & ~bad, plain, 0), mask=bad | np.isnan(plain))

    def why(value: str) -> str:
        return numbers.why(value) if _is_whole(value) else "is not a whole number"

    return Read(pc.cast(values, pa.int32()), bad, why)


def _is_whole(value: str) -> bool:
    try:
        return float(value).is_integer()
    except ValueError:
        return True


def read_materials(texts: pa.Array, _column: Column) -> Read:
    """A project's bill of materials: a JSON list of sku, quantity and needed_on."""
    wrong = [text is not None and bool(_why_not_materials(text)) for text in texts.to_pylist()]
    bad = np.array(wrong, dtype=bool)
    return Read(pc.if_else(pa.array(bad), None, texts), bad, _why_not_materials)


def _why_not_materials(text: str) -> str:
    if len(text) > JSON_CHARACTERS:
        return f"is longer than {JSON_CHARACTERS:,} characters"
    try:
        rows = json.loads(text)
        plain = json.dumps(rows, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        return f"is not JSON ({error})"
    if b"\\u0000" in plain:
        return "has a NUL character"
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return "is not a list of materials"
    return next((why for row in rows if (why := _why_not_material(row))), "")


def _why_not_material(row: dict[str, Any]) -> str:
    sku, quantity, needed_on = row.get("sku"), row.get("quantity"), row.get("needed_on")
    if not isinstance(sku, str) or not sku.strip() or len(sku) > KEY_CHARACTERS:
        return "has a material without a sku"
    if isinstance(quantity, bool) or not isinstance(quantity, (int, float)):
        return f"material {sku}: quantity is not a number"
    if not math.isfinite(quantity) or not 0 <= quantity <= LARGEST:
        return f"material {sku}: quantity is out of range"
    try:
        date.fromisoformat(str(needed_on))
    except ValueError:
        return f"material {sku}: needed_on is not a date (yyyy-mm-dd)"
    return ""


def _any(*tests: pa.Array) -> np.ndarray:
    found = np.zeros(len(tests[0]), dtype=bool)
    for test in tests:
        found |= pc.fill_null(test, False).to_numpy(zero_copy_only=False)
    return found
