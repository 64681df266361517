"""`/materials`: the catalogue with demand, stock, class and accuracy; a row leads to its page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from dash import html
from dash.development.base_component import Component

from domain.records import Filters, Material, Option
from domain.viewer import Viewer
from layouts import format as fmt
from layouts.components.downloads import downloads, query_of
from layouts.components.filters import Bar, choice, page_bar, search_box
from layouts.components.grid import (
    WRAPPED,
    date_column,
    grid,
    link_column,
    money_column,
    number_column,
    percent_column,
    quantity_column,
    supply_column,
    text_column,
)
from layouts.components.pager import Listed, pager
from layouts.components.states import no_rows, notices
from layouts.text import DEMAND_CLASSES, named

PAGE_ROWS = 50
SORTS = (
    "sku",
    "name",
    "family",
    "abc",
    "demand_class",
    "demand_90d",
    "forecast_horizon",
    "on_hand",
    "stock_value_brl",
    "days_of_supply",
    "wape",
    "open_alerts",
)


@dataclass(frozen=True)
class MaterialsData:
    """One page of the catalogue."""

    listed: Listed
    sort: str
    filters: Filters
    bar: Bar
    query: dict[str, list[str]]
    notices: list[str]


def layout(data: MaterialsData, viewer: Viewer) -> html.Div:
    """The whole page."""
    body: list[Component] = (
        [table(data, viewer), pager(data.listed.page, data.listed.start, data.query, viewer)]
        if data.listed.page.rows
        else [no_rows(viewer)]
    )
    return html.Div(
        [
            html.Div(
                [
                    html.Div([html.H1(viewer.t("Materials"))], className="page-head"),
                    html.Div(
                        downloads(
                            "materials", query_of(data.filters) | {"sort": [data.sort]}, viewer
                        ),
                        className="tools",
                    ),
                ],
                className="page-head-wrap",
            ),
            filters(data, viewer),
            *notices(data.notices),
            html.Section(body, className="surface surface-flush"),
        ],
        className="page page-materials",
    )


def filters(data: MaterialsData, viewer: Viewer) -> html.Div:
    """Where and what, demand class and search."""
    t, chosen = viewer.t, data.filters
    classes = [Option(code, t(name)) for code, name in DEMAND_CLASSES.items()]
    return page_bar(
        data.bar,
        viewer,
        choice("class", t("Demand class"), classes, list(chosen.demand_class), viewer),
        search_box("search", t("Search"), chosen.search, t("Code or name"), wide=False),
        initial={"class": list(chosen.demand_class), "search": chosen.search},
    )


def table(data: MaterialsData, viewer: Viewer) -> Component:
    """The rows of this page, in the order that the server made over all rows."""
    t = viewer.t
    columns = [
        link_column("sku", t("Code"), "href", minWidth=110, pinned="left", width=120, flex=None),
        text_column("name", t("Name"), flex=3, minWidth=210, **WRAPPED),
        text_column("family", t("Family"), flex=1, minWidth=154),
        text_column("abc", t("ABC"), minWidth=64),
        text_column("demand_class", t("Demand class"), minWidth=118, **WRAPPED),
        number_column("sites", t("Depots"), minWidth=88),
        quantity_column("demand_90d", t("Demand 90 d"), minWidth=104),
        quantity_column("forecast_horizon", t("Forecast"), minWidth=104),
        quantity_column("on_hand", t("On hand")),
        money_column("stock_value_brl", t("Stock value"), minWidth=116),
        supply_column("days_of_supply", t("Days of supply"), minWidth=96),
        percent_column("wape", t("WAPE"), minWidth=84),
        number_column("open_alerts", t("Alerts"), minWidth=80),
        date_column("next_stockout_on", t("Next stockout")),
    ]
    columns = [{**column, "sortable": column["field"] in SORTS} for column in columns]
    rows = [_row(material, viewer) for material in data.listed.page.rows]
    return grid("materials", columns, rows, viewer, row_id="sku", server_sort=data.sort)


def _row(material: Material, viewer: Viewer) -> dict[str, Any]:
    stockout = material.next_stockout_on
    return {
        "sku": material.sku,
        "href": f"/materials/{quote(material.sku, safe='')}",
        "name": material.name or fmt.UNKNOWN,
        "family": material.family or fmt.UNKNOWN,
        "abc": material.abc or fmt.UNKNOWN,
        "demand_class": named(DEMAND_CLASSES, material.demand_class, viewer.t),
        "sites": material.sites,
        "demand_90d": material.demand_90d,
        "forecast_horizon": material.forecast_horizon,
        "on_hand": material.on_hand,
        "stock_value_brl": material.stock_value_brl,
        "days_of_supply": material.days_of_supply,
        "wape": material.wape,
        "open_alerts": material.open_alerts,
        "next_stockout_on": stockout.isoformat() if stockout else None,
    }
