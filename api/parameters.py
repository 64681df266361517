"""What requests may say: query parameters and bodies, checked before anything is asked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from datetime import date
from typing import Annotated, Any, Literal, TypeVar, get_origin

from flask import request
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from domain.erp import UFS
from domain.errors import InvalidInput, not_acceptable
from domain.records import AlertStatus, Filters

MAX_TEXT = 200
MAX_VALUES = 200
MAX_LIMIT = 500
CSRF_FIELD = "csrf_token"
RENAMED = {"class_": "demand_class", "from_": "date_from", "to": "date_to"}
"""Fields of queries' arguments whose parameters are called otherwise."""

Model = TypeVar("Model", bound=BaseModel)
Record = TypeVar("Record")


def clean(value: str) -> str:
    """The text, if it holds nothing that cannot be typed. Raises ValueError."""
    if any(letter < " " or letter == "\x7f" or "\ud800" <= letter <= "\udfff" for letter in value):
        raise ValueError("holds a control character")
    return value


def split(values: Any) -> Any:
    """Codes never hold a comma, so `uf=SP,RJ` means the same as `uf=SP&uf=RJ`."""
    if not isinstance(values, list):
        return values
    return [part for value in values for part in str(value).split(",")]


def known_uf(value: str) -> str:
    """One of the 27. Raises ValueError."""
    if value not in UFS:
        raise ValueError("is no Brazilian UF")
    return value


Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT), AfterValidator(clean)]
Texts = Annotated[tuple[Text, ...], Field(max_length=MAX_VALUES)]
Uf = Annotated[str, Field(pattern=r"^[A-Z]{2}$"), AfterValidator(known_uf)]
Ufs = Annotated[tuple[Uf, ...], Field(max_length=27), BeforeValidator(split)]
Abc = Annotated[tuple[Literal["A", "B", "C"], ...], BeforeValidator(split)]
Xyz = Annotated[tuple[Literal["X", "Y", "Z"], ...], BeforeValidator(split)]
DemandClass = Annotated[
    tuple[Literal["smooth", "erratic", "intermittent", "lumpy", "dead", "short"], ...],
    BeforeValidator(split),
]
Levels = Annotated[
    tuple[Literal["critical", "warning", "info"], ...],
    BeforeValidator(split),
]
Statuses = Annotated[tuple[AlertStatus, ...], BeforeValidator(split)]
ModelName = Literal[
    "ensemble",
    "arima",
    "prophet",
    "lstm",
    "lightgbm",
    "ets",
    "theta",
    "ces",
    "ses",
    "imapa",
    "tsb",
    "pooled",
    "compound",
    "family",
    "naive",
    "seasonal_naive",
    "moving_average",
]


DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def iso_day(value: Any) -> Any:
    """Dates are texts: 2026-12-31."""
    if not isinstance(value, str) or not DAY.fullmatch(value):
        raise ValueError("must be a date: 2026-12-31")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError("must be a date: 2026-12-31") from None


Day = Annotated[date, BeforeValidator(iso_day)]


def first_of_month(value: Any) -> date:
    """`2026-11` as its first day. Raises ValueError, also for a month that none comes after."""
    try:
        found = date.fromisoformat(f"{value}-01")
    except ValueError:
        found = date.max
    if found.year == date.max.year:
        raise ValueError("must be a month: 2026-11")
    return found


Month = Annotated[
    date, BeforeValidator(first_of_month), Field(json_schema_extra={"format": "month"})
]


ModelNames = Annotated[tuple[ModelName, ...], BeforeValidator(split)]


class Query(BaseModel):
    """Parameters that no list shares; a parameter that is not here is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)


def told(query: Query, record: type[Record]) -> Record:
    """The queries' argument, of what the parameters say that it has a field for."""
    known = record.__dataclass_fields__  # type: ignore[attr-defined]
    values = {RENAMED.get(name, name): value for name, value in query}
    return record(**{name: value for name, value in values.items() if name in known})


class ItemFilters(Query):
    """What narrows a list to some materials."""

    sku: Texts = ()
    family: Texts = ()
    search: Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(clean)] = ""

    def filters(self) -> Filters:
        """The same as the queries' argument."""
        return told(self, Filters)


class SeriesFilters(ItemFilters):
    """What narrows a list to some item-site series."""

    site: Texts = ()
    uf: Ufs = ()
    region: Texts = ()
    abc: Abc = ()
    xyz: Xyz = ()
    supplier: Texts = ()
    contract: Texts = ()
    class_: DemandClass = Field((), alias="class")


class DepotOfItem(Query):
    """One item-depot."""

    sku: Text
    site: Text


class Paged(Query):
    """How much of a list, and from where."""

    limit: int = Field(50, ge=1, le=MAX_LIMIT)
    cursor: Annotated[str, Field(max_length=1000), AfterValidator(clean)] | None = None


def one_of(sorts: Iterable[str]) -> Any:
    """Told of a `sort`: the columns that its list may be ordered by, with - in front to reverse."""
    return Field(
        json_schema_extra={"enum": [f"{sign}{one}" for one in sorts for sign in ("", "-")]}
    )


class Between(Query):
    """A span of dates, both ends included."""

    from_: Day | None = Field(None, alias="from")
    to: Day | None = None

    @field_validator("to")
    @classmethod
    def in_order(cls, to: date | None, given: ValidationInfo) -> date | None:
        """The last day, if it is not before the first. Raises ValueError."""
        first = given.data.get("from_")
        if first and to and to < first:
            raise ValueError("must not be before from")
        return to


class SpannedSeries(SeriesFilters, Between):
    """Some item-site series over a span of dates."""


class Form(BaseModel):
    """A multipart form; a field that is not here is refused."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


Uploaded = Annotated[FileStorage, WithJsonSchema({"type": "string", "format": "binary"})]


class Body(BaseModel):
    """A request body; a field that is not here is refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


def read_form(model: type[Model]) -> Model:
    """The multipart form as `model`, files among its fields. Raises InvalidInput for its content,
    415 for anything else than a form."""
    if request.mimetype != "multipart/form-data":
        raise UnsupportedMediaType("Send multipart/form-data.")
    values: dict[str, Any] = {}
    fields: list[tuple[str, list[Any]]] = [*request.form.lists(), *request.files.lists()]
    for name, given in fields:
        sent = [one for one in given if isinstance(one, str) or one.filename]
        if len(sent) > 1 or name in values:
            raise InvalidInput(f"{name} is given twice.", fields={name: "is given twice"})
        if sent and name != CSRF_FIELD:
            values[name] = sent[0]
    return _validated(lambda: model.model_validate(values))


def read_query(model: type[Model]) -> Model:
    """The query string as `model`. Raises InvalidInput naming every bad parameter."""
    values: dict[str, Any] = {}
    for name, given in request.args.lists():
        if _takes_many(model, name):
            values[name] = given
        elif len(given) > 1:
            raise InvalidInput(f"{name} is given twice.", fields={name: "is given twice"})
        else:
            values[name] = given[0]
    return _validated(lambda: model.model_validate(values))


def read_body(model: type[Model]) -> Model:
    """The JSON body as `model`. Raises InvalidInput for its content, and 400 or 415 for its form:
    doubled keys, NaN and bad UTF-8 are no JSON."""
    if not request.is_json:
        raise UnsupportedMediaType("Send application/json.")
    try:
        values = strict_json(request.get_data())
    except ValueError:
        raise BadRequest("The body is not valid JSON.") from None
    return _validated(lambda: model.model_validate(values))


def strict_json(text: str | bytes) -> Any:
    """What the JSON text says. Raises ValueError for doubled keys, NaN, bad UTF-8 and a depth that
    Python cannot follow."""
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("is nested too deeply") from None


def checked_text(name: str, value: str) -> str:
    """A text from the path. Raises InvalidInput."""
    try:
        return clean(value)
    except ValueError as error:
        raise InvalidInput(f"{name} {error}.", fields={name: str(error)}) from None


def _takes_many(model: type[BaseModel], name: str) -> bool:
    for key, field in model.model_fields.items():
        if (field.alias or key) == name:
            return get_origin(field.annotation) is tuple
    return False


def _validated(validate: Callable[[], Model]) -> Model:
    try:
        return validate()
    except ValidationError as error:
        fields = {_place(item["loc"]): _reason(item) for item in error.errors()}
        raise not_acceptable(fields) from None


def _place(location: tuple[int | str, ...]) -> str:
    return str(location[0]) if location else "body"


def _reason(item: Any) -> str:
    if item["type"] == "extra_forbidden":
        return "is not known here"
    return str(item["msg"]).removeprefix("Value error, ")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is doubled")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
