"""Tokens through HTTP: how they are used, renewed, ended, and what is not taken for one."""

from __future__ import annotations

import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import requests
from sqlalchemy import text

from config import get_settings
from tests.waiting import waiting
from tests.web.conftest import ANALYST, PASSWORD, VIEWER, Site

REFRESHES = ("refresh", "refresh", "logout")
TOLD = (
    "api.login",
    "api.refresh.reused",
    *("api.auth_login", "api.auth_refresh", "api.auth_logout"),
)


def me(site: Site, token: str) -> requests.Response:
    return site.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {token}"})


def renew(site: Site, token: str) -> requests.Response:
    return site.call("POST", "/api/v1/auth/refresh", json={"refresh_token": token})


def key() -> bytes:
    return f"jwt:{get_settings().secret_key}".encode()


def claims_of(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def test_a_login_gives_a_pair_that_works(site: Site) -> None:
    tokens = site.tokens(ANALYST)
    assert tokens["expires_in"] == 900
    assert tokens["user"]["email"] == ANALYST and "act" in tokens["user"]["permissions"]
    answer = me(site, tokens["access_token"])
    assert answer.status_code == 200 and answer.json()["data"]["role"] == "ANALYST"


def test_a_refresh_token_is_good_once_and_reuse_ends_its_family(site: Site) -> None:
    first = site.tokens(VIEWER)["refresh_token"]
    other_login = site.tokens(VIEWER)["refresh_token"]
    second = renew(site, first)
    assert second.status_code == 200
    renewed = second.json()["data"]
    assert me(site, renewed["access_token"]).status_code == 200
    assert renew(site, first).status_code == 401
    assert renew(site, renewed["refresh_token"]).status_code == 401
    assert me(site, renewed["access_token"]).status_code == 401
    assert renew(site, other_login).status_code == 200


def test_who_uses_a_login_and_its_tokens_is_in_the_log(site: Site) -> None:
    tokens = site.tokens(VIEWER)
    body = {"refresh_token": tokens["refresh_token"]}
    answers = [
        site.call("POST", "/api/v1/auth/login", json={"email": VIEWER, "password": PASSWORD}),
        *(site.call("POST", f"/api/v1/auth/{door}", json=body) for door in REFRESHES),
    ]
    asked = {one.headers["X-Request-ID"]: number for number, one in enumerate(answers)}
    found = [row for action in TOLD for row in site.audit(action) if row.request_id in asked]
    told = sorted(found, key=lambda row: (asked[row.request_id], row.audit_id))
    assert [(row.action, row.status) for row in told] == [
        ("api.login", 200),
        ("api.auth_login", 200),
        ("api.auth_refresh", 200),
        ("api.refresh.reused", 401),
        ("api.auth_refresh", 401),
        ("api.auth_logout", 200),
    ]
    assert {(row.actor, row.role) for row in told} == {(VIEWER, "VIEWER")}


def test_logout_ends_the_family(site: Site) -> None:
    tokens, other_login = site.tokens(VIEWER), site.tokens(VIEWER)
    refresh = tokens["refresh_token"]
    assert me(site, tokens["access_token"]).status_code == 200
    gone = site.call("POST", "/api/v1/auth/logout", json={"refresh_token": refresh})
    assert gone.status_code == 200
    assert renew(site, refresh).status_code == 401
    assert me(site, tokens["access_token"]).status_code == 401, "at once, not when it expires"
    assert me(site, other_login["access_token"]).status_code == 200


def test_a_logout_ends_what_a_refresh_is_making_too(site: Site) -> None:
    refresh = site.tokens(VIEWER)["refresh_token"]
    number = claims_of(refresh)["jti"]
    lock = text("SELECT FROM support.token WHERE token_id = :number FOR UPDATE")
    with site.engine.connect() as holder, ThreadPoolExecutor() as asking:
        holder.execute(lock, {"number": number})
        renewed = asking.submit(renew, site, refresh)
        wait_for(site, 1)
        body = {"refresh_token": refresh}
        gone = asking.submit(site.call, "POST", "/api/v1/auth/logout", json=body)
        wait_for(site, 2)
        holder.rollback()
        assert gone.result().status_code == 200
    made = renewed.result().json()["data"]
    assert me(site, made["access_token"]).status_code == 401
    assert renew(site, made["refresh_token"]).status_code == 401


def wait_for(site: Site, count: int) -> None:
    with site.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as eye:
        while waiting(eye) < count:
            time.sleep(0.01)


def test_a_token_of_one_kind_is_not_one_of_the_other(site: Site) -> None:
    tokens = site.tokens(VIEWER)
    assert me(site, tokens["refresh_token"]).status_code == 401
    assert renew(site, tokens["access_token"]).status_code == 401


@pytest.mark.parametrize(
    "change",
    [
        {"exp": datetime(2020, 1, 1, tzinfo=UTC)},
        {"exp": None},
        {"iss": "somebody-else"},
        {"aud": "another-api"},
        {"aud": ["nova-corrente-api", "another-api"]},
        {"typ": None},
        {"ver": None},
        {"ver": 99},
        {"sub": "999999"},
        {"sub": "one"},
        {"jti": None},
        {"fam": None},
        {"fam": "00000000-0000-4000-8000-000000000000"},
        {"iat": datetime.now(UTC) + timedelta(days=1)},
    ],
)
def test_every_claim_is_required_and_pinned(site: Site, change: dict[str, Any]) -> None:
    claims = claims_of(site.tokens(VIEWER)["access_token"])
    assert me(site, jwt.encode(claims, key(), algorithm="HS256")).status_code == 200
    changed = {name: value for name, value in (claims | change).items() if value is not None}
    answer = me(site, jwt.encode(changed, key(), algorithm="HS256"))
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "not_authenticated"


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "HS384", "HS512", "RS256"])
def test_only_one_algorithm_is_taken(site: Site, algorithm: str) -> None:
    claims = claims_of(site.tokens(VIEWER)["access_token"])
    if algorithm.startswith("HS"):
        forged = jwt.encode(claims, key(), algorithm=algorithm)
    else:
        forged = f"{_part({'alg': algorithm, 'typ': 'JWT'})}.{_part(claims)}."
    assert me(site, forged).status_code == 401


def test_a_foreign_key_or_a_changed_payload_is_refused(site: Site) -> None:
    token = site.tokens(VIEWER)["access_token"]
    claims = claims_of(token)
    assert me(site, jwt.encode(claims, "x" * 64, algorithm="HS256")).status_code == 401
    head, _, signature = token.split(".")
    assert me(site, f"{head}.{_part(claims | {'sub': '1'})}.{signature}").status_code == 401
    assert me(site, "").status_code == 401
    assert me(site, "not.a.token").status_code == 401


def test_wrong_credentials_read_the_same_as_an_unknown_user(site: Site) -> None:
    url = "/api/v1/auth/login"
    wrong = site.call("POST", url, json={"email": VIEWER, "password": "wrong-password"})
    unknown = site.call("POST", url, json={"email": "no@nova.test", "password": PASSWORD})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()


def _part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")
