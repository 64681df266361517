"""The card of an item-depot's policy: our levels beside the textbook's, with the receipt."""

from __future__ import annotations

from urllib.parse import urlencode

from dash import dcc, html
from dash.development.base_component import Component

from domain.policy_receipts import DepotPolicy
from domain.policy_settings import TEXTBOOK
from domain.viewer import Viewer
from layouts import format as fmt
from layouts.components.cards import card
from layouts.components.downloads import downloads
from layouts.components.receipt import receipt_fold
from layouts.text import N_

RECEIPT = "policy"
LEVELS = {
    "safety_stock": N_("Safety stock"),
    "reorder_point": N_("Reorder point"),
    "order_up_to": N_("Order up to"),
}
FORMULAS = {
    "safety_stock_variable": N_("Try the safety stock's formula"),
    "reorder_point": N_("Try the reorder point's formula"),
}
POLICY_WORDS = (
    N_("Safety stock by the textbook"),
    N_("safety stock by the textbook"),
    N_("deviation of a day's demand"),
    N_("deviation of the lead time"),
    N_("Reorder point by the textbook"),
    N_("reorder point by the textbook"),
    N_("reorder point"),
    N_("Order quantity"),
    N_("order quantity"),
    N_("forecast demand of a year"),
    N_("cost of an order"),
    N_("holding a unit for a year"),
    N_("minimum order"),
    N_("pack"),
    N_("Order up to"),
    N_("Order up to by the textbook"),
)


def policy_card(policy: DepotPolicy, unit: str | None, viewer: Viewer) -> html.Section:
    """Both sets of levels; below them how each is made, with the numbers put in."""
    t = viewer.t
    told = (
        t("The company has chosen the textbook's method: both are the same.")
        if policy.method == TEXTBOOK
        else t(
            "Ours is what the distribution of demand and lead times asks for at the item's service"
            " level; the textbook's is PP = D·L + SS with a normal distribution. Both order the"
            " same quantity."
        )
    )
    title = t("Levels: ours and the textbook's")
    files = {"sku": [policy.sku], "site": [policy.site]}
    return card(
        title,
        html.P(told, className="card-note"),
        _table(policy, unit, viewer),
        receipt_fold(
            t("How they are computed, with the numbers put in"),
            RECEIPT,
            sku=policy.sku,
            site=policy.site,
        ),
        html.P(
            [_try(name, words, policy, viewer) for name, words in FORMULAS.items()],
            className="card-links",
        ),
        tools=downloads("policy", files, viewer, of=title),
        class_name="policy",
    )


def _table(policy: DepotPolicy, unit: str | None, viewer: Viewer) -> html.Div:
    t = viewer.t
    header = [t("Level"), t("Our level"), t("Textbook"), t("Difference"), t("Unit")]
    head = html.Thead(html.Tr([html.Th(name, scope="col") for name in header]))
    rows = []
    for name, words in LEVELS.items():
        ours, theirs = getattr(policy.ours, name), getattr(policy.textbook, name)
        apart = None if ours is None or theirs is None else ours - theirs
        cells = [fmt.number(value, viewer.locale, 1) for value in (ours, theirs, apart)]
        rows.append(
            html.Tr(
                [
                    html.Th(t(words), scope="row"),
                    *(html.Td(cell, className="number") for cell in cells),
                    html.Td(unit or t("units")),
                ]
            )
        )
    table = html.Table([head, html.Tbody(rows)], className="plain-table")
    return html.Div(table, className="table-scroll", tabIndex=0)


def _try(formula: str, words: str, policy: DepotPolicy, viewer: Viewer) -> Component:
    asked = {"tab": "formulas", "formula": formula, "sku": policy.sku, "site": policy.site}
    return dcc.Link(viewer.t(words), href=f"/features?{urlencode(asked)}", className="card-link")
