"""Why some of a series' models have no forecast of their own, in the reader's words."""

from __future__ import annotations

import re

from domain.viewer import Viewer
from layouts import format as fmt
from layouts.text import MODELS, named

PART = re.compile(r"(?:^|; )(\w+): (.*?)(?=; \w+: |$)")
TOO_SHORT = re.compile(r"\b(\d+) periods are too few")


def fallback_lines(reason: str, viewer: Viewer) -> list[str]:
    """A line for the models that need a longer history, and one for each that failed otherwise."""
    t = viewer.t
    parts = [(named(MODELS, model, t), why) for model, why in PART.findall(reason)]
    short = [(model, found[1]) for model, why in parts if (found := TOO_SHORT.search(why))]
    lines = [
        t("%(model)s failed here: %(reason)s", model=model, reason=why)
        for model, why in parts
        if not TOO_SHORT.search(why)
    ]
    if short:
        lines.insert(
            0,
            t(
                "%(count)s periods of history are too few for: %(models)s.",
                count=fmt.number(int(short[0][1]), viewer.locale),
                models=", ".join(model for model, _ in short),
            ),
        )
    return lines or [reason]
