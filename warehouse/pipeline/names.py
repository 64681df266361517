"""How column names are compared."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from domain.spelling import plain


def normalised(header: str) -> str:
    """A header without case, accents and doubled spaces: how headers are compared."""
    return " ".join(plain(header).split())


def closest(name: str, names: Iterable[str]) -> str:
    """`; the closest is 'x'`, or nothing when no name is near."""
    by_form = {normalised(each): each for each in names}
    found = get_close_matches(normalised(name), list(by_form), n=1, cutoff=0.5)
    return f"; the closest is {by_form[found[0]]!r}" if found else ""
