"""Alert messages: deterministic, in two languages, and with no number of their own."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest

from domain.records import Alert
from domain.wording import alert_message, alert_reason, day, month_name, number

Facts = dict[str, float | str | None]

STOCK: Facts = {
    "available": 3.0,
    "on_order": 0.0,
    "lead_time_days": 30.0,
    "reorder_point": 12.5,
    "daily_demand": 1.25,
}
ORDER: Facts = {"order": "PO-7", "supplier": "BETA", "quantity": 1200.0, "days_late": 4.0}


def alert(kind: str, facts: Facts, **changes: object) -> Alert:
    values: dict[str, object] = {
        "id": 1,
        "level": "critical",
        "kind": kind,
        "sku": "BAT",
        "item_name": "Bateria",
        "unit": "un",
        "site": "DEP",
        "site_name": "Depósito",
        "uf": "SP",
        "stockout_on": date(2025, 7, 2),
        "days_to_stockout": 2.4,
        "risk_brl": 100.0,
        "acting_brl": None,
        "net_brl": None,
        "status": "open",
        "owner": None,
        "snoozed_until": None,
        "raised_at": datetime(2025, 6, 30, tzinfo=UTC),
        "facts": facts,
    }
    return Alert(**(values | changes))  # type: ignore[arg-type]


def test_a_stockout_in_both_languages() -> None:
    one = alert("stockout_imminent", STOCK)
    assert alert_message(one, "pt_BR") == (
        "Bateria em Depósito: o estoque acaba em 2,4 dias (02/07/2025). "
        "Disponível: 3 un; em pedidos: 0. Um pedido novo leva 30 dias."
    )
    assert alert_message(one, "en") == (
        "Bateria at Depósito: stock runs out in 2.4 days (Jul 2, 2025). "
        "Available: 3 un; on order: 0. A new order takes 30 days."
    )


def test_capital_that_does_not_work_in_both_languages() -> None:
    facts: Facts = {"idle_quantity": 1200.0, "excess_days": 180.0, "capital_brl": 98765.4}
    assert alert_reason(alert("excess", facts), "pt_BR") == (
        "1.200 un a mais do que se pede em 180 dias e do que se mantém de estoque. "
        "Capital parado: R$\u00a098.765."
    )
    dead: Facts = {"idle_quantity": 3.0, "unasked_days": 400.0, "capital_brl": None}
    assert alert_reason(alert("dead_stock", dead), "en") == "3 un not asked for in 400 days."


def test_what_is_not_known_is_left_out() -> None:
    bare = alert(
        "stockout_imminent", {}, item_name=None, site="-", stockout_on=None, days_to_stockout=0.0
    )
    assert alert_message(bare, "en") == "BAT: no stock available."
    late = alert("late_order", ORDER | {"promised_on": None})
    assert "Promised" not in alert_message(late, "en")
    nameless = alert("late_order", ORDER | {"supplier": "-"})
    assert "order PO-7 is 4 days late, 1,200 un to come." in alert_message(nameless, "en")


@pytest.mark.parametrize("locale", ["pt_BR", "en"])
@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        ("stockout_imminent", STOCK),
        ("below_reorder_point", STOCK),
        ("late_order", ORDER | {"promised_on": "2025-06-20"}),
        ("unheard_of", STOCK),
    ],
)
def test_every_number_stands_in_the_facts(kind: str, facts: Facts, locale: str) -> None:
    one = alert(kind, facts)
    spoken = {number(value, locale) for value in facts.values() if isinstance(value, float)}
    spoken.add(number(one.days_to_stockout, locale))
    text = alert_message(one, locale)
    for known in (day(date(2025, 7, 2), locale), day(date(2025, 6, 20), locale), "PO-7"):
        text = text.replace(known, "")
    assert set(re.findall(r"\d[\d.,]*\d|\d", text)) <= spoken


def test_one_day_is_one_day() -> None:
    late = alert("late_order", ORDER | {"days_late": 1.0})
    assert alert_reason(late, "pt_BR").startswith("Pedido PO-7 de BETA atrasado 1 dia,")
    assert alert_reason(alert("unheard_of", ORDER), "en") == ""


def test_numbers_have_the_languages_separators() -> None:
    assert (number(1234.56, "pt_BR"), number(1234.56, "en")) == ("1.234,6", "1,234.6")
    assert number(1000.0, "pt_BR") == "1.000"


def test_drifts_and_gaps_in_both_languages() -> None:
    drift: Facts = {"recent_lines": 6.0, "recent_days": 20.0, "usual_days": 9.5}
    assert alert_reason(alert("lead_time_drift", drift), "pt_BR") == (
        "Os últimos 6 pedidos levaram 20 dias em média, e não 9,5 dias."
    )
    asked: Facts = {
        "actual_quantity": 70.0,
        "expected_quantity": 30.0,
        "deviation": 4.0,
        "since": "2025-06-29",
    }
    assert alert_reason(alert("forecast_drift", asked), "en") == (
        "70 un were asked for since Jun 29, 2025, and 30 un forecast."
    )
    assert alert_reason(alert("forecast_drift", asked | {"deviation": -4.0}), "pt_BR").startswith(
        "Só se pediram 70 un"
    )
    over = asked | {"until": "2025-07-09"}
    assert alert_reason(alert("forecast_drift", over), "pt_BR") == (
        "Pediram-se 70 un de 29/06/2025 a 09/07/2025, e a previsão era de 30 un."
    )
    gap: Facts = {"file": "stock", "last_on": "2025-05-30", "silent_days": 30.0, "items": 4.0}
    assert alert_message(alert("data_gap", gap), "en") == (
        "Depósito: no stock counts since May 30, 2025 (30 days); items: 4."
    )


def test_months_are_words_of_the_language() -> None:
    november = date(2026, 11, 1)
    assert month_name(november, "pt_BR") == "novembro de 2026"
    assert month_name(november, "en") == "November 2026"
