"""GET and PATCH /settings/thresholds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import Field, create_model, model_validator

from api.parameters import Body
from api.routing import route
from auth.session import request_actor
from domain.access import Permission
from domain.records import ThresholdValue
from domain.thresholds import THRESHOLDS
from warehouse.commands import settings as commands
from warehouse.db import get_engine
from warehouse.queries import settings


class _Changes(Body):
    @model_validator(mode="after")
    def _changes_something(self) -> _Changes:
        if not self.wanted():
            raise ValueError("give at least one threshold")
        return self

    def wanted(self) -> dict[str, float]:
        """Those that are given."""
        return {name: value for name, value in self if value is not None}


_FIELDS: dict[str, Any] = {
    one.name: (float | None, Field(None, ge=one.low, le=one.high, allow_inf_nan=False))
    for one in THRESHOLDS
}
ThresholdChange = create_model(
    "ThresholdChange", __base__=_Changes, __doc__="What may be changed.", **_FIELDS
)


@dataclass(frozen=True)
class ThresholdAnswer:
    """The thresholds in force, and the job that makes alerts and policy follow; None where nothing
    changed."""

    thresholds: list[ThresholdValue]
    job_id: int | None


@route(
    "GET",
    "/settings/thresholds",
    permission=Permission.MANAGE_SETTINGS,
    data=list[ThresholdValue],
)
def listed() -> list[ThresholdValue]:
    """What alerts, policy and recommendations go by, with limits and who changed it."""
    return settings.thresholds()


@route(
    "PATCH",
    "/settings/thresholds",
    permission=Permission.MANAGE_SETTINGS,
    body=ThresholdChange,
    data=ThresholdAnswer,
)
def changed(body: _Changes) -> ThresholdAnswer:
    """Changes thresholds and rates; alerts, policy and recommendations follow."""
    job_id = commands.change(get_engine(), body.wanted(), actor=request_actor())
    return ThresholdAnswer(settings.thresholds(), job_id)
