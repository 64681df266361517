"""What no product of this kind can be faster than: bare Flask that checks a JWT, and a Dash app
whose callback does nothing. Served by the same gunicorn settings as the product."""

from __future__ import annotations

import os

import jwt
from dash import Dash, Input, Output, html
from flask import Flask, Response, request

SECRET = os.environ.get("FLOOR_SECRET", "")
EMPTY = {
    "output": "out.children",
    "outputs": {"id": "out", "property": "children"},
    "inputs": [{"id": "in", "property": "n_clicks", "value": 1}],
    "changedPropIds": ["in.n_clicks"],
}

server = Flask(__name__)


@server.get("/health")
def health() -> str:
    """Whoever starts it waits for this."""
    return "ok"


@server.get("/jwt")
def bare() -> Response:
    """A small answer to whoever brings a valid token."""
    token = request.headers["Authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, SECRET, algorithms=["HS256"])
    return Response(b'{"data":"' + claims["sub"].encode() + b'"}', content_type="application/json")


app = Dash(
    __name__,
    server=server,  # type: ignore[arg-type]
    url_base_pathname="/dash/",
)
app.layout = html.Div([html.Button(id="in"), html.Div(id="out")])


@app.callback(Output("out", "children"), Input("in", "n_clicks"))
def nothing(_clicks: int) -> str:
    """An empty callback."""
    return ""
