r"""`mapping.toml`: how a foreign export becomes canonical files.

Each `[[source]]` reads one table as one kind; a file may be the source of several kinds.

    [[source]]
    kind = "purchase_orders"          # a kind of domain.erp
    file = "requests*.xlsx"           # a glob over file names
    sheets = ["2023", "2024*"]        # XLSX: globs over sheet names (default: all that hold data)
    header_row = 3                    # default: the first row that is not blank
    encoding = "cp1252"               # default: detected; also `delimiter` and `decimal`
    date_formats = ["%d-%b-%y"]       # besides ISO; default: dd/mm/yyyy
    missing = ["N/A", "-"]            # cells that mean "nothing"
    on_duplicate = "reject"           # rows with the same key: reject, first or last; or sum, of
                                      # demand's, purchase_orders' and drivers' amounts alone
    extra = ["PESO"]                  # columns kept as attributes (items, equipment); true: all

    [source.columns]                  # canonical = header in the file; or @line, @sheet, @file
                                      # (without columns, constants, concat and unpivot the file
                                      # has canonical headers, and only needs `decimal`, say)
    sku = "CÓD. PRODUTO"
    [source.constants]                # the same value in every row
    unit = "UN"
    [source.defaults]                 # where the cell is empty
    site = "CD-SP"
    [source.concat]                   # texts of several columns as one
    sku = { columns = ["GRUPO", "CÓDIGO"], separator = "-" }
    [source.scale]                    # a number times a factor: EUR to BRL, weeks to days; below 0
    lead_time_days = 7                # where the column may be: demand's quantity, drivers' value
    [source.values.unit]              # one value for another
    "PÇ" = "UN"

    [[source.drop]]                   # rows left out (`keep`: all others are), with the reason
    column = "UND."                   # a header in the file
    in = ["SV", "HR"]                 # or equals = "SV", matches = "^S", empty = true
    reason = "a service"

    [source.unpivot]                  # wide to long: one column a period
    columns = "w(\\d+)"               # a pattern that the whole header matches
    value = "quantity"
    start = "2012-W01"                # date of number 1 (also 2012-01 or 2012-01-31) and
    step = "week"                     # day, week, month: the header's number counts from it
    format = "%b-%y"                  # or: the header's text (the group, if any) is the date

    [[source.date_order]]             # `first` must not come after `then`
    first = "requested_on"
    then = "ordered_on"
    otherwise = "clear"               # empty `first` and say so; or "reject" the row
"""

from __future__ import annotations

import codecs
import hashlib
import json
import re
import tomllib
import unicodedata
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from domain.erp import KINDS, FileKind, Type
from domain.errors import BadMapping
from warehouse.pipeline.names import closest

PSEUDO_COLUMNS = ("@line", "@sheet", "@file")
ON_DUPLICATE = ("reject", "sum", "first", "last")
SUMMED = {
    "demand": ("quantity",),
    "purchase_orders": ("quantity", "received_qty"),
    "drivers": ("value",),
}
STEPS = ("day", "week", "month")
LARGEST_MAPPING = 1 << 20
ASCII = bytes(range(128))
"""Stands for itself in every encoding that is read: lines and separators are looked for in it."""


@dataclass(frozen=True)
class Condition:
    """A test on one foreign column; `test` is one of equals, in, matches, empty."""

    column: str
    test: str
    operand: Any
    reason: str


@dataclass(frozen=True)
class Concat:
    """Texts of foreign columns joined by `separator`; empty ones are left out."""

    columns: tuple[str, ...]
    separator: str


@dataclass(frozen=True)
class Unpivot:
    """Columns that become rows: headers matching `columns` give dates, their cells `value`."""

    columns: str
    value: str
    start: str | None
    step: str | None
    format: str | None


@dataclass(frozen=True)
class DateOrder:
    """`first` must not lie after `then`; `otherwise` is clear or reject."""

    first: str
    then: str
    otherwise: str


@dataclass(frozen=True)
class Source:
    """How one table is read as one kind; see the module's description of each key."""

    kind: str
    file: str = "*"
    mapped: bool = False
    sheets: tuple[str, ...] = ()
    header_row: int | None = None
    encoding: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    date_formats: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    on_duplicate: str = "reject"
    extra: bool | tuple[str, ...] = False
    columns: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    defaults: dict[str, str] = field(default_factory=dict)
    concat: dict[str, Concat] = field(default_factory=dict)
    scale: dict[str, float] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    keep: tuple[Condition, ...] = ()
    drop: tuple[Condition, ...] = ()
    unpivot: Unpivot | None = None
    date_order: tuple[DateOrder, ...] = ()

    @property
    def canonical(self) -> bool:
        """Whether the file's headers are the product's own names."""
        return not (self.columns or self.constants or self.concat or self.unpivot)

    @property
    def description(self) -> dict[str, Any] | None:
        """The mapping as plain values, or None for a canonical file."""
        return asdict(self) if self.mapped else None

    @property
    def fingerprint(self) -> str:
        """The hash of all that decides how rows are read; "" for a canonical file."""
        if not self.mapped:
            return ""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def matches(self, name: str) -> bool:
        """Whether the source reads the file of that name."""
        return fnmatch(name.lower(), self.file.lower())


def read_mapping(path: Path) -> list[Source]:
    """The sources of a mapping file; raises BadMapping naming the key that is wrong."""
    if path.stat().st_size > LARGEST_MAPPING:
        raise BadMapping(f"{path.name} is larger than {LARGEST_MAPPING:,} bytes")
    try:
        document = tomllib.loads(unicodedata.normalize("NFC", path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadMapping(f"{path.name} is not TOML: {error}") from error
    return parse_mapping(document, path.name)


def parse_mapping(document: dict[str, Any], name: str = "mapping.toml") -> list[Source]:
    """The sources of a parsed mapping; raises BadMapping naming the key that is wrong."""
    root = _Section(document, name)
    sources = [_source(section) for section in root.sections("source")]
    root.finish()
    if not sources:
        raise BadMapping(f"{name} has no [[source]]")
    return sources


def _source(section: _Section) -> Source:
    kind = KINDS[section.choice("kind", tuple(KINDS))]
    canonical = tuple(column.name for column in kind.columns)
    source = Source(
        kind=kind.name,
        mapped=True,
        file=section.text("file", "*"),
        sheets=section.texts("sheets"),
        header_row=section.whole("header_row"),
        encoding=section.optional("encoding", _encoding),
        delimiter=section.optional("delimiter", _delimiter),
        decimal=section.optional("decimal", _decimal),
        date_formats=section.texts("date_formats"),
        missing=_trimmed(section.texts("missing")),
        on_duplicate=section.choice("on_duplicate", _on_duplicate(kind), "reject"),
        extra=_extra(section, kind),
        columns=section.table("columns", canonical, _header),
        constants=section.table("constants", canonical, _plain),
        defaults=section.table("defaults", canonical, _plain),
        concat=section.table("concat", canonical, _concat),
        scale=_scale(section, kind),
        values=section.table("values", canonical, _values),
        keep=tuple(_condition(each) for each in section.sections("keep")),
        drop=tuple(_condition(each) for each in section.sections("drop")),
        unpivot=_unpivot(section, kind),
        date_order=tuple(_date_order(each, kind) for each in section.sections("date_order")),
    )
    section.finish()
    _check_compulsory(source, kind, section)
    return source


def _check_compulsory(source: Source, kind: FileKind, section: _Section) -> None:
    if source.canonical:
        return
    given = [*source.columns, *source.constants, *source.concat, *source.defaults]
    if source.unpivot:
        given += ["date", source.unpivot.value]
    for column in kind.columns:
        if column.required and column.name not in given:
            raise section.wrong("columns", f"says nothing for {column.name!r}, which is compulsory")
    if kind.one_of and not {*kind.one_of} & {*given}:
        raise section.wrong("columns", f"needs one of {', '.join(kind.one_of)}")
    for name in {*source.columns} & {*source.constants, *source.concat}:
        raise section.wrong("columns", f"{name!r} is given twice")


def _numbers(kind: FileKind) -> tuple[str, ...]:
    return tuple(column.name for column in kind.columns if column.type is Type.NUMBER)


def _scale(section: _Section, kind: FileKind) -> dict[str, float]:
    factors: dict[str, float] = section.table("scale", _numbers(kind), _factor)
    for name, factor in factors.items():
        if factor < 0 and kind.column(name).minimum is not None:
            raise section.wrong(f"scale.{name}", "must be a positive number")
    return factors


def _on_duplicate(kind: FileKind) -> tuple[str, ...]:
    return tuple(each for each in ON_DUPLICATE if each != "sum" or kind.name in SUMMED)


def _extra(section: _Section, kind: FileKind) -> bool | tuple[str, ...]:
    value = section.take("extra", False)
    if value and not kind.extra:
        raise section.wrong("extra", f"{kind.name} has no place for other columns")
    if isinstance(value, bool):
        return value
    return section.checked_texts("extra", value)


_OPERANDS: dict[str, tuple[type, str]] = {
    "equals": (str, "a text"),
    "in": (list, "a list of texts"),
    "matches": (str, "a regular expression"),
    "empty": (bool, "true or false"),
}


def _condition(section: _Section) -> Condition:
    column = section.text("column")
    tests = [test for test in _OPERANDS if test in section.values]
    if len(tests) != 1:
        raise section.wrong("column", f"needs exactly one of {', '.join(_OPERANDS)}")
    test = tests[0]
    operand: Any = section.take(test)
    expected, called = _OPERANDS[test]
    if not isinstance(operand, expected):
        raise section.wrong(test, f"must be {called}")
    if test == "matches":
        _pattern(section, "matches", str(operand))
    if test == "in":
        operand = _trimmed(section.checked_texts("in", operand))
    if test == "equals":
        operand = operand.strip()
    reason = section.text("reason", f"{column} {test} {operand}")
    section.finish()
    return Condition(column, test, operand, reason)


def _trimmed(texts: tuple[str, ...]) -> tuple[str, ...]:
    """As the cells are that they are held against."""
    return tuple(text.strip() for text in texts)


def _unpivot(parent: _Section, kind: FileKind) -> Unpivot | None:
    section = parent.section("unpivot")
    if section is None:
        return None
    if "date" not in [column.name for column in kind.columns]:
        raise parent.wrong("unpivot", f"{kind.name} has no date column")
    columns = section.text("columns")
    pattern = _pattern(section, "columns", columns)
    unpivot = Unpivot(
        columns,
        section.choice("value", _numbers(kind)),
        section.text("start", None),
        section.choice("step", STEPS, None),
        section.text("format", None),
    )
    section.finish()
    if (unpivot.format is None) == (unpivot.start is None or unpivot.step is None):
        raise section.wrong("format", "give either format, or start and step")
    if unpivot.start and (pattern.groups != 1 or not START.fullmatch(unpivot.start)):
        raise section.wrong("start", "must be a date, 2012-W01 or 2012-01; columns needs a group")
    return unpivot


START = re.compile(r"\d{4}-(W\d{2}|\d{2}|\d{2}-\d{2})")


def _date_order(section: _Section, kind: FileKind) -> DateOrder:
    dates = tuple(column.name for column in kind.columns if column.type is Type.DATE)
    order = DateOrder(
        section.choice("first", dates),
        section.choice("then", dates),
        section.choice("otherwise", ("clear", "reject")),
    )
    section.finish()
    if order.otherwise == "clear" and kind.column(order.first).required:
        raise section.wrong("otherwise", f"{order.first!r} is compulsory: it cannot be cleared")
    return order


def _pattern(section: _Section, key: str, text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise section.wrong(key, f"is not a regular expression: {error}") from error


Check = Callable[[Any], Any]
"""Gives the value to keep, or raises ValueError saying what it should be."""


def _encoding(value: Any) -> str:
    try:
        name, plain = codecs.lookup(value).name, ASCII.decode(value)
    except UnicodeError:
        plain = ""
    except (LookupError, TypeError) as error:
        raise ValueError("must be an encoding, as utf-8 or cp1252") from error
    if plain != ASCII.decode():
        raise ValueError(f"= {value!r} cannot be read: save the file as UTF-8")
    return name


def _delimiter(value: Any) -> str:
    if not isinstance(value, str) or len(value) != 1 or not value.isascii():
        raise ValueError("must be one character")
    return value


def _decimal(value: Any) -> str:
    if value not in (",", "."):
        raise ValueError('must be "," or "."')
    return str(value)


def _header(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be the header of a column in the file")
    if value.startswith("@") and value not in PSEUDO_COLUMNS:
        raise ValueError(f"must be a header or one of {', '.join(PSEUDO_COLUMNS)}")
    return value


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)) and str(value).strip():
        return str(value).strip()
    raise ValueError("must be a text or a number")


def _factor(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < abs(value) < 1e12:
        raise ValueError("must be a number other than 0")
    return float(value)


def _values(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError("must be a table of value = value")
    return {key.strip(): "" if each == "" else _plain(each) for key, each in value.items()}


def _concat(value: Any) -> Concat:
    if not isinstance(value, dict) or set(value) - {"columns", "separator"}:
        raise ValueError("must be { columns = [...], separator = ... }")
    columns, separator = value.get("columns"), value.get("separator", " ")
    if not isinstance(columns, list) or len(columns) < 2 or not isinstance(separator, str):
        raise ValueError("needs two or more columns and a separator")
    return Concat(tuple(_header(column) for column in columns), separator)


_REQUIRED: Any = object()


class _Section:
    """A TOML table whose keys are taken one by one; what is left over is an error."""

    def __init__(self, values: dict[str, Any], place: str) -> None:
        self.values, self._place = dict(values), place
        self._known: list[str] = []

    def wrong(self, key: str, reason: str) -> BadMapping:
        return BadMapping(f"{self._place}: {key} {reason}", fields={f"{self._place}.{key}": reason})

    def take(self, key: str, default: Any = None) -> Any:
        self._known.append(key)
        return self.values.pop(key, default)

    def finish(self) -> None:
        for key in self.values:
            known = closest(key, self._known)
            raise self.wrong(repr(key), f"is not known{known} (keys: {', '.join(self._known)})")

    def text(self, key: str, default: Any = _REQUIRED) -> Any:
        value = self.take(key, default)
        if value is _REQUIRED:
            raise self.wrong(key, "is missing")
        if value is not default and (not isinstance(value, str) or not value):
            raise self.wrong(key, "must be a text")
        return value

    def choice(self, key: str, choices: tuple[str, ...], default: Any = _REQUIRED) -> Any:
        value = self.text(key, default)
        if value is not default and value not in choices:
            raise self.wrong(key, f"= {value!r} must be one of {', '.join(choices)}")
        return value

    def whole(self, key: str) -> int | None:
        value = self.take(key)
        if value is not None and (not isinstance(value, int) or value < 1):
            raise self.wrong(key, "must be a whole number from 1")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        return self.checked_texts(key, self.take(key, []))

    def checked_texts(self, key: str, value: Any) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self.wrong(key, "must be a list of texts")
        return tuple(value)

    def optional(self, key: str, check: Check) -> Any:
        value = self.take(key)
        return None if value is None else self._checked(key, value, check)

    def table(self, key: str, names: tuple[str, ...], check: Check) -> dict[str, Any]:
        value = self.take(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, "must be a table")
        for name in value:
            if name not in names:
                raise self.wrong(key, f"has no column {name!r} to fill{closest(name, names)}")
        return {name: self._checked(f"{key}.{name}", each, check) for name, each in value.items()}

    def section(self, key: str) -> _Section | None:
        value = self.take(key)
        if value is not None and not isinstance(value, dict):
            raise self.wrong(key, "must be a table")
        return None if value is None else _Section(value, f"{self._place}.{key}")

    def sections(self, key: str) -> list[_Section]:
        value = self.take(key, [])
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            raise self.wrong(key, f"must be written as [[{key}]]")
        return [_Section(each, f"{self._place}.{key}[{n}]") for n, each in enumerate(value, 1)]

    def _checked(self, key: str, value: Any, check: Check) -> Any:
        try:
            return check(value)
        except ValueError as error:
            raise self.wrong(key, str(error)) from error
