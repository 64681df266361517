"""Why some of a series' models have no forecast of their own, in the reader's words."""

from __future__ import annotations

import re

from domain.viewer import Viewer
from layouts import format as fmt
from layouts.text import MODELS, N_, named

PART = re.compile(r"(?:^|; )(\w+): (.*?)(?=; \w+: |$)")
TOO_SHORT = {
    re.compile(r"\b(\d+) periods are too few"): N_(
        "%(count)s periods of history are too few for: %(models)s."
    ),
    re.compile(r"no series is longer than the horizon of (\d+) periods"): N_(
        "No series is longer than the horizon of %(count)s periods, as one has to be for:"
        " %(models)s."
    ),
}
"""What the trainer says of histories, and how the reader is told of the models it says it of."""


def fallback_lines(reason: str, viewer: Viewer) -> list[str]:
    """A line for the models that need a longer history, and one for each that failed otherwise."""
    t = viewer.t
    parts = [(named(MODELS, model, t), why) for model, why in PART.findall(reason)]
    lines = []
    for said, words in TOO_SHORT.items():
        short = [(model, found[1]) for model, why in parts if (found := said.search(why))]
        if short:
            models, count = ", ".join(model for model, _ in short), int(short[0][1])
            lines.append(t(words, count=fmt.number(count, viewer.locale), models=models))
    lines += [
        t("%(model)s failed here: %(reason)s", model=model, reason=why)
        for model, why in parts
        if not any(said.search(why) for said in TOO_SHORT)
    ]
    return lines or [reason]
