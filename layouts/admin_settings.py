"""`/admin/settings`: what alerts, policy, recommendations, savings and what-ifs go by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from domain.records import ThresholdValue
from domain.viewer import Viewer
from layouts import format as fmt
from layouts.components.cards import card
from layouts.text import THRESHOLD_HELP, THRESHOLD_NAMES

PANEL = "thresholds"
SAVE = "save-thresholds"
GROUPS = {
    "alerts": (
        *("critical_days", "warning_days", "late_days", "forgotten_days", "in_transit_days"),
        *("excess_days",),
        *("dead_days", "drift_days", "drift_share", "drift_z", "gap_days"),
    ),
    "policy": (
        *("service_level_a", "service_level_b", "service_level_c"),
        *("order_cost_brl", "holding_rate"),
    ),
    "rates": (
        *("emergency_premium", "review_days", "cover_days", "expedite_days", "expedite_premium"),
        *("expedite_cost_brl", "move_cost_brl", "move_brl_per_km", "move_value_share"),
        *("giver_cover_days", "reduce_cost_brl", "switch_cost_brl", "least_value_brl"),
    ),
}


def field_id(name: Any) -> dict[str, Any]:
    """The id of a threshold's field."""
    return {"type": "threshold", "name": name}


def layout(found: Sequence[ThresholdValue], viewer: Viewer) -> html.Div:
    """The whole page."""
    t = viewer.t
    return html.Div(
        [
            html.Div(html.H1(t("Thresholds")), className="page-head"),
            html.P(
                t(
                    "What alerts, policy, recommendations, savings and what-ifs go by. Every"
                    " change is audited; all of them follow it."
                ),
                className="weak",
            ),
            html.Div(panel(found, viewer), id=PANEL, className="page"),
        ],
        className="page page-settings",
    )


def panel(
    found: Sequence[ThresholdValue],
    viewer: Viewer,
    problems: Mapping[str, str] | None = None,
    wanted: Mapping[str, Any] | None = None,
    job_id: int | None = None,
) -> list[Component]:
    """The fields by group; after a refusal with what was `wanted` and why it cannot be."""
    t = viewer.t
    known = {one.name: one for one in found}
    titles = {"alerts": t("Alerts"), "policy": t("Stock policy"), "rates": t("Value at stake")}
    groups: list[Component] = [
        card(
            titles[group],
            html.Div(
                [
                    _field(
                        known[name], (wanted or {}).get(name), (problems or {}).get(name), viewer
                    )
                    for name in names
                ],
                className="threshold-grid",
            ),
        )
        for group, names in GROUPS.items()
    ]
    save = html.Button(t("Save"), id=SAVE, type="button", className="btn btn-primary")
    return [*groups, html.Div([save, *_followed(job_id, viewer)], className="actions")]


def _field(threshold: ThresholdValue, wanted: Any, problem: str | None, viewer: Viewer) -> html.Div:
    t, name = viewer.t, threshold.name
    shown = threshold.value if wanted is None else wanted
    return html.Div(
        [
            html.Label(
                [
                    html.Span(t(THRESHOLD_NAMES[name]), className="field-label"),
                    html.Span(
                        [
                            dcc.Input(
                                id=field_id(name),
                                type="number",
                                value=shown,
                                min=threshold.low,
                                max=threshold.high,
                                step="any",
                                className="search-input number",
                            ),
                            html.Span(_unit(threshold.unit, viewer), className="weak"),
                        ],
                        className="with-unit",
                    ),
                ],
                className="field",
            ),
            html.P(problem or _about(threshold, viewer), className="error" if problem else "weak"),
        ],
        className="threshold",
    )


def _unit(unit: str, viewer: Viewer) -> str:
    t = viewer.t
    return {"days": t("days"), "BRL": "R$", "fraction": t("fraction"), "count": "σ"}[unit]


def _about(threshold: ThresholdValue, viewer: Viewer) -> str:
    t, locale = viewer.t, viewer.locale
    limits = t(
        "%(low)s to %(high)s; usually %(default)s.",
        low=fmt.number(threshold.low, locale, 2),
        high=fmt.number(threshold.high, locale, 3),
        default=fmt.number(threshold.default, locale, 2),
    )
    said = [t(THRESHOLD_HELP[threshold.name]), limits]
    if threshold.changed_by:
        at = fmt.moment(threshold.changed_at, locale)
        said.append(t("Set by %(who)s, %(when)s.", who=threshold.changed_by, when=at))
    return " ".join(said)


def _followed(job_id: int | None, viewer: Viewer) -> list[Component]:
    if job_id is None:
        return []
    t = viewer.t
    words = t("Saved. Alerts and policy follow:")
    link = dcc.Link(t("job %(number)s", number=job_id), href=f"/admin/data?job={job_id}")
    return [html.Span([words, " ", link], role="status")]
