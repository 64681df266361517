"""One recommendation: what, why, what it is worth, what else happens, how it was computed, and what
can be decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from domain.access import Permission
from domain.records import Recommendation
from domain.viewer import Viewer
from layouts import format as fmt
from layouts.alerts import place
from layouts.components.icons import icon
from layouts.components.queue import Head, action, card_head, pick
from layouts.components.receipt import receipt_fold
from layouts.recommendation_text import KINDS, PRIORITIES, SOURCES, STATUS
from layouts.text import named

RECEIPT = "recommendation"
NEXT = {
    "open": ("accepted", "rejected", "snoozed"),
    "snoozed": ("accepted", "rejected", "open"),
    "accepted": ("done", "rejected", "open"),
    "rejected": ("open",),
    "done": ("open",),
}
"""What can be decided, the most usual first."""


def action_id(status: Any, number: Any) -> dict[str, Any]:
    """The id of the button that gives a recommendation a status."""
    return {"type": "recommendation-action", "status": status, "number": number}


def reason_id(number: Any) -> dict[str, Any]:
    """The id of the field for the reason of a rejection."""
    return {"type": "recommendation-reason", "number": number}


def pick_id(number: Any) -> dict[str, Any]:
    """The id of the tick that selects a recommendation."""
    return {"type": "recommendation-pick", "number": number}


def seen_id(number: Any) -> dict[str, Any]:
    """The id of the store of the quantity that a card shows, by its recommendation's number."""
    return {"type": "recommendation-seen", "number": number}


def recommendation_card(row: Recommendation, viewer: Viewer) -> html.Article:
    """The card."""
    t = viewer.t
    may_act = viewer.may(Permission.ACT)
    return html.Article(
        [
            _head(row, viewer, may_act),
            html.P(row.narrative.get(viewer.locale, ""), className="recommendation-why"),
            _otherwise(row, viewer),
            *_decided(row, viewer),
            *([_actions(row, viewer)] if may_act else []),
            receipt_fold(t("How this is computed"), RECEIPT, number=row.id),
        ],
        className="surface recommendation",
        id=f"recommendation-{row.id}",
    )


def _head(row: Recommendation, viewer: Viewer, may_act: bool) -> html.Header:
    name = row.item_name or row.sku
    where = place(row.site_name or row.site, row.uf)
    if row.from_site:
        where = f"{place(row.from_site_name or row.from_site, row.from_uf)} → {where}"
    kind = html.Span(named(KINDS, row.kind, viewer.t), className="kind-badge")
    head = Head(
        badges=[kind, _when(row, viewer)],
        title=name,
        sku=row.sku,
        beneath=f"{row.sku} · {where}" if where != "—" else row.sku,
        brl=row.value_brl,
        what=viewer.t("value at stake"),
    )
    tick = [pick(pick_id(row.id), row.id, name, viewer)] if may_act else []
    return card_head(head, tick, viewer)


def _when(row: Recommendation, viewer: Viewer) -> html.Span:
    t = viewer.t
    kind = PRIORITIES.get(row.priority, "info")
    if row.act_by is None:
        words = t("no deadline")
    elif row.facts.get("today") == row.act_by.isoformat():
        words = t("now")
    else:
        words = t("by %(date)s", date=fmt.day(row.act_by, viewer.locale))
    return html.Span([icon(f"level-{kind}"), words], className=f"badge-level badge-level-{kind}")


def _otherwise(row: Recommendation, viewer: Viewer) -> html.P:
    """What is expected if nothing is done, as numbers."""
    t, locale, nothing = viewer.t, viewer.locale, row.if_nothing
    parts = []
    if nothing.get("unmet_quantity") is not None:
        missing = _amount(_number(nothing, "unmet_quantity"), row, viewer)
        parts.append(t("%(quantity)s missing", quantity=missing))
    if nothing.get("risk_brl") is not None:
        parts.append(t("%(money)s at risk", money=fmt.brl(_number(nothing, "risk_brl"), locale)))
    told = [_in_window(", ".join(parts), row, viewer)] if parts else []
    if nothing.get("stockout_on"):
        on = fmt.iso_day(nothing["stockout_on"], locale)
        told.append(t("stock runs out on %(date)s", date=on))
    return html.P(
        [html.Strong(t("If nothing is done:")), " ", "; ".join(told) or t("not known")],
        className="recommendation-otherwise",
    )


def _in_window(told: str, row: Recommendation, viewer: Viewer) -> str:
    """With the days that the amounts are of: true whenever it is read."""
    t, days, today = viewer.t, row.if_nothing.get("window_days"), row.facts.get("today")
    if days is None or today is None:
        return told
    count, given = max(1, round(float(days))), {"day": fmt.iso_day(today, viewer.locale)}
    if count == 1:
        return t("in the day after %(day)s %(told)s", told=told, **given)
    written = fmt.number(count, viewer.locale)
    return t("in the %(days)s days after %(day)s %(told)s", days=written, told=told, **given)


def _amount(quantity: float | None, row: Recommendation, viewer: Viewer) -> str:
    return f"{fmt.quantity(quantity, viewer.locale)} {row.unit or ''}".strip()


def _number(facts: dict[str, Any], name: str) -> float:
    return float(facts[name])


def _decided(row: Recommendation, viewer: Viewer) -> list[Component]:
    """Who decided what and why."""
    t, locale = viewer.t, viewer.locale
    if row.status == "open" or row.decided_by is None:
        return []
    said = [named(STATUS, row.status, t), row.decided_by, fmt.moment(row.decided_at, locale)]
    if row.status == "snoozed" and row.snoozed_until:
        said.append(t("until %(date)s", date=fmt.moment(row.snoozed_until, locale)))
    if row.accepted_quantity is not None:
        was, now = (_amount(one, row, viewer) for one in (row.accepted_quantity, row.quantity))
        if was != now:
            said.append(t("%(quantity)s accepted, %(now)s needed now", quantity=was, now=now))
    if row.decision_reason:
        said.append(f"“{row.decision_reason}”")
    return [html.P(" · ".join(said), className="weak recommendation-decided")]


def _actions(row: Recommendation, viewer: Viewer) -> html.Div:
    t = viewer.t
    made = decisions(row.id, NEXT[row.status], t("Reject"), viewer)
    source = html.Span(t(SOURCES[row.narrative_source]), className="weak narrative-source")
    seen = dcc.Store(id=seen_id(row.id), data=row.quantity)
    return html.Div([*made, source, seen], className="actions")


def decisions(number: int, statuses: Sequence[str], reject: str, viewer: Viewer) -> list[Component]:
    """The buttons that give one of these statuses. reject: what the button says that rejects."""
    t = viewer.t
    labels = {
        "accepted": t("Accept"),
        "snoozed": t("Snooze"),
        "done": t("Done"),
        "open": t("Reopen"),
    }
    made: list[Component] = []
    for place_, status in enumerate(statuses):
        if status == "rejected":
            made.append(_reject_form(number, reject, viewer))
            continue
        kind = "outline-secondary" if place_ else "primary"
        made.append(action(action_id(status, number), labels[status], kind))
    return made


def _reject_form(number: int, label: str, viewer: Viewer) -> html.Details:
    """A button that first asks for the reason."""
    t = viewer.t
    field = dcc.Input(
        id=reason_id(number), type="text", maxLength=200, className="search-input", required=True
    )
    answer = action(action_id("rejected", number), label, "danger")
    return html.Details(
        [
            html.Summary(t("Reject…"), className="btn btn-sm btn-outline-secondary"),
            html.Div(
                [
                    html.Label(
                        [html.Span(t("Reason"), className="field-label"), field],
                        className="field",
                    ),
                    answer,
                ],
                className="popover-body",
            ),
        ],
        className="confirm",
    )
