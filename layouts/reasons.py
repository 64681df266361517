"""What the pipeline says of files and rows, in the reader's language; what it does not know here is
shown as it was said."""

from __future__ import annotations

import re

from domain.viewer import Translator
from layouts.text import N_

REASONS = tuple(
    (re.compile(pattern), msgid)
    for pattern, msgid in (
        (r"is empty", N_("is empty")),
        (r"is negative", N_("is negative")),
        (r"is too large", N_("is too large")),
        (r"is not a number", N_("is not a number")),
        (r"is not a whole number", N_("is not a whole number")),
        (r"is a date that does not exist", N_("is a date that does not exist")),
        (r"has a control character", N_("has a control character")),
        (r"has a header and no rows", N_("has a header and no rows")),
        (
            r"is not a number \(the decimal mark of this file is '(?P<mark>.)'\)",
            N_("is not a number (the decimal mark of this file is “%(mark)s”)"),
        ),
        (
            r"is a formula without a value: open the file in Excel and save it",
            N_("is a formula without a value: open the file in Excel and save it"),
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
        (r"lies after (?P<then>\S+)", N_("lies after %(then)s")),
        (
            r"is not a date \(expected (?P<formats>.+)\)",
            N_("is not a date (expected %(formats)s)"),
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
            N_("%(bad)s of %(read)s rows are bad (%(share)s), more than %(limit)s: nothing loaded"),
        ),
        (
            r"stopped before its end(?: \(exit code \S+\))?; nothing of it was kept",
            N_("stopped before its end; nothing of it was kept"),
        ),
    )
)
PLACED = re.compile(r"(?P<place>[^:]+): (?P<reason>.+)", re.DOTALL)


def reason_in(text: str, t: Translator) -> str:
    """A reason or a message, its place in the file left as it is."""
    for pattern, msgid in REASONS:
        if found := pattern.fullmatch(text):
            return t(msgid, **found.groupdict())
    placed = PLACED.fullmatch(text)
    if placed is None:
        return text
    return f"{placed['place']}: {reason_in(placed['reason'], t)}"
