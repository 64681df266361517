"""Numbers that a page's buttons and ticks send: a form can be forged, so nothing is taken for what
it should be."""

from __future__ import annotations

from typing import Any

from domain.errors import InvalidInput


def number_of(value: Any) -> int:
    """The number in a button's id. Raises InvalidInput for anything else."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise InvalidInput("number is not known.", fields={"number": "is not known"})
    return value


def by_number(values: Any, cards: Any) -> dict[int, Any]:
    """What a field of each card holds, by the number in the field's id."""
    return {
        card["number"]: value
        for value, card in zip(values or [], cards or [], strict=False)
        if isinstance(card, dict) and isinstance(card.get("number"), int)
    }


def picked(values: Any) -> list[int]:
    """The numbers that are ticked. Raises InvalidInput for anything else."""
    ticked = [one for value in values or [] if isinstance(value, list) for one in value]
    return [number_of(one) for one in ticked]
