"""Alerts as sentences and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from dash import html

from domain.records import Alert
from domain.viewer import Viewer
from domain.wording import alert_reason
from layouts.components.grid import (
    WRAPPED,
    badge_column,
    grid,
    link_column,
    money_column,
    number_column,
    text_column,
)
from layouts.text import ALERT_KINDS, ALERT_STATUS, LEVELS, named


def alert_grid(
    name: str,
    alerts: Sequence[Alert],
    viewer: Viewer,
    *,
    with_item: bool = True,
    with_status: bool = False,
) -> html.Div:
    """One row an alert; the material leads to its page."""
    t = viewer.t
    status = [text_column("status", t("Status"), minWidth=110)] if with_status else []
    item = (
        [link_column("item", t("Material"), "href", flex=3, minWidth=150, **WRAPPED)]
        if with_item
        else []
    )
    columns = [
        badge_column("level", t("Level"), minWidth=124),
        *status,
        *item,
        text_column("site", t("Depot"), flex=2, minWidth=110),
        text_column("kind", t("What"), minWidth=200, flex=None, width=200),
        text_column("reason", t("Why"), flex=6, minWidth=280, **WRAPPED),
        number_column("days", t("Days left"), 0),
        money_column("risk_brl", t("At risk"), 0, minWidth=100),
        link_column("how", t("Receipt"), "receipt", flex=None, width=90),
    ]
    return grid(name, columns, [_row(alert, viewer) for alert in alerts], viewer, row_id="id")


def _row(alert: Alert, viewer: Viewer) -> dict[str, Any]:
    return {
        "id": str(alert.id),
        "level": named(LEVELS, alert.level, viewer.t),
        "level_kind": alert.level,
        "status": named(ALERT_STATUS, alert.status, viewer.t),
        "item": alert.item_name or alert.sku,
        "href": f"/materials/{quote(alert.sku, safe='')}",
        "site": place(alert.site, alert.uf),
        "kind": named(ALERT_KINDS, alert.kind, viewer.t),
        "days": alert.days_to_stockout,
        "risk_brl": alert.risk_brl,
        "reason": alert_reason(alert, viewer.locale),
        "how": viewer.t("How"),
        "receipt": f"/materials/{quote(alert.sku, safe='')}?alert={alert.id}",
    }


def place(site: str, uf: str | None) -> str:
    """A site with its state; the whole network where the ERP gave no site."""
    name = "—" if site == "-" else site
    return f"{name} · {uf}" if uf else name
