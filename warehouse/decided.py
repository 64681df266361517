"""A recommendation as it was decided: its row says what the decision's facts say."""

from __future__ import annotations

from datetime import date
from typing import Any

from domain.recommendation_wording import narrative


def as_decided(kind: str, facts: dict[str, Any]) -> dict[str, Any]:
    """What the row of analytics.recommendation holds of these facts: facts, quantity, act_by,
    value_brl, and the words of the template."""
    act_by = facts.get("act_by")
    return {
        "facts": facts,
        "quantity": facts.get("quantity"),
        "act_by": None if act_by is None else date.fromisoformat(act_by),
        "value_brl": facts.get("value_brl"),
        "narrative": narrative(kind, facts),
        "narrative_source": "template",
    }
