"""`/regions`: Brazil by federative unit: a map by any measure, its table, the regions' sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

import dash_leaflet as dl
from dash import dcc, html
from dash.development.base_component import Component

from domain.records import Filters, Option
from domain.regions import MEASURES, Move, Place, UfRow, steps
from domain.viewer import Viewer
from layouts import format as fmt
from layouts.components.attributes import aria
from layouts.components.cards import card
from layouts.components.downloads import Query, downloads, query_of
from layouts.components.filters import Bar, address_of, choice, page_bar, toggles
from layouts.components.grid import (
    WRAPPED,
    Column,
    grid,
    link_column,
    money_column,
    number_column,
    percent_column,
    text_column,
)
from layouts.components.parts import Part, at_once
from layouts.components.states import missing_column, notices
from layouts.components.table import Cell, twin
from layouts.text import FILTER_NAMES, MEASURE_NAMES_OF_PERIOD, measure_name, usual_days
from layouts.units import with_unit

BOUNDS = [[-34.0, -74.1], [5.3, -34.7]]
OUTLINES = "/assets/brazil.geojson"
BELOW = {"zIndex": 350}
"""Of the outlines, which may come after what stands on them."""
BETWEEN = {"zIndex": 380}
"""Of the transfers, whose ends lie on what stands there."""
LAYERS = ("depots", "towers", "moves")
LEAVE_SITES = ("family", "abc", "xyz", "supplier", "site")
"""Filters that counts of sites and their outages do not follow."""
OPEN_ONES = ("/alerts", "/recommendations")
"""Pages of what stands open, whenever it was raised: as the map counts it."""
LISTED = 300
"""Places of one kind at most are told as a table."""
ARROW = 8
"""Pixels of an arrow's head."""


@dataclass(frozen=True)
class RegionsData:
    """What the page shows; `tiles`: the address of a tile server, if there is one; `frequency`:
    that of the published run's demand."""

    rows: Sequence[UfRow]
    regions: Sequence[UfRow]
    places: Sequence[Place]
    moves: Sequence[Move]
    measure: str
    layers: tuple[str, ...]
    filters: Filters
    bar: Bar
    has_ufs: bool
    tiles: str | None
    frequency: str | None
    notices: list[str]
    kept: Mapping[str, Sequence[str]] = field(default_factory=dict)


def layout(data: RegionsData, viewer: Viewer, part: Part = at_once) -> html.Div:
    """The whole page."""
    head = html.Div(
        [html.H1(viewer.t("Regions")), filters(data, viewer)], className="page-head-wrap"
    )
    return html.Div([head, *content(data, viewer, part)], className="page page-regions")


def content(data: RegionsData, viewer: Viewer, part: Part = at_once) -> list[Component]:
    """Map and tables, below whatever head; `data.kept` stays in their links."""
    t = viewer.t
    if not data.has_ufs:
        what = t("This page then shows demand, stock and alerts by federative unit.")
        missing = missing_column(t("No site has a UF"), "sites", "uf", what, t)
        return [*notices(data.notices), missing]
    return [
        *notices(data.notices),
        *part("map", lambda: _by_uf(data, viewer), 1860),
        *part("regions", lambda: [_by_region(data, viewer)], 310),
    ]


def _by_uf(data: RegionsData, viewer: Viewer) -> list[Component]:
    title = viewer.t("By federative unit")
    return [
        card(
            _name(data.measure, data, viewer),
            html.Div([_map(data, viewer), _beside(data, viewer)], className="map-and-more"),
            *_drawn(data, viewer),
            note=_note(data, viewer),
        ),
        card(
            title,
            _table("ufs", data.rows, data, viewer),
            tools=downloads("ufs", query_of(replace(data.filters, uf=())), viewer, of=title),
        ),
    ]


def _by_region(data: RegionsData, viewer: Viewer) -> html.Section:
    title = viewer.t("By region")
    return card(
        title,
        _table("regions", data.regions, data, viewer),
        tools=downloads("regions", query_of(replace(data.filters, uf=())), viewer, of=title),
    )


def _note(data: RegionsData, viewer: Viewer) -> str:
    """What a click does, and of what time the numbers are."""
    t, filters = viewer.t, data.filters
    told = [
        t("Click a UF or a depot to look into it; click it again to see all."),
        t("A tower stands for its depot, a transfer leads to its recommendation."),
        t("Enter does what a click does."),
    ]
    if filters.uf:
        told.append(t("Tables and transfers keep all UFs, to compare; the chosen ones are marked."))
    if data.measure not in MEASURE_NAMES_OF_PERIOD:
        told.append(t("As of now, whatever the period."))
    elif filters.has_dates:
        span = fmt.span(filters.date_from, filters.date_to, viewer.locale)
        told.append(t("Period: %(span)s.", span=span))
    if left := [name for name in LEAVE_SITES if data.bar.asked.get(name)]:
        names = ", ".join(t(FILTER_NAMES[name]) for name in left)
        told.append(
            t("Availability, depots and towers are not narrowed by: %(filters)s.", filters=names)
        )
    return " ".join(told)


def filters(data: RegionsData, viewer: Viewer) -> html.Div:
    """Measure, places, families and layers."""
    t = viewer.t
    measures = [Option(name, _name(name, data, viewer)) for name in MEASURES]
    names = {"depots": t("Depots"), "towers": t("Towers"), "moves": t("Transfers")}
    layers = [{"label": names[name], "value": name} for name in LAYERS]
    return page_bar(
        data.bar,
        viewer,
        choice(
            "measure", t("Colour by"), measures, data.measure, viewer, multi=False, clearable=False
        ),
        toggles("layers", t("Also show"), layers, list(data.layers)),
        initial={"measure": data.measure, "layers": list(data.layers)},
        empty={"layers": "none"},
        usual=_usual(data, viewer),
    )


def _usual(data: RegionsData, viewer: Viewer) -> str:
    """What the map's measure looks back as long as no period is chosen."""
    t = viewer.t
    if data.measure not in MEASURE_NAMES_OF_PERIOD:
        return t("Usual")
    days = usual_days(data.measure, data.frequency)
    return t("Last %(count)s days", count=days) if days else t("Last month")


def _value(row: UfRow, name: str) -> float | None:
    found = getattr(row, name)
    return None if found is None else float(found)


def _map(data: RegionsData, viewer: Viewer) -> html.Div:
    t, name = viewer.t, data.measure
    values = {row.uf: _value(row, name) for row in data.rows}
    labels = {row.uf: f"{row.name}: {_told(values[row.uf], name, viewer)}" for row in data.rows}
    shown = {
        "values": values,
        "steps": steps(list(values.values())),
        "chosen": list(data.filters.uf),
        "labels": labels,
    }
    tiles = [dl.TileLayer(url=data.tiles)] if data.tiles else []
    outlines = dl.GeoJSON(
        id="map-ufs",
        url=OUTLINES,
        hideout=shown,
        style={"variable": "novaMap.style"},
        onEachFeature={"variable": "novaMap.onEachFeature"},
    )
    drawn = dl.Map(
        [*tiles, dl.Pane(outlines, name="ufs", style=BELOW), *_layers(data, viewer)],
        bounds=BOUNDS,
        attributionControl=False,
        zoomSnap=0.25,
        trackViewport=False,
        scrollWheelZoom=False,
        className="map",
    )
    name_of = t("Map of Brazil by UF: %(measure)s", measure=_name(name, data, viewer))
    frame = {"id": "map", "className": "map-frame", "role": "group", **aria(label=name_of)}
    return html.Div(drawn, **frame)


def _layers(data: RegionsData, viewer: Viewer) -> list[Component]:
    made: list[Component] = []
    for layer, kind in (("towers", "tower"), ("depots", "depot")):
        if layer in data.layers:
            made.append(_places(_of_kind(kind, data), layer, data.filters, viewer))
    if data.moves and "moves" in data.layers:
        ways = [_lines(data.moves, viewer), *(_head(move) for move in data.moves)]
        made.append(dl.Pane(ways, name="moves", style=BETWEEN))
    return made


def _of_kind(kind: str, data: RegionsData) -> list[Place]:
    return [one for one in data.places if one.kind == kind]


def _drawn(data: RegionsData, viewer: Viewer) -> list[Component]:
    """What stands on the map as tables; of places too many to list how many there are."""
    t, locale = viewer.t, viewer.locale
    told: list[Component] = []
    for layer, kind, name in (
        ("depots", "depot", t("Depots")),
        ("towers", "tower", t("Towers")),
    ):
        places = _of_kind(kind, data) if layer in data.layers else []
        summary = f"{name}: {fmt.number(len(places), locale)}"
        if len(places) > LISTED:
            told.append(html.P(summary, className="quiet"))
        elif places:
            header = [t("Code"), t("Name"), t("UF")]
            rows: list[list[Cell]] = [[one.site, one.name or "", one.uf] for one in places]
            codes = [_depot(one) for one in places]
            told.append(twin(header, rows, viewer, narrows=("site", codes), summary=summary))
        if places:
            asked = {"kind": [kind], **query_of(data.filters, "region")}
            told.append(_files("map-places", asked, name, viewer))
    if data.moves and "moves" in data.layers:
        header = [t("Code"), t("Material"), t("Quantity"), t("Unit"), t("From"), t("To depot")]
        moves = [_move_row(one) for one in data.moves]
        summary = f"{t('Transfers')}: {fmt.number(len(moves), locale)}"
        told.append(twin([*header, t("Value") + " (R$)"], moves, viewer, summary=summary))
        undated = replace(data.filters, uf=(), date_from=None, date_to=None)
        told.append(_files("map-transfers", query_of(undated), t("Transfers"), viewer))
    return told


def _files(export: str, query: Query, of: str, viewer: Viewer) -> html.Div:
    return html.Div(downloads(export, query, viewer, of=of), className="tools")


def _move_row(one: Move) -> list[Cell]:
    what: list[Cell] = [one.sku, one.item_name or "", one.quantity, one.unit or ""]
    return [*what, one.from_site, one.site, one.value_brl]


def _places(places: Sequence[Place], layer: str, filters: Filters, viewer: Viewer) -> dl.GeoJSON:
    features = [
        {
            "type": "Feature",
            "properties": {
                "kind": one.kind,
                "label": _place_words(one, viewer),
                "depot": _depot(one),
                "chosen": _depot(one) in filters.site,
            },
            "geometry": {"type": "Point", "coordinates": [one.longitude, one.latitude]},
        }
        for one in places
    ]
    return dl.GeoJSON(
        id=f"map-{layer}",
        data={"type": "FeatureCollection", "features": features},
        pointToLayer={"variable": "novaMap.placeToLayer"},
        cluster=len(features) > 60,
        zoomToBoundsOnClick=True,
    )


def _depot(one: Place) -> str | None:
    """What a click on it looks into: itself, or the depot that serves it."""
    return one.site if one.kind == "depot" else one.depot


def _place_words(one: Place, viewer: Viewer) -> str:
    name = one.name or one.site
    return viewer.t("%(tower)s, of %(depot)s", tower=name, depot=one.depot) if one.depot else name


def _lines(moves: Sequence[Move], viewer: Viewer) -> dl.GeoJSON:
    """The transfers' ways; their heads are drawn apart."""
    features = [
        {
            "type": "Feature",
            "properties": {"label": _words(move, viewer), "href": _advice(move)},
            "geometry": {
                "type": "LineString",
                "coordinates": [
                    [move.from_longitude, move.from_latitude],
                    [move.longitude, move.latitude],
                ],
            },
        }
        for move in moves
    ]
    return dl.GeoJSON(
        id="map-moves",
        data={"type": "FeatureCollection", "features": features},
        style={"className": "map-move", "weight": 2},
        onEachFeature={"variable": "novaMap.eachMove"},
    )


def _advice(move: Move) -> str:
    """Where the transfer's recommendation stands."""
    asked = {"kind": "TRANSFER", "sku": move.sku, "site": move.site}
    return f"/recommendations?{urlencode(asked)}"


def _words(move: Move, viewer: Viewer) -> str:
    return " ".join(
        [
            f"{move.item_name or move.sku}: {fmt.quantity(move.quantity, viewer.locale)}",
            f"{move.unit or ''}, {move.from_site} → {move.site}",
            f"({fmt.brl(move.value_brl, viewer.locale)})",
        ]
    )


def _head(move: Move) -> dl.PolylineDecorator:
    line = [
        [move.from_latitude, move.from_longitude],
        [move.latitude, move.longitude],
    ]
    head = {
        "offset": "75%",
        "repeat": "0",
        "arrowHead": {
            "pixelSize": ARROW,
            "pathOptions": {"className": "map-move", "interactive": False},
        },
    }
    return dl.PolylineDecorator(positions=line, patterns=[head])


def _beside(data: RegionsData, viewer: Viewer) -> html.Div:
    """The legend, and where the chosen UFs are looked into."""
    t = viewer.t
    return html.Div(
        [_legend(data, viewer), *_chosen(data, viewer)],
        className="map-more",
        **aria(label=t("Legend")),
    )


def _legend(data: RegionsData, viewer: Viewer) -> html.Ul:
    t, name = viewer.t, data.measure
    bounds = steps([_value(row, name) for row in data.rows])
    entries = []
    for place, low in reversed(list(enumerate(bounds))):
        words = t("%(value)s or more", value=_told(low, name, viewer))
        swatch = html.Span(className=f"map-swatch map-step-{place}")
        entries.append(html.Li([swatch, words]))
    nothing = html.Li([html.Span(className="map-swatch map-none"), t("no data")])
    return html.Ul([*entries, nothing], className="map-legend")


def _chosen(data: RegionsData, viewer: Viewer) -> list[Component]:
    t = viewer.t
    if not data.filters.uf:
        return []
    pages = {
        "/alerts": t("Alerts"),
        "/recommendations": t("Recommendations"),
        "/materials": t("Materials"),
        "/savings": t("Savings"),
        "/main": t("Overview"),
    }
    links = [
        html.Li(
            dcc.Link(
                f"{name}: {', '.join(data.filters.uf)}",
                href=address_of(path, data.bar, {}, whenever=path in OPEN_ONES),
            )
        )
        for path, name in pages.items()
    ]
    return [html.Ul(links, className="map-links")]


def _told(value: float | None, name: str, viewer: Viewer) -> str:
    if value is None:
        return viewer.t("no data")
    unit = MEASURES[name]
    if unit == "BRL":
        return fmt.brl_compact(value, viewer.locale)
    if unit == "count":
        return fmt.number(value, viewer.locale)
    return with_unit(value, unit, viewer.locale, viewer.t)


def _table(name: str, rows: Sequence[UfRow], data: RegionsData, viewer: Viewer) -> Component:
    t = viewer.t
    makers: dict[str, Any] = {
        "BRL": lambda field, header: money_column(field, header, 0, minWidth=124),
        "days": lambda field, header: number_column(field, header, 1, minWidth=98),
        "count": lambda field, header: number_column(field, header, minWidth=94),
        "fraction": lambda field, header: percent_column(field, header, 2, minWidth=124),
    }
    first = (
        link_column("name", t("UF"), "href", flex=2, minWidth=156, **WRAPPED)
        if name == "ufs"
        else text_column("name", t("Region"), flex=2, minWidth=156)
    )
    columns: list[Column] = [
        first,
        *(makers[unit](field, _name(field, data, viewer)) for field, unit in MEASURES.items()),
    ]
    chosen = data.filters.uf if name == "ufs" else ()
    values = [
        {field: getattr(row, field) for field in MEASURES}
        | {"id": row.uf, "name": f"{row.name} ({row.uf})", "href": _of_uf(row, data.kept)}
        | {"chosen": row.uf in chosen}
        for row in rows
    ]
    return grid(f"table-{name}", columns, values, viewer, row_id="id", marks="chosen")


def _of_uf(row: UfRow, kept: Mapping[str, Sequence[str]]) -> str:
    return f"?{urlencode({**kept, 'uf': [row.uf]}, doseq=True)}"


def _name(measure: str, data: RegionsData, viewer: Viewer) -> str:
    return measure_name(
        measure, viewer.t, of_period=data.filters.has_dates, frequency=data.frequency
    )
