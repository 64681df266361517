"""Banco Central do Brasil, SGS: interest and inflation.

https://dadosabertos.bcb.gov.br: `/dados/serie/bcdata.sgs.N/dados`, rows of `data` (dd/mm/yyyy) and
`valor`. More than ten years at once are refused (406); days without values answer 404.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from warehouse.connectors.rows import Asked, Row, number
from warehouse.connectors.web import Web

SERIES = {"selic_pct": 432, "ipca_month_pct": 433, "igpm_month_pct": 189}
"""Number of each driver's series: Selic target (% a year), IPCA and IGP-M (% in the month)."""
YEARS = 5
DAY = "%d/%m/%Y"


def rows(web: Web, asked: Asked) -> Iterator[Row]:
    """Every series over the days asked for. Raises SourceError."""
    for driver, series in SERIES.items():
        for window in asked.windows(YEARS):
            query = {
                "formato": "json",
                "dataInicial": window.first.strftime(DAY),
                "dataFinal": window.last.strftime(DAY),
            }
            path = f"/dados/serie/bcdata.sgs.{series}/dados"
            found = web.get(path, query, _parsed, is_settled=window.is_settled, empty=(404,))
            for day, value in found or []:
                if window.first <= day <= window.last:
                    yield Row(day, driver, value)


def _parsed(answer: Any) -> list[tuple[date, float]]:
    values = ((row["data"], number(row["valor"])) for row in answer)
    return [
        (datetime.strptime(day, DAY).date(), value) for day, value in values if value is not None
    ]
