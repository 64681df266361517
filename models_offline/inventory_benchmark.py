"""`benchmark inventory`: stock against service, ours beside the textbook's, on a file of parts.

The parts with demand in at least 2 of the first 100 weeks; the weeks after them are replayed
(`models_offline.replay`): a look every week, order up to S, lost sales, the file's lead times and
costs, S estimated again every 4 weeks from what was known then. The textbook's S is
μ·(L + 1) + z·σ·√(L + 1), μ and σ of all history, one z for all parts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from domain import inventory
from domain.errors import InvalidInput
from models_offline import tables
from models_offline.allocation import Choices, allocate, choices
from models_offline.lumpy import Array, Sampling, samples
from models_offline.promise import ASKED, Delivered, delivered
from models_offline.replay import Outcome, replay

FACTS = ("unit_cost_eur", "lead_time_weeks")
KNOWN_WEEKS = 100
EVERY = 4
SEEN = 2
FACTORS = (
    -0.2,
    0.0,
    0.2,
    0.4,
    0.6,
    0.8,
    1.0,
    1.2,
    1.4,
    1.65,
    1.9,
    2.1,
    2.3,
    2.5,
    2.8,
    3.2,
    3.6,
    4.0,
)
PRICES = tuple(float(f"{price:.3g}") for price in np.geomspace(1.5e-6, 2e-8, 26))
WEEK_EUR = 39_119.0
"""PRICES are for parts of which so much is asked for in a week. Where it is k times as much, a EUR
of stock serves a k-th of the share: other currencies and numbers of parts have the same curve."""
TARGETS = (
    ("lines_0.90", "lines", 0.90),
    ("lines_0.95", "lines", 0.95),
    ("units_0.95", "units", 0.95),
)
KNOWN_MONTHS = 33
PROMISE_DRAWS = 400
IN_THOUSANDS = 100_000
"""A curve that reaches so much (EUR) is printed in thousands."""
REDRAWN = 500
"""Draws of the parts by which it is told how far a ratio is one of these parts alone."""
CARPARTS = "carparts_monthly_2674.csv"

Curve = list[tuple[float, Outcome]]
"""What happened at each value of a knob."""


@dataclass(frozen=True)
class Parts:
    """demand: parts × weeks, in units; unit_cost in EUR; lead_time in weeks."""

    demand: Array
    unit_cost: Array
    lead_time: NDArray[np.int64]

    def kinds(self) -> NDArray[np.int64]:
        """Thirds by unit cost: parts that are alike in how much is asked for at a time."""
        return np.argsort(np.argsort(self.unit_cost, kind="stable")) * 3 // len(self.unit_cost)


def read(path: Path, known: int = KNOWN_WEEKS, until: int | None = None) -> Parts:
    """The parts of a wide file (sku, unit_cost_eur, lead_time_weeks, w1 or w001 …) with demand in
    at least 2 of the known weeks; nothing after week `until`. Raises InvalidInput where it is not
    such a file."""
    table = tables.read(path, ["sku", *FACTS])
    weeks = _weeks(path, table.columns)[:until]
    if len(weeks) <= known:
        raise InvalidInput(f"{path}: {len(weeks)} weeks, of which {known} are to be known before")
    table = table[[*FACTS, *weeks]]
    values = tables.numbers(path, table).to_numpy()
    tables.refuse(path, table, values < 0, "is negative")
    lead_time = values[:, 1]
    wrong = (lead_time < 1) | (lead_time % 1 > 0)
    tables.refuse(path, table[["lead_time_weeks"]], wrong, "is no whole number of weeks from 1 up")
    demand = values[:, 2:]
    kept = (demand[:, :known] > 0).sum(axis=1) >= SEEN
    if not kept.any():
        raise InvalidInput(f"{path}: no part has demand in {SEEN} of the first {known} weeks")
    return Parts(demand[kept], values[kept, 0], lead_time[kept].astype(np.int64))


def _weeks(path: Path, names: Iterable[str]) -> list[str]:
    """The columns of weeks by their number."""
    weeks = sorted((int(name[1:]), name) for name in names if re.fullmatch("w[0-9]+", name))
    for (before, _), (number, name) in pairwise(weeks):
        if number != before + 1:
            wrong = "is there twice" if number == before else f"has no w{before + 1} before it"
            raise InvalidInput(
                f"{path}, line 1: week {name} {wrong}; weeks have consecutive numbers"
            )
    return [name for _, name in weeks]


def read_carparts(path: Path) -> Array:
    """The monthly sales of the parts without missing months (parts × months). Raises InvalidInput
    where it is not such a file."""
    values = tables.numbers(path, tables.read(path).iloc[:, 1:], gaps=True).to_numpy()
    whole = np.isfinite(values).all(axis=1)
    if not whole.any():
        raise InvalidInput(f"{path}: no part has a number in each month")
    return values[whole]


def measure(
    parts: Parts,
    carparts: Array | None = None,
    known: int = KNOWN_WEEKS,
    sampling: Sampling | None = None,
) -> dict[str, Any]:
    """The report: curves of value against service, what ours needs of the textbook's value, and
    how far cycle service is from what was asked for."""
    sampling = sampling or Sampling()
    played = {"textbook": textbook(parts, known), "ours": ours(parts, known, sampling)}
    curves = {
        name: [_point(knob, *one) for one in played[name]]
        for name, knob in (("textbook", "z"), ("ours", "price"))
    }
    few = replace(sampling, draws=PROMISE_DRAWS)
    kept = {
        "man": delivered(parts.demand, parts.lead_time, parts.kinds(), known, EVERY, few),
        "carparts": None,
    }
    if carparts is not None:
        months, alike = np.ones(len(carparts), np.int64), np.zeros(len(carparts), np.int64)
        kept["carparts"] = delivered(carparts, months, alike, KNOWN_MONTHS, 1, few)
    return {
        "parts": len(parts.demand),
        "weeks": [known + 1, parts.demand.shape[1]],
        "curves": curves,
        "ratio": ratios(played["ours"], played["textbook"]),
        "no_ratio": beyond(played),
        "ratio_interval": intervals(played["ours"], played["textbook"], sampling.seed),
        "promise": {name: _promise(one) for name, one in kept.items() if one},
        "promise_gap": {name: round(one.gap(), 4) if one else None for name, one in kept.items()},
    }


def textbook(parts: Parts, known: int) -> Curve:
    """The curve of the textbook over z."""

    def levels(at: int, factor: float) -> Array:
        history, weeks = parts.demand[:, :at], parts.lead_time + 1
        safety = factor * history.std(axis=1, ddof=1) * np.sqrt(weeks)
        level = inventory.order_up_to(history.mean(axis=1), parts.lead_time, 1, safety)
        return np.maximum(np.ceil(level), 0.0)

    return [
        (factor, _replay(parts, known, [levels(at, factor) for at in _cuts(parts, known)]))
        for factor in FACTORS
    ]


def ours(parts: Parts, known: int, sampling: Sampling) -> Curve:
    """The curve of levels decided across all parts, over the price of stock. The first levels are
    those of a cycle that begins full, with nothing on order."""
    found: list[Choices] = [
        choices(
            samples(parts.demand[:, :at], parts.lead_time, parts.kinds(), sampling),
            first=at == known,
        )
        for at in _cuts(parts, known)
    ]
    return [
        (
            price,
            _replay(parts, known, [allocate(one, parts.unit_cost, price) for one in found]),
        )
        for price in prices(parts, known)
    ]


def prices(parts: Parts, known: int) -> list[float]:
    """The prices of stock to look at, by what is asked for in a known week; see WEEK_EUR."""
    week = float(parts.unit_cost @ parts.demand[:, :known].mean(axis=1)) or WEEK_EUR
    return [price * WEEK_EUR / week for price in PRICES]


def _cuts(parts: Parts, known: int) -> range:
    return range(known, parts.demand.shape[1], EVERY)


def _replay(parts: Parts, known: int, levels: Sequence[Array]) -> Outcome:
    return replay(parts.demand[:, known:], parts.unit_cost, parts.lead_time, levels, EVERY)


def _point(knob: str, value: float, outcome: Outcome) -> dict[str, float]:
    rounded = {"value": round(outcome.value, 2), "lines": round(outcome.lines, 5)}
    return {knob: float(f"{value:.3g}"), **rounded, "units": round(outcome.units, 5)}


def ratios(mine: Curve, other: Curve) -> dict[str, float | None]:
    """Stock value of `mine` ÷ that of `other` at the same service; None where a curve does not
    reach it, or stock costs nothing."""
    found: dict[str, float | None] = {}
    for name, measure_, share in TARGETS:
        ours_, others = (
            value_at([one.value for _, one in curve], _services(curve, measure_), share)
            for curve in (mine, other)
        )
        found[name] = round(ours_ / others, 4) if others > 0 and np.isfinite(ours_) else None
    return found


def beyond(played: Mapping[str, Curve]) -> dict[str, str]:
    """Why a service has no ratio: the curves that begin above it or end below it."""
    found: dict[str, str] = {}
    for name, measure_, share in TARGETS:
        told = []
        for who, curve in played.items():
            least, most = min(_services(curve, measure_)), max(_services(curve, measure_))
            if not least <= share <= most:
                place, end = ("begins", least) if share < least else ("ends", most)
                told.append(f"{who} {place} at {100 * end:.1f} %")
        if told:
            found[name] = ", ".join(told)
    return found


def _services(curve: Curve, measure_: str) -> list[float]:
    return [getattr(one, measure_) for _, one in curve]


def intervals(mine: Curve, other: Curve, seed: int) -> dict[str, list[float] | None]:
    """Where 90 % of the ratios lie if the parts are drawn anew (bootstrap); None where a curve
    ends in more than 5 % of the draws."""
    count = len(mine[0][1].items)
    times = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), REDRAWN)
    curves = [[one.drawn(times.astype(float)) for _, one in curve] for curve in (mine, other)]
    found: dict[str, list[float] | None] = {}
    for name, measure_, share in TARGETS:
        at = ("lines", "units").index(measure_) + 1
        needed = [
            [
                value_at([point[0][n] for point in curve], [point[at][n] for point in curve], share)
                for n in range(REDRAWN)
            ]
            for curve in curves
        ]
        with np.errstate(divide="ignore", invalid="ignore"):
            drawn = np.divide(needed[0], needed[1])
        known = drawn[np.isfinite(drawn)]
        enough = len(known) >= 0.95 * REDRAWN
        found[name] = np.quantile(known, [0.05, 0.95]).round(3).tolist() if enough else None
    return found


def value_at(values: Sequence[float], services: Sequence[float], share: float) -> float:
    """Stock value at which a curve reaches a service, between its points by proportion; NaN where
    it does not."""
    order = np.argsort(services, kind="stable")
    ordered, worth = np.take(services, order), np.take(values, order)
    return float(np.interp(share, ordered, worth, left=np.nan, right=np.nan))


def _promise(one: Delivered) -> dict[str, list[float]]:
    rounded = {name: [round(share, 4) for share in shares] for name, shares in asdict(one).items()}
    return {"asked": list(ASKED), **rounded}


def text(report: dict[str, Any]) -> str:
    """The report as lines to print."""
    first, last = report["weeks"]
    lines = [f"{report['parts']} parts, weeks {first} to {last} replayed"]
    for name, points in report["curves"].items():
        table = pd.DataFrame(points)
        unit = 1000 if table["value"].max() >= IN_THOUSANDS else 1
        table["value"] = (table["value"] / unit).round().astype(int)
        for share in ("lines", "units"):
            table[share] = (100 * table[share]).map("{:.1f}".format)
        money = "thousands of EUR" if unit > 1 else "EUR"
        lines += ["", f"{name} (value in {money}, lines and units filled in %)"]
        lines.append(table.to_string(index=False))
    lines += ["", "stock value, ours ÷ textbook: "]
    why = report["no_ratio"]
    lines[-1] += "; ".join(
        f"{name} {_shown(value, why.get(name))}" for name, value in report["ratio"].items()
    )
    intervals = [(name, of) for name, of in report["ratio_interval"].items() if of]
    if intervals:
        lines.append("if the parts are drawn anew, 90 % of these are within ")
        lines[-1] += ", ".join(f"{name} {low:.3f} to {high:.3f}" for name, (low, high) in intervals)
    for name, one in report["promise"].items():
        lines.append(f"cycle service, {name}: mean gap {report['promise_gap'][name]:.4f}")
        for who in ("ours", "textbook"):
            pairs = zip(one["asked"], one[who], strict=True)
            told = ", ".join(f"{100 * a:g} → {100 * d:.1f}" for a, d in pairs)
            lines.append(f"  {who}, asked → delivered in %: {told}")
    return "\n".join(lines)


def _shown(value: float | None, why: str | None) -> str:
    return f"none ({why or 'stock costs nothing'})" if value is None else f"{value:.3f}"
