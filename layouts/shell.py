"""The frame around every page: top bar, navigation, notices, and room for toasts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from domain.access import Permission
from domain.clock import days_since
from domain.page_filters import understood
from domain.records import DataStatus
from domain.viewer import Translator, Viewer
from domain.views import SavedView
from layouts import format as fmt
from layouts.components.attributes import aria, data
from layouts.components.icons import icon
from layouts.components.states import notice
from layouts.palette import open_button, palette
from layouts.text import ERRORS, ROLES, named
from layouts.theme import templates
from layouts.units import days_told
from layouts.views import views_menu

FRESHNESS, BANNERS, TOASTS = "freshness", "banners", "toasts"
NOTICED, DECIDED, TURNED = "data-noticed", "data-decided", "day-turned"
LANGUAGES = {"pt_BR": ("PT", "Português"), "en": ("EN", "English")}


@dataclass(frozen=True)
class NavLink:
    """One entry of the navigation: address, title and group (messages), icon, who may open it."""

    path: str
    title: str
    group: str
    icon: str
    permission: Permission = Permission.READ


@dataclass(frozen=True)
class Banner:
    """One thing that the reader must know on every page: its words, their kind (info, warning or
    demo), and where to do something about it, each by name and address."""

    text: str
    kind: str
    links: tuple[tuple[str, str], ...] = ()


def shell(
    viewer: Viewer,
    status: DataStatus,
    links: Sequence[NavLink],
    views: Sequence[SavedView],
    content: Component,
    csrf_token: str,
) -> html.Div:
    """The whole document's body; `content` is where pages appear."""
    t = viewer.t
    return html.Div(
        [
            html.A(t("Skip to the content"), href="#content", className="skip-link"),
            top_bar(viewer, status, views, csrf_token),
            navigation(viewer, links),
            html.Main(
                [html.Div(banners(viewer, status), id=BANNERS, className="banners"), content],
                id="content",
                tabIndex=-1,
                **data(steppers=json.dumps([t("Less"), t("More")])),
            ),
            html.Div(id=TOASTS, **aria(live="polite"), **data(words=json.dumps(answers(viewer)))),
            *watch(viewer, status),
            *palette(viewer, links),
            html.Div(id="shared-filters", hidden=True, **data(filters=json.dumps(understood()))),
            html.Div(
                id="chart-templates",
                hidden=True,
                **data(templates=json.dumps(templates()), download=t("Save the chart as")),
            ),
        ],
        id="shell",
    )


def top_bar(
    viewer: Viewer, status: DataStatus, views: Sequence[SavedView], csrf_token: str
) -> html.Header:
    """Name, freshness of the data, saved views, language, theme and the user's menu."""
    brand = dcc.Link(
        [html.Img(src="/assets/logo.svg", alt="", width=24, height=24), "Nova Corrente"],
        href="/main",
        className="brand",
    )
    tools = html.Div(
        [
            open_button(viewer),
            views_menu(viewer, views, csrf_token),
            language_switch(viewer, csrf_token),
            theme_switch(viewer),
            user_menu(viewer, csrf_token),
        ],
        className="top-tools",
    )
    return html.Header(
        [
            html.Div([brand, tools], className="top-line"),
            html.P(freshness(viewer, status), id=FRESHNESS, className="freshness freshness-top"),
        ],
        className="top-bar",
    )


def freshness(viewer: Viewer, status: DataStatus) -> list[Component | str]:
    """Until when the data reaches, until when that of an older run did, when the forecasts were
    computed, when more is expected."""
    told: list[Component | str] = []
    for words, why in freshness_words(viewer, status):
        told += [" · ", html.Span(words, title=why or None)]
    return told[1:]


def freshness_words(viewer: Viewer, status: DataStatus) -> list[tuple[str, str]]:
    """The same as words, each with what explains it, if anything does."""
    t, locale = viewer.t, viewer.locale
    if status.run_id is None:
        return [(t("No forecasts published"), "")]
    until = t("Data until %(date)s", date=fmt.day(status.as_of, locale))
    computed = t("computed %(moment)s", moment=fmt.moment(status.computed_at, locale))
    told = [until, *trained_words(status, t, locale), computed]
    return [*((words, "") for words in told), _next_load(viewer, status)]


def trained_words(status: DataStatus, t: Translator, locale: str) -> list[str]:
    """Until when the data of the forecasts reaches; nothing where no newer data is loaded."""
    if status.trained_to is None:
        return []
    return [t("forecasts with data until %(date)s", date=fmt.day(status.trained_to, locale))]


def _next_load(viewer: Viewer, status: DataStatus) -> tuple[str, str]:
    t = viewer.t
    if status.next_load_on is None:
        why = t("Files must have been loaded on three days before a rhythm shows.")
        return t("next load: no rhythm yet"), why
    day, late = fmt.day(status.next_load_on, viewer.locale), days_since(status.next_load_on)
    if late > 0:
        words = t("next load: expected %(date)s, %(age)s ago", date=day, age=_age(late, viewer))
    else:
        words = t("next load about %(date)s", date=day)
    return words, t("By the usual rhythm of past loads.")


def _age(days: int, viewer: Viewer) -> str:
    return days_told(fmt.number(days, viewer.locale), viewer.t)


def watch(viewer: Viewer, status: DataStatus) -> list[Component]:
    """What open pages need to notice a newer version, and that a day has begun (assets/watch.js):
    what they were made from, and an offer for those in which somebody is filling something in."""
    t = viewer.t
    offer = html.Div(
        [
            icon("clock"),
            html.Span(t("New data is there. What you have filled in would be lost.")),
            html.Button(
                t("Show the new data"), id="data-show", type="button", className="btn btn-sm"
            ),
        ],
        id="data-offer",
        className="data-offer",
        role="status",
        hidden=True,
        **data(version=status.shown_version, decided=str(status.decided_version)),
    )
    noticed = dcc.Store(id=NOTICED, data=status.shown_version)
    return [noticed, dcc.Store(id=DECIDED), dcc.Store(id=TURNED), offer]


def language_switch(viewer: Viewer, csrf_token: str) -> html.Form:
    """One button for the other language; the server keeps the choice."""
    other = next(locale for locale in LANGUAGES if locale != viewer.locale)
    short, name = LANGUAGES[other]
    return html.Form(
        html.Button(
            short,
            type="submit",
            name="csrf_token",
            value=csrf_token,
            id="language-switch",
            className="tool-button",
            title=name,
            lang=fmt.browser_tag(other),
            **aria(label=f"{short} – {name}"),
        ),
        method="post",
        action=f"/language/{other}",
    )


def theme_switch(viewer: Viewer) -> html.Div:
    """Light, dark or as the system says; the browser keeps the choice (assets/nova.js)."""
    t = viewer.t
    choices = (
        ("light", t("Light theme"), "sun"),
        ("dark", t("Dark theme"), "moon"),
        ("system", t("System theme"), "monitor"),
    )
    buttons = [
        html.Button(
            icon(drawing),
            type="button",
            className="tool-button",
            title=label,
            **aria(label=label),
            **data(theme_choice=name),
        )
        for name, label, drawing in choices
    ]
    return html.Div(buttons, className="theme-switch", role="group", **aria(label=t("Theme")))


def user_menu(viewer: Viewer, csrf_token: str) -> html.Details:
    """Who is signed in, their account, and the way out."""
    t = viewer.t
    initials = "".join(word[0] for word in (viewer.name or viewer.email).split()[:2]).upper()
    sign_out = html.Form(
        html.Button(
            [icon("exit"), t("Sign out")],
            type="submit",
            name="csrf_token",
            value=csrf_token,
            id="sign-out",
            className="menu-item",
        ),
        method="post",
        action="/logout",
    )
    return html.Details(
        [
            html.Summary(initials, className="avatar", **aria(label=t("User menu"))),
            html.Div(
                [
                    html.P(viewer.name or viewer.email, className="menu-name"),
                    html.P(viewer.email, className="weak"),
                    html.P(named(ROLES, str(viewer.role), t), className="weak"),
                    html.A(
                        [icon("user"), t("Your account")],
                        href="/account",
                        id="account-link",
                        className="menu-item",
                    ),
                    sign_out,
                ],
                className="popover-body menu",
            ),
        ],
        className="user-menu",
        id="user-menu",
    )


def navigation(viewer: Viewer, links: Sequence[NavLink]) -> html.Nav:
    """The pages by group: a sidebar on wide screens, a bottom bar on phones."""
    groups = [
        html.Div(
            [html.P(viewer.t(group), className="nav-group-name")]
            + [_nav_link(link, viewer) for link in entries],
            className="nav-group",
        )
        for group, entries in groupby(links, key=lambda link: link.group)
    ]
    return html.Nav(
        html.Div(groups, className="side-links"),
        className="side-bar",
        **aria(label=viewer.t("Pages")),
    )


def _nav_link(link: NavLink, viewer: Viewer) -> dbc.NavLink:
    return dbc.NavLink(
        [icon(link.icon), html.Span(viewer.t(link.title))], href=link.path, active="partial"
    )


def banners(viewer: Viewer, status: DataStatus) -> list[Component]:
    """What the reader must know on every page: demo or old data, a limited or outdated run."""
    return [
        notice(one.text, one.kind, *(dcc.Link(name, href=path) for name, path in one.links))
        for one in banner_words(viewer, status)
    ]


def banner_words(viewer: Viewer, status: DataStatus) -> list[Banner]:
    """The same as words."""
    t, locale = viewer.t, viewer.locale
    lines: list[Banner] = []
    if status.is_demo:
        text = t("Demonstration data: made-up figures of a company that does not exist.")
        lines.append(Banner(text, "demo"))
    if status.is_old:
        lines.append(_old(viewer, status))
    if status.series_trained < status.series_total:
        text = t(
            "Forecasts trained on %(trained)s of %(total)s series.",
            trained=fmt.number(status.series_trained, locale),
            total=fmt.number(status.series_total, locale),
        )
        lines.append(Banner(text, "info"))
    if status.archived_to is not None:
        day = fmt.day(status.archived_to, locale)
        text = t("Months until %(date)s are archived: totals are without them.", date=day)
        lines.append(Banner(text, "info"))
    if status.run_id is not None and status.training_needed:
        text = t("Data newer than these forecasts has been loaded. Train and publish again.")
        lines.append(Banner(text, "warning"))
    return lines


def _old(viewer: Viewer, status: DataStatus) -> Banner:
    t, locale = viewer.t, viewer.locale
    text = t(
        "Demand ends on %(day)s, %(age)s ago: “today” on these pages is %(today)s.",
        day=fmt.day(status.demand_to, locale),
        age=_age(status.demand_age_days or 0, viewer),
        today=fmt.day(status.as_of, locale),
    )
    links = ((t("Load a file"), "/admin/data"),) if viewer.may(Permission.LOAD) else ()
    return Banner(text, "warning", links)


def answers(viewer: Viewer) -> dict[str, tuple[str, str]]:
    """What the browser says of a server that does not answer, or not as it should: header and text
    (assets/nova.js)."""
    t, back = viewer.t, viewer.t("The connection is back")
    refused, broken = ERRORS["not_allowed"], ERRORS["error"]
    lost = t(
        "The server does not answer. What you see is from before; the page is brought up to date"
        " once it answers."
    )
    renewed = t("The page has been brought up to date. What it does not show was not done.")
    return {
        "away": (t("No connection"), lost),
        "back": (back, renewed),
        "kept": (back, t("What you have filled in is still here; it has not been saved.")),
        "refused": (t("That did not work"), t(refused)),
        "failed": (t("That did not work"), t(broken)),
    }


def toast(text: str, viewer: Viewer, kind: str = "danger") -> dbc.Toast:
    """A message that does not take the reader away from the page."""
    header = viewer.t("That did not work") if kind == "danger" else viewer.t("Done")
    return dbc.Toast(text, header=header, icon=kind, duration=8000, dismissable=True, is_open=True)
