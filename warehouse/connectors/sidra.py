"""IBGE, SIDRA: inflation over twelve months and unemployment, by month.

https://apisidra.ibge.gov.br/home/ajuda: `/values/t/TABLE/n1/all/v/VARIABLE/p/all`; the first row
holds the headers, `V` the value, and the period (yyyymm) stands in the column that is called so.
A month of unemployment is the last one of its rolling quarter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from warehouse.connectors.rows import Asked, Row, number
from warehouse.connectors.web import Web

VARIABLES = {"ipca_12_months_pct": (1737, 2265), "unemployment_pct": (6381, 4099)}
"""Table and variable of each driver: IPCA over twelve months (%), unemployed (% of the labour
force, PNAD Contínua)."""
PERIOD = re.compile(r"(Mês|Trimestre Móvel) \(Código\)", re.IGNORECASE)


def rows(web: Web, asked: Asked) -> Iterator[Row]:
    """Every variable over the months that begin in the days asked for. Raises SourceError."""
    for driver, (table, variable) in VARIABLES.items():
        path = f"/values/t/{table}/n1/all/v/{variable}/p/all"
        for month, value in web.get(path, {"formato": "json"}, _parsed) or []:
            if asked.first <= month <= asked.last:
                yield Row(month, driver, value)


def _parsed(answer: Any) -> list[tuple[date, float]]:
    header, *lines = answer
    (period,) = (key for key, title in header.items() if PERIOD.fullmatch(title))
    values = ((line[period], number(line["V"])) for line in lines)
    return [
        (date(int(month[:4]), int(month[4:]), 1), value)
        for month, value in values
        if value is not None
    ]
