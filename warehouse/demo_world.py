"""The days, the weather, the market and the demand of the invented company.

Arrays run over `World.days`, which begin WARM_UP_DAYS before what the files show, so that stock
and orders have settled by then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import holidays
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from warehouse.demo_catalogue import DEPOTS, MATERIALS, REGION_OF, WET_MONTHS, Material

YEARS = 3
WARM_UP_DAYS = 240
FIRST_ITEMS_OF_A_DEPOT = 8.6
ITEMS_PER_SIZE = 4.6
HALVES = ("M", "KG", "L")
WEEKDAY = np.array([1.15, 1.12, 1.08, 1.05, 1.0, 0.45, 0.25])
HOLIDAY = 0.35
RENEWALS = (1, 7)
"""Months in which contracts renew."""
LIVES = {"steady": 0.94, "dead": 0.03, "new": 0.03}
ENDED, BEGAN = 0.62, 0.86
"""Shares of the days after which a dead item's demand ends and a new one's begins."""

Rng = np.random.Generator
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Series:
    """One item at one depot. `life`: a key of LIVES; `trend`: growth of its demand a year."""

    material: Material
    uf: str
    size: float
    life: str
    trend: float

    @property
    def depot(self) -> str:
        return depot_code(self.uf)

    @property
    def step(self) -> float:
        """The smallest quantity that is issued."""
        return 0.5 if self.material.unit in HALVES else 1.0


@dataclass(frozen=True)
class World:
    """Per UF: rain in mm a day, temperature in °C, share of the 5G sites that are on air."""

    days: pd.DatetimeIndex
    rain: dict[str, Array]
    temperature: dict[str, Array]
    rollout: dict[str, Array]
    usd_brl: Array
    series: list[Series]

    @property
    def shown(self) -> pd.DatetimeIndex:
        """The days that the files show."""
        return self.days[WARM_UP_DAYS:]

    @property
    def end(self) -> pd.Timestamp:
        """The first moment of which the files know nothing."""
        return self.days[-1] + pd.Timedelta(days=1)


def depot_code(uf: str) -> str:
    """The site code of a federative unit's depot."""
    return f"DEP-{uf}"


def make_world(rng: Rng, last: pd.Timestamp) -> World:
    """YEARS of days up to `last`, after the warm-up."""
    first = last - pd.DateOffset(years=YEARS) + pd.Timedelta(days=1)
    days = pd.date_range(first - pd.Timedelta(days=WARM_UP_DAYS), last)
    rain = {uf: _rain(rng, days, REGION_OF[uf]) for uf in DEPOTS}
    temperature = {uf: _temperature(rng, days, DEPOTS[uf][1]) for uf in DEPOTS}
    rollout = {uf: _rollout(rng, len(days), size) for uf, (*_, size) in DEPOTS.items()}
    return World(days, rain, temperature, rollout, _usd_brl(rng, len(days)), _series(rng))


def _rain(rng: Rng, days: pd.DatetimeIndex, region: str) -> Array:
    """Wet spells in the region's season, and in it a few storms a year."""
    wet = np.isin(days.month, WET_MONTHS[region])
    spell = _smoothed(rng.normal(size=len(days)), 6)
    chance = np.clip(np.where(wet, 0.55, 0.16) + 0.22 * spell, 0.02, 0.95)
    amount = rng.gamma(0.9, np.where(wet, 15.0, 7.0))
    storm = rng.random(len(days)) < np.where(wet, 0.022, 0.003)
    amount = np.where(storm, 45 + rng.gamma(3.0, 16.0, len(days)), amount)
    rains = storm | (rng.random(len(days)) < chance)
    millimetres: Array = np.round(amount * rains, 1)
    return millimetres


def _temperature(rng: Rng, days: pd.DatetimeIndex, latitude: float) -> Array:
    swing = 0.8 + abs(latitude) * 0.16
    season = np.cos(2 * np.pi * (days.dayofyear.to_numpy() - 15) / 365.25)
    noise = _smoothed(rng.normal(0, 1.3, len(days)), 4)
    return np.round(28.5 - abs(latitude) * 0.2 + swing * season + noise, 1)


def _smoothed(values: Array, window: int) -> Array:
    """Moving sum scaled so that the variance stays."""
    kernel: Array = np.full(window, window**-0.5)
    smoothed: Array = np.convolve(values, kernel, mode="same")
    return smoothed


def _rollout(rng: Rng, days: int, size: float) -> Array:
    """An S-curve, the big markets first."""
    middle = days * (0.78 - 0.16 * min(size, 2.0) + rng.normal(0, 0.03))
    return 1 / (1 + np.exp(-(np.arange(days) - middle) / 130))


def _usd_brl(rng: Rng, days: int) -> Array:
    """BRL per USD: a mean-reverting walk around 5.3."""
    values, value = np.empty(days), 5.1
    for day, shock in enumerate(rng.normal(0, 0.035, days)):
        value += 0.01 * (5.3 - value) + shock
        values[day] = value
    return values


def _series(rng: Rng) -> list[Series]:
    """Which depot stocks what: the larger the depot, the more items; every item somewhere."""
    stocked = [
        (material, uf, size)
        for place, (uf, (*_, size)) in enumerate(DEPOTS.items())
        for material in _assortment(place, round(FIRST_ITEMS_OF_A_DEPOT + ITEMS_PER_SIZE * size))
    ]
    count = len(stocked)
    sizes = rng.lognormal(0, 0.25, count)
    lives = rng.choice(list(LIVES), size=count, p=list(LIVES.values()))
    trends = rng.normal(0.03, 0.07, count)
    return [
        Series(material, uf, size * float(sizes[n]), str(lives[n]), float(trends[n]))
        for n, (material, uf, size) in enumerate(stocked)
    ]


def _assortment(place: int, count: int) -> list[Material]:
    """`count` materials, from the catalogue in strides that visit all of it."""
    total = len(MATERIALS)
    return [MATERIALS[(place * 5 + step * 7) % total] for step in range(min(count, total))]


# Demand


def wanted_quantities(rng: Rng, world: World) -> Array:
    """What the crews ask for: days x series, in units of issue."""
    holiday = {uf: _is_holiday(world.days, uf) for uf in DEPOTS}
    columns = [_wanted(rng, world, series, holiday[series.uf]) for series in world.series]
    return np.column_stack(columns)


def _is_holiday(days: pd.DatetimeIndex, uf: str) -> NDArray[np.bool_]:
    years = range(days[0].year, days[-1].year + 1)
    known = holidays.country_holidays("BR", subdiv=uf, years=years)
    return np.array([day.date() in known for day in days])


def _wanted(rng: Rng, world: World, series: Series, holiday: NDArray[np.bool_]) -> Array:
    level = _level(world, series, holiday)
    mean = series.material.rate * series.size * level
    drawn = _PATTERNS[series.material.pattern](rng, mean, level)
    return np.where(_lives(series, len(drawn)), np.round(drawn / series.step) * series.step, 0.0)


def renewals(days: pd.DatetimeIndex) -> Array:
    """1 on days of RENEWALS, 0 on others."""
    return np.isin(days.month, RENEWALS).astype(float)


def _level(world: World, series: Series, holiday: NDArray[np.bool_]) -> Array:
    """Expected demand relative to an ordinary working day's."""
    days, material = world.days, series.material
    years = np.arange(-len(days), 0) / 365.25
    week = pd.Series(world.rain[series.uf]).rolling(7, min_periods=1).mean().to_numpy()
    pace = np.gradient(world.rollout[series.uf]) * 520
    level = WEEKDAY[days.dayofweek] * np.where(holiday, HOLIDAY, 1.0)
    level = level * np.clip(1 + material.rain * (week / week.mean() - 1), 0.15, 4.0)
    level = level * (1 + material.renewal * renewals(days))
    level = level * (1 + material.rollout * pace)
    return level * np.clip(1 + series.trend * (years + YEARS / 2), 0.5, 1.5)


def _lives(series: Series, days: int) -> NDArray[np.bool_]:
    share = np.arange(days) / days
    if series.life == "dead":
        return share < ENDED
    return share >= (BEGAN if series.life == "new" else 0.0)


def _smooth(rng: Rng, mean: Array, _level: Array) -> Array:
    return rng.poisson(np.maximum(mean, 1.6) * rng.gamma(30, 1 / 30, len(mean))).astype(float)


def _erratic(rng: Rng, mean: Array, _level: Array) -> Array:
    size = np.minimum(rng.lognormal(-0.42, 0.92, len(mean)), 6.0)
    return rng.poisson(np.maximum(mean, 2.8) * size).astype(float)


def _intermittent(rng: Rng, mean: Array, level: Array) -> Array:
    chance = np.clip(mean * 0.55, 0, 0.5 * np.maximum(level, 0.2))
    size = 1 + rng.binomial(2, 0.22, len(mean))
    return np.where(rng.random(len(mean)) < chance, size, 0).astype(float)


def _lumpy(rng: Rng, mean: Array, level: Array) -> Array:
    """Occasions in proportion to the level, rarer for what is used by the piece."""
    ordinary = mean / np.maximum(level, 1e-9)
    chance = np.clip(np.clip(0.03 + 0.015 * ordinary, 0.03, 0.13) * level, 0, 0.6)
    size = np.maximum(1, ordinary * rng.lognormal(0.2, 0.85, len(mean)))
    return np.where(rng.random(len(mean)) < chance, size, 0.0)


_PATTERNS: dict[str, Callable[[Rng, Array, Array], Array]] = {
    "smooth": _smooth,
    "erratic": _erratic,
    "intermittent": _intermittent,
    "lumpy": _lumpy,
}
