"""How words typed by people are compared."""

from __future__ import annotations

import unicodedata


def plain(text: str) -> str:
    """In small letters without accents."""
    letters = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def mentions(search: str, words: tuple[str | None, ...]) -> bool:
    """Whether one of the words holds what is searched for, however it is spelt."""
    wanted = plain(search.strip())
    return any(wanted in plain(word or "") for word in words)
