"""How column names are compared."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches


def normalised(header: str) -> str:
    """A header without case, accents and doubled spaces: how headers are compared."""
    letters = unicodedata.normalize("NFKD", header)
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(plain.casefold().split())


def closest(name: str, names: Iterable[str]) -> str:
    """`; the closest is 'x'`, or nothing when no name is near."""
    by_form = {normalised(each): each for each in names}
    found = get_close_matches(normalised(name), list(by_form), n=1, cutoff=0.5)
    return f"; the closest is {by_form[found[0]]!r}" if found else ""
