"""Which surplus goes where: the transport problem with a price on every move that is made."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Units = NDArray[np.int64]

SECONDS = 5.0
"""What one problem may take; the best moves found by then are as good as any in practice."""


def best_moves(
    surplus: ArrayLike,
    need: ArrayLike,
    gain: ArrayLike,
    fixed: ArrayLike,
    seconds: float = SECONDS,
) -> Units:
    """Whole units to move from each giver to each receiver, shape (givers, receivers).

    Maximises Σ gain·x − Σ fixed over the moves made, with Σ x ≤ surplus of every giver and ≤ need
    of every receiver: a fixed-charge transport problem (Hirsch & Dantzig 1968), solved as a mixed
    integer program. surplus and need are units, cut to whole ones; gain is BRL a unit, fixed BRL a
    move, both (givers, receivers). What is not worth its price stays where it is. The best moves
    that were found in so many seconds.
    """
    from scipy import sparse
    from scipy.optimize import Bounds, LinearConstraint, milp

    given = np.floor(np.maximum(np.asarray(surplus, float), 0))
    wanted = np.floor(np.maximum(np.asarray(need, float), 0))
    per_unit, per_move = np.asarray(gain, float), np.asarray(fixed, float)
    most = np.minimum.outer(given, wanted)
    useful = (most > 0) & (most * per_unit > per_move)
    moves = np.zeros(most.shape, np.int64)
    if not useful.any():
        return moves
    giver, receiver = np.nonzero(useful)
    count, limit = len(giver), most[useful]
    ones, move = np.ones(count), np.arange(count)
    of_giver = sparse.coo_array((ones, (giver, move)), (len(given), count))
    of_receiver = sparse.coo_array((ones, (receiver, move)), (len(wanted), count))
    if_made = [sparse.eye_array(count), -sparse.diags_array(limit)]
    rows = sparse.block_array([[of_giver, None], [of_receiver, None], if_made], format="csc")
    found = milp(
        np.concatenate([-per_unit[useful], per_move[useful]]),
        constraints=LinearConstraint(rows, ub=np.concatenate([given, wanted, np.zeros(count)])),
        bounds=Bounds(0, np.concatenate([limit, np.ones(count)])),
        integrality=np.ones(2 * count),
        options={"time_limit": seconds},
    )
    if found.x is not None:
        moves[giver, receiver] = np.rint(found.x[:count]).astype(np.int64)
    return moves


def kilometres(
    latitude: ArrayLike, longitude: ArrayLike, to_latitude: ArrayLike, to_longitude: ArrayLike
) -> NDArray[np.float64]:
    """Great-circle distances, shape (from, to); degrees in, km out (haversine, R = 6,371 km)."""
    here = np.radians(np.stack([np.asarray(latitude, float), np.asarray(longitude, float)]))
    there = np.radians(np.stack([np.asarray(to_latitude, float), np.asarray(to_longitude, float)]))
    north, east = (there[axis] - here[axis][:, None] for axis in (0, 1))
    square = np.sin(north / 2) ** 2
    square = square + np.cos(here[0])[:, None] * np.cos(there[0]) * np.sin(east / 2) ** 2
    return 2 * 6371.0 * np.arcsin(np.sqrt(np.clip(square, 0, 1)))
