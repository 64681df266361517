"""`make bench` tells of each part as it is measured, whatever becomes of another."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from benchmarks import __main__ as bench
from benchmarks.__main__ import Found
from benchmarks.bar import Bar
from config import get_settings


def test_a_part_that_fails_is_a_bar_missed_and_the_next_is_measured(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = Found()

    def broken() -> list[Bar]:
        raise RuntimeError("the server is gone\nand more")

    found.measure("data", "loading", broken)
    found.measure("requests", "opened pages", lambda: [Bar("the page /main", 1.0, 3.0)])
    assert [bar.ok for bar in found.bars] == [False, True]
    printed = capsys.readouterr()
    assert "MISSED the server is gone" in printed.out and "the page /main" in printed.out
    assert "Traceback" in printed.err


def measured_of(**ratios: float) -> Any:
    def measured(_home: Path, parts: Sequence[str]) -> Found:
        found = Found()
        for part in parts:
            bar = Bar(f"the {part}", ratios[part], 1.0)
            found.measure(part, part, partial(list, [bar]))
        return found

    return measured


def test_a_part_measured_again_leaves_the_others_in_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = get_settings().model_copy(update={"home": tmp_path})
    monkeypatch.setattr(bench, "get_settings", lambda: settings)
    monkeypatch.setattr(bench, "build", lambda home: home)
    monkeypatch.setattr(bench, "measured", measured_of(requests=0.5, data=1.5, training=0.9))
    assert bench.main([]) == 1, "a bar is missed"
    monkeypatch.setattr(bench, "measured", measured_of(data=0.75))
    assert bench.main(["data"]) == 0
    report = json.loads((tmp_path / "bench.json").read_text())
    found = {bar["name"]: (bar["ratio"], bar["limit"], bar["ok"]) for bar in report["bars"]}
    assert found == {
        "the requests": (0.5, 1.0, True),
        "the training": (0.9, 1.0, True),
        "the data": (0.75, 1.0, True),
    }
    with pytest.raises(SystemExit):
        bench.main(["everything"])
