"""Audit rows for what happens in a request."""

from __future__ import annotations

import logging
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from auth.session import request_actor
from domain.errors import Unavailable
from warehouse.commands import audit
from warehouse.db import get_engine

log = logging.getLogger(__name__)


def note(action: str, *, actor: str | None = None, **more: Any) -> None:
    """One audit row about this request. A database that is down is logged: the request's own
    answer must still reach the caller."""
    who = request_actor(actor)
    try:
        audit.record_alone(
            get_engine(),
            actor=who.name,
            role=who.role,
            address=who.address,
            request_id=who.request_id,
            action=action,
            **more,
        )
    except (SQLAlchemyError, Unavailable) as error:
        log.error("audit row lost: %s by %s: %s", action, who.name, error)
