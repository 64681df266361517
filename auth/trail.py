"""Audit rows for what happens in a request."""

from __future__ import annotations

import logging
import re
from typing import Any

from flask import g
from sqlalchemy.exc import SQLAlchemyError

from auth.session import request_actor
from domain.errors import Unavailable
from warehouse.commands import audit

UNTYPABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
MAX_OBJECT = 300

log = logging.getLogger(__name__)


def readable(text: str) -> str:
    """What a caller sent, in one short line that no terminal acts on."""
    return UNTYPABLE.sub("?", text)[:MAX_OBJECT]


def note(action: str, *, actor: str | None = None, awaited: bool = True, **more: Any) -> None:
    """One audit row about this request, `awaited` unless it only read. A database that is down is
    logged: the request's own answer must still reach the caller."""
    who = request_actor(actor)
    g.noted_status = more.get("status")
    try:
        audit.record_alone(
            actor=who.name,
            role=who.role,
            address=who.address,
            request_id=who.request_id,
            action=action,
            awaited=awaited,
            **more,
        )
    except (SQLAlchemyError, Unavailable) as error:
        log.error("audit row lost: %s by %s: %s", action, who.name, error)
