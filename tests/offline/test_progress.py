"""A bar on a terminal, lines elsewhere."""

from __future__ import annotations

import io

import pytest

from models_offline import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_lines_say_share_time_left_and_what(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)
    stream = io.StringIO()
    with progress.Progress("models", 4, stream) as bar:
        bar.advance(1, "arima")
        bar.advance(3, "lstm")
    first, second, last = stream.getvalue().splitlines()
    assert first.startswith("models: 25 %, about ") and first.endswith("s left (arima)")
    assert second.startswith("models: 100 %")
    assert last.startswith("models: 100 % in ")


def test_lines_are_rare() -> None:
    stream = io.StringIO()
    with progress.Progress("models", 1000, stream) as bar:
        for _ in range(999):
            bar.advance(1, "arima")
    assert stream.getvalue() == ""


def test_a_terminal_gets_a_bar() -> None:
    stream = Terminal()
    with progress.Progress("models", 2, stream) as bar:
        bar.advance(1, "arima")
        bar.advance(1, "lstm")
    assert "100%|" in stream.getvalue()
