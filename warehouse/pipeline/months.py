"""Portuguese month names in dates, as exports from Brazil write them: `fev/24`, `1-dez-23`."""

from __future__ import annotations

import re

FROM_PORTUGUESE = {
    "fev": "feb",
    "abr": "apr",
    "mai": "may",
    "ago": "aug",
    "set": "sep",
    "out": "oct",
    "dez": "dec",
    "janeiro": "january",
    "fevereiro": "february",
    "marco": "march",
    "março": "march",
    "abril": "april",
    "maio": "may",
    "junho": "june",
    "julho": "july",
    "agosto": "august",
    "setembro": "september",
    "outubro": "october",
    "novembro": "november",
    "dezembro": "december",
}

_WORD = re.compile(r"[^\W\d_]+")


def english_months(text: str) -> str:
    """The text with Portuguese month names in English, for strptime in the C locale."""
    return _WORD.sub(lambda word: FROM_PORTUGUESE.get(word[0].lower(), word[0]), text)
