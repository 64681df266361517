"""Controls whose state lives in the address: a change rewrites the query string, nothing else.

The browser does it (assets/nova.js, `writeFilters`): every control has an id
`{"type": "filter", "name": <parameter>}`; the memory store holds what the page was made from, so
only the reader's own changes count, and which parameters a change makes meaningless.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from domain.page_filters import EVERYTHING, FIRST, PERIODS, of_page
from domain.records import Filters, Option
from domain.viewer import Viewer
from layouts.components.attributes import aria
from layouts.components.icons import icon
from layouts.text import FILTER_NAMES, N_, REGIONS, named

Value = str | list[str] | None
BUTTON = "filters-button"
MASCULINE = {
    *("sku", "site", "supplier", "contract", "kind", "level", "status", "owner", "month"),
    "cluster",
}
"""In Portuguese: there all of these are `todos`, of the others `todas`."""
EVERY = {True: N_("Any"), False: N_("All")}


@dataclass(frozen=True)
class Bar:
    """The shared filters of one page: what they can be set to, and what they are set to. `period`:
    of `PERIODS`, where the page has one; empty where none is chosen. `single`: those that take one
    value; `fixed`: these always have one."""

    choices: Mapping[str, Sequence[Option]]
    filters: Filters
    period: str | None = None
    single: tuple[str, ...] = ()
    fixed: bool = False

    def one(self, name: str) -> str:
        """The value of a filter that takes one; empty if none is chosen."""
        return next(iter(self.chosen[name]), "")

    @property
    def chosen(self) -> dict[str, list[str]]:
        """What is set, by the names of the address."""
        return {name: list(getattr(self.filters, name)) for name in self.choices}

    @property
    def asked(self) -> dict[str, list[str]]:
        """The same without what is not set: for links."""
        return {name: values for name, values in self.chosen.items() if values}

    @property
    def kept(self) -> dict[str, list[str]]:
        """The same with the period: for links to the page itself."""
        return self.asked | ({"period": [self.period]} if self.period else {})

    @property
    def in_files(self) -> dict[str, list[str]]:
        """The same as API and files take it: a period is the dates that it stands for."""
        days = {"from": self.filters.date_from, "to": self.filters.date_to}
        dates = {name: [day.isoformat()] for name, day in days.items() if day}
        return self.asked | ({} if self.period is None else dates)


def control_id(name: Any) -> dict[str, Any]:
    """The id of the control that keeps one parameter of the address."""
    return {"type": "filter", "name": name}


def address_of(
    path: str, bar: Bar, more: Mapping[str, Sequence[str]], *, whenever: bool = False
) -> str:
    """The page at `path`, narrowed by what it takes of this bar and by `more`. `whenever`: over
    everything, not over the bar's period."""
    page = of_page(path)
    known = bar.kept | ({"period": [EVERYTHING]} if bar.period and whenever else {})
    query = {name: values for name, values in known.items() if page and name in page.shared}
    asked = urlencode(query | dict(more), doseq=True)
    return f"{path}?{asked}" if asked else path


def page_bar(
    bar: Bar,
    viewer: Viewer,
    *own: Component,
    initial: Mapping[str, Value],
    resets: Mapping[str, Sequence[str]] | None = None,
    empty: Mapping[str, str] | None = None,
    usual: str = "",
) -> html.Div:
    """The shared filters of a page, then its own (`initial` is what those are set to). A button
    holds back what is chosen seldom, and on phones everything; it counts what is set. `usual`: what
    the page shows of time where no period is chosen, of a page that starts with none."""
    shared = [
        _shared(name, bar, viewer)
        for name, options in bar.choices.items()
        if options or bar.chosen[name] or name in bar.single
    ]
    period = [] if bar.period is None else [period_choice(bar.period, viewer, usual)]
    told = bar.chosen | ({} if bar.period is None else {"period": bar.period}) | dict(initial)
    fields = html.Div([*period, *shared, *own], className="filter-fields")
    own_set = [name for name, value in initial.items() if value and _narrows(name, value, empty)]
    shared_set = 0 if bar.fixed else len(bar.asked)
    button = _button(shared_set + len(own_set), viewer)
    return filter_bar(fields, button, initial=told, resets=resets, empty=empty)


def _narrows(name: str, value: Value, empty: Mapping[str, str] | None) -> bool:
    return name not in (empty or {}) and (isinstance(value, list) or name == "search")


def _button(count: int, viewer: Viewer) -> html.Button:
    t = viewer.t
    more = html.Span(t("More filters"), className="filters-wide")
    every = html.Span(t("Filters"), className="filters-narrow")
    badge = [html.Span(str(count), className="badge-count", title=t("filters set"))]
    return html.Button(
        [icon("sliders"), more, every, *(badge if count else [])],
        id=BUTTON,
        type="button",
        className="btn btn-sm btn-outline-secondary",
        **aria(expanded="false"),
    )


def _shared(name: str, bar: Bar, viewer: Viewer) -> html.Div:
    t, options, value = viewer.t, bar.choices[name], bar.chosen[name]
    if name in bar.single:
        return choice(
            name,
            t(FILTER_NAMES[name]),
            options,
            bar.one(name) or None,
            viewer,
            multi=False,
            clearable=not bar.fixed,
            placeholder=t("Choose") if bar.fixed else None,
            wide=True,
        )
    if name == "region":
        options = [Option(one.value, named(REGIONS, one.label, t)) for one in options]
    held_back = "" if name in FIRST or value else "filter-held-back"
    return choice(name, t(FILTER_NAMES[name]), options, value, viewer, class_name=held_back)


def period_choice(period: str, viewer: Viewer, usual: str = "") -> html.Div:
    """How far back from the end of the data; nothing of that where `usual` says what else."""
    t = viewer.t
    options = [Option(value, period_name(value, viewer)) for value in PERIODS]
    more: dict[str, Any] = {"multi": False, "clearable": bool(usual), "placeholder": usual or None}
    more["class_name"] = "field-period"
    return choice("period", t("Period"), options, period or None, viewer, **more)


def period_name(period: str, viewer: Viewer) -> str:
    """A period in words."""
    t, days = viewer.t, PERIODS[period]
    return t("Everything") if days is None else t("Last %(count)s days", count=days)


def filter_bar(
    *controls: Component,
    initial: Mapping[str, Value],
    resets: Mapping[str, Sequence[str]] | None = None,
    empty: Mapping[str, str] | None = None,
    place: str = "bar",
) -> html.Div:
    """A row of controls with the memory of what the page was made from; `place` tells apart those
    of one page.

    `resets` lists the parameters that a change of another one makes meaningless; `empty` is what
    the address says where nothing is chosen, if that is not the same as saying nothing.
    """
    kept = memory(place, initial, resets, empty)
    return html.Div([*controls, kept], className="filter-bar", role="search")


def memory(
    place: str,
    initial: Mapping[str, Value],
    resets: Mapping[str, Sequence[str]] | None = None,
    empty: Mapping[str, str] | None = None,
) -> dcc.Store:
    """What controls were made from, where they stand in no bar; the same arguments."""
    told = {
        "initial": dict(initial),
        "resets": {name: list(others) for name, others in (resets or {}).items()},
        "empty": dict(empty or {}),
    }
    return dcc.Store(id={"type": "filter-memory", "page": place}, data=told)


def choice(
    name: str,
    label: str,
    options: Sequence[Option],
    value: Value,
    viewer: Viewer,
    *,
    multi: bool = True,
    clearable: bool = True,
    placeholder: str | None = None,
    class_name: str = "",
    wide: bool = False,
) -> html.Div:
    """A labelled drop-down over `options`; its value is the parameter `name`."""
    control = dropdown(
        control_id(name),
        options,
        value,
        viewer,
        multi=multi,
        clearable=clearable,
        placeholder=placeholder or viewer.t(EVERY[name in MASCULINE]),
    )
    width = "field field-wide" if wide else "field"
    return _field(label, control, f"{width} {class_name}".strip())


def one_of(
    name: str, label: str, options: Sequence[Option], value: str, viewer: Viewer
) -> html.Div:
    """The same where exactly one is chosen, always."""
    return choice(
        name,
        label,
        options,
        value,
        viewer,
        multi=False,
        clearable=False,
        class_name="field-level",
    )


def dropdown(
    identity: Any,
    options: Sequence[Option],
    value: Value,
    viewer: Viewer,
    *,
    multi: bool,
    clearable: bool,
    placeholder: str,
    **more: Any,
) -> dcc.Dropdown:
    """A drop-down in the reader's language; several values are said as it closes."""
    return dcc.Dropdown(
        id=identity,
        options=[{"value": option.value, "label": option.label} for option in options],
        value=value if value or not multi else [],
        multi=multi,
        clearable=clearable,
        placeholder=placeholder,
        search_order="original",
        labels=_labels(viewer),
        closeOnSelect=not multi,
        debounce=multi,
        **more,
    )


def label_of(control: Component, text: str) -> html.Label:
    """What names a control to everybody (assets/nova.js names Dash's drop-downs by it)."""
    identity = control.id  # type: ignore[attr-defined]
    if isinstance(identity, dict):
        identity = json.dumps(identity, sort_keys=True, separators=(",", ":"))
    return html.Label(text, htmlFor=identity, className="field-label")


def _labels(viewer: Viewer) -> Any:
    t = viewer.t
    return {
        "select_all": t("Select all"),
        "deselect_all": t("Deselect all"),
        "selected_count": t("{num_selected} selected"),
        "search": t("Search"),
        "clear_search": t("Clear search"),
        "clear_selection": t("Clear selection"),
        "no_options_found": t("Nothing found"),
    }


def search_box(
    name: str, label: str, value: str, placeholder: str, *, wide: bool = True
) -> html.Div:
    """A text field that searches when the reader pauses (assets/fields.js)."""
    control = dcc.Input(
        id=control_id(name),
        type="search",
        value=value,
        debounce=True,
        placeholder=placeholder,
        className="search-input",
    )
    return _field(label, control, "field field-wide" if wide else "field")


def entry(name: str, label: str, value: str, note: str, *, wide: bool = False) -> html.Div:
    """A text field for numbers; the note below says unit and limits."""
    control = dcc.Input(
        id=control_id(name),
        type="text",
        value=value,
        debounce=True,
        className="search-input",
    )
    field = _field(label, control, "field field-wide" if wide else "field")
    field.children = [*field.children, html.Span(note, className="field-note")]
    return field


def toggles(
    name: str, label: str, options: Sequence[dict[str, Any]], value: list[str]
) -> html.Fieldset:
    """Switches side by side, each on or off."""
    control = dbc.Checklist(
        id=control_id(name), options=list(options), value=value, inline=True, class_name="toggles"
    )
    return html.Fieldset(
        [html.Legend(label, className="field-label"), control], className="field-set"
    )


def _field(label: str, control: Component, class_name: str) -> html.Div:
    return html.Div(
        [label_of(control, label), control],
        className=class_name,
        role="group",
        **aria(label=label),
    )
