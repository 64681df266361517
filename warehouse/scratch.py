"""Room for what is written before it is sent: under NOVA_HOME, since /tmp may be memory."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from config import get_settings

KEPT_SECONDS = 3600
"""What a killed process leaves is cleared away after that."""


@contextmanager
def folder() -> Iterator[Path]:
    """A folder of one's own, for this account alone, gone afterwards."""
    place = get_settings().home / "scratch"
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    for left in older_than(KEPT_SECONDS, place):
        shutil.rmtree(left, ignore_errors=True)
    with TemporaryDirectory(dir=place) as made:
        yield Path(made)


def older_than(seconds: float, place: Path) -> Iterator[Path]:
    """What lies in a folder unchanged for longer; other processes may clear it away meanwhile."""
    for left in place.iterdir():
        with suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > seconds:
                yield left
