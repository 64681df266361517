"""GET /materials, GET /materials/{sku}, GET /projections."""

from __future__ import annotations

from dataclasses import dataclass, fields

from api.alerts import AlertAnswer, worded
from api.answers import locale
from api.items import ItemsQuery
from api.parameters import Query, Text, checked_text
from api.routing import route
from auth.guards import current_viewer
from domain.records import Material, MaterialDetail, Page, ProjectedDay
from warehouse.queries import materials, projections


@dataclass(frozen=True)
class MaterialAnswer(MaterialDetail):
    """One material with everything; its alerts carry their messages."""

    alerts: list[AlertAnswer]  # type: ignore[assignment]


@route("GET", "/materials", query=ItemsQuery, data=list[Material], paged=True)
def listed(query: ItemsQuery) -> Page[Material]:
    """Materials with demand, stock, forecast and alerts over the sites in view."""
    return materials.page(
        scope=current_viewer().scope,
        filters=query.filters(),
        limit=query.limit,
        cursor=query.cursor,
        sort=query.sort,
    )


@route("GET", "/materials/<path:sku>", data=MaterialAnswer)
def one(sku: str) -> MaterialAnswer:
    """One material: positions by site, open orders, alerts."""
    detail = materials.detail(sku=checked_text("sku", sku), scope=current_viewer().scope)
    values = {field.name: getattr(detail, field.name) for field in fields(detail)}
    spoken = locale()
    return MaterialAnswer(**values | {"alerts": [worded(row, spoken) for row in detail.alerts]})


class ProjectionQuery(Query):
    """One item-depot; nothing is projected where one of both is not named."""

    sku: Text = ""
    site: Text = ""


@route("GET", "/projections", query=ProjectionQuery, data=list[ProjectedDay])
def projected(query: ProjectionQuery) -> list[ProjectedDay]:
    """Stock of one item-depot day by day, net of demand and with what is on its way."""
    scope = current_viewer().scope
    return projections.days(sku=query.sku, site=query.site, scope=scope)
