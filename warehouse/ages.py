"""How old at most, in seconds, what is shown may be, by what it is: the one table of these times.

What changes has another data version, hence another key, and is shown at once. These bound what has
not changed: a read model is kept for its time less ENCODED_SECONDS, and the answers and pages that
are made of it for those.
"""

ENCODED_SECONDS = 15
"""How long encoded answers and pages are kept."""

KPIS = 30
WORK = 60
"""Alerts, recommendations and overrides with what people have decided."""
CLUSTERING = 300
FACTS = 300
"""Parts, stock, orders, suppliers, contracts, projects, savings, and choices among them."""
FORECASTS = 3600
"""Forecasts of every level, the models and drivers behind them, their overrides' value."""
PRESCRIPTIVE = 3600
"""Stock levels, receipts."""
