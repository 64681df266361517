"""The country by federative unit: what each asks for, holds, lacks and risks."""

from __future__ import annotations

from dataclasses import dataclass

STATIONS = "stations_"
"""How the names of drivers begin that count mobile base stations, a technology each."""


@dataclass(frozen=True)
class UfRow:
    """One federative unit, or one region of the country (`uf` is then its code too).

    Of the last 30 days (demand: 28 where it is weekly, a month where monthly), or of the dates
    asked for: demand_brl, demand at unit cost; stockout_rate, the share of stock positions' days
    that stood at zero; availability of its sites under contract, 0–1. As of now: stock_brl: stock
    on hand at unit cost; days_of_supply: for how long it lasts against the forecast. alerts,
    critical: open ones. risk_brl: at risk by them, net of acting. exposure_brl: contract penalties
    to be expected of missing parts, a model. stations: licensed mobile base stations. None: the
    file behind it is not loaded, or says nothing here; demand of nothing is 0 where there are
    series with a unit cost.
    """

    uf: str
    name: str
    region: str
    region_name: str
    demand_brl: float | None
    stockout_rate: float | None
    stock_brl: float | None
    days_of_supply: float | None
    alerts: int
    critical: int
    risk_brl: float | None
    exposure_brl: float | None
    depots: int
    towers: int
    availability: float | None
    stations: float | None


MEASURES: dict[str, str] = {
    "demand_brl": "BRL",
    "stockout_rate": "fraction",
    "stock_brl": "BRL",
    "days_of_supply": "days",
    "alerts": "count",
    "critical": "count",
    "risk_brl": "BRL",
    "exposure_brl": "BRL",
    "availability": "fraction",
    "depots": "count",
    "towers": "count",
    "stations": "count",
}
"""What the map can show, and the unit of each."""


@dataclass(frozen=True)
class Place:
    """A site on the map; one without coordinates stands in its UF's capital. `depot`: the one in
    view that serves a tower."""

    site: str
    name: str | None
    uf: str
    kind: str
    depot: str | None
    latitude: float
    longitude: float


@dataclass(frozen=True)
class Move:
    """A recommended transfer: from where, to where, what, how much, what it is worth (BRL)."""

    id: int
    sku: str
    item_name: str | None
    unit: str | None
    quantity: float
    value_brl: float | None
    from_site: str
    from_uf: str | None
    from_latitude: float
    from_longitude: float
    site: str
    uf: str | None
    latitude: float
    longitude: float


def steps(values: list[float | None], most: int = 5) -> list[float]:
    """Lower bounds of colour classes that hold about as many UFs each (quantiles), ascending and
    distinct; empty without a value."""
    known = sorted(value for value in values if value is not None)
    if not known:
        return []
    picked = [known[len(known) * part // most] for part in range(most)]
    return sorted(set(picked))
