"""GET /exports/formula-curve: a formula's result over the input that its chart varies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, create_model

from api.exporting import exported
from api.parameters import Query, clean
from domain.errors import InvalidInput
from domain.formulas import FORMULAS, MOST_NUMBERS, Input, Numbers, Value

LONGEST = 600
Given = Annotated[str, Field(max_length=LONGEST), AfterValidator(clean)]
NAMES = sorted({name for formula in FORMULAS.values() for name in formula.inputs})
FIELDS: dict[str, Any] = {name: (Given, "") for name in NAMES}
FIELDS["formula"] = (Literal[tuple(FORMULAS)], next(iter(FORMULAS)))
FormulaQuery = create_model(
    "FormulaQuery",
    __base__=Query,
    __doc__="One formula and its inputs, lists with spaces; what is not given is as on the page.",
    **FIELDS,
)


@dataclass(frozen=True)
class CurveLine:
    """The result where the varied input is another and the others stay."""

    input: float
    result: float


@exported("formula-curve", query=FormulaQuery, record=CurveLine)
def curve_file(query: Any) -> list[CurveLine]:
    """A formula's result over the input that its chart varies; no lines where it varies none."""
    formula = FORMULAS[query.formula]
    said = {name: getattr(query, name) for name in NAMES}
    if alien := [name for name, text in said.items() if text and name not in formula.inputs]:
        raise _bad(alien[0], "is no input of this formula")
    given = {name: _value(name, said[name], one) for name, one in formula.inputs.items()}
    return [CurveLine(*point) for point in formula.curve(given)]


def _value(name: str, text: str, one: Input) -> Value:
    if not text:
        return one.start
    try:
        numbers = tuple(float(part) for part in text.split())
    except ValueError:
        numbers = ()
    most = MOST_NUMBERS if isinstance(one, Numbers) else 1
    if not 0 < len(numbers) <= most or not all(one.low <= each <= one.high for each in numbers):
        raise _bad(name, f"must be from {one.low:g} to {one.high:g}")
    return numbers if isinstance(one, Numbers) else numbers[0]


def _bad(name: str, reason: str) -> InvalidInput:
    return InvalidInput(f"{name} {reason}.", fields={name: reason})
