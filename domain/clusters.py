"""Clusters of machines and towers: what they are called, and the rows that show them.

A cluster's name says in which features its centre lies away from the middle of all members, in
plain words: the same profile gives the same name, in Portuguese (pt_BR) and English (en). How far
is told in arsinh of robust spreads, which are near spreads where they are small.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

Family = Literal["equipment-failure", "tower-performance"]
EQUIPMENT: Family = "equipment-failure"
TOWERS: Family = "tower-performance"
FAMILIES: tuple[Family, ...] = (EQUIPMENT, TOWERS)
FILES: Mapping[Family, str] = {EQUIPMENT: "equipment", TOWERS: "tower_kpis"}
"""The ERP file that each family is made from."""

LOCALES = ("pt_BR", "en")
CHANGE = "Δ "
"""Before a column's name: its change against the readings before."""

TOWER_METRICS = (
    *("availability_pct", "latency_ms", "throughput_mbps"),
    *("drop_rate_pct", "energy_kwh", "traffic_gb"),
)

FAR, VERY_FAR = 0.55, 1.5
"""Spreads from the middle from which on a centre is `above` or `below`, and `far above`."""
MOST_NAMED = 3

STRUCTURE = ((0.7, "strong"), (0.5, "reasonable"), (0.25, "weak"))
"""What a silhouette says of clusters (Kaufman & Rousseeuw 1990, "Finding Groups in Data")."""

_WORDS: Mapping[str, tuple[str, str]] = {
    "availability_pct": ("disponibilidade", "availability"),
    "latency_ms": ("latência", "latency"),
    "throughput_mbps": ("vazão", "throughput"),
    "drop_rate_pct": ("taxa de queda", "drop rate"),
    "energy_kwh": ("energia", "energy"),
    "traffic_gb": ("tráfego", "traffic"),
    "temperature_c": ("temperatura", "temperature"),
    "vibration_mm_s": ("vibração", "vibration"),
    "voltage_v": ("tensão", "voltage"),
    "current_a": ("corrente", "current"),
    "pressure_bar": ("pressão", "pressure"),
    "battery_health_pct": ("saúde da bateria", "battery health"),
    "load_pct": ("carga", "load"),
    "age_months": ("idade", "age"),
    "humidity_pct": ("umidade", "humidity"),
    "fuel_pct": ("combustível", "fuel"),
    "air_temperature_k": ("temperatura do ar", "air temperature"),
    "process_temperature_k": ("temperatura do processo", "process temperature"),
    "rotational_speed_rpm": ("rotação", "rotational speed"),
    "torque_nm": ("torque", "torque"),
    "tool_wear_min": ("desgaste da ferramenta", "tool wear"),
}
UNITS: Mapping[str, str] = {
    "pct": "%",
    "ms": "ms",
    "mbps": "Mbit/s",
    "kwh": "kWh",
    "gb": "GB",
    "c": "°C",
    "k": "K",
    "mm_s": "mm/s",
    "v": "V",
    "a": "A",
    "bar": "bar",
    "months": "meses",
    "rpm": "rpm",
    "nm": "N·m",
    "min": "min",
}
"""Units by how a column's name ends."""


@dataclass(frozen=True)
class ProfileValue:
    """One feature of a cluster: its median, that of all members, and how far the centre lies from
    the middle, in arsinh of spreads (1.35 of which make the range between the quartiles)."""

    feature: str
    value: float | None
    overall: float | None
    spreads: float


@dataclass(frozen=True)
class Cluster:
    """One cluster of the published run. `size` counts the members in view; all else is of all
    members. `silhouette` is their mean; of equipment, `failure_rate` is how many of the readings on
    record that are like the cluster's were followed by a failure within the horizon."""

    number: int
    name: str
    size: int
    silhouette: float | None
    failure_rate: float | None
    mean_risk: float | None
    profile: list[ProfileValue]


@dataclass(frozen=True)
class Pull:
    """What a feature adds to a member's being in its cluster and not in the next nearest one, as a
    share of everything that pulls it there; negative where it pulls away."""

    feature: str
    value: float | None
    share: float


@dataclass(frozen=True)
class ClusterMember:
    """One machine or tower. `previous` is its cluster one window before (towers alone), `next` the
    second nearest."""

    member: str
    site: str
    uf: str | None
    kind: str | None
    cluster: int
    name: str
    previous: int | None
    next: int | None
    silhouette: float | None
    distance: float | None
    features: dict[str, float | None]
    pulls: list[Pull]


@dataclass(frozen=True)
class Choice:
    """What spoke for a number of clusters."""

    clusters: int
    silhouette: float
    stability: float


@dataclass(frozen=True)
class ClusterSummary:
    """How the clusters of a family came about. `reason`: why there are none, where there are
    none: `not_loaded` (its file), `too_few` members, `not_in_run` (published before they were
    made)."""

    family: Family
    reason: str | None
    silhouette: float | None = None
    stability: float | None = None
    choices: tuple[Choice, ...] = ()
    window_days: int | None = None
    window_end: date | None = None
    moved: int | None = None
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class TowerTrend:
    """A tower's figure over the last days: its change in 30 days, and where its level broke: the
    first day of the new level, the medians before and after. `p` is Pettitt's, adjusted for the
    number of towers and figures (Benjamini & Hochberg 1995)."""

    site: str
    uf: str | None
    metric: str
    per_month: float | None
    changed_on: date | None
    before: float | None
    after: float | None
    p: float | None


@dataclass(frozen=True)
class TowerTrends:
    """The first trends of a list, of how many in all, and in how many of these a level broke."""

    rows: list[TowerTrend]
    count: int
    broken: int


def feature_words(feature: str, locale: str) -> str:
    """A column in plain words: known ones by the table, others by their name."""
    english = locale == "en"
    if feature.startswith(CHANGE):
        changed = feature_words(feature.removeprefix(CHANGE), locale)
        return f"change in {changed}" if english else f"variação de {changed}"
    known = _WORDS.get(feature)
    return known[english] if known else feature.replace("_", " ").strip()


def unit_of(feature: str, locale: str) -> str:
    """The unit that the column's name ends with, percentage points of a change of per cents; empty
    if it names none."""
    plain = feature.removeprefix(CHANGE)
    endings = (ending for ending in UNITS if plain.endswith(f"_{ending}"))
    unit = UNITS.get(max(endings, key=len, default=""), "")
    if unit == "%" and plain != feature:
        return "p.p."
    return "months" if unit == "meses" and locale == "en" else unit


def names_of(profiles: Sequence[Mapping[str, float]]) -> list[dict[str, str]]:
    """A name in each language for every cluster, from the spreads of its centre by feature; more
    features are named where two would be called the same."""
    for most in range(MOST_NAMED, max((len(one) for one in profiles), default=0) + 1):
        names = [{locale: _name(one, locale, most) for locale in LOCALES} for one in profiles]
        if len({name[LOCALES[0]] for name in names}) == len(names):
            return names
    names = [{locale: _name(one, locale, MOST_NAMED) for locale in LOCALES} for one in profiles]
    return [
        {locale: f"{words} ({number})" for locale, words in name.items()}
        if sum(other == name for other in names) > 1
        else name
        for number, name in enumerate(names, start=1)
    ]


def _name(profile: Mapping[str, float], locale: str, most: int) -> str:
    english = locale == "en"
    marked = sorted(profile, key=lambda one: (-abs(profile[one]), one))[:most]
    groups: dict[str, list[str]] = {}
    for feature in marked:
        if (said := _away(profile[feature], english)) is not None:
            groups.setdefault(said, []).append(feature_words(feature, locale))
    if not groups:
        return "Near the middle in everything" if english else "Perto do meio em tudo"
    joined = "; ".join(f"{_listed(words, english)} {said}" for said, words in groups.items())
    return joined[:1].upper() + joined[1:]


def _away(spreads: float, english: bool) -> str | None:
    if abs(spreads) < FAR:
        return None
    side = ("above", "acima") if spreads > 0 else ("below", "abaixo")
    very = abs(spreads) >= VERY_FAR
    if english:
        return f"{'far ' if very else ''}{side[0]} normal"
    return f"{'muito ' if very else ''}{side[1]} do normal"


def _listed(words: Sequence[str], english: bool) -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {'and' if english else 'e'} {words[-1]}"


def structure(silhouette: float) -> str:
    """`strong`, `reasonable`, `weak` or `none`: how much the clusters are apart."""
    return next((word for least, word in STRUCTURE if silhouette >= least), "none")
