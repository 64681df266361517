"""Recommendations in words, from their facts: the same facts give the same words, and every number
in the text stands in the facts. Portuguese (pt_BR) and English (en).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from domain.wording import ENGLISH, UNKNOWN, day, money, number, price

LANGUAGES = ("pt_BR", ENGLISH)

Facts = Mapping[str, Any]

PHRASES: dict[str, dict[str, str]] = {
    "pt_BR": {
        "day": "dia",
        "days": "dias",
        "now": "agora",
        "by": "até {date}",
        "of": "{quantity} de {item}",
        "at": " para {site}",
        "to": " para {site}",
        "in": " em {site}",
        "from_supplier": ", de {supplier}",
        "reorder": "Comprar {thing}{site}{supplier}, {act_by}.",
        "position": "Disponível mais pedidos: {position}; ponto de pedido: {point}.",
        "bought": "Aí conta o que já foi comprado e os dados ainda não mostram: {quantity}.",
        "projects": "Disso já se tirou o que os projetos vão tomar: {quantity}.",
        "received": "Uma transferência cobre {received}; a compra cobre o resto.",
        "within": "nos {days} depois de {today}",
        "within_one": "no dia depois de {today}",
        "at_risk": " ({risk} em risco)",
        "nothing": "Sem isso, devem faltar {unmet} {window}{risk}.",
        "nothing_out": "Sem isso, o estoque acaba em {date} e devem faltar {unmet} {window}{risk}.",
        "out_later": "O estoque só deve acabar depois disso, em {date}.",
        "expedite": "Antecipar o pedido {order}, {thing}{site}{supplier}, {act_by}.",
        "gap": "O estoque acaba em {out} e o pedido chega em {expected}.",
        "gained": "Ganha {days} por {cost} e evita que faltem {avoided} nesses dias.",
        "transfer": "Transferir {thing} de {giver}{site}, {act_by}.",
        "left": "{giver} fica com {left}; o seu ponto de pedido é {point}.",
        "left_of_all": (
            "{giver} cede {given} ao todo e fica com {left}; o seu ponto de pedido é {point}."
        ),
        "freight": "São {km} km, {freight} de frete.",
        "reduce": "Reduzir {thing}{site}.",
        "needed": "Há {available} disponíveis e a necessidade é de {needed}.",
        "given_too": (
            "Há {available} disponíveis, {given} saem em transferências, e a necessidade é de"
            " {needed}."
        ),
        "unmoved": "Nunca teve demanda ali, e as contagens não mostram saída desde {date}.",
        "freed": "Libera {capital} e poupa {holding} por ano.",
        "switch": "Passar a comprar {item} de {new} em vez de {now}.",
        "otif": "No prazo e completo: {new} contra {now}.",
        "lead": "Prazo: {new} contra {now}.",
        "price": "Preço: {new} contra {now}.",
        "value": "Vale {value}.",
        "value_yearly": "Vale {value} por ano.",
    },
    ENGLISH: {
        "day": "day",
        "days": "days",
        "now": "now",
        "by": "by {date}",
        "of": "{quantity} of {item}",
        "at": " for {site}",
        "to": " to {site}",
        "in": " at {site}",
        "from_supplier": " from {supplier}",
        "reorder": "Buy {thing}{site}{supplier}, {act_by}.",
        "position": "Available plus on order: {position}; reorder point: {point}.",
        "bought": "What was bought and the data do not show yet is in that: {quantity}.",
        "projects": "What projects will take is off that already: {quantity}.",
        "received": "A transfer covers {received}; the purchase covers the rest.",
        "within": "in the {days} after {today}",
        "within_one": "on the day after {today}",
        "at_risk": " ({risk} at risk)",
        "nothing": "Otherwise {unmet} should be missing {window}{risk}.",
        "nothing_out": (
            "Otherwise stock runs out on {date} and {unmet} should be missing {window}{risk}."
        ),
        "out_later": "Stock should run out only after that, on {date}.",
        "expedite": "Expedite order {order}, {thing}{site}{supplier}, {act_by}.",
        "gap": "Stock runs out on {out} and the order arrives on {expected}.",
        "gained": "It gains {days} for {cost} and keeps {avoided} from being missing in them.",
        "transfer": "Transfer {thing} from {giver}{site}, {act_by}.",
        "left": "{giver} keeps {left}; its reorder point is {point}.",
        "left_of_all": (
            "{giver} gives {given} in all and keeps {left}; its reorder point is {point}."
        ),
        "freight": "It is {km} km, {freight} of freight.",
        "reduce": "Reduce {thing}{site}.",
        "needed": "There are {available} available and {needed} are needed.",
        "given_too": "There are {available} available, less {given} of transfers, and {needed} are"
        " needed.",
        "unmoved": "It was never asked for there, and counts show nothing going out since {date}.",
        "freed": "It frees {capital} and saves {holding} a year.",
        "switch": "Buy {item} from {new} instead of {now}.",
        "otif": "On time and in full: {new} against {now}.",
        "lead": "Lead time: {new} against {now}.",
        "price": "Price: {new} against {now}.",
        "value": "Worth {value}.",
        "value_yearly": "Worth {value} a year.",
    },
}


def narrative(kind: str, facts: Facts) -> dict[str, str]:
    """What to do and why, in each language; empty for a kind without words."""
    speak = _SPEAKERS.get(kind)
    if speak is None:
        return dict.fromkeys(LANGUAGES, "")
    return {
        locale: " ".join(part for part in speak(_Speech(facts, locale)) if part)
        for locale in LANGUAGES
    }


def place(facts: Facts, prefix: str = "") -> str:
    """A site by its name; empty where the ERP gave none."""
    site = facts.get(f"{prefix}site")
    return "" if site in (None, UNKNOWN) else str(facts.get(f"{prefix}site_name") or site)


def is_within(today: Any, day_on: Any, days: Any) -> bool:
    """True if the day, both ISO 8601, comes within so many days; of what is not known it does."""
    if today is None or days is None:
        return True
    return (date.fromisoformat(day_on) - date.fromisoformat(today)).days <= days


class _Speech:
    """One recommendation in one language: phrases, with facts put in."""

    def __init__(self, facts: Facts, locale: str) -> None:
        self.facts, self.locale = facts, locale
        self.nothing: Facts = facts.get("if_nothing") or {}

    def say(self, phrase: str, **values: str) -> str:
        return PHRASES[self.locale][phrase].format(**values)

    def amount(self, value: Any) -> str:
        return f"{number(value, self.locale)} {self.facts.get('unit') or ''}".rstrip()

    def known_amount(self, name: str) -> str:
        return self.amount(self.facts.get(name))

    def money(self, name: str) -> str:
        return money(self.facts.get(name), self.locale)

    def price(self, name: str) -> str:
        return price(self.facts.get(name), self.locale)

    def days(self, value: Any) -> str:
        count = number(value, self.locale)
        return f"{count} {self.say('day' if count == '1' else 'days')}"

    def day(self, value: Any) -> str:
        return day(value, self.locale)

    def has(self, *names: str) -> bool:
        return all(self.facts.get(name) is not None for name in names)

    @property
    def item(self) -> str:
        return str(self.facts.get("item_name") or self.facts.get("sku"))

    @property
    def thing(self) -> str:
        return self.say("of", quantity=self.known_amount("quantity"), item=self.item)

    def site(self, phrase: str = "at") -> str:
        name = place(self.facts)
        return self.say(phrase, site=name) if name else ""

    @property
    def supplier(self) -> str:
        name = self.facts.get("supplier")
        return "" if name in (None, UNKNOWN) else self.say("from_supplier", supplier=str(name))

    @property
    def act_by(self) -> str:
        when = self.facts.get("act_by")
        if when is None or when == self.facts.get("today"):
            return self.say("now")
        return self.say("by", date=self.day(when))

    @property
    def otherwise(self) -> str:
        """What is missing within the window, and when stock runs out: in the same sentence only if
        it does so within the window."""
        missing, risk = self.nothing.get("unmet_quantity"), self.nothing.get("risk_brl")
        out = self.nothing.get("stockout_on")
        if missing is None or number(missing, self.locale) == "0":
            return ""
        parts = {
            "unmet": self.amount(missing),
            "window": self.window,
            "risk": "" if risk is None else self.say("at_risk", risk=money(risk, self.locale)),
        }
        if out is None:
            return self.say("nothing", **parts)
        if is_within(self.facts.get("today"), out, self.nothing.get("window_days")):
            return self.say("nothing_out", date=self.day(out), **parts)
        later = self.say("out_later", date=self.day(out))
        return f"{self.say('nothing', **parts)} {later}"

    @property
    def window(self) -> str:
        span, today = self.nothing.get("window_days"), self.facts.get("today")
        if span is None or today is None:
            return ""
        days, since = max(1, round(span)), self.day(today)
        phrase = "within_one" if days == 1 else "within"
        return self.say(phrase, days=self.days(days), today=since)

    @property
    def value(self) -> str:
        return self.say("value", value=self.money("value_brl")) if self.has("value_brl") else ""


def _reorder(speech: _Speech) -> list[str]:
    received, projects = speech.facts.get("received"), speech.facts.get("project_demand")
    bought = speech.facts.get("bought")
    point = speech.known_amount("reorder_point")
    return [
        speech.say(
            "reorder",
            thing=speech.thing,
            site=speech.site(),
            supplier=speech.supplier,
            act_by=speech.act_by,
        ),
        speech.say("received", received=speech.amount(received)) if received else "",
        speech.say("position", position=speech.known_amount("position"), point=point),
        speech.say("bought", quantity=speech.amount(bought)) if bought else "",
        speech.say("projects", quantity=speech.amount(projects)) if projects else "",
        speech.otherwise,
        speech.value,
    ]


def _expedite(speech: _Speech) -> list[str]:
    facts = speech.facts
    order = f"{facts.get('order')}"
    gap = ""
    if speech.has("stockout_on", "expected_on"):
        out, expected = speech.day(facts["stockout_on"]), speech.day(facts["expected_on"])
        gap = speech.say("gap", out=out, expected=expected)
    return [
        speech.say(
            "expedite",
            order=order,
            thing=speech.thing,
            site=speech.site(),
            supplier=speech.supplier,
            act_by=speech.act_by,
        ),
        gap,
        speech.say(
            "gained",
            days=speech.days(facts.get("days_gained")),
            cost=speech.money("cost_brl"),
            avoided=speech.known_amount("avoided_quantity"),
        ),
        speech.value,
    ]


def _transfer(speech: _Speech) -> list[str]:
    facts = speech.facts
    giver = place(facts, "from_")
    is_one_of_several = (facts.get("from_given") or 0) > facts["quantity"]
    return [
        speech.say(
            "transfer",
            thing=speech.thing,
            giver=giver,
            site=speech.site("to"),
            act_by=speech.act_by,
        ),
        speech.say(
            "left_of_all" if is_one_of_several else "left",
            giver=giver,
            given=speech.known_amount("from_given"),
            left=speech.known_amount("from_left"),
            point=speech.known_amount("from_reorder_point"),
        ),
        speech.say(
            "freight",
            km=number(facts.get("km"), speech.locale),
            freight=speech.money("freight_brl"),
        ),
        speech.otherwise,
        speech.value,
    ]


def _reduce(speech: _Speech) -> list[str]:
    return [
        speech.say("reduce", thing=speech.thing, site=speech.site("in")),
        speech.say(
            "given_too" if (speech.facts.get("given") or 0) > 0 else "needed",
            available=speech.known_amount("available"),
            given=speech.known_amount("given"),
            needed=speech.known_amount("needed_quantity"),
        ),
        speech.say("unmoved", date=speech.day(speech.facts["unmoved_since"]))
        if speech.has("unmoved_since")
        else "",
        speech.say(
            "freed", capital=speech.money("capital_brl"), holding=speech.money("holding_brl")
        ),
        speech.value,
    ]


def _switch(speech: _Speech) -> list[str]:
    facts = speech.facts
    otif = ""
    if speech.has("otif_new", "otif_now"):
        shares = {
            which: f"{number(100 * facts[f'otif_{which}'], speech.locale)}%"
            for which in ("new", "now")
        }
        otif = speech.say("otif", **shares)
    leads = {which: speech.days(facts.get(f"lead_mean_{which}")) for which in ("new", "now")}
    prices = {which: speech.price(f"supplier_price_brl_{which}") for which in ("new", "now")}
    names = {which: str(facts.get(f"supplier_{which}")) for which in ("new", "now")}
    return [
        speech.say("switch", item=speech.item, **names),
        otif,
        speech.say("lead", **leads),
        speech.say("price", **prices),
        speech.say("value_yearly", value=speech.money("value_brl")),
    ]


_SPEAKERS = {
    "REORDER": _reorder,
    "EXPEDITE": _expedite,
    "TRANSFER": _transfer,
    "REDUCE": _reduce,
    "SWITCH": _switch,
}
