"""How numbers that people read are rounded: halves away from zero, as tables in the browser do."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from math import isfinite

NOISE = 6
"""Decimals beyond those shown that count: what is after them, floats lose in adding up."""


def rounded(value: float | Decimal, digits: int) -> Decimal:
    """The number with so many decimals; no zero has a sign."""
    if not isfinite(value):
        return Decimal(value)
    exact = Decimal(str(round(value, digits + NOISE)))
    return exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP) + 0
