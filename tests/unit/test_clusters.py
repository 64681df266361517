"""Names of clusters, and the figures of failure risk, on cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from domain import failure_risk
from domain.clusters import feature_words, names_of, structure, unit_of
from domain.failure_risk import CalibrationBin


def test_a_cluster_is_called_by_what_lies_away_from_the_middle() -> None:
    hot = {"temperature_c": 1.8, "voltage_v": -0.7, "age_months": 0.9, "load_pct": 0.1}
    calm = {"temperature_c": -0.2, "voltage_v": 0.1, "age_months": 0.0, "load_pct": 0.0}
    assert names_of([hot, calm]) == [
        {
            "pt_BR": "Temperatura muito acima do normal; idade acima do normal;"
            " tensão abaixo do normal",
            "en": "Temperature far above normal; age above normal; voltage below normal",
        },
        {"pt_BR": "Perto do meio em tudo", "en": "Near the middle in everything"},
    ]


def test_no_two_clusters_have_the_same_name() -> None:
    twins = [{"a": 2.0, "b": 2.0, "c": 2.0, "d": side} for side in (0.9, -0.9)]
    finer = names_of(twins)
    assert finer[0]["en"] == "A, b and c far above normal; d above normal"
    assert finer[0] != finer[1]
    assert [one["en"] for one in names_of([{"a": 0.0}, {"a": 0.1}])] == [
        "Near the middle in everything (1)",
        "Near the middle in everything (2)",
    ]


def test_columns_have_words_and_units() -> None:
    assert feature_words("Δ vibration_mm_s", "pt_BR") == "variação de vibração"
    assert feature_words("oil_level", "en") == "oil level"
    assert unit_of("vibration_mm_s", "pt_BR") == "mm/s"
    assert (unit_of("age_months", "en"), unit_of("oil_level", "en")) == ("months", "")
    assert [structure(one) for one in (0.8, 0.5, 0.3, 0.1)] == [
        "strong",
        "reasonable",
        "weak",
        "none",
    ]


def test_calibration_is_the_weighted_gap_of_the_bins() -> None:
    risk = np.array([0.05, 0.05, 0.05, 0.05, 0.95, 1.0])
    failed = np.array([False, False, False, True, True, True])
    bins = failure_risk.calibration_bins(risk, failed)
    assert bins == [CalibrationBin(4, 0.05, 0.25), CalibrationBin(2, 0.975, 1.0)]
    expected = (4 * 0.2 + 2 * 0.025) / 6
    assert failure_risk.expected_calibration_error(bins) == pytest.approx(expected)
    assert failure_risk.captured(risk, failed, 0.34) == pytest.approx(2 / 3)


def test_failures_of_independent_machines_add_up() -> None:
    chances = failure_risk.failures_distribution(np.array([0.5, 0.5, 0.0]))
    assert chances.tolist() == [0.25, 0.5, 0.25, 0.0]
    assert failure_risk.quantiles_of(chances) == (0.0, 1.0, 2.0)
