"""The transport problem against brute force, and what a good set of moves may never do."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from domain.transport import best_moves, kilometres


def best_by_hand(surplus: np.ndarray, need: np.ndarray, gain: np.ndarray, fixed: np.ndarray):
    """The highest value of all whole moves, tried one by one."""
    shape = gain.shape
    best = 0.0
    for flat in product(range(int(max(surplus.max(), need.max())) + 1), repeat=gain.size):
        moves = np.array(flat).reshape(shape)
        if (moves.sum(axis=1) <= surplus).all() and (moves.sum(axis=0) <= need).all():
            best = max(best, value(moves, gain, fixed))
    return best


def value(moves: np.ndarray, gain: np.ndarray, fixed: np.ndarray) -> float:
    return float((moves * gain - (moves > 0) * fixed).sum())


@contextmanager
def taking_at_most(more: int) -> Iterator[None]:
    """Here so many bytes more than there are now can be had."""
    limits = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + more, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)


@pytest.mark.parametrize("seed", range(6))
def test_no_other_moves_are_worth_more(seed: int) -> None:
    rng = np.random.default_rng(seed)
    surplus, need = rng.integers(0, 4, 2), rng.integers(0, 4, 3)
    gain, fixed = rng.normal(2, 4, (2, 3)).round(2), rng.gamma(1, 3, (2, 3)).round(2)
    moves = best_moves(surplus, need, gain, fixed)
    assert (moves >= 0).all()
    assert (moves.sum(axis=1) <= surplus).all()
    assert (moves.sum(axis=0) <= need).all()
    assert value(moves, gain, fixed) == pytest.approx(best_by_hand(surplus, need, gain, fixed))


def test_one_lorry_is_better_than_two() -> None:
    """Near and far could share the need, but each move has its price."""
    moves = best_moves([6, 10], [10], [[5.0], [4.8]], [[20.0], [20.0]])
    assert moves.tolist() == [[0], [10]]


def test_what_many_depots_may_give_to_many_fits_into_memory() -> None:
    """The surplus of each is enough for all, so each receiver takes from where it gains most."""
    count, gibibyte = 150, 2**30
    gain = np.random.default_rng(0).uniform(1, 2, (count, count))
    fixed, surplus, need = np.full_like(gain, 0.5), np.full(count, 10_000), np.full(count, 7)
    with taking_at_most(gibibyte):
        moves = best_moves(surplus, need, gain, fixed, seconds=300)
    assert (moves.argmax(axis=0) == gain.argmax(axis=0)).all()
    assert moves.max(axis=0).tolist() == moves.sum(axis=0).tolist() == [7] * count


def test_parts_of_units_stay() -> None:
    assert best_moves([2.9], [5.5], [[1.0]], [[0.0]]).tolist() == [[2]]


def test_nothing_moves_where_nothing_is_gained() -> None:
    assert best_moves([5], [5], [[-1.0]], [[0.0]]).tolist() == [[0]]
    assert best_moves([5], [5], [[1.0]], [[5.0]]).tolist() == [[0]]


def test_distances_are_those_of_the_globe() -> None:
    sao_paulo, rio = (-23.5505, -46.6333), (-22.9068, -43.1729)
    km = kilometres([sao_paulo[0]], [sao_paulo[1]], [rio[0], sao_paulo[0]], [rio[1], sao_paulo[1]])
    assert km[0].tolist() == pytest.approx([360.7, 0.0], abs=1)
