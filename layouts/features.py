"""`/features`: how good each model is, by demand class and horizon, and why it has its weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dash import html
from dash.development.base_component import Component

from domain.overrides import ValueStep
from domain.records import ClassChoice, DataStatus, ModelPerformance, ModelStep, Option
from domain.viewer import Viewer
from layouts import format as fmt
from layouts.charts import calibration_chart, graph, steps_chart
from layouts.components.cards import card, not_narrowed
from layouts.components.downloads import downloads
from layouts.components.filters import Bar, choice, page_bar
from layouts.components.grid import (
    WRAPPED,
    badge_column,
    grid,
    number_column,
    percent_column,
    points_column,
    text_column,
)
from layouts.components.parts import Part, at_once
from layouts.components.states import no_rows, notice, notices
from layouts.components.table import twin
from layouts.components.tabs import tabs
from layouts.forecasts import NO_MODEL, model_toggles
from layouts.text import DEMAND_CLASSES, MODELS, N_, named
from layouts.theme import MODEL_COLOURS
from layouts.units import periods_ahead
from layouts.value_added import value_added_card


@dataclass(frozen=True)
class FeaturesData:
    """What the page shows: the rows of one demand class, or over all of them (None)."""

    bar: Bar
    demand_class: str | None
    classes: Sequence[str]
    rows: Sequence[ModelPerformance]
    steps: Sequence[ModelStep]
    choices: Sequence[ClassChoice]
    shown: Sequence[str]
    value_added: Sequence[ValueStep]
    status: DataStatus
    notices: list[str]

    @property
    def asked(self) -> dict[str, list[str]]:
        """What narrows the files as the page is."""
        return self.bar.asked | ({"class": [self.demand_class]} if self.demand_class else {})

    @property
    def models(self) -> list[str]:
        """The models that were backtested here, the ensemble first."""
        present = {row.model for row in self.rows}
        return [model for model in MODELS if model in present]


TABS = {
    "map": N_("Map"),
    "clusters": N_("Clusters"),
    "models": N_("Model performance"),
    "prescriptive": N_("Prescriptive"),
    "formulas": N_("Formulas"),
}
"""The tabs of the page by the address's `tab`."""
BY_STEP = ("region", "uf", "contract", "class")
"""What the errors by step are kept by."""
TITLES = {
    "map": N_("Regions"),
    "clusters": N_("Clusters and failure risk"),
    "models": N_("Model performance"),
    "prescriptive": N_("What is advised, and what became of it"),
    "formulas": N_("Formulas"),
}


def head(tab: str, viewer: Viewer, title: Component | None = None) -> list[Component]:
    """Title (the tab's own, if no other is given) and tabs."""
    t = viewer.t
    return [
        html.Div([title or html.H1(t(TITLES[tab]))], className="page-head"),
        tabs(t("Sections of the page"), TABS, tab, viewer, path="/features"),
    ]


def within(tab: str, content: Sequence[Component], viewer: Viewer) -> html.Div:
    """A tab's content under the head."""
    return html.Div([*head(tab, viewer), *content], className="page page-features")


def layout(data: FeaturesData, viewer: Viewer, part: Part = at_once) -> html.Div:
    """The whole page on the tab of the models."""
    return html.Div(
        [
            *head("models", viewer),
            _filters(data, viewer),
            *notices(data.notices),
            *[naive_notice(one, viewer) for one in data.choices if one.published_as_naive],
            leaderboard(data, viewer) if data.rows else no_rows(viewer),
            *part("steps", lambda: _ahead(data, viewer), 656, 1290),
            *part(
                "value", lambda: [value_added_card(data.value_added, data.asked, viewer)], 290, 380
            ),
            choices_card(data.choices, viewer),
        ],
        className="page page-features",
    )


def _ahead(data: FeaturesData, viewer: Viewer) -> list[Component]:
    cards = [_steps(data, viewer), _calibration(data, viewer)]
    return [
        *returns_notice(data.status.negative_periods, viewer),
        *empty_notice(data.status, viewer),
        html.Div(cards, className="columns columns-chart"),
    ]


def _filters(data: FeaturesData, viewer: Viewer) -> html.Div:
    t = viewer.t
    options = [Option(name, t(DEMAND_CLASSES[name])) for name in data.classes]
    return page_bar(
        data.bar,
        viewer,
        choice("class", t("Demand class"), options, data.demand_class, viewer, multi=False),
        initial={"class": data.demand_class, "models": list(data.shown)},
        resets={"sku": ["site"]},
        empty={"models": NO_MODEL},
    )


def naive_notice(chosen: ClassChoice, viewer: Viewer) -> html.Div:
    """The publishing guard in words; a class of few series has no errors of its own."""
    t, errors = viewer.t, chosen.errors
    if not {"ensemble", "seasonal_naive"} <= errors.keys():
        return notice(
            t(
                "%(class)s: too few series to be judged alone. Over all series the ensemble lost to"
                " seasonal naive in the backtest, so seasonal naive is published.",
                **{"class": named(DEMAND_CLASSES, chosen.demand_class, t)},
            )
        )
    return notice(
        t(
            "%(class)s: the ensemble lost to seasonal naive in the backtest (%(ours)s against"
            " %(naive)s), so seasonal naive is published.",
            **{"class": named(DEMAND_CLASSES, chosen.demand_class, t)},
            ours=fmt.fixed(errors["ensemble"], viewer.locale, 3),
            naive=fmt.fixed(errors["seasonal_naive"], viewer.locale, 3),
        )
    )


def returns_notice(periods: int, viewer: Viewer) -> list[html.Div]:
    """What the training made of returns, where they outweighed a period's demand."""
    if not periods:
        return []
    t, count = viewer.t, fmt.number(periods, viewer.locale)
    return [
        notice(
            t(
                "Periods in which more came back than was asked for, taken for no demand:"
                " %(count)s.",
                count=count,
            )
        )
    ]


def empty_notice(status: DataStatus, viewer: Viewer) -> list[html.Div]:
    """What the training made of weeks or months that a file may lack."""
    if not status.empty_periods:
        return []
    named = ", ".join(fmt.day(one, viewer.locale) for one in status.last_empty_periods)
    more = status.empty_periods > len(status.last_empty_periods)
    return [
        notice(
            viewer.t(
                "Periods without any row of demand, taken for no demand: %(count)s (%(days)s).",
                count=fmt.number(status.empty_periods, viewer.locale),
                days=f"… {named}" if more else named,
            )
        )
    ]


def comparable_first(rows: Sequence[ModelPerformance]) -> list[ModelPerformance]:
    """As they come, but those that were judged on fewer series than others after them."""
    most = max((row.series for row in rows), default=0)
    return sorted(rows, key=lambda row: row.series < most)


def leaderboard(data: FeaturesData, viewer: Viewer) -> html.Section:
    """Every model on the backtest, the lowest MASE first."""
    t = viewer.t
    columns = [
        badge_column("model", t("Model"), minWidth=230, flex=2),
        number_column("series", t("Series"), minWidth=72),
        percent_column("wape", t("WAPE"), 1),
        number_column("mase", t("MASE"), 3),
        number_column("rmsse", t("RMSSE"), 3),
        percent_column("bias", t("Bias"), 1),
        percent_column("coverage80", t("In p10–p90"), 1, minWidth=84),
        points_column("fva", t("Value added"), 1, minWidth=96),
        number_column("wins", t("Wins"), minWidth=72),
        number_column("seconds", t("CPU-seconds"), minWidth=92),
    ]
    rows = [_performance_row(row, viewer) for row in data.rows]
    return card(
        t("Models on the backtest"),
        grid("leaderboard", columns, rows, viewer, row_id="code"),
        tools=downloads("model-performance", data.asked, viewer, of=t("Models on the backtest")),
        note=_note(data, viewer),
        class_name="surface-table",
    )


def _note(data: FeaturesData, viewer: Viewer) -> str:
    t = viewer.t
    words = t(
        "Value added: WAPE of seasonal naive on the same series less the model's own. Wins:"
        " series where no model has a lower error. CPU-seconds are of the whole training."
    )
    if len({row.series for row in data.rows}) < 2:
        return words
    fewer = t("The last ones were judged on fewer series: compare them within a demand class.")
    return f"{words} {fewer}"


def _performance_row(row: ModelPerformance, viewer: Viewer) -> dict[str, Any]:
    numbers = ("series", "wape", "mase", "rmsse", "bias", "coverage80", "fva", "wins", "seconds")
    return {
        "code": row.model,
        "model": named(MODELS, row.model, viewer.t),
        "model_colour": MODEL_COLOURS.get(row.model),
        **{name: getattr(row, name) for name in numbers},
    }


def _steps(data: FeaturesData, viewer: Viewer) -> html.Section:
    t = viewer.t
    title = t("Error by horizon")
    if not data.steps:
        return card(title, _not_kept(viewer), class_name="grow")
    ahead = periods_ahead(data.status.frequency, t)
    rows = [row for row in data.steps if row.model in data.shown and row.step]
    table: list[list[Any]] = [
        [row.step, named(MODELS, row.model, t), fmt.percent(row.wape, viewer.locale)]
        for row in rows
    ]
    asked = _of_steps(data) | {"model": [*data.shown]}
    return card(
        title,
        model_toggles(data.models, data.shown, viewer),
        graph("steps", steps_chart(data.steps, data.shown, viewer, ahead), viewer),
        twin([ahead, t("Model"), t("WAPE")], table, viewer),
        tools=downloads("model-steps", asked, viewer, of=title) if data.shown else [],
        note=_not_by_step(data, viewer),
        class_name="grow",
    )


def _of_steps(data: FeaturesData) -> dict[str, list[str]]:
    return {name: values for name, values in data.asked.items() if name in BY_STEP}


def _not_by_step(data: FeaturesData, viewer: Viewer) -> str:
    return not_narrowed([name for name in data.bar.asked if name not in BY_STEP], viewer)


def _calibration(data: FeaturesData, viewer: Viewer) -> html.Section:
    t, locale = viewer.t, viewer.locale
    title = t("Calibration of the ensemble")
    whole = next((one for one in data.steps if one.model == "ensemble" and not one.step), None)
    if whole is None:
        return card(title, _not_kept(viewer), class_name="grow")
    table = [
        [name, *(fmt.percent(value, locale) for value in (level, low, high))]
        for name, level, low, high in zip(
            ("p10", "p50", "p90"), (0.1, 0.5, 0.9), whole.below, whole.at_most, strict=True
        )
    ]
    header = [t("Quantile"), t("Should be"), t("Actuals below"), t("Actuals not above")]
    words = t(
        "Each bar should meet the dotted line. It is long where demand often equals the"
        " quantile, as zero does."
    )
    return card(
        title,
        graph("calibration", calibration_chart(whole, viewer), viewer),
        twin(header, table, viewer),
        tools=downloads("model-calibration", _of_steps(data), viewer, of=title),
        note=f"{words} {_not_by_step(data, viewer)}".rstrip(),
        class_name="grow",
    )


def _not_kept(viewer: Viewer) -> Component:
    text = viewer.t("This run was published before these figures were kept: publish it again.")
    return html.P(text, className="quiet")


def choices_card(choices: Sequence[ClassChoice], viewer: Viewer) -> html.Section:
    """The candidates of each demand class with weight, error and the reason."""
    t = viewer.t
    title = t("Weights in the ensemble")
    if not choices:
        return card(title, html.P(t("This run's manifest does not say."), className="quiet"))
    columns = [
        text_column("demand_class", t("Demand class"), minWidth=150, **WRAPPED),
        badge_column("model", t("Model"), minWidth=230, flex=2),
        percent_column("weight", t("Weight"), 1),
        percent_column("quantile_weight", t("In the quantiles"), 1),
        number_column("error", t("Error"), 3),
        number_column("ratio", t("× best"), 2),
        text_column("reason", t("Why"), minWidth=300, flex=4, **WRAPPED),
    ]
    rows = [row for chosen in choices for row in _choice_rows(chosen, viewer)]
    return card(
        title,
        grid("choices", columns, rows, viewer, row_id="code"),
        tools=downloads(
            "model-choices", {"class": [one.demand_class for one in choices]}, viewer, of=title
        ),
        note=t(
            "The error is the mean MASE of the class's series over all origins, the mean RMSSE"
            " where demand is intermittent or lumpy."
        ),
        class_name="surface-table",
    )


def _choice_rows(chosen: ClassChoice, viewer: Viewer) -> list[dict[str, Any]]:
    best = best_error(chosen)
    return [
        {
            "code": f"{chosen.demand_class} {model}",
            "demand_class": named(DEMAND_CLASSES, chosen.demand_class, viewer.t),
            "model": named(MODELS, model, viewer.t),
            "model_colour": MODEL_COLOURS.get(model),
            "weight": weight,
            "quantile_weight": chosen.quantile_weight(model),
            "error": chosen.errors.get(model),
            "ratio": _ratio(chosen.errors.get(model), best),
            "reason": reason_of(chosen, model, viewer),
        }
        for model, weight in sorted(
            chosen.weights.items(), key=lambda pair: (-pair[1], chosen.errors.get(pair[0], 9e9))
        )
    ]


def best_error(chosen: ClassChoice, *, sampled: bool = True) -> float | None:
    """The lowest error of the class's candidates; those judged on a sample of its series count
    only if `sampled`: another part of the class may be harder."""
    known = (one for one in chosen.weights if one in chosen.errors)
    judged = (one for one in known if sampled or not chosen.judged_on.get(one))
    return min((chosen.errors[one] for one in judged), default=None)


def _ratio(error: float | None, best: float | None) -> float | None:
    return error / best if error is not None and best else None


def reason_of(chosen: ClassChoice, model: str, viewer: Viewer) -> str:
    """Why a candidate has its weight, in a sentence."""
    t = viewer.t
    sample = chosen.judged_on.get(model)
    judged = " " + t("Judged on a sample of %(count)s series.", count=sample) if sample else ""
    return _verdict(chosen, model, viewer) + judged


def _verdict(chosen: ClassChoice, model: str, viewer: Viewer) -> str:
    t, locale = viewer.t, viewer.locale
    ratio = _ratio(chosen.errors.get(model), best_error(chosen))
    if chosen.published_as_naive:
        alone = model == "seasonal_naive"
        return t("Published alone: the ensemble lost to it.") if alone else t("Not published.")
    in_mean, in_quantiles = chosen.weights[model] > 0, chosen.quantile_weight(model) > 0
    if in_mean and in_quantiles:
        return t("In the ensemble.")
    if in_mean:
        losses = chosen.quantile_errors
        return t(
            "Only in the mean: the pinball loss of its quantiles is %(loss)s, the best one's"
            " %(best)s; the limit is %(limit)s times that.",
            loss=fmt.fixed(losses.get(model), locale, 3),
            best=fmt.fixed(min(losses.values(), default=None), locale, 3),
            limit=fmt.fixed(chosen.drop_quantiles_above, locale, 2),
        )
    if ratio is None:
        unknown = t("Left out: it could not be judged.")
        return t("Only in the quantiles.") if in_quantiles else unknown
    if in_quantiles:
        return t(
            "Only in the quantiles: its error is %(ratio)s times the best one's; the limit of the"
            " mean is %(limit)s.",
            ratio=fmt.fixed(ratio, locale, 3),
            limit=fmt.fixed(chosen.drop_above, locale, 2),
        )
    return t(
        "Left out: its error is %(ratio)s times the best one's; the limit is %(limit)s.",
        ratio=fmt.fixed(ratio, locale, 2),
        limit=fmt.fixed(chosen.drop_above, locale, 2),
    )
