"""Parts of a page that may come after it: where they will be, an outline meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from dash import html
from dash.development.base_component import Component

from layouts.components.attributes import aria

HEIGHT = 360
"""Of most parts, in pixels, about."""
Make = Callable[[], list[Component]]


class Part(Protocol):
    """Where a layout asks for what may come later: `name` is the part's on its page, `height` about
    that of what `make()` gives, in pixels; `narrow` the same on phones, if it differs."""

    def __call__(
        self, name: str, make: Make, height: int = HEIGHT, narrow: int | None = None
    ) -> list[Component]: ...


def at_once(
    name: str, make: Make, height: int = HEIGHT, narrow: int | None = None
) -> list[Component]:
    """The part itself, whatever it takes."""
    return make()


PART, INNER = "part", "inner-part"
"""Types of ids: Dash calls no callback for what the same callback has brought."""


def part_id(name: Any, at: Any, kind: str = PART) -> dict[str, Any]:
    """Of the part `name` of the page that was opened at the address `at`."""
    return {"type": kind, "name": name, "at": at}


def awaited(name: str, at: str, height: int, narrow: int | None = None) -> html.Div:
    """An outline that asks for the part as soon as it is shown, and in which it appears."""
    kind = INNER if "." in name else PART
    return html.Div([outline(height, narrow)], id=part_id(name, at, kind), className="part")


def outline(height: int, narrow: int | None = None) -> html.Div:
    """What stands in the place of something that is on its way; heights as of `Part`."""
    heights = {"--height": f"{height}px", "--narrow": f"{narrow or height}px"}
    return html.Div(className="surface outline", style=heights, **aria(busy="true"))
