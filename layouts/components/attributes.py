"""HTML attributes whose names are not Python words."""

from __future__ import annotations

from typing import Any


def aria(**values: str) -> Any:
    """`aria(label="…")` for `**` in a component: `aria-label`."""
    return {f"aria-{name}": value for name, value in values.items()}


def data(**values: str) -> Any:
    """`data(choice="…")` for `**` in a component: `data-choice`."""
    return {f"data-{name.replace('_', '-')}": value for name, value in values.items()}


SHOWS_DECISIONS = data(shows="decisions")
"""Of a page that says what people have decided: assets/watch.js keeps it up to date."""
