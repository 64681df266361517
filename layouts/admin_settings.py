"""`/admin/settings`: what alerts, policy, recommendations, savings and what-ifs go by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from domain.records import CompanySettings, Option, PolicyMethod, ThresholdValue
from domain.thresholds import METHOD
from domain.viewer import Viewer
from layouts import format as fmt
from layouts.components.cards import card
from layouts.components.forms import choice_field
from layouts.text import METHOD_NAMES, THRESHOLD_HELP, THRESHOLD_NAMES

PANEL = "thresholds"
SHOWN = "thresholds-shown"
SAVE = "save-thresholds"
GROUPS = {
    "alerts": (
        *("critical_days", "warning_days", "late_days", "forgotten_days", "in_transit_days"),
        *("excess_days",),
        *("dead_days", "drift_days", "drift_share", "drift_z", "gap_days"),
    ),
    "policy": (
        *("service_level_a", "service_level_b", "service_level_c", "default_service_level"),
        *("risk_high", "risk_medium", "risk_low"),
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


def layout(found: CompanySettings, viewer: Viewer) -> html.Div:
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
    found: CompanySettings,
    viewer: Viewer,
    *,
    problems: Mapping[str, str] | None = None,
    wanted: Mapping[str, Any] | None = None,
    said: Component | None = None,
) -> list[Component]:
    """The fields by group and what is in force; after a refusal with what was `wanted` and why it
    cannot be, after saving with what is `said` of it."""
    t, asked, refused = viewer.t, wanted or {}, problems or {}
    known = {one.name: one for one in found.thresholds}
    choice = _method(found.method, asked.get(METHOD), refused.get(METHOD), viewer)
    titles = {"alerts": t("Alerts"), "policy": t("Stock policy"), "rates": t("Value at stake")}
    groups: list[Component] = [
        card(
            titles[group],
            html.Div(
                [
                    *([choice] if group == "policy" else []),
                    *(_field(known[n], asked, refused.get(n), viewer) for n in names),
                ],
                className="threshold-grid",
            ),
        )
        for group, names in GROUPS.items()
    ]
    save = html.Button(t("Save"), id=SAVE, type="button", className="btn btn-primary")
    shown = {name: one.value for name, one in known.items()} | {METHOD: found.method.value}
    return [
        dcc.Store(id=SHOWN, data=shown),
        *groups,
        html.Div([save, *([said] if said else [])], className="actions"),
    ]


def saved(job_id: int | None, viewer: Viewer) -> html.Span:
    """What saving came to: the job that makes the pages follow, None where nothing changed."""
    t = viewer.t
    if job_id is None:
        return html.Span(t("Nothing was changed."), role="status")
    words = t("Saved. Alerts and policy follow:")
    link = dcc.Link(t("job %(number)s", number=job_id), href=f"/admin/data?job={job_id}")
    return html.Span([words, " ", link], role="status")


def _field(
    threshold: ThresholdValue, wanted: Mapping[str, Any], problem: str | None, viewer: Viewer
) -> html.Div:
    """Without limits of the browser's: it would not hand on what lies beyond them."""
    t, name = viewer.t, threshold.name
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
                                value=wanted.get(name, threshold.value),
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


def _method(method: PolicyMethod, wanted: Any, problem: str | None, viewer: Viewer) -> html.Div:
    t = viewer.t
    options = [Option(one, t(METHOD_NAMES[one])) for one in method.options]
    shown = wanted if wanted in method.options else method.value
    field = choice_field(field_id(METHOD), t("Safety stock from"), options, shown, viewer)
    usual = t(
        "Quantile of the demand over the lead time, or Z·√(L·σ_D² + D²·σ_L²); usually %(default)s.",
        default=t(METHOD_NAMES[method.default]),
    )
    said = problem or " ".join([usual, *_set_by(method, viewer)])
    return html.Div(
        [field, html.P(said, className="error" if problem else "weak")], className="threshold"
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
    return " ".join([t(THRESHOLD_HELP[threshold.name]), limits, *_set_by(threshold, viewer)])


def _set_by(setting: ThresholdValue | PolicyMethod, viewer: Viewer) -> list[str]:
    if not setting.changed_by:
        return []
    at = fmt.moment(setting.changed_at, viewer.locale)
    return [viewer.t("Set by %(who)s, %(when)s.", who=setting.changed_by, when=at)]
