"""What lead times cost in safety stock: later deliveries, and late ones.

By the textbook's formula (`domain.inventory.safety_stock`), element by element: quantities in units
of issue, times in days, rates per day.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from domain.inventory import safety_stock


def later_stock(
    service_level: ArrayLike,
    demand_std: ArrayLike,
    lead_time_days: ArrayLike,
    daily_demand: ArrayLike,
    lead_time_std: ArrayLike,
    days: float,
) -> NDArray[np.float64]:
    """Units of safety stock that deliveries `days` later call for: SS(L + days) − SS(L)."""
    lead = np.asarray(lead_time_days, float)
    before, after = (
        safety_stock(service_level, demand_std, one, daily_demand, lead_time_std)
        for one in (lead, lead + days)
    )
    return after - before


def lateness_stock(
    service_level: ArrayLike,
    demand_std: ArrayLike,
    lead_time_days: ArrayLike,
    daily_demand: ArrayLike,
    lead_time_std: ArrayLike,
    contract_days: ArrayLike,
) -> NDArray[np.float64]:
    """Units of safety stock beyond what deliveries as contracted, always after so many days, would
    call for: SS(L, σ_L) − SS(L_c, 0); below 0 where the supplier is quicker."""
    now = safety_stock(service_level, demand_std, lead_time_days, daily_demand, lead_time_std)
    return now - safety_stock(service_level, demand_std, contract_days, daily_demand)
