"""What expected failures take of spare parts, by part and depot: risk × installed base."""

from __future__ import annotations

import pandas as pd

from domain.failure_risk import failures_distribution, quantiles_of

COLUMNS = ("sku", "site", "equipment_kind", "machines", "mean", "p10", "p50", "p90")


def expected(risks: pd.DataFrame, parts: pd.DataFrame, sites: pd.DataFrame) -> pd.DataFrame:
    """Units of each part that the machines served by a depot are expected to take over the horizon.

    `risks` has site, kind and probability of each machine, `parts` kind, sku and units a failure. A
    site without a depot serves itself. Machines are taken to fail independently of each other.
    """
    if risks.empty or parts.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    rows = []
    for (depot, kind), mine in risks.groupby([_served(risks, sites), "kind"], sort=True):
        chances = failures_distribution(mine["probability"].to_numpy(float))
        failures = quantiles_of(chances)
        fitting = parts[parts["kind"] == kind]
        for sku, units in zip(fitting["sku"], fitting["units"].tolist(), strict=True):
            mean = units * float(mine["probability"].sum())
            rows.append((sku, depot, kind, len(mine), mean, *(units * one for one in failures)))
    found = pd.DataFrame(rows, columns=list(COLUMNS))
    return found.sort_values(["sku", "site", "equipment_kind"], kind="stable", ignore_index=True)


def mean_units(risks: pd.DataFrame, parts: pd.DataFrame, sites: pd.DataFrame) -> pd.Series:
    """The means of `expected` alone, by sku and site, over all kinds of machines."""
    depots = _served(risks, sites).rename("depot")
    failures = risks.groupby([depots, "kind"])["probability"].sum().reset_index()
    needed = failures.merge(parts, on="kind")
    needed = needed.assign(units=needed["units"] * needed["probability"])
    units: pd.Series = needed.groupby(["sku", "depot"])["units"].sum().rename_axis(["sku", "site"])
    return units


def _served(risks: pd.DataFrame, sites: pd.DataFrame) -> pd.Series:
    """The depot that serves each machine."""
    depots = sites.set_index("site")["depot"]
    return risks["site"].map(depots).fillna(risks["site"])
