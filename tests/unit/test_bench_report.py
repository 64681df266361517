"""`make bench` tells of each part as it is measured, whatever becomes of another."""

from __future__ import annotations

import pytest

from benchmarks.__main__ import Found
from benchmarks.bar import Bar


def test_a_part_that_fails_is_a_bar_missed_and_the_next_is_measured(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = Found()

    def broken() -> list[Bar]:
        raise RuntimeError("the server is gone\nand more")

    found.measure("loading", broken)
    found.measure("opened pages", lambda: [Bar("the page /main", 1.0, 3.0)])
    assert [bar.ok for bar in found.bars] == [False, True]
    printed = capsys.readouterr()
    assert "MISSED the server is gone" in printed.out and "the page /main" in printed.out
    assert "Traceback" in printed.err
