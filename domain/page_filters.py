"""The filters that all pages share, which of them each page can apply, and what else its address
may say. An address of another version, or with words that are not here, is answered with a notice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import unquote

from domain.access import Permission
from domain.formulas import FORMULAS
from domain.records import Filters
from domain.viewer import N_
from domain.what_if import LIMITS

VERSION = "1"
SERIES = ("region", "uf", "family", "abc", "xyz", "supplier", "contract", "sku", "site")
SHARED = ("period", *SERIES)
"""The filters of all pages, in the order of the bar."""

FIRST = ("period", "region", "uf", "family", "abc")
"""What the bar shows; the others wait behind its button until they are chosen."""

PERIODS = {"90": 90, "180": 180, "365": 365, "1095": 1095, "all": None}
"""Days back from the end of the data, by their names in the address."""
DEFAULT_PERIOD, EVERYTHING, OWN = "365", "all", ""
"""What pages start with; with OWN each figure keeps the span that it has by itself."""

VARIABLE = re.compile(r"<(\w+)>")
_PLACE = ("sort", "cursor", "start")
_ADJUST = ("adjust", "from", "to", "job")


@dataclass(frozen=True)
class PageFilters:
    """Of one page: the shared filters that it applies, those of them that take one value alone, the
    other names of its query, those of its path, and the period that it starts with. `raised`: its
    rows are dated by when they were raised, which is after the end of the data. `instead`: what a
    page that no period narrows shows of time. `several`: the other names that take more than one
    value."""

    shared: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    single: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    permission: Permission = Permission.READ
    period: str = DEFAULT_PERIOD
    raised: bool = False
    instead: str = ""
    several: tuple[str, ...] = ()

    @property
    def alone(self) -> tuple[str, ...]:
        """The names that take one value alone."""
        shared = (name for name in self.shared if name in ("period", *self.single))
        return (*shared, *(name for name in self.own if name not in self.several))


_ONE = ("sku", "site")
_MAP = (
    ("period", "region", "uf", "family", "abc", "xyz", "supplier", "site"),
    ("measure", "layers"),
)
_INVENTORY = ("search", "class", "flag", *_PLACE, "item", "depot", "tab")
_CLUSTERS = ("of", "search", "cluster", *_PLACE, "risk_cursor", "risk_start")
_MODELS = ("class", "models")
_FORECASTS = ("level", "area", "family", "models", *_ADJUST)
_MATERIAL, _DATED = ("tab", "alert", "driver", *_PLACE, *_ADJUST, "models"), ("period", "site")
_INPUTS = tuple(sorted({name for formula in FORMULAS.values() for name in formula.inputs}))
_WHAT_IF = (*LIMITS, "supplier", "family", "uf", "strike", "levels", "measure")
_A_MONTH = N_("Penalties go by calendar months: choose one here.")
_QUEUE = ("kind", "status", "search", *_PLACE)

PAGES: Mapping[str, PageFilters] = {
    "/main": PageFilters(SHARED, ("measure",), period=OWN),
    "/alerts": PageFilters(
        SHARED,
        (*_QUEUE, "level", "owner"),
        period=OWN,
        raised=True,
        several=("kind", "status", "level"),
    ),
    "/recommendations": PageFilters(
        SHARED, _QUEUE, period=OWN, raised=True, several=("kind", "status")
    ),
    "/sla": PageFilters(
        ("region", "uf", "contract"),
        ("month", "state", "search"),
        instead=_A_MONTH,
        several=("state",),
    ),
    "/sla/<contract>": PageFilters(
        ("region", "uf"), ("month", "outages", *_PLACE), instead=_A_MONTH
    ),
    "/regions": PageFilters(*_MAP, period=OWN, several=("layers",)),
    "/forecasts": PageFilters(("period", *_ONE), _FORECASTS, _ONE, several=("models",)),
    "/features": PageFilters(SERIES, ("tab", *_MODELS), _ONE, several=("models",)),
    "/features?tab=map": PageFilters(_MAP[0], ("tab", *_MAP[1]), period=OWN, several=("layers",)),
    "/features?tab=clusters": PageFilters(("region", "uf"), ("tab", *_CLUSTERS)),
    "/features?tab=prescriptive": PageFilters(SHARED, ("tab",), period=OWN, raised=True),
    "/features?tab=formulas": PageFilters(_ONE, ("tab", "formula", *_INPUTS), _ONE),
    "/savings": PageFilters(SHARED, ("month", *_PLACE), period=EVERYTHING),
    "/what-if": PageFilters(_ONE, _WHAT_IF, _ONE),
    "/drivers": PageFilters(SHARED, ("driver", "measure"), period=OWN),
    "/inventory": PageFilters(SHARED, _INVENTORY, several=("class", "flag")),
    "/materials": PageFilters(SERIES, ("search", "class", *_PLACE), several=("class",)),
    "/materials/<sku>": PageFilters((), _MATERIAL),
    "/materials/<sku>?tab=demand": PageFilters(_DATED, _MATERIAL, ("site",)),
    "/materials/<sku>?tab=stock": PageFilters(("site",), _MATERIAL, ("site",)),
    "/materials/<sku>?tab=forecast": PageFilters(_DATED, _MATERIAL, ("site",)),
    "/materials/<sku>?tab=drivers": PageFilters(_DATED, _MATERIAL, ("site",), period=OWN),
    "/suppliers": PageFilters(SHARED, ("kind", "search"), several=("kind",)),
    "/suppliers/<supplier>": PageFilters(("period",), _PLACE),
    "/projects": PageFilters(
        ("period", "region", "uf"),
        ("state", "materials", "search", "cursor", "start"),
        period=EVERYTHING,
        several=("state",),
    ),
    "/projects/<project>": PageFilters(instead=N_("A project is shown over its whole plan.")),
    "/admin/data": PageFilters(
        (),
        (
            "load",
            "job",
            "publish",
            "cursor",
            "start",
            "loads_cursor",
            "loads_start",
            "runs_cursor",
            "runs_start",
        ),
        permission=Permission.LOAD_DRY_RUN,
    ),
    "/admin/settings": PageFilters((), ("job",), permission=Permission.MANAGE_SETTINGS),
    "/admin/reports": PageFilters((), ("cursor", "start"), permission=Permission.MANAGE_USERS),
    "/admin/users": PageFilters(permission=Permission.MANAGE_USERS),
    "/admin/users/<user_id>": PageFilters(permission=Permission.MANAGE_USERS),
    "/admin/new-user": PageFilters(permission=Permission.MANAGE_USERS),
    "/admin/audit": PageFilters(
        (),
        ("row", "from", "to", "actor", "action", "object", "verify", "cursor", "start"),
        permission=Permission.READ_AUDIT,
    ),
}
_TEMPLATES = tuple(name for name in PAGES if "<" in name and "?" not in name)


def of_page(path: str, tab: str = "") -> PageFilters | None:
    """What the page at this path understands, on this tab of it; None if there is no page."""
    leading = (name for name in _TEMPLATES if _told(name, path))
    name = path if path in PAGES else next(leading, None)
    if name is None:
        return None
    found = PAGES.get(f"{name}?tab={tab}", PAGES[name])
    return replace(found, variables=() if name == path else tuple(VARIABLE.findall(name)))


def variables_at(path: str) -> dict[str, str]:
    """What a browser's path holds for the variables of its page, decoded once: of
    `/materials/A%2F1` {"sku": "A/1"}."""
    found = (_told(name, f"/{path.strip('/')}") for name in _TEMPLATES)
    told = next((one.groupdict() for one in found if one), {})
    return {name: unquote(value) for name, value in told.items()}


def within(period: str, filters: Filters, last: date | None) -> Filters:
    """The same with the dates of a period that ends with the data; OWN has none."""
    if period == OWN or last is None:
        return filters
    days = PERIODS[period]
    first = None if days is None else last - timedelta(days=days - 1)
    return replace(filters, date_from=first, date_to=last)


def permission_at(path: str) -> Permission | None:
    """What the page at this path asks for; None if there is no page."""
    page = of_page(path)
    return None if page is None else page.permission


def understood() -> dict[str, Any]:
    """The version of addresses, and of each page which shared filters it takes (`one`: with one
    value alone): what the browser carries from page to page."""
    pages = {name: {"shared": page.shared, "one": page.single} for name, page in PAGES.items()}
    return {"version": VERSION, "shared": SHARED, "pages": pages}


def _told(name: str, path: str) -> re.Match[str] | None:
    """The variables in a path that leads to this page; None if it leads elsewhere."""
    return re.fullmatch(VARIABLE.sub(r"(?P<\1>.+)", name), path, re.DOTALL)
