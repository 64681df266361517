"""What the pipeline says of files and rows, in the reader's language; what it does not know here is
shown as it was said."""

from __future__ import annotations

import re

from babel.numbers import get_decimal_symbol, get_group_symbol

from domain.viewer import Translator
from layouts.text import N_

REASONS = tuple(
    (re.compile(pattern, re.DOTALL), msgid)
    for pattern, msgid in (
        (r"is empty", N_("is empty")),
        (r"is negative", N_("is negative")),
        (r"is too large", N_("is too large")),
        (r"is not a number", N_("is not a number")),
        (r"is not a whole number", N_("is not a whole number")),
        (r"is a date that does not exist", N_("is a date that does not exist")),
        (r"has a control character", N_("has a control character")),
        (r"has a NUL character", N_("has a NUL character")),
        (r"is not JSON (?P<why>\(.+\))", N_("is not JSON %(why)s")),
        (r"is not a list of materials", N_("is not a list of materials")),
        (r"has a material without a sku", N_("has a material without a sku")),
        (
            r"material (?P<sku>.+): quantity is not a number",
            N_("material %(sku)s: quantity is not a number"),
        ),
        (
            r"material (?P<sku>.+): quantity is out of range",
            N_("material %(sku)s: quantity is out of range"),
        ),
        (
            r"material (?P<sku>.+): needed_on is not a date \(yyyy-mm-dd\)",
            N_("material %(sku)s: needed_on is not a date (yyyy-mm-dd)"),
        ),
        (
            r"is not a penalty schedule \(downtime hours:percent of the fee, as (?P<like>.+)\)",
            N_("is not a penalty schedule (downtime hours:percent of the fee, as %(like)s)"),
        ),
        (
            r"every row is left out by mapping\.toml: there is nothing to load",
            N_("every row is left out by mapping.toml: there is nothing to load"),
        ),
        (r"no value in the period", N_("no value in the period")),
        (
            r"is a name that the training gives itself: rename it",
            N_("is a name that the training gives itself: rename it"),
        ),
        (r"has a header and no rows", N_("has a header and no rows")),
        (
            r"is not a number \(the decimal mark of this file is '(?P<mark>.)'\)",
            N_("is not a number (the decimal mark of this file is “%(mark)s”)"),
        ),
        (
            r"is a formula without a value: open the file in Excel and save it",
            N_("is a formula without a value: open the file in Excel and save it"),
        ),
        (
            r"is an error that Excel shows: correct it there, or name it under missing in "
            r"mapping\.toml",
            N_(
                "is an error that Excel shows: correct it there, or name it under missing in "
                "mapping.toml"
            ),
        ),
        (r"must be a number", N_("must be a number")),
        (r"must be a whole number", N_("must be a whole number")),
        (r"must be (?P<low>\S+) to (?P<high>\S+)", N_("must be %(low)s to %(high)s")),
        (r"must not be less than critical_days", N_("must not be less than the critical days")),
        (r"is more than (?P<limit>\S+)", N_("is more than %(limit)s")),
        (r"is less than (?P<limit>\S+)", N_("is less than %(limit)s")),
        (r"is none of (?P<choices>.+)", N_("is none of %(choices)s")),
        (r"is longer than (?P<limit>\S+) characters", N_("is longer than %(limit)s characters")),
        (r"and (?P<count>[\d,]+) more", N_("and %(count)s more")),
        (r"lies in the future", N_("lies in the future")),
        (r"is the row's own (?P<name>\S+)", N_("is the row's own %(name)s")),
        (r"lies after (?P<then>\S+)", N_("lies after %(then)s")),
        (
            r"(?P<first>\w+) lies after (?P<then>\w+): (?P<column>\w+) was cleared",
            N_("%(first)s lies after %(then)s: %(column)s was cleared"),
        ),
        (
            r"is not a date \(expected yyyy-mm-dd or dd/mm/yyyy\)",
            N_("is not a date (expected yyyy-mm-dd or dd/mm/yyyy)"),
        ),
        (
            r"is not a date \(expected (?P<formats>.+) or yyyy-mm-dd\)",
            N_("is not a date (expected %(formats)s or yyyy-mm-dd)"),
        ),
        (
            r"is out of range: years (?P<first>\d+) to (?P<last>\d+) are accepted",
            N_("is out of range: years %(first)s to %(last)s are accepted"),
        ),
        (r"is neither true nor false (?P<words>\(.+\))", N_("is neither true nor false %(words)s")),
        (
            r"repeats the key of line (?P<line>\d+) \(see on_duplicate\)",
            N_("repeats the key of line %(line)s (see on_duplicate)"),
        ),
        (
            r"has (?P<cells>\d+) cells where the header has (?P<width>\d+)",
            N_("has %(cells)s cells where the header has %(width)s"),
        ),
        (
            r"(?P<bad>\S+) of (?P<read>\S+) rows are bad \((?P<share>\S+)\), more than"
            r" (?P<limit>\S+): nothing was loaded",
            N_(
                "%(bad)s of %(read)s rows are bad (%(share)s), more than %(limit)s: nothing was "
                "loaded"
            ),
        ),
        (
            r"is empty, and so are (?P<second>\S+) and (?P<third>\S+): one of them is needed",
            N_("is empty, and so are %(second)s and %(third)s: one of them is needed"),
        ),
        (r"is more than (?P<limit>\S+) once scaled", N_("is more than %(limit)s once scaled")),
        (r"has no header", N_("has no header")),
        (
            r"column (?P<place>\d+) has no name in the header",
            N_("column %(place)s has no name in the header"),
        ),
        (
            r"the column (?P<name>.+) appears twice in the header",
            N_("the column %(name)s appears twice in the header"),
        ),
        (
            r"the column is missing(?P<sheet> in sheet .+?)?(?P<near>; the closest is .+?)? "
            r"\(columns: (?P<columns>.+)\)",
            N_("the column is missing%(sheet)s%(near)s (columns: %(columns)s)"),
        ),
        (
            r"is not a column of (?P<kind>\w+)(?P<near>; the closest is .+?)? \(columns: "
            r"(?P<columns>.+)\)",
            N_("is not a column of %(kind)s%(near)s (columns: %(columns)s)"),
        ),
        (r" in sheet (?P<name>.+)", N_(" in sheet %(name)s")),
        (r"; the closest is (?P<name>.+)", N_("; the closest is %(name)s")),
        (
            r"no column matches the pattern (?P<pattern>.+)",
            N_("no column matches the pattern %(pattern)s"),
        ),
        (
            r"the column's name gives no date (?P<why>\(.+\))",
            N_("the column's name gives no date %(why)s"),
        ),
        (
            r"holds no ERP file(?P<names> \(.+?\))?: name files by their kind "
            r"(?P<kinds>\(.+?\)), as demand\.csv, or describe them in mapping\.toml",
            N_(
                "holds no ERP file%(names)s: name files by their kind %(kinds)s, as "
                "demand.csv, or describe them in mapping.toml"
            ),
        ),
        (
            r"can be read with a decimal mark or a thousands mark: say (?P<comma>.+) or "
            r"(?P<dot>.+) in mapping\.toml",
            N_(
                "can be read with a decimal mark or a thousands mark: say %(comma)s or %(dot)s "
                "in mapping.toml"
            ),
        ),
        (r"a quote is opened and never closed", N_("a quote is opened and never closed")),
        (
            r"a quote is opened and not closed, or a cell is too long (?P<why>\(.+\))",
            N_("a quote is opened and not closed, or a cell is too long %(why)s"),
        ),
        (
            r"has a line longer than (?P<limit>\S+) bytes",
            N_("has a line longer than %(limit)s bytes"),
        ),
        (r"has a NUL byte: it is not a text file", N_("has a NUL byte: it is not a text file")),
        (
            r"byte (?P<byte>\S+) is not (?P<encoding>\S+): broken encoding",
            N_("byte %(byte)s is not %(encoding)s: broken encoding"),
        ),
        (r"is (?P<encoding>UTF-16): save it as UTF-8", N_("is %(encoding)s: save it as UTF-8")),
        (r"is a damaged gzip file: (?P<why>.+)", N_("is a damaged gzip file: %(why)s")),
        (
            r"unpacks to more than (?P<times>\d+) times its size: load it unpacked, as \.csv",
            N_("unpacks to more than %(times)s times its size: load it unpacked, as .csv"),
        ),
        (
            r"unpacks to (?P<size>\S+) MB, (?P<ratio>\S+) times its size: at most "
            r"(?P<most>\S+) MB and (?P<times>\d+) times are read; export it as CSV",
            N_(
                "unpacks to %(size)s MB, %(ratio)s times its size: at most %(most)s MB and "
                "%(times)s times are read; export it as CSV"
            ),
        ),
        (r"is not an XLSX workbook (?P<why>\(.*\))", N_("is not an XLSX workbook %(why)s")),
        (r"is not a Parquet file (?P<why>\(.*\))", N_("is not a Parquet file %(why)s")),
        (r"is damaged (?P<why>\(.*\))", N_("is damaged %(why)s")),
        (r"holds nested values", N_("holds nested values")),
        (r"sheet (?P<name>.+) is empty", N_("sheet %(name)s is empty")),
        (r"sheet (?P<name>.+) is damaged (?P<why>\(.*\))", N_("sheet %(name)s is damaged %(why)s")),
        (
            r"has no sheet (?P<name>.+) \(it has: (?P<sheets>.+)\)",
            N_("has no sheet %(name)s (it has: %(sheets)s)"),
        ),
        (
            r"has several sheets (?P<sheets>\(.+\)): name one (?P<name>.+), or say in "
            r"mapping\.toml which to read",
            N_(
                "has several sheets %(sheets)s: name one %(name)s, or say in mapping.toml "
                "which to read"
            ),
        ),
        (
            r"lies beyond (?P<row>\S+), the last row of a sheet",
            N_("lies beyond %(row)s, the last row of a sheet"),
        ),
        (
            r"(?P<month>\S+) is archived and the file has rows of it: bring it back first "
            r"(?P<how>\(.+\)), or leave those rows out\.",
            N_(
                "%(month)s is archived and the file has rows of it: bring it back first "
                "%(how)s, or leave those rows out."
            ),
        ),
        (
            r"stopped before its end(?: \(exit code \S+\))?; nothing of it was kept",
            N_("stopped before its end; nothing of it was kept"),
        ),
        (r"stopped before its end(?: \(exit code \S+\))?", N_("stopped before its end")),
        (r"stopped by (?P<what>\w+)", N_("stopped by %(what)s")),
        (
            r"its process could not be started: (?P<why>.+)",
            N_("its process could not be started: %(why)s"),
        ),
        (r"the database refused: (?P<why>.+)", N_("the database refused: %(why)s")),
        (r"ignored: (?P<files>.+)", N_("ignored: %(files)s")),
        (
            r"The file is no longer kept; send it again\.",
            N_("The file is no longer kept; send it again."),
        ),
        (
            r"another load is running(?P<name>: .+)?; waited (?P<seconds>\d+) s, try again when "
            r"it has ended",
            N_(
                "another load is running%(name)s; waited %(seconds)s s, try again when it has ended"
            ),
        ),
        (
            r"another publish is running(?P<name>: .+)?; waited (?P<seconds>\d+) s, try again when "
            r"it has ended",
            N_(
                "another publish is running%(name)s; waited %(seconds)s s, try again when it has "
                "ended"
            ),
        ),
        (
            r"another derivation is running(?P<name>: .+)?; waited (?P<seconds>\d+) s, try again "
            r"when it has ended",
            N_(
                "another derivation is running%(name)s; waited %(seconds)s s, try again when it "
                "has ended"
            ),
        ),
        (
            r"another load, publish or derivation is running; waited (?P<seconds>\d+) s, try again "
            r"when it has ended",
            N_(
                "another load, publish or derivation is running; waited %(seconds)s s, try again "
                "when it has ended"
            ),
        ),
        (r": (?P<name>.+), by (?P<who>.+)", N_(": %(name)s, by %(who)s")),
        (
            r"Run (?P<run>\d+) cannot be published: (?P<why>.+)\.",
            N_("Run %(run)s cannot be published: %(why)s."),
        ),
        (r"there is no such run", N_("there is no such run")),
        (r"it is dropped", N_("it is dropped")),
        (r"it is loading", N_("it is loading")),
        (
            r"Run (?P<run>\d+) is still being read and cannot be removed yet; try again when the "
            r"backup, or what else reads it, has ended\.",
            N_(
                "Run %(run)s is still being read and cannot be removed yet; try again when the "
                "backup, or what else reads it, has ended."
            ),
        ),
    )
)
COUNTED = frozenset("bad count high limit low most ratio read row share size".split())
"""The parts of reasons that are numbers."""
PLACED = re.compile(
    r"(?P<file>.+?)(, line (?P<line>\d+))?(, column (?P<column>'[^']*'|\"[^\"]*\"))?"
    r"(, value (?P<value>'[^']*'|\"[^\"]*\"))?: (?P<reason>.+)",
    re.DOTALL,
)
PLACES = {
    "line": N_("line %(line)s"),
    "column": N_("column %(column)s"),
    "value": N_("value %(value)s"),
}


def reason_in(text: str, t: Translator, locale: str) -> str:
    """A reason, what it is made of, or a message with its place in the file."""
    for pattern, msgid in REASONS:
        if found := pattern.fullmatch(text):
            parts = found.groupdict(default="").items()
            return t(msgid, **{name: _part(name, part, t, locale) for name, part in parts})
    placed = PLACED.fullmatch(text)
    if placed is None:
        return text
    places = [t(msgid, **{name: placed[name]}) for name, msgid in PLACES.items() if placed[name]]
    reason = reason_in(placed["reason"], t, locale)
    return f"{', '.join([placed['file'], *places])}: {reason}"


def _part(name: str, part: str, t: Translator, locale: str) -> str:
    if name not in COUNTED:
        return reason_in(part, t, locale)
    group, decimal = get_group_symbol(locale), get_decimal_symbol(locale)
    return part.translate(str.maketrans(",.", f"{group}{decimal}"))
