"""The one look of every chart: colours, Plotly templates (light and dark), axes and separators.

Trace colours are mid-tones that reach 3:1 on both surfaces and stay apart for colour-blind readers;
dash patterns repeat the difference. Only ink, grid and surface differ between the two schemes.
"""

from __future__ import annotations

from html import escape
from typing import Any

from babel import Locale
from plotly import graph_objects as go

from domain.viewer import Viewer
from layouts.format import browser_tag, separators
from layouts.units import Unit

FONT = (
    "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', "
    "Helvetica, Arial, sans-serif"
)
ACCENT = "#0f8f85"
BAND = "rgba(15, 143, 133, 0.16)"

OUTLIER = "#d9600c"
WEAK = "#7b8794"
BLUE, ORANGE, PURPLE, GREEN = "#2f7fd6", OUTLIER, "#a06cd5", "#3c9a3f"
MODEL_STYLES = {
    "ensemble": (ACCENT, "solid"),
    "arima": (BLUE, "solid"),
    "prophet": (ORANGE, "solid"),
    "lstm": (PURPLE, "solid"),
    "seasonal_naive": (ORANGE, "dot"),
    "lightgbm": (GREEN, "solid"),
    "ets": (BLUE, "dash"),
    "theta": (ORANGE, "dash"),
    "ces": (PURPLE, "dash"),
    "ses": (BLUE, "dashdot"),
    "imapa": (ORANGE, "dashdot"),
    "tsb": (PURPLE, "dashdot"),
    "pooled": (GREEN, "dashdot"),
    "compound": (GREEN, "dot"),
    "family": (GREEN, "dash"),
    "moving_average": (BLUE, "dot"),
    "naive": (WEAK, "dot"),
}
"""Colour and dashes of each model: no two alike, and with the ink of what was measured seven
colours, however many models are switched on."""
MODEL_COLOURS = {model: colour for model, (colour, _) in MODEL_STYLES.items()}

CLUSTER_COLOURS = (
    "#0f8f85",
    "#2f7fd6",
    "#d9600c",
    "#a06cd5",
    "#b07d0e",
    "#c2415f",
    "#3c9a3f",
)
"""By number, from 1; a white digit stands on them."""

INKS = {
    "light": {"ink": "#1c2733", "weak": "#5b6775", "grid": "#e8ebef", "surface": "#ffffff"},
    "dark": {"ink": "#e6eaef", "weak": "#9aa6b3", "grid": "#2b333d", "surface": "#171c22"},
}


def template(scheme: str) -> go.layout.Template:
    """The Plotly template of one scheme (`light` or `dark`). The first colour is the ink."""
    inks = INKS[scheme]
    axis = {
        "gridcolor": inks["grid"],
        "linecolor": inks["grid"],
        "zerolinecolor": inks["grid"],
        "tickfont": {"color": inks["weak"], "size": 12},
        "title": {"font": {"color": inks["weak"], "size": 12}, "standoff": 8},
        "ticks": "",
        "automargin": True,
        "ticklabelstandoff": 6,
        "exponentformat": "none",
        "separatethousands": True,
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 13, "color": inks["ink"]},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "colorway": [inks["ink"], *dict.fromkeys(MODEL_COLOURS.values())],
            "margin": {"l": 8, "r": 16, "t": 24, "b": 8},
            "hovermode": "x unified",
            "hoverlabel": {
                "bgcolor": inks["surface"],
                "bordercolor": inks["grid"],
                "font": {"family": FONT, "color": inks["ink"], "size": 12},
            },
            "showlegend": False,
            "xaxis": {**axis, "showgrid": False, "showspikes": False},
            "yaxis": {**axis, "rangemode": "tozero"},
            "annotationdefaults": {"showarrow": False, "font": {"size": 12}},
        }
    )


def templates() -> dict[str, object]:
    """Both templates as JSON, for the browser to swap when the reader changes the theme."""
    return {scheme: template(scheme).to_plotly_json() for scheme in INKS}


def figure(viewer: Viewer, unit: Unit | None = None, of: str = "") -> go.Figure:
    """An empty chart in the reader's scheme and language; on its y axis the unit and what it is of,
    unless that is no axis of numbers."""
    chart = go.Figure()
    chart.update_layout(
        template=template(viewer.scheme),
        separators=separators(viewer.locale),
        yaxis={} if unit is None else {"title": titled(unit, of)},
        uirevision="kept",
    )
    return chart


def titled(unit: Unit, of: str = "") -> dict[str, str]:
    """The title of an axis of numbers: `WAPE (%)`, or the unit alone."""
    return {"text": plain(f"{of} ({unit})" if of else unit)}


def plain(text: str) -> str:
    """Text as Plotly shows it letter by letter: it would read tags as format and `$…$` as TeX."""
    return escape(text, quote=False).replace("$", "&#36;")


def graph_config(locale: str) -> Any:
    """Plotly's settings: the reader's month names, no logo, only the buttons that help."""
    return {
        "displaylogo": False,
        "displayModeBar": False,
        "responsive": True,
        "locale": browser_tag(locale),
        "locales": {browser_tag(locale): {"dictionary": {}, "format": _calendar(locale)}},
    }


def _calendar(locale: str) -> dict[str, object]:
    names = Locale.parse(locale)
    months, days = names.months["format"], names.days["format"]
    week = (6, 0, 1, 2, 3, 4, 5)
    return {
        "months": [months["wide"][number] for number in range(1, 13)],
        "shortMonths": [months["abbreviated"][number].rstrip(".") for number in range(1, 13)],
        "days": [days["wide"][number] for number in week],
        "shortDays": [days["abbreviated"][number].rstrip(".") for number in week],
        "date": "%d/%m/%Y" if locale == "pt_BR" else "%b %-d, %Y",
        "decimal": separators(locale)[0],
        "thousands": separators(locale)[1],
    }
