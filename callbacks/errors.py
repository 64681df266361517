"""When a callback fails: it is logged, the reader is told, the page stays as it was."""

from __future__ import annotations

import logging

from dash import set_props
from flask import g
from werkzeug.exceptions import HTTPException

from auth.guards import current_viewer
from domain.errors import NotAllowed, NotAuthenticated, NovaError
from layouts.shell import toast
from layouts.text import error_text
from warehouse.db import is_down, unanswered

log = logging.getLogger(__name__)


def on_error(error: Exception) -> None:
    """Dash's handler for every callback. Refusals of a guard go through, with their status."""
    if isinstance(error, (HTTPException, NotAllowed, NotAuthenticated)):
        raise error
    if is_down(error):
        error = unanswered(error)
    if not isinstance(error, NovaError):
        log.error("a callback failed", exc_info=error)
    g.page_failed = True
    viewer = current_viewer()
    set_props("toasts", {"children": toast(error_text(error, viewer), viewer)})
