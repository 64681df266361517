"""Tables: AG Grid in the reader's language, numbers right-aligned with tabular figures."""

from __future__ import annotations

from typing import Any

import dash_ag_grid as dag
from dash import html

from domain.viewer import Translator, Viewer
from layouts.format import MOST_DAYS_OF_SUPPLY, browser_tag

Column = dict[str, Any]
ROW_HEIGHT, HEADER_HEIGHT = 40, 40
MASTER_HEIGHT = 426
"""Of the upper half of a master and its detail (assets/nova.css)."""
WRAPPED: Column = {"wrapText": True, "autoHeight": True, "cellClass": "wrapped"}
"""What a column of words adds whose words must all be seen."""
SINGLE = {"mode": "singleRow", "checkboxes": False, "enableClickSelection": True}


def grid(
    name: str,
    columns: list[Column],
    rows: list[dict[str, Any]],
    viewer: Viewer,
    *,
    row_id: str,
    server_sort: str | None = None,
    selected: str | None = None,
    marks: str = "",
) -> html.Div:
    """A table over `rows`. `server_sort` (`-field` or `field`) leaves sorting to the address.
    `marks` names a field that is true in the rows that are to stand out.

    Room for it is kept free until the browser has drawn it.

    With `selected` (an id of a row, or `` for none) it is the upper half of a master and its
    detail: of a fixed height, and one row is chosen by a click or with the arrow keys.
    """
    options: dict[str, Any] = {
        "domLayout": "autoHeight" if selected is None else "normal",
        "rowHeight": ROW_HEIGHT,
        "headerHeight": HEADER_HEIGHT,
        "localeText": locale_text(viewer.t),
        "enableCellTextSelection": True,
        "ensureDomOrder": True,
        "suppressCellFocus": False,
        "suppressColumnVirtualisation": True,
        "suppressMultiSort": True,
        "context": {"locale": browser_tag(viewer.locale)},
        "animateRows": False,
    }
    more: dict[str, Any] = {}
    if selected is not None:
        options["rowSelection"] = SINGLE
        more["eventListeners"] = {"cellFocused": ["novaChooseFocused(params)"]}
        more["selectedRows"] = {"ids": [selected] if selected else []}
    if marks:
        more["rowClassRules"] = {"row-marked": f"params.data.{marks}"}
    identity = {"type": "sorted-grid", "name": name} if server_sort is not None else name
    table = dag.AgGrid(
        id=identity,
        columnDefs=_sorted(columns, server_sort) if server_sort is not None else columns,
        rowData=rows,
        getRowId=f"params.data.{row_id}",
        defaultColDef={
            "resizable": True,
            "sortingOrder": ["desc", "asc"],
            "suppressHeaderMenuButton": True,
            "wrapHeaderText": True,
            "autoHeaderHeight": True,
        },
        dashGridOptions=options,
        className="table-grid" if selected is None else "table-grid table-master",
        style={"height": None},
        **more,
    )
    least = HEADER_HEIGHT + ROW_HEIGHT * max(1, len(rows)) if selected is None else MASTER_HEIGHT
    return html.Div(table, style={"minHeight": least})


def _sorted(columns: list[Column], order: str) -> list[Column]:
    """Shows the order that the server made; the browser keeps the rows as they came."""
    field, direction = order.removeprefix("-"), "desc" if order.startswith("-") else "asc"
    return [
        {
            **column,
            "sort": direction if column["field"] == field else None,
            "comparator": {"function": "novaKeepOrder"},
        }
        for column in columns
    ]


def text_column(field: str, header: str, **more: Any) -> Column:
    """Words, left-aligned; the whole text in a tooltip."""
    return {
        "field": field,
        "headerName": header,
        "minWidth": 90,
        "flex": 1,
        "tooltipField": field,
        **more,
    }


def link_column(field: str, header: str, href: str, **more: Any) -> Column:
    """Words that lead somewhere: `href` names the row's field that holds the address."""
    return {
        **text_column(field, header),
        "cellRenderer": "NovaLink",
        "cellRendererParams": {"href": href},
        **more,
    }


def number_column(field: str, header: str, digits: int = 0, **more: Any) -> Column:
    """A number with exactly `digits` decimals in the reader's notation."""
    return _numeric(field, header, f"novaNumber(params, {digits})", **more)


def quantity_column(field: str, header: str, **more: Any) -> Column:
    """Units of issue: no decimals above 100, one below."""
    return _numeric(field, header, "novaQuantity(params)", **more)


def supply_column(field: str, header: str, **more: Any) -> Column:
    """Whole days that a stock lasts, as `fmt.supply` writes them."""
    return _numeric(field, header, f"novaSupply(params, {MOST_DAYS_OF_SUPPLY})", **more)


def money_column(field: str, header: str, digits: int = 0, **more: Any) -> Column:
    """BRL."""
    return _numeric(field, header, f"novaMoney(params, {digits})", **more)


def price_column(field: str, header: str, **more: Any) -> Column:
    """BRL of one unit, as format.price writes it."""
    return _numeric(field, header, "novaPrice(params)", **more)


def percent_column(field: str, header: str, digits: int = 1, **more: Any) -> Column:
    """A fraction as per cent."""
    return _numeric(field, header, f"novaPercent(params, {digits})", **more)


def points_column(field: str, header: str, digits: int = 1, **more: Any) -> Column:
    """A difference of two fractions in percentage points, with its sign."""
    return _numeric(field, header, f"novaPoints(params, {digits})", **more)


def date_column(field: str, header: str, **more: Any) -> Column:
    """An ISO date, written as the reader's language does."""
    return {
        "field": field,
        "headerName": header,
        "minWidth": 120,
        "flex": 1,
        "valueFormatter": {"function": "novaDate(params)"},
        "cellClass": "tabular",
        **more,
    }


def moment_column(field: str, header: str, **more: Any) -> Column:
    """An ISO date and time, on Brasília's clock."""
    return {
        **date_column(field, header),
        "valueFormatter": {"function": "novaMoment(params)"},
        **more,
    }


def _numeric(field: str, header: str, formatter: str, **more: Any) -> Column:
    return {
        "field": field,
        "headerName": header,
        "minWidth": 78,
        "flex": 1,
        "headerClass": "ag-right-aligned-header",
        "cellClass": ["ag-right-aligned-cell", "tabular"],
        "valueFormatter": {"function": formatter},
        **more,
    }


def badge_column(field: str, header: str, **more: Any) -> Column:
    """A word with an icon and colour by the row's `<field>_kind`."""
    return {**text_column(field, header), "cellRenderer": "NovaBadge", **more}


def locale_text(t: Translator) -> dict[str, str]:
    """The words that the grid itself says."""
    return {
        "noRowsToShow": t("No rows to show"),
        "noMatchingRows": t("No matching rows"),
        "loadingOoo": t("Loading…"),
        "ariaSortableColumn": t("Press ENTER to sort"),
        "ariaRowSelect": t("Press SPACE to select this row"),
        "ariaRowDeselect": t("Press SPACE to deselect this row"),
        "ariaRowToggleSelection": t("Press SPACE to select or deselect the row"),
        "ariaLabelTooltip": t("Tooltip"),
        "ariaLabelCellEditor": t("Cell editor"),
        "copy": t("Copy"),
        "blanks": t("Blank"),
    }
