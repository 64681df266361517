"""Alerts as sentences and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import dash_ag_grid as dag

from domain.records import Alert
from domain.viewer import Viewer
from layouts import format as fmt
from layouts.components.grid import (
    badge_column,
    date_column,
    grid,
    link_column,
    money_column,
    number_column,
    text_column,
)
from layouts.text import ALERT_KINDS, LEVELS, named


def alert_grid(
    name: str, alerts: Sequence[Alert], viewer: Viewer, *, with_item: bool = True
) -> dag.AgGrid:
    """One row an alert; the material leads to its page."""
    t = viewer.t
    item = [link_column("item", t("Material"), "href", flex=2, minWidth=150)] if with_item else []
    columns = [
        badge_column("level", t("Level"), width=116, minWidth=112),
        *item,
        text_column("site", t("Depot"), flex=1, minWidth=96),
        text_column("kind", t("What"), flex=1, minWidth=104),
        date_column("stockout_on", t("Stockout on"), width=104),
        number_column("days", t("Days left"), 0, width=84),
        money_column("risk_brl", t("At risk"), 0, width=108),
    ]
    return grid(name, columns, [_row(alert, viewer) for alert in alerts], viewer, row_id="id")


def _row(alert: Alert, viewer: Viewer) -> dict[str, Any]:
    return {
        "id": str(alert.id),
        "level": named(LEVELS, alert.level, viewer.t),
        "level_kind": alert.level,
        "item": alert.item_name or alert.sku,
        "href": f"/materials/{quote(alert.sku, safe='')}",
        "site": place(alert.site, alert.uf),
        "kind": named(ALERT_KINDS, alert.kind, viewer.t),
        "stockout_on": alert.stockout_on.isoformat() if alert.stockout_on else None,
        "days": alert.days_to_stockout,
        "risk_brl": alert.risk_brl,
        "message": message(alert, viewer),
    }


def place(site: str, uf: str | None) -> str:
    """A site with its state; the whole network where the ERP gave no site."""
    name = "—" if site == "-" else site
    return f"{name} · {uf}" if uf else name


def message(alert: Alert, viewer: Viewer) -> str:
    """The alert in a sentence."""
    t = viewer.t
    what = named(ALERT_KINDS, alert.kind, t)
    if alert.stockout_on is None:
        return what
    return t(
        "%(what)s on %(date)s, in %(days)s days",
        what=what,
        date=fmt.day(alert.stockout_on, viewer.locale),
        days=fmt.number(alert.days_to_stockout, viewer.locale),
    )
