"""What a load did: counts, refused rows and messages, and their rendering as text."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

SHOWN_REJECTS = 20

DONE = ("accepted", "unchanged", "dry-run", "skipped")
"""The states of a file that need nobody's attention."""


@dataclass(frozen=True)
class Reject:
    """A refused cell or row. `line` is the physical line (CSV) or row (XLSX, Parquet)."""

    line: int | None
    column: str | None
    value: str | None
    reason: str


@dataclass
class FileReport:
    """What happened to one file (or sheet) as one kind.

    `state`: loading, accepted, unchanged, rejected (too many bad rows), failed (not readable),
    dry-run or skipped (demo files beside real data). Rows: read = accepted + rejected + filtered
    + merged, once the state is final.
    `rejects` are the first of so many `problems`, of which a row may have several; `dropped` counts
    filtered rows and `notes` changed ones, by reason. `message` says why nothing was loaded.
    `superseded` counts the rows of `core` that another value replaces, `repeated` those that are
    there already; None where the file was not read to its end. `quantity` is a demand file's
    control total, in units of issue.
    """

    file: str
    kind: str
    part: str = ""
    state: str = "loading"
    read: int = 0
    accepted: int = 0
    rejected: int = 0
    filtered: int = 0
    merged: int = 0
    rejects: list[Reject] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    message: str | None = None
    seconds: float = 0.0
    date_from: date | None = None
    date_to: date | None = None
    load_id: int | None = None
    superseded: int | None = None
    repeated: int | None = None
    quantity: float | None = None
    problems: int = 0

    @property
    def ok(self) -> bool:
        """Whether the file was loaded, or already had been, or would be."""
        return self.state in DONE

    @property
    def source(self) -> str:
        """File and sheet, as shown in messages."""
        return f"{self.file} [{self.part}]" if self.part else self.file

    def begin_again(self) -> None:
        """Forgets what was counted: the file is read anew."""
        fresh = FileReport(self.file, self.kind, self.part, load_id=self.load_id)
        self.__dict__.update(fresh.__dict__)

    def keep_first(self, rejects: list[Reject]) -> None:
        """Remembers the first rejects and counts all; more of them stand in `staging.reject`."""
        self.problems += len(rejects)
        self.rejects.extend(rejects[: SHOWN_REJECTS - len(self.rejects)])


@dataclass
class IngestReport:
    """What happened to a folder or a file.

    `ignored` are files whose names tell no kind, `unmatched` the mapping's sources without a file.
    """

    path: str
    files: list[FileReport] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    unmatched: list[str] = field(default_factory=list)
    dry_run: bool = False
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether every file ended well: the exit code is 0 then, else 1."""
        return all(file.ok for file in self.files)

    @property
    def changed(self) -> bool:
        """Whether `core` has changed: the derived tables must follow."""
        return any(file.state == "accepted" for file in self.files)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self) | {"ok": self.ok, "changed": self.changed}


COUNTS = ("read", "accepted", "rejected", "filtered", "merged")


def render_report(report: IngestReport) -> str:
    """The report as aligned text: a line a file, then what needs attention."""
    header = ("file", "kind", "state", *COUNTS, "seconds", "from", "to")
    rows = [header, *(_row(file) for file in report.files)]
    lines = _aligned(rows, right=set(range(3, 9)))
    for file in report.files:
        lines += _details(file)
    if report.ignored:
        lines += ["", f"ignored (no kind in the name): {', '.join(report.ignored)}"]
    if report.unmatched:
        lines += ["", f"in the mapping, but no such file: {', '.join(report.unmatched)}"]
    return "\n".join(lines)


def _row(file: FileReport) -> tuple[str, ...]:
    counts = (f"{getattr(file, name):,}" for name in COUNTS)
    days = (str(day) if day else "" for day in (file.date_from, file.date_to))
    return (file.source, file.kind, file.state, *counts, f"{file.seconds:.1f}", *days)


def _aligned(rows: list[tuple[str, ...]], right: set[int]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(_cells(row, widths, right)).rstrip() for row in rows]


def _cells(row: tuple[str, ...], widths: list[int], right: set[int]) -> list[str]:
    return [
        cell.rjust(width) if place in right else cell.ljust(width)
        for place, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]


def _details(file: FileReport) -> list[str]:
    lines = [f"  {file.message}"] if file.message else []
    lines += [f"  {count:,} rows left out: {reason}" for reason, count in file.dropped.items()]
    lines += [f"  {count:,} rows: {note}" for note, count in file.notes.items()]
    if file.superseded or file.repeated:
        verb = "would be" if file.state == "dry-run" else "were"
        lines.append(f"  {file.superseded:,} rows {verb} replaced, {file.repeated:,} are the same")
    lines += [f"  {_place(reject)}: {reject.reason}" for reject in file.rejects]
    if file.problems > len(file.rejects):
        lines.append("  … and more, in staging.reject" if file.load_id else "  … and more")
    return ["", f"{file.source} as {file.kind}", *lines] if lines else []


def _place(reject: Reject) -> str:
    place = [f"line {reject.line}"] if reject.line is not None else []
    place += [f"column {reject.column!r}"] if reject.column is not None else []
    place += [f"value {reject.value!r}"] if reject.value is not None else []
    return ", ".join(place)
