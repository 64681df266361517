"""GET and PATCH /settings/thresholds and /settings/method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field, create_model, model_validator

from api.parameters import Body
from api.routing import route
from auth.session import request_actor
from domain.access import Permission
from domain.records import PolicyMethod, ThresholdValue
from domain.thresholds import METHOD, THRESHOLDS
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
    """What alerts, policy, recommendations, savings and what-ifs go by, with limits and who changed
    it."""
    return settings.in_force().thresholds


@route(
    "PATCH",
    "/settings/thresholds",
    permission=Permission.MANAGE_SETTINGS,
    body=ThresholdChange,
    data=ThresholdAnswer,
)
def changed(body: _Changes) -> ThresholdAnswer:
    """Changes thresholds and rates; alerts, policy, recommendations, savings and what-ifs follow
    them."""
    job_id = commands.change(get_engine(), body.wanted(), actor=request_actor())
    return ThresholdAnswer(settings.in_force().thresholds, job_id)


class MethodChange(Body):
    """The method that is wanted."""

    method: Literal["quantile", "textbook"]


@dataclass(frozen=True)
class MethodAnswer:
    """The method in force, and the job that makes alerts and policy follow; None where nothing
    changed."""

    method: PolicyMethod
    job_id: int | None


@route("GET", "/settings/method", permission=Permission.MANAGE_SETTINGS, data=PolicyMethod)
def method() -> PolicyMethod:
    """Where safety stocks come from: `quantile` of the simulated demand over the lead time, or the
    `textbook`'s formula; and who chose it."""
    return settings.in_force().method


@route(
    "PATCH",
    "/settings/method",
    permission=Permission.MANAGE_SETTINGS,
    body=MethodChange,
    data=MethodAnswer,
)
def method_changed(body: MethodChange) -> MethodAnswer:
    """Chooses where safety stocks come from; alerts, policy and recommendations follow."""
    job_id = commands.change(get_engine(), {METHOD: body.method}, actor=request_actor())
    return MethodAnswer(settings.in_force().method, job_id)
