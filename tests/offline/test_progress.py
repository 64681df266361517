"""A bar on a terminal, lines elsewhere."""

from __future__ import annotations

import io
import time

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


def test_the_last_line_comes_whatever_the_order_of_the_units() -> None:
    units = [0.1] * 10 + [3.0, 0.7]
    stream = io.StringIO()
    with progress.Progress("models", sum(units), stream) as bar:
        for unit in reversed(units):
            bar.advance(unit, "arima")
    assert bar.done < bar.total
    assert stream.getvalue() == "models: 100 % in 0 s\n"


def test_the_share_never_goes_back_and_lines_come_while_nothing_is_finished(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LOOKS", 0.01)
    stream = io.StringIO()
    with progress.Progress("models", 5, stream) as bar:
        while stream.getvalue().count("\n") < 2:
            time.sleep(0.01)
        for _ in range(5):
            bar.advance(1, "arima")
            time.sleep(0.02)
    lines = stream.getvalue().splitlines()
    shares = [int(line.split()[1]) for line in lines]
    assert lines[0] == "models: 0 % after 0 s"
    assert shares == sorted(shares) and shares[-1] == 100


def test_what_failed_does_not_say_that_it_is_done() -> None:
    stream = io.StringIO()
    with pytest.raises(OSError), progress.Progress("models", 2, stream) as bar:
        bar.advance(1, "arima")
        raise OSError
    assert stream.getvalue() == ""
