"""Brasília's calendar in SQL, whatever the time zone of the connection."""

from __future__ import annotations

from domain.clock import BRASILIA

IN_BRASILIA = f"AT TIME ZONE '{BRASILIA.key}'"
TODAY = f"(now() {IN_BRASILIA})::date"
