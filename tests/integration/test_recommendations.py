"""Recommendations of a whole run: what they hold, what persists, what people decide about them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from domain.access import EVERYTHING, Scope
from domain.errors import InvalidInput, NotFound
from domain.narrative_gate import unfounded
from domain.receipts import evaluate
from domain.recommendation_receipts import workings_of
from domain.recommending.frames import KINDS
from domain.records import Filters
from tests import factories, services
from tests.factories import LAST_DAY
from warehouse.commands import recommendations as commands
from warehouse.commands.users import Actor
from warehouse.db import get_engine, make_engine
from warehouse.pipeline import derive, publish
from warehouse.queries import alerts, inventory, recommendations

STOCK = {
    ("CABO-01", "DEP-SP"): 200.0,
    ("CABO-01", "DEP-RJ"): 300.0,
    ("CABO-01", "DEP-BA"): 1800.0,
    ("BAT-02", "DEP-SP"): 25.0,
    ("BAT-02", "DEP-RJ"): 400.0,
    ("PAR-03", "DEP-SP"): 100.0,
    ("EPI-04", "DEP-RJ"): 1.0,
}
ANA = Actor(name="ana@nova.example", role="ANALYST")


@pytest.fixture(scope="module")
def filled(
    module_engine: Engine, module_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The name of a database with a run over three depots, one with too many batteries."""
    network = factories.make_network(module_engine)
    factories.add_demand(module_engine, network)
    factories.add_stock(module_engine, network, STOCK)
    factories.refresh_views(module_engine)
    bundle = factories.make_bundle(tmp_path_factory.mktemp("bundles"), module_engine)
    publish.publish_bundle(bundle, engine=module_engine, published_by="tests")
    module_engine.dispose()
    return module_database_url.rpartition("/")[2]


@pytest.fixture
def published(filled: str, server_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """A copy of it that the queries and commands of this process work on."""
    with services.fresh_database(server_url, filled) as url:
        monkeypatch.setenv("DATABASE_URL", url)
        services.forget_settings()
        engine = make_engine(url)
        yield engine
        engine.dispose()
        get_engine().dispose()
        monkeypatch.undo()
        services.forget_settings()


def rows(engine: Engine, sql: str, **params: Any) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(text(sql), params).all())


def listed(**asked: Any) -> list[Any]:
    return recommendations.page(limit=500, **asked).rows


def of_kind(kind: str) -> list[Any]:
    return [one for one in listed() if one.kind == kind]


def test_a_run_keeps_the_rules_of_conservation(published: Engine) -> None:
    given: dict[tuple[str, str], float] = {}
    received: dict[tuple[str, str], float] = {}
    for move in of_kind("TRANSFER"):
        for side, site in ((given, move.from_site), (received, move.site)):
            side[move.sku, site] = side.get((move.sku, site), 0) + move.quantity
    assert given and sum(given.values()) == sum(received.values())
    stock = rows(
        published,
        "SELECT sku, site, on_hand, reserved, on_order, reorder_point, order_up_to, min_order_qty,"
        " pack_size FROM analytics.policy JOIN core.item USING (item_id)"
        " JOIN core.site USING (site_id)",
    )
    known = {(row.sku, row.site): row for row in stock}
    for key, quantity in given.items():
        row = known[key]
        assert row.on_hand - (row.reserved or 0) - quantity >= row.reorder_point
    orders = of_kind("REORDER")
    assert orders
    for order in orders:
        row = known[order.sku, order.site]
        position = row.on_hand + row.on_order + received.get((order.sku, order.site), 0)
        assert order.quantity >= (row.min_order_qty or 0)
        assert position + order.quantity <= row.order_up_to + 1e-3
        assert order.quantity % (row.pack_size or 1) == 0
        assert order.act_by >= LAST_DAY


def test_every_number_of_a_narrative_stands_in_its_facts(published: Engine) -> None:
    found = listed()
    assert {one.kind for one in found} >= {"REORDER", "TRANSFER", "REDUCE"}
    for one in found:
        assert one.narrative_source == "template"
        assert set(one.narrative) == {"pt_BR", "en"}
        for locale, words in one.narrative.items():
            assert unfounded(words, one.facts, locale) is None, words


def test_every_receipt_gives_the_numbers_that_are_shown(published: Engine) -> None:
    for one in listed():
        made = workings_of(one.kind, one.facts)
        assert [step.key for step in made.steps] or one.value_brl is None
        for step in made.steps:
            assert evaluate(step) == pytest.approx(step.value, rel=0, abs=0.005), one
        values = [step.value for step in made.steps if step.unit == "BRL"]
        assert one.value_brl is None or values[-1] == pytest.approx(one.value_brl, abs=0.001)


def test_a_transfer_says_the_same_at_risk_as_stock_and_alerts(published: Engine) -> None:
    """All three are over the lead time."""
    stock = {(one.sku, one.site): one.risk_brl for one in inventory.page(limit=500).rows}
    raised = [
        one
        for one in alerts.page(limit=500).rows
        if one.kind in ("stockout_imminent", "below_reorder_point")
    ]
    alerted = {(one.sku, one.site): one.risk_brl for one in raised}
    moves = of_kind("TRANSFER")
    assert {(one.sku, one.site) for one in moves} & set(alerted)
    for one in moves:
        place, risk = (one.sku, one.site), one.if_nothing["risk_brl"]
        assert risk == pytest.approx(stock[place], abs=0.01)
        assert risk == pytest.approx(alerted.get(place, risk), abs=0.01)


def test_an_item_without_a_cost_is_ordered_without_a_value(published: Engine) -> None:
    (glove,) = [one for one in listed() if one.sku == "EPI-04" and one.site == "DEP-RJ"]
    assert (glove.kind, glove.value_brl) == ("REORDER", None)
    assert glove.facts["if_nothing"]["unmet_quantity"] > 0


def test_statuses_and_reasons_are_kept_over_runs(published: Engine, tmp_path: Path) -> None:
    first = of_kind("REORDER")[0]
    decide(published, first.id, "rejected", reason="a obra foi adiada")
    bundle = factories.make_bundle(tmp_path / "next", published, name="20250701T060000Z-00000001")
    with published.begin() as connection:
        connection.execute(text("UPDATE core.item SET criticality = 5"))
    publish.publish_bundle(bundle, engine=published, published_by="tests")
    again = next(one for one in of_kind("REORDER") if key(one) == key(first))
    assert (again.status, again.decided_by, again.decision_reason) == (
        "rejected",
        "ana@nova.example",
        "a obra foi adiada",
    )
    assert again.raised_at == first.raised_at


def test_deriving_again_keeps_numbers_and_words_whose_facts_are_the_same(
    published: Engine,
) -> None:
    first = of_kind("REORDER")[0]
    alert = alerts.page().rows[0]
    with published.begin() as connection:
        connection.execute(
            text(
                "UPDATE analytics.recommendation SET narrative_source = 'llm',"
                ' narrative = \'{"pt_BR": "Compre.", "en": "Buy."}\' WHERE id = :id'
            ),
            {"id": first.id},
        )
        run_id = connection.execute(text("SELECT run_id FROM analytics.published")).scalar_one()
        derive.derive_run(connection, run_id)
    again = next(one for one in of_kind("REORDER") if key(one) == key(first))
    assert (again.narrative_source, again.narrative["en"]) == ("llm", "Buy.")
    assert again.id == first.id
    assert alerts.one(alert_id=alert.id).id == alert.id


def test_what_a_rejected_transfer_would_have_brought_is_bought(published: Engine) -> None:
    """Of the receiver's need nothing else was left, nor will another depot give."""
    bought = {(one.sku, one.site) for one in of_kind("REORDER")}
    moves = [one for one in of_kind("TRANSFER") if (one.sku, one.site) not in bought]
    move = moves[0]
    decide(published, move.id, "rejected", reason="sem transporte")
    for _ in range(2):
        derive_again(published)
        others = [one for one in of_kind("TRANSFER") if one.id != move.id and one.sku == move.sku]
        assert [one for one in others if one.site == move.site] == []
        (order,) = [o for o in of_kind("REORDER") if (o.sku, o.site) == (move.sku, move.site)]
        assert order.facts["received"] == 0
        (kept,) = [one for one in of_kind("TRANSFER") if one.id == move.id]
        assert (kept.status, kept.decision_reason) == ("rejected", "sem transporte")
        assert (kept.quantity, kept.narrative) == (move.quantity, move.narrative)
    decide(published, move.id, "open")
    derive_again(published)
    assert (move.sku, move.site) not in {(one.sku, one.site) for one in of_kind("REORDER")}


def test_a_snoozed_one_wakes_up(published: Engine) -> None:
    first = of_kind("REORDER")[0]
    decide(published, first.id, "snoozed")
    with published.begin() as connection:
        connection.execute(text("UPDATE analytics.recommendation SET snoozed_until = now()"))
        run_id = connection.execute(text("SELECT run_id FROM analytics.published")).scalar_one()
        derive.derive_run(connection, run_id)
    again = next(one for one in of_kind("REORDER") if key(one) == key(first))
    assert again.status == "open"


def test_the_settings_of_the_company_decide(published: Engine) -> None:
    with published.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO support.setting (key, value, changed_by)"
                " VALUES ('policy', '{\"excess_days\": 5000, \"unknown\": 1}', 'tests')"
            )
        )
        run_id = connection.execute(text("SELECT run_id FROM analytics.published")).scalar_one()
        derive.derive_run(connection, run_id)
    assert of_kind("REDUCE") == []


def test_what_was_decided_is_counted_when_it_is_no_longer_advised(
    published: Engine, tmp_path: Path
) -> None:
    """Batteries that are too many in Rio are sold, and the next count is without them; the run
    before knows them as nobody had decided yet."""

    def reductions() -> Any:
        return next(one for one in recommendations.by_kind() if one.kind == "REDUCE")

    bundle = factories.make_bundle(tmp_path / "next", published, scale=1.01)
    publish.publish_bundle(bundle, engine=published, published_by="tests")
    first, before = of_kind("REDUCE")[0], reductions()
    decide(published, first.id, "accepted")
    place = (first.sku, first.site)
    count(published, STOCK | {place: STOCK[place] - first.quantity}, days=1)
    assert key(first) not in [key(one) for one in of_kind("REDUCE")]
    after = reductions()
    assert (after.accepted, after.count) == (1, before.count)
    assert after.carried_out_brl == pytest.approx(first.value_brl, abs=0.01)
    count(published, STOCK, days=2)
    (again,) = [one for one in of_kind("REDUCE") if key(one) == key(first)]
    decide(published, again.id, "rejected", reason="não outra vez")
    after = reductions()
    assert (after.accepted, after.rejected, after.count) == (1, 1, before.count + 1)
    assert not recommendations.by_kind(scope=Scope(ufs=("BA",)))[3].accepted


def test_a_purchase_request_says_what_was_accepted_whatever_is_needed_since(
    published: Engine, tmp_path: Path
) -> None:
    """The next count of a depot is lower, then another run is published and prices rise."""
    first = of_kind("REORDER")[0]
    decide(published, first.id, "accepted", reason="combinado")
    (before,) = recommendations.to_buy()
    assert (before.quantity, before.unit_price_brl) == (
        first.quantity,
        first.facts["price_brl"],
    )
    assert (before.supplier, before.order_by) == (first.supplier, first.act_by)
    with published.begin() as connection:
        connection.execute(text("UPDATE core.stock SET on_hand = on_hand / 2"))
        connection.execute(text("UPDATE core.item SET unit_cost_brl = 2 * unit_cost_brl"))
    derive.refresh_after_load(published)
    bundle = factories.make_bundle(tmp_path / "next", published, scale=1.01)
    publish.publish_bundle(bundle, engine=published, published_by="tests")
    again = next(one for one in of_kind("REORDER") if key(one) == key(first))
    assert (again.status, again.accepted_quantity) == ("accepted", first.quantity)
    assert again.id != first.id and again.quantity != first.quantity
    assert recommendations.to_buy() == [before]


def count(engine: Engine, levels: dict[tuple[str, str], float], *, days: int) -> None:
    """Every depot counts this so many days later."""
    day = LAST_DAY + timedelta(days=days)
    factories.add_stock(engine, network_of(engine), levels, days=1, last_day=day)
    derive.refresh_after_load(engine)


def network_of(engine: Engine) -> factories.Network:
    return factories.Network(
        items=dict(map(tuple, rows(engine, "SELECT sku, item_id FROM core.item"))),
        sites=dict(map(tuple, rows(engine, "SELECT site, site_id FROM core.site"))),
        suppliers=dict(map(tuple, rows(engine, "SELECT supplier, supplier_id FROM core.supplier"))),
    )


def derive_again(engine: Engine) -> None:
    with engine.begin() as connection:
        run_id = connection.execute(text("SELECT run_id FROM analytics.published")).scalar_one()
        derive.derive_run(connection, run_id)


def test_alert_and_reduction_say_the_same_of_what_nobody_asks_for(published: Engine) -> None:
    """Batteries in Rio: not asked for in 180 days, without any expected, ordered by fifties."""
    everywhere = "item_id = (SELECT item_id FROM core.item WHERE sku = 'BAT-02')"
    here = f"{everywhere} AND site_id = (SELECT site_id FROM core.site WHERE site = 'DEP-RJ')"
    lately = LAST_DAY - timedelta(days=180)
    changes = (
        f"UPDATE core.stock SET on_hand = 400 WHERE {everywhere}",
        f"UPDATE core.stock SET on_hand = 120 WHERE {here}",
        f"DELETE FROM core.demand WHERE {here} AND date > :lately",
        f"UPDATE analytics.forecast SET mean = 0, p10 = 0, p50 = 0, p90 = 0 WHERE {here}",
        "UPDATE core.item SET unit_cost_brl = 900, min_order_qty = 50 WHERE sku = 'BAT-02'",
    )
    with published.begin() as connection:
        for change in changes:
            connection.execute(text(change), {"lately": lately})
    derive.refresh_after_load(published)
    place = ("BAT-02", "DEP-RJ")
    (alert,) = [one for one in alerts.page(limit=500).rows if (one.sku, one.site) == place]
    (cut,) = [one for one in listed() if (one.sku, one.site) == place]
    assert (alert.kind, cut.kind) == ("dead_stock", "REDUCE")
    assert alert.facts["idle_quantity"] == cut.quantity == 120


def test_what_is_out_of_use_is_got_rid_of_and_nothing_else(published: Engine) -> None:
    """One order has been late for ten days, one comes long after the stock is gone, one supplier is
    worse than the other, and one depot has enough for all."""
    network = network_of(published)
    for sku, quantity, days in (("CABO-01", 1, -10), ("PAR-03", 3600, 60)):
        factories.add_order(
            published,
            network,
            order=f"OPEN-{sku}",
            sku=sku,
            site="DEP-SP",
            quantity=quantity,
            ordered_on=LAST_DAY - timedelta(days=25),
            promised_on=LAST_DAY + timedelta(days=days),
            unit_price_brl=0.8,
        )
    with published.begin() as connection:
        connection.execute(text("UPDATE core.stock SET on_hand = 9000 WHERE on_hand = 1800"))
        connection.execute(text("REFRESH MATERIALIZED VIEW analytics.series_overview"))
    deliver(published, "ALFA", "CABO-01", 12.5, late=15)
    deliver(published, "BETA", "CABO-01", 11.0)
    derive_again(published)
    assert {one.kind for one in listed()} == set(KINDS)
    raised = {one.kind for one in alerts.page(limit=500).rows}
    assert raised >= {"stockout_imminent", "late_order", "excess"}
    with published.begin() as connection:
        connection.execute(text("UPDATE core.item SET active = false"))
    derive_again(published)
    assert {one.kind for one in listed()} == {"REDUCE"}
    assert {one.kind for one in alerts.page(limit=500).rows} == {"excess"}
    assert rows(published, "SELECT FROM analytics.policy WHERE reorder_point > 0")


# From whom

LINES = 12


def deliver(
    engine: Engine, supplier: str, sku: str, price: float, late: int = 0, promises: int = LINES
) -> None:
    """LINES of this supplier, one a week, that took ten days and so many more; so many of them had
    been promised in ten."""
    network = network_of(engine)
    for number in range(LINES):
        ordered = LAST_DAY - timedelta(days=60 + 7 * number)
        promised = ordered + timedelta(days=10)
        factories.add_order(
            engine,
            network,
            order=f"{supplier}-{sku}-{number}",
            sku=sku,
            site="DEP-SP",
            quantity=10,
            supplier=supplier,
            ordered_on=ordered,
            promised_on=promised if number < promises else None,
            received_on=promised + timedelta(days=late),
            received_qty=10,
            unit_price_brl=price,
        )


def bought_from(sku: str) -> set[tuple[str, float, float]]:
    """Supplier, price and measured lines of every purchase of it."""
    found = [one.facts for one in of_kind("REORDER") if one.sku == sku]
    return {(one["supplier"], one["price_brl"], one["supplier_lines"]) for one in found}


def test_purchases_go_to_the_items_files_supplier(published: Engine) -> None:
    """Though another is measured, cheaper and never late."""
    deliver(published, "BETA", "CABO-01", 9.0)
    derive_again(published)
    assert bought_from("CABO-01") == {("Alfa Energia", 12.5, 0)}
    deliver(published, "ALFA", "CABO-01", 12.0, late=20)
    derive_again(published)
    (switch,) = of_kind("SWITCH")
    decide(published, switch.id, "rejected", reason="contrato até dezembro")
    derive_again(published)
    assert bought_from("CABO-01") == {("Alfa Energia", 12.0, LINES)}


def test_what_the_items_file_names_no_supplier_of_is_bought_where_it_costs_least(
    published: Engine,
) -> None:
    deliver(published, "ALFA", "EPI-04", 31.0)
    deliver(published, "BETA", "EPI-04", 30.0)
    derive_again(published)
    assert bought_from("EPI-04") == {("Beta Cabos", 30.0, LINES)}


def test_a_line_that_was_promised_for_no_day_is_not_late(published: Engine) -> None:
    deliver(published, "ALFA", "CABO-01", 12.5, promises=0)
    deliver(published, "BETA", "CABO-01", 12.3)
    derive_again(published)
    assert of_kind("SWITCH") == []


@pytest.mark.parametrize(("promises", "share", "is_told"), [(6, 1, True), (0, None, False)])
def test_on_time_is_a_share_of_what_was_promised(
    published: Engine, promises: int, share: float | None, is_told: bool
) -> None:
    deliver(published, "ALFA", "CABO-01", 12.5, promises=promises)
    deliver(published, "BETA", "CABO-01", 11.0)
    derive_again(published)
    (switch,) = of_kind("SWITCH")
    facts = switch.facts
    assert (facts["lines_now"], facts["promised_now"], facts["otif_now"]) == (12, promises, share)
    assert facts["on_time_z"] == 0
    assert ("No prazo e completo: 100% contra 100%." in switch.narrative["pt_BR"]) == is_told
    assert ("No prazo" in switch.narrative["pt_BR"]) == is_told


# What people decide


def decide(engine: Engine, number: int | list[int], status: str, **more: Any) -> None:
    commands.set_status(
        engine,
        recommendation_ids=number if isinstance(number, list) else [number],
        status=status,
        actor=ANA,
        user_id=None,
        **{"scope": EVERYTHING, **more},
    )


def key(one: Any) -> tuple[Any, ...]:
    return one.kind, one.sku, one.site, one.from_site


def test_a_decision_is_a_row_with_its_facts_and_an_audit_row(published: Engine) -> None:
    first = of_kind("REORDER")[0]
    decide(published, first.id, "accepted", reason="combinado com compras")
    (decision,) = rows(published, "SELECT * FROM support.decision")
    assert (decision.kind, decision.actor, decision.status, decision.reason) == (
        "recommendation",
        "ana@nova.example",
        "accepted",
        "combinado com compras",
    )
    assert decision.facts["quantity"] == first.quantity
    assert decision.facts["value_brl"] == pytest.approx(first.value_brl, abs=0.001)
    (audit,) = rows(
        published,
        "SELECT * FROM support.audit_log WHERE action = 'recommendation.status'",
    )
    assert (audit.before, audit.after["status"]) == ({"status": "open"}, "accepted")


def test_the_same_status_again_changes_nothing(published: Engine) -> None:
    first = of_kind("REORDER")[0]
    for _ in range(2):
        decide(published, first.id, "accepted")
    assert len(rows(published, "SELECT FROM support.decision")) == 1


def test_a_rejection_needs_a_reason(published: Engine) -> None:
    first = of_kind("REORDER")[0]
    for reason in (None, "", "  "):
        with pytest.raises(InvalidInput, match="reason"):
            decide(published, first.id, "rejected", reason=reason)
    assert listed()[0].status == "open"


def test_what_was_rejected_cannot_be_done(published: Engine) -> None:
    first = of_kind("REORDER")[0]
    decide(published, first.id, "rejected", reason="não")
    with pytest.raises(InvalidInput, match="rejected"):
        decide(published, first.id, "done")
    decide(published, first.id, "open")
    decide(published, first.id, "accepted")
    decide(published, first.id, "done")


def test_many_are_decided_at_once_or_none(published: Engine) -> None:
    numbers = [one.id for one in of_kind("REORDER")]
    assert len(numbers) > 1
    with pytest.raises(NotFound):
        decide(published, [*numbers, 987654321], "accepted")
    assert {one.status for one in listed()} == {"open"}
    decide(published, numbers, "accepted")
    assert {one.status for one in of_kind("REORDER")} == {"accepted"}
    assert len(rows(published, "SELECT FROM support.decision")) == len(numbers)


def test_what_is_out_of_scope_is_not_there(published: Engine) -> None:
    rio = Scope(ufs=("RJ",))
    assert {one.uf for one in listed(scope=rio)} == {"RJ"}
    other = next(one for one in listed() if one.uf == "SP")
    with pytest.raises(NotFound):
        decide(published, other.id, "accepted", scope=rio)


def test_a_transfer_is_seen_by_who_sees_both_depots(published: Engine) -> None:
    """The giver's stock is none of a stranger's business."""
    move = of_kind("TRANSFER")[0]
    ufs = {row.site: row.uf for row in rows(published, "SELECT site, uf FROM core.site")}
    receiver, giver = ufs[move.site], ufs[move.from_site]
    both = {one.id for one in listed(scope=Scope(ufs=(receiver, giver)))}
    alone = {one.id for one in listed(scope=Scope(ufs=(receiver,)))}
    assert move.id in both and move.id not in alone


def test_totals_are_the_sums_of_the_rows(published: Engine) -> None:
    first, second = of_kind("REORDER")[:2]
    decide(published, first.id, "accepted")
    decide(published, second.id, "rejected", reason="não")
    everything = listed()
    totals = {one.status: one for one in recommendations.totals()}
    for status, total in totals.items():
        mine = [one for one in everything if one.status == status]
        assert total.count == len(mine)
        known = [one.value_brl for one in mine if one.value_brl is not None]
        value = sum(known) if known or not mine else None
        assert total.value_brl == (value and pytest.approx(value))
        assert total.unvalued == len(mine) - len(known)
    assert sum(total.count for total in totals.values()) == len(everything)


def test_the_list_is_filtered_and_paged(published: Engine) -> None:
    everything = listed()
    by_value = [one.value_brl for one in everything if one.value_brl is not None]
    assert by_value == sorted(by_value, reverse=True)
    narrowed = listed(kinds=("REDUCE",), filters=Filters(uf=("RJ",)))
    assert narrowed
    assert narrowed == [one for one in everything if one.kind == "REDUCE" and one.uf == "RJ"]
    page = recommendations.page(limit=2)
    seen = [one.id for one in page.rows]
    while page.next:
        page = recommendations.page(limit=2, cursor=page.next)
        seen += [one.id for one in page.rows]
    assert seen == [one.id for one in everything]


def test_dates_are_of_the_data_not_of_the_clock(published: Engine) -> None:
    for one in listed():
        assert one.facts["today"] == date.isoformat(LAST_DAY)


# What was decided stays, and counts


def ask_for_more(engine: Engine, sku: str, factor: float) -> None:
    """The forecast of an item is so much higher, wherever it is asked for."""
    change = """
        UPDATE analytics.forecast SET mean = :factor * mean, p10 = :factor * p10,
            p50 = :factor * p50, p90 = :factor * p90
        WHERE item_id = (SELECT item_id FROM core.item WHERE sku = :sku)
    """
    with engine.begin() as connection:
        connection.execute(text(change), {"sku": sku, "factor": factor})


def totals_of(kind: str) -> Any:
    return next(one for one in recommendations.by_kind() if one.kind == kind)


def test_a_purchase_that_was_done_stays_and_the_rest_is_asked_for(published: Engine) -> None:
    first = next(one for one in of_kind("REORDER") if one.sku == "CABO-01")
    decide(published, first.id, "done")
    counted = {(one.item_id, one.site_id) for one in rows(published, recommendations.accepted())}
    network = network_of(published)
    assert counted == {(network.items[first.sku], network.sites[first.site])}, "never accepted"
    carried_out = totals_of("REORDER").carried_out_brl
    derive_again(published)
    place = [one for one in of_kind("REORDER") if key(one) == key(first)]
    assert [(one.id, one.status, one.quantity) for one in place] == [
        (first.id, "done", first.quantity)
    ]
    ask_for_more(published, first.sku, 3)
    for _ in range(2):
        derive_again(published)
        place = [one for one in of_kind("REORDER") if key(one) == key(first)]
        done, rest = sorted(place, key=lambda one: one.status)
        assert (done.id, done.status, done.quantity) == (first.id, "done", first.quantity)
        assert (done.facts, done.narrative) == (first.facts, first.narrative)
        assert done.value_brl == pytest.approx(first.value_brl)
        assert totals_of("REORDER").carried_out_brl == pytest.approx(carried_out)
        assert (rest.status, rest.facts["bought"]) == ("open", first.quantity)
        facts = rest.facts
        assert facts["on_order"] == first.facts["on_order"] + first.quantity
        assert facts["position"] + rest.quantity <= facts["order_up_to"] + 1e-3
        assert rest.quantity >= facts["least_order"] and rest.quantity % facts["pack"] == 0
        assert "já foi comprado" in rest.narrative["pt_BR"]
    decide(published, rest.id, "done")
    derive_again(published)
    assert [o.status for o in of_kind("REORDER") if key(o) == key(first)] == ["done", "done"]
    bought = first.quantity + rest.quantity
    count(published, STOCK, days=1)
    factories.add_order(
        published, network, order="DONE", sku=first.sku, site=first.site,
        quantity=bought, ordered_on=LAST_DAY + timedelta(days=1),
        promised_on=LAST_DAY + timedelta(days=9),
    )  # fmt: skip
    derive_again(published)
    place = [one for one in of_kind("REORDER") if key(one) == key(first)]
    assert [one.status for one in place if one.quantity] in ([], ["open"])
    assert all(one.facts["bought"] == 0 and one.id not in (first.id, rest.id) for one in place)
    assert totals_of("REORDER").done == 2


@pytest.mark.parametrize(
    "ordered", [{"ordered_on": LAST_DAY}, {"ordered_on": LAST_DAY, "order_dated": False}]
)
def test_a_purchase_is_shown_by_a_line_that_was_loaded_after_the_decision(
    published: Engine, ordered: dict[str, Any]
) -> None:
    """What was loaded before was known to it."""
    first = next(one for one in of_kind("REORDER") if one.sku == "CABO-01")
    line: dict[str, Any] = {
        "sku": first.sku, "site": first.site, "quantity": first.quantity,
        "promised_on": LAST_DAY + timedelta(days=9), **ordered,
    }  # fmt: skip
    network = network_of(published)
    factories.add_order(published, network, order="KNOWN", **line)
    decide(published, first.id, "done")
    derive_again(published)
    assert [o.status for o in of_kind("REORDER") if key(o) == key(first)] == ["done"]
    factories.add_order(published, network, order="SHOWN", **line)
    derive_again(published)
    assert [o.status for o in of_kind("REORDER") if key(o) == key(first)] == []


def test_a_purchase_that_the_data_never_show_is_asked_for_again(published: Engine) -> None:
    first = next(one for one in of_kind("REORDER") if one.sku == "CABO-01")
    decide(published, first.id, "done")
    long_ago = """
        UPDATE support.decision SET facts = facts || jsonb_build_object('today', :day ::text)
    """
    lead = int(first.facts["lead_time_days"]) + 1
    for days, statuses in ((0, ["done"]), (lead + 1, ["open"])):
        with published.begin() as connection:
            day = (LAST_DAY - timedelta(days=days)).isoformat()
            connection.execute(text(long_ago), {"day": day})
        derive_again(published)
        again = [one for one in of_kind("REORDER") if key(one) == key(first)]
        assert [one.status for one in again] == statuses
    assert again[0].id != first.id and again[0].decided_by is None


def test_what_is_done_after_it_was_accepted_is_what_was_accepted(published: Engine) -> None:
    first = next(one for one in of_kind("REORDER") if one.sku == "CABO-01")
    decide(published, first.id, "accepted")
    ask_for_more(published, first.sku, 3)
    derive_again(published)
    (now,) = [one for one in of_kind("REORDER") if key(one) == key(first)]
    assert now.quantity > now.accepted_quantity == first.quantity
    decide(published, first.id, "done")
    done = recommendations.one(recommendation_id=first.id)
    assert (done.quantity, done.narrative) == (first.quantity, first.narrative)
    assert done.value_brl == pytest.approx(first.value_brl)
    derive_again(published)
    place = [one for one in of_kind("REORDER") if key(one) == key(first)]
    assert sorted((one.status, one.quantity) for one in place)[0] == ("done", first.quantity)
    assert [one.status for one in place].count("open") == 1


@pytest.mark.parametrize("status", ["accepted", "done"])
def test_what_is_to_be_got_rid_of_is_moved_nowhere(published: Engine, status: str) -> None:
    """A move out of what a decided reduction leaves would take the same units twice."""
    first = next(one for one in of_kind("REDUCE") if one.sku == "BAT-02")
    carried_out = totals_of("REDUCE").carried_out_brl
    decide(published, first.id, status)
    with published.begin() as connection:
        change = """
            UPDATE core.stock SET on_hand = 0 FROM core.item
            WHERE item.item_id = stock.item_id AND sku = 'BAT-02'
                AND site_id <> (SELECT site_id FROM core.site WHERE site = :site)
        """
        connection.execute(text(change), {"site": first.site})
        connection.execute(
            text("UPDATE core.stock SET on_hand = :left WHERE on_hand = 400"),
            {"left": first.quantity + first.facts["reorder_point"] + 5},
        )
    derive.refresh_after_load(published)
    left = first.facts["reorder_point"] + 5
    moves = [one for one in of_kind("TRANSFER") if one.from_site == first.site]
    moved = sum(one.quantity for one in moves if one.sku == first.sku)
    assert left - moved >= first.facts["reorder_point"]
    (kept,) = [one for one in of_kind("REDUCE") if key(one) == key(first)]
    assert (kept.status, kept.quantity, kept.id) == (status, first.quantity, first.id)
    assert totals_of("REDUCE").carried_out_brl - carried_out == pytest.approx(first.value_brl)
    count(published, STOCK, days=1)
    (again,) = [one for one in of_kind("REDUCE") if key(one) == key(first)]
    assert again.status == ("open" if status == "done" else "accepted")
    assert (again.id == first.id) == (status == "accepted")
