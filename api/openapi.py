"""GET /openapi.json and /docs, made from the table of routes that also checks requests."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import orjson
from flask import Response, current_app, render_template
from pydantic import BaseModel, TypeAdapter

from api.errors import codes
from api.parameters import Query
from api.routing import ROUTES, Route, blueprint
from auth.guards import PUBLIC, public

VERSION = "1.0.0"
LONGEST = (
    "The first line of a request (method, address with its query, version of HTTP) has 8,190 bytes"
    " at most: ask for more codes than it holds in several requests."
)
SCHEMA_PLACE = "#/components/schemas/{model}"
CONVERTER = re.compile(r"<(?:(?P<kind>\w+)(?:\([^)]*\))?:)?(?P<name>\w+)>")
CSRF_HEADER = {
    "name": "X-CSRFToken",
    "in": "header",
    "required": False,
    "description": "The csrf_token of any form of the pages: wanted with the cookie alone.",
    "schema": {"type": "string"},
}
FAILURE = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "fields"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "fields": {"type": "object", "additionalProperties": {"type": "string"}},
            },
        }
    },
}
META = {
    "type": "object",
    "properties": {
        "run_id": {"type": ["integer", "null"]},
        "data_as_of": {
            "type": ["string", "null"],
            "format": "date",
            "description": "The last day of the data that the published run was trained on.",
        },
        "as_of": {
            "type": ["string", "null"],
            "format": "date",
            "description": "The last day of what is loaded, of which all but the forecasts speaks.",
        },
        "computed_at": {"type": ["string", "null"], "format": "date-time"},
        "count": {"type": ["integer", "null"], "description": "Rows in all."},
        "next": {"type": ["string", "null"], "description": "The next page's cursor."},
        "is_demo": {"type": "boolean", "description": "Made-up demonstration data."},
    },
}


@blueprint.get("/openapi.json")
@public
def openapi() -> Response:
    """The description of this API for programs."""
    return Response(orjson.dumps(_own()), content_type="application/json")


@blueprint.get("/docs")
@public
def docs() -> str:
    """The description of this API for people."""
    return render_template(
        "docs.html", routes=ROUTES, document=_own(), path_of=path_of, words=words_of
    )


def _own() -> dict[str, Any]:
    return document(current_app.config["SESSION_COOKIE_NAME"])


@lru_cache
def document(cookie: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document; `cookie` is the session's. Raises ValueError where two types have
    one name."""
    schemas: dict[str, Any] = {"Failure": FAILURE, "Meta": META}
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(path_of(route), {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Nova Corrente", "version": VERSION, "description": LONGEST},
        "servers": [{"url": blueprint.url_prefix}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "session": {"type": "apiKey", "in": "cookie", "name": cookie},
            },
        },
    }


def path_of(route: Route) -> str:
    """The route's path with `{name}` for what varies."""
    return CONVERTER.sub(lambda found: "{" + found["name"] + "}", route.path)


def words_of(schema: dict[str, Any]) -> str:
    """A parameter's schema in a few words: `integer, 1 to 500, default 50`."""
    if "anyOf" in schema:
        return words_of(next(one for one in schema["anyOf"] if one.get("type") != "null"))
    if schema.get("type") == "array":
        return f"any number of: {words_of(schema['items'])}"
    words = [" | ".join(schema["enum"]) if "enum" in schema else schema["type"]]
    words += [schema[name] for name in ("format", "pattern") if name in schema]
    if "minimum" in schema:
        words.append(f"{schema['minimum']} to {schema['maximum']}")
    if schema.get("default"):
        words.append(f"default {schema['default']}")
    return ", ".join(words)


def _operation(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "tags": [route.path.split("/")[1]],
        "summary": route.summary,
        "parameters": [
            *_path_parameters(route),
            *_query_parameters(route, schemas),
            *[CSRF_HEADER] * (route.method != "GET" and route.permission != PUBLIC),
        ],
        "responses": _responses(route, schemas),
        "x-permission": str(route.permission),
        "security": [] if route.permission == PUBLIC else [{"bearer": []}, {"session": []}],
    }
    if route.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": _json(_schema(route.body, schemas, mode="validation")),
        }
    if route.form is not None:
        schema = _schema(route.form, schemas, mode="validation")
        content = {"multipart/form-data": {"schema": schema}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {
            "name": found["name"],
            "in": "path",
            "required": True,
            "schema": {"type": "integer" if found["kind"] == "int" else "string"},
        }
        for found in CONVERTER.finditer(route.path)
    ]


def _query_parameters(route: Route, schemas: dict[str, Any]) -> list[dict[str, Any]]:
    if route.query is Query:
        return []
    described = route.query.model_json_schema(ref_template=SCHEMA_PLACE)
    _add(described.pop("$defs", {}), schemas)
    required = described.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _told(schema)}
        for name, schema in described["properties"].items()
    ]


def _told(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter's schema; that it is empty where it is left out goes without saying."""
    return {name: value for name, value in schema.items() if (name, value) != ("default", "")}


def _responses(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    if route.media:
        return _file(route.media)
    envelope = {
        "type": "object",
        "required": ["data", "meta"],
        "properties": {
            "data": _schema(route.data, schemas, mode="serialization"),
            "meta": {"$ref": SCHEMA_PLACE.format(model="Meta")},
        },
    }
    answers: dict[str, Any] = {"200": {"description": "Success.", "content": _json(envelope)}}
    if route.method == "GET":
        answers["304"] = {"description": "Not changed since the given ETag."}
    return answers | _failures()


def _file(media: str) -> dict[str, Any]:
    schema = {"type": "string", "format": "binary"}
    answer = {"description": "The file.", "content": {media: {"schema": schema}}}
    return {"200": answer} | _failures()


def _failures() -> dict[str, Any]:
    failure = _json({"$ref": SCHEMA_PLACE.format(model="Failure")})
    return {
        str(status): {"description": ", ".join(told), "content": failure}
        for status, told in codes().items()
    }


def _schema(kind: Any, schemas: dict[str, Any], *, mode: Any) -> dict[str, Any]:
    """The JSON schema of a type; what it refers to is added to `schemas`."""
    is_model = isinstance(kind, type) and issubclass(kind, BaseModel)
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    schema = adapter.json_schema(mode=mode, ref_template=SCHEMA_PLACE)
    _add(schema.pop("$defs", {}), schemas)
    if is_model:
        _add({kind.__name__: schema}, schemas)
        return {"$ref": SCHEMA_PLACE.format(model=kind.__name__)}
    return schema


def _add(found: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Raises ValueError for a name that another type has already."""
    for name, schema in found.items():
        if schemas.setdefault(name, schema) != schema:
            raise ValueError(f"Two types of the API are called {name}: rename one of them.")


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
