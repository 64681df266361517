"""Clusters, failure risk, parts and trends on made-up machines whose secrets are known."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from domain.clusters import EQUIPMENT, TOWER_METRICS, TOWERS
from models_offline import bundle, cli, clusters, network, parts, readings, risk, towers

ROOT = Path(__file__).resolve().parents[2]
AI4I = "equipment/ai4i2020.csv"


def snapshot(count: int = 1500) -> pd.DataFrame:
    """Machines read once; they fail where load times speed is high."""
    random = np.random.default_rng(3)
    load, speed, heat = random.uniform(1, 9, (3, count))
    failed = load * speed > 58
    return pd.DataFrame(
        {
            "equipment": [f"M{number}" for number in range(count)],
            "site": "S",
            "kind": np.where(np.arange(count) % 2, "a", "b"),
            "measured_at": pd.Timestamp("2026-01-01"),
            "failure": failed.astype(float),
            "load": load,
            "speed": speed,
            "heat": heat,
        }
    )


def monthly(machines: int = 90, months: int = 24) -> pd.DataFrame:
    """Machines read every month; wear grows, and past 1 they fail at the next reading."""
    random = np.random.default_rng(5)
    rows = []
    for number in range(machines):
        wear = random.uniform(0, 0.5)
        for month in range(months):
            fails = wear > 1.0
            moment = pd.Timestamp("2024-01-01") + pd.Timedelta(days=30 * month)
            heat = 30 + 20 * wear + random.normal(0, 0.5)
            rows.append((f"M{number:02}", f"T{number % 3}", "pump", moment, float(fails), heat))
            wear = 0.0 if fails else wear + random.uniform(0.05, 0.2)
    return pd.DataFrame(
        rows, columns=["equipment", "site", "kind", "measured_at", "failure", "temperature_c"]
    )


def kpis(sites: int = 60, days: int = 90) -> pd.DataFrame:
    """Two sorts of towers; T0 turns from one into the other 40 days before the end, T2 28 days."""
    random = np.random.default_rng(7)
    rows = []
    for site in range(sites):
        for day in range(days):
            slow = site % 2 == 1
            if (site == 0 and day >= days - 40) or (site == 2 and day >= days - 28):
                slow = not slow
            date = pd.Timestamp("2026-01-01") + pd.Timedelta(days=day)
            latency = (60 if slow else 20) + random.normal(0, 1)
            rows.append((f"T{site}", date, 99.9, latency, 100.0, 0.2, 80.0, 300.0))
    return pd.DataFrame(rows, columns=["site", "date", *TOWER_METRICS])


def test_what_says_the_answer_is_never_looked_at() -> None:
    frame = snapshot()
    plain = readings.prepare(frame, 30)
    frame["TWF"] = frame["failure"]
    frame["overheated"] = frame["failure"] * (np.arange(len(frame)) % 3 == 0)
    frame["row"] = np.arange(len(frame))
    frame["constant"] = 4.0
    found = readings.prepare(frame, 30)
    assert found.left_out == ("TWF", "overheated", "row", "constant")
    assert found.measured == plain.measured == ("load", "speed", "heat")
    assert np.array_equal(found.rows.values, plain.rows.values)


def test_an_ordinary_flag_is_kept() -> None:
    frame = snapshot().assign(flag=np.arange(1500) % 5 == 0)
    frame["flag"] = frame["flag"].astype(float)
    assert "flag" in readings.prepare(frame, 30).measured


def test_the_product_that_decides_is_found_and_risks_are_calibrated() -> None:
    rows = readings.prepare(snapshot(), 30).rows
    model = risk.Model().fit(rows)
    assert "load × speed" in [pair.name(rows.columns) for pair in model.pairs]
    quality = risk.quality(risk.cross_validated(rows), rows.failed)
    assert quality.pr_auc > 0.95 and quality.ece < 0.03 and quality.recall_fifth > 0.95


def test_a_reading_is_labelled_by_what_follows_within_the_horizon() -> None:
    failed = np.array([False, False, True, False, False, False, False])
    machine = np.array([0, 0, 0, 0, 0, 1, 1])
    failure, known = readings._followed(machine, failed, 1)
    assert failure.tolist() == [-1, 2, -1, -1, -1, -1, -1]
    assert known.tolist() == [True, True, True, True, False, True, False]
    failure, known = readings._followed(machine, failed, 2)
    assert failure.tolist() == [2, 2, -1, -1, -1, -1, -1]
    assert known.tolist() == [True, True, True, False, False, False, False]


def daily(failing: int, failures: int, machines: int = 12, days: int = 150) -> pd.DataFrame:
    """Machines read every day, of which some fail so often, all over the time."""
    random = np.random.default_rng(6)
    at = np.linspace(30, days - 10, failures).astype(int)
    rows = [
        {
            "equipment": f"M{number}",
            "site": "S",
            "kind": "pump",
            "measured_at": pd.Timestamp("2026-01-01") + pd.Timedelta(days=day),
            "failure": float(number < failing and day in at),
            "temperature_c": random.normal(40, 5),
        }
        for number in range(machines)
        for day in range(days)
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(("failing", "failures"), [(1, 1), (4, 6), (6, 3)])
def test_failures_are_counted_once_and_have_to_be_of_several_machines(
    failing: int, failures: int
) -> None:
    made = analysed(equipment=daily(failing, failures))
    assert made.facts[EQUIPMENT]["risk"]["reason"] == "few_failures"
    assert "failure_risk.parquet" not in made.frames
    assert readings.prepare(daily(failing, failures), 30).rows.failed.sum() > risk.LEAST_FAILURES


def test_twenty_failures_of_five_machines_are_enough() -> None:
    rows = readings.prepare(daily(5, 4), 30).rows
    assert risk.are_enough(rows)
    learnt = [rows.take(train) for train, _ in risk.folds(rows, risk.FOLDS, 1)]
    learnt += [
        one.take(train) for one in learnt for train, _ in risk.folds(one, risk.INNER_FOLDS, 1)
    ]
    assert all(set(one.failed) == {True, False} for one in learnt)


def analysed(**frames: pd.DataFrame) -> network.Network:
    empty = pd.DataFrame()
    names = ("equipment", "tower_kpis", "parts", "sites")
    training: Any = SimpleNamespace(**{name: empty for name in names} | frames)
    return network.analyse(training, 30)


@pytest.fixture(scope="module")
def found() -> network.Network:
    frame = monthly()
    sites = pd.DataFrame({"site": ["T0", "T1", "T2", "D"], "depot": ["D", "D", None, None]})
    needs = pd.DataFrame({"kind": ["pump"], "sku": ["SEAL"], "units": [2.0]})
    return analysed(equipment=frame, tower_kpis=kpis(), parts=needs, sites=sites)


def test_the_files_have_the_columns_of_the_contract(found: network.Network, tmp_path: Path) -> None:
    assert len(found.frames) == 5
    for name, frame in found.frames.items():
        facts = bundle._write_table(tmp_path / name, frame)
        assert facts["rows"] == len(frame) > 0
        assert pq.read_schema(tmp_path / name).names == list(bundle.SCHEMAS[name])


def test_worn_machines_are_the_riskiest_and_the_reason_is_their_heat(
    found: network.Network,
) -> None:
    risks = found.frames["failure_risk.parquet"]
    assert (risks["horizon_days"] == 30).all()
    latest = monthly().groupby("equipment").tail(1).set_index("equipment")
    heat = risks["equipment"].map(latest["temperature_c"])
    assert heat[:5].min() > heat[-40:].max()
    first = json.loads(risks["reasons"].tolist()[0])[0]
    assert first["feature"] in ("temperature_c", "Δ temperature_c") and first["effect"] > 1
    down = latest.index[latest["failure"] == 1]
    assert len(down) and not risks["equipment"].isin(down).any()
    facts = found.facts[EQUIPMENT]["risk"]
    assert facts["down"] == len(down) and facts["quality"]["recall_fifth"] > 0.8


def test_a_reading_that_a_kind_never_had_before_is_held_against_that_of_all() -> None:
    frame = monthly(60, 14)
    fan = frame["equipment"].str[-1].isin(list("13579"))
    last = ~frame["equipment"].duplicated(keep="last")
    heat = frame["temperature_c"].where(~fan | last)
    found = readings.prepare(
        frame.assign(
            kind=np.where(fan, "fan", "pump"),
            temperature_c=heat,
            new=heat.where(last),
        ),
        30,
    )
    assert found.measured == ("temperature_c", "new")
    model, kinds = risk.Model().fit(found.rows), found.latest["kind"].to_numpy(object)
    reasons = network._reasons(model, found.rows, found.values, kinds)
    told = [json.loads(one, parse_constant=pytest.fail) for one in reasons]
    of_fans = [one for mine, kind in zip(told, kinds, strict=True) if kind == "fan" for one in mine]
    assert {one["feature"] for one in of_fans} == {"temperature_c"}
    middle = round(float(np.nanmedian(found.rows.values[:, 0])), network.DIGITS)
    assert {one["typical"] for one in of_fans} == {middle}


def test_parts_are_risk_times_units_at_the_depot_that_serves(found: network.Network) -> None:
    risks, needed = (found.frames[f"{name}.parquet"] for name in ("failure_risk", "parts_demand"))
    of_depot = risks["site"].isin(["T0", "T1"])
    by_site = needed.set_index("site")
    assert by_site.loc["D", "machines"] == of_depot.sum()
    assert by_site.loc["D", "mean"] == pytest.approx(2 * risks["probability"][of_depot].sum())
    assert by_site.loc["T2", "mean"] == pytest.approx(2 * risks["probability"][~of_depot].sum())
    assert parts.expected(risks, pd.DataFrame(), pd.DataFrame()).empty


def test_towers_that_changed_are_seen_moved_and_broken(found: network.Network) -> None:
    members = found.frames["cluster_member.parquet"].query("family == @TOWERS").set_index("member")
    assert found.facts[TOWERS]["choices"][0]["stability"] > 0.9
    moved = members.index[members["number"] != members["previous_number"]]
    assert moved.tolist() == ["T0", "T2"] and found.facts[TOWERS]["moved"] == 2
    why = json.loads(str(members.loc["T3", "pulls"]))[0]
    assert why["feature"] == "latency_ms" and why["share"] > 0.9
    breaks = found.frames["tower_trend.parquet"].dropna(subset=["changed_on"])
    assert set(breaks["site"]) == {"T0", "T2"} and set(breaks["metric"]) == {"latency_ms"}
    last = kpis()["date"].max()
    ages = (last - breaks.set_index("site")["changed_on"]).dt.days
    assert abs(ages["T0"] - 39) <= 2 and abs(ages["T2"] - 27) <= 2


def test_pulls_add_up_to_the_difference_of_squared_distances() -> None:
    random = np.random.default_rng(1)
    rows = np.vstack([random.normal(place, 0.3, (40, 3)) for place in (0, 3, 6)])
    made = clusters.cluster(rows)
    assert made is not None and len(made.centres) == 3
    far = clusters.distances(made.scaled, made.centres) ** 2
    index = np.arange(len(rows))
    gap = far[index, made.runner_up()] - far[index, made.labels]
    assert np.allclose(made.pulls().sum(axis=1), gap)


def test_noise_breaks_nowhere_and_a_step_where_it_is() -> None:
    random = np.random.default_rng(2)
    rows = random.normal(0, 1, (200, 120))
    rows[0, 70:] += 4
    place, p = towers.pettitt(rows)
    assert place[0] == 70 and p[0] < 1e-10
    assert (towers._adjusted(p)[1:] > towers.FALSE_SHARE).all()


@pytest.mark.parametrize("days", [5, 12])
def test_towers_of_a_few_days_have_no_trends(days: int, tmp_path: Path) -> None:
    made = analysed(tower_kpis=kpis(3, days))
    assert made.facts[TOWERS]["reason"] == "too_few"
    trends = made.frames["tower_trend.parquet"]
    assert bundle._write_table(tmp_path / "tower_trend.parquet", trends)["rows"] == 0


def test_files_that_are_missing_leave_the_rest_alone() -> None:
    nothing = analysed()
    assert nothing.frames == {} and nothing.facts[EQUIPMENT] == {"reason": "not_loaded"}
    healthy = analysed(equipment=monthly().assign(failure=0.0))
    assert healthy.facts[EQUIPMENT]["risk"]["reason"] == "no_failures"
    assert "failure_risk.parquet" not in healthy.frames and "cluster.parquet" in healthy.frames
    few = analysed(equipment=snapshot(20))
    assert few.facts[EQUIPMENT]["reason"] == "too_few"


def test_the_benchmark_says_what_cannot_be_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "readings.csv"
    for content, said in (
        ("a,b\n1,2\n", "no column is named failure"),
        ("failure,b\n3,2\n", "something else than 0 and 1"),
        ("failure,b\n1,2\n0,3\n", "fewer than 20 failures"),
    ):
        path.write_text(content)
        assert cli.main(["benchmark", "equipment", "--data", str(path)]) == cli.BAD_INPUT
        assert said in capsys.readouterr().err


@pytest.mark.slow
def test_failures_of_ai4i_are_foreseen(tmp_path: Path) -> None:
    path = ROOT.parent / "shared" / "data" / AI4I
    if not path.exists():
        pytest.skip("the readings of ../shared/data are not here")
    out = tmp_path / "report.json"
    assert cli.main(["benchmark", "equipment", "--data", str(path), "--json", str(out)]) == 0
    told = json.loads(out.read_text())
    assert told["left_out"] == ["UID", "TWF", "HDF", "PWF", "OSF", "RNF"]
    quality = told["quality"]
    assert (quality["rows"], quality["failures"]) == (10_000, 339)
    assert quality["pr_auc"] >= 0.89 and quality["ece"] <= 0.007
    assert quality["recall_fifth"] >= 0.97
