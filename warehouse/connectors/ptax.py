"""Banco Central do Brasil, PTAX: the closing price of the dollar on each working day, in BRL.

https://dadosabertos.bcb.gov.br/dataset/dolar-americano-usd-todos-os-boletins-diarios: OData, dates
as 'mm-dd-yyyy', `value` with `cotacaoVenda` and `dataHoraCotacao`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from warehouse.connectors.rows import Asked, Row, number
from warehouse.connectors.web import Web

PATH = (
    "/olinda/servico/PTAX/versao/v1/odata/"
    "CotacaoDolarPeriodo(dataInicial=@dataInicial,dataFinalCotacao=@dataFinalCotacao)"
)
DAY = "'%m-%d-%Y'"


def rows(web: Web, asked: Asked) -> Iterator[Row]:
    """`usd_brl`, the selling price. Raises SourceError."""
    for window in asked.windows(1):
        query = {
            "@dataInicial": window.first.strftime(DAY),
            "@dataFinalCotacao": window.last.strftime(DAY),
            "$select": "cotacaoVenda,dataHoraCotacao",
            "$format": "json",
        }
        found = web.get(PATH, query, _parsed, is_settled=window.is_settled)
        yield from (Row(day, "usd_brl", value) for day, value in (found or {}).items())


def _parsed(answer: Any) -> dict[date, float]:
    values = ((row["dataHoraCotacao"][:10], number(row["cotacaoVenda"])) for row in answer["value"])
    return {date.fromisoformat(day): value for day, value in values if value is not None}
