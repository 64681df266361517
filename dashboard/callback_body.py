"""What a callback request must look like before Dash sees it."""

from __future__ import annotations

import json
import re
from typing import Any

from dash import Dash
from werkzeug.exceptions import BadRequest

UNTYPABLE = re.compile(rb"\\u(0000|d[89a-f][0-9a-f]{2})", re.IGNORECASE)
PAIR = re.compile(rb"\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}", re.IGNORECASE)

TEXTS = ("pathname", "search", "search_value")
"""Properties that a browser sends as a text, or as nothing yet."""


def check_letters(data: bytes) -> None:
    """Raises BadRequest for letters that no database keeps: NUL, and halves of characters."""
    if UNTYPABLE.search(PAIR.sub(b"", data)):
        raise BadRequest("A text holds a character that cannot be typed.")


def check_body(app: Dash, body: object) -> None:
    """Raises BadRequest unless the body calls a callback of this app with the inputs, states and
    outputs that it declares."""
    if not isinstance(body, dict) or not isinstance(body.get("output"), str):
        raise BadRequest("A callback needs an output.")
    callback = app.callback_map.get(body["output"])
    if callback is None or "callback" not in callback:
        raise BadRequest("No such callback.")
    _check_list(body.get("inputs"), callback["inputs"], "inputs")
    _check_list(body.get("state", []), callback["state"], "state")
    if not callback.get("no_output"):
        _check_outputs(body.get("outputs"), body["output"])
    changed = body.get("changedPropIds", [])
    if not isinstance(changed, list) or not all(isinstance(name, str) for name in changed):
        raise BadRequest("changedPropIds must be a list of texts.")


def _check_list(given: Any, declared: list[dict[str, Any]], name: str) -> None:
    if not isinstance(given, list) or len(given) != len(declared):
        raise BadRequest(f"{name} are not those of the callback.")
    for one, expected in zip(given, declared, strict=True):
        for entry in one if isinstance(one, list) else [one]:
            if not _is_property(entry) or entry["property"] != expected["property"]:
                raise BadRequest(f"{name} are not those of the callback.")
            if entry["property"] in TEXTS and not _is_text(entry["property"], entry.get("value")):
                raise BadRequest(f"{entry['property']} is no such text.")


def _is_text(name: str, value: Any) -> bool:
    """A path begins with a slash."""
    if name == "pathname":
        return isinstance(value, str) and value.startswith("/")
    return value is None or isinstance(value, str)


def _check_outputs(given: Any, output: str) -> None:
    listed = given if isinstance(given, list) else [given]
    flat = [entry for one in listed for entry in (one if isinstance(one, list) else [one])]
    several = output.startswith("..") and output.endswith("..")
    if several != isinstance(given, list) or not all(_is_property(entry) for entry in flat):
        raise BadRequest("outputs are not those of the callback.")
    if not several and not all(_names_as(entry["id"], output) for entry in flat):
        raise BadRequest("outputs are not those of the callback.")
    if several and len(listed) != len(output[2:-2].split("...")):
        raise BadRequest("outputs are not those of the callback.")


def _names_as(identity: Any, output: str) -> bool:
    """Whether an id says as much as the declared output's does, where that one is a pattern."""
    if not output.startswith("{"):
        return True
    pattern = json.loads(output[: output.rindex("}") + 1])
    return isinstance(identity, dict) and identity.keys() == pattern.keys()


def _is_property(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("id"), (str, dict))
        and isinstance(entry.get("property"), str)
    )
