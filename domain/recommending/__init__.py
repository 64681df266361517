"""What to do about the stock: purchases, moves, hurry, less of it, another supplier.

`recommend` (in `domain.recommending.queue`) takes frames and gives a frame: no SQL. Quantities are
in units of issue, money in BRL, times in days from `today`.
"""
