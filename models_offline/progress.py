"""How far a run is: a bar with ETA on a terminal, else a plain line every few seconds."""

from __future__ import annotations

import sys
import threading
import time
from typing import Self, TextIO

SECONDS_BETWEEN_LINES = 5.0
SECONDS_BETWEEN_LOOKS = 1.0
ROUNDING = 1e-9
"""Units counted in another order may add up to a little less than their total."""


class Progress:
    """Counts work units on standard error, or `stream`; use as a context manager.

    It speaks while nothing is finished too, and what it says of the share never goes back.
    """

    def __init__(self, label: str, total: float, stream: TextIO | None = None) -> None:
        self.label, self.total, self.done = label, total, 0.0
        self._stream = stream or sys.stderr
        self._started = self._spoken = self._advanced = time.monotonic()
        self._what = ""
        self._bar = _bar(label, total, self._stream) if self._stream.isatty() else None
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._looking = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._looking.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._looking.join()
        if self._bar is not None:
            self._bar.close()
        elif self._is_complete:
            seconds = time.monotonic() - self._started
            print(f"{self.label}: 100 % in {seconds:.0f} s", file=self._stream, flush=True)

    @property
    def _is_complete(self) -> bool:
        return self.done >= self.total * (1 - ROUNDING)

    def advance(self, units: float, what: str) -> None:
        """Counts finished work; `what` names it in the line."""
        with self._lock:
            self.done, self._what = self.done + units, what
            self._advanced = time.monotonic()
            if self._bar is not None:
                self._bar.set_postfix_str(what, refresh=False)
                self._bar.update(min(units, self.total - self._bar.n))
            else:
                self._say()

    def _look(self) -> None:
        while not self._ended.wait(SECONDS_BETWEEN_LOOKS):
            with self._lock:
                if self._bar is not None:
                    self._bar.refresh()
                else:
                    self._say()

    def _say(self) -> None:
        now = time.monotonic()
        if now - self._spoken < SECONDS_BETWEEN_LINES:
            return
        self._spoken = now
        print(f"{self.label}: {self._state(now)}", file=self._stream, flush=True)

    def _state(self, now: float) -> str:
        if not self.done:
            return f"0 % after {now - self._started:.0f} s"
        share = min(100.0, 100 * self.done / self.total)
        needed = (self._advanced - self._started) * (self.total - self.done) / self.done
        left = max(0.0, needed - (now - self._advanced))
        return f"{share:.0f} %, about {left:.0f} s left ({self._what})"


def _bar(label: str, total: float, stream: TextIO):  # type: ignore[no-untyped-def]
    from tqdm import tqdm

    shape = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining} {postfix}"
    return tqdm(desc=label, total=total, file=stream, bar_format=shape)
