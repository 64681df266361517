"""What was saved: the old policy's costs less ours on the same demand, in BRL. Below 0, ours cost
more. How both are played is said in `warehouse.pipeline.savings`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

YEAR_MONTHS = 12


@dataclass(frozen=True)
class SavingsTotal:
    """All months in view. `months` of them, from `first` to `last` (first days of months).

    old_brl, new_brl: costs of both sides; identified_brl: what ours would have saved; accepted_brl:
    of that, of item-depots for which a recommendation was accepted; realised_brl: the old policy's
    costs less the recorded ones in the months after that, None where there is none. recorded: the
    share of the rows whose old side is what the files recorded, the others' is the textbook.
    annual_brl: identified in a year, the sum of twelve months or of fewer × 12 ÷ months.
    """

    months: int
    first: date | None
    last: date | None
    item_sites: int
    old_brl: float
    new_brl: float
    identified_brl: float
    accepted_brl: float
    realised_brl: float | None
    recorded: float | None
    annual_brl: float | None


@dataclass(frozen=True)
class SavingsMonth:
    """One month over what is in view; costs of both sides by kind."""

    month: date
    item_sites: int
    old_holding: float
    old_stockout: float
    old_expediting: float
    old_ordering: float
    new_holding: float
    new_stockout: float
    new_expediting: float
    new_ordering: float
    old_brl: float
    new_brl: float
    identified_brl: float
    accepted_brl: float
    realised_brl: float | None


@dataclass(frozen=True)
class SavingsRow:
    """One item-depot in one month. `basis`: recorded or textbook; stock in units, in the mean;
    missed: requests that stock did not serve."""

    month: date
    sku: str
    item_name: str | None
    site: str
    uf: str | None
    basis: str
    old_holding: float
    old_stockout: float
    old_expediting: float
    old_ordering: float
    new_holding: float
    new_stockout: float
    new_expediting: float
    new_ordering: float
    old_stock: float
    new_stock: float
    old_missed: float
    new_missed: float
    old_brl: float
    new_brl: float
    identified_brl: float
    accepted: bool
    realised_brl: float | None


@dataclass(frozen=True)
class SavingsItem:
    """One item-depot over all months."""

    sku: str
    item_name: str | None
    site: str
    uf: str | None
    months: int
    old_brl: float
    new_brl: float
    identified_brl: float
    accepted: bool
    realised_brl: float | None


def annual(total: float | None, months: int) -> float | None:
    """What a year comes to at the pace of so many months; None without any."""
    return total * YEAR_MONTHS / months if total is not None and months else None
