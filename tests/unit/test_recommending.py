"""Recommendations over random stocks: nothing is claimed twice, nobody starves, lots are lots."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest

from domain import inventory, transport
from domain.narrative_gate import refusal
from domain.policy_settings import PolicySettings
from domain.receipts import evaluate
from domain.recommendation_receipts import workings_of
from domain.recommendation_wording import narrative
from domain.recommending import transfers
from domain.recommending.frames import DAYS_A_YEAR, Context, shortage_brl, unmet_in_lead_time
from domain.recommending.queue import FOLLOWED, NEEDED, recommend
from domain.recommending.settings import RecommendationSettings

TODAY = date(2025, 6, 30)
CONTEXT = Context(TODAY, PolicySettings(), RecommendationSettings())
PLACES = ((-23.5, -46.6), (-22.9, -43.2), (-13.0, -38.5), (-3.1, -60.0), (-30.0, -51.2))
NO_ORDERS = pd.DataFrame(
    columns=(
        "item_id site_id order_no line supplier_id supplier quantity unit_price_brl ordered_on"
        " promised_on received_on expected_on counted"
    ).split()
).astype({"expected_on": "datetime64[ns]", "item_id": "int64", "site_id": "int64"})
NO_SUPPLY = pd.DataFrame(
    columns=(
        "item_id supplier_id supplier lines promised on_time lead_mean lead_std price_brl"
    ).split()
).astype({"item_id": "int64", "supplier_id": "int64"})


def stock(*rows: dict[str, Any]) -> pd.DataFrame:
    """Rows of the stock frame: a policy of the textbook's around what each row says."""
    made = []
    for number, given in enumerate(rows):
        row: dict[str, Any] = {
            "item_id": 1, "site_id": number + 1, "sku": "CABO", "item_name": "Cabo", "unit": "m",
            "uf": "SP", "own_supplier_id": 7, "own_supplier": "ALFA", "unit_cost_brl": 100.0,
            "active": True, "min_order_qty": np.nan, "pack_size": np.nan, "service_level": 0.95,
            "reserved": 0.0, "on_order": 0.0, "on_hand": 100.0, "stock_date": TODAY,
            "counted_quantity": np.nan, "used_since": np.nan, "received_since": np.nan,
            "arrived_since": np.nan, "in_transit": np.nan, "in_transit_days": np.nan,
            "lead_time_days": 20.0, "lead_time_std": 3.0, "lead_time_source": "items file",
            "daily_demand": 2.0, "demand_std": 1.5, "penalty_brl": np.nan, "request_size": 1.0,
            "project_demand": 0.0, "project_ahead": 0.0, "unmoved_since": pd.NaT,
            "last_demand_on": TODAY,
        }  # fmt: skip
        row |= given
        place = PLACES[(row["site_id"] - 1) % len(PLACES)]
        row |= {"latitude": place[0], "longitude": place[1]}
        row |= {"site": f"DEP-{row['site_id']}", "site_name": f"Depósito {row['site_id']}"}
        made.append(row | _policy(row))
    return pd.DataFrame(made)


def _policy(row: dict[str, Any]) -> dict[str, Any]:
    rate, lead, sigma = row["daily_demand"], row["lead_time_days"], row["demand_std"]
    safety = float(inventory.safety_stock(row["service_level"], sigma, lead))
    point = row.get("reorder_point", rate * lead + safety)
    available = row["on_hand"] - np.nan_to_num(row["reserved"])
    supply = available + row["on_order"] - row["project_demand"]
    annual = row.get("annual_quantity", rate * DAYS_A_YEAR)
    days = max(0.0, available) / rate if rate > max(0.0, available) / 366 else np.nan
    return {
        "available": available,
        "annual_quantity": annual,
        "worst_demand": row.get("worst_demand", rate * lead),
        "worst_demand_std": sigma * np.sqrt(lead),
        "worst_supply": row.get("worst_supply", supply),
        "risk_quantity": row.get("risk_quantity", _missing(row, available)),
        "safety_stock": safety,
        "reorder_point": point,
        "order_up_to": row.get("order_up_to", point + row.get("lot", _lot(row))),
        "days_to_stockout": days,
        "stockout_on": pd.Timestamp(TODAY) + pd.Timedelta(days=float(np.floor(days)))
        if days == days
        else pd.NaT,
    }


def _missing(row: dict[str, Any], available: float) -> float:
    rate, lead, sigma = row["daily_demand"], row["lead_time_days"], row["demand_std"]
    supply = available + row["on_order"] - row["project_demand"]
    return float(inventory.expected_shortage(rate * lead, sigma * np.sqrt(lead), supply))


def _lot(row: dict[str, Any]) -> float:
    pack = row["pack_size"] if row["pack_size"] > 0 else 1.0
    return float(inventory.lot(max(1.0, 30 * row["daily_demand"]), row["min_order_qty"], pack))


def made(frame: pd.DataFrame, **more: Any) -> pd.DataFrame:
    orders, supply = more.get("orders", NO_ORDERS), more.get("supply", NO_SUPPLY)
    context = more.get("context", CONTEXT)
    priced = frame.assign(shortage_brl=shortage_brl(frame, context))
    followed = more.get("followed")
    return recommend(priced[NEEDED], orders, supply, context, more.get("rejected", ()), followed)


def of_kind(rows: pd.DataFrame, kind: str) -> list[Any]:
    return rows[rows["kind"] == kind].to_dict("records")


def random_stock(rng: np.random.Generator) -> pd.DataFrame:
    rows = []
    for item in range(1, 9):
        packed = rng.random() < 0.5
        for site in range(1, 6):
            rate = float(rng.gamma(1.0, 2.0) * (rng.random() < 0.9))
            rows.append(
                {
                    "item_id": item,
                    "site_id": site,
                    "daily_demand": rate,
                    "demand_std": float(rate**0.5 + rng.random()),
                    "on_hand": float(np.round(rng.gamma(0.6, 100.0), rng.integers(0, 2))),
                    "reserved": float(rng.choice([0.0, 3.0, np.nan], p=[0.7, 0.2, 0.1])),
                    "on_order": float(rng.choice([0.0, 50.0], p=[0.8, 0.2])),
                    "lead_time_days": float(rng.choice([np.nan, 10.0, 40.0], p=[0.1, 0.5, 0.4])),
                    "unit_cost_brl": float(rng.choice([np.nan, 3.0, 900.0], p=[0.1, 0.4, 0.5])),
                    "pack_size": float(rng.choice([5.0, 24.0])) if packed else np.nan,
                    "min_order_qty": float(rng.choice([np.nan, 0.0, 60.0])),
                    "penalty_brl": float(rng.choice([np.nan, 800.0])),
                    **({"lot": 0.25} if rng.random() < 0.2 else {}),
                }
            )
    return stock(*rows)


@pytest.mark.parametrize("seed", range(12))
def test_nobody_starves_and_lots_are_lots(seed: int) -> None:
    frame = random_stock(np.random.default_rng(seed))
    rows = made(frame)
    places = {(row["item_id"], row["site_id"]): row for row in frame.to_dict("records")}
    given = dict.fromkeys(places, 0.0)
    received = dict.fromkeys(places, 0.0)
    for move in of_kind(rows, "TRANSFER"):
        given[move["item_id"], int(move["from_site_id"])] += move["quantity"]
        received[move["item_id"], move["site_id"]] += move["quantity"]
        assert move["quantity"] == int(move["quantity"]) > 0
        assert move["value_brl"] > 0
    assert sum(given.values()) == sum(received.values())
    for key, row in places.items():
        if given[key]:
            assert row["available"] - given[key] >= row["reorder_point"], key
            assert not received[key], "a giver does not take"
        if received[key]:
            position = row["available"] + row["on_order"] + received[key]
            assert position <= row["order_up_to"] + 1e-9
    for order in of_kind(rows, "REORDER"):
        key = order["item_id"], order["site_id"]
        row = places[key]
        pack = row["pack_size"] if row["pack_size"] > 0 else 1.0
        minimum = np.nan_to_num(row["min_order_qty"])
        position = row["available"] + row["on_order"] + received[key] - given[key]
        assert order["quantity"] >= minimum
        assert order["quantity"] % pack == 0
        assert position + order["quantity"] <= row["order_up_to"] + 1e-3
        assert order["act_by"] >= TODAY
        assert order["facts"]["received"] == received[key]
        assert order["facts"]["given"] == given[key]
    for cut in of_kind(rows, "REDUCE"):
        key = cut["item_id"], cut["site_id"]
        row = places[key]
        left = row["available"] - given[key] - cut["quantity"]
        assert cut["facts"]["given"] == given[key]
        assert left >= np.nan_to_num(row["order_up_to"]) - 1e-9
        assert left >= row["daily_demand"] * 180 - 1e-9
    for one in rows.to_dict("records"):
        assert (one["facts"].get("avoided_quantity") or 0) <= (one["quantity"] or 0) + 1e-3, one
    assert rows["fingerprint"].is_unique


def test_the_random_stocks_ask_for_everything() -> None:
    """The properties above would hold of an empty queue too."""
    found = [made(random_stock(np.random.default_rng(seed))) for seed in range(12)]
    counts = pd.concat(found)["kind"].value_counts()
    assert counts["TRANSFER"] >= 20
    assert counts["REORDER"] >= 100
    assert counts["REDUCE"] >= 20


def test_what_is_due_is_ordered_up_to_the_maximum_and_what_has_no_room_for_a_lot_waits() -> None:
    lots = {"pack_size": 24.0, "min_order_qty": 60.0, "reorder_point": 50.0}
    due, early = (
        stock({"on_hand": on_hand, "order_up_to": 122.0} | lots) for on_hand in (49.0, 51.0)
    )
    (order,) = of_kind(made(due), "REORDER")
    assert order["quantity"] == 72
    assert of_kind(made(early), "REORDER") == []


@pytest.mark.parametrize("on_hand", [51.0, 48.0, 45.0, 42.0])
def test_at_its_reorder_point_an_item_is_bought_also_where_an_order_costs_nothing(
    on_hand: float,
) -> None:
    lot = float(inventory.economic_lot(730.0, 0.0, 22.0, pack=10.0))
    point = {"on_hand": on_hand, "reorder_point": 51.0, "pack_size": 10.0, "lot": lot}
    (order,) = of_kind(made(stock(point)), "REORDER")
    assert order["quantity"] == 10


def test_an_item_covered_by_an_order_is_not_ordered_again() -> None:
    bare = stock({"on_hand": 30.0})
    covered = stock({"on_hand": 30.0, "on_order": 200.0})
    assert len(of_kind(made(bare), "REORDER")) == 1
    assert of_kind(made(covered), "REORDER") == []


def test_a_purchase_says_how_much_by_when_from_whom_and_for_what() -> None:
    frame = stock({"on_hand": 50.0, "pack_size": 25.0})
    (order,) = of_kind(made(frame), "REORDER")
    (row,) = frame.to_dict("records")
    assert order["quantity"] == np.floor((row["order_up_to"] - 50) / 25) * 25
    assert order["act_by"] == date(2025, 7, 5)  # out on day 25, and an order takes 20
    assert order["supplier_id"] == 7
    facts = order["facts"]
    assert facts["value_brl"] == pytest.approx(
        facts["avoided_quantity"] * facts["shortage_brl"]
        - facts["order_cost_brl"]
        - facts["holding_brl"],
        abs=0.01,
    )
    assert facts["shortage_brl"] == 30  # 30 % of a unit cost of 100
    assert facts["if_nothing"]["stockout_on"] == "2025-07-25"
    assert facts["if_nothing"]["unmet_quantity"] == pytest.approx(50, abs=0.5)  # 2 × (20 + 30) − 50


def test_a_purchase_avoids_no_more_missing_units_than_it_buys() -> None:
    frame = stock({"on_hand": 40.0, "daily_demand": 20.0, "reorder_point": 45.0, "lot": 30.0})
    (order,) = of_kind(made(frame), "REORDER")
    facts = order["facts"]
    assert facts["unmet_quantity"] - facts["unavoidable_quantity"] > 500  # of 30 days
    assert facts["avoided_quantity"] == order["quantity"] == 35
    made_so = {step.key: step for step in workings_of("REORDER", facts).steps}
    assert evaluate(made_so["reorder_avoided"]) == 35
    assert evaluate(made_so["reorder_value"]) == pytest.approx(order["value_brl"], abs=0.01)


def test_a_need_that_a_transfer_meets_is_not_bought_too() -> None:
    alone = stock({"on_hand": 10.0})
    together = stock({"on_hand": 10.0}, {"on_hand": 900.0})
    point = together.iloc[0]["reorder_point"]
    assert len(of_kind(made(alone), "REORDER")) == 1
    rows = made(together)
    (move,) = of_kind(rows, "TRANSFER")
    assert (move["from_site_id"], move["site_id"]) == (2, 1)
    assert 10 + move["quantity"] == pytest.approx(np.ceil(point))
    assert of_kind(rows, "REORDER") == []


@pytest.mark.parametrize(("on_hand", "left"), [(80.0, 65.0), (100.5, 65.5)])
def test_a_giver_need_not_buy_what_it_gives(on_hand: float, left: float) -> None:
    """Whatever it is to keep: the next look is in a week, and takes 14."""
    rates = RecommendationSettings(giver_cover_days=0)
    point = {"reorder_point": 51.0}
    frame = stock(point | {"on_hand": 10.0}, point | {"on_hand": on_hand})
    rows = made(frame, context=Context(TODAY, PolicySettings(), rates))
    (move,) = of_kind(rows, "TRANSFER")
    assert on_hand - move["quantity"] == left >= 51 + 7 * 2
    assert [one["site_id"] for one in of_kind(rows, "REORDER")] == [1]


def test_a_need_whose_transfer_was_rejected_is_met_otherwise() -> None:
    """By another depot, else by a purchase; what was rejected stays, as it would be alone."""
    frame = stock({"on_hand": 30.0}, {"on_hand": 600.0}, {"on_hand": 600.0, "site_id": 5})
    (first,) = of_kind(made(frame), "TRANSFER")
    rejected = [first["fingerprint"]]
    (second, again) = of_kind(made(frame, rejected=rejected), "TRANSFER")
    assert {first["from_site_id"], second["from_site_id"]} == {2, 5}
    assert (again["fingerprint"], again["facts"]) == (first["fingerprint"], first["facts"])
    rejected.append(second["fingerprint"])
    rows = made(frame, rejected=rejected)
    assert [one["fingerprint"] for one in of_kind(rows, "TRANSFER")] == rejected
    assert [one["facts"]["from_given"] for one in of_kind(rows, "TRANSFER")] == [
        first["quantity"]
    ] * 2
    (order,) = of_kind(rows, "REORDER")
    assert (order["site_id"], order["facts"]["received"]) == (1, 0)
    assert [one["facts"]["given"] for one in of_kind(rows, "REDUCE")] == [0, 0]
    enough = frame.assign(on_hand=600.0, available=600.0)
    assert of_kind(made(enough, rejected=rejected), "TRANSFER") == []


def followed(*rows: dict[str, Any]) -> pd.DataFrame:
    """What was decided of item 1 and the data do not show."""
    nothing = dict.fromkeys(FOLLOWED, 0.0) | {"item_id": 1}
    return pd.DataFrame([nothing | row for row in rows])


def test_a_decided_transfer_is_given_and_received_already() -> None:
    """Of 600 that one depot has, 510 go elsewhere; and what is on its way is not brought again."""
    frame = stock({"on_hand": 30.0}, {"on_hand": 600.0}, {"on_hand": 600.0, "site_id": 5})
    (first,) = of_kind(made(frame), "TRANSFER")
    giver = int(first["from_site_id"])
    gave = followed({"site_id": giver, "gave": 510.0})
    (other,) = of_kind(made(frame, followed=gave), "TRANSFER")
    assert other["from_site_id"] != giver
    took = followed({"site_id": 1, "took": first["quantity"]})
    rows = made(frame, followed=took)
    assert of_kind(rows, "TRANSFER") == of_kind(rows, "REORDER") == []
    some = followed({"site_id": giver, "gave": 10.0}, {"site_id": 1, "took": 10.0})
    (rest,) = of_kind(made(frame, followed=some), "TRANSFER")
    assert rest["quantity"] == first["quantity"] - 10
    if rest["from_site_id"] == giver:
        assert rest["facts"]["from_given"] == rest["quantity"] + 10
        assert rest["facts"]["from_left"] == 600 - first["quantity"]
    assert 0 < rest["facts"]["avoided_quantity"] < first["facts"]["avoided_quantity"]


@pytest.mark.parametrize("seed", range(4))
def test_what_was_followed_starves_nobody_either(seed: int) -> None:
    """Decided reductions and moves off, givers keep their reorder point, and receipts add up."""
    frame = random_stock(np.random.default_rng(seed))
    before = made(frame)
    cuts = pd.DataFrame(of_kind(before, "REDUCE"))
    cuts = cuts.reindex(columns=["item_id", "site_id", "quantity"])
    effects = [
        cuts.rename(columns={"quantity": "reduced"}),
        *(
            pd.DataFrame([{"item_id": one["item_id"], "site_id": one[site], how: one["quantity"]}])
            for one in of_kind(before, "TRANSFER")[:2]
            for site, how in (("from_site_id", "gave"), ("site_id", "took"))
        ),
    ]
    sums = pd.concat(effects).groupby(["item_id", "site_id"], as_index=False).sum()
    after = made(frame, followed=sums.reindex(columns=["item_id", "site_id", *FOLLOWED]).fillna(0))
    places = {(row["item_id"], row["site_id"]): row for row in frame.to_dict("records")}
    left = {key: row["available"] for key, row in places.items()}
    for row in sums.to_dict("records"):
        left[row["item_id"], row["site_id"]] -= row["reduced"] + row["gave"]
    for move in of_kind(after, "TRANSFER"):
        key = move["item_id"], int(move["from_site_id"])
        left[key] -= move["quantity"]
        assert left[key] >= places[key]["reorder_point"]
    assert of_kind(after, "REDUCE") == []
    for one in after.to_dict("records"):
        for step in workings_of(one["kind"], one["facts"]).steps:
            assert evaluate(step) == pytest.approx(step.value, rel=0, abs=0.005), one


def test_all_transfers_together_have_a_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    def best_moves(*given: Any) -> Any:
        *problem, seconds = given
        asked.append(seconds)
        return transport.best_moves(*problem)

    monkeypatch.setattr(transfers, "best_moves", best_moves)
    items = [{"item_id": one, "on_hand": on_hand} for one in range(3) for on_hand in (10.0, 900.0)]
    frame = stock(*({**row, "site_id": place % 2 + 1} for place, row in enumerate(items)))
    assert len(of_kind(made(frame), "TRANSFER")) == 3
    assert asked == [transport.SECONDS] * 3
    monkeypatch.setattr(transfers, "ALL_SECONDS", 6.0)
    assert len(of_kind(made(frame), "TRANSFER")) == 3
    assert asked[3:] == [2.0] * 3


def test_what_a_giver_keeps_is_what_all_of_its_transfers_leave() -> None:
    rows = made(stock({"on_hand": 10.0}, {"on_hand": 900.0}, {"on_hand": 20.0}))
    moves = of_kind(rows, "TRANSFER")
    given = sum(move["quantity"] for move in moves)
    assert [move["from_site_id"] for move in moves] == [2, 2]
    for move in moves:
        facts = move["facts"]
        assert (facts["from_given"], facts["from_left"]) == (given, 900 - given)
        left = workings_of("TRANSFER", facts).steps[0]
        assert (left.key, evaluate(left)) == ("transfer_left", 900 - given)
        assert f" gives {given:,.0f} m in all " in narrative("TRANSFER", facts)["en"]
    (cut,) = [one for one in of_kind(rows, "REDUCE") if one["site_id"] == 2]
    quantity = {step.key: step for step in workings_of("REDUCE", cut["facts"]).steps}
    assert evaluate(quantity["reduce_quantity"]) == cut["quantity"] == 900 - given - 360
    assert (
        f", {given:,.0f} m saem em transferências, " in narrative("REDUCE", cut["facts"])["pt_BR"]
    )
    (alone,) = of_kind(made(stock({"on_hand": 10.0}, {"on_hand": 900.0})), "TRANSFER")
    assert " in all " not in narrative("TRANSFER", alone["facts"])["en"]


def test_what_a_transfer_leaves_is_bought() -> None:
    frame = stock({"on_hand": 10.0}, {"on_hand": 130.0})
    rows = made(frame)
    (move,) = of_kind(rows, "TRANSFER")
    (order,) = of_kind(rows, "REORDER")
    row = frame.iloc[0]
    assert order["site_id"] == move["site_id"] == 1
    assert order["facts"]["received"] == move["quantity"] < row["reorder_point"] - 10
    assert order["quantity"] == np.floor(row["order_up_to"] - 10 - move["quantity"])


def test_over_the_lead_time_the_missing_units_are_the_policys() -> None:
    """The alert of the same item and depot says the same."""
    rows = made(stock({"on_hand": 10.0, "risk_quantity": 36.0}, {"on_hand": 130.0}))
    (move,), (order,) = of_kind(rows, "TRANSFER"), of_kind(rows, "REORDER")
    facts, nothing = move["facts"], move["facts"]["if_nothing"]
    assert (nothing["unmet_quantity"], nothing["window_days"]) == (36, 20)
    assert nothing["risk_brl"] == pytest.approx(36 * 30)
    share = move["quantity"] / np.ceil(facts["reorder_point"] - 10)
    assert facts["avoided_quantity"] == pytest.approx(36 * share, abs=0.1)
    left = order["facts"]["unavoidable_quantity"]
    assert 36 - move["quantity"] <= left < 36
    later = 30 * 2.0  # the cover days' demand, which finds nothing
    assert order["facts"]["unmet_quantity"] - left == pytest.approx(later, abs=1)
    (alone,) = of_kind(made(stock({"on_hand": 10.0, "risk_quantity": 36.0})), "REORDER")
    assert alone["facts"]["unavoidable_quantity"] == 36


def test_what_is_missing_before_an_order_arrives_is_missing_once() -> None:
    """2 a day of 4 units until 60 arrive on day 18: 30 are missing then, 32 by day 49."""
    gap = {"on_hand": 4.0, "on_order": 60.0, "lot": 60.0, "reorder_point": 70.0}
    worst = {"worst_demand": 34.0, "worst_supply": 4.0, "risk_quantity": 30.0}
    dear = {"unit_cost_brl": 900.0}
    (order,) = of_kind(made(stock(gap | worst | dear)), "REORDER")
    assert order["facts"]["unavoidable_quantity"] == 30
    assert order["facts"]["unmet_quantity"] == pytest.approx(2 * 50 - 64, abs=0.5)
    (move,) = of_kind(made(stock(gap | worst | dear, {"on_hand": 1000.0} | dear)), "TRANSFER")
    nothing = move["facts"]["if_nothing"]
    assert (nothing["unmet_quantity"], nothing["risk_brl"]) == (30, 30 * 270)
    assert 20 < move["facts"]["avoided_quantity"] <= 30


def test_a_unit_more_avoids_one_missing_unit_at_most() -> None:
    certain = stock({"on_hand": 100.0, "demand_std": 0.0, "risk_quantity": 0.4})
    tail = stock({"on_hand": 60.0, "risk_quantity": 5.0})
    unknown = stock({"on_hand": 60.0, "lead_time_days": np.nan, "risk_quantity": np.nan})
    for frame in (certain, tail):
        before = float(frame.iloc[0]["risk_quantity"])
        found = [float(unmet_in_lead_time(frame, more)[0]) for more in np.arange(0, 8, 0.25)]
        assert found[0] == before and found[-1] < 0.1 * before
        assert all(0 <= a - b <= 8 * before for a, b in pairwise(found))
        assert all(before - one <= 0.25 * n + 1e-9 for n, one in enumerate(found))
    assert np.isnan(unmet_in_lead_time(unknown, 3.0)).all()


@pytest.mark.parametrize(
    ("out", "pt", "en"),
    [
        (
            "2025-07-20",
            "Sem isso, o estoque acaba em 20/07/2025 e devem faltar 0,4 m nos 64 dias depois de"
            " 30/06/2025 (R$\u00a02.237 em risco).",
            "Otherwise stock runs out on Jul 20, 2025 and 0.4 m should be missing in the 64 days"
            " after Jun 30, 2025 (R$\u00a02,237 at risk).",
        ),
        (
            "2025-11-20",
            "Sem isso, devem faltar 0,4 m nos 64 dias depois de 30/06/2025 (R$\u00a02.237 em"
            " risco). O estoque só deve acabar depois disso, em 20/11/2025.",
            "Otherwise 0.4 m should be missing in the 64 days after Jun 30, 2025 (R$\u00a02,237 at"
            " risk). Stock should run out only after that, on Nov 20, 2025.",
        ),
    ],
)
def test_a_text_names_the_days_that_its_missing_units_are_of(out: str, pt: str, en: str) -> None:
    (order,) = of_kind(made(stock({"on_hand": 50.0})), "REORDER")
    nothing = {"stockout_on": out, "unmet_quantity": 0.371, "risk_brl": 2236.6}
    facts = order["facts"] | {"if_nothing": nothing | {"window_days": 64.1436}}
    for locale, told in narrative("REORDER", facts).items():
        assert {"pt_BR": pt, "en": en}[locale] in told
        assert refusal(told, facts, locale) is None


def test_what_is_due_is_due_now_and_not_today() -> None:
    """The text is read on later days too."""
    (order,) = of_kind(made(stock({"on_hand": 5.0})), "REORDER")
    assert order["act_by"] == TODAY
    told = narrative("REORDER", order["facts"])
    assert ", de ALFA, agora. " in told["pt_BR"] and " from ALFA, now. " in told["en"]
    assert "hoje" not in told["pt_BR"] and "today" not in told["en"]


def test_what_is_at_risk_is_always_of_so_many_days() -> None:
    rows = pd.concat([made(random_stock(np.random.default_rng(seed))) for seed in range(3)])
    for one in rows.to_dict("records"):
        nothing = one["facts"]["if_nothing"]
        assert nothing["risk_brl"] is None or nothing["window_days"] > 0, one


def test_a_move_that_costs_more_than_it_brings_is_not_made() -> None:
    cheap = stock({"on_hand": 60.0, "unit_cost_brl": 0.1}, {"on_hand": 900.0, "unit_cost_brl": 0.1})
    assert of_kind(made(cheap), "TRANSFER") == []


@pytest.mark.parametrize("seed", range(3))
def test_receipts_add_up_to_the_cent(seed: int) -> None:
    frame = random_stock(np.random.default_rng(seed))
    frame["unit_cost_brl"] = frame["unit_cost_brl"] * 9.87654321
    steps = 0
    for one in made(frame).to_dict("records"):
        for step in workings_of(one["kind"], one["facts"]).steps:
            assert evaluate(step) == pytest.approx(step.value, rel=0, abs=0.005), step
            steps += step.unit == "BRL"
    assert steps > 10


def test_the_value_of_a_purchase_is_quantity_times_unit_price_in_cents() -> None:
    (order,) = of_kind(made(stock({"on_hand": 50.0, "unit_cost_brl": 23.219577})), "REORDER")
    facts = order["facts"]
    assert facts["price_brl"] == 23.2196
    assert facts["order_value_brl"] == round(order["quantity"] * 23.2196, 2)
    (cheap,) = of_kind(made(stock({"on_hand": 50.0, "unit_cost_brl": 0.0042})), "REORDER")
    assert cheap["facts"]["order_value_brl"] == round(cheap["quantity"] * 0.0042, 2) > 0


def test_an_order_that_comes_after_the_stockout_is_hurried() -> None:
    frame = stock({"on_hand": 10.0, "on_order": 150.0})
    order = {
        "item_id": 1, "site_id": 1, "order_no": "PC-9", "line": "1", "supplier_id": 7,
        "supplier": "ALFA", "quantity": 150.0, "unit_price_brl": 100.0,
        "ordered_on": date(2025, 6, 1), "promised_on": date(2025, 7, 20), "received_on": None,
        "expected_on": pd.Timestamp(2025, 7, 20), "counted": True,
    }  # fmt: skip
    dear = made(frame, orders=pd.DataFrame([order]))
    assert of_kind(dear, "EXPEDITE") == []  # 30 units of 30 each against 15 % of 15,000
    penalised = frame.assign(penalty_brl=500.0)
    (hurry,) = of_kind(made(penalised, orders=pd.DataFrame([order])), "EXPEDITE")
    facts = hurry["facts"]
    assert facts["days_gained"] == 15  # runs out on day 5, comes on day 20
    assert facts["avoided_quantity"] == 30
    assert hurry["value_brl"] == pytest.approx(30 * 530 - (15_000 * 0.15 + 80))
    there = order | {"received_on": date(2025, 7, 20)}
    assert of_kind(made(penalised, orders=pd.DataFrame([there])), "EXPEDITE") == []
    late = order | {"expected_on": pd.Timestamp(2025, 7, 4)}
    assert of_kind(made(penalised, orders=pd.DataFrame([late])), "EXPEDITE") == []


ORDER: dict[str, Any] = {
    "item_id": 1, "site_id": 1, "order_no": "PC-9", "line": "1", "supplier_id": 7,
    "supplier": "ALFA", "quantity": 40.0, "unit_price_brl": 10.0, "ordered_on": date(2025, 6, 1),
    "promised_on": date(2025, 8, 9), "received_on": None, "expected_on": pd.Timestamp(2025, 8, 9),
    "counted": True,
}  # fmt: skip


@pytest.mark.parametrize(
    ("on_the_way", "days", "missing", "avoided"),
    [
        (60.0, 7.0, 14, 14),  # 8 before day 7, and 6 after day 37
        (100.0, 7.0, 8, 8),  # enough from day 7 on
        (60.0, 3.0, 74, 40),  # on day 3, as it runs out: told by the days to the stockout
        (np.nan, np.nan, 74, 40),
    ],
)
def test_what_is_in_transit_serves_before_an_order_that_is_hurried(
    on_the_way: float, days: float, missing: float, avoided: float
) -> None:
    frame = stock(
        {"on_hand": 6.0, "penalty_brl": 500.0, "in_transit": on_the_way, "in_transit_days": days}
    )
    (hurry,) = of_kind(made(frame, orders=pd.DataFrame([ORDER])), "EXPEDITE")
    facts = hurry["facts"]
    assert (facts["if_nothing"]["unmet_quantity"], facts["avoided_quantity"]) == (missing, avoided)
    assert facts["if_nothing"]["risk_brl"] == missing * facts["shortage_brl"]


def test_a_transfer_bridges_the_days_until_what_is_in_transit_arrives() -> None:
    poor = {"on_hand": 6.0, "on_order": 60.0, "risk_quantity": 30.0, "lot": 99.0}
    rich = {"on_hand": 900.0}
    sent = {"in_transit": 60.0, "in_transit_days": 7.0}
    for given, moved in (({}, 34), (sent, 8)):
        (move,) = of_kind(made(stock(poor | given, rich)), "TRANSFER")
        assert move["quantity"] == moved


def test_another_supplier_must_be_measured_better_and_cheaper_in_all() -> None:
    frame = stock({"on_hand": 500.0, "lead_time_std": 10.0})
    present = {
        "item_id": 1, "supplier_id": 7, "supplier": "ALFA", "lines": 40, "promised": 40,
        "on_time": 10, "lead_mean": 30.0, "lead_std": 12.0, "price_brl": 100.0,
    }  # fmt: skip
    other = present | {
        "supplier_id": 8, "supplier": "BETA", "on_time": 38, "lead_mean": 15.0, "lead_std": 2.0,
    }  # fmt: skip
    both = pd.DataFrame([present, other | {"price_brl": 95.0}])
    (switch,) = of_kind(made(frame, supply=both), "SWITCH")
    assert switch["supplier_id"] == 8
    assert (switch["facts"]["otif_now"], switch["facts"]["otif_new"]) == (0.25, 0.95)
    assert switch["value_brl"] > 365 * 2 * 5 - 2000
    few = pd.DataFrame(
        [present, other | {"price_brl": 95.0, "lines": 4, "promised": 4, "on_time": 4}]
    )
    assert of_kind(made(frame, supply=few), "SWITCH") == []
    dearer = pd.DataFrame([present, other | {"price_brl": 120.0}])
    assert of_kind(made(frame, supply=dearer), "SWITCH") == []


def test_excess_frees_capital() -> None:
    frame = stock({"on_hand": 2000.0})
    (cut,) = of_kind(made(frame), "REDUCE")
    assert cut["quantity"] == 2000 - 360
    assert cut["facts"]["capital_brl"] == 164_000
    assert cut["value_brl"] == pytest.approx(164_000 * 0.22 - 150)


def test_what_floats_leave_of_a_level_keeps_no_unit() -> None:
    noise = {"reorder_point": 8e-9, "order_up_to": 1.000000008, "daily_demand": 0.0}
    (cut,) = of_kind(made(stock({"on_hand": 6.0, "unit_cost_brl": 900.0} | noise)), "REDUCE")
    assert cut["quantity"] == 5


def test_a_year_and_what_is_excess_go_by_the_years_rate() -> None:
    """A roll-out makes it 20 a day over the lead time, and 2 a day in the mean of the year."""
    frame = stock({"on_hand": 2000.0, "daily_demand": 20.0, "annual_quantity": 2 * DAYS_A_YEAR})
    (cut,) = of_kind(made(frame), "REDUCE")
    up_to = frame.iloc[0]["order_up_to"]
    assert cut["facts"]["needed_quantity"] == pytest.approx(max(up_to, 2 * 180))
    assert cut["facts"]["cover_days"] == pytest.approx(1000)
    one = {
        "item_id": 1, "supplier_id": 7, "supplier": "ALFA", "lines": 40, "promised": 40,
        "on_time": 10, "lead_mean": 30.0, "lead_std": 12.0, "price_brl": 100.0,
    }  # fmt: skip
    other = one | {"supplier_id": 8, "supplier": "BETA", "on_time": 38, "price_brl": 90.0}
    (switch,) = of_kind(made(frame, supply=pd.DataFrame([one, other])), "SWITCH")
    assert switch["facts"]["annual_demand"] == pytest.approx(2 * DAYS_A_YEAR)


@pytest.mark.parametrize("on_hand", [40.0, 120.0])
def test_of_what_nobody_asks_for_any_more_all_is_to_go(on_hand: float) -> None:
    """However much the least order is; what projects will take stays."""
    forgotten = {
        "on_hand": on_hand, "unit_cost_brl": 900.0, "min_order_qty": 50.0, "daily_demand": 0.001,
        "demand_std": 0.0, "last_demand_on": TODAY - timedelta(days=181),
    }  # fmt: skip
    (cut,) = of_kind(made(stock(forgotten)), "REDUCE")
    assert (cut["quantity"], cut["facts"]["needed_quantity"]) == (on_hand, 0)
    (rest,) = of_kind(made(stock(forgotten | {"project_ahead": 7.0})), "REDUCE")
    assert rest["quantity"] == on_hand - 7
    asked = forgotten | {"last_demand_on": TODAY - timedelta(days=179)}
    kept = [one["facts"]["needed_quantity"] for one in of_kind(made(stock(asked)), "REDUCE")]
    assert kept == ([50.02] if on_hand > 50 else [])


def test_what_would_be_bought_again_is_not_to_go() -> None:
    """A part that is asked for once in a year and kept for that."""
    spare = {
        "on_hand": 3.0, "unit_cost_brl": 9000.0, "reorder_point": 1.0, "lot": 1.0,
        "daily_demand": 0.003, "last_demand_on": TODAY - timedelta(days=300),
    }  # fmt: skip
    (cut,) = of_kind(made(stock(spare)), "REDUCE")
    assert cut["quantity"] == 1
    (all_of_it,) = of_kind(made(stock(spare | {"active": False})), "REDUCE")
    assert all_of_it["quantity"] == 3


def test_rates_come_from_the_settings() -> None:
    frame = stock({"on_hand": 50.0})
    dear = Context(TODAY, PolicySettings(), RecommendationSettings(emergency_premium=0.9))
    (usual,), (more,) = (of_kind(made(frame, context=c), "REORDER") for c in (CONTEXT, dear))
    assert more["facts"]["shortage_brl"] == 3 * usual["facts"]["shortage_brl"]
    assert more["value_brl"] > usual["value_brl"]
