"""What downloads are called, and where their numbers come from."""

from __future__ import annotations

from collections.abc import Sequence

from domain.records import DataStatus
from domain.viewer import Translator


def file_name(parts: Sequence[str], status: DataStatus) -> str:
    """A file name that says what it is of, which run made it, and whether the data are made up."""
    told = [*parts, f"run{status.run_id}", "demo" if status.is_demo else ""]
    name = "_".join(part for part in told if part)
    return "".join(c if c.isalnum() or c in "_-" else "-" for c in name) + ".csv"


def source_of(status: DataStatus, t: Translator) -> str:
    """Where the numbers of a row come from, in words."""
    run = t("run %(run)s", run=status.run_id)
    return t("demonstration data, %(source)s", source=run) if status.is_demo else run
