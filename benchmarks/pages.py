"""Pages through Dash, asked for as a browser does: a page, then the parts left for later."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from benchmarks.client import Call, Caller
from layouts.components.parts import INNER, PART


def opening(page: str, search: str = "") -> dict[str, Any]:
    """The callback that shows a page; `search` is the address's query with its question mark."""
    location = {"id": "_pages_location"}
    return {
        "output": ".._pages_content.children..._pages_store.data..",
        "outputs": [
            {"id": "_pages_content", "property": "children"},
            {"id": "_pages_store", "property": "data"},
        ],
        "inputs": [
            {**location, "property": "pathname", "value": page},
            {**location, "property": "search", "value": search},
        ],
        "changedPropIds": ["_pages_location.pathname"],
    }


def parts_after(call: Call, answer: bytes) -> list[Call]:
    """What a browser that was given this answer asks for next, with the headers of `call`."""
    parts: list[dict[str, Any]] = []

    def note(one: dict[str, Any]) -> dict[str, Any]:
        if one.get("type") in (PART, INNER) and "at" in one:
            parts.append(one)
        return one

    json.loads(answer, object_hook=note)
    return [
        replace(call, body=json.dumps(making(identity, identity["type"])).encode())
        for identity in parts
    ]


def open_whole(caller: Caller, call: Call) -> None:
    """Asks for a page and all its parts. Raises RuntimeError for any status but 200."""
    waiting = [call]
    while waiting:
        asked = waiting.pop()
        waiting += parts_after(asked, caller.body(asked))


def making(identity: Any, kind: str) -> dict[str, Any]:
    """The callback that makes a part of this kind."""
    return {
        "output": f'{{"at":["MATCH"],"name":["MATCH"],"type":"{kind}"}}.children',
        "outputs": {"id": identity, "property": "children"},
        "inputs": [{"id": identity, "property": "id", "value": identity}],
        "changedPropIds": [],
    }
