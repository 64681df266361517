"""`/drivers`."""

from __future__ import annotations

from functools import cache
from typing import Any

from dash.development.base_component import Component

from callbacks.address import Address
from callbacks.filters import bar_of
from callbacks.parts import later, lazily
from callbacks.screen import screen
from domain.access import Permission
from domain.drivers import Measure
from domain.viewer import Viewer
from layouts import drivers as layout
from warehouse.queries import drivers, status


@screen(Permission.READ)
def page(viewer: Viewer, address: Address) -> Component:
    """Every driver against the demand in view, one of them closer, and what each brings."""
    bar = bar_of(viewer, address, "/drivers")
    filters = bar.filters
    loaded = status.loaded()
    usual = "brl" if status.has_costs() else "units"
    measure: Measure = (
        "units" if address.one("measure", layout.MEASURES, usual) == "units" else "brl"
    )
    asked: dict[str, Any] = {"scope": viewer.scope, "filters": filters, "measure": measure}

    def driver_in(told: Address) -> str | None:
        names = [one.driver for one in drivers.every(**asked)]
        return told.one("driver", names, names[0]) if names else None

    driver = cache(lambda: driver_in(address))
    data = lazily(
        layout.DriversData,
        scores=lambda: drivers.every(**asked),
        driver=driver,
        chosen=lambda: driver_in(Address(address.query, viewer.t)),
        detail=lambda: drivers.detail(driver=driver() or "", **asked),
        contributions=drivers.contributions,
        bar=bar,
        filters=filters,
        measure=measure,
        missing=next((kind for kind in ("drivers", "demand") if kind not in loaded), None),
        run_id=status.current().run_id,
        notices=address.notices,
    )
    return layout.layout(data, viewer, later)
