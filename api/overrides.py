"""GET and POST /overrides, /overrides/preview, GET and DELETE /overrides/{id}; and
GET /forecasts/value-added."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from api.exporting import exported
from api.parameters import MAX_TEXT, Body, Day, Paged, SeriesFilters, clean, split
from api.routing import route
from auth.guards import current_viewer
from auth.session import who_decides
from domain.access import Permission
from domain.errors import InvalidInput
from domain.overrides import (
    MAX_NOTE,
    Adjustment,
    Override,
    Preview,
    Reason,
    State,
    ValueStep,
    Why,
)
from domain.records import Page
from warehouse.commands import overrides as commands
from warehouse.db import get_engine
from warehouse.queries import overrides
from warehouse.queries.paging import every

AN_OVERRIDE = "/overrides/<int(max=2147483647):override_id>"
MAX_PERIODS = 1000

Code = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(clean)]
States = Annotated[tuple[State, ...], BeforeValidator(split)]


class OverridesFilters(SeriesFilters):
    """Those that reach a series of the filters, in these states."""

    state: States = ()


class OverridesQuery(OverridesFilters, Paged):
    """The same by pages."""


class Period(Body):
    """A period by its first day, and its quantity in units of issue."""

    date: Day
    quantity: float


class AdjustmentBody(Body):
    """Quantities by period of one item at one site, or a change (a fraction of the model's
    forecast) of all that sku, site, family and uf narrow it to."""

    sku: Code = ""
    site: Code = ""
    family: Code = ""
    uf: Code = ""
    periods: Annotated[list[Period], Field(max_length=MAX_PERIODS)] | None = None
    change: float | None = None
    from_: Day | None = Field(None, alias="from")
    to: Day | None = None

    def adjustment(self) -> Adjustment:
        """The same as the command's argument. Raises InvalidInput for a period that comes twice."""
        given = self.periods
        quantities = None if given is None else {one.date: one.quantity for one in given}
        if given is not None and len(quantities or {}) != len(given):
            reason = "a date comes twice"
            raise InvalidInput(f"periods: {reason}.", fields={"periods": reason})
        return Adjustment(
            self.sku, self.site, self.family, self.uf, quantities, self.change, self.from_, self.to
        )


class OverrideBody(AdjustmentBody):
    """An adjustment with its reason, and the last day on which it counts."""

    reason: Reason
    note: Annotated[str, Field(max_length=MAX_NOTE), AfterValidator(clean)] = ""
    expires_on: Day

    def why(self) -> Why:
        """The same as the command's argument."""
        return Why(self.reason, self.expires_on, self.note)


@dataclass(frozen=True)
class OverrideDone:
    """The override as it is now, and the job that makes policy and alerts follow."""

    override: Override
    job_id: int


@route("GET", "/overrides", query=OverridesQuery, data=list[Override], paged=True)
def listed(query: OverridesQuery) -> Page[Override]:
    """What people put in the forecast's place, in force and before, the newest first."""
    return overrides.page(
        scope=current_viewer().scope,
        filters=query.filters(),
        state=query.state,
        limit=query.limit,
        cursor=query.cursor,
    )


@exported("overrides", query=OverridesFilters, record=Override, leave=("record", "beyond"))
def overrides_file(query: OverridesFilters) -> Iterator[Override]:
    """Every override that reaches something in view, the newest first."""
    scope = current_viewer().scope
    return every(overrides.page, scope=scope, filters=query.filters(), state=query.state)


@exported("value-added", query=SeriesFilters, record=ValueStep)
def value_added_file(query: SeriesFilters) -> list[ValueStep]:
    """Error from seasonal naive over the model to overrides, and what each step added; without what
    no period was judged on."""
    return [one for one in value_added(query) if one.points]


@route("POST", "/overrides/preview", permission=Permission.ACT, body=AdjustmentBody, data=Preview)
def previewed(body: AdjustmentBody) -> Preview:
    """What an adjustment would do, and what past ones did to accuracy; nothing is saved."""
    viewer = current_viewer()
    return overrides.preview(body.adjustment(), scope=viewer.scope, user_id=viewer.user_id)


@route("POST", "/overrides", permission=Permission.ACT, body=OverrideBody, data=OverrideDone)
def saved(body: OverrideBody) -> OverrideDone:
    """Puts an adjustment in force; policy and alerts follow when its job is done."""
    return _done(commands.save(get_engine(), body.adjustment(), body.why(), who=_who()))


@route("GET", AN_OVERRIDE, data=Override)
def one(override_id: int) -> Override:
    """One of them, with what it did to accuracy since."""
    return overrides.one(override_id=override_id, scope=current_viewer().scope)


@route("DELETE", AN_OVERRIDE, permission=Permission.ACT, data=OverrideDone)
def ended(override_id: int) -> OverrideDone:
    """Ends it: the model's forecast counts again. Its history stays."""
    return _done(commands.end(get_engine(), override_id, who=_who()))


@route("GET", "/forecasts/value-added", query=SeriesFilters, data=list[ValueStep])
def value_added(query: SeriesFilters) -> list[ValueStep]:
    """Error from seasonal naive over the model to overrides, and what each step added."""
    return overrides.value_added(scope=current_viewer().scope, filters=query.filters())


def _who() -> commands.Person:
    return commands.Person(**who_decides())


def _done(done: commands.Done) -> OverrideDone:
    scope = current_viewer().scope
    return OverrideDone(overrides.one(override_id=done.override_id, scope=scope), done.job_id)
