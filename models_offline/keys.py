"""Names of fits by their content: the same name means the same numbers, whoever computed them.

A fit's key is the SHA-256 of everything that its result depends on: the trainer's own source, the
versions of all installed libraries, the model, its setup (seed included) and the history.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from functools import lru_cache
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from models_offline.models.base import Setup

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("models_offline", "domain")
KEY_BYTES = 16
PLAIN = (str, int, float, bool, type(None))


@lru_cache
def libraries() -> dict[str, str]:
    """Name → version of everything that is installed beside the trainer."""
    found = {one.metadata["Name"]: one.version for one in distributions()}
    return dict(sorted(found.items(), key=lambda pair: pair[0].lower()))


@lru_cache
def code() -> str:
    """SHA-256 of the trainer's source files."""
    digest = hashlib.sha256()
    for room in SOURCES:
        for path in sorted((ROOT / room).rglob("*.py")):
            digest.update(f"{path.relative_to(ROOT)}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


@lru_cache
def environment() -> str:
    """SHA-256 of the source, the libraries and the machine that fits are made with."""
    facts = (code(), platform.python_version(), platform.machine(), libraries())
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def of_model(model: str, setup: Setup) -> bytes:
    """What all fits of one model in one run share."""
    facts = (environment(), model, described(setup))
    return hashlib.sha256(repr(facts).encode()).digest()


def of_fit(shared: bytes, histories: Iterable[bytes], start: bytes = b"") -> bytes:
    """A fit's key; `start` is the key of the fit whose weights it goes on from."""
    digest = hashlib.sha256(shared)
    for history in histories:
        digest.update(history)
    digest.update(start)
    return digest.digest()[:KEY_BYTES]


def described(value: Any) -> Any:
    """A setup as plain values. Raises TypeError for one whose content would not be seen."""
    if isinstance(value, PLAIN):
        return value
    if is_dataclass(value):
        return [(field.name, described(getattr(value, field.name))) for field in fields(value)]
    if isinstance(value, (list, tuple)):
        return [described(one) for one in value]
    raise TypeError(f"a setup may not hold a {type(value).__name__}: its content names the fit")
