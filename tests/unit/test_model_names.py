"""Every place that lists the models lists the same ones."""

from __future__ import annotations

from typing import get_args

from api.parameters import ModelName
from layouts.text import MODELS
from layouts.theme import MODEL_STYLES


def test_the_api_takes_the_models_that_the_screens_name() -> None:
    assert set(get_args(ModelName)) == set(MODELS)


def test_every_named_model_is_drawn_in_its_own_way() -> None:
    assert set(MODEL_STYLES) == set(MODELS)
    assert len(set(MODEL_STYLES.values())) == len(MODELS)
    inks_and_hues = {"ink", *(colour for colour, _ in MODEL_STYLES.values())}
    assert len(inks_and_hues) <= 7, "no chart has more than seven colours"
