"""Brasília's calendar in SQL, whatever the time zone of the connection."""

from __future__ import annotations

from domain.clock import BRASILIA

IN_BRASILIA = f"AT TIME ZONE '{BRASILIA.key}'"
TODAY = f"(now() {IN_BRASILIA})::date"

DEMAND_LOADED_ON = f"""(
    SELECT max((started_at {IN_BRASILIA})::date) FROM staging.load
    WHERE kind = 'demand' AND state = 'accepted' AND date_to >= last.date
)"""
"""The day on which demand up to `last.date` was last loaded; null where no load tells."""
