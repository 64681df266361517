"""GET /what-if and /what-if/curve, and both as files."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from api.exporting import exported
from api.parameters import MAX_TEXT, Query, Uf, clean
from api.routing import route
from auth.guards import current_viewer
from domain.access import Scope
from domain.errors import not_acceptable
from domain.what_if import LIMITS, Change, ComparedFigure, Comparison, CurvePoint, side_by_side
from warehouse.queries import what_if

Code = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(clean)]


def _within(name: str, default: float | None) -> Any:
    low, high = LIMITS[name]
    return Field(default, ge=low, le=high, allow_inf_nan=False)


class Series(Query):
    """All that is in view, an item's depots, or one item-depot."""

    sku: Code = ""
    site: Code = ""


class WhatIfQuery(Series):
    """What is different from today; fractions, BRL, days. See `domain.changes.Change`."""

    service_a: float | None = _within("service_a", None)
    service_b: float | None = _within("service_b", None)
    service_c: float | None = _within("service_c", None)
    lead_time_change: float = _within("lead_time_change", 0.0)
    supplier: Code = ""
    demand_change: float = _within("demand_change", 0.0)
    family: Code = ""
    uf: Uf = ""
    order_cost: float | None = _within("order_cost", None)
    holding_rate: float | None = _within("holding_rate", None)
    strike_days: int = Field(0, ge=LIMITS["strike_days"][0], le=LIMITS["strike_days"][1])
    strike: Literal["import", "domestic", "all"] = "import"
    exchange_change: float = _within("exchange_change", 0.0)
    levels: Literal["adapted", "kept"] = "adapted"

    def change(self) -> Change:
        """The same as the query's argument."""
        return Change(**self.model_dump(exclude={"sku", "site"}))


class CurveQuery(Series):
    """What the curve is of; a class narrows the stored one, that of all in view."""

    abc: Literal["A", "B", "C", ""] = ""


@route("GET", "/what-if", query=WhatIfQuery, data=Comparison)
def compared(query: WhatIfQuery) -> Comparison:
    """A mean year under today's policy and under a changed one, on the same demand."""
    scope, change = current_viewer().scope, query.change()
    _check(change, scope)
    return what_if.compare(scope=scope, change=change, sku=query.sku, site=query.site)


@route("GET", "/what-if/curve", query=CurveQuery, data=list[CurvePoint])
def curve(query: CurveQuery) -> list[CurvePoint]:
    """Stock value against service: today's policy, then one cycle service for all at a time."""
    return what_if.curve(
        scope=current_viewer().scope, abc=query.abc, sku=query.sku, site=query.site
    )


@exported("what-if-curve", query=CurveQuery, record=CurvePoint)
def curve_file(query: CurveQuery) -> list[CurvePoint]:
    """Stock value against service: today's policy, then one cycle service for all at a time."""
    return curve(query)


@exported("what-if", query=WhatIfQuery, record=ComparedFigure)
def compared_file(query: WhatIfQuery) -> list[ComparedFigure]:
    """Today's policy and a changed one side by side, a line each figure of a mean year."""
    return side_by_side(compared(query))


def _check(change: Change, scope: Scope) -> None:
    """Raises InvalidInput for a supplier or family that nothing in view is of."""
    named = {"supplier": change.supplier, "family": change.family}
    wrong = {
        name: f"there is no such {name} in view"
        for name, value in named.items()
        if value and value not in [one.value for one in what_if.choices(scope=scope)[name]]
    }
    if wrong:
        raise not_acceptable(wrong)
