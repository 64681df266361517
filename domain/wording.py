"""Alert messages from their facts: the same facts give the same words, and every number in the
text stands in the facts. Portuguese (pt_BR) and English (en); any other locale reads Portuguese.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from babel.dates import format_skeleton

from domain.records import Alert
from domain.rounding import rounded

CENTS_BELOW = 100
PRICE_DIGITS = 4
UNKNOWN = "-"
ENGLISH = "en"

Fact = float | str | None

PHRASES: dict[str, dict[str, str]] = {
    "pt_BR": {
        "at": " em ",
        "from": " de ",
        "day": "dia",
        "days": "dias",
        "out": "sem estoque disponível.",
        "runs_out": "o estoque acaba em {days}.",
        "runs_out_on": "o estoque acaba em {days} ({date}).",
        "below": "abaixo do ponto de pedido ({point}).",
        "late": "pedido {order}{supplier} atrasado {days}, {quantity} por receber.",
        "promised": "Prometido para {date}.",
        "position": "Disponível: {available}; em pedidos: {on_order}.",
        "projects": "Para projetos no prazo: {quantity}.",
        "lead_time": "Um pedido novo leva {days}.",
        "excess": "{idle} a mais do que se pede em {days} e do que se mantém de estoque.",
        "dead": "{idle} sem saída há {days}.",
        "unmoved": "{idle} sem demanda alguma nem saída nas contagens desde {date} (há {days}).",
        "capital": "Capital parado: {capital}.",
        "lead_time_drift": "os últimos {lines} pedidos levaram {recent} em média, e não {usual}.",
        "since": "desde {since}",
        "from_to": "de {since} a {until}",
        "more_asked": "pediram-se {actual} {when}, e a previsão era de {expected}.",
        "less_asked": "só se pediram {actual} {when}; a previsão era de {expected}.",
        "no_stock_counts": "sem contagem de estoque desde {since} ({days}); itens: {items}.",
        "no_demand": "sem demanda registrada desde {since} ({days}); itens: {items}.",
    },
    ENGLISH: {
        "at": " at ",
        "from": " from ",
        "day": "day",
        "days": "days",
        "out": "no stock available.",
        "runs_out": "stock runs out in {days}.",
        "runs_out_on": "stock runs out in {days} ({date}).",
        "below": "below the reorder point ({point}).",
        "late": "order {order}{supplier} is {days} late, {quantity} to come.",
        "promised": "Promised for {date}.",
        "position": "Available: {available}; on order: {on_order}.",
        "projects": "For projects within that time: {quantity}.",
        "lead_time": "A new order takes {days}.",
        "excess": "{idle} more than what is asked for in {days} and than what is kept in stock.",
        "dead": "{idle} not asked for in {days}.",
        "unmoved": "{idle} never asked for; counts show none going out since {date} ({days}).",
        "capital": "Idle capital: {capital}.",
        "lead_time_drift": "the last {lines} orders took {recent} on average, not {usual}.",
        "since": "since {since}",
        "from_to": "from {since} to {until}",
        "more_asked": "{actual} were asked for {when}, and {expected} forecast.",
        "less_asked": "only {actual} were asked for {when}, and {expected} forecast.",
        "no_stock_counts": "no stock counts since {since} ({days}); items: {items}.",
        "no_demand": "no demand recorded since {since} ({days}); items: {items}.",
    },
}
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def alert_message(alert: Alert, locale: str) -> str:
    """What it is about and why; a kind without words of its own gets its name."""
    return f"{_subject(alert, _spoken(locale))}: {_why(alert, locale) or alert.kind}"


def alert_reason(alert: Alert, locale: str) -> str:
    """Why, for where the item and the site stand beside it; empty for a kind without words."""
    why = _why(alert, locale)
    return why[:1].upper() + why[1:]


def _why(alert: Alert, locale: str) -> str:
    speak = _SPEAKERS.get(alert.kind)
    sentences = speak(alert, _spoken(locale)) if speak else []
    return " ".join(part for part in sentences if part)


def number(value: Fact, locale: str) -> str:
    """At most one decimal, none for whole numbers, with the language's separators."""
    amount = rounded(float(value or 0), 1)
    text = f"{amount:,.0f}" if amount == int(amount) else f"{amount:,.1f}"
    return text if locale == ENGLISH else text.translate(str.maketrans(",.", ".,"))


def money(value: Fact, locale: str) -> str:
    """`R$ 1.234`, which no line parts; with cents below R$ 100."""
    exact = float(value or 0)
    cents = rounded(exact, 2)
    amount = cents if abs(cents) < CENTS_BELOW and cents % 1 else rounded(exact, 0)
    text = f"{abs(amount):,}"
    text = text if locale == ENGLISH else text.translate(str.maketrans(",.", ".,"))
    return f"{'-' if amount < 0 else ''}R$\u00a0{text}"


def price(value: Fact, locale: str) -> str:
    """The same of one unit; below R$ 1 cents and up to four decimals: `R$ 0,0042`."""
    exact = float(value or 0)
    if not 0 < abs(exact) < 1:
        return money(value, locale)
    whole, _, decimals = f"{rounded(exact, PRICE_DIGITS)}".partition(".")
    mark = "." if locale == ENGLISH else ","
    return f"R$\u00a0{whole}{mark}{decimals.rstrip('0').ljust(2, '0')}"


def day(value: date | Fact, locale: str) -> str:
    """`31/12/2026`, in English `Dec 31, 2026`, as the pages write it."""
    when = value if isinstance(value, date) else date.fromisoformat(str(value))
    if locale == ENGLISH:
        return f"{_MONTHS[when.month - 1]} {when.day}, {when.year}"
    return f"{when:%d/%m/%Y}"


def month_name(month: date, locale: str) -> str:
    """`dezembro de 2026`, in English `December 2026`."""
    return format_skeleton("yMMMM", month, locale=locale)


def _spoken(locale: str) -> str:
    return ENGLISH if locale == ENGLISH else "pt_BR"


def _subject(alert: Alert, locale: str) -> str:
    if alert.kind == "data_gap":
        return alert.site_name or alert.site
    thing = alert.item_name or alert.sku
    if alert.site == UNKNOWN:
        return thing
    return f"{thing}{PHRASES[locale]['at']}{alert.site_name or alert.site}"


def _stockout(alert: Alert, locale: str) -> list[str]:
    return [_running_out(alert, locale), *_reasons(alert, locale)]


def _below(alert: Alert, locale: str) -> list[str]:
    point = _amount(alert.facts.get("reorder_point"), alert, locale)
    below = PHRASES[locale]["below"].format(point=point)
    return [below, *_reasons(alert, locale)]


def _late(alert: Alert, locale: str) -> list[str]:
    facts, promised = alert.facts, alert.facts.get("promised_on")
    supplier = facts.get("supplier") or UNKNOWN
    late = PHRASES[locale]["late"].format(
        order=facts.get("order"),
        supplier=f"{PHRASES[locale]['from']}{supplier}" if supplier != UNKNOWN else "",
        days=_days(facts.get("days_late"), locale),
        quantity=_amount(facts.get("quantity"), alert, locale),
    )
    if promised is None:
        return [late]
    return [late, PHRASES[locale]["promised"].format(date=day(promised, locale))]


def _excess(alert: Alert, locale: str) -> list[str]:
    return _idle(alert, "excess", alert.facts.get("excess_days"), locale)


def _dead(alert: Alert, locale: str) -> list[str]:
    days, since = alert.facts.get("unasked_days"), alert.facts.get("unmoved_since")
    if since is None:
        return _idle(alert, "dead", days, locale)
    return _idle(alert, "unmoved", days, locale, date=day(since, locale))


def _idle(alert: Alert, phrase: str, days: Fact, locale: str, **more: str) -> list[str]:
    phrases, capital = PHRASES[locale], alert.facts.get("capital_brl")
    idle = _amount(alert.facts.get("idle_quantity"), alert, locale)
    told = phrases[phrase].format(idle=idle, days=_days(days, locale), **more)
    if capital is None:
        return [told]
    return [told, phrases["capital"].format(capital=money(capital, locale))]


def _lead_time_drift(alert: Alert, locale: str) -> list[str]:
    facts = alert.facts
    told = PHRASES[locale]["lead_time_drift"].format(
        lines=number(facts.get("recent_lines"), locale),
        recent=_days(facts.get("recent_days"), locale),
        usual=_days(facts.get("usual_days"), locale),
    )
    return [told]


def _forecast_drift(alert: Alert, locale: str) -> list[str]:
    facts = alert.facts
    phrase = "more_asked" if float(facts.get("deviation") or 0) > 0 else "less_asked"
    told = PHRASES[locale][phrase].format(
        actual=_amount(facts.get("actual_quantity"), alert, locale),
        expected=_amount(facts.get("expected_quantity"), alert, locale),
        when=_since(facts, locale),
    )
    return [told]


def _since(facts: Mapping[str, Fact], locale: str) -> str:
    since, until = day(facts.get("since"), locale), facts.get("until")
    if until is None:
        return PHRASES[locale]["since"].format(since=since)
    return PHRASES[locale]["from_to"].format(since=since, until=day(until, locale))


def _data_gap(alert: Alert, locale: str) -> list[str]:
    facts = alert.facts
    phrase = "no_stock_counts" if facts.get("file") == "stock" else "no_demand"
    told = PHRASES[locale][phrase].format(
        since=day(facts.get("last_on"), locale),
        days=_days(facts.get("silent_days"), locale),
        items=number(facts.get("items"), locale),
    )
    return [told]


def _running_out(alert: Alert, locale: str) -> str:
    phrases, left = PHRASES[locale], alert.days_to_stockout
    if left is None or left <= 0:
        return phrases["out"]
    days = _days(left, locale)
    if alert.stockout_on is None:
        return phrases["runs_out"].format(days=days)
    return phrases["runs_out_on"].format(days=days, date=day(alert.stockout_on, locale))


def _position(alert: Alert, locale: str) -> str:
    facts = alert.facts
    if facts.get("available") is None:
        return ""
    return PHRASES[locale]["position"].format(
        available=_amount(facts["available"], alert, locale),
        on_order=number(facts.get("on_order"), locale),
    )


def _reasons(alert: Alert, locale: str) -> list[str]:
    """What there is, how long a new order takes, and what projects take in that time."""
    told = [_position(alert, locale), _lead_time(alert.facts, locale)]
    projects = alert.facts.get("project_demand")
    if not projects:
        return told
    return [*told, PHRASES[locale]["projects"].format(quantity=_amount(projects, alert, locale))]


def _lead_time(facts: Mapping[str, Fact], locale: str) -> str:
    if facts.get("lead_time_days") is None:
        return ""
    return PHRASES[locale]["lead_time"].format(days=_days(facts["lead_time_days"], locale))


def _days(value: Fact, locale: str) -> str:
    count = number(value, locale)
    return f"{count} {PHRASES[locale]['day' if count == '1' else 'days']}"


def _amount(value: Fact, alert: Alert, locale: str) -> str:
    return f"{number(value, locale)} {alert.unit or ''}".rstrip()


_SPEAKERS = {
    "stockout_imminent": _stockout,
    "below_reorder_point": _below,
    "late_order": _late,
    "excess": _excess,
    "dead_stock": _dead,
    "lead_time_drift": _lead_time_drift,
    "forecast_drift": _forecast_drift,
    "data_gap": _data_gap,
}
