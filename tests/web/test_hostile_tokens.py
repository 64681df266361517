"""Tokens that an attacker makes or bends: 401 in the one shape, and on record."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import requests
from sqlalchemy import text

from config import get_settings
from domain.access import Role
from tests.web.conftest import ADMIN, PASSWORD, VIEWER, Site
from tests.web.test_hostile import refused
from warehouse.commands import users

ME = "/api/v1/auth/me"
HEAD = {"alg": "HS256", "typ": "JWT"}


@pytest.fixture(scope="module")
def pair(site: Site) -> dict[str, Any]:
    return site.tokens(VIEWER)


@pytest.fixture(scope="module")
def claims(pair: dict[str, Any]) -> dict[str, Any]:
    return jwt.decode(pair["access_token"], options={"verify_signature": False})


def key() -> bytes:
    return f"jwt:{get_settings().secret_key}".encode()


def part(content: Any) -> str:
    written = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(written).decode().rstrip("=")


def signed(head: Any, claims: Any, secret: bytes) -> str:
    """A token with any head and payload, signed as HS256."""
    content = f"{part(head)}.{part(claims)}"
    mark = hmac.new(secret, content.encode(), hashlib.sha256).digest()
    return f"{content}.{part(mark)}"


def me(site: Site, token: str, scheme: str = "Bearer") -> requests.Response:
    return site.get(ME, headers={"Authorization": f"{scheme} {token}".strip()})


def test_the_attacks_below_differ_from_a_good_token_in_one_thing(
    site: Site, claims: dict[str, Any]
) -> None:
    assert me(site, signed(HEAD, claims, key())).status_code == 200


NONES = ["none", "None", "NONE", "nOnE", "", None, "none ", "HS256\x00", "hs256", ["none"], 0]


@pytest.mark.parametrize("algorithm", NONES, ids=repr)
def test_no_token_does_without_a_signature(
    site: Site, claims: dict[str, Any], algorithm: Any
) -> None:
    head = HEAD | {"alg": algorithm}
    content = f"{part(head)}.{part(claims)}"
    for token in (f"{content}.", content, f"{content}.x", signed(head, claims, b"")):
        refused(site, me(site, token), 401)
    refused(site, me(site, signed(head, claims, key())), 401)


@pytest.mark.parametrize(
    "secret",
    [b"", b"secret", b"x" * 64, b"jwt:", b"jwt:None", b"changeme", b"\x00"],
    ids=repr,
)
def test_no_other_key_signs(site: Site, claims: dict[str, Any], secret: bytes) -> None:
    refused(site, me(site, signed(HEAD, claims, secret)), 401)
    refused(site, me(site, signed(HEAD, claims, get_settings().secret_key.encode())), 401)


@pytest.mark.parametrize(
    "more",
    [
        {"kid": "/dev/null"},
        {"kid": "../../../../dev/null"},
        {"kid": "' UNION SELECT 'attacker' --"},
        {"kid": 7},
        {"jku": "https://evil.example/jwks.json"},
        {"x5u": "https://evil.example/cert.pem"},
        {"x5c": ["MIIB"]},
        {"jwk": {"kty": "oct", "k": part(b"attacker")}},
        {"crit": ["exp"], "exp": 1},
        {"b64": False, "crit": ["b64"]},
        {"zip": "DEF"},
        {"cty": "JWT"},
    ],
    ids=str,
)
def test_a_token_does_not_bring_its_own_key(
    site: Site, claims: dict[str, Any], more: dict[str, Any]
) -> None:
    for secret in (b"", b"attacker"):
        refused(site, me(site, signed(HEAD | more, claims, secret)), 401)


@pytest.mark.parametrize(
    "change",
    [
        {"sub": "1"},
        {"role": "ADMIN"},
        {"ver": 0},
        {"exp": 4102444800},
        {"typ": "access", "sub": 1},
        {"ufs": []},
    ],
    ids=str,
)
def test_a_changed_payload_breaks_the_signature(
    site: Site, pair: dict[str, Any], claims: dict[str, Any], change: dict[str, Any]
) -> None:
    head, _, mark = pair["access_token"].split(".")
    refused(site, me(site, f"{head}.{part(claims | {'x': 1} | change)}.{mark}"), 401)


NOW = datetime.now(UTC)
TIMES: list[dict[str, Any]] = [
    {"exp": NOW + timedelta(days=3650)},
    {"exp": NOW + timedelta(hours=2)},
    {"exp": NOW - timedelta(seconds=5)},
    {"exp": None},
    {"exp": "never"},
    {"exp": 1e300},
    {"exp": float("inf")},
    {"exp": 10**30},
    {"exp": -1},
    {"exp": [4102444800]},
    {"exp": True},
    {"iat": None},
    {"iat": NOW + timedelta(days=3650), "exp": NOW + timedelta(days=3651)},
    {"iat": 0, "exp": NOW + timedelta(minutes=5)},
    {"nbf": NOW + timedelta(hours=1)},
]


@pytest.mark.parametrize("times", TIMES)
def test_even_a_right_signature_does_not_stretch_time(
    site: Site, claims: dict[str, Any], times: dict[str, Any]
) -> None:
    changed = {
        name: int(value.timestamp()) if isinstance(value, datetime) else value
        for name, value in (claims | times).items()
        if value is not None
    }
    refused(site, me(site, signed(HEAD, changed, key())), 401)


@pytest.mark.parametrize(
    "payload", [[], "text", 7, None, {}, b"{", b"\xff\xfe", b'{"sub":"1","sub":"2"}'], ids=repr
)
def test_a_payload_that_says_nothing_is_nobody(site: Site, payload: Any) -> None:
    refused(site, me(site, signed(HEAD, payload, key())), 401)


@pytest.mark.parametrize(
    "change",
    [
        {"sub": "0"},
        {"sub": "-1"},
        {"sub": "1 OR 1=1"},
        {"sub": "99999999999999999999"},
        {"sub": ["1"]},
        {"sub": {"a": 1}},
        {"sub": ""},
        {"ver": "x"},
        {"ver": 10**40},
        {"jti": "x"},
        {"jti": 7},
        {"iss": ["nova-corrente"]},
        {"aud": "*"},
        {"aud": {}},
        {"typ": "ACCESS"},
        {"typ": ["access"]},
    ],
    ids=str,
)
def test_claims_of_another_kind_are_refused(
    site: Site, claims: dict[str, Any], change: dict[str, Any]
) -> None:
    refused(site, me(site, signed(HEAD, claims | change, key())), 401)


def test_a_refresh_token_opens_no_door(site: Site, pair: dict[str, Any]) -> None:
    refused(site, me(site, pair["refresh_token"]), 401)
    for token in (pair["access_token"], "", "x" * 4000, "a.b.c", "é.é.é"):
        for path in ("/api/v1/auth/refresh", "/api/v1/auth/logout"):
            refused(site, site.call("POST", path, json={"refresh_token": token}), 401, 422)


@pytest.mark.parametrize("scheme", ["Basic", "Token", "JWT", "", "Bearer Bearer", "Bearer:"])
def test_only_bearer_brings_a_token(site: Site, pair: dict[str, Any], scheme: str) -> None:
    refused(site, me(site, pair["access_token"], scheme), 401)


def test_a_token_elsewhere_than_in_its_header_is_not_read(site: Site, pair: dict[str, Any]) -> None:
    token = pair["access_token"]
    refused(site, site.get(ME, params={"access_token": token}), 401)
    refused(site, site.get(ME, headers={"Cookie": f"nova={token}; token={token}"}), 401)
    refused(site, site.get(ME, headers={"X-Authorization": f"Bearer {token}"}), 401)


def test_a_bad_token_is_not_made_up_for_by_a_cookie(site: Site) -> None:
    browser = site.browser(ADMIN)
    answer = browser.get(ME, headers={"Authorization": "Bearer x"})
    refused(site, answer, 401)


def test_the_tokens_of_a_user_who_is_gone_are_worthless(site: Site) -> None:
    email = "leaver@nova.test"
    site.add_user(email, Role.ADMIN)
    pair = site.tokens(email)
    users.set_active(site.engine, email=email, active=False, actor=users.Actor())
    for _ in range(8):  # both workers
        refused(site, me(site, pair["access_token"]), 401)
    body = {"refresh_token": pair["refresh_token"]}
    refused(site, site.call("POST", "/api/v1/auth/refresh", json=body), 401)
    with site.engine.begin() as connection:
        sql = text('DELETE FROM support."user" WHERE email = :email')
        connection.execute(sql, {"email": email})
    refused(site, me(site, pair["access_token"]), 401)
    login = {"email": email, "password": PASSWORD}
    refused(site, site.call("POST", "/api/v1/auth/login", json=login), 401)
