"""GET /recommendations, GET and PATCH /recommendations/{id}, GET /recommendations/totals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from api.answers import locale
from api.exporting import exported
from api.parameters import Body, Day, Paged, SpannedSeries, Text, one_of, split
from api.routing import route
from auth.guards import current_viewer
from auth.session import who_decides
from domain.access import Permission
from domain.receipts import Workings
from domain.recommendation_receipts import workings_of
from domain.records import (
    AdviceKind,
    AdviceStatus,
    AdviceTotal,
    Page,
    Recommendation,
    RecommendationTotal,
)
from warehouse.commands import recommendations as commands
from warehouse.db import get_engine
from warehouse.queries import receipts, recommendations
from warehouse.queries.paging import every

A_RECOMMENDATION = "/recommendations/<int(max=9223372036854775807):recommendation_id>"


@dataclass(frozen=True)
class RecommendationAnswer(Recommendation):
    """A recommendation with its `reason`, the narrative in the reader's language, and its receipt:
    the formulas with the numbers put in."""

    reason: str = ""
    receipt: Workings = field(default_factory=Workings)


class RecommendationFilters(SpannedSeries):
    """What narrows the list; `from` and `to` are of the day on which one was first raised,
    `act_from` and `act_to` of the day to act by."""

    kind: Annotated[tuple[AdviceKind, ...], BeforeValidator(split)] = ()
    status: Annotated[tuple[AdviceStatus, ...], BeforeValidator(split)] = ()
    act_from: Day | None = None
    act_to: Day | None = None


class RecommendationsInOrder(RecommendationFilters):
    """The same; the most valuable first unless asked otherwise. Those alike: the highest priority
    first, then what is due first."""

    sort: Annotated[Text, one_of(recommendations.SORTS)] = "-value_brl"


class RecommendationsQuery(RecommendationsInOrder, Paged):
    """The same, by pages."""


class Decision(Body):
    """What is decided about a recommendation; a rejection needs its reason. `quantity`: what the
    decision is about; where it is another by now, nothing is decided."""

    status: AdviceStatus
    reason: Text | None = Field(None)
    quantity: float | None = Field(None)


@route(
    "GET",
    "/recommendations",
    query=RecommendationsQuery,
    data=list[RecommendationAnswer],
    paged=True,
)
def listed(query: RecommendationsQuery) -> Page[RecommendationAnswer]:
    """What to do about the stock, by value."""
    page = recommendations.page(
        scope=current_viewer().scope,
        filters=query.filters(),
        kinds=query.kind,
        limit=query.limit,
        cursor=query.cursor,
        sort=query.sort,
    )
    spoken = locale()
    return Page(rows=[worded(row, spoken) for row in page.rows], count=page.count, next=page.next)


@route(
    "GET", "/recommendations/totals", query=RecommendationFilters, data=list[RecommendationTotal]
)
def totals(query: RecommendationFilters) -> list[RecommendationTotal]:
    """Number and value of the recommendations of each status."""
    return recommendations.totals(
        scope=current_viewer().scope, filters=query.filters(), kinds=query.kind
    )


@route("GET", "/recommendations/kinds", query=SpannedSeries, data=list[AdviceTotal])
def kinds(query: SpannedSeries) -> list[AdviceTotal]:
    """What became of the recommendations of each kind, past runs included."""
    return recommendations.by_kind(scope=current_viewer().scope, filters=query.filters())


@exported("recommendation-kinds", query=SpannedSeries, record=AdviceTotal)
def kinds_file(query: SpannedSeries) -> list[AdviceTotal]:
    """What became of the recommendations of each kind."""
    return kinds(query)


@exported(
    "recommendations",
    query=RecommendationsInOrder,
    record=RecommendationAnswer,
    leave=("facts", "narrative", "receipt"),
)
def recommendations_file(query: RecommendationsInOrder) -> Iterator[RecommendationAnswer]:
    """Every recommendation that the filters let through, the most valuable first unless asked
    otherwise."""
    viewer = current_viewer()
    asked = {"filters": query.filters(), "kinds": query.kind}
    found = every(recommendations.page, scope=viewer.scope, sort=query.sort, **asked)
    return (worded(row, viewer.locale) for row in found)


@route("GET", A_RECOMMENDATION, data=RecommendationAnswer)
def one(recommendation_id: int) -> RecommendationAnswer:
    """One recommendation with its facts, and its receipt with the run and files behind it."""
    return with_sources(recommendation_id)


@route(
    "PATCH",
    A_RECOMMENDATION,
    permission=Permission.ACT,
    body=Decision,
    data=RecommendationAnswer,
)
def changed(recommendation_id: int, body: Decision) -> RecommendationAnswer:
    """Accepts, rejects, snoozes, ends or reopens a recommendation."""
    commands.set_status(
        get_engine(),
        recommendation_ids=[recommendation_id],
        status=body.status,
        reason=body.reason,
        seen={} if body.quantity is None else {recommendation_id: body.quantity},
        **who_decides(),
    )
    return with_sources(recommendation_id)


def with_sources(recommendation_id: int) -> RecommendationAnswer:
    """The recommendation with its reason, and its receipt with sources."""
    asked: dict[str, Any] = {
        "recommendation_id": recommendation_id,
        "scope": current_viewer().scope,
    }
    found = worded(recommendations.one(**asked), locale())
    return replace(found, receipt=receipts.of_recommendation(**asked))


def worded(found: Recommendation, spoken: str) -> RecommendationAnswer:
    """The recommendation with its reason and receipt."""
    return RecommendationAnswer(
        **vars(found),
        reason=found.narrative.get(spoken, ""),
        receipt=workings_of(found.kind, found.facts),
    )
