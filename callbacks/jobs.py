"""What pages share that watch a job (`job` in their address)."""

from __future__ import annotations

from contextlib import suppress

from auth.session import request_actor
from callbacks.address import Address
from domain.errors import InvalidInput
from domain.viewer import Viewer
from layouts.jobs import CANCELLING
from warehouse.commands import jobs
from warehouse.db import get_engine


def job_in(search: str | None, viewer: Viewer) -> int:
    """The number of the job that the address names; 0 where it names none."""
    return Address.parse(search, viewer.t).count("job") or 0


def leave_off(job_id: int, viewer: Viewer) -> str:
    """Asks it to leave off, if it still can, and says so. Raises NotFound."""
    with suppress(InvalidInput):
        jobs.cancel(get_engine(), job_id=job_id, actor=request_actor(), scope=viewer.scope)
    return viewer.t(CANCELLING)


def begin_anew(job_id: int, viewer: Viewer) -> int:
    """Derives what it has not; gives the new job's number. Raises NotFound."""
    actor = request_actor()
    return jobs.derive_again(get_engine(), job_id=job_id, actor=actor, scope=viewer.scope)
