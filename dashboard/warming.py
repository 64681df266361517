"""What the first readers of a new run ask for, asked before them."""

from __future__ import annotations

from callbacks import board_pack, main
from callbacks.address import Address
from domain.access import Role
from domain.viewer import Viewer
from layouts import main as main_layout
from warehouse import caching
from warehouse.queries import status

EVERYBODY = Viewer(name="", email="", role=Role.VIEWER)


def warm_up() -> bool:
    """Keeps what the executive pages are made of for the whole network in the cache of all workers:
    the read models depend on scope and filters, not on who asks. False where nothing is kept or
    published. Raises Unavailable."""
    known = status.current()
    if known.run_id is None or not caching.in_use():
        return False
    board_pack.data(EVERYBODY, Address({}, EVERYBODY.t), known)
    main_layout.layout(main.data(EVERYBODY, Address({}, EVERYBODY.t), known), EVERYBODY)
    return True
