"""The part of `/forecasts` where people put their own word in the forecast's place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from domain.overrides import MAX_NOTE, Override, Preview, TrackRecord
from domain.records import Job, Option, Page
from domain.viewer import Viewer
from layouts import format as fmt
from layouts.components.attributes import aria
from layouts.components.cards import card
from layouts.components.filters import choice, label_of
from layouts.components.forms import action_button, choice_field, confirmed, text_field
from layouts.components.icons import icon
from layouts.components.states import notice
from layouts.jobs import derive_words
from layouts.reasons import reason_in
from layouts.text import (
    OVERRIDE_FIELDS,
    OVERRIDE_REASONS,
    OVERRIDE_STATES,
    OVERRIDE_WHATS,
    named,
)

WHATS = tuple(OVERRIDE_WHATS)
QUANTITY = "quantity"
TICK_MS = 1000
ADDRESSES = ("override-address", "override-ended", "override-followed", "override-again")
"""Where the callbacks that save, end, wait and begin anew write the address to go on with."""
CANCEL, DERIVE = "override-cancel", "override-derive"


@dataclass(frozen=True)
class Adjusting:
    """What the card shows of one item at one site. `what` is one of WHATS, `start` and `stop` of
    `periods` (first days); `in_force` and `history` are the overrides that reach this material, the
    newest first. `job` is the derivation that the address names and that is not done."""

    sku: str
    site: str
    what: str
    whats: Sequence[str]
    periods: Sequence[date]
    start: date | None
    stop: date | None
    unit: str | None
    family: str | None
    uf: str | None
    in_force: Page[Override]
    history: Page[Override]
    expires_on: date
    may_act: bool
    job: Job | None

    @property
    def initial(self) -> dict[str, str | None]:
        """The parameters of the address that the card's controls write."""
        return {
            "adjust": self.what,
            "from": self.start.isoformat() if self.start else None,
            "to": self.stop.isoformat() if self.stop else None,
        }


def end_id(number: Any) -> dict[str, Any]:
    """The id of the button that ends an override."""
    return {"type": "override-end", "number": number}


def adjust_card(data: Adjusting, viewer: Viewer) -> html.Section:
    """The form for those who may act, what is in force, and what was."""
    t = viewer.t
    parts: list[Component] = [dcc.Location(id=one, refresh="callback-nav") for one in ADDRESSES]
    if data.job is not None:
        parts.append(_following(data.job, viewer))
    if data.may_act:
        parts += _form(data, viewer) if data.periods else [_no_periods(viewer)]
    parts += [html.H3(t("In force")), *_listed(data.in_force, data, viewer)]
    if data.history.rows:
        summary = html.Summary(t("History (%(count)s)", count=data.history.count))
        parts.append(
            html.Details([summary, *_listed(data.history, data, viewer)], className="twin")
        )
    note = t(
        "Your figure stands beside the model's, which stays as it is. Reorder points, projected"
        " stock and alerts follow it until it expires or is ended."
    )
    return card(t("Adjust the forecast"), *parts, note=note, class_name="adjust")


def _following(job: Job, viewer: Viewer) -> html.Div:
    """That it is at work; what became of one that has ended, the first tick tells who may know."""
    tick = dcc.Interval(id="override-tick", interval=TICK_MS)
    told = _at_work(viewer) if job.is_active else []
    return html.Div([*told, tick], id="override-work")


def _at_work(viewer: Viewer) -> list[Component]:
    text = viewer.t("Saved. Policy and alerts are being derived again; this page follows.")
    button = action_button(CANCEL, viewer.t("Cancel"))
    return [notice(text), html.Div(button, className="actions", id="override-cancelling")]


def not_followed(job: Job, viewer: Viewer) -> html.Div:
    """What stands instead once the derivation has failed or was cancelled."""
    t = viewer.t
    failed = t(
        "Saved, but policy and alerts could not be derived again and are as before. They follow"
        " with the next load, or when the run is published again."
    )
    cancelled = t(
        "Saved, but deriving was cancelled: policy and alerts are as before. They follow with the"
        " next load, or when the run is published again."
    )
    is_cancelled = job.state == "cancelled"
    parts: list[Component] = [notice(cancelled if is_cancelled else failed, "warning")]
    if job.message:
        parts.append(html.P(reason_in(job.message, t, viewer.locale), className="job-message"))
    return html.Div([*parts, action_button(DERIVE, derive_words(viewer))], role="alert")


def _no_periods(viewer: Viewer) -> html.P:
    t = viewer.t
    text = t("The published forecast has no period ahead of the data: publish a newer run first.")
    return html.P(text, className="quiet")


def _form(data: Adjusting, viewer: Viewer) -> list[Component]:
    t = viewer.t
    whats = [Option(what, _what(what, data, viewer)) for what in data.whats]
    days = [Option(day.isoformat(), fmt.day(day, viewer.locale)) for day in data.periods]
    one: dict[str, Any] = {"multi": False, "clearable": False}
    is_quantity = data.what == QUANTITY
    label = t("Quantity of each period") if is_quantity else t("Change, per cent")
    unit = f" ({data.unit})" if is_quantity and data.unit else ""
    reasons = [Option(code, t(name)) for code, name in OVERRIDE_REASONS.items()]
    typed: dict[str, Any] = {"persistence": _draft(data), "persistence_type": "session"}
    fields = [
        choice("adjust", t("What"), whats, data.what, viewer, wide=True, **one),
        choice("from", t("First period"), days, data.initial["from"], viewer, **one),
        choice("to", t("Last period"), days, data.initial["to"], viewer, **one),
        _number("override-amount", f"{label}{unit}", **typed),
        choice_field(
            "override-reason",
            t("Reason"),
            reasons,
            None,
            viewer,
            placeholder=t("Choose a reason"),
            **typed,
        ),
        text_field("override-note", t("In words"), maxLength=MAX_NOTE, **typed),
        text_field(
            "override-expires",
            t("Counts until (YYYY-MM-DD)"),
            fmt.typed_day(data.expires_on, viewer.locale),
            **typed,
        ),
    ]
    return [
        dcc.Store(id="override-of", data={"sku": data.sku, "site": data.site}),
        html.Div(fields, className="form-grid adjust-form"),
        html.Div(
            [action_button("override-preview-button", t("Preview"), "primary")],
            className="actions",
        ),
        html.Div(id="override-preview", **aria(live="polite")),
    ]


def _draft(data: Adjusting) -> str:
    """What is typed on a series stays while its page is made anew, until one more is saved."""
    newest = max((one.id for one in (*data.in_force.rows, *data.history.rows)), default=0)
    return f"{data.sku} {data.site} {newest}"


def _what(what: str, data: Adjusting, viewer: Viewer) -> str:
    words = viewer.t(OVERRIDE_WHATS[what])
    detail = {"family": data.family, "uf": data.uf}.get(what)
    return f"{words}: {detail}" if detail else words


def _number(name: str, label: str, **more: Any) -> html.Div:
    control = dcc.Input(id=name, type="number", step="any", className="search-input", **more)
    return html.Div(
        [label_of(control, label), control],
        className="form-field field",
        role="group",
        **aria(label=label),
    )


# Before it is saved


def problems(fields: Sequence[str], viewer: Viewer) -> html.Ul:
    """What is wrong in a form, each with its field and how to mend it."""
    t = viewer.t
    known = dict.fromkeys(t(OVERRIDE_FIELDS.get(one, OVERRIDE_FIELDS["other"])) for one in fields)
    lines = [html.Li([icon("alert"), words], className="warn-line") for words in known]
    return html.Ul(lines, className="problems", role="alert")


def preview(told: Preview, asked: dict[str, Any], viewer: Viewer) -> html.Div:
    """What saving would do, what past ones did, and the button. `asked` is saved as it stands."""
    t = viewer.t
    return html.Div(
        [
            dcc.Store(id="override-asked", data=asked),
            *_passed(told, viewer),
            _facts(told, viewer),
            _changes(told, viewer),
            html.P(record_line(t("Your adjustments"), told.person, viewer)),
            *(
                [html.P(record_line(t("Adjustments of this material"), told.item, viewer))]
                if told.item is not None
                else []
            ),
            html.Div(
                [action_button("override-save", t("Save the adjustment"), "primary")],
                className="actions",
            ),
            html.Div(id="override-refused"),
        ],
        className="preview",
    )


def _passed(told: Preview, viewer: Viewer) -> list[html.Div]:
    if not told.passed:
        return []
    text = viewer.t(
        "Periods that are over by the calendar: %(passed)s of %(count)s. They count until newer"
        " data is loaded.",
        passed=fmt.number(told.passed, viewer.locale),
        count=fmt.number(told.periods, viewer.locale),
    )
    return [notice(text, "warning")]


def _facts(told: Preview, viewer: Viewer) -> html.Dl:
    t, locale = viewer.t, viewer.locale
    facts = [(t("Series"), fmt.number(told.series, locale))]
    facts.append((t("Periods"), fmt.number(told.periods, locale)))
    if told.unit:
        facts.append((t("Model (%(unit)s)", unit=told.unit), fmt.number(told.before, locale, 1)))
        facts.append((t("Adjusted (%(unit)s)", unit=told.unit), fmt.number(told.after, locale, 1)))
    if told.before_brl or told.after_brl:
        facts.append((t("Model, at cost"), fmt.brl(told.before_brl, locale)))
        facts.append((t("Adjusted, at cost"), fmt.brl(told.after_brl, locale)))
    if told.replaces:
        facts.append((t("Takes periods from"), t("%(count)s in force", count=told.replaces)))
    return html.Dl(
        [html.Div([html.Dt(name), html.Dd(value)]) for name, value in facts], className="facts"
    )


def _changes(told: Preview, viewer: Viewer) -> html.Div:
    t, locale = viewer.t, viewer.locale
    head = [t("Material"), t("Depot"), t("Model"), t("Adjusted"), t("Change, at cost")]
    rows = [
        [
            one.item_name or one.sku,
            f"{one.site_name or one.site} · {one.uf}" if one.uf else one.site_name or one.site,
            f"{fmt.number(one.before, locale, 1)} {one.unit or ''}".rstrip(),
            f"{fmt.number(one.after, locale, 1)} {one.unit or ''}".rstrip(),
            fmt.brl(one.change_brl, locale),
        ]
        for one in told.changes
    ]
    more = told.series - len(told.changes)
    title = t("Biggest changes (%(count)s more)", count=more) if more else t("Changes")
    return html.Div([html.H3(title), _table(head, rows, numbers=(2, 3, 4))])


def record_line(whose: str, told: TrackRecord, viewer: Viewer) -> str:
    """What past overrides did to accuracy, in a sentence."""
    t, locale = viewer.t, viewer.locale
    if not told.periods:
        return f"{whose}: " + t("no past override yet whose periods have passed.")
    if told.model_wape is None or told.override_wape is None:
        return f"{whose}: " + t(
            "%(count)s periods have passed, and nothing was demanded in them.", count=told.periods
        )
    words = t(
        "over %(count)s periods that have passed, the model missed %(model)s of the demand, the"
        " adjusted forecast %(ours)s.",
        count=fmt.number(told.periods, locale),
        model=fmt.percent(told.model_wape, locale),
        ours=fmt.percent(told.override_wape, locale),
    )
    better = told.override_wape < told.model_wape
    verdict = t("They made it better.") if better else t("They did not make it better.")
    return f"{whose}: {words} {verdict}"


# Those that there are


def _listed(page: Page[Override], data: Adjusting, viewer: Viewer) -> list[Component]:
    t, shown = viewer.t, len(page.rows)
    if not shown:
        return [html.P(t("No adjustment of this material is in force."), className="quiet")]
    head = [t("Number"), t("What"), t("Periods"), t("Model"), t("Adjusted"), t("Reason")]
    head += [t("Counts until"), t("By"), t("State"), ""]
    table = _table(head, [_row(one, data, viewer) for one in page.rows], numbers=(3, 4))
    if page.count == shown:
        return [table]
    words = t("The newest %(count)s of %(all)s.", count=shown, all=page.count)
    return [table, html.P(words, className="weak")]


def _row(one: Override, data: Adjusting, viewer: Viewer) -> list[Any]:
    t, locale = viewer.t, viewer.locale
    unit = one.unit or ""
    state = named(OVERRIDE_STATES, one.state, t)
    if one.state == "in_force" and one.applied:
        state = t("Counts now")
    if one.superseded_by:
        state += f" ({one.superseded_by})"
    reason = named(OVERRIDE_REASONS, one.reason, t)
    return [
        str(one.id),
        _named_target(one, viewer),
        f"{fmt.day(one.date_from, locale)} – {fmt.day(one.date_to, locale)}",
        f"{fmt.number(one.before, locale, 1)} {unit}".rstrip(),
        f"{fmt.number(one.after, locale, 1)} {unit}".rstrip(),
        f"{reason}: {one.note}" if one.note else reason,
        fmt.day(one.expires_on, locale),
        f"{one.created_by}, {fmt.moment(one.created_at, locale)}",
        f"{state}, {one.ended_by}, {fmt.moment(one.ended_at, locale)}" if one.ended_by else state,
        _ending(one, viewer) if data.may_act and one.state == "in_force" else "",
    ]


def _named_target(one: Override, viewer: Viewer) -> str:
    parts = [one.item_name or one.sku, one.site_name or one.site, one.family, one.uf]
    where = " · ".join(part for part in parts if part)
    if one.change is None:
        return where
    return f"{where}: {fmt.signed_percent(one.change, viewer.locale)}"


def _ending(one: Override, viewer: Viewer) -> Component:
    """The button that ends it, or why this reader has none."""
    t = viewer.t
    if one.beyond:
        why = t("It reaches beyond what you may see: whoever made it or an administrator ends it.")
        return html.Span(why, className="weak")
    question = t("The model's forecast counts again at once. The history stays.")
    return confirmed(
        t("End"), question, action_button(end_id(one.id), t("End number %(n)s", n=one.id), "danger")
    )


def _table(
    head: Sequence[str], rows: Sequence[Sequence[Any]], *, numbers: Sequence[int]
) -> html.Div:
    """Words, but for the columns in these places."""
    kinds = ["" if place in numbers else "word" for place in range(len(head))]
    named = zip(head, kinds, strict=True)
    cells = html.Thead(html.Tr([html.Th(one, scope="col", className=kind) for one, kind in named]))
    body = html.Tbody(
        [
            html.Tr([html.Td(one, className=kind) for one, kind in zip(row, kinds, strict=True)])
            for row in rows
        ]
    )
    return html.Div(
        html.Table([cells, body], className="plain-table"), className="table-scroll", tabIndex=0
    )
