"""What the commands tell the person who started them. Standard library only."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

STARTED = time.monotonic()


class Failed(Exception):
    """A step did not work; the message is what to show."""


def say(message: str) -> None:
    """One progress line with the seconds since the command began."""
    print(f"[{time.monotonic() - STARTED:6.1f} s] {message}", flush=True)


def main_of(command: Callable[[], object]) -> None:
    """Runs a command; a failed step ends it with one clear message and exit code 1."""
    try:
        command()
    except Failed as error:
        print(f"\n{error}", file=sys.stderr, flush=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
