"""Reconciliation: what MinT is, and that the comparison with bottom-up is on equal terms."""

from __future__ import annotations

import numpy as np
import pytest

from domain.errors import InvalidInput
from models_offline import cli, reconcile
from models_offline.training import Options, Results, run
from tests.offline.conftest import training_set
from tests.offline.test_hierarchy import HORIZON, network

SUMMING = np.vstack([np.ones(3), np.eye(3)])


@pytest.fixture(scope="module")
def results() -> Results:
    options = Options(
        horizon=HORIZON, origins=3, models=("seasonal_naive", "ses", "theta"), final=False
    )
    return run(network(), options)


def test_what_is_coherent_already_is_left_as_it_is() -> None:
    depots = np.array([[3.0, 4.0], [1.0, 0.0], [2.0, 5.0]])
    found = reconcile.mint(SUMMING @ depots, SUMMING, np.diag([4.0, 1.0, 2.0, 3.0]))
    assert np.allclose(found, depots)


def test_the_surest_forecast_moves_the_others_the_least_sure_most() -> None:
    base = np.array([[12.0], [3.0], [3.0], [3.0]])
    found = reconcile.mint(base, SUMMING, np.diag([1e-9, 1.0, 1.0, 4.0]))
    assert np.allclose(found, [[3.5], [3.5], [5.0]])


def test_mint_beats_adding_up_where_the_total_knows_better() -> None:
    random = np.random.default_rng(8)
    actual = random.uniform(20, 30, (3, 400))
    base = SUMMING @ actual + random.normal(0, 1, (4, 400)) * np.array([[0.5], [3], [3], [3]])
    covariance = reconcile.shrunk_covariance((SUMMING @ actual - base).T)
    found = reconcile.mint(base, SUMMING, covariance)
    ours, added = (np.abs(one.sum(axis=0) - actual.sum(axis=0)) for one in (found, base[1:]))
    assert ours.mean() < 0.3 * added.mean()
    assert np.abs(found - actual).mean() < np.abs(base[1:] - actual).mean()


def test_covariance_is_shrunk_where_it_is_noise_and_kept_where_it_is_not() -> None:
    random = np.random.default_rng(2)
    own, common = random.normal(size=(60, 6)), random.normal(size=(60, 1))
    off = ~np.eye(6, dtype=bool)
    noise = reconcile.shrunk_covariance(own)
    assert np.abs(noise[off]).max() < 0.15
    assert np.allclose(np.diag(noise), (own**2).mean(axis=0))
    together = reconcile.shrunk_covariance(own * 0.3 + common)
    assert together[off].min() > 0.5
    assert np.linalg.eigvalsh(reconcile.shrunk_covariance(np.hstack([own, own * 0]))).min() > 0


def test_every_method_is_judged_on_the_same_sums(results: Results) -> None:
    table = reconcile.measure(results, jobs=1)
    assert set(table["level"]) == {"item_country", "item_region", "item_depot"}
    assert set(table["method"]) == {"bottom_up", "mint_shrink", "wls_variance", "own_forecast"}
    assert table.groupby("level")["nodes"].nunique().eq(1).all()
    ours = table[table["method"] == "bottom_up"]
    assert (ours["rmsse_above_bottom_up"] == 0).all()
    assert table["wape"].between(0.05, 1).all()
    depots = table[table["level"] == "item_depot"].set_index("method")["rmsse"]
    assert depots["own_forecast"] == depots["bottom_up"]


def test_without_two_depots_there_is_nothing_to_compare() -> None:
    lonely = training_set({("A", "DEP-1"): np.arange(60) % 7 + 1})
    done = run(lonely, Options(horizon=HORIZON, models=("ses",), final=False))
    with pytest.raises(InvalidInput, match="more than one depot"):
        reconcile.measure(done, jobs=1)


def test_the_command_prints_both_tables(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "_training_set", network)
    asked = ["benchmark", "levels", "--horizon", "14", "--models", "ses,theta", "--jobs", "1"]
    assert cli.main(asked) == 0
    printed = capsys.readouterr().out
    assert "coverage95" in printed and "mint_shrink" in printed
