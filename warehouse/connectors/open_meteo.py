"""Open-Meteo: the weather of each day at a point of each UF, from reanalysis (ERA5).

https://open-meteo.com/en/docs/historical-weather-api: `/v1/archive`, `daily` with `time` and an
array for each variable, null where it is not known yet. Free of charge for other than commercial
use; its paid service has the same interface at another address.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from warehouse.connectors.rows import Asked, Row, number
from warehouse.connectors.web import Web

VARIABLES = {
    "rain_mm": "precipitation_sum",
    "temperature_c": "temperature_2m_mean",
    "humidity_pct": "relative_humidity_2m_mean",
    "wind_gust_kmh": "wind_gusts_10m_max",
}


def rows(web: Web, asked: Asked) -> Iterator[Row]:
    """The weather of every UF's point up to yesterday. Raises SourceError."""
    past = replace(asked, last=min(asked.last, asked.today - timedelta(days=1)))
    for point in asked.points:
        for window in past.windows(5):
            query = {
                "latitude": f"{point.latitude:.4f}",
                "longitude": f"{point.longitude:.4f}",
                "start_date": window.first.isoformat(),
                "end_date": window.last.isoformat(),
                "daily": ",".join(VARIABLES.values()),
                "timezone": point.timezone,
            }
            found = web.get("/v1/archive", query, _parsed, is_settled=window.is_settled)
            for day, driver, value in found or []:
                yield Row(day, driver, value, point.uf)


def _parsed(answer: Any) -> list[tuple[date, str, float]]:
    daily = answer["daily"]
    days = [date.fromisoformat(day) for day in daily["time"]]
    found = [
        (day, driver, number(value))
        for driver, variable in VARIABLES.items()
        for day, value in zip(days, daily[variable], strict=True)
    ]
    return [(day, driver, value) for day, driver, value in found if value is not None]
