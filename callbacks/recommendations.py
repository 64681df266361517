"""`/recommendations`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dash import ALL as EVERY
from dash import Dash, State, set_props
from dash.development.base_component import Component

from auth.session import who_decides
from callbacks.address import Address
from callbacks.deciding import register_decisions
from callbacks.filters import bar_of
from callbacks.listing import listed
from callbacks.parts import later, lazily
from callbacks.picks import by_number, number_of
from callbacks.receipts import register_receipts
from callbacks.screen import screen
from domain.access import Permission
from domain.receipts import Workings
from domain.records import Page, RecommendationTotal
from domain.viewer import Viewer
from layouts import recommendations as layout
from layouts.components import states
from layouts.components.queue import ALL
from layouts.recommendation_card import RECEIPT, action_id, pick_id, reason_id, seen_id
from layouts.recommendation_text import DONE, KINDS, STATUSES
from layouts.shell import toast
from warehouse.commands import recommendations as commands
from warehouse.db import get_engine
from warehouse.queries import receipts, recommendations, status

KEPT = ("kind", "status", "search", "sort", "cursor", "start")
"""What of the address goes into the page's own links."""


@screen(Permission.READ)
def page(viewer: Viewer, address: Address) -> Component:
    """The queue, narrowed to kinds, statuses, places and materials."""
    if status.current().run_id is None:
        return states.nothing_published(viewer)
    return layout.layout(_data(viewer, address), viewer, later)


def _data(viewer: Viewer, address: Address) -> layout.RecommendationsData:
    chosen = address.many("status", (*STATUSES, ALL)) or ("open",)
    wanted = () if ALL in chosen else chosen
    kinds = address.many("kind", KINDS)
    sort = address.one("sort", layout.SORTS, layout.SORTS[0])
    search = address.text("search")
    bar = bar_of(viewer, address, "/recommendations", status=wanted, search=search)
    filters, everywhere = bar.filters, replace(bar.filters, status=())

    def rows(**asked: Any) -> Page[Any]:
        return recommendations.page(
            scope=viewer.scope, filters=filters, kinds=kinds, sort=sort, **asked
        )

    def totals(kinds: tuple[str, ...]) -> list[RecommendationTotal]:
        return recommendations.totals(scope=viewer.scope, filters=everywhere, kinds=kinds)

    return lazily(
        layout.RecommendationsData,
        listed=lambda: listed(address, "", rows, layout.PAGE_ROWS),
        totals=lambda: totals(kinds),
        to_buy=lambda: sum(one.count for one in totals(("REORDER",)) if one.status == "accepted"),
        filters=filters,
        kinds=kinds,
        sort=sort,
        bar=bar,
        has_stock=lambda: "stock" in status.loaded(),
        has_costs=status.has_costs,
        query=bar.kept | address.only(KEPT),
        notices=address.notices,
    )


def register(app: Dash) -> None:
    """Deciding about one or several, ticking all of the page, and how each is computed."""
    ids = action_id, pick_id, layout.PICK_ALL
    fields = [State(reason_id(EVERY), "value"), State(reason_id(EVERY), "id")]
    fields += [State(seen_id(EVERY), "data"), State(seen_id(EVERY), "id")]
    register_decisions(app, layout.PANEL, ids, fields, _decide, (_totals, _list))
    register_receipts(app, RECEIPT, ("number",), _workings)


def _workings(viewer: Viewer, number: Any) -> Workings:
    return receipts.of_recommendation(recommendation_id=number_of(number), scope=viewer.scope)


def _totals(viewer: Viewer, address: Address) -> list[Component]:
    return layout.totals(_data(viewer, address), viewer)


def _list(viewer: Viewer, address: Address) -> list[Component]:
    return layout.rows(_data(viewer, address), viewer)


def _decide(
    asked: dict[str, Any],
    numbers: list[int],
    viewer: Viewer,
    reasons: Any,
    fields: Any,
    quantities: Any,
    cards: Any,
) -> None:
    status = str(asked["status"])
    commands.set_status(
        get_engine(),
        recommendation_ids=numbers,
        status=status,
        reason=_reason(asked["number"], reasons, fields),
        seen=_seen(quantities, cards),
        **who_decides(),
    )
    set_props("toasts", {"children": toast(viewer.t(DONE[status]), viewer, "success")})


def _seen(quantities: Any, cards: Any) -> dict[int, float]:
    """The quantities that the page shows, by the number of the recommendation."""
    shown = by_number(quantities, cards).items()
    return {number: float(one) for number, one in shown if isinstance(one, int | float)}


def _reason(number: int, reasons: Any, fields: Any) -> str:
    """What stands in the field that belongs to the button."""
    text = by_number(reasons, fields).get(number)
    return text[:200] if isinstance(text, str) else ""
