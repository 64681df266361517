"""`/inventory`: item-depots above, what is known of the chosen one below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from domain.records import Filters, ItemDepot, Option, StockTotal
from domain.viewer import Viewer
from layouts import format as fmt
from layouts.alerts import place
from layouts.components.attributes import SHOWS_DECISIONS, aria
from layouts.components.cards import card
from layouts.components.downloads import downloads
from layouts.components.filters import Bar, choice, page_bar, search_box
from layouts.components.grid import (
    badge_column,
    date_column,
    grid,
    money_column,
    number_column,
    quantity_column,
    supply_column,
    text_column,
)
from layouts.components.icons import icon
from layouts.components.pager import Listed, pager
from layouts.components.parts import Part, at_once
from layouts.components.states import missing_file, no_rows, notices
from layouts.forecasts import fact_list
from layouts.item_depot import material_href
from layouts.text import DEMAND_CLASSES, N_, named

GRID, DETAIL, CHOSEN, TAB = "inventory", "inventory-detail", "inventory-chosen", "inventory-tab"
PAGE_ROWS = 50
TABS = {
    "demand": N_("Demand"),
    "plan": N_("Plan"),
    "orders": N_("Orders"),
    "decisions": N_("Decisions"),
    "history": N_("History"),
}
FLAGS = {
    "out": N_("Out of stock"),
    "below": N_("Below reorder point"),
    "ok": N_("Within its levels"),
    "above": N_("Above order-up-to"),
    "unknown": N_("Not counted or no level"),
}
BADGES = {"out": "critical", "below": "warning", "ok": "good", "above": "info"}
COLUMNS = (
    *("sku", "item_name", "site", "flag", "abc", "on_hand", "reserved", "in_transit", "on_order"),
    *("reorder_point", "order_up_to", "days_of_supply", "days_to_stockout", "stockout_p50_on"),
    *("stockout_p90_on", "stock_value_brl", "risk_brl", "demand_class", "open_alerts"),
)
"""What the table shows and can be sorted by."""
_CHOSEN = ("item", "depot")
_PLACE = ("cursor", "start", *_CHOSEN)


@dataclass(frozen=True)
class InventoryData:
    """What the page shows. `chosen` is the row below the table, `detail` what its tab holds."""

    listed: Listed
    totals: Sequence[StockTotal]
    chosen: ItemDepot | None
    tab: str
    detail: Sequence[Component]
    filters: Filters
    flags: tuple[str, ...]
    sort: str
    bar: Bar
    has_stock: bool
    query: dict[str, list[str]]
    notices: list[str]


def layout(data: InventoryData, viewer: Viewer, part: Part = at_once) -> html.Div:
    """The whole page."""
    return html.Div(
        [
            html.Div(
                [html.H1(viewer.t("Inventory")), _filters(data, viewer)],
                className="page-head page-head-wrap",
            ),
            *notices(data.notices),
            *_above(data, viewer, part),
            *part("rows", lambda: _rows(data, viewer, part), 1300),
        ],
        className="page page-inventory",
        **SHOWS_DECISIONS,
    )


def _above(data: InventoryData, viewer: Viewer, part: Part) -> list[Component]:
    t = viewer.t
    if not data.has_stock:
        what = t("It would show stock on hand, reorder points and stockout dates.")
        return [missing_file("stock", what, t)]
    return part("totals", lambda: [totals(data, viewer)], 100, 316)


def _rows(data: InventoryData, viewer: Viewer, part: Part) -> list[Component]:
    if not data.listed.page.rows:
        return [no_rows(viewer)]
    return [master(data, viewer), detail_section(data, viewer, part)]


def _filters(data: InventoryData, viewer: Viewer) -> html.Div:
    t, chosen = viewer.t, data.filters
    classes = [Option(code, t(name)) for code, name in DEMAND_CLASSES.items()]
    flags = [Option(code, t(name)) for code, name in FLAGS.items()]
    own: dict[str, list[str] | str] = {
        "class": list(chosen.demand_class),
        "flag": list(data.flags),
        "search": chosen.search,
    }
    return page_bar(
        data.bar,
        viewer,
        choice("class", t("Demand class"), classes, own["class"], viewer),
        choice("flag", t("Position"), flags, own["flag"], viewer),
        search_box("search", t("Search"), chosen.search, t("Code or name"), wide=False),
        initial=own,
        resets=dict.fromkeys((*data.bar.choices, *own), _CHOSEN),
    )


def totals(data: InventoryData, viewer: Viewer) -> html.Nav:
    """Number and value of each flag; each leads to its item-depots."""
    return html.Nav(
        [_total(total, data, viewer) for total in data.totals],
        className="status-totals",
        **aria(label=viewer.t("Item-depots by position")),
    )


def _total(total: StockTotal, data: InventoryData, viewer: Viewer) -> dcc.Link:
    t, locale = viewer.t, viewer.locale
    kept = {name: values for name, values in data.query.items() if name not in (*_PLACE, "flag")}
    is_shown = data.flags == (total.flag,)
    wanted = kept if is_shown else {**kept, "flag": [total.flag]}
    value = t("%(value)s in stock", value=fmt.brl_compact(total.stock_value_brl, locale))
    return dcc.Link(
        [
            html.Span(named(FLAGS, total.flag, t), className="field-label"),
            html.Strong(fmt.number(total.count, locale), className="number"),
            html.Span(value, className="weak"),
        ],
        href=f"?{urlencode(wanted, doseq=True)}",
        className="surface status-total" + (" status-shown" if is_shown else ""),
    )


def master(data: InventoryData, viewer: Viewer) -> html.Section:
    """The table on wide screens, a list on phones; both with the same rows."""
    t = viewer.t
    rows = data.listed.page.rows
    links = {name: values for name, values in data.query.items() if name not in _CHOSEN}
    return card(
        t("Item-depots"),
        html.Div(_table(data, viewer), className="only-wide"),
        html.Ul([_entry(row, data, viewer) for row in rows], className="depot-list only-narrow"),
        pager(data.listed.page, data.listed.start, links, viewer),
        tools=downloads("inventory", asked(data.bar, data.flags) | {"sort": [data.sort]}, viewer),
        class_name="surface-table inventory-master",
    )


def asked(bar: Bar, flags: tuple[str, ...]) -> dict[str, list[str]]:
    """The filters as the address and the API's files take them."""
    filters = bar.filters
    found = bar.asked | {"class": list(filters.demand_class), "flag": list(flags)}
    found |= {"search": [filters.search] if filters.search else []}
    return {name: values for name, values in found.items() if values}


def _table(data: InventoryData, viewer: Viewer) -> Component:
    t = viewer.t
    columns = [
        text_column("sku", t("Code"), flex=None, width=128, pinned="left"),
        text_column("item_name", t("Name"), flex=None, width=210),
        text_column("site", t("Depot"), minWidth=128),
        badge_column("flag", t("Position"), flex=None, width=240),
        text_column("abc", t("ABC"), minWidth=64),
        quantity_column("on_hand", t("On hand"), minWidth=88),
        quantity_column("reserved", t("Reserved"), minWidth=92),
        quantity_column("in_transit", t("In transit"), minWidth=88),
        quantity_column("on_order", t("On order"), minWidth=88),
        quantity_column("reorder_point", t("Reorder point"), minWidth=92),
        quantity_column("order_up_to", t("Order up to"), minWidth=92),
        supply_column("days_of_supply", t("Days of supply"), minWidth=88),
        number_column("days_to_stockout", t("Days to stockout"), minWidth=92),
        date_column("stockout_p50_on", t("Stockout, likely"), minWidth=108),
        date_column("stockout_p90_on", t("Stockout, high demand"), minWidth=112),
        money_column("stock_value_brl", t("Stock value"), minWidth=112),
        money_column("risk_brl", t("At risk"), minWidth=104),
        text_column("demand_class", t("Demand class"), minWidth=118),
        number_column("open_alerts", t("Alerts"), minWidth=76),
    ]
    rows = [_row(row, viewer) for row in data.listed.page.rows]
    return grid(
        GRID,
        columns,
        rows,
        viewer,
        row_id="id",
        server_sort=data.sort,
        selected=row_key(data.chosen) if data.chosen else "",
    )


def row_key(row: ItemDepot) -> str:
    """What names a row in the table; codes may hold anything but a line break."""
    return f"{row.sku}\n{row.site}"


def _row(row: ItemDepot, viewer: Viewer) -> dict[str, Any]:
    t = viewer.t
    dates = ("stockout_p50_on", "stockout_p90_on")
    plain = {name: getattr(row, name) for name in COLUMNS if name not in dates}
    days = {name: day.isoformat() if (day := getattr(row, name)) else None for name in dates}
    return {
        **plain,
        **days,
        "id": row_key(row),
        "depot": row.site,
        "item_name": row.item_name or fmt.UNKNOWN,
        "site": place(row.site, row.uf),
        "flag": named(FLAGS, row.flag, t),
        "flag_kind": BADGES.get(row.flag),
        "abc": row.abc or fmt.UNKNOWN,
        "demand_class": named(DEMAND_CLASSES, row.demand_class, t),
    }


def _entry(row: ItemDepot, data: InventoryData, viewer: Viewer) -> html.Li:
    t, locale = viewer.t, viewer.locale
    is_chosen = data.chosen is not None and row_key(row) == row_key(data.chosen)
    query = {**data.query, "item": [row.sku], "depot": [row.site], "tab": [data.tab]}
    stock = t("%(amount)s on hand", amount=_amount(row.on_hand, row, viewer))
    supply = fmt.supply(row.days_of_supply, locale)
    lasts = t("1 day of supply") if supply == "1" else t("%(days)s days of supply", days=supply)
    risk = t("%(value)s at risk", value=fmt.brl_compact(row.risk_brl, locale))
    link = dcc.Link(
        [
            html.Span([html.Strong(row.item_name or row.sku), _flag(row, viewer)]),
            html.Span(f"{row.sku} · {place(row.site, row.uf)}", className="weak"),
            html.Span(f"{stock} · {lasts} · {risk}", className="tabular"),
        ],
        href=f"?{urlencode(query, doseq=True)}",
        className="depot-entry" + (" depot-chosen" if is_chosen else ""),
    )
    return html.Li(link)


def _flag(row: ItemDepot, viewer: Viewer) -> html.Span:
    kind = BADGES.get(row.flag)
    words = named(FLAGS, row.flag, viewer.t)
    if kind is None:
        return html.Span(words, className="badge-quiet")
    return html.Span([icon(f"level-{kind}"), words], className=f"badge-level badge-level-{kind}")


def _amount(value: float | None, row: ItemDepot, viewer: Viewer) -> str:
    unit = f" {row.unit}" if row.unit and value is not None else ""
    return fmt.quantity(value, viewer.locale) + unit


def detail_section(data: InventoryData, viewer: Viewer, part: Part = at_once) -> html.Section:
    """The tabs, and below them what the browser exchanges when another row or tab is chosen."""
    t = viewer.t
    chosen = data.chosen
    choice_of_tab = dbc.RadioItems(
        id=TAB,
        options=[{"value": value, "label": t(name)} for value, name in TABS.items()],
        value=data.tab,
        inline=True,
        class_name="places tab-choice",
        input_class_name="btn-check",
        label_class_name="place",
        label_checked_class_name="place-current",
    )
    memory = {"item": chosen.sku, "depot": chosen.site, "tab": data.tab} if chosen else None
    return html.Section(
        [
            dcc.Store(id=CHOSEN, data=memory),
            html.Div(choice_of_tab, role="group", **aria(label=t("What to show of it"))),
            html.Div(
                part("rows.detail", lambda: list(data.detail), 680, 880),
                id=DETAIL,
                className="page",
                **aria(live="polite"),
            ),
        ],
        className="inventory-detail",
        **aria(label=t("The chosen item-depot")),
    )


def detail(row: ItemDepot, content: Sequence[Component], viewer: Viewer) -> list[Component]:
    """What the lower half holds: the row's head and what its tab shows."""
    t, locale = viewer.t, viewer.locale
    facts = [
        (t("On hand"), _amount(row.on_hand, row, viewer)),
        (t("On order"), _amount(row.on_order, row, viewer)),
        (t("For projects"), _amount(row.project_demand, row, viewer)),
        (t("Reorder point"), _amount(row.reorder_point, row, viewer)),
        (t("Reorder point by the textbook"), _amount(row.textbook_reorder_point, row, viewer)),
        (t("Safety stock"), _amount(row.safety_stock, row, viewer)),
        (t("Service level"), fmt.percent(row.service_level, locale)),
        (t("Order up to"), _amount(row.order_up_to, row, viewer)),
        (t("Lead time (days)"), fmt.number(row.lead_time_days, locale)),
        (t("Chance of running out"), fmt.percent(row.stockout_probability, locale)),
        (t("Stockout, likely"), fmt.day(row.stockout_p50_on, locale)),
        (t("Stockout, high demand"), fmt.day(row.stockout_p90_on, locale)),
        (t("At risk"), fmt.brl(row.risk_brl, locale)),
    ]
    title = html.H2(
        [
            dcc.Link(
                row.item_name or row.sku, href=material_href(row.sku, tab="stock", site=row.site)
            ),
            " ",
            _flag(row, viewer),
        ]
    )
    where = html.P(f"{row.sku} · {place(row.site_name or row.site, row.uf)}", className="weak")
    head = html.Section([title, where, fact_list(facts)], className="surface detail-head")
    return [head, *content]
