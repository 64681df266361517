"""Which texts about a recommendation may be shown: those whose every number stands in its facts.

A model that writes may be wrong, and an item's name may tell it what to say. So a text passes only
if it is in the language asked for, short, plain, without links, and if each number and date in it
(with the separators of either language) is a fact as rounded as it is written: an amount of money a
fact in BRL, a percentage a fraction, anything else a fact that is neither.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from domain.wording import ENGLISH

LONGEST = 500
SHORTEST = 20
TOLERANCE = 1e-9

_MARKUP = re.compile(r"[<>\[\]{}`*_#|\\^~]|://|www\.|\b[\w-]+\.(?:com|net|org|br|io|dev|app)\b|@")
_NUMBER = re.compile(r"(?<![\w.,])(?P<sign>[-−]\s?)?(?P<digits>\d[\d.,]*\d|\d)")
_MONEY_BEFORE = re.compile(r"(?:R\$|BRL|\$)\s*[-−]?\s*$")
_MONEY_AFTER = re.compile(r"\s*(?:reais|real|BRL)\b", re.IGNORECASE)
_SCALE = re.compile(
    r"\s*(?:mil|milh\w+|bilh\w+|bi|mi|k|M|thousands?|millions?|billions?|hundred|dozens?|dúzias?)\b"
)
_MONTHS = {
    name: index % 12 + 1
    for index, name in enumerate(
        "jan feb mar apr may jun jul aug sep oct nov dec"
        " jan fev mar abr mai jun jul ago set out nov dez".split()
    )
}
_DATES = (
    re.compile(r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})"),
    re.compile(r"(?P<d>\d{1,2})/(?P<m>\d{1,2})/(?P<y>\d{4})"),
    re.compile(r"(?P<d>\d{1,2})\.?º?(?: de)? (?P<n>[^\W\d_]{3,9})\.?(?: de|,)? (?P<y>\d{4})"),
    re.compile(r"(?P<n>[^\W\d_]{3,9})\.? (?P<d>\d{1,2})(?:st|nd|rd|th)?,? (?P<y>\d{4})"),
)
_SPELT = re.compile(
    r"\b(?:zero|dois|duas|três|quatro|cinco|seis|sete|oito|nove|dez|onze|doze|treze|quatorze"
    r"|catorze|quinze|dezesseis|dezessete|dezoito|dezenove|vinte|trinta|quarenta|cinquenta|sessenta"
    r"|setenta|oitenta|noventa|cem|cento"
    r"|(?:duz|trez|quatroc|quinh|seisc|setec|oitoc|novec)ent[oa]s|mil|milhar(?:es)?|milh(?:ão|ões)|bilh(?:ão|ões)|dezenas?|centenas?|dúzias?"
    r"|metade|terços?|dobro|triplo"
    r"|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen"
    r"|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
    r"|(?:hundred|thousand|million|billion|dozen|third|quarter)s?|couple|half|halves|twice|double"
    r"|triple)\b",
    re.IGNORECASE,
)
_WORDS = {
    "pt_BR": "de da do dos das em para que com por até não é estoque isso sem uma os as ou".split(),
    ENGLISH: "the of to and is for by with on at in from it a stock will be this that or".split(),
}
_SHARE = re.compile(r"^otif_|_(?:level|rate|premium|probability|share|change)$")
"""Names of facts that are fractions: these alone may be told as percentages."""
NAMES = (
    "sku item_name site site_name from_site from_site_name supplier supplier_now supplier_new order"
    " unit"
).split()


def passes(text: Any, facts: Mapping[str, Any], locale: str) -> bool:
    """True if the text may be shown to a reader of this language."""
    return refusal(text, facts, locale) is None


def refusal(text: Any, facts: Mapping[str, Any], locale: str) -> str | None:
    """Why the text may not be shown; None if it may."""
    if not isinstance(text, str) or not SHORTEST <= len(text.strip()) <= LONGEST:
        return "length"
    if any(_is_odd(letter) for letter in text):
        return "characters"
    rest = _without_names(text, facts)
    if _MARKUP.search(rest):
        return "markup"
    if not _is_in(rest, locale):
        return "language"
    if _SPELT.search(rest):
        return "a number in words"
    return unfounded(rest, facts)


def unfounded(text: str, facts: Mapping[str, Any]) -> str | None:
    """The first number or date of the text that stands in no fact; None if all do. Names that are
    facts and hold a letter count as words."""
    text = _without_names(text, facts)
    numbers = list(_numbers(facts))
    dates = {value for value in _leaves(facts) if isinstance(value, str)}
    for pattern in _DATES:
        for found in pattern.finditer(text):
            when = _date_of(found)
            if when is not None and when.isoformat() not in dates:
                return found.group()
        text = pattern.sub(lambda one: " " if _date_of(one) else one.group(), text)
    for found in _NUMBER.finditer(text):
        if not _is_founded(found, text, numbers):
            return found.group()
    left = _NUMBER.sub(" ", text)
    return next((letter for letter in left if letter.isdigit()), None)


def _is_founded(found: re.Match[str], text: str, numbers: list[tuple[str, float]]) -> bool:
    after, before = text[found.end() :], text[: found.start()]
    if _SCALE.match(after):
        return False
    is_share = re.match(r"\s*%", after) is not None
    is_money = bool(_MONEY_BEFORE.search(before) or _MONEY_AFTER.match(after))
    signed = found["sign"] is not None or before.rstrip().endswith(("-R$", "−R$"))
    for value, digits in _readings(found["digits"]):
        wanted = -value if signed else value
        for kind, fact in numbers:
            if kind == _kind(is_money, is_share) and _rounds_to(fact, wanted, digits):
                return True
    return False


def _kind(is_money: bool, is_share: bool) -> str:
    return "share" if is_share else "money" if is_money else "other"


def _rounds_to(fact: float, wanted: float, digits: int) -> bool:
    """True if the fact, rounded to so many decimals, is the number (either way at a tie)."""
    return abs(fact - wanted) <= 0.5 * 10**-digits + TOLERANCE * max(1.0, abs(fact))


def _readings(digits: str) -> Iterator[tuple[float, int]]:
    """What a number can mean in either language, with its decimals: 1.234 is 1234 or 1.234."""
    for thousands, decimal in ((".", ","), (",", ".")):
        whole, _, part = digits.partition(decimal)
        groups = whole.split(thousands)
        grouped = len(groups[0]) <= 3 and all(len(group) == 3 for group in groups[1:])
        is_number = part.isascii() and (part.isdigit() or decimal not in digits)
        if is_number and "".join(groups).isdigit() and (len(groups) == 1 or grouped):
            yield float(f"{''.join(groups)}.{part or 0}"), len(part)


def _numbers(facts: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for name, value in facts.items():
        if isinstance(value, Mapping):
            yield from _numbers(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            if "brl" in name:
                yield "money", float(value)
                continue
            yield "other", float(value)
            if _SHARE.search(name):
                yield "share", 100.0 * value


def _leaves(facts: Mapping[str, Any]) -> Iterator[Any]:
    for value in facts.values():
        if isinstance(value, Mapping):
            yield from _leaves(value)
        else:
            yield value


def _without_names(text: str, facts: Mapping[str, Any]) -> str:
    """The text with each name of the facts as one word without digits; the longest first."""
    names = {str(facts[name]) for name in NAMES if facts.get(name)}
    for name in sorted(names, key=len, reverse=True):
        if any(letter.isalpha() for letter in name):
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "NAME", text)
    return text


def _date_of(found: re.Match[str]) -> date | None:
    parts = found.groupdict()
    name = parts.get("n")
    month = _MONTHS.get(name[:3].lower()) if name else int(parts["m"])
    try:
        return date(int(parts["y"]), month or 0, int(parts["d"]))
    except ValueError:
        return None


def _is_odd(letter: str) -> bool:
    """Control and invisible characters, and digits that are not ASCII's."""
    category = unicodedata.category(letter)
    return category in ("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp", "Nl", "No") or (
        category == "Nd" and not letter.isascii()
    )


def _is_in(text: str, locale: str) -> bool:
    words = re.findall(r"[^\W\d_]+", text.lower())
    counts = {
        language: sum(words.count(word) for word in known) for language, known in _WORDS.items()
    }
    wanted = counts.pop(locale)
    return wanted > 0 and all(wanted > other for other in counts.values())
