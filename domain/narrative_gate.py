"""Which texts about a recommendation may be shown: those whose every number stands in its facts.

A model that writes may be wrong, and an item's name may tell it what to say. So a text passes only
if it is in the language asked for, short, plain, without links, and if each number and date in it
(with the language's separators) is a fact as rounded as it is written: an amount of money a fact in
BRL, a percentage a fraction, a number of days a fact in days, anything else a fact that is neither
money nor a fraction. What is told a day, a year or a unit is a fact that is so much of each. A date
may leave out its year, its month or its day too; "today" is another one tomorrow. Other currencies,
scales and units of time are no fact's, nor are times without a number.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import date
from typing import Any

from domain.wording import ENGLISH

LONGEST = 500
SHORTEST = 20
TOLERANCE = 1e-9

_MARKUP = re.compile(
    r"[<>\[\]{}`*_#|\\^~×÷±‰‱]|://|www\.|\b[\w-]+\.(?:com|net|org|br|io|dev|app)\b|@"
)
_PERCENT = re.compile(r"[\s-]*(?:per ?cent|por ?cento|pct)\b", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.,])(?P<sign>[-−]\s?|[–—])?(?P<digits>\d[\d.,]*\d|\d)")
_MINUS_BEFORE = re.compile(
    r"[-−–—]R\$\s*$"
    r"|(?:\bminus|(?<!pelo )(?<!ao )\bmenos|\bnegativ\w*(?: (?:of|de|em))?)\W+(?:R\$|BRL)?\s*$",
    re.IGNORECASE,
)
_MINUS_AFTER = re.compile(r"\s*negativ", re.IGNORECASE)
_MONEY_BEFORE = re.compile(r"(?:\bR\$|\bBRL)\s*[-−]?\s*$")
_MONEY_AFTER = re.compile(r"\s*(?:reais|real|BRL)\b", re.IGNORECASE)
_OTHER_MONEY = re.compile(r"[¢£¤¥₠-⃀]|(?<!\bR)\$")
_CURRENCY = (
    r"(?:dollars?|dolar(?:es)?|euros?|pounds?|libras?|pesos?|yens?|ienes?|yuans?|cents?|centavos?"
    r"|US[D$]|EUR|GBP|JPY|CNY|CHF|ARS|CLP|MXN)"
)
_CURRENCY_BEFORE = re.compile(rf"\b{_CURRENCY}\s*$", re.IGNORECASE)
_MORE = r"[\s-]*(?:(?:more|full|whole|further|mais)\s+)?"
_DAYS_AFTER = re.compile(rf"{_MORE}(?:days?|dias?|d)\b(?!\s+uteis)", re.IGNORECASE)
_OTHER_UNIT_AFTER = re.compile(
    rf"{_MORE}(?:"
    # scales and multiples
    r"mil|mi|milh\w+|bi|bilh\w+|tri|trilh\w+|[kmx]|mn|bn|tn|thousands?|millions?|billions?"
    r"|trillions?|hundreds?|dozens?|duzias?|times|vezes|fold"
    # differences of shares
    r"|percent\w+|porcent\w+|points?|pontos?|pp|bps"
    # times that are no days
    r"|(?:dias|days) uteis|(?:business|working|week)[\s-]*days?|[hw]|hrs?|hours?|horas?"
    r"|min|minut\w+|seconds?|segundos?|nights?|noites?|wks?|weeks?|semanas?|fortnights?"
    r"|quinzenas?|mes|mths?|meses|months?|bimestres?|quarters?|trimestres?|semest\w+|yrs?|years?"
    r"|anos?|decad\w+"
    rf"|{_CURRENCY})\b|\s*[/:]\s*\d",
    re.IGNORECASE,
)
_EACH = (
    r"(?:/|\b(?:por|per|cada|each|every|tod[oa]s?(?: [oa]s?)?|(?<!\bpara )(?<!\bfor )(?:ao?|an))\s)"
    r"\s*"
)
_BASES = {
    "day": ("dias?|days?", r"diari\w+|daily"),
    "year": ("anos?|years?|yr", r"anua(?:l|is|lmente)|annual\w*|yearly"),
    "unit": ("unidades?|un|units?|pecas?|pieces?|pcs?", "each|apiece"),
    "other": (
        "semanas?|weeks?|mes(?:es)?|months?|quinzenas?|fortnights?|trimestres?|quarters?"
        "|semestres?|horas?|hours?|turnos?|shifts?",
        r"semana(?:l|is|lmente)|weekly|mensa(?:l|is|lmente)|monthly|quarterly|trimestra\w+|hourly",
    ),
}
"""What a number may be told for each of: the nouns, and the words that say it alone."""
_BASE_AFTER = re.compile(
    "|".join(
        rf"(?P<{base}>(?:[^\d.;:!?]|\.(?=\s*[a-z]))*?{_EACH}(?:{nouns})\b"
        rf"|[\s%]*(?:\w+\.?\s+)?(?:{words})\b)"
        for base, (nouns, words) in _BASES.items()
    ),
    re.IGNORECASE,
)
_BASE_BEFORE = re.compile(
    "|".join(
        rf"(?P<{base}>(?:^|[.;:!?])[^\d.;:!?]*?{_EACH}(?:{nouns})\b[^\d.;:!?]*$"
        rf"|\b(?!each)(?:{words})\b[^\d.;:!?,]*$)"
        for base, (nouns, words) in _BASES.items()
    ),
    re.IGNORECASE,
)
_MONTHS = {
    ENGLISH: (
        "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
        "|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
    ).split("|"),
    "pt_BR": (
        "jan(?:eiro)?|fev(?:ereiro)?|mar(?:co)?|abr(?:il)?|mai(?:o)?|jun(?:ho)?|jul(?:ho)?"
        "|ago(?:sto)?|set(?:embro)?|out(?:ubro)?|nov(?:embro)?|dez(?:embro)?"
    ).split("|"),
}
_DAY = r"(?<![\d.,])(?P<day>\d{1,2})"
_YEAR = r"(?P<year>(?:19|20)\d\d)(?![.,]?\d)"
_ORDINAL = r"(?:st|nd|rd|th|\.?[oa])"


def _date_patterns(months: list[str]) -> tuple[re.Pattern[str], ...]:
    """What writes a date: day, month and year, day and month, or the day alone."""
    name = rf"(?P<name>{'|'.join(months)})\b\.?"
    patterns = (
        r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})(?!\d)",
        rf"{_DAY}[/-](?P<month>\d{{1,2}})(?:[/-]{_YEAR})?(?!\d)",
        rf"{_DAY}{_ORDINAL}?[\s./-]*(?:(?:de|of)\s)?{name}(?:(?:[/-]|,?\s|\sde\s){_YEAR})?",
        rf"\b{name}[\s,-]*(?:the\s)?{_DAY}(?!\d)(?:{_ORDINAL}\b)?(?:,?\s{_YEAR})?",
        rf"\b(?:dia|n?os dias|day) {_DAY}(?![\d.,]\d|\d)",
        rf"{_DAY}{_ORDINAL}\b",
    )
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns)


_DATES = {locale: _date_patterns(months) for locale, months in _MONTHS.items()}
_ENGLISH_MONTHS = "|".join(_MONTHS[ENGLISH])
_CAPITAL = "|".join(name.capitalize() for name in _MONTHS[ENGLISH] if name != "may")
_MONTH_ALONE = {
    ENGLISH: re.compile(
        rf"\b(?P<name>{_CAPITAL}|(?<=[a-z][ -])May|(?<=\b(?:by|in) )(?i:{_ENGLISH_MONTHS}))\b"
    ),
    "pt_BR": re.compile(rf"\b(?P<name>{'|'.join(_MONTHS['pt_BR'])})\b", re.IGNORECASE),
}
"""What is an English word too ("may", "march") is a month by its capital, or after "by" or "in"."""
_UNDATED = re.compile(
    r"\b(?:hoje|amanha|ontem|today|tonight|tomorrow|yesterday|(?:next|last|this) (?:day|year)s?"
    r"|segundas?[\s-]feiras?|(?:terca|quarta|quinta|sexta)s?|sabados?|domingos?"
    r"|(?:ate|na|esta|[dn]esta|proxima|ultima)(?: a)? segunda"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
    r"|(?:by|on|until|before) (?:mon|tues?|wed|thu(?:rs?)?|fri|sat|sun)"
    r"|(?:proxim|ultim)[oa]s? (?:dia|ano)s?|[dn]?es[ts]e (?:dia|ano)"
    r"|(?:dia|ano)s? (?:que vem|seguintes?|passados?))\b",
    re.IGNORECASE,
)
_UNCOUNTED = re.compile(
    r"\b(?:minut\w+|horas?|semana\w*|mes(?:es)?|mensa(?:l|is|lmente)|(?:bi|tri|quadri)mestr\w+"
    r"|semestr\w+|decadas?|seculos?"
    r"|(?:uma?|uns|unico|algu(?:m|ns)|pouc[oa]s|vari[oa]s) (?:dia|ano)s?"
    r"|(?:fim|final|inicio|comeco|meados|virada) d[eo] ano"
    r"|hours?|hourly|weeks?|weekly|weekends?|months?|monthly|quarterly|semesters?|decades?"
    r"|(?:within|in|for|after|than|only|just|lasts?) an? (?:full |whole )?(?:day|year)"
    r"|(?:one|one more|few|some|many|several|single|another|coming|following) (?:day|year)s?"
    r"|(?:end|middle|beginning|start) of (?:the |this )?year|year-end)\b",
    re.IGNORECASE,
)
"""Times that are no number of days or years."""
_ROMAN = re.compile(r"\b(?=[IVXLC]{2})(?:[IVX]+|C{0,3}(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3}))\b")
"""Below 400: CD and DC are depots."""
_SPELT = re.compile(
    r"\b(?:zero|dois|duas|tres|quatro|cinco|seis|sete|oito|nove|dez|onze|doze|treze|quatorze"
    r"|catorze|quinze|dezesseis|dezessete|dezoito|dezenove|vinte|trinta|quarenta|cinquenta|sessenta"
    r"|setenta|oitenta|noventa|cem|cento"
    r"|(?:duz|trez|quatroc|quinh|seisc|setec|oitoc|novec)ent[oa]s|mil|milhar(?:es)?"
    r"|(?:m|b|tr)ilh(?:ao|oes)|(?:dezen|centen|quinzen|duzi)as?"
    r"|metade|meia|tercos?|quartos?|quintos?|sextos?|setimos?|oitavos?|nonos?|decimos?|avos"
    r"|e meio|vigesimos?|centesimos?|milesimos?|dobr\w+|dupl[oa]s?|(?:quintu|sextu|decu)pl[oa]s?"
    r"|(?:du|tri|quadru)plic\w+"
    r"|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh"
    r"|nine)teen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
    r"|(?:two|three|four|five|six|seven|eight|nine|ten|hundred|thousand|million)-?fold"
    r"|(?:hundred|thousand|million|billion|trillion)(?:s|ths?)?|dozens?"
    r"|(?:third|fourth|quarter|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|twentieth"
    r"|fiftieth)s?|fortnights?|couple|half|halv\w+|twice|thrice|(?:doub|trip|quadrup)l\w+)\b",
    re.IGNORECASE,
)
_WORDS = {
    "pt_BR": "de da do dos das em para que com por até não é estoque isso sem uma os as ou".split(),
    ENGLISH: "the of to and is for by with on at in from it a stock will be this that or".split(),
}
_SHARE = re.compile(r"^otif_|(?:^|_)(?:level|rate|premium|probability|share|change)$")
"""Names of facts that are fractions: these alone may be told as percentages."""
_DAYS = re.compile(r"(?:^|_)days(?:_|$)|^lead_(?:mean|std)(?:_|$)|^lead_time_std$")
"""Names of facts in days: these alone may be told as days."""
_EACH_ONE = {
    "day": re.compile(r"_per_day$|^daily_"),
    "year": re.compile(r"^annual_|^holding_rate$"),
    "unit": re.compile(r"^unit_cost_brl$|(?:^|_)price_brl(?:_|$)"),
}
"""Names of facts that are so much a day, a year, a unit."""
_YEARLY_BESIDE = {"holding_brl": "holding_rate", "value_brl": "annual_brl_new"}
"""Facts that are a year's where another stands beside them: of a reduction, of a switch."""
NAMES = (
    "sku item_name site site_name from_site from_site_name supplier supplier_now supplier_new order"
    " unit"
).split()


def refusal(text: Any, facts: Mapping[str, Any], locale: str) -> str | None:
    """Why the text may not be shown; None if it may."""
    if not isinstance(text, str) or not SHORTEST <= len(text.strip()) <= LONGEST:
        return "length"
    if any(_is_odd(letter) for letter in text):
        return "characters"
    rest = _without_names(text, facts)
    if _MARKUP.search(rest):
        return "markup"
    if _OTHER_MONEY.search(rest):
        return "another currency"
    if not _is_in(rest, locale):
        return "language"
    plain = _unaccented(rest)
    if any(letter.isalpha() and not letter.isascii() for letter in plain):
        return "characters"
    if _SPELT.search(plain):
        return "a number in words"
    if _ROMAN.search(plain):
        return "a number in letters"
    if _UNDATED.search(plain):
        return "a day without its date"
    if _UNCOUNTED.search(plain):
        return "a time that is no number of days"
    return None if unfounded(rest, facts, locale) is None else "a number or a date"


def unfounded(text: str, facts: Mapping[str, Any], locale: str) -> str | None:
    """The first number or date of the text that stands in no fact; None if all do. Names that are
    facts and hold a letter count as words."""
    text = _unaccented(_without_names(text, facts))
    numbers = list(_numbers(facts))
    dates = list(_dates(facts))
    for pattern in _DATES[locale]:
        for found in pattern.finditer(text):
            if not any(_is_told(found, one, locale) for one in dates):
                return found.group()
        text = pattern.sub(" ", text)
    for found in _MONTH_ALONE[locale].finditer(text):
        if not any(_is_told(found, one, locale) for one in dates):
            return found.group()
    for found in _NUMBER.finditer(text):
        if not _is_founded(found, text, numbers, locale):
            return found.group()
    left = _NUMBER.sub(" ", text)
    return next((letter for letter in left if letter.isdigit()), None)


def _is_founded(found: re.Match[str], text: str, numbers: list[_Number], locale: str) -> bool:
    after, before = text[found.end() :], text[: found.start()]
    reading, kind = _reading(found["digits"], locale), _kind(before, after)
    if reading is None or kind is None:
        return False
    value, digits = reading
    signed = found["sign"] or _MINUS_BEFORE.search(before) or _MINUS_AFTER.match(after)
    wanted = -value if signed else value
    bases = {
        one.lastgroup for one in (_BASE_AFTER.match(after), _BASE_BEFORE.search(before)) if one
    }
    return any(
        told == kind and bases <= {base} and _rounds_to(fact, wanted, digits)
        for told, base, fact in numbers
    )


def _kind(before: str, after: str) -> str | None:
    """What a number is said to be by what stands around it; None for what no fact is."""
    if _OTHER_UNIT_AFTER.match(after) or _CURRENCY_BEFORE.search(before):
        return None
    signs = {
        "money": _MONEY_BEFORE.search(before) or _MONEY_AFTER.match(after),
        "share": re.match(r"\s*%", after),
        "days": _DAYS_AFTER.match(after),
    }
    told = [kind for kind, sign in signs.items() if sign] or ["other"]
    return told[0] if len(told) == 1 else None


def _rounds_to(fact: float, wanted: float, digits: int) -> bool:
    """True if the fact, rounded to so many decimals, is the number (either way at a tie)."""
    return abs(fact - wanted) <= 0.5 * 10**-digits + TOLERANCE * max(1.0, abs(fact))


def _reading(digits: str, locale: str) -> tuple[float, int] | None:
    """A number and its decimals by the language's separators; None for what it does not write."""
    thousands, decimal = (",", ".") if locale == ENGLISH else (".", ",")
    whole, mark, part = digits.partition(decimal)
    groups = whole.split(thousands)
    grouped = len(groups[0]) <= 3 and all(len(group) == 3 for group in groups[1:])
    if not "".join(groups).isdigit() or not (len(groups) == 1 or grouped):
        return None
    if mark and not part.isdigit():
        return None
    return float(f"{''.join(groups)}.{part or 0}"), len(part)


_Number = tuple[str, str | None, float]
"""A fact: money, share, days or other; of what each, if any; the number."""


def _numbers(facts: Mapping[str, Any]) -> Iterator[_Number]:
    for name, value in facts.items():
        if isinstance(value, Mapping):
            yield from _numbers(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            base = _base(name, facts)
            if "brl" in name:
                yield "money", base, float(value)
                continue
            yield "other", base, float(value)
            if _SHARE.search(name):
                yield "share", base, 100.0 * value
            if _DAYS.search(name):
                yield "days", base, float(value)


def _base(name: str, facts: Mapping[str, Any]) -> str | None:
    """Of what each the fact is so much."""
    if facts.get(_YEARLY_BESIDE.get(name, "")) is not None:
        return "year"
    return next((base for base, names in _EACH_ONE.items() if names.search(name)), None)


def _leaves(facts: Mapping[str, Any]) -> Iterator[Any]:
    for value in facts.values():
        if isinstance(value, Mapping):
            yield from _leaves(value)
        else:
            yield value


def _without_names(text: str, facts: Mapping[str, Any]) -> str:
    """The text with each name of the facts as one word without digits, the longest first, letters
    in their usual form, and percentages with their sign."""
    text = unicodedata.normalize("NFKC", text)
    names = {unicodedata.normalize("NFKC", str(facts[name])) for name in NAMES if facts.get(name)}
    for name in sorted(names, key=len, reverse=True):
        if any(letter.isalpha() for letter in name):
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "NAME", text)
    return _PERCENT.sub("%", text)


def _unaccented(text: str) -> str:
    """The text without accents: they are often left out, and may be letters of their own."""
    apart = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def _dates(facts: Mapping[str, Any]) -> Iterator[date]:
    for value in _leaves(facts):
        if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            with suppress(ValueError):
                yield date.fromisoformat(value)


def _is_told(found: re.Match[str], when: date, locale: str) -> bool:
    """True if what is written is that date, in each part that is written."""
    parts = found.groupdict()
    name = parts.pop("name", None)
    if name and not re.fullmatch(_MONTHS[locale][when.month - 1], name, re.IGNORECASE):
        return False
    return all(int(told) == getattr(when, part) for part, told in parts.items() if told)


def _is_odd(letter: str) -> bool:
    """Control and invisible characters, and digits and numbers that are not ASCII's."""
    category = unicodedata.category(letter)
    return category in ("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp") or (
        letter.isnumeric() and not letter.isascii()
    )


def _is_in(text: str, locale: str) -> bool:
    words = re.findall(r"[^\W\d_]+", text.lower())
    counts = {
        language: sum(words.count(word) for word in known) for language, known in _WORDS.items()
    }
    wanted = counts.pop(locale)
    return wanted > 0 and all(wanted > other for other in counts.values())
