"""A soak misses its bars where answers fail, the rate is not reached, or something grows."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from typing import Any

import pytest

from benchmarks.soak import Seen, judged

ASKED = Namespace(minutes=1.0, rate=50.0)


def missed(open_work: int = 0, left: int = 0, **more: Any) -> set[str]:
    looks = [(float(second), 100_000_000) for second in range(31)]
    links = [(float(second), 10) for second in range(31)]
    good: dict[str, Any] = {"elapsed": 60.0, "turns": 3000, "statuses": Counter({"200": 3600})}
    seen = Seen(**good | {"memory": looks, "connections": links} | more)
    return {
        bar.name.partition(",")[0] for bar in judged(seen, open_work, left, ASKED) if not bar.ok
    }


@pytest.mark.parametrize(
    ("more", "bar"),
    [
        ({"statuses": Counter({"200": 3599, "500": 1})}, "answers that failed"),
        ({"statuses": Counter({"200": 3599, "ConnectionError": 1})}, "answers that failed"),
        ({"elapsed": 80.0}, "requests a second"),
        ({"memory": [(float(at), 100_000_000 + at * 1_000_000) for at in range(31)]}, "memory"),
        ({"connections": [(float(at), 10 + at) for at in range(31)]}, "connections"),
        ({"open_work": 1}, "connections at rest in a transaction"),
        ({"left": 1}, "connections left when the server ended"),
    ],
)
def test_each_bar_can_be_missed(more: dict[str, Any], bar: str) -> None:
    assert missed() == set()
    assert missed(**more) == {bar}
