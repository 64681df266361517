"""What a screen says when it has nothing, or not everything, to show."""

from __future__ import annotations

from dash import dcc, html
from dash.development.base_component import Component

from domain.kpis import COSTS, HISTORY, WHOLE_MONTHS
from domain.viewer import Translator, Viewer
from layouts.components.icons import icon
from layouts.text import FILE_KINDS, named

LOAD_COMMAND = "flask ingest"


def state(
    title: str, text: str, *more: Component, kind: str = "empty", alone: bool = False
) -> html.Div:
    """A calm box: what is the matter, and what to do. `kind` picks icon and colour; `alone` on its
    page, it heads it."""
    heading = html.H1 if alone else html.H2
    return html.Div(
        [
            icon(STATE_ICONS[kind]),
            heading(title, className="state-title"),
            html.P(text, className="state-text"),
            *more,
        ],
        className=f"state state-{kind}",
        role="status",
    )


STATE_ICONS = {"empty": "inbox", "error": "alert", "failed": "alert", "missing": "file"}


def nothing_published(viewer: Viewer, alone: bool = True) -> html.Div:
    """No run yet: the three commands that lead to one."""
    t = viewer.t
    return state(
        t("No forecasts have been published yet"),
        t("Load ERP files, train the models and publish the results:"),
        commands("flask ingest FOLDER", "python -m models_offline train", "flask publish BUNDLE"),
        alone=alone,
    )


def not_found(viewer: Viewer, alone: bool = True) -> html.Div:
    """The address leads nowhere, or to something outside of the reader's scope."""
    t = viewer.t
    return state(
        t("Page not found"),
        t("This address does not exist, or you may not see what it shows."),
        dcc.Link(t("Go to the overview"), href="/main", className="btn btn-outline-secondary"),
        kind="error",
        alone=alone,
    )


def no_rows(viewer: Viewer) -> html.Div:
    """The filters leave nothing over."""
    t = viewer.t
    return state(
        t("Nothing matches these filters"), t("Remove a filter or search for something else.")
    )


def missing_file(kind: str, would_show: str, t: Translator) -> html.Div:
    """A file of ERP data was never loaded: which one, what it would show, how to load it."""
    return state(
        t("The file “%(file)s” is not loaded", file=named(FILE_KINDS, kind, t)),
        would_show,
        commands(f"{LOAD_COMMAND} {kind}.csv"),
        kind="missing",
    )


def missing_column(title: str, kind: str, column: str, would_show: str, t: Translator) -> html.Div:
    """A column of ERP data is empty: what is the matter, where to fill it in, what it would show,
    how to load it."""
    file = f"{kind}.csv"
    where = t("Fill in %(column)s in %(file)s.", column=column, file=file)
    return state(
        title,
        f"{where} {would_show}",
        commands(f"{LOAD_COMMAND} {file}"),
        kind="missing",
    )


def missing_costs(would_show: str, t: Translator) -> html.Div:
    """No item has a unit cost."""
    return missing_column(t("No item has a unit cost"), COSTS, "unit_cost_brl", would_show, t)


def decisions_without_costs(t: Translator) -> html.Div:
    """The same above what is to be decided about."""
    return missing_costs(t("This page then shows values in R$ and ranks by them."), t)


def missing_line(kind: str, t: Translator) -> html.P:
    """What is missing in one line, for cards; or that the demand loaded does not go back far
    enough, or that the period is too short."""
    if kind == WHOLE_MONTHS:
        return html.P(
            t("No whole month with savings lies in this period."), className="missing-line"
        )
    if kind == HISTORY:
        return html.P(
            [
                t("Needs more months of demand, and lead times:"),
                " ",
                html.Code(f"{LOAD_COMMAND} demand.csv"),
            ],
            className="missing-line",
        )
    needs = t("Needs the file “%(file)s”:", file=named(FILE_KINDS, kind, t))
    return html.P(
        [
            t("No item has a unit cost; fill in unit_cost_brl:") if kind == COSTS else needs,
            " ",
            html.Code(f"{LOAD_COMMAND} {kind}.csv"),
        ],
        className="missing-line",
    )


def commands(*lines: str) -> html.Pre:
    """Commands to copy."""
    return html.Pre("\n".join(lines), className="commands")


def notice(text: str, kind: str = "info", *links: Component) -> html.Div:
    """One line above the content: something was left out, limited or out of date. `links`: where
    to do something about it."""
    told = [text, *(part for link in links for part in (" ", link))]
    return html.Div([icon(NOTICE_ICONS[kind]), html.Span(told)], className=f"notice notice-{kind}")


NOTICE_ICONS = {"info": "info", "warning": "alert", "demo": "flask"}


def notices(texts: list[str]) -> list[html.Div]:
    """One line for each thing in the address that could not be used."""
    return [notice(text, "warning") for text in texts]


def failed(viewer: Viewer, alone: bool = True) -> html.Div:
    """The page could not be made: said without a trace, logged on the server."""
    t = viewer.t
    return state(
        t("This page could not be loaded"),
        t("The error has been logged. Try again in a moment."),
        dcc.Link(t("Go to the overview"), href="/main", className="btn btn-outline-secondary"),
        kind="failed",
        alone=alone,
    )
