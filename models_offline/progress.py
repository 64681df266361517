"""How far a run is: a bar with ETA on a terminal, else a plain line every few seconds."""

from __future__ import annotations

import sys
import time
from typing import Self, TextIO

SECONDS_BETWEEN_LINES = 5.0


class Progress:
    """Counts work units on standard error, or `stream`; use as a context manager."""

    def __init__(self, label: str, total: float, stream: TextIO | None = None) -> None:
        self.label, self.total, self.done = label, total, 0.0
        self._stream = stream or sys.stderr
        self._started = self._spoken = time.monotonic()
        self._bar = _bar(label, total, self._stream) if self._stream.isatty() else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()
        elif self.done >= self.total:
            seconds = time.monotonic() - self._started
            print(f"{self.label}: 100 % in {seconds:.0f} s", file=self._stream, flush=True)

    def advance(self, units: float, what: str) -> None:
        """Counts finished work; `what` names it in the line."""
        self.done += units
        if self._bar is not None:
            self._bar.set_postfix_str(what, refresh=False)
            self._bar.update(min(units, self.total - self._bar.n))
        else:
            self._say(what)

    def _say(self, what: str) -> None:
        now = time.monotonic()
        if now - self._spoken < SECONDS_BETWEEN_LINES or not self.done:
            return
        self._spoken = now
        left = (now - self._started) * (self.total - self.done) / self.done
        share = 100 * self.done / self.total
        line = f"{self.label}: {share:.0f} %, about {left:.0f} s left ({what})"
        print(line, file=self._stream, flush=True)


def _bar(label: str, total: float, stream: TextIO):  # type: ignore[no-untyped-def]
    from tqdm import tqdm

    shape = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining} {postfix}"
    return tqdm(desc=label, total=total, file=stream, bar_format=shape)
