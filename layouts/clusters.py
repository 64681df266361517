"""The tab *Clusters* of `/features`: machines and towers by what they are like, and their risk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from dash import html
from dash.development.base_component import Component

from domain.clusters import (
    CHANGE,
    FILES,
    Cluster,
    ClusterMember,
    ClusterSummary,
    Pull,
    TowerTrend,
    TowerTrends,
    feature_words,
    structure,
    unit_of,
)
from domain.failure_risk import MachineRisk, PartsDemand, Reason, RiskSummary
from domain.records import Filters, Option, Page
from domain.viewer import Viewer
from layouts import format as fmt
from layouts.charts import graph
from layouts.cluster_charts import profile_chart, risk_calibration_chart
from layouts.components.cards import card, figure_card
from layouts.components.downloads import downloads
from layouts.components.filters import Bar, choice, page_bar, search_box
from layouts.components.grid import (
    WRAPPED,
    badge_column,
    date_column,
    grid,
    link_column,
    number_column,
    percent_column,
    quantity_column,
    text_column,
)
from layouts.components.pager import Listed, pager
from layouts.components.parts import Part, at_once
from layouts.components.states import missing_file, no_rows, notice, notices, state
from layouts.components.table import Cell, twin
from layouts.components.tabs import tabs
from layouts.text import CLUSTER_REASONS, N_, RISK_REASONS, STRUCTURES
from layouts.theme import CLUSTER_COLOURS

OF = {"equipment": N_("Machines"), "towers": N_("Towers")}
RISK_ROWS, MEMBER_ROWS, PARTS_SHOWN, TRENDS_SHOWN = 20, 20, 20, 20


@dataclass(frozen=True)
class Common:
    """What both views show: how clusters came about, the clusters, members by pages."""

    of: str
    summary: ClusterSummary
    clusters: Sequence[Cluster]
    members: Listed
    cluster: str | None
    bar: Bar
    filters: Filters
    query: Mapping[str, list[str]]
    asked: Mapping[str, list[str]]
    notices: list[str]


@dataclass(frozen=True)
class EquipmentData:
    """Machines: their risk, the parts that failures take, their clusters."""

    common: Common
    risk: RiskSummary
    risks: Listed
    parts: Sequence[PartsDemand]


@dataclass(frozen=True)
class TowersData:
    """Towers: their clusters, which of them moved, whose figures broke; of those searched for all
    trends."""

    common: Common
    moved: Page[ClusterMember]
    trends: TowerTrends


def equipment(data: EquipmentData, viewer: Viewer, part: Part = at_once) -> list[Component]:
    """Everything below the tabs, of machines."""
    common = data.common
    if common.summary.reason == "not_loaded":
        what = viewer.t(
            "It would show which machines are likely to fail next and why, the parts that takes by"
            " depot, and machines that are alike."
        )
        return [_views(common, viewer), missing_file(FILES[common.summary.family], what, viewer.t)]
    return [
        _views(common, viewer),
        _filters(common, viewer),
        *notices(common.notices),
        *part("risk", lambda: _risk(data, viewer), 1900, 3000),
        *part("parts", lambda: _parts(data, viewer), 720),
        *_clusters(common, viewer, part),
    ]


def towers(data: TowersData, viewer: Viewer, part: Part = at_once) -> list[Component]:
    """Everything below the tabs, of towers."""
    common, t = data.common, viewer.t
    if common.summary.reason == "not_loaded":
        what = t(
            "It would show towers that perform alike, which of them changed, and why each is where"
            " it is."
        )
        return [_views(common, viewer), missing_file(FILES[common.summary.family], what, t)]
    found = not common.summary.reason
    return [
        _views(common, viewer),
        _filters(common, viewer),
        *notices(common.notices),
        *(part("figures", lambda: [_of_towers(data, viewer)], 110, 330) if found else []),
        *_clusters(common, viewer, part),
        *part("changes", lambda: [*_moved(data, viewer), *_breaks(data, viewer)], 900),
    ]


def _of_towers(data: TowersData, viewer: Viewer) -> html.Div:
    common, t, locale = data.common, viewer.t, viewer.locale
    figures = [
        figure_card(
            t("Towers"),
            fmt.number(sum(one.size for one in common.clusters), locale),
            t("in %(count)s clusters", count=len(common.clusters)),
            viewer,
        ),
        figure_card(
            t("Changed cluster"),
            fmt.number(data.moved.count, locale),
            t("against the %(days)s days before", days=common.summary.window_days or 0),
            viewer,
        ),
        figure_card(
            t("Levels that broke"),
            fmt.number(data.trends.broken, locale),
            t("figures of towers, in the last year"),
            viewer,
        ),
    ]
    return html.Div(figures, className="kpi-row")


def _views(common: Common, viewer: Viewer) -> Component:
    label, kept = viewer.t("Machines or towers"), {"tab": "clusters", **common.bar.asked}
    return tabs(label, OF, common.of, viewer, parameter="of", kept=kept, small=True)


def _filters(common: Common, viewer: Viewer) -> html.Div:
    t, chosen = viewer.t, common.filters
    numbers = [Option(str(one.number), f"{one.number} · {one.name}") for one in common.clusters]
    resets = [f"{prefix}{name}" for prefix in ("", "risk_") for name in ("cursor", "start")]
    return page_bar(
        common.bar,
        viewer,
        choice("cluster", t("Cluster"), numbers, common.cluster, viewer, multi=False),
        search_box("search", t("Search"), chosen.search, t("Code or kind"), wide=False),
        initial={"cluster": common.cluster, "search": chosen.search},
        resets=dict.fromkeys(("region", "uf", "cluster", "search"), resets),
    )


# Risk


def _risk(data: EquipmentData, viewer: Viewer) -> list[Component]:
    t, risk = viewer.t, data.risk
    if risk.quality is None:
        words = t(RISK_REASONS.get(risk.reason or "", RISK_REASONS["not_in_run"]))
        return [card(t("Failure risk"), html.P(words, className="quiet"))]
    return [
        html.Div(_figures(risk, viewer), className="kpi-row"),
        _ranking(data, viewer),
        html.Div([_calibration(risk, viewer), _looked_at(data, viewer)], className="columns"),
    ]


def _figures(risk: RiskSummary, viewer: Viewer) -> list[html.Section]:
    t, locale, quality = viewer.t, viewer.locale, risk.quality
    assert quality is not None
    chance = quality.failures / quality.rows
    return [
        figure_card(
            t("Failures expected"),
            fmt.number(risk.expected_failures, locale, 1),
            _within(risk, viewer),
            viewer,
        ),
        figure_card(
            t("Machines"),
            fmt.number(risk.machines, locale),
            t("in view, with a risk"),
            viewer,
        ),
        figure_card(
            t("Riskiest fifth"),
            fmt.percent(quality.recall_fifth, locale),
            t(
                "of all failures; riskiest tenth: %(share)s",
                share=fmt.percent(quality.recall_decile, locale),
            ),
            viewer,
        ),
        figure_card(
            t("PR-AUC"),
            fmt.fixed(quality.pr_auc, locale, 3),
            t("by chance: %(value)s", value=fmt.fixed(chance, locale, 3)),
            viewer,
        ),
        figure_card(
            t("Calibration error"),
            fmt.percent(quality.ece, locale, 2),
            t("Brier score %(value)s", value=fmt.fixed(quality.brier, locale, 4)),
            viewer,
        ),
    ]


def _within(risk: RiskSummary, viewer: Viewer) -> str:
    if not risk.horizon_days:
        return viewer.t("with the readings as they are: each machine was read once")
    return viewer.t("in the %(days)s days after the last reading", days=risk.horizon_days)


def _ranking(data: EquipmentData, viewer: Viewer) -> Component:
    t = viewer.t
    page = data.risks.page
    if not page.rows:
        return no_rows(viewer)
    columns = [
        number_column("rank", t("Place"), minWidth=72),
        text_column("equipment", t("Machine"), minWidth=130),
        text_column("kind", t("Kind"), minWidth=140),
        text_column("site", t("Tower"), minWidth=120),
        text_column("depot", t("Depot"), minWidth=90),
        percent_column("probability", t("Risk"), 1, minWidth=84),
        text_column("reasons", t("Why"), minWidth=340, flex=4, **WRAPPED),
        date_column("measured_on", t("Last reading"), minWidth=110),
        text_column("cluster", t("Cluster"), minWidth=84),
    ]
    rows = [_risk_row(row, viewer) for row in page.rows]
    return card(
        t("Machines most likely to fail"),
        grid("machine-risks", columns, rows, viewer, row_id="equipment"),
        pager(page, data.risks.start, dict(data.common.query), viewer, "risk_"),
        tools=_files("failure-risk", data.common, viewer),
        note=t(
            "Why: the readings without which the risk would be lower, the strongest first. It is"
            " what the model looks at, which need not be the cause."
        ),
        class_name="surface-table",
    )


def _risk_row(row: MachineRisk, viewer: Viewer) -> dict[str, Any]:
    return {
        **{name: getattr(row, name) for name in ("rank", "equipment", "kind", "site", "depot")},
        "probability": row.probability,
        "measured_on": row.measured_on.isoformat() if row.measured_on else None,
        "cluster": fmt.UNKNOWN if row.cluster is None else str(row.cluster),
        "reasons": "; ".join(reason_words(one, viewer) for one in row.reasons) or fmt.UNKNOWN,
    }


def reason_words(reason: Reason, viewer: Viewer) -> str:
    """A reading beside what is usual of its kind: `voltage 51.6 V (usual 53.0)`."""
    locale = viewer.locale
    return viewer.t(
        "%(feature)s %(value)s (usual %(typical)s)",
        feature=feature_words(reason.feature, locale),
        value=measured(reason.feature, reason.value, viewer),
        typical=fmt.number(reason.typical, locale, 1),
    )


def measured(feature: str, value: float | None, viewer: Viewer) -> str:
    """A reading with its unit."""
    locale = viewer.locale
    if value is None:
        return fmt.UNKNOWN
    sign = "+" if feature.startswith(CHANGE) and value > 0 else ""
    digits = 2 if feature.endswith("_pct") else 1
    return f"{sign}{fmt.number(value, locale, digits)} {unit_of(feature, locale)}".strip()


def _calibration(risk: RiskSummary, viewer: Viewer) -> html.Section:
    t, locale = viewer.t, viewer.locale
    assert risk.quality is not None
    table: list[list[Cell]] = [
        [fmt.percent(one.predicted, locale), fmt.percent(one.observed, locale), one.count]
        for one in risk.quality.bins
    ]
    return card(
        t("Do risks come true?"),
        graph("risk-calibration", risk_calibration_chart(risk.quality.bins, viewer), viewer),
        twin([t("Risk that was told"), t("Share that failed"), t("Readings")], table, viewer),
        tools=downloads("risk-calibration", {}, viewer, of=t("Do risks come true?")),
        note=t(
            "Each reading judged by a model that had not seen its machine. On the dotted line, as"
            " many failed as the risk said."
        ),
        class_name="grow",
    )


def _looked_at(data: EquipmentData, viewer: Viewer) -> html.Section:
    t, locale, risk = viewer.t, viewer.locale, data.risk
    left_out = data.common.summary.left_out
    inputs = [feature_words(one, locale) for one in risk.inputs if not one.startswith(CHANGE)]
    parts = [
        html.P(t("Measured: %(names)s.", names=", ".join(inputs))),
        html.P(t("Found together: %(names)s.", names=", ".join(_together(risk, viewer)))),
    ]
    if left_out:
        names = ", ".join(left_out)
        parts.append(html.P(t("Left out, since they may say what failed: %(names)s.", names=names)))
    assert risk.quality is not None
    learnt = t(
        "Learnt from %(rows)s readings with %(failures)s failures, judged in %(folds)s folds.",
        rows=fmt.number(risk.quality.rows, locale),
        failures=fmt.number(risk.quality.failures, locale),
        folds=risk.quality.folds,
    )
    return card(t("What the risk looks at"), *parts, note=learnt, class_name="grow")


def _together(risk: RiskSummary, viewer: Viewer) -> list[str]:
    found = []
    for pair in risk.derived:
        first, sign, second = next(
            (left, sign, right)
            for sign in ("×", "÷", "−")
            for left, between, right in [pair.partition(f" {sign} ")]
            if between
        )
        words = (feature_words(one, viewer.locale) for one in (first, second))
        found.append(f" {sign} ".join(words))
    return found


def _parts(data: EquipmentData, viewer: Viewer) -> list[Component]:
    t = viewer.t
    title = t("Parts that expected failures take")
    if data.risk.quality is None or not data.risk.horizon_days:
        return []
    if not data.parts:
        words = t(
            "No item says which kind of equipment it is for: fill the column equipment_kind of the"
            " items file."
        )
        return [card(title, html.P(words, className="quiet"))]
    columns = [
        link_column("item", t("Material"), "href", minWidth=220, flex=3, **WRAPPED),
        text_column("site", t("Depot"), minWidth=90),
        text_column("equipment_kind", t("Kind"), minWidth=140),
        number_column("machines", t("Machines"), minWidth=116),
        quantity_column("mean", t("Expected"), minWidth=90),
        quantity_column("p90", t("p90"), minWidth=72),
        quantity_column("forecast", t("Forecast, all causes"), minWidth=110),
        quantity_column("on_hand", t("On hand"), minWidth=90),
        text_column("unit", t("Unit"), minWidth=72),
    ]
    rows = [_part_row(one) for one in data.parts[:PARTS_SHOWN]]
    return [
        card(
            title,
            grid("parts-demand", columns, rows, viewer, row_id="code"),
            tools=_files("parts-demand", data.common, viewer, "search"),
            note=t(
                "Risk × installed base × units a failure, in the horizon of the risk. The forecast"
                " has learnt from past failures: the two are not to be added up. %(shown)s of"
                " %(count)s, the most first.",
                shown=fmt.number(len(rows), viewer.locale),
                count=fmt.number(len(data.parts), viewer.locale),
            ),
            class_name="surface-table",
        )
    ]


def _part_row(one: PartsDemand) -> dict[str, Any]:
    names = ("site", "equipment_kind", "machines", "mean", "p90", "forecast", "on_hand", "unit")
    return {
        **{name: getattr(one, name) for name in names},
        "code": f"{one.sku} {one.site} {one.equipment_kind}",
        "item": f"{one.sku} {one.item_name or ''}".strip(),
        "href": f"/materials/{quote(one.sku, safe='')}",
    }


# Clusters


def _clusters(common: Common, viewer: Viewer, part: Part) -> list[Component]:
    t, summary = viewer.t, common.summary
    if summary.reason:
        words = t(CLUSTER_REASONS.get(summary.reason, CLUSTER_REASONS["not_in_run"]))
        return [state(t("No clusters"), words)]
    told = []
    if summary.silhouette is not None and structure(summary.silhouette) in ("weak", "none"):
        told.append(notice(t("The clusters run into each other: take them as a rough order.")))
    return [
        *told,
        html.Div([_profiles(common, viewer), _list(common, viewer)], className="columns"),
        *part("members", lambda: [_members(common, viewer)], 1200),
    ]


def _profiles(common: Common, viewer: Viewer) -> html.Section:
    t, locale = viewer.t, viewer.locale
    features = [one.feature for one in common.clusters[0].profile] if common.clusters else []
    table: list[list[Cell]] = [
        [
            feature_words(feature, locale),
            *(one.profile[place].value for one in common.clusters),
            common.clusters[0].profile[place].overall,
        ]
        for place, feature in enumerate(features)
    ]
    header = [t("Figure"), *(str(one.number) for one in common.clusters), t("all")]
    return card(
        t("What the clusters are like"),
        graph("cluster-profiles", profile_chart(common.clusters, viewer), viewer),
        twin(header, table, viewer),
        tools=_files(f"{_family(common)}-profiles", common, viewer, "search"),
        note=" ".join(
            [
                _made_from(common, viewer),
                t("Click a cluster to see its members alone; click it again to see all."),
            ]
        ),
        class_name="grow",
    )


def _made_from(common: Common, viewer: Viewer) -> str:
    t, summary = viewer.t, common.summary
    if summary.window_days and summary.window_end:
        return t(
            "Medians of the %(days)s days up to %(date)s; distances in spreads, far ones drawn in.",
            days=summary.window_days,
            date=fmt.day(summary.window_end, viewer.locale),
        )
    return t(
        "Each machine's last reading against its own kind; distances in spreads, far ones drawn in."
    )


def _list(common: Common, viewer: Viewer) -> html.Section:
    t, locale, summary = viewer.t, viewer.locale, common.summary
    items = [
        html.Li(
            [
                html.Span(
                    str(one.number),
                    className="cluster-number",
                    style={"background": CLUSTER_COLOURS[one.number - 1]},
                ),
                html.Div(
                    [html.Strong(one.name), html.P(_told(one, viewer), className="weak")],
                ),
            ]
        )
        for one in common.clusters
    ]
    tried: list[list[Cell]] = [
        [one.clusters, fmt.fixed(one.silhouette, locale, 2), fmt.fixed(one.stability, locale, 2)]
        for one in summary.choices
    ]
    return card(
        t("Clusters"),
        html.Ul(items, className="cluster-list"),
        twin([t("Clusters"), t("Silhouette"), t("Stability")], tried, viewer),
        tools=downloads("cluster-choices", {"of": [common.of]}, viewer, of=t("Clusters")),
        note=t(
            "Structure: %(structure)s (silhouette %(silhouette)s); the same again on drawn samples:"
            " %(stability)s of 1.",
            structure=t(STRUCTURES[structure(summary.silhouette or 0.0)]),
            silhouette=fmt.fixed(summary.silhouette, locale, 2),
            stability=fmt.fixed(summary.stability, locale, 2),
        ),
        class_name="grow",
    )


def _told(one: Cluster, viewer: Viewer) -> str:
    t, locale = viewer.t, viewer.locale
    parts = [
        t("members: %(count)s", count=fmt.number(one.size, locale)),
        t("silhouette %(value)s", value=fmt.fixed(one.silhouette, locale, 2)),
    ]
    if one.mean_risk is not None:
        parts.append(t("mean risk %(value)s", value=fmt.percent(one.mean_risk, locale)))
    if one.failure_rate is not None:
        share = fmt.percent(one.failure_rate, locale)
        parts.append(t("such readings that a failure followed: %(share)s", share=share))
    return " · ".join(parts)


def _members(common: Common, viewer: Viewer) -> Component:
    t, page = viewer.t, common.members.page
    if not page.rows:
        return no_rows(viewer)
    of_towers = common.of == "towers"
    features = [one.feature for one in common.clusters[0].profile]
    columns = [
        text_column("member", t("Tower") if of_towers else t("Machine"), minWidth=130),
        *([] if of_towers else [text_column("kind", t("Kind"), minWidth=140)]),
        text_column("uf", t("UF"), minWidth=64),
        badge_column("cluster", t("Cluster"), minWidth=96),
        text_column("why", t("Why here"), minWidth=300, flex=4, **WRAPPED),
        *(
            number_column(f"f{place}", _header(feature, viewer), 1, minWidth=104)
            for place, feature in enumerate(features)
        ),
    ]
    rows = [_member_row(row, features, viewer) for row in page.rows]
    name = f"{_family(common)}-clusters"
    return card(
        t("Towers") if of_towers else t("Machines"),
        grid("cluster-members", columns, rows, viewer, row_id="member"),
        pager(page, common.members.start, dict(common.query), viewer),
        tools=downloads(name, _of_one(common), viewer),
        note=t(
            "Why here: what each figure adds to being nearer to this cluster than to the next one,"
            " as a share of all that does; below 0 it pulls away."
        ),
        class_name="surface-table",
    )


def _of_one(common: Common) -> dict[str, list[str]]:
    """What narrows the members: the filters, and the cluster where one is chosen."""
    chosen = {"cluster": [common.cluster]} if common.cluster else {}
    return {**common.asked, **chosen}


def _header(feature: str, viewer: Viewer) -> str:
    words, unit = feature_words(feature, viewer.locale), unit_of(feature, viewer.locale)
    return f"{words[:1].upper()}{words[1:]}" + (f" ({unit})" if unit else "")


def _member_row(row: ClusterMember, features: Sequence[str], viewer: Viewer) -> dict[str, Any]:
    return {
        **{name: getattr(row, name) for name in ("member", "kind", "uf")},
        "cluster": str(row.cluster),
        "cluster_colour": CLUSTER_COLOURS[row.cluster - 1],
        "why": why_words(row, viewer),
        **{f"f{place}": row.features.get(name) for place, name in enumerate(features)},
    }


def why_words(row: ClusterMember, viewer: Viewer) -> str:
    """`latency 70 %, throughput 25 %; next: 2`."""
    pulls = ", ".join(_pull(one, viewer) for one in row.pulls)
    if row.next is None:
        return pulls
    return viewer.t("%(pulls)s; next nearest: %(number)s", pulls=pulls, number=row.next)


def _pull(one: Pull, viewer: Viewer) -> str:
    locale = viewer.locale
    return f"{feature_words(one.feature, locale)} {fmt.percent(one.share, locale, 0)}"


# Towers


def _moved(data: TowersData, viewer: Viewer) -> list[Component]:
    t = viewer.t
    if data.common.summary.reason:
        return []
    title = t("Towers that changed cluster")
    if not data.moved.rows:
        return [card(title, html.P(t("No tower in view did."), className="quiet"))]
    columns = [
        text_column("member", t("Tower"), minWidth=130),
        text_column("uf", t("UF"), minWidth=64),
        badge_column("before", t("Before"), minWidth=240, flex=3, **WRAPPED),
        badge_column("now", t("Now"), minWidth=240, flex=3, **WRAPPED),
        text_column("why", t("Why here"), minWidth=260, flex=3, **WRAPPED),
    ]
    names = {one.number: one.name for one in data.common.clusters}
    rows = [_moved_row(one, names, viewer) for one in data.moved.rows]
    return [
        card(
            title,
            grid("moved-towers", columns, rows, viewer, row_id="member"),
            tools=downloads("tower-clusters", {**data.common.asked, "moved": ["true"]}, viewer),
            note=t(
                "%(shown)s of %(count)s.",
                shown=fmt.number(len(rows), viewer.locale),
                count=fmt.number(data.moved.count, viewer.locale),
            ),
            class_name="surface-table",
        )
    ]


def _moved_row(row: ClusterMember, names: Mapping[int, str], viewer: Viewer) -> dict[str, Any]:
    before = row.previous or row.cluster
    return {
        "member": row.member,
        "uf": row.uf,
        "before": f"{before} · {names.get(before, '')}",
        "before_colour": CLUSTER_COLOURS[before - 1],
        "now": f"{row.cluster} · {row.name}",
        "now_colour": CLUSTER_COLOURS[row.cluster - 1],
        "why": why_words(row, viewer),
    }


def _breaks(data: TowersData, viewer: Viewer) -> list[Component]:
    t = viewer.t
    searched = bool(data.common.filters.search)
    title = t("Levels and trends of the towers found") if searched else t("Where a level broke")
    if not data.trends.rows:
        return [card(title, html.P(t("Nowhere in view, in the last year."), className="quiet"))]
    columns = [
        text_column("site", t("Tower"), minWidth=130),
        text_column("uf", t("UF"), minWidth=64),
        text_column("metric", t("Figure"), minWidth=140),
        date_column("changed_on", t("Since"), minWidth=110),
        text_column("before", t("Before"), minWidth=110),
        text_column("after", t("After"), minWidth=110),
        text_column("per_month", t("Trend in 30 days"), minWidth=120),
    ]
    rows = [_trend_row(one, viewer) for one in data.trends.rows[:TRENDS_SHOWN]]
    return [
        card(
            title,
            grid("tower-breaks", columns, rows, viewer, row_id="code"),
            tools=_files("tower-trends", data.common, viewer, changed=not searched),
            note=t(
                "Pettitt's test on each figure of each tower, weekdays levelled out; at most one"
                " in a hundred may be chance. %(shown)s of %(count)s, the latest first.",
                shown=len(rows),
                count=fmt.number(data.trends.count, viewer.locale),
            ),
            class_name="surface-table",
        )
    ]


def _trend_row(one: TowerTrend, viewer: Viewer) -> dict[str, Any]:
    words = feature_words(one.metric, viewer.locale)
    return {
        "code": f"{one.site} {one.metric}",
        "site": one.site,
        "uf": one.uf,
        "metric": f"{words[:1].upper()}{words[1:]}",
        "changed_on": one.changed_on.isoformat() if one.changed_on else None,
        "before": measured(one.metric, one.before, viewer),
        "after": measured(one.metric, one.after, viewer),
        "per_month": measured(f"{CHANGE}{one.metric}", one.per_month, viewer),
    }


def _family(common: Common) -> str:
    return "tower" if common.of == "towers" else "equipment"


def _files(
    name: str, common: Common, viewer: Viewer, *left_out: str, changed: bool = True
) -> list[Component]:
    asked = {key: value for key, value in common.asked.items() if key not in left_out}
    return downloads(name, asked if changed else asked | {"changed": ["false"]}, viewer)
