"""Reasons why a model has no forecast, as the reader sees them."""

from __future__ import annotations

from dashboard.i18n import translator
from domain.access import Role
from domain.viewer import Viewer
from layouts.fallbacks import fallback_lines


def reader(locale: str) -> Viewer:
    return Viewer(name="", email="", role=Role.VIEWER, locale=locale, t=translator(locale))


READER = reader("en")


def test_models_that_need_more_history_share_a_line() -> None:
    reason = "arima: ValueError: 3 periods are too few for ARIMA; lstm: 3 periods are too few"
    assert fallback_lines(reason, READER) == ["3 periods of history are too few for: ARIMA, LSTM."]


def test_models_that_need_a_series_beyond_the_horizon_share_a_line() -> None:
    said = "ValueError: no series is longer than the horizon of 30 periods"
    told = fallback_lines(f"lightgbm: {said}; lstm: {said}", reader("pt_BR"))
    assert told == [
        "Nenhuma série é mais longa que o horizonte de 30 períodos, como exigem: LightGBM, LSTM."
    ]


def test_what_a_library_said_is_kept_whole() -> None:
    reason = "ets: LinAlgError: singular; matrix; arima: ValueError: 3 periods are too few"
    assert fallback_lines(reason, READER) == [
        "3 periods of history are too few for: ARIMA.",
        "ETS (exponential smoothing) failed here: LinAlgError: singular; matrix",
    ]


def test_a_reason_in_other_words_is_shown_as_it_is() -> None:
    assert fallback_lines("no data", READER) == ["no data"]
    assert fallback_lines("", READER) == [""]
