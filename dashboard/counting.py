"""Counters that the workers of a server share: each counts in the files of its place, which it
hands on when it ends, so that there are never more files than workers at once.

Imported before any metric is made.
"""

from __future__ import annotations

from prometheus_client import values

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that names where the files lie."""

_place = "none"


def take(place: str) -> None:
    """From here on this process counts there, and goes on from what stands there. No two processes
    may be at one place at once."""
    global _place
    _place = place


values.ValueClass = values.MultiProcessValue(lambda: _place)  # type: ignore[no-untyped-call]
