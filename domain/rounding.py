"""How numbers that people read are rounded: halves away from zero, as tables in the browser do."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from math import isfinite

NOISE = 6
"""Decimals beyond those shown that count: what is after them, floats lose in adding up."""
WHOLE = 1e-4
"""What a number of packs or units may lack to be taken for whole."""


def rounded(value: float | Decimal, digits: int) -> Decimal:
    """The number with so many decimals; no zero has a sign."""
    if not isfinite(value):
        return Decimal(value)
    exact = Decimal(str(round(value, digits + NOISE)))
    return exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP) + 0
