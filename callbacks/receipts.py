"""Receipts that are folded away, made once somebody unfolds them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dash import MATCH, Dash, Input, Output, State
from dash.development.base_component import Component

from auth.guards import current_viewer, requires
from domain.access import Permission
from domain.errors import InvalidInput, NotFound
from domain.receipts import Workings
from domain.viewer import Viewer
from layouts.components.receipt import fold_id, receipt_block, receipt_id
from layouts.components.states import notice

Find = Callable[..., Workings]


def register_receipts(app: Dash, of: str, key: tuple[str, ...], find: Find) -> None:
    """Receipts of the kind `of`, on pages that ask for READ. find(viewer, **key) raises NotFound of
    what is not there or not in the viewer's scope, and InvalidInput of what no fold says."""
    every = dict.fromkeys(key, MATCH)

    @app.callback(
        Output(receipt_id(of, **every), "children"),
        Output(fold_id(of, **every), "disable_n_clicks"),
        Input(fold_id(of, **every), "n_clicks"),
        State(receipt_id(of, **every), "id"),
        prevent_initial_call=True,
    )
    @requires(Permission.READ)
    def unfolded(_clicks: Any, identity: Any) -> tuple[list[Component], bool]:
        told = identity if isinstance(identity, dict) else {}
        return _made(find, current_viewer(), {name: told.get(name) for name in key}), True


def _made(find: Find, viewer: Viewer, key: dict[str, Any]) -> list[Component]:
    try:
        return [receipt_block(find(viewer, **key), viewer)]
    except (InvalidInput, NotFound):
        told = viewer.t("This does not exist any more, or you may not see it. Open the page again.")
        return [notice(told, "warning")]
